//! `cargo xtask conformance`: which statements of the standards are tested, and whether those tests really ran.
//!
//! The lists in the folder `conformance` say for each statement in which places of this workspace it has to be shown, and how
//! that is done. Tests carry the number of what they show in their names, and this looks for the names among the tests that
//! passed.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

mod list;
mod seen;

use crate::count;
use crate::install::{self, Need};
use crate::process;
use crate::progress::{Progress, seconds};
use crate::suites;
use crate::workspace;

pub(crate) use list::{List, Place, Status, Version};
pub(crate) use seen::Seen;

/// Shows for how many statements of the standards there is a test that passes.
///
/// Runs the tests that carry such a number in their names. Fails when a statement said to be tested has none that passed.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this version of the standard
    #[arg(long, value_enum)]
    version: Option<Version>,
    /// Only this place in the workspace
    #[arg(long, value_enum)]
    place: Option<Place>,
    /// Name the statements that are not covered yet
    #[arg(long)]
    missing: bool,
    /// Install what is missing without asking
    #[arg(long, short)]
    yes: bool,
}

/// The packages whose tests carry statements.
pub(crate) const PACKAGES: [Package; 4] = [
    Package {
        name: "mqtt-core",
        suite: "core",
        tests: suites::CORE_TESTS,
        places: &[Place::Codec, Place::Client, Place::Server],
    },
    Package {
        name: "mqtt-transport",
        suite: "client",
        tests: suites::TRANSPORT_TESTS,
        places: &[Place::Transport],
    },
    Package {
        name: "mqtt-client",
        suite: "client",
        tests: suites::CLIENT_TESTS,
        places: &[Place::Client, Place::Transport],
    },
    Package {
        name: "mqtt-broker",
        suite: "broker",
        tests: suites::BROKER_TESTS,
        places: &[Place::Transport, Place::Broker],
    },
];

/// One package whose tests carry statements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// The suite of `cargo xtask test` that runs all its tests.
    pub(crate) suite: &'static str,
    tests: &'static [&'static str],
    /// What its tests can show.
    places: &'static [Place],
}

impl Package {
    /// Runs those of its tests that carry a statement. It builds what its suite builds, so nothing is built twice.
    pub(crate) fn named_tests(&self) -> Result<Command> {
        let mut cargo = workspace::cargo()?;
        cargo
            .args(["test", "--no-fail-fast"])
            .args(self.tests)
            .args(["--tests", "--"])
            .args(Version::ALL.into_iter().filter_map(Version::prefix))
            .args(Version::ALL.map(Version::unnumbered_prefix));
        Ok(cargo)
    }

    /// # Errors
    /// When no test ran, as when they could not be built: that says nothing about any statement.
    pub(crate) fn expect_tests(&self, output: &str) -> Result<()> {
        ensure!(
            count::cargo_test(output).ran() > 0,
            "the tests of {} did not run\n{}",
            self.name,
            process::tail(output)
        );
        Ok(())
    }
}

/// One cell of the lists that is not as it says, or not done yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Gap {
    pub(crate) version: Version,
    pub(crate) place: Place,
    pub(crate) id: String,
    pub(crate) summary: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            place,
            id,
            summary,
        } = self;
        write!(f, "{version} {place:9} {id}: {summary}")
    }
}

/// How the statements of one version and place are covered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Counts {
    tested: usize,
    by_construction: usize,
    not_ours: usize,
    open: usize,
    broken: usize,
}

impl Counts {
    const fn covered(self) -> usize {
        self.tested + self.by_construction + self.not_ours
    }

    const fn all(self) -> usize {
        self.covered() + self.open + self.broken
    }
}

/// The lists, held against the tests that passed.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    counts: BTreeMap<(Version, Place), Counts>,
    /// Statements said to be tested without a test that passed.
    pub(crate) broken: Vec<Gap>,
    /// Statements that nobody has shown yet.
    pub(crate) open: Vec<Gap>,
    /// Those of them for which there is a test, though the list does not say so yet.
    unmarked: Vec<Gap>,
    /// Tests that carry the number of a statement that there is not.
    pub(crate) unknown: Vec<String>,
}

