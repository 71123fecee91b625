//! What connections hold while nothing happens, and what a message allocates while much does.

#![expect(
    clippy::unwrap_used,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mqtt_broker::rustls::crypto::ring;
use mqtt_broker::rustls::pki_types::CertificateDer;
use mqtt_broker::rustls::pki_types::pem::PemObject;
use mqtt_broker::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use mqtt_broker::{Broker, Listener, LocalAddress, Options, Pem, ServerTls};
use mqtt_transport::certificates::Authority;
use tokio::sync::oneshot;

const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at what is held.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicIsize = AtomicIsize::new(0);
/// The counts are those of one broker.
static ALONE: Mutex<()> = Mutex::new(());

thread_local! {
    static IS_BROKER: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IS_BROKER.get() {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            HELD.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if IS_BROKER.get() {
            HELD.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `test` against a broker on a thread of its own, whose memory is counted.
fn with_broker(listener: Listener, test: impl FnOnce(SocketAddr)) {
    let (started, address) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let broker = thread::spawn(move || {
        IS_BROKER.set(true);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            let broker = Broker::start(Options::default());
            match broker.open(&listener).await.unwrap() {
                LocalAddress::Tcp(address) => started.send(address).unwrap(),
                other => panic!("{other}"),
            }
            stopped.await.ok();
        });
    });
    test(address.recv_timeout(PATIENCE).unwrap());
    drop(stop);
    broker.join().unwrap();
}

fn tcp() -> Listener {
    Listener::tcp("127.0.0.1:0")
}

/// A client's end of a connection, whatever is under it.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Says on `stream` that it is a client of 3.1.1 with a clean session and a Keep Alive of 65,535 s.
fn connect(stream: &mut impl Stream, number: usize) {
    let id = format!("c{number:07}");
    let connect = [
        &b"\x10\x14\0\x04MQTT\x04\x02\xFF\xFF\0\x08"[..],
        id.as_bytes(),
    ];
    stream.write_all(&connect.concat()).unwrap();
    expect(stream, b"\x20\x02\0\0");
}

/// MQTT in frames of RFC 6455: each write is a message.
struct WebSocket {
    stream: TcpStream,
    /// What is left of the frame that is being read.
    left: u64,
}

impl WebSocket {
    fn open(mut stream: TcpStream) -> Self {
        let request = "GET /mqtt HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       Sec-WebSocket-Protocol: mqtt\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{head:02X?}");
        Self { stream, left: 0 }
    }
}

impl Read for WebSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            let mut start = [0; 2];
            self.stream.read_exact(&mut start)?;
            self.left = match start {
                [0x82, 126] => {
                    let mut length = [0; 2];
                    self.stream.read_exact(&mut length)?;
                    u16::from_be_bytes(length).into()
                }
                [0x82, length @ ..126] => length.into(),
                other => panic!("{other:02X?}"),
            };
        }
        let read = Read::by_ref(&mut self.stream)
            .take(self.left)
            .read(buffer)?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Write for WebSocket {
    /// Masked, as it must be, with a mask that changes nothing.
    fn write(&mut self, payload: &[u8]) -> io::Result<usize> {
        let mut frame = vec![0x82];
        match u8::try_from(payload.len()) {
            Ok(length @ ..126) => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame)?;
        Ok(payload.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[track_caller]
fn expect(stream: &mut impl Stream, expected: &[u8]) {
    let mut received = vec![0; expected.len()];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(received, expected);
}

#[test]
fn an_idle_connection_holds_little_whatever_it_did_before() {
    // Without optimisation it was 2,252.
    idle_connections_hold(2_560, tcp(), |stream| stream, exchange);
}

#[test]
fn over_tls_it_holds_little_more() {
    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let tls = ServerTls::new(Pem::bytes(certified.chain), Pem::bytes(certified.key));
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes());
    roots.add(root.unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let handshake = |stream| {
        let name = "127.0.0.1".try_into().unwrap();
        let client = ClientConnection::new(Arc::clone(&config), name).unwrap();
        StreamOwned::new(client, stream)
    };
    // It was 11,447.
    idle_connections_hold(2_560 + (10 << 10), tcp().with_tls(tls), handshake, exchange);
}

#[test]
fn over_websocket_it_holds_little_more_until_it_is_used() {
    let listener = tcp().with_websocket("/mqtt");
    // It was 8,394. The library keeps the buffers that messages need.
    idle_connections_hold(2_560 + (6 << 10), listener, WebSocket::open, |client| {
        client.write_all(b"\x82\x06\0\x03\0\x01u\x01").unwrap();
        expect(client, b"\x90\x03\0\x03\x01");
    });
}

/// Sends 20,000 bytes at QoS 1, there and back, and keeps one subscription.
fn exchange(client: &mut impl Stream) {
    let publish = [&b"\x32\xA5\x9C\x01\0\x01t\0\x07"[..], &vec![b'x'; 20_000]].concat();
    client.write_all(b"\x82\x06\0\x01\0\x01t\x01").unwrap();
    expect(client, b"\x90\x03\0\x01\x01");
    client.write_all(&publish).unwrap();
    // Its acknowledgement and the message itself, in either order.
    client.read_exact(&mut vec![0; 4 + publish.len()]).unwrap();
    // The message that came has Packet Identifier 1; then no longer.
    client
        .write_all(b"\x40\x02\0\x01\xA2\x05\0\x02\0\x01t")
        .unwrap();
    expect(client, b"\xB0\x02\0\x02");
    client.write_all(b"\x82\x06\0\x03\0\x01u\x01").unwrap();
    expect(client, b"\x90\x03\0\x03\x01");
}

/// Connections that did something and are idle hold no more than `most` bytes each.
fn idle_connections_hold<S: Stream>(
    most: isize,
    listener: Listener,
    over: impl Fn(TcpStream) -> S,
    what_they_do: impl Fn(&mut S),
) {
    const CLIENTS: usize = 200;
    let _alone = ALONE.lock().unwrap();
    with_broker(listener, |address| {
        let connect = |number| {
            let mut stream = over(dial(address));
            connect(&mut stream, number);
            stream
        };
        let _first = connect(0);
        let before = HELD.load(Ordering::Relaxed);
        let mut clients: Vec<_> = (1..=CLIENTS).map(connect).collect();
        for client in &mut clients {
            what_they_do(client);
        }
        let start = Instant::now();
        loop {
            let held = HELD.load(Ordering::Relaxed) - before;
            let each = held / CLIENTS.cast_signed();
            if each <= most {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "{each} bytes for each");
            thread::sleep(LOOK_AGAIN);
        }
    });
}

#[test]
fn a_message_is_one_allocation_and_its_acknowledgement_none() {
    const MESSAGES: usize = 2_000;
    let _alone = ALONE.lock().unwrap();
    with_broker(tcp(), |address| {
        let mut client = dial(address);
        connect(&mut client, 0);
        let mut exchange = |count| {
            for _ in 0..count {
                client.write_all(b"\x32\x06\0\x01t\0\x07x").unwrap();
                expect(&mut client, b"\x40\x02\0\x07");
            }
        };
        exchange(10);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        exchange(MESSAGES);
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        // Where the machine stands still for a moment, buffers are given back and made anew; were it so for each message, there
        // would be twice as many.
        assert!(
            allocations <= MESSAGES + MESSAGES / 2,
            "{allocations} allocations for {MESSAGES} messages"
        );
    });
}
