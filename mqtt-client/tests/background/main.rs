//! The background face, in one test: it forks, and it ends the one thread that all clients of a process share.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in helpers of tests too: whatever is not as expected fails"
)]

#[cfg(all(feature = "tls", feature = "websocket"))]
mod layers;
mod server;

use std::iter;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mqtt_client::background::{self, Handle, Inbox, Observer};
use mqtt_client::{
    Address, CloseCause, CloseError, Connack, DropReason, Message, Options, Outcome, PublishError,
    QoS, ReasonCode, RequestError, State, SubscribeAnswer, SubscribeError, SubscribeOptions,
    TopicName,
};
use server::{Seen, Server};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn one_process_and_its_children() {
    let server = Server::start();
    publishes_and_receives(&server);
    takes_back_what_no_connection_has_seen();
    a_request_ends_in_time();
    tells_an_observer(&server);
    waits_only_when_armed(&server);
    no_signal_reaches_the_thread(&server);
    a_child_leaves_the_connection_alone(&server);
    many_forks_under_load(&server);
    #[cfg(all(feature = "tls", feature = "websocket"))]
    layers::a_child_leaves_layers_alone();
    shutdown_is_clean_and_a_new_start_works(&server);
}

fn a_request_ends_in_time() {
    let handle = start_without_server();
    let after = Duration::from_millis(1);
    let reply = handle.request_within(message("x"), after).unwrap();
    let result = wait_for(&handle, || reply.result());
    assert_eq!(result, Err(RequestError::TimedOut { after }));
    // One that may take longer is ended by the client's end.
    let reply = handle.request_within(message("x"), 1_000 * PATIENCE);
    let reply = reply.unwrap();
    let _ = handle.begin_close(Duration::ZERO);
    let result = wait_for(&handle, || reply.result());
    assert_eq!(result, Err(RequestError::Closed));
}

/// A client of a server that nobody can reach.
fn start_without_server() -> Handle {
    let nowhere = Address::unix("/nowhere/at/all");
    background::start(Options::with_addresses([nowhere]), Inbox::default()).unwrap()
}

fn start(server: &Server) -> Handle {
    background::start(Options::new("127.0.0.1", server.port()), Inbox::default()).unwrap()
}

fn message(payload: &str) -> Message {
    Message::new(TopicName::new("t").unwrap(), payload.as_bytes().to_vec())
        .with_qos(QoS::AtLeastOnce)
}

/// Sleeps on the handle's descriptor until `look` finds something, as a program without a runtime does.
#[track_caller]
fn wait_for<T>(handle: &Handle, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let fd = handle.wait_fd().unwrap();
    loop {
        handle.arm();
        if let Some(found) = look() {
            handle.disarm();
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "nothing came: {:?} {:?}",
            handle.state(),
            handle.status()
        );
        // The wait is far shorter than the patience: a lost wake-up shows as a failure of `waits_only_when_armed`.
        is_readable(fd, 1_000);
    }
}

fn is_readable(fd: i32, milliseconds: i32) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid pollfd.
    unsafe { libc::poll(&raw mut poll, 1, milliseconds) == 1 }
}

#[track_caller]
fn publish_and_wait(handle: &Handle) {
    let delivery = handle.publish(message("x")).unwrap();
    let outcome = wait_for(handle, || delivery.outcome());
    assert!(
        matches!(
            outcome,
            Outcome::Acknowledged {
                reason: ReasonCode::SUCCESS,
                ..
            }
        ),
        "{outcome:?}"
    );
}

fn publishes_and_receives(server: &Server) {
    let handle = start(server);
    publish_and_wait(&handle);
    let connack = wait_for(&handle, || handle.connack());
    assert!(connack.client_id.starts_with("pushmq"));

    let filters = [
        ("t".to_owned(), SubscribeOptions::new(QoS::AtLeastOnce)),
        ("no".to_owned(), QoS::AtMostOnce.into()),
    ];
    let (key, request) = handle.subscribe(&filters, &[]).unwrap();
    let answer = wait_for(&handle, || request.result()).unwrap();
    assert_eq!(
        answer.reasons,
        [ReasonCode::GRANTED_QOS_1, ReasonCode::NOT_AUTHORIZED]
    );
    // The server sends back what it is sent, to whoever subscribed.
    handle.publish(message("hello")).unwrap();
    let received = wait_for(&handle, || handle.try_recv());
    assert_eq!(received.message.payload(), b"hello");
    assert!(received.subscriptions.contains(key));

    let request = handle.unsubscribe(&["t".to_owned()], &[]).unwrap();
    let answer = wait_for(&handle, || request.result()).unwrap();
    assert_eq!(answer.reasons, [ReasonCode::SUCCESS]);
    assert!(matches!(
        handle.subscribe(&[], &[]),
        Err(SubscribeError::NoFilter)
    ));

    let request = handle.begin_close(PATIENCE);
    assert_eq!(wait_for(&handle, || request.result()), Ok(()));
    assert_eq!(
        handle.publish(message("late")).unwrap_err(),
        PublishError::Closed
    );
    assert!(matches!(
        handle.state(),
        State::Closed(CloseCause::Requested)
    ));
}

