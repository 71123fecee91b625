//! Which rule of the standard each fault breaks.
//!
//! A rule is the number of a statement where there is one, and otherwise the section that says it. It always comes with its
//! version, since the versions give the same numbers to different statements.

use super::DecodeError;
use crate::{
    types::{PacketType, Role, TopicError},
    version::ProtocolVersion,
    wire::{PropertyHolder, PropertyId},
};

/// A rule that only 5.0 has.
const fn v5(rule: &'static str) -> (&'static str, &'static str) {
    (rule, rule)
}

impl DecodeError {
    /// The rule that the sender broke, for programs to read: the version, a space, and the number of a statement or else
    /// of a section, such as `v5 MQTT-3.3.1-4` and `v311 2.2.3`. 3.1 has no numbers; its rules are shown by those of 3.1.1.
    #[must_use]
    pub const fn rule(&self, version: ProtocolVersion) -> &'static str {
        let (v5, v311) = self.rules();
        if version.is_v5() { v5 } else { v311 }
    }

    /// The rule of 5.0 and that of 3.1.1.
    const fn rules(&self) -> (&'static str, &'static str) {
        match *self {
            Self::ReservedPacketType { .. } | Self::WrongSender { .. } => {
                ("v5 2.1.2", "v311 2.2.1")
            }
            Self::ConnectExpected { .. } => ("v5 MQTT-3.1.0-1", "v311 MQTT-3.1.0-1"),
            Self::FixedHeaderFlags { packet_type, .. } => flags(packet_type),
            Self::PublishQos => ("v5 MQTT-3.3.1-4", "v311 MQTT-3.3.1-4"),
            Self::DupAtQos0 => ("v5 MQTT-3.3.1-2", "v311 MQTT-3.3.1-2"),
            Self::VarIntTooLong => ("v5 1.5.5", "v311 2.2.3"),
            Self::VarIntNotMinimal => v5("v5 MQTT-1.5.5-1"),
            Self::PacketTooLarge { .. } => ("v5 3.1.2.11.4", "v311 2.2.3"),
            Self::NotOnePacket { .. } | Self::FieldPastEnd | Self::TrailingBytes => {
                ("v5 2.1.4", "v311 2.2.3")
            }
            Self::IllFormedUtf8 => ("v5 MQTT-1.5.4-1", "v311 MQTT-1.5.3-1"),
            Self::NulCharacter => ("v5 MQTT-1.5.4-2", "v311 MQTT-1.5.3-2"),
            Self::DiscouragedCharacter => ("v5 1.5.4", "v311 1.5.3"),
            Self::ZeroPacketId {
                packet_type,
                sender,
            } => packet_id(packet_type, sender),
            Self::TopicName(error) | Self::TopicFilter(error) => topic(error),
            Self::TopicMissing => ("v5 3.3.2.1", "v311 MQTT-4.7.3-1"),
            Self::ZeroTopicAlias => v5("v5 MQTT-3.3.2-8"),
            Self::UnknownProperty { .. } | Self::PropertyNotAllowed { .. } => v5("v5 2.2.2.2"),
            Self::PropertyFromWrongSender {
                property, holder, ..
            } => v5(match property {
                PropertyId::SubscriptionIdentifier => "v5 MQTT-3.3.4-6",
                PropertyId::SessionExpiryInterval => "v5 MQTT-3.14.2-2",
                _ => section(property, holder),
            }),
            Self::PropertyRepeated { property, holder } => v5(section(property, holder)),
            Self::PropertyValue { property } => v5(section_of_value(property)),
            Self::AuthenticationMethodMissing { packet_type } => v5(match packet_type {
                PacketType::Connect => "v5 3.1.2.11.10",
                PacketType::Connack => "v5 3.2.2.3.18",
                _ => "v5 3.15.2.2.2",
            }),
            Self::UnsupportedProtocolName => ("v5 MQTT-3.1.2-1", "v311 MQTT-3.1.2-1"),
            Self::UnsupportedProtocolVersion { .. } => ("v5 MQTT-3.1.2-2", "v311 MQTT-3.1.2-2"),
            Self::ConnectReservedFlag => ("v5 MQTT-3.1.2-3", "v311 MQTT-3.1.2-3"),
            Self::WillQos => ("v5 MQTT-3.1.2-12", "v311 MQTT-3.1.2-14"),
            Self::WillQosWithoutWill => ("v5 MQTT-3.1.2-11", "v311 MQTT-3.1.2-13"),
            Self::WillRetainWithoutWill => ("v5 MQTT-3.1.2-13", "v311 MQTT-3.1.2-15"),
            Self::PasswordWithoutUserName => ("v5 3.1.2.9", "v311 MQTT-3.1.2-22"),
            Self::EmptyClientId => ("v5 3.1.3.1", "v311 MQTT-3.1.3-8"),
            Self::ConnackFlags => ("v5 MQTT-3.2.2-1", "v311 3.2.2.1"),
            Self::SessionPresentInRefusal => ("v5 MQTT-3.2.2-6", "v311 MQTT-3.2.2-4"),
            Self::ReasonCodeNotAllowed { packet_type, .. } => reason_code(packet_type),
            Self::NoTopicFilters {
                packet_type: PacketType::Unsubscribe,
            } => ("v5 MQTT-3.10.3-2", "v311 MQTT-3.10.3-2"),
            Self::NoTopicFilters { .. } => ("v5 MQTT-3.8.3-2", "v311 MQTT-3.8.3-3"),
            Self::SubscribeQos | Self::RetainHandling => ("v5 3.8.3.1", "v311 MQTT-3.8.3-4"),
            Self::SubscribeReservedBits => ("v5 MQTT-3.8.3-5", "v311 MQTT-3.8.3-4"),
            Self::NoLocalOnShared => v5("v5 MQTT-3.8.3-4"),
            Self::NoReasonCodes {
                packet_type: PacketType::Unsuback,
            } => ("v5 MQTT-3.11.3-1", "v311 3.11.3"),
            Self::NoReasonCodes { .. } => ("v5 MQTT-3.9.3-1", "v311 MQTT-3.9.3-1"),
        }
    }
}

