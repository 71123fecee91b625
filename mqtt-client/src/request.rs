//! The answer to something asked of the server, for whoever awaits it or looks again later.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

/// An answer that comes later: look with [`result`](Self::result), or await [`wait`](Self::wait). Cheap to clone.
#[derive(Debug)]
pub struct Request<T>(Arc<Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    answer: OnceLock<T>,
    answered: Notify,
}

impl<T: Clone> Request<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Slot {
            answer: OnceLock::new(),
            answered: Notify::new(),
        }))
    }

    /// The answer, or `None` while there is none. Takes no lock.
    #[must_use]
    pub fn result(&self) -> Option<T> {
        self.0.answer.get().cloned()
    }

    /// Waits for the answer. Dropping the future gives up waiting, not the request.
    pub async fn wait(&self) -> T {
        loop {
            let notified = self.0.answered.notified();
            if let Some(answer) = self.result() {
                return answer;
            }
            notified.await;
        }
    }

    /// The first answer stays.
    pub(crate) fn answer(&self, answer: T) {
        if self.0.answer.set(answer).is_ok() {
            self.0.answered.notify_waiters();
        }
    }
}

impl<T> Clone for Request<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
