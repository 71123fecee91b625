//! Receiving messages, acknowledged by the machine itself.

use mqtt_core::{
    QoS, ReceiveMaximum, Violation,
    client::{DisconnectCause, Event, Limits, ProtocolError},
};

use crate::support::{Pair, hex};

#[test]
fn v5_mqtt_3_3_4_1_each_qos_gets_its_answer() {
    let mut pair = Pair::v5();
    pair.feed("30 05 0001 'a' 00 '0'  32 07 0001 'a' 0007 00 '1'  34 07 0001 'a' 0008 00 '2'");
    pair.expect("40 02 0007  50 02 0008");
    for (payload, qos) in [
        ("0", QoS::AtMostOnce),
        ("1", QoS::AtLeastOnce),
        ("2", QoS::ExactlyOnce),
    ] {
        let Event::Message {
            message,
            token,
            dup,
        } = pair.expect_message(payload.as_bytes())
        else {
            unreachable!()
        };
        assert_eq!(
            (message.topic().as_str(), message.qos(), token, dup),
            ("a", qos, None, false)
        );
    }
    pair.feed("62 02 0008");
    pair.expect("70 02 0008");
    pair.expect_no_event();
}

#[test]
fn v311_mqtt_3_3_4_1_each_qos_gets_its_answer() {
    let mut pair = Pair::v311();
    pair.feed("30 04 0001 'a' '0'  32 06 0001 'a' 0007 '1'  34 06 0001 'a' 0008 '2'");
    pair.expect("40 02 0007  50 02 0008");
    pair.feed("62 02 0008");
    pair.expect("70 02 0008");
}

#[test]
fn v5_mqtt_4_3_2_5_after_puback_the_identifier_is_a_new_message_whatever_dup_says() {
    let mut pair = Pair::v5();
    pair.feed("32 07 0001 'a' 0001 00 'x'");
    pair.expect("40 02 0001");
    pair.feed("3A 07 0001 'a' 0001 00 'x'");
    pair.expect("40 02 0001");
    pair.expect_message(b"x");
    let Event::Message { dup, .. } = pair.expect_message(b"x") else {
        unreachable!()
    };
    assert!(dup);
}

#[test]
fn v5_mqtt_4_3_3_10_a_repeat_of_a_held_identifier_gets_pubrec_only() {
    let mut pair = Pair::v5();
    pair.feed("34 07 0001 'a' 0001 00 'x'  3C 07 0001 'a' 0001 00 'x'");
    pair.expect("50 02 0001  50 02 0001");
    pair.expect_message(b"x");
    pair.expect_no_event();
    // Also on a connection that resumes the session.
    pair.cut();
    pair.resume_v5(true);
    pair.feed("3C 07 0001 'a' 0001 00 'x'");
    pair.expect("50 02 0001");
    pair.expect_no_event();
    pair.feed("62 02 0001");
    pair.expect("70 02 0001");
}

#[test]
fn v5_mqtt_4_3_3_12_after_pubcomp_the_identifier_is_a_new_message() {
    let mut pair = Pair::v5();
    for _ in 0..2 {
        pair.feed("34 07 0001 'a' 0001 00 'x'");
        pair.expect("50 02 0001");
        pair.expect_message(b"x");
        pair.feed("62 02 0001");
        pair.expect("70 02 0001");
    }
}

#[test]
fn v5_mqtt_4_3_3_11_an_unknown_pubrel_is_answered_with_0x92() {
    let mut pair = Pair::v5();
    pair.feed("62 02 0001");
    pair.expect("70 03 0001 92");
    assert!(!pair.client.is_closed());
}

#[test]
fn v311_mqtt_4_3_3_2_an_unknown_pubrel_is_answered_with_pubcomp() {
    let mut pair = Pair::v311();
    pair.feed("62 02 0001");
    pair.expect("70 02 0001");
}

#[test]
fn v5_a_lost_session_forgets_held_identifiers() {
    let mut pair = Pair::v5();
    pair.feed("34 07 0001 'a' 0001 00 'x'");
    pair.take_sent();
    pair.expect_message(b"x");
    assert_eq!(pair.client.session().held_packet_ids(), 1);
    pair.cut();
    pair.resume_v5(false);
    pair.feed("34 07 0001 'a' 0001 00 'new'".replace("07", "09").as_str());
    pair.expect("50 02 0001");
    pair.expect_message(b"new");
}

fn with_receive_maximum(maximum: u16) -> Pair {
    let mut limits = Limits::default();
    limits.receive_maximum = ReceiveMaximum::new(maximum).unwrap();
    Pair::v5_with(limits, "20 03 00 00 00")
}

