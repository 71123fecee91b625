//! See `mqtt_fuzz::decode_packet`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_fuzz::decode_packet(data));
