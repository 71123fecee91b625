//! Encoder: packets in, checked bytes out.

use bytes::Bytes;

use crate::{
    error::EncodeError,
    packet::{Body, Packet, Publish, PublishAck},
    types::{MaximumPacketSize, PacketType, ReasonCode, Role},
    version::ProtocolVersion,
    wire::{
        LARGE_PAYLOAD, Output, Properties, PropertyHolder, PropertyId, TOO_LONG, Writer,
        var_int_len,
    },
};

/// Writes packets in the form of one version, for one end of a connection.
///
/// Every rule that the standard has for the bytes of a packet is checked before the first byte is written, so an
/// [`Output`] never holds a part of a packet. Encoding allocates only when the output has to grow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Encoder {
    /// The version of the connection.
    pub version: ProtocolVersion,
    /// Which end sends: it refuses what that end must not send.
    pub sender: Role,
    /// The largest packet that the receiver takes, if it has set a limit (v5 3.1.2.11.4, 3.2.2.3.6).
    ///
    /// Answers that are larger lose their User Properties, then their Reason String; what is still larger is refused.
    pub maximum_packet_size: Option<MaximumPacketSize>,
}

impl Encoder {
    /// An encoder for a receiver without a limit.
    #[must_use]
    pub const fn new(version: ProtocolVersion, sender: Role) -> Self {
        Self {
            version,
            sender,
            maximum_packet_size: None,
        }
    }

    /// Appends `packet` to `output`. The payload of a PUBLISH is copied; see [`Encoder::encode_with_payload`].
    ///
    /// # Errors
    /// See [`EncodeError`]. The output is as it was.
    #[inline]
    pub fn encode(&self, packet: &Packet<'_>, output: &mut Output) -> Result<(), EncodeError> {
        self.dispatch(packet, Some(output))?;
        Ok(())
    }

    /// Appends a PUBLISH whose payload is `payload`; the one in `publish` is not looked at. A payload of 4 KiB or more is
    /// referenced, not copied.
    ///
    /// # Errors
    /// See [`EncodeError`]. The output is as it was.
    pub fn encode_with_payload(
        &self,
        publish: &Publish<'_>,
        payload: &Bytes,
        output: &mut Output,
    ) -> Result<(), EncodeError> {
        if payload.len() < LARGE_PAYLOAD {
            let publish = Publish {
                payload,
                ..*publish
            };
            return self.encode(&Packet::Publish(publish), output);
        }
        let before_payload = BeforePayload {
            publish,
            payload_len: payload.len(),
        };
        self.run(PacketType::Publish, &before_payload, Some(output))?;
        output.push_large(payload.clone());
        Ok(())
    }

