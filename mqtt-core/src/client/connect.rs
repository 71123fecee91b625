//! CONNECT as the options say it, and the CONNACK that answers it.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use bytes::Buf;

use super::{
    event::{ConnackInfo, DisconnectCause, ProtocolError},
    lifecycle::Connecting,
    options::{ConnectError, ConnectOptions, Limits},
};
use crate::{
    encoder::Encoder,
    error::EncodeError,
    flow::{Negotiated, Session, kept},
    message::WillMessage,
    packet::{Connack, Connect, Packet, Will},
    types::{MaximumPacketSize, ReasonCode, ReceiveMaximum, Role, SessionExpiry, Utf8},
    version::ProtocolVersion,
    wire::{Output, Properties, Property, PropertyId},
};

/// Encodes one packet into bytes of its own.
pub(super) fn encode(encoder: &Encoder, packet: &Packet<'_>) -> Result<Box<[u8]>, EncodeError> {
    let mut output = Output::new();
    encoder.encode(packet, &mut output)?;
    Ok(into_bytes(output))
}

/// What an output of small packets holds.
pub(super) fn into_bytes(mut output: Output) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(output.len());
    while output.has_remaining() {
        let chunk = output.chunk();
        let len = chunk.len();
        bytes.extend_from_slice(chunk);
        output.advance(len);
    }
    bytes.into_boxed_slice()
}

/// The CONNECT for these options, and what is to be remembered of it.
pub(super) fn connecting(
    options: &ConnectOptions,
    limits: &Limits,
    session: &Session,
) -> Result<Connecting, ConnectError> {
    let version = options.version;
    if !version.is_v5() {
        check_3x(options)?;
    }
    // What the server assigned is our name from then on: with it the session is found again [v5 MQTT-3.1.3-7].
    let assigned = version.is_v5() && options.client_id.is_empty();
    let client_id = if assigned {
        session.client_id()
    } else {
        &options.client_id
    };
    let is_empty_allowed = match version {
        ProtocolVersion::V3_1 => false,
        ProtocolVersion::V3_1_1 => options.clean_start,
        ProtocolVersion::V5 => true,
    };
    if client_id.is_empty() && !is_empty_allowed {
        return Err(ConnectError::ClientIdentifierEmpty);
    }
    let properties = if version.is_v5() {
        connect_properties(options, limits)?
    } else {
        Vec::new()
    };
    let will_properties = options
        .will
        .as_ref()
        .map(|will| will_properties(will, version));
    let connect = Connect {
        version,
        clean_start: options.clean_start,
        keep_alive: options.keep_alive,
        client_id: text("client_id", client_id)?,
        will: options.will.as_ref().map(|will| Will {
            topic: will.message.topic(),
            payload: will.message.payload(),
            qos: will.message.qos(),
            retain: will.message.retain(),
            properties: Properties::new(will_properties.as_deref().unwrap_or_default()),
        }),
        username: options
            .username
            .as_deref()
            .map(|name| text("username", name))
            .transpose()?,
        password: options.password.as_deref(),
        properties: Properties::new(&properties),
    };
    let encoder = Encoder {
        version,
        sender: Role::Client,
        maximum_packet_size: None,
    };
    let packet = encode(&encoder, &Packet::Connect(connect))?;
    Ok(Connecting {
        packet: Some(packet),
        client_id: client_id.to_owned(),
        clean_start: options.clean_start,
        offered: offered(options, limits),
    })
}

/// What CONNECT asks for and offers, with the values that hold where CONNACK says nothing.
fn offered(options: &ConnectOptions, limits: &Limits) -> Negotiated {
    let version = options.version;
    let session_expiry = match (version, options.clean_start) {
        (ProtocolVersion::V5, _) => options.session_expiry,
        (_, true) => SessionExpiry::AT_CLOSE,
        (_, false) => SessionExpiry::NEVER,
    };
    let mut offered = Negotiated::new(version);
    offered.keep_alive = options.keep_alive;
    offered.session_expiry = session_expiry;
    offered.own_maximum_packet_size = Some(limits.maximum_packet_size);
    if version.is_v5() {
        offered.own_receive_maximum = limits.receive_maximum;
        offered.own_topic_alias_maximum = limits.topic_alias_maximum;
        offered.request_problem_information = options.request_problem_information;
    }
    offered
}

fn check_3x(options: &ConnectOptions) -> Result<(), ConnectError> {
    let needs_5 = [
        (
            "session_expiry",
            options.session_expiry != SessionExpiry::AT_CLOSE,
        ),
        ("user_properties", !options.user_properties.is_empty()),
        (
            "request_response_information",
            options.request_response_information,
        ),
        (
            "will delay",
            options.will.as_ref().is_some_and(|will| will.delay > 0),
        ),
        (
            "will properties",
            options
                .will
                .as_ref()
                .is_some_and(|will| !will.message.properties().is_empty()),
        ),
    ];
    match needs_5.into_iter().find(|(_, used)| *used) {
        Some((option, _)) => Err(ConnectError::NotInThisVersion { option }),
        None => Ok(()),
    }
}

fn text<'a>(option: &'static str, text: &'a str) -> Result<Utf8<'a>, ConnectError> {
    Utf8::new(text).map_err(|source| ConnectError::Text { option, source })
}

