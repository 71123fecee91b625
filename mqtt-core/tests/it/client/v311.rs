//! The client at 3.1.1, statement by statement, where the rule is that of 5.0 or near to it.

use mqtt_core::{
    Acknowledge, KeepAlive, Outcome, QoS, ReasonCode, TopicFilter,
    client::{Client, DisconnectCause, Event, Limits, ProtocolError},
};

use crate::support::{Pair, options_v311};

fn resumed(pair: &mut Pair) {
    pair.cut();
    pair.connect(&options_v311());
    pair.feed("20 02 01 00");
    pair.expect_connected(true);
}

fn subscribe(pair: &mut Pair, filters: &[&str]) -> mqtt_core::client::RequestId {
    let filters: Vec<_> = filters
        .iter()
        .map(|text| (TopicFilter::new(text).unwrap(), QoS::AtMostOnce.into()))
        .collect();
    pair.client.subscribe(&filters, &[]).unwrap()
}

#[test]
fn v311_mqtt_2_3_1_2_each_new_packet_gets_an_identifier_that_is_not_in_use() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "held");
    pair.expect("32 09 0001 'a' 0001 'held'");
    for _ in 0..600 {
        pair.publish(QoS::AtLeastOnce, "");
        let sent = pair.take_sent();
        assert_ne!(sent[5..7], [0, 1]);
        pair.feed_bytes(&[0x40, 2, sent[5], sent[6]]);
        while pair.client.poll_event().is_some() {}
    }
}

#[test]
fn v311_mqtt_2_3_1_3_a_resend_keeps_its_identifier_until_the_last_acknowledgement() {
    let mut pair = Pair::v311();
    pair.publish(QoS::ExactlyOnce, "2");
    pair.expect("34 06 0001 'a' 0001 '2'");
    resumed(&mut pair);
    pair.expect("3C 06 0001 'a' 0001 '2'");
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
    // Not free after PUBREC, free after PUBCOMP.
    assert_eq!(pair.client.in_flight(), 1);
    pair.feed("70 02 0001");
    assert_eq!(pair.client.in_flight(), 0);
}

#[test]
fn v311_mqtt_2_3_1_6_acknowledgements_repeat_the_identifier_of_the_publish() {
    let mut pair = Pair::v311();
    pair.feed("32 06 0001 'a' 0007 'x'  34 06 0001 'a' 0008 'y'");
    pair.expect("40 02 0007  50 02 0008");
    // One for another message completes nothing.
    pair.publish(QoS::AtLeastOnce, "z");
    pair.take_sent();
    pair.feed("40 02 0002");
    assert_eq!(pair.client.in_flight(), 1);
}

#[test]
fn v311_mqtt_2_3_1_7_and_3_8_4_2_suback_completes_the_request_with_its_identifier() {
    let mut pair = Pair::v311();
    subscribe(&mut pair, &["a"]);
    let two = subscribe(&mut pair, &["b"]);
    pair.take_sent();
    pair.feed("90 03 0009 00");
    pair.expect_no_event();
    pair.feed("90 03 0002 00");
    assert!(matches!(pair.event(), Event::Subscribed { id, .. } if id == two));
    pair.expect_no_event();
}

#[test]
fn v311_mqtt_3_8_4_2_suback_has_the_identifier_of_its_subscribe() {
    let mut pair = Pair::v311();
    let one = subscribe(&mut pair, &["a"]);
    pair.take_sent();
    pair.feed("90 03 0001 00");
    assert!(matches!(pair.event(), Event::Subscribed { id, .. } if id == one));
}

#[test]
fn v311_mqtt_3_8_4_5_another_number_of_codes_closes() {
    for suback in ["90 03 0001 00", "90 05 0001 00 00 00"] {
        let mut pair = Pair::v311();
        subscribe(&mut pair, &["a", "b"]);
        pair.take_sent();
        pair.feed(suback);
        pair.expect_nothing();
        assert!(matches!(
            pair.event(),
            Event::Disconnected(DisconnectCause::Protocol(
                ProtocolError::ReasonCodeCount { .. }
            ))
        ));
    }
}

#[test]
fn v311_mqtt_3_9_3_1_suback_codes_are_in_the_order_of_the_filters() {
    let mut pair = Pair::v311();
    let request = subscribe(&mut pair, &["a", "b", "c"]);
    pair.take_sent();
    pair.feed("90 05 0001 01 80 00");
    let Event::Subscribed { id, reasons, .. } = pair.event() else {
        panic!("not subscribed")
    };
    assert_eq!(id, request);
    let codes: Vec<_> = reasons.iter().map(|reason| reason.get()).collect();
    assert_eq!(codes, [0x01, 0x80, 0x00]);
}

