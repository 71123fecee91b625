//! The task that owns a client's connection: it connects, drives the machine, and connects again.

mod connection;
mod outbox;
mod route;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mqtt_core::client::{Client as Core, ConnectOptions, Limits};
use mqtt_core::{
    AckToken, Acknowledge, KeepAlive, MaximumPacketSize, Outcome, PropertiesBuf, ProtocolVersion,
    ReasonCode, ReceiveMaximum, Session, SessionExpiry, Utf8, WillMessage,
};
use tokio::time::{Duration, Instant, sleep_until, timeout_at};

use crate::clock::{Clock, from_now};
use crate::command::{AckAnswer, Command};
use crate::error::{CloseError, ConnectError};
use crate::options::{Address, Options, OptionsError, SessionLost, Unacknowledged, Version};
use crate::request::Request;
use crate::router::{NewGroup, Router};
use crate::shared::{Batch, Shared};
use crate::state::{CloseCause, State};
use crate::transport::{Attempt, Transport};
use connection::Ended;
use outbox::Outbox;
use route::Route;

/// Publishes the core may hold at once. More would only wait there instead of in the queue, where they can still be dropped
/// by the overflow policy; fewer would starve a fast connection.
const CORE_MESSAGES: usize = 1_024;
const CORE_BYTES: usize = 4 * 1024 * 1024;

/// Drives a client until it is closed. A future that is dropped, polled or not, ends the client.
pub(crate) fn run(shared: Arc<Shared>) -> impl Future<Output = ()> + Send {
    let mut task = Task::new(shared);
    async move {
        let cause = task.drive().await;
        match cause.error() {
            Some(error) => tracing::error!(%error, "the client has ended"),
            None => tracing::info!("the client was closed"),
        }
        task.finish(cause);
    }
}

struct Task {
    shared: Arc<Shared>,
    clock: Clock,
    core: Core,
    router: Router,
    outbox: Outbox,
    batch: Batch,
    /// Answers to received messages, on their way to the core.
    acks: Vec<(AckToken, AckAnswer)>,
    client_id: String,
    version: ProtocolVersion,
    closing: Option<Closing>,
    /// The first CONNECT was accepted: later ones resume.
    was_connected: bool,
    /// The server has a session that is not ours to resume.
    force_clean_start: bool,
    /// Something changed that a waiting thread may want to see.
    changed: bool,
    /// An answer cannot be given in 3.x but by hanging up.
    hang_up: bool,
    /// The application did something since this was looked at last.
    used: bool,
    /// It wants a connection, though there is nothing to do on it yet.
    wanted: bool,
    finished: bool,
}

/// The client is to end.
struct Closing {
    /// Publishes are awaited until here.
    flush_until: Instant,
    /// And by then all is over.
    deadline: Instant,
    requests: Vec<Request<Result<(), CloseError>>>,
}

/// How waiting outside of a connection ended.
enum Waited<T> {
    Done(T),
    /// The client is to end.
    Closing,
}

impl Task {
    fn new(shared: Arc<Shared>) -> Self {
        let options = &shared.options;
        let client_id = options.client_id.make();
        let limits = limits(options);
        let session = if options.clean_start {
            Session::new(limits.session_bounds())
        } else {
            // An earlier process may have left the server a session under this identifier.
            Session::assume(limits.session_bounds(), client_id.as_str())
        };
        Self {
            clock: Clock::new(),
            core: Core::with_session(limits, session),
            router: Router::new(Arc::clone(&shared)),
            outbox: Outbox::default(),
            batch: Batch::default(),
            acks: Vec::new(),
            client_id,
            version: options.version.first(),
            closing: None,
            was_connected: false,
            force_clean_start: false,
            changed: false,
            hang_up: false,
            used: false,
            wanted: false,
            finished: false,
            shared,
        }
    }

