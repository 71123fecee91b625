//! Messages of a resumed session that came before anybody had subscribed.
//!
//! A server that resumes a session sends what it kept as soon as it accepted the client, which is before the application's
//! first `subscribe` call can have been made. Acknowledging and dropping these would lose exactly the messages for which
//! the session was kept, so they wait, unacknowledged and bounded, for a subscription that wants them.

use std::collections::VecDeque;

use mqtt_core::AckToken;

use super::Arrival;
use crate::options::Options;

pub(super) struct Unrouted {
    arrivals: VecDeque<Arrival>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
    holding: bool,
}

impl Unrouted {
    pub(super) fn new(options: &Options) -> Self {
        // They use up the Receive Maximum; some of it must stay for messages that somebody wants.
        let max_messages = usize::from(options.receive_maximum)
            .div_ceil(2)
            .min(options.stream_max_messages);
        Self {
            arrivals: VecDeque::new(),
            bytes: 0,
            max_messages,
            max_bytes: options.stream_max_bytes,
            holding: false,
        }
    }

    /// A session was resumed, so that there may be messages for subscriptions that are yet to be made.
    pub(super) const fn hold_from_now_on(&mut self) {
        self.holding = true;
    }

    /// Keeps a message that nobody has subscribed to, and returns those given up for good.
    pub(super) fn keep(&mut self, arrival: Arrival) -> Vec<Arrival> {
        if !self.holding || arrival.token.is_none() {
            return vec![arrival];
        }
        self.bytes += arrival.message.held_bytes();
        self.arrivals.push_back(arrival);
        let mut given_up = Vec::new();
        while self.arrivals.len() > self.max_messages || self.bytes > self.max_bytes {
            let Some(oldest) = self.arrivals.pop_front() else {
                break;
            };
            self.bytes -= oldest.message.held_bytes();
            tracing::warn!(
                topic = oldest.message.topic().as_str(),
                "gave up a message that nobody subscribed to"
            );
            given_up.push(oldest);
        }
        given_up
    }

    /// All of them, in the order of arrival, to be routed again.
    pub(super) fn take(&mut self) -> VecDeque<Arrival> {
        self.bytes = 0;
        std::mem::take(&mut self.arrivals)
    }

    pub(super) fn forget(&mut self, is_stale: impl Fn(AckToken) -> bool) {
        self.arrivals
            .retain(|arrival| !arrival.token.is_some_and(&is_stale));
        self.bytes = self
            .arrivals
            .iter()
            .map(|arrival| arrival.message.held_bytes())
            .sum();
    }
}
