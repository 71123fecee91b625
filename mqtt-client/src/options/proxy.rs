//! A proxy as it is asked for.

use std::fmt;

use percent_encoding::percent_decode_str;
use thiserror::Error;
use url::Url;

/// The most bytes of a name that SOCKS can say, and the password is the same (RFC 1929 2).
const SOCKS_FIELD: usize = 255;

/// A proxy between the client and its servers. TCP connections are opened through it, and TLS and WebSocket go over them to the
/// server as they would without; the names of servers are looked up by the proxy. Unix sockets are reached without it.
///
/// ```
/// use mqtt_client::{Options, Proxy};
///
/// let proxy = Proxy::from_url("http://me:secret@proxy.example:3128")?;
/// let options = Options::new("broker.example", 8883).with_proxy(proxy);
/// assert!(!format!("{options:?}").contains("secret"));
/// # Ok::<(), mqtt_client::OptionsError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Proxy {
    pub(crate) protocol: ProxyProtocol,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) credentials: Option<(String, String)>,
}

/// What is spoken with a proxy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProxyProtocol {
    /// The method CONNECT of HTTP/1.1 (RFC 9110 9.3.6).
    Http,
    /// SOCKS 5 (RFC 1928).
    Socks5,
}

impl Proxy {
    /// A proxy that is not asked for credentials. `host` is a name or an address, IPv6 without brackets.
    pub fn new(protocol: ProxyProtocol, host: impl Into<String>, port: u16) -> Self {
        Self {
            protocol,
            host: host.into(),
            port,
            credentials: None,
        }
    }

    /// A proxy from a URL: `http://user:password@host:port` (default port 80) or `socks5://user:password@host:port` (1080).
    ///
    /// # Errors
    /// [`ProxyOptionsError::Url`], [`ProxyOptionsError::Scheme`], [`ProxyOptionsError::UrlPart`], [`ProxyOptionsError::Port`],
    /// [`ProxyOptionsError::Credentials`].
    pub fn from_url(url: &str) -> Result<Self, ProxyOptionsError> {
        let url = Url::parse(url)?;
        let (protocol, default_port) = match url.scheme() {
            "http" => (ProxyProtocol::Http, 80),
            "socks5" | "socks5h" => (ProxyProtocol::Socks5, 1080),
            scheme => return Err(ProxyOptionsError::Scheme(scheme.to_owned())),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyOptionsError::UrlPart);
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(url::ParseError::EmptyHost)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port().unwrap_or(default_port);
        if port == 0 {
            return Err(ProxyOptionsError::Port);
        }
        let proxy = Self::new(protocol, host, port);
        if url.username().is_empty() && url.password().is_none() {
            return Ok(proxy);
        }
        let decode = |text| percent_decode_str(text).decode_utf8();
        match (
            decode(url.username()),
            decode(url.password().unwrap_or_default()),
        ) {
            (Ok(user), Ok(password)) => Ok(proxy.with_credentials(user, password)),
            _ => Err(ProxyOptionsError::Credentials),
        }
    }

    /// Says who this is, if the proxy asks (HTTP: Basic, RFC 7617; SOCKS 5: RFC 1929). They go to the proxy unencrypted.
    #[must_use]
    pub fn with_credentials(
        mut self,
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.credentials = Some((username.into(), password.into()));
        self
    }

