//! Keeping the score: what each device was sent, what the broker acknowledged, what arrived, how often and how late.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How a device takes part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// A Rust subscriber.
    Rust,
    /// A Rust subscriber that is away at first.
    RustAway,
    /// A PHP script that subscribes.
    PhpWorker,
    /// A C program that subscribes.
    CProgram,
}

impl Role {
    fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::RustAway => "Rust, away at first",
            Self::PhpWorker => "PHP worker",
            Self::CProgram => "C program",
        }
    }
}

/// The score of one device.
#[derive(Debug)]
struct Device {
    role: Role,
    sent: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
    /// How often each message arrived.
    received: BTreeMap<String, u32>,
    latencies: Vec<Duration>,
}

/// The score of all devices, shared by everything that adds to it.
#[derive(Debug)]
pub(crate) struct Score {
    devices: Mutex<BTreeMap<String, Device>>,
    changed: Notify,
}

impl Score {
    /// For these devices, in this order of names.
    pub(crate) fn new(devices: impl IntoIterator<Item = (String, Role)>) -> Self {
        let devices = devices.into_iter().map(|(name, role)| {
            let device = Device {
                role,
                sent: BTreeSet::new(),
                acknowledged: BTreeSet::new(),
                received: BTreeMap::new(),
                latencies: Vec::new(),
            };
            (name, device)
        });
        Self {
            devices: Mutex::new(devices.collect()),
            changed: Notify::new(),
        }
    }

    /// A publisher reports what it sent to a device, and which of it the broker acknowledged. A device that takes no part is
    /// left out.
    pub(crate) fn pushed(&self, device: &str, sent: Vec<String>, acknowledged: Vec<String>) {
        if let Some(device) = self.lock().get_mut(device) {
            device.sent.extend(sent);
            device.acknowledged.extend(acknowledged);
        }
    }

    /// A device reports a message.
    pub(crate) fn arrived(&self, device: &str, id: &str, latency: Duration) {
        if let Some(device) = self.lock().get_mut(device) {
            *device.received.entry(id.to_owned()).or_default() += 1;
            device.latencies.push(latency);
        }
        self.changed.notify_waiters();
    }

    /// How many messages were acknowledged for a device so far.
    pub(crate) fn pushed_to(&self, device: &str) -> usize {
        self.lock()
            .get(device)
            .map_or(0, |device| device.acknowledged.len())
    }

    /// How many messages arrived at a device so far, repeated ones included.
    pub(crate) fn received_by(&self, device: &str) -> usize {
        self.lock()
            .get(device)
            .map_or(0, |device| device.latencies.len())
    }

    /// Waits until everything that was acknowledged has arrived. False when `limit` passed before.
    pub(crate) async fn complete(&self, limit: Duration) -> bool {
        let until = tokio::time::Instant::now() + limit;
        loop {
            let changed = self.changed.notified();
            if self.missing() == 0 {
                return true;
            }
            if tokio::time::timeout_at(until, changed).await.is_err() {
                return self.missing() == 0;
            }
        }
    }

    fn missing(&self) -> usize {
        let missing = |device: &Device| {
            device
                .acknowledged
                .iter()
                .filter(|id| !device.received.contains_key(*id))
                .count()
        };
        self.lock().values().map(missing).sum()
    }

