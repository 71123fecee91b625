//! A client played by hand: bytes written from the standard go in, bytes and events come out.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_core::{
    Instant, Output, Progress, Session, SessionBounds,
    server::{Accept, ConnectRequest, Disconnected, Event, Server, ServerLimits},
};

/// Bytes from hexadecimal, such as `"C0 00"`. Text stands in quotes: `"00 01 'a'"`.
#[track_caller]
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        match word.strip_prefix('\'') {
            Some(word) => bytes.extend_from_slice(word.strip_suffix('\'').unwrap().as_bytes()),
            None => bytes.push(u8::from_str_radix(word, 16).unwrap()),
        }
    }
    bytes
}

/// CONNECT of 5.0: clean start, keep alive 60 s, client identifier "a", no properties.
pub(crate) const CONNECT_V5: &str = "10 0E 00 04 'MQTT' 05 02 00 3C 00 00 01 'a'";
/// CONNECT of 3.1.1: clean session, keep alive 60 s, client identifier "a".
pub(crate) const CONNECT_V311: &str = "10 0D 00 04 'MQTT' 04 02 00 3C 00 01 'a'";
/// CONNECT of 3.1, likewise.
pub(crate) const CONNECT_V31: &str = "10 0F 00 06 'MQIsdp' 03 02 00 3C 00 01 'a'";

/// One server connection on a clock the test moves.
pub(crate) struct Peer {
    pub(crate) server: Server,
    pub(crate) now: Instant,
    pub(crate) input: BytesMut,
}

impl Peer {
    pub(crate) fn new() -> Self {
        Self::with_limits(ServerLimits::default())
    }

    pub(crate) fn with_limits(limits: ServerLimits) -> Self {
        let now = Instant::from_millis(1_000);
        Self {
            server: Server::new(now, limits),
            now,
            input: BytesMut::new(),
        }
    }

    /// A connection whose CONNECT was accepted, with nothing left to read or to send.
    #[track_caller]
    pub(crate) fn connected(connect: &str, accept: &Accept) -> Self {
        let mut peer = Self::new();
        peer.connect(connect, accept, session());
        peer
    }

    /// Connects and throws the CONNACK away.
    #[track_caller]
    pub(crate) fn connect(&mut self, connect: &str, accept: &Accept, session: Session) {
        self.feed(connect);
        self.connect_request();
        self.server.accept(self.now, session, accept).unwrap();
        let connack = self.sent();
        assert_eq!(connack[0], 0x20, "{connack:02X?}");
        assert_eq!(connack[3], 0x00, "{connack:02X?}");
    }

    /// Gives the server bytes and says whether it wants no more of them.
    pub(crate) fn feed(&mut self, text: &str) -> bool {
        self.feed_bytes(&hex(text)).is_blocked()
    }

    pub(crate) fn feed_bytes(&mut self, bytes: &[u8]) -> Progress {
        self.input.extend_from_slice(bytes);
        self.server.handle_input(self.now, &mut self.input)
    }

    /// Everything the server has to send.
    pub(crate) fn sent(&mut self) -> Vec<u8> {
        let mut output = Output::new();
        let mut bytes = Vec::new();
        while self.server.poll_transmit(self.now, &mut output) > 0 {
            while output.has_remaining() {
                let chunk = output.chunk().to_vec();
                output.advance(chunk.len());
                bytes.extend(chunk);
            }
        }
        bytes
    }

    #[track_caller]
    pub(crate) fn assert_sent(&mut self, expected: &str) {
        let sent = self.sent();
        assert_eq!(sent, hex(expected), "sent {sent:02X?}");
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.server.poll_event()).collect()
    }

    #[track_caller]
    pub(crate) fn connect_request(&mut self) -> Box<ConnectRequest> {
        match self.server.poll_event() {
            Some(Event::Connect(request)) => request,
            other => panic!("expected a CONNECT, got {other:?}"),
        }
    }

    /// The one event there is, which must be the end of the connection.
    #[track_caller]
    pub(crate) fn disconnected(&mut self) -> Disconnected {
        let mut events = self.events();
        match (events.pop(), events.as_slice()) {
            (Some(Event::Disconnected(disconnected)), []) => disconnected,
            (last, before) => panic!("expected the end alone, got {before:?} and {last:?}"),
        }
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now += by;
        self.server.handle_timeout(self.now);
    }
}

/// A new session with the default bounds.
pub(crate) fn session() -> Session {
    Session::new(SessionBounds {
        max_messages: 1_000,
        max_bytes: 1 << 20,
    })
}
