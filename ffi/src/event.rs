//! Events: what a client has to tell, taken one by one.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use mqtt_client::{Ack, Connack, ProtocolVersion, ReasonCode, Received, Utf8, background};

use crate::error::{Error, Result};
use crate::handle::{self, Out};
use crate::message::Message;
use crate::properties::Properties;
use crate::status::Status;
use crate::{bytes, guard};

/// Something a client has to tell. Owned by whoever took it; see pmq_event_free.
#[derive(Clone, Debug)]
pub struct Event(Arc<Content>);

/// What an event is about.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EventType {
    /// None: what a NULL event is.
    None = 0,
    /// The server accepted the client. Has: session_present, client_id, address, protocol, properties.
    Connected = 1,
    /// The connection that PMQ_EVENT_CONNECTED told of is over. Has an error unless the program asked for it, be it by
    /// pmq_options_set_idle_disconnect. Has properties if the server ended it with a DISCONNECT.
    Disconnected = 2,
    /// An attempt to connect failed, or the connection was lost; there will be another one. Has: error, attempt, delay_ms,
    /// and properties if the server refused the client or ended the connection in words of MQTT.
    Reconnecting = 3,
    /// The client has ended and will not come back; nothing comes after this. Has an error unless the program asked for it,
    /// and properties as PMQ_EVENT_RECONNECTING.
    Stopped = 4,
    /// A message. Has: message. Owes an acknowledgement if the options say so: see pmq_event_ack.
    Message = 5,
    /// The outcome of a publish. Has: token, status, reason, properties, and an error if it was not delivered.
    Published = 6,
    /// The answer to a subscribe. Has: token, status, reasons, properties, and an error if a filter was refused.
    Subscribed = 7,
    /// The answer to an unsubscribe. Has what PMQ_EVENT_SUBSCRIBED has.
    Unsubscribed = 8,
    /// Messages were dropped, because the inbox was full. Has: count.
    Dropped = 9,
    /// The answer to a request. Has: token, status, and the message, or an error if none came.
    Response = 10,
}

/// What is in an event.
#[derive(Debug)]
pub(crate) enum Content {
    Connected(Box<Connected>),
    Disconnected(Option<Error>),
    Reconnecting {
        error: Error,
        attempt: u32,
        delay_ms: u64,
    },
    Stopped(Option<Error>),
    Message(Box<Arrival>),
    Completed(Completion),
    Dropped(u64),
}

#[derive(Debug)]
pub(crate) struct Connected {
    session_present: bool,
    client_id: String,
    address: String,
    version: ProtocolVersion,
    properties: Properties,
}

#[derive(Debug)]
pub(crate) struct Arrival {
    message: Message,
    ack: Ack,
    /// Whether the message waits, or waited, for an answer.
    owed: bool,
    /// The process that it belongs to.
    generation: u64,
}

/// How something that has a token ended.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) kind: EventType,
    pub(crate) token: u64,
    /// One for each filter, in the order of the call; one for a publish that was acknowledged.
    pub(crate) reasons: Vec<u8>,
    pub(crate) properties: Properties,
    /// The message that answers a request.
    pub(crate) response: Option<Box<Message>>,
    pub(crate) error: Option<Error>,
}

impl Completion {
    /// What a server may have made large.
    pub(crate) fn held_bytes(&self) -> usize {
        let response = self.response.as_deref().map_or(0, Message::held_bytes);
        let error = self.error.as_ref().map_or(0, Error::message_bytes);
        self.properties.held_bytes() + response + error
    }

    /// Lets go of what a server may have made large, and says so where that was all.
    pub(crate) fn shed(&mut self) {
        self.properties = Properties::default();
        if let Some(error) = &mut self.error {
            error.shorten();
        }
        if self.response.take().is_some() {
            self.error = Some(Error::new(
                Status::Dropped,
                "the response was dropped: completions that were not taken hold as much as the options allow",
            ));
        }
    }
}

impl Content {
    pub(crate) fn connected(connack: &Connack) -> Self {
        Self::Connected(Box::new(Connected {
            session_present: connack.session_present,
            client_id: connack.client_id.clone(),
            address: connack.address.clone(),
            version: connack.version,
            properties: Properties::of(connack.properties.as_properties()),
        }))
    }

