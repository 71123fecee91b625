//! What a client is told before it is made.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use mqtt_client::background::Inbox;
use mqtt_client::{
    ClientId, Options as ClientOptions, Overflow, Reconnect, SessionLost, Version, Will,
};

use crate::error::Error;
use crate::handle::{self, Out};
use crate::message::Message;
use crate::status::Status;
use crate::topic::parse_name;
use crate::{bytes, guard};

/// In place of a number: without end. For waits, and for pmq_options_set_session_expiry and pmq_options_set_reconnect.
pub const PMQ_FOREVER: u32 = u32::MAX;

/// Everything a client is told before it is made. One set of options may make any number of clients.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) client: ClientOptions,
    pub(crate) inbox: Inbox,
    pub(crate) manual_ack: bool,
    pub(crate) completions: Completions,
}

/// Which version of MQTT to speak.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// 5.0, and 3.1.1 if the server does not know 5.0. The default.
    Auto = 0,
    /// 3.1.
    V31 = 3,
    /// 3.1.1.
    V311 = 4,
    /// 5.0.
    V5 = 5,
}

/// What happens to a publish when the queue is full.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum OnFull {
    /// The call is refused with PMQ_STATUS_QUEUE_FULL. The default.
    Refuse = 0,
    /// The oldest message that was not yet sent is dropped; its completion says so.
    DropOldest = 1,
    /// The new message is dropped: the call succeeds and the completion says so.
    DropNewest = 2,
}

/// How completions of tokens come to the program.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Completions {
    /// As events, unless pmq_client_wait takes them before. The default, for programs that take events.
    Event = 0,
    /// By pmq_client_wait alone. For programs that wait on one thread while another takes events.
    Wait = 1,
}

/// Makes options for the server of a URL, such as "mqtt://user:password@host:1883/?client_id=a". NULL, with a length of 0,
/// stands for "mqtt://localhost:1883". pmq_options_free ends them.
///
/// mqtt:// is plain TCP, mqtts:// TLS, ws:// and wss:// are WebSocket at the URL's path without and with TLS, unix:///path is a
/// Unix socket.
///
/// Parameters of the URL (durations in whole seconds): client_id, client_id_prefix, keep_alive, clean_start, session_expiry,
/// connect_timeout, version (3, 4, 5, auto), receive_maximum, maximum_packet_size, topic_alias_maximum,
/// outgoing_topic_aliases.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_new(
    url: *const c_char,
    url_len: usize,
    options: *mut *mut Options,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (url, out) = unsafe {
            (
                bytes::text(url, url_len, "url")?,
                Out::new(options, "options")?,
            )
        };
        let client = if url.is_empty() {
            ClientOptions::default()
        } else {
            ClientOptions::from_url(url)?
        };
        out.give(Options {
            client,
            inbox: Inbox::default(),
            manual_ack: false,
            completions: Completions::Event,
        });
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Frees options and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless. Clients made with them
/// are not concerned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_free(options: *mut *mut Options) {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::free(options) };
}

/// Changes options in a way that cannot fail.
///
/// # Safety
/// As [`guard::change`].
pub(crate) unsafe fn set(
    options: *mut Options,
    error: *mut *mut Error,
    set: impl FnOnce(&mut Options),
) -> Status {
    let change = |options: &mut Options| {
        set(options);
        Ok(())
    };
    // SAFETY: by this function's own contract.
    unsafe { guard::change(options, "options", error, change) }
}

/// Sets the version of MQTT, a pmq_protocol.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_protocol(
    options: *mut Options,
    protocol: i32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            options.client.version = match protocol {
                0 => Version::Auto,
                3 => Version::V3_1,
                4 => Version::V3_1_1,
                5 => Version::V5,
                other => {
                    return Err(Error::argument(format_args!("{other} is no pmq_protocol")));
                }
            };
            Ok(())
        })
    }
}

/// Sets the Client Identifier exactly. Two connected clients with one identifier push each other out. An empty one asks the
/// server to choose.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_client_id(
    options: *mut Options,
    client_id: *const c_char,
    client_id_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let id = bytes::text(client_id, client_id_len, "client_id")?;
            options.client.client_id = ClientId::Exact(id.to_owned());
            Ok(())
        })
    }
}

