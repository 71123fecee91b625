//! What must work, one story each.

use std::time::Duration;

use mqtt_core::{Acknowledge, Outcome, ProtocolVersion, QoS, ReasonCode, client, server};

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
