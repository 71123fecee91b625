//! `mqtt://user:password@host:port?name=value`, taken apart into the options of those names.

use ext_php_rs::types::Zval;
use url::Url;

use crate::exception::Failure;
use crate::shim::{self, Class};
use crate::value::{self, Key};

/// What the value of a query parameter must be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int,
    Float,
    Bool,
    Protocol,
    Overflow,
}

/// The options a URI may name in its query, as the constructor of `Options` names them.
const PARAMETERS: [(&str, Kind); 17] = [
    ("protocol", Kind::Protocol),
    ("clientId", Kind::Text),
    ("clientIdPrefix", Kind::Text),
    ("keepAlive", Kind::Int),
    ("cleanStart", Kind::Bool),
    ("sessionExpiry", Kind::Int),
    ("connectTimeout", Kind::Float),
    ("receiveMaximum", Kind::Int),
    ("maxPacketSize", Kind::Int),
    ("reconnectMin", Kind::Float),
    ("reconnectMax", Kind::Float),
    ("reconnectAttempts", Kind::Int),
    ("queueMaxMessages", Kind::Int),
    ("queueMaxBytes", Kind::Int),
    ("overflow", Kind::Overflow),
    ("inboxMaxMessages", Kind::Int),
    ("inboxMaxBytes", Kind::Int),
];

/// The options in a URI, by name. No message repeats a value: it may be a secret.
pub(crate) fn named_options(text: &str) -> Result<Vec<(Key, Zval)>, Failure> {
    let uri = Url::parse(text)
        .map_err(|error| Failure::option(format!("not a URI of the form mqtt://host: {error}")))?;
    match uri.scheme() {
        "mqtt" => {}
        scheme @ ("mqtts" | "ws" | "wss" | "unix") => {
            return Err(Failure::option(format!(
                "{scheme}:// is not supported yet; use mqtt://"
            )));
        }
        scheme => {
            return Err(Failure::option(format!(
                "{scheme}:// is not a scheme of MQTT; use mqtt://"
            )));
        }
    }
    if !matches!(uri.path(), "" | "/") || uri.fragment().is_some() {
        return Err(Failure::option(
            "an mqtt:// URI has neither a path nor a fragment",
        ));
    }
    let mut named = Vec::new();
    let host = uri
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| Failure::option("the URI names no host"))?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    named.push((key("host"), value::text(&decode(host, "host")?)));
    if let Some(port) = uri.port() {
        named.push((key("port"), value::int(i64::from(port))));
    }
    if !uri.username().is_empty() {
        named.push((
            key("username"),
            value::text(&decode(uri.username(), "username")?),
        ));
    }
    if let Some(password) = uri.password() {
        named.push((key("password"), value::text(&decode(password, "password")?)));
    }
    for (name, text) in uri.query_pairs() {
        let kind = PARAMETERS.iter().find(|(known, _)| *known == name);
        let (name, kind) =
            kind.ok_or_else(|| Failure::option(format!("unknown parameter {name:?} in the URI")))?;
        let value = parse(*kind, &text).map_err(|expected| {
            Failure::option(format!(
                "the parameter {name:?} in the URI must be {expected}"
            ))
        })?;
        named.push((key(name), value));
    }
    Ok(named)
}

fn key(name: &str) -> Key {
    Key::Text(name.as_bytes().into())
}

fn decode(text: &str, part: &str) -> Result<String, Failure> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Failure::option(format!("the {part} in the URI is not UTF-8")))
}

fn parse(kind: Kind, text: &str) -> Result<Zval, &'static str> {
    match kind {
        Kind::Text => Ok(value::text(text)),
        Kind::Int => text.parse().map(value::int).map_err(|_| "a whole number"),
        Kind::Float => text.parse().map(value::float).map_err(|_| "a number"),
        Kind::Bool => match text {
            "1" | "true" => Ok(value::bool(true)),
            "0" | "false" => Ok(value::bool(false)),
            _ => Err("true or false"),
        },
        Kind::Protocol => match text {
            "3" => Ok(shim::enum_case(Class::Protocol, c"V31")),
            "4" => Ok(shim::enum_case(Class::Protocol, c"V311")),
            "5" => Ok(shim::enum_case(Class::Protocol, c"V5")),
            _ => Err("3, 4 or 5"),
        },
        Kind::Overflow => match text {
            "reject" => Ok(shim::enum_case(Class::Overflow, c"Reject")),
            "drop-oldest" => Ok(shim::enum_case(Class::Overflow, c"DropOldest")),
            "drop-newest" => Ok(shim::enum_case(Class::Overflow, c"DropNewest")),
            _ => Err("reject, drop-oldest or drop-newest"),
        },
    }
}
