//! Who may publish and subscribe to what.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mqtt_broker::{Access, AccessFile, Action, Authorize, Broker, Options};
use mqtt_core::{Message, QoS, ReasonCode, SubscribeOptions, TopicName};
use tokio::io::DuplexStream;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use crate::support::{Peer, broker, broker_with, bytes, connect_v311, packet, publish_v5, string};

/// Publishing below `w/` and subscribing below `r/` is allowed.
fn guarded() -> Broker {
    let file = AccessFile::parse("topic write w/#\ntopic read r/#\ntopic readwrite t\n").unwrap();
    broker_with(|options| options.authorizer = Some(Arc::new(file)))
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_allowed_goes_nowhere_and_its_sender_is_told() {
    let broker = guarded();
    let mut receiver = broker.subscribe("#", SubscribeOptions::default()).unwrap();
    let mut peer = Peer::clean(&broker, "a").await;
    assert_eq!(peer.publish_qos_1("w/a", b"x").await, 0);
    assert_eq!(peer.publish_qos_1("r/a", b"x").await, 0x87);
    peer.send("34 09 | 0003'r/a' 0002 00 'x'").await;
    peer.expect_explained(
        0x50,
        "0002 87",
        "the client may not publish to this topic",
        "",
    )
    .await;
    peer.send("31 07 | 0003'r/a' 00 'x'").await;
    peer.ping().await;
    // 3.x cannot be told.
    let mut old = Peer::clean_v311(&broker, "b").await;
    old.send("32 08 | 0003'r/a' 0001 'x'").await;
    old.expect("40 02 0001").await;
    assert_eq!(receiver.try_recv().unwrap().topic().as_str(), "w/a");
    assert!(receiver.try_recv().is_none());
    let statistics = broker.statistics();
    assert_eq!(statistics.messages_refused, 4);
    assert_eq!(
        (statistics.messages_in, statistics.retained_messages),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn each_filter_is_asked_about() {
    let broker = guarded();
    let mut peer = Peer::clean(&broker, "a").await;
    // r/+ at 1, #, w/a, a group for r/b, a group for x, r/+ again at 2.
    peer.send(
        "82 35 0001 00 | 0003'r/+' 01 | 0001'#' 00 | 0003'w/a' 00 | 000C'$share/g/r/b' 00 \
         | 000A'$share/g/x' 00 | 0003'r/+' 02",
    )
    .await;
    peer.expect_explained(
        0x90,
        "0001",
        "filter 2: the client may not subscribe to it",
        "01 87 87 00 87 02",
    )
    .await;
    assert_eq!(broker.statistics().subscriptions, 2);
    let mut old = Peer::clean_v311(&broker, "b").await;
    old.send("82 0C 0001 | 0001'#' 01 | 0003'r/b' 01").await;
    old.expect("90 04 0001 | 80 01").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_will_is_not_allowed_is_refused() {
    let broker = guarded();
    let mut peer = Peer::new(&broker);
    peer.send("10 17 | 0004'MQTT' 05 06 003C 00 | 0001'a' | 00 0003'r/a' 0001'x'")
        .await;
    peer.expect_refusal(0x87, "the Will may not be published")
        .await;
    peer.expect_close().await;
    let mut old = Peer::new(&broker);
    old.send("10 15 | 0004'MQTT' 04 06 003C | 0001'a' | 0003'r/a' 0001'x'")
        .await;
    old.expect("20 02 00 05").await;
    let mut allowed = Peer::new(&broker);
    allowed
        .send("10 17 | 0004'MQTT' 05 06 003C 00 | 0001'a' | 00 0003'w/a' 0001'x'")
        .await;
    assert_eq!(allowed.connack_v5().await, (false, 0));
    assert_eq!(broker.statistics().connections_refused, 2);
}

#[tokio::test(start_paused = true)]
async fn the_brokers_own_topics_are_its_own_whoever_asks() {
    let broker = broker();
    let mut peer = Peer::clean(&broker, "a").await;
    assert_eq!(peer.publish_qos_1("$SYS/broker/version", b"x").await, 0x87);
    // Other topics with a dollar are not.
    assert_eq!(peer.publish_qos_1("$other", b"x").await, 0x10);
    let mut with_will = Peer::new(&broker);
    with_will
        .send("10 19 | 0004'MQTT' 05 06 003C 00 | 0001'b' | 00 0006'$SYS/a' 0000")
        .await;
    with_will
        .expect_refusal(0x87, "the Will may not be published")
        .await;
}

/// Says yes as often as it is allowed to, and waits otherwise.
struct Gate(Arc<Semaphore>);

impl Authorize for Gate {
    fn authorize<'a>(
        &'a self,
        access: &'a Access<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>> {
        Box::pin(async move {
            if let Action::Publish(_) = access.action {
                self.0.acquire().await.unwrap().forget();
            }
            Ok(())
        })
    }
}

fn gated() -> (Broker, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let authorizer = Arc::new(Gate(Arc::clone(&gate)));
    let broker = broker_with(|options| options.authorizer = Some(authorizer));
    (broker, gate)
}

/// A broker whose authorizer never answers.
fn without_answers(change: impl FnOnce(&mut Options)) -> Broker {
    broker_with(|options| {
        options.authorizer = Some(Arc::new(Gate(Arc::new(Semaphore::new(0)))));
        change(options);
    })
}

#[tokio::test(start_paused = true)]
async fn messages_stay_in_order_while_an_answer_is_awaited_and_nothing_else_waits() {
    let (broker, gate) = gated();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 1).await;
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("in", 0).await;
    for (id, payload) in [(1, b"1"), (2, b"2"), (3, b"3")] {
        peer.send_bytes(&publish_v5(0x32, "t", Some(id), payload))
            .await;
    }
    // A subscription that was asked for behind them waits too.
    peer.send("82 09 0009 00 | 0003'new' 00").await;
    peer.ping().await;
    let message = Message::new(TopicName::new("in").unwrap(), "x");
    broker.publish(&message);
    peer.expect("30 06 | 0002'in' 00 'x'").await;
    receiver.ping().await;
    assert_eq!(broker.statistics().subscriptions, 2);
    for (id, payload) in [(1_u8, b"1"), (2, b"2"), (3, b"3")] {
        gate.add_permits(1);
        peer.expect_bytes(&[0x40, 2, 0, id]).await;
        receiver
            .expect_bytes(&packet(0x32, &[&string("t"), &[0, id, 0], payload]))
            .await;
        if id < 3 {
            peer.ping().await;
        }
    }
    peer.expect("90 04 0009 00 00").await;
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_end_is_still_decided_on() {
    let (broker, gate) = gated();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("t", 0).await;
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("30 05 | 0001't' 00 '1' | 30 05 | 0001't' 00 '2' | E0 00")
        .await;
    drop(peer);
    receiver.ping().await;
    gate.add_permits(2);
    receiver.expect("30 05 | 0001't' 00 '1'").await;
    receiver.expect("30 05 | 0001't' 00 '2'").await;
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_is_a_no() {
    let publish = publish_v5(0x32, "t", Some(1), b"x");
    let no = "the client may not publish to this topic";
    let longer = Duration::from_secs(30);
    let broker = without_answers(|options| options.authorize_timeout = longer);
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send_bytes(&publish).await;
    peer.expect_silence(Duration::from_secs(29)).await;
    peer.expect_explained(0x40, "0001 87", no, "").await;

    let broker = without_answers(|_| {});
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send_bytes(&publish).await;
    peer.expect_silence(Duration::from_secs(4)).await;
    peer.expect_explained(0x40, "0001 87", no, "").await;
    // The broker does not wait for answers when it stops.
    peer.send_bytes(&publish_v5(0x32, "t", Some(1), b"x")).await;
    peer.ping().await;
    assert!(!broker.shutdown(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_known_to_the_rules_by_what_it_connected_with() {
    let file = AccessFile::parse("user ann\ntopic t\npattern read devices/%c\n").unwrap();
    let broker = broker_with(|options| options.authorizer = Some(Arc::new(file)));
    let mut ann = Peer::new(&broker);
    ann.send("10 13 | 0004'MQTT' 05 82 003C 00 | 0001'7' 0003'ann'")
        .await;
    assert_eq!(ann.connack_v5().await, (false, 0));
    assert_eq!(ann.publish_qos_1("t", b"x").await, 0x10);
    ann.subscribe_v5("devices/7", 0).await;
    let mut nobody = Peer::new(&broker);
    nobody.send_bytes(&connect_v311("8", 2)).await;
    nobody.expect("20 02 00 00").await;
    nobody.send("82 0E 0001 | 0009'devices/7' 01").await;
    nobody.expect("90 03 0001 80").await;
}

/// CONNECT of 5.0 with Client Identifier 7, Clean Start 0 and a session that is kept for 60 s.
async fn connect_as(broker: &Broker, user: &str) -> (Peer<DuplexStream>, bool) {
    let mut peer = Peer::new(broker);
    let connect = packet(
        0x10,
        &[
            &bytes("0004'MQTT' 05 80 003C 05 11 0000003C | 0001'7'"),
            &string(user),
        ],
    );
    peer.send_bytes(&connect).await;
    let (session_present, reason) = peer.connack_v5().await;
    assert_eq!(reason, 0);
    (peer, session_present)
}

#[tokio::test(start_paused = true)]
async fn what_one_user_was_allowed_is_not_for_another_one_with_the_same_client_identifier() {
    let file = AccessFile::parse("user ann\ntopic read a\nuser bob\ntopic read b\n").unwrap();
    let broker = broker_with(|options| options.authorizer = Some(Arc::new(file)));
    let secret = Message::new(TopicName::new("a").unwrap(), "x").with_qos(QoS::AtLeastOnce);
    let (mut ann, _) = connect_as(&broker, "ann").await;
    ann.subscribe_v5("a", 1).await;
    drop(ann);
    broker_is_idle(&broker).await;
    broker.publish(&secret);
    let (mut bob, session_present) = connect_as(&broker, "bob").await;
    assert!(!session_present);
    broker.publish(&secret);
    bob.ping().await;
    bob.subscribe_v5("b", 1).await;
    // Nor by taking it over from a client that is connected.
    let (mut ann, session_present) = connect_as(&broker, "ann").await;
    assert!(!session_present);
    ann.ping().await;
    assert_eq!(broker.statistics().subscriptions, 0);
    // Everybody gets back what is his.
    ann.subscribe_v5("a", 1).await;
    drop(ann);
    broker_is_idle(&broker).await;
    broker.publish(&secret);
    let (mut ann, session_present) = connect_as(&broker, "ann").await;
    assert!(session_present);
    ann.expect("32 07 | 0001'a' 0001 00 'x'").await;
}

async fn broker_is_idle(broker: &Broker) {
    while broker.statistics().connections > 0 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_comes_twice_is_decided_on_twice() {
    let only_qos_0 = |access: &Access<'_>| match access.action {
        Action::Subscribe {
            qos: QoS::AtMostOnce,
            ..
        } => Ok(()),
        _ => Err(ReasonCode::NOT_AUTHORIZED),
    };
    let broker = broker_with(|options| options.authorizer = Some(Arc::new(only_qos_0)));
    let mut peer = Peer::clean(&broker, "a").await;
    peer.send("82 13 0001 00 | 0001'a' 00 | 0001'a' 01 | 0001'b' 01 | 0001'b' 00")
        .await;
    peer.expect_explained(
        0x90,
        "0001",
        "filter 2: the client may not subscribe to it",
        "00 87 87 00",
    )
    .await;
    for topic in ["a", "b"] {
        let topic = TopicName::new(topic).unwrap();
        broker.publish(&Message::new(topic, "x").with_qos(QoS::AtLeastOnce));
    }
    // At QoS 0 both.
    peer.expect("30 05 | 0001'a' 00 'x' | 30 05 | 0001'b' 00 'x'")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_does_not_wait_for_what_was_asked_before() {
    let (broker, _gate) = gated();
    let mut old = Peer::clean(&broker, "a").await;
    for id in 1..=3 {
        old.send_bytes(&publish_v5(0x32, "t", Some(id), b"x")).await;
    }
    old.ping().await;
    // It need not wait for as long as one answer may take.
    let mut new = Peer::clean(&broker, "a").await;
    new.ping().await;
    old.expect_explained(
        0xE0,
        "8E",
        "another client connected with this identifier",
        "",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_panics_allows_nothing_and_harms_nobody() {
    let panics = |access: &Access<'_>| match access.action {
        Action::Publish(_) => panic!("as the test wants it"),
        _ => Ok(()),
    };
    let broker = broker_with(|options| options.authorizer = Some(Arc::new(panics)));
    let mut peer = Peer::clean(&broker, "a").await;
    assert_eq!(peer.publish_qos_1("t", b"x").await, 0x87);
    peer.ping().await;
}
