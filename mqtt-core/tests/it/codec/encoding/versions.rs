//! What one version has and another has not.

use mqtt_core::{
    Auth, Connack, Connect, Disconnect, EncodeError, Packet, PacketId, PacketType, Properties,
    Property, PropertyHolder, Publish, PublishAck, QoS, ReasonCode, ReasonCodes, Role, Suback,
    Subscribe, SubscribeFilters, SubscribeOptions, TopicFilter, TopicName, Unsuback, Utf8, Will,
};

use super::{V3_1, V3_1_1, V5, connect, fails, publish};
use crate::codec::encode;

#[test]
fn packets_that_this_end_must_not_send() {
    let wrong = |packet_type, sender, version| EncodeError::WrongSender {
        packet_type,
        sender,
        version,
    };
    fails(
        V5,
        Role::Client,
        Packet::Pingresp,
        wrong(PacketType::Pingresp, Role::Client, V5),
    );
    fails(
        V5,
        Role::Server,
        Packet::Pingreq,
        wrong(PacketType::Pingreq, Role::Server, V5),
    );
    fails(
        V5,
        Role::Server,
        Packet::Connect(connect(V5)),
        wrong(PacketType::Connect, Role::Server, V5),
    );
    let normal = Packet::Disconnect(Disconnect::NORMAL);
    fails(
        V3_1_1,
        Role::Server,
        normal,
        wrong(PacketType::Disconnect, Role::Server, V3_1_1),
    );
    assert!(encode(V5, Role::Server, &normal).is_ok());
    let properties = [Property::AuthenticationMethod(Utf8::EMPTY)];
    let auth = Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: Properties::new(&properties),
    });
    fails(
        V3_1_1,
        Role::Client,
        auth,
        wrong(PacketType::Auth, Role::Client, V3_1_1),
    );
}

#[test]
fn what_only_5_0_has_is_refused_in_3_x() {
    let properties = [Property::MessageExpiryInterval(1)];
    let packet = Packet::Publish(Publish {
        properties: Properties::new(&properties),
        ..publish()
    });
    let holder = PropertyHolder::Packet(PacketType::Publish);
    fails(
        V3_1_1,
        Role::Client,
        packet,
        EncodeError::PropertiesNotInVersion {
            holder,
            version: V3_1_1,
        },
    );
    fails(
        V3_1_1,
        Role::Client,
        Packet::Publish(Publish {
            topic: None,
            ..publish()
        }),
        EncodeError::TopicMissing,
    );

    let will = Will {
        topic: TopicName::new("t").unwrap(),
        payload: b"",
        qos: QoS::AtMostOnce,
        retain: false,
        properties: Properties::new(&properties),
    };
    let packet = Packet::Connect(Connect {
        will: Some(will),
        ..connect(V3_1)
    });
    let error = EncodeError::PropertiesNotInVersion {
        holder: PropertyHolder::Will,
        version: V3_1,
    };
    fails(V3_1, Role::Client, packet, error);

    let options = SubscribeOptions {
        no_local: true,
        ..SubscribeOptions::default()
    };
    let filters = [(TopicFilter::new("a").unwrap(), options)];
    let packet = Packet::Subscribe(Subscribe {
        packet_id: PacketId::MIN,
        filters: SubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    });
    fails(
        V3_1_1,
        Role::Client,
        packet,
        EncodeError::SubscribeOptionsNotInVersion { version: V3_1_1 },
    );

    let reason = ReasonCode::NOT_AUTHORIZED;
    let not_allowed = |packet_type| EncodeError::ReasonCodeNotAllowed {
        packet_type,
        reason,
        version: V3_1_1,
    };
    let ack = PublishAck {
        reason,
        ..PublishAck::success(PacketId::MIN)
    };
    fails(
        V3_1_1,
        Role::Client,
        Packet::Puback(ack),
        not_allowed(PacketType::Puback),
    );
    let disconnect = Disconnect {
        reason,
        properties: Properties::EMPTY,
    };
    fails(
        V3_1_1,
        Role::Client,
        Packet::Disconnect(disconnect),
        not_allowed(PacketType::Disconnect),
    );
    let reasons = [reason];
    let (packet_id, reasons, properties) =
        (PacketId::MIN, ReasonCodes::new(&reasons), Properties::EMPTY);
    let suback = Packet::Suback(Suback {
        packet_id,
        reasons,
        properties,
    });
    fails(
        V3_1_1,
        Role::Server,
        suback,
        not_allowed(PacketType::Suback),
    );
    let unsuback = Packet::Unsuback(Unsuback {
        packet_id,
        reasons,
        properties,
    });
    fails(
        V3_1_1,
        Role::Server,
        unsuback,
        not_allowed(PacketType::Unsuback),
    );
    let connack = Packet::Connack(Connack {
        session_present: false,
        reason: ReasonCode::BANNED,
        properties,
    });
    let error = EncodeError::ReasonCodeNotAllowed {
        packet_type: PacketType::Connack,
        reason: ReasonCode::BANNED,
        version: V3_1_1,
    };
    fails(V3_1_1, Role::Server, connack, error);
}

#[test]
fn v31_what_suback_and_connack_cannot_say() {
    let reasons = [ReasonCode::UNSPECIFIED_ERROR];
    let suback = Suback {
        packet_id: PacketId::MIN,
        reasons: ReasonCodes::new(&reasons),
        properties: Properties::EMPTY,
    };
    let error = EncodeError::ReasonCodeNotAllowed {
        packet_type: PacketType::Suback,
        reason: ReasonCode::UNSPECIFIED_ERROR,
        version: V3_1,
    };
    fails(V3_1, Role::Server, Packet::Suback(suback), error);
    let connack = Connack {
        session_present: true,
        reason: ReasonCode::SUCCESS,
        properties: Properties::EMPTY,
    };
    fails(
        V3_1,
        Role::Server,
        Packet::Connack(connack),
        EncodeError::SessionPresent,
    );
}
