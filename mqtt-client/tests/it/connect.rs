//! Connecting, being refused, losing the connection and coming back.

use std::time::Duration;

use mqtt_client::{
    Client, CloseCause, ConnectError, ConnectStage, Options, Property, ProtocolVersion, QoS,
    ReasonCode, Reconnect, State, Utf8, Version, Will,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use crate::support::{CONNACK_V5, CONNACK_V311, SECOND, connected, message, scripted};

#[tokio::test(start_paused = true)]
async fn v5_connect_says_what_the_options_say() {
    let (options, mut server) = scripted();
    let user_property = ("k".to_owned(), "v".to_owned());
    let options = options
        .with_credentials("u", "p")
        .with_keep_alive(SECOND * 7)
        .with_session(SECOND * 9)
        .with_receive_maximum(10)
        .with_maximum_packet_size(1_000)
        .with_topic_alias_maximum(11)
        .with_user_properties(vec![user_property]);
    let _client = Client::start(options).unwrap();
    let mut peer = server.peer().await;
    peer.expect(&[
        0x10, 0x2B, // CONNECT, 43 bytes
        0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, // name and level
        0xC0, // user name, password, no clean start
        0x00, 0x07, // Keep Alive
        0x17, // 23 bytes of properties
        0x11, 0x00, 0x00, 0x00, 0x09, // Session Expiry Interval
        0x21, 0x00, 0x0A, // Receive Maximum
        0x27, 0x00, 0x00, 0x03, 0xE8, // Maximum Packet Size
        0x22, 0x00, 0x0B, // Topic Alias Maximum
        0x26, 0x00, 0x01, b'k', 0x00, 0x01, b'v', // User Property
    ])
    .await;
    peer.expect(b"\x00\x01a\x00\x01u\x00\x01p").await;
}

#[tokio::test(start_paused = true)]
async fn v5_connect_says_what_every_client_says() {
    let (options, mut server) = scripted();
    let _client = Client::start(options).unwrap();
    let mut peer = server.peer().await;
    peer.expect(&[
        0x10, 0x16, // CONNECT, 22 bytes
        0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, // name and level
        0x02, // Clean Start
        0x00, 0x3C, // Keep Alive 60 s
        0x08, // 8 bytes of properties
        0x21, 0x04, 0x00, // Receive Maximum 1,024
        0x27, 0x01, 0x00, 0x00, 0x00, // Maximum Packet Size 16 MiB
        0x00, 0x01, b'a', // Client Identifier
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn v5_connect_has_the_will() {
    let (options, mut server) = scripted();
    let properties = [
        Property::MessageExpiryInterval(5),
        Property::CorrelationData(b"c"),
    ];
    let will = message("gone", "bye", QoS::AtLeastOnce).with_retain(true);
    let mut will = Will::new(will.with_properties(&properties).unwrap());
    will.delay = SECOND * 3;
    let _client = Client::start(options.with_will(will)).unwrap();
    let mut peer = server.peer().await;
    peer.expect(&[
        0x10, 0x30, // CONNECT, 48 bytes
        0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, // name and level
        0x2E, // Will Retain, Will QoS 1, Will Flag, Clean Start
        0x00, 0x3C, // Keep Alive
        0x08, 0x21, 0x04, 0x00, 0x27, 0x01, 0x00, 0x00, 0x00, // properties as always
        0x00, 0x01, b'a', // Client Identifier
        0x0E, // 14 bytes of Will properties
        0x02, 0x00, 0x00, 0x00, 0x05, // Message Expiry Interval
        0x09, 0x00, 0x01, b'c', // Correlation Data
        0x18, 0x00, 0x00, 0x00, 0x03, // Will Delay Interval
    ])
    .await;
    peer.expect(b"\x00\x04gone\x00\x03bye").await;
}

#[tokio::test(start_paused = true)]
async fn v311_connect_has_the_will_without_a_delay() {
    let (options, mut server) = scripted();
    let mut will = Will::new(message("gone", "bye", QoS::ExactlyOnce));
    will.delay = SECOND * 3;
    let _client = Client::start(options.with_will(will)).unwrap();
    // It asked for 5.0, which the server does not know.
    server.accept(&[0x20, 0x03, 0x00, 0x84, 0x00]).await;
    let mut peer = server.peer().await;
    peer.expect(&[
        0x10, 0x18, // CONNECT, 24 bytes
        0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, // name and level
        0x16, // Will QoS 2, Will Flag, Clean Session
        0x00, 0x3C, // Keep Alive
        0x00, 0x01, b'a', // Client Identifier
    ])
    .await;
    peer.expect(b"\x00\x04gone\x00\x03bye").await;
}

#[tokio::test(start_paused = true)]
async fn v311_and_v31_connect_are_plain() {
    for (version, expected) in [
        (
            Version::V3_1_1,
            &[
                0x10, 0x0D, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'a',
            ][..],
        ),
        (
            Version::V3_1,
            &[
                0x10, 0x0F, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3, 2, 0, 60, 0, 1, b'a',
            ][..],
        ),
    ] {
        let (options, mut server) = scripted();
        let client = Client::start(options.with_version(version)).unwrap();
        let mut peer = server.peer().await;
        peer.expect(expected).await;
        peer.send(CONNACK_V311).await;
        let connack = client.connected(SECOND).await.unwrap();
        assert_eq!(
            (connack.version, connack.session_present),
            (version.first(), false)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn connect_fails_with_the_reason_the_server_gave() {
    let (options, mut server) = scripted();
    let connecting = tokio::spawn(Client::connect(options));
    let mut peer = server.peer().await;
    peer.packet().await;
    // Bad User Name or Password, Reason String "no".
    peer.send(&[0x20, 0x08, 0x00, 0x86, 0x05, 0x1F, 0x00, 0x02, b'n', b'o'])
        .await;
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "script refused the client: 0x86 Bad User Name or Password (no)"
    );
    assert_eq!(error.reason(), Some(ReasonCode::BAD_USER_NAME_OR_PASSWORD));
    let why = Property::ReasonString(Utf8::new("no").unwrap());
    let properties = error.properties().unwrap();
    assert_eq!(properties.into_iter().collect::<Vec<_>>(), [why]);
    assert!(!server.has_arrived(), "a final refusal is not tried again");
}

#[tokio::test(start_paused = true)]
async fn a_loss_has_the_properties_of_the_servers_disconnect() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    // DISCONNECT, Administrative action, with the User Property "k" "v".
    peer.send(&[
        0xE0, 0x09, 0x98, 0x07, 0x26, 0x00, 0x01, b'k', 0x00, 0x01, b'v',
    ])
    .await;
    let mut states = client.states();
    let over = states.wait_for(|state| matches!(state, State::Backoff { .. }));
    let State::Backoff { error, .. } = over.await.unwrap().clone() else {
        unreachable!()
    };
    assert_eq!(error.reason(), Some(ReasonCode::ADMINISTRATIVE_ACTION));
    let [name, value] = ["k", "v"].map(|text| Utf8::new(text).unwrap());
    let properties = error.properties().unwrap();
    assert_eq!(
        properties.into_iter().collect::<Vec<_>>(),
        [Property::UserProperty(name, value)]
    );
}

/// Errors live as long as the client: a server must not be able to leave all that fits in a packet there.
#[tokio::test(start_paused = true)]
async fn of_user_properties_that_refuse_64_kib_are_kept() {
    let pair = [&[0x26, 0x03, 0xE8][..], &[b'n'; 1_000], &[0x00, 0x00]].concat();
    let properties = [&pair.repeat(100)[..], b"\x1C\x00\x05other"].concat();
    // Reason Code and a Property Length of three bytes.
    let body = |reason| [&[reason][..], &var_int(properties.len()), &properties].concat();
    let refusal = [&[0x00][..], &body(0x86)].concat();
    let refusal = [&[0x20][..], &var_int(refusal.len()), &refusal].concat();
    let farewell = [&[0xE0][..], &var_int(body(0x8E).len()), &body(0x8E)].concat();
    for (answer, last) in [(&refusal[..], &[][..]), (CONNACK_V5, &farewell)] {
        let (options, mut server) = scripted();
        let client = Client::start(options).unwrap();
        let mut peer = server.peer().await;
        peer.packet().await;
        peer.send(answer).await;
        peer.send(last).await;
        let mut states = client.states();
        let closed = states.wait_for(State::is_closed).await.unwrap().clone();
        let State::Closed(CloseCause::Final(error)) = closed else {
            panic!("{closed:?}")
        };
        // 65 of 1,005 bytes, and whatever else there is.
        let kept = error.properties().unwrap();
        assert_eq!(kept.into_iter().count(), 66);
        assert_eq!(error.server_reference(), Some("other"));
    }
}

/// A Variable Byte Integer of three bytes.
fn var_int(number: usize) -> [u8; 3] {
    let group = |shift: u32| u8::try_from((number >> shift) & 0x7F).unwrap();
    [group(0) | 0x80, group(7) | 0x80, group(14)]
}

#[tokio::test(start_paused = true)]
async fn falls_back_to_3_1_1_only_where_the_server_says_so() {
    for answer in [
        &[0x20, 0x03, 0x00, 0x84, 0x00][..],
        &[0x20, 0x02, 0x00, 0x01][..],
    ] {
        let (options, mut server) = scripted();
        let client = Client::start(options).unwrap();
        let mut peer = server.peer().await;
        assert_eq!(peer.packet().await[8], 5);
        peer.send(answer).await;
        let mut peer = server.peer().await;
        assert_eq!(peer.packet().await[8], 4);
        peer.send(CONNACK_V311).await;
        assert_eq!(
            client.connected(SECOND).await.unwrap().version,
            ProtocolVersion::V3_1_1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_close_is_no_reason_to_fall_back() {
    let (options, mut server) = scripted();
    let connecting = tokio::spawn(Client::connect(options));
    let mut peer = server.peer().await;
    peer.packet().await;
    drop(peer);
    let error = connecting.await.unwrap().unwrap_err();
    assert!(
        matches!(error, ConnectError::ClosedByServer { .. }),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "script closed the connection before its CONNACK"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fixed_5_0_does_not_fall_back() {
    let (options, mut server) = scripted();
    let connecting = tokio::spawn(Client::connect(options.with_version(Version::V5)));
    server.accept(&[0x20, 0x03, 0x00, 0x84, 0x00]).await;
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(
        error.reason(),
        Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION)
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_the_connect_timeout() {
    let (options, mut server) = scripted();
    let begun = Instant::now();
    let connecting = tokio::spawn(Client::connect(options.with_connect_timeout(SECOND * 3)));
    let mut peer = server.peer().await;
    peer.packet().await;
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(
        matches!(
            error,
            ConnectError::TimedOut {
                stage: ConnectStage::Connack,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "script did not answer within 3s: timed out waiting for its CONNACK"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_of_something_else_is_named_as_such() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ] {
        let (options, mut server) = scripted();
        let connecting = tokio::spawn(Client::connect(options));
        let mut peer = server.peer().await;
        peer.packet().await;
        peer.send(garbage).await;
        let error = connecting.await.unwrap().unwrap_err();
        assert!(matches!(error, ConnectError::NotMqtt { .. }), "{error}");
        assert!(
            error
                .to_string()
                .starts_with("script does not speak MQTT as it should: "),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tcp_errors_name_address_and_cause() {
    // A port that was free a moment ago refuses.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::connect(Options::new("127.0.0.1", address.port()))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot connect to {address}: ")),
        "{error}"
    );

    // By name, the address it led to is told too.
    let error = Client::connect(Options::new("localhost", address.port()))
        .await
        .unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.starts_with(&format!("cannot connect to localhost:{} (", address.port())),
        "{shown}"
    );

    let error = Client::connect(Options::new("nowhere.invalid", 1883))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot find the address of nowhere.invalid: "),
        "{error}"
    );
}

#[tokio::test]
async fn several_addresses_are_tried_in_turn() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = free.local_addr().unwrap().port();
    drop(free);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 0x10);
        stream.write_all(CONNACK_V5).await.unwrap();
        stream
    });
    let options = Options::new("127.0.0.1", refusing).with_address("127.0.0.1", port);
    let client = timeout(SECOND * 5, Client::connect(options))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        client.connack().unwrap().address,
        format!("127.0.0.1:{port}")
    );
    drop(server.await.unwrap());
}

#[tokio::test]
async fn a_server_reference_is_followed_where_that_is_allowed() {
    let old = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let new = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (old_port, new_port) = (
        old.local_addr().unwrap().port(),
        new.local_addr().unwrap().port(),
    );
    let reference = format!("127.0.0.1:{new_port}");
    let length = u8::try_from(reference.len()).unwrap();
    // CONNACK, Server moved, with a Server Reference.
    let connack = [
        &[0x20, 6 + length, 0x00, 0x9D, 3 + length, 0x1C, 0x00, length],
        reference.as_bytes(),
    ]
    .concat();
    let servers = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = old.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            stream.write_all(&connack).await.unwrap();
        }
    });
    let options = Options::new("127.0.0.1", old_port);
    let error = Client::connect(options.clone()).await.unwrap_err();
    assert_eq!(error.server_reference(), Some(reference.as_str()));

    let connecting = tokio::spawn(Client::connect(options.with_follow_server_reference(true)));
    let (mut stream, _) = new.accept().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x10);
    stream.write_all(CONNACK_V5).await.unwrap();
    let client = connecting.await.unwrap().unwrap();
    assert_eq!(client.connack().unwrap().address, reference);
    servers.await.unwrap();
}

/// A server that accepts every client and then points at itself must meet the backoff like any other failure.
#[tokio::test]
async fn servers_that_accept_and_then_point_elsewhere_are_not_followed_for_ever() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let reference = format!("127.0.0.1:{port}");
    let length = u8::try_from(reference.len()).unwrap();
    // DISCONNECT, Use another server, with a Server Reference.
    let answer = [
        CONNACK_V5,
        &[0xE0, 5 + length, 0x9C, 3 + length, 0x1C, 0x00, length],
        reference.as_bytes(),
    ]
    .concat();
    let mut options = Options::new("127.0.0.1", port).with_follow_server_reference(true);
    options.reconnect.attempts = Some(0);
    let client = Client::start(options).unwrap();
    let mut accepted = 0;
    while !client.state().is_closed() {
        let Ok(arrived) = timeout(Duration::from_millis(50), server.accept()).await else {
            continue;
        };
        accepted += 1;
        assert!(accepted < 20, "it goes round in circles");
        let (mut stream, _) = arrived.unwrap();
        stream.read_u8().await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
    // The first, and as many hops as are allowed.
    assert_eq!(accepted, 6);
}

#[tokio::test(start_paused = true)]
async fn comes_back_after_a_loss_and_counts_it() {
    let (options, mut server) = scripted();
    let (client, peer) = connected(options, &mut server).await;
    drop(peer);
    let _peer = server.accept(CONNACK_V5).await;
    client.connected(SECOND).await.unwrap();
    assert_eq!(client.status().reconnects, 1);
    assert!(
        client
            .status()
            .last_error
            .unwrap()
            .starts_with("lost the connection to script: ")
    );
}

#[tokio::test(start_paused = true)]
async fn backoff_grows_and_starts_anew_after_a_stable_time() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let mut states = client.states();
    let mut attempts = Vec::new();
    for _ in 0..9 {
        let mut peer = server.peer().await;
        peer.packet().await;
        drop(peer);
        let backoff = states
            .wait_for(|state| matches!(state, State::Backoff { .. }))
            .await
            .unwrap()
            .clone();
        let State::Backoff { attempt, delay, .. } = backoff else {
            unreachable!()
        };
        let ceiling = Duration::from_millis(500 << (attempt - 1)).min(SECOND * 60);
        assert!(delay <= ceiling, "{delay:?} in attempt {attempt}");
        attempts.push(attempt);
        states.mark_unchanged();
        states
            .wait_for(|state| matches!(state, State::Connecting))
            .await
            .unwrap();
    }
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let mut peer = server.accept(CONNACK_V5).await;
    client.connected(SECOND).await.unwrap();
    // Kept alive until it counts as stable.
    peer.expect_silence(SECOND * 11).await;
    drop(peer);
    let backoff = states
        .wait_for(|state| matches!(state, State::Backoff { .. }))
        .await
        .unwrap()
        .clone();
    assert!(
        matches!(backoff, State::Backoff { attempt: 1, .. }),
        "{backoff:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_the_allowed_attempts() {
    let (options, mut server) = scripted();
    let policy = Reconnect {
        attempts: Some(2),
        ..Reconnect::default()
    };
    let client = Client::start(options.with_reconnect(policy)).unwrap();
    for _ in 0..3 {
        drop(server.peer().await);
    }
    let closed = client
        .states()
        .wait_for(State::is_closed)
        .await
        .unwrap()
        .clone();
    assert!(
        matches!(closed, State::Closed(CloseCause::GaveUp(_))),
        "{closed:?}"
    );
    assert!(
        client
            .try_publish(message("t", "x", QoS::AtLeastOnce))
            .is_err()
    );
    assert!(!server.has_arrived());
}

#[tokio::test(start_paused = true)]
async fn taken_over_by_another_client_is_reported_not_looped() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options, &mut server).await;
    // DISCONNECT, Session taken over.
    peer.send(&[0xE0, 0x01, 0x8E]).await;
    let closed = client
        .states()
        .wait_for(State::is_closed)
        .await
        .unwrap()
        .clone();
    let State::Closed(CloseCause::Final(error)) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(error.reason(), Some(ReasonCode::SESSION_TAKEN_OVER));
    tokio::time::sleep(SECOND * 600).await;
    assert!(!server.has_arrived());
}

#[tokio::test(start_paused = true)]
async fn a_packet_over_the_limit_ends_the_connection_and_is_not_a_tight_loop() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options.with_maximum_packet_size(100), &mut server).await;
    let mut states = client.states();
    let begun = Instant::now();
    for attempt in 1..=6 {
        // PUBLISH with a Remaining Length of 127: refused before its body is there.
        peer.send(&[0x30, 0x7F]).await;
        peer.expect(&[0xE0, 0x01, 0x95]).await;
        drop(peer);
        let backoff = states
            .wait_for(|state| matches!(state, State::Backoff { .. }))
            .await
            .unwrap()
            .clone();
        assert!(
            matches!(backoff, State::Backoff { attempt: count, .. } if count == attempt),
            "{backoff:?}"
        );
        peer = server.accept(CONNACK_V5).await;
        states.wait_for(State::is_connected).await.unwrap();
    }
    // Six waits, drawn from 0.5 s doubling up to 16 s.
    assert!(begun.elapsed() > SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_ours_is_ended_by_a_clean_start() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    // CONNACK, session present, to a Clean Start.
    let mut peer = server.accept(&[0x20, 0x03, 0x01, 0x00, 0x00]).await;
    peer.expect(&[0xE0, 0x01, 0x82]).await;
    drop(peer);
    let mut peer = server.peer().await;
    assert_eq!(peer.packet().await[9], 0x02);
    peer.send(CONNACK_V5).await;
    client.connected(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_tried_again() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    server.accept(&[0x20, 0x03, 0x00, 0x89, 0x00]).await;
    let _peer = server.accept(CONNACK_V5).await;
    client.connected(SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connected_gives_the_last_error_when_time_is_over() {
    let (options, mut server) = scripted();
    let client = Client::start(options).unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.connected(SECOND * 2).await }
    });
    let mut peer = server.peer().await;
    peer.packet().await;
    drop(peer);
    let mut peer = server.peer().await;
    peer.packet().await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(
        matches!(error, ConnectError::ClosedByServer { .. }),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn pings_when_idle_and_leaves_a_server_that_does_not_answer() {
    let (options, mut server) = scripted();
    let (client, mut peer) = connected(options.with_keep_alive(SECOND * 10), &mut server).await;
    for _ in 0..3 {
        peer.expect(&[0xC0, 0x00]).await;
        peer.send(&[0xD0, 0x00]).await;
    }
    peer.expect(&[0xC0, 0x00]).await;
    // No answer: the connection is half open, whatever TCP says.
    let _next = server.peer().await;
    let error = client.status().last_error.unwrap();
    assert!(error.contains("did not answer in time"), "{error}");
}
