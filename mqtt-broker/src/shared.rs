//! One broker as its tasks see it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::context::Context;
use crate::options::Options;
use crate::router::Router;
use crate::sessions::{Ended, Sessions};
use crate::statistics::Statistics;

/// What the tasks of a broker share. It lives as long as the last of them.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) context: Arc<Context>,
    pub(crate) router: Router,
    pub(crate) sessions: Sessions,
    /// Everything is to end in good order.
    pub(crate) stop: CancellationToken,
    /// Everything is to end now.
    pub(crate) kill: CancellationToken,
    pub(crate) tasks: TaskTracker,
    addresses: Mutex<Vec<SocketAddr>>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let context = Arc::new(Context::new(options));
        Self {
            router: Router::new(Arc::clone(&context)),
            sessions: Sessions::new(Arc::clone(&context)),
            context,
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
            addresses: Mutex::default(),
        }
    }

    /// Everything is to end in good order.
    pub(crate) fn begin_to_stop(&self) {
        self.stop.cancel();
        // A session that is opened from here on finds that out by itself.
        self.sessions.shut_down();
    }

    /// Does what is left to do for sessions that ended.
    pub(crate) fn settle(&self, ended: Ended) {
        for key in ended.sessions {
            self.router.forget(key);
        }
        let now = self.context.clock.now();
        for orphan in ended.orphans {
            self.router.hand_on(now, &orphan);
        }
        for (key, will) in ended.wills {
            self.router.publish(now, Some(key), &will);
        }
    }

    /// Ends sessions and publishes delayed Wills when their time comes, until the broker stops.
    pub(crate) async fn keep_time(&self) {
        let clock = &self.context.clock;
        loop {
            let deadline = self.sessions.next_deadline();
            tokio::select! {
                () = clock.sleep_until(deadline) => {
                    let ended = self.sessions.expire(clock.now());
                    self.settle(ended);
                }
                () = self.sessions.changed() => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Drops messages that expire while they wait, until the broker stops.
    pub(crate) async fn drop_expired(&self) {
        let Context {
            clock, expiries, ..
        } = &*self.context;
        loop {
            tokio::select! {
                () = clock.sleep_until(expiries.next()) => {
                    while let Some(subscriber) = expiries.take_due(clock.now()) {
                        subscriber.drop_expired(clock.now());
                        // Many may expire at once, and others have work to do too.
                        task::yield_now().await;
                    }
                }
                () = expiries.changed() => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    pub(crate) fn add_address(&self, address: SocketAddr) {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(address);
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let counters = &self.context.counters;
        let sizes = self.router.sizes();
        Statistics {
            connections: counters.connections.get(),
            pending_connections: counters.pending_connections.get(),
            connections_accepted: counters.connections_accepted.get(),
            connections_refused: counters.connections_refused.get(),
            connections_failed: counters.connections_failed.get(),
            sessions: self.sessions.len() as u64,
            subscriptions: sizes.subscriptions as u64,
            retained_messages: sizes.retained_messages as u64,
            retained_bytes: sizes.retained_bytes as u64,
            queued_bytes: counters.queued_bytes.get(),
            messages_in: counters.messages_in.get(),
            messages_out: counters.messages_out.get(),
            messages_dropped: counters.messages_dropped.get(),
            messages_refused: counters.messages_refused.get(),
            messages_unmatched: counters.messages_unmatched.get(),
            bytes_in: counters.bytes_in.get(),
            bytes_out: counters.bytes_out.get(),
        }
    }
}
