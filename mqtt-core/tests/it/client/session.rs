//! What survives a connection.

use mqtt_core::{
    DropReason, Outcome, QoS, ReasonCode, SessionExpiry, SessionLost,
    client::{Client, Event, Limits},
};

use crate::support::{Pair, options_v5, options_v311};

#[test]
fn v5_mqtt_4_4_0_1_a_resumed_session_sends_again_with_dup_and_the_same_identifiers() {
    let mut pair = Pair::v5();
    let one = pair.publish(QoS::AtLeastOnce, "1");
    let two = pair.publish(QoS::ExactlyOnce, "2");
    pair.take_sent();
    pair.cut();
    let three = pair.publish(QoS::AtLeastOnce, "3");
    pair.resume_v5(true);
    pair.expect(
        "3A 07 0001 'a' 0001 00 '1' \
         3C 07 0001 'a' 0002 00 '2' \
         32 07 0001 'a' 0003 00 '3'",
    );
    pair.feed("40 02 0001  50 02 0002  70 02 0002  40 02 0003");
    pair.expect_acknowledged(one, ReasonCode::SUCCESS);
    assert_eq!(
        pair.event(),
        Event::Progress {
            id: two,
            reason: ReasonCode::SUCCESS
        }
    );
    pair.expect_acknowledged(two, ReasonCode::SUCCESS);
    pair.expect_acknowledged(three, ReasonCode::SUCCESS);
}

#[test]
fn v311_mqtt_4_4_0_1_a_resumed_session_sends_again() {
    let mut pair = Pair::v311();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.publish(QoS::ExactlyOnce, "2");
    pair.take_sent();
    pair.feed("50 02 0002");
    pair.expect("62 02 0002");
    pair.client.handle_close(pair.now);
    pair.connect(&options_v311());
    pair.feed("20 02 01 00");
    pair.expect("62 02 0002  3A 06 0001 'a' 0001 '1'");
}

#[test]
fn v5_mqtt_4_6_0_1_the_order_of_first_sending_is_kept_not_that_of_identifiers() {
    let mut pair = Pair::v5();
    // Make the identifiers 3, 1, 2 in the order of sending: use up the window of 255 first.
    for id in 1..=254_u8 {
        pair.publish(QoS::AtLeastOnce, "");
        pair.take_sent();
        pair.feed_bytes(&[0x40, 2, 0, id]);
    }
    while pair.client.poll_event().is_some() {}
    for text in ["x", "y", "z"] {
        pair.publish(QoS::AtLeastOnce, text);
    }
    pair.expect(
        "32 07 0001 'a' 00FF 00 'x'  32 07 0001 'a' 0001 00 'y'  32 07 0001 'a' 0002 00 'z'",
    );
    pair.cut();
    pair.resume_v5(true);
    pair.expect(
        "3A 07 0001 'a' 00FF 00 'x'  3A 07 0001 'a' 0001 00 'y'  3A 07 0001 'a' 0002 00 'z'",
    );
}

#[test]
fn v5_mqtt_4_9_0_2_resent_messages_count_against_the_new_quota() {
    let mut pair = Pair::v5();
    for text in ["1", "2", "3"] {
        pair.publish(QoS::AtLeastOnce, text);
    }
    pair.take_sent();
    pair.cut();
    pair.publish(QoS::AtLeastOnce, "4");
    pair.connect(&options_v5());
    // Receive Maximum 2 this time.
    pair.feed("20 06 01 00 03 21 0002");
    pair.expect("3A 07 0001 'a' 0001 00 '1'  3A 07 0001 'a' 0002 00 '2'");
    pair.feed("40 02 0001");
    pair.expect("3A 07 0001 'a' 0003 00 '3'");
    pair.feed("40 02 0002");
    pair.expect("32 07 0001 'a' 0004 00 '4'");
}

