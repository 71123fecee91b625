//! Who may publish and subscribe to what, from a file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use mqtt_core::{ReasonCode, TopicError, TopicFilter};

use crate::authorize::{Access, Action, Authorize};

/// An [`Authorize`] that knows the rules from a file, in the form of Mosquitto's `acl_file`.
///
/// ```text
/// # Clients without a user name, up to the first "user".
/// topic read public/#
///
/// user ann
/// topic readwrite home/#
/// topic deny home/safe
///
/// # Every client: %c is its Client Identifier, %u its user name.
/// pattern write devices/%c/status
/// ```
///
/// Each line has one rule: `topic` for the user named last, `pattern` for everybody, then `read`, `write`, `readwrite` (which
/// may be left out) or `deny`, then a Topic Filter, which may have spaces in it. Empty lines and lines that begin with `#` are
/// skipped. What no rule allows is refused with Not authorized (0x87), and `deny` goes before the others. The file is read
/// once.
///
/// A client may publish to a topic that a filter for writing matches, and subscribe to a filter that one for reading
/// [covers](TopicFilter::covers) and that no `deny` [overlaps](TopicFilter::overlaps): to `a/b`, but not to `#`, if it may read
/// `a/+`. (Mosquitto grants `#` and then leaves out messages.) A shared subscription is judged by its filter alone. A filter
/// that begins with a wildcard says nothing about `$SYS/` and its like.
///
/// A pattern allows nothing to a client whose identifier or user name it asks for and that has none, or one with `+`, `#` or
/// `/` in it, which could reach into others' topics, or with `$` before all else, which could reach the broker's own; a `deny`
/// pattern refuses such a client everything.
#[derive(Clone, Debug, Default)]
pub struct AccessFile {
    anonymous: Vec<Rule>,
    users: HashMap<String, Vec<Rule>>,
    patterns: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    right: Right,
    /// A Topic Filter; in a pattern, once its places are filled.
    filter: Box<str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Right {
    Read,
    Write,
    ReadWrite,
    Deny,
}

/// Why an access file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessFileError {
    /// The file could not be read.
    #[error("cannot read access file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line begins with something else.
    #[error("line {line} begins with neither \"user\" nor \"topic\" nor \"pattern\"")]
    Keyword {
        /// Counted from 1.
        line: usize,
    },
    /// A line ends after its keyword.
    #[error("line {line} lacks {missing}")]
    Missing {
        /// Counted from 1.
        line: usize,
        /// What is not there.
        missing: &'static str,
    },
    /// A user is named twice.
    #[error("line {line} names a user again")]
    Duplicate {
        /// Counted from 1.
        line: usize,
    },
    /// A rule's filter is not a Topic Filter.
    #[error("line {line} has no valid topic filter")]
    Filter {
        /// Counted from 1.
        line: usize,
        /// Why not.
        source: TopicError,
    },
}

