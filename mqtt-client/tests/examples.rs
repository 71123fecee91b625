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
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
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
