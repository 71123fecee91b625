//! `mqtt://user:password@host:port?name=value` and its like, taken apart into the options of those names.

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
    TlsVersion,
    Overflow,
}

/// The options a URI may name in its query, as the constructor of `Options` names them.
const PARAMETERS: [(&str, Kind); 24] = [
    ("proxy", Kind::Text),
    ("protocol", Kind::Protocol),
    ("clientId", Kind::Text),
    ("clientIdPrefix", Kind::Text),
    ("keepAlive", Kind::Int),
    ("cleanStart", Kind::Bool),
    ("sessionExpiry", Kind::Int),
    ("connectTimeout", Kind::Float),
    ("receiveMaximum", Kind::Int),
    ("maxPacketSize", Kind::Int),
    ("topicAliasMaximum", Kind::Int),
    ("outgoingTopicAliases", Kind::Int),
    ("responseTopic", Kind::Text),
    ("resubscribe", Kind::Bool),
    ("followServerReference", Kind::Bool),
    ("reconnectMin", Kind::Float),
    ("reconnectMax", Kind::Float),
    ("reconnectJitterPercent", Kind::Int),
    ("reconnectAttempts", Kind::Int),
    ("queueMaxMessages", Kind::Int),
    ("queueMaxBytes", Kind::Int),
    ("overflow", Kind::Overflow),
    ("inboxMaxMessages", Kind::Int),
    ("inboxMaxBytes", Kind::Int),
];

/// Those of the constructor of `Tls`.
const TLS_PARAMETERS: [(&str, Kind); 7] = [
    ("caFile", Kind::Text),
    ("certFile", Kind::Text),
    ("keyFile", Kind::Text),
    ("keyPassphrase", Kind::Text),
    ("serverName", Kind::Text),
    ("minVersion", Kind::TlsVersion),
    ("insecure", Kind::Bool),
];

/// What a URI says, by the names of the options.
#[derive(Default)]
pub(crate) struct Named {
    /// Those of `Options`.
    pub(crate) options: Vec<(Key, Zval)>,
    /// Those of `Tls`.
    pub(crate) tls: Vec<(Key, Zval)>,
}

/// Takes a URI apart. No message repeats a value, or a name that means nothing: it may be a secret.
pub(crate) fn named_options(text: &str) -> Result<Named, Failure> {
    let uri = Url::parse(text)
        .map_err(|error| Failure::option(format!("not a URI of the form mqtt://host: {error}")))?;
    let mut named = Named::default();
    let transport = match uri.scheme() {
        "mqtt" => c"Tcp",
        "mqtts" => c"Tls",
        "ws" => c"WebSocket",
        "wss" => c"SecureWebSocket",
        "unix" => c"Unix",
        scheme => {
            return Err(Failure::option(format!(
                "{scheme}:// is not a scheme of MQTT; use mqtt, mqtts, ws, wss or unix"
            )));
        }
    };
    let mut option = |name: &str, value| named.options.push((key(name), value));
    option("transport", shim::enum_case(Class::Transport, transport));
    match uri.scheme() {
        "unix" => option("path", socket_path(&uri)?),
        scheme => {
            option("host", host(&uri)?);
            // The parser leaves out the port that is standard for the scheme, which is the default here as well.
            if let Some(port) = uri.port() {
                option("port", value::int(i64::from(port)));
            }
            match (scheme, uri.path()) {
                (_, "" | "/") => {}
                ("ws" | "wss", path) => option("path", value::text(path)),
                _ => return Err(no_meaning("a path", scheme)),
            }
        }
    }
    if uri.fragment().is_some() {
        return Err(no_meaning("a fragment", uri.scheme()));
    }
    if !uri.username().is_empty() {
        option(
            "username",
            value::text(&decode(uri.username(), "username")?),
        );
    }
    if let Some(password) = uri.password() {
        option("password", value::text(&decode(password, "password")?));
    }
    for (name, text) in uri.query_pairs() {
        let find =
            |list: &[(&'static str, Kind)]| list.iter().find(|(known, _)| *known == name).copied();
        let (kind, list) = match (find(&PARAMETERS), find(&TLS_PARAMETERS)) {
            (Some((_, kind)), _) => (kind, &mut named.options),
            (_, Some((_, kind))) => (kind, &mut named.tls),
            _ => return Err(unknown_parameter()),
        };
        let value = parse(kind, &text).map_err(|expected| {
            Failure::option(format!(
                "the parameter {name:?} in the URI must be {expected}"
            ))
        })?;
        list.push((key(&name), value));
    }
    Ok(named)
}

fn host(uri: &Url) -> Result<Zval, Failure> {
    let host = uri
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| Failure::option("the URI names no host"))?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    Ok(value::text(&decode(host, "host")?))
}

fn socket_path(uri: &Url) -> Result<Zval, Failure> {
    if uri.host_str().is_some_and(|host| !host.is_empty()) {
        return Err(no_meaning("a host", "unix"));
    }
    let path = decode(uri.path(), "path")?;
    if path.len() < 2 || !path.starts_with('/') {
        return Err(Failure::option(
            "the URI must name the socket, as in unix:///run/broker.sock",
        ));
    }
    Ok(value::text(&path))
}

fn no_meaning(part: &str, scheme: &str) -> Failure {
    Failure::option(format!("{part} has no meaning in a {scheme}:// URI"))
}

/// Without its name, which may be the rest of a secret in which a & or ? was not written as %26 or %3F.
fn unknown_parameter() -> Failure {
    let known = PARAMETERS.iter().chain(&TLS_PARAMETERS);
    let known: Vec<_> = known.map(|(name, _)| *name).collect();
    Failure::option(format!(
        "the URI has a parameter that is none of {}",
        known.join(", ")
    ))
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
        Kind::TlsVersion => match text {
            "1.2" => Ok(shim::enum_case(Class::TlsVersion, c"V12")),
            "1.3" => Ok(shim::enum_case(Class::TlsVersion, c"V13")),
            _ => Err("1.2 or 1.3"),
        },
        Kind::Overflow => match text {
            "reject" => Ok(shim::enum_case(Class::Overflow, c"Reject")),
            "drop-oldest" => Ok(shim::enum_case(Class::Overflow, c"DropOldest")),
            "drop-newest" => Ok(shim::enum_case(Class::Overflow, c"DropNewest")),
            _ => Err("reject, drop-oldest or drop-newest"),
        },
    }
}
