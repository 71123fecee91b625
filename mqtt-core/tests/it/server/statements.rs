//! Numbered statements that bind a server and have no test of their own in the other files, one short test each.

mod connecting;
mod exchanges;

use mqtt_core::{
    Acknowledge, Message, Outcome, QoS, ReasonCode, TopicName,
    server::{Accept, DisconnectCause, Event, ServerLimits},
};

use super::support::{CONNECT_V5, CONNECT_V31, CONNECT_V311, Peer, hex, session};

/// CONNECT of 5.0 and of 3.1.1 that wants its session.
const RESUME_V5: &str = "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'";
const RESUME_V311: &str = "10 0D 00 04 'MQTT' 04 00 00 3C 00 01 'a'";
/// CONNECT of 5.0 with Receive Maximum 1.
const RECEIVE_MAXIMUM_1: &str = "10 11 00 04 'MQTT' 05 02 00 3C 03 21 00 01 00 01 'a'";

fn v5() -> Peer {
    Peer::connected(CONNECT_V5, &Accept::default())
}

fn v311() -> Peer {
    Peer::connected(CONNECT_V311, &Accept::default())
}

#[track_caller]
fn publish(peer: &mut Peer, qos: QoS) {
    let message = Message::new(TopicName::new("a").unwrap(), "x").with_qos(qos);
    peer.server.publish(peer.now, message).unwrap();
}

/// The connection breaks and the session goes on with another; what follows the CONNACK must be `sent`.
#[track_caller]
fn resume(mut peer: Peer, connect: &str, sent: &str) -> Peer {
    peer.server.handle_close(peer.now);
    let session = peer.server.into_session().unwrap();
    let mut peer = Peer::new();
    peer.feed(connect);
    peer.connect_request();
    let accept = Accept {
        session_present: true,
        ..Accept::default()
    };
    peer.server.accept(peer.now, session, &accept).unwrap();
    let bytes = peer.sent();
    let rest = &bytes[2 + usize::from(bytes[1])..];
    assert_eq!(rest, hex(sent), "sent {rest:02X?}");
    peer
}

/// Answers the SUBSCRIBE or UNSUBSCRIBE that waits.
#[track_caller]
fn answer(peer: &mut Peer, codes: &[ReasonCode]) {
    match peer.server.poll_event() {
        Some(Event::Subscribe(request)) => peer.server.complete_subscribe(&request, codes).unwrap(),
        Some(Event::Unsubscribe(request)) => {
            peer.server.complete_unsubscribe(&request, codes).unwrap()
        }
        other => panic!("expected a request, got {other:?}"),
    }
}

#[test]
fn v5_mqtt_2_2_1_4_each_publish_has_an_identifier_that_is_free() {
    let mut peer = v5();
    publish(&mut peer, QoS::AtLeastOnce);
    publish(&mut peer, QoS::ExactlyOnce);
    peer.assert_sent("32 07 00 01 'a' 00 01 00 'x' 34 07 00 01 'a' 00 02 00 'x'");
    peer.feed("40 02 00 01 50 02 00 02");
    publish(&mut peer, QoS::AtLeastOnce);
    // 2 is held until its PUBCOMP.
    peer.assert_sent("62 02 00 02 32 07 00 01 'a' 00 03 00 'x'");
}

#[test]
fn v5_mqtt_2_2_1_5_answers_repeat_the_identifier() {
    let mut peer = v5();
    peer.feed("32 07 00 01 'a' 12 34 00 'x' 34 07 00 01 'a' 56 78 00 'x' 62 02 56 78");
    peer.assert_sent("40 02 12 34 50 02 56 78 70 02 56 78");
}

#[test]
fn v311_mqtt_2_3_1_6_answers_repeat_the_identifier() {
    let mut peer = v311();
    peer.feed("32 06 00 01 'a' 12 34 'x' 34 06 00 01 'a' 56 78 'x' 62 02 56 78");
    peer.assert_sent("40 02 12 34 50 02 56 78 70 02 56 78");
}

