//! TLS as a server speaks it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mqtt_transport::{Pem, PemError};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};

/// TLS 1.2 and 1.3 by rustls, with the certificate of the server. Files are read when the listener is opened.
#[derive(Clone)]
pub struct ServerTls {
    source: Source,
    client_ca: Option<Pem>,
}

#[derive(Clone)]
enum Source {
    Certificate { chain: Pem, key: Pem },
    Config(Arc<ServerConfig>),
}

impl ServerTls {
    /// A certificate, followed by the intermediate ones that lead to its authority, and its private key (PKCS #8, PKCS #1 or
    /// SEC 1, not encrypted).
    #[must_use]
    pub const fn new(chain: Pem, key: Pem) -> Self {
        Self {
            source: Source::Certificate { chain, key },
            client_ca: None,
        }
    }

    /// The same from files.
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        Self::new(Pem::file(chain), Pem::file(key))
    }

    /// A configuration of the caller's, which says everything.
    #[must_use]
    pub const fn from_config(config: Arc<ServerConfig>) -> Self {
        Self {
            source: Source::Config(config),
            client_ca: None,
        }
    }

    /// Demands a certificate of every client, signed by one of these authorities. Not for a configuration of the caller's,
    /// which says that itself. Who it is that was let in by that is for [`ConnectInfo::certificates`] and
    /// [`Access::certificates`] to tell.
    ///
    /// [`ConnectInfo::certificates`]: crate::ConnectInfo::certificates
    /// [`Access::certificates`]: crate::Access::certificates
    #[must_use]
    pub fn with_client_ca(mut self, authorities: Pem) -> Self {
        self.client_ca = Some(authorities);
        self
    }

    /// Whether it is known that nobody gets in without a certificate.
    pub(super) const fn demands_certificate(&self) -> bool {
        self.client_ca.is_some()
    }

    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, ServerTlsError> {
        let config = match &self.source {
            Source::Config(_) if self.client_ca.is_some() => {
                return Err(ServerTlsError::BesideConfig);
            }
            Source::Config(config) => Arc::clone(config),
            Source::Certificate { chain, key } => {
                Arc::new(server_config(chain, key, self.client_ca.as_ref())?)
            }
        };
        Ok(TlsAcceptor::from(config))
    }
}

fn server_config(
    chain: &Pem,
    key: &Pem,
    client_ca: Option<&Pem>,
) -> Result<ServerConfig, ServerTlsError> {
    let provider = Arc::new(ring::default_provider());
    let chain = chain.certificates().map_err(ServerTlsError::Certificate)?;
    let key = key.private_key(None).map_err(ServerTlsError::Key)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for TLS 1.2 and 1.3");
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for authority in pem.certificates().map_err(ServerTlsError::ClientCa)? {
                roots
                    .add(authority)
                    .map_err(|error| ServerTlsError::BadClientCa {
                        cause: error.to_string(),
                    })?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            let verifier =
                verifier.map_err(|error: VerifierBuilderError| ServerTlsError::BadClientCa {
                    cause: error.to_string(),
                })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => ServerTlsError::KeyMismatch,
            error => ServerTlsError::BadCertificate {
                cause: error.to_string(),
            },
        })
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ServerTls");
        match &self.source {
            Source::Config(_) => shown.field("config", &true),
            Source::Certificate { chain, key } => shown.field("chain", chain).field("key", key),
        };
        shown.field("client_ca", &self.client_ca);
        shown.finish()
    }
}

/// Why a server cannot speak TLS.
#[derive(Clone, Debug, Eq, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ServerTlsError {
    /// The certificate chain cannot be read.
    #[error("the certificate of the server")]
    Certificate(#[source] PemError),
    /// The private key cannot be read.
    #[error("the private key of the server")]
    Key(#[source] PemError),
    /// The authorities for client certificates cannot be read.
    #[error("the authorities for client certificates")]
    ClientCa(#[source] PemError),
    /// Authorities for client certificates beside a configuration of the caller's.
    #[error("a rustls configuration says itself which client certificates it demands")]
    BesideConfig,
    /// The private key is that of another certificate.
    #[error("the private key does not fit the certificate of the server")]
    KeyMismatch,
    /// The certificate or key is of a kind that is not supported, or broken.
    #[error("the certificate of the server cannot be used: {cause}")]
    BadCertificate {
        /// What is wrong.
        cause: String,
    },
    /// One of the authorities for client certificates is none.
    #[error("the authorities for client certificates cannot be used: {cause}")]
    BadClientCa {
        /// What is wrong.
        cause: String,
    },
}