    /// What is wrong, device by device; empty when every message was sent, acknowledged and received exactly once.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, device) in self.lock().iter() {
            let unacknowledged = device.sent.difference(&device.acknowledged).count();
            let lost: Vec<_> = device
                .acknowledged
                .iter()
                .filter(|id| !device.received.contains_key(*id))
                .collect();
            let doubled: Vec<_> = device
                .received
                .iter()
                .filter(|(_, times)| **times > 1)
                .map(|(id, _)| id)
                .collect();
            let unknown = device
                .received
                .keys()
                .filter(|id| !device.sent.contains(*id))
                .count();
            if unacknowledged > 0 {
                faults.push(format!(
                    "{name}: {unacknowledged} messages were never acknowledged"
                ));
            }
            if let Some(first) = lost.first() {
                faults.push(format!(
                    "{name}: {} acknowledged messages were lost, {first} among them",
                    lost.len()
                ));
            }
            if let Some(first) = doubled.first() {
                faults.push(format!(
                    "{name}: {} messages came more than once, {first} among them",
                    doubled.len()
                ));
            }
            if unknown > 0 {
                faults.push(format!(
                    "{name}: {unknown} messages arrived that nobody sent"
                ));
            }
        }
        faults
    }

    /// Messages sent altogether.
    pub(crate) fn sent(&self) -> usize {
        self.lock().values().map(|device| device.sent.len()).sum()
    }

    /// The table of all devices.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let _ = writeln!(
            table,
            "{:12} {:20} {:>6} {:>13} {:>9} {:>10} {:>10}",
            "device", "runs as", "sent", "acknowledged", "received", "p50", "p99"
        );
        let (mut sent, mut acknowledged, mut received) = (0, 0, 0);
        let mut online = Vec::new();
        for (name, device) in self.lock().iter() {
            sent += device.sent.len();
            acknowledged += device.acknowledged.len();
            received += device.latencies.len();
            if device.role != Role::RustAway {
                online.extend_from_slice(&device.latencies);
            }
            let (runs_as, counts) = (
                device.role.title(),
                (
                    device.sent.len(),
                    device.acknowledged.len(),
                    device.latencies.len(),
                ),
            );
            table.push_str(&row(name, runs_as, counts, &mut device.latencies.clone()));
        }
        let counts = (sent, acknowledged, received);
        table.push_str(&row("all", "", counts, &mut online));
        table
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Device>> {
        self.devices
            .lock()
            .expect("no task panics while it holds this lock")
    }
}

fn row(
    name: &str,
    runs_as: &str,
    counts: (usize, usize, usize),
    latencies: &mut [Duration],
) -> String {
    latencies.sort_unstable();
    let (sent, acknowledged, received) = counts;
    let (p50, p99) = (
        shown(percentile(latencies, 50)),
        shown(percentile(latencies, 99)),
    );
    format!(
        "{name:12} {runs_as:20} {sent:>6} {acknowledged:>13} {received:>9} {p50:>10} {p99:>10}\n"
    )
}

/// The smallest value that at least `percent` of `sorted` do not exceed (nearest rank).
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn shown(duration: Option<Duration>) -> String {
    match duration {
        None => "-".to_owned(),
        Some(duration) if duration < Duration::from_millis(100) => {
            format!("{:.2} ms", duration.as_secs_f64() * 1e3)
        }
        Some(duration) if duration < Duration::from_secs(1) => {
            format!("{:.0} ms", duration.as_secs_f64() * 1e3)
        }
        Some(duration) => format!("{:.2} s", duration.as_secs_f64()),
    }
}

/// How long ago something was, for the story.
pub(crate) fn since(start: Instant) -> String {
    shown(Some(start.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    fn one_device() -> Score {
        Score::new([("device-01".to_owned(), Role::Rust)])
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let sorted: Vec<_> = (1..=200).map(|n| n * MS).collect();
        assert_eq!(percentile(&sorted, 50), Some(100 * MS));
        assert_eq!(percentile(&sorted, 99), Some(198 * MS));
        assert_eq!(percentile(&sorted[..1], 99), Some(MS));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn a_perfect_score_has_no_fault() {
        let score = one_device();
        score.pushed("device-01", ids(&["a", "b"]), ids(&["a", "b"]));
        score.arrived("device-01", "a", MS);
        score.arrived("device-01", "b", 3 * MS);
        assert_eq!(score.faults(), Vec::<String>::new());
        let table = score.table();
        let row = "device-01    Rust                      2             2         2    1.00 ms    3.00 ms";
        assert!(table.contains(row), "{table}");
    }

    #[test]
    fn every_kind_of_fault_is_told() {
        let score = one_device();
        score.pushed("device-01", ids(&["a", "b", "c"]), ids(&["a", "b"]));
        score.arrived("device-01", "a", MS);
        score.arrived("device-01", "a", MS);
        score.arrived("device-01", "x", MS);
        let faults = score.faults().join("\n");
        for fault in [
            "1 messages were never acknowledged",
            "1 acknowledged messages were lost, b",
            "came more than once, a",
            "nobody sent",
        ] {
            assert!(faults.contains(fault), "no `{fault}` in:\n{faults}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_when_all_is_there_and_gives_up_in_time() {
        let score = one_device();
        score.pushed("device-01", ids(&["a"]), ids(&["a"]));
        assert!(!score.complete(Duration::from_secs(5)).await);
        let later = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            score.arrived("device-01", "a", MS);
        };
        let (complete, ()) = tokio::join!(score.complete(Duration::from_secs(5)), later);
        assert!(complete);
    }
}
