//! What one run of the demo is made of.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::broker::Endpoint;

/// One run: where, to whom, and under which names.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The broker.
    pub(crate) broker: Endpoint,
    /// Topic of a device's pushes, with `{id}` for its name.
    pub(crate) topic: String,
    /// Names of the devices, in order.
    pub(crate) devices: Vec<String>,
    /// In front of each Client Identifier.
    prefix: String,
    /// The folder of the PHP scripts.
    scripts: PathBuf,
}

/// The part of the messages that one script sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Share {
    /// Which request it is: 0 on the command line, then 1 and 2.
    pub(crate) request: u32,
    /// How many messages.
    pub(crate) count: u32,
}

impl Settings {
    /// For `devices` devices. At a broker that others use too, topics and Client Identifiers are of this run alone.
    pub(crate) fn new(broker: Endpoint, shared: bool, devices: u32, scripts: PathBuf) -> Self {
        let run = run_id();
        let (prefix, topic) = if shared {
            // Version 3.1 allows 23 characters of Client Identifier.
            (
                format!("d{run}-"),
                format!("pushmq-demo/{run}/devices/{{id}}/push"),
            )
        } else {
            (String::new(), "devices/{id}/push".to_owned())
        };
        let width = devices.to_string().len().max(2);
        let devices = (1..=devices)
            .map(|number| format!("device-{number:0width$}"))
            .collect();
        Self {
            broker,
            topic,
            devices,
            prefix,
            scripts,
        }
    }

    /// The topic of one device.
    pub(crate) fn topic_of(&self, device: &str) -> String {
        self.topic.replace("{id}", device)
    }

    /// The Client Identifier of one device.
    pub(crate) fn client_id(&self, device: &str) -> String {
        format!("{}{device}", self.prefix)
    }

    /// The variables that tell a worker which device it is.
    pub(crate) fn worker_variables(&self, device: &str) -> Vec<(&'static str, String)> {
        let device = [
            ("PUSH_TOPIC", self.topic.clone()),
            ("DEVICE", device.to_owned()),
            ("CLIENT_ID", self.client_id(device)),
        ];
        self.broker.variables().chain(device).collect()
    }

    /// One of the PHP scripts.
    pub(crate) fn script(&self, name: &str) -> PathBuf {
        self.scripts.join(name)
    }
}

/// Half of the messages for the command line, the rest for the two web requests.
pub(crate) fn shares(messages: u32) -> [Share; 3] {
    let first = messages.div_ceil(2);
    let second = (messages - first).div_ceil(2);
    let counts = [first, second, messages - first - second];
    let mut request = 0;
    counts.map(|count| {
        let share = Share { request, count };
        request += 1;
        share
    })
}

/// Differs between runs, on this machine and elsewhere.
fn run_id() -> String {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    format!(
        "{:05x}{:03x}",
        time & 0xf_ffff,
        rand::random::<u16>() & 0xfff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_share() {
        assert_eq!(shares(1000).map(|share| share.count), [500, 250, 250]);
        assert_eq!(shares(7).map(|share| share.count), [4, 2, 1]);
        assert_eq!(shares(1).map(|share| share.count), [1, 0, 0]);
        assert_eq!(shares(7).map(|share| share.request), [0, 1, 2]);
    }

    #[test]
    fn devices_sort_by_number() {
        let settings = Settings::new(Endpoint::new("", None), false, 120, PathBuf::new());
        assert_eq!(settings.devices[0], "device-001");
        assert!(settings.devices.is_sorted());
        assert_eq!(settings.topic_of("device-001"), "devices/device-001/push");
    }

    #[test]
    fn at_a_shared_broker_runs_do_not_meet() {
        let settings = |_| Settings::new(Endpoint::new("", None), true, 20, PathBuf::new());
        let [one, other] = [0, 1].map(settings);
        assert_ne!(one.topic, other.topic);
        assert!(
            one.client_id("device-20").len() <= 23,
            "{}",
            one.client_id("device-20")
        );
    }
}
