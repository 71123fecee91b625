//! The lowest layer: a socket of ours or a stream of the caller's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ByteStream;
use crate::fork::TrackedSocket;

/// A stream, and what has to be known about it under whatever layers.
pub(super) struct Socket<T> {
    // Before the stream, so that the number is not tracked any more when it is closed and may mean another file.
    _tracked: Option<TrackedSocket>,
    stream: T,
    quick_ack: fn(&T),
}

impl<T> Socket<T> {
    /// A socket of ours, which a forked child closes.
    pub(super) fn new(tracked: TrackedSocket, stream: T, quick_ack: fn(&T)) -> Self {
        Self {
            _tracked: Some(tracked),
            stream,
            quick_ack,
        }
    }

    /// A stream of the caller's, of which nothing is known.
    pub(super) fn foreign(stream: T) -> Self {
        Self {
            _tracked: None,
            stream,
            quick_ack: |_| {},
        }
    }

    #[cfg(test)]
    pub(super) fn get_ref(&self) -> &T {
        &self.stream
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for Socket<T> {
    fn acknowledge_at_once(&self) {
        (self.quick_ack)(&self.stream);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Socket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
