//! The publisher of a run without PHP: it sends what the scripts would send.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use mqtt_client::{Client, Delivery, Message, Outcome, QoS, ReasonCode, TopicName};
use serde_json::json;

use crate::score::Score;
use crate::settings::{Settings, Share};

/// Longest time for the acknowledgement of one message.
const LIMIT: Duration = Duration::from_secs(20);

/// Publishes as a server would.
#[derive(Debug)]
pub(crate) struct Publisher {
    client: Client,
}

impl Publisher {
    /// Connects.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self> {
        let client = Client::connect(settings.broker.options()?)
            .await
            .context("the publisher cannot connect")?;
        Ok(Self { client })
    }

    /// Pushes one share of the messages, adds it to the score, and returns how many were acknowledged.
    pub(crate) async fn push(
        &self,
        settings: &Settings,
        share: &Share,
        score: &Score,
    ) -> Result<usize> {
        let mut deliveries = Vec::new();
        for (number, device) in (0..share.count).zip(settings.devices.iter().cycle()) {
            let id = format!("rust-{}-{number}", share.request);
            let push = json!({ "id": &id, "sent": now(), "text": format!("Parcel {number} is on its way") });
            let delivery = self
                .publish(&settings.topic_of(device), push.to_string())
                .await?;
            deliveries.push((device, id, delivery));
        }
        let mut count = 0;
        for (device, id, delivery) in deliveries {
            let acknowledged = match delivery.wait_timeout(LIMIT).await {
                Some(Outcome::Acknowledged { reason, .. }) if !reason.is_error() => {
                    vec![id.clone()]
                }
                outcome => {
                    println!("           {device}: {id} was not acknowledged: {outcome:?}");
                    vec![]
                }
            };
            count += acknowledged.len();
            score.pushed(device, vec![id], acknowledged);
        }
        Ok(count)
    }

    /// Pushes to a device that nobody has. `Some(false)`: the broker says so; `None`: it does not tell.
    pub(crate) async fn push_to_nobody(&self, settings: &Settings) -> Result<Option<bool>> {
        let delivery = self
            .publish(
                &settings.topic_of("no-such-device"),
                "Anybody there?".to_owned(),
            )
            .await?;
        match delivery.wait_timeout(LIMIT).await {
            Some(Outcome::Acknowledged { reason, .. })
                if reason == ReasonCode::NO_MATCHING_SUBSCRIBERS =>
            {
                Ok(Some(false))
            }
            Some(Outcome::Acknowledged { .. }) => Ok(None),
            outcome => bail!("the message to nobody came to nothing: {outcome:?}"),
        }
    }

    /// Disconnects.
    pub(crate) async fn close(self) -> Result<()> {
        self.client
            .close(LIMIT)
            .await
            .context("the publisher could not disconnect")
    }

    async fn publish(&self, topic: &str, payload: String) -> Result<Delivery> {
        let topic = TopicName::new(topic).with_context(|| format!("{topic} is no topic"))?;
        let message = Message::new(topic, payload).with_qos(QoS::AtLeastOnce);
        self.client
            .publish(message)
            .await
            .context("a message was refused")
    }
}

/// Seconds since 1970, as PHP's `microtime(true)`.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
