//! Quality of Service.

/// Quality of Service: how hard both ends try to deliver a message (v311 and v5 4.3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum QoS {
    /// QoS 0: sent once, never acknowledged.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: acknowledged by PUBACK; may arrive more than once.
    AtLeastOnce = 1,
    /// QoS 2: a two-step exchange; arrives exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// The QoS written as `value`, or `None` above 2.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The number of this QoS on the wire.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }
}
