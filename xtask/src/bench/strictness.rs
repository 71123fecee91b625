//! What our decoder and those of other Rust libraries take and refuse; `benches/rivals` does the work.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use crate::install::{self, Need};
use crate::{process, suites, workspace};

/// Longest time for a build of all the libraries.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Compares what our decoder and those of other libraries take and refuse.
///
/// The packets are those that the tests have written by hand, the seeds of the fuzz targets, and what fuzzing has kept. Every
/// disagreement with the two strictest rivals must be settled in benches/rivals/disagreements.tsv. What each rival takes goes
/// into benches/results. The rivals ask for Rust 1.95.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    install::ensure(&[Need::CCompiler], options.yes)?;
    let mut command = compare()?;
    command
        .arg("--results")
        .arg(workspace::root().join("benches/results"));
    let fuzzed = workspace::scratch("fuzz-corpus")?.join("decode_packet");
    if fuzzed.is_dir() {
        command.arg("--fuzzed").arg(fuzzed);
    }
    process::run_shown(&mut command, LIMIT)?.expect_success("comparing with the strictest")?;
    Ok(ExitCode::SUCCESS)
}

/// Compares over what everybody has. What fuzzing kept is for those who look for more: nobody's change is to fail by it.
pub(crate) fn compare() -> Result<Command> {
    suites::rivals("strictness", &[])
}
