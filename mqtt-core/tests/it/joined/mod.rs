//! The real client joined to the real server over a simulated network that may be cut at any byte.

mod network;
mod promises;
mod scenarios;
mod steps;
