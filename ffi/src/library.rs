//! The library about itself.

use std::ffi::{CStr, c_char};

use mqtt_core::ReasonCode;

use crate::status::Status;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library, such as "0.1.0". Static text: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The number of the binary interface. It grows when a program must be compiled anew.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_abi() -> u32 {
    0
}

/// The name of a `pmq_status` as written in this header, or "unknown status". Static text: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_status_name(status: i32) -> *const c_char {
    Status::name(status).as_ptr()
}

/// Tells whether an MQTT Reason Code means failure (0x80 and above).
#[unsafe(no_mangle)]
pub extern "C" fn pmq_reason_is_error(reason: u8) -> bool {
    ReasonCode::new(reason).is_error()
}
