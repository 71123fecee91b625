//! rumqttc, whose two codecs are modules of their own.

use bytes::{Bytes, BytesMut};
use mqtt_core::ProtocolVersion;
use rumqttc::mqttbytes::{self, v4};
use rumqttc::v5::mqttbytes::{self as mqttbytes5, v5};

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

const NAME: &str = "rumqttc 0.25.1";

/// Its codec of 3.1.1.
pub struct Rumqttc311;

impl Library for Rumqttc311 {
    const NAME: &'static str = NAME;
    const MQTT: ProtocolVersion = ProtocolVersion::V3_1_1;

    type Input = BytesMut;
    type Packet<'a> = v4::Packet;
    type Output = BytesMut;

    #[inline(always)]
    fn receive(input: &mut BytesMut, bytes: &[u8]) {
        input.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut BytesMut, visit: &mut impl Visit) -> Result<(), String> {
        match v4::Packet::read(input, usize::MAX).map_err(|error| error.to_string())? {
            v4::Packet::Publish(publish) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", publish.qos as u32);
                visit.flag("retain", publish.retain);
                visit.text("topic", &publish.topic);
                visit.number("packet id", publish.pkid.into());
                visit.bytes("payload", &publish.payload);
            }
            v4::Packet::Subscribe(subscribe) => {
                visit.number("packet id", subscribe.pkid.into());
                for filter in &subscribe.filters {
                    visit.text("filter", &filter.path);
                    visit.number("qos", filter.qos as u32);
                }
            }
            v4::Packet::Connect(connect) => {
                visit.flag("clean start", connect.clean_session);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                if let Some(will) = &connect.last_will {
                    visit.text("will topic", &will.topic);
                    visit.bytes("will payload", &will.message);
                    visit.number("will qos", will.qos as u32);
                    visit.flag("will retain", will.retain);
                }
                if let Some(login) = &connect.login {
                    visit.text("user name", &login.username);
                    visit.text("password", &login.password);
                }
            }
            v4::Packet::PubAck(ack) => visit.number("packet id", ack.pkid.into()),
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&v4::Packet) -> R) -> R {
        run(&match source.case {
            Case::Subscribe => {
                let filters = source.filters.iter();
                let mut subscribe = v4::Subscribe::new_many(filters.map(|filter| {
                    v4::SubscribeFilter::new((*filter).to_owned(), mqttbytes::QoS::AtLeastOnce)
                }));
                subscribe.pkid = source.packet_id;
                v4::Packet::Subscribe(subscribe)
            }
            Case::Connect => {
                let mut connect = v4::Connect::new(source.client_id);
                connect.keep_alive = source.keep_alive;
                connect.set_login(source.user_name, source.password);
                connect.last_will = Some(v4::LastWill {
                    topic: source.will_topic.to_owned(),
                    message: source.will_payload.clone(),
                    qos: mqttbytes::QoS::AtLeastOnce,
                    retain: true,
                });
                v4::Packet::Connect(connect)
            }
            Case::Puback => v4::Packet::PubAck(v4::PubAck::new(source.packet_id)),
            _ => {
                let qos = if source.at_least_once() {
                    mqttbytes::QoS::AtLeastOnce
                } else {
                    mqttbytes::QoS::AtMostOnce
                };
                let mut publish =
                    v4::Publish::from_bytes(source.topic, qos, source.payload.clone());
                publish.pkid = source.packet_id;
                v4::Packet::Publish(publish)
            }
        })
    }

    #[inline(always)]
    fn encode(packet: &v4::Packet, output: &mut BytesMut) -> Result<(), String> {
        packet
            .write(output, usize::MAX)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[inline(always)]
    fn clear(output: &mut BytesMut) {
        output.clear();
    }

    fn written(output: &BytesMut) -> Vec<u8> {
        output.to_vec()
    }
}

/// Its codec of 5.0.
pub struct Rumqttc5;

impl Library for Rumqttc5 {
    const NAME: &'static str = NAME;
    const MQTT: ProtocolVersion = ProtocolVersion::V5;

    type Input = BytesMut;
    type Packet<'a> = v5::Packet;
    type Output = BytesMut;

