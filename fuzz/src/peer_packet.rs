//! Packets of a peer that mostly keeps the standard, with small numbers so that they often mean something.

use arbitrary::{Result, Unstructured};
use bytes::Buf;
use mqtt_core::{
    Auth, Connack, Connect, Delivery, Disconnect, Encoder, KeepAlive, MaximumPacketSize, Output,
    Packet, PacketId, Properties, Property, ProtocolVersion, Publish, PublishAck, QoS, ReasonCode,
    ReasonCodes, ReceiveMaximum, Role, SessionExpiry, Suback, Subscribe, SubscribeFilters,
    TopicAlias, TopicFilter, TopicName, Unsuback, Unsubscribe, UnsubscribeFilters, Utf8, Will,
};

/// Identifiers are given out from the lowest.
const MAX_PACKET_ID: u16 = 8;

/// Appends a packet that `sender` may send, made of `input`, or now and then a few bytes that are none.
pub(crate) fn append(
    version: ProtocolVersion,
    sender: Role,
    input: &mut Unstructured<'_>,
    wire: &mut Vec<u8>,
) -> Result<()> {
    Peer {
        version,
        sender,
        wire,
    }
    .append(input)
}

struct Peer<'w> {
    version: ProtocolVersion,
    sender: Role,
    wire: &'w mut Vec<u8>,
}

