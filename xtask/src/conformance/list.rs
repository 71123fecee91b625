//! The committed lists: one row for each numbered statement of a standard and for each rule to which this project has given
//! a number, one column for each place.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Error, Result, bail, ensure};

use crate::workspace;

/// A version of the standard. They give the same number to different statements; 3.1 has no numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub(crate) enum Version {
    #[value(name = "3.1")]
    V31,
    #[value(name = "3.1.1")]
    V311,
    #[value(name = "5.0")]
    V5,
}

impl Version {
    pub(crate) const ALL: [Self; 3] = [Self::V31, Self::V311, Self::V5];

    /// What the names of tests of its numbered statements begin with.
    pub(crate) const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::V31 => None,
            Self::V311 => Some("v311_mqtt_"),
            Self::V5 => Some("v5_mqtt_"),
        }
    }

    /// What the names of tests of its unnumbered rules begin with.
    pub(crate) const fn unnumbered_prefix(self) -> &'static str {
        match self {
            Self::V31 => "v31_u_3_1_",
            Self::V311 => "v311_u_3_1_1_",
            Self::V5 => "v5_u_5_",
        }
    }

    /// The list of its numbered statements.
    const fn file(self) -> Option<&'static str> {
        match self {
            Self::V31 => None,
            Self::V311 => Some("mqtt311.tsv"),
            Self::V5 => Some("mqtt5.tsv"),
        }
    }

    /// What stands in the ids of its unnumbered rules.
    const fn id(self) -> &'static str {
        match self {
            Self::V31 => "3.1",
            Self::V311 => "3.1.1",
            Self::V5 => "5",
        }
    }
}

/// The list of the rules of all versions that have no number in their standard.
const UNNUMBERED: &str = "unnumbered.tsv";

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V31 => "3.1",
            Self::V311 => "3.1.1",
            Self::V5 => "5.0",
        })
    }
}

/// A part of the workspace in which a statement is put into effect, and so tested.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub(crate) enum Place {
    /// Encoding and decoding, in `mqtt-core`.
    Codec,
    /// The client's state machine, in `mqtt-core`, and what `mqtt-client` does beyond it.
    Client,
    /// The state machine of one connection of a server, in `mqtt-core`.
    Server,
    /// Sockets, TLS and WebSocket, in `mqtt-transport`, `mqtt-client` and `mqtt-broker`.
    Transport,
    /// Routing, retained messages, and sessions over several connections, in `mqtt-broker`.
    Broker,
}

impl Place {
    /// In the order of the columns.
    pub(crate) const ALL: [Self; 5] = [
        Self::Codec,
        Self::Client,
        Self::Server,
        Self::Transport,
        Self::Broker,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Codec => "codec",
            Self::Client => "client",
            Self::Server => "server",
            Self::Transport => "transport",
            Self::Broker => "broker",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The number of a statement, in the order of the lists.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Id {
    /// The standard's: `MQTT-3.1.2-24` is the 24th of section 3.1.2.
    Statement { section: [u16; 3], number: u16 },
    /// This project's, for a rule that has none in the standard: `U-3.1.1-4` is the fourth of 3.1.1.
    Unnumbered { version: Version, number: u16 },
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement {
                section: [chapter, section, subsection],
                number,
            } => write!(f, "MQTT-{chapter}.{section}.{subsection}-{number}"),
            Self::Unnumbered { version, number } => write!(f, "U-{}-{number}", version.id()),
        }
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (kind, rest) = text.split_once('-')?;
            let (section, number) = rest.split_once('-')?;
            let number = number.parse().ok()?;
            if kind == "U" {
                let mut versions = Version::ALL.into_iter();
                let version = versions.find(|version| version.id() == section)?;
                return Some(Self::Unnumbered { version, number });
            }
            let section: Vec<u16> = section
                .split('.')
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?;
            let section = section.try_into().ok().filter(|_| kind == "MQTT")?;
            Some(Self::Statement { section, number })
        };
        parse().with_context(|| {
            format!("{text:?} is no number of a statement, such as MQTT-3.1.2-24 or U-5-2")
        })
    }
}

