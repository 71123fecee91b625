//! What a client is told before it starts: where to connect, as whom, and every bound.
//!
//! Nothing here touches the network; [`Options::check`] finds what cannot work before anything is started.

mod address;
mod check;
mod client_id;
mod error;
mod from_url;
mod proxy;
mod tls;
mod websocket;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mqtt_core::{Message, ProtocolVersion};

pub use address::Address;
pub use client_id::ClientId;
pub use error::OptionsError;
pub use proxy::{Proxy, ProxyOptionsError, ProxyProtocol};
pub use tls::{Identity, Roots, Tls, TlsOptionsError, TlsVersion};
pub use websocket::{WebSocket, WebSocketOptionsError};

use crate::reconnect::Reconnect;
use crate::transport::Connector;

/// Port registered for MQTT over plain TCP (v5 4.2).
pub const DEFAULT_PORT: u16 = 1883;

/// Port registered for MQTT over TLS (v5 4.2).
pub const DEFAULT_TLS_PORT: u16 = 8883;

/// Which version of the protocol to speak.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Version {
    /// 5.0 first, and 3.1.1 if the server answers that it does not know 5.0 (Reason Code 0x84, or return code 1 of
    /// 3.1.1). A server that closes without a word is not taken for an old one.
    #[default]
    Auto,
    /// MQTT 3.1 (`MQIsdp`) only.
    V3_1,
    /// MQTT 3.1.1 only.
    V3_1_1,
    /// MQTT 5.0 only.
    V5,
}

impl Version {
    /// The version the first CONNECT uses.
    #[must_use]
    pub const fn first(self) -> ProtocolVersion {
        match self {
            Self::Auto | Self::V5 => ProtocolVersion::V5,
            Self::V3_1_1 => ProtocolVersion::V3_1_1,
            Self::V3_1 => ProtocolVersion::V3_1,
        }
    }

    pub(crate) const fn is_fixed_v3(self) -> bool {
        matches!(self, Self::V3_1 | Self::V3_1_1)
    }
}

/// What happens to a publish when the queue is full.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Overflow {
    /// `publish` waits for room; `try_publish` and the background face refuse.
    #[default]
    Wait,
    /// The call is refused with `QueueFull`.
    Refuse,
    /// The oldest message that was not yet handed to the connection is dropped; its outcome says so.
    DropOldest,
    /// The new message is dropped: the call succeeds and the outcome says so.
    DropNewest,
}

/// What happens to messages the server had not acknowledged when it comes back without the session.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SessionLost {
    /// They are published anew, under new Packet Identifiers: at least once, even for QoS 2.
    #[default]
    Republish,
    /// They are dropped, and their outcome says so.
    Drop,
}

/// What happens in 3.1 and 3.1.1 to a message whose [`Ack`](crate::Ack) was dropped without an answer. (5.0 can say no:
/// there the answer is always Reason Code 0x80.)
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Unacknowledged {
    /// It is acknowledged: the message is lost to this client, the connection goes on.
    #[default]
    Acknowledge,
    /// The connection is closed and opened again, so that the server sends the message again if the session is kept.
    Disconnect,
}

/// What happens when a stream is full and what arrived for it cannot be left unacknowledged within bounds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum StreamFull {
    /// QoS 0 messages for a full stream are dropped and counted. QoS 1 and 2 messages wait, unacknowledged.
    ///
    /// In 5.0 reading never stops, so that outcomes of own publishes always come; [`Options::receive_maximum`] bounds what
    /// waits. 3.1 and 3.1.1 have no such bound: there, reading stops while more than [`Options::stream_max_bytes`] or more
    /// than `receive_maximum` messages wait behind full streams, and outcomes of own publishes are delayed until the
    /// application has read. An application of 3.x must not wait for an outcome before it reads on.
    #[default]
    DropQos0,
    /// Reading from the server stops while a QoS 0 message waits behind a full stream, or more of QoS 1 and 2 than
    /// [`Options::stream_max_bytes`] or [`Options::receive_maximum`] messages. Outcomes of own publishes are delayed
    /// meanwhile, in every version: an application that waits for one before it reads on may wait for ever.
    Pause,
}

