//! Listening at Unix sockets.

use std::os::unix::fs::FileTypeExt;

use mqtt_broker::{ListenError, Listener, LocalAddress};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixStream;

use crate::support::{PATIENCE_OVER_TCP, Peer, broker, connect_v5};

#[tokio::test]
async fn a_client_is_served_and_the_file_is_removed_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    let broker = broker();
    let local = broker.open(&Listener::unix(&path)).await.unwrap();
    assert_eq!(local, LocalAddress::Unix(path.clone()));
    assert!(broker.local_addrs().is_empty());
    let mut peer = Peer::over(UnixStream::connect(&path).await.unwrap());
    peer.send_bytes(&connect_v5("a", 2, 0)).await;
    assert_eq!(peer.connack_v5().await, (false, 0));
    peer.ping().await;
    assert!(broker.shutdown(PATIENCE_OVER_TCP).await);
    assert!(!path.exists());
}

#[tokio::test]
async fn what_a_dead_broker_left_is_replaced_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    // A listener of the standard library leaves its file behind, as a process that was killed does.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.metadata().unwrap().file_type().is_socket());
    let first = broker();
    first.open(&Listener::unix(&path)).await.unwrap();

    let second = broker();
    let error = second.open(&Listener::unix(&path)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {}: a socket where somebody listens is there",
            path.display()
        )
    );
    let file = directory.path().join("precious");
    std::fs::write(&file, "data").unwrap();
    let error = second.open(&Listener::unix(&file)).await.unwrap_err();
    assert!(matches!(error, ListenError::Occupied { .. }), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"data");

    let nowhere = directory.path().join("nowhere/mqtt.sock");
    let error = second.open(&Listener::unix(&nowhere)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", nowhere.display())
    );
}

#[tokio::test]
async fn a_listener_that_accepts_nobody_does_not_keep_a_broker_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mqtt.sock");
    let address = SockAddr::unix(&path).unwrap();
    let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let listener = socket();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    // Until there is no more room for those who wait.
    let mut waiting = Vec::new();
    loop {
        let client = socket();
        client.set_nonblocking(true).unwrap();
        if client.connect(&address).is_err() {
            break;
        }
        waiting.push(client);
    }
    let error = broker().open(&Listener::unix(&path)).await.unwrap_err();
    assert!(matches!(error, ListenError::Occupied { .. }), "{error}");
}
