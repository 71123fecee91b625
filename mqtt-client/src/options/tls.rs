//! TLS as it is asked for.

use std::fmt;
#[cfg(feature = "tls")]
use std::sync::Arc;

use mqtt_transport::Pem;

/// Which authorities may have signed the certificate of the server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Roots {
    /// Those the operating system trusts, or those that the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    #[default]
    System,
    /// The certificates in here, and no others. A self-signed certificate of a server can stand here itself, unless it is
    /// marked as an authority.
    Only(Pem),
}

/// The certificate by which this client shows who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The certificate, followed by the intermediate ones that lead to an authority the server trusts.
    pub certificate: Pem,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1. If it is encrypted (PKCS #8 only), [`Tls::key_passphrase`] opens it.
    pub key: Pem,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

/// TLS 1.2 and 1.3 by rustls. By default the server's certificate must lead to an authority that the system trusts, be
/// valid now, and be for the host that was asked for.
///
/// Files are read when the client is started, and what cannot work is refused there: see [`TlsOptionsError`]. Whatever is
/// wrong with the server's certificate is a [`ConnectError::Tls`](crate::ConnectError::Tls) that names it.
///
/// ```
/// use mqtt_client::{Options, Tls};
///
/// // The system's authorities.
/// let public = Options::new("broker.example", 8883).with_tls(Tls::new());
///
/// // An authority and a client certificate of one's own.
/// let own = Tls::new()
///     .with_roots_file("/etc/fleet/ca.pem")
///     .with_identity_files("/etc/fleet/server-7.pem", "/etc/fleet/server-7.key");
/// let own = Options::new("10.0.0.5", 8883).with_tls(own.with_server_name("broker.fleet.example"));
/// assert!(own.check().unwrap_err().to_string().contains("/etc/fleet/ca.pem"));
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Tls {
    /// Who may have signed the server's certificate. Default: the authorities of the system.
    pub roots: Roots,
    /// The certificate of this client, for servers that ask for one. Default: none.
    pub identity: Option<Identity>,
    /// What the private key of `identity` was encrypted with. Default: none, for a key that is not encrypted. `Debug` does not
    /// show it.
    pub key_passphrase: Option<Vec<u8>>,
    /// The oldest version to speak. Default: 1.2, older ones being out of use.
    pub min_version: TlsVersion,
    /// The name to ask for (SNI) and to find in the certificate. Default: the host of the address. Must be given where there
    /// is none: for a Unix socket, or a [`Connector`](crate::Connector).
    pub server_name: Option<String>,
    /// Application protocols to offer (ALPN, RFC 7301), best first, such as `mqtt` or `x-amzn-mqtt-ca`. Default: none. A
    /// server that knows ALPN and none of them refuses.
    pub alpn: Vec<Vec<u8>>,
    /// Takes any certificate for good, so that **anybody on the way can read and change everything, passwords included**.
    /// For experiments only; to trust one self-signed certificate, use `roots`. Default false.
    pub insecure_no_verify: bool,
    /// A configuration of the caller's in place of all other fields but `server_name`, which must then be left alone.
    #[cfg(feature = "tls")]
    pub config: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
}

impl Tls {
    /// As most servers on the Internet want it: the system's authorities, no client certificate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A configuration of the caller's.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn from_config(config: Arc<tokio_rustls::rustls::ClientConfig>) -> Self {
        Self {
            config: Some(config),
            ..Self::default()
        }
    }

    /// Sets [`roots`](Self::roots) to the certificates of a PEM text.
    #[must_use]
    pub fn with_roots_pem(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.roots = Roots::Only(Pem::bytes(text));
        self
    }

    /// Sets [`roots`](Self::roots) to the certificates of a PEM file.
    #[must_use]
    pub fn with_roots_file(mut self, path: impl AsRef<std::path::Path>) -> Self {
        self.roots = Roots::Only(Pem::file(path));
        self
    }

    /// Sets [`identity`](Self::identity) from PEM texts.
    #[must_use]
    pub fn with_identity_pem(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.identity = Some(Identity {
            certificate: Pem::bytes(certificate),
            key: Pem::bytes(key),
        });
        self
    }

    /// Sets [`identity`](Self::identity) from PEM files.
    #[must_use]
    pub fn with_identity_files(
        mut self,
        certificate: impl AsRef<std::path::Path>,
        key: impl AsRef<std::path::Path>,
    ) -> Self {
        self.identity = Some(Identity {
            certificate: Pem::file(certificate),
            key: Pem::file(key),
        });
        self
    }

    /// Sets [`key_passphrase`](Self::key_passphrase).
    #[must_use]
    pub fn with_key_passphrase(mut self, passphrase: impl Into<Vec<u8>>) -> Self {
        self.key_passphrase = Some(passphrase.into());
        self
    }

    /// Sets [`min_version`](Self::min_version).
    #[must_use]
    pub fn with_min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Sets [`server_name`](Self::server_name).
    #[must_use]
    pub fn with_server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Adds a protocol to [`alpn`](Self::alpn).
    #[must_use]
    pub fn with_alpn(mut self, protocol: impl Into<Vec<u8>>) -> Self {
        self.alpn.push(protocol.into());
        self
    }

    /// Sets [`insecure_no_verify`](Self::insecure_no_verify).
    #[must_use]
    pub fn with_insecure_no_verify(mut self, insecure: bool) -> Self {
        self.insecure_no_verify = insecure;
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Tls");
        shown
            .field("roots", &self.roots)
            .field("identity", &self.identity)
            .field("key_passphrase", &self.key_passphrase.is_some())
            .field("min_version", &self.min_version)
            .field("server_name", &self.server_name)
            .field("alpn", &self.alpn.len())
            .field("insecure_no_verify", &self.insecure_no_verify);
        #[cfg(feature = "tls")]
        shown.field("config", &self.config.is_some());
        shown.finish()
    }
}

