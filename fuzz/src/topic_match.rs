//! Topic Filters say what the standard says, and the trie says what they say, however it was filled and emptied.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Result, Unstructured};
use mqtt_core::{SharedFilter, TopicError, TopicFilter, TopicName, TopicTrie, TopicTrieError};

/// Levels that meet each other, and those with a meaning of their own.
const LEVELS: [&str; 10] = [
    "a", "b", "", "+", "#", "$share", "$SYS", "$", "a+", "\u{E9}",
];

/// Small, so that it is reached.
const MAX_LEVELS: usize = 5;

#[derive(Debug, Arbitrary)]
enum Op {
    Insert { key: u8, value: u8 },
    Remove { key: u8 },
    Look,
    Match,
}

/// Fills and empties a trie with the filters that `data` makes, and asks it and each filter about names.
///
/// # Panics
/// If an answer is not that of the slow and obvious way to find it.
pub fn topic_match(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let mut trie = TopicTrie::with_max_levels(MAX_LEVELS);
    let mut model = BTreeMap::new();
    while !input.is_empty() {
        let op = input.arbitrary()?;
        let text = text(input)?;
        if let Op::Match = op {
            if let Some(name) = check_name(&text) {
                check_matches(&trie, &model, name);
            }
            continue;
        }
        let Some(filter) = check_filter(&text) else {
            continue;
        };
        match op {
            Op::Insert { key, value } => insert(&mut trie, &mut model, filter, (key % 4, value)),
            Op::Remove { key } => {
                let removed = model.remove(&(filter.as_str().to_owned(), key % 4));
                assert_eq!(trie.remove(filter, &(key % 4)), removed);
            }
            Op::Look => look(&trie, &model, filter),
            Op::Match => {}
        }
        assert_eq!(trie.len(), model.len());
        assert_eq!(trie.is_empty(), model.is_empty());
        assert_eq!(trie.nodes(), nodes(model.keys().map(|(text, _)| text)));
    }
    Ok(())
}

type Model = BTreeMap<(String, u8), u8>;

/// A few levels, most of them from the list.
fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let mut levels = Vec::new();
    for _ in 0..input.int_in_range(1..=MAX_LEVELS + 1)? {
        levels.push(if input.ratio(15, 16)? {
            *input.choose(&LEVELS)?
        } else {
            input.arbitrary()?
        });
    }
    Ok(levels.join("/"))
}

fn insert(
    trie: &mut TopicTrie<u8, u8>,
    model: &mut Model,
    filter: TopicFilter<'_>,
    (key, value): (u8, u8),
) {
    let inserted = trie.insert(filter, key, value);
    if filter.as_str().matches('/').count() >= MAX_LEVELS {
        let limit = MAX_LEVELS;
        assert_eq!(inserted, Err(TopicTrieError::TooManyLevels { limit }));
    } else {
        let replaced = model.insert((filter.as_str().to_owned(), key), value);
        assert_eq!(inserted, Ok(replaced));
    }
}

fn look(trie: &TopicTrie<u8, u8>, model: &Model, filter: TopicFilter<'_>) {
    let subscribers: Vec<_> = trie.subscribers(filter).collect();
    let expected: Vec<_> = model
        .iter()
        .filter(|((text, _), _)| text == filter.as_str())
        .map(|((_, key), value)| (key, value))
        .collect();
    assert_eq!(subscribers, expected);
    for key in 0..4 {
        let value = model.get(&(filter.as_str().to_owned(), key));
        assert_eq!(trie.get(filter, &key), value);
    }
}

