//! What `--listen` says.

use mqtt_broker::{Listener, LocalAddress, ServerTls};
use url::Url;

/// The path of a WebSocket that is not named.
const DEFAULT_PATH: &str = "/mqtt";

/// A listener, and how it is told where it listens.
#[derive(Debug)]
pub(crate) struct Listen {
    pub(crate) listener: Listener,
    pub(crate) shown: Shown,
}

/// The parts of a URL around an address; both are empty for plain TCP.
#[derive(Debug)]
pub(crate) struct Shown {
    scheme: &'static str,
    path: String,
}

impl Shown {
    pub(crate) fn at(&self, address: &LocalAddress) -> String {
        format!("{}{address}{}", self.scheme, self.path)
    }
}

/// Why a text says nothing that could be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenUrlError {
    #[error("--listen {text}: not a URL")]
    Url {
        text: String,
        source: url::ParseError,
    },
    #[error("--listen {text}: use mqtt, mqtts, ws, wss or unix")]
    Scheme { text: String },
    #[error("--listen {text}: {part} has no meaning here")]
    Part { text: String, part: &'static str },
    #[error("--listen {text}: write unix:///run/mqtt.sock")]
    Path { text: String },
    #[error("--listen {text}: TLS needs --tls-cert and --tls-key")]
    NoCertificate { text: String },
}

/// `ADDRESS:PORT`, or a URL.
pub(crate) fn parse(text: &str, tls: Option<&ServerTls>) -> Result<Listen, ListenUrlError> {
    let text = || text.to_owned();
    if !text().contains("://") {
        return Ok(Listen {
            listener: Listener::tcp(text()),
            shown: Shown {
                scheme: "",
                path: String::new(),
            },
        });
    }
    let url = Url::parse(&text()).map_err(|source| ListenUrlError::Url {
        text: text(),
        source,
    })?;
    let no_meaning = |part| ListenUrlError::Part { text: text(), part };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(no_meaning("a user"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(no_meaning("what follows the path"));
    }
    let (scheme, port, is_secure, is_websocket) = match url.scheme() {
        "mqtt" => ("mqtt://", 1883, false, false),
        "mqtts" => ("mqtts://", 8883, true, false),
        "ws" => ("ws://", 80, false, true),
        "wss" => ("wss://", 443, true, true),
        "unix" => return unix(&url, text()),
        _ => return Err(ListenUrlError::Scheme { text: text() }),
    };
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| ListenUrlError::Url {
            text: text(),
            source: url::ParseError::EmptyHost,
        })?;
    let mut listener = Listener::tcp(format!("{host}:{}", url.port().unwrap_or(port)));
    if is_secure {
        let tls = tls.ok_or_else(|| ListenUrlError::NoCertificate { text: text() })?;
        listener = listener.with_tls(tls.clone());
    }
    let path = match url.path() {
        "" | "/" if is_websocket => DEFAULT_PATH,
        "" | "/" => "",
        path if is_websocket => path,
        _ => return Err(no_meaning("a path")),
    };
    if is_websocket {
        listener = listener.with_websocket(path);
    }
    Ok(Listen {
        listener,
        shown: Shown {
            scheme,
            path: path.to_owned(),
        },
    })
}

fn unix(url: &Url, text: String) -> Result<Listen, ListenUrlError> {
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8();
    match path {
        Ok(path) if !has_host && path.len() > 1 => Ok(Listen {
            listener: Listener::unix(path.as_ref()),
            shown: Shown {
                scheme: "unix://",
                path: String::new(),
            },
        }),
        _ => Err(ListenUrlError::Path { text }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn addresses_and_urls_are_read_and_shown_alike() {
        let tls = ServerTls::from_files("chain.pem", "key.pem");
        let local = LocalAddress::Tcp("127.0.0.1:7".parse().unwrap());
        let shown = |text| parse(text, Some(&tls)).unwrap().shown.at(&local);
        assert_eq!(shown("127.0.0.1:0"), "127.0.0.1:7");
        assert_eq!(shown("mqtt://localhost:0"), "mqtt://127.0.0.1:7");
        assert_eq!(shown("mqtts://[::1]:0"), "mqtts://127.0.0.1:7");
        assert_eq!(shown("ws://127.0.0.1:0"), "ws://127.0.0.1:7/mqtt");
        assert_eq!(shown("wss://127.0.0.1:0/a/b"), "wss://127.0.0.1:7/a/b");
        let local = LocalAddress::Unix(Path::new("/run/a b").to_path_buf());
        let listen = parse("unix:///run/a%20b", None).unwrap();
        assert_eq!(listen.shown.at(&local), "unix:///run/a b");
    }

    #[test]
    fn says_what_is_wrong() {
        let refused = |text| parse(text, None).unwrap_err().to_string();
        assert_eq!(
            refused("mqtts://127.0.0.1:1"),
            "--listen mqtts://127.0.0.1:1: TLS needs --tls-cert and --tls-key"
        );
        assert_eq!(
            refused("http://127.0.0.1:1"),
            "--listen http://127.0.0.1:1: use mqtt, mqtts, ws, wss or unix"
        );
        assert_eq!(
            refused("mqtt://127.0.0.1:1/mqtt"),
            "--listen mqtt://127.0.0.1:1/mqtt: a path has no meaning here"
        );
        assert_eq!(
            refused("ws://u@127.0.0.1:1"),
            "--listen ws://u@127.0.0.1:1: a user has no meaning here"
        );
        assert_eq!(
            refused("unix://run/mqtt.sock"),
            "--listen unix://run/mqtt.sock: write unix:///run/mqtt.sock"
        );
        assert!(refused("mqtt://:1").ends_with("not a URL"));
    }
}
