//! Users and hashed passwords from a file.

mod pending;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use mqtt_core::ReasonCode;
use tokio::sync::Semaphore;
use tokio::task;

use crate::authenticate::{Authenticate, ConnectInfo};
use pending::Pending;

/// Passwords that may be checked or wait for it, for each processor. A check takes some hundredths of a second, so that the
/// last one waits for a few seconds and not for longer than its client may.
const PENDING_PER_PROCESSOR: usize = 64;

/// An [`Authenticate`] that knows its users from a file.
///
/// One user a line, as `USER:HASH`; empty lines and lines that begin with `#` are skipped. The hash is a PHC string of the
/// Argon2 family, as [`PasswordFile::line`] and `mqtt-broker hash-password` make it. The file is read once. It should be
/// readable by its owner alone: hashes can be guessed at.
///
/// Passwords are verified on threads made for blocking work, no more at a time than there are processors, and take the
/// same time whether the user exists or not. A client without a user name is refused with Not authorized (0x87), one with
/// an unknown user or a wrong password with Bad User Name or Password (0x86).
///
/// At most 64 passwords for each processor are being verified or wait for it, and half of them for one address (of IPv6, one
/// /64 network). A client beyond that is refused with Server busy (0x89) at once; it may try again later.
pub struct PasswordFile {
    users: HashMap<String, Arc<str>>,
    /// Verified for users that do not exist, so that the time taken does not tell who does.
    nobody: Arc<str>,
    permits: Arc<Semaphore>,
    pending: Arc<Pending>,
}

/// Why a password file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordFileError {
    /// The file could not be read.
    #[error("cannot read password file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line is not `USER:HASH`.
    #[error("line {line} is not of the form USER:HASH")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// The hash is not a PHC string of the Argon2 family.
    #[error("line {line} has no usable password hash (they look like $argon2id$...)")]
    Hash {
        /// Counted from 1.
        line: usize,
    },
    /// A user is named twice.
    #[error("line {line} names a user again")]
    Duplicate {
        /// Counted from 1.
        line: usize,
    },
    /// A user name with a colon, a line break or nothing in it, or one that looks like a comment.
    #[error("a user name must not be empty, begin with '#', or contain ':' or a line break")]
    UserName,
    /// Hashing failed: the system gave no random salt or no memory.
    #[error("hashing failed: {0}")]
    Hashing(argon2::password_hash::Error),
}

