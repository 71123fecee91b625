//! `Client::onState()` and `Client::setLogger()`: changes of state, from the background thread's list to PHP code.

use std::ffi::c_char;
use std::time::{SystemTime, UNIX_EPOCH};

use ext_php_rs::types::Zval;
use mqtt_client::{CloseCause, State, Status};

use crate::client::{self, Client};
use crate::connection::Connection;
use crate::exception::Thrown;
use crate::method::{Answer, Call, methods};
use crate::names::NAMES;
use crate::nesting;
use crate::shim::{self, Class, Object};
use crate::value::{self, Key};
use crate::watch::{self, Change};

methods! {
    "zim_Mqtt_Client_onState" 1..=1 => on_state;
    "zim_Mqtt_Client_setLogger" 1..=1 => set_logger;
}

/// The properties of a client object that hold what these methods were given, where the garbage collector sees it.
const STATE_HANDLER: &str = "stateHandler";
const LOGGER: &str = "logger";

/// How much a record matters, and what PSR-3 calls that.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warning, Self::Error];

    const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// `mqtt.log_level`
    fn least() -> Self {
        let name = shim::ini_string("mqtt.log_level");
        name.and_then(|name| Self::named(&name))
            .unwrap_or(Self::Info)
    }
}

fn on_state(call: &Call<'_>) -> Answer {
    let handler = call.nullable_callable(1)?;
    let handler = handler.map_or_else(value::null, |handler| handler.shallow_clone());
    put(call, STATE_HANDLER, handler)
}

fn set_logger(call: &Call<'_>) -> Answer {
    let Some(logger) = call.nullable(1) else {
        return put(call, LOGGER, value::null());
    };
    let logger = logger.shallow_clone();
    if Object::of(&logger).is_none_or(|logger| !logger.has_method("log")) {
        return Err(call.wrong_type(
            1,
            c"an object with a method log(), such as Psr\\Log\\LoggerInterface, or null",
        ));
    }
    put(call, LOGGER, logger)
}

fn put(call: &Call<'_>, property: &str, value: Zval) -> Answer {
    let (this, client) = (call.this()?, call.native::<Client>()?);
    this.init(property, value);
    let wanted = !this.property(STATE_HANDLER).is_null() || !this.property(LOGGER).is_null();
    client.connection.want_changes(wanted);
    Ok(value::null())
}

/// Lets go of both.
pub(crate) fn forget(client_object: Object<'_>) {
    client_object
        .init(STATE_HANDLER, value::null())
        .init(LOGGER, value::null());
}

/// Tells PHP of the changes that came since the last call. Control may leave through here for good, as in [`shim::call`]:
/// what is held meanwhile are PHP's values only.
pub(crate) fn dispatch(connection: &Connection) -> Result<(), Thrown> {
    if !connection.wants_changes() {
        return Ok(());
    }
    while nesting::has_room()
        && let Some(client) = connection.client_object()
        && let Some(change) = connection
            .started()
            .and_then(|running| running.watch.next_change())
    {
        let record = record(connection, &change);
        let (state, cause) = (client::named_state(&change.state), cause(&change.state));
        drop(change);
        log(&client, record)?;
        if let Some(state) = state {
            tell(&client, shim::enum_case(Class::State, state), cause)?;
        }
    }
    log_troubles(connection)
}

/// Tells the logger what went wrong beside the connection since it was told last, each kind in one record. A logger that throws
/// hears of the other kinds the next time.
fn log_troubles(connection: &Connection) -> Result<(), Thrown> {
    let (Some(client), Some(running)) = (connection.client_object(), connection.started()) else {
        return Ok(());
    };
    // Looked at each time: a logger may put another, or none, in its place.
    let has_logger =
        || Object::of(&client).is_some_and(|client| !client.property(LOGGER).is_null());
    if !nesting::has_room() || !has_logger() {
        return Ok(());
    }
    let status = running.status();
    let counts = TROUBLES.map(|trouble| (trouble.count)(&status));
    drop(status);
    for (kind, (count, trouble)) in counts.into_iter().zip(&TROUBLES).enumerate() {
        if !has_logger() {
            break;
        }
        let count = running.watch.untold(kind, count);
        if count == 0 {
            continue;
        }
        let what = trouble.what;
        let context = context(
            &connection.settings().address(),
            SystemTime::now(),
            Some(("count", value::count(count))),
        );
        let record = Record {
            level: Level::Warning,
            message: value::text(&format!("{what}: {count}")),
            context,
        };
        log(&client, Some(record))?;
    }
    Ok(())
}

/// Something that may go wrong beside the connection.
struct Trouble {
    /// How often it did since the client was started.
    count: fn(&Status) -> u64,
    what: &'static str,
}

