//! What must work, one story each.

use std::time::Duration;

use mqtt_core::{
    Acknowledge, Message, Outcome, Property, ProtocolVersion, QoS, ReasonCode, SubscribeOptions,
    SubscriptionId, TopicFilter, TopicName, client, server,
};

use super::network::{End, Network, Setup};

const EVERY_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

fn success() -> Outcome {
    Outcome::Acknowledged {
        reason: ReasonCode::SUCCESS,
        properties: Default::default(),
    }
}

#[test]
fn each_version_carries_each_qos_both_ways() {
    for version in ProtocolVersion::ALL {
        for acknowledge in [Acknowledge::Automatic, Acknowledge::Manual] {
            let mut network = Network::new(Setup {
                acknowledge,
                ..Setup::new(version)
            });
            network.connect();
            network.settle();
            for qos in EVERY_QOS {
                network.publish(End::Client, "up", qos).unwrap();
                network.publish(End::Server, "down", qos).unwrap();
            }
            network.settle();
            for side in [&network.client_side, &network.server_side] {
                assert_eq!(side.received, [0, 1, 2]);
                let outcomes: Vec<_> = side
                    .published
                    .iter()
                    .map(|published| &published.outcomes[..])
                    .collect();
                assert_eq!(outcomes, [&[Outcome::Sent][..], &[success()], &[success()]]);
            }
            assert!(network.client_ends.is_empty() && network.server_ends.is_empty());
        }
    }
}

/// At every byte of the exchange in either direction the connection breaks once, and afterwards everything is where it belongs.
#[test]
fn a_cut_at_any_byte_loses_nothing_and_doubles_nothing_of_qos_2() {
    for version in ProtocolVersion::ALL {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            for to in [End::Client, End::Server] {
                for noticed in [true, false] {
                    for count in 0..60 {
                        cut_once(version, qos, to, noticed, count);
                    }
                }
            }
        }
    }
}

fn cut_once(version: ProtocolVersion, qos: QoS, to: End, noticed: bool, count: usize) {
    let mut network = Network::new(Setup::new(version));
    network.connect();
    network.settle();
    for from in [End::Client, End::Server] {
        network.publish(from, "t", qos).unwrap();
        network.publish(from, "t", qos).unwrap();
    }
    // One direction runs freely, the other stops after `count` bytes.
    let other = if to == End::Client {
        End::Server
    } else {
        End::Client
    };
    let mut left = count;
    for _ in 0..4 {
        network.deliver(other, usize::MAX);
        network.drain(other);
        let step = left.min(15);
        network.deliver(to, step);
        network.drain(to);
        left -= step;
    }
    network.cut(noticed);
    network.settle();
    for side in [&network.client_side, &network.server_side] {
        let mut first = side.received.clone();
        first.sort_unstable();
        if qos == QoS::ExactlyOnce {
            assert_eq!(
                first,
                [0, 1],
                "{version} {qos:?} to {to:?}, cut after {count}"
            );
        }
        first.dedup();
        assert_eq!(
            first,
            [0, 1],
            "{version} {qos:?} to {to:?}, cut after {count}"
        );
        assert!(
            side.published
                .iter()
                .all(|published| published.outcomes == [success()])
        );
    }
}

