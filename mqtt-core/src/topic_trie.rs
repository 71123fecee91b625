//! Many Topic Filters, one Topic Name: which subscriptions does a message go to?
//!
//! A tree with one node per level of a filter. Matching walks it with neither recursion nor allocation, and what it costs
//! is bounded by the shape of the tree, never by what the filters could expand to: every node is entered at most once, and
//! at most two children (the level itself and `+`) are entered below each. Filters deeper than the level limit are refused
//! when they are inserted, so neither a filter nor a topic made of slashes can make a walk long.
//!
//! Shared subscriptions are the owner's business: insert the filter inside a
//! [`SharedFilter`](crate::types::SharedFilter), with the group in the key or the value.

mod few;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter::FusedIterator;

use self::few::Few;
use crate::types::{TopicFilter, TopicName};

/// The place of the root in the table of nodes. It always exists.
const ROOT: usize = 0;

/// The largest number of levels a [`TopicTrie`] takes in one filter unless told otherwise.
///
/// The standard sets no limit (v5 4.7, v311 4.7). Real topics have fewer than 20 levels; a filter of 65,535 slashes would
/// cost megabytes of nodes.
pub const DEFAULT_MAX_LEVELS: usize = 128;

/// Subscriptions by Topic Filter, found by Topic Name (v5 4.7, v311 4.7).
///
/// Several subscribers may hold the same filter: within one filter each has a key `K`, under which its value `V` can be
/// replaced and removed. Matching follows [`TopicFilter::matches`], the rule for topics that begin with `$` included
/// [v5 MQTT-4.7.2-1].
///
/// ```
/// use mqtt_core::{TopicFilter, TopicName, TopicTrie};
///
/// let mut trie = TopicTrie::new();
/// trie.insert(TopicFilter::new("devices/+/alarm")?, "pager", 1)?;
/// trie.insert(TopicFilter::new("devices/#")?, "log", 0)?;
///
/// let mut found: Vec<_> = trie.matches(TopicName::new("devices/7/alarm")?).collect();
/// found.sort();
/// assert_eq!(found, [(&"log", &0), (&"pager", &1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TopicTrie<K, V> {
    /// Nodes refer to each other by their place here; a free place holds an empty node.
    nodes: Vec<Node<K, V>>,
    free: Vec<usize>,
    subscriptions: usize,
    max_levels: usize,
}

/// Why a [`TopicTrie`] refused a filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicTrieError {
    /// The filter has more levels than this trie takes.
    #[error("topic filter has more than {limit} levels")]
    TooManyLevels {
        /// The most levels a filter may have.
        limit: usize,
    },
}

#[derive(Clone, Debug)]
struct Node<K, V> {
    parent: usize,
    /// The children for a level that is spelled out. Ordered: it needs no source of randomness against chosen names.
    literal: Few<Box<str>, usize>,
    /// The child for `+`.
    plus: Option<usize>,
    /// Subscriptions whose filter ends at this node.
    here: Few<K, V>,
    /// Subscriptions whose filter ends in `#` below this node. They match the node's own level too (v5 4.7.1.2).
    below: Few<K, V>,
}

impl<K, V> Node<K, V> {
    const fn new(parent: usize) -> Self {
        Self {
            parent,
            literal: Few::new(),
            plus: None,
            here: Few::new(),
            below: Few::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.literal.is_empty()
            && self.plus.is_none()
            && self.here.is_empty()
            && self.below.is_empty()
    }

    const fn entries(&self, end: FilterEnd) -> &Few<K, V> {
        match end {
            FilterEnd::Here => &self.here,
            FilterEnd::Below => &self.below,
        }
    }

    const fn entries_mut(&mut self, end: FilterEnd) -> &mut Few<K, V> {
        match end {
            FilterEnd::Here => &mut self.here,
            FilterEnd::Below => &mut self.below,
        }
    }
}

/// How a filter ends: with an ordinary level, or with `#`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FilterEnd {
    Here,
    Below,
}

