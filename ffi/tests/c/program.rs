//! One program in C: how it is compiled, linked with the library as it would be found on a system, and run.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

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
pub(crate) fn built() -> PathBuf {
    let this = env::current_exe().unwrap();
    this.parent().unwrap().to_owned()
}

/// The target directory of this build.
pub(crate) fn target_dir() -> PathBuf {
    built().ancestors().nth(2).unwrap().to_owned()
}

/// The language as which a program is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Language {
    C99,
    Cpp17,
}

pub(crate) struct Program {
    folder: TempDir,
    path: PathBuf,
    mode: Mode,
    leak_check: &'static str,
    undefined_values: &'static str,
}

impl Program {
    /// One of the programs beside this file.
    pub(crate) fn test(name: &str) -> Self {
        let source = Path::new(ROOT).join(format!("tests/c/{name}.c"));
        Self::compile(&source, Language::C99)
    }

    /// One of the examples.
    pub(crate) fn example(name: &str, language: Language) -> Self {
        let source = Path::new(ROOT).join(format!("examples/{name}.c"));
        Self::compile(&source, language)
    }

    /// A program made on the spot.
    pub(crate) fn text(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("made.c");
        fs::write(&source, text).unwrap();
        Self::compile(&source, Language::C99)
    }

    fn compile(source: &Path, language: Language) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mode = Mode::chosen();
        let path = folder.path().join("program");
        // The linker wants the first name, the loader the second.
        for name in ["libpushmq.so", "libpushmq.so.0"] {
            let library = built().join("libpushmq.so");
            std::os::unix::fs::symlink(library, folder.path().join(name)).unwrap();
        }
        let mut compiler = match language {
            Language::C99 => Command::new("cc"),
            Language::Cpp17 => Command::new("c++"),
        };
        match language {
            Language::C99 => compiler.args(["-std=c99", "-xc"]),
            Language::Cpp17 => compiler.args(["-std=c++17", "-xc++"]),
        };
        compiler
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"])
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
            undefined_values: "--undef-value-errors=yes",
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

    /// Of a program that encrypts, valgrind would report what comes out of ring's assembly as undefined, because it does not
    /// know all of its instructions. (Addresses and leaks are looked at as in the others.)
    pub(crate) fn without_undefined_values(self) -> Self {
        Self {
            undefined_values: "--undef-value-errors=no",
            ..self
        }
    }

    /// Runs a test program to its good end.
    pub(crate) fn run(&self, arguments: &[&str]) {
        self.run_with(arguments, |request| {
            panic!("the program asks for {request}")
        });
    }

    /// Runs a test program to its good end, and does what it asks for, each in a line of its own.
    pub(crate) fn run_with(&self, arguments: &[&str], mut serve: impl FnMut(&str)) {
        let mut running = self.start(arguments);
        let result = loop {
            match running.next_line() {
                Some(line) if line.ends_with(" failures") => break line,
                Some(request) => {
                    serve(&request);
                    running.say("done");
                }
                None => running.fail("it ended before its result"),
            }
        };
        if !result.ends_with(" 0 failures") {
            running.fail(&result);
        }
        running.finish();
        println!("{result}");
    }

    /// Starts the program.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        // Several may run at once.
        let log = NamedTempFile::new_in(self.folder.path()).unwrap();
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                // The test may have failed and gone.
                let _ = tell.send(line);
            }
        });
        Running {
            input: child.stdin.take(),
            child,
            lines,
            log,
        }
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
                    .args(["--quiet", self.leak_check, self.undefined_values])
                    .arg("--errors-for-leak-kinds=definite,indirect,possible")
                    .args(["--vgdb=no", "--fair-sched=try"])
                    .arg(format!("--error-exitcode={FOUND}"))
                    .arg(&self.path);
                command
            }
        }
    }
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    log: NamedTempFile,
}

impl Running {
    /// What it says next; `None` when it has nothing more to say.
    #[track_caller]
    pub(crate) fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => self.fail("it hangs"),
        }
    }

    #[track_caller]
    pub(crate) fn expect_line(&mut self, expected: &str) {
        let line = self.next_line();
        if line.as_deref() != Some(expected) {
            self.fail(&format!("it said {line:?} instead of {expected:?}"));
        }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        // In one piece, as a terminal gives it.
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits for its good end.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        if let Some(line) = self.next_line() {
            self.fail(&format!("it said more: {line}"));
        }
        let status = self.child.wait().unwrap();
        if !status.success() {
            self.fail(&status.to_string());
        }
    }

    #[track_caller]
    pub(crate) fn fail(&mut self, what: &str) -> ! {
        panic!(
            "{what}\n{}",
            fs::read_to_string(self.log.path()).unwrap_or_default()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
