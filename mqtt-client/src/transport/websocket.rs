//! WebSocket.

use mqtt_transport::{BinaryStream, Upgrade, UpgradeError};

use super::dialer::{Attempt, Host};
use super::{ByteStream, tls_error};
use crate::error::ConnectError;
use crate::options::{Options, WebSocketOptionsError};

/// WebSocket for all connections of a client.
pub(super) struct Layer {
    upgrade: Upgrade,
    /// The port that the Host header leaves out.
    default_port: u16,
    /// What the Host header says where the address has no host.
    host: String,
    largest_packet: u32,
}

impl Layer {
    pub(super) fn new(options: &Options) -> Result<Option<Self>, WebSocketOptionsError> {
        let Some(websocket) = &options.websocket else {
            return Ok(None);
        };
        let name = options
            .tls
            .as_ref()
            .and_then(|tls| tls.server_name.as_deref());
        Ok(Some(Self {
            upgrade: Upgrade::new(&websocket.path, &websocket.headers)?,
            default_port: options.default_port(),
            host: name.unwrap_or("localhost").to_owned(),
            largest_packet: options.maximum_packet_size,
        }))
    }

    pub(super) async fn upgrade(
        &self,
        stream: Box<dyn ByteStream>,
        host: Option<Host<'_>>,
        attempt: &Attempt,
    ) -> Result<Box<dyn ByteStream>, ConnectError> {
        let host = host.map_or_else(|| self.host.clone(), |host| self.host_header(host));
        let request = self.upgrade.request(stream, &host, self.largest_packet);
        match request.await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(cause) => {
                let address = attempt.address();
                // With TLS 1.3 the server's word about a client certificate comes only now.
                let of_tls = match &cause {
                    UpgradeError::Io(error) => tls_error(error),
                    _ => None,
                };
                Err(match of_tls {
                    Some(cause) => ConnectError::Tls { address, cause },
                    None => ConnectError::WebSocket { address, cause },
                })
            }
        }
    }

    fn host_header(&self, host: Host<'_>) -> String {
        let name = if host.name.contains(':') {
            format!("[{}]", host.name)
        } else {
            host.name.to_owned()
        };
        if host.port == self.default_port {
            name
        } else {
            format!("{name}:{}", host.port)
        }
    }
}

impl ByteStream for BinaryStream<Box<dyn ByteStream>> {
    fn acknowledge_at_once(&self) {
        self.get_ref().acknowledge_at_once();
    }
}