    #[inline(always)]
    fn receive(input: &mut BytesMut, bytes: &[u8]) {
        input.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut BytesMut, visit: &mut impl Visit) -> Result<(), String> {
        match v5::Packet::read(input, None).map_err(|error| error.to_string())? {
            v5::Packet::Publish(publish) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", publish.qos as u32);
                visit.flag("retain", publish.retain);
                visit.bytes("topic", &publish.topic);
                visit.number("packet id", publish.pkid.into());
                if let Some(properties) = &publish.properties {
                    show_properties(properties, visit);
                }
                visit.bytes("payload", &publish.payload);
            }
            v5::Packet::Subscribe(subscribe) => {
                visit.number("packet id", subscribe.pkid.into());
                if subscribe.properties.is_some() {
                    visit.number("another property", 0);
                }
                for filter in subscribe.filters {
                    visit.text("filter", &filter.path);
                    visit.number("qos", filter.qos as u32);
                    visit.flag("no local", filter.nolocal);
                    visit.flag("retain as published", filter.preserve_retain);
                    visit.number("retain handling", filter.retain_forward_rule as u32);
                }
            }
            v5::Packet::Connect(connect, will, login) => {
                visit.flag("clean start", connect.clean_start);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                if connect.properties.is_some() {
                    visit.number("another property", 0);
                }
                if let Some(will) = &will {
                    visit.bytes("will topic", &will.topic);
                    visit.bytes("will payload", &will.message);
                    visit.number("will qos", will.qos as u32);
                    visit.flag("will retain", will.retain);
                    if will.properties.is_some() {
                        visit.number("another property", 0);
                    }
                }
                if let Some(login) = &login {
                    visit.text("user name", &login.username);
                    visit.text("password", &login.password);
                }
            }
            v5::Packet::PubAck(ack) => {
                visit.number("packet id", ack.pkid.into());
                visit.number("reason", ack.reason as u32);
                if ack.properties.is_some() {
                    visit.number("another property", 0);
                }
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&v5::Packet) -> R) -> R {
        run(&match source.case {
            Case::Subscribe => {
                let filters = source.filters.iter();
                let filters =
                    filters.map(|filter| v5::Filter::new(*filter, mqttbytes5::QoS::AtLeastOnce));
                let mut subscribe = v5::Subscribe::new_many(filters, None);
                subscribe.pkid = source.packet_id;
                v5::Packet::Subscribe(subscribe)
            }
            Case::Connect => v5::Packet::Connect(
                v5::Connect {
                    keep_alive: source.keep_alive,
                    client_id: source.client_id.to_owned(),
                    clean_start: true,
                    properties: None,
                },
                Some(v5::LastWill {
                    topic: Bytes::copy_from_slice(source.will_topic.as_bytes()),
                    message: source.will_payload.clone(),
                    qos: mqttbytes5::QoS::AtLeastOnce,
                    retain: true,
                    properties: None,
                }),
                Some(v5::Login::new(source.user_name, source.password)),
            ),
            Case::Puback => v5::Packet::PubAck(v5::PubAck::new(source.packet_id, None)),
            _ => {
                let qos = if source.at_least_once() {
                    mqttbytes5::QoS::AtLeastOnce
                } else {
                    mqttbytes5::QoS::AtMostOnce
                };
                let properties =
                    (source.case == Case::PublishWithProperties).then(|| v5::PublishProperties {
                        message_expiry_interval: Some(source.message_expiry_interval),
                        content_type: Some(source.content_type.to_owned()),
                        response_topic: Some(source.response_topic.to_owned()),
                        correlation_data: Some(source.correlation_data.clone()),
                        user_properties: vec![(
                            source.user_property.0.to_owned(),
                            source.user_property.1.to_owned(),
                        )],
                        ..Default::default()
                    });
                v5::Packet::Publish(v5::Publish {
                    dup: false,
                    qos,
                    retain: false,
                    topic: Bytes::copy_from_slice(source.topic.as_bytes()),
                    pkid: source.packet_id,
                    payload: source.payload.clone(),
                    properties,
                })
            }
        })
    }

    #[inline(always)]
    fn encode(packet: &v5::Packet, output: &mut BytesMut) -> Result<(), String> {
        packet
            .write(output, None)
            .map(drop)
            .map_err(|error| error.to_string())
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
fn show_properties(properties: &v5::PublishProperties, visit: &mut impl Visit) {
    if let Some(format) = properties.payload_format_indicator {
        visit.number("payload format indicator", format.into());
    }
    if let Some(seconds) = properties.message_expiry_interval {
        visit.number("message expiry interval", seconds);
    }
    if let Some(alias) = properties.topic_alias {
        visit.number("topic alias", alias.into());
    }
    if let Some(topic) = &properties.response_topic {
        visit.text("response topic", topic);
    }
    if let Some(data) = &properties.correlation_data {
        visit.bytes("correlation data", data);
    }
    for (name, value) in &properties.user_properties {
        visit.text("user property name", name);
        visit.text("user property value", value);
    }
    for _ in &properties.subscription_identifiers {
        visit.number("subscription identifier", 0);
    }
    if let Some(text) = &properties.content_type {
        visit.text("content type", text);
    }
}
