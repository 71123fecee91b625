//! Other programs that the demo runs: each leads a process group of its own and never outlives the demo.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(4);

/// A running program. Dropping it kills its whole group.
#[derive(Debug)]
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    group: Option<Pid>,
}

impl Program {
    /// Starts it without input. What becomes of its output is the caller's choice.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self { name, child, group })
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
                self.group = None;
                Ok(status)
            }
            Err(_) => bail!("{} did not end within {} s", self.name, limit.as_secs()),
        }
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.group = None;
        }
        status
    }

    /// Asks it to end with `signal`, and kills it if it does not in time.
    pub(crate) async fn stop(mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal);
        self.wait(GRACE).await
    }

    fn signal(&self, signal: Signal) {
        // Fails only when nobody is left in the group, which is what is wanted.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The process id is ours as long as nobody has waited for the end of the program: `group` is `None` after that.
        self.signal(Signal::KILL);
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
        let mut program = Program::start("sh", &mut shell("echo hello; exit 3")).unwrap();
        let text = read_all(program.child().stdout.take()).await.unwrap();
        let status = program.wait(Duration::from_secs(20)).await.unwrap();
        assert_eq!((text.as_str(), status.code()), ("hello\n", Some(3)));
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_named() {
        let mut program = Program::start("sh", &mut shell("sleep 300")).unwrap();
        let error = program
            .wait(Duration::from_millis(50))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("sh did not end"), "{error}");
    }

    #[tokio::test]
    async fn dropping_kills_what_the_program_started_too() {
        let mut program =
            Program::start("sh", &mut shell("sleep 300 & echo started; wait")).unwrap();
        let pipe = program.child().stdout.take().unwrap();
        let mut lines = BufReader::new(pipe).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("started"));
        drop(program);
        // `sleep` holds the pipe open as long as it lives.
        assert_eq!(
            timeout(Duration::from_secs(20), lines.next_line())
                .await
                .unwrap()
                .unwrap(),
            None
        );
    }
}
