//! What every part of one broker shares: its options, its counters and its clock.

use std::time::Duration;

use mqtt_core::Instant;
use tokio::time;

use crate::door::Door;
use crate::expiry::Expiries;
use crate::options::Options;
use crate::statistics::Counters;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) counters: Counters,
    pub(crate) door: Door,
    pub(crate) clock: Clock,
    pub(crate) expiries: Expiries,
}

impl Context {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            counters: Counters::default(),
            door: Door::default(),
            clock: Clock::new(),
            expiries: Expiries::default(),
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

    /// A deadline on tokio's clock.
    pub(crate) fn at(&self, deadline: Instant) -> time::Instant {
        // What is too far away to be named is as good as thirty years, which is what tokio does too.
        let far = Duration::from_secs(30 * 365 * 24 * 60 * 60);
        let since_epoch = Duration::from_millis(deadline.as_millis()).min(far);
        self.epoch + since_epoch
    }

    /// Waits until `deadline`, for ever if there is none.
    pub(crate) async fn sleep_until(&self, deadline: Option<Instant>) {
        match deadline {
            Some(deadline) => time::sleep_until(self.at(deadline)).await,
            None => std::future::pending().await,
        }
    }
}
