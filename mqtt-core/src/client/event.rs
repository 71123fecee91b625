//! What a [`Client`](super::Client) tells its owner, and the queue in which it waits.

use alloc::{boxed::Box, collections::VecDeque, string::String};

use crate::{
    error::DecodeError,
    flow::{AckToken, Negotiated, Outcome, PublishId, Violation},
    message::Message,
    types::{PacketId, PacketType, ReasonCode},
    wire::PropertiesBuf,
};

/// What happened on a client's connection or to its messages, in the order in which it happened.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server accepted the connection.
    Connected(Box<ConnackInfo>),
    /// A message came.
    Message {
        /// The message, its Topic Alias already replaced by the topic.
        message: Message,
        /// What [`Client::acknowledge`](super::Client::acknowledge) takes; `None` at QoS 0 and where acknowledging is
        /// automatic.
        token: Option<AckToken>,
        /// The DUP flag: the server may have sent it before.
        dup: bool,
    },
    /// The receiver took a message of QoS 2 (PUBREC). Its outcome follows when the exchange is finished.
    Progress {
        /// What `publish` returned.
        id: PublishId,
        /// The Reason Code of the PUBREC.
        reason: ReasonCode,
    },
    /// A publish has ended. There is exactly one for each [`PublishId`].
    Outcome {
        /// What `publish` returned.
        id: PublishId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The answer to a `subscribe`.
    Subscribed {
        /// What `subscribe` returned.
        id: RequestId,
        /// One for each filter, in their order: the granted QoS, or an error.
        reasons: Box<[ReasonCode]>,
        /// The properties of the SUBACK (5.0).
        properties: PropertiesBuf,
    },
    /// The answer to an `unsubscribe`.
    Unsubscribed {
        /// What `unsubscribe` returned.
        id: RequestId,
        /// One for each filter, in their order; in 3.x, which has none, each is success.
        reasons: Box<[ReasonCode]>,
        /// The properties of the UNSUBACK (5.0).
        properties: PropertiesBuf,
    },
    /// The connection is over, or could not be made. The transport is to be closed once everything that
    /// [`Client::poll_transmit`](super::Client::poll_transmit) still gives was written. No answer to a `subscribe` or
    /// `unsubscribe` of this connection follows; publishes go on with the next one.
    Disconnected(DisconnectCause),
}

/// Names a `subscribe` or `unsubscribe`; unique for the life of the client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub(super) u64);

impl RequestId {
    /// The number of this id.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What the server said when it accepted the connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ConnackInfo {
    /// The server has the session: subscriptions are still there. Otherwise they have to be made anew. Always `false` in 3.1,
    /// which cannot say it: there the session goes on without `clean_start`, and subscribing again does no harm.
    pub session_present: bool,
    /// The Client Identifier in force: ours, or the one the server assigned.
    pub client_id: String,
    /// The limits in force.
    pub negotiated: Negotiated,
    /// All properties of the CONNACK (5.0).
    pub properties: PropertiesBuf,
}

