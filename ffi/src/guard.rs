//! The wall between Rust and C: no panic gets through it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::Status;

/// Runs the body of an entry point; a panic comes back as [`Status::Panic`].
///
/// Entry points build their results before they write any, so a body that is cut short has changed nothing a caller sees.
pub(crate) fn guarded(body: impl FnOnce() -> Result<(), Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(_) => Status::Panic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_a_status() {
        assert_eq!(guarded(|| panic!("injected")), Status::Panic);
    }
}
