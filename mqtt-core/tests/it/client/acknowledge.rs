//! Acknowledgement by the application.

use mqtt_core::{
    AckError, AckToken, Acknowledge, ReasonCode, ReceiveMaximum, Utf8,
    client::{Event, Limits},
};

use crate::support::Pair;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.acknowledge = Acknowledge::Manual;
    limits
}

fn manual() -> Pair {
    Pair::v5_with(limits(), "20 03 00 00 00")
}

#[track_caller]
fn token(pair: &mut Pair) -> AckToken {
    match pair.event() {
        Event::Message {
            token: Some(token), ..
        } => token,
        other => panic!("no token in {other:?}"),
    }
}

#[test]
fn v5_mqtt_4_3_2_4_nothing_is_acknowledged_before_the_application_says_so() {
    let mut pair = manual();
    pair.feed("32 07 0001 'a' 0007 00 'x'");
    pair.expect_nothing();
    let token = token(&mut pair);
    assert_eq!(token.packet_id().get(), 7);
    assert_eq!(pair.client.acknowledge(token, ReasonCode::SUCCESS), Ok(()));
    pair.expect("40 02 0007");
    assert_eq!(
        pair.client.acknowledge(token, ReasonCode::SUCCESS),
        Err(AckError::AlreadyAcknowledged)
    );
    pair.expect_nothing();
}

#[test]
fn v5_mqtt_4_8_2_6_the_application_can_refuse_a_message_for_good() {
    // Of a shared subscription: the server then gives it to nobody else.
    let mut pair = manual();
    pair.feed("32 07 0001 'a' 0007 00 'x'  34 07 0001 'a' 0008 00 'y'");
    for expected in ["40 03 0007 97", "50 03 0008 97"] {
        let token = token(&mut pair);
        pair.client
            .acknowledge(token, ReasonCode::QUOTA_EXCEEDED)
            .unwrap();
        pair.expect(expected);
    }
}

/// PUBACK and PUBREC: Packet Identifier, Reason Code 0x97, Property Length 9, Reason String (31) "no room".
const WITH_REASON_STRING: [&str; 2] = [
    "40 0E 0007 97 0A 1F 0007 'no room'",
    "50 0E 0008 97 0A 1F 0007 'no room'",
];

#[track_caller]
fn refuse_both_in_words(pair: &mut Pair, expected: [&str; 2]) {
    pair.feed("32 07 0001 'a' 0007 00 'x'  34 07 0001 'a' 0008 00 'y'");
    for expected in expected {
        let token = token(pair);
        let words = Utf8::new("no room").unwrap();
        pair.client
            .acknowledge_with_reason_string(token, ReasonCode::QUOTA_EXCEEDED, words)
            .unwrap();
        pair.expect(expected);
    }
}

#[test]
fn v5_a_refusal_can_say_why_in_words() {
    refuse_both_in_words(&mut manual(), WITH_REASON_STRING);
}

#[test]
fn v5_mqtt_3_4_2_2_and_3_5_2_2_words_the_server_has_no_room_for_are_left_out() {
    // Maximum Packet Size (27) of 15 bytes, which these packets would exceed by one; then of 16, which they just meet.
    let mut pair = Pair::v5_with(limits(), "20 08 00 00 05 27 0000000F");
    refuse_both_in_words(&mut pair, ["40 03 0007 97", "50 03 0008 97"]);
    let mut pair = Pair::v5_with(limits(), "20 08 00 00 05 27 00000010");
    refuse_both_in_words(&mut pair, WITH_REASON_STRING);
}

#[test]
fn v5_words_wait_for_their_turn() {
    let mut pair = manual();
    pair.feed("34 07 0001 'a' 0001 00 'x'  34 07 0001 'a' 0002 00 'y'");
    let tokens = [token(&mut pair), token(&mut pair)];
    let words = Utf8::new("full").unwrap();
    pair.client
        .acknowledge_with_reason_string(tokens[1], ReasonCode::QUOTA_EXCEEDED, words)
        .unwrap();
    pair.expect_nothing();
    pair.client
        .acknowledge(tokens[0], ReasonCode::SUCCESS)
        .unwrap();
    pair.expect("50 02 0001  50 0B 0002 97 07 1F 0004 'full'");
}

