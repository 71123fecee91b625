//! MQTT over WebSocket (v5 6, v311 6), with frames written by hand from RFC 6455.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mqtt_broker::{Broker, ConnectInfo, Listener, LocalAddress};
use mqtt_core::{MaximumPacketSize, ReasonCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{
    PATIENCE_OVER_TCP, Peer, broker, broker_with, bytes, connect_v5, connect_v311,
    flood_until_closed, nobody_is_harmed, publish_v5, slow_clients_are_disconnected, subscribe_v5,
};

/// The key and its answer from RFC 6455 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// First bytes of frames: FIN and opcode.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
/// A binary message that goes on, and what ends it.
const BEGIN: u8 = 0x02;
const GO_ON: u8 = 0x00;
const END: u8 = 0x80;

fn request(path: &str, protocol: Option<&str>) -> String {
    let protocol = protocol
        .map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"))
        .unwrap_or_default();
    format!(
        "GET {path} HTTP/1.1\r\nHost: broker.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{protocol}\r\n"
    )
}

/// A frame of a client. Masked, as it must be, with a mask that changes every byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..=65_535 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

#[test]
fn a_frame_is_as_in_the_standard() {
    // RFC 6455 5.7: a masked text message "Hello".
    assert_eq!(
        frame(TEXT, b"Hello"),
        [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58
        ]
    );
}

/// A client made of frames.
struct Web {
    stream: TcpStream,
    /// Payload of binary frames that nobody looked at yet.
    unread: Vec<u8>,
}

impl Web {
    async fn plain(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        // Each write is to be a segment of its own.
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Upgraded.
    async fn open(address: SocketAddr) -> Self {
        let mut web = Self::plain(address).await;
        web.send(request("/mqtt", Some("mqtt")).as_bytes()).await;
        let head = web.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        web
    }

    /// Connected with 5.0.
    async fn connected(address: SocketAddr, client_id: &str) -> Self {
        let mut web = Self::open(address).await;
        web.send_frame(BINARY, &connect_v5(client_id, 2, 0)).await;
        let connack = web.packet().await;
        assert_eq!((connack[0], connack[3]), (0x20, 0));
        web
    }

    async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE_OVER_TCP, self.stream.write_all(bytes))
            .await
            .expect("the broker reads")
            .unwrap();
    }

    /// Writes without minding that the broker may have closed already.
    async fn send_carelessly(&mut self, bytes: &[u8]) {
        timeout(PATIENCE_OVER_TCP, self.stream.write_all(bytes))
            .await
            .ok();
    }

    async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send(&frame(first, payload)).await;
    }

    /// The head of an HTTP response.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE_OVER_TCP, self.stream.read_u8()).await;
            head.push(byte.expect("an answer").expect("a whole head"));
        }
        String::from_utf8(head).unwrap()
    }

    /// The next frame: its first byte and its payload. A server does not mask.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let first = self.stream.read_u8().await.unwrap();
            let length = match self.stream.read_u8().await.unwrap() {
                126 => u64::from(self.stream.read_u16().await.unwrap()),
                127 => self.stream.read_u64().await.unwrap(),
                length => u64::from(length),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.unwrap();
            (first, payload)
        };
        timeout(PATIENCE_OVER_TCP, read).await.expect("a frame")
    }

    /// The next packet of up to 127 bytes, in whatever frames it comes; they are binary [v5 MQTT-6.0.0-1].
    async fn packet(&mut self) -> Vec<u8> {
        while self.unread.len() < 2 || self.unread.len() < 2 + usize::from(self.unread[1]) {
            let (first, payload) = self.frame().await;
            assert_eq!(first, BINARY);
            self.unread.extend(payload);
        }
        let length = 2 + usize::from(self.unread[1]);
        self.unread.drain(..length).collect()
    }

    /// A Close frame with this code, and then the end.
    async fn expect_close(&mut self, code: u16) {
        let (first, payload) = self.frame().await;
        assert_eq!((first, &payload[..2]), (CLOSE, &code.to_be_bytes()[..]));
        self.expect_end().await;
    }

    /// The connection ends, with nothing before.
    async fn expect_end(&mut self) {
        let mut byte = [0];
        let read = timeout(PATIENCE_OVER_TCP, self.stream.read(&mut byte)).await;
        match read.expect("still open") {
            Ok(0) | Err(_) => {}
            Ok(_) => panic!("{byte:02X?}.. instead of the end"),
        }
    }
}

