//! Finding packets in a stream of bytes, and what is refused before a packet is whole.

use mqtt_core::{
    DecodeError, Decoder, Disconnect, Packet, PacketType, ProtocolVersion, ReasonCode, Role,
};

use super::bytes;

const V3_1_1: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5: ProtocolVersion = ProtocolVersion::V5;

#[test]
fn v5_mqtt_6_0_0_2_packets_may_be_cut_anywhere() {
    let input = bytes("20 03 00 00 00 30 05 00 01 61 00 78 D0 00");
    let mut decoder = Decoder::new(Some(V5), Role::Server);
    for cut in 0..5 {
        assert_eq!(decoder.next(&input[..cut]), Ok(None));
        assert_eq!(decoder.frame(&input[..cut]), Ok(None));
    }
    let mut rest = &input[..];
    let mut types = Vec::new();
    while let Some((packet, len)) = decoder.next(rest).unwrap() {
        assert_eq!(decoder.frame(rest), Ok(Some(len)));
        assert_eq!(decoder.decode(&rest[..len]), Ok(packet));
        types.push(packet.packet_type());
        rest = &rest[len..];
    }
    assert_eq!(
        types,
        [
            PacketType::Connack,
            PacketType::Publish,
            PacketType::Pingresp
        ]
    );
    assert!(rest.is_empty());
}

#[test]
fn v311_mqtt_6_0_0_2_packets_may_be_cut_anywhere() {
    let input = bytes("20 02 01 00 C0 00");
    let decoder = Decoder::new(Some(V3_1_1), Role::Server);
    for cut in 0..4 {
        assert_eq!(decoder.frame(&input[..cut]), Ok(None));
    }
    assert_eq!(decoder.frame(&input[..5]), Ok(Some(4)));
    assert!(
        matches!(decoder.decode(&input[..4]), Ok(Packet::Connack(connack)) if connack.session_present)
    );
}

/// One packet of each type that a client sends, cut into pieces of every size.
#[test]
fn any_pieces_of_a_stream_are_the_same_packets() {
    for (hex, types) in [
        (
            "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61  30 04 00 01 61 78  32 06 00 01 61 00 0A 78  40 02 00 0A \
             50 02 00 0A  62 02 00 0A  70 02 00 0A  82 06 00 0A 00 01 61 01  A2 05 00 0A 00 01 61  C0 00  E0 00",
            "CONNECT PUBLISH PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE UNSUBSCRIBE PINGREQ DISCONNECT",
        ),
        (
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61  F0 06 18 04 15 00 01 6D  30 05 00 01 61 00 78 \
             32 07 00 01 61 00 0A 00 78  40 02 00 0A  50 03 00 0A 80  62 03 00 0A 92  70 02 00 0A \
             82 07 00 0A 00 00 01 61 01  A2 06 00 0A 00 00 01 61  C0 00  E0 01 04",
            "CONNECT AUTH PUBLISH PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE UNSUBSCRIBE PINGREQ DISCONNECT",
        ),
    ] {
        let stream = bytes(hex);
        for size in 1..=stream.len() {
            let mut decoder = Decoder::new(None, Role::Client);
            let (mut input, mut found, mut from) = (Vec::new(), Vec::new(), 0);
            for piece in stream.chunks(size) {
                input.extend_from_slice(piece);
                while let Some((packet, len)) = decoder.next(&input).unwrap() {
                    assert_eq!(input[..len], stream[from..from + len]);
                    found.push(packet.packet_type().name());
                    input.drain(..len);
                    from += len;
                }
            }
            assert!(input.is_empty());
            assert_eq!(found.join(" "), types, "pieces of {size}");
        }
    }
}

#[test]
fn decode_takes_exactly_one_packet() {
    let decoder = Decoder::new(Some(V5), Role::Server);
    for hex in ["", "D0", "D0 00 D0", "30 05 00 01 61 00"] {
        let input = bytes(hex);
        assert_eq!(
            decoder.decode(&input),
            Err(DecodeError::NotOnePacket { given: input.len() })
        );
    }
}

#[test]
fn type_and_flags_are_judged_by_the_first_byte() {
    let from_server = Decoder::new(Some(V5), Role::Server);
    let from_client = Decoder::new(Some(V3_1_1), Role::Client);
    let first_from_server = Decoder::new(None, Role::Server);
    for (decoder, first, error) in [
        (
            from_server,
            0x00,
            DecodeError::ReservedPacketType { packet_type: 0 },
        ),
        (
            from_server,
            0x0F,
            DecodeError::ReservedPacketType { packet_type: 0 },
        ),
        (
            first_from_server,
            0x10,
            DecodeError::WrongSender {
                packet_type: PacketType::Connect,
                sender: Role::Server,
            },
        ),
        (from_server, 0x36, DecodeError::PublishQos),
        (from_server, 0x38, DecodeError::DupAtQos0),
        (
            from_server,
            0x21,
            DecodeError::FixedHeaderFlags {
                packet_type: PacketType::Connack,
                flags: 1,
            },
        ),
        (
            from_server,
            0xC0,
            DecodeError::WrongSender {
                packet_type: PacketType::Pingreq,
                sender: Role::Server,
            },
        ),
        (
            from_client,
            0xF0,
            DecodeError::ReservedPacketType { packet_type: 15 },
        ),
        (
            from_client,
            0x60,
            DecodeError::FixedHeaderFlags {
                packet_type: PacketType::Pubrel,
                flags: 0,
            },
        ),
    ] {
        assert_eq!(decoder.frame(&[first]), Err(error));
    }
}

