//! Errors as C programs get them, and where they come from.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::ffi::{CString, c_char, c_int};
use std::fmt::Display;
use std::io;
use std::ptr;
use std::sync::Arc;

use mqtt_client::background::{OptionNames, StartError};
use mqtt_client::mqtt_core;
use mqtt_client::{
    CloseError, ConnectError, DropReason, EncodeError, OptionsError, Outcome, PublishError,
    ReasonCode, RequestError, SubscribeError,
};

use crate::guard;
use crate::properties::Properties;
use crate::status::Status;

/// What sets an option in C: how the function is called after `pmq_options_set_`, `pmq_tls_set_` or the like, where that is not
/// the name of the option in Rust. Where a function sets several, the argument comes first.
const NAMES: OptionNames = OptionNames::new(&[
    ("inbox.max_bytes", "max_bytes of inbox"),
    ("inbox.max_messages", "max_messages of inbox"),
    ("maximum_packet_size", "max_packet"),
    ("queue_max_bytes", "max_bytes of queue"),
    ("queue_max_messages", "max_messages of queue"),
    ("reconnect.jitter_percent", "jitter_percent of reconnect"),
    ("reconnect.max", "max_ms of reconnect"),
    ("reconnect.min", "min_ms of reconnect"),
    ("tls.alpn", "alpn"),
    ("tls.identity", "client_cert_files or client_cert_pem"),
    ("tls.key_passphrase", "key_passphrase"),
    ("tls.roots", "ca_file or ca_pem"),
    ("tls.server_name", "server_name"),
    ("topic_alias_maximum", "topic_alias_max"),
    ("user_properties", "user_property"),
    ("will.delay", "delay_seconds of will"),
]);

/// Why a call failed, in full. Owned by whoever got it; see pmq_error_free.
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    reason: ReasonCode,
    errno: i32,
    message: CString,
    panic: Option<CString>,
    /// What the server said beside the Reason Code when it refused or ended a connection.
    properties: Option<Arc<Properties>>,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(status: Status, message: impl Display) -> Self {
        Self {
            status,
            reason: ReasonCode::SUCCESS,
            errno: 0,
            message: c_text(&message.to_string()),
            panic: None,
            properties: None,
        }
    }

    pub(crate) fn properties(&self) -> Option<&Properties> {
        self.properties.as_deref()
    }

    pub(crate) fn null(name: &str) -> Self {
        Self::new(Status::Null, format_args!("{name} must not be NULL"))
    }

    pub(crate) fn argument(message: impl Display) -> Self {
        Self::new(Status::Argument, message)
    }

    pub(crate) fn panic(text: &str) -> Self {
        Self {
            panic: Some(c_text(text)),
            ..Self::new(
                Status::Panic,
                "the library failed inside: please report this with the text of the panic",
            )
        }
    }

    pub(crate) fn forked() -> Self {
        Self::new(
            Status::Forked,
            "the client belongs to the parent process: make a new one in the child",
        )
    }

    pub(crate) fn busy() -> Self {
        Self::new(
            Status::Busy,
            "a function that logs or takes back userdata must not call back: let another thread do it",
        )
    }

    pub(crate) fn stopped() -> Self {
        Self::new(Status::Stopped, "the client is closed")
    }

    pub(crate) fn timeout(what: impl Display) -> Self {
        Self::new(Status::Timeout, what)
    }

    pub(crate) fn io(error: &io::Error) -> Self {
        Self {
            errno: error.raw_os_error().unwrap_or(0),
            ..Self::new(Status::System, error)
        }
    }

    /// What stands against a publish that has this outcome.
    pub(crate) fn of_outcome(outcome: &Outcome) -> Option<Self> {
        Some(match outcome {
            Outcome::Sent => return None,
            Outcome::Acknowledged { reason, .. } => return Self::of_reason(*reason, "the message"),
            Outcome::Refused(error) => {
                if let mqtt_core::PublishError::Encode(cause) = error {
                    return Some((*cause).into());
                }
                Self::new(Status::NotSupported, error)
            }
            Outcome::Expired => Self::new(
                Status::Expired,
                "the message expired before it could be sent",
            ),
            Outcome::Dropped(DropReason::Closed) => Self::new(
                Status::Stopped,
                "the client was closed before the message was delivered",
            ),
            Outcome::Dropped(DropReason::SessionLost) => Self::new(
                Status::Dropped,
                "the server lost the session, and the options say not to publish anew",
            ),
            Outcome::Dropped(DropReason::Overflow) => Self::new(
                Status::Dropped,
                "the message was pushed out of the full queue, as the options say",
            ),
            other => Self::new(
                Status::Dropped,
                format_args!("the message was given up: {other:?}"),
            ),
        })
    }

    /// What stands against something that the server answered with `reason`, if that is a refusal.
    pub(crate) fn of_reason(reason: ReasonCode, what: &str) -> Option<Self> {
        reason.is_error().then(|| Self {
            reason,
            ..Self::new(
                Status::Refused,
                format_args!("the server refused {what}: {reason}"),
            )
        })
    }

    pub(crate) const fn status(&self) -> Status {
        self.status
    }

    pub(crate) fn message(&self) -> Cow<'_, str> {
        self.message.to_string_lossy()
    }

    /// Bytes of the text, which may have words of the server.
    pub(crate) fn message_bytes(&self) -> usize {
        self.message.as_bytes().len()
    }

    /// Keeps the beginning of the text, which tells what has failed: the server's words come last.
    pub(crate) fn shorten(&mut self) {
        const KEPT: usize = 256;
        let kept: String = self.message().chars().take(KEPT).collect();
        self.message = c_text(&kept);
    }

    fn with_reason(self, reason: Option<ReasonCode>) -> Self {
        Self {
            reason: reason.unwrap_or_default(),
            ..self
        }
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        let status = match error {
            EncodeError::PropertyNotAllowed { .. }
            | EncodeError::PropertyFromWrongSender { .. }
            | EncodeError::PropertyRepeated { .. }
            | EncodeError::PropertyValue { .. } => Status::Property,
            EncodeError::PacketTooLarge { .. } | EncodeError::FieldTooLong { .. } => {
                Status::TooLarge
            }
            _ => Status::NotSupported,
        };
        Self::new(status, error)
    }
}

