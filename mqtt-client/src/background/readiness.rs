//! A queue's state as a descriptor, for event loops.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use super::wake::Signal;

/// A descriptor that is readable as long as its owner says so: for a queue with something in it. It must not be read, written
/// or closed by whoever polls it.
///
/// A forked child shares it with its parent, and must not call [`update`](Self::update).
#[derive(Debug)]
pub struct Readiness {
    signal: Signal,
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

    /// Makes the descriptor readable or not, as `decide` says, which is told what it is; a system call only if it changes.
    ///
    /// Whoever puts something into the queue, or takes something out, calls this afterwards and looks at the queue in `decide`:
    /// only one looks at a time, so that the last one leaves what is true.
    pub fn update(&self, decide: impl FnOnce(bool) -> bool) {
        let mut now = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = decide(*now);
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
        readiness.update(|_| true);
        readiness.update(|now| now);
        assert!(is_readable(&readiness) && is_readable(&readiness));
        readiness.update(|now| !now);
        assert!(!is_readable(&readiness));
    }
}