#[test]
fn v5_mqtt_2_2_1_6_suback_and_unsuback_repeat_the_identifier() {
    let mut peer = v5();
    peer.feed("82 07 12 34 00 00 01 'a' 01 A2 06 56 78 00 00 01 'a'");
    answer(&mut peer, &[ReasonCode::GRANTED_QOS_1]);
    answer(&mut peer, &[ReasonCode::SUCCESS]);
    peer.assert_sent("90 04 12 34 00 01 B0 04 56 78 00 00");
}

#[test]
fn v311_mqtt_2_3_1_7_suback_and_unsuback_repeat_the_identifier() {
    let mut peer = v311();
    peer.feed("82 06 12 34 00 01 'a' 01 A2 05 56 78 00 01 'a'");
    answer(&mut peer, &[ReasonCode::GRANTED_QOS_1]);
    answer(&mut peer, &[ReasonCode::SUCCESS]);
    peer.assert_sent("90 03 12 34 01 B0 02 56 78");
}

#[test]
fn v5_mqtt_3_1_3_7_the_assigned_identifier_is_told() {
    let mut peer = Peer::new();
    peer.feed("10 0D 00 04 'MQTT' 05 02 00 3C 00 00 00");
    let accept = Accept {
        assigned_client_id: Some("given".into()),
        ..Accept::default()
    };
    peer.server.accept(peer.now, session(), &accept).unwrap();
    let (connack, expected) = (peer.sent(), hex("12 00 05 'given'"));
    assert!(connack.windows(expected.len()).any(|part| part == expected));
}

#[test]
fn v5_mqtt_3_1_3_8_a_rejected_identifier_gets_0x85_and_close() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V5);
    peer.server
        .refuse(peer.now, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID)
        .unwrap();
    peer.assert_sent("20 03 00 85 00");
    assert!(peer.server.is_ended());
}

#[test]
fn v311_mqtt_3_1_3_9_a_rejected_identifier_gets_2_and_close() {
    for connect in [CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::new();
        peer.feed(connect);
        peer.server
            .refuse(peer.now, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID)
            .unwrap();
        peer.assert_sent("20 02 00 02");
        assert!(peer.server.is_ended());
    }
}

#[test]
fn v311_mqtt_3_1_3_5_a_client_identifier_of_23_characters_is_taken() {
    let mut peer = Peer::new();
    peer.feed("10 23 00 04 'MQTT' 04 02 00 3C 00 17 'nopqrstuvwxyzNOPQRSTUVW'");
    assert_eq!(peer.connect_request().client_id, "nopqrstuvwxyzNOPQRSTUVW");
}

#[test]
fn v5_mqtt_3_1_4_2_failed_authentication_is_closed() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V5);
    peer.server
        .refuse(peer.now, ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        .unwrap();
    peer.assert_sent("20 03 00 86 00");
    assert!(peer.server.is_ended());
}

#[test]
fn v5_mqtt_4_12_0_4_and_v311_3_1_4_the_return_codes_of_a_refusal() {
    for (reason, v5, v311) in [
        (
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            "20 03 00 84 00",
            "20 02 00 01",
        ),
        (
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
            "20 03 00 85 00",
            "20 02 00 02",
        ),
        (
            ReasonCode::SERVER_UNAVAILABLE,
            "20 03 00 88 00",
            "20 02 00 03",
        ),
        (
            ReasonCode::BAD_USER_NAME_OR_PASSWORD,
            "20 03 00 86 00",
            "20 02 00 04",
        ),
        (ReasonCode::NOT_AUTHORIZED, "20 03 00 87 00", "20 02 00 05"),
    ] {
        for (connect, connack) in [(CONNECT_V5, v5), (CONNECT_V311, v311), (CONNECT_V31, v311)] {
            let mut peer = Peer::new();
            peer.feed(connect);
            peer.server.refuse(peer.now, reason).unwrap();
            peer.assert_sent(connack);
        }
    }
}

#[test]
fn v311_mqtt_3_1_0_1_the_first_packet_is_connect() {
    let mut peer = Peer::new();
    peer.feed("30 03 00 01 'a'");
    peer.assert_sent("");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(_)
    ));
}

#[test]
fn v311_mqtt_3_1_2_1_another_protocol_name_is_not_served() {
    let mut peer = Peer::new();
    peer.feed("10 0D 00 04 'mqtt' 04 02 00 3C 00 01 'a'");
    peer.assert_sent("");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(_)
    ));
}

