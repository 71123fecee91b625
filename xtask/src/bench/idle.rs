//! What an idle connection costs a broker: ours, built for release, and Debian's Mosquitto.
//!
//! Many clients of MQTT 3.1.1 connect over the loopback and then say nothing. The memory is the broker's own, as the kernel
//! counts it (`/proc/PID/smaps_rollup`); what the kernel keeps for the sockets is the same for both and not in it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::peers::{Server, mosquitto, ours};
use crate::{process, workspace};

/// Longest time for a release build of the broker.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Longest time for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long nobody says anything before the memory is looked at: ours keeps its buffers for a moment.
const SETTLE: Duration = Duration::from_secs(3);
/// Connections from one source address. The usual range has 28,232 ports, and those of a run before stay taken for a minute;
/// so each measurement has addresses of its own too.
const PER_ADDRESS: usize = 4_000;
/// Descriptors that a process needs beside its connections, at most.
const OTHER_DESCRIPTORS: usize = 100;

/// Prints the memory that an idle connection costs our broker and Mosquitto.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many clients connect to each broker.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    connections: u32,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let count = usize::try_from(options.connections).context("too many connections")?;
    raise_descriptor_limit(count)?;
    build_broker()?;

    println!(
        "{count} idle connections over TCP; bytes of memory per connection (and of the whole process):\n"
    );
    println!(
        "{:<12} {:<28} {:>16} {:>24} {:>24}",
        "broker", "clients", "before", "PSS", "RSS"
    );
    type Start = fn() -> Result<Server>;
    let brokers: [(&str, Start); 2] = [
        ("mqtt-broker", ours::start_release),
        ("mosquitto", mosquitto::start),
    ];
    for (network, (name, start)) in (1..).step_by(2).zip(brokers) {
        for has_subscription in [false, true] {
            let server = start()?;
            let network = network + u8::from(has_subscription);
            let clients = Clients::new(server.address(), network, has_subscription);
            let row =
                measure(&server, &clients, count).with_context(|| format!("measuring {name}"))?;
            println!(
                "{name:<12} {:<28} {:>16} {:>24} {:>24}",
                if has_subscription {
                    "each with a subscription"
                } else {
                    "connected"
                },
                kibibytes(row.before.pss),
                row.per_connection(|memory| memory.pss),
                row.per_connection(|memory| memory.rss),
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds our broker for release.
pub(super) fn build_broker() -> Result<()> {
    let mut build = workspace::cargo()?;
    build.args(["build", "--release", "-p", "mqtt-broker"]);
    process::run_shown(&mut build, BUILD_LIMIT)?.expect_success("building the broker")?;
    Ok(())
}

struct Row {
    count: usize,
    before: Memory,
    after: Memory,
}

impl Row {
    fn per_connection(&self, of: impl Fn(&Memory) -> usize) -> String {
        let grown = of(&self.after).saturating_sub(of(&self.before));
        format!(
            "{} ({})",
            grown / (self.count - 1),
            kibibytes(of(&self.after))
        )
    }
}

fn kibibytes(bytes: usize) -> String {
    format!("{} KiB", bytes / 1_024)
}

fn measure(server: &Server, clients: &Clients, count: usize) -> Result<Row> {
    // One client first, so that what every broker sets up with its first is not counted as the price of a connection.
    let mut connected = vec![clients.connect(0)?];
    std::thread::sleep(SETTLE);
    let before = Memory::of(server.id())?;
    for number in 1..count {
        ensure!(!process::interrupted(), "interrupted");
        let client = clients
            .connect(number)
            .with_context(|| format!("client {number} of {count}"))?;
        connected.push(client);
    }
    std::thread::sleep(SETTLE);
    let after = Memory::of(server.id())?;
    // None of them was turned away meanwhile.
    for client in &mut connected {
        Clients::ping(client)?;
    }
    Ok(Row {
        count,
        before,
        after,
    })
}

/// What one measurement's clients have in common.
pub(super) struct Clients {
    server: SocketAddr,
    /// They have addresses in 127.N.0.0/16.
    network: u8,
    has_subscription: bool,
}

impl Clients {
    pub(super) fn new(server: SocketAddr, network: u8, has_subscription: bool) -> Self {
        Self {
            server,
            network,
            has_subscription,
        }
    }

    /// Asks for a sign of life.
    pub(super) fn ping(client: &mut TcpStream) -> Result<()> {
        client.write_all(&[0xC0, 0])?;
        expect(client, &[0xD0, 0])
    }

    /// Connects a client of 3.1.1 with a clean session and a Keep Alive of 65,535 s.
    pub(super) fn connect(&self, number: usize) -> Result<TcpStream> {
        let mut stream = self.dial(number)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let id = format!("idle-{number:07}");
        stream.write_all(
            &[
                &b"\x10\x18\0\x04MQTT\x04\x02\xFF\xFF\0\x0C"[..],
                id.as_bytes(),
            ]
            .concat(),
        )?;
        expect(&mut stream, b"\x20\x02\0\0")?;
        if self.has_subscription {
            let filter = format!("devices/{id}/command");
            stream.write_all(&[&b"\x82\x21\0\x01\0\x1C"[..], filter.as_bytes(), &[1]].concat())?;
            expect(&mut stream, b"\x90\x03\0\x01\x01")?;
        }
        Ok(stream)
    }

    /// Connects from one of as many loopback addresses as there must be for each client to have a port.
    pub(super) fn dial(&self, number: usize) -> Result<TcpStream> {
        let host = u8::try_from(1 + number / PER_ADDRESS).context("too many connections")?;
        let source = SocketAddrV4::new(Ipv4Addr::new(127, self.network, 0, host), 0);
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).context("no socket")?;
        bind(&socket, &source).with_context(|| format!("cannot use {source}"))?;
        connect(&socket, &self.server)
            .with_context(|| format!("cannot connect to {}", self.server))?;
        Ok(TcpStream::from(socket))
    }
}

fn expect(stream: &mut TcpStream, expected: &[u8]) -> Result<()> {
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).context("no answer")?;
    ensure!(
        answer == expected,
        "answered {answer:02X?} and not {expected:02X?}"
    );
    Ok(())
}

/// How many connections a process may have at once, at most.
pub(crate) fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(OTHER_DESCRIPTORS)
}

