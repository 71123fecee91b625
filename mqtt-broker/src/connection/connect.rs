//! Answering a CONNECT: who it is, whether there is room, and which session it gets.

use std::sync::Arc;

use mqtt_core::server::{Accept, ConnectRequest};
use mqtt_core::{PacketType, ProtocolVersion, ReasonCode, Role, SessionExpiry};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time;

use super::authorize::Authority;
use super::{Connection, Seat, shown_id, shown_peer};
use crate::authenticate::ConnectInfo;
use crate::sessions::{NotOpened, Opened};
use crate::share::Backlog;
use crate::system;

/// The longest Client Identifier taken, in bytes. A server must take 23 and may take more (v5 3.1.3.1, v311 3.1.3.1); each is
/// kept with its session, so 65,535 would be a way to fill the memory.
const MAX_CLIENT_ID: usize = 1_024;

impl<S: AsyncRead + AsyncWrite> Connection<S> {
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
                admitted.unwrap_or(Err(ReasonCode::SERVER_UNAVAILABLE))
            }
            () = stop.cancelled() => Err(ReasonCode::SERVER_UNAVAILABLE),
        };
        match admitted {
            Ok(opened) => self.accept(request, client_id, opened),
            Err(reason) => {
                self.shared.context.counters.connections_refused.add(1);
                let (client_id, peer) = (shown_id(&client_id), shown_peer(self.peer));
                tracing::info!(client_id, peer, %reason, "refused a client");
                self.refuse(request.version, reason);
            }
        }
    }

    /// Asks who it is, and opens its session.
    async fn admit(
        &mut self,
        request: &ConnectRequest,
        client_id: &str,
    ) -> Result<Opened, ReasonCode> {
        if client_id.len() > MAX_CLIENT_ID {
            return Err(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
        }
        if let Some(authenticator) = &self.shared.context.options.authenticator {
            let info = ConnectInfo {
                version: request.version,
                client_id,
                username: request.username.as_deref(),
                password: request.password.as_deref(),
                peer: self.peer,
            };
            authenticator.authenticate(&info).await?;
        }
        if let Some(will) = &request.will {
            system::may_publish(will.message.topic())?;
            if let Some(authority) = self.authority(request, &client_id.into()) {
                authority.may_publish(&will.message).await?;
            }
        }
        if !self.place.promote() {
            // A client that comes back before its old connection was found dead needs no place but its own.
            if !self.shared.sessions.evict(client_id) {
                return Err(ReasonCode::SERVER_BUSY);
            }
            self.place.inherit();
        }
        loop {
            match self.shared.sessions.open(client_id, request.clean_start) {
                Ok(opened) => return Ok(opened),
                Err(NotOpened::Full) => return Err(ReasonCode::QUOTA_EXCEEDED),
                Err(NotOpened::Held(released)) => released.await,
            }
        }
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
            peer: self.peer,
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
            session_present,
            session_expiry: Some(self.shared.sessions.limit(request.session_expiry)),
            receive_maximum: options.receive_maximum,
            maximum_packet_size: options.maximum_packet_size,
            topic_alias_maximum: options.topic_alias_maximum,
            assigned_client_id: request.client_id.is_empty().then_some(client_id),
            ..Accept::default()
        };
        match self.server.accept(self.now(), session, &accept) {
            Ok(()) => {
                self.shared.context.counters.connections_accepted.add(1);
                let (client_id, peer) = (shown_id(&subscriber.client_id), shown_peer(self.peer));
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
                self.refuse(request.version, ReasonCode::SERVER_UNAVAILABLE);
            }
        }
        self.shared.settle(ended);
    }

    fn refuse(&mut self, version: ProtocolVersion, reason: ReasonCode) {
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
        if let Err(error) = self.server.refuse(self.now(), reason) {
            tracing::debug!(%error, "a client could not be told that it is refused");
        }
    }
}
