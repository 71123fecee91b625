use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::time::sleep;

use mqtt_broker::Broker;

use crate::support::{Peer, broker, bytes, packet, string};

/// CONNECT of 5.0 with clean start, Session Expiry Interval and a Will of QoS 1 to "w", its payload "gone".
async fn with_will(
    broker: &Broker,
    client_id: &str,
    flags: u8,
    expiry: u32,
    delay: u32,
) -> Peer<DuplexStream> {
    let mut peer = Peer::new(broker);
    let connect = packet(
        0x10,
        &[
            &bytes("0004'MQTT' 05"),
            // User flags, Will, Will QoS 1.
            &[flags | 0x0C],
            &bytes("003C 05 11"),
            &expiry.to_be_bytes(),
            &string(client_id),
            &bytes("05 18"),
            &delay.to_be_bytes(),
            &string("w"),
            &string("gone"),
        ],
    );
    peer.send_bytes(&connect).await;
    assert_eq!(peer.connack_v5().await.1, 0);
    peer
}

async fn watcher(broker: &Broker) -> Peer<DuplexStream> {
    let mut watcher = Peer::clean(broker, "watcher").await;
    watcher.subscribe_v5("w", 0).await;
    watcher
}

const WILL: &str = "30 08 | 0001'w' 00 'gone'";

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_8_a_will_is_published_when_the_connection_breaks() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    drop(with_will(&broker, "a", 2, 0, 0).await);
    watcher.expect(WILL).await;

    // A broken protocol breaks the connection too.
    let mut peer = with_will(&broker, "a", 2, 0, 0).await;
    peer.send("F1 00").await;
    watcher.expect(WILL).await;

    // So does a keep-alive that is not kept.
    let _silent = with_will(&broker, "a", 2, 0, 0).await;
    for _ in 0..3 {
        watcher.ping().await;
        sleep(Duration::from_secs(29)).await;
    }
    sleep(Duration::from_secs(4)).await;
    watcher.expect(WILL).await;
    watcher.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_14_4_3_a_normal_disconnect_discards_the_will() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    let mut peer = with_will(&broker, "a", 2, 0, 0).await;
    peer.send("E0 00").await;
    peer.expect_close().await;
    watcher.ping().await;
    // Disconnect with Will Message.
    let mut peer = with_will(&broker, "a", 2, 0, 0).await;
    peer.send("E0 01 04").await;
    watcher.expect(WILL).await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_17_a_will_is_published_retained_and_at_its_qos() {
    let broker = broker();
    let mut watcher = Peer::clean(&broker, "watcher").await;
    watcher.subscribe_v5("w", 2).await;
    let mut peer = Peer::new(&broker);
    // Flags: Will, Will QoS 2, Will Retain, clean session.
    peer.send("10 13 | 0004'MQTT' 04 36 003C | 0001'a' 0001'w' 0001'x'")
        .await;
    peer.expect("20 02 00 00").await;
    drop(peer);
    watcher.expect("34 07 | 0001'w' 0001 00 'x'").await;
    assert_eq!(broker.statistics().retained_messages, 1);
    let mut late = Peer::clean(&broker, "late").await;
    late.subscribe_v5("w", 0).await;
    late.expect("31 05 | 0001'w' 00 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_3_10_the_properties_of_a_will_are_published_with_it() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    let mut peer = Peer::new(&broker);
    // Will Delay Interval 0, Content Type, three User Properties, two of one name; QoS 0.
    let properties = "03 0001'c' | 26 0001'b' 0001'1' | 26 0001'a' 0001'2' | 26 0001'b' 0001'3'";
    let connect = packet(
        0x10,
        &[
            &bytes("0004'MQTT' 05 06 003C 00 | 0001'a' | 1E 18 00000000"),
            &bytes(properties),
            &bytes("0001'w' 0001'x'"),
        ],
    );
    peer.send_bytes(&connect).await;
    peer.connack_v5().await;
    drop(peer);
    watcher
        .expect(&format!("30 1E | 0001'w' 19 {properties} 'x'"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_8_a_delayed_will_waits_for_its_delay() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    drop(with_will(&broker, "a", 2, 100, 10).await);
    watcher.expect_silence(Duration::from_millis(9_900)).await;
    watcher.expect(WILL).await;
    // It was published once; the session's end does not publish it again.
    watcher.ping().await;
    sleep(Duration::from_secs(50)).await;
    watcher.ping().await;
    sleep(Duration::from_secs(50)).await;
    watcher.ping().await;
    assert_eq!(broker.statistics().sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_8_a_delayed_will_does_not_outlive_its_session() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    drop(with_will(&broker, "a", 2, 5, 1_000).await);
    watcher.expect_silence(Duration::from_millis(4_900)).await;
    watcher.expect(WILL).await;
    // With no session after the connection there is no delay at all.
    drop(with_will(&broker, "a", 2, 0, 1_000).await);
    watcher.expect(WILL).await;
    // Nor when a clean start ends the session.
    drop(with_will(&broker, "a", 2, 50, 1_000).await);
    watcher.expect_silence(Duration::from_secs(1)).await;
    let _peer = Peer::clean(&broker, "a").await;
    watcher.expect(WILL).await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_3_9_coming_back_in_time_suppresses_the_will() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    drop(with_will(&broker, "a", 2, 100, 10).await);
    sleep(Duration::from_secs(5)).await;
    let mut peer = Peer::v5(&broker, "a", 0, 100, true).await;
    watcher.expect_silence(Duration::from_secs(20)).await;
    // It is gone for good, and the end of the session does not bring it back.
    peer.send("E0 00").await;
    peer.expect_close().await;
    for _ in 0..3 {
        watcher.ping().await;
        sleep(Duration::from_secs(50)).await;
    }
    watcher.ping().await;
    assert_eq!(broker.statistics().sessions, 1);
    // A take-over counts as coming back.
    let _first = with_will(&broker, "b", 2, 100, 10).await;
    let _second = Peer::v5(&broker, "b", 0, 100, true).await;
    watcher.expect_silence(Duration::from_secs(20)).await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_3_3_no_local_spares_a_client_its_own_will() {
    let broker = broker();
    let mut watcher = watcher(&broker).await;
    for delay in [0, 10] {
        let mut peer = with_will(&broker, "a", 0, 60, delay).await;
        // QoS 1, No Local.
        peer.subscribe_v5("w", 0x05).await;
        drop(peer);
        sleep(Duration::from_secs(u64::from(delay))).await;
        watcher.expect(WILL).await;
        let mut peer = with_will(&broker, "a", 0, 60, delay).await;
        peer.ping().await;
        peer.send("E0 00").await;
    }
}
