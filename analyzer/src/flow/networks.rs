//! The virtual networks (VLANs, overlay ids) that the packets of a flow came in.

use wire::Side;
use wire::decode::{Decoded, Tunnel};

use crate::per_side::PerSide;

/// Networks that are remembered of a flow besides the latest of each side. One that sees its frames
/// on both legs of a router has two for each side.
const MAX_EARLIER: usize = 8;
/// VLANs and tunnels that the record of a flow tells.
const MAX_TOLD: usize = 16;

/// [`Decoded::network`] in half of the room: every flow has two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Network(u32);

impl Network {
    const fn new(hash: u64) -> Self {
        Self(hash as u32)
    }
}

/// The networks of one flow. Each direction may have its own, and may change it.
#[derive(Debug)]
pub(crate) struct Networks {
    /// The network that each side came to last; of a side that has not sent, that of the other one.
    latest: PerSide<Network>,
    /// None where there is neither VLAN nor tunnel.
    extra: Option<Box<Extra>>,
}

/// What a flow without VLAN and tunnel never needs.
#[derive(Debug, Default)]
struct Extra {
    /// VLANs and tunnels around the first packet, then those of other networks, in the order in
    /// which they were seen; each once.
    vlans: Vec<u16>,
    tunnels: Vec<Tunnel>,
    /// Networks that a side had before its latest.
    earlier: Vec<(Side, Network)>,
    /// The side that is only supposed to send in its network: it may be another flow that does.
    supposed: Option<Side>,
}

impl Networks {
    /// Of a flow that begins with `packet`.
    pub(crate) fn new(packet: &Decoded<'_>) -> Self {
        let mut networks = Self { latest: PerSide::default(), extra: None };
        for side in [Side::Low, Side::High] {
            *networks.latest.get_mut(side) = Network::new(packet.network);
        }
        if !packet.vlans.as_slice().is_empty() || !packet.tunnels.is_empty() {
            networks.extra = Some(Box::new(Extra {
                vlans: packet.vlans.as_slice().to_vec(),
                tunnels: packet.tunnels.to_vec(),
                ..Extra::default()
            }));
        }
        networks
    }

    /// Whether `side` is known to send in `network`.
    #[inline]
    pub(crate) fn has(&self, side: Side, network: u64) -> bool {
        let network = Network::new(network);
        *self.latest.get(side) == network
            || self.extra.as_ref().is_some_and(|extra| extra.earlier.contains(&(side, network)))
    }

    /// Takes a packet of the flow in a network that its side was not known to send in. Unless it
    /// `corrects` what was only supposed, the side goes on to send in the one before too. False
    /// where the limit is reached: an earlier network is forgotten.
    pub(crate) fn add(&mut self, packet: &Decoded<'_>, corrects: bool) -> bool {
        let side = packet.side;
        let before = std::mem::replace(self.latest.get_mut(side), Network::new(packet.network));
        let extra = self.extra.get_or_insert_default();
        for id in packet.vlans.as_slice() {
            if !extra.vlans.contains(id) && extra.vlans.len() < MAX_TOLD {
                extra.vlans.push(*id);
            }
        }
        for tunnel in packet.tunnels {
            let told = |other: &Tunnel| (other.kind, other.id) == (tunnel.kind, tunnel.id);
            if !extra.tunnels.iter().any(told) && extra.tunnels.len() < MAX_TOLD {
                extra.tunnels.push(*tunnel);
            }
        }
        extra.supposed = extra.supposed.filter(|&supposed| supposed != side);
        if corrects {
            return true;
        }
        let full = extra.earlier.len() >= MAX_EARLIER;
        if full {
            extra.earlier.remove(0);
        }
        extra.earlier.push((side, before));
        !full
    }

    /// From now on, the network of `side` is only supposed to be its own.
    pub(crate) fn suppose(&mut self, side: Side) {
        self.extra.get_or_insert_default().supposed = Some(side);
    }

    /// Whether `side` is known to send in `network`, and not only supposed to.
    pub(crate) fn owns(&self, side: Side, network: u64) -> bool {
        let supposed = self.extra.as_ref().is_some_and(|extra| extra.supposed == Some(side));
        !supposed && self.has(side, network)
    }

    /// Another flow sends in `network`: `side` does not, if it was only supposed to.
    pub(crate) fn retract(&mut self, side: Side, network: u64) {
        let Some(extra) = self.extra.as_mut().filter(|x| x.supposed == Some(side)) else { return };
        if *self.latest.get(side) == Network::new(network) {
            extra.supposed = None;
            *self.latest.get_mut(side) = *self.latest.get(side.other());
        }
    }

    pub(crate) fn vlans(&self) -> &[u16] {
        self.extra.as_ref().map_or(&[], |extra| &extra.vlans)
    }

    pub(crate) fn tunnels(&self) -> &[Tunnel] {
        self.extra.as_ref().map_or(&[], |extra| &extra.tunnels)
    }

    /// Heap memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.extra.as_ref().map_or(0, |extra| {
            size_of::<Extra>()
                + extra.vlans.capacity() * size_of::<u16>()
                + extra.tunnels.capacity() * size_of::<Tunnel>()
                + extra.earlier.capacity() * size_of::<(Side, Network)>()
        })
    }
}
