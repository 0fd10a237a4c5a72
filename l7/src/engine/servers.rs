use std::collections::VecDeque;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::Endpoint;

/// What servers were seen to speak: a hint for their next connections, never a proof. The one learned first goes when there are too many.
#[derive(Debug)]
pub(crate) struct Servers {
    spoken: HashMap<Endpoint, u8, RandomState>,
    order: VecDeque<Endpoint>,
    limit: usize,
    displaced: u64,
}

impl Servers {
    pub(crate) fn new(limit: usize) -> Self {
        Self { spoken: HashMap::default(), order: VecDeque::new(), limit, displaced: 0 }
    }

    /// Index in the registry of what `server` spoke last.
    pub(crate) fn known(&self, server: &Endpoint) -> Option<u8> {
        if self.spoken.is_empty() { None } else { self.spoken.get(server).copied() }
    }

    /// An exchange of this protocol with `server` was seen.
    pub(crate) fn learn(&mut self, server: Endpoint, protocol: u8) {
        if self.limit == 0 {
            return;
        }
        if let Some(known) = self.spoken.get_mut(&server) {
            *known = protocol;
            return;
        }
        while self.order.len() >= self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.spoken.remove(&oldest);
            self.displaced += 1;
        }
        self.spoken.insert(server, protocol);
        self.order.push_back(server);
    }

    /// Those that had to go since the last look.
    pub(crate) fn take_displaced(&mut self) -> u64 {
        std::mem::take(&mut self.displaced)
    }

    /// Memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.spoken.allocation_size() + self.order.capacity() * size_of::<Endpoint>()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn the_last_word_counts_and_the_oldest_server_goes() {
        let server = |last| Endpoint::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), 80);
        let mut servers = Servers::new(2);
        servers.learn(server(1), 4);
        servers.learn(server(2), 5);
        servers.learn(server(1), 6);
        assert_eq!((servers.known(&server(1)), servers.known(&server(2))), (Some(6), Some(5)));
        servers.learn(server(3), 7);
        assert_eq!((servers.known(&server(1)), servers.known(&server(3))), (None, Some(7)));
        assert_eq!((servers.take_displaced(), servers.take_displaced()), (1, 0));
        let mut none = Servers::new(0);
        none.learn(server(1), 4);
        assert_eq!(none.known(&server(1)), None);
    }
}
