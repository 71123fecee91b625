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

    #[inline]
    pub(crate) fn decode(
        packet_type: PacketType,
        mut body: Reader<'a>,
        origin: Origin,
    ) -> Result<Self, DecodeError> {
        let mut ack = PublishAck::success(origin.packet_id(packet_type, &mut body)?);
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
            _ => properties_len(&self.properties, version).saturating_add(3),
        }
    }

    #[inline]
    fn write(&self, version: ProtocolVersion, writer: &mut Writer<'_>) {
        writer.u16(self.packet_id.get());
        if self.reason == ReasonCode::SUCCESS && self.properties.is_empty() {
            return;
        }
        writer.u8(self.reason.get());
        if !self.properties.is_empty() {
            write_properties(&self.properties, version, writer);
        }
    }

    fn without(self, id: PropertyId) -> Self {
        Self {
            properties: self.properties.without(id),
            ..self
        }
    }
}
