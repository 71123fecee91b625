//! Plain TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::{ByteStream, Transport};
use crate::error::ConnectError;
use crate::fork::TrackedSocket;

/// A TCP connection.
pub(crate) struct TcpTransport {
    // Before the stream, so that the number is not tracked any more when it is closed and may mean another file.
    _tracked: TrackedSocket,
    stream: TcpStream,
}

impl TcpTransport {
    pub(super) fn stream(&mut self) -> &mut dyn ByteStream {
        &mut self.stream
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn acknowledge_at_once(&self) {
        // A kernel that does not do it is only slower.
        let _ = socket2::SockRef::from(&self.stream).set_tcp_quickack(true);
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn acknowledge_at_once(&self) {
        // No other system offers it, nor needs it as much: their delays are shorter or adapt.
    }
}

/// Connects to `host`, trying each of its addresses in turn. `address` is set to what is being tried, for whoever loses
/// patience.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    address: &mut String,
) -> Result<Transport, ConnectError> {
    let found = lookup_host((host, port))
        .await
        .map_err(|source| resolve_error(host, source))?;
    let mut last = resolve_error(
        host,
        io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
    );
    for candidate in found {
        *address = display(host, port, candidate);
        match open(candidate).await {
            Ok(transport) => return Ok(Transport::Tcp(transport)),
            Err(source) => {
                last = ConnectError::Transport {
                    address: address.clone(),
                    source: Arc::new(source),
                }
            }
        }
    }
    Err(last)
}

async fn open(address: SocketAddr) -> io::Result<TcpTransport> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    let tracked = TrackedSocket::new(&socket);
    // Small packets are gathered by us, so waiting for more of them in the kernel only delays (D10).
    socket.set_nodelay(true)?;
    Ok(TcpTransport {
        stream: socket.connect(address).await?,
        _tracked: tracked,
    })
}

fn resolve_error(host: &str, source: io::Error) -> ConnectError {
    ConnectError::Resolve {
        host: host.to_owned(),
        source: Arc::new(source),
    }
}

/// `host:port`, and what it led to unless that is the same.
fn display(host: &str, port: u16, address: SocketAddr) -> String {
    if address.ip().to_string() == host {
        address.to_string()
    } else {
        format!("{host}:{port} ({address})")
    }
}
