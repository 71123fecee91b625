//! Received messages to subscriptions, and the subscriptions a server has to be told about.
//!
//! Each `subscribe` call is a *group* of filters with a stream. A filter is one entry, whoever shares it, because for the
//! server it is one subscription. It is asked for by one group at a time, with the properties of that group: by the call that
//! was made last, and by the first of those that have it after the session was lost. In 5.0 the key of the group is the
//! Subscription Identifier, so that where filters overlap and the server sends one copy for each, each copy goes where it
//! belongs.

mod requests;
mod unrouted;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use mqtt_core::{
    AckToken, Message, PropertiesBuf, ReasonCode, SubscribeOptions, TopicFilter, TopicTrie,
};

use crate::command::AckAnswer;
use crate::error::SubscribeError;
use crate::request::Request;
use crate::shared::Shared;
use crate::stream::{
    AckGroup, AckMode, Item, PendingAck, Pushed, Stream, SubscriptionKey, SubscriptionKeys,
};
use crate::subscription::{Grant, SubscribeAnswer};
use requests::Requests;
use unrouted::Unrouted;

/// Place of a filter in the table.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct FilterIndex(u32);

pub(crate) struct Router {
    shared: Arc<Shared>,
    trie: TopicTrie<FilterIndex, ()>,
    filters: Vec<Option<Filter>>,
    by_text: HashMap<String, FilterIndex>,
    groups: BTreeMap<SubscriptionKey, Group>,
    requests: Requests,
    unrouted: Unrouted,
    // Kept between messages, so that routing allocates nothing.
    matched: Vec<FilterIndex>,
    targets: Vec<Target>,
}

/// One subscription as the server sees it.
struct Filter {
    text: String,
    options: SubscribeOptions,
    members: Vec<SubscriptionKey>,
    standing: Standing,
}

/// What the server knows of a filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Nothing, as far as we know.
    Unasked,
    /// It was asked; the answer is on its way.
    Asked,
    /// It answered; a refusal stands here only until the filter is taken out.
    Granted(ReasonCode),
}

/// One `subscribe` call.
struct Group {
    filters: Vec<FilterIndex>,
    stream: Arc<Stream>,
    mode: AckMode,
    grant: Arc<Grant>,
    /// Of each SUBSCRIBE that asks for filters of this group, besides the Subscription Identifier.
    properties: PropertiesBuf,
    /// Who waits for the first answer.
    waiting: Option<Waiting>,
}

/// The caller of `subscribe`, until every filter of the call has an answer.
struct Waiting {
    request: Request<Result<SubscribeAnswer, SubscribeError>>,
    /// The filters in the order of the call.
    places: Vec<Place>,
}

struct Place {
    filter: FilterIndex,
    /// Why the group does not have the filter any more. After that, the index may mean another filter.
    gone: Option<ReasonCode>,
    /// Of the last SUBACK that answered the filter.
    properties: Arc<PropertiesBuf>,
}

impl Waiting {
    /// The places of a filter that the group has not lost.
    fn places_of(&mut self, filter: FilterIndex) -> impl Iterator<Item = &mut Place> {
        let places = self.places.iter_mut();
        places.filter(move |place| place.filter == filter && place.gone.is_none())
    }

    /// A SUBACK, whoever's, has answered a filter.
    fn answered(&mut self, filter: FilterIndex, properties: &Arc<PropertiesBuf>) {
        for place in self.places_of(filter) {
            place.properties = Arc::clone(properties);
        }
    }

    /// The group has lost a filter: by that refusal, or because it was unsubscribed.
    fn lose(&mut self, filter: FilterIndex, refusal: Option<ReasonCode>) {
        for place in self.places_of(filter) {
            // Nobody refused what was unsubscribed meanwhile, but the group does not have it either.
            place.gone = Some(refusal.unwrap_or(ReasonCode::UNSPECIFIED_ERROR));
            if refusal.is_none() {
                place.properties = Arc::default();
            }
        }
    }

    /// The answer to the call, once there is a Reason Code for each of its filters.
    fn answer(
        &self,
        granted: impl Fn(FilterIndex) -> Option<ReasonCode>,
    ) -> Option<SubscribeAnswer> {
        let reason = |place: &Place| place.gone.or_else(|| granted(place.filter));
        let reasons: Vec<_> = self.places.iter().map(reason).collect::<Option<_>>()?;
        // What was said about a refusal is worth more than what was said about the rest.
        let told = reasons.iter().position(|reason| reason.is_error());
        let properties = self.places.get(told.unwrap_or(0));
        Some(SubscribeAnswer {
            properties: properties.map_or_else(Arc::default, |place| Arc::clone(&place.properties)),
            reasons,
        })
    }
}