/// This process holds one end of each connection, and the brokers, which it starts, the other.
pub(super) fn raise_descriptor_limit(connections: usize) -> Result<()> {
    let needed = u64::try_from(connections + OTHER_DESCRIPTORS)?;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        bail!(
            "{connections} connections need {needed} file descriptors and the system allows {} (ulimit -Hn); ask for \
             fewer with --connections",
            limit.maximum.unwrap_or_default()
        );
    }
    let raised = Rlimit {
        current: Some(needed),
        ..limit
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit on file descriptors")
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Memory {
    /// What it holds alone, and its share of what it shares.
    pub(super) pss: usize,
    /// All that is resident, shared parts in full.
    pub(super) rss: usize,
}

impl Memory {
    pub(super) fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/smaps_rollup");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&text).with_context(|| format!("no Pss and Rss in {path}"))
    }

    fn parse(smaps_rollup: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = smaps_rollup
                .lines()
                .find_map(|line| line.strip_prefix(name))?;
            let kibibytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(1_024 * kibibytes)
        };
        Some(Self {
            pss: value("Pss:")?,
            rss: value("Rss:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_numbers_are_read() {
        let text = "5581-7ffd ---p 00000000 00:00 0    [rollup]\n\
                    Rss:                3644 kB\nPss:                 912 kB\nPss_Anon:            400 kB\n";
        let memory = Memory {
            pss: 912 << 10,
            rss: 3_644 << 10,
        };
        assert_eq!(Memory::parse(text), Some(memory));
        assert_eq!(Memory::parse("Rss: 1 kB\n"), None);
        assert!(Memory::of(std::process::id()).unwrap().pss > 0);
    }
}
