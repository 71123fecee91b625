//! flowsdk: owned values, packets copied out of its own buffer.

use flowsdk::mqtt_serde::{
    control_packet::{MqttControlPacket as _, MqttPacket},
    mqttv3::{connectv3, pubackv3, publishv3, subscribev3},
    mqttv5::{Property, connectv5, pubackv5, publishv5, subscribev5, willv5},
    parser::stream::MqttParser,
};
use mqtt_core::ProtocolVersion;

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

/// In the version of this level.
pub struct Flowsdk<const LEVEL: u8>;

/// Its parser, which keeps the received bytes.
pub struct Input<const LEVEL: u8>(MqttParser);

impl<const LEVEL: u8> Default for Input<LEVEL> {
    fn default() -> Self {
        Self(MqttParser::new(16 * 1024, LEVEL))
    }
}

impl<const LEVEL: u8> Library for Flowsdk<LEVEL> {
    const NAME: &'static str = "flowsdk 0.7.0";
    const MQTT: ProtocolVersion = super::mqtt(LEVEL);

    type Input = Input<LEVEL>;
    type Packet<'a> = MqttPacket;
    type Output = Vec<u8>;

    #[inline(always)]
    fn receive(input: &mut Input<LEVEL>, bytes: &[u8]) {
        input.0.feed(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut Input<LEVEL>, visit: &mut impl Visit) -> Result<(), String> {
        let packet = input.0.next_packet().map_err(|error| error.to_string())?;
        match packet.ok_or("incomplete")? {
            MqttPacket::Publish3(publish) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", publish.qos.into());
                visit.flag("retain", publish.retain);
                visit.text("topic", &publish.topic_name);
                visit.number("packet id", publish.message_id.unwrap_or_default().into());
                visit.bytes("payload", &publish.payload);
            }
            MqttPacket::Publish5(publish) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", publish.qos.into());
                visit.flag("retain", publish.retain);
                visit.text("topic", &publish.topic_name);
                visit.number("packet id", publish.packet_id.unwrap_or_default().into());
                show_properties(&publish.properties, visit);
                visit.bytes("payload", &publish.payload);
            }
            MqttPacket::Subscribe3(subscribe) => {
                visit.number("packet id", subscribe.message_id.into());
                for topic in &subscribe.subscriptions {
                    visit.text("filter", &topic.topic_filter);
                    visit.number("qos", topic.qos.into());
                }
            }
            MqttPacket::Subscribe5(subscribe) => {
                visit.number("packet id", subscribe.packet_id.into());
                show_properties(&subscribe.properties, visit);
                for topic in &subscribe.subscriptions {
                    visit.text("filter", &topic.topic_filter);
                    visit.number("qos", topic.qos.into());
                    visit.flag("no local", topic.no_local);
                    visit.flag("retain as published", topic.retain_as_published);
                    visit.number("retain handling", topic.retain_handling.into());
                }
            }
            MqttPacket::Connect3(connect) => {
                visit.flag("clean start", connect.clean_session);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                if let Some(will) = &connect.will {
                    visit.text("will topic", &will.topic);
                    visit.bytes("will payload", &will.message);
                    visit.number("will qos", will.qos.into());
                    visit.flag("will retain", will.retain);
                }
                show_login(&connect.username, &connect.password, visit);
            }
            MqttPacket::Connect5(connect) => {
                visit.flag("clean start", connect.clean_start);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                show_properties(&connect.properties, visit);
                if let Some(will) = &connect.will {
                    visit.text("will topic", &will.will_topic);
                    visit.bytes("will payload", &will.will_message);
                    visit.number("will qos", will.will_qos.into());
                    visit.flag("will retain", will.will_retain);
                    show_will_properties(&will.properties, visit);
                }
                show_login(&connect.username, &connect.password, visit);
            }
            MqttPacket::PubAck3(ack) => visit.number("packet id", ack.message_id.into()),
            MqttPacket::PubAck5(ack) => {
                visit.number("packet id", ack.packet_id.into());
                visit.number("reason", ack.reason_code.into());
                show_properties(&ack.properties, visit);
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&MqttPacket) -> R) -> R {
        run(&if LEVEL == 5 {
            build_5(source)
        } else {
            build_311(source)
        })
    }

    #[inline(always)]
    fn encode(packet: &MqttPacket, output: &mut Vec<u8>) -> Result<(), String> {
        let encoded = match packet {
            MqttPacket::Publish3(packet) => packet.encode_to_buffer(output),
            MqttPacket::Publish5(packet) => packet.encode_to_buffer(output),
            MqttPacket::Subscribe3(packet) => packet.encode_to_buffer(output),
            MqttPacket::Subscribe5(packet) => packet.encode_to_buffer(output),
            MqttPacket::Connect3(packet) => packet.encode_to_buffer(output),
            MqttPacket::Connect5(packet) => packet.encode_to_buffer(output),
            MqttPacket::PubAck3(packet) => packet.encode_to_buffer(output),
            MqttPacket::PubAck5(packet) => packet.encode_to_buffer(output),
            _ => return Err("another packet".to_owned()),
        };
        encoded.map_err(|error| error.to_string())
    }

    #[inline(always)]
    fn clear(output: &mut Vec<u8>) {
        output.clear();
    }

