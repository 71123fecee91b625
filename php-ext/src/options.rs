//! `Mqtt\Options`: read into [`Settings`], made from a URI, changed by name.

use std::ptr::NonNull;
use std::time::Duration;

use ext_php_rs::types::{ZendHashTable, Zval};
use mqtt_client::background::Inbox;
use mqtt_client::{
    Address, ClientId, DEFAULT_PORT, DEFAULT_TLS_PORT, Overflow, Proxy, Reconnect, Roots, Version,
    WebSocket,
};

use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::names::NAMES;
use crate::properties::{self, Will, in_range, nullable_in_range, nullable_text, pairs};
use crate::shim::{self, Class, Object};
use crate::tls::{self, TlsSettings};
use crate::uri;
use crate::value::{self, Key};

methods! {
    "zim_Mqtt_Options_fromUri" 1..=1 => from_uri;
    "zim_Mqtt_Options_with" 0..=0 => with;
}

/// 268,435,455 bytes of Remaining Length and 5 of fixed header (v5 1.5.5, 2.1.4).
const LARGEST_PACKET: i64 = 268_435_460;

/// Everything that decides whether two clients may share a connection. Settings of `php.ini` are resolved in it.
#[derive(Clone, PartialEq)]
pub(crate) struct Settings {
    address: Address,
    proxy: Option<Proxy>,
    tls: Option<TlsSettings>,
    websocket: Option<WebSocket>,
    version: Version,
    client_id: ClientId,
    username: Option<String>,
    password: Option<Vec<u8>>,
    keep_alive: u16,
    clean_start: bool,
    session_expiry: u32,
    connect_timeout: Duration,
    will: Option<Will>,
    user_properties: Vec<(String, String)>,
    receive_maximum: u16,
    maximum_packet_size: u32,
    topic_alias_maximum: u16,
    outgoing_topic_aliases: u16,
    response_topic: Option<String>,
    resubscribe: bool,
    follow_server_reference: bool,
    reconnect: Reconnect,
    queue_max_messages: usize,
    queue_max_bytes: usize,
    overflow: Overflow,
    inbox_max_messages: usize,
    inbox_max_bytes: usize,
}

impl Settings {
    /// From what a user gives as `string|Options $broker`.
    pub(crate) fn from_argument(call: &Call<'_>, number: u32) -> Result<Self, Thrown> {
        let argument = call.required(number)?;
        if let Some(object) = Object::of(argument) {
            if object.is(Class::Options) {
                return Ok(Self::from_object(object)?);
            }
        } else if let Some(text) = value::bytes_of(argument) {
            return Self::from_text(text);
        }
        Err(call.wrong_type(number, c"of type Mqtt\\Options|string"))
    }

    pub(crate) fn from_text(text: &[u8]) -> Result<Self, Thrown> {
        let made = options_from_uri(text)?;
        let object = Object::of(&made).ok_or(Thrown::Pending)?;
        Ok(Self::from_object(object)?)
    }

    /// Reads and checks an `Options` object, but for files: those of a persistent client that runs already are not needed.
    pub(crate) fn from_object(object: Object<'_>) -> Result<Self, Failure> {
        let carrier = Carrier::of(object)?;
        let settings = Self {
            address: carrier.address(object)?,
            proxy: proxy(object)?,
            tls: carrier.tls(object)?,
            websocket: carrier.websocket(object)?,
            version: version(object),
            client_id: client_id(object)?,
            username: nullable_text(object, "username")?,
            password: value::bytes_of(object.property("password")).map(<[u8]>::to_vec),
            keep_alive: u16_in_range(object, "keepAlive", 0)?,
            clean_start: object.property("cleanStart").bool().unwrap_or(true),
            session_expiry: u32_in_range(object, "sessionExpiry", 0, i64::from(u32::MAX))?,
            connect_timeout: connect_timeout(object)?,
            will: Object::of_class(object.property("will"), Class::Will)
                .map(Will::from_object)
                .transpose()?,
            user_properties: pairs(object, "userProperties")?,
            receive_maximum: u16_in_range(object, "receiveMaximum", 1)?,
            maximum_packet_size: u32_in_range(object, "maxPacketSize", 1, LARGEST_PACKET)?,
            topic_alias_maximum: u16_in_range(object, "topicAliasMaximum", 0)?,
            outgoing_topic_aliases: u16_in_range(object, "outgoingTopicAliases", 0)?,
            response_topic: nullable_text(object, "responseTopic")?,
            resubscribe: object.property("resubscribe").bool().unwrap_or(true),
            follow_server_reference: object
                .property("followServerReference")
                .bool()
                .unwrap_or(false),
            reconnect: reconnect(object)?,
            queue_max_messages: bound(object, "queueMaxMessages", Some("mqtt.queue_max_messages"))?,
            queue_max_bytes: bound(object, "queueMaxBytes", Some("mqtt.queue_max_bytes"))?,
            overflow: overflow(object),
            inbox_max_messages: bound(object, "inboxMaxMessages", None)?,
            inbox_max_bytes: bound(object, "inboxMaxBytes", None)?,
        };
        let mut options = settings.to_client()?;
        if let Some(tls) = &mut options.tls {
            tls.roots = Roots::System;
            tls.identity = None;
        }
        check(&options)?;
        Ok(settings)
    }

