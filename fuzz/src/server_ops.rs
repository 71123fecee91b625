//! Whatever an owner does and a client sends, the server's end of a connection keeps the standard and its promises, and a
//! session does over all its connections.

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::BytesMut;
use mqtt_core::{
    AckToken, Acknowledge, Instant, Message, Output, Property, ProtocolVersion, QoS, ReasonCode,
    ReceiveMaximum, Role, Session, SessionBounds, TopicName,
    server::{Accept, Event, Server, ServerLimits, SubscribeRequest, UnsubscribeRequest},
};

use crate::{outcomes::Outcomes, peer_packet, watch::Watch};

const MAX_EVENTS: usize = 4;
const BOUNDS: SessionBounds = SessionBounds {
    max_messages: 6,
    max_bytes: 4_000,
};

#[derive(Debug, Arbitrary)]
enum Op {
    /// The transport is closed, and the client comes again.
    Connect,
    Accept {
        choice: u8,
    },
    Refuse {
        reason: u8,
    },
    Publish {
        qos: u8,
        size: u8,
    },
    Expiring {
        qos: u8,
        seconds: u8,
    },
    Acknowledge {
        choice: u8,
        reason: u8,
    },
    Complete {
        choice: u8,
        reason: u8,
        with: bool,
    },
    Disconnect {
        reason: u8,
    },
    /// The client sends a packet; `peer_packet` makes it of the bytes that follow.
    Receive,
    /// So many bytes of what the client sent arrive; 255 is all.
    Arrive(u8),
    Transmit,
    Drain(u8),
    Close,
    Release,
    Advance {
        millis: u16,
    },
    WakeUp,
}

/// Drives the server's ends of a few connections by the operations that `data` makes.
///
/// # Panics
/// If one of them breaks the standard, a bound or a promise.
pub fn server_ops(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let version = match input.int_in_range(0..=3)? {
        0 => ProtocolVersion::V3_1,
        1 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    };
    let acknowledge = if input.arbitrary()? {
        Acknowledge::Manual
    } else {
        Acknowledge::Automatic
    };
    let mut world = World::new(version, acknowledge, input.int_in_range(0..=3)?);
    while !input.is_empty() {
        let op = input.arbitrary()?;
        world.apply(&op, input)?;
        world.check_bounds();
    }
    world.finish();
    Ok(())
}

struct World {
    version: ProtocolVersion,
    limits: ServerLimits,
    outgoing_topic_aliases: u16,
    server: Server,
    /// Between connections.
    stored: Option<Session>,
    outcomes: Outcomes,
    now: Instant,
    wire: Vec<u8>,
    input: BytesMut,
    output: Output,
    watch: Watch,
    has_connect: bool,
    is_accepted: bool,
    is_ended: bool,
    tokens: Vec<AckToken>,
    subscribes: Vec<SubscribeRequest>,
    unsubscribes: Vec<UnsubscribeRequest>,
    /// Messages of QoS 2 that the owner got.
    received_once: usize,
}

impl World {
    fn new(version: ProtocolVersion, acknowledge: Acknowledge, aliases: u16) -> Self {
        let now = Instant::from_millis(0);
        let limits = ServerLimits {
            acknowledge,
            max_events: MAX_EVENTS,
            max_pending_requests: 2,
            ..ServerLimits::default()
        };
        let mut watch = Watch::new(Role::Server);
        watch.connect(None);
        Self {
            version,
            outgoing_topic_aliases: aliases,
            server: Server::new(now, limits.clone()),
            limits,
            stored: None,
            outcomes: Outcomes::default(),
            now,
            wire: Vec::new(),
            input: BytesMut::new(),
            output: Output::new(),
            watch,
            has_connect: false,
            is_accepted: false,
            is_ended: false,
            tokens: Vec::new(),
            subscribes: Vec::new(),
            unsubscribes: Vec::new(),
            received_once: 0,
        }
    }

