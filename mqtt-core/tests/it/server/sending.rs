//! PUBLISH to a client (v5 and v311 3.3, 4.3, 4.4, 4.9).

use std::time::Duration;

use mqtt_core::{
    EncodeError, Instant, Message, Outcome, Property, PublishError, PublishId, QoS, ReasonCode,
    Session, SessionBounds, SubscriptionId, TopicName, Unfinished, Violation,
    server::{Accept, DisconnectCause, Event, ProtocolError},
};

use super::support::{CONNECT_V5, CONNECT_V31, CONNECT_V311, Peer, session};

/// CONNECT of 5.0 that wants its session: Clean Start 0.
const RESUME_V5: &str = "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'";
/// CONNECT of 3.1.1 that wants its session.
const RESUME_V311: &str = "10 0D 00 04 'MQTT' 04 00 00 3C 00 01 'a'";
/// CONNECT of 5.0 with Receive Maximum 1.
const RECEIVE_MAXIMUM_1: &str = "10 11 00 04 'MQTT' 05 02 00 3C 03 21 00 01 00 01 'a'";

fn message(payload: &str, qos: QoS) -> Message {
    Message::new(TopicName::new("a").unwrap(), payload.as_bytes().to_vec()).with_qos(qos)
}

impl Peer {
    #[track_caller]
    fn publish(&mut self, payload: &str, qos: QoS) -> PublishId {
        self.server
            .publish(self.now, message(payload, qos))
            .unwrap()
    }

    /// The outcomes that wait, and nothing else does.
    #[track_caller]
    fn outcomes(&mut self) -> Vec<(PublishId, Outcome)> {
        let outcome = |event| match event {
            Event::Outcome { id, outcome } => (id, outcome),
            other => panic!("expected an outcome, got {other:?}"),
        };
        self.events().into_iter().map(outcome).collect()
    }

    /// Ends this connection as the network does and resumes the session on another.
    #[track_caller]
    fn cut_and_resume(mut self, connect: &str) -> Self {
        self.server.handle_close(self.now);
        let session = self.server.into_session().unwrap();
        let mut peer = Self::new();
        peer.now = self.now;
        peer.feed(connect);
        peer.connect_request();
        let accept = Accept {
            session_present: true,
            ..Accept::default()
        };
        peer.server.accept(peer.now, session, &accept).unwrap();
        peer
    }

    /// What follows the CONNACK.
    #[track_caller]
    fn assert_sent_after_connack(&mut self, expected: &str) {
        let sent = self.sent();
        assert_eq!(sent[0], 0x20);
        let rest = &sent[2 + usize::from(sent[1])..];
        assert_eq!(rest, super::support::hex(expected), "sent {rest:02X?}");
    }
}

fn acknowledged(reason: ReasonCode) -> Outcome {
    Outcome::Acknowledged {
        reason,
        properties: Default::default(),
    }
}

#[test]
fn v5_each_qos_goes_its_way_to_its_outcome() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    let ids =
        [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| peer.publish("x", qos));
    // First sends have DUP 0 and identifiers of their own. [v5 MQTT-4.3.2-1, -2, MQTT-4.3.3-1, -2]
    peer.assert_sent(
        "30 05 00 01 'a' 00 'x' 32 07 00 01 'a' 00 01 00 'x' 34 07 00 01 'a' 00 02 00 'x'",
    );
    assert_eq!(peer.outcomes(), [(ids[0], Outcome::Sent)]);
    peer.feed("40 02 00 01");
    assert_eq!(
        peer.outcomes(),
        [(ids[1], acknowledged(ReasonCode::SUCCESS))]
    );
    peer.feed("50 02 00 02");
    peer.assert_sent("62 02 00 02");
    assert_eq!(peer.outcomes(), []);
    peer.feed("70 02 00 02");
    assert_eq!(
        peer.outcomes(),
        [(ids[2], acknowledged(ReasonCode::SUCCESS))]
    );
    assert_eq!(peer.server.session().unwrap().in_flight(), 0);
}

