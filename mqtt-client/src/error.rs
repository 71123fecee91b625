//! Errors the application sees, one enum per thing it can do.

mod proxy;
mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mqtt_core::{EncodeError, Properties, PropertiesBuf, QoS, ReasonCode, TopicError};
use thiserror::Error;

pub use proxy::ProxyError;
pub use tls::TlsError;

use crate::options::OptionsError;

/// Why a publish was refused at the call. Nothing was changed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum PublishError {
    /// The queue holds as many messages or bytes without an outcome as the options allow.
    #[error("the queue is full: {messages} messages and {bytes} bytes have no outcome yet")]
    QueueFull {
        /// Messages without an outcome.
        messages: usize,
        /// Bytes they hold.
        bytes: usize,
    },
    /// The packet would be larger than the server, the standard or the queue can take.
    #[error("the packet of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Bytes of the packet, fixed header included.
        size: usize,
        /// The lowest of the limits that apply.
        limit: usize,
    },
    /// The server said in CONNACK that it takes no such QoS [v5 MQTT-3.2.2-11].
    #[error("the server takes no QoS above {maximum:?}")]
    QosNotSupported {
        /// Its Maximum QoS.
        maximum: QoS,
    },
    /// The server said in CONNACK that it keeps no messages [v5 MQTT-3.2.2-14].
    #[error("the server does not support retained messages")]
    RetainNotSupported,
    /// The client was closed, or gave up for good.
    #[error("the client is closed")]
    Closed,
    /// The handle was made before this process was forked.
    #[error("the client belongs to the parent process")]
    Forked,
}

/// Why a SUBSCRIBE or UNSUBSCRIBE came to nothing.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The text is no Topic Filter. Nothing was sent.
    #[error("{filter:?} is not a topic filter: {cause}")]
    Filter {
        /// The text.
        filter: String,
        /// The rule it breaks.
        cause: TopicError,
    },
    /// The filter has more levels than the router takes. Nothing was sent.
    #[error("{filter:?} has more than {limit} levels")]
    TooManyLevels {
        /// The filter.
        filter: String,
        /// The most levels.
        limit: usize,
    },
    /// No filter was given (v5 3.8.3). Nothing was sent.
    #[error("no topic filter was given")]
    NoFilter,
    /// The request cannot be written as a packet that the server takes: it is too large, or has properties that do not belong
    /// there or that need 5.0. Nothing was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// What was asked for needs what the server, or the version of MQTT it speaks, does not offer. Nothing was sent.
    #[error("the server does not offer this: {reason}")]
    NotSupported {
        /// 0x9E, 0xA1 or 0xA2, as the server would say it.
        reason: ReasonCode,
    },
    /// The server refused, in SUBACK or UNSUBACK.
    #[error("the server refused {filter:?}: {reason}{}", in_words(properties))]
    Refused {
        /// The filter.
        filter: String,
        /// Its Reason Code.
        reason: ReasonCode,
        /// All properties of the SUBACK or UNSUBACK (5.0).
        properties: Arc<PropertiesBuf>,
    },
    /// Too many requests are waiting for the server already.
    #[error("{waiting} requests are waiting already")]
    QueueFull {
        /// Requests without an answer.
        waiting: usize,
    },
    /// The client was closed, or gave up for good, before the server answered.
    #[error("the client is closed")]
    Closed,
    /// The handle was made before this process was forked.
    #[error("the client belongs to the parent process")]
    Forked,
}

/// The Reason String, to be put after a Reason Code.
fn in_words(properties: &PropertiesBuf) -> String {
    let text = properties.as_properties().reason_string();
    text.map(|text| format!(" ({text})")).unwrap_or_default()
}

/// How far an attempt to connect had come, in this order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ConnectStage {
    /// Asking for the address of a name.
    Resolve,
    /// Opening the transport.
    Transport,
    /// Waiting for the proxy to open it.
    Proxy,
    /// In the TLS handshake.
    Tls,
    /// Waiting for the answer to the WebSocket upgrade.
    WebSocket,
    /// Waiting for CONNACK.
    Connack,
}

impl ConnectStage {
    const fn what_was_awaited(self) -> &'static str {
        match self {
            Self::Resolve => "looking up its address",
            Self::Transport => "opening the connection",
            Self::Proxy => "waiting for it to open the connection",
            Self::Tls => "in the TLS handshake",
            Self::WebSocket => "waiting for its answer to the WebSocket upgrade",
            Self::Connack => "waiting for its CONNACK",
        }
    }
}

