//! Certificates for servers and clients on this machine, made anew for each run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use super::private_folder;
use crate::suites::Run;
use crate::workspace;

/// A folder of them, removed when dropped.
#[derive(Debug)]
pub(crate) struct Certificates(TempDir);

impl Certificates {
    /// Has the example of `mqtt-transport` make them.
    pub(crate) fn make(run: &mut Run) -> Result<Self> {
        build(run)?;
        let folder = private_folder()?;
        run.prepare("certificates", Command::new(program()?).arg(folder.path()))?;
        Ok(Self(folder))
    }

    /// One of the files, such as `ca.pem`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Builds the program that makes them: an example of `mqtt-transport`.
pub(crate) fn build(run: &mut Run) -> Result<()> {
    let arguments = [
        "build",
        "-p",
        "mqtt-transport",
        "--features",
        "certificates",
        "--example",
        "certificates",
    ];
    run.prepare(
        "cargo build --example certificates",
        workspace::cargo()?.args(arguments),
    )
}

/// Where it was built.
pub(crate) fn program() -> Result<PathBuf> {
    workspace::built("examples/certificates")
}
