//! A server that keeps no rule, and an application that calls whatever it likes: nothing panics, nothing grows past its
//! bound, and no publish ends twice.

use std::{collections::BTreeSet, time::Duration};

use bytes::{Buf, BytesMut};
use mqtt_core::{
    AckToken, Acknowledge, Instant, Output, Progress, ProtocolVersion, PublishId, QoS, ReasonCode,
    TopicFilter,
    client::{Client, ConnectOptions, Event, Limits, State},
};
use proptest::prelude::*;

use crate::support::message;

const MAX_QUEUED: usize = 8;
const MAX_EVENTS: usize = 4;

#[derive(Clone, Debug)]
enum Op {
    Connect,
    Connack(u8),
    /// A packet of this first byte with an identifier and this rest.
    Packet(u8, u16, Vec<u8>),
    /// PUBLISH of this QoS with an identifier and perhaps DUP.
    Publish(u8, u16, bool),
    Garbage(Vec<u8>),
    Call(u8, u8),
    Drain(usize),
    Written(usize),
    Advance(u64),
    Cut,
}

fn op() -> impl Strategy<Value = Op> {
    let first = prop_oneof![
        Just(0x40_u8),
        Just(0x50),
        Just(0x62),
        Just(0x70),
        Just(0x90),
        Just(0xB0),
        Just(0xD0),
        Just(0xE0),
        Just(0xF0)
    ];
    let rest = prop_oneof![
        Just(vec![]),
        Just(vec![0]),
        Just(vec![0, 0]),
        Just(vec![0x92]),
        Just(vec![0x10]),
        prop::collection::vec(any::<u8>(), 0..4)
    ];
    prop_oneof![
        2 => Just(Op::Connect),
        4 => prop_oneof![8 => Just(0_u8), 2 => Just(1), 1 => any::<u8>()].prop_map(Op::Connack),
        10 => (first, 0..6_u16, rest).prop_map(|(first, id, rest)| Op::Packet(first, id, rest)),
        8 => (0..3_u8, 1..6_u16, any::<bool>()).prop_map(|(qos, id, dup)| Op::Publish(qos, id, dup)),
        1 => prop::collection::vec(any::<u8>(), 0..8).prop_map(Op::Garbage),
        10 => (any::<u8>(), any::<u8>()).prop_map(|(what, how)| Op::Call(what, how)),
        4 => (0..6_usize).prop_map(Op::Drain),
        6 => (0..200_usize).prop_map(Op::Written),
        2 => (0..20_000_u64).prop_map(Op::Advance),
        1 => Just(Op::Cut),
    ]
}

struct World {
    client: Client,
    version: ProtocolVersion,
    input: BytesMut,
    output: Output,
    now: Instant,
    open: BTreeSet<PublishId>,
    tokens: Vec<AckToken>,
    connections: usize,
    ends: usize,
}

impl World {
    fn new(version: ProtocolVersion, manual: bool) -> Self {
        let mut limits = Limits::default();
        limits.max_queued = MAX_QUEUED;
        limits.max_queued_bytes = 4_096;
        limits.max_events = MAX_EVENTS;
        limits.max_requests = 3;
        limits.acknowledge = if manual {
            Acknowledge::Manual
        } else {
            Acknowledge::Automatic
        };
        Self {
            client: Client::new(limits),
            version,
            input: BytesMut::new(),
            output: Output::new(),
            now: Instant::from_millis(0),
            open: BTreeSet::new(),
            tokens: Vec::new(),
            connections: 0,
            ends: 0,
        }
    }

    fn connect(&mut self) {
        let mut options = ConnectOptions::new("c");
        options.version = self.version;
        options.clean_start = self.connections.is_multiple_of(5);
        if self.version == ProtocolVersion::V5 {
            options.session_expiry = mqtt_core::SessionExpiry::from_secs(60);
        }
        if self.client.connect(self.now, &options).is_ok() {
            self.connections += 1;
            self.input.clear();
            self.output.clear();
        }
    }

    fn offer(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let before = self.input.len();
        match self.client.handle_input(self.now, &mut self.input) {
            Progress::Done => {}
            // It must say so only when it is true.
            Progress::Blocked => assert!(self.input.len() <= before && !self.input.is_empty()),
            Progress::Congested => {
                assert_eq!(
                    self.client.state(),
                    State::Connecting,
                    "the answers are few"
                );
            }
        }
    }

