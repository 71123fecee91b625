//! Packets and their bytes, written by hand from the standard, compared both ways.

use mqtt_core::{
    Auth, Connack, Connect, Delivery, Disconnect, KeepAlive, MaximumPacketSize, Packet, PacketId,
    PayloadFormat, Properties, Property, ProtocolVersion, Publish, PublishAck, QoS, ReasonCode,
    ReasonCodes, ReceiveMaximum, RetainHandling, Role, SessionExpiry, Suback, Subscribe,
    SubscribeFilters, SubscribeOptions, SubscriptionId, TopicAlias, TopicFilter, TopicName,
    Unsuback, Unsubscribe, UnsubscribeFilters, Utf8, Will,
};

use super::{bytes, decode, decode_in_pieces, encode};

const ALL: [ProtocolVersion; 3] = ProtocolVersion::ALL;
const V3: [ProtocolVersion; 2] = [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1];
const V5: [ProtocolVersion; 1] = [ProtocolVersion::V5];

#[track_caller]
fn same(versions: &[ProtocolVersion], sender: Role, packet: &Packet<'_>, hex: &str) {
    let expected = bytes(hex);
    for version in versions {
        assert_eq!(
            encode(*version, sender, packet).as_ref(),
            Ok(&expected),
            "{version}"
        );
        assert_eq!(
            decode_in_pieces(*version, sender, &expected),
            Ok((*version, *packet)),
            "{version}"
        );
    }
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn text(text: &str) -> Utf8<'_> {
    Utf8::new(text).unwrap()
}

fn name(text: &str) -> TopicName<'_> {
    TopicName::new(text).unwrap()
}

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).unwrap()
}

fn connect(version: ProtocolVersion) -> Connect<'static> {
    Connect {
        version,
        clean_start: true,
        keep_alive: KeepAlive::from_secs(60),
        client_id: text("a"),
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
        topic: Some(name("a")),
        payload: b"x",
        properties: Properties::EMPTY,
    }
}

#[test]
fn connect_in_every_version() {
    for (version, hex) in [
        (
            ProtocolVersion::V3_1,
            "10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61",
        ),
        (
            ProtocolVersion::V3_1_1,
            "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61",
        ),
        (
            ProtocolVersion::V5,
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
        ),
    ] {
        same(
            &[version],
            Role::Client,
            &Packet::Connect(connect(version)),
            hex,
        );
    }
}

#[test]
fn v311_mqtt_3_1_3_1_order_of_the_connect_payload() {
    let packet = Connect {
        will: Some(Will {
            topic: name("t"),
            payload: b"m",
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::EMPTY,
        }),
        username: Some(text("u")),
        password: Some(b"\xFF"),
        clean_start: false,
        keep_alive: KeepAlive::from_secs(65_535),
        ..connect(ProtocolVersion::V3_1_1)
    };
    // Flags: user name, password, Will Retain, Will QoS 1, Will.
    let hex = "10 19 00 04 4D 51 54 54 04 EC FF FF 00 01 61 00 01 74 00 01 6D 00 01 75 00 01 FF";
    same(
        &[ProtocolVersion::V3_1_1],
        Role::Client,
        &Packet::Connect(packet),
        hex,
    );
}

