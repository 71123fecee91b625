//! What must hold for all that a machine sends, seen from outside: by the bytes it took and the bytes it gave.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Buf;
use mqtt_core::{
    Connack, Decoder, Delivery, Output, Packet, PacketType, Properties, ProtocolVersion, Publish,
    QoS, Role,
};

/// The peer's view of one end through all its connections: it knows the standard, and nothing of the machine.
#[derive(Debug)]
pub(crate) struct Watch {
    machine: Role,
    received: Decoder,
    /// What was sent on this connection and is not a whole packet.
    sent: Vec<u8>,
    connection: Connection,
    /// PUBREC came without an error, and PUBCOMP did not: PUBREL may be sent, and again on the next connection.
    received_by_peer: BTreeSet<u16>,
    /// Identifiers of QoS 2 that came and that PUBREL did not release yet.
    held: BTreeSet<u16>,
    /// Exchanges of QoS 2 that the peer began.
    pub(crate) exchanges: usize,
    /// Acknowledgements that the peer may still expect, by what it sent.
    owed: BTreeMap<(PacketType, u16), usize>,
}

/// What does not outlive a connection.
#[derive(Debug, Default)]
struct Connection {
    /// Packets that the machine sent.
    packets: usize,
    /// The machine took a packet.
    has_begun: bool,
    /// The CONNECT that the machine sent asks for a new session.
    clean_start: bool,
    /// The machine's last word is said.
    is_over: bool,
    limits: Option<Limits>,
    /// The topic aliases that the machine gave a meaning.
    aliases: BTreeSet<u16>,
    /// Identifiers of the PUBLISH packets that the peer has not acknowledged.
    unacknowledged: BTreeSet<u16>,
    /// Identifiers of which PUBREL is sent anew, because PUBREC came on an earlier connection.
    resumed: BTreeSet<u16>,
    /// Identifiers of the PUBREL packets that were sent.
    released: BTreeSet<u16>,
    /// Identifiers of the requests that the peer has not answered.
    requests: BTreeSet<u16>,
}

/// What the peer announced.
#[derive(Clone, Copy, Debug)]
struct Limits {
    receive_maximum: usize,
    maximum_packet_size: usize,
    topic_alias_maximum: u16,
    maximum_qos: QoS,
    retain_available: bool,
}

impl Limits {
    fn new(properties: Properties<'_>) -> Self {
        Self {
            receive_maximum: properties
                .receive_maximum()
                .map_or(usize::from(u16::MAX), |maximum| maximum.get().into()),
            maximum_packet_size: properties
                .maximum_packet_size()
                .map_or(usize::MAX, |size| size.get() as usize),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            maximum_qos: properties.maximum_qos().unwrap_or(QoS::ExactlyOnce),
            retain_available: properties.retain_available().unwrap_or(true),
        }
    }
}

impl Watch {
    /// Watches a machine in this role. Of a client the version is known beforehand.
    pub(crate) fn new(machine: Role) -> Self {
        Self {
            machine,
            received: Decoder::new(None, machine.peer()),
            sent: Vec::new(),
            connection: Connection::default(),
            received_by_peer: BTreeSet::new(),
            held: BTreeSet::new(),
            exchanges: 0,
            owed: BTreeMap::new(),
        }
    }

    /// A new connection begins. `version` is that of a client's CONNECT.
    pub(crate) fn connect(&mut self, version: Option<ProtocolVersion>) {
        // Before 5.0 a clean session is over when its connection is.
        if self.connection.clean_start && version.is_some_and(|version| !version.is_v5()) {
            self.forget_session();
        }
        self.received.version = version;
        self.sent.clear();
        self.connection = Connection {
            resumed: self.received_by_peer.clone(),
            ..Connection::default()
        };
        // Only of QoS 2 may something be acknowledged that came on an earlier connection.
        self.owed
            .retain(|(answer, _), _| *answer == PacketType::Pubrec);
    }

    /// The session is a new one: neither end knows of exchanges any more.
    pub(crate) fn forget_session(&mut self) {
        self.connection.resumed.clear();
        self.received_by_peer.clear();
        self.held.clear();
        self.owed.clear();
    }

