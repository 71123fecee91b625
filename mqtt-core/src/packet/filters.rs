//! Lists of Topic Filters: with options for SUBSCRIBE, bare for UNSUBSCRIBE.

use crate::{
    error::{DecodeError, EncodeError},
    types::{PacketType, SubscribeOptions, TopicError, TopicFilter},
    version::ProtocolVersion,
    wire::{Checked, Reader, TOO_LONG, Writer, list_traits},
};

/// What is special in a list of filters, so that encoding need not go through it once more to find out.
#[derive(Clone, Copy, Debug, Default)]
struct Special {
    /// A filter that begins as a shared subscription and is not one, which only 3.x can send.
    bad_share: Option<TopicError>,
    /// No Local on a shared subscription.
    no_local_on_shared: bool,
    /// Options that 3.x does not have.
    v5_options: bool,
}

impl Special {
    #[inline]
    fn add(&mut self, filter: &[u8], options: u8) {
        self.v5_options |= options > SubscribeOptions::QOS;
        // Most filters cannot be shared subscriptions.
        if filter.starts_with(b"$") {
            self.add_shared(filter, options & SubscribeOptions::NO_LOCAL != 0);
        }
    }

    #[inline(never)]
    fn add_shared(&mut self, filter: &[u8], no_local: bool) {
        match TopicFilter::is_shared(filter) {
            Ok(false) => {}
            Ok(true) => self.no_local_on_shared |= no_local,
            Err(error) => self.bad_share = self.bad_share.or(Some(error)),
        }
    }

    fn check_decoded(&self, version: ProtocolVersion) -> Result<(), DecodeError> {
        if version.is_v5() {
            if let Some(error) = self.bad_share {
                return Err(DecodeError::TopicFilter(error));
            }
            if self.no_local_on_shared {
                return Err(DecodeError::NoLocalOnShared);
            }
        }
        Ok(())
    }

    fn check(&self, version: ProtocolVersion) -> Result<(), EncodeError> {
        if version.is_v5() {
            if let Some(error) = self.bad_share {
                return Err(EncodeError::SharedFilter(error));
            }
            if self.no_local_on_shared {
                return Err(EncodeError::NoLocalOnShared);
            }
        } else if self.v5_options {
            return Err(EncodeError::SubscribeOptionsNotInVersion { version });
        }
        Ok(())
    }
}

/// The Topic Filters of a SUBSCRIBE with their options, in order. At least one when it is encoded.
#[derive(Clone, Copy)]
pub struct SubscribeFilters<'a> {
    /// Checked bytes; empty if there are `items`.
    wire: &'a [u8],
    items: &'a [(TopicFilter<'a>, SubscribeOptions)],
    len: usize,
    wire_len: usize,
    special: Special,
}

impl<'a> SubscribeFilters<'a> {
    /// The list without filters, which cannot be encoded.
    pub const EMPTY: Self = SubscribeFilters {
        wire: &[],
        items: &[],
        len: 0,
        wire_len: 0,
        special: Special {
            bad_share: None,
            no_local_on_shared: false,
            v5_options: false,
        },
    };

    /// The list of `items`.
    #[must_use]
    pub fn new(items: &'a [(TopicFilter<'a>, SubscribeOptions)]) -> Self {
        let mut list = SubscribeFilters {
            items,
            len: items.len(),
            ..Self::EMPTY
        };
        for (filter, options) in items {
            list.wire_len = list.wire_len.saturating_add(2 + filter.as_str().len() + 1);
            list.special
                .add(filter.as_str().as_bytes(), options.as_u8());
        }
        list
    }

    /// Reads and checks everything that is left of a body.
    pub(super) fn read(
        mut body: Reader<'a>,
        version: ProtocolVersion,
    ) -> Result<Self, DecodeError> {
        let wire = body.as_bytes();
        let (mut len, mut special) = (0, Special::default());
        while !body.is_empty() {
            let filter = body.check_topic_filter()?;
            let options = body.u8()?;
            check_options(options, version)?;
            special.add(filter, options);
            len += 1;
        }
        if len == 0 {
            return Err(DecodeError::NoTopicFilters {
                packet_type: PacketType::Subscribe,
            });
        }
        special.check_decoded(version)?;
        Ok(SubscribeFilters {
            wire,
            items: &[],
            len,
            wire_len: wire.len(),
            special,
        })
    }

    /// The filters and their options, in order.
    #[must_use]
    pub fn iter(&self) -> SubscribeFiltersIter<'a> {
        SubscribeFiltersIter {
            wire: Reader::new(self.wire, Checked),
            items: self.items.iter(),
            len: self.len,
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of all of them; [`TOO_LONG`] if there are more than that.
    pub(super) fn wire_len(&self) -> usize {
        self.wire_len.min(TOO_LONG)
    }

    pub(super) fn check(&self, version: ProtocolVersion) -> Result<(), EncodeError> {
        if self.is_empty() {
            return Err(EncodeError::NoTopicFilters {
                packet_type: PacketType::Subscribe,
            });
        }
        self.special.check(version)
    }

    pub(super) fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.bytes(self.wire);
        self.items.iter().fold(writer, |writer, (filter, options)| {
            writer.field(filter.as_str().as_bytes()).u8(options.as_u8())
        })
    }
}

