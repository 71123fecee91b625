//! What the encoder refuses, and what it leaves out so that a packet fits.

use mqtt_core::{
    Auth, Connack, Connect, Delivery, Disconnect, EncodeError, Encoder, KeepAlive,
    MaximumPacketSize, Packet, PacketId, PacketType, Properties, Property, PropertyHolder,
    PropertyId, ProtocolVersion, Publish, PublishAck, QoS, ReasonCode, ReasonCodes, Role,
    SessionExpiry, Suback, Subscribe, SubscribeFilters, SubscribeOptions, SubscriptionId,
    TopicError, TopicFilter, TopicName, Unsuback, Unsubscribe, UnsubscribeFilters, Utf8, Will,
};

use super::{bytes, decode, encode, encode_by};

const V3_1: ProtocolVersion = ProtocolVersion::V3_1;
const V3_1_1: ProtocolVersion = ProtocolVersion::V3_1_1;
const V5: ProtocolVersion = ProtocolVersion::V5;

fn connect(version: ProtocolVersion) -> Connect<'static> {
    Connect {
        version,
        clean_start: true,
        keep_alive: KeepAlive::OFF,
        client_id: Utf8::new("a").unwrap(),
        will: None,
        username: None,
        password: None,
        properties: Properties::EMPTY,
    }
}

fn publish() -> Publish<'static> {
    Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(TopicName::new("a").unwrap()),
        payload: b"x",
        properties: Properties::EMPTY,
    }
}

#[track_caller]
fn fails(version: ProtocolVersion, sender: Role, packet: Packet<'_>, error: EncodeError) {
    assert_eq!(encode(version, sender, &packet), Err(error));
}

#[test]
fn v311_mqtt_3_1_3_7_empty_client_identifier_needs_clean_session() {
    let empty = |version, clean_start| {
        Packet::Connect(Connect {
            client_id: Utf8::EMPTY,
            clean_start,
            ..connect(version)
        })
    };
    fails(
        V3_1_1,
        Role::Client,
        empty(V3_1_1, false),
        EncodeError::EmptyClientId,
    );
    fails(
        V3_1,
        Role::Client,
        empty(V3_1, true),
        EncodeError::EmptyClientId,
    );
    assert!(encode(V3_1_1, Role::Client, &empty(V3_1_1, true)).is_ok());
    assert!(encode(V5, Role::Client, &empty(V5, false)).is_ok());
}

#[test]
fn v311_mqtt_3_1_2_22_password_needs_a_user_name() {
    let packet = |version| {
        Packet::Connect(Connect {
            password: Some(b"p"),
            ..connect(version)
        })
    };
    fails(
        V3_1_1,
        Role::Client,
        packet(V3_1_1),
        EncodeError::PasswordWithoutUserName,
    );
    fails(
        V3_1,
        Role::Client,
        packet(V3_1),
        EncodeError::PasswordWithoutUserName,
    );
    let expected = bytes("10 11 00 04 4D 51 54 54 05 42 00 00 00 00 01 61 00 01 70");
    assert_eq!(encode(V5, Role::Client, &packet(V5)), Ok(expected));
}

#[test]
fn connect_of_another_version() {
    let error = EncodeError::VersionMismatch {
        connect: V3_1_1,
        version: V5,
    };
    fails(V5, Role::Client, Packet::Connect(connect(V3_1_1)), error);
}

#[test]
fn binary_fields_never_wrap_their_length() {
    let longest = vec![0; 65_535];
    let longer = vec![0; 65_536];
    let with_password = |password| {
        Packet::Connect(Connect {
            username: Some(Utf8::EMPTY),
            password: Some(password),
            ..connect(V3_1_1)
        })
    };
    assert!(encode(V3_1_1, Role::Client, &with_password(&longest)).is_ok());
    fails(
        V3_1_1,
        Role::Client,
        with_password(&longer),
        EncodeError::FieldTooLong { len: 65_536 },
    );
    let topic = TopicName::new("t").unwrap();
    let with_will = |payload| {
        let will = Will {
            topic,
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Properties::EMPTY,
        };
        Packet::Connect(Connect {
            will: Some(will),
            ..connect(V5)
        })
    };
    assert!(encode(V5, Role::Client, &with_will(&longest)).is_ok());
    fails(
        V5,
        Role::Client,
        with_will(&longer),
        EncodeError::FieldTooLong { len: 65_536 },
    );
    for (data, result) in [
        (&longest, None),
        (
            &longer,
            Some(EncodeError::PropertyValue {
                property: PropertyId::CorrelationData,
            }),
        ),
    ] {
        let properties = [Property::CorrelationData(data)];
        let packet = Packet::Publish(Publish {
            properties: Properties::new(&properties),
            ..publish()
        });
        assert_eq!(encode(V5, Role::Client, &packet).err(), result);
    }
}

