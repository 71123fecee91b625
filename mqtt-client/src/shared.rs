//! What the handles of a client and its task share: the queue of publishes, commands, acknowledgements, and counters.
//!
//! Handles write, the task takes everything that is there at once. Nobody holds a lock while waiting or doing I/O.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use mqtt_core::{
    AckToken, DropReason, MaximumPacketSize, Message, Negotiated, Outcome, ProtocolVersion,
    PublishId, ReasonCode, SubscribeOptions,
};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::delivery::{Completer, Delivery};
use crate::error::{CloseError, ConnectError, PublishError, SubscribeError};
use crate::fork;
use crate::options::{Options, OptionsError, Overflow};
use crate::request::Request;
use crate::state::{CloseCause, Connack, Flush, State, Status};
use crate::stream::{AckMode, Stream, SubscriptionKey};
use crate::subscription::Grant;
use crate::transport::Dialer;

/// What a queued publish costs beside its message.
const PUBLISH_OVERHEAD: usize = size_of::<Queued>() + Completer::HELD_BYTES;

/// Requests of the application that wait for the server, at most.
const MAX_COMMANDS: usize = 65_535;

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) dialer: Dialer,
    /// Wakes the task.
    pub(crate) wake: Notify,
    /// An outcome was given: there may be room, and a flush may be over.
    settled: Notify,
    work: Mutex<Work>,
    state: watch::Sender<State>,
    connection: Mutex<Connection>,
    pub(crate) counters: Counters,
    pub(crate) held: Held,
    /// How the first round through all addresses ended.
    pub(crate) first_round: Request<Result<(), ConnectError>>,
    /// The process that made this client (see `fork`).
    generation: u64,
    observer: OnceLock<Box<dyn Observer>>,
}

/// Who is told while a client runs, by the task or by whoever makes the change. No lock is held then; whoever is told must
/// not wait for anything.
pub(crate) trait Observer: Send + Sync {
    /// Something changed that a waiting thread may want to see.
    fn changed(&self);

    /// The client does something else now, or failed at it once more; every change, in order. `connack` comes with
    /// [`State::Connected`].
    fn state(&self, state: &State, connack: Option<&Connack>);
}

/// What waits for the task.
#[derive(Default)]
struct Work {
    publishes: VecDeque<Queued>,
    /// When the first of `publishes` may expire: never later than it does.
    next_expiry: Option<Instant>,
    commands: VecDeque<Command>,
    acks: Vec<(AckToken, AckAnswer)>,
    /// Publishes without an outcome, here and in the core.
    pending: usize,
    pending_bytes: usize,
    /// The oldest publish that is in the core, and how many are.
    oldest_in_core: Option<(PublishId, Instant)>,
    in_core: usize,
    accepted: u64,
    negotiated: Option<Negotiated>,
    /// No publish and no request is taken any more.
    closed: bool,
    /// Nor is an acknowledgement.
    finished: bool,
}

/// A publish that was not handed to the core yet.
pub(crate) struct Queued {
    pub(crate) message: Message,
    pub(crate) completer: Completer,
    pub(crate) accepted_at: Instant,
    pub(crate) bytes: usize,
}

impl Queued {
    /// When the Message Expiry Interval is over.
    fn expires_at(&self) -> Option<Instant> {
        let interval = self.message.properties().message_expiry_interval()?;
        self.accepted_at
            .checked_add(Duration::from_secs(u64::from(interval)))
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }
}

/// How the application answered a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AckAnswer {
    Reason(ReasonCode),
    /// With a Reason String, valid as a UTF-8 Encoded String.
    InWords(ReasonCode, Box<str>),
    /// The token was dropped.
    None,
}

impl AckAnswer {
    pub(crate) const SUCCESS: Self = Self::Reason(ReasonCode::SUCCESS);
}

