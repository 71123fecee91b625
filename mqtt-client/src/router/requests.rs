//! SUBSCRIBE and UNSUBSCRIBE: what to ask, and what the answers mean.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;

use mqtt_core::client::{Client, RequestId, SubscribeError as Refusal};
use mqtt_core::{ReasonCode, SubscribeOptions, SubscriptionId, TopicFilter};

use super::{FilterIndex, Router, Standing, entry, entry_mut};
use crate::error::SubscribeError;
use crate::request::Request;
use crate::stream::SubscriptionKey;

/// Requests on their way, and those that wait for a connection.
#[derive(Default)]
pub(super) struct Requests {
    subscribes: HashMap<RequestId, (SubscriptionKey, Vec<FilterIndex>)>,
    unsubscribes: HashMap<RequestId, Unsubscribe>,
    waiting: Vec<Unsubscribe>,
    /// Groups with filters that the server may not know, or whose answer may be known by now.
    due: BTreeSet<SubscriptionKey>,
}

/// Filters to take back. Without a `request` nobody waits for the answer.
pub(super) struct Unsubscribe {
    filters: Vec<String>,
    request: Option<Request<Result<Vec<ReasonCode>, SubscribeError>>>,
}

impl Unsubscribe {
    fn answer(self, reasons: Result<Vec<ReasonCode>, SubscribeError>) {
        if let Some(request) = self.request {
            request.answer(reasons);
        }
    }
}

impl Requests {
    /// The new session has no subscriptions, so nothing has to be taken back.
    pub(super) fn session_lost(&mut self) {
        for unsubscribe in std::mem::take(&mut self.waiting) {
            let reasons = vec![ReasonCode::NO_SUBSCRIPTION_EXISTED; unsubscribe.filters.len()];
            unsubscribe.answer(Ok(reasons));
        }
    }

    pub(super) fn give_up(&mut self) {
        let on_their_way = std::mem::take(&mut self.unsubscribes).into_values();
        for unsubscribe in on_their_way.chain(std::mem::take(&mut self.waiting)) {
            unsubscribe.answer(Err(SubscribeError::Closed));
        }
    }
}

impl Router {
    /// The group's filters are asked for at the next [`ask`](Self::ask), as far as the server does not know them.
    pub(super) fn ask_later(&mut self, key: SubscriptionKey) {
        self.requests.due.insert(key);
    }

    pub(super) fn ask_all_later(&mut self) {
        self.requests.due.extend(self.groups.keys());
    }

    /// Takes filters back at the server.
    pub(crate) fn unsubscribe(
        &mut self,
        filters: Vec<String>,
        request: Option<Request<Result<Vec<ReasonCode>, SubscribeError>>>,
    ) {
        if !filters.is_empty() {
            self.requests.waiting.push(Unsubscribe { filters, request });
        }
    }

    /// Asks the server whatever it was not asked yet. Without a connection nothing is asked, and nothing forgotten.
    pub(crate) fn ask(&mut self, core: &mut Client) {
        if core.negotiated().is_none() {
            return;
        }
        if !self.requests.waiting.is_empty() {
            self.ask_unsubscribes(core);
        }
        while let Some(key) = self.requests.due.pop_first() {
            if !self.ask_group(core, key) {
                self.requests.due.insert(key);
                return;
            }
        }
    }

    fn ask_unsubscribes(&mut self, core: &mut Client) {
        for mut unsubscribe in std::mem::take(&mut self.requests.waiting) {
            if unsubscribe.request.is_none() {
                // What nobody wanted any more may be wanted again by now.
                unsubscribe
                    .filters
                    .retain(|text| !self.by_text.contains_key(text));
                if unsubscribe.filters.is_empty() {
                    continue;
                }
            }
            let filters: Vec<_> = unsubscribe
                .filters
                .iter()
                .filter_map(|text| TopicFilter::new(text).ok())
                .collect();
            match core.unsubscribe(&filters) {
                Ok(id) => {
                    self.requests.unsubscribes.insert(id, unsubscribe);
                }
                Err(refusal) if is_temporary(&refusal) => self.requests.waiting.push(unsubscribe),
                Err(refusal) => unsubscribe.answer(Err(translate(&refusal))),
            }
        }
    }

