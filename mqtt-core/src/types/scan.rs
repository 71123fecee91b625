//! What in a text has a meaning, found eight bytes at a time.
//!
//! Most fields are too short for the vector instructions that a compiler would make of a plain loop, and every field of
//! every packet is looked at.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const LOWS: u64 = u64::from_ne_bytes([0x7F; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// U+0000, `#` and `+` are below this, and little of what topics are made of is.
const PLAIN: u8 = b'+' + 1;

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

/// Calls `look` with the place and the value of each byte that is U+0000, `#` or `+`, and maybe of others and twice, until it
/// returns an error.
#[inline]
pub(super) fn each_special<E>(
    text: &[u8],
    mut look: impl FnMut(usize, u8) -> Result<(), E>,
) -> Result<(), E> {
    let Some(last) = text.last_chunk() else {
        return text
            .iter()
            .enumerate()
            .try_for_each(|(place, byte)| look(place, *byte));
    };
    let mut look_at = |start, word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let mut found = below_plain(word);
        while found != 0 {
            // The first byte of the text is the lowest of the word.
            let shift = found.trailing_zeros() - 7;
            look(start + shift as usize / 8, (word >> shift & 0xFF) as u8)?;
            found &= found - 1;
        }
        Ok(())
    };
    let (words, _) = text.as_chunks();
    for (index, word) in words.iter().enumerate() {
        look_at(8 * index, word)?;
    }
    look_at(text.len() - 8, last)
}

/// The highest bit of each byte of `word` that is below [`PLAIN`], and no other bit.
#[inline]
const fn below_plain(word: u64) -> u64 {
    // The lower seven bits carry into the highest if they are not below it, and never beyond.
    let plain = (word & LOWS) + ONES * (0x80 - PLAIN as u64);
    !(plain | word) & HIGHS
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// The places of U+0000, `#` and `+`, each of them once.
    fn found(text: &[u8]) -> Vec<usize> {
        let mut places = Vec::new();
        let done = each_special(text, |place, byte| {
            assert_eq!(byte, text[place]);
            if matches!(byte, 0 | b'#' | b'+') && !places.contains(&place) {
                places.push(place);
            }
            Ok::<(), ()>(())
        });
        assert_eq!(done, Ok(()));
        assert_eq!(has_nul(text), text.contains(&0), "{text:?}");
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
    fn ends_at_the_first_error() {
        for text in [&b"a+b+"[..], b"12345678a+b+"] {
            let mut looked = 0;
            let done = each_special(text, |_, byte| {
                looked += 1;
                if byte == b'+' { Err(()) } else { Ok(()) }
            });
            assert_eq!(
                (done, looked),
                (Err(()), if text.len() < 8 { 2 } else { 1 })
            );
        }
    }
}