const fn flags(packet_type: PacketType) -> (&'static str, &'static str) {
    match packet_type {
        PacketType::Pubrel => ("v5 MQTT-3.6.1-1", "v311 MQTT-3.6.1-1"),
        PacketType::Subscribe => ("v5 MQTT-3.8.1-1", "v311 MQTT-3.8.1-1"),
        PacketType::Unsubscribe => ("v5 MQTT-3.10.1-1", "v311 MQTT-3.10.1-1"),
        PacketType::Disconnect => ("v5 MQTT-3.14.1-1", "v311 MQTT-3.14.1-1"),
        PacketType::Auth => v5("v5 MQTT-3.15.1-1"),
        _ => ("v5 MQTT-2.1.3-1", "v311 MQTT-2.2.2-2"),
    }
}

/// An answer repeats the Packet Identifier of a packet that could not have had this one.
const fn packet_id(packet_type: PacketType, sender: Role) -> (&'static str, &'static str) {
    match (packet_type, sender) {
        (PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel, _) => {
            ("v5 MQTT-2.2.1-5", "v311 MQTT-2.3.1-6")
        }
        (PacketType::Pubcomp, _) => ("v5 MQTT-2.2.1-5", "v311 2.3.1"),
        (PacketType::Suback | PacketType::Unsuback, _) => ("v5 MQTT-2.2.1-6", "v311 MQTT-2.3.1-7"),
        (_, Role::Client) => ("v5 MQTT-2.2.1-3", "v311 MQTT-2.3.1-1"),
        (_, Role::Server) => ("v5 MQTT-2.2.1-4", "v311 MQTT-2.3.1-1"),
    }
}