    /// Checks `packet` as [`Encoder::encode`] does, and returns the size it would have in bytes, fixed header included.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn encoded_len(&self, packet: &Packet<'_>) -> Result<usize, EncodeError> {
        self.dispatch(packet, None)
    }

    /// Checks the code of a packet that has one in every version of 5.0; 3.x has none, which means success.
    #[inline]
    pub(crate) fn check_reason(
        &self,
        packet_type: PacketType,
        reason: ReasonCode,
    ) -> Result<(), EncodeError> {
        let allowed = if self.version.is_v5() {
            // Success is by far the most frequent, and allowed wherever there is a code but in a client's AUTH.
            reason == ReasonCode::SUCCESS && packet_type != PacketType::Auth
                || reason.allowed_in(packet_type, self.sender)
        } else {
            reason == ReasonCode::SUCCESS
        };
        if allowed {
            Ok(())
        } else {
            Err(EncodeError::ReasonCodeNotAllowed {
                packet_type,
                reason,
                version: self.version,
            })
        }
    }

    #[inline]
    pub(crate) fn check_properties(
        &self,
        properties: &Properties<'_>,
        holder: PropertyHolder,
    ) -> Result<(), EncodeError> {
        if properties.is_empty() {
            Ok(())
        } else if self.version.is_v5() {
            properties.check(holder, self.sender)
        } else {
            Err(EncodeError::PropertiesNotInVersion {
                holder,
                version: self.version,
            })
        }
    }

    /// Checks a packet and returns its size; appends it if there is an `output`.
    #[inline]
    fn dispatch(
        &self,
        packet: &Packet<'_>,
        output: Option<&mut Output>,
    ) -> Result<usize, EncodeError> {
        match packet {
            Packet::Publish(body) => self.run(PacketType::Publish, body, output),
            Packet::Puback(ack) => self.run_ack(PacketType::Puback, ack, output),
            Packet::Pubrec(ack) => self.run_ack(PacketType::Pubrec, ack, output),
            Packet::Pubrel(ack) => self.run_ack(PacketType::Pubrel, ack, output),
            Packet::Pubcomp(ack) => self.run_ack(PacketType::Pubcomp, ack, output),
            Packet::Pingreq => self.run(PacketType::Pingreq, &Empty, output),
            Packet::Pingresp => self.run(PacketType::Pingresp, &Empty, output),
            Packet::Connect(body) => self.run(PacketType::Connect, body, output),
            Packet::Connack(body) => self.run(PacketType::Connack, body, output),
            Packet::Subscribe(body) => self.run(PacketType::Subscribe, body, output),
            Packet::Suback(body) => self.run(PacketType::Suback, body, output),
            Packet::Unsubscribe(body) => self.run(PacketType::Unsubscribe, body, output),
            Packet::Unsuback(body) => self.run(PacketType::Unsuback, body, output),
            Packet::Disconnect(body) => self.run(PacketType::Disconnect, body, output),
            Packet::Auth(body) => self.run(PacketType::Auth, body, output),
        }
    }

    #[inline]
    fn run_ack(
        &self,
        packet_type: PacketType,
        ack: &PublishAck<'_>,
        output: Option<&mut Output>,
    ) -> Result<usize, EncodeError> {
        // Most answers, and the most frequent packets of all.
        if ack.is_success() {
            self.run(packet_type, &ack.packet_id, output)
        } else {
            self.run(packet_type, ack, output)
        }
    }

    /// The same for one kind of packet.
    // A function for each, since all in one would save the registers that the largest of them needs. For the same reason what
    // is rare is done in functions to which this one leaves everything that is left to do.
    #[inline(never)]
    fn run<B: Body>(
        &self,
        packet_type: PacketType,
        body: &B,
        output: Option<&mut Output>,
    ) -> Result<usize, EncodeError> {
        self.check(packet_type, body)?;
        let len = body.len(self.version);
        let Some(size) = self.fitting(len) else {
            return self.run_shortened(packet_type, body, output);
        };
        let Some(output) = output else {
            return Ok(size);
        };
        let written = size - body.referenced_len();
        let Some(writer) = output.writer(written) else {
            return self.run_with_room(packet_type, body, written, output);
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the packet is not too large"
        )]
        let writer = writer
            .u8(packet_type.as_u8() << 4 | body.flags(packet_type))
            .var_int(len as u32);
        let writer = body.write(self.version, writer);
        debug_assert!(
            writer.is_full(),
            "{packet_type} has the length it announced"
        );
        Ok(size)
    }

    /// Leaves out what may be left out of an answer that the receiver would not take, one kind after the other
    /// [v5 MQTT-3.2.2-19, MQTT-3.2.2-20, MQTT-3.4.2-2, MQTT-3.4.2-3 and their like for the other answers].
    #[cold]
    #[inline(never)]
    fn run_shortened<B: Body>(
        &self,
        packet_type: PacketType,
        body: &B,
        output: Option<&mut Output>,
    ) -> Result<usize, EncodeError> {
        let len = body.len(self.version);
        for id in [PropertyId::UserProperty, PropertyId::ReasonString] {
            let shorter = body.without(id);
            if shorter.len(self.version) < len {
                return self.run(packet_type, &shorter, output);
            }
        }
        Err(self.too_large(len))
    }

    /// Makes room for `len` bytes and begins again.
    #[cold]
    #[inline(never)]
    fn run_with_room<B: Body>(
        &self,
        packet_type: PacketType,
        body: &B,
        len: usize,
        output: &mut Output,
    ) -> Result<usize, EncodeError> {
        output.grow(len);
        self.run(packet_type, body, Some(output))
    }

    /// Checks every rule that does not depend on the size.
    #[inline]
    fn check<B: Body>(&self, packet_type: PacketType, body: &B) -> Result<(), EncodeError> {
        if packet_type.may_be_sent_by(self.sender, self.version) {
            return body.check(packet_type, self);
        }
        let (sender, version) = (self.sender, self.version);
        Err(EncodeError::WrongSender {
            packet_type,
            sender,
            version,
        })
    }

    /// The size of a packet with a body of `len` bytes, if the receiver takes it.
    #[inline]
    fn fitting(&self, len: usize) -> Option<usize> {
        if len >= TOO_LONG {
            return None;
        }
        let size = packet_size(len);
        match self.maximum_packet_size {
            Some(limit) if size > limit.get() as usize => None,
            _ => Some(size),
        }
    }

    #[cold]
    fn too_large(&self, len: usize) -> EncodeError {
        let possible = MaximumPacketSize::LARGEST_POSSIBLE;
        EncodeError::PacketTooLarge {
            size: if len < TOO_LONG {
                packet_size(len)
            } else {
                usize::MAX
            },
            limit: self.maximum_packet_size.unwrap_or(possible).get(),
        }
    }
}

/// The size of a packet with a body of `len` bytes.
#[inline]
const fn packet_size(len: usize) -> usize {
    1 + var_int_len(len) + len
}

/// The body of PINGREQ and PINGRESP.
#[derive(Clone, Copy)]
struct Empty;

impl Body for Empty {
    fn check(&self, _packet_type: PacketType, _encoder: &Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    fn len(&self, _version: ProtocolVersion) -> usize {
        0
    }

    fn write<'o>(&self, _version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        writer
    }
}

/// The body of a PUBLISH with a payload of this length that is referenced.
#[derive(Clone, Copy)]
struct BeforePayload<'a> {
    publish: &'a Publish<'a>,
    payload_len: usize,
}

impl Body for BeforePayload<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        self.publish.check(packet_type, encoder)
    }

    fn flags(&self, packet_type: PacketType) -> u8 {
        self.publish.flags(packet_type)
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        self.publish.variable_header_len(version) + self.payload_len
    }

    fn referenced_len(&self) -> usize {
        self.payload_len
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        self.publish.write_variable_header(version, writer)
    }
}
