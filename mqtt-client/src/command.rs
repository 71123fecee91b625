//! What the application asks of the task.

use std::sync::Arc;

use mqtt_core::{PropertiesBuf, ReasonCode, SubscribeOptions};
use tokio::time::Instant;

use crate::error::{CloseError, SubscribeError};
use crate::request::Request;
use crate::stream::{AckMode, Stream, SubscriptionKey};
use crate::subscription::{Grant, SubscribeAnswer};

/// How the application answered a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AckAnswer {
    Reason(ReasonCode),
    /// With a Reason String, valid as a UTF-8 Encoded String.
    InWords(ReasonCode, Box<str>),
    /// The token was dropped.
    None,
}

impl AckAnswer {
    pub(crate) const SUCCESS: Self = Self::Reason(ReasonCode::SUCCESS);
}

pub(crate) enum Command {
    Subscribe {
        key: SubscriptionKey,
        filters: Vec<(String, SubscribeOptions)>,
        mode: AckMode,
        stream: Arc<Stream>,
        grant: Arc<Grant>,
        properties: PropertiesBuf,
        request: Request<Result<SubscribeAnswer, SubscribeError>>,
    },
    /// Takes the filters from everybody who has them.
    Unsubscribe {
        filters: Vec<String>,
        properties: PropertiesBuf,
        request: Request<Result<SubscribeAnswer, SubscribeError>>,
    },
    /// The stream is gone; with `tell_server`, so shall be the filters that nobody else has.
    Leave {
        key: SubscriptionKey,
        tell_server: bool,
    },
    /// A connection is wanted, though there is nothing to do on it yet.
    Connect,
    Close {
        deadline: Instant,
        request: Request<Result<(), CloseError>>,
    },
}

impl Command {
    /// Answers a request that will never be made.
    pub(crate) fn give_up(self) {
        match self {
            Self::Subscribe {
                request, stream, ..
            } => {
                request.answer(Err(SubscribeError::Closed));
                stream.close();
            }
            Self::Unsubscribe { request, .. } => request.answer(Err(SubscribeError::Closed)),
            Self::Leave { .. } | Self::Connect => {}
            Self::Close { request, .. } => request.answer(Ok(())),
        }
    }
}
