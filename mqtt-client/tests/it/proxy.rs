//! The client through proxies that the tests play, byte by byte as RFC 9110, RFC 1928 and RFC 1929 have them.

use std::time::Duration;

#[cfg(feature = "tls")]
use mqtt_broker::{Broker, Listener, LocalAddress, Options as BrokerOptions, Pem, ServerTls};
use mqtt_client::{
    Client, ConnectError, ConnectStage, Connector, Options, OptionsError, Proxy, ProxyError,
    ProxyOptionsError, ProxyProtocol, Reconnect,
};
#[cfg(feature = "tls")]
use mqtt_transport::certificates::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::CONNACK_V5;

/// Fails only on a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// CONNECT for `broker.example:1883`, and the same with `me` and `secret`.
const CONNECT: &str = "CONNECT broker.example:1883 HTTP/1.1\r\nHost: broker.example:1883\r\n\r\n";
const CONNECT_AS_ME: &str = "CONNECT broker.example:1883 HTTP/1.1\r\nHost: broker.example:1883\r\n\
                             Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n";

/// SOCKS 5: one method is offered, none; or two, none and user name with password.
const METHODS: &[u8] = &[5, 1, 0];
const METHODS_AS_ME: &[u8] = &[5, 2, 0, 2];
/// User name `me`, password `secret` (RFC 1929).
const ME: &[u8] = b"\x01\x02me\x06secret";
/// Version, CONNECT, reserved, a name of 14 bytes, port 1883.
const SOCKS_CONNECT: &[u8] = b"\x05\x01\x00\x03\x0Ebroker.example\x07\x5B";
/// Version, succeeded, reserved, IPv4, address and port bound.
const SOCKS_DONE: &[u8] = &[5, 0, 0, 1, 127, 0, 0, 1, 4, 5];

struct TestProxy {
    listener: TcpListener,
    port: u16,
}

impl TestProxy {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    fn options(&self, protocol: ProxyProtocol) -> Options {
        through(Proxy::new(protocol, "127.0.0.1", self.port))
    }

    fn options_as_me(&self, protocol: ProxyProtocol) -> Options {
        let proxy = Proxy::new(protocol, "127.0.0.1", self.port);
        through(proxy.with_credentials("me", "secret"))
    }

    /// The next connection, after this dialogue: what the client has to say, and what the proxy answers.
    async fn talk(&self, dialogue: &[(&[u8], &[u8])]) -> TcpStream {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        for (said, answer) in dialogue {
            let mut heard = vec![0; said.len()];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, said);
            // In two pieces, as a network may bring it.
            let (first, second) = answer.split_at(answer.len() / 2);
            stream.write_all(first).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(second).await.unwrap();
        }
        stream
    }
}

fn through(proxy: Proxy) -> Options {
    let reconnect = Reconnect {
        attempts: Some(0),
        ..Reconnect::default()
    };
    Options::new("broker.example", 1883)
        .with_proxy(proxy)
        .with_connect_timeout(PATIENCE)
        .with_reconnect(reconnect)
}

/// A proxy that has this dialogue leads to a server.
async fn leads_to_a_server(proxy: &TestProxy, options: Options, dialogue: &[(&[u8], &[u8])]) {
    let serve = async {
        let mut stream = proxy.talk(dialogue).await;
        // From here on it is MQTT: a CONNECT of 5.0 begins.
        let mut connect = [0; 9];
        stream.read_exact(&mut connect).await.unwrap();
        assert_eq!((connect[0], &connect[4..]), (0x10, &b"MQTT\x05"[..]));
        stream.write_all(CONNACK_V5).await.unwrap();
        stream
    };
    let (stream, client) = timeout(PATIENCE, async {
        tokio::join!(serve, Client::connect(options))
    })
    .await
    .unwrap();
    let client = client.unwrap();
    let expected = format!(
        "broker.example:1883 through the proxy 127.0.0.1:{}",
        proxy.port
    );
    assert_eq!(client.connack().unwrap().address, expected);
    drop(stream);
}

/// What a client has to say about a proxy that has this dialogue and then hangs up.
async fn fails(proxy: &TestProxy, options: Options, dialogue: &[(&[u8], &[u8])]) -> ConnectError {
    let serve = async { drop(proxy.talk(dialogue).await) };
    let both = async { tokio::join!(serve, Client::connect(options)) };
    let ((), client) = timeout(PATIENCE, both).await.unwrap();
    client.unwrap_err()
}

#[tokio::test]
async fn http_connect_leads_to_the_server() {
    let proxy = TestProxy::new().await;
    let answer = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n";
    let options = proxy.options(ProxyProtocol::Http);
    leads_to_a_server(&proxy, options, &[(CONNECT.as_bytes(), answer)]).await;
    let options = proxy.options_as_me(ProxyProtocol::Http);
    let answer = b"HTTP/1.0 200 OK\r\n\r\n";
    leads_to_a_server(&proxy, options, &[(CONNECT_AS_ME.as_bytes(), answer)]).await;
}

