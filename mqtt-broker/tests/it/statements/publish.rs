//! Passing messages on: 3.3.1 on DUP, 3.3.2 on the topic, 3.3.4 (3.3.5 in 3.1.1) on overlapping subscriptions.

use super::{cut, publish_qos_1_v311, subscribe_v311, v311};
use crate::support::{Peer, broker, packet, publish_v5, string};

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_1_3_dup_tells_of_the_delivery_and_not_of_the_publisher() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut receiver = v311(&broker, "r", 0x00, false).await;
    subscribe_v311(&mut receiver, "t", 1).await;
    publish_qos_1_v311(&mut sender, 0x3A, "t", b"x").await;
    receiver.expect("32 06 | 0001't' 0001 'x'").await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"y").await;
    receiver.expect("32 06 | 0001't' 0002 'y'").await;
    cut(receiver).await;
    publish_qos_1_v311(&mut sender, 0x3A, "t", b"z").await;
    // Two of these are sent again, and the third is not.
    let mut receiver = v311(&broker, "r", 0x00, true).await;
    receiver.expect("3A 06 | 0001't' 0001 'x'").await;
    receiver.expect("3A 06 | 0001't' 0002 'y'").await;
    receiver.expect("32 06 | 0001't' 0003 'z'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_2_3_what_is_sent_matches_the_filter() {
    let broker = broker();
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "a/+/c", 0).await;
    subscribe_v311(&mut receiver, "b/#", 0).await;
    let mut sender = v311(&broker, "s", 0x02, false).await;
    for (topic, matches) in MATCHES {
        publish_qos_1_v311(&mut sender, 0x32, topic, b"x").await;
        if matches {
            receiver
                .expect_bytes(&super::publish_v311(0x30, topic, None, b"x"))
                .await;
        }
        receiver.ping().await;
    }
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_2_3_what_is_sent_matches_the_filter() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("a/+/c", 0).await;
    receiver.subscribe_v5("b/#", 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for (topic, matches) in MATCHES {
        let code = if matches { 0 } else { 0x10 };
        assert_eq!(sender.publish_qos_1(topic, b"x").await, code, "{topic}");
        if matches {
            receiver
                .expect_bytes(&publish_v5(0x30, topic, None, b"x"))
                .await;
        }
        receiver.ping().await;
    }
}

/// Topics, and whether they match `a/+/c` or `b/#`.
const MATCHES: [(&str, bool); 12] = [
    ("a/b/c", true),
    ("a//c", true),
    ("b", true),
    ("b/", true),
    ("b/x/y", true),
    ("a/c", false),
    ("a/b/c/d", false),
    ("a/b/d", false),
    ("/a/b/c", false),
    ("ab/c", false),
    ("bb", false),
    ("c", false),
];

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_5_1_overlapping_subscriptions_get_the_highest_qos_of_them() {
    let broker = broker();
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "a/#", 0).await;
    subscribe_v311(&mut receiver, "a/b", 2).await;
    subscribe_v311(&mut receiver, "+/b", 1).await;
    let mut sender = v311(&broker, "s", 0x02, false).await;
    sender.send("34 08 | 0003'a/b' 0001 'x'").await;
    sender.expect("50 02 0001").await;
    receiver.expect("34 08 | 0003'a/b' 0001 'x'").await;
    publish_qos_1_v311(&mut sender, 0x32, "a/b", b"y").await;
    receiver.expect("32 08 | 0003'a/b' 0002 'y'").await;
    // One copy each.
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_4_5_each_of_several_copies_has_the_identifier_of_its_own_subscription() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    // Subscription Identifiers 1 and 2 for two ordinary subscriptions, which share a copy, and 3 and 4 for two groups.
    for (id, filter) in [(1, "t"), (2, "+"), (3, "$share/g/t"), (4, "$share/h/#")] {
        receiver
            .send_bytes(&packet(
                0x82,
                &[&[0, id, 2, 0x0B, id], &string(filter), &[0]],
            ))
            .await;
        receiver.expect_bytes(&[0x90, 4, 0, id, 0, 0]).await;
    }
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("30 05 | 0001't' 00 'x'").await;
    let mut copies = Vec::new();
    for _ in 0..3 {
        let (first, body) = receiver.packet().await;
        // "t", the length of the properties, a Subscription Identifier for each two bytes of them, the payload.
        let [0, 1, b't', length, properties @ .., b'x'] = body.as_slice() else {
            panic!("{body:02X?}");
        };
        assert_eq!((first, usize::from(*length)), (0x30, properties.len()));
        let mut identifiers: Vec<_> = properties
            .chunks(2)
            .map(|property| {
                assert_eq!(property[0], 0x0B);
                property[1]
            })
            .collect();
        identifiers.sort();
        copies.push(identifiers);
    }
    copies.sort();
    assert_eq!(copies, [vec![1, 2], vec![3], vec![4]]);
    receiver.ping().await;
}
