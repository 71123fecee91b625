//! Forks under TLS and WebSocket, over TCP and a Unix socket: one byte that a child wrote, or one Close it said, would break
//! the parent's connection.

use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use mqtt_broker::{Broker, Listener, LocalAddress, Options as BrokerOptions, Pem, ServerTls};
use mqtt_client::background::{self, Handle, Inbox};
use mqtt_client::{Options, QoS, Tls, WebSocket};
use mqtt_transport::certificates::Authority;
use tokio::sync::oneshot;

use crate::{PATIENCE, in_child, message, publish_and_wait, wait_for};

/// A broker on a thread of its own.
struct Running {
    authority: Authority,
    port: u16,
    socket: PathBuf,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let authority = Authority::new("root");
        let certified = authority.server(&["127.0.0.1"]);
        let tls = ServerTls::new(Pem::bytes(certified.chain), Pem::bytes(certified.key));
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("mqtt.sock");
        let listeners = [Listener::tcp("127.0.0.1:0"), Listener::unix(&socket)]
            .map(|listener| listener.with_tls(tls.clone()).with_websocket("/mqtt"));
        let (stop, stopped) = oneshot::channel();
        let (started, local) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let broker = Broker::start(BrokerOptions::default());
                for listener in &listeners {
                    started.send(broker.open(listener).await.unwrap()).unwrap();
                }
                let _ = stopped.await;
                assert!(broker.shutdown(PATIENCE).await);
            });
        });
        let LocalAddress::Tcp(address) = local.recv_timeout(PATIENCE).unwrap() else {
            panic!("no TCP")
        };
        local.recv_timeout(PATIENCE).unwrap();
        Self {
            authority,
            port: address.port(),
            socket,
            stop,
            thread,
            _directory: directory,
        }
    }

    /// How many sockets of this process are connected to it.
    fn connections_to(&self) -> usize {
        let fds = std::fs::read_dir("/dev/fd").unwrap().flatten();
        let fds = fds.filter_map(|fd| fd.file_name().to_str()?.parse().ok());
        let is_connected = |fd: RawFd| {
            // SAFETY: it is used for this call only, and one that was closed meanwhile is an error.
            let socket = unsafe { BorrowedFd::borrow_raw(fd) };
            socket2::SockRef::from(&socket)
                .peer_addr()
                .is_ok_and(|peer| {
                    peer.as_pathname() == Some(&self.socket)
                        || peer
                            .as_socket()
                            .is_some_and(|peer| peer.port() == self.port)
                })
        };
        fds.filter(|fd| is_connected(*fd)).count()
    }

    fn connect(&self, options: Options) -> Handle {
        let tls = Tls::new()
            .with_roots_pem(self.authority.pem())
            .with_server_name("127.0.0.1");
        let options = options.with_tls(tls).with_websocket(WebSocket::default());
        background::start(options, Inbox::default()).unwrap()
    }
}

pub(crate) fn a_child_leaves_layers_alone() {
    let broker = Running::start();
    let handles = [
        broker.connect(Options::new("127.0.0.1", broker.port)),
        broker.connect(Options::unix(&broker.socket)),
    ];
    for handle in &handles {
        wait_for(handle, || handle.connack());
    }
    // Somebody has to be there to receive, or the answers would say that nobody is.
    let filters = [("t".to_owned(), QoS::AtMostOnce.into())];
    let (_, request) = handles[0].subscribe(&filters, &[]).unwrap();
    wait_for(&handles[0], || request.result()).unwrap();
    assert_eq!(broker.connections_to(), handles.len());
    for _ in 0..5 {
        // Something is on its way in both directions.
        let deliveries = handles
            .each_ref()
            .map(|handle| [(); 20].map(|()| handle.publish(message("x")).unwrap()));
        let status = in_child(|| {
            assert_eq!(broker.connections_to(), 0, "inherited ones are closed");
            for handle in &handles {
                assert!(handle.is_forked());
                drop(handle.clone());
            }
            // It can have connections of its own.
            let own = broker.connect(Options::unix(&broker.socket));
            publish_and_wait(&own);
            background::shutdown(PATIENCE);
        });
        assert_eq!(status, 0, "the child failed");
        for (handle, deliveries) in handles.iter().zip(&deliveries) {
            for delivery in deliveries {
                wait_for(handle, || delivery.outcome());
            }
        }
    }
    for handle in &handles {
        publish_and_wait(handle);
        let status = handle.status();
        assert_eq!((status.failed, status.reconnects), (0, 0));
    }
    drop(handles);
    broker.stop.send(()).unwrap();
    broker.thread.join().unwrap();
}
