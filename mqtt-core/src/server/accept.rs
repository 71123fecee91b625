//! Answering a CONNECT: what the owner decides, what of it must hold, and the CONNACK it becomes.

use alloc::{boxed::Box, string::String, vec::Vec};

use super::encode;
use crate::{
    encoder::Encoder,
    error::EncodeError,
    flow::{Negotiated, Session},
    packet::{Connack, Connect, Packet},
    types::{
        KeepAlive, MaximumPacketSize, QoS, ReasonCode, ReceiveMaximum, Role, SessionExpiry,
        StringError, Utf8,
    },
    version::ProtocolVersion,
    wire::{Properties, Property},
};

/// Unacknowledged messages a client may have outstanding unless the owner says otherwise.
const DEFAULT_RECEIVE_MAXIMUM: ReceiveMaximum = match ReceiveMaximum::new(1_024) {
    Some(maximum) => maximum,
    None => unreachable!(),
};

/// The largest packet taken from an accepted client unless the owner says otherwise.
const DEFAULT_MAXIMUM_PACKET_SIZE: MaximumPacketSize = match MaximumPacketSize::new(16 << 20) {
    Some(size) => size,
    None => unreachable!(),
};

/// Topic Aliases a client may use unless the owner says otherwise. Each can hold 64 KiB, so few are enough for the
/// topics a device publishes to and cost little when a client abuses them.
const DEFAULT_TOPIC_ALIAS_MAXIMUM: u16 = 10;

/// What the owner of a server decides about a CONNECT it accepts.
///
/// The default gives the client what it asked for, with no earlier session, and offers everything.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Accept {
    /// Whether the session given belongs to this client from before, and so Session Present. Never together with Clean
    /// Start [v5 MQTT-3.2.2-2, v311 MQTT-3.2.2-1].
    pub session_present: bool,
    /// The Client Identifier given to a client that sent none. Required then, refused otherwise [v5 MQTT-3.2.2-16].
    /// 3.1.1 has no way to tell the client, but the owner names it all the same.
    pub assigned_client_id: Option<String>,
    /// How long the session is kept, where that is not what the client asked for (v5 3.2.2.3.2). Nothing in 3.x can
    /// tell the client, so it is used but not sent there.
    pub session_expiry: Option<SessionExpiry>,
    /// The Keep Alive the client is to use, where it is not its own [v5 MQTT-3.2.2-21]. Refused in 3.x, where the
    /// client could not know.
    pub server_keep_alive: Option<KeepAlive>,
    /// How many unacknowledged QoS 1 and 2 messages the client may have outstanding. In 3.x, which cannot tell it, the
    /// server stops reading at that number. Default: 1,024.
    pub receive_maximum: ReceiveMaximum,
    /// The largest packet taken from the client from now on, in bytes. Default: 16 MiB.
    pub maximum_packet_size: MaximumPacketSize,
    /// How many Topic Aliases the client may use (5.0). Default: 10.
    pub topic_alias_maximum: u16,
    /// How many Topic Aliases are used towards the client, as far as it takes them [v5 MQTT-3.1.2-26]; no more than 64 are,
    /// for the topics that were sent last. Default: none.
    pub outgoing_topic_aliases: u16,
    /// The highest QoS the client may publish at (5.0). A Will above it makes [`AcceptError::WillQosNotSupported`].
    pub maximum_qos: QoS,
    /// Whether the client may publish retained messages (5.0).
    pub retain_available: bool,
    /// Whether filters may have wildcards (5.0).
    pub wildcard_subscription_available: bool,
    /// Whether subscriptions may have identifiers (5.0).
    pub subscription_identifiers_available: bool,
    /// Whether subscriptions may be shared (5.0).
    pub shared_subscription_available: bool,
    /// Response Information (5.0): sent only if the client asked for it [v5 MQTT-3.1.2-28].
    pub response_information: Option<String>,
    /// Reason String (5.0): for people. Left out where it would make the CONNACK too large for the client.
    pub reason_string: Option<String>,
    /// User Properties (5.0), left out likewise.
    pub user_properties: Vec<(String, String)>,
}

impl Default for Accept {
    fn default() -> Self {
        Self {
            session_present: false,
            assigned_client_id: None,
            session_expiry: None,
            server_keep_alive: None,
            receive_maximum: DEFAULT_RECEIVE_MAXIMUM,
            maximum_packet_size: DEFAULT_MAXIMUM_PACKET_SIZE,
            topic_alias_maximum: DEFAULT_TOPIC_ALIAS_MAXIMUM,
            outgoing_topic_aliases: 0,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifiers_available: true,
            shared_subscription_available: true,
            response_information: None,
            reason_string: None,
            user_properties: Vec::new(),
        }
    }
}

