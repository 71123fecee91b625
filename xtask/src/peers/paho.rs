//! The Python client `paho-mqtt`, at one version, in a virtual environment under the target directory.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::install;
use crate::workspace::{find_program, target_dir};

/// What pip is asked for. One version, so that the same tests run everywhere.
pub(crate) const REQUIREMENT: &str = "paho-mqtt==2.2.0";

/// The Python that has it.
pub(crate) fn python() -> Result<PathBuf> {
    Ok(folder()?.join("bin/python"))
}

/// What is installed, or why nothing is.
pub(crate) fn installed() -> Result<String, String> {
    let python = python().map_err(|error| error.to_string())?;
    let version = "import importlib.metadata as m; print('paho-mqtt==' + m.version('paho-mqtt'))";
    if !python.exists() {
        return Err("not installed".to_owned());
    }
    let found = install::output(&python, &["-c", version])?;
    if found == REQUIREMENT {
        Ok(format!("{found} ({})", python.display()))
    } else {
        Err(format!("{found} is there"))
    }
}

/// Makes the virtual environment.
pub(crate) fn install() -> Result<()> {
    let python = find_program("python3").context("no python3 command")?;
    let mut create = Command::new(python);
    create.args(["-m", "venv", "--clear"]).arg(folder()?);
    install::step("Python virtual environment", &mut create)?;
    let mut pip = Command::new(self::python()?);
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-deps",
        REQUIREMENT,
    ]);
    install::step(REQUIREMENT, &mut pip)
}

fn folder() -> Result<PathBuf> {
    // Named after the version, so that a change of it makes a new one.
    Ok(target_dir()?
        .join("xtask")
        .join(REQUIREMENT.replace("==", "-")))
}
