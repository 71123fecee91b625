//! Borrowed text and results: the only place that turns C pointers into Rust references.

use crate::status::Status;

/// Views `len` bytes at `data` as text.
///
/// # Errors
/// [`Status::Null`] for a null pointer with a length above zero, or a length no object can have; [`Status::NotUtf8`].
///
/// # Safety
/// `data` is null or points to `len` readable bytes that stay unchanged for `'a`.
pub(crate) unsafe fn text<'a>(data: *const u8, len: usize) -> Result<&'a str, Status> {
    if len == 0 {
        return Ok("");
    }
    if data.is_null() || isize::try_from(len).is_err() {
        return Err(Status::Null);
    }
    // SAFETY: not null, no longer than an object can be, and readable for 'a by this function's own contract.
    let bytes = unsafe { std::slice::from_raw_parts(data, len) };
    std::str::from_utf8(bytes).map_err(|_| Status::NotUtf8)
}

/// Writes a result through `out`.
///
/// # Errors
/// [`Status::Null`] for a null pointer.
///
/// # Safety
/// `out` is null or points to memory that may be written as a `T`.
pub(crate) unsafe fn write<T: Copy>(out: *mut T, value: T) -> Result<(), Status> {
    if out.is_null() {
        return Err(Status::Null);
    }
    // SAFETY: not null, and writable by this function's own contract.
    unsafe { out.write(value) };
    Ok(())
}
