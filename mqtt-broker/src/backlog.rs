//! Messages that wait for one client: in order, counted in messages and bytes, each until it expires.

use std::sync::Arc;

use mqtt_core::{Instant, Message, PublishError, QoS, Session, SessionBounds};

use crate::options::Options;
use crate::share::{Orphan, Owed};

/// What a message costs beside what its session counts for it: lists that have room for more, its deadline among others, and
/// what is owed to a group.
const PLACE_BYTES: usize = 192;
/// What a message costs at most beside itself while it waits, so that what is found to have room has it.
const WAITING_BYTES: usize = 256;

/// A message that waits, or is to.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// When the broker received it, if that matters: its Message Expiry Interval runs from then.
    pub(crate) since: Instant,
    pub(crate) message: Message,
    /// The group whose message it is: the whole Topic Filter of a shared subscription.
    pub(crate) share: Option<Arc<str>>,
}

impl Waiting {
    pub(crate) const fn new(since: Instant, message: Message) -> Self {
        Self {
            since,
            message,
            share: None,
        }
    }

    /// The memory it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.message.held_bytes() + WAITING_BYTES
    }
}

/// Messages and the memory they hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Held {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// What a session holds, unacknowledged messages included.
pub(crate) fn held_by(session: &Session) -> Held {
    let messages = session.queued() + session.in_flight();
    Held {
        messages,
        bytes: session.queued_bytes() + messages * PLACE_BYTES,
    }
}

/// What waits for a client, and what of it is owed to groups: the session of a client that is away, or a queue beside the
/// session that a connection has.
#[derive(Debug)]
pub(crate) struct Backlog {
    pub(crate) session: Session,
    pub(crate) owed: Owed,
}

impl Backlog {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            session: Session::new(SessionBounds {
                max_messages: options.max_queued_messages,
                max_bytes: options.max_queued_bytes,
            }),
            owed: Owed::default(),
        }
    }

    pub(crate) fn held(&self) -> Held {
        held_by(&self.session)
    }

    pub(crate) fn push(&mut self, waiting: Waiting) -> Result<(), PublishError> {
        let id = self.session.push(waiting.since, waiting.message)?;
        self.owed.note(id, waiting.share);
        Ok(())
    }

    /// The oldest message that was never sent.
    pub(crate) fn oldest(&self) -> Option<&Message> {
        self.session.oldest()
    }

    pub(crate) fn take_oldest(&mut self) -> Option<Waiting> {
        let unfinished = self.session.take_oldest()?;
        Some(Waiting {
            since: unfinished.since,
            share: self.owed.settle(unfinished.id),
            message: unfinished.message,
        })
    }

    pub(crate) fn discard_qos_0(&mut self) {
        let Self { session, owed } = self;
        session.discard_qos_0(|id| {
            owed.settle(id);
        });
    }

    /// When the next message expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.session.next_expiry()
    }

    /// Drops one message that has expired, unless there is none.
    pub(crate) fn drop_expired(&mut self, now: Instant) -> bool {
        let expired = self.session.pop_expired(now);
        if let Some(id) = expired {
            self.owed.settle(id);
        }
        expired.is_some()
    }

    /// The session has ended: what is owed to groups. A QoS 2 message that was sent stays with the client that may have it
    /// [v5 MQTT-4.8.2-5].
    pub(crate) fn into_orphans(self) -> Vec<Orphan> {
        let Self { session, mut owed } = self;
        if owed.is_empty() {
            return Vec::new();
        }
        session
            .into_unfinished()
            .filter(|unfinished| {
                !(unfinished.was_sent && unfinished.message.qos() == QoS::ExactlyOnce)
            })
            .filter_map(|unfinished| {
                Some(Orphan {
                    share: owed.settle(unfinished.id)?,
                    since: unfinished.since,
                    message: unfinished.message,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use mqtt_core::{Property, TopicName};

    use super::*;

    #[test]
    fn what_is_found_to_have_room_has_it() {
        let options = Options::default();
        for bytes in [0, 1, 100, 4_095, 4_096, 100_000] {
            let topic = TopicName::new("t").unwrap();
            let message = Message::new(topic, vec![0; bytes]).with_qos(QoS::AtLeastOnce);
            let message = message.with_properties(&[Property::MessageExpiryInterval(1)]);
            let waiting = Waiting::new(Instant::default(), message.unwrap());
            let expected = waiting.held_bytes();
            let mut backlog = Backlog::new(&options);
            backlog.push(waiting).unwrap();
            assert!(backlog.held().bytes <= expected, "{bytes}");
        }
    }

    #[test]
    fn what_has_expired_or_was_taken_is_owed_to_nobody() {
        let message = |seconds| {
            let message = Message::new(TopicName::new("t").unwrap(), "x");
            message.with_properties(&[Property::MessageExpiryInterval(seconds)])
        };
        let mut backlog = Backlog::new(&Options::default());
        for seconds in [9, 1, 9] {
            let share = Some(Arc::from("$share/g/t"));
            let message = message(seconds).unwrap();
            let since = Instant::default();
            let waiting = Waiting {
                since,
                message,
                share,
            };
            backlog.push(waiting).unwrap();
        }
        assert_eq!(backlog.next_expiry(), Some(Instant::from_millis(1_000)));
        assert!(!backlog.drop_expired(Instant::from_millis(999)));
        assert!(backlog.drop_expired(Instant::from_millis(1_000)));
        assert!(!backlog.drop_expired(Instant::from_millis(1_000)));
        let taken = backlog.take_oldest().unwrap();
        assert_eq!(taken.share.as_deref(), Some("$share/g/t"));
        assert_eq!(backlog.owed.len(), 1);
        assert_eq!(backlog.into_orphans().len(), 1);
    }
}
