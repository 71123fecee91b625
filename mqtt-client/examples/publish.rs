//! Publishes messages and tells what became of each.
//!
//!     cargo run -p mqtt-client --example publish -- mqtt://localhost:1883 some/topic hello

use std::error::Error;
use std::time::Duration;

use mqtt_client::{Client, Message, Options, Outcome, QoS, TopicName};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "mqtt://localhost:1883".to_owned());
    let topic = arguments
        .next()
        .unwrap_or_else(|| "pushmq/example".to_owned());
    let payload = arguments.next().unwrap_or_else(|| "hello".to_owned());

    let client = Client::connect(Options::from_url(&url)?).await?;
    println!(
        "connected to {}",
        client.status().address.unwrap_or_default()
    );

    let mut deliveries = Vec::new();
    for number in 1..=3 {
        let payload = format!("{payload} {number}").into_bytes();
        let message = Message::new(TopicName::new(&topic)?, payload).with_qos(QoS::AtLeastOnce);
        deliveries.push(client.publish(message).await?);
    }
    for delivery in deliveries {
        match delivery.wait_timeout(Duration::from_secs(5)).await {
            Some(Outcome::Acknowledged { reason, .. }) => {
                println!("{}: {reason}", delivery.id().get())
            }
            Some(other) => println!("{}: {other:?}", delivery.id().get()),
            None => println!("{}: no answer yet", delivery.id().get()),
        }
    }
    client.close(Duration::from_secs(5)).await?;
    Ok(())
}
