//! The decoder that the first bytes of an input ask for.

use mqtt_core::{Decoder, MaximumPacketSize, ProtocolVersion, Role};

/// Takes one byte off the front of `data` and makes a decoder of it.
pub(crate) fn decoder<'a>(data: &mut &'a [u8]) -> Option<Decoder> {
    let (&choice, rest): (&u8, &'a [u8]) = data.split_first()?;
    *data = rest;
    let version = match choice & 0b11 {
        0 => None,
        1 => Some(ProtocolVersion::V3_1),
        2 => Some(ProtocolVersion::V3_1_1),
        _ => Some(ProtocolVersion::V5),
    };
    let sender = if choice & 0b100 == 0 {
        Role::Client
    } else {
        Role::Server
    };
    let mut decoder = Decoder::new(version, sender);
    decoder.strict_text = choice & 0b1000 != 0;
    if choice & 0b1_0000 != 0
        && let Some(limit) = MaximumPacketSize::new(64)
    {
        decoder.maximum_packet_size = limit;
    }
    Some(decoder)
}
