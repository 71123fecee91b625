//! Asking whether a client may do what it wants, without standing still until the answer comes.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use mqtt_core::server::SubscribeRequest;
use mqtt_core::{AckToken, Message, PacketType, ProtocolVersion, ReasonCode, Role};
use tokio::time;

use super::{Connection, explain};
use crate::authorize::{Access, Action, Authorize};
use crate::certificates::Certificates;
use crate::listener::ByteStream;
use crate::system;

/// Who is asked what a client may do, and what is said about the client.
pub(super) struct Authority {
    pub(super) authorizer: Arc<dyn Authorize>,
    pub(super) version: ProtocolVersion,
    pub(super) client_id: Arc<str>,
    pub(super) username: Option<Box<str>>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) certificates: Certificates,
    /// How long an answer may take.
    pub(super) limit: Duration,
}

impl Authority {
    async fn ask(&self, action: Action<'_>) -> Result<(), ReasonCode> {
        let access = Access {
            version: self.version,
            client_id: &self.client_id,
            username: self.username.as_deref(),
            peer: self.peer,
            certificates: self.certificates.as_slice(),
            action,
        };
        let mut answer = pin!(async { self.authorizer.authorize(&access).await });
        // A panic of somebody else's code would end this task with its session in hand, and nobody could have that again.
        poll_fn(|cx| {
            catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))).unwrap_or_else(|_| {
                tracing::error!("the authorizer panicked, which is taken for a no");
                Poll::Ready(Err(ReasonCode::NOT_AUTHORIZED))
            })
        })
        .await
    }

    /// Whether a message may be published.
    pub(super) async fn may_publish(&self, message: &Message) -> Result<(), ReasonCode> {
        time::timeout(self.limit, self.ask(Action::Publish(message)))
            .await
            .unwrap_or(Err(ReasonCode::NOT_AUTHORIZED))
    }

    /// Which of the first `most` filters may be subscribed to. The limit is for all of them.
    async fn may_subscribe(
        &self,
        request: &SubscribeRequest,
        most: usize,
    ) -> Vec<Result<(), ReasonCode>> {
        let mut answers = Vec::with_capacity(most.min(request.filters().len()));
        let ask_all = async {
            for (filter, options) in request.filters().take(most) {
                let (share, filter) = match filter.shared() {
                    Ok(Some(shared)) => (Some(shared.group), shared.filter),
                    _ => (None, filter),
                };
                let qos = options.qos;
                let action = Action::Subscribe { filter, share, qos };
                answers.push(self.ask(action).await);
            }
        };
        if time::timeout(self.limit, ask_all).await.is_err() {
            tracing::warn!("whether a client may subscribe was not answered in time");
        }
        let refused = Err(ReasonCode::NOT_AUTHORIZED);
        answers.resize(most.min(request.filters().len()), refused);
        answers
    }
}

/// What goes on once it is decided.
pub(super) enum Decided {
    Publish {
        message: Message,
        token: Option<AckToken>,
        allowed: Result<(), ReasonCode>,
    },
    Subscribe {
        request: SubscribeRequest,
        allowed: Vec<Result<(), ReasonCode>>,
    },
}

/// The question that what the client sent behind it waits for.
#[derive(Default)]
pub(super) enum Question {
    #[default]
    None,
    Asked(Pin<Box<dyn Future<Output = Decided> + Send>>),
    Answered(Box<Decided>),
}

impl Question {
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Asked(_))
    }

    /// Looks for the answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Asked(question) = self {
            let decided = ready!(question.as_mut().poll(cx));
            *self = Self::Answered(Box::new(decided));
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Waits until an open question is answered; for ever if there is none.
    pub(super) fn answered(&mut self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.poll(cx))
    }

    /// The answer, once.
    pub(super) fn take_answer(&mut self) -> Option<Box<Decided>> {
        match std::mem::take(self) {
            Self::Answered(decided) => Some(decided),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl<S: ByteStream> Connection<S> {
    /// Publishes a message if the client may.
    pub(super) fn ask_to_publish(&mut self, message: Message, token: Option<AckToken>) {
        let authority = self.seat.as_ref().and_then(|seat| seat.authority.clone());
        if let Err(reason) = system::may_publish(message.topic()) {
            self.refuse_message(token, reason, explain::BROKERS_TOPIC);
        } else if let Some(authority) = authority {
            self.ask(async move {
                let allowed = authority.may_publish(&message).await;
                Decided::Publish {
                    message,
                    token,
                    allowed,
                }
            });
        } else {
            self.publish(&message, token);
        }
    }

    /// Asks which filters the client may subscribe to. Gives the request back if nobody is to be asked.
    pub(super) fn ask_to_subscribe(
        &mut self,
        request: SubscribeRequest,
    ) -> Option<SubscribeRequest> {
        let authority = self.seat.as_ref().and_then(|seat| seat.authority.clone());
        let Some(authority) = authority else {
            return Some(request);
        };
        let most = self.shared.context.options.max_filters_per_subscribe;
        self.ask(async move {
            let allowed = authority.may_subscribe(&request, most).await;
            Decided::Subscribe { request, allowed }
        });
        None
    }

    /// Publishes a message about which was asked.
    pub(super) fn publish_if_allowed(
        &mut self,
        message: &Message,
        token: Option<AckToken>,
        allowed: Result<(), ReasonCode>,
    ) {
        match allowed {
            Ok(()) => self.publish(message, token),
            Err(reason) => self.refuse_message(token, reason, explain::MAY_NOT_PUBLISH),
        }
    }

    /// Asks, and looks at once whether the answer is there: most are.
    fn ask(&mut self, question: impl Future<Output = Decided> + Send + 'static) {
        self.question = Question::Asked(Box::pin(question));
        let _ = self.question.poll(&mut Context::from_waker(Waker::noop()));
    }

    fn refuse_message(&mut self, token: Option<AckToken>, reason: ReasonCode, cause: &str) {
        self.shared.context.counters.messages_refused.add(1);
        let Some(token) = token else { return };
        self.acknowledge(token, sayable(reason, PacketType::Puback), Some(cause));
    }
}

/// A refusal as `packet` can carry it.
pub(super) fn sayable(reason: ReasonCode, packet: PacketType) -> ReasonCode {
    if reason.is_error() && reason.allowed_in(packet, Role::Server) {
        reason
    } else {
        ReasonCode::NOT_AUTHORIZED
    }
}
