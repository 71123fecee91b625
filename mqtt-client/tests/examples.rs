//! The examples do what they say, against the embedded broker.
//!
//! They are built by `cargo test`; where only this file is run, `cargo build -p mqtt-client --examples` comes first.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use mqtt_broker::{Broker, Options};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

fn example(name: &str, arguments: &[&str]) -> Child {
    program(name)
        .args(arguments)
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn program(name: &str) -> Command {
    // This test lies in `deps`, beside the folder of the examples.
    let here = std::env::current_exe().expect("this program has a path");
    let target = here
        .ancestors()
        .nth(2)
        .expect("it lies in the target directory");
    let program: PathBuf = [target, "examples".as_ref(), name.as_ref()]
        .iter()
        .collect();
    let mut command = Command::new(&program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    command
}

async fn output(mut child: Child) -> String {
    let mut text = String::new();
    let finished = async {
        child
            .stdout
            .take()
            .expect("piped")
            .read_to_string(&mut text)
            .await
            .expect("text");
        child.wait().await.expect("an end")
    };
    let status = timeout(PATIENCE, finished)
        .await
        .expect("it ends by itself");
    assert!(status.success(), "{status}: {text}");
    text
}

#[tokio::test]
async fn they_do_what_they_say() {
    let broker = Broker::bind("127.0.0.1:0", Options::default())
        .await
        .expect("a free port");
    let url = format!("mqtt://{}", broker.local_addr().expect("it listens"));

    let said = output(example("blocking", &[&url])).await;
    assert!(said.contains("received: hello\n"), "{said}");

    // Nobody is there, and the publisher is told.
    let said = output(example("publish", &[&url, "push/7"])).await;
    assert!(said.contains("1: 0x10 No matching subscribers\n"), "{said}");

    let mut subscriber = example("subscribe", &[&url, "push/#", "3"]);
    let mut lines = BufReader::new(subscriber.stdout.take().expect("piped")).lines();
    let first = timeout(PATIENCE, lines.next_line())
        .await
        .expect("a line")
        .expect("text");
    assert_eq!(
        first.as_deref(),
        Some("subscribed to push/#: 0x02 Granted QoS 2")
    );
    let said = output(example("publish", &[&url, "push/7", "news"])).await;
    assert!(
        said.ends_with("1: 0x00 Success\n2: 0x00 Success\n3: 0x00 Success\n"),
        "{said}"
    );
    for number in 1..=3 {
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .expect("a line")
            .expect("text");
        assert_eq!(line, Some(format!("push/7: news {number}")));
    }
    assert!(
        timeout(PATIENCE, subscriber.wait())
            .await
            .expect("it ends by itself")
            .expect("an end")
            .success()
    );
    broker.shutdown(PATIENCE).await;
}

/// The system's authorities are those in the file that `SSL_CERT_FILE` names, if it is set.
#[cfg(feature = "tls")]
#[tokio::test]
async fn they_speak_tls_and_trust_whom_the_system_trusts() {
    use mqtt_broker::{Listener, Pem, ServerTls};
    use mqtt_transport::certificates::Authority;

    let authority = Authority::new("root");
    let certified = authority.server(&["127.0.0.1"]);
    let tls = ServerTls::new(Pem::bytes(certified.chain), Pem::bytes(certified.key));
    let broker = Broker::start(Options::default());
    let listener = Listener::tcp("127.0.0.1:0").with_tls(tls);
    let address = broker.open(&listener).await.expect("a free port");
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("a file");
    let publish = program("publish")
        .args([&format!("mqtts://{address}"), "push/7"])
        .env("SSL_CERT_FILE", &file)
        .spawn()
        .expect("it is built");
    let said = output(publish).await;
    assert!(said.contains("1: 0x10 No matching subscribers\n"), "{said}");

    // Without it, this authority is not among them.
    let stranger = program("publish")
        .arg(format!("mqtts://{address}"))
        .env_remove("SSL_CERT_FILE")
        .stderr(Stdio::null())
        .spawn()
        .expect("it is built")
        .wait_with_output();
    let stranger = timeout(PATIENCE, stranger)
        .await
        .expect("it ends by itself");
    assert!(!stranger.expect("an end").status.success());
}
