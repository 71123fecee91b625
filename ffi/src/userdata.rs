//! Values of the program's that the library keeps for a while, and gives back.

use std::ffi::c_void;

use mqtt_client::background;

use crate::guard;

/// Takes back what a program gave the library to keep: `userdata` is not looked at any more. It cannot call back: inside of it,
/// functions that return a status do nothing and say PMQ_STATUS_BUSY. It must return: a C++ exception must not leave it, nor
/// may longjmp.
pub type DropFunction = Option<unsafe extern "C" fn(userdata: *mut c_void)>;

/// A value of the program's and the function that takes it back, which is called once, when this is dropped: in the process
/// that gave it, and not in a forked child, whose copy is nobody's.
pub(crate) struct Userdata {
    value: *mut c_void,
    drop: DropFunction,
    generation: u64,
}

// SAFETY: the value is only passed on, and the header says on which threads.
unsafe impl Send for Userdata {}
// SAFETY: as above.
unsafe impl Sync for Userdata {}

impl Userdata {
    pub(crate) fn new(value: *mut c_void, drop: DropFunction) -> Self {
        // From here on there is something that a child must not touch.
        background::notice_forks();
        Self {
            value,
            drop,
            generation: background::generation(),
        }
    }

    pub(crate) const fn value(&self) -> *mut c_void {
        self.value
    }
}

impl Drop for Userdata {
    fn drop(&mut self) {
        if let Some(drop) = self.drop
            && self.generation == background::generation()
        {
            // SAFETY: the program's own function and value, for the only time.
            guard::call_out(|| unsafe { drop(self.value) });
        }
    }
}
