//! A bounded cursor over one body: what runs past its end is malformed, never incomplete.

use ascii::AsAsciiStr;

use crate::{
    error::DecodeError,
    types::{StringError, TopicError, TopicFilter, TopicName, Utf8},
    wire::var_int::VarInt,
};

/// What is demanded of text beyond being well-formed UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TextRules {
    /// What the standard says must not be.
    Standard,
    /// Also what it says should not be: control characters and non-characters.
    Strict,
}

impl TextRules {
    #[inline(always)]
    fn utf8(self, text: &str) -> Result<Utf8<'_>, DecodeError> {
        self.check(text)?;
        Utf8::new(text).map_err(|error| match error {
            // The other two cannot be: the length was two bytes, and the text was read as UTF-8.
            StringError::NulCharacter | StringError::TooLong { .. } => DecodeError::NulCharacter,
            StringError::IllFormed => DecodeError::IllFormedUtf8,
        })
    }

    #[inline(always)]
    fn topic_name(self, text: &str) -> Result<TopicName<'_>, DecodeError> {
        self.check(text)?;
        TopicName::new(text).map_err(|error| match error {
            TopicError::NulCharacter => DecodeError::NulCharacter,
            error => DecodeError::TopicName(error),
        })
    }

    #[inline(always)]
    fn topic_filter(self, text: &str) -> Result<TopicFilter<'_>, DecodeError> {
        self.check(text)?;
        TopicFilter::new(text).map_err(|error| match error {
            TopicError::NulCharacter => DecodeError::NulCharacter,
            error => DecodeError::TopicFilter(error),
        })
    }

    #[inline(always)]
    fn check(self, text: &str) -> Result<(), DecodeError> {
        if self == Self::Strict && Utf8::from_checked(text).has_discouraged_characters() {
            Err(DecodeError::DiscouragedCharacter)
        } else {
            Ok(())
        }
    }

    #[inline(always)]
    fn check_utf8(self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.check_bytes(bytes, Utf8::is_plainly_valid, Self::utf8)
    }

    #[inline(always)]
    fn check_topic_name(self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.check_bytes(bytes, TopicName::is_plainly_valid, Self::topic_name)
    }

    #[inline(always)]
    fn check_topic_filter(self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.check_bytes(bytes, TopicFilter::is_plainly_valid, Self::topic_filter)
    }

    /// Nearly all text is ASCII, and what one look shows to be right needs no other.
    #[inline(always)]
    fn check_bytes<'a, T>(
        self,
        bytes: &'a [u8],
        is_plainly_valid: impl FnOnce(&[u8]) -> bool,
        make: impl FnOnce(Self, &'a str) -> Result<T, DecodeError>,
    ) -> Result<(), DecodeError> {
        if self == Self::Standard && is_plainly_valid(bytes) {
            Ok(())
        } else {
            self.check_closely(bytes, make)
        }
    }

    #[inline(never)]
    fn check_closely<'a, T>(
        self,
        bytes: &'a [u8],
        make: impl FnOnce(Self, &'a str) -> Result<T, DecodeError>,
    ) -> Result<(), DecodeError> {
        let text = core::str::from_utf8(bytes).map_err(|_| DecodeError::IllFormedUtf8)?;
        make(self, text)?;
        Ok(())
    }
}

/// In the place of [`TextRules`] where everything was checked before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked;

/// Reads fields off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a, R = TextRules> {
    rest: &'a [u8],
    rules: R,
}

impl<'a, R: Copy> Reader<'a, R> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8], rules: R) -> Self {
        Self { rest: bytes, rules }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) const fn rules(&self) -> R {
        self.rules
    }

    /// What is left, which stays to be read.
    #[inline]
    pub(crate) const fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// Everything that is left.
    #[inline]
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// Ends the body: bytes left over make the packet malformed.
    #[inline]
    pub(crate) const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes)
        }
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::FieldPastEnd)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::FieldPastEnd)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next byte, or `None` at the end, where that is no error or where the caller says which one it is.
    #[inline]
    pub(crate) fn next_u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.next_u8().ok_or(DecodeError::FieldPastEnd)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A Variable Byte Integer in its shortest form; only 5.0 has any in a body [v5 MQTT-1.5.5-1].
    #[inline]
    pub(crate) fn var_int(&mut self) -> Result<u32, DecodeError> {
        let read = VarInt::read(self.rest)?.ok_or(DecodeError::FieldPastEnd)?;
        if !read.is_minimal {
            return Err(DecodeError::VarIntNotMinimal);
        }
        self.take(read.len as usize)?;
        Ok(read.value)
    }

    /// Bytes whose length a Variable Byte Integer gives.
    #[inline]
    pub(crate) fn block(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.var_int()?;
        // Always fits: usize has at least 32 bits wherever a packet of this size can be held.
        let len = usize::try_from(len).map_err(|_| DecodeError::FieldPastEnd)?;
        self.take(len)
    }

    /// Binary Data (v5 1.5.6).
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn str(&mut self) -> Result<&'a str, DecodeError> {
        to_str(self.binary()?).ok_or(DecodeError::IllFormedUtf8)
    }

    // Through a call the reader would go from registers to memory and back, here and below.
    #[inline(always)]
    pub(crate) fn utf8(&mut self) -> Result<Utf8<'a>, DecodeError> {
        let text = self.str()?;
        self.rules.utf8(text)
    }

    /// A Topic Name that must not be empty.
    #[inline(always)]
    pub(crate) fn topic_name(&mut self) -> Result<TopicName<'a>, DecodeError> {
        let text = self.str()?;
        self.rules.topic_name(text)
    }

    /// The Topic Name of a PUBLISH, where 5.0 writes an empty one beside a Topic Alias (v5 3.3.2.1).
    #[inline(always)]
    pub(crate) fn optional_topic_name(&mut self) -> Result<Option<TopicName<'a>>, DecodeError> {
        let text = self.str()?;
        if text.is_empty() {
            Ok(None)
        } else {
            self.rules.topic_name(text).map(Some)
        }
    }
}