/// Only what differs from the value that an absent property has is written.
fn connect_properties<'a>(
    options: &'a ConnectOptions,
    limits: &Limits,
) -> Result<Vec<Property<'a>>, ConnectError> {
    let mut properties = Vec::new();
    if options.session_expiry != SessionExpiry::AT_CLOSE {
        properties.push(Property::SessionExpiryInterval(options.session_expiry));
    }
    if limits.receive_maximum != ReceiveMaximum::default() {
        properties.push(Property::ReceiveMaximum(limits.receive_maximum));
    }
    if limits.maximum_packet_size < MaximumPacketSize::LARGEST_POSSIBLE {
        properties.push(Property::MaximumPacketSize(limits.maximum_packet_size));
    }
    if limits.topic_alias_maximum > 0 {
        properties.push(Property::TopicAliasMaximum(limits.topic_alias_maximum));
    }
    if options.request_response_information {
        properties.push(Property::RequestResponseInformation(true));
    }
    if !options.request_problem_information {
        properties.push(Property::RequestProblemInformation(false));
    }
    for (name, value) in &options.user_properties {
        properties.push(Property::UserProperty(
            text("user_properties", name)?,
            text("user_properties", value)?,
        ));
    }
    Ok(properties)
}

fn will_properties(will: &WillMessage, version: ProtocolVersion) -> Vec<Property<'_>> {
    let mut properties: Vec<_> = will.message.properties().iter().collect();
    if will.delay > 0 && version.is_v5() {
        properties.push(Property::WillDelayInterval(will.delay));
    }
    properties
}

/// What a CONNACK means: the limits in force, or why the connection ends.
pub(super) fn accepted(
    connecting: &Connecting,
    connack: &Connack<'_>,
    session: &Session,
) -> Result<ConnackInfo, DisconnectCause> {
    let properties = connack.properties;
    if connack.reason != ReasonCode::SUCCESS {
        return Err(DisconnectCause::Refused {
            reason: connack.reason,
            properties: kept(properties),
        });
    }
    let version = connecting.offered.version;
    if connack.session_present {
        // In 3.1.1 a client without state may go on; what it then has is an empty session.
        let unknown = version.is_v5() && !session.is_established();
        if connecting.clean_start || unknown {
            return Err(ProtocolError::SessionPresent.into());
        }
    }
    if properties.contains(PropertyId::AuthenticationMethod) {
        return Err(ProtocolError::AuthenticationMethod.into());
    }
    let assigned = properties.assigned_client_identifier().map(Utf8::as_str);
    // One without characters is a string as the standard wants it, but assigns nothing.
    let client_id: String = match assigned.filter(|assigned| !assigned.is_empty()) {
        Some(assigned) => assigned.into(),
        None if connecting.client_id.is_empty() && version.is_v5() => {
            return Err(ProtocolError::NoAssignedClientIdentifier.into());
        }
        None => connecting.client_id.clone(),
    };
    let negotiated = agreed(connecting.offered, &properties);
    Ok(ConnackInfo {
        session_present: connack.session_present,
        client_id,
        negotiated,
        properties: kept(properties),
    })
}

/// Whether an accepted connection goes on with the session.
///
/// 3.1 has no Session Present: there the session is taken to be the server's too, whose answers to identifiers it does not
/// know bring both together again.
pub(super) fn resumes(connecting: &Connecting, info: &ConnackInfo, session: &Session) -> bool {
    let is_present = match connecting.offered.version {
        ProtocolVersion::V3_1 => !connecting.clean_start,
        ProtocolVersion::V3_1_1 | ProtocolVersion::V5 => info.session_present,
    };
    is_present && session.is_established()
}

/// What was offered, as the CONNACK completes it (v5 3.2.2.3).
fn agreed(offered: Negotiated, connack: &Properties<'_>) -> Negotiated {
    let mut agreed = offered;
    for property in connack.iter() {
        match property {
            Property::SessionExpiryInterval(expiry) => agreed.session_expiry = expiry,
            Property::ReceiveMaximum(maximum) => agreed.peer_receive_maximum = maximum,
            Property::MaximumQoS(maximum) => agreed.maximum_qos = maximum,
            Property::RetainAvailable(available) => agreed.retain_available = available,
            Property::MaximumPacketSize(maximum) => agreed.peer_maximum_packet_size = Some(maximum),
            Property::TopicAliasMaximum(maximum) => agreed.peer_topic_alias_maximum = maximum,
            Property::WildcardSubscriptionAvailable(available) => {
                agreed.wildcard_subscription_available = available
            }
            Property::SubscriptionIdentifierAvailable(available) => {
                agreed.subscription_identifiers_available = available;
            }
            Property::SharedSubscriptionAvailable(available) => {
                agreed.shared_subscription_available = available
            }
            // It wins over the client's own, also when it is longer or 0 [v5 MQTT-3.2.2-21].
            Property::ServerKeepAlive(keep_alive) => agreed.keep_alive = keep_alive,
            _ => {}
        }
    }
    agreed
}

/// Refuses Reason Strings and User Properties where the client asked for none [v5 MQTT-3.1.2-29].
pub(super) fn check_problem_information(
    negotiated: &Negotiated,
    packet: &Packet<'_>,
) -> Result<(), ProtocolError> {
    if negotiated.request_problem_information {
        return Ok(());
    }
    let properties = match packet {
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack.properties
        }
        Packet::Suback(suback) => suback.properties,
        Packet::Unsuback(unsuback) => unsuback.properties,
        _ => return Ok(()),
    };
    if properties.contains(PropertyId::ReasonString)
        || properties.contains(PropertyId::UserProperty)
    {
        return Err(ProtocolError::ProblemInformation(packet.packet_type()));
    }
    Ok(())
}
