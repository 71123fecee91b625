//! `Mqtt\Status` and `Mqtt\Connack`: what the background knows, as objects.

use mqtt_client::Connack;
use mqtt_core::ProtocolVersion;

use crate::client;
use crate::connection::{Connection, Origin};
use crate::exception::Thrown;
use crate::method::Answer;
use crate::names::NAMES;
use crate::properties;
use crate::shim::{self, Class, Object};
use crate::value;

/// A `Connack` object.
pub(crate) fn connack_object(connack: &Connack) -> Answer {
    let protocol = match connack.version {
        ProtocolVersion::V3_1 => c"V31",
        ProtocolVersion::V3_1_1 => c"V311",
        ProtocolVersion::V5 => c"V5",
    };
    let agreed = &connack.negotiated;
    let assigned = connack
        .properties
        .as_properties()
        .assigned_client_identifier();
    let made = shim::new_object(Class::Connack);
    Object::of(&made)
        .ok_or(Thrown::Pending)?
        .init("sessionPresent", value::bool(connack.session_present))
        .init("reasonCode", value::int(i64::from(connack.reason.get())))
        .init("protocol", shim::enum_case(Class::Protocol, protocol))
        .init("clientId", value::text(&connack.client_id))
        .init(
            "assignedClientId",
            value::nullable(assigned, |assigned| value::text(assigned.as_str())),
        )
        .init(
            "keepAlive",
            value::int(i64::from(agreed.keep_alive.as_secs())),
        )
        .init(
            "sessionExpiry",
            value::int(i64::from(agreed.session_expiry.as_secs())),
        )
        .init("maximumQos", properties::qos_case(agreed.maximum_qos))
        .init("retainAvailable", value::bool(agreed.retain_available))
        .init(
            "maximumPacketSize",
            value::nullable(agreed.peer_maximum_packet_size, |size| {
                value::int(i64::from(size.get()))
            }),
        )
        .init(
            "receiveMaximum",
            value::int(i64::from(agreed.peer_receive_maximum.get())),
        )
        .init(
            "topicAliasMaximum",
            value::int(i64::from(agreed.peer_topic_alias_maximum)),
        )
        .init(
            "wildcardSubscriptionAvailable",
            value::bool(agreed.wildcard_subscription_available),
        )
        .init(
            "subscriptionIdentifiersAvailable",
            value::bool(agreed.subscription_identifiers_available),
        )
        .init(
            "sharedSubscriptionAvailable",
            value::bool(agreed.shared_subscription_available),
        );
    Ok(made)
}

/// A `Status` object.
pub(crate) fn status_object(connection: &Connection, unhandled: u64) -> Answer {
    let handle = connection.started();
    let connack = handle.and_then(|handle| handle.connack());
    let status = handle.map(|handle| handle.status()).unwrap_or_default();
    let error = handle
        .and_then(|handle| handle.last_error())
        .map(|error| NAMES.connect_error(&error));
    let client_id = connack.as_ref().map(|connack| connack.client_id.clone());
    let connack = connack.as_ref().map(connack_object).transpose()?;
    let persistent = match connection.origin() {
        Origin::Own => None,
        Origin::Persistent(name) => Some(name),
    };
    let made = shim::new_object(Class::Status);
    Object::of(&made)
        .ok_or(Thrown::Pending)?
        .init("state", client::state_case(connection))
        .init("persistent", value::bool(persistent.is_some()))
        .init(
            "persistentId",
            value::nullable(persistent, |name| value::text(&name.to_text())),
        )
        .init(
            "clientId",
            value::nullable(client_id, |id| value::text(&id)),
        )
        .init("connack", connack.unwrap_or_else(value::null))
        .init(
            "address",
            value::nullable(status.address, |address| value::text(&address)),
        )
        .init("connections", value::count(status.connections))
        .init(
            "generation",
            value::count(mqtt_client::background::generation()),
        )
        .init("queuedMessages", value::count(status.queued_messages))
        .init("queuedBytes", value::count(status.queued_bytes))
        .init("inFlight", value::count(status.in_flight))
        .init("sent", value::count(status.sent))
        .init("acknowledged", value::count(status.acknowledged))
        .init("failed", value::count(status.failed))
        .init("received", value::count(status.received))
        .init("dropped", value::count(status.dropped))
        .init("unhandled", value::count(unhandled))
        .init(
            "lastError",
            value::nullable(error, |error| value::text(&error)),
        )
        .init(
            "oldestUnacknowledged",
            value::nullable(status.oldest_pending, |age| value::float(age.as_secs_f64())),
        );
    Ok(made)
}
