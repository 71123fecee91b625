//! What proxies answer.

use std::io;
use std::sync::Arc;

use thiserror::Error;

/// Why a proxy did not lead to the server.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It speaks its protocol, and says no.
    #[error("it says {answer}")]
    Refused {
        /// Status and reason of HTTP, or what the reply of SOCKS means.
        answer: String,
    },
    /// It wants to know who this is, and was not told.
    #[error("it wants a user name and a password, which belong into the proxy's options")]
    CredentialsWanted,
    /// It does not take the user name and password that the options have.
    #[error("it does not take the user name and password")]
    CredentialsRefused,
    /// What answers there is no proxy of this kind.
    #[error("it does not answer as a proxy of its kind: {what}")]
    NotAProxy {
        /// How it answered.
        what: String,
    },
    /// The server's name cannot be said to a proxy: 1 to 255 characters of ASCII without spaces.
    #[error("the server's name cannot be said to a proxy: it is empty, too long or not ASCII")]
    ServerName,
    /// The connection with it broke before its answer was complete.
    #[error("the connection ended before its answer: {0}")]
    Io(Arc<io::Error>),
}
