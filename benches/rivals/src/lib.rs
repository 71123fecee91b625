//! pushmq's codec beside those of other Rust MQTT libraries: how fast each is, and what each takes that the standard forbids.
//!
//! - [`packets`] has the packets that are measured, written by hand from the standard, and what is in them.
//! - [`library`] says what is asked of a library; one file below [`libraries`] for each answers it.
//! - [`visit`] makes every library show every field of what it decoded, when it is checked and when it is measured.
//! - [`corpus`] has packets to try decoders with, [`strictness`] compares the verdicts.
//! - [`measure`] takes time, instructions and allocations; [`report`] and [`plot`] show them, beside the [`targets`].

pub mod allocations;
mod codec;
pub mod corpus;
pub mod groups;
pub mod libraries;
pub mod library;
pub mod measure;
pub mod packets;
pub mod plot;
pub mod report;
pub mod strictness;
pub mod targets;
pub mod visit;
