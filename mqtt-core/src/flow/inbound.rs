//! Receiving QoS 1 and 2: duplicate detection, acknowledgement by the application, order of the acknowledgements.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    answers::{AckReason, Answer, Answers},
    violation::Violation,
};
use crate::types::{PacketId, PacketType, QoS, ReasonCode, ReceiveMaximum, Role};

/// Who acknowledges received messages of QoS 1 and 2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Acknowledge {
    /// The machine, as soon as a message is in the event queue.
    #[default]
    Automatic,
    /// The application, with the [`AckToken`] that comes with each message.
    Manual,
}

/// Names a received message that waits for the application's acknowledgement.
///
/// A plain value: dropping it acknowledges nothing. That of a QoS 1 message is good for the connection on which the message
/// came; the server sends the message again on the next. That of a QoS 2 message is good as long as the session is, since a
/// repeat of such a message is never delivered a second time.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AckToken {
    epoch: u32,
    sequence: u64,
    packet_id: PacketId,
    qos: QoS,
}

impl AckToken {
    /// The connection on which the message came, counted from 1 in the life of its session.
    #[must_use]
    pub const fn epoch(self) -> u32 {
        self.epoch
    }

    /// The Packet Identifier of the message.
    #[must_use]
    pub const fn packet_id(self) -> PacketId {
        self.packet_id
    }

    /// The QoS at which the message came, 1 or 2.
    #[must_use]
    pub const fn qos(self) -> QoS {
        self.qos
    }
}

/// Why an acknowledgement was not taken. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// The connection (QoS 1) or the session (QoS 2) of the message is over. The peer sends it again, or gave it up.
    #[error("the connection that the message came on is over")]
    Stale,
    /// The message was acknowledged before.
    #[error("the message was acknowledged before")]
    AlreadyAcknowledged,
    /// PUBACK and PUBREC cannot carry this Reason Code; in 3.x they carry none, so only success is taken.
    #[error("an acknowledgement cannot carry {0}")]
    ReasonNotAllowed(ReasonCode),
}

/// What became of a received PUBLISH.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// It is new: give it to the application, with the token if that has to acknowledge.
    Deliver(Option<AckToken>),
    /// It was delivered before.
    Repeat,
}

/// Received QoS 2 messages whose Packet Identifier is not released yet: session state (v5 4.1).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Held {
    ids: BTreeMap<PacketId, Decision>,
    next_sequence: u64,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Decision {
    /// Delivered; the application has not acknowledged it.
    Pending { sequence: u64 },
    /// To be answered, or answered, by PUBREC with this reason.
    Made(AckReason),
}

impl Held {
    /// How many identifiers are held.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Gives back memory that holds nothing.
    pub(crate) fn release_unused(&mut self) {
        if self.ids.is_empty() {
            self.ids = BTreeMap::new();
        }
    }

    /// The session is over: nothing is held any more. Tokens stay unique.
    pub(crate) fn clear(&mut self) {
        self.ids.clear();
    }

    /// Decides on a QoS 2 message; legal between connections too.
    pub(crate) fn acknowledge(
        &mut self,
        token: AckToken,
        reason: AckReason,
    ) -> Result<(), AckError> {
        match self.ids.get_mut(&token.packet_id) {
            Some(decision @ Decision::Pending { .. })
                if *decision
                    == (Decision::Pending {
                        sequence: token.sequence,
                    }) =>
            {
                *decision = Decision::Made(reason);
                Ok(())
            }
            Some(Decision::Made(_)) => Err(AckError::AlreadyAcknowledged),
            _ => Err(AckError::Stale),
        }
    }
}

/// A QoS 1 message that waits for its PUBACK.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Waiting {
    packet_id: PacketId,
    reason: Option<AckReason>,
}

/// The receiving side of one connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Receiver {
    role: Role,
    is_v5: bool,
    maximum: ReceiveMaximum,
    acknowledge: Acknowledge,
    epoch: u32,
    /// In the order of arrival, in which PUBACKs must leave [v5 MQTT-4.6.0-2].
    pubacks: VecDeque<Waiting>,
    /// The sequence number of the first of `pubacks`.
    first_puback: u64,
    puback_ids: BTreeSet<PacketId>,
    /// Likewise for PUBRECs [v5 MQTT-4.6.0-3]; what they say is in [`Held`].
    pubrecs: VecDeque<PacketId>,
    pubrec_ids: BTreeSet<PacketId>,
    /// QoS 1 messages whose PUBACK has not been sent.
    unfinished_qos1: usize,
    /// QoS 2 messages whose PUBCOMP, or PUBREC with an error, has not been sent.
    unfinished_qos2: BTreeSet<PacketId>,
}

