//! Why a connection ended, in the words of the application's errors.

use std::sync::Arc;

use mqtt_core::client::DisconnectCause;
use mqtt_core::{PropertiesBuf, Property};

use super::{Line, Task};
use crate::error::{ConnectError, ConnectStage};
use crate::reconnect::may_retry;
use crate::transport::tls_error;

/// Of the User Properties with which a server refused a client or ended its connection, the first so many bytes are kept. No
/// other property comes twice, so this bounds all of them, and with them what a server leaves in a client that goes on without
/// it: the last error is never forgotten.
const MAX_USER_PROPERTIES: usize = 64 * 1024;

impl Task {
    /// Why it ended, and whether a later attempt may do better.
    pub(super) fn why(&self, line: &mut Line, was_accepted: bool) -> (ConnectError, bool) {
        let address = std::mem::take(&mut line.address);
        let of_tls = line.io_error.as_ref().and_then(tls_error);
        let detail = match &of_tls {
            Some(cause) => Some(cause.to_string()),
            None => line.io_error.as_ref().map(ToString::to_string),
        };
        let cause = line.ended.take().unwrap_or(DisconnectCause::Closed);
        match cause {
            DisconnectCause::Refused { reason, properties } => {
                let error = ConnectError::Refused {
                    address,
                    reason,
                    detail: reason_string(&properties),
                    properties: kept(&properties),
                };
                (error, may_retry(reason))
            }
            DisconnectCause::Server { reason, properties } => {
                let detail = reason_string(&properties)
                    .map(|text| format!(" ({text})"))
                    .unwrap_or_default();
                let error = ConnectError::Lost {
                    address,
                    cause: format!("the server disconnected: {reason}{detail}"),
                    reason: Some(reason),
                    properties: kept(&properties),
                };
                (error, may_retry(reason))
            }
            DisconnectCause::ConnectTimeout => {
                let after = self.shared.options.connect_timeout;
                (
                    ConnectError::TimedOut {
                        address,
                        stage: ConnectStage::Connack,
                        after,
                    },
                    true,
                )
            }
            cause if was_accepted || self.force_clean_start => {
                let cause = detail.unwrap_or_else(|| with_sources(&cause));
                (
                    ConnectError::Lost {
                        address,
                        cause,
                        reason: None,
                        properties: Arc::default(),
                    },
                    true,
                )
            }
            DisconnectCause::Malformed(_) | DisconnectCause::Protocol(_) => (
                ConnectError::NotMqtt {
                    address,
                    cause: line
                        .foreign
                        .map_or_else(|| with_sources(&cause), str::to_owned),
                },
                true,
            ),
            // With TLS 1.3 the server's word about a client certificate comes only after the handshake.
            _ => match of_tls {
                Some(cause) => (ConnectError::Tls { address, cause }, true),
                None => (ConnectError::ClosedByServer { address, detail }, true),
            },
        }
    }
}

/// What a server speaks whose first bytes are these, where it is known and not MQTT: no packet of a server begins so.
pub(super) fn foreign_tongue(input: &[u8]) -> Option<&'static str> {
    match input {
        [0x15, 0x03, ..] => Some("it speaks TLS here: use mqtts:// or wss://, or set tls"),
        [b'H', b'T', b'T', b'P', b'/', ..] => {
            Some("it speaks HTTP here: use ws:// or wss://, or set websocket")
        }
        _ => None,
    }
}

/// What of the properties is kept.
fn kept(properties: &PropertiesBuf) -> Arc<PropertiesBuf> {
    let mut room = MAX_USER_PROPERTIES;
    let fits = |property: &Property<'_>| {
        let Property::UserProperty(name, value) = property else {
            return true;
        };
        // The identifier, and two lengths of two bytes.
        let size = 5 + name.as_str().len() + value.as_str().len();
        let left = room.checked_sub(size);
        room = left.unwrap_or(0);
        left.is_some()
    };
    let some = properties.as_properties().into_iter().filter(fits);
    // What was decoded can be written again.
    Arc::new(PropertiesBuf::collect(some).unwrap_or_default())
}

fn reason_string(properties: &PropertiesBuf) -> Option<String> {
    properties
        .as_properties()
        .reason_string()
        .map(|text| text.as_str().to_owned())
}

/// The error and what caused it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