const fn topic(error: TopicError) -> (&'static str, &'static str) {
    match error {
        TopicError::Empty => ("v5 MQTT-4.7.3-1", "v311 MQTT-4.7.3-1"),
        TopicError::TooLong { .. } => ("v5 MQTT-4.7.3-3", "v311 MQTT-4.7.3-3"),
        TopicError::NulCharacter => ("v5 MQTT-4.7.3-2", "v311 MQTT-4.7.3-2"),
        TopicError::WildcardInName => ("v5 MQTT-4.7.0-1", "v311 MQTT-4.7.1-1"),
        TopicError::MisplacedMultiLevelWildcard => ("v5 MQTT-4.7.1-1", "v311 MQTT-4.7.1-2"),
        TopicError::MisplacedSingleLevelWildcard => ("v5 MQTT-4.7.1-2", "v311 MQTT-4.7.1-3"),
        TopicError::EmptyShareName => v5("v5 MQTT-4.8.2-1"),
        TopicError::WildcardInShareName | TopicError::SharedFilterMissing => v5("v5 MQTT-4.8.2-2"),
    }
}

const fn reason_code(packet_type: PacketType) -> (&'static str, &'static str) {
    match packet_type {
        PacketType::Connack => ("v5 MQTT-3.2.2-8", "v311 MQTT-3.2.2-6"),
        PacketType::Puback => v5("v5 MQTT-3.4.2-1"),
        PacketType::Pubrec => v5("v5 MQTT-3.5.2-1"),
        PacketType::Pubrel => v5("v5 MQTT-3.6.2-1"),
        PacketType::Pubcomp => v5("v5 MQTT-3.7.2-1"),
        PacketType::Suback => ("v5 MQTT-3.9.3-2", "v311 MQTT-3.9.3-2"),
        PacketType::Unsuback => v5("v5 MQTT-3.11.3-2"),
        PacketType::Disconnect => v5("v5 MQTT-3.14.2-1"),
        _ => v5("v5 MQTT-3.15.2-1"),
    }
}

/// Where the standard says which numbers a property may have. Where two packets have it, both places say the same.
const fn section_of_value(property: PropertyId) -> &'static str {
    use PropertyId as Id;
    match property {
        Id::PayloadFormatIndicator => "v5 3.3.2.3.2",
        Id::SubscriptionIdentifier => "v5 3.8.2.1.2",
        Id::RequestProblemInformation => "v5 3.1.2.11.7",
        Id::RequestResponseInformation => "v5 3.1.2.11.6",
        Id::ReceiveMaximum => "v5 3.1.2.11.3",
        Id::MaximumPacketSize => "v5 3.1.2.11.4",
        Id::MaximumQoS => "v5 3.2.2.3.4",
        Id::RetainAvailable => "v5 3.2.2.3.5",
        Id::WildcardSubscriptionAvailable => "v5 3.2.2.3.11",
        Id::SubscriptionIdentifierAvailable => "v5 3.2.2.3.12",
        Id::SharedSubscriptionAvailable => "v5 3.2.2.3.13",
        // Every number is one of theirs.
        _ => "v5 2.2.2.2",
    }
}

