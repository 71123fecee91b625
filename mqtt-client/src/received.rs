//! A message from the server, and the answer it may need.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use mqtt_core::{Message, PacketId, ReasonCode, Utf8};

use crate::command::AckAnswer;
use crate::shared::Shared;
use crate::stream::{PendingAck, SubscriptionKeys};

/// A message from the server.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// Topic, payload, QoS, RETAIN and properties.
    pub message: Message,
    /// The server says that it may have sent this message before (v5 3.3.1.1).
    pub dup: bool,
    /// Under which Packet Identifier the server sent it; `None` at QoS 0. It helps to find a message in the logs of a server,
    /// and names it no longer than until it is acknowledged.
    pub packet_id: Option<PacketId>,
    /// When it was read from the connection.
    pub received_at: SystemTime,
    /// How to acknowledge it, where that is the application's to do.
    pub ack: Ack,
    /// The `subscribe` calls it is for.
    pub subscriptions: SubscriptionKeys,
}

impl Received {
    /// Acknowledges the message: the same as [`Ack::acknowledge`].
    pub fn acknowledge(&self) -> bool {
        self.ack.acknowledge()
    }

    /// Refuses the message: the same as [`Ack::reject`].
    pub fn reject(&self, reason: ReasonCode) -> bool {
        self.ack.reject(reason)
    }
}

/// The answer to one received message.
///
/// It owes an answer only for QoS 1 and 2 messages of subscriptions with [`AckMode::Manual`](crate::AckMode::Manual).
/// Dropping such a one without an answer is a negative answer: Reason Code 0x80 in 5.0, and what
/// [`Options::unacknowledged`](crate::Options::unacknowledged) says in 3.x. Either way it is counted and warned of. After the
/// connection is lost, or the client closed, an answer is without effect: the server delivers the message again.
pub struct Ack {
    owed: Option<(Arc<Shared>, PendingAck)>,
    answered: AtomicBool,
}

impl Ack {
    pub(crate) const fn new(owed: Option<(Arc<Shared>, PendingAck)>) -> Self {
        Self {
            owed,
            answered: AtomicBool::new(false),
        }
    }

    /// Whether the message waits for an answer.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.owed.is_some() && !self.answered.load(Ordering::Acquire)
    }

    /// Tells the server that the message was taken. Never waits. Returns whether this was the answer: false if none was
    /// owed, or one was given before.
    pub fn acknowledge(&self) -> bool {
        self.answer(AckAnswer::SUCCESS)
    }

    /// Tells the server that the message was not taken, and why (5.0, any code of 0x80 and above that PUBACK and PUBREC may
    /// carry; another is sent as 0x80). The server does not send it again. 3.x has no such word: there it is what
    /// [`Options::unacknowledged`](crate::Options::unacknowledged) says.
    ///
    /// Never waits. Returns whether this was the answer.
    pub fn reject(&self, reason: ReasonCode) -> bool {
        self.answer(AckAnswer::Reason(reason))
    }

    /// As [`Ack::reject`], and says why in words, for the log of the server (v5 3.4.2.2.2, 3.5.2.2.2). They are left out
    /// where they would make the packet larger than the server takes.
    pub fn reject_with_reason_string(&self, reason: ReasonCode, reason_string: Utf8<'_>) -> bool {
        self.answer(AckAnswer::InWords(reason, reason_string.as_str().into()))
    }

    fn answer(&self, answer: AckAnswer) -> bool {
        let Some((shared, pending)) = &self.owed else {
            return false;
        };
        if shared.is_foreign() {
            return false;
        }
        if self.answered.swap(true, Ordering::AcqRel) {
            return false;
        }
        if let Some((token, answer)) = pending.clone().answer(answer) {
            shared.acknowledge(token, answer);
        }
        true
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        self.answer(AckAnswer::None);
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack")
            .field("is_owed", &self.is_owed())
            .finish()
    }
}