#[tokio::test]
async fn socks_5_leads_to_the_server() {
    let proxy = TestProxy::new().await;
    let options = proxy.options(ProxyProtocol::Socks5);
    let dialogue: &[(&[u8], &[u8])] = &[(METHODS, &[5, 0]), (SOCKS_CONNECT, SOCKS_DONE)];
    leads_to_a_server(&proxy, options, dialogue).await;
    let options = proxy.options_as_me(ProxyProtocol::Socks5);
    // It may do without, and answer with a name.
    let named = b"\x05\x00\x00\x03\x01x\x04\x05";
    let dialogue: &[(&[u8], &[u8])] = &[(METHODS_AS_ME, &[5, 0]), (SOCKS_CONNECT, named)];
    leads_to_a_server(&proxy, options.clone(), dialogue).await;
    let dialogue: &[(&[u8], &[u8])] = &[
        (METHODS_AS_ME, &[5, 2]),
        (ME, &[1, 0]),
        (SOCKS_CONNECT, SOCKS_DONE),
    ];
    leads_to_a_server(&proxy, options, dialogue).await;
}

#[tokio::test]
async fn a_proxy_that_says_no_is_quoted() {
    let proxy = TestProxy::new().await;
    let address = format!("the proxy 127.0.0.1:{}", proxy.port);
    let http = [
        (
            &b"HTTP/1.1 403 Forbidden\r\n\r\n"[..],
            "it says 403 Forbidden",
        ),
        (b"HTTP/1.1 502\r\n\r\n", "it says 502"),
        // 3xx leads elsewhere, and CONNECT follows nowhere.
        (
            b"HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n",
            "it says 302 Found",
        ),
    ];
    for (answer, expected) in http {
        let dialogue = [(CONNECT.as_bytes(), answer)];
        let error = fails(&proxy, proxy.options(ProxyProtocol::Http), &dialogue).await;
        assert_eq!(
            error.to_string(),
            format!("{address} does not lead to broker.example:1883: {expected}")
        );
    }
    for (reply, expected) in [
        (1, "General SOCKS server failure"),
        (2, "Connection not allowed by ruleset"),
        (4, "Host unreachable"),
        (5, "Connection refused"),
    ] {
        let answer = [5, reply, 0, 1, 0, 0, 0, 0, 0, 0];
        let dialogue: &[(&[u8], &[u8])] = &[(METHODS, &[5, 0]), (SOCKS_CONNECT, &answer)];
        let error = fails(&proxy, proxy.options(ProxyProtocol::Socks5), dialogue).await;
        assert_eq!(
            error.to_string(),
            format!("{address} does not lead to broker.example:1883: it says {expected}")
        );
    }
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_says_so() {
    let proxy = TestProxy::new().await;
    let wanted = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
    let dialogue = [(CONNECT.as_bytes(), wanted.as_bytes())];
    let error = fails(&proxy, proxy.options(ProxyProtocol::Http), &dialogue).await;
    assert!(
        matches!(
            &error,
            ConnectError::Proxy {
                cause: ProxyError::CredentialsWanted,
                ..
            }
        ),
        "{error}"
    );
    let dialogue = [(CONNECT_AS_ME.as_bytes(), wanted.as_bytes())];
    let error = fails(&proxy, proxy.options_as_me(ProxyProtocol::Http), &dialogue).await;
    assert!(
        matches!(
            &error,
            ConnectError::Proxy {
                cause: ProxyError::CredentialsRefused,
                ..
            }
        ),
        "{error}"
    );
    let dialogue: &[(&[u8], &[u8])] = &[(METHODS, &[5, 0xFF])];
    let error = fails(&proxy, proxy.options(ProxyProtocol::Socks5), dialogue).await;
    assert!(
        matches!(
            &error,
            ConnectError::Proxy {
                cause: ProxyError::CredentialsWanted,
                ..
            }
        ),
        "{error}"
    );
    let dialogue: &[(&[u8], &[u8])] = &[(METHODS_AS_ME, &[5, 2]), (ME, &[1, 1])];
    let error = fails(&proxy, proxy.options_as_me(ProxyProtocol::Socks5), dialogue).await;
    assert!(
        matches!(
            &error,
            ConnectError::Proxy {
                cause: ProxyError::CredentialsRefused,
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"));
}

#[tokio::test]
async fn what_is_no_proxy_is_told_from_one() {
    let proxy = TestProxy::new().await;
    let endless = [&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n".repeat(2_000)].concat();
    let early = b"HTTP/1.1 200 OK\r\n\r\n220 mail.example";
    for answer in [&b"SSH-2.0-OpenSSH\r\n"[..], &endless, early] {
        let dialogue = [(CONNECT.as_bytes(), answer)];
        let error = fails(&proxy, proxy.options(ProxyProtocol::Http), &dialogue).await;
        assert!(
            matches!(
                &error,
                ConnectError::Proxy {
                    cause: ProxyError::NotAProxy { .. },
                    ..
                }
            ),
            "{error}"
        );
    }
    for dialogue in [
        &[(METHODS, &b"HT"[..])][..],
        // A method that was not offered, another version, another kind of address.
        &[(METHODS, &[5, 1])],
        &[(METHODS, &[5, 0]), (SOCKS_CONNECT, &[4, 0, 0, 1])],
        &[(METHODS, &[5, 0]), (SOCKS_CONNECT, &[5, 0, 0, 9])],
    ] {
        let error = fails(&proxy, proxy.options(ProxyProtocol::Socks5), dialogue).await;
        assert!(
            matches!(
                &error,
                ConnectError::Proxy {
                    cause: ProxyError::NotAProxy { .. },
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_up_is_told_from_its_server() {
    let proxy = TestProxy::new().await;
    let http = &[(CONNECT.as_bytes(), &b"HTTP/1.1 200"[..])][..];
    let socks = &[(METHODS, &[5][..])][..];
    for (protocol, dialogue) in [(ProxyProtocol::Http, http), (ProxyProtocol::Socks5, socks)] {
        let error = fails(&proxy, proxy.options(protocol), dialogue).await;
        assert!(
            matches!(
                &error,
                ConnectError::Proxy {
                    cause: ProxyError::Io(_),
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_silent_proxy_has_as_long_as_a_server() {
    let proxy = TestProxy::new().await;
    for protocol in [ProxyProtocol::Http, ProxyProtocol::Socks5] {
        let options = proxy
            .options(protocol)
            .with_connect_timeout(Duration::from_secs(1));
        let connecting = timeout(PATIENCE, Client::connect(options));
        let error = connecting.await.unwrap().unwrap_err();
        let ConnectError::TimedOut { address, stage, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*stage, ConnectStage::Proxy);
        assert_eq!(*address, format!("the proxy 127.0.0.1:{}", proxy.port));
    }
}

#[tokio::test]
async fn a_proxy_where_nobody_listens_is_named() {
    // A port that was free a moment ago refuses.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let options = through(Proxy::new(ProxyProtocol::Http, "127.0.0.1", port));
    let error = Client::connect(options).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("cannot connect to the proxy 127.0.0.1:{port}: ")),
        "{message}"
    );
}

#[tokio::test]
async fn a_name_that_could_say_more_is_not_said() {
    let proxy = TestProxy::new().await;
    for name in [
        "a HTTP/1.1\r\nX: y",
        "b\u{FC}cher.example",
        &"x".repeat(256),
    ] {
        let mut options = proxy.options(ProxyProtocol::Http);
        options.addresses = vec![mqtt_client::Address::tcp(name, 1883)];
        let error = fails(&proxy, options, &[]).await;
        assert!(
            matches!(
                &error,
                ConnectError::Proxy {
                    cause: ProxyError::ServerName,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_connector_does_not_go_through_a_proxy() {
    let connector = Connector::new("a pipe", || async { Ok(tokio::io::duplex(1).0) });
    let options = Options::with_connector(connector).with_proxy(Proxy::new(
        ProxyProtocol::Http,
        "127.0.0.1",
        1,
    ));
    let expected = OptionsError::Proxy(ProxyOptionsError::WithConnector);
    assert_eq!(options.check(), Err(expected));
}

/// TLS goes from end to end: its certificate is the server's.
#[cfg(feature = "tls")]
#[tokio::test]
async fn tls_goes_through_a_proxy_to_the_server() {
    let authority = Authority::new("tests");
    let identity = authority.server(&["localhost"]);
    let tls = ServerTls::new(Pem::bytes(identity.chain), Pem::bytes(identity.key));
    let broker = Broker::start(BrokerOptions::default());
    let listener = Listener::tcp("127.0.0.1:0").with_tls(tls);
    let LocalAddress::Tcp(address) = broker.open(&listener).await.unwrap() else {
        panic!("no TCP port");
    };
    let proxy = TestProxy::new().await;
    let mut options = proxy.options(ProxyProtocol::Socks5);
    options.addresses = vec![mqtt_client::Address::tcp("localhost", address.port())];
    let options =
        options.with_tls(mqtt_client::Tls::new().with_roots_pem(authority.pem().into_bytes()));
    let asked = [
        &b"\x05\x01\x00\x03\x09localhost"[..],
        &address.port().to_be_bytes(),
    ]
    .concat();
    let serve = async {
        let dialogue: &[(&[u8], &[u8])] = &[(METHODS, &[5, 0]), (&asked, SOCKS_DONE)];
        let mut client = proxy.talk(dialogue).await;
        let mut server = TcpStream::connect(address).await.unwrap();
        // It ends with either of them.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    };
    let talk = async {
        let client = Client::connect(options).await.unwrap();
        client.close(PATIENCE).await.unwrap();
    };
    timeout(PATIENCE, async { tokio::join!(serve, talk) })
        .await
        .unwrap();
}
