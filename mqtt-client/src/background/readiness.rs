//! A queue's state as a descriptor, for event loops.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use super::wake::Signal;

/// A descriptor that is readable as long as its owner says so: for a queue with something in it. It must not be read, written
/// or closed by whoever polls it.
///
/// A forked child shares it with its parent, and must not call [`set`](Self::set).
#[derive(Debug)]
pub struct Readiness {
    signal: Signal,
    // A lock and not a flag: two threads that disagree must leave flag and descriptor alike.
    ready: Mutex<bool>,
}

impl Readiness {
    /// A descriptor that is not readable.
    ///
    /// # Errors
    /// The operating system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            signal: Signal::new()?,
            ready: Mutex::new(false),
        })
    }

    /// Makes the descriptor readable or not; a system call only if it changes. Whoever says that it is not looks at the queue
    /// once more afterwards: something may have come since he looked.
    pub fn set(&self, ready: bool) {
        let mut now = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if *now != ready {
            *now = ready;
            if ready {
                self.signal.signal();
            } else {
                self.signal.clear();
            }
        }
    }
}

impl AsFd for Readiness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signal.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    fn is_readable(readiness: &Readiness) -> bool {
        let mut poll = libc::pollfd {
            fd: readiness.as_fd().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid pollfd.
        unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
    }

    #[test]
    fn it_is_readable_as_long_as_it_was_said() {
        let readiness = Readiness::new().unwrap();
        assert!(!is_readable(&readiness));
        readiness.set(true);
        readiness.set(true);
        assert!(is_readable(&readiness) && is_readable(&readiness));
        readiness.set(false);
        assert!(!is_readable(&readiness));
    }
}
