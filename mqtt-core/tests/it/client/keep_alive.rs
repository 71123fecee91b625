//! Keep Alive both ways.

use std::time::Duration;

use bytes::Buf;
use mqtt_core::{
    KeepAlive, QoS,
    client::{DisconnectCause, Limits},
};

use crate::support::{Pair, options_v5};

const SEC: Duration = Duration::from_secs(1);

/// Connected with this Keep Alive; the server says `connack`.
fn connected(keep_alive: u16, connack: &str) -> Pair {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v5();
    options.keep_alive = KeepAlive::from_secs(keep_alive);
    pair.connect(&options);
    pair.feed(connack);
    pair.expect_connected(false);
    pair
}

#[test]
fn v5_mqtt_3_1_2_20_a_silent_client_sends_pingreq_in_time() {
    let mut pair = connected(10, "20 03 00 00 00");
    for _ in 0..5 {
        // A quarter early.
        pair.advance(7 * SEC);
        pair.expect_nothing();
        pair.advance(SEC);
        pair.expect("C0 00");
        pair.feed("D0 00");
    }
}

#[test]
fn v311_mqtt_3_1_2_23_received_packets_do_not_postpone_the_pingreq() {
    let mut pair = connected(10, "20 03 00 00 00");
    for _ in 0..7 {
        pair.advance(SEC);
        pair.feed("30 05 0001 'a' 00 'x'");
        pair.expect_nothing();
    }
    pair.advance(SEC);
    pair.expect("C0 00");
}

#[test]
fn a_pingreq_is_due_when_nothing_was_received_though_much_was_sent() {
    let mut pair = connected(10, "20 03 00 00 00");
    for _ in 0..7 {
        pair.advance(SEC);
        pair.publish(QoS::AtMostOnce, "x");
        pair.expect("30 05 0001 'a' 00 'x'");
    }
    pair.advance(SEC);
    pair.expect("C0 00");
    // A half-open connection takes what is sent and never answers.
    while pair.client.poll_event().is_some() {}
    for _ in 0..9 {
        pair.advance(SEC);
        pair.publish(QoS::AtLeastOnce, "x");
        pair.take_sent();
        pair.expect_no_event();
    }
    pair.advance(SEC);
    pair.expect_disconnected(DisconnectCause::KeepAliveTimeout);
}

#[test]
fn v5_mqtt_3_2_2_21_server_keep_alive_wins() {
    // Server Keep Alive 5.
    let mut pair = connected(60, "20 06 00 00 03 13 0005");
    pair.advance(5 * SEC);
    pair.expect("C0 00");
    // 0 switches it off.
    let mut pair = connected(10, "20 06 00 00 03 13 0000");
    pair.advance(10_000 * SEC);
    pair.expect_nothing();
    assert_eq!(pair.client.poll_timeout(), None);
    // It may be longer than ours.
    let mut pair = connected(10, "20 06 00 00 03 13 0064");
    pair.advance(90 * SEC);
    pair.expect_nothing();
    pair.advance(10 * SEC);
    pair.expect("C0 00");
}

#[test]
fn keep_alive_0_never_pings() {
    let mut pair = connected(0, "20 03 00 00 00");
    assert_eq!(pair.client.poll_timeout(), None);
    pair.advance(100_000 * SEC);
    pair.expect_nothing();
}

#[test]
fn v5_mqtt_3_12_4_1_and_v5_u_5_15_a_missing_pingresp_ends_the_connection() {
    let mut pair = connected(10, "20 03 00 00 00");
    pair.advance(8 * SEC);
    pair.expect("C0 00");
    pair.advance(9 * SEC);
    pair.expect_no_event();
    pair.advance(SEC);
    pair.expect_disconnected(DisconnectCause::KeepAliveTimeout);
    pair.expect_nothing();
}

#[test]
fn a_packet_in_slow_arrival_counts_as_life() {
    let mut pair = connected(10, "20 03 00 00 00");
    // A PUBLISH of 1,000 bytes, one each 5 seconds.
    pair.feed("30 E5 07 0001 'a' 00");
    for _ in 0..100 {
        pair.advance(5 * SEC);
        pair.take_sent();
        pair.feed("78");
    }
    pair.expect_no_event();
    assert!(!pair.client.is_closed());
}

#[test]
fn calling_again_with_the_same_input_is_not_life() {
    let mut pair = connected(10, "20 03 00 00 00");
    pair.feed("30 05");
    for _ in 0..20 {
        pair.advance(SEC);
        pair.take_sent();
        pair.feed("");
    }
    pair.expect_disconnected(DisconnectCause::KeepAliveTimeout);
}

#[test]
fn a_queue_that_cannot_drain_does_not_look_like_traffic() {
    let mut pair = connected(10, "20 03 00 00 00");
    // The transport takes nothing from now on, and the application goes on publishing.
    pair.publish(QoS::AtMostOnce, "x");
    let mut now = 0;
    while !pair.client.is_closed() {
        now += 1;
        assert!(now < 60, "nobody noticed");
        pair.client.poll_transmit(pair.now, &mut pair.output);
        pair.advance(SEC);
        pair.publish(QoS::AtMostOnce, "x");
    }
    // The PINGREQ was due after 7.5 s and not handed over for 10 s.
    assert_eq!(now, 18);
}

