//! What a [`Server`](super::Server) tells its owner.

use alloc::{
    boxed::Box,
    collections::VecDeque,
    format,
    string::{String, ToString},
};
use core::fmt;

use bytes::Bytes;

use super::{
    ServerLimits,
    requests::{SubscribeRequest, UnsubscribeRequest},
};
use crate::{
    error::DecodeError,
    flow::{AckToken, Outcome, PublishId, Violation},
    message::{Message, WillMessage},
    types::{KeepAlive, PacketId, ReasonCode, SessionExpiry},
    version::ProtocolVersion,
    wire::PropertiesBuf,
};

/// What happened on one connection of a server, in the order in which it happened.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A client asks to connect. Nothing more is read until [`Server::accept`](super::Server::accept) or
    /// [`Server::refuse`](super::Server::refuse) answers it.
    Connect(Box<ConnectRequest>),
    /// The client published a message.
    Message {
        /// The message, its Topic Alias already replaced by the topic.
        message: Message,
        /// What [`Server::acknowledge`](super::Server::acknowledge) takes. `None` at QoS 0 and where acknowledging is
        /// automatic.
        token: Option<AckToken>,
        /// The DUP flag: the client may have sent the message before. It says nothing about what this server took
        /// (v5 3.3.1.1).
        dup: bool,
    },
    /// The client asks for subscriptions. To be answered by
    /// [`Server::complete_subscribe`](super::Server::complete_subscribe).
    Subscribe(SubscribeRequest),
    /// The client gives subscriptions back. To be answered by
    /// [`Server::complete_unsubscribe`](super::Server::complete_unsubscribe).
    Unsubscribe(UnsubscribeRequest),
    /// A publish of the owner has ended. There is exactly one for each [`PublishId`].
    Outcome {
        /// What [`Server::publish`](super::Server::publish) returned, or [`Session::push`](crate::flow::Session::push).
        id: PublishId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The connection is over: the last event. The transport is to be closed once everything
    /// [`Server::poll_transmit`](super::Server::poll_transmit) still gives has been written.
    Disconnected(Disconnected),
}

/// A CONNECT, held until its owner answers it.
///
/// What the packet layout and the version demand has been checked: the client identifier is empty only where the
/// standard lets a server assign one (3.1.1 with a clean start, and 5.0).
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct ConnectRequest {
    /// The version the client speaks, which this connection speaks from now on.
    pub version: ProtocolVersion,
    /// The Client Identifier. Where it is empty, [`Accept::assigned_client_id`](super::Accept::assigned_client_id) is
    /// to name one.
    pub client_id: String,
    /// Clean Start, in 3.x Clean Session: the client wants no earlier session.
    pub clean_start: bool,
    /// The Keep Alive the client asked for.
    pub keep_alive: KeepAlive,
    /// How long the session is to outlive the connection. In 3.x, where the packet does not say so, it is
    /// [`SessionExpiry::AT_CLOSE`] with Clean Session and [`SessionExpiry::NEVER`] without.
    pub session_expiry: SessionExpiry,
    /// What to publish if the connection ends without a normal DISCONNECT; see [`Disconnected::publish_will`].
    pub will: Option<WillMessage>,
    /// User Name.
    pub username: Option<String>,
    /// Password. Never shown by `Debug`.
    pub password: Option<Bytes>,
    /// Every property of the CONNECT (5.0).
    pub properties: PropertiesBuf,
}

impl fmt::Debug for ConnectRequest {
    // The user name may be a token and the properties may hold Authentication Data, so neither is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectRequest")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("session_expiry", &self.session_expiry)
            .field("will", &self.will)
            .field("username", &self.username.is_some())
            .field("password", &self.password.is_some())
            .finish_non_exhaustive()
    }
}

/// How and why a connection ended.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Disconnected {
    /// Why, and by whom.
    pub cause: DisconnectCause,
    /// Whether the Will, if the CONNECT had one, is to be published: after its delay, or when the session ends if that
    /// is earlier, and not if the session is resumed before (v5 3.1.2.5). Always `false` for a connection that was
    /// never accepted, and after a DISCONNECT with Reason Code 0x00 [v5 MQTT-3.14.4-3, v311 MQTT-3.14.4-3].
    pub publish_will: bool,
    /// How long the session is kept from now on: what was agreed when the connection was accepted, or what the
    /// client's DISCONNECT changed it to (v5 3.14.2.2.2). [`SessionExpiry::AT_CLOSE`] if it was never accepted.
    pub session_expiry: SessionExpiry,
}

