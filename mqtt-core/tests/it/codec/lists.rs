//! Properties, filters and codes as lists: order, views, copies.

use std::hash::{BuildHasher, RandomState};

use mqtt_core::{
    DecodeError, Packet, PayloadFormat, Properties, PropertiesBuf, Property, PropertyId,
    ProtocolVersion, Publish, QoS, ReasonCode, ReasonCodes, Role, SubscribeFilters,
    SubscribeOptions, SubscriptionId, TopicAlias, TopicFilter, UnsubscribeFilters, Utf8,
};

use super::{bytes, decode, encode, refuses};

const V5: ProtocolVersion = ProtocolVersion::V5;

fn user<'a>(name: &'a str, value: &'a str) -> Property<'a> {
    Property::UserProperty(Utf8::new(name).unwrap(), Utf8::new(value).unwrap())
}

#[track_caller]
fn publish(packet: &[u8]) -> Publish<'_> {
    match decode(V5, Role::Server, packet) {
        Ok(Packet::Publish(publish)) => publish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn v5_mqtt_3_3_2_18_order_of_user_properties() {
    // ("b","1") ("a","2") ("b","3") with a Message Expiry Interval in between.
    let packet = bytes(
        "30 1E 00 01 61 1A 26 00 01 62 00 01 31 26 00 01 61 00 01 32 02 00 00 00 05 26 00 01 62 00 01 33",
    );
    let publish = publish(&packet);
    let pairs: Vec<_> = publish
        .properties
        .user_properties()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(pairs, [("b", "1"), ("a", "2"), ("b", "3")]);
    assert_eq!(
        encode(V5, Role::Server, &Packet::Publish(publish)),
        Ok(packet.clone()),
        "bytes are kept"
    );
}

#[test]
fn v5_mqtt_3_1_3_10_order_of_will_user_properties() {
    // Client Identifier "a"; Will: ("b","1") ("b","0"), topic "t", payload "m".
    let packet = bytes(
        "10 23 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 0E 26 00 01 62 00 01 31 26 00 01 62 00 01 30 00 01 74 00 01 6D",
    );
    let Ok(Packet::Connect(connect)) = decode(V5, Role::Client, &packet) else {
        panic!("not a CONNECT")
    };
    let properties = [user("b", "1"), user("b", "0")];
    assert_eq!(
        connect.will.unwrap().properties,
        Properties::new(&properties)
    );
    assert_eq!(
        encode(V5, Role::Client, &Packet::Connect(connect)),
        Ok(packet.clone())
    );
}

#[test]
fn v5_mqtt_3_3_4_4_every_subscription_identifier_is_seen() {
    let packet = bytes("30 08 00 01 61 04 0B 01 0B 02");
    let ids: Vec<_> = publish(&packet)
        .properties
        .subscription_identifiers()
        .map(SubscriptionId::get)
        .collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn accessors_find_their_property_and_nothing_else() {
    let packet = bytes("30 12 00 00 0F 01 01 23 00 07 09 00 02 FF 00 02 00 00 00 0A");
    let properties = publish(&packet).properties;
    assert_eq!(properties.payload_format(), Some(PayloadFormat::Utf8));
    assert_eq!(properties.topic_alias(), TopicAlias::new(7));
    assert_eq!(properties.correlation_data(), Some(&[0xFF, 0x00][..]));
    assert_eq!(properties.message_expiry_interval(), Some(10));
    assert_eq!(properties.content_type(), None);
    assert_eq!(properties.response_topic(), None);
    assert_eq!((properties.len(), properties.wire_len()), (4, 15));
    assert!(
        properties.contains(PropertyId::TopicAlias)
            && !properties.contains(PropertyId::UserProperty)
    );
}

#[test]
fn a_list_without_some_of_its_properties() {
    let items = [
        user("a", "1"),
        Property::MessageExpiryInterval(5),
        user("b", "2"),
        Property::MessageExpiryInterval(6),
    ];
    let list = Properties::new(&items);
    let rest = [items[0], items[2]];
    assert_eq!(
        list.without(PropertyId::MessageExpiryInterval),
        Properties::new(&rest)
    );
    assert_eq!(list.without(PropertyId::TopicAlias), list);
    let twice = list.without(PropertyId::UserProperty);
    assert_eq!(twice.len(), 2);
    assert!(
        PropertiesBuf::try_from(twice).is_err(),
        "a repeated property is still repeated"
    );
    let none = twice.without(PropertyId::MessageExpiryInterval);
    assert!(none.is_empty() && none == Properties::EMPTY);
}

/// Of received bytes and of what is appended to them, what is left is in its order, however often something is taken out.
#[test]
fn a_received_list_without_some_of_its_properties() {
    // ("b","1"), Message Expiry Interval 5, Content Type "c", ("a","2").
    let packet = bytes(
        "30 1B 00 01 61 17 26 00 01 62 00 01 31 02 00 00 00 05 03 00 01 63 26 00 01 61 00 01 32",
    );
    let received = publish(&packet).properties;
    let seconds = Property::MessageExpiryInterval(5);
    let content_type = Property::ContentType(Utf8::new("c").unwrap());
    let without = received.without(PropertyId::ContentType);
    assert_eq!(
        without,
        Properties::new(&[user("b", "1"), seconds, user("a", "2")])
    );
    assert_eq!((without.len(), without.wire_len()), (3, 19));
    assert_eq!(without.find(PropertyId::ContentType), None);
    assert!(!without.contains(PropertyId::ContentType));
    assert_eq!(
        without.find(PropertyId::MessageExpiryInterval),
        Some(seconds)
    );
    let users = without.without(PropertyId::MessageExpiryInterval);
    assert_eq!(users, Properties::new(&[user("b", "1"), user("a", "2")]));
    let mut ended = users.iter();
    assert_eq!(ended.by_ref().count(), 2);
    assert_eq!((ended.next(), ended.next()), (None, None));
    let none = users.without(PropertyId::UserProperty);
    assert!(none.is_empty() && none.iter().next().is_none());

    assert_eq!(
        received.without(PropertyId::UserProperty),
        Properties::new(&[seconds, content_type])
    );
}

/// Its number shows that it was read from where it begins.
#[test]
fn v5_u_5_2_an_unknown_property_behind_others_is_named() {
    let packet = bytes("30 0A 00 01 61 05 01 00 80 01 00 78");
    assert_eq!(
        decode(V5, Role::Server, &packet),
        Err(DecodeError::UnknownProperty { id: 128 })
    );
}

#[test]
fn v5_u_5_2_every_number_that_is_no_property() {
    const PROPERTIES: [u8; 27] = [
        0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A,
        0x1C, 0x1F, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A,
    ];
    for number in (0..0x80).filter(|number| !PROPERTIES.contains(number)) {
        // Behind a Payload Format Indicator.
        let packet = format!("30 09 00 01 61 04 01 00 {number:02X} 00 78");
        refuses(V5, Role::Client, &[&packet], Some(0x81), "v5 2.2.2.2");
    }
}

#[test]
fn kept_properties_are_the_same_list() {
    let packet = bytes("30 14 00 01 61 10 26 00 01 62 00 01 31 02 00 00 00 05 03 00 01 63");
    let packet_properties = publish(&packet).properties;
    let kept = PropertiesBuf::try_from(packet_properties).unwrap();
    assert_eq!(kept.as_properties(), packet_properties);
    assert_eq!(kept, PropertiesBuf::collect(packet_properties).unwrap());
    assert_eq!(kept.held_bytes(), 16);
    assert!(kept.as_properties().contains(PropertyId::UserProperty));
    let without =
        PropertiesBuf::try_from(packet_properties.without(PropertyId::UserProperty)).unwrap();
    assert_eq!(without.held_bytes(), 9);
    assert!(!without.as_properties().contains(PropertyId::UserProperty));
    assert!(PropertiesBuf::default().is_empty());
}

#[test]
fn kept_properties_are_told_apart_and_shown_by_what_is_in_them() {
    let properties = [
        user("a", "1"),
        Property::TopicAlias(TopicAlias::new(3).unwrap()),
    ];
    let kept = PropertiesBuf::collect(properties).unwrap();
    let other = PropertiesBuf::collect([user("a", "2")]).unwrap();
    assert!(!kept.is_empty());
    assert_ne!(kept, other);
    assert_eq!(
        format!("{kept:?}"),
        r#"[UserProperty("a", "1"), TopicAlias(TopicAlias(3))]"#
    );
}

#[test]
fn equal_lists_have_equal_hashes_and_others_have_others() {
    let packet = bytes("30 14 00 01 61 10 26 00 01 62 00 01 31 02 00 00 00 05 03 00 01 63");
    let received = publish(&packet).properties;
    let items: Vec<_> = received.iter().collect();
    let (made, shorter) = (Properties::new(&items), Properties::new(&items[1..]));
    let hasher = RandomState::new();
    assert_eq!(hasher.hash_one(received), hasher.hash_one(made));
    assert_ne!(hasher.hash_one(received), hasher.hash_one(shorter));

    let kept = |list: Properties<'_>| PropertiesBuf::try_from(list).unwrap();
    assert_eq!(hasher.hash_one(kept(received)), hasher.hash_one(kept(made)));
    assert_ne!(
        hasher.hash_one(kept(received)),
        hasher.hash_one(kept(shorter))
    );
}

#[test]
fn kept_properties_with_more_behind_them() {
    let kept = PropertiesBuf::collect([user("a", "1")]).unwrap();
    let more = [Property::TopicAlias(TopicAlias::new(3).unwrap())];
    let list = kept.followed_by(&more);
    let expected = [user("a", "1"), more[0]];
    assert_eq!(list, Properties::new(&expected));
    // Topic Name "a" and both properties.
    let empty = bytes("30 04 00 01 61 00");
    let packet = Publish {
        properties: list,
        ..publish(&empty)
    };
    let hex = "30 0E 00 01 61 0A 26 00 01 61 00 01 31 23 00 03";
    assert_eq!(
        encode(V5, Role::Client, &Packet::Publish(packet)),
        Ok(bytes(hex))
    );
}

#[test]
fn what_cannot_be_written_cannot_be_kept() {
    let long = vec![0; 65_536];
    assert!(PropertiesBuf::collect([Property::CorrelationData(&long)]).is_err());
    assert!(PropertiesBuf::collect([Property::MaximumQoS(QoS::ExactlyOnce)]).is_err());
    assert!(PropertiesBuf::collect([Property::MessageExpiryInterval(1); 2]).is_err());
    assert!(PropertiesBuf::collect([user("a", "1"); 2]).is_ok());
}

#[test]
fn filters_and_codes_of_received_packets() {
    let packet = bytes("82 0F 00 01 00 00 01 61 01 00 05 24 53 59 53 2F 2C");
    let Ok(Packet::Subscribe(subscribe)) = decode(V5, Role::Client, &packet) else {
        panic!("not a SUBSCRIBE")
    };
    let filters: Vec<_> = subscribe
        .filters
        .iter()
        .map(|(filter, options)| (filter.as_str(), options))
        .collect();
    let second = SubscribeOptions {
        no_local: true,
        retain_as_published: true,
        ..SubscribeOptions::default()
    };
    let second = SubscribeOptions {
        retain_handling: mqtt_core::RetainHandling::DontSend,
        ..second
    };
    assert_eq!(
        filters,
        [
            ("a", SubscribeOptions::with_qos(QoS::AtLeastOnce)),
            ("$SYS/", second)
        ]
    );
    assert_eq!(
        (subscribe.filters.len(), subscribe.filters.iter().len()),
        (2, 2)
    );

    let packet = bytes("A2 09 00 01 00 00 01 61 00 01 2B");
    let Ok(Packet::Unsubscribe(unsubscribe)) = decode(V5, Role::Client, &packet) else {
        panic!("not an UNSUBSCRIBE")
    };
    assert!(
        unsubscribe
            .filters
            .iter()
            .map(TopicFilter::as_str)
            .eq(["a", "+"])
    );

    let packet = bytes("90 05 00 01 00 02 87");
    let Ok(Packet::Suback(suback)) = decode(V5, Role::Server, &packet) else {
        panic!("not a SUBACK")
    };
    assert!(
        suback
            .reasons
            .iter()
            .eq([ReasonCode::GRANTED_QOS_2, ReasonCode::NOT_AUTHORIZED])
    );
}

#[test]
fn a_filter_without_options_ends_too_early() {
    for (version, hex) in [
        (ProtocolVersion::V3_1_1, "82 05 00 01 00 01 61"),
        (V5, "82 06 00 01 00 00 01 61"),
        (V5, "82 0A 00 01 00 00 01 61 00 00 01 62"),
    ] {
        assert_eq!(
            decode(version, Role::Client, &bytes(hex)),
            Err(DecodeError::FieldPastEnd)
        );
    }
}

/// Asserts that the list of two that `items` goes through says at each step how many are left.
#[track_caller]
fn counts_down_from_two(mut items: impl ExactSizeIterator) {
    for left in [2, 1] {
        assert_eq!((items.len(), items.size_hint()), (left, (left, Some(left))));
        assert!(items.next().is_some());
    }
    assert_eq!((items.len(), items.size_hint()), (0, (0, Some(0))));
    assert!(items.next().is_none());
}

#[test]
fn lists_say_how_many_are_left() {
    let (a, b) = (
        TopicFilter::new("a").unwrap(),
        TopicFilter::new("b").unwrap(),
    );
    let options = SubscribeOptions::default();
    let (with_options, bare) = ([(a, options), (b, options)], [a, b]);
    let reasons = [ReasonCode::GRANTED_QOS_2, ReasonCode::NOT_AUTHORIZED];
    let made = (
        SubscribeFilters::new(&with_options),
        UnsubscribeFilters::new(&bare),
        ReasonCodes::new(&reasons),
    );
    let packets = [
        "82 0B 00 01 00 00 01 61 00 00 01 62 00",
        "A2 09 00 01 00 00 01 61 00 01 62",
        "90 05 00 01 00 02 87",
    ]
    .map(bytes);
    let Ok(Packet::Subscribe(subscribe)) = decode(V5, Role::Client, &packets[0]) else {
        panic!("not a SUBSCRIBE")
    };
    let Ok(Packet::Unsubscribe(unsubscribe)) = decode(V5, Role::Client, &packets[1]) else {
        panic!("not an UNSUBSCRIBE")
    };
    let Ok(Packet::Suback(suback)) = decode(V5, Role::Server, &packets[2]) else {
        panic!("not a SUBACK")
    };
    let received = (subscribe.filters, unsubscribe.filters, suback.reasons);
    for (filters, bare, reasons) in [made, received] {
        assert_eq!((filters.len(), bare.len(), reasons.len()), (2, 2, 2));
        assert!(!filters.is_empty() && !bare.is_empty() && !reasons.is_empty());
        counts_down_from_two(filters.iter());
        counts_down_from_two(bare.iter());
        counts_down_from_two(reasons.iter());
    }
    assert_eq!(made, received);
    assert_eq!(format!("{:?}", made.1), r#"["a", "b"]"#);
}

#[test]
fn debug_shows_no_secrets_and_no_payloads() {
    // User name "u", password "secret", Will "will me", Authentication Data "token".
    let packet = bytes(
        "10 32 00 04 4D 51 54 54 05 C6 00 3C 0C 15 00 01 6D 16 00 05 74 6F 6B 65 6E 00 01 61 00 00 01 74 00 07 77 69 6C 6C \
         20 6D 65 00 01 75 00 06 73 65 63 72 65 74",
    );
    let shown = format!("{:?}", decode(V5, Role::Client, &packet).unwrap());
    assert!(
        shown.contains("[6 bytes]") && shown.contains("[7 bytes]") && shown.contains("[5 bytes]"),
        "{shown}"
    );
    // As text and as the numbers that Debug shows for bytes: "ec", "il", "ok".
    for hidden in [
        "secret", "will me", "token", "101, 99", "105, 108", "111, 107",
    ] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    let packet = bytes("30 09 00 01 61 00 68 65 6C 6C 6F");
    assert!(format!("{:?}", publish(&packet)).contains("[5 bytes]"));
}
