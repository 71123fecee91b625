//! [`Server`]: one Network Connection, seen from its server.
//!
//! The mirror of [`Client`](crate::client::Client) and driven in the same way. A server has one of these for each
//! connection; what clients have in common (subscriptions, retained messages, who may do what) belongs to its owner.
//!
//! ```text
//! transport --bytes--> handle_input ---> poll_event --> owner
//! transport <--bytes-- poll_transmit <-- accept, publish, acknowledge, complete_subscribe, ... <-- owner
//! ```
//!
//! A client of 3.1.1 connects and asks whether the server is alive:
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use mqtt_core::server::{Accept, Event, Server, ServerLimits};
//! use mqtt_core::{Instant, Output, Session, SessionBounds};
//!
//! let now = Instant::from_millis(0);
//! let mut server = Server::new(now, ServerLimits::default());
//! let mut input = BytesMut::from(&b"\x10\x0D\0\x04MQTT\x04\x02\0\x3C\0\x01a\xC0\0"[..]);
//!
//! // The CONNECT is held until its owner answers, and what came behind it is left in `input`.
//! assert!(server.handle_input(now, &mut input).is_blocked());
//! let Some(Event::Connect(request)) = server.poll_event() else { panic!("no CONNECT") };
//! assert_eq!(request.client_id, "a");
//! let session = Session::new(SessionBounds { max_messages: 100, max_bytes: 100_000 });
//! server.accept(now, session, &Accept::default())?;
//! assert!(!server.handle_input(now, &mut input).is_blocked());
//!
//! let mut output = Output::new();
//! server.poll_transmit(now, &mut output);
//! // CONNACK and PINGRESP.
//! assert_eq!(output.chunk(), b"\x20\x02\0\0\xD0\0");
//! # Ok::<(), Box<mqtt_core::server::NotAccepted>>(())
//! ```
//!
//! Enhanced authentication (AUTH) is to be added beside `accept`; until then a CONNECT that asks for it is refused with
//! 0x8C.

mod accept;
mod event;
mod lifecycle;
mod options;
mod receive;
mod requests;

use alloc::{boxed::Box, vec};

use bytes::{Buf, BytesMut};

pub use self::{
    accept::{Accept, AcceptError, NotAccepted},
    event::{ConnectRequest, DisconnectCause, Disconnected, Event, ProtocolError},
    options::ServerLimits,
    requests::{CompleteError, SubscribeRequest, UnsubscribeRequest},
};
use self::{
    event::Events,
    lifecycle::{Connection, End, Last, State},
};
use crate::{
    decoder::Decoder,
    encoder::Encoder,
    error::EncodeError,
    flow::{
        AckError, AckReason, AckToken, Answer, Link, Negotiated, Outcome, Progress, PublishError,
        PublishId, Session, Timer, Timers,
    },
    message::Message,
    packet::{Connack, Disconnect, Packet},
    time::Instant,
    types::{MaximumPacketSize, PacketType, ReasonCode, Role, SessionExpiry, Utf8},
    version::ProtocolVersion,
    wire::{Output, Properties, Property},
};

/// So many new bytes of a packet that is still coming count as a sign of life, so that a slow line may carry a large
/// message and a trickle of bytes is not one.
const SIGN_OF_LIFE: usize = 1_024;

/// One Network Connection of a server; see the [module](self).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Server {
    limits: ServerLimits,
    state: State,
    /// There from the acceptance on.
    session: Option<Session>,
    events: Events,
    timers: Timers,
    /// The last packet, if the end of the connection has one.
    farewell: Option<Box<[u8]>>,
    /// The length of the unfinished packet at the last sign of life.
    unfinished: usize,
}

/// Why the owner's end of a connection was not carried out. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The connection is not in the state for it: it is over, or, for [`Server::refuse`], no CONNECT is pending.
    #[error("the connection is not in the state for it")]
    WrongState,
    /// The packet that is to be sent cannot carry this Reason Code.
    #[error("the packet cannot carry {0}")]
    ReasonNotAllowed(ReasonCode),
    /// The properties cannot be written.
    #[error("the properties cannot be written")]
    Encode(#[source] EncodeError),
}

