//! Every packet of every version, from both ends, with every property that it can have.

use bytes::{Buf, Bytes};
use mqtt_core::{
    Auth, Connack, Connect, Decoder, Delivery, Disconnect, Encoder, KeepAlive, MaximumPacketSize,
    Output, Packet, PacketId, PacketType, PayloadFormat, Properties, Property, PropertyHolder,
    PropertyId, ProtocolVersion, Publish, PublishAck, QoS, ReasonCode, ReasonCodes, ReceiveMaximum,
    Role, SessionExpiry, Suback, Subscribe, SubscribeFilters, SubscribeOptions, SubscriptionId,
    TopicAlias, TopicFilter, TopicName, Unsuback, Unsubscribe, UnsubscribeFilters, Utf8, Will,
};
use std::hint::black_box;

use crate::allocations;

fn text(text: &str) -> Utf8<'_> {
    Utf8::new(text).unwrap()
}

fn topic() -> TopicName<'static> {
    TopicName::new("devices/0815/temperature").unwrap()
}

/// A property of each kind.
fn property(id: PropertyId) -> Property<'static> {
    use Property as P;
    use PropertyId as Id;
    match id {
        Id::PayloadFormatIndicator => P::PayloadFormatIndicator(PayloadFormat::Utf8),
        Id::MessageExpiryInterval => P::MessageExpiryInterval(60),
        Id::ContentType => P::ContentType(text("text/plain")),
        Id::ResponseTopic => P::ResponseTopic(topic()),
        Id::CorrelationData => P::CorrelationData(b"0123"),
        Id::SubscriptionIdentifier => P::SubscriptionIdentifier(SubscriptionId::MAX),
        Id::SessionExpiryInterval => P::SessionExpiryInterval(SessionExpiry::NEVER),
        Id::AssignedClientIdentifier => P::AssignedClientIdentifier(text("client")),
        Id::ServerKeepAlive => P::ServerKeepAlive(KeepAlive::from_secs(60)),
        Id::AuthenticationMethod => P::AuthenticationMethod(text("method")),
        Id::AuthenticationData => P::AuthenticationData(b"data"),
        Id::RequestProblemInformation => P::RequestProblemInformation(true),
        Id::WillDelayInterval => P::WillDelayInterval(60),
        Id::RequestResponseInformation => P::RequestResponseInformation(true),
        Id::ResponseInformation => P::ResponseInformation(text("information")),
        Id::ServerReference => P::ServerReference(text("server:1883")),
        Id::ReasonString => P::ReasonString(text("a reason")),
        Id::ReceiveMaximum => P::ReceiveMaximum(ReceiveMaximum::default()),
        Id::TopicAliasMaximum => P::TopicAliasMaximum(10),
        Id::TopicAlias => P::TopicAlias(TopicAlias::new(1).unwrap()),
        Id::MaximumQoS => P::MaximumQoS(QoS::AtLeastOnce),
        Id::RetainAvailable => P::RetainAvailable(true),
        Id::UserProperty => P::UserProperty(text("name"), text("value")),
        Id::MaximumPacketSize => P::MaximumPacketSize(MaximumPacketSize::LARGEST_POSSIBLE),
        Id::WildcardSubscriptionAvailable => P::WildcardSubscriptionAvailable(true),
        Id::SubscriptionIdentifierAvailable => P::SubscriptionIdentifierAvailable(true),
        Id::SharedSubscriptionAvailable => P::SharedSubscriptionAvailable(true),
    }
}

/// The properties that `sender` may give to `holder`: each kind alone, and all together with one of them twice.
fn lists(holder: PropertyHolder, sender: Role) -> Vec<Vec<Property<'static>>> {
    let ids = PropertyId::ALL
        .into_iter()
        .filter(|id| id.allowed_in(holder) && id.may_be_sent_by(sender, holder));
    // Without a method there is no data, and no AUTH.
    let method = |id: PropertyId| {
        let is_auth = holder == PropertyHolder::Packet(PacketType::Auth);
        let needed = id == PropertyId::AuthenticationData
            || is_auth && id != PropertyId::AuthenticationMethod;
        needed.then(|| property(PropertyId::AuthenticationMethod))
    };
    let alone = ids
        .clone()
        .map(|id| method(id).into_iter().chain([property(id)]).collect());
    let together = ids.clone().map(property);
    let again = ids.filter(|id| id.repeatable_in(holder)).map(property);
    alone.chain([together.chain(again).collect()]).collect()
}

