//! See `mqtt_fuzz::joined_ops`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_fuzz::joined_ops(data));