impl Server {
    /// For a transport that a client has just opened.
    #[must_use]
    pub fn new(now: Instant, limits: ServerLimits) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Connect, now + limits.connect_timeout);
        Self {
            limits,
            state: State::AwaitingConnect,
            session: None,
            events: Events::default(),
            timers,
            farewell: None,
            unfinished: 0,
        }
    }

    /// Takes received bytes: whole packets are taken off the front of `input`, an unfinished one stays.
    ///
    /// It stops where the owner has to do something first, and says so: at the bounds of [`ServerLimits`], and in 3.x at
    /// [`Accept::receive_maximum`]. The Keep Alive does not run on while it waits for the owner.
    ///
    /// While a CONNECT is pending the input is left alone and the answer is [`Progress::Blocked`]. Once the connection is
    /// over the input is thrown away: nothing after a rejected CONNECT or a violation is processed [v5 MQTT-3.1.4-6].
    pub fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Progress {
        loop {
            match self.state {
                State::AwaitingConnect | State::Connected(_) => {}
                State::Pending(_) => return Progress::Blocked,
                State::Ended => {
                    input.clear();
                    return Progress::Done;
                }
            }
            match self.decoder().frame(input) {
                Ok(Some(len)) => {
                    if let Some(progress) = self.obstacle() {
                        return progress;
                    }
                    self.unfinished = 0;
                    self.note_sign_of_life(now);
                    self.handle_frame(len, input);
                }
                Ok(None) => {
                    if input.len() >= self.unfinished + SIGN_OF_LIFE {
                        self.unfinished = input.len();
                        self.note_sign_of_life(now);
                    }
                    return Progress::Done;
                }
                Err(error) => self.end(End::invalid_packet(error), input),
            }
        }
    }

    /// The transport was closed or lost.
    pub fn handle_close(&mut self, _now: Instant) {
        self.end(End::new(DisconnectCause::Closed), &[]);
        self.farewell = None;
    }

    /// Time has passed. May be called early or late.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Connect => self.end(End::new(DisconnectCause::ConnectTimeout), &[]),
                Timer::PeerSilent => self.end(
                    End::new(DisconnectCause::KeepAliveTimeout)
                        .with_answer(ReasonCode::KEEP_ALIVE_TIMEOUT),
                    &[],
                ),
                Timer::Ping => {}
            }
        }
        if let (State::Connected(_), Some(session)) = (&self.state, &mut self.session) {
            while let Some(id) = session.pop_expired(now) {
                self.events.push(Event::Outcome {
                    id,
                    outcome: Outcome::Expired,
                });
            }
        }
    }

    /// Accepts the pending CONNECT. `session` is the client's own from before, or a new one; [`Server::into_session`]
    /// gives it back.
    ///
    /// With [`Accept::session_present`] whatever is unfinished in it is sent again, in its old order
    /// [v5 MQTT-4.4.0-1, v311 MQTT-4.4.0-1].
    ///
    /// # Errors
    /// The [`AcceptError`] says what does not fit; the session comes back with it and the CONNECT is still pending.
    pub fn accept(
        &mut self,
        now: Instant,
        mut session: Session,
        accept: &Accept,
    ) -> Result<(), Box<NotAccepted>> {
        let State::Pending(pending) = &self.state else {
            return Err(Box::new(NotAccepted {
                error: AcceptError::NotPending,
                session,
            }));
        };
        let (negotiated, connack) = match pending.answer(accept, &session) {
            Ok(prepared) => prepared,
            Err(error) => return Err(Box::new(NotAccepted { error, session })),
        };
        let requested_session_expiry = pending.session_expiry;
        let epoch = session.next_epoch();
        let mut link = Link::new(
            Role::Server,
            negotiated,
            self.limits.acknowledge,
            accept.outgoing_topic_aliases,
            epoch,
        );
        link.answer(Answer::Encoded(connack));
        if accept.session_present {
            link.resume(&mut session);
        }
        self.session = Some(session);
        self.state = State::Connected(Box::new(Connection::new(
            link,
            requested_session_expiry,
            epoch,
        )));
        self.note_sign_of_life(now);
        Ok(())
    }
}

