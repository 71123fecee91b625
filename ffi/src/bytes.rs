//! Borrowed text and binary data.

use std::ffi::{CStr, OsStr, c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

use crate::error::{Error, Result};
use crate::status::Status;

/// In place of a length: the text ends at its NUL. `PMQ_Z` of the header.
const UP_TO_NUL: usize = usize::MAX;

/// Views text.
///
/// # Errors
/// [`Status::Null`] for a null pointer with a length above zero, or a length no object can have; [`Status::NotUtf8`].
///
/// # Safety
/// `data` points to `len` readable bytes, or to a C string when `len` is [`UP_TO_NUL`], that stay unchanged for `'a`. It may
/// be null, which is an error unless `len` is 0.
pub(crate) unsafe fn text<'a>(data: *const c_char, len: usize, name: &str) -> Result<&'a str> {
    // SAFETY: by this function's own contract.
    let bytes = unsafe { characters(data, len, name) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        Error::new(
            Status::NotUtf8,
            format_args!("{name} is not UTF-8: {error}"),
        )
    })
}

/// Views the path of a file, which need not be UTF-8.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn path<'a>(data: *const c_char, len: usize, name: &str) -> Result<&'a Path> {
    // SAFETY: by this function's own contract.
    let bytes = unsafe { characters(data, len, name) }?;
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

/// # Safety
/// As [`text`].
unsafe fn characters<'a>(data: *const c_char, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == UP_TO_NUL && !data.is_null() {
        // SAFETY: not null, and a C string by this function's own contract.
        return Ok(unsafe { CStr::from_ptr(data) }.to_bytes());
    }
    // SAFETY: by this function's own contract.
    unsafe { binary(data.cast(), len, name) }
}

/// Views binary data.
///
/// # Errors
/// [`Status::Null`] for a null pointer with a length above zero, or a length no object can have.
///
/// # Safety
/// `data` is null or points to `len` readable bytes that stay unchanged for `'a`.
pub(crate) unsafe fn binary<'a>(data: *const c_void, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::null(name));
    }
    if isize::try_from(len).is_err() {
        return Err(Error::new(
            Status::Null,
            format_args!("{name} cannot have {len} bytes"),
        ));
    }
    // SAFETY: not null, no longer than an object can be, and readable for 'a by this function's own contract.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

/// Views an array of C strings.
///
/// # Safety
/// `items` is null or points to `count` pointers, each null or to a C string, that stay unchanged for `'a`.
pub(crate) unsafe fn texts<'a>(
    items: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let fits = count
        .checked_mul(size_of::<*const c_char>())
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if items.is_null() || !fits {
        return Err(Error::null(name));
    }
    // SAFETY: not null, no longer than an object can be, and readable for 'a by this function's own contract.
    let items = unsafe { slice::from_raw_parts(items, count) };
    items
        .iter()
        // SAFETY: by this function's own contract.
        .map(|item| unsafe { text(*item, UP_TO_NUL, name) })
        .collect()
}

/// Shows bytes to C: where they are, and through `len`, if it is not null, how many. Never null for an empty slice.
///
/// # Safety
/// `len` is null or may be written.
pub(crate) unsafe fn show<T>(bytes: &[u8], len: *mut usize) -> *const T {
    if !len.is_null() {
        // SAFETY: not null, and writable by this function's own contract.
        unsafe { len.write(bytes.len()) };
    }
    bytes.as_ptr().cast()
}
