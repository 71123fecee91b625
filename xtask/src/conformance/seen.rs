//! What the tests that passed say they show.

use std::collections::BTreeSet;

use super::list::{Id, List, Place, Version};
use crate::count;

/// The statements that tests carry in their names, of the tests that passed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    shown: BTreeSet<(Version, Id, Place)>,
    /// Each statement as some test names it, with that test.
    named: BTreeSet<(Version, Id, String)>,
}

impl Seen {
    /// Adds the tests of `package`, from what `cargo test` printed.
    pub(crate) fn add(&mut self, package: &str, output: &str) {
        for test in count::passed(output) {
            for (version, id) in statements(test) {
                self.named
                    .insert((version, id, format!("{package} {test}")));
                for &place in places(package, test) {
                    self.shown.insert((version, id, place));
                }
            }
        }
    }

    pub(crate) fn shows(&self, version: Version, id: Id, place: Place) -> bool {
        self.shown.contains(&(version, id, place))
    }

    /// Tests that name a statement of that version which is not in its list: a slip of the pen, or another version's number.
    pub(crate) fn unknown_to(&self, list: &List) -> Vec<String> {
        self.named
            .iter()
            .filter(|(version, id, _)| *version == list.version && !list.has(*id))
            .map(|(_, id, test)| format!("{test}: {id}"))
            .collect()
    }
}

/// Where a test stands, from its package and its path of modules.
fn places(package: &str, test: &str) -> &'static [Place] {
    match package {
        "mqtt-core" => match test.split("::").next() {
            Some("client") => &[Place::Client],
            Some("server") => &[Place::Server],
            // What both ends share.
            Some("flow" | "topic_trie" | "joined") => &[Place::Client, Place::Server],
            _ => &[Place::Codec],
        },
        "mqtt-transport" => &[Place::Transport],
        // What the client does beyond its machine, such as connecting again.
        "mqtt-client" => &[Place::Client, Place::Transport],
        // The server's end of a transport, too.
        "mqtt-broker" => &[Place::Transport, Place::Broker],
        _ => &[],
    }
}

/// The statements that a test carries in its name: a version and four numbers, or the number of a rule that has none in the
/// standard, after which more may follow.
///
/// | name | statements |
/// |---|---|
/// | `v5_mqtt_3_1_2_8_a_will_is_published` | 3.1.2-8 |
/// | `v5_mqtt_4_3_2_1_and_2_a_free_identifier` | 4.3.2-1, 4.3.2-2 |
/// | `v5_mqtt_3_8_4_1_2_and_3_9_3_1_a_code_for_each` | 3.8.4-1, 3.8.4-2, 3.9.3-1 |
/// | `v5_mqtt_3_1_2_6_and_v311_mqtt_3_2_2_3_none_yet` | 3.1.2-6 of 5.0, 3.2.2-3 of 3.1.1 |
/// | `v5_u_5_2_and_3_properties` | U-5-2, U-5-3 |
fn statements(test: &str) -> Vec<(Version, Id)> {
    let name = test.rsplit("::").next().unwrap_or(test);
    let mut found: Vec<(Version, Id)> = Vec::new();
    for part in name.split("_and_") {
        let before = found.last().copied();
        let (start, words) = match (Start::of(part), before) {
            (Some(begun), _) => begun,
            (None, Some((version, Id::Statement { section, .. }))) => {
                (Start::Section(version, section), part)
            }
            (None, Some((version, Id::Unnumbered { .. }))) => (Start::Unnumbered(version), part),
            (None, None) => break,
        };
        let numbers: Vec<u16> = words
            .split('_')
            .map_while(|word| word.parse().ok())
            .collect();
        let ids = start.ids(&numbers);
        if ids.is_empty() {
            break;
        }
        found.extend(ids);
        // Only prose follows prose, whatever numbers there are in it.
        if numbers.len() < words.split('_').count() {
            break;
        }
    }
    found
}

/// What the numbers in a part of a name count.
#[derive(Clone, Copy)]
enum Start {
    /// Statements, behind the three numbers of their section.
    Statements(Version),
    /// Statements of this section, or as above.
    Section(Version, [u16; 3]),
    /// Rules without a number in the standard.
    Unnumbered(Version),
}

