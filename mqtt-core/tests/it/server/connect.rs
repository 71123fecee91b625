//! CONNECT and its answer (v5 and v311 3.1, 3.2).

use std::time::Duration;

use mqtt_core::{
    DecodeError, KeepAlive, MaximumPacketSize, ProtocolVersion, QoS, ReasonCode, ReceiveMaximum,
    SessionExpiry,
    server::{Accept, AcceptError, DisconnectCause, Event, ProtocolError, ServerLimits},
};

use super::support::{CONNECT_V5, CONNECT_V31, CONNECT_V311, Peer, session};

const SEC: Duration = Duration::from_secs(1);

#[test]
fn v5_mqtt_3_1_4_5_a_valid_connect_is_answered_by_connack_0() {
    let mut peer = Peer::new();
    assert!(peer.feed(CONNECT_V5));
    let request = peer.connect_request();
    assert_eq!(request.version, ProtocolVersion::V5);
    assert_eq!(request.client_id, "a");
    assert!(request.clean_start);
    assert_eq!(request.keep_alive, KeepAlive::from_secs(60));
    assert_eq!(request.session_expiry, SessionExpiry::AT_CLOSE);
    assert_eq!(
        (&request.will, &request.username, &request.password),
        (&None, &None, &None)
    );
    peer.assert_sent("");
    let accept = Accept {
        receive_maximum: ReceiveMaximum::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    peer.server.accept(peer.now, session(), &accept).unwrap();
    peer.assert_sent("20 03 00 00 00");
}

#[test]
fn v311_mqtt_3_1_4_4_and_v31_a_valid_connect_is_answered_by_connack_0() {
    for (connect, version) in [
        (CONNECT_V311, ProtocolVersion::V3_1_1),
        (CONNECT_V31, ProtocolVersion::V3_1),
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        assert_eq!(peer.connect_request().version, version);
        peer.server
            .accept(peer.now, session(), &Accept::default())
            .unwrap();
        peer.assert_sent("20 02 00 00");
    }
}

#[test]
fn the_connack_says_what_the_owner_decided() {
    let mut peer = Peer::new();
    peer.feed("10 0D 00 04 'MQTT' 05 02 00 3C 00 00 00");
    peer.connect_request();
    let accept = Accept {
        assigned_client_id: Some("x".into()),
        session_expiry: Some(SessionExpiry::from_secs(7)),
        server_keep_alive: Some(KeepAlive::from_secs(5)),
        receive_maximum: ReceiveMaximum::new(3).unwrap(),
        maximum_packet_size: MaximumPacketSize::new(0x0102_0304).unwrap(),
        topic_alias_maximum: 4,
        maximum_qos: QoS::AtLeastOnce,
        retain_available: false,
        wildcard_subscription_available: false,
        subscription_identifiers_available: false,
        shared_subscription_available: false,
        // The client did not ask for it, so it is not sent. [v5 MQTT-3.1.2-28]
        response_information: Some("r".into()),
        reason_string: Some("y".into()),
        user_properties: vec![("k".into(), "v".into())],
        ..Accept::default()
    };
    peer.server.accept(peer.now, session(), &accept).unwrap();
    let connack = peer.sent();
    // Fixed header, no session present, success.
    assert_eq!(
        connack[..2],
        [0x20, u8::try_from(connack.len()).unwrap() - 2]
    );
    assert_eq!(connack[2..4], [0x00, 0x00]);
    let properties = &connack[5..];
    assert_eq!(usize::from(connack[4]), properties.len());
    for expected in [
        "11 00 00 00 07", // Session Expiry Interval
        "21 00 03",       // Receive Maximum
        "24 01",          // Maximum QoS
        "25 00",          // Retain Available
        "27 01 02 03 04", // Maximum Packet Size
        "12 00 01 'x'",   // Assigned Client Identifier
        "22 00 04",       // Topic Alias Maximum
        "28 00",          // Wildcard Subscription Available
        "29 00",          // Subscription Identifier Available
        "2A 00",          // Shared Subscription Available
        "13 00 05",       // Server Keep Alive
        "1F 00 01 'y'",   // Reason String
        "26 00 01 'k' 00 01 'v'",
    ] {
        let expected = super::support::hex(expected);
        assert!(
            properties
                .windows(expected.len())
                .any(|part| part == expected),
            "{expected:02X?}"
        );
    }
    // Nothing else: the lengths above add up.
    assert_eq!(
        properties.len(),
        5 + 3 + 2 + 2 + 5 + 4 + 3 + 2 + 2 + 2 + 3 + 4 + 7
    );
}

#[test]
fn v311_mqtt_3_1_2_2_an_unsupported_level_gets_connack_1_and_close() {
    // Levels below 5 under the name of 3.1.1, and another level under the name of 3.1.
    for connect in [
        "10 0D 00 04 'MQTT' 02 02 00 3C 00 01 'a'",
        "10 0D 00 04 'MQTT' 84 02 00 3C 00 01 'a'",
        "10 0F 00 06 'MQIsdp' 07 02 00 3C 00 01 'a'",
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        peer.assert_sent("20 02 00 01");
        let end = peer.disconnected();
        assert!(matches!(
            end.cause,
            DisconnectCause::InvalidPacket(DecodeError::UnsupportedProtocolVersion { .. })
        ));
        assert!(!end.publish_will);
    }
}

#[test]
fn v5_mqtt_3_1_2_2_a_level_above_5_gets_connack_0x84_and_close() {
    let mut peer = Peer::new();
    peer.feed("10 0E 00 04 'MQTT' 06 02 00 3C 00 00 01 'a'");
    peer.assert_sent("20 03 00 84 00");
    let cause = peer.disconnected().cause;
    assert_eq!(
        cause,
        DisconnectCause::InvalidPacket(DecodeError::UnsupportedProtocolVersion { level: 6 })
    );
}

#[test]
fn v5_mqtt_3_1_2_1_another_protocol_name_is_closed() {
    for connect in [
        "10 0E 00 04 'mqtt' 05 02 00 3C 00 00 01 'a'",
        "10 0E 00 04 'MQTX' 05 02 00 3C 00 00 01 'a'",
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        let sent = peer.sent();
        assert!(
            sent.is_empty() || sent == super::support::hex("20 03 00 84 00"),
            "{sent:02X?}"
        );
        peer.disconnected();
    }
}

#[test]
fn v311_mqtt_3_1_4_1_a_malformed_connect_is_closed_without_connack() {
    for connect in [
        // The reserved flag. [v311 MQTT-3.1.2-3]
        "10 0D 00 04 'MQTT' 04 03 00 3C 00 01 'a'",
        // A byte left over.
        "10 0E 00 04 'MQTT' 04 02 00 3C 00 01 'a' 00",
        // Will QoS without the Will flag. [v311 MQTT-3.1.2-11]
        "10 0D 00 04 'MQTT' 04 0A 00 3C 00 01 'a'",
        // Fixed header flags. [v311 MQTT-2.2.2-2]
        "11 0D 00 04 'MQTT' 04 02 00 3C 00 01 'a'",
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        peer.assert_sent("");
        assert!(
            matches!(peer.disconnected().cause, DisconnectCause::InvalidPacket(_)),
            "{connect}"
        );
    }
}

#[test]
fn v5_mqtt_3_1_4_1_a_malformed_connect_gets_connack_0x81_and_close() {
    for connect in [
        // The reserved flag. [v5 MQTT-3.1.2-3]
        "10 0E 00 04 'MQTT' 05 03 00 3C 00 00 01 'a'",
        // A byte left over.
        "10 0F 00 04 'MQTT' 05 02 00 3C 00 00 01 'a' 00",
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        peer.assert_sent("20 03 00 81 00");
        assert!(
            matches!(peer.disconnected().cause, DisconnectCause::InvalidPacket(_)),
            "{connect}"
        );
    }
}

#[test]
fn v5_a_protocol_error_in_connect_gets_its_code() {
    // Receive Maximum 0 is a Protocol Error (v5 3.1.2.11.3).
    let mut peer = Peer::new();
    peer.feed("10 11 00 04 'MQTT' 05 02 00 3C 03 21 00 00 00 01 'a'");
    peer.assert_sent("20 03 00 82 00");
    peer.disconnected();
}

#[test]
fn v5_mqtt_3_1_0_1_and_v311_a_packet_before_connect_is_closed_without_answer() {
    for packet in [
        "C0 00",
        "30 03 00 01 'a'",
        "E0 00",
        "82 06 00 01 00 01 'a' 01",
        "00 00",
        "FF FF FF FF FF",
    ] {
        let mut peer = Peer::new();
        peer.feed(packet);
        peer.assert_sent("");
        assert!(!peer.disconnected().publish_will);
    }
}

#[test]
fn v5_mqtt_3_1_0_2_a_second_connect_is_a_protocol_error() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed(CONNECT_V5);
    peer.assert_sent("E0 01 82");
    let end = peer.disconnected();
    assert_eq!(
        end.cause,
        DisconnectCause::Protocol(ProtocolError::SecondConnect)
    );
    assert!(end.publish_will);
}

