//! Clients.

mod calls;

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mqtt_client::background::{self, Handle};
use mqtt_client::{
    AckMode, Message as ClientMessage, Request, RetainHandling, State as ClientState,
    SubscribeAnswer, SubscribeError, SubscribeOptions,
};

pub use calls::*;

use crate::error::{Error, Result};
use crate::event::{Content, Event, EventType};
use crate::mailbox::{Going, Mailbox, Watch};
use crate::message;
use crate::options::Options;

/// How long a client that was freed may flush and say goodbye.
const FREED_DEADLINE: Duration = Duration::from_secs(2);

/// What pmq_client_stop waits beyond its deadline for the library's thread to say that it kept it.
const SLACK: Duration = Duration::from_secs(10);

/// For pmq_client_subscribe: no messages that this client published itself (MQTT 5.0).
pub const PMQ_NO_LOCAL: u32 = 1;
/// For pmq_client_subscribe: RETAIN as the publisher set it (MQTT 5.0).
pub const PMQ_RETAIN_AS_PUBLISHED: u32 = 2;
/// For pmq_client_subscribe: retained messages come only if the subscription is new (MQTT 5.0).
pub const PMQ_RETAINED_IF_NEW: u32 = 4;
/// For pmq_client_subscribe: retained messages do not come (MQTT 5.0).
pub const PMQ_RETAINED_NEVER: u32 = 8;

/// A client: one connection to a server that comes back by itself.
#[derive(Debug)]
pub struct Client {
    handle: Handle,
    mailbox: Arc<Mailbox>,
    manual_ack: bool,
    /// Dropped messages that were told of.
    dropped_told: AtomicU64,
    is_freed: AtomicBool,
}

/// What a client is doing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// Opening a connection, or waiting for the server's answer.
    Connecting = 0,
    /// The server accepted the client.
    Connected = 1,
    /// Waiting before it connects again.
    Waiting = 2,
    /// It was told to stop and flushes.
    Stopping = 3,
    /// It has ended.
    Stopped = 4,
    /// There is no connection, and none is tried: it was made this moment, or has nothing to do
    /// (pmq_options_set_idle_disconnect).
    Idle = 5,
}

/// What pmq_client_stat tells. All since the client was made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum Stat {
    /// Publishes without an outcome now.
    Queued = 0,
    /// Bytes they hold.
    QueuedBytes = 1,
    /// How many of them were handed to a connection.
    InFlight = 2,
    /// QoS 0 publishes written for a connection.
    Sent = 3,
    /// QoS 1 and 2 publishes that the server took.
    Acknowledged = 4,
    /// Publishes with any other outcome.
    Failed = 5,
    /// Messages received.
    Received = 6,
    /// Received messages that wait for the program now.
    Waiting = 7,
    /// Received messages that are held unacknowledged behind a full inbox now.
    Held = 8,
    /// Received messages that were dropped.
    Dropped = 9,
    /// Messages that were freed without the answer they owed.
    Unanswered = 10,
    /// How often the connection came back.
    Reconnects = 11,
}

/// Takes one event, which is the library's and lives until the handler returns (pmq_event_clone keeps it). The handler must
/// return: a C++ exception must not leave it, nor may longjmp.
pub type Handler = Option<unsafe extern "C" fn(event: *const Event, userdata: *mut c_void)>;

/// What a server answers to a subscribe or unsubscribe.
type Answer = Request<std::result::Result<SubscribeAnswer, SubscribeError>>;

impl Client {
    fn start(options: &Options) -> Result<Self> {
        let client = &options.client;
        let mailbox = Mailbox::new(
            client.queue_max_messages,
            client.queue_max_bytes,
            options.completions,
        );
        let watch = Watch(Arc::clone(&mailbox));
        Ok(Self {
            handle: background::start_observed(client.clone(), options.inbox, watch)?,
            mailbox,
            manual_ack: options.manual_ack,
            dropped_told: AtomicU64::new(0),
            is_freed: AtomicBool::new(false),
        })
    }

