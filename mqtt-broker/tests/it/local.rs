use std::time::Duration;

use mqtt_broker::{Broker, Options, SubscribeError};
use mqtt_core::{Message, QoS, ReasonCode, SubscribeOptions, TopicName};
use tokio::time::timeout;

use crate::support::{Peer, broker, broker_with};

fn message(topic: &str, payload: &'static str) -> Message {
    Message::new(TopicName::new(topic).unwrap(), payload).with_qos(QoS::AtLeastOnce)
}

#[tokio::test(start_paused = true)]
async fn the_program_publishes_to_clients_and_hears_them() {
    let broker = broker();
    let mut local = broker
        .subscribe("up/#", SubscribeOptions::with_qos(QoS::ExactlyOnce))
        .unwrap();
    let mut peer = Peer::clean(&broker, "a").await;
    peer.subscribe_v5("down", 1).await;

    let publication = broker.publish(&message("down", "hello"));
    assert_eq!(
        (publication.matched, publication.reason_code()),
        (1, ReasonCode::SUCCESS)
    );
    peer.expect("32 0E | 0004'down' 0001 00 'hello'").await;
    assert_eq!(
        broker.publish(&message("nowhere", "x")).reason_code(),
        ReasonCode::NO_MATCHING_SUBSCRIBERS
    );

    assert_eq!(peer.publish_qos_1("up/1", b"yes").await, 0);
    let received = local.recv().await.unwrap();
    assert_eq!(
        (
            received.topic().as_str(),
            received.payload(),
            received.qos()
        ),
        ("up/1", &b"yes"[..], QoS::AtLeastOnce)
    );
    assert!(local.try_recv().is_none());

    drop(local);
    assert_eq!(peer.publish_qos_1("up/1", b"yes").await, 0x10);
}

#[tokio::test(start_paused = true)]
async fn a_local_subscription_is_bounded_and_ends_with_the_broker() {
    let broker = broker_with(|options| options.max_queued_messages = 2);
    let mut local = broker
        .subscribe("t", SubscribeOptions::with_qos(QoS::AtLeastOnce))
        .unwrap();
    let codes: Vec<_> = ["1", "2", "3"]
        .map(|text| broker.publish(&message("t", text)).reason_code())
        .into();
    assert_eq!(
        codes,
        [
            ReasonCode::SUCCESS,
            ReasonCode::SUCCESS,
            ReasonCode::QUOTA_EXCEEDED
        ]
    );
    assert_eq!(local.recv().await.unwrap().payload(), b"1");
    assert_eq!(
        broker.publish(&message("t", "4")).reason_code(),
        ReasonCode::SUCCESS
    );
    assert_eq!(local.recv().await.unwrap().payload(), b"2");
    assert_eq!(local.recv().await.unwrap().payload(), b"4");
    assert_eq!(broker.statistics().messages_out, 3);
    assert!(broker.shutdown(Duration::from_secs(1)).await);
    assert!(
        timeout(Duration::from_secs(1), local.recv())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_client_would_not_be_granted_is_refused() {
    let broker = broker();
    let subscribe = |filter| {
        broker
            .subscribe(filter, SubscribeOptions::default())
            .map(drop)
    };
    assert!(matches!(subscribe("a#"), Err(SubscribeError::Filter(_))));
    assert!(matches!(
        subscribe("$share/g"),
        Err(SubscribeError::Filter(_))
    ));
    assert_eq!(
        subscribe(&"/".repeat(500)),
        Err(SubscribeError::Refused(ReasonCode::TOPIC_FILTER_INVALID))
    );
    assert_eq!(broker.statistics().subscriptions, 0);
}

#[tokio::test]
async fn a_broker_without_a_listener_has_no_address() {
    let broker = Broker::start(Options::default());
    assert_eq!(broker.local_addr(), None);
    let first = broker.listen("127.0.0.1:0").await.unwrap();
    let second = broker.listen("127.0.0.1:0").await.unwrap();
    assert_eq!(broker.local_addr(), Some(first));
    assert_eq!(broker.local_addrs(), [first, second]);
    for address in [first, second] {
        let mut peer = Peer::tcp(address).await;
        peer.send("10 0D | 0004'MQTT' 04 02 003C | 0001'a'").await;
        peer.expect("20 02 00 00").await;
    }
}
