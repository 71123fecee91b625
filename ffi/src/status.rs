//! What every fallible function answers.

use std::ffi::CStr;

/// What a call came to: zero for success, negative for an error. A number once given is never used for anything else; later
/// versions may add numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// The call did what it says.
    Ok = 0,
    /// A pointer that must not be NULL was NULL, or its length cannot be one.
    Null = -1,
    /// The library failed inside. Please report it, with the text that pmq_error_panic gives.
    Panic = -2,
    /// The text is not well-formed UTF-8.
    NotUtf8 = -3,
    /// Not a valid Topic Name: empty, too long, or it holds a wildcard or U+0000.
    TopicName = -4,
    /// Not a valid Topic Filter: empty, too long, a misplaced wildcard, or U+0000.
    TopicFilter = -5,
    /// An argument is out of its range.
    Argument = -6,
    /// The options cannot work: the message says which, and why.
    Options = -7,
    /// A property that does not exist, does not belong here, or has no such value.
    Property = -8,
    /// A queue is full. Nothing was changed; take events, wait, or try again later.
    QueueFull = -9,
    /// The message or request is larger than the server, the queue or the standard allows.
    TooLarge = -10,
    /// The server, the version of MQTT or this build of the library does not offer it.
    NotSupported = -11,
    /// The time is over.
    Timeout = -12,
    /// No completion is to be had for this token: it was taken or given up already, or never given.
    Token = -13,
    /// The client has ended, or is about to.
    Stopped = -14,
    /// The client belongs to the parent of this process. Nothing was done.
    Forked = -15,
    /// The operating system refused something: see pmq_error_errno.
    System = -16,
    /// There is no connection, or it was lost: the message says where and why.
    Connection = -17,
    /// The server said no: see pmq_error_reason.
    Refused = -18,
    /// The message's expiry interval was over before it could be sent.
    Expired = -19,
    /// The message was given up: pushed out of a full queue, or its session was lost.
    Dropped = -20,
    /// The client has ended, and some publishes were not acknowledged before.
    Unfinished = -21,
    /// The message was acknowledged or refused before.
    Answered = -22,
    /// TLS came to nothing: the message says what is wrong with which certificate.
    Tls = -23,
    /// A function given to pmq_set_log, or a pmq_drop_function, called back into the library. Nothing was done.
    Busy = -24,
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
            -6 => c"PMQ_STATUS_ARGUMENT",
            -7 => c"PMQ_STATUS_OPTIONS",
            -8 => c"PMQ_STATUS_PROPERTY",
            -9 => c"PMQ_STATUS_QUEUE_FULL",
            -10 => c"PMQ_STATUS_TOO_LARGE",
            -11 => c"PMQ_STATUS_NOT_SUPPORTED",
            -12 => c"PMQ_STATUS_TIMEOUT",
            -13 => c"PMQ_STATUS_TOKEN",
            -14 => c"PMQ_STATUS_STOPPED",
            -15 => c"PMQ_STATUS_FORKED",
            -16 => c"PMQ_STATUS_SYSTEM",
            -17 => c"PMQ_STATUS_CONNECTION",
            -18 => c"PMQ_STATUS_REFUSED",
            -19 => c"PMQ_STATUS_EXPIRED",
            -20 => c"PMQ_STATUS_DROPPED",
            -21 => c"PMQ_STATUS_UNFINISHED",
            -22 => c"PMQ_STATUS_ANSWERED",
            -23 => c"PMQ_STATUS_TLS",
            -24 => c"PMQ_STATUS_BUSY",
            _ => c"unknown status",
        }
    }
}
