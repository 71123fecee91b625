//! What is encoded is accepted and says the same; with a byte changed it is refused or says what its bytes say.

use arbitrary::{Result, Unstructured};
use bytes::{Buf, Bytes};
use mqtt_core::{
    Auth, Connack, Connect, Decoder, Disconnect, Encoder, KeepAlive, Output, Packet, PacketType,
    Properties, Property, PropertyHolder, ProtocolVersion, Publish, PublishAck, ReasonCode,
    ReasonCodes, Role, Suback, Subscribe, SubscribeFilters, SubscribeOptions, TopicFilter,
    Unsuback, Unsubscribe, UnsubscribeFilters, Will,
};

use crate::{decode_packet, parts, roundtrip};

/// Large enough to be referenced by the output instead of copied.
const LARGE: &[u8] = &[b'x'; 5_000];

/// Builds a packet from `data` field by field and encodes it. If that is allowed, decodes it again, and once more with a byte
/// changed.
///
/// # Panics
/// If our own decoder refuses the packet or finds something else in it, or if encoding it again gives other bytes.
pub fn encode_packet(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let version = match input.int_in_range(0..=7)? {
        0 => ProtocolVersion::V3_1,
        1 | 2 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    };
    let packet_type = *input.choose(&PacketType::ALL)?;
    let sender = sender(packet_type, input)?;
    let lists = Lists::arbitrary(version, packet_type, input)?;
    let packet = lists.packet(version, packet_type, input)?;

    let encoder = Encoder::new(version, sender);
    let Some(bytes) = roundtrip::encode(&encoder, &packet) else {
        return Ok(());
    };
    let decoder = Decoder::new(Some(version), sender);
    assert_eq!(decoder.decode(&bytes), Ok(as_received(packet, version)));
    decode_packet::check(decoder, &bytes);
    roundtrip::check(decoder, &bytes);
    if let Packet::Publish(publish) = packet {
        let payload = Bytes::copy_from_slice(publish.payload);
        let mut output = Output::new();
        encoder
            .encode_with_payload(&publish, &payload, &mut output)
            .expect("it was encoded before");
        assert_eq!(output.len(), bytes.len());
        assert_eq!(output.copy_to_bytes(bytes.len()), bytes);
    }

    let mut changed = bytes;
    for _ in 0..input.int_in_range(1..=2)? {
        let at = input.choose_index(changed.len())?;
        changed[at] = input.arbitrary()?;
    }
    decode_packet::check(decoder, &changed);
    roundtrip::check(decoder, &changed);
    Ok(())
}

