//! Publishes that wait for the task, and the books about every publish without an outcome.
//!
//! A plain value. Whoever holds its lock gives the outcomes of what it returns after letting go, and drops it then too: with a
//! message, code of the program's may run which calls back.

use std::collections::VecDeque;
use std::time::Duration;

use mqtt_core::{Message, PublishId};
use tokio::time::Instant;

use crate::delivery::{Completer, Delivery};

/// A publish that was not handed to the core yet.
pub(crate) struct Queued {
    pub(crate) message: Message,
    pub(crate) completer: Completer,
    pub(crate) accepted_at: Instant,
    pub(crate) bytes: usize,
}

impl Queued {
    /// The memory that `message` holds while it has no outcome.
    pub(crate) fn bytes_of(message: &Message) -> usize {
        message.held_bytes() + size_of::<Self>() + Completer::HELD_BYTES
    }

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

/// What the task knows about the publishes it holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settlement {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    pub(crate) in_core: usize,
    pub(crate) oldest_in_core: Option<(PublishId, Instant)>,
}

/// Publishes without an outcome: those that wait one by one, those with the task as numbers.
pub(crate) struct PublishQueue {
    max_messages: usize,
    max_bytes: usize,
    waiting: VecDeque<Queued>,
    /// When the first of `waiting` may expire: never later than it does.
    next_expiry: Option<Instant>,
    /// Here and in the core.
    pending: usize,
    pending_bytes: usize,
    /// The oldest publish that is in the core, and how many are.
    oldest_in_core: Option<(PublishId, Instant)>,
    in_core: usize,
    accepted: u64,
}

