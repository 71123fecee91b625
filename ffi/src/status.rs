//! What every fallible function answers.

use std::ffi::CStr;

/// What a call came to: zero for success, negative for an error. A number once given is never used for anything else.
///
/// The representation is the C `int` that callers compare with.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// The call did what it says.
    Ok = 0,
    /// A pointer that must not be null was null.
    Null = -1,
    /// The library failed inside. Nothing was changed; please report it.
    Panic = -2,
    /// The text is not well-formed UTF-8.
    NotUtf8 = -3,
    /// Not a valid Topic Name: empty, too long, or it holds a wildcard or U+0000.
    TopicName = -4,
    /// Not a valid Topic Filter: empty, too long, a misplaced wildcard, or U+0000.
    TopicFilter = -5,
}

impl Status {
    pub(crate) const fn name(code: i32) -> &'static CStr {
        match code {
            0 => c"PMQ_STATUS_OK",
            -1 => c"PMQ_STATUS_NULL",
            -2 => c"PMQ_STATUS_PANIC",
            -3 => c"PMQ_STATUS_NOT_UTF8",
            -4 => c"PMQ_STATUS_TOPIC_NAME",
            -5 => c"PMQ_STATUS_TOPIC_FILTER",
            _ => c"unknown status",
        }
    }
}
