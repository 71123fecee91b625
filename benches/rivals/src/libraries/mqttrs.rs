//! mqttrs: 3.1.1 only, borrowed but for Topic Filters.

use mqtt_core::ProtocolVersion;
use mqttrs::{
    Connect, LastWill, Packet, Pid, Protocol, Publish, QoS, QosPid, Subscribe, SubscribeTopic,
};

use crate::{
    library::Library,
    packets::{Case, Source},
    visit::Visit,
};

/// Its only codec.
pub struct Mqttrs;

#[derive(Default)]
pub struct Input {
    bytes: Vec<u8>,
    read: usize,
}

/// It writes into a slice that must be large enough.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Library for Mqttrs {
    const NAME: &'static str = "mqttrs 0.4.1";
    const MQTT: ProtocolVersion = ProtocolVersion::V3_1_1;

    type Input = Input;
    type Packet<'a> = Packet<'a>;
    type Output = Output;

    #[inline(always)]
    fn receive(input: &mut Input, bytes: &[u8]) {
        input.bytes.clear();
        input.read = 0;
        input.bytes.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn decode(input: &mut Input, visit: &mut impl Visit) -> Result<(), String> {
        let found = mqttrs::decode_slice(&input.bytes[input.read..]);
        match found
            .map_err(|error| format!("{error:?}"))?
            .ok_or("incomplete")?
        {
            Packet::Publish(publish) => {
                visit.flag("dup", publish.dup);
                visit.number("qos", publish.qospid.qos() as u32);
                visit.flag("retain", publish.retain);
                visit.text("topic", publish.topic_name);
                visit.number("packet id", publish.qospid.pid().map_or(0, Pid::get).into());
                visit.bytes("payload", publish.payload);
            }
            Packet::Subscribe(subscribe) => {
                visit.number("packet id", subscribe.pid.get().into());
                for topic in &subscribe.topics {
                    visit.text("filter", &topic.topic_path);
                    visit.number("qos", topic.qos as u32);
                }
            }
            Packet::Connect(connect) => {
                visit.flag("clean start", connect.clean_session);
                visit.number("keep alive", connect.keep_alive.into());
                visit.text("client id", connect.client_id);
                if let Some(will) = &connect.last_will {
                    visit.text("will topic", will.topic);
                    visit.bytes("will payload", will.message);
                    visit.number("will qos", will.qos as u32);
                    visit.flag("will retain", will.retain);
                }
                if let Some(username) = connect.username {
                    visit.text("user name", username);
                }
                if let Some(password) = connect.password {
                    visit.bytes("password", password);
                }
            }
            Packet::Puback(pid) => {
                visit.number("packet id", pid.get().into());
                // It does not say where the packet ended. The others stand alone.
                input.read += 4;
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(always)]
    fn build<R>(source: &Source, run: impl FnOnce(&Packet<'_>) -> R) -> R {
        let pid = Pid::try_from(source.packet_id).expect("not 0");
        run(&match source.case {
            Case::Subscribe => Packet::Subscribe(Subscribe {
                pid,
                topics: source
                    .filters
                    .iter()
                    .map(|filter| SubscribeTopic {
                        topic_path: (*filter).to_owned(),
                        qos: QoS::AtLeastOnce,
                    })
                    .collect(),
            }),
            Case::Connect => Packet::Connect(Connect {
                protocol: Protocol::MQTT311,
                keep_alive: source.keep_alive,
                client_id: source.client_id,
                clean_session: true,
                last_will: Some(LastWill {
                    topic: source.will_topic,
                    message: &source.will_payload,
                    qos: QoS::AtLeastOnce,
                    retain: true,
                }),
                username: Some(source.user_name),
                password: Some(source.password.as_bytes()),
            }),
            Case::Puback => Packet::Puback(pid),
            _ => Packet::Publish(Publish {
                dup: false,
                qospid: if source.at_least_once() {
                    QosPid::AtLeastOnce(pid)
                } else {
                    QosPid::AtMostOnce
                },
                retain: false,
                topic_name: source.topic,
                payload: &source.payload,
            }),
        })
    }

    #[inline(always)]
    fn encode(packet: &Packet<'_>, output: &mut Output) -> Result<(), String> {
        let place = &mut output.bytes[output.written..];
        output.written +=
            mqttrs::encode_slice(packet, place).map_err(|error| format!("{error:?}"))?;
        Ok(())
    }

    #[inline(always)]
    fn clear(output: &mut Output) {
        if output.bytes.is_empty() {
            output.bytes.resize(2 * 1024 * 1024, 0);
        }
        output.written = 0;
    }

    fn written(output: &Output) -> Vec<u8> {
        output.bytes[..output.written].to_vec()
    }
}
