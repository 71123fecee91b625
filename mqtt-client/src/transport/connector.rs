//! Transports that the caller opens.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::ByteStream;
use super::socket::Socket;

/// What a connector's function comes to.
type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn ByteStream>>> + Send>>;

/// Opens transports in place of the addresses: through a proxy, over TLS of the caller's choice, in memory.
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
    open: Arc<dyn Fn() -> Opening + Send + Sync>,
}

impl Connector {
    /// A connector that calls `open` for each connection. `name` stands for the address in errors.
    pub fn new<F, Fut, T>(name: &str, open: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let open = move || -> Opening {
            let opening = open();
            Box::pin(async move {
                let stream: Box<dyn ByteStream> = Box::new(Socket::foreign(opening.await?));
                Ok(stream)
            })
        };
        Self {
            name: name.into(),
            open: Arc::new(open),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(super) async fn open(&self) -> io::Result<Box<dyn ByteStream>> {
        (self.open)().await
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.name).finish()
    }
}
