//! `Client::stream()`: the client as a stream that event loops wait for.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use mqtt_client::background::{self, Readiness};

use crate::client::Client;
use crate::exception::Failure;
use crate::method::{Answer, Call, methods};
use crate::shim;

methods! {
    "zim_Mqtt_Client_stream" 0..=0 => stream;
}

/// What is behind the stream. It outlives the client if need be.
struct Source {
    descriptor: OwnedFd,
    generation: u64,
}

fn stream(call: &Call<'_>) -> Answer {
    let client = call.native::<Client>()?;
    let running = client.connection.handle()?;
    let descriptor = running.watch.descriptor();
    let descriptor = descriptor.map_err(|error| Failure::no_descriptor(&error))?;
    // What is here already shows as well.
    client.settle();
    let source = Source {
        descriptor,
        generation: background::generation(),
    };
    Ok(shim::open_stream(
        Box::into_raw(Box::new(source)).cast::<c_void>(),
    ))
}

/// Called by the shim for whoever waits on the stream.
#[unsafe(no_mangle)]
extern "C" fn mqtt_stream_descriptor(source: *mut c_void) -> c_int {
    // SAFETY: the shim passes what `stream` gave it and has not yet passed to `mqtt_stream_free`, on the thread that
    // PHP runs in.
    let Some(source) = (unsafe { source.cast::<Source>().as_mut() }) else {
        return -1;
    };
    let generation = background::generation();
    if source.generation != generation
        && let Ok(never) = Readiness::new()
        && let Ok(descriptor) = never.as_fd().try_clone_to_owned()
    {
        // A forked child must not be told of its parent's messages again and again.
        source.descriptor = descriptor;
        source.generation = generation;
    }
    source.descriptor.as_raw_fd()
}

/// Called by the shim when the stream is closed.
#[unsafe(no_mangle)]
extern "C" fn mqtt_stream_free(takes_source: *mut c_void) {
    if !takes_source.is_null() {
        // SAFETY: `stream` boxed it, and the shim has let go of it.
        drop(unsafe { Box::from_raw(takes_source.cast::<Source>()) });
    }
}
