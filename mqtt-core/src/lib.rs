//! Sans-IO MQTT 3.1, 3.1.1 and 5.0: packets for both directions and state machines for both ends.
//!
//! Nothing here opens a socket, reads a clock or starts a thread: bytes and the time go in, bytes and events come out.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod client;
mod decoder;
mod encoder;
mod error;
mod flow;
mod message;
mod packet;
pub mod server;
mod time;
mod topic_trie;
mod types;
mod version;
mod wire;

pub use self::{
    decoder::Decoder,
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    flow::{
        AckError, AckToken, Acknowledge, DropReason, Negotiated, Outcome, Progress, PublishError,
        PublishId, Session, SessionBounds, SessionLost, TopicAliasError, Violation,
    },
    message::{Message, WillMessage},
    packet::{
        Auth, Connack, Connect, Delivery, Disconnect, Packet, Publish, PublishAck, ReasonCodes,
        ReasonCodesIter, Suback, Subscribe, SubscribeFilters, SubscribeFiltersIter, Unsuback,
        Unsubscribe, UnsubscribeFilters, UnsubscribeFiltersIter, Will,
    },
    time::Instant,
    topic_trie::{DEFAULT_MAX_LEVELS, Matches, TopicTrie, TopicTrieError},
    types::{
        KeepAlive, MaximumPacketSize, PacketId, PacketType, QoS, ReasonCode, ReceiveMaximum,
        RetainHandling, Role, SessionExpiry, SharedFilter, StringError, SubscribeOptions,
        SubscriptionId, TopicAlias, TopicError, TopicFilter, TopicName, Utf8,
    },
    version::ProtocolVersion,
    wire::{
        Output, PayloadFormat, Properties, PropertiesBuf, PropertiesIter, Property, PropertyHolder,
        PropertyId,
    },
};