#[test]
fn v5_an_early_ack_of_a_message_that_waits_to_be_sent_again_is_taken() {
    let mut pair = Pair::v5();
    for text in ["1", "2", "3"] {
        pair.publish(QoS::AtLeastOnce, text);
    }
    pair.take_sent();
    pair.cut();
    pair.connect(&options_v5());
    pair.feed("20 06 01 00 03 21 0001");
    pair.expect("3A 07 0001 'a' 0001 00 '1'");
    // It did not take from this quota, so it frees nothing.
    pair.feed("40 02 0002");
    pair.expect_nothing();
    pair.feed("40 02 0001");
    pair.expect("3A 07 0001 'a' 0003 00 '3'");
}

#[test]
fn v5_mqtt_3_2_2_5_a_lost_session_publishes_anew_in_order() {
    let mut pair = Pair::v5();
    let one = pair.publish(QoS::AtLeastOnce, "1");
    let two = pair.publish(QoS::ExactlyOnce, "2");
    let three = pair.publish(QoS::ExactlyOnce, "3");
    pair.take_sent();
    // The server owns the second: publishing it anew would double it.
    pair.feed("50 02 0002");
    pair.take_sent();
    assert_eq!(
        pair.event(),
        Event::Progress {
            id: two,
            reason: ReasonCode::SUCCESS
        }
    );
    pair.cut();
    let four = pair.publish(QoS::AtLeastOnce, "4");
    pair.resume_v5(false);
    pair.expect_acknowledged(two, ReasonCode::SUCCESS);
    // New messages: DUP 0, identifiers from a fresh pool.
    pair.expect(
        "32 07 0001 'a' 0001 00 '1'  34 07 0001 'a' 0002 00 '3'  32 07 0001 'a' 0003 00 '4'",
    );
    pair.feed("40 02 0001  50 03 0002 80  40 02 0003");
    pair.expect_acknowledged(one, ReasonCode::SUCCESS);
    pair.expect_acknowledged(three, ReasonCode::UNSPECIFIED_ERROR);
    pair.expect_acknowledged(four, ReasonCode::SUCCESS);
}

#[test]
fn v5_mqtt_3_2_2_5_a_lost_session_drops_what_was_in_flight_if_told_so() {
    let mut limits = Limits::default();
    limits.on_session_lost = SessionLost::Drop;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    let one = pair.publish(QoS::AtLeastOnce, "1");
    let two = pair.publish(QoS::ExactlyOnce, "2");
    pair.take_sent();
    pair.cut();
    pair.publish(QoS::AtLeastOnce, "3");
    pair.resume_v5(false);
    pair.expect_outcome(one, Outcome::Dropped(DropReason::SessionLost));
    pair.expect_outcome(two, Outcome::Dropped(DropReason::SessionLost));
    pair.expect("32 07 0001 'a' 0001 00 '3'");
}

#[test]
fn v5_mqtt_3_1_2_4_a_clean_start_drops_the_session_at_once() {
    let mut limits = Limits::default();
    limits.on_session_lost = SessionLost::Drop;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    let id = pair.publish(QoS::AtLeastOnce, "1");
    pair.take_sent();
    pair.feed("34 07 0001 'a' 0001 00 'x'");
    pair.expect_message(b"x");
    pair.cut();
    let mut options = options_v5();
    options.clean_start = true;
    pair.connect(&options);
    pair.expect_outcome(id, Outcome::Dropped(DropReason::SessionLost));
    assert_eq!(
        (
            pair.client.in_flight(),
            pair.client.session().held_packet_ids()
        ),
        (0, 0)
    );
    assert!(!pair.client.session().is_established());
}

#[test]
fn v5_mqtt_3_1_2_23_a_session_of_expiry_0_ends_with_its_connection() {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v5();
    options.session_expiry = SessionExpiry::AT_CLOSE;
    pair.connect(&options);
    pair.feed("20 03 00 00 00");
    pair.expect_connected(false);
    pair.cut();
    assert!(!pair.client.session().is_established());
    // The server overrides it with 60: the session lasts.
    pair.connect(&options);
    pair.feed("20 08 00 00 05 11 0000003C");
    let Event::Connected(info) = pair.event() else {
        panic!("not connected")
    };
    assert_eq!(info.negotiated.session_expiry, SessionExpiry::from_secs(60));
    pair.cut();
    assert!(pair.client.session().is_established());
}

