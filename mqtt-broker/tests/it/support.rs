//! A client made of bytes.

use std::net::SocketAddr;
use std::time::Duration;

use mqtt_broker::{Broker, Options, Overflow};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// In memory, where the clock stands still while anybody works: shorter than the shortest deadline of the broker.
const PATIENCE: Duration = Duration::from_secs(4);
/// Over TCP, where the clock goes on and the machine may be busy.
pub(crate) const PATIENCE_OVER_TCP: Duration = Duration::from_secs(30);

/// Bytes from text: hexadecimal digits, and text in single quotes, which stands for itself. Bars and white space separate.
#[track_caller]
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> = part
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '|')
            .map(|c| {
                u8::try_from(
                    c.to_digit(16)
                        .unwrap_or_else(|| panic!("{c:?} in {text:?}")),
                )
                .unwrap()
            })
            .collect();
        assert_eq!(digits.len() % 2, 0, "half a byte in {text:?}");
        bytes.extend(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    bytes
}

#[test]
fn bytes_are_read_as_written() {
    assert_eq!(bytes("10 0D | 0004'MQTT' 04"), b"\x10\x0D\x00\x04MQTT\x04");
}

/// A text with its length in two bytes before it.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// A packet: first byte, Remaining Length, and a body of up to 2,097,151 bytes.
pub(crate) fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let mut packet = vec![first];
    let mut rest = body.len();
    loop {
        let digit = u8::try_from(rest % 128).unwrap();
        rest /= 128;
        packet.push(if rest > 0 { digit | 0x80 } else { digit });
        if rest == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// CONNECT of 5.0, keep-alive 60 s. Flags: 02 clean start.
pub(crate) fn connect_v5(client_id: &str, flags: u8, session_expiry: u32) -> Vec<u8> {
    let expiry = [&[0x11][..], &session_expiry.to_be_bytes()].concat();
    packet(
        0x10,
        &[
            &bytes("0004'MQTT' 05"),
            &[flags],
            &bytes("003C 05"),
            &expiry,
            &string(client_id),
        ],
    )
}

/// CONNECT of 3.1.1, keep-alive 60 s. Flags: 02 clean session.
pub(crate) fn connect_v311(client_id: &str, flags: u8) -> Vec<u8> {
    packet(
        0x10,
        &[
            &bytes("0004'MQTT' 04"),
            &[flags],
            &bytes("003C"),
            &string(client_id),
        ],
    )
}

/// CONNECT of 3.1, keep-alive 60 s.
pub(crate) fn connect_v31(client_id: &str, flags: u8) -> Vec<u8> {
    packet(
        0x10,
        &[
            &bytes("0006'MQIsdp' 03"),
            &[flags],
            &bytes("003C"),
            &string(client_id),
        ],
    )
}

/// PUBLISH of 5.0 without properties. QoS 0 has no Packet Identifier.
pub(crate) fn publish_v5(first: u8, topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let id = id.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default();
    packet(first, &[&string(topic), &id, &[0], payload])
}

/// SUBSCRIBE of 5.0 with one filter.
pub(crate) fn subscribe_v5(id: u16, filter: &str, options: u8) -> Vec<u8> {
    packet(
        0x82,
        &[&id.to_be_bytes(), &[0], &string(filter), &[options]],
    )
}

/// A client's end of a connection.
pub(crate) struct Peer<S> {
    stream: S,
    patience: Duration,
}

impl Peer<TcpStream> {
    pub(crate) async fn tcp(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            patience: PATIENCE_OVER_TCP,
        }
    }
}

impl Peer<DuplexStream> {
    /// A connection in memory, which works under a stopped clock.
    pub(crate) fn new(broker: &Broker) -> Self {
        Self::with_buffer(broker, 64 << 10)
    }

    pub(crate) fn with_buffer(broker: &Broker, bytes: usize) -> Self {
        let (stream, other) = duplex(bytes);
        broker.serve(other);
        Self {
            stream,
            patience: PATIENCE,
        }
    }

    /// Connected with 5.0. Returns it with the session present flag checked.
    pub(crate) async fn v5(
        broker: &Broker,
        client_id: &str,
        flags: u8,
        session_expiry: u32,
        present: bool,
    ) -> Self {
        let mut peer = Self::new(broker);
        peer.send_bytes(&connect_v5(client_id, flags, session_expiry))
            .await;
        assert_eq!(
            peer.connack_v5().await,
            (present, 0),
            "CONNACK for {client_id}"
        );
        peer
    }

