//! Clients.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mqtt_client::background::{self, Handle};
use mqtt_client::{
    AckMode, Message as ClientMessage, ReasonCode, Request, RetainHandling, State as ClientState,
    SubscribeError, SubscribeOptions,
};

use crate::error::{Error, Result};
use crate::event::{Content, Event, EventType};
use crate::handle::{self, Out};
use crate::mailbox::{Mailbox, Watch};
use crate::message::{self, Message};
use crate::options::{Options, PMQ_FOREVER};
use crate::status::Status;
use crate::{bytes, guard};

/// How long a client that was freed may flush and say goodbye.
const FREED_DEADLINE: Duration = Duration::from_secs(2);

/// What pmq_client_stop waits beyond its deadline for the library's thread to say that it kept it.
const SLACK: Duration = Duration::from_secs(1);

/// For pmq_client_subscribe: no messages that this client published itself (MQTT 5.0).
pub const PMQ_NO_LOCAL: u32 = 1;
/// For pmq_client_subscribe: RETAIN as the publisher set it (MQTT 5.0).
pub const PMQ_RETAIN_AS_PUBLISHED: u32 = 2;
/// For pmq_client_subscribe: retained messages come only if the subscription is new (MQTT 5.0).
pub const PMQ_RETAINED_IF_NEW: u32 = 4;
/// For pmq_client_subscribe: retained messages do not come (MQTT 5.0).
pub const PMQ_RETAINED_NEVER: u32 = 8;

/// A client: one connection to a server that comes back by itself.
#[derive(Debug)]
pub struct Client {
    handle: Handle,
    mailbox: Arc<Mailbox>,
    manual_ack: bool,
    /// Dropped messages that were told of.
    dropped_told: AtomicU64,
    is_freed: AtomicBool,
}

/// What a client is doing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// Opening a connection, or waiting for the server's answer.
    Connecting = 0,
    /// The server accepted the client.
    Connected = 1,
    /// Waiting before it connects again.
    Waiting = 2,
    /// It was told to stop and flushes.
    Stopping = 3,
    /// It has ended.
    Stopped = 4,
}

/// What pmq_client_stat tells. All since the client was made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum Stat {
    /// Publishes without an outcome now.
    Queued = 0,
    /// Bytes they hold.
    QueuedBytes = 1,
    /// How many of them were handed to a connection.
    InFlight = 2,
    /// QoS 0 publishes written for a connection.
    Sent = 3,
    /// QoS 1 and 2 publishes that the server took.
    Acknowledged = 4,
    /// Publishes with any other outcome.
    Failed = 5,
    /// Messages received.
    Received = 6,
    /// Received messages that wait for the program now.
    Waiting = 7,
    /// Received messages that are held unacknowledged behind a full inbox now.
    Held = 8,
    /// Received messages that were dropped.
    Dropped = 9,
    /// Messages that were freed without the answer they owed.
    Unanswered = 10,
    /// How often the connection came back.
    Reconnects = 11,
}

/// Takes one event, which is the library's and lives until the handler returns (pmq_event_clone keeps it). The handler must
/// return: a C++ exception must not leave it, nor may longjmp.
pub type Handler = Option<unsafe extern "C" fn(event: *const Event, userdata: *mut c_void)>;

impl Client {
    fn start(options: &Options) -> Result<Self> {
        let client = &options.client;
        let mailbox = Mailbox::new(
            client.queue_max_messages,
            client.queue_max_bytes,
            options.completions,
        );
        let watch = Watch(Arc::clone(&mailbox));
        Ok(Self {
            handle: background::start_observed(client.clone(), options.inbox, watch)?,
            mailbox,
            manual_ack: options.manual_ack,
            dropped_told: AtomicU64::new(0),
            is_freed: AtomicBool::new(false),
        })
    }

    /// Nothing of a parent's client may be touched: a lock may be held by a thread that is not here.
    fn check_process(&self) -> Result<()> {
        if self.handle.is_forked() {
            Err(Error::forked())
        } else {
            Ok(())
        }
    }

    /// Does something that may have a token; a call that fails leaves none.
    fn with_token<T>(
        &self,
        wanted: bool,
        call: impl FnOnce() -> Result<T>,
        then: impl FnOnce(T, u64),
    ) -> Result<u64> {
        if !wanted {
            call()?;
            return Ok(0);
        }
        let token = self.mailbox.open_token()?;
        match call() {
            Ok(done) => {
                then(done, token);
                Ok(token)
            }
            Err(error) => {
                self.mailbox.withdraw(token);
                Err(error)
            }
        }
    }

