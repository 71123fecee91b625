//! The PHP scripts of the demo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::program::{Program, each_line, read_all};
use crate::score::Score;
use crate::settings::{Settings, Share};

/// Longest time for a script that pushes.
const PUSH_LIMIT: Duration = Duration::from_secs(60);

/// PHP with the extension.
#[derive(Clone, Debug)]
pub(crate) struct Php {
    /// The `php` command.
    pub(crate) program: PathBuf,
    /// The built extension, none when PHP loads it by itself.
    pub(crate) extension: Option<PathBuf>,
}

impl Php {
    /// Runs `script`, without the system's configuration.
    pub(crate) fn command(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-n");
        if let Some(extension) = &self.extension {
            command
                .arg("-d")
                .arg(format!("extension={}", extension.display()));
        }
        command.arg(script);
        command
    }

    /// Runs a script that pushes, and returns its report.
    pub(crate) async fn push(
        &self,
        script: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Result<Report> {
        let mut command = self.command(script);
        command
            .envs(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut program = Program::start("php", &mut command, Signal::KILL)?;
        let (output, errors) = (program.child().stdout.take(), program.child().stderr.take());
        let run = async {
            let complaints = each_line(errors, |line| println!("           php: {line}"));
            let (output, ()) = tokio::join!(read_all(output), complaints);
            Ok::<_, anyhow::Error>((output?, program.wait(PUSH_LIMIT).await?))
        };
        let Ok(ended) = timeout(PUSH_LIMIT, run).await else {
            bail!(
                "{} did not end within {} s",
                script.display(),
                PUSH_LIMIT.as_secs()
            );
        };
        let (output, status) = ended?;
        if !status.success() {
            bail!("{} ended with {status}:\n{output}", script.display());
        }
        Report::parse(&output)
            .with_context(|| format!("{} printed no report:\n{output}", script.display()))
    }
}

/// What a pushing script says of itself, as JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    /// By device.
    devices: BTreeMap<String, Pushes>,
    /// The answer to the message for the device that nobody has.
    nobody: Option<Nobody>,
    /// The client that the script used.
    pub(crate) client: ClientStatus,
    /// How long the script ran, if it says so.
    pub(crate) seconds: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Pushes {
    sent: Vec<String>,
    acknowledged: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Nobody {
    matched: Option<bool>,
}

/// What a script says of its client.
#[derive(Debug, Deserialize)]
pub(crate) struct ClientStatus {
    /// Client Identifier.
    pub(crate) id: String,
    /// Connections that the broker has accepted from it so far.
    pub(crate) connections: u64,
    /// The process it runs in.
    pub(crate) pid: u32,
}

impl Report {
    /// Reads what a script printed: the report is its last line.
    pub(crate) fn parse(output: &str) -> Result<Self> {
        let line = output.trim_end().lines().last().unwrap_or_default();
        serde_json::from_str(line).context("the last line is no report")
    }

    /// Adds what was sent and acknowledged to the score.
    pub(crate) fn add_to(&self, score: &Score) {
        for (device, pushes) in &self.devices {
            score.pushed(device, pushes.sent.clone(), pushes.acknowledged.clone());
        }
    }

    /// How many messages were sent, and how many of them acknowledged.
    pub(crate) fn totals(&self) -> (usize, usize) {
        let devices = self.devices.values();
        devices.fold((0, 0), |(sent, acknowledged), pushes| {
            (
                sent + pushes.sent.len(),
                acknowledged + pushes.acknowledged.len(),
            )
        })
    }

    /// What the broker said of the device that nobody has: whether anybody subscribed, `None` if it does not tell.
    pub(crate) fn matched(&self) -> Option<bool> {
        self.nobody.as_ref()?.matched
    }
}

/// The variables that tell a pushing script what to do.
pub(crate) fn push_variables(settings: &Settings, share: &Share) -> BTreeMap<String, String> {
    let push = [
        ("PUSH_TOPIC", settings.topic.clone()),
        ("PUSH_DEVICES", settings.devices.join(",")),
        ("PUSH_COUNT", share.count.to_string()),
        ("PUSH_REQUEST", share.request.to_string()),
    ];
    let variables = settings.broker.variables().chain(push);
    variables
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_the_last_line() {
        let report = Report::parse(
            "Notice: something\n{\"devices\":{\"device-01\":{\"sent\":[\"a\",\"b\"],\"acknowledged\":[\"a\"]}},\
             \"nobody\":{\"matched\":false,\"reasonCode\":16},\"client\":{\"id\":\"x\",\"connections\":1,\"pid\":7}}\n",
        )
        .unwrap();
        assert_eq!(report.totals(), (2, 1));
        assert_eq!(report.matched(), Some(false));
        assert_eq!(
            (
                report.client.id.as_str(),
                report.client.connections,
                report.client.pid
            ),
            ("x", 1, 7)
        );
        assert!(Report::parse("Fatal error: no\n").is_err());
        assert!(Report::parse("").is_err());
    }

    #[test]
    fn a_broker_that_does_not_tell_is_not_a_no() {
        let client = "\"client\":{\"id\":\"x\",\"connections\":1,\"pid\":7}";
        let silent = Report::parse(&format!(
            "{{\"devices\":{{}},\"nobody\":{{\"matched\":null}},{client}}}"
        ))
        .unwrap();
        assert_eq!(silent.matched(), None);
    }
}
