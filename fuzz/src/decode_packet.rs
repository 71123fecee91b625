//! Any bytes are refused with a reason, incomplete, or a packet whose every part keeps its rule.

use mqtt_core::{
    Decoder, Packet, Properties, PropertiesBuf, Property, ProtocolVersion, TopicFilter, TopicName,
    Utf8,
};

use crate::setting;

/// Decodes `data` and looks at every part of what comes out.
///
/// # Panics
/// If the three ways of decoding disagree, or if a part does not keep the rule of its type.
pub fn decode_packet(mut data: &[u8]) {
    if let Some(decoder) = setting::decoder(&mut data) {
        check(decoder, data);
    }
}

pub(crate) fn check(decoder: Decoder, data: &[u8]) {
    let mut learning = decoder;
    let found = learning.next(data);
    match (found, decoder.frame(data)) {
        (Ok(None), framed) => assert_eq!(framed, Ok(None)),
        (Ok(Some((packet, len))), framed) => {
            assert_eq!(framed, Ok(Some(len)));
            assert_eq!(decoder.decode(&data[..len]), Ok(packet));
            assert!(u32::try_from(len).is_ok_and(|len| len <= decoder.maximum_packet_size.get()));
            look_through(&packet, decoder.strict_text);
        }
        (Err(error), Ok(Some(len))) => assert_eq!(decoder.decode(&data[..len]), Err(error)),
        (Err(error), framed) => assert_eq!(framed, Err(error)),
    }
    if let Err(error) = found {
        assert!(error.reason_code().is_error());
        for version in ProtocolVersion::ALL {
            assert!(error.rule(version).starts_with('v'));
        }
    }
}

fn look_through(packet: &Packet<'_>, strict: bool) {
    let properties = match packet {
        Packet::Connect(connect) => {
            text(connect.client_id, strict);
            if let Some(username) = connect.username {
                text(username, strict);
            }
            if let Some(will) = connect.will {
                name(will.topic);
                list(will.properties, strict);
            }
            connect.properties
        }
        Packet::Connack(connack) => connack.properties,
        Packet::Publish(publish) => {
            if let Some(topic) = publish.topic {
                name(topic);
            }
            publish.properties
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack.properties
        }
        Packet::Subscribe(subscribe) => {
            assert!(!subscribe.filters.is_empty());
            assert_eq!(subscribe.filters.iter().count(), subscribe.filters.len());
            subscribe
                .filters
                .iter()
                .for_each(|(topic_filter, _)| filter(topic_filter));
            subscribe.properties
        }
        Packet::Suback(suback) => {
            assert!(!suback.reasons.is_empty());
            assert_eq!(suback.reasons.iter().count(), suback.reasons.len());
            suback.properties
        }
        Packet::Unsubscribe(unsubscribe) => {
            assert!(!unsubscribe.filters.is_empty());
            assert_eq!(
                unsubscribe.filters.iter().count(),
                unsubscribe.filters.len()
            );
            unsubscribe.filters.iter().for_each(filter);
            unsubscribe.properties
        }
        Packet::Unsuback(unsuback) => {
            assert_eq!(unsuback.reasons.iter().count(), unsuback.reasons.len());
            unsuback.properties
        }
        Packet::Pingreq | Packet::Pingresp => Properties::EMPTY,
        Packet::Disconnect(disconnect) => disconnect.properties,
        Packet::Auth(auth) => auth.properties,
    };
    list(properties, strict);
}

fn text(value: Utf8<'_>, strict: bool) {
    assert_eq!(Utf8::new(value.as_str()), Ok(value));
    assert!(!(strict && value.has_discouraged_characters()));
}

fn name(value: TopicName<'_>) {
    assert_eq!(TopicName::new(value.as_str()), Ok(value));
}

fn filter(value: TopicFilter<'_>) {
    assert_eq!(TopicFilter::new(value.as_str()), Ok(value));
}

fn list(properties: Properties<'_>, strict: bool) {
    let items: Vec<Property<'_>> = properties.iter().collect();
    // A list that cannot go through its own bytes would be shorter than they say.
    assert_eq!(Properties::new(&items), properties);
    for item in &items {
        assert!(properties.contains(item.id()));
        assert_eq!(properties.without(item.id()).find(item.id()), None);
        match *item {
            Property::ResponseTopic(topic) => name(topic),
            Property::ReasonString(value) | Property::AuthenticationMethod(value) => {
                text(value, strict)
            }
            Property::UserProperty(key, value) => {
                text(key, strict);
                text(value, strict);
            }
            _ => {}
        }
    }
    assert_eq!(properties.is_empty(), items.is_empty());
    let kept = PropertiesBuf::try_from(properties).expect("properties of a packet can be kept");
    assert_eq!(kept.as_properties(), properties);
}
