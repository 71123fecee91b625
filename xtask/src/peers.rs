//! The servers and clients that our own are tried against, and our own server as a program.

pub(crate) mod certificates;
pub(crate) mod mosquitto;
pub(crate) mod ours;
pub(crate) mod paho;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// Longest time for a server to be ready.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A folder that only we can read, removed when dropped.
pub(crate) fn private_folder() -> Result<TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .prefix("pushmq-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .context("cannot make a folder for temporary files")
}

/// An address on the loopback that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on the loopback")?;
    listener
        .local_addr()
        .context("a listening socket has no address")
}

/// A server, ready for connections, that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// Where else it listens, as URLs.
    others: Vec<String>,
    service: crate::process::Service,
    // Dropped, and with it removed, after the server has ended.
    _folder: TempDir,
}

impl Server {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    pub(crate) fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    /// Where it speaks something else than plain TCP, by the scheme of the URL.
    pub(crate) fn url_of(&self, scheme: &str) -> Result<&str> {
        let found = self.others.iter().find(|url| url.starts_with(scheme));
        found
            .map(String::as_str)
            .with_context(|| format!("the server does not listen on {scheme}"))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.service.id()
    }

    /// What it printed so far.
    pub(crate) fn log(&self) -> String {
        self.service.log()
    }
}

fn log_in(folder: &Path) -> std::path::PathBuf {
    folder.join("log")
}