/// The levels of a filter that have nodes, and how it ends. `#` has no node of its own.
fn split_end(filter: &str) -> (Option<&str>, FilterEnd) {
    if filter == "#" {
        (None, FilterEnd::Below)
    } else if let Some(levels) = filter.strip_suffix("/#") {
        (Some(levels), FilterEnd::Below)
    } else {
        (Some(filter), FilterEnd::Here)
    }
}

impl<K: Ord, V> TopicTrie<K, V> {
    /// An empty trie that takes filters of up to [`DEFAULT_MAX_LEVELS`] levels.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_levels(DEFAULT_MAX_LEVELS)
    }

    /// An empty trie that takes filters of up to `max_levels` levels, `#` counted as one.
    #[must_use]
    pub fn with_max_levels(max_levels: usize) -> Self {
        Self {
            nodes: [Node::new(ROOT)].into(),
            free: Vec::new(),
            subscriptions: 0,
            max_levels,
        }
    }

    /// Adds a subscription and returns the value it replaces, if `key` already had this very filter.
    ///
    /// # Errors
    /// [`TopicTrieError::TooManyLevels`]: the filter is deeper than this trie takes. Nothing was changed.
    pub fn insert(
        &mut self,
        filter: TopicFilter<'_>,
        key: K,
        value: V,
    ) -> Result<Option<V>, TopicTrieError> {
        // One more than the limit is enough to know, however long the filter is.
        if filter
            .as_str()
            .split('/')
            .take(self.max_levels.saturating_add(1))
            .count()
            > self.max_levels
        {
            return Err(TopicTrieError::TooManyLevels {
                limit: self.max_levels,
            });
        }
        let (levels, end) = split_end(filter.as_str());
        let mut at = ROOT;
        for level in levels.iter().flat_map(|levels| levels.split('/')) {
            at = self.child_or_new(at, level);
        }
        let replaced = self.node_mut(at).entries_mut(end).insert(key, value);
        if replaced.is_none() {
            self.subscriptions += 1;
        }
        Ok(replaced)
    }

    /// Takes a subscription out and returns its value; `None` if `key` has no subscription with this very filter.
    ///
    /// Nodes that nothing needs any more are freed.
    pub fn remove(&mut self, filter: TopicFilter<'_>, key: &K) -> Option<V> {
        let (at, end) = self.find(filter)?;
        let removed = self.node_mut(at).entries_mut(end).remove(key)?;
        self.subscriptions -= 1;
        self.prune(at, split_end(filter.as_str()).0.unwrap_or_default());
        Some(removed)
    }

    /// The value that `key` has under this very filter.
    #[must_use]
    pub fn get(&self, filter: TopicFilter<'_>, key: &K) -> Option<&V> {
        let (at, end) = self.find(filter)?;
        self.node(at).entries(end).get(key)
    }

    /// The value that `key` has under this very filter, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, filter: TopicFilter<'_>, key: &K) -> Option<&mut V> {
        let (at, end) = self.find(filter)?;
        self.node_mut(at).entries_mut(end).get_mut(key)
    }

    /// Everybody who subscribed with this very filter, by key.
    pub fn subscribers(&self, filter: TopicFilter<'_>) -> impl Iterator<Item = (&K, &V)> {
        self.find(filter)
            .into_iter()
            .flat_map(|(at, end)| self.node(at).entries(end).iter())
    }

    /// Every subscription whose filter matches `topic`, in no particular order.
    ///
    /// A key that subscribed with several matching filters comes once for each. Nothing is allocated, and no node is entered
    /// twice.
    pub fn matches<'a>(&'a self, topic: TopicName<'a>) -> Matches<'a, K, V> {
        Matches {
            trie: self,
            topic: topic.as_str(),
            dollar: topic.as_str().starts_with('$'),
            node: ROOT,
            next: 0,
            step: Step::Arrive,
            found: None,
            visits: 0,
        }
    }

    /// The number of subscriptions.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.subscriptions
    }

    /// Whether there is no subscription.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    /// The number of nodes in use, the root included: one for each level that differs, so a measure of the memory held.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    fn node(&self, at: usize) -> &Node<K, V> {
        self.nodes
            .get(at)
            .expect("nodes refer only to nodes in the table")
    }

    fn node_mut(&mut self, at: usize) -> &mut Node<K, V> {
        self.nodes
            .get_mut(at)
            .expect("nodes refer only to nodes in the table")
    }

    fn child(&self, at: usize, level: &str) -> Option<usize> {
        let node = self.node(at);
        if level == "+" {
            node.plus
        } else {
            node.literal.get(level).copied()
        }
    }

    fn child_or_new(&mut self, parent: usize, level: &str) -> usize {
        if let Some(child) = self.child(parent, level) {
            return child;
        }
        let fresh = Node::new(parent);
        let child = if let Some(at) = self.free.pop() {
            *self.node_mut(at) = fresh;
            at
        } else {
            self.nodes.push(fresh);
            self.nodes.len() - 1
        };
        let node = self.node_mut(parent);
        if level == "+" {
            node.plus = Some(child);
        } else {
            node.literal.insert(level.into(), child);
        }
        child
    }

    /// The node at which a filter ends, if the filter's levels are all there.
    fn find(&self, filter: TopicFilter<'_>) -> Option<(usize, FilterEnd)> {
        let (levels, end) = split_end(filter.as_str());
        let mut at = ROOT;
        for level in levels.iter().flat_map(|levels| levels.split('/')) {
            at = self.child(at, level)?;
        }
        Some((at, end))
    }

    /// Frees `at` and its ancestors as far as they are empty. `levels` are the levels that lead to `at`.
    fn prune(&mut self, mut at: usize, levels: &str) {
        let mut levels = levels.rsplit('/');
        while at != ROOT && self.node(at).is_empty() {
            let parent = self.node(at).parent;
            let level = levels.next().unwrap_or_default();
            let node = self.node_mut(parent);
            if level == "+" {
                node.plus = None;
            } else {
                node.literal.remove(level);
            }
            self.free.push(at);
            at = parent;
        }
        if self.free.len() == self.nodes.len() - 1 {
            // Nothing but the root is in use: give back what a burst of subscriptions made the tables grow to.
            self.nodes.truncate(1);
            self.nodes.shrink_to_fit();
            self.free = Vec::new();
        }
    }
}

