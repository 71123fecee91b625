//! How many passwords are being checked or wait for it, in all and for one peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::network::network;

#[derive(Debug)]
pub(super) struct Pending {
    max: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// Counts one password until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    pending: Arc<Pending>,
    network: Option<IpAddr>,
}

impl Pending {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            counts: Mutex::default(),
        }
    }

    /// Counts one more, unless there are as many as there may be. One address may have half of them, so that who guesses
    /// from there leaves room for others.
    pub(super) fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Option<Ticket> {
        let network = peer.map(network);
        let mut counts = self.lock();
        if counts.all >= self.max {
            return None;
        }
        if let Some(network) = network {
            let of_network = counts.by_network.get(&network).copied().unwrap_or(0);
            if of_network >= self.max.div_ceil(2) {
                return None;
            }
            counts.by_network.insert(network, of_network + 1);
        }
        counts.all += 1;
        drop(counts);
        Some(Ticket {
            pending: Arc::clone(self),
            network,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.pending.lock();
        counts.all -= 1;
        if let Some(network) = self.network
            && let Some(of_network) = counts.by_network.get_mut(&network)
        {
            *of_network -= 1;
            if *of_network == 0 {
                counts.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn one_address_has_half_and_all_have_no_more_than_there_is() {
        let pending = Arc::new(Pending::new(4));
        let first = pending.enter(address("192.0.2.1")).unwrap();
        let _second = pending.enter(address("::ffff:192.0.2.1")).unwrap();
        assert!(pending.enter(address("192.0.2.1")).is_none());
        let _third = pending.enter(address("192.0.2.2")).unwrap();
        let fourth = pending.enter(None).unwrap();
        assert!(pending.enter(address("192.0.2.3")).is_none());
        assert!(pending.enter(None).is_none());
        drop(fourth);
        // There is room again, but not for the one that has its half.
        assert!(pending.enter(address("192.0.2.1")).is_none());
        drop(first);
        assert!(pending.enter(address("192.0.2.1")).is_some());
    }

    #[test]
    fn the_second_half_of_an_ipv6_address_makes_nobody_another() {
        let pending = Arc::new(Pending::new(4));
        let one = pending.enter(address("2001:db8::1")).unwrap();
        let two = pending.enter(address("2001:db8::2")).unwrap();
        assert!(pending.enter(address("2001:db8::ffff:0:0:3")).is_none());
        assert!(pending.enter(address("2001:db8:0:1::3")).is_some());
        drop((one, two));
        // Nothing is remembered of who is gone.
        assert!(pending.lock().by_network.is_empty());
        assert_eq!(pending.lock().all, 0);
    }
}
