//! The first byte of a packet: its type, which not every end may send, and its flags.

use crate::{
    error::DecodeError,
    packet::Publish,
    types::{PacketType, Role},
    version::ProtocolVersion,
};

/// Checks the first byte of a packet on a connection of `version`; without one, only a CONNECT may come.
#[inline]
pub(super) fn check(
    first: u8,
    sender: Role,
    version: Option<ProtocolVersion>,
) -> Result<PacketType, DecodeError> {
    match PacketType::from_u8(first >> 4) {
        Some(packet_type) if is_legal(first, sender, version) => Ok(packet_type),
        _ => refused(first, sender, version),
    }
}

#[inline]
fn is_legal(first: u8, sender: Role, version: Option<ProtocolVersion>) -> bool {
    LEGAL_FLAGS
        .get(version.map_or(0, |version| 1 + version as usize))
        .and_then(|senders| senders.get(sender as usize))
        .and_then(|types| types.get(usize::from(first >> 4)))
        .is_some_and(|flags| flags >> (first & 0x0F) & 1 != 0)
}

#[cold]
fn refused(
    first: u8,
    sender: Role,
    version: Option<ProtocolVersion>,
) -> Result<PacketType, DecodeError> {
    judge(first, sender, version)
}

/// What [`judge`] takes: by version, none coming first, by sender and by packet type, one bit for each value of the flags.
static LEGAL_FLAGS: [[[u16; 16]; 2]; 4] = [
    legal_flags(None),
    legal_flags(Some(ProtocolVersion::V3_1)),
    legal_flags(Some(ProtocolVersion::V3_1_1)),
    legal_flags(Some(ProtocolVersion::V5)),
];

#[expect(
    clippy::indexing_slicing,
    reason = "bounded by the types and the condition of the loop, and at compile time"
)]
const fn legal_flags(version: Option<ProtocolVersion>) -> [[u16; 16]; 2] {
    let mut legal = [[0; 16]; 2];
    let mut first = u8::MIN;
    loop {
        let bit = 1 << (first & 0x0F);
        if judge(first, Role::Client, version).is_ok() {
            legal[Role::Client as usize][(first >> 4) as usize] |= bit;
        }
        if judge(first, Role::Server, version).is_ok() {
            legal[Role::Server as usize][(first >> 4) as usize] |= bit;
        }
        if first == u8::MAX {
            return legal;
        }
        first += 1;
    }
}

/// The rules of the first byte (v5 2.1.2, 2.1.3, v311 2.2.1, 2.2.2).
const fn judge(
    first: u8,
    sender: Role,
    version: Option<ProtocolVersion>,
) -> Result<PacketType, DecodeError> {
    let Some(packet_type) = PacketType::from_u8(first >> 4) else {
        return Err(DecodeError::ReservedPacketType {
            packet_type: first >> 4,
        });
    };
    let Some(version) = version else {
        return match (packet_type, sender) {
            // Its flags depend on its version, so they wait for the body.
            (PacketType::Connect, Role::Client) => Ok(packet_type),
            (PacketType::Connect, sender) => Err(DecodeError::WrongSender {
                packet_type,
                sender,
            }),
            _ => Err(DecodeError::ConnectExpected { packet_type }),
        };
    };
    if !packet_type.may_be_sent_by(sender, version) {
        return Err(match packet_type {
            PacketType::Auth => DecodeError::ReservedPacketType {
                packet_type: packet_type.as_u8(),
            },
            _ => DecodeError::WrongSender {
                packet_type,
                sender,
            },
        });
    }
    let flags = first & 0x0F;
    let checked = match packet_type {
        PacketType::Publish => Publish::check_flags(flags, version),
        // A CONNECT is judged by its own version, which need not be that of the connection.
        PacketType::Connect => Ok(()),
        _ => check_flags(packet_type, flags, version),
    };
    match checked {
        Ok(()) => Ok(packet_type),
        Err(error) => Err(error),
    }
}

/// Checks the flags of any packet but PUBLISH [v5 MQTT-2.1.3-1, v311 MQTT-2.2.2-2]. 3.1 has bits there that are not used,
/// and a DUP that is set in repeated requests.
#[inline]
pub(super) const fn check_flags(
    packet_type: PacketType,
    flags: u8,
    version: ProtocolVersion,
) -> Result<(), DecodeError> {
    if flags == packet_type.required_flags() || matches!(version, ProtocolVersion::V3_1) {
        Ok(())
    } else {
        Err(DecodeError::FixedHeaderFlags { packet_type, flags })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn the_table_takes_what_the_rules_take() {
        let versions = ProtocolVersion::ALL.map(Some);
        for version in versions.into_iter().chain([None]) {
            for sender in [Role::Client, Role::Server] {
                for first in 0..=u8::MAX {
                    let (checked, judged) =
                        (check(first, sender, version), judge(first, sender, version));
                    let case = format!("{first:#04x} of a {sender} in {version:?}");
                    assert_eq!(checked, judged, "{case}");
                    assert_eq!(is_legal(first, sender, version), judged.is_ok(), "{case}");
                }
            }
        }
    }
}
