//! Retained messages: 3.1.2 on whose they are not, 3.3.1 on keeping and sending them.

use super::{leave, publish_qos_1_v311, subscribe_v311, v311};
use crate::support::{Peer, broker};

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_7_a_retained_message_outlives_the_session_it_came_from() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"x").await;
    leave(sender).await;
    assert_eq!(broker.statistics().sessions, 0);
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "t", 0).await;
    receiver.expect("31 04 | 0001't' 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_5_a_retained_message_is_stored_with_its_qos() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    sender.send("31 04 | 0001'0' 'x'").await;
    publish_qos_1_v311(&mut sender, 0x33, "1", b"x").await;
    sender.send("35 06 | 0001'2' 0002 'x'").await;
    sender.expect("50 02 0002").await;
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "0", 2).await;
    receiver.expect("31 04 | 0001'0' 'x'").await;
    subscribe_v311(&mut receiver, "1", 2).await;
    receiver.expect("33 06 | 0001'1' 0001 'x'").await;
    subscribe_v311(&mut receiver, "2", 2).await;
    receiver.expect("35 06 | 0001'2' 0002 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_6_a_new_subscription_gets_the_last_message_of_each_topic_that_matches() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    for (topic, payload) in [("a/1", "old"), ("a/1", "new"), ("a/2", "x"), ("b/3", "y")] {
        publish_qos_1_v311(&mut sender, 0x33, topic, payload.as_bytes()).await;
    }
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "a/+", 0).await;
    // In any order.
    let mut received = [receiver.packet().await, receiver.packet().await];
    received.sort();
    assert_eq!(
        received,
        [
            (0x31, b"\0\x03a/1new".to_vec()),
            (0x31, b"\0\x03a/2x".to_vec())
        ]
    );
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_7_a_retained_message_of_qos_0_replaces_an_older_one() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"old").await;
    sender.send("31 06 | 0001't' 'new'").await;
    sender.ping().await;
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "t", 2).await;
    receiver.expect("31 06 | 0001't' 'new'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_8_and_9_retain_tells_the_old_message_from_the_new() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"1").await;
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "t", 0).await;
    // Sent because of the subscription.
    receiver.expect("31 04 | 0001't' '1'").await;
    // Sent because it matches one that was there, whatever its publisher set.
    publish_qos_1_v311(&mut sender, 0x33, "t", b"2").await;
    receiver.expect("30 04 | 0001't' '2'").await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"3").await;
    receiver.expect("30 04 | 0001't' '3'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_10_and_11_an_empty_retained_message_is_passed_on_and_removes_the_one_there_was()
 {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut early = v311(&broker, "early", 0x02, false).await;
    subscribe_v311(&mut early, "+", 0).await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"x").await;
    early.expect("30 04 | 0001't' 'x'").await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"").await;
    early.expect("30 03 | 0001't'").await;
    // Nor does one stay where there was nothing to remove.
    publish_qos_1_v311(&mut sender, 0x33, "u", b"").await;
    early.expect("30 03 | 0001'u'").await;
    let mut late = v311(&broker, "late", 0x02, false).await;
    subscribe_v311(&mut late, "+", 0).await;
    late.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_12_a_message_without_retain_leaves_the_retained_one_alone() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"x").await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"y").await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"").await;
    publish_qos_1_v311(&mut sender, 0x32, "u", b"z").await;
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "+", 0).await;
    receiver.expect("31 04 | 0001't' 'x'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_5_a_retained_message_takes_the_place_of_the_one_before() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("33 07 | 0001't' 0001 00 '1'").await;
    sender.expect("40 03 0001 10").await;
    sender.send("33 07 | 0001't' 0002 00 '2'").await;
    sender.expect("40 03 0002 10").await;
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 1).await;
    receiver.expect("33 07 | 0001't' 0001 00 '2'").await;
    receiver.ping().await;
    // One of QoS 0, too.
    sender.send("31 05 | 0001't' 00 '3'").await;
    sender.ping().await;
    receiver.expect("30 05 | 0001't' 00 '3'").await;
    receiver.subscribe_v5("t", 1).await;
    receiver.expect("31 05 | 0001't' 00 '3'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_6_and_7_an_empty_retained_message_is_passed_on_and_removes_the_one_there_was()
 {
    let broker = broker();
    let mut early = Peer::clean(&broker, "early").await;
    // Retain As Published.
    early.subscribe_v5("+", 0x08).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender
        .send("31 05 | 0001't' 00 'x' | 31 04 | 0001't' 00 | 31 04 | 0001'u' 00")
        .await;
    sender.ping().await;
    early
        .expect("31 05 | 0001't' 00 'x' | 31 04 | 0001't' 00 | 31 04 | 0001'u' 00")
        .await;
    let mut late = Peer::clean(&broker, "late").await;
    late.subscribe_v5("+", 0).await;
    late.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_8_a_message_without_retain_leaves_the_retained_one_alone() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    sender
        .send("31 05 | 0001't' 00 'x' | 30 05 | 0001't' 00 'y' | 30 04 | 0001't' 00 | 30 05 | 0001'u' 00 'z'")
        .await;
    sender.ping().await;
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("+", 0).await;
    receiver.expect("31 05 | 0001't' 00 'x'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_9_retain_handling_0_sends_them_at_each_subscription() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("31 05 | 0001't' 00 'x'").await;
    for _ in 0..2 {
        peer.subscribe_v5("t", 0x00).await;
        peer.expect("31 05 | 0001't' 00 'x'").await;
    }
    peer.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_11_retain_handling_2_sends_none() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("31 05 | 0001't' 00 'x'").await;
    for filter in ["t", "#", "t"] {
        peer.subscribe_v5(filter, 0x20).await;
        peer.ping().await;
    }
}