#[test]
fn a_slow_upload_in_front_of_the_pingreq_is_not_a_dead_server() {
    let mut pair = connected(10, "20 03 00 00 00");
    // 50,000 bytes that leave at 1,000 in a second, while the server says nothing.
    let payload = "p".repeat(1_000);
    for _ in 0..50 {
        pair.publish(QoS::AtMostOnce, &payload);
    }
    for second in 0..50 {
        pair.client.poll_transmit(pair.now, &mut pair.output);
        assert!(!pair.client.is_closed(), "after {second} s");
        pair.output.advance(1_000.min(pair.output.remaining()));
        pair.advance(SEC);
    }
    pair.take_sent();
    // Now it is handed over, and the time for the answer runs.
    pair.advance(9 * SEC);
    assert!(!pair.client.is_closed());
    pair.advance(2 * SEC);
    assert!(pair.client.is_closed());
}

#[test]
fn a_busy_connection_needs_no_pingreq() {
    let mut pair = connected(10, "20 03 00 00 00");
    for number in 0..100_u16 {
        pair.advance(5 * SEC);
        pair.publish(QoS::AtLeastOnce, "x");
        let sent = pair.take_sent();
        assert_eq!(sent.len(), 9, "only the PUBLISH, {number}");
        pair.feed_bytes(&[0x40, 2, sent[5], sent[6]]);
    }
}

#[test]
fn a_paused_reader_is_not_a_dead_server() {
    let mut pair = connected(10, "20 03 00 00 00");
    pair.client.pause(pair.now);
    for _ in 0..10 {
        pair.advance(10 * SEC);
        // We must not be silent all the same.
        pair.expect("C0 00");
        assert!(!pair.client.is_closed());
    }
    pair.client.resume(pair.now);
    // The answers were waiting.
    pair.advance(5 * SEC);
    pair.feed("D0 00 D0 00");
    pair.advance(2 * SEC);
    pair.expect_nothing();
    assert!(!pair.client.is_closed());
    // And if none is, the usual time runs.
    pair.client.pause(pair.now);
    pair.advance(20 * SEC);
    pair.take_sent();
    pair.client.resume(pair.now);
    pair.advance(9 * SEC);
    assert!(!pair.client.is_closed());
    pair.advance(SEC);
    pair.expect_disconnected(DisconnectCause::KeepAliveTimeout);
}

#[test]
fn a_timeout_that_is_handled_early_or_late_is_harmless() {
    let mut pair = connected(10, "20 03 00 00 00");
    for _ in 0..7 {
        pair.now += SEC;
        pair.client.handle_timeout(pair.now);
        pair.expect_nothing();
    }
    pair.now += 3 * SEC;
    pair.client.handle_timeout(pair.now);
    pair.client.handle_timeout(pair.now);
    pair.expect("C0 00");
}

#[test]
fn v5_mqtt_3_1_2_21_pings_follow_the_servers_keep_alive() {
    // Server Keep Alive 5, 60 was asked for.
    let mut pair = connected(60, "20 06 00 00 03 13 0005");
    for _ in 0..3 {
        pair.advance(4 * SEC);
        pair.expect("C0 00");
        pair.feed("D0 00");
    }
}

#[test]
fn pings_wait_for_connack() {
    let mut pair = Pair::new(Limits::default());
    let mut options = options_v5();
    options.keep_alive = KeepAlive::from_secs(1);
    pair.connect(&options);
    pair.advance(9 * SEC);
    pair.expect_nothing();
}

#[test]
fn a_second_pingreq_gives_a_dead_server_no_more_time() {
    let mut pair = connected(4, "20 03 00 00 00");
    let mut seconds = 0;
    while !pair.client.is_closed() {
        pair.advance(SEC);
        pair.take_sent();
        seconds += 1;
        assert!(seconds < 60, "nobody noticed");
    }
    // PINGREQ after 3 s, and 10 s for its answer, though the next ones were due after 6, 9 and 12 s.
    assert_eq!(seconds, 13);
}

#[test]
fn what_is_appended_to_a_stuck_output_is_not_sent() {
    let mut pair = connected(10, "20 03 00 00 00");
    pair.publish(QoS::AtMostOnce, "x");
    for _ in 0..8 {
        pair.client.poll_transmit(pair.now, &mut pair.output);
        pair.advance(SEC);
        // The server is alive, and reads nothing.
        pair.feed("30 05 0001 'b' 00 'y'");
        pair.publish(QoS::AtMostOnce, "x");
    }
    pair.client.poll_transmit(pair.now, &mut pair.output);
    let mut waiting = vec![0; pair.output.remaining()];
    pair.output.copy_to_slice(&mut waiting);
    assert!(
        waiting.windows(2).any(|bytes| bytes == [0xC0, 0]),
        "no PINGREQ"
    );
}

#[test]
fn a_connection_that_is_over_has_no_deadlines() {
    let mut pair = connected(10, "20 03 00 00 00");
    pair.client
        .disconnect(pair.now, mqtt_core::ReasonCode::NORMAL_DISCONNECTION)
        .unwrap();
    assert_eq!(pair.client.poll_timeout(), None);
    pair.expect("E0 00");
    assert_eq!(pair.client.poll_timeout(), None);
    pair.client.pause(pair.now);
    pair.client.resume(pair.now);
    assert_eq!(pair.client.poll_timeout(), None);
}
