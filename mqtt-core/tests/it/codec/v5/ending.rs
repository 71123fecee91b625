//! DISCONNECT and AUTH.

use crate::codec::verdicts;

verdicts! {
    V5;

    v5_mqtt_3_14_1_1_flags_of_disconnect {
        Server takes ["E0 00", "E0 01 81"]
        Server refuses ["E1 00", "E2 00", "E8 01 81"] => 0x81 "v5 MQTT-3.14.1-1"
    }
    v5_mqtt_3_14_2_1_reason_codes_of_disconnect {
        Server takes [
            "E0 00", "E0 01 80", "E0 01 81", "E0 01 82", "E0 01 83", "E0 01 87", "E0 01 89", "E0 01 8B", "E0 01 8D", "E0 01 8E",
            "E0 01 8F", "E0 01 90", "E0 01 93", "E0 01 94", "E0 01 95", "E0 01 96", "E0 01 97", "E0 01 98", "E0 01 99",
            "E0 01 9A", "E0 01 9B", "E0 01 9C", "E0 01 9D", "E0 01 9E", "E0 01 9F", "E0 01 A0", "E0 01 A1", "E0 01 A2",
        ]
        Server refuses ["E0 01 01", "E0 01 85", "E0 01 04", "E0 01 FF", "E0 02 92 00"] => 0x82 "v5 MQTT-3.14.2-1"
        Client takes [
            "E0 00", "E0 01 04", "E0 01 80", "E0 01 81", "E0 01 82", "E0 01 83", "E0 01 90", "E0 01 93", "E0 01 94", "E0 01 95",
            "E0 01 96", "E0 01 97", "E0 01 98", "E0 01 99",
        ]
        Client refuses ["E0 01 8B", "E0 01 8D", "E0 01 8E", "E0 01 9D"] => 0x82 "v5 MQTT-3.14.2-1"
    }
    v5_mqtt_3_14_2_2_session_expiry_from_a_server {
        Client takes ["E0 07 00 05 11 00 00 00 3C"]
        Server refuses ["E0 07 00 05 11 00 00 00 3C"] => 0x82 "v5 MQTT-3.14.2-2"
    }
    v5_server_reference_from_a_client {
        Server takes ["E0 06 9C 04 1C 00 01 73", "E0 0A 9D 08 1C 00 01 73 1F 00 01 72"]
        Client refuses ["E0 06 00 04 1C 00 01 73"] => 0x82 "v5 3.14.2.2.5"
    }
    // 0x00 and no properties may be left out, and need not be.
    v5_short_and_long_disconnects {
        Client takes ["E0 00", "E0 01 04", "E0 07 00 05 11 00 00 00 3C", "E0 0B 81 09 1F 00 01 72 26 00 00 00 00"]
        Client reads ["E0 01 00", "E0 02 00 00", "E0 02 81 00"]
        Server refuses ["E0 03 81 00 00", "E0 02 81 01"] => 0x81 "v5 2.1.4"
    }

    v5_mqtt_3_15_1_1_flags_of_auth {
        Server takes ["F0 06 18 04 15 00 01 6D"]
        Server refuses ["F1 06 18 04 15 00 01 6D", "F2 06 18 04 15 00 01 6D"] => 0x81 "v5 MQTT-3.15.1-1"
    }
    v5_mqtt_3_15_2_1_reason_codes_of_auth {
        Server takes ["F0 06 00 04 15 00 01 6D", "F0 06 18 04 15 00 01 6D"]
        Server refuses ["F0 06 01 04 15 00 01 6D", "F0 06 19 04 15 00 01 6D"] => 0x82 "v5 MQTT-3.15.2-1"
        Client takes ["F0 06 19 04 15 00 01 6D", "F0 06 18 04 15 00 01 6D"]
        Client refuses ["F0 06 00 04 15 00 01 6D", "F0 00"] => 0x82 "v5 MQTT-3.15.2-1"
    }
    v5_u_5_12_auth_has_a_method {
        Server takes ["F0 0A 00 08 15 00 01 6D 16 00 01 64", "F0 0F 18 0D 1F 00 01 72 26 00 00 00 00 15 00 01 6D"]
        Server refuses ["F0 02 18 00", "F0 06 18 04 16 00 01 64"] => 0x82 "v5 3.15.2.2.2"
    }
    v5_auth_with_a_reason_code_alone {
        Server refuses ["F0 01 18"] => 0x81 "v5 2.1.4"
    }
}
