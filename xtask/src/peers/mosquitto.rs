//! Debian's Mosquitto: a server of our own making (own configuration, own port, no connection with the system's service), and
//! its two command line clients.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::certificates::Certificates;
use super::{START_LIMIT, Server, free_address, log_in, private_folder};
use crate::process::Service;
use crate::workspace::find_program;

/// Between asking for a free port and taking it, somebody else may take it.
const TRIES: usize = 3;

/// Starts a fresh Mosquitto without authentication and without persistence.
pub(crate) fn start() -> Result<Server> {
    start_with(None)
}

/// The same, listening with TLS and at a Unix socket besides. (Debian's knows no WebSocket.)
pub(crate) fn start_everywhere(certificates: &Certificates) -> Result<Server> {
    start_with(Some(certificates))
}

fn start_with(certificates: Option<&Certificates>) -> Result<Server> {
    let mut tries = 1;
    loop {
        match start_once(certificates) {
            Ok(server) => return Ok(server),
            Err(error) if tries < TRIES && error.to_string().contains("Address already in use") => {
                tries += 1
            }
            Err(error) => return Err(error),
        }
    }
}

fn start_once(certificates: Option<&Certificates>) -> Result<Server> {
    let program = find_program("mosquitto").context("no mosquitto command")?;
    let folder = private_folder()?;
    let address = free_address()?;
    let mut text = configuration(address);
    let mut others = Vec::new();
    if let Some(certificates) = certificates {
        let secure = free_address()?;
        let socket = folder.path().join("mosquitto.sock");
        text.push_str(&more_listeners(secure, &socket, certificates));
        others.push(format!("mqtts://{secure}"));
        others.push(format!("unix://{}", socket.display()));
    }
    let config = folder.path().join("mosquitto.conf");
    std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&config);
    let service = Service::start("mosquitto", &mut command, &log_in(folder.path()))?;
    service.wait_until("connection", START_LIMIT, |_| {
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
    })?;
    Ok(Server {
        address,
        others,
        service,
        _folder: folder,
    })
}

fn configuration(address: SocketAddr) -> String {
    format!(
        "listener {} {}\nallow_anonymous true\npersistence false\nlog_dest stdout\nlog_type all\n",
        address.port(),
        address.ip()
    )
}

fn more_listeners(secure: SocketAddr, socket: &Path, certificates: &Certificates) -> String {
    // Started as root it becomes another user, who could neither read the key nor make the socket.
    format!(
        "user root\nlistener 0 {}\nlistener {} {}\ncertfile {}\nkeyfile {}\n",
        socket.display(),
        secure.port(),
        secure.ip(),
        certificates.file("server.pem").display(),
        certificates.file("server.key").display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_on_the_loopback_alone() {
        let text = configuration("127.0.0.1:31883".parse().unwrap());
        assert!(text.starts_with("listener 31883 127.0.0.1\n"), "{text}");
    }
}
