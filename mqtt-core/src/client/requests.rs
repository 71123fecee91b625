//! SUBSCRIBE and UNSUBSCRIBE packets that wait for their answer.

use alloc::{boxed::Box, collections::BTreeMap, vec};

use super::event::{Event, ProtocolError, RequestId};
use crate::{
    error::EncodeError,
    flow::{Negotiated, kept},
    packet::{Suback, Unsuback},
    types::{PacketId, PacketType, ReasonCode, SubscribeOptions, TopicFilter},
    wire::{Properties, PropertyId},
};

/// Why a `subscribe` or `unsubscribe` was not taken. Nothing was changed.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// There is no connection that the server accepted.
    #[error("not connected")]
    NotConnected,
    /// There is nothing to ask for [v5 MQTT-3.8.3-2, v311 MQTT-3.8.3-3].
    #[error("no topic filter was given")]
    NoFilter,
    /// As many requests as allowed wait for their answer.
    #[error("{limit} requests are waiting for an answer already")]
    TooManyRequests {
        /// The most that may wait.
        limit: usize,
    },
    /// All Packet Identifiers are in use.
    #[error("all packet identifiers are in use")]
    NoPacketId,
    /// The server takes no wildcards (v5 3.2.2.3.11).
    #[error("the server takes no wildcards")]
    WildcardNotSupported,
    /// The server takes no shared subscriptions (v5 3.2.2.3.13), or the version has none.
    #[error("the server takes no shared subscriptions")]
    SharedNotSupported,
    /// The server takes no Subscription Identifiers (v5 3.2.2.3.12), or the version has none.
    #[error("the server takes no subscription identifiers")]
    SubscriptionIdNotSupported,
    /// The request cannot be written as a packet that the server takes: it is too large, or has properties that do not belong
    /// there or that the version does not have.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Request {
    id: RequestId,
    /// SUBSCRIBE or UNSUBSCRIBE.
    packet_type: PacketType,
    filters: usize,
}

/// See the module. It is empty while there is no connection: these exchanges are not session state.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Requests {
    waiting: BTreeMap<PacketId, Request>,
    next_id: u64,
}

impl Requests {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Notes a request that will be sent under this identifier.
    pub(super) fn insert(
        &mut self,
        packet_id: PacketId,
        packet_type: PacketType,
        filters: usize,
    ) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.waiting.insert(
            packet_id,
            Request {
                id,
                packet_type,
                filters,
            },
        );
        id
    }

    /// The connection is over: no answer will come. Gives the identifiers to be freed.
    pub(super) fn clear(&mut self, mut free: impl FnMut(PacketId)) {
        while let Some((packet_id, _)) = self.waiting.pop_first() {
            free(packet_id);
        }
    }

    /// A SUBACK. One that names no request is tolerated: it completes nothing.
    pub(super) fn handle_suback(
        &mut self,
        suback: &Suback<'_>,
    ) -> Result<Option<Event>, ProtocolError> {
        let reasons: Box<[ReasonCode]> = suback.reasons.iter().collect();
        let Some(id) = self.complete(suback.packet_id, PacketType::Suback, reasons.len())? else {
            return Ok(None);
        };
        Ok(Some(Event::Subscribed {
            id,
            reasons,
            properties: kept(suback.properties),
        }))
    }

    /// An UNSUBACK. `has_reasons`: the version gives it Reason Codes.
    pub(super) fn handle_unsuback(
        &mut self,
        unsuback: &Unsuback<'_>,
        has_reasons: bool,
    ) -> Result<Option<Event>, ProtocolError> {
        let reasons: Box<[ReasonCode]> = if has_reasons {
            unsuback.reasons.iter().collect()
        } else {
            let filters = self
                .waiting
                .get(&unsuback.packet_id)
                .map_or(0, |request| request.filters);
            vec![ReasonCode::SUCCESS; filters].into_boxed_slice()
        };
        let Some(id) = self.complete(unsuback.packet_id, PacketType::Unsuback, reasons.len())?
        else {
            return Ok(None);
        };
        Ok(Some(Event::Unsubscribed {
            id,
            reasons,
            properties: kept(unsuback.properties),
        }))
    }

    fn complete(
        &mut self,
        packet_id: PacketId,
        answer: PacketType,
        received: usize,
    ) -> Result<Option<RequestId>, ProtocolError> {
        let Some(request) = self.waiting.get(&packet_id) else {
            return Ok(None);
        };
        if (request.packet_type == PacketType::Subscribe) != (answer == PacketType::Suback) {
            return Err(ProtocolError::WrongAnswer {
                packet_type: answer,
                packet_id,
            });
        }
        if received != request.filters {
            return Err(ProtocolError::ReasonCodeCount {
                expected: request.filters,
                received,
            });
        }
        let id = request.id;
        self.waiting.remove(&packet_id);
        Ok(Some(id))
    }
}

/// Whether the server takes such a SUBSCRIBE.
pub(super) fn check(
    negotiated: &Negotiated,
    filters: &[(TopicFilter<'_>, SubscribeOptions)],
    properties: &Properties<'_>,
) -> Result<(), SubscribeError> {
    if properties.contains(PropertyId::SubscriptionIdentifier)
        && !negotiated.subscription_identifiers_available
    {
        return Err(SubscribeError::SubscriptionIdNotSupported);
    }
    for (filter, _) in filters {
        if filter.has_wildcard() && !negotiated.wildcard_subscription_available {
            return Err(SubscribeError::WildcardNotSupported);
        }
        // In 3.x a filter that begins with `$share/` is an ordinary one to the standard, and some servers share it.
        if negotiated.version.is_v5()
            && !negotiated.shared_subscription_available
            && matches!(filter.shared(), Ok(Some(_)))
        {
            return Err(SubscribeError::SharedNotSupported);
        }
    }
    Ok(())
}
