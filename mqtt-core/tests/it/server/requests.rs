//! SUBSCRIBE and UNSUBSCRIBE (v5 and v311 3.8 to 3.11).

use mqtt_core::{
    MaximumPacketSize, Property, QoS, ReasonCode, RetainHandling, Utf8,
    server::{
        Accept, CompleteError, DisconnectCause, Event, ProtocolError, ServerLimits,
        SubscribeRequest, UnsubscribeRequest,
    },
};

use super::support::{CONNECT_V5, CONNECT_V31, CONNECT_V311, Peer, session};

impl Peer {
    #[track_caller]
    fn subscribe_request(&mut self) -> SubscribeRequest {
        match self.server.poll_event() {
            Some(Event::Subscribe(request)) => request,
            other => panic!("expected a SUBSCRIBE, got {other:?}"),
        }
    }

    #[track_caller]
    fn unsubscribe_request(&mut self) -> UnsubscribeRequest {
        match self.server.poll_event() {
            Some(Event::Unsubscribe(request)) => request,
            other => panic!("expected an UNSUBSCRIBE, got {other:?}"),
        }
    }
}

#[test]
fn v5_mqtt_3_8_4_1_2_5_6_and_3_9_3_1_one_suback_with_a_code_for_each_filter() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    // Subscription Identifier 300; "a" with every option, "b/#" at QoS 1.
    peer.feed("82 10 12 34 03 0B AC 02 00 01 'a' 2E 00 03 'b/#' 01");
    let request = peer.subscribe_request();
    assert_eq!(request.packet_id().get(), 0x1234);
    assert_eq!(request.subscription_id().unwrap().get(), 300);
    let filters: Vec<_> = request.filters().collect();
    assert_eq!(filters.len(), 2);
    assert_eq!((filters[0].0.as_str(), filters[1].0.as_str()), ("a", "b/#"));
    let options = filters[0].1;
    assert_eq!(
        (options.qos, options.no_local, options.retain_as_published),
        (QoS::ExactlyOnce, true, true)
    );
    assert_eq!(options.retain_handling, RetainHandling::DontSend);
    assert_eq!(filters[1].1.qos, QoS::AtLeastOnce);
    peer.assert_sent("");
    peer.server
        .complete_subscribe(
            &request,
            &[ReasonCode::GRANTED_QOS_0, ReasonCode::NOT_AUTHORIZED],
        )
        .unwrap();
    peer.assert_sent("90 05 12 34 00 00 87");
}

#[test]
fn v311_mqtt_3_9_3_1_every_failure_is_0x80() {
    let mut peer = Peer::connected(CONNECT_V311, &Accept::default());
    peer.feed("82 0A 00 01 00 01 'a' 00 00 01 'b' 02");
    let request = peer.subscribe_request();
    peer.server
        .complete_subscribe(
            &request,
            &[ReasonCode::GRANTED_QOS_0, ReasonCode::NOT_AUTHORIZED],
        )
        .unwrap();
    peer.assert_sent("90 04 00 01 00 80");
}

#[test]
fn v31_a_refused_filter_looks_granted() {
    let mut peer = Peer::connected(CONNECT_V31, &Accept::default());
    peer.feed("82 0A 00 01 00 01 'a' 01 00 01 'b' 02");
    let request = peer.subscribe_request();
    peer.server
        .complete_subscribe(
            &request,
            &[ReasonCode::GRANTED_QOS_0, ReasonCode::NOT_AUTHORIZED],
        )
        .unwrap();
    peer.assert_sent("90 04 00 01 00 02");
}

