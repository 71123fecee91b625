//! The gather buffer.

#[cfg(feature = "std")]
use std::io::IoSlice;

use bytes::{Buf, Bytes};
use mqtt_core::{
    Delivery, EncodeError, Encoder, MaximumPacketSize, Output, Packet, PacketId, Properties,
    ProtocolVersion, Publish, Role, TopicName,
};

use super::{bytes, contents};

fn publish() -> Publish<'static> {
    Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtLeastOnce(PacketId::MIN),
        topic: Some(TopicName::new("a").unwrap()),
        payload: &[],
        properties: Properties::EMPTY,
    }
}

const ENCODER: Encoder = Encoder::new(ProtocolVersion::V5, Role::Client);

#[cfg(feature = "std")]
#[test]
fn large_payload_is_referenced_behind_its_header() {
    let payload = Bytes::from(vec![7; 5_000]);
    let mut output = Output::new();
    ENCODER.encode(&Packet::Pingreq, &mut output).unwrap();
    ENCODER
        .encode_with_payload(&publish(), &payload, &mut output)
        .unwrap();
    ENCODER.encode(&Packet::Pingreq, &mut output).unwrap();

    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(output.chunks_vectored(&mut slices), 3);
    // 5,006 is 0x0E and 0x27 times 128.
    assert_eq!(*slices[0], bytes("C0 00 32 8E 27 00 01 61 00 01 00"));
    assert_eq!(
        (slices[1].as_ptr(), slices[1].len()),
        (payload.as_ptr(), 5_000),
        "not a copy"
    );
    assert_eq!(*slices[2], bytes("C0 00"));
    assert_eq!(output.len(), 11 + 5_000 + 2);
    let mut few = [IoSlice::new(&[]); 2];
    assert_eq!(output.chunks_vectored(&mut few), 2);
    assert_eq!(output.chunks_vectored(&mut []), 0);
}

#[cfg(feature = "std")]
#[test]
fn small_payload_is_copied() {
    let payload = Bytes::from(vec![7; 4_095]);
    let mut output = Output::new();
    ENCODER
        .encode_with_payload(&publish(), &payload, &mut output)
        .unwrap();
    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(output.chunks_vectored(&mut slices), 1);
    assert_eq!(output.chunk().len(), output.len());
}

#[cfg(feature = "std")]
#[test]
fn payload_of_4_kib_is_referenced() {
    let payload = Bytes::from(vec![7; 4_096]);
    let mut output = Output::new();
    ENCODER
        .encode_with_payload(&publish(), &payload, &mut output)
        .unwrap();
    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(output.chunks_vectored(&mut slices), 2);
    assert_eq!(slices[1].as_ptr(), payload.as_ptr(), "not a copy");
}

#[test]
fn v5_mqtt_3_3_1_2_dup_at_qos_0_is_refused_with_a_referenced_payload_too() {
    let publish = Publish {
        dup: true,
        delivery: Delivery::AtMostOnce,
        ..publish()
    };
    let mut output = Output::new();
    assert_eq!(
        ENCODER.encode_with_payload(&publish, &Bytes::from(vec![7; 5_000]), &mut output),
        Err(EncodeError::DupAtQos0)
    );
    assert!(output.is_empty());
}

#[test]
fn both_ways_of_giving_a_payload_are_the_same_bytes() {
    for len in [0, 1, 4_095, 4_096, 70_000] {
        let payload = Bytes::from(vec![7; len]);
        let mut referenced = Output::new();
        ENCODER
            .encode_with_payload(&publish(), &payload, &mut referenced)
            .unwrap();
        let mut copied = Output::new();
        ENCODER
            .encode(
                &Packet::Publish(Publish {
                    payload: &payload,
                    ..publish()
                }),
                &mut copied,
            )
            .unwrap();
        assert_eq!(contents(&mut referenced), contents(&mut copied));
    }
}

