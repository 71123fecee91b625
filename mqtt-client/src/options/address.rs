//! Where a server listens.

use std::fmt;
use std::path::PathBuf;

/// Where a server listens. What is spoken there, TLS or WebSocket or both, is said by [`Options`](crate::Options) for all of
/// its addresses alike.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// Name or address; IPv6 without brackets.
        host: String,
        /// Port, not zero.
        port: u16,
    },
    /// The path of a Unix socket. Other systems refuse it when the client is started.
    Unix(PathBuf),
}

impl Address {
    /// A TCP port. `host` is a name or an address, IPv6 without brackets.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp {
            host: host.into(),
            port,
        }
    }

    /// A Unix socket.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::Unix(path.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_as_people_write_it() {
        assert_eq!(Address::tcp("h", 1).to_string(), "h:1");
        assert_eq!(Address::tcp("::1", 1).to_string(), "[::1]:1");
        assert_eq!(Address::unix("/run/m").to_string(), "unix:/run/m");
    }
}
