//! The sessions of a broker by Client Identifier, and when they end (v5 4.1, v311 4.1).

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mqtt_core::{Instant, Message, SessionExpiry, WillMessage};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::backlog::Backlog;
use crate::context::Context;
use crate::share::Orphan;
use crate::subscriber::{SessionKey, Subscriber, Taken};

/// Every session there is.
#[derive(Debug)]
pub(crate) struct Sessions {
    context: Arc<Context>,
    table: Mutex<Table>,
    /// Makes a [`User`] of a user name.
    hasher: RandomState,
    /// The next deadline may have become an earlier one.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    by_client: HashMap<Arc<str>, Entry>,
    /// When something is due for whom: the end of a session, or a Will that was delayed.
    deadlines: BTreeMap<(Instant, SessionKey), Arc<str>>,
    last_key: u64,
}

/// What is kept of a user name, which may have 65,535 bytes. Nobody who does not know the keys of the hash can make two names
/// come to the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct User(u64);

#[derive(Debug)]
struct Entry {
    subscriber: Arc<Subscriber>,
    /// For whom it was opened.
    user: User,
    /// While the client is away: when the session ends, unless never.
    expires: Option<Instant>,
    /// A Will whose delay has not passed.
    will: Option<Box<Delayed>>,
}

/// A Will and when it is due.
#[derive(Debug)]
struct Delayed {
    due: Instant,
    message: Message,
}

/// What a client that connects gets.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) subscriber: Arc<Subscriber>,
    pub(crate) backlog: Backlog,
    pub(crate) session_present: bool,
    /// The session that ended to make place, if one did.
    pub(crate) ended: Ended,
}

/// What is left to be done for sessions that have ended: take their subscriptions away, give what
/// they owed to groups to others, and publish their Wills.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Ended {
    pub(crate) sessions: Vec<SessionKey>,
    /// And from which session each of them is, for subscriptions with No Local.
    pub(crate) wills: Vec<(SessionKey, Message)>,
    pub(crate) orphans: Vec<Orphan>,
}

/// Why a session could not be opened at once.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// Another connection has it and was told to let go. Worth another try when this is done.
    Held(OwnedNotified),
    /// There are as many sessions as there may be.
    Full,
}

