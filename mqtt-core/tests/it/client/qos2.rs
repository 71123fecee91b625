//! Sending at QoS 2.

use mqtt_core::{
    Outcome, QoS, ReasonCode,
    client::{Event, Limits},
};

use crate::support::Pair;

#[test]
fn v5_mqtt_4_3_3_the_whole_exchange() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::ExactlyOnce, "x");
    pair.expect("34 07 0001 'a' 0001 00 'x'");
    pair.feed("50 02 0001");
    assert_eq!(
        pair.event(),
        Event::Progress {
            id,
            reason: ReasonCode::SUCCESS
        }
    );
    pair.expect("62 02 0001");
    pair.feed("70 02 0001");
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
    pair.expect_nothing();
    assert_eq!(pair.client.in_flight(), 0);
}

#[test]
fn v311_mqtt_4_3_3_1_publish_is_never_sent_again_after_pubrel() {
    let mut pair = Pair::v311();
    let id = pair.publish(QoS::ExactlyOnce, "x");
    pair.expect("34 06 0001 'a' 0001 'x'");
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
    pair.client.handle_close(pair.now);
    pair.connect(&crate::support::options_v311());
    pair.feed("20 02 01 00");
    pair.expect("62 02 0001");
    // A late repeat of the PUBREC asks for the PUBREL, not for the message.
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
    pair.feed("70 02 0001");
    let last = std::iter::from_fn(|| pair.client.poll_event()).last();
    assert!(
        matches!(last, Some(Event::Outcome { id: of, outcome: Outcome::Acknowledged { .. } }) if of == id)
    );
}

#[test]
fn v5_mqtt_4_3_3_4_a_pubrec_with_an_error_ends_the_exchange_without_pubrel() {
    // Quota 1, so that the second message shows that the quota came back.
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 21 0001");
    let first = pair.publish(QoS::ExactlyOnce, "1");
    pair.publish(QoS::ExactlyOnce, "2");
    pair.expect("34 07 0001 'a' 0001 00 '1'");
    pair.feed("50 03 0001 87");
    pair.expect_acknowledged(first, ReasonCode::NOT_AUTHORIZED);
    pair.expect("34 07 0001 'a' 0002 00 '2'");
}

#[test]
fn v5_mqtt_4_3_3_4_a_pubrec_with_an_error_after_one_that_took_the_message_asks_for_pubrel_again() {
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 21 0001");
    let first = pair.publish(QoS::ExactlyOnce, "1");
    pair.publish(QoS::ExactlyOnce, "2");
    pair.expect("34 07 0001 'a' 0001 00 '1'");
    pair.feed("50 02 0001");
    let progress = Event::Progress {
        id: first,
        reason: ReasonCode::SUCCESS,
    };
    assert_eq!(pair.event(), progress);
    pair.expect("62 02 0001");
    pair.feed("50 03 0001 97");
    // The exchange goes on, and so the quota does not come back yet.
    pair.expect("62 02 0001");
    pair.expect_no_event();
    pair.feed("70 02 0001");
    pair.expect_acknowledged(first, ReasonCode::SUCCESS);
    pair.expect("34 07 0001 'a' 0002 00 '2'");
}

#[test]
fn v5_a_pubrec_of_0x10_is_the_outcome() {
    let mut pair = Pair::v5();
    let id = pair.publish(QoS::ExactlyOnce, "x");
    pair.take_sent();
    pair.feed("50 03 0001 10");
    assert_eq!(
        pair.event(),
        Event::Progress {
            id,
            reason: ReasonCode::NO_MATCHING_SUBSCRIBERS
        }
    );
    pair.feed("70 02 0001");
    pair.expect_acknowledged(id, ReasonCode::NO_MATCHING_SUBSCRIBERS);
}

#[test]
fn v5_mqtt_2_2_1_5_an_unknown_pubrec_is_answered_with_0x92() {
    let mut pair = Pair::v5();
    pair.feed("50 02 0009");
    pair.expect("62 03 0009 92");
    // One with an error ends what there may have been.
    pair.feed("50 03 0009 80");
    pair.expect_nothing();
    pair.expect_no_event();
}

#[test]
fn v311_an_unknown_pubrec_is_answered_with_pubrel() {
    let mut pair = Pair::v311();
    pair.feed("50 02 0009");
    pair.expect("62 02 0009");
}

#[test]
fn v5_a_puback_or_an_early_pubcomp_for_qos_2_is_a_protocol_error() {
    for packet in ["40 02 0001", "70 02 0001"] {
        let mut pair = Pair::v5();
        pair.publish(QoS::ExactlyOnce, "x");
        pair.take_sent();
        pair.feed(packet);
        pair.expect("E0 01 82");
        assert!(pair.client.is_closed());
    }
}

