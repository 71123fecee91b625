//! The broker as a program, which can be killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::program::target_dir;

pub(crate) struct Broker {
    child: Child,
    address: String,
}

impl Broker {
    /// On a port that the system chooses.
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0", &[])
    }

    /// Elsewhere, or with further arguments.
    pub(crate) fn start_at(listen: &str, arguments: &[&str]) -> Self {
        let (child, address) = launch(listen, arguments);
        Self { child, address }
    }

    pub(crate) fn url(&self) -> String {
        if self.address.contains("://") {
            self.address.clone()
        } else {
            format!("mqtt://{}", self.address)
        }
    }

    /// As a crash: no goodbye.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// At the same address as before.
    pub(crate) fn restart(&mut self) {
        let (child, address) = launch(&self.address, &[]);
        assert_eq!(address, self.address);
        self.child = child;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(listen: &str, arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(program())
        .args(["--listen", listen, "--log-level", "off"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on ");
    (child, address.expect("where it listens").to_owned())
}

/// Built once: a test of one package does not build the programs of another.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = target_dir();
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "mqtt-broker"])
            .arg("--target-dir")
            .arg(&target)
            .status()
            .unwrap();
        assert!(status.success(), "cargo build --package mqtt-broker");
        target.join("debug/mqtt-broker")
    })
}