impl Server {
    /// Refuses the pending CONNECT: CONNACK with `reason`, then the end [v5 MQTT-3.2.2-7, v311 MQTT-3.2.2-5]. In 3.x a
    /// reason that has no return code there is a bare close [v311 MQTT-3.2.2-6].
    ///
    /// # Errors
    /// - [`DisconnectError::WrongState`]: no CONNECT is pending.
    /// - [`DisconnectError::ReasonNotAllowed`]: not an error that CONNACK may carry.
    pub fn refuse(&mut self, now: Instant, reason: ReasonCode) -> Result<(), DisconnectError> {
        self.refuse_with(now, reason, &[])
    }

    /// [`Server::refuse`] with properties, such as a Server Reference for 0x9C. 3.x does not send them.
    ///
    /// # Errors
    /// As [`Server::refuse`], and [`DisconnectError::Encode`].
    pub fn refuse_with(
        &mut self,
        _now: Instant,
        reason: ReasonCode,
        properties: &[Property<'_>],
    ) -> Result<(), DisconnectError> {
        let State::Pending(pending) = &self.state else {
            return Err(DisconnectError::WrongState);
        };
        if !reason.is_error() || !reason.allowed_in(PacketType::Connack, Role::Server) {
            return Err(DisconnectError::ReasonNotAllowed(reason));
        }
        let encoder = pending.encoder();
        let farewell = match encoder.version {
            ProtocolVersion::V5 => {
                let properties = Properties::new(properties);
                let connack = Connack {
                    session_present: false,
                    reason,
                    properties,
                };
                encode(encoder, &Packet::Connack(connack)).map_err(DisconnectError::Encode)?
            }
            version => lifecycle::refusal(version, reason),
        };
        self.end(End::new(DisconnectCause::Refused(reason)), &[]);
        self.farewell = farewell;
        Ok(())
    }

    /// Publishes a message to the client and returns the id under which its outcome will be reported.
    ///
    /// It waits in the session while the client's Receive Maximum does not let it go [v5 MQTT-3.3.4-9], is counted against
    /// the bounds of the session meanwhile, and is sent again when another connection resumes the session. One that is too
    /// large for the client ends in an outcome of its own and harms nothing else [v5 MQTT-3.1.2-25]. For a client of 3.x
    /// its properties are left out.
    ///
    /// `now` starts the Message Expiry Interval: an owner that kept the message before gives the time at which it came.
    ///
    /// # Errors
    /// - [`PublishError::NotConnected`]: the connection was not accepted, or is over; see [`Session::push`].
    /// - [`PublishError::QueueFull`], [`PublishError::QueueBytesFull`]: the bounds of the session. Nothing was changed.
    pub fn publish(&mut self, now: Instant, message: Message) -> Result<PublishId, PublishError> {
        match (&self.state, &mut self.session) {
            (State::Connected(_), Some(session)) => session.push(now, message),
            _ => Err(PublishError::NotConnected),
        }
    }

    /// Acknowledges a message of the client, where that is the owner's to do.
    ///
    /// Acknowledgements of one kind leave in the order in which their messages came [v5 MQTT-4.6.0-2, MQTT-4.6.0-3]. In 3.x
    /// they carry no Reason Code, so `reason` is not sent and even a refused message is acknowledged as normal
    /// [v311 MQTT-3.3.5-2]; an owner that wants it otherwise ends the connection.
    ///
    /// After the end of the connection a QoS 2 message can still be decided on: the client is told when it sends the
    /// message again. One of QoS 1 is delivered anew instead.
    ///
    /// # Errors
    /// Any [`AckError`]; nothing was changed.
    pub fn acknowledge(&mut self, token: AckToken, reason: ReasonCode) -> Result<(), AckError> {
        self.answer_publish(token, AckReason::code(reason))
    }

    /// As [`Server::acknowledge`], and tells the client why in words, for its log (v5 3.4.2.2.2, 3.5.2.2.2). The words are
    /// left out where they cannot be sent: in 3.x, beyond the Maximum Packet Size of the client [v5 MQTT-3.4.2-2,
    /// MQTT-3.5.2-2], and where the client has asked for no problem information [v5 MQTT-3.1.2-29].
    ///
    /// # Errors
    /// Any [`AckError`]; nothing was changed.
    pub fn acknowledge_with_reason_string(
        &mut self,
        token: AckToken,
        reason: ReasonCode,
        reason_string: Utf8<'_>,
    ) -> Result<(), AckError> {
        self.answer_publish(token, AckReason::with_string(reason, reason_string))
    }

    fn answer_publish(&mut self, token: AckToken, reason: AckReason) -> Result<(), AckError> {
        let Some(session) = &mut self.session else {
            return Err(AckError::Stale);
        };
        match &mut self.state {
            State::Connected(connection) => connection.acknowledge(session, token, reason),
            _ if !reason.code.allowed_in(PacketType::Pubrec, Role::Server) => {
                Err(AckError::ReasonNotAllowed(reason.code))
            }
            _ => session.acknowledge(token, reason),
        }
    }

    /// Answers a SUBSCRIBE with one Reason Code for each filter, in their order [v5 MQTT-3.8.4-6, MQTT-3.9.3-1].
    ///
    /// In 3.1.1 every error becomes 0x80. 3.1 has no way to refuse, so a refused filter looks granted there.
    ///
    /// # Errors
    /// Any [`CompleteError`]; nothing was changed.
    pub fn complete_subscribe(
        &mut self,
        request: &SubscribeRequest,
        reasons: &[ReasonCode],
    ) -> Result<(), CompleteError> {
        self.complete_subscribe_with(request, reasons, &[])
    }

    /// [`Server::complete_subscribe`] with a Reason String or User Properties (5.0). They are left out where the client does
    /// not want them or cannot take them [v5 MQTT-3.1.2-29, MQTT-3.9.2-1, MQTT-3.9.2-2].
    ///
    /// # Errors
    /// As [`Server::complete_subscribe`].
    pub fn complete_subscribe_with(
        &mut self,
        request: &SubscribeRequest,
        reasons: &[ReasonCode],
        properties: &[Property<'_>],
    ) -> Result<(), CompleteError> {
        let State::Connected(connection) = &mut self.state else {
            return Err(CompleteError::NotPending);
        };
        let fits = connection.complete_subscribe(request, reasons, Properties::new(properties))?;
        self.end_unless(fits);
        Ok(())
    }

    /// Answers an UNSUBSCRIBE with one Reason Code for each filter, in their order [v5 MQTT-3.11.3-1]. 3.x does not send
    /// them, but they are asked for all the same.
    ///
    /// # Errors
    /// Any [`CompleteError`]; nothing was changed.
    pub fn complete_unsubscribe(
        &mut self,
        request: &UnsubscribeRequest,
        reasons: &[ReasonCode],
    ) -> Result<(), CompleteError> {
        self.complete_unsubscribe_with(request, reasons, &[])
    }

    /// [`Server::complete_unsubscribe`] with a Reason String or User Properties, as
    /// [`Server::complete_subscribe_with`] has them.
    ///
    /// # Errors
    /// As [`Server::complete_unsubscribe`].
    pub fn complete_unsubscribe_with(
        &mut self,
        request: &UnsubscribeRequest,
        reasons: &[ReasonCode],
        properties: &[Property<'_>],
    ) -> Result<(), CompleteError> {
        let State::Connected(connection) = &mut self.state else {
            return Err(CompleteError::NotPending);
        };
        let fits =
            connection.complete_unsubscribe(request, reasons, Properties::new(properties))?;
        self.end_unless(fits);
        Ok(())
    }

    /// Ends the connection from this side: DISCONNECT with `reason` in 5.0, a bare close in 3.x and before the CONNECT is
    /// accepted [v5 MQTT-3.14.0-1]. The client's Will stands.
    ///
    /// Answers that wait are still sent before it, messages are not: they stay in the session. Nothing is sent after it
    /// [v5 MQTT-3.14.4-1].
    ///
    /// # Errors
    /// - [`DisconnectError::WrongState`]: the connection is over.
    /// - [`DisconnectError::ReasonNotAllowed`]: a server's DISCONNECT may not carry it (5.0).
    pub fn disconnect(&mut self, now: Instant, reason: ReasonCode) -> Result<(), DisconnectError> {
        self.disconnect_with(now, reason, &[])
    }

    /// [`Server::disconnect`] with properties, such as a Server Reference for 0x9C. 3.x does not send them.
    ///
    /// # Errors
    /// As [`Server::disconnect`], and [`DisconnectError::Encode`].
    pub fn disconnect_with(
        &mut self,
        _now: Instant,
        reason: ReasonCode,
        properties: &[Property<'_>],
    ) -> Result<(), DisconnectError> {
        let last = match &self.state {
            State::Ended => return Err(DisconnectError::WrongState),
            State::Connected(connection) if connection.version().is_v5() => {
                if !reason.allowed_in(PacketType::Disconnect, Role::Server) {
                    return Err(DisconnectError::ReasonNotAllowed(reason));
                }
                let properties = Properties::new(properties);
                let disconnect = Packet::Disconnect(Disconnect { reason, properties });
                encode(connection.link.encoder(), &disconnect).map_err(DisconnectError::Encode)?
            }
            _ => None,
        };
        let end = End::new(DisconnectCause::Server(reason));
        let last = last.map(Last::Packet);
        self.end(End { last, ..end }, &[]);
        Ok(())
    }

    /// Appends what is to be sent now and returns how many bytes that was.
    ///
    /// It stops when about 64 KiB wait in `output`: call it again once some of them were written.
    ///
    /// A QoS 0 message that was appended has its outcome, [`Outcome::Sent`], though its bytes are still in `output`: it is
    /// lost with them if the connection breaks before they arrive.
    pub fn poll_transmit(&mut self, now: Instant, output: &mut Output) -> usize {
        let before = output.len();
        let events = &mut self.events;
        if let Some(farewell) = self.farewell.take() {
            output.push(&farewell);
        } else if let (State::Connected(connection), Some(session)) =
            (&mut self.state, &mut self.session)
        {
            connection
                .link
                .transmit(now, session, output, |id, outcome| {
                    events.push(Event::Outcome { id, outcome });
                });
        }
        output.len() - before
    }

    /// Gives back memory that its queues keep for what may come. Worth a call before a connection that may stay silent for
    /// long; what comes next has to be given memory again.
    pub fn release_unused(&mut self) {
        self.events.release_unused();
        if let (State::Connected(connection), Some(session)) = (&mut self.state, &mut self.session)
        {
            connection.link.release_unused(session);
            connection.requests.release_unused();
        }
    }

    /// The next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When [`Server::handle_timeout`] is to be called; `None` if nothing is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let expiry = match (&self.state, &self.session) {
            (State::Connected(_), Some(session)) => session.next_expiry(),
            _ => None,
        };
        self.timers.next().into_iter().chain(expiry).min()
    }

    /// The limits agreed on, while the connection is accepted and not over.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        match &self.state {
            State::Connected(connection) => Some(connection.link.negotiated()),
            _ => None,
        }
    }

