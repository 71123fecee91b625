//! The client for programs without a runtime: the same names, with a timeout wherever something is awaited.
//!
//! Each client has one thread of its own, which does all the work; it ends with the client.
//!
//! ```
//! # use mqtt_client::{Options, Reconnect};
//! use std::time::Duration;
//! use mqtt_client::blocking::Client;
//!
//! # let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
//! # let options = Options::new("127.0.0.1", nobody);
//! let client = Client::start(options)?;
//! // Nobody listens there, and the error says so.
//! let error = client.connected(Duration::from_millis(200)).unwrap_err();
//! assert!(error.to_string().starts_with("cannot connect to 127.0.0.1:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mqtt_core::{Message, Outcome, Property, PublishId, ReasonCode};
use thiserror::Error;
use tokio::runtime;
use tokio::time::timeout;

use crate::delivery::DeliveryState;
use crate::error::{CloseError, ConnectError, PublishError, SubscribeError};
use crate::options::{Options, OptionsError};
use crate::received::Received;
use crate::responses::RequestError;
use crate::shared::Shared;
use crate::state::{Connack, Flush, State, Status};
use crate::subscription::{SubscribeAnswer, SubscribeOptions};
use crate::task;

/// Why a client was not started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The options cannot work.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The operating system gave no thread, or none of the descriptors it needs.
    #[error("cannot start the client's thread: {0}")]
    Thread(#[source] io::Error),
}

/// Why a subscription was not made in time.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum BlockingSubscribeError {
    /// The server did not answer in time. The subscription was taken back.
    #[error("the server did not answer within {after:?}")]
    TimedOut {
        /// The time given.
        after: Duration,
    },
    /// It came to nothing.
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
}

/// A client with a thread of its own. Clones are handles to the same client; any thread may use any of them.
///
/// No method may be called from within a tokio runtime: it would block the runtime, and tokio panics.
#[derive(Clone, Debug)]
pub struct Client {
    inner: crate::Client,
    runtime: runtime::Handle,
}

