//! Wills: 3.1.2.5 to 3.1.2.7 on storing and publishing them, 3.14.4 on taking them back.

use mqtt_broker::Broker;
use tokio::io::DuplexStream;

use super::{cut, leave, settle, subscribe_v311, v311};
use crate::support::{Peer, broker};

/// Connected with 3.1.1 and a Will "x" to "w". Flags: 02 clean session, 04 Will, 08 and 10 its QoS, 20 its RETAIN.
async fn with_will_v311(broker: &Broker, client_id: &str, flags: u8) -> Peer<DuplexStream> {
    let mut peer = Peer::new(broker);
    assert_eq!(client_id.len(), 1);
    peer.send(&format!(
        "10 13 | 0004'MQTT' 04 {flags:02X} 003C | 0001'{client_id}' 0001'w' 0001'x'"
    ))
    .await;
    let (first, body) = peer.packet().await;
    assert_eq!((first, body[1]), (0x20, 0));
    peer
}

/// The same with 5.0, for this connection only and without a Will Delay.
async fn with_will_v5(broker: &Broker, client_id: &str, flags: u8) -> Peer<DuplexStream> {
    let mut peer = Peer::new(broker);
    assert_eq!(client_id.len(), 1);
    peer.send(&format!(
        "10 15 | 0004'MQTT' 05 {flags:02X} 003C 00 | 0001'{client_id}' 00 0001'w' 0001'x'"
    ))
    .await;
    assert_eq!(peer.connack_v5().await.1, 0);
    peer
}

async fn watcher_v311(broker: &Broker) -> Peer<DuplexStream> {
    let mut watcher = v311(broker, "watcher", 0x02, false).await;
    subscribe_v311(&mut watcher, "#", 2).await;
    watcher
}

async fn watcher_v5(broker: &Broker) -> Peer<DuplexStream> {
    let mut watcher = Peer::clean(broker, "watcher").await;
    watcher.subscribe_v5("#", 2).await;
    watcher
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_8_a_will_is_published_however_the_connection_closes() {
    let broker = broker();
    let mut watcher = watcher_v311(&broker).await;
    // Cut.
    cut(with_will_v311(&broker, "a", 0x06).await).await;
    watcher.expect("30 04 | 0001'w' 'x'").await;
    // Closed by the broker: PUBLISH of QoS 3.
    let mut peer = with_will_v311(&broker, "a", 0x06).await;
    peer.send("36 06 | 0001't' 0001 'y'").await;
    peer.expect_close().await;
    watcher.expect("30 04 | 0001'w' 'x'").await;
    // Closed by the broker because the client came back, with its session or without it.
    for flags in [0x04, 0x06] {
        let mut old = with_will_v311(&broker, "a", flags).await;
        let new = v311(&broker, "a", flags & 0x02, flags == 0x04).await;
        old.expect_close().await;
        watcher.expect("30 04 | 0001'w' 'x'").await;
        cut(new).await;
    }
    watcher.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_10_a_will_is_gone_once_published() {
    let broker = broker();
    let mut watcher = watcher_v311(&broker).await;
    // Of the session that is kept, too.
    cut(with_will_v311(&broker, "a", 0x04).await).await;
    watcher.expect("30 04 | 0001'w' 'x'").await;
    cut(v311(&broker, "a", 0x00, true).await).await;
    watcher.ping().await;
    // So is one that DISCONNECT took back.
    leave(with_will_v311(&broker, "a", 0x04).await).await;
    cut(v311(&broker, "a", 0x00, true).await).await;
    watcher.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_10_a_will_is_gone_once_published() {
    let broker = broker();
    let mut watcher = watcher_v5(&broker).await;
    // Session Expiry Interval 100 s.
    let with_will = "10 1A | 0004'MQTT' 05 04 003C 05 1100000064 | 0001'a' 00 0001'w' 0001'x'";
    for end in ["", "E0 00"] {
        let mut peer = Peer::new(&broker);
        peer.send(with_will).await;
        peer.connack_v5().await;
        peer.send(end).await;
        cut(peer).await;
        if end.is_empty() {
            watcher.expect("30 05 | 0001'w' 00 'x'").await;
        }
        cut(Peer::v5(&broker, "a", 0x00, 100, true).await).await;
        watcher.ping().await;
    }
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_12_without_a_will_nothing_is_published() {
    let broker = broker();
    let mut watcher = watcher_v311(&broker).await;
    // The client had one in an earlier connection.
    leave(with_will_v311(&broker, "a", 0x06).await).await;
    cut(v311(&broker, "a", 0x02, false).await).await;
    watcher.ping().await;
    assert_eq!(broker.statistics().messages_in, 0);
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_16_a_will_without_retain_is_not_kept() {
    let broker = broker();
    let mut watcher = watcher_v311(&broker).await;
    cut(with_will_v311(&broker, "a", 0x06).await).await;
    watcher.expect("30 04 | 0001'w' 'x'").await;
    let mut late = v311(&broker, "late", 0x02, false).await;
    subscribe_v311(&mut late, "w", 0).await;
    late.ping().await;
    assert_eq!(broker.statistics().retained_messages, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_14_a_will_without_retain_is_not_kept() {
    let broker = broker();
    let mut watcher = watcher_v5(&broker).await;
    cut(with_will_v5(&broker, "a", 0x06).await).await;
    watcher.expect("30 05 | 0001'w' 00 'x'").await;
    let mut late = Peer::clean(&broker, "late").await;
    late.subscribe_v5("w", 0).await;
    late.ping().await;
    assert_eq!(broker.statistics().retained_messages, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_15_a_will_with_retain_is_kept() {
    let broker = broker();
    let mut watcher = watcher_v5(&broker).await;
    cut(with_will_v5(&broker, "a", 0x26).await).await;
    watcher.expect("30 05 | 0001'w' 00 'x'").await;
    let mut late = Peer::clean(&broker, "late").await;
    late.subscribe_v5("w", 0).await;
    late.expect("31 05 | 0001'w' 00 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_7_a_will_is_stored_until_its_connection_breaks() {
    let broker = broker();
    let mut watcher = watcher_v5(&broker).await;
    let peer = with_will_v5(&broker, "a", 0x0E).await;
    settle().await;
    watcher.ping().await;
    cut(peer).await;
    watcher.expect("32 07 | 0001'w' 0001 00 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_14_4_3_disconnect_takes_the_will_back() {
    let broker = broker();
    let mut watcher = watcher_v311(&broker).await;
    // Flags of a clean session and of one that is kept, with Will Retain.
    for flags in [0x26, 0x24] {
        leave(with_will_v311(&broker, "a", flags).await).await;
    }
    watcher.ping().await;
    assert_eq!(broker.statistics().retained_messages, 0);
}
