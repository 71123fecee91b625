//! The suites of `cargo xtask nightly`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::php::Php;
use super::php_source::{self, Flavour};
use super::{Run, Suite, demo, fuzz, php, php_threads};
use crate::bench::{idle, silent};
use crate::count;
use crate::demo::Options;
use crate::install::{self, Need};
use crate::peers;
use crate::peers::certificates::Certificates;
use crate::peers::ours::{self, Demand};
use crate::workspace::{self, find_program};

/// The crates that others depend on, which have to build with every set of their features.
const LIBRARIES: [&str; 5] = [
    "mqtt-core",
    "mqtt-transport",
    "mqtt-client",
    "mqtt-broker",
    "pushmq-ffi",
];

/// How often the whole demo is shown at each broker.
const REPEATED: usize = 5;

/// All of them.
pub(crate) const ALL: &[Suite] = &[
    RELEASE,
    FEATURES,
    OLDEST_RUST,
    fuzz::LONG,
    STUB,
    DEBUG,
    ZTS,
    VALGRIND,
    SILENT,
    DEMO_AGAIN,
];

const RELEASE: Suite = Suite {
    name: "release",
    about: "release builds of everything, and the tests in them, those of the extension included",
    needs: php::NEEDS,
    run: |run| {
        run.check(
            "cargo build --release",
            workspace::cargo()?.args(["build", "--release"]),
        )?;
        run.check(
            "cargo build --release -p php-ext",
            workspace::cargo()?.args(["build", "--release", "-p", "php-ext"]),
        )?;
        run.cargo_test(&[
            "--release",
            "-p",
            "mqtt-core",
            "-p",
            "mqtt-client",
            "-p",
            "mqtt-broker",
            "--all-features",
        ])?;
        // What users are told to build. The broker that the tests start is the everyday one.
        php::build_for_tests(run)?;
        let extension = workspace::built_for_release("libphp_mqtt.so")?;
        run.counted(
            "run-tests.php",
            &mut Php::of_system()?.phpt(&extension, php::PARALLEL)?,
            count::php_run_tests,
        )
    },
};

const FEATURES: Suite = Suite {
    name: "features",
    about: "each library alone: without features, with the default ones, with all",
    needs: &[Need::CCompiler],
    run: |run| {
        for library in LIBRARIES {
            for features in [Some("--no-default-features"), None, Some("--all-features")] {
                let mut cargo = workspace::cargo()?;
                cargo
                    .args(["check", "-p", library])
                    .args(features)
                    .env("RUSTFLAGS", "-D warnings");
                // Other flags, so a place of its own: the everyday builds stay.
                cargo.env("CARGO_TARGET_DIR", workspace::scratch("features")?);
                run.check(
                    &format!("{library} {}", features.unwrap_or("with default features")),
                    &mut cargo,
                )?;
            }
        }
        Ok(())
    },
};

const OLDEST_RUST: Suite = Suite {
    name: "oldest-rust",
    about: "the Rust version that the workspace promises still builds it (installs that toolchain with rustup)",
    needs: &[Need::CCompiler],
    run: |run| {
        let version = oldest_rust()?;
        let rustup =
            find_program("rustup").context("no rustup command, which can install another Rust")?;
        // Asking to install what is there already goes to the network all the same.
        if !is_installed(&rustup, &version)? {
            let mut install = Command::new(&rustup);
            install.args([
                "toolchain",
                "install",
                &version,
                "--profile",
                "minimal",
                "--no-self-update",
            ]);
            run.prepare(&format!("Rust {version}"), &mut install)?;
        }
        let mut check = Command::new(&rustup);
        check.args([
            "run",
            &version,
            "cargo",
            "check",
            "--workspace",
            "--exclude",
            "php-ext",
            "--locked",
        ]);
        check
            .current_dir(workspace::root())
            .env("CARGO_TARGET_DIR", workspace::scratch("oldest-rust")?);
        check
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO")
            .env_remove("RUSTC");
        run.check(&format!("cargo check with Rust {version}"), &mut check)
    },
};

