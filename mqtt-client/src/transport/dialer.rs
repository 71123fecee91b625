//! Opening a transport as the options say: the address, then TLS, then WebSocket, each where it is asked for.

use std::io;
use std::sync::Arc;

use tokio::time::{Duration, Instant};

#[cfg(feature = "tls")]
use super::tls;
#[cfg(unix)]
use super::unix;
#[cfg(feature = "websocket")]
use super::websocket;
use super::{ByteStream, Connector, Transport, tcp};
use crate::error::{ConnectError, ConnectStage};
#[cfg(not(feature = "tls"))]
use crate::options::TlsOptionsError;
#[cfg(not(feature = "websocket"))]
use crate::options::WebSocketOptionsError;
use crate::options::{Address, Options, OptionsError};

/// What the layers need, made once for all connections of a client.
pub(crate) struct Dialer {
    #[cfg(feature = "tls")]
    tls: Option<tls::Layer>,
    #[cfg(feature = "websocket")]
    websocket: Option<websocket::Layer>,
}

/// A name and a port, as the address has them.
#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    pub(super) name: &'a str,
    pub(super) port: u16,
}

/// How far an attempt to connect has come, for whoever loses patience.
pub(crate) struct Attempt {
    address: String,
    pub(super) stage: ConnectStage,
}

impl Attempt {
    /// Nothing but the address as the options have it is known yet.
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            stage: ConnectStage::Resolve,
        }
    }

    /// From here on it is `address` that is tried.
    pub(super) fn begin(&mut self, address: String) {
        self.address = address;
        self.stage = ConnectStage::Transport;
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    pub(super) fn failed(&self, source: io::Error) -> ConnectError {
        ConnectError::Transport {
            address: self.address(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn timed_out(&self, after: Duration) -> ConnectError {
        ConnectError::TimedOut {
            address: self.address(),
            stage: self.stage,
            after,
        }
    }

    /// The address that was reached.
    pub(crate) fn into_address(self) -> String {
        self.address
    }
}

impl Dialer {
    /// Looks for what could never work, without keeping anything.
    pub(crate) fn check(options: &Options) -> Result<(), OptionsError> {
        #[cfg(feature = "tls")]
        tls::check(options)?;
        #[cfg(not(feature = "tls"))]
        if options.tls.is_some() {
            return Err(TlsOptionsError::NotBuiltIn.into());
        }
        #[cfg(feature = "websocket")]
        websocket::Layer::new(options)?;
        #[cfg(not(feature = "websocket"))]
        if options.websocket.is_some() {
            return Err(WebSocketOptionsError::NotBuiltIn.into());
        }
        Ok(())
    }

    /// Reads certificates and keys. The options must have passed [`check`](Self::check).
    pub(crate) fn new(options: &Options) -> Result<Self, OptionsError> {
        #[cfg(not(any(feature = "tls", feature = "websocket")))]
        let _ = options;
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: options.tls.as_ref().map(tls::Layer::new).transpose()?,
            #[cfg(feature = "websocket")]
            websocket: websocket::Layer::new(options)?,
        })
    }

    /// Opens a transport to `address`.
    pub(crate) async fn dial(
        &self,
        address: &Address,
        deadline: Instant,
        attempt: &mut Attempt,
    ) -> Result<Transport, ConnectError> {
        match address {
            Address::Tcp { host, port } => {
                let host = Host {
                    name: host,
                    port: *port,
                };
                tcp::connect(self, host, deadline, attempt).await
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                attempt.begin(address.to_string());
                let opened = unix::open(path).await;
                let opened = opened.map_err(|source| attempt.failed(source))?;
                self.layer(opened, None, attempt).await
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(OptionsError::NoUnixSockets.into()),
        }
    }

    /// Has `connector` open a transport.
    pub(crate) async fn through(
        &self,
        connector: &Connector,
        attempt: &mut Attempt,
    ) -> Result<Transport, ConnectError> {
        attempt.begin(connector.name().to_owned());
        let opened = connector.open().await;
        let opened = opened.map_err(|source| attempt.failed(source))?;
        self.layer(opened, None, attempt).await
    }

    /// Puts TLS and WebSocket over a stream.
    #[cfg_attr(
        not(any(feature = "tls", feature = "websocket")),
        expect(
            clippy::unused_async,
            unused_variables,
            reason = "without the features there are no layers"
        )
    )]
    pub(super) async fn layer(
        &self,
        stream: Box<dyn ByteStream>,
        host: Option<Host<'_>>,
        attempt: &mut Attempt,
    ) -> Result<Transport, ConnectError> {
        #[cfg(feature = "tls")]
        let stream = match &self.tls {
            Some(tls) => {
                attempt.stage = ConnectStage::Tls;
                tls.handshake(stream, host, attempt).await?
            }
            None => stream,
        };
        #[cfg(feature = "websocket")]
        let stream = match &self.websocket {
            Some(websocket) => {
                attempt.stage = ConnectStage::WebSocket;
                websocket.upgrade(stream, host, attempt).await?
            }
            None => stream,
        };
        Ok(Transport { stream })
    }
}
