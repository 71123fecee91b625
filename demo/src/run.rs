//! One run of the demo, told as it happens.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use tokio::time::sleep;

use crate::Arguments;
use crate::broker::{Broker, Endpoint};
use crate::device::{self, Device};
use crate::fpm::Fpm;
use crate::php::{Php, Report, push_variables};
use crate::publisher::Publisher;
use crate::score::{Role, Score, since};
use crate::settings::{Settings, Share, shares};
use crate::worker::{Part, Worker};

/// Longest time for acknowledged messages to arrive.
const ARRIVE_LIMIT: Duration = Duration::from_secs(30);

/// How long after the last message a second copy of one would have come.
const QUIET: Duration = Duration::from_millis(250);

/// The folder of the scripts, as a reader sees it.
const SCRIPTS: &str = "demo/php";

/// Runs the demo and returns what went wrong with the messages; nothing, if all is well.
///
/// # Errors
/// When it could not run to its end.
pub(crate) async fn run(arguments: &Arguments) -> Result<Vec<String>> {
    let story = Story {
        started: Instant::now(),
    };
    let broker = start_broker(arguments, &story).await?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("php");
    let settings = Settings::new(
        broker.endpoint().clone(),
        !broker.is_embedded(),
        arguments.devices,
        scripts,
    );
    let php = arguments.php.clone().map(|program| Php {
        program,
        extension: arguments.extension.clone(),
    });

    let parts = parts(arguments, php.as_ref(), &settings);
    let mut show = Show::start(settings, parts, story).await?;
    let mut faults = match (&php, &arguments.php_fpm) {
        (Some(php), Some(php_fpm)) => {
            show.push_from_php(&broker, php, php_fpm, arguments.messages)
                .await?
        }
        _ => show.push_from_rust(arguments.messages).await?,
    };
    faults.extend(show.finish(&broker).await?);
    if faults.is_empty() {
        ending(php.is_some());
    }
    Ok(faults)
}

/// The devices that are programs of their own.
fn parts(arguments: &Arguments, php: Option<&Php>, settings: &Settings) -> Vec<Part> {
    let php = php.map(|php| Part {
        role: Role::PhpWorker,
        name: "worker.php",
        source: "a PHP script, demo/php/worker.php",
        command: php.command(&settings.script("worker.php")),
    });
    let c = arguments.c_device.as_ref().map(|program| Part {
        role: Role::CProgram,
        name: "the C device",
        source: "a C program, demo/c/device.c",
        command: Command::new(program),
    });
    c.into_iter().chain(php).collect()
}

async fn start_broker(arguments: &Arguments, story: &Story) -> Result<Broker> {
    let broker = match &arguments.broker {
        Some(url) => Broker::given(Endpoint::new(url, arguments.ca_file.clone())).await?,
        None if arguments.tls => Broker::embedded_with_tls().await?,
        None => Broker::embedded().await?,
    };
    story.tell("broker", &broker.shown());
    Ok(broker)
}

fn ending(php: bool) {
    println!(
        "\nAll messages were acknowledged by the broker and received by their devices, each exactly once."
    );
    if php {
        println!(
            "Open {SCRIPTS}/push.php, change what it pushes, and run `cargo xtask demo` again."
        );
    } else {
        println!("The same from PHP, with the script {SCRIPTS}/push.php: `cargo xtask demo`.");
    }
}

/// Prints what happens with the time at which it did.
#[derive(Debug)]
struct Story {
    started: Instant,
}

impl Story {
    fn tell(&self, who: &str, what: &str) {
        println!(
            "[{:6.2} s] {who:10} {what}",
            self.started.elapsed().as_secs_f64()
        );
    }
}

/// Everything that runs while messages are pushed.
struct Show {
    story: Story,
    settings: Settings,
    score: Arc<Score>,
    devices: Vec<Device>,
    workers: Vec<Worker>,
    /// The device that is away at first.
    away: String,
}

