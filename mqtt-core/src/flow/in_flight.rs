//! The table of QoS 1 and 2 messages that were sent and are not finished.
//!
//! Every operation is O(1): an index by Packet Identifier into slots that are chained in two orders, that of the first
//! sending (in which PUBLISH packets are sent again [v5 MQTT-4.6.0-1]) and that of the PUBRECs (in which PUBREL packets go out
//! [v5 MQTT-4.6.0-4]). Memory follows the largest number ever in flight at once; nothing is allocated once that is reached.

use alloc::vec::Vec;

use super::{outbound::PublishId, queue::Outgoing};
use crate::types::{PacketId, ReasonCode};

/// "No slot": there are at most 65,535 slots, numbered from zero.
const NONE: u16 = u16::MAX;

/// One unfinished exchange.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Entry {
    pub(crate) id: PublishId,
    pub(crate) packet_id: PacketId,
    pub(crate) phase: Phase,
    /// It holds a unit of the send quota of this connection.
    pub(crate) counted: bool,
}

/// How far an exchange has come.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Phase {
    /// PUBLISH is unacknowledged: it is kept and sent again when a session is resumed.
    Published(Outgoing),
    /// The peer owns the message (PUBREC); PUBREL is unacknowledged. The Reason Code is that of the PUBREC.
    Released(ReasonCode),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Slot {
    entry: Option<Entry>,
    previous: u16,
    next: u16,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Chain {
    first: u16,
    last: u16,
}

impl Chain {
    const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
    };
}

/// See the module.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct InFlight {
    /// By Packet Identifier; as long as the largest one in use so far.
    slot_of: Vec<u16>,
    slots: Vec<Slot>,
    /// Unused slots, chained by `next`.
    free: u16,
    published: Chain,
    released: Chain,
    /// The first PUBLISH of the chain that was not sent on this connection.
    resend: u16,
    len: usize,
    bytes: usize,
}

impl Default for InFlight {
    fn default() -> Self {
        Self {
            slot_of: Vec::new(),
            slots: Vec::new(),
            free: NONE,
            published: Chain::EMPTY,
            released: Chain::EMPTY,
            resend: NONE,
            len: 0,
            bytes: 0,
        }
    }
}

impl InFlight {
    /// Gives back memory that holds nothing.
    pub(crate) fn release_unused(&mut self) {
        if self.len == 0 {
            *self = Self::default();
        }
    }

    /// Messages in flight.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Memory held by the messages that are still kept.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Notes a PUBLISH that has just been sent for the first time. Everything older was sent before on this connection.
    pub(crate) fn insert(&mut self, id: PublishId, packet_id: PacketId, outgoing: Outgoing) {
        debug_assert!(self.resend == NONE && self.get(packet_id).is_none());
        self.bytes += outgoing.held_bytes();
        let entry = Entry {
            id,
            packet_id,
            phase: Phase::Published(outgoing),
            counted: true,
        };
        let at = self.take_slot(entry);
        let index = usize::from(packet_id.get());
        if self.slot_of.len() <= index {
            self.slot_of.resize(index + 1, NONE);
        }
        if let Some(slot) = self.slot_of.get_mut(index) {
            *slot = at;
        }
        Self::link(&mut self.slots, &mut self.published, at);
        self.len += 1;
    }

    /// The exchange with this identifier.
    pub(crate) fn get(&self, packet_id: PacketId) -> Option<&Entry> {
        self.slots
            .get(usize::from(self.slot(packet_id)?))?
            .entry
            .as_ref()
    }

    /// Ends an exchange. The caller frees the identifier and the quota.
    pub(crate) fn remove(&mut self, packet_id: PacketId) -> Option<Entry> {
        let at = self.slot(packet_id)?;
        self.unlink(at);
        let slot = self.slots.get_mut(usize::from(at))?;
        let entry = slot.entry.take()?;
        slot.next = self.free;
        self.free = at;
        if let Some(index) = self.slot_of.get_mut(usize::from(packet_id.get())) {
            *index = NONE;
        }
        self.len -= 1;
        if let Phase::Published(outgoing) = &entry.phase {
            self.bytes -= outgoing.held_bytes();
        }
        Some(entry)
    }

