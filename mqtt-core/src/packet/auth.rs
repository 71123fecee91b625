//! AUTH (v5 3.15).

use super::{Body, Origin, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketType, ReasonCode},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, PropertyId, Reader, Writer},
};

/// AUTH: one step of an extended authentication (v5 3.15).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Auth<'a> {
    /// Success, continue or authenticate again.
    pub reason: ReasonCode,
    /// Properties. An AUTH that is sent always has an Authentication Method; one that was received without any content
    /// has none, which the standard's layout allows and its rules do not (v5 3.15.2.1, 3.15.2.2.2).
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        let packet_type = PacketType::Auth;
        if body.is_empty() {
            let reason = origin.check_reason(packet_type, ReasonCode::SUCCESS)?;
            return Ok(Self {
                reason,
                properties: Properties::EMPTY,
            });
        }
        let reason = origin.check_reason(packet_type, ReasonCode::new(body.u8()?))?;
        let properties = origin.properties(packet_type, &mut body)?;
        body.finish()?;
        if !properties.contains(PropertyId::AuthenticationMethod) {
            return Err(DecodeError::AuthenticationMethodMissing {
                packet_type: PacketType::Auth,
            });
        }
        Ok(Self { reason, properties })
    }
}

impl Body for Auth<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        encoder.check_reason(packet_type, self.reason)?;
        if !self.properties.contains(PropertyId::AuthenticationMethod) {
            return Err(EncodeError::AuthenticationMethodMissing);
        }
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        1 + properties_len(&self.properties, version)
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.u8(self.reason.get());
        write_properties(&self.properties, version, writer)
    }

    fn without(self, id: PropertyId) -> Self {
        Self {
            properties: self.properties.without(id),
            ..self
        }
    }
}