#[test]
fn v5_mqtt_3_1_3_1_order_of_the_connect_payload() {
    let will_properties = [
        Property::PayloadFormatIndicator(PayloadFormat::Utf8),
        Property::MessageExpiryInterval(1),
        Property::ContentType(text("c")),
        Property::ResponseTopic(name("r")),
        Property::CorrelationData(b"\x00"),
        Property::WillDelayInterval(10),
        Property::UserProperty(text("n"), text("v")),
    ];
    let properties = [
        Property::SessionExpiryInterval(SessionExpiry::NEVER),
        Property::ReceiveMaximum(ReceiveMaximum::new(10).unwrap()),
        Property::MaximumPacketSize(MaximumPacketSize::new(4_096).unwrap()),
        Property::TopicAliasMaximum(5),
        Property::RequestResponseInformation(true),
        Property::RequestProblemInformation(false),
        Property::UserProperty(text("n"), text("")),
        Property::AuthenticationMethod(text("m")),
        Property::AuthenticationData(b"d"),
    ];
    let packet = Connect {
        will: Some(Will {
            topic: name("t"),
            payload: b"m",
            qos: QoS::ExactlyOnce,
            retain: false,
            properties: Properties::new(&will_properties),
        }),
        username: Some(text("u")),
        password: Some(b"p"),
        properties: Properties::new(&properties),
        ..connect(ProtocolVersion::V5)
    };
    let hex = "10 5C \
        00 04 4D 51 54 54 05 \
        D6 \
        00 3C \
        22 \
        11 FF FF FF FF \
        21 00 0A \
        27 00 00 10 00 \
        22 00 05 \
        19 01 \
        17 00 \
        26 00 01 6E 00 00 \
        15 00 01 6D \
        16 00 01 64 \
        00 01 61 \
        1F \
        01 01 \
        02 00 00 00 01 \
        03 00 01 63 \
        08 00 01 72 \
        09 00 01 00 \
        18 00 00 00 0A \
        26 00 01 6E 00 01 76 \
        00 01 74 \
        00 01 6D \
        00 01 75 \
        00 01 70";
    same(&V5, Role::Client, &Packet::Connect(packet), hex);
}

#[test]
fn connack() {
    let accepted = Connack {
        session_present: false,
        reason: ReasonCode::SUCCESS,
        properties: Properties::EMPTY,
    };
    let resumed = Connack {
        session_present: true,
        ..accepted
    };
    same(&V3, Role::Server, &Packet::Connack(accepted), "20 02 00 00");
    same(
        &V5,
        Role::Server,
        &Packet::Connack(accepted),
        "20 03 00 00 00",
    );
    same(
        &[ProtocolVersion::V3_1_1],
        Role::Server,
        &Packet::Connack(resumed),
        "20 02 01 00",
    );
    same(
        &V5,
        Role::Server,
        &Packet::Connack(resumed),
        "20 03 01 00 00",
    );
}

#[test]
fn v311_return_codes_of_connack() {
    for (reason, hex) in [
        (ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, "20 02 00 01"),
        (ReasonCode::CLIENT_IDENTIFIER_NOT_VALID, "20 02 00 02"),
        (ReasonCode::SERVER_UNAVAILABLE, "20 02 00 03"),
        (ReasonCode::BAD_USER_NAME_OR_PASSWORD, "20 02 00 04"),
        (ReasonCode::NOT_AUTHORIZED, "20 02 00 05"),
    ] {
        let packet = Connack {
            session_present: false,
            reason,
            properties: Properties::EMPTY,
        };
        same(&V3, Role::Server, &Packet::Connack(packet), hex);
        // A server that knows no 5.0 answers a client of 5.0 like this.
        assert_eq!(
            decode(ProtocolVersion::V5, Role::Server, &bytes(hex)),
            Ok(Packet::Connack(packet))
        );
    }
}

#[test]
fn v5_connack_with_every_property() {
    let properties = [
        Property::SessionExpiryInterval(SessionExpiry::from_secs(60)),
        Property::AssignedClientIdentifier(text("i")),
        Property::ServerKeepAlive(KeepAlive::from_secs(30)),
        Property::AuthenticationMethod(text("m")),
        Property::AuthenticationData(b"d"),
        Property::ResponseInformation(text("/")),
        Property::ServerReference(text("s")),
        Property::ReasonString(text("r")),
        Property::ReceiveMaximum(ReceiveMaximum::default()),
        Property::TopicAliasMaximum(10),
        Property::MaximumQoS(QoS::AtLeastOnce),
        Property::RetainAvailable(false),
        Property::UserProperty(text("n"), text("v")),
        Property::MaximumPacketSize(MaximumPacketSize::new(1).unwrap()),
        Property::WildcardSubscriptionAvailable(true),
        Property::SubscriptionIdentifierAvailable(false),
        Property::SharedSubscriptionAvailable(true),
    ];
    let packet = Connack {
        session_present: false,
        reason: ReasonCode::SUCCESS,
        properties: Properties::new(&properties),
    };
    let hex = "20 3F 00 00 3C \
        11 00 00 00 3C \
        12 00 01 69 \
        13 00 1E \
        15 00 01 6D \
        16 00 01 64 \
        1A 00 01 2F \
        1C 00 01 73 \
        1F 00 01 72 \
        21 FF FF \
        22 00 0A \
        24 01 \
        25 00 \
        26 00 01 6E 00 01 76 \
        27 00 00 00 01 \
        28 01 \
        29 00 \
        2A 01";
    same(&V5, Role::Server, &Packet::Connack(packet), hex);
}

