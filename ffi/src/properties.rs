//! Lists of MQTT 5.0 properties.

use std::ffi::{c_char, c_void};
use std::ptr;

use mqtt_client::mqtt_core::{
    KeepAlive, MaximumPacketSize, PacketType, PayloadFormat, PropertyHolder, ReceiveMaximum, Role,
    SessionExpiry, SubscriptionId, TopicAlias, Utf8,
};
use mqtt_client::{self as client, Property, PropertyId, QoS, TopicName};

use crate::error::{Error, Result};
use crate::handle::{self, Out};
use crate::status::Status;
use crate::{bytes, guard};

/// The most bytes of text or binary data in a property (v5 1.5.4, 1.5.6).
const MAX_FIELD: usize = 65_535;

/// A list of MQTT 5.0 properties, in their order. Each has an identifier, which is the standard's number (2.2.2.2), and either
/// a number, or a text or binary data; a User Property (38) has a name and a value, both text.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    /// Names and values, one after the other.
    data: Vec<u8>,
    items: Vec<Item>,
}

/// Small, because a server may send very many.
#[derive(Clone, Copy, Debug)]
struct Item {
    id: PropertyId,
    number: u32,
    /// Where in `data` the name begins, which the value follows.
    start: u32,
    name_len: u16,
    value_len: u16,
}

/// A value as C gives and takes it.
enum Value<'a> {
    Number(u32),
    Data(&'a [u8]),
    Pair(&'a str, &'a str),
}

impl Properties {
    pub(crate) fn of(list: client::Properties<'_>) -> Self {
        let mut properties = Self::default();
        for property in list {
            // What a packet or a message carries has room here; if it had not, it would not be shown.
            let _ = properties.push(property.id(), &value_of(&property));
        }
        properties
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes held on the heap.
    pub(crate) fn held_bytes(&self) -> usize {
        self.data.len() + self.items.len() * size_of::<Item>()
    }

    /// The list as the client takes it.
    pub(crate) fn to_client(&self) -> Result<Vec<Property<'_>>> {
        self.items
            .iter()
            .map(|item| property(item.id, &self.value(item)))
            .collect()
    }

    fn push(&mut self, id: PropertyId, value: &Value<'_>) -> Result<()> {
        let (number, name, value) = match value {
            Value::Number(number) => (*number, &[][..], &[][..]),
            Value::Data(data) => (0, &[][..], *data),
            Value::Pair(name, value) => (0, name.as_bytes(), value.as_bytes()),
        };
        let too_long = || {
            Error::new(
                Status::Property,
                format_args!("a property holds at most {MAX_FIELD} bytes"),
            )
        };
        let item = Item {
            id,
            number,
            start: u32::try_from(self.data.len()).map_err(|_| too_long())?,
            name_len: u16::try_from(name.len()).map_err(|_| too_long())?,
            value_len: u16::try_from(value.len()).map_err(|_| too_long())?,
        };
        self.data.extend_from_slice(name);
        self.data.extend_from_slice(value);
        self.items.push(item);
        Ok(())
    }

    pub(crate) fn add_user(&mut self, name: &str, value: &str) -> Result<()> {
        let value = Value::Pair(name, value);
        property(PropertyId::UserProperty, &value)?;
        self.push(PropertyId::UserProperty, &value)
    }

    /// Takes out the one at a place, if there is one, and what it holds.
    fn remove(&mut self, place: usize) -> bool {
        if place >= self.items.len() {
            return false;
        }
        let item = self.items.remove(place);
        let held = u32::from(item.name_len) + u32::from(item.value_len);
        let start = item.start as usize;
        self.data.drain(start..start + held as usize);
        for later in self.items.iter_mut().skip(place) {
            later.start -= held;
        }
        true
    }

    fn name(&self, item: &Item) -> &[u8] {
        let start = item.start as usize;
        let end = start + usize::from(item.name_len);
        self.data.get(start..end).unwrap_or_default()
    }

