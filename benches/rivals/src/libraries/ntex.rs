//! ntex-mqtt: shared slices in ntex's own buffers; packets are encoded by value.

use std::{
    io::IoSlice,
    num::{NonZeroU16, NonZeroU32},
};

use mqtt_core::ProtocolVersion;
use ntex_bytes::{BytePage, BytePages, ByteString, Bytes, BytesMut};
use ntex_codec::{Decoder as _, Encoder as _};
use ntex_mqtt::{QoS, v3::codec as v3, v5::codec as v5};

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

const NAME: &str = "ntex-mqtt 9.0.0";

/// Its codec of 3.1.1.
pub struct Ntex311;

/// Its codec of 5.0.
pub struct Ntex5;

/// Received bytes, and the codec, which has a state.
pub struct Input<C> {
    bytes: BytesMut,
    codec: C,
}

impl<C: Default> Default for Input<C> {
    fn default() -> Self {
        Self {
            bytes: BytesMut::with_capacity(16 * 1024),
            codec: C::default(),
        }
    }
}

/// What is written into, and the codec.
#[derive(Default)]
pub struct Output<C> {
    pages: BytePages,
    codec: C,
}

impl<C> Output<C> {
    fn written(&self) -> Vec<u8> {
        let mut pages = self.pages.clone();
        let mut written = Vec::new();
        while let Some(page) = pages.take() {
            written.extend_from_slice(&page);
        }
        written
    }

