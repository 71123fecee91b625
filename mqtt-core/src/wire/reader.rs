//! A bounded cursor over one body: what runs past its end is malformed, never incomplete.

use crate::{
    error::DecodeError,
    types::{StringError, TopicError, TopicFilter, TopicName, Utf8},
    wire::var_int::VarInt,
};

/// What is demanded of text beyond being well-formed UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TextRules {
    /// Nothing: these bytes were read before by one of the others.
    Checked,
    /// What the standard says must not be.
    Standard,
    /// Also what it says should not be: control characters and non-characters.
    Strict,
}

/// The bytes of a list, as text if they are UTF-8 together. They mostly are: what stands between strings is below 0x80 as
/// long as they are shorter than that. One look at many bytes is far quicker than many at a few.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ListBytes<'a> {
    Text(&'a str),
    Other(&'a [u8]),
}

impl<'a> ListBytes<'a> {
    pub(crate) const EMPTY: Self = Self::Text("");

    #[inline]
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        match core::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Other(bytes),
        }
    }

    #[inline]
    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    /// A reader of the list, which is cheap to make again and again.
    #[inline]
    pub(crate) const fn reader(self, rules: TextRules) -> Reader<'a> {
        Reader {
            rest: self.as_bytes(),
            rules,
            list: match self {
                Self::Text(text) => text,
                Self::Other(_) => "",
            },
        }
    }
}

/// Reads fields off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    rules: TextRules,
    /// All the bytes that `rest` is the end of, if they are UTF-8 together; otherwise empty.
    list: &'a str,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8], rules: TextRules) -> Self {
        Self {
            rest: bytes,
            rules,
            list: "",
        }
    }

    /// Everything that is left, as a list, with a reader of it under the same rules.
    #[inline]
    pub(crate) const fn into_list(self) -> (ListBytes<'a>, Self) {
        let list = ListBytes::new(self.rest);
        (list, list.reader(self.rules))
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
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

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(u8::from_be_bytes)
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
        self.take(usize::from(read.len))?;
        Ok(read.value)
    }

    /// Bytes whose length a Variable Byte Integer gives, as a reader under the same rules.
    #[inline]
    pub(crate) fn block(&mut self) -> Result<Self, DecodeError> {
        let len = self.var_int()?;
        // Always fits: usize has at least 32 bits wherever a packet of this size can be held.
        let len = usize::try_from(len).map_err(|_| DecodeError::FieldPastEnd)?;
        Ok(Self {
            rest: self.take(len)?,
            rules: self.rules,
            list: "",
        })
    }

    /// Binary Data (v5 1.5.6).
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    #[inline]
    fn str(&mut self) -> Result<&'a str, DecodeError> {
        let bytes = self.binary()?;
        match self.behind(bytes.len()) {
            Some(text) => Ok(text),
            None => core::str::from_utf8(bytes).map_err(|_| DecodeError::IllFormedUtf8),
        }
    }

    /// The last `len` bytes that were read, if they are known to be UTF-8 from all of the list.
    #[inline]
    fn behind(&self, len: usize) -> Option<&'a str> {
        let end = self.list.len().checked_sub(self.rest.len())?;
        self.list.get(end.checked_sub(len)?..end)
    }

    /// Reads a string and makes of it what has a rule: `new` checks that, and `checked` is for what was read before.
    #[inline(always)]
    fn text<T, E>(
        &mut self,
        checked: impl FnOnce(&'a str) -> T,
        new: impl FnOnce(&'a str) -> Result<T, E>,
        error: impl FnOnce(E) -> DecodeError,
    ) -> Result<T, DecodeError> {
        let text = self.str()?;
        match self.rules {
            TextRules::Checked => return Ok(checked(text)),
            TextRules::Standard => {}
            TextRules::Strict => {
                if Utf8::from_checked(text).has_discouraged_characters() {
                    return Err(DecodeError::DiscouragedCharacter);
                }
            }
        }
        new(text).map_err(error)
    }

    #[inline]
    pub(crate) fn utf8(&mut self) -> Result<Utf8<'a>, DecodeError> {
        self.text(Utf8::from_checked, Utf8::new, |error| match error {
            // The other two cannot be: the length was two bytes, and the text was read as UTF-8.
            StringError::NulCharacter | StringError::TooLong { .. } => DecodeError::NulCharacter,
            StringError::IllFormed => DecodeError::IllFormedUtf8,
        })
    }

    /// A Topic Name that must not be empty.
    #[inline]
    pub(crate) fn topic_name(&mut self) -> Result<TopicName<'a>, DecodeError> {
        self.text(TopicName::from_checked, TopicName::new, topic_name_error)
    }

    /// The Topic Name of a PUBLISH, where 5.0 writes an empty one beside a Topic Alias (v5 3.3.2.1).
    #[inline]
    pub(crate) fn optional_topic_name(&mut self) -> Result<Option<TopicName<'a>>, DecodeError> {
        if let [0, 0, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(None);
        }
        self.topic_name().map(Some)
    }

    #[inline]
    pub(crate) fn topic_filter(&mut self) -> Result<TopicFilter<'a>, DecodeError> {
        self.text(
            TopicFilter::from_checked,
            TopicFilter::new,
            |error| match error {
                TopicError::NulCharacter => DecodeError::NulCharacter,
                error => DecodeError::TopicFilter(error),
            },
        )
    }
}

const fn topic_name_error(error: TopicError) -> DecodeError {
    match error {
        TopicError::NulCharacter => DecodeError::NulCharacter,
        error => DecodeError::TopicName(error),
    }
}
