//! Requests and responses: one subscription for all, each response to its own request, and every way to come to nothing.

use std::time::Duration;

use mqtt_client::{
    Client, Message, Options, Outcome, Property, PropertyId, QoS, ReasonCode, RequestError,
    SubscribeError, Version,
};

use crate::support::{
    CONNACK_V5, CONNACK_V311, Peer, SECOND, Server, connected, message, scripted,
};

const MINUTE: Duration = Duration::from_secs(60);

fn with_response_topic() -> (Options, Server) {
    let (options, server) = scripted();
    (options.with_response_topic(Some("r".to_owned())), server)
}

/// SUBACK of 5.0 for the Packet Identifier in `subscribe`: one Reason Code.
fn suback(subscribe: &[u8], reason: u8) -> [u8; 6] {
    [0x90, 0x04, subscribe[2], subscribe[3], 0x00, reason]
}

/// PUBLISH of 5.0, QoS 0, to `r`: Property Length, Correlation Data (0x09), a payload of one byte.
fn response(correlation: &[u8], payload: u8) -> Vec<u8> {
    let mut packet = vec![0x30, 0x18, 0x00, 0x01, b'r', 0x13, 0x09, 0x00, 0x10];
    packet.extend(correlation);
    packet.push(payload);
    packet
}

/// The next packet is a request with this payload, as QoS 1 to `q`. Returns its Packet Identifier and Correlation Data.
async fn request(peer: &mut Peer, payload: u8) -> ([u8; 2], Vec<u8>) {
    let packet = peer.packet().await;
    // PUBLISH, Topic Name `q`, Packet Identifier, Property Length 23.
    assert_eq!(packet[..5], [0x32, 0x1E, 0x00, 0x01, b'q']);
    assert_eq!(packet[7], 0x17);
    // Response Topic `r`, Correlation Data of 16 bytes.
    assert_eq!(packet[8..15], [0x08, 0x00, 0x01, b'r', 0x09, 0x00, 0x10]);
    assert_eq!(packet[31..], [payload]);
    ([packet[5], packet[6]], packet[15..31].to_vec())
}

async fn ask(client: &Client, payload: &str) -> Result<Message, RequestError> {
    client
        .request(message("q", payload, QoS::AtLeastOnce), MINUTE)
        .await
}

#[tokio::test(start_paused = true)]
async fn responses_find_their_requests_by_correlation_data() {
    let (options, mut server) = with_response_topic();
    let (client, mut peer) = connected(options, &mut server).await;
    let serve = async {
        let subscribe = peer.packet().await;
        assert_eq!(subscribe[0], 0x82);
        // Topic Filter `r`, Maximum QoS 1.
        assert!(subscribe.ends_with(&[0x00, 0x01, b'r', 0x01]));
        // Nothing is asked before it is sure that the response can be heard.
        peer.expect_silence(SECOND).await;
        peer.send(&suback(&subscribe, 0x01)).await;
        let (_, first) = request(&mut peer, b'1').await;
        let (_, second) = request(&mut peer, b'2').await;
        assert_ne!(first, second);
        // Of nobody, of the second, of the first.
        peer.send(&response(&[0; 16], b'x')).await;
        peer.send(&response(&second, b'b')).await;
        peer.send(&response(&first, b'a')).await;
        // The next one needs no subscription of its own.
        let (_, third) = request(&mut peer, b'3').await;
        peer.send(&response(&third, b'c')).await;
        peer
    };
    let together = async {
        let (first, second) = tokio::join!(ask(&client, "1"), ask(&client, "2"));
        (first, second, ask(&client, "3").await)
    };
    let (_peer, (first, second, third)) = tokio::join!(serve, together);
    assert_eq!(first.unwrap().payload(), b"a");
    assert_eq!(second.unwrap().payload(), b"b");
    assert_eq!(third.unwrap().payload(), b"c");
}

#[tokio::test(start_paused = true)]
async fn a_response_that_comes_too_late_is_dropped() {
    let (options, mut server) = with_response_topic();
    let (client, mut peer) = connected(options, &mut server).await;
    let serve = async {
        let subscribe = peer.packet().await;
        peer.send(&suback(&subscribe, 0x01)).await;
        let (_, late) = request(&mut peer, b'1').await;
        let (_, second) = request(&mut peer, b'2').await;
        peer.send(&response(&late, b'a')).await;
        peer.send(&response(&second, b'b')).await;
        peer
    };
    let ask = async {
        let hasty = client.request(message("q", "1", QoS::AtLeastOnce), SECOND);
        assert_eq!(hasty.await, Err(RequestError::TimedOut { after: SECOND }));
        ask(&client, "2").await
    };
    let (_peer, second) = tokio::join!(serve, ask);
    assert_eq!(second.unwrap().payload(), b"b");
}