impl Coverage {
    /// Holds `lists` against what was `seen`; of the lists only the `places` that were looked at.
    pub(crate) fn new(lists: &[List], places: &[Place], seen: &Seen) -> Self {
        let mut coverage = Self::default();
        for list in lists {
            let version = list.version;
            for row in &list.rows {
                for (&place, status) in &row.places {
                    if !places.contains(&place) {
                        continue;
                    }
                    let gap = || Gap {
                        version,
                        place,
                        id: row.id.to_string(),
                        summary: row.summary.clone(),
                    };
                    let counts = coverage.counts.entry((version, place)).or_default();
                    match status {
                        Status::Tested if seen.shows(version, row.id, place) => counts.tested += 1,
                        Status::Tested => {
                            counts.broken += 1;
                            coverage.broken.push(gap());
                        }
                        Status::ByConstruction => counts.by_construction += 1,
                        Status::NotOurs => counts.not_ours += 1,
                        Status::Open => {
                            counts.open += 1;
                            if seen.shows(version, row.id, place) {
                                coverage.unmarked.push(gap());
                            }
                            coverage.open.push(gap());
                        }
                    }
                }
            }
            coverage.unknown.extend(seen.unknown_to(list));
        }
        coverage
    }

    /// How many cells of the lists are shown by a test.
    pub(crate) fn tested(&self) -> usize {
        self.counts.values().map(|counts| counts.tested).sum()
    }

