//! The one background thread of a process, and its place in the process.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime;
use tokio::sync::Notify;

use crate::shared::Shared;
use crate::slot::Gate;
use crate::task;

/// What an unhurried end of the thread may take beyond the deadline of the clients.
const SLACK: Duration = Duration::from_millis(100);

/// Sockets that may be ready at once before the rest waits for the next turn: one for each client, mostly. The usual 1,024
/// would be most of the heap of a program with one client.
const EVENTS: usize = 64;

/// Where the engine is, or null: not used yet, or this is a forked child. What it points to is never freed: a child must not
/// drop its parent's engine, and there is one for each generation at most.
static REGISTRY: AtomicPtr<Registry> = AtomicPtr::new(ptr::null_mut());

#[derive(Default)]
struct Registry {
    engine: Mutex<Option<Engine>>,
}

struct Engine {
    runtime: runtime::Handle,
    stop: Arc<Notify>,
    /// Given when the thread has ended.
    ended: Arc<Gate<()>>,
    thread: JoinHandle<()>,
    clients: Vec<Weak<Shared>>,
}

/// In a forked child: whatever the parent had is out of reach. One atomic store, nothing else.
pub(crate) fn forget() {
    REGISTRY.store(ptr::null_mut(), Ordering::Release);
}

fn registry() -> &'static Registry {
    let known = REGISTRY.load(Ordering::Acquire);
    let pointer = if known.is_null() {
        let new = Box::into_raw(Box::<Registry>::default());
        match REGISTRY.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => new,
            Err(other) => {
                // SAFETY: `new` came from Box::into_raw just above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                other
            }
        }
    } else {
        known
    };
    // SAFETY: it is not null, came from Box::into_raw, and is never freed.
    unsafe { &*pointer }
}

/// Runs a client's task on the background thread, whose runtime is returned.
pub(super) fn spawn(shared: &Arc<Shared>) -> io::Result<runtime::Handle> {
    let mut engine = registry()
        .engine
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let running = match engine.take() {
        Some(running) if !running.thread.is_finished() => running,
        _ => Engine::start()?,
    };
    let running = engine.insert(running);
    running.clients.retain(|client| client.strong_count() > 0);
    running.clients.push(Arc::downgrade(shared));
    running.runtime.spawn(task::run(Arc::clone(shared)));
    Ok(running.runtime.clone())
}

/// Ends every client of this process and the background thread, within `deadline` and a little: flushes, disconnects, joins.
/// A thread that does not end in time is left behind. Without one, and in a forked child, nothing is done. A later
/// [`start`](super::start) begins anew.
pub fn shutdown(deadline: Duration) {
    let registry = REGISTRY.load(Ordering::Acquire);
    if registry.is_null() {
        return;
    }
    // SAFETY: it is not null, came from Box::into_raw, and is never freed.
    let registry = unsafe { &*registry };
    let engine = registry
        .engine
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(engine) = engine {
        engine.stop(deadline);
    }
}

impl Engine {
    fn start() -> io::Result<Self> {
        let stop = Arc::new(Notify::new());
        let ended = Arc::new(Gate::new());
        let started = Arc::new(Gate::new());
        let body = {
            let stop = Arc::clone(&stop);
            let end = End(Arc::clone(&ended));
            let started = Arc::clone(&started);
            move || {
                let _end = end;
                run(&stop, &started);
            }
        };
        let thread =
            with_signals_blocked(|| thread::Builder::new().name("mqtt".to_owned()).spawn(body))?;
        // It answers in any case, and at once.
        let runtime = started
            .take_within(Duration::MAX)
            .unwrap_or_else(|| Err(io::Error::other("no answer")))?;
        Ok(Self {
            runtime,
            stop,
            ended,
            thread,
            clients: Vec::new(),
        })
    }

    fn stop(self, deadline: Duration) {
        let closing: Vec<_> = self
            .clients
            .iter()
            .filter_map(Weak::upgrade)
            .map(|shared| shared.request_close(deadline))
            .collect();
        let stop = Arc::clone(&self.stop);
        self.runtime.spawn(async move {
            for request in closing {
                // Each is answered by its deadline.
                request.wait().await.ok();
            }
            stop.notify_one();
        });
        let ended = self.ended.take_within(deadline.saturating_add(SLACK));
        if ended.is_some() {
            // It has ended, or is about to: joining does not wait. A panic in it was reported already.
            let _ = self.thread.join();
        } else {
            self.stop.notify_one();
        }
    }
}

/// What the thread does. The runtime is made here and not by who starts the thread: what it keeps for the thread that makes it
/// is freed with the thread.
fn run(stop: &Notify, started: &Gate<io::Result<runtime::Handle>>) {
    // Looking up names is the only thing that blocks; it gets threads of its own, which end soon after.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_io_events_per_tick(EVENTS)
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(2))
        .thread_name("mqtt-resolver")
        .build();
    match runtime {
        Ok(runtime) => {
            started.give(Ok(runtime.handle().clone()));
            runtime.block_on(stop.notified());
            // A name that is being looked up must not hold the process.
            runtime.shutdown_background();
        }
        Err(error) => started.give(Err(error)),
    }
}

/// Tells that the thread has ended, however it did.
struct End(Arc<Gate<()>>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.give(());
    }
}

/// Threads inherit the signal mask of the one that starts them: with all signals blocked, none of the program's handlers
/// ever runs on ours.
fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: the sets are plain memory, initialised by sigfillset and pthread_sigmask before they are read.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let result = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        result
    }
}
