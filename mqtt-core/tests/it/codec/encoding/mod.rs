//! What the encoder writes, what it refuses, and what it leaves out so that a packet fits.

mod codes;
mod first_bytes;
mod refused;
mod sizes;
mod versions;

use mqtt_core::{
    Connect, Delivery, EncodeError, KeepAlive, Packet, Properties, ProtocolVersion, Publish,
    ReasonCode, ReasonCodes, Role, TopicName, Utf8,
};

use super::encode;

const V3_1: ProtocolVersion = ProtocolVersion::V3_1;
const V3_1_1: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5: ProtocolVersion = ProtocolVersion::V5;

const GRANTED: ReasonCodes<'static> = ReasonCodes::new(&[ReasonCode::SUCCESS]);

fn connect(version: ProtocolVersion) -> Connect<'static> {
    Connect {
        version,
        clean_start: true,
        keep_alive: KeepAlive::OFF,
        client_id: Utf8::new("a").unwrap(),
        will: None,
        username: None,
        password: None,
        properties: Properties::EMPTY,
    }
}

fn publish() -> Publish<'static> {
    Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(TopicName::new("a").unwrap()),
        payload: b"x",
        properties: Properties::EMPTY,
    }
}

#[track_caller]
fn fails(version: ProtocolVersion, sender: Role, packet: Packet<'_>, error: EncodeError) {
    assert_eq!(encode(version, sender, &packet), Err(error));
}
