//! Programs in C, compiled against the header and the library as users do, and run: plainly, or as the environment variable
//! `PUSHMQ_C_MODE` says under the address sanitizer (`asan`) or under valgrind (`valgrind`), both with leaks as failures.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

mod broker;
mod examples;
mod generated;
mod program;
mod server;

use broker::Broker;
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

#[test]
fn threads() {
    let broker = Broker::start();
    Program::test("threads").run(&[&broker.url()]);
}
