//! Packets, right and wrong, to try decoders with.

use std::{fs, io, path::Path};

use mqtt_core::{Decoder, ProtocolVersion, Role};

/// A packet, whole as its Remaining Length says.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sample {
    pub mqtt: ProtocolVersion,
    pub sender: Role,
    pub bytes: Vec<u8>,
}

/// The packets that the tests of `mqtt-core` have written by hand, with the verdict that each stands for: the very files,
/// with another macro of the name that they use.
pub mod by_hand {
    use mqtt_core::{ProtocolVersion, Role};

    use super::Sample;

    /// Packets of which the standard says the same.
    pub struct Verdict {
        pub(crate) mqtt: ProtocolVersion,
        pub(crate) sender: Role,
        /// Whether they are to be taken.
        pub(crate) legal: bool,
        pub(crate) packets: &'static [&'static str],
    }

    macro_rules! verdicts {
        ($version:ident; $(
            $name:ident {$(
                $sender:ident $verdict:ident [$($hex:literal),+ $(,)?] $(=> $answer:tt $rule:literal)?
            )+}
        )*) => {
            pub(crate) const VERDICTS: &[$crate::corpus::by_hand::Verdict] = &[$($(
                $crate::corpus::by_hand::Verdict {
                    mqtt: mqtt_core::ProtocolVersion::$version,
                    sender: mqtt_core::Role::$sender,
                    legal: $crate::corpus::by_hand::$verdict,
                    packets: &[$($hex),+],
                },
            )+)*];
        };
    }
    pub(crate) use verdicts;

    // What the files call their verdicts.
    #[expect(non_upper_case_globals, reason = "the files have these names")]
    pub(crate) const takes: bool = true;
    #[expect(non_upper_case_globals, reason = "the files have these names")]
    pub(crate) const reads: bool = true;
    #[expect(non_upper_case_globals, reason = "the files have these names")]
    pub(crate) const refuses: bool = false;

    /// Legal packets and others.
    #[must_use]
    pub fn samples() -> (Vec<Sample>, Vec<Sample>) {
        use crate::codec::{connect, ending, fields, publish, subscribe, v311};

        let files = [
            v311::VERDICTS,
            connect::VERDICTS,
            ending::VERDICTS,
            fields::VERDICTS,
            publish::VERDICTS,
            subscribe::VERDICTS,
        ];
        let (mut legal, mut others) = (Vec::new(), Vec::new());
        for verdict in files.into_iter().flatten() {
            let list = if verdict.legal {
                &mut legal
            } else {
                &mut others
            };
            list.extend(verdict.packets.iter().filter_map(|hex| {
                Sample::first(bytes(hex).as_slice(), verdict.mqtt, verdict.sender)
            }));
        }
        for list in [&mut legal, &mut others] {
            list.sort();
            list.dedup();
        }
        (legal, others)
    }

    fn bytes(hex: &str) -> Vec<u8> {
        hex.split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"))
            .collect()
    }
}

impl Sample {
    /// The packet at the front of `bytes`, if all of it is there and it is of a version that the rivals have.
    fn first(bytes: &[u8], mqtt: ProtocolVersion, sender: Role) -> Option<Self> {
        let bytes = bytes.get(..whole(bytes)?)?;
        // A CONNECT says itself what it is.
        let says = (bytes[0] >> 4 == 1)
            .then(|| Decoder::connect_version(bytes))
            .flatten();
        let mqtt = says.unwrap_or(mqtt);
        (mqtt != ProtocolVersion::V3_1).then(|| Self {
            mqtt,
            sender,
            bytes: bytes.to_vec(),
        })
    }
}

/// How long the packet at the front says it is, if all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for (place, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            let length = length + place + 2;
            return (length <= bytes.len()).then_some(length);
        }
    }
    None
}

/// The first packet of each input of the fuzz target `decode_packet` in `folder`: the byte before it says of which version
/// it is, and from whom.
///
/// # Errors
/// If a file cannot be read.
pub fn fuzzed(folder: &Path) -> io::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for entry in fs::read_dir(folder)? {
        let input = fs::read(entry?.path())?;
        let Some((choice, bytes)) = input.split_first() else {
            continue;
        };
        let mqtt = match choice & 0b11 {
            0 => ProtocolVersion::V5,
            1 => ProtocolVersion::V3_1,
            2 => ProtocolVersion::V3_1_1,
            _ => ProtocolVersion::V5,
        };
        let sender = if choice & 0b100 == 0 {
            Role::Client
        } else {
            Role::Server
        };
        samples.extend(Sample::first(bytes, mqtt, sender));
    }
    samples.sort();
    samples.dedup();
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hand_written_packets_are_of_both_kinds_and_versions() {
        let (legal, others) = by_hand::samples();
        for mqtt in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
            let count = |list: &[Sample]| list.iter().filter(|each| each.mqtt == mqtt).count();
            assert!(count(&legal) > 50, "{}", count(&legal));
            assert!(count(&others) > 100, "{}", count(&others));
        }
        assert!(others.iter().all(|sample| !legal.contains(sample)));
    }
}
