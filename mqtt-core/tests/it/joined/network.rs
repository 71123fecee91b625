//! Both machines, the bytes on their way between them, and what either application saw.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_core::{
    AckToken, Acknowledge, Instant, KeepAlive, Message, Outcome, Output, ProtocolVersion,
    PublishError, PublishId, QoS, ReasonCode, ReceiveMaximum, Session, SessionBounds,
    SessionExpiry, SubscribeOptions, TopicName,
    client::{self, Client, ConnectOptions},
    server::{self, Accept, Server, ServerLimits},
};

/// Small numbers, so that every bound is met often.
pub(crate) const MAX_MESSAGES: usize = 12;
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// One of the two ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Client,
    Server,
}

/// What the test chooses for a whole run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) version: ProtocolVersion,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) client_receive_maximum: u16,
    pub(crate) server_receive_maximum: u16,
    pub(crate) max_events: usize,
    /// Seconds; 0 is off.
    pub(crate) keep_alive: u16,
}

impl Setup {
    pub(crate) fn new(version: ProtocolVersion) -> Self {
        Self {
            version,
            acknowledge: Acknowledge::Automatic,
            client_receive_maximum: 100,
            server_receive_maximum: 100,
            max_events: 100,
            keep_alive: 0,
        }
    }
}

/// A message that one application published.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) qos: QoS,
    pub(crate) outcomes: Vec<Outcome>,
}

/// What one application did and saw.
#[derive(Debug, Default)]
pub(crate) struct Application {
    /// By the number in the payload, which is the order of publishing.
    pub(crate) published: Vec<Published>,
    ids: BTreeMap<PublishId, usize>,
    /// Numbers of the messages of the other end, in the order in which they came.
    pub(crate) received: Vec<usize>,
    tokens: VecDeque<AckToken>,
}

pub(crate) struct Network {
    setup: Setup,
    pub(crate) now: Instant,
    pub(crate) client: Client,
    /// There from the first CONNECT on.
    pub(crate) server: Option<Server>,
    /// The session as the server's owner keeps it between connections.
    stored: Option<Session>,
    /// Bytes that were sent and have not arrived.
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    server_input: BytesMut,
    client_input: BytesMut,
    server_output: Output,
    client_output: Output,
    pub(crate) client_side: Application,
    pub(crate) server_side: Application,
    /// Ends of connections, in the words of either end.
    pub(crate) client_ends: Vec<client::DisconnectCause>,
    pub(crate) server_ends: Vec<server::DisconnectCause>,
    pub(crate) connected: bool,
    /// The codes of each SUBACK and UNSUBACK.
    pub(crate) answers: Vec<Vec<ReasonCode>>,
}