    /// Looks into the files of certificates and keys as well: whoever has these settings is about to use them.
    pub(crate) fn check_files(&self) -> Result<(), Failure> {
        check(&self.to_client()?)
    }

    pub(crate) fn to_client(&self) -> Result<mqtt_client::Options, Failure> {
        let mut options = mqtt_client::Options::with_addresses([self.address.clone()]);
        options.proxy.clone_from(&self.proxy);
        options.tls = self.tls.as_ref().map(TlsSettings::to_client);
        options.websocket.clone_from(&self.websocket);
        options.version = self.version;
        options.client_id = self.client_id.clone();
        options.username.clone_from(&self.username);
        options.password.clone_from(&self.password);
        options.keep_alive = Duration::from_secs(u64::from(self.keep_alive));
        options.clean_start = self.clean_start;
        options.session_expiry =
            (self.session_expiry > 0).then(|| Duration::from_secs(u64::from(self.session_expiry)));
        options.connect_timeout = self.connect_timeout;
        options.will = self.will.as_ref().map(Will::to_client).transpose()?;
        options.user_properties.clone_from(&self.user_properties);
        options.receive_maximum = self.receive_maximum;
        options.maximum_packet_size = self.maximum_packet_size;
        options.topic_alias_maximum = self.topic_alias_maximum;
        options.outgoing_topic_aliases = self.outgoing_topic_aliases;
        options.response_topic.clone_from(&self.response_topic);
        options.resubscribe = self.resubscribe;
        options.follow_server_reference = self.follow_server_reference;
        options.reconnect = self.reconnect;
        options.queue_max_messages = self.queue_max_messages;
        options.queue_max_bytes = self.queue_max_bytes;
        options.overflow = self.overflow;
        Ok(options)
    }

    /// How much may wait here for PHP.
    pub(crate) fn inbox(&self) -> Inbox {
        Inbox {
            max_messages: self.inbox_max_messages,
            max_bytes: self.inbox_max_bytes,
        }
    }

    /// Whether certificates are not verified.
    pub(crate) fn is_insecure(&self) -> bool {
        self.tls.as_ref().is_some_and(TlsSettings::is_insecure)
    }

    /// host:port or unix:path, for messages.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

fn check(options: &mqtt_client::Options) -> Result<(), Failure> {
    let checked = options.check();
    checked.map_err(|error| Failure::option(NAMES.options_error(&error)))
}

/// What MQTT is carried by, as the options say.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Carrier {
    Tcp,
    Tls,
    WebSocket,
    SecureWebSocket,
    Unix,
}

impl Carrier {
    fn of(object: Object<'_>) -> Result<Self, Failure> {
        let has_tls = !object.property("tls").is_null();
        let case = Object::of_class(object.property("transport"), Class::Transport);
        let carrier = match case.and_then(|case| value::bytes_of(case.enum_value())) {
            Some(b"tcp") => Self::Tcp,
            Some(b"tls") => Self::Tls,
            Some(b"ws") => Self::WebSocket,
            Some(b"wss") => Self::SecureWebSocket,
            Some(b"unix") => Self::Unix,
            _ if has_tls => Self::Tls,
            _ => Self::Tcp,
        };
        let without_meaning = [
            ("tls", has_tls, carrier.may_have_tls()),
            (
                "path",
                !object.property("path").is_null(),
                carrier == Self::Unix || carrier.is_websocket(),
            ),
            (
                "proxy",
                !object.property("proxy").is_null(),
                carrier != Self::Unix,
            ),
            (
                "headers",
                !pairs(object, "headers")?.is_empty(),
                carrier.is_websocket(),
            ),
        ];
        for (name, given, has_meaning) in without_meaning {
            if given && !has_meaning {
                return Err(Failure::option(format!(
                    "{name} has no meaning with this transport"
                )));
            }
        }
        Ok(carrier)
    }

