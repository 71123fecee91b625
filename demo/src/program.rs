//! Other programs that the demo runs. None outlives it: they end when it drops them, and they stay in its process group, so
//! that whoever ends the group (a terminal, `cargo xtask`) ends them with it however the demo itself was ended.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(4);

/// A running program. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    /// `None` once somebody has waited for its end: from then on the number may be another's.
    id: Option<Pid>,
    when_dropped: Signal,
}

impl Program {
    /// Starts it without input. What becomes of its output is the caller's choice.
    ///
    /// `when_dropped` ends it at once: [`Signal::KILL`] for most, for a program with children of its own the signal at which it
    /// ends these too.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        when_dropped: Signal,
    ) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self {
            name,
            child,
            id,
            when_dropped,
        })
    }

    /// The running program, to take its pipes from.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until it ends by itself.
    pub(crate) async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        match timeout(limit, self.child.wait()).await {
            Ok(status) => {
                let status = status.with_context(|| format!("cannot wait for {}", self.name))?;
                self.id = None;
                Ok(status)
            }
            Err(_) => bail!("{} did not end within {} s", self.name, limit.as_secs()),
        }
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.id = None;
        }
        status
    }

    /// Asks it to end with `signal`, and kills it if it does not in time.
    pub(crate) async fn stop(mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal);
        self.wait(GRACE).await
    }

    fn signal(&self, signal: Signal) {
        // Fails only when the program has ended already, which is what is wanted.
        if let Some(id) = self.id {
            let _ = kill_process(id, signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(self.when_dropped);
    }
}

/// Reads a pipe to its end.
pub(crate) async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> Result<String> {
    let mut text = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut text)
            .await
            .context("cannot read what a program printed")?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Calls `show` with each line of a pipe, to its end.
pub(crate) async fn each_line(pipe: Option<impl AsyncRead + Unpin>, mut show: impl FnMut(&str)) {
    let Some(pipe) = pipe else { return };
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        show(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).stdout(Stdio::piped());
        command
    }

    #[tokio::test]
    async fn a_program_that_ends_tells_how() {
        let mut program =
            Program::start("sh", &mut shell("echo hello; exit 3"), Signal::KILL).unwrap();
        let text = read_all(program.child().stdout.take()).await.unwrap();
        let status = program.wait(Duration::from_secs(20)).await.unwrap();
        assert_eq!((text.as_str(), status.code()), ("hello\n", Some(3)));
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_named() {
        let mut program = Program::start("sh", &mut shell("sleep 300"), Signal::KILL).unwrap();
        let error = program
            .wait(Duration::from_millis(50))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("sh did not end"), "{error}");
    }

    #[tokio::test]
    async fn dropping_ends_the_program() {
        let mut program = Program::start(
            "sh",
            &mut shell("echo started; exec sleep 300"),
            Signal::KILL,
        )
        .unwrap();
        let pipe = program.child().stdout.take().unwrap();
        let mut lines = BufReader::new(pipe).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("started"));
        drop(program);
        // The pipe is open as long as the program lives.
        assert_eq!(
            timeout(Duration::from_secs(20), lines.next_line())
                .await
                .unwrap()
                .unwrap(),
            None
        );
    }
}
