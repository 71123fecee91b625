//! The suites that need nothing but the Rust toolchain.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::Suite;
use crate::bench;
use crate::install::Need;
use crate::workspace;

/// Folders that are workspaces of their own.
const OUTLYING: [&str; 2] = ["fuzz", "benches"];

/// What `cargo test` is told for each of the crates that put the standards into effect.
pub(crate) const CORE_TESTS: &[&str] = &["-p", "mqtt-core"];
pub(crate) const TRANSPORT_TESTS: &[&str] = &["-p", "mqtt-transport", "--all-features"];
pub(crate) const CLIENT_TESTS: &[&str] = &["-p", "mqtt-client", "--all-features"];
pub(crate) const BROKER_TESTS: &[&str] = &["-p", "mqtt-broker", "--all-features"];

pub(super) const FMT: Suite = Suite {
    name: "fmt",
    about: "the source is formatted as rustfmt would, and no line is too long to be read",
    needs: &[Need::Rustfmt],
    run: |run| {
        run.check(
            "cargo fmt",
            workspace::cargo()?.args(["fmt", "--all", "--check"]),
        )?;
        for folder in OUTLYING {
            run.check(
                &format!("cargo fmt in {folder}"),
                &mut outlying(folder, &["fmt", "--all", "--check"])?,
            )?;
        }
        let verdict = lines();
        run.verdict("the length of lines", verdict)
    },
};

/// The longest line that is read with comfort, in characters.
const LONGEST: usize = 128;

/// Rust, C and Markdown that people read has no longer lines. What the benches write of their results is not meant.
fn lines() -> Result<()> {
    let long = long_lines(workspace::root())?;
    ensure!(
        long.is_empty(),
        "more than {LONGEST} characters in\n{}",
        long.join("\n")
    );
    Ok(())
}

/// Where lines are too long below `root`. It is no matter whether git knows the files: there may be no git.
fn long_lines(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    collect(root, &[root.join("benches")], &mut files)?;
    files.sort();
    let mut long = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).display();
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
        let numbered = (1..).zip(text.lines());
        long.extend(
            numbered
                .filter(|(_, line)| is_long(line))
                .map(|(number, _)| format!("{name}:{number}")),
        );
    }
    Ok(long)
}

