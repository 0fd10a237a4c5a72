//! VLANs and tunnels on the way to the innermost packet.

use std::net::IpAddr;

use super::layer::Entered;
use super::mix::mix;
use super::{Tunnel, TunnelKind, Undecoded, Vlans};

/// Tunnels that can be remembered for one packet.
pub(super) const MAX_TUNNELS: usize = 8;

const NONE: Tunnel =
    Tunnel { kind: TunnelKind::IpInIp, id: None, outer_source: None, outer_destination: None };

/// VLANs and tunnels on the way to the innermost network layer; made once and used for every frame.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) vlans: Vlans,
    /// See [`Decoded::network`](super::Decoded::network).
    pub(super) network: u64,
    tunnels: [Tunnel; MAX_TUNNELS],
    count: usize,
    max: usize,
    gre_key_is_network: bool,
}

/// Notes a VLAN. Id 0 is a priority tag: it names none (IEEE 802.1Q, section 9.6).
#[inline]
pub(super) fn enter_vlan(vlans: &mut Vlans, network: &mut u64, id: u16) {
    if id != 0 {
        vlans.push(id);
        *network = mix(*network, u64::from(id));
    }
}

impl Path {
    pub(super) fn new(max_tunnel_depth: u8, gre_key_is_network: bool) -> Self {
        let max = usize::from(max_tunnel_depth).min(MAX_TUNNELS);
        let (vlans, tunnels) = (Vlans::default(), [NONE; MAX_TUNNELS]);
        Self { vlans, network: 0, tunnels, count: 0, max, gre_key_is_network }
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.vlans = Vlans::default();
        self.network = 0;
        self.count = 0;
    }

    pub(super) fn vlan(&mut self, id: u16) {
        enter_vlan(&mut self.vlans, &mut self.network, id);
    }

    pub(super) fn tunnel(
        &mut self,
        entered: &Entered<'_>,
        outer: Option<(IpAddr, IpAddr)>,
    ) -> Result<(), Undecoded> {
        if self.count >= self.max {
            return Err(Undecoded::TunnelDepth);
        }
        let slot = self.tunnels.get_mut(self.count).ok_or(Undecoded::TunnelDepth)?;
        *slot = Tunnel {
            kind: entered.kind,
            id: entered.id,
            outer_source: outer.map(|o| o.0),
            outer_destination: outer.map(|o| o.1),
        };
        self.count += 1;
        let is_gre = matches!(entered.kind, TunnelKind::Gre | TunnelKind::Nvgre);
        if let (true, Some(id)) =
            (entered.is_network || (is_gre && self.gre_key_is_network), entered.id)
        {
            self.network = mix(self.network, (entered.kind as u64 + 1) << 32 | u64::from(id));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn tunnels(&self) -> &[Tunnel] {
        self.tunnels.get(..self.count).unwrap_or_default()
    }
}
