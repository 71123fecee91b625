//! Topics of the broker's own, below `$SYS/`: what it counts, for whoever subscribes (v5 4.7.2, v311 4.7.2).
//!
//! The names are those of Mosquitto, where it has the same thing. Each topic is retained, and published anew when its value
//! has changed.

use std::sync::Arc;
use std::time::Duration;

use mqtt_core::{Message, ReasonCode, TopicName};
use tokio::time;

use crate::shared::Shared;

/// What the broker's own topics begin with.
const PREFIX: &str = "$SYS/";

/// What is told at most once.
const VERSION: (&str, &str) = (
    "$SYS/broker/version",
    concat!("mqtt-broker version ", env!("CARGO_PKG_VERSION")),
);

/// Whether clients may publish to a topic: the broker's own are its own.
pub(crate) fn may_publish(topic: TopicName<'_>) -> Result<(), ReasonCode> {
    if topic.as_str().starts_with(PREFIX) {
        return Err(ReasonCode::NOT_AUTHORIZED);
    }
    Ok(())
}

/// Publishes what the broker counts, now and each time that `interval` has passed, until the broker stops.
pub(crate) async fn tell(shared: Arc<Shared>, interval: Duration) {
    let start = time::Instant::now();
    // As soon as one may, or later if that was missed: nobody wants what is late told twice.
    let mut clock = time::interval(interval);
    clock.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut told: Vec<String> = Vec::new();
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            () = shared.stop.cancelled() => return,
        }
        if told.is_empty() {
            publish(&shared, VERSION.0, VERSION.1);
        }
        let values = values(&shared, start.elapsed());
        for (index, (topic, value)) in values.iter().enumerate() {
            if told.get(index) != Some(value) {
                publish(&shared, topic, value);
            }
        }
        told = values.into_iter().map(|(_, value)| value).collect();
    }
}

fn publish(shared: &Shared, topic: &str, value: &str) {
    // Every topic is one, as the test shows.
    if let Ok(topic) = TopicName::new(topic) {
        let message = Message::new(topic, value.to_owned()).with_retain(true);
        shared
            .router
            .publish_own(shared.context.clock.now(), &message);
    }
}

fn values(shared: &Shared, uptime: Duration) -> Vec<(&'static str, String)> {
    let statistics = shared.statistics();
    let mut values = vec![(
        "$SYS/broker/uptime",
        format!("{} seconds", uptime.as_secs()),
    )];
    values.extend(
        [
            ("$SYS/broker/clients/connected", statistics.connections),
            ("$SYS/broker/clients/total", statistics.sessions),
            (
                "$SYS/broker/publish/messages/received",
                statistics.messages_in,
            ),
            ("$SYS/broker/publish/messages/sent", statistics.messages_out),
            (
                "$SYS/broker/publish/messages/dropped",
                statistics.messages_dropped,
            ),
            ("$SYS/broker/bytes/received", statistics.bytes_in),
            ("$SYS/broker/bytes/sent", statistics.bytes_out),
            (
                "$SYS/broker/retained messages/count",
                statistics.retained_messages,
            ),
            ("$SYS/broker/subscriptions/count", statistics.subscriptions),
        ]
        .map(|(topic, value)| (topic, value.to_string())),
    );
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn every_topic_is_one_and_no_clients() {
        let shared = Shared::new(Options::default());
        let values = values(&shared, Duration::ZERO);
        let topics = values.iter().map(|(topic, _)| *topic).chain([VERSION.0]);
        for topic in topics {
            assert!(
                may_publish(TopicName::new(topic).unwrap()).is_err(),
                "{topic}"
            );
        }
        assert!(may_publish(TopicName::new("$SYS").unwrap()).is_ok());
    }
}
