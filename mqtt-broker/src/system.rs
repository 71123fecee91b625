//! Topics of the broker's own, below `$SYS/`: what it counts, for whoever subscribes (v5 4.7.2, v311 4.7.2).

use mqtt_core::{ReasonCode, TopicName};

/// What the broker's own topics begin with.
const PREFIX: &str = "$SYS/";

/// Whether clients may publish to a topic: the broker's own are its own.
pub(crate) fn may_publish(topic: TopicName<'_>) -> Result<(), ReasonCode> {
    if topic.as_str().starts_with(PREFIX) {
        return Err(ReasonCode::NOT_AUTHORIZED);
    }
    Ok(())
}