#[test]
fn v5_mqtt_4_7_3_3_longest_topic_name() {
    let longest = "a".repeat(65_535);
    let packet = Publish {
        topic: Some(TopicName::new(&longest).unwrap()),
        ..publish()
    };
    let encoded = encode(V5, Role::Client, &Packet::Publish(packet)).unwrap();
    // Remaining Length is 2 + 65,535 + 1 + 1.
    assert_eq!(encoded[..6], bytes("30 83 80 04 FF FF"));
    assert!(TopicName::new(&(longest + "a")).is_err());
}

#[test]
fn v311_mqtt_4_7_3_3_longest_topic_name() {
    let longest = "a".repeat(65_535);
    let packet = Publish {
        topic: Some(TopicName::new(&longest).unwrap()),
        ..publish()
    };
    let encoded = encode(V3_1_1, Role::Client, &Packet::Publish(packet)).unwrap();
    // Remaining Length is 2 + 65,535 + 1.
    assert_eq!(encoded[..6], bytes("30 82 80 04 FF FF"));
}

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
fn v5_mqtt_3_3_1_2_dup_at_qos_0() {
    let packet = Packet::Publish(Publish {
        dup: true,
        ..publish()
    });
    fails(V5, Role::Client, packet, EncodeError::DupAtQos0);
}

#[test]
fn v311_mqtt_3_3_1_2_dup_at_qos_0() {
    let packet = Packet::Publish(Publish {
        dup: true,
        ..publish()
    });
    fails(V3_1_1, Role::Client, packet, EncodeError::DupAtQos0);
}

#[test]
fn v5_mqtt_3_3_4_6_client_sends_no_subscription_identifier() {
    let properties = [Property::SubscriptionIdentifier(SubscriptionId::MAX)];
    let packet = Packet::Publish(Publish {
        properties: Properties::new(&properties),
        ..publish()
    });
    let error = EncodeError::PropertyFromWrongSender {
        property: PropertyId::SubscriptionIdentifier,
        holder: PropertyHolder::Packet(PacketType::Publish),
        sender: Role::Client,
    };
    fails(V5, Role::Client, packet, error);
    assert!(encode(V5, Role::Server, &packet).is_ok());
}

#[test]
fn v5_mqtt_3_14_2_2_server_sends_no_session_expiry() {
    let properties = [Property::SessionExpiryInterval(SessionExpiry::NEVER)];
    let packet = Disconnect {
        properties: Properties::new(&properties),
        ..Disconnect::NORMAL
    };
    let error = EncodeError::PropertyFromWrongSender {
        property: PropertyId::SessionExpiryInterval,
        holder: PropertyHolder::Packet(PacketType::Disconnect),
        sender: Role::Server,
    };
    fails(V5, Role::Server, Packet::Disconnect(packet), error);
}

#[test]
fn v5_u_5_2_property_of_another_packet() {
    let properties = [Property::ReasonString(Utf8::EMPTY)];
    let packet = Packet::Publish(Publish {
        properties: Properties::new(&properties),
        ..publish()
    });
    let error = EncodeError::PropertyNotAllowed {
        property: PropertyId::ReasonString,
        holder: PropertyHolder::Packet(PacketType::Publish),
    };
    fails(V5, Role::Client, packet, error);
}

