//! One connection, from CONNECT to its end: the one place where the task waits.

mod cause;

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::{Buf, BytesMut};
use mqtt_core::client::{ConnackInfo, DisconnectCause, Event, ProtocolError};
use mqtt_core::{Output, Progress, ProtocolVersion, QoS, ReasonCode};
use tokio::task::yield_now;
use tokio::time::{Duration, Instant, Sleep, sleep_until, timeout_at};

use self::cause::foreign_tongue;
use super::Task;
use crate::clock::from_now;
use crate::error::ConnectError;
use crate::options::{OptionsError, StreamFull};
use crate::router::Arrival;
use crate::state::{Connack, State};
use crate::transport::{Moved, Transport};

/// Payloads from this size on are slices of the buffer they came in (bytes); smaller ones the machine copies.
const SLICED: usize = 4 * 1024;

/// How long the last words of a connection that failed may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a connection, or the attempt to make one, ended.
pub(super) enum Ended {
    /// The client was to end.
    Closed,
    /// There was nothing to do for as long as the options allow.
    Idle,
    Lost {
        error: ConnectError,
        /// How long the server had accepted the client, if it did.
        lasted: Option<Duration>,
        /// Whether a later attempt may do better.
        retry: bool,
    },
}

impl Ended {
    pub(super) const fn failed(error: ConnectError) -> Self {
        Self::Lost {
            error,
            lasted: None,
            retry: true,
        }
    }
}

/// What belongs to one connection alone.
struct Line {
    transport: Transport,
    address: String,
    input: BytesMut,
    /// The most that `input` ever had room for: one large packet makes a large buffer, in which small ones may follow it.
    largest_buffer: usize,
    output: Output,
    progress: Progress,
    paused: bool,
    accepted_at: Option<Instant>,
    /// When it is to be given up, if nothing is done until then.
    idle_at: Option<Instant>,
    ended: Option<DisconnectCause>,
    io_error: Option<io::Error>,
    /// What the server speaks, if its first bytes tell that it is not MQTT.
    foreign: Option<&'static str>,
}

impl Line {
    fn new(transport: Transport, address: String) -> Self {
        Self {
            transport,
            address,
            input: BytesMut::new(),
            largest_buffer: 0,
            output: Output::new(),
            progress: Progress::Done,
            paused: false,
            accepted_at: None,
            idle_at: None,
            ended: None,
            io_error: None,
            foreign: None,
        }
    }
}

impl Task {
    /// Drives the machine over `transport` until the connection ends. CONNACK is awaited until `deadline`.
    pub(super) async fn connection(
        &mut self,
        transport: Transport,
        address: String,
        deadline: Instant,
    ) -> Ended {
        let mut line = Line::new(transport, address);
        self.hang_up = false;
        if let Err(cause) = self
            .core
            .connect(self.clock.now(), &self.connect_options(deadline))
        {
            return Ended::Lost {
                error: OptionsError::Connect(cause).into(),
                lasted: None,
                retry: false,
            };
        }
        let shared = Arc::clone(&self.shared);
        let mut timer = pin!(sleep_until(Instant::now()));
        loop {
            let more = self.turn(&mut line);
            if line.ended.is_some() {
                return self.hang_up(line).await;
            }
            if let Some(closing) = &self.closing
                && self.is_done_closing()
            {
                let deadline = closing.deadline;
                if line.accepted_at.is_some() {
                    self.say_goodbye(&mut line, deadline).await;
                }
                return Ended::Closed;
            }
            if line.idle_at.is_some_and(|at| at <= Instant::now()) {
                self.leave(line).await;
                return Ended::Idle;
            }
            let armed = self.arm(timer.as_mut(), line.idle_at);
            let want_read = line.progress == Progress::Done && !line.paused;
            let Line {
                transport,
                input,
                output,
                ..
            } = &mut line;
            // In this order, so that there is I/O also while commands never cease; they are all taken each time around.
            let moved = tokio::select! {
                biased;
                moved = poll_fn(|context| transport.poll_move(context, want_read, input, output)) => Some(moved),
                () = shared.wake.notified() => None,
                () = timer.as_mut(), if armed => None,
                () = yield_now(), if more => None,
            };
            self.handle_io(&mut line, moved);
        }
    }

    /// Everything there is to do without waiting. Returns whether there is more of it.
    fn turn(&mut self, line: &mut Line) -> bool {
        let now = self.clock.now();
        if self
            .core
            .poll_timeout()
            .is_some_and(|deadline| deadline <= now)
        {
            self.core.handle_timeout(now);
        }
        // Before the work: a CONNACK that was read, but not seen yet, would make the router ask for a subscription that it
        // then takes for lost with the old session, and asks for again.
        self.drain_events(line);
        let window = if line.accepted_at.is_some() {
            self.window()
        } else {
            0
        };
        self.take_work(window);
        if self.hang_up && line.ended.is_none() {
            line.ended = Some(DisconnectCause::Closed);
            self.core.handle_close(now);
        }
        self.feed();
        self.core.poll_transmit(now, &mut line.output);
        self.drain_events(line);
        self.pause_or_resume(line);
        if !line.paused && (line.progress != Progress::Done || !line.input.is_empty()) {
            line.progress = self.core.handle_input(now, &mut line.input);
            self.drain_events(line);
        }
        // Answers to what has just been read leave with the same write.
        self.acknowledge();
        self.router.ask(&mut self.core);
        self.core.poll_transmit(now, &mut line.output);
        self.drain_events(line);
        let told = self.outbox.tell(&self.shared);
        self.changed |= told;
        self.tell_changed();
        self.watch_for_idleness(line);
        let blocked = line.progress == Progress::Blocked && !line.paused;
        let fed = line.accepted_at.is_some() && self.window() > 0 && self.shared.has_publishes();
        blocked || fed
    }