/// Checks the options byte. 3.x has the QoS alone in it [v311 MQTT-3.8.3-4].
#[inline]
fn check_options(byte: u8, version: ProtocolVersion) -> Result<(), DecodeError> {
    let reserved = if version.is_v5() {
        0b1100_0000
    } else {
        0b1111_1100
    };
    if byte & reserved != 0 {
        Err(DecodeError::SubscribeReservedBits)
    } else if byte & SubscribeOptions::QOS == 3 {
        Err(DecodeError::SubscribeQos)
    } else if byte & SubscribeOptions::RETAIN_HANDLING == 3 << 4 {
        Err(DecodeError::RetainHandling)
    } else {
        Ok(())
    }
}

list_traits!(
    SubscribeFilters,
    SubscribeFiltersIter,
    (TopicFilter<'a>, SubscribeOptions)
);

/// Goes through [`SubscribeFilters`].
#[derive(Clone, Debug)]
pub struct SubscribeFiltersIter<'a> {
    wire: Reader<'a, Checked>,
    items: core::slice::Iter<'a, (TopicFilter<'a>, SubscribeOptions)>,
    len: usize,
}

impl<'a> Iterator for SubscribeFiltersIter<'a> {
    type Item = (TopicFilter<'a>, SubscribeOptions);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = if self.wire.is_empty() {
            *self.items.next()?
        } else {
            let filter = TopicFilter::from_checked(self.wire.checked_str()?);
            (filter, SubscribeOptions::from_u8(self.wire.next_u8()?)?)
        };
        self.len = self.len.saturating_sub(1);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for SubscribeFiltersIter<'_> {}

/// The Topic Filters of an UNSUBSCRIBE, in order. At least one when it is encoded.
#[derive(Clone, Copy)]
pub struct UnsubscribeFilters<'a> {
    /// Checked bytes; empty if there are `items`.
    wire: &'a [u8],
    items: &'a [TopicFilter<'a>],
    len: usize,
    wire_len: usize,
    special: Special,
}

impl<'a> UnsubscribeFilters<'a> {
    /// The list without filters, which cannot be encoded.
    pub const EMPTY: Self = UnsubscribeFilters {
        wire: &[],
        items: &[],
        len: 0,
        wire_len: 0,
        special: SubscribeFilters::EMPTY.special,
    };

    /// The list of `items`.
    #[must_use]
    pub fn new(items: &'a [TopicFilter<'a>]) -> Self {
        let mut list = UnsubscribeFilters {
            items,
            len: items.len(),
            ..Self::EMPTY
        };
        for filter in items {
            list.wire_len = list.wire_len.saturating_add(2 + filter.as_str().len());
            list.special.add(filter.as_str().as_bytes(), 0);
        }
        list
    }

    /// Reads and checks everything that is left of a body.
    pub(super) fn read(
        mut body: Reader<'a>,
        version: ProtocolVersion,
    ) -> Result<Self, DecodeError> {
        let wire = body.as_bytes();
        let (mut len, mut special) = (0, Special::default());
        while !body.is_empty() {
            special.add(body.check_topic_filter()?, 0);
            len += 1;
        }
        if len == 0 {
            return Err(DecodeError::NoTopicFilters {
                packet_type: PacketType::Unsubscribe,
            });
        }
        special.check_decoded(version)?;
        Ok(UnsubscribeFilters {
            wire,
            items: &[],
            len,
            wire_len: wire.len(),
            special,
        })
    }

    /// The filters, in order.
    #[must_use]
    pub fn iter(&self) -> UnsubscribeFiltersIter<'a> {
        UnsubscribeFiltersIter {
            wire: Reader::new(self.wire, Checked),
            items: self.items.iter(),
            len: self.len,
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of all of them; [`TOO_LONG`] if there are more than that.
    pub(super) fn wire_len(&self) -> usize {
        self.wire_len.min(TOO_LONG)
    }

    pub(super) fn check(&self, version: ProtocolVersion) -> Result<(), EncodeError> {
        if self.is_empty() {
            return Err(EncodeError::NoTopicFilters {
                packet_type: PacketType::Unsubscribe,
            });
        }
        self.special.check(version)
    }

    pub(super) fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.bytes(self.wire);
        self.items.iter().fold(writer, |writer, filter| {
            writer.field(filter.as_str().as_bytes())
        })
    }
}

list_traits!(UnsubscribeFilters, UnsubscribeFiltersIter, TopicFilter<'a>);

/// Goes through [`UnsubscribeFilters`].
#[derive(Clone, Debug)]
pub struct UnsubscribeFiltersIter<'a> {
    wire: Reader<'a, Checked>,
    items: core::slice::Iter<'a, TopicFilter<'a>>,
    len: usize,
}

impl<'a> Iterator for UnsubscribeFiltersIter<'a> {
    type Item = TopicFilter<'a>;

    #[inline]
    fn next(&mut self) -> Option<TopicFilter<'a>> {
        let filter = if self.wire.is_empty() {
            *self.items.next()?
        } else {
            TopicFilter::from_checked(self.wire.checked_str()?)
        };
        self.len = self.len.saturating_sub(1);
        Some(filter)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for UnsubscribeFiltersIter<'_> {}
