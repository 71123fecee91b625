//! Subscribing, routing, acknowledging, and full streams.

use std::sync::Arc;
use std::time::Duration;

use mqtt_client::mqtt_core::{PacketType, PropertyHolder, SubscriptionId};
use mqtt_client::{
    AckMode, Client, EncodeError, Options, Outcome, Overflow, PacketId, Properties, PropertiesBuf,
    Property, ProtocolVersion, QoS, ReasonCode, StreamFull, SubscribeError, SubscribeOptions,
    Subscription, Unacknowledged, Utf8, Version,
};

use crate::support::{
    CONNACK_V5, CONNACK_V5_SESSION, CONNACK_V311, CONNACK_V311_SESSION, Peer, SECOND, Server,
    connected, message, scripted,
};

/// Subscribes while the scripted server grants exactly the QoS asked for. Returns the SUBSCRIBE too.
async fn subscribed(
    client: &Client,
    peer: &mut Peer,
    filter: &'static str,
    options: impl Into<SubscribeOptions>,
) -> (Subscription, Vec<u8>) {
    let options = options.into();
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe(filter, options).await }
    });
    let packet = peer.packet().await;
    grant(peer, &packet).await;
    (subscribing.await.unwrap().unwrap(), packet)
}

/// Answers a SUBSCRIBE of one filter: its last byte holds the QoS.
async fn grant(peer: &mut Peer, subscribe: &[u8]) {
    assert_eq!(subscribe[0], 0x82);
    let granted = subscribe.last().unwrap() & 0x03;
    // Only 5.0 has the length of properties after the Packet Identifier, and here it is never 0 in the SUBSCRIBE.
    let is_v5 = subscribe[4] != 0x00;
    match is_v5 {
        true => {
            peer.send(&[0x90, 0x04, subscribe[2], subscribe[3], 0x00, granted])
                .await
        }
        false => {
            peer.send(&[0x90, 0x03, subscribe[2], subscribe[3], granted])
                .await
        }
    }
}

/// SUBACK of 5.0 with one Reason Code, and what the server says.
fn suback(subscribe: &[u8], reason: u8) -> Vec<u8> {
    answer_to(subscribe, 0x90, reason)
}

/// SUBACK or UNSUBACK: Packet Identifier, 13 bytes of properties, one Reason Code.
fn answer_to(request: &[u8], first: u8, reason: u8) -> Vec<u8> {
    [
        &[first, 0x11, request[2], request[3], 0x0D][..],
        &[0x1F, 0x00, 0x03, b'w', b'h', b'y'],
        &[0x26, 0x00, 0x01, b'a', 0x00, 0x01, b'b'],
        &[reason],
    ]
    .concat()
}

/// The properties of such an answer.
fn said() -> [Property<'static>; 2] {
    let reason_string = Utf8::new("why").unwrap();
    [Property::ReasonString(reason_string), user("a", "b")]
}

fn user<'a>(name: &'a str, value: &'a str) -> Property<'a> {
    Property::UserProperty(Utf8::new(name).unwrap(), Utf8::new(value).unwrap())
}

/// PUBLISH of 5.0 to `t`, QoS 1.
fn publish_v5(packet_id: u8, payload: u8) -> [u8; 9] {
    [0x32, 0x07, 0x00, 0x01, b't', 0x00, packet_id, 0x00, payload]
}

/// PUBLISH of 3.1.1 to `t`, QoS 1.
fn publish_v311(packet_id: u8, payload: u8) -> [u8; 8] {
    [0x32, 0x06, 0x00, 0x01, b't', 0x00, packet_id, payload]
}

async fn payload(subscription: &mut Subscription) -> Vec<u8> {
    let received = tokio::time::timeout(SECOND, subscription.recv())
        .await
        .expect("a message")
        .expect("no end");
    received.message.payload().to_vec()
}

async fn start(options: Options, server: &mut Server) -> (Client, Peer) {
    connected(options, server).await
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_asked_for_granted_and_delivers() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, packet) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    // Packet Identifier, one property (Subscription Identifier 1), the filter, QoS 1.
    assert_eq!(
        packet[2..],
        [
            packet[2], packet[3], 0x02, 0x0B, 0x01, 0x00, 0x01, b't', 0x01
        ]
    );
    assert_eq!(
        (subscription.filter(), subscription.granted()),
        ("t", ReasonCode::GRANTED_QOS_1)
    );
    assert!(subscription.try_recv().is_none());
    peer.send(&publish_v5(5, b'x')).await;
    // Acknowledged as soon as it is in the stream, whether or not anybody reads.
    peer.expect(&[0x40, 0x02, 0x00, 0x05]).await;
    let received = subscription.recv().await.unwrap();
    assert_eq!(received.message.payload(), b"x");
    assert_eq!(received.packet_id.map(PacketId::get), Some(5));
    peer.send(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, b'y']).await;
    let received = subscription.recv().await.unwrap();
    assert_eq!(received.packet_id, None);
    assert_eq!(
        (received.message.qos(), received.dup, received.ack.is_owed()),
        (QoS::AtMostOnce, false, false)
    );
    assert_eq!((client.status().received, client.status().dropped), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_server_may_use_as_many_topic_aliases_as_the_options_say() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_topic_alias_maximum(2), &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtMostOnce).await;
    // PUBLISH to "t", which becomes Topic Alias (0x23) 2, and then to that.
    peer.send(b"\x30\x08\x00\x01t\x03\x23\x00\x02x").await;
    peer.send(b"\x30\x07\x00\x00\x03\x23\x00\x02y").await;
    for expected in [b"x", b"y"] {
        let received = subscription.recv().await.unwrap();
        assert_eq!(received.message.topic().as_str(), "t");
        assert_eq!(received.message.payload(), expected);
    }
    // DISCONNECT, Topic Alias invalid.
    peer.send(b"\x30\x07\x00\x00\x03\x23\x00\x03x").await;
    peer.expect(&[0xE0, 0x01, 0x94]).await;
}

