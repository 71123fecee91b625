//! TLS as it is asked for.

use std::ffi::{c_char, c_void};

use mqtt_client::{self as client, Tls as ClientTls};

use crate::error::Error;
use crate::handle::{self, Out};
use crate::options::Options;
use crate::status::Status;
use crate::{bytes, guard};

/// TLS 1.2 and 1.3. Unless told otherwise, the server's certificate must lead to an authority that the system trusts, be valid
/// now, and be for the host that was asked for. Files are read when a client is made, and what cannot work is refused there.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    client: ClientTls,
}

/// A version of TLS.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12 = 12,
    /// TLS 1.3.
    V13 = 13,
}

impl Tls {
    fn change(&mut self, change: impl FnOnce(ClientTls) -> ClientTls) {
        self.client = change(self.client.clone());
    }
}

/// Makes TLS as most servers on the Internet want it. pmq_tls_free ends it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_new(tls: *mut *mut Tls, error: *mut *mut Error) -> Status {
    let body = || {
        // SAFETY: the caller's promise, see the crate's documentation.
        let out = unsafe { Out::new(tls, "tls") }?;
        out.give(Tls::default());
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Frees TLS and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless. Options that it was set in
/// are not concerned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_free(tls: *mut *mut Tls) {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::free(tls) };
}

/// Sets the file of the authorities that may have signed the server's certificate, in PEM, in place of the system's. A
/// self-signed certificate of a server may stand there itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_ca_file(
    tls: *mut Tls,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let given = bytes::path(path, path_len, "path")?;
            tls.change(|tls| tls.with_roots_file(given));
            Ok(())
        })
    }
}

/// As pmq_tls_set_ca_file, with the PEM itself, which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_ca_pem(
    tls: *mut Tls,
    pem: *const c_void,
    pem_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let given = bytes::binary(pem, pem_len, "pem")?;
            tls.change(|tls| tls.with_roots_pem(given));
            Ok(())
        })
    }
}

/// Sets the files of this client's certificate (followed by intermediate ones) and private key, in PEM, for servers that ask
/// for one. An encrypted key needs pmq_tls_set_key_passphrase.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_client_cert_files(
    tls: *mut Tls,
    certificate: *const c_char,
    certificate_len: usize,
    key: *const c_char,
    key_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let certificate = bytes::path(certificate, certificate_len, "certificate")?;
            let key = bytes::path(key, key_len, "key")?;
            tls.change(|tls| tls.with_identity_files(certificate, key));
            Ok(())
        })
    }
}

/// As pmq_tls_set_client_cert_files, with the PEM itself, which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_client_cert_pem(
    tls: *mut Tls,
    certificate: *const c_void,
    certificate_len: usize,
    key: *const c_void,
    key_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let certificate = bytes::binary(certificate, certificate_len, "certificate")?;
            let key = bytes::binary(key, key_len, "key")?;
            tls.change(|tls| tls.with_identity_pem(certificate, key));
            Ok(())
        })
    }
}

/// Sets what this client's private key is encrypted with (PKCS #8 only), which is never logged. NULL, with a length of 0,
/// stands for a key that is not encrypted. Default: that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_key_passphrase(
    tls: *mut Tls,
    passphrase: *const c_void,
    passphrase_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let given = bytes::binary(passphrase, passphrase_len, "passphrase")?;
            tls.client.key_passphrase = (!passphrase.is_null()).then(|| given.to_owned());
            Ok(())
        })
    }
}

/// Sets the oldest version of TLS to speak, a pmq_tls_version. Default PMQ_TLS_VERSION_V12.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_min_version(
    tls: *mut Tls,
    version: i32,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            tls.client.min_version = match version {
                12 => client::TlsVersion::V1_2,
                13 => client::TlsVersion::V1_3,
                other => {
                    return Err(Error::argument(format_args!(
                        "{other} is no pmq_tls_version"
                    )));
                }
            };
            Ok(())
        })
    }
}

/// Sets the name to ask the server for (SNI) and to find in its certificate. Default: the host of the address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_server_name(
    tls: *mut Tls,
    name: *const c_char,
    name_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let given = bytes::text(name, name_len, "name")?;
            tls.change(|tls| tls.with_server_name(given));
            Ok(())
        })
    }
}

/// Adds an application protocol to offer (ALPN), the best first. Default: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_add_alpn(
    tls: *mut Tls,
    protocol: *const c_char,
    protocol_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            let given = bytes::text(protocol, protocol_len, "protocol")?;
            tls.change(|tls| tls.with_alpn(given));
            Ok(())
        })
    }
}

/// Takes any certificate for good, so that ANYBODY ON THE WAY CAN READ AND CHANGE EVERYTHING, passwords included. For
/// experiments only: to trust one self-signed certificate there is pmq_tls_set_ca_file. Default false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_tls_set_insecure_no_verify(
    tls: *mut Tls,
    insecure: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(tls, "tls", error, |tls| {
            tls.change(|tls| tls.with_insecure_no_verify(insecure));
            Ok(())
        })
    }
}

/// Has the client speak TLS, as `tls` says, which is copied. mqtts:// and wss:// URLs do that by themselves, and need this only
/// for what differs from pmq_tls_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_tls(
    options: *mut Options,
    tls: *const Tls,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let tls = handle::get(tls, "tls")?;
            options.client.tls = Some(tls.client.clone());
            Ok(())
        })
    }
}