#[test]
fn v311_mqtt_3_1_0_2_a_second_connect_is_closed() {
    let mut peer = Peer::connected(CONNECT_V311, &Accept::default());
    peer.feed(CONNECT_V311);
    peer.assert_sent("");
    peer.disconnected();
}

#[test]
fn input_is_left_alone_while_a_connect_is_pending() {
    let mut peer = Peer::new();
    assert!(peer.feed(&format!("{CONNECT_V5} C0 00 C0 00")));
    assert_eq!(peer.input.len(), 4);
    assert!(peer.feed(""));
    peer.connect_request();
    assert!(peer.events().is_empty());
    peer.assert_sent("");
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    assert!(!peer.feed(""));
    assert!(peer.input.is_empty());
    let sent = peer.sent();
    assert_eq!(sent[0], 0x20);
    assert_eq!(sent[sent.len() - 4..], [0xD0, 0x00, 0xD0, 0x00]);
}

#[test]
fn v5_mqtt_3_1_4_6_nothing_after_a_refused_connect_is_processed() {
    for (connect, connack) in [
        (CONNECT_V5, "20 03 00 87 00"),
        (CONNECT_V311, "20 02 00 05"),
        (CONNECT_V31, "20 02 00 05"),
    ] {
        let mut peer = Peer::new();
        peer.feed(&format!(
            "{connect} 30 03 00 01 'a' 82 06 00 01 00 01 'a' 01"
        ));
        peer.connect_request();
        peer.server
            .refuse(peer.now, ReasonCode::NOT_AUTHORIZED)
            .unwrap();
        assert!(!peer.feed("C0 00"));
        assert!(peer.input.is_empty());
        peer.assert_sent(connack);
        let end = peer.disconnected();
        assert_eq!(
            end.cause,
            DisconnectCause::Refused(ReasonCode::NOT_AUTHORIZED)
        );
        assert!(!end.publish_will);
        assert!(peer.server.into_session().is_none());
    }
}

