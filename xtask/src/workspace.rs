//! Where things are: the workspace, its target directory, and cargo itself.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the xtask crate lies in a folder of the workspace")
}

/// The target directory that this program was itself built into, so that what it builds is found and shared.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let this = env::current_exe().context("cannot tell where this program lies")?;
    // Below it are folders by profile with the programs, and in each a folder `deps` with the tests of this crate.
    let mut folders = this
        .ancestors()
        .skip(1)
        .filter(|folder| !folder.ends_with("deps"));
    folders
        .nth(1)
        .map(Path::to_path_buf)
        .with_context(|| format!("{} lies in no target directory", this.display()))
}

/// A file that `cargo build` without `--release` makes, such as `mqtt-broker` or `libphp_mqtt.so`.
pub(crate) fn built(name: &str) -> Result<PathBuf> {
    Ok(target_dir()?.join("debug").join(name))
}

/// The same, made by `cargo build --release`.
pub(crate) fn built_for_release(name: &str) -> Result<PathBuf> {
    Ok(target_dir()?.join("release").join(name))
}

/// A folder of our own under the target directory, made if need be.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let folder = target_dir()?.join("xtask").join(name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// `cargo`, run in the workspace, building into the target directory of [`target_dir`].
pub(crate) fn cargo() -> Result<Command> {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target_dir()?);
    // `cargo run` describes this crate in the environment. A build script that looks at such a variable would run again each
    // time somebody switches between `cargo xtask` and plain cargo.
    for (name, _) in env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if ours {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Looks for a program in `PATH` and in the folders where Debian keeps servers, which are not in everybody's `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(servers)
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn the_target_directory_holds_profiles() {
        assert!(built("").unwrap().is_dir());
        assert!(!target_dir().unwrap().ends_with("debug"));
    }

    #[test]
    fn a_shell_is_found_and_nonsense_is_not() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-anywhere").is_none());
    }
}
