//! What CONNACK says a client may have, and what the broker tells of itself.

use std::time::Duration;

use mqtt_core::{KeepAlive, QoS};
use tokio::time::sleep;

use crate::support::{Peer, broker, broker_with, bytes, connect_v5, packet, string};

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_2_2_21_a_longer_keep_alive_is_replaced_by_the_servers() {
    let broker = broker_with(|options| options.max_keep_alive = KeepAlive::from_secs(30));
    for asked in ["003C", "0000"] {
        let mut peer = Peer::new(&broker);
        peer.send(&format!("10 0E | 0004'MQTT' 05 02 {asked} 00 | 0001'a'"))
            .await;
        // Receive Maximum, Maximum Packet Size, Topic Alias Maximum, Server Keep Alive 30 s.
        peer.expect("20 11 00 00 | 0E | 21 0400 | 27 00100000 | 22 0010 | 13 001E")
            .await;
        // One and a half times that.
        sleep(Duration::from_secs(44)).await;
        peer.ping().await;
        sleep(Duration::from_secs(44)).await;
        peer.expect_disconnect(0x8D).await;
    }
    // A shorter one is the client's own, and a client of 3.1.1 cannot be told.
    let mut short = Peer::new(&broker);
    short
        .send("10 0E | 0004'MQTT' 05 02 0014 00 | 0001'a'")
        .await;
    short
        .expect("20 0E 00 00 | 0B | 21 0400 | 27 00100000 | 22 0010")
        .await;
    let mut old = Peer::clean_v311(&broker, "b").await;
    sleep(Duration::from_secs(80)).await;
    old.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_2_2_9_a_maximum_qos_is_announced_and_held() {
    let broker = broker_with(|options| options.maximum_qos = QoS::AtLeastOnce);
    let mut peer = Peer::new(&broker);
    peer.send_bytes(&connect_v5("a", 2, 0)).await;
    peer.expect("20 10 00 00 | 0D | 21 0400 | 24 01 | 27 00100000 | 22 0010")
        .await;
    // [v5 MQTT-3.2.2-10]: QoS 2 may be asked for, and is granted as 1.
    peer.send("82 07 0001 00 | 0001't' 02").await;
    peer.expect("90 04 0001 00 01").await;
    assert_eq!(peer.publish_qos_1("t", b"x").await, 0);
    peer.expect("32 07 | 0001't' 0001 00 'x'").await;
    peer.send("34 07 | 0001't' 0001 00 'x'").await;
    peer.expect_disconnect(0x9B).await;
    // [v5 MQTT-3.2.2-12]: nor may a Will be above it.
    let mut with_will = Peer::new(&broker);
    with_will
        .send("10 14 | 0004'MQTT' 05 16 003C 00 | 0001'a' | 00 0001't' 0000")
        .await;
    with_will
        .expect_refusal(0x9B, "the Will is above the Maximum QoS")
        .await;
    with_will.expect_close().await;
}

#[tokio::test(start_paused = true)]
async fn the_broker_tells_what_it_counts() {
    let broker = broker_with(|options| options.sys_interval = Some(Duration::from_secs(10)));
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("$SYS/broker/version", 0).await;
    let version = concat!("mqtt-broker version ", env!("CARGO_PKG_VERSION"));
    peer.expect_bytes(&packet(
        0x31,
        &[&string("$SYS/broker/version"), &[0], version.as_bytes()],
    ))
    .await;
    peer.subscribe_v5("$SYS/broker/clients/+", 0).await;
    let told =
        |topic: &str, value: &str, first| packet(first, &[&string(topic), &[0], value.as_bytes()]);
    // As it was when nobody was there yet, retained.
    peer.expect_bytes(&told("$SYS/broker/clients/connected", "0", 0x31))
        .await;
    peer.expect_bytes(&told("$SYS/broker/clients/total", "0", 0x31))
        .await;
    sleep(Duration::from_secs(10)).await;
    peer.expect_bytes(&told("$SYS/broker/clients/connected", "1", 0x30))
        .await;
    peer.expect_bytes(&told("$SYS/broker/clients/total", "1", 0x30))
        .await;
    // What has not changed is not told again.
    sleep(Duration::from_secs(10)).await;
    peer.ping().await;
    peer.subscribe_v5("$SYS/broker/uptime", 0).await;
    peer.expect_bytes(&told("$SYS/broker/uptime", "20 seconds", 0x31))
        .await;
    // A wildcard does not reach them [v5 MQTT-4.7.2-1].
    let mut other = Peer::clean(&broker, "b").await;
    other.subscribe_v5("#", 0).await;
    sleep(Duration::from_secs(10)).await;
    other.ping().await;
    // What the broker says of itself it received from nobody.
    assert_eq!(broker.statistics().messages_in, 0);
    drop((peer, other));
    assert!(broker.shutdown(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_let_in_is_told_why() {
    let broker = broker_with(|options| options.max_connections = 1);
    let _first = Peer::clean(&broker, "a").await;
    let mut second = Peer::new(&broker);
    second.send_bytes(&connect_v5("b", 2, 0)).await;
    second
        .expect_refusal(0x89, "as many clients are connected as may be")
        .await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_29_who_wants_no_problem_information_is_told_the_code_only() {
    let broker = broker();
    let mut peer = Peer::new(&broker);
    // Request Problem Information 0.
    peer.send("10 10 | 0004'MQTT' 05 02 003C 02 17 00 | 0001'a'")
        .await;
    assert_eq!(peer.connack_v5().await, (false, 0));
    peer.send("32 0C | 0006'$SYS/a' 0001 00 'x'").await;
    peer.expect("40 03 0001 87").await;
    peer.send("82 88 02 0002 00").await;
    peer.send_bytes(&[&[0x01, 0x02][..], &[b'/'; 0x102], &[0]].concat())
        .await;
    peer.expect("90 04 0002 00 8F").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_28_response_information_is_for_who_asks_and_can_be_a_topic() {
    for (prefix, client_id, asks, expected) in [
        (Some("responses/"), "a", 1, Some("responses/a/")),
        (Some("responses/"), "a", 0, None),
        (None, "a", 1, None),
        (Some("responses/"), "b/c", 1, None),
        (Some("responses/"), "b+", 1, None),
    ] {
        let broker = broker_with(|options| options.response_prefix = prefix.map(str::to_owned));
        let mut peer = Peer::new(&broker);
        let connect = [
            &bytes("0004'MQTT' 05 02 003C 02 19")[..],
            &[asks],
            &string(client_id),
        ];
        peer.send_bytes(&packet(0x10, &connect)).await;
        let (first, body) = peer.packet().await;
        assert_eq!(first, 0x20);
        // It is the last property, and what stands before the first could look like it.
        let told = body[3..].split(|byte| *byte == 0x1A).nth(1);
        assert_eq!(
            told.map(<[u8]>::to_vec),
            expected.map(string),
            "{client_id}: {body:02X?}"
        );
    }
}
