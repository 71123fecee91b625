//! Sending messages: the queue, the exchanges of QoS 1 and 2, the send quota and the order of resending.

use super::{
    answers::{Answer, Answers},
    in_flight::{Entry, InFlight, Phase},
    packet_ids::PacketIds,
    queue::{Outgoing, Queue},
    sender::Sender,
    topic_aliases::OutboundAliases,
    violation::Violation,
};
use crate::{
    error::EncodeError,
    message::Message,
    packet::PublishAck,
    time::Instant,
    types::{PacketId, PacketType, QoS, ReasonCode, ReceiveMaximum},
    wire::{Output, Properties, PropertiesBuf},
};

/// Names a publish for the whole life of its session, across connections; not the Packet Identifier.
///
/// The ids of one session rise in the order in which its messages were handed over.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublishId(u64);

impl PublishId {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of this id.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// How a publish ended. Each accepted publish ends in exactly one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// QoS 1 and 2: the receiver answered; whether it took the message is in the Reason Code. At QoS 2 that is the code of
    /// the PUBREC, with which the receiver took or refused the message.
    Acknowledged {
        /// Success, 0x10 "No matching subscribers", or an error of 0x80 and above; always success in 3.x.
        reason: ReasonCode,
        /// What came with the packet that ended the exchange.
        properties: PropertiesBuf,
    },
    /// QoS 0: it was appended to the output, which the driver hands to the transport. Nothing more will ever be known: a
    /// connection that breaks right then loses it.
    Sent,
    /// It was not sent, because the connection's limits do not allow it.
    ///
    /// At QoS 1 and 2 the limits may be those of a later connection, and stricter: a message that was sent and not
    /// acknowledged is then not sent again, and may have been delivered.
    Refused(PublishError),
    /// Its Message Expiry Interval passed before it could be sent.
    Expired,
    /// It was given up.
    Dropped(DropReason),
}

/// Why a message was given up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DropReason {
    /// The server had no session any more, and the options say not to publish the message anew. It may have been delivered.
    SessionLost,
    /// It was pushed out of a full queue by the caller's choice.
    Overflow,
    /// The caller took it back.
    Cancelled,
    /// The client was closed before the message was delivered.
    Closed,
}

/// Why a message cannot be sent. From `publish` it means that nothing was changed.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A server may publish only between accepting a client and the end of the connection.
    #[error("not connected")]
    NotConnected,
    /// As many messages as allowed are unfinished: waiting, unacknowledged, or with an outcome that was not yet read.
    #[error("{limit} messages are waiting already")]
    QueueFull {
        /// The most messages that may be unfinished.
        limit: usize,
    },
    /// The unfinished messages would hold more memory than allowed.
    #[error("the waiting messages would hold more than {limit} bytes")]
    QueueBytesFull {
        /// The most bytes that unfinished messages may hold.
        limit: usize,
    },
    /// The message alone would hold more memory than all unfinished messages may: waiting for room does not help.
    #[error("the message holds {size} bytes, and all that wait may hold {limit}")]
    MessageTooLarge {
        /// Bytes that the message would hold.
        size: usize,
        /// The most bytes that unfinished messages may hold.
        limit: usize,
    },
    /// The server takes no messages of this QoS [v5 MQTT-3.2.2-11].
    #[error("the server takes no QoS above {}", .maximum.as_u8())]
    QosNotSupported {
        /// The highest that it takes.
        maximum: QoS,
    },
    /// The server keeps no retained messages [v5 MQTT-3.2.2-14].
    #[error("the server keeps no retained messages")]
    RetainNotSupported,
    /// The message has properties, which 3.x does not know. (A Message Expiry Interval alone is taken: it is then a time
    /// limit for the queue and does not leave it.)
    #[error("the connection's version has no properties")]
    PropertiesNotSupported,
    /// A client may not send Subscription Identifiers [v5 MQTT-3.3.4-6].
    #[error("a client may not send subscription identifiers")]
    SubscriptionIdentifier,
    /// The message cannot be written as a PUBLISH that the peer takes, such as one above its Maximum Packet Size.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// What an acknowledgement did to a publish.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Settled {
    /// QoS 2: the receiver owns the message; the exchange goes on.
    Received { id: PublishId, reason: ReasonCode },
    /// It is finished.
    Ended { id: PublishId, outcome: Outcome },
}

/// A message of a session that ended before it was finished, as [`Session::into_unfinished`](super::Session::into_unfinished)
/// gives it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unfinished {
    /// The id under which its outcome would have been reported.
    pub id: PublishId,
    /// The message.
    pub message: Message,
    /// When its Message Expiry Interval began; the epoch if it has none.
    pub since: Instant,
    /// Whether it was sent, so that the receiver may have it. QoS 0 is finished once it was sent.
    pub was_sent: bool,
}

