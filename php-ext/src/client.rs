//! `Mqtt\Client`: publishing, subscribing, and the life of the connection. Receiving is in [`crate::dispatch`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::rc::Rc;
use std::time::Duration;

use ext_php_rs::types::Zval;
use ext_php_rs::zend::BailoutGuard;
use mqtt_client::{
    PublishError, Received, Request, State, SubscribeAnswer, SubscribeError, SubscribeOptions,
    SubscriptionKey,
};
use mqtt_core::RetainHandling;

use crate::connection::{Connection, Guarded, Origin, Running};
use crate::delivery::{self, Progress};
use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::options::Settings;
use crate::properties::{self, MessageProperties};
use crate::shim::{self, Class, Native, Object};
use crate::subscription::{self, Source, Subscription};
use crate::wait::{self, Ended, OnSignal};
use crate::{batch, events, persistent, request, status, value};

methods! {
    "zim_Mqtt_Client___construct" 1..=1 => construct;
    "zim_Mqtt_Client_persistent" 0..=2 => persistent_client;
    "zim_Mqtt_Client_connect" 0..=1 => connect;
    "zim_Mqtt_Client_publish" 2..=5 => publish;
    "zim_Mqtt_Client_publishMany" 1..=2 => publish_many;
    "zim_Mqtt_Client_flush" 0..=1 => flush;
    "zim_Mqtt_Client_subscribe" 1..=9 => subscribe;
    "zim_Mqtt_Client_unsubscribe" 1..=2 => unsubscribe;
    "zim_Mqtt_Client_state" 0..=0 => state;
    "zim_Mqtt_Client_status" 0..=0 => client_status;
    "zim_Mqtt_Client_close" 0..=1 => close;
}

/// The answers to one SUBSCRIBE or UNSUBSCRIBE: a Reason Code per filter.
pub(crate) type Answers = Request<Result<SubscribeAnswer, SubscribeError>>;

/// Who acknowledges, as PHP sees it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum AckMode {
    OnReceive,
    AfterHandler,
    Manual,
}

/// One subscribe() of a client object. Its handler, if any, is in the object's property under the route's number.
struct Route {
    key: SubscriptionKey,
    filters: Vec<String>,
    ack: AckMode,
    /// The application's own number for it.
    subscription_id: Option<i64>,
}

/// The Rust value of a `Client` object.
pub(crate) struct Client {
    pub(crate) connection: Rc<Connection>,
    routes: RefCell<BTreeMap<u64, Route>>,
    last_number: Cell<u64>,
    /// Set by stop(): the run() or consume() that is under way ends.
    pub(crate) stopped: Cell<bool>,
    /// Messages that run() and poll() had no handler for.
    pub(crate) unhandled: Cell<u64>,
    /// The background's count of failed publishes at the last flush().
    failed_before: Cell<u64>,
}

impl Native for Client {
    const CLASS: Class = Class::Client;
}

impl Client {
    fn new(connection: Rc<Connection>) -> Self {
        // What failed in an earlier request is not this object's.
        let failed_before = connection
            .started()
            .map_or(0, |handle| handle.status().failed);
        Self {
            connection,
            routes: RefCell::new(BTreeMap::new()),
            last_number: Cell::new(0),
            stopped: Cell::new(false),
            unhandled: Cell::new(0),
            failed_before: Cell::new(failed_before),
        }
    }

    /// The subscriptions of this object that a message is for.
    pub(crate) fn routes_of(&self, received: &Received) -> Vec<u64> {
        let routes = self.routes.borrow();
        let matching = routes
            .iter()
            .filter(|(_, route)| received.subscriptions.contains(route.key));
        matching.map(|(number, _)| *number).collect()
    }

    /// What the application calls these subscriptions.
    pub(crate) fn subscription_ids(&self, numbers: &[u64]) -> Vec<i64> {
        let routes = self.routes.borrow();
        let found = numbers.iter().filter_map(|number| routes.get(number));
        found.filter_map(|route| route.subscription_id).collect()
    }

    /// What was there to do is done: the stream is readable again only if there is more.
    pub(crate) fn settle(&self) {
        if let Some(running) = self.connection.started() {
            running.watch.settle(|| running.received_len() > 0);
        }
    }

    /// A route that unsubscribe() has left nothing of.
    fn route_without_filters(&self) -> Option<u64> {
        let routes = self.routes.borrow();
        let found = routes.iter().find(|(_, route)| route.filters.is_empty());
        found.map(|(number, _)| *number)
    }

