//! Ours.

use std::io::IoSlice;

use bytes::Buf as _;
use mqtt_core::{
    Connect, Decoder, Delivery, Encoder, KeepAlive, Output, Packet, PacketId, Properties, Property,
    ProtocolVersion, Publish, PublishAck, QoS, Role, Subscribe, SubscribeFilters, SubscribeOptions,
    TopicFilter, TopicName, Utf8, Will,
};

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

/// In the version of this level.
pub struct Pushmq<const LEVEL: u8>;

/// A receive buffer with the place up to which it was read, as a driver without `BytesMut` has it.
#[derive(Default)]
pub struct Input {
    bytes: Vec<u8>,
    read: usize,
}

impl<const LEVEL: u8> Library for Pushmq<LEVEL> {
    const NAME: &'static str = "pushmq";
    const MQTT: ProtocolVersion = super::mqtt(LEVEL);
    const GATHERS: bool = true;

    type Input = Input;
    type Packet<'a> = Packet<'a>;
    type Output = Output;

    #[inline(always)]
    fn receive(input: &mut Input, bytes: &[u8]) {
        input.bytes.clear();
        input.read = 0;
        input.bytes.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut Input, visit: &mut impl Visit) -> Result<(), String> {
        let mut decoder = Decoder::new(Some(Self::MQTT), Role::Client);
        let found = decoder.next(&input.bytes[input.read..]);
        let (packet, len) = found
            .map_err(|error| error.to_string())?
            .ok_or("incomplete")?;
        show(&packet, Self::MQTT, visit);
        input.read += len;
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&Packet<'_>) -> R) -> R {
        build(Self::MQTT, source, run)
    }

    #[inline(always)]
    fn encode(packet: &Packet<'_>, output: &mut Output) -> Result<(), String> {
        Encoder::new(Self::MQTT, Role::Client)
            .encode(packet, output)
            .map_err(|error| error.to_string())
    }

    #[inline(always)]
    fn clear(output: &mut Output) {
        output.clear();
    }

    fn written(output: &Output) -> Vec<u8> {
        output.chunk().to_vec()
    }