    fn data(&self, item: &Item) -> &[u8] {
        let start = item.start as usize + usize::from(item.name_len);
        let end = start + usize::from(item.value_len);
        self.data.get(start..end).unwrap_or_default()
    }

    fn value(&self, item: &Item) -> Value<'_> {
        if item.id == PropertyId::UserProperty {
            // Only text gets in.
            let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
            Value::Pair(text(self.name(item)), text(self.data(item)))
        } else if is_number(item.id) {
            Value::Number(item.number)
        } else {
            Value::Data(self.data(item))
        }
    }
}

const fn is_number(id: PropertyId) -> bool {
    !matches!(
        id,
        PropertyId::ContentType
            | PropertyId::ResponseTopic
            | PropertyId::CorrelationData
            | PropertyId::AssignedClientIdentifier
            | PropertyId::AuthenticationMethod
            | PropertyId::AuthenticationData
            | PropertyId::ResponseInformation
            | PropertyId::ServerReference
            | PropertyId::ReasonString
            | PropertyId::UserProperty
    )
}

fn value_of<'a>(property: &Property<'a>) -> Value<'a> {
    use Property as P;
    match *property {
        P::PayloadFormatIndicator(format) => Value::Number(format as u32),
        P::MessageExpiryInterval(seconds) | P::WillDelayInterval(seconds) => Value::Number(seconds),
        P::SubscriptionIdentifier(id) => Value::Number(id.get()),
        P::SessionExpiryInterval(expiry) => Value::Number(expiry.as_secs()),
        P::ServerKeepAlive(keep_alive) => Value::Number(keep_alive.as_secs().into()),
        P::ReceiveMaximum(maximum) => Value::Number(maximum.get().into()),
        P::TopicAliasMaximum(maximum) => Value::Number(maximum.into()),
        P::TopicAlias(alias) => Value::Number(alias.get().into()),
        P::MaximumQoS(qos) => Value::Number(qos.as_u8().into()),
        P::MaximumPacketSize(size) => Value::Number(size.get()),
        P::RequestProblemInformation(flag)
        | P::RequestResponseInformation(flag)
        | P::RetainAvailable(flag)
        | P::WildcardSubscriptionAvailable(flag)
        | P::SubscriptionIdentifierAvailable(flag)
        | P::SharedSubscriptionAvailable(flag) => Value::Number(flag.into()),
        P::ResponseTopic(topic) => Value::Data(topic.as_str().as_bytes()),
        P::CorrelationData(data) | P::AuthenticationData(data) => Value::Data(data),
        P::ContentType(text)
        | P::AssignedClientIdentifier(text)
        | P::AuthenticationMethod(text)
        | P::ResponseInformation(text)
        | P::ServerReference(text)
        | P::ReasonString(text) => Value::Data(text.as_str().as_bytes()),
        P::UserProperty(name, value) => Value::Pair(name.as_str(), value.as_str()),
    }
}

/// The property with this value, if the standard has it.
fn property<'a>(id: PropertyId, value: &Value<'a>) -> Result<Property<'a>> {
    use PropertyId as Id;
    let property = match *value {
        Value::Pair(name, value) if id == Id::UserProperty => {
            Some(Property::UserProperty(utf8(name)?, utf8(value)?))
        }
        Value::Number(number) => numeric(id, number),
        Value::Data(data) => match id {
            Id::CorrelationData => Some(Property::CorrelationData(data)),
            Id::AuthenticationData => Some(Property::AuthenticationData(data)),
            _ => textual(id, data)?,
        },
        Value::Pair(..) => None,
    };
    property.ok_or_else(|| {
        Error::new(
            Status::Property,
            format_args!("property {id} has no such value"),
        )
    })
}

