//! What is measured side by side: for one operation, version and packet, every library that does it, checked before.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use mqtt_core::ProtocolVersion;

use crate::{
    libraries::for_each_library,
    library::Library,
    packets::{self, Case, Source},
    visit::{Record, Touch},
};

/// Both versions that are measured.
pub const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::V3_1_1, ProtocolVersion::V5];

/// What is done with a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// From received bytes to every field, filter and property.
    Decode,
    /// From a finished value to bytes.
    Encode,
    /// From plain strings, bytes and numbers to bytes.
    BuildAndEncode,
    /// From a finished value to the pieces of a vectored write, the payload by reference.
    Gather,
}

impl Operation {
    /// Every operation, in order.
    pub const ALL: [Self; 4] = [
        Self::Decode,
        Self::Encode,
        Self::BuildAndEncode,
        Self::Gather,
    ];

    fn has(self, case: Case) -> bool {
        self != Self::Gather || case.is_large()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decode => "Decode and visit",
            Self::Encode => "Encode",
            Self::BuildAndEncode => "Build and encode",
            Self::Gather => "Gather",
        })
    }
}

/// Does the operation this many times and returns how long that took, without what came before the first.
pub type Run = Box<dyn FnMut(u32) -> Duration>;

/// One of those that are measured side by side.
pub struct Contestant {
    pub name: &'static str,
    pub run: Run,
}

/// Those that are measured side by side.
pub struct Group {
    pub operation: Operation,
    pub mqtt: ProtocolVersion,
    pub case: Case,
    pub contestants: Vec<Contestant>,
    /// Who is not, and why.
    pub absent: Vec<(&'static str, String)>,
}

/// What the copy of the bytes costs by itself.
pub const COPY_ALONE: &str = "copy alone";
/// Ours.
pub const OURS: &str = <crate::libraries::Pushmq<5> as Library>::NAME;

/// All that is measured.
///
/// # Errors
/// If ours does not do what is to be measured. A rival that does not is absent from its group.
pub fn all() -> Result<Vec<Group>, String> {
    let mut groups = Vec::new();
    for operation in Operation::ALL {
        for mqtt in VERSIONS {
            for case in Case::ALL {
                if case.exists_in(mqtt) && operation.has(case) {
                    groups.push(Group::new(operation, mqtt, case)?);
                }
            }
        }
    }
    Ok(groups)
}

impl Group {
    fn new(operation: Operation, mqtt: ProtocolVersion, case: Case) -> Result<Self, String> {
        let mut group = Self {
            operation,
            mqtt,
            case,
            contestants: Vec::new(),
            absent: Vec::new(),
        };
        if operation != Operation::Gather {
            group.contestants.push(Contestant {
                name: COPY_ALONE,
                run: copying(case, mqtt),
            });
        }
        macro_rules! add {
            ($library:ty) => {
                group.add::<$library>();
            };
        }
        for_each_library!(add);
        match group.absent.iter().find(|(name, _)| *name == OURS) {
            Some((_, reason)) => Err(format!("{operation}, {mqtt}, {case:?}: ours: {reason}")),
            None => Ok(group),
        }
    }

