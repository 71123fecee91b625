//! Shared subscriptions (v5 4.8.2).

use std::time::Duration;

use mqtt_broker::Broker;
use mqtt_core::{Message, QoS, SubscribeOptions, TopicName};
use tokio::io::DuplexStream;
use tokio::time::sleep;

use crate::support::{Peer, broker, broker_with, connect_v5, packet, publish_v5, string};

/// Publishes at QoS 1 and checks that somebody got it.
async fn publish(sender: &mut Peer<DuplexStream>, payload: &[u8]) {
    assert_eq!(sender.publish_qos_1("t", payload).await, 0);
}

/// The PUBLISH to topic `t` that comes next: its first byte, Packet Identifier and payload.
async fn receive(peer: &mut Peer<DuplexStream>) -> (u8, [u8; 2], Vec<u8>) {
    let (first, body) = peer.packet().await;
    assert_eq!(&body[..3], b"\0\x01t", "{first:02X} {body:02X?}");
    assert_eq!(body[5], 0, "no properties");
    (first, [body[3], body[4]], body[6..].to_vec())
}

async fn member(broker: &Broker, id: &str, session_expiry: u32, options: u8) -> Peer<DuplexStream> {
    let mut peer = Peer::v5(broker, id, 2, session_expiry, false).await;
    peer.subscribe_v5("$share/g/t", options).await;
    peer
}

#[tokio::test(start_paused = true)]
async fn each_message_goes_to_one_member_and_they_take_turns() {
    let broker = broker();
    let mut members = [
        member(&broker, "a", 0, 1).await,
        member(&broker, "b", 0, 1).await,
        member(&broker, "c", 0, 1).await,
    ];
    let mut sender = Peer::clean(&broker, "s").await;
    for payload in [b"0", b"1", b"2", b"3", b"4", b"5"] {
        publish(&mut sender, payload).await;
        let turn = usize::from(payload[0] - b'0') % 3;
        let (first, id, received) = receive(&mut members[turn]).await;
        assert_eq!((first, &received[..]), (0x32, &payload[..]));
        members[turn].send_bytes(&packet(0x40, &[&id])).await;
        for member in &mut members {
            member.ping().await;
        }
    }
    assert_eq!(broker.statistics().messages_out, 6);
}

