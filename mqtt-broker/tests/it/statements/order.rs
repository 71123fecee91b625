//! Order: 4.6. Nothing about it is set here: every topic is an ordered one.

use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

use super::{publish_v311, subscribe_v311, v311};
use crate::support::{Peer, broker, packet, publish_v5};

const MESSAGES: u16 = 1_000;

/// Sends numbered messages of QoS 1 and reads the answers when the last is sent.
fn send(
    mut sender: Peer<DuplexStream>,
    publish: impl Fn(u16) -> Vec<u8> + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        for number in 1..=MESSAGES {
            sender.send_bytes(&publish(number)).await;
        }
        for number in 1..=MESSAGES {
            sender
                .expect_bytes(&packet(0x40, &[&number.to_be_bytes()]))
                .await;
        }
    })
}

/// Receives what two senders sent to "a" and "b", each in its own order. The payload begins at byte `payload`.
async fn receive(receiver: &mut Peer<DuplexStream>, payload: usize) {
    let mut next = [1_u16, 1];
    for _ in 0..2 * MESSAGES {
        let (first, body) = receiver.packet().await;
        assert_eq!(first, 0x32);
        let next = &mut next[usize::from(body[2] - b'a')];
        assert_eq!(body[payload..], next.to_be_bytes(), "{body:02X?}");
        *next += 1;
        receiver.send_bytes(&packet(0x40, &[&body[3..5]])).await;
    }
    receiver.ping().await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_4_6_0_5_and_6_each_publishers_messages_keep_their_order() {
    let broker = broker();
    let mut receiver = v311(&broker, "r", 0x02, false).await;
    subscribe_v311(&mut receiver, "+", 1).await;
    let mut sending = Vec::new();
    for topic in ["a", "b"] {
        let sender = v311(&broker, topic, 0x02, false).await;
        sending.push(send(sender, move |number| {
            publish_v311(0x32, topic, Some(number), &number.to_be_bytes())
        }));
    }
    receive(&mut receiver, 5).await;
    for sent in sending {
        sent.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_4_6_0_6_each_publishers_messages_keep_their_order() {
    let broker = broker();
    let mut receiver = Peer::clean(&broker, "r").await;
    receiver.subscribe_v5("+", 1).await;
    let mut sending = Vec::new();
    for topic in ["a", "b"] {
        let sender = Peer::clean(&broker, topic).await;
        sending.push(send(sender, move |number| {
            publish_v5(0x32, topic, Some(number), &number.to_be_bytes())
        }));
    }
    receive(&mut receiver, 6).await;
    for sent in sending {
        sent.await.unwrap();
    }
}
