//! Many clients at once on several threads, with connections that break in the middle.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use mqtt_broker::{Broker, Options};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{Peer, connect_v5, packet, publish_v5};

const PUBLISHERS: u16 = 4;
const SUBSCRIBERS: u16 = 4;
const MESSAGES: u16 = 500;

/// Publishes its numbers at QoS 1, up to 50 ahead of their acknowledgements.
async fn publish(address: SocketAddr, publisher: u16) {
    let mut peer = Peer::tcp(address).await;
    peer.send_bytes(&connect_v5(&format!("publisher-{publisher}"), 2, 0))
        .await;
    peer.connack_v5().await;
    let topic = format!("t/{publisher}");
    for number in 1..=MESSAGES + 50 {
        if number <= MESSAGES {
            let payload = [publisher.to_be_bytes(), number.to_be_bytes()].concat();
            peer.send_bytes(&publish_v5(0x32, &topic, Some(number), &payload))
                .await;
        }
        if number > 50 {
            peer.expect_bytes(&packet(0x40, &[&(number - 50).to_be_bytes()]))
                .await;
        }
    }
}

/// Receives with one session over many connections, each cut after some messages; every third is not acknowledged before.
async fn receive(address: SocketAddr, subscriber: u16) {
    let id = format!("subscriber-{subscriber}");
    let mut first_seen: Vec<Vec<u16>> = vec![Vec::new(); usize::from(PUBLISHERS)];
    let mut seen = HashSet::new();
    let mut cut_after = 20 + subscriber;
    let mut connections = 0;
    while seen.len() < usize::from(PUBLISHERS * MESSAGES) {
        connections += 1;
        let mut peer = Peer::tcp(address).await;
        peer.send_bytes(&connect_v5(&id, 0, 1_000)).await;
        assert_eq!(peer.connack_v5().await, (true, 0));
        for received in 0..cut_after {
            let (first, body) = peer.packet().await;
            assert!(first == 0x32 || first == 0x3A, "{first:02X}");
            let [.., a, b, c, d] = body[..] else {
                panic!("{body:02X?}")
            };
            let (publisher, number) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            if seen.insert((publisher, number)) {
                first_seen[usize::from(publisher)].push(number);
            } else {
                // What was seen before can only be what was not acknowledged, sent again.
                assert_eq!(first, 0x3A, "{publisher} {number} came twice");
            }
            if received % 3 != 2 || received + 10 < cut_after {
                let packet_id = &body[5..7];
                peer.send_bytes(&packet(0x40, &[packet_id])).await;
            }
            if seen.len() == usize::from(PUBLISHERS * MESSAGES) {
                break;
            }
        }
        cut_after += 37;
    }
    assert!(connections > 3);
    for numbers in first_seen {
        assert!(
            numbers.is_sorted() && numbers.len() == usize::from(MESSAGES),
            "{numbers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_out_of_order_when_subscribers_come_and_go() {
    let broker = Broker::bind("127.0.0.1:0", Options::default())
        .await
        .unwrap();
    let address = broker.local_addr().unwrap();
    for subscriber in 0..SUBSCRIBERS {
        let mut peer = Peer::tcp(address).await;
        peer.send_bytes(&connect_v5(&format!("subscriber-{subscriber}"), 2, 1_000))
            .await;
        peer.connack_v5().await;
        peer.subscribe_v5("t/+", 1).await;
    }
    let mut tasks = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        tasks.spawn(publish(address, publisher));
    }
    for subscriber in 0..SUBSCRIBERS {
        tasks.spawn(receive(address, subscriber));
    }
    let all = async {
        while let Some(result) = tasks.join_next().await {
            result.unwrap()
        }
    };
    timeout(Duration::from_secs(60), all)
        .await
        .expect("everything to arrive");
    let statistics = broker.statistics();
    assert_eq!(statistics.messages_dropped, 0);
    assert_eq!(statistics.messages_in, u64::from(PUBLISHERS * MESSAGES));
    assert!(broker.shutdown(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_identifier_wanted_by_many_is_had_by_one_at_a_time() {
    let broker = Broker::bind("127.0.0.1:0", Options::default())
        .await
        .unwrap();
    let address = broker.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(async move {
            for round in 0..20 {
                let mut peer = Peer::tcp(address).await;
                peer.send_carelessly(&connect_v5(
                    "wanted",
                    2 * (round % 2),
                    100 * u32::from(round % 3),
                ))
                .await;
                // The CONNACK, or the end if somebody else came.
                timeout(Duration::from_secs(10), peer.byte())
                    .await
                    .expect("an answer");
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    for _ in 0..100 {
        if broker.statistics().connections == 0 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let statistics = broker.statistics();
    assert_eq!(statistics.connections, 0);
    assert!(statistics.sessions <= 1, "{statistics:?}");
}
