//! Messages, to be published or received.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use ::bytes::Bytes;
use mqtt_client::{self as client, PacketId, QoS, TopicName};

use crate::error::{Error, Result};
use crate::handle::{self, Out};
use crate::properties::Properties;
use crate::status::Status;
use crate::topic::parse_name;
use crate::userdata::{DropFunction, Userdata};
use crate::{bytes, guard};

/// An application message: a topic, a payload, and how it is to be delivered.
#[derive(Clone, Debug)]
pub struct Message {
    message: client::Message,
    dup: bool,
    packet_id: Option<PacketId>,
    /// Made when first looked at.
    properties: OnceLock<Properties>,
}

impl Message {
    /// A message of which no server has said anything.
    pub(crate) const fn new(message: client::Message) -> Self {
        Self {
            message,
            dup: false,
            packet_id: None,
            properties: OnceLock::new(),
        }
    }

    pub(crate) fn received(received: client::Received) -> (Self, client::Ack) {
        let message = Self {
            dup: received.dup,
            packet_id: received.packet_id,
            ..Self::new(received.message)
        };
        (message, received.ack)
    }

    /// The message to be sent: a received one without what only its receiver may know. Cheap: the bytes are shared.
    pub(crate) fn to_client(&self) -> client::Message {
        self.message.clone().without_subscription_ids()
    }

    /// Bytes of memory it holds, as the client counts them.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.held_bytes()
    }

    fn properties(&self) -> &Properties {
        self.properties
            .get_or_init(|| Properties::of(self.message.properties()))
    }

    fn replace(&mut self, topic: TopicName<'_>, payload: Bytes) -> Result<()> {
        let before = self.to_client();
        let properties: Vec<_> = before.properties().iter().collect();
        let message = client::Message::new(topic, payload)
            .with_qos(before.qos())
            .with_retain(before.retain())
            .with_properties(&properties)?;
        *self = Self::new(message);
        Ok(())
    }
}

pub(crate) fn qos(qos: u8) -> Result<QoS> {
    QoS::from_u8(qos)
        .ok_or_else(|| Error::argument(format_args!("QoS is 0, 1 or 2, and not {qos}")))
}

/// Makes a message: QoS 0, not retained, without properties. Topic and payload are copied; the payload may be empty, and
/// `payload` NULL then. pmq_message_free ends it. One message may be published any number of times.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_new(
    topic: *const c_char,
    topic_len: usize,
    payload: *const c_void,
    payload_len: usize,
    message: *mut *mut Message,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (topic, payload, out) = unsafe {
            (
                bytes::text(topic, topic_len, "topic")?,
                bytes::binary(payload, payload_len, "payload")?,
                Out::new(message, "message")?,
            )
        };
        let message = client::Message::new(parse_name(topic)?, payload.to_vec());
        out.give(Message::new(message));
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Makes a message of its own that is the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_clone(
    message: *const Message,
    clone: *mut *mut Message,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (message, out) =
            unsafe { (handle::get(message, "message")?, Out::new(clone, "clone")?) };
        out.give(message.clone());
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Frees a message and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_free(message: *mut *mut Message) {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::free(message) };
}

/// Sets another topic.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_set_topic(
    message: *mut Message,
    topic: *const c_char,
    topic_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(message, "message", error, |message| {
            let topic = bytes::text(topic, topic_len, "topic")?;
            let payload = message.message.payload_bytes();
            message.replace(parse_name(topic)?, payload)
        })
    }
}

/// Sets another payload, which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_set_payload(
    message: *mut Message,
    payload: *const c_void,
    payload_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(message, "message", error, |message| {
            let payload = bytes::binary(payload, payload_len, "payload")?;
            let before = message.message.clone();
            message.replace(before.topic(), Bytes::copy_from_slice(payload))
        })
    }
}

