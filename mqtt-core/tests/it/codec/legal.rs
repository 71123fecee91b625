//! Packets that are legal but rare.

use super::accepted;

accepted! {
    v5_mqtt_1_5_4_3_byte_order_mark_in_topic_name: V5 Client ["30 07 00 04 EF BB BF 61 00"];
    v311_mqtt_1_5_3_3_byte_order_mark_in_topic_name: V3_1_1 Client ["30 06 00 04 EF BB BF 61"];
    v5_discouraged_characters_are_taken: V5 Client [
        "30 04 00 01 01 00", "30 05 00 02 C2 80 00", "30 06 00 03 EF BF BE 00", "30 06 00 03 EF B7 90 00",
        "30 08 00 05 41 F0 AA 9B 94 00",
    ];
    v5_empty_payload_and_properties: V5 Client ["30 04 00 01 61 00", "32 06 00 01 61 00 0A 00", "3D 06 00 01 61 FF FF 00"];
    v5_topic_alias_without_and_with_topic_name: V5 Client [
        "30 06 00 00 03 23 00 01", "30 07 00 01 61 03 23 FF FF", "33 08 00 00 00 01 03 23 00 01",
    ];
    v5_message_expiry_interval_0: V5 Client ["30 09 00 01 61 05 02 00 00 00 00"];
    v5_mqtt_3_3_4_4_several_subscription_identifiers: V5 Server ["30 08 00 01 61 04 0B 01 0B 02",
        "30 0E 00 01 61 0A 0B FF FF FF 7F 0B 80 80 80 01"];
    v5_user_properties_repeat: V5 Client ["30 12 00 01 61 0E 26 00 01 62 00 01 31 26 00 01 62 00 01 31"];
    v5_short_and_long_forms_of_acknowledgements: V5 Client [
        "40 02 00 01", "40 03 00 01 00", "40 04 00 01 00 00", "50 02 00 01", "50 03 00 01 80", "50 04 00 01 80 00",
        "62 02 00 01", "62 03 00 01 92", "62 04 00 01 00 00", "70 02 00 01", "70 03 00 01 92", "70 04 00 01 92 00",
        "40 07 00 01 00 03 1F 00 00", "40 08 00 01 87 04 1F 00 01 78",
    ];
    v5_no_matching_subscribers: V5 Server ["40 03 00 01 10", "50 04 00 01 10 00"];
    v5_short_and_long_forms_of_disconnect: V5 Client [
        "E0 00", "E0 01 00", "E0 02 00 00", "E0 01 04", "E0 07 00 05 11 00 00 00 3C", "E0 02 81 00",
    ];
    v5_disconnect_of_a_server: V5 Server ["E0 01 8E", "E0 06 9C 04 1C 00 01 73", "E0 0A 9D 08 1C 00 01 73 1F 00 01 72"];
    v5_auth_of_both_sides: V5 Server ["F0 06 18 04 15 00 01 6D", "F0 0A 00 08 15 00 01 6D 16 00 01 64"];
    v5_auth_of_a_client: V5 Client ["F0 06 19 04 15 00 01 6D", "F0 0A 18 08 16 00 01 64 15 00 01 6D"];
    v5_connack_with_every_property: V5 Server [
        "20 3B 00 00 38 11 00 00 00 3C 21 00 0A 24 01 25 01 27 00 00 10 00 12 00 01 69 22 00 0A 1F 00 01 72 26 00 01 61 00 01 62 28 01 29 00 2A 01 13 00 1E 1A 00 01 2F 1C 00 01 73 15 00 01 6D",
    ];
    v5_mqtt_3_1_2_19_password_without_user_name: V5 Client ["10 11 00 04 4D 51 54 54 05 42 00 3C 00 00 01 61 00 01 FF"];
    v5_empty_client_identifier: V5 Client [
        "10 0D 00 04 4D 51 54 54 05 02 00 3C 00 00 00", "10 0D 00 04 4D 51 54 54 05 00 00 3C 00 00 00",
    ];
    v5_mqtt_3_1_3_5_client_identifier_of_23_characters: V5 Client [
        "10 24 00 04 4D 51 54 54 05 02 00 3C 00 00 17 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41",
    ];
    v311_mqtt_3_1_3_5_client_identifier_of_23_characters: V3_1_1 Client [
        "10 23 00 04 4D 51 54 54 04 02 00 3C 00 17 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41 5A 30 39 61 7A 41",
    ];
    v311_empty_client_identifier_with_clean_session: V3_1_1 Client ["10 0C 00 04 4D 51 54 54 04 02 00 3C 00 00"];
    v5_empty_will_payload_and_password: V5 Client [
        "10 18 00 04 4D 51 54 54 05 F6 00 00 00 00 01 61 00 00 01 74 00 00 00 00 00 00",
    ];
    v311_empty_user_name_and_password: V3_1_1 Client ["10 11 00 04 4D 51 54 54 04 C2 00 3C 00 01 61 00 00 00 00"];
    v5_mqtt_4_8_2_1_shared_subscriptions: V5 Client [
        "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 02", "82 11 00 01 00 00 0B 24 73 68 61 72 65 2F 67 2F 2F 61 02",
        "82 0C 00 01 00 00 06 24 73 68 61 72 65 04",
    ];
    v311_share_has_no_meaning: V3_1_1 Client ["82 0D 00 01 00 08 24 73 68 61 72 65 2F 67 00"];
    v5_subscribe_options: V5 Client ["82 07 00 01 00 00 01 61 2E", "82 09 00 01 02 0B 01 00 01 61 1D"];
    v5_suback_codes: V5 Server ["90 0F 00 01 00 00 01 02 80 83 87 8F 91 97 9E A1 A2"];
    v5_unsuback_codes: V5 Server ["B0 0A 00 01 00 00 11 80 83 87 8F 91"];
    v311_suback_codes: V3_1_1 Server ["90 06 00 01 00 01 02 80"];
    v311_remaining_length_not_minimal: V3_1_1 Client ["C0 80 00", "30 83 80 80 00 00 01 61"];
    v31_unused_bits_are_ignored: V3_1 Client [
        "1F 0F 00 06 4D 51 49 73 64 70 03 03 00 3C 00 01 61", "6A 02 00 01", "8A 06 00 01 00 01 61 01",
        "AA 05 00 01 00 01 61", "60 02 00 01", "4F 02 00 01", "38 03 00 01 61", "C9 00", "E3 00",
    ];
    v31_connack_reserved_byte_is_ignored: V3_1 Server ["20 02 01 00", "20 02 FF 05"];
    v31_user_name_and_password_may_be_missing: V3_1 Client [
        "10 0F 00 06 4D 51 49 73 64 70 03 C2 00 3C 00 01 61", "10 12 00 06 4D 51 49 73 64 70 03 C2 00 3C 00 01 61 00 01 75",
        "10 0F 00 06 4D 51 49 73 64 70 03 82 00 3C 00 01 61",
    ];
}
