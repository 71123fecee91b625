//! The library about itself.

use std::ffi::{CStr, c_char};
use std::time::Duration;

use mqtt_client::{ReasonCode, background};

use crate::error::Error;
use crate::status::Status;
use crate::{guard, log};

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// What pmq_features tells: this build of the library does TLS.
pub const PMQ_FEATURE_TLS: u32 = 1;
/// What pmq_features tells: this build of the library does WebSocket.
pub const PMQ_FEATURE_WEBSOCKET: u32 = 2;
/// What pmq_features tells: this build of the library goes through proxies.
pub const PMQ_FEATURE_PROXY: u32 = 4;

/// The version of the library, such as "0.1.0". Static text: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_version() -> *const c_char {
    guard::query(c"".as_ptr(), || Some(VERSION.as_ptr()))
}

/// The version as a number, to be compared: 0x010203 is 1.2.3.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_version_number() -> u32 {
    guard::query(0, || {
        let part = |text: &str| text.parse::<u32>().ok();
        let major = part(env!("CARGO_PKG_VERSION_MAJOR"))?;
        let minor = part(env!("CARGO_PKG_VERSION_MINOR"))?;
        let patch = part(env!("CARGO_PKG_VERSION_PATCH"))?;
        Some(major << 16 | minor << 8 | patch)
    })
}

/// The number of the binary interface, which is that of the SONAME. It grows when a program must be compiled anew.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_abi() -> u32 {
    guard::query(0, || Some(0))
}

/// What this build can do beside plain TCP: PMQ_FEATURE_TLS, PMQ_FEATURE_WEBSOCKET and PMQ_FEATURE_PROXY, each or
/// none.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_features() -> u32 {
    guard::query(0, || {
        let tls = u32::from(cfg!(feature = "tls")) * PMQ_FEATURE_TLS;
        let websocket = u32::from(cfg!(feature = "websocket")) * PMQ_FEATURE_WEBSOCKET;
        let proxy = u32::from(cfg!(feature = "proxy")) * PMQ_FEATURE_PROXY;
        Some(tls | websocket | proxy)
    })
}

/// The name of a pmq_status as written in this header, or "unknown status". Static text: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_status_name(status: i32) -> *const c_char {
    guard::query(c"".as_ptr(), || Some(Status::name(status).as_ptr()))
}

/// The standard's name of an MQTT Reason Code, such as "Not authorized", or "unknown". Static text: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn pmq_reason_name(reason: u8) -> *const c_char {
    guard::query(c"".as_ptr(), || Some(reason_name(reason).as_ptr()))
}

/// Tells whether an MQTT Reason Code means failure (0x80 and above).
#[unsafe(no_mangle)]
pub extern "C" fn pmq_reason_is_error(reason: u8) -> bool {
    guard::query(false, || Some(ReasonCode::new(reason).is_error()))
}

/// Ends every client of this process and the library's thread, within about `timeout_ms`: publishes are flushed, connections
/// closed in good order, the thread joined, and what pmq_set_log was given let go of. Nothing has to call it; it is for the end
/// of a program that wants nothing left running. Handles stay valid and are to be freed as always. A client made later begins
/// anew. (dlclose alone ends nothing: it leaves the library where it is.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_shutdown(timeout_ms: u32, error: *mut *mut Error) -> Status {
    let body = || {
        background::shutdown(Duration::from_millis(u64::from(timeout_ms)));
        log::unset();
        Ok(())
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::call(error, body) }
}

/// The names of the core, which are no C strings.
fn reason_name(reason: u8) -> &'static CStr {
    match reason {
        0x00 => c"Success",
        0x01 => c"Granted QoS 1",
        0x02 => c"Granted QoS 2",
        0x04 => c"Disconnect with Will Message",
        0x10 => c"No matching subscribers",
        0x11 => c"No subscription existed",
        0x18 => c"Continue authentication",
        0x19 => c"Re-authenticate",
        0x80 => c"Unspecified error",
        0x81 => c"Malformed Packet",
        0x82 => c"Protocol Error",
        0x83 => c"Implementation specific error",
        0x84 => c"Unsupported Protocol Version",
        0x85 => c"Client Identifier not valid",
        0x86 => c"Bad User Name or Password",
        0x87 => c"Not authorized",
        0x88 => c"Server unavailable",
        0x89 => c"Server busy",
        0x8A => c"Banned",
        0x8B => c"Server shutting down",
        0x8C => c"Bad authentication method",
        0x8D => c"Keep Alive timeout",
        0x8E => c"Session taken over",
        0x8F => c"Topic Filter invalid",
        0x90 => c"Topic Name invalid",
        0x91 => c"Packet Identifier in use",
        0x92 => c"Packet Identifier not found",
        0x93 => c"Receive Maximum exceeded",
        0x94 => c"Topic Alias invalid",
        0x95 => c"Packet too large",
        0x96 => c"Message rate too high",
        0x97 => c"Quota exceeded",
        0x98 => c"Administrative action",
        0x99 => c"Payload format invalid",
        0x9A => c"Retain not supported",
        0x9B => c"QoS not supported",
        0x9C => c"Use another server",
        0x9D => c"Server moved",
        0x9E => c"Shared Subscriptions not supported",
        0x9F => c"Connection rate exceeded",
        0xA0 => c"Maximum connect time",
        0xA1 => c"Subscription Identifiers not supported",
        0xA2 => c"Wildcard Subscriptions not supported",
        _ => c"unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_codes_have_the_names_of_the_core() {
        for reason in 0..=u8::MAX {
            let ours = reason_name(reason).to_str();
            assert_eq!(ours, Ok(ReasonCode::new(reason).name()), "{reason:#04X}");
        }
    }
}
