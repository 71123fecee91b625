//! Shows the packets in bytes: reads one hexadecimal string a line, and prints one JSON object a line. The crate's
//! documentation has an example and tells what the members mean.

use std::{
    error::Error,
    io::{self, BufRead, Write},
};

use bytes::Buf;
use clap::{Parser, ValueEnum};
use mqtt_core::{
    DecodeError, Decoder, EncodeError, Encoder, MaximumPacketSize, Output, Packet, ProtocolVersion,
    Role,
};
use serde_json::{Value, json};

mod show;
#[cfg(test)]
mod tests;

/// Shows the MQTT packets in bytes.
///
/// Reads one hexadecimal string a line from standard input, with or without spaces, and prints one JSON object a line. Each
/// line is a stream of its own, which may hold several packets and end within one.
#[derive(Debug, Parser)]
#[command(name = "inspect")]
struct Arguments {
    /// Protocol version of the connection: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. A CONNECT brings its own
    #[arg(long)]
    version: Level,
    /// Which end has sent the bytes
    #[arg(long)]
    from: Sender,
    /// Largest packet that the receiver takes, in bytes, fixed header included
    #[arg(long, value_name = "N", value_parser = maximum_packet_size)]
    max_packet: Option<MaximumPacketSize>,
    /// Refuse strings with control characters and non-characters, as a receiver may
    #[arg(long)]
    strict_text: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    #[value(name = "3")]
    V3_1,
    #[value(name = "4")]
    V3_1_1,
    #[value(name = "5")]
    V5,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sender {
    Client,
    Server,
}

fn maximum_packet_size(text: &str) -> Result<MaximumPacketSize, Box<dyn Error + Send + Sync>> {
    MaximumPacketSize::new(text.parse()?).ok_or_else(|| "0 would refuse every packet".into())
}

impl Arguments {
    fn decoder(&self) -> Decoder {
        let version = match self.version {
            Level::V3_1 => ProtocolVersion::V3_1,
            Level::V3_1_1 => ProtocolVersion::V3_1_1,
            Level::V5 => ProtocolVersion::V5,
        };
        let sender = match self.from {
            Sender::Client => Role::Client,
            Sender::Server => Role::Server,
        };
        Decoder {
            maximum_packet_size: self
                .max_packet
                .unwrap_or(MaximumPacketSize::LARGEST_POSSIBLE),
            strict_text: self.strict_text,
            ..Decoder::new(Some(version), sender)
        }
    }
}

fn main() -> io::Result<()> {
    run(&Arguments::parse(), io::stdin().lock(), io::stdout().lock())
}

fn run(arguments: &Arguments, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for line in input.split(b'\n') {
        let mut digits = line?;
        // Space between bytes means nothing.
        digits.retain(|byte| !byte.is_ascii_whitespace());
        let shown = match hex::decode(digits) {
            Ok(bytes) => inspect(arguments.decoder(), &bytes),
            Err(error) => {
                let error = format!("not hexadecimal: {error}");
                json!({ "ok": false, "error": error, "rule": null, "reason_code": null })
            }
        };
        writeln!(output, "{shown}")?;
    }
    output.flush()
}

/// Everything there is in `bytes`, or what is wrong with the first packet that is refused.
fn inspect(mut decoder: Decoder, bytes: &[u8]) -> Value {
    let (mut packets, mut again, mut len) = (Vec::new(), Vec::new(), 0);
    loop {
        let rest = bytes.get(len..).unwrap_or_default();
        match decoder.next(rest) {
            Ok(Some((packet, packet_len))) => {
                if let Packet::Connect(connect) = packet {
                    decoder.version = Some(connect.version);
                }
                packets.push(show::packet(&packet));
                again.extend(encoded(&decoder, &packet).unwrap_or_default());
                len += packet_len;
            }
            Ok(None) if packets.is_empty() => {
                return json!({ "ok": true, "packets": [], "rest": rest.len() });
            }
            Ok(None) => {
                return json!({
                    "ok": true,
                    "packets": packets,
                    "rest": rest.len(),
                    "same_bytes": bytes.strip_prefix(&*again) == Some(rest),
                });
            }
            Err(error) => return refusal(&decoder, rest, error),
        }
    }
}

/// The packet as its sender would write it. A few can be received and not sent.
fn encoded(decoder: &Decoder, packet: &Packet<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut output = Output::new();
    Encoder::new(version_of(decoder), decoder.sender).encode(packet, &mut output)?;
    Ok(output.copy_to_bytes(output.remaining()).into())
}

/// What is wrong with the packet that `input` begins with, and what its receiver is to answer before it closes: a Reason
/// Code in 5.0, a CONNACK return code in two cases of 3.x, and otherwise nothing.
fn refusal(decoder: &Decoder, input: &[u8], error: DecodeError) -> Value {
    let version = Decoder::connect_version(input).unwrap_or_else(|| version_of(decoder));
    let answer = error.answer(version).map(|reason| match version {
        ProtocolVersion::V5 => reason.get(),
        _ => reason.return_code().unwrap_or_default(),
    });
    let (error, rule) = (chain(&error), error.rule(version));
    json!({ "ok": false, "error": error, "rule": rule, "reason_code": answer })
}

fn version_of(decoder: &Decoder) -> ProtocolVersion {
    decoder.version.unwrap_or(ProtocolVersion::V5)
}

/// The message of `error` and those of what caused it.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
