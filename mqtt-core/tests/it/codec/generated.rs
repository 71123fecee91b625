//! Generated packets and bytes: what holds for all of them.

use mqtt_core::{
    Auth, Connack, Connect, Decoder, Delivery, Disconnect, Encoder, KeepAlive, MaximumPacketSize,
    Output, Packet, PacketId, PacketType, PayloadFormat, Properties, Property, PropertyHolder,
    PropertyId, ProtocolVersion, Publish, PublishAck, QoS, ReasonCode, ReasonCodes, ReceiveMaximum,
    RetainHandling, Role, SessionExpiry, Suback, Subscribe, SubscribeFilters, SubscribeOptions,
    SubscriptionId, TopicAlias, TopicFilter, TopicName, Unsuback, Unsubscribe, UnsubscribeFilters,
    Utf8, Will,
};
use proptest::{collection::vec, prelude::*, sample::select, strategy::Union};

use super::contents;

/// What a packet is made of, owned; a packet borrows from it. One kind is enough for all types: each takes what it needs.
#[derive(Clone, Debug)]
struct Parts {
    version: ProtocolVersion,
    sender: Role,
    packet_type: PacketType,
    flags: [bool; 3],
    qos: QoS,
    packet_id: PacketId,
    number: u16,
    texts: Vec<String>,
    topics: Vec<String>,
    filters: Vec<(String, SubscribeOptions)>,
    binary: Vec<u8>,
    reason: ReasonCode,
    reasons: Vec<ReasonCode>,
    properties: Vec<OwnedProperty>,
    will_properties: Vec<OwnedProperty>,
}

#[derive(Clone, Debug)]
struct OwnedProperty {
    id: PropertyId,
    number: u32,
    text: String,
    value: String,
    topic: String,
}

impl OwnedProperty {
    fn borrow(&self) -> Property<'_> {
        use PropertyId as Id;
        let byte = self.number.to_be_bytes()[3];
        let flag = byte % 2 == 1;
        let short = u16::try_from(self.number % 65_536).unwrap();
        let text = Utf8::new(&self.text).unwrap();
        match self.id {
            Id::PayloadFormatIndicator => Property::PayloadFormatIndicator(
                [PayloadFormat::Unspecified, PayloadFormat::Utf8][usize::from(byte % 2)],
            ),
            Id::MessageExpiryInterval => Property::MessageExpiryInterval(self.number),
            Id::ContentType => Property::ContentType(text),
            Id::ResponseTopic => Property::ResponseTopic(TopicName::new(&self.topic).unwrap()),
            Id::CorrelationData => Property::CorrelationData(self.text.as_bytes()),
            Id::SubscriptionIdentifier => Property::SubscriptionIdentifier(
                SubscriptionId::new(self.number % 268_435_455 + 1).unwrap(),
            ),
            Id::SessionExpiryInterval => {
                Property::SessionExpiryInterval(SessionExpiry::from_secs(self.number))
            }
            Id::AssignedClientIdentifier => Property::AssignedClientIdentifier(text),
            Id::ServerKeepAlive => Property::ServerKeepAlive(KeepAlive::from_secs(short)),
            Id::AuthenticationMethod => Property::AuthenticationMethod(text),
            Id::AuthenticationData => Property::AuthenticationData(self.text.as_bytes()),
            Id::RequestProblemInformation => Property::RequestProblemInformation(flag),
            Id::WillDelayInterval => Property::WillDelayInterval(self.number),
            Id::RequestResponseInformation => Property::RequestResponseInformation(flag),
            Id::ResponseInformation => Property::ResponseInformation(text),
            Id::ServerReference => Property::ServerReference(text),
            Id::ReasonString => Property::ReasonString(text),
            Id::ReceiveMaximum => {
                Property::ReceiveMaximum(ReceiveMaximum::new(short.max(1)).unwrap())
            }
            Id::TopicAliasMaximum => Property::TopicAliasMaximum(short),
            Id::TopicAlias => Property::TopicAlias(TopicAlias::new(short.max(1)).unwrap()),
            Id::MaximumQoS => {
                Property::MaximumQoS([QoS::AtMostOnce, QoS::AtLeastOnce][usize::from(byte % 2)])
            }
            Id::RetainAvailable => Property::RetainAvailable(flag),
            Id::UserProperty => Property::UserProperty(text, Utf8::new(&self.value).unwrap()),
            Id::MaximumPacketSize => {
                Property::MaximumPacketSize(MaximumPacketSize::new(self.number.max(1)).unwrap())
            }
            Id::WildcardSubscriptionAvailable => Property::WildcardSubscriptionAvailable(flag),
            Id::SubscriptionIdentifierAvailable => Property::SubscriptionIdentifierAvailable(flag),
            Id::SharedSubscriptionAvailable => Property::SharedSubscriptionAvailable(flag),
        }
    }
}

