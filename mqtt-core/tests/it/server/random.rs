//! Whatever a client sends and an owner calls: no panic, one end, bounded queues, and nothing but valid packets out.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_core::{
    AckToken, Acknowledge, Decoder, Instant, Message, Output, Packet, ProtocolVersion, QoS,
    ReasonCode, ReceiveMaximum, Role, Session, SessionBounds, TopicName,
    server::{Accept, Event, Server, ServerLimits, SubscribeRequest, UnsubscribeRequest},
};
use proptest::prelude::*;

use super::support::hex;

const MAX_EVENTS: usize = 4;
const BOUNDS: SessionBounds = SessionBounds {
    max_messages: 6,
    max_bytes: 10_000,
};

#[derive(Clone, Debug)]
enum Step {
    Input(Vec<u8>),
    /// So many bytes of a packet that is never finished.
    Flood(usize),
    Accept {
        session_present: bool,
    },
    Refuse(u8),
    Publish(QoS),
    Acknowledge {
        choice: usize,
        reason: u8,
    },
    Complete {
        choice: usize,
        reason: u8,
    },
    Disconnect(u8),
    Transmit,
    Drain,
    Close,
    Advance(u64),
}

/// Packets of all three versions, most of them valid.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let packets = [
        "10 0E 00 04 'MQTT' 05 02 00 0A 00 00 01 'a'",
        "10 16 00 04 'MQTT' 05 00 00 0A 08 27 00 00 00 14 21 00 02 00 01 'a'",
        "10 0D 00 04 'MQTT' 04 00 00 0A 00 01 'a'",
        "10 0F 00 06 'MQIsdp' 03 02 00 0A 00 01 'a'",
        "30 05 00 01 'a' 00 'x'",
        "30 04 00 01 'a' 'x'",
        "32 07 00 01 'a' 00 01 00 'x'",
        "3C 07 00 01 'a' 00 02 00 'x'",
        "34 06 00 01 'a' 00 03 'x'",
        "30 08 00 01 'a' 03 23 00 01 'x'",
        "30 07 00 00 03 23 00 01 'x'",
        "40 02 00 01",
        "40 03 00 02 97",
        "50 02 00 01",
        "50 03 00 02 80",
        "62 02 00 01",
        "62 02 00 02",
        "70 02 00 01",
        "82 07 00 01 00 00 01 'a' 01",
        "82 06 00 02 00 01 '#' 02",
        "A2 06 00 03 00 00 01 'a'",
        "A2 05 00 04 00 01 'a'",
        "C0 00",
        "E0 00",
        "E0 01 04",
        "E0 07 00 05 11 00 00 00 09",
        "F0 06 18 04 15 00 01 'X'",
    ];
    prop::sample::select(packets.map(hex).to_vec())
}

/// A packet, whole, cut short, or with one byte changed; or nothing but noise.
fn input() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => packet(),
        1 => (packet(), any::<prop::sample::Index>()).prop_map(|(mut packet, at)| {
            packet.truncate(at.index(packet.len()));
            packet
        }),
        1 => (packet(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut packet, at, byte)| {
            let at = at.index(packet.len());
            packet[at] = byte;
            packet
        }),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let qos = prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ];
    let reason = prop_oneof![Just(0_u8), Just(0x80), Just(0x87), Just(0x97), any::<u8>()];
    prop_oneof![
        10 => input().prop_map(Step::Input),
        1 => (1..5_000_usize).prop_map(Step::Flood),
        6 => any::<bool>().prop_map(|session_present| Step::Accept { session_present }),
        1 => reason.clone().prop_map(Step::Refuse),
        3 => qos.prop_map(Step::Publish),
        3 => (any::<usize>(), reason.clone()).prop_map(|(choice, reason)| Step::Acknowledge { choice, reason }),
        3 => (any::<usize>(), reason.clone()).prop_map(|(choice, reason)| Step::Complete { choice, reason }),
        1 => reason.prop_map(Step::Disconnect),
        4 => Just(Step::Transmit),
        6 => Just(Step::Drain),
        1 => Just(Step::Close),
        1 => (0..9_000_u64).prop_map(Step::Advance),
    ]
}

struct Run {
    server: Server,
    now: Instant,
    input: BytesMut,
    output: Output,
    sent: Vec<u8>,
    version: Option<ProtocolVersion>,
    accepted: bool,
    ended: bool,
    tokens: Vec<AckToken>,
    subscribes: Vec<SubscribeRequest>,
    unsubscribes: Vec<UnsubscribeRequest>,
}