#[test]
fn v5_u_5_3_property_twice() {
    let properties = [
        Property::MessageExpiryInterval(1),
        Property::MessageExpiryInterval(1),
    ];
    let packet = Packet::Publish(Publish {
        properties: Properties::new(&properties),
        ..publish()
    });
    let error = EncodeError::PropertyRepeated {
        property: PropertyId::MessageExpiryInterval,
    };
    fails(V5, Role::Client, packet, error);

    let properties = [SubscriptionId::MAX; 2].map(Property::SubscriptionIdentifier);
    let filters = [(TopicFilter::new("a").unwrap(), SubscribeOptions::default())];
    let packet = Packet::Subscribe(Subscribe {
        packet_id: PacketId::MIN,
        filters: SubscribeFilters::new(&filters),
        properties: Properties::new(&properties),
    });
    fails(
        V5,
        Role::Client,
        packet,
        EncodeError::PropertyRepeated {
            property: PropertyId::SubscriptionIdentifier,
        },
    );
}

#[test]
fn v5_maximum_qos_2_is_said_by_leaving_it_out() {
    let properties = [Property::MaximumQoS(QoS::ExactlyOnce)];
    let packet = Packet::Connack(Connack {
        session_present: false,
        reason: ReasonCode::SUCCESS,
        properties: Properties::new(&properties),
    });
    fails(
        V5,
        Role::Server,
        packet,
        EncodeError::PropertyValue {
            property: PropertyId::MaximumQoS,
        },
    );
}

#[test]
fn v5_mqtt_3_8_3_2_no_filters() {
    for version in ProtocolVersion::ALL {
        let (filters, properties) = (SubscribeFilters::EMPTY, Properties::EMPTY);
        let packet = Packet::Subscribe(Subscribe {
            packet_id: PacketId::MIN,
            filters,
            properties,
        });
        fails(
            version,
            Role::Client,
            packet,
            EncodeError::NoTopicFilters {
                packet_type: PacketType::Subscribe,
            },
        );
    }
}

#[test]
fn v5_mqtt_3_10_3_2_no_filters() {
    for version in ProtocolVersion::ALL {
        let (filters, properties) = (UnsubscribeFilters::EMPTY, Properties::EMPTY);
        let packet = Packet::Unsubscribe(Unsubscribe {
            packet_id: PacketId::MIN,
            filters,
            properties,
        });
        fails(
            version,
            Role::Client,
            packet,
            EncodeError::NoTopicFilters {
                packet_type: PacketType::Unsubscribe,
            },
        );
    }
}

#[test]
fn answers_without_codes() {
    let (packet_id, reasons, properties) = (PacketId::MIN, ReasonCodes::EMPTY, Properties::EMPTY);
    for version in ProtocolVersion::ALL {
        let packet = Packet::Suback(Suback {
            packet_id,
            reasons,
            properties,
        });
        fails(
            version,
            Role::Server,
            packet,
            EncodeError::NoReasonCodes {
                packet_type: PacketType::Suback,
            },
        );
    }
    let packet = Packet::Unsuback(Unsuback {
        packet_id,
        reasons,
        properties,
    });
    fails(
        V5,
        Role::Server,
        packet,
        EncodeError::NoReasonCodes {
            packet_type: PacketType::Unsuback,
        },
    );
}

#[test]
fn v5_mqtt_3_8_3_4_no_local_on_a_shared_subscription() {
    let shared = TopicFilter::new("$share/g/a").unwrap();
    let filters = [(
        shared,
        SubscribeOptions {
            no_local: true,
            ..SubscribeOptions::default()
        },
    )];
    let packet = Packet::Subscribe(Subscribe {
        packet_id: PacketId::MIN,
        filters: SubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    });
    fails(V5, Role::Client, packet, EncodeError::NoLocalOnShared);
}

#[test]
fn v5_mqtt_4_8_2_2_shared_subscription_without_filter() {
    let filters = [TopicFilter::new("$share/g").unwrap()];
    let packet = Packet::Unsubscribe(Unsubscribe {
        packet_id: PacketId::MIN,
        filters: UnsubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    });
    fails(
        V5,
        Role::Client,
        packet,
        EncodeError::SharedFilter(TopicError::SharedFilterMissing),
    );
    assert!(
        encode(V3_1_1, Role::Client, &packet).is_ok(),
        "3.x gives it no meaning"
    );
}

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

