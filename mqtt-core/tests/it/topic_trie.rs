//! Matching as client and server do it: by the trie, and filter by filter.

use mqtt_core::{TopicFilter, TopicName, TopicTrie};

/// The filters of `filters` that match, the same for both ways.
#[track_caller]
fn matching<'a>(filters: &[&'a str], name: &str) -> Vec<&'a str> {
    let topic = TopicName::new(name).unwrap();
    let mut trie = TopicTrie::new();
    for text in filters {
        trie.insert(TopicFilter::new(text).unwrap(), *text, ())
            .unwrap();
    }
    let mut found: Vec<_> = trie.matches(topic).map(|(text, ())| *text).collect();
    found.sort_unstable();
    let mut one_by_one = filters.to_vec();
    one_by_one.retain(|text| TopicFilter::new(text).unwrap().matches(topic));
    one_by_one.sort_unstable();
    assert_eq!(found, one_by_one, "{name}");
    found
}

#[test]
fn v5_mqtt_4_7_2_1_and_v311_mqtt_4_7_2_1_a_leading_wildcard_does_not_match_a_leading_dollar() {
    let filters = ["#", "+", "+/x", "+/#", "+/+", "$SYS/#", "$SYS/+", "$SYS/x"];
    assert_eq!(matching(&filters, "$SYS/x"), ["$SYS/#", "$SYS/+", "$SYS/x"]);
    assert_eq!(matching(&filters, "$SYS"), ["$SYS/#"]);
    // In another place a dollar is a character like any other.
    assert_eq!(
        matching(&["#", "a/+", "a/#", "+/$x"], "a/$x"),
        ["#", "+/$x", "a/#", "a/+"]
    );
}

#[test]
fn v5_mqtt_4_7_3_4_and_v311_mqtt_4_7_3_4_characters_match_themselves_alone() {
    // Letters of either case, one character or two for the same letter, a ligature, a full width letter, levels with nothing
    // in them, spaces, a byte order mark.
    let alike = [
        "a",
        "A",
        "\u{E9}",
        "e\u{301}",
        "\u{FB01}",
        "fi",
        "\u{FF41}",
        "a/",
        "/a",
        "a ",
        "a//",
        "\u{FEFF}a",
    ];
    for text in alike {
        assert_eq!(matching(&alike, text), [text]);
    }
}
