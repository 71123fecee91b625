//! The PHP extension `mqtt`: a thin layer between PHP and [`mqtt_client`]'s background thread.
//!
//! It decides nothing about the protocol. What it takes care of is PHP: one thread per process that starts at the first
//! use, so that workers may fork; connections that outlive a web request; waits that let PHP's signal handlers and time
//! limits act; and handlers that may throw, exit or fail without harm to the worker.
//!
//! The classes are those of `stubs/mqtt.stub.php`; the C shim in `shim/` registers them with their exact types and
//! does the few other things that ext-php-rs cannot. Methods are Rust functions named by the tables `methods!`.

mod batch;
mod client;
mod connection;
mod delivery;
mod dispatch;
mod events;
mod exception;
mod exchange;
mod message;
mod method;
mod module;
mod names;
mod nesting;
mod options;
mod persistent;
mod properties;
mod request;
mod shim;
mod status;
mod stream;
mod subscription;
mod tls;
mod uri;
mod value;
mod wait;
mod watch;
