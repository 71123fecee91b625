//! What one client costs a C program in heap: ours, built for release, and Debian's libmosquitto.
//!
//! The two programs in `benches/c` do the same with each: connect, subscribe, one message of QoS 1 to itself and back,
//! disconnect. Valgrind's massif counts what they have asked malloc for, at its highest; stacks are not in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::install::{self, Need};
use crate::library;
use crate::peers::ours;
use crate::{process, workspace};

/// Longest time for a release build of the library.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Longest time for one program under valgrind.
const RUN_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Prints the heap, at its peak, of a small C program with libpushmq and with libmosquitto.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    install::ensure(
        &[
            Need::CCompiler,
            Need::PkgConfig,
            Need::Valgrind,
            Need::MosquittoLibrary,
        ],
        options.yes,
    )?;
    let folder = workspace::scratch("c-heap")?;
    let installation = library::Options::for_measuring(folder.join("libpushmq"));
    process::run_shown(&mut library::build(&installation)?, BUILD_LIMIT)?
        .expect_success("building the library")?;
    let mut broker = workspace::cargo()?;
    broker.args(["build", "-p", "mqtt-broker"]);
    process::run_shown(&mut broker, BUILD_LIMIT)?.expect_success("building the broker")?;
    library::put(&installation)?;
    let libraries = folder.join("libpushmq/lib");

    println!("\nconnect, subscribe, one QoS 1 round trip, disconnect:\n");
    println!(
        "{:<14} {:>18} {:>22}",
        "library", "heap at its peak", "shared library"
    );
    let server = ours::start()?;
    let address = server.address();
    let programs = [
        ("libpushmq", "pushmq", vec![format!("mqtt://{address}")]),
        (
            "libmosquitto",
            "mosquitto",
            vec![address.ip().to_string(), address.port().to_string()],
        ),
    ];
    for (name, short, arguments) in programs {
        let package = if short == "pushmq" { short } else { name };
        let program = compile(&folder, short, package, &libraries)?;
        let heap = peak(&folder, &program, &arguments, &libraries)
            .with_context(|| format!("measuring {name}"))?;
        let size = library_size(&program, name, &libraries)?;
        println!("{name:<14} {heap:>12} bytes {size:>16} bytes");
    }
    Ok(ExitCode::SUCCESS)
}

fn compile(folder: &Path, name: &str, package: &str, libraries: &Path) -> Result<PathBuf> {
    let mut tell = Command::new("pkg-config");
    tell.args(["--cflags", "--libs", package])
        .env("PKG_CONFIG_PATH", libraries.join("pkgconfig"));
    let flags = output(&mut tell)?;
    let program = folder.join(name);
    let mut compiler = Command::new("cc");
    compiler
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg("-o")
        .arg(&program)
        .arg(workspace::root().join(format!("benches/c/heap_{name}.c")))
        .args(flags.split_whitespace());
    output(&mut compiler)?;
    Ok(program)
}

/// The most bytes that the program had from malloc at one time.
fn peak(folder: &Path, program: &Path, arguments: &[String], libraries: &Path) -> Result<u64> {
    let report = folder.join("massif.out");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=massif", "--peak-inaccuracy=0.0"])
        .arg(format!("--massif-out-file={}", report.display()))
        .arg(program)
        .args(arguments)
        .env("LD_LIBRARY_PATH", libraries);
    process::run_shown(&mut valgrind, RUN_LIMIT)?.expect_success("the program")?;
    let report = fs::read_to_string(&report).context("cannot read massif's report")?;
    highest(&report).context("massif has seen no heap")
}

fn highest(report: &str) -> Option<u64> {
    let values = report
        .lines()
        .filter_map(|line| line.strip_prefix("mem_heap_B="));
    values.filter_map(|value| value.parse().ok()).max()
}

/// Bytes of the shared library that the program was linked with.
fn library_size(program: &Path, name: &str, libraries: &Path) -> Result<u64> {
    let mut tell = Command::new("ldd");
    tell.arg(program).env("LD_LIBRARY_PATH", libraries);
    let list = output(&mut tell)?;
    let path = list
        .lines()
        .find(|line| line.trim_start().starts_with(name))
        .and_then(|line| line.split_whitespace().nth(2))
        .with_context(|| format!("the program does not use {name}"))?;
    Ok(fs::metadata(path)
        .with_context(|| format!("cannot look at {path}"))?
        .len())
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_massifs_snapshots_counts() {
        let report = "snapshot=0\nmem_heap_B=0\nmem_heap_extra_B=7\nsnapshot=1\nmem_heap_B=1154\n\
                      mem_stacks_B=0\nsnapshot=2\nmem_heap_B=90\n";
        assert_eq!(highest(report), Some(1154));
        assert_eq!(highest(""), None);
    }
}
