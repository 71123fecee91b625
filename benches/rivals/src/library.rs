//! What is asked of a library, so that all are measured alike.

use std::io::IoSlice;

use mqtt_core::ProtocolVersion;

use crate::{packets::Source, visit::Visit};

/// One library in one version of MQTT.
///
/// Decoding goes from the library's own kind of receive buffer, into which the harness has copied the bytes, as a socket
/// would; that copy is a part of every figure, and the row *copy alone* tells what it costs. Encoding goes into the library's
/// own kind of send buffer, which is empty and has grown before.
pub trait Library: 'static {
    /// Its name and exact version.
    const NAME: &'static str;
    /// The version of MQTT.
    const MQTT: ProtocolVersion;
    /// Whether it has a form of encoding that takes a large payload by reference.
    const GATHERS: bool = false;

    /// What bytes are received into.
    type Input: Default;
    /// A packet as its encoder takes it.
    type Packet<'a>;
    /// What is encoded into.
    type Output: Default;

    /// Appends received bytes.
    fn receive(input: &mut Self::Input, bytes: &[u8]);

    /// Takes the packet at the front of `input`, which is all there, and shows every field.
    ///
    /// # Errors
    /// What the library says.
    fn decode(input: &mut Self::Input, visit: &mut impl Visit) -> Result<(), String>;

    /// Makes a packet from what a program has.
    fn build<R>(source: &Source, run: impl FnOnce(&Self::Packet<'_>) -> R) -> R;

    /// Appends the packet to `output`.
    ///
    /// # Errors
    /// What the library says.
    fn encode(packet: &Self::Packet<'_>, output: &mut Self::Output) -> Result<(), String>;

    /// Makes a packet and appends it. An encoder that takes packets by value need not copy them here.
    ///
    /// # Errors
    /// What the library says.
    #[inline(always)]
    fn build_and_encode(source: &Source, output: &mut Self::Output) -> Result<(), String> {
        Self::build(source, |packet| Self::encode(packet, output))
    }

    /// Makes ready for the next round.
    fn clear(output: &mut Self::Output);

    /// What was encoded.
    fn written(output: &Self::Output) -> Vec<u8>;

    /// Encodes a PUBLISH with its payload by reference, and shows the pieces as a vectored write takes them.
    ///
    /// # Errors
    /// What the library says.
    fn gather(
        packet: &Self::Packet<'_>,
        source: &Source,
        output: &mut Self::Output,
        pieces: impl FnOnce(&[IoSlice<'_>]),
    ) -> Result<(), String> {
        let _ = (packet, source, output, pieces);
        Err("copies payloads".to_owned())
    }
}