/// TLS that can never work as it is asked for.
#[derive(Clone, Debug, Eq, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum TlsOptionsError {
    /// The library was built without the feature `tls`.
    #[error("this program was built without TLS (feature \"tls\" of mqtt-client)")]
    NotBuiltIn,
    /// A certificate or key cannot be read.
    #[error("{option}: {cause}")]
    Pem {
        /// The field.
        option: &'static str,
        /// The file and what is wrong with it.
        cause: mqtt_transport::PemError,
    },
    /// The key of the identity is encrypted, and there is no passphrase.
    #[error("tls.identity: the private key in {name} is encrypted; set tls.key_passphrase")]
    PassphraseNeeded {
        /// The path, or "the given text".
        name: String,
    },
    /// A certificate among the roots is none.
    #[error("tls.roots: {cause}")]
    Root {
        /// What is wrong with it.
        cause: String,
    },
    /// The system's authorities cannot be found.
    #[error(
        "the system has no certificates of authorities{}; install them (ca-certificates) or set tls.roots",
        cause.as_deref().map(|text| format!(" ({text})")).unwrap_or_default()
    )]
    NoSystemRoots {
        /// The first error on the way, if there was one.
        cause: Option<String>,
    },
    /// The private key is that of another certificate.
    #[error("tls.identity: the private key does not fit the certificate")]
    KeyMismatch,
    /// The certificate or the key is of a kind that is not supported, or broken.
    #[error("tls.identity: {cause}")]
    Identity {
        /// What is wrong.
        cause: String,
    },
    /// There is no host in the address that the certificate could be for.
    #[error("tls.server_name must be set to connect to {address}")]
    NameNeeded {
        /// The address.
        address: String,
    },
    /// A name that no certificate can be for.
    #[error(
        "{name:?} is neither a DNS name nor an address that a certificate could be for; set tls.server_name"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// RFC 7301 wants 1 to 255 bytes.
    #[error("tls.alpn: a protocol must have 1 to 255 bytes")]
    Alpn,
    /// A field beside a configuration that decides about it.
    #[error("{option} has no effect beside tls.config: set it there")]
    BesideConfig {
        /// The field.
        option: &'static str,
    },
}
