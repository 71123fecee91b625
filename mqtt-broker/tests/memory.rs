//! What connections hold while nothing happens, and what a message allocates while much does.

#![expect(
    clippy::unwrap_used,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mqtt_broker::{Broker, Options};
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
fn with_broker(test: impl FnOnce(SocketAddr)) {
    let (started, address) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let broker = thread::spawn(move || {
        IS_BROKER.set(true);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            let broker = Broker::bind("127.0.0.1:0", Options::default()).await;
            let broker = broker.unwrap();
            started.send(broker.local_addr().unwrap()).unwrap();
            stopped.await.ok();
        });
    });
    test(address.recv_timeout(PATIENCE).unwrap());
    drop(stop);
    broker.join().unwrap();
}

/// A client of 3.1.1 with a clean session and a Keep Alive of 65,535 s.
fn connect(address: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let id = format!("c{number:07}");
    let connect = [
        &b"\x10\x14\0\x04MQTT\x04\x02\xFF\xFF\0\x08"[..],
        id.as_bytes(),
    ];
    stream.write_all(&connect.concat()).unwrap();
    expect(&mut stream, b"\x20\x02\0\0");
    stream
}

#[track_caller]
fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut received = vec![0; expected.len()];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(received, expected);
}

#[test]
fn an_idle_connection_holds_little_whatever_it_did_before() {
    const CLIENTS: usize = 200;
    /// Bytes for each, with its subscription. Without optimisation it was 2,692; the message that each had is 20,000.
    const MOST: usize = 3_000;
    let _alone = ALONE.lock().unwrap();
    with_broker(|address| {
        let _first = connect(address, 0);
        let before = HELD.load(Ordering::Relaxed);
        let mut clients: Vec<_> = (1..=CLIENTS)
            .map(|number| connect(address, number))
            .collect();
        // 20,000 bytes at QoS 1, there and back.
        let publish = [&b"\x32\xA5\x9C\x01\0\x01t\0\x07"[..], &vec![b'x'; 20_000]].concat();
        for client in &mut clients {
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
        let start = Instant::now();
        loop {
            let held = HELD.load(Ordering::Relaxed) - before;
            let each = held / CLIENTS.cast_signed();
            if each <= MOST.cast_signed() {
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
    with_broker(|address| {
        let mut client = connect(address, 0);
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
