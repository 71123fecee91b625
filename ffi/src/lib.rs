//! `libpushmq`: the C library.
//!
//! This is its beginning: the rules every later function follows, and the topic functions, which need nothing but the
//! protocol core. The header `include/pushmq.h` is made by cbindgen from this crate and is what C programs read.
//!
//! The rules: every fallible function returns a [`Status`] and writes its results only on success; a null pointer where one
//! is not allowed is an error, never undefined behaviour; text comes in as pointer and length, so it may hold any byte; no
//! panic crosses into C.

mod bytes;
mod guard;
mod library;
mod status;
mod topic;

pub use library::{pmq_abi, pmq_reason_is_error, pmq_status_name, pmq_version};
pub use status::Status;
pub use topic::{pmq_topic_filter_check, pmq_topic_matches, pmq_topic_name_check};
