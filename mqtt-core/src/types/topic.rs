//! Topic Names, Topic Filters, shared subscriptions, and which name a filter matches (v5 4.7, 4.8, v311 4.7).

use core::fmt;

use crate::types::{
    Utf8,
    scan::{PLAIN, all_special, has_nul, is_ascii_from, is_plain},
    text::MAX_FIELD_LEN,
};

/// What a Topic Filter of a shared subscription begins with (v5 4.8.2).
const SHARE_PREFIX: &str = "$share/";

/// Why text cannot be a Topic Name or a Topic Filter.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum TopicError {
    /// It has no characters [v5 and v311 MQTT-4.7.3-1].
    #[error("topic is empty")]
    Empty,
    /// More than 65,535 bytes [v5 and v311 MQTT-4.7.3-3].
    #[error("topic of {len} bytes is longer than 65535 bytes")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It holds U+0000 [v5 and v311 MQTT-4.7.3-2].
    #[error("topic contains the null character U+0000")]
    NulCharacter,
    /// A Topic Name with `+` or `#` [v5 MQTT-4.7.0-1, v311 MQTT-4.7.1-1].
    #[error("topic name contains a wildcard")]
    WildcardInName,
    /// `#` that is not the whole last level of a filter [v5 MQTT-4.7.1-1, v311 MQTT-4.7.1-2].
    #[error("'#' is not the whole last level of the topic filter")]
    MisplacedMultiLevelWildcard,
    /// `+` that is not a whole level of a filter [v5 MQTT-4.7.1-2, v311 MQTT-4.7.1-3].
    #[error("'+' is not a whole level of the topic filter")]
    MisplacedSingleLevelWildcard,
    /// A shared subscription whose name is empty [v5 MQTT-4.8.2-1].
    #[error("share name is empty")]
    EmptyShareName,
    /// A shared subscription whose name has a wildcard [v5 MQTT-4.8.2-2].
    #[error("share name contains a wildcard")]
    WildcardInShareName,
    /// A shared subscription without a Topic Filter after its name [v5 MQTT-4.8.2-2].
    #[error("shared subscription has no topic filter after its share name")]
    SharedFilterMissing,
}

/// Topic Name: what a message is published to. 1 to 65,535 bytes, no wildcard, no U+0000 (v5 and v311 4.7).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicName<'a>(&'a str);

impl<'a> TopicName<'a> {
    /// Takes `text` as a Topic Name.
    ///
    /// # Errors
    /// - [`TopicError::Empty`], [`TopicError::TooLong`], [`TopicError::NulCharacter`] and
    ///   [`TopicError::WildcardInName`].
    pub fn new(text: &'a str) -> Result<Self, TopicError> {
        let bytes = text.as_bytes();
        if matches!(bytes.len(), 1..=MAX_FIELD_LEN) && (is_plain(bytes) || is_name(bytes)) {
            Ok(Self(text))
        } else {
            Err(name_fault(text))
        }
    }

    /// Whether `bytes` are a Topic Name that one look shows to be one. Most are.
    // One copy for all callers, as of the look at other text.
    #[inline(never)]
    pub(crate) fn is_plainly_valid(bytes: &[u8]) -> bool {
        matches!(bytes.len(), 1..=MAX_FIELD_LEN) && is_ascii_from::<PLAIN>(bytes)
    }

    /// A name that was checked before, such as one in a list of a decoded packet.
    pub(crate) const fn from_checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The same text as a plain string of the protocol.
    #[must_use]
    pub const fn as_utf8(self) -> Utf8<'a> {
        Utf8::from_checked(self.0)
    }

    /// The levels between the slashes; empty levels are real levels, so `/a` has two (v5 and v311 4.7.1.1).
    pub fn levels(self) -> impl DoubleEndedIterator<Item = &'a str> + Clone {
        self.0.split('/')
    }

    /// Whether the name begins with `$`, which filters that begin with a wildcard do not match
    /// [v5 and v311 MQTT-4.7.2-1].
    #[must_use]
    pub fn is_dollar(self) -> bool {
        self.0.starts_with('$')
    }
}

/// Topic Filter: which Topic Names a subscription is for. 1 to 65,535 bytes, no U+0000, `+` and `#` only as whole levels
/// and `#` only at the end (v5 and v311 4.7.1).
///
/// The rules of shared subscriptions are 5.0's alone, so they are not part of this type: see [`TopicFilter::shared`].
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicFilter<'a>(&'a str);

