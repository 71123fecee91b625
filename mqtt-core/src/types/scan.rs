//! One look at every byte of a text: what is in it that has a meaning.
//!
//! Eight bytes are looked at together. Most fields are too short for the vector instructions that a compiler would make of
//! a plain loop, and every field of every packet is looked at.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
/// `+` and `#` differ in this bit alone.
const WILDCARD_BIT: u64 = u64::from_ne_bytes([b'+' ^ b'#'; 8]);
const WILDCARDS: u64 = u64::from_ne_bytes([b'+' | b'#'; 8]);

/// What was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Scan {
    /// There is a U+0000.
    pub(super) nul: bool,
    /// There is a `+` or `#`.
    pub(super) wildcard: bool,
}

#[inline]
pub(super) fn scan(text: &[u8]) -> Scan {
    let (mut nul, mut wildcard) = (0, 0);
    let mut look = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        nul |= zero_bytes(word);
        wildcard |= zero_bytes((word | WILDCARD_BIT) ^ WILDCARDS);
    };
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        look(*word);
    }
    if !rest.is_empty() {
        // The last eight bytes, some of them for the second time, or as many as there are and spaces.
        look(text.last_chunk().copied().unwrap_or_else(|| {
            let mut word = [b' '; 8];
            for (to, from) in word.iter_mut().zip(rest) {
                *to = *from;
            }
            word
        }));
    }
    Scan {
        nul: nul != 0,
        wildcard: wildcard != 0,
    }
}

/// Not zero if a byte of `word` is zero.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// Every byte at every place of texts of every short length.
    #[test]
    fn finds_what_a_plain_loop_finds() {
        for len in 0..=25 {
            for place in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'a'; len];
                    text[place] = byte;
                    let expected = Scan {
                        nul: byte == 0,
                        wildcard: matches!(byte, b'+' | b'#'),
                    };
                    assert_eq!(scan(&text), expected, "{byte} at {place} of {len}");
                }
            }
            let none = Scan {
                nul: false,
                wildcard: false,
            };
            for byte in [b' ', 0xFF, 0x80, 0x01, 0x22, 0x24, 0x2A, 0x2C] {
                assert_eq!(scan(&vec![byte; len]), none);
            }
        }
    }
}
