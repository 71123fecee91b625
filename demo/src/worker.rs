//! The devices that are programs of their own: a PHP script, a C program.
//!
//! Each is told by environment variables what to subscribe to, prints `ready` once it has, then a line of JSON for each message
//! that it took, and ends when it is asked to by a signal.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Signal;
use serde::Deserialize;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::program::{Program, each_line};
use crate::score::{Role, Score};
use crate::settings::Settings;

/// Longest time for a worker to subscribe.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// A program that is to be a device.
#[derive(Debug)]
pub(crate) struct Part {
    /// How it takes part.
    pub(crate) role: Role,
    /// What it is called in errors.
    pub(crate) name: &'static str,
    /// Where a reader finds its source.
    pub(crate) source: &'static str,
    /// Runs it.
    pub(crate) command: Command,
}

/// A device that is a program of its own, and has subscribed.
#[derive(Debug)]
pub(crate) struct Worker {
    name: &'static str,
    program: Program,
    reader: JoinHandle<()>,
}

impl Worker {
    /// Starts the program and waits until it has subscribed.
    pub(crate) async fn start(
        Part {
            name, mut command, ..
        }: Part,
        settings: &Settings,
        device: &str,
        score: Arc<Score>,
    ) -> Result<Self> {
        command
            .envs(settings.worker_variables(device))
            .stdout(Stdio::piped());
        let mut program = Program::start(name, &mut command, Signal::KILL)?;
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
            Ok(Ok(())) => Ok(Self {
                name,
                program,
                reader,
            }),
            Ok(Err(_)) => bail!("{name} ended before it had subscribed"),
            Err(_) => bail!(
                "{name} did not subscribe within {} s",
                READY_LIMIT.as_secs()
            ),
        }
    }

    /// Asks the program to end, and waits until it has.
    pub(crate) async fn stop(self) -> Result<()> {
        let status = self.program.stop(Signal::TERM).await?;
        let _ = self.reader.await;
        if !status.success() {
            bail!("{} ended with {status}", self.name);
        }
        Ok(())
    }
}

/// A line of the worker: a message, and how late it was.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    /// Seconds.
    latency: f64,
}

fn received(line: &str) -> Option<(String, Duration)> {
    let line: Line = serde_json::from_str(line).ok()?;
    Some((
        line.id,
        Duration::try_from_secs_f64(line.latency.max(0.0)).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

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
