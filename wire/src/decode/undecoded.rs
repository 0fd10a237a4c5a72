//! Reasons why a frame gave no packet.

/// Why a frame gave no packet. Small, counted, never an error that stops anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Undecoded {
    /// Link type of the tap is not supported.
    LinkType,
    /// Not IP: ARP, LLDP, spanning tree…
    NotIp,
    /// ICMP or ICMPv6, errors with a quoted packet included.
    Icmp,
    /// IP, but neither TCP nor UDP (nor a known tunnel).
    OtherTransport,
    /// A fragment that waits for the others of its datagram.
    FragmentPending,
    /// A fragment that was refused: overlap, bad size, or the limit of waiting datagrams.
    FragmentRefused,
    /// A tunnel whose content cannot be read (WireGuard, IPsec).
    Opaque,
    /// Encrypted on its link: MACsec, protected frames of IEEE 802.11.
    EncryptedLink,
    /// Several packets in one frame (A-MSDU of IEEE 802.11).
    Aggregate,
    /// More tunnels inside each other than configured.
    TunnelDepth,
    /// The capture cut the frame inside a header.
    Truncated,
    /// A header contradicts itself or the frame.
    Malformed,
}

impl Undecoded {
    /// Every reason, in the order of [`index`](Self::index).
    pub const ALL: [Self; 12] = [
        Self::LinkType,
        Self::NotIp,
        Self::Icmp,
        Self::OtherTransport,
        Self::FragmentPending,
        Self::FragmentRefused,
        Self::Opaque,
        Self::EncryptedLink,
        Self::Aggregate,
        Self::TunnelDepth,
        Self::Truncated,
        Self::Malformed,
    ];

    /// Position in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Snake-case name, as in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkType => "link_type",
            Self::NotIp => "not_ip",
            Self::Icmp => "icmp",
            Self::OtherTransport => "other_transport",
            Self::FragmentPending => "fragment_pending",
            Self::FragmentRefused => "fragment_refused",
            Self::Opaque => "opaque",
            Self::EncryptedLink => "encrypted_link",
            Self::Aggregate => "aggregate",
            Self::TunnelDepth => "tunnel_depth",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
        }
    }
}
