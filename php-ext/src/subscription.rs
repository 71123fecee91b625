//! `Mqtt\Subscription`, and how `subscribe()` and `unsubscribe()` read their filters.

use std::rc::Rc;
use std::time::Duration;

use ext_php_rs::types::Zval;
use mqtt_client::{SubscribeAnswer, SubscribeError, SubscribeOptions};
use mqtt_core::{QoS, ReasonCode, TopicFilter};

use crate::client::{self, Answers};
use crate::connection::{Connection, Guarded};
use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::names::NAMES;
use crate::properties;
use crate::shim::{self, Class, Native, Object};
use crate::value::{self, Key};
use crate::wait::{self, Ended, OnSignal};

methods! {
    "zim_Mqtt_Subscription_fake" 0..=1 => fake;
    "zim_Mqtt_Subscription_filters" 0..=0 => filters;
    "zim_Mqtt_Subscription_reasonCodes" 0..=0 => reason_codes;
    "zim_Mqtt_Subscription_wait" 0..=1 => wait;
    "zim_Mqtt_Subscription_unsubscribe" 0..=1 => unsubscribe;
}

/// The Rust value of a `Subscription` object.
pub(crate) struct Subscription {
    pub(crate) filters: Vec<String>,
    /// Its number in the client object.
    pub(crate) number: u64,
    pub(crate) source: Source,
}

/// Who answers.
pub(crate) enum Source {
    Broker {
        answers: Guarded<Answers>,
        connection: Rc<Connection>,
    },
    /// Nobody: the test of an application has the answers.
    Fake(SubscribeAnswer),
}

impl Native for Subscription {
    const CLASS: Class = Class::Subscription;
}

/// The filters of a call, each with its own options.
pub(crate) fn read_filters(
    call: &Call<'_>,
    number: u32,
    options: SubscribeOptions,
) -> Result<Vec<(String, SubscribeOptions)>, Thrown> {
    let argument = call.required(number)?;
    if let Some(filter) = value::bytes_of(argument) {
        return Ok(vec![(checked(filter)?, options)]);
    }
    let table = argument
        .array()
        .ok_or_else(|| call.wrong_type(number, c"of type array|string"))?;
    let mut filters = Vec::with_capacity(table.len());
    for (key, element) in table {
        let element = element.dereference();
        let qos = Object::of(element)
            .filter(|object| object.is(Class::Qos))
            .map(properties::qos);
        let filter = match (key, qos) {
            // PHP turns a key such as "7" into a number.
            (ext_php_rs::types::ArrayKey::Long(level), Some(_)) => level.to_string(),
            (key, Some(_)) => checked(&key_bytes(&key))?,
            (_, None) => match value::bytes_of(element) {
                Some(filter) => checked(filter)?,
                None => return Err(wrong_element()),
            },
        };
        let mut options = options;
        options.qos = qos.unwrap_or(options.qos);
        filters.push((filter, options));
    }
    if filters.is_empty() {
        return Err(call.wrong_value(number, c"must not be empty"));
    }
    Ok(filters)
}

fn key_bytes(key: &ext_php_rs::types::ArrayKey<'_>) -> Vec<u8> {
    match key {
        ext_php_rs::types::ArrayKey::Long(number) => number.to_string().into_bytes(),
        ext_php_rs::types::ArrayKey::String(text) => text.clone().into_bytes(),
        ext_php_rs::types::ArrayKey::Str(text) => text.as_bytes().to_vec(),
        ext_php_rs::types::ArrayKey::ZendString(text) => text.as_bytes().to_vec(),
    }
}

fn wrong_element() -> Thrown {
    shim::type_error(
        c"$filters must be a string, a list of strings, or a map from string to Mqtt\\Qos",
    );
    Thrown::Pending
}

fn checked(filter: &[u8]) -> Result<String, Failure> {
    let filter =
        std::str::from_utf8(filter).map_err(|_| Failure::topic("the topic filter is not UTF-8"))?;
    let refused = |error| Failure::topic(format!("topic filter {filter:?}: {error}"));
    TopicFilter::new(filter)
        .and_then(|filter| filter.shared())
        .map_err(refused)?;
    Ok(filter.to_owned())
}

/// A `Subscription` object that keeps its client.
pub(crate) fn object(subscription: Subscription, client: Object<'_>) -> Answer {
    let made = shim::new_object(Class::Subscription);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    object.set_native(subscription);
    object.init("client", client.to_zval());
    Ok(made)
}