#[test]
fn v311_mqtt_3_1_4_5_nothing_after_a_rejected_connect_is_processed() {
    let mut peer = Peer::new();
    peer.feed("10 0D 00 04 'MQTT' 06 02 00 3C 00 01 'a' 30 03 00 01 'a'");
    peer.disconnected();
    assert!(peer.input.is_empty());
}

#[test]
fn v5_mqtt_3_2_0_1_nothing_goes_before_the_connack() {
    let mut session = session();
    let mut peer = Peer::new();
    let message = Message::new(TopicName::new("a").unwrap(), "x");
    session.push(peer.now, message).unwrap();
    peer.feed(&format!("{RESUME_V5} C0 00"));
    peer.assert_sent("");
    let accept = Accept {
        session_present: true,
        ..Accept::default()
    };
    peer.server.accept(peer.now, session, &accept).unwrap();
    peer.feed("");
    let sent = peer.sent();
    assert_eq!(sent[0], 0x20);
    assert_eq!(
        sent[2 + usize::from(sent[1])..],
        hex("D0 00 30 05 00 01 'a' 00 'x'")
    );
}

#[test]
fn v311_mqtt_3_2_0_1_nothing_goes_before_the_connack() {
    let mut peer = Peer::new();
    peer.feed(&format!("{CONNECT_V311} C0 00"));
    peer.assert_sent("");
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    peer.feed("");
    peer.assert_sent("20 02 00 00 D0 00");
}

#[test]
fn v5_mqtt_3_2_0_2_one_connack() {
    let mut peer = v5();
    let refused = peer.server.accept(peer.now, session(), &Accept::default());
    assert!(refused.is_err());
    assert!(peer.server.refuse(peer.now, ReasonCode::BANNED).is_err());
    peer.assert_sent("");
}

#[test]
fn v5_mqtt_3_2_2_7_a_refusal_closes() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V5);
    peer.server
        .refuse(peer.now, ReasonCode::SERVER_BUSY)
        .unwrap();
    peer.assert_sent("20 03 00 89 00");
    assert!(peer.server.is_ended());
    peer.feed("C0 00");
    peer.assert_sent("");
}

#[test]
fn v5_mqtt_3_2_2_9_a_server_without_qos_2_says_so() {
    for (maximum, expected) in [(QoS::AtMostOnce, "24 00"), (QoS::AtLeastOnce, "24 01")] {
        let mut peer = Peer::new();
        peer.feed(CONNECT_V5);
        let accept = Accept {
            maximum_qos: maximum,
            ..Accept::default()
        };
        peer.server.accept(peer.now, session(), &accept).unwrap();
        let connack = peer.sent();
        assert!(connack[5..].windows(2).any(|part| part == hex(expected)));
    }
}

#[test]
fn v311_mqtt_3_2_2_3_without_a_session_session_present_is_0() {
    let mut peer = Peer::new();
    peer.feed(RESUME_V311);
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    peer.assert_sent("20 02 00 00");
}

#[test]
fn v5_mqtt_3_3_1_1_what_is_sent_again_has_dup() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    publish(&mut peer, QoS::AtLeastOnce);
    peer.assert_sent("32 07 00 01 'a' 00 01 00 'x'");
    resume(peer, RESUME_V5, "3A 07 00 01 'a' 00 01 00 'x'");
}

#[test]
fn v311_mqtt_3_3_1_1_what_is_sent_again_has_dup() {
    let mut peer = Peer::connected(RESUME_V311, &Accept::default());
    publish(&mut peer, QoS::ExactlyOnce);
    peer.assert_sent("34 06 00 01 'a' 00 01 'x'");
    resume(peer, RESUME_V311, "3C 06 00 01 'a' 00 01 'x'");
}

#[test]
fn v311_mqtt_2_3_1_4_a_new_message_does_not_share_an_identifier_with_one_that_is_sent_again() {
    let mut peer = Peer::connected(RESUME_V311, &Accept::default());
    publish(&mut peer, QoS::AtLeastOnce);
    peer.sent();
    let mut peer = resume(peer, RESUME_V311, "3A 06 00 01 'a' 00 01 'x'");
    publish(&mut peer, QoS::AtLeastOnce);
    peer.assert_sent("32 06 00 01 'a' 00 02 'x'");
}

