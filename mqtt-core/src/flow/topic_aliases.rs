//! Topic Aliases of one Network Connection (v5 3.3.2.3.4).
//!
//! The two directions are independent maps: what the peer's aliases stand for, and which topics have one of ours. Neither
//! outlives the connection [v5 MQTT-3.3.2-7], so both are made anew for each.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::types::{ReasonCode, TopicAlias, TopicName};

/// What the peer's Topic Aliases stand for on this connection.
///
/// Holds at most `maximum` topics, so at most `maximum` times 65,535 bytes: an owner that takes connections from
/// strangers keeps the maximum small.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct InboundAliases {
    maximum: u16,
    topics: BTreeMap<TopicAlias, Box<str>>,
}

/// Why the Topic Name of a PUBLISH could not be told. Each is a Protocol Error (v5 3.3.2.3.4, 3.3.4).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum TopicAliasError {
    /// The alias is above the Topic Alias Maximum that the receiver announced [v5 MQTT-3.3.2-9, MQTT-3.3.2-11].
    #[error("topic alias {} is above the maximum of {maximum}", .alias.get())]
    AboveMaximum {
        /// The alias received.
        alias: TopicAlias,
        /// What the receiver announced; 0 when it takes none.
        maximum: u16,
    },
    /// The Topic Name is empty and the alias was given no topic on this connection.
    #[error("topic alias {} stands for no topic on this connection", .alias.get())]
    Unknown {
        /// The alias received.
        alias: TopicAlias,
    },
    /// The Topic Name is empty and there is no alias.
    #[error("neither a topic name nor a topic alias")]
    NoTopic,
}

impl InboundAliases {
    /// A map for a new connection, taking aliases from 1 to `maximum`; with 0 it takes none.
    pub(crate) const fn new(maximum: u16) -> Self {
        Self {
            maximum,
            topics: BTreeMap::new(),
        }
    }

    /// The topic a PUBLISH is for, remembering the alias when it came with a topic.
    ///
    /// # Errors
    /// Any [`TopicAliasError`]; the map is unchanged.
    pub(crate) fn resolve<'t>(
        &'t mut self,
        topic: Option<TopicName<'t>>,
        alias: Option<TopicAlias>,
    ) -> Result<TopicName<'t>, TopicAliasError> {
        let Some(alias) = alias else {
            return topic.ok_or(TopicAliasError::NoTopic);
        };
        if alias.get() > self.maximum {
            return Err(TopicAliasError::AboveMaximum {
                alias,
                maximum: self.maximum,
            });
        }
        match topic {
            Some(topic) => {
                self.topics.insert(alias, topic.as_str().into());
                Ok(topic)
            }
            // What is kept was a Topic Name when it came, so the second reading of it cannot fail.
            None => self
                .topics
                .get(&alias)
                .and_then(|topic| TopicName::new(topic).ok())
                .ok_or(TopicAliasError::Unknown { alias }),
        }
    }
}

/// Topics in bytes that are worth an alias, which costs three. A longer one is rare, and many of them would be a way to fill
/// the memory.
const WORTH_AN_ALIAS: core::ops::RangeInclusive<usize> = 5..=1_024;

/// More aliases are not used, since each message looks through them.
const MOST_OUTBOUND: u16 = 64;

/// Our own Topic Aliases on this connection: the topics that were used last have one.
///
/// Holds at most 64 topics of at most 1,024 bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct OutboundAliases {
    maximum: u16,
    /// The one used last comes first.
    topics: Vec<(TopicAlias, Box<str>)>,
}

/// How the topic of a PUBLISH is to be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OutboundAlias {
    pub(crate) alias: TopicAlias,
    /// The peer knows what it stands for, so the Topic Name stays empty.
    pub(crate) is_known: bool,
}

impl OutboundAliases {
    /// For a new connection to a peer that takes aliases up to `maximum` [v5 MQTT-3.1.2-26, MQTT-3.2.2-17]; with 0 none is
    /// used.
    pub(crate) fn new(maximum: u16) -> Self {
        Self {
            maximum: maximum.min(MOST_OUTBOUND),
            topics: Vec::new(),
        }
    }

    /// The alias for a topic, if it is to have one.
    pub(crate) fn choose(&self, topic: TopicName<'_>) -> Option<OutboundAlias> {
        if self.maximum == 0 || !WORTH_AN_ALIAS.contains(&topic.as_str().len()) {
            return None;
        }
        let known = self
            .topics
            .iter()
            .find(|(_, known)| **known == *topic.as_str());
        let in_use = u16::try_from(self.topics.len()).unwrap_or(u16::MAX);
        let alias = match known {
            Some((alias, _)) => *alias,
            None if in_use < self.maximum => TopicAlias::new(in_use + 1)?,
            None => self.topics.last()?.0,
        };
        Some(OutboundAlias {
            alias,
            is_known: known.is_some(),
        })
    }

    /// A PUBLISH to `topic` was written with this alias, which [`OutboundAliases::choose`] gave.
    pub(crate) fn used(&mut self, topic: TopicName<'_>, used: OutboundAlias) {
        match self
            .topics
            .iter()
            .position(|(alias, _)| *alias == used.alias)
        {
            Some(place) => {
                if let Some(recent) = self.topics.get_mut(..=place) {
                    recent.rotate_right(1);
                }
                if let Some((_, known)) = self.topics.first_mut().filter(|_| !used.is_known) {
                    *known = topic.as_str().into();
                }
            }
            None => self.topics.insert(0, (used.alias, topic.as_str().into())),
        }
    }
}

