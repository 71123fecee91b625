//! Streams of the caller's own, which need not behave like sockets.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mqtt_core::{Message, TopicName};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::time::{sleep, timeout};

use crate::support::{PATIENCE_OVER_TCP, Peer, broker, bytes};

/// Works at first, then neither takes nor gives anything, and at last gives what has come and fails to take more: as a socket
/// does whose peer has gone.
struct Breaking {
    stream: DuplexStream,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    waker: Option<Waker>,
    hung: bool,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Works,
    Hangs,
    Broken,
}

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        {
            let mut state = self.state.lock().unwrap();
            state.waker = Some(cx.waker().clone());
            if let Stage::Hangs = state.stage {
                return Poll::Pending;
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Breaking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        {
            let mut state = self.state.lock().unwrap();
            match state.stage {
                Stage::Works => {}
                Stage::Hangs => {
                    state.hung = true;
                    return Poll::Pending;
                }
                Stage::Broken => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn v5_mqtt_3_14_4_3_and_v311_mqtt_3_14_4_3_a_disconnect_counts_that_came_before_writing_failed()
 {
    for (connect, subscribe) in [
        (
            "10 15 | 0004'MQTT' 05 0E 003C 00 | 0001'a' 00 0001'w' 0001'x'",
            "82 07 0001 00 0001't' 00",
        ),
        (
            "10 13 | 0004'MQTT' 04 0E 003C | 0001'a' 0001'w' 0001'x'",
            "82 06 0001 0001't' 00",
        ),
    ] {
        let broker = broker();
        let mut watcher = Peer::clean(&broker, "watcher").await;
        watcher.subscribe_v5("w", 0).await;
        let (ours, stream) = duplex(1 << 10);
        let state = Arc::new(Mutex::new(State::default()));
        broker.serve(Breaking {
            stream,
            state: Arc::clone(&state),
        });
        let mut peer = Peer::over(ours);
        peer.send(connect).await;
        assert_eq!(peer.packet().await.0, 0x20);
        peer.send(subscribe).await;
        assert_eq!(peer.packet().await.0, 0x90);

        state.lock().unwrap().stage = Stage::Hangs;
        peer.send("E0 00").await;
        broker.publish(&Message::new(TopicName::new("t").unwrap(), "hello"));
        sleep(Duration::from_secs(1)).await;
        let waker = {
            let mut state = state.lock().unwrap();
            assert!(state.hung);
            state.stage = Stage::Broken;
            state.waker.take().unwrap()
        };
        waker.wake();
        let ended = async {
            while broker.statistics().connections > 1 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE_OVER_TCP, ended).await.unwrap();
        watcher.ping().await;
    }
}

/// Always has something to read, and takes what it is given.
struct Endless {
    first: Option<Vec<u8>>,
    reads: Arc<AtomicUsize>,
}

/// Then it has no more, or what this shows would never end where it is not so.
const MOST_READS: usize = 100_000;

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reads.fetch_add(1, Ordering::Relaxed) >= MOST_READS {
            return Poll::Pending;
        }
        let packet = self.first.take().unwrap_or_else(|| bytes("C0 00"));
        buffer.put_slice(&packet);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Whether the client is served or, here for what is no packet, shown out.
#[tokio::test]
async fn who_never_has_to_be_waited_for_leaves_others_their_turn() {
    for first in [
        "10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a'",
        "10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a' F1 00",
    ] {
        let broker = broker();
        let reads = Arc::new(AtomicUsize::new(0));
        broker.serve(Endless {
            first: Some(bytes(first)),
            reads: Arc::clone(&reads),
        });
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let reads = reads.load(Ordering::Relaxed);
        assert!((10..MOST_READS).contains(&reads), "{reads}");
    }
}