#[test]
fn v5_mqtt_3_3_4_9_and_v5_u_5_7_more_than_our_receive_maximum_is_0x93() {
    let mut pair = with_receive_maximum(2);
    pair.feed("32 07 0001 'a' 0001 00 'x'  34 07 0001 'a' 0002 00 'y'");
    pair.feed("32 07 0001 'a' 0003 00 'z'");
    pair.expect("40 02 0001  50 02 0002  E0 01 93");
    pair.expect_message(b"x");
    pair.expect_message(b"y");
    let violation = Violation::ReceiveMaximumExceeded { maximum: 2 };
    pair.expect_disconnected(DisconnectCause::Protocol(ProtocolError::Exchange(
        violation,
    )));
}

#[test]
fn v5_the_receive_maximum_is_free_again_when_puback_and_pubcomp_were_sent() {
    let mut pair = with_receive_maximum(2);
    for _ in 0..10 {
        pair.feed("32 07 0001 'a' 0001 00 'x'  34 07 0001 'a' 0002 00 'y'");
        assert_eq!(pair.client.unacknowledged(), 2);
        // PUBREC 0x00 frees nothing.
        pair.expect("40 02 0001  50 02 0002");
        assert_eq!(pair.client.unacknowledged(), 1);
        pair.feed("62 02 0002");
        pair.expect("70 02 0002");
        assert_eq!(pair.client.unacknowledged(), 0);
    }
    assert!(!pair.client.is_closed());
}

#[test]
fn v5_a_repeat_on_the_same_connection_does_not_count_twice() {
    let mut pair = with_receive_maximum(1);
    pair.feed("34 07 0001 'a' 0001 00 'x'");
    pair.take_sent();
    pair.feed("3C 07 0001 'a' 0001 00 'x'");
    pair.expect("50 02 0001");
    assert!(!pair.client.is_closed());
}

#[test]
fn v5_mqtt_3_3_2_10_every_alias_up_to_our_maximum_resolves() {
    let mut pair = Pair::v5();
    for alias in 1..=16_u8 {
        pair.feed_bytes(
            &[
                &hex("30 09 0002 't'")[..],
                &[b'a' + alias],
                &hex("03 23 00")[..],
                &[alias, b'x'],
            ]
            .concat(),
        );
    }
    for alias in 1..=16_u8 {
        pair.feed_bytes(&[&hex("30 07 0000 03 23 00")[..], &[alias, b'x']].concat());
    }
    for round in 0..2 {
        for alias in 1..=16_u8 {
            let Event::Message { message, .. } = pair.expect_message(b"x") else {
                unreachable!()
            };
            let topic = [b't', b'a' + alias];
            assert_eq!(message.topic().as_str().as_bytes(), topic, "round {round}");
            assert!(
                message.properties().is_empty(),
                "an alias belongs to its connection"
            );
        }
    }
}

#[test]
fn v5_mqtt_3_1_2_26_an_alias_above_our_maximum_is_0x94() {
    let mut pair = Pair::v5();
    // Alias 17, and 16 were announced.
    pair.feed("30 07 0001 'a' 03 23 0011");
    pair.expect("E0 01 94");
}

#[test]
fn v5_mqtt_3_3_2_7_aliases_do_not_outlive_the_connection() {
    let mut pair = Pair::v5();
    pair.feed("30 07 0001 'a' 03 23 0001");
    pair.expect_message(b"");
    pair.cut();
    pair.resume_v5(true);
    pair.feed("30 06 0000 03 23 0001");
    pair.expect("E0 01 82");
}

#[test]
fn v5_mqtt_3_10_4_3_deliveries_go_on_without_a_subscription() {
    let mut pair = Pair::v5();
    let filter = mqtt_core::TopicFilter::new("a").unwrap();
    pair.client.unsubscribe(&[filter], &[]).unwrap();
    pair.expect("A2 06 0001 00 0001 'a'");
    pair.feed("34 07 0001 'a' 0001 00 'x'  B0 04 0001 00 00");
    pair.expect("50 02 0001");
    pair.feed("62 02 0001");
    pair.expect("70 02 0001");
}

#[test]
fn v5_several_subscription_identifiers_are_delivered() {
    let mut pair = Pair::v5();
    pair.feed("30 09 0001 'a' 04 0B 05 0B 06 'x'");
    let Event::Message { message, .. } = pair.expect_message(b"x") else {
        unreachable!()
    };
    let ids: Vec<_> = message
        .properties()
        .subscription_identifiers()
        .map(|id| id.get())
        .collect();
    assert_eq!(ids, [5, 6]);
}

#[test]
fn a_large_payload_is_received_whole() {
    let mut pair = Pair::v5();
    // Remaining Length 20,004.
    let packet = [hex("30 A4 9C 01 0001 'a' 00"), vec![9; 20_000]].concat();
    for part in packet.chunks(777) {
        pair.feed_bytes(part);
    }
    pair.feed("30 05 0001 'a' 00 'y'");
    pair.expect_message(&[9; 20_000]);
    pair.expect_message(b"y");
}

