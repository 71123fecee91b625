//! A connection's place in the counts that bound how many there are.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::context::Context;
use crate::door::{SentAway, Ticket};

/// Held by a connection from its first moment to its last, and given up however its task ends.
#[derive(Debug)]
pub(crate) struct Place {
    context: Arc<Context>,
    /// Where the client connects from; `None` for a stream that is not a socket.
    pub(crate) peer: Option<SocketAddr>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Not accepted yet, or being shown out. It may be sent away at any moment, with what it holds.
    AtDoor(Ticket),
    /// About to be accepted, and counted with those at the door.
    Entering(Option<AbortHandle>),
    Connected(Option<AbortHandle>),
}

impl Place {
    /// A place at the door. If there are as many as there may be, somebody else has to go; `None` if nobody can.
    pub(crate) fn take(context: &Arc<Context>, peer: Option<SocketAddr>) -> Option<Self> {
        let pending = &context.counters.pending_connections;
        if !pending.try_increment(context.options.max_pending_connections) {
            if !context.door.make_room() {
                return None;
            }
            context.counters.connections_refused.add(1);
            // Until the other has gone there is one more than there may be.
            pending.add(1);
        }
        let ticket = context.door.enter(peer.map(|peer| peer.ip()), None);
        Some(Self {
            context: Arc::clone(context),
            peer,
            stage: Stage::AtDoor(ticket),
        })
    }

    /// What names it at the door.
    pub(crate) const fn ticket(&self) -> Option<Ticket> {
        match self.stage {
            Stage::AtDoor(ticket) => Some(ticket),
            _ => None,
        }
    }

    /// Leaves the door, so that from now on nobody sends it away.
    pub(crate) fn leave_door(&mut self) -> Result<(), SentAway> {
        if let Stage::AtDoor(ticket) = self.stage {
            self.stage = Stage::Entering(self.context.door.leave(ticket)?);
        }
        Ok(())
    }

    /// Moves to the connected, unless there are as many as there may be.
    pub(crate) fn promote(&mut self) -> bool {
        let counters = &self.context.counters;
        let limit = self.context.options.max_connections;
        let Stage::Entering(task) = &mut self.stage else {
            return false;
        };
        if !counters.connections.try_increment(limit) {
            return false;
        }
        counters.pending_connections.subtract(1);
        self.stage = Stage::Connected(task.take());
        true
    }

    /// Moves to the connected in place of a connection that was told to end and has no other heir. Until it has ended there
    /// is one more than there may be; were its place left free for a moment, somebody else might take it.
    pub(crate) fn inherit(&mut self) {
        let counters = &self.context.counters;
        if let Stage::Entering(task) = &mut self.stage {
            counters.connections.add(1);
            counters.pending_connections.subtract(1);
            self.stage = Stage::Connected(task.take());
        }
    }

    /// Moves back to the door: another client may have the place, and this one is only shown out. It still counts, or those
    /// who have to be shown out could be any number.
    pub(crate) fn demote(&mut self) {
        let counters = &self.context.counters;
        let task = match &mut self.stage {
            Stage::AtDoor(_) => return,
            Stage::Entering(task) => task.take(),
            Stage::Connected(task) => {
                counters.pending_connections.add(1);
                counters.connections.subtract(1);
                task.take()
            }
        };
        let peer = self.peer.map(|peer| peer.ip());
        self.stage = Stage::AtDoor(self.context.door.enter(peer, task));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counters = &self.context.counters;
        match self.stage {
            Stage::AtDoor(ticket) => {
                // It may have been sent away.
                let _ = self.context.door.leave(ticket);
                counters.pending_connections.subtract(1);
            }
            Stage::Entering(_) => counters.pending_connections.subtract(1),
            Stage::Connected(_) => counters.connections.subtract(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    /// Somebody at the door of whom no task is known, and who stays.
    fn take(context: &Arc<Context>) -> Option<Place> {
        Place::take(context, None)
    }

    #[test]
    fn places_are_counted_whatever_becomes_of_them() {
        let context = Arc::new(Context::new(Options {
            max_pending_connections: 1,
            max_connections: 1,
            ..Options::default()
        }));
        let counts = || {
            let counters = &context.counters;
            (
                counters.pending_connections.get(),
                counters.connections.get(),
            )
        };
        let mut first = take(&context).unwrap();
        assert!(take(&context).is_none());
        first.leave_door().unwrap();
        assert_eq!(counts(), (1, 0));
        assert!(first.promote());
        assert_eq!(counts(), (0, 1));
        let mut second = take(&context).unwrap();
        second.leave_door().unwrap();
        assert!(!second.promote());
        first.demote();
        // Shown out and waiting: more than there may be, so that nobody new comes.
        assert_eq!(counts(), (2, 0));
        assert!(take(&context).is_none());
        assert!(second.promote());
        drop(first);
        assert_eq!(counts(), (0, 1));
        drop(second);
        assert_eq!(counts(), (0, 0));
        assert!(!context.door.make_room());
    }

    #[test]
    fn an_inherited_place_is_nobody_elses() {
        let context = Arc::new(Context::new(Options {
            max_connections: 1,
            ..Options::default()
        }));
        let connections = || context.counters.connections.get();
        let enter = || {
            let mut place = take(&context).unwrap();
            place.leave_door().unwrap();
            place
        };
        let mut old = enter();
        assert!(old.promote());
        let mut heir = enter();
        assert!(!heir.promote());
        heir.inherit();
        old.demote();
        assert_eq!(connections(), 1);
        let mut other = enter();
        assert!(!other.promote());
        drop((old, heir));
        assert_eq!(connections(), 0);
        assert!(other.promote());
    }

    #[tokio::test]
    async fn who_is_sent_away_does_not_enter() {
        let context = Arc::new(Context::new(Options {
            max_pending_connections: 1,
            ..Options::default()
        }));
        let mut first = take(&context).unwrap();
        let task = tokio::spawn(std::future::pending::<()>());
        context
            .door
            .set_task(first.ticket().unwrap(), task.abort_handle());
        let second = take(&context).unwrap();
        assert_eq!(first.leave_door(), Err(SentAway));
        assert!(!first.promote());
        assert_eq!(context.counters.pending_connections.get(), 2);
        assert_eq!(context.counters.connections_refused.get(), 1);
        drop((first, second));
        assert_eq!(context.counters.pending_connections.get(), 0);
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