const GRANTED: ReasonCodes<'static> = ReasonCodes::new(&[ReasonCode::SUCCESS]);

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

/// The first byte of a packet of each type, and who sends it.
fn first_bytes(version: ProtocolVersion) -> Vec<u8> {
    let (packet_id, reasons, properties) = (PacketId::MIN, GRANTED, Properties::EMPTY);
    let filters = [(TopicFilter::new("a").unwrap(), SubscribeOptions::default())];
    let bare = [TopicFilter::new("a").unwrap()];
    let reasons_of_unsuback = if version == V5 {
        reasons
    } else {
        ReasonCodes::EMPTY
    };
    let ack = PublishAck::success(packet_id);
    let full = Publish {
        dup: true,
        retain: true,
        delivery: Delivery::ExactlyOnce(packet_id),
        ..publish()
    };
    [
        (Role::Client, Packet::Connect(connect(version))),
        (
            Role::Server,
            Packet::Connack(Connack {
                session_present: false,
                reason: ReasonCode::SUCCESS,
                properties,
            }),
        ),
        (Role::Client, Packet::Publish(publish())),
        (Role::Client, Packet::Publish(full)),
        (Role::Client, Packet::Puback(ack)),
        (Role::Client, Packet::Pubrec(ack)),
        (Role::Client, Packet::Pubrel(ack)),
        (Role::Client, Packet::Pubcomp(ack)),
        (
            Role::Client,
            Packet::Subscribe(Subscribe {
                packet_id,
                filters: SubscribeFilters::new(&filters),
                properties,
            }),
        ),
        (
            Role::Server,
            Packet::Suback(Suback {
                packet_id,
                reasons,
                properties,
            }),
        ),
        (
            Role::Client,
            Packet::Unsubscribe(Unsubscribe {
                packet_id,
                filters: UnsubscribeFilters::new(&bare),
                properties,
            }),
        ),
        (
            Role::Server,
            Packet::Unsuback(Unsuback {
                packet_id,
                reasons: reasons_of_unsuback,
                properties,
            }),
        ),
        (Role::Client, Packet::Pingreq),
        (Role::Server, Packet::Pingresp),
        (Role::Client, Packet::Disconnect(Disconnect::NORMAL)),
    ]
    .into_iter()
    .map(|(sender, packet)| encode(version, sender, &packet).unwrap()[0])
    .collect()
}

const FIRST_BYTES: &str = "10 20 30 3D 40 50 62 70 82 90 A2 B0 C0 D0 E0";

#[test]
fn v5_mqtt_2_1_3_1_flags_of_every_packet() {
    // AUTH is in the reference bytes.
    assert_eq!(first_bytes(V5), bytes(FIRST_BYTES));
}

#[test]
fn v311_mqtt_2_2_2_1_flags_of_every_packet() {
    assert_eq!(first_bytes(V3_1_1), bytes(FIRST_BYTES));
    assert_eq!(first_bytes(V3_1), bytes(FIRST_BYTES));
}

#[test]
fn v311_mqtt_4_3_1_1_qos_0_without_dup_and_packet_identifier() {
    for (retain, expected) in [(false, "30 04 00 01 61 78"), (true, "31 04 00 01 61 78")] {
        let packet = Packet::Publish(Publish {
            retain,
            ..publish()
        });
        assert_eq!(encode(V3_1_1, Role::Client, &packet), Ok(bytes(expected)));
    }
}

#[test]
fn v5_mqtt_4_3_1_1_qos_0_without_dup_and_packet_identifier() {
    for (retain, expected) in [
        (false, "30 05 00 01 61 00 78"),
        (true, "31 05 00 01 61 00 78"),
    ] {
        let packet = Packet::Publish(Publish {
            retain,
            ..publish()
        });
        assert_eq!(encode(V5, Role::Client, &packet), Ok(bytes(expected)));
    }
}

#[test]
fn v311_mqtt_4_7_1_1_no_wildcards_in_topic_names() {
    for text in ["a/+", "#", "a#b", "+"] {
        assert_eq!(
            TopicName::new(text),
            Err(TopicError::WildcardInName),
            "{text}"
        );
    }
}
