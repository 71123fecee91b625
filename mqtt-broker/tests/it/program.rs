//! The program, run as its users run it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mqtt_transport::certificates::Authority;

use crate::support::{Peer, connect_v5};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mqtt-broker");

/// A program that is ended with the test.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::start_as(Command::new(PROGRAM), arguments)
    }

    fn start_as(mut command: Command, arguments: &[&str]) -> Self {
        command.args(["--log-level", "off"]);
        Self::start_logging(command, arguments)
    }

    /// With a log, as the command or the arguments say.
    fn start_logging(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn address(&mut self) -> SocketAddr {
        self.place().parse().unwrap()
    }

    /// Where it says that it listens.
    fn place(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{line:?}"))
            .trim_end()
            .to_owned()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the program does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn it_says_where_it_listens_and_stops_in_good_order_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Running::start(&["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
        let first = program.address();
        let second = program.address();
        assert_ne!(first, second);
        let mut peers = [Peer::tcp(first).await, Peer::tcp(second).await];
        for (peer, id) in peers.iter_mut().zip(["1", "2"]) {
            peer.send(&format!("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'{id}'"))
                .await;
            assert_eq!(peer.connack_v5().await, (false, 0));
        }
        program.signal(signal);
        for mut peer in peers {
            peer.expect_disconnect(0x8B).await;
        }
        assert!(program.wait().success());
        let mut rest = String::new();
        program.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    for (first, second) in [("TERM", "INT"), ("INT", "TERM")] {
        let mut command = Command::new(PROGRAM);
        command.stderr(Stdio::piped());
        let mut program = Running::start_logging(command, &["--listen", "127.0.0.1:0"]);
        // One that does not close is waited for in good order, for seconds.
        let mut peer = Peer::tcp(program.address()).await;
        peer.send("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a'")
            .await;
        assert_eq!(peer.connack_v5().await, (false, 0));
        // By one process, so that the second comes right behind the first however busy the machine is.
        let id = program.child.id().to_string();
        let script = format!("kill -{first} {id} && kill -{second} {id}");
        let both = Command::new("sh").args(["-c", &script]).status();
        assert!(both.unwrap().success());
        assert!(program.wait().success());
        let mut log = String::new();
        let mut stderr = program.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        let stopping = log.find("stopping").expect(&log);
        let at_once = log.find("stopped at once").expect(&log);
        assert!(stopping < at_once, "{log}");
    }
}

#[tokio::test]
async fn the_largest_limits_are_as_good_as_none() {
    let options = [
        "--max-connections",
        "--max-sessions",
        "--max-session-expiry",
        "--max-queued-messages",
        "--max-queued-bytes",
        "--sys-interval",
    ];
    let largest = u64::MAX.to_string();
    let mut arguments = vec!["--listen", "127.0.0.1:0"];
    arguments.extend(options.iter().flat_map(|&option| [option, &largest]));
    let mut program = Running::start(&arguments);
    let mut peer = Peer::tcp(program.address()).await;
    peer.send_bytes(&connect_v5("a", 2, u32::MAX)).await;
    assert_eq!(peer.connack_v5().await, (false, 0));
    peer.subscribe_v5("t", 1).await;
    assert_eq!(peer.publish_qos_1("t", b"x").await, 0);
}

#[tokio::test]
async fn what_happens_to_a_session_without_room_is_a_choice() {
    for (overflow, answer, next) in [
        ("drop-newest", 0x97, Some(b'2')),
        ("drop-oldest", 0x00, Some(b'3')),
        ("disconnect", 0x97, None),
    ] {
        let mut program = Running::start(&[
            "--listen",
            "127.0.0.1:0",
            "--max-queued-messages",
            "2",
            "--overflow",
            overflow,
        ]);
        let address = program.address();
        let mut slow = Peer::tcp(address).await;
        // Receive Maximum 1: the second message waits.
        slow.send("10 11 | 0004'MQTT' 05 02 003C 03 21 0001 | 0001'r'")
            .await;
        assert_eq!(slow.connack_v5().await, (false, 0));
        slow.subscribe_v5("t", 1).await;
        let mut sender = Peer::tcp(address).await;
        sender.send_bytes(&connect_v5("s", 2, 0)).await;
        assert_eq!(sender.connack_v5().await, (false, 0));
        assert_eq!(sender.publish_qos_1("t", b"1").await, 0, "{overflow}");
        slow.expect("32 07 | 0001't' 0001 00 '1'").await;
        assert_eq!(sender.publish_qos_1("t", b"2").await, 0, "{overflow}");
        assert_eq!(sender.publish_qos_1("t", b"3").await, answer, "{overflow}");
        let Some(next) = next else {
            slow.expect_disconnect(0x97).await;
            continue;
        };
        slow.send("40 02 0001").await;
        let (_, body) = slow.packet().await;
        assert_eq!(body.last(), Some(&next), "{overflow}");
    }
}

#[tokio::test]
async fn it_listens_on_every_transport_and_says_where() {
    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key) = (
        file("chain.pem", &certified.chain),
        file("key.pem", &certified.key),
    );
    let socket = format!("unix://{}/mqtt.sock", directory.path().display());
    let mut program = Running::start(&[
        "--listen",
        "mqtt://127.0.0.1:0",
        "--listen",
        "mqtts://127.0.0.1:0",
        "--listen",
        "ws://127.0.0.1:0",
        "--listen",
        "wss://127.0.0.1:0/broker",
        "--listen",
        &socket,
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ]);
    for (scheme, path) in [
        ("mqtt://127.0.0.1:", ""),
        ("mqtts://127.0.0.1:", ""),
        ("ws://127.0.0.1:", "/mqtt"),
        ("wss://127.0.0.1:", "/broker"),
    ] {
        let place = program.place();
        let port = place
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_suffix(path))
            .unwrap_or_else(|| panic!("{place}"));
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        // What is spoken there: the first byte of the answer to plain MQTT tells.
        let mut peer = Peer::tcp(address).await;
        peer.send("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a'")
            .await;
        match scheme {
            "mqtt://127.0.0.1:" => assert_eq!(peer.connack_v5().await, (false, 0)),
            // An alert of TLS.
            "mqtts://127.0.0.1:" | "wss://127.0.0.1:" => assert_eq!(peer.byte().await, Some(0x15)),
            _ => peer.expect_close().await,
        }
    }
    assert_eq!(program.place(), socket);
    let path = directory.path().join("mqtt.sock");
    let mut peer = Peer::over(tokio::net::UnixStream::connect(&path).await.unwrap());
    peer.send("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a'")
        .await;
    assert_eq!(peer.connack_v5().await, (false, 0));
    program.signal("-TERM");
    peer.expect_disconnect(0x8B).await;
    assert!(program.wait().success());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_password_file_lets_its_users_in() {
    let line = hash("ann", "pw\n");
    let file = temporary("passwords", &format!("# users\n{line}"));
    let mut program = Running::start(&[
        "--listen",
        "127.0.0.1:0",
        "--password-file",
        file.to_str().unwrap(),
    ]);
    let address = program.address();
    let mut ann = Peer::tcp(address).await;
    ann.send("10 17 | 0004'MQTT' 05 C2 003C 00 | 0001'a' 0003'ann' 0002'pw'")
        .await;
    assert_eq!(ann.connack_v5().await, (false, 0));
    let mut wrong = Peer::tcp(address).await;
    wrong
        .send("10 17 | 0004'MQTT' 05 C2 003C 00 | 0001'a' 0003'ann' 0002'px'")
        .await;
    wrong.expect("20 03 00 86 00").await;
    let mut nobody = Peer::tcp(address).await;
    nobody.send("10 0D | 0004'MQTT' 04 02 003C | 0001'b'").await;
    nobody.expect("20 02 00 05").await;
    fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn an_access_file_says_who_may_do_what_and_the_counts_are_told() {
    let file = temporary("rules", "topic read $SYS/#\npattern write status/%c\n");
    let mut program = Running::start(&[
        "--listen",
        "127.0.0.1:0",
        "--access-file",
        file.to_str().unwrap(),
        "--sys-interval",
        "1",
        "--max-keep-alive",
        "30",
        "--max-qos",
        "1",
    ]);
    let mut peer = Peer::tcp(program.address()).await;
    peer.send("10 0E | 0004'MQTT' 05 02 003C 00 | 0001'a'")
        .await;
    let (_, connack) = peer.packet().await;
    assert!(
        connack.windows(2).any(|part| part == [0x24, 1]),
        "{connack:02X?}"
    );
    assert!(
        connack.windows(3).any(|part| part == [0x13, 0, 30]),
        "{connack:02X?}"
    );
    assert_eq!(peer.publish_qos_1("status/a", b"x").await, 0x10);
    assert_eq!(peer.publish_qos_1("status/b", b"x").await, 0x87);
    peer.subscribe_v5("$SYS/broker/uptime", 0).await;
    let (first, body) = peer.packet().await;
    assert!(
        first & 0xF0 == 0x30 && body.ends_with(b" seconds"),
        "{body:02X?}"
    );
    fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_small_limit_on_descriptors_is_raised() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -Sn 64 && exec \"$0\" \"$@\"", PROGRAM]);
    let mut program = Running::start_as(shell, &["--listen", "127.0.0.1:0"]);
    let address = program.address();
    let mut peers = Vec::new();
    for number in 100..200 {
        let mut peer = Peer::tcp(address).await;
        peer.send(&format!("10 0F | 0004'MQTT' 04 02 003C | 0003'{number}'"))
            .await;
        peer.expect("20 02 00 00").await;
        peers.push(peer);
    }
}

#[test]
fn what_it_cannot_do_it_says_and_fails() {
    let missing = std::env::temp_dir().join("no-such-password-file");
    let broken = temporary("broken", "ann:plain\n");
    let access = temporary("access", "topic a\nread b\n");
    let users = temporary("access-users", "user ann\ntopic a\n");
    for (arguments, said) in [
        (["--listen", "0.0.0.0:0"], "--password-file"),
        (
            ["--listen", "127.0.0.1"],
            "--listen 127.0.0.1: cannot resolve",
        ),
        (
            ["--password-file", missing.to_str().unwrap()],
            "cannot read password file",
        ),
        (
            ["--password-file", broken.to_str().unwrap()],
            "--password-file: line 1",
        ),
        (["--max-packet-size", "0"], "--max-packet-size"),
        (["--response-prefix", "a/#"], "--response-prefix"),
        (["--listen", "mqtts://127.0.0.1:0"], "--tls-cert"),
        (["--listen", "http://127.0.0.1:0"], "use mqtt"),
        (["--tls-cert", "chain.pem"], "--tls-key"),
        (
            ["--access-file", access.to_str().unwrap()],
            "--access-file: line 2",
        ),
        (
            ["--access-file", users.to_str().unwrap()],
            "--password-file",
        ),
    ] {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && stderr.contains(said),
            "{arguments:?}: {stderr}"
        );
        assert!(output.stdout.is_empty());
    }
    for file in [broken, access, users] {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn help_names_the_options() {
    let output = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--listen",
        "mqtts://",
        "unix://",
        "--tls-cert",
        "--tls-key",
        "--tls-client-ca",
        "--password-file",
        "--access-file",
        "--max-keep-alive",
        "--max-qos",
        "--response-prefix",
        "--sys-interval",
        "--max-connections",
        "--log-level",
        "hash-password",
    ] {
        assert!(help.contains(option), "{help}");
    }
}

#[test]
fn an_empty_password_is_not_hashed() {
    let output = run_with_input(&["hash-password", "ann"], "\n");
    assert!(!output.0 && output.1.is_empty());
}

fn hash(user: &str, input: &str) -> String {
    let (success, line) = run_with_input(&["hash-password", user], input);
    assert!(
        success && line.starts_with(&format!("{user}:$argon2id$")),
        "{line}"
    );
    line
}

fn run_with_input(arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// A file that only its owner can read.
fn temporary(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mqtt-broker-test-{}-{name}", std::process::id()));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}