impl Peer<'_> {
    fn append(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let properties = Properties::EMPTY;
        match (input.int_in_range(0..=11)?, self.sender) {
            (0..=2, _) => return self.publish(input),
            (3, _) => self.write(Packet::Puback(self.ack(input)?)),
            (4, _) => self.write(Packet::Pubrec(self.ack(input)?)),
            (5, _) => self.write(Packet::Pubrel(self.ack(input)?)),
            (6, _) => self.write(Packet::Pubcomp(self.ack(input)?)),
            (7, Role::Server) => return self.connack(input),
            (7, Role::Client) => return self.connect(input),
            (8, Role::Server) => return self.answer(input),
            (8, Role::Client) => return self.request(input),
            (9, Role::Server) => self.write(Packet::Pingresp),
            (9, Role::Client) => self.write(Packet::Pingreq),
            (10, _) => {
                let bytes: &[u8] = input.arbitrary()?;
                self.wire.extend(bytes);
            }
            _ => {
                let reason = self.reason(input)?;
                self.write(if input.ratio(1, 4)? {
                    Packet::Auth(Auth { reason, properties })
                } else {
                    Packet::Disconnect(Disconnect { reason, properties })
                });
            }
        }
        Ok(())
    }

    /// Not every packet made here may be sent; then there is none.
    fn write(&mut self, packet: Packet<'_>) {
        let mut output = Output::new();
        let encoder = Encoder::new(self.version, self.sender);
        if encoder.encode(&packet, &mut output).is_ok() {
            self.wire.extend(output.copy_to_bytes(output.len()));
        }
    }

    fn publish(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let alias = if self.version.is_v5() {
            input.int_in_range(0..=4)?
        } else {
            0
        };
        let property = TopicAlias::new(alias).map(Property::TopicAlias);
        let topic = TopicName::new("t").expect("it has no wildcard");
        let delivery = match input.int_in_range(0..=2)? {
            0 => Delivery::AtMostOnce,
            1 => Delivery::AtLeastOnce(packet_id(input)?),
            _ => Delivery::ExactlyOnce(packet_id(input)?),
        };
        let publish = Publish {
            dup: input.ratio(1, 4)?,
            retain: input.arbitrary()?,
            delivery,
            topic: (alias == 0 || input.arbitrary()?).then_some(topic),
            payload: input.arbitrary()?,
            properties: Properties::new(property.as_slice()),
        };
        self.write(Packet::Publish(publish));
        Ok(())
    }

    fn ack<'a>(&self, input: &mut Unstructured<'_>) -> Result<PublishAck<'a>> {
        Ok(PublishAck {
            packet_id: packet_id(input)?,
            reason: self.reason(input)?,
            properties: Properties::EMPTY,
        })
    }

    fn reason(&self, input: &mut Unstructured<'_>) -> Result<ReasonCode> {
        if self.version.is_v5() && input.ratio(1, 4)? {
            return Ok(*input.choose(ReasonCode::ALL)?);
        }
        Ok(ReasonCode::SUCCESS)
    }

    fn connack(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let reason = if input.ratio(1, 8)? {
            ReasonCode::SERVER_UNAVAILABLE
        } else {
            ReasonCode::SUCCESS
        };
        let session_present = input.arbitrary()?;
        let mut properties = Vec::new();
        if self.version.is_v5() {
            properties = limits(input)?;
            if input.ratio(1, 4)? {
                let qos = QoS::from_u8(input.int_in_range(0..=1)?);
                properties.extend(qos.map(Property::MaximumQoS));
                properties.push(Property::RetainAvailable(input.arbitrary()?));
                properties.push(Property::SharedSubscriptionAvailable(input.arbitrary()?));
                properties.push(Property::ServerKeepAlive(KeepAlive::from_secs(2)));
            }
            if input.ratio(1, 4)? {
                let id = Utf8::new("given").expect("it is text");
                properties.push(Property::AssignedClientIdentifier(id));
            }
        }
        self.write(Packet::Connack(Connack {
            session_present,
            reason,
            properties: Properties::new(&properties),
        }));
        Ok(())
    }

    fn connect(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let mut properties = Vec::new();
        if self.version.is_v5() {
            properties = limits(input)?;
            let expiry = SessionExpiry::from_secs(input.int_in_range(0..=9)?);
            properties.push(Property::SessionExpiryInterval(expiry));
        }
        let topic = TopicName::new("will").expect("it has no wildcard");
        let will = Will {
            topic,
            payload: b"gone",
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: Properties::EMPTY,
        };
        self.write(Packet::Connect(Connect {
            version: self.version,
            clean_start: input.arbitrary()?,
            keep_alive: KeepAlive::from_secs(input.int_in_range(0..=4)?),
            client_id: Utf8::new(input.choose(&["c", ""])?).expect("it is text"),
            will: input.ratio(1, 4)?.then_some(will),
            username: None,
            password: None,
            properties: Properties::new(&properties),
        }));
        Ok(())
    }

    fn request(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let known = ["a", "#", "$share/g/a", "+/b"];
        let filter = TopicFilter::new(input.choose(&known)?).expect("it is one");
        let count = input.int_in_range(1..=3)?;
        let packet_id = packet_id(input)?;
        if input.arbitrary()? {
            self.write(Packet::Subscribe(Subscribe {
                packet_id,
                filters: SubscribeFilters::new(&vec![(filter, QoS::ExactlyOnce.into()); count]),
                properties: Properties::EMPTY,
            }));
        } else {
            self.write(Packet::Unsubscribe(Unsubscribe {
                packet_id,
                filters: UnsubscribeFilters::new(&vec![filter; count]),
                properties: Properties::EMPTY,
            }));
        }
        Ok(())
    }

    fn answer(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let packet_id = packet_id(input)?;
        let properties = Properties::EMPTY;
        let reasons = vec![self.reason(input)?; input.int_in_range(1..=2)?];
        let reasons = ReasonCodes::new(&reasons);
        if input.arbitrary()? {
            self.write(Packet::Suback(Suback {
                packet_id,
                reasons,
                properties,
            }));
        } else {
            let reasons = if self.version.is_v5() {
                reasons
            } else {
                ReasonCodes::new(&[])
            };
            self.write(Packet::Unsuback(Unsuback {
                packet_id,
                reasons,
                properties,
            }));
        }
        Ok(())
    }
}

/// What either end may announce, absent, and small enough to be reached.
fn limits<'a>(input: &mut Unstructured<'_>) -> Result<Vec<Property<'a>>> {
    let mut properties = Vec::new();
    let receive_maximum = ReceiveMaximum::new(input.int_in_range(0..=3)?);
    properties.extend(receive_maximum.map(Property::ReceiveMaximum));
    let maximum_packet_size = MaximumPacketSize::new(input.int_in_range(0..=60)?);
    properties.extend(maximum_packet_size.map(Property::MaximumPacketSize));
    properties.push(Property::TopicAliasMaximum(input.int_in_range(0..=2)?));
    Ok(properties)
}

fn packet_id(input: &mut Unstructured<'_>) -> Result<PacketId> {
    let number = input.int_in_range(1..=MAX_PACKET_ID)?;
    Ok(PacketId::new(number).expect("it is not zero"))
}
