//! TLS: what is trusted, what is refused, and how the error names it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mqtt_broker::{Broker, Options as BrokerOptions};
use mqtt_client::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use mqtt_client::rustls::server::{Acceptor, WebPkiClientVerifier};
use mqtt_client::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use mqtt_client::rustls::{crypto::ring, version};
use mqtt_client::{
    Client, ConnectError, ConnectStage, Connector, Options, QoS, ReasonCode, Reconnect, Tls,
    TlsError, TlsVersion,
};
use mqtt_transport::certificates::{
    Authority, Certified, Purpose, Validity, self_signed, self_signed_authority,
};
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{LineEnding, PrivateKeyInfoRef};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::support::message;

const PATIENCE: Duration = Duration::from_secs(30);

/// A broker behind TLS.
struct Server {
    address: SocketAddr,
    config: Arc<Mutex<Arc<ServerConfig>>>,
    /// The names that clients asked for.
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    async fn start(config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(Mutex::new(Arc::new(config)));
        let asked = Arc::<Mutex<Vec<Option<String>>>>::default();
        let (configs, names) = (Arc::clone(&config), Arc::clone(&asked));
        tokio::spawn(async move {
            let broker = Broker::start(BrokerOptions::default());
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (broker, names) = (broker.clone(), Arc::clone(&names));
                let config = Arc::clone(&configs.lock().unwrap());
                tokio::spawn(async move { serve(broker, socket, config, &names).await });
            }
        });
        Self {
            address,
            config,
            asked,
        }
    }

    fn options(&self, tls: Tls) -> Options {
        Options::new("127.0.0.1", self.address.port()).with_tls(tls)
    }
}

async fn serve(
    broker: Broker,
    socket: TcpStream,
    config: Arc<ServerConfig>,
    names: &Mutex<Vec<Option<String>>>,
) {
    let acceptor = LazyConfigAcceptor::new(Acceptor::default(), socket);
    let Ok(start) = acceptor.await else { return };
    let name = start.client_hello().server_name().map(str::to_owned);
    names.lock().unwrap().push(name);
    if let Ok(stream) = start.into_stream(config).await {
        broker.serve(stream);
    }
}

fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap()
}

/// A server that asks for no certificate.
fn open_server(certified: &Certified) -> ServerConfig {
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).unwrap();
    ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain(&certified.chain), key)
        .unwrap()
}

/// A server that asks for one.
fn closed_server(
    certified: &Certified,
    clients: &Authority,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain(&clients.pem()));
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build();
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(chain(&certified.chain), key)
        .unwrap()
}

async fn connect(options: Options) -> Result<Client, ConnectError> {
    timeout(PATIENCE, Client::connect(options))
        .await
        .expect("an answer")
}

