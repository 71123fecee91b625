//! Subscribing and unsubscribing: 3.8.4 and 3.10.4.

use super::{publish_qos_1_v311, subscribe_v311, v311};
use crate::support::{Peer, broker};

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_8_4_3_subscribing_again_replaces_and_sends_what_is_retained_again() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x33, "t", b"old").await;
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "t", 0).await;
    receiver.expect("31 06 | 0001't' 'old'").await;
    subscribe_v311(&mut receiver, "t", 1).await;
    receiver.expect("33 08 | 0001't' 0001 'old'").await;
    receiver.send("40 02 0001").await;
    // One copy, at the QoS that was asked for last.
    publish_qos_1_v311(&mut sender, 0x32, "t", b"x").await;
    receiver.expect("32 06 | 0001't' 0002 'x'").await;
    receiver.ping().await;
    subscribe_v311(&mut receiver, "t", 0).await;
    receiver.expect("31 06 | 0001't' 'old'").await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"y").await;
    receiver.expect("30 04 | 0001't' 'y'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_4_4_subscribing_again_sends_what_is_retained_again_and_loses_nothing() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.send("31 05 | 0001't' 00 '*'").await;
    receiver.subscribe_v5("+", 1).await;
    receiver.expect("31 05 | 0001't' 00 '*'").await;
    let mut sender = Peer::clean(&broker, "s").await;
    // Between any two messages there is a new SUBSCRIBE, and each of these is answered by SUBACK and the retained message.
    let rounds = 100_u16;
    let sending = tokio::spawn(async move {
        for number in 1..=rounds {
            assert_eq!(sender.publish_qos_1("u", &number.to_be_bytes()).await, 0);
        }
    });
    let mut expected = 1;
    for round in 1..=rounds {
        receiver
            .send_bytes(&crate::support::subscribe_v5(round, "+", 1))
            .await;
        let (mut answered, mut resent) = (false, false);
        while !(answered && resent && expected > round) {
            match receiver.packet().await {
                (0x90, body) => {
                    assert_eq!(body, [round.to_be_bytes().as_slice(), &[0, 1]].concat());
                    answered = true;
                }
                (0x31, body) => {
                    assert_eq!(body, b"\0\x01t\0*");
                    resent = true;
                }
                (0x32, body) => {
                    // "u", Packet Identifier, no properties, payload.
                    assert_eq!(body[6..], u16::to_be_bytes(expected));
                    receiver.send_bytes(&[0x40, 2, body[3], body[4]]).await;
                    expected += 1;
                }
                other => panic!("{other:02X?}"),
            }
        }
    }
    sending.await.unwrap();
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_8_4_6_the_lower_qos_counts() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    for granted in 0..=2_u8 {
        let mut receiver = v311(&broker, "r", 0x02, false).await;
        subscribe_v311(&mut receiver, "t", granted).await;
        sender.send("30 04 | 0001't' '0'").await;
        receiver.expect("30 04 | 0001't' '0'").await;
        publish_qos_1_v311(&mut sender, 0x32, "t", b"1").await;
        sender.send("34 06 | 0001't' 0002 '2'").await;
        sender.expect("50 02 0002").await;
        sender.send("62 02 0002").await;
        sender.expect("70 02 0002").await;
        let expected = match granted {
            0 => "30 04 | 0001't' '1'      | 30 04 | 0001't' '2'",
            1 => "32 06 | 0001't' 0001 '1' | 32 06 | 0001't' 0002 '2'",
            _ => "32 06 | 0001't' 0001 '1' | 34 06 | 0001't' 0002 '2'",
        };
        receiver.expect(expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_10_4_1_and_2_unsubscribing_needs_the_very_filter_and_ends_it() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "a/+", 0).await;
    // "a/b" matches, "a/#" covers it, "A/+" is written otherwise: none is the same.
    for (id, filter) in [("0001", "a/b"), ("0002", "a/#"), ("0003", "A/+")] {
        receiver.send(&format!("A2 07 {id} | 0003'{filter}'")).await;
        receiver.expect(&format!("B0 02 {id}")).await;
        publish_qos_1_v311(&mut sender, 0x32, "a/b", b"x").await;
        receiver.expect("30 06 | 0003'a/b' 'x'").await;
    }
    receiver.send("A2 07 0004 | 0003'a/+'").await;
    receiver.expect("B0 02 0004").await;
    publish_qos_1_v311(&mut sender, 0x32, "a/b", b"x").await;
    receiver.ping().await;
    assert_eq!(broker.statistics().queued_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_10_4_2_nothing_new_is_queued_once_unsubscribed() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 1).await;
    receiver.subscribe_v5("u", 1).await;
    receiver.send("A2 06 0001 00 | 0001't'").await;
    receiver.expect("B0 04 0001 00 00").await;
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0x10);
    assert_eq!(sender.publish_qos_1("u", b"y").await, 0);
    receiver.expect("32 07 | 0001'u' 0001 00 'y'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_10_4_3_what_was_begun_is_finished_after_unsubscribing() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut receiver = v311(&broker, "r", 0x00, false).await;
    subscribe_v311(&mut receiver, "t", 2).await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"1").await;
    sender.send("34 06 | 0001't' 0002 '2'").await;
    sender.expect("50 02 0002").await;
    receiver
        .expect("32 06 | 0001't' 0001 '1' | 34 06 | 0001't' 0002 '2'")
        .await;
    receiver.send("A2 05 0001 | 0001't'").await;
    receiver.expect("B0 02 0001").await;
    // They are sent again, as the session has not been told that they arrived.
    super::cut(receiver).await;
    let mut receiver = v311(&broker, "r", 0x00, true).await;
    receiver
        .expect("3A 06 | 0001't' 0001 '1' | 3C 06 | 0001't' 0002 '2'")
        .await;
    receiver.send("40 02 0001 | 50 02 0002").await;
    receiver.expect("62 02 0002").await;
    receiver.send("70 02 0002").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_10_4_3_what_was_begun_is_finished_after_unsubscribing() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    let mut receiver = Peer::v5(&broker, "r", 0x02, 100, false).await;
    receiver.subscribe_v5("t", 2).await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    sender.send("34 07 | 0001't' 0002 00 '2'").await;
    sender.expect("50 02 0002").await;
    receiver
        .expect("32 07 | 0001't' 0001 00 '1' | 34 07 | 0001't' 0002 00 '2'")
        .await;
    receiver.send("A2 06 0001 00 | 0001't'").await;
    receiver.expect("B0 04 0001 00 00").await;
    super::cut(receiver).await;
    let mut receiver = Peer::v5(&broker, "r", 0x00, 100, true).await;
    receiver
        .expect("3A 07 | 0001't' 0001 00 '1' | 3C 07 | 0001't' 0002 00 '2'")
        .await;
    receiver.send("40 02 0001 | 50 02 0002").await;
    receiver.expect("62 02 0002").await;
    receiver.send("70 02 0002").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_8_2_6_a_shared_message_that_is_refused_is_discarded_at_qos_2_too() {
    let broker = broker();
    let mut first = Peer::v5(&broker, "a", 0x02, 100, false).await;
    first.subscribe_v5("$share/g/t", 2).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("34 07 | 0001't' 0001 00 'x'").await;
    sender.expect("50 02 0001").await;
    first.expect("34 07 | 0001't' 0001 00 'x'").await;
    // Quota exceeded.
    first.send("50 03 0001 97").await;
    first.ping().await;
    let mut second = Peer::clean(&broker, "b").await;
    second.subscribe_v5("$share/g/t", 2).await;
    // Neither its own reconnecting nor the end of its session brings it back.
    super::cut(first).await;
    let mut first = Peer::v5(&broker, "a", 0x00, 0, true).await;
    first.ping().await;
    super::leave(first).await;
    second.ping().await;
    assert_eq!(broker.statistics().queued_bytes, 0);
}
