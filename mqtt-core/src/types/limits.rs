//! Numbers that have a rule or a unit.

use core::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

/// Keep Alive: the longest pause between two packets that a client may leave, in seconds; 0 turns it off
/// (v5 and v311 3.1.2.10).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeepAlive(u16);

impl KeepAlive {
    /// No Keep Alive: the client may be silent for ever.
    pub const OFF: Self = Self(0);

    /// A Keep Alive of `seconds`; 0 is [`KeepAlive::OFF`].
    #[must_use]
    pub const fn from_secs(seconds: u16) -> Self {
        Self(seconds)
    }

    /// The seconds as written on the wire; 0 is off.
    #[must_use]
    pub const fn as_secs(self) -> u16 {
        self.0
    }

    /// The longest pause, or `None` when Keep Alive is off.
    #[must_use]
    pub fn interval(self) -> Option<Duration> {
        (self.0 != 0).then(|| Duration::from_secs(u64::from(self.0)))
    }
}

/// Receive Maximum: how many QoS 1 and 2 PUBLISH packets may be unacknowledged at once, 1 to 65,535
/// (v5 3.1.2.11.3, 3.2.2.3.3). Absent means 65,535, which is the `Default`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReceiveMaximum(NonZeroU16);

impl ReceiveMaximum {
    /// A Receive Maximum of `value`, or `None` for zero.
    #[must_use]
    pub const fn new(value: u16) -> Option<Self> {
        match NonZeroU16::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl Default for ReceiveMaximum {
    fn default() -> Self {
        Self(NonZeroU16::MAX)
    }
}

/// Maximum Packet Size in bytes, fixed header included, never zero (v5 3.1.2.11.4, 3.2.2.3.6).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MaximumPacketSize(NonZeroU32);

impl MaximumPacketSize {
    /// The largest packet that the encoding of Remaining Length allows: 268,435,460 bytes.
    pub const LARGEST_POSSIBLE: Self = match NonZeroU32::new(268_435_460) {
        Some(value) => Self(value),
        None => unreachable!(),
    };

    /// A limit of `bytes`, or `None` for zero.
    #[must_use]
    pub const fn new(bytes: u32) -> Option<Self> {
        match NonZeroU32::new(bytes) {
            Some(bytes) => Some(Self(bytes)),
            None => None,
        }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// Topic Alias: a number that stands for a Topic Name on one connection, never zero (v5 3.3.2.3.4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicAlias(NonZeroU16);

impl TopicAlias {
    /// The alias `value`, or `None` for zero.
    #[must_use]
    pub const fn new(value: u16) -> Option<Self> {
        match NonZeroU16::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

/// Subscription Identifier, 1 to 268,435,455 (v5 3.8.2.1.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscriptionId(NonZeroU32);

impl SubscriptionId {
    /// The highest identifier, 268,435,455.
    pub const MAX: Self = match NonZeroU32::new(268_435_455) {
        Some(value) => Self(value),
        None => unreachable!(),
    };

    /// The identifier `value`, or `None` for zero and above 268,435,455.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(id) if value <= Self::MAX.get() => Some(Self(id)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// Session Expiry Interval: how long a session outlives its connection, in seconds (v5 3.1.2.11.2).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionExpiry(u32);

impl SessionExpiry {
    /// The session ends when its connection closes.
    pub const AT_CLOSE: Self = Self(0);
    /// The session never ends by itself.
    pub const NEVER: Self = Self(u32::MAX);

    /// An interval of `seconds`; `u32::MAX` is [`SessionExpiry::NEVER`].
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The seconds as written on the wire.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_out_of_range_are_refused() {
        assert_eq!(ReceiveMaximum::new(0), None);
        assert_eq!(MaximumPacketSize::new(0), None);
        assert_eq!(TopicAlias::new(0), None);
        assert_eq!(SubscriptionId::new(0), None);
        assert_eq!(SubscriptionId::new(268_435_456), None);
        assert_eq!(SubscriptionId::new(268_435_455), Some(SubscriptionId::MAX));
        assert_eq!(KeepAlive::OFF.interval(), None);
        assert_eq!(
            KeepAlive::from_secs(60).interval(),
            Some(Duration::from_secs(60))
        );
    }
}
