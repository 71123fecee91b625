//! A server on threads, just enough of one to say no, or nothing, where a real one would not.

use std::io::{self, Read, Write};
#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
use std::net::Shutdown;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

/// How it treats its clients.
#[derive(Clone, Copy)]
pub(crate) enum Manners {
    /// It accepts them. Filters that begin with "no/" are refused with 0x87 and the properties `WHY`, and so are publishes to
    /// such a topic, without properties; what is published to "silent", and subscriptions to "never", are not answered. The
    /// User Properties of a SUBSCRIBE or UNSUBSCRIBE come back in its answer. Whoever subscribes to "flood" gets twenty
    /// messages of QoS 0 and twenty of QoS 1 before the answer. Who publishes to "bye" has to go: 0x97 Quota exceeded, with the
    /// properties `WHY`.
    Polite,
    /// It refuses them: 0x86 Bad User Name or Password, with the properties `WHY`.
    RefusesClients,
    /// As `Polite`, and it takes two Topic Aliases.
    TakesAliases,
    /// As `Polite`, and it takes packets of 32 bytes at most.
    TakesLittle,
    /// It has moved to this port: 0x9D, with a Server Reference.
    HasMoved(u16),
}

/// Reason String "enough", and the User Property "by" "me".
const WHY: &[u8] = b"\x12\x1F\x00\x06enough\x26\x00\x02by\x00\x02me";

/// First byte and body of a packet.
type Packet = (u8, Vec<u8>);

pub(crate) struct Server {
    port: u16,
    received: mpsc::Receiver<Packet>,
}

impl Server {
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, received) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tell = tell.clone();
                // A client that hangs up is no failure of this server.
                thread::spawn(move || serve(stream, manners, &tell));
            }
        });
        Self { port, received }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The next packet of a type (2.1.2) that it received, of whichever client, if it has received one.
    pub(crate) fn received(&self, packet_type: u8) -> Option<Packet> {
        let mut all = self.received.try_iter();
        all.find(|(first, _)| first >> 4 == packet_type)
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

/// A port at which nobody listens, and that nobody else gets: it is that of a connection's other end.
pub(crate) struct Nobody {
    stream: TcpStream,
    _listener: TcpListener,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Self {
            stream,
            _listener: listener,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://{}", self.stream.local_addr().unwrap())
    }
}

/// An HTTP proxy that wants "me" and "secret". Returns its host and port.
#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
pub(crate) fn proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || tunnel(stream));
        }
    });
    address
}

#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
fn tunnel(mut client: TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    if !head.contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n") {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    }
    let mut server = TcpStream::connect(head.split(' ').nth(1).unwrap())?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(Shutdown::Write).and(copied)
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Write)
}

fn serve(mut stream: TcpStream, manners: Manners, tell: &mpsc::Sender<Packet>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let (kind, body) = read_packet(&mut stream)?;
        // The test may have ended.
        let _ = tell.send((kind, body.clone()));
        match kind >> 4 {
            // CONNACK: no session, Reason Code, properties.
            1 => stream.write_all(&match manners {
                Manners::Polite => vec![0x20, 0x03, 0x00, 0x00, 0x00],
                Manners::RefusesClients => [&[0x20, 0x15, 0x00, 0x86][..], WHY].concat(),
                Manners::TakesLittle => b"\x20\x08\x00\x00\x05\x27\x00\x00\x00\x20".to_vec(),
                Manners::TakesAliases => b"\x20\x06\x00\x00\x03\x22\x00\x02".to_vec(),
                Manners::HasMoved(port) => {
                    let place = format!("127.0.0.1:{port}");
                    let len = u8::try_from(place.len()).unwrap();
                    let head = [0x20, len + 6, 0x00, 0x9D, len + 3, 0x1C, 0x00, len];
                    [&head[..], place.as_bytes()].concat()
                }
            })?,
            // PUBLISH of QoS 1: PUBACK with a Reason Code.
            3 => {
                let (topic, rest) = field(&body);
                if topic == b"bye" {
                    return stream.write_all(&[&[0xE0, 0x14, 0x97][..], WHY].concat());
                }
                if kind & 0b0110 == 0b0010 && topic != b"silent" {
                    let reason = if topic.starts_with(b"no/") {
                        0x87
                    } else {
                        0x00
                    };
                    stream.write_all(&[0x40, 0x03, rest[0], rest[1], reason])?;
                }
            }
            // SUBSCRIBE: Packet Identifier, properties, then filters with one byte of options each. UNSUBSCRIBE has no options.
            8 | 10 => {
                let (properties, mut rest) = body[3..].split_at(body[2].into());
                let mut reasons = Vec::new();
                let mut answered = true;
                while !rest.is_empty() {
                    let (filter, more) = field(rest);
                    answered &= filter != b"never";
                    if filter == b"flood" {
                        stream.write_all(&flood())?;
                    }
                    let (granted, more) = match kind >> 4 {
                        8 => (more[0] & 0b11, &more[1..]),
                        _ => (0x00, more),
                    };
                    let refused = filter.starts_with(b"no/");
                    reasons.push(if refused { 0x87 } else { granted });
                    rest = more;
                }
                if answered {
                    stream.write_all(&answer(kind, &body[..2], properties, &reasons))?;
                }
            }
            12 => stream.write_all(&[0xD0, 0x00])?,
            14 => return Ok(()),
            _ => {}
        }
    }
}

/// SUBACK or UNSUBACK to a request of that kind, which had those properties.
fn answer(kind: u8, packet_id: &[u8], asked: &[u8], reasons: &[u8]) -> Vec<u8> {
    let why = if reasons.contains(&0x87) {
        &WHY[1..]
    } else {
        &[]
    };
    // All but the Subscription Identifier, which comes first and is small.
    let user = match asked {
        [0x0B, _, user @ ..] => user,
        user => user,
    };
    let properties = [why, user].concat();
    let len = |bytes: usize| u8::try_from(bytes).unwrap();
    let body = [packet_id, &[len(properties.len())], &properties, reasons].concat();
    // The answers, 9 and 11, are the types after the requests.
    let first = (kind & 0xF0) + 0x10;
    [&[first, len(body.len())][..], &body].concat()
}

/// PUBLISH to "flood" with the payload "0" at QoS 0, then with "1" at QoS 1.
fn flood() -> Vec<u8> {
    let topic = [0x00, 0x05, b'f', b'l', b'o', b'o', b'd'];
    let at_most_once = [&[0x30, 0x09][..], &topic, &[0x00, b'0']].concat();
    let at_least_once = |id| [&[0x32, 0x0B][..], &topic, &[0x00, id, 0x00, b'1']].concat();
    let mut bytes = at_most_once.repeat(20);
    bytes.extend((1..=20).flat_map(at_least_once));
    bytes
}

/// A string or binary field, and what follows it.
fn field(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    bytes[2..].split_at(len)
}

fn read_packet(stream: &mut TcpStream) -> io::Result<Packet> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let kind = byte[0];
    let (mut len, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte)?;
        len |= usize::from(byte[0] & 0x7F) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body)?;
    Ok((kind, body))
}