impl<K: Ord, V> Default for TopicTrie<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// The subscriptions that match one Topic Name: see [`TopicTrie::matches`].
///
/// The walk needs no stack. On the way back up, a node's parent says which child was tried, and the topic itself says where
/// the level before began.
#[derive(Clone, Debug)]
pub struct Matches<'a, K, V> {
    trie: &'a TopicTrie<K, V>,
    topic: &'a str,
    /// The topic begins with `$`: wildcards do not match its first level [v5 MQTT-4.7.2-1].
    dollar: bool,
    node: usize,
    /// Where the level after this node's begins in the topic; one past the end when there is none.
    next: usize,
    step: Step,
    found: Option<few::Iter<'a, K, V>>,
    visits: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Just entered the node: `#` below it matches whatever follows.
    Arrive,
    /// Filters that end here match if the topic does too.
    End,
    Descend,
    Ascend,
    Done,
}

impl<K: Ord, V> Matches<'_, K, V> {
    /// How many nodes the walk has entered so far: what it has cost.
    #[must_use]
    pub const fn visits(&self) -> usize {
        self.visits
    }

    /// Whether a wildcard below the node may stand for the topic's next level.
    const fn wildcards_allowed(&self, node: usize) -> bool {
        !(self.dollar && node == ROOT)
    }

    /// Where the level that begins at `start` ends.
    fn level_end(&self, start: usize) -> usize {
        let rest = self.topic.get(start..).unwrap_or_default();
        rest.find('/')
            .map_or(self.topic.len(), |length| start + length)
    }

    fn enter(&mut self, node: usize, level_end: usize) {
        self.node = node;
        self.next = level_end + 1;
        self.step = Step::Arrive;
    }

    fn descend(&mut self) {
        self.step = Step::Ascend;
        if self.next > self.topic.len() {
            return;
        }
        let end = self.level_end(self.next);
        let node = self.trie.node(self.node);
        let level = self.topic.get(self.next..end).unwrap_or_default();
        if let Some(&child) = node.literal.get(level) {
            self.enter(child, end);
        } else if let Some(child) = node.plus.filter(|_| self.wildcards_allowed(self.node)) {
            self.enter(child, end);
        }
    }

    fn ascend(&mut self) {
        if self.node == ROOT {
            self.step = Step::Done;
            return;
        }
        let parent = self.trie.node(self.node).parent;
        let end = self.next - 1;
        match self
            .trie
            .node(parent)
            .plus
            .filter(|_| self.wildcards_allowed(parent))
        {
            // The level itself has been tried; `+` has not.
            Some(plus) if plus != self.node => self.enter(plus, end),
            _ => {
                self.node = parent;
                self.next = self
                    .topic
                    .get(..end)
                    .and_then(|before| before.rfind('/'))
                    .map_or(0, |slash| slash + 1);
            }
        }
    }
}