impl Start {
    /// What `part` begins with, and what is behind it.
    fn of(part: &str) -> Option<(Self, &str)> {
        Version::ALL.into_iter().find_map(|version| {
            let unnumbered = part.strip_prefix(version.unnumbered_prefix());
            let statements = || part.strip_prefix(version.prefix()?);
            unnumbered
                .map(|words| (Self::Unnumbered(version), words))
                .or_else(|| Some((Self::Statements(version), statements()?)))
        })
    }

    fn ids(self, numbers: &[u16]) -> Vec<(Version, Id)> {
        let in_section = |version, section, numbers: &[u16]| {
            let id = |&number| (version, Id::Statement { section, number });
            numbers.iter().map(id).collect()
        };
        match (self, numbers) {
            (
                Self::Statements(version) | Self::Section(version, _),
                &[chapter, section, subsection, ref more @ ..],
            ) if !more.is_empty() => in_section(version, [chapter, section, subsection], more),
            (Self::Section(version, section), more) => in_section(version, section, more),
            (Self::Statements(_), _) => Vec::new(),
            (Self::Unnumbered(version), numbers) => {
                let id = |&number| (version, Id::Unnumbered { version, number });
                numbers.iter().map(id).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(test: &str) -> Vec<String> {
        statements(test)
            .iter()
            .map(|(version, id)| format!("{version} {id}").replace("MQTT-", ""))
            .collect()
    }

    #[test]
    fn a_name_carries_the_statements_it_begins_with() {
        for (name, expected) in [
            ("sessions::v5_mqtt_3_1_2_8_a_will", &["5.0 3.1.2-8"][..]),
            ("v311_mqtt_3_10_4_6", &["3.1.1 3.10.4-6"]),
            (
                "v5_mqtt_4_3_2_1_and_2_qos_1_gets_dup_0",
                &["5.0 4.3.2-1", "5.0 4.3.2-2"],
            ),
            (
                "v5_mqtt_3_8_4_1_2_and_3_9_3_1_a_code_for_each",
                &["5.0 3.8.4-1", "5.0 3.8.4-2", "5.0 3.9.3-1"],
            ),
            (
                "v5_mqtt_3_2_2_3_and_v311_mqtt_3_2_2_2_session_present",
                &["5.0 3.2.2-3", "3.1.1 3.2.2-2"],
            ),
            ("v5_u_5_6_an_alias", &["5.0 U-5-6"]),
            ("v311_u_3_1_1_4_a_length", &["3.1.1 U-3.1.1-4"]),
            ("v31_u_3_1_3_and_4_flags", &["3.1 U-3.1-3", "3.1 U-3.1-4"]),
            (
                "v5_u_5_16_and_v5_mqtt_3_1_0_1_a_connack",
                &["5.0 U-5-16", "5.0 3.1.0-1"],
            ),
        ] {
            assert_eq!(numbers(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_that_carries_no_whole_number_carries_nothing() {
        for name in [
            "a_session_is_resumed",
            "v5_a_session_is_resumed",
            "v5_mqtt_4_3_3_the_whole_exchange",
            "v5_u_6_an_alias",
            "v31_mqtt_3_1_2_8_a_will",
            "v5_mqtt_3_1_2",
            "and_3_1_2_8",
        ] {
            assert_eq!(numbers(name), [""; 0], "{name}");
        }
    }

    #[test]
    fn numbers_in_the_prose_of_a_name_are_prose() {
        for name in [
            "v5_mqtt_3_1_0_1_and_v311_a_packet_before_connect",
            "v5_mqtt_3_1_0_1_of_one_and_2_others",
            "v5_mqtt_3_1_0_1_and_v311_3_1_4_the_return_codes",
        ] {
            assert_eq!(numbers(name), ["5.0 3.1.0-1"], "{name}");
        }
    }

    #[test]
    fn the_modules_of_the_core_tell_the_place() {
        let core = |test| places("mqtt-core", test);
        assert_eq!(core("client::connect::v5"), [Place::Client]);
        assert_eq!(core("server::connect::v5"), [Place::Server]);
        assert_eq!(
            core("flow::packet_ids::tests::v5"),
            [Place::Client, Place::Server]
        );
        assert_eq!(core("types::text::tests::v5"), [Place::Codec]);
        assert_eq!(places("mqtt-transport", "v5"), [Place::Transport]);
        assert!(places("mqtt-client", "connect::v5").contains(&Place::Client));
        assert!(places("mqtt-broker", "wills::v5").contains(&Place::Broker));
    }
}