#[test]
fn v5_mqtt_3_10_4_4_5_6_and_3_11_3_1_one_unsuback_with_a_code_for_each_filter() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("A2 09 00 0A 00 00 01 'a' 00 01 'b'");
    let request = peer.unsubscribe_request();
    assert_eq!(
        request
            .filters()
            .map(|filter| filter.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    peer.server
        .complete_unsubscribe(
            &request,
            &[ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED],
        )
        .unwrap();
    peer.assert_sent("B0 05 00 0A 00 00 11");
}

#[test]
fn v311_mqtt_3_10_4_5_unsuback_has_no_codes() {
    for connect in [CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::connected(connect, &Accept::default());
        peer.feed("A2 08 00 0A 00 01 'a' 00 01 'b'");
        let request = peer.unsubscribe_request();
        let codes = [
            ReasonCode::NO_SUBSCRIPTION_EXISTED,
            ReasonCode::NOT_AUTHORIZED,
        ];
        peer.server.complete_unsubscribe(&request, &codes).unwrap();
        peer.assert_sent("B0 02 00 0A");
    }
}

#[test]
fn requests_may_be_answered_in_any_order_and_each_once() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("82 07 00 01 00 00 01 'a' 00 A2 06 00 02 00 00 01 'a'");
    let (first, second) = (peer.subscribe_request(), peer.unsubscribe_request());
    peer.server
        .complete_unsubscribe(&second, &[ReasonCode::SUCCESS])
        .unwrap();
    peer.server
        .complete_subscribe(&first, &[ReasonCode::SUCCESS])
        .unwrap();
    peer.assert_sent("B0 04 00 02 00 00 90 04 00 01 00 00");
    let again = peer
        .server
        .complete_subscribe(&first, &[ReasonCode::SUCCESS]);
    assert_eq!(again, Err(CompleteError::NotPending));
    assert_eq!(
        peer.server
            .complete_unsubscribe(&second, &[ReasonCode::SUCCESS]),
        Err(CompleteError::NotPending)
    );
    peer.assert_sent("");
}

#[test]
fn an_answer_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("82 07 00 01 00 00 01 'a' 00");
    let request = peer.subscribe_request();
    let refused = peer
        .server
        .complete_subscribe(&request, &[ReasonCode::SUCCESS; 2]);
    assert_eq!(
        refused,
        Err(CompleteError::WrongNumber {
            filters: 1,
            given: 2
        })
    );
    let refused = peer
        .server
        .complete_subscribe(&request, &[ReasonCode::NO_SUBSCRIPTION_EXISTED]);
    assert_eq!(
        refused,
        Err(CompleteError::ReasonNotAllowed(
            ReasonCode::NO_SUBSCRIPTION_EXISTED
        ))
    );
    let refused = peer.server.complete_subscribe_with(
        &request,
        &[ReasonCode::SUCCESS],
        &[Property::ServerReference(Utf8::new("x").unwrap())],
    );
    assert!(matches!(refused, Err(CompleteError::Encode(_))));
    peer.assert_sent("");
    peer.server
        .complete_subscribe(&request, &[ReasonCode::SUCCESS])
        .unwrap();
    peer.assert_sent("90 04 00 01 00 00");
}

#[test]
fn v5_mqtt_3_1_2_29_a_client_that_wants_no_problem_information_gets_none() {
    let text = |text| Utf8::new(text).unwrap();
    let properties = [
        Property::ReasonString(text("y")),
        Property::UserProperty(text("k"), text("v")),
    ];
    // Without and with Request Problem Information 0.
    for (connect, suback, unsuback) in [
        (
            CONNECT_V5,
            "90 0F 00 01 0B 1F 00 01 'y' 26 00 01 'k' 00 01 'v' 00",
            "B0 0F 00 02 0B 1F 00 01 'y' 26 00 01 'k' 00 01 'v' 00",
        ),
        (
            "10 10 00 04 'MQTT' 05 02 00 3C 02 17 00 00 01 'a'",
            "90 04 00 01 00 00",
            "B0 04 00 02 00 00",
        ),
    ] {
        let mut peer = Peer::connected(connect, &Accept::default());
        peer.feed("82 07 00 01 00 00 01 'a' 00 A2 06 00 02 00 00 01 'a'");
        let (first, second) = (peer.subscribe_request(), peer.unsubscribe_request());
        peer.server
            .complete_subscribe_with(&first, &[ReasonCode::SUCCESS], &properties)
            .unwrap();
        peer.assert_sent(suback);
        peer.server
            .complete_unsubscribe_with(&second, &[ReasonCode::SUCCESS], &properties)
            .unwrap();
        peer.assert_sent(unsuback);
        // DISCONNECT has them all the same.
        peer.server
            .disconnect_with(peer.now, ReasonCode::SERVER_BUSY, &properties)
            .unwrap();
        peer.assert_sent("E0 0D 89 0B 1F 00 01 'y' 26 00 01 'k' 00 01 'v'");
    }
}

