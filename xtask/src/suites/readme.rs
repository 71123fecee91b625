//! The examples of README.md, run as they stand there.
//!
//! Each block marked `rust`, `php` or `c` has to be a whole program that ends by itself with exit code 0, and the block after
//! it, marked `text`, has to be what it prints. Where the program names the usual address of a broker, `localhost:1883`, it
//! gets a fresh one. So what a reader copies has been run. What tries out TLS is run too: a broker, and in the next block its
//! clients, with a folder and ports of their own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{LIMIT, Run, Suite, c, php};
use crate::install::Need;
use crate::peers;
use crate::process::Service;
use crate::workspace;

/// The address of a broker in the examples.
const USUAL: &str = "localhost:1883";

/// Where the reader of README.md has this workspace.
const CHECKOUT: &str = "../pushmq/";

pub(super) const README: Suite = Suite {
    name: "readme",
    about: "the PHP, Rust and C examples of README.md, and what it says to try out TLS",
    needs: &[
        Need::CCompiler,
        Need::Php,
        Need::PhpHeaders,
        Need::PhpFpm,
        Need::Libclang,
        Need::PkgConfig,
        Need::MosquittoClients,
    ],
    run: |run| {
        php::build(run)?;
        let library = c::install(run)?;
        let readme = std::fs::read_to_string(workspace::root().join("README.md"))
            .context("cannot read README.md")?;
        let blocks = blocks(&readme);
        for language in ["rust", "php", "c"] {
            ensure!(
                blocks.iter().any(|block| block.language == language),
                "README.md has no {language} example"
            );
        }
        for (index, block) in blocks.iter().enumerate() {
            let prints = blocks
                .get(index + 1)
                .filter(|next| next.language == "text")
                .map(|next| next.text.as_str());
            let broker = peers::ours::start()?;
            let text = block.text.replace(USUAL, &broker.address().to_string());
            let verdict = match block.language {
                "rust" => rust(
                    run,
                    &manifest(&blocks, workspace::root())?,
                    block.line,
                    &text,
                ),
                "php" => php_script(block.line, &text),
                "c" => c_program(&library, block.line, &text),
                _ => continue,
            }
            .and_then(|mut program| run_and_compare(run, &mut program, prints));
            run.verdict(
                &format!("the {} example in line {}", block.language, block.line),
                verdict,
            )?;
            run.note("mqtt-broker", &broker.log());
        }
        let verdict = try_tls(run, &blocks);
        run.verdict("the commands that try out TLS", verdict)
    },
};

/// Runs the block of commands that ends in a broker with TLS and, once that listens, the block after it.
fn try_tls(run: &mut Run, blocks: &[Block<'_>]) -> Result<()> {
    let mut commands = blocks
        .iter()
        .filter(|block| block.language == "sh")
        .skip_while(|block| !block.text.contains("--tls-cert"));
    let (server, clients) = commands
        .next()
        .zip(commands.next())
        .context("README.md does not say how to try out TLS")?;
    let folder = peers::private_folder()?;
    let tls = folder.path().join("tls").display().to_string();
    let in_folder = |block: &Block<'_>| {
        let text = block.text.replace("tls/", &format!("{tls}/"));
        text.replace("mkdir tls", &format!("mkdir {tls}"))
            .replace("-- tls\n", &format!("-- {tls}\n"))
    };
    // Any free port in place of the two.
    let text = in_folder(server)
        .replace(":8883", ":0")
        .replace(":8884", ":0");
    let log = folder.path().join("log");
    let service = Service::start("the broker", &mut shell(&text)?, &log)?;
    let place = service.wait_until("second line `listening on …`", LIMIT, |service| {
        let log = service.log();
        let mut places = log.lines().filter(|line| line.starts_with("listening on "));
        let first = places.next()?.to_owned();
        places.next().map(|_| first)
    });
    run.note("the broker", &service.log());
    let place = place?;
    let port = place.strip_prefix("listening on mqtts://127.0.0.1:");
    let port = port.with_context(|| format!("{place:?} is no place of TLS"))?;
    let ended = run
        .program(
            "the clients",
            &mut shell(&in_folder(clients).replace("8883", port))?,
        )?
        .expect_success("the clients")?;
    ensure!(
        ended.output.contains("connected to localhost:"),
        "the client said\n{}",
        ended.output
    );
    Ok(())
}

