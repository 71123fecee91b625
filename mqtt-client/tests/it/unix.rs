//! Unix sockets.

#[cfg(target_os = "linux")]
use std::fs::Permissions;
#[cfg(target_os = "linux")]
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use mqtt_broker::{Broker, Listener, Options as BrokerOptions};
use mqtt_client::{Client, Options, QoS};
#[cfg(target_os = "linux")]
use rustix::process::Uid;
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

/// What is said about a Unix socket that cannot be reached, without the name of the path.
async fn refusal(path: &Path) -> String {
    let connecting = timeout(PATIENCE, Client::connect(Options::unix(path))).await;
    let said = connecting.unwrap().unwrap_err().to_string();
    let cause = said.strip_prefix(&format!("cannot connect to unix:{}: ", path.display()));
    cause.expect("a path and a cause").to_owned()
}

#[tokio::test]
async fn errors_name_the_path_and_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    assert_eq!(
        refusal(&path).await,
        "No such file or directory (os error 2)"
    );
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(refusal(&path).await, "Connection refused (os error 111)");

    let file = directory.path().join("mqtt.conf");
    std::fs::write(&file, "").unwrap();
    assert_eq!(refusal(&file).await, "this is no socket");
    assert_eq!(refusal(directory.path()).await, "this is no socket");
    assert_eq!(
        refusal(&file.join("mqtt.sock")).await,
        "Not a directory (os error 20)"
    );

    // The system takes 107 bytes.
    let long = directory.path().join("x".repeat(108));
    assert_eq!(refusal(&long).await, "path must be shorter than SUN_LEN");
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_without_permission_is_said_to_be_that() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let refused = || {
        // Permissions do not bind root, so it is somebody else there: Linux has user ids for each thread.
        let connecting = std::thread::spawn({
            let path = path.clone();
            move || {
                if rustix::process::geteuid().is_root() {
                    let nobody = Uid::from_raw(65_534);
                    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
                }
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().build().unwrap();
                runtime.block_on(refusal(&path))
            }
        });
        connecting.join().unwrap()
    };
    set_mode(directory.path(), 0o755);
    set_mode(&path, 0o555);
    assert_eq!(refused(), "Permission denied (os error 13)");
    set_mode(&path, 0o777);
    set_mode(directory.path(), 0o600);
    assert_eq!(refused(), "Permission denied (os error 13)");
    set_mode(directory.path(), 0o700);
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
