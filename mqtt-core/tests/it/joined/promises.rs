//! Whatever happens to the network, every promise of QoS is kept.

use std::{collections::BTreeSet, time::Duration};

use mqtt_core::{Acknowledge, Outcome, ProtocolVersion, QoS, client, server};
use proptest::prelude::*;

use super::network::{Application, End, Network, Setup};

#[derive(Clone, Debug)]
enum Step {
    Connect,
    Cut { noticed_by_server: bool },
    Publish { from: End, topic: u8, qos: QoS },
    Deliver { to: End, count: usize },
    Drain { end: End },
    Acknowledge { end: End, choice: usize },
    Advance { millis: u64 },
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Client), Just(End::Server)]
}

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Connect),
        1 => any::<bool>().prop_map(|noticed_by_server| Step::Cut { noticed_by_server }),
        6 => (end(), 0..3_u8, qos()).prop_map(|(from, topic, qos)| Step::Publish { from, topic, qos }),
        8 => (end(), prop_oneof![3 => 1..40_usize, 1 => Just(usize::MAX)])
            .prop_map(|(to, count)| Step::Deliver { to, count }),
        8 => end().prop_map(|end| Step::Drain { end }),
        4 => (end(), any::<usize>()).prop_map(|(end, choice)| Step::Acknowledge { end, choice }),
        1 => (0..8_000_u64).prop_map(|millis| Step::Advance { millis }),
    ]
}

fn setup() -> impl Strategy<Value = Setup> {
    (
        prop_oneof![
            Just(ProtocolVersion::V3_1),
            Just(ProtocolVersion::V3_1_1),
            Just(ProtocolVersion::V5)
        ],
        prop_oneof![Just(Acknowledge::Automatic), Just(Acknowledge::Manual)],
        1..5_u16,
        1..5_u16,
        1..5_usize,
        prop_oneof![Just(0_u16), Just(10)],
    )
        .prop_map(
            |(
                version,
                acknowledge,
                client_receive_maximum,
                server_receive_maximum,
                max_events,
                keep_alive,
            )| Setup {
                version,
                acknowledge,
                client_receive_maximum,
                server_receive_maximum,
                max_events,
                keep_alive,
            },
        )
}

fn take(network: &mut Network, step: &Step) {
    match *step {
        Step::Connect => network.connect(),
        Step::Cut { noticed_by_server } => network.cut(noticed_by_server),
        Step::Publish { from, topic, qos } => {
            // A full queue refuses, and then nothing was promised.
            let _ = network.publish(from, &format!("topic/{topic}"), qos);
        }
        Step::Deliver { to, count } => network.deliver(to, count),
        Step::Drain { end } => network.drain(end),
        Step::Acknowledge { end, choice } => network.acknowledge(end, choice),
        Step::Advance { millis } => network.advance(Duration::from_millis(millis)),
    }
}

/// What `receiver` must have seen of what `sender` published.
fn check(sender: &Application, receiver: &Application) {
    for (number, published) in sender.published.iter().enumerate() {
        let times = receiver
            .received
            .iter()
            .filter(|received| **received == number)
            .count();
        let kept = match published.qos {
            QoS::AtMostOnce => times <= 1,
            QoS::AtLeastOnce => times >= 1,
            QoS::ExactlyOnce => times == 1,
        };
        assert!(kept, "{number} at {:?} came {times} times", published.qos);
        assert_eq!(
            published.outcomes.len(),
            1,
            "{number} ended in {:?}",
            published.outcomes
        );
        let sent_only = published.outcomes[0] == Outcome::Sent;
        assert_eq!(
            sent_only,
            published.qos == QoS::AtMostOnce,
            "{number} ended in {:?}",
            published.outcomes
        );
    }
    // All topics share one order, so each of them has it. A repeat of QoS 1 is none of it.
    let mut seen = BTreeSet::new();
    let first: Vec<_> = receiver
        .received
        .iter()
        .filter(|number| seen.insert(**number))
        .collect();
    assert!(first.is_sorted(), "came in the order {first:?}");
}

fn check_ends(network: &Network) {
    for cause in &network.client_ends {
        let expected = matches!(
            cause,
            client::DisconnectCause::Closed
                | client::DisconnectCause::KeepAliveTimeout
                | client::DisconnectCause::ConnectTimeout
                | client::DisconnectCause::Server { .. }
        );
        assert!(expected, "the client blames the server: {cause:?}");
    }
    for cause in &network.server_ends {
        let expected = matches!(
            cause,
            server::DisconnectCause::Closed
                | server::DisconnectCause::KeepAliveTimeout
                | server::DisconnectCause::ConnectTimeout
                | server::DisconnectCause::Client { .. }
        );
        assert!(expected, "the server blames the client: {cause:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_is_kept(setup in setup(), steps in prop::collection::vec(step(), 1..120)) {
        let mut network = Network::new(setup);
        for step in &steps {
            take(&mut network, step);
        }
        network.settle();
        check_ends(&network);
        check(&network.client_side, &network.server_side);
        check(&network.server_side, &network.client_side);
        // What is finished is forgotten.
        let session = network.server.as_ref().unwrap().session().unwrap();
        for session in [session, network.client.session()] {
            prop_assert_eq!((session.queued(), session.in_flight(), session.queued_bytes()), (0, 0, 0));
            prop_assert_eq!(session.held_packet_ids(), 0);
        }
    }
}
