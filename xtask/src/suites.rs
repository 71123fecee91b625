//! The suites of tests: what each is called, what it needs, how it runs, and how what ran is counted.

mod c;
mod conformance;
mod demo;
mod fuzz;
mod interop;
pub(crate) mod nightly;
mod php;
mod php_source;
mod php_threads;
mod readme;
mod rust;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::count::{self, Tally};
use crate::install::Need;
use crate::process::{self, Ended, keep_log};
use crate::progress::{Progress, seconds};
use crate::workspace;

pub(crate) use php::{NEEDS as PHP_NEEDS, extension};
pub(crate) use rust::{BROKER_TESTS, CLIENT_TESTS, CORE_TESTS, TRANSPORT_TESTS, rivals};

/// Longest time for one program of a suite: a cold build of everything on a slow machine, or a test that hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Lines of the report on a failure; the log has them all.
const REPORT_LINES: usize = 150;

/// The reason with which a test may be ignored by a plain `cargo test`: the interop suites run it by name.
const LEFT_TO_INTEROP: &str = "needs MQTT_SERVER";

/// One suite.
pub(crate) struct Suite {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it is about, in one line.
    pub(crate) about: &'static str,
    /// What has to be installed.
    pub(crate) needs: &'static [Need],
    /// Runs it.
    pub(crate) run: fn(&mut Run) -> Result<()>,
}

/// All suites of `cargo xtask test`, the quick and telling ones first.
pub(crate) const ALL: &[Suite] = &[
    rust::FMT,
    rust::CLIPPY,
    rust::DOC,
    rust::CORE,
    rust::CLIENT,
    rust::BROKER,
    conformance::CONFORMANCE,
    c::FFI,
    c::VALGRIND,
    rust::TOOLS,
    fuzz::FUZZ,
    rust::BENCHES,
    php::CLIPPY,
    php::PHP,
    readme::README,
    interop::MOSQUITTO,
    interop::PAHO,
    demo::DEMO,
];

/// A suite that is running: counts, and keeps what was printed.
#[derive(Debug)]
pub(crate) struct Run {
    name: String,
    progress: Progress,
    tally: Tally,
    log: String,
    report: String,
    remarks: Vec<String>,
    earlier: Logs,
    fuzz_time: Duration,
}

