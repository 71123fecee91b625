//! Messages that wait to be sent for the first time: in order, counted in messages and bytes, each with its deadline.

use alloc::collections::{BTreeSet, VecDeque};
use core::time::Duration;

use super::outbound::PublishId;
use crate::{message::Message, time::Instant, types::QoS};

/// A message to send.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Outgoing {
    pub(crate) message: Message,
    /// When it expires: its Message Expiry Interval counted from when it was handed over.
    expires: Option<Instant>,
}

impl Outgoing {
    /// Memory held: the message, and its place in the queue.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.held_bytes() + (size_of::<Slot>() - size_of::<Message>())
    }

    /// Takes a message over, which starts its Message Expiry Interval.
    pub(crate) fn new(now: Instant, message: Message) -> Self {
        let interval = message.properties().message_expiry_interval();
        let expires = interval.map(|seconds| now + Duration::from_secs(u64::from(seconds)));
        Self { message, expires }
    }

    /// When the Message Expiry Interval began; the epoch if there is none.
    pub(crate) fn since(&self) -> Instant {
        let interval = self.message.properties().message_expiry_interval();
        let millis = interval.map_or(0, |seconds| 1_000 * u64::from(seconds));
        let expires = self.expires.unwrap_or_default();
        Instant::from_millis(expires.as_millis().saturating_sub(millis))
    }

    /// Seconds of the Message Expiry Interval that are left, rounded up (v5 3.3.2.3.3).
    pub(crate) fn seconds_left(&self, now: Instant) -> Option<u32> {
        let left = self.expires?.saturating_duration_since(now);
        Some(u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX))
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

    /// Gives back memory that holds nothing.
    pub(crate) fn release_unused(&mut self) {
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
            self.deadlines = BTreeSet::new();
        }
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a message that is younger than all others.
    pub(crate) fn push_back(&mut self, id: PublishId, outgoing: Outgoing) {
        debug_assert!(self.slots.back().is_none_or(|slot| slot.id < id));
        self.count(id, &outgoing);
        self.slots.push_back(Slot {
            id,
            outgoing: Some(outgoing),
        });
    }

    /// Puts a message back that is older than all others.
    pub(crate) fn push_front(&mut self, id: PublishId, outgoing: Outgoing) {
        debug_assert!(self.slots.front().is_none_or(|slot| id < slot.id));
        self.count(id, &outgoing);
        self.slots.push_front(Slot {
            id,
            outgoing: Some(outgoing),
        });
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
        while self
            .slots
            .front()
            .is_some_and(|slot| slot.outgoing.is_none())
        {
            self.slots.pop_front();
        }
        // Holes may never outnumber messages by much, or the bound on the count would not bound the memory.
        if self.slots.len() > 2 * self.len + 16 {
            self.slots.retain(|slot| slot.outgoing.is_some());
        }
        Some(outgoing)
    }

    /// Takes out every message of QoS 0.
    pub(crate) fn discard_qos_0(&mut self, mut discarded: impl FnMut(PublishId)) {
        let Self {
            slots,
            len,
            bytes,
            deadlines,
        } = self;
        // Holes go too, so that the first slot is none.
        slots.retain(|Slot { id, outgoing }| {
            let Some(outgoing) = outgoing else {
                return false;
            };
            if outgoing.message.qos() > QoS::AtMostOnce {
                return true;
            }
            *len -= 1;
            *bytes -= outgoing.held_bytes();
            if let Some(deadline) = outgoing.expires {
                deadlines.remove(&(deadline, *id));
            }
            discarded(*id);
            false
        });
    }

    /// Takes out one message whose time is over.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<PublishId> {
        let (_, id) = *self
            .deadlines
            .first()
            .filter(|(deadline, _)| *deadline <= now)?;
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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{types::TopicName, wire::Property};

    fn outgoing() -> Outgoing {
        let topic = TopicName::new("a").expect("a topic");
        Outgoing::new(Instant::default(), Message::new(topic, "x"))
    }

    #[test]
    fn holes_are_bounded_by_what_is_left() {
        let mut queue = Queue::default();
        queue.push_back(PublishId::new(0), outgoing());
        for number in 1..10_000 {
            queue.push_back(PublishId::new(number), outgoing());
            assert!(queue.remove(PublishId::new(number)).is_some());
            assert!(queue.slots.len() <= 2 * queue.len() + 16);
        }
        assert_eq!(queue.pop_front().map(|(id, _)| id), Some(PublishId::new(0)));
        assert_eq!(queue, Queue::default());
    }

    #[test]
    fn any_message_can_be_taken_out_once() {
        let mut queue = Queue::default();
        for number in 0..100 {
            queue.push_back(PublishId::new(number), outgoing());
        }
        let order = (0..100).step_by(3).chain((0..100).rev());
        let found = order.filter(|number| queue.remove(PublishId::new(*number)).is_some());
        assert_eq!(found.count(), 100);
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }
    #[test]
    fn discarding_qos_0_leaves_the_rest_in_order_and_the_counts_true() {
        let mut queue = Queue::default();
        let expiring = |qos| {
            let topic = TopicName::new("a").expect("a topic");
            let message = Message::new(topic, "x").with_qos(qos);
            let message = message.with_properties(&[Property::MessageExpiryInterval(9)]);
            Outgoing::new(Instant::default(), message.expect("a legal property"))
        };
        let levels = [
            QoS::AtMostOnce,
            QoS::AtLeastOnce,
            QoS::AtMostOnce,
            QoS::ExactlyOnce,
            QoS::AtLeastOnce,
            QoS::AtMostOnce,
        ];
        for (number, qos) in (0..).zip(levels) {
            queue.push_back(PublishId::new(number), expiring(qos));
        }
        // A hole that comes to stand in front.
        queue.remove(PublishId::new(1));
        let mut discarded = Vec::new();
        queue.discard_qos_0(|id| discarded.push(id.get()));
        assert_eq!(discarded, [0, 2, 5]);
        let bytes = 2 * expiring(QoS::AtLeastOnce).held_bytes();
        assert_eq!((queue.len(), queue.bytes()), (2, bytes));
        assert_eq!(queue.deadlines.len(), 2);
        let left = core::iter::from_fn(|| queue.pop_front()).map(|(id, _)| id.get());
        assert_eq!(left.collect::<Vec<_>>(), [3, 4]);
        assert_eq!(queue, Queue::default());
    }
}
