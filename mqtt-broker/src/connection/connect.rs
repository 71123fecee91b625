//! Answering a CONNECT: who it is, whether there is room, and which session it gets.

use std::sync::Arc;

use mqtt_core::server::{Accept, ConnectRequest};
use mqtt_core::{
    KeepAlive, Message, PacketType, ProtocolVersion, ReasonCode, Role, SessionExpiry, TopicName,
};
use tokio::time;

use super::authorize::Authority;
use super::explain::reason_string;
use super::{Connection, Seat, shown_id, shown_peer};
use crate::authenticate::ConnectInfo;
use crate::backlog::Backlog;
use crate::listener::ByteStream;
use crate::sessions::{NotOpened, Opened};
use crate::system;

/// The longest Client Identifier taken, in bytes. A server must take 23 and may take more (v5 3.1.3.1, v311 3.1.3.1); each is
/// kept with its session, so 65,535 would be a way to fill the memory.
const MAX_CLIENT_ID: usize = 1_024;

/// Why a client is not let in.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    reason: ReasonCode,
    /// For people, where the Reason Code alone does not tell.
    cause: Option<&'static str>,
}

impl Refusal {
    const fn new(reason: ReasonCode, cause: &'static str) -> Self {
        Self {
            reason,
            cause: Some(cause),
        }
    }
}

/// An authenticator's answer, of which nothing more is to be told.
impl From<ReasonCode> for Refusal {
    fn from(reason: ReasonCode) -> Self {
        Self {
            reason,
            cause: None,
        }
    }
}

impl<S: ByteStream> Connection<S> {
    /// Answers a CONNECT.
    pub(super) async fn connect(&mut self, request: ConnectRequest) {
        let client_id = if request.client_id.is_empty() {
            self.shared.sessions.assign_client_id()
        } else {
            request.client_id.clone()
        };
        let stop = self.shared.stop.clone();
        let deadline = self.deadline;
        let admitted = tokio::select! {
            admitted = time::timeout_at(deadline, self.admit(&request, &client_id)) => {
                admitted.unwrap_or(Err(Refusal::new(ReasonCode::SERVER_UNAVAILABLE, "it took too long to decide")))
            }
            () = stop.cancelled() => Err(Refusal::new(ReasonCode::SERVER_UNAVAILABLE, "the server shuts down")),
        };
        match admitted {
            Ok(opened) => self.accept(request, client_id, opened),
            Err(refusal) => {
                self.shared.context.counters.connections_refused.add(1);
                let (client_id, peer) = (shown_id(&client_id), shown_peer(self.place.peer));
                let Refusal { reason, cause } = refusal;
                tracing::info!(client_id, peer, %reason, cause, "refused a client");
                self.refuse(request.version, refusal);
            }
        }
    }

    /// Asks who it is, and opens its session.
    async fn admit(
        &mut self,
        request: &ConnectRequest,
        client_id: &str,
    ) -> Result<Opened, Refusal> {
        if client_id.len() > MAX_CLIENT_ID {
            let cause = "the Client Identifier is longer than 1,024 bytes";
            return Err(Refusal::new(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID, cause));
        }
        if let Some(authenticator) = &self.shared.context.options.authenticator {
            let info = ConnectInfo {
                version: request.version,
                client_id,
                username: request.username.as_deref(),
                password: request.password.as_deref(),
                peer: self.place.peer,
                certificates: self.certificates.as_slice(),
            };
            authenticator.authenticate(&info).await?;
        }
        if let Some(will) = &request.will {
            self.admit_will(request, client_id, &will.message).await?;
        }
        if self.place.leave_door().is_err() {
            // The task is about to be ended, so that nobody hears of it.
            let cause = "somebody else came to the door";
            return Err(Refusal::new(ReasonCode::SERVER_BUSY, cause));
        }
        if !self.place.promote() {
            // A client that comes back before its old connection was found dead needs no place but its own.
            if !self.shared.sessions.evict(client_id) {
                let cause = "as many clients are connected as may be";
                return Err(Refusal::new(ReasonCode::SERVER_BUSY, cause));
            }
            self.place.inherit();
        }
        let username = request.username.as_deref();
        let sessions = &self.shared.sessions;
        loop {
            match sessions.open(client_id, username, request.clean_start) {
                Ok(opened) => return Ok(opened),
                Err(NotOpened::Full) => {
                    let cause = "as many sessions are kept as may be";
                    return Err(Refusal::new(ReasonCode::QUOTA_EXCEEDED, cause));
                }
                Err(NotOpened::Held(released)) => released.await,
            }
        }
    }

    /// A Will is asked about when it is given, since nobody could be told later.
    async fn admit_will(
        &mut self,
        request: &ConnectRequest,
        client_id: &str,
        will: &Message,
    ) -> Result<(), Refusal> {
        if request.version.is_v5() && will.qos() > self.shared.context.options.maximum_qos {
            let cause = "the Will is above the Maximum QoS";
            return Err(Refusal::new(ReasonCode::QOS_NOT_SUPPORTED, cause));
        }
        let mut allowed = system::may_publish(will.topic());
        if allowed.is_ok()
            && let Some(authority) = self.authority(request, &client_id.into())
        {
            allowed = authority.may_publish(will).await;
        }
        allowed.map_err(|reason| Refusal::new(reason, "the Will may not be published"))
    }

