//! The end of a connection.

use mqtt_core::{
    QoS, ReasonCode, SessionExpiry,
    client::{Client, DisconnectCause, DisconnectError, Event, Limits, ProtocolError, State},
};

use crate::support::{Pair, options_v5};

#[test]
fn v5_mqtt_3_14_4_1_nothing_follows_a_disconnect() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.feed("32 07 0001 'a' 0001 00 'y'");
    pair.client
        .disconnect(pair.now, ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    assert!(pair.client.is_closed());
    // The answers that waited leave before it, so that nothing that was taken comes again.
    pair.expect("40 02 0001  E0 00");
    pair.publish(QoS::AtLeastOnce, "z");
    pair.feed("32 07 0001 'a' 0002 00 'y'");
    pair.expect_nothing();
    pair.expect_message(b"y");
    pair.expect_disconnected(DisconnectCause::Requested(ReasonCode::NORMAL_DISCONNECTION));
    assert_eq!(pair.client.queued(), 2);
}

#[test]
fn v311_mqtt_3_14_4_2_nothing_follows_a_disconnect() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "x");
    pair.client
        .disconnect(pair.now, ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    pair.expect("E0 00");
    pair.advance(std::time::Duration::from_secs(1_000));
    pair.expect_nothing();
}

#[test]
fn v5_mqtt_3_14_1_1_a_disconnect_with_reserved_bits_is_malformed() {
    for packet in ["E1 00", "E2 00", "E8 01 8B"] {
        let mut pair = Pair::v5();
        pair.feed(packet);
        pair.expect("E0 01 81");
        assert!(matches!(
            pair.event(),
            Event::Disconnected(DisconnectCause::Malformed(_))
        ));
    }
}

#[test]
fn v5_a_reason_and_an_expiry_can_be_given() {
    let mut pair = Pair::v5();
    pair.client
        .disconnect_with_expiry(
            pair.now,
            ReasonCode::DISCONNECT_WITH_WILL_MESSAGE,
            SessionExpiry::from_secs(16),
        )
        .unwrap();
    pair.expect("E0 07 04 05 11 00000010");
    assert!(pair.client.session().is_established());
    // Expiry 0 ends the session.
    let mut pair = Pair::v5();
    pair.client
        .disconnect_with_expiry(
            pair.now,
            ReasonCode::NORMAL_DISCONNECTION,
            SessionExpiry::AT_CLOSE,
        )
        .unwrap();
    pair.expect("E0 07 00 05 11 00000000");
    assert!(!pair.client.session().is_established());
}

#[test]
fn v5_u_5_11_disconnect_may_not_raise_the_expiry_from_0() {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v5();
    options.session_expiry = SessionExpiry::AT_CLOSE;
    pair.connect(&options);
    pair.feed("20 03 00 00 00");
    let reason = ReasonCode::NORMAL_DISCONNECTION;
    let raised = pair
        .client
        .disconnect_with_expiry(pair.now, reason, SessionExpiry::from_secs(1));
    assert_eq!(raised, Err(DisconnectError::SessionExpiry));
    assert_eq!(pair.client.state(), State::Connected);
    pair.expect_nothing();
}

#[test]
fn reasons_that_a_client_may_not_give_are_refused() {
    let mut pair = Pair::v5();
    let server_only = ReasonCode::SERVER_SHUTTING_DOWN;
    assert_eq!(
        pair.client.disconnect(pair.now, server_only),
        Err(DisconnectError::ReasonNotAllowed(server_only))
    );
    let mut pair = Pair::v311();
    let with_will = ReasonCode::DISCONNECT_WITH_WILL_MESSAGE;
    assert_eq!(
        pair.client.disconnect(pair.now, with_will),
        Err(DisconnectError::ReasonNotAllowed(with_will))
    );
    assert!(!pair.client.is_closed());
}

#[test]
fn without_a_connection_there_is_nothing_to_disconnect() {
    let mut client = Client::new(Limits::default());
    let now = mqtt_core::Instant::from_millis(0);
    let refused = Err(DisconnectError::NotConnected);
    assert_eq!(
        client.disconnect(now, ReasonCode::NORMAL_DISCONNECTION),
        refused
    );
    client.handle_close(now);
    assert_eq!(client.poll_event(), None);
    assert_eq!(client.state(), State::Idle);
}

