//! Random operations on a client and a server that both keep the standard, joined by a transport that breaks: whatever
//! happens, every QoS promise holds.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use mqtt_core::{
    AckToken, Acknowledge, Decoder, Delivery, Instant, Outcome, Output, Packet, Progress,
    PublishId, QoS, ReasonCode, ReceiveMaximum, Role, SessionLost,
    client::{Client, DisconnectCause, Event, Limits, ProtocolError, State},
};
use proptest::prelude::*;

use crate::support::{message, options_v5};

/// Messages that may be unfinished at once in these tests.
const MAX_QUEUED: usize = 12;

#[derive(Clone, Debug)]
enum Op {
    /// The application publishes.
    Publish(QoS),
    /// The server publishes.
    ServerPublish(QoS),
    /// So many bytes travel to the server.
    ToServer(usize),
    /// So many bytes travel to the client.
    ToClient(usize),
    /// The application takes so many events.
    Drain(usize),
    /// The application acknowledges one of the messages it has.
    Ack(usize),
    /// The server repeats its last answer.
    Duplicate,
    /// The transport breaks, after so many more bytes reached the server.
    Cut(usize),
    /// A new connection; the server may have lost the session.
    Connect { lose_session: bool },
    /// Time passes.
    Advance(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let qos = prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ];
    prop_oneof![
        6 => qos.clone().prop_map(Op::Publish),
        4 => qos.prop_map(Op::ServerPublish),
        8 => (0..200_usize).prop_map(Op::ToServer),
        8 => (0..100_usize).prop_map(Op::ToClient),
        4 => (0..6_usize).prop_map(Op::Drain),
        4 => (0..8_usize).prop_map(Op::Ack),
        1 => Just(Op::Duplicate),
        2 => (0..60_usize).prop_map(Op::Cut),
        4 => prop::bool::weighted(0.15).prop_map(|lose_session| Op::Connect { lose_session }),
        2 => (0..5_000_u64).prop_map(Op::Advance),
    ]
}

/// A server that keeps the standard.
#[derive(Default)]
struct Server {
    inbox: BytesMut,
    decoder: Option<Decoder>,
    outbox: VecDeque<u8>,
    last_answer: Vec<u8>,
    has_session: bool,
    lose_session: bool,
    /// Sessions lost so far, and whether anything was in one of them.
    losses: usize,
    held: BTreeSet<u16>,
    got: Vec<(u32, QoS)>,
    /// Its own messages: identifier, number, QoS, and whether PUBREC came.
    unacked: Vec<(u16, u32, QoS, bool)>,
    next_id: u16,
    published: Vec<(u32, QoS)>,
    receive_maximum: u16,
    /// PUBLISH packets of QoS 1 and 2 that came on this connection.
    came: usize,
}

impl Server {
    fn refuses(number: u32) -> bool {
        number % 7 == 3
    }

    fn answer(&mut self, bytes: &[u8]) {
        self.outbox.extend(bytes);
        self.last_answer = bytes.to_vec();
    }

    fn ack(&mut self, first: u8, id: u16, reason: u8) {
        let [high, low] = id.to_be_bytes();
        self.answer(&[first, 3, high, low, reason]);
    }

    fn publish(&mut self, number: u32, qos: QoS, limit: usize) {
        if self.decoder.is_none() || self.unacked.len() >= limit {
            return;
        }
        let mut id = 0;
        if qos != QoS::AtMostOnce {
            self.next_id = self.next_id % 9 + 1;
            if self.unacked.iter().any(|unacked| unacked.0 == self.next_id) {
                return;
            }
            id = self.next_id;
            self.unacked.push((id, number, qos, false));
        }
        self.published.push((number, qos));
        self.send(id, number, qos, false);
    }

    fn send(&mut self, id: u16, number: u32, qos: QoS, dup: bool) {
        let payload = number.to_string();
        let mut body = vec![0, 1, b'b'];
        if qos != QoS::AtMostOnce {
            body.extend(id.to_be_bytes());
        }
        body.push(0);
        body.extend(payload.as_bytes());
        self.outbox
            .push_back(0x30 | u8::from(dup) << 3 | qos.as_u8() << 1);
        self.outbox.push_back(u8::try_from(body.len()).unwrap());
        self.outbox.extend(body);
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        loop {
            let inbox = self.inbox.clone();
            let mut decoder = self.decoder.unwrap_or(Decoder::new(None, Role::Client));
            let Some((packet, len)) = decoder.next(&inbox).expect("what a client may send") else {
                return;
            };
            self.handle(&packet, decoder);
            self.inbox.advance(len);
        }
    }

