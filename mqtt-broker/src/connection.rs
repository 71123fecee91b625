//! One connection: the task that owns its socket and its [`Server`] machine.
//!
//! The task waits in one place, and only for its socket, its mailbox, the time and the end. Nothing of it waits for another
//! connection, but for one thing: a client that takes over a session waits, within its connect timeout, until the task that
//! had it lets go.

mod authorize;
mod begin;
mod connect;
mod explain;
mod farewell;
mod stream;
mod subscribe;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_core::server::{
    ConnectRequest, Disconnected, Event, Server, ServerLimits, SubscribeRequest, UnsubscribeRequest,
};
use mqtt_core::{
    AckToken, Acknowledge, Instant, Message, Outcome, Output, Progress, ProtocolVersion, PublishId,
    ReasonCode, Utf8, WillMessage,
};
use tokio::io;
use tokio::task::coop;
use tokio::time;
use tokio_util::sync::WaitForCancellationFutureOwned;

use self::authorize::{Authority, Decided, Question};
pub(crate) use self::begin::{spawn, spawn_after};
use self::explain::reason_string;
use self::stream::{poll_read, poll_write};
use crate::alarm::Alarm;
use crate::backlog::held_by;
use crate::certificates::Certificates;
use crate::listener::ByteStream;
use crate::place::Place;
use crate::share::Owed;
use crate::shared::Shared;
use crate::subscriber::{Room, Subscriber};

/// Bytes that a read takes at first; most have fewer.
const SMALL_READ: usize = 4 << 10;
/// Room made for what comes behind them.
const LARGE_READ: usize = 64 << 10;
/// Above this much unwritten output nothing is read: who does not take answers may not ask.
const MAX_UNWRITTEN: usize = 256 << 10;
/// How many messages the machine may hold that wait to be sent (see [`Room`]).
const MAX_WAITING_IN_MACHINE: usize = 256;

/// How long nothing may happen until a connection gives its buffers back. Before that they are for what comes next, so that a
/// stream of messages is not a stream of allocations. Not longer, since a crowd that connects holds as much at once.
const QUIET: Duration = Duration::from_millis(100);

/// Characters of a Client Identifier, which may have 65,535, that are logged.
const SHOWN_CHARACTERS: usize = 64;

struct Connection<S> {
    place: Place,
    shared: Arc<Shared>,
    stream: S,
    certificates: Certificates,
    server: Server,
    input: BytesMut,
    output: Output,
    /// Something was written that a layer under the writer may hold back.
    unflushed: bool,
    /// How far the machine got with `input`.
    progress: Progress,
    /// The most that `input` ever had room for: one large packet makes a large buffer, in which small ones may follow it.
    largest_buffer: usize,
    /// When the buffers are to be given back; `None` if they have been.
    quiet_at: Option<Instant>,
    seat: Option<Seat>,
    question: Question,
    /// When the CONNECT must have been accepted.
    deadline: time::Instant,
    alarm: Alarm,
    /// The broker ends. Who has a session is told so by that, and need not wait for this too.
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// What a client has once it is connected.
struct Seat {
    subscriber: Arc<Subscriber>,
    owed: Owed,
    will: Option<Box<WillMessage>>,
    version: ProtocolVersion,
    /// Who is asked what the client may do, if anybody.
    authority: Option<Arc<Authority>>,
}

/// How far the events of the machine are handled.
enum Handled {
    All,
    /// Up to one that takes time.
    UpTo(Box<Work>),
    /// The last of them is how the connection ended.
    End(Box<Disconnected>),
}

/// What may have to wait for something. It happens seldom, and is on the heap while it lasts and not in every task all the
/// time.
enum Work {
    Connect(Box<ConnectRequest>),
    Subscribe {
        request: SubscribeRequest,
        /// What was decided about its filters, if anybody was asked.
        allowed: Vec<Result<(), ReasonCode>>,
    },
}

impl<S: ByteStream> Connection<S> {
    fn new(
        shared: Arc<Shared>,
        place: Place,
        stream: S,
        certificates: Certificates,
        deadline: time::Instant,
    ) -> Box<Self> {
        let options = &shared.context.options;
        let limits = ServerLimits {
            connect_timeout: deadline.saturating_duration_since(time::Instant::now()),
            acknowledge: Acknowledge::Manual,
            explain_faults: true,
            strict_text: options.strict_text,
            ..ServerLimits::default()
        };
        Box::new(Self {
            server: Server::new(shared.context.clock.now(), limits),
            deadline,
            alarm: Alarm::new(),
            stopped: Some(Box::pin(shared.stop.clone().cancelled_owned())),
            place,
            shared,
            stream,
            certificates,
            input: BytesMut::new(),
            output: Output::new(),
            unflushed: false,
            progress: Progress::Done,
            largest_buffer: LARGE_READ,
            quiet_at: None,
            seat: None,
            question: Question::None,
        })
    }