/// Why there is no connection. `address` is what the options say, with the address it led to if that is known.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The options cannot work. Nothing was tried.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The name has no address.
    #[error("cannot find the address of {host}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: Arc<io::Error>,
    },
    /// The transport could not be opened: nobody listens, no route, refused by the connector.
    #[error("cannot connect to {address}: {source}")]
    Transport {
        /// Where.
        address: String,
        /// What the operating system or the connector said.
        source: Arc<io::Error>,
    },
    /// The proxy was reached, and did not open the connection.
    #[error("{address} does not lead to {server}: {cause}")]
    Proxy {
        /// Where the proxy is.
        address: String,
        /// The server it was to lead to.
        server: String,
        /// What was wrong.
        cause: ProxyError,
    },
    /// TLS came to nothing: the certificate is not as it must be, or this client's is not as the server wants it. Tried
    /// again, as certificates are renewed.
    #[error("cannot speak TLS with {address}: {cause}")]
    Tls {
        /// Where.
        address: String,
        /// What was wrong.
        cause: TlsError,
    },
    /// The server did not turn the connection into a WebSocket that carries MQTT.
    #[cfg(feature = "websocket")]
    #[error("cannot speak WebSocket with {address}: {cause}")]
    WebSocket {
        /// Where.
        address: String,
        /// What was wrong.
        cause: mqtt_transport::UpgradeError,
    },
    /// Nothing came within the connect timeout.
    #[error("{address} did not answer within {after:?}: timed out {}", stage.what_was_awaited())]
    TimedOut {
        /// Where.
        address: String,
        /// What was awaited.
        stage: ConnectStage,
        /// The connect timeout.
        after: Duration,
    },
    /// The server answered with a CONNACK that refuses.
    #[error("{address} refused the client: {reason}{}", detail.as_deref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// Where.
        address: String,
        /// The Reason Code; return codes of 3.x are mapped to the Reason Codes of the same meaning.
        reason: ReasonCode,
        /// The server's Reason String.
        detail: Option<String>,
        /// The properties of the CONNACK (5.0), of User Properties the first 64 KiB.
        properties: Arc<PropertiesBuf>,
    },
    /// What answered does not speak MQTT, or speaks it badly.
    #[error("{address} does not speak MQTT as it should: {cause}")]
    NotMqtt {
        /// Where.
        address: String,
        /// The rule that was broken.
        cause: String,
    },
    /// The connection ended before CONNACK. Servers that refuse credentials or do not know the version often do this.
    #[error(
        "{address} closed the connection before its CONNACK{}",
        detail.as_deref().map(|text| format!(": {text}")).unwrap_or_default()
    )]
    ClosedByServer {
        /// Where.
        address: String,
        /// What the operating system said.
        detail: Option<String>,
    },
    /// The connection was up and ended.
    #[error("lost the connection to {address}: {cause}")]
    Lost {
        /// Where.
        address: String,
        /// Why.
        cause: String,
        /// The Reason Code of the server's DISCONNECT, if it sent one.
        reason: Option<ReasonCode>,
        /// The properties of that DISCONNECT (5.0), of User Properties the first 64 KiB.
        properties: Arc<PropertiesBuf>,
    },
    /// The time given to the call is over, and nothing has failed so far.
    #[error("not connected after {after:?}")]
    Pending {
        /// The time given.
        after: Duration,
    },
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
    /// The handle was made before this process was forked.
    #[error("the client belongs to the parent process")]
    Forked,
}

impl ConnectError {
    /// Where to go instead, if the server said so: host and port, or several separated by spaces (v5 4.11).
    #[must_use]
    pub fn server_reference(&self) -> Option<&str> {
        let reference = self.properties()?.server_reference()?;
        Some(reference.as_str())
    }

    /// The properties of the CONNACK that refused, or of the server's DISCONNECT: User Properties among them, of which the
    /// first 64 KiB are kept (5.0). `None` if there was neither.
    #[must_use]
    pub fn properties(&self) -> Option<Properties<'_>> {
        match self {
            Self::Refused { properties, .. }
            | Self::Lost {
                reason: Some(_),
                properties,
                ..
            } => Some(properties.as_properties()),
            _ => None,
        }
    }

    /// The Reason Code the server gave, if it gave one.
    #[must_use]
    pub const fn reason(&self) -> Option<ReasonCode> {
        match self {
            Self::Refused { reason, .. } => Some(*reason),
            Self::Lost { reason, .. } => *reason,
            _ => None,
        }
    }
}

/// A close that left something behind.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CloseError {
    /// These publishes were not acknowledged within the deadline. Each has an outcome that says so.
    #[error("{pending} publishes were not acknowledged before the client was closed")]
    Unfinished {
        /// How many.
        pending: usize,
    },
    /// The handle was made before this process was forked.
    #[error("the client belongs to the parent process")]
    Forked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_errors_name_address_and_cause() {
        let address = || "broker.example:1883 (192.0.2.1:1883)".to_owned();
        let timed_out = ConnectError::TimedOut {
            address: address(),
            stage: ConnectStage::Connack,
            after: Duration::from_secs(10),
        };
        assert_eq!(
            timed_out.to_string(),
            "broker.example:1883 (192.0.2.1:1883) did not answer within 10s: timed out waiting for its CONNACK"
        );
        let refused = ConnectError::Refused {
            address: address(),
            reason: ReasonCode::BAD_USER_NAME_OR_PASSWORD,
            detail: Some("who are you?".to_owned()),
            properties: Arc::default(),
        };
        assert_eq!(
            refused.to_string(),
            "broker.example:1883 (192.0.2.1:1883) refused the client: 0x86 Bad User Name or Password (who are you?)"
        );
        assert_eq!(
            refused.reason(),
            Some(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        );
    }
}