    fn publish(&self, message: ClientMessage, wants_token: bool) -> Result<u64> {
        let mailbox = Arc::clone(&self.mailbox);
        self.with_token(
            wants_token,
            || Ok(self.handle.publish(message)?),
            |delivery, token| {
                delivery.on_outcome(move |outcome| mailbox.publish_ended(token, outcome));
            },
        )
    }

    fn request(
        &self,
        kind: EventType,
        filters: Vec<String>,
        wants_token: bool,
        call: impl FnOnce(
            &[String],
        )
            -> Result<Request<std::result::Result<Vec<ReasonCode>, SubscribeError>>>,
    ) -> Result<u64> {
        let mailbox = Arc::clone(&self.mailbox);
        let asked = call;
        let texts = filters.clone();
        self.with_token(
            wants_token,
            || asked(&texts),
            |request, token| {
                request.on_answer(move |answer| {
                    mailbox.request_answered(kind, token, &filters, answer);
                });
            },
        )
    }

    /// The next event, if one waits.
    fn try_event(&self) -> Option<Event> {
        let content = self.mailbox.take(|| self.received())?;
        self.mailbox.show_readiness(|| self.handle.received_len());
        Some(Event::new(content))
    }

    /// What the inbox has to tell next.
    fn received(&self) -> Option<Content> {
        let dropped = self.handle.dropped();
        let told = self.dropped_told.fetch_max(dropped, Ordering::Relaxed);
        if dropped > told {
            return Some(Content::Dropped(dropped - told));
        }
        self.handle.try_recv().map(Content::message)
    }

    /// Waits for the next event.
    fn next_event(&self, deadline: Option<Instant>) -> Result<Event> {
        loop {
            let seen = self.mailbox.arrivals();
            // Whoever waits is not to take an event and come again to what is no more.
            if self.is_freed.load(Ordering::Acquire) {
                return Err(Error::stopped());
            }
            if let Some(event) = self.try_event() {
                return Ok(event);
            }
            if self.mailbox.is_over() {
                return Err(Error::stopped());
            }
            if !self.mailbox.wait(seen, deadline) {
                return Err(Error::timeout("no event came"));
            }
        }
    }

    /// Gives up to `max` events that wait to `handle`, until the client is freed or this is a forked child.
    fn dispatch(&self, max: usize, mut handle: impl FnMut(&Event)) -> Result<usize> {
        let mut count = 0;
        while count < max && !self.is_freed.load(Ordering::Acquire) {
            self.check_process()?;
            let Some(event) = self.try_event() else {
                break;
            };
            handle(&event);
            count += 1;
        }
        Ok(count)
    }

    /// The program let go of it: what runs in other calls comes to its end.
    fn freed(&self) {
        self.is_freed.store(true, Ordering::Release);
        if !self.handle.is_forked() {
            self.mailbox.wake();
            let _ = self.handle.begin_close(FREED_DEADLINE);
        }
    }

    fn stop(&self, timeout: Duration) -> Result<()> {
        let closing = self.handle.begin_close(timeout);
        match closing.wait_blocking(timeout.saturating_add(SLACK)) {
            Some(result) => Ok(result?),
            None => Err(Error::timeout("the client has not ended in time")),
        }
    }

    fn state(&self) -> State {
        match self.handle.state() {
            ClientState::Connected => State::Connected,
            ClientState::Backoff { .. } => State::Waiting,
            ClientState::Closing => State::Stopping,
            ClientState::Closed(_) => State::Stopped,
            _ => State::Connecting,
        }
    }

    fn stat(&self, stat: i32) -> Result<u64> {
        let status = self.handle.status();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(match stat {
            0 => count(status.queued_messages),
            1 => count(status.queued_bytes),
            2 => count(status.in_flight),
            3 => status.sent,
            4 => status.acknowledged,
            5 => status.failed,
            6 => status.received,
            7 => count(self.handle.received_len()),
            8 => count(status.held),
            9 => status.dropped,
            10 => status.unanswered,
            11 => status.reconnects,
            other => return Err(Error::argument(format_args!("{other} is no pmq_stat"))),
        })
    }

    fn subscribe_options(&self, qos: u8, flags: u32) -> Result<SubscribeOptions> {
        const KNOWN: u32 =
            PMQ_NO_LOCAL | PMQ_RETAIN_AS_PUBLISHED | PMQ_RETAINED_IF_NEW | PMQ_RETAINED_NEVER;
        if flags & !KNOWN != 0 {
            return Err(Error::argument(format_args!("unknown flags {flags:#x}")));
        }
        let has = |flag| flags & flag != 0;
        let handling = match (has(PMQ_RETAINED_IF_NEW), has(PMQ_RETAINED_NEVER)) {
            (false, false) => RetainHandling::default(),
            (true, false) => RetainHandling::SendIfNew,
            (_, true) => RetainHandling::DontSend,
        };
        Ok(SubscribeOptions::new(message::qos(qos)?)
            .with_no_local(has(PMQ_NO_LOCAL))
            .with_retain_as_published(has(PMQ_RETAIN_AS_PUBLISHED))
            .with_retain_handling(handling)
            .with_ack(if self.manual_ack {
                AckMode::Manual
            } else {
                AckMode::OnReceive
            }))
    }
}

