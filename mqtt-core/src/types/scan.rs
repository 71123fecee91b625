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
        wildcard |= wildcards(word);
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

/// The place of the first `+` or `#`.
pub(super) fn find_wildcard(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = wildcards(u64::from_le_bytes(*word));
        if found != 0 {
            // The first byte of the text is the lowest of the word, and the lowest bit that is set is never a false one.
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|byte| matches!(byte, b'+' | b'#'))?;
    Some(words.len() * 8 + place)
}

const fn wildcards(word: u64) -> u64 {
    zero_bytes((word | WILDCARD_BIT) ^ WILDCARDS)
}

/// Not zero if a byte of `word` is zero; then the lowest bit that is set belongs to the lowest such byte.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn finds_the_first_wildcard() {
        for (text, place) in [
            ("abc/#/+/defghi", 4),
            ("++", 0),
            ("devices/+/sensors/+", 8),
            ("1234567#", 7),
            ("*,\u{22}$+", 4),
        ] {
            assert_eq!(find_wildcard(text.as_bytes()), Some(place), "{text}");
        }
    }

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
                    let found = expected.wildcard.then_some(place);
                    assert_eq!(find_wildcard(&text), found, "{byte} at {place} of {len}");
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
