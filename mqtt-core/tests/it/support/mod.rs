//! What the tests share: bytes written by hand, and a client joined to a scripted server on a clock that the test moves.

mod pair;

pub(crate) use self::pair::{Pair, message, options_v5, options_v311};

/// Bytes written as in the standard: pairs of hexadecimal digits, and text in single quotes. Blanks mean nothing.
///
/// `hex("30 05 0001 'a' 00 'x'")` is a PUBLISH of 5.0.
#[track_caller]
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> = part
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
            .collect();
        assert!(digits.len().is_multiple_of(2), "half a byte in {part:?}");
        bytes.extend(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    bytes
}

/// The reverse, for messages of failed tests.
pub(crate) fn show(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X} ")).collect()
}
