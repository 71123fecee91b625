//! The devices that are Rust subscribers.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use mqtt_client::{Client, Options, QoS, Received};
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::score::Score;
use crate::settings::Settings;

/// Longest time to connect and subscribe.
const READY_LIMIT: Duration = Duration::from_secs(15);

/// Longest time to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// How long the broker is asked to keep the session of a device that went away.
const SESSION_EXPIRY: Duration = Duration::from_secs(3600);

/// A device that is connected and has subscribed to its pushes.
#[derive(Debug)]
pub(crate) struct Device {
    client: Client,
    receiver: JoinHandle<()>,
}

impl Device {
    /// Connects under the device's own Client Identifier, with a session that outlives the connection, and subscribes.
    pub(crate) async fn connect(
        settings: &Settings,
        name: &str,
        score: Arc<Score>,
    ) -> Result<Self> {
        let options = options(settings, name)?.with_session(SESSION_EXPIRY);
        let topic = settings.topic_of(name);
        // Started rather than connected first: messages that wait in the broker come right after the connection is
        // accepted, and have to find the subscription.
        let client = Client::start(options).with_context(|| format!("{name} cannot start"))?;
        let mut subscription =
            match timeout(READY_LIMIT, client.subscribe(&topic, QoS::AtLeastOnce)).await {
                Ok(subscription) => {
                    subscription.with_context(|| format!("{name} cannot subscribe to {topic}"))?
                }
                Err(_) => bail!(
                    "{name} had not subscribed within {} s; {:?}",
                    READY_LIMIT.as_secs(),
                    client.state()
                ),
            };
        let name = name.to_owned();
        let receiver = tokio::spawn(async move {
            while let Some(received) = subscription.recv().await {
                match push(&received) {
                    Some((id, latency)) => score.arrived(&name, &id, latency),
                    None => println!("           {name}: a message that is no push of ours"),
                }
            }
        });
        Ok(Self { client, receiver })
    }

    /// Disconnects. The broker keeps the session and what is pushed meanwhile.
    pub(crate) async fn leave(self) -> Result<()> {
        self.client
            .close(CLOSE_LIMIT)
            .await
            .context("a device could not disconnect")?;
        self.receiver.await.context("a device broke down")
    }
}

/// Takes the device's session back from a broker that is not ours.
pub(crate) async fn forget(settings: &Settings, name: &str) -> Result<()> {
    let client = Client::connect(options(settings, name)?)
        .await
        .with_context(|| format!("{name} cannot come back"))?;
    client
        .close(CLOSE_LIMIT)
        .await
        .with_context(|| format!("{name} could not disconnect"))
}

fn options(settings: &Settings, name: &str) -> Result<Options> {
    Ok(settings
        .broker
        .options()?
        .with_client_id(settings.client_id(name)))
}

/// The payload of a push, as the scripts write it.
#[derive(Debug, Deserialize)]
struct Push {
    id: String,
    /// Seconds since 1970.
    sent: f64,
}

/// The id of a push, and how long it was on its way by the wall clock, which is the same for everything on one machine.
fn push(received: &Received) -> Option<(String, Duration)> {
    parse(received.message.payload(), received.received_at)
}

fn parse(payload: &[u8], received_at: SystemTime) -> Option<(String, Duration)> {
    let push: Push = serde_json::from_slice(payload).ok()?;
    let sent = Duration::try_from_secs_f64(push.sent).ok()?;
    let latency = received_at
        .duration_since(UNIX_EPOCH)
        .ok()?
        .saturating_sub(sent);
    Some((push.id, latency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_tells_its_id_and_age() {
        let now = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(
            parse(br#"{"id":"cli-7","sent":1.25,"text":"hello"}"#, now),
            Some(("cli-7".to_owned(), Duration::from_millis(250)))
        );
        assert_eq!(parse(b"Anybody there?", now), None);
    }

    #[test]
    fn a_clock_that_went_back_gives_no_latency_rather_than_a_huge_one() {
        let now = UNIX_EPOCH + Duration::from_secs(1);
        assert_eq!(
            parse(br#"{"id":"x","sent":2.0}"#, now),
            Some(("x".to_owned(), Duration::ZERO))
        );
    }
}