pub(crate) enum Command {
    Subscribe {
        key: SubscriptionKey,
        filters: Vec<(String, SubscribeOptions)>,
        mode: AckMode,
        stream: Arc<Stream>,
        grant: Arc<Grant>,
        request: Request<Result<Vec<ReasonCode>, SubscribeError>>,
    },
    /// Takes the filters from everybody who has them.
    Unsubscribe {
        filters: Vec<String>,
        request: Request<Result<Vec<ReasonCode>, SubscribeError>>,
    },
    /// The stream is gone; with `tell_server`, so shall be the filters that nobody else has.
    Leave {
        key: SubscriptionKey,
        tell_server: bool,
    },
    /// A connection is wanted, though there is nothing to do on it yet.
    Connect,
    Close {
        deadline: Instant,
        request: Request<Result<(), CloseError>>,
    },
}

/// The connection as the application may ask for it.
#[derive(Default)]
struct Connection {
    connack: Option<Connack>,
    address: Option<String>,
    last_error: Option<ConnectError>,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) sent: AtomicU64,
    pub(crate) acknowledged: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) overflowed: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) unanswered: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) refused_again: AtomicU64,
}

/// Received messages that wait behind full streams.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) messages: AtomicUsize,
    pub(crate) bytes: AtomicUsize,
    pub(crate) qos0: AtomicUsize,
    /// The task stopped reading because of them and wants to know when there are fewer.
    pub(crate) pausing: AtomicBool,
}

/// What the task took over in one go.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) publishes: VecDeque<Queued>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) acks: Vec<(AckToken, AckAnswer)>,
    /// More publishes wait than were asked for.
    pub(crate) more: bool,
}

impl Batch {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.publishes.is_empty() && self.commands.is_empty() && self.acks.is_empty()
    }
}

/// What the task knows about the publishes it holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settlement {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    pub(crate) in_core: usize,
    pub(crate) oldest_in_core: Option<(PublishId, Instant)>,
}

impl Shared {
    /// Refuses options that cannot work.
    pub(crate) fn new(options: Options) -> Result<Self, OptionsError> {
        options.check()?;
        Ok(Self {
            dialer: Dialer::new(&options)?,
            options,
            wake: Notify::new(),
            settled: Notify::new(),
            work: Mutex::default(),
            state: watch::Sender::new(State::Idle),
            connection: Mutex::default(),
            counters: Counters::default(),
            held: Held::default(),
            first_round: Request::new(),
            generation: fork::generation(),
            observer: OnceLock::new(),
        })
    }

