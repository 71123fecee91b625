//! Certificates made on the spot, for tests and demonstrations: good ones, and ones with a flaw.
//!
//! Nothing here is for production: keys are made without asking where they are kept, and whatever goes wrong panics.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The certificates between those it signs and the root, in PEM.
    intermediates: String,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum Purpose {
    Server,
    Client,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Validity {
    /// From a day ago to a day ahead.
    Now,
    /// Until a day and a half ago.
    Expired,
    /// From a day and a half ahead.
    NotYet,
}

/// A certificate and its key, in PEM.
#[derive(Debug)]
pub struct Certified {
    /// The certificate, and the intermediate ones after it.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A root.
    ///
    /// # Panics
    /// Where the random source fails.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let issuer = CertifiedIssuer::self_signed(authority(name), new_key());
        Self {
            issuer: issuer.expect("a root"),
            intermediates: String::new(),
        }
    }

    /// Its own certificate in PEM: what those who trust it need.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// An authority that this one vouches for.
    ///
    /// # Panics
    /// Where the random source fails.
    #[must_use]
    pub fn intermediate(&self, name: &str) -> Self {
        let issuer = CertifiedIssuer::signed_by(authority(name), new_key(), &self.issuer);
        let issuer = issuer.expect("an intermediate authority");
        Self {
            intermediates: issuer.pem() + &self.intermediates,
            issuer,
        }
    }

    /// Signs a certificate for DNS names and addresses.
    ///
    /// # Panics
    /// On a name that is none.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, names: &[&str], validity: Validity) -> Certified {
        let key = new_key();
        let certificate = end_entity(purpose, names, validity).signed_by(&key, &self.issuer);
        let certificate = certificate.expect("a certificate");
        Certified {
            chain: certificate.pem() + &self.intermediates,
            key: key.serialize_pem(),
        }
    }

    /// A certificate of a server that is valid now.
    ///
    /// # Panics
    /// On a name that is none.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Certified {
        self.sign(Purpose::Server, names, Validity::Now)
    }

    /// A certificate of a client that is valid now.
    ///
    /// # Panics
    /// On a name that is none.
    #[must_use]
    pub fn client(&self, name: &str) -> Certified {
        self.sign(Purpose::Client, &[name], Validity::Now)
    }
}

/// A certificate of a server that nobody but itself has signed.
///
/// # Panics
/// On a name that is none.
#[must_use]
pub fn self_signed(names: &[&str]) -> Certified {
    signed_by_itself(end_entity(Purpose::Server, names, Validity::Now))
}

/// A self-signed certificate that is marked as an authority, as `openssl req -x509` makes it.
///
/// # Panics
/// On a name that is none.
#[must_use]
pub fn self_signed_authority(names: &[&str]) -> Certified {
    let mut params = end_entity(Purpose::Server, names, Validity::Now);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    signed_by_itself(params)
}

fn signed_by_itself(params: CertificateParams) -> Certified {
    let key = new_key();
    let certificate = params.self_signed(&key).expect("a certificate");
    Certified {
        chain: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn end_entity(purpose: Purpose, names: &[&str], validity: Validity) -> CertificateParams {
    let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(owned).expect("names");
    let first = names.first().copied().unwrap_or_default();
    params.distinguished_name.push(DnType::CommonName, first);
    params.extended_key_usages = vec![match purpose {
        Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = match validity {
        Validity::Now => (now - DAY, now + DAY),
        Validity::Expired => (now - 3 * DAY, now - DAY * 3 / 2),
        Validity::NotYet => (now + DAY * 3 / 2, now + 3 * DAY),
    };
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has a random source")
}
