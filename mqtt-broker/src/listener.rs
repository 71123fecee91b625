//! Sockets: accepting connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::connection;
use crate::shared::Shared;

/// How long to wait when the system gives no more sockets: it will not have one the moment after.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// After so long without a sign of the peer the system begins to ask for one.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// Why a broker could not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address can be reached from other machines and anybody could connect: set
    /// [`Options::authenticator`](crate::Options::authenticator), or listen on 127.0.0.1 or ::1.
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
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// Opens a listener on the first of the addresses that can be had, and starts to accept.
pub(crate) async fn listen(
    shared: &Arc<Shared>,
    address: impl ToSocketAddrs,
) -> Result<SocketAddr, ListenError> {
    let addresses: Vec<_> = tokio::net::lookup_host(address)
        .await
        .map_err(ListenError::Resolve)?
        .collect();
    if shared.context.options.authenticator.is_none()
        && let Some(&address) = addresses
            .iter()
            .find(|address| !address.ip().to_canonical().is_loopback())
    {
        return Err(ListenError::AuthenticationRequired { address });
    }
    let mut failed = ListenError::Resolve(io::Error::new(io::ErrorKind::NotFound, "no address"));
    for address in addresses {
        let bound = match TcpListener::bind(address).await {
            Ok(listener) => listener.local_addr().map(|local| (listener, local)),
            Err(error) => Err(error),
        };
        match bound {
            Ok((listener, local)) => {
                shared.add_address(local);
                shared.tasks.spawn(accept(Arc::clone(shared), listener));
                tracing::info!(address = %local, "listening");
                return Ok(local);
            }
            Err(source) => failed = ListenError::Bind { address, source },
        }
    }
    Err(failed)
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Err(error) = prepare(&stream) {
                    tracing::debug!(%peer, %error, "a socket option could not be set");
                }
                connection::spawn(&shared, stream, Some(peer));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Small packets are to leave at once: they are gathered before they are written.
    stream.set_nodelay(true)?;
    // A client may ask for no Keep Alive, and its end may still break without a word.
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE))
}