/// Sets what the Client Identifier begins with; 16 random digits follow, drawn anew for each client. Default: "pushmq".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_client_id_prefix(
    options: *mut Options,
    prefix: *const c_char,
    prefix_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let prefix = bytes::text(prefix, prefix_len, "prefix")?;
            options.client.client_id = ClientId::Prefix(prefix.to_owned());
            Ok(())
        })
    }
}

/// Sets user name and password. A NULL password, with a length of 0, stands for none. They are never logged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_credentials(
    options: *mut Options,
    username: *const c_char,
    username_len: usize,
    password: *const c_void,
    password_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let username = bytes::text(username, username_len, "username")?;
            let secret = bytes::binary(password, password_len, "password")?;
            options.client.username = Some(username.to_owned());
            options.client.password = (!password.is_null()).then(|| secret.to_owned());
            Ok(())
        })
    }
}

/// Sets whether the first connection starts with an empty session. Default true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_clean_start(
    options: *mut Options,
    clean_start: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.clean_start = clean_start
        })
    }
}

/// Sets how long the server keeps the session after the connection ended; PMQ_FOREVER has no end. Default 0: it ends with the
/// connection. In 3.x any value but 0 asks for a session that is kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_session_expiry(
    options: *mut Options,
    seconds: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.session_expiry = Some(Duration::from_secs(seconds.into()))
        })
    }
}

/// Sets the longest silence of this client. 0 turns it off. Default 60.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_keep_alive(
    options: *mut Options,
    seconds: u16,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.keep_alive = Duration::from_secs(seconds.into())
        })
    }
}

/// Sets the Will: the message, which is copied, that the server publishes for a client that is gone without saying so, after
/// a delay (MQTT 5.0 only; otherwise 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_will(
    options: *mut Options,
    message: *const Message,
    delay_seconds: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let message = handle::get(message, "message")?;
            options.client.will = Some(Will {
                message: message.to_client(),
                delay: Duration::from_secs(delay_seconds.into()),
            });
            Ok(())
        })
    }
}

/// Sets how many QoS 1 and 2 messages the server may have unacknowledged towards this client (MQTT 5.0), 1 to 65,535. Default
/// 1,024. Together with the largest packet it bounds what a server can make a program hold that does not take its events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_receive_maximum(
    options: *mut Options,
    messages: u16,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.receive_maximum = messages
        })
    }
}

/// Sets the largest packet accepted from the server, in bytes. Default 16 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_max_packet(
    options: *mut Options,
    bytes: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.maximum_packet_size = bytes
        })
    }
}

/// Sets how many Topic Aliases the server may use (MQTT 5.0). Default 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_topic_alias_max(
    options: *mut Options,
    aliases: u16,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.topic_alias_maximum = aliases
        })
    }
}

/// Sets how many Topic Aliases this client uses where the server allows them, so that each of its busiest topics is sent in
/// full only once in a connection (MQTT 5.0). Default 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_outgoing_topic_aliases(
    options: *mut Options,
    aliases: u16,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.outgoing_topic_aliases = aliases;
        })
    }
}

/// Sets the topic to which the responses to this client's requests are published (MQTT 5.0); no two clients may have the same.
/// Default: "response/" and 32 random digits. For servers that let a client subscribe only to certain topics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_response_topic(
    options: *mut Options,
    topic: *const c_char,
    topic_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let topic = parse_name(bytes::text(topic, topic_len, "topic")?)?;
            options.client.response_topic = Some(topic.as_str().to_owned());
            Ok(())
        })
    }
}

/// Adds a User Property to CONNECT (MQTT 5.0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_add_user_property(
    options: *mut Options,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let name = bytes::text(name, name_len, "name")?;
            let value = bytes::text(value, value_len, "value")?;
            let properties = &mut options.client.user_properties;
            properties.push((name.to_owned(), value.to_owned()));
            Ok(())
        })
    }
}

/// Sets the longest time from opening a connection to the server's answer, for each address. Default 10,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_connect_timeout(
    options: *mut Options,
    timeout_ms: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.connect_timeout = Duration::from_millis(timeout_ms.into())
        })
    }
}

