use crate::support::{Peer, broker, broker_with, packet, string};

#[tokio::test(start_paused = true)]
async fn wildcards_match_as_the_standard_says() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("a/+/c", 0).await;
    receiver.subscribe_v5("b/#", 0).await;
    receiver.subscribe_v5("+", 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for (topic, code) in [
        ("a/b/c", 0),
        ("a//c", 0),
        ("a/b/d", 0x10),
        ("a/b/c/d", 0x10),
        ("b", 0),
        ("b/x/y", 0),
        ("c", 0),
        ("/c", 0x10),
        ("$c", 0x10),
    ] {
        assert_eq!(sender.publish_qos_1(topic, b"x").await, code, "{topic}");
        if code == 0 {
            receiver
                .expect_bytes(&packet(0x30, &[&string(topic), &[0], b"x"]))
                .await;
        }
    }
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_4_2_3_4_overlapping_subscriptions_give_one_copy_with_all_identifiers() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    // Subscription Identifiers 7 (at QoS 0) and 300 (at QoS 1).
    receiver.send("82 0B 0001 02 0B07 | 0003'a/+' 00").await;
    receiver.expect("90 04 0001 00 00").await;
    receiver.send("82 0C 0002 03 0BAC02 | 0003'a/b' 01").await;
    receiver.expect("90 04 0002 00 01").await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("a/b", b"x").await, 0);
    let (first, body) = receiver.packet().await;
    assert_eq!((first, &body[..5], body[7]), (0x32, &b"\x00\x03a/b"[..], 5));
    let identifiers = &body[8..13];
    assert!(
        identifiers == b"\x0B\x07\x0B\xAC\x02" || identifiers == b"\x0B\xAC\x02\x0B\x07",
        "{identifiers:02X?}"
    );
    receiver.ping().await;
    // Another session has its own.
    assert_eq!(sender.publish_qos_1("a/c", b"x").await, 0);
    receiver.expect("30 09 | 0003'a/c' 02 0B07 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_4_3_subscribing_again_replaces() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "r").await;
    peer.subscribe_v5("t", 0).await;
    peer.subscribe_v5("t", 1).await;
    assert_eq!(broker.statistics().subscriptions, 1);
    let mut sender = Peer::clean(&broker, "s").await;
    sender.publish_qos_1("t", b"x").await;
    peer.expect("32 07 | 0001't' 0001 00 'x'").await;
    peer.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_4_8_the_lower_qos_counts() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("34 07 | 0001't' 0001 00 'x'").await;
    receiver.expect("32 07 | 0001't' 0001 00 'x'").await;
    sender.send("30 05 | 0001't' 00 'y'").await;
    receiver.expect("30 05 | 0001't' 00 'y'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_3_3_no_local_spares_the_publisher_only() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("t", 0x04).await;
    let mut other = Peer::clean(&broker, "b").await;
    peer.send("30 05 | 0001't' 00 'x'").await;
    peer.ping().await;
    other.send("30 05 | 0001't' 00 'y'").await;
    peer.expect("30 05 | 0001't' 00 'y'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_4_5_and_3_10_4_6_several_filters_get_one_answer_in_their_order() {
    let broker = broker_with(|options| {
        options.max_subscriptions = 2;
        options.max_topic_levels = 3;
    });
    let mut peer = Peer::clean(&broker, "a").await;
    // Too deep, granted at 2, granted at 0, one too many.
    peer.send("82 19 0001 00 | 0007'a/b/c/d' 00 | 0001'a' 02 | 0001'b' 00 | 0001'c' 00")
        .await;
    peer.expect_explained(
        0x90,
        "0001",
        "filter 1: it has more levels than may be",
        "8F 02 00 97",
    )
    .await;
    assert_eq!(broker.statistics().subscriptions, 2);
    // Replacing needs no room.
    peer.subscribe_v5("a", 0).await;
    // One deleted, one that never was.
    peer.send("A2 09 0002 00 | 0001'a' | 0001'x'").await;
    peer.expect("B0 05 0002 00 | 00 11").await;
    assert_eq!(broker.statistics().subscriptions, 1);
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_8_4_4_and_3_10_4_6_several_filters_get_one_answer_in_their_order() {
    let broker = broker_with(|options| options.max_topic_levels = 3);
    let mut peer = Peer::clean_v311(&broker, "b").await;
    // Too deep, granted at 1, granted at 0.
    peer.send("82 14 0001 | 0007'a/b/c/d' 00 | 0001'a' 01 | 0001'b' 00")
        .await;
    peer.expect("90 05 0001 | 80 01 00").await;
    peer.send("30 04 | 0001'a' 'x' | 30 04 | 0001'b' 'y'").await;
    peer.expect("30 04 | 0001'a' 'x' | 30 04 | 0001'b' 'y'")
        .await;
    // Two deleted, one that never was.
    peer.send("A2 0B 0002 | 0001'a' | 0001'x' | 0001'b'").await;
    peer.expect("B0 02 0002").await;
    peer.send("30 04 | 0001'a' 'x' | 30 04 | 0001'b' 'y'").await;
    peer.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_10_4_1_unsubscribing_needs_the_very_filter() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("a/+", 0).await;
    peer.send("A2 08 0001 00 | 0003'a/b'").await;
    peer.expect("B0 04 0001 00 11").await;
    assert_eq!(peer.publish_qos_1("a/b", b"x").await, 0);
    peer.expect("30 07 | 0003'a/b' 00 'x'").await;
    peer.send("A2 08 0002 00 | 0003'a/+'").await;
    peer.expect("B0 04 0002 00 00").await;
    assert_eq!(peer.publish_qos_1("a/b", b"x").await, 0x10);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_8_2_2_a_shared_subscription_without_a_filter_is_malformed() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("82 0F 0001 00 | 0009'$share/g/' 00 ").await;
    let (first, body) = peer.packet().await;
    assert!(
        first == 0xE0 && [0x81, 0x82, 0x8F].contains(&body[0]),
        "{first:02X} {body:02X?}"
    );
    assert_eq!(broker.statistics().subscriptions, 0);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_end_with_their_session() {
    let broker = broker_with(|options| options.max_subscription_bytes = 2_000);
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("a/b", 0).await;
    peer.subscribe_v5("c", 0).await;
    // The room of all sessions together is used up.
    peer.send("82 0F 0001 00 | 0009'd/e/f/g/h' 00").await;
    peer.expect_explained(
        0x90,
        "0001",
        "filter 1: as many subscriptions are kept as may be",
        "97",
    )
    .await;
    peer.send("E0 00").await;
    peer.expect_close().await;
    assert_eq!(broker.statistics().subscriptions, 0);
    let mut peer = Peer::clean(&broker, "b").await;
    peer.subscribe_v5("d/e/f/g/h", 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_filter_repeated_in_one_packet_is_handled_once_and_answered_each_time() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    // Retained, QoS 1.
    sender.send("33 07 | 0001't' 0001 00 'x'").await;
    sender.expect("40 03 0001 10").await;
    let mut peer = Peer::clean(&broker, "a").await;
    // "#" three times: QoS 1, QoS 2, and QoS 1 without retained messages. The one between is another.
    peer.send("82 13 0001 00 | 0001'#' 01 | 0001'#' 02 | 0001'u' 00 | 0001'#' 21")
        .await;
    // One retained message, and before or after it the answer, as each asked.
    let (first, body) = peer.packet().await;
    let (second, other_body) = peer.packet().await;
    let (suback, publish) = if first == 0x90 {
        ((first, body), (second, other_body))
    } else {
        ((second, other_body), (first, body))
    };
    assert_eq!(suback, (0x90, vec![0, 1, 0, 1, 2, 0, 1]));
    assert_eq!(publish, (0x33, b"\0\x01t\0\x01\0x".to_vec()));
    peer.ping().await;
    assert_eq!(broker.statistics().subscriptions, 2);
    // The later options hold: QoS 1 at most.
    sender.send("34 07 | 0001't' 0002 00 'y'").await;
    let (first, _) = peer.packet().await;
    assert_eq!(first, 0x32);
}

#[tokio::test(start_paused = true)]
async fn filters_above_the_bound_are_refused() {
    let broker = broker_with(|options| options.max_filters_per_subscribe = 2);
    let mut peer = Peer::clean(&broker, "a").await;
    // The last one is a repetition, but it is not looked at.
    peer.send("82 13 0001 00 | 0001'a' 01 | 0001'b' 00 | 0001'c' 00 | 0001'a' 00")
        .await;
    peer.expect_explained(
        0x90,
        "0001",
        "filter 3: no more are looked at in one packet",
        "01 00 97 97",
    )
    .await;
    assert_eq!(broker.statistics().subscriptions, 2);
    let mut old = Peer::clean_v311(&broker, "b").await;
    old.send("82 0E 0001 | 0001'a' 01 | 0001'b' 00 | 0001'c' 00")
        .await;
    old.expect("90 05 0001 | 01 00 80").await;
}

/// SUBSCRIBE of 5.0 with 900 different wildcard filters.
fn many_filters() -> Vec<u8> {
    let mut body = vec![0, 1, 0];
    for number in 0..900 {
        body.extend(string(&format!("{number}/+")));
        body.push(0);
    }
    packet(0x82, &[&body])
}

#[tokio::test(start_paused = true)]
async fn a_long_subscribe_does_not_hold_up_who_takes_the_session_over() {
    let broker = broker();
    let mut first = Peer::clean(&broker, "a").await;
    first.send_bytes(&many_filters()).await;
    let mut second = Peer::clean(&broker, "a").await;
    // No SUBACK: it was not waited for.
    first.expect_disconnect(0x8E).await;
    second.ping().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_subscribe_does_not_hold_up_the_end() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send_bytes(&many_filters()).await;
    tokio::task::yield_now().await;
    let shutdown = broker.shutdown(std::time::Duration::from_secs(1));
    tokio::join!(shutdown, peer.expect_disconnect(0x8B));
}
