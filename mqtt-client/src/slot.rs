//! A value that comes once: to be looked at, awaited, or told of.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

type Call<T> = Box<dyn FnOnce(&T) + Send>;

pub(crate) struct Slot<T> {
    value: OnceLock<T>,
    given: Notify,
    call: Mutex<Option<Call<T>>>,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self {
            value: OnceLock::new(),
            given: Notify::new(),
            call: Mutex::new(None),
        }
    }

    /// The value, once there is one. Takes no lock.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The first value stays, and the later ones are dropped.
    pub(crate) fn give(&self, value: T) {
        if self.value.set(value).is_err() {
            return;
        }
        let call = self.call().take();
        if let (Some(call), Some(value)) = (call, self.value.get()) {
            call(value);
        }
        self.given.notify_waiters();
    }

    /// Has `call` called with the value: at once if it is here, otherwise by whoever gives it, who holds no lock then. Only
    /// the last call left here counts.
    pub(crate) fn then(&self, call: impl FnOnce(&T) + Send + 'static) {
        let mut place = self.call();
        // Looked at under the lock: whoever gives the value sets it before he takes the lock.
        if let Some(value) = self.value.get() {
            drop(place);
            call(value);
        } else {
            *place = Some(Box::new(call));
        }
    }

    /// Waits for the value. Dropping the future gives up waiting, nothing else.
    pub(crate) async fn wait(&self) -> &T {
        loop {
            let given = self.given.notified();
            if let Some(value) = self.value.get() {
                return value;
            }
            given.await;
        }
    }

    fn call(&self) -> MutexGuard<'_, Option<Call<T>>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value that one thread gives and another waits for without a runtime.
///
/// In place of the standard library's channels, which allocate for the thread that waits and free that only when it ends: of
/// somebody else's main thread never, as far as his leak checker can see.
pub(crate) struct Gate<T> {
    value: Mutex<Option<T>>,
    given: Condvar,
}

impl<T> Gate<T> {
    pub(crate) const fn new() -> Self {
        Self {
            value: Mutex::new(None),
            given: Condvar::new(),
        }
    }

    pub(crate) fn give(&self, value: T) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        self.given.notify_all();
    }

    /// Waits until the value is given, or too long, and takes it.
    pub(crate) fn take_within(&self, longest: Duration) -> Option<T> {
        let deadline = Instant::now().checked_add(longest);
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        while value.is_none() {
            // A time that the clock does not reach never comes.
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                break;
            }
            value = self
                .given
                .wait_timeout(value, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        value.take()
    }
}

impl<T: fmt::Debug> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.value.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn whoever_left_word_is_told_once_before_or_after() {
        let (told, seen) = channel();
        let early = Slot::new();
        let tell = told.clone();
        early.then(move |value| tell.send(*value).unwrap());
        assert!(seen.try_recv().is_err(), "nothing was given yet");
        early.give(1);
        early.give(2);
        assert_eq!((seen.try_recv(), early.get()), (Ok(1), Some(&1)));
        assert!(seen.try_recv().is_err());

        let late = Slot::new();
        late.give(3);
        late.then(move |value| told.send(*value).unwrap());
        assert_eq!(seen.try_recv(), Ok(3));
    }

    #[test]
    fn a_gate_waits_for_its_value_and_not_for_ever() {
        let gate = std::sync::Arc::new(Gate::new());
        assert_eq!(gate.take_within(Duration::from_millis(1)), None);
        let giver = std::sync::Arc::clone(&gate);
        let thread = std::thread::spawn(move || giver.give(7));
        assert_eq!(gate.take_within(Duration::MAX), Some(7));
        assert_eq!(gate.take_within(Duration::ZERO), None);
        thread.join().unwrap();
    }
}