/// Why a connection ended, and which side ended it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectCause {
    /// The client sent DISCONNECT.
    #[error("the client disconnected: {reason}")]
    Client {
        /// Its Reason Code; success in 3.x, which has none.
        reason: ReasonCode,
        /// Its properties (5.0).
        properties: PropertiesBuf,
    },
    /// The transport ended without a DISCONNECT.
    #[error("the network connection was closed")]
    Closed,
    /// No CONNECT came in the time set for it.
    #[error("no CONNECT came in time")]
    ConnectTimeout,
    /// Nothing came for one and a half times the Keep Alive [v5 MQTT-3.1.2-22, v311 MQTT-3.1.2-24].
    #[error("nothing came from the client for one and a half times its keep-alive")]
    KeepAliveTimeout,
    /// The client asked for enhanced authentication, which this server does not offer [v5 MQTT-4.12.0-1].
    #[error("the client asked for an authentication method that is not offered")]
    AuthenticationMethod,
    /// The client sent bytes that are not a packet it may send: also a CONNECT with a version this server does not
    /// speak [v5 MQTT-3.1.2-2, v311 MQTT-3.1.2-2] or an empty Client Identifier where the version forbids it
    /// [v311 MQTT-3.1.3-8].
    #[error("the client sent what is not a packet it may send")]
    InvalidPacket(#[source] DecodeError),
    /// The client sent a packet that is not allowed in the state of the connection.
    #[error("the client broke the protocol: {0}")]
    Protocol(ProtocolError),
    /// The owner refused the CONNECT.
    #[error("the connection was refused: {0}")]
    Refused(ReasonCode),
    /// The owner ended the connection.
    #[error("the server disconnected: {0}")]
    Server(ReasonCode),
}

impl DisconnectCause {
    /// The client's fault in words, for the client.
    pub(super) fn fault(&self, version: ProtocolVersion) -> Option<String> {
        match self {
            Self::InvalidPacket(error) => Some(format!("{error} [{}]", error.rule(version))),
            Self::Protocol(error) => Some(error.to_string()),
            Self::KeepAliveTimeout => Some(self.to_string()),
            _ => None,
        }
    }
}

/// A packet that could be decoded but is not allowed in the state the connection is in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A second CONNECT [v5 MQTT-3.1.0-2, v311 MQTT-3.1.0-2].
    #[error("a second CONNECT")]
    SecondConnect,
    /// A message or an acknowledgement does not fit the exchanges of the session.
    #[error(transparent)]
    Exchange(#[from] Violation),
    /// A PUBLISH above the Maximum QoS of this server [v5 MQTT-3.2.2-11].
    #[error("a message above the maximum QoS")]
    QosNotSupported,
    /// A retained PUBLISH, and this server keeps none [v5 MQTT-3.2.2-14].
    #[error("a retained message, which are not available")]
    RetainNotSupported,
    /// A shared subscription, and this server has none (v5 3.2.2.3.13).
    #[error("a shared subscription, which are not available")]
    SharedSubscriptionsNotSupported,
    /// A Subscription Identifier, and this server has none (v5 3.2.2.3.12).
    #[error("a subscription identifier, which are not available")]
    SubscriptionIdentifiersNotSupported,
    /// A filter with a wildcard, and this server takes none (v5 3.2.2.3.11).
    #[error("a wildcard subscription, which are not available")]
    WildcardSubscriptionsNotSupported,
    /// The Packet Identifier of a request that has not been answered yet [v311 MQTT-2.3.1-2].
    #[error("packet identifier {0:?} is still in use")]
    PacketIdentifierInUse(PacketId),
    /// AUTH, though the CONNECT named no Authentication Method [v5 MQTT-4.12.0-7].
    #[error("AUTH without an authentication method")]
    UnexpectedAuth,
    /// DISCONNECT set a Session Expiry Interval though CONNECT had none or 0 (v5 3.14.2.2.2).
    #[error("DISCONNECT raised the session expiry interval from zero")]
    SessionExpiryRaised,
}

impl ProtocolError {
    /// The Reason Code for the DISCONNECT or CONNACK that tells the client (v5 4.13).
    #[must_use]
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::Exchange(violation) => violation.reason_code(),
            Self::QosNotSupported => ReasonCode::QOS_NOT_SUPPORTED,
            Self::RetainNotSupported => ReasonCode::RETAIN_NOT_SUPPORTED,
            Self::SharedSubscriptionsNotSupported => ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
            Self::SubscriptionIdentifiersNotSupported => {
                ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED
            }
            Self::WildcardSubscriptionsNotSupported => {
                ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED
            }
            Self::SecondConnect
            | Self::PacketIdentifierInUse(_)
            | Self::UnexpectedAuth
            | Self::SessionExpiryRaised => ReasonCode::PROTOCOL_ERROR,
        }
    }
}

/// Events that wait for the owner, counted in number and in bytes.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    bytes: usize,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event.held_bytes();
        self.queue.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        self.bytes -= event.held_bytes();
        Some(event)
    }

    /// Gives back memory that holds nothing.
    pub(super) fn release_unused(&mut self) {
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    pub(super) fn is_full(&self, limits: &ServerLimits) -> bool {
        // With a bound of zero nothing would ever move.
        self.queue.len() >= limits.max_events.max(1) || self.bytes >= limits.max_event_bytes.max(1)
    }
}

impl Event {
    /// What the peer made this event hold outside of the queue.
    fn held_bytes(&self) -> usize {
        match self {
            Self::Message { message, .. } => message.held_bytes(),
            Self::Outcome {
                outcome: Outcome::Acknowledged { properties, .. },
                ..
            } => properties.held_bytes(),
            // There is at most one of the first two; requests are counted until they are answered.
            Self::Connect(_)
            | Self::Disconnected(_)
            | Self::Subscribe(_)
            | Self::Unsubscribe(_)
            | Self::Outcome { .. } => 0,
        }
    }
}
