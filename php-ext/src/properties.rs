//! `Mqtt\Properties`, `Mqtt\Will` and `Mqtt\Outgoing`, read once into Rust values.

use ext_php_rs::types::Zval;
use mqtt_core::{Message, PayloadFormat, Property, QoS, TopicName, Utf8};

use crate::exception::{Failure, Thrown};
use crate::shim::{Class, Object};
use crate::value;

/// The user's properties of a message, or of a SUBSCRIBE.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MessageProperties {
    message_expiry: Option<u32>,
    content_type: Option<String>,
    payload_format_utf8: bool,
    response_topic: Option<String>,
    correlation_data: Option<Vec<u8>>,
    user: Vec<(String, String)>,
}

impl MessageProperties {
    /// Reads and checks a `Properties` object.
    pub(crate) fn from_object(object: Object<'_>) -> Result<Self, Failure> {
        let response_topic = nullable_text(object, "responseTopic")?;
        if let Some(topic) = &response_topic {
            TopicName::new(topic)
                .map_err(|error| Failure::option(format!("responseTopic: {error}")))?;
        }
        let correlation_data =
            value::bytes_of(object.property("correlationData")).map(<[u8]>::to_vec);
        if correlation_data
            .as_ref()
            .is_some_and(|data| data.len() > usize::from(u16::MAX))
        {
            return Err(Failure::option(
                "correlationData must be at most 65535 bytes",
            ));
        }
        Ok(Self {
            message_expiry: nullable_in_range(object, "messageExpiry", 0, i64::from(u32::MAX))?
                .and_then(|seconds| u32::try_from(seconds).ok()),
            content_type: nullable_text(object, "contentType")?,
            payload_format_utf8: object.property("payloadFormatUtf8").bool().unwrap_or(false),
            response_topic,
            correlation_data,
            user: pairs(object, "user")?,
        })
    }

    /// Those of the answer to a message that carries `correlation_data`.
    pub(crate) fn answer(correlation_data: &[u8]) -> Self {
        Self {
            correlation_data: Some(correlation_data.to_vec()),
            ..Self::default()
        }
    }

    /// The list as the protocol has it. Whatever takes it checks whether it may have these.
    pub(crate) fn list(&self) -> Result<Vec<Property<'_>>, Failure> {
        let text =
            |text| Utf8::new(text).map_err(|error| Failure::option(format!("properties: {error}")));
        let mut list = Vec::with_capacity(5 + self.user.len());
        if self.payload_format_utf8 {
            list.push(Property::PayloadFormatIndicator(PayloadFormat::Utf8));
        }
        list.extend(self.message_expiry.map(Property::MessageExpiryInterval));
        if let Some(content_type) = &self.content_type {
            list.push(Property::ContentType(text(content_type)?));
        }
        if let Some(topic) = &self.response_topic {
            let topic = TopicName::new(topic)
                .map_err(|error| Failure::option(format!("responseTopic: {error}")))?;
            list.push(Property::ResponseTopic(topic));
        }
        list.extend(
            self.correlation_data
                .as_deref()
                .map(Property::CorrelationData),
        );
        for (name, value) in &self.user {
            list.push(Property::UserProperty(text(name)?, text(value)?));
        }
        Ok(list)
    }

    /// Puts them on a message.
    fn put_on(&self, message: Message) -> Result<Message, Failure> {
        let list = self.list()?;
        if list.is_empty() {
            return Ok(message);
        }
        message
            .with_properties(&list)
            .map_err(|error| Failure::option(format!("properties: {error}")))
    }
}

/// A message to send, checked.
pub(crate) fn message(
    topic: &[u8],
    payload: &[u8],
    qos: QoS,
    retain: bool,
    properties: Option<&MessageProperties>,
) -> Result<Message, Failure> {
    let topic = std::str::from_utf8(topic).map_err(|_| Failure::topic("the topic is not UTF-8"))?;
    let name = TopicName::new(topic)
        .map_err(|error| Failure::topic(format!("topic {topic:?}: {error}")))?;
    let message = Message::new(name, payload.to_vec())
        .with_qos(qos)
        .with_retain(retain);
    properties.map_or(Ok(message.clone()), |properties| properties.put_on(message))
}

/// The QoS of a `Qos` case.
pub(crate) fn qos(case: Object<'_>) -> QoS {
    match case.enum_value().long() {
        Some(0) => QoS::AtMostOnce,
        Some(2) => QoS::ExactlyOnce,
        _ => QoS::AtLeastOnce,
    }
}

/// The `Qos` case of a QoS.
pub(crate) fn qos_case(qos: QoS) -> Zval {
    crate::shim::enum_case(
        Class::Qos,
        match qos {
            QoS::AtMostOnce => c"AtMostOnce",
            QoS::AtLeastOnce => c"AtLeastOnce",
            QoS::ExactlyOnce => c"ExactlyOnce",
        },
    )
}

