//! What the library says about its work, for a function of the program's: the records of `tracing` in the crates below.

use std::ffi::{CString, c_char, c_void};
use std::fmt::{self, Write as _};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mqtt_client::background;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, dispatcher, span, subscriber};

use crate::error::{Error, Result};
use crate::guard;
use crate::status::Status;
use crate::userdata::{DropFunction, Userdata};

/// How much a record of the log matters.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LogLevel {
    /// A client came to its end.
    Error = 1,
    /// Something is wrong, and the client goes on: no connection, a message given up.
    Warning = 2,
    /// Connections that come and go.
    Info = 3,
    /// What helps to understand the client itself.
    Debug = 4,
}

/// Takes a record of the log: one line of text, UTF-8 that ends in NUL and lives until the function returns. The function must
/// return: a C++ exception must not leave it, nor may longjmp.
pub type LogFunction =
    Option<unsafe extern "C" fn(level: LogLevel, text: *const c_char, userdata: *mut c_void)>;

/// Has the library tell `log`, with `userdata`, of what it does, as far as that matters as much as `level`, a pmq_log_level.
/// One function at a time, for all clients of the process: this one takes the place of the one before, and NULL unsets it (the
/// other arguments are not looked at then). Nothing is told of before, and payloads and passwords never are.
///
/// Other than handlers, `log` runs on the library's thread, where all clients wait for it, and in pmq_client_new on the
/// caller's, maybe at the same time. It cannot call back: inside of it, and of `drop`, functions that return a status do
/// nothing and say PMQ_STATUS_BUSY. The others do their work.
///
/// `drop`, unless NULL, is called with `userdata` exactly once, when `log` will not be called any more: after it was replaced
/// or unset, or by pmq_shutdown. Mostly that is before those return; where `log` runs at that moment, it is right after. If
/// this call fails, nothing was taken. The end of the process calls neither, and nor does a forked child, which has no log
/// function until it sets its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_set_log(
    level: i32,
    log: LogFunction,
    userdata: *mut c_void,
    drop: DropFunction,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        let Some(log) = log else {
            unset();
            return Ok(());
        };
        let level = LogLevel::of(level)?;
        install()?;
        set(Sink {
            level,
            log,
            userdata: Userdata::new(userdata, drop),
        });
        Ok(())
    };
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::call(error, body) }
}

impl LogLevel {
    fn of(level: i32) -> Result<Self> {
        [Self::Error, Self::Warning, Self::Info, Self::Debug]
            .into_iter()
            .find(|known| *known as i32 == level)
            .ok_or_else(|| Error::argument(format_args!("{level} is no pmq_log_level")))
    }

    fn of_record(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warning,
            Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

/// The function of the program's, and what it asked for.
struct Sink {
    level: LogLevel,
    log: unsafe extern "C" fn(LogLevel, *const c_char, *mut c_void),
    userdata: Userdata,
}

/// Where the sink is, or null. What it points to is never freed: a child must not touch its parent's, whose lock may be held
/// by a thread that does not exist there. There is one for each process at most.
static SLOT: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());

struct Slot {
    /// The process that it belongs to.
    generation: u64,
    sink: Mutex<Option<Arc<Sink>>>,
}

impl Slot {
    /// That of this process, if it has one.
    fn present() -> Option<&'static Self> {
        // SAFETY: null, or from Box::into_raw in `set`, and never freed.
        let slot = unsafe { SLOT.load(Ordering::Acquire).as_ref() }?;
        (slot.generation == background::generation()).then_some(slot)
    }

    fn sink(&self) -> MutexGuard<'_, Option<Arc<Sink>>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No lock is held while the program's `drop` runs.
    fn replace(&self, sink: Option<Arc<Sink>>) {
        let before = std::mem::replace(&mut *self.sink(), sink);
        drop(before);
    }
}

fn set(sink: Sink) {
    let sink = Arc::new(sink);
    loop {
        if let Some(slot) = Slot::present() {
            return slot.replace(Some(sink));
        }
        let known = SLOT.load(Ordering::Acquire);
        let new = Box::into_raw(Box::new(Slot {
            generation: background::generation(),
            sink: Mutex::new(None),
        }));
        let order = (Ordering::AcqRel, Ordering::Acquire);
        if SLOT.compare_exchange(known, new, order.0, order.1).is_err() {
            // SAFETY: it came from Box::into_raw just above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

/// Lets go of the function, if there is one.
pub(crate) fn unset() {
    if let Some(slot) = Slot::present() {
        slot.replace(None);
    }
}

/// Has `tracing` ask here. The library has a copy of its own: this is nobody else's, but in a Rust program that links the
/// crate.
fn install() -> Result<()> {
    let is_ours = || dispatcher::get_default(|present| present.is::<Records>());
    if is_ours() {
        return Ok(());
    }
    let installed = subscriber::set_global_default(Records);
    // Another thread may have been faster.
    if installed.is_ok() || is_ours() {
        return Ok(());
    }
    Err(Error::new(
        Status::NotSupported,
        "this program has a subscriber of tracing's already, which gets the records",
    ))
}

/// Gives records to the sink.
struct Records;

impl Subscriber for Records {
    /// Asked once for each place in the code. Nothing but the client's own records, which are known to hold no payload.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::DEBUG
            && metadata.target().starts_with("mqtt_client")
    }

    fn event(&self, event: &Event<'_>) {
        // What comes from here must not come here again; and a fault of this must not end the client.
        if guard::is_out() {
            return;
        }
        guard::query((), || {
            let sink = Slot::present()?.sink().clone()?;
            let level = LogLevel::of_record(*event.metadata().level());
            if level <= sink.level {
                let text = text(event);
                // SAFETY: the program's own function and value; the text lives until it returns.
                guard::call_out(|| unsafe {
                    (sink.log)(level, text.as_ptr(), sink.userdata.value())
                });
            }
            Some(())
        });
    }

    // There are no spans.
    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn enter(&self, _span: &span::Id) {}
    fn exit(&self, _span: &span::Id) {}
}

/// A record as one line: `message (name=value, name=value)`.
fn text(event: &Event<'_>) -> CString {
    let mut line = Line::default();
    event.record(&mut line);
    let mut text = line.message;
    if !line.values.is_empty() {
        let _ = write!(text, " ({})", line.values);
    }
    one_line(&text)
}

/// What a server says in an error must not look like a record of its own.
fn one_line(text: &str) -> CString {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    // NUL is a control character.
    CString::new(line).unwrap_or_default()
}

#[derive(Default)]
struct Line {
    message: String,
    values: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
            return;
        }
        let separator = if self.values.is_empty() { "" } else { ", " };
        let _ = write!(self.values, "{separator}{}={value:?}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_a_server_says() {
        let line = one_line("refused: é\r\n\0not connected");
        assert_eq!(line.to_str(), Ok("refused: é\\r\\n\\u{0}not connected"));
    }
}
