//! The connection behind a client object: started at first use, never touched in a forked child.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ext_php_rs::types::{ZendObject, Zval};
use mqtt_client::background::{self, Handle};
use mqtt_client::{CloseCause, ConnectError, State};

use crate::exception::Failure;
use crate::options::Settings;
use crate::persistent::{self, Name};
use crate::request;
use crate::shim::{self, Object};
use crate::watch::{Watch, Watcher};

/// A value that belongs to the background thread of one process. In a forked child that thread does not exist, and a
/// lock it held is held for ever: there the value is left alone, and forgotten instead of dropped.
pub(crate) struct Guarded<T> {
    value: ManuallyDrop<T>,
    generation: u64,
}

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            generation: background::generation(),
        }
    }

    /// Whether this process made it.
    pub(crate) fn is_ours(&self) -> bool {
        self.generation == background::generation()
    }
}

impl<T: Clone> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            generation: self.generation,
        }
    }
}

impl<T> Deref for Guarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        if self.is_ours() {
            // SAFETY: dropped here and nowhere else.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

/// Who else uses the connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Nobody: it ends with the objects that use it.
    Own,
    /// Every request of the process that asks for it.
    Persistent(Name),
}

/// One connection, shared by a client object and what came out of it (deliveries, messages, subscriptions).
pub(crate) struct Connection {
    settings: Settings,
    origin: Origin,
    handle: OnceCell<Guarded<Running>>,
    closed: Cell<bool>,
    /// PHP wants to know of changes of state.
    wants_changes: Cell<bool>,
    /// The client object, as long as it has its Rust value.
    client_object: Cell<Option<NonNull<ZendObject>>>,
    /// The last reason why there was no connection, kept for the message of an exception.
    last_error: RefCell<Option<ConnectError>>,
}

impl Connection {
    pub(crate) fn new(settings: Settings, origin: Origin) -> Rc<Self> {
        let connection = Rc::new(Self {
            settings,
            origin,
            handle: OnceCell::new(),
            closed: Cell::new(false),
            wants_changes: Cell::new(false),
            client_object: Cell::new(None),
            last_error: RefCell::new(None),
        });
        request::remember(&connection);
        connection
    }

    /// The background's handle. The first call starts thread and connection; none waits for the network.
    pub(crate) fn handle(&self) -> Result<&Guarded<Running>, Failure> {
        if self.closed.get() {
            return Err(Failure::closed("the client was closed"));
        }
        if self.handle.get().is_none() {
            let started = match &self.origin {
                Origin::Own => Guarded::new(start(&self.settings, None, self.wants_changes.get())?),
                Origin::Persistent(name) => {
                    persistent::handle(name, &self.settings, self.wants_changes.get())?
                }
            };
            started.watch.want_changes(self.wants_changes.get());
            // Nobody else can have set it: starting calls no PHP code.
            let _ = self.handle.set(started);
        }
        let handle = self
            .handle
            .get()
            .ok_or_else(|| Failure::closed("the client was closed"))?;
        if handle.is_ours() {
            Ok(handle)
        } else {
            Err(Failure::forked())
        }
    }

    /// The handle, if the connection was started by this process, be it in an earlier request.
    pub(crate) fn started(&self) -> Option<&Guarded<Running>> {
        // After the end, the name may stand for another one.
        if self.handle.get().is_none()
            && !self.closed.get()
            && let Origin::Persistent(name) = &self.origin
            && let Some(running) = persistent::running(name)
        {
            let _ = self.handle.set(running);
        }
        self.handle.get().filter(|handle| handle.is_ours())
    }

    /// Whether it was started by the process that this one was forked from.
    pub(crate) fn is_forked(&self) -> bool {
        self.handle.get().is_some_and(|handle| !handle.is_ours())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// No use of the connection from now on.
    pub(crate) fn set_closed(&self) {
        self.closed.set(true);
        if let Origin::Persistent(name) = &self.origin {
            persistent::forget(name);
        }
    }

    /// Whether changes of state are to be told of.
    pub(crate) fn wants_changes(&self) -> bool {
        self.wants_changes.get()
    }

    pub(crate) fn want_changes(&self, want: bool) {
        self.wants_changes.set(want);
        if let Some(running) = self.started() {
            running.watch.want_changes(want);
        }
    }

    /// From now on this object is the client: whoever calls this takes it back before the object goes.
    pub(crate) fn set_client_object(&self, object: Option<Object<'_>>) {
        self.client_object.set(object.map(Object::as_raw));
    }

    /// A reference to the client object.
    pub(crate) fn client_object(&self) -> Option<Zval> {
        // SAFETY: it is taken back when the object lets go of its Rust value, so it is alive.
        let object = self
            .client_object
            .get()
            .map(|raw| unsafe { Object::from_raw(raw) })?;
        Some(object.to_zval())
    }

    /// Takes note of what the background says of the connection; returns the state.
    pub(crate) fn observe(&self, handle: &Handle) -> State {
        let state = handle.state();
        match &state {
            State::Backoff { error, .. } => *self.last_error.borrow_mut() = Some(error.clone()),
            State::Closed(cause) => {
                if let Some(error) = cause.error() {
                    *self.last_error.borrow_mut() = Some(error.clone());
                }
            }
            _ => {}
        }
        state
    }

    /// What stood against the connection when it was looked at last.
    pub(crate) fn last_error(&self) -> Option<ConnectError> {
        self.last_error.borrow().clone()
    }

    /// Fails if the background has given up for good: waiting would be in vain.
    pub(crate) fn check_alive(&self, handle: &Handle) -> Result<(), Failure> {
        match self.observe(handle) {
            State::Closed(CloseCause::Final(error) | CloseCause::GaveUp(error)) => {
                Err(Failure::connect(&error))
            }
            State::Closed(CloseCause::Forked) => Err(Failure::forked()),
            State::Closed(_) => Err(Failure::closed("the client was closed")),
            _ => Ok(()),
        }
    }
}

impl Drop for Connection {
    /// The last user is gone: the background flushes and closes by itself, without making PHP wait.
    fn drop(&mut self) {
        if self.origin == Origin::Own
            && !self.closed.get()
            && let Some(handle) = self.started()
        {
            drop(handle.begin_close(shutdown_timeout()));
        }
    }
}

/// `mqtt.shutdown_timeout_ms`
pub(crate) fn shutdown_timeout() -> Duration {
    Duration::from_millis(u64::try_from(shim::ini_int("mqtt.shutdown_timeout_ms")).unwrap_or(0))
}

/// A connection on the background thread.
#[derive(Clone)]
pub(crate) struct Running {
    handle: Handle,
    pub(crate) watch: Arc<Watch>,
}

impl Deref for Running {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

/// Starts a connection, which disconnects when there was nothing to do on it for `longest_idle`.
pub(crate) fn start(
    settings: &Settings,
    longest_idle: Option<Duration>,
    wants_changes: bool,
) -> Result<Running, Failure> {
    let mut options = settings.to_client()?;
    options.idle_disconnect = longest_idle;
    let watch = Watch::new(wants_changes);
    let watcher = Watcher(Arc::clone(&watch));
    let handle = background::start_observed(options, settings.inbox(), watcher)
        .map_err(|error| Failure::start(&error, &settings.address()))?;
    Ok(Running { handle, watch })
}
