//! DISCONNECT, Keep Alive, PINGREQ, and how a connection ends otherwise (v5 3.12 to 3.14, 3.1.2.10).

use std::time::Duration;

use mqtt_core::{
    KeepAlive, MaximumPacketSize, Message, Property, QoS, ReasonCode, SessionExpiry, TopicName,
    Utf8,
    server::{Accept, DisconnectCause, DisconnectError, Event, ProtocolError, ServerLimits},
};

use super::support::{CONNECT_V5, CONNECT_V31, CONNECT_V311, Peer, hex, session};

const SEC: Duration = Duration::from_secs(1);
/// CONNECT of 5.0 with Keep Alive 10.
const KEEP_ALIVE_10: &str = "10 0E 00 04 'MQTT' 05 02 00 0A 00 00 01 'a'";
/// CONNECT of 3.1.1 with Keep Alive 10.
const KEEP_ALIVE_10_V311: &str = "10 0D 00 04 'MQTT' 04 02 00 0A 00 01 'a'";
/// CONNECT of 5.0 with Session Expiry Interval 100.
const EXPIRY_100: &str = "10 13 00 04 'MQTT' 05 02 00 3C 05 11 00 00 00 64 00 01 'a'";

#[test]
fn v5_mqtt_3_12_4_1_pingreq_is_answered_by_pingresp() {
    for connect in [CONNECT_V5, CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::connected(connect, &Accept::default());
        peer.feed("C0 00");
        peer.assert_sent("D0 00");
    }
}

#[test]
fn v5_mqtt_3_14_4_3_and_v5_u_5_19_and_v311_u_3_1_1_6_a_normal_disconnect_takes_the_will_away() {
    for (connect, disconnect) in [
        (CONNECT_V5, "E0 00"),
        (CONNECT_V5, "E0 01 00"),
        (CONNECT_V311, "E0 00"),
        (CONNECT_V31, "E0 00"),
    ] {
        let mut peer = Peer::connected(connect, &Accept::default());
        // Nothing after it counts.
        peer.feed(&format!("{disconnect} C0 00"));
        let end = peer.disconnected();
        assert!(matches!(
            end.cause,
            DisconnectCause::Client {
                reason: ReasonCode::NORMAL_DISCONNECTION,
                ..
            }
        ));
        assert!(!end.publish_will);
        assert_eq!(end.session_expiry, SessionExpiry::AT_CLOSE);
        peer.assert_sent("");
        assert!(peer.input.is_empty());
        assert!(peer.server.is_ended());
        peer.server.handle_close(peer.now);
        assert!(peer.events().is_empty());
    }
}

#[test]
fn v5_any_other_disconnect_leaves_the_will() {
    for reason in [0x04, 0x80, 0x98] {
        let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
        let _ = peer.feed_bytes(&[0xE0, 0x01, reason]);
        let end = peer.disconnected();
        assert!(
            matches!(end.cause, DisconnectCause::Client { reason: given, .. } if given.get() == reason)
        );
        assert!(end.publish_will);
    }
}

#[test]
fn v5_a_disconnect_may_change_the_session_expiry_interval() {
    let mut peer = Peer::connected(EXPIRY_100, &Accept::default());
    peer.feed("E0 07 00 05 11 00 00 00 09");
    assert_eq!(
        peer.disconnected().session_expiry,
        SessionExpiry::from_secs(9)
    );
    let mut peer = Peer::connected(EXPIRY_100, &Accept::default());
    peer.feed("E0 00");
    assert_eq!(
        peer.disconnected().session_expiry,
        SessionExpiry::from_secs(100)
    );
    // What the server decided counts where the client says nothing.
    let accept = Accept {
        session_expiry: Some(SessionExpiry::from_secs(50)),
        ..Accept::default()
    };
    let mut peer = Peer::connected(EXPIRY_100, &accept);
    peer.server.handle_close(peer.now);
    assert_eq!(
        peer.disconnected().session_expiry,
        SessionExpiry::from_secs(50)
    );
}

