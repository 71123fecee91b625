//! Topic Aliases towards the server (v5 3.3.2.3.4).

use mqtt_core::{Message, Property, TopicName, client::Limits};

use crate::support::Pair;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.outgoing_topic_aliases = 10;
    limits
}

fn publish(pair: &mut Pair, topic: &str) {
    let message = Message::new(TopicName::new(topic).unwrap(), "x")
        .with_properties(&[Property::ContentType("c".try_into().unwrap())])
        .unwrap();
    pair.client.publish(pair.now, message).unwrap();
}

#[test]
fn v5_mqtt_3_2_2_17_and_3_3_2_9_no_more_aliases_are_sent_than_the_server_takes() {
    // Topic Alias Maximum 1.
    let mut pair = Pair::v5_with(limits(), "20 06 00 00 03 22 0001");
    publish(&mut pair, "topic/1");
    publish(&mut pair, "topic/1");
    publish(&mut pair, "topic/2");
    // The alias comes behind the other properties.
    pair.expect(
        "30 12 0007 'topic/1' 07 03 0001 'c' 23 0001 'x'
         30 0B 0000 07 03 0001 'c' 23 0001 'x'
         30 12 0007 'topic/2' 07 03 0001 'c' 23 0001 'x'",
    );
}

#[test]
fn v5_mqtt_3_2_2_18_no_alias_is_sent_where_the_server_takes_none_or_none_is_wanted() {
    for (limits, connack) in [
        (limits(), "20 03 00 00 00"),
        (Limits::default(), "20 06 00 00 03 22 0001"),
    ] {
        let mut pair = Pair::v5_with(limits, connack);
        publish(&mut pair, "topic/1");
        publish(&mut pair, "topic/1");
        pair.expect(
            "30 0F 0007 'topic/1' 04 03 0001 'c' 'x'
             30 0F 0007 'topic/1' 04 03 0001 'c' 'x'",
        );
    }
}
