//! What the server of 5.0 does not take.

use mqtt_core::{
    EncodeError, Message, Outcome, Property, PublishError, QoS, ReasonCode, SubscriptionId,
    TopicFilter, TopicName,
    client::{Limits, SubscribeError},
};

use crate::support::{Pair, message, options_v5};

#[test]
fn v5_mqtt_3_2_2_11_a_qos_above_the_maximum_is_refused() {
    let mut pair = Pair::new(Limits::default());
    let early = pair.publish(QoS::ExactlyOnce, "early");
    pair.connect(&options_v5());
    // Maximum QoS 1.
    pair.feed("20 05 00 00 02 24 01");
    pair.expect_connected(false);
    let refused = PublishError::QosNotSupported {
        maximum: QoS::AtLeastOnce,
    };
    assert_eq!(
        pair.client
            .publish(pair.now, message(QoS::ExactlyOnce, "x")),
        Err(refused.clone())
    );
    pair.expect_nothing();
    pair.expect_outcome(early, Outcome::Refused(refused));
    pair.publish(QoS::AtLeastOnce, "y");
    pair.expect("32 07 0001 'a' 0002 00 'y'");
}

#[test]
fn v5_mqtt_3_2_2_14_a_retained_message_is_refused() {
    let mut pair = Pair::new(Limits::default());
    let retained = message(QoS::AtMostOnce, "x").with_retain(true);
    let early = pair.client.publish(pair.now, retained.clone()).unwrap();
    pair.connect(&options_v5());
    // Retain Available 0.
    pair.feed("20 05 00 00 02 25 00");
    pair.expect_connected(false);
    assert_eq!(
        pair.client.publish(pair.now, retained),
        Err(PublishError::RetainNotSupported)
    );
    pair.expect_nothing();
    pair.expect_outcome(early, Outcome::Refused(PublishError::RetainNotSupported));
}

#[test]
fn v5_mqtt_3_2_2_15_a_packet_above_the_servers_limit_fails_alone() {
    let mut pair = Pair::new(Limits::default());
    // 21 bytes: 2 fixed header, 3 topic, 2 identifier, 1 properties, 13 payload.
    let early = pair.publish(QoS::AtLeastOnce, "1234567890123");
    pair.connect(&options_v5());
    // Maximum Packet Size 20.
    pair.feed("20 08 00 00 05 27 00000014");
    pair.expect_connected(false);
    let refused = PublishError::Encode(EncodeError::PacketTooLarge {
        size: 21,
        limit: 20,
    });
    let late = message(QoS::AtLeastOnce, "1234567890123");
    assert_eq!(pair.client.publish(pair.now, late), Err(refused.clone()));
    let fits = pair.publish(QoS::AtLeastOnce, "123456789012");
    pair.expect("32 12 0001 'a' 0002 00 '123456789012'");
    pair.expect_outcome(early, Outcome::Refused(refused));
    pair.feed("40 02 0002");
    pair.expect_acknowledged(fits, ReasonCode::SUCCESS);
    assert!(!pair.client.is_closed());
}

#[test]
fn v5_a_message_in_flight_that_the_resumed_server_does_not_take_any_more_fails_alone() {
    let mut pair = Pair::v5();
    let large = pair.publish(QoS::AtLeastOnce, "1234567890123");
    let small = pair.publish(QoS::AtLeastOnce, "s");
    pair.take_sent();
    pair.cut();
    pair.connect(&options_v5());
    pair.feed("20 08 01 00 05 27 00000014");
    pair.expect_connected(true);
    pair.expect("3A 07 0001 'a' 0002 00 's'");
    let refused = PublishError::Encode(EncodeError::PacketTooLarge {
        size: 21,
        limit: 20,
    });
    pair.expect_outcome(large, Outcome::Refused(refused));
    pair.feed("40 02 0002");
    pair.expect_acknowledged(small, ReasonCode::SUCCESS);
}

#[test]
fn v5_an_identifier_that_the_server_may_hold_is_not_used_again_in_its_session() {
    let mut pair = Pair::v5();
    let large = pair.publish(QoS::ExactlyOnce, "1234567890123");
    pair.expect("34 13 0001 'a' 0001 00 '1234567890123'");
    pair.cut();
    pair.connect(&options_v5());
    pair.feed("20 08 01 00 05 27 00000014");
    pair.expect_connected(true);
    pair.expect_nothing();
    let refused = PublishError::Encode(EncodeError::PacketTooLarge {
        size: 21,
        limit: 20,
    });
    pair.expect_outcome(large, Outcome::Refused(refused));
    // Every other identifier of the first window goes round more than once.
    for _ in 0..600 {
        pair.publish(QoS::ExactlyOnce, "");
        let sent = pair.take_sent();
        assert_ne!(sent[5..7], [0, 1]);
        pair.feed_bytes(&[0x50, 3, sent[5], sent[6], 0x97]);
        while pair.client.poll_event().is_some() {}
    }
    // The server has forgotten the session, and with it the identifier.
    pair.cut();
    pair.resume_v5(false);
    pair.publish(QoS::ExactlyOnce, "x");
    pair.expect("34 07 0001 'a' 0001 00 'x'");
}

#[test]
fn v5_mqtt_3_4_2_2_answers_fit_a_tiny_limit() {
    // Maximum Packet Size 5.
    let mut pair = Pair::v5_with(Limits::default(), "20 08 00 00 05 27 00000005");
    pair.feed("32 07 0001 'a' 0001 00 'x'  62 02 0009");
    pair.expect("40 02 0001  70 03 0009 92");
}

