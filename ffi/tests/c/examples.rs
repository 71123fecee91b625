//! The examples, compiled as C and as C++, against the broker.

use crate::broker::Broker;
use crate::program::{Language, Program};

const LANGUAGES: [Language; 2] = [Language::C99, Language::Cpp17];

#[test]
fn a_publisher_and_a_subscriber() {
    for language in LANGUAGES {
        let broker = Broker::start();
        let publisher = Program::example("publisher", language);
        let mut alone = publisher.start(&[&broker.url()]);
        alone.expect_line("the broker has it: No matching subscribers");
        alone.finish();

        let subscriber = Program::example("subscriber", language);
        let mut device = subscriber.start(&[&broker.url(), "devices/+/push", "2"]);
        device.expect_line("subscribed");
        for text in ["first", "second"] {
            let mut server = publisher.start(&[&broker.url(), "devices/7/push", text]);
            server.expect_line("the broker has it: Success");
            server.finish();
            device.expect_line(&format!("devices/7/push: {text}"));
        }
        device.finish();
    }
}

#[test]
fn two_chat_in_a_poll_loop() {
    for language in LANGUAGES {
        let mut broker = Broker::start();
        let chat = Program::example("poll_loop", language);
        let (mut anna, mut bert) = (
            chat.start(&[&broker.url(), "talk"]),
            chat.start(&[&broker.url(), "talk"]),
        );
        for person in [&mut anna, &mut bert] {
            person.expect_line("joined");
        }
        anna.say("hello");
        bert.expect_line("talk> hello");
        bert.say("hi");
        anna.expect_line("talk> hi");

        // The broker goes, and nobody has to do anything about it.
        broker.kill();
        for person in [&mut anna, &mut bert] {
            person.expect_line("(the connection is gone)");
            person.end_input();
        }
        broker.restart();
        for person in [anna, bert] {
            person.finish();
        }
    }
}