#[test]
fn v5_mqtt_3_1_2_24_and_v5_u_5_4_a_packet_above_our_limit_is_refused_before_its_body() {
    let mut limits = Limits::default();
    limits.maximum_packet_size = mqtt_core::MaximumPacketSize::new(20).unwrap();
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    // 20 bytes: fixed header 2, body 18.
    pair.feed("30 12 0001 'a' 00 '12345678901234'");
    pair.expect_message(b"12345678901234");
    // Of a 21 byte packet only the fixed header.
    pair.feed("30 13");
    pair.expect("E0 01 95");
    assert!(pair.client.is_closed());
}

#[test]
fn v5_mqtt_3_1_2_29_and_v5_u_5_5_problem_information_that_was_not_asked_for_is_a_protocol_error() {
    let connected = || {
        let mut pair = Pair::new(Limits::default());
        let mut options = crate::support::options_v5();
        options.request_problem_information = false;
        pair.connect(&options);
        // CONNACK may carry a Reason String all the same.
        pair.feed("20 07 00 00 04 1F 0001 'r'");
        pair.expect_connected(false);
        pair
    };
    let mut pair = connected();
    pair.feed("40 08 0001 00 04 1F 0001 'a'");
    pair.expect("E0 01 82");
    // DISCONNECT may too.
    let mut pair = connected();
    pair.feed("E0 06 8B 04 1F 0001 'd'");
    pair.expect_nothing();
    assert!(matches!(
        pair.event(),
        Event::Disconnected(DisconnectCause::Server { .. })
    ));
}

#[test]
fn v5_u_5_14_malformed_packets_end_the_connection_with_their_code() {
    let mut pair = Pair::v5();
    pair.feed("30 05 0001 'a' 00 'x'");
    // PUBLISH with both QoS bits.
    pair.feed("36 05 0001 'a' 00 'x'");
    pair.expect("E0 01 81");
    pair.expect_message(b"x");
    assert!(matches!(
        pair.event(),
        Event::Disconnected(DisconnectCause::Malformed(_))
    ));
    // What comes afterwards is of no interest.
    pair.feed("30 05 0001 'a' 00 'y'");
    assert!(pair.input.is_empty());
    pair.expect_no_event();
}

#[test]
fn v311_mqtt_2_2_2_2_malformed_packets_close_without_disconnect() {
    for packet in ["21 02 00 00", "41 02 00 01", "60 02 00 01", "D1 00"] {
        let mut pair = Pair::v311();
        pair.feed(packet);
        pair.expect_nothing();
        assert!(
            matches!(
                pair.event(),
                Event::Disconnected(DisconnectCause::Malformed(_))
            ),
            "{packet}"
        );
    }
}

#[test]
fn v5_mqtt_4_5_0_2_a_message_that_nobody_asked_for_is_acknowledged() {
    let mut pair = Pair::v5();
    pair.feed("32 07 0001 'z' 0001 00 'x'");
    pair.expect("40 02 0001");
}

#[test]
fn v5_mqtt_4_3_3_8_pubrec_repeats_the_identifier() {
    let mut pair = Pair::v5();
    pair.feed("34 07 0001 'a' 0008 00 'x'");
    pair.expect("50 02 0008");
}

#[test]
fn v5_mqtt_4_3_3_13_the_exchange_goes_on_though_the_message_expired() {
    let mut limits = Limits::default();
    limits.acknowledge = mqtt_core::Acknowledge::Manual;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    // Message Expiry Interval 1, held for 3 seconds.
    pair.feed("34 0C 0001 'a' 0001 05 02 00000001 'x'");
    let Event::Message {
        token: Some(token), ..
    } = pair.event()
    else {
        panic!("no token")
    };
    pair.advance(std::time::Duration::from_secs(3));
    pair.client
        .acknowledge(token, mqtt_core::ReasonCode::SUCCESS)
        .unwrap();
    pair.expect("50 02 0001");
    pair.feed("62 02 0001");
    pair.expect("70 02 0001");
}

#[test]
fn v5_mqtt_3_3_2_11_and_3_1_2_27_no_alias_is_taken_where_none_was_announced() {
    let mut limits = Limits::default();
    limits.topic_alias_maximum = 0;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    pair.feed("30 07 0001 'a' 03 23 0001");
    pair.expect("E0 01 94");
}

#[test]
fn v5_mqtt_3_3_2_11_an_alias_above_our_maximum_is_refused() {
    let mut limits = Limits::default();
    limits.topic_alias_maximum = 10;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    pair.feed("30 07 0001 'a' 03 23 000A");
    pair.expect_message(b"");
    pair.feed("30 07 0001 'a' 03 23 000B");
    pair.expect("E0 01 94");
}
