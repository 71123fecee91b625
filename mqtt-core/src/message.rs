//! Message: what an application publishes, and what it keeps of a PUBLISH it received.
//!
//! A [`Publish`](crate::Publish) is a view of received bytes and ends with them. A [`Message`] is owned and cheap to
//! clone. It is not bound to a connection: it has no Packet Identifier and no Topic Alias.

use alloc::{sync::Arc, vec::Vec};
use core::{
    fmt,
    hash::{Hash, Hasher},
    iter,
};

use bytes::Bytes;

use crate::{
    error::EncodeError,
    packet::{Publish, Will},
    types::{PacketType, QoS, Role, SubscriptionId, TopicName},
    version::ProtocolVersion,
    wire::{
        LARGE_PAYLOAD, Properties, Property, PropertyHolder, PropertyId, Summary, Writer,
        var_int_len,
    },
};

const PUBLISH: PropertyHolder = PropertyHolder::Packet(PacketType::Publish);

/// Messages that answer more subscriptions of one client than this are rare, and need one more allocation.
const FEW_SUBSCRIPTIONS: usize = 8;

/// An Application Message: a topic, a payload, and how it is to be delivered (v5 and v311 1.2).
///
/// Cloning copies no bytes. A message with a payload under 4 KiB lives in one allocation; a larger payload is shared
/// with the [`Bytes`] it was made of. `Debug` shows the length of the payload, never its content.
#[derive(Clone)]
pub struct Message {
    /// Topic Name, then the properties as on the wire without their length, then the payload if it is small.
    head: Arc<[u8]>,
    /// The payload if it is large.
    large: Option<Bytes>,
    /// What is in the properties: it follows from their bytes.
    summary: Summary,
    topic_len: usize,
    properties_len: usize,
    qos: QoS,
    retain: bool,
}

/// A Will Message: what a server is to publish for a client whose connection ends without a normal DISCONNECT
/// (v5 and v311 3.1.2.5).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct WillMessage {
    /// What is published.
    pub message: Message,
    /// Will Delay Interval in seconds: how long the server waits for the client to come back first (v5 3.1.3.2.2).
    /// Always 0 in 3.x.
    pub delay: u32,
}