/// The message the server publishes for a client that is gone without saying so (v5 3.1.2.5).
#[derive(Clone, Debug)]
pub struct Will {
    /// Topic, payload, QoS, RETAIN and properties of the message.
    pub message: Message,
    /// How long the server waits before it publishes; whole seconds, 5.0 only (v5 3.1.3.2.2).
    pub delay: Duration,
}

impl Will {
    /// A Will that is published as soon as the server sees the connection end.
    #[must_use]
    pub const fn new(message: Message) -> Self {
        Self {
            message,
            delay: Duration::ZERO,
        }
    }
}

/// Everything a client is told before it starts.
///
/// ```
/// use std::time::Duration;
/// use mqtt_client::Options;
///
/// let options = Options::new("broker.example", 1883)
///     .with_keep_alive(Duration::from_secs(30))
///     .with_credentials("shop", "secret");
/// assert!(!format!("{options:?}").contains("secret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where servers listen, tried in turn. At least one, unless there is a `connector`. Once all have failed, names that lead
    /// to several addresses are tried from the next of these on, so that none that is reached and stays silent hides the
    /// others.
    pub addresses: Vec<Address>,
    /// Opens the transport in place of the addresses, if set. TLS and WebSocket go over it as over any other.
    pub connector: Option<Connector>,
    /// The proxy through which TCP ports are reached, if any; environment variables are not looked at. Default: none.
    pub proxy: Option<Proxy>,
    /// TLS, if it is spoken. Default: none.
    pub tls: Option<Tls>,
    /// WebSocket, if it is spoken; within TLS if both are. Default: none.
    pub websocket: Option<WebSocket>,
    /// Protocol version. Default: 5.0 with fall-back to 3.1.1.
    pub version: Version,
    /// Client Identifier. Default: `pushmq` and 16 random digits.
    pub client_id: ClientId,
    /// User name.
    pub username: Option<String>,
    /// Password; never shown by `Debug`, never logged.
    pub password: Option<Vec<u8>>,
    /// The longest silence of this client; whole seconds up to 65,535, zero turns it off. Default 60 s.
    pub keep_alive: Duration,
    /// Whether the first connection starts with an empty session. Later ones resume what the server kept. Default true.
    pub clean_start: bool,
    /// How long the server keeps the session after the connection ended; whole seconds, `u32::MAX` seconds means for ever.
    /// `None`: it ends with the connection. In 3.x any value but zero asks for a session that is kept (Clean Session 0).
    pub session_expiry: Option<Duration>,
    /// Longest time from opening the transport to CONNACK, TLS and WebSocket handshakes included, for each of `addresses`.
    /// A name that leads to several addresses has this time for all of them: each gets an equal share of what the ones before
    /// it have left. Default 10 s.
    pub connect_timeout: Duration,
    /// Ends the connection with a DISCONNECT when the client had nothing to do for so long, and makes it again for the next
    /// publish, request, subscription or [`Client::connected`](crate::Client::connected). Default `None`: it is kept.
    ///
    /// A client with a publish that has no outcome, a message that is not acknowledged, or a request without its response has
    /// something to do, and so has one with a subscription. The session ends, or is kept, as with any other end of a
    /// connection; the [state](crate::State) meanwhile is [`State::Idle`](crate::State::Idle).
    ///
    /// Two things end with the connection. The DISCONNECT takes back the `will`, which the server does not publish then. And
    /// subscriptions that an earlier process made in a kept session are not known to the client: with no other, it hears
    /// nothing of them until its next use.
    pub idle_disconnect: Option<Duration>,
    /// Will Message.
    pub will: Option<Will>,
    /// How many QoS 1 and 2 messages the server may have unacknowledged towards us, 1 to 65,535 (5.0). Default 1,024.
    ///
    /// That many may wait behind full streams, each as large as `maximum_packet_size` allows: in 5.0, unless `stream_full`
    /// says [`StreamFull::Pause`], the product of the two (16 GiB by default) is the only bound of the memory that a server
    /// can fill while the application does not read. Lower either where servers are not trusted or messages are large.
    pub receive_maximum: u16,
    /// Largest packet accepted, in bytes, fixed header included. Told to a 5.0 server. Default 16 MiB. See
    /// `receive_maximum` for what a slow reader can make of it.
    pub maximum_packet_size: u32,
    /// How many Topic Aliases the server may use (5.0). Default 0.
    pub topic_alias_maximum: u16,
    /// How many Topic Aliases this client uses towards the server, as far as that takes them (5.0), so that the topics it
    /// published to last need not be repeated. More than 64 are never used. Default 0.
    pub outgoing_topic_aliases: u16,
    /// Where the responses to this client's own requests are to be published (5.0); must differ between clients. Default:
    /// `response/` and 32 random digits. Set it where the server lets a client subscribe only to certain topics.
    pub response_topic: Option<String>,
    /// User Properties of CONNECT (5.0; left out where the client had to fall back to 3.1.1).
    pub user_properties: Vec<(String, String)>,
    /// When and how often to connect again.
    pub reconnect: Reconnect,
    /// Whether the client goes where a server points to with Use another server or Server moved (5.0, v5 4.11). The
    /// credentials go there too. Default false. Not with a `connector`.
    pub follow_server_reference: bool,
    /// How many publishes may be without an outcome at once. Default 10,000.
    pub queue_max_messages: usize,
    /// How many bytes they may hold. Default 64 MiB.
    pub queue_max_bytes: usize,
    /// What happens at these bounds. Default: wait.
    pub overflow: Overflow,
    /// How many messages one subscription's stream holds for the application. Default 1,024.
    pub stream_max_messages: usize,
    /// How many bytes it holds. Default 16 MiB. More may wait unacknowledged behind full streams: in 5.0 as many messages as
    /// `receive_maximum` says, in 3.x and with [`StreamFull::Pause`] about as many bytes again, for all streams together.
    pub stream_max_bytes: usize,
    /// What happens when a stream is full. Default: QoS 0 is dropped, the rest waits unacknowledged, and in 3.x reading stops
    /// where too much would wait.
    pub stream_full: StreamFull,
    /// Refuses control characters and non-characters in received strings, where the standard says MAY. Default false.
    pub strict_text: bool,
    /// Whether subscriptions come back when the server lost the session. If they do not, they end there as if they had been
    /// unsubscribed, but for those whose answer is still awaited; in 3.1, which does not tell whether a session was kept, they
    /// end with each connection. Default true.
    pub resubscribe: bool,
    /// What happens to unacknowledged publishes when the server lost the session. Default: published anew.
    pub on_session_lost: SessionLost,
    /// What happens in 3.x when an [`Ack`](crate::Ack) is dropped without an answer. Default: acknowledged.
    pub unacknowledged: Unacknowledged,
}

