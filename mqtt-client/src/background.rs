//! Clients for programs that have no runtime and may fork: one background thread per process carries all of them.
//!
//! This is what the C library and the PHP extension stand on. Nothing here ever blocks, and no callback runs on the
//! background thread: the caller looks at [`Delivery`], [`Request`] and [`Handle::try_recv`], and sleeps on
//! [`Handle::wait_fd`] in between.
//!
//! The thread starts with the first client of a process and has all signals blocked. A forked child inherits none of it:
//! there every handle answers `Forked`, the sockets are closed without a byte written, and the first [`start`] begins a new
//! thread. The engine of the parent is forgotten, not dropped, since its locks may be held by a thread that does not exist in
//! the child.
//!
//! To wait without missing anything: [`arm`](Handle::arm), look once more at what is awaited, and only then `poll(2)` the
//! descriptor. A border that has an event queue of its own starts with an [`Observer`] instead, and shows the queue to event
//! loops as a [`Readiness`].

mod engine;
mod option_names;
mod readiness;
mod wake;

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use mqtt_core::{Message, Property, PublishId};
use thiserror::Error;
use tokio::runtime;

use crate::client::{Client, Target};
use crate::command::Command;
use crate::delivery::Delivery;
use crate::error::{CloseError, PublishError, SubscribeError};
use crate::fork;
use crate::options::{Options, OptionsError, Overflow};
use crate::received::Received;
use crate::request::Request;
use crate::responses::{Reply, RequestError};
use crate::shared::{self, Shared};
use crate::state::{CloseCause, Connack, State, Status};
use crate::stream::{Stream, StreamLimits, SubscriptionKey};
use crate::subscription::{SubscribeAnswer, SubscribeOptions};
use wake::{Waiter, Waiters};

pub(crate) use engine::forget as forget_engine;
pub use engine::shutdown;
pub use option_names::OptionNames;
pub use readiness::Readiness;

/// How much a client holds for the application, over all its subscriptions.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Inbox {
    /// Messages. Default 1,024.
    pub max_messages: usize,
    /// Bytes. Default 16 MiB.
    pub max_bytes: usize,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            max_messages: 1_024,
            max_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Why a client was not started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The options cannot work.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The operating system gave no thread, or none of the descriptors it needs.
    #[error("cannot start the background thread: {0}")]
    Thread(#[source] io::Error),
}

/// Who is told while a client runs: on the background thread, or on the one whose call made the change. No lock of the client
/// is held then, and nothing here may wait for anything.
pub trait Observer: Send + Sync + 'static {
    /// The client does something else now, or has failed at it once more: every change, in order. `connack` comes with
    /// [`State::Connected`].
    fn state(&self, state: &State, connack: Option<&Connack>);

    /// Something changed; `received` tells how many messages are here to be taken, now and each time it is called. Not called
    /// for each message, but after the last.
    fn changed(&self, received: &dyn Fn() -> usize);
}

/// Changes when this process turns out to be a forked child. Before the first [`start`] of a process it does not, unless
/// [`notice_forks`] was called: there is nothing yet that a child could inherit.
#[must_use]
pub fn generation() -> u64 {
    fork::generation()
}

/// Has [`generation`] change in children that are forked from now on: for a border with something to lose before the first
/// client.
pub fn notice_forks() {
    fork::install();
}

/// Starts a client on the background thread, and that thread if this is the first one. Connects in the background.
///
/// # Errors
/// [`StartError`]; nothing was started.
pub fn start(options: Options, limits: Inbox) -> Result<Handle, StartError> {
    start_with(options, limits, None)
}

/// As [`start`], and tells `observer` from the first moment on.
///
/// # Errors
/// [`StartError`]; nothing was started, and the observer is dropped.
pub fn start_observed(
    options: Options,
    limits: Inbox,
    observer: impl Observer,
) -> Result<Handle, StartError> {
    start_with(options, limits, Some(Box::new(observer)))
}

fn start_with(
    options: Options,
    limits: Inbox,
    observer: Option<Box<dyn Observer>>,
) -> Result<Handle, StartError> {
    for (option, value) in [
        ("inbox.max_messages", limits.max_messages),
        ("inbox.max_bytes", limits.max_bytes),
    ] {
        if value == 0 {
            return Err(OptionsError::Zero { option }.into());
        }
    }
    let shared = Arc::new(Shared::new(options)?);
    fork::install();
    let waiters = Arc::new(Waiters::default());
    let limits = StreamLimits {
        messages: limits.max_messages,
        bytes: limits.max_bytes,
    };
    let inbox = Arc::new(Stream::inbox(Arc::clone(&shared), limits));
    shared.observe(Box::new(Observers {
        waiters: Arc::clone(&waiters),
        inbox: Arc::downgrade(&inbox),
        observer,
    }));
    let runtime = engine::spawn(&shared).map_err(StartError::Thread)?;
    let generation = fork::generation();
    Ok(Handle {
        client: Client::from_shared(shared),
        runtime,
        inbox,
        waiters,
        waiter: OnceLock::new(),
        generation,
    })
}