/// Commands as somebody types them in the folder of this workspace, where each has to succeed.
fn shell(commands: &str) -> Result<Command> {
    let cargo = workspace::cargo()?;
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(workspace::root());
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Ok(shell)
}

/// Builds the program and returns how to run it.
fn rust(run: &mut Run, manifest: &str, line: usize, text: &str) -> Result<Command> {
    ensure!(text.contains("fn main"), "it is not a whole program");
    let folder = workspace::scratch("readme")?.join(format!("rust-{line}"));
    write(&folder.join("src/main.rs"), text)?;
    write(&folder.join("Cargo.toml"), manifest)?;
    // The versions that everything else was built with, so that what is built is shared.
    std::fs::copy(
        workspace::root().join("Cargo.lock"),
        folder.join("Cargo.lock"),
    )
    .context("cannot copy Cargo.lock")?;
    run.prepare(
        "cargo build",
        workspace::cargo()?.arg("build").current_dir(folder),
    )?;
    Ok(Command::new(workspace::built("readme-example")?))
}

fn php_script(line: usize, text: &str) -> Result<Command> {
    ensure!(text.starts_with("<?php"), "it is not a whole program");
    let script = workspace::scratch("readme")?.join(format!("line-{line}.php"));
    write(&script, text)?;
    let mut command = php::php()?;
    command.arg(script);
    Ok(command)
}

/// Compiles the program against the library installed at `library`.
fn c_program(library: &Path, line: usize, text: &str) -> Result<Command> {
    ensure!(text.contains("int main("), "it is not a whole program");
    let source = workspace::scratch("readme")?.join(format!("line-{line}.c"));
    write(&source, text)?;
    c::program(library, &source, c::Linking::Shared)
}

fn run_and_compare(run: &mut Run, program: &mut Command, prints: Option<&str>) -> Result<()> {
    let expected = prints.context("no block marked `text` after it says what it prints")?;
    let ended = run
        .program("the example", program)?
        .expect_success("the example")?;
    ensure!(
        ended.output == expected,
        "it should print\n{expected}but printed\n{}",
        ended.output
    );
    Ok(())
}

/// A crate of its own with the dependencies that README.md tells a reader to have.
fn manifest(blocks: &[Block<'_>], root: &Path) -> Result<String> {
    let dependencies = blocks
        .iter()
        .find(|block| block.language == "toml" && block.text.starts_with("[dependencies]"))
        .context(
            "README.md has no block marked `toml` with the dependencies of its Rust example",
        )?;
    ensure!(
        dependencies.text.contains(CHECKOUT),
        "the dependencies do not name {CHECKOUT}"
    );
    let dependencies = dependencies
        .text
        .replace(CHECKOUT, &format!("{}/", root.display()));
    Ok(format!(
        "[package]\nname = \"readme-example\"\nedition = \"2024\"\n\n[workspace]\n\n{dependencies}"
    ))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("the file lies in no folder")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A fenced block of code.
#[derive(Debug, Eq, PartialEq)]
struct Block<'a> {
    language: &'a str,
    /// The line of the file on which its text begins.
    line: usize,
    text: String,
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (index, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.trim(),
                    line: index + 2,
                    text: String::new(),
                })
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_language_and_line() {
        let markdown = "# Title\n```sh\nls\n```\ntext\n```php\n<?php\necho 1;\n```\n";
        let blocks = blocks(markdown);
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            blocks[1],
            Block {
                language: "php",
                line: 7,
                text: "<?php\necho 1;\n".to_owned()
            }
        );
    }

    #[test]
    fn the_c_example_is_the_one_that_is_installed() {
        let root = workspace::root();
        let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
        let example = std::fs::read_to_string(root.join("ffi/examples/publisher.c")).unwrap();
        let blocks = blocks(&readme);
        let shown = blocks.iter().find(|block| block.language == "c").unwrap();
        assert!(shown.text == example, "README.md and publisher.c differ");
    }

    #[test]
    fn the_example_is_built_with_the_dependencies_that_the_reader_copies() {
        let markdown =
            "```toml\n[dependencies]\nmqtt-client = { path = \"../pushmq/mqtt-client\" }\n```\n";
        let manifest = manifest(&blocks(markdown), Path::new("/src/here")).unwrap();
        assert!(
            manifest
                .ends_with("[dependencies]\nmqtt-client = { path = \"/src/here/mqtt-client\" }\n"),
            "{manifest}"
        );
        assert!(super::manifest(&[], Path::new("/src/here")).is_err());
    }
}