#[test]
fn publish_qos_0() {
    same(
        &V3,
        Role::Client,
        &Packet::Publish(publish()),
        "30 04 00 01 61 78",
    );
    same(
        &V5,
        Role::Client,
        &Packet::Publish(publish()),
        "30 05 00 01 61 00 78",
    );
    let retained = Publish {
        retain: true,
        payload: b"",
        ..publish()
    };
    same(
        &V3,
        Role::Server,
        &Packet::Publish(retained),
        "31 03 00 01 61",
    );
    same(
        &V5,
        Role::Server,
        &Packet::Publish(retained),
        "31 04 00 01 61 00",
    );
}

#[test]
fn v5_mqtt_2_2_1_2_no_packet_identifier_at_qos_0() {
    let packet = Publish {
        payload: b"\x00\x07",
        ..publish()
    };
    same(
        &V5,
        Role::Client,
        &Packet::Publish(packet),
        "30 06 00 01 61 00 00 07",
    );
}

#[test]
fn v311_mqtt_2_3_1_5_no_packet_identifier_at_qos_0() {
    let packet = Publish {
        payload: b"\x00\x07",
        ..publish()
    };
    same(
        &V3,
        Role::Client,
        &Packet::Publish(packet),
        "30 05 00 01 61 00 07",
    );
}

#[test]
fn publish_qos_1_and_2() {
    let at_least_once = Publish {
        delivery: Delivery::AtLeastOnce(id(10)),
        ..publish()
    };
    same(
        &V3,
        Role::Client,
        &Packet::Publish(at_least_once),
        "32 06 00 01 61 00 0A 78",
    );
    same(
        &V5,
        Role::Client,
        &Packet::Publish(at_least_once),
        "32 07 00 01 61 00 0A 00 78",
    );
    let repeated = Publish {
        dup: true,
        retain: true,
        delivery: Delivery::ExactlyOnce(id(65_535)),
        ..publish()
    };
    same(
        &V3,
        Role::Server,
        &Packet::Publish(repeated),
        "3D 06 00 01 61 FF FF 78",
    );
    same(
        &V5,
        Role::Server,
        &Packet::Publish(repeated),
        "3D 07 00 01 61 FF FF 00 78",
    );
}

#[test]
fn v5_publish_with_properties() {
    let properties = [
        Property::PayloadFormatIndicator(PayloadFormat::Unspecified),
        Property::MessageExpiryInterval(4_294_967_295),
        Property::ContentType(text("c")),
        Property::ResponseTopic(name("r/s")),
        Property::CorrelationData(b"\xFF\x00"),
        Property::TopicAlias(TopicAlias::new(258).unwrap()),
        Property::SubscriptionIdentifier(SubscriptionId::MAX),
        Property::SubscriptionIdentifier(SubscriptionId::new(128).unwrap()),
        Property::UserProperty(text("n"), text("v")),
    ];
    let packet = Publish {
        topic: None,
        properties: Properties::new(&properties),
        ..publish()
    };
    let hex = "30 2C \
        00 00 \
        28 \
        01 00 \
        02 FF FF FF FF \
        03 00 01 63 \
        08 00 03 72 2F 73 \
        09 00 02 FF 00 \
        23 01 02 \
        0B FF FF FF 7F \
        0B 80 01 \
        26 00 01 6E 00 01 76 \
        78";
    same(&V5, Role::Server, &Packet::Publish(packet), hex);
}

