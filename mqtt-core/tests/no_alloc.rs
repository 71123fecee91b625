//! Decoding and encoding allocate nothing, and machines in their steady state no more than the messages they hand out. A
//! test binary of its own, since it replaces the allocator.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are a part of it"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use bytes::{Buf, Bytes, BytesMut};
use mqtt_core::{
    Auth, Connack, Connect, Decoder, Delivery, Disconnect, Encoder, Instant, KeepAlive,
    MaximumPacketSize, Message, Outcome, Output, Packet, PacketId, PacketType, Properties,
    Property, ProtocolVersion, Publish, PublishAck, QoS, ReasonCode, ReasonCodes, Role, Session,
    SessionBounds, SessionExpiry, Suback, Subscribe, SubscribeFilters, SubscribeOptions,
    SubscriptionId, TopicAlias, TopicFilter, TopicName, Unsuback, Unsubscribe, UnsubscribeFilters,
    Utf8, Will,
    client::{Client, ConnectOptions, Event, Limits},
    server::{self, Accept, Server, ServerLimits},
};

struct Counting;

thread_local! {
    // Per thread, so that the test harness does not count.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is passed on to the allocator of the system as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the rules of this function, which are those of the one called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `run` asks the allocator for memory.
fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    run();
    ALLOCATIONS.with(Cell::get) - before
}

/// Calls `run` with one packet of each type that `version` has, each with everything in it that it can have, and with the
/// role that sends it.
fn each_packet(version: ProtocolVersion, mut run: impl FnMut(Role, &Packet<'_>)) {
    let v5 = version == ProtocolVersion::V5;
    let text = |text| Utf8::new(text).unwrap();
    let topic = TopicName::new("devices/0815/temperature").unwrap();
    let list = |list| if v5 { list } else { Properties::EMPTY };
    let user = Property::UserProperty(text("name"), text("value"));
    let request = [
        user,
        Property::SessionExpiryInterval(SessionExpiry::NEVER),
        user,
    ];
    let answer = [Property::ReasonString(text("a reason")), user];
    let message = [
        Property::MessageExpiryInterval(60),
        Property::ContentType(text("text/plain")),
        Property::ResponseTopic(topic),
        Property::CorrelationData(b"0123"),
        Property::TopicAlias(TopicAlias::new(1).unwrap()),
        user,
    ];
    let will = [Property::WillDelayInterval(1), user];
    let method = [Property::AuthenticationMethod(text("m")), user];
    let options = SubscribeOptions {
        no_local: v5,
        ..SubscribeOptions::with_qos(QoS::AtLeastOnce)
    };
    let filters = ["a/+", "b/#", "c"].map(|filter| (TopicFilter::new(filter).unwrap(), options));
    let bare = filters.map(|(filter, _)| filter);
    let reasons = [ReasonCode::SUCCESS; 3];
    let packet_id = PacketId::MIN;
    let ack = PublishAck {
        properties: list(Properties::new(&answer)),
        ..PublishAck::success(packet_id)
    };
    let properties = list(Properties::new(&answer));
    let unsuback_reasons = if v5 {
        ReasonCodes::new(&reasons)
    } else {
        ReasonCodes::EMPTY
    };
    for packet in [
        Packet::Connect(Connect {
            version,
            clean_start: true,
            keep_alive: KeepAlive::from_secs(60),
            client_id: text("client"),
            will: Some(Will {
                topic,
                payload: b"gone",
                qos: QoS::AtLeastOnce,
                retain: true,
                properties: list(Properties::new(&will)),
            }),
            username: Some(text("user")),
            password: Some(b"password"),
            properties: list(Properties::new(&request)),
        }),
        Packet::Connack(Connack {
            session_present: false,
            reason: ReasonCode::SUCCESS,
            properties,
        }),
        Packet::Publish(Publish {
            dup: false,
            retain: false,
            delivery: Delivery::AtLeastOnce(packet_id),
            topic: Some(topic),
            payload: b"21.5",
            properties: list(Properties::new(&message)),
        }),
        Packet::Puback(ack),
        Packet::Pubrec(ack),
        Packet::Pubrel(ack),
        Packet::Pubcomp(ack),
        Packet::Subscribe(Subscribe {
            packet_id,
            filters: SubscribeFilters::new(&filters),
            properties: list(Properties::new(&[user])),
        }),
        Packet::Suback(Suback {
            packet_id,
            reasons: ReasonCodes::new(&reasons),
            properties,
        }),
        Packet::Unsubscribe(Unsubscribe {
            packet_id,
            filters: UnsubscribeFilters::new(&bare),
            properties: list(Properties::new(&[user])),
        }),
        Packet::Unsuback(Unsuback {
            packet_id,
            reasons: unsuback_reasons,
            properties,
        }),
        Packet::Pingreq,
        Packet::Pingresp,
        Packet::Disconnect(Disconnect {
            properties,
            ..Disconnect::NORMAL
        }),
        Packet::Auth(Auth {
            reason: ReasonCode::CONTINUE_AUTHENTICATION,
            properties: Properties::new(&method),
        }),
    ] {
        let sender = if packet.packet_type().may_be_sent_by(Role::Client, version) {
            Role::Client
        } else {
            Role::Server
        };
        if packet.packet_type().may_be_sent_by(sender, version) {
            run(sender, &packet);
        }
    }
}

/// Goes through everything that a packet holds.
fn look_through(packet: &Packet<'_>) -> usize {
    match packet {
        Packet::Publish(publish) => publish.properties.iter().count() + publish.payload.len(),
        Packet::Connect(connect) => {
            connect.properties.user_properties().count() + connect.client_id.len()
        }
        Packet::Subscribe(subscribe) => subscribe
            .filters
            .iter()
            .map(|(filter, _)| filter.as_str().len())
            .sum(),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.iter().count(),
        Packet::Suback(suback) => suback
            .reasons
            .iter()
            .filter(|reason| reason.is_error())
            .count(),
        _ => 0,
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(vec![0_u8; 3])), 1);
}