    /// PUBREC: forgets the message and puts the exchange at the end of the order of PUBRELs. `None` if there is no such
    /// exchange; it must be at the stage of PUBLISH.
    pub(crate) fn release(&mut self, packet_id: PacketId, reason: ReasonCode) -> Option<PublishId> {
        let at = self.slot(packet_id)?;
        self.unlink(at);
        let entry = self.slots.get_mut(usize::from(at))?.entry.as_mut()?;
        if let Phase::Published(outgoing) = &entry.phase {
            self.bytes -= outgoing.held_bytes();
        }
        entry.phase = Phase::Released(reason);
        let id = entry.id;
        Self::link(&mut self.slots, &mut self.released, at);
        Some(id)
    }

    /// A new connection resumes the session: every PUBLISH is to be sent again, and none holds quota.
    pub(crate) fn start_resending(&mut self) {
        for slot in &mut self.slots {
            if let Some(entry) = &mut slot.entry {
                entry.counted = false;
            }
        }
        self.resend = self.published.first;
    }

    /// The next PUBLISH to send again.
    pub(crate) fn next_resend(&self) -> Option<&Entry> {
        self.slots.get(usize::from(self.resend))?.entry.as_ref()
    }

    /// The next PUBLISH was sent again and took a unit of the quota.
    pub(crate) fn resent(&mut self) {
        if let Some(slot) = self.slots.get_mut(usize::from(self.resend)) {
            self.resend = slot.next;
            if let Some(entry) = &mut slot.entry {
                entry.counted = true;
            }
        }
    }

    /// Exchanges at the stage of PUBREL, in the order of their PUBRECs.
    pub(crate) fn released(&self) -> impl Iterator<Item = &Entry> {
        let mut at = self.released.first;
        core::iter::from_fn(move || {
            let slot = self.slots.get(usize::from(at))?;
            at = slot.next;
            slot.entry.as_ref()
        })
    }

    /// The exchange at the stage of PUBREL whose PUBREC came first.
    pub(crate) fn first_released(&self) -> Option<PacketId> {
        self.packet_id_at(self.released.first)
    }

    /// The exchange whose PUBLISH was sent first.
    pub(crate) fn first_published(&self) -> Option<PacketId> {
        self.packet_id_at(self.published.first)
    }

    /// The exchange whose PUBLISH was sent last.
    pub(crate) fn last_published(&self) -> Option<PacketId> {
        self.packet_id_at(self.published.last)
    }

    fn packet_id_at(&self, slot: u16) -> Option<PacketId> {
        self.slots
            .get(usize::from(slot))?
            .entry
            .as_ref()
            .map(|entry| entry.packet_id)
    }

    fn slot(&self, packet_id: PacketId) -> Option<u16> {
        self.slot_of
            .get(usize::from(packet_id.get()))
            .copied()
            .filter(|slot| *slot != NONE)
    }

