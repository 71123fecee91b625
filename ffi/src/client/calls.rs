//! The calls of C programs on a client.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mqtt_client::Property;

use super::{Client, Handler, State};
use crate::error::{Error, Result};
use crate::event::{Content, Event, EventType};
use crate::handle::{self, Out};
use crate::message::Message;
use crate::options::{Options, PMQ_FOREVER};
use crate::properties::Properties;
use crate::status::Status;
use crate::{bytes, guard};

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

/// Frees a client and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless; so is freeing it
/// inside of a handler, which is the last that dispatch calls then.
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
/// DISCONNECT is sent, and the connection is read to its end, so that nothing on its way is lost. Every token has its
/// completion then, and after all other events PMQ_EVENT_STOPPED waits to be taken. Of a client that has ended, this changes
/// nothing.
///
/// PMQ_STATUS_UNFINISHED: it has ended, but some publishes were not acknowledged in time. PMQ_STATUS_TIMEOUT: the library's
/// thread gets no time to run; PMQ_EVENT_STOPPED will tell when it has ended.
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

/// Takes a message for sending, and never waits. It is copied, sent as soon as the connection and the server allow, in the
/// order of the calls, and survives reconnects. `token`, unless NULL, gets the token of its completion.
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

/// Subscribes to `count` filters, an array of C strings, in one request, all with the same QoS and `flags` (PMQ_NO_LOCAL and
/// the like, or 0). The subscription comes back by itself after a reconnect. `token`, unless NULL, gets the token of the
/// answer.
///
/// `properties`, unless NULL, are copied: User Properties (38), which alone a program may put into SUBSCRIBE (MQTT 5.0,
/// 3.8.2.1). They are sent again whenever the client has to subscribe anew. Where several calls have the same filter, the
/// server knows one subscription, which was asked for with the properties of the last of them, or anew with those of the first.
///
/// PMQ_STATUS_PROPERTY: another property is among them. A connection of MQTT 3.x takes none: the error of the answer is
/// PMQ_STATUS_NOT_SUPPORTED then. It is PMQ_STATUS_TOO_LARGE where the server takes no packet so large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_subscribe(
    client: *const Client,
    filters: *const *const c_char,
    count: usize,
    qos: u8,
    flags: u32,
    properties: *const Properties,
    token: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let options = client.subscribe_options(qos, flags)?;
            let filters = owned(&bytes::texts(filters, count, "filters")?);
            let properties = listed(properties)?;
            let subscribe = || {
                let filters = filters.iter().map(|filter| (filter.clone(), options));
                let (_, request) = client
                    .handle
                    .subscribe(&filters.collect::<Vec<_>>(), &properties)?;
                Ok(request)
            };
            let kind = EventType::Subscribed;
            let given = client.request(kind, &filters, !token.is_null(), subscribe)?;
            if !token.is_null() {
                token.write(given);
            }
            Ok(())
        })
    }
}

/// Ends every subscription of this client to exactly these filters. `token`, unless NULL, gets the token of the answer.
///
/// `properties`, unless NULL, are copied: User Properties (38), as for pmq_client_subscribe (MQTT 5.0, 3.10.2.1). They are left
/// out where the connection speaks MQTT 3.x, and where the server takes no packet so large.
///
/// The error of the answer is PMQ_STATUS_TOO_LARGE if the server takes no packet with so many filters: the subscriptions are
/// over here then, but the server was not told. Unsubscribe from fewer at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_unsubscribe(
    client: *const Client,
    filters: *const *const c_char,
    count: usize,
    properties: *const Properties,
    token: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let filters = owned(&bytes::texts(filters, count, "filters")?);
            let properties = listed(properties)?;
            let unsubscribe = || Ok(client.handle.unsubscribe(&filters, &properties)?);
            let kind = EventType::Unsubscribed;
            let given = client.request(kind, &filters, !token.is_null(), unsubscribe)?;
            if !token.is_null() {
                token.write(given);
            }
            Ok(())
        })
    }
}

/// Publishes a request, and never waits: the message with a Response Topic and Correlation Data, which it must not have itself
/// (MQTT 5.0, 4.10). `token` gets the token of the response: PMQ_EVENT_RESPONSE, or what pmq_client_wait gives, has it as its
/// message, or the error that none came within `timeout_ms` (PMQ_FOREVER has no end), that nobody subscribes to the topic of
/// the request (PMQ_STATUS_REFUSED with Reason Code 0x10), or that the request was not delivered.
///
/// All requests of a client share one Response Topic (pmq_options_set_response_topic) and one subscription to it, which the
/// first of them makes; they are published when it stands. A response that comes too late is dropped. Who answers requests
/// takes the properties 8 and 9 off the message that asks, and publishes to that topic with that Correlation Data.
///
/// PMQ_STATUS_QUEUE_FULL: as for pmq_client_publish. PMQ_STATUS_NOT_SUPPORTED: the connection speaks MQTT 3.x.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_request(
    client: *const Client,
    message: *const Message,
    timeout_ms: u32,
    token: *mut u64,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let message = handle::get(message, "message")?.to_client();
            let out = Out::new(token, "token")?;
            let longest = Duration::from_millis(timeout_ms.into());
            out.set(client.ask(message, (timeout_ms != PMQ_FOREVER).then_some(longest))?);
            Ok(())
        })
    }
}

/// The properties of a list that may be null.
///
/// # Safety
/// As [`handle::get`]; they must not outlive the list.
unsafe fn listed<'a>(properties: *const Properties) -> Result<Vec<Property<'a>>> {
    if properties.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: by this function's own contract.
    let properties: &'a Properties = unsafe { handle::get(properties, "properties") }?;
    properties.to_client()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Waits for the completion of a token, at most `timeout_ms` (PMQ_FOREVER has no end), and takes it: `result`, unless NULL,
/// gets it as an event, to be freed.
///
/// PMQ_STATUS_OK says that there is a completion, and not what became of the message: pmq_event_status(result) does. Without a
/// `result` its error, if any, is this call's. PMQ_STATUS_TIMEOUT: there is none yet; wait again. PMQ_STATUS_TOKEN: it was
/// taken already, or the token is none.
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

/// Gives up a token: its completion will not come, neither as an event nor to a pmq_client_wait, one that waits right now
/// included, and its place is free. A publish that no connection has seen yet is taken back, and frees its place in the queue;
/// `taken_back`, unless NULL, tells whether that was so. Everything else goes on: a publish that was sent may be delivered, a
/// subscription made, and a request answered, though nobody hears that any more.
///
/// PMQ_STATUS_TOKEN: the completion was taken already, or the token is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_client_cancel(
    client: *const Client,
    token: u64,
    taken_back: *mut bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        with(client, error, |client| {
            let was_taken_back = client.cancel(token)?;
            if !taken_back.is_null() {
                taken_back.write(was_taken_back);
            }
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
