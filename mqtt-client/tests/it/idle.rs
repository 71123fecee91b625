//! Clients that have nothing to do, and are to give up their connection then.

use std::time::Duration;

use mqtt_client::{
    AckMode, Client, Options, OptionsError, Outcome, Property, QoS, State, SubscribeOptions,
    Subscription,
};

use crate::support::{CONNACK_V5, Peer, SECOND, Server, connected, message, scripted};

const LONGEST: Duration = Duration::from_secs(10);

/// Without a keep-alive, so that nothing comes but what the tests are about.
fn idling() -> (Options, Server) {
    let (options, server) = scripted();
    let options = options
        .with_keep_alive(Duration::ZERO)
        .with_idle_disconnect(Some(LONGEST));
    (options, server)
}

/// After `LONGEST`, and not before, comes DISCONNECT, and the connection ends.
async fn expect_idleness(mut peer: Peer) {
    peer.expect_silence(LONGEST - SECOND).await;
    peer.expect(&[0xE0, 0x00]).await;
    peer.expect_end().await;
}

/// The client keeps the connection as long as this is so.
async fn expect_patience(peer: &mut Peer) {
    peer.expect_silence(LONGEST * 10).await;
}

async fn subscribe(client: &Client, peer: &mut Peer, options: SubscribeOptions) -> Subscription {
    let serve = async {
        let packet = peer.packet().await;
        peer.send(&[0x90, 0x04, packet[2], packet[3], 0x00, 0x01])
            .await;
    };
    let (subscription, ()) = tokio::join!(client.subscribe("t", options), serve);
    subscription.unwrap()
}

