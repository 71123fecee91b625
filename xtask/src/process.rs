//! Running other programs: with a deadline, with their output kept, and never left behind.
//!
//! Each program leads a process group of its own, so that whatever it started ends with it, and nothing else does. A first
//! interrupt (Ctrl-C, or a polite kill) is passed on to all groups and lets this program end in good order; after a grace time
//! what is still there is killed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::progress::Progress;

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// Pause between two looks at something that cannot wake us.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How much of the end of a log is shown when something failed.
const TAIL_LINES: usize = 60;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The process groups that are running now.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Starts to watch for signals that ask this program to end.
pub(crate) fn watch_signals() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot watch for signals")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            // Some send a signal twice, to us and to our group; an impatient user does too. The first is enough.
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                continue;
            }
            if signal_groups(Signal::TERM) == 0 {
                std::process::exit(130);
            }
            // The main thread now sees its programs end, cleans up and leaves by itself. If it does not, this does.
            thread::spawn(|| {
                thread::sleep(2 * GRACE);
                signal_groups(Signal::KILL);
                std::process::exit(130);
            });
        }
    });
    Ok(())
}

/// Whether somebody asked this program to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn signal_groups(signal: Signal) -> usize {
    let groups = GROUPS
        .lock()
        .expect("no thread panics while it holds this lock");
    for group in groups.iter().filter_map(|&group| Pid::from_raw(group)) {
        let _ = kill_process_group(group, signal);
    }
    groups.len()
}

/// A running program that leads its own process group. Dropping it ends the group.
#[derive(Debug)]
struct Group {
    child: Child,
    id: Pid,
}

impl Group {
    fn start(command: &mut Command) -> Result<Self> {
        if interrupted() {
            bail!("interrupted");
        }
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let id = Pid::from_child(&child);
        GROUPS
            .lock()
            .expect("no thread panics while it holds this lock")
            .insert(id.as_raw_nonzero().get());
        Ok(Self { child, id })
    }

    fn signal(&self, signal: Signal) {
        // Fails only when nobody is left in the group, which is what is wanted.
        let _ = kill_process_group(self.id, signal);
    }

    /// Waits for the end of the leader, ends what it left behind, and only then lets go of the process id: until then it
    /// cannot belong to anybody else.
    fn reap(&mut self) -> Result<ExitStatus> {
        self.wait_for_exit();
        self.signal(Signal::KILL);
        self.forget();
        self.child
            .wait()
            .context("cannot wait for a program that was started")
    }

    fn wait_for_exit(&self) {
        while let Err(rustix::io::Errno::INTR) = waitid(
            WaitId::Pid(self.id),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        ) {}
    }

    fn has_exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(self.id), options), Ok(None))
    }

    fn forget(&self) {
        GROUPS
            .lock()
            .expect("no thread panics while it holds this lock")
            .remove(&self.id.as_raw_nonzero().get());
    }

    fn stop(&mut self) {
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while !self.has_exited() && asked.elapsed() < GRACE {
            thread::sleep(LOOK_AGAIN);
        }
        self.signal(Signal::KILL);
        let _ = self.reap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let running = GROUPS
            .lock()
            .expect("no thread panics while it holds this lock")
            .contains(&self.id.as_raw_nonzero().get());
        if running {
            self.stop();
        }
    }
}

/// How a program ended, and all that it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    in_time: bool,
    limit: Duration,
    /// Standard output and standard error in the order in which they came.
    pub(crate) output: String,
}

impl Ended {
    /// Whether it ended by itself, in time, with exit code 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.in_time && self.status.success()
    }

    /// How it ended, in words.
    pub(crate) fn describe(&self) -> String {
        if self.in_time {
            format!("ended with {}", self.status)
        } else {
            format!(
                "was stopped after {} s without an end",
                self.limit.as_secs()
            )
        }
    }

    /// The error for a step that had to succeed.
    pub(crate) fn expect_success(self, what: &str) -> Result<Self> {
        if self.succeeded() {
            return Ok(self);
        }
        bail!("{what} {}\n{}", self.describe(), tail(&self.output));
    }
}

