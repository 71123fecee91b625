//! Who gets a message: subscriptions and retained messages, and the one place where a message is handed out.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use mqtt_core::{
    Instant, Message, ReasonCode, RetainHandling, SharedFilter, SubscribeOptions, SubscriptionId,
    TopicFilter, TopicTrie, TopicTrieError,
};

use crate::backlog::Waiting;
use crate::context::Context;
use crate::expiry::expires;
use crate::retained::Retained;
use crate::share::{Group, Orphan};
use crate::subscriber::{Offered, SessionKey, Subscriber};
use crate::subscription::{Subscription, copy_for, granted, shrink_if_sparse};

/// What one level of a filter and one subscription cost beside the text, roughly: a node of the trie and its entries.
const LEVEL_BYTES: usize = 192;
const SUBSCRIPTION_BYTES: usize = 256;

/// What the filter of a shared subscription begins with (v5 4.8.2).
const SHARED: &str = "$share/";

/// The subscriptions of all sessions, and the retained messages.
///
/// One lock over both, so that a new subscriber misses no message between the retained one and the next, and gets none
/// twice. Publishing shares it; subscribing, and publishing retained messages, take it alone.
#[derive(Debug)]
pub(crate) struct Router {
    context: Arc<Context>,
    routes: RwLock<Routes>,
}

#[derive(Debug)]
struct Routes {
    trie: TopicTrie<SessionKey, Subscription>,
    /// Shared subscriptions, by share name.
    groups: TopicTrie<Box<str>, Group>,
    /// What each session subscribed to.
    filters: HashMap<SessionKey, Filters>,
    subscriptions: usize,
    bytes: usize,
    retained: Retained,
}

/// The Topic Filters of one session, in order. Most sessions have few.
#[derive(Debug, Default)]
struct Filters(Vec<Box<str>>);

impl Filters {
    fn contains(&self, filter: &str) -> bool {
        self.place(filter).is_ok()
    }

    fn insert(&mut self, filter: &str) {
        if let Err(place) = self.place(filter) {
            if self.0.is_empty() {
                // A vector that grows of its own has room for four.
                self.0.reserve_exact(1);
            }
            self.0.insert(place, filter.into());
        }
    }

    fn remove(&mut self, filter: &str) -> bool {
        let Ok(place) = self.place(filter) else {
            return false;
        };
        self.0.remove(place);
        shrink_if_sparse(&mut self.0);
        true
    }

    /// Those of shared subscriptions.
    fn shared(&self) -> impl Iterator<Item = &str> {
        let start = self.place(SHARED).unwrap_or_else(|place| place);
        let rest = self.0.iter().skip(start).map(|filter| &**filter);
        rest.take_while(|filter| filter.starts_with(SHARED))
    }

    fn place(&self, filter: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| (**known).cmp(filter))
    }
}

/// How far a message went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Publication {
    /// Sessions with a matching subscription; a group of a shared subscription counts as one.
    pub matched: usize,
    /// Sessions that could not take it for lack of room.
    pub dropped: usize,
    /// The message was to be retained and there was no room; it went nowhere.
    pub refused: bool,
}

impl Publication {
    /// Counts what a session, or a group, did with it.
    fn count(&mut self, offered: Offered) {
        self.matched += usize::from(offered != Offered::Ended);
        self.dropped += usize::from(offered == Offered::Dropped);
    }

    /// What a publisher is told: success, No matching subscribers (0x10), or Quota exceeded (0x97) if nobody who matched
    /// had room for it.
    #[must_use]
    pub const fn reason_code(self) -> ReasonCode {
        if self.refused || (self.matched > 0 && self.dropped == self.matched) {
            ReasonCode::QUOTA_EXCEEDED
        } else if self.matched == 0 {
            ReasonCode::NO_MATCHING_SUBSCRIBERS
        } else {
            ReasonCode::SUCCESS
        }
    }

    /// Why nobody has it, in words, where that is not for want of subscribers.
    pub(crate) const fn cause(self) -> Option<&'static str> {
        if self.refused {
            Some("as many retained messages are kept as may be")
        } else if self.matched > 0 && self.dropped == self.matched {
            Some("no subscriber has room for it")
        } else {
            None
        }
    }
}

/// What became of a subscription that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Added {
    New,
    /// In place of one with the same filter.
    Replaced,
    /// Shared: retained messages are for none of its members (v5 4.8.2).
    Shared,
}

/// How many there are of what a router keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) subscriptions: usize,
    pub(crate) retained_messages: usize,
    pub(crate) retained_bytes: usize,
}

