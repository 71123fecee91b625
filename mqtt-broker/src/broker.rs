//! The handle of a broker inside a program.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mqtt_core::{Message, SubscribeOptions};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::ToSocketAddrs;
use tokio::time;

use crate::connection;
use crate::listener::{self, ListenError, Listener, LocalAddress};
use crate::local::{LocalSubscription, SubscribeError};
use crate::options::Options;
use crate::router::Publication;
use crate::shared::Shared;
use crate::statistics::Statistics;
use crate::system;

/// A running broker.
///
/// It is a handle: clones are the same broker, and when the last one is dropped the broker ends at once. Its methods must
/// be called inside a tokio runtime, on which its tasks then run.
#[derive(Clone)]
pub struct Broker {
    owner: Arc<Owner>,
}

/// Shared by the handles only, so that it is dropped with the last of them.
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.begin_to_stop();
        self.shared.kill.cancel();
    }
}

impl Broker {
    /// Starts a broker without a listener: it serves the streams given to [`Broker::serve`] and the program itself.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let shared = Arc::new(Shared::new(options));
        let timekeeper = Arc::clone(&shared);
        shared
            .tasks
            .spawn(async move { timekeeper.keep_time().await });
        let timekeeper = Arc::clone(&shared);
        shared
            .tasks
            .spawn(async move { timekeeper.drop_expired().await });
        if let Some(interval) = shared.context.options.sys_interval {
            shared
                .tasks
                .spawn(system::tell(Arc::clone(&shared), interval));
        }
        Self {
            owner: Arc::new(Owner { shared }),
        }
    }

    /// Starts a broker that listens. With port 0 the system chooses one: see [`Broker::local_addr`].
    ///
    /// # Errors
    /// See [`Broker::listen`].
    pub async fn bind(address: impl ToSocketAddrs, options: Options) -> Result<Self, ListenError> {
        let broker = Self::start(options);
        broker.listen(address).await?;
        Ok(broker)
    }

    /// Listens on one more address and returns it, with the port the system chose where it was 0.
    ///
    /// # Errors
    /// [`ListenError`]; above all [`ListenError::AuthenticationRequired`] for an address that other machines can reach, unless
    /// the options have an authenticator.
    pub async fn listen(&self, address: impl ToSocketAddrs) -> Result<SocketAddr, ListenError> {
        listener::listen(&self.owner.shared, address).await
    }

    /// Listens with TLS, with WebSocket or at a Unix socket, and returns where, with the port the system chose where it was 0.
    ///
    /// # Errors
    /// [`ListenError`]; above all [`ListenError::AuthenticationRequired`] for an address that other machines can reach, unless
    /// the options have an authenticator or the listener demands client certificates.
    pub async fn open(&self, listener: &Listener) -> Result<LocalAddress, ListenError> {
        listener::open(&self.owner.shared, listener).await
    }

    /// The address of the first listener on TCP.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.owner.shared.addresses().first().copied()
    }

    /// The addresses of all listeners on TCP, in the order in which they were opened.
    #[must_use]
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.owner.shared.addresses()
    }

    /// Serves one client on a stream of the caller's, such as one half of [`tokio::io::duplex`]. The work is done by a task of
    /// its own.
    pub fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + 'static) {
        connection::spawn(&self.owner.shared, Box::pin(stream), None);
    }

    /// Publishes a message from inside the program. It is queued for every matching session when this returns.
    pub fn publish(&self, message: &Message) -> Publication {
        let shared = &self.owner.shared;
        shared
            .router
            .publish(shared.context.clock.now(), None, message)
    }

    /// Subscribes from inside the program. Retained messages come first, as they would for a client.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe(
        &self,
        filter: &str,
        options: SubscribeOptions,
    ) -> Result<LocalSubscription, SubscribeError> {
        LocalSubscription::new(&self.owner.shared, filter, options)
    }

    /// Reads the counters.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.owner.shared.statistics()
    }

    /// Stops: no connection is accepted any more, 5.0 clients are told Server shutting down (0x8B), what was already to be
    /// written is written. What has not ended after `deadline` is cut off. Sessions end with the broker.
    ///
    /// Returns whether everything ended in time.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        let shared = &self.owner.shared;
        shared.begin_to_stop();
        shared.tasks.close();
        let in_time = time::timeout(deadline, shared.tasks.wait()).await.is_ok();
        shared.kill.cancel();
        shared.tasks.wait().await;
        in_time
    }
}

impl fmt::Debug for Broker {
    // Everything it keeps would be a long list of other people's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("local_addrs", &self.local_addrs())
            .finish_non_exhaustive()
    }
}