    fn written(output: &Vec<u8>) -> Vec<u8> {
        output.clone()
    }
}

#[inline(always)]
fn build_311(source: &Source) -> MqttPacket {
    match source.case {
        Case::Subscribe => MqttPacket::Subscribe3(subscribev3::MqttSubscribe {
            message_id: source.packet_id,
            subscriptions: source
                .filters
                .iter()
                .map(|filter| subscribev3::SubscriptionTopic {
                    topic_filter: (*filter).to_owned(),
                    qos: 1,
                })
                .collect(),
        }),
        Case::Connect => MqttPacket::Connect3(connectv3::MqttConnect {
            protocol_name: "MQTT".to_owned(),
            protocol_version: 4,
            clean_session: true,
            keep_alive: source.keep_alive,
            client_id: source.client_id.to_owned(),
            will: Some(connectv3::Will {
                retain: true,
                qos: 1,
                topic: source.will_topic.to_owned(),
                message: source.will_payload.to_vec(),
            }),
            username: Some(source.user_name.to_owned()),
            password: Some(source.password.as_bytes().to_vec()),
        }),
        Case::Puback => MqttPacket::PubAck3(pubackv3::MqttPubAck::new(source.packet_id)),
        _ => MqttPacket::Publish3(publishv3::MqttPublish {
            dup: false,
            qos: source.at_least_once().into(),
            retain: false,
            topic_name: source.topic.to_owned(),
            message_id: source.at_least_once().then_some(source.packet_id),
            payload: source.payload.to_vec(),
        }),
    }
}

#[inline(always)]
fn build_5(source: &Source) -> MqttPacket {
    match source.case {
        Case::Subscribe => MqttPacket::Subscribe5(subscribev5::MqttSubscribe {
            packet_id: source.packet_id,
            subscriptions: source
                .filters
                .iter()
                .map(|filter| subscribev5::TopicSubscription {
                    topic_filter: (*filter).to_owned(),
                    qos: 1,
                    no_local: false,
                    retain_as_published: false,
                    retain_handling: 0,
                })
                .collect(),
            properties: Vec::new(),
        }),
        Case::Connect => MqttPacket::Connect5(connectv5::MqttConnect {
            protocol_name: "MQTT".to_owned(),
            protocol_version: 5,
            keep_alive: source.keep_alive,
            client_id: source.client_id.to_owned(),
            will: Some(willv5::Will {
                will_qos: 1,
                will_retain: true,
                will_topic: source.will_topic.to_owned(),
                will_message: source.will_payload.to_vec(),
                properties: Default::default(),
            }),
            username: Some(source.user_name.to_owned()),
            password: Some(source.password.as_bytes().to_vec()),
            properties: Vec::new(),
            clean_start: true,
        }),
        Case::Puback => {
            MqttPacket::PubAck5(pubackv5::MqttPubAck::new(source.packet_id, 0, Vec::new()))
        }
        _ => MqttPacket::Publish5(publishv5::MqttPublish {
            topic_name: source.topic.to_owned(),
            qos: source.at_least_once().into(),
            dup: false,
            retain: false,
            packet_id: source.at_least_once().then_some(source.packet_id),
            payload: source.payload.to_vec(),
            properties: if source.case == Case::PublishWithProperties {
                let (name, value) = source.user_property;
                vec![
                    Property::MessageExpiryInterval(source.message_expiry_interval),
                    Property::ContentType(source.content_type.to_owned()),
                    Property::ResponseTopic(source.response_topic.to_owned()),
                    Property::CorrelationData(source.correlation_data.to_vec()),
                    Property::UserProperty(name.to_owned(), value.to_owned()),
                ]
            } else {
                Vec::new()
            },
        }),
    }
}

#[inline(always)]
fn show_login(username: &Option<String>, password: &Option<Vec<u8>>, visit: &mut impl Visit) {
    if let Some(username) = username {
        visit.text("user name", username);
    }
    if let Some(password) = password {
        visit.bytes("password", password);
    }
}

#[inline(always)]
fn show_properties(properties: &[Property], visit: &mut impl Visit) {
    for property in properties {
        match property {
            Property::MessageExpiryInterval(seconds) => {
                visit.number("message expiry interval", *seconds);
            }
            Property::ContentType(text) => visit.text("content type", text),
            Property::ResponseTopic(text) => visit.text("response topic", text),
            Property::CorrelationData(data) => visit.bytes("correlation data", data),
            Property::UserProperty(name, value) => {
                visit.text("user property name", name);
                visit.text("user property value", value);
            }
            _ => visit.number("another property", 0),
        }
    }
}

#[inline(always)]
fn show_will_properties(properties: &willv5::WillProperties, visit: &mut impl Visit) {
    if let Some(seconds) = properties.will_delay_interval {
        visit.number("will delay interval", seconds);
    }
    if let Some(format) = properties.payload_format_indicator {
        visit.number("payload format indicator", format.into());
    }
    if let Some(seconds) = properties.message_expiry_interval {
        visit.number("message expiry interval", seconds);
    }
    if let Some(text) = &properties.content_type {
        visit.text("content type", text);
    }
    if let Some(text) = &properties.response_topic {
        visit.text("response topic", text);
    }
    if let Some(data) = &properties.correlation_data {
        visit.bytes("correlation data", data);
    }
    show_properties(&properties.user_properties, visit);
}
