//! Retained messages: the last one of each topic, for those who subscribe later (v5 3.3.1.3, v311 3.3.1.3).

use std::collections::BTreeMap;
use std::ops::Bound;

use mqtt_core::{Instant, Message, TopicFilter};

use crate::expiry::expires;

/// The retained messages of a broker, bounded in number and bytes.
#[derive(Debug)]
pub(crate) struct Retained {
    /// Ordered, so that a filter looks only at the topics that begin as it does.
    messages: BTreeMap<Box<str>, Kept>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
    /// Nothing expires before this.
    next_expiry: Option<Instant>,
}

#[derive(Debug)]
struct Kept {
    message: Message,
    since: Instant,
}

impl Kept {
    fn expires(&self) -> Option<Instant> {
        expires(&self.message, self.since)
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires().is_some_and(|at| at <= now)
    }
}

/// There is no room for a retained message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RetainedFull;

impl Retained {
    pub(crate) const fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self {
            messages: BTreeMap::new(),
            bytes: 0,
            max_messages,
            max_bytes,
            next_expiry: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps a message in place of the one its topic had, or removes that one if the payload is empty
    /// [v5 MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-7].
    pub(crate) fn store(&mut self, now: Instant, message: &Message) -> Result<(), RetainedFull> {
        let topic = message.topic().as_str();
        if message.payload().is_empty() {
            self.remove(topic);
            return Ok(());
        }
        if !self.has_room(message) {
            self.purge(now);
            if !self.has_room(message) {
                return Err(RetainedFull);
            }
        }
        self.remove(topic);
        self.bytes += cost(message);
        let kept = Kept {
            message: message.clone(),
            since: now,
        };
        self.next_expiry = self.next_expiry.into_iter().chain(kept.expires()).min();
        self.messages.insert(topic.into(), kept);
        Ok(())
    }

    /// Every message whose topic matches `filter`, with the time since when it is kept.
    pub(crate) fn matching<'a>(
        &'a self,
        now: Instant,
        filter: TopicFilter<'a>,
    ) -> impl Iterator<Item = (&'a Message, Instant)> {
        let start = literal_start(filter.as_str());
        self.messages
            .range::<str, _>((Bound::Included(start), Bound::Unbounded))
            .take_while(move |(topic, _)| topic.starts_with(start))
            .filter(move |(_, kept)| filter.matches(kept.message.topic()) && !kept.is_expired(now))
            .map(|(_, kept)| (&kept.message, kept.since))
    }

    fn has_room(&self, message: &Message) -> bool {
        let replaced = self.messages.get(message.topic().as_str());
        let messages = self.messages.len() - usize::from(replaced.is_some());
        let bytes = self.bytes - replaced.map_or(0, |kept| cost(&kept.message));
        messages < self.max_messages && bytes + cost(message) <= self.max_bytes
    }

    fn remove(&mut self, topic: &str) {
        if let Some(kept) = self.messages.remove(topic) {
            self.bytes -= cost(&kept.message);
        }
    }

    /// Frees what has expired. Only done when room is short and something may have expired: the walk is over everything.
    fn purge(&mut self, now: Instant) {
        if self.next_expiry.is_none_or(|next| now < next) {
            return;
        }
        self.messages.retain(|_, kept| !kept.is_expired(now));
        self.bytes = self.messages.values().map(|kept| cost(&kept.message)).sum();
        self.next_expiry = self.messages.values().filter_map(Kept::expires).min();
    }
}

/// What a retained message costs: the message, and its topic once more as the key.
fn cost(message: &Message) -> usize {
    message.held_bytes() + message.topic().as_str().len()
}

