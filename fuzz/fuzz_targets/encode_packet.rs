//! See `mqtt_fuzz::encode_packet`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_fuzz::encode_packet(data));
