//! Whatever an application does and a server sends, the client keeps the standard and its promises.

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::BytesMut;
use mqtt_core::{
    AckToken, Acknowledge, Instant, KeepAlive, Message, Output, Progress, ProtocolVersion, QoS,
    ReasonCode, ReceiveMaximum, Role, SessionExpiry, SessionLost, SubscribeOptions, TopicFilter,
    TopicName,
    client::{Client, ConnectOptions, Event, Limits, RequestId},
};

use crate::{outcomes::Outcomes, peer_packet, watch::Watch};

const MAX_QUEUED: usize = 6;
const MAX_QUEUED_BYTES: usize = 4_000;
const MAX_EVENTS: usize = 4;

#[derive(Debug, Arbitrary)]
enum Op {
    Connect {
        clean_start: bool,
        client_id: bool,
    },
    Publish {
        qos: u8,
        topic: u8,
        retain: bool,
        size: u8,
    },
    Expiring {
        qos: u8,
        seconds: u8,
    },
    Subscribe {
        filter: u8,
        qos: u8,
    },
    Unsubscribe {
        filter: u8,
    },
    Acknowledge {
        choice: u8,
        reason: u8,
    },
    Cancel {
        choice: u8,
    },
    DiscardOldest,
    Disconnect {
        reason: u8,
    },
    /// The server sends a packet; `peer_packet` makes it of the bytes that follow.
    Receive,
    /// So many bytes of what the server sent arrive; 255 is all.
    Arrive(u8),
    Transmit,
    Drain(u8),
    Close,
    Advance {
        millis: u16,
    },
    WakeUp,
}

/// Drives a client by the operations that `data` makes.
///
/// # Panics
/// If the client breaks the standard, a bound or a promise.
pub fn client_ops(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let version = match input.int_in_range(0..=3)? {
        0 => ProtocolVersion::V3_1,
        1 => ProtocolVersion::V3_1_1,
        _ => ProtocolVersion::V5,
    };
    let mut world = World::new(version, input)?;
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
    keep_alive: u16,
    client: Client,
    now: Instant,
    /// On its way to the client.
    wire: Vec<u8>,
    input: BytesMut,
    output: Output,
    watch: Watch,
    /// A connection was begun, and its end was not reported.
    is_begun: bool,
    is_connected: bool,
    outcomes: Outcomes,
    requests: BTreeSet<RequestId>,
    tokens: Vec<AckToken>,
    /// Messages of QoS 2 that the application got.
    received_once: usize,
}

impl World {
    fn new(version: ProtocolVersion, input: &mut Unstructured<'_>) -> Result<Self> {
        let mut limits = Limits::default();
        limits.max_queued = MAX_QUEUED;
        limits.max_queued_bytes = MAX_QUEUED_BYTES;
        limits.max_events = MAX_EVENTS;
        limits.max_requests = 2;
        limits.receive_maximum = ReceiveMaximum::new(3).expect("it is not zero");
        limits.topic_alias_maximum = 2;
        limits.outgoing_topic_aliases = input.int_in_range(0..=3)?;
        if input.arbitrary()? {
            limits.acknowledge = Acknowledge::Manual;
        }
        if input.arbitrary()? {
            limits.on_session_lost = SessionLost::Drop;
        }
        Ok(Self {
            version,
            keep_alive: input.int_in_range(0..=5)?,
            client: Client::new(limits),
            now: Instant::from_millis(0),
            wire: Vec::new(),
            input: BytesMut::new(),
            output: Output::new(),
            watch: Watch::new(Role::Client),
            is_begun: false,
            is_connected: false,
            outcomes: Outcomes::default(),
            requests: BTreeSet::new(),
            tokens: Vec::new(),
            received_once: 0,
        })
    }

    fn apply(&mut self, op: &Op, input: &mut Unstructured<'_>) -> Result<()> {
        match *op {
            Op::Connect {
                clean_start,
                client_id,
            } => self.connect(clean_start, client_id),
            Op::Publish {
                qos,
                topic,
                retain,
                size,
            } => {
                let payload = vec![b'x'; usize::from(size) * 8];
                let message = Message::new(topic_name(topic), payload).with_retain(retain);
                self.publish(message.with_qos(to_qos(qos)));
            }
            Op::Expiring { qos, seconds } => {
                let expiry = mqtt_core::Property::MessageExpiryInterval(seconds.into());
                let message = Message::new(topic_name(0), "x").with_properties(&[expiry]);
                self.publish(message.expect("it may expire").with_qos(to_qos(qos)));
            }
            Op::Subscribe { filter, qos } => {
                let options = SubscribeOptions::from(to_qos(qos));
                let filters = vec![(topic_filter(filter), options); usize::from(filter % 3)];
                let request = self.client.subscribe(&filters, &[]);
                self.requests.extend(request.ok());
            }
            Op::Unsubscribe { filter } => {
                let request = self.client.unsubscribe(&[topic_filter(filter)], &[]);
                self.requests.extend(request.ok());
            }
            Op::Acknowledge { choice, reason } => {
                if let Some(token) = pick(&self.tokens, choice) {
                    let _ = self.client.acknowledge(*token, ReasonCode::new(reason));
                }
            }
            Op::Cancel { choice } => {
                if let Some(id) = self.outcomes.pick(choice)
                    && self.client.cancel(id)
                {
                    self.outcomes.expect_open(id);
                }
            }
            Op::DiscardOldest => {
                if let Some(id) = self.client.discard_oldest() {
                    self.outcomes.expect_open(id);
                }
            }
            Op::Disconnect { reason } => {
                let _ = self.client.disconnect(self.now, ReasonCode::new(reason));
            }
            Op::Receive => peer_packet::append(self.version, Role::Server, input, &mut self.wire)?,
            Op::Arrive(count) => self.arrive(count),
            Op::Transmit => self.transmit(),
            Op::Drain(count) => self.drain(count.into()),
            Op::Close => self.client.handle_close(self.now),
            Op::Advance { millis } => self.advance(self.now + Duration::from_millis(millis.into())),
            Op::WakeUp => {
                if let Some(due) = self.client.poll_timeout() {
                    self.advance(due.max(self.now));
                }
            }
        }
        Ok(())
    }