async fn listen(broker: &Broker) -> SocketAddr {
    let listener = Listener::tcp("127.0.0.1:0").with_websocket("/mqtt");
    match broker.open(&listener).await.unwrap() {
        LocalAddress::Tcp(address) => address,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn v5_mqtt_6_0_0_4_the_server_selects_mqtt() {
    let broker = broker();
    let address = listen(&broker).await;
    for offered in ["mqtt", "mqttv3.1, mqtt", "chat,mqtt"] {
        let mut web = Web::plain(address).await;
        web.send(request("/mqtt?token=1", Some(offered)).as_bytes())
            .await;
        let head = web.head().await.to_ascii_lowercase();
        assert!(
            head.starts_with("http/1.1 101 switching protocols\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
        assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
        assert!(
            head.contains("\r\nsec-websocket-protocol: mqtt\r\n"),
            "{head}"
        );
        let accept = format!(
            "\r\nsec-websocket-accept: {}\r\n",
            ACCEPT.to_ascii_lowercase()
        );
        assert!(head.contains(&accept), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
    }
}

#[tokio::test]
async fn v311_mqtt_6_0_0_4_the_server_selects_mqtt() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::plain(address).await;
    web.send(request("/mqtt", Some("mqtt")).as_bytes()).await;
    let head = web.head().await.to_ascii_lowercase();
    assert!(
        head.contains("\r\nsec-websocket-protocol: mqtt\r\n"),
        "{head}"
    );
    web.send_frame(BINARY, &connect_v311("a", 2)).await;
    assert_eq!(web.packet().await, [0x20, 2, 0, 0]);
}

#[tokio::test]
async fn shutdown_says_goodbye_in_every_layer() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::connected(address, "a").await;
    let stopping = broker.clone();
    let stopped = tokio::spawn(async move { stopping.shutdown(PATIENCE_OVER_TCP).await });
    // DISCONNECT, Server shutting down, with a Reason String of 21 bytes.
    let farewell = b"\xE0\x1A\x8B\x18\x1F\x00\x15the server shuts down";
    assert_eq!(web.packet().await, farewell);
    // A Close frame without a code.
    assert_eq!(web.frame().await, (CLOSE, Vec::new()));
    web.expect_end().await;
    assert!(stopped.await.unwrap());
}

#[tokio::test]
async fn who_offers_no_mqtt_or_asks_elsewhere_is_refused() {
    let broker = broker();
    let address = listen(&broker).await;
    for (request, status) in [
        (request("/mqtt", None), "400 Bad Request"),
        (request("/mqtt", Some("mqttv3.1")), "400 Bad Request"),
        (request("/mqtt", Some("MQTT")), "400 Bad Request"),
        (request("/", Some("mqtt")), "404 Not Found"),
        (request("/mqtt/more", Some("mqtt")), "404 Not Found"),
    ] {
        let mut web = Web::plain(address).await;
        web.send(request.as_bytes()).await;
        let head = web.head().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{head}"
        );
        let mut rest = Vec::new();
        let read = timeout(PATIENCE_OVER_TCP, web.stream.read_to_end(&mut rest)).await;
        read.expect("the broker closes").unwrap();
    }
    nobody_is_harmed(&broker).await;
    assert_eq!(broker.statistics().connections_failed, 5);
}

/// What comes before a WebSocket is there: closed, whatever it is.
#[tokio::test]
async fn what_is_no_upgrade_is_closed() {
    let broker = broker();
    let address = listen(&broker).await;
    let long_header = format!("GET /mqtt HTTP/1.1\r\nX: {}\r\n", "x".repeat(70_000));
    let many_headers = format!("GET /mqtt HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1_000));
    for garbage in [
        connect_v5("a", 2, 0),
        bytes("16 03 01 02 00 01 00 01 FC 03 03"),
        b"\r\n\r\n\0\0".to_vec(),
        b"POST /mqtt HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /mqtt HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /mqtt HTTP/1.0\r\n\r\n".to_vec(),
        request("/mqtt", Some("mqtt"))
            .replace("13", "12")
            .into_bytes(),
        request("/mqtt", Some("mqtt"))
            .replace(KEY, "short")
            .into_bytes(),
        long_header.into_bytes(),
        many_headers.into_bytes(),
        // Frames that do not wait for the answer.
        [
            request("/mqtt", Some("mqtt")).as_bytes(),
            &frame(BINARY, b"x"),
        ]
        .concat(),
    ] {
        let mut web = Web::plain(address).await;
        web.send_carelessly(&garbage).await;
        web.expect_end().await;
    }
    nobody_is_harmed(&broker).await;
}

#[tokio::test]
async fn half_an_upgrade_and_then_silence_is_closed_in_time() {
    let broker = broker_with(|options| options.connect_timeout = Duration::from_millis(300));
    let address = listen(&broker).await;
    let whole = request("/mqtt", Some("mqtt"));
    let mut silent = Vec::new();
    for part in [0, 1, whole.len() / 2, whole.len() - 1] {
        let mut web = Web::plain(address).await;
        web.send(&whole.as_bytes()[..part]).await;
        silent.push(web);
    }
    for web in &mut silent {
        web.expect_end().await;
    }
    nobody_is_harmed(&broker).await;
}

#[tokio::test]
async fn the_time_for_the_upgrade_covers_the_connect_after_it() {
    // Long enough for any upgrade.
    let broker = broker_with(|options| options.connect_timeout = Duration::from_secs(3));
    let address = listen(&broker).await;
    let mut web = Web::open(address).await;
    web.send_frame(BINARY, &connect_v5("a", 2, 0)[..5]).await;
    let (first, _) = web.frame().await;
    assert_eq!(first, CLOSE);
}

#[tokio::test]
async fn handshakes_count_as_pending() {
    let broker = broker_with(|options| options.max_pending_connections = 2);
    let address = listen(&broker).await;
    let mut first = Web::plain(address).await;
    let mut second = Web::plain(address).await;
    let mut third = Web::plain(address).await;
    // The oldest one has to make room.
    first.expect_end().await;
    assert_eq!(broker.statistics().pending_connections, 2);
    // The others are not disturbed.
    for web in [&mut second, &mut third] {
        web.send(request("/mqtt", Some("mqtt")).as_bytes()).await;
        assert!(web.head().await.starts_with("HTTP/1.1 101 "));
    }
}

#[tokio::test]
async fn v5_mqtt_6_0_0_2_packets_and_frames_need_not_align() {
    let broker = broker();
    let address = listen(&broker).await;
    let publish = publish_v5(0x32, "t", Some(7), b"payload");
    let packets = [subscribe_v5(1, "t", 0), publish, bytes("C0 00")].concat();
    let answers = [
        bytes("90 04 0001 00 00"),
        publish_v5(0x30, "t", None, b"payload"),
        bytes("40 02 0007"),
        bytes("D0 00"),
    ];

    // One byte in each frame.
    let single: Vec<Vec<u8>> = packets.chunks(1).map(|byte| frame(BINARY, byte)).collect();
    // All in one frame, with empty ones around it.
    let joined = vec![
        frame(BINARY, b""),
        frame(BINARY, &packets),
        frame(BINARY, b""),
    ];
    // One message in many fragments, of none, one or more bytes, and control frames between them.
    let fragmented = [
        vec![frame(BEGIN, &packets[..1])],
        packets[1..9]
            .chunks(1)
            .map(|byte| frame(GO_ON, byte))
            .collect(),
        vec![
            frame(GO_ON, b""),
            frame(PONG, b"unasked"),
            frame(END, &packets[9..]),
        ],
    ]
    .concat();
    for (name, frames) in [
        ("single", single),
        ("joined", joined),
        ("fragmented", fragmented),
    ] {
        let mut web = Web::connected(address, name).await;
        for frame in &frames {
            web.send(frame).await;
        }
        expect_in_any_order(&mut web, &answers).await;
    }
}

#[tokio::test]
async fn v311_mqtt_6_0_0_2_packets_and_frames_need_not_align() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::open(address).await;
    let (first, second) = (connect_v311("a", 2), bytes("C0 00 C0 00"));
    let (head, tail) = first.split_at(3);
    web.send_frame(BINARY, head).await;
    web.send_frame(BINARY, &[tail, &second].concat()).await;
    assert_eq!(web.packet().await, [0x20, 2, 0, 0]);
    assert_eq!(web.packet().await, [0xD0, 0]);
    assert_eq!(web.packet().await, [0xD0, 0]);
}

/// Between the answers to one client's own packets and what others (here itself) publish to it there is no order.
async fn expect_in_any_order(web: &mut Web, expected: &[Vec<u8>]) {
    let mut missing = expected.to_vec();
    while !missing.is_empty() {
        let packet = web.packet().await;
        let place = missing.iter().position(|expected| *expected == packet);
        missing.remove(place.unwrap_or_else(|| panic!("{packet:02X?} is not in {missing:02X?}")));
    }
}

#[tokio::test]
async fn frames_may_arrive_byte_by_byte() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::connected(address, "a").await;
    for byte in frame(BINARY, &[&subscribe_v5(1, "t", 0)[..], &[0xC0, 0]].concat()) {
        web.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    expect_in_any_order(&mut web, &[bytes("90 04 0001 00 00"), vec![0xD0, 0]]).await;
}

#[tokio::test]
async fn large_messages_pass_both_ways() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::connected(address, "a").await;
    web.send_frame(BINARY, &subscribe_v5(1, "t", 0)).await;
    web.packet().await;
    let publish = publish_v5(0x30, "t", None, &vec![b'x'; 900_000]);
    web.send_frame(BINARY, &publish).await;
    let mut received = Vec::new();
    while received.len() < publish.len() {
        let (first, payload) = web.frame().await;
        assert_eq!(first, BINARY);
        received.extend(payload);
    }
    assert!(received == publish);
}

async fn text_frame(connect: Vec<u8>) {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::open(address).await;
    web.send_frame(BINARY, &connect).await;
    assert_eq!(web.packet().await[0], 0x20);
    web.send_frame(TEXT, &[0xC0 & 0x7F, 0]).await;
    // 1003: a type of data it cannot accept.
    web.expect_close(1003).await;
    nobody_is_harmed(&broker).await;
}

#[tokio::test]
async fn v5_mqtt_6_0_0_1_a_text_frame_ends_the_connection() {
    text_frame(connect_v5("a", 2, 0)).await;
}

#[tokio::test]
async fn v311_mqtt_6_0_0_1_a_text_frame_ends_the_connection() {
    text_frame(connect_v311("a", 2)).await;
}

#[tokio::test]
async fn pings_are_answered_whatever_else_goes_on() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::open(address).await;
    web.send_frame(PING, b"before").await;
    assert_eq!(web.frame().await, (PONG, b"before".to_vec()));
    let connect = connect_v5("a", 2, 0);
    web.send_frame(BEGIN, &connect[..4]).await;
    web.send_frame(PING, b"between").await;
    assert_eq!(web.frame().await, (PONG, b"between".to_vec()));
    web.send_frame(END, &connect[4..]).await;
    assert_eq!(web.packet().await[0], 0x20);
}