/// Everybody who wants to know.
struct Observers {
    waiters: Arc<Waiters>,
    /// The stream has the client, and the client has this.
    inbox: Weak<Stream>,
    observer: Option<Box<dyn Observer>>,
}

impl shared::Observer for Observers {
    fn changed(&self) {
        self.waiters.wake();
        if let Some(observer) = &self.observer {
            observer.changed(&|| self.inbox.upgrade().map_or(0, |inbox| inbox.len()));
        }
    }

    fn state(&self, state: &State, connack: Option<&Connack>) {
        if let Some(observer) = &self.observer {
            observer.state(state, connack);
        }
    }
}

/// A client on the background thread. Clones are handles to the same client, each with a descriptor of its own to wait on;
/// any thread may use any of them. When the last one is dropped, the client flushes for up to two seconds and disconnects.
///
/// In a forked child no method takes a lock or touches the connection, and dropping is harmless.
#[derive(Debug)]
pub struct Handle {
    client: Client,
    runtime: runtime::Handle,
    inbox: Arc<Stream>,
    waiters: Arc<Waiters>,
    waiter: OnceLock<Arc<Waiter>>,
    generation: u64,
}

impl Handle {
    /// Whether this process is a forked child of the one that started the client.
    #[must_use]
    pub fn is_forked(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Has an [idle](State::Idle) client connect, though there is nothing to do yet; otherwise without effect. Never blocks.
    pub fn connect(&self) {
        if !self.is_forked() {
            // One that is closed says so by its state.
            let _ = self.client.shared().command(Command::Connect);
        }
    }

    /// Takes a message for sending. Never blocks: with [`Overflow::Wait`] a full queue is an error here.
    ///
    /// # Errors
    /// [`PublishError`]; nothing was changed.
    pub fn publish(&self, message: Message) -> Result<Delivery, PublishError> {
        if self.is_forked() {
            return Err(PublishError::Forked);
        }
        let overflow = match self.client.shared().options.overflow {
            Overflow::Wait => Overflow::Refuse,
            other => other,
        };
        self.client.shared().enqueue(message, overflow)
    }

    /// Takes a publish back as long as no connection has seen it; its outcome is [`DropReason::Cancelled`]. False if it is on
    /// its way, has its outcome, or never was.
    ///
    /// [`DropReason::Cancelled`]: crate::DropReason::Cancelled
    #[must_use]
    pub fn cancel(&self, id: PublishId) -> bool {
        !self.is_forked() && self.client.shared().cancel(id)
    }

    /// Publishes a request; the [`Reply`] tells when its response has come. See [`Client::request`]. Never blocks.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent.
    pub fn request(&self, message: Message) -> Result<Reply, RequestError> {
        if self.is_forked() {
            return Err(RequestError::Forked);
        }
        self.client.begin_request(message)
    }

    /// As [`request`](Self::request), and ends the request with [`RequestError::TimedOut`] when no response has come within
    /// `longest`.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent.
    pub fn request_within(
        &self,
        message: Message,
        longest: Duration,
    ) -> Result<Reply, RequestError> {
        let reply = self.request(message)?;
        reply.end_after(longest, &self.runtime);
        Ok(reply)
    }

    /// Subscribes to several filters in one request. Their messages come to the inbox, and name the key returned here. The
    /// answer has one Reason Code for each filter; those refused are not subscribed, the others are.
    ///
    /// `properties` are User Properties, as for [`Client::subscribe_with`](crate::Client::subscribe_with).
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn subscribe(
        &self,
        filters: &[(String, SubscribeOptions)],
        properties: &[Property<'_>],
    ) -> Result<
        (
            SubscriptionKey,
            Request<Result<SubscribeAnswer, SubscribeError>>,
        ),
        SubscribeError,
    > {
        if self.is_forked() {
            return Err(SubscribeError::Forked);
        }
        let key = self.client.next_key();
        let target = Target {
            key,
            stream: Arc::clone(&self.inbox),
            grant: Arc::default(),
        };
        let request = self
            .client
            .request_subscribe(filters.to_vec(), properties, target)?;
        Ok((key, request))
    }

    /// Ends every subscription of this client to exactly these filters, whichever call made them.
    ///
    /// `properties` are User Properties, as for [`Client::unsubscribe_with`](crate::Client::unsubscribe_with).
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn unsubscribe(
        &self,
        filters: &[String],
        properties: &[Property<'_>],
    ) -> Result<Request<Result<SubscribeAnswer, SubscribeError>>, SubscribeError> {
        if self.is_forked() {
            return Err(SubscribeError::Forked);
        }
        self.client
            .request_unsubscribe(filters.to_vec(), properties)
    }

    /// Ends one `subscribe` call: filters that no other call has are taken back at the server.
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn leave(&self, key: SubscriptionKey) -> Result<(), SubscribeError> {
        if self.is_forked() {
            return Err(SubscribeError::Forked);
        }
        self.client.shared().command(Command::Leave {
            key,
            tell_server: true,
        })
    }

    /// The next received message, if one is here.
    #[must_use]
    pub fn try_recv(&self) -> Option<Received> {
        if self.is_forked() {
            None
        } else {
            self.inbox.try_pop()
        }
    }

    /// How many received messages are here.
    #[must_use]
    pub fn received_len(&self) -> usize {
        if self.is_forked() {
            0
        } else {
            self.inbox.len()
        }
    }

    /// How many received messages were dropped so far: [`Status::dropped`], at less cost.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        if self.is_forked() {
            0
        } else {
            self.client
                .shared()
                .counters
                .dropped
                .load(Ordering::Relaxed)
        }
    }

    /// A descriptor for `poll(2)`: readable when anything changed since the last [`arm`](Self::arm) of this handle. It is
    /// the handle's own, stays the same, and must not be read, written or closed.
    ///
    /// # Errors
    /// The operating system has no descriptor left; or this is a forked child.
    pub fn wait_fd(&self) -> io::Result<RawFd> {
        if self.is_forked() {
            return Err(io::Error::other(PublishError::Forked));
        }
        if let Some(waiter) = self.waiter.get() {
            return Ok(waiter.fd());
        }
        let new = Arc::new(Waiter::new()?);
        let waiter = self.waiter.get_or_init(|| {
            self.waiters.add(&new);
            new
        });
        Ok(waiter.fd())
    }

    /// From now on changes make [`wait_fd`](Self::wait_fd) readable; those before are forgotten, so look at what is awaited
    /// once more after this call, before waiting.
    pub fn arm(&self) {
        if !self.is_forked()
            && let Some(waiter) = self.waiter.get()
        {
            self.waiters.arm(waiter);
        }
    }

    /// Nobody waits any more: the background thread need not write to the descriptor.
    pub fn disarm(&self) {
        if !self.is_forked()
            && let Some(waiter) = self.waiter.get()
        {
            self.waiters.disarm(waiter);
        }
    }

    /// What the client is doing.
    #[must_use]
    pub fn state(&self) -> State {
        if self.is_forked() {
            State::Closed(CloseCause::Forked)
        } else {
            self.client.state()
        }
    }

    /// Counters and present values; all zero in a forked child.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.is_forked() {
            Status::default()
        } else {
            self.client.status()
        }
    }

    /// What the server said when it accepted the present connection.
    #[must_use]
    pub fn connack(&self) -> Option<Connack> {
        if self.is_forked() {
            None
        } else {
            self.client.connack()
        }
    }

    /// The last thing that stood against a connection.
    #[must_use]
    pub fn last_error(&self) -> Option<crate::ConnectError> {
        if self.is_forked() {
            Some(crate::ConnectError::Forked)
        } else {
            self.client.shared().last_error()
        }
    }

    /// How many publishes have no outcome yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        if self.is_forked() {
            0
        } else {
            self.client.shared().pending()
        }
    }

    /// Begins to end the client: publishes are flushed, then DISCONNECT, half-close, and reading to the end, all within
    /// `deadline`. The answer tells whether everything was acknowledged.
    #[must_use]
    pub fn begin_close(&self, deadline: Duration) -> Request<Result<(), CloseError>> {
        if self.is_forked() {
            let request = Request::new();
            request.answer(Err(CloseError::Forked));
            return request;
        }
        self.client.request_close(deadline)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            runtime: self.runtime.clone(),
            inbox: Arc::clone(&self.inbox),
            waiters: Arc::clone(&self.waiters),
            waiter: OnceLock::new(),
            generation: self.generation,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.disarm();
    }
}