/// Runs a program to its end, at most for `limit`, keeping its output and showing the newest line of it.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    progress: &mut Progress,
) -> Result<Ended> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    let second = writer.try_clone().context("cannot make a pipe")?;
    command.stdin(Stdio::null()).stdout(writer).stderr(second);
    let mut group = Group::start(command)?;
    // The command keeps the ends of the pipe that it was given; the reader sees the end only once they are closed.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let (lines, news) = mpsc::channel();
    let collector =
        thread::spawn(move || collect(reader, |line| lines.send(line.to_owned()).is_ok()));
    let started = Instant::now();
    let mut in_time = true;
    let mut asked_to_stop: Option<Instant> = None;
    loop {
        match news.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => progress.line(&line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        progress.tick();
        if asked_to_stop.is_none() && started.elapsed() > limit {
            in_time = false;
            asked_to_stop = Some(Instant::now());
            group.signal(Signal::TERM);
        }
        // What the leader left behind may hold the pipe open for ever.
        if group.has_exited() || asked_to_stop.is_some_and(|asked| asked.elapsed() > GRACE) {
            group.signal(Signal::KILL);
        }
    }
    let status = group.reap()?;
    let output = collector.join().unwrap_or_default();
    if interrupted() {
        bail!("interrupted");
    }
    Ok(Ended {
        status,
        in_time,
        limit,
        output,
    })
}

/// Runs a program to its end with our own standard output and error.
pub(crate) fn run_shown(command: &mut Command, limit: Duration) -> Result<Ended> {
    command.stdin(Stdio::null());
    let mut group = Group::start(command)?;
    let started = Instant::now();
    while !group.has_exited() && started.elapsed() < limit {
        thread::sleep(LOOK_AGAIN);
    }
    let in_time = group.has_exited();
    if !in_time {
        group.stop();
    }
    let status = group.reap()?;
    if interrupted() {
        bail!("interrupted");
    }
    Ok(Ended {
        status,
        in_time,
        limit,
        output: String::new(),
    })
}

/// Reads to the end. Lines end at a line feed, or at a carriage return as in cargo's own progress bar, which is shown but not
/// kept.
fn collect(mut reader: impl Read, mut show: impl FnMut(&str) -> bool) -> String {
    let mut kept = Vec::new();
    let mut line = Vec::new();
    let mut returned = false;
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        for &byte in buffer.iter().take(count) {
            if returned && byte != b'\n' {
                line.clear();
            }
            returned = byte == b'\r';
            match byte {
                b'\n' => {
                    show(&plain(&line));
                    kept.append(&mut line);
                    kept.push(b'\n');
                }
                b'\r' => {
                    show(&plain(&line));
                }
                _ => line.push(byte),
            }
        }
    }
    // A last line that ends in a carriage return was a progress bar that nothing overwrote.
    if !returned {
        kept.append(&mut line);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// A line without terminal escapes such as the ones that clear it.
fn plain(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                let _ = characters.by_ref().find(char::is_ascii_alphabetic);
            }
            character if character.is_control() => {}
            character => plain.push(character),
        }
    }
    plain
}

/// The end of a log, indented.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    let mut tail = String::new();
    if from > 0 {
        tail.push_str(&format!("    ({from} earlier lines left out)\n"));
    }
    for line in lines.iter().skip(from) {
        tail.push_str(&format!("    {line}\n"));
    }
    tail
}

/// A server that runs beside us until this is dropped. Its output goes to a file.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    group: Group,
    log: PathBuf,
}