impl Router {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        let options = &context.options;
        let routes = RwLock::new(Routes {
            trie: TopicTrie::with_max_levels(options.max_topic_levels),
            groups: TopicTrie::with_max_levels(options.max_topic_levels),
            filters: HashMap::new(),
            subscriptions: 0,
            bytes: 0,
            retained: Retained::new(options.max_retained_messages, options.max_retained_bytes),
        });
        Self { context, routes }
    }

    /// Hands a message to every session that subscribed to it. It is queued there when this returns.
    pub(crate) fn publish(
        &self,
        now: Instant,
        from: Option<SessionKey>,
        message: &Message,
    ) -> Publication {
        let counters = &self.context.counters;
        counters.messages_in.add(1);
        let publication = self.hand_out(now, from, message);
        if publication.matched == 0 && !publication.refused {
            counters.messages_unmatched.add(1);
        }
        publication
    }

    /// The same for what the broker itself has to say, which counts as received from nobody.
    pub(crate) fn publish_own(&self, now: Instant, message: &Message) {
        self.hand_out(now, None, message);
    }

    fn hand_out(&self, now: Instant, from: Option<SessionKey>, message: &Message) -> Publication {
        if !message.retain() {
            return self.read().deliver(now, from, message);
        }
        let mut routes = self.write();
        if routes.retained.store(now, message).is_err() {
            self.context.counters.messages_dropped.add(1);
            return Publication {
                refused: true,
                ..Publication::default()
            };
        }
        routes.deliver(now, from, message)
    }

    /// Adds a subscription, or replaces the one with the same filter [v5 MQTT-3.8.4-3], and queues the retained messages it
    /// asks for. Returns the Reason Code for it.
    pub(crate) fn subscribe(
        &self,
        now: Instant,
        subscriber: &Arc<Subscriber>,
        id: Option<SubscriptionId>,
        filter: TopicFilter<'_>,
        options: SubscribeOptions,
    ) -> ReasonCode {
        let subscription = Subscription {
            subscriber: Arc::clone(subscriber),
            options,
            id,
        };
        let mut routes = self.write();
        match routes.add(&self.context, filter, subscription.clone()) {
            Ok(Added::Shared) => granted(options.qos),
            Ok(added) => {
                routes.send_retained(now, filter, &subscription, added == Added::New);
                granted(options.qos)
            }
            Err(reason) => reason,
        }
    }

    /// The client of a session has come or gone: its groups choose among those who are there first.
    pub(crate) fn note_presence(&self, subscriber: &Subscriber) {
        let key = subscriber.key;
        let is_member = {
            let routes = self.read();
            let filters = routes.filters.get(&key);
            filters.is_some_and(|filters| filters.shared().next().is_some())
        };
        if is_member {
            self.write().note_presence(subscriber);
        }
    }

    /// Gives a message to another member of its group, if there is one and the message has not expired.
    pub(crate) fn hand_on(&self, now: Instant, orphan: &Orphan) {
        if expires(&orphan.message, orphan.since).is_some_and(|at| at <= now) {
            return;
        }
        let offered = self.read().hand_on(orphan);
        if offered == Offered::Ended {
            self.context.counters.messages_dropped.add(1);
        }
    }

    /// Takes a subscription away; whether there was one with this very filter [v5 MQTT-3.10.4-1].
    pub(crate) fn unsubscribe(&self, key: SessionKey, filter: TopicFilter<'_>) -> bool {
        self.write().remove(key, filter)
    }

    /// Takes all subscriptions of a session away.
    pub(crate) fn forget(&self, key: SessionKey) {
        let mut routes = self.write();
        let Some(filters) = routes.filters.remove(&key) else {
            return;
        };
        for filter in filters.0 {
            routes.take_out(key, &filter);
        }
    }

    pub(crate) fn sizes(&self) -> Sizes {
        let routes = self.read();
        Sizes {
            subscriptions: routes.subscriptions,
            retained_messages: routes.retained.len(),
            retained_bytes: routes.retained.bytes(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Routes> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Routes> {
        self.routes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Routes {
    fn deliver(&self, now: Instant, from: Option<SessionKey>, message: &Message) -> Publication {
        let mut matching: Vec<(SessionKey, &Subscription)> = self
            .trie
            .matches(message.topic())
            .filter(|(key, subscription)| !(subscription.options.no_local && from == Some(**key)))
            .map(|(key, subscription)| (*key, subscription))
            .collect();
        // Stable, so that a session's identifiers stay in the order of the walk.
        matching.sort_by_key(|(key, _)| *key);

        let mut publication = Publication::default();
        for of_one_session in matching.chunk_by(|(left, _), (right, _)| left == right) {
            if let Some((_, first)) = of_one_session.first() {
                let subscriptions = of_one_session.iter().map(|(_, subscription)| *subscription);
                let copy = copy_for(message, subscriptions);
                publication.count(first.subscriber.offer(Waiting::new(now, copy)));
            }
        }
        for (_, group) in self.groups.matches(message.topic()) {
            publication.count(group.deliver(now, message));
        }
        publication
    }

    fn hand_on(&self, orphan: &Orphan) -> Offered {
        let shared = TopicFilter::new(&orphan.share).and_then(TopicFilter::shared);
        let Ok(Some(shared)) = shared else {
            return Offered::Ended;
        };
        self.groups
            .get(shared.filter, &shared.group.into())
            .map_or(Offered::Ended, |group| {
                group.deliver(orphan.since, &orphan.message)
            })
    }

    fn add(
        &mut self,
        context: &Context,
        filter: TopicFilter<'_>,
        subscription: Subscription,
    ) -> Result<Added, ReasonCode> {
        let shared = filter
            .shared()
            .map_err(|_| ReasonCode::TOPIC_FILTER_INVALID)?;
        let key = subscription.subscriber.key;
        let own = self.filters.get(&key);
        let is_new = own.is_none_or(|filters| !filters.contains(filter.as_str()));
        let cost = cost(filter);
        if is_new
            && (own.map_or(0, |filters| filters.0.len()) >= context.options.max_subscriptions
                || self.bytes.saturating_add(cost) > context.options.max_subscription_bytes)
        {
            return Err(ReasonCode::QUOTA_EXCEEDED);
        }
        match shared {
            Some(shared) => self.join(filter, shared, subscription),
            None => self.trie.insert(filter, key, subscription).map(|_| ()),
        }
        .map_err(|_| ReasonCode::TOPIC_FILTER_INVALID)?;
        if is_new {
            self.subscriptions += 1;
            self.bytes += cost;
            self.filters.entry(key).or_default().insert(filter.as_str());
        }
        Ok(match shared {
            Some(_) => Added::Shared,
            None if is_new => Added::New,
            None => Added::Replaced,
        })
    }

    fn join(
        &mut self,
        filter: TopicFilter<'_>,
        shared: SharedFilter<'_>,
        subscription: Subscription,
    ) -> Result<(), TopicTrieError> {
        let name = shared.group.into();
        if let Some(group) = self.groups.get_mut(shared.filter, &name) {
            group.join(subscription);
            return Ok(());
        }
        let mut group = Group::new(filter.as_str());
        group.join(subscription);
        self.groups.insert(shared.filter, name, group).map(|_| ())
    }

    fn remove(&mut self, key: SessionKey, filter: TopicFilter<'_>) -> bool {
        let Some(filters) = self.filters.get_mut(&key) else {
            return false;
        };
        if !filters.remove(filter.as_str()) {
            return false;
        }
        if filters.0.is_empty() {
            self.filters.remove(&key);
        }
        self.take_out(key, filter.as_str());
        true
    }

    /// Takes a subscription out of the trie it is in, and out of the counts.
    fn take_out(&mut self, key: SessionKey, filter: &str) {
        // It was a filter when it was added.
        let Ok(filter) = TopicFilter::new(filter) else {
            return;
        };
        self.subscriptions -= 1;
        self.bytes -= cost(filter);
        let Ok(Some(shared)) = filter.shared() else {
            self.trie.remove(filter, &key);
            return;
        };
        let name = shared.group.into();
        if let Some(group) = self.groups.get_mut(shared.filter, &name) {
            group.leave(key);
            if group.is_empty() {
                self.groups.remove(shared.filter, &name);
            }
        }
    }

    fn note_presence(&mut self, subscriber: &Subscriber) {
        let Some(filters) = self.filters.get(&subscriber.key) else {
            return;
        };
        // What is so now, since two that tell of it may overtake each other.
        let is_present = subscriber.load().is_some_and(|load| !load.is_away);
        for filter in filters.shared() {
            let shared = TopicFilter::new(filter).and_then(TopicFilter::shared);
            if let Ok(Some(shared)) = shared
                && let Some(group) = self.groups.get_mut(shared.filter, &shared.group.into())
            {
                group.set_present(subscriber.key, is_present);
            }
        }
    }

    /// Queues the retained messages for a subscription that was just made (v5 3.3.1.3, v311 3.3.1.3).
    fn send_retained(
        &self,
        now: Instant,
        filter: TopicFilter<'_>,
        subscription: &Subscription,
        is_new: bool,
    ) {
        let options = subscription.options;
        let wanted = match options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DontSend => false,
        };
        if !wanted {
            return;
        }
        for (message, since) in self.retained.matching(now, filter) {
            let qos = options.qos.min(message.qos());
            // RETAIN stays set: it tells that the message is an old one [v5 MQTT-3.3.1-9, v311 MQTT-3.3.1-8].
            let copy = message.clone().with_qos(qos);
            let copy = copy.with_subscription_ids(subscription.id.as_slice());
            let waiting = Waiting::new(since, copy);
            if subscription.subscriber.offer(waiting) == Offered::Dropped {
                // What comes after would find no room either, and looking for it is work.
                return;
            }
        }
    }
}

/// What a subscription costs in memory, roughly.
fn cost(filter: TopicFilter<'_>) -> usize {
    SUBSCRIPTION_BYTES + 2 * filter.as_str().len() + LEVEL_BYTES * filter.levels().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_many_filters_and_has_few_holds_little() {
        let mut filters = Filters::default();
        let names: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
        for name in &names {
            filters.insert(name);
        }
        let (kept, others) = names.split_at(2);
        for name in others {
            assert!(filters.remove(name));
            assert!(!filters.remove(name));
        }
        assert!(kept.iter().all(|name| filters.contains(name)));
        assert!(filters.0.capacity() <= 8, "{}", filters.0.capacity());
    }
}
