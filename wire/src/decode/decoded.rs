//! What a frame is decoded to: flow key, path, transport header, payload.

use std::net::IpAddr;

use crate::{FlowKey, SeqNum, Side, Timestamp};

/// A frame taken apart down to its innermost TCP segment or UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'r> {
    /// Time of the frame (of the last fragment, where the packet came in several).
    pub time: Timestamp,
    /// Length of the frame on the wire in bytes (of all fragments together).
    pub wire_len: u32,
    /// Flow that it belongs to.
    pub key: FlowKey,
    /// Which end of `key` sent it.
    pub side: Side,
    /// Virtual network: 0 for none, else a hash of the VLAN ids and of the overlay identifiers
    /// (VXLAN and GENEVE VNI) around the packet. Keys of GRE count only where the configuration
    /// says so. The directions of a connection may have different ones.
    pub network: u64,
    /// Innermost network layer.
    pub ip: Ip,
    /// VLAN tags outside of the innermost network layer, outermost first.
    pub vlans: Vlans,
    /// Tunnels around the innermost network layer, outermost first.
    pub tunnels: &'r [Tunnel],
    /// What the packet carries.
    pub layer4: Layer4<'r>,
}

/// What flows need of the innermost IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip {
    /// IPv4 total length, or IPv6 payload length + 40, in bytes; the captured rest of the frame
    /// where the field is 0 (TSO).
    pub len: u32,
    /// IPv4 identification (RFC 791, section 3.1); 0 in IPv6, and where the sender gives none.
    pub id: u16,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Explicit congestion notification, 2 bits (RFC 3168): 3 is Congestion Experienced.
    pub ecn: u8,
}

/// Transport layer of a [`Decoded`].
#[derive(Clone, Copy, Debug)]
pub enum Layer4<'r> {
    /// A TCP segment.
    Tcp(Tcp<'r>),
    /// A UDP datagram.
    Udp(Udp<'r>),
}

/// A TCP segment (RFC 9293, section 3.1). All numbers in host byte order.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<'r> {
    /// Sequence number of the first byte (of the SYN, where set).
    pub seq: SeqNum,
    /// Acknowledgement number; whatever stands in the field where ACK is not set.
    pub ack: SeqNum,
    /// Flags.
    pub flags: TcpFlags,
    /// Window field, unscaled.
    pub window: u16,
    /// Options.
    pub options: TcpOptions,
    /// The header says that it is longer than the IP packet is: no kernel takes such a segment.
    pub short: bool,
    /// Payload length by the IP header, in bytes.
    pub payload_len: u32,
    /// Payload as captured: shorter than `payload_len` where the capture cut the frame.
    pub payload: &'r [u8],
}

/// A UDP datagram (RFC 768).
#[derive(Clone, Copy, Debug)]
pub struct Udp<'r> {
    /// Payload length by the UDP header, in bytes.
    pub payload_len: u32,
    /// Payload as captured.
    pub payload: &'r [u8],
}

/// TCP flags: the low byte of bytes 12 and 13 of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push function.
    pub const PSH: u8 = 0x08;
    /// Acknowledgement field significant.
    pub const ACK: u8 = 0x10;
    /// Urgent pointer field significant.
    pub const URG: u8 = 0x20;
    /// ECN-Echo (RFC 3168).
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced (RFC 3168).
    pub const CWR: u8 = 0x80;

    /// Whether any of the flags in `mask` is set.
    pub const fn any(self, mask: u8) -> bool {
        self.0 & mask != 0
    }
    /// SYN set.
    pub const fn syn(self) -> bool {
        self.any(Self::SYN)
    }
    /// ACK set.
    pub const fn ack(self) -> bool {
        self.any(Self::ACK)
    }
    /// FIN set.
    pub const fn fin(self) -> bool {
        self.any(Self::FIN)
    }
    /// RST set.
    pub const fn rst(self) -> bool {
        self.any(Self::RST)
    }
    /// PSH set.
    pub const fn psh(self) -> bool {
        self.any(Self::PSH)
    }
}

/// The TCP options that matter to measures; unknown ones are skipped, malformed ones end the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Maximum segment size in bytes (RFC 9293, section 3.7.1).
    pub mss: Option<u16>,
    /// Window scale shift count as sent (RFC 7323, section 2); values above 14 mean 14.
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018, section 2).
    pub sack_permitted: bool,
    /// Timestamps (RFC 7323, section 3).
    pub timestamps: Option<Timestamps>,
    /// SACK blocks, left and right edge, the first `sack_count` of them valid (RFC 2018, section
    /// 3).
    pub sack: [(SeqNum, SeqNum); 4],
    /// Number of SACK blocks.
    pub sack_count: u8,
}

/// TCP timestamps option (RFC 7323, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval.
    pub value: u32,
    /// TSecr; meaningful only where ACK is set.
    pub echo: u32,
}

/// VLAN ids, outermost first; further ones than the array holds are dropped from the record (not
/// from the flow's identity).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vlans {
    ids: [u16; 4],
    count: u8,
}

impl Vlans {
    /// Adds an id behind the others.
    pub fn push(&mut self, id: u16) {
        if let Some(slot) = self.ids.get_mut(usize::from(self.count)) {
            *slot = id & 0x0fff;
            self.count += 1;
        }
    }

    /// The ids, outermost first.
    pub fn as_slice(&self) -> &[u16] {
        &self.ids[..usize::from(self.count)]
    }
}

/// One tunnel around a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Encapsulation.
    pub kind: TunnelKind,
    /// VNI, VSID, GRE key, session id, label or tunnel endpoint id, where the encapsulation has
    /// one.
    pub id: Option<u32>,
    /// Source address of the network layer that carries the tunnel; none for MPLS and PPPoE, which
    /// ride on a link.
    pub outer_source: Option<IpAddr>,
    /// Destination address of that layer.
    pub outer_destination: Option<IpAddr>,
}

/// Encapsulations that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TunnelKind {
    /// RFC 7348.
    Vxlan,
    /// draft-ietf-nvo3-vxlan-gpe.
    VxlanGpe,
    /// RFC 8926.
    Geneve,
    /// RFC 2784, RFC 2890, carrying a network layer.
    Gre,
    /// RFC 7637 and transparent Ethernet bridging over GRE.
    Nvgre,
    /// ERSPAN types I to III over GRE.
    Erspan,
    /// IPv4 or IPv6 in IPv4 (RFC 2003, RFC 4213) or IPv6 (RFC 2473).
    IpInIp,
    /// GTP-U (3GPP TS 29.281).
    Gtpu,
    /// RFC 3032.
    Mpls,
    /// RFC 2516.
    Pppoe,
}

impl TunnelKind {
    /// Lower-case name, as in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::VxlanGpe => "vxlan_gpe",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::Nvgre => "nvgre",
            Self::Erspan => "erspan",
            Self::IpInIp => "ipip",
            Self::Gtpu => "gtpu",
            Self::Mpls => "mpls",
            Self::Pppoe => "pppoe",
        }
    }
}
