//! The results as Markdown.

use std::fmt::Write as _;

use mqtt_core::ProtocolVersion;

use crate::{
    groups::{COPY_ALONE, Group, OURS, Operation, VERSIONS},
    measure::Figure,
    packets::Case,
    targets::{self, Target},
};

/// Where and when it was measured.
pub struct Circumstances {
    pub date: String,
    pub machine: String,
    pub compiler: String,
    pub revision: String,
}

/// Groups with their figures.
pub struct Results<'a> {
    pub groups: &'a [Group],
    pub figures: &'a [Vec<Figure>],
}

impl Results<'_> {
    /// The figures of one library.
    #[must_use]
    pub fn find(
        &self,
        operation: Operation,
        mqtt: ProtocolVersion,
        case: Case,
        name: &str,
    ) -> Option<Figure> {
        self.row(operation, mqtt, case)
            .find(|(each, _)| *each == name)
            .map(|(_, figure)| figure)
    }

    /// Names and figures of one group.
    pub fn row(
        &self,
        operation: Operation,
        mqtt: ProtocolVersion,
        case: Case,
    ) -> impl Iterator<Item = (&'static str, Figure)> {
        let place = self.groups.iter().position(|group| {
            group.operation == operation && group.mqtt == mqtt && group.case == case
        });
        place.into_iter().flat_map(|place| {
            let contestants = self.groups[place].contestants.iter();
            contestants
                .map(|each| each.name)
                .zip(self.figures[place].iter().copied())
        })
    }

    fn cases(&self, operation: Operation, mqtt: ProtocolVersion) -> Vec<Case> {
        self.groups
            .iter()
            .filter(|group| group.operation == operation && group.mqtt == mqtt)
            .map(|group| group.case)
            .collect()
    }

    /// Every name in the groups of an operation and version, in their order.
    fn names(&self, operation: Operation, mqtt: ProtocolVersion) -> Vec<&'static str> {
        let mut names = Vec::new();
        for case in self.cases(operation, mqtt) {
            for (name, _) in self.row(operation, mqtt, case) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

const INTRODUCTION: &str = "\
Written by `cargo xtask bench codec`; [codec.svg](codec.svg) shows the times.

Every cell: nanoseconds / instructions / heap allocations for one packet. One thread; all libraries of a column take turns of 0.1 ms,
300 times; the time is the median of these turns, in two passes, the lower of which counts. Instructions are callgrind's; where a payload
is large they are left out, since they count the copying of it. **Times of different columns, and of other runs, cannot be compared; ratios
within a column can.**

On x86-64 all libraries are built so that no branch lies across 32 bytes or ends at a multiple of them: on many of Intel's processors
where code happens to stand costs up to a quarter of its time otherwise. Ordinary builds are not built so; [README.md](README.md) tells
what that changes.

- *Decode and visit*: from bytes that were just copied into the library's own kind of receive buffer to every field, filter and property
  of the packet. The copy is a part of every figure; the row *copy alone* tells how much.
- *Encode*: from a finished value into the library's own kind of send buffer, which has grown before. ntex-mqtt takes values, so it has to
  clone them here.
- *Build and encode*: from plain strings, numbers and `bytes::Bytes`, so that everybody's checks count.
- *Gather*: a payload by reference, up to the list of pieces that a vectored write takes. Who is not in the table copies payloads.

Before it measures, the program checks for each library and packet that every field is found and that what is written is the packet of the
standard, byte for byte but for the order of properties. rumqttc and rumqttc-next write and read 3.1.1 and 5.0 by separate code, mqttrs
knows 3.1.1 only. The packets: a PUBLISH of QoS 1 with a topic of 30 bytes and 64 bytes of payload; b PUBLISH of QoS 0 with a large
payload; c as a with Message Expiry Interval, Content Type, Response Topic, Correlation Data and a User Property; d SUBSCRIBE with ten
filters of 21 bytes; e CONNECT with Will, User Name and Password; f PUBACK, 64 in a row.
";

/// All of it.
#[must_use]
pub fn markdown(results: &Results<'_>, circumstances: &Circumstances) -> String {
    let mut text = String::from("# Codecs side by side\n\n");
    let Circumstances {
        date,
        machine,
        compiler,
        revision,
    } = circumstances;
    _ = writeln!(text, "{date}, {machine}, {compiler}, pushmq {revision}.\n");
    text.push_str(INTRODUCTION);
    text.push_str(&against_targets(results));
    text.push_str(&independence(results));
    for operation in Operation::ALL {
        for mqtt in VERSIONS {
            _ = writeln!(text, "\n## {operation}, MQTT {mqtt}\n");
            text.push_str(&table(results, operation, mqtt));
        }
    }
    text.push_str(&absences(results));
    text
}

fn against_targets(results: &Results<'_>) -> String {
    let mut text = String::from(
        "\n## Ours against the targets\n\n\
         | | MQTT | packet | pushmq | rival | its time | ratio | target | |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for target in targets::all() {
        let Target {
            operation,
            mqtt,
            case,
            rival,
            at_most,
        } = target;
        let Some(ours) = results.find(operation, mqtt, case, OURS) else {
            continue;
        };
        let rivals = results
            .row(operation, mqtt, case)
            .filter(|(name, _)| *name != OURS && *name != COPY_ALONE && rival.includes(name));
        let Some((name, best)) = rivals.min_by(|(_, a), (_, b)| a.ns.total_cmp(&b.ns)) else {
            continue;
        };
        let ratio = ours.ns / best.ns;
        _ = writeln!(
            text,
            "| {operation} | {mqtt} | {} | {} | {name} | {} | {ratio:.2} | {at_most:.2} | {} |",
            case.name(),
            nanoseconds(ours.ns),
            nanoseconds(best.ns),
            if ratio <= at_most {
                "met"
            } else {
                "**missed**"
            },
        );
    }
    text
}

/// What remains of b once the copy is taken off.
fn independence(results: &Results<'_>) -> String {
    let mut text = String::from(
        "\n## Ours without the copy of the payload\n\nInstructions beyond *copy alone*, and allocations, must not depend on the size, but for the different ways in which the copy itself goes.\n\n\
         | | MQTT | 16 KiB | 1 MiB |\n|---|---|---|---|\n",
    );
    for operation in [Operation::Decode, Operation::Gather] {
        for mqtt in VERSIONS {
            let beyond = |case| {
                let ours = results.find(operation, mqtt, case, OURS);
                let copy = results.find(operation, mqtt, case, COPY_ALONE);
                let instructions = |figure: Option<Figure>| figure?.instructions;
                match (instructions(ours), instructions(copy)) {
                    (None, _) => "not counted".to_owned(),
                    (Some(all), copy) => format!(
                        "{:.0} instructions, {:.0} allocations",
                        all - copy.unwrap_or_default(),
                        ours.map_or(0.0, |figure| figure.allocations),
                    ),
                }
            };
            _ = writeln!(
                text,
                "| {operation} | {mqtt} | {} | {} |",
                beyond(Case::LargePublish),
                beyond(Case::HugePublish)
            );
        }
    }
    text
}

fn table(results: &Results<'_>, operation: Operation, mqtt: ProtocolVersion) -> String {
    let cases = results.cases(operation, mqtt);
    let mut text = String::from("| |");
    for case in &cases {
        _ = write!(text, " {} |", case.name());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(cases.len()));
    text.push('\n');
    for name in results.names(operation, mqtt) {
        let shown = if name == OURS { "**pushmq**" } else { name };
        _ = write!(text, "| {shown} |");
        for case in &cases {
            match results.find(operation, mqtt, *case, name) {
                Some(figure) => _ = write!(text, " {} |", cell(&figure, case.is_large())),
                None => text.push_str(" – |"),
            }
        }
        text.push('\n');
    }
    text
}

fn absences(results: &Results<'_>) -> String {
    let mut text = String::new();
    for group in results.groups {
        if group.operation == Operation::Gather {
            continue;
        }
        for (name, reason) in &group.absent {
            let (operation, mqtt) = (group.operation, group.mqtt);
            let case = group.case.name();
            _ = writeln!(text, "- {name}, {operation}, {mqtt}, {case}: {reason}");
        }
    }
    if !text.is_empty() {
        text.insert_str(0, "\n## Not measured, since the check failed\n\n");
    }
    text
}

fn cell(figure: &Figure, large: bool) -> String {
    let instructions = figure
        .instructions
        .filter(|_| !large)
        .map_or_else(|| "–".to_owned(), |count| format!("{count:.0}"));
    let allocations = figure.allocations;
    let digits = usize::from(allocations.fract() > 0.01);
    format!(
        "{} / {instructions} / {allocations:.digits$}",
        nanoseconds(figure.ns)
    )
}

/// Nanoseconds with as many digits as tell something.
#[must_use]
pub fn nanoseconds(ns: f64) -> String {
    let digits = usize::from(ns < 100.0);
    format!("{ns:.digits$}")
}
