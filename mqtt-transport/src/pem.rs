//! Certificates and keys in PEM (RFC 7468), from memory or from a file.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A text in PEM, or the file that holds it.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum Pem {
    /// The text itself.
    Bytes(Vec<u8>),
    /// A file, which is read when the client or the broker starts, and may be a symbolic link.
    File(PathBuf),
}

impl Pem {
    /// The text itself.
    pub fn bytes(text: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(text.into())
    }

    /// A file.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::File(path.as_ref().to_path_buf())
    }

    /// How errors name it.
    #[cfg(feature = "tls")]
    fn name(&self) -> String {
        match self {
            Self::Bytes(_) => "the given text".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl fmt::Debug for Pem {
    /// Shows where it is and never what it says: it may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(text) => write!(f, "Bytes({} bytes)", text.len()),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// What is wrong with a PEM text or file.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum PemError {
    /// The file cannot be read.
    #[error("cannot read {file}: {cause}")]
    Unreadable {
        /// Its path.
        file: String,
        /// What the operating system said.
        cause: String,
    },
    /// It is far too large to be what it should be, and was not read to its end.
    #[error("{file} is larger than {limit} bytes")]
    TooLarge {
        /// Its path.
        file: String,
        /// The most that is read.
        limit: u64,
    },
    /// There is no such section in it.
    #[error("{name} has no {section} in PEM")]
    Missing {
        /// The path, or "the given text".
        name: String,
        /// What was looked for.
        section: &'static str,
    },
    /// A key that a passphrase protects, and none was given.
    #[error(
        "the private key in {name} is encrypted: decrypt it first, for example with openssl pkey"
    )]
    Encrypted {
        /// The path, or "the given text".
        name: String,
    },
    /// The key was encrypted with another passphrase.
    #[error(
        "the passphrase does not open the private key in {name}: give the one that it was encrypted with"
    )]
    WrongPassphrase {
        /// The path, or "the given text".
        name: String,
    },
    /// The key was encrypted by other means than AES with a key of PBKDF2-HMAC-SHA-2 or scrypt.
    #[error(
        "the private key in {name} is encrypted in a way that is not supported ({cause}): encrypt it anew, for \
         example with openssl pkcs8 -topk8 -v2 aes-256-cbc"
    )]
    UnsupportedEncryption {
        /// The path, or "the given text".
        name: String,
        /// What is not supported.
        cause: String,
    },
    /// A section that is cut off or is not base64.
    #[error("{name} is not well-formed PEM: {cause}")]
    Malformed {
        /// The path, or "the given text".
        name: String,
        /// What is wrong.
        cause: String,
    },
}

#[cfg(feature = "tls")]
mod sections {
    use std::borrow::Cow;
    use std::fmt::Display;
    use std::fs::File;
    use std::io::Read;

