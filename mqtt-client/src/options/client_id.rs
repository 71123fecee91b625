//! The Client Identifier, given or made.

use rand::TryRng;
use rand::rngs::SysRng;

/// Letters and digits every server must take (v5 3.1.3.1).
const DIGITS: &[u8; 32] = b"0123456789abcdefghijkmnpqrstuvwx";

/// Random digits behind a prefix: 80 bits, and with `pushmq` within the 23 bytes every server must take.
const RANDOM_DIGITS: usize = 16;

/// The Client Identifier of CONNECT (v5 3.1.3.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum ClientId {
    /// Exactly this. Empty: the server chooses (5.0, or 3.1.1 with a clean session).
    Exact(String),
    /// This, and 16 random digits that are drawn once per client: never the same for two processes, also after `fork`.
    Prefix(String),
}

impl ClientId {
    /// The identifier to send.
    pub(crate) fn make(&self) -> String {
        match self {
            Self::Exact(id) => id.clone(),
            Self::Prefix(prefix) => {
                let mut id = prefix.clone();
                id.extend(random_digits());
                id
            }
        }
    }
}

impl Default for ClientId {
    fn default() -> Self {
        Self::Prefix("pushmq".to_owned())
    }
}

/// Asks the operating system each time: a generator in memory would repeat itself in a forked child.
fn random_digits() -> impl Iterator<Item = char> {
    let mut bytes = [0; RANDOM_DIGITS];
    if SysRng.try_fill_bytes(&mut bytes).is_err() {
        rand::fill(&mut bytes);
    }
    bytes.into_iter().map(|byte| {
        char::from(
            *DIGITS
                .get(usize::from(byte) % DIGITS.len())
                .unwrap_or(&b'0'),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_gives_a_new_identifier_each_time_that_every_server_takes() {
        let prefix = ClientId::default();
        let (one, two) = (prefix.make(), prefix.make());
        assert_ne!(one, two);
        assert!(one.starts_with("pushmq") && one.len() <= 23, "{one}");
        assert!(
            one.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{one}"
        );
    }

    #[test]
    fn an_exact_identifier_is_left_alone() {
        assert_eq!(ClientId::Exact("Gerät 7".to_owned()).make(), "Gerät 7");
    }
}
