//! The bodies of the fuzz targets. Each asserts what must hold for all input, not only that nothing panics.
//!
//! | target | input | what must hold |
//! | --- | --- | --- |
//! | `decode_packet` | bytes | refused with a rule and a Reason Code, incomplete, or a packet whose every part keeps its rule |
//! | `encode_packet` | fields of a packet | what is encoded is accepted and says the same; with a byte changed it stands `decode_packet` and `roundtrip` |
//! | `roundtrip` | bytes | what decodes is encoded to bytes that say the same, the same ones or fewer |
//! | `split_input` | bytes and sizes of pieces | however a stream is cut, the same packets and the same error |
//! | `client_ops` | calls of an application, packets of a server | the client keeps the standard, its bounds and its promises, seen by the bytes it takes and gives |
//! | `server_ops` | calls of an owner, packets of a client | likewise the server's end, through the connections of a session |
//! | `joined_ops` | what happens to a client, a server and the network between them | every promise of QoS is kept once the network is up again |
//! | `topic_match` | filters and names | filters and trie say what a slow and obvious matcher says |
//!
//! `cargo xtask fuzz` runs them on the stable toolchain: no crate that is fuzzed has unsafe code, so no sanitizer is needed
//! but the compiler's own checks. `cargo test` replays the seeds, also cut short at each byte. A finding becomes a seed, and
//! a named test in `mqtt-core`.

mod client_ops;
mod decode_packet;
mod encode_packet;
mod joined_ops;
mod outcomes;
mod parts;
mod peer_packet;
mod roundtrip;
mod server_ops;
mod setting;
mod split_input;
mod topic_match;
mod watch;

pub use self::{
    client_ops::client_ops, decode_packet::decode_packet, encode_packet::encode_packet,
    joined_ops::joined_ops, roundtrip::roundtrip, server_ops::server_ops, split_input::split_input,
    topic_match::topic_match,
};

#[cfg(test)]
mod faults;
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
    fn encode_packet() {
        replay("encode_packet", super::encode_packet);
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

    #[test]
    fn client_ops() {
        replay("client_ops", super::client_ops);
    }

    #[test]
    fn server_ops() {
        replay("server_ops", super::server_ops);
    }

    #[test]
    fn joined_ops() {
        replay("joined_ops", super::joined_ops);
    }

    #[test]
    fn topic_match() {
        replay("topic_match", super::topic_match);
    }
}
