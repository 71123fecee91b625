//! What carries the bytes: TCP, a Unix socket or whatever a caller's connector opens, and TLS and WebSocket over any of them.

mod connector;
mod dialer;
#[cfg(feature = "proxy")]
mod proxy;
mod socket;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;
#[cfg(feature = "websocket")]
mod websocket;

use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use mqtt_core::Output;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::error::TlsError;
pub use connector::Connector;
pub(crate) use dialer::{Attempt, Dialer};

/// How much room a read is given: little for a connection on which little comes, and that may be one of very many.
const SMALLEST_READ: usize = 1024;
const LARGEST_READ: usize = 32 * 1024;

/// Bytes read at a time from a connection that is being closed.
const DRAIN_SIZE: usize = 4 * 1024;

/// Anything that can carry MQTT: an ordered, lossless stream of bytes both ways (v5 4.2).
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Has the kernel acknowledge what was read at once, not after 40 ms: a server with Nagle's algorithm on holds its
    /// next small packet back until then.
    fn acknowledge_at_once(&self);
}

/// An open transport.
pub(crate) struct Transport {
    stream: Box<dyn ByteStream>,
    room: Room,
}

/// How much room the next read is given, by how much of it the last ones needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Room(usize);

impl Room {
    /// A read found this much, and has filled its buffer or not. More room comes at once, and less only by and by.
    fn learn(&mut self, found: usize, filled: bool) {
        if filled {
            self.0 = (4 * self.0).min(LARGEST_READ);
        } else if found < self.0 / 4 {
            self.0 = (self.0 / 2).max(SMALLEST_READ);
        }
    }
}

/// What one look at a transport brought.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// Bytes read; `Some(0)` is the end of the stream.
    pub(crate) read: Option<usize>,
    pub(crate) written: usize,
}

impl Transport {
    fn new(stream: Box<dyn ByteStream>) -> Self {
        Self {
            stream,
            room: Room(SMALLEST_READ),
        }
    }