fn numeric<'a>(id: PropertyId, number: u32) -> Option<Property<'a>> {
    use PropertyId as Id;
    let small = u16::try_from(number).ok();
    let flag = match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    Some(match id {
        Id::PayloadFormatIndicator => Property::PayloadFormatIndicator(if flag? {
            PayloadFormat::Utf8
        } else {
            PayloadFormat::Unspecified
        }),
        Id::MessageExpiryInterval => Property::MessageExpiryInterval(number),
        Id::SubscriptionIdentifier => {
            Property::SubscriptionIdentifier(SubscriptionId::new(number)?)
        }
        Id::SessionExpiryInterval => {
            Property::SessionExpiryInterval(SessionExpiry::from_secs(number))
        }
        Id::ServerKeepAlive => Property::ServerKeepAlive(KeepAlive::from_secs(small?)),
        Id::RequestProblemInformation => Property::RequestProblemInformation(flag?),
        Id::WillDelayInterval => Property::WillDelayInterval(number),
        Id::RequestResponseInformation => Property::RequestResponseInformation(flag?),
        Id::ReceiveMaximum => Property::ReceiveMaximum(ReceiveMaximum::new(small?)?),
        Id::TopicAliasMaximum => Property::TopicAliasMaximum(small?),
        Id::TopicAlias => Property::TopicAlias(TopicAlias::new(small?)?),
        Id::MaximumQoS => Property::MaximumQoS(QoS::from_u8(flag?.into())?),
        Id::RetainAvailable => Property::RetainAvailable(flag?),
        Id::MaximumPacketSize => Property::MaximumPacketSize(MaximumPacketSize::new(number)?),
        Id::WildcardSubscriptionAvailable => Property::WildcardSubscriptionAvailable(flag?),
        Id::SubscriptionIdentifierAvailable => Property::SubscriptionIdentifierAvailable(flag?),
        Id::SharedSubscriptionAvailable => Property::SharedSubscriptionAvailable(flag?),
        _ => return None,
    })
}

fn textual(id: PropertyId, data: &[u8]) -> Result<Option<Property<'_>>> {
    use PropertyId as Id;
    if is_number(id) || id == Id::UserProperty {
        return Ok(None);
    }
    let text = std::str::from_utf8(data).map_err(|error| {
        Error::new(
            Status::NotUtf8,
            format_args!("property {id} is not UTF-8: {error}"),
        )
    })?;
    Ok(Some(match id {
        Id::ResponseTopic => Property::ResponseTopic(
            TopicName::new(text).map_err(|error| Error::new(Status::TopicName, error))?,
        ),
        Id::ContentType => Property::ContentType(utf8(text)?),
        Id::AssignedClientIdentifier => Property::AssignedClientIdentifier(utf8(text)?),
        Id::AuthenticationMethod => Property::AuthenticationMethod(utf8(text)?),
        Id::ResponseInformation => Property::ResponseInformation(utf8(text)?),
        Id::ServerReference => Property::ServerReference(utf8(text)?),
        Id::ReasonString => Property::ReasonString(utf8(text)?),
        _ => return Ok(None),
    }))
}

fn utf8(text: &str) -> Result<Utf8<'_>> {
    Utf8::new(text).map_err(|error| Error::new(Status::Property, error))
}

fn id_of(id: u8) -> Result<PropertyId> {
    PropertyId::from_u32(id.into())
        .ok_or_else(|| Error::new(Status::Property, format_args!("MQTT has no property {id}")))
}

/// Where a packet, or a Will, has its properties, and who sends it.
fn place(packet_type: u8) -> Result<(PropertyHolder, Role)> {
    if packet_type == 0 {
        return Ok((PropertyHolder::Will, Role::Client));
    }
    let packet = PacketType::from_u8(packet_type)
        .ok_or_else(|| Error::argument(format_args!("MQTT has no packet type {packet_type}")))?;
    use PacketType as P;
    let sender = match packet {
        P::Connack | P::Suback | P::Unsuback | P::Pingresp => Role::Server,
        _ => Role::Client,
    };
    Ok((PropertyHolder::Packet(packet), sender))
}

/// Makes an empty list. pmq_properties_free ends it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_new(
    properties: *mut *mut Properties,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise, see the crate's documentation.
        let out = unsafe { Out::new(properties, "properties") }?;
        out.give(Properties::default());
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Makes a list of its own with the same properties.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_clone(
    properties: *const Properties,
    clone: *mut *mut Properties,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (list, out) = unsafe {
            (
                handle::get(properties, "properties")?,
                Out::new(clone, "clone")?,
            )
        };
        out.give(list.clone());
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Frees a list and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_free(properties: *mut *mut Properties) {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::free(properties) };
}

