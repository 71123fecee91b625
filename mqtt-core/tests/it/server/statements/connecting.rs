//! CONNECT, its answers, and what closes without one.

use mqtt_core::{
    ReasonCode,
    server::{Accept, AcceptError, DisconnectCause, ServerLimits},
};

use super::super::support::{CONNECT_V5, CONNECT_V311, Peer, hex, session};
use super::{RESUME_V5, RESUME_V311};

#[test]
fn v311_mqtt_2_2_2_2_wrong_flags_in_the_fixed_header_close_the_connection() {
    for packet in [
        "41 02 00 01",
        "51 02 00 01",
        "60 02 00 01",
        "71 02 00 01",
        "80 06 00 01 00 01 'a' 00",
        "A0 05 00 01 00 01 'a'",
        "C1 00",
        "E1 00",
        "36 06 00 01 'a' 00 01 'x'",
    ] {
        let mut peer = Peer::connected(CONNECT_V311, &Accept::default());
        peer.feed(packet);
        peer.assert_sent("");
        let cause = peer.disconnected().cause;
        assert!(
            matches!(cause, DisconnectCause::InvalidPacket(_)),
            "{packet}: {cause:?}"
        );
    }
}

#[test]
fn v311_mqtt_3_1_2_3_a_connect_with_its_reserved_flag_set_is_closed() {
    let mut peer = Peer::new();
    peer.feed("10 0D 00 04 'MQTT' 04 03 00 3C 00 01 'a'");
    peer.assert_sent("");
    peer.disconnected();
}

#[test]
fn v5_mqtt_3_1_2_3_a_connect_with_its_reserved_flag_set_is_malformed() {
    let mut peer = Peer::new();
    peer.feed("10 0E 00 04 'MQTT' 05 03 00 3C 00 00 01 'a'");
    peer.assert_sent("20 03 00 81 00");
    peer.disconnected();
}

#[test]
fn v5_mqtt_3_1_2_28_response_information_is_for_clients_that_ask() {
    for (connect, is_told) in [
        // Request Response Information: absent, 0, 1.
        (CONNECT_V5, false),
        ("10 10 00 04 'MQTT' 05 02 00 3C 02 19 00 00 01 'a'", false),
        ("10 10 00 04 'MQTT' 05 02 00 3C 02 19 01 00 01 'a'", true),
    ] {
        let mut peer = Peer::new();
        peer.feed(connect);
        let accept = Accept {
            response_information: Some("answers/".into()),
            ..Accept::default()
        };
        peer.server.accept(peer.now, session(), &accept).unwrap();
        let (connack, information) = (peer.sent(), hex("1A 00 08 'answers/'"));
        let found = connack
            .windows(information.len())
            .any(|part| part == information);
        assert_eq!(found, is_told, "{connect}: {connack:02X?}");
    }
}

#[test]
fn v311_mqtt_3_1_4_3_clean_session_is_told_to_the_owner_and_holds_it_to_it() {
    holds_the_owner_to_it(CONNECT_V311, RESUME_V311);
}

#[test]
fn v5_mqtt_3_1_4_4_clean_start_is_told_to_the_owner_and_holds_it_to_it() {
    holds_the_owner_to_it(CONNECT_V5, RESUME_V5);
}

/// A client that wants a new session cannot be given an old one, and one that wants its own can.
#[track_caller]
fn holds_the_owner_to_it(clean: &str, resume: &str) {
    let old = Accept {
        session_present: true,
        ..Accept::default()
    };
    let mut peer = Peer::new();
    peer.feed(clean);
    assert!(peer.connect_request().clean_start);
    let refused = peer.server.accept(peer.now, session(), &old).unwrap_err();
    assert_eq!(refused.error, AcceptError::SessionPresent);
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    assert_eq!(peer.sent()[2..4], [0, 0]);

    let mut peer = Peer::new();
    peer.feed(resume);
    assert!(!peer.connect_request().clean_start);
    peer.server.accept(peer.now, session(), &old).unwrap();
    assert_eq!(peer.sent()[2..4], [1, 0]);
}

#[test]
fn v311_mqtt_3_2_2_1_a_clean_session_is_accepted_with_session_present_0() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V311);
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    peer.assert_sent("20 02 00 00");
}

#[test]
fn v311_mqtt_3_2_2_5_and_v311_u_3_1_1_2_and_3_a_refusal_closes() {
    for (reason, connack) in [
        (ReasonCode::CLIENT_IDENTIFIER_NOT_VALID, "20 02 00 02"),
        (ReasonCode::SERVER_UNAVAILABLE, "20 02 00 03"),
        (ReasonCode::BAD_USER_NAME_OR_PASSWORD, "20 02 00 04"),
        (ReasonCode::NOT_AUTHORIZED, "20 02 00 05"),
    ] {
        let mut peer = Peer::new();
        peer.feed(CONNECT_V311);
        peer.server.refuse(peer.now, reason).unwrap();
        // What comes after it gets no answer.
        peer.feed("C0 00");
        peer.assert_sent(connack);
        assert!(peer.server.is_ended());
    }
}

#[test]
fn v5_mqtt_3_14_1_1_a_disconnect_with_reserved_bits_is_malformed() {
    for packet in ["E1 00", "E2 00", "E4 01 00", "E8 02 04 00"] {
        let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
        peer.feed(packet);
        peer.assert_sent("E0 01 81");
        assert!(peer.disconnected().publish_will, "{packet}");
    }
}

#[test]
fn v311_mqtt_4_8_0_2_what_cannot_be_handled_now_closes_the_connection_it_came_on() {
    let mut peer = Peer::with_limits(ServerLimits {
        acknowledge: mqtt_core::Acknowledge::Manual,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V311, &Accept::default(), session());
    peer.feed("32 06 00 01 'a' 00 01 'x'");
    // Its owner cannot take the message: it is not acknowledged, so that the client sends it again.
    assert_eq!(peer.events().len(), 1);
    peer.server
        .disconnect(peer.now, ReasonCode::QUOTA_EXCEEDED)
        .unwrap();
    peer.assert_sent("");
    assert!(peer.disconnected().publish_will);
    assert!(peer.server.is_ended());
}
