//! Allocation of Packet Identifiers: one pool per sender, shared by PUBLISH, SUBSCRIBE and UNSUBSCRIBE.

use alloc::vec::Vec;

use crate::types::PacketId;

const BITS: usize = u64::BITS as usize;
/// Identifiers are drawn from this many words (255 of them) until more than half are in use.
const FIRST_WORDS: usize = 4;
/// 65,536 bits: one for each value, of which zero is never given out.
const MAX_WORDS: usize = 1 << 16 >> 6;

/// The identifiers that name an unfinished exchange we began (v5 2.2.1, v311 2.3.1).
///
/// They are given out in turn, so that a freed one rests before it is used again, from a window that stays small while few
/// are in use: the tables that are indexed by them stay small with it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct PacketIds {
    used: Vec<u64>,
    in_use: usize,
    last: usize,
}

impl PacketIds {
    /// Takes an identifier that nothing else holds [v5 MQTT-2.2.1-3, v311 MQTT-2.3.1-2], or `None` when all 65,535 are held.
    pub(crate) fn allocate(&mut self) -> Option<PacketId> {
        self.widen();
        let words = self.used.len();
        let start = (self.last + 1) % (words * BITS);
        // The first word is looked at twice: from the start upward at first, and below the start at the end.
        for step in 0..=words {
            let word = (start / BITS + step) % words;
            let below_start = (1_u64 << (start % BITS)) - 1;
            let allowed = match step {
                0 => !below_start,
                _ if step == words => below_start,
                _ => u64::MAX,
            };
            let bits = self.used.get_mut(word)?;
            let free = !*bits & allowed;
            if free != 0 {
                let bit = free.trailing_zeros();
                *bits |= 1 << bit;
                self.last = word * BITS + bit as usize;
                self.in_use += 1;
                return PacketId::new(u16::try_from(self.last).ok()?);
            }
        }
        None
    }

    /// Gives an identifier back; one that was not taken is left alone.
    pub(crate) fn free(&mut self, packet_id: PacketId) {
        let index = usize::from(packet_id.get());
        if let Some(bits) = self.used.get_mut(index / BITS) {
            let bit = 1 << (index % BITS);
            if *bits & bit != 0 {
                *bits &= !bit;
                self.in_use -= 1;
            }
        }
    }

    /// How many are held.
    #[cfg(test)]
    const fn in_use(&self) -> usize {
        self.in_use
    }

    fn widen(&mut self) {
        let words = self.used.len();
        if words == 0 {
            // Bit 0 of the first word is the value zero, which is not an identifier.
            self.used.push(1);
            self.used.resize(FIRST_WORDS, 0);
        } else if self.in_use * 2 >= words * BITS && words < MAX_WORDS {
            self.used.resize(words * 2, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_given_once_and_then_none() {
        let mut ids = PacketIds::default();
        let mut seen = alloc::collections::BTreeSet::new();
        for _ in 0..65_535 {
            assert!(seen.insert(ids.allocate().expect("one is free").get()));
        }
        assert_eq!(ids.in_use(), 65_535);
        assert_eq!(ids.allocate(), None);
        ids.free(PacketId::new(77).expect("not zero"));
        assert_eq!(ids.allocate().map(PacketId::get), Some(77));
        assert_eq!(ids.allocate(), None);
    }

    #[test]
    fn v5_mqtt_2_2_1_3_an_identifier_in_use_is_skipped_when_the_counter_comes_round() {
        let mut ids = PacketIds::default();
        assert_eq!(ids.allocate().map(PacketId::get), Some(1));
        for _ in 0..200_000 {
            let id = ids.allocate().expect("one is free");
            assert_ne!(id.get(), 1);
            ids.free(id);
        }
        assert_eq!(ids.in_use(), 1);
    }

    #[test]
    fn a_freed_identifier_rests_before_it_is_used_again() {
        let mut ids = PacketIds::default();
        for _ in 0..1_000 {
            let id = ids.allocate().expect("one is free");
            ids.free(id);
            let next = ids.allocate().expect("one is free");
            assert_ne!(id, next);
            ids.free(next);
        }
        // Few in use: the window stays at its first size.
        assert_eq!(ids.used.len(), FIRST_WORDS);
    }

    #[test]
    fn freeing_twice_changes_nothing() {
        let mut ids = PacketIds::default();
        let id = ids.allocate().expect("one is free");
        ids.free(id);
        ids.free(id);
        ids.free(PacketId::new(9_999).expect("not zero"));
        assert_eq!(ids.in_use(), 0);
    }
}
