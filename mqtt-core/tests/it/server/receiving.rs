//! PUBLISH from a client (v5 and v311 3.3, 4.3).

use mqtt_core::{
    AckError, AckToken, Acknowledge, DecodeError, MaximumPacketSize, Message, QoS, ReasonCode,
    ReceiveMaximum, Utf8, Violation,
    server::{Accept, DisconnectCause, Event, ProtocolError, ServerLimits},
};

use super::support::{CONNECT_V5, CONNECT_V31, CONNECT_V311, Peer, hex, session};

impl Peer {
    /// A connection whose owner acknowledges messages itself.
    #[track_caller]
    fn manual(connect: &str, accept: &Accept) -> Self {
        let mut peer = Self::with_limits(ServerLimits {
            acknowledge: Acknowledge::Manual,
            ..ServerLimits::default()
        });
        peer.connect(connect, accept, session());
        peer
    }

    /// The messages that wait, and nothing else does.
    #[track_caller]
    fn messages(&mut self) -> Vec<(Message, Option<AckToken>, bool)> {
        let message = |event| match event {
            Event::Message {
                message,
                token,
                dup,
            } => (message, token, dup),
            other => panic!("expected a message, got {other:?}"),
        };
        self.events().into_iter().map(message).collect()
    }

    #[track_caller]
    fn token(&mut self) -> AckToken {
        let messages = self.messages();
        assert_eq!(messages.len(), 1);
        messages[0].1.unwrap()
    }

    #[track_caller]
    fn ends_with(&mut self, error: ProtocolError, disconnect: &str) {
        self.assert_sent(disconnect);
        let end = self.disconnected();
        assert_eq!(end.cause, DisconnectCause::Protocol(error));
        assert!(end.publish_will);
    }
}

#[test]
fn v5_mqtt_3_3_4_1_each_qos_has_its_answer() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("30 05 00 01 'a' 00 'x'");
    peer.assert_sent("");
    peer.feed("32 07 00 01 'a' 00 07 00 'x'");
    peer.assert_sent("40 02 00 07");
    peer.feed("34 07 00 01 'a' 00 08 00 'x'");
    peer.assert_sent("50 02 00 08");
    let qos: Vec<_> = peer
        .messages()
        .iter()
        .map(|(message, ..)| message.qos())
        .collect();
    assert_eq!(qos, [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]);
}

#[test]
fn v311_mqtt_3_3_4_1_each_qos_has_its_answer() {
    for connect in [CONNECT_V311, CONNECT_V31] {
        let mut peer = Peer::connected(connect, &Accept::default());
        peer.feed("30 04 00 01 'a' 'x' 32 06 00 01 'a' 00 07 'x' 34 06 00 01 'a' 00 08 'x'");
        peer.assert_sent("40 02 00 07 50 02 00 08");
        assert_eq!(peer.messages().len(), 3);
    }
}

#[test]
fn a_message_has_topic_payload_flags_and_properties() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    // DUP, QoS 1, RETAIN; Message Expiry Interval 9 and a User Property.
    peer.feed("3B 16 00 03 'a/b' 00 01 0C 02 00 00 00 09 26 00 01 'k' 00 01 'v' 'xy'");
    let (message, token, dup) = peer.messages().remove(0);
    assert_eq!(
        (message.topic().as_str(), message.payload()),
        ("a/b", &b"xy"[..])
    );
    assert_eq!((message.retain(), dup, token), (true, true, None));
    assert_eq!(message.properties().message_expiry_interval(), Some(9));
    assert_eq!(message.properties().user_properties().count(), 1);
}

#[test]
fn v5_mqtt_4_3_2_5_after_puback_the_identifier_is_a_new_message() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("32 07 00 01 'a' 00 01 00 'x'");
    peer.assert_sent("40 02 00 01");
    peer.feed("3A 07 00 01 'a' 00 01 00 'x'");
    peer.assert_sent("40 02 00 01");
    assert_eq!(peer.messages().len(), 2);
}