#[test]
fn a_body_that_ends_early_is_not_more_bytes_please() {
    // The Topic Name goes past the end of the packet, though there are more bytes behind it.
    let input = bytes("30 04 00 05 61 62 63 64 65 66");
    assert_eq!(
        Decoder::new(Some(V5), Role::Server).next(&input),
        Err(DecodeError::FieldPastEnd)
    );
}

#[test]
fn v5_mqtt_3_1_0_1_first_packet_is_connect() {
    for hex in [
        "C0 00",
        "30 04 00 01 61 00",
        "E0 00",
        "F0 00",
        "20 03 00 00 00",
    ] {
        let packet_type = PacketType::from_u8(bytes(hex)[0] >> 4).unwrap();
        let mut decoder = Decoder::new(None, Role::Client);
        let error = decoder.next(&bytes(hex)).unwrap_err();
        assert_eq!(error, DecodeError::ConnectExpected { packet_type });
        assert_eq!(error.reason_code(), ReasonCode::PROTOCOL_ERROR);
    }
}

#[test]
fn version_is_learned_from_connect() {
    for (hex, version, disconnect) in [
        (
            "10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61",
            ProtocolVersion::V3_1,
            "E0 00",
        ),
        (
            "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61",
            V3_1_1,
            "E0 00",
        ),
        (
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
            V5,
            "E0 01 00",
        ),
    ] {
        let connect = bytes(hex);
        assert_eq!(Decoder::connect_version(&connect), Some(version));
        let mut decoder = Decoder::new(None, Role::Client);
        let (packet, len) = decoder.next(&connect).unwrap().unwrap();
        assert!(matches!(packet, Packet::Connect(connect) if connect.version == version));
        assert_eq!((len, decoder.version), (connect.len(), Some(version)));
        let expected = Packet::Disconnect(Disconnect::NORMAL);
        assert_eq!(
            decoder
                .next(&bytes(disconnect))
                .map(|found| found.map(|(packet, _)| packet)),
            Ok(Some(expected))
        );
    }
}

/// The flags of a CONNECT are reserved from 3.1.1 on, and 3.1 does not use them.
#[test]
fn a_connect_is_judged_by_its_own_version() {
    let v3_1 = bytes("1F 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61");
    let v5 = bytes("1F 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61");
    for connection in [None, Some(ProtocolVersion::V3_1), Some(V3_1_1), Some(V5)] {
        let decoder = Decoder::new(connection, Role::Client);
        assert!(matches!(decoder.decode(&v3_1), Ok(Packet::Connect(_))));
        let error = DecodeError::FixedHeaderFlags {
            packet_type: PacketType::Connect,
            flags: 15,
        };
        assert_eq!(decoder.decode(&v5), Err(error));
    }
}

#[test]
fn version_of_a_connect_that_is_wrong_otherwise() {
    // The reserved flag is set, and an unknown level.
    assert_eq!(
        Decoder::connect_version(&bytes("10 0E 00 04 4D 51 54 54 05 03 00 3C 00 00 01 61")),
        Some(V5)
    );
    assert_eq!(
        Decoder::connect_version(&bytes("10 0E 00 04 4D 51 54 54 06 02 00 3C 00 00 01 61")),
        None
    );
    assert_eq!(Decoder::connect_version(&bytes("C0 00")), None);
    // The body of a CONNECT in a PUBLISH.
    assert_eq!(
        Decoder::connect_version(&bytes("30 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61")),
        None
    );
    assert_eq!(Decoder::connect_version(&[]), None);
}

#[test]
fn v5_mqtt_3_1_2_2_unsupported_version_is_told_apart() {
    let input = bytes("10 0E 00 04 4D 51 54 54 06 02 00 3C 00 00 01 61");
    let error = Decoder::new(None, Role::Client).next(&input).unwrap_err();
    assert_eq!(error, DecodeError::UnsupportedProtocolVersion { level: 6 });
    assert_eq!(
        error.reason_code(),
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
    );
}

#[test]
fn v5_u_5_18_strict_text_refuses_discouraged_characters() {
    let mut decoder = Decoder::new(Some(V5), Role::Server);
    let packets = [
        // In a Topic Name: U+0001, U+0080 and U+FFFE.
        "30 04 00 01 01 00",
        "30 05 00 02 C2 80 00",
        "30 06 00 03 EF BF BE 00",
        // In a Reason String and in a User Property: U+007F and U+FDD0.
        "40 08 00 01 10 04 1F 00 01 7F",
        "30 0D 00 01 61 09 26 00 03 EF B7 90 00 01 61",
    ];
    for hex in packets {
        let packet = bytes(hex);
        decoder.strict_text = false;
        assert!(decoder.decode(&packet).is_ok(), "{hex}");
        decoder.strict_text = true;
        assert_eq!(
            decoder.decode(&packet),
            Err(DecodeError::DiscouragedCharacter),
            "{hex}"
        );
    }
    assert!(
        decoder
            .decode(&bytes("30 08 00 05 41 F0 AA 9B 94 00"))
            .is_ok()
    );
}