/// When a call that may take so long has to return; `None`: it may wait for ever.
fn deadline(timeout_ms: u32) -> Option<Instant> {
    if timeout_ms == PMQ_FOREVER {
        return None;
    }
    Instant::now().checked_add(Duration::from_millis(timeout_ms.into()))
}

/// Does something with a client of this process.
///
/// # Safety
/// As [`handle::get`] and [`guard::call`].
unsafe fn with(
    client: *const Client,
    error: *mut *mut Error,
    body: impl FnOnce(&Client) -> Result<()>,
) -> Status {
    // SAFETY: by this function's own contract.
    unsafe {
        guard::call(error, || {
            handle::get(client, "client")?.check_process()?;
            // What is done may free the handle, or wait while another thread does.
            Arc::increment_strong_count(client);
            body(&Arc::from_raw(client))
        })
    }
}

/// Makes a client, which begins to connect in the background, and goes on until it is stopped or freed. The options are copied.
/// Events tell how it goes. The first client of a process starts the library's one thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_new(
    options: *const Options,
    client: *mut *mut Client,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (options, out) = unsafe {
            (
                handle::get(options, "options")?,
                Out::new(client, "client")?,
            )
        };
        let client = Arc::new(Client::start(options)?);
        out.set(Arc::into_raw(client).cast_mut());
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Frees a client and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless; so is freeing it inside
/// of a handler, which is the last that dispatch calls then.
///
/// Does not wait: if it was not stopped before, the client ends in the background, flushing for up to two seconds, if the
/// process lasts so long. Its events and completions are lost, and its descriptor is closed. Calls of other threads that wait
/// right now return, those that wait for an event with PMQ_STATUS_STOPPED; later ones are not allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_free(client: *mut *mut Client) {
    guard::query((), || {
        // SAFETY: the caller's promise, see the crate's documentation; the handle came from Arc::into_raw.
        let client = unsafe { Arc::from_raw(handle::take(client)?.as_ptr()) };
        client.freed();
        Some(())
    });
}

/// Ends a client within `timeout_ms`, and waits for that: no more publishes are taken, those there are get their outcomes,
/// DISCONNECT is sent, and the connection is read to its end, so that nothing on its way is lost. Every token has its completion
/// then, and after all other events PMQ_EVENT_STOPPED waits to be taken. Of a client that has ended, this changes nothing.
///
/// PMQ_STATUS_UNFINISHED: it has ended, but some publishes were not acknowledged in time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_stop(
    client: *const Client,
    timeout_ms: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            client.stop(Duration::from_millis(timeout_ms.into()))
        })
    }
}

/// Tells what a client is doing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_state(
    client: *const Client,
    state: *mut State,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            Out::new(state, "state")?.set(client.state());
            Ok(())
        })
    }
}

/// Tells a number about a client: `stat` is a pmq_stat.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_stat(
    client: *const Client,
    stat: i32,
    value: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let out = Out::new(value, "value")?;
            out.set(client.stat(stat)?);
            Ok(())
        })
    }
}

/// Takes a message for sending, and never waits. It is copied, sent as soon as the connection and the server allow, in the order
/// of the calls, and survives reconnects. `token`, unless NULL, gets the token of its completion.
///
/// PMQ_STATUS_QUEUE_FULL: as many publishes have no outcome, or tokens no taken completion, as the options allow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_publish(
    client: *const Client,
    message: *const Message,
    token: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let message = handle::get(message, "message")?.to_client();
            let given = client.publish(message, !token.is_null())?;
            if !token.is_null() {
                token.write(given);
            }
            Ok(())
        })
    }
}

/// Subscribes to `count` filters, an array of C strings, in one request, all with the same QoS and `flags` (PMQ_NO_LOCAL and the
/// like, or 0). The subscription comes back by itself after a reconnect. `token`, unless NULL, gets the token of the answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_subscribe(
    client: *const Client,
    filters: *const *const c_char,
    count: usize,
    qos: u8,
    flags: u32,
    token: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let options = client.subscribe_options(qos, flags)?;
            let filters = owned(&bytes::texts(filters, count, "filters")?);
            let subscribe = |filters: &[String]| {
                let filters: Vec<_> = filters
                    .iter()
                    .map(|filter| (filter.clone(), options))
                    .collect();
                let (_, request) = client.handle.subscribe(&filters)?;
                Ok(request)
            };
            let kind = EventType::Subscribed;
            let given = client.request(kind, filters, !token.is_null(), subscribe)?;
            if !token.is_null() {
                token.write(given);
            }
            Ok(())
        })
    }
}

