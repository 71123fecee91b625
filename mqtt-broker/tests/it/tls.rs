//! Listeners with TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mqtt_broker::rustls::crypto::ring;
use mqtt_broker::rustls::pki_types::pem::PemObject;
use mqtt_broker::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use mqtt_broker::rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use mqtt_broker::{
    Access, Action, Broker, ConnectInfo, ListenError, Listener, LocalAddress, Pem, ServerTls,
};
use mqtt_core::ReasonCode;
use mqtt_transport::certificates::{Authority, Certified};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{
    PATIENCE_OVER_TCP, Peer, broker, broker_with, bytes, connect_v5, flood_until_closed,
    nobody_is_harmed, publish_v5, slow_clients_are_disconnected,
};

fn server_tls(certified: &Certified) -> ServerTls {
    ServerTls::new(
        Pem::bytes(certified.chain.clone()),
        Pem::bytes(certified.key.clone()),
    )
}

async fn listen(broker: &Broker, tls: ServerTls) -> SocketAddr {
    let listener = Listener::tcp("127.0.0.1:0").with_tls(tls);
    match broker.open(&listener).await.unwrap() {
        LocalAddress::Tcp(address) => address,
        other => panic!("{other}"),
    }
}

/// A client that trusts `authority`, and shows a certificate if it has one.
fn client_config(authority: &Authority, identity: Option<&Certified>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(identity.chain.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap(),
            )
            .unwrap(),
    })
}

async fn handshake(address: SocketAddr, config: Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connecting = TlsConnector::from(config).connect(name, stream);
    timeout(PATIENCE_OVER_TCP, connecting)
        .await
        .expect("a handshake")
        .unwrap()
}

/// The first flight of a client.
fn client_hello(authority: &Authority) -> Vec<u8> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut connection = ClientConnection::new(client_config(authority, None), name).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    hello
}

/// Whatever is said before, the connection ends.
async fn ends(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let end = timeout(PATIENCE_OVER_TCP, stream.read_to_end(&mut rest)).await;
    // A reset is an end as well.
    let _ = end.expect("the broker closes");
}

#[tokio::test]
async fn clients_publish_and_receive() {
    let authority = Authority::new("root");
    let broker = broker();
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    assert_eq!(broker.local_addr(), Some(address));
    let mut peer = Peer::over(handshake(address, client_config(&authority, None)).await);
    peer.send_bytes(&connect_v5("a", 2, 0)).await;
    assert_eq!(peer.connack_v5().await, (false, 0));
    peer.subscribe_v5("t", 0).await;
    // Larger than what the layers hold, both ways.
    let large = publish_v5(0x30, "t", None, &vec![b'x'; 900_000]);
    peer.send_bytes(&large).await;
    peer.expect_bytes(&large).await;
    peer.send("E0 00").await;
    peer.expect_close().await;
}

#[tokio::test]
async fn shutdown_says_goodbye_in_every_layer() {
    let authority = Authority::new("root");
    let broker = broker();
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    let stream = handshake(address, client_config(&authority, None)).await;
    let mut peer = Peer::over(stream);
    peer.send_bytes(&connect_v5("a", 2, 0)).await;
    assert_eq!(peer.connack_v5().await, (false, 0));
    let stopping = broker.clone();
    let stopped = tokio::spawn(async move { stopping.shutdown(PATIENCE_OVER_TCP).await });
    let why = "the server shuts down";
    peer.expect_explained(0xE0, "8B", why, "").await;
    // Without the alert close_notify this would be an error.
    assert_eq!(peer.into_rest().await.unwrap(), b"");
    assert!(stopped.await.unwrap());
}

#[tokio::test]
async fn a_client_certificate_is_demanded_where_that_is_asked_for() {
    let authority = Authority::new("root");
    let devices = Authority::new("devices");
    let broker = broker();
    let tls = server_tls(&authority.server(&["127.0.0.1"]));
    let address = listen(&broker, tls.with_client_ca(Pem::bytes(devices.pem()))).await;

    let known = client_config(&authority, Some(&devices.client("device-7")));
    let mut peer = Peer::over(handshake(address, known).await);
    peer.send_bytes(&connect_v5("a", 2, 0)).await;
    assert_eq!(peer.connack_v5().await, (false, 0));

    for identity in [None, Some(authority.client("device-7"))] {
        let stranger = client_config(&authority, identity.as_ref());
        // TLS 1.3 tells only after the handshake.
        let mut stream = handshake(address, stranger).await;
        stream.write_all(&connect_v5("b", 2, 0)).await.ok();
        let mut byte = [0];
        let read = timeout(PATIENCE_OVER_TCP, stream.read(&mut byte)).await;
        let error = read.expect("an answer").unwrap_err();
        assert!(error.to_string().contains("alert"), "{error}");
    }
    assert_eq!(broker.statistics().connections_accepted, 1);
}