#[test]
fn an_absent_client_finds_its_messages() {
    for version in ProtocolVersion::ALL {
        let mut network = Network::new(Setup::new(version));
        network.connect();
        network.settle();
        network.cut(true);
        for _ in 0..5 {
            network.publish(End::Server, "t", QoS::AtLeastOnce).unwrap();
            network.publish(End::Client, "t", QoS::ExactlyOnce).unwrap();
        }
        network.settle();
        assert_eq!(network.client_side.received, [0, 1, 2, 3, 4]);
        assert_eq!(network.server_side.received, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn keep_alive_holds_a_quiet_connection_and_finds_a_dead_one() {
    for version in ProtocolVersion::ALL {
        let mut network = Network::new(Setup {
            keep_alive: 10,
            ..Setup::new(version)
        });
        network.connect();
        network.settle();
        for _ in 0..100 {
            network.advance(Duration::from_secs(1));
            network.deliver(End::Server, usize::MAX);
            network.deliver(End::Client, usize::MAX);
            network.drain(End::Server);
            network.drain(End::Client);
        }
        assert!(network.client_ends.is_empty() && network.server_ends.is_empty());
        // Nothing arrives any more.
        for _ in 0..30 {
            network.advance(Duration::from_secs(1));
        }
        network.drain(End::Client);
        network.drain(End::Server);
        assert_eq!(
            network.client_ends,
            [client::DisconnectCause::KeepAliveTimeout]
        );
        assert_eq!(
            network.server_ends,
            [server::DisconnectCause::KeepAliveTimeout]
        );
    }
}

#[test]
fn subscriptions_are_answered_and_their_identifiers_come_back() {
    let mut network = Network::new(Setup::new(ProtocolVersion::V5));
    network.connect();
    network.settle();
    let filter = |text| TopicFilter::new(text).unwrap();
    let id = |number| SubscriptionId::new(number).unwrap();
    let filters = [
        (filter("a/#"), SubscribeOptions::with_qos(QoS::AtLeastOnce)),
        (filter("b"), SubscribeOptions::with_qos(QoS::ExactlyOnce)),
    ];
    network
        .client
        .subscribe(&filters, &[Property::SubscriptionIdentifier(id(7))])
        .unwrap();
    network.client.unsubscribe(&[filter("c")], &[]).unwrap();
    for _ in 0..2 {
        network.settle();
    }
    let granted = vec![ReasonCode::GRANTED_QOS_1, ReasonCode::GRANTED_QOS_2];
    assert_eq!(
        network.answers,
        [granted, vec![ReasonCode::NO_SUBSCRIPTION_EXISTED]]
    );

    // A message that answers two subscriptions has both of their identifiers.
    let message =
        Message::new(TopicName::new("a/b").unwrap(), "0").with_subscription_ids(&[id(7), id(300)]);
    let server = network.server.as_mut().unwrap();
    server.publish(network.now, message).unwrap();
    network.advance(Duration::ZERO);
    network.deliver(End::Client, usize::MAX);
    let event = network.client.poll_event();
    let Some(client::Event::Message { message, .. }) = event else {
        panic!("{event:?}")
    };
    assert!(
        message
            .properties()
            .subscription_identifiers()
            .eq([id(7), id(300)])
    );
    // Passed on by a client, it has none.
    assert!(
        network
            .client
            .publish(network.now, message.clone())
            .is_err()
    );
    network
        .client
        .publish(network.now, message.without_subscription_ids())
        .unwrap();
}

#[test]
fn a_large_message_crosses_both_ways_unchanged() {
    for version in ProtocolVersion::ALL {
        let mut network = Network::new(Setup::new(version));
        network.connect();
        network.settle();
        let payload: Vec<u8> = (0..40_000_u32)
            .map(|number| number.to_le_bytes()[1])
            .collect();
        let message =
            Message::new(TopicName::new("t").unwrap(), payload).with_qos(QoS::AtLeastOnce);
        network
            .client
            .publish(network.now, message.clone())
            .unwrap();
        network.advance(Duration::ZERO);
        // In many parts, as a transport brings it.
        let mut parts = 0;
        let arrived = loop {
            network.deliver(End::Server, 1_500);
            parts += 1;
            if let Some(event) = network.server.as_mut().unwrap().poll_event() {
                break event;
            }
        };
        assert_eq!(parts, 27);
        let server::Event::Message {
            message: arrived, ..
        } = arrived
        else {
            panic!("{arrived:?}")
        };
        assert_eq!(arrived, message);
        network
            .server
            .as_mut()
            .unwrap()
            .publish(network.now, arrived)
            .unwrap();
        network.advance(Duration::ZERO);
        network.deliver(End::Client, usize::MAX);
        let messages: Vec<_> = std::iter::from_fn(|| network.client.poll_event())
            .filter_map(|event| match event {
                client::Event::Message { message, .. } => Some(message),
                _ => None,
            })
            .collect();
        assert_eq!(messages, [message]);
    }
}

#[test]
fn a_server_that_forgot_the_session_gets_everything_anew() {
    for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
        let mut network = Network::new(Setup::new(version));
        network.connect();
        network.settle();
        for qos in [QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            network.publish(End::Client, "t", qos).unwrap();
        }
        // The first message arrives and its PUBREC does not.
        network.deliver(End::Server, 9);
        network.forget();
        network.settle();
        assert_eq!(network.server_side.received, [0, 1, 2]);
        assert!(
            network
                .client_side
                .published
                .iter()
                .all(|published| published.outcomes == [success()])
        );
    }
}