/// What suites printed, by their names.
#[derive(Debug, Default)]
pub(crate) struct Logs(BTreeMap<&'static str, String>);

impl Run {
    /// Runs `suite` to its end and prints its line, below it a report if anything failed. What it printed is added to `logs`,
    /// where later suites find it. Each fuzz target runs for `fuzz_time`.
    ///
    /// # Errors
    /// Only when the user interrupted. A suite that could not run, or in which nothing ran, counts as a failure.
    pub(crate) fn suite(suite: &Suite, logs: &mut Logs, fuzz_time: Duration) -> Result<Tally> {
        let mut run = Self {
            name: suite.name.to_owned(),
            progress: Progress::start(suite.name),
            tally: Tally::default(),
            log: String::new(),
            report: String::new(),
            remarks: Vec::new(),
            earlier: std::mem::take(logs),
            fuzz_time,
        };
        if let Err(error) = (suite.run)(&mut run) {
            if process::interrupted() {
                return Err(error);
            }
            run.fail("could not run to its end", &format!("{error:#}"));
        }
        if run.tally.ran() == 0 {
            run.fail("no test ran", "a suite without tests proves nothing");
        }
        let unexplained = run
            .tally
            .ignored
            .iter()
            .filter(|test| !test.ends_with(LEFT_TO_INTEROP))
            .cloned()
            .collect::<Vec<_>>();
        for test in unexplained {
            run.fail("ignored without being run elsewhere", &test);
        }
        *logs = std::mem::take(&mut run.earlier);
        logs.0.insert(suite.name, run.log.clone());
        run.finish()
    }

    fn finish(self) -> Result<Tally> {
        let log = keep_log(&self.name, &self.log)?;
        let took = seconds(self.progress.elapsed());
        let mark = if self.tally.failed.is_empty() {
            ""
        } else {
            "FAILED: "
        };
        let mut lines = format!("{}: {mark}{} ({took})", self.name, self.tally);
        for remark in &self.remarks {
            lines.push_str(&format!("\n  {remark}"));
        }
        if !self.tally.failed.is_empty() {
            for failed in &self.tally.failed {
                lines.push_str(&format!("\n  failed: {failed}"));
            }
            lines.push_str(&format!(
                "\n{}  all that it printed: {}",
                self.report,
                log.display()
            ));
        }
        self.progress.done(&lines);
        Ok(self.tally)
    }

    /// Runs a program that has to succeed before the tests can: it counts as nothing.
    pub(crate) fn prepare(&mut self, what: &str, command: &mut Command) -> Result<()> {
        self.program(what, command)?.expect_success(what)?;
        Ok(())
    }

    /// Runs a program that is one test by itself.
    pub(crate) fn check(&mut self, what: &str, command: &mut Command) -> Result<()> {
        let ended = self.program(what, command)?;
        if ended.succeeded() {
            self.tally.pass();
        } else {
            self.fail(
                &format!("{what} {}", ended.describe()),
                &process::tail(&ended.output),
            );
        }
        Ok(())
    }

    /// Counts one test that was made here.
    pub(crate) fn verdict(&mut self, what: &str, verdict: Result<()>) -> Result<()> {
        match verdict {
            Ok(()) => {
                self.log.push_str(&format!("ok {what}\n"));
                self.tally.pass();
                self.progress.line(what);
                self.progress.tick();
            }
            Err(error) if process::interrupted() => return Err(error),
            Err(error) => {
                self.log.push_str(&format!("not ok {what}: {error:#}\n"));
                self.fail(what, &format!("{error:#}"));
            }
        }
        Ok(())
    }

    /// `cargo test` with `arguments`.
    pub(crate) fn cargo_test(&mut self, arguments: &[&str]) -> Result<()> {
        let mut command = workspace::cargo()?;
        command.args(["test", "--no-fail-fast"]).args(arguments);
        self.cargo_test_with(&mut command)
    }

    /// A `cargo test` that the caller put together.
    pub(crate) fn cargo_test_with(&mut self, command: &mut Command) -> Result<()> {
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        self.counted(
            &format!("cargo {}", words.join(" ")),
            command,
            count::cargo_test,
        )
    }

    /// A program that runs several tests, counted by `count` from what it prints.
    pub(crate) fn counted(
        &mut self,
        what: &str,
        command: &mut Command,
        count: fn(&str) -> Tally,
    ) -> Result<()> {
        self.counted_for(what, command, count, Duration::ZERO)
    }

    /// The same, of a program that takes `time` by its nature.
    pub(crate) fn counted_for(
        &mut self,
        what: &str,
        command: &mut Command,
        count: fn(&str) -> Tally,
        time: Duration,
    ) -> Result<()> {
        let ended = self.program_for(what, command, time)?;
        let tally = count(&ended.output);
        let silent = tally.failed.is_empty() && !ended.succeeded();
        let failed = !tally.failed.is_empty();
        let nothing = tally.ran() == 0 && tally.ignored.is_empty();
        self.tally.add(tally);
        if silent {
            self.fail(
                &format!("{what} {}", ended.describe()),
                &failures(&ended.output),
            );
        } else if failed {
            // It may have failed for no other reason than that it was stopped.
            let end = format!("    {what} {}\n", ended.describe());
            self.report.push_str(&end);
            self.report.push_str(&failures(&ended.output));
        } else if nothing {
            self.fail(
                &format!("{what}: no test ran"),
                &process::tail(&ended.output),
            );
        }
        Ok(())
    }

    /// Adds a file or a server's log to what is kept.
    pub(crate) fn note(&mut self, title: &str, text: &str) {
        self.log.push_str(&format!("--- {title}\n{text}\n"));
    }

    /// Adds a line below that of the suite, failed or not.
    fn remark(&mut self, line: String) {
        self.remarks.push(line);
    }

    /// Runs a program and keeps what it prints.
    pub(super) fn program(&mut self, what: &str, command: &mut Command) -> Result<Ended> {
        self.program_for(what, command, Duration::ZERO)
    }

    /// The same, of a program that takes `time` by its nature.
    pub(super) fn program_for(
        &mut self,
        what: &str,
        command: &mut Command,
        time: Duration,
    ) -> Result<Ended> {
        if command.get_program().to_string_lossy().ends_with("cargo") {
            // Its progress bar tells how much there is to build; it draws one for a terminal only.
            command
                .env("CARGO_TERM_PROGRESS_WHEN", "always")
                .env("CARGO_TERM_PROGRESS_WIDTH", "90");
        }
        let ended = process::run(command, LIMIT + time, &mut self.progress)?;
        self.note(what, &ended.output);
        Ok(ended)
    }

    /// How long each fuzz target is to run.
    pub(super) fn fuzz_time(&self) -> Duration {
        self.fuzz_time
    }

    fn fail(&mut self, what: &str, report: &str) {
        self.tally.fail(what);
        for line in report.lines() {
            self.report.push_str(&format!("    {}\n", line.trim_end()));
        }
    }
}

/// The suites with these names, all when there are none.
///
/// # Errors
/// When there is no such suite.
pub(crate) fn select<'a>(suites: &'a [Suite], names: &[String]) -> Result<Vec<&'a Suite>> {
    for name in names {
        if !suites.iter().any(|suite| suite.name == name) {
            let known: Vec<_> = suites.iter().map(|suite| suite.name).collect();
            bail!("there is no suite {name}. There are: {}", known.join(" "));
        }
    }
    Ok(suites
        .iter()
        .filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name))
        .collect())
}

