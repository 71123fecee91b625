//! SUBSCRIBE and UNSUBSCRIBE.

use mqtt_core::{
    EncodeError, PacketType, Properties, Property, PropertyHolder, PropertyId, ProtocolVersion,
    QoS, ReasonCode, RetainHandling, SubscribeOptions, SubscriptionId, TopicFilter, Utf8,
    client::{DisconnectCause, Event, Limits, ProtocolError, RequestId, SubscribeError},
};

use crate::support::Pair;

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).unwrap()
}

fn user<'a>(name: &'a str, value: &'a str) -> Property<'a> {
    Property::UserProperty(Utf8::new(name).unwrap(), Utf8::new(value).unwrap())
}

#[track_caller]
fn subscribe(pair: &mut Pair, filters: &[&str]) -> RequestId {
    let filters: Vec<_> = filters
        .iter()
        .map(|text| (filter(text), QoS::AtLeastOnce.into()))
        .collect();
    pair.client.subscribe(&filters, &[]).unwrap()
}

#[track_caller]
fn expect_subscribed(pair: &mut Pair, request: RequestId, codes: &[u8]) {
    match pair.event() {
        Event::Subscribed { id, reasons, .. } => {
            assert_eq!(id, request);
            assert_eq!(
                reasons.iter().map(|code| code.get()).collect::<Vec<_>>(),
                codes
            );
        }
        other => panic!("not Subscribed but {other:?}"),
    }
}

#[test]
fn v5_subscribe_with_options_and_an_identifier() {
    let mut pair = Pair::v5();
    let options = SubscribeOptions {
        qos: QoS::ExactlyOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::DontSend,
    };
    pair.client
        .subscribe(
            &[(filter("a/+"), options)],
            &[
                Property::SubscriptionIdentifier(SubscriptionId::new(5).unwrap()),
                user("k", "v"),
                user("k", ""),
            ],
        )
        .unwrap();
    // Subscription Identifier 5, then User Properties, whose names may repeat.
    pair.expect("82 18 0001 0F 0B 05 26 0001 'k' 0001 'v' 26 0001 'k' 0000 0003 'a/+' 2E");
}

#[test]
fn v5_unsubscribe_with_user_properties() {
    let mut pair = Pair::v5();
    let properties = [user("k", "v"), user("x", "")];
    pair.client
        .unsubscribe(&[filter("a")], &properties)
        .unwrap();
    pair.expect("A2 13 0001 0D 26 0001 'k' 0001 'v' 26 0001 'x' 0000 0001 'a'");
}

#[test]
fn v5_other_properties_of_a_subscribe_or_unsubscribe_are_refused() {
    let id = Property::SubscriptionIdentifier(SubscriptionId::MAX);
    let reason = Property::ReasonString(Utf8::new("why").unwrap());
    let not_allowed = |property: Property<'_>, packet_type| {
        Err(SubscribeError::Encode(EncodeError::PropertyNotAllowed {
            property: property.id(),
            holder: PropertyHolder::Packet(packet_type),
        }))
    };
    let mut pair = Pair::v5();
    let filters = [(filter("a"), QoS::AtMostOnce.into())];
    assert_eq!(
        pair.client.subscribe(&filters, &[user("k", "v"), reason]),
        not_allowed(reason, PacketType::Subscribe)
    );
    assert_eq!(
        pair.client.subscribe(&filters, &[id, id]),
        Err(SubscribeError::Encode(EncodeError::PropertyRepeated {
            property: PropertyId::SubscriptionIdentifier
        }))
    );
    for property in [reason, id] {
        assert_eq!(
            pair.client.unsubscribe(&[filter("a")], &[property]),
            not_allowed(property, PacketType::Unsubscribe)
        );
    }
    pair.expect_nothing();
}

#[test]
fn v311_has_no_properties_of_a_subscribe_or_unsubscribe() {
    let mut pair = Pair::v311();
    let not_in_version = |packet_type| {
        Err(SubscribeError::Encode(
            EncodeError::PropertiesNotInVersion {
                holder: PropertyHolder::Packet(packet_type),
                version: ProtocolVersion::V3_1_1,
            },
        ))
    };
    let filters = [(filter("a"), QoS::AtMostOnce.into())];
    assert_eq!(
        pair.client.subscribe(&filters, &[user("k", "v")]),
        not_in_version(PacketType::Subscribe)
    );
    assert_eq!(
        pair.client.unsubscribe(&[filter("a")], &[user("k", "v")]),
        not_in_version(PacketType::Unsubscribe)
    );
    let id = Property::SubscriptionIdentifier(SubscriptionId::MAX);
    assert_eq!(
        pair.client.subscribe(&filters, &[id]),
        Err(SubscribeError::SubscriptionIdNotSupported)
    );
    pair.expect_nothing();
}

