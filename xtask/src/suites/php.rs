//! The suites of the PHP extension.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};

use super::{Run, Suite};
use crate::count;
use crate::install::{self, Need};
use crate::peers::certificates;
use crate::workspace;

/// What it takes to build and load the extension.
pub(crate) const NEEDS: &[Need] = &[
    Need::CCompiler,
    Need::Php,
    Need::PhpHeaders,
    Need::PhpFpm,
    Need::Libclang,
];

pub(super) const CLIPPY: Suite = Suite {
    name: "php-clippy",
    about: "no warning of the compiler, of clippy or of the documentation in the extension",
    needs: &[
        Need::CCompiler,
        Need::Php,
        Need::PhpHeaders,
        Need::Libclang,
        Need::Clippy,
    ],
    run: |run| {
        let arguments = [
            "clippy",
            "-p",
            "php-ext",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        run.check("cargo clippy", workspace::cargo()?.args(arguments))?;
        // All of it is private: PHP is who calls.
        let arguments = [
            "doc",
            "-p",
            "php-ext",
            "--no-deps",
            "--document-private-items",
        ];
        run.check(
            "cargo doc",
            workspace::cargo()?
                .args(arguments)
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    },
};

pub(super) const PHP: Suite = Suite {
    name: "php",
    about: "the extension, by PHP's own test runner, under the command line and under php-fpm",
    needs: NEEDS,
    run: |run| {
        build(run)?;
        run.counted(
            "run-tests.php",
            &mut Php::of_system()?.phpt(&extension()?, PARALLEL)?,
            count::php_run_tests,
        )
    },
};

/// Two tests at a time: most of them wait most of the time. Without the bar, each result has a line of its own.
pub(super) const PARALLEL: &[&str] = &["-j2", "--no-progress"];

/// Builds the extension and what its tests start.
pub(super) fn build(run: &mut Run) -> Result<()> {
    build_for_tests(run)?;
    run.prepare(
        "cargo build -p php-ext",
        workspace::cargo()?.args(["build", "-p", "php-ext"]),
    )
}

/// Builds what the tests of the extension start: the broker, and the program that makes certificates.
pub(super) fn build_for_tests(run: &mut Run) -> Result<()> {
    run.prepare(
        "cargo build -p mqtt-broker",
        workspace::cargo()?.args(["build", "-p", "mqtt-broker"]),
    )?;
    certificates::build(run)
}

/// The built extension.
pub(crate) fn extension() -> Result<PathBuf> {
    workspace::built("libphp_mqtt.so")
}

/// `php` with the extension and without the system's configuration.
pub(crate) fn php() -> Result<Command> {
    let mut command = Command::new(install::php().map_err(|error| anyhow!(error))?);
    let extension = extension()?;
    command
        .arg("-n")
        .arg("-d")
        .arg(format!("extension={}", extension.display()))
        .current_dir(workspace::root());
    Ok(command)
}

/// A PHP to test with.
#[derive(Debug)]
pub(super) struct Php {
    pub(super) php: PathBuf,
    /// Its `php-config`, where it is not the one on the path.
    pub(super) config: Option<PathBuf>,
    pub(super) fpm: PathBuf,
    /// Its `run-tests.php`.
    pub(super) runner: PathBuf,
}

impl Php {
    /// The one of the system.
    pub(super) fn of_system() -> Result<Self> {
        let found = |found: Result<PathBuf, String>| found.map_err(|error| anyhow!(error));
        Ok(Self {
            php: found(install::php())?,
            config: None,
            fpm: found(install::php_fpm())?,
            runner: found(install::run_tests_script())?,
        })
    }

    /// Builds the extension for it, into a target directory of its own with this name.
    pub(super) fn build_extension(&self, run: &mut Run, name: &str) -> Result<PathBuf> {
        let target = workspace::scratch(name)?;
        let mut cargo = workspace::cargo()?;
        cargo
            .args(["build", "-p", "php-ext"])
            .env("CARGO_TARGET_DIR", &target)
            .env("PHP", &self.php);
        if let Some(config) = &self.config {
            cargo.env("PHP_CONFIG", config);
        }
        run.prepare("cargo build -p php-ext", &mut cargo)?;
        Ok(target.join("debug/libphp_mqtt.so"))
    }

    /// Its test runner over all tests of the `extension`, with further `options` of the runner.
    pub(super) fn phpt(&self, extension: &Path, options: &[&str]) -> Result<Command> {
        let tests = workspace::root().join("php-ext/tests");
        let broker = workspace::built("mqtt-broker")?;
        let certificates = certificates::program()?;
        tests
            .is_dir()
            .then_some(())
            .with_context(|| format!("no tests in {}", tests.display()))?;
        let mut command = Command::new(&self.php);
        command
            .arg("-n")
            .arg(&self.runner)
            .args(["-q", "--no-color"])
            .args(options)
            .arg("-p")
            .arg(&self.php)
            .arg("-n");
        command
            .arg("-d")
            .arg(format!("extension={}", extension.display()))
            .arg(tests);
        // For the tests themselves: what to load into a PHP that they start, the broker to talk to, and the program that
        // makes certificates.
        command
            .env("TEST_PHP_EXTENSION", extension)
            .env("TEST_PHP_FPM", &self.fpm)
            .env("TEST_MQTT_BROKER", broker)
            .env("TEST_MQTT_CERTIFICATES", certificates);
        // Left to itself it asks, at the end, whether it may send a report.
        command
            .env("NO_INTERACTION", "1")
            .env("REPORT_EXIT_STATUS", "1")
            // Seconds: more than a test itself waits for what must come.
            .env("TEST_TIMEOUT", "300")
            .current_dir(workspace::root());
        Ok(command)
    }
}