    /// Writes all of `output` that goes, and reads into `input` once if `want_read`. Ready when anything moved. Nothing is
    /// lost when it is not polled to the end.
    ///
    /// What was read is reported even where writing failed: the server may have said why it hung up.
    pub(crate) fn poll_move(
        &mut self,
        context: &mut Context<'_>,
        want_read: bool,
        input: &mut BytesMut,
        output: &mut Output,
    ) -> Poll<io::Result<Moved>> {
        let mut moved = Moved::default();
        let mut failed = None;
        let mut stream = &mut *self.stream;
        while output.has_remaining() {
            match pin!(AsyncWriteExt::write_buf(&mut stream, output)).poll(context) {
                Poll::Ready(Ok(0)) => failed = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    moved.written += count;
                    continue;
                }
                Poll::Ready(Err(error)) => failed = Some(error),
                Poll::Pending => {}
            }
            break;
        }
        // Transports that buffer are told to let go. If they cannot at once they keep the waker, and are asked again with
        // the next write.
        if let Poll::Ready(Err(error)) = Pin::new(&mut *stream).poll_flush(context) {
            failed = Some(error);
        }
        if want_read || failed.is_some() {
            if input.is_empty() && input.capacity() > 2 * self.room.0 {
                // What came once is not held for what comes now.
                *input = BytesMut::new();
            }
            // `read_buf` on a full buffer would read 64 bytes at a time.
            input.reserve(self.room.0);
            match pin!(AsyncReadExt::read_buf(&mut stream, input)).poll(context) {
                Poll::Ready(Ok(count)) => {
                    self.room.learn(count, input.len() == input.capacity());
                    moved.read = Some(count);
                }
                Poll::Ready(Err(error)) if is_end(&error) => moved.read = Some(0),
                // In place of what writing met: this may be the alert that tells why.
                Poll::Ready(Err(error)) => failed = Some(error),
                Poll::Pending => {}
            }
        }
        match failed {
            Some(error) if moved.read.is_none_or(|count| count == 0) => Poll::Ready(Err(error)),
            _ if moved.read.is_some() || moved.written > 0 => Poll::Ready(Ok(moved)),
            _ => Poll::Pending,
        }
    }

    /// See [`ByteStream::acknowledge_at_once`].
    pub(crate) fn acknowledge_at_once(&self) {
        self.stream.acknowledge_at_once();
    }

    /// Writes what is left, closes the sending half and reads until the other end closed too. Closing with unread input would
    /// reset the connection, and destroy what is on its way.
    pub(crate) async fn drain(&mut self, output: &mut Output) -> io::Result<()> {
        let mut stream = &mut *self.stream;
        AsyncWriteExt::write_all_buf(&mut stream, output).await?;
        AsyncWriteExt::shutdown(&mut stream).await?;
        // What comes now is thrown away.
        poll_fn(|context| {
            loop {
                let mut rest = [MaybeUninit::uninit(); DRAIN_SIZE];
                let mut rest = ReadBuf::uninit(&mut rest);
                ready!(Pin::new(&mut stream).poll_read(context, &mut rest))?;
                if rest.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }
}

/// A peer that ends TLS without saying so ends the stream, and no more: MQTT itself tells whether a packet was cut.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// What TLS has to say about an error of a transport, if it is one of TLS.
#[cfg(feature = "tls")]
pub(crate) fn tls_error(error: &io::Error) -> Option<TlsError> {
    tls::cause(error)
}

#[cfg(not(feature = "tls"))]
pub(crate) const fn tls_error(_error: &io::Error) -> Option<TlsError> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_get_more_room_at_once_and_less_by_and_by() {
        let mut room = Room(SMALLEST_READ);
        let rooms = |room: &mut Room, reads: &[(usize, bool)]| -> Vec<usize> {
            let learn = |(found, filled): &(usize, bool)| {
                room.learn(*found, *filled);
                room.0
            };
            reads.iter().map(learn).collect()
        };
        let full = [(1024, true), (4096, true), (16_384, true), (32_768, true)];
        assert_eq!(rooms(&mut room, &full), [4096, 16_384, 32_768, 32_768]);
        // What came fills a good part of it.
        assert_eq!(rooms(&mut room, &[(8192, false)]), [32_768]);
        let pings = [(2, false); 6];
        assert_eq!(
            rooms(&mut room, &pings),
            [16_384, 8192, 4096, 2048, 1024, 1024]
        );
    }

    #[tokio::test]
    async fn what_a_burst_needed_is_given_back() {
        let (ours, mut theirs) = tokio::io::duplex(1024 * 1024);
        let mut transport = Transport::new(Box::new(socket::Socket::foreign(ours)));
        let (mut input, mut output) = (BytesMut::new(), Output::new());
        theirs.write_all(&[0; 1024 * 1024]).await.unwrap();
        let mut left = 1024 * 1024;
        while left > 0 {
            let moved = poll_once(&mut transport, &mut input, &mut output).unwrap();
            left -= moved.unwrap().read.unwrap();
        }
        assert!(input.capacity() >= 1024 * 1024);
        // Taken off the front, as the machine does it.
        input.advance(input.len());
        for _ in 0..6 {
            theirs.write_all(&[0xD0, 0x00]).await.unwrap();
            poll_once(&mut transport, &mut input, &mut output)
                .unwrap()
                .unwrap();
            input.advance(input.len());
        }
        assert!(poll_once(&mut transport, &mut input, &mut output).is_none());
        assert!(
            input.capacity() <= 2 * SMALLEST_READ,
            "{}",
            input.capacity()
        );
    }

    fn poll_once(
        transport: &mut Transport,
        input: &mut BytesMut,
        output: &mut Output,
    ) -> Option<io::Result<Moved>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match transport.poll_move(&mut context, true, input, output) {
            Poll::Ready(moved) => Some(moved),
            Poll::Pending => None,
        }
    }
}