/// A `Subscription` object that no client stands behind, for tests of applications.
fn fake(call: &Call<'_>) -> Answer {
    let mut filters = Vec::new();
    let mut answer = SubscribeAnswer::default();
    if let Some(argument) = call.argument(1) {
        let table = argument
            .array()
            .ok_or_else(|| call.wrong_type(1, c"of type array"))?;
        for (key, code) in table {
            let code = code.dereference().long();
            let code = code.and_then(|code| u8::try_from(code).ok());
            let code =
                code.ok_or_else(|| call.wrong_value(1, c"must hold reason codes, 0 to 255"))?;
            answer.reasons.push(ReasonCode::new(code));
            filters.push(key.to_string());
        }
    }
    let made = shim::new_object(Class::Subscription);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    object.set_native(Subscription {
        filters,
        number: 0,
        source: Source::Fake(answer),
    });
    Ok(made)
}

fn filters(call: &Call<'_>) -> Answer {
    let subscription = call.native::<Subscription>()?;
    Ok(value::list(
        subscription
            .filters
            .iter()
            .map(|filter| value::text(filter)),
    ))
}

fn reason_codes(call: &Call<'_>) -> Answer {
    let subscription = call.native::<Subscription>()?;
    let answer = match &subscription.source {
        Source::Broker { answers, .. } => answers.result().and_then(Result::ok),
        Source::Fake(answer) => Some(answer.clone()),
    };
    Ok(value::nullable(answer, |answer| {
        codes_by_filter(subscription, &answer.reasons)
    }))
}

fn codes_by_filter(subscription: &Subscription, codes: &[ReasonCode]) -> Zval {
    let entries = subscription.filters.iter().zip(codes);
    value::map(entries.map(|(filter, code)| {
        (
            Key::Text(filter.as_bytes().into()),
            value::int(i64::from(code.get())),
        )
    }))
}

fn wait(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let subscription = call.native::<Subscription>()?;
    let answered = match &subscription.source {
        Source::Broker {
            answers,
            connection,
        } => await_answers(connection, answers, timeout, "subscription")?,
        Source::Fake(answer) => Ok(answer.clone()),
    };
    let filters = subscription.filters.iter().map(String::as_str);
    let refusal = answered.map_or_else(Some, |answer| answer.refusal(filters));
    match refusal {
        None => Ok(call.this()?.to_zval()),
        Some(error) => Err(Failure::subscribe(&error).into()),
    }
}

/// Waits for the answer to SUBSCRIBE or UNSUBSCRIBE.
pub(crate) fn await_answers(
    connection: &Connection,
    answers: &Guarded<Answers>,
    timeout: Duration,
    what: &str,
) -> Result<Result<SubscribeAnswer, SubscribeError>, Thrown> {
    if let Some(result) = answers.result() {
        return Ok(result);
    }
    let handle = connection.started().ok_or_else(Failure::forked)?;
    let given_up = || answers.result().is_some() || connection.observe(handle).is_closed();
    let ended = wait::until(connection, handle, Some(timeout), OnSignal::GoOn, given_up)?;
    if let Some(result) = answers.result() {
        return Ok(result);
    }
    if ended == Ended::Ready {
        connection.check_alive(handle)?;
    }
    let (address, seconds) = (connection.settings().address(), timeout.as_secs_f64());
    let trouble = connection
        .last_error()
        .filter(|_| !handle.state().is_connected());
    let cause = trouble
        .map(|error| format!(": {}", NAMES.connect_error(&error)))
        .unwrap_or_default();
    Err(Failure::timeout(format!(
        "no answer to the {what} from {address} within {seconds} s{cause}"
    ))
    .into())
}

fn unsubscribe(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let subscription = call.native::<Subscription>()?;
    let Source::Broker { connection, .. } = &subscription.source else {
        return Ok(value::null());
    };
    let client = Object::of(call.this()?.property("client")).ok_or(Thrown::Pending)?;
    let answers = client::begin_unsubscribe(connection, &subscription.filters)?;
    client::forget_route(client, subscription.number);
    client::finish_unsubscribe(connection, &answers, timeout)?;
    Ok(value::null())
}

/// The QoS of `subscribe()` where nothing says otherwise.
pub(crate) const DEFAULT_QOS: QoS = QoS::AtLeastOnce;
