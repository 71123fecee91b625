//! SUBSCRIBE (v5 and v311 3.8).

use super::{Body, Origin, SubscribeFilters, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketId, PacketType},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, Reader, Writer},
};

/// SUBSCRIBE: a client asks for messages (v5 and v311 3.8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Subscribe<'a> {
    /// Names this request until its SUBACK.
    pub packet_id: PacketId,
    /// What for; at least one.
    pub filters: SubscribeFilters<'a>,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> Subscribe<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        let packet_id = origin.packet_id(PacketType::Subscribe, &mut body)?;
        let properties = origin.properties(PacketType::Subscribe, &mut body)?;
        let filters = SubscribeFilters::read(body, origin.version)?;
        Ok(Self {
            packet_id,
            filters,
            properties,
        })
    }
}

impl Body for Subscribe<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        self.filters.check(encoder.version)?;
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        2 + properties_len(&self.properties, version) + self.filters.wire_len()
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.u16(self.packet_id.get());
        let writer = write_properties(&self.properties, version, writer);
        self.filters.write(writer)
    }
}
