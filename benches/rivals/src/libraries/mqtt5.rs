//! mqtt5-protocol: one type for both versions, Properties in a hash map.

use bytes::BytesMut;
use mqtt_core::ProtocolVersion;
use mqtt5_protocol::{
    FixedHeader, Packet, Properties, PropertyId, PropertyValue, QoS, WillMessage,
    packet::{
        MqttPacket as _,
        connect::ConnectPacket,
        puback::PubAckPacket,
        publish::PublishPacket,
        subscribe::{SubscribePacket, TopicFilter},
    },
};

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

/// In the version of this level.
pub struct Mqtt5<const LEVEL: u8>;

impl<const LEVEL: u8> Library for Mqtt5<LEVEL> {
    const NAME: &'static str = "mqtt5-protocol 0.16.2";
    const MQTT: ProtocolVersion = super::mqtt(LEVEL);

    type Input = BytesMut;
    type Packet<'a> = Packet;
    type Output = BytesMut;

    #[inline(always)]
    fn receive(input: &mut BytesMut, bytes: &[u8]) {
        input.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut BytesMut, visit: &mut impl Visit) -> Result<(), String> {
        let header = FixedHeader::decode(input).map_err(|error| error.to_string())?;
        let mut body = input.split_to(header.remaining_length as usize).freeze();
        let packet =
            Packet::decode_from_body_with_version(header.packet_type, &header, &mut body, LEVEL);
        match packet.map_err(|error| error.to_string())? {
            Packet::Publish(publish) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", publish.qos as u32);
                visit.flag("retain", publish.retain);
                visit.text("topic", &publish.topic_name);
                visit.number("packet id", publish.packet_id.unwrap_or_default().into());
                show_properties(&publish.properties, visit);
                visit.bytes("payload", &publish.payload);
            }
            Packet::Subscribe(subscribe) => {
                visit.number("packet id", subscribe.packet_id.into());
                show_properties(&subscribe.properties, visit);
                for topic in &subscribe.filters {
                    visit.text("filter", &topic.filter);
                    visit.number("qos", topic.options.qos as u32);
                    if LEVEL == 5 {
                        visit.flag("no local", topic.options.no_local);
                        visit.flag("retain as published", topic.options.retain_as_published);
                        visit.number("retain handling", topic.options.retain_handling as u32);
                    }
                }
            }
            Packet::Connect(connect) => {
                visit.flag("clean start", connect.clean_start);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                show_properties(&connect.properties, visit);
                if let Some(will) = &connect.will {
                    visit.text("will topic", &will.topic);
                    visit.bytes("will payload", &will.payload);
                    visit.number("will qos", will.qos as u32);
                    visit.flag("will retain", will.retain);
                    show_properties(&connect.will_properties, visit);
                }
                if let Some(username) = &connect.username {
                    visit.text("user name", username);
                }
                if let Some(password) = &connect.password {
                    visit.bytes("password", password);
                }
            }
            Packet::PubAck(ack) => {
                visit.number("packet id", ack.packet_id.into());
                if LEVEL == 5 {
                    visit.number("reason", u8::from(ack.reason_code).into());
                    show_properties(&ack.properties, visit);
                }
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&Packet) -> R) -> R {
        run(&match source.case {
            Case::Subscribe => {
                let filters = source.filters.iter();
                Packet::Subscribe(SubscribePacket {
                    packet_id: source.packet_id,
                    filters: filters
                        .map(|filter| TopicFilter::new(*filter, QoS::AtLeastOnce))
                        .collect(),
                    properties: Properties::default(),
                    protocol_version: LEVEL,
                })
            }
            Case::Connect => Packet::Connect(Box::new(ConnectPacket {
                protocol_version: LEVEL,
                clean_start: true,
                keep_alive: source.keep_alive,
                client_id: source.client_id.to_owned(),
                username: Some(source.user_name.to_owned()),
                password: Some(source.password.as_bytes().to_vec()),
                will: Some(WillMessage {
                    topic: source.will_topic.to_owned(),
                    payload: source.will_payload.to_vec(),
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: Default::default(),
                }),
                properties: Properties::default(),
                will_properties: Properties::default(),
            })),
            Case::Puback => Packet::PubAck(PubAckPacket::new(source.packet_id)),
            _ => {
                let mut properties = Properties::default();
                if source.case == Case::PublishWithProperties {
                    properties.set_message_expiry_interval(source.message_expiry_interval);
                    properties.set_content_type(source.content_type.to_owned());
                    properties.set_response_topic(source.response_topic.to_owned());
                    properties.set_correlation_data(source.correlation_data.clone());
                    let (name, value) = source.user_property;
                    properties.add_user_property(name.to_owned(), value.to_owned());
                }
                Packet::Publish(PublishPacket {
                    topic_name: source.topic.to_owned(),
                    packet_id: source.at_least_once().then_some(source.packet_id),
                    payload: source.payload.clone(),
                    qos: if source.at_least_once() {
                        QoS::AtLeastOnce
                    } else {
                        QoS::AtMostOnce
                    },
                    retain: false,
                    dup: false,
                    properties,
                    protocol_version: LEVEL,
                    stream_id: None,
                })
            }
        })
    }

    #[inline(always)]
    fn encode(packet: &Packet, output: &mut BytesMut) -> Result<(), String> {
        let encoded = match packet {
            Packet::Publish(publish) => publish.encode(output),
            Packet::Subscribe(subscribe) => subscribe.encode(output),
            Packet::Connect(connect) => connect.encode(output),
            Packet::PubAck(ack) => ack.encode(output),
            _ => return Err("another packet".to_owned()),
        };
        encoded.map_err(|error| error.to_string())
    }

    #[inline(always)]
    fn clear(output: &mut BytesMut) {
        output.clear();
    }

    fn written(output: &BytesMut) -> Vec<u8> {
        output.to_vec()
    }
}

#[inline(always)]
fn show_properties(properties: &Properties, visit: &mut impl Visit) {
    for (id, value) in properties.iter() {
        match (id, value) {
            (PropertyId::MessageExpiryInterval, PropertyValue::FourByteInteger(seconds)) => {
                visit.number("message expiry interval", *seconds);
            }
            (PropertyId::ContentType, PropertyValue::Utf8String(text)) => {
                visit.text("content type", text);
            }
            (PropertyId::ResponseTopic, PropertyValue::Utf8String(text)) => {
                visit.text("response topic", text);
            }
            (PropertyId::CorrelationData, PropertyValue::BinaryData(data)) => {
                visit.bytes("correlation data", data);
            }
            (PropertyId::UserProperty, PropertyValue::Utf8StringPair(name, value)) => {
                visit.text("user property name", name);
                visit.text("user property value", value);
            }
            _ => visit.number("another property", id as u32),
        }
    }
}