    /// How many messages of QoS 1 and 2 the client's Receive Maximum lets go now, those included that wait in the session
    /// (v5 4.9). 0 while messages of a resumed session have to be sent again first, and without a connection.
    ///
    /// An owner that keeps its messages until they can be sent need hand over no more than this, less what waits already.
    #[must_use]
    pub fn send_quota(&self) -> u16 {
        match (&self.state, &self.session) {
            (State::Connected(connection), Some(session)) => connection.link.send_quota(session),
            _ => 0,
        }
    }

    /// The session, once the connection was accepted: how much waits in it, for instance.
    #[must_use]
    pub const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Gives the session back, whatever the state. `None` if the connection was never accepted.
    #[must_use]
    pub fn into_session(self) -> Option<Session> {
        self.session
    }

    /// Whether the connection is over. Something may still be left to send and to tell.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Why the packet that waits may not be taken now.
    fn obstacle(&mut self) -> Option<Progress> {
        let State::Connected(connection) = &self.state else {
            return None;
        };
        if self.events.is_full(&self.limits) || connection.waits_for_owner(&self.limits) {
            // What the client says while nobody listens must not be taken for silence. The clock starts anew with the packet
            // that waits.
            self.timers.clear(Timer::PeerSilent);
            return Some(Progress::Blocked);
        }
        // The client does not read: its silence is its own, so the clock of the Keep Alive goes on.
        connection.is_congested().then_some(Progress::Congested)
    }

