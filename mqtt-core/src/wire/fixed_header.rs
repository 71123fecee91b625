//! The fixed header (v5 2.1, v311 2.2): the only code that may answer "more bytes, please".

use crate::{error::DecodeError, wire::var_int::VarInt};

/// The first bytes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FixedHeader {
    /// Packet type and flags.
    pub(crate) first: u8,
    remaining_length: VarInt,
}

impl FixedHeader {
    /// Reads from the front of `input`; `None` means that the fixed header is not all there.
    #[inline]
    pub(crate) fn read(input: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some((first, rest)) = input.split_first() else {
            return Ok(None);
        };
        let remaining_length = VarInt::read(rest)?;
        Ok(remaining_length.map(|remaining_length| Self {
            first: *first,
            remaining_length,
        }))
    }

    /// Bytes of the fixed header, 2 to 5.
    #[inline]
    pub(crate) const fn len(self) -> usize {
        self.remaining_length.len + 1
    }

    /// Bytes of the whole packet. It fits, since Remaining Length has at most 28 bits.
    #[inline]
    pub(crate) const fn packet_len(self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 5")]
        let len = self.len() as u32;
        len + self.remaining_length.value
    }

    /// Whether Remaining Length is in its shortest form.
    #[inline]
    pub(crate) const fn is_minimal(self) -> bool {
        self.remaining_length.is_minimal()
    }
}