    const fn is_websocket(self) -> bool {
        matches!(self, Self::WebSocket | Self::SecureWebSocket)
    }

    const fn may_have_tls(self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket | Self::Unix)
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Tls => DEFAULT_TLS_PORT,
            Self::WebSocket => 80,
            Self::SecureWebSocket => 443,
            Self::Tcp | Self::Unix => DEFAULT_PORT,
        }
    }

    fn address(self, object: Object<'_>) -> Result<Address, Failure> {
        if self == Self::Unix {
            let path = tls::file(object, "path")?.filter(|path| !path.is_empty());
            let path = path.ok_or_else(|| Failure::option("path must name the Unix socket"))?;
            return Ok(Address::unix(path));
        }
        let host = nullable_text(object, "host")?.filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| Failure::option("host must not be empty"))?;
        let port = nullable_in_range(object, "port", 1, i64::from(u16::MAX))?;
        let port = port.and_then(|port| u16::try_from(port).ok());
        Ok(Address::tcp(
            host,
            port.unwrap_or_else(|| self.default_port()),
        ))
    }

    fn tls(self, object: Object<'_>) -> Result<Option<TlsSettings>, Failure> {
        match Object::of_class(object.property("tls"), Class::Tls) {
            Some(tls) => TlsSettings::from_object(tls).map(Some),
            None if self.may_have_tls() && self != Self::Unix => Ok(Some(TlsSettings::default())),
            None => Ok(None),
        }
    }

    fn websocket(self, object: Object<'_>) -> Result<Option<WebSocket>, Failure> {
        if !self.is_websocket() {
            return Ok(None);
        }
        let mut websocket = WebSocket::default();
        if let Some(path) = nullable_text(object, "path")? {
            websocket.path = path;
        }
        websocket.headers = pairs(object, "headers")?;
        Ok(Some(websocket))
    }
}

fn u16_in_range(object: Object<'_>, name: &str, least: i64) -> Result<u16, Failure> {
    in_range(object, name, least, i64::from(u16::MAX))
        .map(|number| u16::try_from(number).unwrap_or(u16::MAX))
}

