//! What PHP calls the options.

use mqtt_client::background::OptionNames;

/// The names of options in PHP, where they are not those in Rust.
pub(crate) const NAMES: OptionNames = OptionNames::new(&[
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
]);
