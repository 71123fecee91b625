//! The client machine, against a server that the test plays.

mod acknowledge;
mod aliases;
mod connect;
mod disconnect;
mod hostile;
mod inbound;
mod keep_alive;
mod limits;
mod publish;
mod qos2;
mod queue;
mod random;
mod session;
mod subscribe;
mod v311;