#[test]
fn encoding_and_decoding_allocate_nothing() {
    for version in ProtocolVersion::ALL {
        let mut types = 0;
        each_packet(version, |sender, packet| {
            let encoder = Encoder::new(version, sender);
            let mut output = Output::new();
            // The first time the output has to grow.
            encoder.encode(packet, &mut output).unwrap();
            output.advance(output.len());
            let encoding = allocations(|| {
                encoder.encode(packet, &mut output).unwrap();
                assert_eq!(encoder.encoded_len(packet), Ok(output.len()));
            });
            assert_eq!(encoding, 0, "{version} {packet:?}");

            let is_connect = packet.packet_type() == PacketType::Connect;
            let mut decoder = Decoder::new((!is_connect).then_some(version), sender);
            decoder.strict_text = true;
            let decoding = allocations(|| {
                let (decoded, len) = decoder.next(output.chunk()).unwrap().unwrap();
                assert_eq!(len, output.len());
                assert_eq!(decoded, *packet);
                std::hint::black_box(look_through(&decoded));
            });
            assert_eq!(decoding, 0, "{version} {packet:?}");
            types += 1;
        });
        assert_eq!(
            types,
            if version == ProtocolVersion::V5 {
                15
            } else {
                14
            }
        );
    }
}

#[test]
fn refusing_allocates_nothing() {
    let decoder = Decoder::new(Some(ProtocolVersion::V5), Role::Client);
    let packet = [0x30, 0x06, 0x00, 0x03, b'a', b'/', b'#', 0x00];
    assert_eq!(allocations(|| assert!(decoder.decode(&packet).is_err())), 0);
}

#[test]
fn shortening_an_answer_allocates_nothing() {
    let encoder = Encoder {
        maximum_packet_size: MaximumPacketSize::new(10),
        ..Encoder::new(ProtocolVersion::V5, Role::Client)
    };
    let properties = [Property::ReasonString(
        Utf8::new("longer than ten bytes").unwrap(),
    )];
    let ack = PublishAck {
        properties: Properties::new(&properties),
        ..PublishAck::success(PacketId::MIN)
    };
    let mut output = Output::new();
    encoder.encode(&Packet::Puback(ack), &mut output).unwrap();
    output.advance(output.len());
    assert_eq!(
        allocations(|| encoder.encode(&Packet::Puback(ack), &mut output).unwrap()),
        0
    );
    assert_eq!(output.len(), 4);
}

