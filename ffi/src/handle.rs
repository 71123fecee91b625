//! Handles and results: the only place that turns C pointers into Rust values, beside `bytes`.

use std::ptr::NonNull;

use crate::error::{Error, Result};

/// Makes a value a handle. [`free`] ends it.
pub(crate) fn into_raw<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// What a handle stands for.
///
/// # Safety
/// `handle` is null, or from [`into_raw`] and not freed for `'a`, and nobody changes the value meanwhile.
pub(crate) unsafe fn get<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: by this function's own contract.
    unsafe { handle.as_ref() }.ok_or_else(|| Error::null(name))
}

/// What a handle stands for, to be changed.
///
/// # Safety
/// `handle` is null, or from [`into_raw`] and not freed for `'a`, and nobody else uses it meanwhile.
pub(crate) unsafe fn get_mut<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: by this function's own contract.
    unsafe { handle.as_mut() }.ok_or_else(|| Error::null(name))
}

/// Takes a handle out of its place, which then holds null.
///
/// # Safety
/// `place` is null or may be read and written.
pub(crate) unsafe fn take<T>(place: *mut *mut T) -> Option<NonNull<T>> {
    // SAFETY: by this function's own contract.
    let place = unsafe { place.as_mut() }?;
    NonNull::new(std::mem::replace(place, std::ptr::null_mut()))
}

/// Ends a handle and sets its place to null.
///
/// # Safety
/// `place` is null or may be read and written, and what it holds is null or from [`into_raw`], not freed and not in use.
pub(crate) unsafe fn free<T>(place: *mut *mut T) {
    // SAFETY: by this function's own contract.
    if let Some(handle) = unsafe { take(place) } {
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(handle.as_ptr()) });
    }
}

/// Where a result goes, checked before there is one.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// # Safety
    /// `place` is null or may be written for as long as this value lives.
    pub(crate) unsafe fn new(place: *mut T, name: &str) -> Result<Self> {
        NonNull::new(place)
            .map(Self)
            .ok_or_else(|| Error::null(name))
    }

    pub(crate) fn set(self, value: T) {
        // SAFETY: not null, and writable by the contract of `new`. What was there before is not dropped: it may be anything.
        unsafe { self.0.write(value) };
    }
}

impl<T> Out<*mut T> {
    /// Gives the caller a new handle.
    pub(crate) fn give(self, value: T) {
        self.set(into_raw(value));
    }
}
