use std::time::Duration;

use tokio::time::sleep;

use crate::support::{Peer, broker, broker_with, publish_v5};

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_9_a_retained_message_comes_on_subscribing() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    // RETAIN 1, QoS 1: "1", then "2" in its place; RETAIN 0 changes nothing.
    sender.send("33 07 | 0001't' 0001 00 '1' | 33 07 | 0001't' 0002 00 '2' | 32 07 | 0001't' 0003 00 '3'").await;
    sender
        .expect("40 03 0001 10 | 40 03 0002 10 | 40 03 0003 10")
        .await;
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("+", 1).await;
    receiver.expect("33 07 | 0001't' 0001 00 '2'").await;
    receiver.ping().await;

    // 3.1.1 gets it too, at the QoS it was granted.
    let mut old = Peer::clean_v311(&broker, "old").await;
    old.send("82 06 0001 | 0001't' 00").await;
    old.expect("90 03 0001 00 | 31 04 | 0001't' '2'").await;

    // An empty payload goes to those who are there and removes it.
    sender.send("31 04 | 0001't' 00").await;
    old.expect("30 03 | 0001't'").await;
    assert_eq!(
        (
            broker.statistics().retained_messages,
            broker.statistics().retained_bytes
        ),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_12_and_13_retain_as_published_decides_what_the_living_see() {
    let broker = broker();
    let mut plain = Peer::clean(&broker, "plain").await;
    plain.subscribe_v5("t", 0x00).await;
    let mut faithful = Peer::clean(&broker, "faithful").await;
    faithful.subscribe_v5("t", 0x08).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("31 05 | 0001't' 00 'x'").await;
    plain.expect("30 05 | 0001't' 00 'x'").await;
    faithful.expect("31 05 | 0001't' 00 'x'").await;
    sender.send("30 05 | 0001't' 00 'y'").await;
    plain.expect("30 05 | 0001't' 00 'y'").await;
    faithful.expect("30 05 | 0001't' 00 'y'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_1_10_retain_handling_is_obeyed() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("31 05 | 0001't' 00 'x'").await;
    // 1: only if the subscription is new. 2: never. 0: always.
    peer.subscribe_v5("t", 0x10).await;
    peer.expect("31 05 | 0001't' 00 'x'").await;
    peer.subscribe_v5("t", 0x10).await;
    peer.ping().await;
    peer.subscribe_v5("#", 0x20).await;
    peer.ping().await;
    peer.subscribe_v5("t", 0x00).await;
    peer.expect("31 05 | 0001't' 00 'x'").await;
    peer.ping().await;
}

#[tokio::test(start_paused = true)]
async fn a_retained_message_that_does_not_fit_is_refused() {
    let broker = broker_with(|options| options.max_retained_messages = 1);
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("#", 0).await;
    peer.send("33 07 | 0001't' 0001 00 'x'").await;
    peer.expect("40 02 0001 | 30 05 | 0001't' 00 'x'").await;
    peer.send("33 07 | 0001'u' 0002 00 'x'").await;
    peer.expect_explained(
        0x40,
        "0002 97",
        "as many retained messages are kept as may be",
        "",
    )
    .await;
    peer.ping().await;
    assert_eq!(
        (
            broker.statistics().retained_messages,
            broker.statistics().messages_dropped
        ),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_retained_message_ages() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    // Message Expiry Interval 60 s.
    sender.send("31 0A | 0001't' 05 02 0000003C 'x'").await;
    sender.ping().await;
    sleep(Duration::from_secs(40)).await;
    let mut early = Peer::clean(&broker, "early").await;
    early.subscribe_v5("t", 0).await;
    early.expect("31 0A | 0001't' 05 02 00000014 'x'").await;
    sleep(Duration::from_secs(20)).await;
    let mut late = Peer::clean(&broker, "late").await;
    late.subscribe_v5("t", 0).await;
    late.ping().await;
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_retained_messages_are_bounded() {
    let broker = broker_with(|options| options.max_retained_bytes = 10_000);
    let mut peer = Peer::clean(&broker, "a").await;
    let retain = |topic, payload: &[u8]| publish_v5(0x33, topic, Some(1), payload);
    let large = [b'x'; 6_000];
    let full = "as many retained messages are kept as may be";
    peer.send_bytes(&retain("t", &large)).await;
    peer.expect("40 03 0001 10").await;
    peer.send_bytes(&retain("u", &large)).await;
    peer.expect_explained(0x40, "0001 97", full, "").await;
    assert!((6_000..10_000).contains(&broker.statistics().retained_bytes));
    // Another in its place, and then none: there is room again.
    peer.send_bytes(&retain("t", &large)).await;
    peer.expect("40 03 0001 10").await;
    peer.send_bytes(&retain("t", b"")).await;
    peer.expect("40 03 0001 10").await;
    peer.send_bytes(&retain("u", &large)).await;
    peer.expect("40 03 0001 10").await;
}
