//! Matching topics: 4.7.

use super::{publish_qos_1_v311, publish_v311, subscribe_v311, v311};
use crate::support::{Peer, broker, publish_v5};

#[tokio::test(start_paused = true)]
async fn v311_mqtt_4_7_2_1_a_leading_wildcard_does_not_match_a_leading_dollar() {
    let broker = broker();
    let mut wild = v311(&broker, "wild", 0x02, false).await;
    for filter in ["#", "+/x", "+/#"] {
        subscribe_v311(&mut wild, filter, 0).await;
    }
    let mut plain = v311(&broker, "plain", 0x02, false).await;
    subscribe_v311(&mut plain, "$ours/+", 0).await;
    let mut sender = v311(&broker, "s", 0x02, false).await;
    publish_qos_1_v311(&mut sender, 0x33, "$ours/x", b"1").await;
    wild.ping().await;
    plain
        .expect_bytes(&publish_v311(0x30, "$ours/x", None, b"1"))
        .await;
    // A dollar elsewhere is a character like any other.
    publish_qos_1_v311(&mut sender, 0x32, "a/$x", b"2").await;
    wild.expect_bytes(&publish_v311(0x30, "a/$x", None, b"2"))
        .await;
    // Nor is what is retained found by them.
    subscribe_v311(&mut wild, "#", 0).await;
    subscribe_v311(&mut wild, "+/x", 0).await;
    wild.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_7_2_1_a_leading_wildcard_does_not_match_a_leading_dollar() {
    let broker = broker();
    let mut wild = Peer::clean(&broker, "wild").await;
    for filter in ["#", "+/x", "+/#"] {
        wild.subscribe_v5(filter, 0).await;
    }
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("33 0D | 0007'$ours/x' 0001 00 '1'").await;
    sender.expect("40 03 0001 10").await;
    let mut plain = Peer::clean(&broker, "plain").await;
    plain.subscribe_v5("$ours/+", 0).await;
    plain
        .expect_bytes(&publish_v5(0x31, "$ours/x", None, b"1"))
        .await;
    assert_eq!(sender.publish_qos_1("a/$x", b"2").await, 0);
    wild.expect_bytes(&publish_v5(0x30, "a/$x", None, b"2"))
        .await;
    wild.subscribe_v5("#", 0).await;
    wild.subscribe_v5("+/x", 0).await;
    wild.ping().await;
}

/// Topics that look or read alike: letters of either case, one character or two for the same letter, a ligature, a full width
/// letter, levels with nothing in them, spaces, a byte order mark.
const ALIKE: [&str; 12] = [
    "a",
    "A",
    "\u{E9}",
    "e\u{301}",
    "\u{FB01}",
    "fi",
    "\u{FF41}",
    "a/",
    "/a",
    "a ",
    "a//",
    "\u{FEFF}a",
];

#[tokio::test(start_paused = true)]
async fn v311_mqtt_4_7_3_4_characters_match_themselves_alone() {
    let broker = broker();
    let mut sender = v311(&broker, "s", 0x02, false).await;
    for filter in ALIKE {
        let mut receiver = v311(&broker, "r", 0x02, false).await;
        subscribe_v311(&mut receiver, filter, 0).await;
        for topic in ALIKE {
            publish_qos_1_v311(&mut sender, 0x32, topic, b"x").await;
            if topic == filter {
                receiver
                    .expect_bytes(&publish_v311(0x30, topic, None, b"x"))
                    .await;
            }
        }
        receiver.ping().await;
    }
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_7_3_4_characters_match_themselves_alone() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    for filter in ALIKE {
        let mut receiver = Peer::clean(&broker, "r").await;
        receiver.subscribe_v5(filter, 0).await;
        for topic in ALIKE {
            let code = if topic == filter { 0 } else { 0x10 };
            let answer = sender.publish_qos_1(topic, b"x").await;
            assert_eq!(answer, code, "{topic:?} for {filter:?}");
        }
        receiver
            .expect_bytes(&publish_v5(0x30, filter, None, b"x"))
            .await;
        receiver.ping().await;
    }
}
