//! Answering a SUBSCRIBE: each filter once, and never so many that others wait for long.

use std::collections::HashMap;
use std::mem;

use mqtt_core::server::SubscribeRequest;
use mqtt_core::{PacketType, ReasonCode, SubscribeOptions};
use tokio::task;

use super::authorize::sayable;
use super::explain::{FirstRefused, reason_string};
use super::{Connection, explain};
use crate::listener::ByteStream;
use crate::subscription::granted;

/// What all places of one filter in a SUBSCRIBE come to that are allowed.
struct Wanted {
    options: SubscribeOptions,
    /// The answer, once there is one.
    reason: Option<ReasonCode>,
}

impl Wanted {
    /// The filter comes again: the later options replace the earlier ones [v5 MQTT-3.8.4-3], but retained messages that the
    /// earlier ones asked for are still owed.
    fn add(&mut self, later: SubscribeOptions) {
        let earlier = mem::replace(&mut self.options, later);
        // The one that sends more is the smaller one.
        self.options.retain_handling = earlier.retain_handling.min(later.retain_handling);
    }
}

impl<S: ByteStream> Connection<S> {
    /// Answers a SUBSCRIBE as if each filter had come in one of its own [v5 MQTT-3.8.4-5], but that a filter that stands in
    /// it several times is handled once: retained messages are looked for while nobody else may publish.
    /// `allowed` is what was decided about the filters, in their order, if anybody was asked.
    pub(super) async fn subscribe(
        &mut self,
        request: &SubscribeRequest,
        allowed: &[Result<(), ReasonCode>],
    ) {
        let Some(seat) = &self.seat else { return };
        let most = self.shared.context.options.max_filters_per_subscribe;
        let mut wanted: HashMap<&str, Wanted> = HashMap::new();
        let highest = self.shared.context.options.maximum_qos;
        for (place, (filter, mut options)) in request.filters().take(most).enumerate() {
            options.qos = options.qos.min(highest);
            if matches!(allowed.get(place), Some(Err(_))) {
                continue;
            }
            let first = Wanted {
                options,
                reason: None,
            };
            wanted
                .entry(filter.as_str())
                .and_modify(|wanted| wanted.add(options))
                .or_insert(first);
        }
        let id = request.subscription_id();
        let mut reasons = Vec::with_capacity(request.filters().len());
        let mut first_refused = FirstRefused::default();
        for (place, (filter, options)) in request.filters().enumerate() {
            if let Some(Err(refused)) = allowed.get(place) {
                first_refused.note(place, explain::MAY_NOT_SUBSCRIBE);
                reasons.push(sayable(*refused, PacketType::Suback));
                continue;
            }
            let first_ones = (place < most).then_some(&mut wanted);
            let Some(wanted) = first_ones.and_then(|wanted| wanted.get_mut(filter.as_str())) else {
                first_refused.note(place, explain::TOO_MANY_FILTERS);
                reasons.push(ReasonCode::QUOTA_EXCEEDED);
                continue;
            };
            let reason = match wanted.reason {
                Some(reason) => reason,
                None => {
                    // Whoever waits for the end of this connection shall not wait for the rest; no answer is owed then.
                    if self.shared.stop.is_cancelled() || seat.subscriber.is_dismissed() {
                        return;
                    }
                    let now = self.shared.context.clock.now();
                    let router = &self.shared.router;
                    let reason =
                        router.subscribe(now, &seat.subscriber, id, filter, wanted.options);
                    wanted.reason = Some(reason);
                    if filter.has_wildcard() {
                        // Many retained messages may have been looked at, and a SUBSCRIBE may hold many filters.
                        task::yield_now().await;
                    }
                    reason
                }
            };
            reasons.push(if reason.is_error() {
                first_refused.note(place, explain::subscription(reason));
                reason
            } else {
                granted(options.qos.min(highest))
            });
        }
        let cause = reason_string(first_refused.cause());
        let completed = self
            .server
            .complete_subscribe_with(request, &reasons, cause.as_slice());
        if let Err(error) = completed {
            tracing::debug!(%error, "a subscription could not be answered");
        }
    }
}
