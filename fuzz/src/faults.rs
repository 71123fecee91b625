//! Bytes that other MQTT code crashed on, ran out of memory on, or let through, and what our decoder answers.
//!
//! Each is a seed of its name. The bytes are written anew: from what was published about the fault, and where that was
//! no more than the function that failed, as a packet of the kind that reaches it.

use std::{fs, path::Path};

use mqtt_core::{
    DEFAULT_MAX_LEVELS, Decoder, Packet, ProtocolVersion, ReasonCode, Role, TopicTrie,
    TopicTrieError,
};

use crate::setting;

enum Answer {
    Accepted,
    /// More bytes are needed.
    Incomplete,
    /// Refused for breaking this rule, with this answer if there is one.
    Refused(&'static str, Option<ReasonCode>),
}

use Answer::{Accepted, Incomplete, Refused};

const MALFORMED: Option<ReasonCode> = Some(ReasonCode::MALFORMED_PACKET);
const PROTOCOL_ERROR: Option<ReasonCode> = Some(ReasonCode::PROTOCOL_ERROR);

/// The first byte of a seed, see `setting`: what is decoded, and from whom.
const FIRST_PACKET: &str = "00";
const V311_FROM_CLIENT: &str = "02";
const V5_FROM_CLIENT: &str = "03";
const V311_FROM_SERVER: &str = "06";
const V5_FROM_SERVER: &str = "07";
const FIRST_PACKET_OF_64_BYTES: &str = "10";

/// Name, setting, bytes as hexadecimal digits and quoted text, answer.
const FAULTS: [(&str, &str, &str, Answer); 29] = [
    // MQTT-C: the topic's length is not compared with the packet's.
    (
        "cve_2026_54412_topic_past_the_end",
        V311_FROM_SERVER,
        "30 04  FFFF 'ab'",
        Refused("v311 2.2.3", None),
    ),
    // NanoMQ: a fifth byte of Remaining Length.
    (
        "cve_2026_21888_five_byte_length",
        FIRST_PACKET,
        "10 FFFFFFFF01",
        Refused("v5 1.5.5", MALFORMED),
    ),
    // NanoMQ: a WebSocket message that ends before the packet.
    (
        "cve_2026_25627_short_body",
        V5_FROM_CLIENT,
        "30 20  0001 'a' 00",
        Incomplete,
    ),
    // NanoMQ: properties of CONNECT said to go on past the end.
    (
        "nanomq_1042_connect_properties_past_the_end",
        FIRST_PACKET,
        "10 0E  0004 'MQTT' 05 02 003C  7F  0001 'a'",
        Refused("v5 2.1.4", MALFORMED),
    ),
    // NanoMQ: a user name longer than what is left.
    (
        "nanomq_1043_string_past_the_end",
        FIRST_PACKET,
        "10 10  0004 'MQTT' 04 82 003C  0001 'a'  0100 'u'",
        Refused("v5 2.1.4", MALFORMED),
    ),
    // NanoMQ: a Will announced and not there.
    (
        "nanomq_1169_connect_without_its_will",
        FIRST_PACKET,
        "10 0E  0004 'MQTT' 05 06 003C  00  0001 'a'",
        Refused("v5 2.1.4", MALFORMED),
    ),
    // NanoMQ: CONNECT that ends after the protocol name.
    (
        "nanomq_1181_connect_cut_short",
        FIRST_PACKET,
        "10 06  0004 'MQTT'",
        Refused("v5 2.1.4", MALFORMED),
    ),
    // NanoMQ: a property's identifier and no value.
    (
        "nanomq_1722_property_without_value",
        V5_FROM_CLIENT,
        "30 05  0001 'a'  01 01",
        Refused("v5 2.1.4", MALFORMED),
    ),
    // NanoMQ: QoS 1 without a Packet Identifier.
    (
        "nanomq_2270_publish_without_packet_id",
        V311_FROM_CLIENT,
        "32 03  0001 'a'",
        Refused("v311 2.2.3", None),
    ),
    // Mosquitto's library: SUBACK without codes, in either version.
    (
        "cve_2024_10525_suback_without_codes_v311",
        V311_FROM_SERVER,
        "90 02  0001",
        Refused("v311 MQTT-3.9.3-1", None),
    ),
    (
        "cve_2024_10525_suback_without_codes_v5",
        V5_FROM_SERVER,
        "90 03  0001 00",
        Refused("v5 MQTT-3.9.3-1", PROTOCOL_ERROR),
    ),
    // Mosquitto: memory for a large packet that is no CONNECT.
    (
        "cve_2023_0809_large_publish_first",
        FIRST_PACKET,
        "30 FFFFFF7F",
        Refused("v5 MQTT-3.1.0-1", PROTOCOL_ERROR),
    ),
    // Mosquitto: a Will with a property that it may not have, Topic Alias.
    (
        "cve_2023_3592_will_property",
        FIRST_PACKET,
        "10 17  0004 'MQTT' 05 06 003C  00  0001 'a'  03 230001  0001 'w'  0000",
        Refused("v5 2.2.2.2", MALFORMED),
    ),
    // Mosquitto: QoS 2 identifiers that are never released. One is legal; the server bounds how many.
    (
        "cve_2023_28366_qos_2",
        V5_FROM_CLIENT,
        "34 06  0001 'a'  0001  00",
        Accepted,
    ),
    // Mosquitto: an empty topic.
    (
        "cve_2021_34432_empty_topic",
        V311_FROM_CLIENT,
        "30 02  0000",
        Refused("v311 MQTT-4.7.3-1", None),
    ),
    // Mosquitto: CONNACK from a client.
    (
        "cve_2021_28166_connack_from_client",
        V311_FROM_CLIENT,
        "20 02  0000",
        Refused("v311 2.2.1", None),
    ),
    // Mosquitto: a filter of nothing but slashes is legal. See the test below for one of full length.
    (
        "cve_2019_11779_slashes",
        V311_FROM_CLIENT,
        "82 0F  0001  000A '//////////' 00",
        Accepted,
    ),
    // Mosquitto: a topic that begins with a dollar sign and is not $SYS.
    (
        "cve_2018_12543_dollar_topic",
        V311_FROM_CLIENT,
        "30 04  0002 '$x'",
        Accepted,
    ),
    // Mosquitto: memory for a CONNECT of 256 MiB from anybody.
    (
        "cve_2017_7651_huge_connect",
        FIRST_PACKET_OF_64_BYTES,
        "10 FFFFFF7F",
        Refused("v5 3.1.2.11.4", Some(ReasonCode::PACKET_TOO_LARGE)),
    ),
    // Mongoose: a Remaining Length that wraps.
    (
        "cve_2019_19307_length_wraps",
        V311_FROM_SERVER,
        "30 FFFFFFFF0F  0001 'a'",
        Refused("v311 2.2.3", None),
    ),
    // Mbed's MQTT: the topic is longer than the packet.
    (
        "cve_2019_17210_topic_of_nothing",
        V311_FROM_SERVER,
        "32 02  0005",
        Refused("v311 2.2.3", None),
    ),
    // wolfMQTT: CONNACK and a length that are not all there.
    (
        "wolfmqtt_545_connack_cut_short",
        V311_FROM_SERVER,
        "20 01  00",
        Refused("v311 2.2.3", None),
    ),
    (
        "wolfmqtt_545_length_cut_short",
        V311_FROM_SERVER,
        "70 80",
        Incomplete,
    ),
    // esp-mqtt: a length that is shifted further than its type is wide.
    (
        "esp_mqtt_322_length_without_end",
        V311_FROM_SERVER,
        "30 FBFFFFFFFF",
        Refused("v311 2.2.3", None),
    ),
    // Paho: properties of CONNACK said to go on past the end, and a Property Length that does.
    (
        "paho_mqtt_c_986_properties_past_the_end",
        V5_FROM_SERVER,
        "20 0B  00 00  80FFFF0A  27 00989680",
        Refused("v5 2.1.4", MALFORMED),
    ),
    (
        "paho_mqtt_c_1692_property_length_cut_short",
        V5_FROM_SERVER,
        "20 03  00 00  80",
        Refused("v5 2.1.4", MALFORMED),
    ),
    // Contiki-NG: a topic longer than its buffer, and than the packet.
    (
        "contiki_ng_600_topic_past_the_end",
        V311_FROM_SERVER,
        "30 05  0100 'abc'",
        Refused("v311 2.2.3", None),
    ),
    // Azure's C library: more bytes of length than it has room for.
    (
        "azure_umqtt_c_97_length_without_end",
        V311_FROM_SERVER,
        "20 FFFFFFFFFF",
        Refused("v311 2.2.3", None),
    ),
    // sol: PUBACK where CONNECT has to be.
    (
        "sol_15_puback_first",
        FIRST_PACKET,
        "40 02  0001",
        Refused("v5 MQTT-3.1.0-1", PROTOCOL_ERROR),
    ),
];

fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend(part.bytes());
            continue;
        }
        let digits: Vec<_> = part
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .collect();
        bytes.extend(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8));
    }
    bytes
}