    /// Nothing of a parent's client may be touched: a lock may be held by a thread that is not here.
    fn check_process(&self) -> Result<()> {
        if self.handle.is_forked() {
            Err(Error::forked())
        } else {
            Ok(())
        }
    }

    /// Does something that may have a token; a call that fails leaves none.
    fn with_token<T>(
        &self,
        wanted: bool,
        call: impl FnOnce() -> Result<T>,
        then: impl FnOnce(T, u64),
    ) -> Result<u64> {
        if !wanted {
            call()?;
            return Ok(0);
        }
        let token = self.mailbox.open_token()?;
        match call() {
            Ok(done) => {
                then(done, token);
                Ok(token)
            }
            Err(error) => {
                self.mailbox.withdraw(token);
                Err(error)
            }
        }
    }

    fn publish(&self, message: ClientMessage, wants_token: bool) -> Result<u64> {
        let mailbox = Arc::clone(&self.mailbox);
        self.with_token(
            wants_token,
            || Ok(self.handle.publish(message)?),
            |delivery, token| {
                self.mailbox.began(token, Going::Publish(delivery.id()));
                delivery.on_outcome(move |outcome| mailbox.publish_ended(token, outcome));
            },
        )
    }

    fn request(
        &self,
        kind: EventType,
        filters: &[String],
        wants_token: bool,
        call: impl FnOnce() -> Result<Answer>,
    ) -> Result<u64> {
        self.with_token(wants_token, call, |request, token| {
            let mailbox = Arc::clone(&self.mailbox);
            let filters = filters.to_owned();
            request.on_answer(move |answer| {
                mailbox.request_answered(kind, token, &filters, answer);
            });
        })
    }

    /// Publishes a request, and awaits its response as long as that; `None`: until there is one.
    fn ask(&self, message: ClientMessage, longest: Option<Duration>) -> Result<u64> {
        let call = || {
            Ok(match longest {
                Some(longest) => self.handle.request_within(message, longest)?,
                None => self.handle.request(message)?,
            })
        };
        self.with_token(true, call, |reply, token| {
            let mailbox = Arc::clone(&self.mailbox);
            reply.on_response(move |response| mailbox.responded(token, response));
            self.mailbox.began(token, Going::Request(reply));
        })
    }

    /// Gives up a token, and tells whether its publish was taken back.
    fn cancel(&self, token: u64) -> Result<bool> {
        let going = self.mailbox.give_up(token)?;
        self.mailbox.show_readiness(|| self.handle.received_len());
        Ok(match going {
            Some(Going::Publish(publish)) => self.handle.cancel(publish),
            Some(Going::Request(_) | Going::Other) | None => false,
        })
    }

    /// The next event, if one waits.
    fn try_event(&self) -> Option<Event> {
        let content = self.mailbox.take(|| self.received())?;
        self.mailbox.show_readiness(|| self.handle.received_len());
        Some(Event::new(content))
    }

    /// What the inbox has to tell next.
    fn received(&self) -> Option<Content> {
        let dropped = self.handle.dropped();
        let told = self.dropped_told.fetch_max(dropped, Ordering::Relaxed);
        if dropped > told {
            return Some(Content::Dropped(dropped - told));
        }
        self.handle.try_recv().map(Content::message)
    }

    /// Waits for the next event.
    fn next_event(&self, deadline: Option<Instant>) -> Result<Event> {
        loop {
            let seen = self.mailbox.arrivals();
            // Whoever waits is not to take an event and come again to what is no more.
            if self.is_freed.load(Ordering::Acquire) {
                return Err(Error::stopped());
            }
            if let Some(event) = self.try_event() {
                return Ok(event);
            }
            if self.mailbox.is_over() {
                return Err(Error::stopped());
            }
            if !self.mailbox.wait(seen, deadline) {
                return Err(Error::timeout("no event came"));
            }
        }
    }

    /// Gives up to `max` events that wait to `handle`, until the client is freed or this is a forked child.
    fn dispatch(&self, max: usize, mut handle: impl FnMut(&Event)) -> Result<usize> {
        let mut count = 0;
        while count < max && !self.is_freed.load(Ordering::Acquire) {
            self.check_process()?;
            let Some(event) = self.try_event() else {
                break;
            };
            handle(&event);
            count += 1;
        }
        Ok(count)
    }