/// The section about a property in one of the packets that have it, which says that it is there once and whose it is.
const fn section(property: PropertyId, holder: PropertyHolder) -> &'static str {
    use PacketType as P;
    use PropertyId as Id;
    let packet_type = match holder {
        PropertyHolder::Packet(packet_type) => packet_type,
        PropertyHolder::Will => {
            return match property {
                Id::WillDelayInterval => "v5 3.1.3.2.2",
                Id::PayloadFormatIndicator => "v5 3.1.3.2.3",
                Id::MessageExpiryInterval => "v5 3.1.3.2.4",
                Id::ContentType => "v5 3.1.3.2.5",
                Id::ResponseTopic => "v5 3.1.3.2.6",
                Id::CorrelationData => "v5 3.1.3.2.7",
                _ => "v5 3.1.3.2",
            };
        }
    };
    match (packet_type, property) {
        (P::Connect, Id::SessionExpiryInterval) => "v5 3.1.2.11.2",
        (P::Connect, Id::ReceiveMaximum) => "v5 3.1.2.11.3",
        (P::Connect, Id::MaximumPacketSize) => "v5 3.1.2.11.4",
        (P::Connect, Id::TopicAliasMaximum) => "v5 3.1.2.11.5",
        (P::Connect, Id::RequestResponseInformation) => "v5 3.1.2.11.6",
        (P::Connect, Id::RequestProblemInformation) => "v5 3.1.2.11.7",
        (P::Connect, Id::AuthenticationMethod) => "v5 3.1.2.11.9",
        (P::Connect, Id::AuthenticationData) => "v5 3.1.2.11.10",
        (P::Connack, Id::SessionExpiryInterval) => "v5 3.2.2.3.2",
        (P::Connack, Id::ReceiveMaximum) => "v5 3.2.2.3.3",
        (P::Connack, Id::MaximumQoS) => "v5 3.2.2.3.4",
        (P::Connack, Id::RetainAvailable) => "v5 3.2.2.3.5",
        (P::Connack, Id::MaximumPacketSize) => "v5 3.2.2.3.6",
        (P::Connack, Id::AssignedClientIdentifier) => "v5 3.2.2.3.7",
        (P::Connack, Id::TopicAliasMaximum) => "v5 3.2.2.3.8",
        (P::Connack, Id::ReasonString) => "v5 3.2.2.3.9",
        (P::Connack, Id::WildcardSubscriptionAvailable) => "v5 3.2.2.3.11",
        (P::Connack, Id::SubscriptionIdentifierAvailable) => "v5 3.2.2.3.12",
        (P::Connack, Id::SharedSubscriptionAvailable) => "v5 3.2.2.3.13",
        (P::Connack, Id::ServerKeepAlive) => "v5 3.2.2.3.14",
        (P::Connack, Id::ResponseInformation) => "v5 3.2.2.3.15",
        (P::Connack, Id::ServerReference) => "v5 3.2.2.3.16",
        (P::Connack, Id::AuthenticationMethod) => "v5 3.2.2.3.17",
        (P::Connack, Id::AuthenticationData) => "v5 3.2.2.3.18",
        (P::Publish, Id::PayloadFormatIndicator) => "v5 3.3.2.3.2",
        (P::Publish, Id::MessageExpiryInterval) => "v5 3.3.2.3.3",
        (P::Publish, Id::TopicAlias) => "v5 3.3.2.3.4",
        (P::Publish, Id::ResponseTopic) => "v5 3.3.2.3.5",
        (P::Publish, Id::CorrelationData) => "v5 3.3.2.3.6",
        (P::Publish, Id::ContentType) => "v5 3.3.2.3.9",
        (P::Puback, Id::ReasonString) => "v5 3.4.2.2.2",
        (P::Pubrec, Id::ReasonString) => "v5 3.5.2.2.2",
        (P::Pubrel, Id::ReasonString) => "v5 3.6.2.2.2",
        (P::Pubcomp, Id::ReasonString) => "v5 3.7.2.2.2",
        (P::Subscribe, Id::SubscriptionIdentifier) => "v5 3.8.2.1.2",
        (P::Suback, Id::ReasonString) => "v5 3.9.2.1.2",
        (P::Unsuback, Id::ReasonString) => "v5 3.11.2.1.2",
        (P::Disconnect, Id::SessionExpiryInterval) => "v5 3.14.2.2.2",
        (P::Disconnect, Id::ReasonString) => "v5 3.14.2.2.3",
        (P::Disconnect, Id::ServerReference) => "v5 3.14.2.2.5",
        (P::Auth, Id::AuthenticationMethod) => "v5 3.15.2.2.2",
        (P::Auth, Id::AuthenticationData) => "v5 3.15.2.2.3",
        (P::Auth, Id::ReasonString) => "v5 3.15.2.2.4",
        // No other may be there once only.
        _ => "v5 2.2.2.2",
    }
}
