//! The demo as a test: it exits with an error when a message is lost or comes twice.

use anyhow::Result;

use super::{Run, Suite};
use crate::demo::{self, Options};
use crate::install::Need;
use crate::peers;
use crate::workspace;

pub(super) const DEMO: Suite = Suite {
    name: "demo",
    about: "the demo in its short form: with the embedded broker, without PHP, and at a fresh mosquitto",
    needs: &[
        Need::CCompiler,
        Need::Php,
        Need::PhpHeaders,
        Need::PhpFpm,
        Need::Libclang,
        Need::Mosquitto,
    ],
    run: |run| {
        build(run)?;
        let short = Options {
            short: true,
            ..Options::default()
        };
        show(run, "embedded broker", &short)?;
        show(
            run,
            "embedded broker, without PHP",
            &Options {
                no_php: true,
                ..short.clone()
            },
        )?;
        let mosquitto = peers::mosquitto::start()?;
        let shown = show(
            run,
            "mosquitto",
            &Options {
                broker: Some(mosquitto.url()),
                ..short
            },
        );
        run.note("mosquitto", &mosquitto.log());
        shown
    },
};

/// Builds the demo and the extension.
pub(super) fn build(run: &mut Run) -> Result<()> {
    // One after the other, as `cargo xtask demo` does: built together they would share features, and be built again there.
    run.prepare(
        "cargo build -p demo",
        workspace::cargo()?.args(["build", "-p", "demo"]),
    )?;
    run.prepare(
        "cargo build -p php-ext",
        workspace::cargo()?.args(["build", "-p", "php-ext"]),
    )
}

/// One demo, which is one test.
pub(super) fn show(run: &mut Run, what: &str, options: &Options) -> Result<()> {
    run.check(&format!("demo: {what}"), &mut demo::command(options)?)
}
