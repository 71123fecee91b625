//! The exchanges of QoS 1 and 2, from their first packet to their last.

use mqtt_core::{QoS, server::Event};

use super::{RESUME_V5, publish, resume, v5, v311};

#[test]
fn v311_mqtt_4_3_2_1_a_message_of_qos_1_is_unacknowledged_until_its_puback() {
    let mut peer = v311();
    publish(&mut peer, QoS::AtLeastOnce);
    publish(&mut peer, QoS::AtLeastOnce);
    // DUP 0 and identifiers of their own.
    peer.assert_sent("32 06 00 01 'a' 00 01 'x' 32 06 00 01 'a' 00 02 'x'");
    peer.feed("40 02 00 02");
    let outcomes = peer.events();
    assert!(
        matches!(outcomes.as_slice(), [Event::Outcome { .. }]),
        "{outcomes:?}"
    );
    assert_eq!(peer.server.session().unwrap().in_flight(), 1);
    resume(peer, super::RESUME_V311, "3A 06 00 01 'a' 00 01 'x'");
}

#[test]
fn v5_mqtt_4_3_2_1_and_2_a_new_message_of_qos_1_has_a_free_identifier_and_dup_0() {
    let mut peer = v5();
    publish(&mut peer, QoS::AtLeastOnce);
    publish(&mut peer, QoS::AtLeastOnce);
    peer.assert_sent("32 07 00 01 'a' 00 01 00 'x' 32 07 00 01 'a' 00 02 00 'x'");
    // Those that are sent again keep theirs, and a new one has another.
    let mut peer = resume(
        peer,
        RESUME_V5,
        "3A 07 00 01 'a' 00 01 00 'x' 3A 07 00 01 'a' 00 02 00 'x'",
    );
    publish(&mut peer, QoS::AtLeastOnce);
    peer.assert_sent("32 07 00 01 'a' 00 03 00 'x'");
}

#[test]
fn v5_mqtt_4_3_3_1_and_2_a_new_message_of_qos_2_has_a_free_identifier_and_dup_0() {
    let mut peer = v5();
    publish(&mut peer, QoS::ExactlyOnce);
    peer.assert_sent("34 07 00 01 'a' 00 01 00 'x'");
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    // It is taken until its PUBCOMP.
    publish(&mut peer, QoS::ExactlyOnce);
    peer.assert_sent("34 07 00 01 'a' 00 02 00 'x'");
}

#[test]
fn v5_mqtt_4_3_3_6_after_pubrel_the_publish_is_not_sent_again() {
    let mut peer = v5();
    publish(&mut peer, QoS::ExactlyOnce);
    peer.sent();
    peer.feed("50 02 00 01");
    peer.assert_sent("62 02 00 01");
    for _ in 0..3 {
        peer = resume(peer, RESUME_V5, "62 02 00 01");
        // Nor does another PUBREC make it.
        peer.feed("50 02 00 01");
        peer.assert_sent("62 02 00 01");
    }
    peer.feed("70 02 00 01");
    resume(peer, RESUME_V5, "");
}

#[test]
fn v5_mqtt_4_3_3_11_and_12_pubrel_is_answered_by_pubcomp_which_frees_the_identifier() {
    let mut peer = v5();
    for _ in 0..3 {
        peer.feed("34 07 00 01 'a' 12 34 00 'x'");
        peer.assert_sent("50 02 12 34");
        assert!(matches!(peer.events().as_slice(), [Event::Message { .. }]));
        // As long as it is held, it is the same message.
        peer.feed("3C 07 00 01 'a' 12 34 00 'x'");
        peer.assert_sent("50 02 12 34");
        assert!(peer.events().is_empty());
        peer.feed("62 02 12 34");
        peer.assert_sent("70 02 12 34");
    }
}