#[test]
fn v311_each_qos_goes_its_way_without_properties() {
    for connect in [CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::connected(connect, &Accept::default());
        let id = SubscriptionId::new(1).unwrap();
        let message = message("x", QoS::AtLeastOnce)
            .with_properties(&[Property::MessageExpiryInterval(9)])
            .unwrap()
            .with_subscription_ids(&[id]);
        peer.server.publish(peer.now, message).unwrap();
        peer.assert_sent("32 06 00 01 'a' 00 01 'x'");
        peer.feed("40 02 00 01");
        assert_eq!(peer.outcomes().len(), 1);
    }
}

#[test]
fn v5_mqtt_4_3_3_4_a_refusing_pubrec_ends_the_exchange() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    let id = peer.publish("x", QoS::ExactlyOnce);
    peer.sent();
    peer.feed("50 03 00 01 87");
    peer.assert_sent("");
    assert_eq!(
        peer.outcomes(),
        [(id, acknowledged(ReasonCode::NOT_AUTHORIZED))]
    );
}

#[test]
fn acknowledgements_that_name_nothing_are_tolerated() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("40 02 00 09 70 02 00 09 50 02 00 09");
    peer.assert_sent("62 03 00 09 92");
    assert_eq!(peer.outcomes(), []);
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_is_a_violation() {
    for (qos, ack) in [
        (QoS::AtLeastOnce, "50 02 00 01"),
        (QoS::ExactlyOnce, "40 02 00 01"),
        (QoS::ExactlyOnce, "70 02 00 01"),
    ] {
        let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
        peer.publish("x", qos);
        peer.sent();
        peer.feed(ack);
        peer.assert_sent("E0 01 82");
        assert!(matches!(
            peer.disconnected().cause,
            DisconnectCause::Protocol(ProtocolError::Exchange(
                Violation::UnexpectedAcknowledgement { .. }
            ))
        ));
    }
}

#[test]
fn v5_mqtt_3_3_4_9_and_10_the_clients_receive_maximum_holds_back_publish_only() {
    let mut peer = Peer::connected(RECEIVE_MAXIMUM_1, &Accept::default());
    peer.publish("1", QoS::AtLeastOnce);
    peer.publish("2", QoS::AtLeastOnce);
    peer.assert_sent("32 07 00 01 'a' 00 01 00 '1'");
    // PINGREQ, SUBSCRIBE and PUBLISH of the client are answered all the same.
    peer.feed("C0 00 34 07 00 01 'b' 00 05 00 'x' 82 07 00 01 00 00 01 'a' 01");
    let events = peer.events();
    let [Event::Message { .. }, Event::Subscribe(request)] = &events[..] else {
        panic!("{events:?}")
    };
    peer.server
        .complete_subscribe(request, &[ReasonCode::GRANTED_QOS_1])
        .unwrap();
    peer.assert_sent("D0 00 50 02 00 05 90 04 00 01 00 01");
    peer.feed("40 02 00 01");
    peer.assert_sent("32 07 00 01 'a' 00 02 00 '2'");
}

#[test]
fn v5_4_9_the_send_quota_is_told_and_a_pubrel_of_an_earlier_connection_takes_none() {
    const TWO: &str = "10 11 00 04 'MQTT' 05 00 00 3C 03 21 00 02 00 01 'a'";
    let mut peer = Peer::new();
    assert_eq!(peer.server.send_quota(), 0);
    peer.connect(TWO, &Accept::default(), session());
    assert_eq!(peer.server.send_quota(), 2);
    for payload in ["1", "2", "3"] {
        peer.publish(payload, QoS::ExactlyOnce);
    }
    // What waits has taken nothing yet.
    assert_eq!(peer.server.send_quota(), 2);
    peer.sent();
    assert_eq!(peer.server.send_quota(), 0);
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    assert_eq!(peer.server.send_quota(), 0);
    let mut peer = peer.cut_and_resume(TWO);
    // First the second is to be sent again, and then there is one left for the third.
    assert_eq!(peer.server.send_quota(), 0);
    peer.assert_sent_after_connack(
        "62 02 00 01 3C 07 00 01 'a' 00 02 00 '2' 34 07 00 01 'a' 00 03 00 '3'",
    );
    assert_eq!(peer.server.send_quota(), 0);
    // PUBCOMP of what this connection did not send gives nothing back.
    peer.feed("70 02 00 01");
    assert_eq!(peer.server.send_quota(), 0);
    peer.feed("50 02 00 02");
    peer.assert_sent("62 02 00 02");
    peer.feed("70 02 00 02");
    assert_eq!(peer.server.send_quota(), 1);
    peer.server.handle_close(peer.now);
    assert_eq!(peer.server.send_quota(), 0);
}