/// Sets after how long without anything to do the client gives up its connection, from 1 ms; it connects again for the next
/// publish, request or subscribe. It has something to do as long as it has a subscription, a publish without an outcome, a
/// message that is not acknowledged, or a request without its response. PMQ_FOREVER keeps the connection. Default: that.
///
/// Two things end with the connection. The client says DISCONNECT, which takes back its Will: the server does not publish that
/// then. And subscriptions that an earlier process made in a kept session are not known to the client: with no other, it hears
/// nothing of them until its next use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_idle_disconnect(
    options: *mut Options,
    idle_ms: u32,
    error: *mut *mut Error,
) -> Status {
    let idle = Duration::from_millis(idle_ms.into());
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.idle_disconnect = (idle_ms != PMQ_FOREVER).then_some(idle);
        })
    }
}

/// Sets when to connect again. The wait before an attempt begins at `min_ms` and doubles up to `max_ms`; `jitter_percent` of
/// it, 0 to 100, are random: 100 draws it evenly between 0 and the whole, 25 between three quarters and the whole, and 0 always
/// waits the whole. After `attempts` failures in a row the client ends; PMQ_FOREVER never gives up, and 0 never connects again:
/// the first failure or loss ends the client. Default: 500, 60,000, 100, PMQ_FOREVER. More than 100 percent is refused by
/// pmq_client_new. Whatever is set here, the client ends when the server's refusal would be the same again (bad credentials,
/// banned, identifier taken over).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_reconnect(
    options: *mut Options,
    min_ms: u32,
    max_ms: u32,
    jitter_percent: u32,
    attempts: u32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.reconnect = Reconnect {
                min: Duration::from_millis(min_ms.into()),
                max: Duration::from_millis(max_ms.into()),
                // What does not fit is too much as well.
                jitter_percent: u8::try_from(jitter_percent).unwrap_or(u8::MAX),
                attempts: (attempts != PMQ_FOREVER).then_some(attempts),
                ..Reconnect::default()
            };
        })
    }
}

/// Sets how many publishes, and bytes of them, may be without an outcome, and what happens beyond, a pmq_on_full. Default:
/// 10,000, 64 MiB, refuse. As many completions may wait to be taken: see "Tokens".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_queue(
    options: *mut Options,
    max_messages: usize,
    max_bytes: usize,
    on_full: i32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let overflow = match on_full {
                0 => Overflow::Refuse,
                1 => Overflow::DropOldest,
                2 => Overflow::DropNewest,
                other => {
                    return Err(Error::argument(format_args!("{other} is no pmq_on_full")));
                }
            };
            options.client.queue_max_messages = max_messages;
            options.client.queue_max_bytes = max_bytes;
            options.client.overflow = overflow;
            Ok(())
        })
    }
}

/// Sets how many received messages, and bytes of them, wait for the program. Beyond, QoS 0 is dropped and counted
/// (PMQ_EVENT_DROPPED), and QoS 1 and 2 are held unacknowledged, so that the server stops. Default: 1,024 and 16 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_inbox(
    options: *mut Options,
    max_messages: usize,
    max_bytes: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.inbox = Inbox {
                max_messages,
                max_bytes,
            };
        })
    }
}

/// Sets whether the program acknowledges received QoS 1 and 2 messages itself, by pmq_event_ack. Default false: they are
/// acknowledged when they are in the inbox.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_manual_ack(
    options: *mut Options,
    manual: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe { set(options, error, |options| options.manual_ack = manual) }
}

/// Sets how completions come to the program, a pmq_completions. See "Tokens".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_completions(
    options: *mut Options,
    completions: i32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            options.completions = match completions {
                0 => Completions::Event,
                1 => Completions::Wait,
                other => {
                    return Err(Error::argument(format_args!(
                        "{other} is no pmq_completions"
                    )));
                }
            };
            Ok(())
        })
    }
}

/// Sets whether subscriptions come back by themselves when the server has lost the session. Default true. If not, they are over
/// then (but for those without an answer so far): PMQ_EVENT_CONNECTED without pmq_event_session_present has the program
/// subscribe again. Of a 3.1 server nobody knows whether it kept the session: with one, they are over with each connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_resubscribe(
    options: *mut Options,
    resubscribe: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.resubscribe = resubscribe
        })
    }
}

/// Sets whether unacknowledged publishes are published anew when the server has lost the session. Default true: nothing is
/// lost, and a QoS 2 message may arrive twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_republish(
    options: *mut Options,
    republish: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.on_session_lost = if republish {
                SessionLost::Republish
            } else {
                SessionLost::Drop
            };
        })
    }
}
