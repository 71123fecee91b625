//! The client against a real server: `MQTT_SERVER=mqtt://host:port cargo test -p mqtt-client --test interop -- --ignored`.
//! Over TLS, `MQTT_CA` names the file with the authority of the server.
//!
//! The server must take anonymous clients, all three versions, QoS 0 to 2, and keep sessions.

#![expect(
    clippy::unwrap_used,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mqtt_client::{
    AckMode, Client, Delivery, Message, Options, Outcome, Property, ProtocolVersion, QoS,
    ReasonCode, SubscribeOptions, Subscription, Tls, TopicName, Version,
};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];
const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

fn options(version: Version) -> Options {
    let server = std::env::var("MQTT_SERVER")
        .expect("MQTT_SERVER=mqtt://host:port names the server to test against");
    let options = Options::from_url(&server).unwrap().with_version(version);
    match std::env::var_os("MQTT_CA") {
        Some(file) => options.with_tls(Tls::new().with_roots_file(file)),
        None => options,
    }
}

/// A name that no other test and no earlier run has used.
fn unique(name: &str) -> String {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    format!("pm-{name}-{:x}", nanos & 0xFFFF_FFFF_FFFF)
}

async fn connect(version: Version) -> Client {
    Client::connect(options(version)).await.unwrap()
}

fn message(topic: &str, payload: impl Into<Vec<u8>>, qos: QoS) -> Message {
    Message::new(TopicName::new(topic).unwrap(), payload.into()).with_qos(qos)
}

async fn outcome(delivery: Delivery) -> Outcome {
    delivery.wait_timeout(PATIENCE).await.expect("an outcome")
}

async fn payload(subscription: &mut Subscription) -> Vec<u8> {
    let received = timeout(PATIENCE, subscription.recv())
        .await
        .expect("a message")
        .expect("no end");
    received.acknowledge();
    received.message.payload().to_vec()
}

#[tokio::test]
#[ignore = "needs MQTT_SERVER"]
async fn every_version_and_qos_delivers_each_message_once_and_in_order() {
    for version in VERSIONS {
        for qos in QOS {
            // Mosquitto 2.0.11 stops sending once more than 20 messages of QoS 2 wait for one client.
            let burst = if qos == QoS::ExactlyOnce { 15 } else { 300 };
            let client = connect(version).await;
            let topic = unique("all");
            let mut subscription = client.subscribe(&topic, qos).await.unwrap();
            for first in (0..300).step_by(burst) {
                deliver_burst(
                    &client,
                    &mut subscription,
                    &topic,
                    qos,
                    first..first + burst,
                )
                .await;
            }
            assert!(subscription.try_recv().is_none());
            client.close(PATIENCE).await.unwrap();
        }
    }
}

