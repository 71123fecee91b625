//! Six packets, from the smallest to the largest that a busy connection sees. Each exists in 3.1.1 and 5.0 but for the
//! one that is about properties.

use bytes::{Buf, Bytes};
use mqtt_core::{
    Connect, Delivery, Encoder, KeepAlive, Output, Packet, PacketId, Properties, Property,
    ProtocolVersion, Publish, PublishAck, QoS, Role, SubscribeFilters, SubscribeOptions,
    TopicFilter, TopicName, Utf8, Will,
};

/// A Topic Name of 30 bytes.
const TOPIC: &str = "devices/0123456789/temperature";

/// A packet to be measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Case {
    /// a: PUBLISH of QoS 1, 30 bytes of Topic Name, 64 bytes of payload.
    SmallPublish,
    /// b: PUBLISH of QoS 0, 16 KiB of payload.
    LargePublish,
    /// c: PUBLISH of QoS 1 with five properties (5.0 only).
    PublishWithProperties,
    /// d: SUBSCRIBE of ten Topic Filters.
    Subscribe,
    /// e: CONNECT with Will, User Name and Password.
    Connect,
    /// f: PUBACK.
    Puback,
}

impl Case {
    /// Every case, in order.
    pub const ALL: [Self; 6] = [
        Self::SmallPublish,
        Self::LargePublish,
        Self::PublishWithProperties,
        Self::Subscribe,
        Self::Connect,
        Self::Puback,
    ];

    /// The name that it has in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallPublish => "a_publish_64",
            Self::LargePublish => "b_publish_16k",
            Self::PublishWithProperties => "c_publish_properties",
            Self::Subscribe => "d_subscribe_10",
            Self::Connect => "e_connect_will",
            Self::Puback => "f_puback",
        }
    }

    /// Whether `version` has it.
    #[must_use]
    pub fn exists_in(self, version: ProtocolVersion) -> bool {
        self != Self::PublishWithProperties || version == ProtocolVersion::V5
    }

    /// Calls `run` with the packet.
    ///
    /// # Panics
    /// Never: the values below keep their rules.
    pub fn with_packet<R>(self, version: ProtocolVersion, run: impl FnOnce(&Packet<'_>) -> R) -> R {
        let topic = TopicName::new(TOPIC).expect("a topic name");
        let text = |text| Utf8::new(text).expect("text");
        let packet_id = PacketId::MIN;
        let publish = Publish {
            dup: false,
            retain: false,
            delivery: Delivery::AtLeastOnce(packet_id),
            topic: Some(topic),
            payload: &[b'x'; 64],
            properties: Properties::EMPTY,
        };
        match self {
            Self::SmallPublish => run(&Packet::Publish(publish)),
            Self::LargePublish => {
                let payload = [b'x'; 16 * 1024];
                run(&Packet::Publish(Publish {
                    delivery: Delivery::AtMostOnce,
                    payload: &payload,
                    ..publish
                }))
            }
            Self::PublishWithProperties => {
                let properties = five_properties();
                run(&Packet::Publish(Publish {
                    properties: Properties::new(&properties),
                    ..publish
                }))
            }
            Self::Subscribe => {
                let texts: Vec<_> = (0..10)
                    .map(|number| format!("devices/+/sensors/{number}/#"))
                    .collect();
                let filters: Vec<_> = texts
                    .iter()
                    .map(|text| {
                        let filter = TopicFilter::new(text).expect("a topic filter");
                        (filter, SubscribeOptions::with_qos(QoS::AtLeastOnce))
                    })
                    .collect();
                run(&Packet::Subscribe(mqtt_core::Subscribe {
                    packet_id,
                    filters: SubscribeFilters::new(&filters),
                    properties: Properties::EMPTY,
                }))
            }
            Self::Connect => run(&Packet::Connect(Connect {
                version,
                clean_start: true,
                keep_alive: KeepAlive::from_secs(60),
                client_id: text("client-0123456789"),
                will: Some(Will {
                    topic: TopicName::new("devices/0123456789/status").expect("a topic name"),
                    payload: b"offline",
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: Properties::EMPTY,
                }),
                username: Some(text("user")),
                password: Some(b"password"),
                properties: Properties::EMPTY,
            })),
            Self::Puback => run(&Packet::Puback(PublishAck::success(packet_id))),
        }
    }

    /// The packet as bytes.
    ///
    /// # Panics
    /// If `version` does not have this case.
    #[must_use]
    pub fn bytes(self, version: ProtocolVersion) -> Bytes {
        let mut output = Output::new();
        self.with_packet(version, |packet| {
            Encoder::new(version, Role::Client).encode(packet, &mut output)
        })
        .expect("the version has this case");
        output.copy_to_bytes(output.remaining())
    }
}

/// Message Expiry Interval, Content Type, Response Topic, Correlation Data and a User Property.
///
/// # Panics
/// Never: the values below keep their rules.
#[must_use]
pub fn five_properties() -> [Property<'static>; 5] {
    let text = |text| Utf8::new(text).expect("text");
    [
        Property::MessageExpiryInterval(3_600),
        Property::ContentType(text("application/json")),
        Property::ResponseTopic(
            TopicName::new("devices/0123456789/answers").expect("a topic name"),
        ),
        Property::CorrelationData(b"0123456789abcdef"),
        Property::UserProperty(text("trace"), text("0123456789abcdef")),
    ]
}