    fn apply(&mut self, op: &Op, input: &mut Unstructured<'_>) -> Result<()> {
        match *op {
            Op::Connect => self.connect(),
            Op::Accept { choice } => self.accept(choice),
            Op::Refuse { reason } => {
                let _ = self.server.refuse(self.now, ReasonCode::new(reason));
            }
            Op::Publish { qos, size } => {
                let message = Message::new(topic(), vec![b'x'; usize::from(size) * 8]);
                self.publish(message.with_qos(to_qos(qos)));
            }
            Op::Expiring { qos, seconds } => {
                let expiry = Property::MessageExpiryInterval(seconds.into());
                let message = Message::new(topic(), "x").with_properties(&[expiry]);
                self.publish(message.expect("it may expire").with_qos(to_qos(qos)));
            }
            Op::Acknowledge { choice, reason } => {
                if let Some(token) = pick(&self.tokens, choice) {
                    let _ = self.server.acknowledge(*token, ReasonCode::new(reason));
                }
            }
            Op::Complete {
                choice,
                reason,
                with,
            } => self.complete(choice, reason, with),
            Op::Disconnect { reason } => {
                let _ = self.server.disconnect(self.now, ReasonCode::new(reason));
            }
            Op::Receive => peer_packet::append(self.version, Role::Client, input, &mut self.wire)?,
            Op::Arrive(count) => self.arrive(count),
            Op::Transmit => self.transmit(),
            Op::Drain(count) => self.drain(count.into()),
            Op::Close => self.server.handle_close(self.now),
            Op::Release => self.server.release_unused(),
            Op::Advance { millis } => self.advance(self.now + Duration::from_millis(millis.into())),
            Op::WakeUp => {
                if let Some(due) = self.server.poll_timeout() {
                    self.advance(due.max(self.now));
                }
            }
        }
        Ok(())
    }

    fn connect(&mut self) {
        self.end();
        let next = Server::new(self.now, self.limits.clone());
        let session = std::mem::replace(&mut self.server, next).into_session();
        assert_eq!(session.is_some(), self.is_accepted);
        self.stored = session.or(self.stored.take());
        self.wire.clear();
        self.input.clear();
        self.output.clear();
        self.watch.connect(None);
        self.has_connect = false;
        self.is_accepted = false;
        self.is_ended = false;
        self.subscribes.clear();
        self.unsubscribes.clear();
    }

    fn accept(&mut self, choice: u8) {
        let goes_on = choice & 1 == 0 && self.stored.is_some();
        let accept = Accept {
            session_present: goes_on,
            assigned_client_id: (choice & 2 != 0).then(|| "given".to_owned()),
            receive_maximum: ReceiveMaximum::new(2).expect("it is not zero"),
            topic_alias_maximum: 2,
            outgoing_topic_aliases: self.outgoing_topic_aliases,
            maximum_qos: if choice & 4 == 0 {
                QoS::ExactlyOnce
            } else {
                QoS::AtLeastOnce
            },
            ..Accept::default()
        };
        let before = self.stored.take();
        let session = before
            .clone()
            .filter(|_| goes_on)
            .unwrap_or_else(|| Session::new(BOUNDS));
        match self.server.accept(self.now, session, &accept) {
            Ok(()) => {
                self.is_accepted = true;
                if !goes_on {
                    let outcomes = std::mem::take(&mut self.outcomes);
                    if let Some(session) = before {
                        outcomes.finish(session);
                    }
                    self.watch.forget_session();
                }
            }
            // What was not accepted is as it was.
            Err(_) => self.stored = before,
        }
    }

    fn publish(&mut self, message: Message) {
        let qos = message.qos();
        if let Ok(id) = self.server.publish(self.now, message) {
            self.outcomes.publish(id, qos);
        }
    }