#[test]
fn v5_mqtt_3_3_4_10_a_full_window_delays_publish_alone() {
    let mut peer = Peer::connected(RECEIVE_MAXIMUM_1, &Accept::default());
    publish(&mut peer, QoS::AtLeastOnce);
    publish(&mut peer, QoS::AtLeastOnce);
    peer.assert_sent("32 07 00 01 'a' 00 01 00 'x'");
    peer.feed("C0 00");
    peer.assert_sent("D0 00");
}

#[test]
fn v5_mqtt_3_8_4_7_each_code_is_told() {
    let mut peer = v5();
    peer.feed("82 0F 00 01 00 00 01 'a' 00 00 01 'b' 01 00 01 'c' 02");
    answer(
        &mut peer,
        &[
            ReasonCode::GRANTED_QOS_0,
            ReasonCode::QUOTA_EXCEEDED,
            ReasonCode::GRANTED_QOS_2,
        ],
    );
    peer.assert_sent("90 06 00 01 00 00 97 02");
}

#[test]
fn v311_mqtt_3_8_4_1_every_subscribe_is_answered() {
    let mut peer = v311();
    peer.feed("82 06 00 01 00 01 'a' 01 82 06 00 02 00 01 'b' 00");
    answer(&mut peer, &[ReasonCode::GRANTED_QOS_1]);
    answer(&mut peer, &[ReasonCode::NOT_AUTHORIZED]);
    peer.assert_sent("90 03 00 01 01 90 03 00 02 80");
}

#[test]
fn v311_mqtt_3_8_4_2_suback_has_the_identifier_of_its_subscribe() {
    let mut peer = v311();
    peer.feed("82 06 00 07 00 01 'a' 01");
    answer(&mut peer, &[ReasonCode::GRANTED_QOS_0]);
    peer.assert_sent("90 03 00 07 00");
}

#[test]
fn v311_mqtt_3_8_4_4_several_filters_are_answered_by_one_suback() {
    let mut peer = v311();
    peer.feed("82 0A 00 01 00 01 'a' 01 00 01 'b' 02");
    answer(
        &mut peer,
        &[ReasonCode::GRANTED_QOS_1, ReasonCode::GRANTED_QOS_2],
    );
    peer.assert_sent("90 04 00 01 01 02");
}

#[test]
fn v311_mqtt_3_8_4_5_suback_has_a_code_for_each_filter() {
    let mut peer = v311();
    peer.feed("82 0A 00 01 00 01 'a' 01 00 01 'b' 02");
    let Some(Event::Subscribe(request)) = peer.server.poll_event() else {
        panic!("no SUBSCRIBE")
    };
    assert!(
        peer.server
            .complete_subscribe(&request, &[ReasonCode::GRANTED_QOS_1])
            .is_err()
    );
    peer.assert_sent("");
    peer.server
        .complete_subscribe(
            &request,
            &[ReasonCode::NOT_AUTHORIZED, ReasonCode::GRANTED_QOS_0],
        )
        .unwrap();
    peer.assert_sent("90 04 00 01 80 00");
}

#[test]
fn v5_mqtt_3_10_4_6_several_filters_are_answered_by_one_unsuback() {
    let mut peer = v5();
    peer.feed("A2 09 00 01 00 00 01 'a' 00 01 'b'");
    answer(
        &mut peer,
        &[ReasonCode::NO_SUBSCRIPTION_EXISTED, ReasonCode::SUCCESS],
    );
    peer.assert_sent("B0 05 00 01 00 11 00");
}

#[test]
fn v311_mqtt_3_10_4_4_every_unsubscribe_is_answered() {
    let mut peer = v311();
    peer.feed("A2 05 00 01 00 01 'a' A2 05 00 02 00 01 'a'");
    answer(&mut peer, &[ReasonCode::SUCCESS]);
    answer(&mut peer, &[ReasonCode::NO_SUBSCRIPTION_EXISTED]);
    peer.assert_sent("B0 02 00 01 B0 02 00 02");
}

