//! Where messages for one session wait, whether its client is connected or not.
//!
//! While the client is connected its [`Session`] belongs to the task of that connection, and messages wait in a mailbox
//! that the task empties as the connection takes them. While it is away they go into the session itself. Whoever publishes
//! need not know which: [`Subscriber::offer`] never waits, and one bound holds over mailbox and session together.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use mqtt_core::{Instant, Message, QoS, ReasonCode, Session};
use tokio::sync::Notify;

use crate::context::Context;
use crate::options::Overflow;
use crate::share::{Backlog, Orphan};

/// What a message costs beside itself while it waits, rounded up so that what fits in a mailbox fits in a session too.
const WAITING_BYTES: usize = 256;

/// Names one session for the life of the broker; a session that starts anew gets a new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct SessionKey(pub(crate) u64);

/// One session as the rest of the broker sees it.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) key: SessionKey,
    pub(crate) client_id: Arc<str>,
    context: Arc<Context>,
    state: Mutex<State>,
    /// The connection has let go of the session.
    pub(crate) released: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    client: Client,
    mailbox: VecDeque<Waiting>,
    mailbox_bytes: usize,
    /// What the connection holds, as it last said.
    on_connection: Held,
    /// The Reason Code with which the connection is to end.
    dismissed: Option<ReasonCode>,
    /// There is something for the connection to collect, of which it has not heard.
    has_news: bool,
    /// Whom to tell: the task of the connection, while it waits.
    waker: Option<Waker>,
    /// How much of [`Counters::queued_bytes`](crate::statistics::Counters::queued_bytes) is ours.
    counted: usize,
}

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// When the broker received it: its Message Expiry Interval runs from then.
    pub(crate) since: Instant,
    pub(crate) message: Message,
    /// The group whose message it is: the whole Topic Filter of a shared subscription.
    pub(crate) share: Option<Arc<str>>,
}

impl Waiting {
    pub(crate) const fn new(since: Instant, message: Message) -> Self {
        Self {
            since,
            message,
            share: None,
        }
    }

    /// The memory it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.held_bytes() + WAITING_BYTES
    }
}

/// Where the client is, and so who has the session.
#[derive(Debug)]
enum Client {
    Connected,
    Away(Box<Backlog>),
    Ended,
}

/// Messages and the memory they hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Held {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// How many messages a connection has room for. The others stay in the mailbox, where they can still be dropped by choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) messages: usize,
    /// How many of them may be of QoS 1 or 2: what more there are would only wait for acknowledgements.
    pub(crate) unacknowledged: usize,
}

impl Room {
    /// Whether there is room for this one too, which it then takes.
    fn take(&mut self, waiting: &Waiting) -> bool {
        let needed = usize::from(waiting.message.qos() > QoS::AtMostOnce);
        if self.messages == 0 || self.unacknowledged < needed {
            return false;
        }
        self.messages -= 1;
        self.unacknowledged -= needed;
        true
    }
}

/// What became of a message offered to a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Offered {
    Queued,
    /// QoS 0 for a client that is away, which is not kept: nothing was lost that was promised.
    NotKept,
    Dropped,
    /// The session is no more.
    Ended,
}

/// How busy a session is; the lesser one is to be preferred.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Load {
    pub(crate) is_away: bool,
    messages: usize,
}

impl Load {
    /// Whether a message would leave at once.
    pub(crate) const fn is_idle(self) -> bool {
        !self.is_away && self.messages == 0
    }
}

/// What a connection that wants the session of an earlier one finds.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The client was away; its session is the new connection's now.
    Session(Box<Backlog>),
    /// The earlier connection still has it and was told to end.
    Held,
    /// It has just ended.
    Ended,
}

impl Subscriber {
    /// A session whose client is connected.
    pub(crate) fn new(key: SessionKey, client_id: &str, context: Arc<Context>) -> Self {
        Self {
            key,
            client_id: client_id.into(),
            context,
            state: Mutex::new(State {
                client: Client::Connected,
                mailbox: VecDeque::new(),
                mailbox_bytes: 0,
                on_connection: Held::default(),
                dismissed: None,
                has_news: false,
                waker: None,
                counted: 0,
            }),
            released: Arc::default(),
        }
    }

