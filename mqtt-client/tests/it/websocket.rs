//! MQTT over WebSocket, against servers whose frames are written by hand from RFC 6455, and against the embedded broker.

use std::net::SocketAddr;
use std::time::Duration;

use mqtt_broker::{Broker, Listener, LocalAddress, Options as BrokerOptions, Pem, ServerTls};
use mqtt_client::{
    Client, ConnectError, ConnectStage, Options, QoS, ReasonCode, Tls, TlsError, UpgradeError,
    WebSocket,
};
use mqtt_transport::certificates::Authority;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::{CONNACK_V5, CONNACK_V311, Peer, SECOND, Server, message, scripted};

const PATIENCE: Duration = Duration::from_secs(30);

/// First bytes of frames: FIN and opcode.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// CONNECT of 3.1.1 with the client identifier `a`.
const CONNECT_V311: &[u8] = &[
    0x10, 0x0D, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'a',
];

fn websocket() -> (Options, Server) {
    let (options, server) = scripted();
    (options.with_websocket(WebSocket::default()), server)
}

/// The next upgrade request of a client, its head in lines.
async fn request(server: &mut Server) -> (Peer, Vec<String>) {
    let mut peer = server.peer().await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(peer.byte().await);
    }
    let head = String::from_utf8(head).unwrap();
    (peer, head.lines().map(str::to_owned).collect())
}

fn value<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The next connection, upgraded.
async fn upgraded(server: &mut Server) -> Peer {
    let (mut peer, head) = request(server).await;
    let accept = derive_accept_key(value(&head, "Sec-WebSocket-Key").unwrap().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    peer.send(answer.as_bytes()).await;
    peer
}

/// A short frame of a server, which does not mask.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, length], payload].concat()
}

/// The next frame of a client, with its payload unmasked.
async fn next_frame(peer: &mut Peer) -> (u8, Vec<u8>) {
    let (first, length) = (peer.byte().await, peer.byte().await);
    assert!(length & 0x80 != 0, "a client masks (RFC 6455 5.1)");
    let length = match length & 0x7F {
        126 => u16::from_be_bytes([peer.byte().await, peer.byte().await]),
        length => u16::from(length),
    };
    let mut mask = [0; 4];
    for byte in &mut mask {
        *byte = peer.byte().await;
    }
    let mut payload = Vec::new();
    for index in 0..usize::from(length) {
        payload.push(peer.byte().await ^ mask[index % 4]);
    }
    (first, payload)
}