/// What an observer and the hooks of deliveries and requests were told.
#[derive(Debug)]
enum Told {
    State(State, Option<Connack>),
    Received(usize),
    Outcome(Outcome),
    Answer(Result<SubscribeAnswer, SubscribeError>),
    Closed(Result<(), CloseError>),
}

struct Channel(mpsc::Sender<Told>);

impl Observer for Channel {
    fn state(&self, state: &State, connack: Option<&Connack>) {
        let _ = self.0.send(Told::State(state.clone(), connack.cloned()));
    }

    fn changed(&self, received: &dyn Fn() -> usize) {
        if received() > 0 {
            let _ = self.0.send(Told::Received(received()));
        }
    }
}

fn takes_back_what_no_connection_has_seen() {
    let handle = start_without_server();
    let [first, second, third] = ["1", "2", "3"].map(|text| handle.publish(message(text)).unwrap());
    assert!(handle.cancel(second.id()));
    let cancelled = Outcome::Dropped(DropReason::Cancelled);
    assert_eq!(second.outcome(), Some(cancelled));
    assert!(!handle.cancel(second.id()));
    assert_eq!((first.outcome(), third.outcome()), (None, None));
    let request = handle.begin_close(Duration::ZERO);
    assert_eq!(
        wait_for(&handle, || request.result()),
        Err(CloseError::Unfinished { pending: 2 })
    );
    assert!(!handle.cancel(third.id()), "it has its outcome");
}

fn tells_an_observer(server: &Server) {
    let (sender, told) = mpsc::channel();
    let next = || told.recv_timeout(PATIENCE).unwrap();
    let options = Options::new("127.0.0.1", server.port());
    let handle =
        background::start_observed(options, Inbox::default(), Channel(sender.clone())).unwrap();
    assert!(matches!(next(), Told::State(State::Connecting, None)));
    let connected = next();
    assert!(
        matches!(&connected, Told::State(State::Connected, Some(connack)) if !connack.session_present),
        "{connected:?}"
    );

    let (_, request) = handle
        .subscribe(
            &[
                ("t".to_owned(), QoS::AtLeastOnce.into()),
                ("no".to_owned(), QoS::AtMostOnce.into()),
            ],
            &[],
        )
        .unwrap();
    let answers = sender.clone();
    request.on_answer(move |answer| answers.send(Told::Answer(answer.clone())).unwrap());
    let answer = next();
    assert!(
        matches!(&answer, Told::Answer(Ok(answer)) if answer.reasons.len() == 2),
        "{answer:?}"
    );

    let delivery = handle.publish(message("hello")).unwrap();
    let outcomes = sender.clone();
    delivery.on_outcome(move |outcome| outcomes.send(Told::Outcome(outcome.clone())).unwrap());
    let (mut acknowledged, mut arrived) = (false, false);
    while !(acknowledged && arrived) {
        match next() {
            Told::Outcome(Outcome::Acknowledged { .. }) => acknowledged = true,
            Told::Received(1) => arrived = true,
            other => panic!("{other:?}"),
        }
    }
    assert!(handle.try_recv().is_some());
    // More may have changed while the message was still there.
    let next = || {
        iter::repeat_with(next)
            .find(|told| !matches!(told, Told::Received(_)))
            .unwrap()
    };

    let closed = sender.clone();
    handle
        .begin_close(PATIENCE)
        .on_answer(move |answer| closed.send(Told::Closed(answer.clone())).unwrap());
    assert!(matches!(next(), Told::State(State::Closing, None)));
    let last = next();
    assert!(
        matches!(
            last,
            Told::State(State::Closed(CloseCause::Requested), None)
        ),
        "{last:?}"
    );
    assert!(matches!(next(), Told::Closed(Ok(()))));
}

fn waits_only_when_armed(server: &Server) {
    let handle = start(server);
    publish_and_wait(&handle);
    let fd = handle.wait_fd().unwrap();
    let other = handle.clone();
    let other_fd = other.wait_fd().unwrap();
    assert_ne!(fd, other_fd);
    handle.arm();
    let delivery = handle.publish(message("x")).unwrap();
    assert!(is_readable(fd, 20_000), "an outcome wakes who is armed");
    wait_for(&handle, || delivery.outcome());
    assert!(!is_readable(other_fd, 0), "who is not armed is left alone");
}