impl PublishQueue {
    pub(crate) const fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            max_messages,
            max_bytes,
            waiting: VecDeque::new(),
            next_expiry: None,
            pending: 0,
            pending_bytes: 0,
            oldest_in_core: None,
            in_core: 0,
            accepted: 0,
        }
    }

    /// How many publishes have no outcome, and the bytes they hold.
    pub(crate) const fn pending(&self) -> (usize, usize) {
        (self.pending, self.pending_bytes)
    }

    pub(crate) const fn in_core(&self) -> usize {
        self.in_core
    }

    /// How many publishes were given a number.
    pub(crate) const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Whether any publish waits for the task.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When a waiting publish may expire, at the earliest.
    pub(crate) const fn next_expiry(&self) -> Option<Instant> {
        self.next_expiry
    }

    /// When the oldest publish without an outcome was accepted.
    pub(crate) fn oldest_accepted_at(&self) -> Option<Instant> {
        let waiting = self.waiting.front().map(|queued| queued.accepted_at);
        self.oldest_in_core.map(|(_, at)| at).or(waiting)
    }

    pub(crate) const fn has_room(&self, bytes: usize) -> bool {
        self.fits(self.pending, self.pending_bytes, bytes)
    }

    const fn fits(&self, messages: usize, held: usize, bytes: usize) -> bool {
        messages < self.max_messages && held + bytes <= self.max_bytes
    }

    /// Takes out the oldest publishes, which no connection has seen yet, until there is room; none if that would not do.
    pub(crate) fn make_room(&mut self, bytes: usize) -> Vec<Queued> {
        // Looks at no more of them than would go.
        let (mut messages, mut held) = self.pending();
        let mut count = 0;
        while !self.fits(messages, held, bytes) {
            let Some(oldest) = self.waiting.get(count) else {
                return Vec::new();
            };
            messages -= 1;
            held -= oldest.bytes;
            count += 1;
        }
        (self.pending, self.pending_bytes) = (messages, held);
        self.waiting.drain(..count).collect()
    }

    /// Gives the next publish its number.
    pub(crate) fn accept(&mut self) -> (Completer, Delivery) {
        self.accepted += 1;
        Completer::new(PublishId::new(self.accepted))
    }

    /// Adds a publish that holds so many bytes, for which there is room.
    pub(crate) fn push(&mut self, message: Message, bytes: usize) -> Delivery {
        let (completer, delivery) = self.accept();
        self.pending += 1;
        self.pending_bytes += bytes;
        let queued = Queued {
            message,
            completer,
            accepted_at: Instant::now(),
            bytes,
        };
        self.expect_expiry(queued.expires_at());
        self.waiting.push_back(queued);
        delivery
    }

    /// Puts publishes back in front of those that wait. They never had an outcome, so nothing is booked.
    pub(crate) fn give_back(&mut self, publishes: Vec<Queued>) {
        for queued in publishes.into_iter().rev() {
            self.expect_expiry(queued.expires_at());
            self.waiting.push_front(queued);
        }
    }

    /// Takes a publish back that no connection has seen yet.
    pub(crate) fn cancel(&mut self, id: PublishId) -> Option<Queued> {
        // They wait in the order in which they were accepted.
        let place = self
            .waiting
            .binary_search_by_key(&id, |queued| queued.completer.id());
        let queued = self.waiting.remove(place.ok()?)?;
        self.forget(&queued);
        Some(queued)
    }

    /// Moves up to `max` publishes into `batch`, for the task to settle.
    pub(crate) fn take(&mut self, batch: &mut VecDeque<Queued>, max: usize) {
        if batch.is_empty() && self.waiting.len() <= max {
            // The task gives back the emptied buffer of last time, so that neither side allocates.
            std::mem::swap(batch, &mut self.waiting);
        } else {
            let count = self.waiting.len().min(max);
            batch.extend(self.waiting.drain(..count));
        }
        if self.waiting.is_empty() {
            self.next_expiry = None;
        }
        // A flush that looks before the task has told what it holds must not take these for settled.
        if self.oldest_in_core.is_none() {
            self.oldest_in_core = batch
                .front()
                .map(|queued| (queued.completer.id(), queued.accepted_at));
        }
    }

    /// Takes out the waiting publishes whose Message Expiry Interval is over, for the task to settle. Looks at them only if
    /// one may have expired.
    pub(crate) fn take_expired(&mut self) -> Vec<Queued> {
        let now = Instant::now();
        if self.next_expiry.is_none_or(|at| now < at) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.waiting);
        let (expired, kept): (VecDeque<_>, _) =
            all.into_iter().partition(|queued| queued.is_expired(now));
        self.next_expiry = kept.iter().filter_map(Queued::expires_at).min();
        self.waiting = kept;
        expired.into()
    }

    /// As [`PublishQueue::take_expired`], and settles them, since the task may not come to it in time.
    pub(crate) fn remove_expired(&mut self) -> Vec<Queued> {
        let expired = self.take_expired();
        for queued in &expired {
            self.forget(queued);
        }
        expired
    }

    /// Books publishes of the task that have their outcome.
    pub(crate) const fn settle(&mut self, settlement: Settlement) {
        self.pending = self.pending.saturating_sub(settlement.messages);
        self.pending_bytes = self.pending_bytes.saturating_sub(settlement.bytes);
        self.in_core = settlement.in_core;
        self.oldest_in_core = settlement.oldest_in_core;
    }

    /// Takes out everything that waits, and forgets what the task has.
    pub(crate) fn clear(&mut self) -> VecDeque<Queued> {
        self.pending = 0;
        self.pending_bytes = 0;
        self.in_core = 0;
        self.oldest_in_core = None;
        self.next_expiry = None;
        std::mem::take(&mut self.waiting)
    }

    /// Publishes up to the `until`th without an outcome; exact when it is zero.
    pub(crate) fn pending_up_to(&self, until: u64) -> usize {
        let oldest = self.oldest_in_core.map(|(id, _)| id);
        let oldest = oldest.or_else(|| self.waiting.front().map(|queued| queued.completer.id()));
        if self.pending == 0 || oldest.is_some_and(|oldest| oldest.get() > until) {
            return 0;
        }
        let later = usize::try_from(self.accepted - until).unwrap_or(usize::MAX);
        self.pending.saturating_sub(later).max(1)
    }

    const fn forget(&mut self, queued: &Queued) {
        self.pending -= 1;
        self.pending_bytes -= queued.bytes;
    }

    fn expect_expiry(&mut self, at: Option<Instant>) {
        self.next_expiry = [self.next_expiry, at].into_iter().flatten().min();
    }
}
