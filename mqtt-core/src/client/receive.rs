//! Packets of the server: found, decoded, and handed to the part they are for.

use alloc::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    Client, ConnackInfo, DisconnectCause, Event, ProtocolError,
    connect::{self, check_problem_information},
    lifecycle::Lifecycle,
};
use crate::{
    decoder::Decoder,
    flow::{Link, Negotiated, Progress, Settled, Timer, kept},
    packet::{Packet, Publish, PublishAck},
    time::Instant,
    types::{MaximumPacketSize, PacketId, PacketType, Role},
    wire::{LARGE_PAYLOAD, PropertyId},
};

impl Client {
    /// Takes whole packets until there are no more, or no room for what they say.
    pub(super) fn read_packets(&mut self, now: Instant, input: &mut BytesMut) -> Progress {
        loop {
            let (negotiated, is_congested) = match &self.lifecycle {
                // What answers a CONNECT waits until that is on its way: nothing may be sent before it [v5 and v311
                // MQTT-3.1.0-1].
                Lifecycle::Connecting(connecting) => {
                    (&connecting.offered, connecting.packet.is_some())
                }
                Lifecycle::Connected(link) => (link.negotiated(), link.is_congested()),
                Lifecycle::Idle | Lifecycle::Closed { .. } => return Progress::Done,
            };
            let decoder = self.decoder(negotiated);
            let len = match decoder.frame(input) {
                Ok(None) => return Progress::Done,
                Ok(Some(_)) if is_congested => return Progress::Congested,
                Ok(Some(_)) if self.is_full() => return Progress::Blocked,
                Ok(Some(len)) => len,
                Err(error) => {
                    self.fail(DisconnectCause::Malformed(error));
                    continue;
                }
            };
            let handled = if len >= LARGE_PAYLOAD {
                let frame = input.split_to(len).freeze();
                self.handle_frame(now, decoder, &frame, Some(&frame))
            } else {
                let bytes = input.get(..len).unwrap_or_default();
                let handled = self.handle_frame(now, decoder, bytes, None);
                input.advance(len);
                handled
            };
            if let Err(cause) = handled {
                self.fail(cause);
            }
        }
    }

    /// Whether the application has to take events before there can be more.
    fn is_full(&self) -> bool {
        self.events.len() >= self.limits.max_events.max(1)
            || self.events.bytes() > self.limits.max_event_bytes
    }