#[test]
fn v311_mqtt_3_10_4_6_several_filters_are_answered_by_one_unsuback() {
    let mut peer = v311();
    peer.feed("A2 08 00 01 00 01 'a' 00 01 'b'");
    answer(&mut peer, &[ReasonCode::SUCCESS; 2]);
    peer.assert_sent("B0 02 00 01");
}

#[test]
fn v311_mqtt_3_12_4_1_pingreq_is_answered() {
    let mut peer = v311();
    peer.feed("C0 00 C0 00");
    peer.assert_sent("D0 00 D0 00");
}

#[test]
fn v311_mqtt_3_14_1_1_reserved_bits_of_disconnect_keep_the_will() {
    let mut peer = v311();
    peer.feed("E1 00");
    peer.assert_sent("");
    assert!(peer.disconnected().publish_will);
}

#[test]
fn v5_mqtt_4_3_2_3_a_message_is_unacknowledged_until_its_own_puback() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    publish(&mut peer, QoS::AtLeastOnce);
    peer.sent();
    peer.feed("40 02 00 02");
    assert!(peer.events().is_empty());
    resume(peer, RESUME_V5, "3A 07 00 01 'a' 00 01 00 'x'");
}

#[test]
fn v5_mqtt_4_3_2_4_puback_when_the_owner_has_taken_the_message() {
    let mut peer = Peer::with_limits(ServerLimits {
        acknowledge: Acknowledge::Manual,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    peer.feed("32 07 00 01 'a' 00 07 00 'x'");
    peer.assert_sent("");
    let Some(Event::Message {
        token: Some(token), ..
    }) = peer.server.poll_event()
    else {
        panic!("no message")
    };
    peer.server.acknowledge(token, ReasonCode::SUCCESS).unwrap();
    peer.assert_sent("40 02 00 07");
}

#[test]
fn v5_mqtt_4_3_3_3_a_publish_of_qos_2_is_unacknowledged_until_pubrec() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    publish(&mut peer, QoS::ExactlyOnce);
    peer.sent();
    resume(peer, RESUME_V5, "3C 07 00 01 'a' 00 01 00 'x'");
}

#[test]
fn v5_mqtt_4_3_3_5_a_pubrel_is_unacknowledged_until_pubcomp() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    publish(&mut peer, QoS::ExactlyOnce);
    peer.sent();
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    let mut peer = resume(peer, RESUME_V5, "62 02 00 01");
    peer.feed("70 02 00 01");
    assert!(matches!(
        peer.events()[..],
        [Event::Outcome {
            outcome: Outcome::Acknowledged { .. },
            ..
        }]
    ));
    resume(peer, RESUME_V5, "");
}

#[test]
fn v311_mqtt_4_3_3_1_after_pubrec_the_publish_is_not_sent_again() {
    let mut peer = Peer::connected(RESUME_V311, &Accept::default());
    publish(&mut peer, QoS::ExactlyOnce);
    peer.sent();
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    let mut peer = resume(peer, RESUME_V311, "62 02 00 01");
    peer.feed("70 02 00 01");
    resume(peer, RESUME_V311, "");
}