#[test]
fn v5_mqtt_4_3_3_10_a_repeat_is_answered_and_not_delivered() {
    for (connect, publish) in [
        (
            CONNECT_V5,
            [
                "34 07 00 01 'a' 00 01 00 'x'",
                "3C 07 00 01 'a' 00 01 00 'x'",
            ],
        ),
        (
            CONNECT_V311,
            ["34 06 00 01 'a' 00 01 'x'", "3C 06 00 01 'a' 00 01 'x'"],
        ),
    ] {
        let mut peer = Peer::connected(connect, &Accept::default());
        peer.feed(publish[0]);
        peer.assert_sent("50 02 00 01");
        peer.feed(publish[1]);
        peer.assert_sent("50 02 00 01");
        assert_eq!(peer.messages().len(), 1);
        // [v5 MQTT-4.3.3-11, MQTT-4.3.3-12]
        peer.feed("62 02 00 01");
        peer.assert_sent("70 02 00 01");
        peer.feed(publish[0]);
        peer.assert_sent("50 02 00 01");
        assert_eq!(peer.messages().len(), 1);
    }
}

#[test]
fn v5_mqtt_4_3_3_10_a_repeat_after_the_session_is_resumed_is_not_delivered() {
    let mut peer = Peer::connected(
        "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'",
        &Accept::default(),
    );
    peer.feed("34 07 00 01 'a' 00 01 00 'x'");
    assert_eq!(peer.messages().len(), 1);
    peer.server.handle_close(peer.now);
    let session = peer.server.into_session().unwrap();
    assert_eq!(session.held_packet_ids(), 1);
    let mut peer = Peer::new();
    let accept = Accept {
        session_present: true,
        ..Accept::default()
    };
    peer.connect(
        "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'",
        &accept,
        session,
    );
    peer.feed("3C 07 00 01 'a' 00 01 00 'x'");
    peer.assert_sent("50 02 00 01");
    assert!(peer.messages().is_empty());
}

#[test]
fn v5_an_unknown_pubrel_is_answered_0x92_and_in_3_x_as_any_other() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("62 02 00 01");
    peer.assert_sent("70 03 00 01 92");
    let mut peer = Peer::connected(CONNECT_V311, &Accept::default());
    peer.feed("62 02 00 01");
    peer.assert_sent("70 02 00 01");
}

#[test]
fn v5_mqtt_4_6_0_2_and_3_acknowledgements_leave_in_the_order_of_arrival() {
    let mut peer = Peer::manual(CONNECT_V5, &Accept::default());
    peer.feed("32 07 00 01 'a' 00 01 00 'x' 32 07 00 01 'a' 00 02 00 'x'");
    peer.feed("34 07 00 01 'a' 00 03 00 'x' 34 07 00 01 'a' 00 04 00 'x'");
    let tokens: Vec<_> = peer
        .messages()
        .iter()
        .map(|(_, token, _)| token.unwrap())
        .collect();
    peer.assert_sent("");
    peer.server
        .acknowledge(tokens[1], ReasonCode::NO_MATCHING_SUBSCRIBERS)
        .unwrap();
    peer.server
        .acknowledge(tokens[3], ReasonCode::SUCCESS)
        .unwrap();
    peer.assert_sent("");
    peer.server
        .acknowledge(tokens[2], ReasonCode::SUCCESS)
        .unwrap();
    peer.assert_sent("50 02 00 03 50 02 00 04");
    peer.server
        .acknowledge(tokens[0], ReasonCode::SUCCESS)
        .unwrap();
    peer.assert_sent("40 02 00 01 40 03 00 02 10");
    let again = peer.server.acknowledge(tokens[0], ReasonCode::SUCCESS);
    assert_eq!(again, Err(AckError::AlreadyAcknowledged));
}

#[test]
fn v5_mqtt_4_3_3_9_after_a_refusing_pubrec_the_identifier_is_a_new_message() {
    let mut peer = Peer::manual(CONNECT_V5, &Accept::default());
    peer.feed("34 07 00 01 'a' 00 08 00 'x'");
    let token = peer.token();
    peer.server
        .acknowledge(token, ReasonCode::QUOTA_EXCEEDED)
        .unwrap();
    peer.assert_sent("50 03 00 08 97");
    peer.feed("34 07 00 01 'a' 00 08 00 'x'");
    assert_eq!(peer.messages().len(), 1);
}

