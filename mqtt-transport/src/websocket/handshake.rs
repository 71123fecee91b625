//! The HTTP request that turns a connection into a WebSocket, from both sides.

use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_key};
use tokio_tungstenite::tungstenite::handshake::server;
use tokio_tungstenite::tungstenite::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio_tungstenite::tungstenite::http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri,
};
use tokio_tungstenite::{accept_hdr_async_with_config, client_async_with_config};

use super::budget::Budget;
use super::{BinaryStream, SUBPROTOCOL, config, with_slack};

/// A request that cannot be sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The path does not begin with a slash, or has characters that a URL does not allow.
    #[error("{path:?} is not the path of a URL; it begins with a slash")]
    Path {
        /// The path.
        path: String,
    },
    /// HTTP has no such header name.
    #[error("{name:?} is not the name of an HTTP header")]
    HeaderName {
        /// The name.
        name: String,
    },
    /// The value of a header has control characters or others beyond ASCII. It is not repeated, since it may be a secret.
    #[error("the value of the HTTP header {name:?} has characters beyond visible ASCII")]
    HeaderValue {
        /// The name.
        name: String,
    },
    /// The handshake itself says what stands in this header.
    #[error("the HTTP header {name:?} belongs to the WebSocket handshake")]
    Reserved {
        /// The name.
        name: String,
    },
}

/// Why an upgrade came to nothing.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The other end answered the request with this HTTP status, or was answered so.
    #[error(
        "the WebSocket upgrade was refused with HTTP status {status}{}",
        reason.map(|text| format!(" {text}")).unwrap_or_default()
    )]
    Refused {
        /// The status, 101 excluded.
        status: u16,
        /// What the status means, if it is a known one.
        reason: Option<&'static str>,
    },
    /// The server chose no subprotocol [v5 MQTT-6.0.0-4].
    #[error(
        "the WebSocket server did not choose the subprotocol \"mqtt\": it does not speak MQTT at this path"
    )]
    NoSubprotocol,
    /// The server chose a subprotocol that was not offered [v5 MQTT-6.0.0-4].
    #[error("the WebSocket server chose another subprotocol than \"mqtt\"")]
    WrongSubprotocol,
    /// The connection ended during the handshake.
    #[error("the connection was closed during the WebSocket upgrade")]
    Closed,
    /// What came is not the other half of a WebSocket handshake.
    #[error("the other end does not speak WebSocket: {cause}")]
    NotWebSocket {
        /// The rule that was broken.
        cause: String,
    },
    /// What carries the request failed.
    #[error("the connection failed during the WebSocket upgrade: {0}")]
    Io(Arc<io::Error>),
}

impl From<Error> for UpgradeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Http(response) => Self::Refused {
                status: response.status().as_u16(),
                reason: response.status().canonical_reason(),
            },
            Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
                SubProtocolError::NoSubProtocol,
            )) => Self::NoSubprotocol,
            Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
                Self::WrongSubprotocol
            }
            Error::Protocol(ProtocolError::HandshakeIncomplete) => Self::Closed,
            Error::Protocol(ProtocolError::HttparseError(error)) => Self::NotWebSocket {
                cause: format!("no HTTP/1.1 came, which is so where it speaks TLS ({error})"),
            },
            Error::Io(error) => Self::Io(Arc::new(error)),
            error => Self::NotWebSocket {
                cause: error.to_string(),
            },
        }
    }
}

/// A client's request, checked and ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Upgrade {
    uri: Uri,
    headers: HeaderMap,
}

impl Upgrade {
    /// A request for `path`, which may have a query, with `headers` beside those of the handshake.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn new(path: &str, headers: &[(String, String)]) -> Result<Self, RequestError> {
        let bad_path = || RequestError::Path {
            path: path.to_owned(),
        };
        if !path.starts_with('/') {
            return Err(bad_path());
        }
        // Only what stands after the authority is sent; the library wants a whole URI.
        let uri: Uri = format!("ws://localhost{path}")
            .parse()
            .map_err(|_| bad_path())?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = || name.clone();
            let header: HeaderName = name()
                .parse()
                .map_err(|_| RequestError::HeaderName { name: name() })?;
            if matches!(header, CONNECTION | UPGRADE)
                || header.as_str().starts_with("sec-websocket-")
            {
                return Err(RequestError::Reserved { name: name() });
            }
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| RequestError::HeaderValue { name: name() })?;
            value.set_sensitive(true);
            map.append(header, value);
        }
        Ok(Self { uri, headers: map })
    }

    /// Upgrades `stream` as a client. `host` is what the Host header says, unless the headers have one. The server
    /// may send messages as large as `largest_packet` and 64 KiB more.
    ///
    /// # Errors
    /// [`UpgradeError`].
    pub async fn request<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        host: &str,
        largest_packet: u32,
    ) -> Result<BinaryStream<S>, UpgradeError> {
        let mut request = Request::new(());
        request.uri_mut().clone_from(&self.uri);
        let headers = request.headers_mut();
        headers.insert(HOST, header_value(host)?);
        headers.extend(self.headers.clone());
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, header_value(&generate_key())?);
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let stream = Budget::new(stream, None);
        let (frames, _) =
            client_async_with_config(request, stream, Some(config(largest_packet))).await?;
        Ok(BinaryStream::new(frames))
    }
}

fn header_value(text: &str) -> Result<HeaderValue, UpgradeError> {
    HeaderValue::from_str(text).map_err(|_| UpgradeError::NotWebSocket {
        cause: "the host has characters that HTTP does not allow".to_owned(),
    })
}

/// Upgrades `stream` as a server: a client must ask for `path` (with any query) and offer the subprotocol
/// [v5 MQTT-6.0.0-3, MQTT-6.0.0-4]. It may send messages as large as `largest_packet` and 64 KiB more; but until
/// [`BinaryStream::lift_first_limit`] no more than `largest_first_packet` and 64 KiB in all, its request included.
///
/// # Errors
/// [`UpgradeError`]; where it was the client's request, the client has been answered with an HTTP status.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    path: &str,
    largest_first_packet: u32,
    largest_packet: u32,
) -> Result<BinaryStream<S>, UpgradeError> {
    // The signature is the library's.
    #[expect(clippy::result_large_err, reason = "the library's trait has it so")]
    let check = |request: &server::Request, mut response: server::Response| {
        if request.uri().path() != path {
            return Err(refusal(StatusCode::NOT_FOUND, "MQTT is not at this path\n"));
        }
        let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
        let offers_mqtt = offered
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .any(|name| name.trim() == SUBPROTOCOL);
        if !offers_mqtt {
            return Err(refusal(
                StatusCode::BAD_REQUEST,
                "offer the WebSocket subprotocol mqtt\n",
            ));
        }
        response.headers_mut().insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        Ok(response)
    };
    let stream = Budget::new(stream, Some(with_slack(largest_first_packet)));
    let frames = accept_hdr_async_with_config(stream, check, Some(config(largest_packet))).await?;
    Ok(BinaryStream::new(frames))
}

fn refusal(status: StatusCode, text: &'static str) -> server::ErrorResponse {
    let mut response = Response::new(Some(text.to_owned()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    response
}