#[test]
fn v311_mqtt_3_2_2_6_a_refusal_3_x_has_no_code_for_is_a_bare_close() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V311);
    peer.connect_request();
    peer.server
        .refuse(peer.now, ReasonCode::QUOTA_EXCEEDED)
        .unwrap();
    peer.assert_sent("");
    peer.disconnected();
}

#[test]
fn a_refusal_must_be_a_refusal_and_comes_once() {
    let mut peer = Peer::new();
    assert!(
        peer.server
            .refuse(peer.now, ReasonCode::NOT_AUTHORIZED)
            .is_err()
    );
    peer.feed(CONNECT_V5);
    assert!(peer.server.refuse(peer.now, ReasonCode::SUCCESS).is_err());
    assert!(
        peer.server
            .refuse(peer.now, ReasonCode::KEEP_ALIVE_TIMEOUT)
            .is_err()
    );
    peer.server.refuse(peer.now, ReasonCode::BANNED).unwrap();
    assert!(peer.server.refuse(peer.now, ReasonCode::BANNED).is_err());
    let refused = peer
        .server
        .accept(peer.now, session(), &Accept::default())
        .unwrap_err();
    assert_eq!(refused.error, AcceptError::NotPending);
    peer.assert_sent("20 03 00 8A 00");
}