#[tokio::test(start_paused = true)]
async fn text_with_control_characters_is_refused_where_that_is_asked_for() {
    // PUBLISH to U+0001.
    let publish = b"\x30\x05\x00\x01\x01\x00x";
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "#", QoS::AtMostOnce).await;
    peer.send(publish).await;
    assert_eq!(payload(&mut subscription).await, b"x");

    let (options, mut server) = scripted();
    let (_client, mut peer) = start(options.with_strict_text(true), &mut server).await;
    peer.send(publish).await;
    // DISCONNECT, Malformed Packet.
    peer.expect(&[0xE0, 0x01, 0x81]).await;
}

/// Two calls for one filter are one SUBSCRIBE, and its refusal answers both.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_to_everybody_who_asked() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let ask = || {
        let client = client.clone();
        tokio::spawn(async move { client.subscribe("t", QoS::AtMostOnce).await })
    };
    let asking = [ask(), ask()];
    let mut peer = server.accept(CONNACK_V5).await;
    let packet = peer.packet().await;
    peer.send(&[0x90, 0x04, packet[2], packet[3], 0x00, 0x87])
        .await;
    for one in asking {
        let answer = tokio::time::timeout(SECOND, one).await;
        let error = answer.expect("an answer").unwrap().unwrap_err();
        assert!(matches!(error, SubscribeError::Refused { .. }), "{error}");
    }
}

/// A call that waits for its answer must not hang because somebody unsubscribes its filter meanwhile.
#[tokio::test(start_paused = true)]
async fn unsubscribing_ends_a_subscribe_that_still_waits() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("t", QoS::AtMostOnce).await }
    });
    assert_eq!(peer.packet().await[0], 0x82);
    let unsubscribing = tokio::spawn(async move { client.unsubscribe("t").await });
    assert_eq!(peer.packet().await[0], 0xA2);
    let answer = tokio::time::timeout(SECOND, subscribing).await;
    assert!(answer.expect("an answer").unwrap().is_err());
    unsubscribing.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refused_filter_is_an_error_and_leaves_nothing() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("t", QoS::AtMostOnce).await }
    });
    let packet = peer.packet().await;
    peer.send(&suback(&packet, 0x87)).await;
    let error = subscribing.await.unwrap().unwrap_err();
    assert_eq!(
        error,
        SubscribeError::Refused {
            filter: "t".to_owned(),
            reason: ReasonCode::NOT_AUTHORIZED,
            properties: Arc::new(PropertiesBuf::collect(said()).unwrap()),
        }
    );
    assert_eq!(
        error.to_string(),
        "the server refused \"t\": 0x87 Not authorized (why)"
    );
    peer.expect_silence(SECOND).await;
    assert!(client.state().is_connected());
}

#[tokio::test(start_paused = true)]
async fn user_properties_go_out_and_those_of_the_answer_come_back() {
    let (options, mut server) = scripted();
    let options = options.with_session(SECOND * 3_600);
    let (client, mut peer) = start(options, &mut server).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move {
            let options = QoS::AtLeastOnce;
            client.subscribe_with("t", options, &[user("k", "v")]).await
        }
    });
    // Subscription Identifier 1, User Property, the filter, QoS 1.
    let asked = [
        &[0x09, 0x0B, 0x01][..],
        &[0x26, 0x00, 0x01, b'k', 0x00, 0x01, b'v'],
        &[0x00, 0x01, b't', 0x01],
    ]
    .concat();
    let packet = peer.packet().await;
    assert_eq!(packet[4..], asked);
    peer.send(&suback(&packet, 0x01)).await;
    let (subscription, answer) = subscribing.await.unwrap().unwrap();
    assert_eq!(answer.reasons, [ReasonCode::GRANTED_QOS_1]);
    let said = said();
    let said = Properties::new(&said);
    assert_eq!(answer.properties.as_properties(), said);
    drop(peer);

    // The session is lost: the same is asked again.
    let mut peer = server.accept(CONNACK_V5).await;
    let packet = peer.packet().await;
    assert_eq!(packet[4..], asked);
    grant(&mut peer, &packet).await;

    let unsubscribing = tokio::spawn({
        let client = client.clone();
        async move {
            let properties = [user("k", "v"), user("k", "")];
            client.unsubscribe_with("t", &properties).await
        }
    });
    let asked = [
        &[0x0D][..],
        &[0x26, 0x00, 0x01, b'k', 0x00, 0x01, b'v'],
        &[0x26, 0x00, 0x01, b'k', 0x00, 0x00],
        &[0x00, 0x01, b't'],
    ]
    .concat();
    let packet = peer.packet().await;
    assert_eq!((packet[0], &packet[4..]), (0xA2, &asked[..]));
    drop(peer);

    // Unanswered, and the session goes on: that too is asked again.
    let mut peer = server.accept(CONNACK_V5_SESSION).await;
    let packet = peer.packet().await;
    assert_eq!((packet[0], &packet[4..]), (0xA2, &asked[..]));
    peer.send(&answer_to(&packet, 0xB0, 0x11)).await;
    let answer = unsubscribing.await.unwrap().unwrap();
    assert_eq!(answer.reasons, [ReasonCode::NO_SUBSCRIPTION_EXISTED]);
    assert_eq!(answer.properties.as_properties(), said);
    drop(subscription);
}

