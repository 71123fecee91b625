//! The lists of numbered statements, held against the tests that passed.

use super::Suite;
use crate::conformance::{Coverage, List, PACKAGES, Place, Seen};
use crate::install::Need;

pub(super) const CONFORMANCE: Suite = Suite {
    name: "conformance",
    about: "each statement of the standards that is said to be tested has a test that passed",
    needs: &[Need::CCompiler],
    run: |run| {
        let lists = List::read_all()?;
        let mut seen = Seen::default();
        for package in PACKAGES {
            let output = if let Some(log) = run.earlier.0.get(package.suite) {
                log.clone()
            } else {
                let what = format!("tests of {} that carry a statement", package.name);
                run.program(&what, &mut package.named_tests()?)?.output
            };
            package.expect_tests(&output)?;
            seen.add(package.name, &output);
        }
        let coverage = Coverage::new(&lists, &Place::ALL, &seen);
        run.note("coverage", &coverage.to_string());
        run.tally.passed += coverage.tested();
        for gap in &coverage.broken {
            run.fail(&format!("no test passed for {gap}"), "");
        }
        for test in &coverage.unknown {
            run.fail(&format!("not in the standard: {test}"), "");
        }
        if !coverage.open.is_empty() {
            let open = coverage.open.len();
            run.remark(format!(
                "{open} open: cargo xtask conformance --missing names them"
            ));
        }
        Ok(())
    },
};
