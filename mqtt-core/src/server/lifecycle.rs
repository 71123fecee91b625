//! The life of one connection, and what can be said to a client whose CONNECT never made it one.
//!
//! ```text
//!                        CONNECT             accept
//! AwaitingConnect ------------------> Pending --------> Connected
//!        |                               |                  |
//!        | timeout, bad bytes, close     | refuse, close    | DISCONNECT, violation, timeout, close, disconnect
//!        +-------------------------------+------------------+-----> Ended
//! ```
//!
//! Input is read while the state is `AwaitingConnect` or `Connected`, left alone while it is `Pending`, and thrown away
//! once it is `Ended`. Exactly one `Event::Disconnected` is raised, on entering `Ended`.

use alloc::boxed::Box;

use super::{
    ServerLimits, accept::Pending, encode, event::DisconnectCause, requests::Requests, taken,
};
use crate::{
    decoder::Decoder,
    encoder::Encoder,
    error::DecodeError,
    flow::{AckError, AckReason, AckToken, HIGH_WATER, Link, Session},
    packet::{Connack, Disconnect, Packet},
    types::{PacketType, ReasonCode, Role, SessionExpiry, Utf8},
    version::ProtocolVersion,
    wire::{Output, Properties, Property},
};

/// Where a connection stands; see the module.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum State {
    AwaitingConnect,
    Pending(Box<Pending>),
    Connected(Box<Connection>),
    Ended,
}

/// What lasts from the acceptance to the end of the Network Connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Connection {
    pub(super) link: Link,
    /// What the CONNECT asked for, on which it depends what a DISCONNECT may change (v5 3.14.2.2.2).
    pub(super) requested_session_expiry: SessionExpiry,
    /// SUBSCRIBE and UNSUBSCRIBE that their owner has not answered.
    pub(super) requests: Requests,
    /// Messages that their owner has not acknowledged.
    pub(super) unacknowledged: usize,
    /// Names this connection in the tokens of its messages.
    epoch: u32,
}

/// The last packet of a connection.
#[derive(Debug)]
pub(super) enum Last {
    /// A DISCONNECT with this code, where the version has one.
    Reason(ReasonCode),
    /// This packet.
    Packet(Box<[u8]>),
}

/// Why a connection ends, and what is to be said and done about it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) cause: DisconnectCause,
    /// What is said last.
    pub(super) last: Option<Last>,
    pub(super) publish_will: bool,
    /// Where it is not what was agreed.
    pub(super) session_expiry: Option<SessionExpiry>,
}

impl End {
    /// An end without a word, after which the Will is published.
    pub(super) const fn new(cause: DisconnectCause) -> Self {
        Self {
            cause,
            last: None,
            publish_will: true,
            session_expiry: None,
        }
    }

    pub(super) fn invalid_packet(error: DecodeError) -> Self {
        Self::new(DisconnectCause::InvalidPacket(error)).with_answer(error.reason_code())
    }

    pub(super) fn with_answer(self, reason: ReasonCode) -> Self {
        Self {
            last: Some(Last::Reason(reason)),
            ..self
        }
    }
}

impl Connection {
    pub(super) fn new(link: Link, requested_session_expiry: SessionExpiry, epoch: u32) -> Self {
        Self {
            link,
            requested_session_expiry,
            requests: Requests::default(),
            unacknowledged: 0,
            epoch,
        }
    }

    pub(super) const fn version(&self) -> ProtocolVersion {
        self.link.negotiated().version
    }

    /// Whether so much waits for the owner's answer that nothing more may be taken from the client.
    ///
    /// In 5.0 the client keeps to our Receive Maximum or is thrown out. In 3.x it knows of none, so reading stops there.
    pub(super) fn waits_for_owner(&self, limits: &ServerLimits) -> bool {
        let maximum = usize::from(self.link.negotiated().own_receive_maximum.get());
        self.requests.is_full(limits) || (!self.version().is_v5() && self.unacknowledged >= maximum)
    }

    /// Whether so many answers wait for the client to read that nothing more may be taken from it.
    pub(super) fn is_congested(&self) -> bool {
        self.link.is_congested() || self.link.encoded_bytes() > HIGH_WATER
    }

