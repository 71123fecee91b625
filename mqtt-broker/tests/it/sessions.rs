use std::time::Duration;

use mqtt_broker::Overflow;
use tokio::time::sleep;

use crate::support::{Peer, broker, broker_with, connect_v5, connect_v311};

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_5_a_session_outlives_its_connection_and_queues() {
    let broker = broker();
    let mut receiver = Peer::v5(&broker, "r", 2, 100, false).await;
    receiver.subscribe_v5("t", 2).await;
    receiver.send("E0 00").await;
    receiver.expect_close().await;

    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    // QoS 0 is not kept for who is away, but it matched.
    sender.send("30 05 | 0001't' 00 '0'").await;
    sender.send("34 07 | 0001't' 0002 00 '2'").await;
    sender.expect("50 02 0002").await;
    assert!(broker.statistics().queued_bytes > 0);

    let mut receiver = Peer::v5(&broker, "r", 0, 100, true).await;
    receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
    receiver.expect("34 07 | 0001't' 0002 00 '2'").await;
    receiver.send("40 02 0001 | 50 02 0002").await;
    receiver.expect("62 02 0002").await;
    receiver.send("70 02 0002").await;
    receiver.ping().await;
    assert_eq!(broker.statistics().queued_bytes, 0);
    assert_eq!(broker.statistics().messages_dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn v311_a_session_without_clean_session_is_kept_as_long_as_configured() {
    let broker = broker_with(|options| options.max_session_expiry = Duration::from_secs(1_000));
    let mut receiver = Peer::new(&broker);
    receiver.send_bytes(&connect_v311("r", 0)).await;
    receiver.expect("20 02 00 00").await;
    receiver.send("82 06 0001 | 0001't' 01").await;
    receiver.expect("90 03 0001 01").await;
    drop(receiver);
    sleep(Duration::from_secs(990)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0);

    let mut receiver = Peer::new(&broker);
    receiver.send_bytes(&connect_v311("r", 0)).await;
    receiver.expect("20 02 01 00").await;
    receiver.expect("32 06 | 0001't' 0001 'x'").await;
    receiver.send("40 02 0001 | E0 00").await;
    receiver.expect_close().await;
    sleep(Duration::from_secs(1_001)).await;
    assert_eq!(broker.statistics().sessions, 0);
    let mut receiver = Peer::new(&broker);
    receiver.send_bytes(&connect_v311("r", 0)).await;
    receiver.expect("20 02 00 00").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_1_0_2_a_session_ends_when_its_time_is_over() {
    let broker = broker();
    let mut peer = Peer::v5(&broker, "a", 2, 60, false).await;
    peer.subscribe_v5("t", 1).await;
    drop(peer);
    sleep(Duration::from_secs(59)).await;
    assert_eq!(
        (
            broker.statistics().sessions,
            broker.statistics().subscriptions
        ),
        (1, 1)
    );
    sleep(Duration::from_secs(2)).await;
    assert_eq!(
        (
            broker.statistics().sessions,
            broker.statistics().subscriptions
        ),
        (0, 0)
    );
    Peer::v5(&broker, "a", 0, 60, false).await;
}

#[tokio::test(start_paused = true)]
async fn coming_back_stops_the_clock_of_the_session() {
    let broker = broker();
    drop(Peer::v5(&broker, "a", 2, 60, false).await);
    sleep(Duration::from_secs(50)).await;
    let mut peer = Peer::v5(&broker, "a", 0, 60, true).await;
    for _ in 0..5 {
        sleep(Duration::from_secs(50)).await;
        peer.ping().await;
    }
    drop(peer);
    sleep(Duration::from_secs(50)).await;
    Peer::v5(&broker, "a", 0, 60, true).await;
}

#[tokio::test(start_paused = true)]
async fn v5_a_longer_session_expiry_than_allowed_is_announced() {
    let broker = broker_with(|options| options.max_session_expiry = Duration::from_secs(30));
    let mut peer = Peer::new(&broker);
    peer.send_bytes(&connect_v5("a", 2, u32::MAX)).await;
    let (_, body) = peer.packet().await;
    assert!(
        body.windows(5).any(|window| window == [0x11, 0, 0, 0, 30]),
        "{body:02X?}"
    );
    // A DISCONNECT cannot get around it.
    peer.send("E0 07 00 05 11 0000FFFF").await;
    peer.expect_close().await;
    sleep(Duration::from_secs(31)).await;
    assert_eq!(broker.statistics().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_disconnect_changes_the_session_expiry() {
    let broker = broker();
    let mut peer = Peer::v5(&broker, "a", 2, 60, false).await;
    peer.send("E0 07 00 05 11 00000000").await;
    peer.expect_close().await;
    assert_eq!(broker.statistics().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_4_3_a_second_connection_takes_the_session_over() {
    let broker = broker();
    let mut old = Peer::v5(&broker, "a", 2, 100, false).await;
    old.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0);
    old.expect("32 07 | 0001't' 0001 00 'x'").await;

    let mut new = Peer::v5(&broker, "a", 0, 100, true).await;
    old.expect_farewell(0x8E, "another client connected with this identifier")
        .await;
    // What was not acknowledged comes again, with DUP.
    new.expect("3A 07 | 0001't' 0001 00 'x'").await;
    new.send("40 02 0001").await;
    assert_eq!(sender.publish_qos_1("t", b"y").await, 0);
    let (_, body) = new.packet().await;
    assert!(body.ends_with(b"y"));
    assert_eq!(broker.statistics().sessions, 2);

    // 3.x is not told, only closed. A clean start gets nothing of the old session.
    let mut third = Peer::v5(&broker, "a", 2, 0, false).await;
    new.expect_disconnect(0x8E).await;
    third.ping().await;
    assert_eq!(sender.publish_qos_1("t", b"z").await, 0x10);
    let mut old = Peer::clean_v311(&broker, "b").await;
    let _new = Peer::clean_v311(&broker, "b").await;
    old.expect_close().await;
}

#[tokio::test(start_paused = true)]
async fn many_connections_fight_for_one_session_and_one_has_it() {
    let broker = broker();
    let mut peers: Vec<_> = (0..20).map(|_| Peer::new(&broker)).collect();
    for peer in &mut peers {
        peer.send_bytes(&connect_v5("a", 0, 100)).await;
    }
    sleep(Duration::from_secs(7)).await;
    assert_eq!(
        (
            broker.statistics().connections,
            broker.statistics().sessions
        ),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_4_a_clean_start_discards_the_session() {
    let broker = broker();
    let mut peer = Peer::v5(&broker, "a", 2, 100, false).await;
    peer.subscribe_v5("t", 1).await;
    drop(peer);
    sleep(Duration::from_millis(1)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0);
    let mut peer = Peer::v5(&broker, "a", 2, 100, false).await;
    peer.ping().await;
    assert_eq!(broker.statistics().subscriptions, 0);
    assert_eq!(broker.statistics().queued_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_3_3_10_received_qos_2_identifiers_are_part_of_the_session() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 0).await;
    let mut sender = Peer::v5(&broker, "s", 2, 100, false).await;
    sender.send("34 07 | 0001't' 0001 00 'x'").await;
    sender.expect("50 02 0001").await;
    receiver.expect("30 05 | 0001't' 00 'x'").await;
    let mut sender = Peer::v5(&broker, "s", 0, 100, true).await;
    sender.send("3C 07 | 0001't' 0001 00 'x'").await;
    sender.expect("50 02 0001").await;
    sender.send("62 02 0001").await;
    sender.expect("70 02 0001").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_the_newest_and_tells_the_publisher() {
    let broker = broker_with(|options| options.max_queued_messages = 2);
    let mut receiver = Peer::v5(&broker, "r", 2, 100, false).await;
    receiver.subscribe_v5("t", 1).await;
    drop(receiver);
    sleep(Duration::from_millis(1)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    let mut codes = Vec::new();
    for payload in ["1", "2", "3"] {
        codes.push(sender.publish_qos_1("t", payload.as_bytes()).await);
    }
    assert_eq!(codes, [0, 0, 0x97]);
    assert_eq!(broker.statistics().messages_dropped, 1);
    let mut receiver = Peer::v5(&broker, "r", 0, 100, true).await;
    receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
    receiver.expect("32 07 | 0001't' 0002 00 '2'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_the_oldest_where_that_is_chosen() {
    let broker = broker_with(|options| {
        options.max_queued_messages = 2;
        options.overflow = Overflow::DropOldest;
    });
    let mut receiver = Peer::v5(&broker, "r", 2, 100, false).await;
    receiver.subscribe_v5("t", 1).await;
    drop(receiver);
    sleep(Duration::from_millis(1)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for payload in ["1", "2", "3"] {
        assert_eq!(sender.publish_qos_1("t", payload.as_bytes()).await, 0);
    }
    assert_eq!(broker.statistics().messages_dropped, 1);
    let mut receiver = Peer::v5(&broker, "r", 0, 100, true).await;
    receiver.expect("32 07 | 0001't' 0001 00 '2'").await;
    receiver.expect("32 07 | 0001't' 0002 00 '3'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_all_sessions_together_are_bounded() {
    let broker = broker_with(|options| options.max_total_queued_bytes = 10_000);
    for id in ["a", "b"] {
        let mut peer = Peer::v5(&broker, id, 2, 100, false).await;
        peer.subscribe_v5(id, 1).await;
    }
    sleep(Duration::from_millis(1)).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("a", &[b'x'; 6_000]).await, 0);
    assert_eq!(sender.publish_qos_1("b", &[b'x'; 6_000]).await, 0x97);
    assert!((6_000..10_000).contains(&broker.statistics().queued_bytes));
    // When one is taken there is room for the other.
    let mut receiver = Peer::v5(&broker, "a", 0, 100, true).await;
    receiver.packet().await;
    receiver.send("40 02 0001").await;
    receiver.ping().await;
    assert_eq!(broker.statistics().queued_bytes, 0);
    assert_eq!(sender.publish_qos_1("b", &[b'x'; 6_000]).await, 0);
}
