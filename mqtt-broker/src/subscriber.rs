//! Where messages for one session wait, whether its client is connected or not.
//!
//! While the client is connected its [`Session`](mqtt_core::Session) belongs to the task of that connection, and messages
//! wait in a mailbox that the task empties as the connection takes them. While it is away they go into the session itself.
//! Whoever publishes need not know which: [`Subscriber::offer`] never waits, and one bound holds over mailbox and session
//! together.
//!
//! What expires in either is dropped when its time comes, by [`Shared::drop_expired`](crate::shared::Shared::drop_expired), or
//! before that by who needs its place: messages that nobody will get cost others neither places nor bytes.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use mqtt_core::{Instant, Message, QoS, ReasonCode};
use tokio::sync::Notify;

use crate::backlog::{Backlog, Held, Waiting};
use crate::context::Context;
use crate::options::Overflow;
use crate::share::Orphan;

/// Of so many messages at most that have expired the memory is given back at once, so that nobody waits long meanwhile.
const EXPIRED_AT_ONCE: usize = 256;

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
    /// What the connection holds, as it last said.
    on_connection: Held,
    /// When somebody looks for messages that have expired: no later than the first of them does.
    alarm: Option<Instant>,
    /// The Reason Code with which the connection is to end.
    dismissed: Option<ReasonCode>,
    /// There is something for the connection to collect, of which it has not heard.
    has_news: bool,
    /// Whom to tell: the task of the connection, while it waits.
    waker: Option<Waker>,
    /// How much of [`Counters::queued_bytes`](crate::statistics::Counters::queued_bytes) is ours.
    counted: usize,
}

