//! mqtt-protocol-core: packets keep their fields as they are on the wire.

use std::io::IoSlice;

use mqtt_core::ProtocolVersion;
use mqtt_protocol_core::mqtt::{
    common::Cursor,
    connection::{PacketBuildResult, PacketBuilder, PacketData, RawPacket},
    packet::{Property, Qos, SubEntry, SubOpts, v3_1_1, v5_0},
};

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

const NAME: &str = "mqtt-protocol-core 0.7.9";

/// Received bytes, and what finds packets in them.
pub struct Input {
    bytes: Vec<u8>,
    read: usize,
    builder: PacketBuilder,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            read: 0,
            builder: PacketBuilder::new(),
        }
    }
}

impl Input {
    #[inline(always)]
    fn receive(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn next(&mut self) -> Result<RawPacket, String> {
        let mut cursor = Cursor::new(&self.bytes[self.read..]);
        match self.builder.feed(&mut cursor) {
            PacketBuildResult::Complete(packet) => {
                self.read += cursor.position() as usize;
                Ok(packet)
            }
            PacketBuildResult::Incomplete => Err("incomplete".to_owned()),
            PacketBuildResult::Error(error) => Err(format!("{error:?}")),
        }
    }
}

fn shown(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// The packets that are measured of one version.
macro_rules! library {
    ($name:ident, $packet:ident, $module:ident, $mqtt:expr, $v5:tt) => {
        /// Its packets of one version.
        pub struct $name;

        /// A packet with its encoder.
        pub enum $packet {
            Publish($module::Publish),
            Subscribe($module::Subscribe),
            Connect($module::Connect),
            Puback($module::Puback),
        }

        impl Library for $name {
            const NAME: &'static str = NAME;
            const MQTT: ProtocolVersion = $mqtt;
            const GATHERS: bool = true;

            type Input = Input;
            type Packet<'a> = $packet;
            type Output = Vec<u8>;

            #[inline(always)]
            fn receive(input: &mut Input, bytes: &[u8]) {
                input.receive(bytes);
            }

            #[inline(always)]
            fn decode(input: &mut Input, visit: &mut impl Visit) -> Result<(), String> {
                let raw = input.next()?;
                match (raw.packet_type(), &raw.data) {
                    (3, PacketData::Publish(data)) => {
                        let (publish, _) =
                            $module::Publish::parse(raw.flags(), data.clone()).map_err(shown)?;
                        visit.flag("dup", publish.dup());
                        visit.number("qos", publish.qos() as u32);
                        visit.flag("retain", publish.retain());
                        visit.text("topic", publish.topic_name());
                        visit.number("packet id", publish.packet_id().unwrap_or_default().into());
                        show!($v5, publish, visit);
                        visit.bytes("payload", publish.payload().as_slice());
                    }
                    (8, _) => {
                        let subscribe =
                            raw.parse_exact($module::Subscribe::parse).map_err(shown)?;
                        visit.number("packet id", subscribe.packet_id().into());
                        show!($v5, subscribe, visit);
                        for entry in subscribe.entries() {
                            let options = entry.sub_opts();
                            visit.text("filter", entry.topic_filter());
                            visit.number("qos", options.qos() as u32);
                            if $v5 {
                                visit.flag("no local", options.nl());
                                visit.flag("retain as published", options.rap());
                                visit.number("retain handling", options.rh() as u32);
                            }
                        }
                    }
                    (1, _) => {
                        let connect = raw.parse_exact($module::Connect::parse).map_err(shown)?;
                        visit.flag("clean start", connect.clean_start());
                        visit.number("keep alive", connect.keep_alive().into());
                        visit.text("client id", connect.client_id());
                        show!($v5, connect, visit);
                        if let (Some(topic), Some(payload)) =
                            (connect.will_topic(), connect.will_payload())
                        {
                            visit.text("will topic", topic);
                            visit.bytes("will payload", payload);
                            visit.number("will qos", connect.will_qos() as u32);
                            visit.flag("will retain", connect.will_retain());
                        }
                        show_will!($v5, connect, visit);
                        if let Some(name) = connect.user_name() {
                            visit.text("user name", name);
                        }
                        if let Some(password) = connect.password() {
                            visit.bytes("password", password);
                        }
                    }
                    (4, _) => {
                        let ack = raw.parse_exact($module::Puback::parse).map_err(shown)?;
                        visit.number("packet id", ack.packet_id().into());
                        if $v5 {
                            visit.number("reason", ack.reason_code().map_or(0, |code| code as u32));
                        }
                        show_optional!($v5, ack, visit);
                    }
                    (2, _) => drop(raw.parse_exact($module::Connack::parse).map_err(shown)?),
                    (5, _) => drop(raw.parse_exact($module::Pubrec::parse).map_err(shown)?),
                    (6, _) => drop(raw.parse_exact($module::Pubrel::parse).map_err(shown)?),
                    (7, _) => drop(raw.parse_exact($module::Pubcomp::parse).map_err(shown)?),
                    (9, _) => drop(raw.parse_exact($module::Suback::parse).map_err(shown)?),
                    (10, _) => drop(
                        raw.parse_exact($module::Unsubscribe::parse)
                            .map_err(shown)?,
                    ),
                    (11, _) => drop(raw.parse_exact($module::Unsuback::parse).map_err(shown)?),
                    (12, _) => drop(raw.parse_exact($module::Pingreq::parse).map_err(shown)?),
                    (13, _) => drop(raw.parse_exact($module::Pingresp::parse).map_err(shown)?),
                    (14, _) => drop(raw.parse_exact($module::Disconnect::parse).map_err(shown)?),
                    (other, _) => parse_auth!($v5, other, raw),
                }
                Ok(())
            }

            #[inline(always)]
            fn build<R>(source: &Source, run: impl FnOnce(&$packet) -> R) -> R {
                let packet = match source.case {
                    Case::Subscribe => $packet::Subscribe(
                        $module::Subscribe::builder()
                            .packet_id(source.packet_id)
                            .entries(entries(source))
                            .build()
                            .expect("a SUBSCRIBE"),
                    ),
                    Case::Connect => $packet::Connect(
                        $module::Connect::builder()
                            .client_id(source.client_id)
                            .and_then(|connect| {
                                connect
                                    .clean_start(true)
                                    .keep_alive(source.keep_alive)
                                    .will_message(
                                        source.will_topic,
                                        source.will_payload.to_vec(),
                                        Qos::AtLeastOnce,
                                        true,
                                    )
                            })
                            .and_then(|connect| connect.user_name(source.user_name))
                            .and_then(|connect| connect.password(source.password))
                            .and_then(|connect| connect.build())
                            .expect("a CONNECT"),
                    ),
                    Case::Puback => $packet::Puback(
                        $module::Puback::builder()
                            .packet_id(source.packet_id)
                            .build()
                            .expect("a PUBACK"),
                    ),
                    _ => {
                        let publish = $module::Publish::builder()
                            .topic_name(source.topic)
                            .expect("a Topic Name")
                            .payload(&*source.payload);
                        let publish = if source.at_least_once() {
                            publish.qos(Qos::AtLeastOnce).packet_id(source.packet_id)
                        } else {
                            publish.qos(Qos::AtMostOnce)
                        };
                        let publish = with_properties!($v5, publish, source);
                        $packet::Publish(publish.build().expect("a PUBLISH"))
                    }
                };
                run(&packet)
            }

            #[inline(always)]
            fn encode(packet: &$packet, output: &mut Vec<u8>) -> Result<(), String> {
                output.extend_from_slice(&match packet {
                    $packet::Publish(publish) => publish.to_continuous_buffer(),
                    $packet::Subscribe(subscribe) => subscribe.to_continuous_buffer(),
                    $packet::Connect(connect) => connect.to_continuous_buffer(),
                    $packet::Puback(ack) => ack.to_continuous_buffer(),
                });
                Ok(())
            }

            #[inline(always)]
            fn clear(output: &mut Vec<u8>) {
                output.clear();
            }

            fn written(output: &Vec<u8>) -> Vec<u8> {
                output.clone()
            }

            #[inline(always)]
            fn gather(
                packet: &$packet,
                _source: &Source,
                _output: &mut Vec<u8>,
                pieces: impl FnOnce(&[IoSlice<'_>]),
            ) -> Result<(), String> {
                let $packet::Publish(publish) = packet else {
                    return Err("not a PUBLISH".to_owned());
                };
                pieces(&publish.to_buffers());
                Ok(())
            }
        }
    };
}

macro_rules! parse_auth {
    (false, $type:ident, $raw:ident) => {
        return Err(format!("packet type {}", $type))
    };
    (true, $type:ident, $raw:ident) => {
        match $type {
            15 => drop($raw.parse_exact(v5_0::Auth::parse).map_err(shown)?),
            other => return Err(format!("packet type {other}")),
        }
    };
}

macro_rules! show {
    (false, $packet:ident, $visit:ident) => {};
    (true, $packet:ident, $visit:ident) => {
        show_properties($packet.props(), $visit)
    };
}

macro_rules! show_optional {
    (false, $packet:ident, $visit:ident) => {};
    (true, $packet:ident, $visit:ident) => {
        if let Some(properties) = $packet.props() {
            show_properties(properties, $visit);
        }
    };
}

macro_rules! show_will {
    (false, $packet:ident, $visit:ident) => {};
    (true, $packet:ident, $visit:ident) => {
        show_properties($packet.will_props(), $visit)
    };
}

macro_rules! with_properties {
    (false, $builder:ident, $source:ident) => {
        $builder
    };
    (true, $builder:ident, $source:ident) => {
        if $source.case == Case::PublishWithProperties {
            $builder.props(properties($source))
        } else {
            $builder
        }
    };
}

library!(Mpc311, Packet311, v3_1_1, ProtocolVersion::V3_1_1, false);
library!(Mpc5, Packet5, v5_0, ProtocolVersion::V5, true);

#[inline(always)]
fn entries(source: &Source) -> Vec<SubEntry> {
    let filters = source.filters.iter();
    filters
        .map(|filter| {
            SubEntry::new(*filter, SubOpts::new().set_qos(Qos::AtLeastOnce)).expect("a filter")
        })
        .collect()
}

#[inline(always)]
fn properties(source: &Source) -> Vec<Property> {
    use mqtt_protocol_core::mqtt::packet::{
        ContentType, CorrelationData, MessageExpiryInterval, ResponseTopic, UserProperty,
    };
    let (name, value) = source.user_property;
    vec![
        Property::MessageExpiryInterval(
            MessageExpiryInterval::new(source.message_expiry_interval).expect("seconds"),
        ),
        Property::ContentType(ContentType::new(source.content_type).expect("text")),
        Property::ResponseTopic(ResponseTopic::new(source.response_topic).expect("text")),
        Property::CorrelationData(
            CorrelationData::new(source.correlation_data.to_vec()).expect("short data"),
        ),
        Property::UserProperty(UserProperty::new(name, value).expect("text")),
    ]
}

#[inline(always)]
fn show_properties(properties: &[Property], visit: &mut impl Visit) {
    for property in properties {
        match property {
            Property::MessageExpiryInterval(seconds) => {
                visit.number("message expiry interval", seconds.val());
            }
            Property::ContentType(text) => visit.text("content type", text.val()),
            Property::ResponseTopic(text) => visit.text("response topic", text.val()),
            Property::CorrelationData(data) => visit.bytes("correlation data", data.val()),
            Property::UserProperty(pair) => {
                visit.text("user property name", pair.key());
                visit.text("user property value", pair.val());
            }
            other => visit.number("another property", other.id().as_u8().into()),
        }
    }
}
