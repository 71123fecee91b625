//! Programs in C, compiled against the header and the library as users do, and run: plainly, or as the environment variable
//! `PUSHMQ_C_MODE` says under the address sanitizer (`asan`) or under valgrind (`valgrind`), both with leaks as failures.
//!
//! Not under helgrind, which knows pthread's locks and not those of Rust, which are atomics and futexes: it takes whatever they
//! guard for a race, be it one number in a `Mutex` of the standard library. Nor under the thread sanitizer, for which that
//! library would have to be built anew by an unstable compiler.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
use std::fs;
use std::net::TcpListener;

mod broker;
mod examples;
mod generated;
mod program;
mod server;

use broker::Broker;
#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
use mqtt_transport::certificates::{Authority, Purpose, Validity};
use program::Program;
use server::{Manners, Nobody, Server};

#[test]
fn values() {
    Program::test("values").run(&[]);
}

#[test]
fn client() {
    let broker = Broker::start();
    Program::test("client").run(&[&broker.url()]);
}

#[test]
fn tokens() {
    let (broker, silent) = (Broker::start(), Server::start(Manners::Polite));
    Program::test("tokens").run(&[&broker.url(), &silent.url()]);
}

#[test]
fn cancel() {
    let (silent, nobody) = (Server::start(Manners::Polite), Nobody::new());
    Program::test("cancel").run(&[&silent.url(), &nobody.url()]);
}

#[test]
fn request() {
    let (broker, refusing) = (Broker::start(), Server::start(Manners::Polite));
    Program::test("request").run(&[&broker.url(), &refusing.url()]);
}

#[test]
fn lent() {
    let (broker, silent) = (Broker::start(), Server::start(Manners::Polite));
    Program::test("lent")
        .without_leak_check()
        .run(&[&broker.url(), &silent.url()]);
}

#[test]
fn callbacks() {
    let broker = Broker::start();
    Program::test("callbacks").run(&[&broker.url(), &Nobody::new().url()]);
}

#[test]
fn fork() {
    let broker = Broker::start();
    Program::test("fork")
        .without_leak_check()
        .run(&[&broker.url()]);
}

#[test]
fn log() {
    let (broker, nobody) = (Broker::start(), Nobody::new());
    Program::test("log").run(&[&broker.url(), &nobody.url()]);
}

#[cfg(feature = "inject-panic")]
#[test]
fn log_panic() {
    Program::test("log_panic").run(&[&Nobody::new().url()]);
}

#[test]
fn restart() {
    let mut broker = Broker::start();
    let url = broker.url();
    Program::test("restart").run_with(&[&url], |request| match request {
        "kill" => broker.kill(),
        "start" => broker.restart(),
        other => panic!("the program asks for {other}"),
    });
}

#[test]
fn queue() {
    let server = Server::start(Manners::Polite);
    Program::test("queue").run(&[&server.url(), &Nobody::new().url()]);
}

#[test]
fn refusals() {
    let (polite, rude) = (
        Server::start(Manners::Polite),
        Server::start(Manners::RefusesClients),
    );
    let small = Server::start(Manners::TakesLittle);
    Program::test("refusals").run(&[
        &polite.url(),
        &rude.url(),
        &Nobody::new().url(),
        &small.url(),
    ]);
}

#[test]
fn options() {
    // CONNECT up to the Client Identifier: name, level, Will Retain with QoS 1, user name and password, Keep Alive; 23 bytes of
    // properties: Session Expiry Interval, Receive Maximum, Maximum Packet Size, Topic Alias Maximum, User Property.
    const BEFORE_ID: &[u8] = b"\x00\x04MQTT\x05\xEC\x00\x1E\
        \x17\x11\x00\x00\x00\x5A\x21\x00\x0A\x27\x00\x00\x03\xE8\x22\x00\x05\x26\x00\x01a\x00\x01b\
        \x00\x14dev-";
    // Message Expiry Interval and Will Delay Interval, the Will's topic and payload, user name and password.
    const AFTER_ID: &[u8] = b"\x0A\x02\x00\x00\x00\x05\x18\x00\x00\x00\x03\
        \x00\x04gone\x00\x03bye\x00\x04user\x00\x02\x00\x01";
    let server = Server::start(Manners::TakesAliases);
    let moved = Server::start(Manners::HasMoved(server.port()));
    // What is not accepted is not answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let arguments = [
        &Nobody::new().url(),
        "127.0.0.1",
        &server.port().to_string(),
        &moved.url(),
        &format!("mqtt://{}", silent.local_addr().unwrap()),
    ];
    Program::test("options").run_with(&arguments, |request| match request {
        "CONNECT" => {
            let (_, body) = server.received(1).unwrap();
            let random = body.strip_prefix(BEFORE_ID);
            let random = random.and_then(|rest| rest.strip_suffix(AFTER_ID));
            assert_eq!(random.map(<[u8]>::len), Some(16), "{body:02X?}");
        }
        "aliases" => {
            // Topic, Packet Identifier, Topic Alias (0x23) 1, payload.
            let publishes = [(); 2].map(|()| server.received(3).unwrap().1);
            assert_eq!(
                publishes[0],
                b"\x00\x0Balias/topic\x00\x01\x03\x23\x00\x01x"
            );
            assert_eq!(publishes[1], b"\x00\x00\x00\x02\x03\x23\x00\x01x");
        }
        other => panic!("the program asks for {other}"),
    });
}

#[test]
fn will() {
    let broker = Broker::start();
    Program::test("will").run(&[&broker.url()]);
}

#[test]
fn acks() {
    let broker = Broker::start();
    Program::test("acks").run(&[&broker.url()]);
}

#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
#[test]
fn transports() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (authority, others) = (Authority::new("tests"), Authority::new("others"));
    fs::write(path("ca.pem"), authority.pem()).unwrap();
    fs::write(path("other.pem"), others.pem()).unwrap();
    let server = |validity| authority.sign(Purpose::Server, &["localhost"], validity);
    let client = |validity| authority.sign(Purpose::Client, &["device"], validity);
    for (name, certified) in [
        ("server", server(Validity::Now)),
        ("server-expired", server(Validity::Expired)),
        ("client", client(Validity::Now)),
        ("expired", client(Validity::Expired)),
        ("stranger", others.client("device")),
    ] {
        fs::write(path(&format!("{name}.pem")), certified.chain).unwrap();
        fs::write(path(&format!("{name}.key")), certified.key).unwrap();
    }
    let tls = |name: &str| {
        let (certificate, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
        let files = ["--tls-cert", &certificate, "--tls-key", &key];
        let demand = ["--tls-client-ca", &path("ca.pem")];
        Broker::start_at("mqtts://127.0.0.1:0", &[&files[..], &demand].concat())
    };
    let (tls, expired) = (tls("server"), tls("server-expired"));
    let websocket = Broker::start_at("ws://127.0.0.1:0/mqtt", &[]);
    let unix = Broker::start_at(&format!("unix://{}", path("socket")), &[]);
    let program = Program::test("transports").without_undefined_values();
    program.run(&[
        &tls.url(),
        &websocket.url(),
        &unix.url(),
        folder.path().to_str().unwrap(),
        &server::proxy(),
        &expired.url(),
    ]);
}

#[test]
fn threads() {
    let broker = Broker::start();
    Program::test("threads").run(&[&broker.url()]);
}
