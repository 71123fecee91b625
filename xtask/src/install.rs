//! What the parts need from the system, what of it is missing, and how to get it.
//!
//! A need is looked up by what it gives (a command, a header, a library), never by asking the package manager: a program
//! built from source serves as well. Only what is missing is installed, and only after asking.

mod apt;
mod probe;

use std::io::{IsTerminal as _, Write as _, stderr, stdin};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process;
use crate::progress::{Progress, seconds};
use crate::{peers, workspace};

pub(crate) use probe::{output, php, php_fpm, run_tests_script};

/// Longest time for one call of a package manager.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Packages that bring a service along.
const SERVERS: [&str; 2] = ["php-fpm", "mosquitto"];

/// Something that a command of ours cannot do without.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Need {
    /// The C compiler that Rust links with, and that builds the extension's shim.
    CCompiler,
    /// The C++ compiler: fuzzing needs one, and the C header is tried with it.
    CppCompiler,
    /// `cargo fmt`.
    Rustfmt,
    /// `cargo clippy`.
    Clippy,
    /// The `php` command, 8.2 or later.
    Php,
    /// PHP's headers, `php-config` and `run-tests.php`.
    PhpHeaders,
    /// The FPM server of the same PHP version.
    PhpFpm,
    /// The parser of PHP, in PHP, that the generator of PHP's headers is made with.
    PhpParser,
    /// The library, and the headers of the compiler, with which the bindings to PHP are made.
    Libclang,
    /// The server `mosquitto`.
    Mosquitto,
    /// `mosquitto_pub` and `mosquitto_sub`.
    MosquittoClients,
    /// `valgrind`, for the C library and the long checks.
    Valgrind,
    /// `pkg-config`, which finds the installed C library.
    PkgConfig,
    /// `cmake`, which finds it too.
    Cmake,
    /// `make`, with which PHP is built.
    Make,
    /// `xz`, for what PHP's source is packed with.
    Xz,
    /// The C library of Mosquitto with its header, to be measured beside ours.
    MosquittoLibrary,
    /// `python3` that can make virtual environments.
    Python,
    /// The MQTT client `paho-mqtt`, in a virtual environment of ours.
    Paho,
}

/// How a need is met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    /// Packages of Debian and Ubuntu.
    Apt(&'static [&'static str]),
    /// A component of the Rust toolchain.
    Rustup(&'static str),
    /// A virtual environment under the target directory.
    VirtualEnvironment,
}

impl Need {
    /// What it is, for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CCompiler => "C compiler",
            Self::CppCompiler => "C++ compiler",
            Self::Rustfmt => "cargo fmt",
            Self::Clippy => "cargo clippy",
            Self::Php => "PHP 8.2 or later",
            Self::PhpHeaders => "PHP headers and run-tests.php",
            Self::PhpFpm => "php-fpm",
            Self::PhpParser => "PHP-Parser",
            Self::Libclang => "libclang with its headers",
            Self::Mosquitto => "mosquitto",
            Self::MosquittoClients => "mosquitto_pub and mosquitto_sub",
            Self::Valgrind => "valgrind",
            Self::PkgConfig => "pkg-config",
            Self::Cmake => "cmake",
            Self::Make => "make",
            Self::Xz => "xz",
            Self::MosquittoLibrary => "libmosquitto",
            Self::Python => "Python 3 with venv",
            Self::Paho => "Python client paho-mqtt",
        }
    }

    fn source(self) -> Source {
        match self {
            Self::CCompiler => Source::Apt(&["gcc", "libc6-dev"]),
            Self::CppCompiler => Source::Apt(&["g++"]),
            Self::Rustfmt => Source::Rustup("rustfmt"),
            Self::Clippy => Source::Rustup("clippy"),
            Self::Php => Source::Apt(&["php-cli"]),
            Self::PhpHeaders => Source::Apt(&["php-dev"]),
            Self::PhpFpm => Source::Apt(&["php-fpm"]),
            Self::PhpParser => Source::Apt(&["php-parser"]),
            Self::Libclang => Source::Apt(&["libclang-dev"]),
            Self::Mosquitto => Source::Apt(&["mosquitto"]),
            Self::MosquittoClients => Source::Apt(&["mosquitto-clients"]),
            Self::Valgrind => Source::Apt(&["valgrind"]),
            Self::PkgConfig => Source::Apt(&["pkg-config"]),
            // It builds with make where it is told nothing else, and does not bring it along.
            Self::Cmake => Source::Apt(&["cmake", "make"]),
            Self::Make => Source::Apt(&["make"]),
            Self::Xz => Source::Apt(&["xz-utils"]),
            Self::MosquittoLibrary => Source::Apt(&["libmosquitto-dev"]),
            Self::Python => Source::Apt(&["python3", "python3-venv"]),
            Self::Paho => Source::VirtualEnvironment,
        }
    }
}

/// What is there and what has to be done.
#[derive(Debug, Default, Eq, PartialEq)]
struct Plan {
    /// Needs that are met, with what meets them.
    present: Vec<(Need, String)>,
    /// Needs that are not met, with the reason.
    missing: Vec<(Need, String)>,
    packages: Vec<&'static str>,
    components: Vec<&'static str>,
    virtual_environment: bool,
}

