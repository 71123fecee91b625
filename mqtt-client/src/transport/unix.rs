//! Unix sockets.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use tokio::net::UnixSocket;

use super::ByteStream;
use super::socket::Socket;
use crate::fork::TrackedSocket;

pub(super) async fn open(path: &Path) -> io::Result<Box<dyn ByteStream>> {
    let socket = UnixSocket::new_stream()?;
    let tracked = TrackedSocket::new(&socket);
    let connected = socket.connect(path).await;
    let stream = connected.map_err(|error| explained(error, path))?;
    Ok(Box::new(Socket::new(tracked, stream, |_| {})))
}

/// The system says of a file that is no socket what it says of a socket where nobody listens.
fn explained(error: io::Error, path: &Path) -> io::Error {
    let is_other = error.kind() == io::ErrorKind::ConnectionRefused
        && std::fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket());
    if is_other {
        io::Error::new(error.kind(), "this is no socket")
    } else {
        error
    }
}
