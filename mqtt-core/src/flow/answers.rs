//! Packets other than PUBLISH that wait to be sent, in the order in which they must leave.

use alloc::{boxed::Box, collections::VecDeque};

use crate::types::{PacketId, ReasonCode, Utf8};

/// From this many waiting packets on, nothing more is read from the peer.
///
/// Our own requests and the answers to messages within the Receive Maximum stay far below it. It is met only by a peer that
/// asks and does not read the answers.
const CONGESTED: usize = 16_384;

/// What a PUBACK or PUBREC says. Without a Reason String nothing is allocated.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct AckReason {
    pub(crate) code: ReasonCode,
    /// Valid as a UTF-8 Encoded String.
    string: Option<Box<str>>,
}

impl AckReason {
    pub(crate) const SUCCESS: Self = Self::code(ReasonCode::SUCCESS);

    pub(crate) const fn code(code: ReasonCode) -> Self {
        Self { code, string: None }
    }

    pub(crate) fn with_string(code: ReasonCode, string: Utf8<'_>) -> Self {
        Self {
            code,
            string: (!string.is_empty()).then(|| string.as_str().into()),
        }
    }

    /// The Reason String, if there is one.
    pub(crate) fn string(&self) -> Option<Utf8<'_>> {
        self.string.as_deref().map(Utf8::from_checked)
    }
}

/// A packet other than PUBLISH.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Answer {
    Puback(PacketId, AckReason),
    Pubrec(PacketId, AckReason),
    Pubrel(PacketId, ReasonCode),
    Pubcomp(PacketId, ReasonCode),
    Pingreq,
    Pingresp,
    /// A packet that was encoded when it was asked for, such as SUBSCRIBE or SUBACK.
    Encoded(Box<[u8]>),
}

/// See the module.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Answers {
    waiting: VecDeque<Answer>,
    encoded_bytes: usize,
}

impl Answers {
    pub(crate) fn push(&mut self, answer: Answer) {
        if let Answer::Encoded(bytes) = &answer {
            self.encoded_bytes += bytes.len();
        }
        self.waiting.push_back(answer);
    }

    pub(crate) fn pop(&mut self) -> Option<Answer> {
        let answer = self.waiting.pop_front()?;
        if let Answer::Encoded(bytes) = &answer {
            self.encoded_bytes -= bytes.len();
        }
        Some(answer)
    }

    /// Gives back memory that holds nothing.
    pub(crate) fn release_unused(&mut self) {
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    /// Bytes of the packets that are encoded already.
    pub(crate) const fn encoded_bytes(&self) -> usize {
        self.encoded_bytes
    }

    /// The peer must read before it may say more.
    pub(crate) fn is_congested(&self) -> bool {
        self.waiting.len() >= CONGESTED
    }
}
