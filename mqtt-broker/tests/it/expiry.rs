//! Messages that expire while they wait (v5 3.3.2.3.3).

use std::time::Duration;

use mqtt_broker::{Broker, Options, Overflow};
use mqtt_core::{Message, Property, QoS, SubscribeOptions, TopicName};
use tokio::io::DuplexStream;
use tokio::time::sleep;

use crate::support::{Peer, broker, broker_with, connect_v5, packet};

/// A QoS 1 message to `topic` that expires after so many seconds.
fn expiring(topic: &str, payload: &[u8], seconds: u32) -> Message {
    let message = Message::new(TopicName::new(topic).unwrap(), payload.to_vec());
    let message = message.with_qos(QoS::AtLeastOnce);
    let properties = [Property::MessageExpiryInterval(seconds)];
    message.with_properties(&properties).unwrap()
}

/// It was queued for everybody who matched.
#[track_caller]
fn publish(broker: &Broker, message: &Message) {
    let publication = broker.publish(message);
    assert_eq!((publication.matched, publication.dropped), (1, 0));
}

/// A client that has subscribed at QoS 1 and then gone.
async fn absent(broker: &Broker, id: &str, filter: &str) {
    let mut peer = Peer::v5(broker, id, 2, 1_000, false).await;
    peer.subscribe_v5(filter, 1).await;
    drop(peer);
    sleep(Duration::from_millis(1)).await;
}

/// A client with Receive Maximum 1 that has subscribed to `filter`. What comes to it second waits in its mailbox.
async fn narrow(broker: &Broker, id: &str, filter: &str) -> Peer<DuplexStream> {
    let mut peer = Peer::new(broker);
    peer.send("10 11 | 0004'MQTT' 05 02 003C 03 21 0001 | 0001")
        .await;
    peer.send_bytes(id.as_bytes()).await;
    peer.connack_v5().await;
    peer.subscribe_v5(filter, 1).await;
    peer
}

