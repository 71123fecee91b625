//! A client, seen from its end of the connection, without any I/O.
//!
//! A driver tells a [`Client`] what happened (`handle_*`) and what its application wants, and does what the `poll_*` methods
//! say. See the [crate documentation](crate) for a whole driving loop.
//!
//! Enhanced authentication (AUTH) belongs beside this, in `reauth`; until it exists no Authentication Method is sent, so no
//! server may ask for one [v5 MQTT-4.12.0-6].

mod connect;
mod ending;
mod event;
mod keep_alive;
mod lifecycle;
mod options;
mod receive;
mod requests;

use bytes::BytesMut;

use self::{
    connect::encode, event::Events, keep_alive::KeepAliveWatch, lifecycle::Lifecycle,
    requests::Requests,
};
pub use self::{
    ending::DisconnectError,
    event::{ConnackInfo, DisconnectCause, Event, ProtocolError, RequestId},
    lifecycle::State,
    options::{ConnectError, ConnectOptions, Limits},
    requests::SubscribeError,
};
use crate::{
    flow::{
        AckError, AckReason, AckToken, Answer, DropReason, Link, Negotiated, Outcome, Progress,
        PublishError, PublishId, Session, Timer, Timers,
    },
    message::Message,
    packet::{Packet, Subscribe, SubscribeFilters, Unsubscribe, UnsubscribeFilters},
    time::Instant,
    types::{
        PacketId, PacketType, ReasonCode, Role, SessionExpiry, SubscribeOptions, TopicFilter, Utf8,
    },
    wire::{Output, Properties, Property},
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
    /// `properties` may be a Subscription Identifier, which all these filters get, and User Properties (5.0 only; v5 3.8.2.1).
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn subscribe(
        &mut self,
        filters: &[(TopicFilter<'_>, SubscribeOptions)],
        properties: &[Property<'_>],
    ) -> Result<RequestId, SubscribeError> {
        let properties = Properties::new(properties);
        let link = self.requestable(filters.len())?;
        requests::check(link.negotiated(), filters, &properties)?;
        self.request(PacketType::Subscribe, filters.len(), |packet_id| {
            Packet::Subscribe(Subscribe {
                packet_id,
                filters: SubscribeFilters::new(filters),
                properties,
            })
        })
    }

    /// Gives subscriptions back; [`Event::Unsubscribed`] answers.
    ///
    /// `properties` may be User Properties (5.0 only; v5 3.10.2.1).
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing was changed.
    pub fn unsubscribe(
        &mut self,
        filters: &[TopicFilter<'_>],
        properties: &[Property<'_>],
    ) -> Result<RequestId, SubscribeError> {
        self.request(PacketType::Unsubscribe, filters.len(), |packet_id| {
            Packet::Unsubscribe(Unsubscribe {
                packet_id,
                filters: UnsubscribeFilters::new(filters),
                properties: Properties::new(properties),
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
        self.answer_publish(token, AckReason::code(reason))
    }

    /// As [`Client::acknowledge`], and tells the server why in words, for its log (v5 3.4.2.2.2, 3.5.2.2.2). The words are
    /// left out where they cannot be sent: in 3.x, and beyond the Maximum Packet Size of the server [v5 MQTT-3.4.2-2,
    /// MQTT-3.5.2-2].
    ///
    /// # Errors
    /// [`AckError`], as for [`Client::acknowledge`]; nothing was changed.
    pub fn acknowledge_with_reason_string(
        &mut self,
        token: AckToken,
        reason: ReasonCode,
        reason_string: Utf8<'_>,
    ) -> Result<(), AckError> {
        self.answer_publish(token, AckReason::with_string(reason, reason_string))
    }

    fn answer_publish(&mut self, token: AckToken, reason: AckReason) -> Result<(), AckError> {
        match &mut self.lifecycle {
            Lifecycle::Connected(link) => link.acknowledge(&mut self.session, token, reason),
            _ if !reason.code.allowed_in(PacketType::Pubrec, Role::Client) => {
                Err(AckError::ReasonNotAllowed(reason.code))
            }
            _ => self.session.acknowledge(token, reason),
        }
    }

    /// Queues DISCONNECT in front of all messages that wait, and ends the connection: nothing follows it
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
    ///
    /// A QoS 0 message that was appended has its outcome, [`Outcome::Sent`], though its bytes are still in `output`: it is
    /// lost with them if the connection breaks before they arrive.
    pub fn poll_transmit(&mut self, now: Instant, output: &mut Output) -> usize {
        let before = output.len();
        self.keep_alive.before_append(now, before, &mut self.timers);
        let mut has_pingreq = false;
        match &mut self.lifecycle {
            Lifecycle::Idle => {}
            Lifecycle::Connecting(connecting) => {
                if let Some(packet) = connecting.packet.take() {
                    output.push(&packet);
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
                    output.push(&packet);
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
}
