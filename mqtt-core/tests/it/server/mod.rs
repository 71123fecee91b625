//! The server machine, driven by bytes written from the standard.

mod connect;
mod support;
