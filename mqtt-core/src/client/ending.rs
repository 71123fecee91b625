//! The end of a connection, whoever ends it.

use alloc::boxed::Box;

use super::{Client, DisconnectCause, Event, connect::into_bytes, lifecycle::Lifecycle};
use crate::{
    encoder::Encoder,
    flow::Timers,
    packet::{Disconnect, Packet},
    types::{PacketType, ReasonCode, Role, SessionExpiry},
    wire::{Output, Properties, Property},
};

/// Why a DISCONNECT was not queued. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// There is no connection.
    #[error("not connected")]
    NotConnected,
    /// A client may not send this Reason Code in a DISCONNECT; in 3.x it sends none, so only success is taken.
    #[error("a client cannot disconnect with {0}")]
    ReasonNotAllowed(ReasonCode),
    /// DISCONNECT may not raise the Session Expiry Interval from 0 (v5 3.14.2.2.2), and in 3.x it has none.
    #[error("the session expiry interval cannot be changed")]
    SessionExpiry,
}

impl Client {
    pub(super) fn end(
        &mut self,
        reason: ReasonCode,
        session_expiry: Option<SessionExpiry>,
    ) -> Result<(), DisconnectError> {
        let (version, agreed) = match &self.lifecycle {
            Lifecycle::Connecting(connecting) => (
                connecting.offered.version,
                connecting.offered.session_expiry,
            ),
            Lifecycle::Connected(link) => {
                (link.negotiated().version, link.negotiated().session_expiry)
            }
            Lifecycle::Idle | Lifecycle::Closed { .. } => {
                return Err(DisconnectError::NotConnected);
            }
        };
        let allowed = if version.is_v5() {
            reason.allowed_in(PacketType::Disconnect, Role::Client)
        } else {
            reason == ReasonCode::NORMAL_DISCONNECTION
        };
        if !allowed {
            return Err(DisconnectError::ReasonNotAllowed(reason));
        }
        if let Some(expiry) = session_expiry {
            let raised = agreed == SessionExpiry::AT_CLOSE && expiry != SessionExpiry::AT_CLOSE;
            if raised || !version.is_v5() {
                return Err(DisconnectError::SessionExpiry);
            }
        }
        let property = session_expiry.map(Property::SessionExpiryInterval);
        let farewell = Disconnect {
            reason,
            properties: Properties::new(property.as_slice()),
        };
        self.close(Some(&farewell), DisconnectCause::Requested(reason));
        if session_expiry == Some(SessionExpiry::AT_CLOSE) {
            self.session.end();
        }
        Ok(())
    }

    /// The server's fault: it is told why, where the version lets it [v5 4.13.1]. In 3.x a DISCONNECT would delete the Will.
    pub(super) fn fail(&mut self, cause: DisconnectCause) {
        let reason = match &cause {
            DisconnectCause::Malformed(error) => error.reason_code(),
            DisconnectCause::Protocol(error) => error.reason_code(),
            _ => return self.close(None, cause),
        };
        let allowed = reason.allowed_in(PacketType::Disconnect, Role::Client);
        let reason = if allowed {
            reason
        } else {
            ReasonCode::PROTOCOL_ERROR
        };
        let farewell = Disconnect {
            reason,
            properties: Properties::EMPTY,
        };
        self.close(Some(&farewell).filter(|_| self.is_v5()), cause);
    }

    fn is_v5(&self) -> bool {
        match &self.lifecycle {
            Lifecycle::Connecting(connecting) => connecting.offered.version.is_v5(),
            Lifecycle::Connected(link) => link.negotiated().version.is_v5(),
            Lifecycle::Idle | Lifecycle::Closed { .. } => false,
        }
    }

    /// Ends the connection, if there is one. What does not outlive it goes; the session stays.
    pub(super) fn close(&mut self, farewell: Option<&Disconnect<'_>>, cause: DisconnectCause) {
        if !self.lifecycle.is_live() {
            return;
        }
        let farewell = farewell.map(|disconnect| self.last_words(disconnect));
        let agreed = self.lifecycle.close(farewell);
        if agreed.is_some_and(|negotiated| negotiated.session_expiry == SessionExpiry::AT_CLOSE) {
            self.session.end();
        }
        let packet_ids = &mut self.session.packet_ids;
        self.requests.clear(|packet_id| packet_ids.free(packet_id));
        self.timers = Timers::default();
        self.keep_alive.stop();
        self.events.push(Event::Disconnected(cause));
    }

    /// The answers that wait, so that nothing that was taken comes again, and the DISCONNECT. A server whose limit is too
    /// small for it gets none.
    fn last_words(&mut self, disconnect: &Disconnect<'_>) -> Box<[u8]> {
        let mut output = Output::new();
        let encoder = match &mut self.lifecycle {
            Lifecycle::Connected(link) => {
                link.flush_answers(&mut output);
                link.encoder()
            }
            Lifecycle::Connecting(connecting) => Encoder {
                maximum_packet_size: connecting.offered.peer_maximum_packet_size,
                ..Encoder::new(connecting.offered.version, Role::Client)
            },
            Lifecycle::Idle | Lifecycle::Closed { .. } => return Box::default(),
        };
        let _ = encoder.encode(&Packet::Disconnect(*disconnect), &mut output);
        into_bytes(output)
    }
}
