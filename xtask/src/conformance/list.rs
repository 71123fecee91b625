//! The committed lists: one row for each numbered statement of a standard, one column for each place.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Error, Result, bail, ensure};

use crate::workspace;

/// A version of the standard that numbers its statements. The two give the same number to different statements.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub(crate) enum Version {
    #[value(name = "3.1.1")]
    V311,
    #[value(name = "5.0")]
    V5,
}

impl Version {
    pub(crate) const ALL: [Self; 2] = [Self::V311, Self::V5];

    /// What the names of its tests begin with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::V311 => "v311_mqtt_",
            Self::V5 => "v5_mqtt_",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::V311 => "mqtt311.tsv",
            Self::V5 => "mqtt5.tsv",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
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
    /// The client's state machine, in `mqtt-core`.
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

/// The number of a statement: `MQTT-3.1.2-24` is the 24th of section 3.1.2.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Id {
    pub(crate) section: [u16; 3],
    pub(crate) number: u16,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [chapter, section, subsection] = self.section;
        write!(f, "MQTT-{chapter}.{section}.{subsection}-{}", self.number)
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (section, number) = text.strip_prefix("MQTT-")?.split_once('-')?;
            let section: Vec<u16> = section
                .split('.')
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?;
            Some(Self {
                section: section.try_into().ok()?,
                number: number.parse().ok()?,
            })
        };
        parse()
            .with_context(|| format!("{text:?} is no number of a statement, such as MQTT-3.1.2-24"))
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

/// All statements of one version, in their order.
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
        let path = workspace::root().join("conformance").join(version.file());
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(version, &text).with_context(|| format!("in {}", path.display()))
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
        for (list, statements) in List::read_all().unwrap().iter().zip([141, 251]) {
            assert_eq!(list.rows.len(), statements, "{}", list.version);
            for pair in list.rows.windows(2) {
                let [before, row] = pair else { unreachable!() };
                // Numbers count up in each section. 5.0 has no MQTT-2.2.1-1.
                let next = if before.id.section == row.id.section {
                    before.id.number + 1
                } else if (list.version, row.id.section) == (Version::V5, [2, 2, 1]) {
                    2
                } else {
                    1
                };
                assert_eq!(row.id.number, next, "{} after {}", row.id, before.id);
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
        assert_eq!(
            (id.section, id.number, id.to_string().as_str()),
            ([3, 10, 4], 6, "MQTT-3.10.4-6")
        );
        for text in ["MQTT-3.1-2", "3.1.2-4", "MQTT-3.1.2.7", "MQTT-3.1.2-x"] {
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