/// A stream that gets the message at hand.
struct Target {
    stream: Arc<Stream>,
    keys: SubscriptionKeys,
    mode: AckMode,
}

/// A message from the core.
pub(crate) struct Arrival {
    pub(crate) message: Message,
    pub(crate) token: Option<AckToken>,
    pub(crate) dup: bool,
    pub(crate) at: SystemTime,
}

/// What a `subscribe` call brings.
pub(crate) struct NewGroup {
    pub(crate) key: SubscriptionKey,
    pub(crate) filters: Vec<(String, SubscribeOptions)>,
    pub(crate) mode: AckMode,
    pub(crate) stream: Arc<Stream>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) properties: PropertiesBuf,
    pub(crate) request: Request<Result<SubscribeAnswer, SubscribeError>>,
}

impl Router {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let unrouted = Unrouted::new(&shared.options);
        Self {
            shared,
            trie: TopicTrie::new(),
            filters: Vec::new(),
            by_text: HashMap::new(),
            groups: BTreeMap::new(),
            requests: Requests::default(),
            unrouted,
            matched: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Whether no message is awaited, and nothing is to be told to the server or answered by it. The subscription to responses
    /// may stay for ever, and counts only while there is a request.
    pub(crate) fn is_at_rest(&self) -> bool {
        !self.requests.are_for_unsubscribes()
            && (self.groups.values()).all(|group| !group.stream.is_awaited())
    }

    /// Gives a message to every subscription it is for. What can be acknowledged at once is added to `acks`.
    pub(crate) fn route(&mut self, arrival: Arrival, acks: &mut Vec<(AckToken, AckAnswer)>) {
        self.shared
            .counters
            .received
            .fetch_add(1, Ordering::Relaxed);
        self.find_targets(&arrival.message);
        if self.targets.is_empty() {
            self.keep_unrouted(arrival, acks);
            return;
        }
        let group = match arrival.token {
            Some(_) if self.targets.len() > 1 => Some(AckGroup::new(self.targets.len())),
            _ => None,
        };
        for target in self.targets.drain(..) {
            let item = Item {
                message: arrival.message.clone(),
                dup: arrival.dup,
                packet_id: arrival.token.map(AckToken::packet_id),
                received_at: arrival.at,
                keys: target.keys,
                mode: target.mode,
                pending: arrival.token.map(|token| PendingAck {
                    token,
                    group: group.clone(),
                }),
            };
            let owed = item.pending.clone();
            match target.stream.push(item) {
                Pushed::InStream(answer) => acks.extend(answer),
                Pushed::Held => {}
                Pushed::Dropped | Pushed::Closed => {
                    self.shared.counters.dropped.fetch_add(1, Ordering::Relaxed);
                    acks.extend(owed.and_then(|owed| owed.answer(AckAnswer::SUCCESS)));
                }
            }
        }
    }

    fn find_targets(&mut self, message: &Message) {
        self.matched.clear();
        self.matched
            .extend(self.trie.matches(message.topic()).map(|(index, ())| *index));
        if self.matched.len() > 1 {
            self.keep_identified(message);
        }
        self.targets.clear();
        for filter in self
            .matched
            .iter()
            .filter_map(|index| entry(&self.filters, *index))
        {
            for key in &filter.members {
                let Some(group) = self.groups.get(key) else {
                    continue;
                };
                let known = self
                    .targets
                    .iter_mut()
                    .find(|target| Arc::ptr_eq(&target.stream, &group.stream));
                match known {
                    Some(target) => {
                        target.keys.add(*key);
                        if group.mode == AckMode::Manual {
                            target.mode = AckMode::Manual;
                        }
                    }
                    None => self.targets.push(Target {
                        stream: Arc::clone(&group.stream),
                        keys: SubscriptionKeys::one(*key),
                        mode: group.mode,
                    }),
                }
            }
        }
    }

    /// Where the message names its subscriptions, only those of the matching filters stay. A name we do not know (the
    /// session is older than this process) says nothing.
    fn keep_identified(&mut self, message: &Message) {
        let properties = message.properties();
        let named = |index: &FilterIndex| {
            let members = entry(&self.filters, *index)
                .map(|filter| filter.members.as_slice())
                .unwrap_or_default();
            properties
                .subscription_identifiers()
                .any(|id| members.contains(&SubscriptionKey(u64::from(id.get()))))
        };
        if self.matched.iter().any(named) {
            let kept: Vec<_> = self.matched.iter().copied().filter(named).collect();
            self.matched = kept;
        }
    }

    fn keep_unrouted(&mut self, arrival: Arrival, acks: &mut Vec<(AckToken, AckAnswer)>) {
        let dropped = self.unrouted.keep(arrival);
        for arrival in dropped {
            self.shared.counters.dropped.fetch_add(1, Ordering::Relaxed);
            acks.extend(arrival.token.map(|token| (token, AckAnswer::SUCCESS)));
        }
    }

    /// Enters a `subscribe` call. The server is asked by [`ask`](Self::ask).
    pub(crate) fn add(&mut self, new: NewGroup, acks: &mut Vec<(AckToken, AckAnswer)>) {
        let mut filters = Vec::with_capacity(new.filters.len());
        for (text, options) in new.filters {
            match self.enter(&text, options, new.key) {
                Some(index) => filters.push(index),
                None => {
                    // The handle has checked it; whatever else may come, the request must not hang.
                    new.request.answer(Err(SubscribeError::TooManyLevels {
                        filter: text,
                        limit: mqtt_core::DEFAULT_MAX_LEVELS,
                    }));
                    new.stream.close();
                    return;
                }
            }
        }
        let places = filters.iter().map(|filter| Place {
            filter: *filter,
            gone: None,
            properties: Arc::default(),
        });
        let waiting = Waiting {
            request: new.request,
            places: places.collect(),
        };
        let group = Group {
            filters,
            stream: new.stream,
            mode: new.mode,
            grant: new.grant,
            properties: new.properties,
            waiting: Some(waiting),
        };
        self.groups.insert(new.key, group);
        self.ask_later(new.key);
        // Messages of a resumed session may have come before the application had subscribed.
        for arrival in self.unrouted.take() {
            self.shared
                .counters
                .received
                .fetch_sub(1, Ordering::Relaxed);
            self.route(arrival, acks);
        }
    }

    fn enter(
        &mut self,
        text: &str,
        options: SubscribeOptions,
        key: SubscriptionKey,
    ) -> Option<FilterIndex> {
        if let Some(index) = self.by_text.get(text).copied()
            && let Some(filter) = entry_mut(&mut self.filters, index)
        {
            // The server replaces the options; no earlier subscriber may get less than it was granted.
            let qos = filter.options.qos.max(options.qos);
            filter.options = SubscribeOptions { qos, ..options };
            filter.standing = Standing::Unasked;
            if !filter.members.contains(&key) {
                filter.members.push(key);
            }
            return Some(index);
        }
        let place = self
            .filters
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.filters.len());
        let index = FilterIndex(u32::try_from(place).ok()?);
        self.trie.insert(matching_part(text)?, index, ()).ok()?;
        let filter = Filter {
            text: text.to_owned(),
            options,
            members: vec![key],
            standing: Standing::Unasked,
        };
        match self.filters.get_mut(place) {
            Some(free) => *free = Some(filter),
            None => self.filters.push(Some(filter)),
        }
        self.by_text.insert(text.to_owned(), index);
        Some(index)
    }