#[test]
fn acknowledgements() {
    let ack = PublishAck::success(id(10));
    for version in ALL {
        same(
            &[version],
            Role::Client,
            &Packet::Puback(ack),
            "40 02 00 0A",
        );
        same(
            &[version],
            Role::Client,
            &Packet::Pubrec(ack),
            "50 02 00 0A",
        );
        same(
            &[version],
            Role::Server,
            &Packet::Pubrel(ack),
            "62 02 00 0A",
        );
        same(
            &[version],
            Role::Server,
            &Packet::Pubcomp(ack),
            "70 02 00 0A",
        );
    }
    let refused = PublishAck {
        reason: ReasonCode::NOT_AUTHORIZED,
        ..ack
    };
    same(
        &V5,
        Role::Client,
        &Packet::Puback(refused),
        "40 03 00 0A 87",
    );
    let not_found = PublishAck {
        reason: ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        ..ack
    };
    same(
        &V5,
        Role::Client,
        &Packet::Pubcomp(not_found),
        "70 03 00 0A 92",
    );
    let properties = [
        Property::ReasonString(text("no")),
        Property::UserProperty(text(""), text("")),
    ];
    let explained = PublishAck {
        properties: Properties::new(&properties),
        ..ack
    };
    same(
        &V5,
        Role::Client,
        &Packet::Pubrec(explained),
        "50 0E 00 0A 00 0A 1F 00 02 6E 6F 26 00 00 00 00",
    );
}

#[test]
fn v5_mqtt_2_2_2_1_no_properties_is_length_0() {
    let filters = [(filter("a"), SubscribeOptions::with_qos(QoS::AtMostOnce))];
    let packet = Subscribe {
        packet_id: id(1),
        filters: SubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    };
    same(
        &V5,
        Role::Client,
        &Packet::Subscribe(packet),
        "82 07 00 01 00 00 01 61 00",
    );
}

#[test]
fn subscribe() {
    let filters = [(filter("a"), SubscribeOptions::with_qos(QoS::AtLeastOnce))];
    let packet = Subscribe {
        packet_id: id(10),
        filters: SubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    };
    same(
        &V3,
        Role::Client,
        &Packet::Subscribe(packet),
        "82 06 00 0A 00 01 61 01",
    );
    same(
        &V5,
        Role::Client,
        &Packet::Subscribe(packet),
        "82 07 00 0A 00 00 01 61 01",
    );

    let filters = [
        (
            filter("a/+"),
            SubscribeOptions {
                qos: QoS::ExactlyOnce,
                no_local: true,
                retain_as_published: true,
                retain_handling: RetainHandling::DontSend,
            },
        ),
        (
            filter("#"),
            SubscribeOptions {
                retain_handling: RetainHandling::SendIfNew,
                ..SubscribeOptions::default()
            },
        ),
    ];
    let properties = [Property::SubscriptionIdentifier(
        SubscriptionId::new(321).unwrap(),
    )];
    let packet = Subscribe {
        packet_id: id(1),
        filters: SubscribeFilters::new(&filters),
        properties: Properties::new(&properties),
    };
    let hex = "82 10 00 01 03 0B C1 02 00 03 61 2F 2B 2E 00 01 23 10";
    same(&V5, Role::Client, &Packet::Subscribe(packet), hex);
}

#[test]
fn suback() {
    let reasons = [ReasonCode::GRANTED_QOS_1];
    let packet = Suback {
        packet_id: id(10),
        reasons: ReasonCodes::new(&reasons),
        properties: Properties::EMPTY,
    };
    same(&V3, Role::Server, &Packet::Suback(packet), "90 03 00 0A 01");
    same(
        &V5,
        Role::Server,
        &Packet::Suback(packet),
        "90 04 00 0A 00 01",
    );
    let reasons = [
        ReasonCode::GRANTED_QOS_0,
        ReasonCode::UNSPECIFIED_ERROR,
        ReasonCode::GRANTED_QOS_2,
    ];
    let packet = Suback {
        reasons: ReasonCodes::new(&reasons),
        ..packet
    };
    same(
        &[ProtocolVersion::V3_1_1],
        Role::Server,
        &Packet::Suback(packet),
        "90 05 00 0A 00 80 02",
    );
}

