//! The client against servers written by hand, under paused time.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

mod connect;
mod publish;
mod subscribe;

mod support;
