use std::time::Duration;

use tokio::time::sleep;

use crate::support::{Peer, broker, broker_with, bytes, connect_v31, packet, publish_v5, string};

#[tokio::test(start_paused = true)]
async fn every_version_publishes_to_every_other_at_every_qos() {
    let broker = broker();
    let mut v31 = Peer::new(&broker);
    v31.send_bytes(&connect_v31("v31", 2)).await;
    v31.expect("20 02 00 00").await;
    let mut v311 = Peer::clean_v311(&broker, "v311").await;
    let mut v5 = Peer::clean(&broker, "v5").await;
    // QoS 2 to the topic "t".
    v31.send("82 06 000A | 0001't' 02").await;
    v31.expect("90 03 000A 02").await;
    v311.send("82 06 000A | 0001't' 02").await;
    v311.expect("90 03 000A 02").await;
    v5.send("82 07 000A 00 | 0001't' 02").await;
    v5.expect("90 04 000A 00 02").await;

    // QoS 0 from 3.1.
    v31.send("30 04 | 0001't' 'x'").await;
    v31.expect("30 04 | 0001't' 'x'").await;
    v311.expect("30 04 | 0001't' 'x'").await;
    v5.expect("30 05 | 0001't' 00 'x'").await;

    // QoS 1 from 3.1.1. Each receiver gets the first Packet Identifier of its own connection.
    v311.send("32 06 | 0001't' 0005 'y'").await;
    v311.expect("40 02 0005 | 32 06 | 0001't' 0001 'y'").await;
    v31.expect("32 06 | 0001't' 0001 'y'").await;
    v5.expect("32 07 | 0001't' 0001 00 'y'").await;
    for peer in [&mut v31, &mut v311, &mut v5] {
        peer.send("40 02 0001").await;
    }

    // QoS 2 from 5.0.
    v5.send("34 07 | 0001't' 0006 00 'z'").await;
    v5.expect("50 02 0006 | 34 07 | 0001't' 0002 00 'z'").await;
    v5.send("62 02 0006").await;
    v5.expect("70 02 0006").await;
    v31.expect("34 06 | 0001't' 0002 'z'").await;
    v311.expect("34 06 | 0001't' 0002 'z'").await;
    for peer in [&mut v31, &mut v311, &mut v5] {
        peer.send("50 02 0002").await;
        peer.expect("62 02 0002").await;
        peer.send("70 02 0002").await;
        peer.ping().await;
    }
    assert_eq!(broker.statistics().messages_in, 3);
    assert_eq!(broker.statistics().messages_out, 9);
    assert_eq!(broker.statistics().queued_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_5_0_publisher_is_told_that_nobody_matched() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("32 07 | 0001't' 0001 00 'x'").await;
    peer.expect("40 03 0001 10").await;
    peer.send("34 07 | 0001't' 0002 00 'x'").await;
    peer.expect("50 03 0002 10").await;
    peer.send("62 02 0002").await;
    peer.expect("70 02 0002").await;

    // A subscription of one's own counts, unless No Local keeps the message from it.
    peer.subscribe_v5("t", 0x04).await;
    assert_eq!(peer.publish_qos_1("t", b"x").await, 0x10);
    peer.subscribe_v5("t", 0x00).await;
    assert_eq!(peer.publish_qos_1("t", b"x").await, 0x00);
    peer.expect("30 05 | 0001't' 00 'x'").await;

    // 3.x knows no codes.
    let mut old = Peer::clean_v311(&broker, "b").await;
    old.send("32 06 | 0001'u' 0001 'x'").await;
    old.expect("40 02 0001").await;
    assert_eq!(broker.statistics().messages_unmatched, 4);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_6_0_5_a_thousand_messages_keep_their_order() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t/#", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    let sending = tokio::spawn(async move {
        for number in 1..=1_000_u16 {
            sender
                .send_bytes(&publish_v5(
                    0x32,
                    "t/x",
                    Some(number),
                    &number.to_be_bytes(),
                ))
                .await;
        }
        for number in 1..=1_000_u16 {
            sender
                .expect_bytes(&packet(0x40, &[&number.to_be_bytes()]))
                .await;
        }
    });
    for number in 1..=1_000_u16 {
        let (first, body) = receiver.packet().await;
        // "t/x" with its length, Packet Identifier, no properties, payload.
        assert_eq!(
            (first, &body[..5], &body[8..]),
            (0x32, &b"\x00\x03t/x"[..], &number.to_be_bytes()[..])
        );
        receiver.send_bytes(&packet(0x40, &[&body[5..7]])).await;
    }
    sending.await.unwrap();
    receiver.ping().await;
    assert_eq!(broker.statistics().queued_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_3_dup_is_not_passed_on_and_a_repeated_qos_2_message_comes_once() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("34 07 | 0001't' 0009 00 'x'").await;
    sender.expect("50 02 0009").await;
    sender.send("3C 07 | 0001't' 0009 00 'x'").await;
    sender.expect("50 02 0009").await;
    sender.send("3A 07 | 0001't' 0008 00 'y'").await;
    sender.expect("40 02 0008").await;
    receiver.expect("30 05 | 0001't' 00 'x'").await;
    receiver.expect("30 05 | 0001't' 00 'y'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_2_4_15_16_17_18_20_properties_are_passed_on_to_5_0_and_left_out_for_3_x() {
    let broker = broker();
    let mut new = Peer::clean(&broker, "new").await;
    new.subscribe_v5("t", 0).await;
    let mut old = Peer::clean_v311(&broker, "old").await;
    old.send("82 06 0001 | 0001't' 00").await;
    old.expect("90 03 0001 00").await;
    // Payload Format Indicator, Content Type, Response Topic, Correlation Data, three User Properties,
    // two of one name.
    let properties = bytes(
        "01 01 | 03 0004'text' | 08 0001'r' | 09 0002 00FF | 26 0001'b' 0001'1' | 26 0001'a' 0001'2' | 26 0001'b' 0001'3'",
    );
    let length = [u8::try_from(properties.len()).unwrap()];
    let body: &[&[u8]] = &[&string("t"), &length, &properties, b"x"];
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send_bytes(&packet(0x30, body)).await;
    new.expect_bytes(&packet(0x30, body)).await;
    old.expect("30 04 | 0001't' 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_alias_is_resolved_before_the_message_goes_on() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    // Topic Alias 1 is set to "t", then stands for it.
    sender.send("30 08 | 0001't' 03 23 0001 'x'").await;
    sender.send("30 07 | 0000 03 23 0001 'y'").await;
    receiver.expect("30 05 | 0001't' 00 'x'").await;
    receiver.expect("30 05 | 0001't' 00 'y'").await;
    // 17 is above the maximum of 16.
    sender.send("30 08 | 0001't' 03 23 0011 'x'").await;
    sender.expect_disconnect(0x94).await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_2_5_and_6_the_expiry_interval_shrinks_by_the_time_spent_here() {
    let broker = broker();
    let mut receiver = Peer::v5(&broker, "r", 2, 1_000, false).await;
    receiver.subscribe_v5("t", 1).await;
    drop(receiver);
    sleep(Duration::from_millis(10)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    // Message Expiry Interval 5 s and 60 s.
    sender.send("32 0C | 0001't' 0001 05 02 00000005 'x'").await;
    sender.send("32 0C | 0001't' 0002 05 02 0000003C 'y'").await;
    sender.expect("40 02 0001 | 40 02 0002").await;
    sleep(Duration::from_secs(20)).await;
    let mut receiver = Peer::v5(&broker, "r", 0, 1_000, true).await;
    let (first, body) = receiver.packet().await;
    assert_eq!(
        (first, &body[..3], &body[5..7], &body[11..]),
        (0x32, &b"\x00\x01t"[..], &[5, 2][..], &b"y"[..])
    );
    let left = u32::from_be_bytes(body[7..11].try_into().unwrap());
    assert!((38..=40).contains(&left), "{left} s");
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_25_a_message_too_large_for_its_receiver_is_left_out() {
    let broker = broker();
    let mut receiver = Peer::new(&broker);
    // Maximum Packet Size 100.
    receiver
        .send("10 13 | 0004'MQTT' 05 02 003C 05 27 00000064 | 0001'r'")
        .await;
    receiver.connack_v5().await;
    receiver.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", &[b'x'; 200]).await, 0);
    assert_eq!(sender.publish_qos_1("t", b"small").await, 0);
    let (_, body) = receiver.packet().await;
    assert!(body.ends_with(b"small"), "{body:02X?}");
}

#[tokio::test(start_paused = true)]
async fn topic_aliases_are_taken_from_publishers_and_used_towards_subscribers() {
    let broker = broker();
    let mut receiver = Peer::new(&broker);
    // Topic Alias Maximum 1.
    receiver
        .send("10 11 | 0004'MQTT' 05 02 003C 03 22 0001 | 0001'r'")
        .await;
    receiver.connack_v5().await;
    receiver.subscribe_v5("room/+", 0).await;
    let mut plain = Peer::clean(&broker, "p").await;
    plain.subscribe_v5("room/+", 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    // Alias 9 is told, and used; another topic has none.
    sender.send("30 0D | 0006'room/1' 03 230009 'x'").await;
    sender.send("30 07 | 0000 03 230009 'y'").await;
    sender.send("30 0A | 0006'room/2' 00 'z'").await;
    sender.send("30 07 | 0000 03 230009 'w'").await;
    receiver
        .expect("30 0D | 0006'room/1' 03 230001 'x' | 30 07 | 0000 03 230001 'y'")
        .await;
    receiver
        .expect("30 0D | 0006'room/2' 03 230001 'z' | 30 0D | 0006'room/1' 03 230001 'w'")
        .await;
    // Who takes none gets whole topics.
    for (topic, payload) in [
        ("room/1", b"x"),
        ("room/1", b"y"),
        ("room/2", b"z"),
        ("room/1", b"w"),
    ] {
        plain
            .expect_bytes(&publish_v5(0x30, topic, None, payload))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn topic_aliases_are_as_many_as_the_options_say() {
    let broker = broker_with(|options| {
        options.topic_alias_maximum = 3;
        options.outgoing_topic_aliases = 1;
    });
    let mut peer = Peer::new(&broker);
    // Topic Alias Maximum 5, of which one is used.
    peer.send("10 11 | 0004'MQTT' 05 02 003C 03 22 0005 | 0001'a'")
        .await;
    peer.expect("20 0E 00 00 | 0B | 21 0400 | 27 00100000 | 22 0003")
        .await;
    peer.subscribe_v5("room/+", 0).await;
    for topic in ["room/1", "room/2"] {
        peer.send(&format!("30 0D | 0006'{topic}' 03 23 0003 'x'"))
            .await;
        peer.expect(&format!("30 0D | 0006'{topic}' 03 23 0001 'x'"))
            .await;
    }
    peer.send("30 0D | 0006'room/1' 03 23 0004 'x'").await;
    peer.expect_disconnect(0x94).await;
}