/// Why a CONNECT could not be accepted as the owner wished. The CONNECT is still pending.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No CONNECT waits for an answer: none came, it was answered, or the connection ended.
    #[error("no CONNECT waits for an answer")]
    NotPending,
    /// Session Present together with Clean Start [v5 MQTT-3.2.2-2, v311 MQTT-3.2.2-1].
    #[error("a clean start cannot find a session")]
    SessionPresent,
    /// The session holds exchanges the client would have to know of, but Session Present is not set.
    #[error("the session is not new, but session present is not set")]
    SessionNotNew,
    /// The client sent no Client Identifier and none was assigned [v5 MQTT-3.2.2-16].
    #[error("the client sent no identifier and none was assigned")]
    ClientIdentifierMissing,
    /// The client sent a Client Identifier, so none may be assigned.
    #[error("the client has an identifier of its own")]
    ClientIdentifierPresent,
    /// A Server Keep Alive for a client of 3.x, which cannot be told of it.
    #[error("a client of 3.x cannot be told of a server keep alive")]
    ServerKeepAlive,
    /// The Will is above the Maximum QoS. Refuse with [`ReasonCode::QOS_NOT_SUPPORTED`] [v5 MQTT-3.2.2-12].
    #[error("the will is above the maximum QoS")]
    WillQosNotSupported,
    /// The Will is retained and retained messages are not available. Refuse with
    /// [`ReasonCode::RETAIN_NOT_SUPPORTED`] [v5 MQTT-3.2.2-13].
    #[error("the will is retained, and retained messages are not available")]
    WillRetainNotSupported,
    /// A text for the CONNACK cannot be written as an MQTT string.
    #[error("a text for the CONNACK is not an MQTT string")]
    Text(#[from] StringError),
    /// The client takes no packet as large as this CONNACK, even without what can be left out.
    #[error("the client takes no packet as large as the CONNACK")]
    PacketTooLarge,
    /// The CONNACK cannot be written.
    #[error("the CONNACK cannot be written")]
    Encode(#[from] EncodeError),
}

/// A refused [`Server::accept`](super::Server::accept): why, and the session back.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("the CONNECT was not accepted")]
pub struct NotAccepted {
    /// Why.
    #[source]
    pub error: AcceptError,
    /// The session, unchanged.
    pub session: Session,
}

/// What of a CONNECT its answer depends on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Pending {
    version: ProtocolVersion,
    clean_start: bool,
    client_id_is_empty: bool,
    keep_alive: KeepAlive,
    pub(super) session_expiry: SessionExpiry,
    will: Option<(QoS, bool)>,
    receive_maximum: ReceiveMaximum,
    maximum_packet_size: Option<MaximumPacketSize>,
    topic_alias_maximum: u16,
    request_problem_information: bool,
    request_response_information: bool,
}

impl Pending {
    /// What is kept of `connect` while its owner decides.
    pub(super) fn new(connect: &Connect<'_>) -> Self {
        let properties = connect.properties;
        Self {
            version: connect.version,
            clean_start: connect.clean_start,
            client_id_is_empty: connect.client_id.is_empty(),
            keep_alive: connect.keep_alive,
            session_expiry: requested_session_expiry(connect),
            will: connect.will.map(|will| (will.qos, will.retain)),
            receive_maximum: properties.receive_maximum().unwrap_or_default(),
            maximum_packet_size: properties.maximum_packet_size(),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            request_problem_information: properties.request_problem_information().unwrap_or(true),
            request_response_information: properties
                .request_response_information()
                .unwrap_or(false),
        }
    }

    /// What both ends agree on if `accept` is the answer, and the CONNACK that says so.
    pub(super) fn answer(
        &self,
        accept: &Accept,
        session: &Session,
    ) -> Result<(Negotiated, Box<[u8]>), AcceptError> {
        self.check(accept, session)?;
        Ok((self.negotiated(accept), self.connack(accept)?))
    }

    /// Whether `accept` may answer this CONNECT.
    fn check(&self, accept: &Accept, session: &Session) -> Result<(), AcceptError> {
        if accept.session_present && self.clean_start {
            return Err(AcceptError::SessionPresent);
        }
        if !accept.session_present && session.has_exchanges() {
            return Err(AcceptError::SessionNotNew);
        }
        match (&accept.assigned_client_id, self.client_id_is_empty) {
            (Some(_), false) => return Err(AcceptError::ClientIdentifierPresent),
            (assigned, true)
                if self.version.is_v5() && assigned.as_deref().is_none_or(str::is_empty) =>
            {
                return Err(AcceptError::ClientIdentifierMissing);
            }
            _ => {}
        }
        if !self.version.is_v5() {
            // What follows cannot be said in 3.x, where a server must take every QoS and retained messages.
            return match accept.server_keep_alive {
                Some(_) => Err(AcceptError::ServerKeepAlive),
                None => Ok(()),
            };
        }
        match self.will {
            Some((qos, _)) if qos > accept.maximum_qos => Err(AcceptError::WillQosNotSupported),
            Some((_, true)) if !accept.retain_available => Err(AcceptError::WillRetainNotSupported),
            _ => Ok(()),
        }
    }

