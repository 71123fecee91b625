//! What a client tells about itself.

use std::time::Duration;

use mqtt_core::{Negotiated, PropertiesBuf, ProtocolVersion, ReasonCode};

use crate::error::ConnectError;

/// What a client is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// There is no connection, and none is tried: the task has not run yet, or there was nothing to do for
    /// [`Options::idle_disconnect`](crate::Options::idle_disconnect).
    Idle,
    /// Opening the transport, or waiting for CONNACK.
    Connecting,
    /// The server accepted the client.
    Connected,
    /// Waiting before it connects again.
    Backoff {
        /// How many attempts in a row have failed, or ended before they were stable.
        attempt: u32,
        /// How long it waits, from when it entered this state.
        delay: Duration,
        /// Why the last one failed or ended.
        error: ConnectError,
    },
    /// `close` was called: publishes are flushed, new ones refused.
    Closing,
    /// It ended and will not come back.
    Closed(CloseCause),
}

impl State {
    /// Whether the server accepted the client and the connection is up, as far as is known.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }

    /// Whether it ended for good.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// Why a client ended for good.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CloseCause {
    /// `close` was called, or the last handle was dropped.
    Requested,
    /// The reason for the last failure does not go away by trying again: refused credentials, banned, taken over by
    /// another client with the same identifier.
    Final(ConnectError),
    /// As many attempts failed as the options allow; this was the last one.
    GaveUp(ConnectError),
    /// The runtime stopped under it.
    RuntimeStopped,
    /// The handle belongs to the parent process.
    Forked,
}

impl CloseCause {
    /// What stood against the connection, if anything did.
    #[must_use]
    pub const fn error(&self) -> Option<&ConnectError> {
        match self {
            Self::Final(error) | Self::GaveUp(error) => Some(error),
            _ => None,
        }
    }
}

/// What the server said when it accepted the client, and what follows from it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connack {
    /// Where the connection leads.
    pub address: String,
    /// The version spoken: with [`Version::Auto`](crate::Version::Auto) it tells whether 3.1.1 had to do.
    pub version: ProtocolVersion,
    /// The Client Identifier in force, whoever chose it.
    pub client_id: String,
    /// Whether the server resumed a session (v5 3.2.2.1.1).
    pub session_present: bool,
    /// Its Reason Code: always a success here.
    pub reason: ReasonCode,
    /// The limits that hold for this connection.
    pub negotiated: Negotiated,
    /// The properties of CONNACK (5.0).
    pub properties: PropertiesBuf,
}

/// Counters and present values of a client, all since it was started.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Status {
    /// Publishes without an outcome: waiting, in flight, or being sent.
    pub queued_messages: usize,
    /// Bytes they hold.
    pub queued_bytes: usize,
    /// How many of them were handed to a connection.
    pub in_flight: usize,
    /// How long the oldest publish without an outcome has been waiting for it.
    pub oldest_pending: Option<Duration>,
    /// QoS 0 publishes written for a connection. One that breaks right then loses them.
    pub sent: u64,
    /// QoS 1 and 2 publishes acknowledged with a Reason Code below 0x80.
    pub acknowledged: u64,
    /// Publishes with any other outcome: refused, expired, dropped, or acknowledged with an error.
    pub failed: u64,
    /// How many of them were dropped because the queue was full.
    pub overflowed: u64,
    /// Messages received from the server.
    pub received: u64,
    /// Received messages that no stream took: QoS 0 for a full one, or for nobody.
    pub dropped: u64,
    /// Received messages that wait, unacknowledged, behind a full stream.
    pub held: usize,
    /// [`Ack`](crate::Ack)s that were dropped without an answer.
    pub unanswered: u64,
    /// How often the server accepted the client.
    pub connections: u64,
    /// How often the connection came back after it had been up.
    pub reconnects: u64,
    /// Subscriptions that the server had granted and refused when they were made anew.
    pub refused_again: u64,
    /// Where the client is connected, or was last.
    pub address: Option<String>,
    /// The limits of the present connection.
    pub negotiated: Option<Negotiated>,
    /// The last thing that went wrong with a connection.
    pub last_error: Option<String>,
}

/// What a flush found when it ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Flush {
    /// Publishes from before the flush that still have no outcome: 0 unless time ran out.
    pub pending: usize,
}

impl Flush {
    /// Whether everything had its outcome in time.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.pending == 0
    }
}