const STUB: Suite = Suite {
    name: "php-stub",
    about: "the extension's C declarations are those that its stub makes",
    needs: &[Need::Php, Need::PhpHeaders, Need::PhpParser],
    run: |run| {
        let php = install::php().map_err(|error| anyhow!(error))?;
        let mut check = Command::new(php);
        // With the system's settings: PHP-Parser needs the extension tokenizer, which they load.
        check
            .args(["php-ext/shim/generate.php", "--check"])
            .current_dir(workspace::root());
        run.check("generate.php --check", &mut check)
    },
};

/// What it takes to build PHP itself.
const SOURCE_NEEDS: &[Need] = &[
    Need::CCompiler,
    Need::Make,
    Need::Xz,
    Need::Php,
    Need::Libclang,
];

const DEBUG: Suite = Suite {
    name: "php-debug",
    about: "the extension's tests with a debug PHP, which tells of leaks and broken rules (builds it from Debian's source)",
    needs: SOURCE_NEEDS,
    run: |run| {
        let flavour = Flavour {
            name: "php-debug",
            options: &[],
        };
        in_built_php(run, flavour).map(drop)
    },
};

const ZTS: Suite = Suite {
    name: "php-zts",
    about: "the same with a thread-safe debug PHP, and requests in several threads at once",
    needs: SOURCE_NEEDS,
    run: |run| {
        let flavour = Flavour {
            name: "php-zts",
            options: &["--enable-zts", "--enable-embed"],
        };
        let (php, extension) = in_built_php(run, flavour)?;
        php_threads::serve(run, &php, &extension)
    },
};

/// A leak that PHP tells of is output that no test expects, so each counts as a failure.
fn in_built_php(run: &mut Run, flavour: Flavour) -> Result<(Php, PathBuf)> {
    let php = php_source::built(run, flavour)?;
    php::build_for_tests(run)?;
    let extension = php.build_extension(run, &format!("{}-target", flavour.name))?;
    let mut tests = php.phpt(&extension, php::PARALLEL)?;
    run.counted("run-tests.php", &mut tests, count::php_run_tests)?;
    Ok((php, extension))
}

const VALGRIND: Suite = Suite {
    name: "php-valgrind",
    about: "the extension's tests under valgrind",
    needs: &[
        Need::CCompiler,
        Need::Php,
        Need::PhpHeaders,
        Need::PhpFpm,
        Need::Libclang,
        Need::Valgrind,
    ],
    run: |run| {
        php::build(run)?;
        // What PCRE compiles at run time looks past the end of strings, which is its right and which valgrind cannot know.
        let options = [&["-m", "-d", "pcre.jit=0"], php::PARALLEL].concat();
        let mut tests = Php::of_system()?.phpt(&php::extension()?, &options)?;
        tests.env("VALGRIND_OPTS", valgrind_options());
        // A fork costs a second there.
        tests.env("TEST_FORKS", "20");
        run.counted_for(
            "run-tests.php -m",
            &mut tests,
            count::php_run_tests,
            VALGRIND_TIME,
        )
    },
};

/// Whatever runs under valgrind is many times slower, and the machine may have other things to do.
const VALGRIND_TIME: Duration = Duration::from_secs(40 * 60);

/// What `run-tests.php -m` does not say by itself.
fn valgrind_options() -> String {
    let suppressions = workspace::root().join("php-ext/tests/valgrind.supp");
    // Only PHP is looked at. What tests start besides would take the report's place with one of its own, and be slow; and what
    // runs as another user cannot write a report.
    let others =
        ["sh", "ls", "mqtt-broker", "mosquitto", "setpriv"].map(|name| format!("*/{name}"));
    [
        // The debugger's pipes, left behind by processes that tests kill, would be reported as leaks.
        "--vgdb=no",
        // The report of a PHP that a test starts may be overwritten by that of the next: its exit code tells the test.
        "--error-exitcode=99",
        // Deep enough to tell TLS, in which it sees faults that are none; the file says which.
        "--num-callers=40",
        &format!("--suppressions={}", suppressions.display()),
        &format!("--trace-children-skip={}", others.join(",")),
    ]
    .join(" ")
}

