//! Where and over what to connect, beside what a URL says.

use std::ffi::c_char;

use mqtt_client::{Address, OptionsError, Proxy};

use crate::error::Error;
use crate::options::{Options, set};
use crate::status::Status;
use crate::{bytes, guard};

/// Adds a server to those tried in turn. `host` is a name or an address, IPv6 without brackets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_add_address(
    options: *mut Options,
    host: *const c_char,
    host_len: usize,
    port: u16,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let host = bytes::text(host, host_len, "host")?;
            options.client.addresses.push(Address::tcp(host, port));
            Ok(())
        })
    }
}

/// Adds the path of a Unix socket to the servers tried in turn.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_add_unix(
    options: *mut Options,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let path = bytes::path(path, path_len, "path")?;
            options.client.addresses.push(Address::unix(path));
            Ok(())
        })
    }
}

/// Sets the proxy through which TCP ports are reached, TLS and WebSocket included, as a URL: "http://user:password@host:port"
/// for CONNECT of HTTP (default port 80), or "socks5://user:password@host:port" (1080). It looks up the names of servers.
/// Environment variables are not looked at. NULL, with a length of 0, stands for no proxy. Default: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_proxy(
    options: *mut Options,
    url: *const c_char,
    url_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let url = bytes::text(url, url_len, "url")?;
            options.client.proxy = if url.is_empty() {
                None
            } else {
                Some(Proxy::from_url(url).map_err(OptionsError::from)?)
            };
            Ok(())
        })
    }
}

/// Has the client speak WebSocket at a path, which most servers want to be "/mqtt". ws:// and wss:// URLs do that by
/// themselves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_websocket(
    options: *mut Options,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let path = bytes::text(path, path_len, "path")?;
            let websocket = options.client.websocket.get_or_insert_default();
            path.clone_into(&mut websocket.path);
            Ok(())
        })
    }
}

/// Adds an HTTP header to the request that begins a WebSocket, such as "Authorization". Values are never logged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_add_websocket_header(
    options: *mut Options,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        guard::change(options, "options", error, |options| {
            let name = bytes::text(name, name_len, "name")?;
            let value = bytes::text(value, value_len, "value")?;
            let websocket = options.client.websocket.get_or_insert_default();
            websocket.headers.push((name.to_owned(), value.to_owned()));
            Ok(())
        })
    }
}

/// Sets whether the client goes where a server points to (MQTT 5.0). The credentials go there too. Default false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_options_set_follow_server_reference(
    options: *mut Options,
    follow: bool,
    error: *mut *mut Error,
) -> Status {
    // SAFETY: the caller's promises, see the crate's documentation.
    unsafe {
        set(options, error, |options| {
            options.client.follow_server_reference = follow
        })
    }
}