/// What has been done about a statement in one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    /// A test carries its number.
    Tested,
    /// It cannot be otherwise; the list says why.
    ByConstruction,
    /// It binds nobody here; the list says why.
    NotOurs,
    /// Nothing yet.
    Open,
}

impl Status {
    /// `None` for a place in which nothing is to be shown.
    fn parse(cell: &str) -> Result<Option<Self>> {
        let with_reason = |word: &str| {
            cell.strip_prefix(word)
                .and_then(|rest| rest.strip_prefix(": "))
                .is_some_and(|reason| !reason.trim().is_empty())
        };
        Ok(Some(match cell {
            "-" => return Ok(None),
            "tested" => Self::Tested,
            "open" => Self::Open,
            _ if with_reason("by construction") => Self::ByConstruction,
            _ if with_reason("not ours") => Self::NotOurs,
            _ => bail!(
                "{cell:?} is none of: -, tested, open, by construction: REASON, not ours: REASON"
            ),
        }))
    }
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: Id,
    pub(crate) summary: String,
    /// Where it has to be shown, and what has been done about it there.
    pub(crate) places: BTreeMap<Place, Status>,
}

/// All statements of one version, in their order: the numbered ones first.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) version: Version,
    pub(crate) rows: Vec<Row>,
}

impl List {
    /// Reads the lists of all versions.
    pub(crate) fn read_all() -> Result<Vec<Self>> {
        Version::ALL.into_iter().map(Self::read).collect()
    }

    fn read(version: Version) -> Result<Self> {
        let mut list = Self {
            version,
            rows: Vec::new(),
        };
        for file in version.file().into_iter().chain([UNNUMBERED]) {
            let path = workspace::root().join("conformance").join(file);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let read =
                Self::parse(version, &text).with_context(|| format!("in {}", path.display()))?;
            // The list of unnumbered rules has those of every version.
            let of_another = |id| matches!(id, Id::Unnumbered { version: of, .. } if of != version);
            list.rows
                .extend(read.rows.into_iter().filter(|row| !of_another(row.id)));
        }
        Ok(list)
    }

    /// Reads a list: tab separated, one header line, no quoting.
    pub(crate) fn parse(version: Version, text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let places = Place::ALL.map(Place::name).join("\t");
        let header = format!("id\tsection\tbinds\t{places}\tsummary");
        ensure!(
            lines.next() == Some(header.as_str()),
            "the first line has to be: {}",
            header.replace('\t', " ")
        );
        let mut rows: Vec<Row> = Vec::new();
        for (index, line) in lines.enumerate() {
            let row = Row::parse(line).with_context(|| format!("line {}", index + 2))?;
            if let Some(before) = rows.last() {
                ensure!(before.id < row.id, "{} follows {}", row.id, before.id);
            }
            rows.push(row);
        }
        Ok(Self { version, rows })
    }

    pub(crate) fn has(&self, id: Id) -> bool {
        self.rows.binary_search_by_key(&id, |row| row.id).is_ok()
    }
}