/// Sets another payload, which is not copied: it must stay as it is until `drop`, unless NULL, is called with `userdata`;
/// without a `drop`, for ever. Copies of the message, and publishes of it, share it. (One of less than 4 KiB is copied all the
/// same, and given back before this returns.)
///
/// `drop` is called exactly once, when the library does not need the payload any more: after the message and its copies were
/// freed, or got another payload, and its publishes have their outcomes. That is on whichever thread lets go of it last, the
/// library's or one that calls a function of this header. If this call fails, nothing was taken; a forked child, which has a
/// copy of everything, calls nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_set_payload_static(
    message: *mut Message,
    payload: *const c_void,
    payload_len: usize,
    drop: DropFunction,
    userdata: *mut c_void,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation; the payload stays as it is until it is given back.
    unsafe {
        guard::change(message, "message", error, |message| {
            let payload = Lent {
                bytes: bytes::binary(payload, payload_len, "payload")?,
                _userdata: Userdata::new(userdata, drop),
            };
            let before = message.message.clone();
            message.replace(before.topic(), Bytes::from_owner(payload))
        })
    }
}

/// A payload that is the program's.
struct Lent {
    bytes: &'static [u8],
    /// Given back with it.
    _userdata: Userdata,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

/// Sets the Quality of Service: 0 at most once, 1 at least once, 2 exactly once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_set_qos(
    message: *mut Message,
    qos: u8,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(message, "message", error, |message| {
            message.message = message.message.clone().with_qos(self::qos(qos)?);
            Ok(())
        })
    }
}

/// Sets whether the server keeps the message for those who subscribe later. An empty payload makes it forget the one it has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_set_retain(
    message: *mut Message,
    retain: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(message, "message", error, |message| {
            message.message = message.message.clone().with_retain(retain);
            Ok(())
        })
    }
}

/// Sets other properties, which are copied: those that a client may put into PUBLISH, which are 1 Payload Format Indicator,
/// 2 Message Expiry Interval, 3 Content Type, 8 Response Topic, 9 Correlation Data and 38 User Property.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_set_properties(
    message: *mut Message,
    properties: *const Properties,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(message, "message", error, |message| {
            let properties = handle::get(properties, "properties")?;
            let with = message
                .message
                .clone()
                .with_properties(&properties.to_client()?)?;
            *message = Message::new(with);
            Ok(())
        })
    }
}

/// The topic; NULL for NULL. It lives as long as the message and is not changed. It does not end in NUL: `len`, unless NULL,
/// gets its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_topic(
    message: *const Message,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::look(message, ptr::null(), |message| {
            Some(bytes::show(
                message.message.topic().as_str().as_bytes(),
                len,
            ))
        })
    }
}

/// The payload, as pmq_message_topic gives the topic. Never NULL for a message, however empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_payload(
    message: *const Message,
    len: *mut usize,
) -> *const c_void {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::look(message, ptr::null(), |message| {
            Some(bytes::show(message.message.payload(), len))
        })
    }
}

/// The Quality of Service at which it is published, or was received; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_qos(message: *const Message) -> u8 {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(message, 0, |message| Some(message.message.qos().as_u8())) }
}

/// Whether it is to be kept, or was received because it was kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_retain(message: *const Message) -> bool {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(message, false, |message| Some(message.message.retain())) }
}

/// Whether the server says that it may have sent this message before. Not told of the response to a request: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_dup(message: *const Message) -> bool {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(message, false, |message| Some(message.dup)) }
}

/// Under which Packet Identifier the server sent a received message, 1 to 65,535; 0 at QoS 0, for the response to a request at
/// any QoS, and for a message that was not received. It helps to find a message in the logs of a server, and names it no longer
/// than until it is acknowledged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_packet_id(message: *const Message) -> u16 {
    let packet_id = |message: &Message| message.packet_id.map(PacketId::get);
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(message, 0, packet_id) }
}

/// The properties; NULL for NULL. They belong to the message, live as long as it does, and are not to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_message_properties(message: *const Message) -> *const Properties {
    let properties = |message: &Message| Some(ptr::from_ref(message.properties()));
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(message, ptr::null(), properties) }
}