/// Headers of large payloads, the payloads themselves and partial writes, over and over: once warm, the output needs no
/// more memory.
#[test]
fn output_uses_its_memory_again() {
    let encoder = Encoder::new(ProtocolVersion::V5, Role::Client);
    let payload = Bytes::from_static(&[0; 5_000]);
    let publish = Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(TopicName::new("a").unwrap()),
        payload: &[],
        properties: Properties::EMPTY,
    };
    let mut output = Output::new();
    let round = |output: &mut Output| {
        for _ in 0..10 {
            encoder
                .encode_with_payload(&publish, &payload, output)
                .unwrap();
            encoder
                .encode(
                    &Packet::Publish(Publish {
                        payload: &[1; 3_000],
                        ..publish
                    }),
                    output,
                )
                .unwrap();
        }
        // All but a little is written each time, so the buffer is never empty.
        output.advance(output.len() - 100);
    };
    for _ in 0..10 {
        round(&mut output);
    }
    let more = allocations(|| {
        for _ in 0..100 {
            round(&mut output);
        }
    });
    assert_eq!(more, 0);
}

/// A client that was accepted, and its buffers.
struct Connected {
    client: Client,
    input: BytesMut,
    output: Output,
}

const NOW: Instant = Instant::from_millis(0);

impl Connected {
    fn new() -> Self {
        let mut connected = Self {
            client: Client::new(Limits::default()),
            input: BytesMut::with_capacity(1 << 16),
            output: Output::new(),
        };
        connected
            .client
            .connect(NOW, &ConnectOptions::new("c"))
            .unwrap();
        connected.sent();
        connected.feed(&[0x20, 3, 0, 0, 0]);
        assert!(matches!(
            connected.client.poll_event(),
            Some(Event::Connected(_))
        ));
        connected
    }

    /// Takes what is to be sent; gives the bytes at 5 and 6, where a PUBLISH to a topic of one byte has its identifier.
    fn sent(&mut self) -> (u8, u8) {
        self.client.poll_transmit(NOW, &mut self.output);
        let chunk = self.output.chunk();
        let id = (
            chunk.get(5).copied().unwrap_or(0),
            chunk.get(6).copied().unwrap_or(0),
        );
        self.output.advance(self.output.remaining());
        id
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let _ = self.client.handle_input(NOW, &mut self.input);
        assert!(self.input.is_empty());
        // What a driver does before it reads again; it moves nothing, since nothing is left.
        self.input.reserve(1 << 12);
    }
}

fn exchanges(qos: QoS) -> usize {
    let mut connected = Connected::new();
    let message = Message::new(TopicName::new("t").unwrap(), "payload").with_qos(qos);
    let mut exchange = || {
        connected.client.publish(NOW, message.clone()).unwrap();
        let (high, low) = connected.sent();
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => connected.feed(&[0x40, 2, high, low]),
            QoS::ExactlyOnce => {
                connected.feed(&[0x50, 2, high, low]);
                connected.sent();
                connected.feed(&[0x70, 2, high, low]);
            }
        }
        let last = core::iter::from_fn(|| connected.client.poll_event()).last();
        assert!(matches!(
            last,
            Some(Event::Outcome {
                outcome: Outcome::Sent | Outcome::Acknowledged { .. },
                ..
            })
        ));
    };
    // Identifiers go round once, so that every table has its size.
    (0..300).for_each(|_| exchange());
    allocations(|| (0..1_000).for_each(|_| exchange()))
}

#[test]
fn publishing_allocates_nothing_in_the_steady_state() {
    assert_eq!(exchanges(QoS::AtMostOnce), 0);
    assert_eq!(exchanges(QoS::AtLeastOnce), 0);
    assert_eq!(exchanges(QoS::ExactlyOnce), 0);
}