#[test]
fn failed_encode_with_payload_leaves_the_output_alone() {
    let limited = Encoder {
        maximum_packet_size: MaximumPacketSize::new(5_000),
        ..ENCODER
    };
    let mut output = Output::new();
    ENCODER.encode(&Packet::Pingreq, &mut output).unwrap();
    let payload = Bytes::from(vec![7; 5_000]);
    assert!(
        limited
            .encode_with_payload(&publish(), &payload, &mut output)
            .is_err()
    );
    assert_eq!(contents(&mut output), bytes("C0 00"));
}

/// What a vectored write is given.
#[cfg(feature = "std")]
fn gathered(output: &Output) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 200];
    let filled = output.chunks_vectored(&mut slices);
    slices[..filled]
        .iter()
        .flat_map(|slice| slice.to_vec())
        .collect()
}

/// Whatever is taken off the front and whenever more is added, the bytes that come out are those that went in.
#[test]
fn bytes_come_out_as_they_went_in() {
    for step in [1, 2, 3, 7, 720, 1_000, 4_096, 5_003, 12_345] {
        let (mut output, mut taken, mut expected) = (Output::new(), Vec::new(), Vec::new());
        for round in 0..60_u8 {
            let payload = Bytes::from(vec![
                round;
                if round % 3 == 0 {
                    4_096 + usize::from(round)
                } else {
                    100
                }
            ]);
            ENCODER
                .encode_with_payload(&publish(), &payload, &mut output)
                .unwrap();
            let mut once = Output::new();
            ENCODER
                .encode_with_payload(&publish(), &payload, &mut once)
                .unwrap();
            expected.extend(contents(&mut once));
            // So that something always waits behind what is taken; with the larger steps it runs empty again and again.
            let takes = if round < 10 { 0 } else { 2 };
            for _ in 0..takes {
                #[cfg(feature = "std")]
                assert!(gathered(&output) == expected[taken.len()..], "step {step}");
                let count = step.min(output.remaining());
                let mut buffer = vec![0; count];
                output.copy_to_slice(&mut buffer);
                taken.extend(buffer);
            }
        }
        while output.has_remaining() {
            let chunk = output.chunk().to_vec();
            assert!(!chunk.is_empty());
            output.advance(chunk.len());
            taken.extend(chunk);
        }
        assert!(output.is_empty() && output.chunk().is_empty());
        assert!(taken == expected, "step {step}");
    }
}

#[test]
fn clear_drops_everything() {
    let mut output = Output::new();
    ENCODER
        .encode_with_payload(&publish(), &Bytes::from(vec![7; 5_000]), &mut output)
        .unwrap();
    output.advance(3);
    output.clear();
    assert!(output.is_empty());
    assert_eq!(output.len(), 0);
    ENCODER.encode(&Packet::Pingreq, &mut output).unwrap();
    assert_eq!(contents(&mut output), bytes("C0 00"));
}

#[test]
#[should_panic(expected = "cannot take 3 bytes of 2")]
fn taking_more_than_there_is() {
    let mut output = Output::new();
    ENCODER.encode(&Packet::Pingreq, &mut output).unwrap();
    output.advance(3);
}

#[test]
fn debug_output_shows_how_much_waits_and_never_what() {
    let mut output = Output::new();
    ENCODER.encode(&Packet::Pingreq, &mut output).unwrap();
    let payload = Bytes::from(vec![b'x'; 5_000]);
    ENCODER
        .encode_with_payload(&publish(), &payload, &mut output)
        .unwrap();
    assert_eq!(
        format!("{output:?}"),
        "Output { len: 5011, large_payloads: 1 }"
    );
    ENCODER
        .encode_with_payload(&publish(), &payload, &mut output)
        .unwrap();
    output.advance(5_011);
    assert_eq!(
        format!("{output:?}"),
        "Output { len: 5009, large_payloads: 1 }"
    );
}
