//! What errors call options, at borders that have other names for them.

use crate::error::ConnectError;
use crate::options::OptionsError;

/// The names that a border has for options. Errors have those of the fields of [`Options`](crate::Options).
#[derive(Clone, Copy, Debug)]
pub struct OptionNames(&'static [(&'static str, &'static str)]);

impl OptionNames {
    /// Pairs of the name in errors of this crate, such as `tls.roots`, and the border's. The others are the same at both.
    #[must_use]
    pub const fn new(names: &'static [(&'static str, &'static str)]) -> Self {
        Self(names)
    }

    /// Why options cannot work. Parameters of a URL are called the same everywhere.
    #[must_use]
    pub fn options_error(&self, error: &OptionsError) -> String {
        let text = error.to_string();
        match error {
            OptionsError::UnknownParameter | OptionsError::Parameter { .. } => text,
            _ => self.renamed(&text),
        }
    }

    /// Why there is no connection. Only what options may help against names any; the words of a server stay as they are.
    #[must_use]
    pub fn connect_error(&self, error: &ConnectError) -> String {
        match error {
            ConnectError::Options(error) => self.options_error(error),
            ConnectError::Tls { .. } => self.renamed(&error.to_string()),
            _ => error.to_string(),
        }
    }

    /// Part of a path or of another word is no name.
    fn renamed(&self, text: &str) -> String {
        let ends_word = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'));
        let pieces = text.split_inclusive(ends_word).map(|piece| {
            let word = piece.trim_end_matches(ends_word);
            let name = self.0.iter().find(|(ours, _)| *ours == word);
            name.map_or_else(
                || piece.to_owned(),
                |(ours, theirs)| piece.replace(ours, theirs),
            )
        });
        pieces.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mqtt_core::ReasonCode;

    use super::*;
    use crate::error::TlsError;
    use crate::options::TlsOptionsError;

    const NAMES: OptionNames = OptionNames::new(&[
        ("keep_alive", "the keep-alive"),
        ("tls.identity", "--cert"),
        ("tls.roots", "--ca"),
    ]);

    #[test]
    fn names_of_options_are_the_borders() {
        let mismatch = OptionsError::Tls(TlsOptionsError::KeyMismatch);
        let unreadable = OptionsError::Tls(TlsOptionsError::Root {
            cause: "cannot read /etc/tls.roots or x.keep_alive".to_owned(),
        });
        let zero = OptionsError::Zero {
            option: "keep_alive",
        };
        assert_eq!(
            [&mismatch, &unreadable, &zero].map(|error| NAMES.options_error(error)),
            [
                "--cert: the private key does not fit the certificate",
                "--ca: cannot read /etc/tls.roots or x.keep_alive",
                "the keep-alive must not be zero",
            ]
        );
        let demanded = ConnectError::Tls {
            address: "h:8883".to_owned(),
            cause: TlsError::ClientCertificateRequired,
        };
        assert_eq!(
            NAMES.connect_error(&demanded),
            "cannot speak TLS with h:8883: the server demands a client certificate; set --cert"
        );
        assert_eq!(
            NAMES.connect_error(&ConnectError::Options(zero)),
            "the keep-alive must not be zero"
        );
    }

    #[test]
    fn parameters_of_a_url_and_words_of_a_server_stay_as_they_are() {
        let parameter = OptionsError::Parameter {
            name: "keep_alive",
            expected: "a number",
        };
        for error in [parameter, OptionsError::UnknownParameter] {
            assert_eq!(NAMES.options_error(&error), error.to_string());
            assert!(error.to_string().contains("keep_alive"));
        }
        let refused = ConnectError::Refused {
            address: "h:1883".to_owned(),
            reason: ReasonCode::NOT_AUTHORIZED,
            detail: Some("see keep_alive".to_owned()),
            properties: Arc::default(),
        };
        assert_eq!(NAMES.connect_error(&refused), refused.to_string());
    }
}
