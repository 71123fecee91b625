//! The outcome of one publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use mqtt_core::{DropReason, Outcome, PublishId, ReasonCode};
use tokio::time::timeout;

use crate::slot::Slot;

/// How far a publish has come.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
#[non_exhaustive]
pub enum DeliveryState {
    /// It waits in the queue of this client.
    Queued = 0,
    /// It was handed to a connection; at QoS 1 and 2 the server has not answered yet.
    Sent = 1,
    /// QoS 2: the server has the message (PUBREC), the exchange is not finished.
    Received = 2,
    /// It has its outcome.
    Done = 3,
}

/// One publish on its way: look, or wait. Cheap to clone, may be kept by any thread, and may be dropped unread.
///
/// Each publish ends in exactly one [`Outcome`], also when the client is closed or its runtime stops.
#[derive(Clone, Debug)]
pub struct Delivery(Arc<Progress>);

#[derive(Debug)]
struct Progress {
    id: PublishId,
    state: AtomicU8,
    outcome: Slot<Outcome>,
}

impl Delivery {
    /// Which publish this is: 1 for a client's first, and rising. (It is not the Packet Identifier.)
    #[must_use]
    pub fn id(&self) -> PublishId {
        self.0.id
    }

    /// How far it has come. Takes no lock.
    #[must_use]
    pub fn state(&self) -> DeliveryState {
        if self.0.outcome.get().is_some() {
            return DeliveryState::Done;
        }
        match self.0.state.load(Ordering::Acquire) {
            0 => DeliveryState::Queued,
            1 => DeliveryState::Sent,
            _ => DeliveryState::Received,
        }
    }

    /// The outcome, or `None` while it is on its way. Takes no lock.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.outcome.get().cloned()
    }

    /// The Reason Code of the server's acknowledgement, once there is one.
    #[must_use]
    pub fn reason_code(&self) -> Option<ReasonCode> {
        match self.0.outcome.get()? {
            Outcome::Acknowledged { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Waits for the outcome. Dropping the future changes nothing.
    pub async fn wait(&self) -> Outcome {
        self.0.outcome.wait().await.clone()
    }

    /// Waits for the outcome, at most this long. The publish goes on after `None`.
    pub async fn wait_timeout(&self, longest: Duration) -> Option<Outcome> {
        timeout(longest, self.wait()).await.ok()
    }

    /// Has `call` called once with the outcome: at once if it is here, otherwise by whoever gives it, mostly the client's
    /// task, which holds no lock then and which it must not keep waiting. Of several calls to this, the last one counts.
    pub fn on_outcome(&self, call: impl FnOnce(&Outcome) + Send + 'static) {
        self.0.outcome.then(call);
    }
}

/// The other end of a [`Delivery`]: gives it its one outcome, at the latest when dropped.
#[derive(Debug)]
pub(crate) struct Completer(Arc<Progress>);

impl Completer {
    /// Bytes of memory that each publish costs in [`Delivery`]s.
    pub(crate) const HELD_BYTES: usize = size_of::<Progress>() + 2 * size_of::<usize>();

    pub(crate) fn new(id: PublishId) -> (Self, Delivery) {
        let progress = Arc::new(Progress {
            id,
            state: AtomicU8::new(DeliveryState::Queued as u8),
            outcome: Slot::new(),
        });
        (Self(Arc::clone(&progress)), Delivery(progress))
    }

    pub(crate) fn id(&self) -> PublishId {
        self.0.id
    }

    pub(crate) fn reach(&self, state: DeliveryState) {
        self.0.state.fetch_max(state as u8, Ordering::AcqRel);
    }

    /// The publish waits in the queue again.
    pub(crate) fn restart(&self) {
        self.0
            .state
            .store(DeliveryState::Queued as u8, Ordering::Release);
    }

    pub(crate) fn complete(self, outcome: Outcome) {
        self.0.outcome.give(outcome);
    }
}

impl Drop for Completer {
    /// Whatever drops an unfinished publish (a closed client, a runtime that stops) has decided its outcome.
    fn drop(&mut self) {
        if self.0.outcome.get().is_none() {
            self.0.outcome.give(Outcome::Dropped(DropReason::Closed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_outcome_stays() {
        let (completer, delivery) = Completer::new(PublishId::new(7));
        assert_eq!(
            (delivery.id().get(), delivery.state()),
            (7, DeliveryState::Queued)
        );
        completer.reach(DeliveryState::Received);
        completer.reach(DeliveryState::Sent);
        assert_eq!(
            (delivery.state(), delivery.outcome()),
            (DeliveryState::Received, None)
        );
        completer.complete(Outcome::Sent);
        assert_eq!(
            (delivery.state(), delivery.outcome()),
            (DeliveryState::Done, Some(Outcome::Sent))
        );
    }

    #[test]
    fn a_dropped_completer_still_gives_an_outcome() {
        let (completer, delivery) = Completer::new(PublishId::new(1));
        drop(completer);
        assert_eq!(
            delivery.outcome(),
            Some(Outcome::Dropped(DropReason::Closed))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn waits_and_gives_up_waiting() {
        let (completer, delivery) = Completer::new(PublishId::new(1));
        assert_eq!(delivery.wait_timeout(Duration::from_secs(1)).await, None);
        let waiting = tokio::spawn({
            let delivery = delivery.clone();
            async move { delivery.wait().await }
        });
        tokio::task::yield_now().await;
        completer.complete(Outcome::Sent);
        assert_eq!(waiting.await.unwrap(), Outcome::Sent);
        assert_eq!(delivery.wait().await, Outcome::Sent);
    }
}
