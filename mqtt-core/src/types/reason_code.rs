//! Reason Codes, and which packet may carry which.

use core::fmt;

use crate::types::{PacketType, Role};

/// Reason Code: the result of an operation (v5 2.4). Below 0x80 is success.
///
/// Codes that a sender may not use in a given packet are still values of this type, so that one can be shown;
/// [`ReasonCode::allowed_in`] is the table of the standard. The five CONNACK return codes of 3.x are represented by the
/// Reason Codes with the same meaning.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReasonCode(u8);

// Where a code may stand. PUBREC is like PUBACK, and PUBCOMP like PUBREL.
const CONNACK: u16 = 1;
const ACK_BY_CLIENT: u16 = 1 << 1;
const ACK_BY_SERVER: u16 = 1 << 2;
const ACK: u16 = ACK_BY_CLIENT | ACK_BY_SERVER;
const REL: u16 = 1 << 3;
const SUBACK: u16 = 1 << 4;
const UNSUBACK: u16 = 1 << 5;
const DISC_BY_CLIENT: u16 = 1 << 6;
const DISC_BY_SERVER: u16 = 1 << 7;
const DISC: u16 = DISC_BY_CLIENT | DISC_BY_SERVER;
const AUTH_BY_CLIENT: u16 = 1 << 8;
const AUTH_BY_SERVER: u16 = 1 << 9;
const AUTH: u16 = AUTH_BY_CLIENT | AUTH_BY_SERVER;

macro_rules! reason_codes {
    ($($value:literal $name:ident $text:literal $places:expr;)*) => {
        impl ReasonCode {
            $(
                #[doc = concat!("`", stringify!($value), "` ", $text, ".")]
                pub const $name: Self = Self($value);
            )*

            /// Every code that the standard names, lowest first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The standard's name of this code, or `"unknown"`. 0x00 has one name per packet; this is the general one.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($value => $text,)*
                    _ => "unknown",
                }
            }

            const fn places(self) -> u16 {
                match self.0 {
                    $($value => $places,)*
                    _ => 0,
                }
            }
        }
    };
}

