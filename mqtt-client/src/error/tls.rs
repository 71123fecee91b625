//! What can be wrong with TLS once there is a connection to speak it on.

use std::time::Duration;

use thiserror::Error;

/// Why TLS came to nothing, or ended.
///
/// All of these are tried again like any other failure to connect, as [`Reconnect`](crate::Reconnect) says: certificates are
/// renewed and clocks are set while clients run.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TlsError {
    /// The server's certificate is for other names.
    #[error(
        "the server's certificate is not for {expected} but for {}",
        if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") }
    )]
    WrongName {
        /// The name that was asked for.
        expected: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// The server's certificate, or one on the way to its authority, is too old by the clock of this machine.
    #[error("the server's certificate expired {} ago", rough(*ago))]
    Expired {
        /// For how long it has not been valid any more.
        ago: Duration,
    },
    /// The server's certificate, or one on the way to its authority, is not valid yet by the clock of this machine.
    #[error("the server's certificate is not valid yet: it will be in {}, by the clock of this machine", rough(*until))]
    NotYetValid {
        /// When it begins to be valid, counted from now.
        until: Duration,
    },
    /// The server's certificate is self-signed, or no authority that is trusted leads to it.
    #[error(
        "the server's certificate is self-signed or signed by an authority that is not trusted; if it is yours, set it as \
         tls.roots"
    )]
    UnknownIssuer,
    /// The server shows the certificate of an authority as its own. `openssl req -x509` makes such ones by default.
    #[error(
        "the server's certificate is that of an authority (CA:TRUE), which no server may use as its own; make one with CA:FALSE"
    )]
    AuthorityAsServer,
    /// The server's certificate was revoked.
    #[error("the server's certificate was revoked")]
    Revoked,
    /// Something else is wrong with the server's certificate.
    #[error("the server's certificate is not acceptable: {cause}")]
    Certificate {
        /// What is wrong with it.
        cause: String,
    },
    /// The server wants to know who the client is, and there is no [`Tls::identity`](crate::Tls::identity).
    #[error("the server demands a client certificate; set tls.identity")]
    ClientCertificateRequired,
    /// The server does not take the certificate of this client.
    #[error("the server does not accept the client certificate: {alert}")]
    ClientCertificateRefused {
        /// What its alert says.
        alert: String,
    },
    /// Both ends have no version, cipher or application protocol in common.
    #[error("the server refuses what was offered: {alert}")]
    NothingInCommon {
        /// What its alert says.
        alert: String,
    },
    /// What answers does not speak TLS.
    #[error("the server does not speak TLS at this port")]
    NotTls,
    /// The server closed the connection in the middle of the handshake.
    #[error(
        "the server closed the connection during the TLS handshake; most likely it does not speak TLS at this port"
    )]
    Closed,
    /// A server pointed to a name that no certificate can be for.
    #[error("{name:?} is neither a DNS name nor an address that a certificate could be for")]
    Name {
        /// The name.
        name: String,
    },
    /// Anything else.
    #[error("TLS failed: {cause}")]
    Failed {
        /// What rustls or the operating system said.
        cause: String,
    },
}

/// A length of time in the largest unit that says something.
fn rough(length: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = length.as_secs();
    let (count, unit) = match seconds {
        DAY.. => (seconds / DAY, "day"),
        HOUR.. => (seconds / HOUR, "hour"),
        MINUTE.. => (seconds / MINUTE, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit() {
        let shown = [0, 1, 59, 60, 3_600, 86_399, 86_400, 200_000]
            .map(|seconds| rough(Duration::from_secs(seconds)));
        assert_eq!(
            shown,
            [
                "0 seconds",
                "1 second",
                "59 seconds",
                "1 minute",
                "1 hour",
                "23 hours",
                "1 day",
                "2 days"
            ]
        );
    }
}
