//! Topic Aliases towards the client (v5 3.3.2.3.4).

use mqtt_core::{
    Message, QoS, TopicName,
    server::{Accept, Server, ServerLimits},
};

use super::support::Peer;

/// CONNECT of 5.0 with Topic Alias Maximum 1, whose session lasts for 100 s.
const ONE_ALIAS: &str = "10 16 00 04 'MQTT' 05 00 00 3C 08 11 00 00 00 64 22 00 01 00 01 'a'";

fn accept() -> Accept {
    Accept {
        outgoing_topic_aliases: 10,
        ..Accept::default()
    }
}

fn publish(peer: &mut Peer, topic: &str, payload: &'static str, qos: QoS) {
    let message = Message::new(TopicName::new(topic).unwrap(), payload).with_qos(qos);
    peer.server.publish(peer.now, message).unwrap();
}

#[test]
fn v5_mqtt_3_1_2_26_and_3_3_2_11_no_more_aliases_are_sent_than_the_client_takes() {
    let mut peer = Peer::connected(ONE_ALIAS, &accept());
    publish(&mut peer, "topic/1", "1", QoS::AtMostOnce);
    publish(&mut peer, "topic/1", "2", QoS::AtLeastOnce);
    // Topic and alias, then the alias alone.
    peer.assert_sent(
        "30 0E 00 07 'topic/1' 03 23 00 01 '1' \
         32 09 00 00 00 01 03 23 00 01 '2'",
    );
    // Another topic takes the one alias over, and one that is too short does not.
    publish(&mut peer, "topic/2", "3", QoS::AtMostOnce);
    publish(&mut peer, "a", "4", QoS::AtMostOnce);
    publish(&mut peer, "topic/2", "5", QoS::AtMostOnce);
    publish(&mut peer, "topic/1", "6", QoS::AtMostOnce);
    peer.assert_sent(
        "30 0E 00 07 'topic/2' 03 23 00 01 '3' \
         30 05 00 01 'a' 00 '4' \
         30 07 00 00 03 23 00 01 '5' \
         30 0E 00 07 'topic/1' 03 23 00 01 '6'",
    );
}

#[test]
fn v5_mqtt_3_1_2_27_no_alias_is_sent_to_a_client_that_takes_none() {
    // Topic Alias Maximum 0; in 3.1.1 there is no such thing.
    for (connect, sent) in [
        (
            "10 11 00 04 'MQTT' 05 02 00 3C 03 22 00 00 00 01 'a'",
            "30 0B 00 07 'topic/1' 00 'x' 30 0B 00 07 'topic/1' 00 'x'",
        ),
        (
            super::support::CONNECT_V311,
            "30 0A 00 07 'topic/1' 'x' 30 0A 00 07 'topic/1' 'x'",
        ),
    ] {
        let mut peer = Peer::connected(connect, &accept());
        publish(&mut peer, "topic/1", "x", QoS::AtMostOnce);
        publish(&mut peer, "topic/1", "x", QoS::AtMostOnce);
        peer.assert_sent(sent);
    }
}

#[test]
fn v5_mqtt_3_3_2_7_aliases_end_with_their_connection() {
    let mut peer = Peer::connected(ONE_ALIAS, &accept());
    publish(&mut peer, "topic/1", "1", QoS::AtLeastOnce);
    publish(&mut peer, "topic/1", "2", QoS::AtLeastOnce);
    peer.sent();
    peer.server.handle_close(peer.now);
    let server = std::mem::replace(
        &mut peer.server,
        Server::new(peer.now, ServerLimits::default()),
    );
    let session = server.into_session().unwrap();
    peer.feed(ONE_ALIAS);
    peer.connect_request();
    let accept = Accept {
        session_present: true,
        ..accept()
    };
    peer.server.accept(peer.now, session, &accept).unwrap();
    let sent = peer.sent();
    // DUP is set, and the alias is told anew.
    let expected = super::support::hex(
        "3A 10 00 07 'topic/1' 00 01 03 23 00 01 '1' 3A 09 00 00 00 02 03 23 00 01 '2'",
    );
    assert!(sent.ends_with(&expected), "{sent:02X?}");
}

#[test]
fn v5_mqtt_3_1_2_24_an_alias_makes_no_packet_too_large() {
    // Maximum Packet Size 13, Topic Alias Maximum 1: there is room for the packet, and none for an alias as well.
    let mut peer = Peer::connected(
        "10 16 00 04 'MQTT' 05 02 00 3C 08 22 00 01 27 00 00 00 0D 00 01 'a'",
        &Accept {
            // Nothing that would make the CONNACK too large.
            receive_maximum: mqtt_core::ReceiveMaximum::default(),
            maximum_packet_size: mqtt_core::MaximumPacketSize::LARGEST_POSSIBLE,
            topic_alias_maximum: 0,
            ..accept()
        },
    );
    publish(&mut peer, "topic/1", "1", QoS::AtMostOnce);
    publish(&mut peer, "topic/1", "2", QoS::AtMostOnce);
    peer.assert_sent("30 0B 00 07 'topic/1' 00 '1' 30 0B 00 07 'topic/1' 00 '2'");
    // With a shorter topic there is, and from then on for what would not have fitted before.
    publish(&mut peer, "abcde", "", QoS::AtMostOnce);
    publish(&mut peer, "abcde", "123", QoS::AtMostOnce);
    publish(&mut peer, "abcde", "1234", QoS::AtMostOnce);
    peer.assert_sent(
        "30 0B 00 05 'abcde' 03 23 00 01 30 09 00 00 03 23 00 01 '123' 30 0A 00 00 03 23 00 01 '1234'",
    );
}