    fn connect(&mut self, clean_start: bool, client_id: bool) {
        let mut options = ConnectOptions::new(if client_id { "c" } else { "" });
        options.version = self.version;
        options.clean_start = clean_start;
        options.keep_alive = KeepAlive::from_secs(self.keep_alive);
        if self.version.is_v5() {
            options.session_expiry = SessionExpiry::NEVER;
        }
        let another = client_id && self.client.session().client_id() != options.client_id;
        if self.client.connect(self.now, &options).is_err() {
            return;
        }
        if clean_start || another {
            self.watch.forget_session();
        }
        // The end of the connection before is reported first.
        self.drain(usize::MAX);
        assert!(!self.is_begun, "a connection that never ended");
        self.is_begun = true;
        self.wire.clear();
        self.input.clear();
        self.output.clear();
        self.watch.connect(Some(self.version));
    }

    fn publish(&mut self, message: Message) {
        let qos = message.qos();
        if let Ok(id) = self.client.publish(self.now, message) {
            self.outcomes.publish(id, qos);
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
        let was_closed = self.client.is_closed();
        let progress = self.client.handle_input(self.now, &mut self.input);
        // What comes after the end is thrown away.
        if !was_closed {
            let taken = &before[..before.len() - self.input.len()];
            self.watch.taken(taken, self.client.is_closed());
        }
        if self.client.is_closed() {
            assert!(progress == Progress::Done && self.input.is_empty());
        }
    }

    fn transmit(&mut self) {
        while self.client.poll_transmit(self.now, &mut self.output) > 0 {
            self.watch.sent(&mut self.output);
        }
    }

    fn advance(&mut self, to: Instant) {
        self.now = to;
        self.client.handle_timeout(self.now);
        let due = self.client.poll_timeout();
        assert!(
            due.is_none_or(|due| due > self.now),
            "a timer that is never done"
        );
    }

    fn drain(&mut self, count: usize) {
        let mut from_input = 0;
        for _ in 0..count {
            let Some(event) = self.client.poll_event() else {
                break;
            };
            from_input += usize::from(matches!(
                event,
                Event::Message { .. } | Event::Subscribed { .. } | Event::Unsubscribed { .. }
            ));
            self.event(event);
        }
        assert!(from_input <= MAX_EVENTS);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected(_) => {
                assert!(self.is_begun && !self.is_connected);
                self.is_connected = true;
            }
            Event::Message { message, token, .. } => {
                assert!(self.is_connected, "a message without a connection");
                self.received_once += usize::from(message.qos() == QoS::ExactlyOnce);
                assert!(
                    self.received_once <= self.watch.exchanges,
                    "QoS 2 came twice"
                );
                self.tokens.extend(token);
            }
            Event::Progress { id, .. } => self.outcomes.progress(id),
            Event::Outcome { id, .. } => self.outcomes.end(id),
            Event::Subscribed { id, .. } | Event::Unsubscribed { id, .. } => {
                assert!(self.is_connected, "an answer without a connection");
                assert!(self.requests.remove(&id), "{id:?} was answered twice");
            }
            Event::Disconnected(_) => {
                assert!(self.is_begun, "the end of nothing");
                self.is_begun = false;
                self.is_connected = false;
            }
            other => panic!("{other:?} is not known here"),
        }
    }

    fn check_bounds(&self) {
        let session = self.client.session();
        assert!(session.queued() + session.in_flight() <= MAX_QUEUED);
        assert!(session.queued_bytes() <= MAX_QUEUED_BYTES);
        assert!(self.client.is_closed() || self.is_begun);
    }

    fn finish(mut self) {
        self.transmit();
        self.client.handle_close(self.now);
        self.drain(usize::MAX);
        assert!(!self.is_begun, "a connection that never ended");
        self.outcomes.finish(self.client.into_session());
    }
}

fn pick<T>(items: &[T], choice: u8) -> Option<&T> {
    items.get(usize::from(choice).checked_rem(items.len())?)
}

fn to_qos(number: u8) -> QoS {
    QoS::from_u8(number % 3).expect("there are three")
}

fn topic_name(number: u8) -> TopicName<'static> {
    let names = ["a", "b", "a/long/topic/name"];
    TopicName::new(names[usize::from(number) % names.len()]).expect("it has no wildcard")
}

fn topic_filter(number: u8) -> TopicFilter<'static> {
    let filters = ["a", "#", "$share/g/a", "+/b"];
    TopicFilter::new(filters[usize::from(number) % filters.len()]).expect("it is one")
}
