//! Decoder: received bytes in, whole packets out, size limits applied.

mod first_byte;

use crate::{
    error::DecodeError,
    packet::{
        Auth, Connack, Connect, Disconnect, Origin, Packet, Publish, PublishAck, Suback, Subscribe,
        Unsuback, Unsubscribe,
    },
    types::{MaximumPacketSize, PacketType, Role},
    version::ProtocolVersion,
    wire::{FixedHeader, Reader, TextRules},
};

/// Finds packets in received bytes and decodes them, refusing whatever the standard forbids.
///
/// It keeps no bytes: the caller collects what arrives and takes off the front what was decoded. Nothing is allocated.
///
/// # Where the standard is silent
///
/// - In 3.x a Remaining Length need not be in its shortest form; 5.0 asks for it.
/// - Strings of 3.1 keep the rules of 3.1.1. Its flags without a use and the first byte of its CONNACK are not looked at, and
///   a User Name or Password may be missing at the end of its CONNECT.
/// - What 5.0 forbids without a Reason Code is malformed (0x81) if it can be seen in one field, such as a wildcard in a
///   Topic Name, a Packet Identifier 0 or a Will QoS without a Will, and otherwise a Protocol Error (0x82), such as a Reason
///   Code that its packet does not have.
/// - Payload Format Indicator and Message Expiry Interval are there once in a PUBLISH, as they are in a Will.
/// - A CONNACK of two bytes with a return code of 3.x is a refusal in 5.0 too: of a server that does not know 5.0.
/// - A DISCONNECT may carry 0x8C from both ends and 0x9B from a client, about which the standard says two things. An AUTH
///   without content has no Authentication Method, which its receiver must refuse. None of them is encoded.
/// - A payload need not be what its Payload Format Indicator says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decoder {
    /// The version of the connection. `None` takes a CONNECT of any version and nothing else.
    pub version: Option<ProtocolVersion>,
    /// Which end sent the bytes: it refuses what that end must not send.
    pub sender: Role,
    /// The largest packet to take, in bytes, fixed header included.
    pub maximum_packet_size: MaximumPacketSize,
    /// Whether to refuse strings with control characters and non-characters, which the standard allows a receiver to do
    /// (v5 1.5.4, v311 1.5.3). A client that does so can be disconnected again and again by any publisher.
    pub strict_text: bool,
}

impl Decoder {
    /// A decoder without a limit but that of the encoding, which takes every string that it must take.
    #[must_use]
    pub const fn new(version: Option<ProtocolVersion>, sender: Role) -> Self {
        Self {
            version,
            sender,
            maximum_packet_size: MaximumPacketSize::LARGEST_POSSIBLE,
            strict_text: false,
        }
    }

    /// The size of the packet at the front of `input` if all of it is there, and `None` if it is not.
    ///
    /// What the fixed header alone shows to be wrong is refused as soon as that is there, so that nobody need buffer a
    /// packet that will not be taken.
    ///
    /// # Errors
    /// - [`DecodeError::ReservedPacketType`], [`DecodeError::WrongSender`], [`DecodeError::ConnectExpected`],
    ///   [`DecodeError::FixedHeaderFlags`], [`DecodeError::PublishQos`], [`DecodeError::DupAtQos0`],
    ///   [`DecodeError::VarIntTooLong`], [`DecodeError::VarIntNotMinimal`], [`DecodeError::PacketTooLarge`].
    #[inline]
    pub fn frame(&self, input: &[u8]) -> Result<Option<usize>, DecodeError> {
        let Some((_, header)) = self.header(input)? else {
            return Ok(None);
        };
        Ok(usize::try_from(header.packet_len)
            .ok()
            .filter(|len| *len <= input.len()))
    }

