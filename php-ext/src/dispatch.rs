//! From the inbox to PHP: `run()`, `poll()`, `consume()` and its iterator.
//!
//! A handler is PHP code that may throw, exit, die of a fatal error, suspend a fiber or come back here. So while one runs
//! nothing of Rust is on the stack that would have to be dropped, nothing is borrowed, and the message with its owed
//! answer lives in a PHP object, which the engine frees whatever happens.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ext_php_rs::types::Zval;
use mqtt_client::Received;

use crate::client::Client;
use crate::connection::{Guarded, Running};
use crate::exception::{Failure, Thrown};
use crate::message::{self, Message};
use crate::method::{Answer, Call, methods};
use crate::shim::{self, Class, Native, Object};
use crate::wait::{self, Ended, OnSignal};
use crate::{events, nesting, value};

methods! {
    "zim_Mqtt_Client_consume" 0..=2 => consume;
    "zim_Mqtt_Client_run" 0..=2 => run;
    "zim_Mqtt_Client_poll" 0..=0 => poll;
    "zim_Mqtt_Client_stop" 0..=0 => stop;
    "zim_Mqtt_MessageIterator_fake" 1..=1 => fake;
    "zim_Mqtt_MessageIterator_current" 0..=0 => current;
    "zim_Mqtt_MessageIterator_key" 0..=0 => key;
    "zim_Mqtt_MessageIterator_next" 0..=0 => next;
    "zim_Mqtt_MessageIterator_rewind" 0..=0 => rewind;
    "zim_Mqtt_MessageIterator_valid" 0..=0 => valid;
}

/// The next message, waited for until `deadline` (`None`: for ever). No message: the time is over, stop() was called, a
/// signal came, or the client was closed meanwhile.
fn take(
    client: &Client,
    handle: &Guarded<Running>,
    deadline: Option<Instant>,
) -> Result<Option<Zval>, Thrown> {
    loop {
        if client.stopped.get() || client.connection.is_closed() {
            return Ok(None);
        }
        if let Some(received) = handle.try_recv() {
            return to_object(client, received).map(Some);
        }
        client.connection.check_alive(handle)?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let ended = wait::until(&client.connection, handle, left, OnSignal::Return, || {
            handle.received_len() > 0
                || client.stopped.get()
                || client.connection.is_closed()
                || client.connection.observe(handle).is_closed()
        })?;
        if ended != Ended::Ready {
            // A message that came at the last moment waits for the next call.
            return Ok(None);
        }
    }
}

fn to_object(client: &Client, received: Received) -> Answer {
    let routes = client.routes_of(&received);
    let mode = client.ack_mode(&routes);
    let ids = client.subscription_ids(&routes);
    let connection = Rc::clone(&client.connection);
    message::object(received, &ids, routes, mode, connection)
}

/// Calls every handler the message is for. Returns whether there was one.
fn call_handlers(this: Object<'_>, message: &Zval) -> Result<bool, Thrown> {
    let received = Object::of(message)
        .and_then(|object| object.native::<Message>())
        .ok_or(Thrown::Pending)?;
    let mut handled = false;
    let mut index = 0;
    while let Some(number) = received.routes.get(index).copied() {
        index += 1;
        // Each is looked up anew: a handler may have ended the subscription of the next.
        let Some(mut handler) = this.handler(number) else {
            continue;
        };
        handled = true;
        let mut arguments = [message.shallow_clone(), this.to_zval()];
        nesting::enter();
        let returned = shim::call(&mut handler, &mut arguments);
        nesting::leave();
        if !returned {
            received.failed();
            return Err(Thrown::Pending);
        }
    }
    if handled {
        received.handled();
    }
    Ok(handled)
}

/// Refuses to dispatch where handlers are nested too deep, before anything is taken from the inbox.
fn check_depth() -> Result<(), Thrown> {
    if nesting::has_room() {
        return Ok(());
    }
    // What PHP throws where its own limit of the stack is met.
    shim::error(
        c"Handlers are nested too deep: each of them receives messages inside another. Infinite recursion?",
    );
    Err(Thrown::Pending)
}

