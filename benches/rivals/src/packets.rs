//! The packets that are measured: their bytes, written by hand from the standard, and what has to be found in them.

use bytes::Bytes;
use mqtt_core::ProtocolVersion;

use crate::visit::Field;

/// 30 bytes.
pub const TOPIC: &str = "devices/0123456789/temperature";
pub const PACKET_ID: u16 = 0x1234;
pub const MESSAGE_EXPIRY_INTERVAL: u32 = 3_600;
/// 16 bytes.
pub const CONTENT_TYPE: &str = "application/json";
/// 26 bytes.
pub const RESPONSE_TOPIC: &str = "devices/0123456789/answers";
/// 16 bytes.
pub const CORRELATION_DATA: &[u8] = b"0123456789abcdef";
/// 5 and 16 bytes.
pub const USER_PROPERTY: (&str, &str) = ("trace", "0123456789abcdef");
/// 21 bytes each.
pub const FILTERS: [&str; 10] = [
    "devices/+/sensors/0/#",
    "devices/+/sensors/1/#",
    "devices/+/sensors/2/#",
    "devices/+/sensors/3/#",
    "devices/+/sensors/4/#",
    "devices/+/sensors/5/#",
    "devices/+/sensors/6/#",
    "devices/+/sensors/7/#",
    "devices/+/sensors/8/#",
    "devices/+/sensors/9/#",
];
pub const KEEP_ALIVE: u16 = 60;
/// 17 bytes.
pub const CLIENT_ID: &str = "client-0123456789";
/// 25 bytes.
pub const WILL_TOPIC: &str = "devices/0123456789/status";
/// 7 bytes.
pub const WILL_PAYLOAD: &[u8] = b"offline";
pub const USER_NAME: &str = "user";
/// 8 bytes.
pub const PASSWORD: &str = "password";

/// A packet to be measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Case {
    /// a: PUBLISH of QoS 1, 30 bytes of Topic Name, 64 bytes of payload.
    SmallPublish,
    /// b: PUBLISH of QoS 0 with 16 KiB of payload.
    LargePublish,
    /// b: the same with 1 MiB.
    HugePublish,
    /// c: a with five properties (5.0 only).
    PublishWithProperties,
    /// d: SUBSCRIBE of ten Topic Filters.
    Subscribe,
    /// e: CONNECT with Will, User Name and Password.
    Connect,
    /// f: PUBACK, 64 of them in a row.
    Puback,
}

impl Case {
    /// Every case, in order.
    pub const ALL: [Self; 7] = [
        Self::SmallPublish,
        Self::LargePublish,
        Self::HugePublish,
        Self::PublishWithProperties,
        Self::Subscribe,
        Self::Connect,
        Self::Puback,
    ];

    /// What it is called in the results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallPublish => "a: PUBLISH, 64 bytes",
            Self::LargePublish => "b: PUBLISH, 16 KiB",
            Self::HugePublish => "b: PUBLISH, 1 MiB",
            Self::PublishWithProperties => "c: PUBLISH, 5 properties",
            Self::Subscribe => "d: SUBSCRIBE, 10 filters",
            Self::Connect => "e: CONNECT, Will",
            Self::Puback => "f: PUBACK",
        }
    }

    /// Whether `version` has it.
    #[must_use]
    pub fn exists_in(self, version: ProtocolVersion) -> bool {
        self != Self::PublishWithProperties || version.is_v5()
    }

    /// Whether most of its bytes are payload.
    #[must_use]
    pub const fn is_large(self) -> bool {
        matches!(self, Self::LargePublish | Self::HugePublish)
    }

    /// How many packets stand in a row.
    #[must_use]
    pub const fn count(self) -> u32 {
        match self {
            Self::Puback => 64,
            _ => 1,
        }
    }

    const fn payload_len(self) -> usize {
        match self {
            Self::LargePublish => 16 * 1024,
            Self::HugePublish => 1024 * 1024,
            _ => 64,
        }
    }
}

/// What a program has before it makes a packet: plain strings, bytes and numbers.
#[derive(Clone, Debug)]
pub struct Source {
    pub case: Case,
    pub topic: &'static str,
    pub packet_id: u16,
    pub payload: Bytes,
    pub message_expiry_interval: u32,
    pub content_type: &'static str,
    pub response_topic: &'static str,
    pub correlation_data: Bytes,
    pub user_property: (&'static str, &'static str),
    pub filters: &'static [&'static str; 10],
    pub keep_alive: u16,
    pub client_id: &'static str,
    pub will_topic: &'static str,
    pub will_payload: Bytes,
    pub user_name: &'static str,
    pub password: &'static str,
}

