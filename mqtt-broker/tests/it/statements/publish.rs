//! Passing messages on: 3.3.1 on DUP, 3.3.2 on the topic, 3.3.4 (3.3.5 in 3.1.1) on overlapping subscriptions and on what may
//! not be published, 4.8 on what goes wrong for one client.

use std::sync::Arc;

use mqtt_broker::{Access, Action};
use mqtt_core::ReasonCode;

use super::{cut, publish_qos_1_v311, subscribe_v311, v311};
use crate::support::{Peer, broker, broker_with, packet, publish_v5, string};

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
async fn v311_mqtt_3_3_2_3_and_v311_u_3_1_1_7_what_is_sent_matches_the_filter() {
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

#[tokio::test(start_paused = true)]
async fn v5_u_5_25_a_message_carries_no_identifiers_but_of_the_subscriptions_it_is_for() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    // Retained.
    sender.send("31 05 | 0001't' 00 'x'").await;
    let mut receiver = Peer::clean(&broker, "r").await;
    // Subscription Identifier 5 for "#", 6 for "u", none for "v".
    receiver.send("82 09 0001 02 0B05 | 0001'#' 00").await;
    receiver.expect("90 04 0001 00 00").await;
    receiver.expect("31 07 | 0001't' 02 0B05 'x'").await;
    receiver.send("A2 06 0002 00 | 0001'#'").await;
    receiver.expect("B0 04 0002 00 00").await;
    receiver.send("82 09 0003 02 0B06 | 0001'u' 00").await;
    receiver.expect("90 04 0003 00 00").await;
    receiver.subscribe_v5("v", 0).await;
    sender
        .send("30 05 | 0001'u' 00 'x' | 30 05 | 0001'v' 00 'x'")
        .await;
    receiver.expect("30 07 | 0001'u' 02 0B06 'x'").await;
    receiver.expect("30 05 | 0001'v' 00 'x'").await;
    // What is retained is sent for the subscription that was just made, whatever others match it.
    receiver.send("82 09 0004 02 0B07 | 0001'+' 00").await;
    receiver.expect("90 04 0004 00 00").await;
    receiver.expect("31 07 | 0001't' 02 0B07 'x'").await;
    receiver.send("82 09 0005 02 0B08 | 0001't' 00").await;
    receiver.expect("90 04 0005 00 00").await;
    receiver.expect("31 07 | 0001't' 02 0B08 'x'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_3_5_2_what_may_not_be_published_is_acknowledged_as_usual_and_goes_nowhere() {
    let broker = broker_with(|options| {
        let nothing = |access: &Access<'_>| match access.action {
            Action::Publish(_) => Err(ReasonCode::NOT_AUTHORIZED),
            _ => Ok(()),
        };
        options.authorizer = Some(Arc::new(nothing));
    });
    let mut watcher = v311(&broker, "w", 0x02, false).await;
    subscribe_v311(&mut watcher, "#", 2).await;
    let mut sender = v311(&broker, "s", 0x02, false).await;
    // Retained or not, at each QoS.
    sender
        .send("30 04 | 0001't' 'x' | 31 04 | 0001't' 'x'")
        .await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"x").await;
    sender.send("35 06 | 0001't' 0002 'x'").await;
    sender.expect("50 02 0002").await;
    sender.send("62 02 0002").await;
    sender.expect("70 02 0002").await;
    sender.ping().await;
    watcher.ping().await;
    assert_eq!(broker.statistics().retained_messages, 0);
}

#[tokio::test(start_paused = true)]
async fn v311_u_3_1_1_5_a_client_for_whom_there_is_no_room_costs_the_others_nothing() {
    let broker = broker_with(|options| options.max_queued_messages = 2);
    let mut away = v311(&broker, "away", 0x00, false).await;
    subscribe_v311(&mut away, "t", 1).await;
    cut(away).await;
    let mut here = v311(&broker, "here", 0x02, false).await;
    subscribe_v311(&mut here, "t", 0).await;
    let mut sender = v311(&broker, "s", 0x02, false).await;
    for number in *b"12345" {
        publish_qos_1_v311(&mut sender, 0x32, "t", &[number]).await;
        here.expect_bytes(&super::publish_v311(0x30, "t", None, &[number]))
            .await;
    }
    assert_eq!(broker.statistics().messages_dropped, 3);
    let mut away = v311(&broker, "away", 0x00, true).await;
    away.expect("32 06 | 0001't' 0001 '1' | 32 06 | 0001't' 0002 '2'")
        .await;
    away.ping().await;
}
