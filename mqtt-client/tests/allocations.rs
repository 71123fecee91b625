//! What a publish allocates once everything has grown to its size: the message and its delivery, and nothing on the way.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mqtt_client::blocking::Client;
use mqtt_client::{Message, Options, QoS, TopicName};

const PATIENCE: Duration = Duration::from_secs(30);

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_SERVER: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !IS_SERVER.get() {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Acknowledges every PUBLISH of 5.0 to `t` with eight bytes of payload.
fn serve(mut stream: TcpStream) {
    const PACKET: usize = 16;
    let mut input = vec![0; 1 << 20];
    let mut output = Vec::with_capacity(1 << 20);
    let mut filled = 0;
    // CONNECT is short enough to come in one piece on the loopback.
    assert!(stream.read(&mut input).unwrap() > 20);
    stream.write_all(&[0x20, 0x03, 0x00, 0x00, 0x00]).unwrap();
    loop {
        let count = stream.read(&mut input[filled..]).unwrap_or(0);
        if count == 0 {
            return;
        }
        filled += count;
        let whole = filled - filled % PACKET;
        output.clear();
        for packet in input[..whole].chunks(PACKET) {
            if packet[0] != 0x32 {
                return;
            }
            output.extend_from_slice(&[0x40, 0x02, packet[5], packet[6]]);
        }
        input.copy_within(whole..filled, 0);
        filled -= whole;
        stream.write_all(&output).unwrap();
    }
}

#[test]
fn a_publish_allocates_its_message_and_its_delivery() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        IS_SERVER.set(true);
        serve(listener.accept().unwrap().0);
    });
    let client = Client::start(Options::new("127.0.0.1", port)).unwrap();
    client.connected(PATIENCE).unwrap();
    let topic = TopicName::new("t").unwrap();
    let publish = |rounds| {
        for _ in 0..rounds {
            for _ in 0..500 {
                let message = Message::new(topic, &b"12345678"[..]).with_qos(QoS::AtLeastOnce);
                client.try_publish(message).unwrap();
            }
            assert!(client.flush(PATIENCE).is_complete());
        }
    };
    publish(20);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    publish(20);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("{allocations} allocations for 10,000 publishes");
    // Two each, and a little for every flush.
    assert!(
        allocations < 21_000,
        "{allocations} allocations for 10,000 publishes"
    );
}