    fn apply(&mut self, op: &Op) {
        let is_v5 = self.version == ProtocolVersion::V5;
        match op {
            Op::Connect => self.connect(),
            Op::Connack(flags) if is_v5 => self.offer(&[0x20, 6, *flags, 0, 3, 0x21, 0, 2]),
            Op::Connack(flags) => self.offer(&[0x20, 2, *flags, 0]),
            Op::Packet(first, id, rest) => {
                let mut packet = vec![*first, u8::try_from(rest.len() + 2).unwrap()];
                packet.extend(id.to_be_bytes());
                packet.extend(rest);
                self.offer(&packet);
            }
            Op::Publish(qos, id, dup) => {
                let mut body = vec![0, 1, b'b'];
                if *qos > 0 {
                    body.extend(id.to_be_bytes());
                }
                if is_v5 {
                    body.push(0);
                }
                let first = 0x30 | qos << 1 | u8::from(*dup && *qos > 0) << 3;
                let packet = [&[first, u8::try_from(body.len()).unwrap()], &body[..]].concat();
                self.offer(&packet);
            }
            Op::Garbage(bytes) => self.offer(bytes),
            Op::Call(what, how) => self.call(*what, *how),
            Op::Drain(events) => self.drain(*events),
            Op::Written(bytes) => {
                self.client.poll_transmit(self.now, &mut self.output);
                self.output.advance((*bytes).min(self.output.remaining()));
            }
            Op::Advance(millis) => {
                self.now += Duration::from_millis(*millis);
                self.client.handle_timeout(self.now);
                assert!(
                    self.client.poll_timeout().is_none_or(|due| due > self.now),
                    "a deadline that stays due"
                );
            }
            Op::Cut => self.client.handle_close(self.now),
        }
        self.check();
    }

    fn call(&mut self, what: u8, how: u8) {
        let qos = QoS::from_u8(how % 3).unwrap();
        let filter = TopicFilter::new("f/#").unwrap();
        match what % 12 {
            0..=3 => {
                let message = message(qos, &"p".repeat(usize::from(how)));
                if let Ok(id) = self.client.publish(self.now, message) {
                    assert!(self.open.insert(id), "an id given twice");
                }
            }
            4 => drop(self.client.subscribe(&[(filter, qos.into())], &[])),
            5 => drop(self.client.unsubscribe(&[filter, filter], &[])),
            6 | 7 => {
                if !self.tokens.is_empty() {
                    // Tokens are kept, so that they are given more than once and out of their time.
                    let token = self.tokens[usize::from(how) % self.tokens.len()];
                    let _ = self
                        .client
                        .acknowledge(token, ReasonCode::new(if how < 200 { 0 } else { how }));
                }
            }
            8 => drop(self.client.discard_oldest()),
            9 => {
                if let Some(id) = self.open.iter().nth(usize::from(how) % 4).copied() {
                    self.client.cancel(id);
                }
            }
            10 if how.is_multiple_of(8) => self.disconnect(how / 8),
            10 => {}
            _ if how.is_multiple_of(2) => self.client.pause(self.now),
            _ => self.client.resume(self.now),
        }
    }

    fn disconnect(&mut self, reason: u8) {
        let _ = self.client.disconnect(self.now, ReasonCode::new(reason));
    }

    fn drain(&mut self, events: usize) {
        for _ in 0..events {
            match self.client.poll_event() {
                None => return,
                Some(Event::Outcome { id, .. }) => {
                    assert!(self.open.remove(&id), "a second outcome for {id:?}")
                }
                Some(Event::Message {
                    token: Some(token), ..
                }) => self.tokens.push(token),
                Some(Event::Disconnected(_)) => self.ends += 1,
                Some(Event::Progress { id, .. }) => {
                    assert!(self.open.contains(&id), "progress after the end")
                }
                Some(_) => {}
            }
        }
    }

    fn check(&self) {
        let session = self.client.session();
        assert!(session.queued() + session.in_flight() <= MAX_QUEUED);
        assert!(session.queued_bytes() <= 4_096);
        assert!(self.client.is_closed() || self.client.state() != State::Closed);
        assert!(self.ends <= self.connections);
    }

    fn finish(&mut self) {
        self.client.handle_close(self.now);
        self.drain(usize::MAX);
        assert_eq!(self.ends, self.connections, "one end for each connection");
        // What is unfinished is in the session, and nowhere else.
        let session = self.client.session();
        assert_eq!(self.open.len(), session.queued() + session.in_flight());
        assert_eq!(self.client.clone(), self.client);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_everything_is_bounded(
        ops in prop::collection::vec(op(), 1..200),
        version in prop_oneof![Just(ProtocolVersion::V3_1), Just(ProtocolVersion::V3_1_1), Just(ProtocolVersion::V5)],
        manual in any::<bool>(),
    ) {
        let mut world = World::new(version, manual);
        world.connect();
        world.apply(&Op::Written(200));
        world.apply(&Op::Connack(0));
        for op in &ops {
            world.apply(op);
        }
        world.finish();
    }
}
