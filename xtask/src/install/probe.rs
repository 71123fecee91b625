//! Looking at what the system has.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Need;
use crate::peers;
use crate::workspace::{self, find_program};

/// The oldest PHP that the extension supports, as in `PHP_VERSION_ID`.
const OLDEST_PHP: u32 = 80_200;

/// What meets the need, or why nothing does.
pub(super) fn look(need: Need) -> Result<String, String> {
    match need {
        Need::CCompiler => command("cc"),
        Need::CppCompiler => command("c++"),
        Need::Rustfmt => component("fmt"),
        Need::Clippy => component("clippy"),
        Need::Php => look_php(),
        Need::PhpHeaders => look_php_headers(),
        Need::PhpFpm => php_fpm().map(|path| path.display().to_string()),
        Need::PhpParser => look_php_parser(),
        Need::Libclang => look_libclang(),
        Need::Mosquitto => command("mosquitto"),
        Need::MosquittoClients => command("mosquitto_pub").and_then(|_| command("mosquitto_sub")),
        Need::Valgrind => command("valgrind"),
        Need::PkgConfig => command("pkg-config"),
        Need::Cmake => command("make").and_then(|_| command("cmake")),
        Need::Make => command("make"),
        Need::Xz => command("xz"),
        Need::MosquittoLibrary => look_mosquitto_library(),
        Need::Python => look_python(),
        Need::Paho => peers::paho::installed(),
    }
}

fn look_mosquitto_library() -> Result<String, String> {
    let pkg_config =
        find_program("pkg-config").ok_or_else(|| "no pkg-config command".to_owned())?;
    let version = output(&pkg_config, &["--modversion", "libmosquitto"])?;
    Ok(format!("version {version}"))
}

/// The `php` command: the one in the environment variable `PHP`, else the one in `PATH`.
pub(crate) fn php() -> Result<PathBuf, String> {
    match env::var_os("PHP") {
        Some(php) => Ok(PathBuf::from(php)),
        None => find_program("php").ok_or_else(|| "no php command".to_owned()),
    }
}

/// The FPM server of the same version as [`php`].
pub(crate) fn php_fpm() -> Result<PathBuf, String> {
    let version = output(
        &php()?,
        &[
            "-n",
            "-r",
            "echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION;",
        ],
    )?;
    let versioned = format!("php-fpm{version}");
    let fpm = find_program(&versioned)
        .or_else(|| find_program("php-fpm"))
        .ok_or_else(|| format!("neither {versioned} nor php-fpm is there"))?;
    let banner = output(&fpm, &["-n", "-v"])?;
    if banner.starts_with(&format!("PHP {version}.")) {
        Ok(fpm)
    } else {
        Err(format!("{} is not of PHP {version}", fpm.display()))
    }
}

/// PHP's own test runner.
pub(crate) fn run_tests_script() -> Result<PathBuf, String> {
    let config = php_config()?;
    let prefix = PathBuf::from(output(&config, &["--prefix"])?);
    let api = output(&config, &["--phpapi"])?;
    // Debian keeps one folder for each PHP; an installation from source has just one.
    [prefix.join("lib/php").join(&api), prefix.join("lib/php")]
        .map(|folder| folder.join("build/run-tests.php"))
        .into_iter()
        .find(|script| script.is_file())
        .ok_or_else(|| format!("no run-tests.php under {}/lib/php", prefix.display()))
}

fn php_config() -> Result<PathBuf, String> {
    match env::var_os("PHP_CONFIG") {
        Some(config) => Ok(PathBuf::from(config)),
        None => find_program("php-config").ok_or_else(|| "no php-config command".to_owned()),
    }
}

fn look_php() -> Result<String, String> {
    let php = php()?;
    let version = output(
        &php,
        &["-n", "-r", "echo PHP_VERSION_ID, ' ', PHP_VERSION;"],
    )?;
    let (number, text) = version
        .split_once(' ')
        .ok_or_else(|| format!("{} does not tell its version", php.display()))?;
    if number
        .parse::<u32>()
        .is_ok_and(|number| number >= OLDEST_PHP)
    {
        Ok(format!("{text} ({})", php.display()))
    } else {
        Err(format!("{} is {text}, too old", php.display()))
    }
}

