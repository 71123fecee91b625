//! What waits for the program: changes of the client's state, and completions by their tokens.
//!
//! The client's thread fills it, any thread of the program takes from it, and nobody holds its lock while doing something else.
//! Received messages are not here: they wait in the client's own inbox, which knows how to hold what has no room.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use mqtt_client::background::{Observer, Readiness};
use mqtt_client::{
    self as client, CloseCause, Connack, Outcome, PublishId, Reply, RequestError, State,
    SubscribeAnswer, SubscribeError,
};

use crate::error::{Error, Result};
use crate::event::{Completion, Content, EventType};
use crate::message::Message;
use crate::options::Completions;
use crate::properties::Properties;
use crate::status::Status;

/// Changes of state that are kept for a program that does not take them; beyond, the oldest go.
const MAX_CHANGES: usize = 64;

/// What the properties of servers may hold in them, in bytes; beyond, the oldest go as well. The last change always stays.
const MAX_CHANGE_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Mailbox {
    inner: Mutex<Inner>,
    arrived: Condvar,
    /// Made when the program asks for its descriptor.
    readiness: OnceLock<Readiness>,
    /// Tokens whose completion was not taken yet, at most.
    max_tokens: usize,
    /// What their properties may hold, in bytes.
    max_bytes: usize,
    completions: Completions,
}

#[derive(Debug, Default)]
struct Inner {
    changes: VecDeque<Content>,
    /// The last event, until it is taken.
    stopped: Option<Content>,
    has_ended: bool,
    is_connected: bool,
    /// Why there is no connection, in words, until there is one.
    trouble: Option<String>,
    /// Whose turn it is: completions and messages alternate, so that neither keeps the other waiting.
    messages_first: bool,
    last_token: u64,
    /// Tokens without a completion.
    open: BTreeMap<u64, Going>,
    done: BTreeMap<u64, Completion>,
    done_bytes: usize,
    /// Counts what came, for whoever looked and then sleeps.
    arrivals: u64,
    sleepers: usize,
}

/// What a token without a completion stands for.
#[derive(Debug)]
pub(crate) enum Going {
    /// What cannot be ended by itself.
    Other,
    Publish(PublishId),
    /// Dropping it gives up waiting for the response.
    Request(#[expect(dead_code, reason = "it is kept to be dropped")] Reply),
}

impl Mailbox {
    pub(crate) fn new(max_tokens: usize, max_bytes: usize, completions: Completions) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            arrived: Condvar::new(),
            readiness: OnceLock::new(),
            max_tokens,
            max_bytes,
            completions,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came: `put` puts it where it belongs.
    fn arrive(&self, put: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        put(&mut inner);
        inner.arrivals += 1;
        let has_sleepers = inner.sleepers > 0;
        drop(inner);
        if has_sleepers {
            self.arrived.notify_all();
        }
    }

    /// Wakes whoever waits, to look again.
    pub(crate) fn wake(&self) {
        self.arrive(|_| {});
    }

    fn arrive_as_event(&self, put: impl FnOnce(&mut Inner)) {
        self.arrive(put);
        if let Some(readiness) = self.readiness.get() {
            // Whoever took it meanwhile has decided already.
            readiness.update(|now| now || !self.is_empty());
        }
    }

    /// Gives out a token, whose completion has to be taken some time.
    pub(crate) fn open_token(&self) -> Result<u64> {
        let mut inner = self.inner();
        let outstanding = inner.open.len() + inner.done.len();
        if outstanding >= self.max_tokens {
            return Err(Error::new(
                Status::QueueFull,
                format_args!(
                    "{outstanding} tokens are outstanding: take their completions, or give no token"
                ),
            ));
        }
        inner.last_token += 1;
        let token = inner.last_token;
        inner.open.insert(token, Going::Other);
        Ok(token)
    }

    /// Takes back a token that the caller never saw.
    pub(crate) fn withdraw(&self, token: u64) {
        self.inner().open.remove(&token);
    }

    /// What a token stands for, unless that has its completion already.
    pub(crate) fn began(&self, token: u64, going: Going) {
        if let Some(known) = self.inner().open.get_mut(&token) {
            *known = going;
        }
    }

    /// Forgets a token, whose completion will not come any more. Gives what it stands for, if that goes on.
    pub(crate) fn give_up(&self, token: u64) -> Result<Option<Going>> {
        let mut found = Err(no_such_token(token));
        // Whoever waits for it is to look again.
        self.arrive(|inner| {
            if let Some(going) = inner.open.remove(&token) {
                found = Ok(Some(going));
            } else if inner.take_done(token).is_some() {
                found = Ok(None);
            }
        });
        found
    }