// v5 2.4 and the tables of 3.2.2.2, 3.4.2.1, 3.5.2.1, 3.6.2.1, 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1 and 3.15.2.1.
reason_codes! {
    0x00 SUCCESS "Success" CONNACK | ACK | REL | SUBACK | UNSUBACK | DISC | AUTH_BY_SERVER;
    0x01 GRANTED_QOS_1 "Granted QoS 1" SUBACK;
    0x02 GRANTED_QOS_2 "Granted QoS 2" SUBACK;
    0x04 DISCONNECT_WITH_WILL_MESSAGE "Disconnect with Will Message" DISC_BY_CLIENT;
    0x10 NO_MATCHING_SUBSCRIBERS "No matching subscribers" ACK_BY_SERVER;
    0x11 NO_SUBSCRIPTION_EXISTED "No subscription existed" UNSUBACK;
    0x18 CONTINUE_AUTHENTICATION "Continue authentication" AUTH;
    0x19 RE_AUTHENTICATE "Re-authenticate" AUTH_BY_CLIENT;
    0x80 UNSPECIFIED_ERROR "Unspecified error" CONNACK | ACK | SUBACK | UNSUBACK | DISC;
    0x81 MALFORMED_PACKET "Malformed Packet" CONNACK | DISC;
    0x82 PROTOCOL_ERROR "Protocol Error" CONNACK | DISC;
    0x83 IMPLEMENTATION_SPECIFIC_ERROR "Implementation specific error" CONNACK | ACK | SUBACK | UNSUBACK | DISC;
    0x84 UNSUPPORTED_PROTOCOL_VERSION "Unsupported Protocol Version" CONNACK;
    0x85 CLIENT_IDENTIFIER_NOT_VALID "Client Identifier not valid" CONNACK;
    0x86 BAD_USER_NAME_OR_PASSWORD "Bad User Name or Password" CONNACK;
    0x87 NOT_AUTHORIZED "Not authorized" CONNACK | ACK | SUBACK | UNSUBACK | DISC_BY_SERVER;
    0x88 SERVER_UNAVAILABLE "Server unavailable" CONNACK;
    0x89 SERVER_BUSY "Server busy" CONNACK | DISC_BY_SERVER;
    0x8A BANNED "Banned" CONNACK;
    0x8B SERVER_SHUTTING_DOWN "Server shutting down" DISC_BY_SERVER;
    // In the general table also for DISCONNECT, but not in DISCONNECT's own: taken there, not sent.
    0x8C BAD_AUTHENTICATION_METHOD "Bad authentication method" CONNACK;
    0x8D KEEP_ALIVE_TIMEOUT "Keep Alive timeout" DISC_BY_SERVER;
    0x8E SESSION_TAKEN_OVER "Session taken over" DISC_BY_SERVER;
    0x8F TOPIC_FILTER_INVALID "Topic Filter invalid" SUBACK | UNSUBACK | DISC_BY_SERVER;
    0x90 TOPIC_NAME_INVALID "Topic Name invalid" CONNACK | ACK | DISC;
    0x91 PACKET_IDENTIFIER_IN_USE "Packet Identifier in use" ACK | SUBACK | UNSUBACK;
    0x92 PACKET_IDENTIFIER_NOT_FOUND "Packet Identifier not found" REL;
    0x93 RECEIVE_MAXIMUM_EXCEEDED "Receive Maximum exceeded" DISC;
    0x94 TOPIC_ALIAS_INVALID "Topic Alias invalid" DISC;
    0x95 PACKET_TOO_LARGE "Packet too large" CONNACK | DISC;
    0x96 MESSAGE_RATE_TOO_HIGH "Message rate too high" DISC;
    0x97 QUOTA_EXCEEDED "Quota exceeded" CONNACK | ACK | SUBACK | DISC;
    0x98 ADMINISTRATIVE_ACTION "Administrative action" DISC;
    0x99 PAYLOAD_FORMAT_INVALID "Payload format invalid" CONNACK | ACK | DISC;
    0x9A RETAIN_NOT_SUPPORTED "Retain not supported" CONNACK | DISC_BY_SERVER;
    0x9B QOS_NOT_SUPPORTED "QoS not supported" CONNACK | DISC_BY_SERVER;
    0x9C USE_ANOTHER_SERVER "Use another server" CONNACK | DISC_BY_SERVER;
    0x9D SERVER_MOVED "Server moved" CONNACK | DISC_BY_SERVER;
    0x9E SHARED_SUBSCRIPTIONS_NOT_SUPPORTED "Shared Subscriptions not supported" SUBACK | DISC_BY_SERVER;
    0x9F CONNECTION_RATE_EXCEEDED "Connection rate exceeded" CONNACK | DISC_BY_SERVER;
    0xA0 MAXIMUM_CONNECT_TIME "Maximum connect time" DISC_BY_SERVER;
    0xA1 SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED "Subscription Identifiers not supported" SUBACK | DISC_BY_SERVER;
    0xA2 WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED "Wildcard Subscriptions not supported" SUBACK | DISC_BY_SERVER;
}

/// What the CONNACK return codes 0 to 5 of 3.x mean (v311 3.2.2.3).
const RETURN_CODES: [ReasonCode; 6] = [
    ReasonCode::SUCCESS,
    ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
    ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
    ReasonCode::SERVER_UNAVAILABLE,
    ReasonCode::BAD_USER_NAME_OR_PASSWORD,
    ReasonCode::NOT_AUTHORIZED,
];

impl ReasonCode {
    /// `0x00` as DISCONNECT names it: Normal disconnection.
    pub const NORMAL_DISCONNECTION: Self = Self::SUCCESS;
    /// `0x00` as SUBACK names it: Granted QoS 0.
    pub const GRANTED_QOS_0: Self = Self::SUCCESS;