    /// Whether this is a forked child of the process that made the client. Then no lock may be taken: its holder may not
    /// exist here.
    pub(crate) fn is_foreign(&self) -> bool {
        self.generation != fork::generation()
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        // Nothing can be left half done: a panic while the lock is held is a panic of the standard library.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a publish into the queue, or says why not.
    pub(crate) fn enqueue(
        &self,
        message: Message,
        overflow: Overflow,
    ) -> Result<Delivery, PublishError> {
        let bytes = message.held_bytes() + PUBLISH_OVERHEAD;
        let mut work = self.work();
        if work.closed {
            return Err(PublishError::Closed);
        }
        check_limits(&message, work.negotiated.as_ref())?;
        if bytes > self.options.queue_max_bytes {
            return Err(PublishError::TooLarge {
                size: bytes,
                limit: self.options.queue_max_bytes,
            });
        }
        let mut expired = Vec::new();
        if !self.has_room(&work, bytes) {
            // The task may not have come to it yet.
            expired = work.take_expired();
            for queued in &expired {
                work.pending -= 1;
                work.pending_bytes -= queued.bytes;
            }
        }
        let result = self.admit(work, message, bytes, overflow);
        self.push_out(expired, &Outcome::Expired);
        result
    }

    fn admit(
        &self,
        mut work: MutexGuard<'_, Work>,
        message: Message,
        bytes: usize,
        overflow: Overflow,
    ) -> Result<Delivery, PublishError> {
        let mut pushed_out = Vec::new();
        if !self.has_room(&work, bytes) {
            match overflow {
                Overflow::DropNewest => {
                    work.accepted += 1;
                    let (completer, delivery) = Completer::new(PublishId::new(work.accepted));
                    drop(work);
                    self.counters.failed.fetch_add(1, Ordering::Relaxed);
                    self.counters.overflowed.fetch_add(1, Ordering::Relaxed);
                    completer.complete(Outcome::Dropped(DropReason::Overflow));
                    return Ok(delivery);
                }
                Overflow::DropOldest if self.can_make_room(&work, bytes) => {
                    while !self.has_room(&work, bytes) {
                        let Some(oldest) = work.publishes.pop_front() else {
                            break;
                        };
                        work.pending -= 1;
                        work.pending_bytes -= oldest.bytes;
                        pushed_out.push(oldest);
                    }
                }
                _ => {
                    let (messages, bytes) = (work.pending, work.pending_bytes);
                    // Before the message: with that, code of the program's may run which calls back.
                    drop(work);
                    return Err(PublishError::QueueFull { messages, bytes });
                }
            }
        }
        work.accepted += 1;
        work.pending += 1;
        work.pending_bytes += bytes;
        let (completer, delivery) = Completer::new(PublishId::new(work.accepted));
        let queued = Queued {
            message,
            completer,
            accepted_at: Instant::now(),
            bytes,
        };
        work.expect_expiry(queued.expires_at());
        work.publishes.push_back(queued);
        drop(work);
        self.counters
            .overflowed
            .fetch_add(pushed_out.len() as u64, Ordering::Relaxed);
        self.push_out(pushed_out, &Outcome::Dropped(DropReason::Overflow));
        self.wake.notify_one();
        Ok(delivery)
    }

    fn has_room(&self, work: &Work, bytes: usize) -> bool {
        work.pending < self.options.queue_max_messages
            && work.pending_bytes + bytes <= self.options.queue_max_bytes
    }

    /// Whether dropping publishes that no connection has seen yet makes room. Looks at no more of them than would go.
    fn can_make_room(&self, work: &Work, bytes: usize) -> bool {
        let fits = |messages: usize, held: usize| {
            messages < self.options.queue_max_messages
                && held + bytes <= self.options.queue_max_bytes
        };
        let (mut messages, mut held) = (work.pending, work.pending_bytes);
        for oldest in &work.publishes {
            if fits(messages, held) {
                return true;
            }
            messages -= 1;
            held -= oldest.bytes;
        }
        fits(messages, held)
    }

    /// Ends publishes that were taken out of the queue, and of its books.
    fn push_out(&self, gone: Vec<Queued>, outcome: &Outcome) {
        if gone.is_empty() {
            return;
        }
        for queued in gone {
            self.counters.failed.fetch_add(1, Ordering::Relaxed);
            queued.completer.complete(outcome.clone());
        }
        self.settled.notify_waiters();
        self.changed();
    }

    /// Takes a publish back that no connection has seen yet; false if there is none.
    #[cfg_attr(
        not(all(unix, feature = "background")),
        expect(dead_code, reason = "only the background face takes publishes back")
    )]
    pub(crate) fn cancel(&self, id: PublishId) -> bool {
        let mut work = self.work();
        // They wait in the order in which they were accepted.
        let place = work
            .publishes
            .binary_search_by_key(&id, |queued| queued.completer.id());
        let Some(queued) = place.ok().and_then(|place| work.publishes.remove(place)) else {
            return false;
        };
        work.pending -= 1;
        work.pending_bytes -= queued.bytes;
        drop(work);
        self.push_out(vec![queued], &Outcome::Dropped(DropReason::Cancelled));
        // Somebody may wait for nothing more than this to close.
        self.wake.notify_one();
        true
    }

    /// As [`enqueue`](Self::enqueue), and waits for room where the options say so.
    pub(crate) async fn enqueue_waiting(&self, message: Message) -> Result<Delivery, PublishError> {
        let overflow = self.options.overflow;
        loop {
            let settled = self.settled.notified();
            match self.enqueue(message.clone(), overflow) {
                Err(PublishError::QueueFull { .. }) if overflow == Overflow::Wait => settled.await,
                other => return other,
            }
        }
    }

    /// Hands a command to the task.
    pub(crate) fn command(&self, command: Command) -> Result<(), SubscribeError> {
        let mut work = self.work();
        if work.closed && !matches!(command, Command::Close { .. }) {
            return Err(SubscribeError::Closed);
        }
        // A subscription that is dropped cannot be told no.
        if work.commands.len() >= MAX_COMMANDS
            && !matches!(command, Command::Leave { .. } | Command::Close { .. })
        {
            return Err(SubscribeError::QueueFull {
                waiting: work.commands.len(),
            });
        }
        if let Command::Close { request, .. } = &command
            && work.finished
        {
            request.answer(Ok(()));
            return Ok(());
        }
        work.commands.push_back(command);
        drop(work);
        self.wake.notify_one();
        Ok(())
    }

    /// Hands the answer to a received message to the task.
    pub(crate) fn acknowledge(&self, token: AckToken, answer: AckAnswer) {
        if self.is_foreign() {
            return;
        }
        let mut work = self.work();
        if work.finished {
            return;
        }
        work.acks.push((token, answer));
        drop(work);
        self.wake.notify_one();
    }

    /// Moves what waits into `batch`: commands and acknowledgements all, publishes up to `max_publishes`.
    pub(crate) fn take(&self, batch: &mut Batch, max_publishes: usize) {
        let mut work = self.work();
        batch.commands.append(&mut work.commands);
        batch.acks.append(&mut work.acks);
        if batch.publishes.is_empty() && work.publishes.len() <= max_publishes {
            // The task gives back the emptied buffer of last time, so that neither side allocates.
            std::mem::swap(&mut batch.publishes, &mut work.publishes);
        } else {
            let count = work.publishes.len().min(max_publishes);
            batch.publishes.extend(work.publishes.drain(..count));
        }
        batch.more = !work.publishes.is_empty();
        if !batch.more {
            work.next_expiry = None;
        }
        // A flush that looks before the task has told what it holds must not take these for settled.
        if work.oldest_in_core.is_none() {
            work.oldest_in_core = batch
                .publishes
                .front()
                .map(|queued| (queued.completer.id(), queued.accepted_at));
        }
    }

    /// Puts publishes back in front of those that wait. They were never settled, so nothing is booked.
    pub(crate) fn give_back(&self, publishes: Vec<Queued>) {
        let mut work = self.work();
        for queued in publishes.into_iter().rev() {
            work.expect_expiry(queued.expires_at());
            work.publishes.push_front(queued);
        }
    }

    /// Takes out the waiting publishes whose Message Expiry Interval is over.
    pub(crate) fn take_expired(&self) -> Vec<Queued> {
        self.work().take_expired()
    }

    /// When a waiting publish may expire, at the earliest.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.work().next_expiry
    }

    /// Whether publishes wait for the task.
    pub(crate) fn has_publishes(&self) -> bool {
        !self.work().publishes.is_empty()
    }

    /// Publishes without an outcome.
    pub(crate) fn pending(&self) -> usize {
        self.work().pending
    }

    /// Books publishes whose outcome is about to be given. Before, not after: whoever waited for the outcome may publish at
    /// once, and must find the room that his message left.
    pub(crate) fn settle(&self, settlement: Settlement) {
        let mut work = self.work();
        work.pending = work.pending.saturating_sub(settlement.messages);
        work.pending_bytes = work.pending_bytes.saturating_sub(settlement.bytes);
        work.in_core = settlement.in_core;
        work.oldest_in_core = settlement.oldest_in_core;
    }

    /// Wakes who waits for room or for a flush.
    pub(crate) fn notify_settled(&self) {
        self.settled.notify_waiters();
    }

    /// Refuses publishes and requests from now on.
    pub(crate) fn refuse_new(&self) {
        self.work().closed = true;
        self.settled.notify_waiters();
    }

    /// Ends the client: nothing is taken any more, and what waits is given up.
    pub(crate) fn finish(&self, cause: CloseCause) {
        let mut work = self.work();
        work.closed = true;
        work.finished = true;
        let publishes = std::mem::take(&mut work.publishes);
        let commands = std::mem::take(&mut work.commands);
        work.acks = Vec::new();
        work.pending = 0;
        work.pending_bytes = 0;
        work.in_core = 0;
        work.oldest_in_core = None;
        drop(work);
        self.counters
            .failed
            .fetch_add(publishes.len() as u64, Ordering::Relaxed);
        drop(publishes);
        for command in commands {
            command.give_up();
        }
        self.set_state(State::Closed(cause));
        self.settled.notify_waiters();
        self.changed();
    }

    /// Waits until every publish accepted before this call has its outcome.
    pub(crate) async fn flush(&self, longest: Duration) -> Flush {
        let until = self.work().accepted;
        let all = async {
            loop {
                let settled = self.settled.notified();
                if self.work().pending_up_to(until) == 0 {
                    return;
                }
                settled.await;
            }
        };
        // The answer is the same however this ended: what is pending now.
        let _ = tokio::time::timeout(longest, all).await;
        Flush {
            pending: self.work().pending_up_to(until),
        }
    }

    pub(crate) fn set_state(&self, state: State) {
        match &state {
            State::Backoff { error, .. } => self.set_last_error(error.clone()),
            State::Closed(cause) => {
                if let Some(error) = cause.error() {
                    self.set_last_error(error.clone());
                }
            }
            _ => {}
        }
        let Some(observer) = self.observer.get() else {
            self.state.send_replace(state);
            return;
        };
        self.state.send_replace(state.clone());
        let connack = state.is_connected().then(|| self.connack()).flatten();
        observer.state(&state, connack.as_ref());
    }

    pub(crate) fn set_last_error(&self, error: ConnectError) {
        self.connection().last_error = Some(error);
        self.forget_connack();
    }

    /// The connection is over.
    pub(crate) fn forget_connack(&self) {
        self.connection().connack = None;
        self.work().negotiated = None;
    }

    pub(crate) fn set_connack(&self, connack: Connack) {
        self.work().negotiated = Some(connack.negotiated);
        let mut connection = self.connection();
        connection.address = Some(connack.address.clone());
        connection.connack = Some(connack);
    }

    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn connack(&self) -> Option<Connack> {
        self.connection().connack.clone()
    }

    pub(crate) fn last_error(&self) -> Option<ConnectError> {
        self.connection().last_error.clone()
    }

    pub(crate) fn status(&self) -> Status {
        let mut status = Status {
            sent: self.counters.sent.load(Ordering::Relaxed),
            acknowledged: self.counters.acknowledged.load(Ordering::Relaxed),
            failed: self.counters.failed.load(Ordering::Relaxed),
            overflowed: self.counters.overflowed.load(Ordering::Relaxed),
            received: self.counters.received.load(Ordering::Relaxed),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
            held: self.held.messages.load(Ordering::Relaxed),
            unanswered: self.counters.unanswered.load(Ordering::Relaxed),
            connections: self.counters.connections.load(Ordering::Relaxed),
            refused_again: self.counters.refused_again.load(Ordering::Relaxed),
            ..Status::default()
        };
        {
            let work = self.work();
            status.queued_messages = work.pending;
            status.queued_bytes = work.pending_bytes;
            status.in_flight = work.in_core;
            status.negotiated = work.negotiated;
            let waiting = work.publishes.front().map(|queued| queued.accepted_at);
            let oldest = work.oldest_in_core.map(|(_, at)| at).or(waiting);
            status.oldest_pending = oldest.map(|at| at.elapsed());
        }
        status.reconnects = status.connections.saturating_sub(1);
        let connection = self.connection();
        status.address.clone_from(&connection.address);
        status.last_error = connection.last_error.as_ref().map(ToString::to_string);
        status
    }

    /// Has `observer` told of each change; only the first one counts.
    #[cfg(all(unix, feature = "background"))]
    pub(crate) fn observe(&self, observer: Box<dyn Observer>) {
        let _ = self.observer.set(observer);
    }

    pub(crate) fn changed(&self) {
        if let Some(observer) = self.observer.get() {
            observer.changed();
        }
    }
}

