//! WebSocket as it is asked for.

use std::fmt;

/// The path that most brokers listen at.
pub(super) const DEFAULT_PATH: &str = "/mqtt";

/// MQTT in the binary frames of a WebSocket connection with the subprotocol `mqtt` (v5 6, v311 6).
///
/// ```
/// use mqtt_client::{Options, Tls, WebSocket};
///
/// let websocket = WebSocket::new("/mqtt").with_header("Authorization", "Bearer secret");
/// let options = Options::new("broker.example", 443)
///     .with_tls(Tls::new())
///     .with_websocket(websocket);
/// assert!(!format!("{options:?}").contains("secret"));
/// ```
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct WebSocket {
    /// The path of the URL, with its query if it has one. Default `/mqtt`.
    pub path: String,
    /// HTTP headers to send beside those of the handshake, as name and value; values are never shown by `Debug`. A `Host`
    /// stands in place of that of the address.
    pub headers: Vec<(String, String)>,
}

impl WebSocket {
    /// A WebSocket at `path`.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            headers: Vec::new(),
        }
    }

    /// Adds an HTTP header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl Default for WebSocket {
    fn default() -> Self {
        Self::new(DEFAULT_PATH)
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may be a signature.
        let path = self.path.split('?').next().unwrap_or_default();
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("WebSocket")
            .field("path", &path)
            .field("headers", &names)
            .finish()
    }
}

/// A WebSocket that can never work as it is asked for.
#[derive(Clone, Debug, Eq, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum WebSocketOptionsError {
    /// The library was built without the feature `websocket`.
    #[error("this program was built without WebSocket (feature \"websocket\" of mqtt-client)")]
    NotBuiltIn,
    /// The path or a header cannot be sent.
    #[cfg(feature = "websocket")]
    #[error("websocket: {0}")]
    Request(#[from] mqtt_transport::RequestError),
}
