//! Lists of properties: over checked bytes, over a caller's slice, or both.

use core::hash::{Hash, Hasher};

use crate::{
    error::{DecodeError, EncodeError},
    types::{
        KeepAlive, MaximumPacketSize, QoS, ReceiveMaximum, Role, SessionExpiry, SubscriptionId,
        TopicAlias, TopicName, Utf8,
    },
    wire::{
        Checked, PayloadFormat, Property, PropertyHolder, PropertyId, Reader, Summary, TextRules,
        Writer, list_traits, summary::Seen,
    },
};

/// A list of properties (v5 2.2.2), to be looked through or to be encoded.
///
/// The list of a decoded packet is a view of its bytes, which were checked once; it keeps their order and is encoded
/// byte for byte as it was received. A list of one's own is a view of a slice: `Properties::new(&[...])`. Whether the
/// properties suit a packet is checked when that packet is encoded.
#[derive(Clone, Copy)]
pub struct Properties<'a> {
    /// Checked bytes, which come before `items`.
    wire: &'a [u8],
    items: &'a [Property<'a>],
    summary: Summary,
    /// Bytes of both on the wire, without the Property Length.
    wire_len: usize,
}

impl<'a> Properties<'a> {
    /// The list without properties, the only one that packets of 3.x can have.
    pub const EMPTY: Self = Properties {
        wire: &[],
        items: &[],
        summary: Summary::EMPTY,
        wire_len: 0,
    };

    /// The list of `items`, in their order.
    #[must_use]
    pub fn new(items: &'a [Property<'a>]) -> Self {
        Self::EMPTY.followed_by(items)
    }

    /// This list, which must be bytes alone, and after it `items`.
    pub(crate) fn followed_by(self, items: &'a [Property<'a>]) -> Self {
        // It has place for one list of items. What was taken out would come back if the items brought its identifier.
        debug_assert!(self.as_wire().is_some(), "only whole lists of bytes go on");
        let mut list = Properties {
            items,
            wire_len: self.wire.len(),
            ..self
        };
        for item in items {
            list.summary.add(item);
            list.wire_len = list.wire_len.saturating_add(item.wire_len());
        }
        list
    }

    /// Reads Property Length and properties, and checks everything that does not depend on the state of the connection.
    ///
    /// Each byte is looked at once: what must not be there, or not again, shows in one bit for each identifier.
    #[inline(always)]
    pub(crate) fn read(
        reader: &mut Reader<'a>,
        holder: PropertyHolder,
        sender: Role,
    ) -> Result<Self, DecodeError> {
        let wire = reader.block()?;
        // Most lists are empty.
        if wire.is_empty() {
            return Ok(Self::EMPTY);
        }
        Ok(Self::from_checked(
            wire,
            check(wire, reader.rules(), holder, sender)?,
        ))
    }

    /// A list over bytes that were checked, or that [`Properties::write`] wrote.
    pub(crate) const fn from_checked(wire: &'a [u8], summary: Summary) -> Self {
        Properties {
            wire,
            items: &[],
            summary,
            wire_len: wire.len(),
        }
    }

    pub(crate) const fn summary(&self) -> Summary {
        // What is appended is written anew, so nothing in it is hidden.
        self.summary.unfiltered()
    }

    /// The properties in their order. User Properties keep theirs [v5 MQTT-3.3.2-18].
    #[must_use]
    #[inline]
    pub const fn iter(&self) -> PropertiesIter<'a> {
        PropertiesIter {
            wire: Reader::new(self.wire, Checked),
            items: self.items,
            summary: self.summary,
        }
    }

    /// Whether there are no properties.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.wire_len == 0
    }

    /// How many properties there are. Counts them, since that number is not on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Bytes on the wire without the Property Length; the largest number there is if that does not fit.
    #[must_use]
    pub const fn wire_len(&self) -> usize {
        self.wire_len
    }

    /// Whether there is at least one property with this identifier. Does not go through the list.
    #[must_use]
    pub const fn contains(&self, id: PropertyId) -> bool {
        self.summary.has(id)
    }

    /// The first property with this identifier.
    #[must_use]
    pub fn find(&self, id: PropertyId) -> Option<Property<'a>> {
        if self.contains(id) {
            self.iter().find(|property| property.id() == id)
        } else {
            None
        }
    }

    /// This list without the properties that have this identifier.
    #[must_use]
    pub fn without(self, id: PropertyId) -> Self {
        if !self.contains(id) {
            return self;
        }
        let mut list = self;
        list.summary.hide(id);
        // The summary is made anew from what is left, since a part of it may be about what was taken out.
        let mut summary = Summary::FILTERED;
        list.wire_len = 0;
        for property in list.iter() {
            summary.add(&property);
            list.wire_len = list.wire_len.saturating_add(property.wire_len());
        }
        list.summary = summary;
        list
    }

    /// The User Properties, in their order.
    pub fn user_properties(&self) -> impl Iterator<Item = (Utf8<'a>, Utf8<'a>)> + use<'a> {
        self.iter().filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }

    /// The Subscription Identifiers, of which a PUBLISH has one for each subscription that it is for [v5 MQTT-3.3.4-4].
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = SubscriptionId> + use<'a> {
        self.iter().filter_map(|property| match property {
            Property::SubscriptionIdentifier(id) => Some(id),
            _ => None,
        })
    }
}

