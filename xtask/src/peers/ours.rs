//! Our own broker as a program.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::certificates::Certificates;
use super::{START_LIMIT, Server, log_in, private_folder};
use crate::process::Service;
use crate::workspace;

/// The line with which it says where it listens.
const LISTENING: &str = "listening on ";

/// Starts `mqtt-broker`, which has to be built, on a port that it chooses.
pub(crate) fn start() -> Result<Server> {
    start_program(&workspace::built("mqtt-broker")?, &[])
}

/// The same, listening with TLS, with WebSocket and with both besides. Who comes over
/// TLS must show a certificate if `demand` says so.
pub(crate) fn start_everywhere(certificates: &Certificates, demand: Demand) -> Result<Server> {
    let file = |name| certificates.file(name).to_string_lossy().into_owned();
    let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let mut arguments = vec!["--tls-cert", &cert, "--tls-key", &key];
    if demand == Demand::ClientCertificate {
        arguments.extend(["--tls-client-ca", &ca]);
    }
    for url in OTHERS {
        arguments.extend(["--listen", url]);
    }
    start_program(&workspace::built("mqtt-broker")?, &arguments)
}

/// What a listener with TLS demands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Demand {
    Nothing,
    ClientCertificate,
}

/// Where it listens beside plain TCP.
const OTHERS: [&str; 3] = [
    "mqtts://127.0.0.1:0",
    "ws://127.0.0.1:0",
    "wss://127.0.0.1:0",
];

/// The same, built for release.
pub(crate) fn start_release() -> Result<Server> {
    start_program(&workspace::built_for_release("mqtt-broker")?, &[])
}

fn start_program(program: &Path, more: &[&str]) -> Result<Server> {
    let folder = private_folder()?;
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0"]).args(more);
    let places = 1 + more
        .iter()
        .filter(|argument| **argument == "--listen")
        .count();
    let service = Service::start("mqtt-broker", &mut command, &log_in(folder.path()))?;
    let (address, others) =
        service.wait_until("line `listening on …`", START_LIMIT, |service| {
            let log = service.log();
            let mut told = log
                .lines()
                .filter_map(|line| Some(line.strip_prefix(LISTENING)?.trim().to_owned()));
            let address = told.next()?.parse().ok()?;
            let others: Vec<_> = told.collect();
            (others.len() + 1 == places).then_some((address, others))
        })?;
    Ok(Server {
        address,
        others,
        service,
        _folder: folder,
    })
}