    /// Connected with 5.0 for this connection only.
    pub(crate) async fn clean(broker: &Broker, client_id: &str) -> Self {
        Self::v5(broker, client_id, 0x02, 0, false).await
    }

    /// Connected with 3.1.1 for this connection only.
    pub(crate) async fn clean_v311(broker: &Broker, client_id: &str) -> Self {
        let mut peer = Self::new(broker);
        peer.send_bytes(&connect_v311(client_id, 0x02)).await;
        peer.expect("20 02 00 00").await;
        peer
    }
}

impl<S: AsyncReadExt + AsyncWriteExt + Unpin> Peer<S> {
    /// A connection over whatever sockets and layers.
    pub(crate) fn over(stream: S) -> Self {
        Self {
            stream,
            patience: PATIENCE_OVER_TCP,
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_bytes(&bytes(text)).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        timeout(self.patience, self.stream.write_all(bytes))
            .await
            .expect("the broker does not read")
            .unwrap();
    }

    /// Writes without minding that the broker may have closed already.
    pub(crate) async fn send_carelessly(&mut self, bytes: &[u8]) {
        timeout(self.patience, self.stream.write_all(bytes))
            .await
            .ok();
    }

    /// The next byte; `None` at the end.
    pub(crate) async fn byte(&mut self) -> Option<u8> {
        self.stream.read_u8().await.ok()
    }

    /// The next bytes are these.
    pub(crate) async fn expect(&mut self, text: &str) {
        self.expect_bytes(&bytes(text)).await;
    }

    pub(crate) async fn expect_bytes(&mut self, expected: &[u8]) {
        let mut received = vec![0; expected.len()];
        let mut length = 0;
        while length < expected.len() {
            match timeout(self.patience, self.stream.read(&mut received[length..])).await {
                Ok(Ok(0)) => panic!(
                    "closed after {:02X?}, expected {expected:02X?}",
                    &received[..length]
                ),
                Ok(result) => length += result.unwrap(),
                Err(_) => panic!(
                    "silent after {:02X?}, expected {expected:02X?}",
                    &received[..length]
                ),
            }
        }
        assert_eq!(
            received, expected,
            "\nreceived {received:02X?}\nexpected {expected:02X?}"
        );
    }

    /// The next whole packet: first byte and body.
    pub(crate) async fn packet(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let first = self.stream.read_u8().await.unwrap();
            let mut length = 0;
            for shift in [0, 7, 14, 21] {
                let digit = self.stream.read_u8().await.unwrap();
                length |= usize::from(digit & 0x7F) << shift;
                if digit & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.unwrap();
            (first, body)
        };
        timeout(self.patience, read).await.expect("a packet")
    }

    /// Session Present and Reason Code of a 5.0 CONNACK, whatever its properties.
    pub(crate) async fn connack_v5(&mut self) -> (bool, u8) {
        let (first, body) = self.packet().await;
        assert_eq!(first, 0x20);
        (body[0] == 1, body[1])
    }

    /// A CONNACK of 5.0 that refuses, and says why.
    pub(crate) async fn expect_refusal(&mut self, reason: u8, why: &str) {
        let before = format!("00 {reason:02X}");
        self.expect_explained(0x20, &before, why, "").await;
    }

    /// A packet of 5.0 with a Reason String between `before` and `after`.
    pub(crate) async fn expect_explained(
        &mut self,
        first: u8,
        before: &str,
        why: &str,
        after: &str,
    ) {
        let why = string(why);
        let length = u8::try_from(1 + why.len()).unwrap();
        let properties = [&[length, 0x1F][..], &why].concat();
        self.expect_bytes(&packet(
            first,
            &[&bytes(before), &properties, &bytes(after)],
        ))
        .await;
    }

    /// A DISCONNECT of 5.0 that says why, and then the end.
    pub(crate) async fn expect_farewell(&mut self, reason: u8, why: &str) {
        let reason = format!("{reason:02X}");
        self.expect_explained(0xE0, &reason, why, "").await;
        self.expect_close().await;
    }

    /// The connection is closed, with nothing before.
    pub(crate) async fn expect_close(&mut self) {
        self.expect_close_within(self.patience).await;
    }

    pub(crate) async fn expect_close_within(&mut self, time: Duration) {
        let mut byte = [0];
        match timeout(time, self.stream.read(&mut byte))
            .await
            .expect("still open")
        {
            Ok(0) | Err(_) => {}
            Ok(_) => panic!("{byte:02X?}.. instead of the end"),
        }
    }

    /// What comes until the end.
    pub(crate) async fn into_rest(mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        let read = timeout(self.patience, self.stream.read_to_end(&mut rest)).await;
        read.expect("still open")?;
        Ok(rest)
    }

    /// A DISCONNECT of 5.0 with this Reason Code, whatever it says in words, and then the end.
    pub(crate) async fn expect_disconnect(&mut self, reason: u8) {
        let (first, body) = self.packet().await;
        assert_eq!(first, 0xE0, "{body:02X?}");
        assert_eq!(body[0], reason, "{body:02X?}");
        self.expect_close().await;
    }

    /// Nothing comes for that long.
    pub(crate) async fn expect_silence(&mut self, time: Duration) {
        let mut byte = [0];
        if let Ok(read) = timeout(time, self.stream.read(&mut byte)).await {
            panic!("{read:?} {byte:02X?} instead of silence");
        }
    }

    /// The broker has handled everything sent so far, and has sent nothing that was not asked for.
    pub(crate) async fn ping(&mut self) {
        self.send("C0 00").await;
        self.expect("D0 00").await;
    }

    pub(crate) async fn subscribe_v5(&mut self, filter: &str, options: u8) {
        self.send_bytes(&subscribe_v5(0x7777, filter, options))
            .await;
        self.expect_bytes(&[0x90, 4, 0x77, 0x77, 0, options & 3])
            .await;
    }

    /// Publishes at QoS 1 with 5.0 and returns the Reason Code of the PUBACK.
    pub(crate) async fn publish_qos_1(&mut self, topic: &str, payload: &[u8]) -> u8 {
        self.send_bytes(&publish_v5(0x32, topic, Some(0x0101), payload))
            .await;
        let (first, body) = self.packet().await;
        assert_eq!((first, &body[..2]), (0x40, &[1, 1][..]));
        body.get(2).copied().unwrap_or(0)
    }
}

/// More than the buffers of the system and of every layer take.
const MORE_THAN_BUFFERS: usize = 24 << 20;

pub(crate) fn slow_clients_are_disconnected(options: &mut Options) {
    options.max_queued_bytes = MORE_THAN_BUFFERS;
    options.overflow = Overflow::Disconnect;
    options.close_timeout = Duration::from_millis(100);
}

/// Publishes to the one other client, which has subscribed to `flood` and does not read, until it is gone for good.
pub(crate) async fn flood_until_closed(broker: &Broker) {
    let mut sender = Peer::clean(broker, "flooder").await;
    sender.patience = PATIENCE_OVER_TCP;
    let payload = vec![b'x'; 200_000];
    let flood = async {
        while broker.statistics().connections == 2 {
            sender.publish_qos_1("flood", &payload).await;
            let queued = broker.statistics().queued_bytes;
            assert!(queued <= MORE_THAN_BUFFERS as u64, "{queued}");
        }
        while broker.statistics().pending_connections > 0 {
            sender.ping().await;
        }
    };
    timeout(PATIENCE_OVER_TCP, flood)
        .await
        .expect("the silent client is closed");
}

/// Others publish and receive as if nothing had happened.
pub(crate) async fn nobody_is_harmed(broker: &Broker) {
    let mut receiver = Peer::clean(broker, "unharmed receiver").await;
    receiver.subscribe_v5("unharmed", 1).await;
    let mut sender = Peer::clean(broker, "unharmed sender").await;
    assert_eq!(sender.publish_qos_1("unharmed", b"x").await, 0);
    let (first, body) = receiver.packet().await;
    assert_eq!((first, body.last()), (0x32, Some(&b'x')));
}

pub(crate) fn broker() -> Broker {
    Broker::start(Options::default())
}

pub(crate) fn broker_with(change: impl FnOnce(&mut Options)) -> Broker {
    let mut options = Options::default();
    change(&mut options);
    Broker::start(options)
}