    pub(crate) fn publish_ended(&self, token: u64, outcome: &Outcome) {
        let (reasons, properties) = match outcome {
            Outcome::Acknowledged { reason, properties } => (
                vec![reason.get()],
                Properties::of(properties.as_properties()),
            ),
            _ => (Vec::new(), Properties::default()),
        };
        self.complete(Completion {
            kind: EventType::Published,
            token,
            reasons,
            properties,
            response: None,
            error: Error::of_outcome(outcome),
        });
    }

    pub(crate) fn responded(
        &self,
        token: u64,
        response: &std::result::Result<client::Message, RequestError>,
    ) {
        let (response, error) = match response {
            Ok(message) => (Some(Box::new(Message::new(message.clone()))), None),
            Err(error) => (None, Some(error.clone().into())),
        };
        self.complete(Completion {
            kind: EventType::Response,
            token,
            reasons: Vec::new(),
            properties: Properties::default(),
            response,
            error,
        });
    }

    pub(crate) fn request_answered(
        &self,
        kind: EventType,
        token: u64,
        filters: &[String],
        answer: &std::result::Result<SubscribeAnswer, SubscribeError>,
    ) {
        let (reasons, properties, error) = match answer {
            Ok(answer) => (
                answer.reasons.iter().map(|reason| reason.get()).collect(),
                Properties::of(answer.properties.as_properties()),
                answer.refusal(filters.iter().map(String::as_str)),
            ),
            Err(error) => (Vec::new(), Properties::default(), Some(error.clone())),
        };
        self.complete(Completion {
            kind,
            token,
            reasons,
            properties,
            response: None,
            error: error.map(Error::from),
        });
    }

    fn complete(&self, mut completion: Completion) {
        let put = |inner: &mut Inner| {
            if inner.open.remove(&completion.token).is_none() {
                return;
            }
            // A server must not be able to fill the memory of a program that does not look.
            if inner.done_bytes + completion.held_bytes() > self.max_bytes {
                completion.shed();
            }
            inner.done_bytes += completion.held_bytes();
            inner.done.insert(completion.token, completion);
        };
        match self.completions {
            Completions::Event => self.arrive_as_event(put),
            Completions::Wait => self.arrive(put),
        }
    }

    /// The next event, if one waits; `received` takes what the inbox has to tell.
    pub(crate) fn take(&self, received: impl Fn() -> Option<Content>) -> Option<Content> {
        let (change, has_stopped, messages_first) = {
            let mut inner = self.inner();
            let has_stopped = inner.stopped.is_some();
            (inner.changes.pop_front(), has_stopped, inner.messages_first)
        };
        if change.is_some() {
            return change;
        }
        let completion = || self.take_completion();
        let found = if messages_first {
            received().or_else(completion)
        } else {
            completion().or_else(received)
        };
        if found.is_some() {
            self.inner().messages_first = !messages_first;
            return found;
        }
        // Only if it was here before the look at the others: what came ahead of it would have been found.
        has_stopped.then(|| self.inner().stopped.take())?
    }

    /// A completion that is to be an event.
    fn take_completion(&self) -> Option<Content> {
        match self.completions {
            Completions::Event => {
                let mut inner = self.inner();
                let (token, _) = inner.done.first_key_value()?;
                let token = *token;
                inner.take_done(token).map(Content::Completed)
            }
            Completions::Wait => None,
        }
    }

    /// Whether the last event was taken.
    pub(crate) fn is_over(&self) -> bool {
        let inner = self.inner();
        inner.has_ended && inner.stopped.is_none()
    }

    /// Whether nothing here is an event.
    fn is_empty(&self) -> bool {
        let inner = self.inner();
        let completions = self.completions == Completions::Event && !inner.done.is_empty();
        inner.changes.is_empty() && inner.stopped.is_none() && !completions
    }

    /// Waits for the completion of a token.
    pub(crate) fn wait_for(&self, token: u64, deadline: Option<Instant>) -> Result<Completion> {
        let mut inner = self.inner();
        loop {
            if let Some(completion) = inner.take_done(token) {
                return Ok(completion);
            }
            if !inner.open.contains_key(&token) {
                return Err(no_such_token(token));
            }
            let seen = inner.arrivals;
            let (woken, arrived) = self.sleep(inner, seen, deadline);
            inner = woken;
            if !arrived && inner.open.contains_key(&token) {
                return Err(inner.no_completion());
            }
        }
    }