impl Client {
    /// Starts a client, which connects in the background.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let shared = Arc::new(Shared::new(options)?);
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let handle = runtime.handle().clone();
        let running = task::run(Arc::clone(&shared));
        let body = move || {
            runtime.block_on(running);
            // A name that is being looked up must not hold the thread.
            runtime.shutdown_background();
        };
        thread::Builder::new()
            .name("mqtt".to_owned())
            .spawn(body)
            .map_err(StartError::Thread)?;
        Ok(Self {
            inner: crate::Client::from_shared(shared),
            runtime: handle,
        })
    }

    /// Waits until the client is connected.
    ///
    /// # Errors
    /// The client ended for good, or the time is over; the error is the last thing that stood against the connection.
    pub fn connected(&self, longest: Duration) -> Result<Connack, ConnectError> {
        self.runtime.block_on(self.inner.connected(longest))
    }

    /// Takes a message for sending. Where the queue is full and the options say to wait, it waits, at most `longest`.
    ///
    /// # Errors
    /// [`PublishError`]; nothing was changed. `QueueFull` if there was no room in time.
    pub fn publish(&self, message: Message, longest: Duration) -> Result<Delivery, PublishError> {
        // The common case needs no waiting, and so no detour through the runtime.
        match self.try_publish(message.clone()) {
            Err(full @ PublishError::QueueFull { .. }) => {
                let waiting = self
                    .runtime
                    .block_on(async { timeout(longest, self.inner.publish(message)).await });
                waiting
                    .unwrap_or(Err(full))
                    .map(|inner| self.delivery(inner))
            }
            other => other,
        }
    }

    /// Takes a message for sending, without waiting for room.
    ///
    /// # Errors
    /// [`PublishError`]; nothing was changed.
    pub fn try_publish(&self, message: Message) -> Result<Delivery, PublishError> {
        self.inner
            .try_publish(message)
            .map(|inner| self.delivery(inner))
    }

    fn delivery(&self, inner: crate::Delivery) -> Delivery {
        Delivery {
            inner,
            runtime: self.runtime.clone(),
        }
    }

    /// Publishes a request and waits for its response, as [`Client::request`](crate::Client::request) does.
    ///
    /// # Errors
    /// [`RequestError`]; a response that comes after it is dropped.
    pub fn request(&self, message: Message, longest: Duration) -> Result<Message, RequestError> {
        self.runtime.block_on(self.inner.request(message, longest))
    }

    /// Subscribes to `filter` and waits until the server granted it.
    ///
    /// # Errors
    /// The filter is not one, the server refused it or did not answer in time, or the client is closed.
    pub fn subscribe(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
        longest: Duration,
    ) -> Result<Subscription, BlockingSubscribeError> {
        let (subscription, _) = self.subscribe_with(filter, options, &[], longest)?;
        Ok(subscription)
    }

    /// As [`subscribe`](Self::subscribe), with User Properties, and gives what the server answered too: see
    /// [`Client::subscribe_with`](crate::Client::subscribe_with).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe), and where the properties cannot be sent.
    pub fn subscribe_with(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
        properties: &[Property<'_>],
        longest: Duration,
    ) -> Result<(Subscription, SubscribeAnswer), BlockingSubscribeError> {
        let options = options.into();
        let subscribing = self.inner.subscribe_with(filter, options, properties);
        let (inner, answer) = self.within(longest, subscribing)?;
        let subscription = Subscription {
            inner,
            runtime: self.runtime.clone(),
        };
        Ok((subscription, answer))
    }

    /// Ends every subscription of this client to exactly this filter.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe). After a timeout the subscription is over here, and the server is still told.
    pub fn unsubscribe(
        &self,
        filter: &str,
        longest: Duration,
    ) -> Result<ReasonCode, BlockingSubscribeError> {
        self.within(longest, self.inner.unsubscribe(filter))
    }

    /// As [`unsubscribe`](Self::unsubscribe), with User Properties, and gives all that the server answered: see
    /// [`Client::unsubscribe_with`](crate::Client::unsubscribe_with).
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe), and where the properties cannot be sent.
    pub fn unsubscribe_with(
        &self,
        filter: &str,
        properties: &[Property<'_>],
        longest: Duration,
    ) -> Result<SubscribeAnswer, BlockingSubscribeError> {
        self.within(longest, self.inner.unsubscribe_with(filter, properties))
    }

    /// What the client is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.inner.state()
    }

    /// Counters and present values.
    #[must_use]
    pub fn status(&self) -> Status {
        self.inner.status()
    }

    /// Waits until every publish accepted before this call has its outcome, or the time is over.
    #[must_use]
    pub fn flush(&self, longest: Duration) -> Flush {
        self.runtime.block_on(self.inner.flush(longest))
    }

    /// Ends the client within `deadline`, as [`Client::close`](crate::Client::close) does.
    ///
    /// # Errors
    /// Publishes were left without an acknowledgement. The client is closed all the same.
    pub fn close(&self, deadline: Duration) -> Result<(), CloseError> {
        self.runtime.block_on(self.inner.close(deadline))
    }

    fn within<T>(
        &self,
        longest: Duration,
        asking: impl Future<Output = Result<T, SubscribeError>>,
    ) -> Result<T, BlockingSubscribeError> {
        // A timeout is made inside of the runtime.
        match self
            .runtime
            .block_on(async { timeout(longest, asking).await })
        {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(BlockingSubscribeError::TimedOut { after: longest }),
        }
    }
}

/// One publish on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    inner: crate::Delivery,
    runtime: runtime::Handle,
}

impl Delivery {
    /// Which publish this is.
    #[must_use]
    pub fn id(&self) -> PublishId {
        self.inner.id()
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> DeliveryState {
        self.inner.state()
    }

    /// The outcome, or `None` while it is on its way.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.inner.outcome()
    }

    /// Waits for the outcome, at most this long. The publish goes on after `None`.
    #[must_use]
    pub fn wait(&self, longest: Duration) -> Option<Outcome> {
        // The outcome may be here, and waiting for one is not possible once the client's thread has ended.
        self.outcome()
            .or_else(|| self.runtime.block_on(self.inner.wait_timeout(longest)))
    }
}

/// The messages for one Topic Filter.
#[derive(Debug)]
pub struct Subscription {
    inner: crate::Subscription,
    runtime: runtime::Handle,
}

impl Subscription {
    /// Waits for the next message, at most this long. `None` if none came, or if the stream has ended: see
    /// [`is_ended`](Self::is_ended).
    pub fn recv(&mut self, longest: Duration) -> Option<Received> {
        if let Some(received) = self.inner.try_recv() {
            return Some(received);
        }
        self.runtime
            .block_on(async { timeout(longest, self.inner.recv()).await })
            .ok()
            .flatten()
    }

    /// The next message, if one is here.
    pub fn try_recv(&mut self) -> Option<Received> {
        self.inner.try_recv()
    }

    /// Whether no message will come any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.inner.is_ended()
    }

    /// The Topic Filter.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.inner.filter()
    }

    /// What the server granted, in its last SUBACK.
    #[must_use]
    pub fn granted(&self) -> ReasonCode {
        self.inner.granted()
    }
}
