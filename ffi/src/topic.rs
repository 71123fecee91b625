//! Topic Names and Topic Filters.

use std::ffi::c_char;

use mqtt_client::{TopicFilter, TopicName};

use crate::error::{Error, Result};
use crate::handle::Out;
use crate::status::Status;
use crate::{bytes, guard};

/// Tells whether the text is a valid Topic Name: 1 to 65,535 bytes of UTF-8 without wildcards and U+0000.
/// PMQ_STATUS_TOPIC_NAME says that it is none, and the error why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_topic_name_check(
    name: *const c_char,
    name_len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise, see the crate's documentation.
        let name = unsafe { bytes::text(name, name_len, "name") }?;
        parse_name(name).map(|_| ())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Tells whether the text is a valid Topic Filter: 1 to 65,535 bytes of UTF-8, `+` and `#` only as whole levels, `#` only at
/// the end, and a well-formed share name after `$share/`. PMQ_STATUS_TOPIC_FILTER says that it is none, and the error why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_topic_filter_check(
    filter: *const c_char,
    filter_len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise, see the crate's documentation.
        let filter = unsafe { bytes::text(filter, filter_len, "filter") }?;
        parse_filter(filter).map(|_| ())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

/// Tells whether a Topic Filter matches a Topic Name.
///
/// Of a shared subscription's filter only the part after the share name takes part. A filter that begins with a wildcard does
/// not match a name that begins with `$`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_topic_matches(
    filter: *const c_char,
    filter_len: usize,
    name: *const c_char,
    name_len: usize,
    matches: *mut bool,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the caller's promises, see the crate's documentation.
        let (filter, name, matches) = unsafe {
            (
                bytes::text(filter, filter_len, "filter")?,
                bytes::text(name, name_len, "name")?,
                Out::new(matches, "matches")?,
            )
        };
        matches.set(parse_filter(filter)?.matches(parse_name(name)?));
        Ok(())
    };
    // SAFETY: as above.
    unsafe { guard::call(error, body) }
}

pub(crate) fn parse_name(name: &str) -> Result<TopicName<'_>> {
    TopicName::new(name).map_err(|error| Error::new(Status::TopicName, error))
}

/// The filter that takes part in matching: what follows the share name of a shared subscription.
fn parse_filter(filter: &str) -> Result<TopicFilter<'_>> {
    let refused = |error| Error::new(Status::TopicFilter, error);
    let filter = TopicFilter::new(filter).map_err(refused)?;
    let shared = filter.shared().map_err(refused)?;
    Ok(shared.map_or(filter, |shared| shared.filter))
}
