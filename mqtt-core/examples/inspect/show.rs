//! Packets as JSON.

use mqtt_core::{Packet, Properties, Property, PublishAck, SubscribeOptions, Utf8, Will};
use serde_json::{Value, json};

/// Every field under its name in Rust. Binary data is hexadecimal text, a number with a unit is that number.
pub(crate) fn packet(packet: &Packet<'_>) -> Value {
    let name = packet.packet_type().name().to_lowercase();
    match packet {
        Packet::Connect(connect) => json!({
            "type": name,
            "version": connect.version.level(),
            "clean_start": connect.clean_start,
            "keep_alive": connect.keep_alive.as_secs(),
            "client_id": connect.client_id.as_str(),
            "will": connect.will.as_ref().map(will),
            "username": connect.username.map(Utf8::as_str),
            "password": connect.password.map(hex::encode),
            "properties": properties(&connect.properties),
        }),
        Packet::Connack(connack) => json!({
            "type": name,
            "session_present": connack.session_present,
            "reason": connack.reason.get(),
            "properties": properties(&connack.properties),
        }),
        Packet::Publish(publish) => json!({
            "type": name,
            "dup": publish.dup,
            "retain": publish.retain,
            // The two parts of `delivery`.
            "qos": publish.delivery.qos().as_u8(),
            "packet_id": publish.delivery.packet_id().map(|packet_id| packet_id.get()),
            "topic": publish.topic.map(|topic| topic.as_str()),
            "payload": hex::encode(publish.payload),
            "properties": properties(&publish.properties),
        }),
        Packet::Puback(body)
        | Packet::Pubrec(body)
        | Packet::Pubrel(body)
        | Packet::Pubcomp(body) => ack(&name, body),
        Packet::Subscribe(subscribe) => json!({
            "type": name,
            "packet_id": subscribe.packet_id.get(),
            "filters": subscribe.filters.iter()
                .map(|(filter, options)| subscription(filter.as_str(), options))
                .collect::<Vec<_>>(),
            "properties": properties(&subscribe.properties),
        }),
        Packet::Suback(suback) => json!({
            "type": name,
            "packet_id": suback.packet_id.get(),
            "reasons": suback.reasons.iter().map(|reason| reason.get()).collect::<Vec<_>>(),
            "properties": properties(&suback.properties),
        }),
        Packet::Unsubscribe(unsubscribe) => json!({
            "type": name,
            "packet_id": unsubscribe.packet_id.get(),
            "filters": unsubscribe.filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>(),
            "properties": properties(&unsubscribe.properties),
        }),
        Packet::Unsuback(unsuback) => json!({
            "type": name,
            "packet_id": unsuback.packet_id.get(),
            "reasons": unsuback.reasons.iter().map(|reason| reason.get()).collect::<Vec<_>>(),
            "properties": properties(&unsuback.properties),
        }),
        Packet::Pingreq | Packet::Pingresp => json!({ "type": name }),
        Packet::Disconnect(disconnect) => json!({
            "type": name,
            "reason": disconnect.reason.get(),
            "properties": properties(&disconnect.properties),
        }),
        Packet::Auth(auth) => json!({
            "type": name,
            "reason": auth.reason.get(),
            "properties": properties(&auth.properties),
        }),
    }
}

fn will(will: &Will<'_>) -> Value {
    json!({
        "topic": will.topic.as_str(),
        "payload": hex::encode(will.payload),
        "qos": will.qos.as_u8(),
        "retain": will.retain,
        "properties": properties(&will.properties),
    })
}

fn ack(name: &str, ack: &PublishAck<'_>) -> Value {
    json!({
        "type": name,
        "packet_id": ack.packet_id.get(),
        "reason": ack.reason.get(),
        "properties": properties(&ack.properties),
    })
}

fn subscription(filter: &str, options: SubscribeOptions) -> Value {
    json!({
        "filter": filter,
        "qos": options.qos.as_u8(),
        "no_local": options.no_local,
        "retain_as_published": options.retain_as_published,
        "retain_handling": options.retain_handling as u8,
    })
}

/// Pairs of name and value, in the order they have in the packet.
fn properties(list: &Properties<'_>) -> Value {
    list.iter()
        .map(|property| self::property(&property))
        .collect()
}

fn property(property: &Property<'_>) -> Value {
    use Property as P;
    match *property {
        P::PayloadFormatIndicator(format) => json!(["payload_format_indicator", format as u8]),
        P::MessageExpiryInterval(seconds) => json!(["message_expiry_interval", seconds]),
        P::ContentType(text) => json!(["content_type", text.as_str()]),
        P::ResponseTopic(topic) => json!(["response_topic", topic.as_str()]),
        P::CorrelationData(data) => json!(["correlation_data", hex::encode(data)]),
        P::SubscriptionIdentifier(id) => json!(["subscription_identifier", id.get()]),
        P::SessionExpiryInterval(expiry) => json!(["session_expiry_interval", expiry.as_secs()]),
        P::AssignedClientIdentifier(text) => json!(["assigned_client_identifier", text.as_str()]),
        P::ServerKeepAlive(keep_alive) => json!(["server_keep_alive", keep_alive.as_secs()]),
        P::AuthenticationMethod(text) => json!(["authentication_method", text.as_str()]),
        P::AuthenticationData(data) => json!(["authentication_data", hex::encode(data)]),
        P::RequestProblemInformation(flag) => json!(["request_problem_information", flag]),
        P::WillDelayInterval(seconds) => json!(["will_delay_interval", seconds]),
        P::RequestResponseInformation(flag) => json!(["request_response_information", flag]),
        P::ResponseInformation(text) => json!(["response_information", text.as_str()]),
        P::ServerReference(text) => json!(["server_reference", text.as_str()]),
        P::ReasonString(text) => json!(["reason_string", text.as_str()]),
        P::ReceiveMaximum(maximum) => json!(["receive_maximum", maximum.get()]),
        P::TopicAliasMaximum(maximum) => json!(["topic_alias_maximum", maximum]),
        P::TopicAlias(alias) => json!(["topic_alias", alias.get()]),
        P::MaximumQoS(qos) => json!(["maximum_qos", qos.as_u8()]),
        P::RetainAvailable(flag) => json!(["retain_available", flag]),
        P::UserProperty(name, value) => json!(["user_property", [name.as_str(), value.as_str()]]),
        P::MaximumPacketSize(size) => json!(["maximum_packet_size", size.get()]),
        P::WildcardSubscriptionAvailable(flag) => json!(["wildcard_subscription_available", flag]),
        P::SubscriptionIdentifierAvailable(flag) => {
            json!(["subscription_identifier_available", flag])
        }
        P::SharedSubscriptionAvailable(flag) => json!(["shared_subscription_available", flag]),
    }
}
