//! Time as a value: the core is told what time it is and never asks.

use core::{
    ops::{Add, AddAssign},
    time::Duration,
};

/// A point in time: whole milliseconds since an epoch that the caller chose.
///
/// The epoch must be the same for everything that is given to one machine, and time must not run backwards. All
/// arithmetic saturates, so a deadline of hundreds of millions of years is "never" and not a panic.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Instant(u64);

impl Instant {
    /// The point in time `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`, or zero if `earlier` is later than this.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Adds a duration rounded **up** to whole milliseconds, so that a deadline is never early.
    fn add(self, duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self(
            self.0
                .saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)),
        )
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_saturates_and_rounds_up() {
        let start = Instant::from_millis(5);
        assert_eq!(start + Duration::from_millis(7), Instant::from_millis(12));
        assert_eq!(start + Duration::from_nanos(1), Instant::from_millis(6));
        assert_eq!(start + Duration::MAX, Instant::from_millis(u64::MAX));
        assert_eq!(
            start.saturating_duration_since(start + Duration::from_secs(1)),
            Duration::ZERO
        );
        assert_eq!(
            (start + Duration::from_secs(1)).saturating_duration_since(start),
            Duration::from_secs(1)
        );
    }
}