#[test]
fn what_waits_in_a_session_can_be_taken_out_again_oldest_first() {
    let at = Instant::from_millis(5_000);
    let mut session = session();
    let expiring = message("1", QoS::AtLeastOnce)
        .with_properties(&[Property::MessageExpiryInterval(10)])
        .unwrap();
    let first = session.push(at, expiring.clone()).unwrap();
    session.push(at, message("2", QoS::AtMostOnce)).unwrap();
    assert_eq!(session.oldest(), Some(&expiring));
    let taken = Unfinished {
        id: first,
        message: expiring,
        since: at,
        was_sent: false,
    };
    assert_eq!(session.take_oldest(), Some(taken));
    assert_eq!(session.next_expiry(), None);
    // Without an expiry it does not matter since when.
    let second = session.take_oldest().unwrap();
    assert_eq!(second.message, message("2", QoS::AtMostOnce));
    assert_eq!(second.since, Instant::default());
    assert_eq!(session.oldest(), None);
    assert_eq!(session.take_oldest(), None);
    assert_eq!((session.queued(), session.queued_bytes()), (0, 0));
}

#[test]
fn v5_mqtt_4_4_0_1_a_resumed_session_sends_again_in_order_with_dup() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    peer.publish("1", QoS::ExactlyOnce);
    peer.publish("2", QoS::AtLeastOnce);
    peer.publish("3", QoS::ExactlyOnce);
    peer.sent();
    // The first is at the stage of PUBREL. [v5 MQTT-4.3.3-6]
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    let mut peer = peer.cut_and_resume(RESUME_V5);
    peer.assert_sent_after_connack(
        "62 02 00 01 3A 07 00 01 'a' 00 02 00 '2' 3C 07 00 01 'a' 00 03 00 '3'",
    );
    peer.feed("70 02 00 01 40 02 00 02 50 02 00 03");
    peer.assert_sent("62 02 00 03");
    // A late PUBREC does not bring the PUBLISH back.
    peer.feed("50 02 00 03");
    peer.assert_sent("62 02 00 03");
    peer.feed("70 02 00 03");
    assert_eq!(peer.outcomes().len(), 3);
    assert!(!peer.server.session().unwrap().has_exchanges());
}

#[test]
fn v311_mqtt_4_4_0_1_a_resumed_session_sends_again_in_order_with_dup() {
    let mut peer = Peer::connected(RESUME_V311, &Accept::default());
    peer.publish("1", QoS::AtLeastOnce);
    peer.publish("2", QoS::ExactlyOnce);
    peer.sent();
    let mut peer = peer.cut_and_resume(RESUME_V311);
    peer.assert_sent_after_connack("3A 06 00 01 'a' 00 01 '1' 3C 06 00 01 'a' 00 02 '2'");
}

#[test]
fn v5_mqtt_4_4_0_1_nothing_is_sent_again_on_a_timer() {
    let mut peer = Peer::connected(
        "10 0E 00 04 'MQTT' 05 02 00 00 00 00 01 'a'",
        &Accept::default(),
    );
    peer.publish("1", QoS::AtLeastOnce);
    peer.sent();
    assert_eq!(peer.server.poll_timeout(), None);
    peer.advance(Duration::from_secs(3_600));
    peer.assert_sent("");
}

#[test]
fn resending_is_held_back_by_the_new_connections_quota() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    peer.publish("1", QoS::AtLeastOnce);
    peer.publish("2", QoS::AtLeastOnce);
    peer.sent();
    let mut peer = peer.cut_and_resume("10 11 00 04 'MQTT' 05 00 00 3C 03 21 00 01 00 01 'a'");
    peer.assert_sent_after_connack("3A 07 00 01 'a' 00 01 00 '1'");
    peer.feed("40 02 00 01");
    peer.assert_sent("3A 07 00 01 'a' 00 02 00 '2'");
}