#[test]
fn v5_mqtt_4_3_3_8_pubrec_when_the_owner_has_taken_the_message() {
    let mut peer = Peer::with_limits(ServerLimits {
        acknowledge: Acknowledge::Manual,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    peer.feed("34 07 00 01 'a' 00 08 00 'x'");
    peer.assert_sent("");
    let Some(Event::Message {
        token: Some(token), ..
    }) = peer.server.poll_event()
    else {
        panic!("no message")
    };
    peer.server.acknowledge(token, ReasonCode::SUCCESS).unwrap();
    peer.assert_sent("50 02 00 08");
}

#[test]
fn v311_mqtt_4_3_2_2_after_puback_the_identifier_is_a_new_message() {
    let mut peer = v311();
    peer.feed("32 06 00 01 'a' 00 01 'x' 3A 06 00 01 'a' 00 01 'x'");
    peer.assert_sent("40 02 00 01 40 02 00 01");
    assert_eq!(peer.events().len(), 2);
}

#[test]
fn v311_mqtt_4_3_3_2_a_repeat_of_qos_2_is_delivered_once() {
    let mut peer = v311();
    peer.feed("34 06 00 01 'a' 00 01 'x'");
    peer.assert_sent("50 02 00 01");
    peer.feed("3C 06 00 01 'a' 00 01 'x' 62 02 00 01 34 06 00 01 'a' 00 01 'y'");
    peer.assert_sent("50 02 00 01 70 02 00 01 50 02 00 01");
    assert_eq!(peer.events().len(), 2);
}

#[test]
fn v5_mqtt_4_4_0_2_what_was_refused_is_not_sent_again() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    publish(&mut peer, QoS::AtLeastOnce);
    publish(&mut peer, QoS::ExactlyOnce);
    peer.sent();
    peer.feed("40 03 00 01 97 50 03 00 02 97");
    assert_eq!(peer.events().len(), 2);
    resume(peer, RESUME_V5, "");
}

#[test]
fn v5_mqtt_4_9_0_1_the_window_is_the_clients_receive_maximum() {
    // Receive Maximum 3.
    let mut peer = Peer::connected(
        "10 11 00 04 'MQTT' 05 02 00 3C 03 21 00 03 00 01 'a'",
        &Accept::default(),
    );
    for _ in 0..5 {
        publish(&mut peer, QoS::AtLeastOnce);
    }
    assert_eq!(peer.sent().len(), 3 * 9);
    assert_eq!(peer.server.session().unwrap().queued(), 2);
}

#[test]
fn v5_mqtt_4_9_0_2_each_publish_takes_of_the_window_and_its_end_gives_back() {
    let mut peer = Peer::connected(RECEIVE_MAXIMUM_1, &Accept::default());
    for _ in 0..4 {
        publish(&mut peer, QoS::ExactlyOnce);
    }
    peer.assert_sent("34 07 00 01 'a' 00 01 00 'x'");
    // PUBREC does not end the exchange; PUBCOMP does, and a PUBREC with an error.
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    peer.feed("70 02 00 01");
    peer.assert_sent("34 07 00 01 'a' 00 02 00 'x'");
    peer.feed("50 03 00 02 80");
    peer.assert_sent("34 07 00 01 'a' 00 03 00 'x'");
}

#[test]
fn v5_mqtt_4_9_0_3_and_v5_u_5_13_the_window_is_never_wider_than_at_its_start() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    publish(&mut peer, QoS::ExactlyOnce);
    peer.sent();
    peer.feed("50 02 00 01");
    peer.sent();
    // The PUBREL that is sent again took nothing of the new window, and its PUBCOMP gives nothing.
    let mut peer = resume(
        peer,
        "10 11 00 04 'MQTT' 05 00 00 3C 03 21 00 01 00 01 'a'",
        "62 02 00 01",
    );
    peer.feed("70 02 00 01");
    publish(&mut peer, QoS::AtLeastOnce);
    publish(&mut peer, QoS::AtLeastOnce);
    assert_eq!(peer.sent().len(), 9);
}

#[test]
fn v5_mqtt_4_12_0_6_no_method_no_auth() {
    let mut peer = Peer::new();
    peer.feed(CONNECT_V5);
    peer.server
        .accept(peer.now, session(), &Accept::default())
        .unwrap();
    let connack = peer.sent();
    assert!(!connack[5..].contains(&0x15));
    peer.feed("F0 06 18 04 15 00 01 'm'");
    peer.assert_sent("E0 01 82");
}

#[test]
fn v5_mqtt_4_13_2_1_a_code_of_an_error_closes_even_if_it_cannot_be_sent() {
    let mut peer = v5();
    peer.feed("36 07 00 01 'a' 00 01 00 'x'");
    // The transport is gone before the DISCONNECT could be taken.
    peer.server.handle_close(peer.now);
    peer.assert_sent("");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(_)
    ));
}

#[test]
fn v311_mqtt_4_4_0_1_publish_and_pubrel_are_sent_again_with_their_identifiers() {
    let mut peer = Peer::connected(RESUME_V311, &Accept::default());
    publish(&mut peer, QoS::ExactlyOnce);
    publish(&mut peer, QoS::AtLeastOnce);
    peer.sent();
    peer.feed("50 02 00 01");
    peer.sent();
    resume(peer, RESUME_V311, "62 02 00 01 3A 06 00 01 'a' 00 02 'x'");
}