impl TopicAliasError {
    /// The Reason Code for the DISCONNECT that must follow (v5 3.3.4).
    #[must_use]
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::AboveMaximum { .. } => ReasonCode::TOPIC_ALIAS_INVALID,
            Self::Unknown { .. } | Self::NoTopic => ReasonCode::PROTOCOL_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> TopicName<'_> {
        TopicName::new(text).unwrap()
    }

    fn alias(number: u16) -> TopicAlias {
        TopicAlias::new(number).unwrap()
    }

    #[test]
    fn a_topic_without_alias_is_itself() {
        let mut aliases = InboundAliases::new(0);
        assert_eq!(aliases.resolve(Some(topic("a/b")), None), Ok(topic("a/b")));
    }

    #[test]
    fn v5_mqtt_3_3_2_12_every_alias_up_to_the_maximum_resolves() {
        let mut aliases = InboundAliases::new(10);
        for number in 1..=10 {
            let name = alloc::format!("t/{number}");
            assert_eq!(
                aliases.resolve(Some(topic(&name)), Some(alias(number))),
                Ok(topic(&name))
            );
        }
        for number in 1..=10 {
            let name = alloc::format!("t/{number}");
            assert_eq!(aliases.resolve(None, Some(alias(number))), Ok(topic(&name)));
        }
    }

    #[test]
    fn a_second_topic_replaces_the_first() {
        let mut aliases = InboundAliases::new(1);
        aliases.resolve(Some(topic("a")), Some(alias(1))).unwrap();
        aliases.resolve(Some(topic("b")), Some(alias(1))).unwrap();
        assert_eq!(aliases.resolve(None, Some(alias(1))), Ok(topic("b")));
    }

    #[test]
    fn v5_u_5_6_an_alias_above_the_maximum_is_0x94_and_is_not_kept() {
        let mut aliases = InboundAliases::new(2);
        let error = aliases
            .resolve(Some(topic("a")), Some(alias(3)))
            .unwrap_err();
        assert_eq!(
            error,
            TopicAliasError::AboveMaximum {
                alias: alias(3),
                maximum: 2
            }
        );
        assert_eq!(error.reason_code().get(), 0x94);
        assert_eq!(aliases, InboundAliases::new(2));
    }

    #[test]
    fn v5_u_5_6_an_alias_nobody_set_is_0x82() {
        let mut aliases = InboundAliases::new(2);
        let error = aliases.resolve(None, Some(alias(1))).unwrap_err();
        assert_eq!(error, TopicAliasError::Unknown { alias: alias(1) });
        assert_eq!(error.reason_code().get(), 0x82);
    }

    #[test]
    fn neither_topic_nor_alias_is_0x82() {
        let error = InboundAliases::new(2).resolve(None, None).unwrap_err();
        assert_eq!(error, TopicAliasError::NoTopic);
        assert_eq!(error.reason_code().get(), 0x82);
    }

    /// Sends to a topic: the number of the alias, and whether the topic came with it.
    fn send(aliases: &mut OutboundAliases, name: &str) -> Option<(u16, bool)> {
        let chosen = aliases.choose(topic(name))?;
        aliases.used(topic(name), chosen);
        Some((chosen.alias.get(), !chosen.is_known))
    }

    #[test]
    fn the_topics_used_last_have_the_aliases() {
        let mut aliases = OutboundAliases::new(2);
        for (name, expected) in [
            ("long/1", (1, true)),
            ("long/1", (1, false)),
            ("long/2", (2, true)),
            ("long/1", (1, false)),
            // Instead of the second, which was used before the first.
            ("long/3", (2, true)),
            ("long/1", (1, false)),
            ("long/2", (2, true)),
            ("long/2", (2, false)),
            ("long/3", (1, true)),
        ] {
            assert_eq!(send(&mut aliases, name), Some(expected), "{name}");
        }
    }

    #[test]
    fn no_alias_without_need_or_leave() {
        assert_eq!(send(&mut OutboundAliases::new(0), "long/1"), None);
        let mut aliases = OutboundAliases::new(u16::MAX);
        assert_eq!(send(&mut aliases, "abcd"), None);
        assert_eq!(send(&mut aliases, &"x".repeat(1_025)), None);
        // A bound of our own holds too.
        for number in 1..=1_000 {
            let name = alloc::format!("topic/{number}");
            let (alias, is_new) = send(&mut aliases, &name).unwrap();
            assert!(alias <= 64 && is_new);
        }
        assert_eq!(aliases.topics.len(), 64);
    }

    proptest::proptest! {
        /// Whatever is sent, the other end understands it.
        #[test]
        fn what_is_sent_is_understood(maximum in 1..5_u16, numbers in proptest::collection::vec(0..8_u8, 0..100)) {
            let (mut sender, mut receiver) = (OutboundAliases::new(maximum), InboundAliases::new(maximum));
            for number in numbers {
                let name = alloc::format!("topic/{number}");
                let chosen = sender.choose(topic(&name)).unwrap();
                let told = (!chosen.is_known).then(|| topic(&name));
                assert_eq!(receiver.resolve(told, Some(chosen.alias)), Ok(topic(&name)));
                sender.used(topic(&name), chosen);
            }
        }
    }
}
