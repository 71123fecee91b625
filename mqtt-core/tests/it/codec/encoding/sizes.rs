//! Packets that are too large, and what is left out so that they fit.

use mqtt_core::{
    Auth, Connack, Disconnect, EncodeError, Encoder, MaximumPacketSize, Packet, PacketId,
    Properties, Property, Publish, PublishAck, ReasonCode, Role, Suback, Unsuback, Utf8,
};

use super::{GRANTED, V5, publish};
use crate::codec::{bytes, encode, encode_by};

fn limited(sender: Role, limit: u32) -> Encoder {
    Encoder {
        maximum_packet_size: MaximumPacketSize::new(limit),
        ..Encoder::new(V5, sender)
    }
}

#[test]
fn v5_mqtt_3_2_2_15_maximum_packet_size() {
    // 2 of fixed header, 3 of Topic Name, 1 of Property Length and 14 of payload.
    let packet = Packet::Publish(Publish {
        payload: b"12345678901234",
        ..publish()
    });
    assert_eq!(
        encode_by(&limited(Role::Client, 20), &packet).map(|bytes| bytes.len()),
        Ok(20)
    );
    let packet = Packet::Publish(Publish {
        payload: b"123456789012345",
        ..publish()
    });
    let error = EncodeError::PacketTooLarge {
        size: 21,
        limit: 20,
    };
    assert_eq!(encode_by(&limited(Role::Client, 20), &packet), Err(error));
}

#[test]
fn largest_possible_packet() {
    // 2 bytes of Topic Name length, 1 of Topic Name and 1 of Property Length leave this much.
    let zeros = vec![0; 268_435_455 - 3];
    let packet = |len| {
        Packet::Publish(Publish {
            payload: &zeros[..len],
            ..publish()
        })
    };
    let encoder = Encoder::new(V5, Role::Client);
    assert_eq!(
        encoder.encoded_len(&packet(zeros.len() - 1)),
        Ok(268_435_460)
    );
    let error = EncodeError::PacketTooLarge {
        size: usize::MAX,
        limit: 268_435_460,
    };
    assert_eq!(encoder.encoded_len(&packet(zeros.len())), Err(error));
}

/// Reason String and User Properties of an answer are left out when they do not fit. The other properties are not.
#[track_caller]
fn shortens(sender: Role, limit: u32, packet: Packet<'_>, expected: &str) {
    let whole = encode(V5, sender, &packet).unwrap();
    let fits = u32::try_from(whole.len()).unwrap();
    let all = encode_by(&limited(sender, fits), &packet);
    assert_eq!(all.as_ref(), Ok(&whole), "nothing is left out that fits");
    let less = encode_by(&limited(sender, fits - 1), &packet).unwrap();
    assert!(less.len() < whole.len());
    assert_eq!(
        encode_by(&limited(sender, limit), &packet),
        Ok(bytes(expected))
    );
}

const LONG: &str = "this Reason String is longer than the peer will take";

fn optional_properties() -> [Property<'static>; 3] {
    let user = Property::UserProperty(Utf8::new("n").unwrap(), Utf8::new("v").unwrap());
    [user, Property::ReasonString(Utf8::new(LONG).unwrap()), user]
}

#[test]
fn v5_mqtt_3_2_2_19_connack_without_reason_string() {
    let mut properties = vec![Property::TopicAliasMaximum(1)];
    properties.extend(optional_properties());
    let packet = Connack {
        session_present: false,
        reason: ReasonCode::SUCCESS,
        properties: Properties::new(&properties),
    };
    shortens(
        Role::Server,
        10,
        Packet::Connack(packet),
        "20 06 00 00 03 22 00 01",
    );
}

#[test]
fn v5_mqtt_3_2_2_20_connack_without_user_properties() {
    let user = Property::UserProperty(Utf8::new(LONG).unwrap(), Utf8::EMPTY);
    let properties = [user, Property::ReasonString(Utf8::new("r").unwrap())];
    let packet = Connack {
        session_present: false,
        reason: ReasonCode::BANNED,
        properties: Properties::new(&properties),
    };
    shortens(
        Role::Server,
        10,
        Packet::Connack(packet),
        "20 07 00 8A 04 1F 00 01 72",
    );
}

