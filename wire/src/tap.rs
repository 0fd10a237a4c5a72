//! Taps: the places where frames are captured.

use std::fmt;

/// Names one place where frames are seen: an interface of this node, or an interface of a capture
/// file. Small and dense; the tap registry of the binary maps it to a [`Tap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapId(pub u32);

/// A tap, as far as the kernel (or the file) describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Its id in frames and facts.
    pub id: TapId,
    /// Interface name, or file name (with `#interface` for pcapng files with several).
    pub name: String,
    /// Kind of device.
    pub kind: TapKind,
}

/// Kind of the device behind a tap, in the order in which a packet leaves a container for the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TapKind {
    /// Loopback.
    Loopback,
    /// One end of a virtual Ethernet pair.
    Veth,
    /// TUN or TAP device.
    Tun,
    /// Bridge device.
    Bridge,
    /// macvlan or ipvlan.
    Macvlan,
    /// VLAN sub-interface.
    Vlan,
    /// VXLAN, GENEVE, GRE, IP-in-IP or WireGuard device.
    Tunnel,
    /// Bond or team.
    Bond,
    /// Physical (or virtio) device.
    Physical,
    /// A capture file.
    File,
    /// None of these.
    #[default]
    Other,
}

impl TapKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Loopback,
        Self::Veth,
        Self::Tun,
        Self::Bridge,
        Self::Macvlan,
        Self::Vlan,
        Self::Tunnel,
        Self::Bond,
        Self::Physical,
        Self::File,
        Self::Other,
    ];

    /// Lower-case name, as in records and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Veth => "veth",
            Self::Tun => "tun",
            Self::Bridge => "bridge",
            Self::Macvlan => "macvlan",
            Self::Vlan => "vlan",
            Self::Tunnel => "tunnel",
            Self::Bond => "bond",
            Self::Physical => "physical",
            Self::File => "file",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for TapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