impl Receiver {
    /// Gives back memory that holds nothing.
    pub(crate) fn release_unused(&mut self) {
        if self.pubacks.is_empty() {
            self.pubacks = VecDeque::new();
        }
        if self.pubrecs.is_empty() {
            self.pubrecs = VecDeque::new();
        }
        // A set keeps the memory of its last node.
        for ids in [
            &mut self.puback_ids,
            &mut self.pubrec_ids,
            &mut self.unfinished_qos2,
        ] {
            if ids.is_empty() {
                *ids = BTreeSet::new();
            }
        }
    }

    /// For the `epoch`th connection of a session. `role` is our own.
    pub(crate) fn new(
        role: Role,
        is_v5: bool,
        maximum: ReceiveMaximum,
        acknowledge: Acknowledge,
        epoch: u32,
    ) -> Self {
        Self {
            role,
            is_v5,
            maximum,
            acknowledge,
            epoch,
            pubacks: VecDeque::new(),
            first_puback: 0,
            puback_ids: BTreeSet::new(),
            pubrecs: VecDeque::new(),
            pubrec_ids: BTreeSet::new(),
            unfinished_qos1: 0,
            unfinished_qos2: BTreeSet::new(),
        }
    }

    /// Messages that the peer counts against our Receive Maximum.
    pub(crate) fn unfinished(&self) -> usize {
        self.unfinished_qos1 + self.unfinished_qos2.len()
    }

    /// A PUBLISH of QoS 1.
    pub(crate) fn handle_qos1(
        &mut self,
        packet_id: PacketId,
        answers: &mut Answers,
    ) -> Result<Verdict, Violation> {
        // After its PUBACK the identifier is a new message, whatever DUP says [v5 MQTT-4.3.2-5]. Before it, the peer can
        // only be repeating itself, and the application has the message already.
        if self.puback_ids.contains(&packet_id) {
            return Ok(Verdict::Repeat);
        }
        self.check_quota()?;
        self.unfinished_qos1 += 1;
        match self.acknowledge {
            Acknowledge::Automatic => {
                answers.push(Answer::Puback(packet_id, AckReason::SUCCESS));
                Ok(Verdict::Deliver(None))
            }
            Acknowledge::Manual => {
                let sequence = self.first_puback + self.pubacks.len() as u64;
                self.pubacks.push_back(Waiting {
                    packet_id,
                    reason: None,
                });
                self.puback_ids.insert(packet_id);
                Ok(Verdict::Deliver(Some(AckToken {
                    epoch: self.epoch,
                    sequence,
                    packet_id,
                    qos: QoS::AtLeastOnce,
                })))
            }
        }
    }

    /// A PUBLISH of QoS 2.
    pub(crate) fn handle_qos2(
        &mut self,
        held: &mut Held,
        packet_id: PacketId,
        answers: &mut Answers,
    ) -> Result<Verdict, Violation> {
        // A repeat on a new connection counts against the quota of that connection; one on the same connection does not.
        if !self.unfinished_qos2.contains(&packet_id) {
            self.check_quota()?;
            self.unfinished_qos2.insert(packet_id);
        }
        let verdict = if held.ids.contains_key(&packet_id) {
            Verdict::Repeat
        } else {
            let sequence = held.next_sequence;
            held.next_sequence += 1;
            match self.acknowledge {
                Acknowledge::Automatic => {
                    held.ids
                        .insert(packet_id, Decision::Made(AckReason::SUCCESS));
                    Verdict::Deliver(None)
                }
                Acknowledge::Manual => {
                    held.ids.insert(packet_id, Decision::Pending { sequence });
                    Verdict::Deliver(Some(AckToken {
                        epoch: self.epoch,
                        sequence,
                        packet_id,
                        qos: QoS::ExactlyOnce,
                    }))
                }
            }
        };
        // While its PUBREC waits for its turn, one PUBREC answers all repeats.
        if self.pubrec_ids.insert(packet_id) {
            self.pubrecs.push_back(packet_id);
        }
        self.release(held, answers);
        Ok(verdict)
    }

