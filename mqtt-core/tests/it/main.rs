//! Behaviour seen from outside, a module for each part.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are a part of it"
)]

mod client;
mod codec;
mod joined;
mod server;
mod support;
mod topic_trie;
