//! CONNECT and its Will (v5 and v311 3.1).

use core::fmt;

use super::{Body, properties_len, write_properties};
use crate::{
    encoder::Encoder,
    error::{DecodeError, EncodeError},
    types::{KeepAlive, MAX_FIELD_LEN, PacketType, QoS, Role, TopicName, Utf8},
    version::ProtocolVersion,
    wire::{Hidden, Properties, PropertyHolder, PropertyId, Reader, Writer},
};

const USER_NAME: u8 = 1 << 7;
const PASSWORD: u8 = 1 << 6;
const WILL_RETAIN: u8 = 1 << 5;
const WILL_QOS_SHIFT: u8 = 3;
const WILL_QOS: u8 = 0b11 << WILL_QOS_SHIFT;
const WILL: u8 = 1 << 2;
const CLEAN_START: u8 = 1 << 1;
const RESERVED: u8 = 1;

/// CONNECT: what a client opens a connection with (v5 and v311 3.1).
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Connect<'a> {
    /// The version that the client speaks.
    pub version: ProtocolVersion,
    /// Clean Start, called Clean Session in 3.x: whether to begin with a new session.
    pub clean_start: bool,
    /// How long the client may be silent.
    pub keep_alive: KeepAlive,
    /// The Client Identifier. Empty asks the server to choose; 3.1 has no such thing, and 3.1.1 only with Clean Session.
    /// 3.1 asks for at most 23 characters; whether more are taken is left to the server.
    pub client_id: Utf8<'a>,
    /// What the server is to publish if the connection ends badly.
    pub will: Option<Will<'a>>,
    /// The User Name.
    pub username: Option<Utf8<'a>>,
    /// The Password, at most 65,535 bytes. Before 5.0 only with a User Name.
    pub password: Option<&'a [u8]>,
    /// Properties (5.0 only).
    pub properties: Properties<'a>,
}

/// The Will of a CONNECT: a message that the server keeps (v5 3.1.2.5, v311 3.1.2.5).
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Will<'a> {
    /// Where it is published.
    pub topic: TopicName<'a>,
    /// The message, at most 65,535 bytes.
    pub payload: &'a [u8],
    /// The QoS it is published with.
    pub qos: QoS,
    /// Whether it is published as a retained message.
    pub retain: bool,
    /// Will Properties (5.0 only).
    pub properties: Properties<'a>,
}

impl<'a> Connect<'a> {
    /// Reads the version that a CONNECT asks for off the front of its body.
    pub(crate) fn decode_version(body: &mut Reader<'a>) -> Result<ProtocolVersion, DecodeError> {
        let mut unread = *body;
        let name = body.binary()?;
        if !matches!(name, b"MQTT" | b"MQIsdp") {
            // Text of another protocol is not malformed.
            unread.utf8()?;
            unread.u8()?;
            return Err(DecodeError::UnsupportedProtocolName);
        }
        match (name, body.u8()?) {
            (b"MQTT", 5) => Ok(ProtocolVersion::V5),
            (b"MQTT", 4) => Ok(ProtocolVersion::V3_1_1),
            (b"MQIsdp", 3) => Ok(ProtocolVersion::V3_1),
            (_, level) => Err(DecodeError::UnsupportedProtocolVersion { level }),
        }
    }

    /// Decodes what comes behind the version.
    #[inline]
    pub(crate) fn decode(
        version: ProtocolVersion,
        mut body: Reader<'a>,
    ) -> Result<Self, DecodeError> {
        let flags = Self::decode_flags(&mut body, version)?;
        let keep_alive = KeepAlive::from_secs(body.u16()?);
        let properties = if version.is_v5() {
            Properties::read(
                &mut body,
                PropertyHolder::Packet(PacketType::Connect),
                Role::Client,
            )?
        } else {
            Properties::EMPTY
        };
        let client_id = body.utf8()?;
        let will = if flags & WILL != 0 {
            Some(Will::decode(flags, &mut body, version)?)
        } else {
            None
        };
        // In 3.1 a field whose flag is set may be missing at the end of the packet.
        let present = |flag, body: &Reader<'_>| {
            flags & flag != 0 && !(version == ProtocolVersion::V3_1 && body.is_empty())
        };
        let username = if present(USER_NAME, &body) {
            Some(body.utf8()?)
        } else {
            None
        };
        let password = if present(PASSWORD, &body) {
            Some(body.binary()?)
        } else {
            None
        };
        body.finish()?;
        if lacks_authentication_method(&properties) {
            return Err(DecodeError::AuthenticationMethodMissing {
                packet_type: PacketType::Connect,
            });
        }
        let clean_start = flags & CLEAN_START != 0;
        // Last, since a server answers this one with a CONNACK and anything malformed, in 3.x, with nothing.
        if client_id.is_empty() && !may_be_empty(version, clean_start) {
            return Err(DecodeError::EmptyClientId);
        }
        Ok(Self {
            version,
            clean_start,
            keep_alive,
            client_id,
            will,
            username,
            password,
            properties,
        })
    }

    fn decode_flags(body: &mut Reader<'_>, version: ProtocolVersion) -> Result<u8, DecodeError> {
        let flags = body.u8()?;
        if flags & RESERVED != 0 && version != ProtocolVersion::V3_1 {
            return Err(DecodeError::ConnectReservedFlag);
        }
        if flags & WILL == 0 {
            if flags & WILL_QOS != 0 {
                return Err(DecodeError::WillQosWithoutWill);
            }
            if flags & WILL_RETAIN != 0 {
                return Err(DecodeError::WillRetainWithoutWill);
            }
        }
        if flags & (USER_NAME | PASSWORD) == PASSWORD && !version.is_v5() {
            return Err(DecodeError::PasswordWithoutUserName);
        }
        Ok(flags)
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        if self.clean_start {
            flags |= CLEAN_START;
        }
        if let Some(will) = &self.will {
            flags |= WILL | will.qos.as_u8() << WILL_QOS_SHIFT;
            if will.retain {
                flags |= WILL_RETAIN;
            }
        }
        if self.username.is_some() {
            flags |= USER_NAME;
        }
        if self.password.is_some() {
            flags |= PASSWORD;
        }
        flags
    }
}