/// What stood against a connection, as TLS has it.
async fn refused(options: Options) -> TlsError {
    match connect(options).await {
        Err(ConnectError::Tls { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

async fn works(options: Options) {
    let client = connect(options).await.unwrap();
    let delivery = client.publish(message("t", "x", QoS::AtLeastOnce)).await;
    let delivery = delivery.unwrap();
    delivery.wait_timeout(PATIENCE).await.expect("an outcome");
    assert_eq!(
        delivery.reason_code(),
        Some(ReasonCode::NO_MATCHING_SUBSCRIBERS)
    );
    client.close(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_a_given_authority_is_trusted() {
    let authority = Authority::new("root");
    let server = Server::start(open_server(&authority.server(&["127.0.0.1"]))).await;
    works(server.options(Tls::new().with_roots_pem(authority.pem()))).await;
}

#[tokio::test]
async fn a_large_message_goes_both_ways() {
    let authority = Authority::new("root");
    let server = Server::start(open_server(&authority.server(&["127.0.0.1"]))).await;
    let options = server.options(Tls::new().with_roots_pem(authority.pem()));
    let client = connect(options).await.unwrap();
    let mut stream = client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
    let payload = "0123456789abcdef".repeat(60_000);
    let delivery = client
        .publish(message("t", &payload, QoS::AtLeastOnce))
        .await;
    let received = timeout(PATIENCE, stream.recv()).await.unwrap().unwrap();
    assert!(received.message.payload() == payload.as_bytes());
    assert!(delivery.unwrap().wait_timeout(PATIENCE).await.is_some());
}

#[tokio::test]
async fn roots_come_from_a_file_behind_a_symbolic_link() {
    let authority = Authority::new("root");
    let server = Server::start(open_server(&authority.server(&["127.0.0.1"]))).await;
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("current.pem");
    std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
    std::os::unix::fs::symlink("ca.pem", &link).unwrap();
    works(server.options(Tls::new().with_roots_file(&link))).await;
}

#[tokio::test]
async fn a_wrong_name_is_told_with_the_right_ones() {
    let authority = Authority::new("root");
    let certified = authority.server(&["a.example", "*.b.example", "192.0.2.1"]);
    let server = Server::start(open_server(&certified)).await;
    let options = server.options(Tls::new().with_roots_pem(authority.pem()));
    let error = connect(options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot speak TLS with {}: the server's certificate is not for 127.0.0.1 but for a.example, *.b.example, 192.0.2.1",
            server.address
        )
    );
}

#[tokio::test]
async fn the_server_name_can_be_another_than_the_host() {
    let authority = Authority::new("root");
    let server = Server::start(open_server(&authority.server(&["broker.example"]))).await;
    let tls = Tls::new().with_roots_pem(authority.pem());
    works(server.options(tls.clone().with_server_name("broker.example"))).await;
    // It is both asked for and looked for.
    let error = refused(server.options(tls.with_server_name("other.example"))).await;
    assert!(matches!(error, TlsError::WrongName { .. }), "{error}");
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        [
            Some("broker.example".to_owned()),
            Some("other.example".to_owned())
        ]
    );
}

#[tokio::test]
async fn certificates_out_of_their_time_are_refused() {
    let authority = Authority::new("root");
    let tls = Tls::new().with_roots_pem(authority.pem());
    for (validity, expected) in [
        (
            Validity::Expired,
            "the server's certificate expired 1 day ago",
        ),
        (
            Validity::NotYet,
            "the server's certificate is not valid yet: it will be in 1 day, by the clock of this machine",
        ),
    ] {
        let certified = authority.sign(Purpose::Server, &["127.0.0.1"], validity);
        let server = Server::start(open_server(&certified)).await;
        let error = refused(server.options(tls.clone())).await;
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_we_trust_is_refused() {
    let authority = Authority::new("root");
    let certified = self_signed(&["127.0.0.1"]);
    let server = Server::start(open_server(&certified)).await;
    let error = refused(server.options(Tls::new().with_roots_pem(authority.pem()))).await;
    assert_eq!(error, TlsError::UnknownIssuer);
    // Nor by the system, if it has authorities.
    match connect(server.options(Tls::new())).await.unwrap_err() {
        ConnectError::Tls { cause, .. } => assert_eq!(cause, TlsError::UnknownIssuer),
        ConnectError::Options(error) => {
            assert!(
                error
                    .to_string()
                    .starts_with("the system has no certificates")
            )
        }
        other => panic!("{other}"),
    }
    // It is trusted where it is named.
    works(server.options(Tls::new().with_roots_pem(certified.chain.clone()))).await;
}

#[tokio::test]
async fn a_self_signed_authority_as_server_is_told_apart() {
    let certified = self_signed_authority(&["127.0.0.1"]);
    let server = Server::start(open_server(&certified)).await;
    let error = refused(server.options(Tls::new().with_roots_pem(certified.chain.clone()))).await;
    assert_eq!(error, TlsError::AuthorityAsServer);
}

#[tokio::test]
async fn intermediate_authorities_come_from_the_server() {
    let root = Authority::new("root");
    let certified = root
        .intermediate("region")
        .intermediate("site")
        .server(&["127.0.0.1"]);
    let tls = Tls::new().with_roots_pem(root.pem());
    let server = Server::start(open_server(&certified)).await;
    works(server.options(tls.clone())).await;

    let leaf_only = Certified {
        chain: certified
            .chain
            .split_inclusive("-----END CERTIFICATE-----\n")
            .take(1)
            .collect(),
        key: certified.key,
    };
    let server = Server::start(open_server(&leaf_only)).await;
    assert_eq!(refused(server.options(tls)).await, TlsError::UnknownIssuer);
}

#[tokio::test]
async fn insecure_takes_any_certificate() {
    let server = Server::start(open_server(&self_signed_authority(&["other.example"]))).await;
    works(server.options(Tls::new().with_insecure_no_verify(true))).await;
}

#[tokio::test]
async fn a_client_certificate_lets_in_where_one_is_demanded() {
    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let client = authority.client("device-7");
    let stranger = Authority::new("another").client("device-7");
    let expired = authority.sign(Purpose::Client, &["device-7"], Validity::Expired);
    let tls = Tls::new().with_roots_pem(authority.pem());
    let with = |certified: &Certified| {
        let identity = (certified.chain.clone(), certified.key.clone());
        tls.clone().with_identity_pem(identity.0, identity.1)
    };
    for version in [&version::TLS13, &version::TLS12] {
        let server = Server::start(closed_server(&certified, &authority, version)).await;
        works(server.options(with(&client))).await;
        assert_eq!(
            refused(server.options(tls.clone())).await,
            TlsError::ClientCertificateRequired,
            "{version:?}"
        );
        assert_eq!(
            refused(server.options(with(&stranger))).await.to_string(),
            "the server does not accept the client certificate: its authority is not one that the server trusts"
        );
        assert_eq!(
            refused(server.options(with(&expired))).await.to_string(),
            "the server does not accept the client certificate: it has expired"
        );
    }
}

/// The private key of `certified`, encrypted with the passphrase "secret".
fn encrypted_key(certified: &Certified) -> String {
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes()).unwrap();
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(10, b"salt", [7; 16]).unwrap();
    let encrypted = PrivateKeyInfoRef::try_from(key.secret_der())
        .and_then(|key| key.encrypt_with_params(parameters, b"secret"))
        .unwrap();
    let pem = encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF);
    pem.unwrap().to_string()
}

#[tokio::test]
async fn the_key_of_a_client_certificate_may_be_encrypted() {
    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let client = authority.client("device-7");
    let server = Server::start(closed_server(&certified, &authority, &version::TLS13)).await;
    let tls = Tls::new()
        .with_roots_pem(authority.pem())
        .with_identity_pem(client.chain.clone(), encrypted_key(&client));
    let options = |tls: Tls| server.options(tls);
    works(options(tls.clone().with_key_passphrase("secret"))).await;

    let refused = |tls: Tls| options(tls).check().unwrap_err().to_string();
    assert_eq!(
        refused(tls.clone()),
        "tls.identity: the private key in the given text is encrypted; set tls.key_passphrase"
    );
    assert_eq!(
        refused(tls.clone().with_key_passphrase("Secret")),
        "tls.identity: the passphrase does not open the private key in the given text: give the one that it was encrypted with"
    );
    let shown = format!("{:?}", tls.with_key_passphrase("secret"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn the_oldest_version_of_tls_can_be_chosen() {
    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let tls = Tls::new().with_roots_pem(authority.pem());
    let newest = tls.clone().with_min_version(TlsVersion::V1_3);
    let client = authority.client("device-7");
    let with_client = |tls: &Tls| {
        tls.clone()
            .with_identity_pem(client.chain.clone(), client.key.clone())
    };
    let old = Server::start(closed_server(&certified, &authority, &version::TLS12)).await;
    works(old.options(with_client(&tls))).await;
    assert_eq!(
        refused(old.options(with_client(&newest))).await.to_string(),
        "the server refuses what was offered: no version of TLS in common"
    );
    works(Server::start(open_server(&certified)).await.options(newest)).await;
}

#[tokio::test]
async fn application_protocols_are_agreed_on() {
    let authority = Authority::new("root");
    let mut config = open_server(&authority.server(&["127.0.0.1"]));
    config.alpn_protocols = vec![b"mqtt".to_vec()];
    let server = Server::start(config).await;
    let tls = Tls::new().with_roots_pem(authority.pem());
    works(server.options(tls.clone().with_alpn("x-other").with_alpn("mqtt"))).await;
    assert_eq!(
        refused(server.options(tls.with_alpn("x-other")))
            .await
            .to_string(),
        "the server refuses what was offered: no application protocol (ALPN) in common"
    );
}

#[tokio::test]
async fn a_configuration_of_the_callers_is_used_as_it_is() {
    let authority = Authority::new("root");
    let server = Server::start(open_server(&authority.server(&["127.0.0.1"]))).await;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain(&authority.pem()));
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    works(server.options(Tls::from_config(config.into()))).await;
}

#[tokio::test]
async fn tls_goes_over_a_connector_too() {
    let authority = Authority::new("root");
    let server = Server::start(open_server(&authority.server(&["broker.example"]))).await;
    let address = server.address;
    let connector = Connector::new("a tunnel", move || TcpStream::connect(address));
    let tls = Tls::new().with_roots_pem(authority.pem());
    let options = Options::with_connector(connector);
    assert_eq!(
        options
            .clone()
            .with_tls(tls.clone())
            .check()
            .unwrap_err()
            .to_string(),
        "tls.server_name must be set to connect to a tunnel"
    );
    works(options.with_tls(tls.with_server_name("broker.example"))).await;
}

#[tokio::test]
async fn servers_that_speak_no_tls_are_told_apart() {
    let tls = Tls::new().with_insecure_no_verify(true);
    let broker = Broker::bind("127.0.0.1:0", BrokerOptions::default())
        .await
        .unwrap();
    let port = broker.local_addr().unwrap().port();
    let error = refused(Options::new("127.0.0.1", port).with_tls(tls.clone())).await;
    assert!(
        matches!(error, TlsError::Closed | TlsError::NotTls),
        "{error}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        stream
    });
    let error = refused(Options::new("127.0.0.1", port).with_tls(tls)).await;
    assert_eq!(error, TlsError::NotTls);
    drop(answer.await.unwrap());
}

#[tokio::test]
async fn plain_mqtt_to_a_tls_port_is_named() {
    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(open_server(&certified)));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.map(drop)
    });
    let error = connect(Options::new("127.0.0.1", address.port())).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "{address} does not speak MQTT as it should: it speaks TLS here: use mqtts:// or wss://, or set tls"
        )
    );
}