/// Bounds of a session's outbound messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SessionBounds {
    /// Messages that may be unfinished at once: waiting to be sent, and unacknowledged.
    pub max_messages: usize,
    /// Bytes of memory that they may hold together.
    pub max_bytes: usize,
}

/// The send quota of one connection (v5 4.9).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct SendQuota {
    free: u16,
}

impl SendQuota {
    pub(crate) const fn new(peer: ReceiveMaximum) -> Self {
        Self { free: peer.get() }
    }
}

/// What a step of sending did.
pub(crate) enum Step {
    /// A PUBLISH was written. At QoS 0 that ends it.
    Sent(Option<PublishId>),
    /// A message was taken out without being sent.
    Ended(PublishId, Outcome),
    /// There is nothing that may be sent now.
    Idle,
}

/// All messages of a session that are not finished.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Outbound {
    bounds: SessionBounds,
    queue: Queue,
    in_flight: InFlight,
    next_id: u64,
}

impl Outbound {
    pub(crate) fn new(bounds: SessionBounds) -> Self {
        Self {
            bounds,
            queue: Queue::default(),
            in_flight: InFlight::default(),
            next_id: 0,
        }
    }

    pub(crate) const fn set_bounds(&mut self, bounds: SessionBounds) {
        self.bounds = bounds;
    }

    /// Gives back memory that holds nothing.
    pub(crate) fn release_unused(&mut self) {
        self.queue.release_unused();
        self.in_flight.release_unused();
    }

    /// Messages that wait to be sent.
    pub(crate) const fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Messages that were sent and are not finished.
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Memory held by unfinished messages.
    pub(crate) const fn bytes(&self) -> usize {
        self.queue.bytes() + self.in_flight.bytes()
    }

