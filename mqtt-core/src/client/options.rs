//! What the owner of a client chooses: limits for its life, and options for each connection.

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

use crate::{
    error::EncodeError,
    flow::{Acknowledge, SessionBounds, SessionLost},
    message::WillMessage,
    types::{KeepAlive, MaximumPacketSize, ReceiveMaximum, SessionExpiry, StringError},
    version::ProtocolVersion,
};

/// Bounds and choices that hold for the life of a [`Client`](super::Client).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Messages that may be unfinished at once: waiting to be sent, unacknowledged, or ended with an outcome that was not
    /// read yet. Default: 10,000.
    pub max_queued: usize,
    /// Bytes of memory that waiting and unacknowledged messages may hold. Default: 64 MiB.
    pub max_queued_bytes: usize,
    /// Events that may wait before no more input is taken, at least 1. Default: 1,024.
    pub max_events: usize,
    /// Bytes of received messages and properties that may wait in events before no more input is taken; one packet more than
    /// that can be held. Default: 1 MiB.
    pub max_event_bytes: usize,
    /// SUBSCRIBE and UNSUBSCRIBE packets that may wait for an answer. Default: 1,024.
    pub max_requests: usize,
    /// Receive Maximum: QoS 1 and 2 messages that the server may have unacknowledged (5.0). Default: 1,024.
    pub receive_maximum: ReceiveMaximum,
    /// Maximum Packet Size: the largest packet taken from the server, in bytes; told to it in 5.0. A larger one ends the
    /// connection before it is buffered. Default: 16 MiB.
    pub maximum_packet_size: MaximumPacketSize,
    /// Topic Aliases that the server may use (5.0). Each can hold 64 KiB. Default: 16.
    pub topic_alias_maximum: u16,
    /// Topic Aliases that are used towards the server, as far as it takes them (5.0) [v5 MQTT-3.2.2-17]; no more than 64 are,
    /// for the topics that were published to last. Default: none.
    pub outgoing_topic_aliases: u16,
    /// Who acknowledges received messages. Default: the machine.
    pub acknowledge: Acknowledge,
    /// Refuse strings with control characters and non-characters, which the standard leaves to the receiver. Default: no.
    pub strict_text: bool,
    /// What becomes of unacknowledged messages when the server has lost the session. Default: they are published anew.
    pub on_session_lost: SessionLost,
    /// How long after a PINGREQ was written the server may be silent. Default: 10 s.
    pub ping_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const RECEIVE_MAXIMUM: ReceiveMaximum = ReceiveMaximum::new(1_024).unwrap();
        const MAXIMUM_PACKET_SIZE: MaximumPacketSize = MaximumPacketSize::new(16 << 20).unwrap();
        Self {
            max_queued: 10_000,
            max_queued_bytes: 64 << 20,
            max_events: 1_024,
            max_event_bytes: 1 << 20,
            max_requests: 1_024,
            receive_maximum: RECEIVE_MAXIMUM,
            maximum_packet_size: MAXIMUM_PACKET_SIZE,
            topic_alias_maximum: 16,
            outgoing_topic_aliases: 0,
            acknowledge: Acknowledge::Automatic,
            strict_text: false,
            on_session_lost: SessionLost::Republish,
            ping_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The bounds these limits set for a session.
    #[must_use]
    pub const fn session_bounds(&self) -> SessionBounds {
        SessionBounds {
            max_messages: self.max_queued,
            max_bytes: self.max_queued_bytes,
        }
    }
}

/// How to connect. Made for each connection; nothing of it is kept but the Client Identifier.
///
/// `Debug` shows neither user name nor password.
#[derive(Clone, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The version to speak. Default: 5.0.
    pub version: ProtocolVersion,
    /// The Client Identifier. Empty asks the server for one: in 5.0 it is told, kept, and used for the next connection; in
    /// 3.1.1 it needs `clean_start` [v311 MQTT-3.1.3-7].
    pub client_id: String,
    /// Clean Start; in 3.x Clean Session. With it both ends drop an earlier session. Default: yes.
    pub clean_start: bool,
    /// Keep Alive. Default: 60 s.
    pub keep_alive: KeepAlive,
    /// Session Expiry Interval (5.0 only; in 3.x `clean_start` says it all). Default: the session ends with the connection.
    pub session_expiry: SessionExpiry,
    /// What the server is to publish when the connection ends without a normal DISCONNECT.
    pub will: Option<WillMessage>,
    /// User Name.
    pub username: Option<String>,
    /// Password; in 3.x it needs a user name [v311 MQTT-3.1.2-22].
    pub password: Option<Vec<u8>>,
    /// Whether the server may send Reason Strings and User Properties on any packet (5.0). Default: yes.
    pub request_problem_information: bool,
    /// Whether the server is asked for Response Information (5.0). Default: no.
    pub request_response_information: bool,
    /// User Properties of the CONNECT (5.0).
    pub user_properties: Vec<(String, String)>,
    /// How long the CONNACK may take, counted from `connect`. Default: 10 s.
    pub connect_timeout: Duration,
}

impl ConnectOptions {
    /// The defaults, with this Client Identifier.
    #[must_use]
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            ..Self::default()
        }
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            version: ProtocolVersion::V5,
            client_id: String::new(),
            clean_start: true,
            keep_alive: KeepAlive::from_secs(60),
            session_expiry: SessionExpiry::AT_CLOSE,
            will: None,
            username: None,
            password: None,
            request_problem_information: true,
            request_response_information: false,
            user_properties: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for ConnectOptions {
    // User names are tokens in some services, and User Properties may be credentials: only their presence is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("session_expiry", &self.session_expiry)
            .field("will", &self.will)
            .field("username", &self.username.is_some())
            .field("password", &self.password.is_some())
            .field("user_properties", &self.user_properties.len())
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

/// Why a connection was not begun. Nothing was changed.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A connection is being made or exists.
    #[error("a connection exists already")]
    AlreadyConnected,
    /// The Client Identifier is empty, which the version allows only with a clean start [v311 MQTT-3.1.3-7] or not at all
    /// (3.1).
    #[error("the client identifier is empty")]
    ClientIdentifierEmpty,
    /// An option of 5.0 with an older version.
    #[error("{option} needs version 5.0")]
    NotInThisVersion {
        /// The name of the option.
        option: &'static str,
    },
    /// A text cannot be written as an MQTT string.
    #[error("{option} is not an MQTT string")]
    Text {
        /// The name of the option.
        option: &'static str,
        /// Why.
        source: StringError,
    },
    /// The options cannot be written as a CONNECT.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