impl From<OptionsError> for Error {
    fn from(error: OptionsError) -> Self {
        Self::new(Status::Options, NAMES.options_error(&error))
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Options(error) => error.into(),
            StartError::Thread(source) => Self {
                errno: source.raw_os_error().unwrap_or(0),
                ..Self::new(
                    Status::System,
                    format_args!("cannot start the background thread: {source}"),
                )
            },
            other => Self::new(Status::System, other),
        }
    }
}

impl From<PublishError> for Error {
    fn from(error: PublishError) -> Self {
        let status = match error {
            PublishError::QueueFull { .. } => Status::QueueFull,
            PublishError::TooLarge { .. } => Status::TooLarge,
            PublishError::Closed => return Self::stopped(),
            PublishError::Forked => return Self::forked(),
            _ => Status::NotSupported,
        };
        Self::new(status, error)
    }
}

impl From<SubscribeError> for Error {
    fn from(error: SubscribeError) -> Self {
        let (status, reason) = match &error {
            SubscribeError::QueueFull { .. } => (Status::QueueFull, None),
            SubscribeError::NotSupported { reason } => (Status::NotSupported, Some(*reason)),
            SubscribeError::Refused { reason, .. } => (Status::Refused, Some(*reason)),
            SubscribeError::Encode(cause) => return (*cause).into(),
            SubscribeError::Closed => return Self::stopped(),
            SubscribeError::Forked => return Self::forked(),
            _ => (Status::TopicFilter, None),
        };
        Self::new(status, error).with_reason(reason)
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::PropertyTaken { .. } => Self::new(Status::Property, error),
            RequestError::Encode(cause) => cause.into(),
            RequestError::Subscribe { cause, .. } => cause.into(),
            RequestError::Publish(cause) => cause.into(),
            RequestError::NotDelivered(ref outcome) => {
                Self::of_outcome(outcome).unwrap_or_else(|| Self::new(Status::Dropped, error))
            }
            RequestError::NobodyThere => Self::new(Status::Refused, error)
                .with_reason(Some(ReasonCode::NO_MATCHING_SUBSCRIBERS)),
            RequestError::TimedOut { .. } => Self::timeout(error),
            RequestError::Closed => Self::stopped(),
            RequestError::Forked => Self::forked(),
            _ => Self::new(Status::NotSupported, error),
        }
    }
}

impl From<&ConnectError> for Error {
    fn from(error: &ConnectError) -> Self {
        let status = match error {
            ConnectError::Options(_) => Status::Options,
            ConnectError::TimedOut { .. } | ConnectError::Pending { .. } => Status::Timeout,
            ConnectError::Refused { .. } => Status::Refused,
            ConnectError::Tls { .. } => Status::Tls,
            ConnectError::Closed => Status::Stopped,
            ConnectError::Forked => return Self::forked(),
            _ => Status::Connection,
        };
        let properties = error.properties().map(Properties::of).map(Arc::new);
        Self {
            errno: errno_of(error),
            properties,
            ..Self::new(status, NAMES.connect_error(error))
        }
        .with_reason(error.reason())
    }
}