#[cfg(target_os = "linux")]
fn no_signal_reaches_the_thread(server: &Server) {
    let handle = start(server);
    publish_and_wait(&handle);
    let mut found = 0;
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let status =
            std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap_or_default();
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
        };
        if field("Name:") == "mqtt" {
            found += 1;
            let blocked = u64::from_str_radix(field("SigBlk:"), 16).unwrap();
            // All but KILL, STOP and the two that the C library keeps for itself.
            let cannot = 1 << 8 | 1 << 18 | 1 << 31 | 1 << 32;
            assert_eq!(blocked | cannot, u64::MAX, "{blocked:x}");
        }
    }
    assert_eq!(found, 1, "one thread for all clients");
}

#[cfg(not(target_os = "linux"))]
fn no_signal_reaches_the_thread(_server: &Server) {}

/// Runs `body` in a forked child and returns what it exited with: 0 if nothing panicked.
fn in_child(body: impl FnOnce()) -> i32 {
    // SAFETY: the child only runs `body` and leaves by _exit, past every destructor of the test harness.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0);
        if pid == 0 {
            // A child that hangs must not hold up the test.
            libc::alarm(30);
            let result = catch_unwind(AssertUnwindSafe(body));
            libc::_exit(i32::from(result.is_err()));
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(pid, &raw mut status, 0), pid);
        status
    }
}

fn sockets_of_this_process() -> usize {
    let fds = std::fs::read_dir("/dev/fd").unwrap().flatten();
    let targets = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

fn a_child_leaves_the_connection_alone(server: &Server) {
    let handle = start(server);
    publish_and_wait(&handle);
    let pending = handle.publish(message("x")).unwrap();
    let before = background::generation();
    // The clients of earlier steps are gone, and this one's connection is there.
    server.settle(1);
    let sockets = sockets_of_this_process();

    let status = in_child(|| {
        assert_ne!(background::generation(), before);
        assert!(handle.is_forked());
        assert_eq!(
            handle.publish(message("child")).unwrap_err(),
            PublishError::Forked
        );
        assert_eq!(
            handle
                .subscribe(&[("t".to_owned(), QoS::AtMostOnce.into())], &[])
                .unwrap_err(),
            SubscribeError::Forked
        );
        assert_eq!(
            handle.begin_close(PATIENCE).result(),
            Some(Err(CloseError::Forked))
        );
        assert!(matches!(handle.state(), State::Closed(CloseCause::Forked)));
        assert!(
            handle.try_recv().is_none() && handle.wait_fd().is_err() && handle.connack().is_none()
        );
        let _ = pending.outcome();
        if cfg!(target_os = "linux") {
            assert!(
                sockets_of_this_process() < sockets,
                "the inherited connections are closed"
            );
        }
        drop(handle.clone());
        let own = start(server);
        publish_and_wait(&own);
        background::shutdown(PATIENCE);
    });
    assert_eq!(status, 0, "the child failed");

    publish_and_wait(&handle);
    // One new connection beside ours, the child's, which ended properly; ours goes on.
    let seen = server.seen();
    assert_eq!(
        seen.iter().filter(|seen| **seen == Seen::Connect).count(),
        2,
        "{seen:?}"
    );
    assert_eq!(
        seen.iter()
            .filter(|seen| **seen == Seen::Disconnect)
            .count(),
        1,
        "{seen:?}"
    );
    assert_eq!(
        seen.iter()
            .filter(|seen| **seen == Seen::EndWithoutDisconnect)
            .count(),
        0,
        "{seen:?}"
    );
    assert_eq!(background::generation(), before);
}

fn many_forks_under_load(server: &Server) {
    let handle = start(server);
    publish_and_wait(&handle);
    let mut deliveries = Vec::new();
    for round in 0..40 {
        for _ in 0..50 {
            deliveries.push(handle.publish(message("load")).unwrap());
        }
        let status = in_child(|| {
            assert_eq!(
                handle.publish(message("child")).unwrap_err(),
                PublishError::Forked
            );
            if round % 8 == 0 {
                publish_and_wait(&start(server));
            }
        });
        assert_eq!(status, 0, "the child failed in round {round}");
    }
    let outcomes = |flow: ControlFlow<()>| {
        let done = deliveries
            .iter()
            .all(|delivery| delivery.outcome().is_some());
        (done || flow.is_break()).then_some(())
    };
    wait_for(&handle, || outcomes(ControlFlow::Continue(())));
    let status = handle.status();
    assert_eq!(
        (status.acknowledged, status.failed, status.reconnects),
        (2_001, 0, 0)
    );
}

fn shutdown_is_clean_and_a_new_start_works(server: &Server) {
    let handle = start(server);
    publish_and_wait(&handle);
    let delivery = handle.publish(message("last")).unwrap();
    server.settle(1);
    let begun = Instant::now();
    background::shutdown(PATIENCE);
    assert!(begun.elapsed() < PATIENCE);
    assert!(matches!(
        delivery.outcome(),
        Some(Outcome::Acknowledged { .. })
    ));
    assert!(server.seen().contains(&Seen::Disconnect));
    assert!(handle.state().is_closed());
    background::shutdown(PATIENCE);
    publish_and_wait(&start(server));
    background::shutdown(PATIENCE);
}
