//! Compares what decoders take and refuse; `cargo xtask bench strictness` runs it.
//!
//! `strictness [--results FOLDER] [--fuzzed FOLDER]`: the table of all rivals goes into the first; the second has more inputs of
//! the fuzz target `decode_packet`, as far as there are any.

use std::{env, fs, panic, path::Path, process::ExitCode};

use mqtt_rivals::{
    corpus::{self, Sample},
    strictness::{self, STRICTEST, Settled},
};

const TABLE: &str = include_str!("../../disagreements.tsv");

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (mut results, mut more) = (None, None);
    for pair in arguments.chunks(2) {
        match pair.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["--results", folder] => results = Some(folder.to_owned()),
            ["--fuzzed", folder] => more = Some(folder.to_owned()),
            _ => return Err("usage: strictness [--results FOLDER] [--fuzzed FOLDER]".to_owned()),
        }
    }
    // A rival's panic is a verdict here.
    panic::set_hook(Box::new(|_| {}));
    let (legal, others) = corpus::by_hand::samples();
    let table = strictness::table(&legal, &others);
    let text = format!(
        "# What decoders take and refuse\n\nWritten by `cargo xtask bench strictness`: the packets that the tests of `mqtt-core` \
         have written by hand from the standard, each\nwhole as its Remaining Length says. Decoders that are not told who sends \
         take packets of the wrong direction, which counts as illegal too.\n\n{table}"
    );
    print!("{text}");
    if let Some(folder) = results {
        let path = Path::new(&folder).join("strictness.md");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/decode_packet");
    let committed = [legal, others, fuzzed(&seeds)?].concat();
    let more = more.map_or(Ok(Vec::new()), |folder| fuzzed(Path::new(&folder)))?;
    let settled = Settled::read(TABLE)?;
    let kinds = strictness::settle(&settled, &committed, &more)?;
    println!(
        "\n{} packets by hand and from seeds, {} found by fuzzing: {kinds} kinds of disagreement with {}, all settled",
        committed.len(),
        more.len(),
        STRICTEST.join(" and "),
    );
    Ok(())
}

fn fuzzed(folder: &Path) -> Result<Vec<Sample>, String> {
    corpus::fuzzed(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
