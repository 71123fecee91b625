//! Sessions and whose they are: 3.1.2, 3.1.3, 3.1.4 and 3.2.2 on CONNECT, 4.1 on stored state, 4.3.3 on expiry, 4.5 on receipt.

use std::time::Duration;

use tokio::time::sleep;

use super::{cut, leave, publish_qos_1_v311, subscribe_v311, v311};
use crate::support::{Peer, broker, broker_with};

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_4_without_clean_session_a_session_is_made_kept_and_resumed() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut peer = v311(&broker, "r", 0x00, false).await;
    subscribe_v311(&mut peer, "t", 1).await;
    leave(peer).await;
    // The subscription is there without being made again, after each of several connections.
    for _ in 0..3 {
        let mut peer = v311(&broker, "r", 0x00, true).await;
        publish_qos_1_v311(&mut sender, 0x32, "t", b"x").await;
        let (first, body) = peer.packet().await;
        assert_eq!(
            (first, &body[..3], &body[5..]),
            (0x32, &b"\0\x01t"[..], &b"x"[..])
        );
        peer.send_bytes(&[0x40, 2, body[3], body[4]]).await;
        cut(peer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_5_messages_of_qos_1_and_2_wait_for_a_session_without_connection() {
    let broker = broker();
    let mut receiver = v311(&broker, "r", 0x00, false).await;
    subscribe_v311(&mut receiver, "t", 2).await;
    cut(receiver).await;

    let mut sender = v311(&broker, "s", 0x02, false).await;
    sender.send("32 06 | 0001't' 0001 '1'").await;
    sender.expect("40 02 0001").await;
    sender.send("34 06 | 0001't' 0002 '2'").await;
    sender.expect("50 02 0002").await;
    sender.send("62 02 0002").await;
    sender.expect("70 02 0002").await;

    let mut receiver = v311(&broker, "r", 0x00, true).await;
    receiver.expect("32 06 | 0001't' 0001 '1'").await;
    receiver.expect("34 06 | 0001't' 0002 '2'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_2_6_a_clean_session_takes_over_nothing_and_leaves_nothing() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut peer = v311(&broker, "r", 0x00, false).await;
    subscribe_v311(&mut peer, "old", 1).await;
    cut(peer).await;
    publish_qos_1_v311(&mut sender, 0x32, "old", b"queued").await;

    let mut peer = v311(&broker, "r", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x32, "old", b"now").await;
    peer.ping().await;
    subscribe_v311(&mut peer, "new", 1).await;
    cut(peer).await;
    publish_qos_1_v311(&mut sender, 0x32, "new", b"queued").await;

    // Neither of the two sessions is there any more.
    let mut peer = v311(&broker, "r", 0x00, false).await;
    publish_qos_1_v311(&mut sender, 0x32, "old", b"now").await;
    publish_qos_1_v311(&mut sender, 0x32, "new", b"now").await;
    peer.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_6_without_clean_start_and_session_one_is_made() {
    let broker = broker();
    let mut peer = Peer::v5(&broker, "r", 0x00, 100, false).await;
    peer.subscribe_v5("t", 1).await;
    assert_eq!(peer.publish_qos_1("t", b"x").await, 0);
    peer.expect("32 07 | 0001't' 0001 00 'x'").await;
    cut(peer).await;
    Peer::v5(&broker, "r", 0x00, 100, true).await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_2_23_a_session_is_kept_when_its_expiry_interval_is_above_0() {
    let broker = broker();
    for (expiry, kept) in [(0, false), (1, true), (u32::MAX, true)] {
        let mut peer = Peer::v5(&broker, "r", 0x02, expiry, false).await;
        peer.subscribe_v5("t", 1).await;
        cut(peer).await;
        assert_eq!(broker.statistics().sessions, u64::from(kept), "{expiry}");
        leave(Peer::v5(&broker, "r", 0x00, 0, kept).await).await;
    }
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_3_2_a_session_is_found_by_its_client_identifier() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut peer = v311(&broker, "a", 0x00, false).await;
    subscribe_v311(&mut peer, "t", 1).await;
    cut(peer).await;
    publish_qos_1_v311(&mut sender, 0x32, "t", b"x").await;
    // Another identifier, if only by its case, is another session.
    for other in ["b", "A", "aa"] {
        v311(&broker, other, 0x00, false).await.ping().await;
    }
    let mut peer = v311(&broker, "a", 0x00, true).await;
    peer.expect("32 06 | 0001't' 0001 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_3_2_a_session_is_found_by_its_client_identifier() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    let mut peer = Peer::v5(&broker, "a", 0x00, 100, false).await;
    peer.subscribe_v5("t", 1).await;
    cut(peer).await;
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0);
    for other in ["b", "A", "aa"] {
        let mut peer = Peer::v5(&broker, other, 0x00, 100, false).await;
        peer.ping().await;
    }
    let mut peer = Peer::v5(&broker, "a", 0x00, 100, true).await;
    peer.expect("32 07 | 0001't' 0001 00 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_3_6_clients_without_an_identifier_share_nothing() {
    let broker = broker();
    let mut first = v311(&broker, "", 0x02, false).await;
    subscribe_v311(&mut first, "t", 0).await;
    let mut second = v311(&broker, "", 0x02, false).await;
    // Neither took the other's place, and only one subscribed.
    publish_qos_1_v311(&mut second, 0x32, "t", b"x").await;
    first.expect("30 04 | 0001't' 'x'").await;
    first.ping().await;
    second.ping().await;
    assert_eq!(broker.statistics().sessions, 2);
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_4_2_a_second_connection_of_a_client_ends_the_first() {
    let broker = broker();
    for flags in [0x02, 0x00] {
        let mut old = v311(&broker, "a", flags, false).await;
        subscribe_v311(&mut old, "t", 0).await;
        let mut new = v311(&broker, "a", flags, flags == 0).await;
        old.expect_close().await;
        new.ping().await;
        assert_eq!(broker.statistics().connections, 1);
        cut(new).await;
    }
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_1_4_3_and_3_2_2_2_and_3_session_present_is_told_after_clean_session_was_applied()
 {
    let broker = broker();
    // None there; there; there, but not wanted; and so none there.
    for (flags, present) in [(0x00, false), (0x00, true), (0x02, false), (0x00, false)] {
        cut(v311(&broker, "a", flags, present).await).await;
    }
    // The same while the session's old connection is still open.
    let _first = v311(&broker, "b", 0x00, false).await;
    let _second = v311(&broker, "b", 0x00, true).await;
    let _third = v311(&broker, "b", 0x02, false).await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_1_4_4_and_3_2_2_3_session_present_is_told_after_clean_start_was_applied() {
    let broker = broker();
    for (flags, present) in [(0x00, false), (0x00, true), (0x02, false), (0x00, true)] {
        cut(Peer::v5(&broker, "a", flags, 100, present).await).await;
    }
    let _first = Peer::v5(&broker, "b", 0x00, 100, false).await;
    let _second = Peer::v5(&broker, "b", 0x00, 100, true).await;
    let _third = Peer::v5(&broker, "b", 0x02, 100, false).await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_4_1_0_1_unfinished_exchanges_live_as_long_as_the_session() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    let mut peer = v311(&broker, "r", 0x00, false).await;
    subscribe_v311(&mut peer, "t", 2).await;
    // Received, not acknowledged; received, its PUBREC sent; and one of its own, of which the PUBREL is still to come.
    publish_qos_1_v311(&mut sender, 0x32, "t", b"1").await;
    peer.expect("32 06 | 0001't' 0001 '1'").await;
    sender.send("34 06 | 0001't' 0002 '2'").await;
    sender.expect("50 02 0002").await;
    peer.expect("34 06 | 0001't' 0002 '2'").await;
    peer.send("50 02 0002").await;
    peer.expect("62 02 0002").await;
    peer.send("34 06 | 0001'u' 0009 '9'").await;
    peer.expect("50 02 0009").await;

    for _ in 0..3 {
        cut(peer).await;
        peer = v311(&broker, "r", 0x00, true).await;
        // Both are sent again; which goes first is not said.
        let mut received = [peer.packet().await, peer.packet().await];
        received.sort();
        assert_eq!(
            received,
            [
                (0x3A, b"\0\x01t\0\x011".to_vec()),
                (0x62, b"\0\x02".to_vec())
            ]
        );
    }
    // Still the same message, which goes to nobody a second time.
    let mut watcher = v311(&broker, "w", 0x02, false).await;
    subscribe_v311(&mut watcher, "u", 0).await;
    peer.send("3C 06 | 0001'u' 0009 '9'").await;
    peer.expect("50 02 0009").await;
    watcher.ping().await;
    peer.send("40 02 0001 | 70 02 0002 | 62 02 0009").await;
    peer.expect("70 02 0009").await;
    cut(peer).await;
    v311(&broker, "r", 0x00, true).await.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_4_1_0_2_a_session_lasts_as_long_as_its_connection() {
    let broker = broker_with(|options| options.max_session_expiry = Duration::from_secs(10));
    let mut sender = v311(&broker, "s", 0x02, false).await;
    for flags in [0x02, 0x00] {
        let mut peer = v311(&broker, "r", flags, false).await;
        subscribe_v311(&mut peer, "t", 1).await;
        publish_qos_1_v311(&mut sender, 0x32, "t", b"1").await;
        peer.expect("32 06 | 0001't' 0001 '1'").await;
        for _ in 0..20 {
            sleep(Duration::from_secs(50)).await;
            peer.ping().await;
            sender.ping().await;
        }
        publish_qos_1_v311(&mut sender, 0x32, "t", b"2").await;
        peer.expect("32 06 | 0001't' 0002 '2'").await;
    }
    // What was sent so long ago is still unacknowledged.
    let mut peer = v311(&broker, "r", 0x00, true).await;
    peer.expect("3A 06 | 0001't' 0001 '1' | 3A 06 | 0001't' 0002 '2'")
        .await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_1_0_1_a_session_does_not_expire_while_it_is_connected() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    let mut peer = Peer::v5(&broker, "r", 0x02, 5, false).await;
    peer.subscribe_v5("t", 1).await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    peer.expect("32 07 | 0001't' 0001 00 '1'").await;
    for _ in 0..20 {
        sleep(Duration::from_secs(50)).await;
        peer.ping().await;
        sender.ping().await;
    }
    assert_eq!(sender.publish_qos_1("t", b"2").await, 0);
    peer.expect("32 07 | 0001't' 0002 00 '2'").await;
    cut(peer).await;
    let mut peer = Peer::v5(&broker, "r", 0x00, 5, true).await;
    peer.expect("3A 07 | 0001't' 0001 00 '1' | 3A 07 | 0001't' 0002 00 '2'")
        .await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_3_3_7_a_message_of_qos_2_that_was_sent_does_not_expire() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    let mut receiver = Peer::v5(&broker, "r", 0x02, 1_000, false).await;
    receiver.subscribe_v5("t", 2).await;
    // Message Expiry Interval 1 s.
    sender.send("34 0C | 0001't' 0001 05 02 00000001 'x'").await;
    sender.expect("50 02 0001").await;
    receiver
        .expect("34 0C | 0001't' 0001 05 02 00000001 'x'")
        .await;
    cut(receiver).await;
    sleep(Duration::from_secs(30)).await;
    let mut receiver = Peer::v5(&broker, "r", 0x00, 1_000, true).await;
    let (first, body) = receiver.packet().await;
    // What is left of the interval is not what this is about.
    assert_eq!(
        (first, &body[..5], &body[body.len() - 1..]),
        (0x3C, &b"\0\x01t\0\x01"[..], &b"x"[..])
    );
    receiver.send("50 02 0001").await;
    receiver.expect("62 02 0001").await;
    receiver.send("70 02 0001").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_3_3_13_an_exchange_of_qos_2_goes_on_though_its_message_expired() {
    let broker = broker();
    let mut receiver = Peer::v5(&broker, "r", 0x02, 1_000, false).await;
    receiver.subscribe_v5("t", 2).await;
    cut(receiver).await;
    let mut sender = Peer::v5(&broker, "s", 0x02, 1_000, false).await;
    // Message Expiry Interval 1 s. Nobody gets it: it is over when the receiver comes back.
    sender.send("34 0C | 0001't' 0001 05 02 00000001 'x'").await;
    sender.expect("50 02 0001").await;
    cut(sender).await;
    sleep(Duration::from_secs(30)).await;
    Peer::v5(&broker, "r", 0x00, 1_000, true).await.ping().await;
    let mut sender = Peer::v5(&broker, "s", 0x00, 1_000, true).await;
    sender.send("3C 0C | 0001't' 0001 05 02 00000001 'x'").await;
    sender.expect("50 02 0001").await;
    sender.send("62 02 0001").await;
    sender.expect("70 02 0001").await;
    sender.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_4_5_0_1_every_matching_session_gets_the_message() {
    let broker = broker();
    let mut here = v311(&broker, "here", 0x02, false).await;
    subscribe_v311(&mut here, "t", 1).await;
    let mut away = v311(&broker, "away", 0x00, false).await;
    subscribe_v311(&mut away, "+", 2).await;
    cut(away).await;
    let mut sender = v311(&broker, "s", 0x02, false).await;
    subscribe_v311(&mut sender, "#", 1).await;
    sender.send("32 06 | 0001't' 0005 'x'").await;
    sender.expect("40 02 0005 | 32 06 | 0001't' 0001 'x'").await;
    here.expect("32 06 | 0001't' 0001 'x'").await;
    let mut away = v311(&broker, "away", 0x00, true).await;
    away.expect("32 06 | 0001't' 0001 'x'").await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_5_0_1_every_matching_session_gets_the_message() {
    let broker = broker();
    let mut here = Peer::clean(&broker, "here").await;
    here.subscribe_v5("t", 1).await;
    let mut away = Peer::v5(&broker, "away", 0x02, 60, false).await;
    away.subscribe_v5("+", 2).await;
    cut(away).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.subscribe_v5("#", 1).await;
    sender.send("32 07 | 0001't' 0005 00 'x'").await;
    sender
        .expect("40 02 0005 | 32 07 | 0001't' 0001 00 'x'")
        .await;
    here.expect("32 07 | 0001't' 0001 00 'x'").await;
    let mut away = Peer::v5(&broker, "away", 0x00, 60, true).await;
    away.expect("32 07 | 0001't' 0001 00 'x'").await;
}
