//! CONNECT and CONNACK.

use std::time::Duration;

use mqtt_core::{
    KeepAlive, Message, Output, Progress, ProtocolVersion, QoS, ReasonCode, SessionExpiry,
    TopicName, WillMessage,
    client::{
        Client, ConnectError, ConnectOptions, DisconnectCause, Event, Limits, ProtocolError, State,
    },
};

use crate::support::{Pair, hex, options_v5, options_v311};

fn will(payload: &str, qos: QoS) -> WillMessage {
    WillMessage {
        message: Message::new(TopicName::new("w").unwrap(), payload.to_owned()).with_qos(qos),
        delay: 0,
    }
}

/// Limits that make CONNECT say as little as possible.
fn quiet_limits() -> Limits {
    let mut limits = Limits::default();
    limits.receive_maximum = mqtt_core::ReceiveMaximum::default();
    limits.maximum_packet_size = mqtt_core::MaximumPacketSize::LARGEST_POSSIBLE;
    limits.topic_alias_maximum = 0;
    limits
}

fn sent_connect(limits: Limits, options: &ConnectOptions) -> Vec<u8> {
    let mut pair = Pair::new(limits);
    pair.client.connect(pair.now, options).unwrap();
    pair.take_sent()
}

#[test]
fn v311_connect_with_will_and_credentials() {
    let mut options = ConnectOptions::new("c");
    options.version = ProtocolVersion::V3_1_1;
    options.keep_alive = KeepAlive::from_secs(10);
    options.will = Some(WillMessage {
        message: Message::new(TopicName::new("w").unwrap(), "bye")
            .with_qos(QoS::AtLeastOnce)
            .with_retain(true),
        delay: 0,
    });
    options.username = Some("u".into());
    options.password = Some(vec![0x00, 0xFF]);
    let expected = hex("10 1C \
         0004 'MQTT' 04 \
         EE \
         000A \
         0001 'c' \
         0001 'w' \
         0003 'bye' \
         0001 'u' \
         0002 00FF");
    assert_eq!(sent_connect(Limits::default(), &options), expected);
}

#[test]
fn v31_connect() {
    let mut options = ConnectOptions::new("c");
    options.version = ProtocolVersion::V3_1;
    options.keep_alive = KeepAlive::OFF;
    let expected = hex("10 0F 0006 'MQIsdp' 03 02 0000 0001 'c'");
    assert_eq!(sent_connect(Limits::default(), &options), expected);
}

#[test]
fn v5_connect_says_what_differs_from_the_defaults() {
    let mut options = ConnectOptions::new("c");
    options.keep_alive = KeepAlive::OFF;
    assert_eq!(
        sent_connect(quiet_limits(), &options),
        hex("10 0E 0004 'MQTT' 05 02 0000 00 0001 'c'")
    );

    let mut limits = quiet_limits();
    limits.receive_maximum = mqtt_core::ReceiveMaximum::new(2).unwrap();
    limits.maximum_packet_size = mqtt_core::MaximumPacketSize::new(1_000).unwrap();
    limits.topic_alias_maximum = 3;
    options.session_expiry = SessionExpiry::from_secs(16);
    options.request_problem_information = false;
    options.request_response_information = true;
    options.user_properties.push(("k".into(), "v".into()));
    let expected = hex("10 29 0004 'MQTT' 05 02 0000 \
         1B \
         11 00000010 \
         21 0002 \
         27 000003E8 \
         22 0003 \
         19 01 \
         17 00 \
         26 0001 'k' 0001 'v' \
         0001 'c'");
    assert_eq!(sent_connect(limits, &options), expected);
}

#[test]
fn v5_connect_with_a_delayed_will() {
    let mut options = ConnectOptions::new("c");
    options.keep_alive = KeepAlive::OFF;
    options.will = Some(WillMessage {
        delay: 5,
        ..will("x", QoS::ExactlyOnce)
    });
    let expected = hex("10 1A 0004 'MQTT' 05 16 0000 00 0001 'c' \
         05 18 00000005 \
         0001 'w' 0001 'x'");
    assert_eq!(sent_connect(quiet_limits(), &options), expected);
}

