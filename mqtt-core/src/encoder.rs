//! Encoder: packets in, checked bytes out.

use bytes::Bytes;

use crate::{
    error::EncodeError,
    packet::{Body, Packet, Publish},
    types::{MaximumPacketSize, PacketType, ReasonCode, Role},
    version::ProtocolVersion,
    wire::{
        LARGE_PAYLOAD, MAX_VAR_INT, Output, Properties, PropertyHolder, PropertyId, Writer,
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
        self.dispatch(packet, &mut Write { output })?;
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
        let publish = Publish {
            payload,
            ..*publish
        };
        if payload.len() < LARGE_PAYLOAD {
            return self.encode(&Packet::Publish(publish), output);
        }
        self.check(PacketType::Publish, &publish)?;
        let sizes = self.sizes(&publish)?;
        let mut writer = output.writer(sizes.packet - payload.len());
        sizes.write_fixed_header(
            PacketType::Publish,
            publish.flags(PacketType::Publish),
            &mut writer,
        );
        publish.write_variable_header(self.version, &mut writer);
        debug_assert!(writer.is_full(), "PUBLISH has the length it announced");
        output.push_large(payload.clone());
        Ok(())
    }

    /// Checks `packet` as [`Encoder::encode`] does, and returns the size it would have in bytes, fixed header included.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn encoded_len(&self, packet: &Packet<'_>) -> Result<usize, EncodeError> {
        self.dispatch(packet, &mut Measure)
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

    #[inline]
    fn dispatch(&self, packet: &Packet<'_>, task: &mut impl Task) -> Result<usize, EncodeError> {
        // With the type by name in each arm, what depends on it alone is known when this is compiled.
        match packet {
            Packet::Publish(body) => self.run(task, PacketType::Publish, body),
            Packet::Puback(body) => self.run(task, PacketType::Puback, body),
            Packet::Pubrec(body) => self.run(task, PacketType::Pubrec, body),
            Packet::Pubrel(body) => self.run(task, PacketType::Pubrel, body),
            Packet::Pubcomp(body) => self.run(task, PacketType::Pubcomp, body),
            Packet::Pingreq => self.run(task, PacketType::Pingreq, &Empty),
            Packet::Pingresp => self.run(task, PacketType::Pingresp, &Empty),
            Packet::Connect(body) => self.run(task, PacketType::Connect, body),
            Packet::Connack(body) => self.run(task, PacketType::Connack, body),
            Packet::Subscribe(body) => self.run(task, PacketType::Subscribe, body),
            Packet::Suback(body) => self.run(task, PacketType::Suback, body),
            Packet::Unsubscribe(body) => self.run(task, PacketType::Unsubscribe, body),
            Packet::Unsuback(body) => self.run(task, PacketType::Unsuback, body),
            Packet::Disconnect(body) => self.run(task, PacketType::Disconnect, body),
            Packet::Auth(body) => self.run(task, PacketType::Auth, body),
        }
    }

    /// Checks everything, then does what is to be done with the packet; returns its size.
    #[inline]
    fn run<B: Body>(
        &self,
        task: &mut impl Task,
        packet_type: PacketType,
        body: &B,
    ) -> Result<usize, EncodeError> {
        self.check(packet_type, body)?;
        if let Ok(sizes) = self.sizes(body) {
            task.run(self.version, packet_type, body, sizes);
            return Ok(sizes.packet);
        }
        let (shorter, sizes) = self.shortened(body)?;
        task.run(self.version, packet_type, &shorter, sizes);
        Ok(sizes.packet)
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

    /// Leaves out what may be left out of an answer that the receiver would not take, one kind after the other
    /// [v5 MQTT-3.2.2-19, MQTT-3.2.2-20, MQTT-3.4.2-2, MQTT-3.4.2-3 and their like for the other answers].
    #[cold]
    fn shortened<B: Body>(&self, body: &B) -> Result<(B, Sizes), EncodeError> {
        let shorter = body.without(PropertyId::UserProperty);
        if let Ok(sizes) = self.sizes(&shorter) {
            return Ok((shorter, sizes));
        }
        let shorter = shorter.without(PropertyId::ReasonString);
        Ok((shorter, self.sizes(&shorter)?))
    }

    #[inline]
    fn sizes<B: Body>(&self, body: &B) -> Result<Sizes, EncodeError> {
        let len = body.len(self.version);
        let limit = self
            .maximum_packet_size
            .unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE)
            .get();
        let (remaining_length, packet) = match u32::try_from(len) {
            Ok(value) if value <= MAX_VAR_INT => (value, 1 + var_int_len(value) + len),
            _ => (0, usize::MAX),
        };
        // Compared as u64, since a limit above the address space of a small machine is no limit there.
        if packet as u64 > u64::from(limit) || packet == usize::MAX {
            return Err(EncodeError::PacketTooLarge {
                size: packet,
                limit,
            });
        }
        Ok(Sizes {
            remaining_length,
            packet,
        })
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    remaining_length: u32,
    /// The whole packet.
    packet: usize,
}

impl Sizes {
    #[inline]
    fn write_fixed_header(self, packet_type: PacketType, flags: u8, writer: &mut Writer<'_>) {
        writer.u8(packet_type.as_u8() << 4 | flags);
        writer.var_int(self.remaining_length);
    }
}

/// What is done with a packet that was checked.
trait Task {
    fn run<B: Body>(
        &mut self,
        version: ProtocolVersion,
        packet_type: PacketType,
        body: &B,
        sizes: Sizes,
    );
}

struct Write<'o> {
    output: &'o mut Output,
}

impl Task for Write<'_> {
    // A call would take longer than writing a small packet.
    #[inline(always)]
    fn run<B: Body>(
        &mut self,
        version: ProtocolVersion,
        packet_type: PacketType,
        body: &B,
        sizes: Sizes,
    ) {
        let mut writer = self.output.writer(sizes.packet);
        sizes.write_fixed_header(packet_type, body.flags(packet_type), &mut writer);
        body.write(version, &mut writer);
        debug_assert!(
            writer.is_full(),
            "{packet_type} has the length it announced"
        );
    }
}

struct Measure;

impl Task for Measure {
    fn run<B: Body>(&mut self, _: ProtocolVersion, _: PacketType, _: &B, _: Sizes) {}
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

    fn write(&self, _version: ProtocolVersion, _writer: &mut Writer<'_>) {}
}
