//! Errors of mqtt-client, which name options as Rust programs do, in the words of PHP users.

use mqtt_client::{ConnectError, OptionsError};

/// Rust's names of options and PHP's, where they differ.
const NAMES: [(&str, &str); 23] = [
    ("client_id", "clientId"),
    ("connect_timeout", "connectTimeout"),
    ("inbox.max_bytes", "inboxMaxBytes"),
    ("inbox.max_messages", "inboxMaxMessages"),
    ("keep_alive", "keepAlive"),
    ("maximum_packet_size", "maxPacketSize"),
    ("outgoing_topic_aliases", "outgoingTopicAliases"),
    ("queue_max_bytes", "queueMaxBytes"),
    ("queue_max_messages", "queueMaxMessages"),
    ("receive_maximum", "receiveMaximum"),
    ("reconnect.jitter_percent", "reconnectJitterPercent"),
    ("reconnect.max", "reconnectMax"),
    ("reconnect.min", "reconnectMin"),
    ("response_topic", "responseTopic"),
    ("session_expiry", "sessionExpiry"),
    ("tls.alpn", "alpn"),
    ("tls.identity", "certFile and keyFile"),
    ("tls.key_passphrase", "keyPassphrase"),
    ("tls.roots", "caFile or caPem"),
    ("tls.server_name", "serverName"),
    ("topic_alias_maximum", "topicAliasMaximum"),
    ("user_properties", "userProperties"),
    ("will.delay", "the delay of the will"),
];

/// Why options cannot work.
pub(crate) fn options_error(error: &OptionsError) -> String {
    in_php(&error.to_string())
}

/// Why there is no connection. Only what the options may help against names any; the words of a broker stay as they are.
pub(crate) fn connect_error(error: &ConnectError) -> String {
    let text = error.to_string();
    match error {
        ConnectError::Options(_) | ConnectError::Tls { .. } => in_php(&text),
        _ => text,
    }
}

/// The text with PHP's names in place of Rust's. Part of a path or of another word is no name.
fn in_php(text: &str) -> String {
    let ends_word = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'));
    let pieces = text.split_inclusive(ends_word).map(|piece| {
        let word = piece.trim_end_matches(ends_word);
        let name = NAMES.iter().find(|(rust, _)| *rust == word);
        name.map_or_else(|| piece.to_owned(), |(rust, php)| piece.replace(rust, php))
    });
    pieces.collect()
}