#[test]
fn v5_mqtt_3_1_0_1_nothing_is_sent_before_connect_nor_before_connack() {
    let mut pair = Pair::new(Limits::default());
    pair.publish(QoS::AtLeastOnce, "x");
    pair.expect_nothing();
    pair.connect(&options_v5());
    pair.publish(QoS::AtMostOnce, "y");
    pair.expect_nothing();
    pair.feed("20 03 00 00 00");
    pair.expect("32 07 0001 'a' 0001 00 'x'  30 05 0001 'a' 00 'y'");
}

#[test]
fn v5_mqtt_3_1_0_1_and_v311_mqtt_3_1_0_1_a_connack_that_comes_before_connect_was_taken_waits_for_it()
 {
    for (options, connack) in [
        (options_v5(), "20 03 00 00 00"),
        (options_v311(), "20 02 00 00"),
    ] {
        let mut pair = Pair::new(quiet_limits());
        pair.client.connect(pair.now, &options).unwrap();
        assert_eq!(pair.offer(&hex(connack)), Progress::Congested);
        pair.expect_no_event();
        let sent = pair.take_sent();
        assert_eq!(sent.first(), Some(&0x10), "{sent:?}");
        assert_eq!(pair.offer(&[]), Progress::Done);
        pair.expect_connected(false);
        pair.expect_nothing();
    }
}

#[test]
fn v5_mqtt_3_1_0_2_a_second_connect_is_refused() {
    let mut pair = Pair::v5();
    assert_eq!(
        pair.client.connect(pair.now, &options_v5()),
        Err(ConnectError::AlreadyConnected)
    );
    assert_eq!(pair.client.state(), State::Connected);
    pair.expect_nothing();
}

#[test]
fn v311_mqtt_3_1_3_7_an_empty_client_id_needs_a_clean_session() {
    let mut client = Client::new(Limits::default());
    let mut options = options_v311();
    options.client_id.clear();
    let now = mqtt_core::Instant::from_millis(0);
    assert_eq!(
        client.connect(now, &options),
        Err(ConnectError::ClientIdentifierEmpty)
    );
    assert_eq!(client.poll_transmit(now, &mut Output::new()), 0);
    options.clean_start = true;
    assert_eq!(client.connect(now, &options), Ok(()));
}

#[test]
fn options_of_5_0_are_refused_in_3_1_1() {
    let mut client = Client::new(Limits::default());
    let now = mqtt_core::Instant::from_millis(0);
    let mut options = options_v311();
    options.session_expiry = SessionExpiry::NEVER;
    assert_eq!(
        client.connect(now, &options),
        Err(ConnectError::NotInThisVersion {
            option: "session_expiry"
        })
    );
    let mut options = options_v311();
    options.will = Some(WillMessage {
        delay: 1,
        ..will("x", QoS::AtMostOnce)
    });
    assert_eq!(
        client.connect(now, &options),
        Err(ConnectError::NotInThisVersion {
            option: "will delay"
        })
    );
    assert_eq!(client.state(), State::Idle);
}

#[test]
fn v5_mqtt_3_1_3_7_an_assigned_client_identifier_is_kept_for_the_next_connection() {
    let mut pair = Pair::new(quiet_limits());
    let mut options = options_v5();
    options.client_id.clear();
    pair.connect(&options);
    // Assigned Client Identifier "s1".
    pair.feed("20 08 00 00 05 12 0002 's1'");
    let Event::Connected(info) = pair.event() else {
        panic!("not connected")
    };
    assert_eq!(info.client_id, "s1");
    pair.cut();
    pair.client.connect(pair.now, &options).unwrap();
    pair.expect("10 14 0004 'MQTT' 05 00 0000 05 11 00000E10 0002 's1'");
    // The session is found under that name.
    pair.feed("20 03 01 00 00");
    pair.expect_connected(true);
}