/// A packet with everything in it that this version has.
fn with_packet(
    packet_type: PacketType,
    version: ProtocolVersion,
    properties: Properties<'_>,
    will_properties: Properties<'_>,
    run: impl FnOnce(&Packet<'_>),
) {
    let v5 = version == ProtocolVersion::V5;
    let options = SubscribeOptions {
        no_local: v5,
        ..SubscribeOptions::with_qos(QoS::AtLeastOnce)
    };
    let filters = ["a/+", "b/#", "c"].map(|filter| (TopicFilter::new(filter).unwrap(), options));
    let bare = filters.map(|(filter, _)| filter);
    let reasons = [ReasonCode::SUCCESS; 3];
    let packet_id = PacketId::MIN;
    let ack = PublishAck {
        properties,
        ..PublishAck::success(packet_id)
    };
    let packet = match packet_type {
        PacketType::Connect => Packet::Connect(Connect {
            version,
            clean_start: true,
            keep_alive: KeepAlive::from_secs(60),
            client_id: text("client"),
            will: Some(Will {
                topic: topic(),
                payload: b"gone",
                qos: QoS::AtLeastOnce,
                retain: true,
                properties: will_properties,
            }),
            username: Some(text("user")),
            password: Some(b"password"),
            properties,
        }),
        PacketType::Connack => Packet::Connack(Connack {
            session_present: false,
            reason: ReasonCode::SUCCESS,
            properties,
        }),
        PacketType::Publish => Packet::Publish(Publish {
            dup: true,
            retain: true,
            delivery: Delivery::ExactlyOnce(packet_id),
            topic: Some(topic()).filter(|_| !properties.contains(PropertyId::TopicAlias)),
            payload: b"21.5",
            properties,
        }),
        PacketType::Puback => Packet::Puback(ack),
        PacketType::Pubrec => Packet::Pubrec(ack),
        PacketType::Pubrel => Packet::Pubrel(ack),
        PacketType::Pubcomp => Packet::Pubcomp(ack),
        PacketType::Subscribe => Packet::Subscribe(Subscribe {
            packet_id,
            filters: SubscribeFilters::new(&filters),
            properties,
        }),
        PacketType::Suback => Packet::Suback(Suback {
            packet_id,
            reasons: ReasonCodes::new(&reasons),
            properties,
        }),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe {
            packet_id,
            filters: UnsubscribeFilters::new(&bare),
            properties,
        }),
        PacketType::Unsuback => Packet::Unsuback(Unsuback {
            packet_id,
            reasons: if v5 {
                ReasonCodes::new(&reasons)
            } else {
                ReasonCodes::EMPTY
            },
            properties,
        }),
        PacketType::Pingreq => Packet::Pingreq,
        PacketType::Pingresp => Packet::Pingresp,
        PacketType::Disconnect => Packet::Disconnect(Disconnect {
            properties,
            ..Disconnect::NORMAL
        }),
        PacketType::Auth => Packet::Auth(Auth {
            reason: ReasonCode::CONTINUE_AUTHENTICATION,
            properties,
        }),
    };
    run(&packet);
}