fn check_matches(trie: &TopicTrie<u8, u8>, model: &Model, name: TopicName<'_>) {
    let mut matches = trie.matches(name);
    let mut found: Vec<_> = matches
        .by_ref()
        .map(|(key, value)| (*key, *value))
        .collect();
    found.sort_unstable();
    assert!(matches.visits() <= trie.nodes());

    let mut matching = Vec::new();
    let mut expected = Vec::new();
    for ((text, key), value) in model {
        let filter = TopicFilter::new(text).expect("it was one when it was inserted");
        let is_match = obvious_match(text, name.as_str());
        assert_eq!(filter.matches(name), is_match, "{text:?} and {name:?}");
        if is_match {
            matching.push(filter);
            expected.push((*key, *value));
        }
        let same = TopicFilter::from(name);
        assert!(!filter.covers(same) || is_match, "{text:?} and {name:?}");
    }
    expected.sort_unstable();
    assert_eq!(found, expected, "{name:?}");

    // Two filters that match one name overlap, and a filter that covers another matches what that matches.
    for (text, _) in model.keys() {
        let filter = TopicFilter::new(text).expect("it was one when it was inserted");
        for other in &matching {
            assert!(
                !filter.covers(*other) || filter.matches(name),
                "{text:?} and {other:?}"
            );
            assert!(
                !filter.matches(name) || filter.overlaps(*other),
                "{text:?} and {other:?}"
            );
            assert_eq!(filter.overlaps(*other), other.overlaps(filter));
        }
    }
}

/// One for the root, and one for each beginning of a filter; `#` has none.
fn nodes<'a>(filters: impl Iterator<Item = &'a String>) -> usize {
    let mut beginnings = BTreeSet::new();
    for filter in filters {
        let levels: Vec<_> = filter.split('/').filter(|level| *level != "#").collect();
        beginnings.extend((1..=levels.len()).map(|len| levels[..len].join("/")));
    }
    1 + beginnings.len()
}

/// The rule of v5 and v311 4.7, level by level.
fn obvious_match(filter: &str, name: &str) -> bool {
    fn levels_match(filter: &[&str], name: &[&str]) -> bool {
        match (filter, name) {
            ([], []) => true,
            // Any number of levels, none among them.
            (["#"], _) => true,
            (["+", filter @ ..], [_, name @ ..]) => levels_match(filter, name),
            ([level, filter @ ..], [same, name @ ..]) => {
                level == same && levels_match(filter, name)
            }
            _ => false,
        }
    }
    let filter: Vec<_> = filter.split('/').collect();
    let name: Vec<_> = name.split('/').collect();
    let hidden = name[0].starts_with('$') && matches!(filter[0], "+" | "#");
    !hidden && levels_match(&filter, &name)
}

/// `text` as a filter, if the standard takes it for one (v5 and v311 4.7.1, 4.7.3).
fn check_filter(text: &str) -> Option<TopicFilter<'_>> {
    let levels: Vec<_> = text.split('/').collect();
    let wildcards_stand_alone = levels
        .iter()
        .all(|level| !level.contains(['+', '#']) || level.len() == 1);
    let hash_is_last = !levels[..levels.len() - 1].contains(&"#");
    let found = TopicFilter::new(text);
    assert_eq!(
        found.is_ok(),
        is_topic(text) && wildcards_stand_alone && hash_is_last,
        "{text:?}"
    );
    let filter = found.ok()?;
    assert_eq!(filter.has_wildcard(), text.contains(['+', '#']));
    check_shared(filter);
    Some(filter)
}

/// `text` as a name, if the standard takes it for one (v5 and v311 4.7.1, 4.7.3).
fn check_name(text: &str) -> Option<TopicName<'_>> {
    let found = TopicName::new(text);
    let expected = is_topic(text) && !text.contains(['+', '#']);
    assert_eq!(found.is_ok(), expected, "{text:?}");
    found.ok()
}

fn is_topic(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0') && text.len() <= 65_535
}

/// The parts of a shared subscription (v5 4.8.2).
fn check_shared(filter: TopicFilter<'_>) {
    let levels: Vec<_> = filter.as_str().split('/').collect();
    let expected = match levels[..] {
        ["$share", "", ..] => Err(TopicError::EmptyShareName),
        ["$share", "+" | "#", ..] => Err(TopicError::WildcardInShareName),
        ["$share", _] | ["$share", _, ""] => Err(TopicError::SharedFilterMissing),
        ["$share", group, ref rest @ ..] => Ok(Some((group, rest.join("/")))),
        _ => Ok(None),
    };
    let shared = filter.shared();
    let parts = shared.map(|shared| {
        shared.map(|SharedFilter { group, filter, .. }| (group, filter.as_str().to_owned()))
    });
    assert_eq!(parts, expected, "{filter:?}");
    // What is left is a filter by itself.
    if let Ok(Some(shared)) = shared {
        assert_eq!(TopicFilter::new(shared.filter.as_str()), Ok(shared.filter));
    }
}
