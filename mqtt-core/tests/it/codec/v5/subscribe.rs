//! SUBSCRIBE, UNSUBSCRIBE, their answers, and Topic Filters.

use crate::codec::verdicts;

verdicts! {
    V5;

    v5_mqtt_3_8_1_1_flags_of_subscribe {
        Client takes ["82 07 00 01 00 00 01 61 00"]
        Client refuses ["80 07 00 01 00 00 01 61 00", "8A 07 00 01 00 00 01 61 00"] => 0x81 "v5 MQTT-3.8.1-1"
    }
    v5_mqtt_3_8_3_1_topic_filter_is_utf8 {
        Client takes ["82 08 00 01 00 00 02 C3 A4 00"]
        Client refuses ["82 07 00 01 00 00 01 FF 00"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_3_8_3_2_at_least_one_topic_filter {
        Client takes ["82 07 00 01 00 00 01 61 00", "82 0B 00 01 00 00 01 61 00 00 01 62 01"]
        Client refuses ["82 03 00 01 00", "82 05 00 01 02 0B 01"] => 0x82 "v5 MQTT-3.8.3-2"
    }
    v5_mqtt_3_8_3_4_no_local_on_a_shared_subscription {
        Client takes [
            "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 02", "82 07 00 01 00 00 01 61 04",
            // "$share" alone is an ordinary filter.
            "82 0C 00 01 00 00 06 24 73 68 61 72 65 04",
        ]
        Client refuses [
            "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 04",
            "82 14 00 01 00 00 01 61 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 05",
        ] => 0x82 "v5 MQTT-3.8.3-4"
    }
    v5_mqtt_3_8_3_5_reserved_option_bits {
        Client takes ["82 07 00 01 00 00 01 61 2E", "82 09 00 01 02 0B 01 00 01 61 1D"]
        Client refuses ["82 07 00 01 00 00 01 61 40", "82 07 00 01 00 00 01 61 80", "82 0B 00 01 00 00 01 61 00 00 01 62 C0"]
            => 0x81 "v5 MQTT-3.8.3-5"
    }
    v5_u_5_9_qos_3_and_retain_handling_3 {
        Client takes ["82 0F 00 01 00 00 01 61 00 00 01 62 11 00 01 63 22"]
        Client refuses ["82 07 00 01 00 00 01 61 03", "82 07 00 01 00 00 01 61 30"] => 0x82 "v5 3.8.3.1"
    }
    v5_u_5_10_request_without_topic_filters {
        Client takes ["82 07 00 01 00 00 01 61 00", "A2 06 00 01 00 00 01 61"]
        Client refuses ["82 03 00 01 00"] => 0x82 "v5 MQTT-3.8.3-2"
        Client refuses ["A2 03 00 01 00"] => 0x82 "v5 MQTT-3.10.3-2"
    }
    v5_subscribe_that_ends_early {
        Client refuses ["82 00", "82 02 00 01", "82 06 00 01 00 00 01 61", "82 06 00 01 00 00 02 61", "82 04 00 01 00 00"]
            => 0x81 "v5 2.1.4"
    }
    v5_subscribe_with_every_property {
        Client takes ["82 12 00 01 0B 0B 80 80 80 01 26 00 01 61 00 00 00 01 61 00"]
    }

    // Topic Filters
    v5_mqtt_4_7_1_1_multi_level_wildcard {
        Client takes ["82 07 00 01 00 00 01 23 00", "82 09 00 01 00 00 03 61 2F 23 00", "A2 08 00 01 00 00 03 2B 2F 23"]
        Client refuses [
            "82 08 00 01 00 00 02 61 23 00", "82 09 00 01 00 00 03 23 2F 61 00", "82 0B 00 01 00 00 05 61 2F 23 2F 62 00",
            "82 08 00 01 00 00 02 23 23 00", "A2 07 00 01 00 00 02 61 23", "82 09 00 01 00 00 03 23 61 2F 00",
        ] => 0x81 "v5 MQTT-4.7.1-1"
    }
    v5_mqtt_4_7_1_2_single_level_wildcard {
        Client takes [
            "82 07 00 01 00 00 01 2B 00", "82 0B 00 01 00 00 05 61 2F 2B 2F 62 00", "A2 07 00 01 00 00 02 2F 2B",
            "A2 08 00 01 00 00 03 2B 2F 2B",
        ]
        Client refuses [
            "82 08 00 01 00 00 02 61 2B 00", "82 08 00 01 00 00 02 2B 61 00", "82 0C 00 01 00 00 06 61 2F 62 2B 2F 63 00",
            "A2 07 00 01 00 00 02 2B 2B",
        ] => 0x81 "v5 MQTT-4.7.1-2"
    }
    v5_mqtt_4_7_0_1_wildcards_are_for_filters {
        Client takes ["82 08 00 01 00 00 02 2F 2B 00", "30 05 00 02 2F 61 00"]
        Client refuses [
            "30 05 00 02 2F 2B 00", "10 15 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 01 23 00 01 6D",
            "10 17 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 03 61 2F 2B 00 01 6D",
        ] => 0x81 "v5 MQTT-4.7.0-1"
    }
    v5_mqtt_4_7_3_1_at_least_one_character {
        Client takes ["82 07 00 01 00 00 01 2F 00", "A2 06 00 01 00 00 01 2F", "30 04 00 01 2F 00", "30 06 00 00 03 23 00 01"]
        Client refuses [
            "82 06 00 01 00 00 00 00", "A2 05 00 01 00 00 00", "30 07 00 01 61 03 08 00 00",
            "10 14 00 04 4D 51 54 54 05 06 00 3C 00 00 01 61 00 00 00 00 01 6D",
        ] => 0x81 "v5 MQTT-4.7.3-1"
        Client refuses ["30 03 00 00 00"] => 0x82 "v5 3.3.2.1"
    }
    v5_mqtt_4_7_3_2_null_in_topics {
        Client takes ["82 07 00 01 00 00 01 20 00", "30 06 00 03 61 20 62 00"]
        Client refuses ["82 07 00 01 00 00 01 00 00", "A2 06 00 01 00 00 01 00", "30 06 00 03 61 00 62 00"]
            => 0x81 "v5 MQTT-1.5.4-2"
    }
    v5_mqtt_4_8_2_1_share_name {
        // "$share/g/a", "$share/g//a"; "$Share//a" is an ordinary filter.
        Client takes [
            "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 61 02", "82 11 00 01 00 00 0B 24 73 68 61 72 65 2F 67 2F 2F 61 02",
            "82 0F 00 01 00 00 09 24 53 68 61 72 65 2F 2F 61 00",
        ]
        Client refuses ["82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 2F 61 00", "A2 0E 00 01 00 00 09 24 73 68 61 72 65 2F 2F 61"]
            => 0x81 "v5 MQTT-4.8.2-1"
    }
    v5_mqtt_4_8_2_2_what_is_in_and_behind_the_share_name {
        Client takes [
            "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 2B 00", "A2 0F 00 01 00 00 0A 24 73 68 61 72 65 2F 67 2F 23",
        ]
        // "$share/+/a", "$share/g", "$share/g/".
        Client refuses [
            "82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 2B 2F 61 00", "82 0E 00 01 00 00 08 24 73 68 61 72 65 2F 67 00",
            "82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 67 2F 00", "A2 0D 00 01 00 00 08 24 73 68 61 72 65 2F 67",
            "A2 0D 00 01 00 00 08 24 73 68 61 72 65 2F 23",
        ] => 0x81 "v5 MQTT-4.8.2-2"
        // "$share/g+/a" and "$share/#/a" are no Topic Filters at all.
        Client refuses ["82 11 00 01 00 00 0B 24 73 68 61 72 65 2F 67 2B 2F 61 00"] => 0x81 "v5 MQTT-4.7.1-2"
        Client refuses ["82 10 00 01 00 00 0A 24 73 68 61 72 65 2F 23 2F 61 00"] => 0x81 "v5 MQTT-4.7.1-1"
    }

    // SUBACK, UNSUBSCRIBE, UNSUBACK
    v5_mqtt_3_9_3_2_reason_codes_of_suback {
        Server takes ["90 0F 00 01 00 00 01 02 80 83 87 8F 91 97 9E A1 A2", "90 04 00 01 00 00"]
        Server refuses ["90 04 00 01 00 03", "90 04 00 01 00 8C", "90 04 00 01 00 11", "90 05 00 01 00 01 FF"]
            => 0x82 "v5 MQTT-3.9.3-2"
    }
    v5_mqtt_3_9_3_1_suback_without_reason_codes {
        Server takes ["90 04 00 01 00 01", "90 08 00 01 04 1F 00 01 72 00"]
        Server refuses ["90 03 00 01 00"] => 0x82 "v5 MQTT-3.9.3-1"
    }
    v5_mqtt_3_10_1_1_flags_of_unsubscribe {
        Client takes ["A2 06 00 01 00 00 01 61"]
        Client refuses ["A0 06 00 01 00 00 01 61", "AA 06 00 01 00 00 01 61"] => 0x81 "v5 MQTT-3.10.1-1"
    }
    v5_mqtt_3_10_3_1_topic_filter_is_utf8 {
        Client takes ["A2 07 00 01 00 00 02 C3 A4"]
        Client refuses ["A2 06 00 01 00 00 01 FF"] => 0x81 "v5 MQTT-1.5.4-1"
    }
    v5_mqtt_3_10_3_2_at_least_one_topic_filter {
        Client takes ["A2 06 00 01 00 00 01 61", "A2 09 00 01 00 00 01 61 00 01 62", "A2 0B 00 01 05 26 00 00 00 00 00 01 61"]
        Client refuses ["A2 03 00 01 00", "A2 08 00 01 05 26 00 00 00 00"] => 0x82 "v5 MQTT-3.10.3-2"
    }
    v5_mqtt_3_11_3_2_reason_codes_of_unsuback {
        Server takes ["B0 0A 00 01 00 00 11 80 83 87 8F 91", "B0 04 00 01 00 00"]
        Server refuses ["B0 04 00 01 00 01", "B0 04 00 01 00 97", "B0 05 00 01 00 00 02"] => 0x82 "v5 MQTT-3.11.3-2"
    }
    v5_mqtt_3_11_3_1_unsuback_without_reason_codes {
        Server takes ["B0 04 00 01 00 00", "B0 08 00 01 04 1F 00 01 72 00"]
        Server refuses ["B0 03 00 01 00"] => 0x82 "v5 MQTT-3.11.3-1"
    }
}
