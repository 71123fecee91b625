//! What a broker allows, keeps and refuses.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mqtt_core::{KeepAlive, MaximumPacketSize, QoS, ReceiveMaximum};

use crate::authenticate::Authenticate;
use crate::authorize::Authorize;

/// Everything that can be chosen about a [`Broker`](crate::Broker). Take the defaults and change what is needed:
///
/// ```
/// use mqtt_broker::Options;
///
/// let mut options = Options::default();
/// options.max_connections = 100;
/// assert_eq!(options.max_sessions, 20_000);
/// ```
///
/// The memory a broker can be made to hold is at most about `max_pending_connections` × 256 KiB +
/// `max_connections` × (2 × `maximum_packet_size` + 64 KiB × `topic_alias_maximum` + 1 KiB × `outgoing_topic_aliases`) +
/// `max_sessions` × 256 KiB for Wills, and beside that `max_total_queued_bytes` + `max_subscription_bytes` +
/// `max_retained_bytes`. Each connection over TLS, pending ones included, can add what rustls buffers, which has limits of
/// its own, and each over WebSocket some frames that wait to be sent, of 64 KiB at most, and twice the largest message: 64 KiB
/// more than `maximum_packet_size`, or than 256 KiB where that is less or the client is not accepted yet.
///
/// When nobody is out to fill it, an idle connection with one subscription holds less than 2.5 KiB of the heap, 10 KiB more
/// over TLS and 6 KiB more over WebSocket; there, buffers that a message needed are kept until the connection ends.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Who may connect. `None` (the default) lets everybody in, and then no listener outside the loopback interface is
    /// opened.
    pub authenticator: Option<Arc<dyn Authenticate>>,
    /// Who may publish and subscribe to what. `None` (the default) allows everything but publishing below `$SYS/`, which is
    /// always the broker's own.
    pub authorizer: Option<Arc<dyn Authorize>>,
    /// How long the authorizer may take to answer; a question that is not answered by then is answered with no. Default 5 s.
    pub authorize_timeout: Duration,

    /// Most connected clients. The next one is refused with Server busy (0x89), unless it takes over a session whose client is
    /// connected, and so that one's place. Default 10,000.
    pub max_connections: usize,
    /// Most connections whose CONNECT has not been accepted yet, or that are being closed. The next one is let in all the same,
    /// and the oldest of these is closed that come from the address with the most of them (of IPv6, from the first half of it).
    /// Default 1,024.
    pub max_pending_connections: usize,
    /// How long a connection may take until its CONNECT is accepted, TLS and WebSocket handshakes and authentication included.
    /// Default 10 s.
    pub connect_timeout: Duration,
    /// How long a connection that is being closed may take to receive what is still to be written. Default 5 s.
    pub close_timeout: Duration,

    /// Most sessions, those of connected clients included. A client that would need one more is refused with Quota
    /// exceeded (0x97). Default 20,000.
    pub max_sessions: usize,
    /// The longest a session outlives its connection. A 5.0 client that asks for more is told this value (v5 3.2.2.3.2);
    /// 3.x clients that connect with Clean Session 0 cannot be told, and their sessions are kept this long. Default 7 days.
    pub max_session_expiry: Duration,

    /// The longest Keep Alive of a 5.0 client: one that asks for more, or for none, is told this one (Server Keep Alive, v5
    /// 3.2.2.3.14). 3.x clients cannot be told, and keep their own. Default [`KeepAlive::OFF`], which is no limit.
    pub max_keep_alive: KeepAlive,
    /// The highest QoS: subscriptions are granted no more, and 5.0 clients may publish at no more [v5 MQTT-3.2.2-9,
    /// MQTT-3.2.2-11]. Default QoS 2.
    pub maximum_qos: QoS,
    /// The largest packet a client may send once it is connected, announced in CONNACK; before that it is 256 KiB.
    /// Default 1 MiB.
    pub maximum_packet_size: MaximumPacketSize,
    /// How many QoS 1 and 2 messages a client may send ahead of their acknowledgements, announced in CONNACK.
    /// Default 1,024.
    pub receive_maximum: ReceiveMaximum,
    /// How many Topic Aliases a client may use, announced in CONNACK. Each can hold 65,535 bytes. Default 16.
    pub topic_alias_maximum: u16,
    /// How many Topic Aliases are used towards a client that takes them; no more than 64 are, each for a topic of at most
    /// 1,024 bytes. Default 16.
    pub outgoing_topic_aliases: u16,
    /// What a 5.0 client that asks for Response Information is told: this, followed by its Client Identifier and a `/`, as the
    /// beginning of topics for responses to it (v5 3.2.2.3.15, 4.10). Nothing is told to one whose identifier has a `/` or a
    /// wildcard in it. Who may use these topics is for the authorizer to say; an access file can, with `pattern` and `%c/#`.
    /// `None` (the default) tells nobody.
    pub response_prefix: Option<String>,
    /// Whether text with control characters or non-characters is refused as malformed (v5 1.5.4, v311 1.5.3). Default no.
    pub strict_text: bool,

    /// Most messages waiting for one session, whether its client is connected or not. What expires while it waits leaves its
    /// place to others (v5 3.3.2.3.3). Default 10,000.
    pub max_queued_messages: usize,
    /// Most bytes of messages waiting for one session. Default 16 MiB.
    pub max_queued_bytes: usize,
    /// Most bytes of messages waiting for all sessions together; a payload that waits for several counts for each.
    /// Default 1 GiB.
    pub max_total_queued_bytes: usize,
    /// What happens to a QoS 1 or 2 message for a session that has no room for it. Default [`Overflow::DropNewest`].
    pub overflow: Overflow,
    /// Whether QoS 0 messages too are kept for clients that are away (v5 4.5 leaves it to the server). Default no.
    pub queue_qos_0_when_away: bool,

    /// Most subscriptions of one session; more are refused with Quota exceeded (0x97). Default 1,000.
    pub max_subscriptions: usize,
    /// Most Topic Filters looked at in one SUBSCRIBE; those after them are refused with Quota exceeded (0x97). Each with a
    /// wildcard may have to be compared with all retained messages. Default 1,024.
    pub max_filters_per_subscribe: usize,
    /// Most bytes held by the subscriptions of all sessions, roughly. Default 256 MiB.
    pub max_subscription_bytes: usize,
    /// Most levels of a Topic Filter; deeper ones are refused with Topic Filter invalid (0x8F). Default 128.
    pub max_topic_levels: usize,

    /// Most retained messages. A retained PUBLISH that does not fit is refused with Quota exceeded (0x97). Default 10,000.
    pub max_retained_messages: usize,
    /// Most bytes of retained messages. Default 64 MiB.
    pub max_retained_bytes: usize,

    /// How often the broker publishes what it counts below `$SYS/broker/`: its version, uptime, clients, messages, bytes,
    /// retained messages and subscriptions, each retained, and only what has changed. Not zero. `None` (the default) is
    /// never; the program `mqtt-broker` does it every 10 s.
    pub sys_interval: Option<Duration>,
}

