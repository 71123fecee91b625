//! Packets that 5.0 forbids, each with one thing wrong, the Reason Code that answers it and the rule it breaks.

use super::refused;

// CONNECT here is: 10 len, 00 04 "MQTT", 05, flags, 00 3C, properties, 00 01 61 (Client Identifier "a"), ...
refused! {
    // Strings
    v5_mqtt_1_5_4_1_ill_formed_topic_name: V5 Client [
        "30 07 00 03 ED A0 80 00 78", "30 07 00 03 ED BF BF 00 78", "30 06 00 02 C0 AF 00 78", "30 06 00 02 C0 80 00 78",
        "30 07 00 03 E0 80 AF 00 78", "30 08 00 04 F4 90 80 80 00 78", "30 05 00 01 FE 00 78", "30 05 00 01 80 00 78",
        "30 05 00 01 C3 00 78",
    ] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_1_5_4_1_ill_formed_property: V5 Server [
        "20 08 00 87 05 1F 00 02 C0 80", "E0 07 81 05 1F 00 02 ED A0",
    ] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_1_5_4_2_null_character: V5 Client [
        "30 05 00 01 00 00 78", "30 07 00 03 61 00 62 00 78", "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 00",
        "82 07 00 01 00 00 01 00 00", "30 08 00 01 61 04 03 00 01 00", "A2 06 00 01 00 00 01 00",
    ] => 0x81 "v5 MQTT-1.5.4-2";
    v5_mqtt_1_5_5_1_property_length_not_minimal: V5 Client [
        "30 06 00 01 61 80 00 78", "82 08 00 01 80 00 00 01 61 00", "40 05 00 01 00 80 00",
    ] => 0x81 "v5 MQTT-1.5.5-1";
    v5_mqtt_1_5_5_1_remaining_length_not_minimal: V5 Client ["C0 80 00", "30 85 00 00 01 61 00 78"]
        => 0x81 "v5 MQTT-1.5.5-1";
    v5_mqtt_1_5_5_1_remaining_length_of_connect_not_minimal: V5 Client [
        "10 8E 00 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
    ] => 0x81 "v5 MQTT-1.5.5-1";
    v5_mqtt_1_5_5_1_property_identifier_not_minimal: V5 Client ["30 09 00 01 61 05 A6 00 00 00 00"]
        => 0x81 "v5 MQTT-1.5.5-1";
    v5_mqtt_1_5_5_1_subscription_identifier_not_minimal: V5 Server ["30 07 00 01 61 03 0B 81 00"]
        => 0x81 "v5 MQTT-1.5.5-1";
    u_5_1_variable_byte_integer_of_five_bytes: V5 Client [
        "30 FF FF FF FF 7F", "30 80 80 80 80 01", "30 09 00 01 61 80 80 80 80 01 78",
    ] => 0x81 "v5 1.5.5";
    v5_mqtt_1_5_7_1_user_property_name_or_value: V5 Client [
        "30 0B 00 01 61 07 26 00 01 61 00 01 FF", "30 0B 00 01 61 07 26 00 01 FF 00 01 61",
    ] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_1_5_7_1_null_in_user_property: V5 Client ["30 0B 00 01 61 07 26 00 01 00 00 01 61"]
        => 0x81 "v5 MQTT-1.5.4-2";

    // Fixed header
    v5_packet_type_0: V5 Client ["00 00"] => 0x81 "v5 2.1.2";
    v5_mqtt_2_1_3_1_flags_of_a_client: V5 Client [
        "41 02 00 01", "58 02 00 01", "72 02 00 01", "C1 00", "C2 00", "C8 00",
        "11 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
    ] => 0x81 "v5 MQTT-2.1.3-1";
    v5_mqtt_2_1_3_1_flags_of_a_server: V5 Server ["21 03 00 00 00", "92 04 00 01 00 00", "B4 04 00 01 00 00", "D1 00"]
        => 0x81 "v5 MQTT-2.1.3-1";
    v5_mqtt_3_6_1_1_flags_of_pubrel: V5 Client ["60 02 00 01", "63 02 00 01", "6A 02 00 01"] => 0x81 "v5 MQTT-3.6.1-1";
    v5_mqtt_3_8_1_1_flags_of_subscribe: V5 Client ["80 07 00 01 00 00 01 61 00", "8A 07 00 01 00 00 01 61 00"]
        => 0x81 "v5 MQTT-3.8.1-1";
    v5_mqtt_3_10_1_1_flags_of_unsubscribe: V5 Client ["A0 06 00 01 00 00 01 61", "AA 06 00 01 00 00 01 61"]
        => 0x81 "v5 MQTT-3.10.1-1";
    v5_mqtt_3_14_1_1_flags_of_disconnect: V5 Server ["E1 00", "E2 00", "E8 01 81"] => 0x81 "v5 MQTT-3.14.1-1";
    v5_mqtt_3_15_1_1_flags_of_auth: V5 Server ["F1 06 18 04 15 00 01 6D"] => 0x81 "v5 MQTT-3.15.1-1";
    v5_packets_that_a_client_does_not_send: V5 Client ["20 03 00 00 00", "90 04 00 01 00 00", "B0 04 00 01 00 00", "D0 00"]
        => 0x82 "v5 2.1.2";
    v5_packets_that_a_server_does_not_send: V5 Server [
        "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61", "82 07 00 01 00 00 01 61 00", "A2 06 00 01 00 00 01 61", "C0 00",
    ] => 0x82 "v5 2.1.2";
    v5_ping_with_a_body: V5 Client ["C0 01 00"] => 0x81 "v5 2.1.4";
    v5_ping_response_with_a_body: V5 Server ["D0 02 00 00"] => 0x81 "v5 2.1.4";

    // CONNECT
    v5_mqtt_3_1_2_1_protocol_name: V5 Client [
        "10 0E 00 04 6D 71 74 74 05 02 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 58 05 02 00 3C 00 00 01 61",
        "10 0A 00 00 05 02 00 3C 00 00 01 61", "10 0F 00 05 4D 51 54 54 54 05 02 00 3C 00 00 01 61",
    ] => 0x84 "v5 MQTT-3.1.2-1";
    v5_mqtt_3_1_2_2_protocol_version: V5 Client [
        "10 0E 00 04 4D 51 54 54 06 02 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 03 02 00 3C 00 00 01 61",
        "10 0E 00 04 4D 51 54 54 00 02 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 84 02 00 3C 00 00 01 61",
        "10 0F 00 06 4D 51 49 73 64 70 04 02 00 3C 00 01 61",
    ] => 0x84 "v5 MQTT-3.1.2-2";
    v5_mqtt_3_1_2_3_reserved_flag: V5 Client ["10 0E 00 04 4D 51 54 54 05 03 00 3C 00 00 01 61"]
        => 0x81 "v5 MQTT-3.1.2-3";
    v5_mqtt_3_1_2_9_will_flag_without_will: V5 Client [
        "10 0E 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61", "10 0F 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00",
        "10 12 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 74",
    ] => 0x81 "v5 2.1.4";
    v5_mqtt_3_1_2_11_will_qos_without_will: V5 Client [
        "10 0E 00 04 4D 51 54 54 05 0A 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 05 12 00 3C 00 00 01 61",
        "10 0E 00 04 4D 51 54 54 05 1A 00 3C 00 00 01 61",
    ] => 0x81 "v5 MQTT-3.1.2-11";
    v5_mqtt_3_1_2_12_will_qos_3: V5 Client [
        "10 15 00 04 4D 51 54 54 05 1E 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
    ] => 0x81 "v5 MQTT-3.1.2-12";
    v5_mqtt_3_1_2_13_will_retain_without_will: V5 Client ["10 0E 00 04 4D 51 54 54 05 22 00 3C 00 00 01 61"]
        => 0x81 "v5 MQTT-3.1.2-11";
    v5_mqtt_3_1_2_16_user_name_without_its_flag: V5 Client [
        "10 11 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61 00 01 75",
    ] => 0x81 "v5 2.1.4";
    v5_mqtt_3_1_2_17_user_name_flag_without_user_name: V5 Client ["10 0E 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61"]
        => 0x81 "v5 2.1.4";
    v5_mqtt_3_1_2_18_password_without_its_flag: V5 Client [
        "10 14 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 01 75 00 01 70",
    ] => 0x81 "v5 2.1.4";
    v5_mqtt_3_1_2_19_password_flag_without_password: V5 Client [
        "10 0E 00 04 4D 51 54 54 05 42 00 3C 00 00 01 61", "10 11 00 04 4D 51 54 54 05 C2 00 3C 00 00 01 61 00 01 75",
    ] => 0x81 "v5 2.1.4";
    v5_mqtt_3_1_3_3_no_client_identifier: V5 Client ["10 0B 00 04 4D 51 54 54 05 02 00 3C 00"] => 0x81 "v5 2.1.4";
    v5_mqtt_3_1_3_4_client_identifier_is_utf8: V5 Client ["10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 FF"]
        => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_3_1_3_11_will_topic_is_utf8: V5 Client [
        "10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 FF 00 01 6D",
    ] => 0x81 "v5 MQTT-1.5.4-1";
    v5_will_topic_with_wildcard: V5 Client [
        "10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 23 00 01 6D",
        "10 17 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 03 61 2F 2B 00 01 6D",
    ] => 0x81 "v5 MQTT-4.7.0-1";
    v5_will_topic_empty: V5 Client ["10 14 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 00 00 01 6D"]
        => 0x81 "v5 MQTT-4.7.3-1";
    v5_mqtt_3_1_3_12_user_name_is_utf8: V5 Client ["10 11 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 01 FF"]
        => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_3_1_4_1_connect_that_ends_early: V5 Client [
        "10 00", "10 04 00 04 4D 51", "10 06 00 04 4D 51 54 54", "10 07 00 04 4D 51 54 54 05",
        "10 08 00 04 4D 51 54 54 05 02", "10 09 00 04 4D 51 54 54 05 02 00", "10 0A 00 04 4D 51 54 54 05 02 00 3C",
        "10 0D 00 04 4D 51 54 54 05 02 00 3C 00 00 01",
    ] => 0x81 "v5 2.1.4";
    v5_connect_properties_longer_than_the_packet: V5 Client ["10 0E 00 04 4D 51 54 54 05 02 00 3C 04 00 01 61"]
        => 0x81 "v5 2.1.4";
    v5_connect_authentication_data_without_method: V5 Client [
        "10 12 00 04 4D 51 54 54 05 02 00 3C 04 16 00 01 64 00 01 61",
    ] => 0x82 "v5 3.15.2.2.2";

    // Properties: unknown, misplaced, repeated, out of range, cut
    u_5_2_unknown_property: V5 Client [
        "30 06 00 01 61 02 00 00", "30 07 00 01 61 02 2B 00 78", "30 07 00 01 61 02 04 00 78", "30 07 00 01 61 02 7F 00 78",
        "30 08 00 01 61 03 80 01 00 78",
    ] => 0x81 "v5 2.2.2.2";
    u_5_2_property_of_another_packet: V5 Client [
        "30 09 00 01 61 05 11 00 00 00 3C", "40 06 00 01 00 02 01 01", "82 0A 00 01 03 23 00 01 00 01 61 00",
        "A2 08 00 01 02 0B 01 00 01 61", "10 10 00 04 4D 51 54 54 05 02 00 3C 02 24 01 00 01 61",
        "10 17 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 02 24 01 00 01 74 00 01 6D",
    ] => 0x81 "v5 2.2.2.2";
    u_5_2_property_of_another_packet_from_a_server: V5 Server [
        "20 05 00 00 02 17 01", "90 06 00 01 02 01 01 00", "B0 06 00 01 02 0B 01 00", "E0 05 81 03 21 00 01",
        "F0 08 18 06 15 00 01 6D 24 01",
    ] => 0x81 "v5 2.2.2.2";
    u_5_3_property_twice_in_publish: V5 Client [
        "30 08 00 01 61 04 01 00 01 00", "30 0E 00 01 61 0A 02 00 00 00 01 02 00 00 00 01",
        "30 0A 00 01 61 06 23 00 01 23 00 01", "30 0A 00 01 61 06 03 00 00 03 00 00", "30 0A 00 01 61 06 09 00 00 09 00 00",
        "30 0C 00 01 61 08 08 00 01 62 08 00 01 62",
    ] => 0x82 "v5 2.2.2.2";
    u_5_3_property_twice_in_connect: V5 Client [
        "10 18 00 04 4D 51 54 54 05 02 00 3C 0A 11 00 00 00 01 11 00 00 00 01 00 01 61",
        "10 14 00 04 4D 51 54 54 05 02 00 3C 06 21 00 01 21 00 01 00 01 61",
        "10 12 00 04 4D 51 54 54 05 02 00 3C 04 17 01 17 01 00 01 61",
    ] => 0x82 "v5 2.2.2.2";
    u_5_3_property_twice_in_will: V5 Client [
        "10 1F 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 0A 18 00 00 00 01 18 00 00 00 01 00 01 74 00 01 6D",
    ] => 0x82 "v5 2.2.2.2";
    u_5_3_property_twice_from_a_server: V5 Server [
        "20 09 00 00 06 13 00 01 13 00 01", "40 0A 00 01 10 06 1F 00 00 1F 00 00", "E0 08 81 06 1F 00 00 1F 00 00",
    ] => 0x82 "v5 2.2.2.2";
    u_5_3_subscription_identifier_twice_in_subscribe: V5 Client ["82 0B 00 01 04 0B 01 0B 02 00 01 61 00"]
        => 0x82 "v5 2.2.2.2";
    v5_values_out_of_range_from_a_client: V5 Client [
        "10 11 00 04 4D 51 54 54 05 02 00 3C 03 21 00 00 00 01 61",
        "10 13 00 04 4D 51 54 54 05 02 00 3C 05 27 00 00 00 00 00 01 61",
        "10 10 00 04 4D 51 54 54 05 02 00 3C 02 17 02 00 01 61", "10 10 00 04 4D 51 54 54 05 02 00 3C 02 19 FF 00 01 61",
        "30 06 00 01 61 02 01 02", "82 09 00 01 02 0B 00 00 01 61 00",
    ] => 0x82 "v5 2.2.2.2";
    v5_values_out_of_range_from_a_server: V5 Server [
        "20 06 00 00 03 21 00 00", "20 08 00 00 05 27 00 00 00 00", "20 05 00 00 02 24 02", "20 05 00 00 02 25 02",
        "20 05 00 00 02 28 02", "20 05 00 00 02 29 02", "20 05 00 00 02 2A 02", "30 06 00 01 61 02 0B 00",
    ] => 0x82 "v5 2.2.2.2";
    v5_properties_that_end_early: V5 Client [
        "30 05 00 01 61 01 23", "30 06 00 01 61 02 23 00", "30 08 00 01 61 04 02 00 00 00", "30 07 00 01 61 03 03 00 01",
        "30 09 00 01 61 05 26 00 01 61 00", "30 05 00 01 61 05 78", "30 04 00 01 61 80",
    ] => 0x81 "v5 2.1.4";

    // CONNACK
    v5_mqtt_3_2_2_1_reserved_flags: V5 Server ["20 03 02 00 00", "20 03 80 00 00", "20 03 FF 00 00"]
        => 0x81 "v5 MQTT-3.2.2-1";
    v5_mqtt_3_2_2_6_session_present_in_a_refusal: V5 Server ["20 03 01 87 00", "20 02 01 01"]
        => 0x82 "v5 MQTT-3.2.2-6";
    v5_mqtt_3_2_2_8_reason_code_of_connack: V5 Server [
        "20 03 00 01 00", "20 03 00 8B 00", "20 03 00 A2 00", "20 03 00 04 00", "20 03 00 FF 00", "20 02 00 06", "20 02 00 84",
    ] => 0x82 "v5 MQTT-3.2.2-8";
    v5_connack_of_a_wrong_size: V5 Server ["20 00", "20 01 00", "20 02 00 00", "20 04 00 00 00 00", "20 04 00 00 01 11"]
        => 0x81 "v5 2.1.4";
    v5_connack_authentication_data_without_method: V5 Server ["20 07 00 00 04 16 00 01 64"]
        => 0x82 "v5 3.15.2.2.2";

    // PUBLISH
    v5_mqtt_2_2_1_4_packet_identifier_0: V5 Server ["32 06 00 01 61 00 00 00", "34 06 00 01 61 00 00 00"]
        => 0x81 "v5 2.2.1";
    v5_mqtt_3_3_1_2_dup_at_qos_0: V5 Client ["38 04 00 01 61 00", "39 04 00 01 61 00"] => 0x81 "v5 MQTT-3.3.1-2";
    v5_mqtt_3_3_1_4_both_qos_bits_set: V5 Client [
        "36 06 00 01 61 00 01 00", "37 06 00 01 61 00 01 00", "3E 06 00 01 61 00 01 00", "3F 06 00 01 61 00 01 00",
    ] => 0x81 "v5 MQTT-3.3.1-4";
    v5_mqtt_3_3_2_1_topic_name_past_the_end: V5 Client ["30 02 00 05", "30 01 00", "30 00", "30 04 FF FF 61 00"]
        => 0x81 "v5 2.1.4";
    v5_mqtt_3_3_2_1_topic_name_is_utf8: V5 Client ["30 04 00 01 FF 00"] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_3_3_2_2_wildcard_in_topic_name: V5 Client [
        "30 06 00 03 61 2F 23 00", "30 06 00 03 61 2F 2B 00", "30 04 00 01 23 00", "30 05 00 02 61 2B 00",
    ] => 0x81 "v5 MQTT-4.7.0-1";
    v5_mqtt_3_3_2_8_topic_alias_0: V5 Client ["30 07 00 01 61 03 23 00 00", "30 06 00 00 03 23 00 00"]
        => 0x94 "v5 MQTT-3.3.2-8";
    v5_mqtt_3_3_2_13_response_topic_is_utf8: V5 Client ["30 08 00 01 61 04 08 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_3_3_2_14_wildcard_in_response_topic: V5 Client [
        "30 0A 00 01 61 06 08 00 03 61 2F 23", "30 08 00 01 61 04 08 00 01 2B",
        "10 19 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 04 08 00 01 23 00 01 74 00 01 6D",
    ] => 0x81 "v5 MQTT-4.7.0-1";
    v5_response_topic_empty: V5 Client ["30 07 00 01 61 03 08 00 00"] => 0x81 "v5 MQTT-4.7.3-1";
    v5_mqtt_3_3_2_19_content_type_is_utf8: V5 Client ["30 08 00 01 61 04 03 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1";
    u_5_6_neither_topic_name_nor_alias: V5 Client ["30 03 00 00 00", "30 05 00 00 02 01 00"] => 0x82 "v5 3.3.2.1";
    v5_mqtt_4_7_3_1_empty_topic_name_without_alias: V5 Server ["30 03 00 00 00"] => 0x82 "v5 3.3.2.1";
    v5_mqtt_3_3_4_6_subscription_identifier_from_a_client: V5 Client ["30 06 00 01 61 02 0B 01"]
        => 0x82 "v5 MQTT-3.3.4-6";
    v5_publish_without_property_length: V5 Client ["30 03 00 01 61", "32 05 00 01 61 00 01"] => 0x81 "v5 2.1.4";
    v5_publish_without_packet_identifier: V5 Client ["32 03 00 01 61", "34 04 00 01 61 00"] => 0x81 "v5 2.1.4";

    // PUBACK, PUBREC, PUBREL, PUBCOMP
    v5_mqtt_3_4_2_1_reason_code_of_puback: V5 Server [
        "40 03 00 01 11", "40 03 00 01 92", "40 03 00 01 01", "40 03 00 01 81", "40 03 00 01 FF",
    ] => 0x82 "v5 MQTT-3.4.2-1";
    v5_no_matching_subscribers_from_a_client: V5 Client ["40 03 00 01 10"] => 0x82 "v5 MQTT-3.4.2-1";
    v5_mqtt_3_5_2_1_reason_code_of_pubrec: V5 Server ["50 03 00 01 92", "50 03 00 01 02", "50 03 00 01 A2"]
        => 0x82 "v5 MQTT-3.5.2-1";
    v5_mqtt_3_6_2_1_reason_code_of_pubrel: V5 Server ["62 03 00 01 80", "62 03 00 01 10", "62 04 00 01 91 00"]
        => 0x82 "v5 MQTT-3.6.2-1";
    v5_mqtt_3_7_2_1_reason_code_of_pubcomp: V5 Server ["70 03 00 01 80", "70 03 00 01 10"] => 0x82 "v5 MQTT-3.7.2-1";
    v5_acknowledgement_of_packet_identifier_0: V5 Client ["40 02 00 00", "50 02 00 00", "62 02 00 00", "70 02 00 00"]
        => 0x81 "v5 2.2.1";
    v5_acknowledgement_of_a_wrong_size: V5 Client [
        "40 00", "40 01 00", "50 05 00 01 00 00 00", "62 04 00 01 00 01", "70 05 00 01 00 00 26",
    ] => 0x81 "v5 2.1.4";

    // SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK
    v5_mqtt_3_8_3_1_topic_filter_is_utf8: V5 Client ["82 07 00 01 00 00 01 FF 00"] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_3_8_3_2_no_topic_filter: V5 Client ["82 03 00 01 00"] => 0x82 "v5 MQTT-3.8.3-2";
    v5_mqtt_3_8_3_4_no_local_on_a_shared_subscription: V5 Client [
        "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 04",
        "82 14 00 01 00 00 01 61 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 05",
    ] => 0x82 "v5 MQTT-3.8.3-4";
    v5_mqtt_3_8_3_5_reserved_option_bits: V5 Client [
        "82 07 00 01 00 00 01 61 40", "82 07 00 01 00 00 01 61 80", "82 0B 00 01 00 00 01 61 00 00 01 62 C0",
    ] => 0x81 "v5 MQTT-3.8.3-5";
    u_5_9_qos_3_and_retain_handling_3: V5 Client ["82 07 00 01 00 00 01 61 03", "82 07 00 01 00 00 01 61 30"]
        => 0x82 "v5 3.8.3.1";
    v5_mqtt_4_7_1_1_multi_level_wildcard: V5 Client [
        "82 08 00 01 00 00 02 61 23 00", "82 09 00 01 00 00 03 23 2F 61 00", "82 0B 00 01 00 00 05 61 2F 23 2F 62 00",
        "82 08 00 01 00 00 02 23 23 00", "A2 07 00 01 00 00 02 61 23", "82 09 00 01 00 00 03 23 61 2F 00",
    ] => 0x81 "v5 MQTT-4.7.1-1";
    v5_mqtt_4_7_1_2_single_level_wildcard: V5 Client [
        "82 08 00 01 00 00 02 61 2B 00", "82 08 00 01 00 00 02 2B 61 00", "82 0C 00 01 00 00 06 61 2F 62 2B 2F 63 00",
        "A2 07 00 01 00 00 02 2B 2B",
    ] => 0x81 "v5 MQTT-4.7.1-2";
    v5_mqtt_4_7_3_1_empty_topic_filter: V5 Client ["82 06 00 01 00 00 00 00", "A2 05 00 01 00 00 00"]
        => 0x81 "v5 MQTT-4.7.3-1";
    v5_mqtt_4_7_3_2_null_in_topic_filter: V5 Client ["82 07 00 01 00 00 01 00 00"] => 0x81 "v5 MQTT-1.5.4-2";
    v5_mqtt_4_8_2_1_share_name_missing: V5 Client [
        "82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 2F 61 00", "A2 0E 00 01 00 00 09 24 73 68 61 72 65 2F 2F 61",
    ] => 0x81 "v5 MQTT-4.8.2-1";
    v5_mqtt_4_8_2_2_share_name_with_wildcard: V5 Client ["82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 2B 2F 61 00"]
        => 0x81 "v5 MQTT-4.8.2-1";
    v5_mqtt_4_8_2_2_no_filter_after_the_share_name: V5 Client [
        "82 0E 00 01 00 00 08 24 73 68 61 72 65 2F 67 00", "82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 67 2F 00",
        "A2 0D 00 01 00 00 08 24 73 68 61 72 65 2F 67",
    ] => 0x81 "v5 MQTT-4.8.2-2";
    v5_mqtt_2_2_1_3_packet_identifier_0: V5 Client [
        "82 07 00 00 00 00 01 61 00", "A2 06 00 00 00 00 01 61",
        "32 06 00 01 61 00 00 00", "34 06 00 01 61 00 00 00",
    ] => 0x81 "v5 2.2.1";
    v5_subscribe_that_ends_early: V5 Client [
        "82 00", "82 02 00 01", "82 06 00 01 00 00 01 61", "82 06 00 01 00 00 02 61", "82 04 00 01 00 00",
    ] => 0x81 "v5 2.1.4";
    v5_mqtt_3_9_3_2_reason_code_of_suback: V5 Server [
        "90 04 00 01 00 03", "90 04 00 01 00 8C", "90 04 00 01 00 11", "90 05 00 01 00 01 FF",
    ] => 0x82 "v5 MQTT-3.9.3-2";
    v5_mqtt_3_9_3_1_suback_without_reason_codes: V5 Server ["90 03 00 01 00"] => 0x81 "v5 MQTT-3.9.3-1";
    v5_mqtt_3_10_3_1_topic_filter_is_utf8: V5 Client ["A2 06 00 01 00 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1";
    v5_mqtt_3_10_3_2_no_topic_filter: V5 Client ["A2 03 00 01 00"] => 0x82 "v5 MQTT-3.10.3-2";
    v5_mqtt_3_11_3_2_reason_code_of_unsuback: V5 Server ["B0 04 00 01 00 01", "B0 04 00 01 00 97", "B0 05 00 01 00 00 02"]
        => 0x82 "v5 MQTT-3.11.3-2";
    v5_mqtt_3_11_3_1_unsuback_without_reason_codes: V5 Server ["B0 03 00 01 00"] => 0x81 "v5 MQTT-3.11.3-1";
    v5_answers_without_property_length: V5 Server ["90 02 00 01", "B0 02 00 01", "90 03 00 01 01"] => 0x81 "v5 2.1.4";

    // DISCONNECT and AUTH
    v5_mqtt_3_14_2_1_reason_code_of_disconnect: V5 Server ["E0 01 01", "E0 01 85", "E0 01 04", "E0 01 FF", "E0 02 92 00"]
        => 0x82 "v5 MQTT-3.14.2-1";
    v5_mqtt_3_14_2_1_reason_code_of_a_clients_disconnect: V5 Client ["E0 01 8B", "E0 01 8D", "E0 01 8E", "E0 01 9D"]
        => 0x82 "v5 MQTT-3.14.2-1";
    v5_mqtt_3_14_2_2_session_expiry_from_a_server: V5 Server ["E0 07 00 05 11 00 00 00 3C"] => 0x82 "v5 MQTT-3.14.2-2";
    v5_server_reference_from_a_client: V5 Client ["E0 06 00 04 1C 00 01 73"] => 0x82 "v5 2.2.2.2";
    v5_disconnect_of_a_wrong_size: V5 Server ["E0 03 81 00 00", "E0 02 81 01"] => 0x81 "v5 2.1.4";
    v5_mqtt_3_15_2_1_reason_code_of_auth: V5 Server ["F0 06 01 04 15 00 01 6D", "F0 06 19 04 15 00 01 6D"]
        => 0x82 "v5 MQTT-3.15.2-1";
    v5_mqtt_3_15_2_1_success_from_a_client: V5 Client ["F0 06 00 04 15 00 01 6D", "F0 00"] => 0x82 "v5 MQTT-3.15.2-1";
    v5_auth_without_method: V5 Server ["F0 02 18 00", "F0 06 18 04 16 00 01 64"] => 0x82 "v5 3.15.2.2.2";
    v5_auth_with_a_reason_code_alone: V5 Server ["F0 01 18"] => 0x81 "v5 2.1.4";
}