#[tokio::test]
async fn what_is_too_large_or_breaks_the_framing_is_closed_with_its_reason() {
    let broker = broker_with(|options| {
        options.maximum_packet_size = MaximumPacketSize::new(1_000).unwrap();
    });
    let address = listen(&broker).await;
    // The largest CONNECT, and what a message may have beyond a packet.
    let limit = (256 + 64) * 1024;
    let part = vec![0; limit / 2 + 1];
    let announced = [&[BINARY, 0x80 | 127][..], &[0x7F; 8], &[0; 4]].concat();
    for (name, broken, code) in [
        ("announced", announced, Some(1009)),
        // The broker closes with input unread, which may destroy the frame that says why.
        ("a frame", frame(BINARY, &vec![0; limit + 1]), None),
        (
            "a message",
            [frame(BEGIN, &part), frame(END, &part)].concat(),
            None,
        ),
        ("not masked", vec![BINARY, 2, 0xC0, 0], Some(1002)),
        (
            "a reserved bit",
            frame(BINARY | 0x40, &[0xC0, 0]),
            Some(1002),
        ),
        ("an unknown opcode", frame(0x83, b""), Some(1002)),
        ("a fragment of nothing", frame(END, b"x"), Some(1002)),
        ("a fragmented ping", frame(0x09, b""), Some(1002)),
        ("a large ping", frame(PING, &[0; 126]), Some(1002)),
    ] {
        let mut web = Web::connected(address, "a").await;
        web.send_carelessly(&broken).await;
        match code {
            Some(code) => web.expect_close(code).await,
            None => {
                let mut rest = Vec::new();
                let end = timeout(PATIENCE_OVER_TCP, web.stream.read_to_end(&mut rest)).await;
                let _ = end.unwrap_or_else(|_| panic!("{name}: still open"));
            }
        }
        nobody_is_harmed(&broker).await;
    }
}

