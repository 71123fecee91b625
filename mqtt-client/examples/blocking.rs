//! Asks and answers without a runtime: publishes to a topic that it subscribed to itself.
//!
//!     cargo run -p mqtt-client --example blocking -- mqtt://localhost:1883

use std::error::Error;
use std::time::Duration;

use mqtt_client::blocking::Client;
use mqtt_client::{Message, Options, QoS, TopicName};

const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "mqtt://localhost:1883".to_owned());
    let client = Client::start(Options::from_url(&url)?)?;
    let connack = client.connected(PATIENCE)?;
    println!("connected to {} as {}", connack.address, connack.client_id);

    let topic = format!("pushmq/blocking/{}", connack.client_id);
    let mut messages = client.subscribe(&topic, QoS::AtLeastOnce, PATIENCE)?;
    let message = Message::new(TopicName::new(&topic)?, &b"hello"[..]).with_qos(QoS::AtLeastOnce);
    let delivery = client.publish(message, PATIENCE)?;
    println!(
        "published: {:?}",
        delivery.wait(PATIENCE).ok_or("no answer")?
    );
    let received = messages.recv(PATIENCE).ok_or("nothing came")?;
    println!(
        "received: {}",
        String::from_utf8_lossy(received.message.payload())
    );
    client.close(PATIENCE)?;
    Ok(())
}
