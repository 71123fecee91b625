//! The module as PHP sees it: start, end, requests, phpinfo(); and what the C shim calls.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::php_module;
use ext_php_rs::types::ZendObject;
use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_header, info_table_row, info_table_start};
use mqtt_client::background;

use crate::batch::Batch;
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dispatch::{self, MessageIterator};
use crate::exception::Thrown;
use crate::message::Message;
use crate::shim::{self, Class, Native, Object};
use crate::subscription::Subscription;
use crate::{persistent, properties, request};

const SUCCESS: c_int = 0;
const FAILURE: c_int = -1;

#[php_module]
fn module(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    module
        .name("mqtt")
        .startup_function(startup)
        .shutdown_function(shutdown)
        .request_startup_function(request_startup)
        .request_shutdown_function(request_shutdown)
        .info_function(info)
}

/// Registers classes and settings. Starts nothing: the process may fork its workers after this.
unsafe extern "C" fn startup(kind: c_int, module_number: c_int) -> c_int {
    guarded(|| {
        shim::register_ini(kind, module_number);
        shim::register_classes();
    })
}

/// Stops the background thread within the time that `mqtt.shutdown_timeout_ms` gives it.
unsafe extern "C" fn shutdown(kind: c_int, module_number: c_int) -> c_int {
    guarded(|| {
        persistent::end_all();
        shim::unregister_ini(kind, module_number);
    })
}

unsafe extern "C" fn request_startup(_kind: c_int, _module_number: c_int) -> c_int {
    guarded(request::begin)
}

unsafe extern "C" fn request_shutdown(_kind: c_int, _module_number: c_int) -> c_int {
    guarded(request::end)
}

/// phpinfo(): the version, the persistent clients of this process, the settings.
unsafe extern "C" fn info(module: *mut ModuleEntry) {
    guarded(|| {
        info_table_start!();
        info_table_row!("MQTT support", "enabled");
        info_table_row!("Version", env!("CARGO_PKG_VERSION"));
        info_table_row!("Protocols", "MQTT 5.0, 3.1.1, 3.1");
        info_table_row!("Transports", "TCP, TLS (rustls), WebSocket, Unix sockets");
        info_table_row!("Proxies", "HTTP CONNECT, SOCKS 5");
        info_table_end!();
        info_table_start!();
        info_table_header!("Persistent clients here", "State");
        // Read first, printed then: printing may run PHP code (an output handler), or never come back.
        let mut rows = Vec::new();
        persistent::each(|name, settings, handle| {
            let state =
                handle.map_or_else(|| "not started".to_owned(), |running| describe(running));
            rows.push((format!("{name} {}", settings.address()), state));
        });
        for (name, state) in rows {
            // A NUL would end the text.
            let (name, state) = (name.replace('\0', "\\0"), state.replace('\0', "\\0"));
            info_table_row!(name.as_str(), state.as_str());
        }
        info_table_end!();
        shim::display_ini(module);
    });
}

fn describe(handle: &background::Handle) -> String {
    let (state, status) = (handle.state(), handle.status());
    let state = match state {
        mqtt_client::State::Connected => "connected",
        mqtt_client::State::Connecting => "connecting",
        mqtt_client::State::Backoff { .. } => "backoff",
        mqtt_client::State::Idle => "idle",
        _ => "closed",
    };
    let client_id = handle
        .connack()
        .map_or_else(|| "-".to_owned(), |connack| connack.client_id);
    format!(
        "{state}, client id {client_id}, {} in flight, {} queued",
        status.in_flight, status.queued_messages
    )
}

/// A panic must not cross into C.
fn guarded(body: impl FnOnce()) -> c_int {
    if catch_unwind(AssertUnwindSafe(body)).is_ok() {
        SUCCESS
    } else {
        FAILURE
    }
}

/// Called by the shim when an iterator is let go while no exception is pending: the loop was left in good order.
#[unsafe(no_mangle)]
extern "C" fn mqtt_iteration_left(iterator: *mut ZendObject) {
    guarded(|| {
        if let Some(iterator) = NonNull::new(iterator) {
            // SAFETY: the shim is about to free the object, and has not begun.
            dispatch::settle_current(unsafe { Object::from_raw(iterator) });
        }
    });
}

/// Called by the shim when an object with a Rust value is freed.
#[unsafe(no_mangle)]
extern "C" fn mqtt_drop_native(class: c_int, native: *mut c_void) {
    guarded(|| {
        drop_as::<Client>(class, native);
        drop_as::<Delivery>(class, native);
        drop_as::<Batch>(class, native);
        drop_as::<Subscription>(class, native);
        drop_as::<MessageIterator>(class, native);
        drop_as::<Message>(class, native);
    });
}

fn drop_as<T: Native>(class: c_int, native: *mut c_void) {
    if class == T::CLASS as c_int && !native.is_null() {
        // SAFETY: an object of this class holds a `T` that `set_native` boxed; the shim has let go of it.
        drop(unsafe { Box::from_raw(native.cast::<T>()) });
    }
}

/// Called by the shim when a value object was filled by its constructor. On false an exception is pending.
#[unsafe(no_mangle)]
extern "C" fn mqtt_check_value(class: c_int, object: *mut ZendObject) -> bool {
    let Some(object) = NonNull::new(object) else {
        return false;
    };
    // SAFETY: the object is alive during its constructor.
    let object = unsafe { Object::from_raw(object) };
    let checked = [Class::Options, Class::Tls, Class::Properties, Class::Will]
        .into_iter()
        .find(|known| *known as c_int == class);
    let Some(class) = checked else { return true };
    match catch_unwind(AssertUnwindSafe(|| properties::check(class, object))) {
        Ok(Ok(())) => true,
        Ok(Err(Thrown::Failure(failure))) => {
            failure.throw();
            false
        }
        Ok(Err(Thrown::Pending)) | Err(_) => false,
    }
}