#[tokio::test(start_paused = true)]
async fn properties_that_do_not_belong_there_are_refused() {
    let id = Property::SubscriptionIdentifier(SubscriptionId::MAX);
    let [reason_string, _] = said();
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    for property in [id, reason_string] {
        let properties = [property];
        let not_allowed = |packet_type| {
            let property = property.id();
            let holder = PropertyHolder::Packet(packet_type);
            SubscribeError::Encode(EncodeError::PropertyNotAllowed { property, holder })
        };
        let subscribed = client.subscribe_with("t", QoS::AtMostOnce, &properties);
        assert_eq!(
            subscribed.await.unwrap_err(),
            not_allowed(PacketType::Subscribe)
        );
        let unsubscribed = client.unsubscribe_with("t", &properties);
        assert_eq!(
            unsubscribed.await.unwrap_err(),
            not_allowed(PacketType::Unsubscribe)
        );
    }
    peer.expect_silence(SECOND).await;

    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_version(Version::V3_1_1), &mut server).await;
    let properties = [user("k", "v")];
    let subscribed = client.subscribe_with("t", QoS::AtMostOnce, &properties);
    assert_eq!(
        subscribed.await.unwrap_err(),
        SubscribeError::Encode(EncodeError::PropertiesNotInVersion {
            holder: PropertyHolder::Packet(PacketType::Subscribe),
            version: ProtocolVersion::V3_1_1,
        })
    );
    peer.expect_silence(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn what_ends_here_ends_at_the_server_though_it_takes_no_properties() {
    /// CONNACK of 5.0 with a Maximum Packet Size (0x27) of 20.
    const SMALL: &[u8] = &[0x20, 0x08, 0x00, 0x00, 0x05, 0x27, 0x00, 0x00, 0x00, 0x14];
    for (version, connack, unsuback, no_properties) in [
        (Version::V3_1_1, CONNACK_V311, &[][..], &[][..]),
        (Version::V5, SMALL, &[0x00, 0x00], &[0x00]),
    ] {
        let (options, mut server) = scripted();
        let client = Client::start(options.with_version(version)).unwrap();
        let mut peer = server.accept(connack).await;
        let (subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
        let unsubscribing = tokio::spawn({
            let client = client.clone();
            async move {
                let properties = [user("a name of a", "property of some length")];
                client.unsubscribe_with("t", &properties).await
            }
        });
        let packet = peer.packet().await;
        assert_eq!(packet[0], 0xA2);
        assert_eq!(packet[4..], [no_properties, &[0x00, 0x01, b't']].concat());
        let len = 2 + u8::try_from(unsuback.len()).unwrap();
        peer.send(&[&[0xB0, len, packet[2], packet[3]], unsuback].concat())
            .await;
        let answer = unsubscribing.await.unwrap().unwrap();
        assert_eq!(answer.reasons, [ReasonCode::SUCCESS]);
        drop(subscription);
        peer.expect_silence(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bad_filters_are_refused_at_the_call() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    for filter in ["", "a/#/b", "a+", "#a", "$share/g", "$share//a", "a\0"] {
        let error = client.subscribe(filter, QoS::AtMostOnce).await.unwrap_err();
        assert!(
            matches!(error, SubscribeError::Filter { .. }),
            "{filter:?}: {error}"
        );
    }
    let deep = "a/".repeat(200);
    assert!(matches!(
        client.subscribe(&deep, QoS::AtMostOnce).await,
        Err(SubscribeError::TooManyLevels { limit: 128, .. })
    ));
    peer.expect_silence(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn subscriptions_come_back_when_the_session_did_not() {
    for (version, fresh, resumed) in [
        (Version::V5, CONNACK_V5, CONNACK_V5_SESSION),
        (Version::V3_1_1, CONNACK_V311, CONNACK_V311_SESSION),
    ] {
        let (options, mut server) = scripted();
        let options = options.with_version(version).with_session(SECOND * 3_600);
        let (client, mut peer) = start(options, &mut server).await;
        let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
        drop(peer);

        // Resumed: the server knows the subscription.
        let mut peer = server.accept(resumed).await;
        peer.expect_silence(SECOND).await;
        drop(peer);

        let mut peer = server.accept(fresh).await;
        let packet = peer.packet().await;
        grant(&mut peer, &packet).await;
        match version {
            Version::V5 => peer.send(&publish_v5(1, b'x')).await,
            _ => peer.send(&publish_v311(1, b'x')).await,
        }
        assert_eq!(payload(&mut subscription).await, b"x");
    }
}

#[tokio::test(start_paused = true)]
async fn without_resubscribe_a_lost_session_ends_what_it_had_granted() {
    for (version, fresh, resumed) in [
        (Version::V5, CONNACK_V5, CONNACK_V5_SESSION),
        (Version::V3_1_1, CONNACK_V311, CONNACK_V311_SESSION),
    ] {
        let (options, mut server) = scripted();
        let options = options.with_version(version).with_session(SECOND * 3_600);
        let (client, mut peer) = start(options.with_resubscribe(false), &mut server).await;
        let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
        // The answer to this one is still awaited.
        let subscribing = tokio::spawn({
            let client = client.clone();
            async move { client.subscribe("u", QoS::AtLeastOnce).await }
        });
        peer.packet().await;
        drop(peer);

        // Resumed: nothing is over.
        let mut peer = server.accept(resumed).await;
        peer.packet().await;
        match version {
            Version::V5 => peer.send(&publish_v5(1, b'x')).await,
            _ => peer.send(&publish_v311(1, b'x')).await,
        }
        assert_eq!(payload(&mut subscription).await, b"x");
        drop(peer);

        let mut peer = server.accept(fresh).await;
        assert!(subscription.recv().await.is_none());
        let packet = peer.packet().await;
        assert!(packet.ends_with(&[0x00, 0x01, b'u', 0x01]), "{packet:?}");
        grant(&mut peer, &packet).await;
        subscribing.await.unwrap().unwrap();
        peer.expect_silence(SECOND).await;

        // Whoever subscribes again is subscribed.
        let (mut again, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
        match version {
            Version::V5 => peer.send(&publish_v5(1, b'y')).await,
            _ => peer.send(&publish_v311(1, b'y')).await,
        }
        assert_eq!(payload(&mut again).await, b"y");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_refused_after_a_reconnect_ends_and_tells() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    drop(peer);
    let mut peer = server.accept(CONNACK_V5).await;
    let packet = peer.packet().await;
    peer.send(&[0x90, 0x04, packet[2], packet[3], 0x00, 0x97])
        .await;
    assert!(subscription.recv().await.is_none());
    assert_eq!(subscription.granted(), ReasonCode::QUOTA_EXCEEDED);
    assert_eq!(client.status().refused_again, 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscribe_from_before_the_connection_is_asked_once() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("t", QoS::AtMostOnce).await }
    });
    let mut peer = server.peer().await;
    peer.packet().await;
    // A second one comes while the CONNACK is on its way.
    peer.send(CONNACK_V5).await;
    let second = tokio::spawn(async move { client.subscribe("u", QoS::AtMostOnce).await });
    for _ in 0..2 {
        let packet = peer.packet().await;
        grant(&mut peer, &packet).await;
    }
    peer.expect_silence(SECOND).await;
    subscribing.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_subscribe_that_lost_its_connection_is_asked_again() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("t", QoS::AtMostOnce).await }
    });
    peer.packet().await;
    drop(peer);
    let mut peer = server.accept(CONNACK_V5).await;
    let packet = peer.packet().await;
    grant(&mut peer, &packet).await;
    subscribing.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn giving_up_a_subscribe_takes_it_back() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let patience = tokio::time::timeout(SECOND, client.subscribe("t", QoS::AtMostOnce));
    assert!(patience.await.is_err());
    let packet = peer.packet().await;
    assert_eq!(packet[0], 0x82);
    // UNSUBSCRIBE "t"
    let packet = peer.packet().await;
    assert_eq!(
        (packet[0], &packet[4..]),
        (0xA2, &[0x00, 0x00, 0x01, b't'][..])
    );
}

#[tokio::test(start_paused = true)]
async fn unsubscribe_ends_the_stream() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    peer.send(&publish_v5(1, b'x')).await;
    peer.packet().await;
    let unsubscribing = tokio::spawn({
        let client = client.clone();
        async move { client.unsubscribe("t").await }
    });
    let packet = peer.packet().await;
    assert_eq!(
        (packet[0], &packet[4..]),
        (0xA2, &[0x00, 0x00, 0x01, b't'][..])
    );
    peer.send(&[0xB0, 0x04, packet[2], packet[3], 0x00, 0x00])
        .await;
    assert_eq!(unsubscribing.await.unwrap(), Ok(ReasonCode::SUCCESS));
    assert_eq!(payload(&mut subscription).await, b"x");
    assert!(subscription.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn dropping_a_subscription_ends_it_at_the_server_unless_the_session_is_kept() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    drop(subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await);
    assert_eq!(peer.packet().await[0], 0xA2);

    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_session(SECOND * 60), &mut server).await;
    drop(subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await);
    peer.expect_silence(SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn overlapping_filters_each_get_the_message_once() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut all, _) = subscribed(&client, &mut peer, "#", QoS::AtLeastOnce).await;
    let (mut one, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    // One copy for both, as a server may send it: two Subscription Identifiers.
    peer.send(&[
        0x32, 0x0B, 0x00, 0x01, b't', 0x00, 0x01, 0x04, 0x0B, 0x01, 0x0B, 0x02, b'x',
    ])
    .await;
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
    assert_eq!(
        (payload(&mut all).await, payload(&mut one).await),
        (b"x".to_vec(), b"x".to_vec())
    );
    // One copy for each, as others do: each names its subscription.
    peer.send(&[
        0x32, 0x09, 0x00, 0x01, b't', 0x00, 0x02, 0x02, 0x0B, 0x01, b'y',
    ])
    .await;
    peer.send(&[
        0x32, 0x09, 0x00, 0x01, b't', 0x00, 0x03, 0x02, 0x0B, 0x02, b'y',
    ])
    .await;
    assert_eq!(
        (payload(&mut all).await, payload(&mut one).await),
        (b"y".to_vec(), b"y".to_vec())
    );
    tokio::time::sleep(SECOND).await;
    assert!(all.is_empty() && one.is_empty());
    // An identifier of an older process says nothing.
    peer.send(&[0x30, 0x07, 0x00, 0x01, b't', 0x02, 0x0B, 0x63, b'z'])
        .await;
    assert_eq!(
        (payload(&mut all).await, payload(&mut one).await),
        (b"z".to_vec(), b"z".to_vec())
    );
}

#[tokio::test(start_paused = true)]
async fn two_subscriptions_to_one_filter_share_it() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut first, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    let (mut second, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    // The server has one subscription, with the identifier it was given last.
    peer.send(&[0x30, 0x07, 0x00, 0x01, b't', 0x02, 0x0B, 0x02, b'x'])
        .await;
    assert_eq!(
        (payload(&mut first).await, payload(&mut second).await),
        (b"x".to_vec(), b"x".to_vec())
    );
    drop(second);
    peer.expect_silence(SECOND).await;
    drop(first);
    assert_eq!(peer.packet().await[0], 0xA2);
}

#[tokio::test(start_paused = true)]
async fn shared_subscriptions_route_by_what_follows_the_group() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) =
        subscribed(&client, &mut peer, "$share/workers/+", QoS::AtLeastOnce).await;
    peer.send(&publish_v5(1, b'x')).await;
    assert_eq!(payload(&mut subscription).await, b"x");
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_resumed_session_wait_for_their_subscription() {
    let (options, mut server) = scripted();
    let client = Client::start(options.with_session(SECOND * 60)).unwrap();
    let mut peer = server.accept(CONNACK_V5_SESSION).await;
    // The server sends what it kept before the application can have subscribed.
    peer.send(&publish_v5(1, b'x')).await;
    peer.send(&publish_v5(2, b'y')).await;
    peer.expect_silence(SECOND).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("t", QoS::AtLeastOnce).await }
    });
    peer.expect(&[0x40, 0x02, 0x00, 0x01, 0x40, 0x02, 0x00, 0x02])
        .await;
    let packet = peer.packet().await;
    grant(&mut peer, &packet).await;
    let mut subscription = subscribing.await.unwrap().unwrap();
    assert_eq!(
        (
            payload(&mut subscription).await,
            payload(&mut subscription).await
        ),
        (b"x".to_vec(), b"y".to_vec())
    );
    assert_eq!(client.status().received, 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_for_nobody_is_acknowledged_and_counted() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    peer.send(&publish_v5(1, b'x')).await;
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
    assert_eq!(client.status().dropped, 1);
}