#[test]
fn v5_the_properties_of_the_answers_are_told() {
    let mut pair = Pair::v5();
    subscribe(&mut pair, &["a"]);
    pair.client.unsubscribe(&[filter("a")], &[]).unwrap();
    pair.take_sent();
    // Not authorized, Reason String and User Property.
    pair.feed("90 11 0001 0D 1F 0003 'why' 26 0001 'k' 0001 'v' 87");
    // The same for Packet Identifier 2, with No subscription existed.
    pair.feed("B0 11 0002 0D 1F 0003 'why' 26 0001 'k' 0001 'v' 11");
    let said = [
        Property::ReasonString(Utf8::new("why").unwrap()),
        user("k", "v"),
    ];
    let Event::Subscribed { properties, .. } = pair.event() else {
        panic!("not subscribed")
    };
    assert_eq!(properties.as_properties(), Properties::new(&said));
    let Event::Unsubscribed { properties, .. } = pair.event() else {
        panic!("not unsubscribed")
    };
    assert_eq!(properties.as_properties(), Properties::new(&said));
}

#[test]
fn v311_subscribe_and_unsubscribe() {
    let mut pair = Pair::v311();
    let request = subscribe(&mut pair, &["a", "b"]);
    pair.expect("82 0A 0001 0001 'a' 01 0001 'b' 01");
    pair.feed("90 04 0001 01 80");
    expect_subscribed(&mut pair, request, &[1, 0x80]);
    let request = pair
        .client
        .unsubscribe(&[filter("a"), filter("b")], &[])
        .unwrap();
    pair.expect("A2 08 0002 0001 'a' 0001 'b'");
    pair.feed("B0 02 0002");
    let Event::Unsubscribed { id, reasons, .. } = pair.event() else {
        panic!("not unsubscribed")
    };
    assert_eq!((id, &reasons[..]), (request, &[ReasonCode::SUCCESS; 2][..]));
}

#[test]
fn v5_mqtt_3_8_4_2_only_the_request_with_that_identifier_completes() {
    let mut pair = Pair::v5();
    let one = subscribe(&mut pair, &["a"]);
    let two = subscribe(&mut pair, &["b"]);
    pair.take_sent();
    // An identifier that nobody waits for is tolerated.
    pair.feed("90 04 0009 00 00");
    pair.expect_no_event();
    pair.feed("90 04 0002 00 01");
    expect_subscribed(&mut pair, two, &[1]);
    pair.feed("90 04 0001 00 87");
    expect_subscribed(&mut pair, one, &[0x87]);
    assert!(!pair.client.is_closed(), "a refusal belongs to the request");
}

#[test]
fn v5_mqtt_3_8_4_6_another_number_of_codes_is_a_protocol_error() {
    for (suback, received) in [("90 04 0001 00 00", 1), ("90 06 0001 00 00 00 00", 3)] {
        let mut pair = Pair::v5();
        subscribe(&mut pair, &["a", "b"]);
        pair.take_sent();
        pair.feed(suback);
        pair.expect("E0 01 82");
        let error = ProtocolError::ReasonCodeCount {
            expected: 2,
            received,
        };
        pair.expect_disconnected(DisconnectCause::Protocol(error));
    }
}

#[test]
fn v5_mqtt_3_9_3_1_suback_codes_are_in_the_order_of_the_filters() {
    let mut pair = Pair::v5();
    let request = subscribe(&mut pair, &["a", "b", "c"]);
    pair.take_sent();
    // Granted QoS 1, not authorized, granted QoS 0.
    pair.feed("90 06 0001 00 01 87 00");
    let Event::Subscribed { id, reasons, .. } = pair.event() else {
        panic!("not subscribed")
    };
    assert_eq!(id, request);
    assert_eq!(
        reasons[..],
        [
            ReasonCode::GRANTED_QOS_1,
            ReasonCode::NOT_AUTHORIZED,
            ReasonCode::GRANTED_QOS_0
        ]
    );
}

#[test]
fn v5_mqtt_3_11_3_1_unsuback_codes_are_in_the_order_of_the_filters() {
    let mut pair = Pair::v5();
    let request = pair
        .client
        .unsubscribe(&[filter("a"), filter("b")], &[])
        .unwrap();
    pair.take_sent();
    pair.feed("B0 05 0001 00 00 11");
    let Event::Unsubscribed { id, reasons, .. } = pair.event() else {
        panic!("not unsubscribed")
    };
    assert_eq!(id, request);
    assert_eq!(
        reasons[..],
        [ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED]
    );
}

#[test]
fn an_answer_of_the_wrong_kind_is_a_protocol_error() {
    let mut pair = Pair::v5();
    subscribe(&mut pair, &["a"]);
    pair.take_sent();
    pair.feed("B0 04 0001 00 00");
    pair.expect("E0 01 82");
}

