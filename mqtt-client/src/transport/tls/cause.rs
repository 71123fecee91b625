//! What an error of rustls means to whoever has to act on it.

use std::io;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use crate::error::TlsError;

/// What TLS has to say about an error of a stream, if it is one of TLS.
pub(in crate::transport) fn cause(error: &io::Error) -> Option<TlsError> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) => TlsError::NotTls,
        error => TlsError::Failed {
            cause: error.to_string(),
        },
    })
}

fn of_certificate(error: &CertificateError) -> TlsError {
    match error {
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => TlsError::WrongName {
            expected: expected.to_str().into_owned(),
            presented: presented.iter().map(|name| bare(name)).collect(),
        },
        CertificateError::ExpiredContext { time, not_after } => TlsError::Expired {
            ago: between(*not_after, *time),
        },
        CertificateError::NotValidYetContext { time, not_before } => TlsError::NotYetValid {
            until: between(*time, *not_before),
        },
        CertificateError::UnknownIssuer => TlsError::UnknownIssuer,
        CertificateError::Revoked => TlsError::Revoked,
        error => {
            let cause = error.to_string();
            // The library has no variant for it.
            if cause.contains("CaUsedAsEndEntity") {
                TlsError::AuthorityAsServer
            } else {
                TlsError::Certificate { cause }
            }
        }
    }
}

fn of_alert(alert: AlertDescription) -> TlsError {
    let nothing_in_common = |alert: &str| TlsError::NothingInCommon {
        alert: alert.to_owned(),
    };
    let refused = |alert: &str| TlsError::ClientCertificateRefused {
        alert: alert.to_owned(),
    };
    match alert {
        AlertDescription::CertificateRequired => TlsError::ClientCertificateRequired,
        AlertDescription::BadCertificate => refused("it is bad, or missing"),
        AlertDescription::UnsupportedCertificate => refused("its kind is not supported"),
        AlertDescription::CertificateRevoked => refused("it was revoked"),
        AlertDescription::CertificateExpired => refused("it has expired"),
        AlertDescription::CertificateUnknown => refused("it is not acceptable"),
        AlertDescription::UnknownCA => refused("its authority is not one that the server trusts"),
        AlertDescription::AccessDenied => refused("access is denied"),
        AlertDescription::HandshakeFailure => nothing_in_common(
            "handshake failure (no cipher in common, or it demands a client certificate)",
        ),
        AlertDescription::ProtocolVersion => nothing_in_common("no version of TLS in common"),
        AlertDescription::InsufficientSecurity => nothing_in_common("no cipher strong enough"),
        AlertDescription::NoApplicationProtocol => {
            nothing_in_common("no application protocol (ALPN) in common")
        }
        AlertDescription::UnrecognisedName => nothing_in_common("it does not know the server name"),
        alert => TlsError::Failed {
            cause: format!("the server sent the alert {alert:?}"),
        },
    }
}

fn between(earlier: UnixTime, later: UnixTime) -> Duration {
    Duration::from_secs(later.as_secs().saturating_sub(earlier.as_secs()))
}

/// The name in `DnsName("name")`, which is how the library tells it.
fn bare(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_certificates_are_told_bare() {
        assert_eq!(bare("DnsName(\"a.example\")"), "a.example");
        assert_eq!(bare("IpAddress(192.0.2.1)"), "192.0.2.1");
        assert_eq!(bare("DirectoryName"), "DirectoryName");
    }

    #[test]
    fn errors_that_are_not_of_tls_stay_what_they_are() {
        assert_eq!(cause(&io::ErrorKind::ConnectionReset.into()), None);
        assert_eq!(cause(&io::Error::other("x")), None);
    }
}
