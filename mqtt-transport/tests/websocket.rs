//! MQTT over WebSocket (v5 6, v311 6), against the other side written by hand: HTTP as text, frames as bytes.

#![cfg(feature = "websocket")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects is to fail there"
)]

use std::time::Duration;

use mqtt_transport::{BinaryStream, Upgrade, UpgradeError, accept};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Nothing here waits for anything but the other end of a pipe in memory.
const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST_FIRST_PACKET: u32 = 256 << 10;
const LARGEST_PACKET: u32 = 1 << 20;

/// A server that is asked to upgrade with these further headers, and its answer in lower case.
async fn server(
    headers: &str,
) -> (
    Result<BinaryStream<DuplexStream>, UpgradeError>,
    DuplexStream,
    String,
) {
    let (mut client, ours) = duplex(64 << 10);
    // The key is that of the example in RFC 6455.
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let accepted = timeout(
        PATIENCE,
        accept(ours, "/mqtt", LARGEST_FIRST_PACKET, LARGEST_PACKET),
    )
    .await
    .unwrap();
    let answer = head(&mut client).await.to_lowercase();
    (accepted, client, answer)
}

/// What a server makes of a connection whose client offers the subprotocol.
async fn upgraded_server() -> (BinaryStream<DuplexStream>, DuplexStream) {
    let (accepted, client, answer) = server("Sec-WebSocket-Protocol: mqtt\r\n").await;
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    (accepted.unwrap(), client)
}

/// A client that asks for an upgrade and is answered with `protocol` as a further header; what it asked, in lower case.
async fn client(
    protocol: &str,
) -> (
    Result<BinaryStream<DuplexStream>, UpgradeError>,
    DuplexStream,
    String,
) {
    let (ours, mut server) = duplex(64 << 10);
    let upgrade = Upgrade::new("/mqtt", &[]).unwrap();
    let asking = upgrade.request(ours, "localhost", LARGEST_PACKET);
    let answering = async {
        let request = head(&mut server).await;
        let key = request
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("Sec-WebSocket-Key")
                    .then(|| value.trim().to_owned())
            })
            .unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n{protocol}\r\n",
            derive_accept_key(key.as_bytes())
        );
        server.write_all(answer.as_bytes()).await.unwrap();
        request
    };
    let (upgraded, request) = timeout(PATIENCE, async { tokio::join!(asking, answering) })
        .await
        .unwrap();
    (upgraded, server, request.to_lowercase())
}