impl<'a> TopicFilter<'a> {
    /// Takes `text` as a Topic Filter.
    ///
    /// # Errors
    /// - [`TopicError::Empty`], [`TopicError::TooLong`], [`TopicError::NulCharacter`],
    ///   [`TopicError::MisplacedMultiLevelWildcard`] and [`TopicError::MisplacedSingleLevelWildcard`].
    pub fn new(text: &'a str) -> Result<Self, TopicError> {
        if is_filter::<false>(text.as_bytes()) {
            Ok(Self(text))
        } else {
            Err(filter_fault(text))
        }
    }

    /// Whether `bytes` are a Topic Filter that one look shows to be one. Most are.
    #[inline]
    pub(crate) fn is_plainly_valid(bytes: &[u8]) -> bool {
        is_filter::<true>(bytes)
    }

    /// A filter that was checked before, such as one in a list of a decoded packet.
    pub(crate) const fn from_checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The levels between the slashes; empty levels are real levels (v5 and v311 4.7.1.1).
    pub fn levels(self) -> impl DoubleEndedIterator<Item = &'a str> + Clone {
        self.0.split('/')
    }

    /// Whether there is a `+` or `#`.
    #[must_use]
    pub fn has_wildcard(self) -> bool {
        has_wildcard(self.0.as_bytes())
    }

    /// Whether this filter matches `name` (v5 and v311 4.7). A filter that begins with a wildcard does not match a name
    /// that begins with `$` [v5 and v311 MQTT-4.7.2-1].
    ///
    /// The text is taken as it is: for a shared subscription use the filter in [`TopicFilter::shared`].
    #[must_use]
    pub fn matches(self, name: TopicName<'_>) -> bool {
        if name.is_dollar() && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut names = name.levels();
        for level in self.levels() {
            // `a/#` also matches `a`, so this comes before the next name level is asked for.
            if level == "#" {
                return true;
            }
            match names.next() {
                Some(name) if level == "+" || level == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }

    /// Whether every name that `other` matches is matched by this filter too: what somebody may subscribe to who may read
    /// what this filter matches.
    ///
    /// Like [`TopicFilter::matches`] it takes the text as it is, shared subscriptions included. Of two filters that match the
    /// same names, such as `#` and `+/#`, it may not see it: then the answer is no.
    ///
    /// ```
    /// use mqtt_core::TopicFilter;
    ///
    /// let readable = TopicFilter::new("devices/+/status")?;
    /// assert!(readable.covers(TopicFilter::new("devices/7/status")?));
    /// assert!(!readable.covers(TopicFilter::new("devices/#")?));
    /// # Ok::<(), mqtt_core::TopicError>(())
    /// ```
    #[must_use]
    pub fn covers(self, other: TopicFilter<'_>) -> bool {
        if self.0.starts_with(['+', '#']) && other.0.starts_with('$') {
            return false;
        }
        let mut others = other.levels();
        for level in self.levels() {
            if level == "#" {
                return true;
            }
            match others.next() {
                Some("#") | None => return false,
                Some(other) if level == "+" || level == other => {}
                Some(_) => return false,
            }
        }
        others.next().is_none()
    }

    /// Whether there is a name that both filters match. Takes the text as it is, as [`TopicFilter::covers`] does.
    #[must_use]
    pub fn overlaps(self, other: TopicFilter<'_>) -> bool {
        let begins = |filter: &str, with: [char; 2]| filter.starts_with(with);
        if (begins(self.0, ['+', '#']) && other.0.starts_with('$'))
            || (self.0.starts_with('$') && begins(other.0, ['+', '#']))
        {
            return false;
        }
        let (mut left, mut right) = (self.levels(), other.levels());
        loop {
            match (left.next(), right.next()) {
                // `a/#` matches `a` too.
                (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
                (Some(a), Some(b)) if a == "+" || b == "+" || a == b => {}
                _ => return false,
            }
        }
    }

    /// The parts of a shared subscription, `$share/{group}/{filter}`, or `None` for an ordinary filter (v5 4.8.2).
    /// 3.x has no shared subscriptions: there the text has no special meaning.
    ///
    /// # Errors
    /// - [`TopicError::EmptyShareName`], [`TopicError::WildcardInShareName`] and [`TopicError::SharedFilterMissing`] if it
    ///   begins with `$share/` but is not a shared subscription.
    pub fn shared(self) -> Result<Option<SharedFilter<'a>>, TopicError> {
        if !Self::is_shared(self.0.as_bytes())? {
            return Ok(None);
        }
        let parts = self.0.strip_prefix(SHARE_PREFIX);
        let parts = parts.and_then(|rest| rest.split_once('/'));
        // Cutting a valid filter after a slash leaves a valid filter, since wildcards are judged level by level.
        Ok(parts.map(|(group, filter)| SharedFilter {
            group,
            filter: Self(filter),
        }))
    }

    /// Whether the bytes of a Topic Filter are those of a shared subscription.
    pub(crate) fn is_shared(filter: &[u8]) -> Result<bool, TopicError> {
        let Some(rest) = filter.strip_prefix(SHARE_PREFIX.as_bytes()) else {
            return Ok(false);
        };
        let group_len = rest.iter().position(is_slash).unwrap_or(rest.len());
        let (group, filter) = rest.split_at(group_len);
        if group.is_empty() {
            Err(TopicError::EmptyShareName)
        } else if has_wildcard(group) {
            Err(TopicError::WildcardInShareName)
        } else if matches!(filter, [] | [b'/']) {
            Err(TopicError::SharedFilterMissing)
        } else {
            Ok(true)
        }
    }
}

/// The parts of the Topic Filter of a shared subscription (v5 4.8.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SharedFilter<'a> {
    /// The share name: sessions with the same name and filter share the messages.
    pub group: &'a str,
    /// The filter that Topic Names are matched with.
    pub filter: TopicFilter<'a>,
}