    async fn run(mut self: Box<Self>) {
        let ended = loop {
            match self.handle_events() {
                Handled::All => {}
                Handled::UpTo(work) => {
                    Box::pin(self.do_work(work)).await;
                    continue;
                }
                Handled::End(ended) => break ended,
            }
            self.collect();
            if self.server.is_ended() {
                // There may be nothing to write that would end the wait.
                if self.question.is_open() {
                    Box::pin(self.wait_for_answer()).await;
                }
                continue;
            }
            let unfinished = self.unfinished();
            let sent = self.server.poll_transmit(self.now(), &mut self.output);
            if sent == 0 && self.unfinished() < unfinished {
                // Messages that the client does not take were let go of: nothing else would make a turn for those behind them.
                continue;
            }
            self.wait(sent > 0).await;
        };
        Box::pin(self.close(ended)).await;
    }

    /// Handles what the machine has to say, as far as nothing of it has to be waited for.
    fn handle_events(&mut self) -> Handled {
        loop {
            if let Some(decided) = self.question.take_answer() {
                match *decided {
                    Decided::Publish {
                        message,
                        token,
                        allowed,
                    } => self.publish_if_allowed(&message, token, allowed),
                    Decided::Subscribe { request, allowed } => {
                        return Handled::UpTo(Box::new(Work::Subscribe { request, allowed }));
                    }
                }
                continue;
            }
            if self.question.is_open() {
                // What comes behind it waits for the answer.
                return Handled::All;
            }
            let Some(event) = self.server.poll_event() else {
                return Handled::All;
            };
            match event {
                Event::Connect(request) => {
                    return Handled::UpTo(Box::new(Work::Connect(request)));
                }
                Event::Message { message, token, .. } => self.ask_to_publish(message, token),
                Event::Subscribe(request) => {
                    if let Some(request) = self.ask_to_subscribe(request) {
                        let allowed = Vec::new();
                        return Handled::UpTo(Box::new(Work::Subscribe { request, allowed }));
                    }
                }
                Event::Unsubscribe(request) => self.unsubscribe(&request),
                Event::Outcome { id, outcome } => self.settle(id, &outcome),
                Event::Disconnected(ended) => return Handled::End(Box::new(ended)),
                _ => {}
            }
        }
    }

    async fn do_work(&mut self, work: Box<Work>) {
        match *work {
            Work::Connect(request) => self.connect(*request).await,
            Work::Subscribe { request, allowed } => self.subscribe(&request, &allowed).await,
        }
    }

    fn publish(&mut self, message: &Message, token: Option<AckToken>) {
        let Some(seat) = &self.seat else { return };
        let detached = pins_more_than_it_counts(message.payload().len(), self.largest_buffer)
            .then(|| message.clone().detached());
        let message = detached.as_ref().unwrap_or(message);
        let publication =
            self.shared
                .router
                .publish(self.now(), Some(seat.subscriber.key), message);
        let Some(token) = token else { return };
        self.acknowledge(token, publication.reason_code(), publication.cause());
    }

    fn acknowledge(&mut self, token: AckToken, reason: ReasonCode, cause: Option<&str>) {
        let Some(seat) = &self.seat else { return };
        // 3.x has no Reason Codes: the message was received, and that is all that can be said.
        let reason = if seat.version.is_v5() {
            reason
        } else {
            ReasonCode::SUCCESS
        };
        let acknowledged = match cause.and_then(|cause| Utf8::new(cause).ok()) {
            Some(cause) => self
                .server
                .acknowledge_with_reason_string(token, reason, cause),
            None => self.server.acknowledge(token, reason),
        };
        if let Err(error) = acknowledged {
            tracing::debug!(%error, "an acknowledgement came too late");
        }
    }

