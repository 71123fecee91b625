//! Our own broker as a program.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{START_LIMIT, Server, log_in, private_folder};
use crate::process::Service;
use crate::workspace;

/// The line with which it says where it listens.
const LISTENING: &str = "listening on ";

/// Starts `mqtt-broker`, which has to be built, on a port that it chooses.
pub(crate) fn start() -> Result<Server> {
    start_program(&workspace::built("mqtt-broker")?)
}

/// The same, built for release.
pub(crate) fn start_release() -> Result<Server> {
    start_program(&workspace::built_for_release("mqtt-broker")?)
}

fn start_program(program: &Path) -> Result<Server> {
    let folder = private_folder()?;
    let mut command = Command::new(program);
    command.args(["--listen", "127.0.0.1:0"]);
    let service = Service::start("mqtt-broker", &mut command, &log_in(folder.path()))?;
    let address = service.wait_until("line `listening on …`", START_LIMIT, |service| {
        let log = service.log();
        log.lines()
            .find_map(|line| line.split_once(LISTENING)?.1.trim().parse().ok())
    })?;
    Ok(Server {
        address,
        service,
        _folder: folder,
    })
}