#[test]
fn no_topic_alias_is_sent_unless_the_application_wants_some() {
    // Topic Alias Maximum 5.
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 22 0005");
    pair.publish(QoS::AtMostOnce, "x");
    pair.publish(QoS::AtMostOnce, "x");
    pair.expect("30 05 0001 'a' 00 'x'  30 05 0001 'a' 00 'x'");
    let aliased = message(QoS::AtMostOnce, "x")
        .with_properties(&[Property::TopicAlias(mqtt_core::TopicAlias::new(6).unwrap())]);
    assert!(aliased.is_err());
}

#[test]
fn v5_subscriptions_that_the_server_does_not_take_are_refused() {
    let wildcard = TopicFilter::new("a/#").unwrap();
    let shared = TopicFilter::new("$share/g/a").unwrap();
    let plain = TopicFilter::new("a").unwrap();
    let id = [Property::SubscriptionIdentifier(SubscriptionId::MAX)];
    // Wildcard, Subscription Identifiers and Shared Subscription not available.
    let mut pair = Pair::v5_with(Limits::default(), "20 09 00 00 06 28 00 29 00 2A 00");
    let options = QoS::AtMostOnce.into();
    assert_eq!(
        pair.client.subscribe(&[(wildcard, options)], &[]),
        Err(SubscribeError::WildcardNotSupported)
    );
    assert_eq!(
        pair.client.subscribe(&[(shared, options)], &[]),
        Err(SubscribeError::SharedNotSupported)
    );
    assert_eq!(
        pair.client.subscribe(&[(plain, options)], &id),
        Err(SubscribeError::SubscriptionIdNotSupported)
    );
    pair.expect_nothing();
    pair.client.subscribe(&[(plain, options)], &[]).unwrap();
    pair.expect("82 07 0001 00 0001 'a' 00");
}

#[test]
fn the_negotiated_limits_can_be_asked_for() {
    let pair = Pair::v5_with(
        Limits::default(),
        "20 0E 00 00 0B 21 0002 27 00000014 22 0005",
    );
    let negotiated = pair.client.negotiated().unwrap();
    assert_eq!(negotiated.peer_receive_maximum.get(), 2);
    assert_eq!(
        negotiated.peer_maximum_packet_size.map(|size| size.get()),
        Some(20)
    );
    assert_eq!(negotiated.peer_topic_alias_maximum, 5);
    assert_eq!(negotiated.own_receive_maximum.get(), 1_024);
}

#[test]
fn a_topic_above_the_peers_packet_limit_is_refused_at_the_call() {
    let mut pair = Pair::v5_with(Limits::default(), "20 08 00 00 05 27 00000014");
    let topic = "t".repeat(30);
    let message = Message::new(TopicName::new(&topic).unwrap(), "");
    assert!(matches!(
        pair.client.publish(pair.now, message),
        Err(PublishError::Encode(EncodeError::PacketTooLarge { .. }))
    ));
}

#[test]
fn v5_mqtt_3_2_2_18_without_a_maximum_no_alias_is_sent() {
    let mut pair = Pair::v5();
    for _ in 0..3 {
        pair.publish(QoS::AtMostOnce, "x");
        pair.expect("30 05 0001 'a' 00 'x'");
    }
}

#[test]
fn v5_mqtt_3_1_2_28_response_information_that_was_not_asked_for_is_ignored() {
    // Response Information "a".
    let mut pair = Pair::v5_with(Limits::default(), "20 07 00 00 04 1A 0001 'a'");
    pair.publish(QoS::AtMostOnce, "x");
    pair.expect("30 05 0001 'a' 00 'x'");
}

/// Publishes more messages than there are identifiers, in one session, all of which a server with a Maximum Packet Size of
/// 20 refuses. With `in_flight` they were sent before, on a connection without that limit.
fn refuse_more_than_there_are_identifiers(in_flight: bool) {
    let mut pair = Pair::v5();
    for _ in 0..7 {
        for _ in 0..10_000 {
            pair.publish(QoS::AtLeastOnce, "too long for it");
            if in_flight {
                pair.take_sent();
            }
            if !in_flight && !pair.client.is_closed() {
                pair.cut();
            }
        }
        if in_flight {
            pair.cut();
        }
        pair.connect(&options_v5());
        pair.feed("20 08 01 00 05 27 00000014");
        pair.expect_nothing();
        assert_eq!((pair.client.queued(), pair.client.in_flight()), (0, 0));
        while pair.client.poll_event().is_some() {}
        pair.cut();
        pair.resume_v5(true);
    }
    for _ in 0..1_000 {
        pair.publish(QoS::AtLeastOnce, "x");
        assert_eq!(pair.take_sent().len(), 9);
    }
}

#[test]
fn refused_messages_do_not_use_up_the_identifiers() {
    refuse_more_than_there_are_identifiers(false);
}

#[test]
fn refused_messages_in_flight_do_not_use_up_the_identifiers() {
    refuse_more_than_there_are_identifiers(true);
}

#[test]
fn v5_mqtt_3_2_2_15_the_limit_of_a_connack_that_is_refused_counts() {
    for (connack, disconnect) in [
        // Session Present without a session here, and a Maximum Packet Size of 2 bytes, of 3.
        ("20 08 01 00 05 27 0000 0002", ""),
        ("20 08 01 00 05 27 0000 0003", "E0 01 82"),
    ] {
        let mut pair = Pair::new(Limits::default());
        pair.connect(&options_v5());
        pair.feed(connack);
        assert!(pair.client.is_closed());
        pair.expect(disconnect);
    }
}
