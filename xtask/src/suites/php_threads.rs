//! Requests in several threads at once, as a threaded SAPI of PHP has them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};

use super::Run;
use super::php::Php;
use crate::install;
use crate::peers::ours;
use crate::process;
use crate::workspace;

const THREADS: &str = "4";
const REQUESTS: &str = "200";

/// Builds the program that serves them, with a thread-safe PHP that can be embedded, and runs it against our broker.
pub(super) fn serve(run: &mut Run, php: &Php, extension: &Path) -> Result<()> {
    let tests = workspace::root().join("php-ext/tests/threads");
    let folder = workspace::scratch("php-threads")?;
    let program = folder.join("threads");
    let config = php.config.as_deref().context("a PHP of our own")?;
    let includes = install::output(config, &["--includes"]).map_err(|error| anyhow!(error))?;
    let prefix = install::output(config, &["--prefix"]).map_err(|error| anyhow!(error))?;
    let library = Path::new(&prefix).join("lib");
    let mut compile = Command::new("cc");
    compile
        .arg("-Wall")
        .arg("-o")
        .arg(&program)
        .arg(tests.join("threads.c"));
    compile
        .args(includes.split_whitespace())
        .arg(format!("-L{}", library.display()))
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .args(["-lphp", "-lpthread"]);
    run.prepare("cc threads.c", &mut compile)?;
    let settings = folder.join("php.ini");
    fs::write(&settings, format!("extension={}\n", extension.display()))
        .with_context(|| format!("cannot write {}", settings.display()))?;
    let broker = ours::start()?;
    let mut threads = Command::new(&program);
    threads
        .args([THREADS, REQUESTS])
        .arg(tests.join("request.inc"))
        .env("PHPRC", &folder)
        .env("MQTT_URI", broker.url());
    let what = format!("{THREADS} threads with {REQUESTS} requests each");
    let ended = run.program(&what, &mut threads)?;
    run.note("broker", &broker.log());
    let verdict = if ended.succeeded() && !ended.output.contains("memory leaks detected") {
        Ok(())
    } else {
        Err(anyhow!(
            "{}: {}",
            ended.describe(),
            process::tail(&ended.output)
        ))
    };
    run.verdict(&what, verdict)
}