    fn decoder(&self, negotiated: &Negotiated) -> Decoder {
        Decoder {
            version: Some(negotiated.version),
            sender: Role::Server,
            maximum_packet_size: negotiated
                .own_maximum_packet_size
                .unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE),
            strict_text: self.limits.strict_text,
        }
    }

    fn handle_frame(
        &mut self,
        now: Instant,
        decoder: Decoder,
        bytes: &[u8],
        frame: Option<&Bytes>,
    ) -> Result<(), DisconnectCause> {
        let packet = decoder.decode(bytes).map_err(DisconnectCause::Malformed)?;
        match &mut self.lifecycle {
            Lifecycle::Connecting(connecting) => {
                let Packet::Connack(connack) = packet else {
                    return Err(ProtocolError::BeforeConnack(packet.packet_type()).into());
                };
                // It counts even if the rest of the CONNACK is refused [v5 MQTT-3.2.2-15].
                connecting.offered.peer_maximum_packet_size =
                    connack.properties.maximum_packet_size();
                let accepted = connect::accepted(connecting, &connack, &self.session)?;
                let resumes = connect::resumes(connecting, &accepted, &self.session);
                self.accept(now, accepted, resumes);
                Ok(())
            }
            Lifecycle::Connected(_) => self.handle_packet(&packet, frame),
            Lifecycle::Idle | Lifecycle::Closed { .. } => Ok(()),
        }
    }

    /// The server accepted: Connecting to Connected.
    fn accept(&mut self, now: Instant, info: ConnackInfo, resumes: bool) {
        self.timers.clear(Timer::Connect);
        self.keep_alive
            .start(now, info.negotiated.keep_alive, &mut self.timers);
        let epoch = self.session.next_epoch();
        let mut link = Link::new(
            Role::Client,
            info.negotiated,
            self.limits.acknowledge,
            self.limits.outgoing_topic_aliases,
            epoch,
        );
        self.session.establish(&info.client_id);
        self.events.push(Event::Connected(Box::new(info)));
        if resumes {
            link.resume(&mut self.session);
        } else {
            let events = &mut self.events;
            self.session
                .restart(self.limits.on_session_lost, |id, outcome| {
                    events.outcome(id, outcome)
                });
        }
        self.lifecycle.establish(link);
    }

    fn handle_packet(
        &mut self,
        packet: &Packet<'_>,
        frame: Option<&Bytes>,
    ) -> Result<(), DisconnectCause> {
        let Lifecycle::Connected(link) = &mut self.lifecycle else {
            return Ok(());
        };
        check_problem_information(link.negotiated(), packet)?;
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish, frame)?,
            Packet::Puback(ack) => self.handle_ack(PacketType::Puback, ack)?,
            Packet::Pubrec(ack) => self.handle_ack(PacketType::Pubrec, ack)?,
            Packet::Pubrel(ack) => self.handle_ack(PacketType::Pubrel, ack)?,
            Packet::Pubcomp(ack) => self.handle_ack(PacketType::Pubcomp, ack)?,
            Packet::Suback(suback) => {
                let answer = self.requests.handle_suback(suback)?;
                self.answered(suback.packet_id, answer);
            }
            Packet::Unsuback(unsuback) => {
                let has_reasons = link.negotiated().version.is_v5();
                let answer = self.requests.handle_unsuback(unsuback, has_reasons)?;
                self.answered(unsuback.packet_id, answer);
            }
            Packet::Pingresp => self.keep_alive.pingresp(&mut self.timers),
            Packet::Disconnect(disconnect) => {
                if disconnect
                    .properties
                    .contains(PropertyId::SessionExpiryInterval)
                {
                    return Err(ProtocolError::SessionExpiryInDisconnect.into());
                }
                let cause = DisconnectCause::Server {
                    reason: disconnect.reason,
                    properties: kept(disconnect.properties),
                };
                self.close(None, cause);
            }
            Packet::Connack(_) => return Err(ProtocolError::SecondConnack.into()),
            other => return Err(ProtocolError::UnexpectedPacket(other.packet_type()).into()),
        }
        Ok(())
    }

    fn handle_publish(
        &mut self,
        publish: &Publish<'_>,
        frame: Option<&Bytes>,
    ) -> Result<(), ProtocolError> {
        let Lifecycle::Connected(link) = &mut self.lifecycle else {
            return Ok(());
        };
        if let Some(received) = link.handle_publish(&mut self.session, publish, frame)? {
            self.events.push(Event::Message {
                message: received.message,
                token: received.token,
                dup: received.dup,
            });
        }
        Ok(())
    }

    fn handle_ack(
        &mut self,
        packet_type: PacketType,
        ack: &PublishAck<'_>,
    ) -> Result<(), ProtocolError> {
        let Lifecycle::Connected(link) = &mut self.lifecycle else {
            return Ok(());
        };
        match link.handle_ack(&mut self.session, packet_type, ack)? {
            Some(Settled::Received { id, reason }) => {
                self.events.push(Event::Progress { id, reason })
            }
            Some(Settled::Ended { id, outcome }) => self.events.outcome(id, outcome),
            None => {}
        }
        Ok(())
    }

    fn answered(&mut self, packet_id: PacketId, answer: Option<Event>) {
        if let Some(event) = answer {
            self.session.packet_ids.free(packet_id);
            self.events.push(event);
        }
    }
}
