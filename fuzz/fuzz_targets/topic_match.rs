//! See `mqtt_fuzz::topic_match`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_fuzz::topic_match(data));
