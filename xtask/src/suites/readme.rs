//! The examples of README.md, run as they stand there.
//!
//! Each block marked `rust` or `php` has to be a whole program that ends by itself with exit code 0. Where it names the usual
//! address of a broker, `localhost:1883`, it gets a fresh one. So what a reader copies has been run.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Run, Suite, php};
use crate::peers;
use crate::workspace;

/// The address of a broker in the examples.
const USUAL: &str = "localhost:1883";

pub(super) const README: Suite = Suite {
    name: "readme",
    about: "the Rust and PHP examples of README.md",
    needs: php::NEEDS,
    run: |run| {
        php::build(run)?;
        let readme = std::fs::read_to_string(workspace::root().join("README.md"))
            .context("cannot read README.md")?;
        let blocks = blocks(&readme);
        for language in ["rust", "php"] {
            ensure!(
                blocks.iter().any(|block| block.language == language),
                "README.md has no {language} example"
            );
        }
        for block in &blocks {
            let broker = peers::ours::start()?;
            let text = block.text.replace(USUAL, &broker.address().to_string());
            let name = format!("README.md line {}", block.line);
            let result = match block.language {
                "rust" => run_rust(run, &name, block.line, &text),
                "php" => run_php(run, &name, block.line, &text),
                _ => Ok(()),
            };
            run.note("mqtt-broker", &broker.log());
            result?;
        }
        Ok(())
    },
};

fn run_rust(run: &mut Run, name: &str, line: usize, text: &str) -> Result<()> {
    if !text.contains("fn main") {
        bail!("{name}: the Rust example is not a whole program");
    }
    let folder = workspace::scratch("readme")?.join(format!("rust-{line}"));
    write(&folder.join("src/main.rs"), text)?;
    write(&folder.join("Cargo.toml"), &manifest(workspace::root()))?;
    // The versions that everything else was built with, so that what is built is shared.
    std::fs::copy(
        workspace::root().join("Cargo.lock"),
        folder.join("Cargo.lock"),
    )
    .context("cannot copy Cargo.lock")?;
    run.check(name, workspace::cargo()?.arg("run").current_dir(folder))
}

fn run_php(run: &mut Run, name: &str, line: usize, text: &str) -> Result<()> {
    let script = workspace::scratch("readme")?.join(format!("line-{line}.php"));
    write(&script, text)?;
    run.check(name, php::php()?.arg(script))
}

/// A crate of its own that may use what a reader of README.md may use.
fn manifest(root: &Path) -> String {
    let root = root.display();
    format!(
        "[package]\nname = \"readme-example\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         mqtt-client = {{ path = \"{root}/mqtt-client\" }}\nmqtt-broker = {{ path = \"{root}/mqtt-broker\" }}\n\
         mqtt-core = {{ path = \"{root}/mqtt-core\" }}\ntokio = {{ version = \"1\", features = [\"full\"] }}\n"
    )
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
}
