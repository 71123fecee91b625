//! A php-fpm of our own with a single worker, and web requests to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::fastcgi::{self, Answer};
use crate::program::Program;

/// Longest time for php-fpm to take connections.
const START_LIMIT: Duration = Duration::from_secs(15);

/// Longest time for one request.
const REQUEST_LIMIT: Duration = Duration::from_secs(40);

/// A running php-fpm, below a folder that only we can read.
#[derive(Debug)]
pub(crate) struct Fpm {
    program: Program,
    socket: PathBuf,
    log: PathBuf,
    _folder: TempDir,
}

impl Fpm {
    /// Starts `php_fpm` with the extension, and waits until it takes connections.
    pub(crate) async fn start(php_fpm: &Path, extension: Option<&Path>) -> Result<Self> {
        let folder = private_folder()?;
        let (config, socket, log) = (
            folder.path().join("fpm.conf"),
            folder.path().join("fpm.sock"),
            folder.path().join("fpm.log"),
        );
        std::fs::write(&config, configuration(&socket, &log))
            .with_context(|| format!("cannot write {}", config.display()))?;
        let mut command = Command::new(php_fpm);
        // -n: nothing of the system's configuration. -F: stays in the foreground, as our child.
        command.args(["-n", "-F", "-y"]).arg(&config);
        if rustix::process::geteuid().is_root() {
            command.arg("-R");
        }
        if let Some(extension) = extension {
            command
                .arg("-d")
                .arg(format!("extension={}", extension.display()));
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let program = Program::start("php-fpm", &mut command, Signal::TERM)?;
        let mut fpm = Self {
            program,
            socket,
            log,
            _folder: folder,
        };
        fpm.wait_until_ready().await?;
        Ok(fpm)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while UnixStream::connect(&self.socket).await.is_err() {
            if let Some(status) = self.program.ended() {
                bail!("php-fpm ended with {status}:\n{}", self.log());
            }
            if started.elapsed() > START_LIMIT {
                bail!(
                    "php-fpm took no connection within {} s:\n{}",
                    START_LIMIT.as_secs(),
                    self.log()
                );
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Requests `script`; `variables` are what `$_SERVER` holds.
    pub(crate) async fn request(
        &self,
        script: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Result<Answer> {
        let mut parameters = variables.clone();
        parameters.extend(request_line(script));
        let name = script.display();
        let exchange = async {
            let connection = UnixStream::connect(&self.socket)
                .await
                .context("cannot connect to php-fpm")?;
            Ok::<_, anyhow::Error>(fastcgi::request(connection, &parameters).await?)
        };
        let answer = match timeout(REQUEST_LIMIT, exchange).await {
            Ok(answer) => answer.with_context(|| {
                format!(
                    "the request for {name} failed; php-fpm's log:\n{}",
                    self.log()
                )
            })?,
            Err(_) => bail!(
                "no answer from {name} within {} s; php-fpm's log:\n{}",
                REQUEST_LIMIT.as_secs(),
                self.log()
            ),
        };
        // php-fpm names a status only when it is not 200, as after an uncaught exception.
        if !answer.errors.is_empty() || answer.output.starts_with(b"Status:") {
            bail!(
                "{name} failed: {}\n{}",
                String::from_utf8_lossy(&answer.errors),
                self.log()
            );
        }
        Ok(answer)
    }

    /// Ends it; workers may finish what they do.
    pub(crate) async fn stop(self) -> Result<()> {
        self.program.stop(Signal::QUIT).await.map(drop)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// What a web server would tell of a request.
fn request_line(script: &Path) -> BTreeMap<String, String> {
    let file = script.display().to_string();
    let name = format!(
        "/{}",
        script.file_name().unwrap_or_default().to_string_lossy()
    );
    let pairs = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "pushmq-demo"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", &name),
        ("SCRIPT_NAME", &name),
        ("SCRIPT_FILENAME", &file),
        ("QUERY_STRING", ""),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn configuration(socket: &Path, log: &Path) -> String {
    // One worker, so that two requests are sure to meet in it. With process_control_timeout a stop lets the extension close
    // its connection; without it php-fpm kills idle workers.
    format!(
        "[global]\nerror_log = {log}\nprocess_control_timeout = 3s\n\n[demo]\nlisten = {socket}\nlisten.mode = 0600\n\
         user = root\ngroup = root\npm = static\npm.max_children = 1\nclear_env = no\ncatch_workers_output = yes\n\
         php_admin_value[error_log] = {log}\nphp_admin_flag[log_errors] = on\nphp_admin_flag[display_errors] = off\n",
        log = log.display(),
        socket = socket.display()
    )
}

fn private_folder() -> Result<TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .prefix("pushmq-demo-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .context("cannot make a folder for temporary files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_worker_and_the_socket_is_ours_alone() {
        let text = configuration(Path::new("/tmp/x/fpm.sock"), Path::new("/tmp/x/fpm.log"));
        assert!(
            text.contains("listen = /tmp/x/fpm.sock\nlisten.mode = 0600\n"),
            "{text}"
        );
        assert!(
            text.contains("pm = static\npm.max_children = 1\n"),
            "{text}"
        );
    }

    #[test]
    fn a_script_is_named_as_a_web_server_would() {
        let line = request_line(Path::new("/srv/app/web.php"));
        assert_eq!(line["SCRIPT_FILENAME"], "/srv/app/web.php");
        assert_eq!(line["SCRIPT_NAME"], "/web.php");
    }
}