#[test]
fn v31_an_empty_client_identifier_is_refused_with_2() {
    for flags in ["00", "02"] {
        let mut peer = Peer::new();
        peer.feed(&format!("10 0E 00 06 'MQIsdp' 03 {flags} 00 3C 00 00"));
        peer.assert_sent("20 02 00 02");
        let cause = peer.disconnected().cause;
        assert_eq!(
            cause,
            DisconnectCause::InvalidPacket(DecodeError::EmptyClientId)
        );
    }
}

#[test]
fn v311_mqtt_3_1_3_8_an_empty_client_identifier_without_clean_session_is_refused_with_2() {
    let mut peer = Peer::new();
    peer.feed("10 0C 00 04 'MQTT' 04 00 00 3C 00 00");
    peer.assert_sent("20 02 00 02");
    let cause = peer.disconnected().cause;
    assert_eq!(
        cause,
        DisconnectCause::InvalidPacket(DecodeError::EmptyClientId)
    );
}

#[test]
fn v311_mqtt_3_1_3_6_an_empty_client_identifier_with_clean_session_is_the_owners_to_name() {
    let mut peer = Peer::new();
    peer.feed("10 0C 00 04 'MQTT' 04 02 00 3C 00 00");
    assert_eq!(peer.connect_request().client_id, "");
    let accept = Accept {
        assigned_client_id: Some("x".into()),
        ..Accept::default()
    };
    peer.server.accept(peer.now, session(), &accept).unwrap();
    peer.assert_sent("20 02 00 00");
}

#[test]
fn v5_mqtt_3_1_3_6_and_3_2_2_16_an_empty_client_identifier_must_be_assigned() {
    let mut peer = Peer::new();
    peer.feed("10 0D 00 04 'MQTT' 05 00 00 3C 00 00 00");
    let mut unused = session();
    for assigned_client_id in [None, Some(String::new())] {
        let accept = Accept {
            assigned_client_id,
            ..Accept::default()
        };
        let refused = peer.server.accept(peer.now, unused, &accept).unwrap_err();
        assert_eq!(refused.error, AcceptError::ClientIdentifierMissing);
        unused = refused.session;
    }
    let accept = Accept {
        assigned_client_id: Some("x".into()),
        ..Accept::default()
    };
    peer.server.accept(peer.now, unused, &accept).unwrap();
    let mut peer = Peer::new();
    peer.feed(CONNECT_V5);
    let accept = Accept {
        assigned_client_id: Some("x".into()),
        ..Accept::default()
    };
    let refused = peer
        .server
        .accept(peer.now, session(), &accept)
        .unwrap_err();
    assert_eq!(refused.error, AcceptError::ClientIdentifierPresent);
}

#[test]
fn v5_mqtt_3_1_3_5_a_client_identifier_of_23_characters_is_taken() {
    let mut peer = Peer::new();
    peer.feed("10 24 00 04 'MQTT' 05 02 00 3C 00 00 17 '0123456789ABCDEFGHIJKLM'");
    assert_eq!(peer.connect_request().client_id, "0123456789ABCDEFGHIJKLM");
}

#[test]
fn v5_mqtt_3_2_2_2_session_present_never_with_clean_start() {
    for connect in [CONNECT_V5, CONNECT_V311] {
        let mut peer = Peer::new();
        peer.feed(connect);
        let accept = Accept {
            session_present: true,
            ..Accept::default()
        };
        let refused = peer
            .server
            .accept(peer.now, session(), &accept)
            .unwrap_err();
        assert_eq!(refused.error, AcceptError::SessionPresent);
    }
}