    fn take_slot(&mut self, entry: Entry) -> u16 {
        let at = self.free;
        if let Some(slot) = self.slots.get_mut(usize::from(at)) {
            self.free = slot.next;
            slot.entry = Some(entry);
            return at;
        }
        // One slot per Packet Identifier at most, so the number fits.
        let at = u16::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot {
            entry: Some(entry),
            previous: NONE,
            next: NONE,
        });
        at
    }

    fn link(slots: &mut [Slot], chain: &mut Chain, at: u16) {
        if let Some(last) = slots.get_mut(usize::from(chain.last)) {
            last.next = at;
        } else {
            chain.first = at;
        }
        if let Some(slot) = slots.get_mut(usize::from(at)) {
            slot.previous = chain.last;
            slot.next = NONE;
        }
        chain.last = at;
    }

    fn unlink(&mut self, at: u16) {
        let Some(slot) = self.slots.get(usize::from(at)) else {
            return;
        };
        let (previous, next) = (slot.previous, slot.next);
        let chain = match &slot.entry {
            Some(Entry {
                phase: Phase::Published(_),
                ..
            }) => &mut self.published,
            _ => &mut self.released,
        };
        if self.resend == at {
            self.resend = next;
        }
        match self.slots.get_mut(usize::from(previous)) {
            Some(slot) => slot.next = next,
            None => chain.first = next,
        }
        match self.slots.get_mut(usize::from(next)) {
            Some(slot) => slot.previous = previous,
            None => chain.last = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::{message::Message, time::Instant, types::TopicName};

    fn outgoing() -> Outgoing {
        let topic = TopicName::new("a").expect("a topic");
        Outgoing::new(Instant::default(), Message::new(topic, "x"))
    }

    fn packet_id(number: u16) -> PacketId {
        PacketId::new(number).expect("not zero")
    }

    /// The same table, slow and plain: exchanges in the order of their sending, and of their PUBRECs.
    #[derive(Default)]
    struct Model {
        published: Vec<u16>,
        released: Vec<u16>,
        unsent: Vec<u16>,
    }

    impl Model {
        fn forget(&mut self, id: u16) {
            self.published.retain(|other| *other != id);
            self.released.retain(|other| *other != id);
            self.unsent.retain(|other| *other != id);
        }
    }

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u16),
        Remove(u16),
        Release(u16),
        Resume,
        Resend,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (1..20_u16).prop_map(Op::Insert),
            3 => (1..20_u16).prop_map(Op::Remove),
            2 => (1..20_u16).prop_map(Op::Release),
            1 => Just(Op::Resume),
            3 => Just(Op::Resend),
        ]
    }

    fn apply(table: &mut InFlight, model: &mut Model, number: u64, op: &Op) {
        match *op {
            Op::Insert(id) => {
                let is_free = !model.published.contains(&id) && !model.released.contains(&id);
                // New messages wait until everything was sent again.
                if is_free && model.unsent.is_empty() {
                    table.insert(PublishId::new(number), packet_id(id), outgoing());
                    model.published.push(id);
                }
            }
            Op::Remove(id) => {
                let is_there = model.published.contains(&id) || model.released.contains(&id);
                assert_eq!(table.remove(packet_id(id)).is_some(), is_there);
                model.forget(id);
            }
            Op::Release(id) => {
                if model.published.contains(&id) {
                    assert!(table.release(packet_id(id), ReasonCode::SUCCESS).is_some());
                    model.forget(id);
                    model.released.push(id);
                }
            }
            Op::Resume => {
                table.start_resending();
                model.unsent = model.published.clone();
            }
            Op::Resend => {
                let next = table.next_resend().map(|entry| entry.packet_id.get());
                assert_eq!(next, model.unsent.first().copied());
                if next.is_some() {
                    table.resent();
                    model.unsent.remove(0);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_behaves_like_two_plain_lists(ops in prop::collection::vec(op(), 0..200)) {
            let (mut table, mut model) = (InFlight::default(), Model::default());
            for (number, op) in ops.iter().enumerate() {
                apply(&mut table, &mut model, number as u64, op);
                let released: Vec<_> = table.released().map(|entry| entry.packet_id.get()).collect();
                assert_eq!(released, model.released);
                assert_eq!(table.len(), model.published.len() + model.released.len());
                assert_eq!(table.bytes(), model.published.len() * outgoing().held_bytes());
                assert_eq!(table.first_published().map(PacketId::get), model.published.first().copied());
                assert_eq!(table.last_published().map(PacketId::get), model.published.last().copied());
                assert!(table.slots.len() <= 19, "slots are used again");
            }
            // What is left comes out in the order of its sending.
            table.start_resending();
            for id in &model.published {
                assert_eq!(table.next_resend().map(|entry| entry.packet_id.get()), Some(*id));
                table.resent();
            }
            assert!(table.next_resend().is_none());
        }
    }
}
