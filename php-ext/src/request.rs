//! What belongs to one web request: its persistent client objects, and the bounded flush at its end.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use ext_php_rs::types::Zval;

use crate::connection::Connection;
use crate::persistent::{self, Name};
use crate::shim::Object;
use crate::{client, nesting, shim, wait};

thread_local! {
    /// A request lives in one thread, also where PHP has many.
    static REQUEST: RefCell<Request> = const { RefCell::new(Request {
        clients: Vec::new(),
        connections: Vec::new(),
        preloads: false,
        ended: false,
    }) };
}

struct Request {
    clients: Vec<(Name, Zval)>,
    connections: Vec<Weak<Connection>>,
    /// It is that of `opcache.preload`, and has made a client.
    preloads: bool,
    /// PHP code may still run after the end (another extension's, such as a session handler): nothing of it is kept, since
    /// nobody would take it back before its objects are gone.
    ended: bool,
}

pub(crate) fn begin() {
    nesting::begin();
    REQUEST.with_borrow_mut(|request| request.ended = false);
}

/// The client object that this request already has for a name.
pub(crate) fn persistent_client(name: &Name) -> Option<Zval> {
    REQUEST.with_borrow(|request| {
        request
            .clients
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, client)| client.shallow_clone())
    })
}

pub(crate) fn keep_persistent_client(name: Name, object: Object<'_>) {
    if REQUEST.with_borrow(|request| request.ended) {
        return;
    }
    let client = object.to_zval();
    REQUEST.with_borrow_mut(|request| request.clients.push((name, client)));
}

/// The object of that name is not to be given out again.
pub(crate) fn release_persistent_client(name: &Name) {
    let released: Vec<Zval> = REQUEST.with_borrow_mut(|request| {
        let (released, kept) = std::mem::take(&mut request.clients)
            .into_iter()
            .partition(|(known, _)| known == name);
        request.clients = kept;
        let released: Vec<(Name, Zval)> = released;
        released.into_iter().map(|(_, client)| client).collect()
    });
    // Only now: freeing an object may run code that comes back here.
    drop(released);
}

pub(crate) fn remember(connection: &Rc<Connection>) {
    REQUEST.with_borrow_mut(|request| {
        request.connections.retain(|known| known.strong_count() > 0);
        request.connections.push(Rc::downgrade(connection));
        // Asked for here, since PHP knows no more at the end of the request.
        request.preloads |= shim::is_preloading();
    });
}

/// The end of the request: what it subscribed to is taken back, and what it published gets a moment to leave. After preloading,
/// nothing stays: the process may be the master, whose clients no request can use.
pub(crate) fn end() {
    let (clients, connections, preloads) = REQUEST.with_borrow_mut(|request| {
        request.ended = true;
        (
            std::mem::take(&mut request.clients),
            std::mem::take(&mut request.connections),
            std::mem::take(&mut request.preloads),
        )
    });
    for (_, client) in &clients {
        if let Some(object) = Object::of(client) {
            client::end_subscriptions(object);
        }
    }
    let longest = Duration::from_millis(
        u64::try_from(shim::ini_int("mqtt.flush_on_request_end_ms")).unwrap_or(0),
    );
    if !longest.is_zero() {
        let deadline = Instant::now() + longest;
        for connection in connections.iter().filter_map(Weak::upgrade) {
            if let Some(handle) = connection.started() {
                wait::quietly_until(handle, deadline, || handle.pending() == 0);
            }
        }
    }
    drop(clients);
    if preloads {
        persistent::end_all();
    }
}
