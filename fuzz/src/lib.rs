//! The bodies of the fuzz targets. Each asserts what must hold for all input, not only that nothing panics.
//!
//! Run one with `cargo fuzz run -s none decode_packet fuzz/corpus/decode_packet fuzz/seeds/decode_packet`, which works on
//! the stable toolchain since no crate that is fuzzed has unsafe code. `cargo test` replays the seeds; each finding
//! becomes one.

mod decode_packet;
mod roundtrip;
mod setting;
mod split_input;

pub use self::{decode_packet::decode_packet, roundtrip::roundtrip, split_input::split_input};

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn replay(name: &str, body: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(name);
        let mut replayed = 0;
        for entry in fs::read_dir(&folder).expect("a folder of seeds") {
            let path = entry.expect("an entry").path();
            let seed = fs::read(&path).expect("a seed");
            // So that a failure tells which seed it was.
            println!("{}", path.display());
            body(&seed);
            for end in 0..seed.len().min(64) {
                body(&seed[..end]);
            }
            replayed += 1;
        }
        assert!(replayed > 0, "no seeds in {}", folder.display());
    }

    #[test]
    fn decode_packet() {
        replay("decode_packet", super::decode_packet);
    }

    #[test]
    fn roundtrip() {
        // Whatever decodes must survive the round trip, so the same seeds serve.
        replay("decode_packet", super::roundtrip);
        replay("roundtrip", super::roundtrip);
    }

    #[test]
    fn split_input() {
        replay("split_input", super::split_input);
    }
}