#[tokio::test]
async fn silence_in_the_handshake_is_a_timeout_that_says_where() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options::new("127.0.0.1", address.port())
        .with_tls(Tls::new().with_insecure_no_verify(true))
        .with_connect_timeout(Duration::from_secs(2));
    let error = connect(options).await.unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::TimedOut {
                stage: ConnectStage::Tls,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("timed out in the TLS handshake"),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_whose_tls_fails_is_passed_over() {
    let authority = Authority::new("root");
    let tls = Tls::new().with_roots_pem(authority.pem());
    let bad = Server::start(open_server(&self_signed(&["127.0.0.1"]))).await;
    let good = Server::start(open_server(&authority.server(&["127.0.0.1"]))).await;
    let options = bad
        .options(tls)
        .with_address("127.0.0.1", good.address.port());
    let client = connect(options).await.unwrap();
    assert_eq!(client.connack().unwrap().address, good.address.to_string());
}

/// A certificate that is renewed while the client runs lets it in.
#[tokio::test]
async fn a_renewed_certificate_ends_the_trouble() {
    let authority = Authority::new("root");
    let expired = authority.sign(Purpose::Server, &["127.0.0.1"], Validity::Expired);
    let server = Server::start(open_server(&expired)).await;
    let policy = Reconnect {
        min: Duration::from_millis(1),
        ..Reconnect::default()
    };
    let options = server
        .options(Tls::new().with_roots_pem(authority.pem()))
        .with_reconnect(policy);
    let client = Client::start(options).unwrap();
    let mut states = client.states();
    let backoff = states.wait_for(|state| matches!(state, mqtt_client::State::Backoff { .. }));
    drop(timeout(PATIENCE, backoff).await.unwrap().unwrap());
    *server.config.lock().unwrap() = Arc::new(open_server(&authority.server(&["127.0.0.1"])));
    client.connected(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn what_can_never_work_is_refused_at_the_call() {
    let authority = Authority::new("root");
    let client = authority.client("device-7");
    let other = authority.client("device-8");
    let refused = |tls: Tls| {
        let options = Options::new("broker.example", 8883).with_tls(tls);
        let error = options.check().unwrap_err();
        // A start says the same.
        assert_eq!(Client::start(options).unwrap_err(), error);
        error.to_string()
    };
    assert_eq!(
        refused(Tls::new().with_roots_file("/nowhere/ca.pem")),
        "tls.roots: cannot read /nowhere/ca.pem: No such file or directory (os error 2)"
    );
    assert_eq!(
        refused(Tls::new().with_roots_pem("")),
        "tls.roots: the given text has no certificate in PEM"
    );
    assert!(
        refused(
            Tls::new()
                .with_roots_pem("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
        )
        .starts_with("tls.roots: ")
    );
    assert_eq!(
        refused(Tls::new().with_identity_pem(client.chain.clone(), other.key.clone())),
        "tls.identity: the private key does not fit the certificate"
    );
    assert_eq!(
        refused(Tls::new().with_identity_pem(client.key.clone(), client.key.clone())),
        "tls.identity: the given text has no certificate in PEM"
    );
    assert_eq!(
        refused(Tls::new().with_identity_pem(client.chain.clone(), client.chain.clone())),
        "tls.identity: the given text has no private key in PEM"
    );
    assert_eq!(
        refused(Tls::new().with_server_name("not a name")),
        "\"not a name\" is neither a DNS name nor an address that a certificate could be for; set tls.server_name"
    );
    assert_eq!(
        refused(Tls::new().with_alpn("")),
        "tls.alpn: a protocol must have 1 to 255 bytes"
    );
    let mut tls = Tls::from_config(Arc::new(
        ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    ));
    tls.insecure_no_verify = true;
    assert_eq!(
        refused(tls),
        "tls.insecure_no_verify has no effect beside tls.config: set it there"
    );
    let unix = Options::unix("/run/mqtt.sock").with_tls(Tls::new());
    assert_eq!(
        unix.check().unwrap_err().to_string(),
        "tls.server_name must be set to connect to unix:/run/mqtt.sock"
    );
}
