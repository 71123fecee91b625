//! URLs of servers.

use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::{
    Address, ClientId, DEFAULT_PORT, DEFAULT_TLS_PORT, Options, OptionsError, Tls, Version,
    WebSocket,
};

/// The parameters that [`apply`] knows.
pub(super) const PARAMETERS: [&str; 11] = [
    "client_id",
    "client_id_prefix",
    "keep_alive",
    "clean_start",
    "session_expiry",
    "connect_timeout",
    "version",
    "receive_maximum",
    "maximum_packet_size",
    "topic_alias_maximum",
    "outgoing_topic_aliases",
];

/// See [`Options::from_url`].
pub(super) fn parse(text: &str) -> Result<Options, OptionsError> {
    let url = Url::parse(text)?;
    let mut options = match url.scheme() {
        "mqtt" => network(&url, DEFAULT_PORT)?,
        "mqtts" => network(&url, DEFAULT_TLS_PORT)?.with_tls(Tls::new()),
        "ws" => network(&url, 80)?.with_websocket(websocket(&url)),
        "wss" => network(&url, 443)?
            .with_tls(Tls::new())
            .with_websocket(websocket(&url)),
        "unix" => Options::with_addresses([unix(&url)?]),
        scheme => {
            return Err(OptionsError::SchemeUnknown {
                scheme: scheme.to_owned(),
            });
        }
    };
    if url.fragment().is_some() {
        return Err(no_meaning("fragment", &url));
    }
    if !url.username().is_empty() {
        options.username = Some(decode("user name", url.username())?);
    }
    if let Some(password) = url.password() {
        options.password = Some(percent_decode_str(password).collect());
    }
    for (name, value) in url.query_pairs() {
        apply(&mut options, &name, &value)?;
    }
    Ok(options)
}

fn network(url: &Url, default_port: u16) -> Result<Options, OptionsError> {
    if matches!(url.scheme(), "mqtt" | "mqtts") && !matches!(url.path(), "" | "/") {
        return Err(no_meaning("path", url));
    }
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or(url::ParseError::EmptyHost)?;
    // IPv6 addresses carry brackets in a URL only. Other hosts may be percent-encoded, as the scheme is not a special one.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = decode("host", host)?;
    Ok(Options::new(host, url.port().unwrap_or(default_port)))
}

fn websocket(url: &Url) -> WebSocket {
    match url.path() {
        "" | "/" => WebSocket::default(),
        path => WebSocket::new(path),
    }
}

fn unix(url: &Url) -> Result<Address, OptionsError> {
    if url.host_str().is_some_and(|host| !host.is_empty()) {
        return Err(no_meaning("host", url));
    }
    let path: Vec<u8> = percent_decode_str(url.path()).collect();
    if !path.starts_with(b"/") || path.len() < 2 {
        return Err(OptionsError::NoSocketPath);
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        Ok(Address::unix(std::ffi::OsString::from_vec(path)))
    }
    #[cfg(not(unix))]
    {
        Err(OptionsError::NoUnixSockets)
    }
}

fn no_meaning(part: &'static str, url: &Url) -> OptionsError {
    OptionsError::UrlPart {
        part,
        scheme: url.scheme().to_owned(),
    }
}

fn apply(options: &mut Options, name: &str, value: &str) -> Result<(), OptionsError> {
    match name {
        "client_id" => options.client_id = ClientId::Exact(value.to_owned()),
        "client_id_prefix" => options.client_id = ClientId::Prefix(value.to_owned()),
        "keep_alive" => options.keep_alive = seconds("keep_alive", value)?,
        "session_expiry" => options.session_expiry = Some(seconds("session_expiry", value)?),
        "connect_timeout" => options.connect_timeout = seconds("connect_timeout", value)?,
        "receive_maximum" => options.receive_maximum = number("receive_maximum", value)?,
        "maximum_packet_size" => {
            options.maximum_packet_size = number("maximum_packet_size", value)?
        }
        "topic_alias_maximum" => {
            options.topic_alias_maximum = number("topic_alias_maximum", value)?
        }
        "outgoing_topic_aliases" => {
            options.outgoing_topic_aliases = number("outgoing_topic_aliases", value)?
        }
        "clean_start" => {
            options.clean_start = match value {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => {
                    return Err(OptionsError::Parameter {
                        name: "clean_start",
                        expected: "true or false",
                    });
                }
            }
        }
        "version" => {
            options.version = match value {
                "auto" => Version::Auto,
                "3" => Version::V3_1,
                "4" => Version::V3_1_1,
                "5" => Version::V5,
                _ => {
                    return Err(OptionsError::Parameter {
                        name: "version",
                        expected: "3, 4, 5 or auto",
                    });
                }
            }
        }
        _ => return Err(OptionsError::UnknownParameter),
    }
    Ok(())
}

fn decode(name: &'static str, text: &str) -> Result<String, OptionsError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| OptionsError::Parameter {
            name,
            expected: "well-formed UTF-8",
        })
}

fn seconds(name: &'static str, value: &str) -> Result<Duration, OptionsError> {
    let expected = "a whole number of seconds";
    value
        .parse()
        .map(Duration::from_secs)
        .map_err(|_| OptionsError::Parameter { name, expected })
}