    /// Decodes exactly one whole packet, such as [`Decoder::frame`] has found.
    ///
    /// # Errors
    /// See [`DecodeError`].
    #[inline]
    pub fn decode<'a>(&self, packet: &'a [u8]) -> Result<Packet<'a>, DecodeError> {
        match self.header(packet)? {
            Some((packet_type, header)) if header.packet_len as usize == packet.len() => {
                self.decode_body(packet_type, header, packet, |packet| packet)
            }
            _ => Err(DecodeError::NotOnePacket {
                given: packet.len(),
            }),
        }
    }

    /// Decodes the packet at the front of `input` and returns it with its size; `None` if not all of it is there. A
    /// decoder without a version takes it from the CONNECT.
    ///
    /// # Errors
    /// See [`DecodeError`].
    // What is left here is little, and less where version and sender are known.
    #[inline(always)]
    pub fn next<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<Option<(Packet<'a>, usize)>, DecodeError> {
        let Some((packet_type, header)) = self.header(input)? else {
            return Ok(None);
        };
        let len = header.packet_len as usize;
        let Some(packet) = input.get(..len) else {
            return Ok(None);
        };
        let result = |packet| Some((packet, len));
        let found = self.decode_body(packet_type, header, packet, result);
        if self.version.is_none()
            && let Ok(Some((Packet::Connect(connect), _))) = &found
        {
            self.version = Some(connect.version);
        }
        found
    }

    /// The version that a CONNECT asks for, so that a server can answer one that it could not decode. `None` for anything
    /// else and for a version that the standard does not have.
    #[must_use]
    pub fn connect_version(packet: &[u8]) -> Option<ProtocolVersion> {
        let header = FixedHeader::read(packet).ok()??;
        if header.first >> 4 != PacketType::Connect.as_u8() {
            return None;
        }
        let body = packet.get(header.len..)?;
        Connect::decode_version(&mut Reader::new(body, TextRules::Standard)).ok()
    }

    /// Reads and checks the fixed header; `None` if not all of it is there.
    #[inline]
    fn header(&self, input: &[u8]) -> Result<Option<(PacketType, FixedHeader)>, DecodeError> {
        let Some(first) = input.first() else {
            return Ok(None);
        };
        let packet_type = first_byte::check(*first, self.sender, self.version)?;
        let Some(header) = FixedHeader::read(input)? else {
            return Ok(None);
        };
        if self.version == Some(ProtocolVersion::V5) && !header.is_minimal {
            return Err(DecodeError::VarIntNotMinimal);
        }
        let (size, limit) = (header.packet_len, self.maximum_packet_size.get());
        if size > limit {
            return Err(DecodeError::PacketTooLarge { size, limit });
        }
        Ok(Some((packet_type, header)))
    }

    /// Decodes what comes behind the fixed header. `result` makes of the packet what is returned.
    ///
    /// A `Packet` is as large as its largest kind, so moving one takes longer than decoding a small one. Here each kind is
    /// written once, to where the caller wants it.
    #[inline(always)]
    fn decode_body<'a, R>(
        &self,
        packet_type: PacketType,
        header: FixedHeader,
        packet: &'a [u8],
        result: impl FnOnce(Packet<'a>) -> R,
    ) -> Result<R, DecodeError> {
        // It is there: the header was read from these bytes.
        let body = packet.get(header.len..).unwrap_or_default();
        let origin = Origin {
            // Without a version only a CONNECT comes this far, and it brings its own.
            version: self.version.unwrap_or(ProtocolVersion::V5),
            sender: self.sender,
            flags: header.first & 0x0F,
            text: if self.strict_text {
                TextRules::Strict
            } else {
                TextRules::Standard
            },
        };
        macro_rules! kind {
            ($kind:ident, $decode:expr) => {
                apart(body, origin, $decode, move |packet| {
                    result(Packet::$kind(packet))
                })
            };
        }
        macro_rules! ack {
            ($kind:ident) => {
                match PublishAck::decode_success(body) {
                    Some(ack) => Ok(result(Packet::$kind(ack))),
                    None => kind!($kind, |body, origin| {
                        PublishAck::decode(PacketType::$kind, body, origin)
                    }),
                }
            };
        }
        match packet_type {
            PacketType::Publish => kind!(Publish, Publish::decode),
            PacketType::Puback => ack!(Puback),
            PacketType::Pubrec => ack!(Pubrec),
            PacketType::Pubrel => ack!(Pubrel),
            PacketType::Pubcomp => ack!(Pubcomp),
            PacketType::Connect => {
                kind!(Connect, move |body, origin: Origin| decode_connect(
                    body,
                    origin.flags,
                    header.is_minimal
                ))
            }
            PacketType::Connack => kind!(Connack, Connack::decode),
            PacketType::Subscribe => kind!(Subscribe, Subscribe::decode),
            PacketType::Suback => kind!(Suback, Suback::decode),
            PacketType::Unsubscribe => kind!(Unsubscribe, Unsubscribe::decode),
            PacketType::Unsuback => kind!(Unsuback, Unsuback::decode),
            PacketType::Disconnect => kind!(Disconnect, Disconnect::decode),
            PacketType::Auth => kind!(Auth, Auth::decode),
            PacketType::Pingreq | PacketType::Pingresp if !body.is_empty() => {
                Err(DecodeError::TrailingBytes)
            }
            PacketType::Pingreq => Ok(result(Packet::Pingreq)),
            PacketType::Pingresp => Ok(result(Packet::Pingresp)),
        }
    }
}

/// Decodes one kind of packet in a function of its own: brought together, all kinds would be put in order for the largest.
/// What it is given fits into registers.
#[inline(never)]
fn apart<'a, P, R>(
    body: &'a [u8],
    origin: Origin,
    decode: impl FnOnce(Reader<'a>, Origin) -> Result<P, DecodeError>,
    result: impl FnOnce(P) -> R,
) -> Result<R, DecodeError> {
    decode(Reader::new(body, origin.text), origin).map(result)
}

/// The version in a CONNECT need not be that of the connection.
#[inline]
fn decode_connect(
    mut body: Reader<'_>,
    flags: u8,
    is_minimal: bool,
) -> Result<Connect<'_>, DecodeError> {
    let version = Connect::decode_version(&mut body)?;
    first_byte::check_flags(PacketType::Connect, flags, version)?;
    if version.is_v5() && !is_minimal {
        return Err(DecodeError::VarIntNotMinimal);
    }
    Connect::decode(version, body)
}