#[test]
fn v5_mqtt_3_2_2_16_an_empty_client_id_without_an_assigned_one_is_a_protocol_error() {
    // No Assigned Client Identifier, and one without characters.
    for connack in ["20 03 00 00 00", "20 06 00 00 03 12 00 00"] {
        let mut pair = Pair::new(Limits::default());
        let mut options = options_v5();
        options.client_id.clear();
        pair.connect(&options);
        pair.feed(connack);
        pair.expect("E0 01 82");
        pair.expect_disconnected(DisconnectCause::Protocol(
            ProtocolError::NoAssignedClientIdentifier,
        ));
    }
}

#[test]
fn v5_an_assigned_client_identifier_without_characters_leaves_the_clients_own() {
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options_v5());
    pair.feed("20 06 00 00 03 12 00 00");
    pair.expect_connected(false);
    assert_eq!(pair.client.session().client_id(), options_v5().client_id);
}

#[test]
fn v5_mqtt_3_2_2_4_session_present_without_a_session_closes() {
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options_v5());
    pair.feed("20 03 01 00 00");
    pair.expect("E0 01 82");
    pair.expect_disconnected(DisconnectCause::Protocol(ProtocolError::SessionPresent));
}

#[test]
fn v5_a_session_that_the_application_vouches_for_may_be_present() {
    let session = mqtt_core::Session::assume(Limits::default().session_bounds(), "c");
    let mut pair = Pair::with_client(Client::with_session(Limits::default(), session));
    pair.connect(&options_v5());
    pair.feed("20 03 01 00 00");
    pair.expect_connected(true);
}

#[test]
fn v5_mqtt_3_2_2_2_session_present_after_a_clean_start_closes() {
    let mut pair = Pair::v5();
    pair.cut();
    let mut options = options_v5();
    options.clean_start = true;
    pair.connect(&options);
    pair.feed("20 03 01 00 00");
    pair.expect("E0 01 82");
    pair.expect_disconnected(DisconnectCause::Protocol(ProtocolError::SessionPresent));
}

#[test]
fn v311_session_present_without_a_session_goes_on_with_an_empty_one() {
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options_v311());
    pair.feed("20 02 01 00");
    pair.expect_connected(true);
    pair.expect_nothing();
}

#[test]
fn v311_mqtt_3_2_2_1_session_present_after_a_clean_session_closes_without_disconnect() {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v311();
    options.clean_start = true;
    pair.connect(&options);
    pair.feed("20 02 01 00");
    pair.expect_nothing();
    pair.expect_disconnected(DisconnectCause::Protocol(ProtocolError::SessionPresent));
}

#[test]
fn v5_mqtt_3_2_2_7_a_refusal_closes_and_nothing_more_is_sent() {
    let mut pair = Pair::new(Limits::default());
    let id = pair.publish(QoS::AtLeastOnce, "x");
    pair.connect(&options_v5());
    // Not authorized, with a Reason String.
    pair.feed("20 07 00 87 04 1F 0001 'n'");
    let Event::Disconnected(DisconnectCause::Refused { reason, properties }) = pair.event() else {
        panic!("not refused");
    };
    assert_eq!(reason, ReasonCode::NOT_AUTHORIZED);
    assert_eq!(
        properties
            .as_properties()
            .reason_string()
            .map(|text| text.as_str()),
        Some("n")
    );
    pair.expect_nothing();
    assert!(pair.client.is_closed());
    // The message waits for the next connection.
    pair.resume_v5(false);
    pair.expect("32 07 0001 'a' 0001 00 'x'");
    pair.feed("40 02 0001");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
}

#[test]
fn v311_mqtt_3_2_2_5_a_refusal_of_3_1_1_closes() {
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options_v311());
    pair.feed("20 02 00 05");
    let Event::Disconnected(DisconnectCause::Refused { reason, .. }) = pair.event() else {
        panic!("not refused")
    };
    assert_eq!(reason, ReasonCode::NOT_AUTHORIZED);
    pair.expect_nothing();
}

