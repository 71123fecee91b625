//! `Client::request()`: a request and the wait for its response.

use std::rc::Rc;
use std::time::Duration;

use ext_php_rs::zend::BailoutGuard;
use mqtt_client::{PublishError, RequestError};

use crate::client::Client;
use crate::connection::{Connection, Guarded, Running};
use crate::exception::Failure;
use crate::message;
use crate::method::{Answer, Call, methods};
use crate::names::NAMES;
use crate::properties::{self, MessageProperties};
use crate::shim::Class;
use crate::subscription::DEFAULT_QOS;
use crate::wait::{self, OnSignal};

methods! {
    "zim_Mqtt_Client_request" 2..=5 => request;
}

fn request(call: &Call<'_>) -> Answer {
    let (topic, payload) = (call.string(1)?, call.string(2)?);
    let timeout = call.timeout_or(3, 5.0)?;
    let qos = call
        .nullable_object(4, Class::Qos)?
        .map_or(DEFAULT_QOS, properties::qos);
    let properties = call.nullable_object(5, Class::Properties)?;
    let properties = properties.map(MessageProperties::from_object).transpose()?;
    let connection = &call.native::<Client>()?.connection;
    let message = properties::message(topic, payload, qos, false, properties.as_ref())?;
    drop(properties);
    let handle = connection.handle()?;
    let reply = handle
        .request(message)
        .map_err(|error| failure(connection, handle, &error))?;
    // Signal handlers may run while it waits, and one may never come back.
    let reply = BailoutGuard::new(Guarded::new(reply));
    let settled = || reply.result().is_some() || connection.observe(handle).is_closed();
    wait::until(connection, handle, Some(timeout), OnSignal::GoOn, settled)?;
    match reply.result() {
        Some(Ok(response)) => message::response(&response, Rc::clone(connection)),
        Some(Err(error)) => Err(failure(connection, handle, &error).into()),
        None => {
            connection.check_alive(handle)?;
            Err(no_response(connection, topic, timeout).into())
        }
    }
}

/// Why a request has no response. Where the client is closed, it says why, if there is a reason.
fn failure(connection: &Connection, handle: &Guarded<Running>, error: &RequestError) -> Failure {
    match error {
        RequestError::Closed | RequestError::Publish(PublishError::Closed) => {
            connection.check_alive(handle).err()
        }
        _ => None,
    }
    .unwrap_or_else(|| Failure::request(error))
}

/// Names the topic and, if the connection is the trouble, the cause.
fn no_response(connection: &Connection, topic: &[u8], timeout: Duration) -> Failure {
    let (topic, seconds) = (String::from_utf8_lossy(topic), timeout.as_secs_f64());
    let connected = connection
        .started()
        .is_some_and(|handle| connection.observe(handle).is_connected());
    let cause = connection.last_error().filter(|_| !connected);
    let cause = cause.map(|error| format!(": {}", NAMES.connect_error(&error)));
    let cause = cause.unwrap_or_default();
    Failure::timeout(format!(
        "no response to the request to {topic:?} within {seconds} s{cause}"
    ))
}
