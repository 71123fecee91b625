//! `Mqtt\Delivery`: what became of one publish.

use std::ffi::CStr;
use std::rc::Rc;

use mqtt_client::PublishError;
use mqtt_core::{DropReason, Outcome, ProtocolVersion, ReasonCode};

use crate::connection::{Connection, Guarded};
use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::names::NAMES;
use crate::shim::{self, Class, Native, Object};
use crate::value;
use crate::wait::{self, Ended, OnSignal};

methods! {
    "zim_Mqtt_Delivery_fake" 0..=3 => fake;
    "zim_Mqtt_Delivery_state" 0..=0 => state;
    "zim_Mqtt_Delivery_reasonCode" 0..=0 => reason_code;
    "zim_Mqtt_Delivery_reasonString" 0..=0 => reason_string;
    "zim_Mqtt_Delivery_matched" 0..=0 => matched;
    "zim_Mqtt_Delivery_isDone" 0..=0 => is_done;
    "zim_Mqtt_Delivery_wait" 0..=1 => wait;
}

/// The Rust value of a `Delivery` object.
pub(crate) struct Delivery {
    pub(crate) progress: Progress,
    /// A fake has none.
    connection: Option<Rc<Connection>>,
}

impl Native for Delivery {
    const CLASS: Class = Class::Delivery;
}

/// One publish, on its way or refused at the call (which only a batch keeps).
#[derive(Clone)]
pub(crate) enum Progress {
    Live(Guarded<mqtt_client::Delivery>),
    Refused(PublishError),
    /// None at all: what the test of an application says.
    Fake {
        state: mqtt_client::DeliveryState,
        verdict: Option<Verdict>,
    },
}

/// What an outcome means to PHP.
#[derive(Clone)]
pub(crate) struct Verdict {
    pub(crate) success: bool,
    pub(crate) expired: bool,
    reason: Option<ReasonCode>,
    /// What is known of a failure, or what the broker added.
    text: Option<String>,
}

impl Progress {
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Live(delivery) => delivery.outcome().is_some(),
            Self::Refused(_) => true,
            Self::Fake { verdict, .. } => verdict.is_some(),
        }
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Live(delivery) => delivery.outcome().map(|outcome| Verdict::of(&outcome)),
            Self::Refused(error) => Some(Verdict::refused(error)),
            Self::Fake { verdict, .. } => verdict.clone(),
        }
    }

    /// False: the broker said that nobody subscribes. `None`: there is no acknowledgement, or it cannot say so.
    pub(crate) fn matched(&self, connection: Option<&Connection>) -> Option<bool> {
        let reason = match self {
            Self::Live(delivery) => delivery.reason_code()?,
            Self::Refused(_) => return None,
            Self::Fake { verdict, .. } => verdict.as_ref()?.reason?,
        };
        if reason == ReasonCode::NO_MATCHING_SUBSCRIBERS {
            return Some(false);
        }
        let is_v5 = match connection {
            Some(connection) => connection.started()?.connack()?.version == ProtocolVersion::V5,
            None => true,
        };
        (is_v5 && !reason.is_error()).then_some(true)
    }
}

impl Verdict {
    fn of(outcome: &Outcome) -> Self {
        let failed = |text: &str| Self {
            success: false,
            expired: false,
            reason: None,
            text: Some(text.to_owned()),
        };
        match outcome {
            Outcome::Sent => Self {
                success: true,
                expired: false,
                reason: None,
                text: None,
            },
            Outcome::Acknowledged { reason, properties } => {
                let said = properties
                    .as_properties()
                    .reason_string()
                    .map(|text| text.as_str().to_owned());
                let success = !reason.is_error();
                let text = if success {
                    said
                } else {
                    Some(refusal(*reason, said.as_deref()))
                };
                Self {
                    success,
                    expired: false,
                    reason: Some(*reason),
                    text,
                }
            }
            Outcome::Refused(error) => failed(&error.to_string()),
            Outcome::Expired => Self {
                expired: true,
                ..failed("the message expired before it could be sent")
            },
            Outcome::Dropped(reason) => failed(match reason {
                DropReason::Closed => "the client was closed before the message was delivered",
                DropReason::Overflow => "the message was dropped because the queue was full",
                DropReason::SessionLost => {
                    "the broker lost the session; the message may have been delivered"
                }
                DropReason::Cancelled => "the message was taken back",
                _ => "the message was dropped",
            }),
            _ => failed("the message has an outcome that this version does not know"),
        }
    }

    fn refused(error: &PublishError) -> Self {
        Self {
            success: false,
            expired: false,
            reason: None,
            text: Some(error.to_string()),
        }
    }

    fn failure(&self) -> Failure {
        let text = self
            .text
            .as_deref()
            .unwrap_or("the message was not delivered");
        Failure::new(Class::PublishException, text).with_reason(self.reason.map(ReasonCode::get))
    }
}

fn refusal(reason: ReasonCode, said: Option<&str>) -> String {
    match said {
        Some(said) => format!("the broker refused the message: {reason} ({said})"),
        None => format!("the broker refused the message: {reason}"),
    }
}