#[test]
fn v5_mqtt_4_6_0_2_pubacks_leave_in_the_order_of_arrival() {
    let mut pair = manual();
    pair.feed("32 07 0001 'a' 0001 00 'x'  32 07 0001 'a' 0002 00 'y'  32 07 0001 'a' 0003 00 'z'");
    let tokens = [token(&mut pair), token(&mut pair), token(&mut pair)];
    pair.client
        .acknowledge(tokens[2], ReasonCode::SUCCESS)
        .unwrap();
    pair.expect_nothing();
    pair.client
        .acknowledge(tokens[0], ReasonCode::NOT_AUTHORIZED)
        .unwrap();
    pair.expect("40 03 0001 87");
    pair.client
        .acknowledge(tokens[1], ReasonCode::SUCCESS)
        .unwrap();
    pair.expect("40 02 0002  40 02 0003");
}

#[test]
fn v5_mqtt_4_6_0_3_pubrecs_leave_in_the_order_of_arrival_and_do_not_wait_for_pubacks() {
    let mut pair = manual();
    pair.feed("32 07 0001 'a' 0009 00 'w'  34 07 0001 'a' 0001 00 'x'  34 07 0001 'a' 0002 00 'y'");
    let tokens = [token(&mut pair), token(&mut pair), token(&mut pair)];
    pair.client
        .acknowledge(tokens[2], ReasonCode::SUCCESS)
        .unwrap();
    pair.expect_nothing();
    pair.client
        .acknowledge(tokens[1], ReasonCode::SUCCESS)
        .unwrap();
    pair.expect("50 02 0001  50 02 0002");
    pair.client
        .acknowledge(tokens[0], ReasonCode::SUCCESS)
        .unwrap();
    pair.expect("40 02 0009");
}

#[test]
fn v5_mqtt_4_3_3_9_after_a_pubrec_with_an_error_the_identifier_is_a_new_message() {
    let mut pair = manual();
    for _ in 0..2 {
        pair.feed("34 07 0001 'a' 0008 00 'x'");
        let token = token(&mut pair);
        pair.client
            .acknowledge(token, ReasonCode::QUOTA_EXCEEDED)
            .unwrap();
        pair.expect("50 03 0008 97");
    }
    assert_eq!(pair.client.unacknowledged(), 0);
    assert_eq!(pair.client.session().held_packet_ids(), 0);
}

#[test]
fn v311_only_success_can_be_said() {
    let mut pair = Pair::new(limits());
    pair.connect(&crate::support::options_v311());
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.feed("32 06 0001 'a' 0007 'x'");
    let token = token(&mut pair);
    let reason = ReasonCode::NOT_AUTHORIZED;
    assert_eq!(
        pair.client.acknowledge(token, reason),
        Err(AckError::ReasonNotAllowed(reason))
    );
    pair.expect_nothing();
    // It has no words either.
    let words = Utf8::new("taken").unwrap();
    pair.client
        .acknowledge_with_reason_string(token, ReasonCode::SUCCESS, words)
        .unwrap();
    pair.expect("40 02 0007");
}

#[test]
fn v5_a_reason_code_that_puback_cannot_carry_is_refused() {
    let mut pair = manual();
    pair.feed("32 07 0001 'a' 0007 00 'x'");
    let token = token(&mut pair);
    let reason = ReasonCode::KEEP_ALIVE_TIMEOUT;
    assert_eq!(
        pair.client.acknowledge(token, reason),
        Err(AckError::ReasonNotAllowed(reason))
    );
    pair.client.acknowledge(token, ReasonCode::SUCCESS).unwrap();
}

#[test]
fn a_token_of_qos_1_is_stale_on_the_next_connection() {
    let mut pair = manual();
    pair.feed("32 07 0001 'a' 0001 00 'x'");
    let old = token(&mut pair);
    pair.cut();
    assert_eq!(
        pair.client.acknowledge(old, ReasonCode::SUCCESS),
        Err(AckError::Stale)
    );
    pair.resume_v5(true);
    assert_eq!(
        pair.client.acknowledge(old, ReasonCode::SUCCESS),
        Err(AckError::Stale)
    );
    // The server sends it again, and the application gets it again.
    pair.feed("3A 07 0001 'a' 0001 00 'x'");
    assert_eq!(
        pair.client.acknowledge(old, ReasonCode::SUCCESS),
        Err(AckError::Stale)
    );
    pair.expect_nothing();
    let new = token(&mut pair);
    assert_ne!(new.epoch(), old.epoch());
    pair.client.acknowledge(new, ReasonCode::SUCCESS).unwrap();
    pair.expect("40 02 0001");
}

