//! The broker as its clients see it: bytes in, bytes out, written by hand from the standards.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects is to fail there"
)]

mod authentication;
mod authorization;
mod bad_input;
mod connect;
mod expiry;
mod limits;
mod local;
mod offer;
#[cfg(all(unix, feature = "cli"))]
mod program;
mod publish;
mod retained;
mod sessions;
mod share;
mod statements;
mod streams;
mod stress;
mod subscribe;
mod support;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;
#[cfg(feature = "websocket")]
mod websocket;
mod wills;
