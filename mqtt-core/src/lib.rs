//! Sans-IO MQTT 3.1, 3.1.1 and 5.0: packets for both directions and state machines for both ends.
//!
//! Nothing here opens a socket, reads a clock or starts a thread: bytes and the time go in, bytes and events come out.
//! There are two layers, and each can be used alone:
//!
//! - **Packets.** [`Decoder`] finds packets in received bytes and gives views of them ([`Packet`]); [`Encoder`] writes
//!   packets into an [`Output`]. Decoding allocates nothing, and every rule of the standard for the bytes is checked.
//! - **Machines.** [`client::Client`] and [`server::Server`] keep the state of one end: sessions, acknowledgements,
//!   resending, flow control, keep-alive. What an application sends and receives is a [`Message`]; each publish ends in
//!   exactly one [`Outcome`].
//!
//! # Driving a machine
//!
//! A driver owns the transport, the clock and two buffers, and repeats four steps: take what is to be sent, take the
//! events, wait for bytes or for the deadline, and hand over what happened. Here the "transport" is memory, so that both
//! ends fit into one program; over a socket the marked lines become writes, reads and a wait.
//!
//! ```
//! use bytes::{Buf, BufMut, BytesMut};
//! use mqtt_core::{
//!     Instant, Message, Outcome, Output, Progress, QoS, ReasonCode, Session, TopicName,
//!     client::{self, Client, ConnectOptions, Limits},
//!     server::{self, Accept, Server, ServerLimits},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Milliseconds of a clock that never runs backwards. The program alone knows it.
//! let mut now = Instant::from_millis(0);
//!
//! let mut client = Client::new(Limits::default());
//! let (mut client_input, mut client_output) = (BytesMut::new(), Output::new());
//! let mut server = Server::new(now, ServerLimits::default());
//! let (mut server_input, mut server_output) = (BytesMut::new(), Output::new());
//!
//! // A publish is taken at any time. Until there is a connection it waits in the session.
//! let message = Message::new(TopicName::new("sensor/1")?, "21.5").with_qos(QoS::AtLeastOnce);
//! let id = client.publish(now, message)?;
//! client.connect(now, &ConnectOptions::new("device-1"))?;
//!
//! let mut received = Vec::new();
//! let mut outcome = None;
//! while !server.is_ended() {
//!     // 1. What is to be sent.
//!     client.poll_transmit(now, &mut client_output);
//!     server.poll_transmit(now, &mut server_output);
//!
//!     // 2. What happened. The queue of events is bounded, so it is always emptied.
//!     while let Some(event) = client.poll_event() {
//!         match event {
//!             client::Event::Outcome { id: of, outcome: how } if of == id => {
//!                 outcome = Some(how);
//!                 client.disconnect(now, ReasonCode::NORMAL_DISCONNECTION)?;
//!             }
//!             // The transport is closed once `client_output` is empty.
//!             client::Event::Disconnected(cause) => println!("client: {cause}"),
//!             other => println!("client: {other:?}"),
//!         }
//!     }
//!     while let Some(event) = server.poll_event() {
//!         match event {
//!             server::Event::Connect(connect) => {
//!                 assert_eq!(connect.client_id, "device-1");
//!                 let session = Session::new(Limits::default().session_bounds());
//!                 server.accept(now, session, &Accept::default())?;
//!             }
//!             server::Event::Message { message, .. } => received.push(message),
//!             other => println!("server: {other:?}"),
//!         }
//!     }
//!
//!     // 3. The transport and the clock. (Over sockets: write what `Output` holds, with vectored writes; read what
//!     //    came; wait no longer than until the earlier `poll_timeout`.)
//!     server_input.put(&mut client_output);
//!     client_input.put(&mut server_output);
//!     now += core::time::Duration::from_millis(1);
//!
//!     // 4. Hand it over. Anything but `Done` means: not all was taken, so read no more before it was.
//!     let blocked = client.handle_input(now, &mut client_input) != Progress::Done;
//!     let _ = server.handle_input(now, &mut server_input);
//!     assert!(!blocked, "three small packets");
//!     client.handle_timeout(now);
//!     server.handle_timeout(now);
//! }
//!
//! assert_eq!(received[0].topic().as_str(), "sensor/1");
//! assert_eq!(received[0].payload(), b"21.5");
//! assert!(matches!(outcome, Some(Outcome::Acknowledged { reason: ReasonCode::SUCCESS, .. })));
//! # Ok(())
//! # }
//! ```
//!
//! When the transport ends, the driver calls `handle_close`; the [`Session`] stays in the client, and the next `connect`
//! goes on where the last connection ended.
//!
//! # Packets that are refused
//!
//! The decoder takes what the standard allows and refuses everything else. A [`DecodeError`] names the cause, the rule of
//! the standard that was broken ([`DecodeError::rule`]) and what to tell the sender before closing
//! ([`DecodeError::answer`]). [`Decoder::frame`] refuses a packet that is too large, or that has a wrong type or wrong flags,
//! from its fixed header, before its body is there.
//!
//! ```
//! use mqtt_core::{DecodeError, Decoder, ProtocolVersion, ReasonCode, Role};
//!
//! // A PUBLISH with both QoS bits set, from a client.
//! let decoder = Decoder::new(Some(ProtocolVersion::V5), Role::Client);
//! let error = decoder.decode(&[0x36, 6, 0, 1, b'a', 0, 1, 0]).unwrap_err();
//! assert_eq!(error, DecodeError::PublishQos);
//! assert_eq!(error.rule(ProtocolVersion::V5), "v5 MQTT-3.3.1-4");
//! assert_eq!(error.answer(ProtocolVersion::V5), Some(ReasonCode::MALFORMED_PACKET));
//! assert_eq!(error.answer(ProtocolVersion::V3_1_1), None, "3.x closes without a word");
//! ```
//!
//! # Looking at bytes
//!
//! The example `inspect` shows what is in bytes, one hexadecimal string a line:
//!
//! ```text
//! $ echo 30 05 00 01 61 00 78 | cargo run -q -p mqtt-core --example inspect -- --version 5 --from client
//! {"ok":true,"packets":[{"type":"publish","dup":false,"retain":false,"qos":0,"packet_id":null,"topic":"a","payload":"78","properties":[]}],"rest":0,"same_bytes":true}
//! $ echo 36 06 00 01 61 00 01 00 | cargo run -q -p mqtt-core --example inspect -- --version 5 --from client
//! {"ok":false,"error":"PUBLISH with both QoS bits set","rule":"v5 MQTT-3.3.1-4","reason_code":129}
//! ```
//!
//! `--version` is 3, 4 or 5 as in CONNECT, for MQTT 3.1, 3.1.1 and 5.0; a CONNECT brings its own, for what follows it in its
//! line too. `--max-packet N` and `--strict-text` set the receiver's [limit](Decoder::maximum_packet_size) and
//! [demands](Decoder::strict_text).
//!
//! - `packets`: the packets of the line. Every field has its name in this crate, but for [`Publish::delivery`], which is shown
//!   as `qos` and `packet_id`. Binary data is hexadecimal text; QoS, Reason Codes and what has a unit are numbers.
//!   `properties` are pairs of name and value in their order in the packet.
//! - `rest`: how many bytes are left over, of a packet that is not all there.
//! - `same_bytes`: whether encoding the packets again gives the bytes they were read from. They may be legal and have
//!   a shorter form.
//! - `rule`: see [`DecodeError::rule`]; `null` if the line is not hexadecimal.
//! - `reason_code`: see [`DecodeError::answer`], in 3.x as a CONNACK return code; `null` is to close without a word.
//!
//! # Features
//!
//! `std` (default): vectored writes of [`Output`]. Without it the crate needs only `alloc`.

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
        PublishId, Session, SessionBounds, SessionLost, TopicAliasError, Unfinished, Violation,
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