impl<'a, K: Ord, V> Iterator for Matches<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.as_mut().and_then(Iterator::next) {
                return Some(found);
            }
            self.found = None;
            match self.step {
                Step::Arrive => {
                    self.visits += 1;
                    if self.wildcards_allowed(self.node) {
                        self.found = Some(self.trie.node(self.node).below.iter());
                    }
                    self.step = Step::End;
                }
                Step::End => {
                    if self.next > self.topic.len() {
                        self.found = Some(self.trie.node(self.node).here.iter());
                    }
                    self.step = Step::Descend;
                }
                Step::Descend => self.descend(),
                Step::Ascend => self.ascend(),
                Step::Done => return None,
            }
        }
    }
}

impl<K: Ord, V> FusedIterator for Matches<'_, K, V> {}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    use super::*;

    fn filter(text: &str) -> TopicFilter<'_> {
        TopicFilter::new(text).unwrap()
    }

    fn topic(text: &str) -> TopicName<'_> {
        TopicName::new(text).unwrap()
    }

    fn trie<'a>(filters: &[&'a str]) -> TopicTrie<&'a str, ()> {
        let mut trie = TopicTrie::new();
        for text in filters {
            trie.insert(filter(text), *text, ()).unwrap();
        }
        trie
    }

    fn found<'a>(trie: &TopicTrie<&'a str, ()>, name: &str) -> Vec<&'a str> {
        let mut found: Vec<_> = trie.matches(topic(name)).map(|(key, ())| *key).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn the_examples_of_the_standard() {
        let trie = trie(&[
            "sport/tennis/player1/#",
            "sport/#",
            "#",
            "sport/tennis/+",
            "+",
            "sport/+",
            "/+",
            "+/+",
            "$SYS/#",
            "$SYS/monitor/+",
            "+/monitor/Clients",
        ]);
        assert_eq!(
            found(&trie, "sport/tennis/player1"),
            ["#", "sport/#", "sport/tennis/+", "sport/tennis/player1/#"]
        );
        assert_eq!(
            found(&trie, "sport/tennis/player1/ranking"),
            ["#", "sport/#", "sport/tennis/player1/#"]
        );
        assert_eq!(found(&trie, "sport"), ["#", "+", "sport/#"]);
        assert_eq!(found(&trie, "sport/"), ["#", "+/+", "sport/#", "sport/+"]);
        assert_eq!(found(&trie, "/finance"), ["#", "+/+", "/+"]);
        assert_eq!(
            found(&trie, "$SYS/monitor/Clients"),
            ["$SYS/#", "$SYS/monitor/+"]
        );
        assert_eq!(found(&trie, "$SYS"), ["$SYS/#"]);
        assert_eq!(found(&trie, "a//c"), ["#"]);
    }

    #[test]
    fn a_key_holds_one_value_per_filter() {
        let mut trie = TopicTrie::new();
        assert_eq!(trie.insert(filter("a/+"), 1, "first"), Ok(None));
        assert_eq!(trie.insert(filter("a/+"), 1, "second"), Ok(Some("first")));
        assert_eq!(trie.insert(filter("a/+"), 2, "other"), Ok(None));
        assert_eq!(trie.insert(filter("a/#"), 1, "wider"), Ok(None));
        assert!(!trie.is_empty());
        assert_eq!(trie.len(), 3);
        assert_eq!(trie.get(filter("a/+"), &1), Some(&"second"));
        assert_eq!(trie.get(filter("a/b"), &1), None);
        *trie.get_mut(filter("a/+"), &2).unwrap() = "changed";
        assert_eq!(
            trie.subscribers(filter("a/+")).collect::<Vec<_>>(),
            [(&1, &"second"), (&2, &"changed")]
        );
        let mut matching: Vec<_> = trie
            .matches(topic("a/b"))
            .map(|(key, value)| (*key, *value))
            .collect();
        matching.sort_unstable();
        assert_eq!(matching, [(1, "second"), (1, "wider"), (2, "changed")]);
    }

    #[test]
    fn removal_needs_the_very_filter_and_frees_nodes() {
        let mut trie = trie(&["a/b/c", "a/b", "a/+/c/#", "/"]);
        let full = trie.nodes();
        assert_eq!(trie.remove(filter("a/b/#"), &"a/b"), None);
        assert_eq!(trie.remove(filter("a/b"), &"somebody else"), None);
        assert_eq!(trie.nodes(), full);
        // a/b still leads to a/b/c.
        assert_eq!(trie.remove(filter("a/b"), &"a/b"), Some(()));
        assert_eq!(trie.nodes(), full);
        assert_eq!(trie.remove(filter("a/b/c"), &"a/b/c"), Some(()));
        assert_eq!(trie.nodes(), full - 2);
        assert_eq!(found(&trie, "a/b/c"), ["a/+/c/#"]);
        assert_eq!(trie.remove(filter("a/+/c/#"), &"a/+/c/#"), Some(()));
        assert_eq!(trie.remove(filter("/"), &"/"), Some(()));
        assert_eq!(trie.nodes(), 1);
        assert!(trie.is_empty());
        assert_eq!(found(&trie, "/"), Vec::<&str>::new());
    }

    #[test]
    fn a_place_that_was_freed_is_used_again() {
        let mut trie = trie(&["keep", "a/b/c/d"]);
        for round in 0..1_000 {
            let text = format!("x/{round}/y");
            trie.insert(filter(&text), "x", ()).unwrap();
            assert_eq!(trie.remove(filter(&text), &"x"), Some(()));
        }
        assert!(trie.nodes.len() <= 9, "{} places", trie.nodes.len());
        assert_eq!(found(&trie, "keep"), ["keep"]);
    }

    #[test]
    fn memory_is_given_back_with_the_last_subscription() {
        let mut trie = trie(&["a/b", "c/#"]);
        trie.remove(filter("a/b"), &"a/b");
        assert!(trie.nodes.len() > 1 && trie.free.capacity() > 0);
        trie.remove(filter("c/#"), &"c/#");
        assert_eq!((trie.nodes.len(), trie.free.capacity()), (1, 0));
    }

    #[test]
    fn filters_deeper_than_the_limit_are_refused() {
        let mut trie = TopicTrie::with_max_levels(3);
        assert_eq!(trie.insert(filter("a/b/c"), 1, ()), Ok(None));
        assert_eq!(trie.insert(filter("a/b/#"), 1, ()), Ok(None));
        let nodes = trie.nodes();
        assert_eq!(
            trie.insert(filter("a/b/c/#"), 1, ()),
            Err(TopicTrieError::TooManyLevels { limit: 3 })
        );
        assert_eq!(
            trie.insert(filter(&"/".repeat(65_400)), 1, ()),
            Err(TopicTrieError::TooManyLevels { limit: 3 })
        );
        assert_eq!(trie.nodes(), nodes);
        assert_eq!(trie.remove(filter(&"/".repeat(65_400)), &1), None);
    }

    #[test]
    fn a_topic_of_slashes_stops_at_the_deepest_filter() {
        let mut trie = TopicTrie::new();
        trie.insert(filter(&["+"; DEFAULT_MAX_LEVELS].join("/")), 1, ())
            .unwrap();
        trie.insert(filter("#"), 2, ()).unwrap();
        let name = "/".repeat(65_400);
        let mut matches = trie.matches(topic(&name));
        assert_eq!(matches.by_ref().collect::<Vec<_>>(), [(&2, &())]);
        assert_eq!(matches.visits(), 1 + DEFAULT_MAX_LEVELS);
    }

    #[test]
    fn visits_are_bounded_by_the_nodes_and_by_two_to_the_wildcard_levels() {
        // Every mixture of "a" and "+" in 12 levels: 4,096 filters, all of which match.
        let mut all = TopicTrie::new();
        for mixture in 0..4_096_u32 {
            let levels: Vec<_> = (0..12)
                .map(|level| if mixture >> level & 1 == 0 { "a" } else { "+" })
                .collect();
            all.insert(filter(&levels.join("/")), mixture, ()).unwrap();
        }
        let name = ["a"; 12].join("/");
        let mut matches = all.matches(topic(&name));
        assert_eq!(matches.by_ref().count(), 4_096);
        assert_eq!(matches.visits(), all.nodes());

        // Many literal filters beside one of wildcards: the walk does not look at the neighbours.
        let mut wide = TopicTrie::new();
        for number in 0..10_000 {
            wide.insert(filter(&format!("devices/{number}/alarm")), number, ())
                .unwrap();
        }
        wide.insert(filter("devices/+/alarm"), 10_000, ()).unwrap();
        let mut matches = wide.matches(topic("devices/77/alarm"));
        assert_eq!(matches.by_ref().count(), 2);
        assert_eq!(matches.visits(), 6);
    }

    /// Levels that collide often: empty, wildcards, `$`, and names of which one begins the other.
    fn level() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["", "a", "b", "ab", "$a", "é"])
    }

    fn filter_text() -> impl Strategy<Value = String> {
        let levels = prop::collection::vec(
            prop_oneof![2 => level().boxed(), 1 => Just("+").boxed()],
            0..5,
        );
        (levels, any::<bool>()).prop_map(|(mut levels, hash)| {
            if hash || levels.join("/").is_empty() {
                levels.push("#");
            }
            levels.join("/")
        })
    }

    fn topic_text() -> impl Strategy<Value = String> {
        prop::collection::vec(level(), 1..6)
            .prop_map(|levels| levels.join("/"))
            .prop_filter("not empty", |text| !text.is_empty())
    }

    proptest! {
        #[test]
        fn agrees_with_matching_filter_by_filter(
            filters in prop::collection::vec((filter_text(), 0..3_u8), 0..40),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
            topics in prop::collection::vec(topic_text(), 1..10),
        ) {
            let mut trie = TopicTrie::new();
            let mut plain: BTreeMap<(String, u8), usize> = BTreeMap::new();
            for (number, (text, key)) in filters.iter().enumerate() {
                let replaced = trie.insert(filter(text), *key, number).unwrap();
                prop_assert_eq!(replaced, plain.insert((text.clone(), *key), number));
            }
            for index in removed {
                if filters.is_empty() {
                    break;
                }
                let (text, key) = index.get(&filters);
                prop_assert_eq!(trie.remove(filter(text), key), plain.remove(&(text.clone(), *key)));
            }
            prop_assert_eq!(trie.len(), plain.len());
            for text in &topics {
                let mut matches = trie.matches(topic(text));
                let mut found: Vec<_> = matches.by_ref().map(|(key, value)| (*key, *value)).collect();
                found.sort_unstable();
                let mut expected: Vec<_> = plain
                    .iter()
                    .filter(|((text_of_filter, _), _)| filter(text_of_filter).matches(topic(text)))
                    .map(|((_, key), value)| (*key, *value))
                    .collect();
                expected.sort_unstable();
                prop_assert_eq!(found, expected, "topic {}", text);
                prop_assert!(matches.visits() <= trie.nodes());
            }
            for (text, key) in plain.keys() {
                prop_assert!(trie.remove(filter(text), key).is_some());
            }
            prop_assert_eq!(trie.nodes(), 1);
        }
    }
}