impl Run {
    fn new(acknowledge: Acknowledge) -> Self {
        let now = Instant::from_millis(0);
        let limits = ServerLimits {
            acknowledge,
            max_events: MAX_EVENTS,
            ..ServerLimits::default()
        };
        Self {
            server: Server::new(now, limits),
            now,
            input: BytesMut::new(),
            output: Output::new(),
            sent: Vec::new(),
            version: None,
            accepted: false,
            ended: false,
            tokens: Vec::new(),
            subscribes: Vec::new(),
            unsubscribes: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Input(ref bytes) => {
                self.input.extend_from_slice(bytes);
                let progress = self.server.handle_input(self.now, &mut self.input);
                if self.server.is_ended() {
                    assert!(!progress.is_blocked() && self.input.is_empty());
                }
            }
            Step::Flood(count) => {
                self.input.extend_from_slice(&vec![0x80; count]);
                let _ = self.server.handle_input(self.now, &mut self.input);
            }
            Step::Accept { session_present } => {
                let accept = Accept {
                    session_present,
                    receive_maximum: ReceiveMaximum::new(2).unwrap(),
                    ..Accept::default()
                };
                let accepted = self.server.accept(self.now, Session::new(BOUNDS), &accept);
                self.accepted |= accepted.is_ok();
            }
            Step::Refuse(reason) => {
                let _ = self.server.refuse(self.now, ReasonCode::new(reason));
            }
            Step::Publish(qos) => {
                let message = Message::new(TopicName::new("t").unwrap(), "payload").with_qos(qos);
                let _ = self.server.publish(self.now, message);
            }
            Step::Acknowledge { choice, reason } if !self.tokens.is_empty() => {
                let token = self.tokens[choice % self.tokens.len()];
                let _ = self.server.acknowledge(token, ReasonCode::new(reason));
            }
            Step::Complete { choice, reason } => self.complete(choice, ReasonCode::new(reason)),
            Step::Disconnect(reason) => {
                let _ = self.server.disconnect(self.now, ReasonCode::new(reason));
            }
            Step::Transmit => self.transmit(),
            Step::Drain => self.drain(),
            Step::Close => self.server.handle_close(self.now),
            Step::Advance(millis) => {
                self.now += Duration::from_millis(millis);
                self.server.handle_timeout(self.now);
                assert!(self.server.poll_timeout().is_none_or(|due| due > self.now));
            }
            Step::Acknowledge { .. } => {}
        }
        if let Some(session) = self.server.session() {
            assert!(session.queued() + session.in_flight() <= BOUNDS.max_messages);
            assert!(session.queued_bytes() <= BOUNDS.max_bytes);
        }
    }

    fn complete(&mut self, choice: usize, reason: ReasonCode) {
        if !self.subscribes.is_empty() {
            let request = self.subscribes[choice % self.subscribes.len()].clone();
            let _ = self.server.complete_subscribe(&request, &[reason]);
        }
        if !self.unsubscribes.is_empty() {
            let request = self.unsubscribes[choice % self.unsubscribes.len()].clone();
            let _ = self.server.complete_unsubscribe(&request, &[reason]);
        }
    }

    fn transmit(&mut self) {
        while self.server.poll_transmit(self.now, &mut self.output) > 0 {
            while self.output.has_remaining() {
                let chunk = self.output.chunk().to_vec();
                self.output.advance(chunk.len());
                self.sent.extend(chunk);
            }
        }
    }

    fn drain(&mut self) {
        let mut from_input = 0;
        while let Some(event) = self.server.poll_event() {
            assert!(!self.ended, "{event:?} after the end");
            match event {
                Event::Connect(request) => {
                    assert!(
                        self.version.replace(request.version).is_none(),
                        "a second CONNECT"
                    );
                }
                Event::Message { token, .. } => {
                    from_input += 1;
                    self.tokens.extend(token);
                }
                Event::Subscribe(request) => {
                    from_input += 1;
                    self.subscribes.push(request);
                }
                Event::Unsubscribe(request) => {
                    from_input += 1;
                    self.unsubscribes.push(request);
                }
                Event::Disconnected(end) => {
                    self.ended = true;
                    assert!(self.accepted || !end.publish_will);
                }
                _ => {}
            }
        }
        assert!(from_input <= MAX_EVENTS);
    }

    /// Every byte sent belongs to a packet that a client of this version takes, in an order it takes.
    fn check_sent(&self) {
        let version = self.version.unwrap_or(if self.sent.len() == 4 {
            ProtocolVersion::V3_1_1
        } else {
            ProtocolVersion::V5
        });
        let decoder = Decoder::new(Some(version), Role::Server);
        let mut rest = &self.sent[..];
        let mut index = 0;
        while let Some(len) = decoder.frame(rest).unwrap() {
            let packet = decoder.decode(&rest[..len]).unwrap();
            assert_eq!(
                index == 0,
                matches!(packet, Packet::Connack(_)),
                "CONNACK first, and once: {packet:?}"
            );
            rest = &rest[len..];
            let last = matches!(packet, Packet::Disconnect(_))
                || matches!(packet, Packet::Connack(connack) if connack.reason.is_error());
            assert!(!last || rest.is_empty(), "sent after the last word");
            index += 1;
        }
        assert!(rest.is_empty(), "half a packet");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_the_server(
        connect in packet(),
        manual in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut run = Run::new(if manual { Acknowledge::Manual } else { Acknowledge::Automatic });
        // Most runs begin as a connection does.
        if connect[0] == 0x10 {
            run.take(&Step::Input(connect));
            run.take(&Step::Accept { session_present: false });
        }
        for step in &steps {
            run.take(step);
        }
        run.transmit();
        run.take(&Step::Close);
        run.drain();
        prop_assert!(run.ended);
        prop_assert_eq!(run.server.poll_timeout(), None);
        run.check_sent();
        prop_assert_eq!(run.server.into_session().is_some(), run.accepted);
    }
}
