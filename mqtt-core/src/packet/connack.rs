//! CONNACK (v5 and v311 3.2).

use super::{Body, Origin, connect::lacks_authentication_method, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{PacketType, ReasonCode},
    version::ProtocolVersion,
    wire::{Properties, PropertyHolder, PropertyId, Reader, Writer},
};

const SESSION_PRESENT: u8 = 1;

/// CONNACK: the server's answer to CONNECT (v5 and v311 3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Connack<'a> {
    /// Whether the server still has the client's session. Always false in 3.1, which cannot say it.
    pub session_present: bool,
    /// Success or why not. The return codes 1 to 5 of 3.x appear as
    /// [`UNSUPPORTED_PROTOCOL_VERSION`](ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
    /// [`CLIENT_IDENTIFIER_NOT_VALID`](ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
    /// [`SERVER_UNAVAILABLE`](ReasonCode::SERVER_UNAVAILABLE),
    /// [`BAD_USER_NAME_OR_PASSWORD`](ReasonCode::BAD_USER_NAME_OR_PASSWORD) and
    /// [`NOT_AUTHORIZED`](ReasonCode::NOT_AUTHORIZED), the only refusals that 3.x can express.
    pub reason: ReasonCode,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

fn from_return_code(code: u8) -> Result<ReasonCode, DecodeError> {
    ReasonCode::from_return_code(code).ok_or_else(|| DecodeError::ReasonCodeNotAllowed {
        packet_type: PacketType::Connack,
        reason: ReasonCode::new(code),
    })
}

impl<'a> Connack<'a> {
    pub(crate) fn decode(mut body: Reader<'a>, origin: Origin) -> Result<Self, DecodeError> {
        // A server that does not know 5.0 answers in the form of 3.1.1, where only a refusal makes sense.
        let in_v311_form = origin.version.is_v5() && body.len() == 2;
        let flags = body.u8()?;
        let code = body.u8()?;
        // 3.1 reserves the byte without a rule for it.
        let session_present =
            flags & SESSION_PRESENT != 0 && origin.version != ProtocolVersion::V3_1;
        if flags & !SESSION_PRESENT != 0 && origin.version != ProtocolVersion::V3_1 {
            return Err(DecodeError::ConnackFlags);
        }
        let reason = if in_v311_form {
            if code == 0 {
                return Err(DecodeError::FieldPastEnd);
            }
            from_return_code(code)?
        } else if origin.version.is_v5() {
            origin.check_reason(PacketType::Connack, ReasonCode::new(code))?
        } else {
            from_return_code(code)?
        };
        if session_present && reason != ReasonCode::SUCCESS {
            return Err(DecodeError::SessionPresentInRefusal);
        }
        let properties = if in_v311_form {
            Properties::EMPTY
        } else {
            origin.properties(PacketType::Connack, &mut body)?
        };
        body.finish()?;
        if lacks_authentication_method(&properties) {
            return Err(DecodeError::AuthenticationMethodMissing {
                packet_type: PacketType::Connack,
            });
        }
        Ok(Self {
            session_present,
            reason,
            properties,
        })
    }
}

impl Body for Connack<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        if encoder.version.is_v5() {
            encoder.check_reason(packet_type, self.reason)?;
        } else if self.reason.return_code().is_none() {
            return Err(EncodeError::ReasonCodeNotAllowed {
                packet_type,
                reason: self.reason,
                version: encoder.version,
            });
        }
        let possible =
            self.reason == ReasonCode::SUCCESS && encoder.version != ProtocolVersion::V3_1;
        if self.session_present && !possible {
            return Err(EncodeError::SessionPresent);
        }
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))?;
        if lacks_authentication_method(&self.properties) {
            return Err(EncodeError::AuthenticationMethodMissing);
        }
        Ok(())
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        2 + properties_len(&self.properties, version)
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let flags = if self.session_present {
            SESSION_PRESENT
        } else {
            0
        };
        let return_code = if version.is_v5() {
            None
        } else {
            self.reason.return_code()
        };
        let code = return_code.unwrap_or_else(|| self.reason.get());
        write_properties(&self.properties, version, writer.array([flags, code]))
    }

    fn without(self, id: PropertyId) -> Self {
        Self {
            properties: self.properties.without(id),
            ..self
        }
    }
}
