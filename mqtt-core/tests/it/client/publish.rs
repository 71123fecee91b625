//! Sending at QoS 0 and 1, and the outcome of each publish.

use std::time::Duration;

use mqtt_core::{
    DropReason, Message, Outcome, Property, PublishError, QoS, ReasonCode, TopicName,
    client::{DisconnectCause, Event, Limits, ProtocolError},
};

use crate::support::{Pair, hex, message};

#[test]
fn v5_mqtt_4_3_1_1_qos_0_is_sent_once_without_an_identifier() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::AtMostOnce, "x");
    pair.expect_no_event();
    pair.expect("30 05 0001 'a' 00 'x'");
    pair.expect_outcome(id, Outcome::Sent);
    assert_eq!((pair.client.in_flight(), pair.client.queued()), (0, 0));
}

#[test]
fn v5_mqtt_4_3_2_1_and_2_qos_1_gets_a_free_identifier_and_dup_0() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.publish(QoS::AtLeastOnce, "y");
    pair.expect("32 07 0001 'a' 0001 00 'x'  32 07 0001 'a' 0002 00 'y'");
}

#[test]
fn v5_mqtt_4_3_2_3_only_the_matching_puback_ends_it() {
    let mut pair = Pair::v5();
    let x = pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    // Another identifier: tolerated, and completes nothing.
    pair.feed("40 02 0009");
    pair.expect_no_event();
    pair.feed("40 02 0001");
    pair.expect_acknowledged(x, ReasonCode::SUCCESS);
    // Again: the exchange is over.
    pair.feed("40 02 0001");
    pair.expect_no_event();
    pair.expect_nothing();
}

#[test]
fn v5_the_reason_code_and_properties_of_a_puback_reach_the_outcome() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    // No matching subscribers, Reason String "n".
    pair.feed("40 08 0001 10 04 1F 0001 'n'");
    let Event::Outcome {
        id: of,
        outcome: Outcome::Acknowledged { reason, properties },
    } = pair.event()
    else {
        panic!("no outcome");
    };
    assert_eq!((of, reason), (id, ReasonCode::NO_MATCHING_SUBSCRIBERS));
    assert_eq!(
        properties
            .as_properties()
            .reason_string()
            .map(|text| text.as_str()),
        Some("n")
    );
}

#[test]
fn v5_mqtt_4_4_0_2_a_refused_publish_is_settled_and_not_sent_again() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    pair.feed("40 03 0001 97");
    pair.expect_acknowledged(id, ReasonCode::QUOTA_EXCEEDED);
    pair.cut();
    pair.resume_v5(true);
    pair.expect_nothing();
}

#[test]
fn v311_a_publish_is_acknowledged() {
    let mut pair = Pair::v311();
    let id = pair.publish(QoS::AtLeastOnce, "x");
    pair.expect("32 06 0001 'a' 0001 'x'");
    pair.feed("40 02 0001");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
}

#[test]
fn v5_a_pubrec_for_qos_1_is_a_protocol_error() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    pair.feed("50 02 0001");
    pair.expect("E0 01 82");
    let Event::Disconnected(DisconnectCause::Protocol(ProtocolError::Exchange(_))) = pair.event()
    else {
        panic!("taken");
    };
    // The message is not lost by it.
    assert_eq!(pair.client.in_flight(), 1);
}

#[test]
fn v311_mqtt_4_8_0_1_a_pubrec_for_qos_1_closes_without_disconnect() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    pair.feed("50 02 0001");
    pair.expect_nothing();
    assert!(pair.client.is_closed());
}

#[test]
fn v5_mqtt_2_2_1_3_one_pool_serves_publish_subscribe_and_unsubscribe() {
    let mut pair = Pair::v5();
    let filter = mqtt_core::TopicFilter::new("f").unwrap();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    pair.client
        .subscribe(&[(filter, QoS::AtMostOnce.into())], &[])
        .unwrap();
    pair.client.unsubscribe(&[filter], &[]).unwrap();
    pair.publish(QoS::ExactlyOnce, "y");
    pair.expect(
        "82 07 0002 00 0001 'f' 00 \
         A2 06 0003 00 0001 'f' \
         34 07 0001 'a' 0004 00 'y'",
    );
}

#[test]
fn v5_mqtt_3_3_4_7_the_receive_maximum_of_the_server_is_obeyed() {
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 21 0002");
    for text in ["1", "2", "3", "4"] {
        pair.publish(QoS::AtLeastOnce, text);
    }
    pair.expect("32 07 0001 'a' 0001 00 '1'  32 07 0001 'a' 0002 00 '2'");
    pair.feed("40 02 0002");
    pair.expect("32 07 0001 'a' 0003 00 '3'");
    // An acknowledgement of nothing frees nothing.
    pair.feed("40 02 0002");
    pair.expect_nothing();
    pair.feed("40 02 0001");
    pair.expect("32 07 0001 'a' 0004 00 '4'");
}