impl Work {
    fn expect_expiry(&mut self, at: Option<Instant>) {
        self.next_expiry = [self.next_expiry, at].into_iter().flatten().min();
    }

    /// Looks at the queue only if something in it may have expired.
    fn take_expired(&mut self) -> Vec<Queued> {
        let now = Instant::now();
        if self.next_expiry.is_none_or(|at| now < at) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.publishes);
        let (expired, kept): (VecDeque<_>, _) =
            all.into_iter().partition(|queued| queued.is_expired(now));
        self.next_expiry = kept.iter().filter_map(Queued::expires_at).min();
        self.publishes = kept;
        expired.into()
    }

    /// Publishes up to the `until`th without an outcome; exact when it is zero.
    fn pending_up_to(&self, until: u64) -> usize {
        let oldest = self.oldest_in_core.map(|(id, _)| id);
        let oldest = oldest.or_else(|| self.publishes.front().map(|queued| queued.completer.id()));
        if self.pending == 0 || oldest.is_some_and(|oldest| oldest.get() > until) {
            return 0;
        }
        let later = usize::try_from(self.accepted - until).unwrap_or(usize::MAX);
        self.pending.saturating_sub(later).max(1)
    }
}

impl Command {
    /// Answers a request that will never be made.
    pub(crate) fn give_up(self) {
        match self {
            Self::Subscribe {
                request, stream, ..
            } => {
                request.answer(Err(SubscribeError::Closed));
                stream.close();
            }
            Self::Unsubscribe { request, .. } => request.answer(Err(SubscribeError::Closed)),
            Self::Leave { .. } | Self::Connect => {}
            Self::Close { request, .. } => request.answer(Ok(())),
        }
    }
}

