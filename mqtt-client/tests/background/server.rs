//! A server on threads, just enough of one: accepts, acknowledges, sends back, and notes how connections end.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

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
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || {
                    let end = serve(stream, &log).unwrap_or(Seen::EndWithoutDisconnect);
                    log.lock().unwrap().push(end);
                });
            }
        });
        Self { port, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Seen>>) -> io::Result<Seen> {
    stream.set_nodelay(true)?;
    let mut subscribed = false;
    loop {
        let packet = read_packet(&mut stream)?;
        match packet[0] >> 4 {
            1 => {
                log.lock().unwrap().push(Seen::Connect);
                stream.write_all(&[0x20, 0x03, 0x00, 0x00, 0x00])?;
            }
            // PUBLISH of QoS 1 to "t".
            3 => {
                log.lock().unwrap().push(Seen::Publish);
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
