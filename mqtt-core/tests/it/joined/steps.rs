//! What may happen to both ends and the network between them, and what must be true afterwards.

use std::{collections::BTreeSet, time::Duration};

use mqtt_core::{Outcome, QoS, client, server};

use super::network::{Application, End, Network};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Connect,
    Cut { noticed_by_server: bool },
    Publish { from: End, topic: u8, qos: QoS },
    Deliver { to: End, count: usize },
    Drain { end: End },
    Acknowledge { end: End, choice: usize },
    Advance { millis: u64 },
}

/// Lets one thing happen.
pub(crate) fn take(network: &mut Network, step: &Step) {
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

/// Brings the network to rest and checks that every promise was kept.
pub(crate) fn settle_and_check(mut network: Network) {
    network.settle();
    check_ends(&network);
    check(&network.client_side, &network.server_side);
    check(&network.server_side, &network.client_side);
    // What is finished is forgotten.
    let server = network.server.as_ref().and_then(|server| server.session());
    for session in [server.expect("it is connected"), network.client.session()] {
        let left = (
            session.queued(),
            session.in_flight(),
            session.queued_bytes(),
        );
        assert_eq!(left, (0, 0, 0));
        assert_eq!(session.held_packet_ids(), 0);
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
