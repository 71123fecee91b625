//! Repeats one operation, so that instructions and time can be counted from outside.
//!
//! `repeat decode 5.0 a_publish_64 1000`: under callgrind the difference between two numbers of rounds is free of what the
//! start of a process costs.

use std::{env, hint::black_box, io::IoSlice, process::ExitCode};

use bytes::{Buf, Bytes};
use mqtt_benches::cases::Case;
use mqtt_core::{Decoder, Encoder, Output, Packet, ProtocolVersion, Role};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [operation, version, case, rounds] = &arguments[..] else {
        return usage();
    };
    let version = ProtocolVersion::ALL
        .into_iter()
        .find(|known| known.to_string() == *version);
    let case = Case::ALL.into_iter().find(|known| known.name() == case);
    let (Some(version), Some(case), Ok(rounds)) = (version, case, rounds.parse()) else {
        return usage();
    };
    if !case.exists_in(version) {
        return usage();
    }
    match operation.as_str() {
        "decode" => decode(version, case, rounds),
        "encode" => encode(version, case, rounds),
        "gather" => gather(version, case, rounds),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let cases = Case::ALL.map(Case::name).join("|");
    eprintln!("repeat decode|encode|gather 3.1|3.1.1|5.0 {cases} ROUNDS");
    ExitCode::FAILURE
}

fn decode(version: ProtocolVersion, case: Case, rounds: u64) {
    let bytes = case.bytes(version);
    let known = (case != Case::Connect).then_some(version);
    for _ in 0..rounds {
        let mut decoder = Decoder::new(black_box(known), Role::Client);
        let found = decoder.next(black_box(&bytes));
        let Ok(Some((packet, _))) = black_box(&found) else {
            panic!("{found:?}");
        };
        match packet {
            Packet::Publish(publish) => publish.properties.iter().for_each(|property| {
                black_box(&property);
            }),
            Packet::Subscribe(subscribe) => subscribe.filters.iter().for_each(|filter| {
                black_box(&filter);
            }),
            _ => {}
        }
    }
}

fn gather(version: ProtocolVersion, case: Case, rounds: u64) {
    let encoder = Encoder::new(version, Role::Client);
    let mut output = Output::new();
    case.with_packet(version, |packet| {
        let Packet::Publish(publish) = packet else {
            return;
        };
        let payload = Bytes::copy_from_slice(publish.payload);
        for _ in 0..rounds {
            output.clear();
            encoder
                .encode_with_payload(black_box(publish), black_box(&payload), &mut output)
                .expect("a packet that can be sent");
            let mut slices = [IoSlice::new(&[]); 4];
            let filled = output.chunks_vectored(&mut slices);
            black_box(&slices[..filled]);
        }
    });
}

fn encode(version: ProtocolVersion, case: Case, rounds: u64) {
    let encoder = Encoder::new(version, Role::Client);
    let mut output = Output::new();
    case.with_packet(version, |packet| {
        for _ in 0..rounds {
            output.clear();
            encoder
                .encode(black_box(packet), &mut output)
                .expect("a packet that can be sent");
            black_box(output.chunk());
        }
    });
}
