//! Plain TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::{ByteStream, Transport};
use crate::error::{ConnectError, ConnectStage};
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

/// Connects to `host`, trying each of its addresses in turn, so that one that is silent leaves time for the others before
/// the `deadline`. `address` is set to what is being tried, for whoever loses patience.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    deadline: Instant,
    address: &mut String,
) -> Result<Transport, ConnectError> {
    let found = lookup_host((host, port)).await;
    let found: Vec<_> = found
        .map_err(|source| resolve_error(host, source))?
        .collect();
    let mut last = resolve_error(
        host,
        io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
    );
    for (place, candidate) in (0_u32..).zip(&found) {
        *address = display(host, port, *candidate);
        let left = u32::try_from(found.len()).unwrap_or(u32::MAX) - place;
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        last = match timeout(share, open(*candidate)).await {
            Ok(Ok(transport)) => return Ok(Transport::Tcp(transport)),
            Ok(Err(source)) => ConnectError::Transport {
                address: address.clone(),
                source: Arc::new(source),
            },
            Err(_) => ConnectError::TimedOut {
                address: address.clone(),
                stage: ConnectStage::Transport,
                after: share,
            },
        };
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn small_packets_are_not_held_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut address = String::new();
        let deadline = Instant::now() + Duration::from_secs(10);
        let connected = connect("127.0.0.1", port, deadline, &mut address)
            .await
            .unwrap();
        let Transport::Tcp(tcp) = connected else {
            panic!("not TCP")
        };
        assert!(tcp.stream.nodelay().unwrap());
        assert_eq!(address, format!("127.0.0.1:{port}"));
        tcp.acknowledge_at_once();
    }
}