    #[inline(always)]
    fn pieces(&mut self, pieces: impl FnOnce(&[IoSlice<'_>])) {
        let taken: [Option<BytePage>; 4] = std::array::from_fn(|_| self.pages.take());
        let mut slices = [IoSlice::new(&[]); 4];
        let mut count = 0;
        for page in taken.iter().flatten() {
            slices[count] = IoSlice::new(page);
            count += 1;
        }
        pieces(&slices[..count]);
    }
}

fn shown(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

#[inline(always)]
fn packet_id(source: &Source) -> NonZeroU16 {
    NonZeroU16::new(source.packet_id).expect("not 0")
}

#[inline(always)]
fn qos(source: &Source) -> QoS {
    if source.at_least_once() {
        QoS::AtLeastOnce
    } else {
        QoS::AtMostOnce
    }
}

impl Library for Ntex311 {
    const NAME: &'static str = NAME;
    const MQTT: ProtocolVersion = ProtocolVersion::V3_1_1;
    const GATHERS: bool = true;

    type Input = Input<v3::Codec>;
    type Packet<'a> = v3::Encoded;
    type Output = Output<v3::Codec>;

    #[inline(always)]
    fn receive(input: &mut Self::Input, bytes: &[u8]) {
        input.bytes.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut Self::Input, visit: &mut impl Visit) -> Result<(), String> {
        let found = input.codec.decode(&mut input.bytes).map_err(shown)?;
        match found.ok_or("incomplete")? {
            v3::Decoded::Publish(publish, payload, _) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", u8::from(publish.qos).into());
                visit.flag("retain", publish.retain);
                visit.text("topic", &publish.topic);
                visit.number(
                    "packet id",
                    publish.packet_id.map_or(0, NonZeroU16::get).into(),
                );
                visit.bytes("payload", &payload);
            }
            v3::Decoded::Packet(
                v3::Packet::Subscribe {
                    packet_id,
                    topic_filters,
                },
                _,
            ) => {
                visit.number("packet id", packet_id.get().into());
                for (filter, qos) in &topic_filters {
                    visit.text("filter", filter);
                    visit.number("qos", u8::from(*qos).into());
                }
            }
            v3::Decoded::Packet(v3::Packet::Connect(connect), _) => {
                visit.flag("clean start", connect.clean_session);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                if let Some(will) = &connect.last_will {
                    visit.text("will topic", &will.topic);
                    visit.bytes("will payload", &will.message);
                    visit.number("will qos", u8::from(will.qos).into());
                    visit.flag("will retain", will.retain);
                }
                show_login(&connect.username, &connect.password, visit);
            }
            v3::Decoded::Packet(v3::Packet::PublishAck { packet_id }, _) => {
                visit.number("packet id", packet_id.get().into());
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&v3::Encoded) -> R) -> R {
        run(&build_311(source))
    }

    #[inline(always)]
    fn encode(packet: &v3::Encoded, output: &mut Self::Output) -> Result<(), String> {
        let Output { pages, codec } = output;
        codec.encodev(packet.clone(), pages).map_err(shown)
    }

    #[inline(always)]
    fn build_and_encode(source: &Source, output: &mut Self::Output) -> Result<(), String> {
        let Output { pages, codec } = output;
        codec.encodev(build_311(source), pages).map_err(shown)
    }

    #[inline(always)]
    fn clear(output: &mut Self::Output) {
        output.pages.clear();
    }

    fn written(output: &Self::Output) -> Vec<u8> {
        output.written()
    }

    #[inline(always)]
    fn gather(
        packet: &v3::Encoded,
        _source: &Source,
        output: &mut Self::Output,
        pieces: impl FnOnce(&[IoSlice<'_>]),
    ) -> Result<(), String> {
        Self::encode(packet, output)?;
        output.pieces(pieces);
        Ok(())
    }
}

#[inline(always)]
fn build_311(source: &Source) -> v3::Encoded {
    match source.case {
        Case::Subscribe => v3::Encoded::Packet(v3::Packet::Subscribe {
            packet_id: packet_id(source),
            topic_filters: source
                .filters
                .iter()
                .map(|filter| (ByteString::from(*filter), QoS::AtLeastOnce))
                .collect(),
        }),
        Case::Connect => v3::Encoded::Packet(v3::Packet::Connect(Box::new(v3::Connect {
            clean_session: true,
            keep_alive: source.keep_alive,
            last_will: Some(v3::LastWill {
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: source.will_topic.into(),
                message: Bytes::copy_from_slice(&source.will_payload),
            }),
            client_id: source.client_id.into(),
            username: Some(source.user_name.into()),
            password: Some(Bytes::copy_from_slice(source.password.as_bytes())),
        }))),
        Case::Puback => v3::Encoded::Packet(v3::Packet::PublishAck {
            packet_id: packet_id(source),
        }),
        _ => v3::Encoded::Publish(
            v3::Publish {
                dup: false,
                retain: false,
                qos: qos(source),
                topic: source.topic.into(),
                packet_id: source.at_least_once().then(|| packet_id(source)),
                payload_size: source.payload.len() as u32,
            },
            Some(Bytes::copy_from_slice(&source.payload)),
        ),
    }
}

impl Library for Ntex5 {
    const NAME: &'static str = NAME;
    const MQTT: ProtocolVersion = ProtocolVersion::V5;
    const GATHERS: bool = true;

    type Input = Input<v5::Codec>;
    type Packet<'a> = v5::Encoded;
    type Output = Output<v5::Codec>;

    #[inline(always)]
    fn receive(input: &mut Self::Input, bytes: &[u8]) {
        input.bytes.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut Self::Input, visit: &mut impl Visit) -> Result<(), String> {
        let found = input.codec.decode(&mut input.bytes).map_err(shown)?;
        match found.ok_or("incomplete")? {
            v5::Decoded::Publish(publish, payload, _) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", u8::from(publish.qos).into());
                visit.flag("retain", publish.retain);
                visit.text("topic", &publish.topic);
                visit.number(
                    "packet id",
                    publish.packet_id.map_or(0, NonZeroU16::get).into(),
                );
                show_properties(&publish.properties, visit);
                visit.bytes("payload", &payload);
            }
            v5::Decoded::Packet(v5::Packet::Subscribe(subscribe), _) => {
                visit.number("packet id", subscribe.packet_id.get().into());
                if let Some(id) = subscribe.id {
                    visit.number("subscription identifier", id.get());
                }
                show_user_properties(&subscribe.user_properties, visit);
                for (filter, options) in &subscribe.topic_filters {
                    visit.text("filter", filter);
                    visit.number("qos", u8::from(options.qos).into());
                    visit.flag("no local", options.no_local);
                    visit.flag("retain as published", options.retain_as_published);
                    visit.number("retain handling", u8::from(options.retain_handling).into());
                }
            }
            v5::Decoded::Packet(v5::Packet::Connect(connect), _) => {
                visit.flag("clean start", connect.clean_start);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", &connect.client_id);
                show_user_properties(&connect.user_properties, visit);
                if let Some(will) = &connect.last_will {
                    visit.text("will topic", &will.topic);
                    visit.bytes("will payload", &will.message);
                    visit.number("will qos", u8::from(will.qos).into());
                    visit.flag("will retain", will.retain);
                    show_user_properties(&will.user_properties, visit);
                }
                show_login(&connect.username, &connect.password, visit);
            }
            v5::Decoded::Packet(v5::Packet::PublishAck(ack), _) => {
                visit.number("packet id", ack.packet_id.get().into());
                visit.number("reason", u8::from(ack.reason_code).into());
                show_user_properties(&ack.properties, visit);
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&v5::Encoded) -> R) -> R {
        run(&build_5(source))
    }

    #[inline(always)]
    fn encode(packet: &v5::Encoded, output: &mut Self::Output) -> Result<(), String> {
        let Output { pages, codec } = output;
        codec.encodev(packet.clone(), pages).map_err(shown)
    }

    #[inline(always)]
    fn build_and_encode(source: &Source, output: &mut Self::Output) -> Result<(), String> {
        let Output { pages, codec } = output;
        codec.encodev(build_5(source), pages).map_err(shown)
    }

    #[inline(always)]
    fn clear(output: &mut Self::Output) {
        output.pages.clear();
    }

    fn written(output: &Self::Output) -> Vec<u8> {
        output.written()
    }

    #[inline(always)]
    fn gather(
        packet: &v5::Encoded,
        _source: &Source,
        output: &mut Self::Output,
        pieces: impl FnOnce(&[IoSlice<'_>]),
    ) -> Result<(), String> {
        Self::encode(packet, output)?;
        output.pieces(pieces);
        Ok(())
    }
}

#[inline(always)]
fn build_5(source: &Source) -> v5::Encoded {
    match source.case {
        Case::Subscribe => v5::Encoded::Packet(v5::Packet::Subscribe(v5::Subscribe {
            packet_id: packet_id(source),
            id: None,
            user_properties: Vec::new(),
            topic_filters: source
                .filters
                .iter()
                .map(|filter| {
                    let options = v5::SubscriptionOptions {
                        qos: QoS::AtLeastOnce,
                        no_local: false,
                        retain_as_published: false,
                        retain_handling: v5::RetainHandling::AtSubscribe,
                    };
                    (ByteString::from(*filter), options)
                })
                .collect(),
        })),
        Case::Connect => v5::Encoded::Packet(v5::Packet::Connect(Box::new(v5::Connect {
            clean_start: true,
            keep_alive: source.keep_alive,
            last_will: Some(v5::LastWill {
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: source.will_topic.into(),
                message: Bytes::copy_from_slice(&source.will_payload),
                will_delay_interval_sec: None,
                correlation_data: None,
                message_expiry_interval: None,
                content_type: None,
                user_properties: Vec::new(),
                is_utf8_payload: None,
                response_topic: None,
            }),
            client_id: source.client_id.into(),
            username: Some(source.user_name.into()),
            password: Some(Bytes::copy_from_slice(source.password.as_bytes())),
            ..v5::Connect::default()
        }))),
        Case::Puback => v5::Encoded::Packet(v5::Packet::PublishAck(v5::PublishAck {
            packet_id: packet_id(source),
            reason_code: v5::PublishAckReason::Success,
            properties: Vec::new(),
            reason_string: None,
        })),
        _ => v5::Encoded::Publish(
            v5::Publish {
                dup: false,
                retain: false,
                qos: qos(source),
                packet_id: source.at_least_once().then(|| packet_id(source)),
                topic: source.topic.into(),
                payload_size: source.payload.len() as u32,
                properties: if source.case == Case::PublishWithProperties {
                    let (name, value) = source.user_property;
                    v5::PublishProperties {
                        correlation_data: Some(Bytes::copy_from_slice(&source.correlation_data)),
                        message_expiry_interval: NonZeroU32::new(source.message_expiry_interval),
                        content_type: Some(source.content_type.into()),
                        user_properties: vec![(name.into(), value.into())],
                        response_topic: Some(source.response_topic.into()),
                        ..v5::PublishProperties::default()
                    }
                } else {
                    v5::PublishProperties::default()
                },
            },
            Some(Bytes::copy_from_slice(&source.payload)),
        ),
    }
}

#[inline(always)]
fn show_login(username: &Option<ByteString>, password: &Option<Bytes>, visit: &mut impl Visit) {
    if let Some(username) = username {
        visit.text("user name", username);
    }
    if let Some(password) = password {
        visit.bytes("password", password);
    }
}

#[inline(always)]
fn show_properties(properties: &v5::PublishProperties, visit: &mut impl Visit) {
    if let Some(alias) = properties.topic_alias {
        visit.number("topic alias", alias.get().into());
    }
    if let Some(data) = &properties.correlation_data {
        visit.bytes("correlation data", data);
    }
    if let Some(seconds) = properties.message_expiry_interval {
        visit.number("message expiry interval", seconds.get());
    }
    if let Some(text) = &properties.content_type {
        visit.text("content type", text);
    }
    show_user_properties(&properties.user_properties, visit);
    if properties.is_utf8_payload {
        visit.flag("payload format indicator", true);
    }
    if let Some(topic) = &properties.response_topic {
        visit.text("response topic", topic);
    }
    for id in &properties.subscription_ids {
        visit.number("subscription identifier", id.get());
    }
}

#[inline(always)]
fn show_user_properties(properties: &v5::UserProperties, visit: &mut impl Visit) {
    for (name, value) in properties {
        visit.text("user property name", name);
        visit.text("user property value", value);
    }
}