/// A `Delivery` object that no client stands behind, for tests of applications.
fn fake(call: &Call<'_>) -> Answer {
    use mqtt_client::DeliveryState;

    let state = call.nullable_object(1, Class::DeliveryState)?;
    let state = state.and_then(|case| value::bytes_of(case.enum_value()));
    let code = call.nullable_int(2)?;
    let text = call.nullable_string(3)?;
    let text = text.map(|text| String::from_utf8_lossy(text).into_owned());
    let unfitting = || Failure::option("no delivery in this state has this reason code");
    let code = code.map(|code| u8::try_from(code).map(ReasonCode::new));
    let code = code.transpose().map_err(|_| unfitting())?;
    let pending = |state| Progress::Fake {
        state,
        verdict: None,
    };
    let ended = |success, expired, reason| Progress::Fake {
        state: DeliveryState::Done,
        verdict: Some(Verdict {
            success,
            expired,
            reason,
            text,
        }),
    };
    let progress = match (state.unwrap_or(b"done"), code) {
        (b"queued", None) => pending(DeliveryState::Queued),
        (b"sent", None) => pending(DeliveryState::Sent),
        (b"received", None) => pending(DeliveryState::Received),
        (b"expired", None) => ended(false, true, None),
        (b"failed", None) => ended(false, false, None),
        (b"failed", Some(code)) if code.is_error() => ended(false, false, Some(code)),
        (b"done", None) => ended(true, false, Some(ReasonCode::SUCCESS)),
        (b"done", Some(code)) if !code.is_error() => ended(true, false, Some(code)),
        _ => return Err(unfitting().into()),
    };
    object(progress, None)
}

/// A `Delivery` object.
pub(crate) fn object(progress: Progress, connection: Option<Rc<Connection>>) -> Answer {
    let made = shim::new_object(Class::Delivery);
    Object::of(&made)
        .ok_or(Thrown::Pending)?
        .set_native(Delivery {
            progress,
            connection,
        });
    Ok(made)
}

fn state(call: &Call<'_>) -> Answer {
    let delivery = call.native::<Delivery>()?;
    let name = match (delivery.progress.verdict(), &delivery.progress) {
        (Some(verdict), _) if verdict.success => c"Done",
        (Some(verdict), _) if verdict.expired => c"Expired",
        (None, Progress::Live(live)) => pending_name(live.state()),
        (None, Progress::Fake { state, .. }) => pending_name(*state),
        _ => c"Failed",
    };
    Ok(shim::enum_case(Class::DeliveryState, name))
}

fn pending_name(state: mqtt_client::DeliveryState) -> &'static CStr {
    match state {
        mqtt_client::DeliveryState::Queued => c"Queued",
        mqtt_client::DeliveryState::Sent => c"Sent",
        _ => c"Received",
    }
}

fn reason_code(call: &Call<'_>) -> Answer {
    let verdict = call.native::<Delivery>()?.progress.verdict();
    Ok(value::nullable(
        verdict.and_then(|verdict| verdict.reason),
        |reason| value::int(i64::from(reason.get())),
    ))
}

fn reason_string(call: &Call<'_>) -> Answer {
    let verdict = call.native::<Delivery>()?.progress.verdict();
    Ok(value::nullable(
        verdict.and_then(|verdict| verdict.text),
        |text| value::text(&text),
    ))
}

fn matched(call: &Call<'_>) -> Answer {
    let delivery = call.native::<Delivery>()?;
    Ok(value::nullable(
        delivery.progress.matched(delivery.connection.as_deref()),
        value::bool,
    ))
}

fn is_done(call: &Call<'_>) -> Answer {
    Ok(value::bool(call.native::<Delivery>()?.progress.is_done()))
}

fn wait(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let delivery = call.native::<Delivery>()?;
    let progress = &delivery.progress;
    if !progress.is_done() {
        let Some(connection) = &delivery.connection else {
            return Err(Failure::timeout("a fake delivery has no acknowledgement to come").into());
        };
        let handle = connection.started().ok_or_else(Failure::forked)?;
        let done = || progress.is_done();
        let ended = wait::until(connection, handle, Some(timeout), OnSignal::GoOn, done)?;
        if ended != Ended::Ready {
            return Err(still_pending(connection, timeout.as_secs_f64()).into());
        }
    }
    match delivery.progress.verdict() {
        Some(verdict) if verdict.success => Ok(call.this()?.to_zval()),
        Some(verdict) => Err(verdict.failure().into()),
        None => Err(Thrown::Pending),
    }
}

/// Names the address and, if the connection is the trouble, the cause.
fn still_pending(connection: &Connection, seconds: f64) -> Failure {
    let address = connection.settings().address();
    let trouble = connection.started().and_then(|handle| {
        let state = connection.observe(handle);
        if state.is_connected() {
            None
        } else {
            connection.last_error()
        }
    });
    match trouble {
        Some(cause) => Failure::timeout(format!(
            "no acknowledgement from {address} within {seconds} s: {}",
            NAMES.connect_error(&cause)
        ))
        .with_reason(cause.reason().map(ReasonCode::get)),
        None => Failure::timeout(format!(
            "no acknowledgement from {address} within {seconds} s"
        )),
    }
}
