//! A client, seen from its end of the connection, without any I/O.
//!
//! A driver tells a [`Client`] what happened (`handle_*`) and what its application wants, and does what the `poll_*` methods
//! say. See the [crate documentation](crate) for a whole driving loop.
//!
//! Enhanced authentication (AUTH) belongs beside this, in `reauth`; until it exists no Authentication Method is sent, so no
//! server may ask for one [v5 MQTT-4.12.0-6].

mod connect;
mod event;
mod keep_alive;
mod lifecycle;
mod options;
mod requests;

use alloc::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};

use self::{
    connect::{check_problem_information, encode},
    event::Events,
    keep_alive::KeepAliveWatch,
    lifecycle::Lifecycle,
    requests::Requests,
};
pub use self::{
    event::{ConnackInfo, DisconnectCause, Event, ProtocolError, RequestId},
    lifecycle::State,
    options::{ConnectError, ConnectOptions, Limits},
    requests::SubscribeError,
};
use crate::{
    decoder::Decoder,
    encoder::Encoder,
    flow::{
        AckError, AckToken, Answer, DropReason, Link, Negotiated, Outcome, Progress, PublishError,
        PublishId, Session, Settled, Timer, Timers, kept,
    },
    message::Message,
    packet::{
        Disconnect, Packet, Publish, PublishAck, Subscribe, SubscribeFilters, Unsubscribe,
        UnsubscribeFilters,
    },
    time::Instant,
    types::{
        MaximumPacketSize, PacketId, PacketType, ReasonCode, Role, SessionExpiry, SubscribeOptions,
        SubscriptionId, TopicFilter,
    },
    wire::{LARGE_PAYLOAD, Output, Properties, Property, PropertyId},
};

/// The machine of one client: its session, and one connection after another.
///
/// Every method may be called at any time, in any state and order. What does not fit is an `Err` and changes nothing, or, for
/// what merely happened, is ignored.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    limits: Limits,
    session: Session,
    lifecycle: Lifecycle,
    requests: Requests,
    events: Events,
    timers: Timers,
    keep_alive: KeepAliveWatch,
    /// Length of the input that was left unread: more than that is new.
    unread: usize,
}

/// Why a DISCONNECT was not queued. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// There is no connection.
    #[error("not connected")]
    NotConnected,
    /// A client may not send this Reason Code in a DISCONNECT; in 3.x it sends none, so only success is taken.
    #[error("a client cannot disconnect with {0}")]
    ReasonNotAllowed(ReasonCode),
    /// DISCONNECT may not raise the Session Expiry Interval from 0 (v5 3.14.2.2.2), and in 3.x it has none.
    #[error("the session expiry interval cannot be changed")]
    SessionExpiry,
}

