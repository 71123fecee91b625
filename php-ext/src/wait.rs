//! Waiting for the background thread without letting PHP go deaf: signal handlers and the time limit act meanwhile.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::connection::{Connection, Guarded, Running};
use crate::events;
use crate::exception::{Failure, Thrown};
use crate::shim;

/// A signal that comes just before `poll` is seen after this long at the latest.
const SLICE: Duration = Duration::from_secs(1);

/// Why a wait ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    Ready,
    TimedOut,
    /// A signal handler of PHP ran, or a signal came that PHP has yet to be asked about.
    Signal,
}

/// What a signal does to a wait. A handler that throws ends every wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OnSignal {
    GoOn,
    Return,
}

/// Waits until `ready` says so. Without a timeout, for ever. Changes of state are told meanwhile.
///
/// Control may leave through here for good (PHP's time limit, a fatal error in a signal handler): callers hold nothing
/// that must be dropped, and neither does `ready`.
pub(crate) fn until(
    connection: &Connection,
    handle: &Guarded<Running>,
    timeout: Option<Duration>,
    on_signal: OnSignal,
    mut ready: impl FnMut() -> bool,
) -> Result<Ended, Thrown> {
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let descriptor = handle
        .wait_fd()
        .map_err(|error| Failure::no_descriptor(&error))?;
    loop {
        events::dispatch(connection)?;
        if ready() {
            return Ok(Ended::Ready);
        }
        if interrupted()? {
            if ready() {
                return Ok(Ended::Ready);
            }
            if on_signal == OnSignal::Return {
                return Ok(Ended::Signal);
            }
        }
        // A signal handler may have forked.
        if !handle.is_ours() {
            return Err(Failure::forked().into());
        }
        let left = deadline.map_or(SLICE, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        if left.is_zero() {
            return Ok(Ended::TimedOut);
        }
        handle.arm();
        let woken = if ready() {
            Woken::Changed
        } else {
            poll(descriptor, left.min(SLICE))
        };
        handle.disarm();
        if woken == Woken::Signal {
            // Runs PHP's handlers if they run by themselves (pcntl_async_signals); else the caller has to see to them.
            interrupted()?;
            if on_signal == OnSignal::Return {
                return Ok(if ready() { Ended::Ready } else { Ended::Signal });
            }
        }
    }
}

/// Waits without running any PHP code, for the end of a request.
pub(crate) fn quietly_until(
    handle: &Guarded<Running>,
    deadline: Instant,
    mut ready: impl FnMut() -> bool,
) {
    let Ok(descriptor) = handle.wait_fd() else {
        return;
    };
    while handle.is_ours() && !ready() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        handle.arm();
        if !ready() {
            poll(descriptor, left.min(SLICE));
        }
        handle.disarm();
    }
}

/// Lets PHP do what it would do between two opcodes; returns whether it did anything.
fn interrupted() -> Result<bool, Thrown> {
    let ran = shim::run_interrupt();
    if shim::exception_pending() {
        Err(Thrown::Pending)
    } else {
        Ok(ran)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Woken {
    /// Something changed, or the time is over.
    Changed,
    Signal,
}

fn poll(descriptor: RawFd, longest: Duration) -> Woken {
    let mut waited = libc::pollfd {
        fd: descriptor,
        events: libc::POLLIN,
        revents: 0,
    };
    // Rounded up: a wait of less than a millisecond must not become a busy loop.
    let milliseconds = i32::try_from(longest.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
    // SAFETY: one valid pollfd.
    let found = unsafe { libc::poll(&raw mut waited, 1, milliseconds) };
    if found < 0 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
        Woken::Signal
    } else {
        Woken::Changed
    }
}