impl Message {
    /// A message to `topic`: QoS 0, not retained, without properties. An empty payload is allowed.
    #[must_use]
    pub fn new(topic: TopicName<'_>, payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        if payload.len() < LARGE_PAYLOAD {
            Self::assemble(topic, Properties::EMPTY, &payload, None)
        } else {
            Self::assemble(topic, Properties::EMPTY, &[], Some(payload))
        }
    }

    /// The same message at another Quality of Service.
    #[must_use]
    pub fn with_qos(self, qos: QoS) -> Self {
        Self { qos, ..self }
    }

    /// The same message with the RETAIN flag set or not (v5 and v311 3.3.1.3).
    #[must_use]
    pub fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }

    /// The same message with these properties in place of its own (5.0 only: sending them in 3.x fails).
    ///
    /// # Errors
    /// Whatever makes a PUBLISH impossible to write, and a Topic Alias or a Subscription Identifier, which are not the
    /// application's to set: one belongs to a connection, the other to a delivery.
    pub fn with_properties(self, properties: &[Property<'_>]) -> Result<Self, EncodeError> {
        let properties = Properties::new(properties);
        properties.check(PUBLISH, Role::Client)?;
        if properties.contains(PropertyId::TopicAlias) {
            return Err(EncodeError::PropertyNotAllowed {
                property: PropertyId::TopicAlias,
                holder: PUBLISH,
            });
        }
        // The lengths of names and texts were checked when they were made, those of Binary Data just now.
        Ok(self.replace_properties(properties))
    }

    /// The same message with these Subscription Identifiers in place of its own: those of the subscriptions that one
    /// delivery answers [v5 MQTT-3.3.4-3, MQTT-3.3.4-4]. Only a server may send them.
    #[must_use]
    pub fn with_subscription_ids(self, ids: &[SubscriptionId]) -> Self {
        if ids.is_empty()
            || self
                .properties()
                .contains(PropertyId::SubscriptionIdentifier)
        {
            let message = self.without_subscription_ids();
            return if ids.is_empty() {
                message
            } else {
                message.with_subscription_ids(ids)
            };
        }
        let mut few = [Property::SubscriptionIdentifier(SubscriptionId::MAX); FEW_SUBSCRIPTIONS];
        let many: Vec<_>;
        let items = if let Some(items) = few.get_mut(..ids.len()) {
            for (item, id) in items.iter_mut().zip(ids) {
                *item = Property::SubscriptionIdentifier(*id);
            }
            &*items
        } else {
            many = ids
                .iter()
                .copied()
                .map(Property::SubscriptionIdentifier)
                .collect();
            &many
        };
        self.replace_properties(self.properties().followed_by(items))
    }

    /// The same message without the Subscription Identifiers it was received with, which a client must not send on
    /// [v5 MQTT-3.3.4-6].
    #[must_use]
    pub fn without_subscription_ids(self) -> Self {
        if self
            .properties()
            .contains(PropertyId::SubscriptionIdentifier)
        {
            self.replace_properties(
                self.properties()
                    .without(PropertyId::SubscriptionIdentifier),
            )
        } else {
            self
        }
    }

    /// The Topic Name.
    #[must_use]
    pub fn topic(&self) -> TopicName<'_> {
        let topic = self.head.get(..self.topic_len).unwrap_or_default();
        // It was a Topic Name when the message was made, and nothing writes to it afterwards.
        TopicName::from_checked(core::str::from_utf8(topic).unwrap_or_default())
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match &self.large {
            Some(payload) => payload,
            None => self.head.get(self.properties_end()..).unwrap_or_default(),
        }
    }

    /// The payload as shared bytes: one under 4 KiB is copied, a larger one is not.
    #[must_use]
    pub fn payload_bytes(&self) -> Bytes {
        match &self.large {
            Some(payload) => payload.clone(),
            None => Bytes::copy_from_slice(self.payload()),
        }
    }

    /// The same message with a payload that shares memory with nothing but its clones.
    ///
    /// A large payload that was received is a slice of the bytes it came in, and keeps all of them. Whoever keeps it for
    /// long and counts what it holds copies it out first.
    #[must_use]
    pub fn detached(self) -> Self {
        let large = self.large.map(|payload| Bytes::copy_from_slice(&payload));
        Self { large, ..self }
    }

    /// The properties, in the order in which they were set or received.
    #[must_use]
    pub fn properties(&self) -> Properties<'_> {
        let bytes = self.head.get(self.topic_len..self.properties_end());
        Properties::from_checked(bytes.unwrap_or_default(), self.summary)
    }

    /// The Quality of Service at which it is published, or was received.
    #[must_use]
    pub const fn qos(&self) -> QoS {
        self.qos
    }

    /// The RETAIN flag.
    #[must_use]
    pub const fn retain(&self) -> bool {
        self.retain
    }

    /// Bytes of memory this message holds, itself included. Clones share what is outside of it, and it is counted for
    /// each of them.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        // The reference counts stand before the shared bytes.
        size_of::<Self>()
            + 2 * size_of::<usize>()
            + self.head.len()
            + self.large.as_ref().map_or(0, Bytes::len)
    }

    /// Bytes that a PUBLISH of this message takes, fixed header included, as a peer's Maximum Packet Size counts them
    /// (v5 3.1.2.11.4). In 3.x the properties are not written.
    #[must_use]
    pub fn publish_len(&self, version: ProtocolVersion) -> usize {
        let packet_id = if self.qos == QoS::AtMostOnce { 0 } else { 2 };
        let prefixed = |len| var_int_len(len) + len;
        let properties = if version.is_v5() {
            prefixed(self.properties_len)
        } else {
            0
        };
        1 + prefixed(2 + self.topic_len + packet_id + properties + self.payload().len())
    }

    /// What is kept of a received PUBLISH to `topic`, which its Topic Alias may have named. With `frame`, the bytes
    /// that `publish` is a view of, a large payload is kept as a slice of them; otherwise it is copied.
    pub(crate) fn from_publish(
        publish: &Publish<'_>,
        topic: TopicName<'_>,
        frame: Option<&Bytes>,
    ) -> Self {
        let properties = publish.properties.without(PropertyId::TopicAlias);
        let payload = publish.payload;
        let message = if payload.len() < LARGE_PAYLOAD {
            Self::assemble(topic, properties, payload, None)
        } else {
            let payload = frame.map_or_else(
                || Bytes::copy_from_slice(payload),
                |frame| frame.slice_ref(payload),
            );
            Self::assemble(topic, properties, &[], Some(payload))
        };
        Self {
            qos: publish.delivery.qos(),
            retain: publish.retain,
            ..message
        }
    }

    /// The payload where it is large enough to be sent by reference.
    pub(crate) const fn large_payload(&self) -> Option<&Bytes> {
        self.large.as_ref()
    }

    fn replace_properties(&self, properties: Properties<'_>) -> Self {
        let small = if self.large.is_some() {
            &[]
        } else {
            self.payload()
        };
        let message = Self::assemble(self.topic(), properties, small, self.large.clone());
        Self {
            qos: self.qos,
            retain: self.retain,
            ..message
        }
    }

    fn assemble(
        topic: TopicName<'_>,
        properties: Properties<'_>,
        small: &[u8],
        large: Option<Bytes>,
    ) -> Self {
        let topic = topic.as_str().as_bytes();
        let len = topic.len() + properties.wire_len() + small.len();
        // Filled in place, because making it of a Vec would be a second allocation.
        let mut head: Arc<[u8]> = iter::repeat_n(0, len).collect();
        let writer = Writer::new(Arc::get_mut(&mut head).unwrap_or_default()).bytes(topic);
        let writer = properties.write(writer).bytes(small);
        debug_assert!(writer.is_full(), "measured before");
        Self {
            head,
            large,
            summary: properties.summary(),
            topic_len: topic.len(),
            properties_len: properties.wire_len(),
            qos: QoS::AtMostOnce,
            retain: false,
        }
    }

    const fn properties_end(&self) -> usize {
        self.topic_len + self.properties_len
    }

    /// Everything by which two messages differ.
    fn identity(&self) -> (&[u8], Option<&Bytes>, usize, usize, QoS, bool) {
        (
            &self.head,
            self.large.as_ref(),
            self.topic_len,
            self.properties_len,
            self.qos,
            self.retain,
        )
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Message {}

impl Hash for Message {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic())
            .field("payload_len", &self.payload().len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("properties", &self.properties())
            .finish()
    }
}

