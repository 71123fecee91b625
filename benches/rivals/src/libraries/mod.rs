//! The libraries, one file for each.

mod flowsdk;
mod mpc;
mod mqtt5;
mod mqttrs;
mod next;
mod ntex;
mod pushmq;
mod rumqttc;

use mqtt_core::ProtocolVersion;

pub use self::{
    flowsdk::Flowsdk,
    mpc::{Mpc5, Mpc311},
    mqtt5::Mqtt5,
    mqttrs::Mqttrs,
    next::{Next5, Next311},
    ntex::{Ntex5, Ntex311},
    pushmq::Pushmq,
    rumqttc::{Rumqttc5, Rumqttc311},
};

/// Calls a macro with every [`Library`](crate::library::Library), ours first.
macro_rules! for_each_library {
    ($call:ident) => {
        $call!($crate::libraries::Pushmq<4>);
        $call!($crate::libraries::Pushmq<5>);
        $call!($crate::libraries::Mqttrs);
        $call!($crate::libraries::Rumqttc311);
        $call!($crate::libraries::Rumqttc5);
        $call!($crate::libraries::Next311);
        $call!($crate::libraries::Next5);
        $call!($crate::libraries::Mpc311);
        $call!($crate::libraries::Mpc5);
        $call!($crate::libraries::Ntex311);
        $call!($crate::libraries::Ntex5);
        $call!($crate::libraries::Mqtt5<4>);
        $call!($crate::libraries::Mqtt5<5>);
        $call!($crate::libraries::Flowsdk<4>);
        $call!($crate::libraries::Flowsdk<5>);
    };
}
pub(crate) use for_each_library;

/// The version with this level in CONNECT.
const fn mqtt(level: u8) -> ProtocolVersion {
    match level {
        4 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    }
}
