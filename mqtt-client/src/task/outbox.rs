//! Publishes that the core holds, until their outcome.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use mqtt_core::{Outcome, PublishId};

use crate::delivery::{Completer, DeliveryState};
use crate::publish_queue::{Queued, Settlement};
use crate::shared::Shared;

/// Publishes by the ids the core gave them, which rise: found by halving, freed from the front.
#[derive(Default)]
pub(super) struct Outbox {
    slots: VecDeque<Slot>,
    open: usize,
    open_bytes: usize,
    /// Outcomes that are not told yet.
    finished: Vec<(Completer, Outcome)>,
    finished_bytes: usize,
}

struct Slot {
    id: PublishId,
    /// Taken out when its outcome has come.
    queued: Option<Queued>,
}

impl Outbox {
    /// How many publishes the core holds, and their bytes.
    pub(super) const fn open(&self) -> (usize, usize) {
        (self.open, self.open_bytes)
    }

    /// The core took a publish.
    pub(super) fn insert(&mut self, id: PublishId, queued: Queued) {
        queued.completer.reach(DeliveryState::Sent);
        self.open += 1;
        self.open_bytes += queued.bytes;
        self.slots.push_back(Slot {
            id,
            queued: Some(queued),
        });
    }

    /// A publish ended before the core took it.
    pub(super) fn refuse(&mut self, queued: Queued, outcome: Outcome) {
        self.finished_bytes += queued.bytes;
        self.finished.push((queued.completer, outcome));
    }

    /// Takes out the publishes that `cancel` takes back from the core, because they were never sent; in their order.
    pub(super) fn take_unsent(&mut self, mut cancel: impl FnMut(PublishId) -> bool) -> Vec<Queued> {
        let mut unsent = Vec::new();
        for mut slot in std::mem::take(&mut self.slots) {
            match slot.queued.take_if(|_| cancel(slot.id)) {
                Some(queued) => {
                    self.open -= 1;
                    self.open_bytes -= queued.bytes;
                    queued.completer.restart();
                    unsent.push(queued);
                }
                None => self.slots.push_back(slot),
            }
        }
        unsent
    }

    /// QoS 2: the server has the message.
    pub(super) fn progress(&mut self, id: PublishId) {
        if let Some(queued) = self.slot(id).and_then(|slot| slot.queued.as_ref()) {
            queued.completer.reach(DeliveryState::Received);
        }
    }

    pub(super) fn outcome(&mut self, id: PublishId, outcome: Outcome) {
        // One that was taken back has its outcome to come.
        let Some(queued) = self.slot(id).and_then(|slot| slot.queued.take()) else {
            return;
        };
        self.open -= 1;
        self.open_bytes -= queued.bytes;
        self.refuse(queued, outcome);
        while self.slots.front().is_some_and(|slot| slot.queued.is_none()) {
            self.slots.pop_front();
        }
    }

    fn slot(&mut self, id: PublishId) -> Option<&mut Slot> {
        let place = self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?;
        self.slots.get_mut(place)
    }

    /// Tells the outcomes that came since the last call. Returns whether there were any.
    pub(super) fn tell(&mut self, shared: &Shared) -> bool {
        let oldest = self.slots.front();
        let oldest = oldest.and_then(|slot| {
            slot.queued
                .as_ref()
                .map(|queued| (queued.completer.id(), queued.accepted_at))
        });
        shared.settle(Settlement {
            messages: self.finished.len(),
            bytes: self.finished_bytes,
            in_core: self.open,
            oldest_in_core: oldest,
        });
        self.finished_bytes = 0;
        if self.finished.is_empty() {
            return false;
        }
        for (completer, outcome) in self.finished.drain(..) {
            let counter = match &outcome {
                Outcome::Sent => &shared.counters.sent,
                Outcome::Acknowledged { reason, .. } if !reason.is_error() => {
                    &shared.counters.acknowledged
                }
                _ => &shared.counters.failed,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            completer.complete(outcome);
        }
        shared.notify_settled();
        true
    }

    /// Gives up everything, because the client ends. Returns how many publishes that were.
    pub(super) fn give_up(&mut self, shared: &Shared) -> usize {
        self.tell(shared);
        let count = self.open;
        shared
            .counters
            .failed
            .fetch_add(count as u64, Ordering::Relaxed);
        // Dropping a completer gives its outcome: closed.
        self.slots.clear();
        self.open = 0;
        self.open_bytes = 0;
        count
    }
}
