use std::cell::RefCell;
use std::time::Duration;

use mqtt_broker::{Broker, Options};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::time::{Instant, sleep};

use crate::support::{PATIENCE_OVER_TCP, Peer, broker, broker_with, bytes, connect_v5, packet};

/// What a 5.0 client sends after its CONNECT, and the Reason Codes it may be closed with.
const BROKEN: &[(&str, &[u8])] = &[
    // Packet type 0.
    ("00 00", &[0x81]),
    // PINGREQ with a flag.
    ("C1 00", &[0x81]),
    // PUBLISH of QoS 3.
    ("36 07 | 0001't' 0001 00 'x'", &[0x81]),
    // Remaining Length of five bytes.
    ("30 FF FF FF FF 01", &[0x81]),
    // A topic that runs past the end.
    ("30 03 | 0009't'", &[0x81]),
    // A wildcard in a Topic Name.
    ("30 05 | 0001'#' 00 'x'", &[0x81, 0x82, 0x90]),
    // Text that is not UTF-8.
    ("30 05 | 0001 FF 00 'x'", &[0x81]),
    // Packet Identifier 0.
    ("32 07 | 0001't' 0000 00 'x'", &[0x81, 0x82]),
    // An unknown property.
    ("30 07 | 0001't' 02 7F 00 'x'", &[0x81]),
    // SUBSCRIBE without a filter, and with a broken one.
    ("82 03 0001 00", &[0x81, 0x82]),
    ("82 08 0001 00 | 0002'a#' 00", &[0x81, 0x82, 0x8F]),
    // A second CONNECT.
    ("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a'", &[0x82]),
    // Packets that only servers send.
    ("20 03 00 00 00", &[0x81, 0x82]),
    ("D0 00", &[0x81, 0x82]),
    // AUTH, though no method was named.
    ("F0 06 18 04 15 0001'm'", &[0x82]),
    // 2 MiB announced: closed before they come.
    ("30 80 80 80 01", &[0x95]),
];