    /// A message is finished.
    fn settle(&mut self, id: PublishId, outcome: &Outcome) {
        if let Some(seat) = &mut self.seat {
            seat.owed.settle(id);
        }
        if matches!(outcome, Outcome::Refused(_)) {
            // The client takes no packet of that size: it counts as sent [v5 MQTT-3.1.2-25].
            self.shared.context.counters.messages_dropped.add(1);
        }
    }

    fn unsubscribe(&mut self, request: &UnsubscribeRequest) {
        let Some(seat) = &self.seat else { return };
        let key = seat.subscriber.key;
        let reasons: Vec<_> = request
            .filters()
            .map(|filter| {
                if self.shared.router.unsubscribe(key, filter) {
                    ReasonCode::SUCCESS
                } else {
                    ReasonCode::NO_SUBSCRIPTION_EXISTED
                }
            })
            .collect();
        if let Err(error) = self.server.complete_unsubscribe(request, &reasons) {
            tracing::debug!(%error, "an unsubscription could not be answered");
        }
    }

    /// How many messages the machine has not finished.
    fn unfinished(&self) -> usize {
        let session = self.server.session();
        session.map_or(0, |session| held_by(session).messages)
    }

    /// Moves messages from the mailbox to the machine, as many as it should hold.
    fn collect(&mut self) {
        let Some(seat) = &mut self.seat else { return };
        let Some(session) = self.server.session() else {
            return;
        };
        let unsent = session.queued();
        let room = Room {
            messages: MAX_WAITING_IN_MACHINE.saturating_sub(unsent),
            unacknowledged: usize::from(self.server.send_quota()).saturating_sub(unsent),
        };
        let mut collected = Vec::new();
        let dismissed = seat
            .subscriber
            .collect(held_by(session), room, &mut collected);
        let counters = &self.shared.context.counters;
        for waiting in collected {
            match self.server.publish(waiting.since, waiting.message) {
                Ok(id) => {
                    seat.owed.note(id, waiting.share);
                    counters.messages_out.add(1);
                }
                Err(error) => {
                    counters.messages_dropped.add(1);
                    tracing::debug!(%error, "a message could not be sent");
                }
            }
        }
        if let Some(reason) = dismissed {
            self.disconnect(reason);
        }
    }

    fn disconnect(&mut self, reason: ReasonCode) {
        let now = self.now();
        // Once it has ended, what is to be said last is not to be taken back.
        if self.server.is_ended() {
            return;
        }
        let cause = reason_string(explain::disconnect(reason));
        let said = self.server.disconnect_with(now, reason, cause.as_slice());
        if said.is_err() {
            self.server.handle_close(now);
        }
    }

    /// Waits for what the last things that the client sent wait for, unless everything is to end now or somebody waits for the
    /// session.
    async fn wait_for_answer(&mut self) {
        let shared = Arc::clone(&self.shared);
        let subscriber = self.seat.as_ref().map(|seat| Arc::clone(&seat.subscriber));
        tokio::select! {
            () = self.question.answered() => {}
            () = shared.kill.cancelled() => self.question = Question::None,
            () = dismissed(subscriber.as_deref()) => self.question = Question::None,
        }
    }

