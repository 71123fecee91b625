//! The control packets: one type each for all versions and both directions, as views over borrowed data.

mod auth;
mod connack;
mod connect;
mod disconnect;
mod filters;
mod publish;
mod publish_ack;
mod reason_codes;
mod suback;
mod subscribe;
mod unsuback;
mod unsubscribe;

pub use self::{
    auth::Auth,
    connack::Connack,
    connect::{Connect, Will},
    disconnect::Disconnect,
    filters::{SubscribeFilters, SubscribeFiltersIter, UnsubscribeFilters, UnsubscribeFiltersIter},
    publish::{Delivery, Publish},
    publish_ack::PublishAck,
    reason_codes::{ReasonCodes, ReasonCodesIter},
    suback::Suback,
    subscribe::Subscribe,
    unsuback::Unsuback,
    unsubscribe::Unsubscribe,
};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketId, PacketType, ReasonCode, Role},
    version::ProtocolVersion,
    wire::{
        Properties, PropertyHolder, PropertyId, Reader, TOO_LONG, TextRules, Writer, var_int_len,
    },
};

/// A control packet as a view over borrowed data: over received bytes when it comes from a
/// [`Decoder`](crate::Decoder), over anything when it is made to be sent by an [`Encoder`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packet<'a> {
    /// Connection request.
    Connect(Connect<'a>),
    /// Connection acknowledgement.
    Connack(Connack<'a>),
    /// Publish message.
    Publish(Publish<'a>),
    /// Publish acknowledgement (QoS 1).
    Puback(PublishAck<'a>),
    /// Publish received (QoS 2, first answer).
    Pubrec(PublishAck<'a>),
    /// Publish release (QoS 2, second step).
    Pubrel(PublishAck<'a>),
    /// Publish complete (QoS 2, last answer).
    Pubcomp(PublishAck<'a>),
    /// Subscribe request.
    Subscribe(Subscribe<'a>),
    /// Subscribe acknowledgement.
    Suback(Suback<'a>),
    /// Unsubscribe request.
    Unsubscribe(Unsubscribe<'a>),
    /// Unsubscribe acknowledgement.
    Unsuback(Unsuback<'a>),
    /// Ping request, which has no content.
    Pingreq,
    /// Ping response, which has no content.
    Pingresp,
    /// Disconnect notification.
    Disconnect(Disconnect<'a>),
    /// Authentication exchange (5.0 only).
    Auth(Auth<'a>),
}

impl Packet<'_> {
    /// The type of this packet.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq => PacketType::Pingreq,
            Self::Pingresp => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}

/// What a decoder knows before it sees a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) version: ProtocolVersion,
    pub(crate) sender: Role,
    /// The lower half of the first byte.
    pub(crate) flags: u8,
    pub(crate) text: TextRules,
}

impl Origin {
    /// Reads the Packet Identifier of a packet that has one.
    #[inline]
    fn packet_id(
        self,
        packet_type: PacketType,
        body: &mut Reader<'_>,
    ) -> Result<PacketId, DecodeError> {
        PacketId::new(body.u16()?).ok_or(DecodeError::ZeroPacketId {
            packet_type,
            sender: self.sender,
        })
    }

    /// Reads the properties that 5.0 has and 3.x has not.
    // Most lists are empty, and then a call takes longer than reading them.
    #[inline(always)]
    fn properties<'a>(
        self,
        packet_type: PacketType,
        body: &mut Reader<'a>,
    ) -> Result<Properties<'a>, DecodeError> {
        if self.version.is_v5() {
            Properties::read(body, PropertyHolder::Packet(packet_type), self.sender)
        } else {
            Ok(Properties::EMPTY)
        }
    }

    fn check_reason(
        self,
        packet_type: PacketType,
        reason: ReasonCode,
    ) -> Result<ReasonCode, DecodeError> {
        if reason.accepted_in(packet_type, self.sender) {
            Ok(reason)
        } else {
            Err(DecodeError::ReasonCodeNotAllowed {
                packet_type,
                reason,
            })
        }
    }
}

/// What the encoder needs of a packet: the three steps of writing one, of which only the first can fail.
pub(crate) trait Body: Copy {
    /// Checks every rule that does not depend on the size.
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError>;

    /// The lower half of the first byte.
    #[inline]
    fn flags(&self, packet_type: PacketType) -> u8 {
        packet_type.required_flags()
    }

    /// Bytes of the body. More than any packet can have, though not always how many, if the properties or filters alone are
    /// more.
    fn len(&self, version: ProtocolVersion) -> usize;

    /// How many of them, at the end, are not written because they are referenced.
    #[inline]
    fn referenced_len(&self) -> usize {
        0
    }

    /// Appends as many bytes as [`Body::len`] said, but for those that are referenced.
    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o>;

    /// The same packet without what may be left out so that it fits the receiver's Maximum Packet Size: `id` is that of
    /// User Properties or Reason String. Not for requests and messages, whose properties are the application's.
    fn without(self, _id: PropertyId) -> Self {
        self
    }
}

/// Bytes of Property Length and properties in 5.0, none in 3.x.
#[inline]
fn properties_len(properties: &Properties<'_>, version: ProtocolVersion) -> usize {
    if !version.is_v5() {
        return 0;
    }
    let len = properties.wire_len().min(TOO_LONG);
    len + var_int_len(len)
}

/// Appends Property Length and properties in 5.0, nothing in 3.x.
#[inline]
fn write_properties<'o>(
    properties: &Properties<'_>,
    version: ProtocolVersion,
    writer: Writer<'o>,
) -> Writer<'o> {
    if !version.is_v5() {
        return writer;
    }
    if properties.is_empty() {
        return writer.u8(0);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "packets with longer properties were refused"
    )]
    properties.write(writer.var_int(properties.wire_len() as u32))
}
