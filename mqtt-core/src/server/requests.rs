//! SUBSCRIBE and UNSUBSCRIBE: kept until their owner answers.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, btree_map::Entry},
    string::String,
    vec::Vec,
};

use super::{ServerLimits, encode, lifecycle::Connection};
use crate::{
    error::EncodeError,
    flow::{Answer, kept},
    packet::{Packet, ReasonCodes, Suback, Subscribe, Unsuback, Unsubscribe},
    types::{
        PacketId, PacketType, QoS, ReasonCode, Role, SubscribeOptions, SubscriptionId, TopicFilter,
    },
    version::ProtocolVersion,
    wire::{Properties, PropertiesBuf, PropertyId},
};

/// Topic Filters one after the other, each with something that belongs to it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Filters<T> {
    text: Box<str>,
    /// Where each filter ends in `text`.
    ends: Box<[(usize, T)]>,
}

impl<T: Copy> Filters<T> {
    fn collect<'a>(filters: impl Iterator<Item = (TopicFilter<'a>, T)>) -> Self {
        let mut text = String::new();
        let mut ends = Vec::new();
        for (filter, item) in filters {
            text.push_str(filter.as_str());
            ends.push((text.len(), item));
        }
        Self {
            text: text.into_boxed_str(),
            ends: ends.into_boxed_slice(),
        }
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = (TopicFilter<'_>, T)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, item)| {
            let filter = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            // It was a Topic Filter when it was kept.
            (TopicFilter::from_checked(filter), *item)
        })
    }

    fn held_bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }
}

/// A SUBSCRIBE that waits for its answer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SubscribeRequest {
    packet_id: PacketId,
    filters: Filters<SubscribeOptions>,
    properties: PropertiesBuf,
}

impl SubscribeRequest {
    pub(super) fn new(subscribe: &Subscribe<'_>) -> Self {
        Self {
            packet_id: subscribe.packet_id,
            filters: Filters::collect(subscribe.filters.iter()),
            properties: kept(subscribe.properties),
        }
    }

    /// The Packet Identifier, which the answer repeats.
    #[must_use]
    pub const fn packet_id(&self) -> PacketId {
        self.packet_id
    }

    /// The filters in their order, each with its options. There is at least one.
    pub fn filters(&self) -> impl ExactSizeIterator<Item = (TopicFilter<'_>, SubscribeOptions)> {
        self.filters.iter()
    }

    /// The Subscription Identifier for all of the filters, to be sent back with their messages [v5 MQTT-3.3.4-3].
    #[must_use]
    pub fn subscription_id(&self) -> Option<SubscriptionId> {
        self.properties().subscription_identifiers().next()
    }

    /// Every property.
    #[must_use]
    pub const fn properties(&self) -> Properties<'_> {
        self.properties.as_properties()
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.filters.held_bytes() + self.properties.held_bytes()
    }
}

/// An UNSUBSCRIBE that waits for its answer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct UnsubscribeRequest {
    packet_id: PacketId,
    filters: Filters<()>,
    properties: PropertiesBuf,
}

impl UnsubscribeRequest {
    pub(super) fn new(unsubscribe: &Unsubscribe<'_>) -> Self {
        Self {
            packet_id: unsubscribe.packet_id,
            filters: Filters::collect(unsubscribe.filters.iter().map(|filter| (filter, ()))),
            properties: kept(unsubscribe.properties),
        }
    }

    /// The Packet Identifier, which the answer repeats.
    #[must_use]
    pub const fn packet_id(&self) -> PacketId {
        self.packet_id
    }

    /// The filters in their order. There is at least one.
    pub fn filters(&self) -> impl ExactSizeIterator<Item = TopicFilter<'_>> {
        self.filters.iter().map(|(filter, ())| filter)
    }

    /// Every property.
    #[must_use]
    pub const fn properties(&self) -> Properties<'_> {
        self.properties.as_properties()
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.filters.held_bytes() + self.properties.held_bytes()
    }
}

/// Why a request was not answered. Nothing was changed.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CompleteError {
    /// The request does not wait for an answer: it was answered, or its connection is over.
    #[error("the request does not wait for an answer")]
    NotPending,
    /// There must be one Reason Code for each filter [v5 MQTT-3.8.4-6, MQTT-3.11.3-1].
    #[error("{given} reason codes for {filters} filters")]
    WrongNumber {
        /// Filters in the request.
        filters: usize,
        /// Reason Codes in the answer.
        given: usize,
    },
    /// The answer cannot carry this Reason Code.
    #[error("the answer cannot carry {0}")]
    ReasonNotAllowed(ReasonCode),
    /// The properties cannot be written.
    #[error("the properties cannot be written")]
    Encode(#[from] EncodeError),
}

/// Requests that wait for the owner's answer, counted in number and in the bytes the owner was given to keep.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Requests {
    pending: BTreeMap<PacketId, Pending>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Pending {
    answer: PacketType,
    bytes: usize,
}

impl Requests {
    /// Notes a request that is to be answered by a packet of the type `answer`. `false` if its Packet Identifier belongs to
    /// one that waits.
    pub(super) fn insert(&mut self, answer: PacketType, packet_id: PacketId, bytes: usize) -> bool {
        let Entry::Vacant(entry) = self.pending.entry(packet_id) else {
            return false;
        };
        entry.insert(Pending { answer, bytes });
        self.bytes += bytes;
        true
    }

