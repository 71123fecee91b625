//! The states of a client's connection and every legal transition between them.
//!
//! ```text
//!            connect                 CONNACK, success
//!   Idle ---------------> Connecting -----------------> Connected
//!                          ^     |                          |
//!                  connect |     | refused, timeout, fault, | disconnect, DISCONNECT, timeout,
//!                          |     | closed, disconnect       | fault, closed
//!                          |     v                          |
//!                          +-- Closed <---------------------+
//! ```
//!
//! `Closed` still hands out the last DISCONNECT, if one is due; nothing may follow it on that connection
//! [v5 MQTT-3.14.4-1, v311 MQTT-3.14.4-2].

use alloc::{boxed::Box, string::String};
use core::fmt;

use crate::flow::{Link, Negotiated};

/// Where a connection stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum State {
    /// No connection was begun.
    Idle,
    /// CONNECT is on its way; CONNACK has not come.
    Connecting,
    /// The server accepted the connection.
    Connected,
    /// The connection is over. The transport is to be closed after what `poll_transmit` still gives was written.
    Closed,
}

/// A connection that waits for CONNACK.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(super) struct Connecting {
    /// The CONNECT, until it is written.
    pub(super) packet: Option<Box<[u8]>>,
    pub(super) client_id: String,
    pub(super) clean_start: bool,
    /// What the CONNECT asked for and offered. The CONNACK completes it.
    pub(super) offered: Negotiated,
}

impl fmt::Debug for Connecting {
    // The packet holds the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting")
            .field("is_written", &self.packet.is_none())
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("offered", &self.offered)
            .finish_non_exhaustive()
    }
}

/// The state and what belongs to it alone.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Lifecycle {
    #[default]
    Idle,
    Connecting(Box<Connecting>),
    Connected(Box<Link>),
    Closed {
        /// The DISCONNECT to be written before the transport is closed.
        farewell: Option<Box<[u8]>>,
    },
}

impl Lifecycle {
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Idle => State::Idle,
            Self::Connecting(_) => State::Connecting,
            Self::Connected(_) => State::Connected,
            Self::Closed { .. } => State::Closed,
        }
    }

    /// Whether a connection is being made or exists.
    pub(super) const fn is_live(&self) -> bool {
        matches!(self, Self::Connecting(_) | Self::Connected(_))
    }

    /// Idle or Closed to Connecting. Whether it may is the caller's question, by [`Lifecycle::is_live`].
    pub(super) fn begin(&mut self, connecting: Connecting) {
        debug_assert!(!self.is_live());
        *self = Self::Connecting(Box::new(connecting));
    }

    /// Connecting to Connected.
    pub(super) fn establish(&mut self, link: Link) {
        debug_assert!(matches!(self, Self::Connecting(_)));
        *self = Self::Connected(Box::new(link));
    }

    /// Connecting or Connected to Closed. Of a CONNECT that was not written nothing is written any more, nor a DISCONNECT
    /// after it. Gives back what the connection had agreed on.
    pub(super) fn close(&mut self, farewell: Option<Box<[u8]>>) -> Option<Negotiated> {
        let (agreed, farewell) = match self {
            Self::Connecting(connecting) if connecting.packet.is_some() => (None, None),
            Self::Connecting(_) => (None, farewell),
            Self::Connected(link) => (Some(*link.negotiated()), farewell),
            Self::Idle | Self::Closed { .. } => return None,
        };
        *self = Self::Closed { farewell };
        agreed
    }
}
