//! `cargo xtask nightly`: what takes too long to run on each change.

use std::process::ExitCode;

use anyhow::Result;

use crate::suites::nightly;
use crate::test;

/// Runs the suites of the long checks, or the ones named.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    test::run_some(nightly::ALL, &options.test)
}

/// Runs what takes too long for each change: release builds, small feature sets, the oldest Rust, the whole demo again and again.
///
/// It has suites as `cargo xtask test` has, and prints alike.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    test: test::Options,
}