/// The part of a `cargo test` log that tells why tests failed; the end of the log when there is no such part.
fn failures(output: &str) -> String {
    let mut telling = Vec::new();
    let mut inside = false;
    for line in output.lines() {
        inside = (inside || line == "failures:") && !line.starts_with("test result:");
        if inside {
            telling.push(line);
        }
    }
    if telling.is_empty() {
        // Other test programs print a line for each test: the ones that passed tell nothing.
        let passed = |line: &&str| line.starts_with("ok ") || line.starts_with("PASS ");
        let rest: Vec<_> = output.lines().filter(|line| !passed(line)).collect();
        return process::tail(&rest.join("\n"));
    }
    telling.truncate(REPORT_LINES);
    telling.iter().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_names_of_their_own() {
        let mut names: Vec<_> = ALL.iter().map(|suite| suite.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_unknown_suite_is_refused_with_the_known_ones() {
        let error = select(ALL, &["cors".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("cors") && error.contains("core"), "{error}");
    }

    #[test]
    fn suites_run_in_their_own_order_whatever_was_asked() {
        let names = ["demo".to_owned(), "core".to_owned()];
        let selected: Vec<_> = select(ALL, &names)
            .unwrap()
            .iter()
            .map(|suite| suite.name)
            .collect();
        assert_eq!(selected, ["core", "demo"]);
    }

    #[test]
    fn a_suite_that_ran_nothing_or_broke_off_has_failed() {
        let nothing = Suite {
            name: "test-of-nothing",
            about: "",
            needs: &[],
            run: |_| Ok(()),
        };
        assert_eq!(
            Run::suite(&nothing, &mut Logs::default(), Duration::ZERO)
                .unwrap()
                .failed,
            ["no test ran"]
        );
        let broken = Suite {
            name: "test-of-broken",
            about: "",
            needs: &[],
            run: |run| {
                run.note("a title", "a text");
                bail!("no luck")
            },
        };
        let mut logs = Logs::default();
        assert!(
            !Run::suite(&broken, &mut logs, Duration::ZERO)
                .unwrap()
                .failed
                .is_empty()
        );
        assert_eq!(logs.0["test-of-broken"], "--- a title\na text\n");
    }

    #[test]
    fn the_report_of_other_programs_leaves_out_what_passed() {
        assert_eq!(
            failures("1..2\nok 1 - a\nnot ok 2 - b\n"),
            "    1..2\n    not ok 2 - b\n"
        );
    }

    #[test]
    fn the_report_shows_the_reasons() {
        let log = "test a ... ok\n\nfailures:\n\n---- b stdout ----\npanicked\n\ntest result: FAILED. 1 passed\nmore\n";
        assert_eq!(
            failures(log),
            "    failures:\n    \n    ---- b stdout ----\n    panicked\n    \n"
        );
    }
}