#[test]
fn v5_mqtt_3_1_2_29_a_refusal_has_words_for_who_wants_problem_information() {
    // Without and with Request Problem Information (17) 0.
    for (connect, puback) in [
        (CONNECT_V5, "40 0B 00 01 97 07 1F 00 04 'full'"),
        (
            "10 10 00 04 'MQTT' 05 02 00 3C 02 17 00 00 01 'a'",
            "40 03 00 01 97",
        ),
    ] {
        let mut peer = Peer::manual(connect, &Accept::default());
        peer.feed("32 07 00 01 'a' 00 01 00 'x'");
        let token = peer.token();
        let words = Utf8::new("full").unwrap();
        peer.server
            .acknowledge_with_reason_string(token, ReasonCode::QUOTA_EXCEEDED, words)
            .unwrap();
        peer.assert_sent(puback);
    }
}

#[test]
fn v311_mqtt_3_3_5_2_a_refused_message_is_acknowledged_as_normal() {
    let mut peer = Peer::manual(CONNECT_V311, &Accept::default());
    peer.feed("32 06 00 01 'a' 00 01 'x'");
    let token = peer.token();
    peer.server
        .acknowledge(token, ReasonCode::NOT_AUTHORIZED)
        .unwrap();
    peer.assert_sent("40 02 00 01");
}

#[test]
fn a_code_that_an_acknowledgement_cannot_carry_is_refused() {
    let mut peer = Peer::manual(CONNECT_V5, &Accept::default());
    peer.feed("32 07 00 01 'a' 00 01 00 'x'");
    let token = peer.token();
    let refused = peer.server.acknowledge(token, ReasonCode::BANNED);
    assert_eq!(refused, Err(AckError::ReasonNotAllowed(ReasonCode::BANNED)));
    peer.server.acknowledge(token, ReasonCode::SUCCESS).unwrap();
    peer.assert_sent("40 02 00 01");
}

#[test]
fn a_token_of_an_earlier_connection_is_stale_at_qos_1_and_good_at_qos_2() {
    let connect = "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'";
    let mut peer = Peer::manual(connect, &Accept::default());
    peer.feed("32 07 00 01 'a' 00 01 00 'x' 34 07 00 01 'a' 00 02 00 'x'");
    let tokens: Vec<_> = peer
        .messages()
        .iter()
        .map(|(_, token, _)| token.unwrap())
        .collect();
    peer.server.handle_close(peer.now);
    assert_eq!(
        peer.server.acknowledge(tokens[0], ReasonCode::SUCCESS),
        Err(AckError::Stale)
    );
    let session = peer.server.into_session().unwrap();
    let limits = ServerLimits {
        acknowledge: Acknowledge::Manual,
        ..ServerLimits::default()
    };
    let mut peer = Peer::with_limits(limits);
    peer.connect(
        connect,
        &Accept {
            session_present: true,
            ..Accept::default()
        },
        session,
    );
    peer.feed("3A 07 00 01 'a' 00 01 00 'x' 3C 07 00 01 'a' 00 02 00 'x'");
    let new = peer.token();
    assert_eq!(
        peer.server.acknowledge(tokens[0], ReasonCode::SUCCESS),
        Err(AckError::Stale)
    );
    peer.server
        .acknowledge(tokens[1], ReasonCode::SUCCESS)
        .unwrap();
    peer.assert_sent("50 02 00 02");
    peer.server.acknowledge(new, ReasonCode::SUCCESS).unwrap();
    peer.assert_sent("40 02 00 01");
}

