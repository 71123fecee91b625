//! `mosquitto_pub` and `mosquitto_sub` against a server.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::peers::certificates::Certificates;
use crate::peers::{Server, private_folder};
use crate::process::{self, Service};
use crate::progress::Progress;
use crate::suites::Run;
use crate::workspace::find_program;

/// Longest time for one exchange. What takes seconds here hangs.
const LIMIT: Duration = Duration::from_secs(20);

/// The versions under the name that the tools have for them.
const VERSIONS: [(&str, &str); 3] = [("3.1", "mqttv31"), ("3.1.1", "mqttv311"), ("5", "mqttv5")];

/// Runs every pair of versions at every QoS, and what sessions promise, against `server`.
pub(super) fn against(run: &mut Run, server: &Server) -> Result<()> {
    let tools = Tools::new(server)?;
    for (to, subscriber) in VERSIONS {
        for (from, publisher) in VERSIONS {
            for qos in 0..=2 {
                let verdict = tools.delivers(publisher, subscriber, qos);
                run.verdict(
                    &format!("mosquitto_pub {from} to mosquitto_sub {to} at QoS {qos}"),
                    verdict,
                )?;
            }
        }
        run.verdict(
            &format!("mosquitto_sub {to}: the lower QoS counts"),
            tools.lower_qos(subscriber),
        )?;
        run.verdict(
            &format!("mosquitto_sub {to}: wildcards"),
            tools.wildcards(subscriber),
        )?;
        run.verdict(
            &format!("mosquitto_pub {to}: 100,000 bytes"),
            tools.large(subscriber),
        )?;
        for qos in 1..=2 {
            let verdict = tools.offline_queue(subscriber, qos);
            run.verdict(
                &format!("mosquitto_sub {to}: a session keeps QoS {qos} messages while it is away"),
                verdict,
            )?;
        }
    }
    run.verdict(
        "mosquitto_pub 5 is told that nobody subscribed",
        tools.nobody_there(),
    )
}

/// Runs what tells whether TLS carries the packets, against `server`.
pub(super) fn over_tls(run: &mut Run, server: &Server, certificates: &Certificates) -> Result<()> {
    let tools = Tools::over_tls(server, trusting(certificates))?;
    for (name, version) in VERSIONS {
        run.verdict(
            &format!("mosquitto_pub to mosquitto_sub {name} over TLS"),
            tools.delivers(version, version, 1),
        )?;
        run.verdict(
            &format!("mosquitto_pub {name} over TLS: 100,000 bytes"),
            tools.large(version),
        )?;
    }
    Ok(())
}

/// Comes with and without a client certificate to a `server` that demands one.
pub(super) fn with_client_certificate(
    run: &mut Run,
    server: &Server,
    certificates: &Certificates,
) -> Result<()> {
    let mut known = trusting(certificates);
    for (option, file) in [("--cert", "client.pem"), ("--key", "client.key")] {
        known.push(option.to_owned());
        known.push(certificates.file(file).display().to_string());
    }
    let tools = Tools::over_tls(server, known)?;
    run.verdict(
        "mosquitto_pub to mosquitto_sub with a client certificate",
        tools.delivers("mqttv5", "mqttv5", 1),
    )?;
    let stranger = Tools::over_tls(server, trusting(certificates))?;
    run.verdict(
        "mosquitto_pub without a client certificate is refused",
        stranger.is_refused(),
    )
}

fn trusting(certificates: &Certificates) -> Vec<String> {
    let file = certificates.file("ca.pem").display().to_string();
    vec!["--cafile".to_owned(), file]
}

struct Tools {
    server: std::net::SocketAddr,
    /// What the tools are told about TLS.
    tls: Vec<String>,
    folder: TempDir,
}

impl Tools {
    fn new(server: &Server) -> Result<Self> {
        Ok(Self {
            server: server.address(),
            tls: Vec::new(),
            folder: private_folder()?,
        })
    }

