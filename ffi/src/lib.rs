//! `libpushmq`: the C library.
//!
//! It translates and decides nothing: what a client does is `mqtt-client`'s, of which every client here is one of the
//! background face. The header `include/pushmq.h` is made by cbindgen from this crate, and is what C programs read; its manual
//! is in `cbindgen.toml`.
//!
//! Every entry point runs behind `guard`; `handle` and `bytes` are where C pointers become Rust values.
//!
//! # Safety
//!
//! All entry points ask the same of their callers, which the header's manual says in the words of C: a handle is null, or came
//! from this library, was not freed, and is not used by two calls at once where the table of threads forbids it; text and data
//! are readable for the length that is given; a place for a result is null or may be written. Null where it is not allowed is
//! an error, never undefined behaviour.

#![expect(
    clippy::missing_safety_doc,
    reason = "the contract is the same for all, and stands above"
)]

mod bytes;
mod guard;
mod handle;
#[cfg(feature = "inject-panic")]
mod inject;
mod mailbox;
mod userdata;

// In the order of the header.
mod status;

mod library;

mod error;

mod log;

mod topic;

mod properties;

mod message;

mod options;

mod transport;

mod tls;

mod client;

mod event;

pub use client::*;
pub use error::*;
pub use event::*;
#[cfg(feature = "inject-panic")]
pub use inject::*;
pub use library::*;
pub use log::*;
pub use message::*;
pub use options::*;
pub use properties::*;
pub use status::Status;
pub use tls::*;
pub use topic::*;
pub use transport::*;
pub use userdata::DropFunction;

/// What the manual's table of threads promises, as far as the compiler can tell.
const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Client>();
    may_be_shared::<Event>();
    may_be_shared::<Message>();
    may_be_shared::<Properties>();
    may_be_shared::<Options>();
    may_be_shared::<Tls>();
    may_be_shared::<Error>();
};
