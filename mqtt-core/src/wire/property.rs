//! The 27 properties of 5.0: identifier, type, where each is allowed and how often, in one table (v5 2.2.2.2).

use core::fmt;

use crate::{
    error::DecodeError,
    types::{
        KeepAlive, MAX_FIELD_LEN, MaximumPacketSize, PacketType, QoS, ReceiveMaximum, Role,
        SessionExpiry, SubscriptionId, TopicAlias, TopicName, Utf8,
    },
    wire::{Checked, Reader, Writer, property_value::Value},
};

/// Payload Format Indicator (v5 3.3.2.3.2).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PayloadFormat {
    /// Any bytes. The same as no Payload Format Indicator.
    #[default]
    Unspecified = 0,
    /// The payload is UTF-8 encoded text.
    Utf8 = 1,
}

/// What a list of properties belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PropertyHolder {
    /// A packet of this type.
    Packet(PacketType),
    /// The Will in a CONNECT, which has a list of its own (v5 3.1.3.2).
    Will,
}

impl PropertyHolder {
    /// The number of the packet type, and 0 for the Will.
    const fn index(self) -> usize {
        match self {
            Self::Will => 0,
            Self::Packet(packet_type) => packet_type as usize,
        }
    }

    const fn bit(self) -> u16 {
        1 << self.index()
    }

    /// The identifiers that `sender` may use here, one bit for each.
    #[inline]
    pub(crate) fn ids_from(self, sender: Role) -> u64 {
        let sets = match sender {
            Role::Client => &FROM_CLIENT,
            Role::Server => &FROM_SERVER,
        };
        sets.get(self.index()).copied().unwrap_or_default()
    }

    /// The identifiers that may be here more than once, one bit for each.
    #[inline]
    pub(crate) fn repeatable_ids(self) -> u64 {
        REPEATABLE.get(self.index()).copied().unwrap_or_default()
    }
}

// The table below by what holds the properties, so that a list is checked by looking at bits.
const FROM_CLIENT: [u64; 16] = id_sets(Some(Role::Client));
const FROM_SERVER: [u64; 16] = id_sets(Some(Role::Server));
const REPEATABLE: [u64; 16] = id_sets(None);

/// One set for each [`PropertyHolder::index`]: what the sender may use, or what may be repeated.
#[expect(
    clippy::indexing_slicing,
    reason = "bounded by the conditions of the loops, and at compile time"
)]
const fn id_sets(sender: Option<Role>) -> [u64; 16] {
    let mut sets = [0; 16];
    let mut index = 0;
    while index < 16 {
        let holder = if index == 0 {
            PropertyHolder::Will
        } else {
            PropertyHolder::Packet(PacketType::ALL[index - 1])
        };
        let mut next = 0;
        while next < PropertyId::ALL.len() {
            let id = PropertyId::ALL[next];
            let member = match sender {
                Some(sender) => id.allowed_in(holder) && id.may_be_sent_by(sender, holder),
                None => id.repeatable_in(holder),
            };
            if member {
                sets[index] |= 1 << id.as_u8();
            }
            next += 1;
        }
        index += 1;
    }
    sets
}

impl fmt::Display for PropertyHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(packet_type) => packet_type.fmt(f),
            Self::Will => f.write_str("Will"),
        }
    }
}

const fn packet(packet_type: PacketType) -> u16 {
    PropertyHolder::Packet(packet_type).bit()
}

const WILL: u16 = PropertyHolder::Will.bit();
const CONNECT: u16 = packet(PacketType::Connect);
const CONNACK: u16 = packet(PacketType::Connack);
const PUBLISH: u16 = packet(PacketType::Publish);
const SUBSCRIBE: u16 = packet(PacketType::Subscribe);
const UNSUBSCRIBE: u16 = packet(PacketType::Unsubscribe);
const DISCONNECT: u16 = packet(PacketType::Disconnect);
const AUTH: u16 = packet(PacketType::Auth);
/// The answers that end or continue one exchange.
const ACKS: u16 = packet(PacketType::Puback)
    | packet(PacketType::Pubrec)
    | packet(PacketType::Pubrel)
    | packet(PacketType::Pubcomp)
    | packet(PacketType::Suback)
    | packet(PacketType::Unsuback);
