//! What is in a list of properties, so that it need not be gone through to be checked.

use crate::{
    types::Role,
    wire::{Property, PropertyHolder, PropertyId},
};

/// Which identifiers a list has, one bit for each, and in the unused high bits what must be looked at more closely
/// before the list is encoded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Summary(u64);

/// A property that may be there once in any packet is there more than once.
const REPEATED: u64 = 1 << 60;
/// There are several Subscription Identifiers, which only PUBLISH may have.
const SUBSCRIPTION_IDS: u64 = 1 << 61;
/// A value that has no wire form.
const UNWRITABLE: u64 = 1 << 62;
/// Some properties were taken out by `Properties::without`, so the bytes cannot be copied as they are.
const FILTERED: u64 = 1 << 63;

/// How far apart the bit of a Subscription Identifier and [`SUBSCRIPTION_IDS`] are.
const SUBSCRIPTION_IDS_SHIFT: u32 =
    SUBSCRIPTION_IDS.trailing_zeros() - PropertyId::SubscriptionIdentifier as u32;

const fn bit(id: PropertyId) -> u64 {
    1 << id.as_u8()
}

impl Summary {
    pub(super) const EMPTY: Self = Self(0);
    pub(super) const FILTERED: Self = Self(FILTERED);

    pub(super) const fn has(self, id: PropertyId) -> bool {
        self.0 & bit(id) != 0
    }

    pub(super) const fn is_filtered(self) -> bool {
        self.0 & FILTERED != 0
    }

    pub(super) const fn is_repeated(self) -> bool {
        self.0 & REPEATED != 0
    }

    pub(super) const fn unfiltered(self) -> Self {
        Self(self.0 & !FILTERED)
    }

    /// Whether `sender` may write the list into `holder`.
    pub(super) fn suits(self, holder: PropertyHolder, sender: Role) -> bool {
        let mut allowed = holder.ids_from(sender) | FILTERED;
        if PropertyId::SubscriptionIdentifier.repeatable_in(holder) {
            allowed |= SUBSCRIPTION_IDS;
        }
        self.0 & !allowed == 0
    }

    /// Hides every property with this identifier.
    pub(super) const fn hide(&mut self, id: PropertyId) {
        self.0 = self.0 & !bit(id) | FILTERED;
    }

    pub(super) fn add(&mut self, property: &Property<'_>) {
        let id = property.id();
        if self.has(id)
            && !matches!(
                id,
                PropertyId::UserProperty | PropertyId::SubscriptionIdentifier
            )
        {
            self.0 |= REPEATED;
        }
        if !property.is_writable() {
            self.0 |= UNWRITABLE;
        }
        *self = Self::of(self.0 | bit(id), self.0 & bit(id));
    }

    /// Of identifiers that are there, and of those that are there again.
    const fn of(all: u64, again: u64) -> Self {
        let subscription_ids = again & bit(PropertyId::SubscriptionIdentifier);
        Self(all | subscription_ids << SUBSCRIPTION_IDS_SHIFT)
    }
}

/// Which identifiers a list that is being checked may have, and which it has so far.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    allowed: u64,
    repeatable: u64,
    all: u64,
    again: u64,
}

impl Seen {
    pub(super) fn new(holder: PropertyHolder, sender: Role) -> Self {
        Self {
            allowed: holder.ids_from(sender),
            repeatable: holder.repeatable_ids(),
            all: 0,
            again: 0,
        }
    }

    /// Adds the next property by its number, or says that it must not be there, or not again.
    #[inline(always)]
    pub(super) const fn add(&mut self, number: u8) -> bool {
        let Some(bit) = 1_u64.checked_shl(number as u32) else {
            return false;
        };
        if self.allowed & (!self.all | self.repeatable) & bit == 0 {
            return false;
        }
        self.again |= self.all & bit;
        self.all |= bit;
        true
    }

    /// Of a list in which each value is right.
    pub(super) const fn summary(self) -> Summary {
        Summary::of(self.all, self.again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        types::PacketType,
        wire::{Checked, Reader},
    };

    /// What is seen in the bits is what the rules say of each property, once, twice and more often, and lists are not gone
    /// through in vain.
    #[test]
    fn the_bits_say_what_the_rules_say() {
        let packets = PacketType::ALL.map(PropertyHolder::Packet);
        for holder in packets.into_iter().chain([PropertyHolder::Will]) {
            for sender in [Role::Client, Role::Server] {
                for id in PropertyId::ALL {
                    // A number, or the string "a" and behind it "b"; only a Subscription Identifier must not be 0.
                    let number = if id == PropertyId::SubscriptionIdentifier {
                        1
                    } else {
                        0
                    };
                    let bytes = [id.as_u8(), number, 1, b'a', 0, 1, b'b'];
                    let property = Property::read(&mut Reader::new(&bytes, Checked)).unwrap();
                    let once = id.allowed_in(holder) && id.may_be_sent_by(sender, holder);
                    let twice = once && id.repeatable_in(holder);

                    let (mut summary, mut seen) = (Summary::EMPTY, Seen::new(holder, sender));
                    assert!(!summary.has(id));
                    for may_be_there in [once, twice, twice] {
                        summary.add(&property);
                        assert!(summary.has(id));
                        assert_eq!(
                            summary.suits(holder, sender),
                            may_be_there,
                            "{id} in {holder}"
                        );
                        assert_eq!(seen.add(id.as_u8()), may_be_there, "{id} in {holder}");
                        if may_be_there {
                            assert_eq!(seen.summary(), summary, "{id} in {holder}");
                        }
                    }
                }
            }
        }
    }
}