    fn handle(&mut self, packet: &Packet<'_>, decoder: Decoder) {
        match packet {
            Packet::Connect(connect) => self.accept(decoder, connect.clean_start),
            Packet::Publish(publish) => {
                let number: u32 = std::str::from_utf8(publish.payload)
                    .unwrap()
                    .parse()
                    .unwrap();
                self.handle_publish(number, publish.delivery);
            }
            Packet::Pubrel(ack) => {
                let id = ack.packet_id.get();
                let reason = if self.held.remove(&id) { 0 } else { 0x92 };
                self.ack(0x70, id, reason);
            }
            Packet::Puback(ack) => {
                let id = ack.packet_id.get();
                assert!(
                    self.unacked
                        .iter()
                        .any(|it| it.0 == id && it.2 == QoS::AtLeastOnce),
                    "PUBACK of nothing"
                );
                self.unacked.retain(|it| it.0 != id);
            }
            Packet::Pubrec(ack) => {
                let id = ack.packet_id.get();
                let it = self
                    .unacked
                    .iter_mut()
                    .find(|it| it.0 == id)
                    .expect("PUBREC of nothing");
                it.3 = true;
                self.ack(0x62, id, 0);
            }
            Packet::Pubcomp(ack) => {
                let id = ack.packet_id.get();
                self.unacked.retain(|it| it.0 != id || !it.3);
            }
            Packet::Pingreq => self.answer(&[0xD0, 0]),
            other => panic!("{other:?}"),
        }
    }

    fn accept(&mut self, decoder: Decoder, clean_start: bool) {
        self.decoder = Some(decoder);
        self.came = 0;
        if self.lose_session || clean_start || !self.has_session {
            self.losses += usize::from(self.has_session);
            self.held.clear();
            self.unacked.clear();
            self.has_session = false;
        }
        let [high, low] = self.receive_maximum.to_be_bytes();
        self.outbox
            .extend([0x20, 6, u8::from(self.has_session), 0, 3, 0x21, high, low]);
        self.has_session = true;
        self.lose_session = false;
        for (id, number, qos, released) in self.unacked.clone() {
            if released {
                self.ack(0x62, id, 0);
            } else {
                self.send(id, number, qos, true);
            }
        }
    }

    fn handle_publish(&mut self, number: u32, delivery: Delivery) {
        let refused = Self::refuses(number);
        let reason = if refused { 0x97 } else { 0 };
        match delivery {
            Delivery::AtMostOnce => self.got.push((number, QoS::AtMostOnce)),
            Delivery::AtLeastOnce(id) => {
                self.came += 1;
                if !refused {
                    self.got.push((number, QoS::AtLeastOnce));
                }
                self.ack(0x40, id.get(), reason);
            }
            Delivery::ExactlyOnce(id) => {
                self.came += 1;
                let id = id.get();
                if !refused && self.held.insert(id) {
                    self.got.push((number, QoS::ExactlyOnce));
                }
                self.ack(0x50, id, reason);
            }
        }
    }
}

struct World {
    client: Client,
    server: Server,
    output: Output,
    input: BytesMut,
    now: Instant,
    manual: bool,
    next_number: u32,
    published: BTreeMap<PublishId, (u32, QoS)>,
    outcomes: BTreeMap<PublishId, Outcome>,
    received: Vec<(u32, QoS)>,
    tokens: Vec<AckToken>,
    /// PUBLISH packets of QoS 1 and 2 sent, and acknowledged, on this connection.
    window: usize,
    /// The server has a session from an attempt whose CONNACK was lost.
    clean_start: bool,
}

