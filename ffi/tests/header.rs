//! The committed header is the one the sources make, and C and C++ compilers accept it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{env, fs, path::Path, process::Command};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn generated() -> String {
    let config = cbindgen::Config::from_file(Path::new(ROOT).join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_crate(ROOT)
        .with_config(config)
        .generate()
        .unwrap()
        .write(&mut header);
    // The enumeration cannot have the name of the function that gives it, and its members shall not have a longer one.
    String::from_utf8(header)
        .unwrap()
        .replace("PMQ_EVENT_KIND_", "PMQ_EVENT_")
}

#[test]
fn the_committed_header_is_up_to_date() {
    let path = Path::new(ROOT).join("include/pushmq.h");
    let generated = generated();
    if env::var_os("PUSHMQ_WRITE_HEADER").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "include/pushmq.h has drifted: PUSHMQ_WRITE_HEADER=1 cargo test -p pushmq-ffi --test header"
    );
}

#[test]
fn the_header_is_strict_c99_and_cpp17() {
    for (compiler, args) in [
        ("cc", ["-std=c99", "-xc"]),
        ("c++", ["-std=c++17", "-xc++"]),
    ] {
        let output = Command::new(compiler)
            .args(args)
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"])
            .arg(Path::new(ROOT).join("include/pushmq.h"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{compiler}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