impl Show {
    /// Starts the devices. The last one is away at first; the ones before it are programs of their own.
    async fn start(settings: Settings, parts: Vec<Part>, story: Story) -> Result<Self> {
        let mut names = settings.devices.clone();
        let away = names.pop().context("there is no device")?;
        let rust = names
            .len()
            .checked_sub(parts.len())
            .context("there are more programs than devices")?;
        let programs = names.split_off(rust);
        let mut roles: Vec<_> = names
            .iter()
            .map(|name| (name.clone(), Role::Rust))
            .collect();
        roles.extend(
            programs
                .iter()
                .zip(&parts)
                .map(|(name, part)| (name.clone(), part.role)),
        );
        roles.push((away.clone(), Role::RustAway));
        let score = Arc::new(Score::new(roles));

        let mut devices = Vec::new();
        for name in &names {
            devices.push(Device::connect(&settings, name, Arc::clone(&score)).await?);
        }
        story.tell(
            "devices",
            &format!(
                "{} Rust subscribers are online: {} to {}",
                names.len(),
                first(&names),
                last(&names)
            ),
        );
        let mut workers = Vec::new();
        for (name, part) in programs.iter().zip(parts) {
            let source = part.source;
            workers.push(Worker::start(part, &settings, name, Arc::clone(&score)).await?);
            story.tell("devices", &format!("{name} is {source}"));
        }
        Device::connect(&settings, &away, Arc::clone(&score))
            .await?
            .leave()
            .await?;
        story.tell(
            "devices",
            &format!("{away} has subscribed once, and is offline now"),
        );
        Ok(Self {
            story,
            settings,
            score,
            devices,
            workers,
            away,
        })
    }

    /// Pushes from the command line, then from two web requests to one worker.
    async fn push_from_php(
        &mut self,
        broker: &Broker,
        php: &Php,
        php_fpm: &Path,
        messages: u32,
    ) -> Result<Vec<String>> {
        let [command_line, first, second] = shares(messages);
        let mut faults = self
            .push_on_command_line(php, &command_line, broker)
            .await?;

        let fpm = Fpm::start(php_fpm, php.extension.as_deref()).await?;
        self.story.tell("php-fpm", "runs with one worker process");
        let one = self.push_from_web(&fpm, &first).await?;
        self.come_back().await?;
        let connections = broker.connections_accepted();
        let two = self.push_from_web(&fpm, &second).await?;
        let opened = broker
            .connections_accepted()
            .zip(connections)
            .map(|(after, before)| after - before);
        match shared_connection(&one, &two, opened) {
            Ok(proof) => self.story.tell("web.php", &proof),
            Err(fault) => faults.push(fault),
        }
        fpm.stop().await?;
        Ok(faults)
    }

    async fn push_on_command_line(
        &self,
        php: &Php,
        share: &Share,
        broker: &Broker,
    ) -> Result<Vec<String>> {
        self.story.tell(
            "push.php",
            &format!("pushes {} messages from the command line", share.count),
        );
        let started = Instant::now();
        let report = php
            .push(
                &self.settings.script("push.php"),
                &push_variables(&self.settings, share),
            )
            .await?;
        report.add_to(&self.score);
        let (sent, acknowledged) = report.totals();
        self.story.tell(
            "push.php",
            &format!(
                "{acknowledged} of {sent} acknowledged, after {} in all",
                since(started)
            ),
        );
        Ok(self.tell_of_nobody("push.php", report.matched(), broker))
    }

    async fn push_from_web(&self, fpm: &Fpm, share: &Share) -> Result<Report> {
        let started = Instant::now();
        let answer = fpm
            .request(
                &self.settings.script("web.php"),
                &push_variables(&self.settings, share),
            )
            .await?;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        let report =
            Report::parse(&body).with_context(|| format!("web.php answered no report:\n{body}"))?;
        report.add_to(&self.score);
        let (sent, acknowledged) = report.totals();
        let inside = report
            .seconds
            .map(|took| format!(", {:.1} ms of it in the script", took * 1e3));
        let took = format!("{}{}", since(started), inside.unwrap_or_default());
        let text = format!(
            "web request {}: {acknowledged} of {sent} acknowledged, answered after {took}",
            share.request
        );
        self.story.tell("web.php", &text);
        Ok(report)
    }

    /// Pushes from Rust, in the same steps.
    async fn push_from_rust(&mut self, messages: u32) -> Result<Vec<String>> {
        let publisher = Publisher::connect(&self.settings).await?;
        let mut faults = Vec::new();
        for share in shares(messages) {
            if share.request == 2 {
                self.come_back().await?;
            }
            let started = Instant::now();
            let acknowledged = publisher.push(&self.settings, &share, &self.score).await?;
            let text = format!(
                "{acknowledged} of {} messages acknowledged after {}",
                share.count,
                since(started)
            );
            self.story.tell("publisher", &text);
            if share.request == 0 {
                let matched = publisher.push_to_nobody(&self.settings).await?;
                faults.extend(self.nobody("publisher", matched, true));
            }
        }
        publisher.close().await?;
        Ok(faults)
    }

