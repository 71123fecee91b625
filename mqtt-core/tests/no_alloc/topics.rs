//! Matching allocates nothing, filter by filter and in the trie.

use mqtt_core::{TopicFilter, TopicName, TopicTrie};

use crate::allocations;

#[test]
fn matching_allocates_nothing() {
    let filters = [
        "devices/+/alarm",
        "devices/#",
        "#",
        "+/7/+",
        "devices/7/alarm",
        "$SYS/#",
        "other",
    ];
    let topic = "devices/7/alarm";
    let mut found = 0;
    let one_by_one = allocations(|| {
        let topic = TopicName::new(topic).unwrap();
        found = filters
            .iter()
            .filter(|text| TopicFilter::new(text).unwrap().matches(topic))
            .count();
    });
    assert_eq!((one_by_one, found), (0, 5));

    let mut trie = TopicTrie::new();
    for text in filters {
        trie.insert(TopicFilter::new(text).unwrap(), text, ())
            .unwrap();
    }
    let at_once = allocations(|| found = trie.matches(TopicName::new(topic).unwrap()).count());
    assert_eq!((at_once, found), (0, 5));
}
