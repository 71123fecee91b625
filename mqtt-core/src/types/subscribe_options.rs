//! Subscription Options.

use crate::types::QoS;

/// Retain Handling: when retained messages are sent for a subscription (v5 3.8.3.1).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RetainHandling {
    /// Send retained messages at every SUBSCRIBE.
    #[default]
    Send = 0,
    /// Send them only if the subscription did not exist.
    SendIfNew = 1,
    /// Never send them.
    DontSend = 2,
}

impl RetainHandling {
    /// The option written as `value`, or `None` above 2.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Send),
            1 => Some(Self::SendIfNew),
            2 => Some(Self::DontSend),
            _ => None,
        }
    }
}

/// Subscription Options of one Topic Filter (v5 3.8.3.1). In 3.x only `qos` exists; the rest must be left as in the
/// `Default`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscribeOptions {
    /// The highest QoS at which messages are to be sent to this subscription.
    pub qos: QoS,
    /// Do not send back what the same client published. Not allowed on a shared subscription.
    pub no_local: bool,
    /// Keep the RETAIN flag of forwarded messages as it was published.
    pub retain_as_published: bool,
    /// When retained messages are sent.
    pub retain_handling: RetainHandling,
}

impl SubscribeOptions {
    // Where in the options byte they are.
    pub(crate) const QOS: u8 = 0b11;
    pub(crate) const NO_LOCAL: u8 = 1 << 2;
    const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
    pub(crate) const RETAIN_HANDLING: u8 = 0b11 << 4;

    /// The options `qos` and otherwise the default, which every version can express.
    #[must_use]
    pub const fn with_qos(qos: QoS) -> Self {
        Self {
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }

    /// The options byte of v5 3.8.3.1; in 3.x the same byte is the requested QoS.
    #[must_use]
    pub(crate) const fn as_u8(self) -> u8 {
        self.qos.as_u8()
            | (self.no_local as u8 * Self::NO_LOCAL)
            | (self.retain_as_published as u8 * Self::RETAIN_AS_PUBLISHED)
            | (self.retain_handling as u8) << Self::RETAIN_HANDLING.trailing_zeros()
    }

    /// The options written as `byte`, or `None` if a field or a reserved bit has a value it must not have.
    #[must_use]
    pub(crate) const fn from_u8(byte: u8) -> Option<Self> {
        if byte & 0b1100_0000 != 0 {
            return None;
        }
        match (
            QoS::from_u8(byte & Self::QOS),
            RetainHandling::from_u8((byte & Self::RETAIN_HANDLING) >> 4),
        ) {
            (Some(qos), Some(retain_handling)) => Some(Self {
                qos,
                no_local: byte & Self::NO_LOCAL != 0,
                retain_as_published: byte & Self::RETAIN_AS_PUBLISHED != 0,
                retain_handling,
            }),
            _ => None,
        }
    }
}

impl From<QoS> for SubscribeOptions {
    fn from(qos: QoS) -> Self {
        Self::with_qos(qos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_maps_to_options_or_to_nothing() {
        let legal = (0..=u8::MAX).filter(|byte| match SubscribeOptions::from_u8(*byte) {
            Some(options) => {
                assert_eq!(options.as_u8(), *byte);
                true
            }
            None => false,
        });
        // Three QoS, two flags of two values, three ways of Retain Handling.
        assert_eq!(legal.count(), 3 * 2 * 2 * 3);
    }

    #[test]
    fn a_qos_alone_leaves_the_rest_as_it_is_by_default() {
        let expected = SubscribeOptions {
            qos: QoS::ExactlyOnce,
            ..SubscribeOptions::default()
        };
        assert_eq!(SubscribeOptions::from(QoS::ExactlyOnce), expected);
        assert_eq!(expected.as_u8(), 2);
    }
}