/// UNSUBSCRIBE, and the answer to it.
async fn unsubscribed(peer: &mut Peer) {
    let packet = peer.packet().await;
    assert_eq!(packet[0], 0xA2);
    peer.send(&[0xB0, 0x04, packet[2], packet[3], 0x00, 0x00])
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_disconnects_and_connects_for_the_next_publish() {
    let (options, mut server) = idling();
    let (client, peer) = connected(options, &mut server).await;
    expect_idleness(peer).await;
    assert!(matches!(client.state(), State::Idle));
    assert!(client.connack().is_none() && client.status().negotiated.is_none());
    tokio::time::sleep(LONGEST * 10).await;
    assert!(!server.has_arrived());

    let queued = client.publish(message("t", "x", QoS::AtLeastOnce)).await;
    let queued = queued.unwrap();
    let mut peer = server.accept(CONNACK_V5).await;
    peer.expect(&[0x32, 0x07, 0x00, 0x01, b't', 0x00, 0x01, 0x00, b'x'])
        .await;
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    let outcome = queued.wait_timeout(SECOND).await;
    assert!(matches!(outcome, Some(Outcome::Acknowledged { .. })));
    let status = client.status();
    assert_eq!((status.connections, status.reconnects), (2, 1));
    // And again.
    expect_idleness(peer).await;
}

#[tokio::test(start_paused = true)]
async fn what_expires_at_once_is_told_of_without_a_connection() {
    let (options, mut server) = idling();
    let (client, peer) = connected(options, &mut server).await;
    expect_idleness(peer).await;
    let expired = message("t", "x", QoS::AtLeastOnce)
        .with_properties(&[Property::MessageExpiryInterval(0)])
        .unwrap();
    let queued = client.publish(expired).await.unwrap();
    let outcome = queued.wait_timeout(SECOND).await;
    assert!(matches!(outcome, Some(Outcome::Expired)), "{outcome:?}");
    assert!(!server.has_arrived());
    let closed = tokio::time::timeout(LONGEST, client.close(SECOND)).await;
    assert!(matches!(closed, Ok(Ok(()))), "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn each_use_begins_the_time_anew() {
    let (options, mut server) = idling();
    let (client, mut peer) = connected(options, &mut server).await;
    for _ in 0..3 {
        peer.expect_silence(LONGEST - SECOND).await;
        let queued = client.publish(message("t", "x", QoS::AtMostOnce)).await;
        queued.unwrap();
        peer.expect(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, b'x'])
            .await;
    }
    expect_idleness(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_publish_without_an_outcome_keeps_the_connection() {
    let (options, mut server) = idling();
    let (client, mut peer) = connected(options, &mut server).await;
    let queued = client.publish(message("t", "x", QoS::AtLeastOnce)).await;
    queued.unwrap();
    assert_eq!(peer.packet().await[0], 0x32);
    expect_patience(&mut peer).await;
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    expect_idleness(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_keeps_the_connection() {
    let (options, mut server) = idling();
    let (client, mut peer) = connected(options, &mut server).await;
    let wanted = SubscribeOptions::new(QoS::AtLeastOnce);
    let subscription = subscribe(&client, &mut peer, wanted).await;
    expect_patience(&mut peer).await;
    drop(subscription);
    unsubscribed(&mut peer).await;
    expect_idleness(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_owes_its_acknowledgement_keeps_the_connection() {
    let (options, mut server) = idling();
    let (client, mut peer) = connected(options, &mut server).await;
    let wanted = SubscribeOptions::new(QoS::AtLeastOnce).with_ack(AckMode::Manual);
    let mut subscription = subscribe(&client, &mut peer, wanted).await;
    peer.send(&[0x32, 0x07, 0x00, 0x01, b't', 0x00, 0x05, 0x00, b'x'])
        .await;
    let received = subscription.recv().await.unwrap();
    drop(subscription);
    unsubscribed(&mut peer).await;
    expect_patience(&mut peer).await;
    assert!(received.acknowledge());
    peer.expect(&[0x40, 0x02, 0x00, 0x05]).await;
    expect_idleness(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_keeps_the_connection_until_its_response() {
    let (options, mut server) = idling();
    let options = options.with_response_topic(Some("r".to_owned()));
    let (client, mut peer) = connected(options, &mut server).await;
    // What the subscription to the Response Topic is there for ends with the request.
    for _ in 0..2 {
        let ask = client.request(message("q", "?", QoS::AtMostOnce), LONGEST * 100);
        let serve = async {
            let subscribe = peer.packet().await;
            assert_eq!(subscribe[0], 0x82);
            peer.send(&[0x90, 0x04, subscribe[2], subscribe[3], 0x00, 0x01])
                .await;
            // PUBLISH to `q`, Property Length 23, Response Topic `r`, Correlation Data (0x09) of 16 bytes.
            let request = peer.packet().await;
            assert_eq!(request[..3], [0x30, 0x1C, 0x00]);
            expect_patience(&mut peer).await;
            let mut response = vec![0x30, 0x18, 0x00, 0x01, b'r', 0x13, 0x09, 0x00, 0x10];
            response.extend(&request[13..29]);
            response.push(b'!');
            peer.send(&response).await;
            expect_idleness(peer).await;
        };
        let (answer, ()) = tokio::join!(ask, serve);
        assert_eq!(answer.unwrap().payload(), b"!");
        // The next one finds no session, and so has to subscribe anew.
        let (connack, accepted) = tokio::join!(client.connected(SECOND), server.accept(CONNACK_V5));
        connack.unwrap();
        peer = accepted;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_published_during_the_goodbye_leaves_with_the_next_connection() {
    let (options, mut server) = idling();
    let (client, mut peer) = connected(options, &mut server).await;
    peer.expect_silence(LONGEST - SECOND).await;
    peer.expect(&[0xE0, 0x00]).await;
    // The server has not closed its half yet.
    let queued = client.publish(message("t", "x", QoS::AtMostOnce)).await;
    let mut next = server.accept(CONNACK_V5).await;
    next.expect(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, b'x'])
        .await;
    let outcome = queued.unwrap().wait_timeout(SECOND).await;
    assert_eq!(outcome, Some(Outcome::Sent));
    peer.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_closes_without_a_connection() {
    let (options, mut server) = idling();
    let (client, peer) = connected(options, &mut server).await;
    expect_idleness(peer).await;
    client.close(SECOND).await.unwrap();
    assert!(client.state().is_closed() && !server.has_arrived());
}

#[test]
fn no_time_at_all_is_refused() {
    let (options, _) = scripted();
    let option = "idle_disconnect";
    assert_eq!(
        options.with_idle_disconnect(Some(Duration::ZERO)).check(),
        Err(OptionsError::Zero { option })
    );
}
