//! Gives the shared library its SONAME, and keeps it where it was loaded.

use std::env;

/// The number of the binary interface: `pmq_abi`.
const ABI: u32 = 0;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(os.as_str(), "linux" | "android" | "freebsd") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libpushmq.so.{ABI}");
        // Its thread, one that looks up a name above all, may outlast a dlclose.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
