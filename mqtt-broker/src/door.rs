//! Who is at the door: connections whose CONNECT has not been accepted yet, or that are being shown out.
//!
//! When as many are there as may be, a newcomer is let in and the oldest one of the network with the most has to go. So who
//! opens connections and says nothing pushes out its own, and not those who only need a moment.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::network::network;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Door {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By their tickets, and so by age.
    those: BTreeMap<Ticket, Visitor>,
    /// Those who come by no address count as one network.
    by_network: HashMap<Option<IpAddr>, BTreeSet<Ticket>>,
    last: u64,
}

#[derive(Debug)]
struct Visitor {
    network: Option<IpAddr>,
    /// What serves it. Without that nobody can be sent away: who has only just come, or was so quick that it is here again.
    task: Option<AbortHandle>,
}

/// Names one who is at the door.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Ticket(u64);

/// Somebody else was let in instead: the task is to do nothing more, and will be ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SentAway;

impl Door {
    /// Somebody comes to the door. `task` is what serves it, if that is known already.
    pub(crate) fn enter(&self, peer: Option<IpAddr>, task: Option<AbortHandle>) -> Ticket {
        let network = peer.map(network);
        let mut waiting = self.lock();
        waiting.last += 1;
        let ticket = Ticket(waiting.last);
        waiting.those.insert(ticket, Visitor { network, task });
        waiting
            .by_network
            .entry(network)
            .or_default()
            .insert(ticket);
        ticket
    }

    /// Tells which task serves somebody, unless it has left the door already.
    pub(crate) fn set_task(&self, ticket: Ticket, task: AbortHandle) {
        if let Some(visitor) = self.lock().those.get_mut(&ticket) {
            visitor.task = Some(task);
        }
    }

    /// Somebody leaves the door, and its task cannot be ended from here any more, unless that was done.
    pub(crate) fn leave(&self, ticket: Ticket) -> Result<Option<AbortHandle>, SentAway> {
        let left = self.lock().take(ticket);
        left.map(|visitor| visitor.task).ok_or(SentAway)
    }

    /// Sends the oldest one of the network with the most away, of those who can be; whether there was one.
    pub(crate) fn make_room(&self) -> bool {
        let mut waiting = self.lock();
        let task = waiting
            .oldest_of_most()
            .and_then(|ticket| waiting.take(ticket)?.task);
        // What it holds may come back here when it is dropped.
        drop(waiting);
        task.inspect(AbortHandle::abort).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Of those whose tasks are known.
    fn oldest_of_most(&self) -> Option<Ticket> {
        let mut found = None;
        for tickets in self.by_network.values() {
            // None of it can come before its oldest one, so most networks need no closer look.
            let place = |&ticket| (tickets.len(), Reverse(ticket));
            if tickets.first().map(place) > found {
                let mut known = tickets.iter().filter(|ticket| self.knows_task(**ticket));
                found = found.max(known.next().map(place));
            }
        }
        found.map(|(_, Reverse(oldest))| oldest)
    }

    fn knows_task(&self, ticket: Ticket) -> bool {
        let visitor = self.those.get(&ticket);
        visitor.is_some_and(|visitor| visitor.task.is_some())
    }

    fn take(&mut self, ticket: Ticket) -> Option<Visitor> {
        let visitor = self.those.remove(&ticket)?;
        if let Some(tickets) = self.by_network.get_mut(&visitor.network) {
            tickets.remove(&ticket);
            if tickets.is_empty() {
                self.by_network.remove(&visitor.network);
            }
        }
        Some(visitor)
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinHandle;

    use super::*;

    /// Somebody who stays until it is sent away.
    fn come(door: &Door, from: &str) -> (Ticket, JoinHandle<()>) {
        let task = tokio::spawn(std::future::pending());
        let ticket = door.enter(from.parse().ok(), None);
        door.set_task(ticket, task.abort_handle());
        (ticket, task)
    }

    async fn is_sent_away(door: &Door, who: (Ticket, JoinHandle<()>)) {
        assert_eq!(door.leave(who.0).unwrap_err(), SentAway);
        assert!(who.1.await.unwrap_err().is_cancelled());
    }

    #[tokio::test]
    async fn the_oldest_of_the_most_has_to_go() {
        let door = Door::default();
        assert!(!door.make_room());
        let honest = come(&door, "192.0.2.1");
        let [first, second, third] = [(); 3].map(|()| come(&door, "192.0.2.2"));
        for who in [first, second] {
            assert!(door.make_room());
            is_sent_away(&door, who).await;
        }
        // One of each network: the oldest of all.
        assert!(door.make_room());
        is_sent_away(&door, honest).await;
        door.leave(third.0).unwrap();
        assert!(!door.make_room());
        assert!(door.lock().by_network.is_empty());
        third.1.abort();
    }

    #[tokio::test]
    async fn one_of_ipv6_has_many_addresses() {
        let door = Door::default();
        let honest = come(&door, "2001:db8::1");
        let crowd = [
            come(&door, "2001:db8:0:1::1"),
            come(&door, "2001:db8:0:1:ffff::2"),
        ];
        assert!(door.make_room());
        let [first, second] = crowd;
        is_sent_away(&door, first).await;
        for (ticket, task) in [honest, second] {
            door.leave(ticket).unwrap();
            task.abort();
        }
    }

    #[tokio::test]
    async fn who_has_no_task_yet_stays() {
        let door = Door::default();
        let ticket = door.enter(None, None);
        assert!(!door.make_room());
        assert!(door.leave(ticket).unwrap().is_none());
    }

    #[tokio::test]
    async fn who_has_no_task_yet_keeps_nobody_else() {
        let door = Door::default();
        let enter = |from: &str| door.enter(from.parse().ok(), None);
        let honest = come(&door, "192.0.2.1");
        // The most are of a network that has one with a task, and as many of one that has none.
        let mut without = vec![enter("192.0.2.2")];
        let known = come(&door, "192.0.2.2");
        without.extend([(); 3].map(|()| enter("192.0.2.3")));
        without.push(enter("192.0.2.2"));
        for who in [known, honest] {
            assert!(door.make_room());
            is_sent_away(&door, who).await;
        }
        assert!(!door.make_room());
        for ticket in without {
            assert!(door.leave(ticket).unwrap().is_none());
        }
    }
}