    /// How much has come so far. Whoever looks after this, and finds nothing, may [`wait`](Self::wait) from here.
    pub(crate) fn arrivals(&self) -> u64 {
        self.inner().arrivals
    }

    /// Sleeps until more than `seen` has come; false if that took too long.
    pub(crate) fn wait(&self, seen: u64, deadline: Option<Instant>) -> bool {
        self.sleep(self.inner(), seen, deadline).1
    }

    fn sleep<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        seen: u64,
        deadline: Option<Instant>,
    ) -> (MutexGuard<'a, Inner>, bool) {
        while inner.arrivals == seen {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return (inner, false);
            }
            inner.sleepers += 1;
            inner = match left {
                Some(left) => {
                    self.arrived
                        .wait_timeout(inner, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .arrived
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner),
            };
            inner.sleepers -= 1;
        }
        (inner, true)
    }

    /// The descriptor that is readable while events wait, made if need be; `received` messages are in the inbox.
    pub(crate) fn readiness(&self, received: impl Fn() -> usize) -> io::Result<&Readiness> {
        if self.readiness.get().is_none() {
            let new = Readiness::new()?;
            // Another thread may have been faster.
            let _ = self.readiness.set(new);
            self.show_readiness(received);
        }
        self.readiness
            .get()
            .ok_or_else(|| io::Error::other("no descriptor"))
    }

    /// After events came or were taken: the descriptor is readable as long as there are any.
    pub(crate) fn show_readiness(&self, received: impl Fn() -> usize) {
        if let Some(readiness) = self.readiness.get() {
            readiness.update(|_| !self.is_empty() || received() > 0);
        }
    }
}

fn no_such_token(token: u64) -> Error {
    Error::new(
        Status::Token,
        format_args!("token {token} was never given, was given up, or its completion was taken"),
    )
}

/// Bytes that the properties in changes of state hold. The end of a connection and the wait for the next one, which come one
/// after the other, share theirs.
fn held_bytes(changes: &VecDeque<Content>) -> usize {
    let mut before: Option<&Properties> = None;
    let mut held = 0;
    for properties in changes.iter().filter_map(Content::large_part) {
        if !before.is_some_and(|before| ptr::eq(before, properties)) {
            held += properties.held_bytes();
        }
        before = Some(properties);
    }
    held
}

impl Inner {
    fn no_completion(&self) -> Error {
        match &self.trouble {
            None => Error::timeout("no completion yet: the client goes on, wait again"),
            Some(cause) => Error::timeout(format_args!(
                "no completion yet, for there is no connection: {cause}"
            )),
        }
    }

    fn take_done(&mut self, token: u64) -> Option<Completion> {
        let completion = self.done.remove(&token)?;
        self.done_bytes -= completion.held_bytes();
        Some(completion)
    }

    fn change(&mut self, content: Content) {
        self.changes.push_back(content);
        while self.changes.len() > MAX_CHANGES
            || (self.changes.len() > 1 && held_bytes(&self.changes) > MAX_CHANGE_BYTES)
        {
            self.changes.pop_front();
        }
    }

    fn disconnected(&mut self, error: Option<Error>) {
        if std::mem::take(&mut self.is_connected) {
            self.change(Content::Disconnected(error));
        }
    }
}

/// What the client's thread knows of a mailbox.
pub(crate) struct Watch(pub(crate) Arc<Mailbox>);

impl Observer for Watch {
    fn state(&self, state: &State, connack: Option<&Connack>) {
        match state {
            State::Connected => self.0.arrive_as_event(|inner| {
                inner.is_connected = true;
                inner.trouble = None;
                if let Some(connack) = connack {
                    inner.change(Content::connected(connack));
                }
            }),
            State::Backoff {
                attempt,
                delay,
                error,
            } => self.0.arrive_as_event(|inner| {
                let cause = Error::from(error);
                inner.trouble = Some(cause.message().into_owned());
                inner.disconnected(Some(cause.clone()));
                inner.change(Content::reconnecting(cause, *attempt, *delay));
            }),
            State::Idle => self.0.arrive_as_event(|inner| inner.disconnected(None)),
            State::Closed(cause) => self.0.arrive_as_event(|inner| {
                let error = match cause {
                    CloseCause::Requested => None,
                    CloseCause::Final(error) | CloseCause::GaveUp(error) => Some(error.into()),
                    _ => Some(Error::new(
                        Status::Stopped,
                        "the library's thread ended under the client",
                    )),
                };
                inner.disconnected(error.clone());
                inner.stopped = Some(Content::Stopped(error));
                inner.has_ended = true;
            }),
            _ => {}
        }
    }