#[test]
fn requests_need_a_connection_and_a_filter() {
    let mut pair = Pair::new(Limits::default());
    let options = QoS::AtMostOnce.into();
    assert_eq!(
        pair.client.subscribe(&[(filter("a"), options)], &[]),
        Err(SubscribeError::NotConnected)
    );
    assert_eq!(
        pair.client.unsubscribe(&[filter("a")], &[]),
        Err(SubscribeError::NotConnected)
    );
    let mut pair = Pair::v5();
    assert_eq!(
        pair.client.subscribe(&[], &[]),
        Err(SubscribeError::NoFilter)
    );
    assert_eq!(
        pair.client.unsubscribe(&[], &[]),
        Err(SubscribeError::NoFilter)
    );
    pair.expect_nothing();
}

#[test]
fn requests_are_bounded_and_a_refusal_changes_nothing() {
    let mut limits = Limits::default();
    limits.max_requests = 1;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    let request = subscribe(&mut pair, &["a"]);
    let before = pair.client.clone();
    let refused = pair
        .client
        .subscribe(&[(filter("b"), QoS::AtMostOnce.into())], &[]);
    assert_eq!(refused, Err(SubscribeError::TooManyRequests { limit: 1 }));
    assert_eq!(pair.client, before);
    pair.take_sent();
    pair.feed("90 04 0001 00 00");
    expect_subscribed(&mut pair, request, &[0]);
    subscribe(&mut pair, &["b"]);
}

#[test]
fn v311_options_of_5_0_are_refused_and_free_their_identifier() {
    let mut pair = Pair::v311();
    let options = SubscribeOptions {
        no_local: true,
        ..SubscribeOptions::default()
    };
    let refused = pair.client.subscribe(&[(filter("a"), options)], &[]);
    assert!(
        matches!(refused, Err(SubscribeError::Encode(_))),
        "{refused:?}"
    );
    pair.expect_nothing();
    // Identifiers rest, so the refused one is not taken again at once.
    subscribe(&mut pair, &["a"]);
    pair.expect("82 06 0002 0001 'a' 01");
}

#[test]
fn requests_end_with_their_connection_and_free_their_identifiers() {
    let mut pair = Pair::v5();
    for _ in 0..1_000 {
        let one = subscribe(&mut pair, &["a"]);
        let sent = pair.take_sent();
        pair.cut();
        pair.resume_v5(true);
        // The answer to the old request has nothing to answer.
        pair.feed_bytes(&[0x90, 4, sent[2], sent[3], 0, 0]);
        pair.expect_no_event();
        let two = subscribe(&mut pair, &["b"]);
        assert!(two > one);
        let sent = pair.take_sent();
        pair.feed_bytes(&[0x90, 4, sent[2], sent[3], 0, 0]);
        expect_subscribed(&mut pair, two, &[0]);
    }
}

#[test]
fn v5_mqtt_2_2_1_6_another_identifier_leaves_the_request_pending() {
    let mut pair = Pair::v5();
    let request = subscribe(&mut pair, &["a"]);
    pair.take_sent();
    pair.feed("90 04 0006 00 00");
    pair.expect_no_event();
    pair.feed("90 04 0001 00 00");
    expect_subscribed(&mut pair, request, &[0]);
}

#[test]
fn v5_mqtt_3_10_4_5_unsuback_of_another_identifier_completes_nothing() {
    let mut pair = Pair::v5();
    pair.client.unsubscribe(&[filter("a")], &[]).unwrap();
    pair.take_sent();
    pair.feed("B0 04 000A 00 11");
    pair.expect_no_event();
    pair.feed("B0 04 0001 00 11");
    assert!(matches!(pair.event(), Event::Unsubscribed { .. }));
}

#[test]
fn requests_that_nobody_answered_do_not_use_up_the_identifiers() {
    let mut pair = Pair::v5();
    // More than there are identifiers.
    for _ in 0..70 {
        for _ in 0..1_000 {
            subscribe(&mut pair, &["a"]);
        }
        pair.cut();
        pair.resume_v5(true);
    }
    assert!(
        pair.client
            .subscribe(&[(filter("a"), QoS::AtMostOnce.into())], &[])
            .is_ok()
    );
}

#[test]
fn answered_requests_free_their_identifiers() {
    let mut pair = Pair::v5();
    for _ in 0..70_000 {
        let request = pair.client.unsubscribe(&[filter("a")], &[]).unwrap();
        let sent = pair.take_sent();
        pair.feed_bytes(&[0xB0, 4, sent[2], sent[3], 0, 0]);
        assert!(matches!(pair.event(), Event::Unsubscribed { id, .. } if id == request));
    }
}
