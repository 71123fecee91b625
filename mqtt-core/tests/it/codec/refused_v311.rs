//! Packets that 3.1.1 and 3.1 forbid, each with one thing wrong and the rule it breaks. A receiver closes the connection
//! whatever the rule, so the Reason Code is not looked at.

use super::refused;

// CONNECT here is: 10 len, 00 04 "MQTT", 04, flags, 00 3C, 00 01 61 (Client Identifier "a"), ...
refused! {
    v311_mqtt_1_5_3_1_ill_formed_utf8: V3_1_1 Client [
        "30 06 00 03 ED A0 80 78", "30 05 00 02 C0 AF 78", "30 05 00 02 C0 80 78", "30 07 00 04 F4 90 80 80 78",
        "30 04 00 01 FF 78",
    ] => 0x81 "v311 MQTT-1.5.3-1";
    v311_mqtt_1_5_3_2_null_character: V3_1_1 Client [
        "30 04 00 01 00 78", "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 00", "82 06 00 01 00 01 00 00",
    ] => 0x81 "v311 MQTT-1.5.3-2";
    u_3_1_1_4_remaining_length_of_five_bytes: V3_1_1 Client ["30 FF FF FF FF 7F", "C0 80 80 80 80 01"]
        => 0x81 "v311 2.2.3";
    v311_packet_type_0_and_15: V3_1_1 Client ["00 00", "F0 00", "F0 06 18 04 15 00 01 6D"] => 0x81 "v311 2.2.1";
    v311_mqtt_2_2_2_2_flags_of_a_server: V3_1_1 Server ["21 02 00 00", "41 02 00 01", "94 03 00 01 00", "B8 02 00 01", "D1 00"]
        => 0x81 "v311 MQTT-2.2.2-2";
    v311_mqtt_2_2_2_2_flags_of_a_client: V3_1_1 Client [
        "11 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61", "C1 00", "51 02 00 01", "78 02 00 01",
    ] => 0x81 "v311 MQTT-2.2.2-2";
    v311_mqtt_3_6_1_1_flags_of_pubrel: V3_1_1 Client ["60 02 00 01", "63 02 00 01", "6A 02 00 01"]
        => 0x81 "v311 MQTT-3.6.1-1";
    v311_mqtt_3_8_1_1_flags_of_subscribe: V3_1_1 Client ["80 06 00 01 00 01 61 00", "83 06 00 01 00 01 61 00"]
        => 0x81 "v311 MQTT-3.8.1-1";
    v311_mqtt_3_10_1_1_flags_of_unsubscribe: V3_1_1 Client ["A0 05 00 01 00 01 61"] => 0x81 "v311 MQTT-3.10.1-1";
    v311_mqtt_3_14_1_1_flags_of_disconnect: V3_1_1 Client ["E1 00"] => 0x81 "v311 MQTT-3.14.1-1";
    v311_packets_that_a_server_does_not_send: V3_1_1 Server [
        "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61", "82 06 00 01 00 01 61 00", "A2 05 00 01 00 01 61", "C0 00", "E0 00",
    ] => 0x82 "v311 2.2.1";
    v311_packets_that_a_client_does_not_send: V3_1_1 Client ["20 02 00 00", "90 03 00 01 00", "B0 02 00 01", "D0 00"]
        => 0x82 "v311 2.2.1";
    v311_mqtt_2_3_1_1_packet_identifier_0: V3_1_1 Client [
        "82 06 00 00 00 01 61 00", "A2 05 00 00 00 01 61", "32 05 00 01 61 00 00", "34 05 00 01 61 00 00", "40 02 00 00",
        "50 02 00 00", "62 02 00 00", "70 02 00 00",
    ] => 0x81 "v311 MQTT-2.3.1-1";

    v311_mqtt_3_1_2_1_protocol_name: V3_1_1 Client [
        "10 0D 00 04 6D 71 74 74 04 02 00 3C 00 01 61", "10 0D 00 04 4D 51 54 58 04 02 00 3C 00 01 61",
    ] => 0x84 "v311 MQTT-3.1.2-1";
    v311_mqtt_3_1_2_2_protocol_level: V3_1_1 Client [
        "10 0D 00 04 4D 51 54 54 06 02 00 3C 00 01 61", "10 0D 00 04 4D 51 54 54 03 02 00 3C 00 01 61",
    ] => 0x84 "v311 MQTT-3.1.2-2";
    v311_mqtt_3_1_2_3_reserved_flag: V3_1_1 Client ["10 0D 00 04 4D 51 54 54 04 03 00 3C 00 01 61"]
        => 0x81 "v311 MQTT-3.1.2-3";
    v311_mqtt_3_1_2_9_will_flag_without_will: V3_1_1 Client [
        "10 0D 00 04 4D 51 54 54 04 06 00 3C 00 01 61", "10 10 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 74",
    ] => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_2_11_will_fields_without_will_flag: V3_1_1 Client [
        "10 13 00 04 4D 51 54 54 04 02 00 3C 00 01 61 00 01 74 00 01 6D",
    ] => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_2_13_will_qos_without_will: V3_1_1 Client [
        "10 0D 00 04 4D 51 54 54 04 0A 00 3C 00 01 61", "10 0D 00 04 4D 51 54 54 04 12 00 3C 00 01 61",
        "10 0D 00 04 4D 51 54 54 04 3A 00 3C 00 01 61",
    ] => 0x81 "v311 MQTT-3.1.2-11";
    v311_mqtt_3_1_2_14_will_qos_3: V3_1_1 Client ["10 13 00 04 4D 51 54 54 04 1E 00 3C 00 01 61 00 01 74 00 01 6D"]
        => 0x81 "v311 MQTT-3.1.2-14";
    v311_mqtt_3_1_2_15_will_retain_without_will: V3_1_1 Client ["10 0D 00 04 4D 51 54 54 04 22 00 3C 00 01 61"]
        => 0x81 "v311 MQTT-3.1.2-11";
    v311_mqtt_3_1_2_18_user_name_without_its_flag: V3_1_1 Client ["10 10 00 04 4D 51 54 54 04 02 00 3C 00 01 61 00 01 75"]
        => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_2_19_user_name_flag_without_user_name: V3_1_1 Client ["10 0D 00 04 4D 51 54 54 04 82 00 3C 00 01 61"]
        => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_2_20_password_without_its_flag: V3_1_1 Client [
        "10 13 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 01 75 00 01 70",
    ] => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_2_21_password_flag_without_password: V3_1_1 Client [
        "10 10 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 01 75",
    ] => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_2_22_password_without_user_name: V3_1_1 Client ["10 10 00 04 4D 51 54 54 04 42 00 3C 00 01 61 00 01 70"]
        => 0x81 "v311 MQTT-3.1.2-22";
    v311_mqtt_3_1_3_3_no_client_identifier: V3_1_1 Client ["10 0A 00 04 4D 51 54 54 04 02 00 3C"] => 0x81 "v311 2.2.3";
    v311_mqtt_3_1_3_4_client_identifier_is_utf8: V3_1_1 Client ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 FF"]
        => 0x81 "v311 MQTT-1.5.3-1";
    v311_mqtt_3_1_3_8_empty_client_identifier_without_clean_session: V3_1_1 Client ["10 0C 00 04 4D 51 54 54 04 00 00 3C 00 00"]
        => 0x85 "v311 MQTT-3.1.3-8";
    v311_mqtt_3_1_3_10_will_topic_is_utf8: V3_1_1 Client ["10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 FF 00 01 6D"]
        => 0x81 "v311 MQTT-1.5.3-1";
    v311_will_topic_with_wildcard: V3_1_1 Client ["10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 2B 00 01 6D"]
        => 0x81 "v311 MQTT-4.7.1-1";
    v311_mqtt_3_1_3_11_user_name_is_utf8: V3_1_1 Client ["10 10 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 01 FF"]
        => 0x81 "v311 MQTT-1.5.3-1";
    v311_mqtt_3_1_4_1_connect_that_ends_early: V3_1_1 Client [
        "10 00", "10 07 00 04 4D 51 54 54 04", "10 08 00 04 4D 51 54 54 04 02", "10 0C 00 04 4D 51 54 54 04 02 00 3C 00 01",
    ] => 0x81 "v311 2.2.3";

    v311_connack_reserved_flags: V3_1_1 Server ["20 02 02 00", "20 02 80 00"] => 0x81 "v311 3.2.2.1";
    v311_mqtt_3_2_2_4_session_present_in_a_refusal: V3_1_1 Server ["20 02 01 05"] => 0x82 "v311 MQTT-3.2.2-4";
    v311_mqtt_3_2_2_6_reserved_return_codes: V3_1_1 Server ["20 02 00 06", "20 02 00 80", "20 02 00 FF"]
        => 0x82 "v311 MQTT-3.2.2-6";
    v311_connack_of_a_wrong_size: V3_1_1 Server ["20 00", "20 01 00", "20 03 00 00 00"] => 0x81 "v311 2.2.3";

    v311_mqtt_3_3_1_2_dup_at_qos_0: V3_1_1 Client ["38 03 00 01 61", "39 03 00 01 61"] => 0x81 "v311 MQTT-3.3.1-2";
    v311_mqtt_3_3_1_4_both_qos_bits_set: V3_1_1 Client [
        "36 05 00 01 61 00 01", "37 05 00 01 61 00 01", "3E 05 00 01 61 00 01", "3F 05 00 01 61 00 01",
    ] => 0x81 "v311 MQTT-3.3.1-4";
    v311_mqtt_3_3_2_1_topic_name_past_the_end: V3_1_1 Client ["30 02 00 05", "30 00", "30 01 00"] => 0x81 "v311 2.2.3";
    v311_mqtt_3_3_2_2_wildcard_in_topic_name: V3_1_1 Client ["30 05 00 03 61 2F 23", "30 05 00 03 61 2F 2B"]
        => 0x81 "v311 MQTT-4.7.1-1";
    v311_mqtt_4_7_3_1_empty_topic_name: V3_1_1 Client ["30 02 00 00", "32 04 00 00 00 01"] => 0x81 "v311 MQTT-4.7.3-1";
    v311_publish_without_packet_identifier: V3_1_1 Client ["32 03 00 01 61", "34 04 00 01 61 00"] => 0x81 "v311 2.2.3";
    v311_acknowledgement_of_a_wrong_size: V3_1_1 Client [
        "40 00", "40 01 00", "40 03 00 01 00", "50 04 00 01 00 00", "62 03 00 01 00", "70 03 00 01 00",
    ] => 0x81 "v311 2.2.3";

    v311_mqtt_3_8_3_1_topic_filter_is_utf8: V3_1_1 Client ["82 06 00 01 00 01 FF 00"] => 0x81 "v311 MQTT-1.5.3-1";
    v311_mqtt_3_8_3_3_no_topic_filter: V3_1_1 Client ["82 02 00 01"] => 0x82 "v311 MQTT-3.8.3-3";
    v311_mqtt_3_8_3_4_requested_qos: V3_1_1 Client [
        "82 06 00 01 00 01 61 03", "82 06 00 01 00 01 61 04", "82 06 00 01 00 01 61 10", "82 06 00 01 00 01 61 80",
    ] => 0x81 "v311 MQTT-3.8.3-4";
    v311_subscribe_that_ends_early: V3_1_1 Client ["82 05 00 01 00 01 61", "82 03 00 01 00", "82 05 00 01 00 02 61"]
        => 0x81 "v311 2.2.3";
    v311_mqtt_4_7_1_2_multi_level_wildcard: V3_1_1 Client [
        "82 07 00 01 00 02 61 23 00", "82 0A 00 01 00 05 61 2F 23 2F 62 00", "82 07 00 01 00 02 23 23 00",
        "A2 07 00 01 00 03 23 2F 61",
    ] => 0x81 "v311 MQTT-4.7.1-2";
    v311_mqtt_4_7_1_3_single_level_wildcard: V3_1_1 Client ["82 07 00 01 00 02 61 2B 00", "A2 06 00 01 00 02 2B 61"]
        => 0x81 "v311 MQTT-4.7.1-3";
    v311_mqtt_4_7_3_1_empty_topic_filter: V3_1_1 Client ["82 05 00 01 00 00 00", "A2 04 00 01 00 00"]
        => 0x81 "v311 MQTT-4.7.3-1";
    v311_mqtt_4_7_3_2_null_in_topics: V3_1_1 Client ["82 06 00 01 00 01 00 00", "30 05 00 03 61 00 62"]
        => 0x81 "v311 MQTT-1.5.3-2";
    v311_mqtt_3_9_3_2_suback_codes: V3_1_1 Server ["90 03 00 01 03", "90 03 00 01 81", "90 04 00 01 00 87"]
        => 0x82 "v311 MQTT-3.9.3-2";
    v311_suback_without_codes: V3_1_1 Server ["90 02 00 01"] => 0x81 "v311 MQTT-3.9.3-1";
    v311_mqtt_3_10_3_1_topic_filter_is_utf8: V3_1_1 Client ["A2 05 00 01 00 01 FF"] => 0x81 "v311 MQTT-1.5.3-1";
    v311_mqtt_3_10_3_2_no_topic_filter: V3_1_1 Client ["A2 02 00 01"] => 0x82 "v311 MQTT-3.10.3-2";
    v311_unsuback_of_a_wrong_size: V3_1_1 Server ["B0 00", "B0 03 00 01 00"] => 0x81 "v311 2.2.3";
    v311_ping_with_a_body: V3_1_1 Client ["C0 01 00"] => 0x81 "v311 2.2.3";
    v311_ping_response_with_a_body: V3_1_1 Server ["D0 01 00"] => 0x81 "v311 2.2.3";
    v311_disconnect_with_a_body: V3_1_1 Client ["E0 01 00"] => 0x81 "v311 2.2.3";

    v31_both_qos_bits_set: V3_1 Client ["36 05 00 01 61 00 01"] => 0x81 "v311 MQTT-3.3.1-4";
    v31_empty_client_identifier: V3_1 Client ["10 0E 00 06 4D 51 49 73 64 70 03 02 00 3C 00 00"] => 0x85 "v311 MQTT-3.1.3-8";
    v31_password_without_user_name: V3_1 Client ["10 12 00 06 4D 51 49 73 64 70 03 42 00 3C 00 01 61 00 01 70"]
        => 0x81 "v311 MQTT-3.1.2-22";
    v31_will_qos_without_will: V3_1 Client ["10 0F 00 06 4D 51 49 73 64 70 03 0A 00 3C 00 01 61"]
        => 0x81 "v311 MQTT-3.1.2-11";
    v31_will_flag_without_will: V3_1 Client ["10 0F 00 06 4D 51 49 73 64 70 03 06 00 3C 00 01 61"] => 0x81 "v311 2.2.3";
    v31_suback_failure: V3_1 Server ["90 03 00 01 80"] => 0x82 "v311 MQTT-3.9.3-2";
    v31_auth: V3_1 Server ["F0 00"] => 0x81 "v311 2.2.1";
}
