//! A client, the two directions of a transport, and a clock.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_core::{
    Instant, Message, Outcome, Output, Progress, ProtocolVersion, PublishId, QoS, ReasonCode,
    TopicName,
    client::{Client, ConnectOptions, DisconnectCause, Event, Limits},
};

use super::{hex, show};

/// See the module. The server is the test: it looks at what the client sent and feeds what it likes.
pub(crate) struct Pair {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    pub(crate) output: Output,
    pub(crate) input: BytesMut,
}

impl Pair {
    /// A client that has not connected.
    pub(crate) fn new(limits: Limits) -> Self {
        Self::with_client(Client::new(limits))
    }

    pub(crate) fn with_client(client: Client) -> Self {
        Self {
            client,
            now: Instant::from_millis(1_000),
            output: Output::new(),
            input: BytesMut::new(),
        }
    }

    /// Connected at 5.0 with a session that lasts, no Keep Alive, and nothing in flight.
    pub(crate) fn v5() -> Self {
        Self::v5_with(Limits::default(), "20 03 00 00 00")
    }

    /// The same with limits, and the CONNACK of the server.
    #[track_caller]
    pub(crate) fn v5_with(limits: Limits, connack: &str) -> Self {
        let mut pair = Self::new(limits);
        pair.connect(&options_v5());
        pair.feed(connack);
        pair.expect_connected(false);
        pair
    }

    /// Connected at 3.1.1 with a session that lasts.
    pub(crate) fn v311() -> Self {
        let mut pair = Self::new(Limits::default());
        pair.connect(&options_v311());
        pair.feed("20 02 00 00");
        pair.expect_connected(false);
        pair
    }

    /// Begins a connection; the CONNECT is taken off the output unseen.
    #[track_caller]
    pub(crate) fn connect(&mut self, options: &ConnectOptions) {
        self.output.clear();
        self.input.clear();
        self.client.connect(self.now, options).unwrap();
        let sent = self.take_sent();
        assert_eq!(sent.first(), Some(&0x10), "no CONNECT but {}", show(&sent));
    }

    /// Connects again at 5.0; the server has the session, or not. What is sent afterwards stays in the output.
    #[track_caller]
    pub(crate) fn resume_v5(&mut self, session_present: bool) {
        self.connect(&options_v5());
        self.feed(if session_present {
            "20 03 01 00 00"
        } else {
            "20 03 00 00 00"
        });
        self.expect_connected(session_present);
    }

    /// The transport breaks.
    #[track_caller]
    pub(crate) fn cut(&mut self) {
        self.client.handle_close(self.now);
        self.expect_disconnected(DisconnectCause::Closed);
    }

    /// What the client gives the transport, all of it.
    pub(crate) fn take_sent(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            self.client.poll_transmit(self.now, &mut self.output);
            if self.output.is_empty() {
                return sent;
            }
            while self.output.has_remaining() {
                let chunk = self.output.chunk().to_vec();
                self.output.advance(chunk.len());
                sent.extend_from_slice(&chunk);
            }
        }
    }

    /// The client sends exactly these bytes now.
    #[track_caller]
    pub(crate) fn expect(&mut self, bytes: &str) -> &mut Self {
        let sent = self.take_sent();
        let wanted = hex(bytes);
        assert!(
            sent == wanted,
            "sent     {}\ninstead of {}",
            show(&sent),
            show(&wanted)
        );
        self
    }

    /// The client has nothing to send now.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) -> &mut Self {
        self.expect("")
    }

    /// The server sends these bytes, and the client takes all of them.
    #[track_caller]
    pub(crate) fn feed(&mut self, bytes: &str) {
        self.feed_bytes(&hex(bytes));
    }

    #[track_caller]
    pub(crate) fn feed_bytes(&mut self, bytes: &[u8]) {
        assert_eq!(self.offer(bytes), Progress::Done);
    }

    /// The server sends these bytes, and the client takes what it likes.
    pub(crate) fn offer(&mut self, bytes: &[u8]) -> Progress {
        self.input.extend_from_slice(bytes);
        self.client.handle_input(self.now, &mut self.input)
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Event {
        self.client.poll_event().expect("an event")
    }

    #[track_caller]
    pub(crate) fn expect_no_event(&mut self) {
        let event = self.client.poll_event();
        assert!(event.is_none(), "{event:?}");
    }

    #[track_caller]
    pub(crate) fn expect_connected(&mut self, session_present: bool) {
        match self.event() {
            Event::Connected(info) => assert_eq!(info.session_present, session_present),
            other => panic!("not Connected but {other:?}"),
        }
    }

    /// The connection is over, and nothing follows.
    #[track_caller]
    pub(crate) fn expect_disconnected(&mut self, cause: DisconnectCause) {
        assert_eq!(self.event(), Event::Disconnected(cause));
        self.expect_no_event();
        assert!(self.client.is_closed());
        assert_eq!(
            self.client.poll_timeout(),
            self.client.session().next_expiry()
        );
    }

    #[track_caller]
    pub(crate) fn expect_outcome(&mut self, id: PublishId, outcome: Outcome) {
        assert_eq!(self.event(), Event::Outcome { id, outcome });
    }

    /// The publish was acknowledged with this Reason Code and no properties.
    #[track_caller]
    pub(crate) fn expect_acknowledged(&mut self, id: PublishId, reason: ReasonCode) {
        match self.event() {
            Event::Outcome {
                id: of,
                outcome: Outcome::Acknowledged { reason: code, .. },
            } => {
                assert_eq!((of, code), (id, reason));
            }
            other => panic!("not acknowledged but {other:?}"),
        }
    }

    /// A message came with this payload.
    #[track_caller]
    pub(crate) fn expect_message(&mut self, payload: &[u8]) -> Event {
        let event = self.event();
        match &event {
            Event::Message { message, .. } => assert_eq!(message.payload(), payload),
            other => panic!("not a message but {other:?}"),
        }
        event
    }

    /// Publishes `payload` to the topic `a`.
    #[track_caller]
    pub(crate) fn publish(&mut self, qos: QoS, payload: &str) -> PublishId {
        self.client
            .publish(self.now, message(qos, payload))
            .unwrap()
    }

    /// Moves the clock, waking the client whenever it asked for it.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.client.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.client.handle_timeout(self.now);
            assert!(
                self.client
                    .poll_timeout()
                    .is_none_or(|next| next > self.now),
                "a timer that is never done"
            );
        }
        self.now = end;
    }
}

/// A message to the topic `a`.
pub(crate) fn message(qos: QoS, payload: &str) -> Message {
    Message::new(TopicName::new("a").unwrap(), payload.to_owned()).with_qos(qos)
}

/// 5.0, Clean Start 0, a session that lasts, no Keep Alive.
pub(crate) fn options_v5() -> ConnectOptions {
    let mut options = ConnectOptions::new("c");
    options.clean_start = false;
    options.session_expiry = mqtt_core::SessionExpiry::from_secs(3_600);
    options.keep_alive = mqtt_core::KeepAlive::OFF;
    options
}

/// 3.1.1, Clean Session 0, no Keep Alive.
pub(crate) fn options_v311() -> ConnectOptions {
    let mut options = ConnectOptions::new("c");
    options.version = ProtocolVersion::V3_1_1;
    options.clean_start = false;
    options.keep_alive = mqtt_core::KeepAlive::OFF;
    options
}