const TROUBLES: [Trouble; watch::TROUBLES] = [
    Trouble {
        count: |status| status.overflowed,
        what: "messages dropped because the queue was full",
    },
    Trouble {
        count: |status| status.failed.saturating_sub(status.overflowed),
        what: "messages that were not delivered",
    },
    Trouble {
        count: |status| status.dropped,
        what: "received messages dropped because the inbox was full or nobody subscribed",
    },
    Trouble {
        count: |status| status.unanswered,
        what: "received messages let go without ack() or reject()",
    },
    Trouble {
        count: |status| status.refused_again,
        what: "subscriptions that the broker refused after a reconnect",
    },
];

/// Calls what onState() was given.
fn tell(client: &Zval, state: Zval, cause: Zval) -> Result<(), Thrown> {
    let object = Object::of(client).ok_or(Thrown::Pending)?;
    let handler = object.property(STATE_HANDLER);
    if handler.is_null() {
        return Ok(());
    }
    // A reference of our own: the handler may be replaced while it runs.
    let mut handler = handler.shallow_clone();
    call(&mut handler, &mut [state, cause, client.shallow_clone()])
}

/// Calls the logger, if the record matters enough.
fn log(client: &Zval, record: Option<Record>) -> Result<(), Thrown> {
    let Some(Record {
        level,
        message,
        context,
    }) = record.filter(|record| record.level >= Level::least())
    else {
        return Ok(());
    };
    let object = Object::of(client).ok_or(Thrown::Pending)?;
    let logger = object.property(LOGGER);
    if logger.is_null() {
        return Ok(());
    }
    let mut method = value::list([logger.shallow_clone(), value::text("log")]);
    call(
        &mut method,
        &mut [value::text(level.name()), message, context],
    )
}

fn call(callable: &mut Zval, arguments: &mut [Zval]) -> Result<(), Thrown> {
    nesting::enter();
    let returned = shim::call(callable, arguments);
    nesting::leave();
    if returned {
        Ok(())
    } else {
        Err(Thrown::Pending)
    }
}

/// What the logger is told.
struct Record {
    level: Level,
    message: Zval,
    context: Zval,
}

/// Addresses and causes have no secrets in them, and payloads never come here.
fn record(connection: &Connection, change: &Change) -> Option<Record> {
    let address = change
        .address
        .clone()
        .unwrap_or_else(|| connection.settings().address());
    let (level, message) = match &change.state {
        State::Connecting => (Level::Debug, format!("connecting to {address}")),
        State::Connected if connection.settings().is_insecure() => {
            let message = format!(
                "connected to {address}, or to anybody who poses as it: certificates are not verified"
            );
            (Level::Warning, message)
        }
        State::Connected => {
            let version = change.version.map(|version| format!(", MQTT {version}"));
            let version = version.unwrap_or_default();
            (Level::Info, format!("connected to {address}{version}"))
        }
        State::Backoff { delay, error, .. } => {
            let seconds = delay.as_secs_f64();
            let error = NAMES.connect_error(error);
            let message = format!("{error}; the next attempt is in {seconds:.1} s");
            (Level::Warning, message)
        }
        State::Closed(CloseCause::Final(error) | CloseCause::GaveUp(error)) => {
            let error = NAMES.connect_error(error);
            (Level::Error, format!("{error}; the connection is given up"))
        }
        State::Idle => {
            let message = format!("disconnected from {address}: not used for some time");
            (Level::Info, message)
        }
        State::Closed(_) => (Level::Info, format!("disconnected from {address}")),
        _ => return None,
    };
    Some(Record {
        level,
        message: value::text(&message),
        context: context(&address, change.at, None),
    })
}

/// What comes with each record, and one entry more.
fn context(address: &str, at: SystemTime, more: Option<(&str, Zval)>) -> Zval {
    let since_1970 = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let entries = [
        ("address", value::text(address)),
        ("time", value::float(since_1970.as_secs_f64())),
    ];
    let entries = entries.into_iter().chain(more);
    value::map(entries.map(|(name, value)| (Key::Text(name.as_bytes().into()), value)))
}

/// Why there is no connection, or null.
fn cause(state: &State) -> Zval {
    let error = match state {
        State::Backoff { error, .. } => Some(error),
        State::Closed(cause) => cause.error(),
        _ => None,
    };
    value::nullable(error, |error| value::text(&NAMES.connect_error(error)))
}

/// Called by the shim when `mqtt.log_level` is set.
#[unsafe(no_mangle)]
extern "C" fn mqtt_is_log_level(name: *const c_char, length: usize) -> bool {
    if name.is_null() {
        return false;
    }
    // SAFETY: the shim passes a string of PHP's with its length.
    let name = unsafe { std::slice::from_raw_parts(name.cast::<u8>(), length) };
    Level::ALL
        .iter()
        .any(|level| level.name().as_bytes() == name)
}