impl Source {
    /// What `case` is made of.
    #[must_use]
    pub fn new(case: Case) -> Self {
        Self {
            case,
            topic: TOPIC,
            packet_id: PACKET_ID,
            payload: vec![b'x'; case.payload_len()].into(),
            message_expiry_interval: MESSAGE_EXPIRY_INTERVAL,
            content_type: CONTENT_TYPE,
            response_topic: RESPONSE_TOPIC,
            correlation_data: Bytes::from_static(CORRELATION_DATA),
            user_property: USER_PROPERTY,
            filters: &FILTERS,
            keep_alive: KEEP_ALIVE,
            client_id: CLIENT_ID,
            will_topic: WILL_TOPIC,
            will_payload: Bytes::from_static(WILL_PAYLOAD),
            user_name: USER_NAME,
            password: PASSWORD,
        }
    }

    /// Whether it is a PUBLISH of QoS 1.
    #[must_use]
    pub const fn at_least_once(&self) -> bool {
        !self.case.is_large()
    }
}

/// One packet of `case`.
///
/// # Panics
/// If `version` does not have the case.
#[must_use]
pub fn bytes(case: Case, version: ProtocolVersion) -> Vec<u8> {
    assert!(case.exists_in(version), "{case:?} in {version}");
    let mut packet = front(case, version.is_v5());
    packet.extend(properties(case).concat());
    packet.extend(back(case, version.is_v5()));
    packet
}

/// Whether `given` is a packet of `case`. The order of properties is free, and a 5.0 PUBACK may or may not have the Reason
/// Code and the Property Length that it can do without.
#[must_use]
pub fn is_packet(case: Case, version: ProtocolVersion, given: &[u8]) -> bool {
    if given == bytes(case, version) {
        return true;
    }
    if case == Case::Puback && version.is_v5() {
        return [&[0x40, 3, 0x12, 0x34, 0][..], &[0x40, 4, 0x12, 0x34, 0, 0]].contains(&given);
    }
    let Some(mut rest) = given.strip_prefix(&front(case, version.is_v5())[..]) else {
        return false;
    };
    let mut properties = properties(case);
    while let Some(place) = properties.iter().position(|each| rest.starts_with(each)) {
        rest = &rest[properties.swap_remove(place).len()..];
    }
    properties.is_empty() && rest == back(case, version.is_v5())
}

/// What comes before the properties, Property Length included.
fn front(case: Case, v5: bool) -> Vec<u8> {
    let mut packet = Vec::new();
    match case {
        Case::SmallPublish => {
            packet.extend([0x32]); // PUBLISH, QoS 1
            packet.extend([if v5 { 99 } else { 98 }]); // Remaining Length: 2 + 30 + 2 + 64, in 5.0 and 1
            packet.extend([0, 30]);
            packet.extend(b"devices/0123456789/temperature");
            packet.extend([0x12, 0x34]); // Packet Identifier
            packet.extend(&[0][..usize::from(v5)]); // Property Length
        }
        Case::LargePublish | Case::HugePublish => {
            packet.extend([0x30]); // PUBLISH, QoS 0
            // Remaining Length: 2 + 30 + 16,384 = 32 + 1 * 128^2, or 2 + 30 + 1,048,576 = 32 + 64 * 128^2; in 5.0 and 1
            packet.extend([if v5 { 0x80 | 33 } else { 0x80 | 32 }, 0x80]);
            packet.extend([if case == Case::LargePublish { 1 } else { 64 }]);
            packet.extend([0, 30]);
            packet.extend(b"devices/0123456789/temperature");
            packet.extend(&[0][..usize::from(v5)]); // Property Length
        }
        Case::PublishWithProperties => {
            packet.extend([0x32]); // PUBLISH, QoS 1
            packet.extend([0x80 | 69, 1]); // Remaining Length: 2 + 30 + 2 + 1 + 98 + 64 = 197 = 69 + 1 * 128
            packet.extend([0, 30]);
            packet.extend(b"devices/0123456789/temperature");
            packet.extend([0x12, 0x34]); // Packet Identifier
            packet.extend([98]); // Property Length: 5 + 19 + 29 + 19 + 26
        }
        Case::Subscribe => {
            packet.extend([0x82]); // SUBSCRIBE
            // Remaining Length: 2 + 10 * 24 = 242 = 114 + 1 * 128, in 5.0 and 1
            packet.extend([if v5 { 0x80 | 115 } else { 0x80 | 114 }, 1]);
            packet.extend([0x12, 0x34]); // Packet Identifier
            packet.extend(&[0][..usize::from(v5)]); // Property Length
        }
        Case::Connect => {
            packet.extend([0x10]); // CONNECT
            packet.extend([if v5 { 83 } else { 81 }]); // Remaining Length: 10 + 19 + 27 + 9 + 6 + 10, in 5.0 and 2
            packet.extend([0, 4, b'M', b'Q', b'T', b'T']);
            packet.extend([if v5 { 5 } else { 4 }]); // Protocol Version
            packet.extend([0xEE]); // User Name, Password, Will Retain, Will QoS 1, Will, Clean Start
            packet.extend([0, 60]); // Keep Alive
            packet.extend(&[0][..usize::from(v5)]); // Property Length
        }
        Case::Puback => {
            packet.extend([0x40, 2]); // PUBACK
            packet.extend([0x12, 0x34]); // Packet Identifier
        }
    }
    packet
}

