//! One Network Connection after CONNACK: the exchanges that both ends of it do alike.

use bytes::Bytes;

use super::{
    answers::{AckReason, Answer, Answers},
    inbound::{AckError, AckToken, Acknowledge, Receiver, Verdict},
    negotiated::Negotiated,
    outbound::{Outcome, PublishError, PublishId, SendQuota, Settled, Step},
    sender::Sender,
    session::Session,
    topic_aliases::{InboundAliases, OutboundAliases},
    violation::Violation,
};
use crate::{
    encoder::Encoder,
    message::Message,
    packet::{Delivery, Packet, Publish, PublishAck},
    time::Instant,
    types::{PacketId, PacketType, ReasonCode, Role},
    wire::{Output, Properties, Property},
};

/// Sending stops when this much waits in the output, so that the rest stays in the bounded queue (bytes).
pub(crate) const HIGH_WATER: usize = 64 * 1024;

/// A received message that was not delivered before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Received {
    pub(crate) message: Message,
    pub(crate) token: Option<AckToken>,
    pub(crate) dup: bool,
}

/// See the module. It ends with the connection; the [`Session`] does not.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Link {
    role: Role,
    negotiated: Negotiated,
    quota: SendQuota,
    receiver: Receiver,
    inbound_aliases: InboundAliases,
    outbound_aliases: OutboundAliases,
    answers: Answers,
}

impl Link {
    /// For the `epoch`th connection of a session. `role` is our own. Of the aliases that the peer takes, `most_aliases` are
    /// used.
    pub(crate) fn new(
        role: Role,
        negotiated: Negotiated,
        acknowledge: Acknowledge,
        most_aliases: u16,
        epoch: u32,
    ) -> Self {
        Self {
            role,
            quota: SendQuota::new(negotiated.peer_receive_maximum),
            receiver: Receiver::new(
                role,
                negotiated.version.is_v5(),
                negotiated.own_receive_maximum,
                acknowledge,
                epoch,
            ),
            inbound_aliases: InboundAliases::new(negotiated.own_topic_alias_maximum),
            outbound_aliases: OutboundAliases::new(
                negotiated.peer_topic_alias_maximum.min(most_aliases),
            ),
            answers: Answers::default(),
            negotiated,
        }
    }

    pub(crate) const fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// The encoder for packets to the peer.
    pub(crate) fn encoder(&self) -> Encoder {
        self.sender().encoder()
    }

    /// The session goes on: its PUBRELs and PUBLISHes are sent again.
    pub(crate) fn resume(&mut self, session: &mut Session) {
        session.resume(&mut self.answers);
    }

    /// Gives back memory of the connection and its session that holds nothing.
    pub(crate) fn release_unused(&mut self, session: &mut Session) {
        self.receiver.release_unused();
        self.answers.release_unused();
        session.outbound.release_unused();
        session.held.release_unused();
    }

    /// Queues a packet that is not a PUBLISH, behind those that wait.
    pub(crate) fn answer(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    /// Bytes of waiting packets that are encoded already.
    pub(crate) const fn encoded_bytes(&self) -> usize {
        self.answers.encoded_bytes()
    }

    /// Too many answers wait: nothing more is to be read before some were sent.
    pub(crate) fn is_congested(&self) -> bool {
        self.answers.is_congested()
    }

    /// Received messages of QoS 1 and 2 that are not finished.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.receiver.unfinished()
    }

    /// See [`Outbound::send_quota`](super::outbound::Outbound::send_quota).
    pub(crate) fn send_quota(&self, session: &Session) -> u16 {
        session.outbound.send_quota(self.quota)
    }

    /// Whether the peer takes this message, as far as that can be told before it is written.
    pub(crate) fn check(&self, message: &Message) -> Result<(), PublishError> {
        self.sender().check(message)?;
        self.sender().check_size(message)
    }

    /// A PUBLISH. `frame` is the packet itself if its payload may be kept as a slice of it.
    pub(crate) fn handle_publish(
        &mut self,
        session: &mut Session,
        publish: &Publish<'_>,
        frame: Option<&Bytes>,
    ) -> Result<Option<Received>, Violation> {
        let topic = self
            .inbound_aliases
            .resolve(publish.topic, publish.properties.topic_alias())?;
        let verdict = match publish.delivery {
            Delivery::AtMostOnce => Verdict::Deliver(None),
            Delivery::AtLeastOnce(packet_id) => {
                self.receiver.handle_qos1(packet_id, &mut self.answers)?
            }
            Delivery::ExactlyOnce(packet_id) => {
                self.receiver
                    .handle_qos2(&mut session.held, packet_id, &mut self.answers)?
            }
        };
        Ok(match verdict {
            Verdict::Deliver(token) => Some(Received {
                message: Message::from_publish(publish, topic, frame),
                token,
                dup: publish.dup,
            }),
            Verdict::Repeat => None,
        })
    }

