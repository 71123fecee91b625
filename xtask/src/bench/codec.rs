//! Our codec beside those of other Rust libraries: `benches/rivals` does the work, this builds it and says where results go.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use crate::install::{self, Need};
use crate::{process, suites, workspace};

/// Longest time for an optimised build of all the libraries, and for measuring.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Measures our codec beside those of rumqttc, rumqttc-next, mqtt-protocol-core, ntex-mqtt, mqtt5-protocol, flowsdk and mqttrs.
///
/// Time, instructions and allocations go into benches/results. The rivals ask for Rust 1.95.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only check that every library does what is measured, in a build without optimisation
    #[arg(long)]
    quick: bool,
    /// Install what is missing without asking
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut command = if options.quick {
        install::ensure(&[Need::CCompiler], options.yes)?;
        check()?
    } else {
        install::ensure(&[Need::CCompiler, Need::Valgrind], options.yes)?;
        let mut command = suites::rivals("codec", &["--release"])?;
        command.arg(workspace::root().join("benches/results"));
        command
    };
    process::run_shown(&mut command, LIMIT)?.expect_success("the program that compares codecs")?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that every library does what is measured.
pub(crate) fn check() -> Result<Command> {
    let mut command = suites::rivals("codec", &[])?;
    command.arg("--quick");
    Ok(command)
}
