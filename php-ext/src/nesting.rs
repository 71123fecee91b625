//! How deep handlers are nested: each run(), poll() or consume() inside a handler takes a piece of the C stack, which no
//! handler can catch the end of.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::shim::{self, Stack};

/// Handlers on top of each other, on one stack. With room to spare on the 2 MiB that PHP gives a fiber.
const DEEPEST: u32 = 256;

thread_local! {
    /// The handlers that are under way, by the stack they run on: one that has suspended its fiber is on no other's.
    static HANDLERS: RefCell<HashMap<Stack, u32>> = RefCell::default();
}

/// A request begins: a fatal error in a handler of the last one may have left something.
pub(crate) fn begin() {
    HANDLERS.with_borrow_mut(HashMap::clear);
}

/// Whether one more handler may begin here.
pub(crate) fn has_room() -> bool {
    let stack = shim::stack();
    HANDLERS.with_borrow(|handlers| handlers.get(&stack).is_none_or(|depth| *depth < DEEPEST))
}

/// A handler begins.
pub(crate) fn enter() {
    HANDLERS.with_borrow_mut(|handlers| *handlers.entry(shim::stack()).or_default() += 1);
}

/// It ended, on the stack it began on.
pub(crate) fn leave() {
    let stack = shim::stack();
    HANDLERS.with_borrow_mut(|handlers| {
        if let Some(depth) = handlers.get_mut(&stack) {
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                handlers.remove(&stack);
            }
        }
    });
}
