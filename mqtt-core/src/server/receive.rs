//! What each packet of a client does.

use alloc::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    Server,
    accept::{Pending, requested_session_expiry},
    event::{ConnectRequest, DisconnectCause, Event, ProtocolError},
    lifecycle::{Connection, End, State},
    requests::{SubscribeRequest, UnsubscribeRequest},
};
use crate::{
    error::DecodeError,
    flow::{Answer, Received, Session, Settled, Timer, kept},
    message::WillMessage,
    packet::{Connect, Disconnect, Packet, Publish, PublishAck, Subscribe, Unsubscribe},
    types::{PacketId, PacketType, ReasonCode, Role, SessionExpiry, TopicFilter},
    version::ProtocolVersion,
    wire::{LARGE_PAYLOAD, PropertyId},
};

impl Server {
    /// Takes the packet of `len` bytes at the front of `input`.
    pub(super) fn handle_frame(&mut self, len: usize, input: &mut BytesMut) {
        if len >= LARGE_PAYLOAD {
            // Its payload may be kept, so it is cut out as something that can be shared.
            let frame = input.split_to(len).freeze();
            self.handle_packet(&frame, Some(&frame));
        } else {
            self.handle_packet(input.get(..len).unwrap_or_default(), None);
            input.advance(len);
        }
    }

    fn handle_packet(&mut self, frame: &[u8], shared: Option<&Bytes>) {
        let handled = match self.decoder().decode(frame) {
            Err(error) => Err(End::invalid_packet(error)),
            Ok(packet) => match (&mut self.state, &mut self.session) {
                (State::AwaitingConnect, _) => self.handle_connect(&packet),
                (State::Connected(connection), Some(session)) => {
                    connection.handle(session, &packet, shared).map(|event| {
                        if let Some(event) = event {
                            self.events.push(event);
                        }
                    })
                }
                // Nothing is read in the other states.
                _ => Ok(()),
            },
        };
        if let Err(end) = handled {
            self.end(end, frame);
        }
    }

    fn handle_connect(&mut self, packet: &Packet<'_>) -> Result<(), End> {
        let Packet::Connect(connect) = packet else {
            // The decoder takes nothing else for a first packet.
            let packet_type = packet.packet_type();
            return Err(End::invalid_packet(DecodeError::ConnectExpected {
                packet_type,
            }));
        };
        if connect.properties.authentication_method().is_some() {
            return Err(End::new(DisconnectCause::AuthenticationMethod));
        }
        self.timers.clear(Timer::Connect);
        self.state = State::Pending(Box::new(Pending::new(connect)));
        self.events
            .push(Event::Connect(Box::new(connect_request(connect))));
        Ok(())
    }
}

/// What is kept of a CONNECT for its owner.
fn connect_request(connect: &Connect<'_>) -> ConnectRequest {
    ConnectRequest {
        version: connect.version,
        client_id: connect.client_id.as_str().into(),
        clean_start: connect.clean_start,
        keep_alive: connect.keep_alive,
        session_expiry: requested_session_expiry(connect),
        will: connect.will.as_ref().map(WillMessage::from_will),
        username: connect.username.map(|name| name.as_str().into()),
        password: connect.password.map(Bytes::copy_from_slice),
        properties: kept(connect.properties),
    }
}

