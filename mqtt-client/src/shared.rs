//! What the handles of a client and its task share: the queue of publishes, commands, acknowledgements, and counters.
//!
//! Handles write, the task takes everything that is there at once. Nobody holds a lock while waiting or doing I/O.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use mqtt_core::{
    AckToken, DropReason, MaximumPacketSize, Message, Negotiated, Outcome, ProtocolVersion,
    PublishId,
};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::command::{AckAnswer, Command};
use crate::delivery::Delivery;
use crate::error::{ConnectError, PublishError, SubscribeError};
use crate::fork;
use crate::options::{Options, OptionsError, Overflow};
use crate::publish_queue::{PublishQueue, Queued, Settlement};
use crate::request::Request;
use crate::state::{CloseCause, Connack, Flush, State, Status};
use crate::transport::Dialer;

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
struct Work {
    publishes: PublishQueue,
    commands: VecDeque<Command>,
    acks: Vec<(AckToken, AckAnswer)>,
    negotiated: Option<Negotiated>,
    /// No publish and no request is taken any more.
    closed: bool,
    /// Nor is an acknowledgement.
    finished: bool,
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

impl Shared {
    /// Refuses options that cannot work.
    pub(crate) fn new(options: Options) -> Result<Self, OptionsError> {
        options.check()?;
        let publishes = PublishQueue::new(options.queue_max_messages, options.queue_max_bytes);
        Ok(Self {
            dialer: Dialer::new(&options)?,
            options,
            wake: Notify::new(),
            settled: Notify::new(),
            work: Mutex::new(Work {
                publishes,
                commands: VecDeque::new(),
                acks: Vec::new(),
                negotiated: None,
                closed: false,
                finished: false,
            }),
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
        let bytes = Queued::bytes_of(&message);
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
        let publishes = &mut work.publishes;
        let expired = if publishes.has_room(bytes) {
            Vec::new()
        } else {
            publishes.remove_expired()
        };
        let pushed_out = if overflow == Overflow::DropOldest {
            publishes.make_room(bytes)
        } else {
            Vec::new()
        };
        let mut refused = None;
        let result = if publishes.has_room(bytes) {
            Ok(publishes.push(message, bytes))
        } else if overflow == Overflow::DropNewest {
            let (completer, delivery) = publishes.accept();
            refused = Some(completer);
            Ok(delivery)
        } else {
            let (messages, bytes) = publishes.pending();
            Err(PublishError::QueueFull { messages, bytes })
        };
        drop(work);
        if result.is_ok() && refused.is_none() {
            self.wake.notify_one();
        }
        let overflow = Outcome::Dropped(DropReason::Overflow);
        let overflowed = pushed_out.len() + usize::from(refused.is_some());
        self.counters
            .overflowed
            .fetch_add(overflowed as u64, Ordering::Relaxed);
        if let Some(completer) = refused {
            self.counters.failed.fetch_add(1, Ordering::Relaxed);
            completer.complete(overflow.clone());
        }
        self.push_out(expired, &Outcome::Expired);
        self.push_out(pushed_out, &overflow);
        result
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
        let Some(queued) = self.work().publishes.cancel(id) else {
            return false;
        };
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
        work.publishes.take(&mut batch.publishes, max_publishes);
        batch.more = work.publishes.has_waiting();
    }

    /// Puts publishes back in front of those that wait. They were never settled, so nothing is booked.
    pub(crate) fn give_back(&self, publishes: Vec<Queued>) {
        self.work().publishes.give_back(publishes);
    }

    /// Takes out the waiting publishes whose Message Expiry Interval is over.
    pub(crate) fn take_expired(&self) -> Vec<Queued> {
        self.work().publishes.take_expired()
    }

    /// When a waiting publish may expire, at the earliest.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.work().publishes.next_expiry()
    }

    /// Whether publishes wait for the task.
    pub(crate) fn has_publishes(&self) -> bool {
        self.work().publishes.has_waiting()
    }

    /// Publishes without an outcome.
    pub(crate) fn pending(&self) -> usize {
        self.work().publishes.pending().0
    }

    /// Books publishes whose outcome is about to be given. Before, not after: whoever waited for the outcome may publish at
    /// once, and must find the room that his message left.
    pub(crate) fn settle(&self, settlement: Settlement) {
        self.work().publishes.settle(settlement);
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
        let publishes = work.publishes.clear();
        let commands = std::mem::take(&mut work.commands);
        work.acks = Vec::new();
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
        let until = self.work().publishes.accepted();
        let all = async {
            loop {
                let settled = self.settled.notified();
                if self.work().publishes.pending_up_to(until) == 0 {
                    return;
                }
                settled.await;
            }
        };
        // The answer is the same however this ended: what is pending now.
        let _ = tokio::time::timeout(longest, all).await;
        Flush {
            pending: self.work().publishes.pending_up_to(until),
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
            (status.queued_messages, status.queued_bytes) = work.publishes.pending();
            status.in_flight = work.publishes.in_core();
            status.negotiated = work.negotiated;
            let oldest = work.publishes.oldest_accepted_at();
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
