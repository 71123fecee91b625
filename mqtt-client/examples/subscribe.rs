//! Prints what arrives for a topic filter, until so many messages came.
//!
//!     cargo run -p mqtt-client --example subscribe -- mqtt://localhost:1883 'some/#' 10

use std::error::Error;
use std::time::Duration;

use mqtt_client::{AckMode, Client, Options, QoS, SubscribeOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "mqtt://localhost:1883".to_owned());
    let filter = arguments.next().unwrap_or_else(|| "pushmq/#".to_owned());
    let count: usize = arguments
        .next()
        .map_or(Ok(usize::MAX), |text| text.parse())?;

    let client = Client::connect(Options::from_url(&url)?).await?;
    // Each message is acknowledged after it was printed, so that none is lost if this program dies before.
    let options = SubscribeOptions::new(QoS::ExactlyOnce).with_ack(AckMode::Manual);
    let mut messages = client.subscribe(&filter, options).await?;
    println!("subscribed to {filter}: {}", messages.granted());

    for _ in 0..count {
        let Some(received) = messages.recv().await else {
            break;
        };
        let payload = String::from_utf8_lossy(received.message.payload());
        println!("{}: {payload}", received.message.topic());
        received.acknowledge();
    }
    client.close(Duration::from_secs(5)).await?;
    Ok(())
}