/// What happens to a QoS 1 or 2 message for a session that has no room for it. QoS 0 messages are then always dropped.
///
/// Every message dropped is counted in [`Statistics::messages_dropped`](crate::Statistics::messages_dropped).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Overflow {
    /// The new message is not queued: nothing that was accepted for this session is lost. If no other session took it
    /// either, a 5.0 publisher is told Quota exceeded (0x97).
    #[default]
    DropNewest,
    /// The oldest waiting message makes room. One that was sent and is not acknowledged does not wait, nor do the few that
    /// are about to be written, nor, once a client is back, what its session had kept for it.
    DropOldest,
    /// The client is disconnected with Quota exceeded (0x97) as too slow; its session and what is queued are kept as long
    /// as the session lives. While it is away the newest message is dropped.
    Disconnect,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            authenticator: None,
            authorizer: None,
            authorize_timeout: Duration::from_secs(5),
            max_connections: 10_000,
            max_pending_connections: 1_024,
            connect_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            max_sessions: 20_000,
            max_session_expiry: Duration::from_secs(7 * 24 * 60 * 60),
            max_keep_alive: KeepAlive::OFF,
            maximum_qos: QoS::ExactlyOnce,
            maximum_packet_size: MaximumPacketSize::new(1 << 20).expect("not zero"),
            receive_maximum: ReceiveMaximum::new(1_024).expect("not zero"),
            topic_alias_maximum: 16,
            outgoing_topic_aliases: 16,
            response_prefix: None,
            strict_text: false,
            max_queued_messages: 10_000,
            max_queued_bytes: 16 << 20,
            max_total_queued_bytes: 1 << 30,
            overflow: Overflow::default(),
            queue_qos_0_when_away: false,
            max_subscriptions: 1_000,
            max_filters_per_subscribe: 1_024,
            max_subscription_bytes: 256 << 20,
            max_topic_levels: mqtt_core::DEFAULT_MAX_LEVELS,
            max_retained_messages: 10_000,
            max_retained_bytes: 64 << 20,
            sys_interval: None,
        }
    }
}

impl fmt::Debug for Options {
    // An authenticator may hold secrets, so only whether there is one is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("authenticator", &self.authenticator.is_some())
            .field("authorizer", &self.authorizer.is_some())
            .field("max_connections", &self.max_connections)
            .field("max_sessions", &self.max_sessions)
            .field("max_session_expiry", &self.max_session_expiry)
            .field("maximum_packet_size", &self.maximum_packet_size)
            .field("max_queued_messages", &self.max_queued_messages)
            .field("max_queued_bytes", &self.max_queued_bytes)
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}
