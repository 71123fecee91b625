//! `cargo xtask install`: the C library as other packages find it.

mod descriptions;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::install::{self, Need};
use crate::process;
use crate::progress::{Progress, seconds};
use crate::workspace;

/// Longest time for the build on a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The number of the binary interface, which is in the SONAME.
const ABI: u32 = 0;

/// Builds the C library for release and installs it: libpushmq.so and .a, pushmq.h, what pkg-config and
/// CMake have to know, the examples.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Where it is to be used
    #[arg(long, value_name = "DIR", default_value = "/usr/local")]
    prefix: PathBuf,
    /// The folder of libraries
    #[arg(long, value_name = "DIR", default_value = "lib")]
    libdir: PathBuf,
    /// Where everything is put for the moment, as in packages that are made: DIR/usr/local/lib/...
    #[arg(long, value_name = "DIR")]
    destdir: Option<PathBuf>,
    /// Install the everyday build, which is large and slow, and quickly made
    #[arg(long)]
    debug: bool,
    /// Install what is missing to build it without asking
    #[arg(long, short)]
    yes: bool,
}

impl Options {
    /// The everyday build, for tests.
    pub(crate) fn for_tests(prefix: PathBuf, destdir: Option<PathBuf>) -> Self {
        Self {
            prefix,
            libdir: "lib".into(),
            destdir,
            debug: true,
            yes: false,
        }
    }

    /// What users get, to be measured.
    pub(crate) fn for_measuring(prefix: PathBuf) -> Self {
        Self {
            debug: false,
            ..Self::for_tests(prefix, None)
        }
    }

    /// Where a file of the installation is put now.
    fn place(&self, path: &Path) -> PathBuf {
        let path = self.prefix.join(path);
        match &self.destdir {
            // Joining an absolute path would replace the folder.
            Some(folder) => folder.join(path.strip_prefix("/").unwrap_or(&path)),
            None => path,
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    ensure!(
        options.prefix.is_absolute(),
        "--prefix {} has to be an absolute path: it is written into pushmq.pc",
        options.prefix.display()
    );
    install::ensure(&[Need::CCompiler], options.yes)?;
    let mut progress = Progress::start("libpushmq");
    let mut cargo = build(options)?;
    process::run(&mut cargo, BUILD_LIMIT, &mut progress)?.expect_success("cargo build")?;
    let took = seconds(progress.elapsed());
    progress.done(&format!("built libpushmq ({took})"));
    for path in put(options)? {
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// How the library is built.
pub(crate) fn build(options: &Options) -> Result<Command> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "-p", "pushmq-ffi"]);
    if !options.debug {
        cargo.arg("--release");
    }
    Ok(cargo)
}

/// Puts what was built where it belongs. Returns what is there now.
pub(crate) fn put(options: &Options) -> Result<Vec<PathBuf>> {
    let built = |name: &str| {
        if options.debug {
            workspace::built(name)
        } else {
            workspace::built_for_release(name)
        }
    };
    let ffi = workspace::root().join("ffi");
    let mut files = Vec::new();
    let mut copy = |from: &Path, to: PathBuf| {
        let place = options.place(&to);
        install_file(from, &place)?;
        files.push(place);
        anyhow::Ok(())
    };

    let libdir = &options.libdir;
    let shared = format!("libpushmq.so.{VERSION}");
    copy(&built("libpushmq.so")?, libdir.join(&shared))?;
    copy(&built("libpushmq.a")?, libdir.join("libpushmq.a"))?;
    copy(&ffi.join("include/pushmq.h"), "include/pushmq.h".into())?;
    for example in ["publisher.c", "subscriber.c", "poll_loop.c"] {
        copy(
            &ffi.join("examples").join(example),
            Path::new("share/doc/pushmq/examples").join(example),
        )?;
    }
    if !options.debug {
        // Symbols for debuggers are two thirds of it.
        strip(&options.place(&libdir.join(&shared)), "--strip-unneeded")?;
        strip(&options.place(&libdir.join("libpushmq.a")), "--strip-debug")?;
    }
    // What the loader looks for, and what the linker does.
    let soname = format!("libpushmq.so.{ABI}");
    for (link, target) in [(&*soname, &*shared), ("libpushmq.so", &soname)] {
        let place = options.place(&libdir.join(link));
        replace(&place, |place| symlink(target, place))?;
        files.push(place);
    }
    let descriptions = [
        (
            "pkgconfig/pushmq.pc",
            descriptions::pkg_config(&options.prefix, libdir),
        ),
        (
            "cmake/pushmq/pushmq-config.cmake",
            descriptions::cmake(&options.prefix, libdir),
        ),
        (
            "cmake/pushmq/pushmq-config-version.cmake",
            descriptions::cmake_version(),
        ),
    ];
    for (name, text) in descriptions {
        let place = options.place(&libdir.join(name));
        make_folder(&place)?;
        replace(&place, |place| fs::write(place, text))?;
        files.push(place);
    }
    Ok(files)
}

fn install_file(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    replace(to, |to| fs::copy(from, to).map(|_| ()))
        .with_context(|| format!("cannot copy {}", from.display()))
}

fn make_folder(file: &Path) -> Result<()> {
    let folder = file.parent().context("the file lies in no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Makes a file beside its place and then moves it there: programs that run with the old one keep it.
fn replace(place: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    let mut beside = OsString::from(place);
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // Left by an attempt that was interrupted.
    let _ = fs::remove_file(&beside);
    make(&beside)
        .and_then(|()| fs::rename(&beside, place))
        .with_context(|| format!("cannot write {}", place.display()))
}

fn strip(file: &Path, what: &str) -> Result<()> {
    let output = Command::new("strip")
        .arg(what)
        .arg(file)
        .output()
        .context("cannot run strip")?;
    ensure!(
        output.status.success(),
        "strip: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_for_a_package_lie_below_its_folder() {
        let options = Options::for_tests("/usr".into(), Some("/tmp/package".into()));
        assert_eq!(
            options.place(Path::new("lib/libpushmq.a")),
            Path::new("/tmp/package/usr/lib/libpushmq.a")
        );
        let options = Options::for_tests("/opt/x".into(), None);
        assert_eq!(
            options.place(Path::new("include/pushmq.h")),
            Path::new("/opt/x/include/pushmq.h")
        );
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        fs::write(&place, "old").unwrap();
        replace(&place, |place| fs::write(place, "new")).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
