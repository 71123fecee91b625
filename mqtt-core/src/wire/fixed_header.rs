//! The fixed header (v5 2.1, v311 2.2): the only code that may answer "more bytes, please".

use crate::{error::DecodeError, wire::var_int::VarInt};

/// The first bytes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FixedHeader {
    /// Packet type and flags.
    pub(crate) first: u8,
    /// Bytes of the fixed header, 2 to 5.
    pub(crate) len: usize,
    /// Whether Remaining Length is in its shortest form.
    pub(crate) is_minimal: bool,
    /// Bytes of the whole packet.
    pub(crate) packet_len: u32,
}

impl FixedHeader {
    /// Reads from the front of `input`; `None` means that the fixed header is not all there.
    #[inline]
    pub(crate) fn read(input: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some((first, rest)) = input.split_first() else {
            return Ok(None);
        };
        let remaining_length = VarInt::read(rest)?;
        Ok(remaining_length.map(|remaining_length| {
            let len = 1 + remaining_length.len;
            Self {
                first: *first,
                len: len as usize,
                is_minimal: remaining_length.is_minimal,
                // It fits, since Remaining Length has at most 28 bits.
                packet_len: len + remaining_length.value,
            }
        }))
    }
}
