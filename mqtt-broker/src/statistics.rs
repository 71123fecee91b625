//! What a broker counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A reading of a broker's counters, taken by [`Broker::statistics`](crate::Broker::statistics).
///
/// Each number is exact; as they are read one after the other while work goes on, two of them may be a moment apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// Clients connected now.
    pub connections: u64,
    /// Connections now whose CONNECT has not been accepted yet, or that are being closed.
    pub pending_connections: u64,
    /// Clients accepted since the start.
    pub connections_accepted: u64,
    /// CONNECTs refused, and connections closed unheard because too many were pending.
    pub connections_refused: u64,
    /// Connections the broker ended because the client broke the protocol, was silent or was too slow.
    pub connections_failed: u64,
    /// Sessions now, those of connected clients included.
    pub sessions: u64,
    /// Subscriptions now.
    pub subscriptions: u64,
    /// Retained messages now.
    pub retained_messages: u64,
    /// Bytes of retained messages now.
    pub retained_bytes: u64,
    /// Bytes of messages waiting for sessions now.
    pub queued_bytes: u64,
    /// Messages received from clients and from [`Broker::publish`](crate::Broker::publish), Wills included.
    pub messages_in: u64,
    /// Messages handed to the connections of subscribers or to local subscriptions.
    pub messages_out: u64,
    /// Messages, counted per subscriber, that were dropped for lack of room, and retained messages that were refused.
    pub messages_dropped: u64,
    /// Messages that their client was not allowed to publish.
    pub messages_refused: u64,
    /// Messages that no subscription matched.
    pub messages_unmatched: u64,
    /// Bytes received from clients.
    pub bytes_in: u64,
    /// Bytes sent to clients.
    pub bytes_out: u64,
}

/// One number of [`Statistics`], as it is kept.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: usize) {
        self.0.fetch_add(amount as u64, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, amount: usize) {
        self.0.fetch_sub(amount as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds one unless that would pass `limit`.
    pub(crate) fn try_increment(&self, limit: usize) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < limit as u64).then_some(count + 1)
            })
            .is_ok()
    }
}

/// The counters that no table can be asked for.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: Counter,
    pub(crate) pending_connections: Counter,
    pub(crate) connections_accepted: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) connections_failed: Counter,
    pub(crate) queued_bytes: Counter,
    pub(crate) messages_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) messages_dropped: Counter,
    pub(crate) messages_refused: Counter,
    pub(crate) messages_unmatched: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
}