impl Sessions {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            table: Mutex::default(),
            hasher: RandomState::new(),
            changed: Notify::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().by_client.len()
    }

    /// An identifier for a client that sent none [v5 MQTT-3.1.3-6]. Nobody can guess it, so nobody can take it over.
    pub(crate) fn assign_client_id(&self) -> String {
        let table = self.lock();
        loop {
            let id = format!("auto-{:032x}", rand::random::<u128>());
            if !table.by_client.contains_key(id.as_str()) {
                return id;
            }
        }
    }

    /// A subscriber that is no client: it has a key, and no place in the table.
    pub(crate) fn add_local(&self) -> Arc<Subscriber> {
        let key = self.lock().next_key();
        Arc::new(Subscriber::new(key, "", Arc::clone(&self.context)))
    }

    /// Opens the session of a client: the one it has, unless it wants a clean start [v5 MQTT-3.1.2-4, MQTT-3.1.2-5].
    ///
    /// Where somebody decides who may read what, a session that was opened for another user ends too: its subscriptions and
    /// what waits in it were allowed to that one.
    pub(crate) fn open(
        &self,
        client_id: &str,
        username: Option<&str>,
        clean_start: bool,
    ) -> Result<Opened, NotOpened> {
        let user = User(self.hasher.hash_one(username));
        let is_guarded = self.context.options.authorizer.is_some();
        let mut guard = self.lock();
        let table = &mut *guard;
        let mut ended = Ended::default();
        if let Some(entry) = table.by_client.get_mut(client_id) {
            // Listening before looking: a session let go of in between is not missed.
            let released = Arc::clone(&entry.subscriber.released).notified_owned();
            let starts_anew = clean_start || (is_guarded && entry.user != user);
            match entry.subscriber.take() {
                Taken::Held => return Err(NotOpened::Held(released)),
                Taken::Session(backlog) if !starts_anew => {
                    let subscriber = Arc::clone(&entry.subscriber);
                    if let Some(due) = entry.next_deadline() {
                        table.deadlines.remove(&(due, subscriber.key));
                    }
                    // The client is back before its Will was due [v5 MQTT-3.1.3-9].
                    entry.will = None;
                    entry.expires = None;
                    return Ok(Opened {
                        subscriber,
                        backlog: *backlog,
                        session_present: true,
                        ended,
                    });
                }
                Taken::Session(backlog) => {
                    ended.orphans.extend(backlog.into_orphans());
                    table.end(client_id, &mut ended);
                }
                Taken::Ended => table.end(client_id, &mut ended),
            }
        }
        if table.by_client.len() >= self.context.options.max_sessions {
            return Err(NotOpened::Full);
        }
        let subscriber = table.add(client_id, user, &self.context);
        let backlog = Backlog::new(&self.context.options);
        Ok(Opened {
            subscriber,
            backlog,
            session_present: false,
            ended,
        })
    }

    /// Tells the connection of a client to end, so that a new one of the same client can have its place; whether there is one
    /// whose place is to be had.
    pub(crate) fn evict(&self, client_id: &str) -> bool {
        let table = self.lock();
        let entry = table.by_client.get(client_id);
        entry.is_some_and(|entry| entry.subscriber.evict())
    }

    /// The connection of a session is over: keeps it for as long as agreed, or ends it.
    pub(crate) fn close(
        &self,
        now: Instant,
        subscriber: &Arc<Subscriber>,
        backlog: Backlog,
        expiry: SessionExpiry,
        will: Option<Box<WillMessage>>,
    ) -> Ended {
        let mut ended = Ended::default();
        let kept_for = self.limit(expiry);
        {
            let mut guard = self.lock();
            let table = &mut *guard;
            let Some(entry) = table.by_client.get_mut(&subscriber.client_id) else {
                return ended;
            };
            // It is due after its delay, or when the session ends if that is earlier (v5 3.1.3.2.2): see Table::end.
            match will {
                Some(will) if will.delay == 0 => {
                    ended.wills.push((subscriber.key, will.message));
                }
                Some(will) => {
                    let delay = Duration::from_secs(u64::from(will.delay));
                    entry.will = Some(Box::new(Delayed {
                        due: now + delay,
                        message: will.message,
                    }));
                }
                None => {}
            }
            if kept_for == SessionExpiry::AT_CLOSE {
                ended.orphans.extend(backlog.into_orphans());
                table.end(&subscriber.client_id, &mut ended);
            } else {
                subscriber.leave(Box::new(backlog));
                entry.expires =
                    (kept_for != SessionExpiry::NEVER).then(|| now + duration(kept_for));
                if let Some(due) = entry.next_deadline() {
                    let client_id = Arc::clone(&subscriber.client_id);
                    table.deadlines.insert((due, subscriber.key), client_id);
                }
            }
        }
        subscriber.released.notify_waiters();
        self.changed.notify_one();
        ended
    }

    /// How long a session is kept when its client asks for `expiry`.
    pub(crate) fn limit(&self, expiry: SessionExpiry) -> SessionExpiry {
        let longest =
            u32::try_from(self.context.options.max_session_expiry.as_secs()).unwrap_or(u32::MAX);
        SessionExpiry::from_secs(expiry.as_secs().min(longest))
    }

    /// Ends the sessions whose time is over and gives out the Wills whose delay is.
    pub(crate) fn expire(&self, now: Instant) -> Ended {
        let mut guard = self.lock();
        let table = &mut *guard;
        let mut ended = Ended::default();
        while let Some(first) = table.deadlines.first_entry()
            && first.key().0 <= now
        {
            let ((_, key), client_id) = first.remove_entry();
            let Some(entry) = table.by_client.get_mut(&client_id) else {
                continue;
            };
            if entry.expires.is_some_and(|at| at <= now) {
                table.end(&client_id, &mut ended);
                continue;
            }
            if let Some(will) = entry.will.take_if(|will| will.due <= now) {
                ended.wills.push((key, will.message));
            }
            if let Some(due) = entry.next_deadline() {
                table.deadlines.insert((due, key), client_id);
            }
        }
        ended
    }

    /// Tells every connection that has a session that the broker ends.
    pub(crate) fn shut_down(&self) {
        for entry in self.lock().by_client.values() {
            entry.subscriber.shut_down();
        }
    }

    /// When [`Sessions::expire`] has something to do next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let table = self.lock();
        table.deadlines.keys().next().map(|(due, _)| *due)
    }

    /// Waits until [`Sessions::next_deadline`] may have changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, client_id: &str, user: User, context: &Arc<Context>) -> Arc<Subscriber> {
        let key = self.next_key();
        let subscriber = Arc::new(Subscriber::new(key, client_id, Arc::clone(context)));
        let entry = Entry {
            subscriber: Arc::clone(&subscriber),
            user,
            expires: None,
            will: None,
        };
        let client_id = Arc::clone(&subscriber.client_id);
        self.by_client.insert(client_id, entry);
        subscriber
    }

    fn next_key(&mut self) -> SessionKey {
        self.last_key += 1;
        SessionKey(self.last_key)
    }

    /// Ends a session. A Will that was delayed is due now (v5 3.1.2.5).
    fn end(&mut self, client_id: &str, ended: &mut Ended) {
        let Some(entry) = self.by_client.remove(client_id) else {
            return;
        };
        let key = entry.subscriber.key;
        if let Some(due) = entry.next_deadline() {
            self.deadlines.remove(&(due, key));
        }
        ended.orphans.extend(entry.subscriber.end());
        ended.sessions.push(key);
        ended
            .wills
            .extend(entry.will.map(|will| (key, will.message)));
    }
}

impl Entry {
    /// The earlier of what is due. It is the one that stands in the table's deadlines.
    fn next_deadline(&self) -> Option<Instant> {
        let will = self.will.as_ref().map(|will| will.due);
        match (will, self.expires) {
            (Some(will), Some(expires)) => Some(will.min(expires)),
            (one, other) => one.or(other),
        }
    }
}

fn duration(expiry: SessionExpiry) -> Duration {
    Duration::from_secs(u64::from(expiry.as_secs()))
}
