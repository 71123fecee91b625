//! The suites of the C library.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::{Run, Suite};
use crate::install::Need;
use crate::library::{self, Options};
use crate::peers;
use crate::workspace;

/// How users are told to compile, and how we do: no warning is let through.
const STRICT: [&str; 5] = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];

pub(super) const FFI: Suite = Suite {
    name: "ffi",
    about: "libpushmq: programs in C and C++, also under the address sanitizer; panics; installation, pkg-config and CMake",
    needs: &[
        Need::CCompiler,
        Need::CppCompiler,
        Need::PkgConfig,
        Need::Cmake,
    ],
    run: |run| {
        run.cargo_test(&["-p", "pushmq-ffi"])?;
        under(run, "asan")?;
        run.cargo_test(&[
            "-p",
            "pushmq-ffi",
            "--features",
            "inject-panic",
            "--test",
            "c",
            "--",
            "a_panic_anywhere_comes_back",
            "log_panic",
        ])?;
        installation(run)
    },
};

pub(super) const VALGRIND: Suite = Suite {
    name: "c-valgrind",
    about: "libpushmq: the programs in C and C++ under valgrind, without errors and without leaks",
    needs: &[Need::CCompiler, Need::CppCompiler, Need::Valgrind],
    run: |run| under(run, "valgrind"),
};

/// The C programs of the crate's tests under something that looks at them.
fn under(run: &mut Run, mode: &str) -> Result<()> {
    let mut tests = workspace::cargo()?;
    tests.args(["test", "--no-fail-fast", "-p", "pushmq-ffi", "--test", "c"]);
    tests.env("PUSHMQ_C_MODE", mode);
    run.cargo_test_with(&mut tests)
}

/// Installs the library and uses it as a stranger would.
fn installation(run: &mut Run) -> Result<()> {
    let prefix = install(run)?;
    let source = prefix.join("share/doc/pushmq/examples/publisher.c");
    for linking in [Linking::Shared, Linking::Static] {
        let verdict =
            program(&prefix, &source, linking).and_then(|mut program| publishes(run, &mut program));
        run.verdict(
            &format!("an installed library, {linking:?}, found by pkg-config"),
            verdict,
        )?;
    }
    found_by_cmake(run, "an installed library,", &prefix, &source)?;
    let moved = moved()?;
    found_by_cmake(run, "a moved library, below a link,", &moved, &source)?;
    run.verdict("the names of the shared library", names(&prefix))?;
    run.verdict("an installation for a package", package())
}

/// Programs of a stranger that found the library below `prefix` do what they should.
fn found_by_cmake(run: &mut Run, library: &str, prefix: &Path, source: &Path) -> Result<()> {
    let built = cmake_project(prefix, source);
    for linking in [Linking::Shared, Linking::Static] {
        let verdict = match &built {
            Ok(folder) => publishes(run, &mut Command::new(folder.join(format!("{linking:?}")))),
            Err(error) => Err(anyhow!("{error:#}")),
        };
        run.verdict(&format!("{library} {linking:?}, found by CMake"), verdict)?;
    }
    Ok(())
}

/// An installation that is moved to another place, where its folder of libraries is found below a link, as /lib is one to
/// /usr/lib. Returns the folder with the link.
fn moved() -> Result<PathBuf> {
    let folder = workspace::scratch("libpushmq-moved")?;
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let (first, last) = (folder.join("first"), folder.join("usr"));
    library::put(&Options::for_tests(first.clone(), None))?;
    fs::rename(&first, &last).context("cannot move the installation")?;
    symlink("usr/lib", folder.join("lib")).context("cannot make a link")?;
    Ok(folder)
}

/// The example publisher does what it should.
fn publishes(run: &mut Run, publisher: &mut Command) -> Result<()> {
    let broker = peers::ours::start()?;
    publisher.arg(format!("mqtt://{}", broker.address()));
    let ended = run
        .program("publisher", publisher)?
        .expect_success("publisher")?;
    ensure!(
        ended.output == "the broker has it: No matching subscribers\n",
        "it printed {}",
        ended.output
    );
    Ok(())
}