impl Connection {
    /// What a packet of an accepted client does, and what there is to tell of it.
    fn handle(
        &mut self,
        session: &mut Session,
        packet: &Packet<'_>,
        frame: Option<&Bytes>,
    ) -> Result<Option<Event>, End> {
        match packet {
            Packet::Publish(publish) => self.handle_publish(session, publish, frame),
            Packet::Puback(ack) => self.handle_ack(session, PacketType::Puback, ack),
            Packet::Pubrec(ack) => self.handle_ack(session, PacketType::Pubrec, ack),
            Packet::Pubrel(ack) => self.handle_ack(session, PacketType::Pubrel, ack),
            Packet::Pubcomp(ack) => self.handle_ack(session, PacketType::Pubcomp, ack),
            Packet::Subscribe(subscribe) => self.handle_subscribe(subscribe),
            Packet::Unsubscribe(unsubscribe) => self.handle_unsubscribe(unsubscribe),
            Packet::Pingreq => {
                self.link.answer(Answer::Pingresp);
                Ok(None)
            }
            Packet::Disconnect(disconnect) => Err(self.handle_disconnect(disconnect)),
            Packet::Connect(_) => Err(ProtocolError::SecondConnect.into()),
            Packet::Auth(_) => Err(ProtocolError::UnexpectedAuth.into()),
            // The decoder takes none of these from a client.
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                let (packet_type, sender) = (packet.packet_type(), Role::Client);
                Err(End::invalid_packet(DecodeError::WrongSender {
                    packet_type,
                    sender,
                }))
            }
        }
    }

    fn handle_publish(
        &mut self,
        session: &mut Session,
        publish: &Publish<'_>,
        frame: Option<&Bytes>,
    ) -> Result<Option<Event>, End> {
        let negotiated = self.link.negotiated();
        if publish.delivery.qos() > negotiated.maximum_qos {
            return Err(ProtocolError::QosNotSupported.into());
        }
        if publish.retain && !negotiated.retain_available {
            return Err(ProtocolError::RetainNotSupported.into());
        }
        let received = self
            .link
            .handle_publish(session, publish, frame)
            .map_err(ProtocolError::Exchange)?;
        Ok(received.map(
            |Received {
                 message,
                 token,
                 dup,
             }| {
                self.unacknowledged += usize::from(token.is_some());
                Event::Message {
                    message,
                    token,
                    dup,
                }
            },
        ))
    }

    fn handle_ack(
        &mut self,
        session: &mut Session,
        packet_type: PacketType,
        ack: &PublishAck<'_>,
    ) -> Result<Option<Event>, End> {
        match self
            .link
            .handle_ack(session, packet_type, ack)
            .map_err(ProtocolError::Exchange)?
        {
            Some(Settled::Ended { id, outcome }) => Ok(Some(Event::Outcome { id, outcome })),
            // That the client owns a QoS 2 message is not the end of its exchange.
            Some(Settled::Received { .. }) | None => Ok(None),
        }
    }

    fn handle_subscribe(&mut self, subscribe: &Subscribe<'_>) -> Result<Option<Event>, End> {
        let has_id = subscribe
            .properties
            .contains(PropertyId::SubscriptionIdentifier);
        if has_id && !self.link.negotiated().subscription_identifiers_available {
            return Err(ProtocolError::SubscriptionIdentifiersNotSupported.into());
        }
        for (filter, _) in subscribe.filters.iter() {
            self.check_filter(filter)?;
        }
        let request = SubscribeRequest::new(subscribe);
        let (packet_id, bytes) = (subscribe.packet_id, request.held_bytes());
        if self.requests.insert(PacketType::Suback, packet_id, bytes) {
            return Ok(Some(Event::Subscribe(request)));
        }
        self.handle_identifier_in_use(PacketType::Suback, packet_id, request.filters().len())
    }

    fn handle_unsubscribe(&mut self, unsubscribe: &Unsubscribe<'_>) -> Result<Option<Event>, End> {
        let request = UnsubscribeRequest::new(unsubscribe);
        let (packet_id, bytes) = (unsubscribe.packet_id, request.held_bytes());
        if self.requests.insert(PacketType::Unsuback, packet_id, bytes) {
            return Ok(Some(Event::Unsubscribe(request)));
        }
        self.handle_identifier_in_use(PacketType::Unsuback, packet_id, request.filters().len())
    }

    /// What a filter asks for must be there. In 3.x everything is, and `$share` means nothing.
    fn check_filter(&self, filter: TopicFilter<'_>) -> Result<(), End> {
        let negotiated = self.link.negotiated();
        if !negotiated.version.is_v5() {
            return Ok(());
        }
        let shared = filter
            .shared()
            .map_err(|error| End::invalid_packet(DecodeError::TopicFilter(error)))?;
        if shared.is_some() && !negotiated.shared_subscription_available {
            return Err(ProtocolError::SharedSubscriptionsNotSupported.into());
        }
        if filter.has_wildcard() && !negotiated.wildcard_subscription_available {
            return Err(ProtocolError::WildcardSubscriptionsNotSupported.into());
        }
        Ok(())
    }

    /// A request has the Packet Identifier of another that waits. 5.0 has an answer for that; a client of 3.1 may repeat
    /// what was not answered; in 3.1.1 it breaks the protocol.
    fn handle_identifier_in_use(
        &mut self,
        answer: PacketType,
        packet_id: PacketId,
        filters: usize,
    ) -> Result<Option<Event>, End> {
        match self.version() {
            ProtocolVersion::V5 => self.refuse_identifier_in_use(answer, packet_id, filters),
            ProtocolVersion::V3_1 => {}
            ProtocolVersion::V3_1_1 => {
                return Err(ProtocolError::PacketIdentifierInUse(packet_id).into());
            }
        }
        Ok(None)
    }

    fn handle_disconnect(&self, disconnect: &Disconnect<'_>) -> End {
        let changed = disconnect.properties.session_expiry_interval();
        if self.requested_session_expiry == SessionExpiry::AT_CLOSE
            && changed.is_some_and(|expiry| expiry != SessionExpiry::AT_CLOSE)
            && self.version().is_v5()
        {
            return ProtocolError::SessionExpiryRaised.into();
        }
        let reason = disconnect.reason;
        let properties = kept(disconnect.properties);
        End {
            cause: DisconnectCause::Client { reason, properties },
            last: None,
            // Only the normal end takes the Will away [v5 MQTT-3.14.4-3, v311 MQTT-3.14.4-3].
            publish_will: reason != ReasonCode::NORMAL_DISCONNECTION,
            session_expiry: changed,
        }
    }
}

impl From<ProtocolError> for End {
    fn from(error: ProtocolError) -> Self {
        Self::new(DisconnectCause::Protocol(error)).with_answer(error.reason_code())
    }
}
