//! The client and the embedded broker over real sockets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use mqtt_broker::{Broker, Options as BrokerOptions};
use mqtt_client::{Client, Options, Outcome, QoS, ReasonCode, Reconnect, Version};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::support::message;

const PATIENCE: Duration = Duration::from_secs(30);
const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

/// A broker with a runtime of its own, so that it can die as a process dies: at once, with all it knows.
struct Mortal {
    address: SocketAddr,
    kill: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Mortal {
    async fn start(port: u16) -> Self {
        let (kill, killed) = oneshot::channel();
        let (started, address) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let _broker = runtime.block_on(async {
                let broker = Broker::bind(("127.0.0.1", port), BrokerOptions::default())
                    .await
                    .unwrap();
                started.send(broker.local_addr().unwrap()).unwrap();
                let _ = killed.await;
                broker
            });
            runtime.shutdown_background();
        });
        Self {
            address: address.await.unwrap(),
            kill,
            thread,
        }
    }

    /// Dies, and returns the port that is free again.
    async fn die(self) -> u16 {
        self.kill.send(()).unwrap();
        tokio::task::spawn_blocking(|| self.thread.join())
            .await
            .unwrap()
            .unwrap();
        self.address.port()
    }

    fn options(&self) -> Options {
        let soon = Reconnect {
            min: Duration::from_millis(10),
            max: Duration::from_millis(50),
            ..Reconnect::default()
        };
        Options::new("127.0.0.1", self.address.port()).with_reconnect(soon)
    }
}

#[tokio::test]
async fn v5_mqtt_4_2_0_1_and_v311_mqtt_7_1_2_1_every_version_and_qos_delivers_each_message_once_and_in_order()
 {
    let broker = Mortal::start(0).await;
    for version in VERSIONS {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let client = Client::connect(broker.options().with_version(version))
                .await
                .unwrap();
            let mut subscription = client.subscribe("devices/+/push", qos).await.unwrap();
            let mut deliveries = Vec::new();
            for number in 0..500 {
                let message = message("devices/7/push", &format!("{number}"), qos);
                deliveries.push(client.publish(message).await.unwrap());
            }
            for delivery in deliveries {
                match delivery.wait_timeout(PATIENCE).await.unwrap() {
                    Outcome::Sent if qos == QoS::AtMostOnce => {}
                    Outcome::Acknowledged {
                        reason: ReasonCode::SUCCESS,
                        ..
                    } if qos != QoS::AtMostOnce => {}
                    other => panic!("{version:?} {qos:?}: {other:?}"),
                }
            }
            for number in 0..500 {
                let received = timeout(PATIENCE, subscription.recv())
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(
                    received.message.payload(),
                    format!("{number}").as_bytes(),
                    "{version:?} {qos:?}"
                );
            }
            client.close(PATIENCE).await.unwrap();
        }
    }
    broker.die().await;
}

#[tokio::test]
async fn a_broker_killed_in_mid_push_costs_no_outcome() {
    for version in VERSIONS {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            kill_in_mid_push(version, qos).await;
        }
    }
}