#[test]
fn v5_a_refusal_in_the_form_of_3_1_1_is_an_unsupported_version() {
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options_v5());
    pair.feed("20 02 00 01");
    let Event::Disconnected(DisconnectCause::Refused { reason, .. }) = pair.event() else {
        panic!("not refused")
    };
    assert_eq!(reason, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
}

#[test]
fn v5_mqtt_3_2_0_1_and_3_14_0_1_anything_before_connack_is_a_protocol_error() {
    // PUBLISH, PINGRESP, DISCONNECT.
    for packet in ["30 04 0001 'a' 00", "D0 00", "E0 00"] {
        let mut pair = Pair::new(Limits::default());
        pair.connect(&options_v5());
        pair.feed(packet);
        pair.expect("E0 01 82");
        let Event::Disconnected(DisconnectCause::Protocol(ProtocolError::BeforeConnack(_))) =
            pair.event()
        else {
            panic!("{packet} was taken");
        };
    }
}

#[test]
fn v5_mqtt_3_2_0_2_a_second_connack_is_a_protocol_error() {
    let mut pair = Pair::v5();
    pair.feed("20 03 00 00 00");
    pair.expect("E0 01 82");
    pair.expect_disconnected(DisconnectCause::Protocol(ProtocolError::SecondConnack));
}

#[test]
fn v5_u_5_16_a_connack_that_does_not_come_ends_the_attempt() {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v5();
    options.connect_timeout = Duration::from_secs(3);
    pair.connect(&options);
    pair.advance(Duration::from_millis(2_999));
    pair.expect_no_event();
    // Half a CONNACK is not one.
    pair.feed("20 03 00");
    pair.advance(Duration::from_millis(1));
    pair.expect_disconnected(DisconnectCause::ConnectTimeout);
    pair.expect_nothing();
}

#[test]
fn v5_mqtt_4_12_0_6_and_7_auth_without_a_method_is_a_protocol_error_and_gets_no_auth() {
    let mut pair = Pair::v5();
    // AUTH 0x18 with Authentication Method "m".
    pair.feed("F0 06 18 04 15 0001 'm'");
    pair.expect("E0 01 82");
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options_v5());
    // CONNACK with Authentication Method "m".
    pair.feed("20 07 00 00 04 15 0001 'm'");
    pair.expect("E0 01 82");
    pair.expect_disconnected(DisconnectCause::Protocol(
        ProtocolError::AuthenticationMethod,
    ));
}

#[test]
fn any_split_of_the_input_gives_the_same_events() {
    let bytes = hex(
        "20 06 00 00 03 22 0005  32 07 0001 'a' 0007 00 'x'  30 05 0001 'b' 00 'y'  D0 00 E0 01 8E",
    );
    let collect = |chunk: usize| {
        let mut pair = Pair::new(Limits::default());
        pair.connect(&options_v5());
        for part in bytes.chunks(chunk) {
            pair.feed_bytes(part);
        }
        std::iter::from_fn(|| pair.client.poll_event()).collect::<Vec<_>>()
    };
    let whole = collect(bytes.len());
    assert_eq!(whole.len(), 4);
    for chunk in 1..bytes.len() {
        assert_eq!(collect(chunk), whole, "chunks of {chunk}");
    }
}

#[test]
fn secrets_are_not_shown_by_debug() {
    let mut options = options_v5();
    options.username = Some("tops3cret-user".into());
    options.password = Some(b"tops3cret-pass".to_vec());
    assert!(!format!("{options:?}").contains("tops3cret"));
    // Nor by the client that holds the CONNECT until it is written.
    let mut client = Client::new(Limits::default());
    client
        .connect(mqtt_core::Instant::from_millis(0), &options)
        .unwrap();
    let shown = format!("{client:?}");
    let bytes = format!("{:?}", b"tops3cret-pass");
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
}
