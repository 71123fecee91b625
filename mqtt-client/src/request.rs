//! The answer to something asked of the server, for whoever awaits it or looks again later.

use std::sync::Arc;
use std::time::Duration;

use crate::slot::{Gate, Slot};

/// An answer that comes later: look with [`result`](Self::result), or await [`wait`](Self::wait). Cheap to clone.
#[derive(Debug)]
pub struct Request<T>(Arc<Slot<T>>);

impl<T: Clone> Request<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Slot::new()))
    }

    /// The answer, or `None` while there is none. Takes no lock.
    #[must_use]
    pub fn result(&self) -> Option<T> {
        self.0.get().cloned()
    }

    /// Waits for the answer. Dropping the future gives up waiting, not the request.
    pub async fn wait(&self) -> T {
        self.0.wait().await.clone()
    }

    /// Waits for the answer without a runtime, on a thread that is not the client's; `None` if it takes too long. The request
    /// goes on then.
    #[must_use]
    pub fn wait_blocking(&self, longest: Duration) -> Option<T>
    where
        T: Send + 'static,
    {
        let gate = Arc::new(Gate::new());
        let giver = Arc::clone(&gate);
        self.on_answer(move |answer| giver.give(answer.clone()));
        gate.take_within(longest)
    }

    /// Has `call` called once with the answer: at once if it is here, otherwise by the client's task, which holds no lock
    /// then and which it must not keep waiting. Of several calls to this, the last one counts.
    pub fn on_answer(&self, call: impl FnOnce(&T) + Send + 'static) {
        self.0.then(call);
    }

    /// The first answer stays.
    pub(crate) fn answer(&self, answer: T) {
        self.0.give(answer);
    }
}

impl<T> Clone for Request<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