    /// Sends one SUBSCRIBE for those filters of a group that the server does not know. `false`: it must wait.
    fn ask_group(&mut self, core: &mut Client, key: SubscriptionKey) -> bool {
        let Some(group) = self.groups.get(&key) else {
            return true;
        };
        let mut indices = Vec::new();
        let mut filters: Vec<(TopicFilter<'_>, SubscribeOptions)> = Vec::new();
        for index in &group.filters {
            if let Some(filter) = entry(&self.filters, *index)
                && filter.standing == Standing::Unasked
                && let Ok(parsed) = TopicFilter::new(&filter.text)
            {
                indices.push(*index);
                filters.push((parsed, filter.options));
            }
        }
        if filters.is_empty() {
            self.answer_group(key);
            return true;
        }
        let identifiers = core
            .negotiated()
            .is_some_and(|limits| limits.subscription_identifiers_available);
        let id = u32::try_from(key.0)
            .ok()
            .filter(|_| identifiers)
            .and_then(SubscriptionId::new);
        match core.subscribe(&filters, id) {
            Ok(request) => {
                for index in &indices {
                    if let Some(filter) = entry_mut(&mut self.filters, *index) {
                        filter.standing = Standing::Asked;
                    }
                }
                self.requests.subscribes.insert(request, (key, indices));
                true
            }
            Err(refusal) if is_temporary(&refusal) => false,
            Err(refusal) => {
                self.refuse_group(key, translate(&refusal));
                true
            }
        }
    }

    /// The server answered a SUBSCRIBE.
    pub(crate) fn subscribed(&mut self, id: RequestId, reasons: &[ReasonCode]) {
        let Some((key, indices)) = self.requests.subscribes.remove(&id) else {
            return;
        };
        let asked_by_application = self
            .groups
            .get(&key)
            .is_some_and(|group| group.request.is_some());
        for (index, reason) in indices.iter().zip(reasons) {
            let Some(filter) = entry_mut(&mut self.filters, *index) else {
                continue;
            };
            if filter.standing == Standing::Asked {
                filter.standing = Standing::Granted;
            }
            for member in &filter.members {
                if let Some(group) = self.groups.get(member) {
                    group.grant.set(*reason);
                    if group.request.is_some() && *member != key {
                        self.requests.due.insert(*member);
                    }
                }
            }
        }
        if asked_by_application {
            self.answer_subscribe(key, &indices, reasons);
        }
        for (index, reason) in indices.iter().zip(reasons) {
            if reason.is_error() {
                self.refused(*index, *reason, asked_by_application);
            }
        }
    }

    /// Answers who waits for the group, in the order of its filters.
    fn answer_subscribe(
        &mut self,
        key: SubscriptionKey,
        indices: &[FilterIndex],
        reasons: &[ReasonCode],
    ) {
        let Some(group) = self.groups.get_mut(&key) else {
            return;
        };
        let Some(request) = group.request.take() else {
            return;
        };
        let reason_of = |index: &FilterIndex| {
            let place = indices.iter().position(|asked| asked == index)?;
            reasons.get(place).copied()
        };
        // A filter that was not part of this SUBSCRIBE was granted to another group before.
        let all = group
            .filters
            .iter()
            .map(|index| reason_of(index).unwrap_or_else(|| group.grant.get()))
            .collect();
        request.answer(Ok(all));
    }

    /// Another group asked for the very same filters, and the server granted them.
    fn answer_group(&mut self, key: SubscriptionKey) {
        let Some(group) = self.groups.get_mut(&key) else {
            return;
        };
        let granted = |index: &FilterIndex| {
            entry(&self.filters, *index).is_some_and(|filter| filter.standing == Standing::Granted)
        };
        if group.request.is_some() && group.filters.iter().all(granted) {
            let reasons = vec![group.grant.get(); group.filters.len()];
            if let Some(request) = group.request.take() {
                request.answer(Ok(reasons));
            }
        }
    }

    fn refused(&mut self, index: FilterIndex, reason: ReasonCode, asked_by_application: bool) {
        if !asked_by_application && let Some(filter) = entry(&self.filters, index) {
            // Nobody waits for this answer: the subscription was made anew after the session was lost.
            tracing::warn!(filter = filter.text, %reason, "the server refused a subscription it had granted before");
            self.shared
                .counters
                .refused_again
                .fetch_add(1, Ordering::Relaxed);
        }
        self.drop_filter(index, Some(reason));
    }

    fn refuse_group(&mut self, key: SubscriptionKey, error: SubscribeError) {
        let Some(group) = self.groups.get_mut(&key) else {
            return;
        };
        match group.request.take() {
            Some(request) => {
                request.answer(Err(error));
            }
            None => tracing::warn!(%error, "a subscription could not be made anew"),
        }
        let stream = std::sync::Arc::clone(&group.stream);
        self.leave(key);
        if !stream.is_inbox() {
            stream.end();
        }
    }

    /// The server answered an UNSUBSCRIBE.
    pub(crate) fn unsubscribed(&mut self, id: RequestId, reasons: &[ReasonCode]) {
        if let Some(unsubscribe) = self.requests.unsubscribes.remove(&id) {
            unsubscribe.answer(Ok(reasons.to_vec()));
        }
    }

    /// The connection is over, and no answer will come on it: what was asked is asked again on the next.
    pub(crate) fn connection_lost(&mut self) {
        self.requests.subscribes.clear();
        for filter in self.filters.iter_mut().flatten() {
            if filter.standing == Standing::Asked {
                filter.standing = Standing::Unasked;
            }
        }
        let unanswered = std::mem::take(&mut self.requests.unsubscribes);
        self.requests.waiting.extend(unanswered.into_values());
        self.ask_all_later();
    }
}

/// Whether the same request may be taken later on the same connection.
fn is_temporary(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NotConnected | Refusal::TooManyRequests { .. } | Refusal::NoPacketId
    )
}

fn translate(refusal: &Refusal) -> SubscribeError {
    match refusal {
        Refusal::WildcardNotSupported => SubscribeError::NotSupported {
            reason: ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
        },
        Refusal::SharedNotSupported => SubscribeError::NotSupported {
            reason: ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
        },
        Refusal::SubscriptionIdNotSupported => SubscribeError::NotSupported {
            reason: ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
        },
        Refusal::NoFilter => SubscribeError::NoFilter,
        Refusal::Encode(cause) => SubscribeError::Encode(*cause),
        // New refusals of the machine are new reasons to look here; until then they say at least that nothing was sent.
        _ => SubscribeError::Closed,
    }
}
