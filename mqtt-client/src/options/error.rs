//! What can be wrong with options.

use std::time::Duration;

use mqtt_core::TopicError;
use thiserror::Error;

use super::from_url::PARAMETERS;
use super::{ProxyOptionsError, TlsOptionsError, WebSocketOptionsError};

/// Options that cannot work.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum OptionsError {
    /// The text is not a URL.
    #[error("not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// A scheme that has nothing to do with MQTT.
    #[error("{scheme}:// is not a scheme of MQTT; use mqtt, mqtts, ws, wss or unix")]
    SchemeUnknown {
        /// The scheme, in lower case.
        scheme: String,
    },
    /// The URL has a part that has no meaning with its scheme. It is not repeated: a password that was not percent-encoded
    /// may have ended up in it.
    #[error("a {part} has no meaning in the URL of {scheme}://")]
    UrlPart {
        /// "path", "host" or "fragment".
        part: &'static str,
        /// The scheme, in lower case.
        scheme: String,
    },
    /// A `unix:` URL without a path.
    #[error("the URL has no path of a Unix socket: write unix:///run/mqtt.sock")]
    NoSocketPath,
    /// This system has no Unix sockets.
    #[error("this system has no Unix sockets")]
    NoUnixSockets,
    /// A parameter nobody reads: most likely a slip of the pen. It is not repeated, as in [`UrlPart`](Self::UrlPart).
    #[error("the URL has a parameter that is none of {}", PARAMETERS.join(", "))]
    UnknownParameter,
    /// A parameter whose value does not fit. The value is not repeated, since it may be a secret.
    #[error("parameter {name:?} in the URL must be {expected}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What would fit.
        expected: &'static str,
    },
    /// The Response Topic cannot be published to.
    #[error("response_topic: {0}")]
    ResponseTopic(TopicError),
    /// Neither an address nor a connector.
    #[error("no address to connect to")]
    NoAddress,
    /// The proxy cannot work as it is asked for.
    #[error(transparent)]
    Proxy(#[from] ProxyOptionsError),
    /// TLS cannot work as it is asked for.
    #[error(transparent)]
    Tls(#[from] TlsOptionsError),
    /// WebSocket cannot work as it is asked for.
    #[error(transparent)]
    WebSocket(#[from] WebSocketOptionsError),
    /// A duration that is not a whole number of seconds within the range of the wire.
    #[error("{option} must be a whole number of seconds up to {limit}")]
    Seconds {
        /// The field.
        option: &'static str,
        /// The largest value.
        limit: u64,
    },
    /// A bound of zero, with which nothing would ever get through.
    #[error("{option} must not be zero")]
    Zero {
        /// The field.
        option: &'static str,
    },
    /// A text that MQTT cannot carry: more than 65,535 bytes, or with U+0000.
    #[error("{option} must be at most 65,535 bytes and without U+0000")]
    Text {
        /// The field.
        option: &'static str,
    },
    /// The shortest backoff is longer than the longest.
    #[error("reconnect.min ({min:?}) is longer than reconnect.max ({max:?})")]
    BackoffRange {
        /// `reconnect.min`
        min: Duration,
        /// `reconnect.max`
        max: Duration,
    },
    /// More than all of it.
    #[error("{option} must be at most 100")]
    Percent {
        /// The field.
        option: &'static str,
    },
    /// 3.x has no password without a user name [v311 MQTT-3.1.2-22].
    #[error("a password without a user name needs MQTT 5.0")]
    PasswordWithoutUsername,
    /// 3.1 allows no empty identifier, 3.1.1 only with Clean Session 1 [v311 MQTT-3.1.3-7].
    #[error("an empty client identifier needs MQTT 5.0, or 3.1.1 with a clean session")]
    EmptyClientId,
    /// The options cannot be written as a CONNECT of the version in use.
    #[error(transparent)]
    Connect(#[from] mqtt_core::client::ConnectError),
    /// A field that only 5.0 can say, beside a fixed older version.
    #[error("{option} needs MQTT 5.0")]
    NeedsVersion5 {
        /// The field.
        option: &'static str,
    },
}
