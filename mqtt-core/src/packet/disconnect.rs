//! DISCONNECT (v5 and v311 3.14).

use super::{Body, Origin, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketType, ReasonCode},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, PropertyId, Reader, Writer},
};

/// DISCONNECT: the last packet of a connection (v5 and v311 3.14). In 3.x only a client sends it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Disconnect<'a> {
    /// Why. 3.x knows only [`ReasonCode::NORMAL_DISCONNECTION`].
    pub reason: ReasonCode,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    /// Normal disconnection, without properties: the form that every version has.
    pub const NORMAL: Self = Disconnect {
        reason: ReasonCode::NORMAL_DISCONNECTION,
        properties: Properties::EMPTY,
    };

    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        let mut disconnect = Disconnect::NORMAL;
        // In 5.0 what is left out at the end means 0x00 and no properties (v5 3.14.2.1).
        if origin.version.is_v5() && !body.is_empty() {
            disconnect.reason =
                origin.check_reason(PacketType::Disconnect, ReasonCode::new(body.u8()?))?;
            if !body.is_empty() {
                disconnect.properties = origin.properties(PacketType::Disconnect, &mut body)?;
            }
        }
        body.finish()?;
        Ok(disconnect)
    }
}

impl Body for Disconnect<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        encoder.check_reason(packet_type, self.reason)?;
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        match (self.reason, self.properties.is_empty()) {
            (ReasonCode::NORMAL_DISCONNECTION, true) => 0,
            (_, true) => 1,
            _ => 1 + properties_len(&self.properties, version),
        }
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        if self.reason == ReasonCode::NORMAL_DISCONNECTION && self.properties.is_empty() {
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
