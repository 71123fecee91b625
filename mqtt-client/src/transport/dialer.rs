//! Opening a transport as the options say: the address, then TLS, then WebSocket, each where it is asked for.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::time::{Duration, Instant};

#[cfg(feature = "proxy")]
use super::proxy;
#[cfg(feature = "tls")]
use super::tls;
#[cfg(unix)]
use super::unix;
#[cfg(feature = "websocket")]
use super::websocket;
use super::{ByteStream, Connector, Transport, tcp};
use crate::error::{ConnectError, ConnectStage};
#[cfg(feature = "proxy")]
use crate::options::Proxy;
#[cfg(not(feature = "tls"))]
use crate::options::TlsOptionsError;
#[cfg(not(feature = "websocket"))]
use crate::options::WebSocketOptionsError;
use crate::options::{Address, Options, OptionsError};

/// What the layers need, made once for all connections of a client.
pub(crate) struct Dialer {
    #[cfg(feature = "proxy")]
    proxy: Option<Proxy>,
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

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
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
        #[cfg(not(any(feature = "proxy", feature = "tls", feature = "websocket")))]
        let _ = options;
        Ok(Self {
            #[cfg(feature = "proxy")]
            proxy: options.proxy.clone(),
            #[cfg(feature = "tls")]
            tls: options.tls.as_ref().map(tls::Layer::new).transpose()?,
            #[cfg(feature = "websocket")]
            websocket: websocket::Layer::new(options)?,
        })
    }

    /// Opens a transport to `address`. Of the addresses that a name leads to the `first`th is tried first.
    pub(crate) async fn dial(
        &self,
        address: &Address,
        first: usize,
        deadline: Instant,
        attempt: &mut Attempt,
    ) -> Result<Transport, ConnectError> {
        match address {
            Address::Tcp { host, port } => {
                let host = Host {
                    name: host,
                    port: *port,
                };
                tcp::connect(self, host, first, deadline, attempt).await
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

    /// The proxy that leads to TCP ports, if one does.
    #[cfg_attr(
        not(feature = "proxy"),
        expect(clippy::unused_self, reason = "without the feature there is none")
    )]
    pub(super) fn proxy(&self) -> Option<Host<'_>> {
        #[cfg(feature = "proxy")]
        return self.proxy.as_ref().map(|proxy| Host {
            name: &proxy.host,
            port: proxy.port,
        });
        #[cfg(not(feature = "proxy"))]
        None
    }

    /// Goes on to `host` over a socket that leads there, or to the proxy.
    pub(super) async fn go_on(
        &self,
        #[cfg_attr(not(feature = "proxy"), expect(unused_mut, reason = "as above"))]
        mut socket: Box<dyn ByteStream>,
        host: Host<'_>,
        attempt: &mut Attempt,
    ) -> Result<Transport, ConnectError> {
        #[cfg(feature = "proxy")]
        if let Some(proxy) = &self.proxy {
            let address = attempt.address();
            attempt.stage = ConnectStage::Proxy;
            // On the heap, so that clients without a proxy do not hold its buffers.
            let asked = Box::pin(proxy::ask(proxy, &mut *socket, host)).await;
            asked.map_err(|cause| ConnectError::Proxy {
                address: address.clone(),
                server: host.to_string(),
                cause,
            })?;
            attempt.begin(format!("{host} through {address}"));
        }
        self.layer(socket, Some(host), attempt).await
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
    async fn layer(
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
        Ok(Transport::new(stream))
    }
}