#[test]
fn v5_mqtt_3_9_2_1_and_2_and_3_11_2_1_and_2_texts_give_way_to_the_clients_limit() {
    // Maximum Packet Size 12.
    let connect = "10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 0C 00 01 'a'";
    let accept = Accept {
        receive_maximum: Default::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    let mut peer = Peer::connected(connect, &accept);
    peer.feed("82 07 00 01 00 00 01 'a' 00 A2 06 00 02 00 00 01 'a'");
    let (first, second) = (peer.subscribe_request(), peer.unsubscribe_request());
    let text = |text| Utf8::new(text).unwrap();
    let properties = [
        Property::ReasonString(text("y")),
        Property::UserProperty(text("key"), text("value")),
    ];
    peer.server
        .complete_subscribe_with(&first, &[ReasonCode::SUCCESS], &properties)
        .unwrap();
    peer.assert_sent("90 08 00 01 04 1F 00 01 'y' 00");
    let properties = [Property::ReasonString(text("a long reason"))];
    peer.server
        .complete_unsubscribe_with(&second, &[ReasonCode::SUCCESS], &properties)
        .unwrap();
    peer.assert_sent("B0 04 00 02 00 00");
}

#[test]
fn v5_an_answer_larger_than_the_client_takes_ends_the_connection() {
    // Maximum Packet Size 6: a CONNACK without properties has 5 bytes, and so has a DISCONNECT at most; the SUBACK has 8.
    let connect = "10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 06 00 01 'a'";
    let accept = Accept {
        receive_maximum: Default::default(),
        maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
        topic_alias_maximum: 0,
        ..Accept::default()
    };
    let mut peer = Peer::connected(connect, &accept);
    peer.feed("82 0F 00 01 00 00 01 'a' 00 00 01 'b' 00 00 01 'c' 00");
    let request = peer.subscribe_request();
    peer.server
        .complete_subscribe(&request, &[ReasonCode::SUCCESS; 3])
        .unwrap();
    peer.assert_sent("E0 01 95");
    assert_eq!(
        peer.disconnected().cause,
        DisconnectCause::Server(ReasonCode::PACKET_TOO_LARGE)
    );
}

#[test]
fn v5_what_is_not_available_is_refused_with_its_code() {
    let accept = Accept::default;
    for (accept, subscribe, error, disconnect) in [
        (
            Accept {
                wildcard_subscription_available: false,
                ..accept()
            },
            "82 07 00 01 00 00 01 '#' 00",
            ProtocolError::WildcardSubscriptionsNotSupported,
            "E0 01 A2",
        ),
        (
            Accept {
                subscription_identifiers_available: false,
                ..accept()
            },
            "82 09 00 01 02 0B 01 00 01 'a' 00",
            ProtocolError::SubscriptionIdentifiersNotSupported,
            "E0 01 A1",
        ),
        (
            Accept {
                shared_subscription_available: false,
                ..accept()
            },
            "82 10 00 01 00 00 0A '$share/g/a' 00",
            ProtocolError::SharedSubscriptionsNotSupported,
            "E0 01 9E",
        ),
    ] {
        let mut peer = Peer::connected(CONNECT_V5, &accept);
        peer.feed(subscribe);
        peer.assert_sent(disconnect);
        assert_eq!(peer.disconnected().cause, DisconnectCause::Protocol(error));
        // Where it is available, it is the owner's to answer.
        let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
        peer.feed(subscribe);
        peer.subscribe_request();
    }
}

#[test]
fn v5_mqtt_3_2_2_10_a_server_of_low_qos_takes_a_subscription_of_any() {
    let mut peer = Peer::connected(
        CONNECT_V5,
        &Accept {
            maximum_qos: QoS::AtMostOnce,
            ..Accept::default()
        },
    );
    peer.feed("82 07 00 01 00 00 01 'a' 02");
    let request = peer.subscribe_request();
    peer.server
        .complete_subscribe(&request, &[ReasonCode::GRANTED_QOS_0])
        .unwrap();
    peer.assert_sent("90 04 00 01 00 00");
}

#[test]
fn an_identifier_of_a_request_that_waits_is_answered_by_version() {
    // 5.0 has a code for it.
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("82 07 00 01 00 00 01 'a' 00 82 0B 00 01 00 00 01 'b' 00 00 01 'c' 00 A2 06 00 01 00 00 01 'a'");
    let request = peer.subscribe_request();
    assert!(peer.events().is_empty());
    peer.assert_sent("90 05 00 01 00 91 91 B0 04 00 01 00 91");
    peer.server
        .complete_subscribe(&request, &[ReasonCode::SUCCESS])
        .unwrap();
    peer.assert_sent("90 04 00 01 00 00");
    // In 3.1.1 the client breaks the protocol. [v311 MQTT-2.3.1-2]
    let mut peer = Peer::connected(CONNECT_V311, &Accept::default());
    peer.feed("82 06 00 01 00 01 'a' 00");
    let request = peer.subscribe_request();
    peer.feed("82 06 00 01 00 01 'b' 00");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::Protocol(ProtocolError::PacketIdentifierInUse(id)) if id == request.packet_id()
    ));
    // In 3.1 it may repeat itself with DUP set.
    let mut peer = Peer::connected(CONNECT_V31, &Accept::default());
    peer.feed("82 06 00 01 00 01 'a' 00 8A 06 00 01 00 01 'a' 00");
    let request = peer.subscribe_request();
    assert!(peer.events().is_empty());
    peer.server
        .complete_subscribe(&request, &[ReasonCode::SUCCESS])
        .unwrap();
    peer.assert_sent("90 03 00 01 00");
}

