//! Why something was refused, in words: Reason Strings (5.0) for what the Reason Code alone does not tell.
//!
//! They are for the people who read a client's log. The machine leaves them out where a client does not want them or cannot
//! take them.

use mqtt_core::{Property, ReasonCode, Utf8};

/// Why a message could not be published.
pub(super) const MAY_NOT_PUBLISH: &str = "the client may not publish to this topic";
/// Likewise.
pub(super) const BROKERS_TOPIC: &str = "topics below $SYS/ are the broker's own";

/// Why there is no subscription with a Topic Filter.
pub(super) const MAY_NOT_SUBSCRIBE: &str = "the client may not subscribe to it";
/// Likewise.
pub(super) const TOO_MANY_FILTERS: &str = "no more are looked at in one packet";

/// Why the broker ends a connection with this code.
pub(super) const fn disconnect(reason: ReasonCode) -> Option<&'static str> {
    match reason {
        ReasonCode::SESSION_TAKEN_OVER => Some("another client connected with this identifier"),
        ReasonCode::QUOTA_EXCEEDED => {
            Some("the client reads too slowly: more messages wait for it than may")
        }
        ReasonCode::SERVER_SHUTTING_DOWN => Some("the server shuts down"),
        _ => None,
    }
}

/// Why the router refused a subscription with this code.
pub(super) const fn subscription(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::QUOTA_EXCEEDED => "as many subscriptions are kept as may be",
        _ => "it has more levels than may be",
    }
}

/// The Topic Filter that the one Reason String of a SUBACK is about: the first that was refused.
#[derive(Debug, Default)]
pub(super) struct FirstRefused(Option<String>);

impl FirstRefused {
    /// The filter at `place`, counted from 0, is refused.
    pub(super) fn note(&mut self, place: usize, cause: &str) {
        self.0
            .get_or_insert_with(|| format!("filter {}: {cause}", place + 1));
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// The cause as a property.
pub(super) fn reason_string(cause: Option<&str>) -> Option<Property<'_>> {
    cause
        .and_then(|cause| Utf8::new(cause).ok())
        .map(Property::ReasonString)
}