macro_rules! accessors {
    ($($name:ident $variant:ident $type:ty, $text:literal;)*) => {
        impl<'a> Properties<'a> {
            $(
                #[doc = $text]
                #[must_use]
                pub fn $name(&self) -> Option<$type> {
                    match self.find(PropertyId::$variant) {
                        Some(Property::$variant(value)) => Some(value),
                        _ => None,
                    }
                }
            )*
        }
    };
}

accessors! {
    payload_format PayloadFormatIndicator PayloadFormat, "The Payload Format Indicator, if there is one.";
    message_expiry_interval MessageExpiryInterval u32, "The Message Expiry Interval in seconds, if there is one.";
    content_type ContentType Utf8<'a>, "The Content Type, if there is one.";
    response_topic ResponseTopic TopicName<'a>, "The Response Topic, if there is one.";
    correlation_data CorrelationData &'a [u8], "The Correlation Data, if there is some.";
    session_expiry_interval SessionExpiryInterval SessionExpiry, "The Session Expiry Interval, if there is one.";
    assigned_client_identifier AssignedClientIdentifier Utf8<'a>, "The Assigned Client Identifier, if there is one.";
    server_keep_alive ServerKeepAlive KeepAlive, "The Server Keep Alive, if there is one.";
    authentication_method AuthenticationMethod Utf8<'a>, "The Authentication Method, if there is one.";
    authentication_data AuthenticationData &'a [u8], "The Authentication Data, if there is some.";
    request_problem_information RequestProblemInformation bool, "The Request Problem Information flag, if given.";
    will_delay_interval WillDelayInterval u32, "The Will Delay Interval in seconds, if there is one.";
    request_response_information RequestResponseInformation bool, "The Request Response Information flag, if given.";
    response_information ResponseInformation Utf8<'a>, "The Response Information, if there is some.";
    server_reference ServerReference Utf8<'a>, "The Server Reference, if there is one.";
    reason_string ReasonString Utf8<'a>, "The Reason String, if there is one.";
    receive_maximum ReceiveMaximum ReceiveMaximum, "The Receive Maximum, if there is one.";
    topic_alias_maximum TopicAliasMaximum u16, "The Topic Alias Maximum, if there is one.";
    topic_alias TopicAlias TopicAlias, "The Topic Alias, if there is one.";
    maximum_qos MaximumQoS QoS, "The Maximum QoS, if there is one.";
    retain_available RetainAvailable bool, "The Retain Available flag, if given.";
    maximum_packet_size MaximumPacketSize MaximumPacketSize, "The Maximum Packet Size, if there is one.";
    wildcard_subscription_available WildcardSubscriptionAvailable bool,
        "The Wildcard Subscription Available flag, if given.";
    subscription_identifier_available SubscriptionIdentifierAvailable bool,
        "The Subscription Identifier Available flag, if given.";
    shared_subscription_available SharedSubscriptionAvailable bool,
        "The Shared Subscription Available flag, if given.";
}

