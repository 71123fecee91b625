//! Bytes in and out. Expected bytes are written by hand from the standard, not by our encoder.

mod encoding;
mod framing;
mod generated;
mod lists;
mod output;
mod reference;
mod sizes;
mod v31;
mod v311;
mod v5;

use mqtt_core::{
    DecodeError, Decoder, EncodeError, Encoder, Output, Packet, ProtocolVersion, ReasonCode, Role,
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

/// Asserts that packets are taken, and written as the same bytes.
#[track_caller]
fn takes(version: ProtocolVersion, sender: Role, packets: &[&str]) {
    for hex in packets {
        let packet = bytes(hex);
        let decoded = decode_in_pieces(version, sender, &packet);
        let (version, decoded) = decoded.unwrap_or_else(|error| panic!("{hex}: {error}"));
        assert_eq!(encode(version, sender, &decoded), Ok(packet), "{hex}");
    }
}

/// Asserts that packets are taken that have another form, the one in which they are written.
#[track_caller]
fn reads(version: ProtocolVersion, sender: Role, packets: &[&str]) {
    for hex in packets {
        let packet = bytes(hex);
        let decoded = decode_in_pieces(version, sender, &packet);
        let (version, decoded) = decoded.unwrap_or_else(|error| panic!("{hex}: {error}"));
        let again = encode(version, sender, &decoded).unwrap();
        assert_ne!(again, packet, "{hex}");
        assert_eq!(decode(version, sender, &again), Ok(decoded), "{hex}");
    }
}

/// Asserts that packets are refused for the right rule and with the right answer: a Reason Code, or `None` to close.
#[track_caller]
fn refuses(
    version: ProtocolVersion,
    sender: Role,
    packets: &[&str],
    answer: Option<u8>,
    rule: &str,
) {
    for hex in packets {
        let packet = bytes(hex);
        let error = decode_in_pieces(version, sender, &packet).expect_err(hex);
        assert_eq!(error.rule(version), rule, "{hex}: {error}");
        let answered = error.answer(version).map(ReasonCode::get);
        assert_eq!(answered, answer, "{hex}: {error}");
    }
}

/// Decodes one packet, of which one byte after the other arrives: nothing is decoded before the last, and what is refused
/// earlier is refused for the same reason. The version is that of the packet if it is a CONNECT.
fn decode_in_pieces(
    version: ProtocolVersion,
    sender: Role,
    packet: &[u8],
) -> Result<(ProtocolVersion, Packet<'_>), DecodeError> {
    let whole = { decoder(version, sender, packet) }.next(packet);
    for end in 0..packet.len() {
        let mut decoder = decoder(version, sender, packet);
        let framed = decoder.frame(&packet[..end]);
        match decoder.next(&packet[..end]) {
            Ok(found) => assert_eq!(
                (found, framed),
                (None, Ok(None)),
                "{end} bytes of {packet:02X?}"
            ),
            Err(error) => {
                assert_eq!(Err(error), whole, "{end} bytes of {packet:02X?}");
                assert_eq!(Err(error), framed, "{end} bytes of {packet:02X?}");
            }
        }
    }
    assert_eq!(
        decode(version, sender, packet),
        whole.map(|found| found.expect("a whole packet").0)
    );
    let (packet, len) = whole?.expect("a whole packet");
    let version = match packet {
        Packet::Connect(connect) => connect.version,
        _ => version,
    };
    assert!(len > 0);
    Ok((version, packet))
}

/// One test for each name: packets that one end sends, and whether the other takes or refuses them.
macro_rules! verdicts {
    ($version:ident; $(
        $name:ident {$(
            $sender:ident $verdict:ident [$($hex:literal),+ $(,)?] $(=> $answer:tt $rule:literal)?
        )+}
    )*) => {
        $(
            #[test]
            fn $name() {
                $(
                    crate::codec::$verdict(
                        mqtt_core::ProtocolVersion::$version,
                        mqtt_core::Role::$sender,
                        &[$($hex),+],
                        $(crate::codec::verdicts!(@answer $answer), $rule)?
                    );
                )+
            }
        )*
    };
    (@answer close) => { None };
    (@answer $reason_code:literal) => { Some($reason_code) };
}

pub(crate) use verdicts;
