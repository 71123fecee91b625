//! See `mqtt_fuzz::client_ops`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_fuzz::client_ops(data));