/// Looks at everything that a packet holds.
fn visit(packet: &Packet<'_>) {
    let properties = match packet {
        Packet::Connect(connect) => {
            black_box((connect.version, connect.clean_start, connect.keep_alive));
            black_box((connect.client_id, connect.username, connect.password));
            if let Some(will) = &connect.will {
                black_box((will.topic, will.payload, will.qos, will.retain));
                visit_properties(&will.properties);
            }
            &connect.properties
        }
        Packet::Connack(connack) => {
            black_box((connack.session_present, connack.reason));
            &connack.properties
        }
        Packet::Publish(publish) => {
            black_box((publish.dup, publish.retain, publish.delivery));
            black_box((publish.topic, publish.payload));
            &publish.properties
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            black_box((ack.packet_id, ack.reason));
            &ack.properties
        }
        Packet::Subscribe(subscribe) => {
            black_box(subscribe.packet_id);
            subscribe
                .filters
                .iter()
                .for_each(|item| _ = black_box(item));
            &subscribe.properties
        }
        Packet::Suback(suback) => {
            black_box(suback.packet_id);
            suback.reasons.iter().for_each(|item| _ = black_box(item));
            &suback.properties
        }
        Packet::Unsubscribe(unsubscribe) => {
            black_box(unsubscribe.packet_id);
            unsubscribe
                .filters
                .iter()
                .for_each(|item| _ = black_box(item));
            &unsubscribe.properties
        }
        Packet::Unsuback(unsuback) => {
            black_box(unsuback.packet_id);
            unsuback.reasons.iter().for_each(|item| _ = black_box(item));
            &unsuback.properties
        }
        Packet::Pingreq | Packet::Pingresp => return,
        Packet::Disconnect(disconnect) => {
            black_box(disconnect.reason);
            &disconnect.properties
        }
        Packet::Auth(auth) => {
            black_box(auth.reason);
            &auth.properties
        }
    };
    visit_properties(properties);
}

fn visit_properties(properties: &Properties<'_>) {
    properties.iter().for_each(|item| _ = black_box(item));
    for id in PropertyId::ALL {
        black_box(properties.find(id));
        black_box(properties.without(id).len());
    }
    black_box(properties.user_properties().count());
    black_box(properties.subscription_identifiers().count());
}

/// Encodes `packet`, decodes it, looks at all of it and encodes what was decoded, from `sender` in `version`.
fn goes_round_without_allocating(version: ProtocolVersion, sender: Role, packet: &Packet<'_>) {
    let encoder = Encoder::new(version, sender);
    let is_connect = packet.packet_type() == PacketType::Connect;
    let decoder = Decoder {
        strict_text: true,
        ..Decoder::new((!is_connect).then_some(version), sender)
    };
    let (mut sent, mut again) = (Output::new(), Output::new());
    // The first time an output has to grow.
    for output in [&mut sent, &mut again] {
        encoder.encode(packet, output).unwrap();
        output.clear();
    }
    let count = allocations(|| {
        assert!(encoder.encoded_len(packet).is_ok());
        encoder.encode(packet, &mut sent).unwrap();
        let bytes = sent.chunk();
        assert_eq!(decoder.frame(bytes), Ok(Some(bytes.len())));
        assert!({ decoder }.next(bytes).is_ok());
        let decoded = decoder.decode(bytes).unwrap();
        assert_eq!(decoded, *packet);
        visit(&decoded);
        encoder.encode(&decoded, &mut again).unwrap();
    });
    assert_eq!(count, 0, "{version} {sender} {packet:?}");
    assert_eq!(sent.chunk(), again.chunk(), "{version} {sender} {packet:?}");
}

#[test]
fn every_packet_of_3_x() {
    for version in [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1] {
        let mut count = 0;
        for (packet_type, sender) in sent_in(version) {
            let none = Properties::EMPTY;
            with_packet(packet_type, version, none, none, |packet| {
                goes_round_without_allocating(version, sender, packet);
            });
            count += 1;
        }
        // Five that only a client sends, four that only a server sends, and five of both.
        assert_eq!(count, 5 + 4 + 2 * 5);
    }
}

#[test]
fn every_packet_of_5_0_with_every_property() {
    let version = ProtocolVersion::V5;
    let (mut packets, mut kinds) = (0, 0);
    let mut round = |sender, packet: &Packet<'_>| {
        goes_round_without_allocating(version, sender, packet);
        packets += 1;
    };
    for (packet_type, sender) in sent_in(version) {
        let lists = lists(PropertyHolder::Packet(packet_type), sender);
        kinds += lists.len() - 1;
        for list in &lists {
            let (list, none) = (Properties::new(list), Properties::EMPTY);
            with_packet(packet_type, version, list, none, |packet| {
                round(sender, packet)
            });
        }
    }
    let lists = lists(PropertyHolder::Will, Role::Client);
    kinds += lists.len() - 1;
    for list in &lists {
        let (list, none) = (Properties::new(list), Properties::EMPTY);
        with_packet(PacketType::Connect, version, none, list, |packet| {
            round(Role::Client, packet);
        });
    }
    // As many as the tables of the standard have: CONNECT 9 and its Will 7, CONNACK 17, PUBLISH of a client 7 and of
    // a server 8, acknowledgements 4 times 2 from each, SUBSCRIBE 2, SUBACK 2, UNSUBSCRIBE 1, UNSUBACK 2, DISCONNECT 3
    // and AUTH 4 from each.
    assert_eq!(
        kinds,
        9 + 7 + 17 + 7 + 8 + 2 * 8 + 2 + 2 + 1 + 2 + 2 * 3 + 2 * 4
    );
    // And once all together; pings have none.
    assert_eq!(packets, kinds + 1 + sent_in(version).count());
}

