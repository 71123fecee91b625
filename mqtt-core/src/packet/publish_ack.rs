//! PUBACK, PUBREC, PUBREL and PUBCOMP, which have one layout (v5 and v311 3.4 to 3.7).

use super::{Body, Origin, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketId, PacketType, ReasonCode},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, PropertyId, Reader, Writer},
};

/// The content of PUBACK, PUBREC, PUBREL and PUBCOMP (v5 and v311 3.4 to 3.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublishAck<'a> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// The result. 3.x knows only [`ReasonCode::SUCCESS`].
    pub reason: ReasonCode,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> PublishAck<'a> {
    /// Success, without properties: the form that every version has.
    #[must_use]
    pub const fn success(packet_id: PacketId) -> Self {
        Self {
            packet_id,
            reason: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }
    }

    /// Whether it says success and nothing else: then it is the Packet Identifier alone, in every version.
    #[inline]
    pub(crate) fn is_success(&self) -> bool {
        self.reason == ReasonCode::SUCCESS && self.properties.is_empty()
    }

    /// Decodes a body that is a Packet Identifier alone, as nearly all are.
    #[inline]
    pub(crate) fn decode_success(body: &[u8]) -> Option<Self> {
        let [high, low] = *body else {
            return None;
        };
        PacketId::new(u16::from_be_bytes([high, low])).map(Self::success)
    }

    pub(crate) fn decode(
        packet_type: PacketType,
        mut body: Reader<'a>,
        origin: Origin,
    ) -> Result<Self, DecodeError> {
        let mut ack = Self::success(origin.packet_id(packet_type, &mut body)?);
        // In 5.0 what is left out at the end means success and no properties (v5 3.4.2.1).
        if origin.version.is_v5() && !body.is_empty() {
            ack.reason = origin.check_reason(packet_type, ReasonCode::new(body.u8()?))?;
            if !body.is_empty() {
                ack.properties = origin.properties(packet_type, &mut body)?;
            }
        }
        body.finish()?;
        Ok(ack)
    }
}

/// The body of an answer that [says nothing but success](PublishAck::is_success), which nothing can be wrong with.
impl Body for PacketId {
    #[inline]
    fn check(&self, _packet_type: PacketType, _encoder: &Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline]
    fn len(&self, _version: ProtocolVersion) -> usize {
        2
    }

    #[inline]
    fn write<'o>(&self, _version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        writer.u16(self.get())
    }
}

impl Body for PublishAck<'_> {
    #[inline]
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        encoder.check_reason(packet_type, self.reason)?;
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    #[inline]
    fn len(&self, version: ProtocolVersion) -> usize {
        match (self.reason, self.properties.is_empty()) {
            (ReasonCode::SUCCESS, true) => 2,
            (_, true) => 3,
            _ => 3 + properties_len(&self.properties, version),
        }
    }

    #[inline]
    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.u16(self.packet_id.get());
        if self.is_success() {
            return writer;
        }
        let writer = writer.u8(self.reason.get());
        if self.properties.is_empty() {
            return writer;
        }
        write_properties(&self.properties, version, writer)
    }

    fn without(self, id: PropertyId) -> Self {
        Self {
            properties: self.properties.without(id),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_identifier_alone_is_success() {
        assert_eq!(
            PublishAck::decode_success(&[0x12, 0x34]),
            PacketId::new(0x1234).map(PublishAck::success)
        );
        for other in [&[0x00, 0x00][..], &[0x12], &[0x12, 0x34, 0x00]] {
            assert_eq!(PublishAck::decode_success(other), None);
        }
    }
}
