//! What a forked child must know: that it is one, and which sockets are not its own.
//!
//! Only the `background` feature on Unix does anything here. A process that runs a client on a runtime of its own must not
//! fork without exec, as with any threads.

#[cfg(all(unix, feature = "background"))]
pub(crate) use tracked::{TrackedSocket, generation, install};

#[cfg(not(all(unix, feature = "background")))]
pub(crate) use untracked::{TrackedSocket, generation};

#[cfg(all(unix, feature = "background"))]
mod tracked {
    use std::os::fd::{AsRawFd, RawFd};
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

    /// Sockets that can be tracked at once. Those beyond are only inherited: the child never writes to them, but the server
    /// sees the connection end only when the child has ended too.
    const MAX_SOCKETS: usize = 1_024;

    const UNUSED: i32 = -1;
    const BUSY: i32 = -2;

    /// Counts the forks between the first process and this one.
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    static SOCKETS: [Slot; MAX_SOCKETS] = [const { Slot::new() }; MAX_SOCKETS];
    static INSTALLED: AtomicBool = AtomicBool::new(false);

    /// An open socket. Device and inode, which say little without each other, tell whether the number still means that socket.
    struct Slot {
        fd: AtomicI32,
        device: AtomicU64,
        inode: AtomicU64,
    }

    impl Slot {
        const fn new() -> Self {
            Self {
                fd: AtomicI32::new(UNUSED),
                device: AtomicU64::new(0),
                inode: AtomicU64::new(0),
            }
        }
    }

    /// Changes in a forked child.
    pub(crate) fn generation() -> u64 {
        GENERATION.load(Ordering::Acquire)
    }

    /// Has the child of every later fork run [`in_child`].
    pub(crate) fn install() {
        // Not a `Once`: a child must be able to call this, even if it was forked while another thread was in here.
        if INSTALLED.swap(true, Ordering::AcqRel) {
            return;
        }
        // SAFETY: `in_child` is a function for the whole life of the process, and does only what is allowed between fork and
        // exec: atomics, fstat and close. An error (no memory) leaves forks unnoticed, as they were before.
        unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        }
    }

    /// Runs in the child, whose only thread is the one that forked; any lock may be held by a thread that is not there.
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::AcqRel);
        #[cfg(feature = "background")]
        crate::background::forget_engine();
        for slot in &SOCKETS {
            let fd = slot.fd.swap(UNUSED, Ordering::AcqRel);
            let known = (
                slot.device.load(Ordering::Acquire),
                slot.inode.load(Ordering::Acquire),
            );
            if fd >= 0 && identity(fd) == Some(known) {
                // SAFETY: it is our inherited copy of a socket of the parent, which nobody in this process uses: the
                // engine that owns it is forgotten, never dropped. Closing writes nothing.
                unsafe { libc::close(fd) };
            }
        }
    }

    /// Device and inode.
    fn identity(fd: RawFd) -> Option<(u64, u64)> {
        // SAFETY: `stat` is plain numbers, for which zero is a value; `fstat` writes to it only.
        unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            (libc::fstat(fd, &raw mut stat) == 0).then_some((stat.st_dev as u64, stat.st_ino))
        }
    }

    /// Keeps a socket on the list of what a child closes.
    pub(crate) struct TrackedSocket(Option<&'static Slot>);

    impl TrackedSocket {
        pub(crate) fn new(socket: &impl AsRawFd) -> Self {
            let fd = socket.as_raw_fd();
            let Some((device, inode)) = identity(fd) else {
                return Self(None);
            };
            let slot = SOCKETS.iter().find(|slot| {
                slot.fd
                    .compare_exchange(UNUSED, BUSY, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            });
            if let Some(slot) = slot {
                slot.device.store(device, Ordering::Release);
                slot.inode.store(inode, Ordering::Release);
                slot.fd.store(fd, Ordering::Release);
            }
            Self(slot)
        }
    }

    impl Drop for TrackedSocket {
        fn drop(&mut self) {
            if let Some(slot) = self.0 {
                slot.fd.store(UNUSED, Ordering::Release);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::fs;
        use std::os::unix::fs::MetadataExt;

        use super::*;

        #[test]
        fn a_descriptor_is_known_by_its_device_and_inode() {
            let file = fs::File::open("Cargo.toml").unwrap();
            let metadata = file.metadata().unwrap();
            let expected = (metadata.dev(), metadata.ino());
            assert_eq!(identity(file.as_raw_fd()), Some(expected));
            assert_eq!(identity(-1), None);
        }

        #[test]
        fn a_tracked_socket_is_kept_with_both() {
            let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
            let tracked = TrackedSocket::new(&socket);
            let slot = tracked.0.unwrap();
            let kept = (
                slot.device.load(Ordering::Acquire),
                slot.inode.load(Ordering::Acquire),
            );
            assert_eq!(identity(socket.as_raw_fd()), Some(kept));
            assert_eq!(slot.fd.load(Ordering::Acquire), socket.as_raw_fd());
        }
    }
}

#[cfg(not(all(unix, feature = "background")))]
mod untracked {
    /// Nothing to keep.
    pub(crate) struct TrackedSocket;

    impl TrackedSocket {
        pub(crate) const fn new<T>(_socket: &T) -> Self {
            Self
        }
    }

    /// Forks are not noticed.
    pub(crate) const fn generation() -> u64 {
        0
    }
}