fn look_php_headers() -> Result<String, String> {
    let config = php_config()?;
    let header = Path::new(&output(&config, &["--include-dir"])?).join("main/php.h");
    if !header.is_file() {
        return Err(format!("no {}", header.display()));
    }
    run_tests_script()?;
    if let Ok(php) = php() {
        let (built_for, runs) = (
            output(&config, &["--vernum"])?,
            output(&php, &["-n", "-r", "echo PHP_VERSION_ID;"])?,
        );
        if built_for != runs {
            return Err(format!(
                "{} is of PHP {built_for}, but {} is of {runs}",
                config.display(),
                php.display()
            ));
        }
    }
    Ok(header.display().to_string())
}

/// Where `shim/generate.php` looks for it as well.
fn look_php_parser() -> Result<String, String> {
    let folder = env::var_os("PHP_PARSER")
        .map_or_else(|| PathBuf::from("/usr/share/php"), PathBuf::from)
        .join("PhpParser");
    if folder.is_dir() {
        Ok(folder.display().to_string())
    } else {
        Err(format!("no {}", folder.display()))
    }
}

/// Both the library and the headers that belong to the compiler (`stddef.h` and the like) are needed; a package with the
/// library alone exists.
fn look_libclang() -> Result<String, String> {
    let mut folders: Vec<PathBuf> = env::var_os("LIBCLANG_PATH")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    for parent in ["/usr/lib", "/usr/lib64", "/usr/local/lib"] {
        folders.push(PathBuf::from(parent));
        for folder in entries(Path::new(parent)) {
            folders.push(folder.join("lib"));
            folders.push(folder);
        }
    }
    let library = folders
        .iter()
        .flat_map(|folder| entries(folder))
        .find(|path| is_libclang(file_name(path)))
        .ok_or("no libclang.so")?;
    let headers = folders
        .iter()
        .flat_map(|folder| entries(&folder.join("clang")))
        .any(|version| version.join("include/stddef.h").is_file());
    if headers {
        Ok(library.display().to_string())
    } else {
        Err(format!(
            "{} is there, but not the compiler's headers",
            library.display()
        ))
    }
}

/// `libclang.so`, `libclang.so.1`, `libclang-14.so.13`, but not `libclang-cpp.so.14`.
fn is_libclang(name: &str) -> bool {
    name.strip_prefix("libclang").is_some_and(|rest| {
        let rest = rest.trim_start_matches(|c: char| c == '-' || c == '.' || c.is_ascii_digit());
        rest.starts_with("so")
    })
}

fn look_python() -> Result<String, String> {
    let python = find_program("python3").ok_or("no python3 command")?;
    output(&python, &["-c", "import venv, ensurepip"])
        .map_err(|_| format!("{} cannot make virtual environments", python.display()))?;
    Ok(python.display().to_string())
}

fn command(name: &str) -> Result<String, String> {
    find_program(name)
        .map(|path| path.display().to_string())
        .ok_or_else(|| format!("no {name} command"))
}

fn component(name: &str) -> Result<String, String> {
    let mut cargo = workspace::cargo().map_err(|error| error.to_string())?;
    let version = cargo
        .args([name, "--version"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if version.status.success() {
        Ok(String::from_utf8_lossy(&version.stdout).trim().to_owned())
    } else {
        Err(format!("no cargo {name}"))
    }
}

/// What a program prints, or why it does not.
pub(crate) fn output(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let ended = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    if ended.status.success() {
        Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    } else {
        Err(format!(
            "{} {} ended with {}",
            program.display(),
            arguments.join(" "),
            ended.status
        ))
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = folder
        .read_dir()
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_told_from_its_neighbours() {
        for name in [
            "libclang.so",
            "libclang.so.1",
            "libclang-14.so",
            "libclang-14.0.6.so",
        ] {
            assert!(is_libclang(name), "{name}");
        }
        for name in ["libclang-cpp.so.14", "libclangAST.a", "libclang.a"] {
            assert!(!is_libclang(name), "{name}");
        }
    }

    #[test]
    fn a_failing_program_is_named() {
        let error = output(Path::new("/bin/sh"), &["-c", "exit 3"]).unwrap_err();
        assert!(error.contains("/bin/sh") && error.contains('3'), "{error}");
    }
}
