//! `cargo xtask fuzz`: input nobody thought of, led by what the code does with it.
//!
//! The targets are libFuzzer's. They are built as `cargo fuzz` builds them without a sanitizer, which needs nothing but the
//! stable toolchain and a C++ compiler: the compiler is told to count which branches an input takes.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::install::{self, Need};
use crate::process::{self, Ended};
use crate::progress::{Progress, seconds};
use crate::workspace;

/// What fuzzing needs from the system: libFuzzer is C++.
pub(crate) const NEEDS: &[Need] = &[Need::CCompiler, Need::CppCompiler];

/// The targets, each a program of `fuzz/fuzz_targets`.
pub(crate) const TARGETS: [&str; 8] = [
    "decode_packet",
    "encode_packet",
    "roundtrip",
    "split_input",
    "client_ops",
    "server_ops",
    "joined_ops",
    "topic_match",
];

/// Instrumentation: counters of edges, where they are, and what is compared with what.
const RUSTFLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// What every run is told. No input of a few kilobytes needs a fraction of that time or memory on any machine.
const BOUNDS: [&str; 3] = ["-max_len=4096", "-timeout=25", "-rss_limit_mb=1024"];

/// Longest time for a build, and for what a target does before and after its time.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Runs the fuzz targets, all of them or one, and reports what they find
///
/// What is found is kept under target/xtask/fuzz-findings, what is worth going on from under target/xtask/fuzz-corpus. A
/// finding becomes a seed in fuzz/seeds and a named test in mqtt-core.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Target to run; all of them when none is named
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Give the target this input, once, instead of looking for others
    #[arg(
        long,
        value_name = "FILE",
        requires = "target",
        conflicts_with = "seconds"
    )]
    replay: Option<PathBuf>,
    /// Install what is missing without asking
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    install::ensure(NEEDS, options.yes)?;
    println!();
    install::step("build the fuzz targets", &mut build()?)?;
    if let (Some(target), Some(input)) = (&options.target, &options.replay) {
        let input = std::path::absolute(input).context("cannot tell where the input lies")?;
        let mut replay = program(target)?;
        let ended = process::run_shown(replay.arg(input), LIMIT)?;
        return Ok(if ended.succeeded() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let targets = match &options.target {
        Some(target) => vec![target.as_str()],
        None => TARGETS.to_vec(),
    };
    let time = Duration::from_secs(options.seconds.into());
    let mut findings = Vec::new();
    for target in targets {
        let mut progress = Progress::start(target);
        let ended = process::run(
            &mut search(target, time, Start::Random)?,
            time + LIMIT,
            &mut progress,
        )?;
        process::keep_log(&format!("fuzz-{target}"), &ended.output)?;
        let took = seconds(progress.elapsed());
        match found(target, &ended) {
            Ok(done) => progress.done(&format!("{target}: {done} ({took})")),
            Err(finding) => {
                progress.done(&format!("{target}: FAILED ({took})\n{finding:#}"));
                findings.push(target);
            }
        }
    }
    if findings.is_empty() {
        println!("\nno findings");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\ntargets with a finding: {}", findings.join(" "));
    Ok(ExitCode::FAILURE)
}

/// Builds all targets.
pub(crate) fn build() -> Result<Command> {
    let mut cargo = workspace::cargo()?;
    cargo
        .args(["build", "--release", "--bins", "--target", &host()?])
        .current_dir(folder())
        .env("CARGO_TARGET_DIR", workspace::scratch("fuzz")?)
        .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\u{1f}"));
    Ok(cargo)
}

/// Where a search starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// From the same numbers every time, so that whoever tests a change sees what others see.
    Fixed,
    /// From new numbers, for new findings.
    Random,
}

/// Runs a target that was built: for so long it looks for input that it does not stand.
pub(crate) fn search(target: &str, time: Duration, start: Start) -> Result<Command> {
    let corpus = workspace::scratch(&format!("fuzz-corpus/{target}"))?;
    let findings = workspace::scratch(&format!("fuzz-findings/{target}"))?;
    let mut command = program(target)?;
    if let Start::Fixed = start {
        command.arg("-seed=1");
    }
    command
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .args(["-print_final_stats=1", "-print_corpus_stats=0"])
        .arg(corpus)
        .arg(folder().join("seeds").join(target));
    if target == "roundtrip" {
        // Whatever decodes must survive the round trip.
        command.arg(folder().join("seeds/decode_packet"));
    }
    Ok(command)
}

/// What a search did, for people to read.
///
/// # Errors
/// What it found: where the input lies, how to replay it, and the end of what the target printed. A search that executed
/// nothing has failed as well.
pub(crate) fn found(target: &str, ended: &Ended) -> Result<String> {
    let executions = number_after(&ended.output, "stat::number_of_executed_units:");
    if ended.succeeded()
        && let Some(executions @ 1..) = executions
    {
        let covered = number_after(&ended.output, " cov:").unwrap_or(0);
        return Ok(format!("{executions} executions, {covered} edges covered"));
    }
    let input = ended
        .output
        .lines()
        .find_map(|line| Some(line.split_once("Test unit written to ")?.1));
    let replay = match input {
        Some(input) => format!(
            "the input: {input}\n    replay it: cargo xtask fuzz {target} --replay {input}\n"
        ),
        None => String::new(),
    };
    bail!(
        "    {target} {}\n    {replay}{}",
        ended.describe(),
        process::tail(&telling(&ended.output))
    )
}

/// The lines that tell of a failure: libFuzzer prints one for each step it makes, and at the end what all threads did.
fn telling(output: &str) -> String {
    let is_step = |line: &&str| line.starts_with('#') || line.starts_with("\tNEW_FUNC");
    let lines: Vec<_> = output.lines().filter(|line| !is_step(line)).collect();
    lines.join("\n")
}

/// The last number that follows `name`.
fn number_after(output: &str, name: &str) -> Option<u64> {
    let (_, rest) = output.rsplit_once(name)?;
    rest.split_whitespace().next()?.parse().ok()
}

fn program(target: &str) -> Result<Command> {
    let folder = workspace::scratch("fuzz")?.join(host()?).join("release");
    let mut command = Command::new(folder.join(target));
    command.args(BOUNDS);
    Ok(command)
}

/// The machine's own target. It is named so that the flags are not used for build scripts and macros, which run without
/// libFuzzer.
fn host() -> Result<String> {
    let answer = workspace::cargo()?
        .arg("-vV")
        .output()
        .context("cannot run cargo")?;
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("cargo -vV does not tell the host")
}

fn folder() -> PathBuf {
    Path::new(workspace::root()).join("fuzz")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_target_is_known_and_has_seeds() {
        let programs = std::fs::read_dir(folder().join("fuzz_targets")).unwrap();
        let names: BTreeSet<_> = programs
            .map(|entry| {
                let path = entry.unwrap().path();
                path.file_stem().unwrap().to_str().unwrap().to_owned()
            })
            .collect();
        assert!(names.iter().eq(BTreeSet::from(TARGETS).iter()), "{names:?}");
        for name in names {
            let seeds = folder().join("seeds").join(&name);
            assert!(std::fs::read_dir(seeds).unwrap().next().is_some(), "{name}");
        }
    }

    fn ended(script: &str) -> Ended {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script);
        let mut progress = Progress::silent();
        process::run(&mut shell, Duration::from_secs(30), &mut progress).unwrap()
    }

    #[test]
    fn a_search_without_a_finding_tells_what_it_did() {
        let ended = ended(
            "echo '#2 INITED cov: 3 ft: 4'; echo '#9 DONE cov: 21 ft: 4';
             echo 'stat::number_of_executed_units: 1234'",
        );
        let done = found("decode_packet", &ended).unwrap();
        assert_eq!(done, "1234 executions, 21 edges covered");
    }

    #[test]
    fn a_finding_names_the_input_and_how_to_replay_it() {
        let ended = ended(
            "echo '#2 INITED cov: 3'; echo 'thread panicked: left is not right';
             echo 'Test unit written to /tmp/crash-1'; echo 'stat::number_of_executed_units: 7'; exit 77",
        );
        let finding = format!("{:#}", found("roundtrip", &ended).unwrap_err());
        for part in [
            "77",
            "left is not right",
            "the input: /tmp/crash-1",
            "cargo xtask fuzz roundtrip --replay /tmp/crash-1",
        ] {
            assert!(finding.contains(part), "{finding}");
        }
        assert!(!finding.contains("INITED"), "{finding}");
    }

    #[test]
    fn a_search_that_executed_nothing_has_failed() {
        assert!(found("roundtrip", &ended("true")).is_err());
        assert!(
            found(
                "roundtrip",
                &ended("echo stat::number_of_executed_units: 0")
            )
            .is_err()
        );
    }
}
