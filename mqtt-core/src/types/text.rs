//! UTF-8 Encoded String.

use core::fmt;

use crate::types::scan::{has_nul, is_ascii_from};

/// The longest string or binary field, in bytes: its length is a two byte integer (v5 1.5.4, 1.5.6, v311 1.5.3).
pub(crate) const MAX_FIELD_LEN: usize = 65_535;

/// Why text cannot be a UTF-8 Encoded String.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum StringError {
    /// More than 65,535 bytes (v5 1.5.4, v311 1.5.3).
    #[error("string of {len} bytes is longer than 65535 bytes")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It holds U+0000 [v5 MQTT-1.5.4-2, v311 MQTT-1.5.3-2].
    #[error("string contains the null character U+0000")]
    NulCharacter,
    /// It is not well-formed UTF-8 [v5 MQTT-1.5.4-1, v311 MQTT-1.5.3-1].
    #[error("string is not well-formed UTF-8")]
    IllFormed,
}

/// UTF-8 Encoded String: at most 65,535 bytes, without U+0000 (v5 1.5.4, v311 1.5.3).
///
/// Control characters and non-characters are allowed here, since the standard only advises against them; see
/// [`Utf8::has_discouraged_characters`].
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Utf8<'a>(&'a str);

impl<'a> Utf8<'a> {
    /// The string without characters.
    pub const EMPTY: Self = Self("");

    /// Takes `text` as a string of the protocol.
    ///
    /// # Errors
    /// - [`StringError::TooLong`] and [`StringError::NulCharacter`].
    pub fn new(text: &'a str) -> Result<Self, StringError> {
        if text.len() > MAX_FIELD_LEN {
            return Err(StringError::TooLong { len: text.len() });
        }
        if has_nul(text.as_bytes()) {
            return Err(StringError::NulCharacter);
        }
        Ok(Self(text))
    }

    /// Whether `bytes` are a string of the protocol that one look shows to be one. Most are.
    // Many properties are text, but few packets have many properties: so once for all.
    #[inline(never)]
    pub(crate) fn is_plainly_valid(bytes: &[u8]) -> bool {
        bytes.len() <= MAX_FIELD_LEN && is_ascii_from::<1>(bytes)
    }

    /// Takes `bytes`, without a length prefix, as a string of the protocol.
    ///
    /// # Errors
    /// - [`StringError::IllFormed`], [`StringError::TooLong`] and [`StringError::NulCharacter`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, StringError> {
        let Ok(text) = core::str::from_utf8(bytes) else {
            return Err(StringError::IllFormed);
        };
        Self::new(text)
    }

    /// A string that was checked before, such as one in a list of a decoded packet.
    pub(crate) const fn from_checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Length in bytes, at most 65,535.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are no characters.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether the text holds control characters (U+0001 to U+001F, U+007F to U+009F) or Unicode non-characters, which
    /// senders should not send and receivers may refuse (v5 1.5.4, v311 1.5.3).
    #[must_use]
    pub fn has_discouraged_characters(self) -> bool {
        has_discouraged_characters(self.0)
    }
}

impl fmt::Debug for Utf8<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Utf8<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<str> for Utf8<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl<'a> TryFrom<&'a str> for Utf8<'a> {
    type Error = StringError;

    fn try_from(text: &'a str) -> Result<Self, StringError> {
        Self::new(text)
    }
}

pub(crate) fn has_discouraged_characters(text: &str) -> bool {
    text.chars().any(|c| {
        let code = u32::from(c);
        c.is_control() || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
    })
}

#[cfg(test)]
mod tests {
    use alloc::{
        format,
        string::{String, ToString},
    };

    use super::*;

    #[test]
    fn length_is_checked_in_bytes() {
        let longest = String::from("ä").repeat(32_767) + "a";
        assert_eq!(Utf8::new(&longest).map(Utf8::len), Ok(65_535));
        let longer = longest + "a";
        assert_eq!(
            Utf8::new(&longer),
            Err(StringError::TooLong { len: 65_536 })
        );
    }

    #[test]
    fn v5_mqtt_1_5_4_1_ill_formed_bytes_are_refused() {
        for bytes in [
            &[0xFF][..],
            &[0xC0, 0x80],
            &[0xC0, 0xAF],
            &[0xE0, 0x80, 0xAF],
            &[0xED, 0xA0, 0x80],
            &[0xED, 0xBF, 0xBF],
            &[0xF4, 0x90, 0x80, 0x80],
            &[0xC3],
            &[0x80],
            &[0xFE],
        ] {
            assert_eq!(
                Utf8::from_bytes(bytes),
                Err(StringError::IllFormed),
                "{bytes:02X?}"
            );
        }
    }

    #[test]
    fn v5_mqtt_1_5_4_2_null_character_is_refused() {
        assert_eq!(Utf8::new("a\0b"), Err(StringError::NulCharacter));
        assert_eq!(Utf8::from_bytes(&[0]), Err(StringError::NulCharacter));
    }

    #[test]
    fn v5_mqtt_1_5_4_3_byte_order_mark_is_kept() {
        assert_eq!(
            Utf8::from_bytes(&[0xEF, 0xBB, 0xBF, 0x61]).map(Utf8::as_str),
            Ok("\u{FEFF}a")
        );
    }

    #[test]
    fn discouraged_characters_are_found() {
        for text in [
            "\u{1}",
            "\u{1F}",
            "a\u{7F}",
            "\u{9F}",
            "\u{FDD0}",
            "\u{FDEF}",
            "\u{FFFE}",
            "\u{1FFFF}",
            "\u{10FFFE}",
        ] {
            assert!(
                Utf8::new(text).unwrap().has_discouraged_characters(),
                "{text:?}"
            );
        }
        for text in [
            "",
            " ",
            "a",
            "\u{A0}",
            "\u{FDCF}",
            "\u{FDF0}",
            "\u{FFFD}",
            "\u{2A6D4}",
        ] {
            assert!(
                !Utf8::new(text).unwrap().has_discouraged_characters(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn shown_as_text_is() {
        let text = Utf8::try_from("a \"b\"").unwrap();
        assert_eq!(text.to_string(), "a \"b\"");
        assert_eq!(format!("{text:?}"), r#""a \"b\"""#);
        assert_eq!(text.as_ref(), "a \"b\"");
        assert!(!text.is_empty() && Utf8::EMPTY.is_empty());
    }

    #[test]
    fn plain_text_is_told_at_one_look() {
        for (text, expected) in [
            ("", true),
            ("a b\u{7F}", true),
            ("ä", false),
            ("a\0", false),
        ] {
            assert_eq!(
                Utf8::is_plainly_valid(text.as_bytes()),
                expected,
                "{text:?}"
            );
        }
        assert!(Utf8::is_plainly_valid(&[b'a'; 65_535]));
        assert!(!Utf8::is_plainly_valid(&[b'a'; 65_536]));
    }
}
