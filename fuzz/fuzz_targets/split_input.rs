//! See `mqtt_fuzz::split_input`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqtt_fuzz::split_input(data));