#[test]
fn reading_stops_while_too_many_requests_wait() {
    let mut peer = Peer::with_limits(ServerLimits {
        max_pending_requests: 2,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    assert!(peer.feed("82 07 00 01 00 00 01 'a' 00 A2 06 00 02 00 00 01 'a' C0 00"));
    peer.assert_sent("");
    let request = peer.subscribe_request();
    peer.unsubscribe_request();
    assert!(peer.feed(""));
    peer.server
        .complete_subscribe(&request, &[ReasonCode::SUCCESS])
        .unwrap();
    assert!(!peer.feed(""));
    peer.assert_sent("90 04 00 01 00 00 D0 00");
}

#[test]
fn reading_stops_while_requests_hold_too_many_bytes() {
    let mut peer = Peer::with_limits(ServerLimits {
        max_event_bytes: 1_500,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    // Filters of 1,000 bytes: Remaining Length 1,006.
    let subscribe = |packet_id| {
        format!(
            "82 EE 07 00 {packet_id} 00 03 E8 '{}' 00",
            "f".repeat(1_000)
        )
    };
    peer.feed(&subscribe("01"));
    let first = peer.subscribe_request();
    peer.feed(&subscribe("02"));
    let second = peer.subscribe_request();
    assert!(peer.feed("C0 00"));
    peer.server
        .complete_subscribe(&first, &[ReasonCode::SUCCESS])
        .unwrap();
    assert!(!peer.feed(""));
    peer.assert_sent("90 04 00 01 00 00 D0 00");
    peer.feed(&subscribe("03"));
    assert!(peer.feed("C0 00"));
    peer.server
        .complete_subscribe(&second, &[ReasonCode::SUCCESS])
        .unwrap();
    let third = peer.subscribe_request();
    peer.server
        .complete_subscribe(&third, &[ReasonCode::SUCCESS])
        .unwrap();
    assert!(!peer.feed(""));
}

#[test]
fn requests_that_wait_as_events_are_bounded_in_bytes() {
    let mut peer = Peer::with_limits(ServerLimits {
        max_event_bytes: 3_000,
        max_pending_requests: 100,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    let mut packets = Vec::new();
    for packet_id in 1..=9 {
        let filter = "f".repeat(1_000);
        packets.extend(super::support::hex(&format!(
            "A2 ED 07 00 0{packet_id} 00 03 E8 '{filter}'"
        )));
    }
    assert!(peer.feed_bytes(&packets).is_blocked());
    assert_eq!(peer.events().len(), 3);
}

#[test]
fn a_client_that_does_not_read_its_subacks_is_not_read_from_either() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    // 1,000 filters in each SUBSCRIBE: Remaining Length 4,003.
    let mut filters = String::new();
    for _ in 0..1_000 {
        filters.push_str(" 00 01 'a' 00");
    }
    let mut answered = 0;
    while !peer.feed(&format!("82 A3 1F 00 01 00{filters}")) {
        let request = peer.subscribe_request();
        peer.server
            .complete_subscribe(&request, &[ReasonCode::SUCCESS; 1_000])
            .unwrap();
        answered += 1;
        assert!(answered < 100, "answers pile up without bound");
    }
    // A SUBACK has 1,006 bytes, and the bound is 64 KiB.
    assert_eq!(answered, 66);
    assert_eq!(peer.sent().len(), 66 * 1_006);
    assert!(!peer.feed(""));
}

#[test]
fn in_3_x_a_shared_subscription_is_a_filter_like_any_other() {
    for connect in [CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::connected(connect, &Accept::default());
        // The second would be malformed in 5.0.
        peer.feed("82 1A 00 01 00 0A '$share/g/a' 00 00 08 '$share/g' 00");
        let request = peer.subscribe_request();
        let filters: Vec<_> = request
            .filters()
            .map(|(filter, _)| filter.as_str())
            .collect();
        assert_eq!(filters, ["$share/g/a", "$share/g"]);
    }
}