    /// Waits until something happens, and handles what did. `transmitted` is whether the machine has just given something to
    /// write.
    async fn wait(&mut self, transmitted: bool) {
        // What the machine left of the input because of its event queue, it takes now that the events are handled; because of
        // answers that had not left, once they have.
        let again = match self.progress {
            Progress::Done => false,
            Progress::Blocked => !self.question.is_open(),
            Progress::Congested => transmitted,
        };
        let readable = self.progress == Progress::Done && self.output.remaining() < MAX_UNWRITTEN;
        let deadline = self.server.poll_timeout().into_iter();
        let deadline = deadline.chain(self.quiet_at).min();
        self.alarm.set(&self.shared.context.clock, deadline);
        let mut has_yielded = false;
        // Within the budget of the runtime: a stream of the caller's may always be ready.
        coop::cooperative(poll_fn(|cx| {
            let happened = self.poll_all(cx, readable);
            if again && has_yielded {
                self.handle_input();
                return Poll::Ready(());
            }
            if again {
                // Others get their turn between two helpings.
                has_yielded = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if happened {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }))
        .await;
    }

    /// Handles everything that has happened; whether anything has. One function and not a future for each, since what they
    /// would keep while a connection is idle adds up.
    fn poll_all(&mut self, cx: &mut TaskContext<'_>, readable: bool) -> bool {
        let mut happened = false;
        // First, since a DISCONNECT counts that came before the connection broke [v5 MQTT-3.14.4-3, v311 MQTT-3.14.4-3].
        if readable && let Poll::Ready(read) = poll_read(&mut self.stream, cx, &mut self.input) {
            happened = true;
            self.handle_read(read);
        }
        if self.output.has_remaining() || self.unflushed {
            let written = poll_write(&mut self.stream, cx, &mut self.output, &mut self.unflushed);
            happened |= written.is_ready();
            match written {
                Poll::Ready(Ok(bytes)) => self.shared.context.counters.bytes_out.add(bytes),
                Poll::Ready(Err(_)) => self.server.handle_close(self.now()),
                Poll::Pending => {}
            }
        }
        if let Some(seat) = &self.seat {
            happened |= seat.subscriber.poll_woken(cx).is_ready();
        }
        happened |= self.question.poll(cx).is_ready();
        if happened {
            self.quiet_at = Some(self.now() + QUIET);
        }
        if self.alarm.poll_rung(cx).is_ready() {
            happened = true;
            let now = self.now();
            self.server.handle_timeout(now);
            if self.quiet_at.take_if(|quiet_at| *quiet_at <= now).is_some() {
                self.release_buffers();
            }
        }
        let stopped = self.stopped.as_mut();
        if stopped.is_some_and(|stopped| stopped.as_mut().poll(cx).is_ready()) {
            happened = true;
            self.stopped = None;
            self.disconnect(ReasonCode::SERVER_SHUTTING_DOWN);
        }
        happened
    }

    /// An idle connection holds no buffer, whatever it needed before.
    fn release_buffers(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        if self.output.is_empty() {
            self.output = Output::new();
        }
        self.server.release_unused();
        if let Some(seat) = &self.seat {
            seat.subscriber.release_unused();
        }
    }

    fn handle_read(&mut self, read: io::Result<usize>) {
        match read {
            Ok(bytes) if bytes > 0 => {
                self.shared.context.counters.bytes_in.add(bytes);
                self.largest_buffer = self.largest_buffer.max(self.input.capacity());
                self.handle_input();
            }
            _ => self.server.handle_close(self.now()),
        }
    }

    fn handle_input(&mut self) {
        self.progress = self.server.handle_input(self.now(), &mut self.input);
    }

    fn now(&self) -> Instant {
        self.shared.context.clock.now()
    }
}

/// Whether a payload is to be copied before it is kept. From [`SMALL_READ`] on it is a slice of the read buffer and keeps all
/// of that, though only its own size is counted; a smaller one has been copied already.
const fn pins_more_than_it_counts(payload: usize, largest_buffer: usize) -> bool {
    SMALL_READ <= payload && (payload < LARGE_READ || payload < largest_buffer / 2)
}

async fn dismissed(subscriber: Option<&Subscriber>) {
    let Some(subscriber) = subscriber else {
        return std::future::pending().await;
    };
    while !subscriber.is_dismissed() {
        subscriber.woken().await;
    }
}

/// As much of a Client Identifier as belongs in a log.
fn shown_id(client_id: &str) -> tracing::field::DebugValue<&str> {
    let end = client_id.char_indices().nth(SHOWN_CHARACTERS);
    let shown = end.and_then(|(end, _)| client_id.get(..end));
    tracing::field::debug(shown.unwrap_or(client_id))
}

fn shown_peer(peer: Option<SocketAddr>) -> Option<tracing::field::DisplayValue<SocketAddr>> {
    peer.map(tracing::field::display)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_at_least_half_of_what_it_keeps() {
        assert!(!pins_more_than_it_counts(SMALL_READ - 1, 4 << 20));
        assert!(pins_more_than_it_counts(SMALL_READ, LARGE_READ));
        assert!(pins_more_than_it_counts(LARGE_READ, 2 << 20));
        assert!(!pins_more_than_it_counts(1 << 20, 2 << 20));
        assert!(!pins_more_than_it_counts(LARGE_READ, LARGE_READ));
    }
}