    /// Who is to be asked what the client may do, if anybody.
    fn authority(&self, request: &ConnectRequest, client_id: &Arc<str>) -> Option<Arc<Authority>> {
        let options = &self.shared.context.options;
        let authorizer = options.authorizer.as_ref()?;
        Some(Arc::new(Authority {
            authorizer: Arc::clone(authorizer),
            version: request.version,
            client_id: Arc::clone(client_id),
            username: request.username.as_deref().map(Box::from),
            peer: self.place.peer,
            certificates: self.certificates.clone(),
            limit: options.authorize_timeout,
        }))
    }

    fn accept(&mut self, request: ConnectRequest, client_id: String, opened: Opened) {
        let options = &self.shared.context.options;
        let Opened {
            subscriber,
            backlog: Backlog { session, owed },
            session_present,
            ended,
        } = opened;
        let accept = Accept {
            response_information: self.response_information(&client_id),
            session_present,
            server_keep_alive: self.server_keep_alive(&request),
            maximum_qos: options.maximum_qos,
            session_expiry: Some(self.shared.sessions.limit(request.session_expiry)),
            receive_maximum: options.receive_maximum,
            maximum_packet_size: options.maximum_packet_size,
            topic_alias_maximum: options.topic_alias_maximum,
            outgoing_topic_aliases: options.outgoing_topic_aliases,
            assigned_client_id: request.client_id.is_empty().then_some(client_id),
            ..Accept::default()
        };
        match self.server.accept(self.now(), session, &accept) {
            Ok(()) => {
                self.stream.lift_first_limit();
                self.shared.context.counters.connections_accepted.add(1);
                let (client_id, peer) =
                    (shown_id(&subscriber.client_id), shown_peer(self.place.peer));
                let version = request.version;
                tracing::info!(
                    client_id,
                    peer,
                    ?version,
                    session_present,
                    "client connected"
                );
                self.seat = Some(Seat {
                    authority: self.authority(&request, &subscriber.client_id),
                    subscriber,
                    owed,
                    will: request.will.map(Box::new),
                    version: request.version,
                });
                if session_present && let Some(seat) = &self.seat {
                    self.shared.router.note_presence(&seat.subscriber);
                }
                // From now on the session tells that the broker ends, but for the case that it did so just now.
                self.stopped = None;
                if self.shared.stop.is_cancelled() {
                    self.disconnect(ReasonCode::SERVER_SHUTTING_DOWN);
                }
            }
            Err(refused) => {
                let client_id = shown_id(&subscriber.client_id);
                tracing::warn!(client_id, error = %refused.error, "could not accept a client");
                let kept = if session_present {
                    SessionExpiry::NEVER
                } else {
                    SessionExpiry::AT_CLOSE
                };
                let ended = self.shared.sessions.close(
                    self.now(),
                    &subscriber,
                    Backlog {
                        session: refused.session,
                        owed,
                    },
                    kept,
                    None,
                );
                self.shared.settle(ended);
                self.shared.router.note_presence(&subscriber);
                self.refuse(request.version, ReasonCode::SERVER_UNAVAILABLE.into());
            }
        }
        self.shared.settle(ended);
    }

    /// Where responses to the client may go, if it asks. Whether it does, the machine knows.
    fn response_information(&self, client_id: &str) -> Option<String> {
        let prefix = self.shared.context.options.response_prefix.as_ref()?;
        // It is to begin topics, and those of nobody else: without the last slash it would begin those of longer identifiers.
        let topic = format!("{prefix}{client_id}/");
        (!client_id.contains('/') && TopicName::new(&topic).is_ok()).then_some(topic)
    }

    /// The Keep Alive to tell the client, where its own is too long.
    fn server_keep_alive(&self, request: &ConnectRequest) -> Option<KeepAlive> {
        let longest = self.shared.context.options.max_keep_alive;
        // Off is 0 s, and longer than any other.
        let asked = request.keep_alive;
        let is_longer = asked == KeepAlive::OFF || asked.as_secs() > longest.as_secs();
        (request.version.is_v5() && longest != KeepAlive::OFF && is_longer).then_some(longest)
    }

    fn refuse(&mut self, version: ProtocolVersion, refusal: Refusal) {
        let Refusal { reason, cause } = refusal;
        let sayable = reason.is_error() && reason.allowed_in(PacketType::Connack, Role::Server);
        let reason = match reason {
            // 3.x has five codes; the machine translates these, and the others are told as the nearest of them.
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            | ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
            | ReasonCode::BAD_USER_NAME_OR_PASSWORD
            | ReasonCode::NOT_AUTHORIZED
            | ReasonCode::SERVER_UNAVAILABLE => reason,
            _ if version.is_v5() && sayable => reason,
            ReasonCode::SERVER_BUSY
            | ReasonCode::QUOTA_EXCEEDED
            | ReasonCode::CONNECTION_RATE_EXCEEDED => ReasonCode::SERVER_UNAVAILABLE,
            _ => ReasonCode::NOT_AUTHORIZED,
        };
        // Whoever is told that it may not come in is told why, whatever it said of Reason Strings: it could not know
        // (v5 3.1.2.11.7).
        let cause = reason_string(cause);
        let refused = self
            .server
            .refuse_with(self.now(), reason, cause.as_slice());
        if let Err(error) = refused {
            tracing::debug!(%error, "a client could not be told that it is refused");
        }
    }
}