    /// How busy it is; `None` if the session has ended.
    pub(crate) fn load(&self) -> Option<Load> {
        let state = self.lock();
        (!matches!(state.client, Client::Ended)).then(|| Load {
            is_away: state.is_away(),
            messages: state.held().messages,
        })
    }

    /// Queues a message. If there is no room for it, the options say what is to become of it.
    pub(crate) fn offer(&self, waiting: Waiting) -> Offered {
        let mut state = self.lock();
        let dropped = if self.takes(&state, &waiting).is_ok() {
            self.make_room(&mut state, &waiting)
        } else {
            0
        };
        let offered = self.queue(&mut state, waiting);
        drop(state);
        self.context
            .counters
            .messages_dropped
            .add(dropped + usize::from(offered == Offered::Dropped));
        offered
    }

    /// Queues a message if there is room, so that another session may have it if not.
    pub(crate) fn offer_if_room(&self, waiting: Waiting) -> Offered {
        self.queue(&mut self.lock(), waiting)
    }

    fn queue(&self, state: &mut State, waiting: Waiting) -> Offered {
        if let Err(not_taken) = self.takes(state, &waiting) {
            return not_taken;
        }
        let offered = if !self.has_room(state, &waiting) {
            Offered::Dropped
        } else if let Client::Away(backlog) = &mut state.client {
            backlog
                .push(waiting)
                .map_or(Offered::Dropped, |()| Offered::Queued)
        } else {
            state.mailbox_bytes += waiting.held_bytes();
            state.mailbox.push_back(waiting);
            state.wake();
            Offered::Queued
        };
        self.count(state);
        offered
    }

    /// Whether messages like this one are for this session at all now.
    fn takes(&self, state: &State, waiting: &Waiting) -> Result<(), Offered> {
        match state.client {
            Client::Ended => Err(Offered::Ended),
            Client::Away(_) if !self.is_kept_when_away(waiting) => Err(Offered::NotKept),
            _ => Ok(()),
        }
    }

