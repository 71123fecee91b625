//! SUBACK (v5 and v311 3.9).

use super::{Body, Origin, ReasonCodes, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketId, PacketType, ReasonCode},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, PropertyId, Reader, Writer},
};

/// SUBACK: the server's answer to SUBSCRIBE (v5 and v311 3.9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Suback<'a> {
    /// The Packet Identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// One for each Topic Filter, in order. 3.1.1 knows the granted QoS and
    /// [`UNSPECIFIED_ERROR`](ReasonCode::UNSPECIFIED_ERROR), 3.1 only the granted QoS.
    pub reasons: ReasonCodes<'a>,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> Suback<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        let packet_type = PacketType::Suback;
        let packet_id = origin.packet_id(packet_type, &mut body)?;
        let properties = origin.properties(packet_type, &mut body)?;
        let reasons = ReasonCodes::from_wire(body.take_rest());
        if reasons.is_empty() {
            return Err(DecodeError::NoReasonCodes { packet_type });
        }
        for reason in reasons {
            if !allowed(reason, origin.version) {
                return Err(DecodeError::ReasonCodeNotAllowed {
                    packet_type,
                    reason,
                });
            }
        }
        Ok(Self {
            packet_id,
            reasons,
            properties,
        })
    }
}

fn allowed(reason: ReasonCode, version: ProtocolVersion) -> bool {
    match version {
        ProtocolVersion::V3_1 => reason.get() <= 2,
        ProtocolVersion::V3_1_1 => reason.get() <= 2 || reason == ReasonCode::UNSPECIFIED_ERROR,
        ProtocolVersion::V5 => reason.allowed_in(PacketType::Suback, crate::types::Role::Server),
    }
}

impl Body for Suback<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        let version = encoder.version;
        if self.reasons.is_empty() {
            return Err(EncodeError::NoReasonCodes { packet_type });
        }
        for reason in self.reasons {
            if !allowed(reason, version) {
                return Err(EncodeError::ReasonCodeNotAllowed {
                    packet_type,
                    reason,
                    version,
                });
            }
        }
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        2 + properties_len(&self.properties, version) + self.reasons.len()
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.u16(self.packet_id.get());
        let writer = write_properties(&self.properties, version, writer);
        self.reasons.write(writer)
    }

    fn without(self, id: PropertyId) -> Self {
        Self {
            properties: self.properties.without(id),
            ..self
        }
    }
}
