//! What the background thread leaves for PHP to find: changes of state, and a descriptor that is readable while there is
//! something to do.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use mqtt_client::background::{Observer, Readiness};
use mqtt_client::{Connack, State};
use mqtt_core::ProtocolVersion;

/// Kinds of trouble that are counted.
pub(crate) const TROUBLES: usize = 5;

/// Changes that wait for PHP, at most: beyond, the oldest go.
const MOST_CHANGES: usize = 256;

/// A change of state.
pub(crate) struct Change {
    pub(crate) state: State,
    /// Where the connection is, and what is spoken on it, once it is one.
    pub(crate) address: Option<String>,
    pub(crate) version: Option<ProtocolVersion>,
    pub(crate) at: SystemTime,
}

/// Shared by the background thread, which fills it, and the PHP thread.
#[derive(Default)]
pub(crate) struct Watch {
    /// PHP wants to know of changes.
    wants_changes: AtomicBool,
    /// PHP has a stream.
    has_readiness: AtomicBool,
    /// How much of each kind of trouble a logger has heard of, whichever request it belonged to.
    told: [AtomicU64; TROUBLES],
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    changes: VecDeque<Change>,
    readiness: Option<Readiness>,
}

impl Watch {
    pub(crate) fn new(wants_changes: bool) -> Arc<Self> {
        Arc::new(Self {
            wants_changes: AtomicBool::new(wants_changes),
            ..Self::default()
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn want_changes(&self, want: bool) {
        self.wants_changes.store(want, Ordering::Release);
        if !want {
            self.inner().changes.clear();
        }
    }

    pub(crate) fn next_change(&self) -> Option<Change> {
        if !self.wants_changes.load(Ordering::Acquire) {
            return None;
        }
        self.inner().changes.pop_front()
    }

    /// How much more there is of a kind of trouble than a logger has heard of. It is taken for told.
    pub(crate) fn untold(&self, kind: usize, count: u64) -> u64 {
        // The greatest: while a logger is told of another kind, it may come here again, with a newer count than the caller's.
        let before = self
            .told
            .get(kind)
            .map(|told| told.fetch_max(count, Ordering::Relaxed));
        count.saturating_sub(before.unwrap_or(count))
    }

    /// A descriptor of the caller's own, readable while there is something to do. Look once more at what there is after
    /// this call.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        let mut inner = self.inner();
        let readiness = match inner.readiness.take() {
            Some(readiness) => readiness,
            None => Readiness::new()?,
        };
        let descriptor = readiness.as_fd().try_clone_to_owned();
        inner.readiness = Some(readiness);
        self.has_readiness.store(true, Ordering::Release);
        descriptor
    }

    /// PHP has looked at everything: the descriptor is readable from now on only if `has_work`. What comes meanwhile is shown
    /// after this, as the list is locked.
    pub(crate) fn settle(&self, has_work: impl Fn() -> bool) {
        if !self.has_readiness.load(Ordering::Acquire) {
            return;
        }
        let inner = self.inner();
        if let Some(readiness) = &inner.readiness {
            readiness.update(|_| !inner.changes.is_empty() || has_work());
        }
    }

    /// Nobody looks any more: descriptors that were given out are never readable again.
    pub(crate) fn release(&self) {
        self.wants_changes.store(false, Ordering::Release);
        self.has_readiness.store(false, Ordering::Release);
        let mut inner = self.inner();
        inner.changes.clear();
        if let Some(readiness) = inner.readiness.take() {
            readiness.update(|_| false);
        }
    }
}

/// The background's end of a [`Watch`].
pub(crate) struct Watcher(pub(crate) Arc<Watch>);

impl Observer for Watcher {
    fn state(&self, state: &State, connack: Option<&Connack>) {
        let watch = &self.0;
        let wanted = watch.wants_changes.load(Ordering::Acquire);
        // An end for good is work for poll(), which tells of it.
        let told = wanted || (state.is_closed() && watch.has_readiness.load(Ordering::Acquire));
        if !told {
            return;
        }
        let mut inner = watch.inner();
        // Looked at again under the lock, where want_changes() and release() empty the list.
        if watch.wants_changes.load(Ordering::Acquire) {
            if inner.changes.len() == MOST_CHANGES {
                inner.changes.pop_front();
            }
            inner.changes.push_back(Change {
                state: state.clone(),
                address: connack.map(|connack| connack.address.clone()),
                version: connack.map(|connack| connack.version),
                at: SystemTime::now(),
            });
        }
        if let Some(readiness) = &inner.readiness {
            readiness.update(|_| true);
        }
    }

    fn changed(&self, received: &dyn Fn() -> usize) {
        if self.0.has_readiness.load(Ordering::Acquire)
            && let Some(readiness) = &self.0.inner().readiness
        {
            // Looked at here, where PHP cannot take the last one and settle in between.
            readiness.update(|now| now || received() > 0);
        }
    }
}
