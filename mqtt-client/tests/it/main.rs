//! The client against servers written by hand, under paused time, and against the embedded broker over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

mod broker;
mod connect;
mod idle;
#[cfg(feature = "proxy")]
mod proxy;
mod publish;
mod request;
mod subscribe;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;
#[cfg(all(feature = "tls", feature = "websocket"))]
mod websocket;

mod support;