fn manual() -> SubscribeOptions {
    SubscribeOptions::new(QoS::ExactlyOnce).with_ack(AckMode::Manual)
}

#[tokio::test(start_paused = true)]
async fn manual_acknowledgements_are_the_applications() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    for id in [1, 2, 3] {
        peer.send(&publish_v5(id, b'x')).await;
    }
    let first = subscription.recv().await.unwrap();
    let second = subscription.recv().await.unwrap();
    let third = subscription.recv().await.unwrap();
    peer.expect_silence(SECOND).await;
    // Acknowledgements leave in the order of the messages, whatever the order of the calls.
    assert!(second.acknowledge());
    peer.expect_silence(SECOND).await;
    assert!(first.ack.is_owed());
    assert!(first.acknowledge() && !first.acknowledge() && !first.ack.is_owed());
    peer.expect(&[0x40, 0x02, 0x00, 0x01, 0x40, 0x02, 0x00, 0x02])
        .await;
    assert!(third.reject(ReasonCode::PAYLOAD_FORMAT_INVALID));
    peer.expect(&[0x40, 0x03, 0x00, 0x03, 0x99]).await;
    // QoS 2: the answer is the PUBREC.
    peer.send(&[0x34, 0x07, 0x00, 0x01, b't', 0x00, 0x04, 0x00, b'x'])
        .await;
    let fourth = subscription.recv().await.unwrap();
    peer.expect_silence(SECOND).await;
    assert!(fourth.acknowledge());
    peer.expect(&[0x50, 0x02, 0x00, 0x04]).await;
    peer.send(&[0x62, 0x02, 0x00, 0x04]).await;
    peer.expect(&[0x70, 0x02, 0x00, 0x04]).await;
    assert_eq!(client.status().unanswered, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_why_in_words() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    let words = Utf8::new("full").unwrap();
    peer.send(&publish_v5(1, b'x')).await;
    let refused = subscription.recv().await.unwrap().ack;
    assert!(refused.reject_with_reason_string(ReasonCode::QUOTA_EXCEEDED, words));
    assert!(!refused.acknowledge());
    // PUBACK: identifier, Reason Code 0x97, Property Length 7, Reason String (0x1F).
    peer.expect(b"\x40\x0B\x00\x01\x97\x07\x1F\x00\x04full")
        .await;
    // PUBACK cannot say "Banned" (0x8A); the words go with 0x80.
    peer.send(&publish_v5(2, b'x')).await;
    let refused = subscription.recv().await.unwrap().ack;
    assert!(refused.reject_with_reason_string(ReasonCode::BANNED, words));
    peer.expect(b"\x40\x0B\x00\x02\x80\x07\x1F\x00\x04full")
        .await;
}