#[test]
fn v5_mqtt_3_3_4_8_a_used_up_quota_delays_nothing_but_publish() {
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 21 0001");
    pair.publish(QoS::ExactlyOnce, "1");
    pair.publish(QoS::AtLeastOnce, "2");
    pair.expect("34 07 0001 'a' 0001 00 '1'");
    let filter = mqtt_core::TopicFilter::new("f").unwrap();
    pair.client
        .subscribe(&[(filter, QoS::AtMostOnce.into())], &[])
        .unwrap();
    pair.feed("32 07 0001 'b' 0007 00 'i'");
    // PUBREC 0x00 frees nothing, and its PUBREL is sent.
    pair.feed("50 02 0001");
    pair.expect("82 07 0002 00 0001 'f' 00  40 02 0007  62 02 0001");
    pair.feed("70 02 0001");
    pair.expect("32 07 0001 'a' 0003 00 '2'");
}

#[test]
fn v5_mqtt_4_9_0_1_no_receive_maximum_means_65_535() {
    let mut limits = Limits::default();
    limits.max_queued = 70_000;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    for _ in 0..66_000 {
        pair.publish(QoS::AtLeastOnce, "");
    }
    pair.take_sent();
    assert_eq!(pair.client.in_flight(), 65_535);
    assert_eq!(pair.client.queued(), 66_000 - 65_535);
    // The last identifier in use is the only one to be free again.
    pair.feed("40 02 1234");
    pair.expect("32 06 0001 'a' 1234 00");
}

#[test]
fn order_is_kept_across_qos() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.publish(QoS::AtMostOnce, "2");
    pair.publish(QoS::ExactlyOnce, "3");
    pair.expect("32 07 0001 'a' 0001 00 '1'  30 05 0001 'a' 00 '2'  34 07 0001 'a' 0002 00 '3'");
}

#[test]
fn a_large_payload_is_sent_by_reference_and_whole() {
    let mut pair = Pair::v5();
    let payload = bytes::Bytes::from(vec![7; 100_000]);
    let message = Message::new(TopicName::new("a").unwrap(), payload.clone());
    pair.client.publish(pair.now, message).unwrap();
    let sent = pair.take_sent();
    // Remaining Length 100,004: 2 + 1 topic, 1 properties.
    assert_eq!(sent[..8], hex("30 A4 8D 06 0001 'a' 00"));
    assert_eq!(sent[8..], payload[..]);
}

#[test]
fn sending_stops_at_the_high_water_mark_of_the_output() {
    let mut pair = Pair::v5();
    let payload = "p".repeat(1_000);
    for _ in 0..200 {
        pair.publish(QoS::AtMostOnce, &payload);
    }
    pair.client.poll_transmit(pair.now, &mut pair.output);
    assert!(
        (65_536..66_600).contains(&pair.output.len()),
        "{}",
        pair.output.len()
    );
    let sent = pair.client.queued();
    // Nothing drains, so nothing more is taken out of the queue.
    pair.client.poll_transmit(pair.now, &mut pair.output);
    assert_eq!(pair.client.queued(), sent);
    pair.take_sent();
    assert_eq!(pair.client.queued(), 0);
}

#[test]
fn v5_mqtt_3_3_4_6_subscription_identifiers_are_refused() {
    let mut pair = Pair::v5();
    let received = {
        pair.feed("30 08 0001 'a' 02 0B 05 'xx'");
        let Event::Message { message, .. } = pair.event() else {
            panic!("no message")
        };
        message
    };
    assert_eq!(
        pair.client.publish(pair.now, received.clone()),
        Err(PublishError::SubscriptionIdentifier)
    );
    assert!(
        pair.client
            .publish(pair.now, received.without_subscription_ids())
            .is_ok()
    );
}

#[test]
fn v311_properties_are_refused_and_an_expiry_is_left_off() {
    let mut pair = Pair::v311();
    let typed = message(QoS::AtMostOnce, "x")
        .with_properties(&[Property::CorrelationData(b"d")])
        .unwrap();
    assert_eq!(
        pair.client.publish(pair.now, typed.clone()),
        Err(PublishError::PropertiesNotSupported)
    );
    let expiring = message(QoS::AtMostOnce, "x")
        .with_properties(&[Property::MessageExpiryInterval(5)])
        .unwrap();
    pair.client.publish(pair.now, expiring).unwrap();
    pair.expect("30 04 0001 'a' 'x'");
    // Queued before it is known which version will be spoken, it is refused when that is known.
    let mut pair = Pair::new(Limits::default());
    let id = pair.client.publish(pair.now, typed).unwrap();
    pair.connect(&crate::support::options_v311());
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.expect_nothing();
    pair.expect_outcome(id, Outcome::Refused(PublishError::PropertiesNotSupported));
}

#[test]
fn a_message_that_was_not_sent_can_be_taken_back() {
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 21 0001");
    let first = pair.publish(QoS::AtLeastOnce, "1");
    let second = pair.publish(QoS::AtLeastOnce, "2");
    pair.take_sent();
    assert!(!pair.client.cancel(first), "it was sent");
    assert!(pair.client.cancel(second));
    assert!(!pair.client.cancel(second));
    pair.expect_outcome(second, Outcome::Dropped(DropReason::Cancelled));
    pair.feed("40 02 0001");
    pair.expect_nothing();
}

#[test]
fn v5_mqtt_4_4_0_1_nothing_is_sent_again_while_connected() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    pair.advance(Duration::from_secs(100_000));
    pair.expect_nothing();
    assert_eq!(pair.client.in_flight(), 1);
}