/// Generates `with_*` setters: one line per field.
macro_rules! setters {
    ($($setter:ident $field:ident : $type:ty;)*) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub fn $setter(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

impl Options {
    /// Options for one server, all else by default. `host` is a name or an address, IPv6 without brackets.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self::with_addresses([Address::tcp(host, port)])
    }

    /// Options for a server at a Unix socket, all else by default.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::with_addresses([Address::unix(path)])
    }

    /// Options for servers that are tried in turn, all else by default.
    #[must_use]
    pub fn with_addresses(addresses: impl IntoIterator<Item = Address>) -> Self {
        Self {
            addresses: addresses.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Options from a URL such as `mqtt://user:password@host:1883/?client_id=a&keep_alive=30`.
    ///
    /// | scheme | what is spoken | default port |
    /// |---|---|---|
    /// | `mqtt://host` | TCP | 1883 |
    /// | `mqtts://host` | TLS | 8883 |
    /// | `ws://host/path` | WebSocket; the path is `/mqtt` by default | 80 |
    /// | `wss://host/path` | WebSocket over TLS | 443 |
    /// | `unix:///path` | a Unix socket; the path may be percent-encoded | |
    ///
    /// What a URL cannot say, such as a client certificate, is set afterwards: `with_tls` replaces what `mqtts` and `wss`
    /// stand for.
    ///
    /// Parameters (durations in whole seconds): `client_id`, `client_id_prefix`, `keep_alive`, `clean_start`
    /// (`true`/`false`/`1`/`0`), `session_expiry`, `connect_timeout`, `version` (`3`, `4`, `5`, `auto`),
    /// `receive_maximum`, `maximum_packet_size`, `topic_alias_maximum`, `outgoing_topic_aliases`.
    ///
    /// # Errors
    /// Any of [`OptionsError`]'s URL variants.
    pub fn from_url(url: &str) -> Result<Self, OptionsError> {
        from_url::parse(url)
    }

    /// Options for a transport that `connector` opens.
    #[must_use]
    pub fn with_connector(connector: Connector) -> Self {
        Self {
            addresses: Vec::new(),
            connector: Some(connector),
            ..Self::default()
        }
    }

    /// Adds a server to those tried in turn.
    #[must_use]
    pub fn with_address(mut self, host: impl Into<String>, port: u16) -> Self {
        self.addresses.push(Address::tcp(host, port));
        self
    }

    /// Adds a server at a Unix socket to those tried in turn.
    #[must_use]
    pub fn with_unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.addresses.push(Address::unix(path));
        self
    }

    /// Reaches TCP ports through a proxy.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Speaks TLS, to all addresses.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Speaks WebSocket, to all addresses.
    #[must_use]
    pub fn with_websocket(mut self, websocket: WebSocket) -> Self {
        self.websocket = Some(websocket);
        self
    }

    /// Sets the Client Identifier exactly. Two connected clients with one identifier push each other out.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = ClientId::Exact(client_id.into());
        self
    }

    /// Sets user name and password.
    #[must_use]
    pub fn with_credentials(
        mut self,
        username: impl Into<String>,
        password: impl Into<Vec<u8>>,
    ) -> Self {
        self.username = Some(username.into());
        self.password = Some(password.into());
        self
    }

    /// Keeps the session on the server for `expiry` after the connection ends, and resumes it at the next start.
    #[must_use]
    pub const fn with_session(mut self, expiry: Duration) -> Self {
        self.clean_start = false;
        self.session_expiry = Some(expiry);
        self
    }

    /// Sets the Will.
    #[must_use]
    pub fn with_will(mut self, will: Will) -> Self {
        self.will = Some(will);
        self
    }

    setters! {
        with_version version: Version;
        with_keep_alive keep_alive: Duration;
        with_clean_start clean_start: bool;
        with_session_expiry session_expiry: Option<Duration>;
        with_connect_timeout connect_timeout: Duration;
        with_idle_disconnect idle_disconnect: Option<Duration>;
        with_receive_maximum receive_maximum: u16;
        with_maximum_packet_size maximum_packet_size: u32;
        with_topic_alias_maximum topic_alias_maximum: u16;
        with_outgoing_topic_aliases outgoing_topic_aliases: u16;
        with_response_topic response_topic: Option<String>;
        with_user_properties user_properties: Vec<(String, String)>;
        with_reconnect reconnect: Reconnect;
        with_follow_server_reference follow_server_reference: bool;
        with_queue_max_messages queue_max_messages: usize;
        with_queue_max_bytes queue_max_bytes: usize;
        with_overflow overflow: Overflow;
        with_stream_max_messages stream_max_messages: usize;
        with_stream_max_bytes stream_max_bytes: usize;
        with_stream_full stream_full: StreamFull;
        with_strict_text strict_text: bool;
        with_resubscribe resubscribe: bool;
        with_on_session_lost on_session_lost: SessionLost;
        with_unacknowledged unacknowledged: Unacknowledged;
    }

    /// Whether the server is asked to keep the session when the connection ends.
    #[must_use]
    pub fn keeps_session(&self) -> bool {
        match self.session_expiry {
            Some(expiry) => !expiry.is_zero(),
            // In 3.x Clean Session 0 alone asks for a kept session.
            None => !self.clean_start && self.version.is_fixed_v3(),
        }
    }

    /// The port that is meant where a server names none.
    pub(crate) const fn default_port(&self) -> u16 {
        match (&self.websocket, &self.tls) {
            (None, None) => DEFAULT_PORT,
            (None, Some(_)) => DEFAULT_TLS_PORT,
            (Some(_), None) => 80,
            (Some(_), Some(_)) => 443,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            addresses: vec![Address::tcp("localhost", DEFAULT_PORT)],
            connector: None,
            proxy: None,
            tls: None,
            websocket: None,
            version: Version::Auto,
            client_id: ClientId::default(),
            username: None,
            password: None,
            keep_alive: Duration::from_secs(60),
            clean_start: true,
            session_expiry: None,
            connect_timeout: Duration::from_secs(10),
            idle_disconnect: None,
            will: None,
            receive_maximum: 1_024,
            maximum_packet_size: 16 * 1024 * 1024,
            topic_alias_maximum: 0,
            outgoing_topic_aliases: 0,
            response_topic: None,
            user_properties: Vec::new(),
            reconnect: Reconnect::default(),
            follow_server_reference: false,
            queue_max_messages: 10_000,
            queue_max_bytes: 64 * MIB,
            overflow: Overflow::Wait,
            stream_max_messages: 1_024,
            stream_max_bytes: 16 * MIB,
            stream_full: StreamFull::DropQos0,
            strict_text: false,
            resubscribe: true,
            on_session_lost: SessionLost::Republish,
            unacknowledged: Unacknowledged::Acknowledge,
        }
    }
}

