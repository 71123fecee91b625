//! Where messages for one session wait, whether its client is connected or not.
//!
//! While the client is connected its [`Session`] belongs to the task of that connection, and messages wait in a mailbox
//! that the task empties as the connection takes them. While it is away they go into the session itself. Whoever publishes
//! need not know which: [`Subscriber::offer`] never waits, and one bound holds over mailbox and session together.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mqtt_core::{Instant, Message, QoS, ReasonCode, Session};
use tokio::sync::Notify;

use crate::context::Context;
use crate::options::Overflow;

/// What a message costs beside itself while it waits, rounded up so that what fits in a mailbox fits in a session too.
const WAITING_BYTES: usize = 128;

/// Names one session for the life of the broker; a session that starts anew gets a new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct SessionKey(pub(crate) u64);

/// One session as the rest of the broker sees it.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) key: SessionKey,
    pub(crate) client_id: Box<str>,
    context: Arc<Context>,
    state: Mutex<State>,
    /// There is something for the connection to collect.
    wake: Notify,
    /// The connection has let go of the session.
    pub(crate) released: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    place: Place,
    mailbox: VecDeque<Waiting>,
    mailbox_bytes: usize,
    /// What the connection holds, as it last said.
    on_connection: Held,
    /// The Reason Code with which the connection is to end.
    dismissed: Option<ReasonCode>,
    /// How much of [`Counters::queued_bytes`](crate::statistics::Counters::queued_bytes) is ours.
    counted: usize,
}

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// When the broker received it: its Message Expiry Interval runs from then.
    pub(crate) since: Instant,
    pub(crate) message: Message,
}

impl Waiting {
    /// The memory it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.held_bytes() + WAITING_BYTES
    }
}

/// Who has the session.
#[derive(Debug)]
enum Place {
    Connected,
    Away(Box<Session>),
    Ended,
}

/// Messages and the memory they hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Held {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// What became of a message offered to a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Offered {
    Queued,
    /// QoS 0 for a client that is away, which is not kept: nothing was lost that was promised.
    NotKept,
    Dropped,
}

/// What a connection that wants the session of an earlier one finds.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The client was away; its session is the new connection's now.
    Session(Box<Session>),
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
                place: Place::Connected,
                mailbox: VecDeque::new(),
                mailbox_bytes: 0,
                on_connection: Held::default(),
                dismissed: None,
                counted: 0,
            }),
            wake: Notify::new(),
            released: Arc::default(),
        }
    }

    /// Queues a message, as far as there is room. `since` is when the broker received it.
    pub(crate) fn offer(&self, since: Instant, message: Message) -> Offered {
        let waiting = Waiting { since, message };
        let mut guard = self.lock();
        let state = &mut *guard;
        if matches!(state.place, Place::Ended)
            || (state.is_away() && !self.is_kept_when_away(&waiting))
        {
            return Offered::NotKept;
        }
        let dropped = self.make_room(state, &waiting);
        let offered = if !self.has_room(state, &waiting) {
            Offered::Dropped
        } else if let Place::Away(session) = &mut state.place {
            session
                .push(since, waiting.message)
                .map_or(Offered::Dropped, |_| Offered::Queued)
        } else {
            state.mailbox_bytes += waiting.held_bytes();
            state.mailbox.push_back(waiting);
            self.wake.notify_one();
            Offered::Queued
        };
        self.count(state);
        drop(guard);
        self.context
            .counters
            .messages_dropped
            .add(dropped + usize::from(offered == Offered::Dropped));
        offered
    }

    /// Waits until there may be something to collect.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// For the connection: moves up to `room` messages out of the mailbox and says what the connection holds besides.
    /// Returns the Reason Code with which it is to end, if it is to.
    pub(crate) fn collect(
        &self,
        on_connection: Held,
        room: usize,
        into: &mut Vec<Waiting>,
    ) -> Option<ReasonCode> {
        let mut state = self.lock();
        state.on_connection = on_connection;
        for _ in 0..room {
            let Some(waiting) = state.pop() else { break };
            state.on_connection.messages += 1;
            state.on_connection.bytes += waiting.held_bytes();
            into.push(waiting);
        }
        self.count(&mut state);
        state.dismissed
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
        match mem::replace(&mut state.place, Place::Connected) {
            Place::Connected => {
                state
                    .dismissed
                    .get_or_insert(ReasonCode::SESSION_TAKEN_OVER);
                drop(state);
                self.wake.notify_one();
                Taken::Held
            }
            Place::Away(session) => {
                state.dismissed = None;
                state.on_connection = held_by(&session);
                Taken::Session(session)
            }
            Place::Ended => {
                state.place = Place::Ended;
                Taken::Ended
            }
        }
    }

    /// For the connection at its end: what is left in the mailbox joins the session, which waits for the next connection.
    pub(crate) fn leave(&self, mut session: Box<Session>) {
        let mut state = self.lock();
        let mut dropped = 0;
        while let Some(waiting) = state.pop() {
            if self.is_kept_when_away(&waiting)
                && session.push(waiting.since, waiting.message).is_err()
            {
                dropped += 1;
            }
        }
        state.mailbox = VecDeque::new();
        state.on_connection = Held::default();
        state.place = Place::Away(session);
        self.count(&mut state);
        drop(state);
        self.context.counters.messages_dropped.add(dropped);
    }

    /// Ends the session: nothing is kept any more.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.place = Place::Ended;
        state.mailbox = VecDeque::new();
        state.mailbox_bytes = 0;
        state.on_connection = Held::default();
        self.count(&mut state);
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
                    self.wake.notify_one();
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
        matches!(self.place, Place::Away(_))
    }

    fn held(&self) -> Held {
        match &self.place {
            Place::Away(session) => held_by(session),
            Place::Connected => Held {
                messages: self.mailbox.len() + self.on_connection.messages,
                bytes: self.mailbox_bytes + self.on_connection.bytes,
            },
            Place::Ended => Held::default(),
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
        match &mut self.place {
            Place::Away(session) => session.discard_oldest().is_some(),
            Place::Connected => self.pop().is_some(),
            Place::Ended => false,
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
