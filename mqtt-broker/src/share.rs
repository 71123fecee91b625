//! Shared subscriptions: groups, of which one member gets each message (v5 4.8.2).
//!
//! A member that is connected and has nothing waiting comes before one that is busy, and that one before one that is away;
//! among equals it goes round. What a member took and had not acknowledged when its session ended goes to another one.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mqtt_core::{Instant, Message, PublishId};

use crate::backlog::Waiting;
use crate::subscriber::{Load, Offered, SessionKey};
use crate::subscription::{Subscription, copy_for, shrink_if_sparse};

/// Of so many members whose clients are there, and of so many whose clients are away, the best one is chosen. Looking at all of
/// a large group for each message would cost more than a better choice is worth.
const MOST_COMPARED: usize = 16;

/// The sessions that subscribed with one share name and one filter.
#[derive(Debug)]
pub(crate) struct Group {
    /// The whole Topic Filter, `$share/{share name}/{filter}`.
    filter: Arc<str>,
    members: Vec<Subscription>,
    /// So many of them, the first ones, are those whose clients are there, as far as the group has been told.
    present: usize,
    /// Whose turn it is, among equals.
    turn: AtomicUsize,
}

impl Group {
    pub(crate) fn new(filter: &str) -> Self {
        Self {
            filter: filter.into(),
            members: Vec::new(),
            present: 0,
            turn: AtomicUsize::new(0),
        }
    }

    /// Adds a member, or replaces its subscription.
    pub(crate) fn join(&mut self, subscription: Subscription) {
        let key = subscription.subscriber.key;
        match self.members.iter_mut().find(|member| member.key() == key) {
            Some(member) => *member = subscription,
            None => {
                self.members.push(subscription);
                // Who subscribes is there.
                self.set_present(key, true);
            }
        }
    }

    pub(crate) fn leave(&mut self, key: SessionKey) {
        self.set_present(key, false);
        self.members.retain(|member| member.key() != key);
        shrink_if_sparse(&mut self.members);
    }

    /// The client of a member has come or gone.
    pub(crate) fn set_present(&mut self, key: SessionKey, is_present: bool) {
        let place = self.members.iter().position(|member| member.key() == key);
        let Some(place) = place else { return };
        match (place < self.present, is_present) {
            (false, true) => {
                self.members.swap(place, self.present);
                self.present += 1;
            }
            (true, false) => {
                self.present -= 1;
                self.members.swap(place, self.present);
            }
            _ => {}
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Hands a message to one member. The answer is that of the member that took it, or else that of the one that should
    /// have.
    pub(crate) fn deliver(&self, since: Instant, message: &Message) -> Offered {
        let waiting = |member| Waiting {
            since,
            message: copy_for(message, iter::once(member)),
            share: Some(Arc::clone(&self.filter)),
        };
        loop {
            let candidates = self.candidates();
            for (_, member) in &candidates {
                if member.subscriber.offer_if_room(waiting(member)) == Offered::Queued {
                    return Offered::Queued;
                }
            }
            let Some((_, first)) = candidates.first() else {
                return Offered::Ended;
            };
            // Nobody has room as it is, so the first of them is treated as the options say about a session that has none.
            let offered = first.subscriber.offer(waiting(first));
            if offered != Offered::Ended {
                return offered;
            }
            // It ended after it was chosen, and will not be chosen again: another one is to have the message.
        }
    }

    /// Those a message may go to, the best first.
    fn candidates(&self) -> Vec<(Load, &Subscription)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (present, absent) = self.members.split_at(self.present.min(self.members.len()));
        let mut candidates = Vec::new();
        for members in [present, absent] {
            for member in in_turn(members, turn).take(MOST_COMPARED) {
                let Some(load) = member.subscriber.load() else {
                    continue;
                };
                candidates.push((load, member));
                if load.is_idle() {
                    // There is none better.
                    candidates.rotate_right(1);
                    return candidates;
                }
            }
        }
        // Stable, so that among equals the order is still that of turns.
        candidates.sort_by_key(|(load, _)| *load);
        candidates
    }
}

/// All of them once, from the one on whose turn it is.
fn in_turn(members: &[Subscription], turn: usize) -> impl Iterator<Item = &Subscription> {
    let first = turn.checked_rem(members.len()).unwrap_or(0);
    let (before, after) = members.split_at(first);
    after.iter().chain(before)
}

impl Subscription {
    fn key(&self) -> SessionKey {
        self.subscriber.key
    }
}

/// A message that a member of a group did not finish, for another one.
#[derive(Debug)]
pub(crate) struct Orphan {
    /// The whole Topic Filter of the group.
    pub(crate) share: Arc<str>,
    pub(crate) since: Instant,
    pub(crate) message: Message,
}

/// Which unfinished messages of a session came to it as a member of which group. There are never more than the session has
/// messages, and what each of them costs is counted with the message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owed(BTreeMap<PublishId, Arc<str>>);

impl Owed {
    pub(crate) fn note(&mut self, id: PublishId, share: Option<Arc<str>>) {
        if let Some(share) = share {
            self.0.insert(id, share);
        }
    }

    /// It is owed no more. Returns the group to which it was.
    pub(crate) fn settle(&mut self, id: PublishId) -> Option<Arc<str>> {
        self.0.remove(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use mqtt_core::{QoS, SubscribeOptions};

    use super::*;
    use crate::backlog::Backlog;
    use crate::context::Context;
    use crate::options::Options;
    use crate::subscriber::Subscriber;

    fn subscriber(key: u64) -> Arc<Subscriber> {
        let context = Arc::new(Context::new(Options::default()));
        Arc::new(Subscriber::new(SessionKey(key), "", context))
    }

    fn join(group: &mut Group, subscriber: &Arc<Subscriber>) {
        group.join(Subscription {
            subscriber: Arc::clone(subscriber),
            options: SubscribeOptions::with_qos(QoS::AtLeastOnce),
            id: None,
        });
    }

    fn leave_for_now(group: &mut Group, subscriber: &Arc<Subscriber>) {
        subscriber.leave(Box::new(Backlog::new(&Options::default())));
        group.set_present(subscriber.key, false);
    }

    #[test]
    fn of_many_absent_members_few_are_looked_at_and_those_present_come_first() {
        let mut group = Group::new("$share/g/t");
        let members: Vec<_> = (0..1_000).map(subscriber).collect();
        for member in &members {
            join(&mut group, member);
        }
        for member in &members {
            leave_for_now(&mut group, member);
        }
        assert_eq!(group.candidates().len(), MOST_COMPARED);
        // One comes, and has something waiting.
        let busy = subscriber(1_000);
        join(&mut group, &busy);
        let topic = mqtt_core::TopicName::new("t").unwrap();
        busy.offer(Waiting::new(Instant::default(), Message::new(topic, "x")));
        for _ in 0..2_000 {
            let candidates = group.candidates();
            assert_eq!(candidates.len(), 1 + MOST_COMPARED);
            assert_eq!(candidates[0].1.key(), busy.key);
        }
        // Whoever leaves for good is no candidate, wherever it stood.
        group.leave(busy.key);
        for member in members.iter().take(990) {
            group.leave(member.key);
        }
        assert_eq!(group.candidates().len(), 10);
        assert_eq!(group.present, 0);
        // A group that once was large holds little.
        assert!(group.members.capacity() <= 40, "{group:?}");
    }
}
