//! Makes an authority and certificates for a server and a client on this machine, valid for a day, to try TLS with.
//!
//!     cargo run -p mqtt-transport --features certificates --example certificates -- DIRECTORY
//!
//! Writes `ca.pem`, `server.pem`, `server.key`, `client.pem` and `client.key`. The server may be called `localhost`,
//! 127.0.0.1 or ::1.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use mqtt_transport::certificates::Authority;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("which directory?")?;
    let directory = Path::new(&directory);
    let authority = Authority::new("pushmq test authority");
    let server = authority.server(&["localhost", "127.0.0.1", "::1"]);
    let client = authority.client("pushmq-test-client");
    for (name, text) in [
        ("ca.pem", &authority.pem()),
        ("server.pem", &server.chain),
        ("server.key", &server.key),
        ("client.pem", &client.chain),
        ("client.key", &client.key),
    ] {
        write(&directory.join(name), text)?;
    }
    Ok(())
}

/// Writes a file that only its owner can read. One that is there already is left alone.
fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}