#[test]
fn receiving_allocates_the_message_and_nothing_else() {
    let mut connected = Connected::new();
    let mut exchange = || {
        // PUBLISH of QoS 1 and of QoS 2, and the PUBREL.
        connected.feed(&[0x32, 8, 0, 1, b't', 0, 1, 0, b'x', b'y']);
        connected.feed(&[0x34, 8, 0, 1, b't', 0, 2, 0, b'x', b'y', 0x62, 2, 0, 2]);
        connected.sent();
        assert!(connected.client.poll_event().is_some());
        assert!(connected.client.poll_event().is_some());
    };
    (0..10).for_each(|_| exchange());
    assert_eq!(allocations(|| (0..1_000).for_each(|_| exchange())), 2_000);
}

/// A server in its steady state: a message comes in and goes out to another client, who acknowledges it.
#[test]
fn a_server_passes_messages_on_with_one_allocation_each() {
    let mut publisher = Served::new();
    let mut subscriber = Served::new();
    let mut exchange = || {
        // PUBLISH of QoS 1, with a Message Expiry Interval.
        publisher.feed(&[0x32, 13, 0, 1, b't', 0, 1, 5, 2, 0, 0, 0, 9, b'x', b'y']);
        publisher.sent();
        let Some(server::Event::Message { message, .. }) = publisher.server.poll_event() else {
            panic!("no message");
        };
        subscriber.server.publish(NOW, message).unwrap();
        let (high, low) = subscriber.sent();
        subscriber.feed(&[0x40, 2, high, low]);
        assert!(matches!(
            subscriber.server.poll_event(),
            Some(server::Event::Outcome { .. })
        ));
    };
    (0..300).for_each(|_| exchange());
    let count = allocations(|| (0..1_000).for_each(|_| exchange()));
    assert_eq!(count, 1_000);
}

/// One connection of a server, accepted, and its buffers.
struct Served {
    server: Server,
    input: BytesMut,
    output: Output,
}

impl Served {
    fn new() -> Self {
        let mut served = Self {
            server: Server::new(NOW, ServerLimits::default()),
            input: BytesMut::with_capacity(1 << 16),
            output: Output::new(),
        };
        // CONNECT of 5.0, client identifier "a".
        let connect = b"\x10\x0E\0\x04MQTT\x05\x02\0\0\0\0\x01a";
        served.feed(connect);
        let session = Session::new(SessionBounds {
            max_messages: 10,
            max_bytes: 10_000,
        });
        served
            .server
            .accept(NOW, session, &Accept::default())
            .unwrap();
        served.sent();
        assert!(matches!(
            served.server.poll_event(),
            Some(server::Event::Connect(_))
        ));
        served
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let _ = self.server.handle_input(NOW, &mut self.input);
        assert!(self.input.is_empty());
        self.input.reserve(1 << 12);
    }

    /// Takes what is to be sent; gives the bytes at 5 and 6, where a PUBLISH to a topic of one byte has its identifier.
    fn sent(&mut self) -> (u8, u8) {
        self.server.poll_transmit(NOW, &mut self.output);
        let at = |index| self.output.chunk().get(index).copied().unwrap_or(0);
        let id = (at(5), at(6));
        self.output.advance(self.output.remaining());
        id
    }
}

#[test]
fn a_message_is_one_allocation_whatever_is_in_it() {
    let topic = TopicName::new("a/b").unwrap();
    let payload = Bytes::from_static(b"payload");
    let message = Message::new(topic, payload.clone());
    assert_eq!(allocations(|| drop(Message::new(topic, payload))), 1);
    let properties = [
        Property::MessageExpiryInterval(9),
        Property::ContentType(Utf8::new("text/plain").unwrap()),
    ];
    let message = message.with_properties(&properties).unwrap();
    let ids = [1, 300].map(|number| SubscriptionId::new(number).unwrap());
    let copy = message.clone();
    let mut delivery = None;
    assert_eq!(
        allocations(|| delivery = Some(copy.with_subscription_ids(&ids))),
        1
    );
    assert_eq!(delivery.unwrap().properties().len(), 4);
    assert_eq!(allocations(|| drop(message.clone())), 0);
}