impl PasswordFile {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`PasswordFileError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PasswordFileError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| PasswordFileError::Read {
            path: path.to_owned(),
            source,
        })?;
        warn_if_readable_by_others(path);
        Self::parse(&text)
    }

    /// Takes the text of a file.
    ///
    /// # Errors
    /// See [`PasswordFileError`].
    pub fn parse(text: &str) -> Result<Self, PasswordFileError> {
        let mut users = HashMap::new();
        for (index, text) in text.lines().enumerate() {
            let line = index + 1;
            let text = text.trim_end();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (user, hash) = text
                .split_once(':')
                .filter(|(user, _)| !user.is_empty())
                .ok_or(PasswordFileError::Line { line })?;
            let usable = PasswordHash::new(hash).is_ok_and(|hash| {
                hash.algorithm.as_str().starts_with("argon2") && hash.hash.is_some()
            });
            if !usable {
                return Err(PasswordFileError::Hash { line });
            }
            if users.insert(user.to_owned(), hash.into()).is_some() {
                return Err(PasswordFileError::Duplicate { line });
            }
        }
        let nobody = hash(b"the password of nobody")?.into();
        let permits = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            users,
            nobody,
            permits: Arc::new(Semaphore::new(permits)),
            pending: Arc::new(Pending::new(permits * PENDING_PER_PROCESSOR)),
        })
    }

    /// Makes the line for a user, with a fresh salt (Argon2id, 19 MiB, 2 passes).
    ///
    /// # Errors
    /// [`PasswordFileError::UserName`], or [`PasswordFileError::Hashing`].
    pub fn line(user: &str, password: &[u8]) -> Result<String, PasswordFileError> {
        if user.is_empty() || user.starts_with('#') || user.contains([':', '\n', '\r']) {
            return Err(PasswordFileError::UserName);
        }
        Ok(format!("{user}:{}", hash(password)?))
    }

    async fn verify(
        &self,
        username: &str,
        password: &[u8],
        peer: Option<IpAddr>,
    ) -> Result<(), ReasonCode> {
        let ticket = self.pending.enter(peer).ok_or(ReasonCode::SERVER_BUSY)?;
        let known = self.users.get(username);
        let hash = Arc::clone(known.unwrap_or(&self.nobody));
        let password = password.to_owned();
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| ReasonCode::SERVER_UNAVAILABLE)?;
        let fits = task::spawn_blocking(move || {
            // Given back when the work is done, not when the client that asked for it gives up.
            let _held = (permit, ticket);
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(&password, &hash).is_ok())
        })
        .await
        .map_err(|_| ReasonCode::SERVER_UNAVAILABLE)?;
        if fits && known.is_some() {
            Ok(())
        } else {
            Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        }
    }
}

impl Authenticate for PasswordFile {
    fn authenticate<'a>(
        &'a self,
        info: &'a ConnectInfo<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>> {
        Box::pin(async move {
            let username = info.username.ok_or(ReasonCode::NOT_AUTHORIZED)?;
            let peer = info.peer.map(|peer| peer.ip());
            self.verify(username, info.password.unwrap_or_default(), peer)
                .await
        })
    }
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordFile")
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}

fn hash(password: &[u8]) -> Result<String, PasswordFileError> {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password)
        .map_err(PasswordFileError::Hashing)?;
    Ok(hash.to_string())
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the password file can be read by others; chmod 600 keeps its hashes private");
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_path: &Path) {}

#[cfg(test)]
mod tests {
    use mqtt_core::ProtocolVersion;

    use super::*;

    async fn ask(
        file: &PasswordFile,
        username: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<(), ReasonCode> {
        let info = ConnectInfo {
            version: ProtocolVersion::V5,
            client_id: "c",
            username,
            password,
            peer: None,
            certificates: &[],
        };
        file.authenticate(&info).await
    }

    #[tokio::test]
    async fn the_right_password_opens() {
        let text = format!(
            "# staff\n\n{}\n",
            PasswordFile::line("ann", b"p:w d").unwrap()
        );
        assert!(!text.contains("p:w d"));
        let file = PasswordFile::parse(&text).unwrap();
        assert_eq!(ask(&file, Some("ann"), Some(b"p:w d")).await, Ok(()));
        assert_eq!(
            ask(&file, Some("ann"), Some(b"p:w e")).await,
            Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        );
        assert_eq!(
            ask(&file, Some("ann"), None).await,
            Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        );
        assert_eq!(
            ask(&file, Some("bob"), Some(b"p:w d")).await,
            Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        );
        // The password that stands in for users that do not exist opens nothing.
        assert_eq!(
            ask(&file, Some("bob"), Some(b"the password of nobody")).await,
            Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        );
        assert_eq!(
            ask(&file, None, Some(b"p:w d")).await,
            Err(ReasonCode::NOT_AUTHORIZED)
        );
        assert_eq!(format!("{file:?}"), "PasswordFile { users: 1, .. }");
    }

    #[tokio::test]
    async fn who_would_wait_for_too_long_is_told_at_once() {
        let line = PasswordFile::line("ann", b"x").unwrap();
        let mut file = PasswordFile::parse(&line).unwrap();
        file.pending = Arc::new(Pending::new(1));
        // No check begins, so that the first one waits.
        let permits = u32::try_from(file.permits.available_permits()).unwrap();
        let all = Arc::clone(&file.permits);
        let all = all.acquire_many_owned(permits).await.unwrap();
        let mut first = Box::pin(ask(&file, Some("ann"), Some(b"x")));
        tokio::select! {
            biased;
            _ = &mut first => panic!("it was checked"),
            () = task::yield_now() => {}
        }
        assert_eq!(
            ask(&file, Some("ann"), Some(b"x")).await,
            Err(ReasonCode::SERVER_BUSY)
        );
        // Giving up makes room.
        drop(first);
        drop(all);
        assert_eq!(ask(&file, Some("ann"), Some(b"x")).await, Ok(()));
    }

    #[test]
    fn bad_lines_are_named() {
        let good = PasswordFile::line("ann", b"x").unwrap();
        let parse = |text: String| PasswordFile::parse(&text).unwrap_err();
        assert!(matches!(
            parse("\nann".into()),
            PasswordFileError::Line { line: 2 }
        ));
        assert!(matches!(
            parse(":x".into()),
            PasswordFileError::Line { line: 1 }
        ));
        assert!(matches!(
            parse("ann:plain".into()),
            PasswordFileError::Hash { line: 1 }
        ));
        assert!(matches!(
            parse("ann:$argon2id$v=19$m=19456,t=2,p=1".into()),
            PasswordFileError::Hash { line: 1 }
        ));
        assert!(matches!(
            parse(format!("{good}\n{good}")),
            PasswordFileError::Duplicate { line: 2 }
        ));
        assert!(matches!(
            PasswordFile::line("a:b", b"x"),
            Err(PasswordFileError::UserName)
        ));
        assert!(matches!(
            PasswordFile::line("#a", b"x"),
            Err(PasswordFileError::UserName)
        ));
        assert!(matches!(
            PasswordFile::read("/nonexistent/file"),
            Err(PasswordFileError::Read { .. })
        ));
    }

    #[test]
    fn the_same_password_hashes_differently() {
        assert_ne!(
            PasswordFile::line("ann", b"x").unwrap(),
            PasswordFile::line("ann", b"x").unwrap()
        );
    }
}