    fn drain_events(&mut self, line: &mut Line) {
        while let Some(event) = self.core.poll_event() {
            match event {
                Event::Connected(info) => self.accepted(line, *info),
                Event::Message {
                    message,
                    token,
                    dup,
                } => {
                    let pins =
                        pins_more_than_it_counts(message.payload().len(), line.largest_buffer);
                    let arrival = Arrival {
                        message: if pins { message.detached() } else { message },
                        token,
                        dup,
                        at: SystemTime::now(),
                    };
                    self.router.route(arrival, &mut self.acks);
                    self.changed = true;
                }
                Event::Progress { id, .. } => {
                    self.outbox.progress(id);
                    self.changed = true;
                }
                Event::Outcome { id, outcome } => self.outbox.outcome(id, outcome),
                Event::Subscribed {
                    id,
                    reasons,
                    properties,
                } => {
                    self.router.subscribed(id, &reasons, properties);
                    self.changed = true;
                }
                Event::Unsubscribed {
                    id,
                    reasons,
                    properties,
                } => {
                    self.router.unsubscribed(id, &reasons, properties);
                    self.changed = true;
                }
                Event::Disconnected(cause) => line.ended = line.ended.take().or(Some(cause)),
                // An event that this driver does not know tells nothing that it must act on.
                _ => {}
            }
        }
    }

    fn accepted(&mut self, line: &mut Line, info: ConnackInfo) {
        line.accepted_at = Some(Instant::now());
        tracing::info!(
            address = line.address,
            session_present = info.session_present,
            "connected"
        );
        // 3.1 has no Session Present: where a kept session was asked for there may be one, or none.
        let may_have_session =
            self.version == ProtocolVersion::V3_1 && !self.asks_for_clean_start();
        if info.session_present {
            // A QoS 1 message that is not acknowledged comes again on the new connection. One of QoS 2 does not: its token
            // is good as long as the session.
            self.router.forget(|token| token.qos() == QoS::AtLeastOnce);
        } else {
            self.router.session_lost(self.shared.options.resubscribe);
            if !self.may_pause() {
                // A Receive Maximum counts within one session only: what is left of lost ones needs a bound of its own.
                self.router.shed_held();
            }
        }
        if info.session_present || may_have_session {
            self.router.hold_unrouted();
        }
        let counters = &self.shared.counters;
        counters.connections.fetch_add(1, Ordering::Relaxed);
        self.was_connected = true;
        self.force_clean_start = false;
        self.client_id.clone_from(&info.client_id);
        self.shared.set_connack(Connack {
            address: line.address.clone(),
            version: self.version,
            client_id: info.client_id,
            session_present: info.session_present,
            reason: ReasonCode::SUCCESS,
            negotiated: info.negotiated,
            properties: info.properties,
        });
        self.set_state(State::Connected);
        self.shared.first_round.answer(Ok(()));
    }

    /// Whether full streams may stop the reading. In 5.0 the Receive Maximum bounds what waits behind them, so that the
    /// reading, and with it the outcomes of own publishes, can always go on; 3.x has nothing else.
    fn may_pause(&self) -> bool {
        !self.version.is_v5() || self.shared.options.stream_full == StreamFull::Pause
    }

    /// Stops reading while more waits behind full streams than the bounds allow, and reads again when there is less.
    fn pause_or_resume(&mut self, line: &mut Line) {
        if !self.may_pause() {
            return;
        }
        let held = &self.shared.held;
        let options = &self.shared.options;
        let crowded = || {
            held.qos0.load(Ordering::Acquire) > 0
                || held.bytes.load(Ordering::Acquire) > options.stream_max_bytes
                || held.messages.load(Ordering::Acquire) > usize::from(options.receive_maximum)
        };
        let mut pause = crowded();
        if pause && !line.paused {
            // Said first and looked at again, so that a reader who makes room meanwhile wakes the task.
            held.await_fewer();
            pause = crowded();
        }
        if pause == line.paused {
            if !pause {
                held.pausing.store(false, Ordering::Release);
            }
            return;
        }
        line.paused = pause;
        held.pausing.store(pause, Ordering::Release);
        let now = self.clock.now();
        if pause {
            tracing::debug!("reading is paused: streams are full");
            self.core.pause(now);
        } else {
            self.core.resume(now);
        }
    }

