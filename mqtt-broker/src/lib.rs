//! A really small MQTT broker: for a single box, for tests, and for programs that want one inside.
//!
//! It speaks MQTT 3.1, 3.1.1 and 5.0 at QoS 0 to 2, with wildcards, retained messages, Wills, shared subscriptions,
//! Subscription Identifiers and sessions that outlive their connections. Everything is kept in memory and bounded; what does
//! not fit is refused with a Reason Code or dropped and counted, as the [`Options`] say.
//!
//! Without an [authenticator](Options::authenticator) everybody may connect, and then it listens on the loopback interface
//! only. [`Broker::open`] takes a [`Listener`] with TLS, WebSocket or both (the features `tls` and `websocket`), or at a Unix
//! socket; [`Broker::serve`] takes any stream.
//!
//! ```
//! use std::time::Duration;
//!
//! use mqtt_broker::{Broker, Options};
//! use mqtt_core::{Message, QoS, ReasonCode, SubscribeOptions, TopicName};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Clients connect to this address; port 0 lets the system choose one.
//! let broker = Broker::bind("127.0.0.1:0", Options::default()).await?;
//! println!("listening on {}", broker.local_addr().unwrap());
//!
//! // The program itself publishes and subscribes without a socket.
//! let mut alarms = broker.subscribe("devices/+/alarm", SubscribeOptions::with_qos(QoS::AtLeastOnce))?;
//! let alarm = Message::new(TopicName::new("devices/7/alarm")?, "smoke").with_qos(QoS::AtLeastOnce);
//! assert_eq!(broker.publish(&alarm).reason_code(), ReasonCode::SUCCESS);
//! assert_eq!(alarms.recv().await.unwrap().payload(), b"smoke");
//!
//! // Nobody listens here, and the publisher is told.
//! let lost = Message::new(TopicName::new("devices/7/battery")?, "low");
//! assert_eq!(broker.publish(&lost).reason_code(), ReasonCode::NO_MATCHING_SUBSCRIBERS);
//!
//! assert_eq!(broker.statistics().messages_in, 2);
//! broker.shutdown(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What a publisher can rely on
//!
//! A message of QoS 1 or 2 is acknowledged after it was queued for every session that matches, connected or not. In 5.0 the
//! acknowledgement says No matching subscribers (0x10) if there was none, and Quota exceeded (0x97) if none of those that
//! matched had room; a 3.x publisher cannot be told either. It does not say that a device has the message: only the device can.
//!
//! # Shared subscriptions
//!
//! Of the sessions that subscribed with `$share/NAME/FILTER` one gets each message (v5 4.8.2): a connected one with nothing
//! waiting before a busy one, and that before one whose client is away; among equals they take turns. What a member took and
//! did not acknowledge goes to another one when its session ends, but for a QoS 2 message that was sent, which may have
//! arrived. Clients of 3.x may be members too: no topic that a client could publish to begins with `$share/` in good sense,
//! and other brokers read it so. Retained messages are for no member.
//!
//! # Who may do what
//!
//! [`Options::authenticator`] says who may connect, [`Options::authorizer`] who may publish and subscribe to what;
//! `PasswordFile` (a feature) and [`AccessFile`] are two that read files, and a function or anything that can wait for an
//! answer will do as well. Topics below `$SYS/` are the broker's own: with [`Options::sys_interval`] it publishes there what
//! it counts, and clients are refused with Not authorized (0x87).
//!
//! # What it does not do
//!
//! There is no store on disk, no bridge and no cluster, and no AUTH exchange: a CONNECT that names an Authentication Method is
//! refused with Bad authentication method (0x8C). A message whose client may publish it goes to all who may subscribe to its
//! topic: what is delivered is not asked about again.
//!
//! # Where things are
//!
//! | part | what it does |
//! |---|---|
//! | `broker`, `local` | the handle, and publishing and subscribing without a socket |
//! | `listener`, `connection` | sockets and the layers over them, and the task that owns one client's connection |
//! | `place`, `door` | how many connections there may be, and who has to go when too many only begin |
//! | `router`, `subscription`, `share`, `retained` | subscriptions, groups and retained messages: who gets a message |
//! | `authenticate`, `authorize`, `password_file`, `access_file` | who may connect, publish and subscribe |
//! | `system` | what the broker counts, as messages below `$SYS/` |
//! | `sessions`, `subscriber` | sessions by Client Identifier, how long they are kept, and what waits for them |

#![forbid(unsafe_code)]

mod access_file;
mod alarm;
mod authenticate;
mod authorize;
mod backlog;
mod broker;
mod certificates;
mod connection;
mod context;
mod door;
mod expiry;
mod listener;
mod local;
mod network;
mod options;
#[cfg(feature = "password-file")]
mod password_file;
mod place;
mod retained;
mod router;
mod sessions;
mod share;
mod shared;
mod statistics;
mod subscriber;
mod subscription;
mod system;

#[cfg(feature = "tls")]
pub use self::listener::{ServerTls, ServerTlsError};
#[cfg(feature = "password-file")]
pub use self::password_file::{PasswordFile, PasswordFileError};
pub use self::{
    access_file::{AccessFile, AccessFileError},
    authenticate::{Authenticate, ConnectInfo},
    authorize::{Access, Action, Authorize},
    broker::Broker,
    listener::{ListenError, Listener, LocalAddress},
    local::{LocalSubscription, SubscribeError},
    options::{Options, Overflow},
    router::Publication,
    statistics::Statistics,
};
pub use mqtt_transport::{Pem, PemError};
#[cfg(feature = "tls")]
pub use tokio_rustls::rustls;