/// Why a connection ended, and which side ended it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectCause {
    /// The owner called `disconnect`.
    #[error("disconnected by the application: {0}")]
    Requested(ReasonCode),
    /// The server refused the CONNECT.
    #[error("the server refused the connection: {reason}")]
    Refused {
        /// Why; the return codes of 3.x are given as the Reason Codes that 5.0 has for them.
        reason: ReasonCode,
        /// Reason String, Server Reference and the like (5.0).
        properties: PropertiesBuf,
    },
    /// The server sent DISCONNECT (5.0).
    #[error("the server disconnected: {reason}")]
    Server {
        /// Why.
        reason: ReasonCode,
        /// Reason String, Server Reference and the like.
        properties: PropertiesBuf,
    },
    /// The transport ended without a word from the server.
    #[error("the network connection was closed")]
    Closed,
    /// No CONNACK came in time.
    #[error("no CONNACK came in time")]
    ConnectTimeout,
    /// The server was silent after a PINGREQ, or what we had to send could not be written.
    #[error("the server did not answer in time")]
    KeepAliveTimeout,
    /// The server sent bytes that are not a packet it may send.
    #[error("a packet of the server could not be decoded")]
    Malformed(#[source] DecodeError),
    /// The server sent a packet that the state of the connection does not allow.
    #[error("the server broke the protocol")]
    Protocol(#[source] ProtocolError),
}

/// A packet of the server that was well formed but not allowed in the state of the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Something other than CONNACK came first [v5 MQTT-3.2.0-1, v311 MQTT-3.2.0-1].
    #[error("{0} came before CONNACK")]
    BeforeConnack(PacketType),
    /// A second CONNACK [v5 MQTT-3.2.0-2].
    #[error("a second CONNACK")]
    SecondConnack,
    /// The packet is not for a client, or needs something that was not agreed on, like AUTH.
    #[error("{0} was not expected")]
    UnexpectedPacket(PacketType),
    /// Session Present, though this client has no session, or asked for a clean start [v5 MQTT-3.2.2-4]. It also happens
    /// when the CONNACK to an earlier attempt was lost. Connecting with a clean start ends it.
    #[error("the server has a session that this client does not")]
    SessionPresent,
    /// No Assigned Client Identifier, or one without characters, though none was sent [v5 MQTT-3.2.2-16].
    #[error("the server assigned no client identifier")]
    NoAssignedClientIdentifier,
    /// SUBACK or UNSUBACK with another number of Reason Codes than there were filters [v5 MQTT-3.8.4-6].
    #[error("{received} reason codes for {expected} filters")]
    ReasonCodeCount {
        /// How many filters were sent.
        expected: usize,
        /// How many codes came.
        received: usize,
    },
    /// UNSUBACK for a SUBSCRIBE, or SUBACK for an UNSUBSCRIBE.
    #[error("{packet_type} does not answer the request with packet identifier {}", .packet_id.get())]
    WrongAnswer {
        /// The packet.
        packet_type: PacketType,
        /// Its identifier.
        packet_id: PacketId,
    },
    /// A Reason String or User Property on a packet, though the client asked for none [v5 MQTT-3.1.2-29].
    #[error("{0} carries problem information, though none was asked for")]
    ProblemInformation(PacketType),
    /// DISCONNECT of a server with a Session Expiry Interval [v5 MQTT-3.14.2-2].
    #[error("DISCONNECT of the server has a session expiry interval")]
    SessionExpiryInDisconnect,
    /// An Authentication Method, though the client has none [v5 MQTT-4.12.0-6].
    #[error("an authentication method, though none was asked for")]
    AuthenticationMethod,
    /// A fault in an exchange of QoS 1 or 2, or a Topic Alias.
    #[error(transparent)]
    Exchange(#[from] Violation),
}

impl ProtocolError {
    /// The Reason Code for the DISCONNECT that tells the server (v5 4.13).
    #[must_use]
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::Exchange(violation) => violation.reason_code(),
            _ => ReasonCode::PROTOCOL_ERROR,
        }
    }
}

impl From<ProtocolError> for DisconnectCause {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl Event {
    /// Bytes that the peer made this event hold.
    fn held_bytes(&self) -> usize {
        match self {
            Self::Message { message, .. } => message.held_bytes(),
            Self::Outcome {
                outcome: Outcome::Acknowledged { properties, .. },
                ..
            } => properties.held_bytes(),
            Self::Subscribed {
                reasons,
                properties,
                ..
            }
            | Self::Unsubscribed {
                reasons,
                properties,
                ..
            } => reasons.len() + properties.held_bytes(),
            // Of the others there is one for a connection, or they hold nothing.
            _ => 0,
        }
    }
}

/// Events that were not read yet, counted.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Events {
    waiting: VecDeque<Event>,
    outcomes: usize,
    bytes: usize,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        self.outcomes += usize::from(matches!(event, Event::Outcome { .. }));
        self.bytes += event.held_bytes();
        self.waiting.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.waiting.pop_front()?;
        self.outcomes -= usize::from(matches!(event, Event::Outcome { .. }));
        self.bytes -= event.held_bytes();
        Some(event)
    }

    pub(super) fn outcome(&mut self, id: PublishId, outcome: Outcome) {
        self.push(Event::Outcome { id, outcome });
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Outcomes that were not read. They count against the bound on messages, which bounds them in turn: not all of them
    /// come from input.
    pub(super) const fn outcomes(&self) -> usize {
        self.outcomes
    }

    /// Bytes that the peer made the waiting events hold.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}