    fn over_tls(server: &Server, tls: Vec<String>) -> Result<Self> {
        let url = server.url_of("mqtts")?;
        let address = url.trim_start_matches("mqtts://").parse();
        Ok(Self {
            server: address.with_context(|| format!("no address in {url}"))?,
            tls,
            folder: private_folder()?,
        })
    }

    fn is_refused(&self) -> Result<()> {
        let arguments = ["-q", "1", "-t", "refused", "-m", "x"];
        let ended = process::run(
            self.command("mosquitto_pub", "mqttv5")?.args(arguments),
            LIMIT,
            &mut Progress::silent(),
        )?;
        ensure!(
            ended.expect_success("mosquitto_pub").is_err(),
            "it was let in"
        );
        Ok(())
    }

    fn delivers(&self, publisher: &str, subscriber: &str, qos: u8) -> Result<()> {
        let topic = format!("pair/{publisher}/{subscriber}/{qos}");
        let level = qos.to_string();
        let receiver = self.subscribe(subscriber, &["-q", &level, "-t", &topic])?;
        for text in ["first", "second", "third"] {
            self.publish(publisher, &["-q", &level, "-t", &topic, "-m", text])?;
        }
        receiver.expect(&["first", "second", "third"].map(|text| format!("{qos} {topic} {text}")))
    }

    fn lower_qos(&self, version: &str) -> Result<()> {
        let topic = format!("lower/{version}");
        let receiver = self.subscribe(version, &["-q", "1", "-t", &topic])?;
        for qos in ["0", "1", "2"] {
            self.publish(version, &["-q", qos, "-t", &topic, "-m", qos])?;
        }
        receiver
            .expect(&["0 0", "1 1", "1 2"].map(|pair| pair.replacen(' ', &format!(" {topic} "), 1)))
    }

    fn wildcards(&self, version: &str) -> Result<()> {
        let root = format!("wild/{version}");
        let filters = [format!("{root}/+/end"), format!("{root}/deep/#")];
        let receiver =
            self.subscribe(version, &["-q", "1", "-t", &filters[0], "-t", &filters[1]])?;
        for below in ["one/end", "one/other", "deep", "deep/er/still"] {
            self.publish(
                version,
                &["-q", "1", "-t", &format!("{root}/{below}"), "-m", below],
            )?;
        }
        receiver.expect(
            &["one/end", "deep", "deep/er/still"].map(|below| format!("1 {root}/{below} {below}")),
        )
    }

    fn large(&self, version: &str) -> Result<()> {
        let topic = format!("large/{version}");
        let text = "0123456789".repeat(10_000);
        let file = self.folder.path().join("large");
        std::fs::write(&file, &text).context("cannot write a file for mosquitto_pub")?;
        let receiver = self.subscribe(version, &["-q", "2", "-t", &topic])?;
        self.publish(
            version,
            &["-q", "2", "-t", &topic, "-f", &file.to_string_lossy()],
        )?;
        receiver.expect(&[format!("2 {topic} {text}")])
    }

    fn offline_queue(&self, version: &str, qos: u8) -> Result<()> {
        let topic = format!("away/{version}/{qos}");
        let (id, level) = (format!("away-{version}-{qos}"), qos.to_string());
        let mut session = vec!["-i", &id, "-c", "-q", &level, "-t", &topic];
        if version == "mqttv5" {
            session.extend(["-x", "3600"]);
        }
        // Comes, subscribes and goes: `-E` ends the program once the subscription is acknowledged.
        self.run(
            "mosquitto_sub",
            version,
            &[session.as_slice(), &["-E"]].concat(),
        )?;
        for text in ["first", "second", "third"] {
            self.publish(version, &["-q", &level, "-t", &topic, "-m", text])?;
        }
        let receiver = self.subscribe(version, &session)?;
        self.publish(version, &["-q", &level, "-t", &topic, "-m", "live"])?;
        receiver.expect(
            &["first", "second", "third", "live"].map(|text| format!("{qos} {topic} {text}")),
        )
    }

