//! What each decoder takes and refuses.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    panic::{self, AssertUnwindSafe},
};

use mqtt_core::{DecodeError, Decoder, PacketType, ProtocolVersion, Role};

use crate::{
    corpus::Sample,
    groups::{OURS, VERSIONS},
    libraries::for_each_library,
    library::Library,
    visit::Visit,
};

/// What a decoder does with a whole packet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    Takes,
    /// With this reason.
    Refuses(String),
    /// It waits for bytes that never come.
    Waits,
    Panics,
}

/// A rival's decoder of one version.
pub struct Rival {
    pub name: &'static str,
    pub mqtt: ProtocolVersion,
    decode: fn(&[u8]) -> Verdict,
}

/// Every decoder but ours.
#[must_use]
pub fn rivals() -> Vec<Rival> {
    let mut rivals = Vec::new();
    macro_rules! add {
        ($library:ty) => {
            rivals.push(Rival {
                name: <$library>::NAME,
                mqtt: <$library>::MQTT,
                decode: decode::<$library>,
            });
        };
    }
    for_each_library!(add);
    rivals.retain(|rival| rival.name != OURS);
    rivals
}

impl Rival {
    /// What it does with `packet`.
    #[must_use]
    pub fn judge(&self, packet: &[u8]) -> Verdict {
        (self.decode)(packet)
    }
}

fn decode<L: Library>(packet: &[u8]) -> Verdict {
    let decoded = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut input = L::Input::default();
        L::receive(&mut input, packet);
        L::decode(&mut input, &mut Ignore)
    }));
    match decoded {
        Ok(Ok(())) => Verdict::Takes,
        Ok(Err(reason)) if reason == "incomplete" => Verdict::Waits,
        Ok(Err(reason)) => Verdict::Refuses(reason),
        Err(_) => Verdict::Panics,
    }
}

struct Ignore;

impl Visit for Ignore {
    fn number(&mut self, _name: &'static str, _value: u32) {}
    fn bytes(&mut self, _name: &'static str, _value: &[u8]) {}
}

/// What ours does.
///
/// # Errors
/// If it refuses.
pub fn ours(sample: &Sample) -> Result<(), DecodeError> {
    let is_connect = sample.bytes[0] >> 4 == PacketType::Connect.as_u8();
    let version = (!is_connect || sample.sender == Role::Server).then_some(sample.mqtt);
    Decoder::new(version, sample.sender)
        .decode(&sample.bytes)
        .map(drop)
}

/// How many packets each rival takes, of those that it must and of those that it must not.
#[must_use]
pub fn table(legal: &[Sample], others: &[Sample]) -> String {
    let mut text = String::from(
        "| | MQTT | illegal, taken | legal, refused | waits for more | panics |\n|---|---|---|---|---|---|\n",
    );
    for mqtt in VERSIONS {
        let of = |list: &[Sample]| -> Vec<Sample> {
            list.iter()
                .filter(|each| each.mqtt == mqtt)
                .cloned()
                .collect()
        };
        let (legal, others) = (of(legal), of(others));
        let mut row = |name: &str, judge: &dyn Fn(&Sample) -> Verdict| {
            let count = |list: &[Sample], wanted: fn(&Verdict) -> bool| {
                list.iter().filter(|each| wanted(&judge(each))).count()
            };
            let either = |wanted| count(&legal, wanted) + count(&others, wanted);
            _ = writeln!(
                text,
                "| {name} | {mqtt} | {} of {} | {} of {} | {} | {} |",
                count(&others, |verdict| *verdict == Verdict::Takes),
                others.len(),
                count(&legal, |verdict| matches!(verdict, Verdict::Refuses(_))),
                legal.len(),
                either(|verdict| *verdict == Verdict::Waits),
                either(|verdict| *verdict == Verdict::Panics),
            );
        };
        row("**pushmq**", &|sample| match ours(sample) {
            Ok(()) => Verdict::Takes,
            Err(error) => Verdict::Refuses(error.to_string()),
        });
        for rival in rivals().iter().filter(|rival| rival.mqtt == mqtt) {
            row(rival.name, &|sample| rival.judge(&sample.bytes));
        }
    }
    text
}

/// A kind of packet about which ours and a rival do not agree.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Disagreement {
    pub rival: String,
    pub mqtt: String,
    pub sender: String,
    pub packet: String,
    /// The name of the one that refuses.
    pub refused_by: String,
    /// Why: ours names a rule of the standard, the others say something.
    pub reason: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rival,
            mqtt,
            sender,
            packet,
            refused_by,
            reason,
        } = self;
        write!(
            f,
            "{rival}\t{mqtt}\t{sender}\t{packet}\t{refused_by}\t{reason}"
        )
    }
}

/// Those with the two strictest rivals, each with a packet that shows it.
#[must_use]
pub fn disagreements(samples: &[Sample]) -> Vec<(Disagreement, Sample)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for rival in rivals() {
        if !STRICTEST.contains(&rival.name) {
            continue;
        }
        for sample in samples.iter().filter(|sample| sample.mqtt == rival.mqtt) {
            let (refused_by, reason) = match (ours(sample), rival.judge(&sample.bytes)) {
                (Ok(()), Verdict::Takes) | (Err(_), Verdict::Refuses(_)) => continue,
                (Ok(()), Verdict::Refuses(reason)) => (rival.name, reason),
                (Ok(()), other) => (rival.name, format!("{other:?}")),
                // One that waits or panics does not take it either, but does not say no.
                (Err(error), _) => (OURS, error.rule(sample.mqtt).to_owned()),
            };
            let packet = PacketType::from_u8(sample.bytes[0] >> 4);
            let disagreement = Disagreement {
                rival: rival.name.to_owned(),
                mqtt: rival.mqtt.to_string(),
                sender: sample.sender.to_string(),
                packet: packet.map_or("none", PacketType::name).to_owned(),
                refused_by: refused_by.to_owned(),
                reason: without_values(&reason),
            };
            if seen.insert(disagreement.clone()) {
                found.push((disagreement, sample.clone()));
            }
        }
    }
    found.sort();
    found
}

