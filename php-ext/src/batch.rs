//! `Mqtt\Batch`: many publishes under one roof, and how `publishMany()` reads its messages.

use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::c_void;
use std::rc::Rc;

use ext_php_rs::types::Zval;
use ext_php_rs::zend::BailoutGuard;
use mqtt_client::PublishError;
use mqtt_core::{Message, QoS};

use crate::client;
use crate::connection::{Connection, Guarded};
use crate::delivery::{self, Delivery, Progress};
use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::properties;
use crate::shim::{self, Class, Native, Object};
use crate::value::{self, Key};
use crate::wait::{self, OnSignal};

methods! {
    "zim_Mqtt_Batch_fake" 1..=1 => fake;
    "zim_Mqtt_Batch_count" 0..=0 => count;
    "zim_Mqtt_Batch_getIterator" 0..=0 => iterator;
    "zim_Mqtt_Batch_wait" 0..=1 => wait_all;
}

/// The Rust value of a `Batch` object.
pub(crate) struct Batch {
    entries: Vec<(Key, Progress)>,
    /// A fake has none.
    connection: Option<Rc<Connection>>,
    /// All entries before this one are done: outcomes do not go away.
    first_pending: Cell<usize>,
}

impl Native for Batch {
    const CLASS: Class = Class::Batch;
}

impl Batch {
    fn is_done(&self) -> bool {
        let pending = self
            .entries
            .iter()
            .skip(self.first_pending.get())
            .position(|(_, progress)| !progress.is_done());
        let first = pending.map_or(self.entries.len(), |ahead| self.first_pending.get() + ahead);
        self.first_pending.set(first);
        first == self.entries.len()
    }

    fn result(&self) -> Answer {
        let (mut done, mut failed, mut pending, mut unmatched) = (vec![], vec![], vec![], vec![]);
        for (key, progress) in &self.entries {
            let list = match progress.verdict() {
                None => &mut pending,
                Some(verdict) if verdict.success => {
                    if progress.matched(self.connection.as_deref()) == Some(false) {
                        unmatched.push(key.to_zval());
                    }
                    &mut done
                }
                Some(_) => &mut failed,
            };
            list.push(key.to_zval());
        }
        let made = shim::new_object(Class::BatchResult);
        Object::of(&made)
            .ok_or(Thrown::Pending)?
            .init("done", value::list(done))
            .init("failed", value::list(failed))
            .init("pending", value::list(pending))
            .init("unmatched", value::list(unmatched));
        Ok(made)
    }
}

/// Publishes every message of an iterable: all are read and checked before the first is queued.
pub(crate) fn publish_many(connection: &Rc<Connection>, messages: &mut Zval, qos: QoS) -> Answer {
    let read = read_all(messages, qos)?;
    let handle = connection.handle()?;
    let mut entries = Vec::with_capacity(read.len());
    for (key, message) in read {
        let progress = match handle.publish(message) {
            Ok(live) => Progress::Live(Guarded::new(live)),
            Err(error @ (PublishError::Closed | PublishError::Forked)) => {
                return Err(client::publish_failure(connection, handle, &error).into());
            }
            // So that the others can still be waited for.
            Err(error) => Progress::Refused(error),
        };
        entries.push((key, progress));
    }
    object(entries, Some(Rc::clone(connection)))
}

/// A `Batch` object.
fn object(entries: Vec<(Key, Progress)>, connection: Option<Rc<Connection>>) -> Answer {
    let made = shim::new_object(Class::Batch);
    let batch = Batch {
        entries,
        connection,
        first_pending: Cell::new(0),
    };
    Object::of(&made).ok_or(Thrown::Pending)?.set_native(batch);
    Ok(made)
}

/// A `Batch` object that no client stands behind, for tests of applications.
fn fake(call: &Call<'_>) -> Answer {
    let table = call
        .required(1)?
        .array()
        .ok_or_else(|| call.wrong_type(1, c"of type array"))?;
    let mut entries = Vec::with_capacity(table.len());
    for (key, element) in table {
        let progress = Object::of(element.dereference())
            .and_then(|object| object.native::<Delivery>())
            .map(|delivery| delivery.progress.clone())
            .filter(|progress| matches!(progress, Progress::Fake { .. }));
        let progress = progress
            .ok_or_else(|| call.wrong_value(1, c"must hold deliveries made by Delivery::fake()"))?;
        entries.push((Key::from_array(&key), progress));
    }
    object(entries, None)
}

