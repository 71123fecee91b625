//! Reason Codes, and what goes with them.

use mqtt_core::{
    Auth, Connack, Connect, Disconnect, EncodeError, Packet, PacketId, PacketType, Properties,
    Property, PublishAck, ReasonCode, ReasonCodes, Role, Suback, Unsuback, Utf8,
};

use super::{V3_1_1, V5, connect, fails};
use crate::codec::{bytes, decode, encode};

#[test]
fn v5_mqtt_3_2_2_6_session_present_in_a_refusal() {
    let refusal = |session_present| {
        let properties = Properties::EMPTY;
        Packet::Connack(Connack {
            session_present,
            reason: ReasonCode::NOT_AUTHORIZED,
            properties,
        })
    };
    fails(V5, Role::Server, refusal(true), EncodeError::SessionPresent);
    assert_eq!(
        encode(V5, Role::Server, &refusal(false)),
        Ok(bytes("20 03 00 87 00"))
    );
}

#[test]
fn v311_mqtt_3_2_2_4_session_present_in_a_refusal() {
    let refusal = |session_present| {
        let properties = Properties::EMPTY;
        Packet::Connack(Connack {
            session_present,
            reason: ReasonCode::NOT_AUTHORIZED,
            properties,
        })
    };
    fails(
        V3_1_1,
        Role::Server,
        refusal(true),
        EncodeError::SessionPresent,
    );
    assert_eq!(
        encode(V3_1_1, Role::Server, &refusal(false)),
        Ok(bytes("20 02 00 05"))
    );
}

/// Every code that the table of a packet does not have is refused: [v5 MQTT-3.2.2-8, MQTT-3.4.2-1, MQTT-3.5.2-1,
/// MQTT-3.6.2-1, MQTT-3.7.2-1, MQTT-3.9.3-2, MQTT-3.11.3-2, MQTT-3.14.2-1, MQTT-3.15.2-1].
#[test]
fn v5_codes_outside_the_table_of_a_packet() {
    let properties = [Property::AuthenticationMethod(Utf8::EMPTY)];
    for reason in (0..=255).map(ReasonCode::new) {
        let reasons = [reason];
        let (reasons, none) = (ReasonCodes::new(&reasons), Properties::EMPTY);
        let packet_id = PacketId::MIN;
        let ack = PublishAck {
            reason,
            ..PublishAck::success(packet_id)
        };
        for packet in [
            Packet::Connack(Connack {
                session_present: false,
                reason,
                properties: none,
            }),
            Packet::Puback(ack),
            Packet::Pubrec(ack),
            Packet::Pubrel(ack),
            Packet::Pubcomp(ack),
            Packet::Suback(Suback {
                packet_id,
                reasons,
                properties: none,
            }),
            Packet::Unsuback(Unsuback {
                packet_id,
                reasons,
                properties: none,
            }),
            Packet::Disconnect(Disconnect {
                reason,
                properties: none,
            }),
            Packet::Auth(Auth {
                reason,
                properties: Properties::new(&properties),
            }),
        ] {
            for sender in [Role::Client, Role::Server] {
                let packet_type = packet.packet_type();
                let expected = reason.allowed_in(packet_type, sender)
                    && packet_type.may_be_sent_by(sender, V5);
                assert_eq!(
                    encode(V5, sender, &packet).is_ok(),
                    expected,
                    "{sender} {packet_type} {reason}"
                );
            }
        }
    }
}

/// Where two places of the standard disagree, and where its layout allows what its rules do not (v5 2.4, 3.3.4, 3.15.2.1).
#[test]
fn v5_what_is_taken_but_never_sent() {
    for (sender, hex) in [
        (Role::Client, "E0 01 8C"),
        (Role::Server, "E0 01 8C"),
        (Role::Client, "E0 01 9B"),
        (Role::Server, "F0 00"),
    ] {
        let bytes = bytes(hex);
        let packet = decode(V5, sender, &bytes).unwrap();
        assert!(encode(V5, sender, &packet).is_err(), "{hex}");
    }
}

#[test]
fn v5_mqtt_4_12_0_5_auth_has_a_method() {
    let auth = Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: Properties::EMPTY,
    });
    fails(
        V5,
        Role::Server,
        auth,
        EncodeError::AuthenticationMethodMissing,
    );
    let properties = [Property::AuthenticationData(b"d")];
    let packet = Packet::Connect(Connect {
        properties: Properties::new(&properties),
        ..connect(V5)
    });
    fails(
        V5,
        Role::Client,
        packet,
        EncodeError::AuthenticationMethodMissing,
    );
}

#[test]
fn v5_mqtt_4_12_0_2_server_does_not_begin_an_authentication() {
    let properties = [Property::AuthenticationMethod(Utf8::EMPTY)];
    let auth = |reason| {
        Packet::Auth(Auth {
            reason,
            properties: Properties::new(&properties),
        })
    };
    let error = EncodeError::ReasonCodeNotAllowed {
        packet_type: PacketType::Auth,
        reason: ReasonCode::RE_AUTHENTICATE,
        version: V5,
    };
    fails(V5, Role::Server, auth(ReasonCode::RE_AUTHENTICATE), error);
    assert!(encode(V5, Role::Server, &auth(ReasonCode::CONTINUE_AUTHENTICATION)).is_ok());
}
