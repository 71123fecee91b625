//! A client and a server of ours, whatever happens to the network between them, keep every promise of QoS.
//!
//! Network, operations and what must be true are those of the core's own tests; here they are led by what the machines do.

#[path = "../../mqtt-core/tests/it/joined/network.rs"]
#[expect(dead_code, reason = "the core's tests use more of it")]
mod network;
#[path = "../../mqtt-core/tests/it/joined/steps.rs"]
mod steps;

use arbitrary::{Result, Unstructured};
use mqtt_core::{Acknowledge, ProtocolVersion};

use self::network::{End, Network, Setup};
use self::steps::Step;
use crate::parts;

/// Joins a client and a server and lets happen to them what `data` says.
///
/// # Panics
/// If a message is lost, comes twice where it must not, or has no outcome or two; if one end blames the other; or if
/// they never come to rest.
pub fn joined_ops(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let setup = Setup {
        version: *input.choose(&ProtocolVersion::ALL)?,
        acknowledge: *input.choose(&[Acknowledge::Automatic, Acknowledge::Manual])?,
        client_receive_maximum: input.int_in_range(1..=4)?,
        server_receive_maximum: input.int_in_range(1..=4)?,
        max_events: input.int_in_range(1..=4)?,
        keep_alive: *input.choose(&[0, 10])?,
    };
    let mut network = Network::new(setup);
    while !input.is_empty() {
        steps::take(&mut network, &step(input)?);
    }
    steps::settle_and_check(network);
    Ok(())
}

fn step(input: &mut Unstructured<'_>) -> Result<Step> {
    let end = *input.choose(&[End::Client, End::Server])?;
    Ok(match input.int_in_range(0..=15)? {
        0 | 1 => Step::Connect,
        2 => Step::Cut {
            noticed_by_server: input.arbitrary()?,
        },
        3..=5 => Step::Publish {
            from: end,
            topic: input.int_in_range(0..=2)?,
            qos: parts::qos(input)?,
        },
        6..=8 => Step::Deliver {
            to: end,
            count: input.int_in_range(1..=60)?,
        },
        9 => Step::Deliver {
            to: end,
            count: usize::MAX,
        },
        10..=12 => Step::Drain { end },
        13 | 14 => Step::Acknowledge {
            end,
            choice: input.int_in_range(0..=15)?,
        },
        _ => Step::Advance {
            millis: input.int_in_range(0..=8_000)?,
        },
    })
}