    async fn drive(&mut self) -> CloseCause {
        let places = self.shared.options.addresses.len().max(1);
        let round = u32::try_from(places).unwrap_or(u32::MAX);
        let policy = self.shared.options.reconnect;
        let mut route = Route::default();
        // Attempts in a row that failed, or whose connection was not stable.
        let mut failures = 0_u32;
        loop {
            let (error, lasted, retry) = match self.attempt(&route).await {
                Ended::Closed => return CloseCause::Requested,
                Ended::Idle => {
                    failures = 0;
                    route.arrived();
                    route.lost();
                    match self.rest().await {
                        Waited::Closing => return CloseCause::Requested,
                        Waited::Done(()) => continue,
                    }
                }
                Ended::Lost {
                    error,
                    lasted,
                    retry,
                } => (error, lasted, retry),
            };
            let was_stable = lasted.is_some_and(|lasted| lasted >= policy.stable_after);
            if was_stable {
                route.arrived();
            }
            if lasted.is_some() {
                route.lost();
            }
            if self.falls_back(&error) || route.follow(&self.shared.options, &error) {
                if lasted.is_some() {
                    // No wait, but whoever watches is to see that the connection is over, and why.
                    self.set_state(State::Backoff {
                        attempt: failures,
                        delay: Duration::ZERO,
                        error,
                    });
                }
                continue;
            }
            if !retry {
                self.shared.first_round.answer(Err(error.clone()));
                return CloseCause::Final(error);
            }
            tracing::warn!(%error, "not connected");
            if was_stable {
                failures = 0;
            }
            failures = failures.saturating_add(1);
            if lasted.is_none() {
                // One that had come up is tried again where it was; one that failed, at the next address.
                route.failed(places);
                if !failures.is_multiple_of(round) {
                    self.shared.set_last_error(error);
                    continue;
                }
            }
            self.shared.first_round.answer(Err(error.clone()));
            let attempt = failures.div_ceil(round);
            if policy.gives_up(attempt) {
                return CloseCause::GaveUp(error);
            }
            let delay = policy.delay(attempt - 1, rand::random());
            self.set_state(State::Backoff {
                attempt,
                delay,
                error,
            });
            if let Waited::Closing = self.meanwhile(tokio::time::sleep(delay)).await {
                return CloseCause::Requested;
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn attempt(&mut self, route: &Route) -> Ended {
        self.set_state(State::Connecting);
        let deadline = from_now(self.shared.options.connect_timeout);
        let ended = match self.open(route, deadline).await {
            Waited::Closing => Ended::Closed,
            Waited::Done(Err(error)) => Ended::failed(error),
            Waited::Done(Ok((transport, address))) => {
                self.connection(transport, address, deadline).await
            }
        };
        self.take_back();
        ended
    }

    /// A server that does not know 5.0 gets 3.1.1, at once and for good, where the options leave that open.
    fn falls_back(&mut self, error: &ConnectError) -> bool {
        let falls_back = matches!(
            error,
            ConnectError::Refused { reason, .. } if *reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
        ) && self.shared.options.version == Version::Auto
            && self.version == ProtocolVersion::V5;
        if falls_back {
            tracing::info!("the server does not know MQTT 5.0: falling back to 3.1.1");
            self.version = ProtocolVersion::V3_1_1;
        }
        falls_back
    }

    /// Opens a transport, before the deadline.
    async fn open(
        &mut self,
        route: &Route,
        deadline: Instant,
    ) -> Waited<Result<(Transport, String), ConnectError>> {
        let shared = Arc::clone(&self.shared);
        let (destination, first) = (route.address(&shared.options), route.first_found());
        // On the heap for as long as it takes, and not a part of the task for as long as that lives.
        let opening = Box::pin(async move {
            let shown = destination.as_ref().map(ToString::to_string);
            let mut attempt = Attempt::new(shown.unwrap_or_default());
            let opening = open(&shared, destination.as_ref(), first, deadline, &mut attempt);
            match timeout_at(deadline, opening).await {
                Ok(Ok(transport)) => Ok((transport, attempt.into_address())),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(attempt.timed_out(shared.options.connect_timeout)),
            }
        });
        self.meanwhile(opening).await
    }

    /// Waits for something while there is no connection: commands are served, and closing ends it.
    async fn meanwhile<F: Future>(&mut self, something: F) -> Waited<F::Output> {
        let mut something = std::pin::pin!(something);
        let shared = Arc::clone(&self.shared);
        loop {
            self.take_work(0);
            self.outbox.tell(&self.shared);
            self.tell_changed();
            if self.is_done_closing() {
                return Waited::Closing;
            }
            let due = self.due();
            tokio::select! {
                output = &mut something => return Waited::Done(output),
                () = woken(&shared, due) => {}
            }
        }
    }

    /// When there is something to do without a connection, though nobody has called.
    fn due(&self) -> Option<Instant> {
        let patience = self.closing.as_ref().map(|closing| closing.flush_until);
        let due = [patience, self.shared.next_expiry()];
        due.into_iter().flatten().min()
    }

    /// Waits without a connection until there is something to do on one.
    async fn rest(&mut self) -> Waited<()> {
        let shared = Arc::clone(&self.shared);
        self.wanted = false;
        loop {
            self.take_work(0);
            self.outbox.tell(&self.shared);
            self.tell_changed();
            if self.is_done_closing() {
                return Waited::Closing;
            }
            if self.wanted || shared.has_publishes() || !self.router.is_at_rest() {
                return Waited::Done(());
            }
            woken(&shared, self.due()).await;
        }
    }

    /// Takes over what the handles left, and up to `max_publishes` publishes (they stay in the batch).
    fn take_work(&mut self, max_publishes: usize) {
        self.expire();
        self.shared.take(&mut self.batch, max_publishes);
        self.used |= !self.batch.is_empty();
        while let Some(command) = self.batch.commands.pop_front() {
            self.apply(command);
        }
        self.acks.append(&mut self.batch.acks);
        self.acknowledge();
        self.router.ask(&mut self.core);
    }

    fn apply(&mut self, command: Command) {
        match command {
            Command::Subscribe {
                key,
                filters,
                mode,
                stream,
                grant,
                properties,
                request,
            } => {
                self.router.add(
                    NewGroup {
                        key,
                        filters,
                        mode,
                        stream,
                        grant,
                        properties,
                        request,
                    },
                    &mut self.acks,
                );
            }
            Command::Unsubscribe {
                filters,
                properties,
                request,
            } => {
                self.router.drop_filters(&filters);
                self.router.unsubscribe(filters, properties, Some(request));
                self.changed = true;
            }
            Command::Leave { key, tell_server } => {
                let orphans = self.router.leave(key);
                if tell_server {
                    self.router
                        .unsubscribe(orphans, PropertiesBuf::default(), None);
                }
            }
            Command::Connect => self.wanted = true,
            Command::Close { deadline, request } => self.begin_closing(deadline, request),
        }
    }

    fn begin_closing(&mut self, deadline: Instant, request: Request<Result<(), CloseError>>) {
        // A part of the time is kept for DISCONNECT and the end of the stream.
        let farewell = (deadline.saturating_duration_since(Instant::now()) / 4)
            .min(Duration::from_millis(500));
        let flush_until = deadline - farewell;
        match &mut self.closing {
            Some(closing) => {
                closing.deadline = closing.deadline.min(deadline);
                closing.flush_until = closing.flush_until.min(flush_until);
                closing.requests.push(request);
            }
            None => {
                self.closing = Some(Closing {
                    flush_until,
                    deadline,
                    requests: vec![request],
                });
                self.shared.refuse_new();
                self.set_state(State::Closing);
            }
        }
    }

    /// Whether nothing more is to be waited for before the goodbye.
    fn is_done_closing(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| {
            self.shared.pending() == 0 || Instant::now() >= closing.flush_until
        })
    }

    /// Passes the application's answers on. An answer for a connection that is over is not wanted any more.
    fn acknowledge(&mut self) {
        let is_v5 = self
            .core
            .negotiated()
            .is_none_or(|limits| limits.version.is_v5());
        for (token, answer) in self.acks.drain(..) {
            if answer == AckAnswer::None {
                self.shared
                    .counters
                    .unanswered
                    .fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    packet_id = token.packet_id().get(),
                    "a message was dropped without an acknowledgement"
                );
            }
            let (reason, words) = match &answer {
                AckAnswer::Reason(reason) => (*reason, ""),
                AckAnswer::InWords(reason, words) => (*reason, &**words),
                AckAnswer::None => (ReasonCode::UNSPECIFIED_ERROR, ""),
            };
            let words = Utf8::new(words).unwrap_or_default();
            if is_v5 {
                // A code that an acknowledgement cannot carry must not leave the message unanswered for ever.
                if let Err(mqtt_core::AckError::ReasonNotAllowed(_)) = self
                    .core
                    .acknowledge_with_reason_string(token, reason, words)
                {
                    let reason = ReasonCode::UNSPECIFIED_ERROR;
                    let _ = self
                        .core
                        .acknowledge_with_reason_string(token, reason, words);
                }
            } else if !reason.is_error()
                || self.shared.options.unacknowledged == Unacknowledged::Acknowledge
            {
                let _ = self.core.acknowledge(token, ReasonCode::SUCCESS);
            } else {
                self.hang_up = true;
            }
        }
    }

    /// Gives the core as many publishes as it may hold.
    fn feed(&mut self) {
        while let Some(queued) = self.batch.publishes.pop_front() {
            // The time of acceptance starts the Message Expiry Interval.
            let accepted_at = self.clock.at(queued.accepted_at);
            match self.core.publish(accepted_at, queued.message.clone()) {
                Ok(id) => self.outbox.insert(id, queued),
                Err(refusal) => self.outbox.refuse(queued, Outcome::Refused(refusal)),
            }
        }
    }

    /// Without a connection, what was never sent goes back to the front of the queue, where it can expire, and where the
    /// overflow policy reaches it.
    fn take_back(&mut self) {
        let core = &mut self.core;
        let unsent = self.outbox.take_unsent(|id| core.cancel(id));
        self.shared.give_back(unsent);
        // The machine reports them as cancelled, which nobody needs to know.
        while self.core.poll_event().is_some() {}
        self.expire();
        self.outbox.tell(&self.shared);
    }

    /// Ends the waiting publishes whose Message Expiry Interval is over.
    fn expire(&mut self) {
        for expired in self.shared.take_expired() {
            self.outbox.refuse(expired, Outcome::Expired);
            self.changed = true;
        }
    }

    /// How many publishes the core may be given now.
    fn window(&self) -> usize {
        let (messages, bytes) = self.outbox.open();
        if bytes >= CORE_BYTES {
            0
        } else {
            CORE_MESSAGES.saturating_sub(messages)
        }
    }

    fn set_state(&mut self, state: State) {
        // Whoever asked to close wants to see that, not what is tried meanwhile.
        if self.closing.is_none() || matches!(state, State::Closing) {
            self.shared.set_state(state);
            self.changed = true;
        }
    }

    fn tell_changed(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.shared.changed();
        }
    }