impl Properties<'_> {
    /// Checks that `sender` may write this list into `holder` (v5 2.2.2.2). Whatever writes properties does so by itself; this
    /// is for those who want to know before.
    ///
    /// # Errors
    /// - [`EncodeError::PropertyNotAllowed`], [`EncodeError::PropertyFromWrongSender`]: a property does not belong there.
    /// - [`EncodeError::PropertyRepeated`]: one is there twice, and may not be.
    /// - [`EncodeError::PropertyValue`]: one has a value without a wire form.
    pub fn check(&self, holder: PropertyHolder, sender: Role) -> Result<(), EncodeError> {
        if self.is_empty() || self.summary.suits(holder, sender) {
            Ok(())
        } else {
            self.find_fault(holder, sender)
        }
    }

    /// Going through the list is needed only if something is wrong.
    #[cold]
    fn find_fault(&self, holder: PropertyHolder, sender: Role) -> Result<(), EncodeError> {
        let mut seen = Summary::default();
        for property in self.iter() {
            let id = property.id();
            if !id.allowed_in(holder) {
                return Err(EncodeError::PropertyNotAllowed {
                    property: id,
                    holder,
                });
            }
            if !id.may_be_sent_by(sender, holder) {
                return Err(EncodeError::PropertyFromWrongSender {
                    property: id,
                    holder,
                    sender,
                });
            }
            if seen.has(id) && !id.repeatable_in(holder) {
                return Err(EncodeError::PropertyRepeated { property: id });
            }
            if !property.is_writable() {
                return Err(EncodeError::PropertyValue { property: id });
            }
            seen.add(&property);
        }
        Ok(())
    }

    /// Appends the properties without the Property Length.
    #[inline(never)]
    pub(crate) fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        if self.summary.is_filtered() {
            return self
                .iter()
                .fold(writer, |writer, property| property.write(writer));
        }
        let writer = writer.bytes(self.wire);
        self.items
            .iter()
            .fold(writer, |writer, item| item.write(writer))
    }

    /// The properties without the Property Length, if they are a view of bytes.
    pub(super) const fn as_wire(&self) -> Option<&[u8]> {
        if self.items.is_empty() && !self.summary.is_filtered() {
            Some(self.wire)
        } else {
            None
        }
    }
}

/// Checks each property and returns which there are.
fn check(
    wire: &[u8],
    rules: TextRules,
    holder: PropertyHolder,
    sender: Role,
) -> Result<Summary, DecodeError> {
    let mut block = Reader::new(wire, rules);
    let mut seen = Seen::new(holder, sender);
    // Every identifier of the standard is one byte.
    while let Some(number) = block.next_u8() {
        if !seen.add(number) {
            let unread = wire.get(wire.len() - block.len() - 1..);
            return Err(misplaced(unread.unwrap_or_default(), holder, sender));
        }
        Property::check(number, &mut block)?;
    }
    Ok(seen.summary())
}

/// What is wrong with the next property, which must not be here, or not again.
#[cold]
fn misplaced(unread: &[u8], holder: PropertyHolder, sender: Role) -> DecodeError {
    let id = match Reader::new(unread, Checked).var_int() {
        Ok(id) => id,
        Err(error) => return error,
    };
    let Some(property) = PropertyId::from_u32(id) else {
        return DecodeError::UnknownProperty { id };
    };
    if !property.allowed_in(holder) {
        DecodeError::PropertyNotAllowed { property, holder }
    } else if !property.may_be_sent_by(sender, holder) {
        DecodeError::PropertyFromWrongSender {
            property,
            holder,
            sender,
        }
    } else {
        DecodeError::PropertyRepeated { property, holder }
    }
}

impl Hash for Properties<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.wire_len.hash(state);
        for property in self.iter() {
            property.hash(state);
        }
    }
}

list_traits!(Properties, PropertiesIter, Property<'a>);

/// Goes through [`Properties`].
#[derive(Clone, Debug)]
pub struct PropertiesIter<'a> {
    wire: Reader<'a, Checked>,
    items: &'a [Property<'a>],
    summary: Summary,
}

impl<'a> Iterator for PropertiesIter<'a> {
    type Item = Property<'a>;

    #[inline]
    fn next(&mut self) -> Option<Property<'a>> {
        if self.summary.is_filtered() {
            return self.next_shown();
        }
        // Most lists are empty.
        if !self.wire.is_empty() {
            return Property::read(&mut self.wire);
        }
        let (first, rest) = self.items.split_first()?;
        self.items = rest;
        Some(*first)
    }
}

impl<'a> PropertiesIter<'a> {
    /// The next one that was not taken out.
    #[cold]
    fn next_shown(&mut self) -> Option<Property<'a>> {
        let summary = self.summary;
        let mut all = Self {
            summary: summary.unfiltered(),
            ..self.clone()
        };
        let shown = all.find(|property| summary.has(property.id()));
        *self = Self { summary, ..all };
        shown
    }
}
