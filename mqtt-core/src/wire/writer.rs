//! Big-endian and length-prefixed fields into a place that was measured before.

use crate::{types::MAX_FIELD_LEN, wire::var_int::MAX_VAR_INT};

/// Writes fields into a slice of exactly the size that they take. Every length was checked before anything is written, so
/// nothing here can fail.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    rest: &'o mut [u8],
}

impl<'o> Writer<'o> {
    #[inline]
    pub(crate) const fn new(place: &'o mut [u8]) -> Self {
        Self { rest: place }
    }

    #[inline]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        let rest = core::mem::take(&mut self.rest);
        debug_assert!(rest.len() >= N, "measured before writing");
        if let Some((place, rest)) = rest.split_first_chunk_mut::<N>() {
            *place = bytes;
            self.rest = rest;
        }
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let rest = core::mem::take(&mut self.rest);
        debug_assert!(rest.len() >= bytes.len(), "measured before writing");
        if let Some((place, rest)) = rest.split_at_mut_checked(bytes.len()) {
            place.copy_from_slice(bytes);
            self.rest = rest;
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self, value: u8) {
        self.array([value]);
    }

    #[inline]
    pub(crate) fn u16(&mut self, value: u16) {
        self.array(value.to_be_bytes());
    }

    #[inline]
    pub(crate) fn u32(&mut self, value: u32) {
        self.array(value.to_be_bytes());
    }

    /// A Variable Byte Integer in its shortest form. The caller has checked that `value` is one.
    #[inline]
    pub(crate) fn var_int(&mut self, value: u32) {
        debug_assert!(value <= MAX_VAR_INT, "checked before writing");
        let group = |shift: u32| (value >> shift & 0x7F) as u8;
        match value {
            0..=0x7F => self.array([group(0)]),
            0x80..=0x3FFF => self.array([group(0) | 0x80, group(7)]),
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
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= MAX_FIELD_LEN, "checked before writing");
        #[expect(clippy::cast_possible_truncation, reason = "checked before writing")]
        self.u16(bytes.len() as u16);
        self.bytes(bytes);
    }

    /// Whether everything that was measured was written.
    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.rest.is_empty()
    }
}