#[tokio::test]
async fn a_message_that_no_connect_could_be_is_not_waited_for_before_one() {
    let broker = broker_with(|options| options.connect_timeout = Duration::from_secs(600));
    let address = listen(&broker).await;
    let mut web = Web::open(address).await;
    // 900,000 bytes, which a packet may have later, and only the first half of them come.
    let whole = frame(BINARY, &vec![0; 900_000]);
    web.send_carelessly(&whole[..450_000]).await;
    let mut rest = Vec::new();
    let end = timeout(PATIENCE_OVER_TCP, web.stream.read_to_end(&mut rest)).await;
    let _ = end.expect("still open");
    nobody_is_harmed(&broker).await;
}

#[tokio::test]
async fn who_is_refused_may_send_no_more_than_before() {
    let broker = broker_with(|options| {
        options.authenticator = Some(Arc::new(|_: &ConnectInfo<'_>| {
            Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
        }));
        options.close_timeout = Duration::from_secs(600);
    });
    let address = listen(&broker).await;
    let mut web = Web::open(address).await;
    web.send_frame(BINARY, &connect_v5("a", 2, 0)).await;
    let connack = web.packet().await;
    assert_eq!((connack[0], connack[3]), (0x20, 0x86));
    assert_eq!(web.frame().await.0, CLOSE);
    let whole = frame(BINARY, &vec![0; 900_000]);
    web.send_carelessly(&whole[..450_000]).await;
    web.expect_end().await;
}

