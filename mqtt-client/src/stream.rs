//! A bounded queue of received messages, between the task that fills it and the application that reads it.
//!
//! The first messages of the queue, as many as the limits allow, are *in the stream*: theirs is the application. What
//! arrives beyond that is *held*: a QoS 1 or 2 message stays unacknowledged until it moves up, so that the server stops at
//! our Receive Maximum, and QoS 0 is dropped, or makes the task pause reading, as the options say. In 3.x, which has no
//! Receive Maximum, the task pauses reading also when too much is held.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use mqtt_core::{AckToken, Message, PacketId, QoS};

use crate::command::AckAnswer;
use crate::options::StreamFull;
use crate::received::{Ack, Received};
use crate::responses::Responses;
use crate::shared::Shared;

/// Who tells the server that a message was taken.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum AckMode {
    /// The client, when the message went into the stream.
    #[default]
    OnReceive,
    /// The application, by the [`Ack`] that comes with the message: until then the server counts it as unacknowledged, and
    /// delivers it again if the connection ends.
    Manual,
}

/// Names one `subscribe` call of a client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscriptionKey(pub(crate) u64);

/// The subscriptions a message is for: at least one, almost always exactly one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SubscriptionKeys {
    first: SubscriptionKey,
    // Empty, and so without an allocation, unless filters overlap.
    rest: Vec<SubscriptionKey>,
}

impl SubscriptionKeys {
    pub(crate) const fn one(first: SubscriptionKey) -> Self {
        Self {
            first,
            rest: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, key: SubscriptionKey) {
        if !self.contains(key) {
            self.rest.push(key);
        }
    }

    /// Each of them once.
    pub fn iter(&self) -> impl Iterator<Item = SubscriptionKey> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// Whether `key` is one of them.
    #[must_use]
    pub fn contains(&self, key: SubscriptionKey) -> bool {
        self.first == key || self.rest.contains(&key)
    }
}

/// How much a stream holds for the application.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamLimits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

pub(crate) struct Stream {
    shared: Arc<Shared>,
    limits: StreamLimits,
    /// It outlives the subscriptions that fill it.
    inbox: bool,
    /// Who takes the messages in place of a reader.
    responses: Option<Arc<Responses>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    items: VecDeque<Item>,
    /// How many of `items`, from the front, are in the stream; the rest is held.
    ready: usize,
    ready_bytes: usize,
    reader: Option<Waker>,
    closed: bool,
}

/// A received message on its way to the application.
pub(crate) struct Item {
    pub(crate) message: Message,
    pub(crate) dup: bool,
    pub(crate) packet_id: Option<PacketId>,
    pub(crate) received_at: SystemTime,
    pub(crate) keys: SubscriptionKeys,
    pub(crate) mode: AckMode,
    pub(crate) pending: Option<PendingAck>,
}

/// The acknowledgement that a message still owes.
#[derive(Clone, Debug)]
pub(crate) struct PendingAck {
    pub(crate) token: AckToken,
    /// Set when the message went to several streams: the last one answers.
    pub(crate) group: Option<Arc<AckGroup>>,
}

/// Several streams share one acknowledgement: it is given when all have answered, and the worst answer counts.
#[derive(Debug)]
pub(crate) struct AckGroup {
    remaining: AtomicUsize,
    worst: Mutex<Option<AckAnswer>>,
}

impl AckGroup {
    pub(crate) fn new(members: usize) -> Arc<Self> {
        Arc::new(Self {
            remaining: AtomicUsize::new(members),
            worst: Mutex::new(None),
        })
    }

    /// The answer of all, once `answer` is the last one.
    fn answer(&self, answer: AckAnswer) -> Option<AckAnswer> {
        let mut worst = self.worst.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = |answer: &AckAnswer| match answer {
            AckAnswer::Reason(reason) | AckAnswer::InWords(reason, _) => u16::from(reason.get()),
            AckAnswer::None => u16::MAX,
        };
        if worst
            .as_ref()
            .is_none_or(|known| weight(known) < weight(&answer))
        {
            *worst = Some(answer);
        }
        if self.remaining.fetch_sub(1, Ordering::AcqRel) == 1 {
            worst.take()
        } else {
            None
        }
    }
}

impl PendingAck {
    /// What is to be told to the server now, if it is time.
    pub(crate) fn answer(self, answer: AckAnswer) -> Option<(AckToken, AckAnswer)> {
        match self.group {
            None => Some((self.token, answer)),
            Some(group) => group.answer(answer).map(|answer| (self.token, answer)),
        }
    }
}

/// What became of a message that was pushed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Pushed {
    /// It is in the stream. The task acknowledges it, if it owes that and the application does not.
    InStream(Option<(AckToken, AckAnswer)>),
    /// It waits behind a full stream.
    Held,
    /// It was QoS 0 and the stream was full.
    Dropped,
    /// Nobody reads this stream any more.
    Closed,
}