#[tokio::test]
async fn a_client_is_known_by_its_certificate() {
    let authority = Authority::new("root");
    let devices = Authority::new("devices");
    let der = |certified: &Certified| {
        let der = CertificateDer::from_pem_slice(certified.chain.as_bytes()).unwrap();
        vec![der.to_vec()]
    };
    let (seven, eight) = (devices.client("device-7"), devices.client("device-8"));
    let (known, also_known) = (der(&seven), der(&eight));
    let broker = broker_with(|options| {
        options.authenticator = Some(Arc::new({
            let known = known.clone();
            move |info: &ConnectInfo<'_>| match info.client_id {
                "device-7" if info.certificates != known => Err(ReasonCode::NOT_AUTHORIZED),
                _ => Ok(()),
            }
        }));
        options.authorizer = Some(Arc::new(move |access: &Access<'_>| match access.action {
            Action::Publish(_) if access.certificates == also_known => {
                Err(ReasonCode::NOT_AUTHORIZED)
            }
            _ => Ok(()),
        }));
    });
    let tls = server_tls(&authority.server(&["127.0.0.1"]));
    let address = listen(&broker, tls.with_client_ca(Pem::bytes(devices.pem()))).await;
    for (identity, client_id, let_in, may_publish) in [
        (&seven, "device-7", 0, Some(0x10)),
        (&eight, "device-7", 0x87, None),
        (&eight, "device-8", 0, Some(0x87)),
    ] {
        let config = client_config(&authority, Some(identity));
        let mut peer = Peer::over(handshake(address, config).await);
        peer.send_bytes(&connect_v5(client_id, 2, 0)).await;
        assert_eq!(peer.connack_v5().await, (false, let_in));
        if let Some(reason) = may_publish {
            assert_eq!(peer.publish_qos_1("t", b"x").await, reason);
        }
    }
    // Who comes without TLS has shown none.
    let mut plain = Peer::new(&broker);
    plain.send_bytes(&connect_v5("device-7", 2, 0)).await;
    assert_eq!(plain.connack_v5().await, (false, 0x87));
}

#[cfg(feature = "websocket")]
#[tokio::test]
async fn websocket_goes_within_tls() {
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;

    let authority = Authority::new("root");
    let broker = broker();
    let tls = server_tls(&authority.server(&["127.0.0.1"]));
    let listener = Listener::tcp("127.0.0.1:0")
        .with_tls(tls)
        .with_websocket("/ws");
    let LocalAddress::Tcp(address) = broker.open(&listener).await.unwrap() else {
        panic!("no TCP")
    };
    let stream = handshake(address, client_config(&authority, None)).await;
    let request =
        ClientRequestBuilder::new("wss://127.0.0.1/ws".parse().unwrap()).with_sub_protocol("mqtt");
    let (mut frames, _) = tokio_tungstenite::client_async(request, stream)
        .await
        .unwrap();
    let connect = Message::Binary(connect_v5("a", 2, 0).into());
    futures_util::SinkExt::send(&mut frames, connect)
        .await
        .unwrap();
    let answer = timeout(
        PATIENCE_OVER_TCP,
        futures_util::StreamExt::next(&mut frames),
    )
    .await;
    let answer = answer.expect("an answer").unwrap().unwrap().into_data();
    assert_eq!((answer[0], answer[3]), (0x20, 0));
}

#[tokio::test]
async fn a_handshake_of_garbage_ends_and_harms_nobody() {
    let authority = Authority::new("root");
    let broker = broker();
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    let hello = client_hello(&authority);
    let mut flipped = hello.clone();
    flipped[20..60].fill(0xFF);
    for garbage in [
        connect_v5("a", 2, 0),
        b"GET /mqtt HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 1_000],
        vec![0xFF; 100_000],
        // A record of more than TLS allows.
        bytes("16 03 01 FF FF"),
        // An alert, and application data, before anything else.
        bytes("15 03 03 00 02 02 28"),
        bytes("17 03 03 00 05 'hello'"),
        [&hello[..], b"and then something else"].concat(),
        flipped,
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&garbage).await.ok();
        stream.shutdown().await.ok();
        ends(&mut stream).await;
    }
    nobody_is_harmed(&broker).await;
    assert_eq!(broker.statistics().connections_accepted, 2);
}