async fn kill_in_mid_push(version: Version, qos: QoS) {
    const COUNT: usize = 3_000;
    let broker = Mortal::start(0).await;
    let options = broker.options().with_version(version);
    let client = Client::connect(options.clone().with_queue_max_messages(500))
        .await
        .unwrap();
    let device = Client::connect(options).await.unwrap();
    let mut received = device.subscribe("push", QoS::AtLeastOnce).await.unwrap();
    let counting = tokio::spawn(async move {
        let mut counts = HashMap::<Vec<u8>, usize>::new();
        while let Some(received) = received.recv().await {
            *counts
                .entry(received.message.payload().to_vec())
                .or_default() += 1;
        }
        counts
    });

    let pushing = tokio::spawn({
        let client = client.clone();
        async move {
            let mut deliveries = Vec::new();
            for number in 0..COUNT {
                deliveries.push(
                    client
                        .publish(message("push", &format!("{number}"), qos))
                        .await
                        .unwrap(),
                );
            }
            deliveries
        }
    });
    // In the middle: what was acknowledged shows how far it came.
    while client.status().acknowledged < 700 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let port = broker.die().await;
    let before = client.status();
    assert!(
        before.acknowledged < COUNT as u64,
        "the broker was killed too late to prove anything"
    );
    let broker = Mortal::start(port).await;

    for delivery in timeout(PATIENCE, pushing).await.unwrap().unwrap() {
        let outcome = delivery.wait_timeout(PATIENCE).await.expect("an outcome");
        assert!(
            matches!(&outcome, Outcome::Acknowledged { reason, .. } if !reason.is_error()),
            "{version:?} {qos:?}: {outcome:?}"
        );
    }
    let status = client.status();
    assert_eq!(
        (status.acknowledged, status.failed, status.queued_messages),
        (COUNT as u64, 0, 0)
    );
    assert_eq!(status.reconnects, 1);
    client.close(PATIENCE).await.unwrap();
    // The device's subscription came back by itself; what was pushed while neither had is nobody's.
    device.close(PATIENCE).await.unwrap();
    let counts = counting.await.unwrap();
    assert!(counts.len() > 700, "{} arrived", counts.len());
    broker.die().await;
}

#[tokio::test]
async fn an_absent_device_finds_its_messages() {
    let broker = Mortal::start(0).await;
    for version in VERSIONS {
        let device = broker
            .options()
            .with_version(version)
            .with_client_id("device")
            .with_session(PATIENCE);
        let client = Client::connect(device.clone()).await.unwrap();
        let subscription = client.subscribe("push", QoS::AtLeastOnce).await.unwrap();
        client.close(PATIENCE).await.unwrap();
        drop((client, subscription));

        let publisher = Client::connect(broker.options()).await.unwrap();
        for number in 0..50 {
            let delivery = publisher
                .publish(message("push", &format!("{number}"), QoS::AtLeastOnce))
                .await
                .unwrap();
            let outcome = delivery.wait_timeout(PATIENCE).await.unwrap();
            assert!(
                matches!(
                    outcome,
                    Outcome::Acknowledged {
                        reason: ReasonCode::SUCCESS,
                        ..
                    }
                ),
                "{outcome:?}"
            );
        }
        publisher.close(PATIENCE).await.unwrap();

        let client = Client::connect(device.clone()).await.unwrap();
        let mut subscription = client.subscribe("push", QoS::AtLeastOnce).await.unwrap();
        for number in 0..50 {
            let received = timeout(PATIENCE, subscription.recv())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                received.message.payload(),
                format!("{number}").as_bytes(),
                "{version:?}"
            );
        }
        client.close(PATIENCE).await.unwrap();
        // Ends the session, for the next version.
        let last = device.with_clean_start(true).with_session_expiry(None);
        Client::connect(last)
            .await
            .unwrap()
            .close(PATIENCE)
            .await
            .unwrap();
    }
    broker.die().await;
}