    use pkcs8::der::ErrorKind;
    use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument, pkcs5};
    use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::{Pem, PemError};

    /// The most that is read of a file: a hundred times what a system's list of authorities takes.
    const MAX_FILE: u64 = 32 * 1024 * 1024;

    /// In a key that is encrypted as before PKCS #8.
    const LEGACY: &str = "Proc-Type: 4,ENCRYPTED";

    impl Pem {
        /// All certificates in it: at least one.
        ///
        /// # Errors
        /// [`PemError`].
        pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, PemError> {
            let text = self.read()?;
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
            let found = found.map_err(|cause| self.malformed(&cause))?;
            if found.is_empty() {
                return Err(self.missing("certificate"));
            }
            Ok(found)
        }

        /// The private key in it: PKCS #8, PKCS #1 or SEC 1. Of several it is the first that is encrypted (PKCS #8), opened
        /// with the passphrase, and else the first one; then the passphrase is not looked at. One that is encrypted as before
        /// PKCS #8 is an error wherever it stands.
        ///
        /// # Errors
        /// [`PemError`].
        pub fn private_key(
            &self,
            passphrase: Option<&[u8]>,
        ) -> Result<PrivateKeyDer<'static>, PemError> {
            let bytes = self.read()?;
            let text = String::from_utf8_lossy(&bytes);
            if text.contains(LEGACY) {
                return Err(self.unsupported(format!("as {LEGACY}")));
            }
            if let Some(section) = encrypted_section(&text) {
                let name = || PemError::Encrypted { name: self.name() };
                return self.decrypted(section, passphrase.ok_or_else(name)?);
            }
            match PrivateKeyDer::from_pem_slice(&bytes) {
                Ok(key) => Ok(key),
                Err(Error::NoItemsFound) => Err(self.missing("private key")),
                Err(cause) => Err(self.malformed(&cause)),
            }
        }

        fn decrypted(
            &self,
            section: &str,
            passphrase: &[u8],
        ) -> Result<PrivateKeyDer<'static>, PemError> {
            let (_, document) =
                SecretDocument::from_pem(section).map_err(|cause| self.malformed(&cause))?;
            let encrypted = document
                .decode_msg::<EncryptedPrivateKeyInfoRef<'_>>()
                .map_err(|cause| match cause.kind() {
                    // An algorithm that the library does not know even by name.
                    ErrorKind::OidUnknown { .. } => self.unsupported(cause.to_string()),
                    _ => self.malformed(&cause),
                })?;
            let key = encrypted.decrypt(passphrase).map_err(|cause| match cause {
                pkcs8::Error::EncryptedPrivateKey(
                    cause @ (pkcs5::Error::UnsupportedAlgorithm { .. }
                    | pkcs5::Error::NoPbes1CryptSupport),
                ) => self.unsupported(cause.to_string()),
                // The padding is wrong, or what came out is no key.
                _ => PemError::WrongPassphrase { name: self.name() },
            })?;
            Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
        }

        fn read(&self) -> Result<Cow<'_, [u8]>, PemError> {
            let path = match self {
                Self::Bytes(text) => return Ok(Cow::Borrowed(text)),
                Self::File(path) => path,
            };
            let mut text = Vec::new();
            File::open(path)
                .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text))
                .map_err(|cause| PemError::Unreadable {
                    file: self.name(),
                    cause: cause.to_string(),
                })?;
            if text.len() as u64 > MAX_FILE {
                return Err(PemError::TooLarge {
                    file: self.name(),
                    limit: MAX_FILE,
                });
            }
            Ok(Cow::Owned(text))
        }

        fn missing(&self, section: &'static str) -> PemError {
            PemError::Missing {
                name: self.name(),
                section,
            }
        }

        fn unsupported(&self, cause: String) -> PemError {
            PemError::UnsupportedEncryption {
                name: self.name(),
                cause,
            }
        }

        fn malformed(&self, cause: &dyn Display) -> PemError {
            PemError::Malformed {
                name: self.name(),
                cause: cause.to_string(),
            }
        }
    }

    /// An encrypted private key, from its first to its last line. What is cut off ends with the text.
    fn encrypted_section(text: &str) -> Option<&str> {
        const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
        let start = text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
        let section = text.get(start..)?;
        let end = section.find(END).map(|end| end + END.len());
        section.get(..end.unwrap_or(section.len()))
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;

    /// One Ed25519 key in PKCS #8, and its encryptions by `openssl pkcs8 -topk8` with the passphrase "geheim":
    /// `-v2 aes-256-cbc`, `-scrypt -scrypt_N 1024`, `-v2 des3`, and `-v2 aes-256-cbc -v2prf hmacWithSHA1`.
    const OPENED: [u8; 48] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20, 0xfd, 0x57, 0xa4, 0x5e, 0x3b, 0x18, 0xac, 0x8a, 0x81, 0x60, 0xf4, 0xb8, 0xa3, 0xa2,
        0xe7, 0x17, 0xcc, 0x90, 0xce, 0x13, 0x1f, 0xc4, 0x68, 0x45, 0x1f, 0xb3, 0x63, 0xc0, 0xa9,
        0x09, 0xf9, 0xb0,
    ];
    const PBKDF2: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgn7+pnrFQYCgICCAAw\n\
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMgUFRFdzRxz7vl5PlbRY/sEQDUW\n\
lzQDaLtby7sQiekIsr1bhifT5dzKJHyCjSA1jX1OAkaAO4Dcqpg3EQn2akdhaxvO\n\
Em64pbs4CLpxeL3UQ2M=\n\
-----END ENCRYPTED PRIVATE KEY-----\n";
    const SCRYPT: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAi8MhqMBgiBKwICBAAC\n\
AQgCAQEwHQYJYIZIAWUDBAEqBBAK6ylcJZVvC/T8dqMTR0FJBEAiqn6+l9zFG3vz\n\
sX2p9bmqWowZe6VW4DbwnbRKfva8ePj9rdMFODg77hkZ/pC3Ff3O5f/CrX8wacqc\n\
VXRD4+Fr\n\
-----END ENCRYPTED PRIVATE KEY-----\n";
    const DES3: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIGKME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAj3hLpZC6eoMAICCAAw\n\
DAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQITRSuz0vGWaIEODS+eKnsth0XHOFy\n\
yvI98QDjgY7ThD5pLYusYFOTRnGV8DuWWF7XFkoXHX++UGneyXnVx06BowyB\n\
-----END ENCRYPTED PRIVATE KEY-----\n";
    const SHA1: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIGNMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAg0/v/zB4e+qQICCAAw\n\
HQYJYIZIAWUDBAEqBBBqEQSgaDbPWgpcuyAfgnq/BEA51jmBlD5Hq3oxbFu9epZq\n\
+it5jwFm2gu8+ik19QNEs2ZQW8vVXM1cAgWMGTltjtkhfEyguB6YweddNb3ganGO\n\
-----END ENCRYPTED PRIVATE KEY-----\n";

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

    #[test]
    fn errors_name_the_file_and_the_cause() {
        let shown = |error: PemError| error.to_string();
        assert_eq!(
            shown(Pem::file("/nowhere/ca.pem").certificates().unwrap_err()),
            "cannot read /nowhere/ca.pem: No such file or directory (os error 2)"
        );
        assert_eq!(
            shown(Pem::file("/").certificates().unwrap_err()),
            "cannot read /: Is a directory (os error 21)"
        );
        assert_eq!(
            shown(Pem::bytes("hello").certificates().unwrap_err()),
            "the given text has no certificate in PEM"
        );
        assert_eq!(
            shown(Pem::bytes(KEY).certificates().unwrap_err()),
            "the given text has no certificate in PEM"
        );
        assert_eq!(
            shown(Pem::bytes("").private_key(None).unwrap_err()),
            "the given text has no private key in PEM"
        );
        let cut = Pem::bytes(&KEY[..40]).private_key(None).unwrap_err();
        assert!(matches!(cut, PemError::Malformed { .. }), "{cut}");
    }

    #[test]
    fn an_encrypted_key_is_opened_with_its_passphrase() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        for text in [
            PBKDF2.to_owned(),
            SCRYPT.to_owned(),
            format!("{certificate}{}{certificate}", PBKDF2.replace('\n', "\r\n")),
        ] {
            let key = Pem::bytes(text).private_key(Some(b"geheim")).unwrap();
            assert_eq!(key.secret_der(), OPENED);
        }
        // A passphrase beside a key that has none is not looked at.
        let open = Pem::bytes(KEY).private_key(Some(b"geheim")).unwrap();
        assert_eq!(open.secret_der(), [0x30, 0x00]);
    }

    #[test]
    fn what_stands_against_an_encrypted_key_is_named() {
        let shown = |text: &str, passphrase: Option<&[u8]>| {
            let opened = Pem::bytes(text).private_key(passphrase);
            opened.unwrap_err().to_string()
        };
        assert_eq!(
            shown(PBKDF2, None),
            "the private key in the given text is encrypted: decrypt it first, for example with openssl pkey"
        );
        for wrong in ["Geheim", "", "\u{fc}"] {
            assert_eq!(
                shown(PBKDF2, Some(wrong.as_bytes())),
                "the passphrase does not open the private key in the given text: give the one that it was encrypted with"
            );
        }
        let legacy =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n";
        let remedy = "encrypt it anew, for example with openssl pkcs8 -topk8 -v2 aes-256-cbc";
        for unsupported in [DES3, SHA1, legacy] {
            let text = shown(unsupported, Some(b"geheim"));
            assert!(
                text.contains("not supported") && text.ends_with(remedy),
                "{text}"
            );
        }
        for broken in [&PBKDF2[..60], &KEY.replace("PRIVATE", "ENCRYPTED PRIVATE")] {
            let error = Pem::bytes(broken).private_key(Some(b"geheim")).unwrap_err();
            assert!(matches!(error, PemError::Malformed { .. }), "{error}");
        }
    }

    #[test]
    fn a_symbolic_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link.pem");
        std::fs::write(directory.path().join("key.pem"), KEY).unwrap();
        std::os::unix::fs::symlink("key.pem", &link).unwrap();
        assert_eq!(
            Pem::file(&link).private_key(None).unwrap().secret_der(),
            [0x30, 0x00]
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", Pem::bytes(KEY));
        assert_eq!(shown, format!("Bytes({} bytes)", KEY.len()));
    }
}