impl Parts {
    /// The packet that these parts make, which keeps the rules of its version and sender.
    fn with_packet<R>(&self, run: impl FnOnce(Packet<'_>) -> R) -> R {
        let list = |holder, owned: &[OwnedProperty]| -> Vec<OwnedProperty> {
            let mut seen = Vec::new();
            owned
                .iter()
                .filter(|property| {
                    let id = property.id;
                    let again = seen.contains(&id) && !id.repeatable_in(holder);
                    seen.push(id);
                    let known = self.version == ProtocolVersion::V5 && id.allowed_in(holder);
                    known && id.may_be_sent_by(self.sender, holder) && !again
                })
                .cloned()
                .collect()
        };
        let mut owned = list(PropertyHolder::Packet(self.packet_type), &self.properties);
        let has_method = owned
            .iter()
            .any(|property| property.id == PropertyId::AuthenticationMethod);
        if !has_method && self.packet_type == PacketType::Auth {
            let id = PropertyId::AuthenticationMethod;
            let (text, value, topic) = ("m".into(), String::new(), "t".into());
            owned.push(OwnedProperty {
                id,
                number: 0,
                text,
                value,
                topic,
            });
        } else if !has_method {
            owned.retain(|property| property.id != PropertyId::AuthenticationData);
        }
        let properties: Vec<_> = owned.iter().map(OwnedProperty::borrow).collect();
        let owned_will = list(PropertyHolder::Will, &self.will_properties);
        let will_properties: Vec<_> = owned_will.iter().map(OwnedProperty::borrow).collect();
        self.assemble(
            Properties::new(&properties),
            Properties::new(&will_properties),
            run,
        )
    }

    fn assemble<R>(
        &self,
        properties: Properties<'_>,
        will_properties: Properties<'_>,
        run: impl FnOnce(Packet<'_>) -> R,
    ) -> R {
        let packet_id = self.packet_id;
        let reason = if self.version == ProtocolVersion::V5
            && self.reason.allowed_in(self.packet_type, self.sender)
        {
            self.reason
        } else if self.packet_type == PacketType::Auth {
            ReasonCode::CONTINUE_AUTHENTICATION
        } else {
            ReasonCode::SUCCESS
        };
        let reasons: Vec<_> = self
            .reasons
            .iter()
            .copied()
            .map(|reason| {
                let kept = reason.get() <= 2 && self.packet_type == PacketType::Suback
                    || self.version == ProtocolVersion::V5
                        && reason.allowed_in(self.packet_type, Role::Server);
                if kept { reason } else { ReasonCode::SUCCESS }
            })
            .collect();
        let filters: Vec<_> = self
            .filters
            .iter()
            .map(|(filter, options)| {
                let filter = TopicFilter::new(filter).unwrap();
                if self.version == ProtocolVersion::V5 {
                    let no_local = options.no_local && !filter.as_str().starts_with("$share/");
                    (
                        filter,
                        SubscribeOptions {
                            no_local,
                            ..*options
                        },
                    )
                } else {
                    (filter, SubscribeOptions::with_qos(options.qos))
                }
            })
            .collect();
        let bare: Vec<_> = filters.iter().map(|(filter, _)| *filter).collect();
        let ack = PublishAck {
            packet_id,
            reason,
            properties,
        };
        run(match self.packet_type {
            PacketType::Connect => Packet::Connect(self.connect(properties, will_properties)),
            PacketType::Connack => {
                let session_present = self.flags[0]
                    && reason == ReasonCode::SUCCESS
                    && self.version != ProtocolVersion::V3_1;
                Packet::Connack(Connack {
                    session_present,
                    reason,
                    properties,
                })
            }
            PacketType::Publish => Packet::Publish(self.publish(properties)),
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
            PacketType::Unsuback => {
                let reasons = if self.version == ProtocolVersion::V5 {
                    ReasonCodes::new(&reasons)
                } else {
                    ReasonCodes::EMPTY
                };
                Packet::Unsuback(Unsuback {
                    packet_id,
                    reasons,
                    properties,
                })
            }
            PacketType::Pingreq => Packet::Pingreq,
            PacketType::Pingresp => Packet::Pingresp,
            PacketType::Disconnect => Packet::Disconnect(Disconnect { reason, properties }),
            PacketType::Auth => Packet::Auth(Auth { reason, properties }),
        })
    }

    fn connect<'a>(
        &'a self,
        properties: Properties<'a>,
        will_properties: Properties<'a>,
    ) -> Connect<'a> {
        let client_id = if self.texts[0].is_empty() {
            "c"
        } else {
            &self.texts[0]
        };
        let username = self.flags[1].then(|| Utf8::new(&self.texts[1]).unwrap());
        let may_have_password = username.is_some() || self.version == ProtocolVersion::V5;
        Connect {
            version: self.version,
            clean_start: self.flags[0],
            keep_alive: KeepAlive::from_secs(self.number),
            client_id: Utf8::new(client_id).unwrap(),
            will: self.flags[2].then(|| Will {
                topic: TopicName::new(&self.topics[0]).unwrap(),
                payload: &self.binary,
                qos: self.qos,
                retain: self.number & 1 == 0,
                properties: will_properties,
            }),
            username,
            password: (may_have_password && self.number & 2 == 0).then_some(&self.binary),
            properties,
        }
    }

