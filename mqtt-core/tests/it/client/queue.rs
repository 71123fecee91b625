//! The bounds of queues, and what expires in them.

use std::time::Duration;

use mqtt_core::{
    DropReason, Outcome, Progress, Property, PublishError, QoS, ReasonCode,
    client::{Event, Limits},
};

use crate::support::{Pair, hex, message, options_v5};

const SEC: Duration = Duration::from_secs(1);

fn expiring(qos: QoS, payload: &str, seconds: u32) -> mqtt_core::Message {
    message(qos, payload)
        .with_properties(&[Property::MessageExpiryInterval(seconds)])
        .unwrap()
}

#[test]
fn the_queue_is_bounded_in_count() {
    let mut limits = Limits::default();
    limits.max_queued = 2;
    let mut pair = Pair::new(limits);
    pair.publish(QoS::AtMostOnce, "1");
    pair.publish(QoS::AtMostOnce, "2");
    let before = pair.client.clone();
    let full = Err(PublishError::QueueFull { limit: 2 });
    assert_eq!(
        pair.client.publish(pair.now, message(QoS::AtMostOnce, "3")),
        full
    );
    assert_eq!(pair.client, before, "a refusal changes nothing");
    pair.connect(&options_v5());
    pair.feed("20 03 00 00 00");
    pair.take_sent();
    // Their outcomes were not read, and outcomes are bounded too.
    assert_eq!(
        pair.client.publish(pair.now, message(QoS::AtMostOnce, "3")),
        full
    );
    while pair.client.poll_event().is_some() {}
    pair.publish(QoS::AtMostOnce, "3");
}

#[test]
fn the_queue_is_bounded_in_bytes() {
    let mut limits = Limits::default();
    limits.max_queued_bytes = 10_000;
    let mut pair = Pair::new(limits);
    let payload = "p".repeat(4_000);
    pair.publish(QoS::AtLeastOnce, &payload);
    pair.publish(QoS::AtLeastOnce, &payload);
    let before = pair.client.clone();
    let full = Err(PublishError::QueueBytesFull { limit: 10_000 });
    assert_eq!(
        pair.client
            .publish(pair.now, message(QoS::AtLeastOnce, &payload)),
        full
    );
    assert_eq!(pair.client, before);
    pair.resume_v5(false);
    pair.take_sent();
    // Messages in flight are still held.
    assert_eq!(
        pair.client
            .publish(pair.now, message(QoS::AtLeastOnce, &payload)),
        full
    );
    pair.feed("40 02 0001");
    pair.publish(QoS::AtLeastOnce, &payload);
    assert!(pair.client.session().queued_bytes() <= 10_000);
}

#[test]
fn a_message_that_can_never_fit_is_told_from_one_that_has_to_wait() {
    let mut limits = Limits::default();
    limits.max_queued_bytes = 1_000;
    let mut pair = Pair::new(limits);
    let large = message(QoS::AtLeastOnce, &"p".repeat(1_001));
    assert!(matches!(
        pair.client.publish(pair.now, large),
        Err(PublishError::MessageTooLarge { limit: 1_000, .. })
    ));
}

#[test]
fn the_oldest_waiting_message_can_be_dropped_for_room() {
    let mut limits = Limits::default();
    limits.max_queued = 2;
    let mut pair = Pair::new(limits);
    let first = pair.publish(QoS::AtMostOnce, "1");
    pair.publish(QoS::AtMostOnce, "2");
    assert_eq!(pair.client.discard_oldest(), Some(first));
    pair.expect_outcome(first, Outcome::Dropped(DropReason::Overflow));
    pair.publish(QoS::AtMostOnce, "3");
    pair.resume_v5(false);
    pair.expect("30 05 0001 'a' 00 '2'  30 05 0001 'a' 00 '3'");
}

#[test]
fn a_message_expires_in_the_queue_and_is_reported() {
    let mut pair = Pair::new(Limits::default());
    let id = pair
        .client
        .publish(pair.now, expiring(QoS::AtLeastOnce, "x", 5))
        .unwrap();
    pair.publish(QoS::AtLeastOnce, "y");
    assert_eq!(pair.client.poll_timeout(), Some(pair.now + 5 * SEC));
    pair.advance(5 * SEC);
    pair.expect_outcome(id, Outcome::Expired);
    assert_eq!(pair.client.poll_timeout(), None);
    pair.resume_v5(false);
    pair.expect("32 07 0001 'a' 0001 00 'y'");
}

#[test]
fn a_message_that_expired_while_nobody_looked_is_not_sent() {
    let mut pair = Pair::v5();
    let id = pair
        .client
        .publish(pair.now, expiring(QoS::AtMostOnce, "x", 5))
        .unwrap();
    pair.now += 6 * SEC;
    pair.expect_nothing();
    pair.expect_outcome(id, Outcome::Expired);
}

#[test]
fn v5_the_time_in_the_queue_is_taken_off_the_message_expiry_interval() {
    let mut pair = Pair::new(Limits::default());
    pair.client
        .publish(pair.now, expiring(QoS::AtMostOnce, "x", 16))
        .unwrap();
    pair.advance(Duration::from_millis(5_500));
    pair.resume_v5(false);
    // 10.5 seconds are left: rounded up.
    pair.expect("30 0A 0001 'a' 05 02 0000000B 'x'");
    // Unchanged at once.
    pair.client
        .publish(pair.now, expiring(QoS::AtMostOnce, "y", 16))
        .unwrap();
    pair.expect("30 0A 0001 'a' 05 02 00000010 'y'");
}

