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

mod broker;
mod examples;
mod generated;
mod program;
mod server;

use broker::Broker;
#[cfg(all(feature = "proxy", feature = "tls", feature = "websocket"))]
use mqtt_transport::certificates::Authority;
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
    Program::test("refusals").run(&[&polite.url(), &rude.url(), &Nobody::new().url()]);
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
    let authority = Authority::new("tests");
    let server = authority.server(&["localhost"]);
    let client = authority.client("device");
    for (name, text) in [
        ("ca.pem", &authority.pem()),
        ("other.pem", &Authority::new("others").pem()),
        ("server.pem", &server.chain),
        ("server.key", &server.key),
        ("client.pem", &client.chain),
        ("client.key", &client.key),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let tls = Broker::start_at(
        "mqtts://127.0.0.1:0",
        &[
            "--tls-cert",
            &path("server.pem"),
            "--tls-key",
            &path("server.key"),
            "--tls-client-ca",
            &path("ca.pem"),
        ],
    );
    let websocket = Broker::start_at("ws://127.0.0.1:0/mqtt", &[]);
    let unix = Broker::start_at(&format!("unix://{}", path("socket")), &[]);
    let program = Program::test("transports").without_undefined_values();
    program.run(&[
        &tls.url(),
        &websocket.url(),
        &unix.url(),
        folder.path().to_str().unwrap(),
        &server::proxy(),
    ]);
}

#[test]
fn threads() {
    let broker = Broker::start();
    Program::test("threads").run(&[&broker.url()]);
}