/// The started handle, and the time of a call that dispatches.
fn begin(
    client: &Client,
    timeout: Option<Duration>,
) -> Result<(&Guarded<Running>, Option<Instant>), Thrown> {
    check_depth()?;
    let handle = client.connection.handle()?;
    client.stopped.set(false);
    Ok((handle, timeout.map(|timeout| Instant::now() + timeout)))
}

fn run(call: &Call<'_>) -> Answer {
    let timeout = call.nullable_timeout(1)?;
    let limit = call.nullable_limit(2)?.unwrap_or(u64::MAX);
    let (this, client) = (call.this()?, call.native::<Client>()?);
    let (handle, deadline) = begin(client, timeout)?;
    let mut handled: u64 = 0;
    while handled < limit {
        let Some(message) = take(client, handle, deadline)? else {
            break;
        };
        dispatch(this, client, &message)?;
        handled += 1;
        // A flood of messages must not outlast the timeout.
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break;
        }
    }
    client.settle();
    Ok(value::count(handled))
}

fn poll(call: &Call<'_>) -> Answer {
    let (this, client) = (call.this()?, call.native::<Client>()?);
    let (handle, _) = begin(client, None)?;
    events::dispatch(&client.connection)?;
    let mut handled: u64 = 0;
    while !client.stopped.get() && !client.connection.is_closed() {
        let Some(received) = handle.try_recv() else {
            break;
        };
        let message = to_object(client, received)?;
        dispatch(this, client, &message)?;
        handled += 1;
    }
    client.settle();
    if handled == 0 && !client.connection.is_closed() {
        client.connection.check_alive(handle)?;
    }
    Ok(value::count(handled))
}

fn dispatch(this: Object<'_>, client: &Client, message: &Zval) -> Result<(), Thrown> {
    if !call_handlers(this, message)? {
        client.unhandled.set(client.unhandled.get() + 1);
    }
    Ok(())
}

fn stop(call: &Call<'_>) -> Answer {
    call.native::<Client>()?.stopped.set(true);
    Ok(value::null())
}

/// The Rust value of a `MessageIterator` object.
pub(crate) struct MessageIterator {
    timeout: Option<Duration>,
    limit: u64,
    /// Messages given so far.
    given: Cell<u64>,
    progress: RefCell<Progress>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Fresh,
    Running { deadline: Option<Instant> },
    Ended,
}

impl Native for MessageIterator {
    const CLASS: Class = Class::MessageIterator;
}

fn consume(call: &Call<'_>) -> Answer {
    let timeout = call.nullable_timeout(1)?;
    let limit = call.nullable_limit(2)?.unwrap_or(u64::MAX);
    call.native::<Client>()?.connection.handle()?;
    let made = shim::new_object(Class::MessageIterator);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    let progress = RefCell::new(Progress::Fresh);
    object.set_native(MessageIterator {
        timeout,
        limit,
        given: Cell::new(0),
        progress,
    });
    object.init("client", call.this()?.to_zval());
    Ok(made)
}

/// Moves to the next message that no handler took.
fn advance(this: Object<'_>) -> Result<(), Thrown> {
    let iterator: &MessageIterator = this.native().ok_or(Thrown::Pending)?;
    if !this.property("fakes").is_null() {
        advance_fake(this, iterator);
        return Ok(());
    }
    let client_object = Object::of(this.property("client")).ok_or(Thrown::Pending)?;
    let client: &Client = client_object.native().ok_or(Thrown::Pending)?;
    check_depth()?;
    settle_current(this);
    this.init("message", value::null());
    let progress = *iterator.progress.borrow();
    let deadline = match progress {
        Progress::Fresh => {
            let (_, deadline) = begin(client, iterator.timeout)?;
            *iterator.progress.borrow_mut() = Progress::Running { deadline };
            deadline
        }
        Progress::Running { deadline } => deadline,
        Progress::Ended => return Ok(()),
    };
    // Whatever ends this call early, an exception of a handler included, ends the iteration.
    *iterator.progress.borrow_mut() = Progress::Ended;
    while iterator.given.get() < iterator.limit && !client.connection.is_closed() {
        let handle = client.connection.handle()?;
        let Some(message) = take(client, handle, deadline)? else {
            break;
        };
        if !call_handlers(client_object, &message)? {
            iterator.given.set(iterator.given.get() + 1);
            this.init("message", message);
            *iterator.progress.borrow_mut() = Progress::Running { deadline };
            break;
        }
    }
    client.settle();
    Ok(())
}