    fn complete(&mut self, choice: u8, reason: u8, with: bool) {
        let text = mqtt_core::Utf8::new("why").expect("it is text");
        let properties = [Property::ReasonString(text)];
        let properties = if with { &properties[..] } else { &[] };
        let reason = ReasonCode::new(reason);
        if let Some(request) = pick(&self.subscribes, choice) {
            let reasons = vec![reason; request.filters().len()];
            let _ = self
                .server
                .complete_subscribe_with(request, &reasons, properties);
        }
        if let Some(request) = pick(&self.unsubscribes, choice) {
            let reasons = vec![reason; request.filters().len()];
            let _ = self
                .server
                .complete_unsubscribe_with(request, &reasons, properties);
        }
    }

    fn arrive(&mut self, count: u8) {
        let count = if count == u8::MAX {
            self.wire.len()
        } else {
            self.wire.len().min(count.into())
        };
        self.input.extend(self.wire.drain(..count));
        let before = self.input.clone();
        let was_ended = self.server.is_ended();
        let progress = self.server.handle_input(self.now, &mut self.input);
        // What comes after the end is thrown away.
        if !was_ended {
            let taken = &before[..before.len() - self.input.len()];
            self.watch.taken(taken, self.server.is_ended());
        }
        if self.server.is_ended() {
            assert!(!progress.is_blocked() && self.input.is_empty());
        }
    }

    fn transmit(&mut self) {
        while self.server.poll_transmit(self.now, &mut self.output) > 0 {
            self.watch.sent(&mut self.output);
        }
    }

    fn advance(&mut self, to: Instant) {
        self.now = to;
        self.server.handle_timeout(self.now);
        let due = self.server.poll_timeout();
        assert!(
            due.is_none_or(|due| due > self.now),
            "a timer that is never done"
        );
    }

    fn drain(&mut self, count: usize) {
        let mut from_input = 0;
        for _ in 0..count {
            let Some(event) = self.server.poll_event() else {
                break;
            };
            from_input += usize::from(matches!(
                event,
                Event::Message { .. } | Event::Subscribe(_) | Event::Unsubscribe(_)
            ));
            self.event(event);
        }
        assert!(from_input <= MAX_EVENTS);
    }

    fn event(&mut self, event: Event) {
        assert!(!self.is_ended, "{event:?} after the end");
        match event {
            Event::Connect(_) => {
                assert!(!self.has_connect, "a second CONNECT");
                self.has_connect = true;
            }
            Event::Message { message, token, .. } => {
                self.received_once += usize::from(message.qos() == QoS::ExactlyOnce);
                assert!(
                    self.received_once <= self.watch.exchanges,
                    "QoS 2 came twice"
                );
                self.tokens.extend(token);
            }
            Event::Subscribe(request) => self.subscribes.push(request),
            Event::Unsubscribe(request) => self.unsubscribes.push(request),
            Event::Outcome { id, .. } => self.outcomes.end(id),
            Event::Disconnected(end) => {
                self.is_ended = true;
                assert!(self.is_accepted || !end.publish_will);
            }
            other => panic!("{other:?} is not known here"),
        }
    }

    fn check_bounds(&self) {
        if let Some(session) = self.server.session() {
            assert!(session.queued() + session.in_flight() <= BOUNDS.max_messages);
            assert!(session.queued_bytes() <= BOUNDS.max_bytes);
        }
    }

    /// The connection ends, and says so once.
    fn end(&mut self) {
        self.transmit();
        self.server.handle_close(self.now);
        self.drain(usize::MAX);
        assert!(self.is_ended, "a connection that never ended");
        assert_eq!(self.server.poll_timeout(), None);
    }

    fn finish(mut self) {
        self.end();
        if let Some(session) = self.server.into_session().or(self.stored) {
            self.outcomes.finish(session);
        }
    }
}

fn pick<T>(items: &[T], choice: u8) -> Option<&T> {
    items.get(usize::from(choice).checked_rem(items.len())?)
}

fn to_qos(number: u8) -> QoS {
    QoS::from_u8(number % 3).expect("there are three")
}

fn topic() -> TopicName<'static> {
    TopicName::new("t").expect("it has no wildcard")
}