impl Service {
    /// Starts a server.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let second = file.try_clone().context("cannot share a log file")?;
        let group = Group::start(command.stdin(Stdio::null()).stdout(file).stderr(second))?;
        Ok(Self {
            name: name.to_owned(),
            group,
            log: log.to_path_buf(),
        })
    }

    /// Its process id, which is its own until this is dropped.
    pub(crate) fn id(&self) -> u32 {
        self.group.child.id()
    }

    /// Looks again and again until `ready` has an answer; an error names the server, and shows its log, when it ended
    /// before that or when `limit` passed.
    pub(crate) fn wait_until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ready(self) {
                return Ok(answer);
            }
            if interrupted() {
                bail!("interrupted");
            }
            if self.group.has_exited() {
                bail!(
                    "{} ended while we waited for {what}\n{}",
                    self.name,
                    tail(&self.log())
                );
            }
            if started.elapsed() > limit {
                bail!(
                    "{}: no {what} within {} s\n{}",
                    self.name,
                    limit.as_secs(),
                    tail(&self.log())
                );
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// What it printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

/// Writes `output` to a log file under the target directory, for whoever wants all of it.
pub(crate) fn keep_log(name: &str, output: &str) -> Result<PathBuf> {
    let path = crate::workspace::scratch("logs")?.join(format!("{name}.log"));
    let mut file =
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(output.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        command
    }

    #[test]
    fn output_is_kept_in_order_and_the_exit_code_is_seen() {
        let mut progress = Progress::start("test");
        let ended = run(
            &mut shell("echo one; echo two >&2; exit 3"),
            Duration::from_secs(20),
            &mut progress,
        )
        .unwrap();
        assert_eq!(ended.output, "one\ntwo\n");
        assert!(!ended.succeeded());
        assert!(ended.describe().contains('3'), "{}", ended.describe());
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped_with_all_it_started() {
        let mut progress = Progress::start("test");
        let started = Instant::now();
        let ended = run(
            &mut shell("sleep 300 & sleep 300"),
            Duration::from_millis(300),
            &mut progress,
        )
        .unwrap();
        assert!(!ended.succeeded());
        assert!(
            ended.describe().contains("without an end"),
            "{}",
            ended.describe()
        );
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn what_a_program_left_behind_does_not_keep_us() {
        let mut progress = Progress::start("test");
        let ended = run(
            &mut shell("sleep 300 & echo done"),
            Duration::from_secs(60),
            &mut progress,
        )
        .unwrap();
        assert!(ended.succeeded());
        assert_eq!(ended.output, "done\n");
    }

    #[test]
    fn a_progress_bar_is_shown_but_not_kept() {
        let mut shown = Vec::new();
        let kept = collect(
            &b"   Building [=>  ] 1/3\r\x1b[K   Building [==> ] 2/3\rdone\n"[..],
            |line| {
                shown.push(line.to_owned());
                true
            },
        );
        assert_eq!(kept, "done\n");
        assert_eq!(
            shown,
            ["   Building [=>  ] 1/3", "   Building [==> ] 2/3", "done"]
        );
    }

    #[test]
    fn a_line_that_ends_as_on_the_wire_is_kept() {
        assert_eq!(
            collect(&b"PASS a\r\nPASS b\n"[..], |_| true),
            "PASS a\nPASS b\n"
        );
    }

    #[test]
    fn a_service_that_dies_is_named_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::start(
            "doomed",
            &mut shell("echo no luck; exit 1"),
            &folder.path().join("log"),
        )
        .unwrap();
        let error = service
            .wait_until("listening port", Duration::from_secs(20), |_| None::<()>)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("doomed")
                && error.contains("listening port")
                && error.contains("no luck"),
            "{error}"
        );
    }

    #[test]
    fn a_long_log_is_cut_to_its_end() {
        let log: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let tail = tail(&log);
        assert!(
            tail.starts_with("    (40 earlier lines left out)\n    line 40\n"),
            "{tail}"
        );
        assert!(tail.ends_with("    line 99\n"));
    }
}
