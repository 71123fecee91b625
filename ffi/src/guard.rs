//! The wall between Rust and C: every entry point runs behind one of these, and no panic gets through.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::handle;
use crate::status::Status;

/// Runs the body of a fallible entry point. What stood against it goes to `error`, if the caller wants it; a panic is
/// [`Status::Panic`].
///
/// Bodies build their results before they write any, so one that is cut short has changed nothing a caller sees. Inside of
/// [`call_out`] none is run: what waits for the library's thread would wait for itself there.
///
/// # Safety
/// `error` is null or may be written.
pub(crate) unsafe fn call(error: *mut *mut Error, body: impl FnOnce() -> Result<()>) -> Status {
    let failure = match caught(|| if is_out() { Err(Error::busy()) } else { body() }) {
        Ok(Ok(())) => return Status::Ok,
        Ok(Err(failure)) => failure,
        Err(text) => Error::panic(&text),
    };
    let status = failure.status();
    if !error.is_null() {
        // SAFETY: not null, and writable by this function's own contract.
        unsafe { error.write(handle::into_raw(failure)) };
    }
    status
}

/// Changes what a handle stands for, as [`call`].
///
/// # Safety
/// As [`handle::get_mut`] and [`call`].
pub(crate) unsafe fn change<T>(
    handle: *mut T,
    name: &str,
    error: *mut *mut Error,
    change: impl FnOnce(&mut T) -> Result<()>,
) -> Status {
    // SAFETY: by this function's own contract.
    unsafe { call(error, || change(handle::get_mut(handle, name)?)) }
}

/// Runs the body of an entry point that cannot fail: without an answer, and after a panic, it gives `otherwise`.
pub(crate) fn query<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    match caught(body) {
        Ok(Some(answer)) => answer,
        Ok(None) | Err(_) => otherwise,
    }
}

/// Looks into what a handle stands for, as [`query`].
///
/// # Safety
/// As [`handle::get`]; a borrowed answer must not outlive the value.
pub(crate) unsafe fn look<'a, H: 'a, T>(
    handle: *const H,
    otherwise: T,
    look: impl FnOnce(&'a H) -> Option<T>,
) -> T {
    // SAFETY: by this function's own contract.
    query(otherwise, || look(unsafe { handle.as_ref() }?))
}

/// Ends a handle and sets its place to null.
///
/// # Safety
/// As [`handle::free`].
pub(crate) unsafe fn free<T>(place: *mut *mut T) {
    query((), || {
        // SAFETY: by this function's own contract.
        unsafe { handle::free(place) };
        Some(())
    });
}

/// Runs a function of the program's on what may be the library's thread: until it returns, this thread has [`call`] refuse.
pub(crate) fn call_out(call: impl FnOnce()) {
    let was_out = OUT.replace(true);
    call();
    OUT.set(was_out);
}

/// Whether this thread is in [`call_out`].
pub(crate) fn is_out() -> bool {
    OUT.get()
}

thread_local! {
    /// Whether this thread is in a function of the program's that must not call back.
    static OUT: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is behind the wall.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Text and place of the panic that is on its way to the wall.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn caught<T>(body: impl FnOnce() -> T) -> std::result::Result<T, String> {
    install_hook();
    let was_inside = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(feature = "inject-panic")]
        crate::inject::panic_if_asked();
        body()
    }));
    INSIDE.set(was_inside);
    result.map_err(|payload| {
        let text = PANIC.with_borrow_mut(Option::take);
        text.unwrap_or_else(|| text_of(&*payload).to_owned())
    })
}

/// A library does not print: what panics behind the wall is kept for the error. Everything else goes where it went before.
fn install_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    // Not a `Once`: a forked child must get through, even if another thread of its parent was in here.
    if INSTALLED.load(Ordering::Relaxed) || INSTALLED.swap(true, Ordering::AcqRel) {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if INSIDE.get() {
            PANIC.set(Some(describe(info)));
        } else {
            before(info);
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let text = text_of(info.payload());
    match info.location() {
        Some(place) => format!("{text} ({place})"),
        None => text.to_owned(),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn a_panic_comes_back_as_a_status_and_its_text_is_kept() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` is a place of ours.
        let status = unsafe { call(&raw mut error, || panic!("injected")) };
        assert_eq!(status, Status::Panic);
        // SAFETY: it was made just now, by `call`.
        let error = unsafe { Box::from_raw(error) };
        let shown = format!("{error:?}");
        assert!(
            shown.contains("injected") && shown.contains("guard.rs"),
            "{shown}"
        );
        assert_eq!(query(7, || panic!("injected")), 7);
    }

    #[test]
    fn an_error_nobody_wants_is_dropped() {
        // SAFETY: null is allowed.
        let status = unsafe { call(ptr::null_mut(), || Err(Error::null("x"))) };
        assert_eq!(status, Status::Null);
    }
}