/// Refuses what the server of the present connection said that it does not take, and what no server can take.
fn check_limits(message: &Message, negotiated: Option<&Negotiated>) -> Result<(), PublishError> {
    let size =
        message.publish_len(negotiated.map_or(ProtocolVersion::V3_1_1, |limits| limits.version));
    let limit = negotiated.and_then(|limits| limits.peer_maximum_packet_size);
    let limit = limit.unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE).get() as usize;
    if size > limit {
        return Err(PublishError::TooLarge { size, limit });
    }
    let Some(limits) = negotiated else {
        return Ok(());
    };
    if message.qos() > limits.maximum_qos {
        return Err(PublishError::QosNotSupported {
            maximum: limits.maximum_qos,
        });
    }
    if message.retain() && !limits.retain_available {
        return Err(PublishError::RetainNotSupported);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use mqtt_core::TopicName;

    use super::*;

    fn message() -> Message {
        Message::new(TopicName::new("t").unwrap(), &b"x"[..])
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_expired_makes_room_before_the_task_has_seen_it() {
        let shared = Shared::new(Options::new("h", 1).with_queue_max_messages(1)).unwrap();
        let expiring = message()
            .with_properties(&[mqtt_core::Property::MessageExpiryInterval(5)])
            .unwrap();
        let first = shared.enqueue(expiring, Overflow::Refuse).unwrap();
        tokio::time::advance(Duration::from_secs(4)).await;
        let refused = shared.enqueue(message(), Overflow::Refuse);
        assert!(matches!(refused, Err(PublishError::QueueFull { .. })));
        assert_eq!(first.outcome(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        shared.enqueue(message(), Overflow::Refuse).unwrap();
        assert_eq!(first.outcome(), Some(Outcome::Expired));
        assert_eq!(shared.pending(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_waits_for_what_the_task_has_just_taken() {
        let shared = Shared::new(Options::new("h", 1)).unwrap();
        let _first = shared.enqueue(message(), Overflow::Refuse).unwrap();
        let mut flush = std::pin::pin!(shared.flush(Duration::from_secs(60)));
        poll_fn(|context| {
            assert!(flush.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        // The task takes it; before it has said so, another thread publishes and something else is settled.
        let mut batch = Batch::default();
        shared.take(&mut batch, 10);
        let _second = shared.enqueue(message(), Overflow::Refuse).unwrap();
        shared.notify_settled();
        poll_fn(|context| {
            assert!(
                flush.as_mut().poll(context).is_pending(),
                "the first has no outcome yet"
            );
            Poll::Ready(())
        })
        .await;
    }
}