/// An iterator over messages that no client received, for tests of applications.
fn fake(call: &Call<'_>) -> Answer {
    let messages = call.required(1)?;
    let messages = messages
        .array()
        .ok_or_else(|| call.wrong_type(1, c"of type array"))?;
    let is_message = |message: &Zval| Object::of_class(message, Class::Message).is_some();
    if !(messages.values()).all(|message| is_message(message.dereference())) {
        return Err(call.wrong_value(1, c"must hold messages"));
    }
    let list = messages
        .values()
        .map(|message| message.dereference().shallow_clone());
    let list = value::list(list);
    let made = shim::new_object(Class::MessageIterator);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    object.set_native(MessageIterator {
        timeout: None,
        limit: u64::MAX,
        given: Cell::new(0),
        progress: RefCell::new(Progress::Fresh),
    });
    object.init("fakes", list);
    Ok(made)
}

fn advance_fake(this: Object<'_>, iterator: &MessageIterator) {
    let given = iterator.given.get();
    let index = i64::try_from(given).unwrap_or(i64::MAX);
    let messages = this.property("fakes").array();
    let next = messages.and_then(|messages| messages.get_index(index));
    let progress = match next {
        Some(_) => Progress::Running { deadline: None },
        None => Progress::Ended,
    };
    iterator.given.set(given + u64::from(next.is_some()));
    iterator.progress.replace(progress);
    this.init("message", value::nullable(next, Zval::shallow_clone));
}

/// With AckMode::AfterHandler the body of the loop is the handler. Asking for the next message says that it is done, and so
/// does leaving the loop other than by an exception.
pub(crate) fn settle_current(this: Object<'_>) {
    if let Some(message) =
        Object::of(this.property("message")).and_then(|object| object.native::<Message>())
    {
        message.handled();
    }
}

fn begin_iteration(this: Object<'_>) -> Result<(), Thrown> {
    let iterator: &MessageIterator = this.native().ok_or(Thrown::Pending)?;
    let fresh = *iterator.progress.borrow() == Progress::Fresh;
    if fresh { advance(this) } else { Ok(()) }
}

fn rewind(call: &Call<'_>) -> Answer {
    let this = call.this()?;
    let iterator = call.native::<MessageIterator>()?;
    if iterator.given.get() > 1 || *iterator.progress.borrow() == Progress::Ended {
        return Err(Failure::closed("messages can be walked once; call consume() again").into());
    }
    begin_iteration(this)?;
    Ok(value::null())
}

fn valid(call: &Call<'_>) -> Answer {
    let this = call.this()?;
    call.native::<MessageIterator>()?;
    begin_iteration(this)?;
    Ok(value::bool(!this.property("message").is_null()))
}

fn current(call: &Call<'_>) -> Answer {
    let this = call.this()?;
    call.native::<MessageIterator>()?;
    begin_iteration(this)?;
    let message = this.property("message");
    if message.is_null() {
        return Err(Failure::closed("there is no message under the cursor").into());
    }
    Ok(message.shallow_clone())
}

fn key(call: &Call<'_>) -> Answer {
    let iterator = call.native::<MessageIterator>()?;
    Ok(value::count(iterator.given.get().saturating_sub(1)))
}

fn next(call: &Call<'_>) -> Answer {
    let this = call.this()?;
    call.native::<MessageIterator>()?;
    begin_iteration(this)?;
    advance(this)?;
    Ok(value::null())
}
