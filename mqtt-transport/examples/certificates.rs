//! Makes an authority and certificates for a server and a client on this machine, valid for a day, to try TLS with.
//!
//!     cargo run -p mqtt-transport --features certificates --example certificates -- DIRECTORY
//!
//! Writes `ca.pem`, `server.pem`, `server.key`, `client.pem` and `client.key`. The server may be called `localhost`,
//! 127.0.0.1 or ::1. To see what is said of flaws, it writes certificates and keys that have expired (`server-expired`,
//! `client-expired`), one that is not valid yet (`server-early`), and one that another authority has signed
//! (`client-stranger`).

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use mqtt_transport::certificates::{Authority, Purpose, Validity};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("which directory?")?;
    let directory = Path::new(&directory);
    let ours = &Authority::new("pushmq test authority");
    let others = &Authority::new("another test authority");
    write(&directory.join("ca.pem"), &ours.pem())?;
    for (name, authority, purpose, validity) in [
        ("server", ours, Purpose::Server, Validity::Now),
        ("client", ours, Purpose::Client, Validity::Now),
        ("server-expired", ours, Purpose::Server, Validity::Expired),
        ("client-expired", ours, Purpose::Client, Validity::Expired),
        ("server-early", ours, Purpose::Server, Validity::NotYet),
        ("client-stranger", others, Purpose::Client, Validity::Now),
    ] {
        let names: &[&str] = match purpose {
            Purpose::Server => &["localhost", "127.0.0.1", "::1"],
            Purpose::Client => &["pushmq-test-client"],
        };
        let certified = authority.sign(purpose, names, validity);
        write(&directory.join(format!("{name}.pem")), &certified.chain)?;
        write(&directory.join(format!("{name}.key")), &certified.key)?;
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