#[tokio::test(start_paused = true)]
async fn two_streams_of_one_message_answer_together_and_the_worst_answer_counts() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut first, _) = subscribed(&client, &mut peer, "t", manual()).await;
    let (mut second, _) = subscribed(&client, &mut peer, "+", manual()).await;
    for id in [1, 2] {
        peer.send(&publish_v5(id, b'x')).await;
        let (one, two) = (first.recv().await.unwrap(), second.recv().await.unwrap());
        one.acknowledge();
        peer.expect_silence(SECOND).await;
        if id == 1 {
            two.acknowledge();
            peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
        } else {
            drop(two);
            peer.expect(&[0x40, 0x03, 0x00, 0x02, 0x80]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_qos_2_message_is_delivered_once() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_session(SECOND * 60), &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    peer.send(&[0x34, 0x07, 0x00, 0x01, b't', 0x00, 0x04, 0x00, b'x'])
        .await;
    let received = subscription.recv().await.unwrap();
    drop(peer);
    let mut peer = server.accept(CONNACK_V5_SESSION).await;
    client.connected(SECOND).await.unwrap();
    peer.send(&[0x3C, 0x07, 0x00, 0x01, b't', 0x00, 0x04, 0x00, b'x'])
        .await;
    peer.expect_silence(SECOND).await;
    assert!(subscription.is_empty());
    // The answer to the first is good for the repeat.
    assert!(received.acknowledge());
    peer.expect(&[0x50, 0x02, 0x00, 0x04]).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_acknowledgement_is_a_no_in_5_0() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    peer.send(&publish_v5(1, b'x')).await;
    drop(subscription.recv().await.unwrap());
    peer.expect(&[0x40, 0x03, 0x00, 0x01, 0x80]).await;
    assert_eq!(client.status().unanswered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_acknowledgement_in_3_1_1_is_what_the_options_say() {
    let (options, mut server) = scripted();
    let options = options.with_version(Version::V3_1_1);
    let (client, mut peer) = start(options.clone(), &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    peer.send(&publish_v311(1, b'x')).await;
    drop(subscription.recv().await.unwrap());
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
    assert_eq!(client.status().unanswered, 1);
    drop(subscription);
    client.close(Duration::ZERO).await.unwrap();

    let options = options
        .with_unacknowledged(Unacknowledged::Disconnect)
        .with_session(SECOND * 60);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    peer.send(&publish_v311(1, b'x')).await;
    drop(subscription.recv().await.unwrap());
    peer.expect_end().await;
    let mut peer = server.accept(CONNACK_V311_SESSION).await;
    peer.send(&[0x3A, 0x06, 0x00, 0x01, b't', 0x00, 0x01, b'x'])
        .await;
    let again = subscription.recv().await.unwrap();
    assert!(again.dup && again.acknowledge());
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_a_connection_that_is_over_is_not_sent_on_the_next() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_session(SECOND * 60), &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    peer.send(&publish_v5(1, b'x')).await;
    let stale = subscription.recv().await.unwrap();
    drop(peer);
    let mut peer = server.accept(CONNACK_V5_SESSION).await;
    client.connected(SECOND).await.unwrap();
    stale.acknowledge();
    peer.expect_silence(SECOND).await;
    peer.send(&publish_v5(1, b'x')).await;
    subscription.recv().await.unwrap().acknowledge();
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_stream_leaves_messages_unacknowledged_and_loses_nothing() {
    for version in [Version::V5, Version::V3_1_1] {
        let (options, mut server) = scripted();
        let options = options.with_version(version).with_stream_max_messages(2);
        let (client, mut peer) = start(options, &mut server).await;
        let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
        for id in 1..=5 {
            match version {
                Version::V5 => peer.send(&publish_v5(id, id)).await,
                _ => peer.send(&publish_v311(id, id)).await,
            }
        }
        peer.expect(&[0x40, 0x02, 0x00, 0x01, 0x40, 0x02, 0x00, 0x02])
            .await;
        peer.expect_silence(SECOND).await;
        assert_eq!((subscription.len(), client.status().held), (2, 3));
        for id in 1..=5 {
            assert_eq!(payload(&mut subscription).await, [id]);
            if id <= 3 {
                // Room for one more: it is acknowledged as it moves up.
                peer.expect(&[0x40, 0x02, 0x00, id + 2]).await;
            }
        }
        assert_eq!((client.status().held, client.status().dropped), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn held_messages_are_not_doubled_when_the_session_resumes() {
    let (options, mut server) = scripted();
    let options = options
        .with_session(SECOND * 60)
        .with_stream_max_messages(1);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    for id in [1, 2, 3] {
        peer.send(&publish_v5(id, id)).await;
    }
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
    drop(peer);
    let mut peer = server.accept(CONNACK_V5_SESSION).await;
    client.connected(SECOND).await.unwrap();
    for id in [2, 3] {
        peer.send(&[0x3A, 0x07, 0x00, 0x01, b't', 0x00, id, 0x00, id])
            .await;
    }
    for id in [1, 2, 3] {
        assert_eq!(payload(&mut subscription).await, [id]);
    }
    peer.expect(&[0x40, 0x02, 0x00, 0x02, 0x40, 0x02, 0x00, 0x03])
        .await;
    tokio::time::sleep(SECOND).await;
    assert!(subscription.is_empty());
    assert_eq!(client.status().held, 0);
}

#[tokio::test(start_paused = true)]
async fn qos_0_for_a_full_stream_is_dropped_and_counted() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_stream_max_messages(1), &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtMostOnce).await;
    for payload in [b'1', b'2', b'3'] {
        peer.send(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, payload])
            .await;
    }
    tokio::time::sleep(SECOND).await;
    assert_eq!(payload(&mut subscription).await, b"1");
    assert_eq!((client.status().dropped, subscription.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_paused_reader_loses_nothing_and_is_no_dead_server() {
    let (options, mut server) = scripted();
    let options = options
        .with_stream_max_messages(1)
        .with_stream_full(StreamFull::Pause)
        .with_keep_alive(SECOND * 20);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtMostOnce).await;
    for payload in b'1'..=b'9' {
        peer.send(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, payload])
            .await;
    }
    // Several keep-alive periods in which nothing is read, PINGRESP included.
    for _ in 0..5 {
        peer.expect(&[0xC0, 0x00]).await;
        peer.send(&[0xD0, 0x00]).await;
    }
    assert!(client.state().is_connected() && !server.has_arrived());
    for expected in b'1'..=b'9' {
        assert_eq!(payload(&mut subscription).await, [expected]);
    }
    assert_eq!(client.status().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_behind_a_full_stream_are_bounded_by_not_reading() {
    let (options, mut server) = scripted();
    let options = options
        .with_version(Version::V3_1_1)
        .with_stream_max_messages(1)
        .with_stream_max_bytes(20_000);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    // 3.1.1 has no Receive Maximum: a server may send as much as it likes.
    const COUNT: u8 = 40;
    let sending = tokio::spawn(async move {
        for id in 1..=COUNT {
            // PUBLISH, QoS 1, Remaining Length 8,197: "t", the Packet Identifier, 8,192 bytes.
            peer.send(&[0x32, 0x85, 0x40, 0x00, 0x01, b't', 0x00, id])
                .await;
            peer.send(&[id; 8_192]).await;
        }
        peer
    });
    tokio::time::sleep(SECOND).await;
    assert!(!sending.is_finished(), "the server is held back by TCP");
    // One in the stream, and behind it what two reads brought beyond the bound.
    assert!(client.status().held < 20, "{}", client.status().held);
    for id in 1..=COUNT {
        assert_eq!(payload(&mut subscription).await, [id; 8_192]);
    }
    let mut peer = sending.await.unwrap();
    for id in 1..=COUNT {
        peer.expect(&[0x40, 0x02, 0x00, id]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_does_not_stop_its_own_outcomes() {
    let (options, mut server) = scripted();
    let options = options
        .with_stream_max_messages(1)
        .with_keep_alive(SECOND * 20);
    let (client, mut peer) = start(options, &mut server).await;
    let (_subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    for id in 1..=9 {
        peer.send(&publish_v5(id, id)).await;
    }
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
    for _ in 0..3 {
        let delivery = client
            .publish(message("o", "x", QoS::AtLeastOnce))
            .await
            .unwrap();
        let packet = peer.packet().await;
        peer.send(&[0x40, 0x02, packet[5], packet[6]]).await;
        assert!(matches!(
            delivery.wait_timeout(SECOND).await,
            Some(Outcome::Acknowledged { .. })
        ));
        peer.expect(&[0xC0, 0x00]).await;
        peer.send(&[0xD0, 0x00]).await;
    }
}

/// PUBLISH of 5.0 to `t`, QoS 1, with 8,192 bytes of payload: Remaining Length 8,198.
fn large_publish_v5(packet_id: u8) -> Vec<u8> {
    let mut packet = vec![0x32, 0x86, 0x40, 0x00, 0x01, b't', 0x00, packet_id, 0x00];
    packet.resize(packet.len() + 8_192, packet_id);
    packet
}

#[tokio::test(start_paused = true)]
async fn bytes_behind_a_full_stream_do_not_stop_outcomes_in_v5() {
    let (options, mut server) = scripted();
    let options = options.with_stream_max_bytes(20_000);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    const COUNT: u8 = 40;
    for id in 1..=COUNT {
        peer.send(&large_publish_v5(id)).await;
    }
    // Two fit, and are acknowledged; the application reads none of them and publishes.
    peer.expect(&[0x40, 0x02, 0x00, 0x01, 0x40, 0x02, 0x00, 0x02])
        .await;
    let delivery = client
        .publish(message("o", "x", QoS::AtLeastOnce))
        .await
        .unwrap();
    let packet = peer.packet().await;
    assert_eq!(packet[0], 0x32);
    peer.send(&[0x40, 0x02, packet[5], packet[6]]).await;
    assert!(matches!(
        delivery.wait_timeout(SECOND).await,
        Some(Outcome::Acknowledged { .. })
    ));
    assert_eq!(client.status().held, usize::from(COUNT) - 2);
    for id in 1..=COUNT {
        assert_eq!(payload(&mut subscription).await, [id; 8_192]);
    }
    for id in 3..=COUNT {
        peer.expect(&[0x40, 0x02, 0x00, id]).await;
    }
    assert_eq!((client.status().held, client.status().dropped), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_lost_sessions_left_behind_a_full_stream_is_bounded() {
    let (options, mut server) = scripted();
    let options = options.with_stream_max_bytes(20_000);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    for round in 0..3_u8 {
        for id in 1..=10 {
            peer.send(&large_publish_v5(10 * round + id)).await;
        }
        tokio::time::sleep(SECOND).await;
        drop(peer);
        peer = server.accept(CONNACK_V5).await;
        let packet = peer.packet().await;
        grant(&mut peer, &packet).await;
        tokio::time::sleep(SECOND).await;
        // Two in the stream, and of what was held as many as the bytes of a stream allow.
        assert_eq!(client.status().held, 2, "in round {round}");
    }
    assert_eq!(client.status().dropped, 30 - 4);
    for id in 1..=4 {
        assert_eq!(payload(&mut subscription).await, [id; 8_192]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_await_its_own_publish_with_every_queue_at_one() {
    let (options, mut server) = scripted();
    let options = options
        .with_stream_max_messages(1)
        .with_queue_max_messages(1)
        .with_receive_maximum(1)
        .with_overflow(Overflow::Refuse);
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", manual()).await;
    let handler = tokio::spawn(async move {
        for _ in 0..3 {
            let received = subscription.recv().await.unwrap();
            let delivery = client
                .publish(message("o", "x", QoS::AtLeastOnce))
                .await
                .unwrap();
            assert!(matches!(
                delivery.wait().await,
                Outcome::Acknowledged { .. }
            ));
            received.acknowledge();
        }
        subscription
    });
    for id in 1..=3 {
        peer.send(&publish_v5(id, b'x')).await;
        let packet = peer.packet().await;
        assert_eq!(packet[0], 0x32);
        peer.send(&[0x40, 0x02, packet[5], packet[6]]).await;
        peer.expect(&[0x40, 0x02, 0x00, id]).await;
    }
    handler.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn receiving_is_cancel_safe() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options, &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    let mut seen = Vec::new();
    for id in 1..=20 {
        // Cancelled at every point of its way.
        let publish = publish_v5(id, id);
        tokio::select! {
            biased;
            received = subscription.recv() => seen.extend_from_slice(received.unwrap().message.payload()),
            () = peer.send(&publish) => {}
        }
        if id % 3 == 0 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::sleep(SECOND).await;
    while let Some(received) = subscription.try_recv() {
        seen.extend_from_slice(received.message.payload());
    }
    let sent = usize::try_from(client.status().received).unwrap();
    assert_eq!(seen.len(), sent);
    assert!(seen.is_sorted() && sent >= 10, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn closing_ends_streams_after_what_was_acknowledged() {
    let (options, mut server) = scripted();
    let (client, mut peer) = start(options.with_stream_max_messages(1), &mut server).await;
    let (mut subscription, _) = subscribed(&client, &mut peer, "t", QoS::AtLeastOnce).await;
    peer.send(&publish_v5(1, b'1')).await;
    peer.send(&publish_v5(2, b'2')).await;
    peer.expect(&[0x40, 0x02, 0x00, 0x01]).await;
    let closing = tokio::spawn(async move { client.close(SECOND).await });
    peer.expect(&[0xE0, 0x00]).await;
    drop(peer);
    closing.await.unwrap().unwrap();
    // The second was never acknowledged: the server still has it.
    assert_eq!(payload(&mut subscription).await, b"1");
    assert!(subscription.recv().await.is_none());
}
