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

/// Reads fields off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    text: TextRules,
    /// All the bytes that `rest` is the end of, if they are UTF-8 together; otherwise empty.
    list: &'a str,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8], text: TextRules) -> Self {
        Self {
            rest: bytes,
            text,
            list: "",
        }
    }

    /// A reader of a list of fields that were checked before.
    #[inline]
    pub(crate) const fn checked(list: &'a [u8]) -> Self {
        let reader = Self::new(list, TextRules::Checked);
        if list.is_empty() {
            reader
        } else {
            reader.as_list()
        }
    }

    /// Looks at once whether everything that is left is UTF-8. It mostly is in a list: what stands between strings is below
    /// 0x80 as long as they are shorter than that, and one look at many bytes is far quicker than many at a few.
    #[inline]
    pub(crate) const fn as_list(self) -> Self {
        Self {
            list: match core::str::from_utf8(self.rest) {
                Ok(list) => list,
                Err(_) => "",
            },
            ..self
        }
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

    /// A reader of everything that is left, under the same rules.
    #[inline]
    pub(crate) const fn fork(&self) -> Self {
        *self
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
        if !read.is_minimal() {
            return Err(DecodeError::VarIntNotMinimal);
        }
        self.take(read.len)?;
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
            text: self.text,
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
        let text = match self.behind(bytes.len()) {
            Some(text) => text,
            None => core::str::from_utf8(bytes).map_err(|_| DecodeError::IllFormedUtf8)?,
        };
        if self.text == TextRules::Strict && Utf8::from_checked(text).has_discouraged_characters() {
            return Err(DecodeError::DiscouragedCharacter);
        }
        Ok(text)
    }

    /// The last `len` bytes that were read, if they are known to be UTF-8 from all of the list.
    #[inline]
    fn behind(&self, len: usize) -> Option<&'a str> {
        let end = self.list.len().checked_sub(self.rest.len())?;
        self.list.get(end.checked_sub(len)?..end)
    }

    pub(crate) fn utf8(&mut self) -> Result<Utf8<'a>, DecodeError> {
        let text = self.str()?;
        if self.text == TextRules::Checked {
            return Ok(Utf8::from_checked(text));
        }
        Utf8::new(text).map_err(|error| match error {
            // The other two cannot be: the length was two bytes, and the text was read as UTF-8.
            StringError::NulCharacter | StringError::TooLong { .. } => DecodeError::NulCharacter,
            StringError::IllFormed => DecodeError::IllFormedUtf8,
        })
    }

    /// A Topic Name that must not be empty.
    pub(crate) fn topic_name(&mut self) -> Result<TopicName<'a>, DecodeError> {
        let text = self.str()?;
        if self.text == TextRules::Checked {
            return Ok(TopicName::from_checked(text));
        }
        TopicName::new(text).map_err(topic_name_error)
    }

    /// The Topic Name of a PUBLISH, where 5.0 writes an empty one beside a Topic Alias (v5 3.3.2.1).
    pub(crate) fn optional_topic_name(&mut self) -> Result<Option<TopicName<'a>>, DecodeError> {
        let text = self.str()?;
        if text.is_empty() {
            return Ok(None);
        }
        TopicName::new(text).map(Some).map_err(topic_name_error)
    }

    pub(crate) fn topic_filter(&mut self) -> Result<TopicFilter<'a>, DecodeError> {
        let text = self.str()?;
        if self.text == TextRules::Checked {
            return Ok(TopicFilter::from_checked(text));
        }
        TopicFilter::new(text).map_err(|error| match error {
            TopicError::NulCharacter => DecodeError::NulCharacter,
            error => DecodeError::TopicFilter(error),
        })
    }
}

const fn topic_name_error(error: TopicError) -> DecodeError {
    match error {
        TopicError::NulCharacter => DecodeError::NulCharacter,
        error => DecodeError::TopicName(error),
    }
}