/// Writes one test for each answer: what is left when nothing optional fits.
macro_rules! shortened {
    ($($reason_string:ident $user_property:ident: $sender:ident $packet:expr => $short:literal, $with_reason:literal;)*) => {
        $(
            #[test]
            fn $reason_string() {
                let properties = optional_properties();
                let packet: Packet<'_> = $packet(Properties::new(&properties));
                shortens(Role::$sender, 20, packet, $short);
            }

            #[test]
            fn $user_property() {
                let user = Property::UserProperty(Utf8::new(LONG).unwrap(), Utf8::EMPTY);
                let properties = [user, Property::ReasonString(Utf8::new("r").unwrap())];
                let packet: Packet<'_> = $packet(Properties::new(&properties));
                shortens(Role::$sender, 20, packet, $with_reason);
            }
        )*
    };
}

fn ack(properties: Properties<'_>) -> PublishAck<'_> {
    PublishAck {
        properties,
        ..PublishAck::success(PacketId::MIN)
    }
}

shortened! {
    v5_mqtt_3_4_2_2_puback_without_reason_string v5_mqtt_3_4_2_3_puback_without_user_property:
        Client |properties| Packet::Puback(ack(properties)) => "40 02 00 01", "40 08 00 01 00 04 1F 00 01 72";
    v5_mqtt_3_5_2_2_pubrec_without_reason_string v5_mqtt_3_5_2_3_pubrec_without_user_property:
        Client |properties| Packet::Pubrec(ack(properties)) => "50 02 00 01", "50 08 00 01 00 04 1F 00 01 72";
    v5_mqtt_3_6_2_2_pubrel_without_reason_string v5_mqtt_3_6_2_3_pubrel_without_user_property:
        Client |properties| Packet::Pubrel(ack(properties)) => "62 02 00 01", "62 08 00 01 00 04 1F 00 01 72";
    v5_mqtt_3_7_2_2_pubcomp_without_reason_string v5_mqtt_3_7_2_3_pubcomp_without_user_property:
        Client |properties| Packet::Pubcomp(ack(properties)) => "70 02 00 01", "70 08 00 01 00 04 1F 00 01 72";
    v5_mqtt_3_9_2_1_suback_without_reason_string v5_mqtt_3_9_2_2_suback_without_user_property:
        Server |properties| Packet::Suback(Suback { packet_id: PacketId::MIN, reasons: GRANTED, properties })
        => "90 04 00 01 00 00", "90 08 00 01 04 1F 00 01 72 00";
    v5_mqtt_3_11_2_1_unsuback_without_reason_string v5_mqtt_3_11_2_2_unsuback_without_user_property:
        Server |properties| Packet::Unsuback(Unsuback { packet_id: PacketId::MIN, reasons: GRANTED, properties })
        => "B0 04 00 01 00 00", "B0 08 00 01 04 1F 00 01 72 00";
    v5_mqtt_3_14_2_3_disconnect_without_reason_string v5_mqtt_3_14_2_4_disconnect_without_user_property:
        Server |properties| Packet::Disconnect(Disconnect { reason: ReasonCode::SERVER_BUSY, properties })
        => "E0 01 89", "E0 06 89 04 1F 00 01 72";
}

#[test]
fn v5_mqtt_3_15_2_2_auth_without_reason_string() {
    let mut properties = vec![Property::AuthenticationMethod(Utf8::new("m").unwrap())];
    properties.extend(optional_properties());
    properties.push(Property::AuthenticationData(b"d"));
    let properties = Properties::new(&properties);
    let packet = Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties,
    });
    shortens(
        Role::Client,
        20,
        packet,
        "F0 0A 18 08 15 00 01 6D 16 00 01 64",
    );
}

#[test]
fn v5_mqtt_3_15_2_3_auth_without_user_property() {
    let user = Property::UserProperty(Utf8::new(LONG).unwrap(), Utf8::EMPTY);
    let properties = [Property::AuthenticationMethod(Utf8::EMPTY), user];
    let properties = Properties::new(&properties);
    let packet = Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties,
    });
    shortens(Role::Client, 20, packet, "F0 05 18 03 15 00 00");
}

#[test]
fn answers_that_fit_in_no_way_are_refused() {
    let properties = optional_properties();
    let packet = Packet::Puback(ack(Properties::new(&properties)));
    let error = EncodeError::PacketTooLarge { size: 4, limit: 3 };
    assert_eq!(encode_by(&limited(Role::Client, 3), &packet), Err(error));
}