/// What is read so far; the iterable may be PHP code that ends the request, so it lives under a guard.
struct Reader {
    qos: QoS,
    messages: Vec<(Key, Message)>,
    /// That of the message being read: converting it may run PHP code.
    key: Option<Key>,
    /// As an array has them: a generator may give a key again, and one of the two deliveries could not be found.
    keys: HashSet<Key>,
    trouble: Option<Thrown>,
}

fn read_all(iterable: &mut Zval, qos: QoS) -> Result<Vec<(Key, Message)>, Thrown> {
    let mut reader = BailoutGuard::new(Reader {
        qos,
        messages: Vec::new(),
        key: None,
        keys: HashSet::new(),
        trouble: None,
    });
    let context: *mut Reader = reader.get_mut();
    // SAFETY: `read_one` expects a Reader, and this one outlives the walk.
    let walked = unsafe { shim::iterate(iterable, read_one, context.cast()) };
    let reader = reader.into_inner();
    match reader.trouble {
        Some(trouble) => Err(trouble),
        None if !walked => Err(Thrown::Pending),
        None => Ok(reader.messages),
    }
}

unsafe extern "C" fn read_one(context: *mut c_void, key: *mut Zval, value: *mut Zval) -> bool {
    // SAFETY: the shim passes on the Reader of `read_all`, which nobody else uses meanwhile, and live values.
    let (reader, key, value) = unsafe { (&mut *context.cast::<Reader>(), &*key, &mut *value) };
    let position = i64::try_from(reader.messages.len()).unwrap_or(i64::MAX);
    let key = Key::from_zval(key).unwrap_or(Key::Int(position));
    if !reader.keys.insert(key.clone().into_array_key()) {
        let text = match &key {
            Key::Int(number) => number.to_string(),
            Key::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        };
        let told = format!("the key {text} comes twice; each message needs a key of its own");
        reader.trouble = Some(Failure::option(told).into());
        return false;
    }
    reader.key = Some(key);
    match message_of(value, reader.qos) {
        Ok(message) => {
            let key = reader.key.take();
            reader.messages.extend(key.map(|key| (key, message)));
            true
        }
        Err(trouble) => {
            reader.trouble = Some(trouble);
            false
        }
    }
}

/// The message in one element: an `Outgoing`, or `[topic, payload]`.
fn message_of(value: &Zval, qos: QoS) -> Result<Message, Thrown> {
    if let Some(object) = Object::of_class(value, Class::Outgoing) {
        return Ok(properties::message(
            value::bytes_of(object.property("topic")).unwrap_or_default(),
            value::bytes_of(object.property("payload")).unwrap_or_default(),
            properties::qos_property(object).unwrap_or(qos),
            object.property("retain").bool().unwrap_or(false),
            properties::properties_property(object)?.as_ref(),
        )?);
    }
    let pair = value.array().filter(|pair| pair.len() == 2);
    // References of our own, since converting the payload may run PHP code that changes the array and its elements.
    let element = |index| {
        pair.and_then(|pair| pair.get_index(index))
            .map(|element| element.dereference().shallow_clone())
    };
    let (Some(topic), Some(mut payload)) = (element(0), element(1)) else {
        return Err(malformed());
    };
    let topic = value::bytes_of(&topic).ok_or_else(malformed)?;
    if let Some(payload) = value::bytes_of(&payload) {
        return Ok(properties::message(topic, payload, qos, false, None)?);
    }
    if !payload.is_scalar() && !payload.is_object() {
        return Err(malformed());
    }
    let converted = shim::to_string(&mut payload).ok_or_else(malformed)?;
    let payload = value::bytes_of(&converted).unwrap_or_default();
    Ok(properties::message(topic, payload, qos, false, None)?)
}

fn malformed() -> Thrown {
    shim::type_error(c"Mqtt\\Client::publishMany(): each message must be of type Mqtt\\Outgoing or array{string, string}");
    Thrown::Pending
}

fn count(call: &Call<'_>) -> Answer {
    Ok(value::count(call.native::<Batch>()?.entries.len()))
}

fn iterator(call: &Call<'_>) -> Answer {
    let batch = call.native::<Batch>()?;
    let mut deliveries = Vec::with_capacity(batch.entries.len());
    for (key, progress) in &batch.entries {
        deliveries.push((
            key,
            delivery::object(progress.clone(), batch.connection.clone())?,
        ));
    }
    Ok(shim::array_iterator(value::map(deliveries)))
}

fn wait_all(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let batch = call.native::<Batch>()?;
    // A fake that is not done never will be.
    if let Some(connection) = &batch.connection
        && !batch.is_done()
    {
        let handle = connection.started().ok_or_else(Failure::forked)?;
        let done = || batch.is_done();
        wait::until(connection, handle, Some(timeout), OnSignal::GoOn, done)?;
    }
    batch.result()
}