const EVERY: u16 =
    WILL | CONNECT | CONNACK | PUBLISH | ACKS | SUBSCRIBE | UNSUBSCRIBE | DISCONNECT | AUTH;
const NONE: u16 = 0;

macro_rules! properties {
    (@read $reader:ident $name:ident $type:ty) => {
        Some(Self::$name(<$type as Value<'a>>::read($reader)?))
    };
    // In a function of its own, so that it costs all others no registers.
    (@read $reader:ident $name:ident $($type:ty),+) => {{
        #[inline(never)]
        fn read<'a>(reader: &mut Reader<'a, Checked>) -> Option<Property<'a>> {
            Some(Property::$name($(<$type as Value<'a>>::read(reader)?),+))
        }
        read($reader)
    }};
    ($($id:literal $name:ident($($field:ident: $type:ty),+) in $holders:expr, many in $many:expr, $text:literal;)*) => {
        /// A property with its value (v5 2.2.2.2).
        #[derive(Clone, Copy, Eq, Hash, PartialEq)]
        pub enum Property<'a> {
            $(
                #[doc = $text]
                $name($($type),+),
            )*
        }

        /// The identifier of a property (v5 2.2.2.2).
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum PropertyId {
            $(
                #[doc = $text]
                $name = $id,
            )*
        }

        impl PropertyId {
            /// Every identifier, lowest first.
            pub const ALL: [Self; 27] = [$(Self::$name,)*];

            /// The identifier with the number `value`, or `None` if the standard has no such.
            #[must_use]
            pub const fn from_u32(value: u32) -> Option<Self> {
                match value {
                    $($id => Some(Self::$name),)*
                    _ => None,
                }
            }

            const fn holders(self) -> u16 {
                match self {
                    $(Self::$name => $holders,)*
                }
            }

            const fn many_in(self) -> u16 {
                match self {
                    $(Self::$name => $many,)*
                }
            }
        }

        impl<'a> Property<'a> {
            /// The identifier.
            #[must_use]
            pub const fn id(&self) -> PropertyId {
                match self {
                    $(Self::$name(..) => PropertyId::$name,)*
                }
            }

            /// Checks the value of the property with this number.
            // Makes no property of it: to bring all kinds of them together would take longer than to check one.
            #[inline(always)]
            pub(super) fn check(number: u8, reader: &mut Reader<'a>) -> Result<(), DecodeError> {
                match number {
                    $($id => {
                        $(<$type as Value<'a>>::check(PropertyId::$name, reader)?;)+
                        Ok(())
                    })*
                    // Not reached: nobody calls it with a number that is no identifier.
                    _ => Err(DecodeError::UnknownProperty { id: number.into() }),
                }
            }

            /// Reads a property that was checked.
            #[inline(never)]
            pub(super) fn read(reader: &mut Reader<'a, Checked>) -> Option<Self> {
                match reader.next_u8()? {
                    $($id => properties!(@read reader $name $($type),+),)*
                    _ => None,
                }
            }

            /// Bytes on the wire, identifier included.
            #[inline]
            pub(crate) fn wire_len(&self) -> usize {
                match self {
                    $(Self::$name($($field),+) => 1 $(+ $field.wire_len())+,)*
                }
            }

            /// Appends identifier and value.
            #[inline]
            pub(crate) fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
                match self {
                    $(Self::$name($($field),+) => {
                        // Every identifier is below 128, so its Variable Byte Integer is the number itself.
                        let writer = writer.u8($id);
                        $(let writer = $field.write(writer);)+
                        writer
                    })*
                }
            }
        }

        impl fmt::Debug for Property<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name($($field),+) => f.debug_tuple(stringify!($name))$(.field(&$field.shown()))+.finish(),)*
                }
            }
        }
    };
}

