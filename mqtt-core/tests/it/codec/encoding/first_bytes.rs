//! Packet types and flags.

use mqtt_core::{
    Connack, Delivery, Disconnect, EncodeError, Packet, PacketId, Properties, ProtocolVersion,
    Publish, PublishAck, ReasonCode, ReasonCodes, Role, Suback, Subscribe, SubscribeFilters,
    SubscribeOptions, TopicFilter, Unsuback, Unsubscribe, UnsubscribeFilters,
};

use super::{GRANTED, V3_1, V3_1_1, V5, connect, fails, publish};
use crate::codec::{bytes, encode};

/// The first byte of a packet of each type, and who sends it.
fn first_bytes(version: ProtocolVersion) -> Vec<u8> {
    let (packet_id, reasons, properties) = (PacketId::MIN, GRANTED, Properties::EMPTY);
    let filters = [(TopicFilter::new("a").unwrap(), SubscribeOptions::default())];
    let bare = [TopicFilter::new("a").unwrap()];
    let reasons_of_unsuback = if version == V5 {
        reasons
    } else {
        ReasonCodes::EMPTY
    };
    let ack = PublishAck::success(packet_id);
    let full = Publish {
        dup: true,
        retain: true,
        delivery: Delivery::ExactlyOnce(packet_id),
        ..publish()
    };
    [
        (Role::Client, Packet::Connect(connect(version))),
        (
            Role::Server,
            Packet::Connack(Connack {
                session_present: false,
                reason: ReasonCode::SUCCESS,
                properties,
            }),
        ),
        (Role::Client, Packet::Publish(publish())),
        (Role::Client, Packet::Publish(full)),
        (Role::Client, Packet::Puback(ack)),
        (Role::Client, Packet::Pubrec(ack)),
        (Role::Client, Packet::Pubrel(ack)),
        (Role::Client, Packet::Pubcomp(ack)),
        (
            Role::Client,
            Packet::Subscribe(Subscribe {
                packet_id,
                filters: SubscribeFilters::new(&filters),
                properties,
            }),
        ),
        (
            Role::Server,
            Packet::Suback(Suback {
                packet_id,
                reasons,
                properties,
            }),
        ),
        (
            Role::Client,
            Packet::Unsubscribe(Unsubscribe {
                packet_id,
                filters: UnsubscribeFilters::new(&bare),
                properties,
            }),
        ),
        (
            Role::Server,
            Packet::Unsuback(Unsuback {
                packet_id,
                reasons: reasons_of_unsuback,
                properties,
            }),
        ),
        (Role::Client, Packet::Pingreq),
        (Role::Server, Packet::Pingresp),
        (Role::Client, Packet::Disconnect(Disconnect::NORMAL)),
    ]
    .into_iter()
    .map(|(sender, packet)| encode(version, sender, &packet).unwrap()[0])
    .collect()
}

const FIRST_BYTES: &str = "10 20 30 3D 40 50 62 70 82 90 A2 B0 C0 D0 E0";

#[test]
fn v5_mqtt_2_1_3_1_flags_of_every_packet() {
    // AUTH is in the reference bytes.
    assert_eq!(first_bytes(V5), bytes(FIRST_BYTES));
}

#[test]
fn v311_mqtt_2_2_2_1_flags_of_every_packet() {
    assert_eq!(first_bytes(V3_1_1), bytes(FIRST_BYTES));
    assert_eq!(first_bytes(V3_1), bytes(FIRST_BYTES));
}

#[test]
fn v311_mqtt_4_3_1_1_qos_0_without_dup_and_packet_identifier() {
    for (retain, expected) in [(false, "30 04 00 01 61 78"), (true, "31 04 00 01 61 78")] {
        let packet = Packet::Publish(Publish {
            retain,
            ..publish()
        });
        assert_eq!(encode(V3_1_1, Role::Client, &packet), Ok(bytes(expected)));
    }
    let repeated = Packet::Publish(Publish {
        dup: true,
        ..publish()
    });
    fails(V3_1_1, Role::Client, repeated, EncodeError::DupAtQos0);
}

#[test]
fn v5_mqtt_4_3_1_1_qos_0_without_dup_and_packet_identifier() {
    for (retain, expected) in [
        (false, "30 05 00 01 61 00 78"),
        (true, "31 05 00 01 61 00 78"),
    ] {
        let packet = Packet::Publish(Publish {
            retain,
            ..publish()
        });
        assert_eq!(encode(V5, Role::Client, &packet), Ok(bytes(expected)));
    }
    let repeated = Packet::Publish(Publish {
        dup: true,
        ..publish()
    });
    fails(V5, Role::Client, repeated, EncodeError::DupAtQos0);
}