    /// The encoder for the answer.
    pub(super) const fn encoder(&self) -> Encoder {
        Encoder {
            version: self.version,
            sender: Role::Server,
            maximum_packet_size: self.maximum_packet_size,
        }
    }

    /// What both ends have agreed on with `accept`.
    fn negotiated(&self, accept: &Accept) -> Negotiated {
        let is_v5 = self.version.is_v5();
        let mut negotiated = Negotiated::new(self.version);
        negotiated.keep_alive = accept.server_keep_alive.unwrap_or(self.keep_alive);
        negotiated.session_expiry = accept.session_expiry.unwrap_or(self.session_expiry);
        negotiated.peer_receive_maximum = self.receive_maximum;
        negotiated.own_receive_maximum = accept.receive_maximum;
        negotiated.peer_maximum_packet_size = self.maximum_packet_size;
        negotiated.own_maximum_packet_size = Some(accept.maximum_packet_size);
        negotiated.peer_topic_alias_maximum = self.topic_alias_maximum;
        negotiated.request_problem_information = self.request_problem_information;
        // A client of 3.x cannot be told what is not there, so it may use all of it.
        if is_v5 {
            negotiated.own_topic_alias_maximum = accept.topic_alias_maximum;
            negotiated.maximum_qos = accept.maximum_qos;
            negotiated.retain_available = accept.retain_available;
            negotiated.wildcard_subscription_available = accept.wildcard_subscription_available;
            negotiated.subscription_identifiers_available =
                accept.subscription_identifiers_available;
            negotiated.shared_subscription_available = accept.shared_subscription_available;
        }
        negotiated
    }

    /// The CONNACK that says what `accept` decided.
    fn connack(&self, accept: &Accept) -> Result<Box<[u8]>, AcceptError> {
        let properties = self.connack_properties(accept)?;
        // 3.1 has no such flag.
        let session_present = accept.session_present && self.version > ProtocolVersion::V3_1;
        let connack = Connack {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties: Properties::new(&properties),
        };
        encode(self.encoder(), &Packet::Connack(connack))?.ok_or(AcceptError::PacketTooLarge)
    }

    /// The properties of the CONNACK (v5 3.2.2.3). Only what differs from the default or from what the client asked for is
    /// written.
    fn connack_properties<'a>(&self, accept: &'a Accept) -> Result<Vec<Property<'a>>, AcceptError> {
        if !self.version.is_v5() {
            return Ok(Vec::new());
        }
        let mut properties = Vec::new();
        if let Some(expiry) = accept
            .session_expiry
            .filter(|expiry| *expiry != self.session_expiry)
        {
            properties.push(Property::SessionExpiryInterval(expiry));
        }
        if accept.receive_maximum != ReceiveMaximum::default() {
            properties.push(Property::ReceiveMaximum(accept.receive_maximum));
        }
        // The wire knows Maximum QoS 0 and 1 only; absent means 2.
        if accept.maximum_qos < QoS::ExactlyOnce {
            properties.push(Property::MaximumQoS(accept.maximum_qos));
        }
        if !accept.retain_available {
            properties.push(Property::RetainAvailable(false));
        }
        if accept.maximum_packet_size < MaximumPacketSize::LARGEST_POSSIBLE {
            properties.push(Property::MaximumPacketSize(accept.maximum_packet_size));
        }
        if let Some(id) = &accept.assigned_client_id {
            properties.push(Property::AssignedClientIdentifier(Utf8::new(id)?));
        }
        if accept.topic_alias_maximum > 0 {
            properties.push(Property::TopicAliasMaximum(accept.topic_alias_maximum));
        }
        if !accept.wildcard_subscription_available {
            properties.push(Property::WildcardSubscriptionAvailable(false));
        }
        if !accept.subscription_identifiers_available {
            properties.push(Property::SubscriptionIdentifierAvailable(false));
        }
        if !accept.shared_subscription_available {
            properties.push(Property::SharedSubscriptionAvailable(false));
        }
        if let Some(keep_alive) = accept.server_keep_alive {
            properties.push(Property::ServerKeepAlive(keep_alive));
        }
        if let Some(text) = &accept.response_information
            && self.request_response_information
        {
            properties.push(Property::ResponseInformation(Utf8::new(text)?));
        }
        if let Some(text) = &accept.reason_string {
            properties.push(Property::ReasonString(Utf8::new(text)?));
        }
        for (name, value) in &accept.user_properties {
            properties.push(Property::UserProperty(Utf8::new(name)?, Utf8::new(value)?));
        }
        Ok(properties)
    }
}

/// How long a session is to outlive its connection, in the words of either version.
pub(super) fn requested_session_expiry(connect: &Connect<'_>) -> SessionExpiry {
    match connect.version {
        ProtocolVersion::V5 => connect
            .properties
            .session_expiry_interval()
            .unwrap_or(SessionExpiry::AT_CLOSE),
        _ if connect.clean_start => SessionExpiry::AT_CLOSE,
        _ => SessionExpiry::NEVER,
    }
}