    /// Waits until there may be something to collect. One task at a time may wait.
    pub(crate) fn woken(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.poll_woken(cx))
    }

    /// See [`Subscriber::woken`].
    pub(crate) fn poll_woken(&self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut state = self.lock();
        if mem::take(&mut state.has_news) {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            waker @ None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// For the connection: moves messages out of the mailbox, as many as it has room for, and says what the connection holds
    /// besides. Returns the Reason Code with which it is to end, if it is to.
    pub(crate) fn collect(
        &self,
        on_connection: Held,
        mut room: Room,
        into: &mut Vec<Waiting>,
    ) -> Option<ReasonCode> {
        let mut state = self.lock();
        state.on_connection = on_connection;
        while state.mailbox.front().is_some_and(|next| room.take(next)) {
            let Some(waiting) = state.pop() else { break };
            state.on_connection.messages += 1;
            state.on_connection.bytes += waiting.held_bytes();
            into.push(waiting);
        }
        self.count(&mut state);
        state.dismissed
    }

    /// For the connection: whether it is to end without delay. Where the whole broker ends there is time for what the client
    /// sent last.
    pub(crate) fn is_dismissed(&self) -> bool {
        let dismissed = self.lock().dismissed;
        dismissed.is_some_and(|reason| reason != ReasonCode::SERVER_SHUTTING_DOWN)
    }

    /// Tells the connection, if there is one, that the broker ends.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        if matches!(state.client, Client::Connected) {
            let reason = ReasonCode::SERVER_SHUTTING_DOWN;
            state.dismissed.get_or_insert(reason);
            state.wake();
        }
    }

    /// For a local subscription: takes the next message, which counts no more from then on.
    pub(crate) fn take_next(&self) -> Option<Waiting> {
        let mut state = self.lock();
        let waiting = state.pop();
        self.count(&mut state);
        waiting
    }

    /// For a new connection: takes the session, or tells the one that has it to end.
    pub(crate) fn take(&self) -> Taken {
        let mut state = self.lock();
        match mem::replace(&mut state.client, Client::Connected) {
            Client::Connected => {
                state
                    .dismissed
                    .get_or_insert(ReasonCode::SESSION_TAKEN_OVER);
                state.wake();
                Taken::Held
            }
            Client::Away(backlog) => {
                state.dismissed = None;
                state.on_connection = held_by(&backlog.session);
                Taken::Session(backlog)
            }
            Client::Ended => {
                state.client = Client::Ended;
                Taken::Ended
            }
        }
    }

    /// For a new connection that wants the place of the one that has the session: tells that one to end. `false` if there is
    /// none, or if it is to end already and its place may be somebody else's.
    pub(crate) fn evict(&self) -> bool {
        let mut state = self.lock();
        if !matches!(state.client, Client::Connected) || state.dismissed.is_some() {
            return false;
        }
        state.dismissed = Some(ReasonCode::SESSION_TAKEN_OVER);
        state.wake();
        true
    }

    /// For the connection at its end: what is left in the mailbox joins the session, which waits for the next connection.
    pub(crate) fn leave(&self, mut backlog: Box<Backlog>) {
        let mut state = self.lock();
        let mut dropped = 0;
        if !self.context.options.queue_qos_0_when_away {
            // Nor is what the connection took and did not get to send.
            backlog.discard_qos_0();
        }
        while let Some(waiting) = state.pop() {
            if self.is_kept_when_away(&waiting) && backlog.push(waiting).is_err() {
                dropped += 1;
            }
        }
        state.mailbox = VecDeque::new();
        state.on_connection = Held::default();
        state.client = Client::Away(backlog);
        // It would keep the memory of a task that has ended.
        state.waker = None;
        self.count(&mut state);
        drop(state);
        self.context.counters.messages_dropped.add(dropped);
    }

    /// Ends the session: nothing is kept any more. Returns what is owed to groups.
    pub(crate) fn end(&self) -> Vec<Orphan> {
        let mut state = self.lock();
        let mut orphans = match mem::replace(&mut state.client, Client::Ended) {
            Client::Away(backlog) => backlog.into_orphans(),
            Client::Connected | Client::Ended => Vec::new(),
        };
        let mailbox = mem::take(&mut state.mailbox);
        orphans.extend(mailbox.into_iter().filter_map(|waiting| {
            Some(Orphan {
                share: waiting.share?,
                since: waiting.since,
                message: waiting.message,
            })
        }));
        state.mailbox_bytes = 0;
        state.on_connection = Held::default();
        self.count(&mut state);
        orphans
    }

    /// Does what the options say about a session without room for a message. Returns how many others were dropped for it.
    fn make_room(&self, state: &mut State, waiting: &Waiting) -> usize {
        let mut dropped = 0;
        if waiting.message.qos() == QoS::AtMostOnce || self.has_room(state, waiting) {
            return dropped;
        }
        match self.context.options.overflow {
            Overflow::DropNewest => {}
            Overflow::Disconnect => {
                if !state.is_away() {
                    state.dismissed.get_or_insert(ReasonCode::QUOTA_EXCEEDED);
                    state.wake();
                }
            }
            // A message that is larger than all room there could be must not cost the others their places.
            Overflow::DropOldest
                if waiting.held_bytes() > self.context.options.max_queued_bytes => {}
            Overflow::DropOldest => {
                while !self.has_room(state, waiting) && state.discard_oldest() {
                    dropped += 1;
                    self.count(state);
                }
            }
        }
        dropped
    }

    /// Whether a message fits beside what this session holds, and beside what all hold together.
    fn has_room(&self, state: &State, waiting: &Waiting) -> bool {
        let options = &self.context.options;
        let held = state.held();
        let bytes = waiting.held_bytes();
        let total = self.context.counters.queued_bytes.get();
        held.messages < options.max_queued_messages
            && held.bytes.saturating_add(bytes) <= options.max_queued_bytes
            && total.saturating_add(bytes as u64) <= options.max_total_queued_bytes as u64
    }

    fn is_kept_when_away(&self, waiting: &Waiting) -> bool {
        waiting.message.qos() > QoS::AtMostOnce || self.context.options.queue_qos_0_when_away
    }

    /// Brings the broker's count of queued bytes up to date.
    fn count(&self, state: &mut State) {
        let bytes = state.held().bytes;
        let total = &self.context.counters.queued_bytes;
        if bytes >= state.counted {
            total.add(bytes - state.counted);
        } else {
            total.subtract(state.counted - bytes);
        }
        state.counted = bytes;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements that could panic, so a poisoned lock is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_away(&self) -> bool {
        matches!(self.client, Client::Away(_))
    }

    fn held(&self) -> Held {
        match &self.client {
            Client::Away(backlog) => held_by(&backlog.session),
            Client::Connected => Held {
                messages: self.mailbox.len() + self.on_connection.messages,
                bytes: self.mailbox_bytes + self.on_connection.bytes,
            },
            Client::Ended => Held::default(),
        }
    }

    /// Tells the connection that there is something to collect.
    fn wake(&mut self) {
        self.has_news = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Takes the oldest message out of the mailbox.
    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.mailbox.pop_front()?;
        self.mailbox_bytes -= waiting.held_bytes();
        Some(waiting)
    }

    /// Drops the oldest message that no connection has begun to send.
    fn discard_oldest(&mut self) -> bool {
        match &mut self.client {
            Client::Away(backlog) => backlog.discard_oldest(),
            Client::Connected => self.pop().is_some(),
            Client::Ended => false,
        }
    }
}

