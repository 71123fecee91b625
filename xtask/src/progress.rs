//! What somebody sees while a step runs: a line that moves in a terminal, a line now and then in a log.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Without a terminal, this often a running step says that it is still alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Longest part of a line of output that is shown.
const SHOWN: usize = 90;

/// The sign of life of one step. Ends with [`Progress::done`], or silently when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    started: Instant,
    last_sign: Instant,
    last_line: String,
}

impl Progress {
    /// Begins a step called `name`.
    pub(crate) fn start(name: &str) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {wide_msg}")
                .expect("the template is a constant and was tried");
            let bar = ProgressBar::new_spinner()
                .with_style(style)
                .with_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let now = Instant::now();
        Self {
            name: name.to_owned(),
            bar,
            started: now,
            last_sign: now,
            last_line: String::new(),
        }
    }

    /// A step too short to be worth showing.
    pub(crate) fn silent() -> Self {
        let now = Instant::now();
        Self {
            name: String::new(),
            bar: None,
            started: now,
            last_sign: now,
            last_line: String::new(),
        }
    }

    /// How long the step has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The newest line of output of what is being run.
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        self.last_line = line.chars().take(SHOWN).collect();
        if let Some(bar) = &self.bar {
            bar.set_message(self.last_line.clone());
        }
    }

    /// To be called at least every few seconds.
    pub(crate) fn tick(&mut self) {
        if self.bar.is_none() && !self.name.is_empty() && self.last_sign.elapsed() >= SIGN_OF_LIFE {
            self.last_sign = Instant::now();
            eprintln!(
                "    … {}, {} so far: {}",
                self.name,
                seconds(self.elapsed()),
                self.last_line
            );
        }
    }

    /// Ends the moving line and prints `result` in its place.
    pub(crate) fn done(self, result: &str) {
        self.clear();
        println!("{result}");
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A duration as people read it: `0.4 s`, `75 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_have_a_fraction_and_long_ones_have_none() {
        assert_eq!(seconds(Duration::from_millis(420)), "0.4 s");
        assert_eq!(seconds(Duration::from_millis(74_900)), "75 s");
    }
}