    /// What the machine took off its input. If the connection `is_over` it threw away what came after the packet that ended
    /// it, and nobody can tell from outside which that was: whatever it may have done with the rest is allowed for.
    pub(crate) fn taken(&mut self, mut bytes: &[u8], is_over: bool) {
        let held = self.held.clone();
        let mut received_by_peer = self.received_by_peer.clone();
        while let Ok(Some((packet, len))) = self.received.next(bytes) {
            self.packet_taken(&packet);
            received_by_peer.extend(&self.received_by_peer);
            bytes = &bytes[len..];
        }
        if is_over {
            self.received_by_peer = received_by_peer;
            self.held.retain(|id| held.contains(id));
        }
    }

    fn packet_taken(&mut self, packet: &Packet<'_>) {
        let connection = &mut self.connection;
        // Whatever else comes first ends the connection, and what follows that tells the machine nothing.
        let is_first = !std::mem::replace(&mut connection.has_begun, true);
        match *packet {
            Packet::Connect(connect) if is_first => {
                connection.limits = Some(Limits::new(connect.properties));
            }
            Packet::Connack(connack) if is_first => {
                connection.limits = Some(Limits::new(connack.properties));
                // 3.1 has no Session Present; there the client takes the session for the server's too.
                let goes_on = match self.received.version {
                    Some(ProtocolVersion::V3_1) => !connection.clean_start,
                    _ => connack.session_present,
                };
                if !goes_on && !connack.reason.is_error() {
                    self.forget_session();
                }
            }
            Packet::Publish(publish) => self.publish_taken(&publish),
            Packet::Puback(ack) => {
                connection.unacknowledged.remove(&ack.packet_id.get());
            }
            Packet::Pubrec(ack) => {
                let id = ack.packet_id.get();
                if ack.reason.is_error() {
                    connection.unacknowledged.remove(&id);
                } else {
                    self.received_by_peer.insert(id);
                    self.owe(PacketType::Pubrel, id);
                }
            }
            Packet::Pubrel(ack) => {
                let id = ack.packet_id.get();
                self.held.remove(&id);
                self.owe(PacketType::Pubcomp, id);
            }
            Packet::Pubcomp(ack) => {
                let id = ack.packet_id.get();
                connection.unacknowledged.remove(&id);
                let is_on_its_way =
                    connection.resumed.remove(&id) && !connection.released.contains(&id);
                if self.received_by_peer.remove(&id) && is_on_its_way {
                    // Beside those that answer what PUBREC came on this connection.
                    self.owe(PacketType::Pubrel, id);
                }
            }
            Packet::Suback(suback) => {
                connection.requests.remove(&suback.packet_id.get());
            }
            Packet::Unsuback(unsuback) => {
                connection.requests.remove(&unsuback.packet_id.get());
            }
            Packet::Subscribe(subscribe) => self.owe(PacketType::Suback, subscribe.packet_id.get()),
            Packet::Unsubscribe(unsubscribe) => {
                self.owe(PacketType::Unsuback, unsubscribe.packet_id.get());
            }
            _ => {}
        }
    }