    /// Whether the lists say nothing that is not so.
    fn holds(&self) -> bool {
        self.broken.is_empty() && self.unknown.is_empty()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "version  place      covered / all   tested  by construction  not ours  open  broken"
        )?;
        for ((version, place), counts) in &self.counts {
            writeln!(
                f,
                "{:7}  {:9}  {:7} / {:<3}   {:6}  {:15}  {:8}  {:4}  {:6}",
                version.to_string(),
                place.to_string(),
                counts.covered(),
                counts.all(),
                counts.tested,
                counts.by_construction,
                counts.not_ours,
                counts.open,
                counts.broken,
            )?;
        }
        Ok(())
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let lists = List::read_all()?;
    let places: Vec<_> = Place::ALL
        .into_iter()
        .filter(|&place| options.place.is_none_or(|only| only == place))
        .collect();
    install::ensure(&[Need::CCompiler], options.yes)?;
    println!();
    let mut seen = Seen::default();
    for package in PACKAGES {
        if package.places.iter().any(|place| places.contains(place)) {
            seen.add(package.name, &run_named_tests(package)?);
        }
    }
    println!();
    let lists: Vec<_> = lists
        .into_iter()
        .filter(|list| options.version.is_none_or(|only| only == list.version))
        .collect();
    let coverage = Coverage::new(&lists, &places, &seen);
    print!("{coverage}");
    show(
        "said to be tested, but no test of that number passed",
        &coverage.broken,
    );
    show(
        "tests that carry a number which the standard does not have",
        &coverage.unknown,
    );
    show(
        "open, though a test of that number passed",
        &coverage.unmarked,
    );
    if options.missing {
        show("open", &coverage.open);
    } else if !coverage.open.is_empty() {
        println!("\n--missing names those that are open");
    }
    Ok(if coverage.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(title: &str, lines: &[impl fmt::Display]) {
    if lines.is_empty() {
        return;
    }
    println!("\n{title}:");
    for line in lines {
        println!("  {line}");
    }
}

/// Runs the tests of `package` that carry a statement and returns what they printed.
fn run_named_tests(package: Package) -> Result<String> {
    let mut progress = Progress::start(package.name);
    let ended = process::run(&mut package.named_tests()?, suites::LIMIT, &mut progress)?;
    package.expect_tests(&ended.output)?;
    let tally = count::cargo_test(&ended.output);
    let took = seconds(progress.elapsed());
    progress.done(&format!("  {}: {tally} ({took})", package.name));
    for failed in &tally.failed {
        println!("    failed: {failed}");
    }
    Ok(ended.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
id\tsection\tbinds\tcodec\tclient\tserver\ttransport\tbroker\tsummary
MQTT-3.1.2-4\t3.1.2.4\tboth\t-\ttested\t-\t-\topen\tA session is discarded.
MQTT-3.1.2-5\t3.1.2.4\tserver\t-\t-\t-\t-\ttested\tA session is resumed.
MQTT-3.1.2-6\t3.1.2.4\tserver\t-\tnot ours: the client has no store\t-\t-\tby construction: it is one map\tOne is made.
";

    fn coverage(places: &[Place], output: &str) -> Coverage {
        let lists = [List::parse(Version::V5, LIST).unwrap()];
        let mut seen = Seen::default();
        seen.add("mqtt-broker", output);
        Coverage::new(&lists, places, &seen)
    }

    fn ids(gaps: &[Gap]) -> Vec<(Place, &str)> {
        gaps.iter()
            .map(|gap| (gap.place, gap.id.as_str()))
            .collect()
    }

    #[test]
    fn a_row_is_tested_when_a_test_of_its_number_passed_in_its_place() {
        let done = coverage(
            &[Place::Broker],
            "test sessions::v5_mqtt_3_1_2_5_is_resumed ... ok\n",
        );
        assert_eq!(
            done.counts[&(Version::V5, Place::Broker)],
            Counts {
                tested: 1,
                by_construction: 1,
                open: 1,
                ..Counts::default()
            }
        );
        assert_eq!(ids(&done.open), [(Place::Broker, "MQTT-3.1.2-4")]);
        assert!(done.holds());
        assert_eq!(done.tested(), 1);
    }

    #[test]
    fn a_test_that_failed_was_ignored_or_is_gone_leaves_its_row_broken() {
        for output in [
            "test sessions::v5_mqtt_3_1_2_5_is_resumed ... FAILED\n",
            "test sessions::v5_mqtt_3_1_2_5_is_resumed ... ignored, needs a server\n",
            "test sessions::v311_mqtt_3_1_2_5_is_resumed ... ok\n",
            "test sessions::is_resumed ... ok\n",
            "",
        ] {
            let done = coverage(&[Place::Broker], output);
            assert_eq!(
                ids(&done.broken),
                [(Place::Broker, "MQTT-3.1.2-5")],
                "{output}"
            );
            assert!(!done.holds());
        }
    }

    #[test]
    fn an_open_row_with_a_test_is_told_and_no_failure() {
        let done = coverage(&[Place::Broker], "test a::v5_mqtt_3_1_2_4_and_5_b ... ok\n");
        assert_eq!(ids(&done.unmarked), [(Place::Broker, "MQTT-3.1.2-4")]);
        assert_eq!(done.unmarked, done.open);
        assert!(done.holds());
    }

    #[test]
    fn places_that_were_not_looked_at_are_left_out() {
        let done = coverage(&[Place::Client], "");
        assert_eq!(ids(&done.broken), [(Place::Client, "MQTT-3.1.2-4")]);
        assert!(done.open.is_empty());
    }

    #[test]
    fn a_number_that_there_is_not_is_a_mistake() {
        let done = coverage(
            &[Place::Broker],
            "test a::v5_mqtt_3_1_2_5_b ... ok\ntest a::v5_mqtt_3_1_2_7_c ... ok\n",
        );
        assert_eq!(
            done.unknown,
            ["mqtt-broker a::v5_mqtt_3_1_2_7_c: MQTT-3.1.2-7"]
        );
        assert!(!done.holds());
    }

    #[test]
    fn each_package_has_its_suite() {
        for package in PACKAGES {
            assert!(suites::select(suites::ALL, &[package.suite.to_owned()]).is_ok());
        }
    }

    #[test]
    fn the_table_shows_what_is_covered_of_all() {
        let table = coverage(&Place::ALL, "test v5_mqtt_3_1_2_5_b ... ok\n").to_string();
        let line = table.lines().find(|line| line.contains("broker")).unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(
            words,
            ["5.0", "broker", "2", "/", "3", "1", "1", "0", "1", "0"]
        );
    }
}
