//! `Mqtt\\Tls`: read into [`TlsSettings`], and from there into what the client wants.

use std::ffi::CString;

use mqtt_client::{Tls, TlsVersion};

use crate::exception::Failure;
use crate::properties::nullable_text;
use crate::shim::{self, Class, Object};
use crate::value;

/// How TLS is to be spoken. Files are told apart by their names, not by what is in them.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct TlsSettings {
    ca_file: Option<String>,
    ca_pem: Option<Vec<u8>>,
    cert_file: Option<String>,
    key_file: Option<String>,
    key_passphrase: Option<Vec<u8>>,
    server_name: Option<String>,
    alpn: Vec<Vec<u8>>,
    min_version: TlsVersion,
    insecure: bool,
}

impl TlsSettings {
    /// Reads and checks a `Tls` object. The files are looked at where a client is to use them.
    pub(crate) fn from_object(object: Object<'_>) -> Result<Self, Failure> {
        let settings = Self {
            ca_file: file(object, "caFile")?,
            ca_pem: value::bytes_of(object.property("caPem")).map(<[u8]>::to_vec),
            cert_file: file(object, "certFile")?,
            key_file: file(object, "keyFile")?,
            key_passphrase: value::bytes_of(object.property("keyPassphrase")).map(<[u8]>::to_vec),
            server_name: nullable_text(object, "serverName")?,
            alpn: alpn(object)?,
            min_version: min_version(object),
            insecure: object.property("insecure").bool().unwrap_or(false),
        };
        if settings.ca_file.is_some() && settings.ca_pem.is_some() {
            return Err(Failure::option("caFile and caPem exclude each other"));
        }
        if settings.key_file.is_some() && settings.cert_file.is_none() {
            return Err(Failure::option("keyFile needs a certFile"));
        }
        if settings.key_passphrase.is_some() && settings.cert_file.is_none() {
            return Err(Failure::option("keyPassphrase needs a certFile"));
        }
        Ok(settings)
    }

    pub(crate) const fn is_insecure(&self) -> bool {
        self.insecure
    }

    pub(crate) fn to_client(&self) -> Tls {
        let mut tls = Tls::new()
            .with_min_version(self.min_version)
            .with_insecure_no_verify(self.insecure);
        if let Some(path) = &self.ca_file {
            tls = tls.with_roots_file(path);
        }
        if let Some(text) = &self.ca_pem {
            tls = tls.with_roots_pem(text.clone());
        }
        if let Some(certificate) = &self.cert_file {
            let key = self.key_file.as_ref().unwrap_or(certificate);
            tls = tls.with_identity_files(certificate, key);
            tls.key_passphrase.clone_from(&self.key_passphrase);
        }
        tls.server_name.clone_from(&self.server_name);
        tls.alpn.clone_from(&self.alpn);
        tls
    }
}

/// The absolute name of a file, which the settings of PHP let scripts read.
pub(crate) fn file(object: Object<'_>, name: &str) -> Result<Option<String>, Failure> {
    let Some(path) = nullable_text(object, name)? else {
        return Ok(None);
    };
    let known = CString::new(path.as_str()).ok();
    let known = known.filter(|known| shim::may_open(known));
    let known = known
        .ok_or_else(|| Failure::option(format!("{name}: open_basedir does not allow {path}")))?;
    if path.is_empty() {
        return Ok(Some(path));
    }
    // Now, and not where the file is opened: that may be in another thread, after a chdir().
    let absolute = shim::absolute_path(&known);
    absolute
        .map(Some)
        .ok_or_else(|| Failure::option(format!("{name}: the whole path of {path} is too long")))
}

fn min_version(object: Object<'_>) -> TlsVersion {
    let case = Object::of_class(object.property("minVersion"), Class::TlsVersion);
    match case.and_then(|case| value::bytes_of(case.enum_value())) {
        Some(b"1.3") => TlsVersion::V1_3,
        _ => TlsVersion::V1_2,
    }
}

fn alpn(object: Object<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let Some(table) = object.property("alpn").array() else {
        return Ok(Vec::new());
    };
    let protocols = table.values().map(|protocol| {
        let protocol = value::bytes_of(protocol.dereference());
        protocol.map(<[u8]>::to_vec)
    });
    let protocols: Option<Vec<_>> = protocols.collect();
    protocols.ok_or_else(|| Failure::option("alpn must be a list of strings"))
}