    pub(super) fn is_full(&self, limits: &ServerLimits) -> bool {
        // With a bound of zero nothing would ever move.
        self.pending.len() >= limits.max_pending_requests.max(1)
            || self.bytes >= limits.max_event_bytes.max(1)
    }

    /// Gives back memory that holds nothing.
    pub(super) fn release_unused(&mut self) {
        if self.pending.is_empty() {
            self.pending = BTreeMap::new();
        }
    }

    fn contains(&self, answer: PacketType, packet_id: PacketId) -> bool {
        self.pending
            .get(&packet_id)
            .is_some_and(|pending| pending.answer == answer)
    }

    fn remove(&mut self, packet_id: PacketId) {
        if let Some(pending) = self.pending.remove(&packet_id) {
            self.bytes -= pending.bytes;
        }
    }
}

impl Connection {
    /// Answers a SUBSCRIBE. `false` if the client can take no answer of this size.
    pub(super) fn complete_subscribe(
        &mut self,
        request: &SubscribeRequest,
        reasons: &[ReasonCode],
        properties: Properties<'_>,
    ) -> Result<bool, CompleteError> {
        let packet_type = PacketType::Suback;
        self.check_answer(
            packet_type,
            request.packet_id,
            request.filters.ends.len(),
            reasons,
        )?;
        let version = self.version();
        let reasons: Vec<_> = reasons
            .iter()
            .zip(request.filters())
            .map(|(reason, (_, options))| suback_code(version, *reason, options.qos))
            .collect();
        let reasons = ReasonCodes::new(&reasons);
        let suback = Suback {
            packet_id: request.packet_id,
            reasons,
            properties: self.wanted(properties),
        };
        let answer = encode(self.link.encoder(), &Packet::Suback(suback))?;
        Ok(self.complete(request.packet_id, answer))
    }

    /// Answers an UNSUBSCRIBE. `false` if the client can take no answer of this size.
    pub(super) fn complete_unsubscribe(
        &mut self,
        request: &UnsubscribeRequest,
        reasons: &[ReasonCode],
        properties: Properties<'_>,
    ) -> Result<bool, CompleteError> {
        let packet_type = PacketType::Unsuback;
        self.check_answer(
            packet_type,
            request.packet_id,
            request.filters.ends.len(),
            reasons,
        )?;
        // Those of 3.x carry no codes.
        let reasons = if self.version().is_v5() { reasons } else { &[] };
        let reasons = ReasonCodes::new(reasons);
        let unsuback = Unsuback {
            packet_id: request.packet_id,
            reasons,
            properties: self.wanted(properties),
        };
        let answer = encode(self.link.encoder(), &Packet::Unsuback(unsuback))?;
        Ok(self.complete(request.packet_id, answer))
    }

    /// Answers a request whose Packet Identifier is in use with 0x91 for each filter (v5 3.9.3, 3.11.3).
    pub(super) fn refuse_identifier_in_use(
        &mut self,
        packet_type: PacketType,
        packet_id: PacketId,
        filters: usize,
    ) {
        let reasons = alloc::vec![ReasonCode::PACKET_IDENTIFIER_IN_USE; filters];
        let reasons = ReasonCodes::new(&reasons);
        let properties = Properties::EMPTY;
        let answer = match packet_type {
            PacketType::Suback => Packet::Suback(Suback {
                packet_id,
                reasons,
                properties,
            }),
            _ => Packet::Unsuback(Unsuback {
                packet_id,
                reasons,
                properties,
            }),
        };
        // A client that takes no answer of this size gets none: its own request waits under this identifier.
        if let Ok(Some(answer)) = encode(self.link.encoder(), &answer) {
            self.link.answer(Answer::Encoded(answer));
        }
    }

    fn check_answer(
        &self,
        packet_type: PacketType,
        packet_id: PacketId,
        filters: usize,
        reasons: &[ReasonCode],
    ) -> Result<(), CompleteError> {
        if !self.requests.contains(packet_type, packet_id) {
            return Err(CompleteError::NotPending);
        }
        if reasons.len() != filters {
            return Err(CompleteError::WrongNumber {
                filters,
                given: reasons.len(),
            });
        }
        match reasons
            .iter()
            .find(|reason| !reason.allowed_in(packet_type, Role::Server))
        {
            Some(reason) => Err(CompleteError::ReasonNotAllowed(*reason)),
            None => Ok(()),
        }
    }

    /// The properties that the client's version has and that it did not decline [v5 MQTT-3.1.2-29].
    fn wanted<'p>(&self, properties: Properties<'p>) -> Properties<'p> {
        if !self.version().is_v5() {
            Properties::EMPTY
        } else if self.link.negotiated().request_problem_information {
            properties
        } else {
            properties
                .without(PropertyId::UserProperty)
                .without(PropertyId::ReasonString)
        }
    }

    fn complete(&mut self, packet_id: PacketId, answer: Option<Box<[u8]>>) -> bool {
        self.requests.remove(packet_id);
        let Some(answer) = answer else { return false };
        self.link.answer(Answer::Encoded(answer));
        true
    }
}

/// What SUBACK says of one filter: 3.1.1 has one code for every failure, and 3.1 has none, so that a refused filter looks
/// granted there.
const fn suback_code(version: ProtocolVersion, reason: ReasonCode, requested: QoS) -> ReasonCode {
    match version {
        ProtocolVersion::V5 => reason,
        _ if !reason.is_error() => reason,
        ProtocolVersion::V3_1_1 => ReasonCode::UNSPECIFIED_ERROR,
        ProtocolVersion::V3_1 => ReasonCode::new(requested.as_u8()),
    }
}
