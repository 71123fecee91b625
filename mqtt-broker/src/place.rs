//! A connection's place in the counts that bound how many there are.

use std::sync::Arc;

use crate::context::Context;

/// Held by a connection from its first moment to its last, and given up however its task ends.
#[derive(Debug)]
pub(crate) struct Place {
    context: Arc<Context>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// Not accepted yet, or being shown out.
    Pending,
    Connected,
}

impl Place {
    /// A place among those that are not accepted yet, unless there are as many as there may be.
    pub(crate) fn take(context: &Arc<Context>) -> Option<Self> {
        let limit = context.options.max_pending_connections;
        context
            .counters
            .pending_connections
            .try_increment(limit)
            .then(|| Self {
                context: Arc::clone(context),
                stage: Stage::Pending,
            })
    }

    /// Moves to the connected, unless there are as many as there may be.
    pub(crate) fn promote(&mut self) -> bool {
        let counters = &self.context.counters;
        let limit = self.context.options.max_connections;
        if self.stage == Stage::Pending && !counters.connections.try_increment(limit) {
            return false;
        }
        if self.stage == Stage::Pending {
            counters.pending_connections.subtract(1);
        }
        self.stage = Stage::Connected;
        true
    }

    /// Moves to the connected in place of a connection that was told to end and has no other heir. Until it has ended there
    /// is one more than there may be; were its place left free for a moment, somebody else might take it.
    pub(crate) fn inherit(&mut self) {
        let counters = &self.context.counters;
        if self.stage == Stage::Pending {
            counters.connections.add(1);
            counters.pending_connections.subtract(1);
        }
        self.stage = Stage::Connected;
    }

    /// Moves back: another client may have the place, and this one is only shown out. It still counts, or those who have
    /// to be shown out could be any number.
    pub(crate) fn demote(&mut self) {
        let counters = &self.context.counters;
        if self.stage == Stage::Connected {
            counters.pending_connections.add(1);
            counters.connections.subtract(1);
        }
        self.stage = Stage::Pending;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counters = &self.context.counters;
        match self.stage {
            Stage::Pending => counters.pending_connections.subtract(1),
            Stage::Connected => counters.connections.subtract(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

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
        let mut first = Place::take(&context).unwrap();
        assert!(Place::take(&context).is_none());
        assert!(first.promote());
        assert_eq!(counts(), (0, 1));
        let mut second = Place::take(&context).unwrap();
        assert!(!second.promote());
        first.demote();
        // Shown out and waiting: more than there may be, so that nobody new comes.
        assert_eq!(counts(), (2, 0));
        assert!(Place::take(&context).is_none());
        assert!(second.promote());
        drop(first);
        assert_eq!(counts(), (0, 1));
        drop(second);
        assert_eq!(counts(), (0, 0));
    }
    #[test]
    fn an_inherited_place_is_nobody_elses() {
        let context = Arc::new(Context::new(Options {
            max_connections: 1,
            ..Options::default()
        }));
        let connections = || context.counters.connections.get();
        let mut old = Place::take(&context).unwrap();
        assert!(old.promote());
        let mut heir = Place::take(&context).unwrap();
        assert!(!heir.promote());
        heir.inherit();
        old.demote();
        assert_eq!(connections(), 1);
        let mut other = Place::take(&context).unwrap();
        assert!(!other.promote());
        drop((old, heir));
        assert_eq!(connections(), 0);
        assert!(other.promote());
    }
}