#[test]
fn v5_u_5_11_a_disconnect_may_not_raise_the_session_expiry_interval_from_zero() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("E0 07 00 05 11 00 00 00 09");
    peer.assert_sent("E0 01 82");
    let end = peer.disconnected();
    assert_eq!(
        end.cause,
        DisconnectCause::Protocol(ProtocolError::SessionExpiryRaised)
    );
    assert!(end.publish_will);
    assert_eq!(end.session_expiry, SessionExpiry::AT_CLOSE);
    // Zero stays zero.
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("E0 07 00 05 11 00 00 00 00");
    assert!(!peer.disconnected().publish_will);
}

#[test]
fn v5_mqtt_3_1_2_22_silence_for_one_and_a_half_keep_alives_ends_the_connection() {
    let mut peer = Peer::connected(KEEP_ALIVE_10, &Accept::default());
    assert_eq!(peer.server.poll_timeout(), Some(peer.now + 15 * SEC));
    peer.advance(14 * SEC);
    peer.feed("C0 00");
    peer.assert_sent("D0 00");
    peer.advance(14 * SEC);
    assert!(peer.events().is_empty());
    peer.advance(SEC);
    peer.assert_sent("E0 01 8D");
    let end = peer.disconnected();
    assert_eq!(end.cause, DisconnectCause::KeepAliveTimeout);
    assert!(end.publish_will);
    assert_eq!(peer.server.poll_timeout(), None);
}

#[test]
fn v311_mqtt_3_1_2_24_silence_for_one_and_a_half_keep_alives_ends_the_connection() {
    let mut peer = Peer::connected(KEEP_ALIVE_10_V311, &Accept::default());
    peer.advance(14 * SEC);
    assert!(peer.events().is_empty());
    // What the server sends is no sign of life.
    let message = Message::new(TopicName::new("a").unwrap(), "x").with_qos(QoS::AtLeastOnce);
    peer.server.publish(peer.now, message).unwrap();
    peer.sent();
    peer.advance(SEC);
    peer.assert_sent("");
    assert_eq!(peer.disconnected().cause, DisconnectCause::KeepAliveTimeout);
}

#[test]
fn v5_mqtt_3_2_2_21_and_22_the_servers_keep_alive_counts_where_it_gave_one() {
    let accept = Accept {
        server_keep_alive: Some(KeepAlive::from_secs(4)),
        ..Accept::default()
    };
    let peer = Peer::connected(KEEP_ALIVE_10, &accept);
    assert_eq!(peer.server.poll_timeout(), Some(peer.now + 6 * SEC));
    let accept = Accept {
        server_keep_alive: Some(KeepAlive::OFF),
        ..Accept::default()
    };
    let peer = Peer::connected(KEEP_ALIVE_10, &accept);
    assert_eq!(peer.server.poll_timeout(), None);
    let peer = Peer::connected(
        "10 0E 00 04 'MQTT' 05 02 00 00 00 00 01 'a'",
        &Accept::default(),
    );
    assert_eq!(peer.server.poll_timeout(), None);
}

#[test]
fn a_trickle_of_bytes_is_no_sign_of_life_but_a_large_packet_on_its_way_is() {
    let mut peer = Peer::connected(KEEP_ALIVE_10, &Accept::default());
    // A PUBLISH of 100,000 bytes begins.
    peer.feed("30 9D 8D 06 00 01 'a' 00");
    let _ = peer.feed_bytes(&[b'x'; 2_000]);
    peer.advance(10 * SEC);
    let _ = peer.feed_bytes(&[b'x'; 10]);
    peer.advance(5 * SEC);
    assert_eq!(peer.disconnected().cause, DisconnectCause::KeepAliveTimeout);

    let mut peer = Peer::connected(KEEP_ALIVE_10, &Accept::default());
    peer.feed("30 9D 8D 06 00 01 'a' 00");
    for _ in 0..5 {
        peer.advance(10 * SEC);
        let _ = peer.feed_bytes(&[b'x'; 2_000]);
    }
    assert!(peer.events().is_empty());
    // So it is for the next one, though it is shorter than what came of the first.
    let _ = peer.feed_bytes(&[b'x'; 89_993]);
    assert_eq!(peer.events().len(), 1);
    peer.feed("30 9D 8D 06 00 01 'a' 00");
    peer.advance(10 * SEC);
    let _ = peer.feed_bytes(&[b'x'; 2_000]);
    peer.advance(10 * SEC);
    assert!(peer.events().is_empty());
}

