//! What is printed for lines written by hand from the standard.

use clap::{CommandFactory as _, Parser as _};

use super::{Arguments, run};

fn arguments(options: &str) -> Arguments {
    Arguments::try_parse_from(["inspect"].into_iter().chain(options.split_whitespace())).unwrap()
}

/// Asserts what one line becomes under these options.
#[track_caller]
fn prints(options: &str, line: &str, expected: &str) {
    let mut output = Vec::new();
    run(&arguments(options), line.as_bytes(), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    assert_eq!(output.trim_end(), expected, "{line}");
}

/// Asserts what the one packet in a line is shown as, and whether it is written as it was read.
#[track_caller]
fn shows(options: &str, line: &str, packet: &str, same_bytes: bool) {
    let expected =
        format!(r#"{{"ok":true,"packets":[{packet}],"rest":0,"same_bytes":{same_bytes}}}"#);
    prints(options, line, &expected);
}

const V31_CLIENT: &str = "--version 3 --from client";
const V311_CLIENT: &str = "--version 4 --from client";
const V311_SERVER: &str = "--version 4 --from server";
const V5_CLIENT: &str = "--version 5 --from client";
const V5_SERVER: &str = "--version 5 --from server";

#[test]
fn connect_of_every_version() {
    shows(
        V31_CLIENT,
        "10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61",
        r#"{"type":"connect","version":3,"clean_start":true,"keep_alive":60,"client_id":"a","will":null,"username":null,"password":null,"properties":[]}"#,
        true,
    );
    // Flags: user name, password, Will Retain, Will QoS 1, Will.
    shows(
        V311_CLIENT,
        "10 19 00 04 4D 51 54 54 04 EC FF FF 00 01 61 00 01 74 00 01 6D 00 01 75 00 01 FF",
        r#"{"type":"connect","version":4,"clean_start":false,"keep_alive":65535,"client_id":"a","will":{"topic":"t","payload":"6d","qos":1,"retain":true,"properties":[]},"username":"u","password":"ff","properties":[]}"#,
        true,
    );
    // Session Expiry Interval 60; Will Delay Interval 10. The version is that of the CONNECT.
    shows(
        V311_CLIENT,
        "10 1F 00 04 4D 51 54 54 05 06 00 00 05 11 00 00 00 3C 00 01 61 05 18 00 00 00 0A 00 01 74 00 01 6D",
        r#"{"type":"connect","version":5,"clean_start":true,"keep_alive":0,"client_id":"a","will":{"topic":"t","payload":"6d","qos":0,"retain":false,"properties":[["will_delay_interval",10]]},"username":null,"password":null,"properties":[["session_expiry_interval",60]]}"#,
        true,
    );
}

#[test]
fn connack() {
    shows(
        V311_SERVER,
        "20 02 01 00",
        r#"{"type":"connack","session_present":true,"reason":0,"properties":[]}"#,
        true,
    );
    // Every property but the Authentication Data that a CONNACK can have.
    shows(
        V5_SERVER,
        "20 3B 00 00 38 11 00 00 00 3C 21 00 0A 24 01 25 01 27 00 00 10 00 12 00 01 69 22 00 0A 1F 00 01 72 \
         26 00 01 61 00 01 62 28 01 29 00 2A 01 13 00 1E 1A 00 01 2F 1C 00 01 73 15 00 01 6D",
        r#"{"type":"connack","session_present":false,"reason":0,"properties":[["session_expiry_interval",60],["receive_maximum",10],["maximum_qos",1],["retain_available",true],["maximum_packet_size",4096],["assigned_client_identifier","i"],["topic_alias_maximum",10],["reason_string","r"],["user_property",["a","b"]],["wildcard_subscription_available",true],["subscription_identifier_available",false],["shared_subscription_available",true],["server_keep_alive",30],["response_information","/"],["server_reference","s"],["authentication_method","m"]]}"#,
        true,
    );
}

#[test]
fn publish() {
    shows(
        V5_SERVER,
        "30 2C 00 00 28 01 00 02 FF FF FF FF 03 00 01 63 08 00 03 72 2F 73 09 00 02 FF 00 23 01 02 0B FF FF FF 7F \
         0B 80 01 26 00 01 6E 00 01 76 78",
        r#"{"type":"publish","dup":false,"retain":false,"qos":0,"packet_id":null,"topic":null,"payload":"78","properties":[["payload_format_indicator",0],["message_expiry_interval",4294967295],["content_type","c"],["response_topic","r/s"],["correlation_data","ff00"],["topic_alias",258],["subscription_identifier",268435455],["subscription_identifier",128],["user_property",["n","v"]]]}"#,
        true,
    );
    shows(
        V31_CLIENT,
        "3D 06 00 01 61 FF FF 00",
        r#"{"type":"publish","dup":true,"retain":true,"qos":2,"packet_id":65535,"topic":"a","payload":"00","properties":[]}"#,
        true,
    );
}

#[test]
fn acknowledgements() {
    for (first, name) in [
        ("40", "puback"),
        ("50", "pubrec"),
        ("62", "pubrel"),
        ("70", "pubcomp"),
    ] {
        let packet = |properties| {
            format!(r#"{{"type":"{name}","packet_id":10,"reason":0,"properties":[{properties}]}}"#)
        };
        shows(V311_CLIENT, &format!("{first}02000A"), &packet(""), true);
        // The long form, which is not the one that is written.
        shows(
            V5_CLIENT,
            &format!("{first} 04 00 0A 00 00"),
            &packet(""),
            false,
        );
        let with_reason = format!("{first} 08 00 0A 00 04 1F 00 01 72");
        shows(
            V5_CLIENT,
            &with_reason,
            &packet(r#"["reason_string","r"]"#),
            true,
        );
    }
}

#[test]
fn requests_and_their_answers() {
    shows(
        V5_CLIENT,
        "82 10 00 01 03 0B C1 02 00 03 61 2F 2B 2E 00 01 2F 10",
        r#"{"type":"subscribe","packet_id":1,"filters":[{"filter":"a/+","qos":2,"no_local":true,"retain_as_published":true,"retain_handling":2},{"filter":"/","qos":0,"no_local":false,"retain_as_published":false,"retain_handling":1}],"properties":[["subscription_identifier",321]]}"#,
        true,
    );
    shows(
        V5_SERVER,
        "90 05 00 01 00 02 87",
        r#"{"type":"suback","packet_id":1,"reasons":[2,135],"properties":[]}"#,
        true,
    );
    shows(
        V311_CLIENT,
        "A2 0A 00 01 00 01 61 00 03 62 2F 23",
        r#"{"type":"unsubscribe","packet_id":1,"filters":["a","b/#"],"properties":[]}"#,
        true,
    );
    shows(
        V5_SERVER,
        "B0 05 00 01 00 00 11",
        r#"{"type":"unsuback","packet_id":1,"reasons":[0,17],"properties":[]}"#,
        true,
    );
}

#[test]
fn pings_disconnect_and_auth() {
    shows(V31_CLIENT, "C0 00", r#"{"type":"pingreq"}"#, true);
    shows(V5_SERVER, "D0 00", r#"{"type":"pingresp"}"#, true);
    shows(
        V5_SERVER,
        "E0 08 9D 06 1C 00 03 68 3A 31",
        r#"{"type":"disconnect","reason":157,"properties":[["server_reference","h:1"]]}"#,
        true,
    );
    shows(
        V5_CLIENT,
        "F0 0A 18 08 15 00 01 6D 16 00 01 64",
        r#"{"type":"auth","reason":24,"properties":[["authentication_method","m"],["authentication_data","64"]]}"#,
        true,
    );
    // Can be received, but never sent.
    shows(
        V5_SERVER,
        "F0 00",
        r#"{"type":"auth","reason":0,"properties":[]}"#,
        false,
    );
}

#[test]
fn several_packets_and_a_part_of_one() {
    prints(
        V5_CLIENT,
        "c000 e000 82",
        r#"{"ok":true,"packets":[{"type":"pingreq"},{"type":"disconnect","reason":0,"properties":[]}],"rest":1,"same_bytes":true}"#,
    );
    prints(
        V5_CLIENT,
        "30 05 00",
        r#"{"ok":true,"packets":[],"rest":3}"#,
    );
    prints(V5_CLIENT, "\n", r#"{"ok":true,"packets":[],"rest":0}"#);
    // The version that a CONNECT brings holds for what comes behind it: only in 5.0 a DISCONNECT has a body.
    prints(
        V311_CLIENT,
        "10 0D 00 04 4D 51 54 54 05 02 00 3C 00 00 00 E0 01 04",
        r#"{"ok":true,"packets":[{"type":"connect","version":5,"clean_start":true,"keep_alive":60,"client_id":"","will":null,"username":null,"password":null,"properties":[]},{"type":"disconnect","reason":4,"properties":[]}],"rest":0,"same_bytes":true}"#,
    );
}

#[test]
fn a_refusal_has_a_rule_and_what_to_answer() {
    for (options, line, error, rule, answer) in [
        (
            V5_CLIENT,
            "36 06 00 01 61 00 01 00",
            "PUBLISH with both QoS bits set",
            "v5 MQTT-3.3.1-4",
            "129",
        ),
        (
            V311_CLIENT,
            "36 05 00 01 61 00 01",
            "PUBLISH with both QoS bits set",
            "v311 MQTT-3.3.1-4",
            "null",
        ),
        (
            V5_CLIENT,
            "C0 00 30 06 00 03 61 2F 23 00",
            "invalid topic name: topic name contains a wildcard",
            "v5 MQTT-4.7.0-1",
            "129",
        ),
        (
            V5_SERVER,
            "30 07 00 01 61 03 23 00 00",
            "topic alias is zero",
            "v5 MQTT-3.3.2-8",
            "148",
        ),
        // A version that there is not is no malformed packet, and has an answer in every version.
        (
            V5_CLIENT,
            "10 0E 00 04 4D 51 54 54 06 02 00 3C 00 00 01 61",
            "unsupported protocol version 6",
            "v5 MQTT-3.1.2-2",
            "132",
        ),
        (
            V311_CLIENT,
            "10 0E 00 04 4D 51 54 54 06 02 00 3C 00 00 01 61",
            "unsupported protocol version 6",
            "v311 MQTT-3.1.2-2",
            "1",
        ),
        // A CONNECT is judged by its own version.
        (
            V5_CLIENT,
            "10 0C 00 04 4D 51 54 54 04 00 00 3C 00 00",
            "empty client identifier",
            "v311 MQTT-3.1.3-8",
            "2",
        ),
    ] {
        let expected =
            format!(r#"{{"ok":false,"error":"{error}","rule":"{rule}","reason_code":{answer}}}"#);
        prints(options, line, &expected);
    }
}

#[test]
fn options_of_the_receiver() {
    prints(
        "--version 5 --from client --max-packet 10",
        "30 09",
        r#"{"ok":false,"error":"packet of 11 bytes is larger than the limit of 10","rule":"v5 3.1.2.11.4","reason_code":149}"#,
    );
    prints(
        "--version 5 --from client --strict-text",
        "30 04 00 01 01 00",
        r#"{"ok":false,"error":"string contains a control character or a non-character","rule":"v5 1.5.4","reason_code":129}"#,
    );
}

#[test]
fn a_line_that_is_not_hexadecimal_ends_nothing() {
    let mut output = Vec::new();
    run(
        &arguments(V5_CLIENT),
        &b"C0 0\nC0 0x\r\n\xFF\xFF\nC0 00\r\n"[..],
        &mut output,
    )
    .unwrap();
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<_> = output.lines().collect();
    let [odd, letter, binary, ping] = *lines else {
        panic!("{output}")
    };
    for (line, why) in [
        (odd, "Odd number of digits"),
        (letter, "Invalid character 'x'"),
        (binary, "Invalid character"),
    ] {
        assert!(
            line.starts_with(&format!(r#"{{"ok":false,"error":"not hexadecimal: {why}"#)),
            "{line}"
        );
        assert!(
            line.ends_with(r#""rule":null,"reason_code":null}"#),
            "{line}"
        );
    }
    assert!(ping.starts_with(r#"{"ok":true"#), "{ping}");
}

#[test]
fn arguments_are_checked() {
    Arguments::command().debug_assert();
    for options in [
        "--from client",
        "--version 5",
        "--version 6 --from client",
        "--version 5 --from broker",
        "--version 5 --from client --max-packet 0",
    ] {
        let arguments = ["inspect"].into_iter().chain(options.split_whitespace());
        assert!(Arguments::try_parse_from(arguments).is_err(), "{options}");
    }
}
