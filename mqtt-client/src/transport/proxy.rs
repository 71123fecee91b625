//! Asking a proxy for a connection to a server.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use data_encoding::BASE64;
use httparse::{EMPTY_HEADER, Response, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use super::ByteStream;
use super::dialer::Host;
use crate::error::ProxyError;
use crate::options::{Proxy, ProxyProtocol};

/// The longest answer to CONNECT, in bytes, and the most headers in it.
const MAX_ANSWER: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// The longest name that SOCKS can say, and that DNS has.
const MAX_NAME: usize = 255;

/// Has the proxy at the other end of `stream` connect it to `host`. Nothing of what follows its answer is read.
pub(super) async fn ask(
    proxy: &Proxy,
    stream: &mut dyn ByteStream,
    host: Host<'_>,
) -> Result<(), ProxyError> {
    // A server may have named it (v5 4.11), and it stands in a line of text.
    let sayable = host.name.bytes().all(|byte| byte.is_ascii_graphic());
    if !sayable || host.name.is_empty() || host.name.len() > MAX_NAME {
        return Err(ProxyError::ServerName);
    }
    match proxy.protocol {
        ProxyProtocol::Http => connect(proxy, stream, host).await,
        ProxyProtocol::Socks5 => socks5(proxy, stream, host).await,
    }
}

async fn socks5(
    proxy: &Proxy,
    stream: &mut dyn ByteStream,
    host: Host<'_>,
) -> Result<(), ProxyError> {
    let target = (host.name, host.port);
    let asked = match &proxy.credentials {
        Some((username, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, username, password).await
        }
        None => Socks5Stream::connect_with_socket(stream, target).await,
    };
    let Err(error) = asked else { return Ok(()) };
    Err(match error {
        SocksError::Io(error) => ProxyError::Io(Arc::new(error)),
        SocksError::NoAcceptableAuthMethods | SocksError::AuthorizationRequired => {
            match proxy.credentials {
                Some(_) => ProxyError::CredentialsRefused,
                None => ProxyError::CredentialsWanted,
            }
        }
        SocksError::PasswordAuthFailure(_) => ProxyError::CredentialsRefused,
        SocksError::GeneralSocksServerFailure
        | SocksError::ConnectionNotAllowedByRuleset
        | SocksError::NetworkUnreachable
        | SocksError::HostUnreachable
        | SocksError::ConnectionRefused
        | SocksError::TtlExpired
        | SocksError::CommandNotSupported
        | SocksError::AddressTypeNotSupported => ProxyError::Refused {
            answer: error.to_string(),
        },
        _ => ProxyError::NotAProxy {
            what: error.to_string(),
        },
    })
}

async fn connect(
    proxy: &Proxy,
    stream: &mut dyn ByteStream,
    host: Host<'_>,
) -> Result<(), ProxyError> {
    let broken = |error| ProxyError::Io(Arc::new(error));
    let request = request(proxy, host);
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await.map_err(broken)? == 0 {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut headers);
        let end = match response.parse(&answer) {
            Ok(Status::Partial) if answer.len() < MAX_ANSWER => continue,
            Ok(Status::Partial) => return Err(no_proxy("its answer is too long")),
            Ok(Status::Complete(end)) => end,
            Err(error) => return Err(no_proxy(error)),
        };
        return match response.code.unwrap_or_default() {
            // Neither in MQTT nor in TLS nor in WebSocket does the server begin.
            200..=299 if end < answer.len() => Err(no_proxy("more than its answer came")),
            200..=299 => Ok(()),
            407 if proxy.credentials.is_some() => Err(ProxyError::CredentialsRefused),
            407 => Err(ProxyError::CredentialsWanted),
            code => Err(ProxyError::Refused {
                answer: format!("{code} {}", response.reason.unwrap_or_default())
                    .trim_end()
                    .to_owned(),
            }),
        };
    }
}

fn no_proxy(what: impl ToString) -> ProxyError {
    ProxyError::NotAProxy {
        what: what.to_string(),
    }
}

/// CONNECT for `host` (RFC 9110 9.3.6), with credentials if there are any: it is not waited until the proxy asks for them.
fn request(proxy: &Proxy, host: Host<'_>) -> String {
    let target = host.to_string();
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some((username, password)) = &proxy.credentials {
        let encoded = BASE64.encode(format!("{username}:{password}").as_bytes());
        let _ = write!(request, "Proxy-Authorization: Basic {encoded}\r\n");
    }
    request + "\r\n"
}