    /// Looks for what could never work.
    pub(crate) fn check(&self) -> Result<(), ProxyOptionsError> {
        if !cfg!(feature = "proxy") {
            return Err(ProxyOptionsError::NotBuiltIn);
        }
        if self.port == 0 {
            return Err(ProxyOptionsError::Port);
        }
        let Some((username, password)) = &self.credentials else {
            return Ok(());
        };
        let fits = match self.protocol {
            // The first colon ends the user name, and control characters are not allowed (RFC 7617 2).
            ProxyProtocol::Http => {
                !username.contains(':')
                    && !format!("{username}{password}").contains(char::is_control)
            }
            ProxyProtocol::Socks5 => [username, password]
                .iter()
                .all(|field| (1..=SOCKS_FIELD).contains(&field.len())),
        };
        if fits {
            Ok(())
        } else {
            Err(ProxyOptionsError::Credentials)
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("protocol", &self.protocol)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("credentials", &self.credentials.is_some())
            .finish()
    }
}

/// A proxy that can never work as it is asked for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ProxyOptionsError {
    /// The library was built without the feature `proxy`.
    #[error("this program was built without proxies (feature \"proxy\" of mqtt-client)")]
    NotBuiltIn,
    /// The text is not a URL.
    #[error("proxy: not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// A scheme of no proxy.
    #[error("proxy: {0}:// is not offered; use http or socks5")]
    Scheme(String),
    /// The URL has more than credentials, host and port. It is not repeated: a password that was not percent-encoded may have
    /// ended up in it.
    #[error("proxy: a path, query or fragment has no meaning in the URL of a proxy")]
    UrlPart,
    /// Port 0, at which nobody can be reached.
    #[error("proxy: the port must not be zero")]
    Port,
    /// What the proxy's protocol cannot say. They are not repeated.
    #[error(
        "proxy: the user name and password cannot be sent: HTTP has no colon in the name and no control characters, SOCKS 5 \
         has 1 to 255 bytes of each, and both have UTF-8"
    )]
    Credentials,
    /// A connector opens connections by itself.
    #[error("proxy: a connector does not go through one")]
    WithConnector,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_part() {
        let proxy = Proxy::from_url("http://an%40na:p%3Aw@Proxy.Example:3128/").unwrap();
        let expected = Proxy::new(ProxyProtocol::Http, "proxy.example", 3128);
        assert_eq!(proxy, expected.with_credentials("an@na", "p:w"));
        for (url, protocol, host, port) in [
            ("http://h", ProxyProtocol::Http, "h", 80),
            ("socks5://h", ProxyProtocol::Socks5, "h", 1080),
            ("socks5h://[::1]:7", ProxyProtocol::Socks5, "::1", 7),
        ] {
            let expected = Proxy::new(protocol, host, port);
            assert_eq!(Proxy::from_url(url).as_ref(), Ok(&expected), "{url}");
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_ignore() {
        for (url, error) in [
            ("h:3128", ProxyOptionsError::Scheme("h".to_owned())),
            ("https://h", ProxyOptionsError::Scheme("https".to_owned())),
            ("http://h/path", ProxyOptionsError::UrlPart),
            ("socks5://h?x", ProxyOptionsError::UrlPart),
            ("socks5://%FF@h", ProxyOptionsError::Credentials),
            ("http://h:0", ProxyOptionsError::Port),
        ] {
            assert_eq!(Proxy::from_url(url), Err(error), "{url}");
        }
        assert!(Proxy::from_url("proxy").is_err());
    }

    #[cfg(feature = "proxy")]
    #[test]
    fn nobody_is_at_port_0() {
        let proxy = Proxy::new(ProxyProtocol::Socks5, "h", 0);
        assert_eq!(proxy.check(), Err(ProxyOptionsError::Port));
    }

    #[cfg(feature = "proxy")]
    #[test]
    fn credentials_are_what_the_protocol_can_say() {
        let check = |protocol, username: &str, password: &str| {
            let proxy = Proxy::new(protocol, "h", 1);
            proxy.with_credentials(username, password).check()
        };
        let long = "x".repeat(256);
        let (http, socks) = (ProxyProtocol::Http, ProxyProtocol::Socks5);
        assert_eq!(check(http, "", &long), Ok(()));
        assert_eq!(check(socks, "a:b", "c"), Ok(()));
        for (protocol, username, password) in [
            (http, "a:b", "c"),
            (http, "a", "b\r\nc"),
            (socks, "", "c"),
            (socks, "a", ""),
            (socks, "a", &long),
        ] {
            let refused = Err(ProxyOptionsError::Credentials);
            assert_eq!(check(protocol, username, password), refused);
        }
    }
}
