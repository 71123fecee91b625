//! Whatever happens to the network, every promise of QoS is kept.

use mqtt_core::{Acknowledge, ProtocolVersion, QoS};
use proptest::prelude::*;

use super::{
    network::{End, Network, Setup},
    steps::{Step, settle_and_check, take},
};

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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_is_kept(setup in setup(), steps in prop::collection::vec(step(), 1..120)) {
        let mut network = Network::new(setup);
        for step in &steps {
            take(&mut network, step);
        }
        settle_and_check(network);
    }
}
