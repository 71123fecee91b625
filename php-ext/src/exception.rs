//! Exceptions: how a Rust error becomes one, and of which class. The table is here and nowhere else.

use std::fmt::Display;

use mqtt_client::background::StartError;
use mqtt_client::{ConnectError, Outcome, PublishError, RequestError, SubscribeError};
use mqtt_core::ReasonCode;

use crate::names::NAMES;
use crate::shim::{self, Class};

/// An exception about to be thrown.
#[derive(Debug)]
pub(crate) struct Failure {
    class: Class,
    message: String,
    reason_code: Option<u8>,
}

/// Why a method returns nothing.
#[derive(Debug)]
pub(crate) enum Thrown {
    /// An exception (or an `exit`) is pending in the engine already.
    Pending,
    /// This one is to be thrown.
    Failure(Failure),
}

impl Failure {
    pub(crate) fn new(class: Class, message: impl Display) -> Self {
        Self {
            class,
            message: message.to_string(),
            reason_code: None,
        }
    }

    pub(crate) fn with_reason(mut self, code: Option<u8>) -> Self {
        self.reason_code = code;
        self
    }

    pub(crate) fn option(message: impl Display) -> Self {
        Self::new(Class::InvalidOptionException, message)
    }

    pub(crate) fn topic(message: impl Display) -> Self {
        Self::new(Class::InvalidTopicException, message)
    }

    pub(crate) fn closed(message: impl Display) -> Self {
        Self::new(Class::ClosedException, message)
    }

    pub(crate) fn timeout(message: impl Display) -> Self {
        Self::new(Class::TimeoutException, message)
    }

    /// The client's process is not the one that made the connection.
    pub(crate) fn forked() -> Self {
        Self::closed(
            "this client belongs to the process that this one was forked from; make a new one here",
        )
    }

    /// Why there is no connection. The message names address and cause.
    pub(crate) fn connect(error: &ConnectError) -> Self {
        let reason = error.reason();
        let class = match error {
            ConnectError::Refused { reason, .. } if concerns_rights(*reason) => {
                Class::AuthException
            }
            ConnectError::Lost {
                reason: Some(reason),
                ..
            } if concerns_rights(*reason) => Class::AuthException,
            ConnectError::Refused { reason, .. }
            | ConnectError::Lost {
                reason: Some(reason),
                ..
            } if concerns_protocol(*reason) => Class::ProtocolException,
            ConnectError::NotMqtt { .. } => Class::ProtocolException,
            ConnectError::Options(_) => Class::InvalidOptionException,
            ConnectError::Closed => Class::ClosedException,
            ConnectError::Forked => return Self::forked(),
            _ => Class::ConnectionException,
        };
        Self::new(class, NAMES.connect_error(error)).with_reason(reason.map(ReasonCode::get))
    }

    /// Why a publish was refused at the call.
    pub(crate) fn publish(error: &PublishError) -> Self {
        match error {
            PublishError::QueueFull { .. } => Self::new(Class::QueueFullException, error),
            PublishError::Closed => Self::closed("the client was closed"),
            PublishError::Forked => Self::forked(),
            _ => Self::new(Class::PublishException, error),
        }
    }

    /// Why a SUBSCRIBE or UNSUBSCRIBE came to nothing.
    pub(crate) fn subscribe(error: &SubscribeError) -> Self {
        match error {
            SubscribeError::Filter { .. } | SubscribeError::TooManyLevels { .. } => {
                Self::topic(error)
            }
            SubscribeError::Refused {
                filter,
                reason,
                properties,
            } => {
                let words = properties.as_properties().reason_string();
                let words = words.map(|words| format!(" ({words})")).unwrap_or_default();
                let message =
                    format!("the broker refused the topic filter {filter:?}: {reason}{words}");
                Self::new(Class::SubscribeException, message).with_reason(Some(reason.get()))
            }
            SubscribeError::NotSupported { reason } => {
                Self::new(Class::SubscribeException, error).with_reason(Some(reason.get()))
            }
            SubscribeError::QueueFull { .. } => Self::new(Class::QueueFullException, error),
            SubscribeError::Closed => Self::closed("the client was closed"),
            SubscribeError::Forked => Self::forked(),
            _ => Self::new(Class::SubscribeException, error),
        }
    }

    /// Why a request has no response.
    pub(crate) fn request(error: &RequestError) -> Self {
        match error {
            RequestError::NobodyThere => Self::new(Class::PublishException, error)
                .with_reason(Some(ReasonCode::NO_MATCHING_SUBSCRIBERS.get())),
            RequestError::NotDelivered(outcome) => {
                let reason = match outcome {
                    Outcome::Acknowledged { reason, .. } => Some(reason.get()),
                    _ => None,
                };
                Self::new(Class::PublishException, error).with_reason(reason)
            }
            RequestError::Publish(error) => Self::publish(error),
            RequestError::Subscribe { cause, .. } => {
                let reason = match cause {
                    SubscribeError::Refused { reason, .. } => Some(reason.get()),
                    _ => None,
                };
                Self::new(Class::SubscribeException, error).with_reason(reason)
            }
            RequestError::PropertyTaken { .. } | RequestError::Encode(_) => Self::option(error),
            RequestError::Closed => Self::closed("the client was closed"),
            RequestError::Forked => Self::forked(),
            _ => Self::new(Class::PublishException, error),
        }
    }

    /// Why the background thread did not take the client on.
    pub(crate) fn start(error: &StartError, address: &str) -> Self {
        match error {
            StartError::Options(error) => Self::option(NAMES.options_error(error)),
            _ => Self::new(
                Class::ConnectionException,
                format!("cannot start the connection to {address}: {error}"),
            ),
        }
    }

    /// The operating system has no descriptor left to wait on.
    pub(crate) fn no_descriptor(error: &std::io::Error) -> Self {
        Self::new(
            Class::ConnectionException,
            format!("cannot wait for the connection: {error}"),
        )
    }

    pub(crate) fn throw(self) {
        shim::throw(self.class, &self.message, self.reason_code);
    }
}

impl From<Failure> for Thrown {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Who we are is the trouble: not authorized, bad credentials, banned, bad authentication method.
fn concerns_rights(reason: ReasonCode) -> bool {
    [
        ReasonCode::NOT_AUTHORIZED,
        ReasonCode::BAD_USER_NAME_OR_PASSWORD,
        ReasonCode::BANNED,
        ReasonCode::BAD_AUTHENTICATION_METHOD,
    ]
    .contains(&reason)
}

/// What was said is the trouble: malformed packet, protocol error, unsupported version.
fn concerns_protocol(reason: ReasonCode) -> bool {
    [
        ReasonCode::MALFORMED_PACKET,
        ReasonCode::PROTOCOL_ERROR,
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
    ]
    .contains(&reason)
}