#[test]
fn v311_mqtt_3_10_4_4_only_the_unsuback_with_its_identifier_completes_a_request() {
    let mut pair = Pair::v311();
    pair.client
        .unsubscribe(&[TopicFilter::new("a").unwrap()], &[])
        .unwrap();
    pair.expect("A2 05 0001 0001 'a'");
    pair.feed("B0 02 0002");
    pair.expect_no_event();
    pair.feed("B0 02 0001");
    assert!(matches!(pair.event(), Event::Unsubscribed { .. }));
}

#[test]
fn v311_mqtt_3_10_4_3_a_delivery_begun_before_unsubscribe_is_completed() {
    let mut pair = Pair::v311();
    pair.feed("34 06 0001 'a' 0001 'x'");
    pair.client
        .unsubscribe(&[TopicFilter::new("a").unwrap()], &[])
        .unwrap();
    pair.expect("50 02 0001  A2 05 0001 0001 'a'");
    pair.feed("B0 02 0001  62 02 0001");
    pair.expect("70 02 0001");
}

#[test]
fn v311_mqtt_3_1_0_1_connect_is_first() {
    let mut pair = Pair::new(Limits::default());
    pair.publish(QoS::AtMostOnce, "x");
    pair.expect_nothing();
    pair.client.connect(pair.now, &options_v311()).unwrap();
    pair.expect("10 0D 0004 'MQTT' 04 00 0000 0001 'c'");
}

#[test]
fn v311_mqtt_3_1_0_2_a_second_connect_is_refused() {
    let mut pair = Pair::v311();
    assert!(pair.client.connect(pair.now, &options_v311()).is_err());
    pair.expect_nothing();
}

#[test]
fn v311_mqtt_3_1_2_4_the_session_is_kept_after_a_disconnection() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.take_sent();
    resumed(&mut pair);
    pair.expect("3A 06 0001 'a' 0001 '1'");
}

#[test]
fn v311_mqtt_3_1_2_6_a_clean_session_is_never_reused() {
    let mut options = options_v311();
    options.clean_start = true;
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options);
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.feed("34 06 0001 'a' 0001 'x'");
    pair.expect("50 02 0001");
    pair.expect_message(b"x");
    pair.publish(QoS::AtLeastOnce, "1");
    pair.expect("32 06 0001 'a' 0001 '1'");
    pair.cut();
    assert!(!pair.client.session().is_established());
    pair.connect(&options);
    assert_eq!(
        (
            pair.client.in_flight(),
            pair.client.session().held_packet_ids()
        ),
        (0, 0)
    );
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    // The application still wants it delivered, so it is a new message.
    pair.expect("32 06 0001 'a' 0001 '1'");
}

#[test]
fn v311_mqtt_3_1_3_2_a_session_belongs_to_its_client_identifier() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.take_sent();
    pair.cut();
    let mut options = options_v311();
    options.client_id = "other".into();
    pair.connect(&options);
    pair.feed("20 02 01 00");
    pair.expect_connected(true);
    pair.expect("32 06 0001 'a' 0001 '1'");
}

#[test]
fn v311_mqtt_3_2_0_1_anything_before_connack_closes() {
    for packet in ["D0 00", "30 03 0001 'a'"] {
        let mut pair = Pair::new(Limits::default());
        pair.connect(&options_v311());
        pair.feed(packet);
        pair.expect_nothing();
        assert!(matches!(
            pair.event(),
            Event::Disconnected(DisconnectCause::Protocol(ProtocolError::BeforeConnack(_)))
        ));
    }
}

#[test]
fn v311_mqtt_3_3_1_1_a_redelivered_publish_has_dup() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.expect("32 06 0001 'a' 0001 '1'");
    resumed(&mut pair);
    pair.expect("3A 06 0001 'a' 0001 '1'");
}

#[test]
fn v311_mqtt_3_12_4_1_a_missing_pingresp_closes() {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v311();
    options.keep_alive = KeepAlive::from_secs(10);
    pair.connect(&options);
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.advance(core::time::Duration::from_secs(8));
    pair.expect("C0 00");
    pair.advance(core::time::Duration::from_secs(10));
    pair.expect_disconnected(DisconnectCause::KeepAliveTimeout);
    // A DISCONNECT would delete the Will.
    pair.expect_nothing();
}

#[test]
fn v311_mqtt_3_14_4_1_the_connection_is_to_be_closed_after_disconnect() {
    let mut pair = Pair::v311();
    assert!(!pair.client.is_closed());
    pair.client
        .disconnect(pair.now, ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    assert!(pair.client.is_closed());
    pair.expect("E0 00");
}

#[test]
fn v311_mqtt_4_1_0_1_the_session_survives_any_number_of_connections() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.publish(QoS::ExactlyOnce, "2");
    pair.take_sent();
    pair.feed("50 02 0002  34 06 0001 'a' 0009 'x'");
    pair.take_sent();
    while pair.client.poll_event().is_some() {}
    for _ in 0..20 {
        resumed(&mut pair);
        pair.expect("62 02 0002  3A 06 0001 'a' 0001 '1'");
        pair.feed("3C 06 0001 'a' 0009 'x'");
        pair.expect("50 02 0009");
        pair.expect_no_event();
    }
}

