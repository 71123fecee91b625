//! Which of many Topic Filters does a Topic Name match: the trie with 100,000 subscriptions, beside one filter after another.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mqtt_core::{TopicFilter, TopicName, TopicTrie};

const DEVICES: u32 = 90_000;
const GROUPS: u32 = 5_000;

/// 100,000 subscriptions as a server of devices has them: one of each device, two of each group, and none that match by chance.
fn filters() -> impl Iterator<Item = String> {
    let devices = (0..DEVICES).map(|device| format!("devices/{device}/push"));
    let groups = (0..GROUPS).flat_map(|group| {
        [
            format!("groups/{group}/+/alarm"),
            format!("groups/{group}/#"),
        ]
    });
    devices.chain(groups)
}

fn trie(filters: impl Iterator<Item = String>) -> TopicTrie<usize, ()> {
    let mut trie = TopicTrie::new();
    for (key, text) in filters.enumerate() {
        trie.insert(filter(&text), key, ())
            .expect("it has few levels");
    }
    trie
}

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).expect("it is a filter")
}

fn topic(text: &str) -> TopicName<'_> {
    TopicName::new(text).expect("it is a name")
}

fn matching(c: &mut Criterion) {
    let many = trie(filters());
    for (name, text, found) in [
        ("one of 100,000", "devices/4711/push", 1),
        ("two wildcards of 100,000", "groups/4711/door/alarm", 2),
        ("none of 100,000", "devices/4711/pull", 0),
    ] {
        assert_eq!(many.matches(topic(text)).count(), found, "{text}");
        c.bench_function(&format!("topics/match/{name}/pushmq"), |bencher| {
            bencher.iter(|| many.matches(black_box(topic(text))).count());
        });
    }
    let all: Vec<_> = filters().collect();
    c.bench_function("topics/match/one of 100,000/one by one", |bencher| {
        let name = topic("devices/4711/push");
        bencher.iter(|| {
            let matches = |text: &&String| filter(text).matches(black_box(name));
            all.iter().filter(matches).count()
        });
    });
}

/// Filters chosen to make a walk long: at each level `+` and the level itself go on, down to 16 levels.
fn hostile(c: &mut Criterion) {
    const LEVELS: u32 = 16;
    let filters = (0..1_u32 << LEVELS).map(|bits| {
        let level = |at: u32| if bits >> at & 1 == 0 { "a" } else { "+" };
        (0..LEVELS).map(level).collect::<Vec<_>>().join("/")
    });
    let trie = trie(filters);
    let name = vec!["a"; LEVELS as usize].join("/");
    let deaf = vec!["b"; LEVELS as usize].join("/");
    for (what, name, found) in [
        ("all of 65,536", &name, 1 << LEVELS),
        ("one of 65,536", &deaf, 1),
    ] {
        let mut matches = trie.matches(topic(name));
        assert_eq!(matches.by_ref().count(), found, "{name}");
        assert!(matches.visits() <= trie.nodes());
        c.bench_function(&format!("topics/hostile/{what}/pushmq"), |bencher| {
            bencher.iter(|| trie.matches(black_box(topic(name))).count());
        });
    }
}

fn changing(c: &mut Criterion) {
    let mut many = trie(filters());
    c.bench_function(
        "topics/insert and remove/beside 100,000/pushmq",
        |bencher| {
            let text = filter("devices/another/push");
            bencher.iter(|| {
                let _ = many.insert(black_box(text), usize::MAX, ());
                many.remove(black_box(text), &usize::MAX)
            });
        },
    );
}

criterion_group!(benches, matching, hostile, changing);
criterion_main!(benches);
