//! Big-endian and length-prefixed fields into a place that was measured before.

use crate::{types::MAX_FIELD_LEN, wire::var_int::MAX_VAR_INT};

/// Writes fields into a slice of exactly the size that they take. Every length was checked before anything is written, so
/// nothing here can fail.
///
/// Each method takes the writer and gives back one for what comes behind: so it stays in registers.
#[derive(Debug)]
#[must_use]
pub(crate) struct Writer<'o> {
    rest: &'o mut [u8],
}

impl<'o> Writer<'o> {
    #[inline]
    pub(crate) const fn new(place: &'o mut [u8]) -> Self {
        Self { rest: place }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(self, bytes: [u8; N]) -> Self {
        let Some((place, rest)) = self.rest.split_first_chunk_mut() else {
            return Self::overrun();
        };
        *place = bytes;
        Self { rest }
    }

    #[inline]
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let Some((place, rest)) = self.rest.split_at_mut_checked(bytes.len()) else {
            return Self::overrun();
        };
        place.copy_from_slice(bytes);
        Self { rest }
    }

    /// What was measured was too little, which a test would have found. There is room for nothing more.
    #[cold]
    fn overrun() -> Self {
        debug_assert!(false, "measured before writing");
        Self { rest: &mut [] }
    }

    #[inline]
    pub(crate) fn u8(self, value: u8) -> Self {
        self.array([value])
    }

    #[inline]
    pub(crate) fn u16(self, value: u16) -> Self {
        self.array(value.to_be_bytes())
    }

    #[inline]
    pub(crate) fn u32(self, value: u32) -> Self {
        self.array(value.to_be_bytes())
    }

    /// A Variable Byte Integer in its shortest form. The caller has checked that `value` is one.
    #[inline]
    pub(crate) fn var_int(self, value: u32) -> Self {
        match value {
            0..=0x7F => self.u8((value & 0x7F) as u8),
            _ => self.long_var_int(value),
        }
    }

    fn long_var_int(self, value: u32) -> Self {
        debug_assert!(value <= MAX_VAR_INT, "checked before writing");
        let group = |shift: u32| (value >> shift & 0x7F) as u8;
        match value {
            0..=0x3FFF => self.array([group(0) | 0x80, group(7)]),
            0x4000..=0x1F_FFFF => self.array([group(0) | 0x80, group(7) | 0x80, group(14)]),
            _ => self.array([
                group(0) | 0x80,
                group(7) | 0x80,
                group(14) | 0x80,
                group(21),
            ]),
        }
    }

    /// A string or Binary Data behind its two byte length. The caller has checked that it is not longer than that.
    #[inline]
    pub(crate) fn field(self, bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= MAX_FIELD_LEN, "checked before writing");
        #[expect(clippy::cast_possible_truncation, reason = "checked before writing")]
        self.u16(bytes.len() as u16).bytes(bytes)
    }

    /// Whether everything that was measured was written.
    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_when_everything_that_was_measured_was_written() {
        let mut place = [0; 2];
        let writer = Writer::new(&mut place);
        assert!(!writer.is_full());
        let writer = writer.u8(1);
        assert!(!writer.is_full());
        assert!(writer.u8(2).is_full());
        assert_eq!(place, [1, 2]);
    }
}
