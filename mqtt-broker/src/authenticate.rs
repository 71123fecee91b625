//! Who may connect: the question a broker asks its owner.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;

use mqtt_core::{ProtocolVersion, ReasonCode};

/// Decides who may connect.
///
/// Asked once for each CONNECT, before anything of it takes effect. The answer may take time: the connection waits, up to
/// [`Options::connect_timeout`](crate::Options::connect_timeout) in all, and nothing else does. Work that computes for long
/// (a password hash) belongs on a thread of its own, and should be bounded in number.
///
/// A plain function will do where there is nothing to wait for:
///
/// ```
/// use std::sync::Arc;
///
/// use mqtt_broker::{ConnectInfo, Options};
/// use mqtt_core::ReasonCode;
///
/// let mut options = Options::default();
/// options.authenticator = Some(Arc::new(|info: &ConnectInfo<'_>| match info.username {
///     Some("sensor") => Ok(()),
///     _ => Err(ReasonCode::NOT_AUTHORIZED),
/// }));
/// ```
pub trait Authenticate: Send + Sync + 'static {
    /// Lets the client in, or refuses it with a Reason Code for CONNACK.
    ///
    /// A code that a CONNACK may not carry becomes Not authorized (0x87). 3.x clients are told the nearest of their five
    /// codes.
    fn authenticate<'a>(
        &'a self,
        info: &'a ConnectInfo<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>>;
}

impl<F> Authenticate for F
where
    F: Fn(&ConnectInfo<'_>) -> Result<(), ReasonCode> + Send + Sync + 'static,
{
    fn authenticate<'a>(
        &'a self,
        info: &'a ConnectInfo<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>> {
        let answer = self(info);
        Box::pin(async move { answer })
    }
}

/// What a client said of itself in its CONNECT.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ConnectInfo<'a> {
    /// The version it speaks.
    pub version: ProtocolVersion,
    /// Its Client Identifier; the one it is given if it sent none.
    pub client_id: &'a str,
    /// User Name.
    pub username: Option<&'a str>,
    /// Password.
    pub password: Option<&'a [u8]>,
    /// Where it connects from; `None` for a stream that is not a socket.
    pub peer: Option<SocketAddr>,
    /// The certificates that it showed in its TLS handshake and that were found good, in DER: its own first, then those that
    /// lead to an authority. Empty where the listener demands none.
    pub certificates: &'a [Vec<u8>],
}

impl fmt::Debug for ConnectInfo<'_> {
    // A user name is often a token, so like the password it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectInfo")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("username", &self.username.is_some())
            .field("password", &self.password.is_some())
            .field("peer", &self.peer)
            .field("certificates", &self.certificates.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let info = ConnectInfo {
            version: ProtocolVersion::V5,
            client_id: "sensor-1",
            username: Some("token-abc"),
            password: Some(b"open sesame"),
            peer: None,
            certificates: &[],
        };
        let shown = format!("{info:?}");
        assert!(shown.contains("sensor-1"), "{shown}");
        assert!(
            !shown.contains("token-abc")
                && !shown.contains("sesame")
                && !shown.contains("111, 112"),
            "{shown}"
        );
    }
}