    /// Whether the next, or present, CONNECT starts with an empty session: after the first one, what the server keeps is
    /// resumed.
    fn asks_for_clean_start(&self) -> bool {
        let options = &self.shared.options;
        self.force_clean_start
            || (options.clean_start && !(self.was_connected && options.keeps_session()))
    }

    fn connect_options(&self, deadline: Instant) -> ConnectOptions {
        let options = &self.shared.options;
        let mut connect = ConnectOptions::new(self.client_id.as_str());
        connect.version = self.version;
        connect.clean_start = self.asks_for_clean_start();
        connect.keep_alive =
            KeepAlive::from_secs(u16::try_from(options.keep_alive.as_secs()).unwrap_or(u16::MAX));
        connect.username.clone_from(&options.username);
        connect.password.clone_from(&options.password);
        connect.connect_timeout = deadline.saturating_duration_since(Instant::now());
        if self.version.is_v5() {
            connect.session_expiry = session_expiry(options.session_expiry);
            connect.user_properties.clone_from(&options.user_properties);
        }
        connect.will = options.will.as_ref().map(|will| WillMessage {
            message: will.message.clone(),
            delay: if self.version.is_v5() {
                u32::try_from(will.delay.as_secs()).unwrap_or(u32::MAX)
            } else {
                0
            },
        });
        connect
    }