#[test]
fn v5_mqtt_3_1_3_2_a_session_is_not_used_under_another_client_id() {
    let mut pair = Pair::v5();
    pair.publish(QoS::AtLeastOnce, "1");
    pair.take_sent();
    pair.cut();
    let mut options = options_v5();
    options.client_id = "other".into();
    pair.connect(&options);
    pair.feed("20 03 01 00 00");
    pair.expect("E0 01 82");
    while pair.client.poll_event().is_some() {}
    // Without that session the message is a new one.
    pair.connect(&options);
    pair.feed("20 03 00 00 00");
    pair.expect("32 07 0001 'a' 0001 00 '1'");
}

#[test]
fn the_session_can_move_to_another_client() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::AtLeastOnce, "1");
    pair.take_sent();
    let session = pair.client.clone().into_session();
    let mut pair = Pair::with_client(Client::with_session(Limits::default(), session));
    pair.resume_v5(true);
    pair.expect("3A 07 0001 'a' 0001 00 '1'");
    pair.feed("40 02 0001");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
    assert!(pair.publish(QoS::AtMostOnce, "x") > id, "ids stay unique");
}

#[test]
fn acknowledgements_of_an_old_connection_do_not_reach_the_new_one() {
    let mut pair = Pair::v5();
    pair.feed("32 07 0001 'a' 0001 00 'x'");
    pair.expect_message(b"x");
    // The PUBACK is queued, and the connection ends before it could be sent.
    pair.cut();
    pair.resume_v5(true);
    pair.expect_nothing();
}

#[test]
fn connections_may_come_and_go_any_number_of_times() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::ExactlyOnce, "1");
    pair.take_sent();
    for _ in 0..50 {
        pair.cut();
        pair.resume_v5(true);
        pair.expect("3C 07 0001 'a' 0001 00 '1'");
    }
    pair.feed("50 02 0001");
    assert_eq!(
        pair.event(),
        Event::Progress {
            id,
            reason: ReasonCode::SUCCESS
        }
    );
    for _ in 0..50 {
        pair.cut();
        pair.resume_v5(true);
        pair.expect("62 02 0001");
    }
    pair.feed("70 02 0001");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
}

#[test]
fn v31_a_session_goes_on_though_the_connack_cannot_say_so() {
    let mut options = options_v311();
    options.version = mqtt_core::ProtocolVersion::V3_1;
    let mut pair = Pair::new(Limits::default());
    pair.connect(&options);
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.publish(QoS::AtLeastOnce, "1");
    pair.publish(QoS::ExactlyOnce, "2");
    pair.take_sent();
    pair.feed("50 02 0002  34 06 0001 'a' 0007 'x'");
    pair.take_sent();
    while pair.client.poll_event().is_some() {}
    pair.cut();
    pair.connect(&options);
    pair.feed("20 02 00 00");
    pair.expect_connected(false);
    pair.expect("62 02 0002  3A 06 0001 'a' 0001 '1'");
    // Received before, so not delivered again.
    pair.feed("3C 06 0001 'a' 0007 'x'");
    pair.expect("50 02 0007");
    pair.expect_no_event();
    // With a clean session nothing goes on.
    pair.cut();
    options.clean_start = true;
    pair.connect(&options);
    pair.feed("20 02 00 00");
    pair.expect("32 06 0001 'a' 0001 '1'");
}

#[test]
fn v5_mqtt_3_3_1_1_a_redelivered_publish_has_dup_and_its_retain_flag() {
    let mut pair = Pair::v5();
    let retained = crate::support::message(QoS::AtLeastOnce, "x").with_retain(true);
    pair.client.publish(pair.now, retained).unwrap();
    pair.expect("33 07 0001 'a' 0001 00 'x'");
    pair.cut();
    pair.resume_v5(true);
    pair.expect("3B 07 0001 'a' 0001 00 'x'");
}

#[test]
fn v5_mqtt_4_1_0_1_nothing_in_flight_is_dropped_while_connected() {
    let mut pair = Pair::v5();
    pair.publish(QoS::ExactlyOnce, "x");
    pair.take_sent();
    // Longer than the Session Expiry Interval.
    pair.advance(std::time::Duration::from_secs(1_000_000));
    pair.expect_no_event();
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
}