/// Builds the project of a stranger with what `find_package` tells about the installation at `prefix`. Returns the folder with
/// the programs `Shared` and `Static`.
fn cmake_project(prefix: &Path, source: &Path) -> Result<PathBuf> {
    let folder = workspace::scratch("libpushmq-cmake")?;
    // A cache of an earlier run would know where it was.
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let mut configure = Command::new("cmake");
    configure
        .arg("-S")
        .arg(workspace::root().join("ffi/tests/cmake"))
        .arg("-B")
        .arg(&folder)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
        .arg(format!("-DSOURCE={}", source.display()));
    succeed(&mut configure)?;
    succeed(Command::new("cmake").arg("--build").arg(&folder))?;
    Ok(folder)
}

/// Installs the everyday build into a fresh folder of ours, and returns that.
pub(super) fn install(run: &mut Run) -> Result<PathBuf> {
    run.prepare(
        "cargo build -p mqtt-broker",
        workspace::cargo()?.args(["build", "-p", "mqtt-broker"]),
    )?;
    let prefix = workspace::scratch("libpushmq")?;
    fs::remove_dir_all(&prefix).with_context(|| format!("cannot remove {}", prefix.display()))?;
    let options = Options::for_tests(prefix.clone(), None);
    run.prepare("cargo build -p pushmq-ffi", &mut library::build(&options)?)?;
    library::put(&options)?;
    Ok(prefix)
}

/// Which of the two libraries a program is linked with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Linking {
    Shared,
    Static,
}

/// Compiles a program with what pkg-config tells about the installation at `prefix`, and returns how to run it.
pub(super) fn program(prefix: &Path, source: &Path, linking: Linking) -> Result<Command> {
    let built = prefix.join(format!("program-{linking:?}"));
    let mut tell = Command::new("pkg-config");
    tell.args(["--cflags", "--libs", "pushmq"])
        .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
    if linking == Linking::Static {
        // A linker takes the shared library where it finds both.
        let alone = prefix.join("static");
        fs::create_dir_all(&alone).context("cannot make a folder")?;
        let _ = fs::remove_file(alone.join("libpushmq.a"));
        symlink(prefix.join("lib/libpushmq.a"), alone.join("libpushmq.a"))
            .context("cannot make a link")?;
        tell.arg("--static")
            .arg(format!("--define-variable=libdir={}", alone.display()));
    }
    let flags = succeed(&mut tell)?;
    let mut compiler = Command::new("cc");
    compiler
        .args(STRICT)
        .arg("-o")
        .arg(&built)
        .arg(source)
        .args(flags.split_whitespace());
    succeed(&mut compiler)?;
    let mut program = Command::new(built);
    if linking == Linking::Shared {
        program.env("LD_LIBRARY_PATH", prefix.join("lib"));
    }
    Ok(program)
}

/// The file has a version, the loader's name is in it, and the links lead there.
fn names(prefix: &Path) -> Result<()> {
    let lib = prefix.join("lib");
    let file = format!("libpushmq.so.{}", env!("CARGO_PKG_VERSION"));
    for name in ["libpushmq.so", "libpushmq.so.0"] {
        let leads_to = fs::canonicalize(lib.join(name)).with_context(|| format!("no {name}"))?;
        ensure!(leads_to.ends_with(&file), "{name} leads to {leads_to:?}");
    }
    let dynamic = succeed(Command::new("readelf").arg("-d").arg(lib.join(file)))?;
    ensure!(
        dynamic.contains("Library soname: [libpushmq.so.0]"),
        "no SONAME in\n{dynamic}"
    );
    Ok(())
}

/// With a folder for a package, everything lies below it and says where it will be.
fn package() -> Result<()> {
    let folder = workspace::scratch("libpushmq-package")?;
    let options = Options::for_tests("/usr".into(), Some(folder.clone()));
    for file in library::put(&options)? {
        ensure!(file.starts_with(folder.join("usr")), "{}", file.display());
    }
    let description = fs::read_to_string(folder.join("usr/lib/pkgconfig/pushmq.pc"))
        .context("cannot read pushmq.pc")?;
    ensure!(description.starts_with("prefix=/usr\n"), "{description}");
    Ok(())
}

/// What a program says that has to succeed.
fn succeed(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
