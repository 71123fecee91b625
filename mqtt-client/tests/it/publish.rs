//! Publishing: outcomes, queues, order, and what becomes of messages when the connection is lost.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use mqtt_client::{
    Client, CloseError, Delivery, DeliveryState, DropReason, Message, Outcome, Overflow, Property,
    PublishError, QoS, ReasonCode, Reconnect, SessionLost, State, TopicName, Version,
};

use tokio::io::AsyncWriteExt;

use crate::support::{
    CONNACK_V5, CONNACK_V5_SESSION, CONNACK_V311, CONNACK_V311_SESSION, SECOND, connected, message,
    scripted,
};

/// PUBLISH of 5.0 to `t`, QoS 1, with a payload of one byte.
fn publish_v5(first: u8, packet_id: u8, payload: u8) -> [u8; 9] {
    [
        first, 0x07, 0x00, 0x01, b't', 0x00, packet_id, 0x00, payload,
    ]
}

async fn acknowledged(delivery: &Delivery) -> ReasonCode {
    match delivery.wait_timeout(SECOND).await {
        Some(Outcome::Acknowledged { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn topic_aliases_are_used_as_far_as_both_ends_want_them() {
    let (options, mut server) = scripted();
    let options = options.with_outgoing_topic_aliases(1);
    let client = Client::start(options).unwrap();
    // CONNACK with Topic Alias Maximum (0x22) 2.
    let mut peer = server.accept(b"\x20\x06\x00\x00\x03\x22\x00\x02").await;
    client.connected(SECOND).await.unwrap();
    for topic in ["topic/1", "topic/1", "topic/2"] {
        let queued = client.publish(message(topic, "x", QoS::AtMostOnce)).await;
        queued.unwrap();
    }
    // PUBLISH: topic, Property Length 3, Topic Alias (0x23) 1, payload. The second has the alias alone, and the one alias
    // then stands for the other topic.
    peer.expect(b"\x30\x0E\x00\x07topic/1\x03\x23\x00\x01x")
        .await;
    peer.expect(b"\x30\x07\x00\x00\x03\x23\x00\x01x").await;
    peer.expect(b"\x30\x0E\x00\x07topic/2\x03\x23\x00\x01x")
        .await;
}

#[tokio::test(start_paused = true)]
async fn each_qos_has_its_outcome() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;

    let sent = client
        .publish(message("t", "0", QoS::AtMostOnce))
        .await
        .unwrap();
    assert_eq!(sent.wait_timeout(SECOND).await, Some(Outcome::Sent));
    peer.expect(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, b'0'])
        .await;

    let once = client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    assert_eq!((once.state(), once.outcome()), (DeliveryState::Sent, None));
    // PUBACK, No matching subscribers.
    peer.send(&[0x40, 0x03, 0x00, 0x01, 0x10]).await;
    assert_eq!(
        acknowledged(&once).await,
        ReasonCode::NO_MATCHING_SUBSCRIBERS
    );

    let exactly = client
        .publish(message("t", "2", QoS::ExactlyOnce))
        .await
        .unwrap();
    let packet = peer.packet().await;
    assert_eq!(packet[0], 0x34);
    let id = [packet[5], packet[6]];
    peer.send(&[0x50, 0x02, id[0], id[1]]).await;
    peer.expect(&[0x62, 0x02, id[0], id[1]]).await;
    assert_eq!(exactly.state(), DeliveryState::Received);
    peer.send(&[0x70, 0x02, id[0], id[1]]).await;
    assert_eq!(acknowledged(&exactly).await, ReasonCode::SUCCESS);

    let status = client.status();
    assert_eq!(
        (
            status.sent,
            status.acknowledged,
            status.failed,
            status.queued_messages
        ),
        (1, 2, 0, 0)
    );
    assert_eq!(
        [&sent, &once, &exactly].map(|delivery| delivery.id().get()),
        [1, 2, 3]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_server_belongs_to_that_publish_alone() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    let refused = client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    let taken = client
        .publish(message("t", "2", QoS::AtLeastOnce))
        .await
        .unwrap();
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    peer.expect(&publish_v5(0x32, 2, b'2')).await;
    // PUBACK, Not authorized, for the first; the second is taken.
    peer.send(&[0x40, 0x03, 0x00, 0x01, 0x87, 0x40, 0x02, 0x00, 0x02])
        .await;
    assert_eq!(acknowledged(&refused).await, ReasonCode::NOT_AUTHORIZED);
    assert_eq!(acknowledged(&taken).await, ReasonCode::SUCCESS);
    assert!(client.state().is_connected());
    assert_eq!(
        (client.status().acknowledged, client.status().failed),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn publishes_from_before_the_connection_wait_for_it_in_order() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let early: Vec<_> = ["a", "b", "c"]
        .map(|payload| {
            client
                .try_publish(message("t", payload, QoS::AtLeastOnce))
                .unwrap()
        })
        .into();
    assert_eq!(client.status().queued_messages, 3);
    let mut peer = server.accept(CONNACK_V5).await;
    for (id, payload) in [(1, b'a'), (2, b'b'), (3, b'c')] {
        peer.expect(&publish_v5(0x32, id, payload)).await;
        peer.send(&[0x40, 0x02, 0x00, id]).await;
    }
    for delivery in &early {
        assert_eq!(acknowledged(delivery).await, ReasonCode::SUCCESS);
    }
}

#[tokio::test(start_paused = true)]
async fn many_publishes_leave_in_few_writes_and_obey_the_receive_maximum() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    // Receive Maximum 2.
    let mut peer = server
        .accept(&[0x20, 0x06, 0x00, 0x00, 0x03, 0x21, 0x00, 0x02])
        .await;
    client.connected(SECOND).await.unwrap();
    let deliveries: Vec<_> = (0..4)
        .map(|_| {
            client
                .try_publish(message("t", "x", QoS::AtLeastOnce))
                .unwrap()
        })
        .collect();
    peer.expect(&publish_v5(0x32, 1, b'x')).await;
    peer.expect(&publish_v5(0x32, 2, b'x')).await;
    peer.expect_silence(SECOND).await;
    peer.send(&[0x40, 0x02, 0x00, 0x02]).await;
    assert_eq!(peer.packet().await[0], 0x32);
    peer.expect_silence(SECOND).await;
    assert_eq!(acknowledged(&deliveries[1]).await, ReasonCode::SUCCESS);
    assert_eq!(deliveries[0].outcome(), None);
    assert_eq!(client.status().queued_messages, 3);
}

#[tokio::test(start_paused = true)]
async fn unacknowledged_messages_come_again_with_dup_when_the_session_resumes() {
    for (version, first, again) in [
        (Version::V5, CONNACK_V5, CONNACK_V5_SESSION),
        (Version::V3_1_1, CONNACK_V311, CONNACK_V311_SESSION),
    ] {
        let (options, mut server) = scripted();
        let options = options.with_version(version).with_session(SECOND * 3_600);
        let client = Client::start(options).unwrap();
        let mut peer = server.accept(first).await;
        let delivery = client
            .publish(message("t", "x", QoS::AtLeastOnce))
            .await
            .unwrap();
        let sent = peer.packet().await;
        drop(peer);
        let mut peer = server.accept(again).await;
        let resent = peer.packet().await;
        assert_eq!((sent[0], resent[0]), (0x32, 0x3A));
        assert_eq!(sent[1..], resent[1..]);
        assert_eq!(delivery.outcome(), None);
        peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
        assert_eq!(acknowledged(&delivery).await, ReasonCode::SUCCESS);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_republishes_or_drops_as_asked() {
    for (choice, republished) in [(SessionLost::Republish, true), (SessionLost::Drop, false)] {
        let (options, mut server) = scripted();
        let (client, mut peer) = connected(options.with_on_session_lost(choice), &mut server).await;
        let delivery = client
            .publish(message("t", "x", QoS::AtLeastOnce))
            .await
            .unwrap();
        peer.expect(&publish_v5(0x32, 1, b'x')).await;
        drop(peer);
        let mut peer = server.accept(CONNACK_V5).await;
        if republished {
            let packet = peer.packet().await;
            assert_eq!(packet[0], 0x32, "a new message, so not a duplicate");
            peer.send(&[0x40, 0x02, packet[5], packet[6]]).await;
            assert_eq!(acknowledged(&delivery).await, ReasonCode::SUCCESS);
        } else {
            assert_eq!(
                delivery.wait_timeout(SECOND).await,
                Some(Outcome::Dropped(DropReason::SessionLost))
            );
        }
    }
}

/// A payload that publishes when it is dropped.
struct CallsBack {
    client: Client,
    payload: Vec<u8>,
}

impl AsRef<[u8]> for CallsBack {
    fn as_ref(&self) -> &[u8] {
        &self.payload
    }
}

impl Drop for CallsBack {
    fn drop(&mut self) {
        let again = self.client.try_publish(message("t", "2", QoS::AtLeastOnce));
        assert!(matches!(again, Err(PublishError::QueueFull { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_may_call_back_when_it_is_dropped() {
    let (options, mut server) = scripted();
    let (client, _peer) = connected(options.with_queue_max_messages(1), &mut server).await;
    let first = client.try_publish(message("t", "1", QoS::AtLeastOnce));
    first.unwrap();
    // As large as a payload that is not copied.
    let payload = Bytes::from_owner(CallsBack {
        client: client.clone(),
        payload: vec![b'x'; 64 * 1024],
    });
    let refused = Message::new(TopicName::new("t").unwrap(), payload).with_qos(QoS::AtLeastOnce);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(client.try_publish(refused).is_err()));
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_changes_nothing() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options.with_queue_max_messages(1), &mut server).await;
    let first = client
        .try_publish(message("t", "1", QoS::AtLeastOnce))
        .unwrap();
    let before = client.status();
    let refused = client
        .try_publish(message("t", "2", QoS::AtLeastOnce))
        .unwrap_err();
    assert!(
        matches!(refused, PublishError::QueueFull { messages: 1, .. }),
        "{refused}"
    );
    assert_eq!(client.status().queued_bytes, before.queued_bytes);
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    peer.expect_silence(SECOND).await;
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    assert_eq!(acknowledged(&first).await, ReasonCode::SUCCESS);
    // Whoever saw the outcome finds the room.
    client
        .try_publish(message("t", "3", QoS::AtLeastOnce))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_publish_wait() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options.with_queue_max_messages(1), &mut server).await;
    client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.publish(message("t", "2", QoS::AtLeastOnce)).await }
    });
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    tokio::time::sleep(SECOND).await;
    assert!(!waiting.is_finished());
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    waiting.await.unwrap().unwrap();
    assert_eq!(peer.packet().await[8], b'2');
}

#[tokio::test(start_paused = true)]
async fn the_overflow_policies_drop_the_oldest_or_the_newest() {
    let (options, _server) = scripted();
    let options = options.with_queue_max_messages(2);
    let overflown = Some(Outcome::Dropped(DropReason::Overflow));

    let client = Client::start(options.clone().with_overflow(Overflow::DropOldest)).unwrap();
    let deliveries: Vec<_> = ["1", "2", "3"]
        .map(|payload| {
            client
                .try_publish(message("t", payload, QoS::AtLeastOnce))
                .unwrap()
        })
        .into();
    let outcomes: Vec<_> = deliveries.iter().map(Delivery::outcome).collect();
    assert_eq!(outcomes, [overflown.clone(), None, None]);
    assert_eq!(client.status().queued_messages, 2);

    let client = Client::start(options.with_overflow(Overflow::DropNewest)).unwrap();
    let deliveries: Vec<_> = ["1", "2", "3"]
        .map(|payload| {
            client
                .try_publish(message("t", payload, QoS::AtLeastOnce))
                .unwrap()
        })
        .into();
    let outcomes: Vec<_> = deliveries.iter().map(Delivery::outcome).collect();
    assert_eq!(outcomes, [None, None, overflown]);
}

#[tokio::test(start_paused = true)]
async fn bytes_are_bounded_too() {
    let (options, _server) = scripted();
    let client = Client::start(options.with_queue_max_bytes(10_000)).unwrap();
    let size = |size| message("t", &"x".repeat(size), QoS::AtLeastOnce);
    assert!(matches!(
        client.try_publish(size(10_000)),
        Err(PublishError::TooLarge { limit: 10_000, .. })
    ));
    client.try_publish(size(6_000)).unwrap();
    assert!(matches!(
        client.try_publish(size(6_000)),
        Err(PublishError::QueueFull { .. })
    ));
    client.try_publish(size(1_000)).unwrap();
    assert!(client.status().queued_bytes <= 10_000);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_does_not_take_is_refused_at_the_call() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let early = client
        .try_publish(message("t", "x", QoS::ExactlyOnce))
        .unwrap();
    // Maximum QoS 1, Retain Available 0, Maximum Packet Size 20.
    let mut peer = server
        .accept(&[
            0x20, 0x0C, 0x00, 0x00, 0x09, 0x24, 0x01, 0x25, 0x00, 0x27, 0x00, 0x00, 0x00, 0x14,
        ])
        .await;
    client.connected(SECOND).await.unwrap();
    let refused = |message| client.try_publish(message).unwrap_err();
    assert_eq!(
        refused(message("t", "x", QoS::ExactlyOnce)),
        PublishError::QosNotSupported {
            maximum: QoS::AtLeastOnce
        }
    );
    assert_eq!(
        refused(message("t", "x", QoS::AtMostOnce).with_retain(true)),
        PublishError::RetainNotSupported
    );
    // 1 + 1 + 2 + 1 + 1 + 15 bytes.
    assert_eq!(
        refused(message("t", "123456789012345", QoS::AtMostOnce)),
        PublishError::TooLarge {
            size: 21,
            limit: 20
        }
    );
    client
        .try_publish(message("t", "12345678901234", QoS::AtMostOnce))
        .unwrap();
    assert_eq!(peer.packet().await.len(), 20);
    // What was accepted before the limits were known has an outcome that tells.
    assert!(matches!(
        early.wait_timeout(SECOND).await,
        Some(Outcome::Refused(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn properties_go_to_5_0_and_are_refused_for_3_1_1() {
    let with_content_type = || {
        let content_type = Property::ContentType(mqtt_core::Utf8::new("a/b").unwrap());
        message("t", "x", QoS::AtMostOnce)
            .with_properties(&[content_type])
            .unwrap()
    };
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    client.publish(with_content_type()).await.unwrap();
    peer.expect(&[
        0x30, 0x0B, 0x00, 0x01, b't', 0x06, 0x03, 0x00, 0x03, b'a', b'/', b'b', b'x',
    ])
    .await;

    let (options, mut server) = scripted();
    let (client, _peer) = connected(options.with_version(Version::V3_1_1), &mut server).await;
    let delivery = client.publish(with_content_type()).await.unwrap();
    assert!(matches!(
        delivery.wait_timeout(SECOND).await,
        Some(Outcome::Refused(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn expiry_counts_from_the_call_and_the_rest_is_sent() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let expiring = |seconds| {
        message("t", "x", QoS::AtLeastOnce)
            .with_properties(&[Property::MessageExpiryInterval(seconds)])
            .unwrap()
    };
    let short = client.try_publish(expiring(5)).unwrap();
    let long = client.try_publish(expiring(60)).unwrap();
    let mut peer = server.peer().await;
    peer.packet().await;
    tokio::time::sleep(SECOND * 8).await;
    peer.send(CONNACK_V5).await;
    let packet = peer.packet().await;
    // One property, Message Expiry Interval: 52 seconds are left.
    assert_eq!(packet[7..13], [0x05, 0x02, 0x00, 0x00, 0x00, 52]);
    assert_eq!(short.wait_timeout(SECOND).await, Some(Outcome::Expired));
    assert_eq!(long.outcome(), None);
}

#[tokio::test(start_paused = true)]
async fn expiry_is_told_in_time_whatever_the_task_waits_for() {
    let (options, mut server) = scripted();
    let slow = Reconnect {
        min: SECOND * 600,
        max: SECOND * 600,
        ..Reconnect::default()
    };
    let options = options
        .with_reconnect(slow)
        .with_connect_timeout(SECOND * 600);
    let client = Client::start(options).unwrap();
    let expiring = || {
        message("t", "x", QoS::AtLeastOnce)
            .with_properties(&[Property::MessageExpiryInterval(5)])
            .unwrap()
    };
    // Before CONNACK, and then between two connections.
    let peer = server.peer().await;
    let waiting = client.try_publish(expiring()).unwrap();
    assert_eq!(waiting.wait_timeout(SECOND * 4).await, None);
    assert_eq!(
        waiting.wait_timeout(SECOND * 2).await,
        Some(Outcome::Expired)
    );
    drop(peer);
    let waiting = client.try_publish(expiring()).unwrap();
    assert_eq!(waiting.wait_timeout(SECOND * 4).await, None);
    assert_eq!(
        waiting.wait_timeout(SECOND * 2).await,
        Some(Outcome::Expired)
    );
    assert_eq!(client.status().queued_messages, 0);
}

#[tokio::test(start_paused = true)]
async fn expiry_is_a_time_limit_for_the_queue_in_3_1_1_too() {
    let (options, mut server) = scripted();
    let client = Client::start(options.with_version(Version::V3_1_1)).unwrap();
    let expiring = |seconds| {
        message("t", "x", QoS::AtLeastOnce)
            .with_properties(&[Property::MessageExpiryInterval(seconds)])
            .unwrap()
    };
    let short = client.try_publish(expiring(5)).unwrap();
    let _long = client.try_publish(expiring(60)).unwrap();
    let mut peer = server.peer().await;
    peer.packet().await;
    tokio::time::sleep(SECOND * 8).await;
    peer.send(CONNACK_V311).await;
    peer.expect(&[0x32, 0x06, 0x00, 0x01, b't', 0x00, 0x01, b'x'])
        .await;
    assert_eq!(short.wait_timeout(SECOND).await, Some(Outcome::Expired));
}

#[tokio::test(start_paused = true)]
async fn what_expires_while_the_server_is_away_is_told_before_it_comes_back() {
    let (options, server) = scripted();
    drop(server);
    let client = Client::start(options).unwrap();
    let expiring = message("t", "x", QoS::AtLeastOnce)
        .with_properties(&[Property::MessageExpiryInterval(5)])
        .unwrap();
    let delivery = client.try_publish(expiring).unwrap();
    assert_eq!(
        delivery.wait_timeout(SECOND * 70).await,
        Some(Outcome::Expired)
    );
    assert_eq!(
        (client.status().failed, client.status().queued_messages),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_goes_back_to_the_queue_when_the_connection_is_lost() {
    let (options, mut server) = scripted();
    let options = options
        .with_queue_max_messages(3)
        .with_overflow(Overflow::DropOldest)
        .with_session(SECOND * 60);
    let client = Client::start(options).unwrap();
    // Receive Maximum 1: the second and third wait.
    let mut peer = server
        .accept(&[0x20, 0x06, 0x00, 0x00, 0x03, 0x21, 0x00, 0x01])
        .await;
    client.connected(SECOND).await.unwrap();
    let publish = |payload: &str| {
        client
            .try_publish(message("t", payload, QoS::AtLeastOnce))
            .unwrap()
    };
    let (first, second, third) = (publish("1"), publish("2"), publish("3"));
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    drop(peer);
    client
        .states()
        .wait_for(|state| matches!(state, State::Backoff { .. }))
        .await
        .unwrap();
    assert_eq!(second.state(), DeliveryState::Queued);
    // The one in flight cannot be dropped, the oldest of the others can.
    let fourth = publish("4");
    assert_eq!(
        second.outcome(),
        Some(Outcome::Dropped(DropReason::Overflow))
    );
    let mut peer = server.accept(CONNACK_V5_SESSION).await;
    peer.expect(&publish_v5(0x3A, 1, b'1')).await;
    peer.expect(&publish_v5(0x32, 2, b'3')).await;
    peer.expect(&publish_v5(0x32, 3, b'4')).await;
    peer.send(&[
        0x40, 0x02, 0x00, 0x01, 0x40, 0x02, 0x00, 0x02, 0x40, 0x02, 0x00, 0x03,
    ])
    .await;
    for delivery in [first, third, fourth] {
        assert_eq!(acknowledged(&delivery).await, ReasonCode::SUCCESS);
    }
}

/// Counts the writes that reach a transport.
struct Counted {
    stream: tokio::io::DuplexStream,
    writes: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl tokio::io::AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl tokio::io::AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.writes
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        self.writes
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_publishes_are_one_write() {
    let writes = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
    let slot = std::sync::Arc::new(std::sync::Mutex::new(Some(ours)));
    let counter = std::sync::Arc::clone(&writes);
    let connector = mqtt_client::Connector::new("counted", move || {
        let stream = slot.lock().unwrap().take();
        let writes = std::sync::Arc::clone(&counter);
        async move {
            let stream = stream.ok_or(std::io::ErrorKind::ConnectionRefused)?;
            Ok(Counted { stream, writes })
        }
    });
    let client = Client::start(mqtt_client::Options::with_connector(connector)).unwrap();
    theirs.write_all(CONNACK_V5).await.unwrap();
    client.connected(SECOND).await.unwrap();
    let before = writes.load(std::sync::atomic::Ordering::Relaxed);
    let payload = "x".repeat(10_000);
    let deliveries: Vec<_> = (0..100)
        .map(|number| {
            // A large payload among them is sent by reference, in the same write.
            let payload = if number == 50 { payload.as_str() } else { "x" };
            client
                .try_publish(message("t", payload, QoS::AtMostOnce))
                .unwrap()
        })
        .collect();
    for delivery in deliveries {
        assert_eq!(delivery.wait_timeout(SECOND).await, Some(Outcome::Sent));
    }
    assert_eq!(
        writes.load(std::sync::atomic::Ordering::Relaxed) - before,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn flush_waits_for_what_was_there_before_it() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    assert!(client.flush(Duration::ZERO).await.is_complete());
    client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    assert_eq!(client.flush(SECOND).await.pending, 1);
    let flushing = tokio::spawn({
        let client = client.clone();
        async move { client.flush(SECOND * 60).await }
    });
    tokio::task::yield_now().await;
    // One that comes later is not waited for.
    client
        .publish(message("t", "2", QoS::AtLeastOnce))
        .await
        .unwrap();
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    assert!(flushing.await.unwrap().is_complete());
    assert_eq!(client.status().queued_messages, 1);
}

#[tokio::test(start_paused = true)]
async fn v311_mqtt_3_14_4_1_the_connection_is_closed_after_disconnect() {
    let (mut options, mut server) = scripted();
    options.version = Version::V3_1_1;
    let (client, mut peer) = connected(options, &mut server).await;
    let closing = tokio::spawn(async move { client.close(SECOND * 5).await });
    peer.expect(&[0xE0, 0x00]).await;
    peer.expect_end().await;
    drop(peer);
    closing.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_14_4_2_close_flushes_says_goodbye_and_reads_to_the_end() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    let delivery = client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    let closing = tokio::spawn({
        let client = client.clone();
        async move { client.close(SECOND * 5).await }
    });
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    peer.expect_silence(SECOND).await;
    assert_eq!(
        client
            .try_publish(message("t", "2", QoS::AtMostOnce))
            .unwrap_err(),
        PublishError::Closed
    );
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    peer.expect(&[0xE0, 0x00]).await;
    peer.expect_end().await;
    // Whatever the server still says is read, so that the end is not a reset.
    peer.send(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, b'x']).await;
    assert!(!closing.is_finished());
    drop(peer);
    assert_eq!(closing.await.unwrap(), Ok(()));
    assert_eq!(acknowledged(&delivery).await, ReasonCode::SUCCESS);
    assert!(matches!(client.state(), State::Closed(_)));
    assert_eq!(client.close(SECOND).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn close_is_bounded_and_tells_what_it_left() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    let delivery = client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(
        client.close(SECOND * 2).await,
        Err(CloseError::Unfinished { pending: 1 })
    );
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(
        delivery.outcome(),
        Some(Outcome::Dropped(DropReason::Closed))
    );
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    peer.expect(&[0xE0, 0x00]).await;
}

#[tokio::test(start_paused = true)]
async fn close_without_a_connection_waits_for_one_only_if_something_is_queued() {
    let (options, mut server) = scripted();
    let client = Client::start(options.clone()).unwrap();
    let _peer = server.peer().await;
    assert_eq!(client.close(SECOND * 60).await, Ok(()));

    let client = Client::start(options).unwrap();
    let delivery = client
        .try_publish(message("t", "1", QoS::AtMostOnce))
        .unwrap();
    let closing = tokio::spawn(async move { client.close(SECOND * 60).await });
    let mut peer = server.accept(CONNACK_V5).await;
    peer.expect(&[0x30, 0x05, 0x00, 0x01, b't', 0x00, b'1', 0xE0, 0x00])
        .await;
    drop(peer);
    assert_eq!(closing.await.unwrap(), Ok(()));
    assert_eq!(delivery.outcome(), Some(Outcome::Sent));
}

#[tokio::test(start_paused = true)]
async fn close_does_not_wait_for_ever_for_a_server_that_is_gone() {
    let (options, server) = scripted();
    drop(server);
    let client = Client::start(options).unwrap();
    let delivery = client
        .try_publish(message("t", "1", QoS::AtLeastOnce))
        .unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(
        client.close(SECOND * 30).await,
        Err(CloseError::Unfinished { pending: 1 })
    );
    assert!(
        (29..=30).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        delivery.outcome(),
        Some(Outcome::Dropped(DropReason::Closed))
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_leaves_a_close_its_deadline() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    let delivery = client
        .publish(message("t", "1", QoS::AtLeastOnce))
        .await
        .unwrap();
    peer.expect(&publish_v5(0x32, 1, b'1')).await;
    // A close that is polled once, and then left alone together with its client.
    let mut close = Box::pin(client.close(60 * SECOND));
    assert!(
        close
            .as_mut()
            .poll(&mut Context::from_waker(std::task::Waker::noop()))
            .is_pending()
    );
    drop(close);
    drop(client);
    peer.expect_silence(30 * SECOND).await;
    peer.send(&[0x40, 0x02, 0x00, 0x01]).await;
    assert_eq!(acknowledged(&delivery).await, ReasonCode::SUCCESS);
    peer.expect(&[0xE0, 0x00]).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_the_client() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    let other = client.clone();
    drop(client);
    peer.expect_silence(SECOND).await;
    drop(other);
    peer.expect(&[0xE0, 0x00]).await;
    peer.expect_end().await;
}

#[test]
fn a_stopped_runtime_leaves_no_publish_without_an_outcome() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (client, delivery) = runtime.block_on(async {
        let (options, _server) = scripted();
        let client = Client::start(options).unwrap();
        let delivery = client
            .try_publish(message("t", "1", QoS::AtLeastOnce))
            .unwrap();
        (client, delivery)
    });
    drop(runtime);
    assert_eq!(
        delivery.outcome(),
        Some(Outcome::Dropped(DropReason::Closed))
    );
    assert_eq!(
        client
            .try_publish(message("t", "2", QoS::AtMostOnce))
            .unwrap_err(),
        PublishError::Closed
    );
}
