//! Unix sockets.

use std::time::Duration;

use mqtt_broker::{Broker, Listener, Options as BrokerOptions};
use mqtt_client::{Client, Options, QoS};
use tokio::time::timeout;

use crate::support::message;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_socket_is_reached_by_its_path_or_its_url() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my mqtt.sock");
    let broker = Broker::start(BrokerOptions::default());
    broker.open(&Listener::unix(&path)).await.unwrap();
    let url = format!("unix://{}/my%20mqtt.sock", directory.path().display());
    for options in [Options::unix(&path), Options::from_url(&url).unwrap()] {
        let client = timeout(PATIENCE, Client::connect(options)).await;
        let client = client.unwrap().unwrap();
        assert_eq!(
            client.connack().unwrap().address,
            format!("unix:{}", path.display())
        );
        let delivery = client.publish(message("t", "x", QoS::AtLeastOnce)).await;
        let delivery = delivery.unwrap();
        assert!(delivery.wait_timeout(PATIENCE).await.is_some());
        client.close(PATIENCE).await.unwrap();
    }
}

#[cfg(all(feature = "tls", feature = "websocket"))]
#[tokio::test]
async fn layers_go_over_it_as_over_tcp() {
    use mqtt_broker::{Pem, ServerTls};
    use mqtt_client::{Tls, WebSocket};
    use mqtt_transport::certificates::Authority;

    let authority = Authority::new("root");
    let certified = authority.server(&["broker.example"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    let broker = Broker::start(BrokerOptions::default());
    let tls = ServerTls::new(Pem::bytes(certified.chain), Pem::bytes(certified.key));
    let listener = Listener::unix(&path).with_tls(tls).with_websocket("/mqtt");
    broker.open(&listener).await.unwrap();
    let tls = Tls::new()
        .with_roots_pem(authority.pem())
        .with_server_name("broker.example");
    let options = Options::unix(&path)
        .with_tls(tls)
        .with_websocket(WebSocket::default());
    let client = timeout(PATIENCE, Client::connect(options)).await;
    client.unwrap().unwrap().close(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn errors_name_the_path_and_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    let shown = path.display();
    let refused = async || {
        let connecting = timeout(PATIENCE, Client::connect(Options::unix(&path))).await;
        connecting.unwrap().unwrap_err().to_string()
    };
    assert_eq!(
        refused().await,
        format!("cannot connect to unix:{shown}: No such file or directory (os error 2)")
    );
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert_eq!(
        refused().await,
        format!("cannot connect to unix:{shown}: Connection refused (os error 111)")
    );
}

#[tokio::test]
async fn a_socket_that_is_missing_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let broker = Broker::bind("127.0.0.1:0", BrokerOptions::default())
        .await
        .unwrap();
    let address = broker.local_addr().unwrap();
    let options =
        Options::unix(directory.path().join("mqtt.sock")).with_address("127.0.0.1", address.port());
    let client = timeout(PATIENCE, Client::connect(options)).await;
    assert_eq!(
        client.unwrap().unwrap().connack().unwrap().address,
        address.to_string()
    );
}
