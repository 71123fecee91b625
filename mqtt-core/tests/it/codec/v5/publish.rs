//! PUBLISH and its acknowledgements.

use crate::codec::verdicts;

verdicts! {
    V5;

    v5_mqtt_3_3_1_2_dup_at_qos_0 {
        Client takes ["30 04 00 01 61 00", "31 04 00 01 61 00", "3A 06 00 01 61 00 01 00", "3D 06 00 01 61 00 01 00"]
        Client refuses ["38 04 00 01 61 00", "39 04 00 01 61 00"] => 0x81 "v5 MQTT-3.3.1-2"
    }
    v5_mqtt_3_3_1_4_both_qos_bits_set {
        Client takes ["30 04 00 01 61 00", "32 06 00 01 61 00 01 00", "34 06 00 01 61 00 01 00"]
        Client refuses [
            "36 06 00 01 61 00 01 00", "37 06 00 01 61 00 01 00", "3E 06 00 01 61 00 01 00", "3F 06 00 01 61 00 01 00",
        ] => 0x81 "v5 MQTT-3.3.1-4"
    }
    // What has a first byte that a PUBLISH may have: these ten, and no others.
    v5_every_first_byte_of_publish {
        Client takes [
            "30 04 00 01 61 00", "31 04 00 01 61 00", "32 06 00 01 61 00 01 00", "33 06 00 01 61 00 01 00",
            "34 06 00 01 61 00 01 00", "35 06 00 01 61 00 01 00", "3A 06 00 01 61 00 01 00", "3B 06 00 01 61 00 01 00",
            "3C 06 00 01 61 00 01 00", "3D 06 00 01 61 00 01 00",
        ]
    }
    v5_mqtt_3_3_2_1_topic_name_is_the_first_field_and_utf8 {
        Client takes ["30 05 00 02 C3 A4 00", "30 05 00 01 61 00 78"]
        Client refuses ["30 04 00 01 FF 00"] => 0x81 "v5 MQTT-1.5.4-1"
        Client refuses ["30 02 00 05", "30 01 00", "30 00", "30 04 FF FF 61 00"] => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_3_2_2_wildcard_in_topic_name {
        Client takes ["30 06 00 03 61 2F 62 00", "30 06 00 03 61 2F 2A 00", "30 05 00 02 24 61 00"]
        Client refuses ["30 06 00 03 61 2F 23 00", "30 06 00 03 61 2F 2B 00", "30 04 00 01 23 00", "30 05 00 02 61 2B 00"]
            => 0x81 "v5 MQTT-4.7.0-1"
    }
    v5_mqtt_3_3_2_8_topic_alias_0 {
        Client takes [
            "30 07 00 01 61 03 23 00 01", "30 06 00 00 03 23 00 01", "30 07 00 01 61 03 23 FF FF",
            "33 08 00 00 00 01 03 23 00 01",
        ]
        Client refuses ["30 07 00 01 61 03 23 00 00", "30 06 00 00 03 23 00 00"] => 0x94 "v5 MQTT-3.3.2-8"
    }
    v5_mqtt_3_3_2_13_response_topic_is_utf8 {
        Client takes ["30 09 00 01 61 05 08 00 02 C3 A4"]
        Client refuses ["30 08 00 01 61 04 08 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_3_3_2_14_wildcard_in_response_topic {
        Client takes [
            "30 0A 00 01 61 06 08 00 03 61 2F 62",
            "10 19 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 04 08 00 01 62 00 01 74 00 01 6D",
        ]
        Client refuses [
            "30 0A 00 01 61 06 08 00 03 61 2F 23", "30 08 00 01 61 04 08 00 01 2B",
            "10 19 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 04 08 00 01 23 00 01 74 00 01 6D",
        ] => 0x81 "v5 MQTT-4.7.0-1"
    }
    v5_mqtt_3_3_2_18_order_of_user_properties {
        // ("b","1") ("a","2") ("b","3")
        Client takes ["30 19 00 01 61 15 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 01 33"]
        Client refuses ["30 19 00 01 61 15 26 00 01 62 00 01 31 26 00 01 61 00 01 32 26 00 01 62 00 02 33"]
            => 0x81 "v5 2.1.4"
    }
    v5_mqtt_3_3_2_19_content_type_is_utf8 {
        Client takes ["30 09 00 01 61 05 03 00 02 C3 A4", "30 07 00 01 61 03 03 00 00"]
        Client refuses ["30 08 00 01 61 04 03 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_u_5_6_topic_name_or_topic_alias {
        Client takes ["30 04 00 01 61 00", "30 06 00 00 03 23 00 01"]
        Client refuses ["30 03 00 00 00", "30 05 00 00 02 01 00", "32 05 00 00 00 01 00"] => 0x82 "v5 3.3.2.1"
        Client refuses ["30 06 00 00 03 23 00 00"] => 0x94 "v5 MQTT-3.3.2-8"
    }
    v5_mqtt_3_3_4_4_several_subscription_identifiers {
        Server takes ["30 08 00 01 61 04 0B 01 0B 02", "30 0E 00 01 61 0A 0B FF FF FF 7F 0B 80 80 80 01"]
        // In a SUBSCRIBE there is one.
        Client refuses ["82 0B 00 01 04 0B 01 0B 02 00 01 61 00"] => 0x82 "v5 3.8.2.1.2"
    }
    v5_mqtt_3_3_4_6_subscription_identifier_from_a_client {
        Server takes ["30 06 00 01 61 02 0B 01"]
        Client refuses ["30 06 00 01 61 02 0B 01"] => 0x82 "v5 MQTT-3.3.4-6"
    }
    v5_publish_with_every_property {
        Server takes [
            "30 2C 00 00 28 01 01 02 FF FF FF FF 03 00 01 63 08 00 03 72 2F 73 09 00 02 FF 00 23 01 02 0B FF FF FF 7F 0B 80 01 \
             26 00 01 6E 00 01 76 78",
        ]
    }
    v5_publish_without_payload {
        Client takes ["30 04 00 01 61 00", "32 06 00 01 61 00 0A 00", "3D 06 00 01 61 FF FF 00"]
    }
    v5_publish_without_packet_identifier {
        Client refuses ["32 03 00 01 61", "34 04 00 01 61 00"] => 0x81 "v5 2.1.4"
    }

    // PUBACK, PUBREC, PUBREL, PUBCOMP
    v5_mqtt_3_4_2_1_reason_codes_of_puback {
        Server takes [
            "40 02 00 01", "40 03 00 01 10", "40 03 00 01 80", "40 03 00 01 83", "40 03 00 01 87", "40 03 00 01 90",
            "40 03 00 01 91", "40 03 00 01 97", "40 03 00 01 99",
        ]
        Server refuses ["40 03 00 01 11", "40 03 00 01 92", "40 03 00 01 01", "40 03 00 01 81", "40 03 00 01 FF"]
            => 0x82 "v5 MQTT-3.4.2-1"
        // Only a server knows that nobody has subscribed.
        Client takes ["40 03 00 01 87"]
        Client refuses ["40 03 00 01 10"] => 0x82 "v5 MQTT-3.4.2-1"
    }
    v5_mqtt_3_5_2_1_reason_codes_of_pubrec {
        Server takes [
            "50 02 00 01", "50 03 00 01 10", "50 03 00 01 80", "50 03 00 01 83", "50 03 00 01 87", "50 03 00 01 90",
            "50 03 00 01 91", "50 03 00 01 97", "50 03 00 01 99",
        ]
        Server refuses ["50 03 00 01 92", "50 03 00 01 02", "50 03 00 01 A2"] => 0x82 "v5 MQTT-3.5.2-1"
    }
    v5_mqtt_3_6_1_1_flags_of_pubrel {
        Client takes ["62 02 00 01"]
        Client refuses ["60 02 00 01", "63 02 00 01", "6A 02 00 01"] => 0x81 "v5 MQTT-3.6.1-1"
    }
    v5_mqtt_3_6_2_1_reason_codes_of_pubrel {
        Server takes ["62 02 00 01", "62 03 00 01 92"]
        Server refuses ["62 03 00 01 80", "62 03 00 01 10", "62 04 00 01 91 00"] => 0x82 "v5 MQTT-3.6.2-1"
    }
    v5_mqtt_3_7_2_1_reason_codes_of_pubcomp {
        Server takes ["70 02 00 01", "70 03 00 01 92"]
        Server refuses ["70 03 00 01 80", "70 03 00 01 10"] => 0x82 "v5 MQTT-3.7.2-1"
    }
    // Success and no properties may be left out, and need not be.
    v5_short_and_long_acknowledgements {
        Client takes [
            "40 02 00 01", "40 03 00 01 87", "40 07 00 01 00 03 1F 00 00", "40 08 00 01 87 04 1F 00 01 78", "50 02 00 01",
            "50 03 00 01 80", "62 02 00 01", "62 03 00 01 92", "70 02 00 01", "70 03 00 01 92",
            "40 10 00 01 87 0C 1F 00 02 6E 6F 26 00 01 61 00 01 62",
        ]
        Client reads [
            "40 03 00 01 00", "40 04 00 01 00 00", "50 03 00 01 00", "50 04 00 01 80 00", "62 03 00 01 00", "62 04 00 01 00 00",
            "70 03 00 01 00", "70 04 00 01 92 00",
        ]
        Client refuses ["40 00", "40 01 00", "50 05 00 01 00 00 00", "62 04 00 01 00 01", "70 05 00 01 00 00 26"]
            => 0x81 "v5 2.1.4"
    }
}
