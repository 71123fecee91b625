//! Reading and writing without holding memory in between.

use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use mqtt_core::Output;
use tokio::io::{self, AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::{LARGE_READ, SMALL_READ};

/// Appends what has come to `input`. While nothing has, no memory is held for it.
pub(super) fn poll_read(
    reader: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    input: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    let mut stack = [MaybeUninit::uninit(); SMALL_READ];
    let mut buffer = ReadBuf::uninit(&mut stack);
    ready!(Pin::new(&mut *reader).poll_read(cx, &mut buffer))?;
    let mut bytes = buffer.filled().len();
    input.extend_from_slice(buffer.filled());
    if bytes == SMALL_READ {
        // There may be more. If that is the end, or an error, the next read tells.
        input.reserve(LARGE_READ);
        if let Poll::Ready(Ok(more)) = poll_read_buf(Pin::new(reader), cx, input) {
            bytes += more;
        }
    }
    Poll::Ready(Ok(bytes))
}

/// Writes what there is, and has the layers under the writer let go of it. Ready when something was written; while a flush
/// is not over, `unflushed` asks for another.
pub(super) fn poll_write(
    mut writer: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
    output: &mut Output,
    unflushed: &mut bool,
) -> Poll<io::Result<usize>> {
    let mut written = 0;
    if output.has_remaining() {
        match pin!(writer.write_buf(output)).poll(cx)? {
            Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(bytes) => written = bytes,
            Poll::Pending => {}
        }
    }
    *unflushed |= written > 0;
    if *unflushed && !output.has_remaining() {
        *unflushed = Pin::new(&mut writer).poll_flush(cx)?.is_pending();
    }
    if written > 0 {
        Poll::Ready(Ok(written))
    } else {
        Poll::Pending
    }
}
