//! `Mqtt\Message`: a received message, and the answer it may owe.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use ext_php_rs::types::Zval;
use mqtt_client::{Ack, Received};
use mqtt_core::{PayloadFormat, Properties, QoS, ReasonCode, Utf8};

use crate::client::{self, AckMode};
use crate::connection::{Connection, Guarded};
use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::properties::{self, MessageProperties};
use crate::shim::{self, Class, Native, Object};
use crate::value;

methods! {
    "zim_Mqtt_Message_ack" 0..=0 => ack;
    "zim_Mqtt_Message_reject" 0..=2 => reject;
    "zim_Mqtt_Message_reply" 1..=2 => reply;
    "zim_Mqtt_Message___toString" 0..=0 => to_string;
}

/// The Rust value of a `Message` object. One made in PHP has none.
pub(crate) struct Message {
    /// Dropping it unanswered is a rejection.
    ack: RefCell<Option<Guarded<Ack>>>,
    connection: Rc<Connection>,
    /// The subscriptions it is for, by number: kept here and not on the stack, which a fatal error in a handler skips.
    pub(crate) routes: Vec<u64>,
    pub(crate) mode: AckMode,
}

impl Native for Message {
    const CLASS: Class = Class::Message;
}

impl Message {
    /// Answers, unless that was done before. No PHP code runs.
    fn settle(&self, answer: impl FnOnce(&Ack)) {
        if let Some(ack) = self.ack.take()
            && ack.is_ours()
        {
            answer(&ack);
        }
    }

    /// What handled the message is done with it.
    pub(crate) fn handled(&self) {
        if self.mode == AckMode::AfterHandler {
            self.acknowledge();
        }
    }

    /// What handled the message failed.
    pub(crate) fn failed(&self) {
        if self.mode == AckMode::AfterHandler {
            self.refuse();
        }
    }

    fn acknowledge(&self) {
        self.settle(|ack| {
            ack.acknowledge();
        });
    }

    fn refuse(&self) {
        self.settle(|ack| {
            ack.reject(ReasonCode::UNSPECIFIED_ERROR);
        });
    }
}

/// A `Message` object. Everything of the received message goes into it.
pub(crate) fn object(
    received: Received,
    subscription_ids: &[i64],
    routes: Vec<u64>,
    mode: AckMode,
    connection: Rc<Connection>,
) -> Answer {
    let native = Message {
        ack: RefCell::new(Some(Guarded::new(received.ack))),
        connection,
        routes,
        mode,
    };
    let (message, dup, received_at) = (received.message, received.dup, received.received_at);
    filled(native, &message, dup, received_at, subscription_ids)
}

/// The `Message` object of a response to a request, which owes nothing.
pub(crate) fn response(message: &mqtt_core::Message, connection: Rc<Connection>) -> Answer {
    let native = Message {
        ack: RefCell::new(None),
        connection,
        routes: Vec::new(),
        mode: AckMode::OnReceive,
    };
    filled(native, message, false, SystemTime::now(), &[])
}

fn filled(
    native: Message,
    message: &mqtt_core::Message,
    dup: bool,
    received_at: SystemTime,
    subscription_ids: &[i64],
) -> Answer {
    let since_1970 = received_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let made = shim::new_object(Class::Message);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    object.set_native(native);
    let ids = subscription_ids.iter().copied().map(value::int);
    object
        .init("topic", value::text(message.topic().as_str()))
        .init("payload", value::bytes(message.payload()))
        .init("qos", properties::qos_case(message.qos()))
        .init("retain", value::bool(message.retain()))
        .init("dup", value::bool(dup))
        .init("properties", properties_object(message.properties())?)
        .init("receivedAt", value::float(since_1970.as_secs_f64()))
        .init("subscriptionIds", value::list(ids));
    Ok(made)
}

/// A `Properties` object, or null if the message has none of those that PHP shows.
fn properties_object(received: Properties<'_>) -> Answer {
    let mut user = received.user_properties().peekable();
    let utf8 = received.payload_format() == Some(PayloadFormat::Utf8);
    let expiry = received.message_expiry_interval();
    let content_type = received.content_type();
    let response_topic = received.response_topic();
    let correlation_data = received.correlation_data();
    if !utf8
        && expiry.is_none()
        && content_type.is_none()
        && response_topic.is_none()
        && correlation_data.is_none()
        && user.peek().is_none()
    {
        return Ok(value::null());
    }
    let made = shim::new_object(Class::Properties);
    let pairs = user
        .map(|(name, text)| value::list([value::text(name.as_str()), value::text(text.as_str())]));
    Object::of(&made)
        .ok_or(Thrown::Pending)?
        .init(
            "messageExpiry",
            value::nullable(expiry, |seconds| value::int(i64::from(seconds))),
        )
        .init(
            "contentType",
            value::nullable(content_type, |text| value::text(text.as_str())),
        )
        .init("payloadFormatUtf8", value::bool(utf8))
        .init(
            "responseTopic",
            value::nullable(response_topic, |topic| value::text(topic.as_str())),
        )
        .init(
            "correlationData",
            value::nullable(correlation_data, value::bytes),
        )
        .init("user", value::list(pairs));
    Ok(made)
}

/// The Rust value of `$this`, unless PHP made the message.
fn received<'a>(call: &Call<'a>) -> Result<Option<&'a Message>, Thrown> {
    Ok(call.this()?.native::<Message>())
}

fn ack(call: &Call<'_>) -> Answer {
    if let Some(message) = received(call)? {
        message.acknowledge();
    }
    Ok(value::null())
}

fn reject(call: &Call<'_>) -> Answer {
    let code = call.int_or(1, 0x80)?;
    let code = u8::try_from(code).ok().filter(|code| *code >= 0x80);
    let code =
        code.ok_or_else(|| Failure::option("the reason code of a refusal must be 128 to 255"))?;
    let reason = Utf8::from_bytes(call.string_or(2, b"")?)
        .map_err(|error| Failure::option(format!("the reason of a refusal: {error}")))?;
    if let Some(message) = received(call)? {
        message.settle(|ack| {
            ack.reject_with_reason_string(ReasonCode::new(code), reason);
        });
    }
    Ok(value::null())
}

fn reply(call: &Call<'_>) -> Answer {
    let payload = call.string(1)?;
    let qos = call
        .nullable_object(2, Class::Qos)?
        .map_or(QoS::AtLeastOnce, properties::qos);
    let asked = Object::of_class(call.this()?.property("properties"), Class::Properties);
    let topic = asked.and_then(|asked| value::bytes_of(asked.property("responseTopic")));
    let topic = topic.ok_or_else(|| Failure::topic("the message names no response topic"))?;
    let Some(message) = received(call)? else {
        return Err(
            Failure::closed("a message that was not received has nobody to reply to").into(),
        );
    };
    let correlation_data =
        asked.and_then(|asked| value::bytes_of(asked.property("correlationData")));
    let properties = correlation_data.map(MessageProperties::answer);
    let answer = properties::message(topic, payload, qos, false, properties.as_ref())?;
    client::publish_on(&message.connection, answer)
}

fn to_string(call: &Call<'_>) -> Answer {
    let payload: &Zval = call.this()?.property("payload");
    Ok(payload.shallow_clone())
}
