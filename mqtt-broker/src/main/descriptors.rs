//! File descriptors: each connection needs one, and systems begin with few.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Those that are needed beside the connections, roughly: listeners, the runtime, standard streams.
const OTHERS: usize = 32;

/// Raises the limit of this process as far as it may, and says so if that is not enough for `connections`.
pub(crate) fn raise_limit(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::debug!(%error, "the limit on file descriptors could not be raised");
    }
    let needed = u64::try_from(connections.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    if let Some(allowed) = getrlimit(Resource::Nofile).current
        && allowed < needed
    {
        tracing::warn!(
            allowed,
            needed,
            "the system allows fewer file descriptors than --max-connections needs: raise `ulimit -n` (LimitNOFILE in a \
             systemd unit), or allow fewer connections"
        );
    }
}
