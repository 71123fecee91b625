//! What 3.1 does not share with 3.1.1. It has no numbered statements: the numbers are those of this project, listed in
//! `conformance/unnumbered.tsv`. Where 3.1 is silent the rules of 3.1.1 hold.

use super::verdicts;

// CONNECT here is: 10 len, 00 06 "MQIsdp", 03, flags, 00 3C, 00 01 61 (Client Identifier "a"), ...
verdicts! {
    V3_1;

    v31_u_3_1_1_protocol_name_and_level {
        Client takes ["10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61"]
        Client refuses ["10 0F 00 06 4D 51 49 73 64 71 03 02 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-1"
        Client refuses ["10 0F 00 06 4D 51 49 73 64 70 04 02 00 3C 00 01 61", "10 0D 00 04 4D 51 54 54 03 02 00 3C 00 01 61"]
            => 0x84 "v311 MQTT-3.1.2-2"
    }
    // At most 23 characters are asked for; whether more are taken is left to the server.
    v31_u_3_1_2_client_identifier_is_not_empty {
        Client takes [
            "10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61",
            "10 26 00 06 4D 51 49 73 64 70 03 02 00 3C 00 18 61 61 61 61 61 61 61 61 \
             61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61",
        ]
        Client refuses [
            "10 0E 00 06 4D 51 49 73 64 70 03 02 00 3C 00 00", "10 0E 00 06 4D 51 49 73 64 70 03 00 00 3C 00 00",
        ] => 0x85 "v311 MQTT-3.1.3-8"
    }
    // CONNECT flag 0, fixed header flags other than those of PUBLISH, DUP at QoS 0.
    v31_u_3_1_3_unused_flags_are_ignored {
        Client takes ["10 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61", "62 02 00 01", "30 03 00 01 61", "C0 00"]
        Client reads [
            "10 0F 00 06 4D 51 49 73 64 70 03 03 00 3C 00 01 61", "1F 0F 00 06 4D 51 49 73 64 70 03 02 00 3C 00 01 61",
            "60 02 00 01", "4F 02 00 01", "C9 00", "E3 00", "38 03 00 01 61", "39 03 00 01 61",
        ]
        Server reads ["2F 02 00 00", "91 03 00 01 01", "B8 02 00 01", "D1 00"]
    }
    v31_u_3_1_4_dup_on_repeated_requests {
        Client takes ["62 02 00 01", "82 06 00 01 00 01 61 01", "A2 05 00 01 00 01 61"]
        Client reads ["6A 02 00 01", "8A 06 00 01 00 01 61 01", "AA 05 00 01 00 01 61"]
    }
    v31_u_3_1_5_user_name_and_password_may_be_missing {
        Client takes [
            "10 15 00 06 4D 51 49 73 64 70 03 C2 00 3C 00 01 61 00 01 75 00 01 70",
            "10 12 00 06 4D 51 49 73 64 70 03 82 00 3C 00 01 61 00 01 75",
        ]
        Client reads [
            "10 0F 00 06 4D 51 49 73 64 70 03 C2 00 3C 00 01 61", "10 12 00 06 4D 51 49 73 64 70 03 C2 00 3C 00 01 61 00 01 75",
            "10 0F 00 06 4D 51 49 73 64 70 03 82 00 3C 00 01 61",
        ]
        // Not half of it, and not the Will.
        Client refuses [
            "10 10 00 06 4D 51 49 73 64 70 03 82 00 3C 00 01 61 00", "10 11 00 06 4D 51 49 73 64 70 03 82 00 3C 00 01 61 00 01",
            "10 0F 00 06 4D 51 49 73 64 70 03 06 00 3C 00 01 61",
        ] => close "v311 2.2.3"
    }
    v31_u_3_1_6_password_without_user_name {
        Client takes ["10 15 00 06 4D 51 49 73 64 70 03 C2 00 3C 00 01 61 00 01 75 00 01 70"]
        Client refuses ["10 12 00 06 4D 51 49 73 64 70 03 42 00 3C 00 01 61 00 01 70"] => close "v311 MQTT-3.1.2-22"
    }
    v31_u_3_1_7_will_flags_without_will {
        Client takes ["10 15 00 06 4D 51 49 73 64 70 03 2E 00 3C 00 01 61 00 01 74 00 01 6D"]
        Client refuses ["10 0F 00 06 4D 51 49 73 64 70 03 0A 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-13"
        Client refuses ["10 0F 00 06 4D 51 49 73 64 70 03 22 00 3C 00 01 61"] => close "v311 MQTT-3.1.2-15"
    }
    v31_u_3_1_8_qos_3 {
        Client takes ["34 05 00 01 61 00 01"]
        Client refuses ["36 05 00 01 61 00 01"] => close "v311 MQTT-3.3.1-4"
        Client refuses ["10 15 00 06 4D 51 49 73 64 70 03 1E 00 3C 00 01 61 00 01 74 00 01 6D"] => close "v311 MQTT-3.1.2-14"
        Client refuses ["82 06 00 01 00 01 61 03"] => close "v311 MQTT-3.8.3-4"
    }
    v31_u_3_1_9_connack_has_no_flags {
        Server takes ["20 02 00 00", "20 02 00 05"]
        Server reads ["20 02 01 00", "20 02 FF 05"]
        Server refuses ["20 02 00 06"] => close "v311 MQTT-3.2.2-6"
    }
    v31_u_3_1_10_suback_says_no_failure {
        Server takes ["90 05 00 01 00 01 02"]
        Server refuses ["90 03 00 01 80"] => close "v311 MQTT-3.9.3-2"
    }
    v31_u_3_1_11_strings_are_those_of_3_1_1 {
        Client takes ["30 04 00 02 C3 A4", "30 06 00 04 EF BB BF 61"]
        Client refuses ["30 03 00 01 FF", "30 05 00 03 ED A0 80"] => close "v311 MQTT-1.5.3-1"
        Client refuses ["30 03 00 01 00"] => close "v311 MQTT-1.5.3-2"
    }
    v31_u_3_1_12_disconnect_is_the_clients {
        Client takes ["E0 00"]
        Client refuses ["E0 01 00"] => close "v311 2.2.3"
        Server refuses ["E0 00"] => close "v311 2.2.1"
    }
    v31_u_3_1_13_type_15_is_reserved {
        Client refuses ["F0 00", "00 00"] => close "v311 2.2.1"
        Server refuses ["F0 00"] => close "v311 2.2.1"
    }
}
