//! PUBLISH (v5 and v311 3.3).

use core::fmt;

use super::{Body, Origin, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketId, PacketType, QoS, TopicError, TopicName},
    version::ProtocolVersion,
    wire::{Hidden, Properties, PropertyHolder, PropertyId, Reader, Writer},
};

const DUP: u8 = 1 << 3;
const QOS_SHIFT: u8 = 1;
const RETAIN: u8 = 1;

/// A QoS together with the Packet Identifier that it needs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Delivery {
    /// QoS 0, which has no Packet Identifier [v5 MQTT-2.2.1-2, v311 MQTT-2.3.1-5].
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce(PacketId),
    /// QoS 2.
    ExactlyOnce(PacketId),
}

impl Delivery {
    /// The QoS.
    #[must_use]
    pub const fn qos(self) -> QoS {
        match self {
            Self::AtMostOnce => QoS::AtMostOnce,
            Self::AtLeastOnce(_) => QoS::AtLeastOnce,
            Self::ExactlyOnce(_) => QoS::ExactlyOnce,
        }
    }

    /// The Packet Identifier, which only QoS 0 has not.
    #[must_use]
    pub const fn packet_id(self) -> Option<PacketId> {
        match self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce(packet_id) | Self::ExactlyOnce(packet_id) => Some(packet_id),
        }
    }
}

/// PUBLISH: one message on its way, in either direction (v5 and v311 3.3).
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Publish<'a> {
    /// Whether this may be a repetition of an earlier packet. Never with QoS 0.
    pub dup: bool,
    /// Whether the message is, or was sent because it is, a retained message.
    pub retain: bool,
    /// QoS and Packet Identifier.
    pub delivery: Delivery,
    /// The Topic Name; `None` only in 5.0 beside a Topic Alias that was given a name before.
    pub topic: Option<TopicName<'a>>,
    /// The message.
    pub payload: &'a [u8],
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> Publish<'a> {
    /// Checks the flags, which can be known before the body is there.
    #[inline]
    pub(crate) const fn check_flags(
        flags: u8,
        version: ProtocolVersion,
    ) -> Result<(), DecodeError> {
        let Some(qos) = QoS::from_u8(flags >> QOS_SHIFT & 0b11) else {
            return Err(DecodeError::PublishQos);
        };
        // 3.1 does not use DUP at QoS 0, and says nothing about its value.
        if flags & DUP != 0
            && matches!(qos, QoS::AtMostOnce)
            && !matches!(version, ProtocolVersion::V3_1)
        {
            return Err(DecodeError::DupAtQos0);
        }
        Ok(())
    }

    /// Decodes a body; the flags were checked.
    #[inline]
    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        let flags = origin.flags;
        let qos = QoS::from_u8(flags >> QOS_SHIFT & 0b11).ok_or(DecodeError::PublishQos)?;
        let topic = body.optional_topic_name()?;
        let packet_id = |body: &mut Reader<'_>| origin.packet_id(PacketType::Publish, body);
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce(packet_id(&mut body)?),
            QoS::ExactlyOnce => Delivery::ExactlyOnce(packet_id(&mut body)?),
        };
        let properties = origin.properties(PacketType::Publish, &mut body)?;
        if topic.is_none() {
            if !origin.version.is_v5() {
                return Err(DecodeError::TopicName(TopicError::Empty));
            }
            if !properties.contains(PropertyId::TopicAlias) {
                return Err(DecodeError::TopicMissing);
            }
        }
        Ok(Self {
            dup: flags & DUP != 0 && qos != QoS::AtMostOnce,
            retain: flags & RETAIN != 0,
            delivery,
            topic,
            payload: body.take_rest(),
            properties,
        })
    }

    /// Bytes of what comes before the payload.
    #[inline]
    pub(crate) fn variable_header_len(&self, version: ProtocolVersion) -> usize {
        let packet_id_len = if self.delivery == Delivery::AtMostOnce {
            0
        } else {
            2
        };
        let topic_len = self.topic.map_or(0, |topic| topic.as_str().len());
        2 + topic_len + packet_id_len + properties_len(&self.properties, version)
    }

    /// Appends what comes before the payload.
    #[inline(always)]
    pub(crate) fn write_variable_header<'o>(
        &self,
        version: ProtocolVersion,
        writer: Writer<'o>,
    ) -> Writer<'o> {
        let mut writer = match self.topic {
            Some(topic) => writer.field(topic.as_str().as_bytes()),
            None => writer.u16(0),
        };
        if let Delivery::AtLeastOnce(packet_id) | Delivery::ExactlyOnce(packet_id) = self.delivery {
            writer = writer.u16(packet_id.get());
        }
        write_properties(&self.properties, version, writer)
    }
}

impl Body for Publish<'_> {
    #[inline]
    fn flags(&self, _packet_type: PacketType) -> u8 {
        (self.dup as u8 * DUP)
            | self.delivery.qos().as_u8() << QOS_SHIFT
            | (self.retain as u8 * RETAIN)
    }

    #[inline]
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        if self.dup && self.delivery == Delivery::AtMostOnce {
            return Err(EncodeError::DupAtQos0);
        }
        // 3.x has no properties, so this refuses a missing topic there too.
        if self.topic.is_none() && !self.properties.contains(PropertyId::TopicAlias) {
            return Err(EncodeError::TopicMissing);
        }
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))
    }

    #[inline]
    fn len(&self, version: ProtocolVersion) -> usize {
        self.variable_header_len(version) + self.payload.len()
    }

    #[inline]
    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        self.write_variable_header(version, writer)
            .bytes(self.payload)
    }
}

/// Does not show the payload.
impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("dup", &self.dup)
            .field("retain", &self.retain)
            .field("delivery", &self.delivery)
            .field("topic", &self.topic)
            .field("payload", &Hidden(self.payload.len()))
            .field("properties", &self.properties)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v5_mqtt_2_2_1_2_and_v311_mqtt_2_3_1_5_qos_0_alone_has_no_packet_identifier() {
        let packet_id = PacketId::new(0x1234).unwrap();
        for (delivery, qos, expected) in [
            (Delivery::AtMostOnce, QoS::AtMostOnce, None),
            (
                Delivery::AtLeastOnce(packet_id),
                QoS::AtLeastOnce,
                Some(packet_id),
            ),
            (
                Delivery::ExactlyOnce(packet_id),
                QoS::ExactlyOnce,
                Some(packet_id),
            ),
        ] {
            assert_eq!((delivery.qos(), delivery.packet_id()), (qos, expected));
        }
    }
}
