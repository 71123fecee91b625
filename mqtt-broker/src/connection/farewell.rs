//! The end of a connection: the session is let go of, and what is still to be said is said.

use std::io;

use bytes::{Buf, BytesMut};
use mqtt_core::ReasonCode;
use mqtt_core::server::{DisconnectCause, Disconnected};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::coop;
use tokio::time;

use super::{Connection, SMALL_READ, shown_id, shown_peer};
use crate::backlog::Backlog;
use crate::listener::ByteStream;

impl<S: ByteStream> Connection<S> {
    /// Lets go of the session, says what is still to be said and closes.
    pub(super) async fn close(mut self: Box<Self>, ended: Box<Disconnected>) {
        let now = self.now();
        self.server.poll_transmit(now, &mut self.output);
        self.report(&ended);
        let Self {
            mut place,
            shared,
            mut stream,
            server,
            mut output,
            seat,
            ..
        } = *self;
        if let (Some(seat), Some(session)) = (seat, server.into_session()) {
            let will = seat.will.filter(|_| ended.publish_will);
            let backlog = Backlog {
                session,
                owed: seat.owed,
            };
            let settled =
                shared
                    .sessions
                    .close(now, &seat.subscriber, backlog, ended.session_expiry, will);
            shared.settle(settled);
            shared.router.note_presence(&seat.subscriber);
        }
        place.demote();
        if ended.cause == DisconnectCause::Closed {
            return;
        }
        let client_is_done = matches!(ended.cause, DisconnectCause::Client { .. });
        let farewell = async {
            while output.has_remaining() {
                if coop::cooperative(stream.write_buf(&mut output)).await? == 0 {
                    return Ok(());
                }
            }
            stream.shutdown().await?;
            if client_is_done {
                return Ok(());
            }
            // Closing while the peer still sends would reset the connection, and what was just written might never arrive.
            let mut rest = BytesMut::with_capacity(SMALL_READ);
            while coop::cooperative(stream.read_buf(&mut rest)).await? > 0 {
                rest.clear();
            }
            io::Result::Ok(())
        };
        let ended = tokio::select! {
            biased;
            () = shared.kill.cancelled() => return,
            ended = time::timeout(shared.context.options.close_timeout, farewell) => ended,
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the connection broke while it was closed"),
            Err(_) => tracing::debug!("the peer did not close in time"),
        }
    }

    fn report(&self, ended: &Disconnected) {
        let cause = &ended.cause;
        let is_in_order = matches!(
            cause,
            DisconnectCause::Client { .. }
                | DisconnectCause::Closed
                | DisconnectCause::Refused(_)
                | DisconnectCause::Server(
                    ReasonCode::SERVER_SHUTTING_DOWN | ReasonCode::SESSION_TAKEN_OVER
                )
        );
        if !is_in_order {
            self.shared.context.counters.connections_failed.add(1);
        }
        let peer = shown_peer(self.place.peer);
        match &self.seat {
            Some(seat) => {
                let client_id = shown_id(&seat.subscriber.client_id);
                tracing::info!(client_id, peer, %cause, "client disconnected");
            }
            None => {
                tracing::debug!(peer, %cause, "a connection ended before its client was accepted")
            }
        }
    }
}
