//! Time, instructions and allocations of all groups.

use std::{env, fs, hint::black_box, path::Path, process::Command, time::Duration};

use crate::{
    allocations,
    groups::{Group, Run},
};

/// How long one contestant works before it is the next one's turn.
const SLICE: Duration = Duration::from_micros(100);
/// How often it is everyone's turn in one pass.
const SLICES: usize = 300;
/// How often all groups are gone through.
const PASSES: usize = 2;
/// Rounds of the two counts whose difference is free of what is done once.
const COUNTED: [u32; 2] = [4, 12];

/// What one contestant needs for one packet.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Nanoseconds: the lower of the medians of the passes.
    pub ns: f64,
    /// The largest of these medians by the smallest.
    pub spread: f64,
    /// Instructions, if they were counted.
    pub instructions: Option<f64>,
    pub allocations: f64,
}

/// Measures all groups; the figures are in the order of the contestants. `instructions` are of [`instructions`].
#[must_use]
pub fn all(groups: &mut [Group], instructions: &[f64]) -> Vec<Vec<Figure>> {
    let passes: [Vec<Vec<f64>>; PASSES] =
        std::array::from_fn(|_| groups.iter_mut().map(times).collect());
    let mut instructions = instructions.iter();
    let mut figures = Vec::new();
    for (index, group) in groups.iter_mut().enumerate() {
        let count = f64::from(group.case.count());
        let mut row = Vec::new();
        for (place, contestant) in group.contestants.iter_mut().enumerate() {
            let medians = passes.each_ref().map(|pass| pass[index][place] / count);
            let ns = medians.iter().copied().fold(f64::INFINITY, f64::min);
            let most = medians.iter().copied().fold(0.0, f64::max);
            let allocations = COUNTED.map(|rounds| {
                let before = allocations::so_far();
                (contestant.run)(rounds);
                allocations::so_far() - before
            });
            row.push(Figure {
                ns,
                spread: most / ns,
                instructions: instructions.next().map(|each| each / count),
                allocations: slope(allocations) / count,
            });
        }
        figures.push(row);
    }
    figures
}

/// Does every round once or twice, so that what goes wrong shows.
pub fn try_all(groups: &mut [Group]) {
    for group in groups {
        for contestant in &mut group.contestants {
            (contestant.run)(2);
        }
    }
}

/// Nanoseconds of one round of each contestant: medians over many short turns, so that what disturbs one disturbs all.
fn times(group: &mut Group) -> Vec<f64> {
    let rounds: Vec<u32> = group
        .contestants
        .iter_mut()
        .map(|contestant| calibrate(&mut contestant.run))
        .collect();
    let mut turns = vec![Vec::with_capacity(SLICES); rounds.len()];
    for _ in 0..SLICES {
        for (place, contestant) in group.contestants.iter_mut().enumerate() {
            let took = (contestant.run)(rounds[place]);
            turns[place].push(took.as_secs_f64() * 1e9 / f64::from(rounds[place]));
        }
    }
    turns.into_iter().map(median).collect()
}

/// Rounds that fill a slice.
fn calibrate(run: &mut Run) -> u32 {
    let mut rounds = 1;
    while run(rounds) < SLICE && rounds < 1 << 20 {
        rounds *= 2;
    }
    rounds
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn slope([less, more]: [u64; 2]) -> f64 {
    (more as f64 - less as f64) / f64::from(COUNTED[1] - COUNTED[0])
}

/// What callgrind watches: nothing outside of it counts.
#[inline(never)]
fn counted_rounds(run: &mut Run, rounds: u32) {
    black_box(run(rounds));
}

/// Where callgrind writes a report on what was counted so far, and begins anew.
#[inline(never)]
fn next_report() {
    black_box(());
}

/// The part of [`instructions`] that runs under callgrind.
pub fn run_counted(groups: &mut [Group]) {
    for group in groups {
        for contestant in &mut group.contestants {
            (contestant.run)(2);
            for rounds in COUNTED {
                next_report();
                counted_rounds(&mut contestant.run, rounds);
            }
        }
    }
    next_report();
}

/// The instructions of one round of each contestant of all groups, counted by this program under callgrind, started with
/// `argument`. Files are written into `folder`.
///
/// # Errors
/// If valgrind cannot be run, or does not count what it should.
pub fn instructions(contestants: usize, folder: &Path, argument: &str) -> Result<Vec<f64>, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let reports = folder.join("callgrind.out");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .args([
            "--toggle-collect=*counted_rounds*",
            "--dump-before=*next_report*",
        ])
        .arg(format!("--callgrind-out-file={}", reports.display()))
        .arg(program)
        .arg(argument)
        .status()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    if !status.success() {
        return Err(format!("valgrind ended with {status}"));
    }
    let mut counts = Vec::new();
    for number in 1..=contestants * COUNTED.len() {
        // The first is written before anything was counted.
        let number = number + 1;
        let report = reports.with_extension(format!("out.{number}"));
        let text = fs::read_to_string(&report)
            .map_err(|error| format!("cannot read {}: {error}", report.display()))?;
        counts.push(total(&text).ok_or_else(|| format!("no total in {}", report.display()))?);
    }
    Ok(counts
        .chunks_exact(COUNTED.len())
        .map(|pair| slope([pair[0], pair[1]]))
        .collect())
}

fn total(report: &str) -> Option<u64> {
    let mut lines = report.lines();
    lines.find_map(|line| {
        let count = line
            .strip_prefix("totals:")
            .or(line.strip_prefix("summary:"))?;
        count.trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_report_is_found() {
        assert_eq!(
            total("version: 1\nsummary: 4711\n\nfn=x\n1 2\n"),
            Some(4711)
        );
        assert_eq!(total("events: Ir\ntotals: 12\n"), Some(12));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn the_middle_one_counts() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
    }
}