    fn publish_taken(&mut self, publish: &Publish<'_>) {
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce(id) => self.owe(PacketType::Puback, id.get()),
            Delivery::ExactlyOnce(id) => {
                self.owe(PacketType::Pubrec, id.get());
                self.exchanges += usize::from(self.held.insert(id.get()));
            }
        }
    }

    fn owe(&mut self, answer: PacketType, id: u16) {
        *self.owed.entry((answer, id)).or_default() += 1;
    }

    /// What the machine appended to its output, all of which reaches the peer.
    ///
    /// # Panics
    /// If it is not whole packets, or a packet is not one that this peer must take now.
    pub(crate) fn sent(&mut self, output: &mut Output) {
        while output.has_remaining() {
            let chunk = output.chunk().to_vec();
            output.advance(chunk.len());
            self.sent.extend(chunk);
        }
        let bytes = std::mem::take(&mut self.sent);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            // A server may have to answer a CONNECT that could not be decoded; then the form of its CONNACK tells the version.
            let version = self.received.version.unwrap_or(if rest.len() == 4 {
                ProtocolVersion::V3_1_1
            } else {
                ProtocolVersion::V5
            });
            let decoder = Decoder::new(Some(version), self.machine);
            let len = decoder
                .frame(rest)
                .expect("what is sent has a header")
                .expect("packets are sent whole");
            let packet = decoder
                .decode(&rest[..len])
                .expect("what is sent can be received");
            self.packet_sent(&packet, len);
            rest = &rest[len..];
        }
    }

    fn packet_sent(&mut self, packet: &Packet<'_>, len: usize) {
        assert!(!self.connection.is_over, "{packet:?} after the last word");
        let first = match self.machine {
            Role::Client => matches!(packet, Packet::Connect(_)),
            Role::Server => matches!(packet, Packet::Connack(_)),
        };
        let is_first = self.connection.packets == 0;
        assert_eq!(is_first, first, "{packet:?} is in the wrong place");
        self.connection.packets += 1;
        let maximum = self
            .connection
            .limits
            .map_or(usize::MAX, |it| it.maximum_packet_size);
        assert!(len <= maximum, "{packet:?} is larger than {maximum}");
        match *packet {
            Packet::Connect(connect) => self.connection.clean_start = connect.clean_start,
            Packet::Publish(publish) => self.publish_sent(&publish),
            Packet::Puback(ack) => self.answered(PacketType::Puback, ack.packet_id.get()),
            Packet::Pubrec(ack) => {
                self.answered(PacketType::Pubrec, ack.packet_id.get());
                if ack.reason.is_error() {
                    self.held.remove(&ack.packet_id.get());
                }
            }
            Packet::Pubrel(ack) => {
                // It is sent anew on the next connection.
                let id = ack.packet_id.get();
                self.connection.released.insert(id);
                if !self.received_by_peer.contains(&id) {
                    self.answered(PacketType::Pubrel, id);
                }
            }
            Packet::Pubcomp(ack) => self.answered(PacketType::Pubcomp, ack.packet_id.get()),
            Packet::Suback(suback) => self.answered(PacketType::Suback, suback.packet_id.get()),
            Packet::Unsuback(unsuback) => {
                self.answered(PacketType::Unsuback, unsuback.packet_id.get());
            }
            Packet::Subscribe(subscribe) => self.requested(subscribe.packet_id.get()),
            Packet::Unsubscribe(unsubscribe) => self.requested(unsubscribe.packet_id.get()),
            Packet::Connack(Connack { reason, .. }) if reason.is_error() => {
                self.connection.is_over = true;
            }
            Packet::Disconnect(_) => self.connection.is_over = true,
            _ => {}
        }
    }

    fn publish_sent(&mut self, publish: &Publish<'_>) {
        let connection = &mut self.connection;
        let limits = connection.limits.expect("a PUBLISH comes after CONNACK");
        let qos = publish.delivery.qos();
        assert!(qos <= limits.maximum_qos, "above the maximum QoS");
        assert!(limits.retain_available || !publish.retain, "retained");
        match publish.properties.topic_alias().map(|alias| alias.get()) {
            Some(alias) => {
                assert!(alias <= limits.topic_alias_maximum, "alias {alias}");
                let is_new = connection.aliases.insert(alias);
                assert!(
                    !is_new || publish.topic.is_some(),
                    "alias {alias} means nothing"
                );
            }
            None => assert!(publish.topic.is_some(), "neither topic nor alias"),
        }
        if let Some(id) = publish.delivery.packet_id().map(|id| id.get()) {
            assert!(!connection.requests.contains(&id), "{id} is a request's");
            assert!(connection.unacknowledged.insert(id), "{id} is in use");
            let sent = connection.unacknowledged.len();
            assert!(sent <= limits.receive_maximum, "{sent} are unacknowledged");
        }
    }

    fn requested(&mut self, id: u16) {
        let connection = &mut self.connection;
        assert!(
            !connection.unacknowledged.contains(&id),
            "{id} is a PUBLISH's"
        );
        assert!(connection.requests.insert(id), "{id} is in use");
    }

    fn answered(&mut self, answer: PacketType, id: u16) {
        let owed = self.owed.entry((answer, id)).or_default();
        assert!(*owed > 0, "{answer} of {id}, which nobody asked for");
        *owed -= 1;
    }
}
