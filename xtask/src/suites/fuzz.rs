//! Fuzzing as suites: a glance with each change, and a longer look at night.

use anyhow::Result;

use super::{Run, Suite, rust};
use crate::fuzz::{self, Start};

pub(super) const FUZZ: Suite = Suite {
    name: "fuzz",
    about: "each seed passes, and each fuzz target finds nothing for 20 seconds",
    needs: fuzz::NEEDS,
    run: |run| {
        run.cargo_test_with(&mut rust::outlying("fuzz", &["test", "--no-fail-fast"])?)?;
        search(run, Start::Fixed)
    },
};

pub(super) const LONG: Suite = Suite {
    name: "fuzz-long",
    about: "each fuzz target finds nothing for two minutes, or as many as --fuzz-minutes says",
    needs: fuzz::NEEDS,
    run: |run| search(run, Start::Random),
};

fn search(run: &mut Run, start: Start) -> Result<()> {
    run.prepare("build of the fuzz targets", &mut fuzz::build()?)?;
    for target in fuzz::TARGETS {
        let time = run.fuzz_time();
        let mut command = fuzz::search(target, time, start)?;
        let ended = run.program_for(target, &mut command, time)?;
        let found = fuzz::found(target, &ended);
        if let Ok(done) = &found {
            run.remark(format!("{target}: {done}"));
        }
        run.verdict(target, found.map(drop))?;
    }
    Ok(())
}
