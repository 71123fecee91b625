//! The suites that bring our broker and our client together with programs that we did not write.

mod mosquitto_tools;

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Run, Suite};
use crate::count;
use crate::install::Need;
use crate::peers::{self, Server};
use crate::workspace;

pub(super) const MOSQUITTO: Suite = Suite {
    name: "interop-mosquitto",
    about: "our broker with mosquitto_pub and mosquitto_sub, our client with the server mosquitto: 3.1, 3.1.1, 5, QoS 0 to 2",
    needs: &[Need::CCompiler, Need::Mosquitto, Need::MosquittoClients],
    run: |run| {
        build_broker(run)?;
        let ours = peers::ours::start()?;
        mosquitto_tools::against(run, &ours)?;
        run.note("mqtt-broker", &ours.log());
        let theirs = peers::mosquitto::start()?;
        let tested = client_tests(run, &theirs);
        run.note("mosquitto", &theirs.log());
        tested?;
        // The same tests against our own broker: where the two brokers differ, one of them is wrong.
        client_tests(run, &ours)
    },
};

pub(super) const PAHO: Suite = Suite {
    name: "interop-paho",
    about: "our broker with the Python client paho-mqtt: 3.1, 3.1.1, 5, QoS 0 to 2, sessions, offline queues",
    needs: &[Need::CCompiler, Need::Python, Need::Paho],
    run: |run| {
        build_broker(run)?;
        let ours = peers::ours::start()?;
        let result = run.counted("paho_checks.py", &mut paho(&ours)?, count::tap);
        run.note("mqtt-broker", &ours.log());
        result
    },
};

fn build_broker(run: &mut Run) -> Result<()> {
    run.prepare(
        "cargo build",
        workspace::cargo()?.args(["build", "-p", "mqtt-broker"]),
    )
}

/// The tests of `mqtt-client` that need a server.
fn client_tests(run: &mut Run, server: &Server) -> Result<()> {
    let mut cargo = workspace::cargo()?;
    cargo.args([
        "test",
        "--no-fail-fast",
        "-p",
        "mqtt-client",
        "--all-features",
        "--test",
        "interop",
        "--",
        "--ignored",
    ]);
    run.cargo_test_with(cargo.env("MQTT_SERVER", server.address().to_string()))
}

fn paho(server: &Server) -> Result<Command> {
    let script = workspace::root().join("xtask/interop/paho_checks.py");
    let mut python = Command::new(peers::paho::python().context("paho-mqtt is not installed")?);
    python
        .arg("-u")
        .arg(script)
        .arg(server.address().ip().to_string())
        .arg(server.address().port().to_string());
    Ok(python)
}
