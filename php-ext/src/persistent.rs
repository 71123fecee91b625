//! Connections that outlive a request: one table per process, or per thread where a process serves requests in many.
//!
//! Threads do not share connections: what a request subscribes to would come to the requests of the others as well.

use std::cell::RefCell;
use std::time::Duration;

use mqtt_client::background;

use crate::connection::{self, Guarded, Running};
use crate::exception::Failure;
use crate::options::Settings;
use crate::shim::{self, Class};

/// What a persistent connection is found by: the id the user gave, or a number that stands for its settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Name {
    Given(Vec<u8>),
    Numbered(u64),
}

impl Name {
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Given(id) => String::from_utf8_lossy(id).into_owned(),
            Self::Numbered(number) => format!("#{number}"),
        }
    }
}

struct Entry {
    name: Name,
    settings: Settings,
    /// `None` until the first use.
    handle: Option<Guarded<Running>>,
}

struct Table {
    entries: Vec<Entry>,
    last_number: u64,
}

thread_local! {
    /// No PHP code runs while it is borrowed.
    static TABLE: RefCell<Table> = const { RefCell::new(Table {
        entries: Vec::new(),
        last_number: 0,
    }) };
}

/// The name of the connection with these settings (or this id), reserved if it is new.
pub(crate) fn name(settings: &Settings, id: Option<&[u8]>) -> Result<Name, Failure> {
    with_table(|table| table.name(settings, id))
}

/// The connection of that name, started if need be.
pub(crate) fn handle(
    name: &Name,
    settings: &Settings,
    wants_changes: bool,
) -> Result<Guarded<Running>, Failure> {
    with_table(|table| {
        let Some(entry) = table.entry(name) else {
            // Closed by another object of this request.
            return Err(Failure::closed("the persistent client was closed"));
        };
        if let Some(handle) = &entry.handle {
            return Ok(handle.clone());
        }
        let running = connection::start(settings, longest_idle(), wants_changes)?;
        let handle = Guarded::new(running);
        entry.handle = Some(handle.clone());
        Ok(handle)
    })
}

/// The connection of that name, if it was started before.
pub(crate) fn running(name: &Name) -> Option<Guarded<Running>> {
    with_table(|table| table.entry(name)?.handle.clone())
}

/// Takes the connection out of the table: the next request that asks for it starts a new one.
pub(crate) fn forget(name: &Name) {
    with_table(|table| table.entries.retain(|entry| entry.name != *name));
}

/// What phpinfo() shows of each connection.
pub(crate) fn each(mut show: impl FnMut(&str, &Settings, Option<&Running>)) {
    with_table(|table| {
        for entry in &table.entries {
            show(
                &entry.name.to_text(),
                &entry.settings,
                entry.handle.as_deref(),
            );
        }
    });
}

/// Ends every client of the process and its background thread, within the time that `mqtt.shutdown_timeout_ms` gives them.
pub(crate) fn end_all() {
    // Before the table lets go of its clients: they would then end with a deadline of their own.
    background::shutdown(connection::shutdown_timeout());
    with_table(|table| table.entries.clear());
}

impl Table {
    fn entry(&mut self, name: &Name) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.name == *name)
    }

    fn name(&mut self, settings: &Settings, id: Option<&[u8]>) -> Result<Name, Failure> {
        let found = self.entries.iter().find(|entry| match (&entry.name, id) {
            (Name::Given(given), Some(id)) => given == id,
            (Name::Numbered(_), None) => entry.settings == *settings,
            _ => false,
        });
        if let Some(entry) = found {
            if entry.settings != *settings {
                return Err(Failure::option("this id is in use with other options"));
            }
            return Ok(entry.name.clone());
        }
        let most = usize::try_from(shim::ini_int("mqtt.max_persistent")).unwrap_or(0);
        if self.entries.len() >= most {
            let message =
                format!("there are {most} persistent clients here already (mqtt.max_persistent)");
            return Err(Failure::new(Class::ConnectionException, message));
        }
        settings.check_files()?;
        self.last_number += 1;
        let name = id.map_or(Name::Numbered(self.last_number), |id| {
            Name::Given(id.to_vec())
        });
        self.entries.push(Entry {
            name: name.clone(),
            settings: settings.clone(),
            handle: None,
        });
        Ok(name)
    }
}

/// `mqtt.idle_disconnect_s`
fn longest_idle() -> Option<Duration> {
    let seconds = u64::try_from(shim::ini_int("mqtt.idle_disconnect_s")).unwrap_or(0);
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn with_table<T>(use_it: impl FnOnce(&mut Table) -> T) -> T {
    TABLE.with_borrow_mut(|table| {
        // What a forked child inherited, or what ended for good, is not to be had any more: it starts anew when asked for.
        for entry in &mut table.entries {
            if entry
                .handle
                .as_ref()
                .is_some_and(|handle| !handle.is_ours() || handle.state().is_closed())
            {
                entry.handle = None;
            }
        }
        use_it(table)
    })
}
