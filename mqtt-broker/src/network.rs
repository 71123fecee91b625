//! What stands for one peer where each is to have its share.

use std::net::{IpAddr, Ipv6Addr};

/// The bits of an IPv6 address that its owner chooses freely, so that they tell nobody from another.
const INTERFACE_BITS: u128 = u64::MAX as u128;

/// Its address, of IPv6 the first half.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !INTERFACE_BITS).into(),
        address @ IpAddr::V4(_) => address,
    }
}
