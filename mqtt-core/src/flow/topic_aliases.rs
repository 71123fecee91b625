//! Topic Aliases of one Network Connection (v5 3.3.2.3.4).
//!
//! The two directions are independent maps. This file holds the inbound one: what the peer's aliases stand for. The
//! outbound one, which decides when to use an alias of our own, belongs beside it; until it exists no alias is sent,
//! which every peer must accept [v5 MQTT-3.1.2-27]. Neither map outlives the connection [v5 MQTT-3.3.2-7], so both are
//! made anew for each.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

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
}
