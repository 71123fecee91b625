//! The stream of one subscription.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use mqtt_core::{PropertiesBuf, QoS, ReasonCode, RetainHandling};

use crate::client::Owner;
use crate::command::Command;
use crate::error::SubscribeError;
use crate::received::Received;
use crate::stream::{AckMode, Stream, SubscriptionKey};

/// How to subscribe.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SubscribeOptions {
    /// Highest QoS at which the server may send. Default: QoS 0.
    pub qos: QoS,
    /// Not what this client published itself (5.0).
    pub no_local: bool,
    /// RETAIN as the publisher set it (5.0).
    pub retain_as_published: bool,
    /// Whether retained messages come at once (5.0).
    pub retain_handling: RetainHandling,
    /// Who acknowledges QoS 1 and 2. Default: the client, when the message went into the stream.
    pub ack: AckMode,
}

impl SubscribeOptions {
    /// Options with this QoS and all else by default.
    #[must_use]
    pub fn new(qos: QoS) -> Self {
        Self {
            qos,
            ..Self::default()
        }
    }

    /// Sets who acknowledges.
    #[must_use]
    pub const fn with_ack(mut self, ack: AckMode) -> Self {
        self.ack = ack;
        self
    }

    /// Sets whether messages published by this client itself are left out (5.0).
    #[must_use]
    pub const fn with_no_local(mut self, no_local: bool) -> Self {
        self.no_local = no_local;
        self
    }

    /// Sets whether RETAIN comes as the publisher set it (5.0).
    #[must_use]
    pub const fn with_retain_as_published(mut self, retain_as_published: bool) -> Self {
        self.retain_as_published = retain_as_published;
        self
    }

    /// Sets whether retained messages come at once (5.0).
    #[must_use]
    pub const fn with_retain_handling(mut self, retain_handling: RetainHandling) -> Self {
        self.retain_handling = retain_handling;
        self
    }

    /// What goes on the wire.
    pub(crate) const fn on_wire(self) -> mqtt_core::SubscribeOptions {
        mqtt_core::SubscribeOptions {
            qos: self.qos,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: self.retain_handling,
        }
    }
}

impl From<QoS> for SubscribeOptions {
    fn from(qos: QoS) -> Self {
        Self::new(qos)
    }
}

/// What the server answered to a SUBSCRIBE or an UNSUBSCRIBE.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SubscribeAnswer {
    /// One for each filter, in the order of the call. In 3.x, where UNSUBACK has none, each is success.
    pub reasons: Vec<ReasonCode>,
    /// The properties of the SUBACK or UNSUBACK: Reason String and User Properties (5.0; v5 3.9.2.1, 3.11.2.1).
    ///
    /// For the server, a filter that several `subscribe` calls have is one subscription, so that the filters of one call may
    /// be answered by SUBACKs to several. These are the properties of the one that answered the first filter that was refused
    /// or, if none was, the first filter of the call.
    pub properties: Arc<PropertiesBuf>,
}

impl SubscribeAnswer {
    /// The first refusal, as an error. `filters` are those of the call, in its order.
    #[must_use]
    pub fn refusal<'f>(
        &self,
        filters: impl IntoIterator<Item = &'f str>,
    ) -> Option<SubscribeError> {
        let mut answered = filters.into_iter().zip(&self.reasons);
        let (filter, reason) = answered.find(|(_, reason)| reason.is_error())?;
        Some(SubscribeError::Refused {
            filter: filter.to_owned(),
            reason: *reason,
            properties: Arc::clone(&self.properties),
        })
    }
}

/// What the server granted, now: it may change when the client had to subscribe anew.
#[derive(Debug, Default)]
pub(crate) struct Grant(AtomicU8);

impl Grant {
    pub(crate) fn set(&self, reason: ReasonCode) {
        self.0.store(reason.get(), Ordering::Release);
    }

    pub(crate) fn get(&self) -> ReasonCode {
        ReasonCode::new(self.0.load(Ordering::Acquire))
    }
}

/// The messages for one Topic Filter: a bounded stream.
///
/// It goes on across connections: where the server lost the session, the client subscribes anew. It ends when the client is
/// closed, when the filter is unsubscribed, and when the server refuses it after a reconnect ([`granted`](Self::granted)
/// tells). Receiving is cancel-safe: a future that is dropped takes no message with it.
///
/// Dropping it ends the subscription at the server too, except where the server is asked to keep the session
/// ([`Options::keeps_session`](crate::Options::keeps_session)): a device that goes offline must not lose its subscription by
/// going. There, `unsubscribe` ends it. Messages that are still unacknowledged then are answered as a dropped
/// [`Ack`](crate::Ack) is. When the client is closed instead, they stay unanswered, and a kept session sends them again.
pub struct Subscription {
    pub(crate) filter: String,
    pub(crate) key: SubscriptionKey,
    pub(crate) stream: Arc<Stream>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) owner: Arc<Owner>,
}

impl Subscription {
    /// Waits for the next message; `None` once the stream has ended. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Received> {
        poll_fn(|context| self.stream.poll_pop(context)).await
    }

    /// The next message, if one is here.
    pub fn try_recv(&mut self) -> Option<Received> {
        self.stream.try_pop()
    }

    /// How many messages are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stream.len()
    }

    /// Whether no message is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no message will come any more: the stream has ended and is empty.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.stream.is_ended()
    }

    /// The Topic Filter.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// What the server granted, in its last SUBACK.
    #[must_use]
    pub fn granted(&self) -> ReasonCode {
        self.grant.get()
    }

    /// Names this subscription in [`Received::subscriptions`].
    #[must_use]
    pub const fn key(&self) -> SubscriptionKey {
        self.key
    }
}

impl futures_core::Stream for Subscription {
    type Item = Received;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Received>> {
        self.stream.poll_pop(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let shared = self.owner.shared();
        if shared.is_foreign() {
            return;
        }
        let tell_server = !shared.options.keeps_session();
        // A closed client has no subscriptions any more.
        let _ = shared.command(Command::Leave {
            key: self.key,
            tell_server,
        });
        self.stream.abandon();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("filter", &self.filter)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