/// Puts the files to be read into the list: not what is built, and nothing hidden.
fn collect(folder: &Path, except: &[PathBuf], files: &mut Vec<PathBuf>) -> Result<()> {
    let cannot_list = || format!("cannot list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        let (kind, path) = (entry.file_type().with_context(cannot_list)?, entry.path());
        let name = entry.file_name();
        let passed_over = name == "target" || name.as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !passed_over && !except.contains(&path) {
            collect(&path, except, files)?;
        }
        let extension = path.extension().and_then(OsStr::to_str);
        if kind.is_file() && matches!(extension, Some("rs" | "c" | "md")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a line should have been broken: a table's cannot be, in comments either, nor one that is hardly more than one word.
fn is_long(line: &str) -> bool {
    let text = line.trim_start_matches([' ', '/', '!']);
    let mut words = text.split_whitespace();
    line.chars().count() > LONGEST
        && !text.starts_with('|')
        && words.all(|word| word.len() <= LONGEST / 2)
}

pub(super) const CLIPPY: Suite = Suite {
    name: "clippy",
    about: "no warning of the compiler or of clippy, tests and examples included",
    // The fuzz targets are linked with libFuzzer, which is C++.
    needs: &[Need::CCompiler, Need::CppCompiler, Need::Clippy],
    run: |run| {
        let all = [
            "clippy",
            "--workspace",
            "--exclude",
            "php-ext",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ];
        run.check("cargo clippy", workspace::cargo()?.args(all))?;
        let bare = [
            "clippy",
            "-p",
            "mqtt-core",
            "--no-default-features",
            "--",
            "-D",
            "warnings",
        ];
        run.check("cargo clippy without std", workspace::cargo()?.args(bare))?;
        for folder in OUTLYING {
            let all = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            run.check(
                &format!("cargo clippy in {folder}"),
                &mut outlying(folder, &all)?,
            )?;
        }
        Ok(())
    },
};

pub(super) const DOC: Suite = Suite {
    name: "doc",
    about: "the documentation builds without a warning",
    needs: &[Need::CCompiler],
    run: |run| {
        let arguments = [
            "doc",
            "--workspace",
            "--exclude",
            "php-ext",
            "--no-deps",
            "--all-features",
        ];
        run.check(
            "cargo doc",
            workspace::cargo()?
                .args(arguments)
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    },
};

pub(super) const CORE: Suite = Suite {
    name: "core",
    about: "mqtt-core: unit, property and doc tests, with and without std",
    needs: &[Need::CCompiler],
    run: |run| {
        run.check(
            "build without std",
            workspace::cargo()?.args(["build", "-p", "mqtt-core", "--no-default-features"]),
        )?;
        run.cargo_test(CORE_TESTS)?;
        run.cargo_test(&["-p", "mqtt-core", "--no-default-features"])
    },
};

pub(super) const CLIENT: Suite = Suite {
    name: "client",
    about: "mqtt-client and mqtt-transport: unit, integration and doc tests with all features",
    needs: &[Need::CCompiler],
    run: |run| {
        run.cargo_test(TRANSPORT_TESTS)?;
        run.cargo_test(CLIENT_TESTS)
    },
};

pub(super) const BROKER: Suite = Suite {
    name: "broker",
    about: "mqtt-broker: unit, integration and doc tests, the program included",
    needs: &[Need::CCompiler],
    run: |run| run.cargo_test(BROKER_TESTS),
};

pub(super) const TOOLS: Suite = Suite {
    name: "tools",
    about: "this command and the Rust half of the demo",
    needs: &[Need::CCompiler],
    run: |run| run.cargo_test(&["-p", "xtask", "-p", "demo"]),
};

pub(super) const BENCHES: Suite = Suite {
    name: "benches",
    about: "the benchmarks build, compared codecs do what is measured, and disagreements with them are settled",
    needs: &[Need::CCompiler],
    run: |run| {
        run.check(
            "cargo check in benches",
            &mut outlying("benches", &["check", "--all-targets"])?,
        )?;
        run.cargo_test_with(&mut outlying("benches", &["test", "-p", "mqtt-rivals"])?)?;
        run.check("codecs side by side", &mut bench::codec::check()?)?;
        run.check(
            "disagreements with the strictest codecs",
            &mut bench::strictness::compare()?,
        )
    },
};

/// A program of `benches/rivals`, to be followed by its arguments.
pub(crate) fn rivals(program: &str, options: &[&str]) -> Result<Command> {
    let mut command = outlying("benches", &["run", "-p", "mqtt-rivals", "--bin", program])?;
    // These would stand in for the flags that all libraries are measured with.
    command
        .args(options)
        .arg("--")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    Ok(command)
}

/// Cargo in a workspace of its own. It builds into a target directory of its own too: its lock file has other versions.
pub(super) fn outlying(folder: &str, arguments: &[&str]) -> Result<Command> {
    let path = workspace::root().join(folder);
    if !Path::new(&path).join("Cargo.toml").is_file() {
        bail!("{} has no Cargo.toml", path.display());
    }
    let mut cargo = workspace::cargo()?;
    cargo
        .args(arguments)
        .current_dir(path)
        .env("CARGO_TARGET_DIR", workspace::scratch(folder)?);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_found_where_there_is_no_git() {
        let root = tempfile::tempdir().unwrap();
        let long = "word ".repeat(26);
        for name in [
            "README.md",
            "core/src/lib.rs",
            "core/benches/codec.rs",
            "ffi/check.c",
            "ffi/pushmq.h",
            "benches/results.md",
            "target/made.rs",
            "fuzz/target/made.rs",
            ".git/made.rs",
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("short\n{long}\n")).unwrap();
        }
        assert_eq!(
            long_lines(root.path()).unwrap(),
            [
                "README.md:2",
                "core/benches/codec.rs:2",
                "core/src/lib.rs:2",
                "ffi/check.c:2",
            ]
        );
    }

    #[test]
    fn a_line_is_long_that_could_have_been_broken() {
        let words = "word ".repeat(26);
        assert_eq!(words.trim_end().len(), 129);
        assert!(is_long(words.trim_end()));
        assert!(is_long(&format!("/// {words}")));
        assert!(!is_long(&words[..LONGEST]));
        // In characters, and not in bytes.
        assert!(!is_long(&"ä ".repeat(64)));
        for table in ["| ", "//! | "] {
            assert!(!is_long(&format!("{table}{words}")));
        }
        assert!(!is_long(&format!("    {}", "x".repeat(200))));
    }
}