impl World {
    fn new(manual: bool, republish: bool, receive_maximum: u16) -> Self {
        let mut limits = Limits::default();
        limits.max_queued = MAX_QUEUED;
        limits.max_queued_bytes = 1 << 20;
        limits.max_events = 4;
        limits.receive_maximum = ReceiveMaximum::new(4).unwrap();
        limits.acknowledge = if manual {
            Acknowledge::Manual
        } else {
            Acknowledge::Automatic
        };
        limits.on_session_lost = if republish {
            SessionLost::Republish
        } else {
            SessionLost::Drop
        };
        Self {
            client: Client::new(limits),
            server: Server {
                receive_maximum,
                ..Server::default()
            },
            output: Output::new(),
            input: BytesMut::new(),
            now: Instant::from_millis(0),
            manual,
            next_number: 0,
            published: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            received: Vec::new(),
            tokens: Vec::new(),
            window: 0,
            clean_start: false,
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Publish(qos) => {
                let number = self.next_number;
                if let Ok(id) = self
                    .client
                    .publish(self.now, message(qos, &number.to_string()))
                {
                    self.published.insert(id, (number, qos));
                    self.next_number += 1;
                }
            }
            Op::ServerPublish(qos) => {
                let number = u32::try_from(self.server.published.len()).unwrap();
                self.server.publish(number, qos, 4);
            }
            Op::ToServer(bytes) => self.carry_to_server(bytes),
            Op::ToClient(bytes) => self.carry_to_client(bytes),
            Op::Drain(events) => self.drain(events),
            Op::Ack(index) => self.acknowledge(index),
            Op::Duplicate => {
                // Of an acknowledgement that was not sent on this connection there is nothing to repeat. A PUBACK whose
                // identifier was given out anew would be an acknowledgement, so only what opens no such door is repeated.
                if self.server.decoder.is_some()
                    && matches!(self.server.last_answer.first(), Some(0x62 | 0xD0))
                {
                    let answer = self.server.last_answer.clone();
                    self.server.outbox.extend(answer);
                }
            }
            Op::Cut(bytes) => self.cut(bytes),
            Op::Connect { lose_session } => self.connect(lose_session),
            Op::Advance(millis) => {
                self.now += Duration::from_millis(millis);
                self.client.handle_timeout(self.now);
            }
        }
        self.check_bounds();
    }

    fn check_bounds(&self) {
        assert!(self.client.queued() + self.client.in_flight() <= MAX_QUEUED);
        assert!(
            self.window <= usize::from(self.server.receive_maximum),
            "the quota was exceeded"
        );
        assert!(self.client.session().held_packet_ids() <= 9);
    }

    fn connect(&mut self, lose_session: bool) {
        if !self.client.is_closed() {
            return;
        }
        self.output.clear();
        self.input.clear();
        self.server.inbox.clear();
        self.server.outbox.clear();
        self.server.last_answer.clear();
        self.server.decoder = None;
        self.server.lose_session = lose_session;
        self.window = 0;
        let mut options = options_v5();
        options.keep_alive = mqtt_core::KeepAlive::from_secs(600);
        options.connect_timeout = Duration::from_secs(1_000_000);
        options.clean_start = self.clean_start;
        self.client.connect(self.now, &options).unwrap();
    }

    fn cut(&mut self, bytes: usize) {
        self.carry_to_server(bytes);
        self.client.handle_close(self.now);
        self.server.decoder = None;
        self.output.clear();
        self.server.inbox.clear();
        self.server.outbox.clear();
        self.window = 0;
    }

    fn carry_to_server(&mut self, bytes: usize) {
        self.client.poll_transmit(self.now, &mut self.output);
        let bytes = bytes.min(self.output.remaining());
        let taken = self.output.copy_to_bytes(bytes);
        if self.client.state() == State::Idle || self.client.state() == State::Closed {
            return;
        }
        let before = self.server.came;
        self.server.receive(&taken);
        // A CONNECT begins to count anew.
        self.window += self.server.came.saturating_sub(before);
    }

    fn carry_to_client(&mut self, bytes: usize) {
        let bytes = bytes.min(self.server.outbox.len());
        let chunk: Vec<u8> = self.server.outbox.drain(..bytes).collect();
        self.input.extend_from_slice(&chunk);
        loop {
            let before = self.input.clone();
            let progress = self.client.handle_input(self.now, &mut self.input);
            self.count_window(&before[..before.len() - self.input.len()]);
            match progress {
                Progress::Done => break,
                Progress::Blocked => self.drain(usize::MAX),
                Progress::Congested => panic!("the answers are few"),
            }
        }
        assert!(!self.client.is_closed() || self.input.is_empty());
    }

    /// What the client took ends exchanges.
    fn count_window(&mut self, mut taken: &[u8]) {
        let mut decoder = Decoder::new(Some(mqtt_core::ProtocolVersion::V5), Role::Server);
        while let Ok(Some((packet, len))) = decoder.next(taken) {
            match packet {
                Packet::Puback(_) | Packet::Pubcomp(_) => {
                    self.window = self.window.saturating_sub(1)
                }
                Packet::Pubrec(ack) if ack.reason.is_error() => {
                    self.window = self.window.saturating_sub(1)
                }
                _ => {}
            }
            taken = &taken[len..];
        }
    }

