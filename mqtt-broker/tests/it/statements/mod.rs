//! Numbered statements of the standards that need routing, retained messages or several connections, by chapter. What other
//! modules show on the way carries its number there.

mod order;
mod publish;
mod retained;
mod sessions;
mod subscribe;
mod topics;
mod wills;

use std::time::Duration;

use mqtt_broker::Broker;
use tokio::io::DuplexStream;
use tokio::time::sleep;

use crate::support::{Peer, connect_v311, packet, string};

/// Connected with 3.1.1. Flags: 02 clean session. Whether a session is present is checked.
async fn v311(broker: &Broker, client_id: &str, flags: u8, present: bool) -> Peer<DuplexStream> {
    let mut peer = Peer::new(broker);
    peer.send_bytes(&connect_v311(client_id, flags)).await;
    peer.expect_bytes(&[0x20, 2, present.into(), 0]).await;
    peer
}

/// PUBLISH of 3.1.1. QoS 0 has no Packet Identifier.
fn publish_v311(first: u8, topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let id = id.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default();
    packet(first, &[&string(topic), &id, payload])
}

/// Subscribes with 3.1.1 and is granted what was asked for.
async fn subscribe_v311(peer: &mut Peer<DuplexStream>, filter: &str, qos: u8) {
    peer.send_bytes(&packet(0x82, &[&[0x77, 0x77], &string(filter), &[qos]]))
        .await;
    peer.expect_bytes(&[0x90, 3, 0x77, 0x77, qos]).await;
}

/// Publishes with 3.1.1 at QoS 1. Flags: 33 retained, 3A a repetition.
async fn publish_qos_1_v311(peer: &mut Peer<DuplexStream>, first: u8, topic: &str, payload: &[u8]) {
    peer.send_bytes(&publish_v311(first, topic, Some(0x0101), payload))
        .await;
    peer.expect("40 02 0101").await;
}

/// Ends a connection with DISCONNECT.
async fn leave(mut peer: Peer<DuplexStream>) {
    peer.send("E0 00").await;
    peer.expect_close().await;
    settle().await;
}

/// Ends a connection without a word.
async fn cut(peer: Peer<DuplexStream>) {
    drop(peer);
    settle().await;
}

/// Returns when the broker has done all it can: the clock is stopped, and goes on only when nobody has anything left to do.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}