impl AccessFile {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`AccessFileError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, AccessFileError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| AccessFileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Takes the text of a file.
    ///
    /// # Errors
    /// See [`AccessFileError`].
    pub fn parse(text: &str) -> Result<Self, AccessFileError> {
        let mut access = Self::default();
        let mut user: Option<&str> = None;
        for (index, text) in text.lines().enumerate() {
            let line = index + 1;
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (keyword, rest) = split_word(text);
            match keyword {
                "user" => {
                    let name = Some(rest).filter(|name| !name.is_empty());
                    let missing = "a user name";
                    let name = name.ok_or(AccessFileError::Missing { line, missing })?;
                    if access.users.insert(name.to_owned(), Vec::new()).is_some() {
                        return Err(AccessFileError::Duplicate { line });
                    }
                    user = Some(name);
                }
                "topic" => {
                    let rules = user.and_then(|name| access.users.get_mut(name));
                    let rules = rules.unwrap_or(&mut access.anonymous);
                    rules.push(Rule::parse(rest, line)?);
                }
                "pattern" => access.patterns.push(Rule::parse(rest, line)?),
                _ => return Err(AccessFileError::Keyword { line }),
            }
        }
        Ok(access)
    }

    /// Whether there are rules for some user names, which are worth what is known about who uses them.
    #[must_use]
    pub fn names_users(&self) -> bool {
        let asks_for_user = |rule: &Rule| rule.filter.contains("%u");
        !self.users.is_empty() || self.patterns.iter().any(asks_for_user)
    }

    fn allows(&self, access: &Access<'_>) -> bool {
        let own = match access.username {
            Some(name) => self.users.get(name).map(Vec::as_slice).unwrap_or_default(),
            None => &self.anonymous,
        };
        let own = own
            .iter()
            .map(|rule| (rule.right, Some(Cow::Borrowed(&*rule.filter))));
        let patterns = self
            .patterns
            .iter()
            .map(|rule| (rule.right, fill(&rule.filter, access).map(Cow::Owned)));
        let mut is_allowed = false;
        for (right, filter) in own.chain(patterns) {
            let filter = filter
                .as_deref()
                .and_then(|text| TopicFilter::new(text).ok());
            match (filter, right, access.action) {
                (None, Right::Deny, _) => return false,
                (Some(filter), Right::Deny, action) if is_denied(filter, action) => return false,
                (Some(filter), Right::Write | Right::ReadWrite, Action::Publish(message)) => {
                    is_allowed |= filter.matches(message.topic());
                }
                (
                    Some(granted),
                    Right::Read | Right::ReadWrite,
                    Action::Subscribe { filter, .. },
                ) => {
                    is_allowed |= granted.covers(filter);
                }
                _ => {}
            }
        }
        is_allowed
    }
}

fn is_denied(denied: TopicFilter<'_>, action: Action<'_>) -> bool {
    match action {
        Action::Publish(message) => denied.matches(message.topic()),
        Action::Subscribe { filter, .. } => denied.overlaps(filter),
    }
}

impl Rule {
    fn parse(text: &str, line: usize) -> Result<Self, AccessFileError> {
        let (word, rest) = split_word(text);
        let (right, filter) = match word {
            "read" => (Right::Read, rest),
            "write" => (Right::Write, rest),
            "readwrite" => (Right::ReadWrite, rest),
            "deny" => (Right::Deny, rest),
            _ => (Right::ReadWrite, text),
        };
        if filter.is_empty() {
            let missing = "a topic filter";
            return Err(AccessFileError::Missing { line, missing });
        }
        TopicFilter::new(filter).map_err(|source| AccessFileError::Filter { line, source })?;
        Ok(Self {
            right,
            filter: filter.into(),
        })
    }
}

/// The first word, and what comes after the white space behind it.
fn split_word(text: &str) -> (&str, &str) {
    match text.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

/// A pattern with its places filled, if what belongs there is there and stays within one level.
fn fill(pattern: &str, access: &Access<'_>) -> Option<String> {
    let mut filled = String::with_capacity(pattern.len());
    let mut rest = pattern;
    // In one pass, so that a name with "%u" in it is not filled again.
    while let Some((before, after)) = rest.split_once('%') {
        filled.push_str(before);
        let begins = filled.is_empty();
        let is_safe = |name: &&str| {
            let reaches_out = name.contains(['+', '#', '/']) || (begins && name.starts_with('$'));
            !name.is_empty() && !reaches_out
        };
        rest = if let Some(after) = after.strip_prefix('c') {
            filled.push_str(Some(access.client_id).filter(is_safe)?);
            after
        } else if let Some(after) = after.strip_prefix('u') {
            filled.push_str(access.username.filter(is_safe)?);
            after
        } else {
            filled.push('%');
            after
        };
    }
    filled.push_str(rest);
    Some(filled)
}

impl Authorize for AccessFile {
    fn authorize<'a>(
        &'a self,
        access: &'a Access<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>> {
        let allowed = self
            .allows(access)
            .then_some(())
            .ok_or(ReasonCode::NOT_AUTHORIZED);
        Box::pin(async move { allowed })
    }
}

#[cfg(test)]
mod tests {
    use mqtt_core::{Message, ProtocolVersion, QoS, TopicName};

    use super::*;

    fn allows(file: &AccessFile, client: (&str, Option<&str>), action: Action<'_>) -> bool {
        file.allows(&Access {
            version: ProtocolVersion::V5,
            client_id: client.0,
            username: client.1,
            peer: None,
            certificates: &[],
            action,
        })
    }

    fn may_publish(file: &AccessFile, client: (&str, Option<&str>), topic: &str) -> bool {
        let message = Message::new(TopicName::new(topic).unwrap(), "");
        allows(file, client, Action::Publish(&message))
    }

    fn may_subscribe(file: &AccessFile, client: (&str, Option<&str>), filter: &str) -> bool {
        let action = Action::Subscribe {
            filter: TopicFilter::new(filter).unwrap(),
            share: None,
            qos: QoS::AtMostOnce,
        };
        allows(file, client, action)
    }

    #[test]
    fn each_client_may_do_what_its_rules_say() {
        let file = AccessFile::parse(
            "# what everybody sees\n\
             topic read public/#\n\
             \n\
             user ann lee\n\
             topic home/#\n\
             topic deny home/safe/#\n\
             topic write log\n\
             user bob\n\
             \tpattern readwrite devices/%c/+\n\
             pattern write users/%u/in 100%\n",
        )
        .unwrap();
        let (nobody, ann, bob) = (("x", None), ("x", Some("ann lee")), ("7", Some("bob")));
        for (client, filter, expected) in [
            (nobody, "public/a", true),
            (nobody, "public/#", true),
            (nobody, "#", false),
            (nobody, "public/+/b", true),
            (ann, "public/a", false),
            (ann, "home", true),
            (ann, "home/kitchen/+", true),
            // It would read what is denied.
            (ann, "home/#", false),
            (ann, "home/+/door", false),
            (ann, "home/safe", false),
            (ann, "log", false),
            (bob, "devices/7/status", true),
            (bob, "devices/+/status", false),
            (bob, "devices/8/status", false),
            (bob, "home/a", false),
            (("7", Some("unknown")), "devices/7/status", true),
        ] {
            assert_eq!(
                may_subscribe(&file, client, filter),
                expected,
                "{client:?} {filter}"
            );
        }
        for (client, topic, expected) in [
            (nobody, "public/a", false),
            (ann, "home/kitchen", true),
            (ann, "home/safe/door", false),
            (ann, "log", true),
            (bob, "users/bob/in 100%", true),
            (bob, "users/ann/in 100%", false),
            (nobody, "users//in 100%", false),
            (bob, "devices/7/a", true),
            (bob, "devices/7/a/b", false),
        ] {
            assert_eq!(
                may_publish(&file, client, topic),
                expected,
                "{client:?} {topic}"
            );
        }
    }

    #[test]
    fn names_that_would_reach_into_others_topics_get_nothing_from_a_pattern() {
        let file = AccessFile::parse("pattern devices/%c/#\n").unwrap();
        for id in ["+", "#", "7/x", ""] {
            assert!(!may_subscribe(&file, (id, None), "devices/7/x/y"), "{id}");
            assert!(!may_publish(&file, (id, None), "devices/7/x/y"), "{id}");
        }
        let file = AccessFile::parse("topic #\npattern deny private/%c\n").unwrap();
        assert!(may_publish(&file, ("7", None), "a"));
        assert!(!may_publish(&file, ("7", None), "private/7"));
        assert!(!may_publish(&file, ("7/8", None), "a"));
        // What begins with a wildcard does not reach the broker's own topics.
        assert!(may_subscribe(&file, ("7", None), "a/#"));
        assert!(!may_subscribe(&file, ("7", None), "$SYS/#"));
        let file = AccessFile::parse("pattern %c/#\npattern a/%c\n").unwrap();
        assert!(may_subscribe(&file, ("SYS", None), "SYS/broker/uptime"));
        assert!(!may_subscribe(&file, ("$SYS", None), "$SYS/broker/uptime"));
        assert!(may_subscribe(&file, ("$SYS", None), "a/$SYS"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, message) in [
            ("\nallow a\n", "line 2 begins with neither"),
            ("user\n", "line 1 lacks a user name"),
            ("topic read \n", "line 1 lacks a topic filter"),
            ("pattern\n", "line 1 lacks a topic filter"),
            ("user a\nuser b\nuser a\n", "line 3 names a user again"),
            ("topic read a#\n", "line 1 has no valid topic filter"),
        ] {
            let error = AccessFile::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text:?}: {error}");
        }
        assert!(
            !AccessFile::parse("topic a\npattern %c\n")
                .unwrap()
                .names_users()
        );
        assert!(AccessFile::parse("pattern %u\n").unwrap().names_users());
        assert!(AccessFile::parse("user a\n").unwrap().names_users());
    }
}