impl Client {
    /// A client with a new session.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let session = Session::new(limits.session_bounds());
        Self::with_session(limits, session)
    }

    /// A client that goes on with a session, such as one that another client left. The bounds of `limits` replace its own.
    #[must_use]
    pub fn with_session(limits: Limits, mut session: Session) -> Self {
        session.set_bounds(limits.session_bounds());
        let keep_alive = KeepAliveWatch::new(Instant::from_millis(0), limits.ping_timeout);
        Self {
            limits,
            session,
            lifecycle: Lifecycle::default(),
            requests: Requests::default(),
            events: Events::default(),
            timers: Timers::default(),
            keep_alive,
            unread: 0,
        }
    }

    /// The session: what is unfinished.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Ends the machine and keeps its session. Events that were not read are lost.
    #[must_use]
    pub fn into_session(mut self) -> Session {
        self.close(None, DisconnectCause::Closed);
        self.session
    }

    /// Where the connection stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.lifecycle.state()
    }

    /// Whether the transport, if there is one, is to be closed: after everything that
    /// [`Client::poll_transmit`] still gives was written.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        !self.lifecycle.is_live()
    }

    /// The limits of the connection, once the server accepted it.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        match &self.lifecycle {
            Lifecycle::Connected(link) => Some(link.negotiated()),
            _ => None,
        }
    }

    /// Messages that were sent and whose exchange is not finished.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.session.in_flight()
    }

    /// Messages that wait to be sent.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.session.queued()
    }

    /// Received messages of QoS 1 and 2 whose exchange is not finished on this connection.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        match &self.lifecycle {
            Lifecycle::Connected(link) => link.unacknowledged(),
            _ => 0,
        }
    }

    /// Takes whole packets off the front of `input` and leaves the unfinished tail.
    ///
    /// See [`Progress`] for when it stops earlier. A payload of 4 KiB and more is kept as a slice of the buffer it came in.
    /// While there is no connection, `input` is emptied: it belongs to one that is over.
    pub fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Progress {
        if input.len() > self.unread && self.lifecycle.is_live() {
            self.keep_alive.received(now, &mut self.timers);
        }
        let progress = self.read_packets(now, input);
        if !self.lifecycle.is_live() {
            input.clear();
        }
        self.unread = input.len();
        progress
    }

    /// The transport ended. The session is kept, if it outlives the connection.
    pub fn handle_close(&mut self, _now: Instant) {
        self.close(None, DisconnectCause::Closed);
        // Nothing can be written any more.
        if let Lifecycle::Closed { farewell } = &mut self.lifecycle {
            *farewell = None;
        }
    }

    /// Handles what is due. Calling it early or late is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Connect => self.close(None, DisconnectCause::ConnectTimeout),
                Timer::PeerSilent => self.close(None, DisconnectCause::KeepAliveTimeout),
                Timer::Ping => {
                    if self.keep_alive.ping_due(now, &mut self.timers)
                        && let Lifecycle::Connected(link) = &mut self.lifecycle
                    {
                        link.answer(Answer::Pingreq);
                    }
                }
            }
        }
        while let Some(id) = self.session.pop_expired(now) {
            self.events.outcome(id, Outcome::Expired);
        }
    }

    /// Stops the deadline of the PINGRESP: the driver has chosen not to read for a while, so an answer may be waiting.
    pub fn pause(&mut self, _now: Instant) {
        self.keep_alive.pause(&mut self.timers);
    }

    /// The driver reads again after [`Client::pause`].
    pub fn resume(&mut self, now: Instant) {
        self.keep_alive.resume(now, &mut self.timers);
    }

    /// Begins a connection over a new transport: CONNECT is queued.
    ///
    /// What the last connection left in the driver's buffers is to be dropped first. With a clean start, or another Client
    /// Identifier than that of the session, the session is dropped here: messages in flight are treated as
    /// [`Limits::on_session_lost`] says.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing was changed.
    pub fn connect(&mut self, now: Instant, options: &ConnectOptions) -> Result<(), ConnectError> {
        if self.lifecycle.is_live() {
            return Err(ConnectError::AlreadyConnected);
        }
        let connecting = connect::connecting(options, &self.limits, &self.session)?;
        if options.clean_start || connecting.client_id != self.session.client_id() {
            self.session.end();
            let events = &mut self.events;
            self.session
                .restart(self.limits.on_session_lost, |id, outcome| {
                    events.outcome(id, outcome)
                });
        }
        self.lifecycle.begin(connecting);
        self.unread = 0;
        self.keep_alive = KeepAliveWatch::new(now, self.limits.ping_timeout);
        self.timers = Timers::default();
        self.timers
            .set(Timer::Connect, now + options.connect_timeout);
        Ok(())
    }

    /// Queues a message for sending and returns the id under which its outcome will be reported.
    ///
    /// It is taken in every state: without a connection it waits for the next. At QoS 1 and 2 it is kept until acknowledged
    /// and sent again, in order, when a connection resumes the session (v5 4.4, 4.6). It counts against the server's Receive
    /// Maximum; past that it waits. A Message Expiry Interval runs from now on and takes it out of the queue, in 3.x too.
    ///
    /// # Errors
    /// [`PublishError`]; nothing was changed. What depends on the server's limits is refused here while connected, and by
    /// [`Outcome::Refused`] when a message that was queued earlier meets them.
    pub fn publish(&mut self, now: Instant, message: Message) -> Result<PublishId, PublishError> {
        if let Lifecycle::Connected(link) = &self.lifecycle {
            link.check(&message)?;
        }
        self.session
            .outbound
            .push(now, message, self.events.outcomes())
    }

    /// Takes back a message that was not sent yet; its outcome is [`DropReason::Cancelled`]. `false` if there is none.
    pub fn cancel(&mut self, id: PublishId) -> bool {
        let found = self.session.cancel(id);
        if found {
            self.events
                .outcome(id, Outcome::Dropped(DropReason::Cancelled));
        }
        found
    }

    /// Drops the oldest message that was not sent yet, to make room; its outcome is [`DropReason::Overflow`]. The room is
    /// there once that outcome was read.
    pub fn discard_oldest(&mut self) -> Option<PublishId> {
        let id = self.session.discard_oldest()?;
        self.events
            .outcome(id, Outcome::Dropped(DropReason::Overflow));
        Some(id)
    }

    /// Asks for subscriptions; [`Event::Subscribed`] tells which were granted.
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn subscribe(
        &mut self,
        filters: &[(TopicFilter<'_>, SubscribeOptions)],
        subscription_id: Option<SubscriptionId>,
    ) -> Result<RequestId, SubscribeError> {
        let link = self.requestable(filters.len())?;
        requests::check(link.negotiated(), filters, subscription_id)?;
        let property = subscription_id.map(Property::SubscriptionIdentifier);
        self.request(PacketType::Subscribe, filters.len(), |packet_id| {
            Packet::Subscribe(Subscribe {
                packet_id,
                filters: SubscribeFilters::new(filters),
                properties: Properties::new(property.as_slice()),
            })
        })
    }

    /// Gives subscriptions back; [`Event::Unsubscribed`] answers.
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn unsubscribe(
        &mut self,
        filters: &[TopicFilter<'_>],
    ) -> Result<RequestId, SubscribeError> {
        self.request(PacketType::Unsubscribe, filters.len(), |packet_id| {
            Packet::Unsubscribe(Unsubscribe {
                packet_id,
                filters: UnsubscribeFilters::new(filters),
                properties: Properties::EMPTY,
            })
        })
    }

    /// Acknowledges a message, where [`Limits::acknowledge`] leaves that to the application. With a Reason Code of 0x80 and
    /// above (5.0) the message is refused. Acknowledgements of one QoS leave in the order in which the messages came
    /// [v5 MQTT-4.6.0-2, MQTT-4.6.0-3]: one that is given early waits.
    ///
    /// # Errors
    /// [`AckError`]; nothing was changed. A token of an earlier connection is [`AckError::Stale`], unless it is of QoS 2 and
    /// the session went on.
    pub fn acknowledge(&mut self, token: AckToken, reason: ReasonCode) -> Result<(), AckError> {
        match &mut self.lifecycle {
            Lifecycle::Connected(link) => link.acknowledge(&mut self.session, token, reason),
            _ if !reason.allowed_in(PacketType::Pubrec, Role::Client) => {
                Err(AckError::ReasonNotAllowed(reason))
            }
            _ => self.session.acknowledge(token, reason),
        }
    }

    /// Queues DISCONNECT in front of everything that waits, and ends the connection: nothing follows it
    /// [v5 MQTT-3.14.4-1, v311 MQTT-3.14.4-2]. A driver that wants messages to leave first waits for their outcomes.
    ///
    /// With any Reason Code but success the server publishes the Will.
    ///
    /// # Errors
    /// [`DisconnectError`]; nothing was changed.
    pub fn disconnect(&mut self, _now: Instant, reason: ReasonCode) -> Result<(), DisconnectError> {
        self.end(reason, None)
    }

    /// As [`Client::disconnect`], and changes the Session Expiry Interval that CONNECT asked for (5.0): with
    /// [`SessionExpiry::AT_CLOSE`] the session ends now.
    ///
    /// # Errors
    /// [`DisconnectError`]; nothing was changed.
    pub fn disconnect_with_expiry(
        &mut self,
        _now: Instant,
        reason: ReasonCode,
        session_expiry: SessionExpiry,
    ) -> Result<(), DisconnectError> {
        self.end(reason, Some(session_expiry))
    }

    /// Appends what is to be sent, until `output` holds 64 KiB, and returns how many bytes that were.
    ///
    /// `output` belongs to this client alone: what is gone from it at the next call counts as handed to the transport.
    pub fn poll_transmit(&mut self, now: Instant, output: &mut Output) -> usize {
        let before = output.len();
        self.keep_alive.before_append(now, before, &mut self.timers);
        let mut has_pingreq = false;
        match &mut self.lifecycle {
            Lifecycle::Idle => {}
            Lifecycle::Connecting(connecting) => {
                if let Some(packet) = connecting.packet.take() {
                    output.writer(packet.len()).bytes(&packet);
                }
            }
            Lifecycle::Connected(link) => {
                let events = &mut self.events;
                has_pingreq = link.transmit(now, &mut self.session, output, |id, outcome| {
                    events.outcome(id, outcome)
                });
            }
            Lifecycle::Closed { farewell } => {
                if let Some(packet) = farewell.take() {
                    output.writer(packet.len()).bytes(&packet);
                }
            }
        }
        self.keep_alive
            .after_append(now, output.len(), has_pingreq, &mut self.timers);
        output.len() - before
    }

    /// The next event, in the order in which things happened.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When [`Client::handle_timeout`] has something to do, or `None` if nothing will be due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.session.next_expiry()]
            .into_iter()
            .flatten()
            .min()
    }

    fn read_packets(&mut self, now: Instant, input: &mut BytesMut) -> Progress {
        loop {
            let (negotiated, is_congested) = match &self.lifecycle {
                Lifecycle::Connecting(connecting) => (&connecting.offered, false),
                Lifecycle::Connected(link) => (link.negotiated(), link.is_congested()),
                Lifecycle::Idle | Lifecycle::Closed { .. } => return Progress::Done,
            };
            let decoder = self.decoder(negotiated);
            let len = match decoder.frame(input) {
                Ok(None) => return Progress::Done,
                Ok(Some(_)) if is_congested => return Progress::Congested,
                Ok(Some(_)) if self.is_full() => return Progress::Blocked,
                Ok(Some(len)) => len,
                Err(error) => {
                    self.fail(DisconnectCause::Malformed(error));
                    continue;
                }
            };
            let handled = if len >= LARGE_PAYLOAD {
                let frame = input.split_to(len).freeze();
                self.handle_frame(now, decoder, &frame, Some(&frame))
            } else {
                let bytes = input.get(..len).unwrap_or_default();
                let handled = self.handle_frame(now, decoder, bytes, None);
                input.advance(len);
                handled
            };
            if let Err(cause) = handled {
                self.fail(cause);
            }
        }
    }

    /// Whether the application has to take events before there can be more.
    fn is_full(&self) -> bool {
        self.events.len() >= self.limits.max_events.max(1)
            || self.events.bytes() > self.limits.max_event_bytes
    }

    fn decoder(&self, negotiated: &Negotiated) -> Decoder {
        Decoder {
            version: Some(negotiated.version),
            sender: Role::Server,
            maximum_packet_size: negotiated
                .own_maximum_packet_size
                .unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE),
            strict_text: self.limits.strict_text,
        }
    }

    fn handle_frame(
        &mut self,
        now: Instant,
        decoder: Decoder,
        bytes: &[u8],
        frame: Option<&Bytes>,
    ) -> Result<(), DisconnectCause> {
        let packet = decoder.decode(bytes).map_err(DisconnectCause::Malformed)?;
        match &mut self.lifecycle {
            Lifecycle::Connecting(connecting) => {
                let Packet::Connack(connack) = packet else {
                    return Err(ProtocolError::BeforeConnack(packet.packet_type()).into());
                };
                let accepted = connect::accepted(connecting, &connack, &self.session)?;
                let resumes = connect::resumes(connecting, &accepted, &self.session);
                self.accept(now, accepted, resumes);
                Ok(())
            }
            Lifecycle::Connected(_) => self.handle_packet(&packet, frame),
            Lifecycle::Idle | Lifecycle::Closed { .. } => Ok(()),
        }
    }

    /// The server accepted: Connecting to Connected.
    fn accept(&mut self, now: Instant, info: ConnackInfo, resumes: bool) {
        self.timers.clear(Timer::Connect);
        self.keep_alive
            .start(now, info.negotiated.keep_alive, &mut self.timers);
        let epoch = self.session.next_epoch();
        let mut link = Link::new(
            Role::Client,
            info.negotiated,
            self.limits.acknowledge,
            epoch,
        );
        self.session.establish(&info.client_id);
        self.events.push(Event::Connected(Box::new(info)));
        if resumes {
            link.resume(&mut self.session);
        } else {
            let events = &mut self.events;
            self.session
                .restart(self.limits.on_session_lost, |id, outcome| {
                    events.outcome(id, outcome)
                });
        }
        self.lifecycle.establish(link);
    }

    fn handle_packet(
        &mut self,
        packet: &Packet<'_>,
        frame: Option<&Bytes>,
    ) -> Result<(), DisconnectCause> {
        let Lifecycle::Connected(link) = &mut self.lifecycle else {
            return Ok(());
        };
        check_problem_information(link.negotiated(), packet)?;
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish, frame)?,
            Packet::Puback(ack) => self.handle_ack(PacketType::Puback, ack)?,
            Packet::Pubrec(ack) => self.handle_ack(PacketType::Pubrec, ack)?,
            Packet::Pubrel(ack) => self.handle_ack(PacketType::Pubrel, ack)?,
            Packet::Pubcomp(ack) => self.handle_ack(PacketType::Pubcomp, ack)?,
            Packet::Suback(suback) => {
                let answer = self.requests.handle_suback(suback)?;
                self.answered(suback.packet_id, answer);
            }
            Packet::Unsuback(unsuback) => {
                let has_reasons = link.negotiated().version.is_v5();
                let answer = self.requests.handle_unsuback(unsuback, has_reasons)?;
                self.answered(unsuback.packet_id, answer);
            }
            Packet::Pingresp => self.keep_alive.pingresp(&mut self.timers),
            Packet::Disconnect(disconnect) => {
                if disconnect
                    .properties
                    .contains(PropertyId::SessionExpiryInterval)
                {
                    return Err(ProtocolError::SessionExpiryInDisconnect.into());
                }
                let cause = DisconnectCause::Server {
                    reason: disconnect.reason,
                    properties: kept(disconnect.properties),
                };
                self.close(None, cause);
            }
            Packet::Connack(_) => return Err(ProtocolError::SecondConnack.into()),
            other => return Err(ProtocolError::UnexpectedPacket(other.packet_type()).into()),
        }
        Ok(())
    }

    fn handle_publish(
        &mut self,
        publish: &Publish<'_>,
        frame: Option<&Bytes>,
    ) -> Result<(), ProtocolError> {
        let Lifecycle::Connected(link) = &mut self.lifecycle else {
            return Ok(());
        };
        if let Some(received) = link.handle_publish(&mut self.session, publish, frame)? {
            self.events.push(Event::Message {
                message: received.message,
                token: received.token,
                dup: received.dup,
            });
        }
        Ok(())
    }

    fn handle_ack(
        &mut self,
        packet_type: PacketType,
        ack: &PublishAck<'_>,
    ) -> Result<(), ProtocolError> {
        let Lifecycle::Connected(link) = &mut self.lifecycle else {
            return Ok(());
        };
        match link.handle_ack(&mut self.session, packet_type, ack)? {
            Some(Settled::Received { id, reason }) => {
                self.events.push(Event::Progress { id, reason })
            }
            Some(Settled::Ended { id, outcome }) => self.events.outcome(id, outcome),
            None => {}
        }
        Ok(())
    }

    fn answered(&mut self, packet_id: PacketId, answer: Option<Event>) {
        if let Some(event) = answer {
            self.session.packet_ids.free(packet_id);
            self.events.push(event);
        }
    }

    /// Whether a request with so many filters may be made now.
    fn requestable(&self, filters: usize) -> Result<&Link, SubscribeError> {
        let Lifecycle::Connected(link) = &self.lifecycle else {
            return Err(SubscribeError::NotConnected);
        };
        if filters == 0 {
            return Err(SubscribeError::NoFilter);
        }
        let limit = self.limits.max_requests;
        if self.requests.len() >= limit || link.encoded_bytes() > self.limits.max_queued_bytes {
            return Err(SubscribeError::TooManyRequests { limit });
        }
        Ok(link)
    }

    fn request<'p>(
        &mut self,
        packet_type: PacketType,
        filters: usize,
        packet: impl FnOnce(PacketId) -> Packet<'p>,
    ) -> Result<RequestId, SubscribeError> {
        let encoder = self.requestable(filters)?.encoder();
        let packet_id = self
            .session
            .packet_ids
            .allocate()
            .ok_or(SubscribeError::NoPacketId)?;
        let bytes = match encode(&encoder, &packet(packet_id)) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.session.packet_ids.free(packet_id);
                return Err(error.into());
            }
        };
        if let Lifecycle::Connected(link) = &mut self.lifecycle {
            link.answer(Answer::Encoded(bytes));
        }
        Ok(self.requests.insert(packet_id, packet_type, filters))
    }

    fn end(
        &mut self,
        reason: ReasonCode,
        session_expiry: Option<SessionExpiry>,
    ) -> Result<(), DisconnectError> {
        let (version, agreed) = match &self.lifecycle {
            Lifecycle::Connecting(connecting) => (
                connecting.offered.version,
                connecting.offered.session_expiry,
            ),
            Lifecycle::Connected(link) => {
                (link.negotiated().version, link.negotiated().session_expiry)
            }
            Lifecycle::Idle | Lifecycle::Closed { .. } => {
                return Err(DisconnectError::NotConnected);
            }
        };
        let allowed = if version.is_v5() {
            reason.allowed_in(PacketType::Disconnect, Role::Client)
        } else {
            reason == ReasonCode::NORMAL_DISCONNECTION
        };
        if !allowed {
            return Err(DisconnectError::ReasonNotAllowed(reason));
        }
        if let Some(expiry) = session_expiry {
            let raised = agreed == SessionExpiry::AT_CLOSE && expiry != SessionExpiry::AT_CLOSE;
            if raised || !version.is_v5() {
                return Err(DisconnectError::SessionExpiry);
            }
        }
        let property = session_expiry.map(Property::SessionExpiryInterval);
        let farewell = Disconnect {
            reason,
            properties: Properties::new(property.as_slice()),
        };
        self.close(Some(&farewell), DisconnectCause::Requested(reason));
        if session_expiry == Some(SessionExpiry::AT_CLOSE) {
            self.session.end();
        }
        Ok(())
    }

    /// The server's fault: it is told why, where the version lets it [v5 4.13.1]. In 3.x a DISCONNECT would delete the Will.
    fn fail(&mut self, cause: DisconnectCause) {
        let reason = match &cause {
            DisconnectCause::Malformed(error) => error.reason_code(),
            DisconnectCause::Protocol(error) => error.reason_code(),
            _ => return self.close(None, cause),
        };
        let allowed = reason.allowed_in(PacketType::Disconnect, Role::Client);
        let reason = if allowed {
            reason
        } else {
            ReasonCode::PROTOCOL_ERROR
        };
        let farewell = Disconnect {
            reason,
            properties: Properties::EMPTY,
        };
        self.close(Some(&farewell).filter(|_| self.is_v5()), cause);
    }

    fn is_v5(&self) -> bool {
        match &self.lifecycle {
            Lifecycle::Connecting(connecting) => connecting.offered.version.is_v5(),
            Lifecycle::Connected(link) => link.negotiated().version.is_v5(),
            Lifecycle::Idle | Lifecycle::Closed { .. } => false,
        }
    }

    /// Ends the connection, if there is one. What does not outlive it goes; the session stays.
    fn close(&mut self, farewell: Option<&Disconnect<'_>>, cause: DisconnectCause) {
        let encoder = match &self.lifecycle {
            Lifecycle::Connecting(connecting) => Encoder {
                version: connecting.offered.version,
                sender: Role::Client,
                maximum_packet_size: None,
            },
            Lifecycle::Connected(link) => link.encoder(),
            Lifecycle::Idle | Lifecycle::Closed { .. } => return,
        };
        // A server whose limit is too small for a DISCONNECT gets none.
        let farewell =
            farewell.and_then(|packet| encode(&encoder, &Packet::Disconnect(*packet)).ok());
        let agreed = self.lifecycle.close(farewell);
        if agreed.is_some_and(|negotiated| negotiated.session_expiry == SessionExpiry::AT_CLOSE) {
            self.session.end();
        }
        let packet_ids = &mut self.session.packet_ids;
        self.requests.clear(|packet_id| packet_ids.free(packet_id));
        self.timers = Timers::default();
        self.keep_alive.stop();
        self.events.push(Event::Disconnected(cause));
    }
}