#[test]
fn v5_mqtt_3_3_4_7_and_v5_u_5_7_more_than_our_receive_maximum_is_0x93() {
    let accept = Accept {
        receive_maximum: ReceiveMaximum::new(2).unwrap(),
        ..Accept::default()
    };
    let mut peer = Peer::manual(CONNECT_V5, &accept);
    peer.feed("32 07 00 01 'a' 00 01 00 'x' 34 07 00 01 'a' 00 02 00 'x'");
    // QoS 0 does not count.
    peer.feed("30 05 00 01 'a' 00 'x'");
    assert_eq!(peer.messages().len(), 3);
    peer.feed("32 07 00 01 'a' 00 03 00 'x'");
    peer.ends_with(
        ProtocolError::Exchange(Violation::ReceiveMaximumExceeded { maximum: 2 }),
        "E0 01 93",
    );
}

#[test]
fn a_qos_2_message_counts_against_our_receive_maximum_until_pubcomp() {
    let accept = Accept {
        receive_maximum: ReceiveMaximum::new(1).unwrap(),
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V5, &accept);
    for packet_id in 1..=3 {
        peer.feed(&format!("34 07 00 01 'a' 00 0{packet_id} 00 'x'"));
        peer.assert_sent(&format!("50 02 00 0{packet_id}"));
        peer.feed(&format!("62 02 00 0{packet_id}"));
        peer.assert_sent(&format!("70 02 00 0{packet_id}"));
    }
    assert_eq!(peer.messages().len(), 3);
    peer.feed("34 07 00 01 'a' 00 04 00 'x'");
    peer.assert_sent("50 02 00 04");
    assert_eq!(peer.messages().len(), 1);
    peer.feed("32 07 00 01 'a' 00 05 00 'x'");
    peer.ends_with(
        ProtocolError::Exchange(Violation::ReceiveMaximumExceeded { maximum: 1 }),
        "E0 01 93",
    );
}

#[test]
fn v311_reading_stops_at_our_receive_maximum() {
    let accept = Accept {
        receive_maximum: ReceiveMaximum::new(2).unwrap(),
        ..Accept::default()
    };
    let mut peer = Peer::manual(CONNECT_V311, &accept);
    let publish = "32 06 00 01 'a' 00 01 'x' 32 06 00 01 'a' 00 02 'x' 32 06 00 01 'a' 00 03 'x'";
    assert!(peer.feed(publish));
    assert_eq!(peer.input.len(), 8);
    let tokens: Vec<_> = peer
        .messages()
        .iter()
        .map(|(_, token, _)| token.unwrap())
        .collect();
    assert!(peer.feed(""));
    peer.server
        .acknowledge(tokens[0], ReasonCode::SUCCESS)
        .unwrap();
    // Taking the third fills the window again, but there is nothing left to wait for.
    assert!(!peer.feed(""));
    assert_eq!(peer.messages().len(), 1);
    peer.assert_sent("40 02 00 01");
}

#[test]
fn v5_mqtt_3_3_2_12_aliases_up_to_the_maximum_resolve() {
    let accept = Accept {
        topic_alias_maximum: 2,
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V5, &accept);
    peer.feed("30 08 00 01 'a' 03 23 00 01 'x' 30 08 00 01 'b' 03 23 00 02 'x'");
    peer.feed("30 07 00 00 03 23 00 02 'y' 30 07 00 00 03 23 00 01 'z'");
    let messages = peer.messages();
    let topics: Vec<_> = messages
        .iter()
        .map(|(message, ..)| message.topic().as_str())
        .collect();
    assert_eq!(topics, ["a", "b", "b", "a"]);
    assert!(
        messages
            .iter()
            .all(|(message, ..)| message.properties().is_empty())
    );
}

#[test]
fn v5_mqtt_3_3_2_9_an_alias_above_the_maximum_is_0x94() {
    let accept = Accept {
        topic_alias_maximum: 2,
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V5, &accept);
    peer.feed("30 08 00 01 'a' 03 23 00 03 'x'");
    peer.assert_sent("E0 01 94");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::Protocol(ProtocolError::Exchange(Violation::TopicAlias(_)))
    ));
}