fn u32_in_range(object: Object<'_>, name: &str, least: i64, most: i64) -> Result<u32, Failure> {
    in_range(object, name, least, most).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// A bound on memory; where the property is null, the setting of that name decides.
fn bound(object: Object<'_>, name: &str, setting: Option<&str>) -> Result<usize, Failure> {
    let number = match (nullable_in_range(object, name, 1, i64::MAX)?, setting) {
        (Some(number), _) => number,
        (None, Some(setting)) => match shim::ini_int(setting) {
            number @ 1.. => number,
            number => {
                return Err(Failure::option(format!(
                    "{setting} must be 1 or more, {number} given"
                )));
            }
        },
        (None, None) => i64::MAX,
    };
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

fn proxy(object: Object<'_>) -> Result<Option<Proxy>, Failure> {
    let url = nullable_text(object, "proxy")?;
    url.map(|url| Proxy::from_url(&url))
        .transpose()
        .map_err(Failure::option)
}

fn version(object: Object<'_>) -> Version {
    match Object::of_class(object.property("protocol"), Class::Protocol)
        .and_then(|case| case.enum_value().long())
    {
        Some(3) => Version::V3_1,
        Some(4) => Version::V3_1_1,
        Some(5) => Version::V5,
        _ => Version::Auto,
    }
}

fn overflow(object: Object<'_>) -> Overflow {
    match Object::of_class(object.property("overflow"), Class::Overflow)
        .and_then(|case| value::bytes_of(case.enum_value()))
    {
        Some(b"drop-oldest") => Overflow::DropOldest,
        Some(b"drop-newest") => Overflow::DropNewest,
        _ => Overflow::Refuse,
    }
}

fn client_id(object: Object<'_>) -> Result<ClientId, Failure> {
    let exact = nullable_text(object, "clientId")?;
    let prefix = nullable_text(object, "clientIdPrefix")?;
    match (exact, prefix) {
        (Some(_), Some(_)) => Err(Failure::option(
            "clientId and clientIdPrefix exclude each other",
        )),
        (Some(exact), None) => Ok(ClientId::Exact(exact)),
        (None, Some(prefix)) => Ok(ClientId::Prefix(prefix)),
        (None, None) => Ok(ClientId::Prefix(
            shim::ini_string("mqtt.client_id_prefix").unwrap_or_default(),
        )),
    }
}

fn connect_timeout(object: Object<'_>) -> Result<Duration, Failure> {
    let given = object.property("connectTimeout").double();
    let seconds = given.unwrap_or_else(|| shim::ini_float("mqtt.connect_timeout"));
    if seconds > 0.0 && seconds <= 86_400.0 {
        return Ok(Duration::from_secs_f64(seconds));
    }
    let name = if given.is_some() {
        "connectTimeout"
    } else {
        "mqtt.connect_timeout"
    };
    Err(Failure::option(format!(
        "{name} must be more than 0 and at most 86400 seconds, {seconds} given"
    )))
}

fn reconnect(object: Object<'_>) -> Result<Reconnect, Failure> {
    let seconds = |name: &str| {
        let seconds = object.property(name).double().unwrap_or(0.0);
        if (0.001..=86_400.0).contains(&seconds) {
            Ok(Duration::from_secs_f64(seconds))
        } else {
            Err(Failure::option(format!(
                "{name} must be 0.001 to 86400 seconds, {seconds} given"
            )))
        }
    };
    let (min, max) = (seconds("reconnectMin")?, seconds("reconnectMax")?);
    if min > max {
        return Err(Failure::option(
            "reconnectMin must not be more than reconnectMax",
        ));
    }
    let jitter_percent = in_range(object, "reconnectJitterPercent", 0, 100)?;
    let attempts = nullable_in_range(object, "reconnectAttempts", 0, i64::from(u32::MAX))?;
    let mut reconnect = Reconnect::default();
    (reconnect.min, reconnect.max) = (min, max);
    reconnect.jitter_percent = u8::try_from(jitter_percent).unwrap_or(100);
    reconnect.attempts = attempts.map(|attempts| u32::try_from(attempts).unwrap_or(u32::MAX));
    Ok(reconnect)
}

fn from_uri(call: &Call<'_>) -> Answer {
    options_from_uri(call.string(1)?)
}

/// An `Options` object from a URI.
fn options_from_uri(text: &[u8]) -> Answer {
    let text = std::str::from_utf8(text).map_err(|_| Failure::option("the URI is not UTF-8"))?;
    let uri::Named { mut options, tls } = uri::named_options(text)?;
    if !tls.is_empty() {
        options.push((Key::Text(b"tls".as_slice().into()), tls_object(tls)?));
    }
    let mut table = value::map(options);
    let defaults = shim::construct(Class::Options).ok_or(Thrown::Pending)?;
    let base = Object::of(&defaults).ok_or(Thrown::Pending)?;
    finish(table.array_mut().map(NonNull::from), base, false)
}

/// A `Tls` object with these values, and otherwise the defaults.
fn tls_object(named: Vec<(Key, Zval)>) -> Answer {
    let mut table = value::map(named);
    let defaults = shim::construct(Class::Tls).ok_or(Thrown::Pending)?;
    let base = Object::of(&defaults).ok_or(Thrown::Pending)?;
    finish_as(
        Class::Tls,
        table.array_mut().map(NonNull::from),
        base,
        false,
    )
}

/// A copy of `$this` with changes by name.
fn with(call: &Call<'_>) -> Answer {
    // First, so that no exception shows them.
    let mut named = call.take_named();
    let base = call.this()?;
    finish(named.array_mut().map(NonNull::from), base, call.is_strict())
}

/// New options: those named from the table, the others from `base`.
fn finish(named: Option<NonNull<ZendHashTable>>, base: Object<'_>, strict: bool) -> Answer {
    finish_as(Class::Options, named, base, strict)
}

fn finish_as(
    class: Class,
    named: Option<NonNull<ZendHashTable>>,
    base: Object<'_>,
    strict: bool,
) -> Answer {
    let made = shim::new_object(class);
    let object = Object::of(&made).ok_or(Thrown::Pending)?;
    if !object.fill(named, base, strict) {
        return Err(Thrown::Pending);
    }
    properties::check(class, object)?;
    Ok(made)
}