#[test]
fn what_waits_for_the_owner_is_not_the_clients_silence() {
    let mut peer = Peer::with_limits(ServerLimits {
        max_events: 1,
        ..ServerLimits::default()
    });
    peer.connect(KEEP_ALIVE_10, &Accept::default(), session());
    assert!(peer.feed("30 04 00 01 'a' 00 C0 00"));
    peer.advance(60 * SEC);
    assert!(matches!(peer.events()[..], [Event::Message { .. }]));
    assert!(!peer.feed(""));
    peer.assert_sent("D0 00");
    peer.advance(14 * SEC);
    assert!(peer.events().is_empty());
    peer.advance(SEC);
    assert_eq!(peer.disconnected().cause, DisconnectCause::KeepAliveTimeout);
}

#[test]
fn events_are_bounded_in_number_and_in_bytes() {
    let mut peer = Peer::with_limits(ServerLimits {
        max_events: 3,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    assert!(peer.feed(&"30 05 00 01 'a' 00 'x' ".repeat(5)));
    assert_eq!(peer.events().len(), 3);
    assert!(!peer.feed(""));
    assert_eq!(peer.events().len(), 2);

    let mut peer = Peer::with_limits(ServerLimits {
        max_event_bytes: 2_000,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    let mut publish = hex("30 EC 07 00 01 'a' 00");
    publish.resize(publish.len() + 1_000, b'x');
    assert!(peer.feed_bytes(&publish.repeat(4)).is_blocked());
    assert_eq!(peer.events().len(), 2);
    assert!(!peer.feed(""));
    assert_eq!(peer.events().len(), 2);
}

#[test]
fn outcomes_are_bounded_by_what_the_client_says_in_them() {
    let limits = ServerLimits {
        max_event_bytes: 2_000,
        ..ServerLimits::default()
    };
    let mut peer = Peer::with_limits(limits);
    peer.connect(CONNECT_V5, &Accept::default(), session());
    let mut acks = Vec::new();
    for packet_id in 1..=4 {
        let message = Message::new(TopicName::new("a").unwrap(), "x").with_qos(QoS::AtLeastOnce);
        peer.server.publish(peer.now, message).unwrap();
        // A Reason String of 1,000 bytes: 1,003 of properties, Remaining Length 1,008.
        acks.extend(hex(&format!(
            "40 F0 07 00 0{packet_id} 00 EB 07 1F 03 E8 '{}'",
            "r".repeat(1_000)
        )));
    }
    peer.sent();
    assert!(peer.feed_bytes(&acks).is_blocked());
    assert_eq!(peer.events().len(), 2);
    assert!(!peer.feed(""));
    assert_eq!(peer.events().len(), 2);
}

#[test]
fn a_client_that_does_not_read_its_answers_is_not_read_from_either() {
    let mut peer = Peer::connected(KEEP_ALIVE_10, &Accept::default());
    let pings = [0xC0, 0x00].repeat(20_000);
    assert!(peer.feed_bytes(&pings).is_blocked());
    assert!(!peer.input.is_empty());
    // Its silence is its own.
    peer.advance(15 * SEC);
    assert_eq!(peer.disconnected().cause, DisconnectCause::KeepAliveTimeout);

    let mut peer = Peer::connected(KEEP_ALIVE_10, &Accept::default());
    assert!(peer.feed_bytes(&pings).is_blocked());
    let first = peer.sent().len();
    assert!(!peer.feed(""));
    assert_eq!(first + peer.sent().len(), pings.len());
}

#[test]
fn v5_mqtt_3_14_4_1_the_servers_disconnect_is_its_last_word() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    let message = Message::new(TopicName::new("a").unwrap(), "x");
    peer.server.publish(peer.now, message).unwrap();
    peer.server
        .disconnect(peer.now, ReasonCode::SESSION_TAKEN_OVER)
        .unwrap();
    peer.assert_sent("E0 01 8E");
    peer.feed("C0 00");
    peer.assert_sent("");
    let end = peer.disconnected();
    assert_eq!(
        end.cause,
        DisconnectCause::Server(ReasonCode::SESSION_TAKEN_OVER)
    );
    assert!(end.publish_will);
    let again = peer
        .server
        .disconnect(peer.now, ReasonCode::SESSION_TAKEN_OVER);
    assert_eq!(again, Err(DisconnectError::WrongState));
    // What was not sent is still there.
    assert_eq!(peer.server.into_session().unwrap().queued(), 1);
}

#[test]
fn v311_the_server_disconnects_by_closing() {
    for connect in [CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::connected(connect, &Accept::default());
        peer.server
            .disconnect(peer.now, ReasonCode::SESSION_TAKEN_OVER)
            .unwrap();
        peer.assert_sent("");
        assert!(peer.disconnected().publish_will);
    }
}

#[test]
fn v5_mqtt_3_14_0_1_no_disconnect_before_the_connack() {
    for feed in ["", CONNECT_V5] {
        let mut peer = Peer::new();
        peer.feed(feed);
        peer.events();
        peer.server
            .disconnect(peer.now, ReasonCode::SERVER_SHUTTING_DOWN)
            .unwrap();
        peer.assert_sent("");
        let end = peer.disconnected();
        assert_eq!(
            end.cause,
            DisconnectCause::Server(ReasonCode::SERVER_SHUTTING_DOWN)
        );
        assert!(!end.publish_will);
    }
}

#[test]
fn a_code_that_a_servers_disconnect_cannot_carry_is_refused() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    let reason = ReasonCode::DISCONNECT_WITH_WILL_MESSAGE;
    let refused = peer.server.disconnect(peer.now, reason);
    assert_eq!(refused, Err(DisconnectError::ReasonNotAllowed(reason)));
    let expiry = [Property::SessionExpiryInterval(SessionExpiry::NEVER)];
    // Only a client may send one. [v5 MQTT-3.14.2-2]
    let refused = peer
        .server
        .disconnect_with(peer.now, ReasonCode::SERVER_BUSY, &expiry);
    assert!(matches!(refused, Err(DisconnectError::Encode(_))));
    assert!(!peer.server.is_ended());
    let elsewhere = [Property::ServerReference(Utf8::new("b").unwrap())];
    peer.server
        .disconnect_with(peer.now, ReasonCode::USE_ANOTHER_SERVER, &elsewhere)
        .unwrap();
    peer.assert_sent("E0 06 9C 04 1C 00 01 'b'");
}

#[test]
fn a_client_whose_limit_is_below_a_disconnect_is_left_without_one() {
    // Maximum Packet Size 5 takes a CONNACK without properties and a DISCONNECT; 2 takes neither.
    let mut peer = Peer::new();
    peer.feed("10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 02 00 01 'a'");
    let accept = Accept {
        receive_maximum: Default::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    let refused = peer
        .server
        .accept(peer.now, session(), &accept)
        .unwrap_err();
    assert_eq!(
        refused.error,
        mqtt_core::server::AcceptError::PacketTooLarge
    );
    peer.server
        .refuse(peer.now, ReasonCode::PACKET_TOO_LARGE)
        .unwrap();
    peer.assert_sent("");
}

#[test]
fn the_network_may_end_it_at_any_time() {
    let mut peer = Peer::connected(EXPIRY_100, &Accept::default());
    peer.feed("30 05 00 01 'a' 00 'x' 30 05 00");
    peer.server.handle_close(peer.now);
    let events = peer.events();
    // What came whole is told first.
    let [Event::Message { .. }, Event::Disconnected(end)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(end.cause, DisconnectCause::Closed);
    assert!(end.publish_will);
    assert_eq!(end.session_expiry, SessionExpiry::from_secs(100));
    peer.assert_sent("");
    assert_eq!(peer.server.poll_timeout(), None);
}

#[test]
fn calls_after_the_end_change_nothing() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("82 07 00 01 00 00 01 'a' 00 E0 00");
    let events = peer.events();
    let [Event::Subscribe(request), Event::Disconnected(_)] = &events[..] else {
        panic!("{events:?}")
    };
    let before = peer.server.clone();
    assert!(
        peer.server
            .complete_subscribe(request, &[ReasonCode::SUCCESS])
            .is_err()
    );
    assert!(peer.server.refuse(peer.now, ReasonCode::BANNED).is_err());
    peer.server.handle_close(peer.now);
    peer.advance(100 * SEC);
    peer.feed("C0 00");
    assert_eq!(peer.server, before);
}

#[test]
fn v5_mqtt_3_14_0_1_the_connack_goes_before_a_disconnect_that_comes_at_once() {
    let accept = Accept {
        receive_maximum: Default::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    for (connect, sent) in [
        (CONNECT_V5, "20 03 00 00 00 D0 00 E0 01 8E"),
        (CONNECT_V311, "20 02 00 00 D0 00"),
    ] {
        let mut peer = Peer::new();
        peer.feed(&format!("{connect} C0 00"));
        peer.server.accept(peer.now, session(), &accept).unwrap();
        peer.feed("");
        peer.server
            .disconnect(peer.now, ReasonCode::SESSION_TAKEN_OVER)
            .unwrap();
        peer.assert_sent(sent);
    }
    // The same where the client is to blame.
    let mut peer = Peer::new();
    peer.feed(&format!("{CONNECT_V5} {CONNECT_V5}"));
    peer.server.accept(peer.now, session(), &accept).unwrap();
    peer.feed("");
    peer.assert_sent("20 03 00 00 00 E0 01 82");
}

#[test]
fn bounds_of_zero_let_one_thing_through_at_a_time() {
    let mut peer = Peer::with_limits(ServerLimits {
        max_events: 0,
        max_event_bytes: 0,
        max_pending_requests: 0,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    assert!(peer.feed("30 05 00 01 'a' 00 'x' 82 07 00 01 00 00 01 'a' 00 C0 00"));
    assert!(matches!(peer.events()[..], [Event::Message { .. }]));
    assert!(peer.feed(""));
    let events = peer.events();
    let [Event::Subscribe(request)] = &events[..] else {
        panic!("{events:?}")
    };
    peer.server
        .complete_subscribe(request, &[ReasonCode::SUCCESS])
        .unwrap();
    assert!(!peer.feed(""));
    peer.assert_sent("90 04 00 01 00 00 D0 00");
}

#[test]
fn after_the_clients_disconnect_nothing_is_said_any_more() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("C0 00 32 07 00 01 'a' 00 01 00 'x' E0 00");
    peer.assert_sent("");
    assert_eq!(peer.events().len(), 2);
}

/// A connection that explains faults, of a client that says this in its CONNECT.
#[track_caller]
fn explaining(connect: &str) -> Peer {
    let mut peer = Peer::with_limits(ServerLimits {
        explain_faults: true,
        ..ServerLimits::default()
    });
    peer.connect(connect, &Accept::default(), session());
    peer
}

#[test]
fn a_fault_is_explained_with_its_rule_even_to_who_declined_problem_information() {
    for connect in [
        CONNECT_V5,
        "10 10 00 04 'MQTT' 05 02 00 3C 02 17 00 00 01 'a'",
    ] {
        let mut peer = explaining(connect);
        // Both QoS bits are set.
        peer.feed("36 06 00 01 'a' 00 01 00");
        let mut expected = hex("E0 35 81 33 1F 00 30");
        expected.extend(b"PUBLISH with both QoS bits set [v5 MQTT-3.3.1-4]");
        assert_eq!(
            String::from_utf8_lossy(&peer.sent()),
            String::from_utf8_lossy(&expected)
        );
    }
    let mut peer = explaining(CONNECT_V5);
    peer.feed(CONNECT_V5);
    let mut expected = hex("E0 15 82 13 1F 00 10");
    expected.extend(b"a second CONNECT");
    assert_eq!(
        String::from_utf8_lossy(&peer.sent()),
        String::from_utf8_lossy(&expected)
    );
}

#[test]
fn v5_mqtt_3_14_2_3_an_explanation_that_is_too_large_is_left_out() {
    // Maximum Packet Size 40.
    let mut peer = explaining("10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 28 00 01 'a'");
    peer.feed("36 06 00 01 'a' 00 01 00");
    peer.assert_sent("E0 01 81");
}

#[test]
fn a_fault_of_a_client_of_3_1_1_ends_in_a_bare_close() {
    let mut peer = explaining(CONNECT_V311);
    peer.feed("36 05 00 01 'a' 00 01");
    peer.assert_sent("");
}