/// The head of a request or an answer.
async fn head(stream: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn expect(stream: &mut (impl tokio::io::AsyncRead + Unpin), bytes: &[u8]) {
    let mut received = vec![0; bytes.len()];
    timeout(PATIENCE, stream.read_exact(&mut received))
        .await
        .expect("too little came")
        .unwrap();
    assert_eq!(received, bytes, "{received:02X?}");
}

#[tokio::test]
async fn v5_mqtt_6_0_0_1_and_v311_mqtt_6_0_0_1_a_frame_of_text_ends_the_connection() {
    let (mut server, mut client) = upgraded_server().await;
    // A whole message of text, masked with zeros: PINGREQ, were it binary.
    client.write_all(b"\x81\x82\0\0\0\0\x40\x00").await.unwrap();
    let mut byte = [0];
    let read = timeout(PATIENCE, server.read(&mut byte)).await.unwrap();
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    // A Close frame says 1003, unsupported data; and nothing is read any more.
    expect(&mut client, b"\x88\x1A\x03\xEBMQTT needs binary frames").await;
    client.write_all(b"\x82\x82\0\0\0\0\xC0\x00").await.unwrap();
    let read = timeout(PATIENCE, server.read(&mut byte)).await.unwrap();
    assert_eq!(read.unwrap(), 0);
}

#[tokio::test]
async fn v5_mqtt_6_0_0_1_and_v311_mqtt_6_0_0_1_what_is_written_goes_in_binary_frames() {
    let (mut server, mut client) = upgraded_server().await;
    server.write_all(b"\xD0\x00").await.unwrap();
    server.flush().await.unwrap();
    expect(&mut client, b"\x82\x02\xD0\x00").await;
}

#[tokio::test]
async fn v5_mqtt_6_0_0_2_and_v311_mqtt_6_0_0_2_packets_begin_and_end_anywhere_in_frames() {
    let (mut server, mut client) = upgraded_server().await;
    for frame in [
        // PINGREQ in two frames.
        &b"\x82\x81\0\0\0\0\xC0"[..],
        b"\x82\x81\0\0\0\0\x00",
        // One and a half in one, with nothing in the next and the rest in another.
        b"\x82\x83\0\0\0\0\xC0\x00\xC0",
        b"\x82\x80\0\0\0\0",
        b"\x82\x81\0\0\0\0\x00",
        // A message in two fragments, a ping between them.
        b"\x02\x81\0\0\0\0\xC0",
        b"\x89\x80\0\0\0\0",
        b"\x80\x81\0\0\0\0\x00",
    ] {
        client.write_all(frame).await.unwrap();
    }
    expect(&mut server, b"\xC0\x00\xC0\x00\xC0\x00\xC0\x00").await;
}

#[tokio::test]
async fn v5_mqtt_6_0_0_3_and_v311_mqtt_6_0_0_3_the_client_offers_mqtt() {
    let (upgraded, mut server, request) = client("Sec-WebSocket-Protocol: mqtt\r\n").await;
    assert!(
        request.contains("\r\nsec-websocket-protocol: mqtt\r\n"),
        "{request}"
    );
    let mut client = upgraded.unwrap();
    // What a client sends is masked, what a server sends is not.
    server.write_all(b"\x82\x02\xD0\x00").await.unwrap();
    expect(&mut client, b"\xD0\x00").await;
}

#[tokio::test]
async fn v5_mqtt_6_0_0_3_and_v311_mqtt_6_0_0_3_a_client_that_does_not_offer_mqtt_is_refused() {
    for headers in ["", "Sec-WebSocket-Protocol: mqttv3.1, chat\r\n"] {
        let (accepted, _client, answer) = server(headers).await;
        assert!(accepted.is_err());
        assert!(answer.starts_with("http/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn v5_mqtt_6_0_0_4_and_v311_mqtt_6_0_0_4_the_server_chooses_mqtt() {
    for offer in ["mqtt", "mqttv3.1, mqtt", "chat,mqtt , superchat"] {
        let (accepted, _client, answer) =
            server(&format!("Sec-WebSocket-Protocol: {offer}\r\n")).await;
        accepted.unwrap();
        assert!(
            answer.contains("\r\nsec-websocket-protocol: mqtt\r\n"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn v5_mqtt_6_0_0_4_and_v311_mqtt_6_0_0_4_a_server_that_chooses_anything_else_is_left() {
    let (none, _server, _) = client("").await;
    assert!(matches!(none.unwrap_err(), UpgradeError::NoSubprotocol));
    let (other, _server, _) = client("Sec-WebSocket-Protocol: mqttv3.1\r\n").await;
    assert!(matches!(other.unwrap_err(), UpgradeError::WrongSubprotocol));
}

/// More than a first packet may have, and less than a later one.
const LARGE: usize = 600 << 10;

/// The header of a frame with so many bytes, masked with zeros.
fn header_of_large_frame() -> Vec<u8> {
    let length = (LARGE as u64).to_be_bytes();
    [&[0x82, 0x80 | 127][..], &length, &[0; 4]].concat()
}

#[tokio::test]
async fn a_server_takes_no_more_than_a_first_packet_even_of_whom_it_has_answered() {
    let (mut server, mut client) = upgraded_server().await;
    // It may be a refusal.
    server.write_all(b"\x20\x02\0\x05").await.unwrap();
    server.shutdown().await.unwrap();
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        client.write_all(&header_of_large_frame()).await.unwrap();
        while sent < LARGE && client.write_all(&[0; 1 << 10]).await.is_ok() {
            sent += 1 << 10;
        }
        sent
    });
    let error = timeout(PATIENCE, server.read(&mut [0])).await.unwrap();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("first packet"), "{error}");
    drop(server);
    let sent = timeout(PATIENCE, sending).await.unwrap().unwrap();
    // The packet, what a message may have beyond one, one read, and what the pipe holds.
    let most = (256 + 64 + 4 + 64) << 10;
    assert!(((256 + 63) << 10..=most).contains(&sent), "{sent}");
}

#[tokio::test]
async fn once_the_limit_is_lifted_a_server_takes_what_a_later_packet_may_have() {
    let (mut server, mut client) = upgraded_server().await;
    server.lift_first_limit();
    let sending = tokio::spawn(async move {
        client.write_all(&header_of_large_frame()).await.unwrap();
        client.write_all(&vec![b'x'; LARGE]).await.unwrap();
        client
    });
    expect(&mut server, &vec![b'x'; LARGE]).await;
    sending.await.unwrap();
}