    /// Takes a group out. Returns the filters that nobody has any more.
    pub(crate) fn leave(&mut self, key: SubscriptionKey) -> Vec<String> {
        let Some(group) = self.groups.remove(&key) else {
            return Vec::new();
        };
        if let Some(waiting) = group.waiting {
            waiting.request.answer(Err(SubscribeError::Closed));
        }
        let mut orphans = Vec::new();
        for index in group.filters {
            let Some(filter) = entry_mut(&mut self.filters, index) else {
                continue;
            };
            filter.members.retain(|member| *member != key);
            if filter.members.is_empty() {
                orphans.extend(self.remove(index));
            }
        }
        orphans
    }

    /// Takes filters out for every group that has them; groups without any filter end.
    pub(crate) fn drop_filters(&mut self, texts: &[String]) {
        for text in texts {
            if let Some(index) = self.by_text.get(text).copied() {
                self.drop_filter(index, None);
            }
        }
    }

    /// Takes a filter out for everybody, because the server refused it or because it was unsubscribed. Whoever still waits
    /// for the answer to a `subscribe` call that has no filter left is told.
    fn drop_filter(&mut self, index: FilterIndex, refusal: Option<ReasonCode>) {
        let members =
            entry_mut(&mut self.filters, index).map(|filter| std::mem::take(&mut filter.members));
        self.remove(index);
        for key in members.unwrap_or_default() {
            let Some(group) = self.groups.get_mut(&key) else {
                continue;
            };
            group.filters.retain(|filter| *filter != index);
            if let Some(waiting) = &mut group.waiting {
                waiting.lose(index, refusal);
                // Those that are left may all be answered.
                self.requests.due.insert(key);
            }
            if group.filters.is_empty()
                && let Some(group) = self.groups.remove(&key)
            {
                if let Some(waiting) = &group.waiting {
                    let answer = refusal.and_then(|_| waiting.answer(|_| None));
                    waiting.request.answer(answer.ok_or(SubscribeError::Closed));
                }
                let shared_by_others = self
                    .groups
                    .values()
                    .any(|other| Arc::ptr_eq(&other.stream, &group.stream));
                if !shared_by_others && !group.stream.is_inbox() {
                    group.stream.end();
                }
            }
        }
    }

