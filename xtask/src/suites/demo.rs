//! The demo as a test: it exits with an error when a message is lost or comes twice.

use anyhow::Result;

use super::{Run, Suite};
use crate::demo::{self, Options};
use crate::install::Need;
use crate::peers;

pub(super) const DEMO: Suite = Suite {
    name: "demo",
    about: "the demo in its short form: with the embedded broker, without PHP, with TLS, and at a fresh mosquitto",
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
        show(
            run,
            "embedded broker, with TLS",
            &Options {
                tls: true,
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

/// Builds everything that the demo shows.
pub(super) fn build(run: &mut Run) -> Result<()> {
    for (part, mut command) in demo::parts(false)? {
        run.prepare(&format!("building {part}"), &mut command)?;
    }
    Ok(())
}

/// One demo, which is one test.
pub(super) fn show(run: &mut Run, what: &str, options: &Options) -> Result<()> {
    run.check(&format!("demo: {what}"), &mut demo::command(options)?)
}
