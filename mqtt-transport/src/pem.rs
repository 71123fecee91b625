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
    /// A key that a passphrase protects.
    #[error(
        "the private key in {name} is encrypted: decrypt it first, for example with openssl pkey"
    )]
    Encrypted {
        /// The path, or "the given text".
        name: String,
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
    use std::fs::File;
    use std::io::Read;

    use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::{Pem, PemError};

    /// The most that is read of a file: a hundred times what a system's list of authorities takes.
    const MAX_FILE: u64 = 32 * 1024 * 1024;

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

        /// The first private key in it: PKCS #8, PKCS #1 or SEC 1, not encrypted.
        ///
        /// # Errors
        /// [`PemError`].
        pub fn private_key(&self) -> Result<PrivateKeyDer<'static>, PemError> {
            const ENCRYPTED: [&[u8]; 2] = [
                b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
                b"Proc-Type: 4,ENCRYPTED",
            ];
            let text = self.read()?;
            let holds = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
            if ENCRYPTED.into_iter().any(holds) {
                return Err(PemError::Encrypted { name: self.name() });
            }
            match PrivateKeyDer::from_pem_slice(&text) {
                Ok(key) => Ok(key),
                Err(Error::NoItemsFound) => Err(self.missing("private key")),
                Err(cause) => Err(self.malformed(&cause)),
            }
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

        fn malformed(&self, cause: &Error) -> PemError {
            PemError::Malformed {
                name: self.name(),
                cause: cause.to_string(),
            }
        }
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;

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
            shown(Pem::bytes("").private_key().unwrap_err()),
            "the given text has no private key in PEM"
        );
        let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert_eq!(
            shown(Pem::bytes(encrypted).private_key().unwrap_err()),
            "the private key in the given text is encrypted: decrypt it first, for example with openssl pkey"
        );
        let cut = Pem::bytes(&KEY[..40]).private_key().unwrap_err();
        assert!(matches!(cut, PemError::Malformed { .. }), "{cut}");
    }

    #[test]
    fn a_symbolic_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link.pem");
        std::fs::write(directory.path().join("key.pem"), KEY).unwrap();
        std::os::unix::fs::symlink("key.pem", &link).unwrap();
        assert_eq!(
            Pem::file(&link).private_key().unwrap().secret_der(),
            [0x30, 0x00]
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", Pem::bytes(KEY));
        assert_eq!(shown, format!("Bytes({} bytes)", KEY.len()));
    }
}
