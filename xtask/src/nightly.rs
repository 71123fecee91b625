//! `cargo xtask nightly`: what takes too long to run on each change.

use std::process::ExitCode;

use anyhow::Result;

use crate::suites::nightly;
use crate::test::{self, Selection};

/// Runs what takes too long for each change, as suites like those of `cargo xtask test`
///
/// Release builds, small feature sets, the oldest Rust, the extension with a debug PHP, a thread-safe one and under valgrind, the whole demo again and again.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    test::run_some(nightly::ALL, &options.selection)
}
