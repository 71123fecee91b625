//! Properties that are kept.

use alloc::{boxed::Box, vec::Vec};
use core::{
    fmt,
    hash::{Hash, Hasher},
};

use crate::{
    error::EncodeError,
    wire::{Properties, Property, Summary, Writer},
};

/// Properties that are kept: owned, in their wire form, checked. An empty list allocates nothing.
#[derive(Clone, Default)]
pub struct PropertiesBuf {
    wire: Box<[u8]>,
    summary: Summary,
}

impl PropertiesBuf {
    /// Collects properties, in their order.
    ///
    /// # Errors
    /// - [`EncodeError::PropertyValue`]: Binary Data above 65,535 bytes, or a Maximum QoS of 2.
    /// - [`EncodeError::PropertyRepeated`]: a property twice that no packet may have twice.
    pub fn collect<'p>(
        properties: impl IntoIterator<Item = Property<'p>>,
    ) -> Result<Self, EncodeError> {
        let mut wire = Vec::new();
        let mut summary = Summary::default();
        for property in properties {
            summary.add(&property);
            if !property.is_writable() {
                return Err(EncodeError::PropertyValue {
                    property: property.id(),
                });
            }
            if summary.is_repeated() {
                return Err(EncodeError::PropertyRepeated {
                    property: property.id(),
                });
            }
            let start = wire.len();
            wire.resize(start + property.wire_len(), 0);
            let writer = property.write(Writer::new(wire.get_mut(start..).unwrap_or_default()));
            debug_assert!(writer.is_full(), "a property has the length it announced");
        }
        Ok(Self {
            wire: wire.into_boxed_slice(),
            summary,
        })
    }

    /// A view of the properties.
    #[must_use]
    pub const fn as_properties(&self) -> Properties<'_> {
        Properties::from_checked(&self.wire, self.summary)
    }

    /// A view of the properties and after them `more`.
    #[must_use]
    pub fn followed_by<'a>(&'a self, more: &'a [Property<'a>]) -> Properties<'a> {
        self.as_properties().followed_by(more)
    }

    /// Whether there are no properties.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// Bytes held on the heap.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.wire.len()
    }
}

impl<'a> TryFrom<Properties<'a>> for PropertiesBuf {
    type Error = EncodeError;

    /// Keeps a copy of `properties`. Those of a decoded packet never fail.
    fn try_from(properties: Properties<'a>) -> Result<Self, EncodeError> {
        if let Some(wire) = properties.as_wire() {
            return Ok(Self {
                wire: wire.into(),
                summary: properties.summary(),
            });
        }
        Self::collect(properties)
    }
}

// The wire form is unique, so equal lists have equal bytes.
impl PartialEq for PropertiesBuf {
    fn eq(&self, other: &Self) -> bool {
        self.wire == other.wire
    }
}

impl Eq for PropertiesBuf {}

impl Hash for PropertiesBuf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.wire.hash(state);
    }
}

impl fmt::Debug for PropertiesBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_properties().fmt(f)
    }
}