#[tokio::test(start_paused = true)]
async fn nobody_there_and_a_refusal_end_the_wait_at_once() {
    let (options, mut server) = with_response_topic();
    let (client, mut peer) = connected(options, &mut server).await;
    let serve = async {
        let subscribe = peer.packet().await;
        peer.send(&suback(&subscribe, 0x01)).await;
        // PUBACK: No matching subscribers, Not authorized.
        for (payload, reason) in [(b'1', 0x10), (b'2', 0x87)] {
            let (id, _) = request(&mut peer, payload).await;
            peer.send(&[0x40, 0x03, id[0], id[1], reason]).await;
        }
        peer
    };
    let ask = async { (ask(&client, "1").await, ask(&client, "2").await) };
    let (_peer, (first, second)) = tokio::join!(serve, ask);
    assert_eq!(first, Err(RequestError::NobodyThere));
    assert!(
        matches!(
            &second,
            Err(RequestError::NotDelivered(Outcome::Acknowledged { reason, .. }))
                if *reason == ReasonCode::NOT_AUTHORIZED
        ),
        "{second:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_subscription_fails_the_request_and_the_next_one_asks_again() {
    let (options, mut server) = with_response_topic();
    let (client, mut peer) = connected(options, &mut server).await;
    let serve = async {
        let subscribe = peer.packet().await;
        peer.send(&suback(&subscribe, 0x87)).await;
        let subscribe = peer.packet().await;
        peer.send(&suback(&subscribe, 0x00)).await;
        let (_, second) = request(&mut peer, b'2').await;
        peer.send(&response(&second, b'b')).await;
        peer
    };
    let ask = async { (ask(&client, "1").await, ask(&client, "2").await) };
    let (_peer, (first, second)) = tokio::join!(serve, ask);
    assert_eq!(
        first,
        Err(RequestError::Subscribe {
            topic: "r".to_owned(),
            cause: SubscribeError::Refused {
                filter: "r".to_owned(),
                reason: ReasonCode::NOT_AUTHORIZED,
                properties: Default::default(),
            },
        })
    );
    assert_eq!(second.unwrap().payload(), b"b");
}

#[tokio::test(start_paused = true)]
async fn a_response_comes_also_over_the_next_connection() {
    let (options, mut server) = with_response_topic();
    let (client, mut peer) = connected(options, &mut server).await;
    let serve = async {
        let subscribe = peer.packet().await;
        peer.send(&suback(&subscribe, 0x01)).await;
        let (id, correlation) = request(&mut peer, b'1').await;
        peer.send(&[0x40, 0x03, id[0], id[1], 0x00]).await;
        drop(peer);
        let mut peer = server.accept(CONNACK_V5).await;
        let subscribe = peer.packet().await;
        assert_eq!(subscribe[0], 0x82);
        peer.send(&suback(&subscribe, 0x01)).await;
        peer.send(&response(&correlation, b'a')).await;
        peer
    };
    let (_peer, answer) = tokio::join!(serve, ask(&client, "1"));
    assert_eq!(answer.unwrap().payload(), b"a");
}

#[tokio::test(start_paused = true)]
async fn a_close_ends_every_wait() {
    let (options, mut server) = with_response_topic();
    let (client, mut peer) = connected(options, &mut server).await;
    let subscribed = client
        .begin_request(message("q", "1", QoS::AtMostOnce))
        .unwrap();
    let subscribe = peer.packet().await;
    peer.send(&suback(&subscribe, 0x01)).await;
    assert_eq!(peer.packet().await[0], 0x30);
    let close = client.close(SECOND);
    let (closed, ()) = tokio::join!(close, async {
        assert_eq!(peer.packet().await[0], 0xE0);
        drop(peer);
    });
    closed.unwrap();
    assert_eq!(subscribed.wait().await, Err(RequestError::Closed));
    assert_eq!(ask(&client, "2").await, Err(RequestError::Closed));
}

#[tokio::test(start_paused = true)]
async fn older_versions_have_no_requests() {
    let (options, mut server) = scripted();
    let (client, _peer) = connected(options.with_version(Version::V3_1_1), &mut server).await;
    assert_eq!(ask(&client, "1").await, Err(RequestError::NeedsVersion5));

    // Where the server turns out not to know 5.0, the request that waited for it fails.
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let serve = async {
        let mut peer = server.peer().await;
        assert_eq!(peer.packet().await[0], 0x10);
        // CONNACK: Unsupported Protocol Version.
        peer.send(&[0x20, 0x03, 0x00, 0x84, 0x00]).await;
        let mut peer = server.accept(CONNACK_V311).await;
        let subscribe = peer.packet().await;
        peer.send(&[0x90, 0x03, subscribe[2], subscribe[3], 0x01])
            .await;
        peer
    };
    let (_peer, answer) = tokio::join!(serve, ask(&client, "1"));
    assert_eq!(answer, Err(RequestError::NeedsVersion5));
}

#[tokio::test(start_paused = true)]
async fn the_two_properties_are_the_requests_own() {
    let (options, _server) = scripted();
    let client = Client::start(options).unwrap();
    let taken = message("q", "1", QoS::AtLeastOnce)
        .with_properties(&[Property::CorrelationData(b"mine")])
        .unwrap();
    assert_eq!(
        client.begin_request(taken).err(),
        Some(RequestError::PropertyTaken {
            property: PropertyId::CorrelationData
        })
    );
    // There is not even a connection.
    let waited = client.request(message("q", "1", QoS::AtLeastOnce), SECOND);
    assert_eq!(waited.await, Err(RequestError::TimedOut { after: SECOND }));
}
