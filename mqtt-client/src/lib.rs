//! MQTT client over tokio that reconnects, bounds its memory and knows what was delivered.
//!
//! ```
//! use std::time::Duration;
//!
//! use mqtt_client::{Client, Message, Options, QoS, ReasonCode, TopicName};
//! # use mqtt_broker::Broker;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let broker = Broker::bind("127.0.0.1:0", mqtt_broker::Options::default()).await?;
//! # let port = broker.local_addr().unwrap().port();
//! let client = Client::connect(Options::new("127.0.0.1", port)).await?;
//!
//! // A device listens; its messages come as a stream that goes on across reconnects.
//! let mut pushes = client.subscribe("devices/7/push", QoS::AtLeastOnce).await?;
//!
//! let topic = TopicName::new("devices/7/push")?;
//! let message = Message::new(topic, "your parcel is here").with_qos(QoS::AtLeastOnce);
//! let delivery = client.publish(message).await?;
//! delivery.wait_timeout(Duration::from_secs(5)).await;
//! assert_eq!(delivery.reason_code(), Some(ReasonCode::SUCCESS));
//!
//! let received = pushes.recv().await.unwrap();
//! assert_eq!(received.message.payload(), b"your parcel is here");
//!
//! // Nobody listens here, and the publisher is told.
//! let message = Message::new(TopicName::new("devices/8/push")?, "lost").with_qos(QoS::AtLeastOnce);
//! let delivery = client.publish(message).await?;
//! delivery.wait().await;
//! assert_eq!(delivery.reason_code(), Some(ReasonCode::NO_MATCHING_SUBSCRIBERS));
//!
//! client.close(Duration::from_secs(5)).await?;
//! # broker.shutdown(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - **Nothing has to be polled.** One task owns the connection: it connects, keeps alive, acknowledges and comes back. In
//!   5.0 a slow reader of messages never delays the outcomes of its own publishes, unless [`StreamFull::Pause`] asks for
//!   that. 3.x has no Receive Maximum: there, a reader that is too far behind stops the reading, outcomes included.
//! - **Each publish ends in exactly one [`Outcome`]**, across reconnects, and also when the client is closed. An
//!   acknowledgement means that the server has the message, not that a device has it.
//! - **Everything is bounded**, in messages and in bytes, by [`Options`]; what happens at a bound is chosen there. The
//!   loosest bound is that of messages behind full streams in 5.0: see [`Options::receive_maximum`].
//! - **Subscriptions come back** when the server lost the session; unacknowledged publishes are sent again, in order.
//! - **A request finds its response** (5.0): [`Client::request`] sets Response Topic and Correlation Data, and drops what comes
//!   too late.
//! - **A close loses nothing**: it flushes, says DISCONNECT, and reads to the end of the stream.
//!
//! # Choices
//!
//! | for | use |
//! |---|---|
//! | a program on tokio | [`Client`] |
//! | a program without a runtime | [`blocking::Client`] |
//! | a border to another language, a process that forks | the module `background`, behind the feature of that name (Unix) |
//! | a transport of your own | [`Connector`] |
//!
//! # Transports
//!
//! An [`Address`] is a TCP port or a Unix socket; [`Options::tls`] and [`Options::websocket`] put TLS, WebSocket or both over
//! any of them, a [`Connector`]'s included. A [`Proxy`] leads to TCP ports. [`Options::from_url`] knows `mqtt`, `mqtts`, `ws`,
//! `wss` and `unix`.
//!
//! ```no_run
//! use mqtt_client::{Client, Options, Tls};
//!
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::from_url("mqtts://shop:secret@broker.example")?
//!     .with_tls(Tls::new().with_roots_file("/etc/fleet/ca.pem"));
//! let client = Client::connect(options).await?;
//! # Ok(())
//! # }
//! ```
//!
//! TLS, WebSocket and proxies are the features `tls`, `websocket` and `proxy`, which are on by default. Without one, the
//! options are still there and refuse to start.
//!
//! A durable queue is not part of it yet.

#[cfg(all(unix, feature = "background"))]
pub mod background;
pub mod blocking;
mod client;
mod clock;
mod command;
mod delivery;
mod error;
mod fork;
mod options;
mod publish_queue;
mod received;
mod reconnect;
mod request;
mod responses;
mod router;
mod shared;
mod slot;
mod state;
mod stream;
mod subscription;
mod task;
mod transport;

pub use mqtt_core;
pub use mqtt_core::{
    DropReason, EncodeError, Message, Negotiated, Outcome, PacketId, Properties, PropertiesBuf,
    Property, PropertyId, ProtocolVersion, PublishId, QoS, ReasonCode, RetainHandling, TopicError,
    TopicFilter, TopicName, Utf8,
};
pub use mqtt_transport::{Pem, PemError};
#[cfg(feature = "websocket")]
pub use mqtt_transport::{RequestError as UpgradeRequestError, UpgradeError};
#[cfg(feature = "tls")]
pub use tokio_rustls::rustls;

pub use self::client::Client;
pub use self::delivery::{Delivery, DeliveryState};
pub use self::error::{
    CloseError, ConnectError, ConnectStage, ProxyError, PublishError, SubscribeError, TlsError,
};
pub use self::options::{
    Address, ClientId, DEFAULT_PORT, DEFAULT_TLS_PORT, Identity, Options, OptionsError, Overflow,
    Proxy, ProxyOptionsError, ProxyProtocol, Roots, SessionLost, StreamFull, Tls, TlsOptionsError,
    TlsVersion, Unacknowledged, Version, WebSocket, WebSocketOptionsError, Will,
};
pub use self::received::{Ack, Received};
pub use self::reconnect::Reconnect;
pub use self::request::Request;
pub use self::responses::{Reply, RequestError};
pub use self::state::{CloseCause, Connack, Flush, State, Status};
pub use self::stream::{AckMode, SubscriptionKey, SubscriptionKeys};
pub use self::subscription::{SubscribeAnswer, SubscribeOptions, Subscription};
pub use self::transport::Connector;