    fn drain(&mut self, events: usize) {
        for _ in 0..events {
            let Some(event) = self.client.poll_event() else {
                return;
            };
            match event {
                Event::Outcome { id, outcome } => {
                    assert!(
                        self.outcomes.insert(id, outcome).is_none(),
                        "a second outcome for {id:?}"
                    );
                }
                Event::Message { message, token, .. } => {
                    let number = std::str::from_utf8(message.payload())
                        .unwrap()
                        .parse()
                        .unwrap();
                    self.received.push((number, message.qos()));
                    assert_eq!(
                        token.is_some(),
                        self.manual && message.qos() != QoS::AtMostOnce
                    );
                    self.tokens.extend(token);
                }
                Event::Disconnected(DisconnectCause::Closed) => {}
                Event::Disconnected(DisconnectCause::Protocol(ProtocolError::SessionPresent)) => {
                    self.clean_start = true;
                }
                Event::Connected(_) => self.clean_start = false,
                Event::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn acknowledge(&mut self, index: usize) {
        if self.tokens.is_empty() {
            return;
        }
        let token = self.tokens.remove(index % self.tokens.len());
        // One of an old connection is stale, and that is all.
        let _ = self.client.acknowledge(token, ReasonCode::SUCCESS);
    }

    /// The transport holds from now on, and everything comes to its end.
    fn finish(&mut self) {
        for _ in 0..200 {
            self.connect(false);
            self.carry_to_server(usize::MAX);
            self.carry_to_client(usize::MAX);
            self.drain(usize::MAX);
            while !self.tokens.is_empty() {
                self.acknowledge(0);
            }
            self.check_bounds();
            let client = self.client.queued() + self.client.in_flight();
            if client == 0
                && self.server.unacked.is_empty()
                && self.server.outbox.is_empty()
                && self.output.is_empty()
            {
                return;
            }
        }
        panic!("it never ends");
    }

    fn check(&self, republish: bool) {
        let no_losses = self.server.losses == 0;
        assert_eq!(
            self.published.len(),
            self.outcomes.len(),
            "one outcome for each publish"
        );
        for (id, (number, qos)) in &self.published {
            let times = self
                .server
                .got
                .iter()
                .filter(|got| got.0 == *number)
                .count();
            match (&self.outcomes[id], qos) {
                (Outcome::Sent, QoS::AtMostOnce) => assert!(times <= 1),
                (Outcome::Acknowledged { reason, .. }, QoS::AtLeastOnce)
                    if *reason == ReasonCode::SUCCESS =>
                {
                    assert!(times >= 1, "{number} is lost");
                }
                (Outcome::Acknowledged { reason, .. }, QoS::ExactlyOnce)
                    if *reason == ReasonCode::SUCCESS =>
                {
                    assert!(times >= 1, "{number} is lost");
                    assert!(times == 1 || !no_losses, "{number} came {times} times");
                }
                (Outcome::Acknowledged { reason, .. }, _) => {
                    assert_eq!(*reason, ReasonCode::QUOTA_EXCEEDED);
                    assert!(Server::refuses(*number) && times == 0);
                }
                (Outcome::Dropped(_), _) => assert!(!no_losses && !republish),
                (outcome, _) => panic!("{outcome:?} for {number}"),
            }
        }
        check_order(&self.server.got);
        check_order(&self.received);
        for (number, qos) in &self.server.published {
            let times = self
                .received
                .iter()
                .filter(|received| received.0 == *number)
                .count();
            match qos {
                QoS::AtMostOnce => assert!(times <= 1),
                QoS::AtLeastOnce => assert!(times >= 1 || !no_losses, "{number} is lost"),
                QoS::ExactlyOnce => {
                    assert!(times <= 1, "{number} came {times} times");
                    assert!(times == 1 || !no_losses, "{number} is lost");
                }
            }
        }
        // A server that loses a session, and whose CONNACK that says so is lost too, is taken for one that kept it: the
        // client goes on holding what nobody will release. The standard has no way to tell.
        if no_losses {
            assert_eq!(self.client.session().held_packet_ids(), 0);
        }
    }
}

/// The first arrivals are in the order of sending.
#[track_caller]
fn check_order(arrivals: &[(u32, QoS)]) {
    let mut seen = BTreeSet::new();
    let first: Vec<u32> = arrivals
        .iter()
        .map(|it| it.0)
        .filter(|number| seen.insert(*number))
        .collect();
    assert!(first.is_sorted(), "{first:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_promise_holds(
        ops in prop::collection::vec(op(), 1..250),
        manual in any::<bool>(),
        republish in any::<bool>(),
        receive_maximum in 1..5_u16,
    ) {
        let mut world = World::new(manual, republish, receive_maximum);
        world.connect(false);
        for op in &ops {
            world.apply(op);
        }
        world.finish();
        world.check(republish);
    }
}