    /// The program let go of it: what runs in other calls comes to its end.
    fn freed(&self) {
        self.is_freed.store(true, Ordering::Release);
        if !self.handle.is_forked() {
            self.mailbox.wake();
            let _ = self.handle.begin_close(FREED_DEADLINE);
        }
    }

    fn stop(&self, timeout: Duration) -> Result<()> {
        let closing = self.handle.begin_close(timeout);
        match closing.wait_blocking(timeout.saturating_add(SLACK)) {
            Some(result) => Ok(result?),
            None => Err(Error::timeout("the client has not ended in time")),
        }
    }

    fn state(&self) -> State {
        match self.handle.state() {
            ClientState::Connected => State::Connected,
            ClientState::Backoff { .. } => State::Waiting,
            ClientState::Closing => State::Stopping,
            ClientState::Closed(_) => State::Stopped,
            ClientState::Idle => State::Idle,
            _ => State::Connecting,
        }
    }

    fn stat(&self, stat: i32) -> Result<u64> {
        let status = self.handle.status();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(match stat {
            0 => count(status.queued_messages),
            1 => count(status.queued_bytes),
            2 => count(status.in_flight),
            3 => status.sent,
            4 => status.acknowledged,
            5 => status.failed,
            6 => status.received,
            7 => count(self.handle.received_len()),
            8 => count(status.held),
            9 => status.dropped,
            10 => status.unanswered,
            11 => status.reconnects,
            other => return Err(Error::argument(format_args!("{other} is no pmq_stat"))),
        })
    }

    fn subscribe_options(&self, qos: u8, flags: u32) -> Result<SubscribeOptions> {
        const KNOWN: u32 =
            PMQ_NO_LOCAL | PMQ_RETAIN_AS_PUBLISHED | PMQ_RETAINED_IF_NEW | PMQ_RETAINED_NEVER;
        if flags & !KNOWN != 0 {
            return Err(Error::argument(format_args!("unknown flags {flags:#x}")));
        }
        let has = |flag| flags & flag != 0;
        let handling = match (has(PMQ_RETAINED_IF_NEW), has(PMQ_RETAINED_NEVER)) {
            (false, false) => RetainHandling::default(),
            (true, false) => RetainHandling::SendIfNew,
            (_, true) => RetainHandling::DontSend,
        };
        Ok(SubscribeOptions::new(message::qos(qos)?)
            .with_no_local(has(PMQ_NO_LOCAL))
            .with_retain_as_published(has(PMQ_RETAIN_AS_PUBLISHED))
            .with_retain_handling(handling)
            .with_ack(if self.manual_ack {
                AckMode::Manual
            } else {
                AckMode::OnReceive
            }))
    }
}

#[cfg(test)]
mod tests {
    use mqtt_client::background::Inbox;
    use mqtt_client::{Address, Options as ClientOptions};

    use super::*;
    use crate::options::Completions;
    use crate::status::Status;

    #[test]
    fn who_waits_on_a_freed_client_gets_no_event_any_more() {
        let client = Client::start(&Options {
            // Nobody listens there, and that is an event.
            client: ClientOptions::with_addresses([Address::unix("/nowhere/at/all")]),
            inbox: Inbox::default(),
            manual_ack: false,
            completions: Completions::Event,
        });
        let client = Arc::new(client.unwrap());
        let waiting = Arc::clone(&client);
        let waiter = std::thread::spawn(move || {
            while waiting.next_event(None).is_ok() {}
            waiting.next_event(None).map_err(|error| error.status())
        });
        client.freed();
        assert_eq!(waiter.join().unwrap().err(), Some(Status::Stopped));
        // However much comes later.
        client.stop(Duration::from_secs(30)).unwrap();
        assert_eq!(
            client.next_event(None).unwrap_err().status(),
            Status::Stopped
        );
    }
}