    pub(crate) fn reconnecting(error: Error, attempt: u32, delay: Duration) -> Self {
        Self::Reconnecting {
            error,
            attempt,
            delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn message(received: Received) -> Self {
        let (message, ack) = Message::received(received);
        Self::Message(Box::new(Arrival {
            owed: ack.is_owed(),
            message,
            ack,
            generation: background::generation(),
        }))
    }

    /// Of a change of state, what a server may have made large. Several may share it.
    pub(crate) fn large_part(&self) -> Option<&Properties> {
        match self {
            Self::Connected(connected) => Some(&connected.properties),
            _ => self.error()?.properties(),
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Disconnected(error) | Self::Stopped(error) => error.as_ref(),
            Self::Reconnecting { error, .. } => Some(error),
            Self::Completed(completion) => completion.error.as_ref(),
            Self::Connected(_) | Self::Message(_) | Self::Dropped(_) => None,
        }
    }

    fn reasons(&self) -> &[u8] {
        match self {
            Self::Completed(completion) => &completion.reasons,
            _ => &[],
        }
    }

    pub(crate) const fn kind(&self) -> EventType {
        match self {
            Self::Connected(_) => EventType::Connected,
            Self::Disconnected(_) => EventType::Disconnected,
            Self::Reconnecting { .. } => EventType::Reconnecting,
            Self::Stopped(_) => EventType::Stopped,
            Self::Message(_) => EventType::Message,
            Self::Completed(completion) => completion.kind,
            Self::Dropped(_) => EventType::Dropped,
        }
    }
}

#[cfg(test)]
impl Content {
    pub(crate) fn connected_with(properties: Properties) -> Self {
        Self::Connected(Box::new(Connected {
            session_present: false,
            client_id: String::new(),
            address: String::new(),
            version: ProtocolVersion::V5,
            properties,
        }))
    }
}

impl Event {
    pub(crate) fn new(content: Content) -> Self {
        Self(Arc::new(content))
    }

    fn connected(&self) -> Option<&Connected> {
        match &*self.0 {
            Content::Connected(connected) => Some(connected),
            _ => None,
        }
    }
}

impl Arrival {
    /// Gives the answer, which `answer` tells to have been the first.
    fn answer(&self, answer: impl FnOnce(&Ack) -> bool) -> Result<()> {
        if self.generation != background::generation() {
            return Err(Error::forked());
        }
        if answer(&self.ack) || !self.owed {
            Ok(())
        } else {
            Err(Error::new(
                Status::Answered,
                "the message was acknowledged or refused before",
            ))
        }
    }
}

/// Looks into an event that may be null.
///
/// # Safety
/// As [`handle::get`]; a borrowed answer must not outlive the event.
unsafe fn look<'a, T>(
    event: *const Event,
    otherwise: T,
    look: impl FnOnce(&'a Content) -> Option<T>,
) -> T {
    // SAFETY: by this function's own contract.
    unsafe { guard::look(event, otherwise, |event: &'a Event| look(&event.0)) }
}

/// What the event is about; PMQ_EVENT_NONE for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_type(event: *const Event) -> EventType {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, EventType::None, |content| Some(content.kind())) }
}

/// The token of what has come to its end; 0 for other events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_token(event: *const Event) -> u64 {
    let token = |content: &Content| match content {
        Content::Completed(completion) => Some(completion.token),
        _ => None,
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, 0, token) }
}

/// The status of the event's error; PMQ_STATUS_OK if it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_status(event: *const Event) -> Status {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe {
        look(event, Status::Ok, |content| {
            content.error().map(Error::status)
        })
    }
}

/// The error of the event; NULL if it has none. It belongs to the event, lives as long as it does, and is not to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_error(event: *const Event) -> *const Error {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe {
        look(event, ptr::null(), |content| {
            content.error().map(ptr::from_ref)
        })
    }
}

/// The Reason Code with which the server acknowledged a publish, or answered the first filter; 0 for other events. 0x10 says
/// that nobody subscribes to the topic (MQTT 5.0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_reason(event: *const Event) -> u8 {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, 0, |content| content.reasons().first().copied()) }
}

/// The Reason Codes with which the server answered the filters, in the order of the call, and through `count`, unless NULL,
/// how many they are. They live as long as the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_reasons(event: *const Event, count: *mut usize) -> *const u8 {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        look(event, ptr::null(), |content| {
            Some(bytes::show(content.reasons(), count))
        })
    }
}

/// The message of PMQ_EVENT_MESSAGE, or of PMQ_EVENT_RESPONSE if one came; NULL for other events. It belongs to the event:
/// pmq_message_clone keeps it longer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_message(event: *const Event) -> *const Message {
    let message = |content: &Content| match content {
        Content::Message(arrival) => Some(ptr::from_ref(&arrival.message)),
        Content::Completed(completion) => completion.response.as_deref().map(ptr::from_ref),
        _ => None,
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, ptr::null(), message) }
}

/// The properties that came with what the server said: with its CONNACK (PMQ_EVENT_CONNECTED), with what ended a publish
/// (PMQ_EVENT_PUBLISHED), with its SUBACK or UNSUBACK (PMQ_EVENT_SUBSCRIBED, PMQ_EVENT_UNSUBSCRIBED), and with the CONNACK that
/// refused the client or the DISCONNECT that ended the connection (PMQ_EVENT_DISCONNECTED, PMQ_EVENT_RECONNECTING,
/// PMQ_EVENT_STOPPED), of whose User Properties the first 64 KiB are kept. NULL for other events, and where it said nothing.
/// They belong to the event.
///
/// The filters of a subscribe may be answered by SUBACKs to several calls that have the same filters: the properties are those
/// of the one that answered the first filter that was refused or, if none was, the first filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_properties(event: *const Event) -> *const Properties {
    let said = |list: &Properties| (!list.is_empty()).then_some(ptr::from_ref(list));
    let properties = |content: &Content| match content {
        Content::Connected(connected) => said(&connected.properties),
        // Those of a response are its message's.
        Content::Completed(completion) if completion.kind == EventType::Response => None,
        Content::Completed(completion) => said(&completion.properties),
        other => said(other.error()?.properties()?),
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, ptr::null(), properties) }
}

