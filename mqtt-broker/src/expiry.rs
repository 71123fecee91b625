//! When messages that wait expire (v5 3.3.2.3.3), and which session is to be looked after then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mqtt_core::{Instant, Message};
use tokio::sync::Notify;

use crate::subscriber::{SessionKey, Subscriber};

/// When the Message Expiry Interval of a message passes that the broker received at `since`: from then on it is not sent to
/// anybody to whom it has not been sent [v5 MQTT-3.3.2-5].
pub(crate) fn expires(message: &Message, since: Instant) -> Option<Instant> {
    let interval = message.properties().message_expiry_interval();
    interval.map(|seconds| since + Duration::from_secs(u64::from(seconds)))
}

/// When to look after which session: one entry at most for each, and none for those in which nothing can expire.
///
/// Its lock is the innermost: it is taken by who holds that of the session.
#[derive(Debug, Default)]
pub(crate) struct Expiries {
    alarms: Mutex<BTreeMap<(Instant, SessionKey), Weak<Subscriber>>>,
    /// The next one has become an earlier one.
    changed: Notify,
}

impl Expiries {
    pub(crate) fn insert(&self, at: Instant, subscriber: &Arc<Subscriber>) {
        let mut alarms = self.lock();
        let is_first = alarms.keys().next().is_none_or(|(first, _)| at < *first);
        alarms.insert((at, subscriber.key), Arc::downgrade(subscriber));
        drop(alarms);
        if is_first {
            self.changed.notify_one();
        }
    }

    pub(crate) fn remove(&self, at: Instant, key: SessionKey) {
        self.lock().remove(&(at, key));
    }

    /// Takes out a session that is to be looked after by now.
    pub(crate) fn take_due(&self, now: Instant) -> Option<Arc<Subscriber>> {
        let mut alarms = self.lock();
        while let Some(first) = alarms.first_entry()
            && first.key().0 <= now
        {
            if let Some(subscriber) = first.remove().upgrade() {
                return Some(subscriber);
            }
        }
        None
    }

    /// When [`Expiries::take_due`] has something to give next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.lock().keys().next().map(|(at, _)| *at)
    }

    /// Waits until [`Expiries::next`] may have become earlier.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Instant, SessionKey), Weak<Subscriber>>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}