/// Adds a property whose value is a number, a flag being 0 or 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_add_number(
    properties: *mut Properties,
    id: u8,
    number: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(properties, "properties", error, |list| {
            let value = Value::Number(number);
            property(id_of(id)?, &value)?;
            list.push(id_of(id)?, &value)
        })
    }
}

/// Adds a property whose value is text or binary data, which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_add_data(
    properties: *mut Properties,
    id: u8,
    data: *const c_void,
    data_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(properties, "properties", error, |list| {
            let data = bytes::binary(data, data_len, "data")?;
            let value = Value::Data(data);
            property(id_of(id)?, &value)?;
            list.push(id_of(id)?, &value)
        })
    }
}

/// Adds a User Property. Names may repeat.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_add_user(
    properties: *mut Properties,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(properties, "properties", error, |list| {
            let name = bytes::text(name, name_len, "name")?;
            let value = bytes::text(value, value_len, "value")?;
            list.add_user(name, value)
        })
    }
}

/// Removes the property at a place, counted from 0; those after it move up by one. PMQ_STATUS_ARGUMENT if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_remove(
    properties: *mut Properties,
    place: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(properties, "properties", error, |list| {
            if list.remove(place) {
                return Ok(());
            }
            let count = list.items.len();
            Err(Error::argument(format_args!(
                "there is no property at place {place}: the list has {count}"
            )))
        })
    }
}

/// Tells whether these properties may stand together in a packet: `packet_type` is the standard's number (2.1.2), of 1 CONNECT,
/// 3 PUBLISH or 8 SUBSCRIBE for example, and 0 means a Will. A packet that either end may send is taken for the client's.
/// PMQ_STATUS_PROPERTY says that they may not, and the error which one does not belong there, or stands there twice. (What
/// takes properties checks them by itself.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_check(
    properties: *const Properties,
    packet_type: u8,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise, see the crate's documentation.
        let list = unsafe { handle::get(properties, "properties") }?;
        let (holder, sender) = place(packet_type)?;
        Ok(client::Properties::new(&list.to_client()?).check(holder, sender)?)
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// How many properties there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_count(properties: *const Properties) -> usize {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(properties, 0, |properties| Some(properties.items.len())) }
}

/// The place of the first property with this identifier, looking from the place `from` on; the number of properties if there
/// is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_find(
    properties: *const Properties,
    id: u8,
    from: usize,
) -> usize {
    let find = |list: &Properties| {
        let mut later = list.items.iter().skip(from);
        let found = later.position(|item| item.id.as_u8() == id);
        Some(found.map_or(list.items.len(), |place| from + place))
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(properties, 0, find) }
}

/// The identifier of the property at a place, counted from 0; 0 if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_id(properties: *const Properties, place: usize) -> u8 {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe {
        guard::look(properties, 0, |properties| {
            Some(properties.items.get(place)?.id.as_u8())
        })
    }
}

/// The number of the property at a place; 0 if it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_number(properties: *const Properties, place: usize) -> u32 {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe {
        guard::look(properties, 0, |properties| {
            Some(properties.items.get(place)?.number)
        })
    }
}

/// The text or binary data of the property at a place, a User Property's value included; NULL if there is no such place. It
/// lives as long as the list and is not changed. It does not end in NUL: `len`, unless NULL, gets its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_data(
    properties: *const Properties,
    place: usize,
    len: *mut usize,
) -> *const c_void {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::look(properties, ptr::null(), |list| {
            Some(bytes::show(list.data(list.items.get(place)?), len))
        })
    }
}

/// The name of the User Property at a place, as pmq_properties_data gives the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_properties_name(
    properties: *const Properties,
    place: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::look(properties, ptr::null(), |list| {
            Some(bytes::show(list.name(list.items.get(place)?), len))
        })
    }
}