/// Where the client is, and so who has the session.
#[derive(Debug)]
enum Client {
    /// A connection has the session, and here is the mailbox, if there was need of one.
    Connected(Option<Box<Backlog>>),
    /// What is here is the session.
    Away(Box<Backlog>),
    Ended,
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
    fn take(&mut self, message: &Message) -> bool {
        let needed = usize::from(message.qos() > QoS::AtMostOnce);
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
                client: Client::Connected(None),
                on_connection: Held::default(),
                alarm: None,
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
    pub(crate) fn offer(self: &Arc<Self>, waiting: Waiting) -> Offered {
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
    pub(crate) fn offer_if_room(self: &Arc<Self>, waiting: Waiting) -> Offered {
        self.queue(&mut self.lock(), waiting)
    }

    fn queue(self: &Arc<Self>, state: &mut State, waiting: Waiting) -> Offered {
        if let Err(not_taken) = self.takes(state, &waiting) {
            return not_taken;
        }
        if !self.finds_room(state, &waiting) {
            return Offered::Dropped;
        }
        let pushed = match &mut state.client {
            Client::Connected(mailbox) => mailbox
                .get_or_insert_with(|| Box::new(Backlog::new(&self.context.options)))
                .push(waiting),
            Client::Away(backlog) => backlog.push(waiting),
            Client::Ended => return Offered::Ended,
        };
        if pushed.is_err() {
            return Offered::Dropped;
        }
        self.count(state);
        self.arm(state);
        state.wake();
        Offered::Queued
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
        let before = state.held();
        while let Some(backlog) = state.backlog_mut()
            && backlog.oldest().is_some_and(|oldest| room.take(oldest))
            && let Some(waiting) = backlog.take_oldest()
        {
            into.push(waiting);
        }
        // What has moved is counted as it was, until the connection says what it holds.
        let after = state.held();
        state.on_connection.messages += before.messages - after.messages;
        state.on_connection.bytes += before.bytes - after.bytes;
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
        if matches!(state.client, Client::Connected(_)) {
            let reason = ReasonCode::SERVER_SHUTTING_DOWN;
            state.dismissed.get_or_insert(reason);
            state.wake();
        }
    }

    /// For a local subscription: takes the next message that has not expired, which counts no more from then on.
    pub(crate) fn take_next(&self, now: Instant) -> Option<Waiting> {
        let mut state = self.lock();
        while state.drop_expired(now) {}
        let waiting = state.backlog_mut().and_then(Backlog::take_oldest);
        self.count(&mut state);
        waiting
    }

    /// For a connection that is idle: gives back memory that holds nothing.
    pub(crate) fn release_unused(&self) {
        let mut state = self.lock();
        if let Client::Connected(mailbox) = &mut state.client
            && mailbox
                .take_if(|mailbox| mailbox.held().messages == 0)
                .is_some()
        {
            self.disarm(&mut state);
        }
    }

    /// Drops messages that have expired, if not all at once, and sees to it that the others are not forgotten.
    pub(crate) fn drop_expired(self: &Arc<Self>, now: Instant) {
        let mut state = self.lock();
        self.disarm(&mut state);
        for _ in 0..EXPIRED_AT_ONCE {
            if !state.drop_expired(now) {
                break;
            }
        }
        self.count(&mut state);
        self.arm(&mut state);
    }

    /// For a new connection: takes the session, or tells the one that has it to end.
    pub(crate) fn take(&self) -> Taken {
        let mut state = self.lock();
        match mem::replace(&mut state.client, Client::Connected(None)) {
            Client::Connected(mailbox) => {
                state.client = Client::Connected(mailbox);
                state
                    .dismissed
                    .get_or_insert(ReasonCode::SESSION_TAKEN_OVER);
                state.wake();
                Taken::Held
            }
            Client::Away(backlog) => {
                state.dismissed = None;
                state.on_connection = backlog.held();
                self.disarm(&mut state);
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
        if !matches!(state.client, Client::Connected(_)) || state.dismissed.is_some() {
            return false;
        }
        state.dismissed = Some(ReasonCode::SESSION_TAKEN_OVER);
        state.wake();
        true
    }

    /// For the connection at its end: what is left in the mailbox joins the session, which waits for the next connection.
    pub(crate) fn leave(self: &Arc<Self>, mut backlog: Box<Backlog>) {
        let mut state = self.lock();
        let mut dropped = 0;
        if !self.context.options.queue_qos_0_when_away {
            // Nor is what the connection took and did not get to send.
            backlog.discard_qos_0();
        }
        let mut mailbox = state.backlog_mut();
        while let Some(waiting) = mailbox.as_mut().and_then(|mailbox| mailbox.take_oldest()) {
            if self.is_kept_when_away(&waiting) && backlog.push(waiting).is_err() {
                dropped += 1;
            }
        }
        state.on_connection = Held::default();
        state.client = Client::Away(backlog);
        // It would keep the memory of a task that has ended.
        state.waker = None;
        self.count(&mut state);
        self.disarm(&mut state);
        self.arm(&mut state);
        drop(state);
        self.context.counters.messages_dropped.add(dropped);
    }

    /// Ends the session: nothing is kept any more. Returns what is owed to groups.
    pub(crate) fn end(&self) -> Vec<Orphan> {
        let mut state = self.lock();
        let backlog = match mem::replace(&mut state.client, Client::Ended) {
            Client::Connected(mailbox) => mailbox,
            Client::Away(backlog) => Some(backlog),
            Client::Ended => None,
        };
        let orphans = backlog.map_or_else(Vec::new, |backlog| backlog.into_orphans());
        self.disarm(&mut state);
        state.on_connection = Held::default();
        self.count(&mut state);
        orphans
    }

    /// Does what the options say about a session without room for a message. Returns how many others were dropped for it.
    fn make_room(&self, state: &mut State, waiting: &Waiting) -> usize {
        let mut dropped = 0;
        if waiting.message.qos() == QoS::AtMostOnce || self.finds_room(state, waiting) {
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

    /// Whether there is room for a message. What has expired takes none away.
    fn finds_room(&self, state: &mut State, waiting: &Waiting) -> bool {
        while !self.has_room(state, waiting) {
            if !state.drop_expired(self.context.clock.now()) {
                return false;
            }
            self.count(state);
        }
        true
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

    /// Sees to it that what waits is looked after when the first of it expires. An earlier alarm may stay: a stream of messages
    /// that are all sent in time sets no more than one for each Message Expiry Interval.
    fn arm(self: &Arc<Self>, state: &mut State) {
        let next = state.backlog().and_then(Backlog::next_expiry);
        if let Some(next) = next
            && state.alarm.is_none_or(|alarm| next < alarm)
        {
            self.disarm(state);
            state.alarm = Some(next);
            self.context.expiries.insert(next, self);
        }
    }

    fn disarm(&self, state: &mut State) {
        if let Some(alarm) = state.alarm.take() {
            self.context.expiries.remove(alarm, self.key);
        }
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

    /// What waits here.
    fn backlog(&self) -> Option<&Backlog> {
        match &self.client {
            Client::Connected(mailbox) => mailbox.as_deref(),
            Client::Away(backlog) => Some(backlog),
            Client::Ended => None,
        }
    }

    fn backlog_mut(&mut self) -> Option<&mut Backlog> {
        match &mut self.client {
            Client::Connected(mailbox) => mailbox.as_deref_mut(),
            Client::Away(backlog) => Some(backlog),
            Client::Ended => None,
        }
    }

    fn held(&self) -> Held {
        let here = self.backlog().map(Backlog::held).unwrap_or_default();
        Held {
            messages: here.messages + self.on_connection.messages,
            bytes: here.bytes + self.on_connection.bytes,
        }
    }

    /// Tells the connection that there is something to collect.
    fn wake(&mut self) {
        self.has_news = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Drops the oldest message that no connection has begun to send.
    fn discard_oldest(&mut self) -> bool {
        self.backlog_mut().and_then(Backlog::take_oldest).is_some()
    }

    /// Drops one message that has expired, unless there is none.
    fn drop_expired(&mut self, now: Instant) -> bool {
        let dropped = self
            .backlog_mut()
            .is_some_and(|backlog| backlog.drop_expired(now));
        if dropped {
            // The connection may have room for the one behind it.
            self.wake();
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mqtt_core::{Property, Session, SessionBounds, TopicName};
    use proptest::prelude::*;
    use tokio::runtime;
    use tokio::time;

    use super::*;
    use crate::backlog::held_by;
    use crate::options::Options;
    use crate::share::Owed;

    const NOW: Instant = Instant::from_millis(0);

    fn message(qos: QoS, bytes: usize) -> Message {
        Message::new(TopicName::new("t").unwrap(), vec![0; bytes]).with_qos(qos)
    }

    fn expiring(message: Message, seconds: u32) -> Message {
        let properties = [Property::MessageExpiryInterval(seconds)];
        message.with_properties(&properties).unwrap()
    }

    fn subscriber(options: Options) -> (Arc<Subscriber>, Arc<Context>) {
        let context = Arc::new(Context::new(options));
        let subscriber = Subscriber::new(SessionKey(1), "c", Arc::clone(&context));
        (Arc::new(subscriber), context)
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
            let (subscriber, context) = subscriber(Options {
                queue_qos_0_when_away,
                ..Options::default()
            });
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

    /// Nobody keeps the time here: what has expired a moment ago is dropped by who needs its place.
    #[tokio::test(start_paused = true)]
    async fn what_has_expired_makes_room_before_anybody_else_has_to() {
        for overflow in [
            Overflow::DropNewest,
            Overflow::DropOldest,
            Overflow::Disconnect,
        ] {
            for is_away in [false, true] {
                let (subscriber, context) = subscriber(Options {
                    max_queued_messages: 3,
                    overflow,
                    ..Options::default()
                });
                if is_away {
                    subscriber.leave(Box::new(Backlog::new(&context.options)));
                }
                let now = context.clock.now();
                let offer = |message| subscriber.offer(Waiting::new(now, message));
                let live = message(QoS::AtLeastOnce, 1);
                assert_eq!(offer(live.clone()), Offered::Queued);
                for seconds in [2, 1] {
                    assert_eq!(offer(expiring(live.clone(), seconds)), Offered::Queued);
                }
                time::advance(Duration::from_secs(1)).await;
                assert_eq!(offer(live.clone()), Offered::Queued);
                time::advance(Duration::from_secs(1)).await;
                assert_eq!(
                    subscriber.offer_if_room(Waiting::new(now, live.clone())),
                    Offered::Queued
                );
                let state = subscriber.lock();
                assert_eq!(state.held().messages, 3);
                assert_eq!(state.dismissed, None);
                assert_eq!(context.counters.messages_dropped.get(), 0);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_has_one_alarm_and_none_when_it_holds_or_is_nothing() {
        let (subscriber, context) = subscriber(Options::default());
        let offer = |seconds| {
            let message = expiring(message(QoS::AtLeastOnce, 1), seconds);
            subscriber.offer(Waiting::new(context.clock.now(), message));
        };
        let next = || (context.expiries.len(), context.expiries.next());
        let at = |seconds: u64| Some(Instant::from_millis(1_000 * seconds));
        offer(20);
        offer(30);
        assert_eq!(next(), (1, at(20)));
        offer(10);
        assert_eq!(next(), (1, at(10)));
        // What was sent in time leaves it as it is, until the connection is idle.
        subscriber.collect(Held::default(), room(2), &mut Vec::new());
        subscriber.release_unused();
        assert_eq!(next(), (1, at(10)));
        subscriber.collect(Held::default(), room(2), &mut Vec::new());
        assert_eq!(next(), (1, at(10)));
        subscriber.release_unused();
        assert_eq!(next(), (0, None));
        assert!(subscriber.lock().backlog().is_none());
        // It goes on with what waits still, wherever that is.
        for seconds in [5, 10, 40] {
            offer(seconds);
        }
        subscriber.collect(Held::default(), room(1), &mut Vec::new());
        subscriber.leave(Box::new(Backlog::new(&context.options)));
        assert_eq!(next(), (1, at(10)));
        let Taken::Session(session) = subscriber.take() else {
            panic!("it was away");
        };
        // What a connection has is for that to look after.
        assert_eq!(next(), (0, None));
        subscriber.leave(session);
        assert_eq!(next(), (1, at(10)));
        time::advance(Duration::from_secs(10)).await;
        let due = context.expiries.take_due(context.clock.now()).unwrap();
        due.drop_expired(context.clock.now());
        assert_eq!(next(), (1, at(40)));
        assert_eq!(subscriber.lock().held().messages, 1);
        drop(due);
        subscriber.end();
        assert_eq!(next(), (0, None));
        offer(10);
        assert_eq!(next(), (0, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_expires_at_once_goes_in_helpings() {
        let (subscriber, context) = subscriber(Options::default());
        for _ in 0..EXPIRED_AT_ONCE + 1 {
            let message = expiring(message(QoS::AtLeastOnce, 1), 1);
            subscriber.offer(Waiting::new(context.clock.now(), message));
        }
        time::advance(Duration::from_secs(1)).await;
        for left in [1, 0] {
            let due = context.expiries.take_due(context.clock.now()).unwrap();
            due.drop_expired(context.clock.now());
            assert_eq!(subscriber.lock().held().messages, left);
        }
        assert_eq!(context.expiries.len(), 0);
        assert_eq!(context.counters.queued_bytes.get(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// Whether its QoS is 1, how many bytes it has, and after how many seconds it expires, if ever.
        Offer(bool, usize, Option<u32>),
        Collect(usize),
        /// The client acknowledges.
        Finish,
        Leave,
        ComeBack,
        /// So many seconds pass.
        Wait(u64),
        /// Who keeps the time looks after what is due.
        DropExpired,
        ReleaseUnused,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (any::<bool>(), 0..3_000_usize, prop::option::of(1..5_u32))
                .prop_map(|(qos_1, bytes, seconds)| Step::Offer(qos_1, bytes, seconds)),
            2 => (0..4_usize).prop_map(Step::Collect),
            1 => Just(Step::Finish),
            1 => Just(Step::Leave),
            1 => Just(Step::ComeBack),
            2 => (0..3_u64).prop_map(Step::Wait),
            1 => Just(Step::DropExpired),
            1 => Just(Step::ReleaseUnused),
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
        /// Whatever happens, the bounds hold, the count of bytes is that of what is held, a message is where it was said to be,
        /// and none is dropped for one that has expired.
        #[test]
        fn the_bounds_hold_and_the_count_is_true(
            overflow in overflow(),
            queue_qos_0_when_away in any::<bool>(),
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(take_steps(overflow, queue_qos_0_when_away, steps))?;
        }
    }

    async fn take_steps(
        overflow: Overflow,
        queue_qos_0_when_away: bool,
        steps: Vec<Step>,
    ) -> Result<(), TestCaseError> {
        let (subscriber, context) = subscriber(Options {
            max_queued_messages: 5,
            max_queued_bytes: 10_000,
            max_total_queued_bytes: 9_000,
            overflow,
            queue_qos_0_when_away,
            ..Options::default()
        });
        let bounds = SessionBounds {
            max_messages: 5,
            max_bytes: 10_000,
        };
        let now = || context.clock.now();
        let has_expired = || {
            let state = subscriber.lock();
            let next = state.backlog().and_then(Backlog::next_expiry);
            next.is_some_and(|next| next <= now())
        };
        let mut connected = Some(Session::new(bounds));
        let mut collected = Vec::new();
        for step in steps {
            match step {
                Step::Offer(qos_1, bytes, seconds) => {
                    let qos = if qos_1 {
                        QoS::AtLeastOnce
                    } else {
                        QoS::AtMostOnce
                    };
                    let message = message(qos, bytes);
                    let message = match seconds {
                        Some(seconds) => expiring(message, seconds),
                        None => message,
                    };
                    let before = subscriber.lock().held().messages;
                    let had_expired = has_expired();
                    let dropped = context.counters.messages_dropped.get();
                    let offered = subscriber.offer(Waiting::new(now(), message));
                    let after = subscriber.lock().held().messages;
                    let dropped = context.counters.messages_dropped.get() - dropped;
                    let all = after + usize::try_from(dropped).unwrap();
                    match offered {
                        Offered::Queued | Offered::Dropped => {
                            if had_expired {
                                prop_assert!(all <= before + 1);
                            } else {
                                prop_assert_eq!(all, before + 1);
                            }
                            prop_assert!(dropped == 0 || !has_expired());
                        }
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
                Step::Wait(seconds) => time::advance(Duration::from_secs(seconds)).await,
                Step::DropExpired => {
                    while let Some(due) = context.expiries.take_due(now()) {
                        due.drop_expired(now());
                    }
                    prop_assert!(!has_expired());
                }
                Step::ReleaseUnused => subscriber.release_unused(),
            }
            let state = subscriber.lock();
            let held = state.held();
            prop_assert!(held.messages <= 5 && held.bytes <= 9_000, "{:?}", held);
            prop_assert_eq!(context.counters.queued_bytes.get(), held.bytes as u64);
            // Somebody comes in time for what expires next.
            prop_assert_eq!(context.expiries.next(), state.alarm);
            let next = state.backlog().and_then(Backlog::next_expiry);
            prop_assert!(next.is_none_or(|next| state.alarm.is_some_and(|alarm| alarm <= next)));
        }
        subscriber.end();
        prop_assert_eq!(context.counters.queued_bytes.get(), 0);
        prop_assert_eq!(context.expiries.len(), 0);
        let message = message(QoS::AtLeastOnce, 1);
        prop_assert_eq!(
            subscriber.offer(Waiting::new(now(), message)),
            Offered::Ended
        );
        Ok(())
    }
}
