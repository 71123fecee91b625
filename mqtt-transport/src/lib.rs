//! What the client and the broker of pushmq share about transports: reading certificates and keys, and MQTT over WebSocket.
//!
//! It is a crate of its own because both need it and neither may depend on the other, and `mqtt-core` knows no sockets. It
//! has nothing that only one of them needs, and is no place for other things.

#![forbid(unsafe_code)]

#[cfg(feature = "certificates")]
pub mod certificates;
mod pem;
#[cfg(feature = "websocket")]
mod websocket;

pub use pem::{Pem, PemError};
#[cfg(feature = "websocket")]
pub use websocket::{BinaryStream, RequestError, SUBPROTOCOL, Upgrade, UpgradeError, accept};