impl Plan {
    /// Sorts `needs` by what `look` finds: what meets the need, or why it is not met.
    fn new(needs: &[Need], look: impl Fn(Need) -> Result<String, String>) -> Self {
        let mut needs = needs.to_vec();
        needs.sort_unstable();
        needs.dedup();
        let mut plan = Self::default();
        for need in needs {
            match look(need) {
                Ok(found) => plan.present.push((need, found)),
                Err(why) => {
                    plan.missing.push((need, why));
                    match need.source() {
                        Source::Apt(packages) => plan.packages.extend(packages),
                        Source::Rustup(component) => plan.components.push(component),
                        Source::VirtualEnvironment => plan.virtual_environment = true,
                    }
                }
            }
        }
        plan
    }

    fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    fn print(&self) {
        for (need, found) in &self.present {
            println!("  have   {}: {found}", need.title());
        }
        for (need, why) in &self.missing {
            println!("  need   {}: {why}", need.title());
        }
        if !self.packages.is_empty() {
            println!("  would install with apt-get: {}", self.packages.join(" "));
        }
        let servers: Vec<_> = self
            .packages
            .iter()
            .filter(|package| SERVERS.contains(package))
            .copied()
            .collect();
        if !servers.is_empty() {
            let names = servers.join(" and ");
            println!(
                "    ({names} may start a service of the system's, which we neither use nor touch)"
            );
        }
        if !self.components.is_empty() {
            println!(
                "  would add to the Rust toolchain: {}",
                self.components.join(" ")
            );
        }
        if self.virtual_environment {
            println!(
                "  would install {} with pip into a virtual environment under target/",
                peers::paho::REQUIREMENT
            );
        }
    }
}

/// Makes sure that all `needs` are met: prints the plan, asks unless `yes` was said or nobody is there to be asked, and
/// installs.
///
/// # Errors
/// When something is missing and may not or cannot be installed. The error holds the command to run by hand.
pub(crate) fn ensure(needs: &[Need], yes: bool) -> Result<()> {
    let plan = Plan::new(needs, probe::look);
    println!("What this needs from the system:");
    plan.print();
    if plan.is_empty() {
        return Ok(());
    }
    // Settled before asking: nobody should say yes to what is not possible.
    let apt = if plan.packages.is_empty() {
        None
    } else {
        Some(apt::Apt::find(&plan.packages)?)
    };
    if !yes && stdin().is_terminal() && !confirmed()? {
        bail!("nothing was installed, as you wished");
    }
    if let Some(apt) = apt {
        apt.install(&plan.packages)?;
    }
    if !plan.components.is_empty() {
        add_components(&plan.components)?;
    }
    if plan.virtual_environment {
        peers::paho::install()?;
    }
    let left = Plan::new(needs, probe::look);
    if let Some((need, why)) = left.missing.first() {
        bail!(
            "after installing, this is still missing: {}: {why}",
            need.title()
        );
    }
    Ok(())
}

fn confirmed() -> Result<bool> {
    // Standard output may go to a file or into a pipe, where nobody would see the question.
    let mut terminal = stderr();
    terminal
        .write_all(b"Install these now? [y/N] ")
        .and_then(|()| terminal.flush())
        .context("cannot write to the terminal")?;
    let mut answer = String::new();
    stdin()
        .read_line(&mut answer)
        .context("cannot read from the terminal")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn add_components(components: &[&str]) -> Result<()> {
    let Some(rustup) = workspace::find_program("rustup") else {
        bail!(
            "the Rust toolchain lacks {}: install them the way Rust itself was installed",
            components.join(" and ")
        );
    };
    let mut command = Command::new(rustup);
    command
        .args(["component", "add"])
        .args(components)
        .current_dir(workspace::root());
    step("Rust toolchain", &mut command)
}

/// Runs one step of an installation, showing how it goes.
pub(crate) fn step(name: &str, command: &mut Command) -> Result<()> {
    let mut progress = Progress::start(name);
    process::run(command, LIMIT, &mut progress)?.expect_success(name)?;
    let took = seconds(progress.elapsed());
    progress.done(&format!("  done   {name} ({took})"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_planned_once_each() {
        let needs = [
            Need::PhpHeaders,
            Need::Php,
            Need::Mosquitto,
            Need::Php,
            Need::Clippy,
            Need::Paho,
        ];
        let plan = Plan::new(&needs, |need| match need {
            Need::Mosquitto => Ok("/usr/sbin/mosquitto".to_owned()),
            _ => Err("not found".to_owned()),
        });
        assert_eq!(
            plan.present,
            [(Need::Mosquitto, "/usr/sbin/mosquitto".to_owned())]
        );
        assert_eq!(plan.packages, ["php-cli", "php-dev"]);
        assert_eq!(plan.components, ["clippy"]);
        assert!(plan.virtual_environment);
    }

    #[test]
    fn nothing_is_planned_when_all_is_there() {
        let plan = Plan::new(&[Need::Php, Need::Python], |_| Ok("there".to_owned()));
        assert!(plan.is_empty() && plan.packages.is_empty() && !plan.virtual_environment);
    }
}