/// A client of 5.0 that is connected.
async fn connected(options: Options, server: &mut Server) -> (Client, Peer) {
    let client = Client::start(options).unwrap();
    let mut peer = upgraded(server).await;
    let (first, connect) = next_frame(&mut peer).await;
    assert_eq!((first, connect[0]), (BINARY, 0x10));
    peer.send(&frame(BINARY, CONNACK_V5)).await;
    client.connected(SECOND).await.unwrap();
    (client, peer)
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_6_0_0_3_the_client_offers_mqtt() {
    let (options, mut server) = scripted();
    let websocket = WebSocket::new("/broker?region=eu")
        .with_header("Authorization", "Bearer token")
        .with_header("X-Twice", "1")
        .with_header("X-Twice", "2");
    let _client = Client::start(options.with_websocket(websocket)).unwrap();
    let (_peer, head) = request(&mut server).await;
    assert_eq!(head[0], "GET /broker?region=eu HTTP/1.1");
    for (name, expected) in [
        ("Sec-WebSocket-Protocol", "mqtt"),
        ("Sec-WebSocket-Version", "13"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Host", "localhost"),
        ("Authorization", "Bearer token"),
    ] {
        assert_eq!(value(&head, name), Some(expected), "{head:?}");
    }
    let twice = head.iter().filter(|line| line.starts_with("x-twice: "));
    assert_eq!(twice.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_6_0_0_3_the_client_offers_mqtt() {
    let (options, mut server) = websocket();
    let options = options.with_version(mqtt_client::Version::V3_1_1);
    let client = Client::start(options).unwrap();
    let mut peer = upgraded(&mut server).await;
    assert_eq!(next_frame(&mut peer).await, (BINARY, CONNECT_V311.to_vec()));
    peer.send(&frame(BINARY, CONNACK_V311)).await;
    client.connected(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_6_0_0_4_another_subprotocol_is_not_taken() {
    for (line, expected) in [
        (
            "",
            "cannot speak WebSocket with script: the WebSocket server did not choose the subprotocol \"mqtt\": \
             it does not speak MQTT at this path",
        ),
        (
            "Sec-WebSocket-Protocol: mqttv3.1\r\n",
            "cannot speak WebSocket with script: the WebSocket server chose another subprotocol than \"mqtt\"",
        ),
    ] {
        let (options, mut server) = websocket();
        let connecting = tokio::spawn(Client::connect(options));
        let (mut peer, head) = request(&mut server).await;
        let accept = derive_accept_key(value(&head, "Sec-WebSocket-Key").unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{line}\r\n"
        );
        peer.send(answer.as_bytes()).await;
        let error = connecting.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_upgrade_names_the_status() {
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "the WebSocket upgrade was refused with HTTP status 404 Not Found",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\n\r\nwho are you?",
            "the WebSocket upgrade was refused with HTTP status 401 Unauthorized",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            "the WebSocket upgrade was refused with HTTP status 200 OK",
        ),
        (
            "HTTP/1.1 799 Whatever\r\n\r\n",
            "the WebSocket upgrade was refused with HTTP status 799",
        ),
    ] {
        let (options, mut server) = websocket();
        let connecting = tokio::spawn(Client::connect(options));
        let (mut peer, _) = request(&mut server).await;
        peer.send(answer.as_bytes()).await;
        let error = connecting.await.unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot speak WebSocket with script: {expected}")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_websocket_is_told_as_such() {
    let endless = format!("HTTP/1.1 101 X\r\nX: {}", "x".repeat(70_000));
    for answer in [
        &[0x20, 0x03, 0x00, 0x00, 0x00][..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        endless.as_bytes(),
    ] {
        let (options, mut server) = websocket();
        let connecting = tokio::spawn(Client::connect(options));
        let (mut peer, _) = request(&mut server).await;
        peer.send(answer).await;
        let error = connecting.await.unwrap().unwrap_err();
        let ConnectError::WebSocket {
            cause: UpgradeError::NotWebSocket { .. },
            ..
        } = error
        else {
            panic!("{error}")
        };
    }
    let (options, mut server) = websocket();
    let connecting = tokio::spawn(Client::connect(options));
    drop(request(&mut server).await);
    assert_eq!(
        connecting.await.unwrap().unwrap_err().to_string(),
        "cannot speak WebSocket with script: the connection was closed during the WebSocket upgrade"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_in_the_upgrade_is_a_timeout_that_says_where() {
    let (options, mut server) = websocket();
    let connecting = tokio::spawn(Client::connect(options.with_connect_timeout(SECOND * 3)));
    let (_peer, _) = request(&mut server).await;
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(
        error,
        ConnectError::TimedOut {
            stage: ConnectStage::WebSocket,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "script did not answer within 3s: timed out waiting for its answer to the WebSocket upgrade"
    );
}

async fn text_frame(options: Options, server: &mut Server, connack: &[u8]) {
    let client = Client::start(options).unwrap();
    let mut peer = upgraded(server).await;
    assert_eq!(next_frame(&mut peer).await.0, BINARY);
    peer.send(&frame(BINARY, connack)).await;
    client.connected(SECOND).await.unwrap();
    peer.send(&frame(TEXT, b"hello")).await;
    // 1003: a type of data it cannot accept.
    let (first, close) = next_frame(&mut peer).await;
    assert_eq!((first, &close[..2]), (CLOSE, &[0x03, 0xEB][..]));
    peer.expect_end().await;
    // And it comes back.
    upgraded(server).await;
    let error = client.status().last_error.unwrap();
    assert_eq!(
        error,
        "lost the connection to script: a WebSocket frame of text, where MQTT allows binary ones only"
    );
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_6_0_0_1_a_text_frame_ends_the_connection() {
    let (options, mut server) = websocket();
    text_frame(options, &mut server, CONNACK_V5).await;
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_6_0_0_1_a_text_frame_ends_the_connection() {
    let (options, mut server) = websocket();
    let options = options.with_version(mqtt_client::Version::V3_1_1);
    text_frame(options, &mut server, CONNACK_V311).await;
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_6_0_0_2_frames_and_packets_need_not_align() {
    let (options, mut server) = websocket();
    let client = Client::start(options).unwrap();
    let mut peer = upgraded(&mut server).await;
    next_frame(&mut peer).await;
    // CONNACK over three frames, with an empty one and a ping between them.
    peer.send(&frame(BINARY, &CONNACK_V5[..1])).await;
    peer.send(&frame(PING, b"are you there?")).await;
    peer.send(&frame(BINARY, b"")).await;
    peer.send(&frame(BINARY, &CONNACK_V5[1..4])).await;
    peer.send(&frame(BINARY, &CONNACK_V5[4..])).await;
    client.connected(SECOND).await.unwrap();
    assert_eq!(
        next_frame(&mut peer).await,
        (PONG, b"are you there?".to_vec())
    );

    let client_for_subscribe = client.clone();
    let subscribing =
        tokio::spawn(async move { client_for_subscribe.subscribe("t", QoS::AtMostOnce).await });
    let (first, subscribe) = next_frame(&mut peer).await;
    assert_eq!((first, subscribe[0]), (BINARY, 0x82));
    // SUBACK and the beginning of a PUBLISH in one message of three fragments, byte by byte.
    let suback = [0x90, 4, subscribe[2], subscribe[3], 0, 0];
    let publish = [0x30, 5, 0, 1, b't', 0, b'x'];
    let [begin, go_on, end] = [0x02, 0x00, 0x80];
    let frames = [
        frame(begin, &suback[..4]),
        frame(go_on, &[&suback[4..], &publish[..3]].concat()),
        frame(end, b""),
        frame(BINARY, &publish[3..]),
    ];
    for byte in frames.concat() {
        peer.send(&[byte]).await;
    }
    let mut stream = subscribing.await.unwrap().unwrap();
    assert_eq!(stream.recv().await.unwrap().message.payload(), b"x");
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_6_0_0_2_frames_and_packets_need_not_align() {
    let (options, mut server) = websocket();
    let options = options.with_version(mqtt_client::Version::V3_1_1);
    let client = Client::start(options).unwrap();
    let mut peer = upgraded(&mut server).await;
    next_frame(&mut peer).await;
    // CONNACK and a PUBLISH that nobody asked for, cut within both.
    let packets = [CONNACK_V311, &[0x30, 4, 0, 1, b't', b'x']].concat();
    peer.send(&frame(BINARY, &packets[..2])).await;
    peer.send(&frame(BINARY, &packets[2..7])).await;
    peer.send(&frame(BINARY, &packets[7..])).await;
    client.connected(SECOND).await.unwrap();
    client.close(SECOND).await.unwrap();
    assert_eq!(client.status().received, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_over_the_limit_is_refused_from_its_header() {
    let (options, mut server) = websocket();
    let (client, mut peer) = connected(options.with_maximum_packet_size(1_000), &mut server).await;
    // 16 MiB announced.
    peer.send(&[BINARY, 127, 0, 0, 0, 0, 1, 0, 0, 0]).await;
    let (first, close) = next_frame(&mut peer).await;
    // 1009: too big to process.
    assert_eq!((first, &close[..2]), (CLOSE, &[0x03, 0xF1][..]));
    peer.expect_end().await;
    upgraded(&mut server).await;
    let error = client.status().last_error.unwrap();
    assert!(error.contains("too long"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn closing_says_disconnect_and_then_closes_the_websocket() {
    let (options, mut server) = websocket();
    let (client, mut peer) = connected(options, &mut server).await;
    let closing = tokio::spawn(async move { client.close(SECOND * 5).await });
    assert_eq!(next_frame(&mut peer).await, (BINARY, vec![0xE0, 0]));
    assert_eq!(next_frame(&mut peer).await.0, CLOSE);
    peer.send(&frame(CLOSE, b"")).await;
    drop(peer);
    closing.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_ends_the_connection_and_the_client_comes_back() {
    let (options, mut server) = websocket();
    let (client, mut peer) = connected(options, &mut server).await;
    // 1001: going away.
    peer.send(&frame(CLOSE, &[0x03, 0xE9])).await;
    assert_eq!(next_frame(&mut peer).await, (CLOSE, vec![0x03, 0xE9]));
    peer.expect_end().await;
    upgraded(&mut server).await;
    assert!(!client.state().is_closed());
}

#[test]
fn what_can_never_be_sent_is_refused_at_the_call() {
    let refused = |websocket: WebSocket| {
        let options = Options::new("h", 80).with_websocket(websocket);
        options.check().unwrap_err().to_string()
    };
    assert_eq!(
        refused(WebSocket::new("mqtt")),
        "websocket: \"mqtt\" is not the path of a URL; it begins with a slash"
    );
    assert_eq!(
        refused(WebSocket::new("/a b")),
        "websocket: \"/a b\" is not the path of a URL; it begins with a slash"
    );
    let with_header = |name, value| refused(WebSocket::default().with_header(name, value));
    assert_eq!(
        with_header("a b", "c"),
        "websocket: \"a b\" is not the name of an HTTP header"
    );
    assert_eq!(
        with_header("Authorization", "secret\r\nX: y"),
        "websocket: the value of the HTTP header \"Authorization\" has characters beyond visible ASCII"
    );
    assert_eq!(
        with_header("Sec-WebSocket-Protocol", "chat"),
        "websocket: the HTTP header \"Sec-WebSocket-Protocol\" belongs to the WebSocket handshake"
    );
}

/// A broker that listens so, and its TCP address.
async fn broker(listener: Listener) -> (Broker, SocketAddr) {
    let broker = Broker::start(BrokerOptions::default());
    match broker.open(&listener).await.unwrap() {
        LocalAddress::Tcp(address) => (broker, address),
        other => panic!("{other}"),
    }
}

async fn works(options: Options) -> Client {
    let client = timeout(PATIENCE, Client::connect(options)).await;
    let client = client.expect("an answer").unwrap();
    let mut stream = client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
    let payload = "0123456789abcdef".repeat(50_000);
    for text in ["small", &payload] {
        let delivery = client.publish(message("t", text, QoS::AtLeastOnce)).await;
        let received = timeout(PATIENCE, stream.recv()).await.unwrap().unwrap();
        assert!(received.message.payload() == text.as_bytes());
        let delivery = delivery.unwrap();
        delivery.wait_timeout(PATIENCE).await.expect("an outcome");
        assert_eq!(delivery.reason_code(), Some(ReasonCode::SUCCESS));
    }
    client
}

#[tokio::test]
async fn urls_lead_to_the_broker_with_and_without_tls() {
    let authority = Authority::new("root");
    let (_plain, address) = broker(Listener::tcp("127.0.0.1:0").with_websocket("/mqtt")).await;
    let options = Options::from_url(&format!("ws://{address}")).unwrap();
    let client = works(options.clone()).await;
    assert_eq!(client.connack().unwrap().address, address.to_string());
    client.close(PATIENCE).await.unwrap();

    let elsewhere = Options::from_url(&format!("ws://{address}/elsewhere")).unwrap();
    let error = Client::connect(elsewhere).await.unwrap_err();
    assert!(error.to_string().ends_with("404 Not Found"), "{error}");

    let certified = authority.server(&["127.0.0.1"]);
    let tls = ServerTls::new(Pem::bytes(certified.chain), Pem::bytes(certified.key));
    let listener = Listener::tcp("127.0.0.1:0")
        .with_websocket("/")
        .with_tls(tls.clone());
    let (_secure, address) = broker(listener).await;
    let secure = Options::from_url(&format!("wss://{address}"))
        .unwrap()
        .with_tls(Tls::new().with_roots_pem(authority.pem()))
        .with_websocket(WebSocket::new("/"));
    works(secure.clone()).await.close(PATIENCE).await.unwrap();

    // The server's word about a client certificate comes in the middle of the upgrade.
    let closed = tls.with_client_ca(Pem::bytes(authority.pem()));
    let listener = Listener::tcp("127.0.0.1:0")
        .with_websocket("/")
        .with_tls(closed);
    let (_closed, address) = broker(listener).await;
    let mut options = secure;
    options.addresses = vec![mqtt_client::Address::tcp("127.0.0.1", address.port())];
    let error = Client::connect(options).await.unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::Tls {
                cause: TlsError::ClientCertificateRequired,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_whose_upgrade_fails_is_passed_over() {
    let (_bad, elsewhere) = broker(Listener::tcp("127.0.0.1:0").with_websocket("/other")).await;
    let (_good, address) = broker(Listener::tcp("127.0.0.1:0").with_websocket("/mqtt")).await;
    let options = Options::from_url(&format!("ws://{elsewhere}"))
        .unwrap()
        .with_address("127.0.0.1", address.port());
    let client = works(options).await;
    assert_eq!(client.connack().unwrap().address, address.to_string());
}
