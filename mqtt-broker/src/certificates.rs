//! With what a client has authenticated itself in the transport.

use std::fmt;
use std::sync::Arc;

/// The certificates that a client showed in its TLS handshake and that were found good: its own first, then those that lead
/// to an authority. Empty without TLS, and where none is demanded.
#[derive(Clone, Default)]
pub(crate) struct Certificates(Option<Arc<Vec<Vec<u8>>>>);

impl Certificates {
    /// Keeps a copy of them.
    #[cfg(feature = "tls")]
    pub(crate) fn new(chain: Option<&[impl AsRef<[u8]>]>) -> Self {
        let copy = |chain: &[_]| {
            let chain = chain.iter().map(AsRef::as_ref).map(<[u8]>::to_vec);
            Arc::new(chain.collect())
        };
        Self(chain.filter(|chain| !chain.is_empty()).map(copy))
    }

    pub(crate) fn as_slice(&self) -> &[Vec<u8>] {
        self.0.as_ref().map_or(&[], |chain| chain)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.as_slice().len())
    }
}