impl Stream {
    pub(crate) fn new(shared: Arc<Shared>, limits: StreamLimits) -> Self {
        Self {
            shared,
            limits,
            inbox: false,
            responses: None,
            inner: Mutex::default(),
        }
    }

    /// A stream for many subscriptions, which does not end with any of them.
    #[cfg_attr(
        not(all(unix, feature = "background")),
        expect(dead_code, reason = "only the background face has inboxes")
    )]
    pub(crate) fn inbox(shared: Arc<Shared>, limits: StreamLimits) -> Self {
        Self {
            inbox: true,
            ..Self::new(shared, limits)
        }
    }

    /// A stream whose messages are responses to requests: none stays in it.
    pub(crate) fn responses(shared: Arc<Shared>, responses: Arc<Responses>) -> Self {
        let limits = StreamLimits {
            messages: 0,
            bytes: 0,
        };
        Self {
            responses: Some(responses),
            ..Self::new(shared, limits)
        }
    }

    pub(crate) const fn is_inbox(&self) -> bool {
        self.inbox
    }

    pub(crate) const fn has_responses(&self) -> bool {
        self.responses.is_some()
    }

    /// Whether anybody waits for what may come.
    pub(crate) fn is_awaited(&self) -> bool {
        match &self.responses {
            Some(responses) => responses.are_awaited(),
            None => true,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message from the task; never waits.
    pub(crate) fn push(&self, mut item: Item) -> Pushed {
        if let Some(responses) = &self.responses {
            responses.arrived(&item.message);
            let settled = item.pending.take();
            return Pushed::InStream(
                settled.and_then(|pending| pending.answer(AckAnswer::SUCCESS)),
            );
        }
        let mut inner = self.inner();
        if inner.closed {
            return Pushed::Closed;
        }
        let fits = inner.ready == inner.items.len() && self.fits(&inner, &item);
        if !fits
            && item.message.qos() == QoS::AtMostOnce
            && self.shared.options.stream_full == StreamFull::DropQos0
        {
            return Pushed::Dropped;
        }
        if !fits {
            self.shared.held.add(&item.message);
            inner.items.push_back(item);
            return Pushed::Held;
        }
        let settled = match item.mode {
            AckMode::OnReceive => item
                .pending
                .take()
                .and_then(|pending| pending.answer(AckAnswer::SUCCESS)),
            AckMode::Manual => None,
        };
        inner.ready += 1;
        inner.ready_bytes += item.message.held_bytes();
        inner.items.push_back(item);
        let reader = inner.reader.take();
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
        Pushed::InStream(settled)
    }

    /// A stream always has room for one message, however large.
    fn fits(&self, inner: &Inner, item: &Item) -> bool {
        inner.ready == 0
            || (inner.ready < self.limits.messages
                && inner.ready_bytes + item.message.held_bytes() <= self.limits.bytes)
    }

    /// The next message, if one is here.
    pub(crate) fn try_pop(&self) -> Option<Received> {
        self.pop(&mut self.inner())
    }

    /// The next message; `None` once the stream is closed and empty.
    pub(crate) fn poll_pop(&self, context: &mut Context<'_>) -> Poll<Option<Received>> {
        let mut inner = self.inner();
        if let Some(received) = self.pop(&mut inner) {
            return Poll::Ready(Some(received));
        }
        if inner.closed {
            return Poll::Ready(None);
        }
        match &inner.reader {
            Some(waker) if waker.will_wake(context.waker()) => {}
            _ => inner.reader = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn pop(&self, inner: &mut Inner) -> Option<Received> {
        let item = inner.items.pop_front()?;
        inner.ready -= 1;
        inner.ready_bytes -= item.message.held_bytes();
        self.move_up(inner);
        Some(self.hand_out(item))
    }

    /// Moves held messages into the stream while there is room, and acknowledges them.
    fn move_up(&self, inner: &mut Inner) {
        while inner
            .items
            .get(inner.ready)
            .is_some_and(|item| self.fits(inner, item))
        {
            let index = inner.ready;
            let Some(item) = inner.items.get_mut(index) else {
                break;
            };
            self.shared.held.remove(&item.message);
            if item.mode == AckMode::OnReceive
                && let Some((token, answer)) = item
                    .pending
                    .take()
                    .and_then(|pending| pending.answer(AckAnswer::SUCCESS))
            {
                self.shared.acknowledge(token, answer);
            }
            inner.ready_bytes += item.message.held_bytes();
            inner.ready += 1;
        }
        if self.shared.held.is_awaited() {
            self.shared.wake.notify_one();
        }
    }

    fn hand_out(&self, item: Item) -> Received {
        Received {
            message: item.message,
            dup: item.dup,
            packet_id: item.packet_id,
            received_at: item.received_at,
            ack: Ack::new(
                item.pending
                    .map(|pending| (Arc::clone(&self.shared), pending)),
            ),
            subscriptions: item.keys,
        }
    }

    /// Messages in the stream.
    pub(crate) fn len(&self) -> usize {
        self.inner().ready
    }

    /// Whether no message will come any more.
    pub(crate) fn is_ended(&self) -> bool {
        let inner = self.inner();
        inner.closed && inner.items.is_empty()
    }

    /// The connection is over and the server kept the session: what `is_stale` says will come again must not come twice.
    pub(crate) fn forget(&self, is_stale: impl Fn(AckToken) -> bool) {
        let mut inner = self.inner();
        let mut index = 0;
        let ready = inner.ready;
        let mut gone = (0, 0);
        inner.items.retain(|item| {
            let in_stream = index < ready;
            index += 1;
            let forget = item
                .pending
                .as_ref()
                .is_some_and(|pending| is_stale(pending.token));
            if forget && in_stream {
                gone = (gone.0 + 1, gone.1 + item.message.held_bytes());
            } else if forget {
                self.shared.held.remove(&item.message);
            }
            !forget
        });
        inner.ready -= gone.0;
        inner.ready_bytes -= gone.1;
        self.move_up(&mut inner);
    }

    /// Drops held messages, the newest first, while this client holds more than the bounds allow. For those of a lost
    /// session only: nobody waits for their acknowledgement.
    pub(crate) fn shed_held(&self) {
        let options = &self.shared.options;
        let held = &self.shared.held;
        let mut inner = self.inner();
        while inner.items.len() > inner.ready
            && (held.bytes.load(Ordering::Acquire) > options.stream_max_bytes
                || held.messages.load(Ordering::Acquire) > usize::from(options.receive_maximum))
        {
            let Some(item) = inner.items.pop_back() else {
                break;
            };
            held.remove(&item.message);
            self.shared.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The client is closed. What is in the stream and acknowledged can still be read; the rest stays with the server.
    pub(crate) fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        let held = inner.ready..;
        for item in inner.items.drain(held) {
            self.shared.held.remove(&item.message);
        }
        inner.items.retain(|item| item.pending.is_none());
        inner.ready = inner.items.len();
        inner.ready_bytes = inner
            .items
            .iter()
            .map(|item| item.message.held_bytes())
            .sum();
        let reader = inner.reader.take();
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
        if let Some(responses) = &self.responses {
            responses.ended();
        }
    }

    /// Nothing more will come: the subscription is over. What is here can still be read and acknowledged.
    pub(crate) fn end(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        let reader = inner.reader.take();
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
        if let Some(responses) = &self.responses {
            responses.ended();
        }
    }

    /// The reader is gone: what it did not take is not acknowledged by it.
    pub(crate) fn abandon(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        let ready = inner.ready;
        for (index, item) in std::mem::take(&mut inner.items).into_iter().enumerate() {
            if index >= ready {
                self.shared.held.remove(&item.message);
            }
            if let Some((token, answer)) = item
                .pending
                .and_then(|pending| pending.answer(AckAnswer::None))
            {
                self.shared.acknowledge(token, answer);
            }
        }
        inner.ready = 0;
        inner.ready_bytes = 0;
        if self.shared.held.is_awaited() {
            self.shared.wake.notify_one();
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl crate::shared::Held {
    /// Says that reading is about to stop. Whoever calls this looks at the counters again.
    pub(crate) fn await_fewer(&self) {
        self.pausing.store(true, Ordering::Release);
        // Either the task, which looks again after this, sees that there is less, or `is_awaited`, which comes after the
        // change, sees that the task waits.
        fence(Ordering::SeqCst);
    }

    /// Whether the task waits for the change that was just made.
    fn is_awaited(&self) -> bool {
        fence(Ordering::SeqCst);
        self.pausing.load(Ordering::Acquire)
    }

    pub(crate) fn add(&self, message: &Message) {
        self.messages.fetch_add(1, Ordering::AcqRel);
        self.bytes.fetch_add(message.held_bytes(), Ordering::AcqRel);
        if message.qos() == QoS::AtMostOnce {
            self.qos0.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn remove(&self, message: &Message) {
        self.messages.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(message.held_bytes(), Ordering::AcqRel);
        if message.qos() == QoS::AtMostOnce {
            self.qos0.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
