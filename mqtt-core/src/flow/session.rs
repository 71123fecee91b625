//! What outlives a Network Connection (v5 4.1).

use alloc::{borrow::ToOwned, string::String};

use super::{
    answers::{AckReason, Answers},
    inbound::{AckError, AckToken, Held},
    outbound::{Outbound, Outcome, PublishError, PublishId, SessionBounds, Unfinished},
    packet_ids::PacketIds,
};
use crate::{message::Message, time::Instant, types::QoS};

/// What is to become of unacknowledged messages when the receiver turns out to have no session any more.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SessionLost {
    /// Publish them anew, in their old order and before all others: none is lost, and one that the receiver had already
    /// taken comes twice.
    #[default]
    Republish,
    /// Drop them, each with [`DropReason::SessionLost`](super::DropReason::SessionLost).
    Drop,
}

/// One end's part of a session: messages that are not finished, received QoS 2 identifiers, Packet Identifiers in use.
///
/// It is given to a machine for the time of a connection, or of many, and can be taken back afterwards. A server also uses
/// it without one, to queue for a client that is away. Subscriptions are not in it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Session {
    client_id: String,
    /// The other end may have the session too, so it may be resumed.
    established: bool,
    pub(crate) outbound: Outbound,
    pub(crate) held: Held,
    pub(crate) packet_ids: PacketIds,
    connections: u32,
}

impl Session {
    /// A new session, which the other end cannot know of.
    #[must_use]
    pub fn new(bounds: SessionBounds) -> Self {
        Self {
            client_id: String::new(),
            established: false,
            outbound: Outbound::new(bounds),
            held: Held::default(),
            packet_ids: PacketIds::default(),
            connections: 0,
        }
    }

    /// An empty session of a client whose server may hold one for this Client Identifier: one that the application knows to
    /// have left with nothing unfinished on its own side.
    ///
    /// With [`Session::new`] a server that says it has a session must be left at once [v5 MQTT-3.2.2-4]; with this one it is
    /// resumed, so that what it queued arrives.
    #[must_use]
    pub fn assume(bounds: SessionBounds, client_id: &str) -> Self {
        let mut session = Self::new(bounds);
        session.establish(client_id);
        session
    }

    /// Queues a message and returns the id under which its outcome will be reported. Its Message Expiry Interval is counted
    /// from `now`: a caller that kept the message before may give the time at which it was received.
    ///
    /// # Errors
    /// [`PublishError::QueueFull`], [`PublishError::QueueBytesFull`] or [`PublishError::MessageTooLarge`]; nothing was
    /// changed.
    pub fn push(&mut self, now: Instant, message: Message) -> Result<PublishId, PublishError> {
        self.outbound.push(now, message, 0)
    }

    /// Gives up the oldest message that was never sent, to make room. The caller reports it.
    pub fn discard_oldest(&mut self) -> Option<PublishId> {
        self.outbound.discard_oldest()
    }

    /// The oldest message that was never sent.
    #[must_use]
    pub fn oldest(&self) -> Option<&Message> {
        self.outbound.oldest()
    }

    /// Takes out the oldest message that was never sent, for a caller that has another place for it. No outcome follows.
    pub fn take_oldest(&mut self) -> Option<Unfinished> {
        self.outbound.take_oldest()
    }

    /// Gives up every QoS 0 message that waits to be sent, and names each, oldest first: v5 4.5 leaves it to a server whether
    /// it keeps them for a client that is away. The caller reports them.
    pub fn discard_qos_0(&mut self, discarded: impl FnMut(PublishId)) {
        self.outbound.discard_qos_0(discarded);
    }

    /// Takes the session apart: its unfinished messages, those first that were sent, each in the order of their ids. A QoS 2
    /// message that the receiver took (PUBREC) is finished but for its handshake, and not among them.
    pub fn into_unfinished(self) -> impl Iterator<Item = Unfinished> {
        self.outbound.into_unfinished()
    }

    /// Takes back a message that was never sent; `false` if there is none with this id.
    pub fn cancel(&mut self, id: PublishId) -> bool {
        self.outbound.cancel(id)
    }

    /// Takes out one message whose Message Expiry Interval is over. To be called until it gives `None`.
    pub fn pop_expired(&mut self, now: Instant) -> Option<PublishId> {
        self.outbound.pop_expired(now)
    }

    /// When the next queued message expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.outbound.next_expiry()
    }

    /// Messages that wait to be sent for the first time.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.outbound.queued()
    }

    /// Messages that were sent and whose exchange is not finished.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.outbound.in_flight()
    }

    /// Bytes of memory held by messages that wait or were sent and are not finished.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.outbound.bytes()
    }

    /// Received QoS 2 messages whose identifiers the sender has not released.
    #[must_use]
    pub fn held_packet_ids(&self) -> usize {
        self.held.len()
    }

    /// Whether there is an exchange that the other end has to know of too.
    #[must_use]
    pub fn has_exchanges(&self) -> bool {
        self.in_flight() > 0 || self.held.len() > 0
    }

    /// The Client Identifier by which the other end knows the session; empty before the first connection.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the other end may know this session, so that it can be resumed.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        self.established
    }

    pub(crate) const fn set_bounds(&mut self, bounds: SessionBounds) {
        self.outbound.set_bounds(bounds);
    }

    /// Counts the connections that carried this session, from 1: what belongs to an older one is told by it.
    pub(crate) fn next_epoch(&mut self) -> u32 {
        self.connections = self.connections.saturating_add(1);
        self.connections
    }

    /// Decides on a received QoS 2 message between connections; one of QoS 1 comes again with the next.
    pub(crate) fn acknowledge(
        &mut self,
        token: AckToken,
        reason: AckReason,
    ) -> Result<(), AckError> {
        match token.qos() {
            QoS::ExactlyOnce => self.held.acknowledge(token, reason),
            _ => Err(AckError::Stale),
        }
    }

    /// Both ends have the session from now on.
    pub(crate) fn establish(&mut self, client_id: &str) {
        client_id.clone_into(&mut self.client_id);
        self.established = true;
    }

    /// The session ended for the other end. What is unfinished waits for the next connection to decide on it.
    pub(crate) fn end(&mut self) {
        self.established = false;
    }

    /// The session goes on with a new connection.
    pub(crate) fn resume(&mut self, answers: &mut Answers) {
        self.outbound.resume(answers);
    }

    /// The other end begins with an empty session: old identifiers mean nothing any more.
    pub(crate) fn restart(&mut self, lost: SessionLost, report: impl FnMut(PublishId, Outcome)) {
        self.outbound
            .restart(lost == SessionLost::Republish, report);
        self.held.clear();
        self.packet_ids = PacketIds::default();
    }
}