/// Whether the server resumed a session (PMQ_EVENT_CONNECTED).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_session_present(event: *const Event) -> bool {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe {
        guard::look(event, false, |event| {
            Some(event.connected()?.session_present)
        })
    }
}

/// The Client Identifier in force, whoever chose it (PMQ_EVENT_CONNECTED); otherwise NULL. It lives as long as the event and
/// does not end in NUL: `len`, unless NULL, gets its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_client_id(
    event: *const Event,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::look(event, ptr::null(), |event| {
            Some(bytes::show(event.connected()?.client_id.as_bytes(), len))
        })
    }
}

/// Where the connection leads (PMQ_EVENT_CONNECTED), as pmq_event_client_id gives the identifier.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_address(event: *const Event, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::look(event, ptr::null(), |event| {
            Some(bytes::show(event.connected()?.address.as_bytes(), len))
        })
    }
}

/// The version of MQTT that is spoken, a pmq_protocol (PMQ_EVENT_CONNECTED); otherwise 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_protocol(event: *const Event) -> i32 {
    let version = |event: &Event| {
        Some(match event.connected()?.version {
            ProtocolVersion::V3_1 => 3,
            ProtocolVersion::V3_1_1 => 4,
            ProtocolVersion::V5 => 5,
        })
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(event, 0, version) }
}

/// How many attempts in a row have failed (PMQ_EVENT_RECONNECTING); otherwise 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_attempt(event: *const Event) -> u32 {
    let attempt = |content: &Content| match content {
        Content::Reconnecting { attempt, .. } => Some(*attempt),
        _ => None,
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, 0, attempt) }
}

/// How long the client waits before the next attempt (PMQ_EVENT_RECONNECTING); otherwise 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_delay_ms(event: *const Event) -> u64 {
    let delay = |content: &Content| match content {
        Content::Reconnecting { delay_ms, .. } => Some(*delay_ms),
        _ => None,
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, 0, delay) }
}

/// How many messages were dropped since the last such event (PMQ_EVENT_DROPPED); otherwise 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_count(event: *const Event) -> u64 {
    let count = |content: &Content| match content {
        Content::Dropped(count) => Some(*count),
        _ => None,
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { look(event, 0, count) }
}

/// Answers a received message where the options say that the program does (pmq_options_set_manual_ack): with a `reason` below
/// 0x80 it was taken; with another one it was not, and the server will not send it again (MQTT 5.0; 3.x cannot refuse, and
/// acknowledges). Any thread may call this, at any time and in any order.
///
/// PMQ_STATUS_OK also where no answer was owed, as for QoS 0, and after the connection was lost, when it is without effect: the
/// server sends the message again. PMQ_STATUS_ANSWERED the second time. An event that is freed without an answer refuses its
/// message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_ack(
    event: *const Event,
    reason: u8,
    error: *mut *mut Error,
) -> Status {
    let reason = ReasonCode::new(reason);
    let answer = |ack: &Ack| {
        if reason.is_error() {
            ack.reject(reason)
        } else {
            ack.acknowledge()
        }
    };
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe { guard::call(error, || arrival(event)?.answer(answer)) }
}

/// As pmq_event_ack with a `reason` of 0x80 or above, and says why in words, for the log of the server (MQTT 5.0; left out
/// where they make the packet larger than the server takes).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_reject(
    event: *const Event,
    reason: u8,
    why: *const c_char,
    why_len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (arrival, why) = unsafe { (arrival(event)?, bytes::text(why, why_len, "why")?) };
        let reason = ReasonCode::new(reason);
        if !reason.is_error() {
            return Err(Error::argument(format_args!("{reason} rejects nothing")));
        }
        let why = Utf8::new(why).map_err(Error::argument)?;
        arrival.answer(|ack| ack.reject_with_reason_string(reason, why))
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// The message of an event that is to be answered.
///
/// # Safety
/// As [`handle::get`].
unsafe fn arrival<'a>(event: *const Event) -> Result<&'a Arrival> {
    // SAFETY: by this function's own contract.
    match &*unsafe { handle::get(event, "event") }?.0 {
        Content::Message(arrival) => Ok(arrival),
        _ => Err(Error::argument(
            "only a message is acknowledged: this is another event",
        )),
    }
}

/// Makes another handle to the same event, for a handler that wants to keep it. Each is freed on its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_clone(
    event: *const Event,
    clone: *mut *mut Event,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (event, out) = unsafe { (handle::get(event, "event")?, Out::new(clone, "clone")?) };
        out.give(event.clone());
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Frees an event, and all that belongs to it, and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are
/// harmless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_event_free(event: *mut *mut Event) {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::free(event) };
}
