//! How a connection begins: its place in the counts, its transport, and the task that serves it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io;
use tokio::time;

use super::{Connection, shown_peer};
use crate::certificates::Certificates;
use crate::door::Ticket;
use crate::listener::{ByteStream, Opened};
use crate::place::Place;
use crate::shared::Shared;

/// Starts a task that serves one client.
pub(crate) fn spawn(
    shared: &Arc<Shared>,
    stream: impl ByteStream + 'static,
    peer: Option<SocketAddr>,
) {
    let Some(place) = take_place(shared, peer) else {
        return;
    };
    let ticket = place.ticket();
    let deadline = time::Instant::now() + shared.context.options.connect_timeout;
    let certificates = Certificates::default();
    let connection = Connection::new(Arc::clone(shared), place, stream, certificates, deadline);
    start(shared, ticket, connection.run());
}

/// Starts a task that serves one client as soon as `opening` has come to a stream. The connection counts, and its time for
/// CONNECT runs, from now on.
pub(crate) fn spawn_after(
    shared: &Arc<Shared>,
    opening: impl Future<Output = io::Result<Opened>> + Send + 'static,
    peer: Option<SocketAddr>,
) {
    let Some(place) = take_place(shared, peer) else {
        return;
    };
    let ticket = place.ticket();
    let deadline = time::Instant::now() + shared.context.options.connect_timeout;
    let shared_by_task = Arc::clone(shared);
    start(shared, ticket, async move {
        // What is needed for the handshakes is on the heap while they last, and not in the task all the time.
        let opened = Box::pin(opened(&shared_by_task, opening, deadline, peer)).await;
        if let Some(opened) = opened {
            let Opened {
                stream,
                certificates,
            } = opened;
            Connection::new(shared_by_task, place, stream, certificates, deadline)
                .run()
                .await;
        }
    });
}

/// Starts the task, which may be ended as long as its client is at the door.
fn start(shared: &Shared, ticket: Option<Ticket>, task: impl Future<Output = ()> + Send + 'static) {
    let task = shared.tasks.spawn(task);
    if let Some(ticket) = ticket {
        shared.context.door.set_task(ticket, task.abort_handle());
    }
}

fn take_place(shared: &Shared, peer: Option<SocketAddr>) -> Option<Place> {
    let place = if shared.stop.is_cancelled() {
        None
    } else {
        Place::take(&shared.context, peer)
    };
    if place.is_none() {
        shared.context.counters.connections_refused.add(1);
        tracing::debug!(peer = shown_peer(peer), "closed a connection unheard");
    }
    place
}

/// What the handshakes come to, if they do in time.
async fn opened(
    shared: &Shared,
    opening: impl Future<Output = io::Result<Opened>>,
    deadline: time::Instant,
    peer: Option<SocketAddr>,
) -> Option<Opened> {
    let opened = tokio::select! {
        biased;
        opened = time::timeout_at(deadline, opening) => opened,
        () = shared.stop.cancelled() => return None,
    };
    let error = match opened {
        Ok(Ok(opened)) => return Some(opened),
        Ok(Err(error)) => error,
        Err(_) => io::ErrorKind::TimedOut.into(),
    };
    shared.context.counters.connections_failed.add(1);
    tracing::debug!(peer = shown_peer(peer), %error, "a connection ended in its handshake");
    None
}