/// 3.x has no codes in UNSUBACK, so those that say nothing but success are not there.
fn as_received(packet: Packet<'_>, version: ProtocolVersion) -> Packet<'_> {
    match packet {
        Packet::Unsuback(unsuback) if !version.is_v5() => Packet::Unsuback(Unsuback {
            reasons: ReasonCodes::new(&[]),
            ..unsuback
        }),
        packet => packet,
    }
}

/// The end that may send this packet, or either.
fn sender(packet_type: PacketType, input: &mut Unstructured<'_>) -> Result<Role> {
    Ok(match packet_type {
        PacketType::Connect
        | PacketType::Subscribe
        | PacketType::Unsubscribe
        | PacketType::Pingreq => Role::Client,
        PacketType::Connack | PacketType::Suback | PacketType::Unsuback | PacketType::Pingresp => {
            Role::Server
        }
        _ => *input.choose(&[Role::Client, Role::Server])?,
    })
}

/// What a packet borrows.
struct Lists<'a> {
    properties: Vec<Property<'a>>,
    will_properties: Vec<Property<'a>>,
    subscriptions: Vec<(TopicFilter<'a>, SubscribeOptions)>,
    filters: Vec<TopicFilter<'a>>,
    reasons: Vec<ReasonCode>,
}

impl<'a> Lists<'a> {
    fn arbitrary(
        version: ProtocolVersion,
        packet_type: PacketType,
        input: &mut Unstructured<'a>,
    ) -> Result<Self> {
        // 3.x has no properties, and nothing else of the packet is seen when it has some.
        let has_properties = version.is_v5() || input.ratio(1, 16)?;
        let list = |holder, wanted: bool, input: &mut Unstructured<'a>| {
            if wanted && has_properties {
                parts::properties(input, holder)
            } else {
                Ok(Vec::new())
            }
        };
        let properties = list(PropertyHolder::Packet(packet_type), true, input)?;
        let is_connect = packet_type == PacketType::Connect;
        let will_properties = list(PropertyHolder::Will, is_connect, input)?;
        let mut lists = Self {
            properties,
            will_properties,
            subscriptions: Vec::new(),
            filters: Vec::new(),
            reasons: Vec::new(),
        };
        let count = input.int_in_range(0..=4)?;
        for _ in 0..count {
            match packet_type {
                PacketType::Subscribe => lists.subscriptions.push((
                    parts::topic_filter(input)?,
                    parts::subscribe_options(input)?,
                )),
                PacketType::Unsubscribe => lists.filters.push(parts::topic_filter(input)?),
                PacketType::Suback | PacketType::Unsuback => {
                    lists.reasons.push(parts::reason(input)?);
                }
                _ => break,
            }
        }
        Ok(lists)
    }

    fn packet<'l>(
        &'l self,
        version: ProtocolVersion,
        packet_type: PacketType,
        input: &mut Unstructured<'a>,
    ) -> Result<Packet<'l>> {
        let properties = Properties::new(&self.properties);
        let ack = |input: &mut Unstructured<'a>| {
            Ok(PublishAck {
                packet_id: parts::packet_id(input)?,
                reason: parts::reason(input)?,
                properties,
            })
        };
        Ok(match packet_type {
            PacketType::Connect => Packet::Connect(self.connect(version, input)?),
            PacketType::Connack => Packet::Connack(Connack {
                session_present: input.arbitrary()?,
                reason: parts::reason(input)?,
                properties,
            }),
            PacketType::Publish => Packet::Publish(self.publish(input)?),
            PacketType::Puback => Packet::Puback(ack(input)?),
            PacketType::Pubrec => Packet::Pubrec(ack(input)?),
            PacketType::Pubrel => Packet::Pubrel(ack(input)?),
            PacketType::Pubcomp => Packet::Pubcomp(ack(input)?),
            PacketType::Subscribe => Packet::Subscribe(Subscribe {
                packet_id: parts::packet_id(input)?,
                filters: SubscribeFilters::new(&self.subscriptions),
                properties,
            }),
            PacketType::Suback => Packet::Suback(Suback {
                packet_id: parts::packet_id(input)?,
                reasons: ReasonCodes::new(&self.reasons),
                properties,
            }),
            PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe {
                packet_id: parts::packet_id(input)?,
                filters: UnsubscribeFilters::new(&self.filters),
                properties,
            }),
            PacketType::Unsuback => Packet::Unsuback(Unsuback {
                packet_id: parts::packet_id(input)?,
                reasons: ReasonCodes::new(&self.reasons),
                properties,
            }),
            PacketType::Pingreq => Packet::Pingreq,
            PacketType::Pingresp => Packet::Pingresp,
            PacketType::Disconnect => Packet::Disconnect(Disconnect {
                reason: parts::reason(input)?,
                properties,
            }),
            PacketType::Auth => Packet::Auth(Auth {
                reason: parts::reason(input)?,
                properties,
            }),
        })
    }

    fn connect<'l>(
        &'l self,
        version: ProtocolVersion,
        input: &mut Unstructured<'a>,
    ) -> Result<Connect<'l>> {
        let will = if input.arbitrary()? {
            Some(Will {
                topic: parts::topic_name(input)?,
                payload: input.arbitrary()?,
                qos: parts::qos(input)?,
                retain: input.arbitrary()?,
                properties: Properties::new(&self.will_properties),
            })
        } else {
            None
        };
        let has_username = input.arbitrary()?;
        Ok(Connect {
            version,
            clean_start: input.arbitrary()?,
            keep_alive: KeepAlive::from_secs(input.arbitrary()?),
            client_id: parts::text(input)?,
            will,
            username: if has_username {
                Some(parts::text(input)?)
            } else {
                None
            },
            password: input.arbitrary()?,
            properties: Properties::new(&self.properties),
        })
    }

    fn publish<'l>(&'l self, input: &mut Unstructured<'a>) -> Result<Publish<'l>> {
        Ok(Publish {
            dup: input.arbitrary()?,
            retain: input.arbitrary()?,
            delivery: parts::delivery(input)?,
            topic: if input.ratio(7, 8)? {
                Some(parts::topic_name(input)?)
            } else {
                None
            },
            payload: if input.ratio(1, 16)? {
                LARGE
            } else {
                input.arbitrary()?
            },
            properties: Properties::new(&self.properties),
        })
    }
}
