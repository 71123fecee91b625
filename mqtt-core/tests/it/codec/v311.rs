//! Packets of 3.1.1 that must be taken and packets that must be refused, by the rule that tells them apart. Each refused
//! packet has one thing wrong, and but for two answers to a CONNECT the connection is closed without a word.

use super::verdicts;

// CONNECT here is: 10 len, 00 04 "MQTT", 04, flags, 00 3C, 00 01 61 (Client Identifier "a"), ...
verdicts! {
    V3_1_1;

    // Strings
    v311_mqtt_1_5_3_1_utf8_is_well_formed {
        Client takes ["30 08 00 05 41 F0 AA 9B 94 78", "30 09 00 06 ED 9F BF EE 80 80 78"]
        Client refuses [
            "30 06 00 03 ED A0 80 78", "30 06 00 03 ED BF BF 78", "30 05 00 02 C0 AF 78", "30 05 00 02 C0 80 78",
            "30 07 00 04 F4 90 80 80 78", "30 04 00 01 FF 78",
        ] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_1_5_3_2_null_character {
        Client takes ["30 04 00 01 20 78"]
        Client refuses ["30 04 00 01 00 78", "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 00", "82 06 00 01 00 01 00 00"]
            => close "v311 MQTT-1.5.3-2"
    }
    v311_mqtt_1_5_3_3_byte_order_mark {
        Client takes ["30 06 00 04 EF BB BF 61"]
        Client refuses ["30 04 00 02 EF BB"] => close "v311 MQTT-1.5.3-1"
    }

    // Fixed header
    v311_u_3_1_1_4_remaining_length_of_five_bytes {
        Client takes ["30 04 00 01 61 78"]
        // Only 5.0 asks for the shortest form.
        Client reads ["C0 80 00", "30 83 80 80 00 00 01 61"]
        Client refuses ["30 FF FF FF FF 7F", "C0 80 80 80 80 01"] => close "v311 2.2.3"
    }
    v311_packet_type_0_and_15 {
        Client refuses ["00 00", "F0 00", "F0 06 18 04 15 00 01 6D"] => close "v311 2.2.1"
    }
    v311_mqtt_2_2_2_1_and_2_flags {
        Client takes [
            "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61", "C0 00", "40 02 00 01", "50 02 00 01", "70 02 00 01",
        ]
        Client refuses ["11 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61", "C1 00", "51 02 00 01", "78 02 00 01"]
            => close "v311 MQTT-2.2.2-2"
        Server takes ["20 02 00 00", "40 02 00 01", "90 03 00 01 00", "B0 02 00 01", "D0 00"]
        Server refuses ["21 02 00 00", "41 02 00 01", "94 03 00 01 00", "B8 02 00 01", "D1 00"]
            => close "v311 MQTT-2.2.2-2"
    }
    v311_packets_that_only_the_other_end_sends {
        Server refuses [
            "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61", "82 06 00 01 00 01 61 00", "A2 05 00 01 00 01 61", "C0 00", "E0 00",
        ] => close "v311 2.2.1"
        Client refuses ["20 02 00 00", "90 03 00 01 00", "B0 02 00 01", "D0 00"] => close "v311 2.2.1"
    }
    v311_mqtt_2_3_1_1_packet_identifier_0 {
        Client takes [
            "82 06 00 01 00 01 61 00", "A2 05 FF FF 00 01 61", "32 05 00 01 61 00 01", "34 05 00 01 61 FF FF",
        ]
        Client refuses ["82 06 00 00 00 01 61 00", "A2 05 00 00 00 01 61", "32 05 00 01 61 00 00", "34 05 00 01 61 00 00"]
            => close "v311 MQTT-2.3.1-1"
        Client refuses ["40 02 00 00", "50 02 00 00", "62 02 00 00"] => close "v311 MQTT-2.3.1-6"
        Client refuses ["70 02 00 00"] => close "v311 2.3.1"
        Server refuses ["90 03 00 00 00", "B0 02 00 00"] => close "v311 MQTT-2.3.1-7"
    }
    v311_mqtt_2_3_1_5_no_packet_identifier_at_qos_0 {
        // The payload is 00 07.
        Client takes ["30 05 00 01 61 00 07"]
        Client refuses ["32 03 00 01 61", "34 04 00 01 61 00"] => close "v311 2.2.3"
    }

    // CONNECT
    v311_mqtt_3_1_2_1_protocol_name {
        Client takes ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61"]
        Client refuses ["10 0D 00 04 6D 71 74 74 04 02 00 3C 00 01 61", "10 0D 00 04 4D 51 54 58 04 02 00 3C 00 01 61"]
            => close "v311 MQTT-3.1.2-1"
    }
    v311_mqtt_3_1_2_2_protocol_level {
        Client takes ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61"]
        Client refuses ["10 0D 00 04 4D 51 54 54 06 02 00 3C 00 01 61", "10 0D 00 04 4D 51 54 54 03 02 00 3C 00 01 61"]
            => 0x84 "v311 MQTT-3.1.2-2"
    }
    v311_mqtt_3_1_2_3_reserved_flag {
        Client takes ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61"]
        Client refuses ["10 0D 00 04 4D 51 54 54 04 03 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-3"
    }
    v311_mqtt_3_1_2_9_will_flag_and_will_fields {
        Client takes ["10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 74 00 01 6D"]
        Client refuses ["10 0D 00 04 4D 51 54 54 04 06 00 3C 00 01 61", "10 10 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 74"]
            => close "v311 2.2.3"
    }
    v311_mqtt_3_1_2_11_nothing_of_a_will_without_will_flag {
        Client takes ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61"]
        Client refuses ["10 13 00 04 4D 51 54 54 04 02 00 3C 00 01 61 00 01 74 00 01 6D"] => close "v311 2.2.3"
        Client refuses ["10 0D 00 04 4D 51 54 54 04 0A 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-13"
        Client refuses ["10 0D 00 04 4D 51 54 54 04 22 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-15"
    }
    v311_mqtt_3_1_2_13_will_qos_without_will {
        Client takes ["10 13 00 04 4D 51 54 54 04 0E 00 3C 00 01 61 00 01 74 00 01 6D"]
        Client refuses [
            "10 0D 00 04 4D 51 54 54 04 0A 00 3C 00 01 61", "10 0D 00 04 4D 51 54 54 04 12 00 3C 00 01 61",
            "10 0D 00 04 4D 51 54 54 04 3A 00 3C 00 01 61",
        ] => close "v311 MQTT-3.1.2-13"
    }
    v311_mqtt_3_1_2_14_will_qos_0_to_2 {
        Client takes [
            "10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 74 00 01 6D",
            "10 13 00 04 4D 51 54 54 04 0E 00 3C 00 01 61 00 01 74 00 01 6D",
            "10 13 00 04 4D 51 54 54 04 16 00 3C 00 01 61 00 01 74 00 01 6D",
        ]
        Client refuses ["10 13 00 04 4D 51 54 54 04 1E 00 3C 00 01 61 00 01 74 00 01 6D"] => close "v311 MQTT-3.1.2-14"
    }
    v311_mqtt_3_1_2_15_will_retain_without_will {
        Client takes ["10 13 00 04 4D 51 54 54 04 26 00 3C 00 01 61 00 01 74 00 01 6D"]
        Client refuses ["10 0D 00 04 4D 51 54 54 04 22 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-15"
    }
    v311_mqtt_3_1_2_18_user_name_without_its_flag {
        Client takes ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61"]
        Client refuses ["10 10 00 04 4D 51 54 54 04 02 00 3C 00 01 61 00 01 75"] => close "v311 2.2.3"
    }
    v311_mqtt_3_1_2_19_user_name_flag_and_user_name {
        Client takes [
            "10 10 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 01 75", "10 0F 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 00",
        ]
        Client refuses ["10 0D 00 04 4D 51 54 54 04 82 00 3C 00 01 61"] => close "v311 2.2.3"
    }
    v311_mqtt_3_1_2_20_password_without_its_flag {
        Client takes ["10 10 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 01 75"]
        Client refuses ["10 13 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 01 75 00 01 70"] => close "v311 2.2.3"
    }
    v311_mqtt_3_1_2_21_password_flag_and_password {
        Client takes [
            "10 13 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 01 75 00 01 FF",
            "10 11 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 00 00 00",
        ]
        Client refuses ["10 10 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 01 75"] => close "v311 2.2.3"
    }
    v311_mqtt_3_1_2_22_password_without_user_name {
        Client takes ["10 13 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 01 75 00 01 70"]
        Client refuses ["10 10 00 04 4D 51 54 54 04 42 00 3C 00 01 61 00 01 70"] => close "v311 MQTT-3.1.2-22"
    }
    v311_mqtt_3_1_3_1_order_of_the_payload {
        // Client Identifier, Will Topic, Will Message, User Name, Password.
        Client takes ["10 19 00 04 4D 51 54 54 04 C6 00 3C 00 01 61 00 01 74 00 01 6D 00 01 75 00 01 FF"]
        // Password before User Name: FF is no string.
        Client refuses ["10 19 00 04 4D 51 54 54 04 C6 00 3C 00 01 61 00 01 74 00 01 6D 00 01 FF 00 01 75"]
            => close "v311 MQTT-1.5.3-1"
        // Will Message before Will Topic.
        Client refuses ["10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 FF 00 01 74"] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_3_1_3_3_client_identifier_is_there {
        Client takes ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61", "10 0C 00 04 4D 51 54 54 04 02 00 3C 00 00"]
        Client refuses ["10 0A 00 04 4D 51 54 54 04 02 00 3C"] => close "v311 2.2.3"
    }
    v311_mqtt_3_1_3_4_client_identifier_is_utf8 {
        Client takes ["10 0E 00 04 4D 51 54 54 04 02 00 3C 00 02 C3 A4"]
        Client refuses ["10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 FF"] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_3_1_3_5_client_identifier_of_1_to_23_characters {
        Client takes [
            "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 5A",
            "10 23 00 04 4D 51 54 54 04 02 00 3C 00 17 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41",
        ]
        // More than are there.
        Client refuses [
            "10 22 00 04 4D 51 54 54 04 02 00 3C 00 17 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A",
        ] => close "v311 2.2.3"
    }
    v311_mqtt_3_1_3_7_and_8_empty_client_identifier {
        Client takes ["10 0C 00 04 4D 51 54 54 04 02 00 3C 00 00"]
        Client refuses ["10 0C 00 04 4D 51 54 54 04 00 00 3C 00 00"] => 0x85 "v311 MQTT-3.1.3-8"
    }
    v311_mqtt_3_1_3_10_will_topic_is_utf8 {
        Client takes ["10 14 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 02 C3 A4 00 01 FF"]
        Client refuses ["10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 FF 00 01 6D"] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_3_1_3_11_user_name_is_utf8 {
        Client takes [
            "10 11 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 02 C3 A4",
            // The password need not be.
            "10 13 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 01 75 00 01 FF",
        ]
        Client refuses ["10 10 00 04 4D 51 54 54 04 82 00 3C 00 01 61 00 01 FF"] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_3_1_4_1_connect_that_ends_early {
        // The shortest there is.
        Client takes ["10 0C 00 04 4D 51 54 54 04 02 00 00 00 00"]
        Client refuses [
            "10 00", "10 07 00 04 4D 51 54 54 04", "10 08 00 04 4D 51 54 54 04 02", "10 0C 00 04 4D 51 54 54 04 02 00 3C 00 01",
        ] => close "v311 2.2.3"
    }

    // CONNACK
    v311_u_3_1_1_1_reserved_connack_flags {
        Server takes ["20 02 00 00", "20 02 01 00"]
        Server refuses ["20 02 02 00", "20 02 80 00"] => close "v311 3.2.2.1"
    }
    v311_mqtt_3_2_2_4_session_present_in_a_refusal {
        Server takes ["20 02 00 05", "20 02 01 00"]
        Server refuses ["20 02 01 05", "20 02 01 01"] => close "v311 MQTT-3.2.2-4"
    }
    v311_mqtt_3_2_2_6_reserved_return_codes {
        Server takes ["20 02 00 00", "20 02 00 01", "20 02 00 02", "20 02 00 03", "20 02 00 04", "20 02 00 05"]
        Server refuses ["20 02 00 06", "20 02 00 80", "20 02 00 FF"] => close "v311 MQTT-3.2.2-6"
    }
    v311_connack_of_a_wrong_size {
        Server refuses ["20 00", "20 01 00", "20 03 00 00 00"] => close "v311 2.2.3"
    }

    // PUBLISH and its acknowledgements
    v311_mqtt_3_3_1_2_dup_at_qos_0 {
        Client takes ["30 03 00 01 61", "31 03 00 01 61", "3A 05 00 01 61 00 01", "3D 05 00 01 61 00 01"]
        Client refuses ["38 03 00 01 61", "39 03 00 01 61"] => close "v311 MQTT-3.3.1-2"
    }
    v311_mqtt_3_3_1_4_both_qos_bits_set {
        Client takes ["30 03 00 01 61", "32 05 00 01 61 00 01", "34 05 00 01 61 00 01"]
        Client refuses ["36 05 00 01 61 00 01", "37 05 00 01 61 00 01", "3E 05 00 01 61 00 01", "3F 05 00 01 61 00 01"]
            => close "v311 MQTT-3.3.1-4"
    }
    v311_mqtt_3_3_2_1_topic_name_is_the_first_field_and_utf8 {
        Client takes ["30 04 00 02 C3 A4", "30 03 00 01 61"]
        Client refuses ["30 03 00 01 FF"] => close "v311 MQTT-1.5.3-1"
        Client refuses ["30 02 00 05", "30 00", "30 01 00"] => close "v311 2.2.3"
    }
    v311_mqtt_3_3_2_2_wildcard_in_topic_name {
        Client takes ["30 05 00 03 61 2F 62"]
        Client refuses ["30 05 00 03 61 2F 23", "30 05 00 03 61 2F 2B"] => close "v311 MQTT-4.7.1-1"
    }
    v311_acknowledgement_of_a_wrong_size {
        Client takes ["40 02 00 01", "50 02 FF FF", "62 02 00 01", "70 02 00 01"]
        Client refuses ["40 00", "40 01 00", "40 03 00 01 00", "50 04 00 01 00 00", "62 03 00 01 00", "70 03 00 01 00"]
            => close "v311 2.2.3"
    }
    v311_mqtt_3_6_1_1_flags_of_pubrel {
        Client takes ["62 02 00 01"]
        Client refuses ["60 02 00 01", "63 02 00 01", "6A 02 00 01"] => close "v311 MQTT-3.6.1-1"
    }

    // SUBSCRIBE, UNSUBSCRIBE and their answers
    v311_mqtt_3_8_1_1_flags_of_subscribe {
        Client takes ["82 06 00 01 00 01 61 00"]
        Client refuses ["80 06 00 01 00 01 61 00", "83 06 00 01 00 01 61 00", "8A 06 00 01 00 01 61 00"]
            => close "v311 MQTT-3.8.1-1"
    }
    v311_mqtt_3_8_3_1_topic_filter_is_utf8 {
        Client takes ["82 07 00 01 00 02 C3 A4 00"]
        Client refuses ["82 06 00 01 00 01 FF 00"] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_3_8_3_3_at_least_one_topic_filter {
        Client takes ["82 06 00 01 00 01 61 00", "82 0A 00 01 00 01 61 00 00 01 62 01"]
        Client refuses ["82 02 00 01"] => close "v311 MQTT-3.8.3-3"
    }
    v311_mqtt_3_8_3_4_requested_qos {
        Client takes ["82 06 00 01 00 01 61 00", "82 06 00 01 00 01 61 01", "82 06 00 01 00 01 61 02"]
        Client refuses [
            "82 06 00 01 00 01 61 03", "82 06 00 01 00 01 61 04", "82 06 00 01 00 01 61 10", "82 06 00 01 00 01 61 80",
        ] => close "v311 MQTT-3.8.3-4"
    }
    v311_subscribe_that_ends_early {
        Client refuses ["82 05 00 01 00 01 61", "82 03 00 01 00", "82 05 00 01 00 02 61"] => close "v311 2.2.3"
    }
    v311_share_has_no_meaning {
        Client takes ["82 0D 00 01 00 08 24 73 68 61 72 65 2F 67 00"]
    }
    v311_mqtt_3_9_3_2_reason_codes_of_suback {
        Server takes ["90 06 00 01 00 01 02 80"]
        Server refuses ["90 03 00 01 03", "90 03 00 01 81", "90 04 00 01 00 87"] => close "v311 MQTT-3.9.3-2"
    }
    v311_mqtt_3_9_3_1_suback_without_codes {
        Server takes ["90 03 00 01 00"]
        Server refuses ["90 02 00 01"] => close "v311 MQTT-3.9.3-1"
    }
    v311_mqtt_3_10_1_1_flags_of_unsubscribe {
        Client takes ["A2 05 00 01 00 01 61"]
        Client refuses ["A0 05 00 01 00 01 61", "AA 05 00 01 00 01 61"] => close "v311 MQTT-3.10.1-1"
    }
    v311_mqtt_3_10_3_1_topic_filter_is_utf8 {
        Client takes ["A2 06 00 01 00 02 C3 A4"]
        Client refuses ["A2 05 00 01 00 01 FF"] => close "v311 MQTT-1.5.3-1"
    }
    v311_mqtt_3_10_3_2_at_least_one_topic_filter {
        Client takes ["A2 05 00 01 00 01 61", "A2 08 00 01 00 01 61 00 01 62"]
        Client refuses ["A2 02 00 01"] => close "v311 MQTT-3.10.3-2"
    }
    v311_unsuback_of_a_wrong_size {
        Server takes ["B0 02 00 01"]
        Server refuses ["B0 00", "B0 03 00 01 00"] => close "v311 2.2.3"
    }
    v311_pings_have_no_body {
        Client takes ["C0 00"]
        Client refuses ["C0 01 00"] => close "v311 2.2.3"
        Server takes ["D0 00"]
        Server refuses ["D0 01 00"] => close "v311 2.2.3"
    }
    v311_mqtt_3_14_1_1_flags_of_disconnect {
        Client takes ["E0 00"]
        Client refuses ["E1 00", "E8 00"] => close "v311 MQTT-3.14.1-1"
    }
    v311_disconnect_with_a_body {
        Client refuses ["E0 01 00"] => close "v311 2.2.3"
    }

    // Topics
    v311_mqtt_4_7_1_1_wildcards_are_for_filters {
        Client takes ["82 06 00 01 00 01 2B 00", "82 08 00 01 00 03 61 2F 23 00"]
        Client refuses ["30 03 00 01 2B", "10 13 00 04 4D 51 54 54 04 06 00 3C 00 01 61 00 01 23 00 01 6D"]
            => close "v311 MQTT-4.7.1-1"
    }
    v311_mqtt_4_7_1_2_multi_level_wildcard {
        Client takes ["82 06 00 01 00 01 23 00", "A2 07 00 01 00 03 61 2F 23"]
        Client refuses [
            "82 07 00 01 00 02 61 23 00", "82 0A 00 01 00 05 61 2F 23 2F 62 00", "82 07 00 01 00 02 23 23 00",
            "A2 07 00 01 00 03 23 2F 61",
        ] => close "v311 MQTT-4.7.1-2"
    }
    v311_mqtt_4_7_1_3_single_level_wildcard {
        Client takes ["82 0A 00 01 00 05 61 2F 2B 2F 62 00", "A2 07 00 01 00 03 2B 2F 23", "A2 06 00 01 00 02 2F 2B"]
        Client refuses ["82 07 00 01 00 02 61 2B 00", "A2 06 00 01 00 02 2B 61", "A2 08 00 01 00 04 61 2F 2B 62"]
            => close "v311 MQTT-4.7.1-3"
    }
    v311_mqtt_4_7_3_1_at_least_one_character {
        Client takes ["30 03 00 01 2F", "82 06 00 01 00 01 2F 00", "A2 05 00 01 00 01 20"]
        Client refuses ["82 05 00 01 00 00 00", "A2 04 00 01 00 00", "30 02 00 00", "32 04 00 00 00 01"]
            => close "v311 MQTT-4.7.3-1"
    }
    v311_mqtt_4_7_3_2_null_in_topics {
        Client takes ["82 06 00 01 00 01 20 00", "30 05 00 03 61 20 62"]
        Client refuses ["82 06 00 01 00 01 00 00", "30 05 00 03 61 00 62"] => close "v311 MQTT-1.5.3-2"
    }
}
