//! What the owner of a server chooses for each connection before a client says anything.

use core::time::Duration;

use crate::{flow::Acknowledge, types::MaximumPacketSize};

/// What one connection may use, and how it behaves. `Default` suits a server on an open network.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ServerLimits {
    /// How long the CONNECT may take to come, counted from [`Server::new`](super::Server::new) (v5 3.1.4). Default: 10 s.
    pub connect_timeout: Duration,
    /// The largest packet taken before a CONNECT is accepted; afterwards
    /// [`Accept::maximum_packet_size`](super::Accept::maximum_packet_size) counts. Default: 256 KiB.
    pub connect_maximum_packet_size: MaximumPacketSize,
    /// Events that may wait before no more input is taken; 0 is taken as 1. Default: 1,024.
    pub max_events: usize,
    /// Bytes that waiting events may hold, likewise, and those that SUBSCRIBE and UNSUBSCRIBE packets may hold until they
    /// are answered. One more packet may go above it. Default: 1 MiB.
    pub max_event_bytes: usize,
    /// SUBSCRIBE and UNSUBSCRIBE packets that may wait for the owner's answer, likewise. Default: 64.
    pub max_pending_requests: usize,
    /// Who acknowledges received messages. Default: the machine.
    pub acknowledge: Acknowledge,
    /// Whether control characters and non-characters in strings are refused, as the standard permits (v5 1.5.4).
    /// Default: they are taken, since a client that subscribes cannot help what others publish.
    pub strict_text: bool,
    /// Whether the DISCONNECT that answers a fault of the client says in words what it was: in a Reason String, with the rule
    /// that was broken (v5 3.14.2.2.3). Default: the Reason Code has to do.
    pub explain_faults: bool,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            connect_maximum_packet_size: DEFAULT_CONNECT_MAXIMUM_PACKET_SIZE,
            max_events: 1_024,
            max_event_bytes: 1 << 20,
            max_pending_requests: 64,
            acknowledge: Acknowledge::Automatic,
            strict_text: false,
            explain_faults: false,
        }
    }
}

const DEFAULT_CONNECT_MAXIMUM_PACKET_SIZE: MaximumPacketSize =
    match MaximumPacketSize::new(256 * 1_024) {
        Some(size) => size,
        None => unreachable!(),
    };