    fn nobody_there(&self) -> Result<()> {
        let output = self.run(
            "mosquitto_pub",
            "mqttv5",
            &["-d", "-q", "1", "-t", "nobody/there", "-m", "hello"],
        )?;
        // Reason Code 0x10, No matching subscribers (v5 3.4.2.1).
        ensure!(
            output.contains("RC:16"),
            "PUBACK without Reason Code 16:\n{output}"
        );
        Ok(())
    }

    fn publish(&self, version: &str, arguments: &[&str]) -> Result<()> {
        self.run("mosquitto_pub", version, arguments).map(drop)
    }

    fn run(&self, tool: &str, version: &str, arguments: &[&str]) -> Result<String> {
        let ended = process::run(
            self.command(tool, version)?.args(arguments),
            LIMIT,
            &mut Progress::silent(),
        )?;
        Ok(ended
            .expect_success(&format!("{tool} {}", arguments.join(" ")))?
            .output)
    }

    /// Starts `mosquitto_sub` and waits until the server has acknowledged the subscription.
    fn subscribe(&self, version: &str, arguments: &[&str]) -> Result<Receiver> {
        let mut command = self.command("mosquitto_sub", version)?;
        command
            .args(["-d", "-F", "MESSAGE %q %t %p"])
            .args(arguments);
        let log = tempfile::NamedTempFile::new_in(self.folder.path())
            .context("cannot make a log file")?;
        let service = Service::start("mosquitto_sub", &mut command, log.path())?;
        service.wait_until("SUBACK", LIMIT, |service| {
            service.log().contains("Subscribed (mid").then_some(())
        })?;
        Ok(Receiver { service, _log: log })
    }

    fn command(&self, tool: &str, version: &str) -> Result<Command> {
        // The tools keep what they print until they end, unless told otherwise.
        let mut command = Command::new("stdbuf");
        command
            .arg("-oL")
            .arg(find_program(tool).with_context(|| format!("no {tool} command"))?);
        command.args([
            "-h",
            &self.server.ip().to_string(),
            "-p",
            &self.server.port().to_string(),
            "-V",
            version,
        ]);
        command.args(&self.tls);
        Ok(command)
    }
}

struct Receiver {
    service: Service,
    _log: tempfile::NamedTempFile,
}

impl Receiver {
    /// Waits for these messages, each as `qos topic payload`, in this order, and for nothing else.
    ///
    /// Each publisher is a connection of its own. One that has waited for its acknowledgement comes before the next; at QoS 0
    /// nothing is waited for, and two connections may overtake each other: there the order is left open.
    fn expect(&self, expected: &[String]) -> Result<()> {
        self.service
            .wait_until(&format!("{} messages", expected.len()), LIMIT, |service| {
                (received(&service.log()).len() >= expected.len()).then_some(())
            })?;
        let (mut expected, mut received) = (expected.to_vec(), received(&self.service.log()));
        if expected.iter().any(|message| message.starts_with('0')) {
            expected.sort_unstable();
            received.sort_unstable();
        }
        ensure!(
            received == expected,
            "expected {}\nreceived {}",
            short(&expected),
            short(&received)
        );
        Ok(())
    }
}

/// The messages in a log, without a last line that is still being written.
fn received(log: &str) -> Vec<String> {
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .filter_map(|line| line.strip_prefix("MESSAGE "))
        .map(str::to_owned)
        .collect()
}

fn short(messages: &[String]) -> String {
    let shown: Vec<String> = messages
        .iter()
        .map(|message| message.chars().take(60).collect())
        .collect();
    shown.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_messages_count() {
        let log = "Client x received SUBACK\nMESSAGE 1 a/b one\nClient x sending PUBACK\nMESSAGE 1 a/b tw";
        assert_eq!(received(log), ["1 a/b one"]);
    }
}
