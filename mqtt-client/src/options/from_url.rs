//! `mqtt://` URLs.

use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::{ClientId, DEFAULT_PORT, Options, OptionsError, Version};

/// Schemes of transports that are planned.
const PLANNED: [&str; 4] = ["mqtts", "ws", "wss", "unix"];

/// See [`Options::from_url`].
pub(super) fn parse(text: &str) -> Result<Options, OptionsError> {
    let url = Url::parse(text)?;
    let scheme = url.scheme();
    if PLANNED.contains(&scheme) {
        return Err(OptionsError::SchemeNotSupported {
            scheme: scheme.to_owned(),
        });
    }
    if scheme != "mqtt" {
        return Err(OptionsError::SchemeUnknown {
            scheme: scheme.to_owned(),
        });
    }
    if !matches!(url.path(), "" | "/") {
        return Err(OptionsError::UrlPart { part: "path" });
    }
    if url.fragment().is_some() {
        return Err(OptionsError::UrlPart { part: "fragment" });
    }
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or(url::ParseError::EmptyHost)?;
    // IPv6 addresses carry brackets in a URL only. Other hosts may be percent-encoded, as the scheme is not a special one.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = decode("host", host)?;
    let mut options = Options::new(host, url.port().unwrap_or(DEFAULT_PORT));
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
        _ => {
            return Err(OptionsError::UnknownParameter {
                name: name.to_owned(),
            });
        }
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
                   &session_expiry=90&connect_timeout=3&receive_maximum=5&maximum_packet_size=99&topic_alias_maximum=0";
        let options = Options::from_url(url).unwrap();
        assert_eq!(options.addresses, [("Broker.Example".to_owned(), 2883)]);
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
            (options.clean_start, options.version),
            (false, Version::V3_1_1)
        );
    }

    #[test]
    fn port_and_path_have_defaults_and_ipv6_loses_its_brackets() {
        assert_eq!(
            Options::from_url("mqtt://h").unwrap().addresses,
            [("h".to_owned(), 1883)]
        );
        assert_eq!(
            Options::from_url("mqtt://[::1]:9").unwrap().addresses,
            [("::1".to_owned(), 9)]
        );
    }

    #[test]
    fn says_what_is_wrong_and_repeats_no_secret() {
        let refused = |url: &str| Options::from_url(url).unwrap_err().to_string();
        assert_eq!(
            refused("mqtts://h"),
            "mqtts:// is not supported yet; use mqtt://"
        );
        assert_eq!(
            refused("wss://h/mqtt"),
            "wss:// is not supported yet; use mqtt://"
        );
        assert_eq!(
            refused("http://h"),
            "http:// is not a scheme of MQTT; use mqtt://"
        );
        assert_eq!(
            refused("mqtt://h/path"),
            "a path has no meaning in an mqtt:// URL"
        );
        assert_eq!(
            refused("mqtt://h/?keepalive=3"),
            "unknown parameter \"keepalive\" in the URL"
        );
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