#[test]
fn v5_mqtt_3_3_2_7_an_alias_ends_with_its_connection() {
    let connect = "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'";
    let mut peer = Peer::connected(connect, &Accept::default());
    peer.feed("30 08 00 01 'a' 03 23 00 01 'x'");
    peer.server.handle_close(peer.now);
    let session = peer.server.into_session().unwrap();
    let mut peer = Peer::new();
    peer.connect(
        connect,
        &Accept {
            session_present: true,
            ..Accept::default()
        },
        session,
    );
    peer.feed("30 07 00 00 03 23 00 01 'x'");
    peer.assert_sent("E0 01 82");
}

#[test]
fn v5_u_5_23_a_qos_above_the_maximum_is_0x9b() {
    let accept = Accept {
        maximum_qos: QoS::AtLeastOnce,
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V5, &accept);
    peer.feed("32 07 00 01 'a' 00 01 00 'x'");
    peer.assert_sent("40 02 00 01");
    assert_eq!(peer.messages().len(), 1);
    peer.feed("34 07 00 01 'a' 00 02 00 'x'");
    peer.ends_with(ProtocolError::QosNotSupported, "E0 01 9B");
}

#[test]
fn v5_u_5_24_a_retained_message_where_there_are_none_is_0x9a() {
    let accept = Accept {
        retain_available: false,
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V5, &accept);
    peer.feed("31 05 00 01 'a' 00 'x'");
    peer.ends_with(ProtocolError::RetainNotSupported, "E0 01 9A");
}

#[test]
fn what_3_x_cannot_be_told_is_not_held_against_it() {
    let accept = Accept {
        maximum_qos: QoS::AtMostOnce,
        retain_available: false,
        wildcard_subscription_available: false,
        ..Accept::default()
    };
    let mut peer = Peer::connected(CONNECT_V311, &accept);
    peer.feed("35 06 00 01 'a' 00 01 'x' 82 06 00 02 00 01 '#' 00");
    assert!(matches!(
        peer.events()[..],
        [Event::Message { .. }, Event::Subscribe(_)]
    ));
}

#[test]
fn v5_mqtt_3_3_4_6_a_subscription_identifier_from_a_client_is_0x82() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("30 06 00 01 'a' 02 0B 01");
    peer.assert_sent("E0 01 82");
    assert!(matches!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(_)
    ));
}

#[test]
fn v5_mqtt_4_13_1_1_bad_packets_are_told_and_closed() {
    for (packet, disconnect) in [
        // QoS 3. [v5 MQTT-3.3.1-4]
        ("36 07 00 01 'a' 00 01 00 'x'", "E0 01 81"),
        // DUP at QoS 0. [v5 MQTT-3.3.1-2]
        ("38 05 00 01 'a' 00 'x'", "E0 01 81"),
        // Packet type 0, and a CONNACK, which a server sends.
        ("00 00", "E0 01 81"),
        ("20 03 00 00 00", "E0 01 82"),
        // A Remaining Length of five bytes.
        ("30 FF FF FF FF 01", "E0 01 81"),
        // A wildcard in a Topic Name.
        ("30 05 00 01 '#' 00 'x'", "E0 01 81"),
        // AUTH without an Authentication Method. [v5 MQTT-4.12.0-7]
        ("F0 06 18 04 15 00 01 'X'", "E0 01 82"),
        // PUBACK, PUBREC and PUBCOMP are tolerated where they name nothing, but not with reserved flags.
        ("41 02 00 01", "E0 01 81"),
        // SUBSCRIBE without filters. [v5 MQTT-3.8.3-2]
        ("82 03 00 01 00", "E0 01 82"),
        // Reserved flags in DISCONNECT. [v5 MQTT-3.14.1-1]
        ("E1 00", "E0 01 81"),
    ] {
        let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
        // What comes after it is not looked at.
        peer.feed(&format!("{packet} 30 05 00 01 'a' 00 'x'"));
        let sent = peer.sent();
        assert_eq!(sent, hex(disconnect), "{packet}: {sent:02X?}");
        assert!(peer.disconnected().publish_will, "{packet}");
        assert!(peer.input.is_empty());
    }
}

