//! The gather buffer: small packets together, large payloads by reference.

use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, Bytes};

use crate::wire::Writer;

/// From this many bytes on a payload given as [`Bytes`] is referenced instead of copied. Below it, a copy costs less
/// than one more part in every write.
pub(crate) const LARGE_PAYLOAD: usize = 4 * 1024;

/// Read bytes are dropped from the front only when there are at least this many, so that the copying stays rare.
const COMPACT_AT: usize = 4 * 1024;

/// At most this much memory is kept for the next packets once a burst is over.
const KEPT_CAPACITY: usize = 256 * 1024;

/// Encoded packets that wait to be written to the transport.
///
/// The caller owns it, encodes into it and takes bytes off the front through [`Buf`]. Small packets stand together in
/// one buffer that is used again and again; a large payload is a reference to the [`Bytes`] it was given as, so that
/// [`Buf::chunks_vectored`] hands header and payload to one vectored write.
#[derive(Default)]
pub struct Output {
    /// Everything but the payloads in `large`, from `read` to `end`; what lies before and behind is room. It keeps its
    /// length, so that writing need not fill it first.
    small: Vec<u8>,
    /// How many bytes of `small` were read.
    read: usize,
    /// How many bytes of `small` were written.
    end: usize,
    /// Payloads by reference, in order.
    large: Vec<Large>,
    /// How many of `large` were read to their end; something is left of each of the others.
    large_read: usize,
    /// Bytes in `large`.
    large_len: usize,
}

struct Large {
    /// The payload follows this many bytes of `small`.
    after: usize,
    payload: Bytes,
}

impl Output {
    /// An empty buffer that has not allocated anything yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            small: Vec::new(),
            read: 0,
            end: 0,
            large: Vec::new(),
            large_read: 0,
            large_len: 0,
        }
    }

    /// Bytes that wait to be written; the same as [`Buf::remaining`].
    #[must_use]
    pub fn len(&self) -> usize {
        (self.end - self.read).saturating_add(self.large_len)
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read == self.end && self.waiting().is_empty()
    }

    /// Drops everything that waits, as when the connection was lost.
    #[inline]
    pub fn clear(&mut self) {
        if !self.large.is_empty() {
            self.clear_large();
        }
        self.reset_small();
    }

    #[cold]
    fn clear_large(&mut self) {
        self.large.clear();
        self.large_read = 0;
        self.large_len = 0;
    }

    /// The payloads of which something is left.
    fn waiting(&self) -> &[Large] {
        self.large.get(self.large_read..).unwrap_or_default()
    }

    /// Appends bytes that were encoded before.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if let Some(writer) = self.writer(bytes.len()) {
            let _ = writer.bytes(bytes);
        } else {
            self.grow(bytes.len());
            self.push(bytes);
        }
    }

    /// Lends the place for `len` more bytes, all of which the caller writes. `None` if there is no room: then it is to
    /// [grow](Output::grow).
    #[inline]
    pub(crate) fn writer(&mut self, len: usize) -> Option<Writer<'_>> {
        let place = self.small.get_mut(self.end..)?.get_mut(..len)?;
        self.end += len;
        Some(Writer::new(place))
    }

    /// Makes room for `len` more bytes, and for as many again as there were, so that growing stays rare.
    #[cold]
    pub(crate) fn grow(&mut self, len: usize) {
        self.small.reserve(self.end + len - self.small.len());
        self.small.resize(self.small.capacity(), 0);
    }

    /// Appends a payload by reference.
    pub(crate) fn push_large(&mut self, payload: Bytes) {
        self.large_len = self.large_len.saturating_add(payload.len());
        self.large.push(Large {
            after: self.end,
            payload,
        });
    }

    #[inline]
    fn reset_small(&mut self) {
        if self.small.len() > KEPT_CAPACITY {
            self.end_burst();
        }
        self.read = 0;
        self.end = 0;
    }

    /// Gives back what is held for a burst once it is over: when what was last written would have needed no more than is
    /// always kept. So a buffer in steady use is not allocated anew for each packet, however large.
    #[cold]
    fn end_burst(&mut self) {
        if self.end <= KEPT_CAPACITY {
            self.small.truncate(KEPT_CAPACITY);
            self.small.shrink_to_fit();
        }
    }

    /// Drops read bytes once they are at least half of what was written: each byte is then moved at most about once.
    fn compact(&mut self) {
        if self.is_empty() {
            self.clear();
        } else if self.read >= COMPACT_AT && self.read >= self.end / 2 {
            self.small.copy_within(self.read..self.end, 0);
            // Each has its header in what is dropped of `small`, so their places are bounded as it is.
            self.large.drain(..self.large_read);
            self.large_read = 0;
            for large in &mut self.large {
                large.after -= self.read;
            }
            self.end -= self.read;
            self.read = 0;
        }
    }
}