    fn changed(&self, received: &dyn Fn() -> usize) {
        if received() > 0 {
            self.0.wake();
            self.0.show_readiness(received);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use mqtt_client::{ConnectError, ReasonCode};

    use super::*;

    #[test]
    fn nothing_comes_after_the_last_event_however_late_it_came() {
        let mailbox = Mailbox::new(10, 1_000, Completions::Event);
        let watch = Watch(Arc::clone(&mailbox));
        watch.state(&State::Connected, None);
        let token = mailbox.open_token().unwrap();
        let has_ended = Cell::new(false);
        // While one thread looks for an event, the client ends.
        let found = mailbox.take(|| {
            if !has_ended.replace(true) {
                mailbox.publish_ended(token, &Outcome::Sent);
                watch.state(&State::Closed(CloseCause::Requested), None);
            }
            None
        });
        let later: Vec<_> = std::iter::from_fn(|| mailbox.take(|| None)).collect();
        let all = found.into_iter().chain(later);
        let kinds: Vec<_> = all.map(|content| content.kind()).collect();
        assert_eq!(
            kinds,
            [
                EventType::Disconnected,
                EventType::Published,
                EventType::Stopped
            ]
        );
        assert!(mailbox.is_over());
    }

    #[test]
    fn what_a_server_says_about_a_subscription_is_shed_where_too_much_waits() {
        let mailbox = Mailbox::new(10, 1_000, Completions::Event);
        let reason_string = "r".repeat(2_000);
        let reason_string =
            client::Property::ReasonString(client::Utf8::new(&reason_string).unwrap());
        let mut answer = SubscribeAnswer::default();
        answer.reasons = vec![ReasonCode::NOT_AUTHORIZED];
        answer.properties = Arc::new(client::PropertiesBuf::collect([reason_string]).unwrap());
        let token = mailbox.open_token().unwrap();
        let filters = ["t".to_owned()];
        mailbox.request_answered(EventType::Subscribed, token, &filters, &Ok(answer));
        let completion = mailbox.wait_for(token, None).unwrap();
        let error = completion.error.as_ref().unwrap();
        assert!(
            error
                .message()
                .starts_with("the server refused \"t\": 0x87")
        );
        assert!(completion.held_bytes() < 1_000);
        assert_eq!(completion.reasons, [0x87]);
    }

    #[test]
    fn changes_that_nobody_takes_are_bounded_in_count_and_in_bytes() {
        let mut inner = Inner::default();
        for _ in 0..=MAX_CHANGES {
            inner.change(Content::Disconnected(None));
        }
        assert_eq!(inner.changes.len(), MAX_CHANGES);
        let user_properties = |count: usize| {
            let long = "x".repeat(60_000);
            let long = client::Utf8::new(&long).unwrap();
            client::PropertiesBuf::collect(vec![client::Property::UserProperty(long, long); count])
                .unwrap()
        };
        let with = |count| {
            let properties = user_properties(count);
            Content::connected_with(Properties::of(properties.as_properties()))
        };
        let fitting = MAX_CHANGE_BYTES / with(1).large_part().unwrap().held_bytes();
        for _ in 0..=fitting {
            inner.change(with(1));
        }
        assert_eq!(inner.changes.len(), fitting);
        // The last one stays, however large it is.
        for _ in 0..2 {
            inner.change(with(fitting + 1));
            assert_eq!(inner.changes.len(), 1);
        }

        // The end of a connection and the wait after it hold the properties of one error together: they fit, and so do half of
        // the others.
        let mailbox = Mailbox::new(10, 1_000, Completions::Event);
        let watch = Watch(Arc::clone(&mailbox));
        let lose_connection = || {
            watch.state(&State::Connected, None);
            watch.state(
                &State::Backoff {
                    attempt: 1,
                    delay: Duration::ZERO,
                    error: ConnectError::Lost {
                        address: String::new(),
                        cause: String::new(),
                        reason: Some(ReasonCode::QUOTA_EXCEEDED),
                        properties: Arc::new(user_properties(fitting * 2 / 3)),
                    },
                },
                None,
            );
        };
        for _ in 0..2 {
            lose_connection();
            let inner = mailbox.inner();
            let kinds: Vec<_> = inner.changes.iter().map(Content::kind).collect();
            assert_eq!(kinds, [EventType::Disconnected, EventType::Reconnecting]);
        }
    }
}
