//! However a stream is cut, the same packets come out of it, and the same error.

use mqtt_core::{DecodeError, Decoder};

use crate::setting;

/// Feeds a stream to two decoders: in one piece, and in pieces whose sizes the input gives.
///
/// # Panics
/// If they disagree.
pub fn split_input(mut data: &[u8]) {
    let Some(decoder) = setting::decoder(&mut data) else {
        return;
    };
    let Some((&count, rest)) = data.split_first() else {
        return;
    };
    let Some((sizes, stream)) = rest.split_at_checked(usize::from(count % 16)) else {
        return;
    };

    let mut whole = Receiver::new(decoder);
    whole.receive(stream);

    let mut pieces = Receiver::new(decoder);
    let mut stream = stream;
    for size in sizes.iter().chain(std::iter::repeat(&1)) {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at(usize::from(*size).min(stream.len()));
        pieces.receive(piece);
        stream = rest;
    }
    assert_eq!(whole.packets, pieces.packets);
    assert_eq!(whole.error, pieces.error);
    assert_eq!(whole.decoder, pieces.decoder);
}

/// What a connection does with its bytes: collects them and takes whole packets off the front.
struct Receiver {
    decoder: Decoder,
    buffer: Vec<u8>,
    /// The packets as they are shown, which does not borrow from the buffer, and their sizes.
    packets: Vec<(String, usize)>,
    error: Option<DecodeError>,
}

impl Receiver {
    fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            buffer: Vec::new(),
            packets: Vec::new(),
            error: None,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while self.error.is_none() {
            match self.decoder.next(&self.buffer) {
                Ok(None) => break,
                Ok(Some((packet, len))) => {
                    self.packets.push((format!("{packet:?}"), len));
                    self.buffer.drain(..len);
                }
                Err(error) => self.error = Some(error),
            }
        }
    }
}
