//! Big-endian and length-prefixed appends. Every length was checked before anything is written.

use alloc::vec::Vec;

use crate::{types::MAX_FIELD_LEN, wire::var_int::MAX_VAR_INT};

/// Appends fields to a buffer.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    buffer: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    #[inline]
    pub(crate) const fn new(buffer: &'o mut Vec<u8>) -> Self {
        Self { buffer }
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    #[inline]
    pub(crate) fn u8(&mut self, value: u8) {
        self.buffer.push(value);
    }

    #[inline]
    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    #[inline]
    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A Variable Byte Integer in its shortest form. The caller has checked that `value` is one.
    #[inline]
    pub(crate) fn var_int(&mut self, value: u32) {
        debug_assert!(value <= MAX_VAR_INT, "checked before writing");
        let group = |shift: u32| (value >> shift & 0x7F) as u8;
        match value {
            0..=0x7F => self.bytes(&[group(0)]),
            0x80..=0x3FFF => self.bytes(&[group(0) | 0x80, group(7)]),
            0x4000..=0x1F_FFFF => self.bytes(&[group(0) | 0x80, group(7) | 0x80, group(14)]),
            _ => self.bytes(&[
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
}