async fn deliver_burst(
    client: &Client,
    subscription: &mut Subscription,
    topic: &str,
    qos: QoS,
    numbers: Range<usize>,
) {
    let mut deliveries = Vec::new();
    for number in numbers.clone() {
        deliveries.push(
            client
                .publish(message(topic, number.to_string(), qos))
                .await
                .unwrap(),
        );
    }
    for delivery in deliveries {
        match (qos, outcome(delivery).await) {
            (QoS::AtMostOnce, Outcome::Sent) => {}
            (QoS::AtLeastOnce | QoS::ExactlyOnce, Outcome::Acknowledged { reason, .. }) => {
                assert_eq!(reason, ReasonCode::SUCCESS);
            }
            other => panic!("{other:?}"),
        }
    }
    for number in numbers {
        assert_eq!(
            payload(subscription).await,
            number.to_string().as_bytes(),
            "{qos:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs MQTT_SERVER"]
async fn a_session_keeps_messages_for_an_absent_subscriber() {
    for version in VERSIONS {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let topic = unique("kept");
            let id: String = unique("s").replace('-', "").chars().take(20).collect();
            let device = options(version)
                .with_client_id(id)
                .with_session(Duration::from_secs(60));
            let client = Client::connect(device.clone()).await.unwrap();
            let subscription = client.subscribe(&topic, qos).await.unwrap();
            client.close(PATIENCE).await.unwrap();
            drop((subscription, client));

            let publisher = connect(version).await;
            for number in 0..20 {
                let delivery = publisher
                    .publish(message(&topic, number.to_string(), qos))
                    .await
                    .unwrap();
                assert!(matches!(
                    outcome(delivery).await,
                    Outcome::Acknowledged { .. }
                ));
            }

            let client = Client::connect(device.clone()).await.unwrap();
            if version != Version::V3_1 {
                assert!(client.connack().unwrap().session_present, "{version:?}");
            }
            let mut subscription = client.subscribe(&topic, qos).await.unwrap();
            for number in 0..20 {
                let received = payload(&mut subscription).await;
                assert_eq!(
                    received,
                    number.to_string().as_bytes(),
                    "{version:?} {qos:?}"
                );
            }
            client.close(PATIENCE).await.unwrap();
            // Leaves nothing behind: a clean start ends the old session.
            let cleaner = Client::connect(device.with_clean_start(true).with_session_expiry(None))
                .await
                .unwrap();
            cleaner.close(PATIENCE).await.unwrap();
        }
    }
}

#[tokio::test]
#[ignore = "needs MQTT_SERVER"]
async fn unacknowledged_messages_come_again_to_the_same_session() {
    for version in VERSIONS {
        let topic = unique("again");
        let id: String = unique("r").replace('-', "").chars().take(20).collect();
        let device = options(version)
            .with_client_id(id)
            .with_session(Duration::from_secs(60));
        let manual = SubscribeOptions::new(QoS::AtLeastOnce).with_ack(AckMode::Manual);
        let client = Client::connect(device.clone()).await.unwrap();
        let mut subscription = client.subscribe(&topic, manual).await.unwrap();
        let publisher = connect(version).await;
        publisher
            .publish(message(&topic, "x", QoS::AtLeastOnce))
            .await
            .unwrap();
        let unanswered = timeout(PATIENCE, subscription.recv())
            .await
            .unwrap()
            .unwrap();
        client.close(PATIENCE).await.unwrap();
        drop(unanswered);

        let client = Client::connect(device).await.unwrap();
        let mut subscription = client.subscribe(&topic, manual).await.unwrap();
        let again = timeout(PATIENCE, subscription.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (again.message.payload(), again.dup),
            (&b"x"[..], true),
            "{version:?}"
        );
        again.acknowledge();
        client.close(PATIENCE).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs MQTT_SERVER"]
async fn retained_messages_wildcards_and_large_payloads() {
    for version in VERSIONS {
        let client = connect(version).await;
        let base = unique("retain");
        let topic = format!("{base}/state");
        let large: Vec<u8> = (0..300_000_u32)
            .map(|number| number.to_le_bytes()[0])
            .collect();
        let retained = message(&topic, large.clone(), QoS::AtLeastOnce).with_retain(true);
        assert!(matches!(
            outcome(client.publish(retained).await.unwrap()).await,
            Outcome::Acknowledged { .. }
        ));
        let mut subscription = client
            .subscribe(&format!("{base}/+"), QoS::AtLeastOnce)
            .await
            .unwrap();
        assert_eq!(payload(&mut subscription).await, large);
        // An empty retained message clears the place.
        let cleared = message(&topic, "", QoS::AtLeastOnce).with_retain(true);
        assert!(matches!(
            outcome(client.publish(cleared).await.unwrap()).await,
            Outcome::Acknowledged { .. }
        ));
        client.close(PATIENCE).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs MQTT_SERVER"]
async fn v5_properties_travel_and_nobody_there_is_told() {
    let client = connect(Version::V5).await;
    let topic = unique("props");
    let nobody = outcome(
        client
            .publish(message(&topic, "x", QoS::AtLeastOnce))
            .await
            .unwrap(),
    )
    .await;
    assert!(
        matches!(
            nobody,
            Outcome::Acknowledged {
                reason: ReasonCode::NO_MATCHING_SUBSCRIBERS,
                ..
            }
        ),
        "{nobody:?}"
    );
    let mut subscription = client.subscribe(&topic, QoS::AtLeastOnce).await.unwrap();
    let reply = TopicName::new("reply/to").unwrap();
    let properties = [
        Property::ResponseTopic(reply),
        Property::CorrelationData(b"\x00\xFF"),
    ];
    let request = message(&topic, "x", QoS::AtLeastOnce)
        .with_properties(&properties)
        .unwrap();
    client.publish(request).await.unwrap();
    let received = timeout(PATIENCE, subscription.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(received.message.properties().response_topic(), Some(reply));
    assert_eq!(
        received.message.properties().correlation_data(),
        Some(&b"\x00\xFF"[..])
    );
    client.close(PATIENCE).await.unwrap();
}

#[tokio::test]
#[ignore = "needs MQTT_SERVER"]
async fn auto_connects_with_5_0_where_it_is_known() {
    let client = connect(Version::Auto).await;
    assert_eq!(client.connack().unwrap().version, ProtocolVersion::V5);
    client.close(PATIENCE).await.unwrap();
}
