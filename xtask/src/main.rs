//! `cargo xtask`: the one command people need to know.
//!
//! It installs what the other parts need (after asking), builds them, and runs them: the demo, and every test that can say
//! whether the project works. It depends on small things only, so that it is there within seconds of a fresh clone; whatever
//! speaks MQTT is in the crates it builds and starts.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod conformance;
mod count;
mod demo;
mod fuzz;
mod install;
mod library;
mod nightly;
mod peers;
mod process;
mod progress;
mod suites;
mod test;
mod workspace;

/// Builds, shows and tests everything in this workspace.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Demo(demo::Options),
    Test(test::Options),
    Nightly(nightly::Options),
    Fuzz(fuzz::Options),
    Conformance(conformance::Options),
    Bench(bench::Options),
    Install(library::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = process::watch_signals().and_then(|()| match &arguments.command {
        Task::Demo(options) => demo::run(options),
        Task::Test(options) => test::run(options),
        Task::Nightly(options) => nightly::run(options),
        Task::Fuzz(options) => fuzz::run(options),
        Task::Conformance(options) => conformance::run(options),
        Task::Bench(options) => bench::run(options),
        Task::Install(options) => library::run(options),
    });
    match done {
        Ok(code) => code,
        Err(error) if process::interrupted() => {
            eprintln!("stopped: {error:#}");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
        for task in [
            "demo",
            "test",
            "nightly",
            "fuzz",
            "conformance",
            "bench",
            "install",
        ] {
            assert!(
                Arguments::command().find_subcommand(task).is_some(),
                "{task}"
            );
        }
    }
}
