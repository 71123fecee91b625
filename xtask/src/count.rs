//! Counting what ran, from what test programs print. A program that ran nothing must not look like one that passed.

use std::fmt;

/// What one suite or one program did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// The names of those that failed.
    pub(crate) failed: Vec<String>,
    /// Tests that were not run, with the reason they gave. Another suite has to run them, by name.
    pub(crate) ignored: Vec<String>,
}

impl Tally {
    /// One more success.
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    /// One more failure.
    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failed.push(what.into());
    }

    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.ignored.extend(other.ignored);
    }

    /// How many tests ran.
    pub(crate) fn ran(&self) -> usize {
        self.passed + self.failed.len()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed", self.passed)?;
        if !self.failed.is_empty() {
            write!(f, ", {} failed", self.failed.len())?;
        }
        if !self.ignored.is_empty() {
            write!(f, " ({} left to the interop suites)", self.ignored.len())?;
        }
        Ok(())
    }
}

/// Reads the output of `cargo test`.
///
/// Counts come from the `test result:` lines, names and reasons from the lines before them.
pub(crate) fn cargo_test(output: &str) -> Tally {
    let mut tally = Tally::default();
    let mut failures = 0;
    for line in output.lines() {
        let line = line.trim();
        if let Some(result) = line.strip_prefix("test result:") {
            tally.passed += number_before(result, "passed");
            failures += number_before(result, "failed");
        } else if let Some((name, ending)) = ending_of(line) {
            if ending.starts_with("FAILED") {
                tally.fail(name);
            } else if let Some(reason) = ending.strip_prefix("ignored") {
                tally
                    .ignored
                    .push(format!("{name}: {}", reason.trim_start_matches(", ")));
            }
        }
    }
    // A test that prints without a line feed hides its own line: the summary still counts it.
    for _ in tally.failed.len()..failures {
        tally.fail("a test whose name is in the log");
    }
    tally
}

/// The names of the tests that passed, from the same output.
pub(crate) fn passed(output: &str) -> impl Iterator<Item = &str> {
    output
        .lines()
        .filter_map(|line| ending_of(line.trim()))
        .filter(|(_, ending)| *ending == "ok")
        .map(|(name, _)| name.trim_end_matches(" - should panic"))
}

/// A line `test name ... ending`.
fn ending_of(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ")
}

/// The number in `… 12 passed; …`, 0 when there is none.
fn number_before(text: &str, word: &str) -> usize {
    text.split([';', '.'])
        .filter_map(|part| part.trim().strip_suffix(word))
        .find_map(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

/// Reads the output of PHP's `run-tests.php --no-color`. A test that was skipped counts as failed: here everything a test may
/// need is installed, so a skip is a test that could not run.
pub(crate) fn php_run_tests(output: &str) -> Tally {
    const BAD: [&str; 7] = [
        "FAIL ", "SKIP ", "BORK ", "WARN ", "LEAK ", "XLEAK ", "XFAIL ",
    ];
    let mut tally = Tally::default();
    let mut announced = None;
    for line in output.lines() {
        if line.starts_with("PASS ") {
            tally.pass();
        } else if BAD.iter().any(|word| line.starts_with(word)) {
            tally.fail(line.trim());
        } else if let Some(counts) = line.strip_prefix("Number of tests :") {
            announced = counts
                .split_whitespace()
                .next()
                .and_then(|count| count.parse::<usize>().ok());
        }
    }
    match announced {
        None => tally.fail("run-tests.php ended before it said how many tests there are"),
        Some(count) if count != tally.ran() => {
            let ran = tally.ran();
            tally.fail(format!("run-tests.php speaks of {count} tests, {ran} ran"));
        }
        Some(_) => {}
    }
    tally
}

/// Reads the Test Anything Protocol: a plan `1..N`, then `ok` and `not ok` lines. Fewer lines than planned are failures.
pub(crate) fn tap(output: &str) -> Tally {
    let mut tally = Tally::default();
    let mut planned = None;
    for line in output.lines() {
        if let Some(what) = line.strip_prefix("not ok ") {
            tally.fail(what);
        } else if line.starts_with("ok ") {
            tally.pass();
        } else if let Some(count) = line.strip_prefix("1..") {
            planned = count.trim().parse::<usize>().ok();
        }
    }
    match planned {
        None => tally.fail("no plan: the program ended before it said how many checks it makes"),
        Some(planned) if planned != tally.ran() => {
            let ran = tally.ran();
            tally.fail(format!("{planned} checks planned, {ran} ran"));
        }
        Some(_) => {}
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_test_output_is_summed_over_its_binaries() {
        let output = "\
running 3 tests
test types::topic::tests::a ... ok
test wire::b ... FAILED
test interop::c ... ignored, needs MQTT_SERVER

failures:
    wire::b

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests mqtt_core

running 1 test
test mqtt-core/src/lib.rs - (line 9) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.31s
";
        assert_eq!(
            cargo_test(output),
            Tally {
                passed: 2,
                failed: vec!["wire::b".to_owned()],
                ignored: vec!["interop::c: needs MQTT_SERVER".to_owned()]
            }
        );
    }

    #[test]
    fn only_what_passed_is_named_as_passed() {
        let output = "test a::b ... ok\ntest c ... FAILED\ntest d ... ignored, slow\ntest e - should panic ... ok\n";
        assert_eq!(passed(output).collect::<Vec<_>>(), ["a::b", "e"]);
    }

    #[test]
    fn a_failure_without_a_line_of_its_own_still_counts() {
        let tally = cargo_test(
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        assert_eq!((tally.passed, tally.failed.len()), (10, 2));
    }

    #[test]
    fn output_without_any_test_counts_nothing() {
        assert_eq!(cargo_test("error: could not compile `mqtt-core`").ran(), 0);
        assert_eq!(
            cargo_test("test result: ok. 0 passed; 0 failed; 0 ignored").ran(),
            0
        );
    }

    #[test]
    fn php_tests_are_counted_and_a_skip_is_a_failure() {
        let output = "PASS publishes [tests/a.phpt]\nSKIP fpm [tests/b.phpt] reason: no fpm\n\
                      FAIL forks [tests/c.phpt]\nNumber of tests :    3                 2\n\
                      Tests passed    :    1 ( 33.3%)\n";
        let tally = php_run_tests(output);
        assert_eq!(tally.passed, 1);
        assert_eq!(
            tally.failed,
            [
                "SKIP fpm [tests/b.phpt] reason: no fpm",
                "FAIL forks [tests/c.phpt]"
            ]
        );
    }

    #[test]
    fn php_tests_that_broke_off_are_a_failure() {
        assert_eq!(
            php_run_tests("PASS publishes [tests/a.phpt]\n")
                .failed
                .len(),
            1
        );
        let short = "PASS publishes [tests/a.phpt]\nNumber of tests :    2                 2\n";
        assert_eq!(
            php_run_tests(short).failed,
            ["run-tests.php speaks of 2 tests, 1 ran"]
        );
    }

    #[test]
    fn tap_counts_and_misses_what_did_not_run() {
        assert_eq!(tap("1..2\nok 1 - a\nok 2 - b\n").passed, 2);
        assert_eq!(tap("1..2\nok 1 - a\nnot ok 2 - b\n").failed, ["2 - b"]);
        assert_eq!(
            tap("1..3\nok 1 - a\nok 2 - b\n").failed,
            ["3 checks planned, 2 ran"]
        );
        assert_eq!(tap("Traceback").failed.len(), 1);
    }
}