    /// A PUBREL.
    pub(crate) fn handle_pubrel(
        &mut self,
        held: &mut Held,
        packet_id: PacketId,
        answers: &mut Answers,
    ) -> Result<(), Violation> {
        let reason = match held.ids.get(&packet_id) {
            Some(Decision::Pending { .. }) => {
                return Err(Violation::UnexpectedAcknowledgement {
                    packet_type: PacketType::Pubrel,
                    packet_id,
                });
            }
            Some(Decision::Made(_)) => {
                held.ids.remove(&packet_id);
                ReasonCode::SUCCESS
            }
            // Not an error by itself: after a crash or a lost session it is how both sides come together again.
            None if self.is_v5 => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
            None => ReasonCode::SUCCESS,
        };
        answers.push(Answer::Pubcomp(packet_id, reason));
        Ok(())
    }

    /// The application decided on a message of this connection, or on a QoS 2 message of an earlier one.
    pub(crate) fn acknowledge(
        &mut self,
        held: &mut Held,
        token: AckToken,
        reason: AckReason,
        answers: &mut Answers,
    ) -> Result<(), AckError> {
        let packet_type = match token.qos {
            QoS::ExactlyOnce => PacketType::Pubrec,
            _ => PacketType::Puback,
        };
        let allowed = if self.is_v5 {
            reason.code.allowed_in(packet_type, self.role)
        } else {
            reason.code == ReasonCode::SUCCESS
        };
        if !allowed {
            return Err(AckError::ReasonNotAllowed(reason.code));
        }
        if token.qos == QoS::ExactlyOnce {
            held.acknowledge(token, reason)?;
        } else {
            self.acknowledge_qos1(token, reason)?;
        }
        self.release(held, answers);
        Ok(())
    }

    /// An answer was sent: the exchange that it ends no longer counts against the Receive Maximum.
    pub(crate) fn sent(&mut self, answer: &Answer) {
        match answer {
            Answer::Puback(..) => self.unfinished_qos1 = self.unfinished_qos1.saturating_sub(1),
            Answer::Pubcomp(packet_id, _) => {
                self.unfinished_qos2.remove(packet_id);
            }
            Answer::Pubrec(packet_id, reason) if reason.code.is_error() => {
                self.unfinished_qos2.remove(packet_id);
            }
            _ => {}
        }
    }

    fn acknowledge_qos1(&mut self, token: AckToken, reason: AckReason) -> Result<(), AckError> {
        if token.epoch != self.epoch {
            return Err(AckError::Stale);
        }
        let index = token
            .sequence
            .checked_sub(self.first_puback)
            .ok_or(AckError::AlreadyAcknowledged)?;
        let waiting = usize::try_from(index)
            .ok()
            .and_then(|index| self.pubacks.get_mut(index))
            .ok_or(AckError::Stale)?;
        if waiting.reason.is_some() {
            return Err(AckError::AlreadyAcknowledged);
        }
        waiting.reason = Some(reason);
        Ok(())
    }

    /// Lets go what no earlier acknowledgement of its kind holds back.
    fn release(&mut self, held: &mut Held, answers: &mut Answers) {
        while let Some(Waiting { packet_id, reason }) = self.pubacks.front_mut() {
            let packet_id = *packet_id;
            let Some(reason) = reason.take() else { break };
            self.pubacks.pop_front();
            self.puback_ids.remove(&packet_id);
            self.first_puback += 1;
            answers.push(Answer::Puback(packet_id, reason));
        }
        while let Some(packet_id) = self.pubrecs.front().copied() {
            match held.ids.get(&packet_id) {
                Some(Decision::Pending { .. }) => break,
                Some(Decision::Made(reason)) => {
                    // Decided between connections, or on one of another version: 3.x has one thing to say only.
                    let reason = if self.is_v5 {
                        reason.clone()
                    } else {
                        AckReason::SUCCESS
                    };
                    // After a PUBREC with an error the identifier is a new message [v5 MQTT-4.3.3-9].
                    if reason.code.is_error() {
                        held.ids.remove(&packet_id);
                    }
                    answers.push(Answer::Pubrec(packet_id, reason));
                }
                None => {}
            }
            self.pubrecs.pop_front();
            self.pubrec_ids.remove(&packet_id);
        }
    }

    fn check_quota(&self) -> Result<(), Violation> {
        let maximum = self.maximum.get();
        if self.is_v5 && self.unfinished() >= usize::from(maximum) {
            return Err(Violation::ReceiveMaximumExceeded { maximum });
        }
        Ok(())
    }
}
