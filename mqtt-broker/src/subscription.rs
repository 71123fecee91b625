//! One subscription of a session, and the copy of a message that it asks for.

use std::sync::Arc;

use mqtt_core::{Message, QoS, ReasonCode, SubscribeOptions, SubscriptionId};

use crate::subscriber::Subscriber;

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) subscriber: Arc<Subscriber>,
    pub(crate) options: SubscribeOptions,
    pub(crate) id: Option<SubscriptionId>,
}

/// The one copy of a message for a session: at the highest QoS that its matching subscriptions were granted, never above
/// that of the message, and with all their identifiers [v5 MQTT-3.3.4-2, MQTT-3.3.4-4, MQTT-3.8.4-8].
pub(crate) fn copy_for<'a>(
    message: &Message,
    subscriptions: impl Iterator<Item = &'a Subscription> + Clone,
) -> Message {
    let granted = subscriptions
        .clone()
        .map(|subscription| subscription.options.qos)
        .max()
        .unwrap_or_default();
    // RETAIN is cleared unless a subscription asked to see it [v5 MQTT-3.3.1-12, MQTT-3.3.1-13, v311 MQTT-3.3.1-9].
    let retain = message.retain()
        && subscriptions
            .clone()
            .any(|subscription| subscription.options.retain_as_published);
    let ids: Vec<_> = subscriptions
        .filter_map(|subscription| subscription.id)
        .collect();
    message
        .clone()
        .with_qos(granted.min(message.qos()))
        .with_retain(retain)
        .with_subscription_ids(&ids)
}

/// The Reason Code that grants a QoS.
pub(crate) const fn granted(qos: QoS) -> ReasonCode {
    match qos {
        QoS::AtMostOnce => ReasonCode::GRANTED_QOS_0,
        QoS::AtLeastOnce => ReasonCode::GRANTED_QOS_1,
        QoS::ExactlyOnce => ReasonCode::GRANTED_QOS_2,
    }
}

/// Gives back what a list has room for that once was long, leaving some for what may come.
pub(crate) fn shrink_if_sparse<T>(list: &mut Vec<T>) {
    if list.len() < list.capacity() / 4 {
        list.shrink_to(2 * list.len());
    }
}
