//! Where the next connection goes: the addresses of the options in turn, or where a server pointed to.

use mqtt_core::ReasonCode;

use crate::error::ConnectError;
use crate::options::{Address, Options};

/// How often in a row a server may point elsewhere before its word is taken for a failure: two that point at each other must
/// not keep a client running.
const MAX_HOPS: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Route {
    place: usize,
    /// How often in a row all addresses of the options have failed.
    rounds: usize,
    detour: Option<Detour>,
    hops: u32,
}

#[derive(Debug)]
struct Detour {
    address: Address,
    /// The server has moved for good (0x9D); otherwise this is for one connection (0x9C).
    lasting: bool,
}

impl Route {
    /// Where to connect to next; `None` where a connector decides.
    pub(super) fn address(&self, options: &Options) -> Option<Address> {
        if options.connector.is_some() {
            return None;
        }
        match &self.detour {
            Some(detour) => Some(detour.address.clone()),
            None => options.addresses.get(self.place).cloned(),
        }
    }

    /// At which of the addresses that a name leads to the attempt begins, if there are as many: not at the one that was reached
    /// before and came to nothing.
    pub(super) const fn first_found(&self) -> usize {
        self.rounds
    }

    /// A connection was accepted and lasted: a server that accepts only to point elsewhere is no end of a chain.
    pub(super) fn arrived(&mut self) {
        self.hops = 0;
        self.rounds = 0;
    }

    /// The attempt failed: the next one goes to the next address.
    pub(super) fn failed(&mut self, places: usize) {
        match &self.detour {
            Some(_) => self.detour = None,
            None => {
                self.place = (self.place + 1) % places;
                if self.place == 0 {
                    self.rounds = self.rounds.wrapping_add(1);
                }
            }
        }
    }

    /// The connection is over. One that was only pointed to is not where the next one goes.
    pub(super) fn lost(&mut self) {
        self.detour.take_if(|detour| !detour.lasting);
    }

    /// Whether the server pointed elsewhere, and the options allow to go there (v5 4.11).
    pub(super) fn follow(&mut self, options: &Options, error: &ConnectError) -> bool {
        if !options.follow_server_reference || options.connector.is_some() || self.hops >= MAX_HOPS
        {
            return false;
        }
        let lasting = match error.reason() {
            Some(ReasonCode::USE_ANOTHER_SERVER) => false,
            Some(ReasonCode::SERVER_MOVED) => true,
            _ => return false,
        };
        let default_port = options.default_port();
        let first = |references| first_reference(references, default_port);
        let Some(address) = error.server_reference().and_then(first) else {
            return false;
        };
        tracing::info!(%address, "the server points elsewhere");
        self.hops += 1;
        self.detour = Some(Detour { address, lasting });
        true
    }
}

/// The first of a list that is separated by spaces: `host`, `host:port`, `[address]` or `[address]:port`.
fn first_reference(references: &str, default_port: u16) -> Option<Address> {
    let first = references.split(' ').find(|part| !part.is_empty())?;
    let (host, port) = match first.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match first.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (first, None),
        },
    };
    let port = port.map_or(Some(default_port), |port| port.parse().ok())?;
    (!host.is_empty() && port != 0).then(|| Address::tcp(host, port))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mqtt_core::{PropertiesBuf, Property, Utf8};

    use super::*;

    #[test]
    fn reads_the_first_reference() {
        let read = |text| first_reference(text, 8883);
        let at = |host, port| Some(Address::tcp(host, port));
        assert_eq!(read("other.example"), at("other.example", 8883));
        assert_eq!(read("a.example:99 b.example"), at("a.example", 99));
        assert_eq!(read("[2001:db8::1]:7"), at("2001:db8::1", 7));
        assert_eq!(read("[2001:db8::1]"), at("2001:db8::1", 8883));
        for bad in ["", " ", ":1", "a:x", "a:0", "[::1", "a:70000"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    fn pointing_to(server: &str) -> Arc<PropertiesBuf> {
        let reference = Property::ServerReference(Utf8::new(server).unwrap());
        Arc::new(PropertiesBuf::collect([reference]).unwrap())
    }

    #[test]
    fn v5_u_5_21_addresses_are_taken_in_turn_and_a_detour_lasts_as_the_server_said() {
        let options = Options::new("a", 1)
            .with_address("b", 2)
            .with_follow_server_reference(true);
        let next = |route: &Route| route.address(&options);
        let at = |host, port| Some(Address::tcp(host, port));
        let moved = |reason| ConnectError::Refused {
            address: "a:1".to_owned(),
            reason,
            detail: None,
            properties: pointing_to("c:3"),
        };
        let mut route = Route::default();
        assert_eq!(next(&route), at("a", 1));
        route.failed(2);
        assert_eq!(next(&route), at("b", 2));
        assert_eq!(route.first_found(), 0);
        assert!(route.follow(&options, &moved(ReasonCode::USE_ANOTHER_SERVER)));
        assert_eq!(next(&route), at("c", 3));
        route.lost();
        assert_eq!(next(&route), at("b", 2));
        assert!(route.follow(&options, &moved(ReasonCode::SERVER_MOVED)));
        route.lost();
        assert_eq!(next(&route), at("c", 3));
        route.failed(2);
        assert_eq!(next(&route), at("b", 2));
        // Where all have failed, what their names lead to is taken in turn as well.
        route.failed(2);
        assert_eq!((next(&route), route.first_found()), (at("a", 1), 1));
        route.arrived();
        assert_eq!(route.first_found(), 0);
    }

    #[test]
    fn servers_that_point_at_each_other_are_left_in_the_end() {
        let options = Options::new("a", 1).with_follow_server_reference(true);
        let error = ConnectError::Refused {
            address: "a:1".to_owned(),
            reason: ReasonCode::SERVER_MOVED,
            detail: None,
            properties: pointing_to("b"),
        };
        let mut route = Route::default();
        let followed = (0..10).filter(|_| route.follow(&options, &error)).count();
        assert_eq!(followed, 5);
        assert!(
            !Route::default().follow(&Options::new("a", 1), &error),
            "not unless allowed"
        );
    }
}
