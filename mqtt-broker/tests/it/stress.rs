//! Many clients at once on several threads, with connections that break in the middle.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mqtt_broker::{Broker, Options};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{Peer, connect_v5, packet, publish_v5, subscribe_v5};

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
    timeout(Duration::from_secs(30), async {
        while broker.statistics().connections > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("every connection to end");
    let statistics = broker.statistics();
    assert!(statistics.sessions <= 1, "{statistics:?}");
}

/// What became of a message of the group: which member has it, or `None` once it was acknowledged.
#[derive(Default)]
struct Ledger {
    holders: HashMap<(u16, u16), Option<u16>>,
    finished: usize,
}

impl Ledger {
    fn receive(&mut self, message: (u16, u16), member: u16) {
        let holder = self.holders.entry(message).or_insert(Some(member));
        assert_eq!(
            *holder,
            Some(member),
            "{message:?} came to {member} though another has it or had finished it"
        );
    }

    fn acknowledge(&mut self, message: (u16, u16)) {
        self.holders.insert(message, None);
        self.finished += 1;
    }

    /// The member's session ends with this connection, and what it has may come to anybody.
    fn give_up(&mut self, member: u16) {
        self.holders.retain(|_, holder| *holder != Some(member));
    }
}

/// A member that comes and goes. The session of an even one stays when it goes, that of an odd one ends.
async fn share(address: SocketAddr, member: u16, ledger: Arc<Mutex<Ledger>>, all: usize) {
    let is_lasting = member.is_multiple_of(2);
    let mut round = 0;
    while ledger.lock().unwrap().finished < all {
        round += 1;
        let mut peer = Peer::tcp(address).await;
        let expiry = if is_lasting { 1_000 } else { 0 };
        peer.send_bytes(&connect_v5(&format!("member-{member}"), 0, expiry))
            .await;
        peer.connack_v5().await;
        if !is_lasting {
            peer.send_bytes(&subscribe_v5(1, "$share/g/t/+", 1)).await;
        }
        let rounds = 3 + round % 5;
        let mut received = 0;
        let mut pongs = 0;
        peer.send("C0 00").await;
        while pongs < rounds {
            let (first, body) = peer.packet().await;
            match first {
                0x90 => continue,
                0xD0 => {
                    pongs += 1;
                    peer.send("C0 00").await;
                    continue;
                }
                _ => assert!(first == 0x32 || first == 0x3A, "{first:02X}"),
            }
            let [.., a, b, c, d] = body[..] else {
                panic!("{body:02X?}")
            };
            let message = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            ledger.lock().unwrap().receive(message, member);
            received += 1;
            // The last PINGRESP tells that the broker has all acknowledgements, so none is sent while it is waited for: a
            // connection that is closed with something unread may take along what it sent last.
            if received % 3 != 2 && pongs + 1 < rounds {
                ledger.lock().unwrap().acknowledge(message);
                peer.send_bytes(&packet(0x40, &[&body[5..7]])).await;
            }
        }
        if !is_lasting {
            ledger.lock().unwrap().give_up(member);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_loses_nothing_and_doubles_nothing_when_members_come_and_go() {
    let broker = Broker::bind("127.0.0.1:0", Options::default())
        .await
        .unwrap();
    let address = broker.local_addr().unwrap();
    for member in [0, 2] {
        let mut peer = Peer::tcp(address).await;
        peer.send_bytes(&connect_v5(&format!("member-{member}"), 2, 1_000))
            .await;
        peer.connack_v5().await;
        peer.subscribe_v5("$share/g/t/+", 1).await;
    }
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let all = usize::from(PUBLISHERS * MESSAGES);
    let mut tasks = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        tasks.spawn(publish(address, publisher));
    }
    for member in 0..4 {
        tasks.spawn(share(address, member, Arc::clone(&ledger), all));
    }
    let ended = async {
        while let Some(result) = tasks.join_next().await {
            result.unwrap()
        }
    };
    timeout(Duration::from_secs(60), ended)
        .await
        .expect("everything to be acknowledged");
    let ledger = ledger.lock().unwrap();
    assert_eq!((ledger.finished, ledger.holders.len()), (all, all));
    assert_eq!(broker.statistics().messages_dropped, 0);
}
