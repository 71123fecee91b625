//! `cargo xtask demo`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};

use crate::install::{self, Need};
use crate::process;
use crate::progress::{Progress, seconds};
use crate::suites;
use crate::workspace;

/// Longest time for the build on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Longest time for the demo itself, which has deadlines of its own.
const RUN_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Shows a PHP script that pushes messages to devices and learns which of them arrived.
///
/// Starts a broker, 20 devices (in Rust, C and PHP) and php-fpm, all on this machine, and ends with a table of what each device
/// was sent, acknowledged and received. Exits with an error if anything was lost or came twice.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Install what is missing without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Use this broker instead of the embedded one, as in mqtt://localhost:1883
    #[arg(long, value_name = "URL")]
    pub(crate) broker: Option<String>,
    /// With --broker mqtts://…: the certificate of its authority, in PEM; without, those that the system trusts
    #[arg(long, value_name = "FILE", requires = "broker")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Have the embedded broker and all devices speak TLS
    #[arg(long, conflicts_with = "broker")]
    pub(crate) tls: bool,
    /// Show the devices and a publisher in Rust and C only: no PHP, nothing to install
    #[arg(long)]
    pub(crate) no_php: bool,
    /// Messages to push altogether, 10 to 10,000 [default: 1000, 200 with --short]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=10_000))]
    pub(crate) messages: Option<u32>,
    /// Devices to push to, 4 to 1,000 [default: 20, 6 with --short]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=1_000))]
    pub(crate) devices: Option<u32>,
    /// Fewer devices and messages
    #[arg(long)]
    pub(crate) short: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let needs: &[Need] = if options.no_php {
        &[Need::CCompiler]
    } else {
        suites::PHP_NEEDS
    };
    println!(
        "The plan: look for what is needed, build, then push {} messages to {} devices.",
        messages(options),
        devices(options)
    );
    install::ensure(needs, options.yes)?;
    println!();
    build(options.no_php)?;
    println!();
    let ended = process::run_shown(&mut command(options)?, RUN_LIMIT)?;
    if !ended.succeeded() {
        eprintln!("the demo {}", ended.describe());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn messages(options: &Options) -> u32 {
    options
        .messages
        .unwrap_or(if options.short { 200 } else { 1000 })
}

fn devices(options: &Options) -> u32 {
    options
        .devices
        .unwrap_or(if options.short { 6 } else { 20 })
}

/// What has to be built, each with the command that does it, in this order.
///
/// One after the other: built by one command the parts would share features, and be built again by whoever builds one of them.
pub(crate) fn parts(no_php: bool) -> Result<Vec<(&'static str, Command)>> {
    let crates = ["demo", "pushmq-ffi"]
        .into_iter()
        .chain((!no_php).then_some("php-ext"));
    let mut parts = Vec::new();
    for part in crates {
        let mut cargo = workspace::cargo()?;
        cargo
            .args(["build", "-p", part])
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "90");
        parts.push((part, cargo));
    }
    parts.push(("the C device", compile_c_device()?));
    Ok(parts)
}

/// Compiles the device that is a C program as its author would, but that it finds the library in its own folder.
fn compile_c_device() -> Result<Command> {
    let folder = workspace::scratch("demo")?;
    // A program asks for a library by its SONAME; cargo has no file of that name.
    let link = folder.join("libpushmq.so.0");
    let library = workspace::built("libpushmq.so")?;
    // One that leads elsewhere is of a target directory that was moved.
    if std::fs::read_link(&link).ok().as_ref() != Some(&library) {
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&library, &link)
            .with_context(|| format!("cannot make {}", link.display()))?;
    }
    let mut compile = Command::new("cc");
    compile
        .args(["-std=c99", "-O1", "-Wall", "-Wextra", "-Iffi/include"])
        .args(["demo/c/device.c", "-Wl,-rpath,$ORIGIN"])
        .arg(&link)
        .arg("-o")
        .arg(c_device()?)
        .current_dir(workspace::root());
    Ok(compile)
}

fn c_device() -> Result<PathBuf> {
    Ok(workspace::scratch("demo")?.join("device"))
}

fn build(no_php: bool) -> Result<()> {
    let started = Instant::now();
    for (part, mut command) in parts(no_php)? {
        let mut progress = Progress::start(&format!("building {part}"));
        process::run(&mut command, BUILD_LIMIT, &mut progress)?
            .expect_success(&format!("building {part}"))?;
        let took = seconds(progress.elapsed());
        progress.done(&format!("  built  {part} ({took})"));
    }
    println!("  everything is built after {}", seconds(started.elapsed()));
    Ok(())
}

/// The program that shows it, with its arguments. It has to be built.
pub(crate) fn command(options: &Options) -> Result<Command> {
    let mut command = Command::new(workspace::built("pushmq-demo")?);
    command.current_dir(workspace::root());
    command.args([
        "--messages",
        &messages(options).to_string(),
        "--devices",
        &devices(options).to_string(),
    ]);
    if let Some(broker) = &options.broker {
        command.args(["--broker", broker]);
    }
    if let Some(file) = &options.ca_file {
        // It runs elsewhere than where the path was written.
        let file = std::path::absolute(file).context("--ca-file")?;
        command.arg("--ca-file").arg(file);
    }
    if options.tls {
        command.arg("--tls");
    }
    command.arg("--c-device").arg(c_device()?);
    if !options.no_php {
        command
            .arg("--php")
            .arg(install::php().map_err(|error| anyhow!(error))?);
        command
            .arg("--php-fpm")
            .arg(install::php_fpm().map_err(|error| anyhow!(error))?);
        command.arg("--extension").arg(suites::extension()?);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_is_smaller_but_gives_way_to_numbers() {
        let short = Options {
            short: true,
            ..Options::default()
        };
        assert_eq!((messages(&short), devices(&short)), (200, 6));
        let given = Options {
            messages: Some(7),
            ..short
        };
        assert_eq!((messages(&given), devices(&given)), (7, 6));
        assert_eq!(messages(&Options::default()), 1000);
    }
}
