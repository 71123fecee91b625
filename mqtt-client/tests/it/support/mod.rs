//! A server that a test writes by hand, packet by packet, at the other end of a pipe in memory.

use std::time::Duration;

use mqtt_client::{Client, Connector, Message, Options, QoS, TopicName, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Nothing in a test takes longer: time is paused, so that a wait for nothing is over at once.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// CONNACK of 5.0: accepted, no session, no properties.
pub(crate) const CONNACK_V5: &[u8] = &[0x20, 0x03, 0x00, 0x00, 0x00];
/// CONNACK of 5.0: accepted, session present, no properties.
pub(crate) const CONNACK_V5_SESSION: &[u8] = &[0x20, 0x03, 0x01, 0x00, 0x00];
/// CONNACK of 3.1.1: accepted, no session.
pub(crate) const CONNACK_V311: &[u8] = &[0x20, 0x02, 0x00, 0x00];
/// CONNACK of 3.1.1: accepted, session present.
pub(crate) const CONNACK_V311_SESSION: &[u8] = &[0x20, 0x02, 0x01, 0x00];

/// Where the connections of a client arrive.
pub(crate) struct Server {
    arriving: mpsc::UnboundedReceiver<DuplexStream>,
}

/// One connection, seen from the server.
pub(crate) struct Peer {
    stream: DuplexStream,
}

/// Options for a client of a scripted server: identifier `a`, and otherwise the defaults.
pub(crate) fn scripted() -> (Options, Server) {
    scripted_with_pipe(64 * 1024)
}

/// As [`scripted`], with a pipe that holds so many bytes.
pub(crate) fn scripted_with_pipe(size: usize) -> (Options, Server) {
    let (sender, arriving) = mpsc::unbounded_channel();
    let connector = Connector::new("script", move || {
        let (ours, theirs) = duplex(size);
        let sent = sender.send(theirs);
        async move {
            sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
            Ok(ours)
        }
    });
    (
        Options::with_connector(connector).with_client_id("a"),
        Server { arriving },
    )
}

impl Server {
    /// The next connection.
    #[track_caller]
    pub(crate) fn peer(&mut self) -> impl Future<Output = Peer> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            let arrived = timeout(PATIENCE, self.arriving.recv()).await;
            let stream = arrived.unwrap_or_else(|_| panic!("no connection came, at {caller}"));
            Peer {
                stream: stream.expect("the client is gone"),
            }
        }
    }

    /// The next connection, whose CONNECT is answered by `connack`.
    #[track_caller]
    pub(crate) fn accept(&mut self, connack: &'static [u8]) -> impl Future<Output = Peer> + '_ {
        let peer = self.peer();
        async move {
            let mut peer = peer.await;
            assert_eq!(peer.packet().await[0], 0x10, "CONNECT comes first");
            peer.send(connack).await;
            peer
        }
    }

    /// Whether a connection came that nobody looked at yet.
    pub(crate) fn has_arrived(&mut self) -> bool {
        !self.arriving.is_empty()
    }
}

impl Peer {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .await
            .expect("the client reads");
    }

    /// The next byte.
    #[cfg(all(feature = "tls", feature = "websocket"))]
    #[track_caller]
    pub(crate) fn byte(&mut self) -> impl Future<Output = u8> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            let byte = timeout(PATIENCE, self.stream.read_u8()).await;
            byte.unwrap_or_else(|_| panic!("nothing came, at {caller}"))
                .unwrap_or_else(|error| panic!("{error}, at {caller}"))
        }
    }

    /// The next whole packet.
    #[track_caller]
    pub(crate) fn packet(&mut self) -> impl Future<Output = Vec<u8>> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            let packet = timeout(PATIENCE, self.read_packet()).await;
            packet
                .unwrap_or_else(|_| panic!("no packet came, at {caller}"))
                .expect("the client is connected")
        }
    }

    async fn read_packet(&mut self) -> std::io::Result<Vec<u8>> {
        let mut packet = vec![self.stream.read_u8().await?];
        let mut length = 0;
        for group in 0..4 {
            let byte = self.stream.read_u8().await?;
            packet.push(byte);
            length |= usize::from(byte & 0x7F) << (7 * group);
            if byte < 0x80 {
                break;
            }
        }
        let start = packet.len();
        packet.resize(start + length, 0);
        self.stream.read_exact(&mut packet[start..]).await?;
        Ok(packet)
    }

    /// Exactly this comes next.
    #[track_caller]
    pub(crate) fn expect<'a>(&'a mut self, bytes: &'a [u8]) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let mut received = vec![0; bytes.len()];
            let read = timeout(PATIENCE, self.stream.read_exact(&mut received)).await;
            read.unwrap_or_else(|_| panic!("too little came, at {caller}"))
                .expect("the client is connected");
            assert_eq!(received, bytes, "at {caller}");
        }
    }

    /// Nothing comes for so long.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self, length: Duration) -> impl Future<Output = ()> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            if let Ok(byte) = timeout(length, self.stream.read_u8()).await {
                panic!("{byte:02X?} came, at {caller}");
            }
        }
    }

    /// The client closed its half, and nothing came before that.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) -> impl Future<Output = ()> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            let mut rest = Vec::new();
            let read = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await;
            read.unwrap_or_else(|_| panic!("the client did not close, at {caller}"))
                .expect("a clean end");
            assert!(rest.is_empty(), "{rest:?} at {caller}");
        }
    }
}

/// A connected client of the given version and the server it talks to.
pub(crate) async fn connected(options: Options, server: &mut Server) -> (Client, Peer) {
    let connack = match options.version {
        Version::Auto | Version::V5 => CONNACK_V5,
        _ => CONNACK_V311,
    };
    let client = Client::start(options).expect("good options");
    let peer = server.accept(connack).await;
    client.connected(PATIENCE).await.expect("accepted");
    (client, peer)
}

pub(crate) fn message(topic: &str, payload: &str, qos: QoS) -> Message {
    Message::new(
        TopicName::new(topic).expect("a topic"),
        payload.as_bytes().to_vec(),
    )
    .with_qos(qos)
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);
