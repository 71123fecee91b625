//! Decoding and encoding of single packets.

use std::hint::black_box;

use bytes::{Buf, Bytes};
use criterion::{Criterion, criterion_group, criterion_main};
use mqtt_benches::cases::{Case, five_properties};
use mqtt_core::{Decoder, Encoder, Output, Packet, Properties, ProtocolVersion, Publish, Role};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::V3_1_1, ProtocolVersion::V5];

fn cases() -> impl Iterator<Item = (ProtocolVersion, Case)> {
    VERSIONS
        .into_iter()
        .flat_map(|version| Case::ALL.map(|case| (version, case)))
        .filter(|(version, case)| case.exists_in(*version))
}

fn decode(c: &mut Criterion) {
    for (version, case) in cases() {
        let bytes = case.bytes(version);
        let mut decoder = Decoder::new((case != Case::Connect).then_some(version), Role::Client);
        c.bench_function(
            &format!("decode/{version}/{}/pushmq", case.name()),
            |bencher| {
                bencher.iter(|| {
                    decoder.version = (case != Case::Connect).then_some(version);
                    black_box(decoder.next(black_box(&bytes))).is_ok()
                });
            },
        );
    }
}

/// As what receives a packet does: every property and every filter is looked at.
fn decode_and_read(c: &mut Criterion) {
    for (version, case) in
        cases().filter(|(_, case)| matches!(case, Case::PublishWithProperties | Case::Subscribe))
    {
        let bytes = case.bytes(version);
        let decoder = Decoder::new(Some(version), Role::Client);
        c.bench_function(
            &format!("decode_and_read/{version}/{}/pushmq", case.name()),
            |bencher| {
                bencher.iter(|| match decoder.decode(black_box(&bytes)) {
                    Ok(Packet::Publish(publish)) => {
                        publish.properties.iter().for_each(|property| {
                            black_box(property);
                        })
                    }
                    Ok(Packet::Subscribe(subscribe)) => {
                        subscribe.filters.iter().for_each(|filter| {
                            black_box(filter);
                        })
                    }
                    other => panic!("{other:?}"),
                });
            },
        );
    }
}

fn encode(c: &mut Criterion) {
    for (version, case) in cases() {
        let encoder = Encoder::new(version, Role::Client);
        let mut output = Output::new();
        case.with_packet(version, |packet| {
            c.bench_function(
                &format!("encode/{version}/{}/pushmq", case.name()),
                |bencher| {
                    bencher.iter(|| {
                        output.clear();
                        encoder
                            .encode(black_box(packet), &mut output)
                            .expect("a packet that can be sent");
                        black_box(output.chunk().len())
                    });
                },
            );
        });
    }
}

/// With the payload by reference, as a client sends it.
fn encode_gather(c: &mut Criterion) {
    let payload = Bytes::from(vec![b'x'; 16 * 1024]);
    for version in VERSIONS {
        let encoder = Encoder::new(version, Role::Client);
        let mut output = Output::new();
        Case::LargePublish.with_packet(version, |packet| {
            let Packet::Publish(publish) = packet else {
                unreachable!("the case is a PUBLISH")
            };
            c.bench_function(
                &format!("encode_gather/{version}/b_publish_16k/pushmq"),
                |bencher| {
                    bencher.iter(|| {
                        output.clear();
                        encoder
                            .encode_with_payload(black_box(publish), &payload, &mut output)
                            .expect("a packet that can be sent");
                        black_box(output.remaining())
                    });
                },
            );
        });
    }
}

/// From text and numbers instead of from a finished packet: the checks of the types are part of it.
fn build_and_encode(c: &mut Criterion) {
    let payload = [b'x'; 64];
    let items = five_properties();
    for version in VERSIONS {
        let encoder = Encoder::new(version, Role::Client);
        for (name, items) in [
            ("a_publish_64", &[][..]),
            ("c_publish_properties", &items[..]),
        ] {
            if version == ProtocolVersion::V3_1_1 && !items.is_empty() {
                continue;
            }
            let mut output = Output::new();
            c.bench_function(
                &format!("build_and_encode/{version}/{name}/pushmq"),
                |bencher| {
                    bencher.iter(|| {
                        output.clear();
                        let topic =
                            mqtt_core::TopicName::new(black_box("devices/0123456789/temperature"));
                        let publish = Publish {
                            dup: false,
                            retain: false,
                            delivery: mqtt_core::Delivery::AtLeastOnce(mqtt_core::PacketId::MIN),
                            topic: topic.ok(),
                            payload: &payload,
                            properties: Properties::new(black_box(items)),
                        };
                        encoder
                            .encode(&Packet::Publish(publish), &mut output)
                            .expect("a packet that can be sent");
                        black_box(output.chunk().len())
                    });
                },
            );
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(500));
    targets = decode, decode_and_read, encode, encode_gather, build_and_encode
}
criterion_main!(benches);