    /// The time without anything to do starts anew with each use, and when the last thing to do is done.
    fn watch_for_idleness(&mut self, line: &mut Line) {
        let used = std::mem::take(&mut self.used);
        let Some(longest) = self.shared.options.idle_disconnect else {
            return;
        };
        let rests = line.accepted_at.is_some()
            && self.shared.pending() == 0
            && self.core.unacknowledged() == 0
            && !line.output.has_remaining()
            && self.router.is_at_rest();
        if !rests {
            line.idle_at = None;
        } else if used || line.idle_at.is_none() {
            line.idle_at = Some(from_now(longest));
        }
    }

    /// Sets the timer to whatever is due first, and says whether anything is.
    fn arm(&self, timer: Pin<&mut Sleep>, idle_at: Option<Instant>) -> bool {
        let machine = self
            .core
            .poll_timeout()
            .map(|deadline| self.clock.when(deadline));
        let closing = self.closing.as_ref().map(|closing| closing.flush_until);
        let expiry = self.shared.next_expiry();
        let due = [machine, closing, expiry, idle_at];
        let Some(due) = due.into_iter().flatten().min() else {
            return false;
        };
        if timer.deadline() != due || timer.is_elapsed() {
            timer.reset(due);
        }
        true
    }

    fn handle_io(&mut self, line: &mut Line, moved: Option<io::Result<Moved>>) {
        let now = self.clock.now();
        // Before anything is taken off its front, so that all of it counts.
        line.largest_buffer = line.largest_buffer.max(line.input.capacity());
        match moved {
            None => {}
            Some(Ok(moved)) => match moved.read {
                None => {}
                Some(0) => self.core.handle_close(now),
                Some(_) => {
                    if self.core.in_flight() > 0 {
                        line.transport.acknowledge_at_once();
                    }
                    if line.accepted_at.is_none() {
                        line.foreign = line.foreign.or_else(|| foreign_tongue(&line.input));
                    }
                    line.progress = self.core.handle_input(now, &mut line.input);
                }
            },
            Some(Err(error)) => {
                line.io_error = Some(error);
                self.core.handle_close(now);
            }
        }
    }

    /// The machine is done with this connection: its last words are written, and the transport is closed.
    async fn hang_up(&mut self, mut line: Line) -> Ended {
        self.core.handle_close(self.clock.now());
        self.drain_events(&mut line);
        self.outbox.tell(&self.shared);
        self.router.connection_lost();
        self.shared.held.pausing.store(false, Ordering::Release);
        let lasted = line.accepted_at.map(|at| at.elapsed());
        // The server has a session we know nothing of, such as one whose CONNACK was lost. It must end.
        self.force_clean_start |= matches!(
            line.ended,
            Some(DisconnectCause::Protocol(ProtocolError::SessionPresent))
        );
        let (error, retry) = self.why(&mut line, lasted.is_some());
        self.shared.set_last_error(error.clone());
        self.changed = true;
        if line.io_error.is_none() && line.output.has_remaining() {
            let deadline = Instant::now() + LAST_WORDS;
            // Whether they arrive changes nothing any more.
            let _ = timeout_at(deadline, line.transport.drain(&mut line.output)).await;
        }
        Ended::Lost {
            error,
            lasted,
            retry,
        }
    }

    /// Gives up a connection on which there is nothing to do. What comes meanwhile finds the next one.
    async fn leave(&mut self, mut line: Line) {
        tracing::info!(address = line.address, "disconnecting: nothing to do");
        // In this order: who sees a connection finds its CONNACK.
        self.set_state(State::Idle);
        self.shared.forget_connack();
        self.tell_changed();
        self.say_goodbye(&mut line, Instant::now() + LAST_WORDS)
            .await;
        self.core.handle_close(self.clock.now());
        self.drain_events(&mut line);
        self.router.connection_lost();
        self.shared.held.pausing.store(false, Ordering::Release);
    }

    /// Ends the connection in the way that loses nothing (D10).
    async fn say_goodbye(&mut self, line: &mut Line, deadline: Instant) {
        let now = self.clock.now();
        if self
            .core
            .disconnect(now, ReasonCode::NORMAL_DISCONNECTION)
            .is_ok()
        {
            self.core.poll_transmit(now, &mut line.output);
            // Past the deadline the connection is closed as it is.
            let _ = timeout_at(deadline, line.transport.drain(&mut line.output)).await;
        }
    }
}

/// Whether a received payload is to be copied before it waits for the application: a slice keeps all of its buffer, though
/// only its own size is counted.
const fn pins_more_than_it_counts(payload: usize, largest_buffer: usize) -> bool {
    SLICED <= payload && payload < largest_buffer / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_at_least_half_of_what_it_keeps() {
        assert!(!pins_more_than_it_counts(SLICED - 1, 32 << 20));
        assert!(pins_more_than_it_counts(SLICED, 32 << 20));
        assert!(!pins_more_than_it_counts(16 << 20, 32 << 20));
        assert!(!pins_more_than_it_counts(SLICED, 2 * SLICED));
    }
}
