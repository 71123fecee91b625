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

/// Connects to a host, or to the proxy that leads there, trying each of its addresses in turn from the `first`th on; see
/// [`connect_to_any`].
pub(super) async fn connect(
    dialer: &Dialer,
    host: Host<'_>,
    first: usize,
    deadline: Instant,
    attempt: &mut Attempt,
) -> Result<Transport, ConnectError> {
    let hop = dialer.proxy().unwrap_or(host);
    let found = lookup_host((hop.name, hop.port)).await;
    let found = found.map_err(|source| resolve_error(hop.name, source))?;
    let found = in_turn(found.collect(), first);
    connect_to_any(dialer, host, &found, deadline, attempt).await
}

/// A server that takes connections and then says nothing must not keep a client from the others for good.
fn in_turn<T>(mut found: Vec<T>, first: usize) -> Vec<T> {
    let first = first.checked_rem(found.len()).unwrap_or(0);
    found.rotate_left(first);
    found
}

/// Connects to the first of the addresses of a host, or of its proxy, that can be had, layers included. Each gets an equal
/// share of the time that is left until the `deadline`, so that one that is silent leaves time for the others. Of several
/// failures, the one that came furthest is told.
async fn connect_to_any(
    dialer: &Dialer,
    host: Host<'_>,
    found: &[SocketAddr],
    deadline: Instant,
    attempt: &mut Attempt,
) -> Result<Transport, ConnectError> {
    let proxy = dialer.proxy();
    let hop = proxy.unwrap_or(host);
    let mut furthest = ConnectStage::Resolve;
    let mut failed = resolve_error(
        hop.name,
        io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
    );
    for (place, candidate) in (0_u32..).zip(found) {
        let shown = display(hop, *candidate);
        attempt.begin(match proxy {
            Some(_) => format!("the proxy {shown}"),
            None => shown,
        });
        let left = u32::try_from(found.len()).unwrap_or(u32::MAX) - place;
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        let connecting = async {
            let socket = open(*candidate).await;
            let socket = socket.map_err(|source| attempt.failed(source))?;
            dialer.go_on(Box::new(socket), host, attempt).await
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
        format!("{host} ({address})")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;
    use crate::options::Options;

    #[tokio::test]
    async fn small_packets_are_not_held_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = open(listener.local_addr().unwrap()).await.unwrap();
        assert!(socket.get_ref().nodelay().unwrap());
        quick_ack(socket.get_ref());
    }

    #[test]
    fn each_round_begins_at_another_address() {
        let begun = [0, 1, 2, 3].map(|first| in_turn(vec!["a", "b", "c"], first)[0]);
        assert_eq!(begun, ["a", "b", "c", "a"]);
        assert_eq!(in_turn(Vec::<()>::new(), 1), []);
    }

    /// A listener that answers nobody: its queue is full with one connection, which is given back too.
    async fn silent() -> (TcpListener, TcpStream) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let first = TcpStream::connect(listener.local_addr().unwrap()).await;
        (listener, first.unwrap())
    }

    #[tokio::test]
    async fn a_silent_address_leaves_time_for_the_others() {
        let (silent, _first) = silent().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let reached = listener.local_addr().unwrap();
        let dialer = Dialer::new(&Options::default()).unwrap();
        let host = Host {
            name: "broker.example",
            port: 1883,
        };
        // The good one stands there so often that a slow machine gets all of the time for it, and the silent one little.
        let mut found = vec![reached; 300];
        found.insert(0, silent.local_addr().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut attempt = Attempt::new(String::new());
        let connected = connect_to_any(&dialer, host, &found, deadline, &mut attempt).await;
        assert!(connected.is_ok());
        assert_eq!(
            attempt.into_address(),
            format!("broker.example:1883 ({reached})")
        );
    }

    #[tokio::test]
    async fn an_address_that_was_silent_is_named_with_its_share_of_the_time() {
        let (silent, _first) = silent().await;
        let silent = silent.local_addr().unwrap();
        let dialer = Dialer::new(&Options::default()).unwrap();
        let host = Host {
            name: "broker.example",
            port: 1883,
        };
        let limit = Duration::from_millis(100);
        let mut attempt = Attempt::new(String::new());
        let deadline = Instant::now() + limit;
        let connected =
            connect_to_any(&dialer, host, &[silent, silent], deadline, &mut attempt).await;
        let Err(ConnectError::TimedOut {
            address,
            stage,
            after,
        }) = connected
        else {
            panic!("it is not silent");
        };
        assert_eq!(address, format!("broker.example:1883 ({silent})"));
        assert_eq!(stage, ConnectStage::Transport);
        assert!(after <= limit / 2, "{after:?}");
    }
}