    fn publish<'a>(&'a self, properties: Properties<'a>) -> Publish<'a> {
        let without_name = self.flags[2] && properties.contains(PropertyId::TopicAlias);
        Publish {
            dup: self.flags[0] && self.qos != QoS::AtMostOnce,
            retain: self.flags[1],
            delivery: match self.qos {
                QoS::AtMostOnce => Delivery::AtMostOnce,
                QoS::AtLeastOnce => Delivery::AtLeastOnce(self.packet_id),
                QoS::ExactlyOnce => Delivery::ExactlyOnce(self.packet_id),
            },
            topic: (!without_name).then(|| TopicName::new(&self.topics[0]).unwrap()),
            payload: &self.binary,
            properties,
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    "[^\\x00]{0,12}".prop_map(String::from)
}

fn topic() -> impl Strategy<Value = String> {
    "[^\\x00+#]{1,12}".prop_map(String::from)
}

fn filter() -> impl Strategy<Value = String> {
    let level = "(\\+|[^\\x00+#/$]{0,4})";
    let filter =
        (vec(level, 1..4), any::<bool>(), any::<bool>()).prop_map(|(mut levels, all, shared)| {
            if all {
                levels.push("#".into());
            }
            let filter = levels.join("/");
            let filter = if filter.is_empty() {
                "/".into()
            } else {
                filter
            };
            if shared {
                format!("$share/group/{filter}")
            } else {
                filter
            }
        });
    filter.boxed()
}

fn options() -> impl Strategy<Value = SubscribeOptions> {
    let retain_handling = vec![
        RetainHandling::Send,
        RetainHandling::SendIfNew,
        RetainHandling::DontSend,
    ];
    (qos(), any::<bool>(), any::<bool>(), select(retain_handling)).prop_map(
        |(qos, no_local, retain_as_published, retain_handling)| SubscribeOptions {
            qos,
            no_local,
            retain_as_published,
            retain_handling,
        },
    )
}

fn qos() -> impl Strategy<Value = QoS> {
    select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn property() -> impl Strategy<Value = OwnedProperty> {
    // Small and large numbers, so that every length of a Variable Byte Integer comes up.
    let number = Union::new([0..300_u32, 0..70_000, 0..3_000_000, 0..u32::MAX]);
    (
        select(PropertyId::ALL.to_vec()),
        number,
        text(),
        text(),
        topic(),
    )
        .prop_map(|(id, number, text, value, topic)| OwnedProperty {
            id,
            number,
            text,
            value,
            topic,
        })
}

/// The types that `sender` may send in `version`.
fn sent_by(sender: Role, version: ProtocolVersion) -> Vec<PacketType> {
    PacketType::ALL
        .into_iter()
        .filter(|packet_type| packet_type.may_be_sent_by(sender, version))
        .collect()
}

fn parts() -> impl Strategy<Value = Parts> {
    let head = (
        select(ProtocolVersion::ALL.to_vec()),
        select(vec![Role::Client, Role::Server]),
    )
        .prop_flat_map(|(version, sender)| {
            (
                Just(version),
                Just(sender),
                select(sent_by(sender, version)),
            )
        });
    let values = (any::<[bool; 3]>(), qos(), 1..=u16::MAX, any::<u16>());
    let texts = (
        vec(text(), 2),
        vec(topic(), 1),
        vec((filter(), options()), 1..5),
        vec(any::<u8>(), 0..300),
    );
    let codes = (
        select(ReasonCode::ALL.to_vec()),
        vec(select(ReasonCode::ALL.to_vec()), 1..5),
    );
    let properties = (vec(property(), 0..12), vec(property(), 0..8));
    (head, values, texts, codes, properties).prop_map(|(head, values, texts, codes, properties)| {
        Parts {
            version: head.0,
            sender: head.1,
            packet_type: head.2,
            flags: values.0,
            qos: values.1,
            packet_id: PacketId::new(values.2).unwrap(),
            number: values.3,
            texts: texts.0,
            topics: texts.1,
            filters: texts.2,
            binary: texts.3,
            reason: codes.0,
            reasons: codes.1,
            properties: properties.0,
            will_properties: properties.1,
        }
    })
}

fn decoder(parts: &Parts) -> Decoder {
    let version = (parts.packet_type != PacketType::Connect).then_some(parts.version);
    Decoder::new(version, parts.sender)
}

fn encoded(parts: &Parts) -> Vec<u8> {
    let mut output = Output::new();
    let encoder = Encoder::new(parts.version, parts.sender);
    parts
        .with_packet(|packet| encoder.encode(&packet, &mut output))
        .unwrap();
    contents(&mut output)
}

/// Decodes bytes of anybody; what is a packet must be written as a packet that says the same.
fn check_bytes(decoder: Decoder, bytes: &[u8]) {
    let mut learning = decoder;
    let found = learning.next(bytes);
    if let Ok(Some((packet, len))) = found {
        assert_eq!(decoder.frame(bytes), Ok(Some(len)));
        assert_eq!(decoder.decode(&bytes[..len]), Ok(packet));
        // An AUTH without content can be received but never sent.
        if packet
            == Packet::Auth(Auth {
                reason: ReasonCode::SUCCESS,
                properties: Properties::EMPTY,
            })
        {
            return;
        }
        // So can two codes whose place in DISCONNECT the standard is of two minds about.
        if matches!(packet, Packet::Disconnect(Disconnect { reason, .. }) if matches!(reason.get(), 0x8C | 0x9B))
        {
            return;
        }
        let mut output = Output::new();
        Encoder::new(learning.version.unwrap(), decoder.sender)
            .encode(&packet, &mut output)
            .unwrap();
        let again = contents(&mut output);
        // A refusal in the form of 3.1.1 is the one packet that 5.0 writes longer than it may be received.
        let longest = if packet.packet_type() == PacketType::Connack {
            len.max(5)
        } else {
            len
        };
        assert!(again.len() <= longest);
        assert_eq!(decoder.decode(&again), Ok(packet));
    }
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(parts in parts()) {
        let bytes = encoded(&parts);
        parts.with_packet(|packet| {
            assert_eq!(decoder(&parts).decode(&bytes), Ok(packet));
            let encoder = Encoder::new(parts.version, parts.sender);
            assert_eq!(encoder.encoded_len(&packet), Ok(bytes.len()));
        });
        // What was decoded is encoded from views of bytes instead of from slices, to the very same bytes.
        let mut output = Output::new();
        let packet = decoder(&parts).decode(&bytes).unwrap();
        Encoder::new(parts.version, parts.sender).encode(&packet, &mut output).unwrap();
        assert_eq!(contents(&mut output), bytes);
    }

    #[test]
    fn a_packet_is_there_only_when_all_of_it_is(parts in parts(), behind in vec(any::<u8>(), 0..8)) {
        let mut bytes = encoded(&parts);
        let len = bytes.len();
        bytes.extend(behind);
        let decoder = decoder(&parts);
        for end in 0..=bytes.len() {
            let expected = (end >= len).then_some(len);
            assert_eq!(decoder.frame(&bytes[..end]), Ok(expected));
            let found = { decoder }.next(&bytes[..end]).unwrap().map(|(_, len)| len);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn any_pieces_of_a_stream_are_the_same_packets(
        parts in vec(parts(), 1..6),
        size in 1..64_usize,
    ) {
        // Those that go over one connection, behind each other.
        let (version, sender) = (parts[0].version, parts[0].sender);
        let connection = parts.iter().filter(|parts| {
            parts.packet_type != PacketType::Connect && (parts.version, parts.sender) == (version, sender)
        });
        let packets: Vec<_> = connection.map(encoded).collect();
        let mut expected = packets.iter();
        let mut decoder = Decoder::new(Some(version), sender);
        let mut input = Vec::new();
        for piece in packets.concat().chunks(size) {
            input.extend_from_slice(piece);
            while let Some((packet, len)) = decoder.next(&input).unwrap() {
                let bytes = expected.next().unwrap();
                assert_eq!((&input[..len], Ok(packet)), (&bytes[..], decoder.decode(bytes)));
                input.drain(..len);
            }
        }
        assert!(input.is_empty() && expected.next().is_none());
    }

    #[test]
    fn a_body_cut_short_or_made_longer_is_refused_or_another_packet(parts in parts(), change in any::<i8>()) {
        let bytes = encoded(&parts);
        let header = if bytes[1] < 0x80 { 2 } else { 3 };
        let mut body = bytes[header..].to_vec();
        let len = body.len().saturating_add_signed(isize::from(change));
        body.resize(len, 0);
        let mut other = vec![bytes[0]];
        let groups = [len % 128, len / 128].map(|group| u8::try_from(group).unwrap());
        if len > 0x7F {
            other.extend([groups[0] | 0x80, groups[1]]);
        } else {
            other.push(groups[0]);
        }
        other.extend(body);
        check_bytes(decoder(&parts), &other);
    }

    #[test]
    fn a_packet_with_changed_bytes_is_refused_or_another_packet(
        parts in parts(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encoded(&parts);
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        check_bytes(decoder(&parts), &bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_a_packet(
        version in select(vec![None, Some(ProtocolVersion::V3_1), Some(ProtocolVersion::V3_1_1), Some(ProtocolVersion::V5)]),
        sender in select(vec![Role::Client, Role::Server]),
        first in any::<u8>(),
        body in vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = vec![first, u8::try_from(body.len()).unwrap()];
        bytes.extend(body);
        let mut decoder = Decoder::new(version, sender);
        check_bytes(decoder, &bytes);
        check_bytes(decoder, &bytes[1..]);
        decoder.strict_text = true;
        check_bytes(decoder, &bytes);
    }

    #[test]
    fn a_limit_is_kept_or_the_packet_refused(parts in parts(), limit in 1..400_u32) {
        let encoder = Encoder {
            maximum_packet_size: MaximumPacketSize::new(limit),
            ..Encoder::new(parts.version, parts.sender)
        };
        let mut output = Output::new();
        parts.with_packet(|packet| {
            if encoder.encode(&packet, &mut output).is_ok() {
                assert!(output.len() <= limit as usize);
                let bytes = contents(&mut output);
                let decoded = decoder(&parts).decode(&bytes).unwrap();
                assert_eq!(decoded.packet_type(), packet.packet_type());
            } else {
                assert!(output.is_empty());
            }
        });
    }
}