/// What a session holds, unacknowledged messages included.
pub(crate) fn held_by(session: &Session) -> Held {
    Held {
        messages: session.queued() + session.in_flight(),
        bytes: session.queued_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use mqtt_core::{SessionBounds, TopicName};
    use proptest::prelude::*;

    use super::*;
    use crate::options::Options;
    use crate::share::Owed;

    const NOW: Instant = Instant::from_millis(0);

    fn message(qos: QoS, bytes: usize) -> Message {
        Message::new(TopicName::new("t").unwrap(), vec![0; bytes]).with_qos(qos)
    }

    fn room(messages: usize) -> Room {
        Room {
            messages,
            unacknowledged: messages,
        }
    }

    fn backlog(session: Session) -> Box<Backlog> {
        let owed = Owed::default();
        Box::new(Backlog { session, owed })
    }

    #[test]
    fn qos_0_that_the_connection_did_not_send_is_kept_only_where_that_is_chosen() {
        for queue_qos_0_when_away in [false, true] {
            let context = Arc::new(Context::new(Options {
                queue_qos_0_when_away,
                ..Options::default()
            }));
            let subscriber = Subscriber::new(SessionKey(1), "c", Arc::clone(&context));
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::AtMostOnce] {
                subscriber.offer(Waiting::new(NOW, message(qos, 1)));
            }
            // Two are with the connection, and one is in the mailbox still.
            let mut session = Session::new(SessionBounds {
                max_messages: 5,
                max_bytes: 10_000,
            });
            let mut collected = Vec::new();
            subscriber.collect(held_by(&session), room(2), &mut collected);
            for waiting in collected {
                session.push(waiting.since, waiting.message).unwrap();
            }
            subscriber.leave(backlog(session));
            let expected = if queue_qos_0_when_away { 3 } else { 1 };
            let held = subscriber.lock().held();
            assert_eq!(held.messages, expected);
            assert_eq!(context.counters.queued_bytes.get(), held.bytes as u64);
        }
    }

    #[test]
    fn what_fits_in_a_mailbox_fits_in_a_session() {
        for bytes in [0, 1, 100, 4_095, 4_096, 100_000] {
            let message = message(QoS::AtLeastOnce, bytes);
            let mut session = Session::new(SessionBounds {
                max_messages: 1,
                max_bytes: usize::MAX,
            });
            session.push(NOW, message.clone()).unwrap();
            let waiting = Waiting::new(NOW, message);
            assert!(session.queued_bytes() <= waiting.held_bytes(), "{bytes}");
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Offer(bool, usize),
        Collect(usize),
        /// The client acknowledges.
        Finish,
        Leave,
        ComeBack,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (any::<bool>(), 0..3_000_usize).prop_map(|(qos_1, bytes)| Step::Offer(qos_1, bytes)),
            2 => (0..4_usize).prop_map(Step::Collect),
            1 => Just(Step::Finish),
            1 => Just(Step::Leave),
            1 => Just(Step::ComeBack),
        ]
    }

    fn overflow() -> impl Strategy<Value = Overflow> {
        prop::sample::select(vec![
            Overflow::DropNewest,
            Overflow::DropOldest,
            Overflow::Disconnect,
        ])
    }

    proptest! {
        /// Whatever happens, the bounds hold, the count of bytes is that of what is held, and a message is where it was
        /// said to be.
        #[test]
        fn the_bounds_hold_and_the_count_is_true(
            overflow in overflow(),
            queue_qos_0_when_away in any::<bool>(),
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let context = Arc::new(Context::new(Options {
                max_queued_messages: 5,
                max_queued_bytes: 10_000,
                max_total_queued_bytes: 9_000,
                overflow,
                queue_qos_0_when_away,
                ..Options::default()
            }));
            let bounds = SessionBounds { max_messages: 5, max_bytes: 10_000 };
            let subscriber = Subscriber::new(SessionKey(1), "c", Arc::clone(&context));
            let mut connected = Some(Session::new(bounds));
            let mut collected = Vec::new();
            for step in steps {
                match step {
                    Step::Offer(qos_1, bytes) => {
                        let qos = if qos_1 { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                        let before = subscriber.lock().held().messages;
                        let dropped = context.counters.messages_dropped.get();
                        let offered = subscriber.offer(Waiting::new(NOW, message(qos, bytes)));
                        let after = subscriber.lock().held().messages;
                        let dropped = usize::try_from(context.counters.messages_dropped.get() - dropped).unwrap();
                        match offered {
                            Offered::Queued => prop_assert_eq!(after + dropped, before + 1),
                            Offered::Dropped => prop_assert_eq!(after + dropped, before + 1),
                            Offered::Ended => prop_assert!(false, "it has not ended"),
                            Offered::NotKept => {
                                prop_assert!(connected.is_none() && !qos_1 && !queue_qos_0_when_away);
                                prop_assert_eq!((after, dropped), (before, 0));
                            }
                        }
                    }
                    Step::Collect(messages) => {
                        if let Some(session) = &mut connected {
                            subscriber.collect(held_by(session), room(messages), &mut collected);
                            for waiting in collected.drain(..) {
                                prop_assert!(session.push(waiting.since, waiting.message).is_ok());
                            }
                        }
                    }
                    Step::Finish => {
                        if let Some(session) = &mut connected {
                            session.discard_oldest();
                        }
                    }
                    Step::Leave => {
                        if let Some(session) = connected.take() {
                            subscriber.leave(backlog(session));
                        }
                    }
                    Step::ComeBack => match subscriber.take() {
                        Taken::Session(session) => {
                            prop_assert!(connected.is_none());
                            connected = Some(session.session);
                        }
                        Taken::Held => prop_assert!(connected.is_some()),
                        Taken::Ended => prop_assert!(false, "it never ended"),
                    },
                }
                let held = subscriber.lock().held();
                prop_assert!(held.messages <= 5 && held.bytes <= 9_000, "{:?}", held);
                prop_assert_eq!(context.counters.queued_bytes.get(), held.bytes as u64);
            }
            subscriber.end();
            prop_assert_eq!(context.counters.queued_bytes.get(), 0);
            prop_assert_eq!(subscriber.offer(Waiting::new(NOW, message(QoS::AtLeastOnce, 1))), Offered::Ended);
        }
    }
}
