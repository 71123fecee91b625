//! Compiles the C shim against the headers of the PHP that `php-config` (or `PHP_CONFIG`) belongs to.

use std::{env, process::Command};

const SOURCES: [&str; 4] = [
    "shim/classes.c",
    "shim/stream.c",
    "shim/values.c",
    "shim/zend.c",
];
const HEADERS: [&str; 2] = ["shim/shim.h", "shim/mqtt_arginfo.h"];

fn main() {
    let php_config = env::var("PHP_CONFIG").unwrap_or_else(|_| "php-config".to_owned());
    let output = Command::new(&php_config)
        .arg("--includes")
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {php_config} (from PHP's development package): {error}")
        });
    assert!(output.status.success(), "{php_config} --includes failed");
    let includes = String::from_utf8(output.stdout).expect("php-config prints UTF-8");

    let mut build = cc::Build::new();
    for include in includes
        .split_whitespace()
        .filter_map(|flag| flag.strip_prefix("-I"))
    {
        // As system headers: their warnings are not ours.
        build.flag("-isystem").flag(include);
    }
    build
        .files(SOURCES)
        .warnings(true)
        .flag_if_supported("-Wno-unused-parameter");
    build
        .flag_if_supported("-Wno-missing-field-initializers")
        .compile("mqtt_shim");

    // The background thread may outlive the module for an instant; its code must stay mapped.
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo::rerun-if-env-changed=PHP_CONFIG");
    for file in SOURCES.iter().chain(&HEADERS) {
        println!("cargo::rerun-if-changed={file}");
    }
}
