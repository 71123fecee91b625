//! `cargo xtask nightly`: what takes too long to run on each change.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::suites::nightly;
use crate::test::{self, Selection};

/// Runs what takes too long for each change, as suites like those of `cargo xtask test`
///
/// Release builds, small feature sets, the oldest Rust, the fuzz targets for longer, the extension with a debug PHP, a
/// thread-safe one and under valgrind, thousands of connections that send nothing, the whole demo again and again.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// How long each fuzz target runs, in minutes; 15 before a change to the protocol
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_440))]
    fuzz_minutes: u32,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let fuzz_time = Duration::from_secs(u64::from(options.fuzz_minutes) * 60);
    test::run_some(nightly::ALL, &options.selection, fuzz_time)
}