#[test]
fn v311_mqtt_4_8_0_1_a_violation_is_closed_without_a_word() {
    for packet in [
        "36 06 00 01 'a' 00 01 'x'",
        "20 02 00 00",
        "83 06 00 01 00 01 'a' 00",
        "F0 00",
        "E1 00",
    ] {
        let mut peer = Peer::connected(CONNECT_V311, &Accept::default());
        peer.feed(packet);
        peer.assert_sent("");
        let end = peer.disconnected();
        assert!(
            matches!(end.cause, DisconnectCause::InvalidPacket(_)),
            "{packet}"
        );
        assert!(end.publish_will);
    }
}

#[test]
fn strict_text_refuses_control_characters() {
    let publish = "30 05 00 01 01 00 'x'";
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed(publish);
    assert_eq!(peer.messages().len(), 1);
    let mut peer = Peer::with_limits(ServerLimits {
        strict_text: true,
        ..ServerLimits::default()
    });
    peer.connect(CONNECT_V5, &Accept::default(), session());
    peer.feed(publish);
    assert_eq!(
        peer.disconnected().cause,
        DisconnectCause::InvalidPacket(DecodeError::DiscouragedCharacter)
    );
}

#[test]
fn any_split_of_the_input_gives_the_same_events() {
    let stream = hex(&format!(
        "{CONNECT_V5} 30 05 00 01 'a' 00 'x' 32 07 00 01 'a' 00 07 00 'x' C0 00 82 07 00 01 00 00 01 'a' 01 E0 00"
    ));
    let run = |cuts: &[usize]| {
        let mut peer = Peer::new();
        let (mut events, mut sent) = (Vec::new(), Vec::new());
        let mut start = 0;
        for end in cuts.iter().copied().chain([stream.len()]) {
            let _ = peer.feed_bytes(&stream[start..end]);
            start = end;
            loop {
                let new = peer.events();
                if new.is_empty() {
                    break;
                }
                if matches!(new[..], [Event::Connect(_)]) {
                    peer.server
                        .accept(peer.now, session(), &Accept::default())
                        .unwrap();
                }
                sent.extend(peer.sent());
                events.extend(new);
                peer.feed("");
            }
        }
        sent.extend(peer.sent());
        (events, sent)
    };
    let whole = run(&[]);
    assert_eq!(whole.0.len(), 5);
    for first in 0..stream.len() {
        for second in first..stream.len() {
            assert_eq!(
                run(&[first, second]).0,
                whole.0,
                "cut at {first} and {second}"
            );
        }
    }
}

#[test]
fn a_token_of_an_earlier_connection_does_not_open_the_window_of_this_one() {
    let connect = "10 0D 00 04 'MQTT' 04 00 00 3C 00 01 'a'";
    let accept = Accept {
        receive_maximum: ReceiveMaximum::new(1).unwrap(),
        ..Accept::default()
    };
    let mut peer = Peer::manual(connect, &accept);
    peer.feed("34 06 00 01 'a' 00 01 'x'");
    let old = peer.token();
    peer.server.handle_close(peer.now);
    let session = peer.server.into_session().unwrap();
    let mut peer = Peer::with_limits(ServerLimits {
        acknowledge: Acknowledge::Manual,
        ..ServerLimits::default()
    });
    let accept = Accept {
        session_present: true,
        ..accept
    };
    peer.connect(connect, &accept, session);
    peer.feed("32 06 00 01 'a' 00 02 'x'");
    let new = peer.token();
    assert!(peer.feed("32 06 00 01 'a' 00 03 'x'"));
    peer.server.acknowledge(old, ReasonCode::SUCCESS).unwrap();
    assert!(peer.feed(""));
    peer.server.acknowledge(new, ReasonCode::SUCCESS).unwrap();
    assert!(!peer.feed(""));
    assert_eq!(peer.messages().len(), 1);
}

#[test]
fn a_large_payload_is_a_slice_of_the_input_and_a_small_one_does_not_hold_it() {
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    // Remaining Length 5,000.
    let mut packet = hex("30 88 27 00 01 'a' 00");
    packet.resize(5_003, b'x');
    packet.extend(hex("30 05 00 01 'a' 00 'y'"));
    peer.input.extend_from_slice(&packet);
    let buffer = peer.input.as_ptr_range();
    peer.feed("");
    let messages = peer.messages();
    assert_eq!(messages[0].0.payload().len(), 4_996);
    assert!(buffer.contains(&messages[0].0.payload().as_ptr()));
    assert_eq!(messages[1].0.payload(), b"y");
    assert!(!buffer.contains(&messages[1].0.payload().as_ptr()));
}

