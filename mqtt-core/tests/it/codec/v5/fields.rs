//! What all packets have in common: fixed header, strings, Variable Byte Integers and properties.

use crate::codec::verdicts;

verdicts! {
    V5;

    // Strings
    v5_mqtt_1_5_4_1_utf8_is_well_formed {
        // "A" U+2A6D4; U+FFFD and U+10FFFF, which is a non-character; U+D7FF and U+E000, the neighbours of the surrogates.
        Client takes [
            "30 09 00 05 41 F0 AA 9B 94 00 78", "30 0B 00 07 EF BF BD F4 8F BF BF 00 78",
            "30 0A 00 06 ED 9F BF EE 80 80 00 78",
        ]
        Client refuses [
            "30 07 00 03 ED A0 80 00 78", "30 07 00 03 ED BF BF 00 78", "30 06 00 02 C0 AF 00 78", "30 06 00 02 C0 80 00 78",
            "30 07 00 03 E0 80 AF 00 78", "30 08 00 04 F4 90 80 80 00 78", "30 05 00 01 FE 00 78", "30 05 00 01 80 00 78",
            "30 05 00 01 C3 00 78",
        ] => 0x81 "v5 MQTT-1.5.4-1"
        Server takes ["20 08 00 87 05 1F 00 02 C3 A4", "E0 07 81 05 1F 00 02 C3 A4"]
        Server refuses ["20 08 00 87 05 1F 00 02 C0 80", "E0 07 81 05 1F 00 02 ED A0"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_1_5_4_2_null_character {
        Client takes ["30 05 00 01 20 00 78", "30 08 00 01 61 04 03 00 01 30"]
        Client refuses [
            "30 05 00 01 00 00 78", "30 07 00 03 61 00 62 00 78", "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 00",
            "82 07 00 01 00 00 01 00 00", "30 08 00 01 61 04 03 00 01 00", "A2 06 00 01 00 00 01 00",
        ] => 0x81 "v5 MQTT-1.5.4-2"
    }
    v5_mqtt_1_5_4_3_byte_order_mark {
        Client takes ["30 07 00 04 EF BB BF 61 00", "30 0A 00 01 61 06 03 00 03 EF BB BF"]
        // Half of it is no character.
        Client refuses ["30 05 00 02 EF BB 00"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_u_5_18_discouraged_characters_are_taken {
        Client takes [
            "30 04 00 01 01 00", "30 05 00 02 C2 80 00", "30 06 00 03 EF BF BE 00", "30 06 00 03 EF B7 90 00",
        ]
    }
    v5_mqtt_1_5_7_1_both_strings_of_a_pair {
        Client takes ["30 0B 00 01 61 07 26 00 01 61 00 01 62", "30 09 00 01 61 05 26 00 00 00 00"]
        Client refuses ["30 0B 00 01 61 07 26 00 01 61 00 01 FF", "30 0B 00 01 61 07 26 00 01 FF 00 01 61"]
            => 0x81 "v5 MQTT-1.5.4-1"
        Client refuses ["30 0B 00 01 61 07 26 00 01 00 00 01 61", "30 0B 00 01 61 07 26 00 01 61 00 01 00"]
            => 0x81 "v5 MQTT-1.5.4-2"
    }

    // Variable Byte Integers
    v5_mqtt_1_5_5_1_shortest_form {
        Client takes ["30 05 00 01 61 00 78", "C0 00", "82 0A 00 01 03 0B 80 01 00 01 61 00"]
        Server takes ["30 07 00 01 61 03 0B 80 01", "30 08 00 01 61 04 0B 80 80 01", "30 09 00 01 61 05 0B 80 80 80 01"]
        // Property Length, Remaining Length, Property Identifier.
        Client refuses [
            "30 06 00 01 61 80 00 78", "82 08 00 01 80 00 00 01 61 00", "40 05 00 01 00 80 00", "C0 80 00",
            "30 85 00 00 01 61 00 78", "10 8E 00 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61", "30 09 00 01 61 05 A6 00 00 00 00",
        ] => 0x81 "v5 MQTT-1.5.5-1"
        Server refuses ["30 07 00 01 61 03 0B 81 00", "30 08 00 01 61 04 0B 80 80 00", "D0 80 80 80 00"]
            => 0x81 "v5 MQTT-1.5.5-1"
    }
    v5_u_5_1_variable_byte_integer_of_five_bytes {
        Server takes ["30 0E 00 01 61 0A 0B FF FF FF 7F 0B 80 80 80 01"]
        Server refuses ["30 0A 00 01 61 06 0B 80 80 80 80 01"] => 0x81 "v5 1.5.5"
        Client refuses ["30 FF FF FF FF 7F", "30 80 80 80 80 01", "30 09 00 01 61 80 80 80 80 01 78"] => 0x81 "v5 1.5.5"
    }

    // Fixed header
    v5_packet_type_0 {
        Client refuses ["00 00"] => 0x81 "v5 2.1.2"
        Server refuses ["00 00", "0F 00"] => 0x81 "v5 2.1.2"
    }
    v5_mqtt_2_1_3_1_flags {
        Client takes [
            "40 02 00 01", "50 02 00 01", "70 02 00 01", "C0 00", "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
        ]
        Client refuses [
            "41 02 00 01", "58 02 00 01", "72 02 00 01", "C1 00", "C2 00", "C8 00",
            "11 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61",
        ] => 0x81 "v5 MQTT-2.1.3-1"
        Server takes ["20 03 00 00 00", "90 04 00 01 00 00", "B0 04 00 01 00 00", "D0 00"]
        Server refuses ["21 03 00 00 00", "92 04 00 01 00 00", "B4 04 00 01 00 00", "D1 00"] => 0x81 "v5 MQTT-2.1.3-1"
    }
    v5_packets_that_only_the_other_end_sends {
        Client takes ["10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61", "82 07 00 01 00 00 01 61 00", "C0 00"]
        Client refuses ["20 03 00 00 00", "90 04 00 01 00 00", "B0 04 00 01 00 00", "D0 00"] => 0x82 "v5 2.1.2"
        Server takes ["20 03 00 00 00", "90 04 00 01 00 00", "B0 04 00 01 00 00", "D0 00"]
        Server refuses [
            "10 0E 00 04 4D 51 54 54 05 02 00 3C 00 00 01 61", "82 07 00 01 00 00 01 61 00", "A2 06 00 01 00 00 01 61", "C0 00",
        ] => 0x82 "v5 2.1.2"
    }
    v5_pings_have_no_body {
        Client takes ["C0 00"]
        Client refuses ["C0 01 00"] => 0x81 "v5 2.1.4"
        Server takes ["D0 00"]
        Server refuses ["D0 02 00 00"] => 0x81 "v5 2.1.4"
    }

    // Packet Identifiers
    v5_mqtt_2_2_1_2_no_packet_identifier_at_qos_0 {
        // The payload is 00 07 and 07 00 00 07.
        Client takes ["30 06 00 01 61 00 00 07", "31 08 00 01 61 00 07 00 00 07"]
        // With an identifier in between, what follows it would have to be the Property Length.
        Client refuses ["30 05 00 01 61 07 00"] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_2_2_1_3_packet_identifier_of_a_client {
        Client takes [
            "32 06 00 01 61 00 01 00", "34 06 00 01 61 FF FF 00", "82 07 00 01 00 00 01 61 00", "A2 06 FF FF 00 00 01 61",
        ]
        Client refuses [
            "32 06 00 01 61 00 00 00", "34 06 00 01 61 00 00 00", "82 07 00 00 00 00 01 61 00", "A2 06 00 00 00 00 01 61",
        ] => 0x81 "v5 MQTT-2.2.1-3"
    }
    v5_mqtt_2_2_1_4_packet_identifier_of_a_server {
        Server takes ["32 06 00 01 61 00 01 00", "34 06 00 01 61 FF FF 00"]
        Server refuses ["32 06 00 01 61 00 00 00", "34 06 00 01 61 00 00 00"] => 0x81 "v5 MQTT-2.2.1-4"
    }
    v5_packet_identifier_of_answers {
        Client takes ["40 02 00 01", "50 02 FF FF", "62 02 01 00", "70 02 00 01"]
        Client refuses ["40 02 00 00", "50 02 00 00", "62 02 00 00", "70 02 00 00"] => 0x81 "v5 MQTT-2.2.1-5"
        Server refuses ["90 04 00 00 00 00", "B0 04 00 00 00 00"] => 0x81 "v5 MQTT-2.2.1-6"
    }

    // Properties
    v5_mqtt_2_2_2_1_property_length_0 {
        Client takes ["82 07 00 01 00 00 01 61 00", "A2 06 00 01 00 00 01 61", "30 05 00 01 61 00 78"]
        // Without it what follows is taken for it.
        Client refuses ["82 06 00 01 00 01 61 00", "30 04 00 01 61 78", "30 03 00 01 61", "32 05 00 01 61 00 01"]
            => 0x81 "v5 2.1.4"
        Server takes ["20 03 00 00 00", "90 04 00 01 00 00", "B0 04 00 01 00 00"]
        Server refuses ["90 02 00 01", "B0 02 00 01", "90 03 00 01 01"] => 0x81 "v5 2.1.4"
    }
    v5_u_5_2_unknown_property {
        Client takes ["30 06 00 01 61 02 01 00", "30 07 00 01 61 02 01 00 78"]
        Client refuses [
            "30 06 00 01 61 02 00 00", "30 07 00 01 61 02 2B 00 78", "30 07 00 01 61 02 04 00 78", "30 07 00 01 61 02 7F 00 78",
            "30 08 00 01 61 03 80 01 00 78", "30 0A 00 01 61 05 01 00 80 01 00 78", "30 08 00 01 61 04 01 00 40 00",
        ] => 0x81 "v5 2.2.2.2"
        Client refuses ["30 08 00 01 61 04 01 00 81 00"] => 0x81 "v5 MQTT-1.5.5-1"
    }
    v5_u_5_2_property_of_another_packet {
        Client takes ["30 09 00 01 61 05 02 00 00 00 3C", "40 07 00 01 00 03 1F 00 00"]
        Client refuses [
            "30 09 00 01 61 05 11 00 00 00 3C", "40 06 00 01 00 02 01 01", "82 0A 00 01 03 23 00 01 00 01 61 00",
            "A2 08 00 01 02 0B 01 00 01 61", "10 10 00 04 4D 51 54 54 05 02 00 3C 02 24 01 00 01 61",
            "10 17 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 02 24 01 00 01 74 00 01 6D",
        ] => 0x81 "v5 2.2.2.2"
        Server refuses [
            "20 05 00 00 02 17 01", "90 06 00 01 02 01 01 00", "B0 06 00 01 02 0B 01 00", "E0 05 81 03 21 00 01",
            "F0 08 18 06 15 00 01 6D 24 01",
        ] => 0x81 "v5 2.2.2.2"
    }
    // A value shorter or longer than its type runs into the next identifier or past the end.
    v5_u_5_2_property_of_another_type {
        Client takes ["30 07 00 01 61 03 23 00 01", "30 09 00 01 61 05 02 00 00 00 01"]
        Client refuses [
            "30 05 00 01 61 01 23", "30 06 00 01 61 02 23 00", "30 08 00 01 61 04 02 00 00 00", "30 07 00 01 61 03 03 00 01",
            "30 09 00 01 61 05 26 00 01 61 00", "30 05 00 01 61 05 78", "30 04 00 01 61 80",
        ] => 0x81 "v5 2.1.4"
        Client refuses ["30 08 00 01 61 04 23 00 01 00", "30 0A 00 01 61 06 02 00 00 00 01 00"] => 0x81 "v5 2.2.2.2"
    }
    v5_u_5_3_property_twice_in_publish {
        Client takes ["30 12 00 01 61 0E 26 00 01 62 00 01 31 26 00 01 62 00 01 31"]
        Client refuses ["30 08 00 01 61 04 01 00 01 00"] => 0x82 "v5 3.3.2.3.2"
        Client refuses ["30 0E 00 01 61 0A 02 00 00 00 01 02 00 00 00 01"] => 0x82 "v5 3.3.2.3.3"
        Client refuses ["30 0A 00 01 61 06 23 00 01 23 00 01"] => 0x82 "v5 3.3.2.3.4"
        Client refuses ["30 0C 00 01 61 08 08 00 01 62 08 00 01 62"] => 0x82 "v5 3.3.2.3.5"
        Client refuses ["30 0A 00 01 61 06 09 00 00 09 00 00"] => 0x82 "v5 3.3.2.3.6"
        Client refuses ["30 0A 00 01 61 06 03 00 00 03 00 00"] => 0x82 "v5 3.3.2.3.9"
    }
    v5_u_5_3_property_twice_in_connect {
        Client takes ["10 1C 00 04 4D 51 54 54 05 02 00 3C 0E 26 00 01 62 00 01 31 26 00 01 62 00 01 31 00 01 61"]
        Client refuses ["10 18 00 04 4D 51 54 54 05 02 00 3C 0A 11 00 00 00 01 11 00 00 00 01 00 01 61"]
            => 0x82 "v5 3.1.2.11.2"
        Client refuses ["10 14 00 04 4D 51 54 54 05 02 00 3C 06 21 00 01 21 00 01 00 01 61"] => 0x82 "v5 3.1.2.11.3"
        Client refuses ["10 18 00 04 4D 51 54 54 05 02 00 3C 0A 27 00 00 00 01 27 00 00 00 01 00 01 61"]
            => 0x82 "v5 3.1.2.11.4"
        Client refuses ["10 14 00 04 4D 51 54 54 05 02 00 3C 06 22 00 01 22 00 01 00 01 61"] => 0x82 "v5 3.1.2.11.5"
        Client refuses ["10 12 00 04 4D 51 54 54 05 02 00 3C 04 19 01 19 01 00 01 61"] => 0x82 "v5 3.1.2.11.6"
        Client refuses ["10 12 00 04 4D 51 54 54 05 02 00 3C 04 17 01 17 01 00 01 61"] => 0x82 "v5 3.1.2.11.7"
        Client refuses ["10 14 00 04 4D 51 54 54 05 02 00 3C 06 15 00 00 15 00 00 00 01 61"] => 0x82 "v5 3.1.2.11.9"
        Client refuses ["10 14 00 04 4D 51 54 54 05 02 00 3C 06 16 00 00 16 00 00 00 01 61"] => 0x82 "v5 3.1.2.11.10"
    }
    v5_u_5_3_property_twice_in_will {
        Client takes [
            "10 21 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 0C 26 00 01 62 00 00 26 00 01 62 00 00 00 01 74 00 01 6D",
        ]
        Client refuses ["10 1F 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 0A 18 00 00 00 01 18 00 00 00 01 00 01 74 00 01 6D"]
            => 0x82 "v5 3.1.3.2.2"
        Client refuses ["10 19 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 04 01 01 01 01 00 01 74 00 01 6D"]
            => 0x82 "v5 3.1.3.2.3"
        Client refuses ["10 1F 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 0A 02 00 00 00 01 02 00 00 00 01 00 01 74 00 01 6D"]
            => 0x82 "v5 3.1.3.2.4"
        Client refuses ["10 1B 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 06 03 00 00 03 00 00 00 01 74 00 01 6D"]
            => 0x82 "v5 3.1.3.2.5"
        Client refuses ["10 1D 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 08 08 00 01 62 08 00 01 62 00 01 74 00 01 6D"]
            => 0x82 "v5 3.1.3.2.6"
        Client refuses ["10 1B 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 06 09 00 00 09 00 00 00 01 74 00 01 6D"]
            => 0x82 "v5 3.1.3.2.7"
    }
    v5_u_5_3_property_twice_in_connack {
        Server takes ["20 11 00 00 0E 26 00 01 62 00 01 31 26 00 01 62 00 01 31"]
        Server refuses ["20 0D 00 00 0A 11 00 00 00 01 11 00 00 00 01"] => 0x82 "v5 3.2.2.3.2"
        Server refuses ["20 09 00 00 06 21 00 01 21 00 01"] => 0x82 "v5 3.2.2.3.3"
        Server refuses ["20 07 00 00 04 24 01 24 01"] => 0x82 "v5 3.2.2.3.4"
        Server refuses ["20 07 00 00 04 25 01 25 01"] => 0x82 "v5 3.2.2.3.5"
        Server refuses ["20 0D 00 00 0A 27 00 00 00 01 27 00 00 00 01"] => 0x82 "v5 3.2.2.3.6"
        Server refuses ["20 09 00 00 06 12 00 00 12 00 00"] => 0x82 "v5 3.2.2.3.7"
        Server refuses ["20 09 00 00 06 22 00 01 22 00 01"] => 0x82 "v5 3.2.2.3.8"
        Server refuses ["20 09 00 00 06 1F 00 00 1F 00 00"] => 0x82 "v5 3.2.2.3.9"
        Server refuses ["20 07 00 00 04 28 01 28 01"] => 0x82 "v5 3.2.2.3.11"
        Server refuses ["20 07 00 00 04 29 01 29 01"] => 0x82 "v5 3.2.2.3.12"
        Server refuses ["20 07 00 00 04 2A 01 2A 01"] => 0x82 "v5 3.2.2.3.13"
        Server refuses ["20 09 00 00 06 13 00 01 13 00 01"] => 0x82 "v5 3.2.2.3.14"
        Server refuses ["20 09 00 00 06 1A 00 00 1A 00 00"] => 0x82 "v5 3.2.2.3.15"
        Server refuses ["20 09 00 00 06 1C 00 00 1C 00 00"] => 0x82 "v5 3.2.2.3.16"
        Server refuses ["20 09 00 00 06 15 00 00 15 00 00"] => 0x82 "v5 3.2.2.3.17"
        Server refuses ["20 09 00 00 06 16 00 00 16 00 00"] => 0x82 "v5 3.2.2.3.18"
    }
    v5_u_5_3_property_twice_in_other_packets {
        Server takes ["40 0E 00 01 00 0A 26 00 00 00 00 26 00 00 00 00"]
        Server refuses ["40 0A 00 01 10 06 1F 00 00 1F 00 00"] => 0x82 "v5 3.4.2.2.2"
        Server refuses ["50 0A 00 01 10 06 1F 00 00 1F 00 00"] => 0x82 "v5 3.5.2.2.2"
        Server refuses ["62 0A 00 01 00 06 1F 00 00 1F 00 00"] => 0x82 "v5 3.6.2.2.2"
        Server refuses ["70 0A 00 01 00 06 1F 00 00 1F 00 00"] => 0x82 "v5 3.7.2.2.2"
        Server refuses ["90 0A 00 01 06 1F 00 00 1F 00 00 00"] => 0x82 "v5 3.9.2.1.2"
        Server refuses ["B0 0A 00 01 06 1F 00 00 1F 00 00 00"] => 0x82 "v5 3.11.2.1.2"
        Server refuses ["E0 08 81 06 1F 00 00 1F 00 00"] => 0x82 "v5 3.14.2.2.3"
        Server refuses ["E0 08 9C 06 1C 00 00 1C 00 00"] => 0x82 "v5 3.14.2.2.5"
        Server refuses ["F0 08 18 06 15 00 00 15 00 00"] => 0x82 "v5 3.15.2.2.2"
        Server refuses ["F0 0B 18 09 15 00 00 16 00 00 16 00 00"] => 0x82 "v5 3.15.2.2.3"
        Server refuses ["F0 0B 18 09 15 00 00 1F 00 00 1F 00 00"] => 0x82 "v5 3.15.2.2.4"
        Client refuses ["E0 0C 00 0A 11 00 00 00 00 11 00 00 00 00"] => 0x82 "v5 3.14.2.2.2"
        // Of several in one PUBLISH of a server, none is too many; a SUBSCRIBE has one.
        Client refuses ["82 0B 00 01 04 0B 01 0B 02 00 01 61 00"] => 0x82 "v5 3.8.2.1.2"
    }
    // The lowest and the highest number, and what is outside.
    v5_values_from_a_client {
        Client takes [
            "10 1B 00 04 4D 51 54 54 05 02 00 3C 0D 21 00 01 27 00 00 00 01 17 00 22 00 00 00 01 61",
            "10 1B 00 04 4D 51 54 54 05 02 00 3C 0D 21 FF FF 27 FF FF FF FF 17 01 22 FF FF 00 01 61",
            "10 15 00 04 4D 51 54 54 05 02 FF FF 07 11 FF FF FF FF 19 01 00 01 61", "30 06 00 01 61 02 01 01",
            "82 09 00 01 02 0B 01 00 01 61 00", "82 0C 00 01 05 0B FF FF FF 7F 00 01 61 00", "30 09 00 01 61 05 02 00 00 00 00",
        ]
        Client refuses ["10 11 00 04 4D 51 54 54 05 02 00 3C 03 21 00 00 00 01 61"] => 0x82 "v5 3.1.2.11.3"
        Client refuses ["10 13 00 04 4D 51 54 54 05 02 00 3C 05 27 00 00 00 00 00 01 61"] => 0x82 "v5 3.1.2.11.4"
        Client refuses ["10 10 00 04 4D 51 54 54 05 02 00 3C 02 17 02 00 01 61"] => 0x82 "v5 3.1.2.11.7"
        Client refuses ["10 10 00 04 4D 51 54 54 05 02 00 3C 02 19 FF 00 01 61"] => 0x82 "v5 3.1.2.11.6"
        Client refuses ["30 06 00 01 61 02 01 02"] => 0x82 "v5 3.3.2.3.2"
        Client refuses ["82 09 00 01 02 0B 00 00 01 61 00"] => 0x82 "v5 3.8.2.1.2"
    }
    v5_values_from_a_server {
        // Receive Maximum, Maximum Packet Size, Maximum QoS and four flags.
        Server takes [
            "20 15 00 00 12 21 00 01 27 00 00 00 01 24 00 25 00 28 00 29 00 2A 00",
            "20 15 00 00 12 21 FF FF 27 FF FF FF FF 24 01 25 01 28 01 29 01 2A 01",
        ]
        Server refuses ["20 06 00 00 03 21 00 00"] => 0x82 "v5 3.1.2.11.3"
        Server refuses ["20 08 00 00 05 27 00 00 00 00"] => 0x82 "v5 3.1.2.11.4"
        Server refuses ["20 05 00 00 02 24 02"] => 0x82 "v5 3.2.2.3.4"
        Server refuses ["20 05 00 00 02 25 02"] => 0x82 "v5 3.2.2.3.5"
        Server refuses ["20 05 00 00 02 28 02"] => 0x82 "v5 3.2.2.3.11"
        Server refuses ["20 05 00 00 02 29 02"] => 0x82 "v5 3.2.2.3.12"
        Server refuses ["20 05 00 00 02 2A 02"] => 0x82 "v5 3.2.2.3.13"
        Server refuses ["30 06 00 01 61 02 0B 00"] => 0x82 "v5 3.8.2.1.2"
    }
}
