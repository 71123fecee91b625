//! UNSUBACK (v5 and v311 3.11).

use super::{Body, Origin, ReasonCodes, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketId, PacketType, ReasonCode},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, PropertyId, Reader, Writer},
};

/// UNSUBACK: the server's answer to UNSUBSCRIBE (v5 and v311 3.11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unsuback<'a> {
    /// The Packet Identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// One for each Topic Filter, in order. Empty in 3.x, where the answer is always success.
    pub reasons: ReasonCodes<'a>,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> Unsuback<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        let packet_type = PacketType::Unsuback;
        let packet_id = origin.packet_id(packet_type, &mut body)?;
        if !origin.version.is_v5() {
            body.finish()?;
            return Ok(Self {
                packet_id,
                reasons: ReasonCodes::EMPTY,
                properties: Properties::EMPTY,
            });
        }
        let properties = origin.properties(packet_type, &mut body)?;
        let reasons = ReasonCodes::from_wire(body.take_rest());
        if reasons.is_empty() {
            return Err(DecodeError::NoReasonCodes { packet_type });
        }
        for reason in reasons {
            origin.check_reason(packet_type, reason)?;
        }
        Ok(Self {
            packet_id,
            reasons,
            properties,
        })
    }
}

impl Body for Unsuback<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        let version = encoder.version;
        if version.is_v5() {
            if self.reasons.is_empty() {
                return Err(EncodeError::NoReasonCodes { packet_type });
            }
            for reason in self.reasons {
                encoder.check_reason(packet_type, reason)?;
            }
        } else if let Some(reason) = self
            .reasons
            .iter()
            .find(|reason| *reason != ReasonCode::SUCCESS)
        {
            // Success needs no code there, but a failure could not be told.
            return Err(EncodeError::ReasonCodeNotAllowed {
                packet_type,
                reason,
                version,
            });
        }
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        let reasons = if version.is_v5() {
            self.reasons.len()
        } else {
            0
        };
        2 + properties_len(&self.properties, version) + reasons
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.u16(self.packet_id.get());
        let writer = write_properties(&self.properties, version, writer);
        if version.is_v5() {
            self.reasons.write(writer)
        } else {
            writer
        }
    }

    fn without(self, id: PropertyId) -> Self {
        Self {
            properties: self.properties.without(id),
            ..self
        }
    }
}