/// A row of the table that settles disagreements; `*` stands for anything.
#[derive(Clone, Debug)]
pub struct Settled {
    row: Disagreement,
    /// The statement of the standard, by its version and id.
    by: String,
}

impl Settled {
    /// Reads the table: tabs between the columns of a [`Disagreement`], the statement, and a remark; `#` begins a comment.
    ///
    /// # Errors
    /// If a line is not a row, or where ours refuses is not settled by the very rule that it names.
    pub fn read(table: &str) -> Result<Vec<Self>, String> {
        let lines = table
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(Self::read_row).collect()
    }

    fn read_row(line: &str) -> Result<Self, String> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [rival, mqtt, sender, packet, refused_by, reason, by, _remark] = columns[..] else {
            return Err(format!("not eight columns: {line}"));
        };
        if !by.starts_with('v') {
            return Err(format!(
                "not settled by a statement of the standard: {line}"
            ));
        }
        if refused_by == OURS && by != reason {
            return Err(format!(
                "ours refuses for another rule than the one that settles it: {line}"
            ));
        }
        Ok(Self {
            row: Disagreement {
                rival: rival.to_owned(),
                mqtt: mqtt.to_owned(),
                sender: sender.to_owned(),
                packet: packet.to_owned(),
                refused_by: refused_by.to_owned(),
                reason: reason.to_owned(),
            },
            by: by.to_owned(),
        })
    }

    fn covers(&self, found: &Disagreement) -> bool {
        let same = |wanted: &str, is: &str| wanted == "*" || wanted == is;
        same(&self.row.rival, &found.rival)
            && same(&self.row.mqtt, &found.mqtt)
            && same(&self.row.sender, &found.sender)
            && same(&self.row.packet, &found.packet)
            && self.row.refused_by == found.refused_by
            && self.row.reason == found.reason
    }
}

/// Compares with the table: what it does not settle, and the rows that settle nothing in `committed`, the samples that
/// everybody has.
///
/// # Errors
/// All of them, one a line.
pub fn settle(table: &[Settled], committed: &[Sample], more: &[Sample]) -> Result<usize, String> {
    let found = disagreements(committed);
    let mut wrong = String::new();
    for settled in table {
        if !found.iter().any(|(each, _)| settled.covers(each)) {
            _ = writeln!(wrong, "stale: {}\t{}", settled.row, settled.by);
        }
    }
    let all = disagreements(&[committed, more].concat());
    for (each, sample) in &all {
        if !table.iter().any(|settled| settled.covers(each)) {
            let shown = &sample.bytes[..sample.bytes.len().min(64)];
            _ = write!(wrong, "not settled: {each}\tfor example {shown:02X?}");
            if let Err(error) = ours(sample) {
                _ = write!(wrong, ", {error}");
            }
            wrong.push('\n');
        }
    }
    if wrong.is_empty() {
        Ok(all.len())
    } else {
        Err(wrong)
    }
}

/// The two rivals that take least of what is illegal, among those whose decoders can be called.
pub const STRICTEST: [&str; 2] = [
    <crate::libraries::Flowsdk<5> as Library>::NAME,
    <crate::libraries::Next5 as Library>::NAME,
];

/// A reason on one line, so that it is the same for all packets of a kind: the rivals put numbers and texts in, ours does not.
fn without_values(reason: &str) -> String {
    if reason.starts_with('v') {
        return reason.to_owned();
    }
    let mut shown = String::new();
    for c in reason.chars().take(120) {
        match c {
            '0'..='9' if shown.ends_with('N') => {}
            '0'..='9' => shown.push('N'),
            c if c.is_control() => shown.push(' '),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Result<Vec<Settled>, String> {
        Settled::read(line)
    }

    #[test]
    fn a_row_needs_a_statement_and_ours_the_one_it_names() {
        assert!(row("a\t5.0\tclient\tAUTH\ta\tno\tv5 3.15.2.1\tremark").is_ok());
        assert!(row("a\t5.0\tclient\tAUTH\ta\tno\t\tremark").is_err());
        assert!(row("a\t5.0\tclient\tAUTH\tpushmq\tv5 2.1.2\tv5 2.1.3\tremark").is_err());
        assert!(row("a\t5.0").is_err());
    }

    #[test]
    fn what_is_not_settled_and_what_is_stale_are_told() {
        // A CONNACK from a client: decoders that know of no sender take it.
        let sample = Sample {
            mqtt: ProtocolVersion::V5,
            sender: Role::Client,
            bytes: vec![0x20, 3, 0, 0, 0],
        };
        let samples = std::slice::from_ref(&sample);
        let missing = settle(&[], samples, &[]).unwrap_err();
        assert!(
            missing.starts_with("not settled: ") && missing.contains("v5 2.1.2"),
            "{missing}"
        );
        let table = row("*\t5.0\t*\t*\tpushmq\tv5 2.1.2\tv5 2.1.2\tremark").unwrap();
        assert_eq!(settle(&table, samples, &[]), Ok(2));
        let stale = settle(&table, &[], &[]).unwrap_err();
        assert!(stale.starts_with("stale: "), "{stale}");
    }

    #[test]
    fn reasons_are_the_same_whatever_the_numbers() {
        assert_eq!(
            without_values("needs 12 bytes, has 3"),
            "needs N bytes, has N"
        );
        assert_eq!(without_values("v5 MQTT-3.1.2-2"), "v5 MQTT-3.1.2-2");
    }
}