/// What every topic that matches a filter begins with. `a/#` matches `a` too, so the slash is not part of it.
fn literal_start(filter: &str) -> &str {
    let wildcard = filter.find(['+', '#']).unwrap_or(filter.len());
    let start = filter.get(..wildcard).unwrap_or_default();
    if wildcard < filter.len() {
        start.strip_suffix('/').unwrap_or(start)
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mqtt_core::{Property, TopicName};

    use super::*;

    const START: Instant = Instant::from_millis(0);

    fn message(topic: &str, payload: &'static str) -> Message {
        Message::new(TopicName::new(topic).unwrap(), payload).with_retain(true)
    }

    fn found(retained: &Retained, filter: &str) -> Vec<String> {
        retained
            .matching(START, TopicFilter::new(filter).unwrap())
            .map(|(message, _)| {
                format!(
                    "{}={}",
                    message.topic().as_str(),
                    std::str::from_utf8(message.payload()).unwrap()
                )
            })
            .collect()
    }

    #[test]
    fn a_filter_finds_its_topics() {
        let mut retained = Retained::new(100, 1 << 20);
        for topic in ["a", "a/b", "a/b/c", "ab", "a/c", "$SYS/x", "/", "b"] {
            retained.store(START, &message(topic, "x")).unwrap();
        }
        assert_eq!(found(&retained, "a/b"), ["a/b=x"]);
        assert_eq!(
            found(&retained, "a/#"),
            ["a=x", "a/b=x", "a/b/c=x", "a/c=x"]
        );
        assert_eq!(found(&retained, "a/+"), ["a/b=x", "a/c=x"]);
        assert_eq!(found(&retained, "+/b"), ["a/b=x"]);
        assert_eq!(found(&retained, "$SYS/#"), ["$SYS/x=x"]);
        assert_eq!(found(&retained, "#").len(), 7);
        assert_eq!(found(&retained, "/+"), ["/=x"]);
        assert_eq!(found(&retained, "nothing"), Vec::<String>::new());
    }

    #[test]
    fn v5_mqtt_3_3_1_6_an_empty_payload_removes_and_a_full_one_replaces() {
        let mut retained = Retained::new(100, 1 << 20);
        retained.store(START, &message("a", "1")).unwrap();
        retained.store(START, &message("a", "22")).unwrap();
        assert_eq!(found(&retained, "a"), ["a=22"]);
        retained.store(START, &message("a", "")).unwrap();
        assert_eq!((retained.len(), retained.bytes()), (0, 0));
    }

    #[test]
    fn the_bounds_hold_and_replacing_needs_no_new_room() {
        let mut retained = Retained::new(2, 1 << 20);
        retained.store(START, &message("a", "1")).unwrap();
        retained.store(START, &message("b", "1")).unwrap();
        assert_eq!(retained.store(START, &message("c", "1")), Err(RetainedFull));
        assert_eq!(retained.store(START, &message("a", "2")), Ok(()));
        assert_eq!(found(&retained, "#"), ["a=2", "b=1"]);

        let mut narrow = Retained::new(100, cost(&message("a", "1")));
        narrow.store(START, &message("a", "1")).unwrap();
        assert_eq!(narrow.store(START, &message("b", "1")), Err(RetainedFull));
        assert_eq!(narrow.bytes(), narrow.max_bytes);
    }

    #[test]
    fn v5_mqtt_3_3_2_5_what_has_expired_is_not_sent_and_makes_room() {
        let mut retained = Retained::new(1, 1 << 20);
        let short = message("a", "1")
            .with_properties(&[Property::MessageExpiryInterval(10)])
            .unwrap();
        retained.store(START, &short).unwrap();
        let filter = TopicFilter::new("a").unwrap();
        let at = |seconds| START + Duration::from_secs(seconds);
        assert_eq!(retained.matching(at(9), filter).count(), 1);
        assert_eq!(retained.matching(at(10), filter).count(), 0);
        assert_eq!(retained.store(at(9), &message("b", "1")), Err(RetainedFull));
        assert_eq!(retained.store(at(10), &message("b", "1")), Ok(()));
        assert_eq!(retained.len(), 1);
    }
    #[test]
    fn the_next_expiry_is_known_so_that_a_full_store_is_not_searched_in_vain() {
        let mut retained = Retained::new(2, 1 << 20);
        retained.store(START, &message("a", "1")).unwrap();
        assert_eq!(retained.next_expiry, None);
        let expiring = |topic, seconds| {
            message(topic, "1")
                .with_properties(&[Property::MessageExpiryInterval(seconds)])
                .unwrap()
        };
        let at = |seconds| START + Duration::from_secs(seconds);
        retained.store(START, &expiring("b", 10)).unwrap();
        assert_eq!(retained.next_expiry, Some(at(10)));
        retained.store(at(10), &expiring("c", 5)).unwrap();
        assert_eq!(found(&retained, "#"), ["a=1", "c=1"]);
        assert_eq!(retained.next_expiry, Some(at(15)));
    }
}
