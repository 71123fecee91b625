//! The machines of both ends, once warm.

use bytes::{Buf, Bytes, BytesMut};
use mqtt_core::{
    Instant, Message, Outcome, Output, Property, QoS, Session, SessionBounds, SubscriptionId,
    TopicName, Utf8,
    client::{Client, ConnectOptions, Event, Limits},
    server::{self, Accept, Server, ServerLimits},
};

use crate::allocations;

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
