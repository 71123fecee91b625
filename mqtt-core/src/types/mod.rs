//! Values of the protocol. Each type's constructor is its rule: who holds a value need not check it again.

mod limits;
mod packet_id;
mod packet_type;
mod qos;
mod reason_code;
mod scan;
mod subscribe_options;
mod text;
mod topic;

pub(crate) use self::text::MAX_FIELD_LEN;
pub use self::{
    limits::{
        KeepAlive, MaximumPacketSize, ReceiveMaximum, SessionExpiry, SubscriptionId, TopicAlias,
    },
    packet_id::PacketId,
    packet_type::{PacketType, Role},
    qos::QoS,
    reason_code::ReasonCode,
    subscribe_options::{RetainHandling, SubscribeOptions},
    text::{StringError, Utf8},
    topic::{SharedFilter, TopicError, TopicFilter, TopicName},
};
