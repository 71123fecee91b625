//! A debug PHP, plain and thread-safe, which no distribution ships: built from the distribution's source, once.
//!
//! The source comes through apt from where this machine has its packages from. Its list of sources is ours, so that the
//! system's configuration stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::Run;
use super::php::Php;
use crate::install;
use crate::workspace;

/// Where Debian's apt has its own configuration.
const APT: &str = "/etc/apt";

/// What the extension's tests use of PHP.
const CONFIGURE: [&str; 8] = [
    "--disable-all",
    "--enable-cli",
    "--enable-fpm",
    "--enable-pcntl",
    "--enable-posix",
    "--enable-session",
    "--enable-opcache",
    "--enable-debug",
];

/// One way of building PHP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flavour {
    /// Names its folders.
    pub(super) name: &'static str,
    /// Further options of `configure`.
    pub(super) options: &'static [&'static str],
}

/// A PHP that tells what it leaks, built if it is not there yet.
pub(super) fn built(run: &mut Run, flavour: Flavour) -> Result<Php> {
    let prefix = workspace::scratch(flavour.name)?;
    let done = prefix.join("built-with");
    let options: Vec<_> = CONFIGURE.iter().chain(flavour.options).copied().collect();
    let options = options.join(" ");
    if fs::read_to_string(&done).ok().as_ref() != Some(&options) {
        let source = source(run)?;
        let build = workspace::scratch(&format!("{}-build", flavour.name))?;
        let mut configure = Command::new(source.join("configure"));
        configure
            .arg("-q")
            .arg(format!("--prefix={}", prefix.display()))
            .args(options.split(' '))
            .current_dir(&build);
        run.prepare("configure", &mut configure)?;
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        for target in ["all", "install"] {
            let mut make = Command::new("make");
            make.args(["-s", &format!("-j{jobs}"), target])
                .current_dir(&build);
            run.prepare(&format!("make {target}"), &mut make)?;
        }
        fs::write(&done, &options).with_context(|| format!("cannot write {}", done.display()))?;
        // Half a gigabyte that nobody needs any more.
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    Ok(Php {
        php: prefix.join("bin/php"),
        config: Some(prefix.join("bin/php-config")),
        fpm: prefix.join("sbin/php-fpm"),
        runner: prefix.join("lib/php/build/run-tests.php"),
    })
}

/// The folder of PHP's source, of the version that is installed or the nearest one that can be had.
fn source(run: &mut Run) -> Result<PathBuf> {
    let folder = workspace::scratch("php-source")?;
    if let Some(source) = unpacked(&folder) {
        return Ok(source);
    }
    let php = install::php().map_err(|error| anyhow!(error))?;
    let version = install::output(
        &php,
        &[
            "-n",
            "-r",
            "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;",
        ],
    )
    .map_err(|error| anyhow!(error))?;
    let apt = Apt::new(&folder)?;
    run.prepare("apt-get update", apt.command("apt-get").arg("update"))?;
    let package = format!("php{version}");
    let mut show = apt.command("apt-cache");
    show.args(["showsrc", "--only-source", &package]);
    let shown = run.program("apt-cache showsrc", &mut show)?;
    let versions = versions(&shown.output);
    ensure!(
        !versions.is_empty(),
        "apt knows no source package {package}: its list of sources has none"
    );
    // A mirror may have forgotten the newest.
    for version in &versions {
        let mut get = apt.command("apt-get");
        get.args(["source", "--download-only", &format!("{package}={version}")])
            .current_dir(&folder);
        if run
            .program(&format!("apt-get source {package}={version}"), &mut get)?
            .succeeded()
        {
            let mut unpack = Command::new("tar");
            unpack
                .arg("-xf")
                .arg(archive(&folder)?)
                .current_dir(&folder);
            run.prepare("tar -xf", &mut unpack)?;
            return unpacked(&folder).context("PHP's source has no configure");
        }
    }
    bail!(
        "none of the versions {} of {package} can be had",
        versions.join(", ")
    )
}

/// apt with lists of our own.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Takes over where this machine has its packages from, and asks for sources there.
    fn new(folder: &Path) -> Result<Self> {
        let folder = folder.join("apt");
        for part in ["lists/partial", "cache/archives/partial", "parts"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        }
        let of_system = Path::new(APT);
        let own = fs::read_to_string(of_system.join("sources.list")).unwrap_or_default();
        fs::write(folder.join("sources.list"), one_line_style(&own))?;
        let parts = fs::read_dir(of_system.join("sources.list.d"));
        for entry in parts.into_iter().flatten().flatten() {
            let path = entry.path();
            let sources = match path.extension().and_then(|extension| extension.to_str()) {
                Some("sources") => deb822_style,
                Some("list") => one_line_style,
                // apt reads no others.
                _ => continue,
            };
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            fs::write(folder.join("parts").join(entry.file_name()), sources(&text))?;
        }
        Ok(Self { folder })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (option, part) in [
            ("Dir::Etc::sourcelist", "sources.list"),
            ("Dir::Etc::sourceparts", "parts"),
            ("Dir::State::lists", "lists"),
            ("Dir::Cache", "cache"),
        ] {
            let place = self.folder.join(part);
            command
                .arg("-o")
                .arg(format!("{option}={}", place.display()));
        }
        command
    }
}

/// A list of one entry per line, with sources in place of packages.
fn one_line_style(text: &str) -> String {
    let lines = text.lines().filter(|line| {
        line.starts_with("deb ") || line.starts_with("deb\t") || line.starts_with("deb[")
    });
    lines
        .map(|line| format!("deb-src{}\n", line.trim_start_matches("deb")))
        .collect()
}

/// A list of paragraphs, with sources in place of packages.
fn deb822_style(text: &str) -> String {
    let lines = text.lines().map(|line| {
        if line.to_ascii_lowercase().starts_with("types:") {
            "Types: deb-src\n".to_owned()
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

/// The versions that `apt-cache showsrc` speaks of, the newest first.
fn versions(shown: &str) -> Vec<String> {
    let mut versions: Vec<_> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("Version: "))
        .map(str::to_owned)
        .collect();
    // Of one PHP, where only the last numbers differ, and few: what is long is later.
    versions.sort_by(|one, other| (other.len(), other).cmp(&(one.len(), one)));
    versions.dedup();
    versions
}

fn archive(folder: &Path) -> Result<PathBuf> {
    entries(folder)
        .find(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.contains(".orig.tar.") && !name.ends_with(".asc"))
        })
        .context("apt-get source brought no archive")
}

fn unpacked(folder: &Path) -> Option<PathBuf> {
    entries(folder).find(|path| path.join("configure").is_file())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_become_sources_in_both_styles() {
        let list = "# deb a\ndeb [arch=amd64] http://mirror stable main\ndeb-src http://mirror stable main\n";
        assert_eq!(
            one_line_style(list),
            "deb-src [arch=amd64] http://mirror stable main\n"
        );
        let paragraphs = "Types: deb\nURIs: http://mirror\n\ntypes: deb deb-src\nSigned-By: /a\n";
        assert_eq!(
            deb822_style(paragraphs),
            "Types: deb-src\nURIs: http://mirror\n\nTypes: deb-src\nSigned-By: /a\n"
        );
    }

    #[test]
    fn the_newest_version_is_tried_first() {
        let shown = "Package: php8.2\nVersion: 8.2.9-1\n\nVersion: 8.2.36-1\n\nVersion: 8.2.32-1\n";
        assert_eq!(versions(shown), ["8.2.36-1", "8.2.32-1", "8.2.9-1"]);
    }
}
