//! Packets that break a rule of their version.

use mqtt_core::{
    Connack, Connect, Disconnect, EncodeError, Packet, PacketId, PacketType, Properties, Property,
    PropertyHolder, PropertyId, ProtocolVersion, Publish, QoS, ReasonCode, ReasonCodes, Role,
    SessionExpiry, Suback, Subscribe, SubscribeFilters, SubscribeOptions, SubscriptionId,
    TopicError, TopicFilter, TopicName, Unsuback, Unsubscribe, UnsubscribeFilters, Utf8, Will,
};

use super::{V3_1, V3_1_1, V5, connect, fails, publish};
use crate::codec::{bytes, encode};

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
    assert!(TopicName::new(&(longest + "a")).is_err());
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
fn v5_u_5_2_property_of_another_packet_behind_good_ones() {
    let user = Property::UserProperty(Utf8::EMPTY, Utf8::EMPTY);
    let properties = [
        Property::MessageExpiryInterval(1),
        user,
        user,
        Property::ReasonString(Utf8::EMPTY),
    ];
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
