//! Every protocol, and on which transports and ports it is usual.

use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::Transport;

use crate::protocols::{REGISTRY, Registered};

/// An application protocol that can be recognised.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolInfo {
    /// Name in records and labels.
    pub name: fact::Protocol,
    /// What carries it.
    pub transports: &'static [Transport],
    /// Usual ports of its servers.
    pub ports: &'static [u16],
}

/// Every protocol that can be recognised.
pub fn protocols() -> impl Iterator<Item = ProtocolInfo> {
    REGISTRY.iter().map(|&Registered { name, transports, ports, .. }| ProtocolInfo {
        name,
        transports,
        ports,
    })
}

/// Bit n: protocol n is found on this transport.
pub(crate) fn of_transport(transport: Transport) -> u64 {
    const fn mask(wanted: Transport) -> u64 {
        let (mut mask, mut index) = (0, 0);
        while index < REGISTRY.len() {
            let transports = REGISTRY[index].transports;
            let mut n = 0;
            while n < transports.len() {
                if transports[n] as u8 == wanted as u8 {
                    mask |= 1 << index;
                }
                n += 1;
            }
            index += 1;
        }
        mask
    }
    const TCP: u64 = mask(Transport::Tcp);
    const UDP: u64 = mask(Transport::Udp);
    match transport {
        Transport::Tcp => TCP,
        Transport::Udp => UDP,
    }
}

/// Bit n: this is a usual port of protocol n.
pub(crate) fn of_port(port: u16) -> u64 {
    static PORTS: LazyLock<HashMap<u16, u64, RandomState>> = LazyLock::new(|| {
        let mut ports: HashMap<u16, u64, RandomState> = HashMap::default();
        for (index, entry) in REGISTRY.iter().enumerate() {
            entry.ports.iter().for_each(|port| *ports.entry(*port).or_default() |= 1 << index);
        }
        ports
    });
    PORTS.get(&port).copied().unwrap_or(0)
}

/// The protocols of a mask, with their numbers.
pub(crate) fn entries(mut mask: u64) -> impl Iterator<Item = (usize, &'static Registered)> {
    std::iter::from_fn(move || {
        let index = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        REGISTRY.get(index).map(|entry| (index, entry))
    })
}