    /// Who acknowledges the message: where subscriptions overlap, the one that leaves most to the application.
    pub(crate) fn ack_mode(&self, numbers: &[u64]) -> AckMode {
        let routes = self.routes.borrow();
        let modes = numbers
            .iter()
            .filter_map(|number| routes.get(number))
            .map(|route| route.ack);
        modes.max().unwrap_or(AckMode::OnReceive)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.set_client_object(None);
        if let Some(running) = self.connection.started() {
            running.watch.release();
        }
    }
}

fn construct(call: &Call<'_>) -> Answer {
    let settings = Settings::from_argument(call, 1)?;
    settings.check_files()?;
    let connection = Connection::new(settings, Origin::Own);
    let this = call.this()?;
    if !this.set_native(Client::new(Rc::clone(&connection))) {
        return Err(Failure::closed("the client was constructed already").into());
    }
    connection.set_client_object(Some(this));
    Ok(value::null())
}

fn persistent_client(call: &Call<'_>) -> Answer {
    let id = call.nullable_string(2)?;
    let broker = call
        .argument(1)
        .filter(|broker| value::bytes_of(broker) != Some(b""));
    let settings = if broker.is_some() {
        Settings::from_argument(call, 1)?
    } else {
        let uri = shim::ini_string("mqtt.default_uri");
        let uri = uri
            .ok_or_else(|| Failure::option("no broker was given, and mqtt.default_uri is empty"))?;
        Settings::from_text(uri.as_bytes())?
    };
    let name = persistent::name(&settings, id)?;
    if let Some(known) = request::persistent_client(&name) {
        let usable = Object::of(&known)
            .and_then(|object| object.native::<Client>())
            .is_some_and(|client| {
                // Not one that a forked child inherited in use, nor one whose connection has ended for good.
                !client.connection.is_closed()
                    && !client.connection.is_forked()
                    && (client.connection.started())
                        .is_none_or(|handle| !handle.state().is_closed())
            });
        if usable {
            return Ok(known);
        }
        request::release_persistent_client(&name);
    }
    let made = shim::new_object(Class::Client);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    let connection = Connection::new(settings, Origin::Persistent(name.clone()));
    object.set_native(Client::new(Rc::clone(&connection)));
    connection.set_client_object(Some(object));
    request::keep_persistent_client(name, object);
    Ok(made)
}

fn connect(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let connection = &call.native::<Client>()?.connection;
    let handle = connection.handle()?;
    handle.connect();
    let settled = || {
        let state = connection.observe(handle);
        state.is_connected() || state.is_closed()
    };
    let ended = wait::until(connection, handle, Some(timeout), OnSignal::GoOn, settled)?;
    connection.check_alive(handle)?;
    match handle.connack() {
        Some(connack) if ended == Ended::Ready => status::connack_object(&connack),
        _ => Err(not_connected(connection, timeout).into()),
    }
}

fn not_connected(connection: &Connection, timeout: Duration) -> Failure {
    let (address, seconds) = (connection.settings().address(), timeout.as_secs_f64());
    match connection.last_error() {
        Some(cause) => Failure::connect(&cause),
        None => Failure::timeout(format!(
            "no connection to {address} within {seconds} s: it has not answered yet"
        )),
    }
}

fn publish(call: &Call<'_>) -> Answer {
    let (topic, payload) = (call.string(1)?, call.string(2)?);
    let qos = call
        .nullable_object(3, Class::Qos)?
        .map_or(subscription::DEFAULT_QOS, properties::qos);
    let retain = call.bool_or(4, false)?;
    let properties = call.nullable_object(5, Class::Properties)?;
    let properties = properties.map(MessageProperties::from_object).transpose()?;
    let client = call.native::<Client>()?;
    let message = properties::message(topic, payload, qos, retain, properties.as_ref())?;
    publish_on(&client.connection, message)
}

/// Queues a message and makes its `Delivery`.
pub(crate) fn publish_on(connection: &Rc<Connection>, message: mqtt_core::Message) -> Answer {
    let handle = connection.handle()?;
    let live = handle.publish(message);
    let live = live.map_err(|error| publish_failure(connection, handle, &error))?;
    delivery::object(
        Progress::Live(Guarded::new(live)),
        Some(Rc::clone(connection)),
    )
}

/// Why a publish was refused at the call. Where the client is closed, it says why, if there is a reason.
pub(crate) fn publish_failure(
    connection: &Connection,
    handle: &Guarded<Running>,
    error: &PublishError,
) -> Failure {
    match error {
        PublishError::Closed => connection.check_alive(handle).err(),
        _ => None,
    }
    .unwrap_or_else(|| Failure::publish(error))
}

fn publish_many(call: &Call<'_>) -> Answer {
    let messages = call.iterable(1)?;
    let qos = call
        .nullable_object(2, Class::Qos)?
        .map_or(subscription::DEFAULT_QOS, properties::qos);
    batch::publish_many(&call.native::<Client>()?.connection, messages, qos)
}

