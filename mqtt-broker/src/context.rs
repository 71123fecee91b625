//! What every part of one broker shares: its options, its counters and its clock.

use std::time::Duration;

use mqtt_core::Instant;
use tokio::time;

use crate::options::Options;
use crate::statistics::Counters;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) counters: Counters,
    pub(crate) clock: Clock,
}

impl Context {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            counters: Counters::default(),
            clock: Clock::new(),
        }
    }
}

/// The one clock of a broker. It follows tokio's, which tests can stop.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: time::Instant,
}

impl Clock {
    fn new() -> Self {
        Self {
            epoch: time::Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        let millis = self.epoch.elapsed().as_millis();
        Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Waits until `deadline`, for ever if there is none.
    pub(crate) async fn sleep_until(&self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        // A deadline in milliseconds is reached a little late rather than early, or the loop around this would spin.
        match self
            .epoch
            .checked_add(Duration::from_millis(deadline.as_millis()))
        {
            Some(at) => time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}