properties! {
    1 PayloadFormatIndicator(value: PayloadFormat) in PUBLISH | WILL, many in NONE,
        "Whether the payload is UTF-8 text.";
    2 MessageExpiryInterval(value: u32) in PUBLISH | WILL, many in NONE,
        "Lifetime of the message in seconds; absent means no end.";
    3 ContentType(value: Utf8<'a>) in PUBLISH | WILL, many in NONE,
        "What the payload is, in the application's words.";
    8 ResponseTopic(value: TopicName<'a>) in PUBLISH | WILL, many in NONE,
        "Where an answer is to be published.";
    9 CorrelationData(value: &'a [u8]) in PUBLISH | WILL, many in NONE,
        "What an answer is to carry so that it can be told which request it is for.";
    11 SubscriptionIdentifier(value: SubscriptionId) in PUBLISH | SUBSCRIBE, many in PUBLISH,
        "Number of a subscription, given by the client in SUBSCRIBE and sent back by the server in PUBLISH.";
    17 SessionExpiryInterval(value: SessionExpiry) in CONNECT | CONNACK | DISCONNECT, many in NONE,
        "How long the session outlives its connection.";
    18 AssignedClientIdentifier(value: Utf8<'a>) in CONNACK, many in NONE,
        "The Client Identifier that the server chose.";
    19 ServerKeepAlive(value: KeepAlive) in CONNACK, many in NONE,
        "The Keep Alive that the server chose instead of the client's.";
    21 AuthenticationMethod(value: Utf8<'a>) in CONNECT | CONNACK | AUTH, many in NONE,
        "Name of the extended authentication.";
    22 AuthenticationData(value: &'a [u8]) in CONNECT | CONNACK | AUTH, many in NONE,
        "What the Authentication Method exchanges.";
    23 RequestProblemInformation(value: bool) in CONNECT, many in NONE,
        "Whether Reason String and User Properties may be sent in any packet; absent means yes.";
    24 WillDelayInterval(value: u32) in WILL, many in NONE,
        "Seconds between the end of the connection and the publishing of its Will.";
    25 RequestResponseInformation(value: bool) in CONNECT, many in NONE,
        "Whether the server is asked for Response Information; absent means no.";
    26 ResponseInformation(value: Utf8<'a>) in CONNACK, many in NONE,
        "What Response Topics can be made of.";
    28 ServerReference(value: Utf8<'a>) in CONNACK | DISCONNECT, many in NONE,
        "Another server to use.";
    31 ReasonString(value: Utf8<'a>) in CONNACK | ACKS | DISCONNECT | AUTH, many in NONE,
        "What happened, for people to read.";
    33 ReceiveMaximum(value: ReceiveMaximum) in CONNECT | CONNACK, many in NONE,
        "How many QoS 1 and 2 PUBLISH packets the sender takes unacknowledged.";
    34 TopicAliasMaximum(value: u16) in CONNECT | CONNACK, many in NONE,
        "The highest Topic Alias that the sender takes; absent or 0 means none.";
    35 TopicAlias(value: TopicAlias) in PUBLISH, many in NONE,
        "A number that stands for the Topic Name on this connection.";
    36 MaximumQoS(value: QoS) in CONNACK, many in NONE,
        "The highest QoS that the server takes, 0 or 1; absent means 2.";
    37 RetainAvailable(value: bool) in CONNACK, many in NONE,
        "Whether the server takes retained messages; absent means yes.";
    38 UserProperty(name: Utf8<'a>, value: Utf8<'a>) in EVERY, many in EVERY,
        "A name and a value of the application; names may repeat.";
    39 MaximumPacketSize(value: MaximumPacketSize) in CONNECT | CONNACK, many in NONE,
        "The largest packet that the sender takes.";
    40 WildcardSubscriptionAvailable(value: bool) in CONNACK, many in NONE,
        "Whether the server takes Topic Filters with wildcards; absent means yes.";
    41 SubscriptionIdentifierAvailable(value: bool) in CONNACK, many in NONE,
        "Whether the server takes Subscription Identifiers; absent means yes.";
    42 SharedSubscriptionAvailable(value: bool) in CONNACK, many in NONE,
        "Whether the server takes shared subscriptions; absent means yes.";
}

impl PropertyId {
    /// The number on the wire.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// Whether a list of `holder` may have this property (v5 2.2.2.2). See also [`PropertyId::may_be_sent_by`].
    #[must_use]
    pub const fn allowed_in(self, holder: PropertyHolder) -> bool {
        self.holders() & holder.bit() != 0
    }

    /// Whether a list of `holder` may have this property more than once.
    #[must_use]
    pub const fn repeatable_in(self, holder: PropertyHolder) -> bool {
        self.many_in() & holder.bit() != 0
    }

    /// Whether `sender` may put this property into a list of `holder` where it is allowed at all. Three are for one end
    /// only: Subscription Identifier in PUBLISH and Server Reference in DISCONNECT are the server's, Session Expiry
    /// Interval in DISCONNECT is the client's [v5 MQTT-3.3.4-6, MQTT-3.14.2-2; v5 3.14.2.2.5].
    #[must_use]
    pub const fn may_be_sent_by(self, sender: Role, holder: PropertyHolder) -> bool {
        !matches!(
            (self, holder, sender),
            (
                Self::SubscriptionIdentifier,
                PropertyHolder::Packet(PacketType::Publish),
                Role::Client
            ) | (
                Self::ServerReference,
                PropertyHolder::Packet(PacketType::Disconnect),
                Role::Client
            ) | (
                Self::SessionExpiryInterval,
                PropertyHolder::Packet(PacketType::Disconnect),
                Role::Server
            )
        )
    }
}

impl Property<'_> {
    /// Whether the value has a wire form: Binary Data above 65,535 bytes and a Maximum QoS of 2 have none.
    pub(super) const fn is_writable(&self) -> bool {
        match self {
            Property::CorrelationData(data) | Property::AuthenticationData(data) => {
                data.len() <= MAX_FIELD_LEN
            }
            Property::MaximumQoS(qos) => !matches!(qos, QoS::ExactlyOnce),
            _ => true,
        }
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} {self:?}", self.as_u8())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::wire::TextRules;

    /// One of each kind, with the bytes of its value.
    fn each_with_its_value() -> [(Property<'static>, &'static [u8]); 27] {
        use Property as P;
        let text = |text| Utf8::new(text).unwrap();
        [
            (P::PayloadFormatIndicator(PayloadFormat::Utf8), &[1]),
            (P::MessageExpiryInterval(258), &[0, 0, 1, 2]),
            (P::ContentType(text("a/b")), b"\0\x03a/b"),
            (
                P::ResponseTopic(TopicName::new("r/1").unwrap()),
                b"\0\x03r/1",
            ),
            (P::CorrelationData(&[0, 0xFF]), &[0, 2, 0, 0xFF]),
            (
                P::SubscriptionIdentifier(SubscriptionId::new(128).unwrap()),
                &[0x80, 1],
            ),
            (
                P::SessionExpiryInterval(SessionExpiry::from_secs(3)),
                &[0, 0, 0, 3],
            ),
            (P::AssignedClientIdentifier(text("id")), b"\0\x02id"),
            (P::ServerKeepAlive(KeepAlive::from_secs(300)), &[1, 44]),
            (P::AuthenticationMethod(text("m")), b"\0\x01m"),
            (P::AuthenticationData(&[7]), &[0, 1, 7]),
            (P::RequestProblemInformation(true), &[1]),
            (P::WillDelayInterval(1), &[0, 0, 0, 1]),
            (P::RequestResponseInformation(true), &[1]),
            (P::ResponseInformation(text("r")), b"\0\x01r"),
            (P::ServerReference(text("h")), b"\0\x01h"),
            (P::ReasonString(text("ä")), &[0, 2, 0xC3, 0xA4]),
            (
                P::ReceiveMaximum(ReceiveMaximum::new(20).unwrap()),
                &[0, 20],
            ),
            (P::TopicAliasMaximum(10), &[0, 10]),
            (P::TopicAlias(TopicAlias::new(5).unwrap()), &[0, 5]),
            (P::MaximumQoS(QoS::AtLeastOnce), &[1]),
            (P::RetainAvailable(false), &[0]),
            (P::UserProperty(text("a"), text("")), b"\0\x01a\0\0"),
            (
                P::MaximumPacketSize(MaximumPacketSize::new(256).unwrap()),
                &[0, 0, 1, 0],
            ),
            (P::WildcardSubscriptionAvailable(false), &[0]),
            (P::SubscriptionIdentifierAvailable(false), &[0]),
            (P::SharedSubscriptionAvailable(false), &[0]),
        ]
    }

    #[test]
    fn each_value_is_written_checked_and_read_as_the_standard_says() {
        for ((property, value), id) in each_with_its_value().into_iter().zip(PropertyId::ALL) {
            assert_eq!(property.id(), id);
            let mut written = alloc::vec![0; property.wire_len()];
            assert!(property.write(Writer::new(&mut written)).is_full(), "{id}");
            assert_eq!(written, [&[id.as_u8()][..], value].concat(), "{id}");
            let mut reader = Reader::new(value, TextRules::Strict);
            assert_eq!(Property::check(id.as_u8(), &mut reader), Ok(()), "{id}");
            assert!(reader.is_empty(), "{id}");
            for len in 0..value.len() {
                let mut reader = Reader::new(&value[..len], TextRules::Standard);
                let checked = Property::check(id.as_u8(), &mut reader);
                assert_eq!(checked, Err(DecodeError::FieldPastEnd), "{id}");
            }
            let mut reader = Reader::new(&written[..], Checked);
            assert_eq!(Property::read(&mut reader), Some(property));
            assert!(reader.is_empty(), "{id}");
        }
    }

    /// The table of v5 2.2.2.2 turned round: which identifiers each packet may have.
    #[test]
    fn each_packet_allows_what_the_standard_lists() {
        use PacketType as P;
        let acks = [
            P::Puback,
            P::Pubrec,
            P::Pubrel,
            P::Pubcomp,
            P::Suback,
            P::Unsuback,
        ];
        let mut expected: alloc::vec::Vec<(PropertyHolder, &[u8])> = alloc::vec![
            (
                PropertyHolder::Packet(P::Connect),
                &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27]
            ),
            (
                PropertyHolder::Will,
                &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26]
            ),
            (
                PropertyHolder::Packet(P::Connack),
                &[
                    0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26,
                    0x27, 0x28, 0x29, 0x2A
                ]
            ),
            (
                PropertyHolder::Packet(P::Publish),
                &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26]
            ),
            (PropertyHolder::Packet(P::Subscribe), &[0x0B, 0x26]),
            (PropertyHolder::Packet(P::Unsubscribe), &[0x26]),
            (
                PropertyHolder::Packet(P::Disconnect),
                &[0x11, 0x1C, 0x1F, 0x26]
            ),
            (PropertyHolder::Packet(P::Auth), &[0x15, 0x16, 0x1F, 0x26]),
            (PropertyHolder::Packet(P::Pingreq), &[]),
            (PropertyHolder::Packet(P::Pingresp), &[]),
        ];
        expected.extend(acks.map(|ack| (PropertyHolder::Packet(ack), &[0x1F, 0x26][..])));
        assert_eq!(expected.len(), 16);
        for (holder, ids) in expected {
            let allowed = PropertyId::ALL
                .into_iter()
                .filter(|id| id.allowed_in(holder))
                .map(PropertyId::as_u8);
            assert!(allowed.eq(ids.iter().copied()), "{holder}");
        }
    }

    #[test]
    fn only_user_properties_and_identifiers_in_publish_repeat() {
        let publish = PropertyHolder::Packet(PacketType::Publish);
        for id in PropertyId::ALL {
            let repeats =
                id == PropertyId::UserProperty || id == PropertyId::SubscriptionIdentifier;
            assert_eq!(id.repeatable_in(publish), repeats, "{id}");
        }
        let subscribe = PropertyHolder::Packet(PacketType::Subscribe);
        assert!(!PropertyId::SubscriptionIdentifier.repeatable_in(subscribe));
    }

    #[test]
    fn shown_as_the_standard_calls_them() {
        assert_eq!(PropertyId::MaximumQoS.to_string(), "0x24 MaximumQoS");
        let connect = PropertyHolder::Packet(PacketType::Connect);
        assert_eq!(connect.to_string(), "CONNECT");
        assert_eq!(PropertyHolder::Will.to_string(), "Will");
    }
}
