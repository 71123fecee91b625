//! SUBSCRIBE and UNSUBSCRIBE: what to ask, and what the answers mean.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mqtt_core::client::{Client, RequestId, SubscribeError as Refusal};
use mqtt_core::{
    PropertiesBuf, Property, ReasonCode, SubscribeOptions, SubscriptionId, TopicFilter,
};

use super::{FilterIndex, Router, Standing, entry, entry_mut};
use crate::error::SubscribeError;
use crate::request::Request;
use crate::stream::SubscriptionKey;
use crate::subscription::SubscribeAnswer;

/// Requests on their way, and those that wait for a connection.
#[derive(Default)]
pub(super) struct Requests {
    subscribes: HashMap<RequestId, (SubscriptionKey, Vec<FilterIndex>)>,
    unsubscribes: HashMap<RequestId, Unsubscribe>,
    waiting: Vec<Unsubscribe>,
    /// Groups with filters that the server may not know, or whose answer may be known by now.
    pub(super) due: BTreeSet<SubscriptionKey>,
}

/// Filters to take back. Without a `request` nobody waits for the answer.
pub(super) struct Unsubscribe {
    filters: Vec<String>,
    properties: PropertiesBuf,
    request: Option<Request<Result<SubscribeAnswer, SubscribeError>>>,
}

impl Unsubscribe {
    fn answer(self, answer: Result<SubscribeAnswer, SubscribeError>) {
        if let Some(request) = self.request {
            request.answer(answer);
        }
    }
}

impl Requests {
    pub(super) fn are_for_unsubscribes(&self) -> bool {
        !self.waiting.is_empty() || !self.unsubscribes.is_empty()
    }

