//! Packets that are well formed and do not fit the state of the exchanges.

use super::topic_aliases::TopicAliasError;
use crate::types::{PacketId, PacketType, ReasonCode};

/// What the peer did that the state of its exchanges does not allow: a Protocol Error (v5 4.13), which ends the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// More unacknowledged QoS 1 and 2 messages than our Receive Maximum (v5 3.3.4).
    #[error("more unacknowledged messages than the receive maximum of {maximum}")]
    ReceiveMaximumExceeded {
        /// What was announced.
        maximum: u16,
    },
    /// The topic of a message cannot be told from its Topic Name and Topic Alias.
    #[error(transparent)]
    TopicAlias(#[from] TopicAliasError),
    /// An acknowledgement of a kind that does not fit the exchange it names, such as PUBACK for a message of QoS 2.
    #[error("{packet_type} does not fit the exchange with packet identifier {}", .packet_id.get())]
    UnexpectedAcknowledgement {
        /// The packet.
        packet_type: PacketType,
        /// The exchange.
        packet_id: PacketId,
    },
}

impl Violation {
    /// The Reason Code that tells the peer (v5 4.13, 3.3.4).
    #[must_use]
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::ReceiveMaximumExceeded { .. } => ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
            Self::TopicAlias(error) => error.reason_code(),
            Self::UnexpectedAcknowledgement { .. } => ReasonCode::PROTOCOL_ERROR,
        }
    }
}
