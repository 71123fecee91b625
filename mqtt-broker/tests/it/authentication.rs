use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mqtt_broker::{Authenticate, Broker, ConnectInfo, ListenError, LocalAddress, Options};
use mqtt_core::ReasonCode;
use tokio::time::{Instant, sleep};

use crate::support::{Peer, broker, broker_with};

/// CONNECT with user name "ann" and password "pw".
const ANN_V5: &str = "10 17 | 0004'MQTT' 05 C2 003C 00 | 0001'a' 0003'ann' 0002'pw'";
const ANN_V311: &str = "10 16 | 0004'MQTT' 04 C2 003C | 0001'b' 0003'ann' 0002'pw'";
const NOBODY_V5: &str = "10 0E | 0004'MQTT' 05 02 003C 00 | 0001'c'";
const NOBODY_V311: &str = "10 0D | 0004'MQTT' 04 02 003C | 0001'd'";

fn only_ann(info: &ConnectInfo<'_>) -> Result<(), ReasonCode> {
    match (info.username, info.password) {
        (Some("ann"), Some(b"pw")) => Ok(()),
        (Some(_), _) => Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        (None, _) => Err(ReasonCode::NOT_AUTHORIZED),
    }
}

#[tokio::test(start_paused = true)]
async fn the_authenticator_decides() {
    let broker = broker_with(|options| options.authenticator = Some(Arc::new(only_ann)));
    let mut ann = Peer::new(&broker);
    ann.send(ANN_V5).await;
    assert_eq!(ann.connack_v5().await, (false, 0));
    let mut ann = Peer::new(&broker);
    ann.send(ANN_V311).await;
    ann.expect("20 02 00 00").await;

    for (connect, answer) in [
        (NOBODY_V5, "20 03 00 87 00"),
        (NOBODY_V311, "20 02 00 05"),
        (
            "10 17 | 0004'MQTT' 05 C2 003C 00 | 0001'a' 0003'ann' 0002'no'",
            "20 03 00 86 00",
        ),
        (
            "10 16 | 0004'MQTT' 04 C2 003C | 0001'b' 0003'ann' 0002'no'",
            "20 02 00 04",
        ),
    ] {
        let mut peer = Peer::new(&broker);
        peer.send(connect).await;
        // What comes after a CONNECT that is refused is not looked at.
        peer.send("C0 00").await;
        peer.expect(answer).await;
        peer.expect_close().await;
    }
    let statistics = broker.statistics();
    assert_eq!(
        (statistics.connections_refused, statistics.sessions),
        (4, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_that_connack_cannot_carry_becomes_not_authorized() {
    for code in [
        ReasonCode::SUCCESS,
        ReasonCode::SERVER_SHUTTING_DOWN,
        ReasonCode::TOPIC_FILTER_INVALID,
    ] {
        let broker = broker_with(|options| {
            options.authenticator = Some(Arc::new(move |_: &ConnectInfo<'_>| Err(code)));
        });
        let mut peer = Peer::new(&broker);
        peer.send(NOBODY_V5).await;
        peer.expect("20 03 00 87 00").await;
    }
}

/// Takes that long to say yes.
struct Slow(Duration);

impl Authenticate for Slow {
    fn authenticate<'a>(
        &'a self,
        _info: &'a ConnectInfo<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReasonCode>> + Send + 'a>> {
        Box::pin(async {
            sleep(self.0).await;
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_authenticator_holds_up_nobody_else_and_not_for_ever() {
    let broker =
        broker_with(|options| options.authenticator = Some(Arc::new(Slow(Duration::from_secs(3)))));
    let start = Instant::now();
    let mut peers: Vec<_> = (0..10).map(|_| Peer::new(&broker)).collect();
    for (number, peer) in peers.iter_mut().enumerate() {
        // With no identifier of its own each gets a session of its own. PINGREQ waits for the answer.
        peer.send("10 0D | 0004'MQTT' 05 02 003C 00 | 0000 | C0 00")
            .await;
        assert_eq!(broker.statistics().connections, 0, "{number}");
    }
    for peer in &mut peers {
        assert_eq!(peer.connack_v5().await, (false, 0));
        peer.expect("D0 00").await;
    }
    assert!(start.elapsed() < Duration::from_secs(4));

    let broker = broker_with(|options| {
        options.authenticator = Some(Arc::new(Slow(Duration::from_secs(1_000))))
    });
    let mut peer = Peer::new(&broker);
    peer.send(NOBODY_V5).await;
    peer.expect_silence(Duration::from_millis(9_900)).await;
    peer.expect_refusal(0x88, "it took too long to decide")
        .await;
    peer.expect_close().await;
}

#[tokio::test]
async fn without_authentication_only_loopback_is_listened_on() {
    let broker = broker();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = broker.listen(address).await.unwrap_err();
        assert!(
            matches!(error, ListenError::AuthenticationRequired { .. }),
            "{address}: {error:?}"
        );
        assert!(error.to_string().contains("authentication"), "{error}");
    }
    assert_eq!(broker.local_addr(), None);
    let error = Broker::bind("0.0.0.0:0", Options::default())
        .await
        .unwrap_err();
    assert!(matches!(error, ListenError::AuthenticationRequired { .. }));
    broker.listen("127.0.0.1:0").await.unwrap();

    let broker = broker_with(|options| options.authenticator = Some(Arc::new(only_ann)));
    broker.listen("0.0.0.0:0").await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let broker = broker();
    let address = broker.listen("127.0.0.1:0").await.unwrap();
    let error = broker.listen(address).await.unwrap_err();
    assert!(
        matches!(error, ListenError::Bind { address: ref of_error, .. } if *of_error == LocalAddress::Tcp(address)),
        "{error:?}"
    );
    assert!(matches!(
        broker.listen("no.such.host.invalid:1").await,
        Err(ListenError::Resolve(_))
    ));
}
