//! Lists of Reason Codes.

use crate::{
    types::ReasonCode,
    wire::{Writer, list_traits},
};

/// The Reason Codes of a SUBACK or UNSUBACK, one for each Topic Filter of the request, in order.
#[derive(Clone, Copy)]
pub struct ReasonCodes<'a> {
    /// Checked bytes; empty if there are `items`.
    wire: &'a [u8],
    items: &'a [ReasonCode],
}

impl<'a> ReasonCodes<'a> {
    /// The list without codes, as in an UNSUBACK of 3.x.
    pub const EMPTY: Self = ReasonCodes {
        wire: &[],
        items: &[],
    };

    /// The list of `items`.
    #[must_use]
    pub const fn new(items: &'a [ReasonCode]) -> Self {
        ReasonCodes { wire: &[], items }
    }

    pub(super) const fn from_wire(wire: &'a [u8]) -> Self {
        ReasonCodes { wire, items: &[] }
    }

    /// The codes, in order.
    #[must_use]
    pub fn iter(&self) -> ReasonCodesIter<'a> {
        ReasonCodesIter {
            wire: self.wire.iter(),
            items: self.items.iter(),
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        // One of the two is always empty.
        if self.items.is_empty() {
            self.wire.len()
        } else {
            self.items.len()
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn write<'o>(&self, writer: Writer<'o>) -> Writer<'o> {
        let writer = writer.bytes(self.wire);
        self.items
            .iter()
            .fold(writer, |writer, item| writer.u8(item.get()))
    }
}

list_traits!(ReasonCodes, ReasonCodesIter, ReasonCode);

/// Goes through [`ReasonCodes`].
#[derive(Clone, Debug)]
pub struct ReasonCodesIter<'a> {
    wire: core::slice::Iter<'a, u8>,
    items: core::slice::Iter<'a, ReasonCode>,
}

impl Iterator for ReasonCodesIter<'_> {
    type Item = ReasonCode;

    fn next(&mut self) -> Option<ReasonCode> {
        self.wire
            .next()
            .map(|code| ReasonCode::new(*code))
            .or_else(|| self.items.next().copied())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.wire.len() + self.items.len();
        (len, Some(len))
    }
}

impl ExactSizeIterator for ReasonCodesIter<'_> {}
