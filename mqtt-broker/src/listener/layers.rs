//! TLS and WebSocket over an accepted connection.

use std::fmt;
use std::io;
use std::pin::Pin;

#[cfg(feature = "websocket")]
use mqtt_transport::BinaryStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
#[cfg(feature = "tls")]
use tokio_rustls::server::TlsStream;

use super::{ListenError, Listener};
use crate::certificates::Certificates;
use crate::options::Options;

/// The largest CONNECT, in bytes: the most that is taken of a client before it is accepted, and so the least that a WebSocket
/// message has to have room for.
#[cfg(feature = "websocket")]
const LARGEST_CONNECT: u32 = 256 << 10;

/// Anything that can carry MQTT.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// The client is accepted, and may send as much as any.
    fn lift_first_limit(&mut self) {}
}

impl ByteStream for TcpStream {}

#[cfg(unix)]
impl ByteStream for UnixStream {}

#[cfg(feature = "tls")]
impl ByteStream for TlsStream<Box<dyn ByteStream>> {}

#[cfg(feature = "websocket")]
impl ByteStream for BinaryStream<Box<dyn ByteStream>> {
    fn lift_first_limit(&mut self) {
        Self::lift_first_limit(self);
    }
}

impl ByteStream for Box<dyn ByteStream> {
    fn lift_first_limit(&mut self) {
        (**self).lift_first_limit();
    }
}

/// One of the caller's.
impl<S: AsyncRead + AsyncWrite + Send> ByteStream for Pin<Box<S>> {}

/// A connection after its handshakes.
pub(crate) struct Opened {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) certificates: Certificates,
}

/// What is spoken over the sockets of one listener.
#[derive(Default)]
pub(super) struct Layers {
    #[cfg(feature = "tls")]
    tls: Option<tokio_rustls::TlsAcceptor>,
    #[cfg(feature = "websocket")]
    websocket: Option<WebSocket>,
}

#[cfg(feature = "websocket")]
struct WebSocket {
    path: String,
    largest_packet: u32,
}

impl Layers {
    pub(super) fn new(listener: &Listener, options: &Options) -> Result<Self, ListenError> {
        #[cfg(not(any(feature = "tls", feature = "websocket")))]
        let _ = listener;
        #[cfg(not(feature = "websocket"))]
        let _ = options;
        #[cfg(feature = "websocket")]
        if let Some(path) = listener.websocket.as_ref()
            && !path.starts_with('/')
        {
            return Err(ListenError::WebSocketPath { path: path.clone() });
        }
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: listener
                .tls
                .as_ref()
                .map(|tls| tls.acceptor())
                .transpose()?,
            #[cfg(feature = "websocket")]
            websocket: listener.websocket.clone().map(|path| WebSocket {
                path,
                largest_packet: options.maximum_packet_size.get().max(LARGEST_CONNECT),
            }),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return false;
        }
        #[cfg(feature = "websocket")]
        if self.websocket.is_some() {
            return false;
        }
        true
    }

    /// Goes through the handshakes. Whoever waits for it sets the time limit.
    #[cfg_attr(
        not(any(feature = "tls", feature = "websocket")),
        expect(
            clippy::unused_async,
            reason = "without the features there are no layers"
        )
    )]
    pub(super) async fn open(&self, stream: Box<dyn ByteStream>) -> io::Result<Opened> {
        #[cfg(not(feature = "tls"))]
        let certificates = Certificates::default();
        #[cfg(feature = "tls")]
        let (stream, certificates): (Box<dyn ByteStream>, _) = match &self.tls {
            Some(tls) => {
                let stream = tls.accept(stream).await?;
                let certificates = Certificates::new(stream.get_ref().1.peer_certificates());
                (Box::new(stream), certificates)
            }
            None => (stream, Certificates::default()),
        };
        #[cfg(feature = "websocket")]
        let stream = match &self.websocket {
            Some(WebSocket {
                path,
                largest_packet,
            }) => {
                let accepted =
                    mqtt_transport::accept(stream, path, LARGEST_CONNECT, *largest_packet).await;
                Box::new(accepted.map_err(io::Error::other)?)
            }
            None => stream,
        };
        Ok(Opened {
            stream,
            certificates,
        })
    }
}

impl fmt::Display for Layers {
    /// For the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            f.write_str("TLS ")?;
        }
        #[cfg(feature = "websocket")]
        if let Some(websocket) = &self.websocket {
            return write!(f, "WebSocket {}", websocket.path);
        }
        f.write_str("MQTT")
    }
}
