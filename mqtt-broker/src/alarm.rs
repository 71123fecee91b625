//! One timer of a task whose deadline moves all the time.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use mqtt_core::Instant;
use tokio::time::{self, Sleep};

use crate::context::Clock;

/// Rings when a deadline is reached, and sometimes before.
///
/// A keep-alive deadline moves with every packet. Setting a timer anew costs more than handling a packet does, so one that
/// rings too early is left to ring: machines do not mind being asked early, and then it is set for the right time.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    set_for: Option<Instant>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self {
            sleep: Box::pin(time::sleep(time::Duration::ZERO)),
            set_for: None,
        }
    }

    /// From now on it rings at `deadline` at the latest.
    pub(crate) fn set(&mut self, clock: &Clock, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if self.set_for.is_none_or(|set_for| deadline < set_for) {
            self.set_for = Some(deadline);
            self.sleep.as_mut().reset(clock.at(deadline));
        }
    }

    /// Ready when it rings, and not if it was not set since it last did.
    pub(crate) fn poll_rung(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        if self.set_for.is_none() {
            return Poll::Pending;
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.set_for = None;
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::context::Context;
    use crate::options::Options;

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_the_earliest_deadline_and_once() {
        let context = Context::new(Options::default());
        let clock = &context.clock;
        let mut alarm = Alarm::new();
        let at = |seconds: u64| Some(Instant::from_millis(seconds * 1_000));
        let rings = async |alarm: &mut Alarm| {
            let rung = timeout(
                Duration::from_secs(1_000),
                poll_fn(|cx| alarm.poll_rung(cx)),
            )
            .await
            .is_ok();
            (rung, clock.now().as_millis() / 1_000)
        };
        alarm.set(clock, at(20));
        alarm.set(clock, at(10));
        alarm.set(clock, at(30));
        alarm.set(clock, None);
        assert_eq!(rings(&mut alarm).await, (true, 10));
        alarm.set(clock, at(30));
        // Given up and waited for again.
        let given_up = timeout(Duration::from_secs(5), poll_fn(|cx| alarm.poll_rung(cx)));
        assert!(given_up.await.is_err());
        assert_eq!(rings(&mut alarm).await, (true, 30));
        assert_eq!(rings(&mut alarm).await, (false, 1_030));
        // A deadline that has passed rings at once.
        alarm.set(clock, at(40));
        assert_eq!(rings(&mut alarm).await, (true, 1_030));
    }
}
