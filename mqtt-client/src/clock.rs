//! The one clock of a client's task.

use std::time::Duration;

use tokio::time::Instant;

/// `wait` from now; so far away that it never comes, if the clock does not reach that far.
pub(crate) fn from_now(wait: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
    let now = Instant::now();
    now.checked_add(wait).unwrap_or_else(|| now + NEVER)
}

/// Turns tokio's time, which tests can pause, into the machine's: milliseconds since this clock was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> mqtt_core::Instant {
        self.at(Instant::now())
    }

    pub(crate) fn at(self, time: Instant) -> mqtt_core::Instant {
        let millis = time.saturating_duration_since(self.start).as_millis();
        mqtt_core::Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// When the machine's `deadline` is; the timer may fire up to a millisecond late, never early.
    pub(crate) fn when(self, deadline: mqtt_core::Instant) -> Instant {
        self.start + Duration::from_millis(deadline.as_millis())
    }
}
