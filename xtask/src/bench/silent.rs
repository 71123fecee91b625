//! What thousands of connections that say nothing can do to our broker: it holds so many of them, closes the others at once
//! and these in time, and serves its clients meanwhile.

use std::io::{ErrorKind, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::idle::{Clients, Memory, build_broker, raise_descriptor_limit};
use crate::peers::{Server, ours};
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
    build_broker()?;
    let server = ours::start_release()?;
    let seen = open(&server, server.address(), count)?;
    println!(
        "{count} connections without a word: {} were closed before the time for CONNECT was over, and none was held any more\n\
         {:.1} s after the last was opened; the broker's memory rose by {} KiB at most;\n\
         one client was served all the time, and a new one afterwards",
        seen.closed_early,
        seen.held.as_secs_f64(),
        seen.memory / 1_024
    );
    Ok(ExitCode::SUCCESS)
}

/// What became of connections that send nothing.
#[derive(Debug)]
pub(crate) struct Seen {
    /// How many were closed before their time for CONNECT was over, to make room for others.
    closed_early: usize,
    /// How long after the last was opened one was held still.
    held: Duration,
    /// By how much the broker's memory rose at most, in bytes.
    pub(crate) memory: usize,
}

/// Opens `count` connections to `address`, one of the places where `server` listens, and waits until all are closed. A client
/// that was there before is served all the time, and a new one afterwards.
pub(crate) fn open(server: &Server, address: SocketAddr, count: usize) -> Result<Seen> {
    raise_descriptor_limit(count)?;
    let clients = Clients::new(server.address(), 9, false);
    let mut before = clients.connect(0)?;
    let memory_before = Memory::of(server.id())?;
    let descriptors_before = descriptors(server.id())?;
    let silent = Clients::new(address, 9, false);
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
        let stream = silent.dial(number)?;
        stream.set_nonblocking(true)?;
        open.push((Instant::now(), stream));
        if number % 1_000 == 0 {
            close(&mut open);
        }
    }
    let start = Instant::now();
    let mut most = Memory::of(server.id())?.pss;
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
        most = most.max(Memory::of(server.id())?.pss);
        // Who was there before is served all the time.
        Clients::ping(&mut before)?;
        std::thread::sleep(LOOK_AGAIN);
    }
    let held = start.elapsed();
    let mut after = clients.connect(count + 1)?;
    Clients::ping(&mut after)?;
    Ok(Seen {
        closed_early,
        held,
        memory: most.saturating_sub(memory_before.pss),
    })
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
