use std::collections::HashSet;
use std::time::Duration;

use mqtt_broker::{Broker, Options};
use tokio::time::{Instant, sleep};

use crate::support::{Peer, broker, broker_with, connect_v5, connect_v31, connect_v311};

#[tokio::test]
async fn v5_mqtt_4_2_0_1_and_v311_mqtt_7_1_1_1_every_version_connects_over_tcp_pings_and_leaves() {
    let broker = Broker::bind("127.0.0.1:0", Options::default())
        .await
        .unwrap();
    let address = broker.local_addr().unwrap();

    let mut v31 = Peer::tcp(address).await;
    v31.send("10 0F | 0006'MQIsdp' 03 02 003C | 0001'a'").await;
    v31.expect("20 02 00 00").await;
    let mut v311 = Peer::tcp(address).await;
    v311.send("10 0D | 0004'MQTT' 04 02 003C | 0001'b'").await;
    v311.expect("20 02 00 00").await;
    let mut v5 = Peer::tcp(address).await;
    v5.send("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'c'").await;
    // Receive Maximum 1,024, Maximum Packet Size 1 MiB, Topic Alias Maximum 16, no shared subscriptions.
    v5.expect("20 0E 00 00 | 0B | 21 0400 | 27 00100000 | 22 0010")
        .await;
    assert_eq!(broker.statistics().connections, 3);

    for peer in [&mut v31, &mut v311, &mut v5] {
        peer.send("C0 00").await;
        peer.expect("D0 00").await;
        peer.send("E0 00").await;
        peer.expect_close().await;
    }
    assert!(broker.shutdown(Duration::from_secs(5)).await);
    let statistics = broker.statistics();
    assert_eq!(
        (
            statistics.connections,
            statistics.sessions,
            statistics.connections_accepted
        ),
        (0, 0, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_3_6_clients_without_an_identifier_get_different_ones() {
    let broker = broker();
    let mut assigned = HashSet::new();
    let mut peers = Vec::new();
    for _ in 0..2 {
        let mut peer = Peer::new(&broker);
        peer.send("10 0D | 0004'MQTT' 05 02 003C 00 | 0000").await;
        let (first, body) = peer.packet().await;
        assert_eq!((first, &body[..2]), (0x20, &[0, 0][..]));
        // Assigned Client Identifier: 12, then a string of 37 bytes.
        let at = body
            .windows(3)
            .position(|window| window == [0x12, 0, 37])
            .expect("an identifier");
        assigned.insert(body[at + 3..at + 40].to_vec());
        peers.push(peer);
    }
    assert_eq!(assigned.len(), 2);
    assert_eq!(broker.statistics().sessions, 2);
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_3_8_no_identifier_needs_a_clean_session() {
    let broker = broker();
    let mut peer = Peer::new(&broker);
    peer.send("10 0C | 0004'MQTT' 04 00 003C | 0000").await;
    peer.expect("20 02 00 02").await;
    peer.expect_close().await;
    let mut peer = Peer::new(&broker);
    peer.send("10 0C | 0004'MQTT' 04 02 003C | 0000").await;
    peer.expect("20 02 00 00").await;
}

#[tokio::test(start_paused = true)]
async fn a_very_long_identifier_is_refused_and_a_long_one_is_not() {
    let broker = broker();
    let _long = Peer::clean(&broker, &"x".repeat(1_024)).await;
    let mut longer = Peer::new(&broker);
    longer
        .send_bytes(&connect_v5(&"x".repeat(1_025), 2, 0))
        .await;
    longer
        .expect_refusal(0x85, "the Client Identifier is longer than 1,024 bytes")
        .await;
    longer.expect_close().await;
    let mut old = Peer::new(&broker);
    old.send_bytes(&connect_v311(&"x".repeat(1_025), 2)).await;
    old.expect("20 02 00 02").await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_at_the_deadline() {
    let broker = broker();
    let start = Instant::now();
    let mut silent = Peer::new(&broker);
    // Half a CONNECT is no better than none.
    let mut slow = Peer::new(&broker);
    slow.send("10 0E | 0004'MQ").await;
    silent.expect_close_within(Duration::from_secs(11)).await;
    assert!(
        start.elapsed() >= Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    slow.expect_close_within(Duration::from_secs(1)).await;
    sleep(Duration::from_secs(6)).await;
    assert_eq!(broker.statistics().pending_connections, 0);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_22_a_silent_client_is_closed_after_one_and_a_half_keep_alives() {
    let broker = broker();
    let mut peer = Peer::new(&broker);
    peer.send("10 0E | 0004'MQTT' 05 02 000A 00 | 0001'a'")
        .await;
    peer.connack_v5().await;
    let start = Instant::now();
    peer.expect_silence(Duration::from_millis(14_900)).await;
    peer.expect_farewell(
        0x8D,
        "nothing came from the client for one and a half times its keep-alive",
    )
    .await;
    assert!(
        start.elapsed() < Duration::from_secs(16),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn the_connection_limit_refuses_with_server_busy() {
    let broker = broker_with(|options| options.max_connections = 2);
    let first = Peer::clean(&broker, "a").await;
    let _second = Peer::clean_v311(&broker, "b").await;
    let mut third = Peer::new(&broker);
    third.send_bytes(&connect_v5("c", 2, 0)).await;
    assert_eq!(third.connack_v5().await, (false, 0x89));
    third.expect_close().await;
    // 3.x can only be told "server unavailable".
    let mut fourth = Peer::new(&broker);
    fourth.send_bytes(&connect_v311("d", 2)).await;
    fourth.expect("20 02 00 03").await;
    fourth.expect_close().await;
    assert_eq!(broker.statistics().connections_refused, 2);

    drop(first);
    sleep(Duration::from_millis(1)).await;
    let _fifth = Peer::clean(&broker, "e").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_its_own_session_over_needs_no_further_place() {
    let broker = broker_with(|options| options.max_connections = 2);
    let mut mine = Peer::v5(&broker, "a", 0, 100, false).await;
    let mut other = Peer::clean_v311(&broker, "b").await;
    // Again and again, so that a place lost or won each time would show.
    for _ in 0..5 {
        let heir = Peer::v5(&broker, "a", 0, 100, true).await;
        mine.expect_disconnect(0x8E).await;
        mine = heir;
        let heir = Peer::clean_v311(&broker, "b").await;
        other.expect_close().await;
        other = heir;
        assert_eq!(broker.statistics().connections, 2);
        let mut third = Peer::new(&broker);
        third.send_bytes(&connect_v5("c", 2, 0)).await;
        assert_eq!(third.connack_v5().await, (false, 0x89));
    }
    // A session whose client is away has no place to give.
    mine.send("E0 00").await;
    mine.expect_close().await;
    let _third = Peer::clean(&broker, "c").await;
    let mut mine = Peer::new(&broker);
    mine.send_bytes(&connect_v5("a", 0, 100)).await;
    assert_eq!(mine.connack_v5().await, (false, 0x89));
}

#[tokio::test(start_paused = true)]
async fn the_session_limit_refuses_with_quota_exceeded() {
    let broker = broker_with(|options| options.max_sessions = 1);
    let mut first = Peer::v5(&broker, "a", 2, 100, false).await;
    first.send("E0 00").await;
    first.expect_close().await;
    let mut second = Peer::new(&broker);
    second.send_bytes(&connect_v5("b", 2, 0)).await;
    assert_eq!(second.connack_v5().await, (false, 0x97));
    second.expect_close().await;
    // The one who has a session may come back to it.
    let _first = Peer::v5(&broker, "a", 0, 100, true).await;
}

#[tokio::test(start_paused = true)]
async fn silent_connections_on_all_places_do_not_keep_clients_out() {
    let broker = broker_with(|options| options.max_pending_connections = 2);
    let mut silent = [Peer::new(&broker), Peer::new(&broker)];
    let mut client = Peer::clean(&broker, "a").await;
    client.ping().await;
    silent[0].expect_close().await;
    assert_eq!(broker.statistics().connections_refused, 1);
    // One who lingers after it was refused is no better.
    let mut refused = Peer::new(&broker);
    refused.send("C0 00").await;
    refused.expect_close().await;
    let mut other = Peer::clean(&broker, "b").await;
    other.ping().await;
    silent[1].expect_close().await;
    client.ping().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crowd_from_one_address_pushes_out_its_own() {
    use tokio::net::{TcpSocket, TcpStream};

    let options = |options: &mut Options| {
        options.max_pending_connections = 10;
        options.connect_timeout = Duration::from_secs(600);
    };
    let broker = broker_with(options);
    let address = broker.listen("127.0.0.1:0").await.unwrap();
    let connect = connect_v5("slow", 2, 0);
    let (begin, rest) = connect.split_at(7);
    let mut slow = Peer::tcp(address).await;
    slow.send_bytes(begin).await;
    let mut crowd: Vec<TcpStream> = Vec::new();
    for _ in 0..100 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        crowd.push(socket.connect(address).await.unwrap());
    }
    for stream in crowd.drain(..91) {
        let mut silent = Peer::over(stream);
        silent.expect_close().await;
    }
    slow.send_bytes(rest).await;
    assert_eq!(slow.connack_v5().await, (false, 0));
    // One of the crowd may come in too.
    let mut last = Peer::over(crowd.pop().unwrap());
    last.send_bytes(&connect_v5("crowd", 2, 0)).await;
    assert_eq!(last.connack_v5().await, (false, 0));
    assert_eq!(broker.statistics().connections_refused, 91);
}

#[tokio::test(start_paused = true)]
async fn shutdown_tells_5_0_clients_and_closes_all() {
    let broker = broker();
    let mut v5 = Peer::clean(&broker, "a").await;
    let mut v311 = Peer::clean_v311(&broker, "b").await;
    let mut v31 = Peer::new(&broker);
    v31.send_bytes(&connect_v31("c", 2)).await;
    v31.expect("20 02 00 00").await;
    let mut pending = Peer::new(&broker);
    let stopping = broker.clone();
    let stopped = tokio::spawn(async move { stopping.shutdown(Duration::from_secs(30)).await });
    v5.expect_farewell(0x8B, "the server shuts down").await;
    v311.expect_close().await;
    v31.expect_close().await;
    pending.expect_close().await;
    drop((v5, v311, v31, pending));
    assert!(stopped.await.unwrap());
    let mut late = Peer::new(&broker);
    late.expect_close().await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_ever() {
    let broker = broker_with(|options| options.close_timeout = Duration::from_secs(60));
    let peer = Peer::clean(&broker, "a").await;
    let start = Instant::now();
    // The client neither reads nor closes.
    assert!(!broker.shutdown(Duration::from_secs(3)).await);
    assert_eq!(start.elapsed().as_secs(), 3);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_everything() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    let other = broker.clone();
    drop(broker);
    peer.ping().await;
    drop(other);
    peer.expect_close().await;
}