fn number<T: FromStr>(name: &'static str, value: &str) -> Result<T, OptionsError> {
    value.parse().map_err(|_| OptionsError::Parameter {
        name,
        expected: "a whole number within its range",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_part() {
        let url = "mqtt://an%40na:p%3Aw%FF@Broker.Example:2883/?client_id=a%20b&keep_alive=7&clean_start=false&version=4\
                   &session_expiry=90&connect_timeout=3&receive_maximum=5&maximum_packet_size=99&topic_alias_maximum=7\
                   &outgoing_topic_aliases=8";
        let options = Options::from_url(url).unwrap();
        assert_eq!(options.addresses, [Address::tcp("Broker.Example", 2883)]);
        assert_eq!(options.username.as_deref(), Some("an@na"));
        assert_eq!(options.password.as_deref(), Some(&b"p:w\xFF"[..]));
        assert_eq!(options.client_id, ClientId::Exact("a b".to_owned()));
        assert_eq!(options.keep_alive, Duration::from_secs(7));
        assert_eq!(options.session_expiry, Some(Duration::from_secs(90)));
        assert_eq!(options.connect_timeout, Duration::from_secs(3));
        assert_eq!(
            (options.receive_maximum, options.maximum_packet_size),
            (5, 99)
        );
        assert_eq!(
            (options.topic_alias_maximum, options.outgoing_topic_aliases),
            (7, 8)
        );
        assert_eq!(
            (options.clean_start, options.version),
            (false, Version::V3_1_1)
        );
    }

    #[test]
    fn every_parameter_that_is_named_is_known() {
        for name in PARAMETERS {
            let read = Options::from_url(&format!("mqtt://h/?{name}=?"));
            assert_ne!(read.err(), Some(OptionsError::UnknownParameter), "{name}");
        }
    }

    #[test]
    fn port_and_path_have_defaults_and_ipv6_loses_its_brackets() {
        assert_eq!(
            Options::from_url("mqtt://h").unwrap().addresses,
            [Address::tcp("h", 1883)]
        );
        assert_eq!(
            Options::from_url("mqtt://[::1]:9").unwrap().addresses,
            [Address::tcp("::1", 9)]
        );
    }

    #[test]
    fn every_transport_has_its_scheme() {
        let parse = |url| Options::from_url(url).unwrap();
        let secure = parse("mqtts://u:p@h");
        assert_eq!(secure.addresses, [Address::tcp("h", 8883)]);
        assert!(secure.tls.is_some() && secure.websocket.is_none());
        assert_eq!(secure.username.as_deref(), Some("u"));
        assert_eq!(parse("mqtts://h:1883").addresses, [Address::tcp("h", 1883)]);

        let web = parse("ws://h?client_id=a");
        assert_eq!(web.addresses, [Address::tcp("h", 80)]);
        assert_eq!(web.websocket, Some(WebSocket::new("/mqtt")));
        assert!(web.tls.is_none());
        assert_eq!(web.client_id, ClientId::Exact("a".to_owned()));
        let web = parse("wss://[::1]:9001/a%20b/c");
        assert_eq!(web.addresses, [Address::tcp("::1", 9001)]);
        assert_eq!(web.websocket, Some(WebSocket::new("/a%20b/c")));
        assert!(web.tls.is_some());
        assert_eq!(parse("wss://h").addresses, [Address::tcp("h", 443)]);

        let unix = parse("unix:///run/my%20mqtt.sock?keep_alive=9");
        assert_eq!(unix.addresses, [Address::unix("/run/my mqtt.sock")]);
        assert_eq!(unix.keep_alive, Duration::from_secs(9));
        assert!(unix.tls.is_none() && unix.websocket.is_none());
    }

    #[test]
    fn says_what_is_wrong_and_repeats_no_secret() {
        let refused = |url: &str| Options::from_url(url).unwrap_err().to_string();
        assert_eq!(
            refused("http://h"),
            "http:// is not a scheme of MQTT; use mqtt, mqtts, ws, wss or unix"
        );
        assert_eq!(
            refused("mqtt://h/path"),
            "a path has no meaning in the URL of mqtt://"
        );
        assert_eq!(
            refused("wss://h/mqtt#part"),
            "a fragment has no meaning in the URL of wss://"
        );
        assert_eq!(
            refused("unix://run/mqtt.sock"),
            "a host has no meaning in the URL of unix://"
        );
        assert_eq!(
            refused("unix://"),
            "the URL has no path of a Unix socket: write unix:///run/mqtt.sock"
        );
        // The rest of a password with a question mark, say.
        for url in ["mqtt://h/?keepalive=3", "mqtt://user:12?sec&ret@h"] {
            assert_eq!(
                refused(url),
                "the URL has a parameter that is none of client_id, client_id_prefix, keep_alive, clean_start, \
                 session_expiry, connect_timeout, version, receive_maximum, maximum_packet_size, topic_alias_maximum, \
                 outgoing_topic_aliases"
            );
        }
        assert_eq!(
            refused("mqtt://h/?keep_alive=x"),
            "parameter \"keep_alive\" in the URL must be a whole number of seconds"
        );
        assert_eq!(
            refused("mqtt://h/?version=6"),
            "parameter \"version\" in the URL must be 3, 4, 5 or auto"
        );
        assert_eq!(refused("mqtt://u:secret@"), "not a URL: empty host");
        assert!(
            refused("h:1883").contains("not a scheme of MQTT"),
            "{}",
            refused("h:1883")
        );
        assert!(refused("").starts_with("not a URL"));
    }
}
