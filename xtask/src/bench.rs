//! `cargo xtask bench`: measures ours and others side by side, in one run on one machine.

pub(crate) mod codec;
mod heap;
pub(crate) mod idle;
pub(crate) mod silent;
pub(crate) mod strictness;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

/// Measures ours beside others, in the same run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Codec(codec::Options),
    CHeap(heap::Options),
    Idle(idle::Options),
    Silent(silent::Options),
    Strictness(strictness::Options),
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    match &options.what {
        What::Codec(options) => codec::run(options),
        What::CHeap(options) => heap::run(options),
        What::Idle(options) => idle::run(options),
        What::Silent(options) => silent::run(options),
        What::Strictness(options) => strictness::run(options),
    }
}
