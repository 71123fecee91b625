//! What in a text has a meaning, found eight bytes at a time.
//!
//! Most fields are too short for the vector instructions that a compiler would make of a plain loop, and every field of
//! every packet is looked at.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const LOWS: u64 = u64::from_ne_bytes([0x7F; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// U+0000, `#` and `+` are below this, and little else of what topics are made of is.
pub(super) const PLAIN: u8 = b'+' + 1;

/// Whether there is a U+0000.
// Inlined, it would take registers from everybody who makes a string.
#[inline(never)]
pub(super) fn has_nul(text: &[u8]) -> bool {
    !has_none(text, |byte| byte == 0, nul)
}

/// Whether no byte is below [`PLAIN`].
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    has_none(text, |byte| byte < PLAIN, below_plain)
}

/// Whether every byte is ASCII and at least `LEAST`.
#[inline]
pub(super) fn is_ascii_from<const LEAST: u8>(text: &[u8]) -> bool {
    let is_other = |byte| !(LEAST..0x80).contains(&byte);
    has_none(text, is_other, |word| other(word, LEAST))
}

/// Whether no byte is found, by `is_found` where there are fewer than four and otherwise by `found`.
// Most text is short and has none, so it does not pay to stop.
#[inline(always)]
fn has_none(text: &[u8], is_found: impl Fn(u8) -> bool, found: impl Fn(u64) -> u64) -> bool {
    let Some(last) = text.last_chunk() else {
        return has_none_of_few(text, is_found, found);
    };
    let (words, _) = text.as_chunks();
    let found = |word: &[u8; 8]| found(u64::from_le_bytes(*word));
    words
        .iter()
        .fold(found(last), |all, word| all | found(word))
        & HIGHS
        == 0
}

/// The same for fewer than eight: four to seven are looked at as two halves of a word, which may overlap.
// A function of its own, so that longer text takes no registers for it.
#[inline(never)]
fn has_none_of_few(text: &[u8], is_found: impl Fn(u8) -> bool, found: impl Fn(u64) -> u64) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
        return !text.iter().any(|byte| is_found(*byte));
    };
    let word = u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    found(word) & HIGHS == 0
}

/// Whether `is_legal` is true of the place and the value of each byte below [`PLAIN`] and, if `ASCII` matters, of each that is
/// not ASCII. It is asked about some others, too.
#[inline(always)]
pub(super) fn all_special<const ASCII: bool>(
    text: &[u8],
    mut is_legal: impl FnMut(usize, u8) -> bool,
) -> bool {
    let Some(last) = text.last_chunk() else {
        let mut each = text.iter().enumerate();
        return each.all(|(place, byte)| is_legal(place, *byte));
    };
    let mut all = |start, word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let found = if ASCII {
            other(word, PLAIN)
        } else {
            below_plain(word)
        };
        let mut found = found & HIGHS;
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
    let last_start = text.len() - 8;
    // A plain loop over places, since one over words takes registers that `all` needs.
    let mut start = 0;
    while start < last_start
        && let Some(word) = text.get(start..).and_then(<[u8]>::first_chunk)
    {
        if !all(start, word) {
            return false;
        }
        start += 8;
    }
    all(last_start, last)
}

// Each of these sets the highest bit of the bytes of `word` that it finds. The other bits mean nothing.

/// Those that are 0, and maybe some that follow one.
#[inline]
const fn nul(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// Those below [`PLAIN`].
#[inline]
const fn below_plain(word: u64) -> u64 {
    // The lower seven bits carry into the highest if they are not below it, and never beyond.
    let plain = (word & LOWS) + ONES * (0x80 - PLAIN as u64);
    !(plain | word)
}

/// Those that are not ASCII or are below `least`, and maybe some that follow one.
#[inline]
const fn other(word: u64, least: u8) -> u64 {
    // What is below borrows from the highest bit, and so does not end without it.
    word | word.wrapping_sub(ONES * least as u64)
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// The places of U+0000, `#` and `+`, each of them once.
    fn found(text: &[u8]) -> Vec<usize> {
        let (_, mut others) = asked::<true>(text);
        others.retain(|place| !text[*place].is_ascii());
        let not_ascii = (0..text.len()).filter(|place| !text[*place].is_ascii());
        assert!(others.into_iter().eq(not_ascii), "{text:?}");
        let (places, _) = asked::<false>(text);
        assert_eq!(asked::<true>(text).0, places, "{text:?}");
        assert_eq!(is_plain(text), text.iter().all(|byte| *byte > b'+'));
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

    /// The places of what has a meaning in topics, and those of all others that are asked about, each of them once.
    fn asked<const ASCII: bool>(text: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (mut special, mut others) = (Vec::new(), Vec::new());
        let all = all_special::<ASCII>(text, |place, byte| {
            assert_eq!(byte, text[place]);
            let places = if matches!(byte, 0 | b'#' | b'+') {
                &mut special
            } else {
                &mut others
            };
            if !places.contains(&place) {
                places.push(place);
            }
            true
        });
        assert!(all);
        (special, others)
    }

    /// A byte that is below the least borrows from the next, which is then asked about if it is the least itself.
    #[test]
    fn asks_about_no_more_than_a_borrow_brings() {
        assert_eq!(asked::<true>(b",,,,,,,,"), (vec![], vec![]));
        assert_eq!(
            asked::<true>(b"\0,,,,,,+"),
            (vec![0, 7], vec![1, 2, 3, 4, 5, 6])
        );
        assert_eq!(asked::<true>(b"\0-,,,,,+"), (vec![0, 7], vec![]));
        assert_eq!(asked::<false>(b"\0,,,,,,+"), (vec![0, 7], vec![]));
        assert_eq!(asked::<false>("äöü\u{3}ä".as_bytes()), (vec![], vec![6]));
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
            let all = all_special::<false>(text, |_, byte| {
                looked += 1;
                byte != b'+'
            });
            assert_eq!((all, looked), (false, if text.len() < 8 { 2 } else { 1 }));
        }
    }
}
