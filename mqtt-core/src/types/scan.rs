//! One look at every byte of a text: what is in it that has a meaning.
//!
//! Eight bytes are looked at together. Most fields are too short for the vector instructions that a compiler would make of
//! a plain loop, and every field of every packet is looked at.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const LOWS: u64 = u64::from_ne_bytes([0x7F; 8]);
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
    each_word(text, |_, word| {
        nul |= any_zero_byte(word);
        wildcard |= any_zero_byte(against_wildcards(word));
    });
    Scan {
        nul: nul != 0,
        wildcard: wildcard != 0,
    }
}

/// The same, for text that is likely to have wildcards: calls `wildcard` with the place of each, in order, and returns
/// whether there is a U+0000.
#[inline]
pub(super) fn scan_wildcards(text: &[u8], mut wildcard: impl FnMut(usize)) -> bool {
    let mut nul = 0;
    each_word(text, |start, word| {
        nul |= any_zero_byte(word);
        let mut found = zero_bytes(against_wildcards(word));
        while found != 0 {
            // The first byte of the text is the lowest of the word.
            wildcard(start + found.trailing_zeros() as usize / 8);
            found &= found - 1;
        }
    });
    nul != 0
}

/// Calls `look` with each eight bytes and their place. The last ones may be fewer, and bytes without a meaning above them.
#[inline]
fn each_word(text: &[u8], mut look: impl FnMut(usize, u64)) {
    let (words, rest) = text.as_chunks::<8>();
    let mut start = 0;
    for word in words {
        look(start, u64::from_le_bytes(*word));
        start += 8;
    }
    if rest.is_empty() {
        return;
    }
    let word = match text.last_chunk() {
        Some(last) => {
            let seen = 8 * (8 - rest.len());
            u64::from_le_bytes(*last) >> seen | !(u64::MAX >> seen)
        }
        None => rest
            .iter()
            .rev()
            .fold(u64::MAX, |word, byte| word << 8 | u64::from(*byte)),
    };
    look(start, word);
}

/// A word of which those bytes are zero that were wildcards.
#[inline]
const fn against_wildcards(word: u64) -> u64 {
    (word | WILDCARD_BIT) ^ WILDCARDS
}

/// Not zero if a byte of `word` is zero.
#[inline]
const fn any_zero_byte(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The highest bit of each byte of `word` that is zero, and no other bit.
#[inline]
const fn zero_bytes(word: u64) -> u64 {
    // The lower seven bits carry into the highest if any of them is set, and never beyond it.
    let nonzero = (word & LOWS).wrapping_add(LOWS) | word;
    !nonzero & HIGHS
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// The places of wildcards, and whether there is a U+0000.
    fn found(text: &[u8]) -> (Vec<usize>, bool) {
        let mut places = Vec::new();
        let nul = scan_wildcards(text, |place| places.push(place));
        let wildcard = !places.is_empty();
        assert_eq!(scan(text), Scan { nul, wildcard }, "{text:?}");
        (places, nul)
    }

    #[test]
    fn finds_each_wildcard_in_order() {
        for (text, places) in [
            ("abc/#/+/defghi", &[4, 6][..]),
            ("++", &[0, 1]),
            ("devices/+/sensors/+", &[8, 18]),
            ("1234567#+", &[7, 8]),
            ("*,\u{22}$+", &[4]),
            ("########", &[0, 1, 2, 3, 4, 5, 6, 7]),
            ("", &[]),
        ] {
            assert_eq!(found(text.as_bytes()), (places.to_vec(), false), "{text}");
        }
        assert_eq!(found(b"+\x01\0\x01#"), (vec![0, 4], true));
    }

    /// Every byte at every place of texts of every short length.
    #[test]
    fn finds_what_a_plain_loop_finds() {
        for len in 0..=25 {
            for place in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'a'; len];
                    text[place] = byte;
                    let places = if matches!(byte, b'+' | b'#') {
                        vec![place]
                    } else {
                        vec![]
                    };
                    let expected = (places, byte == 0);
                    assert_eq!(found(&text), expected, "{byte} at {place} of {len}");
                }
            }
            for byte in [b' ', 0xFF, 0x80, 0x01, 0x22, 0x24, 0x2A, 0x2C] {
                assert_eq!(found(&vec![byte; len]), (vec![], false));
            }
        }
    }
}
