//! MQTT client over tokio that reconnects, bounds its memory and knows what was delivered.

#[cfg(all(unix, feature = "background"))]
pub mod background;
pub mod blocking;
mod client;
mod clock;
mod delivery;
mod error;
mod fork;
mod options;
mod received;
mod reconnect;
mod request;
mod router;
mod shared;
mod state;
mod stream;
mod subscription;
mod task;
mod transport;

pub use mqtt_core;
pub use mqtt_core::{
    DropReason, EncodeError, Message, Negotiated, Outcome, Properties, PropertiesBuf, Property,
    PropertyId, ProtocolVersion, PublishId, QoS, ReasonCode, RetainHandling, TopicError,
    TopicFilter, TopicName,
};

pub use self::client::Client;
pub use self::delivery::{Delivery, DeliveryState};
pub use self::error::{CloseError, ConnectError, ConnectStage, PublishError, SubscribeError};
pub use self::options::{
    ClientId, DEFAULT_PORT, Options, OptionsError, Overflow, SessionLost, StreamFull,
    Unacknowledged, Version, Will,
};
pub use self::received::{Ack, Received};
pub use self::reconnect::Reconnect;
pub use self::request::Request;
pub use self::state::{CloseCause, Connack, Flush, State, Status};
pub use self::stream::{AckMode, SubscriptionKey, SubscriptionKeys};
pub use self::subscription::{SubscribeOptions, Subscription};
pub use self::transport::Connector;
