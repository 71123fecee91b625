//! What in a text has a meaning, found eight bytes at a time.
//!
//! Most fields are too short for the vector instructions that a compiler would make of a plain loop, and every field of
//! every packet is looked at.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// U+0000, `#` and `+` are below this, and little of what topics are made of is.
pub(super) const PLAIN: u8 = b'+' + 1;

/// Whether there is a U+0000.
#[inline]
pub(super) fn has_nul(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return text.contains(&0);
    };
    let (words, _) = text.as_chunks();
    let has_nul = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        word.wrapping_sub(ONES) & !word & HIGHS != 0
    };
    words.iter().any(has_nul) || has_nul(last)
}

/// Whether every byte is ASCII and at least `LEAST`. There may be none.
#[inline]
pub(super) fn is_ascii_from<const LEAST: u8>(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return text.iter().all(|byte| (LEAST..0x80).contains(byte));
    };
    let (words, _) = text.as_chunks();
    let others = |word: &[u8; 8]| others(u64::from_le_bytes(*word), LEAST);
    // Text is short and nearly always of this kind, so it does not pay to stop.
    words
        .iter()
        .fold(others(last), |found, word| found | others(word))
        == 0
}

/// Whether `is_legal` is true of the place and the value of each byte that is U+0000, `#`, `+` or not ASCII. It is asked about
/// some others, too.
#[inline(always)]
pub(super) fn all_special(text: &[u8], mut is_legal: impl FnMut(usize, u8) -> bool) -> bool {
    let Some(last) = text.last_chunk() else {
        return text
            .iter()
            .enumerate()
            .all(|(place, byte)| is_legal(place, *byte));
    };
    let mut all = |start, word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let mut found = others(word, PLAIN);
        while found != 0 {
            // The first byte of the text is the lowest of the word.
            let shift = found.trailing_zeros() - 7;
            if !is_legal(start + shift as usize / 8, (word >> shift & 0xFF) as u8) {
                return false;
            }
            found &= found - 1;
        }
        true
    };
    let (words, _) = text.as_chunks();
    let mut words = words.iter().enumerate();
    words.all(|(index, word)| all(8 * index, word)) && all(text.len() - 8, last)
}

/// The highest bit of each byte of `word` that is not ASCII or is below `least`, and maybe of some that follow one. Other bits
/// are not set.
#[inline]
const fn others(word: u64, least: u8) -> u64 {
    // What is below borrows from the highest bit, and so does not end without it.
    (word | word.wrapping_sub(ONES * least as u64)) & HIGHS
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// The places of U+0000, `#` and `+`, each of them once.
    fn found(text: &[u8]) -> Vec<usize> {
        let mut places = Vec::new();
        let all = all_special(text, |place, byte| {
            assert_eq!(byte, text[place]);
            if matches!(byte, 0 | b'#' | b'+') && !places.contains(&place) {
                places.push(place);
            }
            true
        });
        assert!(all);
        assert_eq!(has_nul(text), text.contains(&0), "{text:?}");
        assert_eq!(
            is_ascii_from::<PLAIN>(text),
            text.iter().all(|byte| (b','..=0x7F).contains(byte)),
            "{text:?}"
        );
        assert_eq!(
            is_ascii_from::<1>(text),
            text.iter().all(|byte| (1..=0x7F).contains(byte)),
            "{text:?}"
        );
        places
    }

    #[test]
    fn finds_each_in_order() {
        for (text, places) in [
            ("abc/#/+/defghi", &[4, 6][..]),
            ("++", &[0, 1]),
            ("devices/+/sensors/+", &[8, 18]),
            ("1234567#+", &[7, 8]),
            ("*,\u{22}$+", &[4]),
            ("########", &[0, 1, 2, 3, 4, 5, 6, 7]),
            ("", &[]),
            ("+\u{1}\0\u{1}#", &[0, 2, 4]),
            ("12345678+\u{1}\0\u{1}#", &[8, 10, 12]),
        ] {
            assert_eq!(found(text.as_bytes()), places, "{text:?}");
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
                    let expected = if matches!(byte, 0 | b'#' | b'+') {
                        vec![place]
                    } else {
                        vec![]
                    };
                    assert_eq!(found(&text), expected, "{byte} at {place} of {len}");
                }
            }
            for byte in [b' ', 0xFF, 0x80, 0x01, 0x22, 0x24, 0x2A, 0x2C] {
                assert_eq!(found(&vec![byte; len]), []);
            }
        }
    }

    #[test]
    fn ends_at_the_first_that_is_not_legal() {
        for text in [&b"a+b+"[..], b"12345678a+b+"] {
            let mut looked = 0;
            let all = all_special(text, |_, byte| {
                looked += 1;
                byte != b'+'
            });
            assert_eq!((all, looked), (false, if text.len() < 8 { 2 } else { 1 }));
        }
    }
}
