//! The descriptors on which callers sleep.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A descriptor that is readable between [`signal`](Self::signal) and [`clear`](Self::clear). Neither can block: it is
/// non-blocking, and "full" means that it is readable already.
#[derive(Debug)]
pub(super) struct Signal {
    read: File,
    // Where there is no eventfd, a pipe has two ends.
    write: Option<File>,
}

impl Signal {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = open()?;
        Ok(Self {
            read: read.into(),
            write: write.map(File::from),
        })
    }

    pub(super) fn signal(&self) {
        let _ = self
            .write
            .as_ref()
            .unwrap_or(&self.read)
            .write(&1_u64.to_ne_bytes());
    }

    pub(super) fn clear(&self) {
        let mut buffer = [0; 64];
        while matches!((&self.read).read(&mut buffer), Ok(count) if count == buffer.len()) {}
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

/// One descriptor, which is written only while somebody sleeps on it: a system call per change would cost more than the rest
/// of a publish.
#[derive(Debug)]
pub(super) struct Waiter {
    signal: Signal,
    armed: AtomicBool,
}

impl Waiter {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            signal: Signal::new()?,
            armed: AtomicBool::new(false),
        })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.signal.as_fd().as_raw_fd()
    }
}

/// All waiters of one client.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    list: Mutex<Vec<Weak<Waiter>>>,
    armed: AtomicUsize,
}

impl Waiters {
    pub(super) fn add(&self, waiter: &Arc<Waiter>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|waiter| waiter.strong_count() > 0);
        list.push(Arc::downgrade(waiter));
    }

    pub(super) fn arm(&self, waiter: &Waiter) {
        waiter.signal.clear();
        if !waiter.armed.swap(true, Ordering::SeqCst) {
            self.armed.fetch_add(1, Ordering::SeqCst);
        }
        // Either the caller, who looks again after this, sees a change, or `wake`, which comes after the change, sees that
        // somebody waits.
        fence(Ordering::SeqCst);
    }

    pub(super) fn disarm(&self, waiter: &Waiter) {
        if waiter.armed.swap(false, Ordering::SeqCst) {
            self.armed.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Something changed.
    pub(super) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.armed.load(Ordering::SeqCst) == 0 {
            return;
        }
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        for waiter in list.iter().filter_map(Weak::upgrade) {
            if waiter.armed.swap(false, Ordering::SeqCst) {
                self.armed.fetch_sub(1, Ordering::SeqCst);
                waiter.signal.signal();
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn open() -> io::Result<(OwnedFd, Option<OwnedFd>)> {
    use std::os::fd::FromRawFd;
    // SAFETY: eventfd takes plain numbers; it returns a new descriptor, which nobody else owns, or -1.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: see above.
    Ok((unsafe { OwnedFd::from_raw_fd(fd) }, None))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open() -> io::Result<(OwnedFd, Option<OwnedFd>)> {
    let (read, write) = io::pipe()?;
    let (read, write) = (OwnedFd::from(read), OwnedFd::from(write));
    for fd in [&read, &write] {
        // SAFETY: fcntl with these commands takes plain numbers, and the descriptor is ours.
        let set = unsafe {
            let flags = libc::fcntl(fd.as_raw_fd(), libc::F_GETFL);
            libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)
        };
        if set < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok((read, Some(write)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_readable(waiter: &Waiter) -> bool {
        let mut poll = libc::pollfd {
            fd: waiter.fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid pollfd.
        unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
    }

    #[test]
    fn only_the_armed_are_written_to_and_only_once() {
        let waiters = Waiters::default();
        let waiter = Arc::new(Waiter::new().unwrap());
        waiters.add(&waiter);
        waiters.wake();
        assert!(!is_readable(&waiter));
        waiters.arm(&waiter);
        assert!(!is_readable(&waiter));
        waiters.wake();
        waiters.wake();
        assert!(is_readable(&waiter));
        waiters.arm(&waiter);
        assert!(!is_readable(&waiter), "arming clears");
        waiters.disarm(&waiter);
        waiters.wake();
        assert!(!is_readable(&waiter));
        assert_eq!(waiters.armed.load(Ordering::SeqCst), 0);
    }
}
