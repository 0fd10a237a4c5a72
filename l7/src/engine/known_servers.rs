//! What servers were seen to speak: a hint for their next sessions.

use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::Endpoint;

/// What servers were seen to speak: a hint for their next sessions, never a proof. The one that was
/// inserted first goes when there are too many.
#[derive(Debug)]
pub(crate) struct KnownServers {
    protocols: HashMap<Endpoint, u8, RandomState>,
    order: VecDeque<Endpoint>,
    limit: usize,
    evicted: u64,
}

impl KnownServers {
    pub(crate) fn new(limit: usize) -> Self {
        Self { protocols: HashMap::default(), order: VecDeque::new(), limit, evicted: 0 }
    }

    /// Index in the registry of what `server` spoke last.
    pub(crate) fn get(&self, server: &Endpoint) -> Option<u8> {
        if self.protocols.is_empty() { None } else { self.protocols.get(server).copied() }
    }

    /// An exchange of this protocol with `server` was seen.
    pub(crate) fn insert(&mut self, server: Endpoint, protocol: u8) {
        if self.limit == 0 {
            return;
        }
        if let Some(known) = self.protocols.get_mut(&server) {
            *known = protocol;
            return;
        }
        while self.order.len() >= self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.protocols.remove(&oldest);
            self.evicted += 1;
        }
        self.protocols.insert(server, protocol);
        self.order.push_back(server);
    }

    /// Number of servers that had to go since the last call.
    pub(crate) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.protocols.allocation_size() + self.order.capacity() * size_of::<Endpoint>()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn the_last_protocol_counts_and_the_oldest_server_goes() {
        let server = |last| Endpoint::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), 80);
        let mut servers = KnownServers::new(2);
        servers.insert(server(1), 4);
        servers.insert(server(2), 5);
        servers.insert(server(1), 6);
        assert_eq!((servers.get(&server(1)), servers.get(&server(2))), (Some(6), Some(5)));
        servers.insert(server(3), 7);
        assert_eq!((servers.get(&server(1)), servers.get(&server(3))), (None, Some(7)));
        assert_eq!((servers.take_evicted(), servers.take_evicted()), (1, 0));
        let mut none = KnownServers::new(0);
        none.insert(server(1), 4);
        assert_eq!(none.get(&server(1)), None);
    }
}
