use std::time::Duration;

use mqtt_broker::Overflow;
use tokio::time::{Instant, sleep};

use crate::support::{Peer, broker, broker_with, connect_v5, packet, publish_v5, string};

const KIB: [u8; 1_024] = [b'x'; 1_024];

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_loses_qos_0_and_harms_nobody() {
    let broker = broker_with(|options| options.max_queued_bytes = 64 << 10);
    let mut slow = Peer::with_buffer(&broker, 1 << 10);
    slow.send_bytes(&connect_v5("slow", 2, 0)).await;
    slow.connack_v5().await;
    slow.subscribe_v5("t", 0).await;
    let mut quick = Peer::clean(&broker, "quick").await;
    quick.subscribe_v5("t", 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for _ in 0..1_000 {
        sender.send_bytes(&publish_v5(0x30, "t", None, &KIB)).await;
        quick.expect_bytes(&publish_v5(0x30, "t", None, &KIB)).await;
    }
    let statistics = broker.statistics();
    assert!(statistics.messages_dropped > 700, "{statistics:?}");
    assert!(statistics.queued_bytes <= 64 << 10, "{statistics:?}");
    // What was kept arrives in whole packets, and the connection lives.
    for _ in 0..1_000 - statistics.messages_dropped {
        slow.expect_bytes(&publish_v5(0x30, "t", None, &KIB)).await;
    }
    slow.ping().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_of_qos_1_is_bounded_and_the_publisher_is_told() {
    let broker = broker_with(|options| options.max_queued_messages = 10);
    let mut slow = Peer::clean(&broker, "slow").await;
    slow.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    // The receiver gets all ten and acknowledges none.
    for _ in 0..10 {
        assert_eq!(sender.publish_qos_1("t", b"x").await, 0);
        slow.packet().await;
    }
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0x97);
    slow.send("40 02 0001").await;
    slow.ping().await;
    assert_eq!(sender.publish_qos_1("t", b"y").await, 0);
    let (_, body) = slow.packet().await;
    assert!(body.ends_with(b"y"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_is_disconnected_where_that_is_chosen() {
    let broker = broker_with(|options| {
        options.max_queued_messages = 10;
        options.overflow = Overflow::Disconnect;
    });
    let mut slow = Peer::v5(&broker, "slow", 2, 100, false).await;
    slow.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for _ in 0..10 {
        assert_eq!(sender.publish_qos_1("t", b"x").await, 0);
        slow.packet().await;
    }
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0x97);
    slow.expect_farewell(
        0x97,
        "the client reads too slowly: more messages wait for it than may",
    )
    .await;
    // What it had not acknowledged is still its own.
    let mut slow = Peer::v5(&broker, "slow", 0, 100, true).await;
    for number in 1..=10 {
        slow.expect_bytes(&packet(0x3A, &[&string("t"), &[0, number, 0], b"x"]))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_waiting_message_makes_room_where_that_is_chosen() {
    let broker = broker_with(|options| {
        options.max_queued_messages = 3;
        options.overflow = Overflow::DropOldest;
    });
    let mut slow = Peer::new(&broker);
    // Receive Maximum 1: the second message waits.
    slow.send("10 11 | 0004'MQTT' 05 02 003C 03 21 0001 | 0001'r'")
        .await;
    slow.connack_v5().await;
    slow.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for payload in [b"1", b"2", b"3"] {
        assert_eq!(sender.publish_qos_1("t", payload).await, 0);
    }
    slow.expect("32 07 | 0001't' 0001 00 '1'").await;
    slow.ping().await;
    assert_eq!(sender.publish_qos_1("t", b"4").await, 0);
    assert_eq!(broker.statistics().messages_dropped, 1);
    // The first was sent already; the second is gone.
    slow.send("40 02 0001").await;
    slow.expect("32 07 | 0001't' 0002 00 '3'").await;
    slow.send("40 02 0002").await;
    slow.expect("32 07 | 0001't' 0003 00 '4'").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_client_does_not_take_holds_nothing_up() {
    let broker = broker();
    let mut receiver = Peer::new(&broker);
    // Receive Maximum 1 and Maximum Packet Size 20.
    receiver
        .send("10 16 | 0004'MQTT' 05 02 003C 08 21 0001 27 00000014 | 0001'r'")
        .await;
    receiver.connack_v5().await;
    receiver.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    assert_eq!(sender.publish_qos_1("t", &[b'x'; 20]).await, 0);
    assert_eq!(sender.publish_qos_1("t", b"3").await, 0);
    receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
    let start = Instant::now();
    receiver.send("40 02 0001").await;
    receiver.expect("32 07 | 0001't' 0003 00 '3'").await;
    assert_eq!(start.elapsed(), Duration::ZERO, "nothing was waited for");
    assert_eq!(broker.statistics().messages_dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_that_is_back_does_not_take_holds_nothing_up() {
    let broker = broker();
    let mut receiver = Peer::v5(&broker, "r", 2, 100, false).await;
    receiver.subscribe_v5("t", 1).await;
    drop(receiver);
    sleep(Duration::from_millis(1)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    assert_eq!(sender.publish_qos_1("t", &[b'x'; 20]).await, 0);
    let mut receiver = Peer::new(&broker);
    // Receive Maximum 1 and Maximum Packet Size 20.
    receiver
        .send("10 1B | 0004'MQTT' 05 00 003C 0D 11 00000064 21 0001 27 00000014 | 0001'r'")
        .await;
    assert_eq!(receiver.connack_v5().await, (true, 0));
    receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
    assert_eq!(sender.publish_qos_1("t", b"3").await, 0);
    let start = Instant::now();
    receiver.send("40 02 0001").await;
    receiver.expect("32 07 | 0001't' 0003 00 '3'").await;
    assert_eq!(start.elapsed(), Duration::ZERO, "nothing was waited for");
    assert_eq!(broker.statistics().messages_dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn v5_4_9_a_pubrel_that_is_sent_again_takes_nothing_of_the_receive_maximum() {
    let broker = broker();
    // Receive Maximum 1, Session Expiry 100 s; with and without Clean Start.
    let connect =
        |flags| format!("10 16 | 0004'MQTT' 05 {flags} 003C 08 11 00000064 21 0001 | 0001'r'");
    let mut receiver = Peer::new(&broker);
    receiver.send(&connect("02")).await;
    receiver.connack_v5().await;
    receiver.subscribe_v5("t", 2).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("34 07 | 0001't' 0002 00 '2'").await;
    sender.expect("50 02 0002").await;
    receiver.expect("34 07 | 0001't' 0001 00 '2'").await;
    receiver.send("50 02 0001").await;
    receiver.expect("62 02 0001").await;
    drop(receiver);
    let mut receiver = Peer::new(&broker);
    receiver.send(&connect("00")).await;
    assert_eq!(receiver.connack_v5().await, (true, 0));
    receiver.expect("62 02 0001").await;
    // It does not answer.
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    receiver.expect("32 07 | 0001't' 0002 00 '1'").await;
    assert_eq!(sender.publish_qos_1("t", b"3").await, 0);
    receiver.ping().await;
    receiver.send("40 02 0002").await;
    receiver.expect("32 07 | 0001't' 0003 00 '3'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_4_9_the_clients_receive_maximum_is_kept() {
    let broker = broker();
    let mut peer = Peer::new(&broker);
    // Receive Maximum 2.
    peer.send("10 11 | 0004'MQTT' 05 02 003C 03 21 0002 | 0001'r'")
        .await;
    peer.connack_v5().await;
    peer.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for payload in [b"1", b"2", b"3"] {
        assert_eq!(sender.publish_qos_1("t", payload).await, 0);
    }
    peer.expect("32 07 | 0001't' 0001 00 '1'").await;
    peer.expect("32 07 | 0001't' 0002 00 '2'").await;
    // Only PUBLISH is held back.
    peer.ping().await;
    peer.send("40 02 0001").await;
    let (_, body) = peer.packet().await;
    assert!(body.ends_with(b"3"));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_answers_is_not_read() {
    let broker = broker();
    let mut peer = Peer::with_buffer(&broker, 1 << 10);
    peer.send_bytes(&connect_v5("a", 2, 0)).await;
    peer.connack_v5().await;
    // Two million PINGREQs would want four megabytes of answers.
    let flood = [0xC0, 0].repeat(2_000_000);
    let mut written = 0;
    for chunk in flood.chunks(1_024) {
        if tokio::time::timeout(Duration::from_millis(100), peer.send_bytes(chunk))
            .await
            .is_err()
        {
            break;
        }
        written += chunk.len();
    }
    assert!(written < 2 << 20, "the broker took {written} bytes");
    let mut other = Peer::clean(&broker, "b").await;
    other.ping().await;
}

#[tokio::test(start_paused = true)]
async fn counts_return_to_nothing_when_all_are_gone() {
    let broker = broker();
    for round in 0..50 {
        let mut peer = Peer::clean(&broker, &format!("c{}", round % 7)).await;
        peer.subscribe_v5(&format!("t/{round}"), 1).await;
        assert_eq!(peer.publish_qos_1(&format!("t/{round}"), &KIB).await, 0);
    }
    sleep(Duration::from_secs(6)).await;
    let statistics = broker.statistics();
    assert_eq!(statistics.connections, 0);
    assert_eq!(statistics.pending_connections, 0);
    assert_eq!(statistics.sessions, 0);
    assert_eq!(statistics.subscriptions, 0);
    assert_eq!(statistics.queued_bytes, 0);
    assert_eq!(statistics.connections_accepted, 50);
}
