//! The deadline table of one connection: the one owner of "when".

use crate::time::Instant;

/// What a deadline is for. In the order in which those that are due at the same time are handled.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Timer {
    /// Client: CONNACK must have come. Server: CONNECT must have come, or be accepted.
    Connect,
    /// Client: PINGRESP must have come. Server: any packet must have come within 1.5 times the Keep Alive.
    PeerSilent,
    /// Client: a PINGREQ is due.
    Ping,
}

/// Deadlines, at most one for each [`Timer`].
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Timers {
    connect: Option<Instant>,
    peer_silent: Option<Instant>,
    ping: Option<Instant>,
}

impl Timers {
    /// Sets or moves a deadline.
    pub(crate) fn set(&mut self, timer: Timer, deadline: Instant) {
        *self.slot(timer) = Some(deadline);
    }

    /// Takes a deadline away.
    pub(crate) fn clear(&mut self, timer: Timer) {
        *self.slot(timer) = None;
    }

    /// When the earliest one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        [self.connect, self.peer_silent, self.ping]
            .into_iter()
            .flatten()
            .min()
    }

    /// Takes one that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        [Timer::Connect, Timer::PeerSilent, Timer::Ping]
            .into_iter()
            .find(|timer| {
                self.slot(*timer)
                    .take_if(|deadline| *deadline <= now)
                    .is_some()
            })
    }

    fn slot(&mut self, timer: Timer) -> &mut Option<Instant> {
        match timer {
            Timer::Connect => &mut self.connect,
            Timer::PeerSilent => &mut self.peer_silent,
            Timer::Ping => &mut self.ping,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_deadline_fires_once_and_not_before_its_time() {
        let mut timers = Timers::default();
        assert_eq!(timers.next(), None);
        timers.set(Timer::Ping, at(10));
        timers.set(Timer::Connect, at(20));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.take_due(at(9)), None);
        assert_eq!(timers.take_due(at(10)), Some(Timer::Ping));
        assert_eq!(timers.take_due(at(10)), None);
        timers.clear(Timer::Connect);
        assert_eq!(timers.next(), None);
    }
}