#[test]
fn a_session_that_is_not_new_needs_session_present() {
    let mut peer = Peer::connected(RESUME_V5, &Accept::default());
    peer.publish("1", QoS::AtLeastOnce);
    peer.sent();
    peer.server.handle_close(peer.now);
    let session = peer.server.into_session().unwrap();
    let mut peer = Peer::new();
    peer.feed(RESUME_V5);
    let refused = peer
        .server
        .accept(peer.now, session, &Accept::default())
        .unwrap_err();
    assert_eq!(refused.error, mqtt_core::server::AcceptError::SessionNotNew);
    assert_eq!(refused.session.in_flight(), 1);
}

#[test]
fn what_was_queued_for_an_absent_client_is_sent_when_it_comes() {
    let mut session = session();
    let mut peer = Peer::new();
    let ids = ["1", "2"].map(|payload| {
        session
            .push(peer.now, message(payload, QoS::AtLeastOnce))
            .unwrap()
    });
    assert_eq!(session.queued(), 2);
    peer.feed(RESUME_V5);
    peer.connect_request();
    peer.server
        .accept(
            peer.now,
            session,
            &Accept {
                session_present: true,
                ..Accept::default()
            },
        )
        .unwrap();
    peer.assert_sent_after_connack("32 07 00 01 'a' 00 01 00 '1' 32 07 00 01 'a' 00 02 00 '2'");
    peer.feed("40 02 00 01 40 02 00 02");
    assert_eq!(
        peer.outcomes()
            .iter()
            .map(|(id, _)| *id)
            .collect::<Vec<_>>(),
        ids
    );
}

#[test]
fn v5_mqtt_3_1_2_24_a_message_too_large_for_the_client_ends_alone() {
    // Maximum Packet Size 20.
    let mut peer = Peer::connected(
        "10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 14 00 01 'a'",
        &Accept::default(),
    );
    // 2 for the fixed header, 3 for the topic, 2 for the identifier, 1 for the properties: 12 bytes are left.
    let fits = peer.publish("123456789012", QoS::AtLeastOnce);
    let too_large = peer.publish("1234567890123", QoS::AtLeastOnce);
    let next = peer.publish("x", QoS::AtMostOnce);
    peer.assert_sent("32 12 00 01 'a' 00 01 00 '123456789012' 30 05 00 01 'a' 00 'x'");
    let outcomes = peer.outcomes();
    assert!(matches!(
        &outcomes[..],
        [(first, Outcome::Refused(PublishError::Encode(EncodeError::PacketTooLarge { .. }))), (second, Outcome::Sent)]
            if (*first, *second) == (too_large, next)
    ));
    peer.feed("40 02 00 01");
    assert_eq!(peer.outcomes(), [(fits, acknowledged(ReasonCode::SUCCESS))]);
    assert!(!peer.server.is_ended());
}

#[test]
fn v5_mqtt_3_3_4_3_several_subscription_identifiers_are_sent_along() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    let ids = [1, 200].map(|number| SubscriptionId::new(number).unwrap());
    peer.server
        .publish(
            peer.now,
            message("x", QoS::AtMostOnce).with_subscription_ids(&ids),
        )
        .unwrap();
    peer.assert_sent("30 0A 00 01 'a' 05 0B 01 0B C8 01 'x'");
}

#[test]
fn v5_the_message_expiry_interval_counts_down_while_a_message_waits() {
    let mut peer = Peer::connected(RECEIVE_MAXIMUM_1, &Accept::default());
    peer.publish("1", QoS::AtLeastOnce);
    let expiring = |seconds| {
        message("2", QoS::AtLeastOnce)
            .with_properties(&[Property::MessageExpiryInterval(seconds)])
            .unwrap()
    };
    let gone = peer.server.publish(peer.now, expiring(3)).unwrap();
    peer.server.publish(peer.now, expiring(9)).unwrap();
    peer.sent();
    assert_eq!(
        peer.server.poll_timeout(),
        Some(peer.now + Duration::from_secs(3))
    );
    peer.advance(Duration::from_secs(4));
    assert_eq!(peer.outcomes(), [(gone, Outcome::Expired)]);
    peer.feed("40 02 00 01");
    peer.assert_sent("32 0C 00 01 'a' 00 02 05 02 00 00 00 05 '2'");
}

