//! Requests and their responses (v5 4.10): publishes that carry a Response Topic and Correlation Data.
//!
//! All requests of a client share one Response Topic and one subscription to it, which the first of them makes; the
//! Correlation Data tells their responses apart. What arrives there for no open request, because it came too late or is
//! somebody else's, is dropped.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mqtt_core::{
    EncodeError, Message, Outcome, Property, PropertyId, ProtocolVersion, QoS, ReasonCode,
    TopicName,
};
use thiserror::Error;

use crate::client::{Client, Target};
use crate::error::{PublishError, SubscribeError};
use crate::options::Overflow;
use crate::request::Request;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::subscription::SubscribeOptions;

/// Why a request has no response.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// Response Topic and Correlation Data are properties of 5.0. Nothing was sent.
    #[error("requests need MQTT 5.0, and the connection speaks an older version")]
    NeedsVersion5,
    /// The message has a property that the request sets itself. Nothing was sent.
    #[error("a request sets the {property:?} itself")]
    PropertyTaken {
        /// Response Topic or Correlation Data.
        property: PropertyId,
    },
    /// The message cannot be written with the two properties. Nothing was sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The subscription to the Response Topic came to nothing. Nothing was sent.
    #[error("no subscription to the response topic {topic:?}: {cause}")]
    Subscribe {
        /// The Response Topic.
        topic: String,
        /// Why not.
        cause: SubscribeError,
    },
    /// The message was not taken. Nothing was sent.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The server says that nobody subscribes to the topic of the request (0x10): nobody will respond.
    #[error("nobody subscribes to the topic of the request")]
    NobodyThere,
    /// The request ended without the server having it; the [`Outcome`] says how.
    #[error("the request was not delivered: {}", describe(.0))]
    NotDelivered(Outcome),
    /// No response came in time. A later one is dropped.
    #[error("no response within {after:?}")]
    TimedOut {
        /// The time given.
        after: Duration,
    },
    /// The client was closed, or the subscription to the Response Topic was ended, before a response came.
    #[error("the client stopped listening for responses")]
    Closed,
    /// The handle was made before this process was forked.
    #[error("the client belongs to the parent process")]
    Forked,
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Acknowledged { reason, .. } => reason.to_string(),
        Outcome::Refused(error) => error.to_string(),
        Outcome::Expired => "its Message Expiry Interval is over".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A request on its way to its response. Dropping it gives up waiting: a response that comes later is dropped, too.
#[derive(Debug)]
pub struct Reply {
    correlation: Correlation,
    answer: Request<Result<Message, RequestError>>,
    responses: Arc<Responses>,
    shared: Weak<Shared>,
}

impl Reply {
    /// The response, or why there will be none; `None` while it is awaited. It is the message alone: what else is known of a
    /// [`Received`](crate::Received) one, such as its Packet Identifier, is not kept. Takes no lock.
    #[must_use]
    pub fn result(&self) -> Option<Result<Message, RequestError>> {
        self.answer.result()
    }

    /// Waits for the response.
    ///
    /// # Errors
    /// [`RequestError`]: there will be none.
    pub async fn wait(&self) -> Result<Message, RequestError> {
        self.answer.wait().await
    }

    /// Has `call` called once with the response: at once if it is here, otherwise by the client's task, which holds no lock
    /// then and which it must not keep waiting. Of several calls to this, the last one counts.
    pub fn on_response(&self, call: impl FnOnce(&Result<Message, RequestError>) + Send + 'static) {
        self.answer.on_answer(call);
    }
}

#[cfg(all(unix, feature = "background"))]
impl Reply {
    /// Ends the request with [`RequestError::TimedOut`] if it is open after `longest`, which `runtime` counts.
    pub(crate) fn end_after(&self, longest: Duration, runtime: &tokio::runtime::Handle) {
        let (responses, correlation) = (Arc::clone(&self.responses), self.correlation);
        let mut inner = self.responses.inner();
        // It may have ended meanwhile.
        if let Some(open) = inner.open.get_mut(&correlation) {
            let timer = runtime.spawn(async move {
                tokio::time::sleep(longest).await;
                responses.fail(correlation, RequestError::TimedOut { after: longest });
            });
            open.timer = Some(Timer(timer.abort_handle()));
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // In a forked child the lock may be held for ever.
        if self
            .shared
            .upgrade()
            .is_some_and(|shared| !shared.is_foreign())
        {
            self.responses.take(self.correlation);
        }
    }
}

/// The Correlation Data of one request: not to be guessed, and never the same again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Correlation([u8; 16]);

/// The open requests of a client.
pub(crate) struct Responses {
    topic: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    stage: Stage,
    open: HashMap<Correlation, Open>,
    /// How many requests there were.
    made: u64,
}

/// How far the subscription to the Response Topic is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Stage {
    #[default]
    None,
    Asked,
    Granted,
}

