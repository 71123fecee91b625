//! What our codec has to reach, as ratios to rivals in the same run.

use mqtt_core::ProtocolVersion::{self, V3_1_1, V5};

use crate::{
    groups::Operation::{self, BuildAndEncode, Decode, Encode, Gather},
    libraries::{Mqttrs, Rumqttc5},
    library::Library as _,
    packets::Case::{
        self, Connect, HugePublish, LargePublish, Puback, PublishWithProperties, SmallPublish,
        Subscribe,
    },
};

/// Whom ours is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Rival {
    /// The fastest, whatever it checks.
    Best,
    /// The fastest of those that copy text into values of their own.
    BestOwned,
    /// This one.
    Named(&'static str),
}

impl Rival {
    /// Whether `name` is to be looked at.
    #[must_use]
    pub fn includes(self, name: &str) -> bool {
        match self {
            Self::Best => true,
            Self::BestOwned => name != Mqttrs::NAME,
            Self::Named(only) => name == only,
        }
    }
}

/// Time of ours by that of the rival must be at most this.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub operation: Operation,
    pub mqtt: ProtocolVersion,
    pub case: Case,
    pub rival: Rival,
    pub at_most: f64,
}

const MQTTRS: Rival = Rival::Named(Mqttrs::NAME);
const RUMQTTC: Rival = Rival::Named(Rumqttc5::NAME);

/// All of them.
#[must_use]
pub fn all() -> Vec<Target> {
    let mut all = Vec::new();
    let mut add = |operation, mqtt, case, rival, at_most| {
        all.push(Target {
            operation,
            mqtt,
            case,
            rival,
            at_most,
        });
    };
    add(Decode, V3_1_1, SmallPublish, MQTTRS, 1.2);
    add(Decode, V3_1_1, SmallPublish, Rival::BestOwned, 0.45);
    add(Decode, V3_1_1, Subscribe, Rival::Best, 0.6);
    add(Decode, V3_1_1, Connect, MQTTRS, 1.3);
    add(Decode, V3_1_1, Puback, MQTTRS, 1.0);
    add(Decode, V5, SmallPublish, Rival::Best, 0.5);
    add(Decode, V5, PublishWithProperties, Rival::Best, 0.4);
    add(Decode, V5, Subscribe, Rival::Best, 0.5);
    add(Decode, V5, Connect, Rival::Best, 0.4);
    add(Decode, V5, Puback, Rival::Best, 0.5);
    let small = [SmallPublish, PublishWithProperties, Subscribe, Connect];
    for mqtt in [V3_1_1, V5] {
        for case in small.into_iter().filter(|case| case.exists_in(mqtt)) {
            add(Encode, mqtt, case, Rival::Best, 1.2);
        }
        add(Encode, mqtt, Puback, RUMQTTC, 1.0);
    }
    for mqtt in [V3_1_1, V5] {
        for case in small.into_iter().filter(|case| case.exists_in(mqtt)) {
            add(BuildAndEncode, mqtt, case, Rival::Best, 1.0);
        }
    }
    for mqtt in [V3_1_1, V5] {
        for case in [LargePublish, HugePublish] {
            add(Gather, mqtt, case, Rival::Best, 1.0);
        }
    }
    all
}