impl From<CloseError> for Error {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Forked => Self::forked(),
            other => Self::new(Status::Unfinished, other),
        }
    }
}

/// The number of the operating system's error at the bottom of this one, or 0.
fn errno_of(error: &(dyn StdError + 'static)) -> i32 {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error
            .downcast_ref::<io::Error>()
            .or_else(|| Some(&**error.downcast_ref::<Arc<io::Error>>()?));
        if let Some(number) = io.and_then(io::Error::raw_os_error) {
            return number;
        }
        next = error.source();
    }
    0
}

/// The text up to its first NUL, which C could not see beyond.
fn c_text(text: &str) -> CString {
    let visible = text.split('\0').next().unwrap_or_default();
    CString::new(visible).unwrap_or_default()
}

/// What kind of failure it was; PMQ_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_error_status(error: *const Error) -> Status {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(error, Status::Ok, |error| Some(error.status)) }
}

/// The MQTT Reason Code that the server gave; 0 if it gave none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_error_reason(error: *const Error) -> u8 {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(error, 0, |error| Some(error.reason.get())) }
}

/// The operating system's error number (errno); 0 if it was not the one to refuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_error_errno(error: *const Error) -> c_int {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(error, 0, |error| Some(error.errno)) }
}

/// What happened, for people: one line that names the cause. Lives as long as the error. An empty text for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_error_message(error: *const Error) -> *const c_char {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(error, c"".as_ptr(), |error| Some(error.message.as_ptr())) }
}

/// With PMQ_STATUS_PANIC, the text of the panic and where it happened; otherwise NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_error_panic(error: *const Error) -> *const c_char {
    let panic = |error: &Error| Some(error.panic.as_ref()?.as_ptr());
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::look(error, ptr::null(), panic) }
}

/// Frees an error and sets the pointer to NULL. NULL, a pointer to NULL, and a second call are harmless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pmq_error_free(error: *mut *mut Error) {
    // SAFETY: the caller's promise, see the crate's documentation.
    unsafe { guard::free(error) };
}

#[cfg(test)]
mod tests {
    use mqtt_client::TlsOptionsError;

    use super::*;

    #[test]
    fn options_have_the_names_of_what_sets_them() {
        let header = include_str!("../include/pushmq.h");
        for (rust, shown) in [
            ("tls.alpn", "alpn"),
            ("tls.key_passphrase", "key_passphrase"),
            ("tls.server_name", "server_name"),
            ("maximum_packet_size", "max_packet"),
            ("topic_alias_maximum", "topic_alias_max"),
            ("user_properties", "user_property"),
            ("will.delay", "delay_seconds of will"),
            ("inbox.max_bytes", "max_bytes of inbox"),
            ("inbox.max_messages", "max_messages of inbox"),
            ("queue_max_bytes", "max_bytes of queue"),
            ("queue_max_messages", "max_messages of queue"),
            ("reconnect.jitter_percent", "jitter_percent of reconnect"),
            // The same in both.
            ("connect_timeout", "connect_timeout"),
            ("idle_disconnect", "idle_disconnect"),
            ("keep_alive", "keep_alive"),
            ("receive_maximum", "receive_maximum"),
            ("session_expiry", "session_expiry"),
            ("outgoing_topic_aliases", "outgoing_topic_aliases"),
        ] {
            let error = Error::from(OptionsError::Zero { option: rust });
            assert_eq!(error.message(), format!("{shown} must not be zero"));
            let (argument, setter) = match shown.split_once(" of ") {
                Some((argument, setter)) => (Some(argument), setter),
                None => (None, shown),
            };
            let declaration = ["set", "add"]
                .iter()
                .find_map(|verb| header.split_once(&format!("_{verb}_{setter}(")))
                .unwrap_or_else(|| panic!("nothing sets {setter}"));
            let arguments = declaration.1.split(')').next().unwrap_or_default();
            assert!(arguments.contains(argument.unwrap_or_default()), "{shown}");
        }
        let shown = |error: TlsOptionsError| Error::from(OptionsError::from(error)).message;
        assert_eq!(
            shown(TlsOptionsError::KeyMismatch).as_c_str(),
            c"client_cert_files or client_cert_pem: the private key does not fit the certificate"
        );
        assert_eq!(
            shown(TlsOptionsError::NoSystemRoots { cause: None }).as_c_str(),
            c"the system has no certificates of authorities; install them (ca-certificates) or set ca_file or ca_pem"
        );
    }
}
