//! What CONNECT and CONNACK agreed on: it holds for one Network Connection and is made anew for the next.

use crate::{
    types::{KeepAlive, MaximumPacketSize, QoS, ReceiveMaximum, SessionExpiry},
    version::ProtocolVersion,
};

/// The limits of one connection, as seen from the end that holds this value.
///
/// "Peer" limits are those that the other end announced and this end obeys; "own" limits are those that this end announced
/// and enforces. In 3.x, which knows none of them, they have the values that 5.0 gives to absent ones.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Negotiated {
    /// The version both ends speak.
    pub version: ProtocolVersion,
    /// The Keep Alive in force: the server's, where it gave one [v5 MQTT-3.1.2-21].
    pub keep_alive: KeepAlive,
    /// How long the session outlives the connection: the server's word, where it gave one (v5 3.2.2.3.2). In 3.x
    /// [`SessionExpiry::AT_CLOSE`] with Clean Session 1 and [`SessionExpiry::NEVER`] without.
    pub session_expiry: SessionExpiry,
    /// QoS 1 and 2 messages that this end may have unacknowledged [v5 MQTT-3.3.4-7, MQTT-3.3.4-9].
    pub peer_receive_maximum: ReceiveMaximum,
    /// QoS 1 and 2 messages that the peer may have unacknowledged. In 3.x nothing enforces it.
    pub own_receive_maximum: ReceiveMaximum,
    /// The largest packet the peer takes; `None` is no limit [v5 MQTT-3.1.2-24, MQTT-3.2.2-15].
    pub peer_maximum_packet_size: Option<MaximumPacketSize>,
    /// The largest packet this end takes; `None` is no limit. Enforced in every version.
    pub own_maximum_packet_size: Option<MaximumPacketSize>,
    /// The highest Topic Alias the peer takes; 0 is none.
    pub peer_topic_alias_maximum: u16,
    /// The highest Topic Alias this end takes; 0 is none.
    pub own_topic_alias_maximum: u16,
    /// The highest QoS the server takes (v5 3.2.2.3.4).
    pub maximum_qos: QoS,
    /// Whether the server keeps retained messages (v5 3.2.2.3.5).
    pub retain_available: bool,
    /// Whether the server takes filters with wildcards (v5 3.2.2.3.11).
    pub wildcard_subscription_available: bool,
    /// Whether the server takes Subscription Identifiers (v5 3.2.2.3.12).
    pub subscription_identifiers_available: bool,
    /// Whether the server takes shared subscriptions (v5 3.2.2.3.13).
    pub shared_subscription_available: bool,
    /// Whether the client wants Reason Strings and User Properties on every packet that may have them
    /// (v5 3.1.2.11.7).
    pub request_problem_information: bool,
}

impl Negotiated {
    /// The values that hold where neither CONNECT nor CONNACK says otherwise.
    #[must_use]
    pub fn new(version: ProtocolVersion) -> Self {
        Self {
            version,
            keep_alive: KeepAlive::OFF,
            session_expiry: SessionExpiry::AT_CLOSE,
            peer_receive_maximum: ReceiveMaximum::default(),
            own_receive_maximum: ReceiveMaximum::default(),
            peer_maximum_packet_size: None,
            own_maximum_packet_size: None,
            peer_topic_alias_maximum: 0,
            own_topic_alias_maximum: 0,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifiers_available: version.is_v5(),
            shared_subscription_available: version.is_v5(),
            request_problem_information: true,
        }
    }
}
