//! Plain TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::Transport;
use super::dialer::{Attempt, Dialer, Host};
use super::socket::Socket;
use crate::error::{ConnectError, ConnectStage};
use crate::fork::TrackedSocket;

/// Connects to a host, trying each of its addresses in turn, layers included, so that one that is silent leaves time for the
/// others before the `deadline`. Of several failures, the one that came furthest is told.
pub(super) async fn connect(
    dialer: &Dialer,
    host: Host<'_>,
    deadline: Instant,
    attempt: &mut Attempt,
) -> Result<Transport, ConnectError> {
    let found = lookup_host((host.name, host.port)).await;
    let found: Vec<_> = found
        .map_err(|source| resolve_error(host.name, source))?
        .collect();
    let mut furthest = ConnectStage::Resolve;
    let mut failed = resolve_error(
        host.name,
        io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
    );
    for (place, candidate) in (0_u32..).zip(&found) {
        attempt.begin(display(host, *candidate));
        let left = u32::try_from(found.len()).unwrap_or(u32::MAX) - place;
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        let connecting = async {
            let socket = open(*candidate).await;
            let socket = socket.map_err(|source| attempt.failed(source))?;
            dialer.layer(Box::new(socket), Some(host), attempt).await
        };
        let error = match timeout(share, connecting).await {
            Ok(Ok(transport)) => return Ok(transport),
            Ok(Err(error)) => error,
            Err(_) => attempt.timed_out(share),
        };
        if attempt.stage >= furthest {
            furthest = attempt.stage;
            failed = error;
        }
    }
    Err(failed)
}

async fn open(address: SocketAddr) -> io::Result<Socket<TcpStream>> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    let tracked = TrackedSocket::new(&socket);
    // Small packets are gathered by us, so waiting for more of them in the kernel only delays (D10).
    socket.set_nodelay(true)?;
    let stream = socket.connect(address).await?;
    Ok(Socket::new(tracked, stream, quick_ack))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn quick_ack(stream: &TcpStream) {
    // A kernel that does not do it is only slower.
    let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn quick_ack(_stream: &TcpStream) {
    // No other system offers it, nor needs it as much: their delays are shorter or adapt.
}

fn resolve_error(host: &str, source: io::Error) -> ConnectError {
    ConnectError::Resolve {
        host: host.to_owned(),
        source: Arc::new(source),
    }
}

/// `host:port`, and what it led to unless that is the same.
fn display(host: Host<'_>, address: SocketAddr) -> String {
    if address.ip().to_string() == host.name {
        address.to_string()
    } else {
        format!("{}:{} ({address})", host.name, host.port)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn small_packets_are_not_held_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = open(listener.local_addr().unwrap()).await.unwrap();
        assert!(socket.get_ref().nodelay().unwrap());
        quick_ack(socket.get_ref());
    }
}
