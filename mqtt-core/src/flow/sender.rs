//! Writing a message as a PUBLISH for one connection: what the peer allows, and what changes on the way.

use alloc::vec::Vec;

use super::{
    negotiated::Negotiated, outbound::PublishError, queue::Outgoing, topic_aliases::OutboundAliases,
};
use crate::{
    encoder::Encoder,
    error::EncodeError,
    message::Message,
    packet::{Delivery, Packet, Publish},
    time::Instant,
    types::{PacketId, QoS, Role},
    wire::{Output, Properties, Property, PropertyId},
};

/// How one connection writes PUBLISH packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    /// Our own role.
    pub(crate) role: Role,
    pub(crate) negotiated: &'a Negotiated,
}

impl Sender<'_> {
    /// The encoder for this connection.
    pub(crate) fn encoder(self) -> Encoder {
        Encoder {
            version: self.negotiated.version,
            sender: self.role,
            maximum_packet_size: self.negotiated.peer_maximum_packet_size,
        }
    }

    /// Whether the peer takes this message at all; its size is checked when it is written.
    pub(crate) fn check(self, message: &Message) -> Result<(), PublishError> {
        if self.role == Role::Server {
            return Ok(());
        }
        let maximum = self.negotiated.maximum_qos;
        if message.qos() > maximum {
            return Err(PublishError::QosNotSupported { maximum });
        }
        if message.retain() && !self.negotiated.retain_available {
            return Err(PublishError::RetainNotSupported);
        }
        for property in message.properties().iter() {
            match property.id() {
                PropertyId::SubscriptionIdentifier => {
                    return Err(PublishError::SubscriptionIdentifier);
                }
                PropertyId::MessageExpiryInterval => {}
                _ if !self.negotiated.version.is_v5() => {
                    return Err(PublishError::PropertiesNotSupported);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the peer takes a message of this size.
    pub(crate) fn check_size(self, message: &Message) -> Result<(), PublishError> {
        let size = message.publish_len(self.negotiated.version);
        match self.negotiated.peer_maximum_packet_size {
            Some(limit) if size > limit.get() as usize => Err(EncodeError::PacketTooLarge {
                size,
                limit: limit.get(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Appends the PUBLISH. After an error nothing was appended.
    pub(crate) fn write(
        self,
        now: Instant,
        outgoing: &Outgoing,
        packet_id: Option<PacketId>,
        dup: bool,
        aliases: &mut OutboundAliases,
        output: &mut Output,
    ) -> Result<(), PublishError> {
        let message = &outgoing.message;
        self.check(message)?;
        let delivery = match (message.qos(), packet_id) {
            (QoS::AtLeastOnce, Some(packet_id)) => Delivery::AtLeastOnce(packet_id),
            (QoS::ExactlyOnce, Some(packet_id)) => Delivery::ExactlyOnce(packet_id),
            _ => Delivery::AtMostOnce,
        };
        let changed = self.changed_properties(now, outgoing);
        let publish = Publish {
            dup,
            retain: message.retain(),
            delivery,
            topic: Some(message.topic()),
            payload: message.payload(),
            properties: match &changed {
                Some(list) => Properties::new(list),
                None => message.properties(),
            },
        };
        if let Some(chosen) = aliases.choose(message.topic()) {
            let with_alias = [Property::TopicAlias(chosen.alias)];
            let list: Vec<_>;
            let properties = match &changed {
                Some(changed) => {
                    list = changed.iter().copied().chain(with_alias).collect();
                    Properties::new(&list)
                }
                None => message.properties().followed_by(&with_alias),
            };
            let aliased = Publish {
                topic: publish.topic.filter(|_| !chosen.is_known),
                properties,
                ..publish
            };
            // The topic together with a new alias may be too much for the peer's Maximum Packet Size.
            if self.encode(message, aliased, output).is_ok() {
                aliases.used(message.topic(), chosen);
                return Ok(());
            }
        }
        Ok(self.encode(message, publish, output)?)
    }

    fn encode(
        self,
        message: &Message,
        publish: Publish<'_>,
        output: &mut Output,
    ) -> Result<(), EncodeError> {
        match message.large_payload() {
            Some(payload) => self
                .encoder()
                .encode_with_payload(&publish, payload, output),
            None => self.encoder().encode(&Packet::Publish(publish), output),
        }
    }

    /// The properties as they are to be written, where that is not as they are: 3.x has none, and the time a message spent
    /// here counts against its Message Expiry Interval (v5 3.3.2.3.3).
    fn changed_properties<'m>(
        self,
        now: Instant,
        outgoing: &'m Outgoing,
    ) -> Option<Vec<Property<'m>>> {
        let properties = outgoing.message.properties();
        if !self.negotiated.version.is_v5() {
            return (!properties.is_empty()).then(Vec::new);
        }
        // A resent message is never given up for its age, so its time may be over; some receivers take 0 for "never".
        let left = outgoing.seconds_left(now)?.max(1);
        if properties.message_expiry_interval() == Some(left) {
            return None;
        }
        let changed = properties.iter().map(|property| match property {
            Property::MessageExpiryInterval(_) => Property::MessageExpiryInterval(left),
            other => other,
        });
        Some(changed.collect())
    }
}