impl Buf for Output {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        let end = match self.waiting().first() {
            Some(large) if large.after == self.read => return &large.payload,
            Some(large) => large.after,
            None => self.end,
        };
        self.small.get(self.read..end).unwrap_or_default()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut read = self.read;
        let mut slots = slices.iter_mut();
        let mut put = |bytes: &'a [u8]| -> bool {
            if bytes.is_empty() {
                return true;
            }
            let Some(slot) = slots.next() else {
                return false;
            };
            *slot = std::io::IoSlice::new(bytes);
            filled += 1;
            true
        };
        for large in self.waiting() {
            let before = self.small.get(read..large.after).unwrap_or_default();
            if !put(before) || !put(&large.payload) {
                return filled;
            }
            read = large.after;
        }
        put(self.small.get(read..self.end).unwrap_or_default());
        filled
    }

    /// Takes `count` bytes off the front.
    ///
    /// # Panics
    /// If fewer than `count` bytes wait, as [`Buf::advance`] asks.
    fn advance(&mut self, mut count: usize) {
        assert!(
            count <= self.len(),
            "cannot take {count} bytes of {}",
            self.len()
        );
        while count > 0 {
            let Some(large) = self.large.get_mut(self.large_read) else {
                self.read += count;
                break;
            };
            let small = count.min(large.after - self.read);
            self.read += small;
            count -= small;
            let taken = count.min(large.payload.len());
            large.payload.advance(taken);
            count -= taken;
            self.large_len -= taken;
            if large.payload.is_empty() {
                // Its place may stay for a while, but not what may be held by nobody else.
                large.payload = Bytes::new();
                self.large_read += 1;
            }
        }
        self.compact();
    }
}

/// Shows how much waits, never what.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("len", &self.len())
            .field("large_payloads", &self.waiting().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn memory_for_a_burst_is_given_back_when_it_is_over() {
        let mut output = Output::new();
        for _ in 0..2 {
            output.push(&vec![0; 1_048_576]);
            output.clear();
            assert!(output.small.capacity() >= 1_048_576);
        }
        output.push(&[0]);
        output.advance(1);
        assert_eq!(output.small.capacity(), 262_144);
        assert_eq!(output.small.len(), 262_144);
    }

    #[test]
    fn what_was_read_is_dropped_from_4_kib_on_and_from_half_on() {
        for (written, reads) in [(6_000, [4_095, 1]), (10_000, [4_999, 1])] {
            let mut output = Output::new();
            output.push(&vec![0; written]);
            output.advance(reads[0]);
            assert_eq!((output.read, output.end), (reads[0], written));
            output.advance(reads[1]);
            assert_eq!((output.read, output.end), (0, written - reads[0] - 1));
        }
    }

    #[test]
    fn a_payload_is_let_go_of_once_it_was_read() {
        let payloads = [(); 2].map(|()| Bytes::from(vec![7; 5_000]));
        let mut output = Output::new();
        for payload in &payloads {
            output.push(&[0; 10]);
            output.push_large(payload.clone());
        }
        output.advance(5_009);
        assert!(!payloads[0].is_unique());
        output.advance(1);
        assert!(payloads[0].is_unique());
        assert!(!payloads[1].is_unique());
        assert_eq!(output.chunk(), [0; 10]);
        output.advance(output.len());
        assert_eq!((output.large.len(), output.large_read), (0, 0));
    }

    /// There is always something that waits, so the output is never cleared.
    #[test]
    fn places_of_payloads_that_were_read_are_used_again() {
        let payload = Bytes::from(vec![7; 5_000]);
        let mut output = Output::new();
        let mut most = 0;
        for _ in 0..10_000 {
            output.push(&[0; 10]);
            output.push_large(payload.clone());
            output.advance(output.len() - 1);
            most = most.max(output.large.len());
        }
        // One that waits, and as many as have less than 4 KiB of headers.
        assert_eq!(most, 1 + 409);
    }

    #[test]
    fn growing_makes_room_for_as_much_again_as_there_was_and_no_more() {
        let mut output = Output::new();
        output.push(&[0; 1_000]);
        let before = output.small.len();
        output.push(&vec![0; before - 990]);
        assert!((before + 10..=2 * before).contains(&output.small.len()));
    }
}