impl Network {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut limits = client::Limits::default();
        limits.max_queued = MAX_MESSAGES;
        limits.max_queued_bytes = MAX_BYTES;
        limits.max_events = setup.max_events;
        limits.receive_maximum = ReceiveMaximum::new(setup.client_receive_maximum).unwrap();
        limits.acknowledge = setup.acknowledge;
        // A CONNACK may be lost, after which the server has a session that the client could not know of otherwise.
        let session = Session::assume(limits.session_bounds(), "joined");
        Self {
            setup,
            now: Instant::from_millis(0),
            client: Client::with_session(limits, session),
            server: None,
            stored: None,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            server_input: BytesMut::new(),
            client_input: BytesMut::new(),
            server_output: Output::new(),
            client_output: Output::new(),
            client_side: Application::default(),
            server_side: Application::default(),
            client_ends: Vec::new(),
            server_ends: Vec::new(),
            connected: false,
            answers: Vec::new(),
        }
    }

    /// Opens a connection, unless the client has one. The server takes it over from an older one that it still holds.
    pub(crate) fn connect(&mut self) {
        let mut options = ConnectOptions::new("joined");
        options.version = self.setup.version;
        options.clean_start = false;
        options.keep_alive = KeepAlive::from_secs(self.setup.keep_alive);
        if self.setup.version.is_v5() {
            options.session_expiry = SessionExpiry::NEVER;
        }
        if self.client.connect(self.now, &options).is_err() {
            return;
        }
        self.close_server();
        self.to_server.clear();
        self.to_client.clear();
        self.server_input.clear();
        self.client_input.clear();
        let limits = ServerLimits {
            acknowledge: self.setup.acknowledge,
            max_events: self.setup.max_events,
            ..ServerLimits::default()
        };
        self.server = Some(Server::new(self.now, limits));
        self.transmit();
    }

    /// The transport breaks; what was on its way is lost. One end may notice only when the next connection comes.
    pub(crate) fn cut(&mut self, noticed_by_server: bool) {
        self.client.handle_close(self.now);
        self.drain(End::Client);
        self.to_client.clear();
        self.connected = false;
        if noticed_by_server {
            self.close_server();
        }
    }

    /// The owner of the server forgets the session, as a server does that is started anew without a store.
    pub(crate) fn forget(&mut self) {
        self.cut(true);
        self.stored = None;
        self.server_side = Application::default();
    }

    fn close_server(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        server.handle_close(self.now);
        self.server = Some(server);
        self.take_server_events();
        if let Some(session) = self.server.take().and_then(Server::into_session) {
            self.stored = Some(session);
        }
        self.to_server.clear();
    }

    pub(crate) fn publish(&mut self, from: End, topic: &str, qos: QoS) -> Result<(), PublishError> {
        let side = match from {
            End::Client => &mut self.client_side,
            End::Server => &mut self.server_side,
        };
        let number = side.published.len();
        let message =
            Message::new(TopicName::new(topic).unwrap(), number.to_string()).with_qos(qos);
        let id = match (from, &mut self.server) {
            (End::Client, _) => self.client.publish(self.now, message)?,
            // While there is no accepted connection the server queues in the session.
            (End::Server, Some(server)) if server.negotiated().is_some() => {
                server.publish(self.now, message)?
            }
            (End::Server, _) => match &mut self.stored {
                Some(session) => session.push(self.now, message)?,
                None => return Err(PublishError::NotConnected),
            },
        };
        let side = match from {
            End::Client => &mut self.client_side,
            End::Server => &mut self.server_side,
        };
        assert!(
            side.ids.insert(id, number).is_none(),
            "an id is given out once"
        );
        side.published.push(Published {
            qos,
            outcomes: Vec::new(),
        });
        self.transmit();
        Ok(())
    }

    /// Lets up to `count` bytes arrive.
    pub(crate) fn deliver(&mut self, to: End, count: usize) {
        match to {
            End::Server => {
                let count = count.min(self.to_server.len());
                self.server_input.extend(self.to_server.drain(..count));
                if let Some(server) = &mut self.server {
                    let _ = server.handle_input(self.now, &mut self.server_input);
                }
            }
            End::Client => {
                let count = count.min(self.to_client.len());
                self.client_input.extend(self.to_client.drain(..count));
                let _ = self.client.handle_input(self.now, &mut self.client_input);
            }
        }
        self.transmit();
    }

    /// The application of this end takes all of its events, and those for which there was no room before.
    pub(crate) fn drain(&mut self, end: End) {
        loop {
            let taken = match end {
                End::Client => self.take_client_events(),
                End::Server => self.take_server_events(),
            };
            if taken == 0 {
                break;
            }
            match (end, &mut self.server) {
                (End::Client, _) => {
                    let _ = self.client.handle_input(self.now, &mut self.client_input);
                }
                (End::Server, Some(server)) => {
                    let _ = server.handle_input(self.now, &mut self.server_input);
                }
                (End::Server, None) => {}
            }
        }
        self.transmit();
    }

    fn take_client_events(&mut self) -> usize {
        let mut taken = 0;
        while let Some(event) = self.client.poll_event() {
            self.client_event(event);
            taken += 1;
        }
        taken
    }

    fn take_server_events(&mut self) -> usize {
        let mut taken = 0;
        while let Some(event) = self.server.as_mut().and_then(Server::poll_event) {
            self.server_event(event);
            taken += 1;
        }
        taken
    }

    fn client_event(&mut self, event: client::Event) {
        match event {
            client::Event::Connected(_) => self.connected = true,
            client::Event::Message { message, token, .. } => {
                self.client_side.receive(&message, token, &self.server_side);
            }
            client::Event::Outcome { id, outcome } => {
                self.client_side
                    .settle(id, outcome, &self.server_side, self.setup.acknowledge);
            }
            client::Event::Disconnected(cause) => {
                self.connected = false;
                self.client_ends.push(cause);
            }
            client::Event::Subscribed { reasons, .. }
            | client::Event::Unsubscribed { reasons, .. } => {
                self.answers.push(reasons.into_vec());
            }
            _ => {}
        }
    }

    fn server_event(&mut self, event: server::Event) {
        match event {
            server::Event::Connect(_) => {
                let accept = Accept {
                    session_present: self.stored.is_some(),
                    receive_maximum: ReceiveMaximum::new(self.setup.server_receive_maximum)
                        .unwrap(),
                    ..Accept::default()
                };
                let bounds = SessionBounds {
                    max_messages: MAX_MESSAGES,
                    max_bytes: MAX_BYTES,
                };
                let session = self.stored.take().unwrap_or_else(|| Session::new(bounds));
                let accepted = self
                    .server
                    .as_mut()
                    .unwrap()
                    .accept(self.now, session, &accept);
                if let Err(refused) = accepted {
                    // The transport may have been closed in the meantime.
                    assert_eq!(refused.error, server::AcceptError::NotPending);
                    self.stored = Some(refused.session);
                }
            }
            server::Event::Message { message, token, .. } => {
                self.server_side.receive(&message, token, &self.client_side);
            }
            server::Event::Outcome { id, outcome } => {
                self.server_side
                    .settle(id, outcome, &self.client_side, self.setup.acknowledge);
            }
            server::Event::Disconnected(end) => self.server_ends.push(end.cause),
            server::Event::Subscribe(request) => {
                let granted =
                    |(_, options): (_, SubscribeOptions)| ReasonCode::new(options.qos.as_u8());
                let reasons: Vec<_> = request.filters().map(granted).collect();
                let server = self.server.as_mut().unwrap();
                server.complete_subscribe(&request, &reasons).unwrap();
            }
            server::Event::Unsubscribe(request) => {
                let reasons = vec![ReasonCode::NO_SUBSCRIPTION_EXISTED; request.filters().len()];
                let server = self.server.as_mut().unwrap();
                server.complete_unsubscribe(&request, &reasons).unwrap();
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The application acknowledges one of the messages that wait for it.
    pub(crate) fn acknowledge(&mut self, end: End, choice: usize) {
        let side = match end {
            End::Client => &mut self.client_side,
            End::Server => &mut self.server_side,
        };
        if side.tokens.is_empty() {
            return;
        }
        let token = side.tokens.remove(choice % side.tokens.len()).unwrap();
        // A token of QoS 1 is stale on the next connection; the message comes again.
        let _ = match (end, &mut self.server) {
            (End::Client, _) => self.client.acknowledge(token, ReasonCode::SUCCESS),
            (End::Server, Some(server)) if server.session().is_some() => {
                server.acknowledge(token, ReasonCode::SUCCESS)
            }
            // Kept until there is a session to acknowledge it in.
            (End::Server, _) => {
                side.tokens.push_back(token);
                Ok(())
            }
        };
        self.transmit();
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now += by;
        self.client.handle_timeout(self.now);
        if let Some(server) = &mut self.server {
            server.handle_timeout(self.now);
        }
        self.transmit();
    }

    /// What either end has to send is put on its way.
    fn transmit(&mut self) {
        while self.client.poll_transmit(self.now, &mut self.client_output) > 0 {
            take(&mut self.client_output, &mut self.to_server);
        }
        if let Some(server) = &mut self.server {
            while server.poll_transmit(self.now, &mut self.server_output) > 0 {
                take(&mut self.server_output, &mut self.to_client);
            }
            if let Some(session) = server.session() {
                assert_bounds(session);
            }
        }
        assert_bounds(self.client.session());
    }

    /// Everything arrives, is taken and acknowledged, and lost connections are made anew, until nothing moves any more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..200 {
            if !self.connected {
                self.connect();
            }
            for end in [End::Server, End::Client] {
                self.deliver(end, usize::MAX);
                self.drain(end);
                // Some may stay: a server that ended has no session to acknowledge them in.
                for _ in 0..self.tokens(end).len() {
                    self.acknowledge(end, 0);
                }
            }
            // A server that ended the connection closes the transport.
            if self.server.as_ref().is_some_and(Server::is_ended) {
                self.cut(true);
            }
            let quiet = self.to_server.is_empty() && self.to_client.is_empty();
            if self.connected && quiet && self.is_settled() {
                return;
            }
        }
        panic!(
            "it never comes to rest: {:?} {:?} {:?} {:?}",
            self.client_side, self.server_side, self.client_ends, self.server_ends
        );
    }

    fn is_settled(&self) -> bool {
        let done = |side: &Application| {
            side.published
                .iter()
                .all(|published| !published.outcomes.is_empty())
        };
        done(&self.client_side) && done(&self.server_side)
    }

    fn tokens(&self, end: End) -> &VecDeque<AckToken> {
        match end {
            End::Client => &self.client_side.tokens,
            End::Server => &self.server_side.tokens,
        }
    }
}

impl Application {
    fn receive(&mut self, message: &Message, token: Option<AckToken>, sender: &Self) {
        let number: usize = std::str::from_utf8(message.payload())
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(message.qos(), sender.published[number].qos);
        self.received.push(number);
        self.tokens.extend(token);
    }

    fn settle(
        &mut self,
        id: PublishId,
        outcome: Outcome,
        receiver: &Self,
        acknowledge: Acknowledge,
    ) {
        let number = self.ids[&id];
        // The machine acknowledges what is in the event queue, which its application may not have looked at.
        if matches!(outcome, Outcome::Acknowledged { .. }) && acknowledge == Acknowledge::Manual {
            assert!(
                receiver.received.contains(&number),
                "{number} was acknowledged before it was received"
            );
        }
        self.published[number].outcomes.push(outcome);
    }
}

fn take(output: &mut Output, wire: &mut VecDeque<u8>) {
    while output.has_remaining() {
        let chunk = output.chunk().to_vec();
        output.advance(chunk.len());
        wire.extend(chunk);
    }
}

fn assert_bounds(session: &Session) {
    assert!(session.queued() + session.in_flight() <= MAX_MESSAGES);
    assert!(session.queued_bytes() <= MAX_BYTES);
}