    fn add<L: Library>(&mut self) {
        if L::MQTT != self.mqtt {
            return;
        }
        let contestant = match self.operation {
            Operation::Decode => check_decoding::<L>(self.case).map(|()| decoding::<L>(self.case)),
            Operation::Encode => check_encoding::<L>(self.case).map(|()| encoding::<L>(self.case)),
            Operation::BuildAndEncode => {
                check_building::<L>(self.case).map(|()| building::<L>(self.case))
            }
            Operation::Gather => {
                check_gathering::<L>(self.case).map(|()| gathering::<L>(self.case))
            }
        };
        match contestant {
            Ok(run) => self.contestants.push(Contestant { name: L::NAME, run }),
            Err(reason) => self.absent.push((L::NAME, reason)),
        }
    }
}

fn received(case: Case, mqtt: ProtocolVersion) -> Vec<u8> {
    packets::bytes(case, mqtt).repeat(case.count() as usize)
}

fn copying(case: Case, mqtt: ProtocolVersion) -> Run {
    let bytes = received(case, mqtt);
    let mut buffer = Vec::new();
    Box::new(move |rounds| {
        let start = Instant::now();
        for _ in 0..rounds {
            buffer.clear();
            buffer.extend_from_slice(black_box(&bytes));
            black_box(&buffer);
        }
        start.elapsed()
    })
}

fn decoding<L: Library>(case: Case) -> Run {
    let bytes = received(case, L::MQTT);
    let mut input = L::Input::default();
    Box::new(move |rounds| {
        let start = Instant::now();
        for _ in 0..rounds {
            L::receive(&mut input, black_box(&bytes));
            for _ in 0..case.count() {
                L::decode(&mut input, &mut Touch).expect("checked before");
            }
        }
        start.elapsed()
    })
}

fn check_decoding<L: Library>(case: Case) -> Result<(), String> {
    let mut input = L::Input::default();
    // Twice, since the second time finds buffers as they are left behind.
    for _ in 0..2 {
        L::receive(&mut input, &received(case, L::MQTT));
        for _ in 0..case.count() {
            let mut record = Record::default();
            L::decode(&mut input, &mut record)?;
            record.expect(packets::fields(case, L::MQTT))?;
        }
    }
    Ok(())
}

fn encoding<L: Library>(case: Case) -> Run {
    let source = Source::new(case);
    let mut output = L::Output::default();
    Box::new(move |rounds| {
        L::build(black_box(&source), |packet| {
            let start = Instant::now();
            for _ in 0..rounds {
                L::clear(&mut output);
                for _ in 0..case.count() {
                    L::encode(black_box(packet), &mut output).expect("checked before");
                }
                black_box(&output);
            }
            start.elapsed()
        })
    })
}

fn check_encoding<L: Library>(case: Case) -> Result<(), String> {
    check_written::<L>(case, |source, output| {
        L::build(source, |packet| L::encode(packet, output))
    })
}

fn building<L: Library>(case: Case) -> Run {
    let source = Source::new(case);
    let mut output = L::Output::default();
    Box::new(move |rounds| {
        let start = Instant::now();
        for _ in 0..rounds {
            L::clear(&mut output);
            for _ in 0..case.count() {
                L::build_and_encode(black_box(&source), &mut output).expect("checked before");
            }
            black_box(&output);
        }
        start.elapsed()
    })
}

fn check_building<L: Library>(case: Case) -> Result<(), String> {
    check_written::<L>(case, L::build_and_encode)
}

fn check_written<L: Library>(
    case: Case,
    mut write: impl FnMut(&Source, &mut L::Output) -> Result<(), String>,
) -> Result<(), String> {
    let source = Source::new(case);
    let mut output = L::Output::default();
    for _ in 0..2 {
        L::clear(&mut output);
        write(&source, &mut output)?;
        let written = L::written(&output);
        if !packets::is_packet(case, L::MQTT, &written) {
            let start = &written[..written.len().min(40)];
            return Err(format!("writes {start:02X?} and so on"));
        }
    }
    Ok(())
}

fn gathering<L: Library>(case: Case) -> Run {
    let source = Source::new(case);
    let mut output = L::Output::default();
    Box::new(move |rounds| {
        L::build(&source, |packet| {
            let start = Instant::now();
            for _ in 0..rounds {
                L::clear(&mut output);
                L::gather(black_box(packet), &source, &mut output, |pieces| {
                    black_box(pieces);
                })
                .expect("checked before");
            }
            start.elapsed()
        })
    })
}

fn check_gathering<L: Library>(case: Case) -> Result<(), String> {
    if !L::GATHERS {
        return Err("copies payloads".to_owned());
    }
    let source = Source::new(case);
    let mut output = L::Output::default();
    L::build(&source, |packet| {
        let mut written = Vec::new();
        L::gather(packet, &source, &mut output, |pieces| {
            written = pieces.iter().flat_map(|piece| piece.to_vec()).collect();
        })?;
        if packets::is_packet(case, L::MQTT, &written) {
            Ok(())
        } else {
            Err("writes something else".to_owned())
        }
    })
}
