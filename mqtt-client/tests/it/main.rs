//! The client against servers written by hand, under paused time.

mod connect;
mod publish;
mod subscribe;

mod support;
