//! CONNECT and CONNACK.

use crate::codec::verdicts;

// CONNECT here is: 10 len, 00 04 "MQTT", 05, flags, 00 3C, properties, 00 01 61 (Client Identifier "a"), ...
verdicts! {
    V5;

    v5_mqtt_3_1_2_1_protocol_name {
        Client takes ["10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61"]
        Client refuses [
            "10 0E 00 04 6D 71 74 74 05 02 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 58 05 02 00 3C 00 00 01 61",
            "10 0A 00 00 05 02 00 3C 00 00 01 61", "10 0F 00 05 4D 51 54 54 54 05 02 00 3C 00 00 01 61",
        ] => 0x84 "v5 MQTT-3.1.2-1"
    }
    v5_mqtt_3_1_2_2_protocol_version {
        Client takes [
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61", "10 0D 00 04 4D 51 54 54 04 02 00 3C 00 01 61",
            "10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61",
        ]
        Client refuses [
            "10 0E 00 04 4D 51 54 54 06 02 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 03 02 00 3C 00 00 01 61",
            "10 0E 00 04 4D 51 54 54 00 02 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 84 02 00 3C 00 00 01 61",
            "10 0F 00 06 4D 51 49 73 64 70 04 02 00 3C 00 01 61",
        ] => 0x84 "v5 MQTT-3.1.2-2"
    }
    v5_mqtt_3_1_2_3_reserved_flag {
        Client takes ["10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61"]
        Client refuses ["10 0E 00 04 4D 51 54 54 05 03 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 05 01 00 3C 00 00 01 61"]
            => 0x81 "v5 MQTT-3.1.2-3"
    }
    v5_mqtt_3_1_2_9_will_flag_and_will_fields {
        Client takes ["10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 74 00 01 6D"]
        Client refuses [
            "10 0E 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61", "10 0F 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00",
            "10 12 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 74",
            "10 15 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
        ] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_2_11_will_qos_without_will {
        Client takes [
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
            "10 15 00 04 4D 51 54 54 05 0E 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
        ]
        Client refuses [
            "10 0E 00 04 4D 51 54 54 05 0A 00 3C 00 00 01 61", "10 0E 00 04 4D 51 54 54 05 12 00 3C 00 00 01 61",
            "10 0E 00 04 4D 51 54 54 05 1A 00 3C 00 00 01 61",
        ] => 0x81 "v5 MQTT-3.1.2-11"
    }
    v5_mqtt_3_1_2_12_will_qos_0_to_2 {
        Client takes [
            "10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
            "10 15 00 04 4D 51 54 54 05 0E 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
            "10 15 00 04 4D 51 54 54 05 16 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
        ]
        Client refuses ["10 15 00 04 4D 51 54 54 05 1E 00 3C 00 00 01 61 00 00 01 74 00 01 6D"] => 0x81 "v5 MQTT-3.1.2-12"
    }
    v5_mqtt_3_1_2_13_will_retain_without_will {
        Client takes [
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
            "10 15 00 04 4D 51 54 54 05 26 00 3C 00 00 01 61 00 00 01 74 00 01 6D",
        ]
        Client refuses ["10 0E 00 04 4D 51 54 54 05 22 00 3C 00 00 01 61"] => 0x81 "v5 MQTT-3.1.2-13"
    }
    v5_mqtt_3_1_2_16_user_name_without_its_flag {
        Client takes ["10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61"]
        Client refuses ["10 11 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61 00 01 75"] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_2_17_user_name_flag_and_user_name {
        Client takes [
            "10 11 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 01 75", "10 10 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 00",
        ]
        Client refuses ["10 0E 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61"] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_2_18_password_without_its_flag {
        Client takes ["10 11 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 01 75"]
        Client refuses ["10 14 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 01 75 00 01 70"] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_2_19_password_flag_and_password {
        // With and without a user name; any bytes, or none.
        Client takes [
            "10 14 00 04 4D 51 54 54 05 C2 00 3C 00 00 01 61 00 01 75 00 01 70",
            "10 11 00 04 4D 51 54 54 05 42 00 3C 00 00 01 61 00 01 FF", "10 10 00 04 4D 51 54 54 05 42 00 3C 00 00 01 61 00 00",
        ]
        Client refuses [
            "10 0E 00 04 4D 51 54 54 05 42 00 3C 00 00 01 61", "10 11 00 04 4D 51 54 54 05 C2 00 3C 00 00 01 61 00 01 75",
        ] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_3_1_order_of_the_payload {
        // Client Identifier, Will Properties, Will Topic, Will Payload, User Name, Password.
        Client takes ["10 1B 00 04 4D 51 54 54 05 C6 00 3C 00 00 01 61 00 00 01 74 00 01 6D 00 01 75 00 01 FF"]
        // User Name and Password changed about: FF is no string.
        Client refuses ["10 1B 00 04 4D 51 54 54 05 C6 00 3C 00 00 01 61 00 00 01 74 00 01 6D 00 01 FF 00 01 75"]
            => 0x81 "v5 MQTT-1.5.4-1"
        // Will Properties before the Client Identifier, which then begins with 00 00 and leaves 01 for Will Properties.
        Client refuses ["10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 00 01 61 00 01 74 00 01 6D"] => 0x81 "v5 2.2.2.2"
    }
    v5_mqtt_3_1_3_3_client_identifier_is_there {
        Client takes [
            "10 0D 00 04 4D 51 54 54 05 02 00 3C 00 00 00", "10 0D 00 04 4D 51 54 54 05 00 00 3C 00 00 00",
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
        ]
        Client refuses ["10 0B 00 04 4D 51 54 54 05 02 00 3C 00"] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_3_4_client_identifier_is_utf8 {
        Client takes ["10 0F 00 04 4D 51 54 54 05 02 00 3C 00 00 02 C3 A4"]
        Client refuses ["10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_3_1_3_5_client_identifier_of_1_to_23_characters {
        Client takes [
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 5A",
            "10 24 00 04 4D 51 54 54 05 02 00 3C 00 00 17 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41",
        ]
        // More than are there.
        Client refuses [
            "10 23 00 04 4D 51 54 54 05 02 00 3C 00 00 17 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A",
        ] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_1_3_10_order_of_will_user_properties {
        // ("b","1") ("a","2") ("b","0")
        Client takes [
            "10 2A 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 15 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 01 30 \
             00 01 74 00 01 6D",
        ]
        Client refuses [
            "10 2A 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 15 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 01 FF \
             00 01 74 00 01 6D",
        ] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_3_1_3_11_will_topic_is_utf8 {
        Client takes ["10 16 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 02 C3 A4 00 01 6D"]
        Client refuses ["10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 FF 00 01 6D"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_3_1_3_12_user_name_is_utf8 {
        Client takes [
            "10 12 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 02 C3 A4",
            // The password need not be.
            "10 14 00 04 4D 51 54 54 05 C2 00 3C 00 00 01 61 00 01 75 00 01 FF",
        ]
        Client refuses ["10 11 00 04 4D 51 54 54 05 82 00 3C 00 00 01 61 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_empty_will_payload_and_password {
        Client takes ["10 18 00 04 4D 51 54 54 05 F6 00 00 00 00 01 61 00 00 01 74 00 00 00 00 00 00"]
    }
    v5_mqtt_3_1_4_1_connect_that_ends_early {
        // The shortest there is.
        Client takes ["10 0D 00 04 4D 51 54 54 05 00 00 00 00 00 00"]
        Client refuses [
            "10 00", "10 04 00 04 4D 51", "10 06 00 04 4D 51 54 54", "10 07 00 04 4D 51 54 54 05",
            "10 08 00 04 4D 51 54 54 05 02", "10 09 00 04 4D 51 54 54 05 02 00", "10 0A 00 04 4D 51 54 54 05 02 00 3C",
            "10 0D 00 04 4D 51 54 54 05 02 00 3C 00 00 01", "10 0E 00 04 4D 51 54 54 05 02 00 3C 04 00 01 61",
        ] => 0x81 "v5 2.1.4"
    }
    v5_authentication_data_needs_a_method {
        Client takes ["10 16 00 04 4D 51 54 54 05 02 00 3C 08 16 00 01 64 15 00 01 6D 00 01 61"]
        Client refuses ["10 12 00 04 4D 51 54 54 05 02 00 3C 04 16 00 01 64 00 01 61"] => 0x82 "v5 3.1.2.11.10"
        Server takes ["20 0B 00 00 08 15 00 01 6D 16 00 01 64"]
        Server refuses ["20 07 00 00 04 16 00 01 64"] => 0x82 "v5 3.2.2.3.18"
    }
    v5_connect_with_every_property {
        Client takes [
            "10 5C 00 04 4D 51 54 54 05 D6 00 3C 22 11 FF FF FF FF 21 00 0A 27 00 00 10 00 22 00 05 19 01 17 00 26 00 01 6E 00 \
             00 15 00 01 6D 16 00 01 64 00 01 61 1F 01 01 02 00 00 00 01 03 00 01 63 08 00 01 72 09 00 01 00 18 00 00 00 0A \
             26 00 01 6E 00 01 76 00 01 74 00 01 6D 00 01 75 00 01 70",
        ]
    }

    // CONNACK
    v5_mqtt_3_2_2_1_reserved_flags {
        Server takes ["20 03 00 00 00", "20 03 01 00 00"]
        Server refuses ["20 03 02 00 00", "20 03 80 00 00", "20 03 FF 00 00"] => 0x81 "v5 MQTT-3.2.2-1"
    }
    v5_mqtt_3_2_2_6_session_present_in_a_refusal {
        Server takes ["20 03 00 87 00"]
        Server refuses ["20 03 01 87 00", "20 02 01 01"] => 0x82 "v5 MQTT-3.2.2-6"
    }
    v5_mqtt_3_2_2_8_reason_codes_of_connack {
        Server takes [
            "20 03 00 00 00", "20 03 00 80 00", "20 03 00 81 00", "20 03 00 82 00", "20 03 00 83 00", "20 03 00 84 00",
            "20 03 00 85 00", "20 03 00 86 00", "20 03 00 87 00", "20 03 00 88 00", "20 03 00 89 00", "20 03 00 8A 00",
            "20 03 00 8C 00", "20 03 00 90 00", "20 03 00 95 00", "20 03 00 97 00", "20 03 00 99 00", "20 03 00 9A 00",
            "20 03 00 9B 00", "20 03 00 9C 00", "20 03 00 9D 00", "20 03 00 9F 00",
        ]
        // The refusals in the form of 3.1.1, of a server that does not know 5.0.
        Server reads ["20 02 00 01", "20 02 00 02", "20 02 00 03", "20 02 00 04", "20 02 00 05"]
        Server refuses [
            "20 03 00 01 00", "20 03 00 8B 00", "20 03 00 A2 00", "20 03 00 04 00", "20 03 00 FF 00", "20 02 00 06",
            "20 02 00 84",
        ] => 0x82 "v5 MQTT-3.2.2-8"
    }
    v5_connack_of_a_wrong_size {
        Server refuses ["20 00", "20 01 00", "20 02 00 00", "20 04 00 00 00 00", "20 04 00 00 01 11"] => 0x81 "v5 2.1.4"
    }
    v5_connack_with_every_property {
        Server takes [
            "20 3F 00 00 3C 11 00 00 00 3C 21 00 0A 24 01 25 01 27 00 00 10 00 12 00 01 69 22 00 0A 1F 00 01 72 \
             26 00 01 61 00 01 62 28 01 29 00 2A 01 13 00 1E 1A 00 01 2F 1C 00 01 73 15 00 01 6D 16 00 01 64",
        ]
    }
}