#[test]
fn v311_mqtt_4_1_0_2_nothing_in_flight_is_dropped_while_connected() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.take_sent();
    pair.advance(core::time::Duration::from_secs(1_000_000));
    pair.expect_no_event();
    assert_eq!(pair.client.in_flight(), 1);
}

#[test]
fn v311_mqtt_4_3_1_1_qos_0_is_not_stored() {
    let mut pair = Pair::v311();
    let id = pair.publish(QoS::AtMostOnce, "0");
    pair.expect("30 04 0001 'a' '0'");
    pair.expect_outcome(id, Outcome::Sent);
    resumed(&mut pair);
    pair.expect_nothing();
}

#[test]
fn v311_mqtt_4_3_2_1_a_qos_1_message_is_unacknowledged_until_puback() {
    let mut pair = Pair::v311();
    let id = pair.publish(QoS::AtLeastOnce, "1");
    pair.expect("32 06 0001 'a' 0001 '1'");
    assert_eq!(pair.client.in_flight(), 1);
    pair.feed("40 02 0001");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
    assert_eq!(pair.client.in_flight(), 0);
}

#[test]
fn v311_mqtt_4_3_2_2_after_puback_the_identifier_is_a_new_message() {
    let mut pair = Pair::v311();
    for first in ["32", "3A"] {
        pair.feed(&format!("{first} 06 0001 'a' 0001 'x'"));
        pair.expect("40 02 0001");
        pair.expect_message(b"x");
    }
}

#[test]
fn v311_mqtt_4_5_0_2_a_message_that_nobody_asked_for_is_acknowledged() {
    let mut pair = Pair::v311();
    pair.feed("32 06 0001 'z' 0001 'x'");
    pair.expect("40 02 0001");
}

#[test]
fn v311_mqtt_4_6_0_1_messages_are_sent_again_in_their_first_order() {
    let mut pair = Pair::v311();
    for text in ["1", "2", "3"] {
        pair.publish(QoS::AtLeastOnce, text);
    }
    pair.take_sent();
    pair.feed("40 02 0002");
    while pair.client.poll_event().is_some() {}
    pair.publish(QoS::ExactlyOnce, "4");
    pair.take_sent();
    resumed(&mut pair);
    pair.expect("3A 06 0001 'a' 0001 '1'  3A 06 0001 'a' 0003 '3'  3C 06 0001 'a' 0004 '4'");
}

fn manual() -> Pair {
    let mut limits = Limits::default();
    limits.acknowledge = Acknowledge::Manual;
    let mut pair = Pair::with_client(Client::new(limits));
    pair.connect(&options_v311());
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair
}

fn acknowledge_backwards(pair: &mut Pair) {
    let mut tokens = Vec::new();
    while let Some(Event::Message { token, .. }) = pair.client.poll_event() {
        tokens.extend(token);
    }
    for token in tokens.into_iter().rev() {
        pair.client.acknowledge(token, ReasonCode::SUCCESS).unwrap();
    }
}

#[test]
fn v311_mqtt_4_6_0_2_pubacks_leave_in_the_order_of_arrival() {
    let mut pair = manual();
    pair.feed("32 06 0001 'a' 0003 'x'  32 06 0001 'a' 0001 'y'  32 06 0001 'a' 0002 'z'");
    acknowledge_backwards(&mut pair);
    pair.expect("40 02 0003  40 02 0001  40 02 0002");
}

#[test]
fn v311_mqtt_4_6_0_3_pubrecs_leave_in_the_order_of_arrival() {
    let mut pair = manual();
    pair.feed("34 06 0001 'a' 0003 'x'  34 06 0001 'a' 0001 'y'  34 06 0001 'a' 0002 'z'");
    acknowledge_backwards(&mut pair);
    pair.expect("50 02 0003  50 02 0001  50 02 0002");
}

#[test]
fn v311_mqtt_4_6_0_4_pubrels_leave_in_the_order_of_the_pubrecs() {
    let mut pair = Pair::v311();
    pair.publish(QoS::ExactlyOnce, "1");
    pair.publish(QoS::ExactlyOnce, "2");
    pair.take_sent();
    pair.feed("50 02 0002  50 02 0001");
    pair.expect("62 02 0002  62 02 0001");
}

#[test]
fn v311_mqtt_4_8_0_2_a_message_that_there_is_no_room_for_is_not_acknowledged_and_dropped() {
    let mut limits = Limits::default();
    limits.max_events = 1;
    let mut pair = Pair::new(limits);
    pair.connect(&options_v311());
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.feed("32 06 0001 'a' 0001 'x'");
    let _ = pair.offer(&crate::support::hex("32 06 0001 'a' 0002 'y'"));
    pair.expect("40 02 0001");
    // It stays where it is until there is room.
    pair.expect_message(b"x");
    pair.feed("");
    pair.expect_message(b"y");
    pair.expect("40 02 0002");
}