#[test]
fn unsubscribe_and_unsuback() {
    let filters = [filter("a")];
    let packet = Unsubscribe {
        packet_id: id(10),
        filters: UnsubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    };
    same(
        &V3,
        Role::Client,
        &Packet::Unsubscribe(packet),
        "A2 05 00 0A 00 01 61",
    );
    same(
        &V5,
        Role::Client,
        &Packet::Unsubscribe(packet),
        "A2 06 00 0A 00 00 01 61",
    );

    let packet = Unsuback {
        packet_id: id(10),
        reasons: ReasonCodes::EMPTY,
        properties: Properties::EMPTY,
    };
    same(&V3, Role::Server, &Packet::Unsuback(packet), "B0 02 00 0A");
    let reasons = [ReasonCode::SUCCESS];
    let packet = Unsuback {
        reasons: ReasonCodes::new(&reasons),
        ..packet
    };
    same(
        &V5,
        Role::Server,
        &Packet::Unsuback(packet),
        "B0 04 00 0A 00 00",
    );
}

#[test]
fn v311_mqtt_3_10_3_1_filters_have_nothing_between_them() {
    let filters = [filter("a"), filter("b/#")];
    let packet = Unsubscribe {
        packet_id: id(1),
        filters: UnsubscribeFilters::new(&filters),
        properties: Properties::EMPTY,
    };
    same(
        &V3,
        Role::Client,
        &Packet::Unsubscribe(packet),
        "A2 0A 00 01 00 01 61 00 03 62 2F 23",
    );
}

#[test]
fn pings() {
    same(&ALL, Role::Client, &Packet::Pingreq, "C0 00");
    same(&ALL, Role::Server, &Packet::Pingresp, "D0 00");
}

#[test]
fn disconnect() {
    same(
        &ALL,
        Role::Client,
        &Packet::Disconnect(Disconnect::NORMAL),
        "E0 00",
    );
    let with_will = Disconnect {
        reason: ReasonCode::DISCONNECT_WITH_WILL_MESSAGE,
        properties: Properties::EMPTY,
    };
    same(
        &V5,
        Role::Client,
        &Packet::Disconnect(with_will),
        "E0 01 04",
    );
    let properties = [Property::SessionExpiryInterval(SessionExpiry::AT_CLOSE)];
    let ended = Disconnect {
        properties: Properties::new(&properties),
        ..Disconnect::NORMAL
    };
    same(
        &V5,
        Role::Client,
        &Packet::Disconnect(ended),
        "E0 07 00 05 11 00 00 00 00",
    );
    let properties = [Property::ServerReference(text("h:1"))];
    let moved = Disconnect {
        reason: ReasonCode::SERVER_MOVED,
        properties: Properties::new(&properties),
    };
    same(
        &V5,
        Role::Server,
        &Packet::Disconnect(moved),
        "E0 08 9D 06 1C 00 03 68 3A 31",
    );
}

#[test]
fn v5_auth() {
    let properties = [Property::AuthenticationMethod(text("m"))];
    let packet = Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: Properties::new(&properties),
    };
    same(
        &V5,
        Role::Client,
        &Packet::Auth(packet),
        "F0 06 18 04 15 00 01 6D",
    );
    let again = Auth {
        reason: ReasonCode::RE_AUTHENTICATE,
        ..packet
    };
    same(
        &V5,
        Role::Client,
        &Packet::Auth(again),
        "F0 06 19 04 15 00 01 6D",
    );
    let done = Auth {
        reason: ReasonCode::SUCCESS,
        ..packet
    };
    same(
        &V5,
        Role::Server,
        &Packet::Auth(done),
        "F0 06 00 04 15 00 01 6D",
    );
}

#[test]
fn v5_auth_without_content_has_no_method() {
    let packet = bytes("F0 00");
    let auth = Auth {
        reason: ReasonCode::SUCCESS,
        properties: Properties::EMPTY,
    };
    assert_eq!(
        decode(ProtocolVersion::V5, Role::Server, &packet),
        Ok(Packet::Auth(auth))
    );
}