#[test]
fn publishing_needs_an_accepted_connection() {
    let mut peer = Peer::new();
    let refused = |peer: &mut Peer| {
        peer.server
            .publish(peer.now, message("x", QoS::AtMostOnce))
            .unwrap_err()
    };
    assert_eq!(refused(&mut peer), PublishError::NotConnected);
    peer.connect(CONNECT_V5, &Accept::default(), session());
    peer.server.handle_close(peer.now);
    assert_eq!(refused(&mut peer), PublishError::NotConnected);
}

#[test]
fn the_bounds_of_the_session_hold_while_connected() {
    let mut peer = Peer::new();
    let bounds = SessionBounds {
        max_messages: 2,
        max_bytes: 10_000,
    };
    peer.connect(RECEIVE_MAXIMUM_1, &Accept::default(), Session::new(bounds));
    peer.publish("1", QoS::AtLeastOnce);
    peer.sent();
    peer.publish("2", QoS::AtLeastOnce);
    let full = peer
        .server
        .publish(peer.now, message("3", QoS::AtLeastOnce));
    assert_eq!(full, Err(PublishError::QueueFull { limit: 2 }));
    peer.feed("40 02 00 01");
    peer.publish("3", QoS::AtLeastOnce);
    peer.sent();
    peer.feed("40 02 00 02");
    let large = "x".repeat(9_800);
    let full = peer
        .server
        .publish(peer.now, message(&large, QoS::AtMostOnce));
    assert_eq!(full, Err(PublishError::QueueBytesFull { limit: 10_000 }));
}

#[test]
fn no_topic_alias_is_sent_unless_the_owner_wants_some() {
    // Topic Alias Maximum 10.
    let mut peer = Peer::connected(
        "10 11 00 04 'MQTT' 05 02 00 3C 03 22 00 0A 00 01 'a'",
        &Accept::default(),
    );
    peer.publish("1", QoS::AtMostOnce);
    peer.publish("2", QoS::AtMostOnce);
    peer.assert_sent("30 05 00 01 'a' 00 '1' 30 05 00 01 'a' 00 '2'");
}

#[test]
fn a_large_payload_arrives_and_leaves_whole() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    let payload: Vec<u8> = (0..100_000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    // Remaining Length 100,006 in three bytes.
    let mut packet = super::support::hex("32 A6 8D 06 00 01 'a' 00 01 00");
    packet.extend(&payload);
    for part in packet.chunks(1_000) {
        let _ = peer.feed_bytes(part);
    }
    let event = peer.server.poll_event();
    let Some(Event::Message { message, .. }) = event else {
        panic!("{event:?}")
    };
    assert_eq!(message.payload(), payload);
    peer.assert_sent("40 02 00 01");
    peer.server.publish(peer.now, message).unwrap();
    assert_eq!(peer.sent(), packet);
}

#[test]
fn a_session_taken_apart_gives_what_is_unfinished_and_says_what_was_sent() {
    // Receive Maximum 3.
    let mut peer = Peer::connected(
        "10 11 00 04 'MQTT' 05 02 00 3C 03 21 00 03 00 01 'a'",
        &Accept::default(),
    );
    for (payload, qos) in [
        ("1", QoS::AtLeastOnce),
        ("2", QoS::ExactlyOnce),
        ("3", QoS::ExactlyOnce),
        ("4", QoS::AtLeastOnce),
        ("5", QoS::AtMostOnce),
    ] {
        peer.publish(payload, qos);
    }
    peer.sent();
    // The client owns the second.
    peer.feed("50 02 00 02");
    let expiring = message("6", QoS::AtLeastOnce)
        .with_properties(&[Property::MessageExpiryInterval(30)])
        .unwrap();
    let since = peer.now + Duration::from_secs(7);
    peer.server.publish(since, expiring).unwrap();

    let session = peer.server.into_session().unwrap();
    let unfinished: Vec<_> = session.into_unfinished().collect();
    let told: Vec<_> = unfinished
        .iter()
        .map(|unfinished| {
            let payload = unfinished.message.payload();
            (unfinished.id.get(), payload, unfinished.was_sent)
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, &b"1"[..], true),
            (2, b"3", true),
            (3, b"4", false),
            (4, b"5", false),
            (5, b"6", false),
        ]
    );
    assert_eq!(unfinished[4].since, since);
}
