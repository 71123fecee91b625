//! The cloneable handle for programs that have a tokio runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mqtt_core::{
    DEFAULT_MAX_LEVELS, EncodeError, Message, PacketType, Properties, PropertiesBuf, Property,
    PropertyHolder, PropertyId, ReasonCode, Role, TopicFilter,
};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::from_now;
use crate::command::Command;
use crate::delivery::Delivery;
use crate::error::{CloseError, ConnectError, PublishError, SubscribeError};
use crate::options::{Options, OptionsError, Overflow};
use crate::request::Request;
use crate::responses::{Reply, RequestError, Responses};
use crate::shared::Shared;
use crate::state::{CloseCause, Connack, Flush, State, Status};
use crate::stream::{AckMode, Stream, StreamLimits, SubscriptionKey};
use crate::subscription::{Grant, SubscribeAnswer, SubscribeOptions, Subscription};
use crate::task;

/// How long a client whose last handle was dropped may take to flush and to say goodbye.
const LAST_HANDLE_DEADLINE: Duration = Duration::from_secs(2);

/// A client: one connection to a server that comes back by itself, owned by a task of its own.
///
/// Every clone is a handle to the same client; all may be used from any thread. Nothing has to be polled: publishes are
/// sent, acknowledged and kept alive by the task. When the last handle and the last [`Subscription`] are dropped, the
/// client flushes for up to two seconds, disconnects and ends; [`close`](Self::close) does the same and tells how it went.
#[derive(Clone, Debug)]
pub struct Client {
    owner: Arc<Owner>,
}