/// The QoS property of a value object; `None` where it is null.
pub(crate) fn qos_property(object: Object<'_>) -> Option<QoS> {
    Object::of_class(object.property("qos"), Class::Qos).map(qos)
}

/// The properties object of a value object, read.
pub(crate) fn properties_property(
    object: Object<'_>,
) -> Result<Option<MessageProperties>, Failure> {
    Object::of_class(object.property("properties"), Class::Properties)
        .map(MessageProperties::from_object)
        .transpose()
}

/// A Will, checked.
#[derive(Clone, Debug)]
pub(crate) struct Will {
    topic: Vec<u8>,
    payload: Vec<u8>,
    qos: QoS,
    retain: bool,
    delay: u32,
    properties: Option<MessageProperties>,
}

impl PartialEq for Will {
    fn eq(&self, other: &Self) -> bool {
        let key = |will: &Self| {
            (
                will.topic.clone(),
                will.payload.clone(),
                will.qos,
                will.retain,
                will.delay,
            )
        };
        key(self) == key(other) && self.properties == other.properties
    }
}

impl Will {
    pub(crate) fn from_object(object: Object<'_>) -> Result<Self, Failure> {
        let will = Self {
            topic: value::bytes_of(object.property("topic"))
                .unwrap_or_default()
                .to_vec(),
            payload: value::bytes_of(object.property("payload"))
                .unwrap_or_default()
                .to_vec(),
            qos: qos_property(object).unwrap_or(QoS::AtMostOnce),
            retain: object.property("retain").bool().unwrap_or(false),
            delay: u32::try_from(in_range(object, "delay", 0, i64::from(u32::MAX))?)
                .unwrap_or(u32::MAX),
            properties: properties_property(object)?,
        };
        if will.payload.len() > usize::from(u16::MAX) {
            return Err(Failure::option(
                "the payload of a will must be at most 65535 bytes",
            ));
        }
        will.message()?;
        Ok(will)
    }

    fn message(&self) -> Result<Message, Failure> {
        message(
            &self.topic,
            &self.payload,
            self.qos,
            self.retain,
            self.properties.as_ref(),
        )
    }

    pub(crate) fn to_client(&self) -> Result<mqtt_client::Will, Failure> {
        let mut will = mqtt_client::Will::new(self.message()?);
        will.delay = std::time::Duration::from_secs(u64::from(self.delay));
        Ok(will)
    }
}

/// An int property, which must be in a range.
pub(crate) fn in_range(
    object: Object<'_>,
    name: &str,
    least: i64,
    most: i64,
) -> Result<i64, Failure> {
    let number = object.property(name).long().unwrap_or(least);
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(Failure::option(format!(
            "{name} must be {least} to {most}, {number} given"
        )))
    }
}

pub(crate) fn nullable_in_range(
    object: Object<'_>,
    name: &str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, Failure> {
    if object.property(name).is_null() {
        return Ok(None);
    }
    in_range(object, name, least, most).map(Some)
}

/// A string property that MQTT must be able to carry as text.
pub(crate) fn nullable_text(object: Object<'_>, name: &str) -> Result<Option<String>, Failure> {
    let property = object.property(name);
    if property.is_null() {
        return Ok(None);
    }
    checked_text(property)
        .map(Some)
        .ok_or_else(|| not_text(name))
}

/// A list of pairs of strings.
pub(crate) fn pairs(object: Object<'_>, name: &str) -> Result<Vec<(String, String)>, Failure> {
    let Some(table) = object.property(name).array() else {
        return Ok(Vec::new());
    };
    table
        .values()
        .map(|pair| {
            let pair = pair.dereference().array().filter(|pair| pair.len() == 2);
            let text = |index| {
                pair.and_then(|pair| pair.get_index(index))
                    .and_then(checked_text)
            };
            text(0).zip(text(1)).ok_or_else(|| {
                Failure::option(format!(
                    "{name} must be a list of pairs of UTF-8 strings of at most 65535 bytes"
                ))
            })
        })
        .collect()
}

fn checked_text(value: &Zval) -> Option<String> {
    value::text_of(value.dereference())
        .filter(|text| Utf8::new(text).is_ok())
        .map(str::to_owned)
}

fn not_text(name: &str) -> Failure {
    Failure::option(format!(
        "{name} must be UTF-8 without NUL, of at most 65535 bytes"
    ))
}

/// Called by the shim when a value object was filled: refuses what could never be used.
pub(crate) fn check(class: Class, object: Object<'_>) -> Result<(), Thrown> {
    match class {
        Class::Options => crate::options::Settings::from_object(object).map(drop)?,
        Class::Tls => crate::tls::TlsSettings::from_object(object).map(drop)?,
        Class::Properties => MessageProperties::from_object(object).map(drop)?,
        Class::Will => Will::from_object(object).map(drop)?,
        // An Outgoing is checked by publishMany(), together with all others. A Message was received, or is a test's.
        _ => {}
    }
    Ok(())
}
