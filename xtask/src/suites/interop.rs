//! The suites that bring our broker and our client together with programs that we did not write.

mod mosquitto_tools;

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Run, Suite};
use crate::count;
use crate::install::Need;
use crate::peers;
use crate::peers::certificates::Certificates;
use crate::peers::ours::Demand;
use crate::workspace;

pub(super) const MOSQUITTO: Suite = Suite {
    name: "interop-mosquitto",
    about: "our broker with mosquitto_pub and mosquitto_sub, our client with the server mosquitto: 3.1, 3.1.1, 5, \
            QoS 0 to 2, TCP, TLS, Unix sockets",
    needs: &[Need::CCompiler, Need::Mosquitto, Need::MosquittoClients],
    run: |run| {
        build_broker(run)?;
        let certificates = Certificates::make(run)?;
        let ours = peers::ours::start_everywhere(&certificates, Demand::Nothing)?;
        mosquitto_tools::against(run, &ours)?;
        mosquitto_tools::over_tls(run, &ours, &certificates)?;
        run.note("mqtt-broker", &ours.log());
        let closed = peers::ours::start_everywhere(&certificates, Demand::ClientCertificate)?;
        mosquitto_tools::with_client_certificate(run, &closed, &certificates)?;
        run.note("mqtt-broker with client certificates", &closed.log());
        let theirs = peers::mosquitto::start_everywhere(&certificates)?;
        let tested = client_tests(run, &theirs.url(), &certificates)
            .and_then(|()| client_tests(run, theirs.url_of("mqtts")?, &certificates))
            .and_then(|()| client_tests(run, theirs.url_of("unix")?, &certificates));
        run.note("mosquitto", &theirs.log());
        tested?;
        // The same tests against our own broker: where the two brokers differ, one of them is wrong.
        client_tests(run, &ours.url(), &certificates)
    },
};

pub(super) const PAHO: Suite = Suite {
    name: "interop-paho",
    about: "our broker with the Python client paho-mqtt: 3.1, 3.1.1, 5, QoS 0 to 2, sessions, offline queues, TLS, WebSocket",
    needs: &[Need::CCompiler, Need::Python, Need::Paho],
    run: |run| {
        build_broker(run)?;
        let certificates = Certificates::make(run)?;
        let ours = peers::ours::start_everywhere(&certificates, Demand::Nothing)?;
        let mut checked = paho(run, &ours.url(), &certificates);
        for scheme in ["mqtts", "ws", "wss"] {
            checked = checked.and_then(|()| paho(run, ours.url_of(scheme)?, &certificates));
        }
        run.note("mqtt-broker", &ours.log());
        checked
    },
};

fn build_broker(run: &mut Run) -> Result<()> {
    run.prepare(
        "cargo build",
        workspace::cargo()?.args(["build", "-p", "mqtt-broker"]),
    )
}

/// The tests of `mqtt-client` that need a server.
fn client_tests(run: &mut Run, url: &str, certificates: &Certificates) -> Result<()> {
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
    cargo.env("MQTT_SERVER", url);
    if url.starts_with("mqtts:") {
        cargo.env("MQTT_CA", certificates.file("ca.pem"));
    }
    run.cargo_test_with(&mut cargo)
}

fn paho(run: &mut Run, url: &str, certificates: &Certificates) -> Result<()> {
    let script = workspace::root().join("xtask/interop/paho_checks.py");
    let mut python = Command::new(peers::paho::python().context("paho-mqtt is not installed")?);
    python
        .arg("-u")
        .arg(script)
        .arg(url)
        .arg(certificates.file("ca.pem"));
    run.counted(&format!("paho_checks.py {url}"), &mut python, count::tap)
}