const SILENT: Suite = Suite {
    name: "silent",
    about: "ten thousand connections over TCP that send nothing, and fewer over TLS and WebSocket: all closed in time, at a \
            bounded cost, while others are served",
    needs: &[],
    run: |run| {
        run.prepare(
            "cargo build -p mqtt-broker",
            workspace::cargo()?.args(["build", "-p", "mqtt-broker"]),
        )?;
        let certificates = Certificates::make(run)?;
        for (scheme, count) in [
            ("mqtt", 10_000),
            ("mqtts", 3_000),
            ("ws", 3_000),
            ("wss", 3_000),
        ] {
            let count = count.min(idle::most_connections());
            let verdict = say_nothing(run, &certificates, scheme, count);
            run.verdict(
                &format!("{count} connections to {scheme}:// that send nothing"),
                verdict,
            )?;
        }
        Ok(())
    },
};

/// Each of the places for connections that only begin may cost the broker so much; it is a fraction of that.
const SILENT_BYTES: usize = silent::PLACES * (64 << 10);

fn say_nothing(
    run: &mut Run,
    certificates: &Certificates,
    scheme: &str,
    count: usize,
) -> Result<()> {
    let server = ours::start_everywhere(certificates, Demand::Nothing)?;
    let address = match scheme {
        "mqtt" => server.address(),
        other => {
            let url = server.url_of(&format!("{other}://"))?;
            let place = url.split('/').nth(2).context("the URL has no host")?;
            place.parse().context("the URL has no address")?
        }
    };
    let seen = silent::open(&server, address, count);
    run.note("mqtt-broker", &server.log());
    let seen = seen?;
    run.note(scheme, &format!("{seen:?}"));
    let memory = seen.memory;
    ensure!(
        memory <= SILENT_BYTES,
        "the broker's memory rose by {} KiB",
        memory >> 10
    );
    Ok(())
}

const DEMO_AGAIN: Suite = Suite {
    name: "demo-again",
    about: "the whole demo several times with the embedded broker and with mosquitto, once with many messages",
    needs: &[
        Need::CCompiler,
        Need::Php,
        Need::PhpHeaders,
        Need::PhpFpm,
        Need::Libclang,
        Need::Mosquitto,
    ],
    run: |run| {
        demo::build(run)?;
        for round in 1..=REPEATED {
            demo::show(
                run,
                &format!("embedded broker, round {round}"),
                &Options::default(),
            )?;
            at_mosquitto(
                run,
                &format!("mosquitto, round {round}"),
                Options::default(),
            )?;
        }
        let many = Options {
            messages: Some(10_000),
            ..Options::default()
        };
        demo::show(run, "embedded broker, 10,000 messages", &many)
    },
};

fn at_mosquitto(run: &mut Run, what: &str, options: Options) -> Result<()> {
    let mosquitto = peers::mosquitto::start()?;
    let shown = demo::show(
        run,
        what,
        &Options {
            broker: Some(mosquitto.url()),
            ..options
        },
    );
    run.note("mosquitto", &mosquitto.log());
    shown
}

fn is_installed(rustup: &Path, version: &str) -> Result<bool> {
    let mut ask = Command::new(rustup);
    ask.args(["run", version, "rustc", "--version"]);
    let answer = ask.output().context("cannot run rustup")?;
    Ok(answer.status.success())
}

/// `rust-version` of the workspace.
fn oldest_rust() -> Result<String> {
    let manifest = std::fs::read_to_string(workspace::root().join("Cargo.toml"))
        .context("cannot read Cargo.toml")?;
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .context("Cargo.toml has no rust-version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_promised_rust_is_read_from_the_workspace() {
        assert!(oldest_rust().unwrap().starts_with("1."));
    }
}