    /// The code `value`, whether or not the standard names it.
    #[must_use]
    pub const fn new(value: u8) -> Self {
        Self(value)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The Reason Code with the meaning of a CONNACK return code of 3.x, 0 to 5 (v311 3.2.2.3). `None` for those that are
    /// reserved.
    #[must_use]
    pub fn from_return_code(code: u8) -> Option<Self> {
        RETURN_CODES.get(usize::from(code)).copied()
    }

    /// The CONNACK return code with this meaning, 0 to 5, or `None` if 3.x cannot say it (v311 3.2.2.3).
    #[must_use]
    pub fn return_code(self) -> Option<u8> {
        (0..)
            .zip(RETURN_CODES)
            .find(|(_, known)| *known == self)
            .map(|(code, _)| code)
    }

    /// Whether the operation failed: 0x80 and above.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether `sender` may put this code into a packet of this type in 5.0. False for packets without Reason Codes.
    #[must_use]
    pub const fn allowed_in(self, packet_type: PacketType, sender: Role) -> bool {
        let place = match (packet_type, sender) {
            (PacketType::Connack, Role::Server) => CONNACK,
            (PacketType::Puback | PacketType::Pubrec, Role::Client) => ACK_BY_CLIENT,
            (PacketType::Puback | PacketType::Pubrec, Role::Server) => ACK_BY_SERVER,
            (PacketType::Pubrel | PacketType::Pubcomp, _) => REL,
            (PacketType::Suback, Role::Server) => SUBACK,
            (PacketType::Unsuback, Role::Server) => UNSUBACK,
            (PacketType::Disconnect, Role::Client) => DISC_BY_CLIENT,
            (PacketType::Disconnect, Role::Server) => DISC_BY_SERVER,
            (PacketType::Auth, Role::Client) => AUTH_BY_CLIENT,
            (PacketType::Auth, Role::Server) => AUTH_BY_SERVER,
            _ => return false,
        };
        self.places() & place != 0
    }

    /// Whether a receiver takes this code in a packet of this type from `sender`: what may be sent, and what two
    /// places of the standard disagree about (0x8C in any DISCONNECT, v5 2.4; 0x9B in a client's, v5 3.3.4).
    pub(crate) const fn accepted_in(self, packet_type: PacketType, sender: Role) -> bool {
        self.allowed_in(packet_type, sender)
            || matches!((packet_type, self.0), (PacketType::Disconnect, 0x8C | 0x9B))
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasonCode({self})")
    }
}

/// Shows the number and the name, such as `0x10 No matching subscribers`.
impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} {}", self.0, self.name())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;

    fn count(packet_type: PacketType, senders: &[Role]) -> usize {
        let allowed = |code: &u8| {
            senders
                .iter()
                .any(|role| ReasonCode::new(*code).allowed_in(packet_type, *role))
        };
        (0..=u8::MAX).filter(allowed).count()
    }

    /// The numbers of rows in the tables of the standard.
    #[test]
    fn each_packet_has_as_many_codes_as_its_table() {
        let both = &[Role::Client, Role::Server];
        for (packet_type, expected) in [
            (PacketType::Connack, 22),
            (PacketType::Puback, 9),
            (PacketType::Pubrec, 9),
            (PacketType::Pubrel, 2),
            (PacketType::Pubcomp, 2),
            (PacketType::Suback, 12),
            (PacketType::Unsuback, 7),
            (PacketType::Disconnect, 29),
            (PacketType::Auth, 3),
            (PacketType::Publish, 0),
            (PacketType::Connect, 0),
        ] {
            assert_eq!(count(packet_type, both), expected, "{packet_type}");
        }
        assert_eq!(count(PacketType::Disconnect, &[Role::Client]), 14);
        assert_eq!(count(PacketType::Disconnect, &[Role::Server]), 28);
        assert_eq!(count(PacketType::Puback, &[Role::Client]), 8);
    }

    #[test]
    fn return_codes_there_and_back() {
        for code in 0..=u8::MAX {
            let reason = ReasonCode::from_return_code(code);
            assert_eq!(reason.is_some(), code <= 5);
            assert_eq!(
                reason.and_then(ReasonCode::return_code),
                reason.map(|_| code)
            );
        }
        assert_eq!(
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION.return_code(),
            Some(1)
        );
        assert_eq!(ReasonCode::NOT_AUTHORIZED.return_code(), Some(5));
        assert_eq!(ReasonCode::BANNED.return_code(), None);
    }

    #[test]
    fn shown_with_number_and_name() {
        assert_eq!(
            ReasonCode::NO_MATCHING_SUBSCRIBERS.to_string(),
            "0x10 No matching subscribers"
        );
        assert_eq!(ReasonCode::new(0x7F).to_string(), "0x7F unknown");
        assert_eq!(
            format!("{:?}", ReasonCode::BANNED),
            "ReasonCode(0x8A Banned)"
        );
        assert!(!ReasonCode::new(0x7F).is_error() && ReasonCode::UNSPECIFIED_ERROR.is_error());
        assert_eq!(ReasonCode::ALL.len(), 43);
    }
}