#[tokio::test(start_paused = true)]
async fn who_is_busy_is_spared_and_who_is_away_comes_last() {
    let broker = broker();
    let mut busy = member(&broker, "busy", 0, 1).await;
    let mut free = member(&broker, "free", 0, 1).await;
    drop(member(&broker, "away", 1_000, 1).await);
    let mut sender = Peer::clean(&broker, "s").await;
    publish(&mut sender, b"0").await;
    // It does not acknowledge it.
    receive(&mut busy).await;
    for payload in [b"1", b"2", b"3", b"4"] {
        publish(&mut sender, payload).await;
        let (_, id, received) = receive(&mut free).await;
        assert_eq!(received, payload);
        free.send_bytes(&packet(0x40, &[&id])).await;
        free.ping().await;
    }
    busy.ping().await;
    busy.send("E0 00").await;
    busy.expect_close().await;
    assert_eq!(receive(&mut free).await.2, b"0");
    // Nobody is there any more: what is not acknowledged, and what is new, wait for one who is away.
    free.send("E0 00").await;
    free.expect_close().await;
    publish(&mut sender, b"5").await;
    let mut away = Peer::v5(&broker, "away", 0, 1_000, true).await;
    let payloads = [receive(&mut away).await.2, receive(&mut away).await.2];
    assert_eq!(payloads, [b"0", b"5"]);
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_8_2_3_each_member_gets_the_qos_it_was_granted() {
    let broker = broker();
    let mut zero = member(&broker, "a", 0, 0).await;
    let mut one = member(&broker, "b", 0, 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("34 07 | 0001't' 0001 00 '0'").await;
    sender.expect("50 02 0001").await;
    zero.expect("30 05 | 0001't' 00 '0'").await;
    sender.send("34 07 | 0001't' 0002 00 '1'").await;
    sender.expect("50 02 0002").await;
    one.expect("32 07 | 0001't' 0001 00 '1'").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_member_did_not_finish_goes_to_another_when_its_session_ends() {
    let broker = broker();
    let mut first = Peer::new(&broker);
    // Receive Maximum 2: the third message waits. Session Expiry 60 s.
    first
        .send("10 16 | 0004'MQTT' 05 02 003C 08 11 0000003C 21 0002 | 0001'a'")
        .await;
    first.connack_v5().await;
    first.subscribe_v5("$share/g/t", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for payload in [b"0", b"1", b"2", b"3"] {
        publish(&mut sender, payload).await;
    }
    let (_, acknowledged, _) = receive(&mut first).await;
    receive(&mut first).await;
    first.send_bytes(&packet(0x40, &[&acknowledged])).await;
    receive(&mut first).await;
    first.ping().await;
    drop(first);
    let mut second = member(&broker, "b", 0, 1).await;
    // As long as the session lives they are for this client.
    sleep(Duration::from_secs(59)).await;
    second.ping().await;
    sleep(Duration::from_secs(2)).await;
    for payload in [b"1", b"2", b"3"] {
        let (first_byte, _, received) = receive(&mut second).await;
        // New to this one, so without DUP.
        assert_eq!((first_byte, &received[..]), (0x32, &payload[..]));
    }
    second.ping().await;
    assert_eq!(broker.statistics().messages_dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clean_start_of_a_member_hands_its_messages_on() {
    let broker = broker();
    drop(member(&broker, "a", 100, 1).await);
    let mut sender = Peer::clean(&broker, "s").await;
    publish(&mut sender, b"0").await;
    let mut second = member(&broker, "b", 0, 1).await;
    second.ping().await;
    Peer::v5(&broker, "a", 2, 0, false).await;
    assert_eq!(receive(&mut second).await.2, b"0");
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_8_2_5_a_qos_2_message_that_was_sent_goes_to_no_other_member() {
    let broker = broker();
    let mut first = Peer::new(&broker);
    // Receive Maximum 1: the second message waits.
    first
        .send("10 11 | 0004'MQTT' 05 02 003C 03 21 0001 | 0001'a'")
        .await;
    first.connack_v5().await;
    first.subscribe_v5("$share/g/t", 2).await;
    let mut sender = Peer::clean(&broker, "s").await;
    for id in [1, 2] {
        sender
            .send_bytes(&publish_v5(0x34, "t", Some(id), b"x"))
            .await;
        sender
            .expect_bytes(&packet(0x50, &[&id.to_be_bytes()]))
            .await;
    }
    first.expect("34 07 | 0001't' 0001 00 'x'").await;
    let mut second = member(&broker, "b", 0, 2).await;
    first.send("E0 00").await;
    first.expect_close().await;
    // Only the one that was never sent.
    second.expect("34 07 | 0001't' 0001 00 'x'").await;
    second.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_8_2_4_a_qos_2_exchange_is_completed_with_the_same_member() {
    let broker = broker();
    let mut first = member(&broker, "a", 100, 2).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("34 07 | 0001't' 0001 00 'x'").await;
    sender.expect("50 02 0001").await;
    first.expect("34 07 | 0001't' 0001 00 'x'").await;
    first.send("50 02 0001").await;
    first.expect("62 02 0001").await;
    drop(first);
    let mut second = member(&broker, "b", 0, 2).await;
    second.ping().await;
    let mut first = Peer::v5(&broker, "a", 0, 100, true).await;
    first.expect("62 02 0001").await;
    first.send("70 02 0001").await;
    first.ping().await;
    second.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_8_2_6_a_message_that_a_member_refuses_is_discarded() {
    let broker = broker();
    let mut first = member(&broker, "a", 0, 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    publish(&mut sender, b"0").await;
    let (_, [high, low], _) = receive(&mut first).await;
    let mut second = member(&broker, "b", 0, 1).await;
    first.send_bytes(&[0x40, 3, high, low, 0x97]).await;
    first.ping().await;
    first.send("E0 00").await;
    first.expect_close().await;
    second.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_8_3_4_no_local_on_a_shared_subscription_is_a_protocol_error() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("82 10 0001 00 | 000A'$share/g/t' 05").await;
    let why = "no local on a shared subscription [v5 MQTT-3.8.3-4]";
    peer.expect_farewell(0x82, why).await;
    assert_eq!(broker.statistics().subscriptions, 0);
}

#[tokio::test(start_paused = true)]
async fn retained_messages_are_for_none_of_a_group() {
    let broker = broker();
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("31 05 | 0001't' 00 'x'").await;
    sender.ping().await;
    let mut peer = member(&broker, "a", 0, 1).await;
    peer.ping().await;
    // A new one is a message like any other, and RETAIN is cleared.
    sender.send("31 05 | 0001't' 00 'y'").await;
    peer.expect("30 05 | 0001't' 00 'y'").await;
}

#[tokio::test(start_paused = true)]
async fn groups_and_ordinary_subscriptions_do_not_count_for_each_other() {
    let broker = broker();
    let mut both = member(&broker, "a", 0, 0).await;
    both.subscribe_v5("t", 0).await;
    // Subscription Identifier 9 in a second group, whose filter has a wildcard.
    both.send("82 12 0001 02 0B09 | 000A'$share/h/#' 00").await;
    both.expect("90 04 0001 00 00").await;
    let mut other = member(&broker, "b", 0, 0).await;
    let mut sender = Peer::clean(&broker, "s").await;
    sender.send("30 05 | 0001't' 00 'x'").await;
    both.expect("30 05 | 0001't' 00 'x'").await;
    both.expect("30 07 | 0001't' 02 0B09 'x'").await;
    both.ping().await;
    // The first of them had a message waiting, so this is for the other.
    other.expect("30 05 | 0001't' 00 'x'").await;
    assert_eq!(broker.statistics().subscriptions, 4);
    // Each is given back by its own filter.
    both.send("A2 0F 0002 00 | 000A'$share/g/t'").await;
    both.expect("B0 04 0002 00 00").await;
    both.send("A2 0F 0003 00 | 000A'$share/g/t'").await;
    both.expect("B0 04 0003 00 11").await;
    assert_eq!(broker.statistics().subscriptions, 3);
    other.send("A2 0F 0002 00 | 000A'$share/g/t'").await;
    other.expect("B0 04 0002 00 00").await;
    drop((both, other));
    sleep(Duration::from_secs(6)).await;
    assert_eq!(broker.statistics().subscriptions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_of_3_1_1_may_be_a_member() {
    let broker = broker();
    let mut old = Peer::clean_v311(&broker, "a").await;
    old.send("82 0F 0001 | 000A'$share/g/t' 01").await;
    old.expect("90 03 0001 01").await;
    let mut new = member(&broker, "b", 0, 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    publish(&mut sender, b"0").await;
    old.expect("32 06 | 0001't' 0001 '0'").await;
    publish(&mut sender, b"1").await;
    assert_eq!(receive(&mut new).await.2, b"1");
    // A share without a filter is no subscription.
    old.send("82 0D 0002 | 0008'$share/g' 01").await;
    old.expect("90 03 0002 80").await;
}

#[tokio::test(start_paused = true)]
async fn a_group_without_room_tells_the_publisher() {
    let broker = broker_with(|options| options.max_queued_messages = 1);
    let mut first = member(&broker, "a", 0, 1).await;
    let mut second = member(&broker, "b", 0, 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    publish(&mut sender, b"0").await;
    receive(&mut first).await;
    publish(&mut sender, b"1").await;
    receive(&mut second).await;
    assert_eq!(sender.publish_qos_1("t", b"2").await, 0x97);
    assert_eq!(broker.statistics().messages_dropped, 1);
    second.send("40 02 0001").await;
    second.ping().await;
    publish(&mut sender, b"3").await;
    assert_eq!(receive(&mut second).await.2, b"3");
}

#[tokio::test(start_paused = true)]
async fn the_program_itself_may_be_a_member() {
    let broker = broker();
    let at_qos_1 = SubscribeOptions::with_qos(QoS::AtLeastOnce);
    let mut local = broker.subscribe("$share/g/t", at_qos_1).unwrap();
    let message = |payload: &'static str| {
        Message::new(TopicName::new("t").unwrap(), payload).with_qos(QoS::AtLeastOnce)
    };
    broker.publish(&message("0"));
    assert_eq!(local.try_recv().unwrap().payload(), b"0");
    broker.publish(&message("1"));
    let mut peer = member(&broker, "a", 0, 1).await;
    drop(local);
    assert_eq!(receive(&mut peer).await.2, b"1");
    // Nobody is left who could have it.
    peer.send("E0 00").await;
    peer.expect_close().await;
    assert_eq!(broker.statistics().messages_dropped, 1);
    assert_eq!(broker.publish(&message("2")).matched, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_on_keeps_its_expiry() {
    let broker = broker();
    drop(member(&broker, "a", 20, 1).await);
    let mut sender = Peer::clean(&broker, "s").await;
    for (id, expiry) in [(1_u16, 10), (2, 60)] {
        let properties = [5, 2, 0, 0, 0, expiry];
        let body = [&string("t")[..], &id.to_be_bytes(), &properties, b"x"].concat();
        sender.send_bytes(&packet(0x32, &[&body])).await;
        sender
            .expect_bytes(&packet(0x40, &[&id.to_be_bytes()]))
            .await;
    }
    let mut second = Peer::new(&broker);
    second.send_bytes(&connect_v5("b", 2, 0)).await;
    second.connack_v5().await;
    second.subscribe_v5("$share/g/t", 1).await;
    sleep(Duration::from_secs(20)).await;
    // The first expired. 60 - 20 = 40 = 0x28 s are left of the second.
    second
        .expect("32 0C | 0001't' 0001 05 02 00000028 'x'")
        .await;
    second.ping().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_there_comes_before_many_who_are_away_also_after_having_been_away() {
    let broker = broker();
    for number in 0..40 {
        drop(member(&broker, &format!("away {number}"), 1_000, 1).await);
    }
    drop(member(&broker, "back", 1_000, 1).await);
    for number in 40..80 {
        drop(member(&broker, &format!("away {number}"), 1_000, 1).await);
    }
    let mut back = Peer::v5(&broker, "back", 0, 1_000, true).await;
    back.ping().await;
    let mut sender = Peer::clean(&broker, "s").await;
    // It acknowledges nothing, so from the second on it is busy.
    for number in 0..100 {
        publish(&mut sender, &[number]).await;
        let (_, _, payload) = receive(&mut back).await;
        assert_eq!(payload, [number]);
    }
}