    /// The new session has no subscriptions, so nothing has to be taken back.
    pub(super) fn session_lost(&mut self) {
        for unsubscribe in std::mem::take(&mut self.waiting) {
            let reasons = vec![ReasonCode::NO_SUBSCRIPTION_EXISTED; unsubscribe.filters.len()];
            unsubscribe.answer(Ok(SubscribeAnswer {
                reasons,
                ..SubscribeAnswer::default()
            }));
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
        properties: PropertiesBuf,
        request: Option<Request<Result<SubscribeAnswer, SubscribeError>>>,
    ) {
        if !filters.is_empty() {
            self.requests.waiting.push(Unsubscribe {
                filters,
                properties,
                request,
            });
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
            let properties: Vec<_> = unsubscribe.properties.as_properties().iter().collect();
            let asked = match core.unsubscribe(&filters, &properties) {
                // The subscriptions are over here. Properties that the version of the connection or the server's Maximum
                // Packet Size have no room for are not worth leaving them alive at the server.
                Err(Refusal::Encode(_)) if !properties.is_empty() => {
                    core.unsubscribe(&filters, &[])
                }
                asked => asked,
            };
            match asked {
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
            .and_then(SubscriptionId::new)
            .map(Property::SubscriptionIdentifier);
        let properties = id.into_iter().chain(group.properties.as_properties());
        match core.subscribe(&filters, &properties.collect::<Vec<_>>()) {
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
    pub(crate) fn subscribed(
        &mut self,
        id: RequestId,
        reasons: &[ReasonCode],
        properties: PropertiesBuf,
    ) {
        let properties = Arc::new(properties);
        let Some((key, indices)) = self.requests.subscribes.remove(&id) else {
            return;
        };
        let asked_by_application = self
            .groups
            .get(&key)
            .is_some_and(|group| group.waiting.is_some());
        for (index, reason) in indices.iter().zip(reasons) {
            let Some(filter) = entry_mut(&mut self.filters, *index) else {
                continue;
            };
            if filter.standing == Standing::Asked {
                filter.standing = Standing::Granted(*reason);
            }
            for member in &filter.members {
                if let Some(group) = self.groups.get_mut(member) {
                    group.grant.set(*reason);
                    if let Some(waiting) = &mut group.waiting {
                        waiting.answered(*index, &properties);
                        self.requests.due.insert(*member);
                    }
                }
            }
        }
        for (index, reason) in indices.iter().zip(reasons) {
            if reason.is_error() {
                if !asked_by_application {
                    self.tell_of_refusal(*index, *reason, &properties);
                }
                self.drop_filter(*index, Some(*reason));
            }
        }
    }

    /// Answers who waits for the group, in the order of the call, once every filter has an answer: its own, or one that was
    /// given to another group with the same filter.
    fn answer_group(&mut self, key: SubscriptionKey) {
        let Some(group) = self.groups.get_mut(&key) else {
            return;
        };
        let granted = |index| match entry(&self.filters, index)?.standing {
            Standing::Granted(reason) => Some(reason),
            Standing::Unasked | Standing::Asked => None,
        };
        let answer = group
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.answer(granted));
        if let Some(answer) = answer
            && let Some(waiting) = group.waiting.take()
        {
            waiting.request.answer(Ok(answer));
        }
    }

    /// Nobody waits for this answer: the subscription was made anew after the session was lost.
    fn tell_of_refusal(&self, index: FilterIndex, reason: ReasonCode, properties: &PropertiesBuf) {
        let Some(filter) = entry(&self.filters, index) else {
            return;
        };
        let reason_string = properties.as_properties().reason_string();
        tracing::warn!(
            filter = filter.text,
            %reason,
            reason_string = reason_string.map(|text| text.as_str()),
            "the server refused a subscription it had granted before"
        );
        self.shared
            .counters
            .refused_again
            .fetch_add(1, Ordering::Relaxed);
    }

    fn refuse_group(&mut self, key: SubscriptionKey, error: SubscribeError) {
        let Some(group) = self.groups.get_mut(&key) else {
            return;
        };
        match group.waiting.take() {
            Some(waiting) => {
                waiting.request.answer(Err(error));
            }
            None => tracing::warn!(%error, "a subscription could not be made anew"),
        }
        let stream = Arc::clone(&group.stream);
        self.leave(key);
        if !stream.is_inbox() {
            stream.end();
        }
    }

    /// The server answered an UNSUBSCRIBE.
    pub(crate) fn unsubscribed(
        &mut self,
        id: RequestId,
        reasons: &[ReasonCode],
        properties: PropertiesBuf,
    ) {
        if let Some(unsubscribe) = self.requests.unsubscribes.remove(&id) {
            unsubscribe.answer(Ok(SubscribeAnswer {
                reasons: reasons.to_vec(),
                properties: Arc::new(properties),
            }));
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

#[cfg(test)]
mod tests {
    use bytes::{Buf as _, BytesMut};
    use mqtt_core::client::{ConnectOptions, Event, Limits};
    use mqtt_core::{Output, Progress, Session, Utf8};

    use super::*;
    use crate::clock::Clock;
    use crate::options::Options;
    use crate::router::NewGroup;
    use crate::shared::Shared;
    use crate::stream::{AckMode, Stream, StreamLimits};

    type Answer = Request<Result<SubscribeAnswer, SubscribeError>>;

    fn user(name: &str) -> PropertiesBuf {
        let name = Utf8::new(name).unwrap();
        PropertiesBuf::collect([Property::UserProperty(name, Utf8::EMPTY)]).unwrap()
    }

    /// A machine that a 5.0 server has accepted.
    fn accepted(clock: &Clock) -> Client {
        let limits = Limits::default();
        let session = Session::new(limits.session_bounds());
        let mut core = Client::with_session(limits, session);
        core.connect(clock.now(), &ConnectOptions::new("a"))
            .unwrap();
        core.poll_transmit(clock.now(), &mut Output::new());
        read(&mut core, clock, &[0x20, 0x03, 0x00, 0x00, 0x00]);
        while core.poll_event().is_some() {}
        core
    }

    fn read(core: &mut Client, clock: &Clock, bytes: &[u8]) {
        let progress = core.handle_input(clock.now(), &mut BytesMut::from(bytes));
        assert_eq!(progress, Progress::Done);
    }

    /// What the machine was answered goes to the router.
    fn answered(router: &mut Router, core: &mut Client) {
        while let Some(event) = core.poll_event() {
            if let Event::Subscribed {
                id,
                reasons,
                properties,
            } = event
            {
                router.subscribed(id, &reasons, properties);
            }
        }
        router.ask(core);
    }

    fn reason_string(answer: &Answer) -> String {
        let answer = answer.result().expect("an answer").unwrap();
        let text = answer.properties.as_properties().reason_string();
        text.expect("a Reason String").as_str().to_owned()
    }

    fn subscribe(router: &mut Router, key: u64, filters: &[&str]) -> Answer {
        let limits = StreamLimits {
            messages: 1,
            bytes: 1,
        };
        let request = Answer::new();
        let new = NewGroup {
            key: SubscriptionKey(key),
            filters: filters
                .iter()
                .map(|filter| ((*filter).to_owned(), SubscribeOptions::default()))
                .collect(),
            mode: AckMode::OnReceive,
            stream: Arc::new(Stream::new(Arc::clone(&router.shared), limits)),
            grant: Arc::default(),
            properties: user(&format!("from {key}")),
            request: request.clone(),
        };
        router.add(new, &mut Vec::new());
        request
    }

    #[tokio::test(start_paused = true)]
    async fn each_filter_of_a_call_has_its_own_reason_whoever_asked_for_it() {
        let clock = Clock::new();
        let mut core = accepted(&clock);
        let mut router = Router::new(Arc::new(Shared::new(Options::new("h", 1)).unwrap()));
        let first = subscribe(&mut router, 1, &["a", "b", "c"]);
        // All of the second is asked for by others; of the third, only `d`.
        let second = subscribe(&mut router, 2, &["c", "b", "a"]);
        let third = subscribe(&mut router, 3, &["d", "b"]);
        router.ask(&mut core);
        // SUBACK for Packet Identifier 1, with the Reason String "A": granted QoS 0, Not authorized, granted QoS 1. Then for 2,
        // with "B": Quota exceeded.
        for suback in [
            &[
                0x90, 0x0A, 0x00, 0x01, 0x04, 0x1F, 0x00, 0x01, b'A', 0x00, 0x87, 0x01,
            ][..],
            &[0x90, 0x08, 0x00, 0x02, 0x04, 0x1F, 0x00, 0x01, b'B', 0x97],
        ] {
            read(&mut core, &clock, suback);
            answered(&mut router, &mut core);
        }
        let codes = |answer: &Answer| {
            let answer = answer.result().expect("an answer").unwrap();
            (answer.reasons.iter())
                .map(|reason| reason.get())
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&first), [0x00, 0x87, 0x01]);
        assert_eq!(codes(&second), [0x01, 0x87, 0x00]);
        assert_eq!(codes(&third), [0x97, 0x87]);
        // That of the SUBACK with the first refusal.
        assert_eq!(reason_string(&first), "A");
        assert_eq!(reason_string(&second), "A");
        assert_eq!(reason_string(&third), "B");
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_was_refused_the_answer_about_the_first_filter_counts() {
        let clock = Clock::new();
        let mut core = accepted(&clock);
        let mut router = Router::new(Arc::new(Shared::new(Options::new("h", 1)).unwrap()));
        subscribe(&mut router, 1, &["a"]);
        let second = subscribe(&mut router, 2, &["b", "a"]);
        router.ask(&mut core);
        // Granted QoS 0 for Packet Identifiers 2 and 1, with the Reason Strings "B" and "A".
        for (packet_id, text) in [(2, b'B'), (1, b'A')] {
            let suback = [
                0x90, 0x08, 0x00, packet_id, 0x04, 0x1F, 0x00, 0x01, text, 0x00,
            ];
            read(&mut core, &clock, &suback);
            answered(&mut router, &mut core);
        }
        assert_eq!(reason_string(&second), "B");
    }

    /// Which group asks decides over the properties.
    #[tokio::test(start_paused = true)]
    async fn a_filter_of_two_calls_is_asked_for_with_the_properties_of_one() {
        let clock = Clock::new();
        let mut core = accepted(&clock);
        let mut router = Router::new(Arc::new(Shared::new(Options::new("h", 1)).unwrap()));
        let mut asked = |router: &mut Router| {
            router.ask(&mut core);
            let mut output = Output::new();
            core.poll_transmit(clock.now(), &mut output);
            let sent = output.copy_to_bytes(output.remaining());
            let texts = [&b"from 1"[..], b"from 2"];
            texts.map(|text| sent.windows(text.len()).any(|bytes| bytes == text))
        };
        subscribe(&mut router, 1, &["a"]);
        assert_eq!(asked(&mut router), [true, false]);
        subscribe(&mut router, 2, &["a"]);
        assert_eq!(asked(&mut router), [false, true]);
        router.session_lost(true);
        assert_eq!(asked(&mut router), [true, false]);
    }
}
