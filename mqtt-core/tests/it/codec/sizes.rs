//! The longest fields, the largest packets, and the longest lists.

use mqtt_core::{
    DecodeError, Decoder, MaximumPacketSize, Packet, ProtocolVersion, ReasonCode, Role,
};

use super::{decode, encode};

const V3_1_1: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5: ProtocolVersion = ProtocolVersion::V5;

/// What a list is made of: as many as fit into 4 MiB. Work that grew with the square of their number would not end.
const LIST_LEN: usize = 4 << 20;

/// These parts behind a Variable Byte Integer that says how long they are.
fn behind_length(parts: &[&[u8]]) -> Vec<u8> {
    let mut rest: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::new();
    loop {
        let group = u8::try_from(rest % 128).unwrap();
        rest /= 128;
        bytes.push(if rest > 0 { group | 0x80 } else { group });
        if rest == 0 {
            break;
        }
    }
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
    let mut packet = vec![first];
    packet.extend(behind_length(body));
    packet
}

/// A field of the greatest length, 65,535 bytes.
fn longest(byte: u8) -> Vec<u8> {
    let mut field = vec![0xFF, 0xFF];
    field.resize(2 + 65_535, byte);
    field
}

#[track_caller]
fn is_taken(version: ProtocolVersion, sender: Role, packet: &[u8]) {
    let decoded = decode(version, sender, packet).unwrap();
    assert!(encode(version, sender, &decoded).as_deref() == Ok(packet));
}

#[test]
fn v311_mqtt_4_7_3_3_and_v5_mqtt_4_7_3_3_longest_fields() {
    let (text, binary) = (longest(b'a'), longest(0xFF));
    // User name, password, Will.
    let connect = b"\0\x04MQTT\x04\xC6\0\0";
    let connect = packet(0x10, &[connect, &text, &text, &binary, &text, &binary]);
    is_taken(V3_1_1, Role::Client, &connect);
    let connect = b"\0\x04MQTT\x05\xC6\0\0\0";
    let connect = packet(
        0x10,
        &[connect, &text, &[0], &text, &binary, &text, &binary],
    );
    is_taken(V5, Role::Client, &connect);
    is_taken(V3_1_1, Role::Client, &packet(0x30, &[&text, b"payload"]));
    is_taken(V5, Role::Client, &packet(0x30, &[&text, &[0], b"payload"]));
    is_taken(V5, Role::Client, &packet(0x82, &[&[0, 1, 0], &text, &[2]]));
    is_taken(V5, Role::Client, &packet(0xA2, &[&[0, 1, 0], &text]));
    // A User Property has two; its Property Length is 1 + 2 * 65,537 = 131,075.
    let properties = behind_length(&[&[0x26], &text, &text]);
    is_taken(
        V5,
        Role::Client,
        &packet(0x30, &[&[0, 1, b'a'], &properties]),
    );
    // The length says one byte more than there is.
    let cut = packet(0x30, &[&text[..text.len() - 1]]);
    assert_eq!(
        decode(V3_1_1, Role::Client, &cut),
        Err(DecodeError::FieldPastEnd)
    );
}

#[test]
fn the_largest_packet() {
    // Remaining Length FF FF FF 7F: Topic Name "a", in 5.0 no properties, and zeros.
    let mut packet = vec![0; 268_435_460];
    packet[..8].copy_from_slice(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, b'a']);
    for (version, payload) in [(V3_1_1, 268_435_452), (V5, 268_435_451)] {
        let Packet::Publish(publish) = decode(version, Role::Server, &packet).unwrap() else {
            panic!("not a PUBLISH");
        };
        assert_eq!(publish.payload.len(), payload, "{version}");
    }
}

#[test]
fn the_longest_lists_are_gone_through_once() {
    let user_property = [0x26, 0, 0, 0, 0];
    let properties = behind_length(&[&user_property.repeat(LIST_LEN / 5)]);
    is_taken(
        V5,
        Role::Client,
        &packet(0x30, &[&[0, 1, b'a'], &properties]),
    );
    is_taken(V5, Role::Server, &packet(0x40, &[&[0, 1, 0], &properties]));

    let ids = behind_length(&[&[0x0B, 1].repeat(LIST_LEN / 2)]);
    is_taken(V5, Role::Server, &packet(0x30, &[&[0, 1, b'a'], &ids]));

    let filters = [0, 1, b'a', 0].repeat(LIST_LEN / 4);
    is_taken(V5, Role::Client, &packet(0x82, &[&[0, 1, 0], &filters]));
    is_taken(V3_1_1, Role::Client, &packet(0x82, &[&[0, 1], &filters]));
    let filters = [0, 1, b'a'].repeat(LIST_LEN / 3);
    is_taken(V5, Role::Client, &packet(0xA2, &[&[0, 1, 0], &filters]));

    let codes = [0x87].repeat(LIST_LEN);
    is_taken(V5, Role::Server, &packet(0x90, &[&[0, 1, 0], &codes]));
    is_taken(V5, Role::Server, &packet(0xB0, &[&[0, 1, 0], &codes]));
}

#[test]
fn v5_u_5_4_too_large_is_known_from_the_fixed_header() {
    // Nine bytes of the same packet, of which the limit takes ten bytes and not nine.
    for (version, sender, header) in [
        (None, Role::Client, [0x10, 8]),
        (Some(V3_1_1), Role::Client, [0x30, 8]),
        (Some(V5), Role::Client, [0x82, 8]),
        (Some(V5), Role::Server, [0x20, 8]),
    ] {
        let limited = |limit| Decoder {
            maximum_packet_size: MaximumPacketSize::new(limit).unwrap(),
            ..Decoder::new(version, sender)
        };
        assert_eq!(limited(10).frame(&header), Ok(None));
        assert_eq!(limited(10).next(&header), Ok(None));
        let error = DecodeError::PacketTooLarge { size: 10, limit: 9 };
        assert_eq!(limited(9).frame(&header), Err(error));
        assert_eq!(limited(9).next(&header), Err(error));
        assert_eq!(
            limited(9).frame(&header[..1]),
            Ok(None),
            "the length is not there"
        );
        assert_eq!(error.answer(V5), Some(ReasonCode::PACKET_TOO_LARGE));
        assert_eq!(error.answer(V3_1_1), None);
    }
}