#[test]
fn v5_mqtt_4_3_3_7_a_message_that_was_sent_does_not_expire() {
    let mut pair = Pair::v5();
    let id = pair
        .client
        .publish(pair.now, expiring(QoS::ExactlyOnce, "x", 1))
        .unwrap();
    pair.expect("34 0C 0001 'a' 0001 05 02 00000001 'x'");
    pair.cut();
    pair.advance(3 * SEC);
    pair.expect_no_event();
    pair.resume_v5(true);
    pair.expect("3C 0C 0001 'a' 0001 05 02 00000001 'x'");
    pair.feed("50 02 0001  70 02 0001");
    assert_eq!(
        pair.event(),
        Event::Progress {
            id,
            reason: ReasonCode::SUCCESS
        }
    );
    pair.expect_acknowledged(id, ReasonCode::SUCCESS);
}

#[test]
fn input_stops_at_the_bound_of_the_event_queue_and_goes_on_when_it_was_drained() {
    let mut limits = Limits::default();
    limits.max_events = 1;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    let progress = pair.offer(&hex(
        "32 07 0001 'a' 0001 00 'x'  32 07 0001 'a' 0002 00 'y'  D0",
    ));
    assert_eq!(progress, Progress::Blocked);
    pair.expect("40 02 0001");
    assert_eq!(pair.input[..], hex("32 07 0001 'a' 0002 00 'y'  D0"));
    // Nothing was drained: nothing changes.
    assert_eq!(pair.offer(b""), Progress::Blocked);
    pair.expect_message(b"x");
    // No new bytes are needed.
    assert_eq!(pair.offer(b""), Progress::Done);
    pair.expect("40 02 0002");
    pair.expect_message(b"y");
    assert_eq!(pair.input[..], hex("D0"));
}

#[test]
fn input_stops_when_waiting_messages_hold_too_many_bytes() {
    let mut limits = Limits::default();
    limits.max_event_bytes = 10_000;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    let packet = [hex("30 A4 1F 0001 'a' 00"), vec![1; 4_000]].concat();
    let progress = pair.offer(&packet.repeat(10));
    assert_eq!(progress, Progress::Blocked);
    assert_eq!(pair.input.len(), packet.len() * 7);
}

#[test]
fn a_peer_that_asks_and_does_not_read_is_not_read_from() {
    let mut pair = Pair::v5();
    // PUBRELs of nothing, each of which asks for a PUBCOMP.
    let flood = hex("62 02 0001").repeat(20_000);
    assert_eq!(pair.offer(&flood), Progress::Congested);
    let left = pair.input.len();
    assert!(left > 0);
    assert_eq!(pair.offer(b""), Progress::Congested);
    assert_eq!(pair.input.len(), left);
    // Once it reads, it is read from.
    assert_eq!(pair.take_sent().len(), 5 * (20_000 - left / 4));
    assert_eq!(pair.offer(b""), Progress::Done);
    assert!(pair.input.is_empty());
}

#[test]
fn with_every_queue_at_one_everything_still_moves() {
    let mut limits = Limits::default();
    limits.max_queued = 1;
    limits.max_events = 1;
    limits.max_requests = 1;
    limits.receive_maximum = mqtt_core::ReceiveMaximum::new(1).unwrap();
    let mut pair = Pair::v5_with(limits, "20 06 00 00 03 21 0001");
    for _ in 0..100 {
        let id = pair.publish(QoS::ExactlyOnce, "x");
        let sent = pair.take_sent();
        let (high, low) = (sent[5], sent[6]);
        let _ = pair.offer(&[0x50, 2, high, low, 0x70, 2, high, low]);
        assert!(matches!(pair.event(), Event::Progress { .. }));
        assert_eq!(pair.take_sent(), [0x62, 2, high, low]);
        let _ = pair.offer(b"");
        pair.expect_acknowledged(id, ReasonCode::SUCCESS);
        let _ = pair.offer(&hex("32 07 0001 'a' 0001 00 'y'"));
        pair.expect_message(b"y");
        pair.expect("40 02 0001");
    }
}

#[test]
fn properties_of_answers_count_against_the_bytes_of_events() {
    let mut limits = Limits::default();
    limits.max_event_bytes = 10_000;
    let mut pair = Pair::v5_with(limits, "20 03 00 00 00");
    for _ in 0..100 {
        pair.publish(QoS::AtLeastOnce, "x");
    }
    pair.take_sent();
    for id in 1..=100_u8 {
        // A Reason String of 1,000 bytes: Remaining Length 1,008, Property Length 1,003.
        let puback = [
            &hex("40 F0 07 00")[..],
            &[id],
            &hex("00 EB 07 1F 03E8")[..],
            &[b'r'; 1_000],
        ]
        .concat();
        if pair.offer(&puback) == Progress::Blocked {
            assert_eq!(id, 11);
            return;
        }
    }
    panic!("everything was taken");
}
