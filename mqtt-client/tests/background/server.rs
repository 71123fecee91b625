//! A server on threads, just enough of one: accepts, acknowledges, sends back, and notes how connections end.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::PATIENCE;

/// What happened, in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    Connect,
    Publish,
    Disconnect,
    /// The connection ended without DISCONNECT.
    EndWithoutDisconnect,
}

pub(crate) struct Server {
    port: u16,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
}

impl Log {
    fn add(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
        self.changed.notify_all();
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Log::default());
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let log = Arc::clone(&shared);
                thread::spawn(move || {
                    let end = serve(&mut stream, &log).unwrap_or(Seen::EndWithoutDisconnect);
                    // Noted before the stream is closed: who saw the close finds it noted.
                    log.add(end);
                });
            }
        });
        Self { port, log }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    /// Waits until every connection has ended but `open` of them, and forgets what was seen until then. A client that is
    /// dropped ends on the background thread, so what it says last may come at any later time.
    #[track_caller]
    pub(crate) fn settle(&self, open: usize) {
        let seen = self.log.seen.lock().unwrap();
        let unsettled = |seen: &mut Vec<Seen>| open_connections(seen) != open;
        let (mut seen, waited) = self
            .log
            .changed
            .wait_timeout_while(seen, PATIENCE, unsettled)
            .unwrap();
        assert!(!waited.timed_out(), "not {open} left open: {seen:?}");
        // Those that stay open count again.
        seen.clear();
        seen.resize(open, Seen::Connect);
    }
}

fn open_connections(seen: &[Seen]) -> usize {
    let begun = seen.iter().filter(|seen| **seen == Seen::Connect).count();
    let ended = [Seen::Disconnect, Seen::EndWithoutDisconnect];
    begun - seen.iter().filter(|seen| ended.contains(seen)).count()
}

fn serve(stream: &mut TcpStream, log: &Log) -> io::Result<Seen> {
    stream.set_nodelay(true)?;
    let mut subscribed = false;
    loop {
        let packet = read_packet(stream)?;
        match packet[0] >> 4 {
            1 => {
                log.add(Seen::Connect);
                stream.write_all(&[0x20, 0x03, 0x00, 0x00, 0x00])?;
            }
            // PUBLISH of QoS 1 to "t".
            3 => {
                log.add(Seen::Publish);
                stream.write_all(&[0x40, 0x02, packet[5], packet[6]])?;
                if subscribed {
                    let payload = &packet[8..];
                    let length = u8::try_from(payload.len() + 4).unwrap();
                    stream
                        .write_all(&[&[0x30, length, 0x00, 0x01, b't', 0x00], payload].concat())?;
                }
            }
            4 => {}
            // SUBSCRIBE of two filters: the first is granted QoS 1, the second refused.
            8 => {
                subscribed = true;
                stream.write_all(&[0x90, 0x05, packet[2], packet[3], 0x00, 0x01, 0x87])?;
            }
            10 => {
                subscribed = false;
                stream.write_all(&[0xB0, 0x04, packet[2], packet[3], 0x00, 0x00])?;
            }
            12 => stream.write_all(&[0xD0, 0x00])?,
            14 => return Ok(Seen::Disconnect),
            other => panic!("packet type {other}"),
        }
    }
}

/// A whole packet of less than 128 bytes.
fn read_packet(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 2];
    stream.read_exact(&mut packet)?;
    packet.resize(2 + usize::from(packet[1]), 0);
    stream.read_exact(&mut packet[2..])?;
    Ok(packet)
}
