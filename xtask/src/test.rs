//! `cargo xtask test`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::count::Tally;
use crate::install;
use crate::progress::seconds;
use crate::suites::{self, Logs, Run, Suite};

/// How long each fuzz target runs with every change.
const FUZZ_TIME: Duration = Duration::from_secs(20);

/// Installs what the tests need and runs all of them, or the suites named.
///
/// Each suite prints its count; a suite that could not run, or in which nothing ran, has failed. The last line is the sum.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
}

/// Which suites, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// Suites to run; all of them when none is named
    #[arg(value_name = "SUITE")]
    suites: Vec<String>,
    /// Only list the suites
    #[arg(long)]
    list: bool,
    /// Install what is missing without asking
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    run_some(suites::ALL, &options.selection, FUZZ_TIME)
}

/// Runs a selection of `all`, and each fuzz target in it for `fuzz_time`.
pub(crate) fn run_some(
    all: &[Suite],
    selection: &Selection,
    fuzz_time: Duration,
) -> Result<ExitCode> {
    let selected = suites::select(all, &selection.suites)?;
    if selection.list {
        for suite in selected {
            println!("{:18} {}", suite.name, suite.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let needs: Vec<_> = selected
        .iter()
        .flat_map(|suite| suite.needs)
        .copied()
        .collect();
    install::ensure(&needs, selection.yes)?;
    println!();
    let started = Instant::now();
    let mut total = Tally::default();
    let mut failed = Vec::new();
    let mut logs = Logs::default();
    for suite in &selected {
        let tally = Run::suite(suite, &mut logs, fuzz_time)?;
        if !tally.failed.is_empty() {
            failed.push(suite.name);
        }
        total.add(tally);
    }
    println!(
        "\n{} suites in {}",
        selected.len(),
        seconds(started.elapsed())
    );
    if !failed.is_empty() {
        println!("failed suites: {}", failed.join(" "));
    }
    println!("{} passed, {} failed", total.passed, total.failed.len());
    Ok(if total.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
