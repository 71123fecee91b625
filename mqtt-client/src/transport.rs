//! What carries the bytes: TCP, or whatever a caller's connector opens.

mod tcp;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use mqtt_core::Output;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use tcp::TcpTransport;
pub(crate) use tcp::connect;

/// How much room a read is given.
const READ_SIZE: usize = 32 * 1024;

/// Anything that can carry MQTT: an ordered, lossless stream of bytes both ways (v5 4.2).
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A [`Connector`]'s function, once it is boxed.
trait Open: Send + Sync {
    fn open(&self) -> Pin<Box<dyn Future<Output = io::Result<Transport>> + Send>>;
}

impl<F> Open for F
where
    F: Fn() -> Pin<Box<dyn Future<Output = io::Result<Transport>> + Send>> + Send + Sync,
{
    fn open(&self) -> Pin<Box<dyn Future<Output = io::Result<Transport>> + Send>> {
        self()
    }
}

/// Opens transports in place of TCP: through a proxy, over TLS of the caller's choice, in memory.
///
/// ```
/// use mqtt_client::{Connector, Options};
///
/// let connector = Connector::new("through a pipe", || async {
///     let (ours, _theirs) = tokio::io::duplex(64 * 1024);
///     Ok(ours)
/// });
/// let options = Options::with_connector(connector);
/// ```
#[derive(Clone)]
pub struct Connector {
    name: Arc<str>,
    open: Arc<dyn Open>,
}

impl Connector {
    /// A connector that calls `open` for each connection. `name` stands for the address in errors.
    pub fn new<F, Fut, T>(name: &str, open: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let open = move || {
            let opening = open();
            let opened = async move { Ok(Transport::Custom(Box::new(opening.await?))) };
            Box::pin(opened) as Pin<Box<dyn Future<Output = io::Result<Transport>> + Send>>
        };
        Self {
            name: name.into(),
            open: Arc::new(open),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn open(&self) -> io::Result<Transport> {
        self.open.open().await
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.name).finish()
    }
}

/// An open transport.
pub(crate) enum Transport {
    Tcp(TcpTransport),
    Custom(Box<dyn ByteStream>),
}

/// What one look at a transport brought.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// Bytes read; `Some(0)` is the end of the stream.
    pub(crate) read: Option<usize>,
    pub(crate) written: usize,
}

impl Transport {
    fn stream(&mut self) -> &mut dyn ByteStream {
        match self {
            Self::Tcp(tcp) => tcp.stream(),
            Self::Custom(stream) => stream,
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
        let mut stream = self.stream();
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
            // `read_buf` on a full buffer would read 64 bytes at a time.
            input.reserve(READ_SIZE);
            match pin!(AsyncReadExt::read_buf(&mut stream, input)).poll(context) {
                Poll::Ready(Ok(count)) => moved.read = Some(count),
                Poll::Ready(Err(error)) => failed = failed.or(Some(error)),
                Poll::Pending => {}
            }
        }
        match failed {
            Some(error) if moved.read.is_none_or(|count| count == 0) => Poll::Ready(Err(error)),
            _ if moved.read.is_some() || moved.written > 0 => Poll::Ready(Ok(moved)),
            _ => Poll::Pending,
        }
    }

    /// Has the kernel acknowledge what was read at once, not after 40 ms: a server with Nagle's algorithm on holds its
    /// next small packet back until then.
    pub(crate) fn acknowledge_at_once(&self) {
        if let Self::Tcp(tcp) = self {
            tcp.acknowledge_at_once();
        }
    }

    /// Writes what is left, closes the sending half and reads until the other end closed too. Closing with unread input would
    /// reset the connection, and destroy what is on its way.
    pub(crate) async fn drain(&mut self, output: &mut Output) -> io::Result<()> {
        let mut stream = self.stream();
        AsyncWriteExt::write_all_buf(&mut stream, output).await?;
        AsyncWriteExt::shutdown(&mut stream).await?;
        let mut rest = BytesMut::with_capacity(READ_SIZE);
        while AsyncReadExt::read_buf(&mut stream, &mut rest).await? > 0 {
            rest.clear();
        }
        Ok(())
    }
}