#[test]
fn a_token_of_qos_2_is_good_for_the_session() {
    let mut pair = manual();
    pair.feed("34 07 0001 'a' 0001 00 'x'  34 07 0001 'a' 0002 00 'y'");
    let (x, y) = (token(&mut pair), token(&mut pair));
    pair.cut();
    // One is acknowledged between the connections, one after its repeat.
    pair.client.acknowledge(x, ReasonCode::SUCCESS).unwrap();
    pair.resume_v5(true);
    pair.expect_nothing();
    pair.feed("3C 07 0001 'a' 0001 00 'x'  3C 07 0001 'a' 0002 00 'y'");
    pair.expect_no_event();
    pair.expect("50 02 0001");
    pair.client.acknowledge(y, ReasonCode::SUCCESS).unwrap();
    pair.expect("50 02 0002");
    pair.feed("62 02 0001  62 02 0002");
    pair.expect("70 02 0001  70 02 0002");
}

#[test]
fn a_token_of_qos_2_is_stale_when_the_session_was_lost() {
    let mut pair = manual();
    pair.feed("34 07 0001 'a' 0001 00 'x'");
    let old = token(&mut pair);
    pair.cut();
    pair.resume_v5(false);
    pair.feed("34 07 0001 'a' 0001 00 'y'");
    assert_eq!(
        pair.client.acknowledge(old, ReasonCode::SUCCESS),
        Err(AckError::Stale)
    );
    pair.expect_nothing();
}

#[test]
fn a_message_refused_between_connections_is_refused_when_it_comes_again() {
    let mut pair = manual();
    pair.feed("34 07 0001 'a' 0001 00 'x'");
    let token = token(&mut pair);
    pair.cut();
    let words = Utf8::new("full").unwrap();
    pair.client
        .acknowledge_with_reason_string(token, ReasonCode::QUOTA_EXCEEDED, words)
        .unwrap();
    pair.resume_v5(true);
    pair.feed("3C 07 0001 'a' 0001 00 'x'");
    pair.expect("50 0B 0001 97 07 1F 0004 'full'");
    pair.expect_no_event();
}

#[test]
fn a_repeat_of_a_message_that_waits_for_its_acknowledgement_is_not_delivered() {
    let mut pair = Pair::new(limits());
    pair.connect(&crate::support::options_v311());
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    // A server of 3.1 may send again on a timer.
    pair.feed("32 06 0001 'a' 0001 'x'  3A 06 0001 'a' 0001 'x'");
    pair.feed("34 06 0001 'a' 0002 'y'  3C 06 0001 'a' 0002 'y'");
    let tokens = [token(&mut pair), token(&mut pair)];
    pair.expect_no_event();
    for token in tokens {
        pair.client.acknowledge(token, ReasonCode::SUCCESS).unwrap();
    }
    pair.expect("40 02 0001  50 02 0002");
}

#[test]
fn v5_a_full_receive_window_stays_full_until_the_application_acknowledges() {
    let mut limits = limits();
    limits.receive_maximum = ReceiveMaximum::new(1).unwrap();
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    pair.feed("32 07 0001 'a' 0001 00 'x'");
    let token = token(&mut pair);
    pair.expect_nothing();
    assert_eq!(pair.client.unacknowledged(), 1);
    pair.client.acknowledge(token, ReasonCode::SUCCESS).unwrap();
    pair.expect("40 02 0001");
    pair.feed("32 07 0001 'a' 0002 00 'y'");
    assert!(!pair.client.is_closed());
    pair.feed("32 07 0001 'a' 0003 00 'z'");
    pair.expect("E0 01 93");
}

#[test]
fn v5_a_pubrel_before_its_pubrec_is_a_protocol_error() {
    let mut pair = manual();
    pair.feed("34 07 0001 'a' 0001 00 'x'  62 02 0001");
    pair.expect("E0 01 82");
}

#[test]
fn v311_a_refusal_that_cannot_be_said_is_an_acknowledgement() {
    let mut pair = Pair::new(limits());
    pair.connect(&crate::support::options_v311());
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.feed("34 06 0001 'a' 0001 'x'");
    let token = token(&mut pair);
    pair.cut();
    // Which version the next connection speaks is not known here.
    pair.client
        .acknowledge(token, ReasonCode::QUOTA_EXCEEDED)
        .unwrap();
    pair.connect(&crate::support::options_v311());
    pair.feed("20 02 01 00");
    pair.expect_connected(true);
    pair.feed("3C 06 0001 'a' 0001 'x'");
    pair.expect("50 02 0001");
    pair.expect_no_event();
}