#[tokio::test]
async fn a_close_frame_is_answered_and_is_no_disconnect() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut watcher = Peer::clean(&broker, "watcher").await;
    watcher.subscribe_v5("will", 0).await;
    let mut web = Web::open(address).await;
    // A Will at QoS 0.
    web.send_frame(
        BINARY,
        &bytes("10 1A | 0004'MQTT' 05 06 003C 00 | 0001'a' 00 0004'will' 0003'bye'"),
    )
    .await;
    assert_eq!(web.packet().await[0], 0x20);
    web.send_frame(CLOSE, &[0x03, 0xE8]).await;
    web.expect_close(1000).await;
    watcher
        .expect_bytes(&publish_v5(0x30, "will", None, b"bye"))
        .await;
}

#[tokio::test]
async fn after_a_disconnect_the_server_closes_the_websocket() {
    let broker = broker();
    let address = listen(&broker).await;
    let mut web = Web::connected(address, "a").await;
    web.send_frame(BINARY, &bytes("E0 00")).await;
    let (first, _) = web.frame().await;
    assert_eq!(first, CLOSE);
    web.expect_end().await;
}

/// What waits for a client that never reads is bounded, and at the bound, here, the client is closed: within a deadline,
/// though nothing can be written to it any more.
#[tokio::test]
async fn a_client_that_never_reads_is_bounded_and_closed() {
    let broker = broker_with(slow_clients_are_disconnected);
    let address = listen(&broker).await;
    let mut silent = Web::connected(address, "a").await;
    silent
        .send_frame(BINARY, &subscribe_v5(1, "flood", 1))
        .await;
    assert_eq!(silent.packet().await, bytes("90 04 0001 00 01"));
    flood_until_closed(&broker).await;
    nobody_is_harmed(&broker).await;
    drop(silent);
}