#[tokio::test]
async fn half_a_handshake_and_then_silence_is_closed_in_time() {
    let authority = Authority::new("root");
    // Time enough for a whole handshake on a machine that is busy.
    let broker = broker_with(|options| options.connect_timeout = Duration::from_secs(3));
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    let hello = client_hello(&authority);
    let mut silent = Vec::new();
    for part in [0, 1, 5, hello.len() / 2, hello.len()] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&hello[..part]).await.unwrap();
        silent.push(stream);
    }
    for stream in &mut silent {
        ends(stream).await;
    }
    nobody_is_harmed(&broker).await;
    assert_eq!(broker.statistics().connections_failed, 5);
}

#[tokio::test]
async fn the_time_for_the_handshake_covers_the_connect_after_it() {
    let authority = Authority::new("root");
    // Long enough for any handshake.
    let broker = broker_with(|options| options.connect_timeout = Duration::from_secs(3));
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    let mut peer = Peer::over(handshake(address, client_config(&authority, None)).await);
    peer.send_bytes(&connect_v5("a", 2, 0)[..5]).await;
    peer.expect_close().await;
    assert_eq!(broker.statistics().connections_failed, 1);
}

#[tokio::test]
async fn handshakes_count_as_pending() {
    let authority = Authority::new("root");
    let broker = broker_with(|options| options.max_pending_connections = 2);
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    let hello = client_hello(&authority);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&hello[..hello.len() / 2]).await.unwrap();
        held.push(stream);
    }
    // The oldest one has to make room, and that harms nobody else.
    let third = handshake(address, client_config(&authority, None)).await;
    ends(&mut held[0]).await;
    assert_eq!(broker.statistics().pending_connections, 2);
    let mut third = Peer::over(third);
    third.send_bytes(&connect_v5("a", 2, 0)).await;
    assert_eq!(third.connack_v5().await, (false, 0));
}

/// What waits for a client that never reads is bounded, and at the bound, here, the client is closed: within a deadline,
/// though nothing can be written to it any more.
#[tokio::test]
async fn a_client_that_never_reads_is_bounded_and_closed() {
    let authority = Authority::new("root");
    let broker = broker_with(slow_clients_are_disconnected);
    let address = listen(&broker, server_tls(&authority.server(&["127.0.0.1"]))).await;
    let mut silent = Peer::over(handshake(address, client_config(&authority, None)).await);
    silent.send_bytes(&connect_v5("a", 2, 0)).await;
    silent.connack_v5().await;
    silent.subscribe_v5("flood", 1).await;
    flood_until_closed(&broker).await;
    nobody_is_harmed(&broker).await;
    drop(silent);
}

#[tokio::test]
async fn other_machines_are_let_in_by_authentication_alone() {
    let authority = Authority::new("root");
    let broker = broker();
    let tls = server_tls(&authority.server(&["127.0.0.1"]));
    let anywhere = Listener::tcp("0.0.0.0:0");
    for open in [anywhere.clone(), anywhere.clone().with_tls(tls.clone())] {
        let error = broker.open(&open).await.unwrap_err();
        assert!(
            matches!(error, ListenError::AuthenticationRequired { .. }),
            "{error}"
        );
    }
    // A certificate of each client is authentication.
    let closed = anywhere.with_tls(tls.with_client_ca(Pem::bytes(authority.pem())));
    broker.open(&closed).await.unwrap();
}

#[tokio::test]
async fn what_can_never_work_is_refused_at_the_call() {
    let authority = Authority::new("root");
    let (one, other) = (authority.server(&["a"]), authority.server(&["b"]));
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(one.chain.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(one.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let broker = broker();
    listen(&broker, ServerTls::from_config(config.clone().into())).await;
    let mut shown = Vec::new();
    for tls in [
        ServerTls::from_files("/nowhere/chain.pem", "/nowhere/key.pem"),
        ServerTls::new(Pem::bytes(one.chain.clone()), Pem::file("/nowhere/key.pem")),
        ServerTls::new(Pem::bytes(one.chain.clone()), Pem::bytes(other.key)),
        server_tls(&one).with_client_ca(Pem::bytes("")),
        ServerTls::from_config(config.into()).with_client_ca(Pem::bytes(authority.pem())),
    ] {
        let listener = Listener::tcp("127.0.0.1:0").with_tls(tls);
        let error = broker.open(&listener).await.unwrap_err();
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        shown.push(format!("{error}{cause}"));
    }
    assert_eq!(
        shown,
        [
            "the certificate of the server: cannot read /nowhere/chain.pem: No such file or directory (os error 2)",
            "the private key of the server: cannot read /nowhere/key.pem: No such file or directory (os error 2)",
            "the private key does not fit the certificate of the server",
            "the authorities for client certificates: the given text has no certificate in PEM",
            "a rustls configuration says itself which client certificates it demands",
        ]
    );
    assert_eq!(broker.local_addrs().len(), 1);
}