#[test]
fn faults_of_other_code_are_answered_by_rule() {
    for (name, setting, packet, answer) in &FAULTS {
        let written = bytes(&format!("{setting} {packet}"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds/decode_packet")
            .join(name);
        assert_eq!(
            fs::read(&path).ok(),
            Some(written.clone()),
            "the seed {name}"
        );

        let mut data = &written[..];
        let mut decoder = setting::decoder(&mut data).expect("it has a setting");
        let version = decoder.version.unwrap_or(ProtocolVersion::V5);
        match (decoder.next(data), answer) {
            (Ok(Some((_, len))), Accepted) => assert_eq!(len, data.len(), "{name}"),
            (Ok(None), Incomplete) => {}
            (Err(error), Refused(rule, reason)) => {
                assert_eq!(
                    (error.rule(version), error.answer(version)),
                    (*rule, *reason),
                    "{name}"
                );
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}

/// Mosquitto followed each slash with a call of its own, to the end of its stack.
#[test]
fn cve_2019_11779_a_filter_of_65_400_slashes_is_legal_and_too_deep_to_keep() {
    let mut packet = bytes("82 FDFE03  0001  FF78");
    packet.extend([b'/'; 65_400]);
    packet.push(0);
    let decoder = Decoder::new(Some(ProtocolVersion::V3_1_1), Role::Client);
    let Ok(Packet::Subscribe(subscribe)) = decoder.decode(&packet) else {
        panic!("{:?}", decoder.decode(&packet));
    };
    let (filter, _) = subscribe.filters.iter().next().expect("it has one");
    let mut trie = TopicTrie::new();
    let limit = DEFAULT_MAX_LEVELS;
    let refused = Err(TopicTrieError::TooManyLevels { limit });
    assert_eq!(trie.insert(filter, "client", ()), refused);
}
