//! What decodes is encoded to bytes that say the same, never more of them.

use mqtt_core::{
    Auth, Decoder, Disconnect, Encoder, MaximumPacketSize, Output, Packet, Properties,
    ProtocolVersion, ReasonCode,
};

use crate::setting;

/// Decodes `data`, encodes the packet and decodes it again.
///
/// # Panics
/// If the second packet differs, or if its bytes are more than the first one's, or as many and others.
pub fn roundtrip(mut data: &[u8]) {
    if let Some(decoder) = setting::decoder(&mut data) {
        check(decoder, data);
    }
}

pub(crate) fn check(decoder: Decoder, data: &[u8]) {
    let mut learning = decoder;
    let Ok(Some((packet, len))) = learning.next(data) else {
        return;
    };
    let version = match packet {
        Packet::Connect(connect) => connect.version,
        _ => learning
            .version
            .expect("only a CONNECT comes before the version is known"),
    };
    let encoder = Encoder::new(version, decoder.sender);
    let Some(bytes) = encode(&encoder, &packet) else {
        assert!(is_only_received(&packet), "{packet:?} cannot be encoded");
        return;
    };
    // A refusal in the form of 3.1.1 is the one packet that 5.0 writes longer than it may be received.
    let longest = if matches!(packet, Packet::Connack(_)) {
        len.max(5)
    } else {
        len
    };
    assert!(bytes.len() <= longest);
    // There are longer ways to write a packet than the encoder's, but none that is as short, except where the receiver of 3.1
    // must not look at a bit.
    if bytes.len() == len && version != ProtocolVersion::V3_1 {
        assert_eq!(bytes, data[..len]);
    }
    assert_eq!(decoder.decode(&bytes), Ok(packet));
    assert_eq!(encode(&encoder, &packet).as_deref(), Some(&bytes[..]));

    // With a limit the packet gets no larger, and stays one of its kind.
    let Some(limit) = MaximumPacketSize::new(u32::try_from(bytes.len() / 2).unwrap_or(u32::MAX))
    else {
        return;
    };
    let limited = Encoder {
        maximum_packet_size: Some(limit),
        ..encoder
    };
    if let Some(shorter) = encode(&limited, &packet) {
        assert!(shorter.len() <= bytes.len() / 2);
        let shorter = decoder
            .decode(&shorter)
            .expect("what was left out was optional");
        assert_eq!(shorter.packet_type(), packet.packet_type());
    }
}

/// The bytes of `packet`, if it may be sent.
pub(crate) fn encode(encoder: &Encoder, packet: &Packet<'_>) -> Option<Vec<u8>> {
    let mut output = Output::new();
    let result = encoder.encode(packet, &mut output);
    assert_eq!(result.map(|()| output.len()), encoder.encoded_len(packet));
    result.ok()?;
    let bytes = bytes_of(&output).to_vec();
    assert_eq!(bytes.len(), output.len());
    Some(bytes)
}

/// All of it stands together, since nothing was given by reference.
fn bytes_of(output: &Output) -> &[u8] {
    use bytes::Buf;

    output.chunk()
}

/// What the standard lets a receiver see and no sender send: an AUTH without content, and in a DISCONNECT the two codes
/// that its tables disagree about.
fn is_only_received(packet: &Packet<'_>) -> bool {
    match packet {
        Packet::Auth(auth) => {
            *auth
                == Auth {
                    reason: ReasonCode::SUCCESS,
                    properties: Properties::EMPTY,
                }
        }
        Packet::Disconnect(Disconnect { reason, .. }) => {
            matches!(
                *reason,
                ReasonCode::BAD_AUTHENTICATION_METHOD | ReasonCode::QOS_NOT_SUPPORTED
            )
        }
        _ => false,
    }
}