    #[inline(always)]
    fn gather(
        packet: &Packet<'_>,
        source: &Source,
        output: &mut Output,
        pieces: impl FnOnce(&[IoSlice<'_>]),
    ) -> Result<(), String> {
        let Packet::Publish(publish) = packet else {
            return Err("not a PUBLISH".to_owned());
        };
        Encoder::new(Self::MQTT, Role::Client)
            .encode_with_payload(publish, &source.payload, output)
            .map_err(|error| error.to_string())?;
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = output.chunks_vectored(&mut slices);
        pieces(&slices[..filled]);
        Ok(())
    }
}

#[inline(always)]
fn show(packet: &Packet<'_>, mqtt: ProtocolVersion, visit: &mut impl Visit) {
    match packet {
        Packet::Publish(publish) => {
            visit.flag("dup", publish.dup);
            visit.number("qos", publish.delivery.qos().as_u8().into());
            visit.flag("retain", publish.retain);
            if let Some(topic) = publish.topic {
                visit.text("topic", topic.as_str());
            }
            let packet_id = publish.delivery.packet_id().map_or(0, PacketId::get);
            visit.number("packet id", packet_id.into());
            show_properties(&publish.properties, visit);
            visit.bytes("payload", publish.payload);
        }
        Packet::Subscribe(subscribe) => {
            visit.number("packet id", subscribe.packet_id.get().into());
            show_properties(&subscribe.properties, visit);
            for (filter, options) in subscribe.filters {
                visit.text("filter", filter.as_str());
                visit.number("qos", options.qos.as_u8().into());
                if mqtt.is_v5() {
                    visit.flag("no local", options.no_local);
                    visit.flag("retain as published", options.retain_as_published);
                    visit.number("retain handling", options.retain_handling as u32);
                }
            }
        }
        Packet::Connect(connect) => {
            visit.flag("clean start", connect.clean_start);
            visit.number("keep alive", connect.keep_alive.as_secs().into());
            visit.text("client id", connect.client_id.as_str());
            show_properties(&connect.properties, visit);
            if let Some(will) = &connect.will {
                visit.text("will topic", will.topic.as_str());
                visit.bytes("will payload", will.payload);
                visit.number("will qos", will.qos.as_u8().into());
                visit.flag("will retain", will.retain);
                show_properties(&will.properties, visit);
            }
            if let Some(username) = connect.username {
                visit.text("user name", username.as_str());
            }
            if let Some(password) = connect.password {
                visit.bytes("password", password);
            }
        }
        Packet::Puback(ack) => {
            visit.number("packet id", ack.packet_id.get().into());
            if mqtt.is_v5() {
                visit.number("reason", ack.reason.get().into());
                show_properties(&ack.properties, visit);
            }
        }
        _ => {}
    }
}

#[inline(always)]
fn show_properties(properties: &Properties<'_>, visit: &mut impl Visit) {
    for property in properties {
        match property {
            Property::MessageExpiryInterval(seconds) => {
                visit.number("message expiry interval", seconds);
            }
            Property::ContentType(text) => visit.text("content type", text.as_str()),
            Property::ResponseTopic(topic) => visit.text("response topic", topic.as_str()),
            Property::CorrelationData(data) => visit.bytes("correlation data", data),
            Property::UserProperty(name, value) => {
                visit.text("user property name", name.as_str());
                visit.text("user property value", value.as_str());
            }
            other => visit.number("another property", other.id().as_u8().into()),
        }
    }
}

#[inline(always)]
fn build<R>(mqtt: ProtocolVersion, source: &Source, run: impl FnOnce(&Packet<'_>) -> R) -> R {
    let text = |text| Utf8::new(text).expect("text");
    let topic = |text| TopicName::new(text).expect("a Topic Name");
    let packet_id = PacketId::new(source.packet_id).expect("not 0");
    let publish = |properties| {
        Packet::Publish(Publish {
            dup: false,
            retain: false,
            delivery: if source.at_least_once() {
                Delivery::AtLeastOnce(packet_id)
            } else {
                Delivery::AtMostOnce
            },
            topic: Some(topic(source.topic)),
            payload: &source.payload,
            properties,
        })
    };
    match source.case {
        Case::SmallPublish | Case::LargePublish | Case::HugePublish => {
            run(&publish(Properties::EMPTY))
        }
        Case::PublishWithProperties => run(&publish(Properties::new(&[
            Property::MessageExpiryInterval(source.message_expiry_interval),
            Property::ContentType(text(source.content_type)),
            Property::ResponseTopic(topic(source.response_topic)),
            Property::CorrelationData(&source.correlation_data),
            Property::UserProperty(text(source.user_property.0), text(source.user_property.1)),
        ]))),
        Case::Subscribe => {
            let options = SubscribeOptions::with_qos(QoS::AtLeastOnce);
            let filters = source.filters.map(|filter| {
                let filter = TopicFilter::new(filter).expect("a Topic Filter");
                (filter, options)
            });
            run(&Packet::Subscribe(Subscribe {
                packet_id,
                filters: SubscribeFilters::new(&filters),
                properties: Properties::EMPTY,
            }))
        }
        Case::Connect => run(&Packet::Connect(Connect {
            version: mqtt,
            clean_start: true,
            keep_alive: KeepAlive::from_secs(source.keep_alive),
            client_id: text(source.client_id),
            will: Some(Will {
                topic: topic(source.will_topic),
                payload: &source.will_payload,
                qos: QoS::AtLeastOnce,
                retain: true,
                properties: Properties::EMPTY,
            }),
            username: Some(text(source.user_name)),
            password: Some(source.password.as_bytes()),
            properties: Properties::EMPTY,
        })),
        Case::Puback => run(&Packet::Puback(PublishAck::success(packet_id))),
    }
}
