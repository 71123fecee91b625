//! The sockets under a listener.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
use socket2::{Domain, SockAddr, Type};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::layers::ByteStream;
use super::{ListenError, LocalAddress};

/// After so long without a sign of the peer the system begins to ask for one.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// How many connections may wait until they are accepted. The 128 of the standard library are full in a moment when many come
/// at once, and TCP tries again only after a second.
const BACKLOG: u32 = 1_024;

/// A socket that accepts.
pub(super) struct Bound {
    socket: Socket,
    local: LocalAddress,
}

enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, SocketFile),
}

/// A connection, as the system hands it over.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Accepted {
    pub(super) fn into_stream(self) -> (Box<dyn ByteStream>, Option<SocketAddr>) {
        match self {
            Self::Tcp(stream, peer) => (Box::new(stream), Some(peer)),
            #[cfg(unix)]
            Self::Unix(stream) => (Box::new(stream), None),
        }
    }
}

impl Bound {
    pub(super) async fn tcp(addresses: &[SocketAddr]) -> Result<Self, ListenError> {
        Self::tcp_at(addresses).await.map(|(bound, _)| bound)
    }

    /// The first of the addresses that can be had, and which it is.
    pub(super) async fn tcp_at(
        addresses: &[SocketAddr],
    ) -> Result<(Self, SocketAddr), ListenError> {
        let mut failed =
            ListenError::Resolve(io::Error::new(io::ErrorKind::NotFound, "no address"));
        for &address in addresses {
            let bound = bind(address).and_then(|listener| {
                let local = listener.local_addr()?;
                Ok((listener, local))
            });
            match bound {
                Ok((listener, local)) => {
                    let bound = Self {
                        socket: Socket::Tcp(listener),
                        local: LocalAddress::Tcp(local),
                    };
                    return Ok((bound, local));
                }
                Err(source) => {
                    failed = ListenError::Bind {
                        address: LocalAddress::Tcp(address),
                        source,
                    };
                }
            }
        }
        Err(failed)
    }

    #[cfg(not(unix))]
    pub(super) fn unix(_path: &Path) -> Result<Self, ListenError> {
        Err(ListenError::NoUnixSockets)
    }

    #[cfg(unix)]
    pub(super) fn unix(path: &Path) -> Result<Self, ListenError> {
        remove_stale(path)?;
        let failed = |source| ListenError::Bind {
            address: LocalAddress::Unix(path.to_path_buf()),
            source,
        };
        let listener = UnixSocket::new_stream()
            .and_then(|socket| {
                socket.bind(path)?;
                socket.listen(BACKLOG)
            })
            .map_err(failed)?;
        let file = SocketFile::new(path).map_err(failed)?;
        Ok(Self {
            socket: Socket::Unix(listener, file),
            local: LocalAddress::Unix(path.to_path_buf()),
        })
    }

    pub(super) fn local(&self) -> &LocalAddress {
        &self.local
    }

    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                if let Err(error) = prepare(&stream) {
                    tracing::debug!(%peer, %error, "a socket option could not be set");
                }
                Ok(Accepted::Tcp(stream, peer))
            }
            #[cfg(unix)]
            Socket::Unix(listener, _file) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A port that was just in use can be had again at once. On Windows this would share one that is in use.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Small packets are to leave at once: they are gathered before they are written.
    stream.set_nodelay(true)?;
    // A client may ask for no Keep Alive, and its end may still break without a word.
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE))
}

/// Removes a socket that a broker which did not end in good order has left. Nothing else is ever removed.
#[cfg(unix)]
fn remove_stale(path: &Path) -> Result<(), ListenError> {
    use std::os::unix::fs::FileTypeExt;

    let Ok(found) = std::fs::symlink_metadata(path) else {
        // Nothing is there, or binding tells why it cannot be.
        return Ok(());
    };
    let occupied = |found| ListenError::Occupied {
        path: path.to_path_buf(),
        found,
    };
    if !found.file_type().is_socket() {
        return Err(occupied("something that is no socket"));
    }
    match knock(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|source| ListenError::Bind {
                address: LocalAddress::Unix(path.to_path_buf()),
                source,
            })
        }
        _ => Err(occupied("a socket where somebody listens")),
    }
}

/// Whether anybody listens at a Unix socket. One who does not accept must not keep us waiting.
#[cfg(unix)]
fn knock(path: &Path) -> io::Result<()> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

/// The file of a Unix socket, which outlives the socket unless it is removed.
#[cfg(unix)]
struct SocketFile {
    path: std::path::PathBuf,
    identity: (u64, u64),
}

#[cfg(unix)]
impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: std::path::absolute(path)?,
            identity: identity(path)?,
        })
    }
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have put another one in its place.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
