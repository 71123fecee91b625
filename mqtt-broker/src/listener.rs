//! What a broker listens on: TCP ports and Unix sockets, with TLS and WebSocket over them.

mod layers;
mod socket;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::connection;
use crate::shared::Shared;
use layers::Layers;
pub(crate) use layers::{ByteStream, Opened};
use socket::{Accepted, Bound};
#[cfg(feature = "tls")]
pub use tls::{ServerTls, ServerTlsError};

/// How long to wait when the system gives no more sockets: it will not have one the moment after.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where to listen, and what is spoken there.
///
/// ```
/// # #[cfg(all(unix, feature = "tls", feature = "websocket"))]
/// # fn listeners() {
/// use mqtt_broker::{Listener, ServerTls};
///
/// let tls = ServerTls::from_files("/etc/mqtt/chain.pem", "/etc/mqtt/key.pem");
/// let secure = Listener::tcp("127.0.0.1:8883").with_tls(tls.clone());
/// let web = Listener::tcp("127.0.0.1:443").with_tls(tls).with_websocket("/mqtt");
/// let local = Listener::unix("/run/mqtt.sock");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Listener {
    place: Place,
    #[cfg(feature = "tls")]
    tls: Option<ServerTls>,
    #[cfg(feature = "websocket")]
    websocket: Option<String>,
}

#[derive(Clone, Debug)]
enum Place {
    Tcp(String),
    Unix(PathBuf),
}

impl Listener {
    /// A TCP port, as `HOST:PORT`. Port 0 lets the system choose one. Of several addresses that a name stands for, the first
    /// that can be had is taken.
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::new(Place::Tcp(address.into()))
    }

    /// A Unix socket. The file is made, in place of one where nobody listens any more, and removed when the broker ends.
    /// Only those may connect who may write to it: by the usual umask, the user that the broker runs as.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::new(Place::Unix(path.into()))
    }

    fn new(place: Place) -> Self {
        Self {
            place,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "websocket")]
            websocket: None,
        }
    }

    /// Speaks TLS.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Speaks WebSocket, to those who ask for `path` (such as `/mqtt`) and offer the subprotocol `mqtt`; within TLS if both
    /// are spoken. Where a request comes from (Origin) is not looked at: without authentication any web page that a browser
    /// on this machine shows could connect.
    #[cfg(feature = "websocket")]
    #[must_use]
    pub fn with_websocket(mut self, path: impl Into<String>) -> Self {
        self.websocket = Some(path.into());
        self
    }

    /// Whether nobody can connect whom the transport itself does not know.
    fn authenticates(&self) -> bool {
        #[cfg(feature = "tls")]
        if self
            .tls
            .as_ref()
            .is_some_and(ServerTls::demands_certificate)
        {
            return true;
        }
        false
    }
}

/// Where a broker can be reached.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LocalAddress {
    /// At a TCP port.
    Tcp(SocketAddr),
    /// At a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Why a broker could not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address can be reached from other machines and anybody could connect: set
    /// [`Options::authenticator`](crate::Options::authenticator), demand client certificates, or listen on 127.0.0.1 or ::1.
    #[error(
        "will not listen on {address}, which other machines can reach, without authentication: configure it, or listen on \
         127.0.0.1 or [::1]"
    )]
    AuthenticationRequired {
        /// The address.
        address: SocketAddr,
    },
    /// The address could not be looked up, or stands for none.
    #[error("cannot resolve the address to listen on")]
    Resolve(#[source] io::Error),
    /// The system did not give the address.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: LocalAddress,
        /// Why not.
        source: io::Error,
    },
    /// Somebody listens at this Unix socket, or the file is something else.
    #[error("cannot listen on {}: {found} is there", path.display())]
    Occupied {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// TLS cannot work as it is asked for.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] ServerTlsError),
    /// The path of a WebSocket must begin with a slash.
    #[cfg(feature = "websocket")]
    #[error("{path:?} is not the path of a WebSocket; it begins with a slash")]
    WebSocketPath {
        /// The path.
        path: String,
    },
    /// This system has no Unix sockets.
    #[error("this system has no Unix sockets")]
    NoUnixSockets,
}

/// Opens a listener and starts to accept.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    listener: &Listener,
) -> Result<LocalAddress, ListenError> {
    let layers = Layers::new(listener, &shared.context.options)?;
    let bound = match &listener.place {
        Place::Tcp(address) => {
            let addresses: Vec<_> = tokio::net::lookup_host(address)
                .await
                .map_err(ListenError::Resolve)?
                .collect();
            check_reach(shared, &addresses, listener.authenticates())?;
            Bound::tcp(&addresses).await?
        }
        Place::Unix(path) => Bound::unix(path)?,
    };
    Ok(start(shared, bound, layers))
}

/// Opens a listener for plain TCP on the first of the addresses that can be had, and starts to accept.
pub(crate) async fn listen(
    shared: &Arc<Shared>,
    address: impl tokio::net::ToSocketAddrs,
) -> Result<SocketAddr, ListenError> {
    let addresses: Vec<_> = tokio::net::lookup_host(address)
        .await
        .map_err(ListenError::Resolve)?
        .collect();
    check_reach(shared, &addresses, false)?;
    let (bound, local) = Bound::tcp_at(&addresses).await?;
    start(shared, bound, Layers::default());
    Ok(local)
}

/// Without authentication nobody from outside may come.
fn check_reach(
    shared: &Shared,
    addresses: &[SocketAddr],
    authenticates: bool,
) -> Result<(), ListenError> {
    if authenticates || shared.context.options.authenticator.is_some() {
        return Ok(());
    }
    let reachable = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
    match addresses.iter().find(reachable) {
        Some(&address) => Err(ListenError::AuthenticationRequired { address }),
        None => Ok(()),
    }
}

fn start(shared: &Arc<Shared>, bound: Bound, layers: Layers) -> LocalAddress {
    let local = bound.local().clone();
    if let LocalAddress::Tcp(address) = local {
        shared.add_address(address);
    }
    tracing::info!(address = %local, %layers, "listening");
    shared
        .tasks
        .spawn(accept(Arc::clone(shared), bound, Arc::new(layers)));
    local
}

async fn accept(shared: Arc<Shared>, bound: Bound, layers: Arc<Layers>) {
    loop {
        let accepted = tokio::select! {
            accepted = bound.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok(Accepted::Tcp(stream, peer)) if layers.is_empty() => {
                connection::spawn(&shared, stream, Some(peer));
            }
            Ok(accepted) => {
                let (stream, peer) = accepted.into_stream();
                let layers = Arc::clone(&layers);
                let opening = async move { layers.open(stream).await };
                connection::spawn_after(&shared, opening, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