impl fmt::Debug for Options {
    /// Shows where to connect, and never a password, a Will's payload or a user property; nor the user name, which is a
    /// token for some servers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("addresses", &self.addresses)
            .field("connector", &self.connector.is_some())
            .field("proxy", &self.proxy)
            .field("tls", &self.tls)
            .field("websocket", &self.websocket)
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("username", &self.username.as_ref().map(|_| "hidden"))
            .field("password", &self.password.as_ref().map(|_| "hidden"))
            .field("keep_alive", &self.keep_alive)
            .field("clean_start", &self.clean_start)
            .field("session_expiry", &self.session_expiry)
            .field("connect_timeout", &self.connect_timeout)
            .field("will", &self.will.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_fit_to_start() {
        assert_eq!(Options::default().check(), Ok(()));
    }

    #[test]
    fn debug_hides_the_password() {
        let options = Options::new("h", 1).with_credentials("anna", "s3cret");
        let shown = format!("{options:?}");
        assert!(
            !shown.contains("anna") && !shown.contains("s3cret"),
            "{shown}"
        );
        // Nor as a list of numbers.
        assert!(!shown.contains("115"), "{shown}");
    }

    #[test]
    fn refuses_what_the_wire_cannot_say() {
        let refused = |options: Options| options.check().unwrap_err().to_string();
        assert_eq!(
            refused(Options::default().with_keep_alive(Duration::from_millis(1500))),
            "keep_alive must be a whole number of seconds up to 65535"
        );
        assert_eq!(
            refused(Options::default().with_keep_alive(Duration::from_secs(65_536))),
            "keep_alive must be a whole number of seconds up to 65535"
        );
        assert_eq!(
            refused(Options::default().with_receive_maximum(0)),
            "receive_maximum must not be zero"
        );
        assert_eq!(
            refused(Options::default().with_queue_max_messages(0)),
            "queue_max_messages must not be zero"
        );
        assert_eq!(
            refused(Options::default().with_client_id("a\0b")),
            "client_id must be at most 65,535 bytes and without U+0000"
        );
        let mut options = Options::default();
        options.reconnect.jitter_percent = 101;
        assert_eq!(
            refused(options),
            "reconnect.jitter_percent must be at most 100"
        );
        assert_eq!(
            refused(Options::new("a", 1).with_address("b", 0)),
            "the port of an address must not be zero"
        );
        let mut options = Options::default();
        options.addresses.clear();
        assert_eq!(refused(options), "no address to connect to");
    }

    #[test]
    fn refuses_5_0_fields_beside_a_fixed_older_version() {
        let mut options = Options::default().with_version(Version::V3_1_1);
        assert_eq!(options.check(), Ok(()));
        options
            .user_properties
            .push(("a".to_owned(), "b".to_owned()));
        assert_eq!(
            options.check(),
            Err(OptionsError::NeedsVersion5 {
                option: "user_properties"
            })
        );
        options.user_properties.clear();
        options.password = Some(b"x".to_vec());
        assert_eq!(options.check(), Err(OptionsError::PasswordWithoutUsername));
        options.password = None;
        options.client_id = ClientId::Exact(String::new());
        assert_eq!(options.check(), Ok(()));
        options.clean_start = false;
        assert_eq!(options.check(), Err(OptionsError::EmptyClientId));
    }
}