/// Every packet that there is in `version`, with each end that may send it.
fn sent_in(version: ProtocolVersion) -> impl Iterator<Item = (PacketType, Role)> {
    PacketType::ALL.into_iter().flat_map(move |packet_type| {
        [Role::Client, Role::Server]
            .into_iter()
            .filter(move |sender| packet_type.may_be_sent_by(*sender, version))
            .map(move |sender| (packet_type, sender))
    })
}

#[test]
fn refusing_allocates_nothing() {
    let decoder = Decoder::new(Some(ProtocolVersion::V5), Role::Client);
    let packet = [0x30, 0x06, 0x00, 0x03, b'a', b'/', b'#', 0x00];
    let count = allocations(|| {
        let error = decoder.decode(&packet).unwrap_err();
        black_box((
            error.rule(ProtocolVersion::V5),
            error.answer(ProtocolVersion::V5),
        ));
    });
    assert_eq!(count, 0);
}

#[test]
fn shortening_an_answer_allocates_nothing() {
    let encoder = Encoder {
        maximum_packet_size: MaximumPacketSize::new(10),
        ..Encoder::new(ProtocolVersion::V5, Role::Client)
    };
    let properties = [Property::ReasonString(
        Utf8::new("longer than ten bytes").unwrap(),
    )];
    let ack = PublishAck {
        properties: Properties::new(&properties),
        ..PublishAck::success(PacketId::MIN)
    };
    let mut output = Output::new();
    encoder.encode(&Packet::Puback(ack), &mut output).unwrap();
    output.advance(output.len());
    assert_eq!(
        allocations(|| encoder.encode(&Packet::Puback(ack), &mut output).unwrap()),
        0
    );
    assert_eq!(output.len(), 4);
}

/// A packet after the other that is larger than what is kept when there is nothing to do.
#[test]
fn large_packets_in_a_row_use_the_same_memory() {
    let encoder = Encoder::new(ProtocolVersion::V5, Role::Client);
    let payload = vec![0; 1024 * 1024];
    let packet = Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(topic()),
        payload: &payload,
        properties: Properties::EMPTY,
    });
    let mut output = Output::new();
    let mut round = || {
        encoder.encode(&packet, &mut output).unwrap();
        output.advance(output.len());
    };
    round();
    assert_eq!(allocations(|| (0..10).for_each(|_| round())), 0);
}

/// Headers of large payloads, the payloads themselves and partial writes, over and over: once warm, the output needs no
/// more memory.
#[test]
fn output_uses_its_memory_again() {
    let encoder = Encoder::new(ProtocolVersion::V5, Role::Client);
    let payload = Bytes::from_static(&[0; 5_000]);
    let publish = Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(TopicName::new("a").unwrap()),
        payload: &[],
        properties: Properties::EMPTY,
    };
    let mut output = Output::new();
    let round = |output: &mut Output| {
        for _ in 0..10 {
            encoder
                .encode_with_payload(&publish, &payload, output)
                .unwrap();
            encoder
                .encode(
                    &Packet::Publish(Publish {
                        payload: &[1; 3_000],
                        ..publish
                    }),
                    output,
                )
                .unwrap();
        }
        // All but a little is written each time, so the buffer is never empty.
        output.advance(output.len() - 100);
    };
    for _ in 0..10 {
        round(&mut output);
    }
    let more = allocations(|| {
        for _ in 0..100 {
            round(&mut output);
        }
    });
    assert_eq!(more, 0);
}