fn flush(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let client = call.native::<Client>()?;
    let handle = client.connection.handle()?;
    wait::until(
        &client.connection,
        handle,
        Some(timeout),
        OnSignal::GoOn,
        || handle.pending() == 0,
    )?;
    let now = handle.status();
    let failed = now
        .failed
        .saturating_sub(client.failed_before.replace(now.failed));
    let made = shim::new_object(Class::FlushResult);
    Object::of(&made)
        .ok_or(Thrown::Pending)?
        .init("pending", value::count(now.queued_messages))
        .init("failed", value::count(failed));
    Ok(made)
}

fn subscribe(call: &Call<'_>) -> Answer {
    let handler = call.nullable_callable(2)?;
    let ack = ack_mode_argument(call, 4)?;
    let mut options = SubscribeOptions::new(
        call.nullable_object(3, Class::Qos)?
            .map_or(subscription::DEFAULT_QOS, properties::qos),
    );
    options.no_local = call.bool_or(5, false)?;
    options.retain_as_published = call.bool_or(6, false)?;
    options.retain_handling = retain_handling_argument(call, 7)?;
    let subscription_id = subscription_id_argument(call, 8)?;
    let properties = call.nullable_object(9, Class::Properties)?;
    let properties = properties.map(MessageProperties::from_object).transpose()?;
    if ack != AckMode::OnReceive {
        options.ack = mqtt_client::AckMode::Manual;
    }
    let filters = subscription::read_filters(call, 1, options)?;
    let (this, client) = (call.this()?, call.native::<Client>()?);
    let (key, answers) = begin_subscribe(&client.connection, &filters, properties)?;
    let number = client.last_number.get() + 1;
    client.last_number.set(number);
    let filters: Vec<String> = filters.into_iter().map(|(filter, _)| filter).collect();
    client.routes.borrow_mut().insert(
        number,
        Route {
            key,
            filters: filters.clone(),
            ack,
            subscription_id,
        },
    );
    if let Some(handler) = handler {
        this.set_handler(number, handler);
    }
    let connection = Rc::clone(&client.connection);
    subscription::object(
        Subscription {
            filters,
            number,
            source: Source::Broker {
                answers: Guarded::new(answers),
                connection,
            },
        },
        this,
    )
}

/// Queues SUBSCRIBE. What it needs of the properties is kept by the client.
fn begin_subscribe(
    connection: &Connection,
    filters: &[(String, SubscribeOptions)],
    properties: Option<MessageProperties>,
) -> Result<(SubscriptionKey, Answers), Failure> {
    let handle = connection.handle()?;
    let list = properties.as_ref().map(MessageProperties::list);
    let list = list.transpose()?.unwrap_or_default();
    let answers = handle.subscribe(filters, &list);
    answers.map_err(|error| match error {
        // Of what makes a packet, only the properties are looked at by the call.
        SubscribeError::Encode(error) => Failure::option(format!("properties: {error}")),
        error => Failure::subscribe(&error),
    })
}

fn ack_mode_argument(call: &Call<'_>, number: u32) -> Result<AckMode, Thrown> {
    let case = call.nullable_object(number, Class::AckMode)?;
    Ok(
        match case.and_then(|case| value::bytes_of(case.enum_value())) {
            Some(b"manual") => AckMode::Manual,
            Some(b"after-handler") => AckMode::AfterHandler,
            _ => AckMode::OnReceive,
        },
    )
}

fn retain_handling_argument(call: &Call<'_>, number: u32) -> Result<RetainHandling, Thrown> {
    let case = call.nullable_object(number, Class::RetainHandling)?;
    Ok(match case.and_then(|case| case.enum_value().long()) {
        Some(1) => RetainHandling::SendIfNew,
        Some(2) => RetainHandling::DontSend,
        _ => RetainHandling::Send,
    })
}

fn subscription_id_argument(call: &Call<'_>, number: u32) -> Result<Option<i64>, Thrown> {
    let id = call.nullable_int(number)?;
    // The range of a Subscription Identifier (v5 3.8.2.1.2).
    if id.is_some_and(|id| !(1..=268_435_455).contains(&id)) {
        return Err(call.wrong_value(number, c"must be 1 to 268435455"));
    }
    Ok(id)
}

