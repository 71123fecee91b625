//! What can be wrong with a packet, and the Reason Codes that say so.

mod rules;

use crate::{
    types::{PacketType, ReasonCode, Role, TopicError},
    version::ProtocolVersion,
    wire::{PropertyHolder, PropertyId},
};

/// Why received bytes are not a packet that the peer may send.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Packet type 0, or type 15 before 5.0.
    #[error("packet type {packet_type} is reserved")]
    ReservedPacketType {
        /// The number.
        packet_type: u8,
    },
    /// A packet that only the other end may send.
    #[error("{packet_type} must not be sent by a {sender}")]
    WrongSender {
        /// What was sent.
        packet_type: PacketType,
        /// Who sent it.
        sender: Role,
    },
    /// The first packet of a connection is not CONNECT.
    #[error("{packet_type} before CONNECT")]
    ConnectExpected {
        /// What came instead.
        packet_type: PacketType,
    },
    /// The lower half of the first byte is not what it must be.
    #[error("{packet_type} with fixed header flags {flags:#06b}")]
    FixedHeaderFlags {
        /// The packet type.
        packet_type: PacketType,
        /// The four bits.
        flags: u8,
    },
    /// A PUBLISH with both QoS bits set.
    #[error("PUBLISH with both QoS bits set")]
    PublishQos,
    /// A PUBLISH with QoS 0 and DUP.
    #[error("PUBLISH with QoS 0 and DUP")]
    DupAtQos0,
    /// A Variable Byte Integer, Remaining Length included, goes on after its fourth byte.
    #[error("variable byte integer of more than four bytes")]
    VarIntTooLong,
    /// A Variable Byte Integer, Remaining Length included, is not in its shortest form (5.0 only).
    #[error("variable byte integer is not in its shortest form")]
    VarIntNotMinimal,
    /// The packet is larger than the receiver's limit.
    #[error("packet of {size} bytes is larger than the limit of {limit}")]
    PacketTooLarge {
        /// Size of the whole packet in bytes.
        size: u32,
        /// The limit in bytes.
        limit: u32,
    },
    /// The bytes given to [`Decoder::decode`](crate::Decoder::decode) are less or more than one packet. This is the
    /// caller's fault, not the peer's.
    #[error("{given} bytes given where one whole packet is needed")]
    NotOnePacket {
        /// How many bytes were given.
        given: usize,
    },
    /// A field runs past the end of the packet or of the properties.
    #[error("field runs past the end")]
    FieldPastEnd,
    /// Bytes are left over after the last field.
    #[error("bytes left over after the last field")]
    TrailingBytes,
    /// A string is not well-formed UTF-8.
    #[error("string is not well-formed UTF-8")]
    IllFormedUtf8,
    /// A string holds U+0000.
    #[error("string contains the null character U+0000")]
    NulCharacter,
    /// A string holds a control character or a non-character, and the decoder was told to refuse them.
    #[error("string contains a control character or a non-character")]
    DiscouragedCharacter,
    /// Packet Identifier 0.
    #[error("{packet_type} with packet identifier 0")]
    ZeroPacketId {
        /// The packet.
        packet_type: PacketType,
        /// Who sent it.
        sender: Role,
    },
    /// A Topic Name, Will Topic or Response Topic is not one.
    #[error("invalid topic name")]
    TopicName(#[source] TopicError),
    /// A Topic Filter is not one.
    #[error("invalid topic filter")]
    TopicFilter(#[source] TopicError),
    /// A PUBLISH with neither Topic Name nor Topic Alias (5.0 only).
    #[error("PUBLISH with neither topic name nor topic alias")]
    TopicMissing,
    /// Topic Alias 0.
    #[error("topic alias is zero")]
    ZeroTopicAlias,
    /// A property that the standard does not have.
    #[error("unknown property {id:#04x}")]
    UnknownProperty {
        /// Its identifier.
        id: u32,
    },
    /// A property that does not belong here.
    #[error("property {property} in {holder}")]
    PropertyNotAllowed {
        /// The property.
        property: PropertyId,
        /// Where it was.
        holder: PropertyHolder,
    },
    /// A property that belongs here, but only if the other end sends it.
    #[error("property {property} in {holder} of a {sender}")]
    PropertyFromWrongSender {
        /// The property.
        property: PropertyId,
        /// Where it was.
        holder: PropertyHolder,
        /// Who sent it.
        sender: Role,
    },
    /// A second property of a kind that may be there once.
    #[error("property {property} is there twice in {holder}")]
    PropertyRepeated {
        /// The property.
        property: PropertyId,
        /// Where it was.
        holder: PropertyHolder,
    },
    /// A property with a number that it must not have.
    #[error("property {property} has a value out of range")]
    PropertyValue {
        /// The property.
        property: PropertyId,
    },
    /// Authentication Data without an Authentication Method, or an AUTH with neither.
    #[error("{packet_type} without authentication method")]
    AuthenticationMethodMissing {
        /// CONNECT, CONNACK or AUTH.
        packet_type: PacketType,
    },
    /// The protocol of a CONNECT is not MQTT.
    #[error("unsupported protocol name")]
    UnsupportedProtocolName,
    /// A version of MQTT other than 3.1, 3.1.1 and 5.0.
    #[error("unsupported protocol version {level}")]
    UnsupportedProtocolVersion {
        /// The Protocol Level of the CONNECT.
        level: u8,
    },
    /// The reserved flag of a CONNECT is set.
    #[error("reserved connect flag is set")]
    ConnectReservedFlag,
    /// A CONNECT with both Will QoS bits set.
    #[error("will QoS is 3")]
    WillQos,
    /// A CONNECT with a Will QoS but no Will.
    #[error("will QoS without a will")]
    WillQosWithoutWill,
    /// A CONNECT with Will Retain but no Will.
    #[error("will retain without a will")]
    WillRetainWithoutWill,
    /// A CONNECT with a password but no user name (before 5.0).
    #[error("password without user name")]
    PasswordWithoutUserName,
    /// A CONNECT with an empty Client Identifier where the version does not allow it.
    #[error("empty client identifier")]
    EmptyClientId,
    /// A reserved bit in the first byte of a CONNACK is set.
    #[error("reserved connect acknowledge flag is set")]
    ConnackFlags,
    /// A CONNACK that refuses the connection and has Session Present set.
    #[error("session present in a refusal")]
    SessionPresentInRefusal,
    /// A code that this packet must not carry, or not from this sender.
    #[error("{packet_type} with reason code {reason}")]
    ReasonCodeNotAllowed {
        /// The packet.
        packet_type: PacketType,
        /// The code as it was on the wire.
        reason: ReasonCode,
    },
    /// A SUBSCRIBE or UNSUBSCRIBE without Topic Filters.
    #[error("{packet_type} without topic filters")]
    NoTopicFilters {
        /// Which of the two.
        packet_type: PacketType,
    },
    /// A SUBSCRIBE that asks for QoS 3.
    #[error("requested QoS is 3")]
    SubscribeQos,
    /// A SUBSCRIBE with Retain Handling 3.
    #[error("retain handling is 3")]
    RetainHandling,
    /// A SUBSCRIBE with reserved bits of its options set.
    #[error("reserved bits of the subscription options are set")]
    SubscribeReservedBits,
    /// No Local on a shared subscription.
    #[error("no local on a shared subscription")]
    NoLocalOnShared,
    /// A SUBACK or UNSUBACK without Reason Codes.
    #[error("{packet_type} without reason codes")]
    NoReasonCodes {
        /// Which of the two.
        packet_type: PacketType,
    },
}

impl DecodeError {
    /// The Reason Code that says in 5.0 what is wrong (v5 4.13). See [`DecodeError::answer`] for what to do with it.
    #[must_use]
    pub const fn reason_code(&self) -> ReasonCode {
        match self {
            Self::PacketTooLarge { .. } => ReasonCode::PACKET_TOO_LARGE,
            Self::ZeroTopicAlias => ReasonCode::TOPIC_ALIAS_INVALID,
            Self::UnsupportedProtocolName | Self::UnsupportedProtocolVersion { .. } => {
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            }
            Self::EmptyClientId => ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
            Self::WrongSender { .. }
            | Self::ConnectExpected { .. }
            | Self::TopicMissing
            | Self::PropertyFromWrongSender { .. }
            | Self::PropertyRepeated { .. }
            | Self::PropertyValue { .. }
            | Self::AuthenticationMethodMissing { .. }
            | Self::SessionPresentInRefusal
            | Self::ReasonCodeNotAllowed { .. }
            | Self::NoTopicFilters { .. }
            | Self::SubscribeQos
            | Self::RetainHandling
            | Self::NoLocalOnShared
            | Self::NoReasonCodes { .. } => ReasonCode::PROTOCOL_ERROR,
            Self::ReservedPacketType { .. }
            | Self::FixedHeaderFlags { .. }
            | Self::PublishQos
            | Self::DupAtQos0
            | Self::VarIntTooLong
            | Self::VarIntNotMinimal
            | Self::NotOnePacket { .. }
            | Self::FieldPastEnd
            | Self::TrailingBytes
            | Self::IllFormedUtf8
            | Self::NulCharacter
            | Self::DiscouragedCharacter
            | Self::ZeroPacketId { .. }
            | Self::TopicName(_)
            | Self::TopicFilter(_)
            | Self::UnknownProperty { .. }
            | Self::PropertyNotAllowed { .. }
            | Self::ConnectReservedFlag
            | Self::WillQos
            | Self::WillQosWithoutWill
            | Self::WillRetainWithoutWill
            | Self::PasswordWithoutUserName
            | Self::ConnackFlags
            | Self::SubscribeReservedBits => ReasonCode::MALFORMED_PACKET,
        }
    }

    /// What to tell the sender before the connection is closed, as it must be in any case: in the CONNACK if the packet is
    /// the CONNECT that it would answer, in a DISCONNECT otherwise. `None` is to close without a word.
    ///
    /// 5.0 has a code for everything (v5 4.13.1). 3.x only closes, since a client that sent a DISCONNECT would delete its
    /// Will; but for two answers to a CONNECT, the return codes 1, which is
    /// [`UNSUPPORTED_PROTOCOL_VERSION`](ReasonCode::UNSUPPORTED_PROTOCOL_VERSION), and 2, which is
    /// [`CLIENT_IDENTIFIER_NOT_VALID`](ReasonCode::CLIENT_IDENTIFIER_NOT_VALID)
    /// [v311 MQTT-4.8.0-1, MQTT-3.1.2-2, MQTT-3.1.3-8].
    #[must_use]
    pub const fn answer(&self, version: ProtocolVersion) -> Option<ReasonCode> {
        match self {
            Self::UnsupportedProtocolVersion { .. } | Self::EmptyClientId => {
                Some(self.reason_code())
            }
            _ if version.is_v5() => Some(self.reason_code()),
            _ => None,
        }
    }
}

/// Why a packet of one's own cannot be sent as it is. Nothing was written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The version has no such packet, or this end must not send it.
    #[error("{packet_type} must not be sent by a {sender} in {version}")]
    WrongSender {
        /// The packet.
        packet_type: PacketType,
        /// Who was to send it.
        sender: Role,
        /// The version of the connection.
        version: ProtocolVersion,
    },
    /// A CONNECT of another version than the encoder's.
    #[error("CONNECT of {connect} on a connection of {version}")]
    VersionMismatch {
        /// The version in the CONNECT.
        connect: ProtocolVersion,
        /// The version of the encoder.
        version: ProtocolVersion,
    },
    /// Properties before 5.0.
    #[error("{holder} with properties in {version}")]
    PropertiesNotInVersion {
        /// What they were for.
        holder: PropertyHolder,
        /// The version of the connection.
        version: ProtocolVersion,
    },
    /// Subscription Options other than QoS before 5.0.
    #[error("subscription options other than QoS in {version}")]
    SubscribeOptionsNotInVersion {
        /// The version of the connection.
        version: ProtocolVersion,
    },
    /// A code that this packet must not carry in this version, or not from this sender.
    #[error("{packet_type} with reason code {reason} in {version}")]
    ReasonCodeNotAllowed {
        /// The packet.
        packet_type: PacketType,
        /// The code.
        reason: ReasonCode,
        /// The version of the connection.
        version: ProtocolVersion,
    },
    /// A property that does not belong here.
    #[error("property {property} in {holder}")]
    PropertyNotAllowed {
        /// The property.
        property: PropertyId,
        /// Where it was.
        holder: PropertyHolder,
    },
    /// A property that belongs here, but only if the other end sends it.
    #[error("property {property} in {holder} of a {sender}")]
    PropertyFromWrongSender {
        /// The property.
        property: PropertyId,
        /// Where it was.
        holder: PropertyHolder,
        /// Who was to send it.
        sender: Role,
    },
    /// A second property of a kind that may be there once.
    #[error("property {property} is there twice")]
    PropertyRepeated {
        /// The property.
        property: PropertyId,
    },
    /// A property with a value that cannot be written: Binary Data above 65,535 bytes, or a Maximum QoS of 2.
    #[error("property {property} has a value that cannot be written")]
    PropertyValue {
        /// The property.
        property: PropertyId,
    },
    /// A password or Will Payload above 65,535 bytes.
    #[error("binary field of {len} bytes is longer than 65535 bytes")]
    FieldTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The packet is larger than the receiver takes, or larger than any packet can be.
    #[error("packet of {size} bytes is larger than the limit of {limit}")]
    PacketTooLarge {
        /// Size of the whole packet in bytes, without what may be left out of it; the largest number there is if the
        /// size does not fit.
        size: usize,
        /// The limit in bytes.
        limit: u32,
    },
    /// A PUBLISH with neither Topic Name nor Topic Alias; 3.x has no Topic Alias.
    #[error("PUBLISH with neither topic name nor topic alias")]
    TopicMissing,
    /// A PUBLISH with QoS 0 and DUP.
    #[error("PUBLISH with QoS 0 and DUP")]
    DupAtQos0,
    /// A CONNECT with a password but no user name before 5.0.
    #[error("password without user name")]
    PasswordWithoutUserName,
    /// A CONNECT with an empty Client Identifier in 3.1, or without Clean Session in 3.1.1.
    #[error("empty client identifier")]
    EmptyClientId,
    /// A CONNACK that refuses the connection and has Session Present set, or has it set in 3.1, which cannot say it.
    #[error("session present in a refusal or in 3.1")]
    SessionPresent,
    /// Authentication Data without an Authentication Method, or an AUTH without it.
    #[error("authentication method is missing")]
    AuthenticationMethodMissing,
    /// A SUBSCRIBE or UNSUBSCRIBE without Topic Filters.
    #[error("{packet_type} without topic filters")]
    NoTopicFilters {
        /// Which of the two.
        packet_type: PacketType,
    },
    /// A Topic Filter that begins as a shared subscription and is not one (5.0 only).
    #[error("invalid shared subscription")]
    SharedFilter(#[source] TopicError),
    /// No Local on a shared subscription.
    #[error("no local on a shared subscription")]
    NoLocalOnShared,
    /// A SUBACK or UNSUBACK without Reason Codes.
    #[error("{packet_type} without reason codes")]
    NoReasonCodes {
        /// Which of the two.
        packet_type: PacketType,
    },
}
