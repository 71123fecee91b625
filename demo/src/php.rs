//! The PHP scripts of the demo: the ones that push and the one that is a device.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::program::{Program, each_line, read_all};
use crate::score::Score;
use crate::settings::{Settings, Share};

/// Longest time for a script that pushes.
const PUSH_LIMIT: Duration = Duration::from_secs(60);

/// Longest time for the worker to subscribe.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// PHP with the extension.
#[derive(Clone, Debug)]
pub(crate) struct Php {
    /// The `php` command.
    pub(crate) program: PathBuf,
    /// The built extension, none when PHP loads it by itself.
    pub(crate) extension: Option<PathBuf>,
}

impl Php {
    fn command(&self, script: &Path, variables: &BTreeMap<String, String>) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-n");
        if let Some(extension) = &self.extension {
            command
                .arg("-d")
                .arg(format!("extension={}", extension.display()));
        }
        command.arg(script).envs(variables);
        command
    }

    /// Runs a script that pushes, and returns its report.
    pub(crate) async fn push(
        &self,
        script: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Result<Report> {
        let mut command = self.command(script, variables);
        let mut program =
            Program::start("php", command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
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

/// What a pushing script says of itself.
#[derive(Debug)]
pub(crate) struct Report {
    value: Value,
}

impl Report {
    /// Reads what a script printed: JSON in its last line.
    pub(crate) fn parse(output: &str) -> Result<Self> {
        let line = output.trim_end().lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(line).context("the last line is not JSON")?;
        value
            .get("devices")
            .and_then(Value::as_object)
            .context("there are no devices in it")?;
        Ok(Self { value })
    }

    /// Adds what was sent and acknowledged to the score.
    pub(crate) fn add_to(&self, score: &Score) {
        for (device, pushes) in self.value["devices"].as_object().into_iter().flatten() {
            score.pushed(
                device,
                strings(&pushes["sent"]),
                strings(&pushes["acknowledged"]),
            );
        }
    }

    /// How many messages were sent, and how many of them acknowledged.
    pub(crate) fn totals(&self) -> (usize, usize) {
        let devices = self.value["devices"].as_object();
        let sum = |field: &str| {
            devices
                .into_iter()
                .flatten()
                .map(|(_, pushes)| strings(&pushes[field]).len())
                .sum()
        };
        (sum("sent"), sum("acknowledged"))
    }

    /// What the broker said of the device that nobody has: whether anybody subscribed, `None` if it does not tell.
    pub(crate) fn matched(&self) -> Option<bool> {
        self.value["nobody"]["matched"].as_bool()
    }

    /// Client Identifier, connections made so far, and process id.
    pub(crate) fn client(&self) -> (&str, u64, u64) {
        let client = &self.value["client"];
        (
            client["id"].as_str().unwrap_or_default(),
            client["connections"].as_u64().unwrap_or_default(),
            client["pid"].as_u64().unwrap_or_default(),
        )
    }

    /// How long the script itself ran, where it says so.
    pub(crate) fn took(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.value["seconds"].as_f64()?).ok()
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The variables that tell a pushing script what to do.
pub(crate) fn push_variables(settings: &Settings, share: &Share) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("MQTT_URL".to_owned(), settings.broker.clone()),
        ("PUSH_TOPIC".to_owned(), settings.topic.clone()),
        ("PUSH_DEVICES".to_owned(), settings.devices.join(",")),
        ("PUSH_COUNT".to_owned(), share.count.to_string()),
        ("PUSH_REQUEST".to_owned(), share.request.to_string()),
    ])
}

/// A device that is a PHP script.
#[derive(Debug)]
pub(crate) struct Worker {
    program: Program,
    reader: JoinHandle<()>,
}

impl Worker {
    /// Starts the script and waits until it has subscribed.
    pub(crate) async fn start(
        php: &Php,
        settings: &Settings,
        device: &str,
        score: Arc<Score>,
    ) -> Result<Self> {
        let variables = BTreeMap::from([
            ("MQTT_URL".to_owned(), settings.broker.clone()),
            ("PUSH_TOPIC".to_owned(), settings.topic.clone()),
            ("DEVICE".to_owned(), device.to_owned()),
            ("CLIENT_ID".to_owned(), settings.client_id(device)),
        ]);
        let mut command = php.command(&settings.script("worker.php"), &variables);
        let mut program = Program::start("worker.php", command.stdout(Stdio::piped()))?;
        let output = program.child().stdout.take();
        let (subscribed, ready) = oneshot::channel();
        let device = device.to_owned();
        let reader = tokio::spawn(async move {
            let mut subscribed = Some(subscribed);
            each_line(output, |line| match line {
                "ready" => drop(subscribed.take().map(|subscribed| subscribed.send(()))),
                _ => match received(line) {
                    Some((id, latency)) => score.arrived(&device, &id, latency),
                    None => println!("           {device}: {line}"),
                },
            })
            .await;
        });
        match timeout(READY_LIMIT, ready).await {
            Ok(Ok(())) => Ok(Self { program, reader }),
            Ok(Err(_)) => bail!("worker.php ended before it had subscribed"),
            Err(_) => bail!(
                "worker.php did not subscribe within {} s",
                READY_LIMIT.as_secs()
            ),
        }
    }

    /// Asks the script to end, and waits until it has.
    pub(crate) async fn stop(self) -> Result<()> {
        let status = self.program.stop(Signal::TERM).await?;
        let _ = self.reader.await;
        if !status.success() {
            bail!("worker.php ended with {status}");
        }
        Ok(())
    }
}

/// A line of the worker: a message, and how late it was.
fn received(line: &str) -> Option<(String, Duration)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let latency = value["latency"].as_f64()?.max(0.0);
    Some((
        value["id"].as_str()?.to_owned(),
        Duration::try_from_secs_f64(latency).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_the_last_line() {
        let report = Report::parse(
            "Notice: something\n{\"devices\":{\"device-01\":{\"sent\":[\"a\",\"b\"],\"acknowledged\":[\"a\"]}},\
             \"nobody\":{\"matched\":false},\"client\":{\"id\":\"x\",\"connections\":1,\"pid\":7}}\n",
        )
        .unwrap();
        assert_eq!(report.totals(), (2, 1));
        assert_eq!(report.matched(), Some(false));
        assert_eq!(report.client(), ("x", 1, 7));
        assert!(Report::parse("Fatal error: no\n").is_err());
        assert!(Report::parse("").is_err());
    }

    #[test]
    fn a_broker_that_does_not_tell_is_not_a_no() {
        let report = Report::parse("{\"devices\":{},\"nobody\":{\"matched\":null}}").unwrap();
        assert_eq!(report.matched(), None);
    }

    #[test]
    fn a_line_of_the_worker_names_message_and_latency() {
        let (id, latency) = received("{\"id\":\"cli-3\",\"latency\":0.25}").unwrap();
        assert_eq!(
            (id.as_str(), latency),
            ("cli-3", Duration::from_millis(250))
        );
        assert_eq!(received("Warning: something"), None);
    }
}