struct Open {
    number: u64,
    /// Not published yet: it waits for the subscription.
    unsent: Option<Message>,
    answer: Request<Result<Message, RequestError>>,
    /// What ends it in time, if anything does.
    #[cfg(all(unix, feature = "background"))]
    timer: Option<Timer>,
}

/// A task that waits, as long as this is there.
#[cfg(all(unix, feature = "background"))]
struct Timer(tokio::task::AbortHandle);

#[cfg(all(unix, feature = "background"))]
impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Responses {
    pub(crate) fn new(topic: Option<String>) -> Arc<Self> {
        // Not to be guessed, so that only who was asked can respond, whatever the server lets others publish.
        let topic = topic.unwrap_or_else(|| format!("response/{:032x}", rand::random::<u128>()));
        Arc::new(Self {
            topic,
            inner: Mutex::default(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a response is awaited.
    pub(crate) fn are_awaited(&self) -> bool {
        !self.inner().open.is_empty()
    }

    /// Takes a request: it is published as soon as the subscription to the Response Topic stands.
    pub(crate) fn begin(
        self: &Arc<Self>,
        client: &Client,
        message: Message,
    ) -> Result<Reply, RequestError> {
        let shared = client.shared();
        if !speaks_v5(shared) {
            return Err(RequestError::NeedsVersion5);
        }
        let correlation = Correlation(rand::random());
        let message = self.addressed(message, correlation)?;
        let answer = Request::new();
        let mut inner = self.inner();
        if inner.open.len() >= shared.options.queue_max_messages {
            return Err(PublishError::QueueFull {
                messages: inner.open.len(),
                bytes: 0,
            }
            .into());
        }
        inner.made += 1;
        let number = inner.made;
        let stage = inner.stage;
        let (unsent, now) = match stage {
            Stage::Granted => (None, Some(message)),
            Stage::None | Stage::Asked => (Some(message), None),
        };
        inner.open.insert(
            correlation,
            Open {
                number,
                unsent,
                answer: answer.clone(),
                #[cfg(all(unix, feature = "background"))]
                timer: None,
            },
        );
        if stage == Stage::None {
            inner.stage = Stage::Asked;
        }
        drop(inner);
        let reply = Reply {
            correlation,
            answer,
            responses: Arc::clone(self),
            shared: Arc::downgrade(shared),
        };
        if stage == Stage::None {
            self.subscribe(client)?;
        }
        if let Some(message) = now {
            self.publish(shared, correlation, message)?;
        }
        Ok(reply)
    }

    /// The message with Response Topic and Correlation Data.
    fn addressed(
        &self,
        message: Message,
        correlation: Correlation,
    ) -> Result<Message, RequestError> {
        let mut properties: Vec<_> = message.properties().iter().collect();
        for property in [PropertyId::ResponseTopic, PropertyId::CorrelationData] {
            if properties.iter().any(|taken| taken.id() == property) {
                return Err(RequestError::PropertyTaken { property });
            }
        }
        let topic = TopicName::new(&self.topic).map_err(|cause| RequestError::Subscribe {
            topic: self.topic.clone(),
            cause: SubscribeError::Filter {
                filter: self.topic.clone(),
                cause,
            },
        })?;
        properties.push(Property::ResponseTopic(topic));
        properties.push(Property::CorrelationData(&correlation.0));
        Ok(message.clone().with_properties(&properties)?)
    }

    fn subscribe(self: &Arc<Self>, client: &Client) -> Result<(), RequestError> {
        let target = Target {
            key: client.next_key(),
            stream: Arc::new(Stream::responses(
                Arc::clone(client.shared()),
                Arc::clone(self),
            )),
            grant: Arc::default(),
        };
        let filters = vec![(self.topic.clone(), SubscribeOptions::new(QoS::AtLeastOnce))];
        let asked = client
            .request_subscribe(filters, &[], target)
            .map_err(|cause| {
                let error = self.no_subscription(cause);
                // Others may wait for this subscription already.
                self.fail_all(&error);
                error
            })?;
        let (responses, shared) = (Arc::clone(self), Arc::downgrade(client.shared()));
        asked.on_answer(move |answer| {
            let cause = match answer {
                Ok(answer) => answer.refusal([responses.topic.as_str()]),
                Err(error) => Some(error.clone()),
            };
            responses.subscribed(&shared, cause);
        });
        Ok(())
    }

    fn no_subscription(&self, cause: SubscribeError) -> RequestError {
        match cause {
            SubscribeError::Closed => RequestError::Closed,
            cause => RequestError::Subscribe {
                topic: self.topic.clone(),
                cause,
            },
        }
    }

    /// The server has answered: what waited for that is published, or has failed.
    fn subscribed(self: &Arc<Self>, shared: &Weak<Shared>, cause: Option<SubscribeError>) {
        let shared = shared.upgrade().filter(|shared| !shared.is_foreign());
        let error = match cause {
            Some(cause) => Some(self.no_subscription(cause)),
            None => match &shared {
                // It was not known before which version the server speaks.
                Some(shared) if !speaks_v5(shared) => Some(RequestError::NeedsVersion5),
                Some(_) => None,
                None => Some(RequestError::Closed),
            },
        };
        if let Some(error) = error {
            return self.fail_all(&error);
        }
        let Some(shared) = shared else { return };
        let mut inner = self.inner();
        inner.stage = Stage::Granted;
        let mut waiting: Vec<_> = inner
            .open
            .iter_mut()
            .filter_map(|(correlation, open)| {
                Some((open.number, *correlation, open.unsent.take()?))
            })
            .collect();
        drop(inner);
        // In the order in which they were made.
        waiting.sort_unstable_by_key(|(number, ..)| *number);
        for (_, correlation, message) in waiting {
            if let Err(error) = self.publish(&shared, correlation, message) {
                self.fail(correlation, error);
            }
        }
    }

    fn publish(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        correlation: Correlation,
        message: Message,
    ) -> Result<(), RequestError> {
        let overflow = match shared.options.overflow {
            Overflow::Wait => Overflow::Refuse,
            other => other,
        };
        let retained = message.retain();
        let delivery = shared.enqueue(message, overflow)?;
        let responses = Arc::clone(self);
        delivery.on_outcome(move |outcome| {
            let error = match outcome {
                Outcome::Sent => return,
                // A retained request may find somebody later.
                Outcome::Acknowledged { reason, .. }
                    if *reason == ReasonCode::NO_MATCHING_SUBSCRIBERS && !retained =>
                {
                    RequestError::NobodyThere
                }
                Outcome::Acknowledged { reason, .. } if !reason.is_error() => return,
                other => RequestError::NotDelivered(other.clone()),
            };
            responses.fail(correlation, error);
        });
        Ok(())
    }

    /// A message came to the Response Topic.
    pub(crate) fn arrived(&self, message: &Message) {
        let correlation = message.properties().correlation_data();
        let open = correlation
            .and_then(|data| data.try_into().ok())
            .and_then(|data| self.take(Correlation(data)));
        match open {
            Some(open) => open.answer.answer(Ok(message.clone())),
            None => tracing::debug!("a response came for which nobody waits any more"),
        }
    }

    /// Nothing more will arrive: the client or its subscription has ended.
    pub(crate) fn ended(&self) {
        self.fail_all(&RequestError::Closed);
    }

    fn fail_all(&self, error: &RequestError) {
        let mut inner = self.inner();
        inner.stage = Stage::None;
        let open = std::mem::take(&mut inner.open);
        drop(inner);
        for open in open.into_values() {
            open.answer.answer(Err(error.clone()));
        }
    }

    fn fail(&self, correlation: Correlation, error: RequestError) {
        if let Some(open) = self.take(correlation) {
            open.answer.answer(Err(error));
        }
    }

    /// The request is not open any more.
    fn take(&self, correlation: Correlation) -> Option<Open> {
        self.inner().open.remove(&correlation)
    }
}

impl fmt::Debug for Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// Whether the connection speaks 5.0, or may turn out to.
fn speaks_v5(shared: &Shared) -> bool {
    !shared.options.version.is_fixed_v3()
        && shared
            .connack()
            .is_none_or(|connack| connack.version == ProtocolVersion::V5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::state::CloseCause;

    #[test]
    fn who_waits_for_a_subscription_that_another_request_could_not_make_is_told() {
        let shared = Arc::new(Shared::new(Options::new("h", 1)).unwrap());
        let client = Client::from_shared(Arc::clone(&shared));
        let responses = Responses::new(None);
        // As a second thread finds it while the first is about to subscribe.
        responses.inner().stage = Stage::Asked;
        let message = Message::new(TopicName::new("t").unwrap(), "");
        let second = responses.begin(&client, message).unwrap();
        assert_eq!(second.result(), None);
        shared.finish(CloseCause::Requested);
        assert_eq!(responses.subscribe(&client), Err(RequestError::Closed));
        assert_eq!(second.result(), Some(Err(RequestError::Closed)));
    }
}
