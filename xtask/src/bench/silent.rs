//! What thousands of connections that say nothing can do to our broker: it holds so many of them, closes the others at once
//! and these in time, and serves its clients meanwhile.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read as _};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::idle::{Clients, Memory, build_broker, most_connections, raise_descriptor_limit};
use crate::peers::{Server, ours};
use crate::process;

/// How many connections may be at the broker whose CONNECT has not been accepted.
pub(crate) const PLACES: usize = 1_024;
/// Fewer connections show little: hardly one would have to make room for another.
const FEWEST: usize = 2 * PLACES;
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
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(FEWEST as i64..=1_000_000))]
    connections: u32,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let count = usize::try_from(options.connections).context("too many connections")?;
    build_broker()?;
    let server = ours::start_release()?;
    let seen = open(&server, server.address(), count)?;
    println!(
        "{count} connections without a word: {} were closed before the time for CONNECT was over, and none was held any more\n\
         {:.1} s after the last was opened; {} never got as far as the broker; its memory rose by {} KiB at most;\n\
         one client was served all the time, and a new one afterwards",
        seen.closed_early,
        seen.held.as_secs_f64(),
        seen.never_accepted,
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
    /// How many the system completed on our side only, so that the broker never had them.
    never_accepted: usize,
    /// By how much the broker's memory rose at most, in bytes.
    pub(crate) memory: usize,
}

/// Opens `count` connections to `address`, one of the places where `server` listens, and waits until all are closed. A client
/// that was there before is served all the time, and a new one afterwards.
pub(crate) fn open(server: &Server, address: SocketAddr, count: usize) -> Result<Seen> {
    ensure!(
        count >= FEWEST,
        "{count} connections show little: there have to be {FEWEST}, twice as many as the broker has places for those that \
         only begin; a process may have {} (ulimit -Hn)",
        most_connections()
    );
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
    // What is open at our end only, the system completed without the broker: it is not the broker's to close.
    while descriptors(server.id())? > descriptors_before
        || has_other_ends(address, open.iter().map(|(_, stream)| stream))?
    {
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
    close(&mut open);
    let never_accepted = open.len();
    ensure!(
        count - never_accepted >= FEWEST,
        "{never_accepted} of {count} connections never got as far as the broker"
    );
    let mut after = clients.connect(count + 1)?;
    Clients::ping(&mut after)?;
    Ok(Seen {
        closed_early,
        held,
        never_accepted,
        memory: most.saturating_sub(memory_before.pss),
    })
}

/// How many files a process has open.
fn descriptors(process: u32) -> Result<usize> {
    let path = format!("/proc/{process}/fd");
    let files = std::fs::read_dir(&path).with_context(|| format!("cannot read {path}"))?;
    Ok(files.count())
}

/// Whether the system has the server's end of any of these connections, as one that nobody has closed.
fn has_other_ends<'a>(
    server: SocketAddr,
    clients: impl Iterator<Item = &'a TcpStream>,
) -> Result<bool> {
    let clients: HashSet<_> = clients
        .map(TcpStream::local_addr)
        .collect::<io::Result<_>>()
        .context("a connection has no address")?;
    if clients.is_empty() {
        return Ok(false);
    }
    let path = "/proc/net/tcp";
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let mut ends = established(&text);
    Ok(ends.any(|(local, remote)| local == server && clients.contains(&remote)))
}

/// The local and the remote address of each established connection of `/proc/net/tcp`.
fn established(text: &str) -> impl Iterator<Item = (SocketAddr, SocketAddr)> {
    text.lines().filter_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let local = address(columns.next()?)?;
        let remote = address(columns.next()?)?;
        (columns.next()? == "01").then_some((local, remote))
    })
}

/// An address as the kernel writes it: that of IPv4 as one number in the order of this machine, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let host = u32::from_str_radix(host, 16).ok()?.to_ne_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(host.into(), port).into())
}

fn is_open(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_other_end_is_there_until_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let clients = [(); 2].map(|()| TcpStream::connect(server).unwrap());
        let is_there = || has_other_ends(server, clients.iter()).unwrap();
        // The system has them, and nobody has taken them yet.
        assert!(is_there());
        drop(listener.accept().unwrap());
        assert!(is_there());
        drop(listener.accept().unwrap());
        assert!(!is_there());
        assert!(!has_other_ends(server, [].iter()).unwrap());
    }
}
