//! Messages that wait to be sent for the first time: in order, counted in messages and bytes, each with its deadline.

use alloc::{boxed::Box, collections::{BTreeSet, VecDeque}};
use core::time::Duration;

use super::outbound::PublishId;
use crate::{message::Message, time::Instant, types::SubscriptionId};

/// A message to send, and what belongs to this receiver alone.
///
/// A server that sends one message to many subscribers clones the message (cheap) and adds each one's Subscription
/// Identifiers here.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Outgoing {
    /// What to send.
    pub message: Message,
    /// Subscription Identifiers of the subscriptions that it answers (v5 3.3.2.3.8). Only a server may send them.
    pub subscription_ids: Box<[SubscriptionId]>,
    /// When it expires: the Message Expiry Interval counted from when it was handed over.
    pub(crate) expires: Option<Instant>,
}

impl Outgoing {
    /// Memory held: the message, and its place in the queue.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.held_bytes() + self.subscription_ids.len() * size_of::<SubscriptionId>() + size_of::<Slot>()
    }

    /// Starts the Message Expiry Interval.
    pub(crate) fn start_expiry(&mut self, now: Instant) {
        self.expires = self
            .message
            .properties()
            .message_expiry_interval()
            .map(|seconds| now + Duration::from_secs(u64::from(seconds)));
    }

    /// Seconds of the Message Expiry Interval that are left, rounded up (v5 3.3.2.3.3).
    pub(crate) fn seconds_left(&self, now: Instant) -> Option<u32> {
        let left = self.expires?.saturating_duration_since(now);
        Some(u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX))
    }
}

impl From<Message> for Outgoing {
    fn from(message: Message) -> Self {
        Self { message, subscription_ids: Box::default(), expires: None }
    }
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Slot {
    id: PublishId,
    outgoing: Option<Outgoing>,
}

/// See the module. The ids in it always rise from front to back.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Queue {
    /// Holes are left by messages that were taken from the middle; the first slot is never one.
    slots: VecDeque<Slot>,
    len: usize,
    bytes: usize,
    deadlines: BTreeSet<(Instant, PublishId)>,
}

impl Queue {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a message that is younger than all others.
    pub(crate) fn push_back(&mut self, id: PublishId, outgoing: Outgoing) {
        debug_assert!(self.slots.back().is_none_or(|slot| slot.id < id));
        self.count(id, &outgoing);
        self.slots.push_back(Slot { id, outgoing: Some(outgoing) });
    }

    /// Puts a message back that is older than all others.
    pub(crate) fn push_front(&mut self, id: PublishId, outgoing: Outgoing) {
        debug_assert!(self.slots.front().is_none_or(|slot| id < slot.id));
        self.count(id, &outgoing);
        self.slots.push_front(Slot { id, outgoing: Some(outgoing) });
    }

    /// The oldest message.
    pub(crate) fn front(&self) -> Option<(PublishId, &Outgoing)> {
        let slot = self.slots.front()?;
        Some((slot.id, slot.outgoing.as_ref()?))
    }

    pub(crate) fn pop_front(&mut self) -> Option<(PublishId, Outgoing)> {
        let id = self.slots.front()?.id;
        Some((id, self.remove(id)?))
    }

    /// Takes a message out, wherever it stands: O(log n).
    pub(crate) fn remove(&mut self, id: PublishId) -> Option<Outgoing> {
        let index = self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?;
        let outgoing = self.slots.get_mut(index)?.outgoing.take()?;
        self.len -= 1;
        self.bytes -= outgoing.held_bytes();
        if let Some(deadline) = outgoing.expires {
            self.deadlines.remove(&(deadline, id));
        }
        while self.slots.front().is_some_and(|slot| slot.outgoing.is_none()) {
            self.slots.pop_front();
        }
        // Holes may never outnumber messages by much, or the bound on the count would not bound the memory.
        if self.slots.len() > 2 * self.len + 16 {
            self.slots.retain(|slot| slot.outgoing.is_some());
        }
        Some(outgoing)
    }

    /// Takes out one message whose time is over.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<PublishId> {
        let (_, id) = *self.deadlines.first().filter(|(deadline, _)| *deadline <= now)?;
        self.remove(id)?;
        Some(id)
    }

    /// When the next message expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    fn count(&mut self, id: PublishId, outgoing: &Outgoing) {
        self.len += 1;
        self.bytes += outgoing.held_bytes();
        if let Some(deadline) = outgoing.expires {
            self.deadlines.insert((deadline, id));
        }
    }
}