impl Row {
    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<_> = line.split('\t').collect();
        let [id, section, binds, cells @ .., summary] = fields.as_slice() else {
            bail!("too few fields");
        };
        ensure!(cells.len() == Place::ALL.len(), "{} fields", fields.len());
        ensure!(
            ["client", "server", "both", "codec-only", "network"].contains(binds),
            "binds {binds:?}"
        );
        ensure!(!section.is_empty() && !summary.is_empty(), "an empty field");
        let id = id.parse()?;
        let mut places = BTreeMap::new();
        for (place, cell) in Place::ALL.into_iter().zip(cells) {
            if let Some(status) = Status::parse(cell).with_context(|| format!("{id} {place}"))? {
                places.insert(place, status);
            }
        }
        ensure!(!places.is_empty(), "{id} is to be shown nowhere");
        Ok(Self {
            id,
            summary: (*summary).to_owned(),
            places,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_lists_have_every_number_of_their_standard() {
        for (list, statements) in List::read_all().unwrap().iter().zip([0, 141, 251]) {
            let numbers: Vec<_> = list
                .rows
                .iter()
                .filter_map(|row| match row.id {
                    Id::Statement { section, number } => Some((section, number)),
                    Id::Unnumbered { .. } => None,
                })
                .collect();
            assert_eq!(numbers.len(), statements, "{}", list.version);
            for pair in numbers.windows(2) {
                let &[(section_before, before), (section, number)] = pair else {
                    unreachable!()
                };
                // Numbers count up in each section. 5.0 has no MQTT-2.2.1-1.
                let next = if section_before == section {
                    before + 1
                } else if (list.version, section) == (Version::V5, [2, 2, 1]) {
                    2
                } else {
                    1
                };
                assert_eq!(number, next, "{section:?} after {section_before:?}");
            }
        }
    }

    #[test]
    fn unnumbered_rules_count_up_in_each_version() {
        for (list, rules) in List::read_all().unwrap().iter().zip([13, 7, 25]) {
            let numbers = list.rows.iter().filter_map(|row| match row.id {
                Id::Unnumbered { version, number } => Some((version, number)),
                Id::Statement { .. } => None,
            });
            assert!(numbers.eq((1..=rules).map(|number| (list.version, number))));
        }
    }

    #[test]
    fn nothing_is_open_in_the_codec_the_transports_and_the_broker() {
        for list in List::read_all().unwrap() {
            for place in [Place::Codec, Place::Transport, Place::Broker] {
                let open = |row: &&Row| row.places.get(&place) == Some(&Status::Open);
                let open = list.rows.iter().find(open).map(|row| row.id);
                assert_eq!(open, None, "{} {place}", list.version);
            }
        }
    }

    #[test]
    fn a_reason_is_not_optional() {
        assert_eq!(Status::parse("-").unwrap(), None);
        assert_eq!(
            Status::parse("not ours: no bridge").unwrap(),
            Some(Status::NotOurs)
        );
        for cell in ["", "by construction", "not ours: ", "Tested", "tested "] {
            assert!(Status::parse(cell).is_err(), "{cell:?}");
        }
    }

    #[test]
    fn numbers_read_as_they_are_written() {
        let id: Id = "MQTT-3.10.4-6".parse().unwrap();
        let (section, number) = ([3, 10, 4], 6);
        assert_eq!(id, Id::Statement { section, number });
        assert_eq!(id.to_string(), "MQTT-3.10.4-6");
        let id: Id = "U-3.1.1-4".parse().unwrap();
        let (version, number) = (Version::V311, 4);
        assert_eq!(id, Id::Unnumbered { version, number });
        assert_eq!(id.to_string(), "U-3.1.1-4");
        for text in [
            "MQTT-3.1-2",
            "3.1.2-4",
            "MQTT-3.1.2.7",
            "MQTT-3.1.2-x",
            "M-3.1.2-4",
            "U-4-1",
            "U-5",
        ] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_that_is_out_of_order_or_shape_is_refused() {
        let header = "id\tsection\tbinds\tcodec\tclient\tserver\ttransport\tbroker\tsummary\n";
        let row = |id: &str| format!("{id}\t3.1\tboth\t-\topen\t-\t-\t-\tText.\n");
        let parse = |text: String| List::parse(Version::V5, &text);
        assert!(
            parse(format!(
                "{header}{}{}",
                row("MQTT-3.9.0-1"),
                row("MQTT-3.10.0-1")
            ))
            .is_ok()
        );
        for text in [
            row("MQTT-3.1.0-1"),
            format!("{header}{}{}", row("MQTT-3.1.0-1"), row("MQTT-3.1.0-1")),
            format!("{header}MQTT-3.1.0-1\t3.1\tboth\t-\t-\t-\t-\t-\tText.\n"),
            format!("{header}MQTT-3.1.0-1\t3.1\tboth\topen\tText.\n"),
            format!("{header}MQTT-3.1.0-1\t3.1\teverybody\t-\topen\t-\t-\t-\tText.\n"),
        ] {
            assert!(parse(text.clone()).is_err(), "{text}");
        }
    }
}
