//! MQTT over WebSocket (v5 6, v311 6): packets in binary frames, which may begin and end anywhere.

mod budget;
mod handshake;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use budget::{Budget, OverBudget};
pub use handshake::{RequestError, Upgrade, UpgradeError, accept};

/// The subprotocol that both sides must name [v5 MQTT-6.0.0-3, MQTT-6.0.0-4] [v311 MQTT-6.0.0-3, MQTT-6.0.0-4].
pub const SUBPROTOCOL: &str = "mqtt";

/// What a connection reads at once. It is allocated for each, so idle ones pay for it.
const READ_BUFFER: usize = 4 * 1024;

/// The most payload one sent frame carries.
const MAX_SENT_FRAME: usize = 64 * 1024;

/// Frames are gathered until there are so many bytes of them, or until they are flushed.
const WRITE_BUFFER: usize = 16 * 1024;

/// Where the write buffer can come to: a full frame on top of what is gathered, and its header. A connection that cannot be
/// written to takes no more frames.
const MAX_WRITE_BUFFER: usize = WRITE_BUFFER + MAX_SENT_FRAME + 1024;

/// What a received message may have beyond the largest packet, in bytes.
const MESSAGE_SLACK: usize = 64 * 1024;

/// The bytes inside the binary frames of a WebSocket connection.
///
/// Pings are answered; a frame of text, a message over the limit and whatever is no WebSocket end the connection with an
/// error, after the peer was told by a Close frame. Closing the writing half sends a Close frame.
#[derive(Debug)]
pub struct BinaryStream<S> {
    frames: WebSocketStream<Budget<S>>,
    /// What is left of the last message.
    unread: Bytes,
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> BinaryStream<S> {
    fn new(frames: WebSocketStream<Budget<S>>) -> Self {
        Self {
            frames,
            unread: Bytes::new(),
            ended: false,
        }
    }

    /// What carries the frames.
    pub fn get_ref(&self) -> &S {
        &self.frames.get_ref().stream
    }

    /// From now on messages may be as large as ever: the peer of a server that [`accept`]ed it is known, and has said what had
    /// to come first.
    pub fn lift_first_limit(&mut self) {
        self.frames.get_mut().lift();
    }

    /// Tells the peer why the connection ends, as far as that can be done without waiting.
    fn say_why(&mut self, context: &mut Context<'_>, code: CloseCode, reason: &'static str) {
        self.ended = true;
        let close = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        let mut frames = Pin::new(&mut self.frames);
        if frames
            .as_mut()
            .start_send(Message::Close(Some(close)))
            .is_ok()
        {
            let _ = frames.poll_flush(context);
        }
    }

    /// The next piece of the stream; an empty one is its end.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            if self.ended {
                return Poll::Ready(Ok(Bytes::new()));
            }
            let Some(message) = ready!(Pin::new(&mut self.frames).poll_next(context)) else {
                self.ended = true;
                continue;
            };
            match message {
                Ok(Message::Binary(payload)) if payload.is_empty() => {}
                Ok(Message::Binary(payload)) => return Poll::Ready(Ok(payload)),
                Ok(Message::Text(_)) => {
                    self.say_why(context, CloseCode::Unsupported, "MQTT needs binary frames");
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "a WebSocket frame of text, where MQTT allows binary ones only",
                    )));
                }
                // The library answers a ping when it is asked to read, write or flush next.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => {
                    // Its answer leaves now or never: nobody reads from here on.
                    let _ = Pin::new(&mut self.frames).poll_flush(context);
                    self.ended = true;
                }
                Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                    self.ended = true;
                }
                Err(error) => {
                    match &error {
                        Error::Io(error) if !OverBudget::is_in(error) => self.ended = true,
                        Error::Capacity(_) | Error::Io(_) => {
                            self.say_why(context, CloseCode::Size, "the message is too large");
                        }
                        Error::Protocol(_) | Error::Utf8(_) => {
                            self.say_why(context, CloseCode::Protocol, "not as RFC 6455 has it");
                        }
                        _ => self.ended = true,
                    }
                    return Poll::Ready(Err(into_io(error)));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for BinaryStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            self.unread = ready!(self.poll_message(context))?;
        }
        let count = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread.split_to(count));
        if !self.unread.has_remaining() {
            // What is handed on keeps no buffer.
            self.unread = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for BinaryStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut frames = Pin::new(&mut self.frames);
        ready!(frames.as_mut().poll_ready(context)).map_err(into_io)?;
        let payload = bytes.get(..MAX_SENT_FRAME).unwrap_or(bytes);
        frames
            .start_send(Message::Binary(Bytes::copy_from_slice(payload)))
            .map_err(into_io)?;
        Poll::Ready(Ok(payload.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.frames)
            .poll_flush(context)
            .map_err(into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Only a Close frame: it is for the server to close what is under it (RFC 6455 7.1.1).
        match ready!(Pin::new(&mut self.frames).poll_close(context)) {
            // The peer, or we, said it before.
            Err(Error::AlreadyClosed | Error::Protocol(ProtocolError::SendAfterClosing)) => {
                Poll::Ready(Ok(()))
            }
            result => Poll::Ready(result.map_err(into_io)),
        }
    }
}

/// A message may hold many packets: there is room for one of the largest and some more.
fn with_slack(largest_packet: u32) -> usize {
    let largest_packet = usize::try_from(largest_packet).unwrap_or(usize::MAX);
    largest_packet.saturating_add(MESSAGE_SLACK)
}

/// How a connection reads and writes.
fn config(largest_packet: u32) -> WebSocketConfig {
    let max_message = with_slack(largest_packet);
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

/// What is under the WebSocket speaks for itself; the rest is bad input, or a connection that is over.
fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => {
            io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket is closed")
        }
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}