#[tokio::test(start_paused = true)]
async fn what_breaks_the_protocol_is_closed_with_its_reason_and_nobody_else_notices() {
    let broker = broker();
    let mut witness = Peer::clean(&broker, "witness").await;
    witness.subscribe_v5("#", 1).await;
    for (broken, codes) in BROKEN {
        let mut peer = Peer::clean(&broker, "broken").await;
        peer.send(broken).await;
        let (first, body) = peer.packet().await;
        assert!(
            first == 0xE0 && codes.contains(&body[0]),
            "{broken}: {first:02X} {body:02X?}"
        );
        peer.expect_close().await;
        witness.ping().await;
    }
    for (broken, _) in BROKEN {
        // 3.1.1 has no way to be told.
        if broken.starts_with("30 07") || broken.starts_with("F0") || broken.starts_with("82 03") {
            // These are something else without the properties of 5.0.
            continue;
        }
        let mut peer = Peer::clean_v311(&broker, "broken").await;
        peer.send(broken).await;
        peer.expect_close().await;
    }
    let statistics = broker.statistics();
    assert_eq!(statistics.connections, 1);
    let closed = statistics.connections_accepted - 1;
    assert_eq!(statistics.connections_failed, closed);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connect_is_closed() {
    let broker = broker();
    for broken in [
        // A packet before CONNECT.
        "C0 00",
        // The reserved flag.
        "10 0D | 0004'MQTT' 04 03 003C | 0001'a'",
        // Another protocol.
        "10 0D | 0004'MQTX' 04 02 003C | 0001'a'",
        "10 0E | 0004'MQTT' 06 02 003C 00 | 0001'a'",
        // Will QoS 3.
        "10 15 | 0004'MQTT' 05 1E 003C 00 | 0001'a' 00 0001'w' 0001'x'",
        // 300 KiB announced, though a CONNECT may have 256.
        "10 80 E0 12",
        // Bytes of something else.
        "'GET / HTTP/1.1' 0D0A 0D0A",
        "16 03 01 02 00 01 00 01 FC 03 03",
    ] {
        let mut peer = Peer::new(&broker);
        peer.send_carelessly(&bytes(broken)).await;
        // 5.0 may be told first.
        let mut said = Vec::new();
        while let Ok(byte) = tokio::time::timeout(Duration::from_secs(3), peer.byte()).await {
            match byte {
                Some(byte) => said.push(byte),
                None => break,
            }
        }
        assert!(
            said.is_empty() || (said[0] == 0x20 && said[3] >= 1),
            "{broken}: {said:02X?}"
        );
        peer.expect_close().await;
    }
    assert_eq!(broker.statistics().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_packet_ends_with_its_connection() {
    let broker = broker();
    let mut watcher = Peer::clean(&broker, "watcher").await;
    watcher.subscribe_v5("#", 0).await;
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("30 7F | 0001't' 00 'only the beginning'").await;
    drop(peer);
    sleep(Duration::from_millis(10)).await;
    watcher.ping().await;
    assert_eq!(
        (
            broker.statistics().connections,
            broker.statistics().messages_in
        ),
        (1, 0)
    );
}

#[test]
fn random_bytes_end_no_more_than_their_own_connection() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let broker = runtime.block_on(async { broker() });
    let witness = RefCell::new(runtime.block_on(Peer::clean(&broker, "witness")));
    // What a client could send, and what it could not, before and after a CONNECT.
    let strategy = (
        any::<bool>(),
        prop::collection::vec(any::<u8>(), 1..200),
        prop::collection::vec(0..16_u8, 1..20),
    );
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
    runner
        .run(&strategy, |(connected, noise, types)| {
            runtime.block_on(async {
                throw(&broker, connected, &noise).await;
                // The same noise as the bodies of packets of every type.
                let framed: Vec<u8> = types
                    .iter()
                    .zip(noise.chunks(20))
                    .flat_map(|(packet_type, body)| {
                        let length = u8::try_from(body.len()).unwrap();
                        [&[packet_type << 4 | 2, length][..], body].concat()
                    })
                    .collect();
                throw(&broker, connected, &framed).await;
            });
            // The runner takes no closure that changes what it captured.
            runtime.block_on(witness.borrow_mut().ping());
            Ok(())
        })
        .unwrap();
    runtime.block_on(async {
        sleep(Duration::from_secs(30)).await;
        assert_eq!(broker.statistics().connections, 1);
        assert_eq!(broker.statistics().pending_connections, 0);
        witness.into_inner().ping().await;
    });
}

async fn throw(broker: &Broker, connected: bool, bytes: &[u8]) {
    let mut peer = Peer::new(broker);
    if connected {
        peer.send_bytes(&connect_v5("thrower", 2, 0)).await;
        peer.connack_v5().await;
    }
    peer.send_carelessly(bytes).await;
}

#[tokio::test(start_paused = true)]
async fn connections_that_say_nothing_are_bounded_closed_in_time_and_harm_nobody() {
    let broker = broker_with(|options| options.max_pending_connections = 50);
    let mut connected = Peer::clean(&broker, "a").await;
    connected.subscribe_v5("t", 1).await;
    let start = Instant::now();
    let mut silent: Vec<_> = (0..200).map(|_| Peer::new(&broker)).collect();
    // Half a CONNECT is no better than nothing.
    for peer in silent.iter_mut().skip(175) {
        peer.send("10 0E | 0004'MQ'").await;
    }
    for peer in silent.iter_mut().take(150) {
        peer.expect_close().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    let statistics = broker.statistics();
    assert_eq!(
        (
            statistics.pending_connections,
            statistics.connections_refused
        ),
        (50, 150)
    );
    // Who is connected goes on, whatever waits at the door.
    assert_eq!(connected.publish_qos_1("t", b"x").await, 0);
    connected.expect("32 07 | 0001't' 0001 00 'x'").await;
    for peer in silent.iter_mut().skip(150) {
        peer.expect_close_within(Duration::from_secs(11)).await;
    }
    assert_eq!(start.elapsed().as_secs(), 10);
    drop(silent);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(broker.statistics().pending_connections, 0);
    let mut late = Peer::clean(&broker, "b").await;
    late.ping().await;
    connected.ping().await;
}

#[tokio::test]
async fn many_who_come_at_once_need_not_come_again() {
    let broker = Broker::bind("127.0.0.1:0", Options::default())
        .await
        .unwrap();
    let address = broker.local_addr().unwrap();
    // The broker gets no turn in between, so all of them have to find a place in the queue of the system: if one does not, TCP
    // tries for as long as the patience lasts.
    let connect = |_| std::net::TcpStream::connect_timeout(&address, PATIENCE_OVER_TCP);
    let connected: Result<Vec<_>, _> = (0..200).map(connect).collect();
    assert_eq!(connected.unwrap().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_bounded_ended_in_time_and_harms_nobody() {
    let broker = broker_with(|options| options.max_queued_bytes = 100_000);
    let mut deaf = Peer::with_buffer(&broker, 256);
    // Keep Alive 60 s, and a session that is kept for 1,000 s.
    deaf.send_bytes(&connect_v5("deaf", 2, 1_000)).await;
    deaf.connack_v5().await;
    deaf.subscribe_v5("t", 1).await;
    let mut quick = Peer::clean(&broker, "quick").await;
    quick.subscribe_v5("t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    let payload = [b'x'; 1_000];
    for _ in 0..1_000 {
        assert_eq!(sender.publish_qos_1("t", &payload).await, 0);
        let (_, body) = quick.packet().await;
        quick.send_bytes(&packet(0x40, &[&body[3..5]])).await;
    }
    let statistics = broker.statistics();
    // The bound, and one message that the quick one has just acknowledged.
    assert!(statistics.queued_bytes <= 102_000, "{statistics:?}");
    assert!(statistics.messages_dropped > 800, "{statistics:?}");
    // It says nothing either, and so it is taken for dead, though its end cannot be written.
    for _ in 0..4 {
        sleep(Duration::from_secs(25)).await;
        quick.ping().await;
        sender.ping().await;
    }
    let statistics = broker.statistics();
    assert_eq!(
        (statistics.connections, statistics.pending_connections),
        (2, 0)
    );
    // What was promised to it is kept, as much as there was room for.
    drop(deaf);
    let mut back = Peer::v5(&broker, "deaf", 0, 1_000, true).await;
    let kept = 1_000 - usize::try_from(statistics.messages_dropped).unwrap();
    for _ in 0..kept {
        let (first, body) = back.packet().await;
        assert!(matches!(first, 0x32 | 0x3A) && body.ends_with(&payload));
        back.send_bytes(&packet(0x40, &[&body[3..5]])).await;
    }
    back.ping().await;
}

#[tokio::test(start_paused = true)]
async fn text_with_control_characters_is_refused_where_that_is_asked_for() {
    for strict_text in [false, true] {
        let broker = broker_with(|options| options.strict_text = strict_text);
        let mut peer = Peer::clean(&broker, "a").await;
        // To U+0001.
        peer.send("30 05 | 0001 01 00 'x'").await;
        if strict_text {
            peer.expect_disconnect(0x81).await;
        } else {
            peer.ping().await;
        }
    }
}
