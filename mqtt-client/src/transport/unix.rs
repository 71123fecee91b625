//! Unix sockets.

use std::io;
use std::path::Path;

use tokio::net::UnixSocket;

use super::ByteStream;
use super::socket::Socket;
use crate::fork::TrackedSocket;

pub(super) async fn open(path: &Path) -> io::Result<Box<dyn ByteStream>> {
    let socket = UnixSocket::new_stream()?;
    let tracked = TrackedSocket::new(&socket);
    let stream = socket.connect(path).await?;
    Ok(Box::new(Socket::new(tracked, stream, |_| {})))
}