impl Client {
    /// Starts a client on the current tokio runtime. It connects in the background, and again whenever it must.
    ///
    /// Needs a runtime with I/O and time enabled.
    ///
    /// # Errors
    /// The options cannot work; nothing was started.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(options: Options) -> Result<Self, OptionsError> {
        let shared = Arc::new(Shared::new(options)?);
        tokio::spawn(task::run(Arc::clone(&shared)));
        Ok(Self::from_shared(shared))
    }

    /// Starts a client and waits until the server accepts it, or until every address was tried once without success: then
    /// nothing is left running.
    ///
    /// # Errors
    /// What stood against the last address tried, with its name.
    pub async fn connect(options: Options) -> Result<Self, ConnectError> {
        let client = Self::start(options)?;
        match client.shared().first_round.wait().await {
            Ok(()) => Ok(client),
            Err(error) => {
                // There is nothing to flush, and an attempt to come back must not outlive this call.
                client.request_close(Duration::ZERO).wait().await.ok();
                Err(error)
            }
        }
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self {
            owner: Arc::new(Owner {
                responses: Responses::new(shared.options.response_topic.clone()),
                shared,
                next_key: AtomicU64::new(1),
                closing: AtomicBool::new(false),
            }),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }

    /// Waits until the client is connected, through as many attempts as it takes. One that is idle connects for it.
    ///
    /// # Errors
    /// The client ended for good, or the time is over; the error is the last thing that stood against the connection.
    pub async fn connected(&self, longest: Duration) -> Result<Connack, ConnectError> {
        let mut states = self.states();
        // One that is closed says so by its state.
        let _ = self.shared().command(Command::Connect);
        let connected = async {
            loop {
                match &*states.borrow_and_update() {
                    State::Connected => {
                        if let Some(connack) = self.shared().connack() {
                            return Ok(connack);
                        }
                    }
                    State::Closed(CloseCause::Final(error) | CloseCause::GaveUp(error)) => {
                        return Err(error.clone());
                    }
                    State::Closed(_) | State::Closing => return Err(ConnectError::Closed),
                    _ => {}
                }
                if states.changed().await.is_err() {
                    return Err(ConnectError::Closed);
                }
            }
        };
        match timeout(longest, connected).await {
            Ok(result) => result,
            Err(_) => Err(self
                .shared()
                .last_error()
                .unwrap_or(ConnectError::Pending { after: longest })),
        }
    }

    /// Takes a message for sending and returns at once; the [`Delivery`] tells how it ends. Where the queue is full, it does
    /// what [`Options::overflow`] says: by default it waits for room.
    ///
    /// The message is sent as soon as the connection and the server's Receive Maximum allow, in the order of the calls. It
    /// survives reconnects.
    ///
    /// # Errors
    /// The message cannot be taken; nothing was changed.
    pub async fn publish(&self, message: Message) -> Result<Delivery, PublishError> {
        self.shared().enqueue_waiting(message).await
    }

    /// As [`publish`](Self::publish), and never waits: a full queue is an error with [`Overflow::Wait`] too.
    ///
    /// # Errors
    /// The message cannot be taken; nothing was changed.
    pub fn try_publish(&self, message: Message) -> Result<Delivery, PublishError> {
        let overflow = match self.shared().options.overflow {
            Overflow::Wait => Overflow::Refuse,
            other => other,
        };
        self.shared().enqueue(message, overflow)
    }

    /// Publishes a request and waits for its response, at most `longest` (v5 4.10, 5.0 only).
    ///
    /// The message gets a Response Topic, which is [`Options::response_topic`] for all requests of this client, and Correlation
    /// Data of its own, by which the response is known. Requests may run at the same time, and inside each other. The first
    /// one subscribes to the Response Topic.
    ///
    /// Whoever answers publishes to the Response Topic of the request, with its Correlation Data.
    ///
    /// # Errors
    /// [`RequestError`]; a response that comes after it is dropped.
    pub async fn request(
        &self,
        message: Message,
        longest: Duration,
    ) -> Result<Message, RequestError> {
        let reply = self.begin_request(message)?;
        timeout(longest, reply.wait())
            .await
            .unwrap_or(Err(RequestError::TimedOut { after: longest }))
    }

    /// As [`request`](Self::request), without waiting: the [`Reply`] tells when the response has come.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent.
    pub fn begin_request(&self, message: Message) -> Result<Reply, RequestError> {
        self.owner.responses.begin(self, message)
    }

    /// Subscribes to `filter` and waits until the server granted it; without a connection, until there is one. (Wrap it in a
    /// timeout for less patience: dropping the future takes the subscription back.)
    ///
    /// `options` may be a plain [`QoS`](mqtt_core::QoS).
    ///
    /// # Errors
    /// The filter is not one, the server refused it, or the client is closed.
    pub async fn subscribe(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
    ) -> Result<Subscription, SubscribeError> {
        let (subscription, _) = self.subscribe_with(filter, options, &[]).await?;
        Ok(subscription)
    }

    /// As [`subscribe`](Self::subscribe), with User Properties in the SUBSCRIBE (5.0; v5 3.8.2.1.3), and gives what the server
    /// answered too. They are sent again when the client has to subscribe anew.
    ///
    /// Where several calls have the same filter, the server knows one subscription. Each call asks for it with its own
    /// properties, but one SUBSCRIBE, with those of the first of them, is enough for all that wait when a connection begins.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe), and [`SubscribeError::Encode`] for other properties than User Properties: the
    /// Subscription Identifier is the client's own. With properties, a connection of 3.x refuses the subscription.
    pub async fn subscribe_with(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
        properties: &[Property<'_>],
    ) -> Result<(Subscription, SubscribeAnswer), SubscribeError> {
        let options = options.into();
        let limits = &self.shared().options;
        let limits = StreamLimits {
            messages: limits.stream_max_messages,
            bytes: limits.stream_max_bytes,
        };
        let subscription = Subscription {
            filter: filter.to_owned(),
            key: self.next_key(),
            stream: Arc::new(Stream::new(Arc::clone(self.shared()), limits)),
            grant: Arc::default(),
            owner: Arc::clone(&self.owner),
        };
        let filters = vec![(filter.to_owned(), options)];
        let target = Target {
            key: subscription.key,
            stream: Arc::clone(&subscription.stream),
            grant: Arc::clone(&subscription.grant),
        };
        let request = self.request_subscribe(filters, properties, target)?;
        let answer = request.wait().await?;
        match answer.refusal([filter]) {
            Some(refusal) => Err(refusal),
            None => Ok((subscription, answer)),
        }
    }

    /// Ends every subscription of this client to exactly this filter, here and at the server, and waits for its answer.
    ///
    /// # Errors
    /// The filter is not one, the server refused, or the client is closed.
    pub async fn unsubscribe(&self, filter: &str) -> Result<ReasonCode, SubscribeError> {
        let answer = self.unsubscribe_with(filter, &[]).await?;
        Ok(answer.reasons.first().copied().unwrap_or_default())
    }

    /// As [`unsubscribe`](Self::unsubscribe), with User Properties in the UNSUBSCRIBE (5.0; v5 3.10.2.1.2), and gives all that
    /// the server answered.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe), and [`SubscribeError::Encode`] for other properties than User Properties. Where
    /// the connection has no room for properties, being of 3.x or by the server's Maximum Packet Size, they are left out.
    pub async fn unsubscribe_with(
        &self,
        filter: &str,
        properties: &[Property<'_>],
    ) -> Result<SubscribeAnswer, SubscribeError> {
        let request = self.request_unsubscribe(vec![filter.to_owned()], properties)?;
        let answer = request.wait().await?;
        match answer.refusal([filter]) {
            Some(refusal) => Err(refusal),
            None => Ok(answer),
        }
    }

    /// What the client is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared().state()
    }

    /// What the client is doing, to be watched. Short-lived states may be skipped.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<State> {
        self.shared().states()
    }

    /// Counters and present values.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared().status()
    }

    /// What the server said when it accepted the present connection.
    #[must_use]
    pub fn connack(&self) -> Option<Connack> {
        self.shared().connack()
    }

    /// Waits until every publish accepted before this call has its outcome, or the time is over.
    pub async fn flush(&self, longest: Duration) -> Flush {
        self.shared().flush(longest).await
    }

    /// Ends the client within `deadline`: takes no more publishes, waits for the outcomes of those it has, sends DISCONNECT,
    /// closes its half of the connection and reads to the end of the other, so that nothing on its way is lost.
    ///
    /// # Errors
    /// Publishes were left without an acknowledgement. The client is closed all the same.
    pub async fn close(&self, deadline: Duration) -> Result<(), CloseError> {
        self.request_close(deadline).wait().await
    }

    pub(crate) fn request_close(&self, deadline: Duration) -> Request<Result<(), CloseError>> {
        self.owner.closing.store(true, Ordering::Relaxed);
        self.shared().request_close(deadline)
    }

    pub(crate) fn next_key(&self) -> SubscriptionKey {
        SubscriptionKey(self.owner.next_key.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn request_subscribe(
        &self,
        filters: Vec<(String, SubscribeOptions)>,
        properties: &[Property<'_>],
        target: Target,
    ) -> Result<Request<Result<SubscribeAnswer, SubscribeError>>, SubscribeError> {
        check_filters(filters.iter().map(|(filter, _)| filter.as_str()))?;
        let properties = keep_properties(properties, PacketType::Subscribe)?;
        let manual = filters
            .iter()
            .any(|(_, options)| options.ack == AckMode::Manual);
        let request = Request::new();
        self.shared().command(Command::Subscribe {
            key: target.key,
            filters: filters
                .into_iter()
                .map(|(filter, options)| (filter, options.on_wire()))
                .collect(),
            mode: if manual {
                AckMode::Manual
            } else {
                AckMode::OnReceive
            },
            stream: target.stream,
            grant: target.grant,
            properties,
            request: request.clone(),
        })?;
        Ok(request)
    }

    pub(crate) fn request_unsubscribe(
        &self,
        filters: Vec<String>,
        properties: &[Property<'_>],
    ) -> Result<Request<Result<SubscribeAnswer, SubscribeError>>, SubscribeError> {
        check_filters(filters.iter().map(String::as_str))?;
        let properties = keep_properties(properties, PacketType::Unsubscribe)?;
        let request = Request::new();
        self.shared().command(Command::Unsubscribe {
            filters,
            properties,
            request: request.clone(),
        })?;
        Ok(request)
    }
}

/// Where the messages of a `subscribe` call go.
pub(crate) struct Target {
    pub(crate) key: SubscriptionKey,
    pub(crate) stream: Arc<Stream>,
    pub(crate) grant: Arc<Grant>,
}

/// What all handles of a client hold; the last one to go closes it.
pub(crate) struct Owner {
    shared: Arc<Shared>,
    responses: Arc<Responses>,
    next_key: AtomicU64,
    /// A handle asked to close the client: the last one to go does not set another deadline.
    closing: AtomicBool,
}

impl Owner {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.shared.is_foreign() && !*self.closing.get_mut() {
            self.shared.request_close(LAST_HANDLE_DEADLINE);
        }
    }
}

impl Shared {
    pub(crate) fn request_close(&self, deadline: Duration) -> Request<Result<(), CloseError>> {
        let request = Request::new();
        let command = Command::Close {
            deadline: from_now(deadline),
            request: request.clone(),
        };
        // Closing is never refused.
        let _ = self.command(command);
        request
    }
}

fn check_filters<'a>(filters: impl Iterator<Item = &'a str>) -> Result<(), SubscribeError> {
    let mut any = false;
    for filter in filters {
        any = true;
        let checked = TopicFilter::new(filter).and_then(|parsed| parsed.shared().map(|_| parsed));
        match checked {
            Err(cause) => {
                return Err(SubscribeError::Filter {
                    filter: filter.to_owned(),
                    cause,
                });
            }
            Ok(parsed) if parsed.levels().count() > DEFAULT_MAX_LEVELS => {
                return Err(SubscribeError::TooManyLevels {
                    filter: filter.to_owned(),
                    limit: DEFAULT_MAX_LEVELS,
                });
            }
            Ok(_) => {}
        }
    }
    if any {
        Ok(())
    } else {
        Err(SubscribeError::NoFilter)
    }
}

/// Checks what the application wants to send with a request and, as requests are repeated, keeps it.
fn keep_properties(
    properties: &[Property<'_>],
    packet_type: PacketType,
) -> Result<PropertiesBuf, EncodeError> {
    let properties = Properties::new(properties);
    let holder = PropertyHolder::Packet(packet_type);
    properties.check(holder, Role::Client)?;
    // The router tells subscriptions apart by it.
    if properties.contains(PropertyId::SubscriptionIdentifier) {
        return Err(EncodeError::PropertyNotAllowed {
            property: PropertyId::SubscriptionIdentifier,
            holder,
        });
    }
    PropertiesBuf::try_from(properties)
}
