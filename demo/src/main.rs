//! The demo: a PHP script pushes messages to devices and learns which of them arrived.
//!
//! `cargo xtask demo` builds and starts this. It starts a broker, devices, a php-fpm, runs the scripts of `demo/php`, and
//! compares what they say they sent with what the devices received. Everything it starts ends with it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

mod broker;
mod device;
mod fastcgi;
mod fpm;
mod php;
mod program;
mod publisher;
mod run;
mod score;
mod settings;
mod worker;

/// Longest time for everything together, above the sum of what its parts may take in a normal run.
const LIMIT: Duration = Duration::from_secs(300);

/// Pushes messages to devices and tells what became of each. `cargo xtask demo` builds and runs this.
#[derive(Debug, Parser)]
#[command(name = "pushmq-demo")]
struct Arguments {
    /// Use this broker instead of an embedded one, as in mqtt://localhost:1883
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// With --broker mqtts://…: the certificate of its authority, in PEM; without, those that the system trusts
    #[arg(long, value_name = "FILE", requires = "broker")]
    ca_file: Option<PathBuf>,
    /// Have the embedded broker speak TLS, with an authority made for this run
    #[arg(long, conflicts_with = "broker")]
    tls: bool,
    /// Messages to push altogether; the scripts queue them at once, and a queue holds 10,000
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    messages: u32,
    /// Devices to push to
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(4..=1_000))]
    devices: u32,
    /// The built C program that is a device; without it another Rust device takes its place
    #[arg(long, value_name = "FILE")]
    c_device: Option<PathBuf>,
    /// The php command; without it Rust code stands in for the scripts
    #[arg(long, value_name = "FILE", requires = "php_fpm")]
    php: Option<PathBuf>,
    /// The php-fpm command
    #[arg(long, value_name = "FILE", requires = "php")]
    php_fpm: Option<PathBuf>,
    /// The built extension
    #[arg(long, value_name = "FILE", requires = "php")]
    extension: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // What is dropped when this ends stops the programs that were started.
    let ended = tokio::select! {
        ended = timeout(LIMIT, run::run(&arguments)) => ended,
        stopped = stop_signal() => Ok(stopped.and_then(|()| bail!("stopped"))),
    };
    match ended {
        Ok(Ok(faults)) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(Ok(faults)) => {
            println!("\nThis went wrong:");
            for fault in faults {
                println!("  {fault}");
            }
            ExitCode::FAILURE
        }
        Ok(Err(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
        Err(_) => {
            eprintln!("error: the demo did not end within {} s", LIMIT.as_secs());
            ExitCode::FAILURE
        }
    }
}

async fn stop_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