impl fmt::Debug for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<str> for TopicName<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl<'a> TryFrom<&'a str> for TopicName<'a> {
    type Error = TopicError;

    fn try_from(text: &'a str) -> Result<Self, TopicError> {
        Self::new(text)
    }
}

/// Every Topic Name is a Topic Filter that matches only itself.
impl<'a> From<TopicName<'a>> for TopicFilter<'a> {
    fn from(name: TopicName<'a>) -> Self {
        Self(name.0)
    }
}

impl fmt::Debug for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<str> for TopicFilter<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl<'a> TryFrom<&'a str> for TopicFilter<'a> {
    type Error = TopicError;

    fn try_from(text: &'a str) -> Result<Self, TopicError> {
        Self::new(text)
    }
}

/// Whether text is a Topic Name, though there is something in it that is rare in names.
#[inline(never)]
fn is_name(text: &[u8]) -> bool {
    !has_nul(text) && !has_wildcard(text)
}

/// Whether text is a Topic Filter and, if `ASCII` matters, ASCII.
#[inline(always)]
fn is_filter<const ASCII: bool>(text: &[u8]) -> bool {
    matches!(text.len(), 1..=MAX_FIELD_LEN)
        && all_special::<ASCII>(text, |place, byte| is_legal::<ASCII>(text, place, byte))
}

/// Whether the byte at `place` may be there in a Topic Filter: a wildcard is a level by itself, and `#` is the last.
#[inline(always)]
fn is_legal<const ASCII: bool>(text: &[u8], place: usize, byte: u8) -> bool {
    let (ahead, behind) = around(text, place);
    match byte {
        0 => false,
        b'#' => ahead.is_none_or(is_slash) && behind.is_none(),
        b'+' => ahead.is_none_or(is_slash) && behind.is_none_or(is_slash),
        _ => !ASCII || byte.is_ascii(),
    }
}

/// The bytes ahead of and behind the one at `place`.
#[inline(always)]
fn around(text: &[u8], place: usize) -> (Option<&u8>, Option<&u8>) {
    // Ahead of the first there is no byte with a number as high as this one gets.
    (text.get(place.wrapping_sub(1)), text.get(place + 1))
}

const fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

/// What is wrong with text that is no Topic Name.
#[cold]
fn name_fault(text: &str) -> TopicError {
    match text.len() {
        0 => TopicError::Empty,
        1..=MAX_FIELD_LEN => match text.bytes().find(|byte| matches!(byte, 0 | b'#' | b'+')) {
            Some(0) => TopicError::NulCharacter,
            _ => TopicError::WildcardInName,
        },
        len => TopicError::TooLong { len },
    }
}

/// What is wrong with text that is no Topic Filter.
#[cold]
fn filter_fault(text: &str) -> TopicError {
    let bytes = text.as_bytes();
    let mut each = text.bytes().enumerate();
    match text.len() {
        0 => TopicError::Empty,
        1..=MAX_FIELD_LEN => {
            match each.find(|(place, byte)| !is_legal::<false>(bytes, *place, *byte)) {
                Some((_, 0)) => TopicError::NulCharacter,
                Some((_, b'#')) => TopicError::MisplacedMultiLevelWildcard,
                _ => TopicError::MisplacedSingleLevelWildcard,
            }
        }
        len => TopicError::TooLong { len },
    }
}