fn properties(case: Case) -> Vec<&'static [u8]> {
    if case != Case::PublishWithProperties {
        return Vec::new();
    }
    vec![
        b"\x02\x00\x00\x0E\x10",         // Message Expiry Interval, 3,600 seconds
        b"\x03\x00\x10application/json", // Content Type
        b"\x08\x00\x1Adevices/0123456789/answers", // Response Topic
        b"\x09\x00\x100123456789abcdef", // Correlation Data
        b"\x26\x00\x05trace\x00\x100123456789abcdef", // User Property
    ]
}

/// What comes behind the properties.
fn back(case: Case, v5: bool) -> Vec<u8> {
    let mut packet = Vec::new();
    match case {
        Case::SmallPublish
        | Case::LargePublish
        | Case::HugePublish
        | Case::PublishWithProperties => packet.resize(case.payload_len(), b'x'),
        Case::Subscribe => {
            for number in b'0'..=b'9' {
                packet.extend([0, 21]);
                packet.extend(b"devices/+/sensors/");
                packet.extend([number]);
                packet.extend(b"/#");
                packet.extend([1]); // Subscription Options: QoS 1
            }
        }
        Case::Connect => {
            packet.extend(b"\x00\x11client-0123456789"); // Client Identifier
            packet.extend(&[0][..usize::from(v5)]); // Property Length of the Will
            packet.extend(b"\x00\x19devices/0123456789/status"); // Will Topic
            packet.extend(b"\x00\x07offline"); // Will Payload
            packet.extend(b"\x00\x04user"); // User Name
            packet.extend(b"\x00\x08password"); // Password
        }
        Case::Puback => {}
    }
    packet
}

/// What is in one packet of `case`.
#[must_use]
pub fn fields(case: Case, version: ProtocolVersion) -> Vec<Field> {
    let mut fields = Vec::new();
    match case {
        Case::SmallPublish
        | Case::LargePublish
        | Case::HugePublish
        | Case::PublishWithProperties => {
            fields.extend([
                Field::number("dup", 0),
                Field::number("qos", u32::from(!case.is_large())),
                Field::number("retain", 0),
                Field::bytes("topic", TOPIC),
                Field::number("packet id", if case.is_large() { 0 } else { 0x1234 }),
                Field::bytes("payload", vec![b'x'; case.payload_len()]),
            ]);
            if case == Case::PublishWithProperties {
                fields.extend([
                    Field::number("message expiry interval", 3_600),
                    Field::bytes("content type", CONTENT_TYPE),
                    Field::bytes("response topic", RESPONSE_TOPIC),
                    Field::bytes("correlation data", CORRELATION_DATA),
                    Field::bytes("user property name", USER_PROPERTY.0),
                    Field::bytes("user property value", USER_PROPERTY.1),
                ]);
            }
        }
        Case::Subscribe => {
            fields.push(Field::number("packet id", 0x1234));
            for filter in FILTERS {
                fields.push(Field::bytes("filter", filter));
                fields.push(Field::number("qos", 1));
                if version.is_v5() {
                    fields.push(Field::number("no local", 0));
                    fields.push(Field::number("retain as published", 0));
                    fields.push(Field::number("retain handling", 0));
                }
            }
        }
        Case::Connect => fields.extend([
            Field::number("clean start", 1),
            Field::number("keep alive", 60),
            Field::bytes("client id", CLIENT_ID),
            Field::bytes("will topic", WILL_TOPIC),
            Field::bytes("will payload", WILL_PAYLOAD),
            Field::number("will qos", 1),
            Field::number("will retain", 1),
            Field::bytes("user name", USER_NAME),
            Field::bytes("password", PASSWORD),
        ]),
        Case::Puback => {
            fields.push(Field::number("packet id", 0x1234));
            if version.is_v5() {
                fields.push(Field::number("reason", 0));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_may_come_in_any_order_but_all_once() {
        let case = Case::PublishWithProperties;
        let packet = |properties: Vec<&[u8]>| {
            [front(case, true), properties.concat(), back(case, true)].concat()
        };
        let mut turned = properties(case);
        turned.reverse();
        assert!(is_packet(
            case,
            ProtocolVersion::V5,
            &packet(turned.clone())
        ));
        turned[1] = turned[0];
        assert!(!is_packet(case, ProtocolVersion::V5, &packet(turned)));
    }
}