    fn remove(&mut self, index: FilterIndex) -> Option<String> {
        let filter = self
            .filters
            .get_mut(usize::try_from(index.0).ok()?)?
            .take()?;
        if let Some(part) = matching_part(&filter.text) {
            self.trie.remove(part, &index);
        }
        self.by_text.remove(&filter.text);
        Some(filter.text)
    }

    /// The client is closed.
    pub(crate) fn close(&mut self) {
        for group in std::mem::take(&mut self.groups).into_values() {
            if let Some(waiting) = group.waiting {
                waiting.request.answer(Err(SubscribeError::Closed));
            }
            group.stream.close();
        }
        self.requests.give_up();
    }

    /// A connection begins on a session that the server has: what it will send again must not come twice.
    pub(crate) fn forget(&mut self, is_stale: impl Fn(AckToken) -> bool + Copy) {
        self.unrouted.forget(is_stale);
        for group in self.groups.values() {
            group.stream.forget(is_stale);
        }
    }

    /// Gives up held messages of a lost session, as far as more is held than the bounds allow.
    pub(crate) fn shed_held(&self) {
        for group in self.groups.values() {
            group.stream.shed_held();
        }
    }

    /// The server may send messages for subscriptions that the application is yet to make.
    pub(crate) fn hold_unrouted(&mut self) {
        self.unrouted.hold_from_now_on();
    }

    /// A connection begins on a new session: the server knows no subscription. Unless they are to come back, those that it
    /// had answered are over.
    pub(crate) fn session_lost(&mut self, resubscribe: bool) {
        if !resubscribe {
            self.end_answered();
        }
        for filter in self.filters.iter_mut().flatten() {
            filter.standing = Standing::Unasked;
        }
        self.requests.session_lost();
        self.ask_all_later();
    }

    /// Ends subscriptions as if they had been unsubscribed. Those whose answer somebody awaits stay, and so do the responses to
    /// requests, which no application subscribed to.
    fn end_answered(&mut self) {
        let stays = |key: &SubscriptionKey| {
            let group = self.groups.get(key);
            group.is_some_and(|group| group.waiting.is_some() || group.stream.has_responses())
        };
        let over = self.filters.iter().flatten();
        let over = over.filter(|filter| !filter.members.iter().any(stays));
        let over: Vec<_> = over.map(|filter| filter.text.clone()).collect();
        self.drop_filters(&over);
    }
}

fn entry(filters: &[Option<Filter>], index: FilterIndex) -> Option<&Filter> {
    filters.get(usize::try_from(index.0).ok()?)?.as_ref()
}

fn entry_mut(filters: &mut [Option<Filter>], index: FilterIndex) -> Option<&mut Filter> {
    filters.get_mut(usize::try_from(index.0).ok()?)?.as_mut()
}

/// The part of a filter that takes part in matching: of a shared subscription, what follows the group's name (v5 4.8.2).
fn matching_part(text: &str) -> Option<TopicFilter<'_>> {
    let filter = TopicFilter::new(text).ok()?;
    match filter.shared().ok()? {
        Some(shared) => Some(shared.filter),
        None => Some(filter),
    }
}