    pub(super) fn acknowledge(
        &mut self,
        session: &mut Session,
        token: AckToken,
        reason: AckReason,
    ) -> Result<(), AckError> {
        // The acknowledgements of 3.x say one thing only.
        let reason = if self.version().is_v5() {
            reason
        } else {
            AckReason::SUCCESS
        };
        self.link.acknowledge(session, token, reason)?;
        if token.epoch() == self.epoch {
            self.unacknowledged = self.unacknowledged.saturating_sub(1);
        }
        Ok(())
    }

    /// What is left to say: the answers that wait, the CONNACK among them if it was not sent, which must come before any
    /// DISCONNECT [v5 MQTT-3.14.0-1], and then that DISCONNECT. `explanation` is a Reason String for it: DISCONNECT may have
    /// one whatever the client said of Problem Information (v5 3.1.2.11.7).
    pub(super) fn last_words(
        &mut self,
        last: Option<Last>,
        explanation: Option<&str>,
    ) -> Option<Box<[u8]>> {
        let mut output = Output::new();
        self.link.flush_answers(&mut output);
        match last {
            Some(Last::Reason(reason)) if self.version().is_v5() => {
                // Not every code of an error may stand in DISCONNECT.
                let allowed = reason.allowed_in(PacketType::Disconnect, Role::Server);
                let reason = if allowed {
                    reason
                } else {
                    ReasonCode::PROTOCOL_ERROR
                };
                let explanation = explanation.and_then(|text| Utf8::new(text).ok());
                let explanation = explanation.map(Property::ReasonString);
                let properties = Properties::new(explanation.as_slice());
                let disconnect = Packet::Disconnect(Disconnect { reason, properties });
                // A client that takes no packet as large as this is left without it.
                let _ = self.link.encoder().encode(&disconnect, &mut output);
            }
            Some(Last::Packet(packet)) => output.push(&packet),
            Some(Last::Reason(_)) | None => {}
        }
        taken(output)
    }
}

/// What a client is told whose first packet was `packet` and could not be taken as a CONNECT.
///
/// In 3.x a CONNECT that breaks the format is answered by closing [v311 MQTT-3.1.4-1], but for two cases with return codes
/// of their own. In 5.0 it is answered by its Reason Code [v5 MQTT-3.1.4-1]. What is not a CONNECT is answered by nothing.
pub(super) fn answer_to_bad_connect(cause: &DisconnectCause, packet: &[u8]) -> Option<Box<[u8]>> {
    let error = match cause {
        DisconnectCause::InvalidPacket(error) => error,
        DisconnectCause::AuthenticationMethod => {
            return refusal(ProtocolVersion::V5, ReasonCode::BAD_AUTHENTICATION_METHOD);
        }
        _ => return None,
    };
    let version = match *error {
        DecodeError::UnsupportedProtocolVersion { level } => version_to_refuse_in(level, packet),
        _ => Decoder::connect_version(packet)?,
    };
    refusal(version, error.answer(version)?)
}

/// A CONNACK that refuses. `None` where this version has no code for it.
pub(super) fn refusal(version: ProtocolVersion, reason: ReasonCode) -> Option<Box<[u8]>> {
    let encoder = Encoder {
        version,
        sender: Role::Server,
        maximum_packet_size: None,
    };
    let connack = Connack {
        session_present: false,
        reason,
        properties: Properties::EMPTY,
    };
    encode(encoder, &Packet::Connack(connack)).ok().flatten()
}

/// What a client is told whose CONNECT names a version that this server does not speak.
///
/// Only a client of a later version than 5.0 can be expected to read the CONNACK of 5.0 [v5 MQTT-3.1.2-2]; every other
/// one is answered as 3.1.1 asks [v311 MQTT-3.1.2-2]. The high bit of the level is set by bridges of some servers.
fn version_to_refuse_in(level: u8, connect: &[u8]) -> ProtocolVersion {
    let bridge = level & 0x80 != 0;
    if level > ProtocolVersion::V5.level() && !bridge && !has_name_of_v31(connect) {
        ProtocolVersion::V5
    } else {
        ProtocolVersion::V3_1_1
    }
}

/// Whether a CONNECT begins like one of 3.1.
fn has_name_of_v31(connect: &[u8]) -> bool {
    // The Remaining Length, which ends with the first byte below 0x80, precedes the name.
    let body = connect
        .iter()
        .skip(1)
        .skip_while(|byte| **byte & 0x80 != 0)
        .skip(1)
        .skip(2);
    body.take(ProtocolVersion::V3_1.name().len())
        .eq(ProtocolVersion::V3_1.name().as_bytes())
}