impl WillMessage {
    /// What is kept of the Will of a CONNECT.
    pub(crate) fn from_will(will: &Will<'_>) -> Self {
        let properties = will.properties.without(PropertyId::WillDelayInterval);
        let payload = will.payload;
        let message = if payload.len() < LARGE_PAYLOAD {
            Message::assemble(will.topic, properties, payload, None)
        } else {
            Message::assemble(
                will.topic,
                properties,
                &[],
                Some(Bytes::copy_from_slice(payload)),
            )
        };
        Self {
            message: Message {
                qos: will.qos,
                retain: will.retain,
                ..message
            },
            delay: will.properties.will_delay_interval().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;
    use crate::{
        packet::Delivery,
        types::{PacketId, TopicAlias, Utf8},
    };

    fn topic(text: &str) -> TopicName<'_> {
        TopicName::new(text).unwrap()
    }

    fn subscription_id(number: u32) -> SubscriptionId {
        SubscriptionId::new(number).unwrap()
    }

    fn publish<'a>(payload: &'a [u8], properties: Properties<'a>) -> Publish<'a> {
        Publish {
            dup: true,
            retain: true,
            delivery: Delivery::ExactlyOnce(PacketId::MIN),
            topic: None,
            payload,
            properties,
        }
    }

    #[test]
    fn a_new_message_has_what_it_was_given() {
        let message = Message::new(topic("a/ü"), &b"payload"[..]);
        assert_eq!(message.topic(), topic("a/ü"));
        assert_eq!(message.payload(), b"payload");
        assert_eq!(message.payload_bytes(), &b"payload"[..]);
        assert_eq!((message.qos(), message.retain()), (QoS::AtMostOnce, false));
        assert!(message.properties().is_empty());
        let message = message.with_qos(QoS::AtLeastOnce).with_retain(true);
        assert_eq!((message.qos(), message.retain()), (QoS::AtLeastOnce, true));
    }

    #[test]
    fn a_large_payload_is_shared_and_a_small_one_copied() {
        let large = Bytes::from(vec![7; LARGE_PAYLOAD]);
        let message = Message::new(topic("a"), large.clone());
        assert_eq!(message.payload().as_ptr(), large.as_ptr());
        assert_eq!(message.payload_bytes().as_ptr(), large.as_ptr());
        let small = Bytes::from(vec![7; LARGE_PAYLOAD - 1]);
        let message = Message::new(topic("a"), small.clone());
        assert_eq!(message.payload(), small);
        assert_ne!(message.payload().as_ptr(), small.as_ptr());
    }

    #[test]
    fn properties_are_replaced_and_the_rest_stays() {
        for payload in [vec![1; 3], vec![2; LARGE_PAYLOAD]] {
            let message = Message::new(topic("a"), payload.clone())
                .with_qos(QoS::AtLeastOnce)
                .with_retain(true);
            let text = Utf8::new("text").unwrap();
            let message = message
                .with_properties(&[Property::MessageExpiryInterval(9)])
                .unwrap()
                .with_properties(&[
                    Property::ContentType(text),
                    Property::UserProperty(text, text),
                ])
                .unwrap();
            assert_eq!(message.properties().content_type(), Some(text));
            assert_eq!(message.properties().message_expiry_interval(), None);
            assert_eq!(message.properties().len(), 2);
            assert_eq!(
                (message.topic(), message.payload()),
                (topic("a"), &payload[..])
            );
            assert_eq!((message.qos(), message.retain()), (QoS::AtLeastOnce, true));
        }
    }

    #[test]
    fn properties_that_are_not_the_applications_are_refused() {
        let message = Message::new(topic("a"), &b""[..]);
        for property in [
            Property::TopicAlias(TopicAlias::new(1).unwrap()),
            Property::SubscriptionIdentifier(subscription_id(1)),
            Property::ServerReference(Utf8::EMPTY),
        ] {
            assert!(
                message.clone().with_properties(&[property]).is_err(),
                "{property:?}"
            );
        }
        let twice = [
            Property::MessageExpiryInterval(1),
            Property::MessageExpiryInterval(1),
        ];
        assert!(message.clone().with_properties(&twice).is_err());
        let long = vec![0; 65_536];
        assert!(
            message
                .with_properties(&[Property::CorrelationData(&long)])
                .is_err()
        );
    }

    #[test]
    fn subscription_ids_are_those_of_one_delivery() {
        let message = Message::new(topic("a"), &b"x"[..])
            .with_properties(&[Property::MessageExpiryInterval(9)])
            .unwrap();
        let first = message
            .clone()
            .with_subscription_ids(&[subscription_id(1), subscription_id(300)]);
        assert!(
            first
                .properties()
                .subscription_identifiers()
                .eq([subscription_id(1), subscription_id(300)])
        );
        assert_eq!(first.properties().message_expiry_interval(), Some(9));
        let second = first.with_subscription_ids(&[subscription_id(2)]);
        assert!(
            second
                .properties()
                .subscription_identifiers()
                .eq([subscription_id(2)])
        );
        assert_eq!(second.clone().without_subscription_ids(), message);
        assert_eq!(second.with_subscription_ids(&[]), message);
    }

    #[test]
    fn more_subscription_ids_than_a_few_are_kept_too() {
        let ids: Vec<_> = (1..=20)
            .map(|number| subscription_id(number * 100))
            .collect();
        for count in [7, 8, 9, 20] {
            let message = Message::new(topic("a"), &b"x"[..]).with_subscription_ids(&ids[..count]);
            assert!(
                message
                    .properties()
                    .subscription_identifiers()
                    .eq(ids[..count].iter().copied())
            );
            assert_eq!(message.payload(), b"x");
        }
    }

    #[test]
    fn a_received_publish_loses_its_topic_alias_and_nothing_else() {
        let items = [
            Property::TopicAlias(TopicAlias::new(3).unwrap()),
            Property::SubscriptionIdentifier(subscription_id(5)),
            Property::MessageExpiryInterval(9),
        ];
        let received =
            Message::from_publish(&publish(b"x", Properties::new(&items)), topic("a"), None);
        assert!(received.properties().iter().eq(items[1..].iter().copied()));
        assert_eq!(
            (received.topic(), received.payload()),
            (topic("a"), &b"x"[..])
        );
        assert_eq!(
            (received.qos(), received.retain()),
            (QoS::ExactlyOnce, true)
        );
    }

    #[test]
    fn a_large_received_payload_is_a_slice_of_its_frame() {
        let frame = Bytes::from(vec![7; LARGE_PAYLOAD + 10]);
        let large = Message::from_publish(
            &publish(&frame[10..], Properties::EMPTY),
            topic("a"),
            Some(&frame),
        );
        assert_eq!(large.payload().as_ptr(), frame[10..].as_ptr());
        let copied =
            Message::from_publish(&publish(&frame[10..], Properties::EMPTY), topic("a"), None);
        assert_ne!(copied.payload().as_ptr(), frame[10..].as_ptr());
        assert_eq!(large, copied);
    }

    #[test]
    fn publish_len_is_the_whole_packet() {
        // 30 04 00 01 'a' 'x' and, in 5.0, 30 05 00 01 'a' 00 'x'; two more with a Packet Identifier.
        let message = Message::new(topic("a"), &b"x"[..]);
        assert_eq!(message.publish_len(ProtocolVersion::V3_1_1), 6);
        assert_eq!(message.publish_len(ProtocolVersion::V5), 7);
        let message = message.with_qos(QoS::ExactlyOnce);
        assert_eq!(message.publish_len(ProtocolVersion::V5), 9);
        // 02 and four bytes more.
        let message = message
            .with_properties(&[Property::MessageExpiryInterval(9)])
            .unwrap();
        assert_eq!(message.publish_len(ProtocolVersion::V5), 14);
        assert_eq!(message.publish_len(ProtocolVersion::V3_1_1), 8);
        // A Remaining Length of 128 takes two bytes.
        let message = Message::new(topic("a"), vec![0; 125]);
        assert_eq!(message.publish_len(ProtocolVersion::V3_1_1), 131);
    }

    #[test]
    fn equal_messages_are_equal_however_they_were_made() {
        let new = Message::new(topic("ab"), &b"c"[..]);
        assert_eq!(new, Message::new(topic("ab"), vec![b'c']));
        assert_ne!(new, Message::new(topic("a"), &b"bc"[..]));
        assert_ne!(new, new.clone().with_qos(QoS::AtLeastOnce));
    }

    #[test]
    fn a_detached_payload_keeps_nothing_else() {
        let received = Bytes::from(vec![7; 10 * LARGE_PAYLOAD]);
        let message = Message::new(topic("a"), received.slice(..LARGE_PAYLOAD));
        drop(received);
        let detached = message.clone().detached();
        assert_eq!(detached, message);
        assert_ne!(detached.payload().as_ptr(), message.payload().as_ptr());
        assert_eq!(
            detached.clone().payload().as_ptr(),
            detached.payload().as_ptr()
        );
    }

    #[test]
    fn held_bytes_counts_what_is_outside_too() {
        let empty = Message::new(topic("a"), &b""[..]).held_bytes();
        assert!(empty > size_of::<Message>());
        assert_eq!(
            Message::new(topic("abc"), vec![0; 10]).held_bytes(),
            empty + 12
        );
        assert_eq!(
            Message::new(topic("a"), vec![0; 10_000]).held_bytes(),
            empty + 10_000
        );
    }

    #[test]
    fn debug_shows_no_payload() {
        let shown = format!("{:?}", Message::new(topic("topic"), &b"secret"[..]));
        assert!(
            shown.contains("topic") && shown.contains('6') && !shown.contains("secret"),
            "{shown}"
        );
    }
}