/// Ends every subscription of this client to exactly these filters. `token`, unless NULL, gets the token of the answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_unsubscribe(
    client: *const Client,
    filters: *const *const c_char,
    count: usize,
    token: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let filters = owned(&bytes::texts(filters, count, "filters")?);
            let kind = EventType::Unsubscribed;
            let given = client.request(kind, filters, !token.is_null(), |filters| {
                Ok(client.handle.unsubscribe(filters)?)
            })?;
            if !token.is_null() {
                token.write(given);
            }
            Ok(())
        })
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Waits for the completion of a token, at most `timeout_ms` (PMQ_FOREVER has no end), and takes it: `result`, unless NULL, gets
/// it as an event, to be freed.
///
/// PMQ_STATUS_OK says that there is a completion, and not what became of the message: pmq_event_status(result) does. Without a
/// `result` its error, if any, is this call's. PMQ_STATUS_TIMEOUT: there is none yet; wait again. PMQ_STATUS_TOKEN: it was taken
/// already, or the token is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_wait(
    client: *const Client,
    token: u64,
    timeout_ms: u32,
    result: *mut *mut Event,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let completion = client.mailbox.wait_for(token, deadline(timeout_ms))?;
            client
                .mailbox
                .show_readiness(|| client.handle.received_len());
            if result.is_null() {
                return completion.error.map_or(Ok(()), Err);
            }
            Out::new(result, "result")?.give(Event::new(Content::Completed(completion)));
            Ok(())
        })
    }
}

/// Gives a descriptor for poll(2) and its like: readable as long as an event waits. It must not be read, written or closed; it
/// is the client's, stays the same, and is closed when the client is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_fd(
    client: *const Client,
    fd: *mut c_int,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let out = Out::new(fd, "fd")?;
            let readiness = client
                .mailbox
                .readiness(|| client.handle.received_len())
                .map_err(|error| Error::io(&error))?;
            out.set(readiness.as_fd().as_raw_fd());
            Ok(())
        })
    }
}

/// Takes the next event, waiting at most `timeout_ms` for one (0 does not wait, PMQ_FOREVER has no end; a signal does not end
/// the wait). `event` gets it, to be freed.
///
/// PMQ_STATUS_TIMEOUT: none came. PMQ_STATUS_STOPPED: none will come, for PMQ_EVENT_STOPPED was taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_next_event(
    client: *const Client,
    timeout_ms: u32,
    event: *mut *mut Event,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let out = Out::new(event, "event")?;
            out.give(client.next_event(deadline(timeout_ms))?);
            Ok(())
        })
    }
}

/// Calls `handler` with `userdata` for each event that waits, at most `max` of them (0: until none waits), and never waits for
/// one. `count`, unless NULL, gets how many there were. No lock is held while the handler runs: it may make any call, on this
/// client and others, this one and pmq_client_free included. `userdata` is only passed on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_dispatch(
    client: *const Client,
    handler: Handler,
    userdata: *mut c_void,
    max: usize,
    count: *mut usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let handler = handler.ok_or_else(|| Error::null("handler"))?;
            let max = if max == 0 { usize::MAX } else { max };
            let handled = client.dispatch(max, |event| handler(ptr::from_ref(event), userdata))?;
            if !count.is_null() {
                count.write(handled);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use mqtt_client::Options as ClientOptions;
    use mqtt_client::background::Inbox;

    use super::*;
    use crate::options::Completions;

    #[test]
    fn who_waits_on_a_freed_client_gets_no_event_any_more() {
        let client = Client::start(&Options {
            // Nobody can listen there, and that is an event.
            client: ClientOptions::new("127.0.0.1", 0),
            inbox: Inbox::default(),
            manual_ack: false,
            completions: Completions::Event,
        });
        let client = Arc::new(client.unwrap());
        let waiting = Arc::clone(&client);
        let waiter = std::thread::spawn(move || {
            while waiting.next_event(None).is_ok() {}
            waiting.next_event(None).map_err(|error| error.status())
        });
        client.freed();
        assert_eq!(waiter.join().unwrap().err(), Some(Status::Stopped));
        // However much comes later.
        client.stop(Duration::from_secs(30)).unwrap();
        assert_eq!(
            client.next_event(None).unwrap_err().status(),
            Status::Stopped
        );
    }
}
