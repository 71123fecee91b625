//! Variable Byte Integer (v5 1.5.5), which 3.x uses for Remaining Length only (v311 2.2.3).

use crate::error::DecodeError;

/// The largest Variable Byte Integer, and so the largest Remaining Length.
pub(crate) const MAX_VAR_INT: u32 = 268_435_455;

/// What stands for every length that no Variable Byte Integer can say. Sums of such lengths do not overflow.
pub(crate) const TOO_LONG: usize = MAX_VAR_INT as usize + 1;

/// How many bytes `value` takes, 1 to 4.
#[inline]
pub(crate) const fn var_int_len(value: usize) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// A Variable Byte Integer as it was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct VarInt {
    pub(crate) value: u32,
    /// Bytes it took, 1 to 4.
    pub(crate) len: u32,
    /// Whether no shorter form exists, as 5.0 demands [v5 MQTT-1.5.5-1].
    pub(crate) is_minimal: bool,
}

impl VarInt {
    /// Reads from the front of `input`; `None` means that all of it was read and the end was not there.
    #[inline]
    pub(crate) const fn read(input: &[u8]) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match *input {
            [a @ ..0x80, ..] => Self::new([a, 0, 0, 0], 1),
            [a, b @ ..0x80, ..] => Self::new([a, b, 0, 0], 2),
            [a, b, c @ ..0x80, ..] => Self::new([a, b, c, 0], 3),
            [a, b, c, d @ ..0x80, ..] => Self::new([a, b, c, d], 4),
            [_, _, _, _, ..] => return Err(DecodeError::VarIntTooLong),
            _ => return Ok(None),
        }))
    }

    /// Seven bits of each byte, the lowest first.
    #[inline]
    const fn new([a, b, c, d]: [u8; 4], len: u32) -> Self {
        let value = (a & 0x7F) as u32
            | ((b & 0x7F) as u32) << 7
            | ((c & 0x7F) as u32) << 14
            | (d as u32) << 21;
        Self {
            value,
            len,
            is_minimal: len as usize == var_int_len(value as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Writer;

    const VECTORS: [(u32, &[u8]); 9] = [
        (0, &[0x00]),
        (127, &[0x7F]),
        (128, &[0x80, 0x01]),
        (321, &[0xC1, 0x02]),
        (16_383, &[0xFF, 0x7F]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xFF, 0xFF, 0x7F]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
    ];

    #[test]
    fn v5_mqtt_1_5_5_1_vectors() {
        for (value, bytes) in VECTORS {
            let mut written = [0; 4];
            let writer = Writer::new(&mut written[..bytes.len()]);
            assert!(writer.var_int(value).is_full());
            assert_eq!(written[..bytes.len()], *bytes);
            assert_eq!(var_int_len(value as usize), bytes.len());
            let read = VarInt::read(bytes).unwrap().unwrap();
            assert_eq!(
                (read.value, read.len as usize, read.is_minimal),
                (value, bytes.len(), true)
            );
            for cut in 0..bytes.len() {
                assert_eq!(VarInt::read(&bytes[..cut]), Ok(None));
            }
        }
    }

    #[test]
    fn v5_mqtt_1_5_5_1_longer_forms_are_seen() {
        for bytes in [
            &[0x80, 0x00][..],
            &[0xFF, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x00],
        ] {
            assert!(!VarInt::read(bytes).unwrap().unwrap().is_minimal);
        }
    }

    #[test]
    fn v5_u_5_1_fifth_byte_is_malformed() {
        for bytes in [
            &[0xFF, 0xFF, 0xFF, 0xFF, 0x7F][..],
            &[0x80, 0x80, 0x80, 0x80, 0x01],
            &[0xFF; 4],
        ] {
            assert_eq!(VarInt::read(bytes), Err(DecodeError::VarIntTooLong));
        }
    }
}