#[test]
fn v5_a_code_that_disconnect_does_not_have_becomes_a_protocol_error() {
    // A second CONNECT, of a version there is not: 0x84 is for CONNACK alone.
    let mut peer = Peer::connected(CONNECT_V5, &Accept::default());
    peer.feed("10 0E 00 04 'MQTT' 06 02 00 3C 00 00 01 'a'");
    peer.assert_sent("E0 01 82");
    peer.disconnected();
}

#[test]
fn what_was_decided_after_the_end_is_said_in_the_words_of_the_next_connection() {
    let (v5, v311) = (
        "10 0E 00 04 'MQTT' 05 00 00 3C 00 00 01 'a'",
        "10 0D 00 04 'MQTT' 04 00 00 3C 00 01 'a'",
    );
    for (next, repeat, pubrec) in [
        (v5, "3C 07 00 01 'a' 00 01 00 'x'", "50 03 00 01 97"),
        (v311, "3C 06 00 01 'a' 00 01 'x'", "50 02 00 01"),
    ] {
        let mut peer = Peer::manual(v5, &Accept::default());
        peer.feed("34 07 00 01 'a' 00 01 00 'x'");
        let token = peer.token();
        peer.server.handle_close(peer.now);
        let refused = peer.server.acknowledge(token, ReasonCode::BANNED);
        assert_eq!(refused, Err(AckError::ReasonNotAllowed(ReasonCode::BANNED)));
        peer.server
            .acknowledge(token, ReasonCode::QUOTA_EXCEEDED)
            .unwrap();
        let session = peer.server.into_session().unwrap();
        let mut peer = Peer::new();
        let accept = Accept {
            session_present: true,
            ..Accept::default()
        };
        peer.connect(next, &accept, session);
        peer.feed(repeat);
        peer.assert_sent(pubrec);
        assert!(peer.messages().is_empty());
        // In 5.0 the refusal ended the exchange; in 3.x it goes on, and a repeat is still one.
        peer.feed(repeat);
        assert_eq!(peer.messages().is_empty(), next == v311);
    }
}

/// A message is refused with a word about it by a server whose client takes 10 bytes, and by one whose client takes 9.
#[track_caller]
fn refused_with_a_word(publish: &str, [whole, code]: [&str; 2]) {
    for (maximum, expected) in [("0A", whole), ("09", code)] {
        let connect = format!("10 13 00 04 'MQTT' 05 02 00 3C 05 27 00 00 00 {maximum} 00 01 'a'");
        // So that the CONNACK has no properties, for which there would be no room.
        let accept = Accept {
            receive_maximum: ReceiveMaximum::default(),
            maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
            topic_alias_maximum: 0,
            ..Accept::default()
        };
        let mut peer = Peer::manual(&connect, &accept);
        peer.feed(publish);
        let (token, why) = (peer.token(), Utf8::new("w").unwrap());
        peer.server
            .acknowledge_with_reason_string(token, ReasonCode::NOT_AUTHORIZED, why)
            .unwrap();
        peer.assert_sent(expected);
    }
}

#[test]
fn v5_mqtt_3_4_2_2_a_puback_loses_its_words_rather_than_exceed_the_clients_limit() {
    refused_with_a_word(
        "32 07 00 01 'a' 00 07 00 'x'",
        ["40 08 00 07 87 04 1F 00 01 'w'", "40 03 00 07 87"],
    );
}

#[test]
fn v5_mqtt_3_5_2_2_a_pubrec_loses_its_words_rather_than_exceed_the_clients_limit() {
    refused_with_a_word(
        "34 07 00 01 'a' 00 08 00 'x'",
        ["50 08 00 08 87 04 1F 00 01 'w'", "50 03 00 08 87"],
    );
}
