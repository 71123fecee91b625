//! Bytes in and out. Expected bytes are written by hand from the standard, not by our encoder.

mod encoding;
mod framing;
mod generated;
mod legal;
mod lists;
mod output;
mod reference;
mod refused_v311;
mod refused_v5;

use mqtt_core::{
    DecodeError, Decoder, EncodeError, Encoder, Output, Packet, ProtocolVersion, Role,
};

/// The bytes that `hex` shows, two digits each, with spaces between them.
#[track_caller]
fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"))
        .collect()
}

/// A decoder for a connection whose version is known; CONNECT alone may come before that.
fn decoder(version: ProtocolVersion, sender: Role, packet: &[u8]) -> Decoder {
    let is_connect = packet.first().is_some_and(|first| first >> 4 == 1);
    Decoder::new(
        (!is_connect || sender == Role::Server).then_some(version),
        sender,
    )
}

fn decode(
    version: ProtocolVersion,
    sender: Role,
    packet: &[u8],
) -> Result<Packet<'_>, DecodeError> {
    decoder(version, sender, packet).decode(packet)
}

fn encode(
    version: ProtocolVersion,
    sender: Role,
    packet: &Packet<'_>,
) -> Result<Vec<u8>, EncodeError> {
    encode_by(&Encoder::new(version, sender), packet)
}

/// Encodes behind other bytes, so that a failure that left something behind would be seen.
#[track_caller]
fn encode_by(encoder: &Encoder, packet: &Packet<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut output = Output::new();
    let ping = if encoder.sender == Role::Client {
        Packet::Pingreq
    } else {
        Packet::Pingresp
    };
    Encoder {
        maximum_packet_size: None,
        ..*encoder
    }
    .encode(&ping, &mut output)
    .unwrap();
    let result = encoder.encode(packet, &mut output);
    let written = contents(&mut output);
    assert_eq!(
        result.map(|()| written.len() - 2),
        encoder.encoded_len(packet)
    );
    match result {
        Ok(()) => Ok(written[2..].to_vec()),
        Err(error) => {
            assert_eq!(written.len(), 2, "a failed encode left bytes behind");
            Err(error)
        }
    }
}

/// Takes all bytes out.
fn contents(output: &mut Output) -> Vec<u8> {
    use bytes::Buf;

    let mut contents = vec![0; output.remaining()];
    output.copy_to_slice(&mut contents);
    contents
}

/// Asserts that a packet is refused with a Reason Code, where the version has them, and for the right rule.
#[track_caller]
fn refuse(version: ProtocolVersion, sender: Role, hex: &str, reason: u8, rule: &str) {
    let packet = bytes(hex);
    let decoder = decoder(version, sender, &packet);
    let error = decoder.decode(&packet).expect_err(hex);
    assert_eq!(error.rule(version), rule, "{hex}: {error}");
    if version == ProtocolVersion::V5 {
        assert_eq!(error.reason_code().get(), reason, "{hex}: {error}");
    }
    assert!(
        !matches!(error, DecodeError::NotOnePacket { .. }),
        "{hex} has a wrong remaining length"
    );
    // However the bytes are found, the verdict is the same.
    assert_eq!({ decoder }.next(&packet), Err(error), "{hex}");
}

/// Asserts that a packet is taken, and that what it says is written and read back as the same.
#[track_caller]
fn accept(version: ProtocolVersion, sender: Role, hex: &str) {
    let packet = bytes(hex);
    let decoded = decode(version, sender, &packet).unwrap_or_else(|error| panic!("{hex}: {error}"));
    let version = match decoded {
        Packet::Connect(connect) => connect.version,
        _ => version,
    };
    let again = encode(version, sender, &decoded).unwrap_or_else(|error| panic!("{hex}: {error}"));
    assert_eq!(decode(version, sender, &again), Ok(decoded), "{hex}");
}

/// One test for each line: a name, a version, a sender, packets that must be refused, Reason Code and rule.
macro_rules! refused {
    ($($name:ident: $version:ident $sender:ident [$($hex:literal),+ $(,)?] => $reason:literal $rule:literal;)*) => {
        $(
            #[test]
            fn $name() {
                for hex in [$($hex),+] {
                    crate::codec::refuse(
                        mqtt_core::ProtocolVersion::$version,
                        mqtt_core::Role::$sender,
                        hex,
                        $reason,
                        $rule,
                    );
                }
            }
        )*
    };
}

/// One test for each line: a name, a version, a sender and packets that must be taken.
macro_rules! accepted {
    ($($name:ident: $version:ident $sender:ident [$($hex:literal),+ $(,)?];)*) => {
        $(
            #[test]
            fn $name() {
                for hex in [$($hex),+] {
                    crate::codec::accept(mqtt_core::ProtocolVersion::$version, mqtt_core::Role::$sender, hex);
                }
            }
        )*
    };
}

pub(crate) use {accepted, refused};