#[tokio::test]
async fn many_subscriptions_come_back() {
    const COUNT: usize = 1_000;
    for version in [Version::V3_1_1, Version::V5] {
        let broker = Mortal::start(0).await;
        let client = Client::connect(broker.options().with_version(version))
            .await
            .unwrap();
        let subscribing: Vec<_> = (0..COUNT)
            .map(|number| {
                let client = client.clone();
                tokio::spawn(async move {
                    client
                        .subscribe(&format!("d/{number}"), QoS::AtLeastOnce)
                        .await
                })
            })
            .collect();
        let mut subscriptions = Vec::new();
        for subscription in subscribing {
            subscriptions.push(
                timeout(PATIENCE, subscription)
                    .await
                    .unwrap()
                    .unwrap()
                    .unwrap(),
            );
        }
        let port = broker.die().await;
        let broker = Mortal::start(port).await;
        let delivery = client
            .publish(message("d/0", "x", QoS::AtLeastOnce))
            .await
            .unwrap();
        delivery.wait_timeout(PATIENCE).await.unwrap();
        // The SUBSCRIBEs were sent before the first publish.
        for number in 0..COUNT {
            client
                .publish(message(&format!("d/{number}"), "y", QoS::AtLeastOnce))
                .await
                .unwrap();
        }
        for subscription in &mut subscriptions {
            let received = timeout(PATIENCE, subscription.recv())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(received.message.topic().as_str(), subscription.filter());
        }
        client.close(PATIENCE).await.unwrap();
        broker.die().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_share_a_client_and_a_small_queue() {
    let broker = Mortal::start(0).await;
    let client = Client::connect(broker.options().with_queue_max_messages(7))
        .await
        .unwrap();
    let mut subscription = client.subscribe("#", QoS::AtMostOnce).await.unwrap();
    let publishing: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in 0..500 {
                    let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][number % 3];
                    let delivery = client.publish(message("t", "x", qos)).await.unwrap();
                    if number % 7 == 0 {
                        delivery.wait_timeout(PATIENCE).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let reading = tokio::spawn(async move { while subscription.recv().await.is_some() {} });
    for publisher in publishing {
        timeout(PATIENCE, publisher).await.unwrap().unwrap();
    }
    assert!(client.flush(PATIENCE).await.is_complete());
    let status = client.status();
    assert_eq!(
        (
            status.sent + status.acknowledged,
            status.failed,
            status.queued_messages
        ),
        (4_000, 0, 0)
    );
    client.close(PATIENCE).await.unwrap();
    reading.await.unwrap();
    broker.die().await;
}

#[tokio::test]
async fn nobody_there_is_told() {
    let broker = Mortal::start(0).await;
    let client = Client::connect(broker.options()).await.unwrap();
    let delivery = client
        .publish(message("nobody/there", "x", QoS::AtLeastOnce))
        .await
        .unwrap();
    delivery.wait_timeout(PATIENCE).await.unwrap();
    assert_eq!(
        delivery.reason_code(),
        Some(ReasonCode::NO_MATCHING_SUBSCRIBERS)
    );
    client.close(PATIENCE).await.unwrap();
    broker.die().await;
}

#[test]
fn the_blocking_face_does_the_same() {
    use mqtt_client::blocking;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let broker = runtime.block_on(Mortal::start(0));
    let client = blocking::Client::start(broker.options()).unwrap();
    client.connected(PATIENCE).unwrap();
    let mut subscription = client.subscribe("t/#", QoS::ExactlyOnce, PATIENCE).unwrap();
    assert_eq!(subscription.granted(), ReasonCode::GRANTED_QOS_2);
    assert!(subscription.recv(Duration::from_millis(10)).is_none() && !subscription.is_ended());
    let delivery = client
        .publish(message("t/1", "x", QoS::ExactlyOnce), PATIENCE)
        .unwrap();
    assert!(matches!(
        delivery.wait(PATIENCE),
        Some(Outcome::Acknowledged {
            reason: ReasonCode::SUCCESS,
            ..
        })
    ));
    assert_eq!(subscription.recv(PATIENCE).unwrap().message.payload(), b"x");
    assert_eq!(client.unsubscribe("t/#", PATIENCE), Ok(ReasonCode::SUCCESS));
    assert!(subscription.is_ended());
    assert!(client.flush(PATIENCE).is_complete());
    client.close(PATIENCE).unwrap();
    assert!(client.state().is_closed());
    // What is asked of a closed client is answered at once, though its thread is gone.
    assert!(client.subscribe("t", QoS::AtMostOnce, PATIENCE).is_err());
    assert_eq!(client.close(PATIENCE), Ok(()));
    runtime.block_on(broker.die());
}