#[test]
fn v5_unknown_pubcomp_and_puback_are_tolerated() {
    let mut pair = Pair::v5();
    pair.feed("70 02 0001  70 03 0002 92  40 03 0003 80");
    pair.expect_nothing();
    pair.expect_no_event();
    assert!(!pair.client.is_closed());
}

#[test]
fn v5_mqtt_4_6_0_4_pubrels_leave_in_the_order_of_the_pubrecs() {
    let mut pair = Pair::v5();
    for text in ["1", "2", "3"] {
        pair.publish(QoS::ExactlyOnce, text);
    }
    pair.take_sent();
    pair.feed("50 02 0002  50 02 0001");
    pair.expect("62 02 0002  62 02 0001");
    while pair.client.poll_event().is_some() {}
    // The same after a resumed session, where the third is still at its PUBLISH.
    pair.cut();
    pair.resume_v5(true);
    pair.expect("62 02 0002  62 02 0001  3C 07 0001 'a' 0003 00 '3'");
}

#[test]
fn v5_mqtt_4_9_0_3_and_v5_u_5_13_a_pubcomp_for_a_pubrel_of_an_old_connection_does_not_raise_the_quota()
 {
    let mut pair = Pair::v5_with(Limits::default(), "20 06 00 00 03 21 0001");
    pair.publish(QoS::ExactlyOnce, "1");
    pair.take_sent();
    pair.feed("50 02 0001");
    pair.take_sent();
    while pair.client.poll_event().is_some() {}
    pair.cut();
    pair.publish(QoS::AtLeastOnce, "2");
    pair.publish(QoS::AtLeastOnce, "3");
    pair.connect(&crate::support::options_v5());
    pair.feed("20 06 01 00 03 21 0001");
    pair.expect("62 02 0001  32 07 0001 'a' 0002 00 '2'");
    pair.feed("70 02 0001");
    pair.expect_nothing();
    pair.feed("40 02 0002");
    pair.expect("32 07 0001 'a' 0003 00 '3'");
}

#[test]
fn v5_mqtt_4_3_3_1_an_identifier_is_not_given_out_again_before_pubcomp() {
    let mut pair = Pair::v5();
    pair.publish(QoS::ExactlyOnce, "1");
    pair.take_sent();
    pair.feed("50 02 0001");
    pair.take_sent();
    // Every other identifier of the first window goes round more than once.
    for _ in 0..1_000 {
        pair.publish(QoS::AtLeastOnce, "");
        let sent = pair.take_sent();
        assert_ne!(sent[5..7], [0, 1]);
        pair.feed_bytes(&[0x40, 2, sent[5], sent[6]]);
        while pair.client.poll_event().is_some() {}
    }
}

#[test]
fn v5_mqtt_4_3_3_2_and_3_the_first_send_has_dup_0_and_is_unacknowledged_until_pubrec() {
    let mut pair = Pair::v5();
    pair.publish(QoS::ExactlyOnce, "x");
    pair.expect("34 07 0001 'a' 0001 00 'x'");
    pair.cut();
    pair.resume_v5(true);
    pair.expect("3C 07 0001 'a' 0001 00 'x'");
}

#[test]
fn v5_mqtt_4_3_3_3_the_publish_is_unacknowledged_until_pubrec() {
    let mut pair = Pair::v5();
    pair.publish(QoS::ExactlyOnce, "x");
    pair.take_sent();
    pair.feed("50 02 0002");
    assert!(pair.client.session().queued_bytes() > 0);
    pair.feed("50 02 0001");
    // Only the identifier is kept from here on.
    assert_eq!(pair.client.session().queued_bytes(), 0);
}

#[test]
fn v5_mqtt_4_3_3_5_the_pubrel_is_unacknowledged_until_pubcomp() {
    let mut pair = Pair::v5();
    pair.publish(QoS::ExactlyOnce, "x");
    pair.take_sent();
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
    while pair.client.poll_event().is_some() {}
    pair.cut();
    pair.resume_v5(true);
    pair.expect("62 02 0001");
    pair.feed("70 02 0001");
    while pair.client.poll_event().is_some() {}
    pair.cut();
    pair.resume_v5(true);
    pair.expect_nothing();
}

#[test]
fn v5_mqtt_4_3_3_6_the_publish_is_never_sent_again_after_pubrel() {
    let mut pair = Pair::v5();
    pair.publish(QoS::ExactlyOnce, "x");
    pair.take_sent();
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
    // A late duplicate of the PUBREC, on this connection and on the next.
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
    while pair.client.poll_event().is_some() {}
    pair.cut();
    pair.resume_v5(true);
    pair.expect("62 02 0001");
    pair.feed("50 02 0001");
    pair.expect("62 02 0001");
}
