//! Measures codecs side by side; `cargo xtask bench codec` runs it.
//!
//! `codec FOLDER` writes the results there, `codec --quick` only checks that every library does what is measured.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
};

use mqtt_rivals::{
    groups::{self, Operation},
    measure, plot,
    report::{self, Circumstances, Results},
};

/// With this the program starts itself under callgrind.
const COUNTING: &str = "--counting";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--quick"] => check(),
        [COUNTING] => groups::all().map(|mut groups| measure::run_counted(&mut groups)),
        [folder] => measure_into(Path::new(folder)),
        _ => Err("usage: codec --quick | codec FOLDER".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), String> {
    let mut groups = groups::all()?;
    measure::try_all(&mut groups);
    let mut failed = 0;
    let mut done = 0;
    for group in &groups {
        done += group.contestants.len();
        for (name, reason) in &group.absent {
            // Who copies payloads does nothing wrong.
            if group.operation != Operation::Gather {
                let (operation, mqtt) = (group.operation, group.mqtt);
                println!("{name}, {operation}, {mqtt}, {:?}: {reason}", group.case);
                failed += 1;
            }
        }
    }
    if failed > 0 {
        return Err(format!("{failed} cases are not done as they should be"));
    }
    println!(
        "{done} cases in {} groups are done as they should be",
        groups.len()
    );
    Ok(())
}

fn measure_into(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut groups = groups::all()?;
    let contestants = groups.iter().map(|group| group.contestants.len()).sum();
    println!("counting instructions of {contestants} cases");
    let scratch = env::temp_dir().join(format!("codec-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let counted = measure::instructions(contestants, &scratch, COUNTING);
    let removed = fs::remove_dir_all(&scratch).map_err(|error| error.to_string());
    let instructions = counted?;
    removed?;
    println!("measuring time");
    let figures = measure::all(&mut groups, &instructions);
    let results = Results {
        groups: &groups,
        figures: &figures,
    };
    let text = report::markdown(&results, &circumstances());
    print!("{text}");
    let spread = figures.iter().flatten().map(|figure| figure.spread);
    println!(
        "\nthe medians of the two passes differ by {:.0} % at most",
        (spread.fold(1.0, f64::max) - 1.0) * 100.0
    );
    fs::write(folder.join("codec.md"), text).map_err(|error| error.to_string())?;
    fs::write(folder.join("codec.svg"), plot::svg(&results)).map_err(|error| error.to_string())
}

fn circumstances() -> Circumstances {
    let says = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        let text = output
            .filter(|output| output.status.success())
            .and_then(|output| String::from_utf8(output.stdout).ok());
        text.map_or_else(
            || format!("{program} unknown"),
            |text| text.trim().to_owned(),
        )
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    Circumstances {
        date: says("date", &["-u", "+%Y-%m-%d"]),
        machine: format!("{model}, {cores} shared cores"),
        compiler: says("rustc", &["--version"]),
        revision: says("git", &["describe", "--always", "--dirty"]),
    }
}
