//! The walk through the layers of a frame, down to its innermost packet.

use std::net::IpAddr;

use super::fragments::{FragmentKey, Outcome, Part, Table, Whole};
use super::layer::{Datagram, Fragment, Layer, Ports, Step};
use super::path::Path;
use super::step::step;
use super::{Ip, Layer4, Undecoded};
use crate::{Endpoint, FlowKey, Side, TapId, Timestamp, Transport};

/// The innermost packet of a frame.
pub(super) struct Packet<'r> {
    pub(super) key: FlowKey,
    pub(super) side: Side,
    pub(super) ip: Ip,
    pub(super) layer4: Layer4<'r>,
}

/// Why a walk ended without a packet.
pub(super) enum Stop {
    Undecoded(Undecoded),
    /// A datagram was completed: go on with it.
    Whole(Resume),
}

impl From<Undecoded> for Stop {
    fn from(reason: Undecoded) -> Self {
        Self::Undecoded(reason)
    }
}

/// A datagram put together, and the header of the fragment that completed it.
pub(super) struct Resume {
    pub(super) whole: Whole,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ip: Ip,
}

/// One frame on its way through its layers.
pub(super) struct Walk<'d> {
    pub(super) time: Timestamp,
    pub(super) tap: TapId,
    pub(super) wire_len: u32,
    pub(super) vxlan_ports: &'d [u16],
    pub(super) path: &'d mut Path,
    pub(super) fragments: &'d mut Table,
}

impl Walk<'_> {
    #[inline]
    pub(super) fn run<'r>(&mut self, mut layer: Layer<'r>) -> Result<Packet<'r>, Stop> {
        loop {
            layer = match step(layer, self.vxlan_ports)? {
                Step::Next(next) => next,
                Step::Vlan(id, next) => {
                    self.path.vlan(id);
                    next
                }
                Step::Tunnel(entered, outer) => {
                    self.path.tunnel(&entered, outer)?;
                    entered.inner
                }
                Step::Fragment(datagram, fragment) => {
                    return Err(self.fragment(&datagram, fragment));
                }
                Step::Tcp(datagram, ports, tcp) => {
                    return Ok(self.packet(&datagram, ports, Transport::Tcp, Layer4::Tcp(tcp)));
                }
                Step::Udp(datagram, ports, udp) => {
                    return Ok(self.packet(&datagram, ports, Transport::Udp, Layer4::Udp(udp)));
                }
            }
        }
    }

    #[inline]
    fn packet<'r>(
        &self,
        datagram: &Datagram<'r>,
        ports: Ports,
        transport: Transport,
        layer4: Layer4<'r>,
    ) -> Packet<'r> {
        let source = Endpoint::new(datagram.source, ports.source);
        let destination = Endpoint::new(datagram.destination, ports.destination);
        let (key, side) = FlowKey::new(self.tap, transport, source, destination);
        Packet { key, side, ip: datagram.ip, layer4 }
    }

    #[cold]
    fn fragment(&mut self, datagram: &Datagram<'_>, fragment: Fragment) -> Stop {
        let key = FragmentKey {
            tap: self.tap,
            network: self.path.network,
            source: datagram.source,
            destination: datagram.destination,
            id: fragment.id,
            protocol: if datagram.source.is_ipv4() { datagram.protocol } else { 0 },
        };
        let part = Part {
            time: self.time,
            offset: fragment.offset,
            len: datagram.payload.len,
            more: fragment.more,
            captured: datagram.payload.bytes,
            wire_len: self.wire_len,
            ecn: datagram.ip.ecn,
            protocol: datagram.protocol,
        };
        match self.fragments.add(key, part) {
            Outcome::Pending => Stop::Undecoded(Undecoded::FragmentPending),
            Outcome::Refused => Stop::Undecoded(Undecoded::FragmentRefused),
            Outcome::Whole(whole) => {
                let header_len = datagram.ip.len.saturating_sub(datagram.payload.len);
                let ip =
                    Ip { len: header_len.saturating_add(whole.len), ecn: whole.ecn, ..datagram.ip };
                Stop::Whole(Resume {
                    whole,
                    source: datagram.source,
                    destination: datagram.destination,
                    ip,
                })
            }
        }
    }
}