fn has_wildcard(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'#' | b'+'))
}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, string::String, vec::Vec};

    use super::*;

    #[test]
    fn v5_mqtt_4_7_0_1_topic_names_have_no_wildcards() {
        for text in ["a/+", "#", "a#b", "+", "a/#"] {
            assert_eq!(
                TopicName::new(text),
                Err(TopicError::WildcardInName),
                "{text}"
            );
        }
        for text in ["a", "/", "/a", "a/", "a//b", " ", "$SYS/x", "\u{FEFF}a"] {
            assert_eq!(TopicName::new(text).map(TopicName::as_str), Ok(text));
        }
    }

    #[test]
    fn v5_mqtt_4_7_1_2_wildcards_fill_whole_levels() {
        use TopicError::{
            MisplacedMultiLevelWildcard as Multi, MisplacedSingleLevelWildcard as Single,
        };
        for (text, error) in [
            ("a#", Multi),
            ("#/a", Multi),
            ("a/#/b", Multi),
            ("##", Multi),
            ("#/", Multi),
            ("$share/g/a#", Multi),
            ("a+", Single),
            ("+a", Single),
            ("a/b+/c", Single),
            ("a/+b", Single),
            ("++", Single),
            ("$share/g+/a", Single),
        ] {
            assert_eq!(TopicFilter::new(text), Err(error), "{text}");
        }
        for text in [
            "#",
            "a/#",
            "+",
            "a/+/b",
            "+/#",
            "/+",
            "+/+",
            "/#",
            "a//+",
            "$Share/g/a",
        ] {
            assert_eq!(TopicFilter::new(text).map(TopicFilter::as_str), Ok(text));
        }
    }

    #[test]
    fn v5_mqtt_4_7_3_empty_null_and_length() {
        assert_eq!(TopicName::new(""), Err(TopicError::Empty));
        assert_eq!(TopicFilter::new(""), Err(TopicError::Empty));
        assert_eq!(TopicName::new("a\0b"), Err(TopicError::NulCharacter));
        assert_eq!(TopicFilter::new("\0"), Err(TopicError::NulCharacter));
        let longest = String::from("a").repeat(65_535);
        assert!(TopicName::new(&longest).is_ok() && TopicFilter::new(&longest).is_ok());
        let longer = longest + "a";
        assert_eq!(
            TopicName::new(&longer),
            Err(TopicError::TooLong { len: 65_536 })
        );
        assert_eq!(
            TopicFilter::new(&longer),
            Err(TopicError::TooLong { len: 65_536 })
        );
    }

    #[test]
    fn covering_and_overlapping_are_what_the_names_say() {
        // Levels of which all names and filters of up to three levels are made; an empty one is a level too.
        fn texts(levels: &[&str]) -> Vec<String> {
            let mut texts: Vec<String> = levels.iter().map(|level| (*level).to_owned()).collect();
            let mut longest = texts.clone();
            for _ in 1..3 {
                longest = longest
                    .iter()
                    .flat_map(|text| {
                        levels
                            .iter()
                            .map(move |level| alloc::format!("{text}/{level}"))
                    })
                    .collect();
                texts.extend(longest.clone());
            }
            texts
        }
        let names = texts(&["a", "b", "$", ""]);
        let names: Vec<_> = names
            .iter()
            .filter_map(|text| TopicName::new(text).ok())
            .collect();
        let filters = texts(&["a", "$", "", "+", "#"]);
        let filters: Vec<_> = filters
            .iter()
            .filter_map(|text| TopicFilter::new(text).ok())
            .collect();
        for left in &filters {
            let matched: Vec<_> = names.iter().filter(|name| left.matches(**name)).collect();
            for right in &filters {
                let both = matched.iter().filter(|name| right.matches(***name)).count();
                // `/#` would match the empty name, if there were one.
                let is_empty_name = |left: &TopicFilter<'_>, right: &TopicFilter<'_>| {
                    left.as_str() == "/#" && right.as_str() == "+"
                };
                let none = is_empty_name(left, right) || is_empty_name(right, left);
                assert!(
                    left.overlaps(*right) == (both > 0) || none,
                    "{left} {right}"
                );
                let right_alone = names.iter().filter(|name| right.matches(**name)).count() - both;
                if left.covers(*right) {
                    assert_eq!(right_alone, 0, "{left} covers {right}");
                } else if right_alone == 0 {
                    // What three levels cannot tell apart, and `+/#`, which says what `#` says.
                    let last = |filter: &TopicFilter<'_>| filter.levels().next_back() == Some("#");
                    assert!(last(right), "{left} does not cover {right}");
                }
            }
        }
    }

    #[test]
    fn v5_mqtt_4_8_2_shared_subscriptions() {
        let shared = |text| TopicFilter::new(text).unwrap().shared();
        let parts = |group, filter| {
            Ok(Some(SharedFilter {
                group,
                filter: TopicFilter(filter),
            }))
        };
        assert_eq!(shared("$share/g/a"), parts("g", "a"));
        assert_eq!(shared("$share/g//a"), parts("g", "/a"));
        assert_eq!(shared("$share/g/+/#"), parts("g", "+/#"));
        assert_eq!(shared("$Share/g/a"), Ok(None));
        assert_eq!(shared("$share"), Ok(None));
        assert_eq!(shared("a"), Ok(None));
        assert_eq!(shared("$share//a"), Err(TopicError::EmptyShareName));
        assert_eq!(shared("$share/"), Err(TopicError::EmptyShareName));
        assert_eq!(shared("$share/+/a"), Err(TopicError::WildcardInShareName));
        assert_eq!(shared("$share/#"), Err(TopicError::WildcardInShareName));
        assert_eq!(shared("$share/g"), Err(TopicError::SharedFilterMissing));
        assert_eq!(shared("$share/g/"), Err(TopicError::SharedFilterMissing));
    }

    #[test]
    fn matching() {
        for (filter, name, expected) in [
            ("a/#", "a", true),
            ("+", "a", true),
            ("a/#", "a/b/c", true),
            ("+", "/a", false),
            ("a/#", "ab", false),
            ("+/+", "/a", true),
            ("#", "a/b", true),
            ("/+", "/a", true),
            ("#", "$SYS/x", false),
            ("a/+", "a", false),
            ("+/x", "$SYS/x", false),
            ("a/+", "a/", true),
            ("$SYS/#", "$SYS/x", true),
            ("a/+", "a/b/c", false),
            ("$SYS/+", "$SYS/x", true),
            ("a/+/c", "a//c", true),
            ("a", "a", true),
            ("a", "A", false),
            ("a/b", "a", false),
            ("a", "a/b", false),
            ("/", "/", true),
            ("+", "$a", false),
        ] {
            let matched = TopicFilter::new(filter)
                .unwrap()
                .matches(TopicName::new(name).unwrap());
            assert_eq!(matched, expected, "{filter} {name}");
        }
    }

    #[test]
    fn the_text_of_names_and_filters_in_every_form() {
        let name = TopicName::try_from("$a/b").unwrap();
        let filter = TopicFilter::try_from("a/+").unwrap();
        assert_eq!(alloc::format!("{name} {filter}"), "$a/b a/+");
        assert_eq!(alloc::format!("{name:?} {filter:?}"), r#""$a/b" "a/+""#);
        assert_eq!((name.as_ref(), filter.as_ref()), ("$a/b", "a/+"));
        assert_eq!(name.as_utf8().as_str(), "$a/b");
        assert_eq!(TopicFilter::from(name).as_str(), "$a/b");
    }

    #[test]
    fn dollars_and_wildcards_are_seen_where_they_count() {
        assert!(TopicName::new("$a").unwrap().is_dollar());
        assert!(!TopicName::new("a/$b").unwrap().is_dollar());
        for (text, expected) in [("a/#", true), ("+/a", true), ("a/b", false)] {
            assert_eq!(TopicFilter::new(text).unwrap().has_wildcard(), expected);
        }
    }

    #[test]
    fn plain_topics_are_told_at_one_look() {
        for (text, name, filter) in [
            ("a/b", true, true),
            // Wildcards are looked at more closely, and so is what a name seldom has.
            ("a/+/#", false, true),
            ("a!", false, true),
            ("a#", false, false),
            ("ä", false, false),
            ("a\0", false, false),
            ("", false, false),
        ] {
            let bytes = text.as_bytes();
            assert_eq!(TopicName::is_plainly_valid(bytes), name, "{text:?}");
            assert_eq!(TopicFilter::is_plainly_valid(bytes), filter, "{text:?}");
        }
    }
}
