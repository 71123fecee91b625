//! TLS by rustls.

mod cause;
mod insecure;

use std::io;
use std::sync::Arc;

use mqtt_transport::PemError;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{
    ClientConfig, DEFAULT_VERSIONS, Error, InconsistentKeys, RootCertStore, version,
};

use super::ByteStream;
use super::dialer::{Attempt, Host};
use crate::error::{ConnectError, TlsError};
use crate::options::{Address, Options, Roots, Tls, TlsOptionsError, TlsVersion};
pub(super) use cause::cause;

/// TLS for all connections of a client: what one of them learned, the next one can resume.
pub(super) struct Layer {
    connector: TlsConnector,
    server_name: Option<ServerName<'static>>,
}

impl Layer {
    pub(super) fn new(tls: &Tls) -> Result<Self, TlsOptionsError> {
        if tls.insecure_no_verify {
            tracing::warn!(
                "certificates of servers are not verified: anybody can pose as the broker"
            );
        }
        let config = match &tls.config {
            Some(config) => Arc::clone(config),
            None => {
                let roots = match &tls.roots {
                    Roots::System => system_roots()?,
                    Roots::Only(_) => given_roots(&tls.roots)?,
                };
                Arc::new(client_config(tls, roots)?)
            }
        };
        Ok(Self {
            connector: TlsConnector::from(config),
            server_name: tls.server_name.as_deref().map(server_name).transpose()?,
        })
    }

    pub(super) async fn handshake(
        &self,
        stream: Box<dyn ByteStream>,
        host: Option<Host<'_>>,
        attempt: &Attempt,
    ) -> Result<Box<dyn ByteStream>, ConnectError> {
        let failed = |cause| ConnectError::Tls {
            address: attempt.address(),
            cause,
        };
        let name = match (&self.server_name, host) {
            (Some(name), _) => name.clone(),
            (None, host) => {
                let host = host.map(|host| host.name).unwrap_or_default();
                ServerName::try_from(host.to_owned()).map_err(|_| {
                    failed(TlsError::Name {
                        name: host.to_owned(),
                    })
                })?
            }
        };
        match self.connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(failed(handshake_cause(&error))),
        }
    }
}

impl ByteStream for TlsStream<Box<dyn ByteStream>> {
    fn acknowledge_at_once(&self) {
        self.get_ref().0.acknowledge_at_once();
    }
}

fn handshake_cause(error: &io::Error) -> TlsError {
    match (cause(error), error.kind()) {
        (Some(cause), _) => cause,
        (
            None,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe,
        ) => TlsError::Closed,
        (None, _) => TlsError::Failed {
            cause: error.to_string(),
        },
    }
}

/// Looks for what could never work. Whether the system has authorities is seen when the client starts: it is no fault of
/// the options, and takes long.
pub(super) fn check(options: &Options) -> Result<(), TlsOptionsError> {
    let Some(tls) = &options.tls else {
        return Ok(());
    };
    check_names(options, tls)?;
    if tls
        .alpn
        .iter()
        .any(|protocol| !(1..=255).contains(&protocol.len()))
    {
        return Err(TlsOptionsError::Alpn);
    }
    if tls.config.is_some() {
        for (option, used) in [
            ("tls.roots", tls.roots != Roots::System),
            ("tls.identity", tls.identity.is_some()),
            ("tls.key_passphrase", tls.key_passphrase.is_some()),
            ("tls.min_version", tls.min_version != TlsVersion::default()),
            ("tls.alpn", !tls.alpn.is_empty()),
            ("tls.insecure_no_verify", tls.insecure_no_verify),
        ] {
            if used {
                return Err(TlsOptionsError::BesideConfig { option });
            }
        }
        return Ok(());
    }
    client_config(tls, given_roots(&tls.roots)?).map(drop)
}

/// There must be a name to look for in the certificate, whichever address is tried.
fn check_names(options: &Options, tls: &Tls) -> Result<(), TlsOptionsError> {
    if let Some(name) = &tls.server_name {
        return server_name(name).map(drop);
    }
    if let Some(connector) = &options.connector {
        return Err(TlsOptionsError::NameNeeded {
            address: connector.name().to_owned(),
        });
    }
    for address in &options.addresses {
        match address {
            Address::Tcp { host, .. } => {
                server_name(host)?;
            }
            Address::Unix(_) => {
                return Err(TlsOptionsError::NameNeeded {
                    address: address.to_string(),
                });
            }
        }
    }
    Ok(())
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsOptionsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsOptionsError::Name {
        name: name.to_owned(),
    })
}

fn client_config(tls: &Tls, roots: RootCertStore) -> Result<ClientConfig, TlsOptionsError> {
    let provider = Arc::new(ring::default_provider());
    let versions = match tls.min_version {
        TlsVersion::V1_2 => DEFAULT_VERSIONS,
        TlsVersion::V1_3 => &[&version::TLS13],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("ring has ciphers for TLS 1.2 and 1.3");
    let builder = if tls.insecure_no_verify {
        let verifier = insecure::AnyCertificate::new(&provider);
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        builder.with_root_certificates(roots)
    };
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = identity.certificate.certificates();
            let chain = chain.map_err(in_option("tls.identity"))?;
            let key = identity.key.private_key(tls.key_passphrase.as_deref());
            let key = key.map_err(|cause| match cause {
                PemError::Encrypted { name } => TlsOptionsError::PassphraseNeeded { name },
                cause => in_option("tls.identity")(cause),
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| match error {
                    Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                        TlsOptionsError::KeyMismatch
                    }
                    error => TlsOptionsError::Identity {
                        cause: error.to_string(),
                    },
                })?
        }
    };
    config.alpn_protocols.clone_from(&tls.alpn);
    Ok(config)
}

/// The roots that the options give themselves.
fn given_roots(roots: &Roots) -> Result<RootCertStore, TlsOptionsError> {
    let mut store = RootCertStore::empty();
    if let Roots::Only(pem) = roots {
        for certificate in pem.certificates().map_err(in_option("tls.roots"))? {
            store
                .add(certificate)
                .map_err(|error| TlsOptionsError::Root {
                    cause: error.to_string(),
                })?;
        }
    }
    Ok(store)
}

fn system_roots() -> Result<RootCertStore, TlsOptionsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of the system's authorities cannot be read");
    }
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        return Err(TlsOptionsError::NoSystemRoots {
            cause: found.errors.first().map(ToString::to_string),
        });
    }
    Ok(store)
}

fn in_option(option: &'static str) -> impl Fn(PemError) -> TlsOptionsError {
    move |cause| TlsOptionsError::Pem { option, cause }
}
