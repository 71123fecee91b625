//! What thousands of connections that say nothing can do to our broker: it holds so many of them, closes the others at once
//! and these in time, and serves its clients meanwhile.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::idle::{Clients, Memory, build_broker, raise_descriptor_limit};
use crate::peers::ours;
use crate::process;

/// The broker's limit for a CONNECT is 10 s; a slow machine may take longer to see it through.
const CLOSE_LIMIT: Duration = Duration::from_secs(60);
/// Whoever is closed sooner than this was not waited for.
const EARLY: Duration = Duration::from_secs(8);
/// Pause between two looks at all connections.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Opens connections that send nothing and shows that our broker bounds and closes them.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many connections are opened.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let count = usize::try_from(options.connections).context("too many connections")?;
    raise_descriptor_limit(count)?;
    build_broker()?;
    let server = ours::start_release()?;
    let clients = Clients::new(server.address(), 9, false);
    let mut before = clients.connect(0)?;
    let memory_before = Memory::of(server.id())?;
    let descriptors_before = descriptors(server.id())?;
    let mut open = Vec::with_capacity(count);
    let mut closed_early = 0;
    let mut close = |open: &mut Vec<(Instant, TcpStream)>| {
        open.retain_mut(|(opened, stream)| {
            let is_open = is_open(stream);
            closed_early += usize::from(!is_open && opened.elapsed() < EARLY);
            is_open
        });
    };
    for number in 1..=count {
        let stream = clients.dial(number)?;
        stream.set_nonblocking(true)?;
        open.push((Instant::now(), stream));
        if number % 1_000 == 0 {
            close(&mut open);
        }
    }
    let start = Instant::now();
    let mut most = Memory::of(server.id())?;
    // A connection that the system completed and never gave to the broker is not the broker's to close, so what is waited
    // for are its descriptors.
    while descriptors(server.id())? > descriptors_before {
        ensure!(!process::interrupted(), "interrupted");
        ensure!(
            start.elapsed() < CLOSE_LIMIT,
            "the broker still holds connections after {} s",
            CLOSE_LIMIT.as_secs()
        );
        close(&mut open);
        let now = Memory::of(server.id())?;
        most = Memory {
            pss: most.pss.max(now.pss),
            rss: most.rss.max(now.rss),
        };
        // Who was there before is served all the time.
        Clients::ping(&mut before)?;
        std::thread::sleep(LOOK_AGAIN);
    }
    let ended = start.elapsed();
    let mut after = clients.connect(count + 1)?;
    Clients::ping(&mut after)?;
    println!(
        "{count} connections without a word: {closed_early} were closed before the time for CONNECT was over, and none was held any \
         more\n{:.1} s after the last was opened; the broker's memory rose by {} KiB at most;\none client was served all the time, and \
         a new one afterwards",
        ended.as_secs_f64(),
        most.pss.saturating_sub(memory_before.pss) / 1_024
    );
    Ok(ExitCode::SUCCESS)
}

/// How many files a process has open.
fn descriptors(process: u32) -> Result<usize> {
    let path = format!("/proc/{process}/fd");
    let files = std::fs::read_dir(&path).with_context(|| format!("cannot read {path}"))?;
    Ok(files.count())
}

fn is_open(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
