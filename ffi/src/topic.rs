//! Topic Names and Topic Filters.

use mqtt_core::{TopicFilter, TopicName};

use crate::{bytes, guard::guarded, status::Status};

/// Tells whether the text is a valid Topic Name: 1 to 65,535 bytes of UTF-8 without wildcards and U+0000.
///
/// Returns `PMQ_STATUS_OK`, `PMQ_STATUS_TOPIC_NAME`, `PMQ_STATUS_NOT_UTF8` or `PMQ_STATUS_NULL`.
///
/// # Safety
/// `name` points to `name_len` readable bytes (it may be null when `name_len` is 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_topic_name_check(name: *const u8, name_len: usize) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise is this function's own.
        let name = unsafe { bytes::text(name, name_len) }?;
        parse_name(name).map(|_| ())
    })
}

/// Tells whether the text is a valid Topic Filter: 1 to 65,535 bytes of UTF-8, `+` and `#` only as whole levels, `#` only at
/// the end, and a well-formed share name after `$share/`.
///
/// Returns `PMQ_STATUS_OK`, `PMQ_STATUS_TOPIC_FILTER`, `PMQ_STATUS_NOT_UTF8` or `PMQ_STATUS_NULL`.
///
/// # Safety
/// `filter` points to `filter_len` readable bytes (it may be null when `filter_len` is 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_topic_filter_check(filter: *const u8, filter_len: usize) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise is this function's own.
        let filter = unsafe { bytes::text(filter, filter_len) }?;
        parse_filter(filter).map(|_| ())
    })
}

/// Tells whether a Topic Filter matches a Topic Name, and writes the answer to `matches`.
///
/// Of a shared subscription's filter only the part after the share name takes part. A filter that begins with a wildcard does
/// not match a name that begins with `$`.
///
/// Returns `PMQ_STATUS_OK`, `PMQ_STATUS_TOPIC_FILTER`, `PMQ_STATUS_TOPIC_NAME`, `PMQ_STATUS_NOT_UTF8` or `PMQ_STATUS_NULL`;
/// `matches` is written only with `PMQ_STATUS_OK`.
///
/// # Safety
/// `filter` points to `filter_len` and `name` to `name_len` readable bytes; `matches` is null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_topic_matches(
    filter: *const u8,
    filter_len: usize,
    name: *const u8,
    name_len: usize,
    matches: *mut bool,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promises are this function's own.
        let (filter, name) = unsafe {
            (
                bytes::text(filter, filter_len)?,
                bytes::text(name, name_len)?,
            )
        };
        let answer = parse_filter(filter)?.matches(parse_name(name)?);
        // SAFETY: as above.
        unsafe { bytes::write(matches, answer) }
    })
}

fn parse_name(name: &str) -> Result<TopicName<'_>, Status> {
    TopicName::new(name).map_err(|_| Status::TopicName)
}

/// The filter that takes part in matching: what follows the share name of a shared subscription.
fn parse_filter(filter: &str) -> Result<TopicFilter<'_>, Status> {
    let filter = TopicFilter::new(filter).map_err(|_| Status::TopicFilter)?;
    match filter.shared() {
        Ok(Some(shared)) => Ok(shared.filter),
        Ok(None) => Ok(filter),
        Err(_) => Err(Status::TopicFilter),
    }
}