fn two_messages(options: &mut Options) {
    options.max_queued_messages = 2;
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_2_5_what_expired_for_an_absent_client_takes_no_place() {
    let broker = broker_with(two_messages);
    absent(&broker, "r", "t").await;
    for _ in 0..2 {
        publish(&broker, &expiring("t", b"old", 1));
    }
    assert!(broker.statistics().queued_bytes > 0);
    sleep(3 * SECOND).await;
    assert_eq!(broker.statistics().queued_bytes, 0);
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"new").await, 0);
    assert_eq!(broker.statistics().messages_dropped, 0);
    let mut receiver = Peer::v5(&broker, "r", 0, 1_000, true).await;
    receiver.expect("32 09 | 0001't' 0001 00 'new'").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_3_2_5_what_expired_behind_the_receive_maximum_takes_no_place() {
    let broker = broker_with(two_messages);
    let mut receiver = narrow(&broker, "r", "t").await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
    receiver.ping().await;
    publish(&broker, &expiring("t", b"old", 1));
    sleep(3 * SECOND).await;
    assert_eq!(sender.publish_qos_1("t", b"2").await, 0);
    receiver.send("40 02 0001").await;
    receiver.expect("32 07 | 0001't' 0002 00 '2'").await;
    receiver.send("40 02 0002").await;
    receiver.ping().await;
    let statistics = broker.statistics();
    assert_eq!(
        (statistics.queued_bytes, statistics.messages_dropped),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_expired_costs_no_live_message_its_place_and_nobody_the_connection() {
    for overflow in [Overflow::DropOldest, Overflow::Disconnect] {
        let broker = broker_with(|options| {
            options.max_queued_messages = 3;
            options.overflow = overflow;
        });
        let mut receiver = narrow(&broker, "r", "t").await;
        let mut sender = Peer::clean(&broker, "s").await;
        for payload in [b"1", b"2"] {
            assert_eq!(sender.publish_qos_1("t", payload).await, 0);
        }
        receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
        receiver.ping().await;
        publish(&broker, &expiring("t", b"old", 1));
        sleep(3 * SECOND).await;
        assert_eq!(sender.publish_qos_1("t", b"3").await, 0);
        assert_eq!(broker.statistics().messages_dropped, 0);
        for (number, payload) in [(1, b"2"), (2, b"3")] {
            receiver.send_bytes(&packet(0x40, &[&[0, number]])).await;
            receiver
                .expect_bytes(&packet(0x32, &[b"\0\x01t", &[0, number + 1, 0], payload]))
                .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_behind_an_expired_message_leaves_at_once() {
    let broker = broker();
    let mut receiver = narrow(&broker, "r", "t").await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    receiver.expect("32 07 | 0001't' 0001 00 '1'").await;
    receiver.ping().await;
    publish(&broker, &expiring("t", b"old", 10));
    // QoS 0 is not held back by the Receive Maximum, only by what is to be sent before it.
    sender.send("30 05 | 0001't' 00 '0'").await;
    sender.ping().await;
    receiver.expect_silence(9 * SECOND).await;
    receiver.expect("30 05 | 0001't' 00 '0'").await;
}

#[tokio::test(start_paused = true)]
async fn what_expired_for_a_member_of_a_group_takes_no_place() {
    let broker = broker_with(two_messages);
    // One member is away, and the mailbox of the other is full.
    absent(&broker, "a", "$share/g/t").await;
    let mut present = narrow(&broker, "b", "$share/g/t").await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("t", b"1").await, 0);
    present.expect("32 07 | 0001't' 0001 00 '1'").await;
    present.ping().await;
    for _ in 0..3 {
        publish(&broker, &expiring("t", b"old", 1));
    }
    assert_eq!(sender.publish_qos_1("t", b"x").await, 0x97);
    sleep(3 * SECOND).await;
    for payload in [b"2", b"3", b"4"] {
        assert_eq!(sender.publish_qos_1("t", payload).await, 0);
    }
    present.send("40 02 0001").await;
    present.expect("32 07 | 0001't' 0002 00 '2'").await;
    let mut back = Peer::v5(&broker, "a", 0, 1_000, true).await;
    back.expect("32 07 | 0001't' 0001 00 '3'").await;
    back.expect("32 07 | 0001't' 0002 00 '4'").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_member_left_and_has_expired_takes_no_place_of_another() {
    let broker = broker_with(|options| {
        options.max_queued_messages = 2;
        options.overflow = Overflow::DropOldest;
    });
    let mut first = Peer::v5(&broker, "a", 2, 60, false).await;
    first.subscribe_v5("$share/g/t", 1).await;
    publish(&broker, &expiring("t", b"old", 1));
    // It has the message and does not acknowledge it.
    first.packet().await;
    let mut second = narrow(&broker, "b", "$share/g/t").await;
    second.subscribe_v5("own", 1).await;
    let mut sender = Peer::clean(&broker, "s").await;
    assert_eq!(sender.publish_qos_1("own", b"1").await, 0);
    second.expect("32 09 | 0003'own' 0001 00 '1'").await;
    second.ping().await;
    assert_eq!(sender.publish_qos_1("own", b"2").await, 0);
    sleep(3 * SECOND).await;
    first.send("E0 07 00 05 11 00000000").await;
    first.expect_close().await;
    second.send("40 02 0001").await;
    second.expect("32 09 | 0003'own' 0002 00 '2'").await;
    assert_eq!(broker.statistics().messages_dropped, 0);
}

/// Two of them are more than [`few_bytes`] allows.
const LARGE: [u8; 6_000] = [b'x'; 6_000];

fn few_bytes(options: &mut Options) {
    options.max_total_queued_bytes = 10_000;
}

/// What was queued for `topic` a moment ago leaves the session of another client no bytes, until it has expired.
async fn others_get_the_bytes(broker: &Broker, topic: &str) {
    absent(broker, "other", "other").await;
    let mut sender = Peer::clean(broker, "sender").await;
    publish(broker, &expiring(topic, &LARGE, 1));
    assert_eq!(sender.publish_qos_1("other", &LARGE).await, 0x97);
    sleep(2 * SECOND).await;
    assert_eq!(sender.publish_qos_1("other", &LARGE).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_expired_for_an_absent_client_takes_no_bytes_of_all() {
    let broker = broker_with(few_bytes);
    absent(&broker, "r", "t").await;
    others_get_the_bytes(&broker, "t").await;
}

#[tokio::test(start_paused = true)]
async fn what_expired_behind_the_receive_maximum_takes_no_bytes_of_all() {
    let broker = broker_with(few_bytes);
    let mut receiver = narrow(&broker, "r", "t").await;
    publish(&broker, &expiring("t", b"1", 1_000));
    receiver.packet().await;
    receiver.ping().await;
    others_get_the_bytes(&broker, "t").await;
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn what_expired_for_a_local_subscription_takes_no_bytes_of_all() {
    let broker = broker_with(few_bytes);
    let options = SubscribeOptions::with_qos(QoS::AtLeastOnce);
    let mut local = broker.subscribe("t", options).unwrap();
    others_get_the_bytes(&broker, "t").await;
    assert_eq!(local.try_recv(), None);
}

#[tokio::test(start_paused = true)]
async fn what_expired_for_an_absent_member_of_a_group_takes_no_bytes_of_all() {
    let broker = broker_with(few_bytes);
    absent(&broker, "r", "$share/g/t").await;
    others_get_the_bytes(&broker, "t").await;
}

#[tokio::test(start_paused = true)]
async fn the_messages_of_many_absent_clients_expire_and_the_others_stay() {
    let broker = broker();
    for number in 0..50 {
        absent(&broker, &format!("c{number}"), &format!("t/{number}")).await;
    }
    for number in 0..50 {
        let topic = format!("t/{number}");
        publish(&broker, &expiring(&topic, b"old", 1 + number % 3));
        publish(&broker, &expiring(&topic, b"new", 100));
        publish(&broker, &expiring(&topic, b"old", 2));
    }
    let before = broker.statistics().queued_bytes;
    sleep(4 * SECOND).await;
    assert_eq!(broker.statistics().queued_bytes, before / 3);
    for number in 0..50 {
        let mut peer = Peer::new(&broker);
        peer.send_bytes(&connect_v5(&format!("c{number}"), 0, 1_000))
            .await;
        assert_eq!(peer.connack_v5().await, (true, 0));
        let (first, body) = peer.packet().await;
        assert_eq!(first, 0x32);
        assert!(body.ends_with(b"new"), "{body:02X?}");
        peer.ping().await;
    }
}
