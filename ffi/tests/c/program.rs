//! One program in C: how it is compiled, linked with the library as it would be found on a system, and run.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// After this a program hangs. Each wait inside of it has a shorter end of its own.
const LIMIT: Duration = Duration::from_secs(300);

/// The address sanitizer and valgrind fail a program with this exit code.
const FOUND: &str = "99";

/// Under what the programs run.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Mode {
    Plain,
    AddressSanitizer,
    Valgrind,
}

impl Mode {
    fn chosen() -> Self {
        match env::var("PUSHMQ_C_MODE").as_deref() {
            Ok("asan") => Self::AddressSanitizer,
            Ok("valgrind") => Self::Valgrind,
            Ok("plain") | Err(_) => Self::Plain,
            Ok(other) => panic!("PUSHMQ_C_MODE is plain, asan or valgrind, and not {other}"),
        }
    }
}

/// Where cargo built the library for this very test.
fn built() -> PathBuf {
    let this = env::current_exe().unwrap();
    this.parent().unwrap().to_owned()
}

/// The target directory of this build.
pub(crate) fn target_dir() -> PathBuf {
    built().ancestors().nth(2).unwrap().to_owned()
}

pub(crate) struct Program {
    folder: TempDir,
    path: PathBuf,
    mode: Mode,
    leak_check: &'static str,
}

impl Program {
    /// One of the programs beside this file.
    pub(crate) fn test(name: &str) -> Self {
        let source = Path::new(ROOT).join("tests/c").join(format!("{name}.c"));
        Self::compile(&source)
    }

    fn compile(source: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mode = Mode::chosen();
        let path = folder.path().join("program");
        // The linker wants the first name, the loader the second.
        for name in ["libpushmq.so", "libpushmq.so.0"] {
            let library = built().join("libpushmq.so");
            std::os::unix::fs::symlink(library, folder.path().join(name)).unwrap();
        }
        let mut compiler = Command::new("cc");
        compiler
            .args([
                "-std=c99",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-g",
            ])
            .arg("-I")
            .arg(Path::new(ROOT).join("include"))
            .arg("-I")
            .arg(Path::new(ROOT).join("tests/c"))
            .arg("-o")
            .arg(&path)
            .arg(source)
            .arg("-L")
            .arg(folder.path())
            .args(["-lpushmq", "-pthread"])
            .arg(format!("-Wl,-rpath,{}", folder.path().display()));
        if mode == Mode::AddressSanitizer {
            compiler.arg("-fsanitize=address");
        }
        succeed(&mut compiler);
        Self {
            folder,
            path,
            mode,
            leak_check: "--leak-check=full",
        }
    }

    /// Of a program that forks, valgrind would report in the child what is forgotten there by intent. (Leaks are looked for in
    /// all others, and in this one by the address sanitizer.)
    pub(crate) fn without_leak_check(self) -> Self {
        Self {
            leak_check: "--leak-check=no",
            ..self
        }
    }

    /// Runs the program, which must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) {
        self.run_with(arguments, |request| {
            panic!("the program asks for {request}")
        });
    }

    /// Runs the program, which must succeed, and does what it asks for, each in a line of its own.
    pub(crate) fn run_with(&self, arguments: &[&str], mut serve: impl FnMut(&str)) {
        let log = self.folder.path().join("log");
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut answers = child.stdin.take().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                // The test may have failed and gone.
                let _ = tell.send(line);
            }
        });
        let mut last = String::new();
        loop {
            match lines.recv_timeout(LIMIT) {
                Ok(line) if line.ends_with(" failures") => last = line,
                Ok(request) => {
                    serve(&request);
                    answers.write_all(b"done\n").unwrap();
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    fail(&mut child, &log, "it hangs");
                }
            }
        }
        let status = child.wait().unwrap();
        if !status.success() || !last.ends_with(" 0 failures") {
            fail(&mut child, &log, &format!("{status}; {last}"));
        }
        println!("{last}");
    }

    fn command(&self) -> Command {
        match self.mode {
            Mode::Plain => Command::new(&self.path),
            Mode::AddressSanitizer => {
                let mut command = Command::new(&self.path);
                command.env(
                    "ASAN_OPTIONS",
                    format!("detect_leaks=1:exitcode={FOUND}:abort_on_error=0"),
                );
                command
            }
            Mode::Valgrind => {
                let mut command = Command::new("valgrind");
                command
                    .args(["--quiet", self.leak_check])
                    .args(["--errors-for-leak-kinds=definite,indirect,possible"])
                    .args(["--vgdb=no", "--fair-sched=try"])
                    .arg(format!("--error-exitcode={FOUND}"))
                    .arg(&self.path);
                command
            }
        }
    }
}

fn fail(child: &mut Child, log: &Path, what: &str) -> ! {
    // It may have ended.
    let _ = child.kill();
    let _ = child.wait();
    panic!("{what}\n{}", fs::read_to_string(log).unwrap_or_default());
}

/// Runs a command that has to succeed.
#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