fn unsubscribe(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(2, 5.0)?;
    let filters = subscription::read_filters(call, 1, SubscribeOptions::default())?;
    let filters: Vec<String> = filters.into_iter().map(|(filter, _)| filter).collect();
    let (this, client) = (call.this()?, call.native::<Client>()?);
    let answers = begin_unsubscribe(&client.connection, &filters)?;
    for route in client.routes.borrow_mut().values_mut() {
        route.filters.retain(|filter| !filters.contains(filter));
    }
    // From here on PHP code may run: the destructor of what a handler held, signal handlers.
    drop(filters);
    while let Some(number) = client.route_without_filters() {
        forget_route(this, number);
    }
    finish_unsubscribe(&client.connection, &answers, timeout)?;
    Ok(value::null())
}

/// Queues UNSUBSCRIBE. The answers are under a guard, because waiting for them may run PHP code that never comes back.
pub(crate) fn begin_unsubscribe(
    connection: &Connection,
    filters: &[String],
) -> Result<BailoutGuard<Guarded<Answers>>, Failure> {
    let answers = connection.handle()?.unsubscribe(filters, &[]);
    let answers = answers.map_err(|error| Failure::subscribe(&error))?;
    Ok(BailoutGuard::new(Guarded::new(answers)))
}

/// Waits for the answer to UNSUBSCRIBE.
pub(crate) fn finish_unsubscribe(
    connection: &Connection,
    answers: &Guarded<Answers>,
    timeout: Duration,
) -> Result<(), Thrown> {
    match subscription::await_answers(connection, answers, timeout, "unsubscribe request")? {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::subscribe(&error).into()),
    }
}

/// Forgets a subscription and its handler.
pub(crate) fn forget_route(client_object: Object<'_>, number: u64) {
    if let Some(client) = client_object.native::<Client>() {
        client.routes.borrow_mut().remove(&number);
        client_object.delete_handler(number);
    }
}

/// At the end of a request: what a persistent client object subscribed to ends with it. The broker is told in the
/// background.
pub(crate) fn end_subscriptions(client_object: Object<'_>) {
    let Some(client) = client_object.native::<Client>() else {
        return;
    };
    let routes = std::mem::take(&mut *client.routes.borrow_mut());
    client_object.clear_handlers();
    events::forget(client_object);
    let Some(handle) = client.connection.started() else {
        return;
    };
    if routes.is_empty() {
        return;
    }
    for route in routes.values() {
        // A client that is closed meanwhile has no subscriptions.
        let _ = handle.leave(route.key);
    }
    // What is here already was for this request.
    while handle.try_recv().is_some() {}
}

fn state(call: &Call<'_>) -> Answer {
    Ok(state_case(&call.native::<Client>()?.connection))
}

/// The `State` case of a connection.
pub(crate) fn state_case(connection: &Connection) -> Zval {
    let name = match connection.started() {
        _ if connection.is_closed() || connection.is_forked() => c"Closed",
        None => c"Idle",
        Some(handle) => named_state(&connection.observe(handle)).unwrap_or(c"Closed"),
    };
    shim::enum_case(Class::State, name)
}

/// The case of `State` for a state; none for what is closed in a moment.
pub(crate) fn named_state(state: &State) -> Option<&'static CStr> {
    match state {
        State::Idle => Some(c"Idle"),
        State::Connecting => Some(c"Connecting"),
        State::Connected => Some(c"Connected"),
        State::Backoff { .. } => Some(c"Backoff"),
        State::Closed(_) => Some(c"Closed"),
        _ => None,
    }
}

fn client_status(call: &Call<'_>) -> Answer {
    let client = call.native::<Client>()?;
    status::status_object(&client.connection, client.unhandled.get())
}

fn close(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 2.0)?;
    let (this, client) = (call.this()?, call.native::<Client>()?);
    let connection = &client.connection;
    if connection.is_closed() {
        return Ok(value::bool(true));
    }
    // In a forked child there is nothing to close, and nobody knows what became of the messages.
    let forked = connection.is_forked();
    let started = connection.started();
    connection.set_closed();
    client.stopped.set(true);
    client.routes.borrow_mut().clear();
    this.clear_handlers();
    if let Origin::Persistent(name) = connection.origin() {
        request::release_persistent_client(name);
    }
    let Some(handle) = started else {
        events::forget(this);
        return Ok(value::bool(!forked));
    };
    // Signal handlers may run while it closes, and one may never come back.
    let closing = BailoutGuard::new(Guarded::new(handle.begin_close(timeout)));
    // The background keeps the deadline; a moment more, so that its answer is seen.
    let longest = timeout + Duration::from_millis(500);
    wait::until(connection, handle, Some(longest), OnSignal::GoOn, || {
        closing.result().is_some()
    })?;
    // The end itself is told of as well, and nothing after it.
    events::dispatch(connection)?;
    events::forget(this);
    handle.watch.release();
    Ok(value::bool(
        closing.result().is_some_and(|result| result.is_ok()),
    ))
}
