//! Panics on demand, for the test that none gets through the wall. Not in any build that is installed.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// The next entry point that is called panics, on whatever thread.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_test_panic_next() {
    ASKED.store(true, Ordering::Release);
}

/// Whether the panic has not happened yet.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_test_panic_is_due() -> bool {
    ASKED.load(Ordering::Acquire)
}

pub(crate) fn panic_if_asked() {
    assert!(!ASKED.swap(false, Ordering::AcqRel), "injected");
}