    /// Takes a message over. `reserved` counts against the bound on messages.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        message: Message,
        reserved: usize,
    ) -> Result<PublishId, PublishError> {
        let outgoing = Outgoing::new(now, message);
        let (size, limit) = (outgoing.held_bytes(), self.bounds.max_bytes);
        if size > limit {
            return Err(PublishError::MessageTooLarge { size, limit });
        }
        if self.queued() + self.in_flight() + reserved >= self.bounds.max_messages {
            return Err(PublishError::QueueFull {
                limit: self.bounds.max_messages,
            });
        }
        if self.bytes().saturating_add(size) > limit {
            return Err(PublishError::QueueBytesFull { limit });
        }
        let id = PublishId(self.next_id);
        self.next_id += 1;
        self.queue.push_back(id, outgoing);
        Ok(id)
    }

    /// Takes a message back that was never sent.
    pub(crate) fn cancel(&mut self, id: PublishId) -> bool {
        self.queue.remove(id).is_some()
    }

    /// Gives up the oldest message that was never sent.
    pub(crate) fn discard_oldest(&mut self) -> Option<PublishId> {
        self.queue.pop_front().map(|(id, _)| id)
    }

    /// The oldest message that was never sent.
    pub(crate) fn oldest(&self) -> Option<&Message> {
        self.queue.front().map(|(_, outgoing)| &outgoing.message)
    }

    /// Takes out the oldest message that was never sent.
    pub(crate) fn take_oldest(&mut self) -> Option<Unfinished> {
        let (id, outgoing) = self.queue.pop_front()?;
        Some(Unfinished {
            id,
            since: outgoing.since(),
            message: outgoing.message,
            was_sent: false,
        })
    }

    /// Gives up every message of QoS 0.
    pub(crate) fn discard_qos_0(&mut self, discarded: impl FnMut(PublishId)) {
        self.queue.discard_qos_0(discarded);
    }

    /// What was sent and not acknowledged, then what was not sent, each in order. What the receiver owns by a PUBREC is
    /// not among it.
    pub(crate) fn into_unfinished(mut self) -> impl Iterator<Item = Unfinished> {
        core::iter::from_fn(move || {
            let sent = self.in_flight.first_published();
            match sent.and_then(|packet_id| self.in_flight.remove(packet_id)) {
                Some(Entry {
                    id,
                    phase: Phase::Published(outgoing),
                    ..
                }) => Some(Unfinished {
                    id,
                    since: outgoing.since(),
                    message: outgoing.message,
                    was_sent: true,
                }),
                _ => self.take_oldest(),
            }
        })
    }

    /// Takes out one message whose time is over. One that was sent is not touched [v5 MQTT-4.3.3-7].
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<PublishId> {
        self.queue.pop_expired(now)
    }

    /// How many messages of QoS 1 and 2 may be sent now for the first time. What is to be sent again comes before them.
    pub(crate) fn send_quota(&self, quota: SendQuota) -> u16 {
        if self.in_flight.next_resend().is_some() {
            0
        } else {
            quota.free
        }
    }

    /// When the next message expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.queue.next_expiry()
    }

    /// A connection resumes the session: PUBREL packets go out at once, since no quota holds them back; PUBLISH packets
    /// follow as the quota allows [v5 MQTT-4.4.0-1].
    pub(crate) fn resume(&mut self, answers: &mut Answers) {
        self.in_flight.start_resending();
        for entry in self.in_flight.released() {
            answers.push(Answer::Pubrel(entry.packet_id, ReasonCode::SUCCESS));
        }
    }

    /// The receiver has no state of this session any more. What it owns by a PUBREC is acknowledged; the rest is put back
    /// to be published anew, or dropped.
    pub(crate) fn restart(&mut self, republish: bool, mut report: impl FnMut(PublishId, Outcome)) {
        while let Some(packet_id) = self.in_flight.first_released() {
            let Some(entry) = self.in_flight.remove(packet_id) else {
                break;
            };
            if let Phase::Released(reason) = entry.phase {
                report(
                    entry.id,
                    Outcome::Acknowledged {
                        reason,
                        properties: PropertiesBuf::default(),
                    },
                );
            }
        }
        while let Some(packet_id) = if republish {
            self.in_flight.last_published()
        } else {
            self.in_flight.first_published()
        } {
            let Some(entry) = self.in_flight.remove(packet_id) else {
                break;
            };
            match entry.phase {
                Phase::Published(outgoing) if republish => {
                    self.queue.push_front(entry.id, outgoing)
                }
                _ => report(entry.id, Outcome::Dropped(DropReason::SessionLost)),
            }
        }
    }

    /// A PUBACK. One that names no exchange is tolerated: it completes nothing.
    pub(crate) fn handle_puback(
        &mut self,
        ack: &PublishAck<'_>,
        ids: &mut PacketIds,
        quota: &mut SendQuota,
    ) -> Result<Option<Settled>, Violation> {
        let packet_id = ack.packet_id;
        match self.in_flight.get(packet_id).map(|entry| &entry.phase) {
            Some(Phase::Published(outgoing)) if outgoing.message.qos() == QoS::AtLeastOnce => {
                Ok(self.end(packet_id, ack.reason, ack.properties, ids, quota))
            }
            Some(_) => Err(Violation::UnexpectedAcknowledgement {
                packet_type: PacketType::Puback,
                packet_id,
            }),
            None => Ok(None),
        }
    }

    /// A PUBREC.
    pub(crate) fn handle_pubrec(
        &mut self,
        ack: &PublishAck<'_>,
        ids: &mut PacketIds,
        quota: &mut SendQuota,
        answers: &mut Answers,
        is_v5: bool,
    ) -> Result<Option<Settled>, Violation> {
        let packet_id = ack.packet_id;
        let phase = self.in_flight.get(packet_id).map(|entry| &entry.phase);
        if let Some(Phase::Published(outgoing)) = phase
            && outgoing.message.qos() != QoS::ExactlyOnce
        {
            return Err(Violation::UnexpectedAcknowledgement {
                packet_type: PacketType::Pubrec,
                packet_id,
            });
        }
        // After a PUBREC that took the message another one asks for the PUBREL again, whatever it says: the exchange ends with
        // its PUBCOMP only [v5 MQTT-4.3.3-4].
        let is_released = matches!(phase, Some(Phase::Released(_)));
        if ack.reason.is_error() && !is_released {
            // A PUBREC with an error ends the exchange: PUBREL after it would revive a Packet Identifier that the receiver
            // has already freed [v5 MQTT-4.3.3-4].
            return Ok(self.end(packet_id, ack.reason, ack.properties, ids, quota));
        }
        let known = match phase {
            Some(Phase::Published(_)) => self.in_flight.release(packet_id, ack.reason),
            Some(Phase::Released(_)) => None,
            None => {
                let reason = if is_v5 {
                    ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
                } else {
                    ReasonCode::SUCCESS
                };
                answers.push(Answer::Pubrel(packet_id, reason));
                return Ok(None);
            }
        };
        answers.push(Answer::Pubrel(packet_id, ReasonCode::SUCCESS));
        Ok(known.map(|id| Settled::Received {
            id,
            reason: ack.reason,
        }))
    }

    /// A PUBCOMP. One that names no exchange is tolerated.
    pub(crate) fn handle_pubcomp(
        &mut self,
        ack: &PublishAck<'_>,
        ids: &mut PacketIds,
        quota: &mut SendQuota,
    ) -> Result<Option<Settled>, Violation> {
        let packet_id = ack.packet_id;
        match self.in_flight.get(packet_id).map(|entry| &entry.phase) {
            // The receiver took the message with its PUBREC. That it does not know the identifier any more (0x92) does not
            // take that back.
            Some(Phase::Released(reason)) => {
                let reason = *reason;
                Ok(self.end(packet_id, reason, ack.properties, ids, quota))
            }
            Some(Phase::Published(_)) => Err(Violation::UnexpectedAcknowledgement {
                packet_type: PacketType::Pubcomp,
                packet_id,
            }),
            None => Ok(None),
        }
    }

    /// Writes the next PUBLISH that may be sent, or takes out one that must not be.
    pub(crate) fn send_next(
        &mut self,
        now: Instant,
        sender: Sender<'_>,
        aliases: &mut OutboundAliases,
        ids: &mut PacketIds,
        quota: &mut SendQuota,
        output: &mut Output,
    ) -> Step {
        if self.in_flight.next_resend().is_some() {
            return self.resend_next(now, sender, aliases, ids, quota, output);
        }
        if let Some(id) = self.queue.pop_expired(now) {
            return Step::Ended(id, Outcome::Expired);
        }
        let Some((id, outgoing)) = self.queue.front() else {
            return Step::Idle;
        };
        if outgoing.message.qos() == QoS::AtMostOnce {
            let written = sender.write(now, outgoing, None, false, aliases, output);
            self.queue.pop_front();
            return match written {
                Ok(()) => Step::Sent(Some(id)),
                Err(error) => Step::Ended(id, Outcome::Refused(error)),
            };
        }
        // Later messages of QoS 0 wait too, so that the order of one topic is kept.
        if quota.free == 0 {
            return Step::Idle;
        }
        let Some(packet_id) = ids.allocate() else {
            return Step::Idle;
        };
        match sender.write(now, outgoing, Some(packet_id), false, aliases, output) {
            Ok(()) => {
                quota.free -= 1;
                if let Some((id, outgoing)) = self.queue.pop_front() {
                    self.in_flight.insert(id, packet_id, outgoing);
                }
                Step::Sent(None)
            }
            Err(error) => {
                ids.free(packet_id);
                self.queue.pop_front();
                Step::Ended(id, Outcome::Refused(error))
            }
        }
    }

    /// Writes the next PUBLISH that a resumed session has to send again.
    fn resend_next(
        &mut self,
        now: Instant,
        sender: Sender<'_>,
        aliases: &mut OutboundAliases,
        ids: &mut PacketIds,
        quota: &mut SendQuota,
        output: &mut Output,
    ) -> Step {
        let Some(entry) = self.in_flight.next_resend().filter(|_| quota.free > 0) else {
            return Step::Idle;
        };
        let (id, packet_id) = (entry.id, entry.packet_id);
        let Phase::Published(outgoing) = &entry.phase else {
            return Step::Idle;
        };
        match sender.write(now, outgoing, Some(packet_id), true, aliases, output) {
            Ok(()) => {
                quota.free -= 1;
                self.in_flight.resent();
                Step::Sent(None)
            }
            Err(error) => {
                // At QoS 2 the receiver may hold the identifier since an earlier connection, and would take another message
                // under it for a repetition [v5 MQTT-4.3.3-10]: it stays taken until the session begins anew.
                let may_be_held = outgoing.message.qos() == QoS::ExactlyOnce;
                self.in_flight.remove(packet_id);
                if !may_be_held {
                    ids.free(packet_id);
                }
                Step::Ended(id, Outcome::Refused(error))
            }
        }
    }

    /// Ends an exchange, freeing its identifier and its unit of the quota.
    fn end(
        &mut self,
        packet_id: PacketId,
        reason: ReasonCode,
        properties: Properties<'_>,
        ids: &mut PacketIds,
        quota: &mut SendQuota,
    ) -> Option<Settled> {
        let entry = self.in_flight.remove(packet_id)?;
        ids.free(packet_id);
        // Only what this connection sent took from its quota, so the quota cannot rise above its start (v5 4.9).
        if entry.counted {
            quota.free += 1;
        }
        let outcome = Outcome::Acknowledged {
            reason,
            properties: kept(properties),
        };
        Some(Settled::Ended {
            id: entry.id,
            outcome,
        })
    }
}

/// Keeps the properties of a received packet, for which that cannot fail: they were read from their wire form.
pub(crate) fn kept(properties: Properties<'_>) -> PropertiesBuf {
    PropertiesBuf::try_from(properties).unwrap_or_default()
}