    /// Something came from the client: the clock of its Keep Alive starts anew [v5 MQTT-3.1.2-22, v311 MQTT-3.1.2-24].
    fn note_sign_of_life(&mut self, now: Instant) {
        if let State::Connected(connection) = &self.state
            && let Some(interval) = connection.link.negotiated().keep_alive.interval()
        {
            self.timers
                .set(Timer::PeerSilent, now + interval + interval / 2);
        }
    }

    fn decoder(&self) -> Decoder {
        let (version, maximum_packet_size) = match &self.state {
            State::Connected(connection) => {
                let negotiated = connection.link.negotiated();
                let limit = negotiated.own_maximum_packet_size;
                (
                    Some(negotiated.version),
                    limit.unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE),
                )
            }
            _ => (None, self.limits.connect_maximum_packet_size),
        };
        Decoder {
            version,
            sender: Role::Client,
            maximum_packet_size,
            strict_text: self.limits.strict_text,
        }
    }

    /// Ends the connection, unless it has ended. `packet` is the start of the one that was to blame, if one was.
    fn end(&mut self, end: End, packet: &[u8]) {
        let (publish_will, session_expiry) = match &mut self.state {
            State::Ended => return,
            State::Connected(connection) => {
                self.farewell = match end.cause {
                    // Nobody listens any more.
                    DisconnectCause::Client { .. } | DisconnectCause::Closed => None,
                    _ => {
                        let explain = self.limits.explain_faults;
                        let fault = explain.then(|| end.cause.fault(connection.version()));
                        connection.last_words(end.last, fault.flatten().as_deref())
                    }
                };
                let agreed = connection.link.negotiated().session_expiry;
                (end.publish_will, end.session_expiry.unwrap_or(agreed))
            }
            State::AwaitingConnect => {
                self.farewell = lifecycle::answer_to_bad_connect(&end.cause, packet);
                (false, SessionExpiry::AT_CLOSE)
            }
            State::Pending(_) => (false, SessionExpiry::AT_CLOSE),
        };
        self.state = State::Ended;
        self.timers = Timers::default();
        self.events.push(Event::Disconnected(Disconnected {
            cause: end.cause,
            publish_will,
            session_expiry,
        }));
    }

    /// A request whose answer the client cannot take cannot be answered at all, and leaving it open would be worse.
    fn end_unless(&mut self, fits: bool) {
        if !fits {
            let reason = ReasonCode::PACKET_TOO_LARGE;
            self.end(
                End::new(DisconnectCause::Server(reason)).with_answer(reason),
                &[],
            );
        }
    }
}

/// Encodes a packet that is to be sent later. The encoder leaves out User Properties and the Reason String where the
/// client could not take it with them. `None` if it cannot even take it without.
fn encode(encoder: Encoder, packet: &Packet<'_>) -> Result<Option<Box<[u8]>>, EncodeError> {
    let mut output = Output::new();
    match encoder.encode(packet, &mut output) {
        Ok(()) => Ok(taken(output)),
        Err(EncodeError::PacketTooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All bytes of an output, if there are any.
fn taken(mut output: Output) -> Option<Box<[u8]>> {
    let mut bytes = vec![0; output.len()];
    output.copy_to_slice(&mut bytes);
    (!bytes.is_empty()).then(|| bytes.into_boxed_slice())
}
