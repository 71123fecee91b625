//! Each publish ends once.

use std::collections::{BTreeMap, BTreeSet};

use mqtt_core::{PublishId, QoS, Session};

/// What was published in one session, and what of it ended.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    published: BTreeMap<PublishId, QoS>,
    ended: BTreeSet<PublishId>,
}

impl Outcomes {
    pub(crate) fn publish(&mut self, id: PublishId, qos: QoS) {
        let before = self.published.insert(id, qos);
        assert_eq!(before, None, "an id is given out once");
    }

    pub(crate) fn end(&mut self, id: PublishId) {
        assert!(
            self.published.contains_key(&id),
            "{id:?} was never published"
        );
        assert!(self.ended.insert(id), "{id:?} ended twice");
    }

    /// QoS 2: the receiver took the message.
    pub(crate) fn progress(&self, id: PublishId) {
        assert_eq!(self.published.get(&id), Some(&QoS::ExactlyOnce));
        self.expect_open(id);
    }

    pub(crate) fn expect_open(&self, id: PublishId) {
        assert!(!self.ended.contains(&id), "{id:?} had ended");
    }

    /// One of the ids.
    pub(crate) fn pick(&self, choice: u8) -> Option<PublishId> {
        let choice = usize::from(choice).checked_rem(self.published.len())?;
        self.published.keys().nth(choice).copied()
    }

    /// Whatever has not ended has to be in the session: a message, or an exchange of QoS 2 whose message the receiver took.
    pub(crate) fn finish(mut self, session: Session) {
        let mut without_message = session.in_flight();
        for unfinished in session.into_unfinished() {
            self.end(unfinished.id);
            without_message -= usize::from(unfinished.was_sent);
        }
        let open: Vec<_> = self
            .published
            .iter()
            .filter(|(id, _)| !self.ended.contains(id))
            .collect();
        assert_eq!(open.len(), without_message, "{open:?} have no outcome");
        assert!(open.iter().all(|(_, qos)| **qos == QoS::ExactlyOnce));
    }
}