/// Most text is ASCII, which is found out much sooner for texts as short as topics.
// A function of its own, and the rest another: so this one needs no registers but those it is called with.
#[inline(never)]
fn to_str(bytes: &[u8]) -> Option<&str> {
    match bytes.as_ascii_str() {
        Ok(text) => Some(text.as_str()),
        Err(_) => other_str(bytes),
    }
}

#[inline(never)]
fn other_str(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}

/// What is in a list is checked at once, and made again and again when somebody goes through it. So these return no value:
/// that would take longer than to check one.
impl<'a> Reader<'a> {
    #[inline(always)]
    pub(crate) fn check_utf8(&mut self) -> Result<(), DecodeError> {
        let bytes = self.binary()?;
        self.rules.check_utf8(bytes)
    }

    #[inline(always)]
    pub(crate) fn check_topic_name(&mut self) -> Result<(), DecodeError> {
        let bytes = self.binary()?;
        self.rules.check_topic_name(bytes)
    }

    /// The bytes of a Topic Filter.
    #[inline(always)]
    pub(crate) fn check_topic_filter(&mut self) -> Result<&'a [u8], DecodeError> {
        let bytes = self.binary()?;
        self.rules.check_topic_filter(bytes)?;
        Ok(bytes)
    }
}

/// What was checked before is there. So these return no error, which would be looked at by whoever goes through a list.
impl<'a> Reader<'a, Checked> {
    #[inline(always)]
    pub(crate) fn checked_str(&mut self) -> Option<&'a str> {
        to_str(self.binary().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;

    /// A field with its length: short, and of what makes a difference.
    fn field() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => "[a-z0-9,._-]{1,9}".prop_map(String::into_bytes),
            4 => prop::sample::select(&["/", "+", "#", "$", "/+/", " ", "\u{1}", "\u{7F}"][..])
                .prop_map(|text| text.as_bytes().to_vec()),
            2 => prop::sample::select(&["ä", "日", "\u{FFFE}", "\u{85}", "😀"][..])
                .prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::sample::select(&[0, 0x80, 0xC3, 0xE2, 0xED, 0xF4, 0xFF][..])
                .prop_map(|byte| alloc::vec![byte]),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| {
            let text = pieces.concat();
            let len = u16::try_from(text.len()).unwrap();
            [&len.to_be_bytes()[..], &text].concat()
        })
    }

    proptest! {
        /// What is checked in a list is what is demanded of a single field, and it can be read again.
        #[test]
        fn a_check_finds_what_making_the_value_finds(field in field()) {
            for rules in [TextRules::Standard, TextRules::Strict] {
                let reader = || Reader::new(&field[..], rules);
                let utf8 = reader().utf8();
                prop_assert_eq!(reader().check_utf8(), utf8.map(|_| ()));
                let topic_name = reader().topic_name();
                prop_assert_eq!(reader().check_topic_name(), topic_name.map(|_| ()));
                let filter = reader().str().and_then(|text| rules.topic_filter(text));
                let checked = reader().check_topic_filter();
                prop_assert_eq!(checked, filter.map(|filter| filter.as_str().as_bytes()));
                for bytes in [&field[..field.len() - 1], &[&field[..], b"x"].concat()] {
                    let (mut made, mut checked) = (Reader::new(bytes, rules), Reader::new(bytes, rules));
                    prop_assert_eq!(checked.check_utf8(), made.utf8().map(|_| ()));
                    prop_assert_eq!(checked.as_bytes(), made.as_bytes());
                }
                if let Ok(text) = utf8 {
                    let read = Reader::new(&field[..], Checked).checked_str();
                    prop_assert_eq!(read, Some(text.as_str()));
                }
            }
        }
    }
}