    /// The device that was away connects again and finds its messages.
    async fn come_back(&mut self) -> Result<()> {
        let started = Instant::now();
        let waiting = self.score.pushed_to(&self.away);
        self.devices
            .push(Device::connect(&self.settings, &self.away, Arc::clone(&self.score)).await?);
        ensure!(
            self.score.complete(ARRIVE_LIMIT).await,
            "{} came back and found {} of the {waiting} messages that were pushed while it was away, within {} s",
            self.away,
            self.score.received_by(&self.away),
            ARRIVE_LIMIT.as_secs()
        );
        let found = self.score.received_by(&self.away);
        self.story.tell(
            "devices",
            &format!(
                "{} came back and found its {found} messages within {}",
                self.away,
                since(started)
            ),
        );
        Ok(())
    }

    fn tell_of_nobody(&self, who: &str, matched: Option<bool>, broker: &Broker) -> Vec<String> {
        self.nobody(who, matched, broker.is_embedded())
    }

    /// What the publisher was told of the device that nobody has. Our own broker has to tell.
    fn nobody(&self, who: &str, matched: Option<bool>, must_tell: bool) -> Vec<String> {
        if matched == Some(false) {
            self.story.tell(
                who,
                "was told that nobody has no-such-device (reason code 0x10)",
            );
            return Vec::new();
        }
        self.story.tell(
            who,
            "was not told that nobody has no-such-device: this broker does not say so",
        );
        if must_tell {
            vec!["the embedded broker did not say that nobody subscribed".to_owned()]
        } else {
            Vec::new()
        }
    }

    /// Waits for what is still on its way, prints the table, and ends everything.
    async fn finish(self, broker: &Broker) -> Result<Vec<String>> {
        if !self.score.complete(ARRIVE_LIMIT).await {
            self.story.tell(
                "devices",
                &format!("gave up waiting after {} s", ARRIVE_LIMIT.as_secs()),
            );
        }
        sleep(QUIET).await;
        self.story
            .tell("devices", "nothing is on its way any more\n");
        print!("{}", self.score.table());
        println!(
            "Latencies are from publish() to the device, bursts and all; the last line leaves out {}, which was away.",
            self.away
        );
        let faults = self.score.faults();
        ensure!(self.score.sent() > 0, "nothing was sent");
        for device in self.devices {
            device.leave().await?;
        }
        for worker in self.workers {
            worker.stop().await?;
        }
        if !broker.is_embedded() {
            for name in &self.settings.devices {
                device::forget(&self.settings, name).await?;
            }
        }
        broker.shutdown().await;
        Ok(faults)
    }
}

/// Whether the second web request used the connection that the first one had made; the proof, or what speaks against it.
///
/// `opened` is how many connections the broker accepted meanwhile, where it can be asked.
fn shared_connection(one: &Report, two: &Report, opened: Option<u64>) -> Result<String, String> {
    let (first, second) = (&one.client, &two.client);
    if first.pid != second.pid {
        return Err(format!(
            "the two web requests ran in two processes, {} and {}",
            first.pid, second.pid
        ));
    }
    if first.id.is_empty() || first.id != second.id || second.connections != 1 {
        return Err(format!(
            "the second web request had a connection of its own: client {} after {}, {} connections",
            second.id, first.id, second.connections
        ));
    }
    let proof = format!(
        "the second request used the first one's connection: client {}",
        second.id
    );
    match opened {
        Some(0) => Ok(format!("{proof}, none opened at the broker")),
        Some(opened) => Err(format!(
            "the broker accepted {opened} connections during the second web request"
        )),
        None => Ok(format!("{proof}, still its first")),
    }
}

fn first(names: &[String]) -> &str {
    names.first().map_or("none", String::as_str)
}

fn last(names: &[String]) -> &str {
    names.last().map_or("none", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: &str, connections: u64, pid: u64) -> Report {
        let client = format!("{{\"id\":\"{id}\",\"connections\":{connections},\"pid\":{pid}}}");
        Report::parse(&format!("{{\"devices\":{{}},\"client\":{client}}}")).unwrap()
    }

    #[test]
    fn one_client_one_connection_one_process_is_the_proof() {
        let one = report("web-1", 1, 7);
        assert!(shared_connection(&one, &report("web-1", 1, 7), Some(0)).is_ok());
        assert!(shared_connection(&one, &report("web-1", 1, 7), None).is_ok());
        assert!(shared_connection(&one, &report("web-2", 1, 7), Some(0)).is_err());
        assert!(shared_connection(&one, &report("web-1", 2, 7), Some(0)).is_err());
        assert!(shared_connection(&one, &report("web-1", 1, 8), Some(0)).is_err());
        assert!(shared_connection(&one, &report("web-1", 1, 7), Some(1)).is_err());
        assert!(shared_connection(&report("", 1, 7), &report("", 1, 7), Some(0)).is_err());
    }
}