#[test]
fn a_connect_that_was_not_written_is_taken_back() {
    let mut pair = Pair::new(Limits::default());
    pair.client.connect(pair.now, &options_v5()).unwrap();
    pair.client
        .disconnect(pair.now, ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    pair.expect_nothing();
    pair.expect_disconnected(DisconnectCause::Requested(ReasonCode::NORMAL_DISCONNECTION));
}

#[test]
fn v5_mqtt_3_1_4_3_and_v5_u_5_19_the_servers_disconnect_is_reported() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtMostOnce, "x");
    // Session taken over.
    pair.feed("E0 02 8E 00");
    let cause = DisconnectCause::Server {
        reason: ReasonCode::SESSION_TAKEN_OVER,
        properties: Default::default(),
    };
    pair.expect_nothing();
    pair.expect_disconnected(cause);
}

#[test]
fn v5_every_reason_of_a_servers_disconnect_is_reported() {
    for code in [
        0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ] {
        let mut pair = Pair::v5();
        pair.feed_bytes(&[0xE0, 1, code]);
        let Event::Disconnected(DisconnectCause::Server { reason, .. }) = pair.event() else {
            panic!("{code:#x} was not taken");
        };
        assert_eq!(reason.get(), code);
        pair.expect_nothing();
    }
}

#[test]
fn v5_the_server_reference_is_reported() {
    let mut pair = Pair::v5();
    // Use another server; Server Reference "h:1".
    pair.feed("E0 08 9C 06 1C 0003 'h:1'");
    let Event::Disconnected(DisconnectCause::Server { properties, .. }) = pair.event() else {
        panic!("not taken")
    };
    assert_eq!(
        properties
            .as_properties()
            .server_reference()
            .map(|text| text.as_str()),
        Some("h:1")
    );
}

#[test]
fn v5_mqtt_3_14_2_2_a_servers_disconnect_with_an_expiry_is_a_protocol_error() {
    let mut pair = Pair::v5();
    pair.feed("E0 07 00 05 11 0000003C");
    pair.expect("E0 01 82");
    assert!(pair.client.is_closed());
}

#[test]
fn v311_a_servers_disconnect_is_a_fault() {
    let mut pair = Pair::v311();
    pair.feed("E0 00");
    pair.expect_nothing();
    assert!(matches!(
        pair.event(),
        Event::Disconnected(DisconnectCause::Malformed(_))
    ));
}

#[test]
fn packets_that_only_a_server_takes_are_a_fault() {
    // CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ.
    for packet in [
        "10 0E 0004 'MQTT' 05 02 0000 00 0001 'c'",
        "82 07 0001 00 0001 'f' 00",
        "A2 06 0001 00 0001 'f'",
        "C0 00",
    ] {
        let mut pair = Pair::v5();
        pair.feed(packet);
        pair.expect("E0 01 82");
        assert!(pair.client.is_closed(), "{packet}");
    }
}

#[test]
fn the_cause_comes_after_everything_that_was_received_before() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::AtLeastOnce, "x");
    pair.take_sent();
    pair.feed("40 02 0001  30 05 0001 'a' 00 'y'  20 03 00 00 00  30 05 0001 'a' 00 'z'");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
    pair.expect_message(b"y");
    pair.expect_disconnected(DisconnectCause::Protocol(ProtocolError::SecondConnack));
}

#[test]
fn a_farewell_is_not_kept_for_a_transport_that_ended() {
    let mut pair = Pair::v5();
    pair.client
        .disconnect(pair.now, ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    pair.client.handle_close(pair.now);
    pair.expect_nothing();
    pair.expect_disconnected(DisconnectCause::Requested(ReasonCode::NORMAL_DISCONNECTION));
}

#[test]
fn v5_mqtt_3_14_4_2_the_connection_is_to_be_closed_after_disconnect() {
    let mut pair = Pair::v5();
    assert!(!pair.client.is_closed());
    pair.client
        .disconnect(pair.now, ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    assert_eq!(
        (pair.client.is_closed(), pair.client.state()),
        (true, State::Closed)
    );
}

#[test]
fn v5_mqtt_4_13_2_1_an_error_code_closes_even_if_it_cannot_be_sent() {
    // A server whose Maximum Packet Size is too small for a DISCONNECT with a code.
    let mut pair = Pair::v5_with(Limits::default(), "20 08 00 00 05 27 00000002");
    pair.feed("20 03 00 00 00");
    pair.expect_nothing();
    assert!(pair.client.is_closed());
    // Its own codes close too.
    let mut pair = Pair::v5();
    pair.feed("E0 01 80");
    pair.expect_nothing();
    assert!(pair.client.is_closed());
}
