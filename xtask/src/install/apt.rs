//! Installing Debian packages, with the rights that we have.

use std::io::{IsTerminal as _, stdin};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// How this process may become root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rights {
    /// It is.
    Root,
    /// `sudo` works without a question.
    Sudo,
    /// `sudo` may ask for a password at the terminal.
    SudoAsks,
}

/// `apt-get`, and the right to use it.
#[derive(Debug)]
pub(super) struct Apt {
    rights: Rights,
}

impl Apt {
    /// # Errors
    /// Without `apt-get`, or without the right to use it. The error says what to install, or the command for it.
    pub(super) fn find(packages: &[&str]) -> Result<Self> {
        if workspace::find_program("apt-get").is_none() {
            bail!(
                "this system has no apt-get. Install what your system calls these Debian packages, then run this again: {}",
                packages.join(" ")
            );
        }
        match rights() {
            Some(rights) => Ok(Self { rights }),
            None => bail!(
                "this needs root, and sudo is not possible here. As root, run:\n\n    apt-get update && {}\n\n\
                 then run this again",
                install_line(packages)
            ),
        }
    }

    /// Fetches the lists of packages, then installs `packages` without what they merely recommend.
    pub(super) fn install(&self, packages: &[&str]) -> Result<()> {
        self.run("package lists", &["update"])?;
        let mut arguments = vec!["install", "-y", "--no-install-recommends"];
        arguments.extend(packages);
        self.run("packages", &arguments)
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let mut command = self.command(arguments);
        if self.rights != Rights::SudoAsks {
            return super::step(name, &mut command);
        }
        // The password is asked for at the terminal, so the terminal has to be its own.
        let status = command.status().context("cannot start sudo")?;
        if !status.success() {
            bail!("installing {name} ended with {status}");
        }
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // `sudo` drops the environment, so the variable goes through `env`.
        let mut line: Vec<&str> = match self.rights {
            Rights::Root => vec![],
            Rights::Sudo => vec!["sudo", "-n"],
            Rights::SudoAsks => vec!["sudo"],
        };
        line.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        line.extend(arguments);
        let mut words = line.into_iter();
        let mut command = Command::new(words.next().unwrap_or("env"));
        command.args(words);
        command
    }
}

/// The command for somebody with the rights.
fn install_line(packages: &[&str]) -> String {
    format!(
        "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}

fn rights() -> Option<Rights> {
    if rustix::process::geteuid().is_root() {
        return Some(Rights::Root);
    }
    workspace::find_program("sudo")?;
    let silent = Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if silent {
        return Some(Rights::Sudo);
    }
    stdin().is_terminal().then_some(Rights::SudoAsks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(rights: Rights) -> Vec<String> {
        let command = Apt { rights }.command(&["update"]);
        std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(
            words(Rights::Root),
            ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "update"]
        );
    }

    #[test]
    fn the_environment_passes_through_sudo() {
        assert_eq!(
            words(Rights::Sudo),
            [
                "sudo",
                "-n",
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "update"
            ]
        );
        assert_eq!(
            words(Rights::SudoAsks),
            [
                "sudo",
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "update"
            ]
        );
    }

    #[test]
    fn the_line_for_people_can_be_pasted() {
        assert_eq!(
            install_line(&["php-cli", "php-dev"]),
            "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends php-cli php-dev"
        );
    }
}