    /// A PUBACK, PUBREC, PUBREL or PUBCOMP.
    pub(crate) fn handle_ack(
        &mut self,
        session: &mut Session,
        packet_type: PacketType,
        ack: &PublishAck<'_>,
    ) -> Result<Option<Settled>, Violation> {
        let Session {
            outbound,
            held,
            packet_ids,
            ..
        } = session;
        let is_v5 = self.negotiated.version.is_v5();
        match packet_type {
            PacketType::Puback => outbound.handle_puback(ack, packet_ids, &mut self.quota),
            PacketType::Pubrec => {
                outbound.handle_pubrec(ack, packet_ids, &mut self.quota, &mut self.answers, is_v5)
            }
            PacketType::Pubrel => {
                self.receiver
                    .handle_pubrel(held, ack.packet_id, &mut self.answers)?;
                Ok(None)
            }
            _ => outbound.handle_pubcomp(ack, packet_ids, &mut self.quota),
        }
    }

    /// The application acknowledges a message.
    pub(crate) fn acknowledge(
        &mut self,
        session: &mut Session,
        token: AckToken,
        reason: AckReason,
    ) -> Result<(), AckError> {
        self.receiver
            .acknowledge(&mut session.held, token, reason, &mut self.answers)
    }

    /// Appends what may be sent now, up to the high-water mark: answers first, then messages sent again, then new ones.
    /// `report` is told of each publish that ends by it. Returns whether a PINGREQ was among it.
    pub(crate) fn transmit(
        &mut self,
        now: Instant,
        session: &mut Session,
        output: &mut Output,
        mut report: impl FnMut(PublishId, Outcome),
    ) -> bool {
        let mut has_pingreq = false;
        while output.len() < HIGH_WATER {
            if let Some(answer) = self.answers.pop() {
                self.write(&answer, output);
                self.receiver.sent(&answer);
                has_pingreq |= answer == Answer::Pingreq;
                continue;
            }
            let Session {
                outbound,
                packet_ids,
                ..
            } = session;
            let sender = Sender {
                role: self.role,
                negotiated: &self.negotiated,
            };
            match outbound.send_next(
                now,
                sender,
                &mut self.outbound_aliases,
                packet_ids,
                &mut self.quota,
                output,
            ) {
                Step::Sent(None) => {}
                Step::Sent(Some(id)) => report(id, Outcome::Sent),
                Step::Ended(id, outcome) => report(id, outcome),
                Step::Idle => break,
            }
        }
        has_pingreq
    }

    /// Appends all answers that wait, however many there are, and no message: what is left to say before the end.
    pub(crate) fn flush_answers(&mut self, output: &mut Output) {
        while let Some(answer) = self.answers.pop() {
            self.write(&answer, output);
            self.receiver.sent(&answer);
        }
    }

    fn sender(&self) -> Sender<'_> {
        Sender {
            role: self.role,
            negotiated: &self.negotiated,
        }
    }

    /// Whether an acknowledgement may have a Reason String (v5 3.4.2.2.2). Towards a client that has asked for no problem
    /// information it must not [v5 MQTT-3.1.2-29].
    const fn tells_why(&self) -> bool {
        self.negotiated.version.is_v5()
            && (matches!(self.role, Role::Client) || self.negotiated.request_problem_information)
    }

    fn write(&self, answer: &Answer, output: &mut Output) {
        let is_v5 = self.negotiated.version.is_v5();
        let reason_string = match answer {
            Answer::Puback(_, reason) | Answer::Pubrec(_, reason) if self.tells_why() => {
                reason.string().map(Property::ReasonString)
            }
            _ => None,
        };
        let ack = |packet_id: PacketId, reason| PublishAck {
            packet_id,
            // 3.x cannot say no: a message that was refused while no version was spoken is acknowledged.
            reason: if is_v5 { reason } else { ReasonCode::SUCCESS },
            properties: Properties::new(reason_string.as_slice()),
        };
        let packet = match *answer {
            Answer::Puback(packet_id, ref reason) => Packet::Puback(ack(packet_id, reason.code)),
            Answer::Pubrec(packet_id, ref reason) => Packet::Pubrec(ack(packet_id, reason.code)),
            Answer::Pubrel(packet_id, reason) => Packet::Pubrel(ack(packet_id, reason)),
            Answer::Pubcomp(packet_id, reason) => Packet::Pubcomp(ack(packet_id, reason)),
            Answer::Pingreq => Packet::Pingreq,
            Answer::Pingresp => Packet::Pingresp,
            Answer::Encoded(ref bytes) => {
                output.push(bytes);
                return;
            }
        };
        // Without a Reason String, which the encoder leaves out where it does not fit, these packets take two to five bytes. A
        // peer that announced a limit below that cannot be answered at all, and sending nothing is what its limit asks for.
        let _ = self.encoder().encode(&packet, output);
    }
}
