//! Certificates for servers and clients on this machine, made anew for each run.

use std::path::PathBuf;

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
        let folder = private_folder()?;
        let arguments = [
            "run",
            "-p",
            "mqtt-transport",
            "--features",
            "certificates",
            "--example",
            "certificates",
            "--",
        ];
        run.prepare(
            "certificates",
            workspace::cargo()?.args(arguments).arg(folder.path()),
        )?;
        Ok(Self(folder))
    }

    /// One of the files, such as `ca.pem`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