#[test]
fn v5_mqtt_3_2_2_3_and_v311_mqtt_3_2_2_2_session_present_is_the_owners_word() {
    for (connect, connack) in [
        ("10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'", "01 00"),
        ("10 0D 00 04 'MQTT' 04 00 00 3C 00 01 'a'", "01 00"),
        // 3.1 has no such flag.
        ("10 0F 00 06 'MQIsdp' 03 00 00 3C 00 01 'a'", "00 00"),
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        peer.connect_request();
        let accept = Accept {
            session_present: true,
            ..Accept::default()
        };
        peer.server.accept(peer.now, session(), &accept).unwrap();
        assert_eq!(peer.sent()[2..4], super::support::hex(connack));
    }
}

#[test]
fn v5_mqtt_3_2_2_12_and_13_a_will_above_what_is_offered_cannot_be_accepted() {
    // Will flags: 0E is QoS 1, 26 is retained.
    for (flags, accept, error) in [
        (
            "0E",
            Accept {
                maximum_qos: QoS::AtMostOnce,
                ..Accept::default()
            },
            AcceptError::WillQosNotSupported,
        ),
        (
            "26",
            Accept {
                retain_available: false,
                ..Accept::default()
            },
            AcceptError::WillRetainNotSupported,
        ),
    ] {
        let mut peer = Peer::new();
        peer.feed(&format!(
            "10 15 00 04 'MQTT' 05 {flags} 00 3C 00 00 01 'a' 00 00 01 'w' 00 01 'm'"
        ));
        let will = peer.connect_request().will.unwrap();
        assert_eq!(
            (
                will.message.topic().as_str(),
                will.message.payload(),
                will.delay
            ),
            ("w", &b"m"[..], 0)
        );
        let refused = peer
            .server
            .accept(peer.now, session(), &accept)
            .unwrap_err();
        assert_eq!(refused.error, error);
    }
}

#[test]
fn will_user_name_and_password_reach_the_owner_and_stay_out_of_debug() {
    let mut peer = Peer::new();
    // Flags: user name, password, will QoS 2, will, clean start. Will Delay Interval 9, then a content type.
    peer.feed(
        "10 2C 00 04 'MQTT' 05 D6 00 3C 00 00 01 'a' 09 18 00 00 00 09 03 00 01 't' 00 01 'w' 00 01 'm' 00 04 'user' \
         00 06 'secret'",
    );
    let request = peer.connect_request();
    let will = request.will.as_ref().unwrap();
    assert_eq!(will.delay, 9);
    assert_eq!(will.message.qos(), QoS::ExactlyOnce);
    assert_eq!(
        will.message.properties().content_type().unwrap().as_str(),
        "t"
    );
    assert_eq!(will.message.properties().len(), 1);
    assert_eq!(request.username.as_deref(), Some("user"));
    assert_eq!(request.password.as_deref(), Some(&b"secret"[..]));
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn the_session_expiry_interval_of_3_x_follows_from_clean_session() {
    for (connect, expiry) in [
        (CONNECT_V311, SessionExpiry::AT_CLOSE),
        (
            "10 0D 00 04 'MQTT' 04 00 00 3C 00 01 'a'",
            SessionExpiry::NEVER,
        ),
        (
            "10 13 00 04 'MQTT' 05 00 00 3C 05 11 00 00 00 08 00 01 'a'",
            SessionExpiry::from_secs(8),
        ),
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        assert_eq!(peer.connect_request().session_expiry, expiry);
    }
}

#[test]
fn v5_mqtt_4_12_0_1_an_authentication_method_is_refused_with_0x8c() {
    let mut peer = Peer::new();
    peer.feed("10 12 00 04 'MQTT' 05 02 00 3C 04 15 00 01 'X' 00 01 'a'");
    peer.assert_sent("20 03 00 8C 00");
    assert_eq!(
        peer.disconnected().cause,
        DisconnectCause::AuthenticationMethod
    );
}

#[test]
fn v5_u_5_17_a_connect_that_does_not_come_in_time_ends_the_connection() {
    let mut peer = Peer::with_limits(ServerLimits {
        connect_timeout: 5 * SEC,
        ..ServerLimits::default()
    });
    peer.feed("10 0E 00 04");
    assert_eq!(peer.server.poll_timeout(), Some(peer.now + 5 * SEC));
    peer.advance(4 * SEC);
    assert!(peer.events().is_empty());
    peer.advance(SEC);
    peer.assert_sent("");
    assert_eq!(peer.disconnected().cause, DisconnectCause::ConnectTimeout);
    assert_eq!(peer.server.poll_timeout(), None);
}

#[test]
fn the_time_the_owner_takes_does_not_count_as_the_clients() {
    let mut peer = Peer::with_limits(ServerLimits {
        connect_timeout: 5 * SEC,
        ..ServerLimits::default()
    });
    peer.feed(CONNECT_V5);
    peer.connect_request();
    peer.advance(60 * SEC);
    assert!(peer.events().is_empty());
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    assert!(peer.events().is_empty());
}

#[test]
fn a_packet_larger_than_the_limit_before_connect_is_refused_by_its_header() {
    let mut peer = Peer::with_limits(ServerLimits {
        connect_maximum_packet_size: MaximumPacketSize::new(64).unwrap(),
        ..ServerLimits::default()
    });
    // Remaining Length 63 makes 65 bytes; only the start is there. The version can be told from it.
    peer.feed("10 3F 00 04 'MQTT' 05");
    let sent = peer.sent();
    assert!(
        sent.is_empty() || sent == super::support::hex("20 03 00 95 00"),
        "{sent:02X?}"
    );
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(_)
    ));
    assert!(peer.input.is_empty());
}