    fn finish(&mut self, cause: CloseCause) {
        self.finished = true;
        let waiting = self.shared.pending();
        // What was taken over and not fed yet.
        self.batch.publishes.clear();
        self.outbox.give_up(&self.shared);
        self.router.close();
        let requests = self
            .closing
            .take()
            .map(|closing| closing.requests)
            .unwrap_or_default();
        self.shared.first_round.answer(Err(ConnectError::Closed));
        self.shared.finish(cause);
        for request in requests {
            request.answer(if waiting == 0 {
                Ok(())
            } else {
                Err(CloseError::Unfinished { pending: waiting })
            });
        }
        self.shared.changed();
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.finished {
            self.finish(CloseCause::RuntimeStopped);
        }
    }
}

/// Waits until somebody has called, or it is time.
async fn woken(shared: &Shared, due: Option<Instant>) {
    tokio::select! {
        () = shared.wake.notified() => {}
        () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
    }
}

/// Opens the transport to `destination`, of what that leads to the `first`th address first, or whatever the connector opens.
async fn open(
    shared: &Shared,
    destination: Option<&Address>,
    first: usize,
    deadline: Instant,
    attempt: &mut Attempt,
) -> Result<Transport, ConnectError> {
    match (&shared.options.connector, destination) {
        (Some(connector), _) => shared.dialer.through(connector, attempt).await,
        (None, Some(address)) => shared.dialer.dial(address, first, deadline, attempt).await,
        (None, None) => Err(OptionsError::NoAddress.into()),
    }
}

fn limits(options: &Options) -> Limits {
    let mut limits = Limits::default();
    // The queue in front of the core has the bounds; what is in the core is counted there too.
    limits.max_queued = usize::MAX;
    limits.max_queued_bytes = usize::MAX;
    limits.max_events = 256;
    limits.max_requests = 16_384;
    limits.receive_maximum = ReceiveMaximum::new(options.receive_maximum).unwrap_or_default();
    limits.maximum_packet_size = MaximumPacketSize::new(options.maximum_packet_size)
        .unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE);
    limits.topic_alias_maximum = options.topic_alias_maximum;
    limits.outgoing_topic_aliases = options.outgoing_topic_aliases;
    limits.acknowledge = Acknowledge::Manual;
    limits.strict_text = options.strict_text;
    limits.on_session_lost = match options.on_session_lost {
        SessionLost::Republish => mqtt_core::SessionLost::Republish,
        SessionLost::Drop => mqtt_core::SessionLost::Drop,
    };
    limits
}

fn session_expiry(expiry: Option<Duration>) -> SessionExpiry {
    let seconds = expiry.map_or(0, |expiry| expiry.as_secs());
    u32::try_from(seconds).map_or(SessionExpiry::NEVER, SessionExpiry::from_secs)
}
