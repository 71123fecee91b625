//! The server machine, driven by bytes written from the standard.

mod aliases;
mod connect;
mod ending;
mod random;
mod receiving;
mod requests;
mod sending;
mod statements;
mod support;
