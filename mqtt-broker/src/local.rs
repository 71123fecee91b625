//! Subscribing from inside the program, without a socket.

use std::fmt;
use std::sync::Arc;

use mqtt_core::{Message, ReasonCode, SubscribeOptions, TopicError, TopicFilter};

use crate::sessions::Ended;
use crate::shared::Shared;
use crate::subscriber::Subscriber;

/// Messages for the program that embeds the broker: see [`Broker::subscribe`](crate::Broker::subscribe).
///
/// It is bounded like a session ([`Options::max_queued_messages`](crate::Options::max_queued_messages) and
/// [`Options::max_queued_bytes`](crate::Options::max_queued_bytes)) and ends when it is dropped.
pub struct LocalSubscription {
    shared: Arc<Shared>,
    subscriber: Arc<Subscriber>,
}

/// Why a local subscription was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The text is not a Topic Filter.
    #[error(transparent)]
    Filter(#[from] TopicError),
    /// The broker does not grant it, as it would not grant it to a client.
    #[error("the subscription was refused: {0}")]
    Refused(ReasonCode),
}

impl LocalSubscription {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        filter: &str,
        options: SubscribeOptions,
    ) -> Result<Self, SubscribeError> {
        let filter = TopicFilter::new(filter)?;
        // A shared subscription that is none is refused with what is wrong with it.
        filter.shared()?;
        let subscriber = shared.sessions.add_local();
        let now = shared.context.clock.now();
        let reason = shared
            .router
            .subscribe(now, &subscriber, None, filter, options);
        if reason.is_error() {
            return Err(SubscribeError::Refused(reason));
        }
        Ok(Self {
            shared: Arc::clone(shared),
            subscriber,
        })
    }

    /// Waits for the next message; `None` when the broker stops. Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.try_recv() {
                return Some(message);
            }
            tokio::select! {
                () = self.subscriber.woken() => {}
                () = self.shared.stop.cancelled() => return None,
            }
        }
    }

    /// The next message, if one is there.
    pub fn try_recv(&mut self) -> Option<Message> {
        let now = self.shared.context.clock.now();
        let waiting = self.subscriber.take_next(now)?;
        self.shared.context.counters.messages_out.add(1);
        Some(waiting.message)
    }
}

impl Drop for LocalSubscription {
    fn drop(&mut self) {
        self.shared.settle(Ended {
            sessions: vec![self.subscriber.key],
            orphans: self.subscriber.end(),
            ..Ended::default()
        });
    }
}

impl fmt::Debug for LocalSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSubscription").finish_non_exhaustive()
    }
}