/// Whether the Client Identifier may be empty [v311 MQTT-3.1.3-7, v5 MQTT-3.1.3-6].
fn may_be_empty(version: ProtocolVersion, clean_start: bool) -> bool {
    match version {
        ProtocolVersion::V3_1 => false,
        ProtocolVersion::V3_1_1 => clean_start,
        ProtocolVersion::V5 => true,
    }
}

/// Whether there is Authentication Data without an Authentication Method, a Protocol Error (v5 3.1.2.11.10).
pub(super) fn lacks_authentication_method(properties: &Properties<'_>) -> bool {
    properties.contains(PropertyId::AuthenticationData)
        && !properties.contains(PropertyId::AuthenticationMethod)
}

impl Body for Connect<'_> {
    fn check(&self, packet_type: PacketType, encoder: &Encoder) -> Result<(), EncodeError> {
        let version = encoder.version;
        if self.version != version {
            return Err(EncodeError::VersionMismatch {
                connect: self.version,
                version,
            });
        }
        if self.client_id.is_empty() && !may_be_empty(version, self.clean_start) {
            return Err(EncodeError::EmptyClientId);
        }
        if self.password.is_some() && self.username.is_none() && !version.is_v5() {
            return Err(EncodeError::PasswordWithoutUserName);
        }
        if let Some(will) = &self.will {
            check_field(will.payload)?;
            encoder.check_properties(&will.properties, PropertyHolder::Will)?;
        }
        check_field(self.password.unwrap_or_default())?;
        encoder.check_properties(&self.properties, PropertyHolder::Packet(packet_type))?;
        if lacks_authentication_method(&self.properties) {
            return Err(EncodeError::AuthenticationMethodMissing);
        }
        Ok(())
    }

    fn len(&self, version: ProtocolVersion) -> usize {
        // Name, level, flags and Keep Alive; every field has two bytes of length before it.
        let mut len = 2 + version.name().len() + 1 + 1 + 2;
        len += 2 + self.client_id.len();
        len += self.username.map_or(0, |username| 2 + username.len());
        len += self.password.map_or(0, |password| 2 + password.len());
        if let Some(will) = &self.will {
            len += 2 + will.topic.as_str().len() + 2 + will.payload.len();
            len += properties_len(&will.properties, version);
        }
        len + properties_len(&self.properties, version)
    }

    fn write<'o>(&self, version: ProtocolVersion, writer: Writer<'o>) -> Writer<'o> {
        let mut writer = writer
            .field(version.name().as_bytes())
            .u8(version.level())
            .u8(self.flags())
            .u16(self.keep_alive.as_secs());
        writer = write_properties(&self.properties, version, writer);
        // The order of the payload is fixed. [v5 and v311 MQTT-3.1.3-1]
        writer = writer.field(self.client_id.as_str().as_bytes());
        if let Some(will) = &self.will {
            writer = write_properties(&will.properties, version, writer)
                .field(will.topic.as_str().as_bytes())
                .field(will.payload);
        }
        if let Some(username) = self.username {
            writer = writer.field(username.as_str().as_bytes());
        }
        if let Some(password) = self.password {
            writer = writer.field(password);
        }
        writer
    }
}

fn check_field(field: &[u8]) -> Result<(), EncodeError> {
    if field.len() > MAX_FIELD_LEN {
        Err(EncodeError::FieldTooLong { len: field.len() })
    } else {
        Ok(())
    }
}

impl<'a> Will<'a> {
    #[inline]
    fn decode(
        flags: u8,
        body: &mut Reader<'a>,
        version: ProtocolVersion,
    ) -> Result<Self, DecodeError> {
        let Some(qos) = QoS::from_u8((flags & WILL_QOS) >> WILL_QOS_SHIFT) else {
            return Err(DecodeError::WillQos);
        };
        let properties = if version.is_v5() {
            Properties::read(body, PropertyHolder::Will, Role::Client)?
        } else {
            Properties::EMPTY
        };
        let topic = body.topic_name()?;
        Ok(Self {
            topic,
            payload: body.binary()?,
            qos,
            retain: flags & WILL_RETAIN != 0,
            properties,
        })
    }
}

/// Does not show the password.
impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("username", &self.username)
            .field(
                "password",
                &self.password.map(|password| Hidden(password.len())),
            )
            .field("properties", &self.properties)
            .finish()
    }
}

/// Does not show the payload.
impl fmt::Debug for Will<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Will")
            .field("topic", &self.topic)
            .field("payload", &Hidden(self.payload.len()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("properties", &self.properties)
            .finish()
    }
}
