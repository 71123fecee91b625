//! Keep Alive of a client, both ways: when a PINGREQ is due, and when the server counts as dead.
//!
//! - A PINGREQ is due when nothing was handed to the transport for the interval [v5 MQTT-3.1.2-20, v311 MQTT-3.1.2-23], and
//!   also when nothing was *received* for it: a half-open connection takes bytes for a long time and answers none.
//! - Sending is counted from the last byte handed to the transport, not the last packet queued: a queue that cannot drain
//!   must not look like traffic.
//! - After a PINGREQ was handed over, any received byte is life, the beginning of a large packet too.

use core::time::Duration;

use crate::{
    flow::{Timer, Timers},
    time::Instant,
    types::KeepAlive,
};

/// A PINGREQ is sent this much before it must be, or a quarter of the Keep Alive before if that is less.
const EARLY: Duration = Duration::from_secs(5);

/// Where the newest PINGREQ is, on its way to the transport.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Ping {
    /// None is on its way.
    Idle,
    /// It waits to be written.
    Queued,
    /// It is among the next `ahead` bytes of the output.
    Written { ahead: usize },
}

/// See the module.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct KeepAliveWatch {
    interval: Option<Duration>,
    timeout: Duration,
    ping: Ping,
    /// A PINGREQ was handed to the transport, and PINGRESP has not come.
    is_unanswered: bool,
    last_sent: Instant,
    last_received: Instant,
    /// Length of the output when it was last seen.
    output_len: usize,
    paused: bool,
}

impl KeepAliveWatch {
    /// For a new connection. Until [`KeepAliveWatch::start`] it only measures.
    pub(super) fn new(now: Instant, timeout: Duration) -> Self {
        Self {
            interval: None,
            timeout,
            ping: Ping::Idle,
            is_unanswered: false,
            last_sent: now,
            last_received: now,
            output_len: 0,
            paused: false,
        }
    }

    /// The server accepted the connection with this Keep Alive.
    pub(super) fn start(&mut self, now: Instant, keep_alive: KeepAlive, timers: &mut Timers) {
        self.interval = keep_alive
            .interval()
            .map(|interval| interval - EARLY.min(interval / 4));
        self.last_received = now;
        self.arm(timers);
    }

    /// The connection is over.
    pub(super) fn stop(&mut self) {
        self.interval = None;
        self.ping = Ping::Idle;
        self.is_unanswered = false;
    }

    /// The output as it is before more is appended: what is gone from it was handed to the transport.
    pub(super) fn before_append(&mut self, now: Instant, output_len: usize, timers: &mut Timers) {
        let gone = self.output_len.saturating_sub(output_len);
        self.output_len = output_len;
        if gone == 0 {
            return;
        }
        self.last_sent = now;
        if let Ping::Written { ahead } = &mut self.ping {
            *ahead = ahead.saturating_sub(gone);
            if *ahead == 0 {
                self.ping = Ping::Idle;
                // Where an earlier one is unanswered already, this one gives no more time.
                if !self.is_unanswered {
                    self.is_unanswered = true;
                    self.expect_answer(now, timers);
                }
            }
        }
        // As long as bytes leave, those in front of the PINGREQ are not what the server is to blame for.
        if self.ping != Ping::Idle && !self.is_unanswered {
            self.expect_answer(now, timers);
        }
        self.arm(timers);
    }

    /// The output after more was appended, and whether a PINGREQ was among it.
    pub(super) fn after_append(
        &mut self,
        now: Instant,
        output_len: usize,
        has_pingreq: bool,
        timers: &mut Timers,
    ) {
        // What is appended to an empty output is handed over at once, as far as anybody can tell. What is appended to one
        // that is not drained is not.
        if self.output_len == 0 && output_len > 0 {
            self.last_sent = now;
            self.arm(timers);
        }
        if has_pingreq {
            self.ping = Ping::Written { ahead: output_len };
        }
        self.output_len = output_len;
    }

    /// Bytes came.
    pub(super) fn received(&mut self, now: Instant, timers: &mut Timers) {
        self.last_received = now;
        if self.is_expected() {
            self.expect_answer(now, timers);
        }
        self.arm(timers);
    }

    /// A PINGRESP came. The next PINGREQ, where it is on its way already, has its own time.
    pub(super) fn pingresp(&mut self, timers: &mut Timers) {
        self.is_unanswered = false;
        if !self.is_expected() {
            timers.clear(Timer::PeerSilent);
        }
        self.arm(timers);
    }

    /// The PINGREQ is due. `true` if one is to be queued: not while the last one has not even been handed over.
    pub(super) fn ping_due(&mut self, now: Instant, timers: &mut Timers) -> bool {
        if self.ping != Ping::Idle {
            return false;
        }
        if !self.is_unanswered {
            self.expect_answer(now, timers);
        }
        self.ping = Ping::Queued;
        true
    }

    /// The driver stops reading by its own choice: an answer that was not read does not count as missing.
    pub(super) fn pause(&mut self, timers: &mut Timers) {
        self.paused = true;
        timers.clear(Timer::PeerSilent);
    }

    /// It reads again.
    pub(super) fn resume(&mut self, now: Instant, timers: &mut Timers) {
        self.paused = false;
        self.last_received = now;
        if self.is_expected() {
            self.expect_answer(now, timers);
        }
        self.arm(timers);
    }

    /// Whether a PINGRESP is to come.
    fn is_expected(&self) -> bool {
        self.is_unanswered || self.ping != Ping::Idle
    }

    /// The server has the whole timeout from now on. While reading is paused there is no such deadline.
    fn expect_answer(&self, now: Instant, timers: &mut Timers) {
        if !self.paused {
            timers.set(Timer::PeerSilent, now + self.timeout);
        }
    }

    fn arm(&self, timers: &mut Timers) {
        let Some(interval) = self.interval else {
            return;
        };
        match self.ping {
            // Its way out is watched by the other deadline.
            Ping::Queued | Ping::Written { .. } => timers.clear(Timer::Ping),
            // The server has its deadline, but we still must not be silent for longer than the Keep Alive.
            Ping::Idle if self.is_unanswered => timers.set(Timer::Ping, self.last_sent + interval),
            Ping::Idle => timers.set(
                Timer::Ping,
                self.last_sent.min(self.last_received) + interval,
            ),
        }
    }
}
