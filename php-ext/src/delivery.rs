//! `Mqtt\Delivery`: what became of one publish.

use std::rc::Rc;

use mqtt_client::PublishError;
use mqtt_core::{DropReason, Outcome, ProtocolVersion, ReasonCode};

use crate::connection::{Connection, Guarded};
use crate::exception::{Failure, Thrown};
use crate::method::{Answer, Call, methods};
use crate::names;
use crate::shim::{self, Class, Native, Object};
use crate::value;
use crate::wait::{self, Ended, OnSignal};

methods! {
    "zim_Mqtt_Delivery_state" 0..=0 => state;
    "zim_Mqtt_Delivery_reasonCode" 0..=0 => reason_code;
    "zim_Mqtt_Delivery_reasonString" 0..=0 => reason_string;
    "zim_Mqtt_Delivery_matched" 0..=0 => matched;
    "zim_Mqtt_Delivery_isDone" 0..=0 => is_done;
    "zim_Mqtt_Delivery_wait" 0..=1 => wait;
}

/// The Rust value of a `Delivery` object.
pub(crate) struct Delivery {
    progress: Progress,
    connection: Rc<Connection>,
}

impl Native for Delivery {
    const CLASS: Class = Class::Delivery;
}

/// One publish, on its way or refused at the call (which only a batch keeps).
#[derive(Clone)]
pub(crate) enum Progress {
    Live(Guarded<mqtt_client::Delivery>),
    Refused(PublishError),
}

/// What an outcome means to PHP.
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
        }
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Live(delivery) => delivery.outcome().map(|outcome| Verdict::of(&outcome)),
            Self::Refused(error) => Some(Verdict::refused(error)),
        }
    }

    /// False: the broker said that nobody subscribes. `None`: there is no acknowledgement, or it cannot say so.
    pub(crate) fn matched(&self, connection: &Connection) -> Option<bool> {
        let reason = match self {
            Self::Live(delivery) => delivery.reason_code()?,
            Self::Refused(_) => return None,
        };
        if reason == ReasonCode::NO_MATCHING_SUBSCRIBERS {
            return Some(false);
        }
        let version = connection.started()?.connack()?.version;
        (version == ProtocolVersion::V5 && !reason.is_error()).then_some(true)
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

/// A `Delivery` object.
pub(crate) fn object(progress: Progress, connection: Rc<Connection>) -> Answer {
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
        (None, Progress::Live(live)) => match live.state() {
            mqtt_client::DeliveryState::Queued => c"Queued",
            mqtt_client::DeliveryState::Sent => c"Sent",
            _ => c"Received",
        },
        _ => c"Failed",
    };
    Ok(shim::enum_case(Class::DeliveryState, name))
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
        delivery.progress.matched(&delivery.connection),
        value::bool,
    ))
}

fn is_done(call: &Call<'_>) -> Answer {
    Ok(value::bool(call.native::<Delivery>()?.progress.is_done()))
}

fn wait(call: &Call<'_>) -> Answer {
    let timeout = call.timeout_or(1, 5.0)?;
    let delivery = call.native::<Delivery>()?;
    let ended = match (&delivery.progress, delivery.connection.started()) {
        (progress, _) if progress.is_done() => Ended::Ready,
        (progress, Some(handle)) => wait::until(
            &delivery.connection,
            handle,
            Some(timeout),
            OnSignal::GoOn,
            || progress.is_done(),
        )?,
        (_, None) => return Err(Failure::forked().into()),
    };
    if ended != Ended::Ready {
        return Err(still_pending(delivery, timeout.as_secs_f64()).into());
    }
    match delivery.progress.verdict() {
        Some(verdict) if verdict.success => Ok(call.this()?.to_zval()),
        Some(verdict) => Err(verdict.failure().into()),
        None => Err(Thrown::Pending),
    }
}

/// Names the address and, if the connection is the trouble, the cause.
fn still_pending(delivery: &Delivery, seconds: f64) -> Failure {
    let address = delivery.connection.settings().address();
    let trouble = delivery.connection.started().and_then(|handle| {
        let state = delivery.connection.observe(handle);
        if state.is_connected() {
            None
        } else {
            delivery.connection.last_error()
        }
    });
    match trouble {
        Some(cause) => Failure::timeout(format!(
            "no acknowledgement from {address} within {seconds} s: {}",
            names::connect_error(&cause)
        ))
        .with_reason(cause.reason().map(ReasonCode::get)),
        None => Failure::timeout(format!(
            "no acknowledgement from {address} within {seconds} s"
        )),
    }
}