#[test]
fn v5_u_5_4_the_limit_on_packet_size_is_the_owners_once_accepted() {
    let accept = Accept {
        maximum_packet_size: MaximumPacketSize::new(20).unwrap(),
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V5, &accept);
    // 20 bytes pass, 21 do not, and are not waited for. (v5 3.2.2.3.6, U-5-4)
    peer.feed("30 12 00 01 'a' 00 '12345678901234'");
    assert!(matches!(peer.events()[..], [Event::Message { .. }]));
    peer.feed("30 13");
    peer.assert_sent("E0 01 95");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(_)
    ));
}

#[test]
fn a_transport_that_closes_before_the_answer_ends_the_request() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V5);
    peer.connect_request();
    peer.server.handle_close(peer.now);
    let end = peer.disconnected();
    assert_eq!(end.cause, DisconnectCause::Closed);
    assert!(!end.publish_will);
    let refused = peer
        .server
        .accept(peer.now, session(), &Accept::default())
        .unwrap_err();
    assert_eq!(refused.error, AcceptError::NotPending);
    peer.assert_sent("");
}

#[test]
fn v5_mqtt_3_2_2_19_and_20_reason_string_and_user_properties_give_way_to_the_clients_limit() {
    // Maximum Packet Size 20.
    let connect = "10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 14 00 01 'a'";
    let plain = Accept {
        receive_maximum: ReceiveMaximum::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    for (accept, connack) in [
        (
            Accept {
                reason_string: Some("a reason too long".into()),
                ..plain.clone()
            },
            "20 03 00 00 00",
        ),
        (
            Accept {
                user_properties: vec![("key".into(), "a long value".into())],
                ..plain.clone()
            },
            "20 03 00 00 00",
        ),
        // The reason is worth more than the user properties.
        (
            Accept {
                reason_string: Some("why".into()),
                user_properties: vec![("key".into(), "a long value".into())],
                ..plain
            },
            "20 09 00 00 06 1F 00 03 'why'",
        ),
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        peer.server.accept(peer.now, session(), &accept).unwrap();
        peer.assert_sent(connack);
    }
}

#[test]
fn what_the_client_asked_for_is_not_told_to_it() {
    // Session Expiry Interval 8.
    let mut peer = Peer::new();
    peer.feed("10 13 00 04 'MQTT' 05 00 00 3C 05 11 00 00 00 08 00 01 'a'");
    let accept = Accept {
        session_expiry: Some(SessionExpiry::from_secs(8)),
        receive_maximum: ReceiveMaximum::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    peer.server.accept(peer.now, session(), &accept).unwrap();
    peer.assert_sent("20 03 00 00 00");
}
